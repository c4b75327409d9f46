"""Learning grid puzzles: examples in a pool, refilled from a sampler, judged in one view as the solver answers them.

Connects task, examples, trainer and evaluation. Knows no clock and no file.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from trmsolve.device import Placement
from trmsolve.errors import PuzzleError, UsageError
from trmsolve.model.build import new_model
from trmsolve.model.network import TinyRecursiveModel
from trmsolve.puzzles.base import Task
from trmsolve.puzzles.values import Answer
from trmsolve.solve.effort import MAX_CYCLES, Effort
from trmsolve.solve.evaluate import evaluate
from trmsolve.solve.solver import Solver, usual_batch_size
from trmsolve.train.base import Judging, say_nothing
from trmsolve.train.data import Examples, Sampler
from trmsolve.train.distributed import World
from trmsolve.train.loss import Loss
from trmsolve.train.plan import Plan
from trmsolve.train.pool import Batch
from trmsolve.train.recipes import Recipe
from trmsolve.train.state import misfit
from trmsolve.train.trainer import Trainer


class Supply(Protocol):
    """An endless supply for a pool; the next example of each row follows from ``visits``, how many it has had."""

    visits: NDArray[np.int64]

    def __call__(self, rows: Tensor) -> Batch:
        """As many examples as there are rows."""


class Pooled:
    """The learning of a pool that is refilled from a supply.

    ``exact`` judges a network of the file's precision.
    """

    def __init__(
        self,
        trainer: Trainer,
        supply: Supply,
        exact: Callable[[TinyRecursiveModel, Judging], float],
        placement: Placement,
        compiled: bool,
    ) -> None:
        self.trainer, self.supply, self.exact, self.world = trainer, supply, exact, trainer.world
        self.judged = new_model(trainer.recipe.config, placement.dtype).to(placement.device).eval()
        if compiled:  # its batch has another size, so it is compiled by itself
            self.judged.L_level.compile(dynamic=False)

    @property
    def halted(self) -> Tensor:
        return self.trainer.pool.halted

    @property
    def cycles(self) -> Tensor:
        return self.trainer.pool.cycles

    def begin_with(self, model: TinyRecursiveModel) -> None:
        self.trainer.begin_with(model)

    def step(self, done: float) -> Loss:
        return self.trainer.step(self.supply, done)

    def averaged(self) -> dict[str, Tensor]:
        return self.trainer.ema.state_dict(self.trainer.model)

    def judge(self, weights: dict[str, Tensor], told: Judging = say_nothing) -> float:
        self.judged.load_state_dict(weights)
        return self.exact(self.judged, told)

    def state(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        tensors, numbers = self.trainer.state()
        visits = torch.from_numpy(self.supply.visits.copy()).to(self.trainer.device)
        return {**tensors, "visits": self.world.gather(visits)}, numbers

    def restore(self, tensors: dict[str, Tensor], numbers: dict[str, Any]) -> None:
        self.trainer.restore(tensors, numbers)
        try:
            self.supply.visits[:] = self.world.part(tensors["visits"]).numpy()
        except (KeyError, ValueError) as error:
            raise misfit(error) from None


@dataclass(frozen=True, eq=False)
class PuzzleSubject:
    """Examples of a grid puzzle; ``shares`` say how much of each band of difficulty is drawn.

    With ``base_puzzles`` only so many of them are learned from, in all their symmetries.
    """

    task: Task
    examples: Examples
    shares: dict[str, float] | None = None
    base_puzzles: int | None = None
    beside = ()

    @property
    def name(self) -> str:
        return self.task.name

    @property
    def summary(self) -> str:
        few = f"{self.base_puzzles} base puzzles of " if self.base_puzzles else ""
        return f"{few}{len(self.examples)} puzzles"

    def facts(self) -> dict[str, Any]:
        return {"examples": self.examples.mark()}

    def begin(
        self, recipe: Recipe, plan: Plan, placement: Placement, compiled: bool, world: World
    ) -> Pooled:
        """Raises UsageError for a recipe of another task, PuzzleError for data whose own answers are wrong.

        What is held out is so of all examples, whatever is drawn from the rest.
        """
        _check_config(recipe, self.task)
        learned, kept = self.examples.split(self.task, plan.held_out)
        _check_answers(self.task, kept)
        if self.base_puzzles:
            learned = learned.draw(self.base_puzzles, plan.seed, self.shares)
        trainer = Trainer(recipe, placement.device, placement.dtype, compiled, world)
        rows, cycles = world.share(recipe.batch_size), min(recipe.max_cycles, MAX_CYCLES)
        sampler = Sampler(
            self.task,
            learned,
            placement.device,
            rows=rows,
            first_row=world.rank * rows,
            seed=plan.seed,
            reveal=recipe.reveal,
            stages=recipe.config.rewrites,
            shares=self.shares,
        )

        def exact(model: TinyRecursiveModel, told: Judging) -> float:
            return exact_rate(model, self.task, kept, placement, cycles, told)

        return Pooled(trainer, sampler, exact, placement, compiled)

    def write_beside(self, folder: Path) -> None:
        """Nothing: the weights say all themselves."""


def exact_rate(
    model: TinyRecursiveModel,
    task: Task,
    examples: Examples,
    placement: Placement,
    cycles: int,
    told: Judging = say_nothing,
) -> float:
    """The fraction of examples answered exactly after ``cycles`` improvement cycles in one view."""
    total = len(examples)
    effort = Effort(
        cycles,
        views=1,
        batch_size=even_batch(total, usual_batch_size(placement.device, task)),
    )
    puzzles = examples.puzzles("held out")
    answered = 0

    def count(answer: Answer) -> None:
        nonlocal answered
        answered += 1

    told(answered, total)
    solver = Solver(task, model, placement, effort)
    figures = evaluate(
        solver, puzzles, "held out", on_answer=count, on_step=lambda: told(answered, total)
    )
    return float(figures["exact"])


def even_batch(total: int, largest: int) -> int:
    """The size of the fewest equal batches: each other size is compiled by itself where the network is compiled."""
    batches = math.ceil(total / largest)
    return math.ceil(total / batches)


def _check_config(recipe: Recipe, task: Task) -> None:
    config = recipe.config
    has, needs = (
        (config.vocab_size, config.seq_len, config.candidates),
        (task.vocab_size, task.seq_len, task.candidates),
    )
    if has != needs:
        raise UsageError(
            f"the recipe's network has {has[0]} tokens on {has[1]} places and {has[2]} candidates a cell: {task.name} "
            f"has {needs[0]}, {needs[1]} and {needs[2]}"
        )
    if recipe.reveal and task.ruled:
        raise UsageError(
            f"reveal={recipe.reveal} gives cells of answers away: no {task.name} holds any, set it to 0"
        )


def _check_answers(task: Task, examples: Examples) -> None:
    """A wrong answer is told before the run and not at its first checkpoint."""
    for puzzle in examples.puzzles("data"):
        assert puzzle.answer is not None
        if not (verdict := task.verify(puzzle, puzzle.answer)).verified:
            grid = "".join(map(str, puzzle.grid.flatten().tolist()))
            raise PuzzleError(f"the data's own answer to {grid} is wrong: {verdict.reason}")
