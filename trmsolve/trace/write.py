"""Writes a trace: a line of JSON for each event, on the disk's side before the next one comes.

A run that is killed leaves whole lines. Knows values and files, not what happens with either.
"""

import gzip
import json
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import IO, Any, Self

from trmsolve.arc.task import AdaptationProgress, ArcAnswer, ArcCycle, ArcTask
from trmsolve.errors import PuzzleError
from trmsolve.files import naming
from trmsolve.puzzles.values import Cycle
from trmsolve.trace.puzzles import answer_fields, cycle_fields, puzzle_fields
from trmsolve.trace.recording import Frame, LearningPace, Outcome, Subject, subject_of
from trmsolve.trace.tasks import arc_answer_fields, arc_cycle_fields, learning_fields, task_fields
from trmsolve.wording import package_version

FORMAT = "trmsolve trace"
"""What the first line of a trace says that it is."""

VERSION = 1
"""The version of the format. A reader refuses other ones."""

PACKED = ".gz"
"""The ending of the name of a trace that is packed by gzip."""


class TraceWriter(AbstractContextManager["TraceWriter"]):
    """A trace under way. It is a ``Recorder``.

    Opening it replaces the file. Raises OSError naming the file, now and whenever a line cannot be
    written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._numbers: dict[
            int, tuple[int, Subject]
        ] = {}  # holds subjects, so that ids stay theirs
        self._begun = 0  # how many puzzles have begun
        self._pace = LearningPace()
        with naming(path):
            self._file: IO[bytes] = path.open("wb")
            self._lines: IO[bytes] = self._file
            if path.name.endswith(PACKED):
                self._lines = gzip.GzipFile("", "wb", fileobj=self._file, mtime=0)  # type: ignore[assignment]

    def __exit__(self, *_: object) -> None:
        with naming(self.path):
            try:
                if self._lines is not self._file:
                    self._lines.close()
            finally:
                self._file.close()

    def __enter__(self) -> Self:
        return self

    def begin(self, task: str, weights: str, steps: int | None = None) -> None:
        """Write the first line."""
        program = package_version()
        head = {"format": FORMAT, "version": VERSION, "program": program}
        self._write({**head, "task": task, "weights": weights, "steps": steps})

    def frame(self, frame: Frame) -> None:
        """Write a cycle, or a step of learning if the last one is some time ago."""
        if isinstance(frame, AdaptationProgress) and not self._pace.is_due(frame):
            return
        number = self._number(subject_of(frame))
        if isinstance(frame, Cycle):
            self._write({"event": "cycle", "puzzle": number, **cycle_fields(frame)})
        elif isinstance(frame, ArcCycle):
            self._write({"event": "cycle", "puzzle": number, **arc_cycle_fields(frame)})
        else:
            self._write({"event": "learning", "puzzle": number, **learning_fields(frame)})

    def outcome(self, outcome: Outcome) -> None:
        """Write an answer, or why an item could not be read."""
        if isinstance(outcome, PuzzleError):
            place = {"source": outcome.source, "line": outcome.line, "column": outcome.column}
            self._write({"event": "problem", "problem": outcome.problem, **place})
            return
        subject = subject_of(outcome)
        number = self._number(subject)
        fields = (
            arc_answer_fields(outcome) if isinstance(outcome, ArcAnswer) else answer_fields(outcome)
        )
        self._write({"event": "answer", "puzzle": number, **fields})
        del self._numbers[id(subject)]

    def _number(self, subject: Subject) -> int:
        """The number of the puzzle in this trace; its own line is written at its first event."""
        key = id(subject)
        if key not in self._numbers:
            number = self._begun
            self._begun += 1
            self._numbers[key] = number, subject
            self._write({"event": _kind(subject), "puzzle": number, **_subject_fields(subject)})
        return self._numbers[key][0]

    def _write(self, line: Mapping[str, Any]) -> None:
        """Write the line and flush it. All but ASCII is escaped."""
        text = json.dumps(line, separators=(",", ":"), allow_nan=False)
        with naming(self.path):
            self._lines.write(text.encode() + b"\n")
            self._lines.flush()
            self._file.flush()


def _kind(subject: Subject) -> str:
    return "task" if isinstance(subject, ArcTask) else "puzzle"


def _subject_fields(subject: Subject) -> dict[str, Any]:
    return task_fields(subject) if isinstance(subject, ArcTask) else puzzle_fields(subject)
