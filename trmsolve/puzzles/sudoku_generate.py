"""Makes Sudokus with exactly one solution, easy to hard. Knows the search and the board; draws come from a seed."""

from collections.abc import Iterator

import numpy as np

from trmsolve.puzzles.base import Grid, Puzzle
from trmsolve.puzzles.sudoku_search import count_solutions, needs_no_guess, solutions

DIFFICULTIES = ("easy", "medium", "hard")
"""easy: 30 to 36 clues, singles suffice. medium: as few clues as singles allow. hard: as few as stay unique."""

EMPTY: Grid = np.zeros((9, 9), dtype=np.int8)


def generate_sudokus(difficulty: str, seed: int) -> Iterator[Puzzle]:
    """Puzzles without end, each with its solution. Raises ValueError for an unknown difficulty."""
    if difficulty not in DIFFICULTIES:
        raise ValueError(f"difficulty must be one of {', '.join(DIFFICULTIES)}, not {difficulty!r}")
    rng = np.random.default_rng((DIFFICULTIES.index(difficulty), seed))
    while True:
        solution = next(solutions(EMPTY, rng))
        fewest = int(rng.integers(30, 37)) if difficulty == "easy" else 0
        grid = _dig(solution, difficulty, fewest, rng)
        if difficulty == "hard" and needs_no_guess(grid):
            continue
        yield Puzzle(grid, answer=solution)


def _dig(solution: Grid, difficulty: str, fewest: int, rng: np.random.Generator) -> Grid:
    """Take clues away in random order as long as the puzzle stays what it should be."""
    grid = solution.copy()
    clues = 81
    for cell in rng.permutation(81):
        if clues <= fewest:
            break
        taken = grid.flat[cell]
        grid.flat[cell] = 0
        if needs_no_guess(grid) or (difficulty == "hard" and count_solutions(grid) == 1):
            clues -= 1
        else:
            grid.flat[cell] = taken
    return grid
