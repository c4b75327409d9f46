"""What a run is about, as the run sees it: something that begins learning, and a learning that steps and is judged.

The clock, the journal, the checkpoints and the weights' file are the run's (``loop``) and the same
for all; what is learned from, how, and what it is judged by differ, and are behind these two
protocols. ``puzzle_run`` has them for grid puzzles, ``arc_run`` for ARC.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol

from torch import Tensor

from trmsolve.device import Placement
from trmsolve.model.network import TinyRecursiveModel
from trmsolve.train.distributed import World
from trmsolve.train.loss import Loss
from trmsolve.train.plan import Plan
from trmsolve.train.recipes import Recipe

Judging = Callable[[int, int], None]
"""Told how many of the held-out examples are judged so far, and how many there are.

It may be told the same again. An exception that it raises ends the judging, and leaves the learning
as it is.
"""


def say_nothing(judged: int, of: int) -> None:
    """For those who do not want to know."""


class Learning(Protocol):
    """A network that learns.

    All that its next steps depend on, besides chance, goes in and out as tensors.
    """

    @property
    def halted(self) -> Tensor:
        """(B,) bool: which rows of the last step were at their end."""

    @property
    def cycles(self) -> Tensor:
        """(B,): how many cycles each row of the last step has had."""

    def begin_with(self, model: TinyRecursiveModel) -> None:
        """Take over the weights of ``model``, whose shapes must be the recipe's."""

    def step(self, done: float) -> Loss:
        """One step at the fraction ``done`` of the run.

        Raises TrainingError if the loss is not finite.
        """

    def averaged(self) -> dict[str, Tensor]:
        """The weights that are used: the model's tensors, averaged."""

    def judge(self, weights: dict[str, Tensor], told: Judging = say_nothing) -> float | None:
        """The fraction of the held-out examples that these weights answer exactly; None if nothing is held out.

        ``told`` hears how far it is, before each batch and at the end. Its exceptions pass through.
        """

    def state(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """Tensors, and plain numbers. For every process.

        Raises TrainingError if the weights are not finite.
        """

    def restore(self, tensors: dict[str, Tensor], numbers: dict[str, Any]) -> None:
        """Go on where ``state`` was taken. Raises CheckpointError if it is of another recipe."""


class Subject(Protocol):
    """What is to be learned."""

    @property
    def name(self) -> str:
        """The task's name, and that of the weights' file."""

    @property
    def summary(self) -> str:
        """How much there is to learn from, in a few words."""

    def facts(self) -> dict[str, Any]:
        """What the run's record keeps of it, as JSON; ``examples`` is the same for the same data and for no other."""

    def begin(
        self, recipe: Recipe, plan: Plan, placement: Placement, compiled: bool, world: World
    ) -> Learning:
        """A network at its start, drawn by torch's own chance.

        Raises UsageError for a recipe of another subject.
        """

    @property
    def beside(self) -> tuple[str, ...]:
        """The names of the files that the weights cannot be used without."""

    def write_beside(self, folder: Path) -> None:
        """Write these files."""
