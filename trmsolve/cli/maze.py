"""``trmsolve maze``: solve mazes, whatever their size and form."""

from typing import Annotated

import typer

from trmsolve.cli import options
from trmsolve.cli.solve import Wishes, solve
from trmsolve.solve.effort import MAZE_CYCLES, MAZE_NOISE, VIEWS


def maze(
    files: Annotated[
        list[str] | None,
        typer.Argument(metavar="FILE", help="Mazes as text, CSV or PNG; - is standard input."),
    ] = None,
    accept_detours: Annotated[
        bool,
        typer.Option("--accept-detours", help="Be content with a path that is not a shortest one."),
    ] = False,
    show_steps: options.ShowSteps = False,
    json: options.Json = False,
    form: options.Form = "input",
    keep_unverified: options.KeepUnverified = False,
    quiet: options.Quiet = False,
    pace: options.Pace = 0.0,
    verbose: options.Verbose = False,
    weights: options.Weights = None,
    offline: options.Offline = False,
    allow_large: options.AllowLarge = False,
    cycles: options.Cycles = MAZE_CYCLES,
    views: options.Views = VIEWS,
    noise: options.Noise = MAZE_NOISE,
    device: options.Device = "auto",
    dtype: options.Dtype = "auto",
    threads: options.Threads = None,
    batch_size: options.BatchSize = None,
    seed: options.Seed = 0,
) -> None:
    """Solve mazes and watch the model think.

    Answers go to standard output, everything else to standard error. Where the rules accept no
    answer, the puzzle is written as it was read, with --format line an empty line.

    Exit codes:
    0  every answer is verified
    1  some answer is not, or a maze has no way to the goal
    2  some input cannot be read
    3  the weights are missing, damaged or another task's
    4  weights at hf:// cannot be fetched
    """
    wishes = Wishes(show_steps, "json" if json else form, quiet, pace, verbose, keep_unverified)
    code = solve(
        "maze",
        files,
        wishes,
        batch_size,
        weights=weights,
        offline=offline,
        allow_large=allow_large,
        cycles=cycles,
        views=views,
        noise=noise,
        device=device,
        dtype=dtype,
        threads=threads,
        seed=seed,
        accept_detours=accept_detours,
    )
    raise typer.Exit(code)
