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

The compiled search, and numba with it, is imported when the first puzzle is wanted. It knows
9 x 9 alone. Puzzles of other sizes are easy, medium or hard, and come from the search in plain
Python. Easy ones have 37 to 45 % of their cells as clues there, and hard ones may be solved by
singles: on 4 x 4 cells nearly all are.
"""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from trmsolve.errors import UsageError
from trmsolve.puzzles.sudoku.board import USUAL, Board
from trmsolve.puzzles.sudoku.search import count_solutions, singles_suffice, solutions
from trmsolve.puzzles.sudoku.symmetry import random_view
from trmsolve.puzzles.sudoku.words import DIFFICULTIES
from trmsolve.puzzles.values import Grid, Puzzle

Ints = NDArray[np.int64]

EXTREME = 32
"""The least rating of an extreme puzzle."""

DIFFICULTIES_OF_ANY_SIZE = ("easy", "medium", "hard")
"""The difficulties that there are on every board."""

EASY_SHARE = (0.37, 0.45)
"""The share of cells that are clues in an easy puzzle of any size."""

MOST_GUESSES = 200
"""Guesses of the search after which a clue of a puzzle of another size is kept."""

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


def generate_on(board: Board, difficulty: str, seed: int) -> Iterator[Puzzle]:
    """Generate puzzles on a board without end, each with its solution.

    Boards of other sizes than 9 x 9 have no extreme and mixed puzzles, and theirs are not rated.
    Raises UsageError for these, ValueError as ``generate_sudokus``.
    """
    if board == USUAL:
        return generate_sudokus(difficulty, seed)
    if difficulty not in DIFFICULTIES_OF_ANY_SIZE:
        known = ", ".join(DIFFICULTIES_OF_ANY_SIZE)
        raise UsageError(f"Sudokus of {board.size} are {known}, not {difficulty}")
    draws = (DIFFICULTIES.index(difficulty), board.side, seed)
    return _generate_sized(board, difficulty, np.random.default_rng(draws))


def _generate_sized(board: Board, difficulty: str, rng: np.random.Generator) -> Iterator[Puzzle]:
    """Generate puzzles by the search in plain Python."""
    blank = np.zeros((board.side, board.side), np.int8)
    while True:
        full = next(solutions(blank, rng=rng))
        # The search fills every grid in much the same order: exchange its lines and digits.
        answer = random_view(rng, board).apply(full)
        question = _dig_sized(answer, difficulty, rng)
        yield Puzzle(question, answer=answer)


def _dig_sized(answer: Grid, difficulty: str, rng: np.random.Generator) -> Grid:
    """Remove clues in random order, as long as the difficulty allows.

    Many are tried at once at first: if all of them can go together, each can go in its turn.
    """
    question = answer.copy()
    cells = question.reshape(-1)
    fewest = 0
    if difficulty == "easy":
        fewest = round(rng.uniform(*EASY_SHARE) * answer.size)
    suffices = _has_one_solution if difficulty == "hard" else singles_suffice
    waiting = rng.permutation(answer.size).tolist()
    at_once = answer.size // 3
    while waiting and np.count_nonzero(cells) > fewest:
        most = int(np.count_nonzero(cells)) - fewest
        taken = waiting[: min(at_once, most)]
        before = cells[taken]
        cells[taken] = 0
        if suffices(question):
            waiting = waiting[len(taken) :]
        else:
            cells[taken] = before
            if len(taken) == 1:
                waiting = waiting[1:]
        at_once = max(at_once // 2, 1)
    return question


def _has_one_solution(question: Grid) -> bool:
    """Tell whether a puzzle (n, n) has exactly one solution; False if that takes long to tell."""
    return count_solutions(question, limit=2, budget=MOST_GUESSES) == 1


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
