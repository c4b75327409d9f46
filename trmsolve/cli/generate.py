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
from trmsolve.cli.output import say
from trmsolve.errors import UsageError

if TYPE_CHECKING:
    from trmsolve.puzzles.values import Puzzle

MAZES = "Mazes only"

PATIENCE = 1.5
"""Seconds until a word is said on what takes so long."""

COMPILING = "compiling the search; the next time it is ready"
LOOKING = "looking for a path of that length; the first time, the search is compiled too"


def generate(
    task: options.Task = "sudoku",
    number: Annotated[int, typer.Option("-n", "--number", min=1, help="How many puzzles.")] = 10,
    difficulty: Annotated[
        str | None,
        typer.Option(
            help="Sudokus: easy, medium, hard, extreme or mixed. Mazes: hard, sparse, perfect or mixed.",
            show_default="easy, for mazes hard",
        ),
    ] = None,
    size: Annotated[
        str | None,
        typer.Option(
            metavar="ROWSxCOLUMNS",
            help="Of every maze; of mixed ones, of the largest.",
            show_default="30x30",
            rich_help_panel=MAZES,
        ),
    ] = None,
    path_length: Annotated[
        str | None,
        typer.Option(
            metavar="LEAST[-MOST]",
            help="Steps from start to goal; LEAST alone is so many or more.",
            show_default="any, for hard mazes long",
            rich_help_panel=MAZES,
        ),
    ] = None,
    seed: options.Seed = 0,
    out: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="The CSV file to write.", show_default="standard output"),
    ] = None,
) -> None:
    """Make puzzles, as a CSV of questions, answers and ratings.

    A Sudoku has exactly one solution. Its rating is how many guesses a full
    search needs.

    A maze may have several shortest paths: its answer is the one that the
    public data's rule chooses, its rating the steps of that path. Mazes are
    hard (random walls, ends as far apart as in the public data), sparse (few
    walls, any two ends), perfect (corridors, one way between any two cells)
    or mixed (all of these and more, of all sizes).
    """
    from trmsolve.puzzles import get_task

    room = get_task(task)
    difficulty = difficulty or room.difficulties[0]
    if difficulty not in room.difficulties:
        raise UsageError(
            f"--difficulty {difficulty} is not known: use {', '.join(room.difficulties)}"
        )
    word = COMPILING if path_length is None else LOOKING
    puzzles = _with_a_word(
        room.generate(difficulty, seed, _size(size), *_lengths(path_length)), word
    )
    first = next(puzzles)  # what cannot be made is told before a file is touched
    with ExitStack() as stack:
        try:
            stream = (
                stack.enter_context(out.open("w", encoding="utf-8", newline=""))
                if out
                else sys.stdout
            )
        except OSError as error:
            raise UsageError(f"{out} cannot be written: {error.strerror}") from None
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(("question", "answer", "source", "rating"))
        made = 0
        try:
            for puzzle in islice(chain([first], puzzles), number):
                assert puzzle.answer is not None
                question, answer = room.line(puzzle.grid), room.line(puzzle.answer)
                writer.writerow((question, answer, f"generated_{difficulty}", puzzle.rating))
                made += 1
        except UsageError as error:  # rare ones may be found once and not again
            raise UsageError(f"{made} of {number} puzzles are written: {error}") from None


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
        raise UsageError(
            f"--path-length {text}: write the least steps, such as 20, or a range, such as 20-40"
        )
    return int(match[1]), int(match[3]) if match[3] else None


def _with_a_word(puzzles: Iterator["Puzzle"], word: str = COMPILING) -> Iterator["Puzzle"]:
    """The puzzles; if the first takes long, a word on why."""
    timer = Timer(PATIENCE, say, [word])
    timer.daemon = True
    timer.start()
    try:
        first = next(puzzles)
    finally:
        timer.cancel()
    yield from chain([first], puzzles)
