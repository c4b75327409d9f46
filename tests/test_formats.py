"""The examples of docs/formats.md are read as what they show."""

import io
import json
import re

import numpy as np
import pytest

from tests.support.paths import ROOT
from trmsolve.arc.read import read_tasks
from trmsolve.arc.task import ArcTask
from trmsolve.errors import PuzzleError
from trmsolve.puzzles.maze.rules import distance
from trmsolve.puzzles.maze.text import read_mazes
from trmsolve.puzzles.sudoku.text import read_sudokus
from trmsolve.puzzles.values import Puzzle

EASY = "530070000600195000098000060800060003400803001700020006060000280000419005000080079"
DOCUMENT = (ROOT / "docs" / "formats.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(sudoku|sized|maze|arc)(.*)\n((?:.*\n)*?)```$", DOCUMENT, re.M)

KINDS = ("sudoku", "sized", "maze", "arc")


def blocks(kind: str) -> list[tuple[str, str]]:
    """The caption of each example of a kind, and the example."""
    return [(said.strip(), text) for name, said, text in BLOCKS if name == kind]


def stream(text: str) -> io.BytesIO:
    return io.BytesIO(text.encode())


@pytest.mark.parametrize("text", [text for _, text in blocks("sudoku")])
def test_sudokus(text: str) -> None:
    (puzzle,) = read_sudokus(stream(text), "f")
    assert isinstance(puzzle, Puzzle), str(puzzle)
    assert "".join(map(str, puzzle.grid.ravel().tolist())) == EASY


@pytest.mark.parametrize(("said", "text"), blocks("maze"))
def test_mazes(said: str, text: str) -> None:
    (puzzle,) = read_mazes(stream(text), "f")
    assert isinstance(puzzle, Puzzle), str(puzzle)
    rows, columns = puzzle.grid.shape
    assert f"{rows}x{columns} {distance(puzzle.grid)}" == said


@pytest.mark.parametrize("text", [text for _, text in blocks("arc")])
def test_arc_tasks(text: str) -> None:
    (task,) = read_tasks(stream(text), "f.json")
    assert isinstance(task, ArcTask), str(task)
    for pair in task.demonstrations:
        assert pair.output is not None
        assert np.array_equal(pair.output, np.fliplr(pair.input))
    assert task.tests[-1].input.shape == (1, 2)


def test_every_form_has_an_example() -> None:
    assert [len(blocks(kind)) for kind in KINDS] == [16, 6, 11, 3]


@pytest.mark.parametrize(("said", "text"), blocks("sized"))
def test_sudokus_of_other_sizes(said: str, text: str) -> None:
    (puzzle,) = read_sudokus(stream(text), "f")
    assert isinstance(puzzle, Puzzle), str(puzzle)
    size = " x ".join(map(str, puzzle.grid.shape))
    clues = int((puzzle.grid > 0).sum())
    assert f"{size}, {clues} clues" == said


def test_a_sudoku_without_a_board_is_named() -> None:
    (error,) = read_sudokus(stream("." * 625 + "\n"), "f")
    assert isinstance(error, PuzzleError)
    assert error.problem == "a Sudoku of 25 x 25; sizes are 4, 6, 8, 9, 10, 12 and 16"


@pytest.mark.parametrize(
    ("data", "problem"),
    [
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\n", "a Git LFS pointer"),
        (b"<!DOCTYPE html><html><body>404</body></html>", "a web page (HTML)"),
        (b"{\\rtf1\\ansi 53..7....}", "a document in RTF"),
    ],
)
def test_other_documents_are_named_by_every_reader(data: bytes, problem: str) -> None:
    for read in (read_sudokus, read_mazes, read_tasks):
        (error,) = read(io.BytesIO(data), "f")
        assert isinstance(error, PuzzleError) and error.problem.startswith(problem)


@pytest.mark.parametrize("number", [3, 500])
def test_a_long_line_of_json_is_read(number: int) -> None:
    """A list on one line, and values of a line each that are longer than a puzzle's line may be."""
    listed = json.dumps([{"puzzle": EASY, "note": "x" * 200}] * number)
    lines = "\n".join([json.dumps({"note": "x" * 70_000, "puzzle": EASY})] * number)
    for text in (listed, lines):
        found = list(read_sudokus(stream(text), "f"))
        assert len(found) == number
        for puzzle in found:
            assert isinstance(puzzle, Puzzle), str(puzzle)
            assert "".join(map(str, puzzle.grid.ravel().tolist())) == EASY
    rows = ["#######", "#S    #", "# ### #", "#   #G#", "#######"]
    assert len(list(read_mazes(stream(json.dumps({"mazes": [rows] * number})), "f"))) == number


def test_a_list_that_is_too_long_is_told() -> None:
    for read in (read_sudokus, read_mazes):
        first = next(iter(read(stream("[" + "1," * (1 << 21)), "f")))
        assert isinstance(first, PuzzleError)
        assert first.problem.startswith(f"a line longer than {1 << 22} characters; ")


@pytest.mark.parametrize(
    ("digits", "problem"),
    [
        ("1.11111E+48", "question: a spreadsheet has rounded the puzzle to '1.11111E+48'; export"),
        ("11111" * 7, "question: one row of 35 characters; on one line a maze is n x n cells, or"),
    ],
)
def test_mazes_that_a_spreadsheet_has_spoilt_are_named(digits: str, problem: str) -> None:
    (error,) = read_mazes(stream(f"question,rating\n{digits},6\n"), "f")
    assert isinstance(error, PuzzleError)
    assert error.problem.startswith(problem)
    assert "spreadsheet" in error.problem and error.problem.endswith(" column as text")
