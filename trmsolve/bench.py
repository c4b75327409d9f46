"""How fast a network trains or solves here, beside what the same machine makes of plain matrix products.

A step is one improvement cycle of a whole batch, in training with all that is learned from it.
Floating point operations are those of the uncompiled step in matrix products and attention, forward
and backward, a multiplication and an addition each being one; Muon's Newton-Schulz products are
among them. Not counted: norms, activations, averages, losses, Adam, and what a fused attention
computes again in its backward. They are counted on the CPU for one and two rows, from which follow
those of any batch. Knows the trainer and the refine loop; nothing of commands or terminals.
"""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
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
"""A right answer where making puzzles takes long: its symmetries with cells blanked cost a network as much."""

EXAMPLES = 256
WARM_UP, PROFILED = 3, 3  # steps
ROUNDS = 8  # of steps with products between them, a fifth as long, so that a busy machine slows both alike
ON_CPU = Placement(torch.device("cpu"), torch.float32, "")
SIDES = {"cpu": 1024, "mps": 4096, "cuda": 8192}  # of a product that keeps the device busy
PRODUCTS = ("mm", "addmm", "bmm", "baddbmm", "mkldnn_linear")
COPIES = ("copy_", "cat", "index", "gather", "_index_put_impl_", "index_put_", "scatter_")
COMPILED = ("triton_", "Torch-Compiled", "CompiledF", "## Call")
Figures = dict[str, Any]
Step = Callable[[], object]


def bench_training(
    task: str, recipe: Recipe, placement: Placement, compiled: bool, seconds: float
) -> Figures:
    """Train a fresh network for about ``seconds`` after a warm-up: a record of rates per second and what they are of.

    The pool is spread over all its cycles, as in the middle of a run; puzzles halt as those of a
    network that has just begun to learn. Raises UsageError for an unknown task.
    """
    room = get_task(task, recipe.config.vocab_size)
    trainer, step = _training(room, recipe, placement, compiled)
    halted = torch.zeros((), dtype=torch.long, device=placement.device)

    def counted() -> None:
        step()
        halted.add_(trainer.pool.halted.sum())

    def begin() -> None:
        trainer.pool.cycles.copy_(torch.arange(recipe.batch_size) % recipe.max_cycles)
        halted.zero_()

    tiny = (
        _training(room, replace(recipe, batch_size=rows), ON_CPU, compiled=False)[1]
        for rows in (1, 2)
    )
    one, two = map(count_flop, tiny)
    flop = one + (two - one) * (
        recipe.batch_size - 1
    )  # what does not grow with the batch is Muon's
    figures = time_steps(counted, recipe.batch_size, flop, placement, seconds, begin)
    figures["puzzles_per_second"] = halted.item() / figures["seconds"]
    trainer.phase = lambda name: record_function(f"bench.{name}")
    figures["breakdown"] = break_down(step, placement.device)
    return _where(task, "train", placement, compiled, trainer.model) | figures


def bench_solving(
    task: str,
    model: TinyRecursiveModel,
    placement: Placement,
    batch_size: int,
    compiled: bool,
    seconds: float,
) -> Figures:
    """Refine puzzles for about ``seconds``, half of them a puzzle at a time, which is the entry ``single``.

    Every row runs all its cycles, as in a first view that nothing ends early. Raises UsageError as
    ``bench_training``.
    """
    room, measured = get_task(task, model.config.vocab_size), list[Figures]()
    if compiled:
        model.L_level.compile(dynamic=False)
    for rows in (1, batch_size):
        step = _solving(room, model, rows)
        figures = time_steps(step, rows, rows * count_cycle(model.config), placement, seconds / 2)
        figures["puzzles_per_second"] = figures["examples_per_second"] / MAX_CYCLES
        measured.append(figures | {"breakdown": break_down(step, placement.device)})
    return _where(task, "solve", placement, compiled, model) | measured[1] | {"single": measured[0]}


def make_examples(room: Task) -> Examples:
    """Symmetries of one answer, a third to two thirds of the cells blank, or else what the task makes."""
    if room.name not in SOLVED:
        return Examples.collect(room, islice(room.generate(room.difficulties[0], seed=0), EXAMPLES))
    rng, solved = np.random.default_rng(0), np.array(list(SOLVED[room.name]), np.int8).reshape(9, 9)
    views, tokens = room.views(Puzzle(solved), rng), room.encode(solved)
    turned = (room.decode(view.apply(tokens), solved.shape) for view in islice(views, EXAMPLES))
    answers = np.stack(list(turned))
    blank = rng.random(answers.shape) < rng.uniform(1 / 3, 2 / 3, (EXAMPLES, 1, 1))
    return Examples(np.where(blank, 0, answers).astype(np.int8), answers, np.full(EXAMPLES, -1))


def count_cycle(config: TRMConfig) -> int:
    """Floating point operations of one improvement cycle of one puzzle, without learning."""
    model, tokens = new_model(config), torch.zeros(1, *config.places, dtype=torch.long)
    with torch.no_grad():
        return count_flop(lambda: model(model.initial_state(1), tokens))


