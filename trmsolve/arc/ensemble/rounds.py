"""What one group of copies does with its time: round after round with new copies.

The first rounds begin with a trained network, if there is one, and are short. All others learn the
task from nothing. Answers of rounds that are over keep their votes.
"""

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from trmsolve.arc.adaptation import Budget
from trmsolve.arc.answers import Guess, Learner, Status, WeightedGrid, combined
from trmsolve.arc.compression.learning import CompressionLearner
from trmsolve.arc.compression.puzzle import CompressionPuzzle
from trmsolve.arc.ensemble.plan import ENOUGH_STEPS, LEAST_STEPS, MOST_GROUPS, trunk_copies
from trmsolve.arc.task import ArcTask

if TYPE_CHECKING:
    from trmsolve.arc.planes.trunk import TrunkLearner

REPORT_SECONDS = 0.5
"""Time between two reports of a group."""

FIRST_VOTES = 100
"""Steps before copies vote that learn from nothing, where a trained network has answered."""

FROM_NOTHING = "from nothing"
TRAINED = "trained"
"""The two kinds of copies."""


@dataclass(frozen=True, eq=False)
class Tally:
    """The answers of all copies of one kind in a group.

    Attributes:
        copies: How many copies vote.
        best: For each test their answers with most votes, best first.
    """

    copies: int
    best: list[list[WeightedGrid]]

    def plus(self, other: "Tally") -> "Tally":
        """Both together."""
        tests = zip(self.best, other.best, strict=True)
        best = [combined((*ours, *theirs)) for ours, theirs in tests]
        return Tally(self.copies + other.copies, best)


@dataclass(frozen=True, eq=False)
class Report:
    """The findings of a group of copies so far.

    Attributes:
        group: Its number, from 0.
        steps: Its steps in all rounds.
        status: How far the copies of this round are.
        kind: The kind of these copies.
        tallies: The answers of all rounds, by kind.
        guesses: For each test what the first copy answers at the moment.
        is_last: Whether the group is done.
    """

    group: int
    steps: int
    status: Status
    kind: str
    tallies: dict[str, Tally]
    guesses: list[Guess]
    is_last: bool


@dataclass(frozen=True)
class Order:
    """The task of all groups, and how long they may learn it.

    Attributes:
        task: The task.
        budget: For all groups, which learn at once.
        seed: What decides all random choices.
        together: Copies from nothing that learn together in a group.
        trunk: The weights of the trained network; None to learn from nothing only.
        dtype: Of the activations of the trained network.
    """

    task: ArcTask
    budget: Budget
    seed: int
    together: int
    trunk: Path | None = None
    dtype: torch.dtype = torch.float32

    def is_over(self, status: Status, deadline: float) -> bool:
        """Whether the budget is used up."""
        if self.budget.steps is not None:
            return status.step >= self.budget.steps
        return time.monotonic() >= deadline

    def rounds(self, group: int, deadline: float) -> "Iterator[Round]":
        """The rounds of a group, without end."""
        if self.trunk is not None:
            yield from self._trained_rounds(group)
        for number in count():
            first = (number * MOST_GROUPS + group) * self.together
            seeds = [copy_seed(self.seed, first + place) for place in range(self.together)]
            learner = CompressionLearner(CompressionPuzzle(self.task), seeds)
            yield FromNothing(learner, self.budget, deadline, number)

    def _trained_rounds(self, group: int) -> "Iterator[Round]":
        """Copies of the trained network, one after the other."""
        # Only here, so that learning from nothing alone needs no network and no weights.
        from trmsolve.arc.planes.trunk import TrunkLearner, load_trunk

        seconds = trunk_copies(self.task, self.budget)
        if not seconds:
            return
        assert self.trunk is not None
        model = load_trunk(self.trunk, self.dtype)
        for number, allowed in enumerate(seconds):
            seed = copy_seed(self.seed, number * MOST_GROUPS + group)
            yield Trained(TrunkLearner(model, self.task, allowed, seed))


def copy_seed(seed: int, copy: int) -> int:
    """The seed of a copy: different ones for different copies and seeds."""
    return (1000 * seed + copy) % 2**63


class Round(ABC):
    """Copies that learn together until they have learned enough."""

    kind: str
    learner: Learner

    @property
    @abstractmethod
    def is_enough(self) -> bool:
        """Whether others are worth more than further steps."""

    @abstractmethod
    def may_vote(self, earlier: dict[str, Tally]) -> bool:
        """Whether the copies' answers mean something beside those of earlier rounds."""


@dataclass
class FromNothing(Round):
    """Copies that learn from nothing; the rounds of this kind are numbered from 0."""

    learner: CompressionLearner
    budget: Budget
    deadline: float
    number: int

    kind = FROM_NOTHING

    @property
    def is_enough(self) -> bool:
        """Whether new copies are worth more, and still have the time."""
        status = self.learner.status
        if self.budget.steps is not None or status.step < ENOUGH_STEPS:
            return False
        left = self.deadline - time.monotonic()
        return left * status.steps_per_second >= LEAST_STEPS

    def may_vote(self, earlier: dict[str, Tally]) -> bool:
        """At once where there is no other answer."""
        step = self.learner.status.step
        if self.number > 0:
            return step >= LEAST_STEPS
        return not earlier or step >= FIRST_VOTES


@dataclass
class Trained(Round):
    """A copy of the trained network, which learns for some seconds."""

    learner: "TrunkLearner"

    kind = TRAINED

    @property
    def is_enough(self) -> bool:
        """Whether its time is over."""
        return self.learner.status.seconds >= self.learner.seconds

    def may_vote(self, earlier: dict[str, Tally]) -> bool:  # noqa: ARG002
        """From its first step on."""
        return True


def reports(
    order: Order, group: int, deadline: float, stop: Callable[[], bool]
) -> Iterator[Report]:
    """Learn a group for at least one step, and report now and then and at the end."""
    told = time.monotonic()
    earlier: dict[str, Tally] = {}
    steps = 0
    for one in order.rounds(group, deadline):
        is_over = False
        while not one.is_enough:
            one.learner.step()
            steps += 1
            is_over = stop() or order.is_over(one.learner.status, deadline)
            now = time.monotonic()
            if is_over or now - told >= REPORT_SECONDS:
                told = now
                yield _report(group, steps, one, earlier, is_over)
            if is_over:
                return
        earlier = _with_round(earlier, one)


def _report(group: int, steps: int, one: Round, earlier: dict[str, Tally], is_last: bool) -> Report:
    tallies = earlier
    if one.may_vote(earlier):
        tallies = _with_round(earlier, one)
    guesses = one.learner.guesses()
    return Report(group, steps, one.learner.status, one.kind, tallies, guesses, is_last)


def _with_round(earlier: dict[str, Tally], one: Round) -> dict[str, Tally]:
    """The answers of earlier rounds and of this one."""
    tally = Tally(one.learner.copies, one.learner.best())
    before = earlier.get(one.kind)
    if before is not None:
        tally = before.plus(tally)
    return {**earlier, one.kind: tally}
