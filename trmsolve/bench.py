"""Measures how fast a network trains or solves, next to the machine's rate of matrix products.

A step is one improvement cycle of a whole batch; in training it includes the learning. Floating
point operations (FLOP) are those of the uncompiled step in matrix products and attention, forward
and backward. A multiplication and an addition count as one each. Muon's Newton-Schulz products are
included. Norms, activations, averages, losses, Adam, and what a fused attention computes again in
its backward pass are not. The operations are counted on the CPU for one row and for two; those of
any batch follow from the two counts.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import count, islice
from statistics import median
from typing import Any

import numpy as np
import torch
from torch.autograd.profiler_util import FunctionEvent
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.profiler import ProfilerActivity, profile, record_function
from torch.utils.flop_counter import FlopCounterMode

from trmsolve.device import Placement
from trmsolve.model.build import new_model
from trmsolve.model.config import TRMConfig
from trmsolve.model.network import TinyRecursiveModel
from trmsolve.puzzles import get_task
from trmsolve.puzzles.base import Task
from trmsolve.puzzles.values import Puzzle
from trmsolve.solve.effort import MAX_CYCLES
from trmsolve.solve.refine import Question, refine
from trmsolve.train.data import Examples, Sampler
from trmsolve.train.recipes import Recipe
from trmsolve.train.trainer import Trainer

SOLVED = {
    "sudoku": "534678912672195348198342567859761423426853791713924856961537284287419635345286179"
}
"""A valid answer by task, where making puzzles takes long.

