"""Imports and solving open no connection, and no command writes but where it should."""

import os
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.support.program import ENV
from tests.support.paths import ROOT
from tests.support.training import TINY, WHERE

Measured = Callable[[int, str], None]
WATCHED = Path(__file__).with_name("support") / "watched.py"
EXAMPLES = ROOT / "examples"
ONE = ["--workers", "1"]
COMMANDS: dict[str, list[object]] = {
    "version": ["--version"],
    "help": ["--help"],
    "sudoku": ["sudoku", EXAMPLES / "sudoku" / "easy.txt", *ONE],
    "sudoku torch": ["sudoku", EXAMPLES / "sudoku" / "easy.txt", "--backend", "torch", *ONE],
    "maze": ["maze", EXAMPLES / "maze" / "small.txt", *ONE],
    "arc": ["arc", EXAMPLES / "arc" / "fill.json", "--steps", "1", "--weights", "arc"],
    "generate": ["generate", "--task", "maze", "-n", "3", "--out", "OUT/made.csv"],
    "eval": ["eval", "--data", "DATA", "--views", "1", *ONE],
    "train": ["train", "--data", "DATA", "--out", "OUT/run", "--steps", "2", *TINY, *WHERE],
    "weights list": ["weights", "list"],
    "weights info": ["weights", "info", "maze"],
    "weights verify": ["weights", "verify", "maze", "--puzzles", "1"],
}


@pytest.mark.promise(
    "No command opens a connection, or writes a file outside of --out, the caches and the folder "
    "for temporary files"
)
@pytest.mark.parametrize("command", COMMANDS)
def test_commands(command: str, data: Path, tmp_path: Path, measured: Measured) -> None:
    out, notes = tmp_path / "out", tmp_path / "notes"
    out.mkdir()
    home = tmp_path / "home"
    home.mkdir()
    texts = {"DATA": str(data), "OUT": str(out)}
    arguments = []
    for argument in map(str, COMMANDS[command]):
        for name, text in texts.items():
            argument = argument.replace(name, text)
        arguments.append(argument)
    usual = {name: text for name, text in ENV.items() if name != "HF_HUB_OFFLINE"}
    done = subprocess.run(
        [sys.executable, WATCHED, notes, *arguments],
        env={
            **usual,
            "HOME": str(home),
            "TMPDIR": str(tmp_path / "temp"),
            "CUDA_VISIBLE_DEVICES": "",
        },
        cwd=make(tmp_path / "work"),
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    noted = notes.read_text().splitlines()
    assert not [line for line in noted if line.startswith("network")]
    written = {Path(line.removeprefix("write ")) for line in noted if line.startswith("write ")}
    assert not {path for path in written if not is_allowed(path, out, home)}
    assert not list((tmp_path / "work").iterdir())
    measured(1, "")


def make(folder: Path) -> Path:
    folder.mkdir()
    return folder


def is_allowed(path: Path, out: Path, home: Path) -> bool:
    """Whether a command may write here."""
    caches = [home / ".cache", Path(os.environ.get("NUMBA_CACHE_DIR", out)), Path("/dev")]
    compiled = "__pycache__" in path.parts
    temporary = path.is_relative_to(tempfile.gettempdir()) and not path.is_relative_to(out.parent)
    inside = any(path.is_relative_to(folder) for folder in [out, out.parent / "temp", *caches])
    return inside or compiled or temporary


SILENT = """
import socket

def refuse(*arguments, **named):
    raise AssertionError("a socket was asked for")

socket.socket.__init__ = refuse
for name in ("create_connection", "getaddrinfo", "gethostbyname"):
    setattr(socket, name, refuse)


import trmsolve
import trmsolve.puzzles.sudoku.task, trmsolve.cli.solving, trmsolve.cli.training
import trmsolve.cli.arc.answering, trmsolve.cli.weights.hub, trmsolve.hub.transfer

solver = trmsolve.load("sudoku", backend="torch")
print(solver.solve({question!r}).verified)
"""


@pytest.mark.promise("With sockets taken away, everything imports and solving works")
def test_without_sockets(measured: Measured) -> None:
    from tests.faults.support.readers import QUESTION

    script = SILENT.format(question=QUESTION)
    done = subprocess.run(
        [sys.executable, "-c", script], env=ENV, capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stdout) == (0, "True\n"), done.stderr
    measured(1, "")
