"""Makes mazes, each with the one right path of ``maze_rule``; what is drawn comes from the seed and the options alone.

hard     as the public Maze-Hard data: independent walls, no outer wall, and ends so far apart as hardly ever happens
sparse   5 to 25 % of walls, and any two ends
perfect  exactly one way between any two cells: corridors one cell wide, with an outer wall or without
mixed    for training: every size up to the one given (a third are of it), walls of all of these kinds and of up to
         50 %, perfect mazes with walls knocked out, rooms with doors; half have their ends far apart

The rating is the steps from start to goal.

How far the ends of a hard maze are apart: at 30 x 30 109 steps or more, as the public data has them; at another size
109 * (side / 30) ** 1.13 for a side of sqrt(rows * columns), which about one in fifty thousand draws of walls and ends
reaches at every size, as shortest ways among so many walls grow like that. No more than two thirds of the cells, which
is the longest that very small mazes have. Its density of walls is drawn evenly from .3 to .5, and those of .37 have the
most of such ways. A good layout is used more than once: one hard maze in four has the walls of another, turned or
mirrored, with other ends. Those that are asked to be shorter have walls of their own.

Knows the compiled making, and imports it (and numba) when the first maze is wanted; knows no files.
"""

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from trmsolve.puzzles.base import Grid, Puzzle

DIFFICULTIES = ("hard", "sparse", "perfect", "mixed")

SIZE = (30, 30)
"""Rows and columns where none are asked for."""

SMALLEST, LARGEST = 3, 200

LAYOUTS, CELLS = 1_000_000, 1_000_000_000
"""Layouts without one maze after which making is given up; fewer if they have this many cells together."""

ROUND = 1_000_000
"""Cells laid out between two chances to interrupt."""


def generate_mazes(
    difficulty: str,
    seed: int,
    size: tuple[int, int] | None = None,
    least: int | None = None,
    most: int | None = None,
) -> Iterator[Puzzle]:
    """Mazes without end, each with its answer and rating; the same for the same arguments.

    ``size`` is (rows, columns), of a mixed maze the largest; ``least`` and ``most`` bound the steps from start to goal.
    Raises ValueError for what cannot be, and later if the bounds are so rare that no maze is found.
    """
    if difficulty not in DIFFICULTIES:
        raise ValueError(f"difficulty must be one of {', '.join(DIFFICULTIES)}, not {difficulty!r}")
    if seed < 0:
        raise ValueError(f"seed must not be negative: {seed}")
    rows, columns = size or SIZE
    if min(rows, columns) < SMALLEST or max(rows, columns) > LARGEST:
        sizes = f"{SMALLEST} x {SMALLEST} to {LARGEST} x {LARGEST}"
        raise ValueError(f"the size of a maze must be from {sizes}, not {rows} x {columns}")
    return _Maker(difficulty, seed, rows, columns, *_bounds(difficulty, rows, columns, least, most)).mazes()


