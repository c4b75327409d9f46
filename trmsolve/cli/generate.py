"""``trmsolve generate``: make new puzzles with their answers."""

import csv
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

PATIENCE = 1.5
"""Seconds until a word is said on what takes so long."""


@guarded
def generate(
    task: options.Task = "sudoku",
    number: Annotated[int, typer.Option("-n", "--number", min=1, help="How many puzzles.")] = 10,
    difficulty: Annotated[str, typer.Option(help="easy, medium, hard, extreme or mixed.")] = "easy",
    seed: options.Seed = 0,
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="A CSV file.", show_default="stdout")] = None,
) -> None:
    """Make puzzles with exactly one solution, as a CSV of questions, answers and ratings.

    The rating is the number of guesses that a full search needs.
    """
    from trmsolve.puzzles import get_task

    room = get_task(task)
    if difficulty not in room.difficulties:
        raise UsageError(f"--difficulty {difficulty} is not known: use {', '.join(room.difficulties)}")
    with ExitStack() as stack:
        try:
            stream = stack.enter_context(out.open("w", encoding="utf-8", newline="")) if out else sys.stdout
        except OSError as error:
            raise UsageError(f"{out} cannot be written: {error.strerror}") from None
        writer = csv.writer(stream, lineterminator="\n")
        writer.writerow(("question", "answer", "source", "rating"))
        for puzzle in islice(_with_a_word(room.generate(difficulty, seed)), number):
            assert puzzle.answer is not None
            question, answer = room.line(puzzle.grid), room.line(puzzle.answer)
            writer.writerow((question, answer, f"generated_{difficulty}", puzzle.rating))


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
