"""Files that hold much and no puzzle are given up soon, in a line that names them."""

import gzip
import io
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import BinaryIO

import pytest

from trmsolve.errors import PuzzleError
from trmsolve.puzzles.maze.text import read_mazes
from trmsolve.puzzles.reading.lines import GIVE_UP, LEAST_LINE
from trmsolve.puzzles.reading.plain import read_plain
from trmsolve.puzzles.sudoku.text import read_sudokus
from trmsolve.puzzles.values import Puzzle

LINES = GIVE_UP // LEAST_LINE
"""Lines without a puzzle that are read."""

Item = Puzzle | PuzzleError
Reader = Callable[[BinaryIO, str], Iterator[Item]]


def parse(text: str) -> Puzzle:
    raise ValueError(f"{text} is no puzzle")


READERS: dict[str, Reader] = {
    "Sudoku": read_sudokus,
    "maze": read_mazes,
    "puzzle": partial(read_plain, parse=parse),
}


@pytest.mark.parametrize("noun", READERS)
@pytest.mark.parametrize("unit", [b"\n", b"\r\n", b" \n"], ids=["lines", "CRLF", "blanks"])
def test_packed_empty_lines_are_refused_by_name_in_a_moment(noun: str, unit: bytes) -> None:
    """A file of a few kilobytes may hold millions of them."""
    stream = io.BytesIO(gzip.compress(unit * 2 * LINES))
    start = time.process_time()
    items = list(READERS[noun](stream, "many.txt.gz"))
    seconds = time.process_time() - start
    assert all(isinstance(item, PuzzleError) for item in items)
    assert all(str(item).startswith("many.txt.gz:") for item in items)
    assert str(items[-1]).endswith(
        f"no {noun} in this line and many lines before it; reading stopped"
    )
    assert len(items) <= 2
    assert seconds < 6  # about one on an idle core


@pytest.mark.parametrize("noun", READERS)
def test_a_puzzle_after_many_empty_lines_is_read(noun: str) -> None:
    text = {"Sudoku": "1" + 80 * ".", "maze": "#####\n#S G#\n#####", "puzzle": "abc"}[noun]
    gap = b"\n" * (LINES * 3 // 4)
    stream = io.BytesIO((gap + text.encode()) * 2 + b"\n")
    items = list(READERS[noun](stream, "f"))
    assert len(items) == 2
    assert "reading stopped" not in " ".join(str(item) for item in items)
    assert noun == "puzzle" or all(isinstance(item, Puzzle) for item in items)
