"""``trmsolve compare``: several weights on the same puzzles, with the same effort."""

from pathlib import Path
from typing import Annotated

import typer

from trmsolve.cli import options
from trmsolve.cli.complete import complete_weights

Weights = Annotated[
    list[str],
    typer.Argument(
        metavar="WEIGHTS...",
        help="Weights to compare: .safetensors files, folders of training runs, sudoku, maze, or "
        "hf://user/repo. Each is compared with the first.",
        autocompletion=complete_weights,
    ),
]
Data = Annotated[
    Path,
    typer.Option(
        metavar="FILE",
        help="A CSV file with questions and answers. - reads standard input.",
    ),
]
Cycles = Annotated[
    str | None,
    typer.Option(
        metavar="N,N,...",
        help="Maximum numbers of improvement cycles for each view, each measured.",
        show_default=options.task_defaults("default_cycles"),
        rich_help_panel=options.TRY,
    ),
]
Views = Annotated[
    str,
    typer.Option(
        metavar="N,N,...",
        help="Maximum numbers of symmetric views to try, each measured.",
        rich_help_panel=options.TRY,
    ),
]
Save = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Also save the curve of accuracy against cycles: .svg, .png or .html.",
        show_default=False,
    ),
]


def compare(  # noqa: PLR0913 (the options of a command)
    weights: Weights,
    data: Data,
    task: options.Task = "sudoku",
    limit: options.Limit = None,
    json: options.JsonObject = False,
    save: Save = None,
    offline: options.Offline = False,
    allow_large: options.AllowLarge = False,
    cycles: Cycles = None,
    views: Views = "1",
    noise: options.UsualNoise = None,
    backend: options.Backend = "auto",
    device: options.Device = "auto",
    dtype: options.Dtype = "auto",
    workers: options.Workers = None,
    threads: options.ThreadsEach = None,
    batch_size: options.BatchSize = None,
    seed: options.Seed = 0,
) -> None:
    """Compare weights on the same puzzles.

    Each is measured as by trmsolve eval, at every number of cycles with every
    number of views. The table has the exact and the verified rate with their
    95 % intervals, also by rating, the mean cycles, and the seconds. Of each
    later weights against the first it counts the puzzles that only one of
    both got right, with McNemar's exact two-sided p. With several numbers of
    cycles or views, a chart shows accuracy against the mean cycles.

    Examples:
    trmsolve compare sudoku runs/sudoku --data puzzles.csv
    trmsolve compare sudoku runs/sudoku --data puzzles.csv --cycles 4,8,16 --save curve.svg

    Exit codes:
    0  the weights are compared
    2  some input or option is invalid
    3  the weights are missing, damaged or made for another task
    4  weights from hf:// cannot be downloaded
    5  the output cannot be written, or a worker process was ended
    130  interrupted
    141  the reader of the output has left
    """
    from trmsolve.cli.comparing import Request, compare_weights

    request = Request(task, weights, data, limit, cycles, views, workers, json, save)
    compare_weights(
        request,
        offline=offline,
        allow_large=allow_large,
        noise=noise,
        backend=backend,
        device=device,
        dtype=dtype,
        threads=threads,
        batch_size=batch_size,
        seed=seed,
    )
