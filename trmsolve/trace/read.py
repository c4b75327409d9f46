"""Reads a trace. Whatever is in the file, the result can be drawn, or the error names the line."""

import gzip
import json
import zlib
from collections.abc import Iterator
from io import BufferedReader
from itertools import count
from pathlib import Path
from typing import IO, Any

from trmsolve.arc.task import ArcTask
from trmsolve.errors import PuzzleError, UsageError
from trmsolve.files import GZIP, open_file, reason
from trmsolve.puzzles.registry import get_task
from trmsolve.puzzles.values import Puzzle
from trmsolve.trace.fields import LONGEST_TEXT, Fields
from trmsolve.trace.puzzles import TracedCycle, read_answer, read_cycle, read_puzzle
from trmsolve.trace.recording import Recording, Subject
from trmsolve.trace.tasks import (
    check_shares,
    read_arc_answer,
    read_arc_cycle,
    read_learning,
    read_task,
)
from trmsolve.trace.write import FORMAT, VERSION

LONGEST_LINE = 1 << 25
"""Most bytes of a line."""

LARGEST = 1 << 28
"""Most bytes of a trace, unpacked. All of it is kept in memory."""


def read_trace(name: str) -> Recording:
    """The recording in a file.

    A last line that is not whole is left out: its run was killed.

    Raises:
        UsageError: If the file cannot be opened.
        PuzzleError: If it is no trace, or damaged. It names the file and the line.
    """
    try:
        file = open_file(Path(name))
    except (OSError, ValueError) as error:
        raise UsageError(f"{name} cannot be read: {reason(error)}") from None
    with file:
        return _Reader(name).read(file)


class _Reader:
    """A trace that is being read."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.recording = Recording()
        self.subjects: dict[int, Subject] = {}
        self.task: Any = None  # None for ARC

    def read(self, file: BufferedReader) -> Recording:
        for number, line in self._lines(file):
            try:
                if number == 1:
                    self._begin(line)
                else:
                    self._add(Fields(json.loads(line)))
            except UsageError as error:  # a kind of puzzle that is not installed
                raise PuzzleError(str(error), self.name, number) from None
            except (ValueError, OverflowError, RecursionError) as error:
                problem = f"this line of the trace is damaged: {reason_of(error)}"
                raise PuzzleError(problem, self.name, number) from None
        if not self.recording.task:
            raise PuzzleError(_foreign("it is empty"), self.name)
        return self.recording

    def _lines(self, file: BufferedReader) -> Iterator[tuple[int, bytes]]:
        """Every whole line with its number, from 1."""
        stream: IO[bytes] = file
        if file.peek(2).startswith(GZIP):
            stream = gzip.GzipFile(fileobj=file)  # type: ignore[assignment]
        left = LARGEST
        for number in count(1):
            line = self._next_line(stream, number)
            left -= len(line)
            if len(line) > LONGEST_LINE or left < 0:
                problem = (
                    f"a trace has at most {LARGEST >> 20} MiB, and a line {LONGEST_LINE >> 20}"
                )
                raise PuzzleError(problem, self.name, number)
            if not line.endswith(b"\n"):
                if line and number == 1:
                    raise PuzzleError(_foreign("its first line has no end"), self.name, number)
                if line:
                    self.recording.cut_at = number
                return
            yield number, line

    def _next_line(self, stream: IO[bytes], number: int) -> bytes:
        try:
            return stream.readline(LONGEST_LINE + 1)
        except EOFError:  # packed data without their end: the run was killed
            self.recording.cut_at = number
            return b""
        except (OSError, zlib.error) as error:
            problem = f"the packed data are damaged: {reason_of(error)}"
            raise PuzzleError(problem, self.name, number) from None

    def _begin(self, line: bytes) -> None:
        """Read the first line, which says what the file is."""
        try:
            head = Fields(json.loads(line))
            is_trace = head.values.get("format") == FORMAT
        except (ValueError, RecursionError):
            is_trace = False
        if not is_trace:
            raise PuzzleError(_foreign("its first line does not say so"), self.name, 1)
        version = head.count("version")
        if version != VERSION:
            problem = (
                f"this trace has version {version} of the format, not {VERSION}: replay it with "
                "the program that wrote it"
            )
            raise PuzzleError(problem, self.name, 1)
        name = head.text("task")
        if name != "arc":
            self.task = get_task(name)
        steps = None if head.value("steps") is None else head.count("steps", 1)
        self.recording.begin(name, head.text("weights"), steps)

    def _add(self, fields: Fields) -> None:
        """Take one event."""
        event = fields.text("event")
        if event == "problem":
            self.recording.outcome(_read_problem(fields))
            return
        number = fields.count("puzzle")
        if event in ("puzzle", "task"):
            if number in self.subjects:
                raise ValueError(f"puzzle {number} has begun before")
            self.subjects[number] = self._read_subject(event, fields)
            return
        subject = self.subjects.get(number)
        if subject is None:
            raise ValueError(f"puzzle {number} has not begun, or is done")
        if isinstance(subject, ArcTask):
            self._add_of_task(event, fields, subject)
        else:
            self._add_of_puzzle(event, fields, subject)
        if event == "answer":
            del self.subjects[number]

    def _read_subject(self, event: str, fields: Fields) -> Subject:
        if (event == "task") != (self.task is None):
            raise ValueError(f'"{event}" does not belong to a trace of {self.recording.task}')
        return read_task(fields) if event == "task" else read_puzzle(fields)

    def _add_of_puzzle(self, event: str, fields: Fields, puzzle: Puzzle) -> None:
        if event == "cycle":
            cycle = read_cycle(fields, puzzle)
            self._check_drawing(cycle)
            self.recording.frame(cycle)
        elif event == "answer":
            self.recording.outcome(read_answer(fields, puzzle))
        else:
            raise ValueError(f'"{event}" is no event of a puzzle')

    def _add_of_task(self, event: str, fields: Fields, task: ArcTask) -> None:
        if event == "cycle":
            cycle = read_arc_cycle(fields, task)
            check_shares(cycle)
            self.recording.frame(cycle)
        elif event == "learning":
            self.recording.frame(read_learning(fields, task))
        elif event == "answer":
            self.recording.outcome(read_arc_answer(fields, task))
        else:
            raise ValueError(f'"{event}" is no event of an ARC task')

    def _check_drawing(self, cycle: TracedCycle) -> None:
        """Raise ValueError for a grid that is none of its task, such as a Sudoku of five rows."""
        try:
            self.task.paint(cycle, False)
        except Exception:  # a task of another package may raise anything
            raise ValueError(f"this is no {self.task.name} that can be drawn") from None


def _read_problem(fields: Fields) -> PuzzleError:
    line = fields.count("line") if fields.value("line") is not None else None
    column = fields.count("column") if fields.value("column") is not None else None
    return PuzzleError(fields.text("problem"), fields.text("source"), line, column)


def _foreign(why: str) -> str:
    return f"this is no trace ({why}): give a file that --trace has written"


def reason_of(error: Any) -> str:
    """The error's own words in one line of bounded length."""
    text = " ".join(str(error).split()) or type(error).__name__
    return text[: LONGEST_TEXT // 256]
