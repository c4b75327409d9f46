"""ARC tasks drawn at random that follow a rule."""

from collections.abc import Callable

import numpy as np

from trmsolve.arc.task import ArcTask, Pair
from trmsolve.puzzles.values import Grid


def the_same(grid: Grid) -> Grid:
    return grid


def drawn_task(
    name: str = "t",
    demonstrations: int = 2,
    rule: Callable[[Grid], Grid] = the_same,
    side: int = 3,
    seed: int = 0,
    colours: tuple[int, ...] = (0, 1, 2),
    tests: int = 1,
) -> ArcTask:
    """Grids of random sizes whose outputs follow the rule; no two are alike."""
    rng, pairs, seen = np.random.default_rng(seed), list[Pair](), set[bytes]()
    while len(pairs) < demonstrations + tests:
        grid = rng.choice(colours, rng.integers(2, side + 1, 2)).astype(np.int8)
        if grid.tobytes() not in seen:
            seen.add(grid.tobytes())
            pairs.append(Pair(grid, rule(grid).astype(np.int8)))
    return ArcTask(name, tuple(pairs[:demonstrations]), tuple(pairs[demonstrations:]))
