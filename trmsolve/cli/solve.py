"""The solving commands, one a puzzle: read, solve, show, answer."""

import inspect
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TextIO

import typer

from trmsolve.cli import options
from trmsolve.cli.output import Writer, answers_to, choose_writer, say
from trmsolve.cli.passed_over import tell_what_is_passed_over
from trmsolve.cli.recording import Recorders, recorded
from trmsolve.cli.source import count_items, known_items, open_items
from trmsolve.errors import PuzzleError
from trmsolve.puzzles import get_task
from trmsolve.puzzles.base import Task, give_up
from trmsolve.puzzles.files import Item, Notes
from trmsolve.puzzles.values import Answer, Cycle, Puzzle
from trmsolve.show.console import make_console
from trmsolve.show.displays import Display, LiveDisplay, ProgressDisplay, QuietDisplay, StepsDisplay
from trmsolve.solve.effort import VIEWS

if TYPE_CHECKING:
    from trmsolve.solve.workers import Crew

FEW = 8
"""Up to this many puzzles are each watched cycle by cycle; more get a progress line."""

PATIENCE_SECONDS = 0.3
"""How long a pipe may be silent before the puzzles that have arrived are solved."""

UNVERIFIED = 1
UNREADABLE = 2


@dataclass(frozen=True)
class DisplayOptions:
    """The options of a solving command on showing what happens and writing the answers."""

    show_steps: bool
    form: str
    quiet: bool
    pace: float
    verbose: bool
    keep_unverified: bool = False
    out: Path | None = None
    """The file for the answers; None is standard output."""
    trace: Path | None = None
    save: Path | None = None


@dataclass(frozen=True)
class Share:
    """The options on how puzzles are shared out; None for the usual."""

    batch_size: int | None = None
    workers: int | None = None


HELP = """Solve {plural} and watch the model think.

Answers go to standard output, everything else to standard error. If the rules accept no answer,
the puzzle is written as it was read; with --format line, an empty line is written.

Examples:
trmsolve {name} {example}
trmsolve {name} {example} --show-steps --views 8

Exit codes:
0  every answer is verified
1  {failure}
2  some input or option is invalid
3  the weights are missing, damaged or made for another task
4  weights from hf:// cannot be downloaded
5  the output cannot be written, or a worker process was ended, for example for lack of memory
130  interrupted
141  the reader of the output has left
"""


def make_command(task: Task) -> Callable[..., None]:
    """The command that solves puzzles of the task, for Typer."""

    def command(  # noqa: PLR0913 (its parameters are the options)
        files: Annotated[
            list[str] | None, typer.Argument(metavar="FILE", help=task.files_help)
        ] = None,
        accept_detours: Annotated[
            bool, typer.Option("--accept-detours", help=task.detours_help)
        ] = False,
        start: options.Start = None,
        goal: options.Goal = None,
        signs: options.Signs = None,
        show_steps: options.ShowSteps = False,
        json: options.Json = False,
        form: options.Form = "input",
        out: options.Out = None,
        keep_unverified: options.KeepUnverified = False,
        quiet: options.Quiet = False,
        pace: options.Pace = 0.0,
        trace: options.Trace = None,
        save: options.Save = None,
        verbose: options.Verbose = False,
        weights: options.Weights = None,
        offline: options.Offline = False,
        allow_large: options.AllowLarge = False,
        cycles: Annotated[
            int | None,
            typer.Option(
                metavar="N",
                min=1,
                help=task.cycles_help,
                show_default=str(task.default_cycles),
                rich_help_panel=options.TRY,
            ),
        ] = None,
        views: options.Views = VIEWS,
        noise: options.Noise = task.default_noise,
        backend: options.Backend = "auto",
        device: options.Device = "auto",
        dtype: options.Dtype = "auto",
        workers: options.Workers = None,
        threads: options.ThreadsEach = None,
        batch_size: options.BatchSize = None,
        seed: options.Seed = 0,
    ) -> None:
        wishes = DisplayOptions(
            show_steps,
            "json" if json else form,
            quiet,
            pace,
            verbose,
            keep_unverified,
            out,
            trace,
            save,
        )
        tell_what_is_passed_over(verbose)
        code = solve(
            get_task(task.name).marked(start, goal, signs),
            files,
            wishes,
            Share(batch_size, workers),
            weights=weights,
            offline=offline,
            allow_large=allow_large,
            cycles=cycles,
            views=views,
            noise=noise,
            backend=backend,
            device=device,
            dtype=dtype,
            threads=threads,
            seed=seed,
            accept_detours=accept_detours,
        )
        raise typer.Exit(code)

    command.__doc__ = HELP.format(
        plural=task.plural,
        failure=task.failure_help,
        name=task.name,
        example=task.example_file,
    )
    if not task.detours_help:
        _drop_parameters(command, "accept_detours")
    if not task.has_marks:
        _drop_parameters(command, "start", "goal", "signs")
    return command


