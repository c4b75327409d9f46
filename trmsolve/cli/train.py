"""``trmsolve train``: train a network, and leave weights that the solving commands load."""

import json
import math
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from trmsolve.cli import options
from trmsolve.cli.guard import guarded
from trmsolve.cli.source import read_file
from trmsolve.cli.stop import Stop
from trmsolve.dashboard import make_training_view
from trmsolve.errors import UsageError
from trmsolve.files import write_atomically
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

LENGTH, DATA, RECIPE = "How long", "What from", "How"


KEPT = ("task", "out", "bands", "held_out", "recipe", "change", "batch_size", "start_from", "seed", "print_recipe")
"""What a run that goes on keeps as it was; the options' names in ``train``."""


@guarded
def train(
    context: typer.Context,
    task: options.Task = "sudoku",
    out: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Where weights, checkpoints and metrics.jsonl go.", show_default="runs/TASK"),
    ] = None,
    resume: Annotated[
        Path | None, typer.Option(metavar="DIR", help="Go on with the run in this folder, exactly where it was saved.")
    ] = None,
    minutes: Annotated[
        float | None,
        typer.Option(
            min=0.01, help="Train so long in all, stops not counted.", show_default=False, rich_help_panel=LENGTH
        ),
    ] = None,
    steps: Annotated[
        int | None, typer.Option(min=1, help="Train so many steps in all.", show_default=False, rich_help_panel=LENGTH)
    ] = None,
    save_minutes: Annotated[
        float | None,
        typer.Option(
            min=0, help="Between checkpoints; 0 is after every step.", show_default="10", rich_help_panel=LENGTH
        ),
    ] = None,
    data: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE", help="Puzzles with their answers, such as a CSV.", show_default="made", rich_help_panel=DATA
        ),
    ] = None,
    bands: Annotated[
        str | None,
        typer.Option(
            metavar="0=1,1-7=2,...",
            help="How much of each band of the data's rating is drawn.",
            show_default="as in the data",
            rich_help_panel=DATA,
        ),
    ] = None,
    held_out: Annotated[int, typer.Option(min=1, help="Puzzles kept apart to judge by.", rich_help_panel=DATA)] = 128,
    recipe: Annotated[
        str, typer.Option(help="laptop, fast, paper; muon for Sudoku.", rich_help_panel=RECIPE)
    ] = "laptop",
    change: Annotated[
        list[str] | None,
        typer.Option("--set", metavar="FIELD=VALUE", help="Change a field of the recipe.", rich_help_panel=RECIPE),
    ] = None,
    print_recipe: Annotated[
        bool, typer.Option("--print-recipe", help="Show the recipe as JSON and leave.", rich_help_panel=RECIPE)
    ] = False,
    batch_size: Annotated[int | None, typer.Option(min=1, show_default="the recipe's", rich_help_panel=RECIPE)] = None,
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
        typer.Option("--compile", help="on, off, or auto: for runs of over 2 minutes.", rich_help_panel=options.RUN),
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
    from trmsolve.device import choose_compiled, choose_placement, keep_memory
    from trmsolve.puzzles import get_task
    from trmsolve.train.checkpoint import load_checkpoint
    from trmsolve.train.distributed import joined_world
    from trmsolve.train.journal import read_journal
    from trmsolve.train.loop import Plan, Run
    from trmsolve.train.recipes import Recipe, find_recipe, override

    lasting: dict[str, Any] = {} if minutes is None and steps is None else {"minutes": minutes, "steps": steps}
    saving: dict[str, Any] = {} if save_minutes is None else {"save_seconds": 60 * save_minutes}
    where: dict[str, Any] = {"device": device, "dtype": dtype, "threads": threads, "compile": compile_}
    described: dict[str, Any] = {}
    with joined_world(device) as world:
        if resume is not None:
            _refuse_changes(context)
            checkpoint: Checkpoint | None = load_checkpoint(resume)
            assert checkpoint is not None
            out, kept = checkpoint.path.parent, checkpoint.state
            task, shares, described = kept["task"], kept["shares"], kept["described"]
            chosen, plan = Recipe.from_dict(kept["recipe"]), Plan(**{**kept["plan"], **lasting, **saving})
            data = data or (Path(described["data"]) if described["data"] else None)
            # To the bit only where it ran before.
            where |= {k: v for k, v in kept.get("placement", {}).items() if where[k] in ("auto", None)}
        else:
            size = [] if batch_size is None else [f"batch_size={batch_size}"]
            chosen = override(find_recipe(task, recipe), [*(change or []), *size])
            if print_recipe:
                typer.echo(json.dumps(chosen.to_dict(), indent=2))
                return
            plan = Plan(seed=seed, held_out=held_out, **lasting, **saving)
            shares = _shares(bands) or (None if data else get_task(task).training_bands)
            checkpoint, out = None, out or Path("runs") / task
            _refuse_used(out)
        _refuse_nowhere(export)
        world.share(chosen.batch_size)  # told before the work begins
        placement = choose_placement(world.device(where["device"]), where["dtype"], where["threads"])
        keep_memory()
        described = described or {
            "recipe": recipe, "data": str(data) if data else None, "bands": shares,
            "start_from": start_from.name if start_from else None, "hardware": placement.reason,
            "processes": world.size, "settings": chosen.to_dict(),
        }  # fmt: skip
        room = get_task(task, chosen.config.vocab_size)
        past = read_journal(out) if checkpoint else []
        with make_training_view(make_console(), quiet or not world.first, past) as view:
            if checkpoint and checkpoint.warning and world.first:
                view.note(checkpoint.warning, problem=True)
            examples = _examples(room, data, plan.seed, view.note)
            _check_same(described, examples, data)
            view.note(f"{len(examples)} puzzles, recipe {described['recipe']}, on {placement.reason}")
            compiled, stop = choose_compiled(where["compile"], placement.device, _is_long(plan)), Stop(view.note)
            run = Run(
                room, chosen, examples, out, plan, placement, compiled, world, checkpoint,
                _given(start_from, task, chosen), shares, described, view.progress, stop,
            )  # fmt: skip
            with stop:
                path = run.train()
        if export is not None and world.first:
            write_atomically(export, path.read_bytes())
        # Below the panel, where the next command is typed.
        if stop.code:
            view.note(f"stopped after step {run.journal.step}: go on with trmsolve train --resume {out}")
        elif checkpoint and run.journal.step == checkpoint.step:
            view.note(f"this run was over after step {run.journal.step}: give more --minutes or --steps")
        view.note(f"weights in {path}")
    raise typer.Exit(stop.code)


