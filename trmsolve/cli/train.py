"""``trmsolve train``: train a network, and leave weights that the solving commands load."""

import shutil
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trmsolve.cli import options
from trmsolve.cli.guard import guarded
from trmsolve.cli.source import read_file
from trmsolve.errors import UsageError

if TYPE_CHECKING:
    from trmsolve.model import TinyRecursiveModel
    from trmsolve.puzzles.base import Task
    from trmsolve.train.data import Examples
    from trmsolve.train.loop import Progress
    from trmsolve.train.recipes import Recipe

TRAINING_SEEDS = 1 << 40
"""Where the seeds of training puzzles begin, so that ``trmsolve generate`` makes others to measure on."""

MADE = 2000
"""Puzzles made when no data is given; symmetries turn each into more than a training run can see."""


@guarded
def train(
    out: Annotated[Path, typer.Option(metavar="DIR", help="Where weights and metrics.jsonl go.")],
    task: options.Task = "sudoku",
    recipe: Annotated[str, typer.Option(help="laptop (an hour or two of CPU) or paper.")] = "laptop",
    data: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="A CSV with questions and answers.", show_default="made on the spot"),
    ] = None,
    minutes: Annotated[float | None, typer.Option(min=0.01, help="How long.", show_default=False)] = None,
    steps: Annotated[int | None, typer.Option(min=1, help="How many steps.", show_default=False)] = None,
    batch_size: Annotated[int | None, typer.Option(min=1, show_default="the recipe's")] = None,
    device: options.Device = "auto",
    dtype: options.Dtype = "auto",
    threads: options.Threads = None,
    compiled: Annotated[
        bool | None, typer.Option("--compile/--no-compile", help="Compile the network.", show_default="runs over 5 min")
    ] = None,
    start_from: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Begin with these weights of the same shapes.")
    ] = None,
    seed: options.Seed = 0,
) -> None:
    """Train a Tiny Recursive Model.

    The rate follows the clock and ends annealed. Weights are written every ten minutes, at the end, and on Ctrl-C.
    """
    if minutes is None and steps is None:
        raise UsageError("say how long: --minutes M or --steps N")
    from dataclasses import asdict, replace

    from trmsolve.device import choose_placement
    from trmsolve.puzzles import get_task
    from trmsolve.train import loop
    from trmsolve.train.recipes import RECIPES

    room = get_task(task)
    if (task, recipe) not in RECIPES:
        raise UsageError(f"--recipe {recipe} is not known: use {', '.join(name for t, name in RECIPES if t == task)}")
    chosen = RECIPES[task, recipe]
    if batch_size is not None:
        chosen = replace(chosen, batch_size=batch_size)
    placement = choose_placement(device, dtype, threads)
    if compiled is None:
        can = placement.device.type == "cuda" or shutil.which("g++") is not None
        compiled = can and (minutes is None or minutes > 5) and (steps is None or steps > 500)
    examples = _examples(room, data, seed)
    typer.echo(f"{len(examples)} puzzles, recipe {recipe}, on {placement.reason}", err=True)
    path = loop.train(
        room, chosen, examples, out, minutes=minutes, steps=steps, seed=seed, device=placement.device,
        dtype=placement.dtype, compiled=compiled, report=_report, start_from=_given(start_from, task, chosen),
        described={
            "recipe": recipe,
            "data": data.name if data else f"{MADE} generated",
            "start_from": start_from.name if start_from else None,
            "hardware": placement.reason,
            "settings": {key: value for key, value in asdict(chosen).items() if key != "config"},
        },
    )  # fmt: skip
    typer.echo(f"weights in {path}", err=True)


def _examples(room: "Task", data: Path | None, seed: int) -> "Examples":
    from trmsolve.train.data import Examples

    if data is not None:
        return Examples.collect(read_file(room, str(data)))
    each = MADE // len(room.difficulties)
    typer.echo(f"making {each * len(room.difficulties)} puzzles", err=True)
    kinds = (room.generate(kind, TRAINING_SEEDS + seed) for kind in room.difficulties)
    return Examples.collect(puzzle for kind in kinds for puzzle in islice(kind, each))


def _given(path: Path | None, task: str, recipe: "Recipe") -> "TinyRecursiveModel | None":
    """The network to begin with. Its depth may be another: shapes do not depend on it."""
    if path is None:
        return None
    from dataclasses import replace

    import torch

    from trmsolve.weights import load_model

    model = load_model(path, task, torch.float32, torch.device("cpu"))
    wanted = recipe.config
    if replace(model.config, recursions=wanted.recursions, latent_steps=wanted.latent_steps) != wanted:
        raise UsageError(f"{path} has other shapes than the recipe: train it with the recipe that made it")
    return model


def _report(progress: "Progress") -> None:
    exact = "" if progress.held_out_exact is None else f"  held-out exact {progress.held_out_exact:.1%}"
    typer.echo(
        f"step {progress.step}  {progress.seconds / 60:.1f} min  loss {progress.loss:.3f}  cells "
        f"{progress.token_accuracy:.1%}  {progress.examples_per_second:.0f} puzzle cycles/s{exact}",
        err=True,
    )