Symmetries of it with blanked cells cost a network as much as other puzzles do.
"""

EXAMPLES = 256  # puzzles that are made
WARM_UP = 3  # steps before the clock starts
PROFILED = 3  # steps that are profiled

ROUNDS = 8
"""Rounds of steps. Matrix products are timed between them, so that a busy machine slows both."""

PRODUCT_SHARE = 1 / 5
"""How long products are timed after a round, as a share of the round."""

ON_CPU = Placement(torch.device("cpu"), torch.float32, "")
SIDES = {"cpu": 1024, "mps": 4096, "cuda": 8192}
"""Sides of square matrices whose product keeps a device busy, by type of device."""

PRODUCTS = ("mm", "addmm", "bmm", "baddbmm", "mkldnn_linear")
COPIES = ("copy_", "cat", "index", "gather", "_index_put_impl_", "index_put_", "scatter_")
COMPILED = ("triton_", "Torch-Compiled", "CompiledF", "## Call")

Figures = dict[str, Any]
Step = Callable[[], object]


@dataclass(frozen=True)
class Setup:
    """Where and for how long something is measured."""

    placement: Placement
    compiled: bool
    seconds: float  # about so long, after a warm-up


@dataclass(frozen=True)
class Work:
    """Steps to time."""

    step: Step
    rows: int  # puzzles in a step
    flop: int  # floating point operations of a step
    begin: Step = lambda: None  # called when the warm-up is over


def bench_training(task: str, recipe: Recipe, setup: Setup) -> Figures:
    """Train a fresh network for a while and return rates per second with what they refer to.

    The rows of the pool are spread over all cycles, as in the middle of a run. Puzzles halt as
    those of a network that has just begun to learn. Raises UsageError for an unknown task.
    """
    placement = setup.placement
    puzzle_task = get_task(task, recipe.config.vocab_size)
    trainer, step = _training(puzzle_task, recipe, placement, setup.compiled)
    halted = torch.zeros((), dtype=torch.long, device=placement.device)

    def counted() -> None:
        step()
        halted.add_(trainer.pool.halted.sum())

    def begin() -> None:
        trainer.pool.cycles.copy_(torch.arange(recipe.batch_size) % recipe.max_cycles)
        halted.zero_()

    flop = _training_flop(puzzle_task, recipe)
    work = Work(counted, recipe.batch_size, flop, begin)
    figures = time_steps(work, placement, setup.seconds)
    figures["puzzles_per_second"] = halted.item() / figures["seconds"]
    trainer.phase = lambda name: record_function(f"bench.{name}")
    figures["breakdown"] = break_down(step, placement.device)
    return _where(task, "train", setup, trainer.model) | figures


def bench_solving(task: str, model: TinyRecursiveModel, setup: Setup, batch_size: int) -> Figures:
    """Refine puzzles for a while and return rates per second with what they refer to.

    Half of the time one puzzle is refined at a time; the entry ``single`` has those figures. Every
    row runs all its cycles, as in a first view that nothing ends early. Raises UsageError for an
    unknown task.
    """
    device = setup.placement.device
    puzzle_task = get_task(task, model.config.vocab_size)
    if setup.compiled:
        model.L_level.compile(dynamic=False)
    measured: list[Figures] = []
    for rows in (1, batch_size):
        step = _solving(puzzle_task, model, rows)
        work = Work(step, rows, rows * count_cycle(model.config))
        figures = time_steps(work, setup.placement, setup.seconds / 2)
        figures["puzzles_per_second"] = figures["examples_per_second"] / MAX_CYCLES
        figures["breakdown"] = break_down(step, device)
        measured.append(figures)
    single, batch = measured
    return _where(task, "solve", setup, model) | batch | {"single": single}


def make_examples(task: Task) -> Examples:
    """Make puzzles of a task: symmetries of one answer where there is one, else generated ones.

    A third to two thirds of the cells of a symmetry are blank.
    """
    if task.name not in SOLVED:
        puzzles = task.generate(task.difficulties[0], seed=0)
        return Examples.collect(task, islice(puzzles, EXAMPLES))
    rng = np.random.default_rng(0)
    solved = np.array(list(SOLVED[task.name]), np.int8).reshape(9, 9)
    tokens = task.encode(solved)
    turned = []
    for view in islice(task.views(Puzzle(solved), rng), EXAMPLES):
        turned.append(task.decode(view.apply(tokens), solved.shape))
    answers = np.stack(turned)
    draws = rng.random(answers.shape)
    blank = draws < rng.uniform(1 / 3, 2 / 3, (EXAMPLES, 1, 1))
    questions = np.where(blank, 0, answers).astype(np.int8)
    return Examples(questions, answers, np.full(EXAMPLES, -1))


def count_cycle(config: TRMConfig) -> int:
    """Count the floating point operations of one improvement cycle of one puzzle, not learning."""
    model = new_model(config)
    tokens = torch.zeros(1, *config.spatial_shape, dtype=torch.long)
    with torch.no_grad():
        return count_flop(lambda: model(model.initial_state(1), tokens))


def count_flop(work: Callable[[], Any]) -> int:
    """Count the floating point operations of ``work`` in matrix products and attention."""
    # Torch's counter does not know the fused attention of the CPU. The math backend computes
    # attention by products that it does know.
    with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
        work()
    return int(counter.get_total_flops())


def time_steps(work: Work, placement: Placement, seconds: float) -> Figures:
    """Take steps for about ``seconds``, at least one; matrix products are timed in between."""
    device = placement.device
    start = _now(device)
    for _ in range(WARM_UP):
        work.step()
    warm_up = _now(device) - start
    work.begin()
    round_seconds = seconds / ROUNDS
    product_seconds = round_seconds * PRODUCT_SHARE
    products = [product_rate(placement, product_seconds)]
    spent = 0.0
    steps = 0
    while spent < seconds:
        start = _now(device)
        part = min(round_seconds, seconds - spent)
        while steps == 0 or time.perf_counter() - start < part:
            work.step()
            steps += 1
        spent += _now(device) - start
        products.append(product_rate(placement, product_seconds))
    rate = steps / spent
    machine = median(products)
    return {
        "batch_size": work.rows,
        "warm_up_seconds": warm_up,
        "seconds": spent,
        "steps": steps,
        "steps_per_second": rate,
        "examples_per_second": rate * work.rows,
        "flop_per_step": work.flop,
        "flop_per_second": rate * work.flop,
        "matmul_flop_per_second": machine,
        "fraction": rate * work.flop / machine,
    }


def product_rate(placement: Placement, seconds: float) -> float:
    """Measure the FLOP/s of products of two large square matrices in the placement's dtype."""
    device = placement.device
    side = SIDES[device.type]
    a = torch.randn(side, side, device=device).to(placement.dtype)
    b = torch.randn(side, side, device=device).to(placement.dtype)
    torch.mm(a, b)
    products = 0
    start = _now(device)
    while products == 0 or _now(device) - start < seconds:
        torch.mm(a, b)
        products += 1
    return 2 * side**3 * products / (_now(device) - start)


