"""``trmsolve eval``: measure weights on puzzles whose answers are known."""

import json as json_
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import typer

from trmsolve.cli import arc_options, options
from trmsolve.cli.output import put_text, say
from trmsolve.cli.source import count_items, open_items
from trmsolve.errors import UsageError
from trmsolve.puzzles.files import Notes
from trmsolve.show.console import make_console
from trmsolve.show.displays import ProgressDisplay
from trmsolve.wording import count

Data = Annotated[
    Path,
    typer.Option(
        metavar="FILE",
        help="A CSV file with questions and answers, or ARC tasks. - reads standard input.",
    ),
]
Limit = Annotated[
    int | None,
    typer.Option(min=1, help="Measure only the first N puzzles.", show_default=False),
]
Record = Annotated[bool, typer.Option("--record", help="Store the results in the weights file.")]
Cycles = Annotated[
    int | None,
    typer.Option(
        min=1,
        help="Maximum number of improvement cycles for each view.",
        show_default=options.task_defaults("default_cycles"),
        rich_help_panel=options.TRY,
    ),
]
Views = Annotated[
    int | None,
    typer.Option(
        min=1,
        help="Maximum number of symmetric views to try.",
        show_default="1; 8 for ARC",
        rich_help_panel=options.TRY,
    ),
]
Noise = Annotated[
    float | None,
    typer.Option(
        min=0,
        help=options.NOISE_HELP,
        show_default=options.task_defaults("default_noise"),
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
        min=1,
        help="Measure only N tasks, drawn at random with --seed.",
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
    limit: Limit = None,
    json: options.JsonObject = False,
    record: Record = False,
    weights: options.Weights = None,
    offline: options.Offline = False,
    allow_large: options.AllowLarge = False,
    cycles: Cycles = None,
    views: Views = None,
    noise: Noise = None,
    solutions: arc_options.Solutions = None,
    submission: Submission = None,
    sample: Sample = None,
    budget: arc_options.Budget = None,
    steps: arc_options.Steps = None,
    backend: options.Backend = "auto",
    device: options.Device = "auto",
    dtype: options.Dtype = "auto",
    threads: options.Threads = None,
    batch_size: options.BatchSize = None,
    compiled: Compiled = False,
    seed: options.Seed = 0,
) -> None:
    """Measure exact and verified rates.

    With one view, every puzzle runs all cycles and its last grid counts, as
    in the paper. With more views, each puzzle is solved as by the solving
    command: the network halts, the rules check the answer, and a rejected
    puzzle is tried again under other symmetries.

    exact     share of puzzles answered exactly as in the data
    cells     share of cells that equal the data's answer
    valid     mazes only: share of answers with a path from start to goal
    optimal   mazes only: share of answers with a shortest path
    verified  share of answers that the rules accept

    ARC tasks are solved as by trmsolve arc, with two attempts for each test.

    pass@1, pass@2  the official score: for each task, the share of its tests
    that the first attempt, or either attempt, answers; the mean over tasks
    """
    arc_only = {
        "solutions": solutions,
        "submission": submission,
        "sample": sample,
        "budget": budget,
        "steps": steps,
    }
    if task == "arc":
        from trmsolve.cli.arc.evaluate import Measurement, eval_arc

        given = None if backend == "auto" else backend
        _refuse(
            {"noise": noise, "compile": compiled or None, "backend": given},
            "does not apply to ARC tasks",
        )
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
                budget=budget,
                steps=steps,
                batch=batch_size,
                device=device,
                dtype=dtype,
                threads=threads,
            )
        )
    _refuse(arc_only, "needs --task arc")
    views = views or 1

    from trmsolve.memory import keep_memory
    from trmsolve.puzzles import get_task
    from trmsolve.solve.evaluate import evaluate
    from trmsolve.solve.solver import load
    from trmsolve.weights.catalog import to_record
    from trmsolve.weights.file import record_score

    keep_memory()
    path = to_record(weights, task) if record else None
    puzzle_task = get_task(task)
    solver = load(
        task,
        weights=weights,
        offline=offline,
        allow_large=allow_large,
        note=say,
        cycles=cycles,
        views=views,
        batch_size=batch_size,
        seed=seed,
        noise=noise,
        backend=backend,
        device=device,
        dtype=dtype,
        threads=threads,
        compiled=compiled,
    )
    sources = [str(data)]
    puzzles = (item for item in open_items(puzzle_task, sources) if item is not None)
    items = islice(puzzles, limit)
    total = count_items(puzzle_task, sources) if limit is None else limit
    with ProgressDisplay(make_console(), total) as display:
        figures = evaluate(solver, Notes(display.note).follow(items), data.name, display.answer)
    if path is not None:
        record_score(path, f"{figures['data']}, {views} views", figures)
    put_text(json_.dumps(figures) if json else _table(figures))


def _refuse(given: dict[str, Any], why: str) -> None:
    """Refuse options that would do nothing; they are given by their names."""
    for name, value in given.items():
        if value is not None:
            raise UsageError(f"--{name} {why}: omit it")


def _table(figures: dict[str, Any]) -> str:
    """The figures as lines of text."""
    low, high = figures["exact_ci95"]
    lines = [
        f"{count(figures['n'], 'puzzle')} of {figures['data']}, {figures['weights']}, "
        f"{count(figures['cycles'], 'cycle')}, {count(figures['views'], 'view')}, "
        f"{figures['device']} {figures['dtype']}",
        f"exact     {figures['exact']:.1%}  (95 % interval {low:.1%} to {high:.1%})",
        f"cells     {figures['cell']:.1%}",
    ]
    for name in ("valid", "optimal", "verified"):
        if name in figures:
            lines.append(f"{name:10}{figures[name]:.1%}")
    lines.append(
        f"speed     {figures['puzzles_per_second']} puzzles/s, {figures['mean_cycles']} cycles and "
        f"{figures['mean_views']} views on average"
    )
    for name, band in figures["bands"].items():
        lines.append(
            f"  rating {name:8} n {band['n']:5}  exact {band['exact']:6.1%}  "
            f"verified {band['verified']:6.1%}"
        )
    return "\n".join(lines)
