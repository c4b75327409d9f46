"""Training on grid puzzles, judged in one view as the solver answers them.

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
from trmsolve.distributed import ProcessGroup
from trmsolve.errors import PuzzleError, UsageError
from trmsolve.model.build import new_model
from trmsolve.model.network import TinyRecursiveModel
from trmsolve.puzzles.base import Task
from trmsolve.puzzles.values import Answer
from trmsolve.solve.effort import MAX_CYCLES, Effort
from trmsolve.solve.evaluate import evaluate
from trmsolve.solve.network import default_batch_size
from trmsolve.solve.solver import Solver
from trmsolve.train.base import JudgingProgress, ignore_progress
from trmsolve.train.data import Examples, Sampler
from trmsolve.train.loss import Loss
from trmsolve.train.pool import Batch
from trmsolve.train.recipes import Recipe
from trmsolve.train.schedule import Schedule
from trmsolve.train.state import recipe_mismatch
from trmsolve.train.trainer import Trainer


class SampleSource(Protocol):
    """An endless supply of examples for a pool.

    The next example of each row follows from ``visits`` (rows,): how many the row has had.
    """

    visits: NDArray[np.int64]

    def __call__(self, rows: Tensor) -> Batch:
        """As many examples as there are rows."""


class PoolTrainer:
    """A network that trains on a pool, which is refilled from a supply.

    It is the ``TrainableNetwork`` of grid puzzles, and of ARC in the paper. ``exact`` returns the
    fraction of the held-out examples that a network of the file's precision answers exactly.
    """

    def __init__(
        self,
        trainer: Trainer,
        supply: SampleSource,
        exact: Callable[[TinyRecursiveModel, JudgingProgress], float],
        placement: Placement,
        compiled: bool,
    ) -> None:
        self.trainer = trainer
        self.supply = supply
        self.exact = exact
        self.group = trainer.group
        judged = new_model(trainer.recipe.config, placement.dtype)
        self.judged = judged.to(placement.device).eval()
        if compiled:  # its batch has another size, so it is compiled by itself
            self.judged.L_level.compile(dynamic=False)

    @property
    def halted(self) -> Tensor:
        """(B,) bool: which rows of the pool halted."""
        return self.trainer.pool.halted

    @property
    def cycles(self) -> Tensor:
        """(B,) int32: the cycles that each row of the pool has had."""
        return self.trainer.pool.cycles

    def init_from(self, model: TinyRecursiveModel) -> None:
        """Take over the weights of ``model``, whose shapes must be the recipe's."""
        self.trainer.init_from(model)

    def step(self, done: float) -> Loss:
        """Train one step at the fraction ``done`` of the run."""
        return self.trainer.step(self.supply, done)

    def averaged(self) -> dict[str, Tensor]:
        """The model's tensors, averaged."""
        return self.trainer.ema.state_dict(self.trainer.model)

    def evaluate_held_out(
        self, weights: dict[str, Tensor], told: JudgingProgress = ignore_progress
    ) -> float:
        """The fraction of the held-out examples that these weights answer exactly."""
        self.judged.load_state_dict(weights)
        return self.exact(self.judged, told)

    def state(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """The trainer's state, and ``visits``: where the supply stands for each row."""
        tensors, numbers = self.trainer.state()
        visits = torch.from_numpy(self.supply.visits.copy())
        visits = self.group.gather(visits.to(self.trainer.device))
        return {**tensors, "visits": visits}, numbers

    def restore(self, tensors: dict[str, Tensor], numbers: dict[str, Any]) -> None:
        """Go on where ``state`` was taken."""
        self.trainer.restore(tensors, numbers)
        try:
            self.supply.visits[:] = self.group.part(tensors["visits"]).numpy()
        except (KeyError, ValueError) as error:
            raise recipe_mismatch(error) from None


def _say_nothing(_: str) -> None:
    """The default of ``PuzzleTrainingData.note``."""


@dataclass(frozen=True, eq=False)
class PuzzleTrainingData:
    """Grid puzzles with their answers, to be learned."""

    task: Task
    examples: Examples
    # The share of each band of difficulty among the puzzles that are drawn; None draws all alike.
    shares: dict[str, float] | None = None
    # If given, only so many puzzles are learned from, under all their symmetries.
    base_puzzles: int | None = None
    # Hears of work that takes time before the first step, in one line.
    note: Callable[[str], None] = _say_nothing
    beside = ()

    @property
    def name(self) -> str:
        """The task's name."""
        return self.task.name

    @property
    def summary(self) -> str:
        """How many puzzles there are."""
        few = f"{self.base_puzzles} base puzzles of " if self.base_puzzles else ""
        return f"{few}{len(self.examples)} puzzles"

    def facts(self) -> dict[str, Any]:
        """A hash of the examples."""
        return {"examples": self.examples.content_hash()}

    def begin(
        self,
        recipe: Recipe,
        schedule: Schedule,
        placement: Placement,
        compiled: bool,
        group: ProcessGroup,
    ) -> PoolTrainer:
        """A network at its start.

        The held-out examples are chosen among all, and the base puzzles among the rest; from those
        others are derived if the recipe says so. Raises UsageError for a recipe of another task,
        PuzzleError for data whose own answers are wrong.
        """
        _check_config(recipe, self.task)
        learned, kept = self.examples.split(self.task, schedule.held_out)
        _check_answers(self.task, kept)
        if self.base_puzzles:
            learned = learned.draw(self.base_puzzles, schedule.seed, self.shares)
        if recipe.derivations:
            self.note(f"deriving up to {recipe.derivations} puzzles from each of {len(learned)}")
            learned = learned.with_derived(self.task, recipe.derivations, schedule.seed)
        trainer = Trainer(recipe, placement.device, placement.dtype, compiled, group)
        rows = group.share(recipe.batch_size)
        sampler = Sampler(
            self.task,
            learned,
            placement.device,
            rows=rows,
            first_row=group.rank * rows,
            seed=schedule.seed,
            reveal=recipe.reveal_prob,
            stages=recipe.config.feeds_back_answer,
            shares=self.shares,
        )
        held_out = HeldOut(self.task, kept, placement, min(recipe.max_cycles, MAX_CYCLES))
        return PoolTrainer(trainer, sampler, held_out.exact_rate, placement, compiled)

    def write_side_files(self, folder: Path) -> None:
        """Write nothing: the weights of grid puzzles need no other files."""


@dataclass(frozen=True, eq=False)
class HeldOut:
    """Puzzles that a network is judged by, and how it answers them."""

    task: Task
    examples: Examples
    placement: Placement
    # Improvement cycles for each puzzle, all in one view.
    cycles: int

    def exact_rate(
        self, model: TinyRecursiveModel, told: JudgingProgress = ignore_progress
    ) -> float:
        """The fraction of the puzzles that the network answers exactly."""
        total = len(self.examples)
        largest = default_batch_size(self.placement.device, self.task)
        size = even_batch(total, largest)
        effort = Effort(self.cycles, views=1, batch_size=size, remarks=False)
        answered = 0

        def count(_: Answer) -> None:
            nonlocal answered
            answered += 1

        told(answered, total)
        figures = evaluate(
            Solver(self.task, model, self.placement, effort),
            self.examples.puzzles("held out"),
            "held out",
            on_answer=count,
            on_step=lambda: told(answered, total),
        )
        return float(figures["exact"])


def even_batch(total: int, largest: int) -> int:
    """The batch size that divides ``total`` into the fewest batches of nearly equal sizes.

    A compiled network is compiled anew for each size.
    """
    batches = math.ceil(total / largest)
    return math.ceil(total / batches)


def _check_config(recipe: Recipe, task: Task) -> None:
    config = recipe.config
    has = (config.vocab_size, config.seq_len, config.candidates)
    needs = (task.vocab_size, task.seq_len, task.candidates)
    if has != needs:
        raise UsageError(
            f"the recipe's network has {has[0]} tokens, {has[1]} positions and {has[2]} "
            f"candidates per cell, but {task.name} needs {needs[0]}, {needs[1]} and "
            f"{needs[2]}"
        )
    if recipe.reveal_prob and task.has_canonical_label:
        raise UsageError(
            f"reveal_prob={recipe.reveal_prob} reveals cells of answers, which "
            f"{task.name} puzzles cannot contain: set it to 0"
        )
    if recipe.derivations and not task.derives:
        raise UsageError(
            f"derivations={recipe.derivations}: no {task.name} puzzles can be derived from others: "
            "set it to 0"
        )


def _check_answers(task: Task, examples: Examples) -> None:
    """Raise PuzzleError for a wrong answer now, and not at the first checkpoint."""
    for puzzle in examples.puzzles("data"):
        assert puzzle.answer is not None
        verdict = task.verify(puzzle, puzzle.answer)
        if not verdict.verified:
            grid = "".join(map(str, puzzle.grid.flatten().tolist()))
            raise PuzzleError(f"the answer in the data to {grid} is wrong: {verdict.reason}")