def break_down(step: Step, device: torch.device) -> dict[str, float]:
    """Break the time of a few steps down by what it was spent on: fractions, the largest first.

    What runs inside a labelled phase counts as that phase. All else counts by kind of operation,
    forward and backward together. "other" is the interpreter, autograd and waiting. On a GPU its
    own time is measured. Profiling makes small operations slower. The result is empty on a device
    that torch cannot profile.
    """
    if device.type not in ("cpu", "cuda"):
        return {}
    gpu = device.type == "cuda"
    activities = [ProfilerActivity.CPU]
    if gpu:
        activities.append(ProfilerActivity.CUDA)
    with profile(activities=activities) as profiler:
        start = _now(device)
        for _ in range(PROFILED):
            step()
        wall = _now(device) - start
    spent: Counter[str] = Counter()
    for event in profiler.events() or ():
        if event.device_type == torch.profiler.DeviceType.CPU:
            own = event.self_device_time_total if gpu else event.self_cpu_time_total
            spent[_kind(event)] += own  # microseconds
    spent["other"] += max(0, round(wall * 1e6) - spent.total())
    return {kind: round(own / spent.total(), 4) for kind, own in spent.most_common() if own > 0}


def _kind(event: FunctionEvent) -> str:
    """What an operation counts as: its phase if it has one, else its kind."""
    above: FunctionEvent | None = event
    while above is not None:
        if above.name.startswith("Optimizer."):
            return "optimizer"
        if above.name.startswith("bench."):
            return above.name.removeprefix("bench.")
        above = above.cpu_parent
    if event.name.startswith(COMPILED):
        return "compiled kernels"
    own = event.name.removeprefix("aten::")
    if own in PRODUCTS or "scaled_dot_product" in own:
        return "matrix products"
    if own in COPIES:
        return "copies and casts"
    return "norms and elementwise" if own != event.name else "other"


def _training(
    task: Task, recipe: Recipe, placement: Placement, compiled: bool
) -> tuple[Trainer, Step]:
    """A fresh trainer, and a call that trains one step."""
    sampler = Sampler(
        task,
        make_examples(task),
        placement.device,
        rows=recipe.batch_size,
        reveal=recipe.reveal_prob,
        stages=recipe.config.feeds_back_answer,
    )
    trainer = Trainer(recipe, placement.device, placement.dtype, compiled)
    # 0.5 asks for the depth and the learning rate in the middle of a run.
    return trainer, lambda: trainer.step(sampler, 0.5)


def _training_flop(task: Task, recipe: Recipe) -> int:
    """The floating point operations of a step of training."""
    counts = []
    for rows in (1, 2):
        _, step = _training(task, replace(recipe, batch_size=rows), ON_CPU, compiled=False)
        counts.append(count_flop(step))
    one, two = counts
    # Muon's operations do not grow with the batch.
    return one + (two - one) * (recipe.batch_size - 1)


def _solving(task: Task, model: TinyRecursiveModel, rows: int) -> Step:
    """A call that refines ``rows`` puzzles by one cycle, with all that a solver does but views."""
    examples = make_examples(task)
    encoded = task.encode(examples.questions, examples.extras)
    puzzles = examples.puzzles("bench")

    @record_function("bench.rules")
    def accept(key: int, tokens: Any) -> bool:
        puzzle = puzzles[key]
        task.verify(puzzle, task.decode(tokens, puzzle.grid.shape))
        return False

    def questions() -> Iterator[Question]:
        for number in count():
            key = number % EXAMPLES
            yield Question(key, encoded[key], seed=number)

    steps = refine(
        model, questions(), accept, batch_size=rows, max_cycles=MAX_CYCLES, stop_early=False
    )

    def cycle() -> None:
        for _ in range(rows):
            next(steps)

    return cycle


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


def _now(device: torch.device) -> float:
    """Seconds, read when the device has finished all its work."""
    if device.type != "cpu":
        torch.accelerator.synchronize(device)
    return time.perf_counter()
