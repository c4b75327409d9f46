"""The steps that are measured: a solving cycle and a training step, as the commands take them.

A step is one improvement cycle of a whole batch; in training it includes the learning.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cache
from itertools import count, islice
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.profiler import record_function

from trmsolve.bench.flops import count_cycle, count_flop
from trmsolve.bench.timing import Setup, Shape, Step, Work
from trmsolve.device import Placement
from trmsolve.model.network import Block, TinyRecursiveModel
from trmsolve.puzzles.base import Task
from trmsolve.puzzles.registry import get_task
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
ON_CPU = Placement(torch.device("cpu"), torch.float32, "")


@dataclass(frozen=True)
class Training:
    """A fresh network under training."""

    work: Work
    trainer: Trainer
    halted: Tensor  # how many puzzles have halted since the warm-up


def solving_work(task: Task, model: TinyRecursiveModel, rows: int) -> Work:
    """Steps that refine ``rows`` puzzles by one cycle.

    Every row runs all its cycles, as in a first view that nothing ends early.
    """
    flop = rows * count_cycle(model.config)
    return Work(solving_step(task, model, rows), rows, flop, shape=product_shape(model, rows))


def training_work(task: Task, recipe: Recipe, setup: Setup) -> Training:
    """Steps that train a fresh network of the recipe.

    The rows of the pool are spread over all cycles, as in the middle of a run. Puzzles halt as
    those of a network that has just begun to learn.
    """
    placement = setup.placement
    trainer, step = training_step(task, recipe, placement, setup.compiled)
    halted = torch.zeros((), dtype=torch.long, device=placement.device)

    def counted() -> None:
        step()
        halted.add_(trainer.pool.halted.sum())

    def begin() -> None:
        trainer.pool.cycles.copy_(torch.arange(recipe.batch_size) % recipe.max_cycles)
        halted.zero_()

    work = Work(
        counted,
        recipe.batch_size,
        _training_flop(task, recipe),
        begin,
        product_shape(trainer.model, recipe.batch_size),
        compiles=setup.compiled,
    )
    return Training(work, trainer, halted)


def product_shape(model: TinyRecursiveModel, rows: int) -> Shape:
    """The largest product that a block applies to every slot of ``rows`` puzzles: (m, k, n)."""
    block = model.L_level.layers[0]
    assert isinstance(block, Block)
    out_features, in_features = block.mlp.gate_up_proj.weight.shape
    slots = model.initial_state(1).y[0, ..., 0].numel()
    return rows * slots, in_features, out_features


def make_examples(task: Task) -> Examples:
    """Make puzzles of a task: symmetries of one answer where there is one, else generated ones.

    A third to two thirds of the cells of a symmetry are blank.
    """
    return _made_once(task.name, task.vocab_size, EXAMPLES)


@cache
def _made_once(name: str, vocab_size: int, number: int) -> Examples:
    """A batch of puzzles that stay as they are."""
    task = get_task(name, vocab_size)
    if name not in SOLVED:
        puzzles = task.generate(task.difficulties[0], seed=0)
        return Examples.collect(task, islice(puzzles, number))
    rng = np.random.default_rng(0)
    solved = np.array(list(SOLVED[name]), np.int8).reshape(9, 9)
    tokens = task.encode(solved)
    turned = []
    for view in islice(task.views(Puzzle(solved), rng), number):
        turned.append(task.decode(view.apply(tokens), solved.shape))
    answers = np.stack(turned)
    draws = rng.random(answers.shape)
    blank = draws < rng.uniform(1 / 3, 2 / 3, (number, 1, 1))
    questions = np.where(blank, 0, answers).astype(np.int8)
    return Examples(questions, answers, np.full(number, -1))


def training_step(
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
        _, step = training_step(task, replace(recipe, batch_size=rows), ON_CPU, compiled=False)
        counts.append(count_flop(step))
    one, two = counts
    # Muon's operations do not grow with the batch.
    return one + (two - one) * (recipe.batch_size - 1)


def solving_step(task: Task, model: TinyRecursiveModel, rows: int) -> Step:
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
