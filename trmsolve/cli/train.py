"""``trmsolve train``: train a network, and leave weights that the solving commands load."""

import json
import shutil
import signal
from itertools import islice
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING, Annotated, Any

import typer

from trmsolve.cli import options
from trmsolve.cli.guard import INTERRUPTED, TERMINATED, guarded
from trmsolve.cli.source import read_file
from trmsolve.dashboard import make_training_view
from trmsolve.errors import UsageError
from trmsolve.render import make_console

if TYPE_CHECKING:
    from trmsolve.model import TinyRecursiveModel
    from trmsolve.puzzles.base import Task
    from trmsolve.train.checkpoint import Checkpoint
    from trmsolve.train.data import Examples
    from trmsolve.train.loop import Plan
    from trmsolve.train.recipes import Recipe

TRAINING_SEEDS = 1 << 40
"""Where the seeds of training puzzles begin, so that ``trmsolve generate`` makes others to measure on."""

MADE = 10_000
"""Puzzles made when no data is given; symmetries turn each into more than a training run can see."""

LENGTH, DATA, RECIPE = "How long", "What from", "How"


class Stop:
    """Ctrl-C or SIGTERM asks the run to end after its step, with everything saved; a second one ends it at once."""

    def __init__(self) -> None:
        self.code = 0
        signal.signal(signal.SIGINT, self._ask)
        signal.signal(signal.SIGTERM, self._ask)

    def __call__(self) -> bool:
        return self.code != 0

    def _ask(self, number: int, frame: FrameType | None) -> None:
        if self.code:
            raise KeyboardInterrupt if number == signal.SIGINT else SystemExit(TERMINATED)
        self.code = INTERRUPTED if number == signal.SIGINT else TERMINATED


@guarded
def train(
    task: options.Task = "sudoku",
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Where weights, checkpoints and metrics.jsonl go.", show_default="runs/TASK"),
    ] = None,
    resume: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Go on with the run in this folder, exactly where it was saved.")
    ] = None,
    minutes: Annotated[
        float | None, typer.Option(min=0.01, help="Train so long.", show_default=False, rich_help_panel=LENGTH)
    ] = None,
    steps: Annotated[
        int | None, typer.Option(min=1, help="Train so many steps.", show_default=False, rich_help_panel=LENGTH)
    ] = None,
    save_minutes: Annotated[
        float, typer.Option(min=0.01, help="Between checkpoints.", rich_help_panel=LENGTH)
    ] = 10.0,
    data: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Puzzles with their answers, such as a CSV.", show_default="made on the spot",
            rich_help_panel=DATA,
        ),
    ] = None,
    bands: Annotated[
        str | None,
        typer.Option(
            metavar="0=1,1-7=2,...", help="How much of each band of the data's rating is drawn, in any unit.",
            show_default="as in the data", rich_help_panel=DATA,
        ),
    ] = None,
    held_out: Annotated[
        int, typer.Option(min=1, help="Puzzles kept apart to judge by.", rich_help_panel=DATA)
    ] = 128,
    recipe: Annotated[str, typer.Option(help="laptop, fast or paper.", rich_help_panel=RECIPE)] = "laptop",
    change: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="FIELD=VALUE", help="Change a field of the recipe.", rich_help_panel=RECIPE),
    ] = None,
    print_recipe: Annotated[
        bool, typer.Option("--print-recipe", help="Show the recipe as JSON and leave.", rich_help_panel=RECIPE)
    ] = False,
    batch_size: Annotated[
        int | None, typer.Option(min=1, show_default="the recipe's", rich_help_panel=RECIPE)
    ] = None,
    start_from: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Begin with these weights of the same shapes.", rich_help_panel=RECIPE),
    ] = None,
    export: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Write the final weights here too (bf16 safetensors).")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show problems only.")] = False,
    compile_: Annotated[
        str,
        typer.Option("--compile", help="on, off, or auto: for runs of over 5 minutes.", rich_help_panel=options.RUN),
    ] = "auto",
    device: options.Device = "auto",
    dtype: options.Dtype = "auto",
    threads: options.Threads = None,
    seed: options.Seed = 0,
) -> None:
    """Train a Tiny Recursive Model.

    The rate follows the clock and ends annealed. A checkpoint and the weights so far are written every ten minutes, at
    the end, and on Ctrl-C.
    """
    from trmsolve.train.recipes import override

    changes = [*(change or []), *([] if batch_size is None else [f"batch_size={batch_size}"])]
    if resume is None:
        chosen = override(_recipe(task, recipe), changes)
        if print_recipe:
            typer.echo(json.dumps(chosen.to_dict(), indent=2))
            return
        if minutes is None and steps is None:
            raise UsageError("say how long: --minutes M or --steps N")
    elif changes or print_recipe or start_from or bands or out:
        raise UsageError("a run that goes on keeps its recipe, its data and its folder: give --resume without them")
    stop = Stop()
    from dataclasses import replace

    from trmsolve.device import choose_placement, keep_memory
    from trmsolve.puzzles import get_task
    from trmsolve.train.checkpoint import load_checkpoint
    from trmsolve.train.distributed import join_world, leave_world
    from trmsolve.train.journal import read_journal
    from trmsolve.train.loop import Plan, Run
    from trmsolve.train.recipes import Recipe

    world = join_world(device)
    placement = choose_placement(f"cuda:{world.local_rank}" if world.on_gpu else device, dtype, threads)
    keep_memory()
    described: dict[str, Any]
    if resume is not None:
        checkpoint: Checkpoint | None = load_checkpoint(resume)
        assert checkpoint is not None
        kept = checkpoint.state
        task, out, described, shares = kept["task"], resume, kept["described"], kept["shares"]
        chosen, plan = Recipe.from_dict(kept["recipe"]), _lengthened(Plan(**kept["plan"]), minutes, steps)
        data = data or (Path(described["data"]) if described["data"] else None)
    else:
        checkpoint, out = None, out or Path("runs") / task
        _refuse_used(out)
        shares = _shares(bands)
        plan = Plan(minutes, steps, seed, held_out, save_seconds=60 * save_minutes)
        described = {
            "recipe": recipe, "data": str(data) if data else None, "made": None if data else MADE, "bands": bands,
            "start_from": start_from.name if start_from else None, "hardware": placement.reason,
            "processes": world.size, "settings": chosen.to_dict(),
        }  # fmt: skip
    room = get_task(task, chosen.config.candidates)
    past = read_journal(out) if checkpoint else []
    view = make_training_view(make_console(), quiet or not world.first, past)
    with view:
        if checkpoint and checkpoint.warning:
            view.note(checkpoint.warning, problem=True)
        examples = _examples(room, data, plan.seed, view.note)
        _check_same(described, examples)
        view.note(f"{len(examples)} puzzles, recipe {described['recipe']}, on {placement.reason}")
        run = Run(
            room, chosen, examples, out, plan, placement, _compiled(compile_, placement.device.type, plan), world,
            checkpoint, _given(start_from, task, chosen), shares, described, view.progress, stop,
        )  # fmt: skip
        path = run.train()
        if export is not None and world.first:
            shutil.copyfile(path, export)
        if stop.code:
            view.note(f"stopped at step {run.journal.step}: go on with trmsolve train --resume {out}")
        view.note(f"weights in {path}")
    leave_world(world)
    raise typer.Exit(stop.code)


