"""``trmsolve generate``: make new puzzles with their answers."""

import csv
import sys
from contextlib import ExitStack
from itertools import islice
from pathlib import Path
from typing import Annotated

import typer

from trmsolve.cli import options
from trmsolve.cli.guard import guarded
from trmsolve.errors import UsageError


@guarded
def generate(
    task: options.Task = "sudoku",
    number: Annotated[int, typer.Option("-n", "--number", min=1, help="How many puzzles.")] = 10,
    difficulty: Annotated[str, typer.Option(help="easy (30+ clues, no guess), medium (no guess) or hard.")] = "easy",
    seed: options.Seed = 0,
    out: Annotated[Path | None, typer.Option(metavar="FILE", help="A CSV file.", show_default="stdout")] = None,
) -> None:
    """Make puzzles with exactly one solution, as a CSV of questions and answers."""
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
        writer.writerow(("question", "answer", "source"))
        for puzzle in islice(room.generate(difficulty, seed), number):
            assert puzzle.answer is not None
            writer.writerow((room.line(puzzle.grid), room.line(puzzle.answer), f"generated_{difficulty}"))
