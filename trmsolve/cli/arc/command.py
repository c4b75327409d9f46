"""``trmsolve arc``: learn ARC tasks from their demonstrations, and answer their tests."""

import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Annotated

import typer

from trmsolve.arc.read import DEMONSTRATIONS
from trmsolve.arc.submission import write_submission
from trmsolve.arc.task import AdaptationProgress, ArcAnswer, ArcCycle
from trmsolve.cli import arc_options, options
from trmsolve.cli.arc.output import ArcWriter, choose_arc_writer
from trmsolve.cli.arc.source import read_items, tests_by_id
from trmsolve.cli.complete import complete_dataset
from trmsolve.cli.output import answers_to, say
from trmsolve.cli.process import Stop
from trmsolve.cli.recording import Recorders, recorded
from trmsolve.errors import PuzzleError, UsageError
from trmsolve.files import refuse_nowhere
from trmsolve.show.arc_displays import ArcDisplay, make_arc_display
from trmsolve.show.console import make_console
from trmsolve.solve.effort import MAX_CYCLES
from trmsolve.wording import count

UNREADABLE = 2
"""Exit code if some input cannot be read."""


def arc(  # noqa: PLR0913
    files: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="FILE",
            help="JSON files with tasks, or folders of such files. - reads standard input.",
        ),
    ] = None,
    dataset: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="A public data set: arc1-train, arc1-eval, arc2-train or arc2-eval.",
            show_default=False,
            autocompletion=complete_dataset,
            rich_help_panel="ARC",
        ),
    ] = None,
    ids: Annotated[
        list[str] | None,
        typer.Option(
            "--id",
            metavar="ID",
            help="Answer only this task; may be repeated.",
            show_default=False,
            rich_help_panel="ARC",
        ),
    ] = None,
    solutions: arc_options.Solutions = None,
    demonstrations: Annotated[
        int,
        typer.Option(
            min=1,
            metavar="N",
            help="Number of demonstrations in a list of pairs, of which the last is the test.",
            rich_help_panel="ARC",
        ),
    ] = DEMONSTRATIONS,
    submission: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Also write all attempts to this file, in Kaggle's format.",
            show_default=False,
            rich_help_panel="ARC",
        ),
    ] = None,
    budget: arc_options.Budget = None,
    steps: arc_options.Steps = None,
    save_adapted: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Adapt the weights and save them.",
            show_default=False,
            rich_help_panel="ARC",
        ),
    ] = None,
    show_steps: options.ShowSteps = False,
    json: options.Json = False,
    form: options.Form = "input",
    out: options.Out = None,
    quiet: options.Quiet = False,
    pace: options.PaceOfLearned = 0.0,
    trace: options.Trace = None,
    save: options.Save = None,
    verbose: options.Verbose = False,
    weights: arc_options.Weights = None,
    offline: options.Offline = False,
    allow_large: options.AllowLarge = False,
    cycles: options.Cycles = MAX_CYCLES,
    views: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            min=1,
            help="Number of symmetric views of a network with weights that vote, at most 8.",
            show_default="8",
            rich_help_panel=options.TRY,
        ),
    ] = None,
    batch_size: Annotated[
        int,
        typer.Option(
            metavar="N",
            min=1,
            help="Number of tasks that a network with weights adapts to together.",
            rich_help_panel=options.RUN,
        ),
    ] = 1,
    device: options.Device = "auto",
    dtype: options.Dtype = "auto",
    threads: options.Threads = None,
    seed: options.Seed = 0,
) -> None:
    """Learn ARC tasks from their demonstrations and watch the model answer.

    Without --weights, copies of two kinds of networks learn a task on every
    core and vote. Most learn it from nothing, by compressing it. Some begin
    with the bundled weights. Learning ends early if they agree. With
    --weights none all of them learn from nothing.

    Answers go to standard output, everything else to standard error. Ctrl-C
    ends learning early, and the model answers with what it has learned so
    far. A second Ctrl-C exits at once.

    Examples:
    trmsolve arc task.json --budget 60
    trmsolve arc --dataset arc1-eval --id 00576224

    Exit codes:
    0  every task is answered, correctly or not
    2  some input or option is invalid
    3  the weights are missing, damaged or made for another task
    4  weights from hf:// cannot be downloaded
    5  the output cannot be written
    130  interrupted before every task was answered
    141  the reader of the output has left
    """
    form = "json" if json else form
    choose_arc_writer(form)  # reports what cannot be done before any work
    refuse_nowhere("--out", out)
    refuse_nowhere("--submission", submission)
    refuse_nowhere("--save-adapted", save_adapted)
    items = read_items(files, dataset, ids, solutions, demonstrations)
    display = make_arc_display(make_console(), len(items), show_steps, quiet, pace, steps)
    watched = (
        out is None
        and form == "input"
        and sys.stdout.isatty()
        and sys.stderr.isatty()
        and display.shows_grids
    )
    columns = display.console.width if watched else None
    errors = [item for item in items if isinstance(item, PuzzleError)]
    if save_adapted is not None and len(items) - len(errors) > 1:
        raise UsageError("--save-adapted needs exactly one task: choose it with --id")
    read = [*(files or ()), *filter(None, [solutions])]
    with recorded(trace, save, read) as recorders:
        if len(errors) == len(items):  # nothing for a model to do
            with display, answers_to(out) as stream:
                recorders.begin("arc", "")
                followed = recorders.follow(errors)
                _hand_out(followed, display, choose_arc_writer(form, "", columns, stream), [])
            raise typer.Exit(UNREADABLE)

        from trmsolve.arc.solver import load_arc
        from trmsolve.memory import keep_memory

        keep_memory()
        solver = load_arc(
            weights=weights,
            offline=offline,
            allow_large=allow_large,
            note=None if quiet else say,
            budget=budget,
            steps=steps,
            cycles=cycles,
            views=views,
            batch=batch_size,
            seed=seed,
            device=device,
            dtype=dtype,
            threads=threads,
            keep_steps=show_steps or bool(recorders),
            save_adapted=save_adapted,
        )
        if verbose:
            where = f"running on {solver.placement.reason}"
            say(f"weights {solver.weights}, {solver.budget:g} s per task, {where}")
        recorders.begin("arc", solver.weights, steps)
        answers: list[ArcAnswer] = []
        stop = AnswerNow(display.note)

        on_adapting, on_cycle = _watch(display, recorders, stop)
        try:
            with display, stop, answers_to(out) as stream:
                writer = choose_arc_writer(form, solver.weights, columns, stream)
                outcomes = solver.solve_all(items, on_adapting, on_cycle, stop)
                problems = _hand_out(recorders.follow(outcomes), display, writer, answers)
        finally:
            if submission is not None:
                write_submission(submission, answers, tests_by_id(items))
                display.note(
                    f"{len(answers)} of {count(len(items), 'task')} answered in {submission}"
                )
        left = len(items) - len(answers) - problems
        if stop.code and left:
            raise typer.Exit(stop.code)
        raise typer.Exit(UNREADABLE if problems else 0)


