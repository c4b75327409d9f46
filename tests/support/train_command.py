"""``trmsolve train`` with a tiny recipe, in this process or in one of its own."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from typer.testing import CliRunner, Result

from trmsolve.cli import app
from trmsolve.train.journal import read_journal

EASY = "53..7....6..195....98....6.8...6...34..8.3..17...2...6.6....28....419..5....8..79"

# The recipe of the paper, since it will not change, made small.
TINY = [
    "--recipe",
    "paper",
    "--batch-size",
    "6",
    "--set",
    "hidden_size=16",
    "--set",
    "inner_multiple=16",
    "--set",
    "puzzle_emb_dim=16",
    "--set",
    "prefix_len=1",
    "--set",
    "recursions=2",
    "--set",
    "latent_steps=1",
    "--set",
    "max_cycles=3",
    "--set",
    "exploration=0.5",
    "--set",
    "optimizer=muon",
    "--held-out",
    "2",
]

WHERE = ["--device", "cpu", "--dtype", "fp32", "--threads", "1"]

OFTEN = ["--save-minutes", "0"]

ENV = {**os.environ, "OMP_NUM_THREADS": "1", "TERM": "xterm"}


def train(*arguments: object) -> Result:
    """Run the command in this process."""
    return CliRunner().invoke(app, ["train", *map(str, arguments)])


def fresh(data: Path, out: Path, *more: object) -> Result:
    """Begin a tiny run in this process."""
    return train("--data", data, "--out", out, *TINY, *WHERE, *more)


def started(*arguments: object, stderr: int = subprocess.PIPE) -> subprocess.Popen[str]:
    """Start the command in a process of its own."""
    command = [sys.executable, "-m", "trmsolve", "train", *map(str, arguments)]
    return subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=stderr,
        text=True,
        env=ENV,
    )


def wait_for(condition: Callable[[], bool]) -> None:
    """Wait until the condition holds, such as a line in a file of another process."""
    end = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < end, "it never happened"
        time.sleep(0.01)


def wait_for_step(out: Path, step: int) -> None:
    """Wait until a run in another process has written this step to its journal."""
    wait_for(lambda: any(line.step >= step for line in read_journal(out)))


def files(folder: Path) -> dict[Path, bytes]:
    """The contents of all files below the folder."""
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
