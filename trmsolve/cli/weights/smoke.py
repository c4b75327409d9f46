"""A smoke score: what share of twenty little puzzles a network answers, to see that weights are alive, not how good.

The puzzles are made on the spot and always the same. Knows solvers and puzzles; nothing of files'
formats or terminals.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from trmsolve.arc.task import ArcAnswer, ArcTask, Pair
from trmsolve.puzzles.values import Answer, Grid

PUZZLES = 20
SEED = 20
EASY = {"sudoku": ("easy", None), "maze": ("perfect", (10, 10))}  # difficulty and size
TASKS = (*EASY, "arc")
VIEWS = 4  # of a puzzle: some easy ones need a second
CELLS, STEPS = 4, 20  # of an ARC grid, a side; of learning, all tasks together


@dataclass(frozen=True)
class Smoke:
    """How many of ``n`` puzzles were answered right, as the rules have it; of ARC as the tasks' outputs do."""

    n: int
    right: int
    seconds: float


def smoke(
    path: Path,
    task: str,
    n: int = PUZZLES,
    *,
    allow_large: bool = False,
    told: Callable[[int], None] = lambda done: None,
    **where: Any,
) -> Smoke:
    """Have weights answer ``n`` puzzles; ``told`` hears how many are done; ``where`` is as ``load`` has it: device...

    ``task`` is one of ``TASKS``. Raises WeightsError if the weights are not usable for it.
    """
    begun, right = time.monotonic(), 0
    for done, good in enumerate(
        (_arc if task == "arc" else _ruled)(path, task, n, where, allow_large), 1
    ):
        right += good
        told(done)
    return Smoke(n, right, time.monotonic() - begun)


def _ruled(
    path: Path, task: str, n: int, where: dict[str, Any], allow_large: bool
) -> Iterator[bool]:
    from trmsolve.puzzles import get_task
    from trmsolve.solve.solver import load

    difficulty, size = EASY[task]
    solver = load(task, weights=path, views=VIEWS, seed=SEED, allow_large=allow_large, **where)
    puzzles = islice(get_task(task).generate(difficulty, SEED, size), n)
    for answer in solver.solve_all(puzzles):
        assert isinstance(answer, Answer)
        yield answer.verified


def _arc(path: Path, task: str, n: int, where: dict[str, Any], allow_large: bool) -> Iterator[bool]:
    """Tasks that any trunk can learn: one colour becomes another."""
    from trmsolve.arc.solver import load_arc

    solver = load_arc(
        weights=path, steps=STEPS, batch=n, seed=SEED, allow_large=allow_large, **where
    )
    for answer in solver.solve_all(little_tasks(n)):
        assert isinstance(answer, ArcAnswer)
        yield bool(answer.right(0))


def little_tasks(n: int) -> Iterator[ArcTask]:
    """``n`` ARC tasks of three demonstrations and a test each, in which one colour becomes another."""
    rng = np.random.default_rng(SEED)
    for number in range(n):
        old, new, other = rng.permutation(np.arange(1, 10))[:3]
        *shown, asked = (_recoloured(rng, old, new, other) for _ in range(4))
        yield ArcTask(f"recolour-{number}", tuple(shown), (asked,))


def _recoloured(rng: np.random.Generator, old: int, new: int, other: int) -> Pair:
    grid: Grid = rng.choice(np.array([0, old, other], np.int8), (CELLS, CELLS))
    return Pair(grid, np.where(grid == old, new, grid).astype(np.int8))
