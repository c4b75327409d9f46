"""Defaults from the environment and from trmsolve.toml, the file for answers, and colours."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from tests.support.paths import ROOT
from trmsolve.cli import app

CLASH = "55" + "." * 79
MAZE = "#####\n#S G#\n#####\n"


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Settings are looked for in the current folder and in the user's."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.delenv("FORCE_COLOR", raising=False)


def run(*words: str, text: str | None = None) -> Result:
    return CliRunner().invoke(app, list(words), input=text)


def test_an_option_counts_more_than_the_environment_and_that_more_than_the_file(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    Path("trmsolve.toml").write_text('[train]\nrecipe = "fast"\n[train.x]\n')
    assert "has no setting x" in run("train", "--print-recipe").stderr
    Path("trmsolve.toml").write_text('[train]\nrecipe = "none"\nprint-recipe = true\n')
    assert "--recipe none is not known" in run("train").stderr
    monkeypatch.setenv("TRMSOLVE_TRAIN_RECIPE", "other")
    assert "--recipe other is not known" in run("train").stderr
    assert json.loads(run("train", "--recipe", "paper").stdout)


def test_the_user_s_own_settings_are_read_where_the_folder_has_none() -> None:
    home = Path("config/trmsolve")
    home.mkdir(parents=True)
    (home / "trmsolve.toml").write_text('[sudoku]\nformat = "json"\n')
    assert "error" in json.loads(run("sudoku", "-", text=CLASH).stdout)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[sudoko]\n", "trmsolve has no setting sudoko; did you mean sudoku?"),
        ("[sudoku]\nveiws = 2\n", "trmsolve sudoku has no setting veiws; did you mean views?"),
        ("[sudoku\n", "trmsolve.toml cannot be read: "),
        ('[sudoku]\nviews = "many"\n', "--views: "),
    ],
)
def test_wrong_settings_are_told(text: str, said: str) -> None:
    Path("trmsolve.toml").write_text(text)
    done = run("sudoku", "-", text=CLASH)
    assert done.exit_code == 2
    assert said in done.stderr


def test_out_is_replaced_as_a_whole() -> None:
    out = Path("answers.jsonl")
    words = ("sudoku", "-", "--json", "--out", str(out))
    done = run(*words, text=CLASH)
    assert (done.exit_code, done.stdout) == (2, "")
    before = out.read_text()
    assert "error" in json.loads(before)
    done = run(*words, "--weights", "absent", text="." * 81)
    assert done.exit_code == 3
    assert out.read_text() == before
    assert run("sudoku", "-", "--out", ".", text=CLASH).exit_code == 2
    assert [path.name for path in Path().iterdir()] == ["answers.jsonl"]


def test_colours_are_written_as_asked() -> None:
    told = {}
    for when in ("always", "never"):
        done = run("--color", when, "sudoku", "-", text=CLASH)
        told[when] = done.stderr
    assert "\x1b[" in told["always"] and "\x1b[" not in told["never"]
    assert run("--color", "sometimes", "sudoku", "-").exit_code == 2


@pytest.mark.parametrize(
    ("command", "file", "said"),
    [
        ("sudoku", "examples/arc/mirror.json", "this is an ARC task: use trmsolve arc "),
        ("maze", "examples/sudoku/framed.ss", "this holds Sudokus: use trmsolve sudoku "),
        ("arc", "examples/maze/several.txt", "this holds mazes: use trmsolve maze "),
    ],
)
def test_the_wrong_kind_of_file_gets_one_line(command: str, file: str, said: str) -> None:
    path = ROOT / file
    done = run(command, str(path))
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr.splitlines() == [f"{path}: {said}{path}"]


def test_five_errors_of_a_file_are_shown_and_the_others_counted() -> None:
    Path("odd.txt").write_text(f"{CLASH}\n" * 8)
    done = run("sudoku", "odd.txt")
    lines = done.stderr.splitlines()
    assert done.exit_code == 2
    assert lines[5] == "odd.txt: 3 more errors"
    assert sum("two 5s" in line for line in lines) == 5


def test_version_has_what_a_bug_report_needs() -> None:
    facts = json.loads(run("version", "--json").stdout)
    keys = ("trmsolve", "python", "torch", "device", "dtype", "threads", "features", "weights")
    assert set(keys) <= set(facts)
    assert all(len(digest) == 64 for digest in facts["weights"].values())
    assert facts["torch"] in run("version").stdout
