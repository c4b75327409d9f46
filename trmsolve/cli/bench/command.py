"""The command ``trmsolve bench``: its options, and which of them go together."""

import os
from typing import Annotated, Literal

import typer

from trmsolve.cli import options
from trmsolve.cli.bench.request import Request, check
from trmsolve.cli.complete import complete_recipe, complete_task

SECONDS = 20.0
MODE = "What to measure instead"


def bench(  # noqa: PLR0913 (the options of a command)
    task: Annotated[
        str | None,
        typer.Option(
            metavar=options.KINDS,
            help="The kind of puzzle.",
            show_default="sudoku; with --against-paper sudoku and maze",
            callback=options.check_task,
            autocompletion=complete_task,
        ),
    ] = None,
    recipe: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Measure an untrained network of this recipe.",
            autocompletion=complete_recipe,
            show_default="laptop for training; for solving the weights are measured",
        ),
    ] = None,
    train: Annotated[bool, typer.Option("--train", help="Measure only training.")] = False,
    profile: Annotated[
        bool,
        typer.Option(
            "--profile",
            help="Which operations a cycle and a training step spend their time on.",
            rich_help_panel=MODE,
        ),
    ] = False,
    against_paper: Annotated[
        bool,
        typer.Option(
            "--against-paper",
            help="The paper's 16 cycles at its own shapes, beside the time to a verified answer of "
            "the bundled network.",
            rich_help_panel=MODE,
        ),
    ] = False,
    gpu: Annotated[
        bool,
        typer.Option(
            "--gpu",
            help="Cycles a second on a CUDA device, with several batch sizes and precisions, with "
            "and without CUDA graphs.",
            rich_help_panel=MODE,
        ),
    ] = False,
    energy: Annotated[
        bool,
        typer.Option(
            "--energy",
            help="Joules for each verified answer, where the machine has counters.",
            rich_help_panel=MODE,
        ),
    ] = False,
    seconds: Annotated[
        float | None,
        typer.Option(
            min=0.1,
            metavar="S",
            help="About how many seconds all measuring takes together, with its preparation. "
            "Starting torch, loading weights and compiling come on top. Each part takes at least "
            "one step, so that a slow machine may need longer.",
            show_default=f"{SECONDS:g}",
        ),
    ] = None,
    json: options.JsonObject = False,
    weights: options.Weights = None,
    offline: options.Offline = False,
    allow_large: options.AllowLarge = False,
    compile_: Annotated[
        Literal["auto", "on", "off"],
        typer.Option(
            "--compile",
            help="Whether to compile the network. auto compiles with --train if there is a "
            "compiler.",
            rich_help_panel=options.RUN,
        ),
    ] = "auto",
    device: options.Device = "auto",
    dtype: options.Dtype = "auto",
    threads: options.Threads = None,
    batch_size: options.BatchSize = None,
) -> None:
    """Measure speed.

    Prints floating point operations per second of matrix products on this device, of solving one
    puzzle and a batch, and of training, and what fraction of the products' rate the latter reach.
    All are measured in turn, so that a busy machine slows them all; figures are medians. One step
    is one improvement cycle of a batch; in training it includes the update of the weights. Training
    is left out if weights or a recipe are named without --train. For arc it is a step of learning
    one task from nothing on one core, for tasks of three sizes.

    Examples:
    trmsolve bench --task maze
    trmsolve bench --train --recipe fast

    Exit codes:
    0  the speed is measured
    2  some option is invalid, or the machine has no CUDA device or no counter that it asks for
    3  the weights are missing, damaged or made for another task
    4  weights from hf:// cannot be downloaded
    5  the output cannot be written
    141  the reader of the output has left
    """
    request = Request(
        task=task or "sudoku",
        recipe=recipe,
        train=train,
        seconds=SECONDS if seconds is None else seconds,
        weights=weights,
        offline=offline,
        allow_large=allow_large,
        compile_=compile_,
        device=device,
        dtype=dtype,
        threads=threads,
        batch_size=batch_size,
    )
    modes = {
        "--profile": profile,
        "--against-paper": against_paper,
        "--gpu": gpu,
        "--energy": energy,
    }
    mode = check(request, modes, seconds is not None)
    # Torch's profiler would report its own start and stop on standard error.
    os.environ.setdefault("KINETO_LOG_LEVEL", "99")
    from trmsolve.cli.bench import measure
    from trmsolve.memory import keep_memory

    keep_memory()  # as the measured commands do
    if mode == "--against-paper":
        measure.against_paper(request, [task] if task else None, json)
    elif mode == "--profile":
        measure.profile(request, json)
    elif mode == "--gpu":
        measure.gpu(request, json)
    elif mode == "--energy":
        measure.energy(request, json)
    elif request.task == "arc":
        measure.arc(request, json)
    else:
        measure.rates(request, json)
