"""Makes new Sudokus with exactly one solution, each with its rating.

The puzzles depend on the seed and the difficulty alone. There are five difficulties:

easy     30 to 36 clues, distributed uniformly; singles are enough (a cell's last candidate, or the
         last place for a digit in a house)
medium   singles are enough, but would not be if any clue were removed
hard     no clue can be removed, and singles are not enough
extreme  as hard, and rated ``EXTREME`` or more
mixed    20 to 36 clues, distributed uniformly, or more where no clue can be removed; of about a
         quarter no clue can be removed; any rating

The rating is the number of guesses of a full search that proves the solution unique. Between
guesses the search draws conclusions from naked singles, hidden singles and locked candidates. Then
it guesses at the first of the cells with the fewest candidates. The rating is 0 if no guess is
needed. A hard puzzle may be rated 0, where singles fail and locked candidates help.

A puzzle begins as a full grid from a search with random choices. Its clues are removed in random
order as long as the difficulty allows. Neither the grids nor the puzzles of a difficulty are
distributed uniformly among all that exist.

Fewer than one minimal puzzle in a thousand is extreme. Extreme puzzles therefore come from a hill
climb: it exchanges clues one by one and keeps what raises the rating. Their ratings crowd above the
bound, half of them below 42: easier than the hardest puzzles of the benchmark, and without its easy
ones. Each extreme puzzle has a climb of its own, so that no two are variants of each other.

The compiled search, and numba with it, is imported when the first puzzle is wanted.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from trmsolve.puzzles.values import Grid, Puzzle

Ints = NDArray[np.int64]

DIFFICULTIES = ("easy", "medium", "hard", "extreme", "mixed")

EXTREME = 32
"""The least rating of an extreme puzzle."""

START = 27
"""How many clues a climb begins with."""

STEPS = 100
"""How many clues a climb exchanges before it is given up."""

TRIES = 16
"""How many clues a climb tries for each exchange."""


def generate_sudokus(difficulty: str, seed: int) -> Iterator[Puzzle]:
    """Generate puzzles without end, each with its solution and rating.

    The same difficulty and seed give the same puzzles. Raises ValueError for an unknown difficulty
    and a negative seed.
    """
    if difficulty not in DIFFICULTIES:
        raise ValueError(f"difficulty must be one of {', '.join(DIFFICULTIES)}, not {difficulty!r}")
    maker = _Maker(np.random.default_rng((DIFFICULTIES.index(difficulty), seed)))
    while True:
        puzzle = maker.attempt(difficulty)
        if puzzle:
            yield puzzle


def rate_sudoku(puzzle: Grid) -> int:
    """Rate a puzzle (9, 9), 0 where blank. Raises ValueError unless it has exactly one solution."""
    rating = _Maker(np.random.default_rng()).rate(puzzle.reshape(81).astype(np.int64))
    if rating < 0:
        raise ValueError("only a puzzle with exactly one solution has a rating")
    return rating


class _Maker:
    """Makes puzzles with the compiled search and the draws of ``rng``.

    Grids are (81,) int64 here, 0 where blank.
    """

    def __init__(self, rng: np.random.Generator) -> None:
        from trmsolve.puzzles.sudoku import compiled  # imports numba

        self.kernels = compiled
        self.rng = rng
        self.stack = np.zeros(compiled.STACK, np.int64)
        self.tally = np.zeros((81, 10), np.int64)
        self.solution, self.in_order = np.zeros((2, 81), np.int64)

    def attempt(self, difficulty: str) -> Puzzle | None:
        """Make one puzzle. Returns None if it does not have the difficulty."""
        answer = self.full_grid()
        clues = answer.copy()
        self.remove_clues(clues, answer, difficulty)
        if difficulty == "hard" and self.singles_suffice(clues):
            return None
        rating = self.rate(clues)
        if difficulty == "extreme" and rating < EXTREME:
            return None
        question = clues.astype(np.int8).reshape(9, 9)
        solution = answer.astype(np.int8).reshape(9, 9)
        return Puzzle(question, answer=solution, rating=rating)

    def remove_clues(self, clues: Ints, answer: Ints, difficulty: str) -> None:
        """Remove clues as the difficulty asks for; a climb changes the answer too."""
        match difficulty:
            case "easy":
                self.dig(clues, fewest=int(self.rng.integers(30, 37)), by_singles=True)
            case "medium":
                self.dig(clues, by_singles=True)
            case "mixed":
                self.dig(clues, fewest=int(self.rng.integers(20, 37)))
            case "hard":
                self.dig(clues)
            case "extreme":
                self.dig(clues, fewest=START)
                self.climb(clues, answer, EXTREME)
                self.dig(clues)

    def full_grid(self) -> Ints:
        """Make a full grid.

        The three boxes of a diagonal are random. The others come from a search that tries the
        digits in random order.
        """
        clues = np.zeros((9, 9), np.int64)
        for k in (0, 3, 6):
            clues[k : k + 3, k : k + 3] = 1 + self.rng.permutation(9).reshape(3, 3)
        self.kernels.set_up(self.stack[0], clues.reshape(81))
        turns = self.rng.integers(9, size=81)
        self.kernels.search(self.stack, 1, turns, self.solution, self.tally)
        return self.solution.copy()

    def dig(self, clues: Ints, fewest: int = 0, by_singles: bool = False) -> None:
        """Remove clues in random order, as ``compiled.dig`` does."""
        order = self.rng.permutation(81)
        self.kernels.dig(self.stack, clues, order, fewest, by_singles, self.in_order)

    def climb(self, clues: Ints, answer: Ints, goal: int) -> None:
        """Change a puzzle and its answer until it is rated ``goal`` or the steps are used up."""
        draws = self.rng.random((STEPS, 1 + TRIES))
        self.kernels.climb(self.stack, clues, answer, goal, draws, self.in_order)

    def rate(self, clues: Ints) -> int:
        """Rate a puzzle. Returns -1 unless it has exactly one solution."""
        return self.kernels.rate(self.stack, clues, self.in_order, self.solution, self.tally)

    def singles_suffice(self, clues: Ints) -> bool:
        """Tell whether singles alone solve the puzzle."""
        self.kernels.set_up(self.stack[0], clues)
        return self.kernels.propagate(self.stack[0], False) == 1
