"""``trmsolve sudoku``: read, solve, show, answer."""

import sys
import time
from collections.abc import Callable, Iterator
from itertools import chain
from typing import Annotated

import typer

from trmsolve.cli import options
from trmsolve.cli.guard import guarded
from trmsolve.cli.output import FORMATS, Writer, choose_writer
from trmsolve.cli.source import Item, count_items, open_items
from trmsolve.effort import MAX_CYCLES, NOISE, VIEWS
from trmsolve.errors import PuzzleError
from trmsolve.puzzles.base import Answer, Cycle, Task
from trmsolve.render import LiveView, ProgressView, QuietView, StepsView, View, make_console

FEW = 8
"""Up to so many puzzles are each watched cycle by cycle; more get a progress line."""

PATIENCE_SECONDS = 0.3
"""How long a pipe may be silent before what it has said is worked on."""

UNVERIFIED, UNREADABLE = 1, 2


@guarded
def sudoku(
    files: Annotated[
        list[str] | None,
        typer.Argument(metavar="FILE", help="Sudokus in any text form; - is standard input."),
    ] = None,
    show_steps: Annotated[bool, typer.Option("--show-steps", help="Print every cycle, one below the other.")] = False,
    json: Annotated[bool, typer.Option("--json", help="One JSON object a puzzle: short for --format json.")] = False,
    form: Annotated[
        str,
        typer.Option("--format", help=f"How answers are written: {', '.join(FORMATS)}."),
    ] = "input",
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show errors only; answers are still written.")] = False,
    pace: Annotated[float, typer.Option(min=0, help="Seconds to hold every frame, for watching.")] = 0.0,
    verbose: Annotated[bool, typer.Option("--verbose", "-v", help="Say what runs where, and why.")] = False,
    weights: options.Weights = None,
    cycles: options.Cycles = MAX_CYCLES,
    views: options.Views = VIEWS,
    noise: options.Noise = NOISE,
    device: options.Device = "auto",
    dtype: options.Dtype = "auto",
    threads: options.Threads = None,
    batch_size: options.BatchSize = None,
    seed: options.Seed = 0,
) -> None:
    """Solve Sudokus and watch the model think.

    Answers go to standard output, everything else to standard error. Exit code: 0 all verified, 1 some answer is not
    verified, 2 some input could not be read.
    """
    from trmsolve.puzzles import get_task

    form = "json" if json else form
    task = get_task("sudoku")
    choose_writer(form, task, "", shown=False)  # a wrong --format is told before any work
    items = open_items(task, files)
    first, ended = _first(items)
    view = _choose_view(task, show_steps, quiet, len(first) if ended else count_items(task, files))
    if ended and all(isinstance(item, PuzzleError) for item in first):
        solver = None  # nothing for the model to do: it is not even loaded
    else:
        from trmsolve.device import keep_memory
        from trmsolve.solver import load

        keep_memory()

        # Frames are watched one puzzle after the other; where nobody watches, the batch is full.
        size = batch_size or (1 if view.shows_grids else None)
        solver = load(
            "sudoku", weights=weights, cycles=cycles, views=views, batch_size=size, seed=seed, noise=noise,
            device=device, dtype=dtype, threads=threads,
        )  # fmt: skip
        if verbose:
            typer.echo(f"weights {solver.weights}, running on {solver.placement.reason}", err=True)

    shown = form == "input" and sys.stdout.isatty() and sys.stderr.isatty() and view.shows_grids
    writer = choose_writer(form, task, solver.weights if solver else "", shown)
    with view:
        if solver is None:
            outcomes: Iterator[Answer | PuzzleError] = (item for item in first if isinstance(item, PuzzleError))
        else:
            on_cycle = _paced(view, pace) if view.wants_cycles else None
            outcomes = solver.solve_all(chain(first, items), on_cycle, view.answer)
        code = _run(outcomes, view, writer)
    raise typer.Exit(code)


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


def _choose_view(task: Task, show_steps: bool, quiet: bool, number: int | None) -> View:
    """``number`` is how many puzzles there are; None is many, still to be counted."""
    console = make_console()
    if quiet:
        return QuietView(console)
    if show_steps:
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


def _run(outcomes: Iterator[Answer | PuzzleError], view: View, writer: Writer) -> int:
    """Hand every outcome to the screen and to standard output; the exit code they add up to."""
    code = 0
    for outcome in outcomes:
        if isinstance(outcome, PuzzleError):
            view.problem(outcome)
            code = UNREADABLE
        elif not outcome.verified:
            code = max(code, UNVERIFIED)
        if writer.stream.isatty():
            view.clear()
        writer.put(outcome)
    return code