def _drop_parameters(command: Callable[..., None], *names: str) -> None:
    """Hide parameters from Typer, so that they keep their defaults."""
    signature = inspect.signature(command)
    kept = [one for one in signature.parameters.values() if one.name not in names]
    command.__signature__ = signature.replace(parameters=kept)  # type: ignore[attr-defined]


def solve(
    task: Task, files: list[str] | None, wishes: DisplayOptions, share: Share, **how: Any
) -> int:
    """Read, solve, show and answer all puzzles of the files, with ``how`` as ``load`` takes it.

    If nothing is left for the model to do, it is not even loaded.

    Returns the exit code: 0 if all answers are verified, 1 if some answer is not, 2 if some input
    could not be read.
    """
    choose_writer(wishes.form, task, "")  # a wrong --format is told before any work
    items = open_items(task, files)
    with (
        recorded(wishes.trace, wishes.save, files) as recorders,
        answers_to(wishes.out) as stream,
    ):
        outputs = Outputs(stream, recorders)
        return _solve(Source(task, files, items), wishes, share, outputs, how)


@dataclass(frozen=True)
class Source:
    """The puzzles that are to be solved."""

    task: Task
    files: list[str] | None
    items: Iterator[Item | None]


@dataclass(frozen=True)
class Outputs:
    """The files that a run writes."""

    stream: TextIO | None
    """The file for the answers; None is standard output."""
    recorders: Recorders


def _solve(
    source: Source,
    wishes: DisplayOptions,
    share: Share,
    outputs: Outputs,
    how: dict[str, Any],
) -> int:
    """As ``solve``, with the files that are written."""
    task, files, items = source.task, source.files, source.items
    stream, recorders = outputs.stream, outputs.recorders
    form = wishes.form
    first, ended = _first(items)
    number = len(first) if ended else count_items(task, files)
    display = _choose_display(task, wishes, number)
    notes = Notes(display.note)
    for item in first:
        notes.look(item)
    watched = (
        stream is None
        and form == "input"
        and sys.stdout.isatty()
        and sys.stderr.isatty()
        and display.shows_grids
    )
    was_shown = display.has_shown_grid if watched else None
    hopeless = _hopeless(task, first) if ended else None
    if hopeless is not None:
        writer = choose_writer(form, task, "", was_shown, wishes.keep_unverified).to(stream)
        recorders.begin(task.name, "")
        with display:
            return _run(recorders.follow(hopeless), display, writer)
    if ended and len(first) <= FEW:
        _tell_of_solutions(task, first, display)

    from trmsolve.cli.forecast import forecast_for
    from trmsolve.memory import keep_memory
    from trmsolve.solve.network import LoadOptions
    from trmsolve.solve.solver import load_solver
    from trmsolve.solve.workers import share_out, start_early

    keep_memory()
    # Frames are watched one puzzle after the other; where nobody watches, the batch is full.
    load_options = LoadOptions(
        batch_size=share.batch_size or (1 if display.shows_grids else None),
        note=None if wishes.quiet else say,
        puzzles=known_items(files, number, len(first)),
        largest=max((item.grid.size for item in first if isinstance(item, Puzzle)), default=0),
        **how,
    )
    # Cycles are recorded by this process, so that it solves alone.
    if recorders:
        share = replace(share, workers=1)
    crew = _crew(share, how["threads"], display, number, len(first))
    with start_early(task.name, crew, load_options) as team:
        solver = share_out(load_solver(task.name, load_options), crew, team)
        if wishes.verbose:
            say(f"weights {solver.weights}, running on {solver.where}")
        writer = choose_writer(form, task, solver.weights, was_shown, wishes.keep_unverified).to(
            stream
        )
        # Many are counted as they come; few are told in their order, each with its answer.
        early = display.answer if isinstance(display, ProgressDisplay) else None
        on_cycle = _paced(display, wishes.pace) if display.wants_cycles else None
        recorders.begin(task.name, solver.weights)
        if recorders:
            on_cycle = _both(recorders.frame, on_cycle)
        # Many have a progress line instead.
        on_step = forecast_for(solver, first, display.note).step if ended else None
        with display:
            every = chain(first, notes.follow(items))
            outcomes = solver.solve_all(every, on_cycle, early, on_step)
            followed = recorders.follow(outcomes)
            return _run(followed, display, writer, told=early is not None)


