"""Answers on standard output: in the input's form, as lines, or as JSON. Nothing else is ever written there."""

import json
import sys
from abc import ABC, abstractmethod
from typing import Any, TextIO

from trmsolve.errors import PuzzleError, UsageError
from trmsolve.puzzles.base import Answer, Task

FORMATS = ("input", "line", "json")


def encodable(text: str, encoding: str) -> str:
    """The text, with plain strokes for frames and ``?`` for letters where the stream's encoding lacks them."""
    try:
        text.encode(encoding)
        return text
    except UnicodeEncodeError:
        return "".join(encodable_character(character, encoding) for character in text)


def encodable_character(character: str, encoding: str) -> str:
    """The character, or the nearest one that the encoding has."""
    try:
        character.encode(encoding)
        return character
    except UnicodeEncodeError:
        if "─" <= character <= "╿":
            return "-" if character in "─━═" else "|" if character in "│┃║" else "+"
        return "?"


class Writer(ABC):
    """Takes answers and unreadable items in input order and writes each whole and at once."""

    def __init__(self, task: Task, weights: str, stream: TextIO | None = None) -> None:
        self.task, self.weights, self.stream = task, weights, stream or sys.stdout
        self.index = 0

    def put(self, outcome: Answer | PuzzleError) -> None:
        """Write one outcome and flush it."""
        if text := self.text(outcome):
            self.stream.write(encodable(text, self.stream.encoding or "utf-8"))
            self.stream.flush()
        self.index += 1

    @abstractmethod
    def text(self, outcome: Answer | PuzzleError) -> str:
        """What is written for one outcome, newline included; "" for nothing."""


class LineWriter(Writer):
    """One line an answer."""

    def text(self, outcome: Answer | PuzzleError) -> str:
        return "" if isinstance(outcome, PuzzleError) else self.task.line(outcome.grid) + "\n"


class InputWriter(Writer):
    """Each answer as its puzzle was written; drawn ones are set apart by an empty line."""

    wants_gap = False

    def text(self, outcome: Answer | PuzzleError) -> str:
        if isinstance(outcome, PuzzleError):
            return ""
        text = self.task.write(outcome.grid, outcome.puzzle.form)
        drawn = text.strip().count("\n") > 0
        gap = "\n" if drawn and self.wants_gap else ""
        self.wants_gap = drawn and not text.endswith("\n\n")  # a drawing may bring its own empty line
        return gap + text


class ScreenWriter(InputWriter):
    """For a person who has watched: writes only what the screen has not shown, as it is wider than that."""

    def __init__(self, task: Task, weights: str, columns: int) -> None:
        super().__init__(task, weights)
        self.columns = columns

    def text(self, outcome: Answer | PuzzleError) -> str:
        drawn = isinstance(outcome, PuzzleError) or outcome.grid.shape[1] <= self.columns  # at least one a cell
        return "" if drawn else super().text(outcome)


class JsonWriter(Writer):
    """One object a line, for unreadable items too."""

    def text(self, outcome: Answer | PuzzleError) -> str:
        return json.dumps(self._fields(outcome), ensure_ascii=True) + "\n"

    def _fields(self, outcome: Answer | PuzzleError) -> dict[str, Any]:
        if isinstance(outcome, PuzzleError):
            place = ":".join(str(part) for part in (outcome.source, outcome.line) if part not in ("", None))
            return {"index": self.index, "source": place, "task": self.task.name, "error": str(outcome)}
        return {
            "index": self.index,
            "source": outcome.puzzle.source,
            "task": self.task.name,
            "puzzle": self.task.text(outcome.puzzle.grid),
            "answer": self.task.text(outcome.grid),
            "verified": outcome.verified,
            **({} if outcome.valid is None else {"valid": outcome.valid, "optimal": outcome.optimal}),
            "reason": outcome.reason,
            "cycles": outcome.cycles,
            "views": outcome.views,
            "halt": round(outcome.halt, 4),
            "seconds": round(outcome.seconds, 4),
            "weights": self.weights,
        }


def choose_writer(form: str, task: Task, weights: str, watched: int | None = None) -> Writer:
    """The writer for ``--format``; ``watched`` are the columns of the screen on which the answers stand already."""
    if form not in FORMATS:
        raise UsageError(f"--format {form} is not known: use {', '.join(FORMATS)}")
    if watched is not None:
        return ScreenWriter(task, weights, watched)
    writers: dict[str, type[Writer]] = {"input": InputWriter, "line": LineWriter, "json": JsonWriter}
    return writers[form](task, weights)
