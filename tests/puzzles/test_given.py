"""Puzzles as Python programs hold them: text, paths, lists and arrays."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.support.paths import ROOT
from trmsolve.errors import PuzzleError
from trmsolve.puzzles.given import every_item, first_puzzle, items_of_text
from trmsolve.puzzles.registry import get_task
from trmsolve.puzzles.values import Puzzle

SUDOKU = get_task("sudoku")
MAZE = get_task("maze")
EASY = ROOT / "examples" / "sudoku" / "easy.txt"
LIST = ROOT / "examples" / "sudoku" / "list.sdm"
SMALL = ROOT / "examples" / "maze" / "small.txt"
(PUZZLE,) = SUDOKU.read(EASY.open("rb"), "easy")
assert isinstance(PUZZLE, Puzzle)
GRID = PUZZLE.grid
LINE = SUDOKU.line(GRID)
ROWS = [LINE[at : at + 9] for at in range(0, 81, 9)]

SUDOKUS = {
    "text": LINE,
    "text of a drawing": EASY.read_text(),
    "name": str(EASY),
    "path": EASY,
    "array": GRID,
    "array of floats": GRID.astype(float),
    "list of lists": GRID.tolist(),
    "tuple of arrays": tuple(GRID),
    "rows of text": ROWS,
    "rows of characters": [list(row) for row in ROWS],
    "array of characters": np.array([list(row) for row in ROWS]),
    "puzzle": PUZZLE,
}


@pytest.mark.parametrize("given", SUDOKUS.values(), ids=SUDOKUS.keys())
def test_a_sudoku_may_be_given_in_every_usual_form(given: Any) -> None:
    assert np.array_equal(first_puzzle(SUDOKU, given).grid, GRID)
    series: list[Any] = [given, None, given]
    first, nothing, last = every_item(SUDOKU, series)
    assert nothing is None
    for item in (first, last):
        assert isinstance(item, Puzzle) and np.array_equal(item.grid, GRID)


def test_a_maze_may_be_given_in_every_usual_form() -> None:
    text = SMALL.read_text()
    rows = text.splitlines()
    expected = first_puzzle(MAZE, text).grid
    width = max(len(row) for row in rows)
    characters = [list(row.ljust(width)) for row in rows]
    for given in (SMALL, str(SMALL), rows, characters, np.array(characters), expected):
        assert np.array_equal(first_puzzle(MAZE, given).grid, expected)
    solved = expected.copy()
    solved[expected == 1] = 4  # a path that is drawn already is floor
    assert np.array_equal(first_puzzle(MAZE, solved).grid, expected)


@pytest.mark.parametrize("shape", [(4, 7), (6, 6), (3, 30), (30, 3)])
def test_mazes_of_floor_alone_keep_their_shape(shape: tuple[int, int]) -> None:
    """Rows of floor are spaces in text, which a reader may take for the end of a maze."""
    cells = np.ones(shape, int)
    cells[0, 0], cells[-1, -1] = 2, 3
    cells[1, 1] = 0
    assert np.array_equal(first_puzzle(MAZE, cells).grid, cells)


WRONG = {
    "8 rows": (SUDOKU, GRID[:8], "8 x 9 cells; a Sudoku has 4 x 4, 6 x 6"),
    "a ten": (SUDOKU, np.full((9, 9), 10), "10 at row 1, column 1: cells are from 0 to 9"),
    "negative": (SUDOKU, np.full((9, 9), -1), "-1 at row 1, column 1"),
    "halves": (SUDOKU, np.full((9, 9), 0.5), "whole numbers or characters, not float64"),
    "flat": (SUDOKU, GRID.ravel(), "its shape cannot be"),
    "ragged": (SUDOKU, [[1, 2], [3]], "different lengths"),
    "empty": (SUDOKU, [], "whole numbers or characters|its shape cannot be"),
    "clash": (SUDOKU, np.full((9, 9), 5), "two 5s in row 1"),
    "objects": (SUDOKU, [[None] * 9] * 9, "whole numbers or characters"),
    "huge numbers": (SUDOKU, [[2**70] * 9] * 9, "whole numbers or characters"),
    "rows of another puzzle": (SUDOKU, ["###", "S G", "###"], "cells"),
    "no goal": (MAZE, [[0, 0, 0], [2, 1, 1], [0, 0, 0]], "0 cells are 3: a maze has one goal"),
    "two starts": (MAZE, [[0, 2, 0], [2, 1, 3], [0, 0, 0]], "2 cells are 2: a maze has one start"),
    "a five": (MAZE, [[0, 0, 0], [2, 5, 3], [0, 0, 0]], "5 at row 2, column 2"),
    "no file": (SUDOKU, Path("nowhere.txt"), "nowhere.txt: no such file"),
    "a folder": (SUDOKU, Path("/"), "this is a folder"),
    "no puzzle": (SUDOKU, "nowhere.txt", "no Sudoku follows"),
    "no text": (SUDOKU, "", "empty: no Sudoku"),
    "a NUL": (SUDOKU, "a\0b", "not text: a binary file"),
    "long": (SUDOKU, "a" * 100_000, "Sudoku"),
}


@pytest.mark.parametrize(("task", "given", "problem"), WRONG.values(), ids=WRONG.keys())
def test_what_is_wrong_is_said_and_passes_through_a_series(
    task: Any, given: Any, problem: str
) -> None:
    with pytest.raises(PuzzleError, match=problem):
        first_puzzle(task, given)
    error, *_, last = every_item(task, [given, given])
    assert isinstance(error, PuzzleError) and isinstance(last, PuzzleError)


def test_a_text_or_a_path_alone_stands_for_all_its_puzzles() -> None:
    for given in (LIST, str(LIST), LIST.read_text()):
        assert len(list(every_item(SUDOKU, given))) == 5
    mixed = [LIST, GRID, "no puzzle"]
    kinds = [type(item) for item in every_item(SUDOKU, mixed)]
    assert kinds == [Puzzle] * 6 + [PuzzleError]


def test_text_that_is_a_puzzle_is_no_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file cannot take the place of a puzzle by its name."""
    monkeypatch.chdir(tmp_path)
    Path(LINE).write_text(LIST.read_text())
    assert np.array_equal(first_puzzle(SUDOKU, LINE).grid, GRID)
    assert not np.array_equal(first_puzzle(SUDOKU, Path(LINE)).grid, GRID)


