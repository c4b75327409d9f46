"""Puzzles of one line each: plain lines, or the CSV that ``trmsolve generate`` writes."""

import csv
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from typing import BinaryIO

from trmsolve.errors import PuzzleError
from trmsolve.puzzles.reading.lines import Patience, Source, TextLines
from trmsolve.puzzles.values import Puzzle

Parse = Callable[[str], Puzzle]
"""Makes a puzzle of one line. Raises ValueError that says what is wrong with it."""


def read_plain(stream: BinaryIO, name: str, parse: Parse) -> Iterator[Puzzle | PuzzleError]:
    """Every puzzle of a file with one on each line, or with a header that names ``question``.

    A CSV may have the columns ``answer`` and ``rating`` too. Empty lines are skipped. A line that
    cannot be read is yielded as its error, and the others follow.
    """
    columns: Sequence[str] = ("question",)
    patience = Patience(name, "puzzle")
    try:
        for number, text in TextLines(Source(stream), name):
            patience.count(number, text)
            fields = [field.strip() for field in next(csv.reader([text]), [])]
            if "question" in fields:
                columns = fields
            elif any(fields):
                patience.renew()
                yield _read(dict(zip(columns, fields, strict=False)), parse, name, number)
    except PuzzleError as error:  # not text at all
        yield error


def _read(row: dict[str, str], parse: Parse, name: str, number: int) -> Puzzle | PuzzleError:
    """The puzzle of one line by its columns."""
    try:
        puzzle = parse(row.get("question", ""))
        answer = parse(row["answer"]).grid if row.get("answer") else None
        rating = int(row["rating"]) if row.get("rating") else None
    except ValueError as error:
        return PuzzleError(str(error), name, number)
    return replace(puzzle, source=f"{name}:{number}", answer=answer, rating=rating)
