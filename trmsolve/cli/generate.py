"""``trmsolve generate``: make new puzzles with their answers."""

import csv
import inspect
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from itertools import chain, islice
from pathlib import Path
from threading import Timer
from typing import Annotated, TextIO, TypeVar

import typer

from trmsolve.arc.generate.tasks import (
    DIFFICULTIES,
    MOST_DEMONSTRATIONS,
    USUAL_DIFFICULTY,
    generate_tasks,
)
from trmsolve.arc.task import ArcTask
from trmsolve.arc.write import write_tasks
from trmsolve.cli import options
from trmsolve.cli.complete import complete_difficulty
from trmsolve.cli.output import say
from trmsolve.errors import WRONG_PATHS, UsageError
from trmsolve.puzzles import get_task, task_forms, task_names
from trmsolve.puzzles.base import Task, parse_size
from trmsolve.puzzles.values import Puzzle
from trmsolve.show.console import make_console
from trmsolve.show.displays import BarLine

MAZES = "Mazes only"
ARC = "ARC tasks only"

Made = TypeVar("Made")

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

PATIENCE = 1.5
"""Seconds until the person is told what takes so long."""

COMPILING = "compiling the search, only needed once"
LOOKING = "searching for a path of this length"
MAKING = "making the first puzzle"


def _difficulties() -> str:
    """The difficulties of every task and of ARC, for the help."""
    parts = []
    for name in task_names():
        task = get_task(name)
        plural = task.plural[0].upper() + task.plural[1:]
        parts.append(f"{plural}: {_listed(task.difficulties)}.")
    parts.append(f"ARC tasks: {_listed(tuple(DIFFICULTIES))}.")
    return " ".join(parts)


def _usual_difficulties() -> str:
    """The difficulties that are made if none is asked for, for the help."""
    usual = options.task_defaults("difficulties", lambda words: words[0])
    return f"{usual}; {USUAL_DIFFICULTY} for ARC tasks"


def _listed(words: Sequence[str]) -> str:
    """The words as in "a, b or c"."""
    *before, last = words
    return f"{', '.join(before)} or {last}" if before else last


def _help() -> str:
    """The help of the command, with a paragraph for every task that has one."""
    paragraphs = ["Generate puzzles as CSV with questions, answers and ratings."]
    paragraphs += [inspect.cleandoc(get_task(name).generate_help) for name in task_names()]
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
    if task == "arc":
        if size is not None or path_length is not None:
            raise UsageError("--size and --path-length are for mazes: omit them for ARC tasks")
        tasks = generate_tasks(
            seed, difficulty=difficulty or USUAL_DIFFICULTY, demonstrations=demonstrations
        )
        _write_arc(islice(tasks, number), number, out)
        return
    if demonstrations is not None:
        raise UsageError("--demonstrations is for ARC tasks: omit it for other puzzles")
    kind = get_task(task)
    difficulty = difficulty or kind.difficulties[0]
    if difficulty not in kind.difficulties:
        raise UsageError(
            f"--difficulty {difficulty} is not known: use {', '.join(kind.difficulties)}"
        )
    shape = None if size is None else parse_size(size)
    made = kind.generate_sized(difficulty, seed, shape, *_lengths(path_length))
    puzzles = _with_a_word(made, MAKING if path_length is None else LOOKING)
    first = next(puzzles)  # what cannot be made is told before a file is touched
    _warn_of_refused(kind, first)
    wanted = islice(chain([first], puzzles), number)
    with _output(out) as stream, _bar(stream) as line:
        counted = _counted(wanted, number, line)
        _write(stream, kind, counted, f"generated_{difficulty}", number)


generate.__doc__ = _help()


def _write_arc(tasks: Iterable[ArcTask], number: int, out: Path | None) -> None:
    """Write so many ARC tasks as JSON."""
    with _output(out) as stream, _bar(stream) as line:
        write_tasks(stream, _counted(tasks, number, line))


def _output(out: Path | None) -> AbstractContextManager[TextIO]:
    """The file to write, or standard output, which stays open.

    Raises:
        UsageError: If no file can be there.
        OSError: If the file cannot be written.
    """
    if out is None:
        return nullcontext(sys.stdout)
    if out.is_file():
        say(f"replacing {out}")
    try:
        return out.open("w", encoding="utf-8", newline="")
    except WRONG_PATHS as error:
        raise UsageError(f"{out} cannot be written: {error.strerror}") from None


def _bar(stream: TextIO) -> BarLine:
    """The bar that counts what is made; none where the puzzles themselves come to the terminal."""
    return BarLine(make_console(), shown=not stream.isatty())


def _counted(puzzles: Iterable[Made], number: int, line: BarLine) -> Iterator[Made]:
    """The puzzles; the line counts them as they are made."""
    for made, puzzle in enumerate(puzzles, 1):
        line.share(made / number, f"{made} of {number} made")
        yield puzzle


def _write(stream: TextIO, task: Task, puzzles: Iterator[Puzzle], source: str, number: int) -> None:
    """Write the puzzles as a CSV. Raises UsageError if fewer than ``number`` can be made."""
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(("question", "answer", "source", "rating"))
    made = 0
    try:
        for puzzle in puzzles:
            assert puzzle.answer is not None
            question = task.line_puzzle(puzzle)
            answer = task.line(puzzle.answer)
            writer.writerow((question, answer, source, puzzle.rating))
            made += 1
    except UsageError as error:  # rare ones may be found once and not again
        raise UsageError(f"only {made} of {number} puzzles were written: {error}") from None


def _lengths(text: str | None) -> tuple[int | None, int | None]:
    if text is None:
        return None, None
    match = re.fullmatch(r"([0-9]{1,6})(-([0-9]{1,6})?)?", text)
    if match is None:
        raise UsageError(
            f"--path-length {text}: give a minimum, such as 20, or a range, such as 20-40"
        )
    return int(match[1]), int(match[3]) if match[3] else None


def _warn_of_refused(kind: Task, puzzle: Puzzle) -> None:
    """Say if no network of the task takes such puzzles, for instance for their size."""
    forms = [form for form in task_forms() if form.name == kind.name]
    problems = [form.unsupported(puzzle) for form in forms]
    if all(problems):
        say(f"trmsolve {kind.name} does not solve these puzzles: {problems[-1]}")


def _with_a_word(puzzles: Iterator[Puzzle], word: str = MAKING) -> Iterator[Puzzle]:
    """The puzzles; if the first takes long, a message says why.

    The ``word`` is said unless the search is being compiled.
    """
    timer = Timer(PATIENCE, _say_why, [word])
    timer.daemon = True
    timer.start()
    try:
        first = next(puzzles)
    finally:
        timer.cancel()
    yield from chain([first], puzzles)


def _say_why(word: str) -> None:
    from trmsolve.puzzles.compiling import is_compiling  # imports numba

    say(COMPILING if is_compiling() else word)
