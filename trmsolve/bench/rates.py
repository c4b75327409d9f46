"""How fast a network trains or solves, next to the machine's rate of matrix products."""

import time
from dataclasses import replace

from torch.profiler import record_function

from trmsolve.arc.compression.learning import CompressionLearner
from trmsolve.arc.compression.puzzle import CompressionPuzzle
from trmsolve.arc.compression.sizes import TaskSize, random_task
from trmsolve.bench.flops import count_flop
from trmsolve.bench.profile import break_down, can_profile, profile_operations
from trmsolve.bench.timing import Figures, Setup, Step, Told, Work, time_steps, time_together
from trmsolve.bench.workloads import (
    ON_CPU,
    Training,
    solving_step,
    solving_work,
    training_step,
    training_work,
)
from trmsolve.model.network import TinyRecursiveModel
from trmsolve.puzzles.base import Task
from trmsolve.puzzles.registry import get_task
from trmsolve.solve.effort import MAX_CYCLES
from trmsolve.train.recipes import Recipe

PROFILE_SHARE = 1 / 5
"""How long all breakdowns of the time may take, as a share of the measurement."""

LEAST_SECONDS = 0.01
"""How long steps are timed where the preparation has taken all the time."""

READING_SECONDS = 0.7
"""How long it takes at least to read what the profiler saw of one step."""


def bench_training(task: str, recipe: Recipe, setup: Setup) -> Figures:
    """Train a fresh network for a while and return rates per second with what they refer to.

    Raises UsageError for an unknown task.
    """
    begun = time.perf_counter()
    setup.told(0.0)
    training = training_work(_task_of(task, recipe), recipe, setup)
    seconds = _seconds_to_time(setup, 1, begun)
    figures = time_steps(training.work, setup.placement, seconds, setup.told)
    return _trained(task, training, setup, figures, parts=1)


def bench_solving(
    task: str,
    model: TinyRecursiveModel,
    setup: Setup,
    batch_size: int,
    recipe: Recipe | None = None,
) -> Figures:
    """Refine puzzles for a while and return rates per second with what they refer to.

    Steps with one puzzle alternate with steps of a batch; the entry ``single`` has the former. With
    a recipe they also alternate with steps of training it, which the entry ``training`` has. Raises
    UsageError for an unknown task.
    """
    begun = time.perf_counter()
    setup.told(0.0)
    if setup.compiled:
        model.L_level.compile(dynamic=False)
    works = [
        replace(work, compiles=setup.compiled) for work in solving_works(task, model, batch_size)
    ]
    training = None
    if recipe is not None:
        training = training_work(_task_of(task, recipe), recipe, setup)
    together = works if training is None else [*works, training.work]
    parts = len(together)
    seconds = _seconds_to_time(setup, parts, begun)
    measured = time_together(together, setup.placement, seconds, setup.told)
    for work, figures in zip(works, measured, strict=False):
        figures["puzzles_per_second"] = figures["examples_per_second"] / MAX_CYCLES
        figures["breakdown"] = _break_down(work, setup, figures, parts)
    single, batch = measured[:2]
    figures = _where(task, "solve", setup, model) | batch | {"single": single}
    if training is not None:
        figures["training"] = _trained(task, training, setup, measured[-1], parts)
    return figures


def profile_solving(
    task: str, model: TinyRecursiveModel, setup: Setup, batch_size: int
) -> Figures | None:
    """Which operations a cycle of a batch spends its time on; None if torch cannot tell."""
    if not can_profile(setup.placement.device):
        return None
    begun = time.perf_counter()
    if setup.compiled:
        model.L_level.compile(dynamic=False)
    step = solving_step(get_task(task, model.config.vocab_size), model, batch_size)
    figures = _profile(step, setup, begun)
    return _where(task, "solve", setup, model) | {"batch_size": batch_size} | figures


def profile_training(task: str, recipe: Recipe, setup: Setup) -> Figures | None:
    """Which operations a step of training spends its time on; None if torch cannot tell."""
    if not can_profile(setup.placement.device):
        return None
    begun = time.perf_counter()
    trainer, step = training_step(_task_of(task, recipe), recipe, setup.placement, setup.compiled)
    figures = _profile(step, setup, begun)
    where = _where(task, "train", setup, trainer.model)
    return where | {"batch_size": recipe.batch_size} | figures


def _profile(step: Step, setup: Setup, begun: float) -> Figures:
    """Profile a step in what is left of the time, if its preparation has ``begun`` at this time."""
    left = setup.seconds - (time.perf_counter() - begun)
    return profile_operations(step, setup.placement.device, left, setup.compiled)


def solving_works(task: str, model: TinyRecursiveModel, batch_size: int) -> list[Work]:
    """Cycles of one puzzle, and of a batch."""
    puzzle_task = get_task(task, model.config.vocab_size)
    return [solving_work(puzzle_task, model, rows) for rows in (1, batch_size)]


def bench_arc(size: TaskSize, seconds: float, told: Told = lambda _: None) -> Figures:
    """Learn an ARC task of this size from nothing for so long, in fp32 on this thread.

    Products count as FLOP; the compiled loops along the lines of a grid do not.
    """
    begun = time.perf_counter()
    learner = CompressionLearner(CompressionPuzzle(random_task(size)), seeds=[0])
    flop = count_flop(learner.step)
    left = max(seconds - (time.perf_counter() - begun), LEAST_SECONDS)
    return time_steps(Work(learner.step, 1, flop), ON_CPU, left, told)


def _trained(task: str, training: Training, setup: Setup, figures: Figures, parts: int) -> Figures:
    """The figures of training with finished puzzles, a breakdown, and what was measured."""
    finished = {"puzzles_per_second": training.halted.item() / figures["seconds"]}
    trainer = training.trainer
    trainer.phase = lambda name: record_function(f"bench.{name}")
    breakdown = {"breakdown": _break_down(training.work, setup, figures, parts)}
    return _where(task, "train", setup, trainer.model) | figures | finished | breakdown


def _seconds_to_time(setup: Setup, parts: int, begun: float) -> float:
    """How long steps may be timed, if the preparation of all parts has ``begun`` at this time."""
    seconds = setup.seconds - (time.perf_counter() - begun)
    breakdowns = setup.seconds * PROFILE_SHARE
    if breakdowns >= parts * READING_SECONDS:
        seconds -= breakdowns
    return max(seconds, LEAST_SECONDS)


def _break_down(work: Work, setup: Setup, figures: Figures, parts: int) -> dict[str, float]:
    """What the time was spent on; nothing if finding out would take long."""
    seconds = setup.seconds * PROFILE_SHARE / parts
    each = 1 / figures["steps_per_second"] + READING_SECONDS
    if seconds < each:
        return {}
    return break_down(work.step, setup.placement.device, seconds // each)


def _task_of(task: str, recipe: Recipe) -> Task:
    return get_task(task, recipe.config.vocab_size)


def _where(task: str, mode: str, setup: Setup, model: TinyRecursiveModel) -> Figures:
    """What was measured, and where."""
    return {
        "task": task,
        "mode": mode,
        "device": str(setup.placement.device),
        "dtype": setup.placement.dtype_name,
        "threads": setup.placement.threads,
        "compiled": setup.compiled,
        "parameters": model.parameter_count(),
    }
