"""Small ARC tasks for tests."""

from collections.abc import Callable, Sequence

import numpy as np

from trmsolve.arc.task import ArcTask, Pair
from trmsolve.puzzles.values import Grid


def the_same(grid: Grid) -> Grid:
    return grid


def drawn_task(  # noqa: PLR0913 (tests name what they change)
    name: str = "t",
    demonstrations: int = 2,
    rule: Callable[[Grid], Grid] = the_same,
    side: int = 3,
    seed: int = 0,
    colours: tuple[int, ...] = (0, 1, 2),
    tests: int = 1,
) -> ArcTask:
    """Grids of random sizes whose outputs follow the rule; no two are alike."""
    rng = np.random.default_rng(seed)
    pairs: list[Pair] = []
    seen: set[bytes] = set()
    while len(pairs) < demonstrations + tests:
        grid = rng.choice(colours, rng.integers(2, side + 1, 2)).astype(np.int8)
        if grid.tobytes() not in seen:
            seen.add(grid.tobytes())
            pairs.append(Pair(grid, rule(grid).astype(np.int8)))
    return ArcTask(name, tuple(pairs[:demonstrations]), tuple(pairs[demonstrations:]))


Rows = list[list[int]]


def task_of(
    demonstrations: Sequence[tuple[Rows, Rows]],
    tests: Sequence[tuple[Rows, Rows | None]],
    name: str = "t",
) -> ArcTask:
    """A task of grids that are written out; the outputs of tests may be None."""
    shown = tuple(_pair(question, answer) for question, answer in demonstrations)
    asked = tuple(_pair(question, answer) for question, answer in tests)
    return ArcTask(name, shown, asked)


def _pair(question: Rows, answer: Rows | None) -> Pair:
    output = None if answer is None else np.array(answer, np.int8)
    return Pair(np.array(question, np.int8), output)


def same_sizes() -> ArcTask:
    """Outputs are as large as their inputs: 2x3, 3x2 and, asked for, 3x3."""
    return task_of(
        [([[0, 1, 0], [1, 1, 0]], [[0, 2, 0], [2, 2, 0]]), ([[1, 0], [0, 0], [0, 1]],) * 2],
        [([[0, 0, 1], [1, 0, 0], [0, 1, 0]], [[0, 0, 2], [2, 0, 0], [0, 2, 0]])],
    )


def same_outputs() -> ArcTask:
    """Inputs of several sizes; all outputs are 1x2."""
    return task_of(
        [([[1, 2, 2]], [[1, 2]]), ([[2, 1], [1, 1], [2, 2]], [[2, 1]])],
        [([[2, 2], [1, 2]], [[2, 2]])],
    )


def free_sizes() -> ArcTask:
    """Neither inputs nor outputs tell the size of an output."""
    return task_of(
        [([[0, 3], [3, 3]], [[3]]), ([[3, 0, 0]], [[3, 3, 0], [0, 0, 3]])],
        [([[0, 0, 3], [3, 3, 3]], None)],
    )
