"""Puzzles as Python programs hold them: text, paths, lists and arrays become ``Puzzle`` values.

Knows the readers of a task, and what an array of each task may hold only by asking the task.
"""

import io
import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from trmsolve.errors import PuzzleError
from trmsolve.puzzles.base import Task
from trmsolve.puzzles.files import Item, read_file
from trmsolve.puzzles.values import Puzzle

Cells: TypeAlias = Sequence[Any] | NDArray[Any]
"""A puzzle as rows of text, as rows of cells, or as an array."""

Given: TypeAlias = Puzzle | str | os.PathLike[str] | Cells
"""What stands for puzzles: one puzzle, a text or a file that may hold several, or rows."""

ACCEPTED = "text, a path, rows, an array or a Puzzle"


def first_puzzle(task: Task, given: Given) -> Puzzle:
    """The first puzzle of what is given.

    Raises:
        PuzzleError: If it cannot be read, or there is none.
        TypeError: If a value of this type is no puzzle.
    """
    return _first(items_of(task, given))


def every_item(task: Task, given: Given | Iterable[Given | Item | None]) -> Iterator[Item | None]:
    """Every puzzle of a text, of a file, or of a series of what may be given; errors in place.

    None passes through: it says that nothing waits right now.
    """
    if isinstance(given, str | os.PathLike | Puzzle):
        yield from items_of(task, given)
        return
    for one in given:
        if one is None or isinstance(one, Puzzle | PuzzleError):
            yield one
        else:
            yield from items_of(task, one)


def items_of(task: Task, given: Given) -> Iterator[Item]:
    """Every puzzle of what is given. Raises TypeError for a value that cannot be one."""
    if isinstance(given, Puzzle):
        yield given
    elif isinstance(given, str):
        yield from _of_text_or_name(task, given)
    elif isinstance(given, os.PathLike):
        yield from read_file(task, os.fspath(given))
    elif _has_cells(given):
        yield _of_cells(task, given)
    else:
        raise TypeError(f"a puzzle must be {ACCEPTED}, not {type(given).__name__}")


def items_of_text(task: Task, text: str) -> Iterator[Item]:
    """Every puzzle of a text. No file is opened, whatever the text is."""
    return task.read(io.BytesIO(text.encode(errors="replace")), "text")


def _first(items: Iterator[Item]) -> Puzzle:
    for item in items:
        if isinstance(item, PuzzleError):
            raise item
        return item
    raise PuzzleError("the text contains no puzzle")


def _of_text_or_name(task: Task, text: str) -> Iterator[Item]:
    """The puzzles of a text, or of the file with this name if the text begins with none."""
    items = items_of_text(task, text)
    first = next(items, None)
    if isinstance(first, PuzzleError) and _is_file(text):
        yield from read_file(task, text)
        return
    if first is not None:
        yield first
    yield from items


def _is_file(name: str) -> bool:
    """Whether a file has this name. Text that can be no name is none."""
    try:
        return Path(name).is_file()
    except (OSError, ValueError):  # too long, or with a character that no name has
        return False


def _has_cells(given: object) -> bool:
    """Whether a value is a list, a tuple or an array. Bytes are none: they have no encoding."""
    if isinstance(given, bytes | bytearray):
        return False
    return isinstance(given, np.ndarray | Sequence)


def _of_cells(task: Task, given: Cells) -> Item:
    """The puzzle of rows or of an array, or why there is none."""
    try:
        rows = _rows_of_text(given)
        if rows is not None:
            return _first(items_of_text(task, "\n".join(rows)))
        return task.puzzle_of(_numbers(given))
    except PuzzleError as error:
        return error


def _rows_of_text(given: Cells) -> list[str] | None:
    """The rows, if all of them are text or rows of single characters; else None."""
    if isinstance(given, np.ndarray) and given.dtype.kind not in "UO":
        return None
    rows = []
    for row in given:
        text = row if isinstance(row, str) else _joined(row)
        if text is None:
            return None
        rows.append(str(text))
    return rows or None


def _joined(row: Any) -> str | None:
    """The characters of a row of text cells as one text; None if there are other cells."""
    if not isinstance(row, Sequence | np.ndarray) or not len(row):
        return None
    if not all(isinstance(cell, str) and len(cell) == 1 for cell in row):
        return None
    return "".join(row)


def _numbers(given: Cells) -> NDArray[np.int64]:
    """The cells as an array of whole numbers (rows, columns). Raises PuzzleError for others."""
    try:
        array = np.asarray(given)
    except ValueError:
        raise PuzzleError("the rows are of different lengths") from None
    if array.dtype.kind == "f" and np.array_equal(array, np.trunc(array)):
        array = array.astype(np.int64)  # as pandas reads a column with blanks
    if array.dtype.kind not in "iub":
        raise PuzzleError(f"the cells must be whole numbers or characters, not {array.dtype}")
    if array.ndim != 2:
        raise PuzzleError(f"a grid has rows and columns: its shape cannot be {array.shape}")
    return array.astype(np.int64)
