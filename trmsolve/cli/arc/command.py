"""``trmsolve arc``: learn ARC tasks from their demonstrations, and answer their tests."""

from pathlib import Path
from typing import Annotated

import typer

from trmsolve.arc.options import DEMONSTRATIONS
from trmsolve.cli import arc_options, options
from trmsolve.cli.complete import complete_dataset
from trmsolve.solve.effort import MAX_CYCLES


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
    from trmsolve.cli.arc.answering import Asked, Wishes, answer_tasks

    asked = Asked(
        files=files,
        dataset=dataset,
        ids=ids,
        solutions=solutions,
        demonstrations=demonstrations,
    )
    wishes = Wishes(
        form="json" if json else form,
        show_steps=show_steps,
        quiet=quiet,
        pace=pace,
        verbose=verbose,
        out=out,
        submission=submission,
        trace=trace,
        save=save,
    )
    code = answer_tasks(
        asked,
        wishes,
        budget=budget,
        steps=steps,
        save_adapted=save_adapted,
        weights=weights,
        offline=offline,
        allow_large=allow_large,
        cycles=cycles,
        views=views,
        batch=batch_size,
        device=device,
        dtype=dtype,
        threads=threads,
        seed=seed,
    )
    raise typer.Exit(code)