def test_text_alone_opens_no_file() -> None:
    (item,) = items_of_text(SUDOKU, str(EASY))
    assert isinstance(item, PuzzleError)
    assert isinstance(next(every_item(SUDOKU, str(EASY))), Puzzle)


def test_answers_are_read_right_or_wrong() -> None:
    full = "534678912672195348198342567859761423426853791713924856961537284287419635345286179"
    wrong = "5" * 81
    for text in (full, wrong):
        drawn = "\n".join(f"| {text[at : at + 9]} |" for at in range(0, 81, 9))
        for given in (text, drawn):
            assert SUDOKU.line(SUDOKU.read_answer(given, PUZZLE)) == text
    with pytest.raises(PuzzleError, match="answer: the answer has 3 cells, the puzzle 9 x 9"):
        SUDOKU.read_answer("123", PUZZLE)


def test_answers_to_mazes_are_read_right_or_wrong() -> None:
    puzzle = first_puzzle(MAZE, ["#####", "#S G#", "#   #", "#####"])
    for text in ("#####\n#SoG#\n#   #\n#####", "#####/#SoG#/#   #/#####\n"):
        assert MAZE.line(MAZE.read_answer(text, puzzle)) == "#####/#SoG#/#   #/#####"
    assert MAZE.read_answer("#\n#\n#\n#", puzzle).tolist()[3] == [0, 1, 1, 1, 1]
    with pytest.raises(PuzzleError, match="answer: the answer has 1 x 3 cells, the maze 4 x 5"):
        MAZE.read_answer("SoG", puzzle)
    with pytest.raises(PuzzleError, match="answer:2:3: wrong character 'x'"):
        MAZE.read_answer("#####\n#SxG#\n#   #\n#####", puzzle)
    square = first_puzzle(MAZE, ["S G", "# #", "###"])
    assert MAZE.line(MAZE.read_answer("SoG# ####", square)) == "SoG# ####"
