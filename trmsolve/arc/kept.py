"""Answers to ARC tasks kept in a file as they come, so that a long measurement can go on later.

The file is a JSON object of what is measured and of the answers so far, and is written anew after
every answer. Only what a score needs is kept: both attempts, their votes, and how long they took.
"""

import json
import math
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from trmsolve.arc.read import parse_grid
from trmsolve.arc.task import ATTEMPTS, AdaptationProgress, ArcAnswer, ArcTask, Candidate
from trmsolve.errors import PuzzleError, UsageError
from trmsolve.files import read_small, reason, write_atomically

LONGEST = 64 << 20
"""The most bytes of such a file: some hundred tasks have a tenth of it."""


@dataclass
class KeptAnswers:
    """The answers of a measurement so far, and the file that keeps them.

    Attributes:
        path: The file.
        settings: What is measured and how, as plain JSON values. A file goes on only with the same.
        answers: By the ids of their tasks.
        seconds: How long all of them took together.
    """

    path: Path
    settings: dict[str, Any]
    answers: dict[str, ArcAnswer] = field(default_factory=dict)
    seconds: float = 0.0

    @classmethod
    def open(cls, path: Path, settings: dict[str, Any], tasks: list[ArcTask]) -> "KeptAnswers":
        """The answers to these tasks that a file has; none where there is no file yet.

        Raises:
            UsageError: If the file is of another measurement, or is none.
        """
        kept = cls(path, settings)
        if path.exists():
            kept._read({task.name: task for task in tasks})
        return kept

    def add(self, answer: ArcAnswer, seconds: float) -> None:
        """Keep one more answer, which took so long.

        Raises:
            OSError: If the file cannot be written; the error names it.
        """
        self.answers[answer.task.name] = answer
        self.seconds += seconds
        content = {
            "settings": self.settings,
            "seconds": round(self.seconds, 2),
            "answers": {name: _plain(one) for name, one in self.answers.items()},
        }
        write_atomically(self.path, (json.dumps(content) + "\n").encode())

    def _read(self, tasks: dict[str, ArcTask]) -> None:
        try:
            content = json.loads(read_small(self.path, LONGEST))
            self._check(content["settings"])
            self.seconds = float(content["seconds"])
            for name, value in content["answers"].items():
                self.answers[name] = _answer(tasks[name], value)
        except OSError as error:
            raise UsageError(f"{self.path} cannot be read: {reason(error)}") from None
        except (ValueError, TypeError, KeyError, AttributeError, RecursionError, PuzzleError):
            raise UsageError(
                f"{self.path} does not hold the answers of a measurement: choose another file"
            ) from None

    def _check(self, settings: dict[str, Any]) -> None:
        """Raise UsageError for the first setting that is not that of the file."""
        for name, value in self.settings.items():
            theirs = settings[name]
            if theirs != value:
                raise UsageError(
                    f"{self.path} was begun with {name} {theirs}, not {value}: choose another file"
                )


def _plain(answer: ArcAnswer) -> dict[str, Any]:
    """The answer as JSON values."""
    adapting = answer.adapting
    tests = []
    for found in answer.candidates:
        attempts = []
        for one in found[:ATTEMPTS]:
            attempts.append([one.grid.tolist(), one.votes, one.halt, one.chance])
        tests.append(attempts)
    return {
        "tests": tests,
        "adapting": [adapting.step, adapting.seconds, adapting.ended] if adapting else None,
        "cycles": answer.cycles,
        "views": answer.views,
        "seconds": answer.seconds,
    }


def _answer(task: ArcTask, value: dict[str, Any]) -> ArcAnswer:
    """The answer that ``_plain`` described."""
    tests = []
    for attempts in value["tests"]:
        found = []
        for rows, votes, halt, chance in attempts:
            known = None if chance is None else float(chance)
            # A network may answer with no cells at all.
            grid = parse_grid(rows) if rows else np.zeros((0, 0), np.int8)
            found.append(Candidate(grid, int(votes), float(halt), known))
        tests.append(tuple(found))
    if len(tests) != len(task.tests) or not all(tests):
        raise ValueError
    adapting = None
    if value["adapting"] is not None:
        step, seconds, ended = value["adapting"]
        # Budget and loss are not kept: no score needs them.
        adapting = AdaptationProgress(
            task, int(step), float(seconds), math.nan, math.nan, str(ended)
        )
    return ArcAnswer(
        task=task,
        candidates=tuple(tests),
        adapting=adapting,
        cycles=int(value["cycles"]),
        views=int(value["views"]),
        seconds=float(value["seconds"]),
    )