def usual_least(rows: int, columns: int) -> int:
    """The steps that a hard maze has at least if nothing else is said."""
    side = math.sqrt(rows * columns)
    steps = round(109 * math.pow(side / 30, 1.13))
    return min(steps, rows * columns * 2 // 3)


def longest_possible(difficulty: str, rows: int, columns: int) -> int:
    """A bound on the steps from start to goal: no shortest way has more."""
    if difficulty == "perfect":
        return 2 * ((rows + 1) // 2 * ((columns + 1) // 2) - 1)
    return rows * columns - rows // 2 * (columns // 2) - 1  # it never takes all four cells of a square


def _bounds(difficulty: str, rows: int, columns: int, least: int | None, most: int | None) -> tuple[int, int]:
    """Both bounds as numbers. Raises ValueError if nothing is between them."""
    longest = longest_possible(difficulty, rows, columns)
    lowest = usual_least(rows, columns) if difficulty == "hard" else 1
    for name, steps in (("least", least), ("most", most)):
        if steps is not None and steps < 1:
            raise ValueError(f"{name} must be 1 step or more, not {steps}")
    if least is not None and most is not None and least > most:
        raise ValueError(f"least must not be more than most: {least} and {most} steps")
    if least is not None and least > longest:
        raise ValueError(
            f"no {rows} x {columns} maze of this kind has a shortest way of {least} steps: {longest} at most"
        )
    if least is None and most is not None and most < lowest:
        raise ValueError(
            f"hard {rows} x {columns} mazes have {lowest} steps or more: for {most} at most, give least too"
        )
    return lowest if least is None else least, longest if most is None else min(most, longest)


class _Maker:
    """The compiled making of one kind, with what it works in and its draws."""

    def __init__(self, difficulty: str, seed: int, rows: int, columns: int, least: int, most: int) -> None:
        self.difficulty, self.rows, self.columns, self.least, self.most = difficulty, rows, columns, least, most
        self.kind = DIFFICULTIES.index(difficulty)
        source = np.random.SeedSequence((self.kind, seed, rows, columns, least, most))
        self.state: NDArray[np.uint64] = source.generate_state(1, np.uint64).astype(np.uint64)
        cells = (rows + 2) * (columns + 2)
        self.cells: Grid = np.zeros(cells, np.int8)
        self.found, self.queue = np.zeros((2, cells), np.int32)

    def mazes(self) -> Iterator[Puzzle]:
        """Without end, each with its answer."""
        from trmsolve.puzzles.maze_rule import label  # numba: not before it is needed

        several = self.several_hard() if self.difficulty == "hard" else self.one()
        for grid, steps in several:
            yield Puzzle(grid, answer=label(grid[None])[0], rating=steps)

    def one(self) -> Iterator[tuple[Grid, int]]:
        """Questions of all kinds but hard, with their steps."""
        from trmsolve.puzzles import maze_core

        shape = np.array((self.rows, self.columns), np.int32)
        work = (self.state, self.kind, self.cells, self.found, self.queue, shape, self.least, self.most)
        while True:
            longest = 0
            for tries in self.rounds():
                rows, columns, steps, way = maze_core.make(*work, tries)
                longest = max(longest, way)
                if steps:
                    break
            else:
                raise self.rare(longest)
            framed = self.cells[: (rows + 2) * (columns + 2)].reshape(rows + 2, columns + 2)
            yield framed[1:-1, 1:-1].copy(), steps

    def several_hard(self) -> Iterator[tuple[Grid, int]]:
        """Hard questions with their steps."""
        from trmsolve.puzzles import maze_core

        mazes = np.zeros((maze_core.STARTS, self.rows, self.columns), np.int8)
        steps = np.zeros(maze_core.STARTS, np.int32)
        alone = self.least < usual_least(self.rows, self.columns)
        work = (self.state, self.cells, self.found, self.queue, self.middle_first(), self.least, self.most, alone)
        while True:
            longest = 0
            for tries in self.rounds():
                number, way = maze_core.make_hard(*work, tries, mazes, steps)
                longest = max(longest, way)
                if number:
                    break
            else:
                raise self.rare(longest)
            for n in range(number):
                yield mazes[n].copy(), int(steps[n])

    def middle_first(self) -> NDArray[np.int32]:
        """The places of the cells by their distance from the middle: a search from there sees soonest what is far."""
        row, column = np.mgrid[: self.rows, : self.columns]
        away = (2 * row - self.rows + 1) ** 2 + (2 * column - self.columns + 1) ** 2
        places = ((row + 1) * (self.columns + 2) + column + 1).astype(np.int32).ravel()
        return np.take(places, np.argsort(away, axis=None, kind="stable"))

    def rounds(self) -> Iterator[int]:
        """How many layouts to try before a look at the clock, as long as it is worth it."""
        cells = self.rows * self.columns
        left = self.layouts()
        while left:
            tries = min(left, max(ROUND // cells, 1))
            yield tries
            left -= tries

    def layouts(self) -> int:
        """How many to try for one maze."""
        return min(LAYOUTS, CELLS // (self.rows * self.columns))

    def rare(self, longest: int) -> ValueError:
        """What to say when the bounds are not met."""
        return ValueError(
            f"none of {self.layouts():,} {self.difficulty} layouts of {self.rows} x {self.columns} gave a maze of "
            f"{self.least} to {self.most} steps: shortest ways of 1 to {longest} steps occurred"
        )
