"""Questions for comparing a graph with torch: puzzles of the task, or grids of random symbols."""

from itertools import islice

import numpy as np
import torch

from trmsolve.export.cycle import Cycle, Inputs
from trmsolve.model.planes import PlanesModel
from trmsolve.puzzles.registry import get_task, task_names

SEED = 20
SIZES = ((10, 10), (13, 17), (20, 15))
"""Boards for networks that take any; each has its share of the puzzles."""
GRIDS = ((3, 3), (10, 8), (15, 20))
"""Sizes of random grids, small because nothing is to be solved in them."""


def questions(cycle: Cycle, task: str, number: int) -> list[Inputs]:
    """So many questions in batches of one size, by the names of the graph's inputs, as tensors."""
    rng = np.random.default_rng(SEED)
    if isinstance(cycle.model, PlanesModel):
        return [
            _planes(cycle.model, size, n, rng)
            for size, n in zip(GRIDS, _shares(number), strict=True)
            if n
        ]
    if task in task_names():
        batches = [_puzzles(cycle, task, size, n) for size, n in _sizes(cycle, number)]
    else:
        tokens = rng.integers(
            0, cycle.model.config.vocab_size, (number, cycle.model.config.seq_len)
        )
        batches = [{"tokens": torch.from_numpy(tokens)}]
    if "puzzle_ids" in cycle.names:
        for batch in batches:
            ids = rng.integers(0, cycle.model.config.num_puzzles, len(batch["tokens"]))
            batch["puzzle_ids"] = torch.from_numpy(ids)
    return batches


def _shares(number: int) -> list[int]:
    """The number in three parts, the last of them the smallest."""
    return [(number + 2) // 3, (number + 1) // 3, number // 3]


def _sizes(cycle: Cycle, number: int) -> list[tuple[tuple[int, int] | None, int]]:
    if cycle.model.config.mixer != "conv":
        return [(None, number)]
    return [(size, n) for size, n in zip(SIZES, _shares(number), strict=True) if n]


def _puzzles(cycle: Cycle, task: str, size: tuple[int, int] | None, number: int) -> Inputs:
    """Puzzles that the task makes."""
    form = get_task(task, cycle.model.config.vocab_size)
    made = form.generate_sized(form.difficulties[0], SEED, size)
    puzzles = list(islice(made, number))
    encoded = [form.encode(puzzle.grid, puzzle.extra) for puzzle in puzzles]
    return {"tokens": torch.from_numpy(np.stack(encoded))}


def _planes(
    model: PlanesModel, size: tuple[int, int], number: int, rng: np.random.Generator
) -> Inputs:
    """Grids of random symbols, a plane for each of them and for the outside."""
    config = model.config
    planes = min(4, config.vocab_size)
    inputs = {
        "tokens": rng.integers(0, planes, (number, *size)),
        "palette": np.tile(np.arange(planes), (number, 1)),
        "symmetries": rng.integers(0, config.symmetries, number),
        "puzzle_ids": rng.integers(0, config.num_puzzles, number),
    }
    return {name: torch.from_numpy(values) for name, values in inputs.items()}