def _watch(
    display: ArcDisplay, recorders: Recorders, stop: "AnswerNow"
) -> tuple[Callable[[AdaptationProgress], None], Callable[[ArcCycle], None] | None]:
    """What is told of steps of learning, and of cycles if anyone wants them."""

    def on_adapting(progress: AdaptationProgress) -> None:
        recorders.frame(progress)
        display.adapting(progress)

    def on_cycle(cycle: ArcCycle) -> None:
        stop()  # no step of learning asks here: from now on Ctrl-C ends the run after this task
        recorders.frame(cycle)
        display.cycle(cycle)

    return on_adapting, on_cycle if display.wants_cycles or recorders else None


class AnswerNow(Stop):
    """The first signal ends the learning, and what was learned answers; the second ends it all."""

    acknowledgement = "learning stopped, answering now; press Ctrl-C again to exit at once"


def _hand_out(
    outcomes: Iterable[ArcAnswer | PuzzleError],
    display: ArcDisplay,
    writer: ArcWriter,
    answers: list[ArcAnswer],
) -> int:
    """Show and write every outcome, and add the answers to ``answers``.

    Returns:
        How many outcomes are errors.
    """
    problems = 0
    for outcome in outcomes:
        if isinstance(outcome, PuzzleError):
            problems += 1
            display.problem(outcome)
        else:
            answers.append(outcome)
            display.answer(outcome)
        if writer.stream.isatty():
            display.clear()
        writer.put(outcome)
    return problems
