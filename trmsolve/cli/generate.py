"""``trmsolve generate``: make new puzzles with their answers."""

import csv
import re
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import chain, islice
from pathlib import Path
from threading import Timer
from typing import TYPE_CHECKING, Annotated

import typer

from trmsolve.cli import options
from trmsolve.cli.guard import guarded
from trmsolve.errors import UsageError

if TYPE_CHECKING:
    from trmsolve.puzzles.base import Puzzle

MAZES = "Mazes only"

PATIENCE = 1.5
"""Seconds until a word is said on what takes so long."""


@guarded
def generate(
    task: options.Task = "sudoku",
    number: Annotated[int, typer.Option("-n", "--number", min=1, help="How many puzzles.")] = 10,
    difficulty: Annotated[
        str | None,
        typer.Option(
            help="Sudoku: easy, medium, hard, extreme or mixed. Maze: hard, sparse, perfect or mixed.",
            show_default="the first",
        ),
    ] = None,
    size: Annotated[
        str | None, typer.Option(metavar="ROWSxCOLUMNS", help="Of mazes.", show_default="30x30", rich_help_panel=MAZES)
    ] = None,
    path_length: Annotated[
        str | None,
        typer.Option(
            metavar="LEAST[-MOST]", help="Steps from start to goal.", show_default="any", rich_help_panel=MAZES
        ),
    ] = None,
    seed: options.Seed = 0,
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="A CSV file.", show_default="stdout")] = None,
) -> None:
    """Make puzzles, as a CSV of questions, answers and ratings.

    Sudokus have exactly one solution, and are rated by the guesses that a full search needs. Mazes have the answer of
    the public data's rule, and are rated by its steps.
    """
    from trmsolve.puzzles import get_task

    room = get_task(task)
    difficulty = difficulty or room.difficulties[0]
    if difficulty not in room.difficulties:
        raise UsageError(f"--difficulty {difficulty} is not known: use {', '.join(room.difficulties)}")
    puzzles = _with_a_word(room.generate(difficulty, seed, _size(size), *_lengths(path_length)))
    first = next(puzzles)  # what cannot be made is told before a file is touched
    with ExitStack() as stack:
        try:
            stream = stack.enter_context(out.open("w", encoding="utf-8", newline="")) if out else sys.stdout
        except OSError as error:
            raise UsageError(f"{out} cannot be written: {error.strerror}") from None
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(("question", "answer", "source", "rating"))
        for puzzle in islice(chain([first], puzzles), number):
            assert puzzle.answer is not None
            question, answer = room.line(puzzle.grid), room.line(puzzle.answer)
            writer.writerow((question, answer, f"generated_{difficulty}", puzzle.rating))


def _size(text: str | None) -> tuple[int, int] | None:
    if text is None:
        return None
    if not (match := re.fullmatch(r"([0-9]{1,4})[xX]([0-9]{1,4})", text)):
        raise UsageError(f"--size {text}: write rows and columns, such as 20x30")
    return int(match[1]), int(match[2])


def _lengths(text: str | None) -> tuple[int | None, int | None]:
    if text is None:
        return None, None
    if not (match := re.fullmatch(r"([0-9]{1,6})(-([0-9]{1,6})?)?", text)):
        raise UsageError(f"--path-length {text}: write the least steps, such as 20, or a range, such as 20-40")
    return int(match[1]), int(match[3]) if match[3] else None


def _with_a_word(puzzles: Iterator["Puzzle"]) -> Iterator["Puzzle"]:
    """The puzzles; if the first takes long, a word on why."""
    word = Timer(PATIENCE, typer.echo, ["compiling the search; the next time it is ready"], {"err": True})
    word.daemon = True
    word.start()
    try:
        first = next(puzzles)
    finally:
        word.cancel()
    yield from chain([first], puzzles)
