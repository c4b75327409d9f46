"""Reads what somebody gives as the answer to a maze, right or wrong.

Knows characters and the size of the maze. Whether the answer is right is judged by ``rules``.
"""

import math

import numpy as np

from trmsolve.errors import PuzzleError
from trmsolve.puzzles.maze.cells import SYMBOLS
from trmsolve.puzzles.maze.form import MazeForm
from trmsolve.puzzles.values import Grid, Puzzle

SOURCE = "answer"


def read_answer(text: str, puzzle: Puzzle) -> Grid:
    """The cells of an answer: rows, rows joined by ``/``, or one line of n x n cells.

    Spaces at the end of a row may be missing. Raises PuzzleError if the size is not that of the
    puzzle, or a character means nothing.
    """
    size = puzzle.grid.shape
    rows = _rows(text)
    longest = max(len(row) for row in rows)
    if len(rows) != size[0] or longest > size[1]:
        raise PuzzleError(
            f"the answer has {len(rows)} x {longest} cells, the maze {size[0]} x {size[1]}", SOURCE
        )
    contents = _contents(puzzle)
    cells = []
    for number, row in enumerate(rows, 1):
        for column, character in enumerate(row.ljust(size[1]), 1):
            if character not in contents:
                raise PuzzleError(
                    f"wrong character {character!r}; the cells of an answer are '{SYMBOLS}'",
                    SOURCE,
                    number,
                    column,
                )
            cells.append(contents[character])
    return np.array(cells, np.int8).reshape(size)


def _rows(text: str) -> list[str]:
    """The rows of the text; those of a square on one line have its side."""
    rows = text.strip("\r\n").replace("/", "\n").splitlines() or [""]
    side = math.isqrt(len(rows[0]))
    if len(rows) > 1 or side * side != len(rows[0]) or not side:
        return rows
    line = rows[0]
    return [line[at : at + side] for at in range(0, len(line), side)]


def _contents(puzzle: Puzzle) -> dict[str, int]:
    """The contents of the cells by their characters: the usual ones, and those of the maze."""
    contents = {character: content for content, character in enumerate(SYMBOLS)}
    if isinstance(puzzle.form, MazeForm):
        contents |= {mark: content for content, mark in enumerate(puzzle.form.marks)}
    return contents
