"""``trmsolve bench``: how fast a network solves or trains here, and what the machine could do."""

import json as json_
import os
from typing import Annotated, Any

import typer

from trmsolve.cli import options
from trmsolve.cli.output import put_text, say
from trmsolve.errors import UsageError

DEFAULT = "laptop"
"""The recipe whose training is timed if none is named."""


def bench(  # noqa: PLR0913 (the options of a command)
    task: options.Task = "sudoku",
    recipe: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="Measure an untrained network of this recipe.",
            show_default=f"{DEFAULT} with --train, otherwise the weights are measured",
        ),
    ] = None,
    train: Annotated[
        bool, typer.Option("--train", help="Measure training instead of solving.")
    ] = False,
    seconds: Annotated[
        float,
        typer.Option(
            min=0.1, metavar="S", help="Approximate duration of the measurement in seconds."
        ),
    ] = 20.0,
    json: options.JsonObject = False,
    weights: options.Weights = None,
    offline: options.Offline = False,
    allow_large: options.AllowLarge = False,
    compile_: Annotated[
        str,
        typer.Option(
            "--compile",
            help="on, off or auto; auto compiles for training if a compiler is available.",
            rich_help_panel=options.RUN,
        ),
    ] = "auto",
    device: options.Device = "auto",
    dtype: options.Dtype = "auto",
    threads: options.Threads = None,
    batch_size: options.BatchSize = None,
) -> None:
    """Measure speed.

    Prints steps, puzzles and floating point operations per second, the rate of plain matrix
    products on the same device for comparison, and a breakdown of the time. One step is one
    improvement cycle of a batch; in training it includes the update of the weights. For arc it is
    a step of learning one task from nothing on one core, for tasks of three sizes.

    Exit codes:
    0  the speed is measured
    2  some option is invalid
    3  the weights are missing, damaged or made for another task
    4  weights from hf:// cannot be downloaded
    5  the output cannot be written
    141  the reader of the output has left
    """
    if task == "arc":
        if weights is not None or train or recipe is not None:
            raise UsageError(
                "bench --task arc measures how tasks are learned from nothing: "
                "omit --weights, --train and --recipe"
            )
        _bench_arc(seconds, json)
        return
    if weights is not None and (train or recipe is not None):
        raise UsageError("--weights cannot be combined with --train or --recipe: omit one of them")
    # Torch's profiler would report its own start and stop on standard error.
    os.environ.setdefault("KINETO_LOG_LEVEL", "99")
    from dataclasses import replace

    from trmsolve.bench import Setup, bench_solving, bench_training
    from trmsolve.device import choose_compiled, choose_placement
    from trmsolve.memory import keep_memory
    from trmsolve.model.build import new_model
    from trmsolve.model.network import TinyRecursiveModel
    from trmsolve.puzzles import get_task
    from trmsolve.solve.solver import default_batch_size, load
    from trmsolve.train.recipes import find_recipe

    name = recipe
    if train and not recipe:
        name = DEFAULT
    chosen = None if name is None else find_recipe(task, name)
    placement = choose_placement(device, dtype, threads)
    compiled = choose_compiled(compile_, placement.device, worthwhile=train)
    keep_memory()  # as the measured commands do
    setup = Setup(placement, compiled, seconds)
    label = None
    if chosen is not None and train:
        chosen = replace(chosen, batch_size=batch_size or chosen.batch_size)
        figures = bench_training(task, chosen, setup)
    else:
        if chosen is not None:
            model = new_model(chosen.config, placement.dtype)
            model.to(placement.device, placement.dtype).eval()
        else:
            solver = load(
                task,
                weights=weights,
                offline=offline,
                allow_large=allow_large,
                note=say,
                backend="torch",
                device=device,
                dtype=dtype,
                threads=threads,
            )
            assert isinstance(solver.model, TinyRecursiveModel)
            model = solver.model
            label = solver.weights
        puzzle_task = get_task(task, model.config.vocab_size)
        rows = batch_size or default_batch_size(placement.device, puzzle_task)
        figures = bench_solving(task, model, setup, rows)
    figures = {"task": task, "recipe": name, "weights": label, **figures}
    put_text(json_.dumps(figures) if json else _table(figures))


def _bench_arc(seconds: float, json: bool) -> None:
    """Measure how fast ARC tasks are learned on one core."""
    import torch

    from trmsolve.arc.compression.speed import SIZES, time_steps
    from trmsolve.memory import keep_memory

    keep_memory()
    torch.set_num_threads(1)
    rows = []
    for size in SIZES:
        measured = time_steps(size, seconds / len(SIZES))
        rows.append(
            {
                "side": size.side,
                "colours": size.colours,
                "demonstrations": size.demonstrations,
                "tests": size.tests,
                "steps": measured.steps,
                "seconds_per_step": round(measured.seconds, 4),
                "steps_per_second": round(1 / measured.seconds, 3),
            }
        )
    if json:
        put_text(json_.dumps({"task": "arc", "threads": 1, "sizes": rows}))
        return
    lines = ["learning an ARC task from nothing, on one core, in steps a second"]
    for row in rows:
        square = f"{row['side']}x{row['side']}"
        lines.append(
            f"{square:8}{row['steps_per_second']:6.3g}/s  {row['demonstrations']} demonstrations, "
            f"{row['colours']} colours"
        )
    put_text("\n".join(lines))


def _table(figures: dict[str, Any]) -> str:
    """The figures as lines of text."""
    mode = "training" if figures["mode"] == "train" else "solving"
    network = figures["weights"] or f"recipe {figures['recipe']}"
    compiled = ", compiled" if figures["compiled"] else ""
    lines = [
        f"{mode} {figures['task']}, {network}, "
        f"{figures['parameters']:,} parameters, {figures['device']} {figures['dtype']}, "
        f"{figures['threads']} threads{compiled}"
    ]
    if "single" in figures:
        lines += _lines(figures["single"])
    return "\n".join([*lines, *_lines(figures)])


def _lines(figures: dict[str, Any]) -> list[str]:
    """The rates of one size of batch, and where its time went."""
    steps = figures["steps_per_second"]
    lines = [
        f"batch     {figures['batch_size']}",
        f"steps     {steps:.4g}/s, {1000 / steps:.4g} ms each ({figures['steps']} in "
        f"{figures['seconds']:.1f} s, after {figures['warm_up_seconds']:.1f} s of warm-up)",
        f"puzzles   {figures['examples_per_second']:.4g} cycles/s, "
        f"{figures['puzzles_per_second']:.4g} finished/s",
        f"work      {_metric(figures['flop_per_step'])}FLOP/step, "
        f"{_metric(figures['flop_per_second'])}FLOP/s: {figures['fraction']:.1%} of the "
        f"{_metric(figures['matmul_flop_per_second'])}FLOP/s of matrix products",
    ]
    for number, (kind, share) in enumerate(figures["breakdown"].items()):
        label = "time" if number == 0 else ""
        lines.append(f"{label:10}{share:6.1%}  {kind}")
    return lines


def _metric(value: float) -> str:
    """The value with a metric prefix, such as ``1.23 G``."""
    for scale, prefix in ((1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M")):
        if value >= scale:
            return f"{value / scale:.3g} {prefix}"
    return f"{value:.3g} "
