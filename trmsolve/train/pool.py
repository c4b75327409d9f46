"""The pool: puzzles in all stages of being solved, each with the state it carries.

A row that halts is replaced at once by a fresh puzzle, so every step trains on a full batch in
which some puzzles are new and some are many cycles old. How a puzzle's question goes on is the
network's kind of ``feedback``. Knows nothing of losses, optimizers or puzzles' rules.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from trmsolve.model.network import Prediction, State, TinyRecursiveModel
from trmsolve.solve.feedback import Taught, Teaching, TrajectoryBatch, feedback_for


@dataclass(frozen=True)
class Batch:
    """Puzzles as tensors, all int64."""

    tokens: Tensor
    """(B, S), or a board of them, as the network takes them."""

    labels: Tensor
    """(B, S), the answers."""

    puzzle_ids: Tensor
    """(B,)."""

    stages: Tensor | None = None
    """(B, K, S), how the answers come about, for networks that rewrite their question.

    ``puzzles.base.Trajectory`` has more about it.
    """

    available_from: Tensor | None = None
    """(B, K, S), when: the step of the search from which on a stage can be known."""

    @property
    def trajectory(self) -> TrajectoryBatch | None:
        """``stages`` and ``available_from``, if they are known."""
        if self.stages is None or self.available_from is None:
            return None
        return TrajectoryBatch(self.stages, self.available_from)


SampleFn = Callable[[Tensor], Batch]
"""Given the indices (R,) of the rows to fill, the R puzzles to fill them with."""


class Pool:
    """What one training run carries from step to step: ``size`` puzzles and their states."""

    def __init__(
        self, model: TinyRecursiveModel, size: int, device: torch.device, max_cycles: int = 16
    ) -> None:
        self.model = model
        self.feedback = feedback_for(model)
        self.device = device
        self.max_cycles = max_cycles
        tokens = torch.zeros(size, *model.config.spatial_shape, dtype=torch.long, device=device)
        labels = tokens.flatten(1).clone()
        self.batch = Batch(tokens, labels, torch.zeros(size, dtype=torch.long, device=device))
        self.state: State = model.initial_state(size)
        self.cycles = torch.zeros(size, dtype=torch.int32, device=device)
        # How far the search of each puzzle has come, for networks that rewrite their question.
        self.steps = torch.zeros(size, dtype=torch.int32, device=device)
        self.halted = torch.ones(size, dtype=torch.bool, device=device)

    def refill(self, offer: SampleFn) -> None:
        """Give every halted row a fresh puzzle and the initial state."""
        rows = self.halted.nonzero()[:, 0]
        if not len(rows):
            return
        fresh = offer(rows)
        start = self.model.initial_state(len(rows))
        self.batch.tokens[rows] = fresh.tokens
        self.batch.labels[rows] = fresh.labels
        self.batch.puzzle_ids[rows] = fresh.puzzle_ids
        if fresh.trajectory is not None:
            self._refill_trajectory(rows, fresh.trajectory)
        self.state.y[rows] = start.y
        self.state.z[rows] = start.z
        self.cycles[rows] = 0
        self.steps[rows] = 0

    def _refill_trajectory(self, rows: Tensor, fresh: TrajectoryBatch) -> None:
        kept = self.batch.trajectory
        if kept is None:  # the first puzzles of the run
            size = len(self.halted)
            stages = fresh.stages.new_zeros(size, *fresh.stages.shape[1:])
            available_from = fresh.available_from.new_zeros(size, *fresh.available_from.shape[1:])
            kept = TrajectoryBatch(stages, available_from)
            self.batch = replace(self.batch, stages=stages, available_from=available_from)
        kept.stages[rows] = fresh.stages
        kept.available_from[rows] = fresh.available_from

    def current_targets(self) -> Tensor:
        """(B, S): what the coming cycle is to answer."""
        batch = self.batch
        due: Tensor = self.feedback.targets(batch.labels, batch.trajectory, self.steps)
        return due

    def advance(self, state: State, halt_logits: Tensor, exploration: float = 0.0) -> None:
        """Carry ``state`` on.

        Rows whose halt logit (B,) is positive halt, and rows that are out of cycles. With
        probability ``exploration`` a row must go on for a random number of cycles, whatever its
        logit.
        """
        self.state = state
        self.cycles += 1
        halted = (halt_logits > 0) | (self.cycles >= self.max_cycles)
        if exploration > 0 and self.max_cycles > 1:
            explores = torch.rand(len(halted), device=self.device) < exploration
            cycles = torch.randint(2, self.max_cycles + 1, explores.shape, device=self.device)
            halted &= self.cycles >= explores * cycles
        self.halted = halted

    def ask_next(self, prediction: Prediction, targets: Tensor, how: Teaching) -> None:
        """Put the question of the next cycle, after one that was to answer ``targets`` (B, S).

        Rows from which nothing more is to be learned halt.
        """
        taught = Taught(
            tokens=self.batch.tokens,
            labels=self.batch.labels,
            targets=targets,
            logits=prediction.logits.detach(),
            halt=prediction.halt.detach(),
            cycles=self.cycles,
        )
        hopeless = self.feedback.hopeless(taught, how)
        if hopeless is not None:
            self.halted = self.halted | hopeless
        self.batch.tokens.copy_(self.feedback.next_training_question(taught, how))
        self.steps += self.feedback.search_steps

    def state_dict(self) -> dict[str, Tensor]:
        """The carry as tensors whose first dimension is the rows.

        Checkpoints have these names. They must not change.
        """
        trajectory = {}
        if self.batch.stages is not None and self.batch.available_from is not None:
            trajectory = {"stages": self.batch.stages, "since": self.batch.available_from}
        return {
            **trajectory,
            "tokens": self.batch.tokens,
            "labels": self.batch.labels,
            "puzzle_ids": self.batch.puzzle_ids,
            "y": self.state.y,
            "z": self.state.z,
            "cycles": self.cycles,
            "steps": self.steps,
            "halted": self.halted,
        }

    def load_state_dict(self, tensors: dict[str, Tensor]) -> None:
        """Go on from what ``state_dict`` gave.

        Raises KeyError or RuntimeError for another pool's.
        """
        if "stages" in tensors:
            stages = tensors["stages"].clone()
            available_from = tensors["since"].clone()
            self.batch = replace(self.batch, stages=stages, available_from=available_from)
        for name, tensor in self.state_dict().items():
            tensor.copy_(tensors[name])
