"""``trmsolve compare``: what it writes, and what it refuses before any network is loaded."""

import csv
import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from tests.support.paths import ROOT
from trmsolve.cli import app
from trmsolve.show.comparison import table
from trmsolve.solve import solver

MAZES = ROOT / "examples" / "maze" / "maze.csv"


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["compare", *map(str, arguments)])


def test_a_table_and_a_curve(tmp_path: Path) -> None:
    weights = tmp_path / "other.safetensors"
    weights.write_bytes((ROOT / "weights" / "maze.safetensors").read_bytes())
    picture = tmp_path / "curve.svg"
    options = ("--task", "maze", "--data", MAZES, "--limit", 1, "--workers", 1)
    result = run("maze", weights, *options, "--cycles", "1,2", "--save", picture)
    assert result.exit_code == 0, result.stderr
    assert "A  maze.safetensors" in result.stdout and "B  other.safetensors" in result.stdout
    assert "only A 0, only B 0, p = 1" in result.stdout
    assert "mean cycles of a puzzle, logarithmic" in result.stdout
    assert picture.read_text().startswith("<svg") and "accuracy" in picture.read_text()
    figures = json.loads(run("maze", *options, "--cycles", 1, "--json").stdout)
    (found,) = figures["results"]
    assert (figures["n"], found["cycles"], found["views"], found["mean_cycles"]) == (1, 1, 1, 1.0)


BAD = {
    "no file": (["--data", "absent.csv"], "no such file"),
    "ARC": (["--task", "arc", "--data", MAZES], "use trmsolve eval --task arc"),
    "no number": (["--data", MAZES, "--cycles", "4,x"], "--cycles 4,x: give whole numbers"),
    "zero": (["--data", MAZES, "--views", "0"], "from 1 to 10000"),
    "no curve": (["--data", MAZES, "--save", "c.svg"], "--save needs a curve"),
    "ending": (["--data", MAZES, "--views", "1,2", "--save", "c.pdf"], ".svg, .png, .html"),
}


@pytest.mark.parametrize(("arguments", "message"), BAD.values(), ids=BAD)
def test_bad_input_is_exit_code_2_and_reaches_no_network(
    arguments: list[object], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(solver, "load_solver", refuse)
    result = run("maze", "--task", "maze", *arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith("trmsolve: ") and message in result.stderr


def test_a_wrong_answer_in_a_later_row_is_told_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = list(csv.reader(MAZES.open(encoding="utf-8", newline="")))
    rows.append(rows[1].copy())
    column = rows[0].index("answer")
    rows[-1][column] = rows[-1][column].replace("o", " ")
    data = tmp_path / "mazes.csv"
    with data.open("w", encoding="utf-8", newline="") as stream:
        csv.writer(stream).writerows(rows)
    monkeypatch.setattr(solver, "load_solver", refuse)
    result = run("maze", "--task", "maze", "--data", data)
    assert (result.exit_code, result.stdout) == (2, "")
    assert result.stderr.startswith(f"trmsolve: {data}:5:")


def test_missing_weights_are_exit_code_3(tmp_path: Path) -> None:
    absent = tmp_path / "absent.safetensors"
    result = run("maze", absent, "--task", "maze", "--data", MAZES, "--limit", 1)
    assert result.exit_code == 3 and str(absent) in result.stderr


def test_the_same_weights_twice_are_refused() -> None:
    result = run("maze", "maze", "--task", "maze", "--data", MAZES, "--limit", 1)
    assert (result.exit_code, result.stdout) == (2, "")
    assert "is given twice" in result.stderr


def test_the_table_fits_80_columns() -> None:
    rates = {"n": 4000, "exact": 1.0, "exact_ci95": [0.8, 1.0]}
    rates |= {"verified": 1.0, "verified_ci95": [0.8, 1.0]}
    effort = {"weights": "a", "cycles": 1000, "views": 1000, "mean_cycles": 12345.6}
    result = {**effort, **rates, "seconds": 12345.6, "bands": {"128-511": rates}}
    grade = {"only_first": 1234, "only_second": 1234, "p": 1.234e-10}
    found = {"first": "a", "second": "a", "cycles": 1000, "views": 1000}
    difference = {**found, "exact": grade, "verified": grade}
    compared = {"n": 4000, "data": "f.csv", "device": "cpu", "dtype": "fp32"}
    compared |= {"results": [result], "differences": [difference]}
    lines = table(compared).splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[4].index("100.0%") == lines[5].index("100.0%")


def refuse(*_: object, **__: object) -> None:
    raise AssertionError("a network was loaded")
