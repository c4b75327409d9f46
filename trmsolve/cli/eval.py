"""``trmsolve eval``: measure weights on puzzles whose answers are known."""

from pathlib import Path
from typing import Annotated, Any

import typer

from trmsolve.cli import arc_options, options
from trmsolve.errors import UsageError

Data = Annotated[
    Path,
    typer.Option(
        metavar="FILE",
        help="A CSV file with questions and answers, or ARC tasks. - reads standard input.",
    ),
]
Record = Annotated[bool, typer.Option("--record", help="Store the results in the weights file.")]
Cycles = Annotated[
    int | None,
    typer.Option(
        metavar="N",
        min=1,
        help="Maximum number of improvement cycles for each view.",
        show_default=options.task_defaults("default_cycles"),
        rich_help_panel=options.TRY,
    ),
]
Views = Annotated[
    int | None,
    typer.Option(
        metavar="N",
        min=1,
        help="Maximum number of symmetric views to try.",
        show_default="1; 8 for ARC",
        rich_help_panel=options.TRY,
    ),
]
Submission = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Score the attempts in this file instead of running a model.",
        show_default=False,
        rich_help_panel="ARC",
    ),
]
Sample = Annotated[
    int | None,
    typer.Option(
        metavar="N",
        min=1,
        help="Measure only N tasks, drawn at random with --seed.",
        show_default=False,
        rich_help_panel="ARC",
    ),
]
Keep = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Keep the answers in this file as they come. The same command goes on after them.",
        show_default=False,
        rich_help_panel="ARC",
    ),
]
Compiled = Annotated[
    bool,
    typer.Option(
        "--compile",
        help="Compile the network first: takes half a minute, then runs 2 to 3 times as fast.",
    ),
]


def eval_command(  # noqa: PLR0913 (the options of a command)
    data: Data,
    task: options.Task = "sudoku",
    limit: options.Limit = None,
    json: options.JsonObject = False,
    record: Record = False,
    weights: options.Weights = None,
    offline: options.Offline = False,
    allow_large: options.AllowLarge = False,
    cycles: Cycles = None,
    views: Views = None,
    noise: options.UsualNoise = None,
    solutions: arc_options.Solutions = None,
    submission: Submission = None,
    sample: Sample = None,
    keep: Keep = None,
    budget: arc_options.Budget = None,
    steps: arc_options.Steps = None,
    backend: options.Backend = "auto",
    device: options.Device = "auto",
    dtype: options.Dtype = "auto",
    workers: options.Workers = None,
    threads: options.ThreadsEach = None,
    batch_size: options.BatchSize = None,
    compiled: Compiled = False,
    seed: options.Seed = 0,
) -> None:
    """Measure exact and verified rates.

    With one view, every puzzle runs all cycles and its last grid counts, as
    in the paper. With more views, each puzzle is solved as by the solving
    command: the network halts, the rules check the answer, and a rejected
    puzzle is tried again under other symmetries.

    Under torchrun the processes of all machines share the puzzles:
    torchrun ... -m trmsolve eval ...

    exact     share of puzzles answered exactly as in the data
    cells     share of cells that equal the data's answer
    valid     mazes only: share of answers with a path from start to goal
    optimal   mazes only: share of answers with a shortest path
    verified  share of answers that the rules accept

    ARC tasks are solved as by trmsolve arc, with two attempts for each test.

    pass@1, pass@2  the official score: for each task, the share of its tests
    that the first attempt, or either attempt, answers; the mean over tasks

    Examples:
    trmsolve eval --data puzzles.csv
    trmsolve eval --task maze --data mazes.csv --views 8 --json

    Exit codes:
    0  the rates are measured
    2  some input or option is invalid
    3  the weights are missing, damaged or made for another task
    4  weights from hf:// cannot be downloaded
    5  the output cannot be written, or a worker process was ended
    130  interrupted
    141  the reader of the output has left
    """
    arc_only = {
        "solutions": solutions,
        "submission": submission,
        "sample": sample,
        "keep": keep,
        "budget": budget,
        "steps": steps,
    }
    if task == "arc":
        from trmsolve.cli.arc.evaluate import Measurement, eval_arc

        puzzles_only = {
            "noise": noise,
            "compile": compiled or None,
            "workers": workers,
            "backend": None if backend == "auto" else backend,
        }
        _refuse(puzzles_only, "does not apply to ARC tasks")
        raise typer.Exit(
            eval_arc(
                Measurement(data, solutions, limit, sample, seed),
                submission,
                json,
                record,
                weights=weights,
                offline=offline,
                allow_large=allow_large,
                cycles=cycles,
                views=views,
                keep=keep,
                budget=budget,
                steps=steps,
                batch=batch_size,
                device=device,
                dtype=dtype,
                threads=threads,
            )
        )
    _refuse(arc_only, "needs --task arc")
    from trmsolve.cli.evaluating import Measured, eval_puzzles

    measured = Measured(task, data, limit, json, record, batch_size, workers)
    eval_puzzles(
        measured,
        weights=weights,
        offline=offline,
        allow_large=allow_large,
        cycles=cycles,
        views=views or 1,
        seed=seed,
        noise=noise,
        backend=backend,
        dtype=dtype,
        threads=threads,
        compiled=compiled,
        device=device,
    )


def _refuse(given: dict[str, Any], why: str) -> None:
    """Refuse options that would do nothing; they are given by their names."""
    for name, value in given.items():
        if value is not None:
            raise UsageError(f"--{name} {why}: omit it")
