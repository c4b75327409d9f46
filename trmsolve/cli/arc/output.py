"""Answers to ARC tasks on standard output, a task a line: in Kaggle's form or, in full, as JSON."""

import json
import sys
from abc import ABC, abstractmethod
from typing import Any, TextIO

from trmsolve.arc.submission import submission_of
from trmsolve.arc.task import ATTEMPTS, ArcAnswer
from trmsolve.cli.output import FORMATS
from trmsolve.errors import PuzzleError, UsageError

UNCHECKED = "no rule can check an ARC answer"


class ArcWriter(ABC):
    """Takes answers and unreadable items in input order and writes each at once."""

    def __init__(self, weights: str = "", stream: TextIO | None = None) -> None:
        self.weights = weights
        self.stream = stream or sys.stdout
        self.index = 0

    def put(self, outcome: ArcAnswer | PuzzleError) -> None:
        """Write one outcome and flush it."""
        value = self.value(outcome)
        if value is not None:
            self.stream.write(json.dumps(value) + "\n")  # ASCII: whatever the stream's encoding
            self.stream.flush()
        self.index += 1

    @abstractmethod
    def value(self, outcome: ArcAnswer | PuzzleError) -> dict[str, Any] | None:
        """The JSON object for one outcome; None if nothing is written."""


class KaggleWriter(ArcWriter):
    """Writes for each task a submission of that task alone.

    That is ``{"<id>": [{"attempt_1": grid, "attempt_2": grid}, ...]}``.
    """

    def value(self, outcome: ArcAnswer | PuzzleError) -> dict[str, Any] | None:
        """The submission; None for an unreadable item."""
        return None if isinstance(outcome, PuzzleError) else submission_of([outcome])


class ScreenArcWriter(KaggleWriter):
    """For a person who has watched: writes only answers that are wider than the screen."""

    def __init__(self, weights: str, columns: int) -> None:
        super().__init__(weights)
        self.columns = columns

    def value(self, outcome: ArcAnswer | PuzzleError) -> dict[str, Any] | None:
        """The submission; None if the screen has shown all of it."""
        if isinstance(outcome, PuzzleError) or self._is_shown(outcome):
            return None
        return super().value(outcome)

    def _is_shown(self, answer: ArcAnswer) -> bool:
        for test in range(len(answer.candidates)):
            if any(grid.shape[1] > self.columns for grid in answer.attempts(test)):
                return False
        return True


class JsonArcWriter(ArcWriter):
    """One object a line, for unreadable items too."""

    def value(self, outcome: ArcAnswer | PuzzleError) -> dict[str, Any]:
        """All that is known of the answer, or where and why an item is unreadable."""
        if isinstance(outcome, PuzzleError):
            known = [part for part in (outcome.source, outcome.line) if part not in ("", None)]
            place = ":".join(map(str, known))
            return {"index": self.index, "source": place, "task": "arc", "error": str(outcome)}
        tests = range(len(outcome.candidates))
        return {
            "index": self.index,
            "source": outcome.task.source,
            "task": "arc",
            "id": outcome.task.name,
            "answer": submission_of([outcome])[outcome.task.name],
            "votes": [votes(outcome, test) for test in tests],
            "confidence": [_rounded(outcome.confidence(test)) for test in tests],
            "right": [outcome.right(test) for test in tests],
            "verified": None,
            "reason": UNCHECKED,
            "cycles": outcome.cycles,
            "views": outcome.views,
            "adapting": learning(outcome),
            "seconds": round(outcome.seconds, 4),
            "weights": self.weights,
        }


def votes(answer: ArcAnswer, test: int) -> list[int]:
    """How many views voted for each attempt; 0 where the first answer stands again."""
    found = [candidate.votes for candidate in answer.candidates[test][:ATTEMPTS]]
    return found + [0] * (ATTEMPTS - len(found))


def _rounded(probability: float | None) -> float | None:
    return None if probability is None else round(probability, 3)


def learning(answer: ArcAnswer) -> dict[str, Any] | None:
    """How adapting to the task ended; None if there was none."""
    adapting = answer.adapting
    if adapting is None:
        return None
    return {
        "steps": adapting.step,
        "seconds": round(adapting.seconds, 4),
        "ended": adapting.ended,
    }


def choose_arc_writer(
    form: str, weights: str = "", watched: int | None = None, stream: TextIO | None = None
) -> ArcWriter:
    """The writer for ``--format``.

    ``watched`` is the number of columns of the screen, if it shows the answers already. The
    ``stream`` is standard output if none is given.

    Raises:
        UsageError: If there is no such format.
    """
    if form not in FORMATS:
        raise UsageError(f"--format {form} is not known: use {', '.join(FORMATS)}")
    if watched is not None:
        return ScreenArcWriter(weights, watched)
    return JsonArcWriter(weights, stream) if form == "json" else KaggleWriter(weights, stream)
