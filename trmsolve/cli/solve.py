"""What the solving commands have in common: read, solve, show, answer."""

import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import chain
from typing import Any

from trmsolve.cli.output import Writer, choose_writer, say
from trmsolve.cli.source import Item, Notes, count_items, open_items
from trmsolve.errors import PuzzleError
from trmsolve.hub.transfer import silent
from trmsolve.puzzles.base import Task, give_up
from trmsolve.puzzles.values import Answer, Cycle
from trmsolve.show.console import make_console
from trmsolve.show.views import LiveView, ProgressView, QuietView, StepsView, View

FEW = 8
"""Up to so many puzzles are each watched cycle by cycle; more get a progress line."""

PATIENCE_SECONDS = 0.3
"""How long a pipe may be silent before what it has said is worked on."""

UNVERIFIED, UNREADABLE = 1, 2


@dataclass(frozen=True)
class Wishes:
    """How a solving command is to show what happens, and to write the answers."""

    show_steps: bool
    form: str
    quiet: bool
    pace: float
    verbose: bool
    keep_unverified: bool = False


def solve(
    name: str, files: list[str] | None, wishes: Wishes, batch_size: int | None, **how: Any
) -> int:
    """Read, solve, show and answer all puzzles of the files, with ``how`` as ``load`` takes it.

    Returns the exit code.

    0: all verified, 1: some answer is not verified, 2: some input could not be read. If nothing is
    for the model to do, it is not even loaded.
    """
    from trmsolve.puzzles import get_task

    form, task = wishes.form, get_task(name)
    choose_writer(form, task, "")  # a wrong --format is told before any work
    items = open_items(task, files)
    first, ended = _first(items)
    view = _choose_view(task, wishes, len(first) if ended else count_items(task, files))
    notes = Notes(view.note)
    for item in first:
        notes.look(item)
    watched = form == "input" and sys.stdout.isatty() and sys.stderr.isatty() and view.shows_grids
    columns = view.console.width if watched else None
    if ended and (hopeless := _hopeless(task, first)) is not None:
        with view:
            writer = choose_writer(form, task, "", columns, wishes.keep_unverified)
            return _run(hopeless, view, writer)

    from trmsolve.device import keep_memory
    from trmsolve.solve.solver import load

    keep_memory()
    # Frames are watched one puzzle after the other; where nobody watches, the batch is full.
    solver = load(
        name,
        batch_size=batch_size or (1 if view.shows_grids else None),
        note=silent if wishes.quiet else say,
        **how,
    )
    if wishes.verbose:
        say(f"weights {solver.weights}, running on {solver.placement.reason}")
    writer = choose_writer(form, task, solver.weights, columns, wishes.keep_unverified)
    # Many are counted as they come; few are told in their order, each with its answer.
    early = view.answer if isinstance(view, ProgressView) else None
    on_cycle = _paced(view, wishes.pace) if view.wants_cycles else None
    with view:
        return _run(
            solver.solve_all(chain(first, notes.follow(items)), on_cycle, early),
            view,
            writer,
            told=early is not None,
        )


def _first(items: Iterator[Item | None]) -> tuple[list[Item], bool]:
    """The first puzzles, enough to tell few from many, and whether they are all; a pipe that falls silent is left."""
    first: list[Item] = []
    since = time.monotonic()
    for item in items:
        if item is not None:
            first.append(item)
        silent = item is None and first and time.monotonic() - since > PATIENCE_SECONDS
        if len(first) > FEW or silent:
            return first, False
        since = since if item is None else time.monotonic()
    return first, True


def _hopeless(task: Task, items: list[Item]) -> list[Answer | PuzzleError] | None:
    """What is to be said of the items if there is nothing in them for the model to do; else None."""
    outcomes: list[Answer | PuzzleError] = []
    for item in items:
        outcome = item if isinstance(item, PuzzleError) else give_up(task, item)
        if outcome is None:
            return None
        outcomes.append(outcome)
    return outcomes


def _choose_view(task: Task, wishes: Wishes, number: int | None) -> View:
    """``number`` is how many puzzles there are; None is many, still to be counted."""
    console = make_console()
    if wishes.quiet:
        return QuietView(console)
    if wishes.show_steps:
        return StepsView(console, task.paint, headings=number != 1)
    if number is not None and number <= FEW:
        return LiveView(console, task.paint, headings=number > 1)
    return ProgressView(console, number)


def _paced(view: View, pace: float) -> Callable[[Cycle], None]:
    """The view's own ``cycle``, slowed down for the eye."""

    def show(cycle: Cycle) -> None:
        view.cycle(cycle)
        time.sleep(pace)

    return show if pace and view.shows_grids else view.cycle


def _run(
    outcomes: Iterable[Answer | PuzzleError], view: View, writer: Writer, told: bool = False
) -> int:
    """Hand every outcome to the screen and to standard output; the exit code they add up to.

    ``told`` says that the view has had the answers already.
    """
    code = 0
    for outcome in outcomes:
        if isinstance(outcome, PuzzleError):
            view.problem(outcome)
            code = UNREADABLE
        else:
            if not told:
                view.answer(outcome)
            code = max(code, 0 if outcome.verified else UNVERIFIED)
        if writer.stream.isatty():
            view.clear()
        writer.put(outcome)
    return code
