"""``trmsolve generate``: make new puzzles with their answers."""

import inspect
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer

from trmsolve.arc.generate.difficulties import (
    DIFFICULTIES,
    MOST_DEMONSTRATIONS,
    USUAL_DIFFICULTY,
)
from trmsolve.cli import options
from trmsolve.cli.complete import complete_difficulty
from trmsolve.puzzles.known import known_puzzles

MAZES = "Mazes only"
ARC = "ARC tasks only"

ARC_HELP = """
ARC tasks follow one of many rules, and hard ones follow two of them in turn.
They are written as JSON with the outputs of their tests, so that arc, eval
and train read them.
"""

EXIT_CODES = """
Examples:
trmsolve generate -n 5 --difficulty hard
trmsolve generate --task maze --size 20x30 --out mazes.csv

Exit codes:
0  the puzzles are written
2  some option is invalid, or fewer puzzles than asked for can be made
5  the file or the output cannot be written
141  the reader of the output has left
"""


def _difficulties() -> str:
    """The difficulties of every kind of puzzle and of ARC, for the help."""
    parts = []
    for words in known_puzzles():
        plural = words.plural[0].upper() + words.plural[1:]
        parts.append(f"{plural}: {_listed(words.difficulties)}.")
    parts.append(f"ARC tasks: {_listed(tuple(DIFFICULTIES))}.")
    return " ".join(parts)


def _usual_difficulties() -> str:
    """The difficulties that are made if none is asked for, for the help."""
    usual = options.task_defaults("difficulties", lambda difficulties: difficulties[0])
    return f"{usual}; {USUAL_DIFFICULTY} for ARC tasks"


def _listed(words: Sequence[str]) -> str:
    """The words as in "a, b or c"."""
    *before, last = words
    return f"{', '.join(before)} or {last}" if before else last


def _help() -> str:
    """The help of the command, with a paragraph for every kind of puzzle that has one."""
    paragraphs = ["Generate puzzles as CSV with questions, answers and ratings."]
    paragraphs += [inspect.cleandoc(words.generate_help) for words in known_puzzles()]
    paragraphs.append(inspect.cleandoc(ARC_HELP))
    paragraphs.append(inspect.cleandoc(EXIT_CODES))
    return "\n\n".join(filter(None, paragraphs))


def generate(  # noqa: PLR0913 (its parameters are the options)
    task: options.Task = "sudoku",
    number: Annotated[
        int, typer.Option("-n", "--number", metavar="N", min=1, help="Number of puzzles.")
    ] = 10,
    difficulty: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help=_difficulties(),
            autocompletion=complete_difficulty,
            show_default=_usual_difficulties(),
        ),
    ] = None,
    size: Annotated[
        str | None,
        typer.Option(
            metavar="ROWSxCOLUMNS",
            help="Size of each puzzle: any for mazes, where it is the largest of mixed ones; 4x4, "
            "6x6, 8x8, 9x9, 10x10, 12x12 or 16x16 for Sudokus.",
            show_default="30x30 for mazes, 9x9 for Sudokus",
        ),
    ] = None,
    path_length: Annotated[
        str | None,
        typer.Option(
            metavar="MIN[-MAX]",
            help="Number of steps from start to goal; MIN alone has no upper limit.",
            show_default="any; long for hard mazes",
            rich_help_panel=MAZES,
        ),
    ] = None,
    demonstrations: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=1,
            max=MOST_DEMONSTRATIONS,
            help="Number of demonstrations of each ARC task.",
            show_default="2 to 5",
            rich_help_panel=ARC,
        ),
    ] = None,
    seed: options.Seed = 0,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="The CSV file to write; for ARC tasks, the JSON file.",
            show_default="standard output",
        ),
    ] = None,
) -> None:
    """Make puzzles; the help says more, see ``_help``."""
    from trmsolve.cli.generating import Request, make_puzzles

    make_puzzles(Request(task, number, difficulty, size, path_length, demonstrations, seed, out))


generate.__doc__ = _help()
