"""What the commands write: lines for the person on standard error, and answers on standard output.

Answers come in the input's form, as lines, or as JSON. All text passes through ``printable`` on its
way out.
"""

import json
import sys
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from trmsolve.cli.streams import put, put_text, say, write
from trmsolve.errors import PuzzleError, UsageError
from trmsolve.files import replacing
from trmsolve.puzzles.base import Task
from trmsolve.puzzles.values import Answer

__all__ = ["FORMATS", "Writer", "answers_to", "choose_writer", "put", "put_text", "say", "write"]

FORMATS = ("input", "line", "json")


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

    def to(self, stream: TextIO | None) -> "Writer":
        """Write to this stream from now on; None changes nothing."""
        self.stream = stream or self.stream
        return self

    def put(self, outcome: Answer | PuzzleError) -> None:
        """Write one outcome and flush it."""
        text = self.text(outcome)
        if text:
            write(self.stream, text)
        self.index += 1

    @abstractmethod
    def text(self, outcome: Answer | PuzzleError) -> str:
        """The text for one outcome, newline included; "" for nothing."""

    def _shown(self, answer: Answer) -> bool:
        """Whether the answer's grid may stand on standard output as an answer."""
        return answer.verified or self.keep_unverified


class LineWriter(Writer):
    """One line an answer; an empty line where there is none that the rules accept."""

    def text(self, outcome: Answer | PuzzleError) -> str:
        """The answer's line, or an empty one."""
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
        """The answer or its puzzle as it was written."""
        if isinstance(outcome, PuzzleError):
            return ""
        text = self._drawing(outcome)
        drawn = text.strip().count("\n") > 0
        gap = "\n" if drawn and self.wants_gap else ""
        # A drawing may bring its own empty line.
        self.wants_gap = drawn and not text.endswith("\n\n")
        return gap + text

    def _drawing(self, answer: Answer) -> str:
        encoding = self.stream.encoding or "utf-8"
        form = answer.puzzle.form
        if self.task.can_write(form, encoding):
            return self._written(answer, form)
        if not self.noted:
            self.noted = True
            self.note(
                f"the output's encoding, {encoding}, cannot show the puzzle's "
                "characters: answers are drawn in ASCII"
            )
        return self._written(answer, None)

    def _written(self, answer: Answer, form: Any) -> str:
        if self._shown(answer):
            return self.task.write(answer.grid, form)
        return self.task.write_puzzle(answer.puzzle, form)


class ScreenWriter(InputWriter):
    """For a person who has watched: writes only drawings too wide for the screen to have shown.

    ``was_shown`` says whether the screen shows the grid of the last answer.
    """

    def __init__(
        self,
        task: Task,
        weights: str,
        was_shown: Callable[[], bool],
        keep_unverified: bool = False,
    ) -> None:
        super().__init__(task, weights, keep_unverified=keep_unverified)
        self.was_shown = was_shown

    def text(self, outcome: Answer | PuzzleError) -> str:
        """The drawing if it was too wide, else nothing."""
        if isinstance(outcome, PuzzleError) or self.was_shown():
            return ""
        return super().text(outcome)


class JsonWriter(Writer):
    """One object a line, for unreadable items too."""

    def text(self, outcome: Answer | PuzzleError) -> str:
        """The object on its line."""
        return json.dumps(self._fields(outcome), ensure_ascii=True) + "\n"

    def _fields(self, outcome: Answer | PuzzleError) -> dict[str, Any]:
        if isinstance(outcome, PuzzleError):
            parts = [str(part) for part in (outcome.source, outcome.line) if part not in ("", None)]
            place = ":".join(parts)
            return {
                "index": self.index,
                "source": place,
                "task": self.task.name,
                "error": str(outcome),
            }
        graded = {}
        if outcome.valid is not None:
            graded = {"valid": outcome.valid, "optimal": outcome.optimal}
        return {
            "index": self.index,
            "source": outcome.puzzle.source,
            "task": self.task.name,
            "puzzle": self.task.text_puzzle(outcome.puzzle),
            "answer": self.task.text(outcome.grid),
            "verified": outcome.verified,
            **graded,
            "reason": outcome.reason,
            "remark": outcome.remark,
            "solutions": "several" if outcome.solutions == 2 else outcome.solutions,
            "cycles": outcome.cycles,
            "views": outcome.views,
            "halt": round(outcome.halt, 4),
            "seconds": round(outcome.seconds, 4),
            "weights": self.weights,
        }


def choose_writer(
    form: str,
    task: Task,
    weights: str,
    was_shown: Callable[[], bool] | None = None,
    keep_unverified: bool = False,
) -> Writer:
    """The writer for ``--format``.

    ``was_shown`` says whether the last answer is on the screen already; None where none ever is.
    """
    if form not in FORMATS:
        raise UsageError(f"--format {form} is not known: use {', '.join(FORMATS)}")
    if was_shown is not None:
        return ScreenWriter(task, weights, was_shown, keep_unverified)
    writers: dict[str, type[Writer]] = {
        "input": InputWriter,
        "line": LineWriter,
        "json": JsonWriter,
    }
    return writers[form](task, weights, keep_unverified=keep_unverified)


@contextmanager
def answers_to(out: Path | None) -> Iterator[TextIO | None]:
    """The stream of the file that becomes ``out`` at the end; None for standard output.

    After an error or an interrupt ``out`` is as it was. Raises UsageError where no file can be.
    """
    if out is None:
        yield None
        return
    if out.exists() and not out.is_file():
        raise UsageError(f"--out {out} is no file: use > {out} instead")
    if out.exists():
        say(f"replacing {out}")
    with replacing(out) as temporary, temporary.open("w", encoding="utf-8", newline="") as stream:
        yield stream
