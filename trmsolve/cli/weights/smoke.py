"""A smoke score: the share of twenty little puzzles that a network answers.

It shows that weights are alive, not how good they are. The puzzles are made on the spot and always
the same. Knows solvers and puzzles; nothing of files' formats or terminals.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from trmsolve.arc.task import ArcAnswer, ArcTask, Pair
from trmsolve.puzzles.registry import get_task, task_names
from trmsolve.puzzles.values import Answer, Grid

PUZZLES = 20
SEED = 20
TASKS = (*task_names(), "arc")
VIEWS = 4
"""Views of a puzzle: some easy ones need a second."""
CELLS = 4
"""The side of an ARC grid."""
STEPS = 40
"""Steps of learning, for all ARC tasks together."""


@dataclass(frozen=True)
class Smoke:
    """How many of ``n`` puzzles were answered right."""

    n: int
    right: int
    seconds: float


def smoke(
    path: Path,
    task: str,
    n: int = PUZZLES,
    *,
    allow_large: bool = False,
    told: Callable[[int], None] = lambda _: None,
    **where: Any,
) -> Smoke:
    """Have weights answer ``n`` puzzles of ``task``, which is one of ``TASKS``.

    ``told`` hears how many are done; ``where`` has options of ``load``, such as the device. Raises
    WeightsError if the weights are not usable for the task.
    """
    begun = time.monotonic()
    right = 0
    where["allow_large"] = allow_large
    outcomes = _arc(path, n, where) if task == "arc" else _verified_by_rules(path, task, n, where)
    for done, good in enumerate(outcomes, 1):
        right += good
        told(done)
    return Smoke(n, right, time.monotonic() - begun)


def _verified_by_rules(path: Path, task: str, n: int, where: dict[str, Any]) -> Iterator[bool]:
    """Whether the rules accept each answer."""
    from trmsolve.solve.any_size import own_network
    from trmsolve.solve.solver import load

    solver = load(task, weights=path, views=VIEWS, seed=SEED, **where)
    difficulty, size = solver.task.smoke_puzzles
    config = own_network(solver.model).config
    if config.candidates != solver.task.candidates:  # trained on boards of another size
        size = (config.candidates, config.candidates)
    puzzles = get_task(task).generate_sized(difficulty, SEED, size)
    for answer in solver.solve_all(islice(puzzles, n)):
        assert isinstance(answer, Answer)
        yield answer.verified


def _arc(path: Path, n: int, where: dict[str, Any]) -> Iterator[bool]:
    """Whether each answer is right, for tasks that any network can learn."""
    from trmsolve.arc.solver import load_arc

    solver = load_arc(weights=path, steps=STEPS, batch=n, seed=SEED, **where)
    for answer in solver.solve_all(little_tasks(n)):
        assert isinstance(answer, ArcAnswer)
        yield bool(answer.right(0))


def little_tasks(n: int) -> Iterator[ArcTask]:
    """ARC tasks of three demonstrations and a test each: one colour becomes another."""
    rng = np.random.default_rng(SEED)
    for number in range(n):
        old, new, other = rng.permutation(np.arange(1, 10))[:3]
        pairs = [_recoloured(rng, old, new, other) for _ in range(4)]
        yield ArcTask(f"recolour-{number}", tuple(pairs[:3]), (pairs[3],))


def _recoloured(rng: np.random.Generator, old: int, new: int, other: int) -> Pair:
    colours = np.array([0, old, other], np.int8)
    grid: Grid = rng.choice(colours, (CELLS, CELLS))
    output = np.where(grid == old, new, grid)
    return Pair(grid, output.astype(np.int8))