def count_flop(work: Callable[[], Any]) -> int:
    """Floating point operations of uncompiled ``work`` in matrix products and attention."""
    # Torch's counter knows no fused attention of the CPU; taken apart, it is products that it
    # knows.
    with sdpa_kernel(SDPBackend.MATH), FlopCounterMode(display=False) as counter:
        work()
    return int(counter.get_total_flops())


def time_steps(
    step: Step,
    rows: int,
    flop: int,
    placement: Placement,
    seconds: float,
    begin: Step = lambda: None,
) -> Figures:
    """Take steps, each of ``rows`` puzzles and ``flop`` operations, for about ``seconds`` and at least one.

    Plain products are timed before, between and after them. ``begin`` is called when the warm-up is
    over.
    """
    device = placement.device
    start = _now(device)
    for _ in range(WARM_UP):
        step()
    warm_up = _now(device) - start
    begin()
    products, spent, steps = [product_rate(placement, seconds / ROUNDS / 5)], 0.0, 0
    while spent < seconds:
        start, part = _now(device), min(seconds / ROUNDS, seconds - spent)
        while steps == 0 or time.perf_counter() - start < part:
            step()
            steps += 1
        spent += _now(device) - start
        products.append(product_rate(placement, seconds / ROUNDS / 5))
    rate, machine = steps / spent, median(products)
    return {
        "batch_size": rows,
        "warm_up_seconds": warm_up,
        "seconds": spent,
        "steps": steps,
        "steps_per_second": rate,
        "examples_per_second": rate * rows,
        "flop_per_step": flop,
        "flop_per_second": rate * flop,
        "matmul_flop_per_second": machine,
        "fraction": rate * flop / machine,
    }


def product_rate(placement: Placement, seconds: float) -> float:
    """FLOP/s of products of two large square matrices in the placement's dtype, one after the other for ``seconds``."""
    device, side, products = placement.device, SIDES[placement.device.type], 0
    a, b = (torch.randn(side, side, device=device).to(placement.dtype) for _ in range(2))
    torch.mm(a, b)
    start = _now(device)
    while products == 0 or _now(device) - start < seconds:
        torch.mm(a, b)
        products += 1
    return 2 * side**3 * products / (_now(device) - start)


def break_down(step: Step, device: torch.device) -> dict[str, float]:
    """Fractions of the time of a few steps by what it went into, the largest first; {} where torch cannot tell.

    What runs inside a labelled phase is its, all else goes by kind of operation, forward and
    backward together; "other" is the interpreter, autograd and waiting. Of a GPU it is its own
    time. Being watched makes small operations slower.
    """
    if device.type not in ("cpu", "cuda"):
        return {}
    gpu = device.type == "cuda"
    with profile(
        activities=[ProfilerActivity.CPU, *([ProfilerActivity.CUDA] if gpu else [])]
    ) as profiler:
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
    above: FunctionEvent | None = event
    while above is not None:
        if above.name.startswith(("Optimizer.", "bench.")):
            return (
                "optimizer"
                if above.name.startswith("Optimizer.")
                else above.name.removeprefix("bench.")
            )
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
    room: Task, recipe: Recipe, placement: Placement, compiled: bool
) -> tuple[Trainer, Step]:
    sampler = Sampler(
        room,
        make_examples(room),
        placement.device,
        rows=recipe.batch_size,
        reveal=recipe.reveal_prob,
        stages=recipe.config.rewrites,
    )
    trainer = Trainer(recipe, placement.device, placement.dtype, compiled)
    return trainer, lambda: trainer.step(sampler, 0.5)  # at the depth and the rate of half of a run


def _solving(room: Task, model: TinyRecursiveModel, rows: int) -> Step:
    """One call is one improvement cycle of ``rows`` puzzles, with all that a solver does in it but views."""
    examples = make_examples(room)
    encoded = room.encode(examples.questions, examples.extras)
    puzzles = examples.puzzles("bench")

    @record_function("bench.rules")
    def accept(key: int, tokens: Any) -> bool:
        puzzle = puzzles[key]
        room.verify(puzzle, room.decode(tokens, puzzle.grid.shape))
        return False

    questions: Iterator[Question] = (
        Question(n % EXAMPLES, encoded[n % EXAMPLES], seed=n) for n in count()
    )
    steps = refine(
        model, questions, accept, batch_size=rows, max_cycles=MAX_CYCLES, stop_early=False
    )

    def cycle() -> None:
        for _ in range(rows):
            next(steps)

    return cycle


def _where(
    task: str, mode: str, placement: Placement, compiled: bool, model: TinyRecursiveModel
) -> Figures:
    where = {
        "device": str(placement.device),
        "dtype": placement.dtype_name,
        "threads": placement.threads,
    }
    return {
        "task": task,
        "mode": mode,
        **where,
        "compiled": compiled,
        "parameters": model.parameter_count(),
    }


def _now(device: torch.device) -> float:
    """Seconds, read when the device has done all it was given."""
    if device.type != "cpu":
        torch.accelerator.synchronize(device)
    return time.perf_counter()
