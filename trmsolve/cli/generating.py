"""What ``trmsolve generate`` does: makes puzzles, and writes and counts them."""

import csv
import re
import sys
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from threading import Timer
from typing import TextIO, TypeVar

from trmsolve.arc.generate.difficulties import USUAL_DIFFICULTY
from trmsolve.arc.generate.tasks import generate_tasks
from trmsolve.arc.write import write_tasks
from trmsolve.cli.streams import say
from trmsolve.errors import WRONG_PATHS, UsageError
from trmsolve.puzzles.base import Task, parse_size
from trmsolve.puzzles.registry import get_task, task_forms
from trmsolve.puzzles.values import Puzzle
from trmsolve.show.console import make_console
from trmsolve.show.displays import BarLine

Made = TypeVar("Made")

PATIENCE = 1.5
"""Seconds until the person is told what takes so long."""

COMPILING = "compiling the search, only needed once"
LOOKING = "searching for a path of this length"
MAKING = "making the first puzzle"


@dataclass(frozen=True)
class Request:
    """The options of the command."""

    task: str
    number: int
    difficulty: str | None
    """None for the usual one."""
    size: str | None
    path_length: str | None
    demonstrations: int | None
    """Of each ARC task; None for various."""
    seed: int
    out: Path | None
    """The file to write; None is standard output."""


def make_puzzles(request: Request) -> None:
    """Make puzzles and write them.

    Raises:
        UsageError: If an option is wrong, or no such puzzles can be made.
        OSError: If the file cannot be written.
    """
    if request.task == "arc":
        _make_arc_tasks(request)
    else:
        _make_grid_puzzles(request)


def _make_arc_tasks(request: Request) -> None:
    """Write ARC tasks as JSON."""
    if request.size is not None or request.path_length is not None:
        raise UsageError("--size and --path-length are for mazes: omit them for ARC tasks")
    tasks = generate_tasks(
        request.seed,
        difficulty=request.difficulty or USUAL_DIFFICULTY,
        demonstrations=request.demonstrations,
    )
    with _output(request.out) as stream, _bar(stream) as line:
        write_tasks(stream, _counted(islice(tasks, request.number), request.number, line))


def _make_grid_puzzles(request: Request) -> None:
    """Write puzzles as a CSV."""
    if request.demonstrations is not None:
        raise UsageError("--demonstrations is for ARC tasks: omit it for other puzzles")
    kind = get_task(request.task)
    difficulty = request.difficulty or kind.difficulties[0]
    if difficulty not in kind.difficulties:
        raise UsageError(
            f"--difficulty {difficulty} is not known: use {', '.join(kind.difficulties)}"
        )
    shape = None if request.size is None else parse_size(request.size)
    made = kind.generate_sized(difficulty, request.seed, shape, *_lengths(request.path_length))
    puzzles = _with_a_word(made, MAKING if request.path_length is None else LOOKING)
    first = next(puzzles)  # what cannot be made is told before a file is touched
    _warn_of_refused(kind, first)
    wanted = islice(chain([first], puzzles), request.number)
    with _output(request.out) as stream, _bar(stream) as line:
        counted = _counted(wanted, request.number, line)
        _write(stream, kind, counted, f"generated_{difficulty}", request.number)


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
