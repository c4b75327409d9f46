"""What was seen of a run: puzzles or tasks with their frames and answers, in the order of reading.

Knows the values that a run shows, and neither files nor drawings.
"""

import math
from dataclasses import dataclass, field
from typing import Protocol

from trmsolve.arc.task import AdaptationProgress, ArcAnswer, ArcCycle, ArcTask
from trmsolve.errors import PuzzleError
from trmsolve.puzzles.values import Answer, Cycle, Puzzle

Subject = Puzzle | ArcTask
"""What is solved."""

Frame = Cycle | ArcCycle | AdaptationProgress
"""A moment of solving that can be drawn."""

Outcome = Answer | ArcAnswer | PuzzleError
"""How solving ended."""

LEAST_SECONDS = 1.0
"""Seconds of learning between two moments that are kept, or a hundredth of its time if more."""


class LearningPace:
    """Chooses the moments of learning that are kept: about one a second, and the last."""

    def __init__(self) -> None:
        self._kept: dict[int, float] = {}  # seconds of the last moment, by the id of the task

    def is_due(self, progress: AdaptationProgress) -> bool:
        """Whether to keep this moment. Of those that were kept, every one is due again."""
        key = id(progress.task)
        pause = max(LEAST_SECONDS, progress.budget / 100)
        since = progress.seconds - self._kept.get(key, math.inf)  # negative when learning begins
        is_due = not 0 <= since < pause or progress.ended != ""
        if is_due:
            self._kept[key] = progress.seconds
        return is_due


class Recorder(Protocol):
    """Takes what a run shows, as it comes."""

    def begin(self, task: str, weights: str, steps: int | None = None) -> None:
        """The run begins; ``steps`` is how many steps of learning there are, if no clock ends."""

    def frame(self, frame: Frame) -> None:
        """A cycle is done, or a step of learning."""

    def outcome(self, outcome: Outcome) -> None:
        """A puzzle is done, or could not be read."""


@dataclass(eq=False)
class Played:
    """One puzzle or task, and how it was solved."""

    subject: Subject
    frames: list[Frame] = field(default_factory=list)
    answer: Answer | ArcAnswer | None = None
    """None if the run ended before it."""


@dataclass(eq=False)
class Recording:
    """A run that is kept in memory. It is a ``Recorder``."""

    task: str = ""
    """The name of the kind of puzzle, or "arc"."""
    weights: str = ""
    steps: int | None = None
    """How many steps a task is learned; None if a clock ends the learning."""
    played: list[Played] = field(default_factory=list)
    problems: list[PuzzleError] = field(default_factory=list)
    """Items that could not be read."""
    cut_at: int | None = None
    """The line of the trace that is not whole, because the run was killed; None if all are."""

    def __post_init__(self) -> None:
        self._open: dict[int, Played] = {}
        self._pace = LearningPace()

    def begin(self, task: str, weights: str, steps: int | None = None) -> None:
        """Note what is solved, by which weights, and how long tasks are learned."""
        self.task = task
        self.weights = weights
        self.steps = steps

    def frame(self, frame: Frame) -> None:
        """Add the frame to its puzzle; a moment of learning only if the last is some time ago."""
        if isinstance(frame, AdaptationProgress) and not self._pace.is_due(frame):
            return
        self._of(subject_of(frame)).frames.append(frame)

    def outcome(self, outcome: Outcome) -> None:
        """Add the outcome to its puzzle."""
        if isinstance(outcome, PuzzleError):
            self.problems.append(outcome)
            return
        subject = subject_of(outcome)
        self._of(subject).answer = outcome
        del self._open[id(subject)]

    def _of(self, subject: Subject) -> Played:
        """What was played of this very puzzle; equal ones may be solved at the same time."""
        key = id(subject)
        if key not in self._open:
            self._open[key] = Played(subject)
            self.played.append(self._open[key])
        return self._open[key]


def subject_of(event: Frame | Answer | ArcAnswer) -> Subject:
    """What the event is about."""
    return event.puzzle if isinstance(event, Cycle | Answer) else event.task
