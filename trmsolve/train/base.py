"""What a run learns from and what it trains, as the run sees them: two protocols.

The clock, the metrics log, the checkpoints and the file of weights belong to the run (``run``), the
same for every task. What differs from task to task is behind these protocols. Grid puzzles have
them in ``puzzle_training``, ARC in ``arc.planes.training`` and ``arc.paper.training``.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

from torch import Tensor

from trmsolve.device import Placement
from trmsolve.distributed import ProcessGroup
from trmsolve.model.network import TinyRecursiveModel
from trmsolve.train.loss import Loss
from trmsolve.train.recipes import Recipe
from trmsolve.train.schedule import Schedule

JudgingProgress = Callable[[int, int], None]
"""Called with the number of held-out examples judged so far, and the number of all.

It may be called with the same numbers again. An exception that it raises ends the judging, and
leaves the training as it is.
"""


def ignore_progress(judged: int, of: int) -> None:
    """A ``JudgingProgress`` for callers that do not want to know."""


class TrainableNetwork(Protocol):
    """A network in training.

    Everything that its next steps depend on, besides the random numbers, goes in and out as
    tensors.
    """

    @property
    def halted(self) -> Tensor:
        """(B,) bool: which rows of the last step halted."""

    @property
    def cycles(self) -> Tensor:
        """(B,) int: the cycles that each row of the last step has had."""

    def init_from(self, model: TinyRecursiveModel) -> None:
        """Take over the weights of ``model``, whose shapes must be the recipe's."""

    def step(self, done: float) -> Loss:
        """Train one step at the fraction ``done`` of the run.

        Raises TrainingError if the loss is not finite.
        """

    def averaged(self) -> dict[str, Tensor]:
        """The weights that are used: the model's tensors, averaged."""

    def evaluate_held_out(
        self, weights: dict[str, Tensor], told: JudgingProgress = ignore_progress
    ) -> float | None:
        """The fraction of the held-out examples that these weights answer exactly.

        None if nothing is held out. ``told`` is called before each batch and at the end. Its
        exceptions pass through.
        """

    def state(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """The state as tensors and plain numbers. Every process must call it.

        Raises TrainingError if the weights are not finite.
        """

    def restore(self, tensors: dict[str, Tensor], numbers: dict[str, Any]) -> None:
        """Go on where ``state`` was taken. Raises CheckpointError if it is of another recipe."""


class TrainingData(Protocol):
    """What is to be learned."""

    @property
    def name(self) -> str:
        """The task's name, and that of the file of weights."""

    @property
    def summary(self) -> str:
        """How much there is to learn from, in a few words."""

    def facts(self) -> dict[str, Any]:
        """What the run's record keeps of the data, as JSON.

        ``examples`` is a hash that is the same for the same data only.
        """

    def begin(
        self,
        recipe: Recipe,
        schedule: Schedule,
        placement: Placement,
        compiled: bool,
        group: ProcessGroup,
    ) -> TrainableNetwork:
        """A network at its start, drawn from torch's global random numbers.

        Raises UsageError for a recipe of another task.
        """

    @property
    def beside(self) -> tuple[str, ...]:
        """The names of the files that the weights cannot be used without."""

    def write_side_files(self, folder: Path) -> None:
        """Write these files."""


@runtime_checkable
class SizedTrainingData(TrainingData, Protocol):
    """Training data that decide how many puzzle embeddings its network has."""

    def sized(self, recipe: Recipe) -> Recipe:
        """The recipe for a network with a row of its table for each puzzle."""

    def with_table(self, model: TinyRecursiveModel, path: Path) -> tuple[TinyRecursiveModel, int]:
        """A copy of the network with a row of its table for each puzzle, and how many it knew.

        ``path`` is the file of its weights. Each new puzzle begins as the mean of the known ones.
        Raises WeightsError if the names beside the weights cannot be read.
        """


class TaskSource(Protocol):
    """The data of a task outside of the registry, read and ready for a recipe's network."""

    @property
    def default_held_out(self) -> int:
        """How many tasks are held out where nobody says."""

    def recorded(self) -> dict[str, Any]:
        """Additions to the run's record."""

    def training_data(
        self, recipe: Recipe, schedule: Schedule, note: Callable[[str], None]
    ) -> SizedTrainingData:
        """What the recipe's kind of network learns from."""
