"""The pool: puzzles in all stages of being solved, each with its carried state.

A row that halts is replaced at once by a fresh puzzle, so that every step trains on a full batch in
which some puzzles are new and some are sixteen cycles old. Knows the model's state and nothing of
losses, optimizers or puzzles' rules.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from trmsolve.model.lattice import deduce, gumbel
from trmsolve.model.network import State, TinyRecursiveModel


@dataclass(frozen=True)
class Batch:
    """Puzzles as tensors: ``tokens`` (B, S) laid out as the network wants them, ``labels`` (B, S), ``puzzle_ids`` (B,).

    All are int64. ``stages`` and ``since`` (B, K, S) say how the answers come about
    (``puzzles.base.Course``), for networks that rewrite their question.
    """

    tokens: Tensor
    labels: Tensor
    puzzle_ids: Tensor
    stages: Tensor | None = None
    since: Tensor | None = None


Offer = Callable[[Tensor], Batch]
"""Given the indices (R,) of the rows to fill, the R puzzles to fill them with."""


class Pool:
    """The persistent carry of one training run."""

    def __init__(
        self, model: TinyRecursiveModel, size: int, device: torch.device, max_cycles: int = 16
    ) -> None:
        self.model, self.device, self.max_cycles = model, device, max_cycles
        tokens = torch.zeros(size, *model.config.places, dtype=torch.long, device=device)
        self.batch = Batch(
            tokens, tokens.flatten(1).clone(), torch.zeros(size, dtype=torch.long, device=device)
        )
        self.state: State = model.initial_state(size)
        self.cycles = torch.zeros(size, dtype=torch.int32, device=device)
        self.steps = torch.zeros(
            size, dtype=torch.int32, device=device
        )  # of the search that answers have come so far
        self.halted = torch.ones(size, dtype=torch.bool, device=device)

    def refill(self, offer: Offer) -> None:
        """Give every halted row a fresh puzzle and the initial state."""
        rows = self.halted.nonzero()[:, 0]
        if not len(rows):
            return
        fresh, start = offer(rows), self.model.initial_state(len(rows))
        self.batch.tokens[rows] = fresh.tokens
        self.batch.labels[rows] = fresh.labels
        self.batch.puzzle_ids[rows] = fresh.puzzle_ids
        for name, part in (("stages", fresh.stages), ("since", fresh.since)):
            if part is not None:
                if getattr(self.batch, name) is None:  # the first puzzles of the run
                    self.batch = replace(
                        self.batch, **{name: part.new_zeros(len(self.halted), *part.shape[1:])}
                    )
                getattr(self.batch, name)[rows] = part
        self.state.y[rows], self.state.z[rows] = start.y, start.z
        self.cycles[rows] = self.steps[rows] = 0

    def due(self) -> Tensor:
        """(B, S): what the coming cycle is to answer.

        Where answers come about step by step, what is within reach.

        A block hears one cell far, so after so many steps of the search as there are blocks nothing
        more can be known.
        """
        if self.batch.stages is None or self.batch.since is None:
            return self.batch.labels
        last = (self.batch.since <= (self.steps + self.model.reach)[:, None, None]).sum(
            1, keepdim=True
        ) - 1
        return self.batch.stages.gather(1, last)[:, 0]

    def rewrite(self, due: Tensor, logits: Tensor, hint: float) -> None:
        """The next cycle asks about what this one answered, or with probability ``hint`` about what was due."""
        told = torch.rand(len(due), 1, device=self.device) < hint
        answered = self.model.rewrite(self.batch.tokens, logits).flatten(1)
        self.batch.tokens.copy_(torch.where(told, due, answered).view_as(self.batch.tokens))
        self.steps += self.model.reach

    def deduce(
        self, logits: Tensor, guess: float, temperature: float, hint: float, certain: float
    ) -> None:
        """Where tokens are a lattice, the next cycle asks about what this one left of it.

        What is less probable than ``certain`` is ruled out. A row where nothing is certain guesses
        with probability ``guess``, as freely as ``temperature`` says; with probability ``hint`` it
        is told which of the candidates are true and guesses among them.
        """
        tokens, labels = self.batch.tokens, self.batch.labels
        noise = temperature * gumbel(torch.rand(tokens.shape, device=self.device))
        guesses, told = (
            torch.rand(len(tokens), device=self.device) < chance for chance in (guess, hint)
        )
        noise = noise + 1e6 * (told[:, None] & (labels == 1))
        tokens.copy_(
            deduce(logits, tokens, self.model.config.candidates, guesses, noise, certain)[0]
        )

    def advance(self, state: State, halt_logits: Tensor, exploration: float = 0.0) -> None:
        """Carry ``state`` on; rows whose halt logit (B,) is positive, or that are out of cycles, halt.

        With probability ``exploration`` a row must go on for a random number of cycles, whatever it
        says.
        """
        self.state = state
        self.cycles += 1
        halted = (halt_logits > 0) | (self.cycles >= self.max_cycles)
        if exploration > 0 and self.max_cycles > 1:
            explores = torch.rand(len(halted), device=self.device) < exploration
            minimum = explores * torch.randint(
                2, self.max_cycles + 1, explores.shape, device=self.device
            )
            halted &= self.cycles >= minimum
        self.halted = halted

    def abandon(self, rows: Tensor) -> None:
        """Rows (B,) bool from which nothing more is to be learned halt too."""
        self.halted = self.halted | rows

    def state_dict(self) -> dict[str, Tensor]:
        """The carry as tensors whose first dimension is the rows."""
        batch = self.batch
        course = (
            {}
            if batch.stages is None or batch.since is None
            else {"stages": batch.stages, "since": batch.since}
        )
        return {
            **course,
            "tokens": batch.tokens,
            "labels": batch.labels,
            "puzzle_ids": batch.puzzle_ids,
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
            self.batch = replace(
                self.batch, stages=tensors["stages"].clone(), since=tensors["since"].clone()
            )
        for name, tensor in self.state_dict().items():
            tensor.copy_(tensors[name])
