"""Text from strangers in a real terminal: none of it is obeyed.

It stands in titles and comments, and in names of files, tensors and cache folders.
"""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import ClassVar

import pytest
import torch

from tests.support.paths import ROOT
from tests.support.terminal import RunningIn
from trmsolve.weights.file import bundled_weights

ATTACK = "\x1b]0;owned\x07\x1b[2J\x9b31m\u202e"
NO_TEXT = os.fsdecode(b"n\xff\xc2\x9b31m\x9b.txt")
"""A name that is not UTF-8."""

OWN = re.compile(r"\x1b\[(\?25[lh]|[0-9;]*m|1A|2K)")
"""The control sequences that Rich writes: cursor, style, one line up, erase a line."""

ROWS = [
    "53..7....",
    "6..195...",
    ".98....6.",
    "8...6...3",
    "4..8.3..1",
    "7...2...6",
    ".6....28.",
    "...419..5",
    "....8..79",
]
MAZE = "#########\n#S#     #\n# # ### #\n#   #  G#\n#########\n"
ARC = (
    '{"train": [{"input": [[1]], "output": [[2]]}], "test": [{"input": [["'
    + "\\u001b]0;owned\\u0007"
    + '"]]}]}'
)


class Trmsolve(RunningIn):
    module: ClassVar[str] = "trmsolve"
    env: ClassVar[dict[str, str]] = {
        **os.environ,
        "HF_HUB_OFFLINE": "1",
        "OMP_NUM_THREADS": "1",
        "TERM": "xterm",
    }


def controls(shown: str) -> set[str]:
    """The control and direction characters that are not of Rich's own sequences."""
    rest = OWN.sub("", shown)
    return set(
        re.findall(
            "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]", rest
        )
    )


def show(*arguments: object, **environment: str) -> str:
    """All that the command writes to its terminal."""
    terminal = Trmsolve(100, 30, *arguments, **environment)
    terminal.process.wait(timeout=terminal.patience)
    return terminal.rest()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Files whose names and contents attack a terminal."""
    folder = tmp_path_factory.mktemp("hostile")
    grid = "\n".join(ROWS) + "\n"
    (folder / "comment.txt").write_text(f"# a comment {ATTACK}\n{grid}")
    (folder / "maze.txt").write_text(f"maze {ATTACK} title\n{MAZE}")
    (folder / f"name{ATTACK}.txt").write_text(grid.replace("5", "$", 1))
    (folder / "task.json").write_text(ARC)
    torch.save({f"x{ATTACK}": torch.ones(2, dtype=torch.int64)}, folder / "names.pt")
    networks = {f"{name}{ATTACK}": {"weight": torch.ones(2)} for name in ("one", "two")}
    torch.save(networks, folder / "parts.pt")
    shutil.copy(bundled_weights("maze"), folder / f"w{ATTACK}.safetensors")
    (folder / NO_TEXT).write_text(grid.replace("5", "$", 1))
    run = folder / f"run{ATTACK}"
    (run / "step-00000001").mkdir(parents=True)
    (run / "step-00000001" / "state.json").write_text(json.dumps({"format": ATTACK}))
    shutil.copy(bundled_weights("maze"), run / "maze.safetensors")
    (run / f"eval.{ATTACK}.json").write_text(json.dumps({ATTACK: ATTACK}))
    snapshot = folder / "cache" / f"models--user--re{ATTACK}po" / "snapshots" / ("a" * 40)
    snapshot.mkdir(parents=True)
    shutil.copy(bundled_weights("maze"), snapshot / "model.safetensors")
    return folder


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["sudoku", "comment.txt", "--quiet"], "a comment"),
        (["maze", "maze.txt", "--quiet"], "title"),
        (["maze", "maze.txt", "--show-steps"], "solved"),
        (["sudoku", f"name{ATTACK}.txt", "--views", "1"], "owned"),
        (["sudoku", f"absent{ATTACK}.txt"], "no such file"),
        (["eval", "--data", f"name{ATTACK}.txt"], "owned"),
        (["train", "--data", f"name{ATTACK}.txt", "--steps", "1"], "owned"),
        (["arc", "task.json"], "owned"),
        (["weights", "convert", "names.pt"], "owned"),
        (["weights", "convert", "parts.pt", "--task", "sudoku"], "owned"),
        (["weights", "info", f"w{ATTACK}.safetensors"], "owned"),
        (["weights", "verify", f"w{ATTACK}.safetensors", "--puzzles", "1"], "owned"),
        (["weights", "list"], "owned"),
        (["weights", "push", f"run{ATTACK}", "hf://user/repo", "--dry-run"], "README.md"),
        (["weights", "pull", f"hf://user/{ATTACK}"], "owned"),
        (["train", "--resume", f"run{ATTACK}"], "owned"),
        (["sudoku", NO_TEXT, "--views", "1"], "udcff"),
        (["maze", "maze.txt", "--views", f"{ATTACK}"], "--views"),
        (["maze", f"--{ATTACK}"], "owned"),
        (["generate", "--out", f"absent{ATTACK}/file.csv"], "owned"),
    ],
    ids=lambda value: " ".join(value).replace(ATTACK, "!") if isinstance(value, list) else "",
)
def test_nothing_of_a_stranger_s_text_is_obeyed(
    arguments: list[str], expected: str, folder: Path
) -> None:
    paths = [str(folder / name) if (folder / name).exists() else name for name in arguments]
    shown = show(*paths, HF_HUB_CACHE=str(folder / "cache"))
    assert expected in shown
    assert not controls(shown)
    assert "Traceback" not in shown


UNEXPECTED = """
import sys, threading, warnings
import trmsolve.cli
from trmsolve.__main__ import main

ATTACK = sys.argv[1]

def fail():
    raise ValueError("in a thread " + ATTACK)

def app(**_):
    warnings.warn("a warning " + ATTACK)
    thread = threading.Thread(target=fail)
    thread.start()
    thread.join()
    raise ValueError("an error " + ATTACK)

trmsolve.cli.app = app
main()
"""


def test_tracebacks_and_warnings_are_escaped_too() -> None:
    """An error that nobody expected, or a warning of a library, may quote a file."""
    done = subprocess.run(
        [sys.executable, "-c", UNEXPECTED, ATTACK],
        capture_output=True,
        text=True,
        encoding="utf-8",
        env={**Trmsolve.env, "PYTHONPATH": str(ROOT), "PYTHONIOENCODING": "utf-8"},
        check=False,
    )
    assert done.returncode == 1
    for said in ("a warning", "in a thread", "an error"):
        assert f"{said} \\x1b]0;owned" in done.stderr
    assert done.stderr.count("Traceback") == 2
    assert not controls(done.stderr)
