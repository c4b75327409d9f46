"""``trmsolve eval``: measure weights on puzzles whose answers are known."""

import json as json_
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import typer

from trmsolve.cli import arc_options, options
from trmsolve.cli.output import put_text, say
from trmsolve.cli.source import count_items, known_items, open_items
from trmsolve.errors import PuzzleError, UsageError
from trmsolve.puzzles.base import Task
from trmsolve.puzzles.files import Notes, read_file
from trmsolve.show.console import make_console
from trmsolve.show.displays import ProgressDisplay, QuietDisplay
from trmsolve.wording import count

PATIENCE = timedelta(days=30)
"""How long processes under ``torchrun`` wait for the slowest of them."""

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
    views = views or 1

    measured = _Measured(task, data, limit, json, record, batch_size, workers)
    _eval_puzzles(
        measured,
        weights=weights,
        offline=offline,
        allow_large=allow_large,
        cycles=cycles,
        views=views,
        seed=seed,
        noise=noise,
        backend=backend,
        dtype=dtype,
        threads=threads,
        compiled=compiled,
        device=device,
    )


@dataclass(frozen=True)
class _Measured:
    """What is measured, by how many processes, and where the figures go."""

    task: str
    data: Path
    limit: int | None
    json: bool
    record: bool
    batch_size: int | None
    workers: int | None


def _eval_puzzles(measured: _Measured, *, device: str, **how: Any) -> None:
    """Measure, alone or as one of the processes that ``torchrun`` has started; the first reports.

    ``how`` is as ``load`` takes it.
    """
    from trmsolve.puzzles import get_task

    task = get_task(measured.task)
    sources = [str(measured.data)]
    _check_first(task, measured.data)

    from trmsolve.distributed import join_process_group
    from trmsolve.memory import keep_memory
    from trmsolve.solve.evaluate import evaluate
    from trmsolve.solve.network import LoadOptions
    from trmsolve.solve.solver import load_solver
    from trmsolve.solve.workers import Crew, share_out, start_early

    keep_memory()
    limit = measured.limit
    with join_process_group(device, PATIENCE) as group:
        path = _file_to_record(how["weights"], measured.task) if measured.record else None
        puzzles = (item for item in open_items(task, sources) if item is not None)
        items = islice(puzzles, limit)
        total = count_items(task, sources) if limit is None else limit
        own = None if total is None else -(-total // group.size)
        load_options = LoadOptions(
            device=group.device(device),
            batch_size=measured.batch_size,
            note=say if group.first else None,
            puzzles=known_items(sources, own),
            **how,
        )
        crew = Crew(measured.workers, how["threads"], own)
        with start_early(measured.task, crew, load_options) as team:
            solver = share_out(load_solver(measured.task, load_options), crew, team)
            console = make_console()
            with ProgressDisplay(console, own) if group.first else QuietDisplay(console) as display:
                noted = Notes(display.note).follow(items)
                figures = evaluate(solver, noted, measured.data.name, display.answer, group=group)
        if not group.first:
            return
        if path is not None:
            from trmsolve.weights.file import record_score  # imports torch

            record_score(path, f"{figures['data']}, {how['views']} views", figures)
        put_text(json_.dumps(figures) if measured.json else _table(figures))


def _check_first(task: Task, data: Path) -> None:
    """Raise the error of a file that cannot be read, before torch is imported.

    Pipes are read only once, and are left alone.
    """
    if str(data) == "-" or (data.exists() and not data.is_file()):
        return
    first = next(read_file(task, str(data)), None)
    if isinstance(first, PuzzleError):
        raise first


def _file_to_record(weights: str | None, task: str) -> Path:
    """The file to store a score in. Raises UsageError for one that is to stay as it is."""
    from trmsolve.weights.catalog import to_record  # imports torch

    return to_record(weights, task)


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
