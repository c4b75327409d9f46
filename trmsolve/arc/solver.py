"""From ARC tasks to two attempts each: learn the task, then let many answers vote.

Without named weights, copies of two kinds learn a task and vote: most from nothing, some from the
bundled weights. With weights that network alone is adapted. Knows weights and the three kinds of
solver; prints nothing and opens no task file. Training code is imported only for test-time
training.
"""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch

from trmsolve.arc.adaptation import Budget
from trmsolve.arc.ensemble.plan import has_time_for_trunk
from trmsolve.arc.ensemble.solver import EnsembleSolver
from trmsolve.arc.options import ArcOptions
from trmsolve.arc.paper.solver import PaperSolver
from trmsolve.arc.planes.canvas import SYMBOLS
from trmsolve.arc.planes.solver import PlanesSolver
from trmsolve.arc.symmetry import SYMMETRIES
from trmsolve.arc.task import LARGEST
from trmsolve.device import Placement, choose_placement
from trmsolve.errors import UsageError, WeightsError
from trmsolve.solve.effort import MAX_CYCLES, Effort
from trmsolve.weights.catalog import resolve
from trmsolve.weights.file import fingerprint, load_model, read_info

BUDGET_CPU, BUDGET_GPU = 300.0, 60.0
"""Seconds for a task where nobody says."""

PLANES = (SYMBOLS, len(SYMMETRIES), (LARGEST, LARGEST))
"""What a planes network must be made for: symbols, symmetries, rows and columns of a grid."""


NO_WEIGHTS = "none"
"""The name to give as weights if all copies are to learn from nothing."""

ArcSolver = EnsembleSolver | PlanesSolver | PaperSolver


def load_arc(  # noqa: PLR0913 (a library's function, with each option's type)
    *,
    weights: str | Path | None = None,
    offline: bool = False,
    allow_large: bool = False,
    note: Callable[[str], None] | None = None,
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
) -> ArcSolver:
    """A solver whose copies vote, or one with weights that are named as in ``load``.

    Without ``weights`` most copies learn a task from nothing, and some begin with the bundled
    weights. With "none" all of them learn from nothing.

    Adapted weights can be saved, asked under several ``views`` for several ``cycles``, adapt a
    ``batch`` of tasks together, and run on a GPU. Whoever asks for one of these without naming
    weights gets a solver with the bundled ones, and ``note`` is told. The weights are never
    changed. ``note`` is also told before something is fetched.

    ``budget`` is in seconds a task, by default 60 on a GPU and 300 on a CPU. With ``steps`` a task
    is learned for exactly so many, whatever the clock says, and the same seed gives the same
    answers. The other options are those of ``ArcOptions``; ``views`` are symmetries of the square,
    for weights in the paper's form variants of the task.

    Raises:
        WeightsError: If the weights are missing, damaged or another task's.
        UsageError: For impossible options.
    """
    for name, value in (("budget", budget), ("steps", steps)):
        if value is not None and not 0 < value < float("inf"):
            raise UsageError(f"{name} must be above 0, not {value!r}")
    # Raises UsageError for what cannot be tried.
    Effort(cycles, 1 if views is None else views, batch, seed)
    if save_adapted is not None and batch > 1:
        raise UsageError("save_adapted saves one network: adapt one task at a time")
    if weights in (None, NO_WEIGHTS):
        option = _needs_weights(cycles, views, batch, save_adapted, device)
        if option is None:
            limit = Budget(BUDGET_CPU if budget is None else budget, steps)
            options = ArcOptions(limit, seed=seed, keep_steps=keep_steps)
            return _ensemble_solver(options, threads, dtype, trained=weights is None)
        if weights is not None:
            raise UsageError(f"{option} needs weights, and --weights {NO_WEIGHTS} uses none")
        if note is not None:
            note(
                f"{option} is for weights alone: the bundled ones are adapted. Without it, copies "
                "that learn from nothing vote too, and more tasks are answered"
            )
    placement = choose_placement(device, dtype, threads)
    path = resolve(weights, "arc", offline=offline, allow_large=allow_large, note=note)
    _check_target(save_adapted, path)
    if budget is None:
        budget = BUDGET_CPU if placement.device.type == "cpu" else BUDGET_GPU
    options = ArcOptions(
        budget=Budget(budget, steps),
        cycles=cycles,
        views=views,
        batch=batch,
        seed=seed,
        keep_steps=keep_steps,
        save_adapted=save_adapted,
    )
    if read_info(path).config.mixer == "planes":
        return _planes_solver(path, placement, options, allow_large)
    return _paper_solver(path, placement, options, allow_large)


def _ensemble_solver(
    options: ArcOptions, threads: int | None, dtype: str, trained: bool
) -> EnsembleSolver:
    """A solver whose copies learn from nothing; if it is ``trained``, some begin with weights."""
    if not trained or not has_time_for_trunk(options.budget):
        placement = choose_placement("cpu", "fp32", threads)
        reason = f"cpu ({placement.threads} threads), fp32: compression knows nothing else"
        return EnsembleSolver(replace(placement, reason=reason), options)
    placement = choose_placement("cpu", dtype, threads)
    reason = (
        f"cpu ({placement.threads} threads), {placement.dtype_name} for copies of the weights, "
        "fp32 for the others"
    )
    placement = replace(placement, reason=reason)
    path = resolve(None, "arc")
    name = f"{_name(path)} and copies that learn from nothing"
    return EnsembleSolver(placement, options, path, name)


def _needs_weights(
    cycles: int, views: int | None, batch: int, save_adapted: Path | None, device: str
) -> str | None:
    """The option of the command that only a network with weights has, if one is given."""
    if save_adapted is not None:
        return "--save-adapted"
    if views is not None:
        return "--views"
    if batch > 1:
        return "--batch-size"
    if cycles != MAX_CYCLES:
        return "--cycles"
    if device not in ("auto", "cpu"):
        return f"--device {device}"
    return None


def _planes_solver(
    path: Path, placement: Placement, options: ArcOptions, allow_large: bool
) -> PlanesSolver:
    views = options.views
    if views is not None and not 1 <= views <= len(SYMMETRIES):
        raise UsageError(
            f"views must be from 1 to {len(SYMMETRIES)}, the symmetries of the square, not {views}"
        )
    model = load_model(path, "arc", torch.float32, placement.device, allow_large=allow_large)
    if (model.config.vocab_size, model.config.symmetries, model.config.spatial_shape) != PLANES:
        raise WeightsError(
            f"{path} does not fit ARC, which needs {SYMBOLS} symbols on up to {LARGEST} "
            f"x {LARGEST} cells"
        )
    model.dtype = placement.dtype
    return PlanesSolver(model, placement, options, _name(path))


def _paper_solver(
    path: Path, placement: Placement, options: ArcOptions, allow_large: bool
) -> PaperSolver:
    if options.batch > 1 or options.save_adapted is not None:
        raise UsageError(
            f"{path} is a network as in the paper: it takes one task at a time and "
            "cannot be saved after adaptation"
        )
    name = _name(path)
    return PaperSolver(path, placement, options, name, allow_large=allow_large)


def _check_target(save_adapted: Path | None, weights: Path) -> None:
    """Raise UsageError if saving the adapted network would replace the weights."""
    if save_adapted is None or not save_adapted.exists() or not weights.exists():
        return
    if save_adapted.samefile(weights):
        raise UsageError(f"save_adapted would replace the weights {weights}: choose another file")


def _name(path: Path) -> str:
    """What is recorded of the weights: the file's name, and the beginning of its fingerprint."""
    return f"{path.name}@{fingerprint(path)[:12]}"
