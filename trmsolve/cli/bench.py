"""``trmsolve bench``: how fast a network solves or trains here, and what the machine could do."""

import json as json_
import os
from typing import Annotated, Any

import typer

from trmsolve.cli import options
from trmsolve.cli.output import put_text
from trmsolve.errors import UsageError

DEFAULT = "laptop"
"""What is trained if no recipe is named."""


def bench(
    task: options.Task = "sudoku",
    recipe: Annotated[
        str | None,
        typer.Option(
            metavar="NAME",
            help="A network of this recipe that has learned nothing.",
            show_default=f"{DEFAULT} with --train, else the weights",
        ),
    ] = None,
    train: Annotated[
        bool, typer.Option("--train", help="Time training steps, not solving.")
    ] = False,
    seconds: Annotated[
        float, typer.Option(min=0.1, metavar="S", help="Measure about so long.")
    ] = 20.0,
    json: Annotated[
        bool, typer.Option("--json", help="One JSON object on standard output.")
    ] = False,
    weights: options.Weights = None,
    offline: options.Offline = False,
    allow_large: options.AllowLarge = False,
    compile_: Annotated[
        str,
        typer.Option(
            "--compile",
            help="on, off, or auto: training, where there is a compiler.",
            rich_help_panel=options.RUN,
        ),
    ] = "auto",
    device: options.Device = "auto",
    dtype: options.Dtype = "auto",
    threads: options.Threads = None,
    batch_size: options.BatchSize = None,
) -> None:
    """Measure speed.

    Steps, puzzles and floating point operations a second, beside the rate of plain matrix products
    on the same device, and where the time goes. One step is one improvement cycle of a batch, with
    the learning where it is training.
    """
    if weights is not None and (train or recipe is not None):
        raise UsageError(
            "--weights are timed as they solve: give them without --train and --recipe"
        )
    os.environ.setdefault(
        "KINETO_LOG_LEVEL", "99"
    )  # torch's profiler reports its own start and stop on standard error
    from dataclasses import replace

    from trmsolve.bench import bench_solving, bench_training
    from trmsolve.device import choose_compiled, choose_placement, keep_memory
    from trmsolve.model.build import new_model
    from trmsolve.puzzles import get_task
    from trmsolve.solve.solver import load, usual_batch_size
    from trmsolve.train.recipes import find_recipe

    name = recipe or (DEFAULT if train else None)
    chosen = None if name is None else find_recipe(task, name)
    placement = choose_placement(device, dtype, threads)
    compiled = choose_compiled(compile_, placement.device, worthwhile=train)
    keep_memory()  # as the commands do that are measured
    label = None
    if chosen is not None and train:
        chosen = replace(chosen, batch_size=batch_size or chosen.batch_size)
        figures = bench_training(task, chosen, placement, compiled, seconds)
    else:
        if chosen is not None:
            model = (
                new_model(chosen.config, placement.dtype)
                .to(placement.device, placement.dtype)
                .eval()
            )
        else:
            solver = load(
                task,
                weights=weights,
                offline=offline,
                allow_large=allow_large,
                note=options.say,
                device=device,
                dtype=dtype,
                threads=threads,
            )
            model, label = solver.model, solver.weights
        figures = bench_solving(
            task,
            model,
            placement,
            batch_size
            or usual_batch_size(placement.device, get_task(task, model.config.vocab_size)),
            compiled,
            seconds,
        )
    figures = {"task": task, "recipe": name, "weights": label, **figures}
    put_text(json_.dumps(figures) if json else _table(figures))


def _table(figures: dict[str, Any]) -> str:
    what = figures["weights"] or f"recipe {figures['recipe']}"
    compiled = ", compiled" if figures["compiled"] else ""
    lines = [
        f"{'training' if figures['mode'] == 'train' else 'solving'} {figures['task']}, {what}, "
        f"{figures['parameters']:,} parameters, {figures['device']} {figures['dtype']}, "
        f"{figures['threads']} threads{compiled}"
    ]
    parts = [figures["single"], figures] if "single" in figures else [figures]
    return "\n".join(lines + [line for part in parts for line in _lines(part)])


def _lines(figures: dict[str, Any]) -> list[str]:
    freed = figures["puzzles_per_second"]
    lines = [
        f"batch     {figures['batch_size']}",
        f"steps     {figures['steps_per_second']:.4g}/s, {1000 / figures['steps_per_second']:.4g} ms each "
        f"({figures['steps']} in {figures['seconds']:.1f} s, after {figures['warm_up_seconds']:.1f} s of warm-up)",
        f"puzzles   {figures['examples_per_second']:.4g} cycles/s, {freed:.4g} finished/s",
        f"work      {_metric(figures['flop_per_step'])}FLOP a step, {_metric(figures['flop_per_second'])}FLOP/s: "
        f"{figures['fraction']:.1%} of the {_metric(figures['matmul_flop_per_second'])}FLOP/s of matrix products",
    ]
    for number, (kind, part) in enumerate(figures["breakdown"].items()):
        lines.append(f"{'' if number else 'time':10}{part:6.1%}  {kind}")
    return lines


def _metric(value: float) -> str:
    for scale, prefix in ((1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M")):
        if value >= scale:
            return f"{value / scale:.3g} {prefix}"
    return f"{value:.3g} "
