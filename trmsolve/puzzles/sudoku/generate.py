"""Makes Sudokus with exactly one solution, each with its rating; what is drawn comes from the seed alone.

easy     30 to 36 clues, drawn evenly; singles suffice (a cell's last candidate, a digit's last
place in a house) medium   singles suffice, and would not if any clue were gone hard     has no clue
that could go, and singles do not suffice extreme  as hard, and rated ``EXTREME`` or more mixed
20 to 36 clues, drawn evenly, or more where none can go: about a quarter has none that can. Any
rating

The rating is the number of guesses of a full search that proves the solution unique: between
guesses naked and hidden singles and locked candidates, then a guess at the first of the cells with
the fewest candidates. 0: none is needed. A hard puzzle may be rated 0, where singles fail and
locked candidates help.

How they are made: a full grid from a search with random choices, its clues taken away in random
order as long as the kind allows. Grids are not drawn evenly from all there are, nor puzzles of a
kind. So few minimal puzzles are extreme, not one in a thousand, that those are climbed to: clues
are exchanged one by one, and a rise in rating is kept. They crowd above the bound, half of them
below 42: easier than the benchmark's hardest, and without its easy ones. Each has a climb of its
own, so that no two are variants of each other.

Knows the compiled search, and imports it (and numba) when the first puzzle is wanted; knows no
files.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from trmsolve.puzzles.values import Grid, Puzzle

Ints = NDArray[np.int64]

DIFFICULTIES = ("easy", "medium", "hard", "extreme", "mixed")

EXTREME = 32
"""The least rating of an extreme puzzle."""

START, STEPS, TRIES = 27, 100, 16
"""Of a climb: clues at its foot, exchanges before it is given up, and clues tried for an exchange."""


def generate_sudokus(difficulty: str, seed: int) -> Iterator[Puzzle]:
    """Puzzles without end, each with its solution and rating; the same for the same difficulty and seed.

    Raises ValueError for an unknown difficulty and a negative seed.
    """
    if difficulty not in DIFFICULTIES:
        raise ValueError(f"difficulty must be one of {', '.join(DIFFICULTIES)}, not {difficulty!r}")
    maker = _Maker(np.random.default_rng((DIFFICULTIES.index(difficulty), seed)))
    while True:
        if puzzle := maker.attempt(difficulty):
            yield puzzle


def rate_sudoku(puzzle: Grid) -> int:
    """The rating of a puzzle (9, 9), 0 where blank.

    Raises ValueError if it has not exactly one solution.
    """
    rating = _Maker(np.random.default_rng()).rate(puzzle.reshape(81).astype(np.int64))
    if rating < 0:
        raise ValueError("only a puzzle with exactly one solution has a rating")
    return rating


class _Maker:
    """The compiled search, with what it works in and the draws.

    Grids are (81,) int64 here, 0 where blank.
    """

    def __init__(self, rng: np.random.Generator) -> None:
        from trmsolve.puzzles.sudoku import (
            compiled as sudoku_core,
        )  # numba: not before it is needed

        self.core, self.rng = sudoku_core, rng
        self.stack = np.zeros(sudoku_core.STACK, np.int64)
        self.tally = np.zeros((81, 10), np.int64)
        self.solution, self.in_order = np.zeros((2, 81), np.int64)

    def attempt(self, difficulty: str) -> Puzzle | None:
        """One puzzle, or None if it has not become what it should."""
        answer = self.full_grid()
        clues = answer.copy()
        match difficulty:
            case "easy":
                self.dig(clues, fewest=int(self.rng.integers(30, 37)), by_singles=True)
            case "medium":
                self.dig(clues, by_singles=True)
            case "mixed":
                self.dig(clues, fewest=int(self.rng.integers(20, 37)))
            case "hard":
                self.dig(clues)
                if self.singles_suffice(clues):
                    return None
            case "extreme":
                self.dig(clues, fewest=START)
                self.climb(clues, answer, EXTREME)
                self.dig(clues)
        rating = self.rate(clues)
        if difficulty == "extreme" and rating < EXTREME:
            return None
        question, solution = (cells.astype(np.int8).reshape(9, 9) for cells in (clues, answer))
        return Puzzle(question, answer=solution, rating=rating)

    def full_grid(self) -> Ints:
        """The three boxes of a diagonal at random, the rest by a search that tries digits in random order."""
        clues = np.zeros((9, 9), np.int64)
        for k in (0, 3, 6):
            clues[k : k + 3, k : k + 3] = 1 + self.rng.permutation(9).reshape(3, 3)
        self.core.set_up(self.stack[0], clues.reshape(81))
        self.core.search(self.stack, 1, self.rng.integers(9, size=81), self.solution, self.tally)
        return self.solution.copy()

    def dig(self, clues: Ints, fewest: int = 0, by_singles: bool = False) -> None:
        """Take clues away in random order, as ``sudoku_core.dig`` says."""
        self.core.dig(
            self.stack, clues, self.rng.permutation(81), fewest, by_singles, self.in_order
        )

    def climb(self, clues: Ints, answer: Ints, goal: int) -> None:
        """Change a puzzle and its answer until it is rated ``goal`` or the steps are used up."""
        draws = self.rng.random((STEPS, 1 + TRIES))
        self.core.climb(self.stack, clues, answer, goal, draws, self.in_order)

    def rate(self, clues: Ints) -> int:
        """The rating, -1 if there is not exactly one solution."""
        return self.core.rate(self.stack, clues, self.in_order, self.solution, self.tally)

    def singles_suffice(self, clues: Ints) -> bool:
        """Whether no rule but singles is needed."""
        self.core.set_up(self.stack[0], clues)
        return self.core.propagate(self.stack[0], False) == 1
