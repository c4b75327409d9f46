"""Making Sudokus: one solution, the kind asked for, a rating, the same puzzles for a seed."""

import csv
import io
import os
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from itertools import islice
from pathlib import Path

import numpy as np
import pytest

from tests.support.events import saying_it_sets_an_event
from trmsolve.puzzles.registry import get_task
from trmsolve.puzzles.sudoku.generate import DIFFICULTIES, EXTREME, generate_sudokus, rate_sudoku
from trmsolve.puzzles.sudoku.search import Exhausted, count_solutions, solutions
from trmsolve.puzzles.values import Grid, Puzzle

SUDOKU = get_task("sudoku")
command = import_module("trmsolve.cli.generating")
ENVIRONMENT = {
    name: os.environ[name] for name in ("PATH", "HOME", "NUMBA_CACHE_DIR") if name in os.environ
}


@cache
def made(kind: str) -> list[Puzzle]:
    """A few of the kind."""
    return list(islice(generate_sudokus(kind, seed=11), 5 if kind == "extreme" else 12))


def grid(cells: str) -> Grid:
    return np.array([int(c) if c in "123456789" else 0 for c in cells], np.int8).reshape(9, 9)


def singles_suffice(puzzle: Grid) -> bool:
    """By the plain search, which knows singles and nothing else."""
    try:
        return len(list(solutions(puzzle, budget=0))) == 1
    except Exhausted:
        return False


def without_one(puzzle: Grid) -> list[Grid]:
    """The puzzles that have one clue less."""
    fewer = []
    for cell in np.flatnonzero(puzzle):
        fewer.append(puzzle.copy())
        fewer[-1].flat[cell] = 0
    return fewer


@pytest.mark.parametrize("kind", DIFFICULTIES)
def test_each_has_one_solution_its_answer_and_its_rating(kind: str) -> None:
    for puzzle in made(kind):
        assert (
            puzzle.grid.dtype == np.int8
            and puzzle.answer is not None
            and puzzle.answer.dtype == np.int8
        )
        assert SUDOKU.verify(puzzle, puzzle.answer).verified
        assert count_solutions(puzzle.grid) == 1
        assert puzzle.rating == rate_sudoku(puzzle.grid)


def test_each_kind_is_what_it_is_said_to_be() -> None:
    assert all(30 <= (p.grid > 0).sum() <= 36 and singles_suffice(p.grid) for p in made("easy"))
    assert all(singles_suffice(p.grid) for p in made("medium"))
    assert not any(
        singles_suffice(fewer) for p in made("medium")[:3] for fewer in without_one(p.grid)
    )
    assert not any(singles_suffice(p.grid) for p in made("hard") + made("extreme"))
    minimal = made("hard")[:2] + made("extreme")[:1]
    assert all(count_solutions(fewer) == 2 for p in minimal for fewer in without_one(p.grid))
    assert all(p.rating is not None and p.rating >= EXTREME for p in made("extreme"))
    assert all(p.rating == 0 for p in made("easy") + made("medium"))


def test_mixed_ones_have_from_20_to_36_clues_and_any_rating() -> None:
    puzzles = list(islice(generate_sudokus("mixed", seed=3), 1000))
    clues = np.array([(p.grid > 0).sum() for p in puzzles])
    assert clues.min() >= 20 and clues.max() == 36
    shares = np.bincount(clues, minlength=37)[29:] / len(
        puzzles
    )  # where digging seldom ends of itself: evenly drawn
    assert np.all(np.abs(shares - 1 / 17) < 0.03)
    ratings = np.array([p.rating for p in puzzles])
    assert 0.6 < (ratings == 0).mean() < 0.9 and ratings.max() >= 8


def test_full_grids_are_spread() -> None:
    answers = np.stack(
        [p.answer for p in islice(generate_sudokus("easy", seed=5), 900) if p.answer is not None]
    )
    assert len(set(SUDOKU.invariant(answers).tolist())) == 900
    shares = (answers[..., None] == np.arange(1, 10)).mean(axis=0)  # (9, 9, digits)
    assert np.all(np.abs(shares - 1 / 9) < 0.055)  # five standard deviations


@pytest.mark.parametrize("kind", DIFFICULTIES)
def test_the_seed_and_nothing_else_decides(kind: str) -> None:
    def cells(puzzles: list[Puzzle]) -> list[bytes]:
        return [p.grid.tobytes() for p in puzzles]

    again, other = (list(islice(generate_sudokus(kind, seed), 3)) for seed in (11, 12))
    assert cells(again) == cells(made(kind)[:3])
    assert not set(cells(other)) & set(cells(made(kind)))
    assert len(set(cells(made(kind)))) == len(made(kind))


def test_seeds_may_be_large_and_kinds_must_be_known() -> None:
    assert next(generate_sudokus("easy", 1 << 40)).grid.any()
    with pytest.raises(ValueError, match="difficulty must be one of"):
        next(generate_sudokus("trivial", 0))


