"""Makes mazes, each with the one right path of ``maze_rule``; what is drawn comes from the seed and the options alone.

hard     as the public Maze-Hard data: independent walls, no outer wall, and ends so far apart as hardly ever happens
sparse   5 to 25 % of walls, and any two ends
perfect  exactly one way between any two cells: corridors one cell wide, with an outer wall or without
mixed    for training: every size up to the one given (a third are of it), walls of all of these kinds and of up to
         50 %, perfect mazes with walls knocked out, rooms with doors; half have their ends far apart

The rating is the steps from start to goal.

How far the ends of a hard maze are apart: at 30 x 30 109 steps or more, as the public data has
them; at another size 109 * (side / 30) ** 1.13 for a side of sqrt(rows * columns), as shortest ways
among so many walls grow like that: at every size a few in a hundred thousand blind draws of walls
and ends reach it. No more than two thirds of the cells though, the longest that very small mazes
have. Hard mazes come as if a density of walls from .25 to .5, the walls and both ends were drawn
blindly, each evenly, until the ends fit. They are made ``CHAIN`` at a time, each from the one
before by so many changes that 55 % of the cells still are alike, where chance alone gives 53 %, and
then mirrored or not as it comes.

Knows the compiled making, and imports it (and numba) when the first maze is wanted; knows no files.
"""

import math
from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from trmsolve.puzzles.maze.cells import path_length
from trmsolve.puzzles.values import Grid, Puzzle

DIFFICULTIES = ("hard", "sparse", "perfect", "mixed")

SIZE = (30, 30)
"""Rows and columns where none are asked for."""

SMALLEST, LARGEST = 3, 200

LAYOUTS, CELLS = 1_000_000, 1_000_000_000
"""Layouts without one maze after which making is given up; fewer if they have this many cells together."""

ROUND = 1_000_000
"""Cells laid out between two chances to interrupt."""

CHAIN, MOVES = 16, 300
"""Hard mazes that come from one layout, and changes from one to the next."""


def generate_mazes(
    difficulty: str,
    seed: int,
    size: tuple[int, int] | None = None,
    least: int | None = None,
    most: int | None = None,
) -> Iterator[Puzzle]:
    """Mazes without end, each with its answer and rating; the same for the same arguments.

    ``size`` is (rows, columns), of a mixed maze the largest; ``least`` and ``most`` bound the steps
    from start to goal. Raises ValueError for what cannot be, and later if the bounds are so rare
    that no maze is found.
    """
    if difficulty not in DIFFICULTIES:
        raise ValueError(f"difficulty must be one of {', '.join(DIFFICULTIES)}, not {difficulty!r}")
    if seed < 0:
        raise ValueError(f"seed must not be negative: {seed}")
    rows, columns = size or SIZE
    if min(rows, columns) < SMALLEST or max(rows, columns) > LARGEST:
        sizes = f"{SMALLEST} x {SMALLEST} to {LARGEST} x {LARGEST}"
        raise ValueError(f"the size of a maze must be from {sizes}, not {rows} x {columns}")
    return _Maker(
        difficulty, seed, rows, columns, *_bounds(difficulty, rows, columns, least, most)
    ).mazes()


def usual_least(rows: int, columns: int) -> int:
    """The steps that a hard maze has at least if nothing else is said."""
    side = math.sqrt(rows * columns)
    steps = round(109 * math.pow(side / 30, 1.13))
    return min(steps, rows * columns * 2 // 3)


def longest_possible(difficulty: str, rows: int, columns: int) -> int:
    """A bound on the steps from start to goal: no shortest way has more."""
    if difficulty == "perfect":
        return 2 * ((rows + 1) // 2 * ((columns + 1) // 2) - 1)
    return (
        rows * columns - rows // 2 * (columns // 2) - 1
    )  # it never takes all four cells of a square


def _bounds(
    difficulty: str, rows: int, columns: int, least: int | None, most: int | None
) -> tuple[int, int]:
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

    def __init__(
        self, difficulty: str, seed: int, rows: int, columns: int, least: int, most: int
    ) -> None:
        self.difficulty, self.rows, self.columns, self.least, self.most = (
            difficulty,
            rows,
            columns,
            least,
            most,
        )
        self.kind = DIFFICULTIES.index(difficulty)
        source = np.random.SeedSequence((self.kind, seed, rows, columns, least, most))
        self.state: NDArray[np.uint64] = source.generate_state(1, np.uint64).astype(np.uint64)
        self.cells: Grid = np.zeros((rows + 2) * (columns + 2), np.int8)
        found, queue = np.zeros((2, len(self.cells)), np.int32)
        self.work = (self.state, self.cells, found, queue, rows, columns, least, most)

    def mazes(self) -> Iterator[Puzzle]:
        """Without end, each with its answer."""
        from trmsolve.puzzles.maze.labels import label  # numba: not before it is needed

        while True:
            for grid in self.chain() if self.difficulty == "hard" else [self.first()]:
                answer = label(grid[None])[0]
                yield Puzzle(grid, answer=answer, rating=path_length(answer))

    def first(self) -> Grid:
        """A question; of a hard maze one that is not yet as likely as it should be.

        Raises ValueError for none.
        """
        from trmsolve.puzzles.maze import compiled as maze_core

        longest = 0
        for tries in self.rounds():
            rows, columns, steps = maze_core.make(*self.work, self.kind, tries)
            if steps >= self.least:
                return self.grid(rows, columns)
            longest = max(longest, steps)
        raise ValueError(
            f"none of {self.layouts():,} {self.difficulty} layouts of {self.rows} x {self.columns} gave a maze of "
            f"{self.least} to {self.most} steps: shortest ways of 1 to {longest} steps occurred"
        )

    def chain(self) -> Iterator[Grid]:
        """Hard questions, each from the one before."""
        from trmsolve.puzzles.maze import compiled as maze_core

        self.first()
        density = maze_core.wander(*self.work, MOVES, sum(maze_core.DENSITIES) / 2)
        for _ in range(CHAIN):
            density = maze_core.wander(*self.work, MOVES, density)
            grid = self.grid(self.rows, self.columns)
            flip, mirror = (1 - 2 * maze_core.below(self.state, 2) for _ in range(2))
            yield grid[::flip, ::mirror].copy()

    def grid(self, rows: int, columns: int) -> Grid:
        """What lies in the cells, without the border around it."""
        return (
            self.cells[: (rows + 2) * (columns + 2)]
            .reshape(rows + 2, columns + 2)[1:-1, 1:-1]
            .copy()
        )

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
