"""A smoke score: what share of twenty little puzzles a network answers, to see that weights are alive, not how good.

The puzzles are made on the spot and always the same. Knows solvers and puzzles; nothing of files' formats or terminals.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import numpy as np

from trmsolve.puzzles.arc import ArcAnswer, ArcTask, Pair
from trmsolve.puzzles.base import Answer, Grid

PUZZLES = 20
SEED = 20
EASY = {"sudoku": ("easy", None), "maze": ("perfect", (10, 10))}  # difficulty and size
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
    device: str = "auto",
    dtype: str = "auto",
    threads: int | None = None,
    allow_large: bool = False,
    told: Callable[[int], None] = lambda done: None,
) -> Smoke:
    """Have weights answer ``n`` puzzles; ``told`` hears how many are done.

    Raises WeightsError if they are not usable for the task.
    """
    begun = time.monotonic()
    right = 0
    answers = _arc(path, n, device, dtype, threads) if task == "arc" else _ruled(
        path, task, n, device, dtype, threads, allow_large
    )  # fmt: skip
    for done, good in enumerate(answers, 1):
        right += good
        told(done)
    return Smoke(n, right, time.monotonic() - begun)


def _ruled(
    path: Path, task: str, n: int, device: str, dtype: str, threads: int | None, allow_large: bool
) -> Iterator[bool]:
    from trmsolve.puzzles import get_task
    from trmsolve.solver import load

    difficulty, size = EASY[task]
    solver = load(
        task, weights=path, views=VIEWS, device=device, dtype=dtype, threads=threads, allow_large=allow_large, seed=SEED
    )
    puzzles = islice(get_task(task).generate(difficulty, SEED, size), n)
    for answer in solver.solve_all(puzzles):
        assert isinstance(answer, Answer)
        yield answer.verified


def _arc(path: Path, n: int, device: str, dtype: str, threads: int | None) -> Iterator[bool]:
    """Tasks that any trunk can learn: one colour becomes another."""
    from trmsolve.arc_solver import load_arc

    solver = load_arc(weights=path, steps=STEPS, batch=n, seed=SEED, device=device, dtype=dtype, threads=threads)
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
