"""Answers to ARC tasks in Kaggle's form, and the official score of answers or of a submission.

A submission is ``{id: [{"attempt_1": grid, "attempt_2": grid}, ...]}``, one object for each test,
every task present. A test is solved if an attempt equals its output in every cell; a task counts by
the share of its tests that are solved.

Knows answers as values and the form of the file. Does not know how answers are found.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from trmsolve.arc.read import ArcTaskError, parse_grid
from trmsolve.arc.task import ATTEMPTS, ArcAnswer, ArcTask
from trmsolve.errors import PuzzleError
from trmsolve.files import write_atomically
from trmsolve.puzzles.reading.json_values import describe, load_object, require_object
from trmsolve.puzzles.values import Grid
from trmsolve.stats import wilson_interval

KEYS = tuple(f"attempt_{number}" for number in range(1, ATTEMPTS + 1))

PLACEHOLDER = [[0]]
"""Stands where there is no answer: a submission has a grid for every attempt."""

SHAPE = (
    'a submission is an object of task ids, each with a list of "attempt_1" and "attempt_2" for '
    "every test"
)

Submission = dict[str, list[tuple[Grid, ...]]]
"""For each task's id its attempts, test by test."""


def submission_of(
    answers: Iterable[ArcAnswer], unanswered: Mapping[str, int] | None = None
) -> dict[str, Any]:
    """The answers as the JSON object of a submission, in their order, both attempts always.

    ``unanswered`` are further tasks that must be present, id and number of tests. They follow the
    answers, with placeholders for their grids.

    Raises:
        PuzzleError: If two answers are to tasks of the same id.
    """
    submission: dict[str, Any] = {}
    for answer in answers:
        name = answer.task.name
        if name in submission:
            raise ArcTaskError(
                name,
                "",
                "is answered twice: a submission must have each id once",
                answer.task.source,
            )
        tests = range(len(answer.task.tests))
        submission[name] = [_attempts(map(_rows, answer.attempts(test))) for test in tests]
    for name, number in (unanswered or {}).items():
        placeholders = [_attempts([PLACEHOLDER] * ATTEMPTS) for _ in range(number)]
        submission.setdefault(name, placeholders)
    return submission


def write_submission(
    path: Path, answers: Iterable[ArcAnswer], unanswered: Mapping[str, int] | None = None
) -> None:
    """Write ``submission_of`` to a file with a line for each task, whole or not at all.

    Raises:
        OSError: If it cannot be written; the error names ``path``.
    """
    lines = []
    for name, tests in submission_of(answers, unanswered).items():
        compact = json.dumps(tests, separators=(",", ":"))
        lines.append(f"{json.dumps(name)}: {compact}")
    write_atomically(path, ("{" + ",\n ".join(lines) + "}\n").encode())


def read_submission(path: str) -> Submission:
    """The attempts of a submission's file.

    Raises:
        PuzzleError: At the first fault, with task, test, attempt and cell.
    """
    submission = load_object(path, SHAPE)
    return {name: _tests(value, name, path) for name, value in submission.items()}


@dataclass(frozen=True)
class TaskScore:
    """The score of one task."""

    name: str

    tests: tuple[int, ...]
    """For each test the number of the first attempt that is right, from 1, or 0 if none is."""

    def score(self, attempts: int = ATTEMPTS) -> float:
        """The share of the tests that the first attempts solve."""
        return self.solved(attempts) / len(self.tests)

    def solved(self, attempts: int = ATTEMPTS) -> int:
        """How many tests the first attempts solve."""
        return sum(1 <= first <= attempts for first in self.tests)

    def to_dict(self) -> dict[str, Any]:
        """As a record: the score with one and two attempts, and its tests."""
        return {
            "pass@1": round(self.score(1), 4),
            "pass@2": round(self.score(), 4),
            "tests": [*self.tests],
        }