def _recipe(task: str, name: str) -> "Recipe":
    from trmsolve.puzzles import get_task
    from trmsolve.train.recipes import RECIPES

    get_task(task)
    if (task, name) not in RECIPES:
        raise UsageError(f"--recipe {name} is not known: use {', '.join(n for t, n in RECIPES if t == task)}")
    return RECIPES[task, name]


def _refuse_used(out: Path) -> None:
    """A fresh run would replace the checkpoints of the one that is there."""
    if any(out.glob("step-*")):
        raise UsageError(f"{out} holds a run already: go on with --resume {out}, or name another folder with --out")


def _lengthened(plan: "Plan", minutes: float | None, steps: int | None) -> "Plan":
    """The plan of the run that goes on, with another end if one is given."""
    from dataclasses import replace

    return plan if minutes is None and steps is None else replace(plan, minutes=minutes, steps=steps)


def _shares(bands: str | None) -> dict[str, float] | None:
    from trmsolve.puzzles.base import BANDS

    if bands is None:
        return None
    shares: dict[str, float] = {}
    for part in bands.split(","):
        name, _, share = part.partition("=")
        try:
            shares[name.strip()] = float(share)
        except ValueError:
            raise UsageError(f"--bands: {part!r} is not BAND=NUMBER") from None
        if name.strip() not in BANDS or not shares[name.strip()] >= 0:
            raise UsageError(f"--bands: {part!r} is not one of {', '.join(BANDS)} with a share from 0 on")
    return shares


def _compiled(wanted: str, device: str, plan: "Plan") -> bool:
    """Compiling takes up to a minute, and a C++ compiler where there is no GPU."""
    if wanted not in ("auto", "on", "off"):
        raise UsageError(f"--compile {wanted} is not known: use auto, on or off")
    long = (plan.minutes is None or plan.minutes > 5) and (plan.steps is None or plan.steps > 500)
    can = device == "cuda" or (device == "cpu" and shutil.which("g++") is not None)
    return wanted == "on" or (wanted == "auto" and long and can)


def _examples(room: "Task", data: Path | None, seed: int, note: Any) -> "Examples":
    from trmsolve.train.data import Examples

    if data is not None:
        return Examples.collect(read_file(room, str(data)))
    note(f"making {MADE} puzzles")
    return Examples.collect(islice(room.generate("mixed", TRAINING_SEEDS + seed), MADE))


def _check_same(described: dict[str, Any], examples: "Examples") -> None:
    """Keep the mark of the examples in the record, or hold them against the mark kept there."""
    mark = described.setdefault("examples", examples.mark())
    if mark != examples.mark():
        raise UsageError(f"these are not the puzzles the run began with: give --data {described['data'] or 'none'}")


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
