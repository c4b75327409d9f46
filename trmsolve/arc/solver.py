"""From ARC tasks to two attempts each: learn the task, let copies of the network vote under every symmetry.

Knows weights, learning and votes; prints nothing and opens no task file.
"""

from collections.abc import Callable
from pathlib import Path

import torch

from trmsolve.arc.adaptation import Budget
from trmsolve.arc.paper.solver import TableSolver
from trmsolve.arc.planes.canvas import SYMBOLS
from trmsolve.arc.planes.solver import ArcSolver
from trmsolve.arc.symmetry import SYMMETRIES
from trmsolve.arc.task import LARGEST
from trmsolve.device import choose_placement
from trmsolve.errors import UsageError, WeightsError
from trmsolve.hub.transfer import silent
from trmsolve.solve.effort import MAX_CYCLES, Effort
from trmsolve.weights.catalog import locate
from trmsolve.weights.file import fingerprint, load_model, read_info

BUDGET_CPU, BUDGET_GPU = 300.0, 60.0
"""Seconds for a task where nobody says."""


PLANES = (SYMBOLS, len(SYMMETRIES), (LARGEST, LARGEST))
"""What a network has to have been made for: symbols, symmetries, and rows and columns of the largest grid."""


def load_arc(
    *,
    weights: str | Path | None = None,
    offline: bool = False,
    allow_large: bool = False,
    note: Callable[[str], None] = silent,
    budget: float | None = None,
    steps: int | None = None,
    cycles: int = MAX_CYCLES,
    views: int | None = None,
    batch: int = 1,
    seed: int = 0,
    device: str = "auto",
    dtype: str = "auto",
    threads: int | None = None,
    keep_steps: bool = False,
    save_adapted: Path | None = None,
) -> ArcSolver | TableSolver:
    """A solver with the bundled weights, or those that are named as ``load`` has it, which are never changed.

    ``budget`` is in seconds a task, default 60 on a GPU and 300 on a CPU; with ``steps`` a task is
    learned for exactly so many, whatever the clock says, and the same seed gives the same answers.
    ``views`` symmetries of the square vote; of weights in the paper's form, so many variants of the
    task. Raises WeightsError for weights that are missing, damaged or another task's, UsageError
    for impossible options.
    """
    for name, value in (("budget", budget), ("steps", steps)):
        if value is not None and not 0 < value < float("inf"):
            raise UsageError(f"{name} must be above 0, not {value!r}")
    Effort(
        cycles, 1 if views is None else views, batch, seed
    )  # raises UsageError for what cannot be tried
    if save_adapted is not None and batch > 1:
        raise UsageError("save_adapted keeps one network: adapt one task at a time")
    placement = choose_placement(device, dtype, threads)
    path = locate(weights, "arc", offline=offline, allow_large=allow_large, note=note)
    if (
        save_adapted is not None
        and save_adapted.exists()
        and path.exists()
        and save_adapted.samefile(path)
    ):
        raise UsageError(f"save_adapted would replace the weights {path}: name another file")
    if budget is None:
        budget = BUDGET_CPU if placement.device.type == "cpu" else BUDGET_GPU
    if read_info(path).config.mixer != "planes":
        if batch > 1 or save_adapted is not None:
            raise UsageError(
                f"{path} has the paper's form: it takes one task at a time, and none is kept"
            )
        return TableSolver(
            path,
            placement,
            Budget(budget, steps),
            cycles=cycles,
            views=views,
            seed=seed,
            keep_steps=keep_steps,
            weights=f"{path.name}@{fingerprint(path)[:12]}",
            allow_large=allow_large,
        )
    if views is not None and not 1 <= views <= len(SYMMETRIES):
        raise UsageError(
            f"views must be from 1 to {len(SYMMETRIES)}, the symmetries of the square, not {views}"
        )
    model = load_model(path, "arc", torch.float32, placement.device, allow_large=allow_large)
    if (model.config.vocab_size, model.config.symmetries, model.config.places) != PLANES:
        raise WeightsError(
            f"{path} has other planes than ARC: {PLANES[0]} symbols on up to {LARGEST} x {LARGEST} cells"
        )
    model.dtype = placement.dtype
    return ArcSolver(
        model,
        placement,
        Budget(budget, steps),
        cycles=cycles,
        views=views or len(SYMMETRIES),
        batch=batch,
        seed=seed,
        keep_steps=keep_steps,
        save_adapted=save_adapted,
        weights=f"{path.name}@{fingerprint(path)[:12]}",
    )
