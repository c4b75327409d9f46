"""``trmsolve plot``: curves of runs, from their metrics logs."""

import json
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from trmsolve.cli import app
from trmsolve.train.schedule import Progress


def run(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["plot", *map(str, arguments)])


def make_run(folder: Path, lines: int = 6) -> Path:
    """The folder of a run whose loss falls and whose rate rises."""
    folder.mkdir()
    text = ""
    for number in range(1, lines + 1):
        progress = Progress(
            step=100 * number,
            seconds=60.0 * number,
            done=number / lines,
            loss=2 / number,
            token_accuracy=0.5,
            mean_cycles=4.0 if number > 1 else 0.0,
            solved=0.5,
            lr=0.01 / number,
            examples_per_second=1.0,
            puzzles_per_second=1.0,
            held_out_exact=number / lines if number % 2 else None,
        )
        text += json.dumps(asdict(progress)) + "\n"
    (folder / "metrics.jsonl").write_text(text)
    return folder


def test_two_runs_in_one_picture(tmp_path: Path) -> None:
    one, two = make_run(tmp_path / "one"), make_run(tmp_path / "two", 3)
    result = run(one, two / "metrics.jsonl")
    assert (result.exit_code, result.stderr) == (0, "")
    for text in (str(one), str(two), "held-out exact", "loss", "mean cycles", "learning rate"):
        assert text in result.stdout
    assert "1.0 min" in result.stdout and "6.0 min" in result.stdout
    assert "o" in result.stdout and "+" in result.stdout.split("loss")[1]
    steps = run(one, "--by", "steps").stdout
    assert "600" in steps.splitlines()[-2] and "min" not in steps.splitlines()[-2]


@pytest.mark.parametrize(
    ("ending", "begins"), [(".svg", b"<svg"), (".png", b"\x89PNG"), (".html", b"<!doctype")]
)
def test_pictures(ending: str, begins: bytes, tmp_path: Path) -> None:
    if ending == ".png":
        pytest.importorskip("PIL")
    path = tmp_path / f"curves{ending}"
    result = run(make_run(tmp_path / "one"), "--save", path)
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "")
    assert path.read_bytes().startswith(begins)


def test_damaged_lines_are_named_and_left_out(tmp_path: Path) -> None:
    one = make_run(tmp_path / "one")
    whole = run(one).stdout
    log = one / "metrics.jsonl"
    lines = log.read_text().splitlines()
    log.write_text("\n".join([lines[0], "x" * 70_000, '{"step": 1}', *lines[1:], lines[0][:9]]))
    result = run(one)
    assert (result.exit_code, result.stdout) == (0, whole)
    assert [line.split(": this")[0] for line in result.stderr.splitlines()] == [
        f"{log}:2",
        f"{log}:3",
        f"{log}:9",
    ]


def test_bad_input_is_exit_code_2(tmp_path: Path) -> None:
    one = make_run(tmp_path / "one")
    empty = tmp_path / "empty.jsonl"
    empty.write_text("{}\n")
    for arguments, message in (
        ([tmp_path / "absent"], "cannot be read: No such file"),
        ([tmp_path], "cannot be read: No such file"),
        ([empty], "has no line of a metrics log"),
        ([one, one], "is given twice"),
        ([one, "--save", tmp_path / "c.pdf"], ".svg, .png, .html"),
        ([one, "--save", one / "metrics.jsonl"], "must end in one of"),
    ):
        result = run(*arguments)
        assert (result.exit_code, result.stdout) == (2, ""), arguments
        assert message in result.stderr and result.stderr.count("\n") == 1


WITHOUT_TORCH = """
import sys
from trmsolve.cli import app
try:
    app(prog_name="trmsolve", args=["plot", *sys.argv[1:]])
finally:
    assert "torch" not in sys.modules
"""


def test_it_imports_no_torch(tmp_path: Path) -> None:
    given = [sys.executable, "-c", WITHOUT_TORCH, str(make_run(tmp_path / "one"))]
    done = subprocess.run(given, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
