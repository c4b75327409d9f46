"""``trmsolve train`` on a small network and a few puzzles."""

import csv
import signal
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from trmsolve.cli import app
from trmsolve.errors import PuzzleError
from trmsolve.puzzles.registry import get_task

EASY = "53..7....6..195....98....6.8...6...34..8.3..17...2...6.6....28....419..5....8..79"
# The paper's recipe, since nobody will change it; made small.
SMALL: dict[str, Any] = {
    "hidden_size": 16,
    "inner_multiple": 16,
    "puzzle_emb_dim": 16,
    "prefix_len": 1,
    "recursions": 2,
    "latent_steps": 1,
    "max_cycles": 3,
    "exploration": 0.5,
    "optimizer": "muon",
}


def set_options(changes: dict[str, Any]) -> list[str]:
    """The ``--set`` options that change these fields of a recipe."""
    words = []
    for name, value in changes.items():
        words += ["--set", f"{name}={value}"]
    return words


TINY = ["--recipe", "paper", "--batch-size", "6", "--held-out", "2", *set_options(SMALL)]
WHERE = ["--device", "cpu", "--dtype", "fp32", "--threads", "1"]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("data") / "easy.csv"
    with path.open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["question", "answer", "rating"])
        for puzzle in islice(get_task("sudoku").generate("easy", 5), 12):
            assert not isinstance(puzzle, PuzzleError) and puzzle.answer is not None
            rows.writerow(
                ["".join(map(str, grid.flatten())) for grid in (puzzle.grid, puzzle.answer)] + ["0"]
            )
    return path


def train(*arguments: object) -> Result:
    return CliRunner().invoke(app, ["train", *map(str, arguments)])


def fresh(data: Path, out: Path, *more: object) -> Result:
    return train("--data", data, "--out", out, *TINY, *WHERE, *more)


def heed_interrupts() -> None:
    """A shell has what it starts in the background ignore them, and children inherit that."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def files(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
