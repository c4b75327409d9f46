"""What is used of a budget, measured in seconds or in optimizer steps."""

import time
from abc import ABC, abstractmethod
from typing import ClassVar

from trmsolve.arc.adaptation import Budget


class Clock(ABC):
    """The budget of some tasks that are learned together, and what is used of it."""

    ended_by: ClassVar[str]
    """Why the learning ended, when the budget is used up: as ``AdaptationProgress.ended``."""

    def __init__(self, budget: Budget, tasks: int) -> None:
        self.budget = budget
        self.tasks = tasks
        self.begun = time.monotonic()
        self.steps = 0  # made so far, in all copies of the network

    @property
    def seconds(self) -> float:
        """Since the clock was made."""
        return time.monotonic() - self.begun

    @property
    @abstractmethod
    def allowed(self) -> float:
        """All of the budget, in the clock's unit."""

    @property
    @abstractmethod
    def used(self) -> float:
        """What is used of it so far."""


class SecondsClock(Clock):
    """Measures in seconds. Every task adds its seconds to the budget of all."""

    ended_by = "budget"

    @property
    def allowed(self) -> float:
        """Seconds for all tasks."""
        return self.budget.seconds * self.tasks

    @property
    def used(self) -> float:
        """Seconds since the clock was made."""
        return self.seconds


class StepsClock(Clock):
    """Measures in steps, which are the same on every machine."""

    ended_by = "steps"

    @property
    def allowed(self) -> int:
        """Steps for all tasks together."""
        assert self.budget.steps is not None
        return self.budget.steps

    @property
    def used(self) -> int:
        """Steps made so far."""
        return self.steps


def make_clock(budget: Budget, tasks: int) -> Clock:
    """The clock that measures this budget, started."""
    kind = SecondsClock if budget.steps is None else StepsClock
    return kind(budget, tasks)