def _refuse_changes(context: typer.Context) -> None:
    """A run that goes on is the run it was."""
    for option in context.command.params:
        source = context.get_parameter_source(option.name or "")
        if option.name in KEPT and source is not None and source.name == "COMMANDLINE":
            raise UsageError(f"{option.opts[0]} cannot change what --resume goes on with: leave it out")


def _refuse_used(out: Path) -> None:
    """A fresh run would replace the checkpoints or the weights that are there."""
    if out.exists() and not out.is_dir():
        raise UsageError(f"{out}: File exists, and is no folder for a run: name another with --out")
    if any(out.glob("step-*")):
        raise UsageError(f"{out} holds a run already: go on with --resume {out}, or name another folder with --out")
    if any(out.glob("*.safetensors")):
        raise UsageError(f"{out} holds weights already: name another folder with --out")


def _refuse_nowhere(export: Path | None) -> None:
    """Told before the run and not after it."""
    if export is not None and (export.is_dir() or not export.parent.is_dir()):
        raise UsageError(f"--export {export}: name a file in a folder that exists")


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
        if name.strip() not in BANDS or not 0 <= shares[name.strip()] < math.inf:
            raise UsageError(f"--bands: {part!r} is not one of {', '.join(BANDS)} with a share from 0 on")
    if not any(shares.values()):
        raise UsageError("--bands: some band must have a share above 0")
    return shares


def _is_long(plan: "Plan") -> bool:
    """Whether the run wins back the half minute that compiling takes."""
    return (plan.minutes is None or plan.minutes > 2) and (plan.steps is None or plan.steps > 300)


def _examples(room: "Task", data: Path | None, seed: int, note: Any) -> "Examples":
    from trmsolve.train.data import Examples

    if data is not None:
        return Examples.collect(room, read_file(room, str(data)))
    note("making " + ", ".join(f"{number} {kind}" for kind, number in room.training_kinds.items()) + " puzzles")
    kinds = ((room.generate(kind, TRAINING_SEEDS + seed), number) for kind, number in room.training_kinds.items())
    return Examples.collect(room, (puzzle for kind, number in kinds for puzzle in islice(kind, number)))


def _check_same(described: dict[str, Any], examples: "Examples", data: Path | None) -> None:
    """Keep the mark of the examples in the record, or hold them against the mark kept there."""
    if described.setdefault("examples", examples.mark()) != examples.mark():
        began = f"{described['data']} as it was" if described["data"] else "puzzles made on the spot"
        now = data or "those that this version makes"
        raise UsageError(f"the run began with {began}, and {now} are others: it cannot go on with them")


def _given(path: Path | None, task: str, recipe: "Recipe") -> "TinyRecursiveModel | None":
    """The network to begin with. Its depth may be another: shapes do not depend on it."""
    if path is None:
        return None
    import torch

    from trmsolve.weights import load_model

    model = load_model(path, task, torch.float32, torch.device("cpu"))
    wanted = recipe.config
    if replace(model.config, recursions=wanted.recursions, latent_steps=wanted.latent_steps) != wanted:
        raise UsageError(f"{path} has other shapes than the recipe: train it with the recipe that made it")
    return model