@dataclass(frozen=True)
class ArcScore:
    """The official score of a set of tasks, task by task and as a whole."""

    tasks: tuple[TaskScore, ...]

    missing: tuple[str, ...] = ()
    """Tasks that the submission lacks: their tests count as wrong."""

    unknown: tuple[str, ...] = ()
    """Ids of the submission that are no tasks: they do not count."""

    def score(self, attempts: int = ATTEMPTS) -> float:
        """The mean over the tasks of the share of their tests that are solved; 0 without tasks."""
        return self._sum(attempts) / max(len(self.tasks), 1)

    def test_rate(self, attempts: int = ATTEMPTS) -> float:
        """The share of all tests that are solved, whatever task they belong to."""
        solved = sum(task.solved(attempts) for task in self.tasks)
        return solved / max(self.number_of_tests, 1)

    @property
    def number_of_tests(self) -> int:
        """The tests of all tasks together."""
        return sum(len(task.tests) for task in self.tasks)

    def to_dict(self) -> dict[str, Any]:
        """As a record: the score with one and two attempts, over tasks and over tests."""
        low, high = wilson_interval(self._sum(ATTEMPTS), len(self.tasks))
        return {
            "n": len(self.tasks),
            "tests": self.number_of_tests,
            "pass@1": round(self.score(1), 4),
            "pass@2": round(self.score(), 4),
            "pass@2_ci95": [round(low, 4), round(high, 4)],
            "test_pass@1": round(self.test_rate(1), 4),
            "test_pass@2": round(self.test_rate(), 4),
            "solved": sum(all(task.tests) for task in self.tasks),
            "missing": list(self.missing),
            "unknown": list(self.unknown),
            "tasks": {task.name: task.to_dict() for task in self.tasks},
        }

    def _sum(self, attempts: int) -> float:
        return sum(task.score(attempts) for task in self.tasks)


def score_answers(answers: Sequence[ArcAnswer]) -> ArcScore:
    """The score of answers to tasks whose outputs are known.

    Raises:
        PuzzleError: If an output is not known.
    """
    scores = []
    for answer in answers:
        attempts = [answer.attempts(test) for test in range(len(answer.task.tests))]
        scores.append(_scored(answer.task, attempts))
    return ArcScore(tuple(scores))


def score_submission(
    tasks: Sequence[ArcTask], submission: Mapping[str, Sequence[Sequence[Grid]]]
) -> ArcScore:
    """The score of a submission on tasks whose outputs are known.

    Raises:
        PuzzleError: If an output is not known, or a task of the submission has another number of
            tests.
    """
    for task in tasks:
        number = len(task.tests)
        given = len(submission.get(task.name, task.tests))
        if given != number:
            problem = f"{given} answers in the submission, but {number} tests"
            raise ArcTaskError(task.name, "", problem, task.source, number)
    names = {task.name for task in tasks}
    return ArcScore(
        tuple(_scored(task, submission.get(task.name, [()] * len(task.tests))) for task in tasks),
        missing=tuple(task.name for task in tasks if task.name not in submission),
        unknown=tuple(name for name in submission if name not in names),
    )


def _scored(task: ArcTask, attempts: Sequence[Sequence[Grid]]) -> TaskScore:
    """The score of the attempts at each test."""
    first = []
    for number, (test, grids) in enumerate(zip(task.tests, attempts, strict=True), 1):
        if test.output is None:
            problem = "its output is unknown: give the solutions too"
            raise ArcTaskError(task.name, f"test {number}", problem, task.source, len(task.tests))
        right = [np.array_equal(grid, test.output) for grid in grids[:ATTEMPTS]]
        first.append(right.index(True) + 1 if any(right) else 0)
    return TaskScore(task.name, tuple(first))


def _attempts(grids: Iterable[list[list[int]]]) -> dict[str, list[list[int]]]:
    return dict(zip(KEYS, grids, strict=True))


def _rows(grid: Grid) -> list[list[int]]:
    return grid.tolist() if grid.size else PLACEHOLDER


def _tests(value: object, name: str, path: str) -> list[tuple[Grid, ...]]:
    try:
        if not isinstance(value, list):
            raise PuzzleError(f"{describe(value)} where a list of tests is expected")
        return [_grids(one, f"test {number}") for number, one in enumerate(value, 1)]
    except PuzzleError as error:
        readable = name if name.isprintable() else describe(name)
        raise ArcTaskError(readable, error.source, error.problem, path) from None


def _grids(value: object, place: str) -> tuple[Grid, ...]:
    attempts = require_object(value, SHAPE, place)
    other = [key for key in attempts if key not in KEYS]
    if other:
        raise PuzzleError(
            f"{describe(other[0])} is not an attempt: use {' and '.join(map(describe, KEYS))}",
            place,
        )
    missing = [key for key in KEYS if key not in attempts]
    if missing:
        raise PuzzleError(f"{describe(missing[0])} is missing", place)
    return tuple(parse_grid(attempts[key], f"{place}, {key}") for key in KEYS)
