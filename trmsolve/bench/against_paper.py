"""The paper's fixed cycles beside the bundled network's time to a verified answer, in one run.

The paper's evaluation gives every puzzle 16 cycles, whatever it answers. How long they take depends
on the shapes of its network alone, so random weights of these shapes are timed. They answer
nothing: how good the networks are is not measured here.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from statistics import mean, median
from typing import Any

import numpy as np
import torch

from trmsolve.bench.timing import Figures, now
from trmsolve.device import Placement
from trmsolve.errors import UsageError
from trmsolve.model.build import new_model
from trmsolve.model.config import TRMConfig
from trmsolve.puzzles.files import read_file
from trmsolve.puzzles.registry import get_task
from trmsolve.puzzles.values import Answer, Puzzle
from trmsolve.solve.solver import Solver
from trmsolve.train.recipes import RECIPES
from trmsolve.weights.bundled import example_file

CYCLES = 16
"""Cycles that the paper's evaluation gives every puzzle."""

LONGEST = 25.0
"""Seconds after which no further cycle of the paper's network is timed, for each dtype.

All cycles cost the same, so the median of some gives the time of all.
"""

EXAMPLES = {
    "sudoku": ("easy.txt", "extreme.txt", "framed.ss", "list.sdm"),
    "maze": ("hard.txt", "maze.csv"),
}
"""Files of example puzzles by task. The mazes are all of 30 x 30 cells, as the paper's are."""


@dataclass
class _Ours:
    """Example puzzles, solved one at a time."""

    solver: Solver
    puzzles: Sequence[Puzzle]

    def __post_init__(self) -> None:
        self.seconds: list[list[float]] = [[] for _ in self.puzzles]
        self.verified = [False] * len(self.puzzles)

    def solve(self, number: int) -> None:
        """Solve the puzzle of this number and note how long it took."""
        device = self.solver.placement.device
        start = now(device)
        answer = next(self.solver.solve_all([self.puzzles[number]]))
        self.seconds[number].append(now(device) - start)
        self.verified[number] = isinstance(answer, Answer) and answer.verified


def paper_config(task: str) -> TRMConfig:
    """The paper's network for a task. Raises UsageError for a task that it has none for."""
    if task not in EXAMPLES:
        raise UsageError(f"--against-paper is for {' and '.join(EXAMPLES)}, not for {task}")
    return RECIPES[task, "paper"].config


def example_puzzles(task: str) -> list[Puzzle]:
    """The example puzzles of a task that the package brings."""
    puzzles = []
    for name in EXAMPLES[task]:
        path = example_file(f"{task}/{name}")
        if path is None:
            raise UsageError(f"the example puzzles are missing: there is no {task}/{name}")
        items = read_file(get_task(task), str(path))
        puzzles += [item for item in items if isinstance(item, Puzzle)]
    return puzzles


def compare(
    config: TRMConfig, solver: Solver, placement: Placement, puzzles: Sequence[Puzzle]
) -> Figures:
    """Alternate cycles of a network of ``config`` with ``solver``'s answers to ``puzzles``.

    Each puzzle is solved at least once. ``ratio`` is the paper's seconds a puzzle divided by ours.
    A puzzle of ours that is not verified counts with all the time that was spent on it.
    """
    step, parameters = _paper_cycle(config, placement)
    ours = _Ours(solver, puzzles)
    begun = time.perf_counter()
    step()  # warms up, as does the first answer
    ours.solve(0)
    ours.seconds[0].clear()
    cycles: list[float] = []
    each = max(1, -(-len(puzzles) // CYCLES))
    turns = cycle(range(len(puzzles)))
    while len(cycles) < CYCLES and (not cycles or time.perf_counter() - begun < LONGEST):
        start = now(placement.device)
        step()
        cycles.append(now(placement.device) - start)
        for number in islice(turns, each):
            ours.solve(number)
    for number, seconds in enumerate(ours.seconds):
        if not seconds:
            ours.solve(number)
    paper_seconds = CYCLES * median(cycles)
    own_seconds = mean(median(seconds) for seconds in ours.seconds)
    return {
        "task": solver.task.name,
        "device": str(placement.device),
        "dtype": placement.dtype_name,
        "threads": placement.threads,
        "paper_parameters": parameters,
        "paper_cycles": CYCLES,
        "paper_cycles_timed": len(cycles),
        "paper_seconds_per_puzzle": paper_seconds,
        "weights": solver.weights,
        "puzzles": len(puzzles),
        "verified": sum(ours.verified),
        "seconds_per_puzzle": own_seconds,
        "ratio": paper_seconds / own_seconds,
    }


def _paper_cycle(config: TRMConfig, placement: Placement) -> tuple[Callable[[], None], int]:
    """A call that runs one cycle of one puzzle, and the number of the network's parameters."""
    model = new_model(config, placement.dtype).to(placement.device, placement.dtype).eval()
    rng = np.random.default_rng(0)
    tokens = model.place(rng.integers(0, config.vocab_size, (1, config.seq_len)))
    carried: Any = model.initial_state(1)

    def step() -> None:
        nonlocal carried
        with torch.inference_mode():
            carried, _ = model(carried, tokens)

    return step, model.parameter_count()