def _both(
    record: Callable[[Cycle], None], show: Callable[[Cycle], None] | None
) -> Callable[[Cycle], None]:
    """Record a cycle, then show it if anything is shown."""

    def tell(cycle: Cycle) -> None:
        record(cycle)
        if show is not None:
            show(cycle)

    return tell


def _first(items: Iterator[Item | None]) -> tuple[list[Item], bool]:
    """The first puzzles, enough to tell few from many, and whether they are all.

    A pipe that falls silent is not waited for.
    """
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


def _crew(
    share: Share, threads: int | None, display: Display, number: int | None, arrived: int
) -> "Crew":
    """How many processes may solve.

    ``number`` is how many puzzles there are, if that is known, of which so many have ``arrived``.
    One process solves where each puzzle is watched, and where few come slowly.
    """
    from trmsolve.solve.workers import Crew

    workers = share.workers
    if display.shows_grids:
        workers = 1
    elif number is None and arrived <= FEW:
        workers = workers or 1
    return Crew(workers, threads, number)


def _hopeless(task: Task, items: list[Item]) -> list[Answer | PuzzleError] | None:
    """The outcomes of the items if the model has nothing to do for any of them; else None."""
    outcomes: list[Answer | PuzzleError] = []
    for item in items:
        outcome = item if isinstance(item, PuzzleError) else give_up(task, item)
        if outcome is None:
            return None
        outcomes.append(outcome)
    return outcomes


def _tell_of_solutions(task: Task, items: list[Item], display: Display) -> None:
    """Say before the model runs which puzzles have no solution, or several.

    A short exact search counts them. It never helps to find an answer.
    """
    for item in items:
        if not isinstance(item, Puzzle):
            continue
        remark = task.diagnose(item).remark
        if remark:
            display.note(f"{item.source}: {remark}")


def _choose_display(task: Task, wishes: DisplayOptions, number: int | None) -> Display:
    """The display for so many puzzles; None is many, still to be counted."""
    console = make_console()
    if wishes.quiet:
        return QuietDisplay(console)
    if wishes.show_steps:
        return StepsDisplay(console, task.paint, headings=number != 1)
    if number is not None and number <= FEW:
        return LiveDisplay(console, task.paint, headings=number > 1)
    return ProgressDisplay(console, number)


def _paced(display: Display, pace: float) -> Callable[[Cycle], None]:
    """The display's own ``cycle``, slowed down for the eye."""

    def show(cycle: Cycle) -> None:
        display.cycle(cycle)
        time.sleep(pace)

    return show if pace and display.shows_grids else display.cycle


def _run(
    outcomes: Iterable[Answer | PuzzleError], display: Display, writer: Writer, told: bool = False
) -> int:
    """Hand every outcome to the screen and to standard output, and return the exit code.

    ``told`` says that the display has had the answers already.
    """
    code = 0
    for outcome in outcomes:
        if isinstance(outcome, PuzzleError):
            display.problem(outcome)
            code = UNREADABLE
        else:
            if not told:
                display.answer(outcome)
            code = max(code, 0 if outcome.verified else UNVERIFIED)
        if writer.stream.isatty():
            display.clear()
        writer.put(outcome)
    return code
