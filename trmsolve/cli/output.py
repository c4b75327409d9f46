"""What the commands write: lines for the person on standard error, and answers on standard output.

Answers come in the input's form, as lines, or as JSON. All text passes through ``printable`` on its
way out.
"""

import json
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any, TextIO

from trmsolve.errors import PuzzleError, UsageError
from trmsolve.puzzles.base import Task
from trmsolve.puzzles.values import Answer
from trmsolve.wording import encodable, printable, printable_line

FORMATS = ("input", "line", "json")


def put(text: str) -> None:
    """Write a line of results to standard output and flush it.

    Raises OSError if it cannot be written.
    """
    write(sys.stdout, printable_line(text) + "\n")


def put_text(text: str) -> None:
    """As ``put`` for text of several lines, such as a table."""
    write(sys.stdout, f"{text}\n")


def say(text: str) -> None:
    """Write a line for the person to standard error, aside of the answers."""
    write(sys.stderr, printable_line(text) + "\n")


def write(stream: TextIO, text: str) -> None:
    """Write text to a stream, safe for a terminal and in the stream's encoding, and flush it."""
    stream.write(encodable(printable(text), stream.encoding or "utf-8"))
    stream.flush()


class Writer(ABC):
    """Takes answers and unreadable items in input order and writes each whole and at once.

    With ``keep_unverified`` a grid that the rules refuse is written like an answer; otherwise only
    JSON, which says that it is not verified, has it. ``note`` is told, once, that an answer could
    not be drawn as its puzzle was.
    """

    def __init__(
        self,
        task: Task,
        weights: str,
        stream: TextIO | None = None,
        keep_unverified: bool = False,
        note: Callable[[str], None] = say,
    ) -> None:
        self.task = task
        self.weights = weights
        self.stream = stream or sys.stdout
        self.keep_unverified = keep_unverified
        self.note = note
        self.index = 0

    def put(self, outcome: Answer | PuzzleError) -> None:
        """Write one outcome and flush it."""
        if text := self.text(outcome):
            write(self.stream, text)
        self.index += 1

    @abstractmethod
    def text(self, outcome: Answer | PuzzleError) -> str:
        """What is written for one outcome, newline included; "" for nothing."""

    def _shown(self, answer: Answer) -> bool:
        """Whether the answer's grid may stand on standard output as an answer."""
        return answer.verified or self.keep_unverified


class LineWriter(Writer):
    """One line an answer; an empty line where there is none that the rules accept."""

    def text(self, outcome: Answer | PuzzleError) -> str:
        if isinstance(outcome, PuzzleError):
            return ""
        return self.task.line(outcome.grid) + "\n" if self._shown(outcome) else "\n"


class InputWriter(Writer):
    """Each answer as its puzzle was written; drawn ones are set apart by an empty line.

    A puzzle without a verified answer is written as it was read, so that nobody takes a wrong grid
    for an answer.
    """

    wants_gap = False
    noted = False

    def text(self, outcome: Answer | PuzzleError) -> str:
        if isinstance(outcome, PuzzleError):
            return ""
        text = self._drawing(outcome)
        drawn = text.strip().count("\n") > 0
        gap = "\n" if drawn and self.wants_gap else ""
        self.wants_gap = drawn and not text.endswith(
            "\n\n"
        )  # a drawing may bring its own empty line
        return gap + text

    def _drawing(self, answer: Answer) -> str:
        grid = answer.grid if self._shown(answer) else answer.puzzle.grid
        encoding = self.stream.encoding or "utf-8"
        form = answer.puzzle.form
        if self.task.can_write(form, encoding):
            return self.task.write(grid, form)
        if not self.noted:
            self.noted = True
            self.note(
                f"the output's encoding, {encoding}, lacks the puzzle's characters: answers are drawn in ASCII"
            )
        return self.task.write(grid, None)


class ScreenWriter(InputWriter):
    """For a person who has watched: writes only what the screen has not shown, as it is wider than that."""

    def __init__(
        self, task: Task, weights: str, columns: int, keep_unverified: bool = False
    ) -> None:
        super().__init__(task, weights, keep_unverified=keep_unverified)
        self.columns = columns

    def text(self, outcome: Answer | PuzzleError) -> str:
        drawn = (
            isinstance(outcome, PuzzleError) or outcome.grid.shape[1] <= self.columns
        )  # at least one a cell
        return "" if drawn else super().text(outcome)


class JsonWriter(Writer):
    """One object a line, for unreadable items too."""

    def text(self, outcome: Answer | PuzzleError) -> str:
        return json.dumps(self._fields(outcome), ensure_ascii=True) + "\n"

    def _fields(self, outcome: Answer | PuzzleError) -> dict[str, Any]:
        if isinstance(outcome, PuzzleError):
            place = ":".join(
                str(part) for part in (outcome.source, outcome.line) if part not in ("", None)
            )
            return {
                "index": self.index,
                "source": place,
                "task": self.task.name,
                "error": str(outcome),
            }
        return {
            "index": self.index,
            "source": outcome.puzzle.source,
            "task": self.task.name,
            "puzzle": self.task.text(outcome.puzzle.grid),
            "answer": self.task.text(outcome.grid),
            "verified": outcome.verified,
            **(
                {}
                if outcome.valid is None
                else {"valid": outcome.valid, "optimal": outcome.optimal}
            ),
            "reason": outcome.reason,
            "remark": outcome.remark,
            "cycles": outcome.cycles,
            "views": outcome.views,
            "halt": round(outcome.halt, 4),
            "seconds": round(outcome.seconds, 4),
            "weights": self.weights,
        }


def choose_writer(
    form: str, task: Task, weights: str, watched: int | None = None, keep_unverified: bool = False
) -> Writer:
    """The writer for ``--format``; ``watched`` are the columns of the screen on which the answers stand already."""
    if form not in FORMATS:
        raise UsageError(f"--format {form} is not known: use {', '.join(FORMATS)}")
    if watched is not None:
        return ScreenWriter(task, weights, watched, keep_unverified)
    writers: dict[str, type[Writer]] = {
        "input": InputWriter,
        "line": LineWriter,
        "json": JsonWriter,
    }
    return writers[form](task, weights, keep_unverified=keep_unverified)