@pytest.mark.parametrize(
    ("cells", "rating"),
    [
        ("53..7....6..195....98....6.8...6...34..8.3..17...2...6.6....28....419..5....8..79", 0),
        # The numbers an independent program found for these.
        ("...8..7..2.1.........7.41........9.681...94.7.2.......9...13....5.4.....78.6..3.1", 0),
        ("985......6..5...7.....3.9..5..8.....1....6.9...9.7...2..1.2..4......72.3......1..", 45),
        ("98.76.5..5....9.....7......4.5..68...9.4...3...6..89...2.........9..728.8...2...1", 61),
    ],
)
def test_ratings_of_known_puzzles(cells: str, rating: int) -> None:
    assert rate_sudoku(grid(cells)) == rating


def test_a_rating_does_not_depend_on_names_and_only_a_puzzle_with_one_solution_has_one() -> None:
    puzzle = made("extreme")[0]
    names = np.array([0, 9, 8, 7, 6, 5, 4, 3, 2, 1], np.int8)
    assert rate_sudoku(names[puzzle.grid]) == puzzle.rating
    impossible = grid(
        "532.7....6..195....98....6.8...6...34..8.3..17...2...6.6....28....419..5....8..79"
    )
    clash = grid("55".ljust(81, "."))
    for none in (np.zeros((9, 9), np.int8), impossible, clash, without_one(puzzle.grid)[0]):
        with pytest.raises(ValueError, match="exactly one solution"):
            rate_sudoku(none)


def trmsolve(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    call = [sys.executable, "-m", "trmsolve", *arguments]
    return subprocess.run(
        call, capture_output=True, text=True, env=ENVIRONMENT | environment, check=True
    )


def test_the_command_writes_what_is_read_back(tmp_path: Path) -> None:
    path = tmp_path / "extreme.csv"
    assert (
        trmsolve(
            "generate", "-n", "3", "--difficulty", "extreme", "--seed", "11", "--out", str(path)
        ).stdout
        == ""
    )
    rows = list(csv.DictReader(io.StringIO(path.read_text())))
    assert (
        list(rows[0]) == ["question", "answer", "source", "rating"]
        and rows[0]["source"] == "generated_extreme"
    )
    read = list(SUDOKU.read(io.BytesIO(path.read_bytes()), "extreme.csv"))
    assert len(read) == 3
    for puzzle, wrote in zip(read, made("extreme"), strict=False):
        assert (
            isinstance(puzzle, Puzzle)
            and puzzle.answer is not None
            and puzzle.rating == wrote.rating
        )
        assert np.array_equal(puzzle.grid, wrote.grid) and np.array_equal(
            puzzle.answer, wrote.answer
        )


def test_it_works_where_nothing_compiled_can_be_kept() -> None:
    code = (
        "import numpy as np\n"
        "from trmsolve.puzzles.sudoku import compiled\n"
        "state = np.zeros(31, np.int64)\n"
        "compiled.exclude(state, 40, 0)\n"
        "print(state.tolist(), compiled.exclude.stats.cache_path)\n"
    )
    unkept = ENVIRONMENT | {
        "NUMBA_CACHE_LOCATOR_CLASSES": "IPythonCacheLocator"
    }  # which finds no folder for a file
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=unkept
    )
    assert done.stdout.strip() == f"{[0] * 30 + [1]} None"


def test_a_word_is_said_if_the_first_puzzle_takes_long(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def slow() -> Iterator[Puzzle]:
        assert told.wait(120)
        yield from made("easy")

    told = saying_it_sets_an_event(command, monkeypatch)
    monkeypatch.setattr(command, "PATIENCE", 600)
    assert list(command._with_a_word(iter(made("easy")))) == made("easy")
    assert capsys.readouterr().err == ""
    monkeypatch.setattr(command, "PATIENCE", 0)
    assert list(command._with_a_word(slow())) == made("easy")
    assert capsys.readouterr() == ("", f"{command.MAKING}\n")
    monkeypatch.setattr("trmsolve.puzzles.compiling.is_compiling", lambda: True)
    told.clear()
    assert list(command._with_a_word(slow())) == made("easy")
    assert capsys.readouterr() == ("", f"{command.COMPILING}\n")


@pytest.mark.parametrize(
    "arguments", [["--help"], ["generate", "--help"], ["sudoku", "-", "--views", "1"]]
)
def test_what_makes_no_puzzles_does_not_import_the_compiler(arguments: list[str]) -> None:
    easy = "".join(str(digit) for digit in made("easy")[0].grid.flat)
    call = [sys.executable, "-X", "importtime", "-m", "trmsolve", *arguments]
    done = subprocess.run(call, input=easy, capture_output=True, text=True)
    assert "trmsolve.puzzles" in done.stderr or "--help" in arguments
    assert "numba" not in done.stderr and "llvmlite" not in done.stderr
