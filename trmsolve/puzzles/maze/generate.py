"""Makes new mazes, each with the path that ``labels`` calls the right one.

The mazes depend on the seed and the options alone. There are four difficulties:

hard     as the public Maze-Hard data: each cell is a wall or not independently of the others,
         there is no outer wall, and the ends are so far apart as hardly ever happens
sparse   5 to 25 % of walls, and any two ends
perfect  exactly one way between any two cells: corridors one cell wide, with an outer wall or
         without
mixed    for training: every size up to the one given (a third have exactly that size), walls of
         all of these kinds and of up to 50 %, perfect mazes with walls knocked out, and rooms with
         doors; half have their ends far apart

The rating of a maze is the number of steps from start to goal.

The ends of a hard maze of 30 x 30 cells are at least 109 steps apart, as in the public data. At
another size they are at least 109 * (side / 30) ** 1.13 steps apart, where side is
sqrt(rows * columns): shortest ways among so many walls grow like that, so that at every size a few
in a hundred thousand blind draws of walls and ends reach the bound. The bound is never more than
two thirds of the cells, which is the longest way that very small mazes have.

Hard mazes are distributed as if a density of walls from .25 to .5, the walls and both ends were
drawn blindly and uniformly until the ends fit. They are made in chains of ``CHAIN``. Each maze of a
chain comes from the one before by so many changes that 55 % of the cells are still alike, where
chance alone gives 53 %. It is then mirrored at random.

The compiled kernels, and numba with them, are imported when the first maze is wanted.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from trmsolve.puzzles.maze.cells import path_length
from trmsolve.puzzles.maze.words import DIFFICULTIES
from trmsolve.puzzles.values import Grid, Puzzle

State = NDArray[np.uint64]
"""The state (1,) of the random draws."""

SIZE = (30, 30)
"""The rows and columns of a maze if none are asked for."""

SMALLEST = 3
"""The fewest rows or columns of a maze."""

LARGEST = 200
"""The most rows or columns of a maze."""

LAYOUTS = 1_000_000
"""How many layouts without a fitting maze are tried before an error is raised."""

CELLS = 1_000_000_000
"""How many cells these layouts may have together; large layouts are tried less often."""

ROUND = 1_000_000
"""How many cells are laid out in one compiled call, between which the user can interrupt."""

CHAIN = 16
"""How many hard mazes come from one layout."""

MOVES = 300
"""How many changes lead from one hard maze of a chain to the next."""


def generate_mazes(
    difficulty: str,
    seed: int,
    size: tuple[int, int] | None = None,
    least: int | None = None,
    most: int | None = None,
) -> Iterator[Puzzle]:
    """Generate mazes without end, each with its answer and rating.

    The same arguments give the same mazes. ``size`` is (rows, columns), the largest size for mixed
    mazes; ``least`` and ``most`` bound the steps from start to goal.

    Raises:
        ValueError: at once if the arguments contradict each other, and during the iteration if the
            bounds are so rare that no maze is found.
    """
    if difficulty not in DIFFICULTIES:
        raise ValueError(f"difficulty must be one of {', '.join(DIFFICULTIES)}, not {difficulty!r}")
    if seed < 0:
        raise ValueError(f"seed must not be negative: {seed}")
    rows, columns = size or SIZE
    if min(rows, columns) < SMALLEST or max(rows, columns) > LARGEST:
        sizes = f"{SMALLEST} x {SMALLEST} to {LARGEST} x {LARGEST}"
        raise ValueError(f"the size of a maze must be from {sizes}, not {rows} x {columns}")
    _refuse_bounds(least, most)
    return _Maker(_fill_bounds(difficulty, (rows, columns), least, most), seed).mazes()


def default_least(rows: int, columns: int) -> int:
    """Return the least number of steps of a hard maze if no bound is given."""
    side = math.sqrt(rows * columns)
    steps = round(109 * math.pow(side / 30, 1.13))
    return min(steps, rows * columns * 2 // 3)


def longest_possible(difficulty: str, rows: int, columns: int) -> int:
    """Return a number of steps that no shortest way of such a maze exceeds."""
    if difficulty == "perfect":
        corridor_cells = (rows + 1) // 2 * ((columns + 1) // 2)
        return 2 * (corridor_cells - 1)
    squares = rows // 2 * (columns // 2)  # a shortest way never takes all four cells of one
    return rows * columns - squares - 1


@dataclass(frozen=True)
class _Request:
    """The kind of mazes that is wanted: ``least`` and ``most`` bound the steps between the ends."""

    difficulty: str
    rows: int
    columns: int
    least: int
    most: int

    @property
    def kind(self) -> int:
        """The number of the difficulty."""
        return DIFFICULTIES.index(self.difficulty)

    @property
    def layouts(self) -> int:
        """How many layouts to try for one maze."""
        return min(LAYOUTS, CELLS // (self.rows * self.columns))


def _refuse_bounds(least: int | None, most: int | None) -> None:
    """Raise ValueError for bounds that fit no maze at all."""
    for name, steps in (("least", least), ("most", most)):
        if steps is not None and steps < 1:
            raise ValueError(f"{name} must be 1 step or more, not {steps}")
    if least is not None and most is not None and least > most:
        raise ValueError(f"least must not be more than most: {least} and {most} steps")


def _fill_bounds(
    difficulty: str, size: tuple[int, int], least: int | None, most: int | None
) -> _Request:
    """Fill in the bounds that are not given. Raises ValueError if no maze can be within them."""
    rows, columns = size
    longest = longest_possible(difficulty, rows, columns)
    if least is not None and least > longest:
        raise ValueError(
            f"no {rows} x {columns} maze of this kind has a shortest path of {least} "
            f"steps: the maximum is {longest}"
        )
    lowest = default_least(rows, columns) if difficulty == "hard" else 1
    if least is None and most is not None and most < lowest:
        raise ValueError(
            f"hard {rows} x {columns} mazes have at least {lowest} steps: for at most "
            f"{most}, give a minimum too"
        )
    if least is None:
        least = lowest
    most = longest if most is None else min(most, longest)
    return _Request(difficulty, rows, columns, least, most)


class _Maker:
    """Makes the mazes of one request with the compiled kernels."""

    def __init__(self, request: _Request, seed: int) -> None:
        self.request = request
        rows, columns = request.rows, request.columns
        least, most = request.least, request.most
        source = np.random.SeedSequence((request.kind, seed, rows, columns, least, most))
        self.state: State = source.generate_state(1, np.uint64).astype(np.uint64)
        self.cells: Grid = np.zeros((rows + 2) * (columns + 2), np.int8)
        found, queue = np.zeros((2, len(self.cells)), np.int32)
        self.work = (self.state, self.cells, found, queue, rows, columns, least, most)

    def mazes(self) -> Iterator[Puzzle]:
        """Generate mazes without end, each with its answer."""
        from trmsolve.puzzles.maze.labels import label  # imports numba

        for grid in self.questions():
            answer = label(grid[None])[0]
            yield Puzzle(grid, answer=answer, rating=path_length(answer))

    def questions(self) -> Iterator[Grid]:
        """Generate questions without end."""
        while True:
            if self.request.difficulty == "hard":
                yield from self.chain()
            else:
                yield self.first()

    def first(self) -> Grid:
        """Make a question from new layouts. Raises ValueError if none is found.

        For hard mazes it does not have the right distribution yet: see ``chain``.
        """
        from trmsolve.puzzles.maze import compiled  # imports numba

        request = self.request
        longest = 0
        for tries in self.rounds():
            rows, columns, steps = compiled.make(*self.work, request.kind, tries)
            if steps >= request.least:
                return self.grid(rows, columns)
            longest = max(longest, steps)
        layouts = f"{request.layouts:,} {request.difficulty} layouts"
        raise ValueError(
            f"none of {layouts} of {request.rows} x {request.columns} gave a maze of "
            f"{request.least} to {request.most} steps: their shortest paths had 1 to "
            f"{longest} steps"
        )

    def chain(self) -> Iterator[Grid]:
        """Generate ``CHAIN`` hard questions, each from the one before."""
        from trmsolve.puzzles.maze import compiled  # imports numba

        self.first()
        density = compiled.wander(*self.work, MOVES, sum(compiled.DENSITIES) / 2)
        for _ in range(CHAIN):
            density = compiled.wander(*self.work, MOVES, density)
            grid = self.grid(self.request.rows, self.request.columns)
            flip = 1 - 2 * compiled.below(self.state, 2)
            mirror = 1 - 2 * compiled.below(self.state, 2)
            yield grid[::flip, ::mirror].copy()

    def grid(self, rows: int, columns: int) -> Grid:
        """Copy the maze out of the cells, without the border around it."""
        height = rows + 2
        width = columns + 2
        bordered = self.cells[: height * width].reshape(height, width)
        return bordered[1:-1, 1:-1].copy()

    def rounds(self) -> Iterator[int]:
        """Yield how many layouts to try in each compiled call, until all are tried."""
        in_a_round = max(ROUND // (self.request.rows * self.request.columns), 1)
        left = self.request.layouts
        while left:
            tries = min(left, in_a_round)
            yield tries
            left -= tries
