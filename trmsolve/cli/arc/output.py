"""Answers to ARC tasks on standard output: a task a line, in Kaggle's form or as ``--json`` tells all of it."""

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
    """Takes answers and unreadable items in input order and writes each whole and at once."""

    def __init__(self, weights: str = "", stream: TextIO | None = None) -> None:
        self.weights, self.stream, self.index = weights, stream or sys.stdout, 0

    def put(self, outcome: ArcAnswer | PuzzleError) -> None:
        """Write one outcome and flush it."""
        if (value := self.value(outcome)) is not None:
            self.stream.write(json.dumps(value) + "\n")  # ASCII: whatever the stream's encoding
            self.stream.flush()
        self.index += 1

    @abstractmethod
    def value(self, outcome: ArcAnswer | PuzzleError) -> dict[str, Any] | None:
        """What is written for one outcome; None for nothing."""


class KaggleWriter(ArcWriter):
    """``{"<id>": [{"attempt_1": grid, "attempt_2": grid}, ...]}`` a task, as a submission of that task alone."""

    def value(self, outcome: ArcAnswer | PuzzleError) -> dict[str, Any] | None:
        return None if isinstance(outcome, PuzzleError) else submission_of([outcome])


class ScreenArcWriter(KaggleWriter):
    """For a person who has watched: writes only what the screen has not shown, as it is wider than that."""

    def __init__(self, weights: str, columns: int) -> None:
        super().__init__(weights)
        self.columns = columns

    def value(self, outcome: ArcAnswer | PuzzleError) -> dict[str, Any] | None:
        if isinstance(outcome, PuzzleError):
            return None
        grids = [grid for test in range(len(outcome.candidates)) for grid in outcome.attempts(test)]
        return (
            None if all(grid.shape[1] <= self.columns for grid in grids) else super().value(outcome)
        )


class JsonArcWriter(ArcWriter):
    """One object a line, for unreadable items too."""

    def value(self, outcome: ArcAnswer | PuzzleError) -> dict[str, Any]:
        if isinstance(outcome, PuzzleError):
            place = ":".join(
                str(part) for part in (outcome.source, outcome.line) if part not in ("", None)
            )
            return {"index": self.index, "source": place, "task": "arc", "error": str(outcome)}
        return {
            "index": self.index,
            "source": outcome.task.source,
            "task": "arc",
            "id": outcome.task.name,
            "answer": submission_of([outcome])[outcome.task.name],
            "votes": [votes(outcome, test) for test in range(len(outcome.candidates))],
            "right": [outcome.right(test) for test in range(len(outcome.candidates))],
            "verified": None,
            "reason": UNCHECKED,
            "cycles": outcome.cycles,
            "views": outcome.views,
            "adapting": learning(outcome),
            "seconds": round(outcome.seconds, 4),
            "weights": self.weights,
        }


def votes(answer: ArcAnswer, test: int) -> list[int]:
    """How many views voted for each attempt; 0 where there is no second answer and the first stands again."""
    found = [candidate.votes for candidate in answer.candidates[test][:ATTEMPTS]]
    return found + [0] * (ATTEMPTS - len(found))


def learning(answer: ArcAnswer) -> dict[str, Any] | None:
    """How adapting to the task ended, None if there was none."""
    if (adapting := answer.adapting) is None:
        return None
    return {
        "steps": adapting.step,
        "seconds": round(adapting.seconds, 4),
        "solved": adapting.solved,
        "demonstrations": len(answer.task.demonstrations),
        "ended": adapting.ended,
    }


def choose_arc_writer(form: str, weights: str = "", watched: int | None = None) -> ArcWriter:
    """The writer for ``--format``; ``watched`` are the columns of the screen on which the answers stand already."""
    if form not in FORMATS:
        raise UsageError(f"--format {form} is not known: use {', '.join(FORMATS)}")
    if watched is not None:
        return ScreenArcWriter(weights, watched)
    return JsonArcWriter(weights) if form == "json" else KaggleWriter(weights)
