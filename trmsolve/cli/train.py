"""``trmsolve train``: train a network, and leave weights that the solving commands load."""

import json
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from trmsolve.cli import options
from trmsolve.cli.output import put_text
from trmsolve.cli.stop import Stop
from trmsolve.cli.train_data import Sources, arc_subject, check_same, puzzle_subject, shares_of
from trmsolve.errors import UsageError
from trmsolve.files import write_atomically
from trmsolve.hub.address import is_address
from trmsolve.hub.transfer import silent
from trmsolve.puzzles import task_names
from trmsolve.show.console import make_console
from trmsolve.show.training import TrainingView, make_training_view

if TYPE_CHECKING:
    from trmsolve.model.network import TinyRecursiveModel
    from trmsolve.train.base import Subject
    from trmsolve.train.checkpoint import Checkpoint
    from trmsolve.train.distributed import World
    from trmsolve.train.folder import RunFolder
    from trmsolve.train.plan import Plan
    from trmsolve.train.recipes import Recipe

LENGTH, DATA, RECIPE = "How long", "What from", "How"


KEPT = (
    "task",
    "out",
    "bands",
    "base_puzzles",
    "held_out",
    "recipe",
    "change",
    "batch_size",
    "start_from",
    "seed",
    "print_recipe",
)
"""What a run that goes on keeps as it was; the options' names in ``train``."""


def train(
    context: typer.Context,
    task: options.Task = "sudoku",
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR",
            help="Where weights, checkpoints and metrics.jsonl go.",
            show_default="runs/TASK",
        ),
    ] = None,
    resume: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Go on with the run in this folder, exactly where it was saved."
        ),
    ] = None,
    minutes: Annotated[
        float | None,
        typer.Option(
            min=0.01,
            help="Train so long in all, stops not counted.",
            show_default=False,
            rich_help_panel=LENGTH,
        ),
    ] = None,
    steps: Annotated[
        int | None,
        typer.Option(
            min=1, help="Train so many steps in all.", show_default=False, rich_help_panel=LENGTH
        ),
    ] = None,
    save_minutes: Annotated[
        float | None,
        typer.Option(
            min=0,
            help="Between checkpoints; 0 is after every step.",
            show_default="10",
            rich_help_panel=LENGTH,
        ),
    ] = None,
    data: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FILE",
            help="Puzzles with their answers, such as a CSV; of ARC files, folders or sets, once or more.",
            show_default="made, but ARC needs them",
            rich_help_panel=DATA,
        ),
    ] = None,
    measured: Annotated[
        list[str] | None,
        typer.Option(
            metavar="FILE",
            help="ARC: tasks to be measured on. What shares a pair with one is not learned from.",
            show_default=False,
            rich_help_panel=DATA,
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
    base_puzzles: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Learn from so many puzzles of the data only, in all their symmetries; the paper's are 1000.",
            show_default="all",
            rich_help_panel=DATA,
        ),
    ] = None,
    held_out: Annotated[
        int | None,
        typer.Option(
            min=1,
            help="Puzzles kept apart to judge by; of ARC so many tasks' pairs.",
            show_default="128; ARC: a tenth, at most 32",
            rich_help_panel=DATA,
        ),
    ] = None,
    recipe: Annotated[
        str, typer.Option(help="laptop, fast, paper; muon for Sudoku.", rich_help_panel=RECIPE)
    ] = "laptop",
    change: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="FIELD=VALUE",
            help="Change a field of the recipe.",
            rich_help_panel=RECIPE,
        ),
    ] = None,
    print_recipe: Annotated[
        bool,
        typer.Option(
            "--print-recipe", help="Show the recipe as JSON and leave.", rich_help_panel=RECIPE
        ),
    ] = False,
    batch_size: Annotated[
        int | None, typer.Option(min=1, show_default="the recipe's", rich_help_panel=RECIPE)
    ] = None,
    start_from: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Begin with weights of the same shapes: a file, sudoku, maze, arc, or hf://user/repo.",
            show_default=False,
            rich_help_panel=RECIPE,
        ),
    ] = None,
    offline: options.Offline = False,
    export: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Write the final weights here too (bf16 safetensors)."),
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Show problems only.")] = False,
    compile_: Annotated[
        str,
        typer.Option(
            "--compile",
            help="on, off, or auto: for runs of over 2 minutes.",
            rich_help_panel=options.RUN,
        ),
    ] = "auto",
    device: options.Device = "auto",
    dtype: options.Dtype = "auto",
    threads: options.Threads = None,
    seed: options.Seed = 0,
) -> None:
    """Train a Tiny Recursive Model.

    The rate follows the clock and ends annealed. A checkpoint and the weights so far are written
    every ten minutes, at the end, and on Ctrl-C; a second Ctrl-C leaves at once. One run at a time
    uses a folder.
    """
    from trmsolve.device import choose_compiled, choose_placement, keep_memory
    from trmsolve.train.checkpoint import folder_of_run, load_checkpoint
    from trmsolve.train.distributed import joined_world
    from trmsolve.train.journal import read_journal
    from trmsolve.train.plan import Plan
    from trmsolve.train.recipes import Recipe, find_recipe, override
    from trmsolve.train.run import Run
    from trmsolve.train.state import reading_state
    from trmsolve.weights.catalog import locate

    lasting: dict[str, Any] = (
        {} if minutes is None and steps is None else {"minutes": minutes, "steps": steps}
    )
    saving: dict[str, Any] = {} if save_minutes is None else {"save_seconds": 60 * save_minutes}
    where: dict[str, Any] = {
        "device": device,
        "dtype": dtype,
        "threads": threads,
        "compile": compile_,
    }
    described: dict[str, Any] = {}
    sources = Sources(data or [], measured or [])
    with joined_world(device) as world, ExitStack() as held:
        folder: RunFolder | None = None
        if resume is not None:
            _refuse_changes(context)
            if resume.is_dir():  # else it is told below that there is no run
                folder = _hold(folder_of_run(resume), world, held)
            checkpoint: Checkpoint | None = load_checkpoint(resume)
            assert checkpoint is not None
            out, kept = checkpoint.path.parent, checkpoint.state
            with reading_state(checkpoint.path):
                task, described = kept["task"], kept["described"]
                if task not in (*task_names(), "arc") or "recipe" not in described:
                    raise ValueError("it does not say of which task or recipe the run is")
                chosen, plan = (
                    Recipe.from_dict(kept["recipe"]),
                    Plan(**{**kept["plan"], **lasting, **saving}),
                )
                shares, sources = described["bands"], sources.or_those_of(described)
                base_puzzles = described.get("base_puzzles")
                # To the bit only where it ran before.
                where |= {
                    k: v for k, v in kept.get("placement", {}).items() if where[k] in ("auto", None)
                }
        else:
            size = [] if batch_size is None else [f"batch_size={batch_size}"]
            chosen = override(find_recipe(task, recipe), [*(change or []), *size])
            if print_recipe:
                put_text(json.dumps(chosen.to_dict(), indent=2))
                return
            keeping: dict[str, Any] = {} if held_out is None else {"held_out": held_out}
            plan = Plan(seed=seed, **keeping, **lasting, **saving)
            sources.check(task, bands, base_puzzles, batch_size, chosen.config.mixer == "planes")
            shares = shares_of(bands) or (None if sources.data else _usual_shares(task))
            checkpoint, out = None, out or Path("runs") / task
            if out.exists() and not out.is_dir():
                raise UsageError(
                    f"{out}: File exists, and is no folder for a run: name another with --out"
                )
            folder = _hold(out, world, held)
            _refuse_used(out)
        begin = (
            None
            if start_from is None
            else locate(start_from, task, offline=offline, note=silent if quiet else options.say)
        )
        _refuse_nowhere(export)
        _check_world(world, chosen)
        placement = choose_placement(
            world.device(where["device"]), where["dtype"], where["threads"]
        )
        keep_memory()
        past = read_journal(out) if checkpoint else []
        with make_training_view(make_console(), quiet or not world.first, past) as view:
            if checkpoint and checkpoint.warning and world.first:
                view.note(checkpoint.warning, problem=True)
            if folder and folder.warning:
                view.note(folder.warning)
            subject: Subject
            record: dict[str, Any] = {}
            if task == "arc":
                told = checkpoint is not None or held_out is not None
                of_arc, record, plan = arc_subject(chosen, sources, plan, told, view.note)
                chosen, subject = of_arc.sized(chosen), of_arc
            else:
                subject = puzzle_subject(
                    task, chosen, sources.data, shares, base_puzzles, plan.seed, view.note
                )
            described = described or {
                "recipe": recipe,
                **sources.recorded(task),
                "bands": shares,
                "base_puzzles": base_puzzles,
                "start_from": _called(start_from),
                "hardware": placement.reason,
                "processes": world.size,
                "settings": chosen.to_dict(),
                **record,
            }
            check_same(described, subject.facts(), sources.data)
            view.note(f"{subject.summary}, recipe {described['recipe']}, on {placement.reason}")
            compiled, stop = (
                choose_compiled(where["compile"], placement.device, _is_long(plan)),
                Stop(view.note),
            )
            run = Run(
                subject,
                chosen,
                out,
                plan,
                placement,
                compiled,
                world,
                checkpoint,
                _given(begin, subject, chosen, view.note),
                described,
                view.progress,
                stop,
                _judging(view, stop),
                folder,
            )
            with stop:
                path = run.train()
        if export is not None and world.first:
            write_atomically(export, path.read_bytes())
            if beside := subject.beside:
                view.note(
                    f"{export} is not read without {' and '.join(beside)} beside it: they are in {out}"
                )
        # Below the panel, where the next command is typed.
        if stop.code:
            view.note(
                f"stopped after step {run.journal.step}: go on with trmsolve train --resume {out}"
            )
        elif checkpoint and run.journal.step == checkpoint.step:
            view.note(
                f"this run was over after step {run.journal.step}: give more --minutes or --steps"
            )
        view.note(f"weights in {path}")
    raise typer.Exit(stop.code)


def _called(weights: str | None) -> str | None:
    """As the record of a run names what it began with: it travels, and folders stay."""
    return weights if weights is None or is_address(weights) else Path(weights).name


def _refuse_changes(context: typer.Context) -> None:
    """A run that goes on is the run it was."""
    for option in context.command.params:
        source = context.get_parameter_source(option.name or "")
        if option.name in KEPT and source is not None and source.name == "COMMANDLINE":
            raise UsageError(
                f"{option.opts[0]} cannot change what --resume goes on with: leave it out"
            )


def _hold(out: Path, world: "World", held: ExitStack) -> "RunFolder | None":
    """Keep other runs out of the folder until ``held`` is closed; the first process does it for all of them."""
    from trmsolve.train.folder import RunFolder

    return held.enter_context(RunFolder(out)) if world.first else None


def _judging(view: TrainingView, stop: Stop) -> Callable[[int, int], bool]:
    """Show how far the judging is, and end it when the run is to stop: everything is saved by then."""

    def judging(judged: int, of: int) -> bool:
        stop.saved = judged < of
        if stop.saved and not stop.code:
            view.judging(judged, of)
        wanted = not stop.code  # read once: the signal may come at any moment
        if stop.saved and not wanted:
            view.note(
                f"judging stopped after {judged} of {of} held-out puzzles: this step has no held-out figure"
            )
        return wanted

    return judging


def _refuse_used(out: Path) -> None:
    """A fresh run would replace the checkpoints or the weights that are there."""
    if any(out.glob("step-*")):
        raise UsageError(
            f"{out} holds a run already: go on with --resume {out}, or name another folder with --out"
        )
    if any(out.glob("*.safetensors")):
        raise UsageError(f"{out} holds weights already: name another folder with --out")


def _check_world(world: "World", recipe: "Recipe") -> None:
    """Told before the work begins."""
    if recipe.config.mixer != "planes":
        world.share(recipe.batch_size)
    elif world.size > 1:
        raise UsageError("a network of planes is trained by one process: leave torchrun away")


def _refuse_nowhere(export: Path | None) -> None:
    """Told before the run and not after it."""
    if export is not None and (export.is_dir() or not export.parent.is_dir()):
        raise UsageError(f"--export {export}: name a file in a folder that exists")


def _is_long(plan: "Plan") -> bool:
    """Whether the run wins back the half minute that compiling takes."""
    return (plan.minutes is None or plan.minutes > 2) and (plan.steps is None or plan.steps > 300)


def _usual_shares(task: str) -> dict[str, float] | None:
    """How much of each band is drawn of the puzzles that are made."""
    from trmsolve.puzzles import get_task

    return get_task(task).training_bands


def _given(
    path: Path | None, subject: "Subject", recipe: "Recipe", note: Callable[[str], None]
) -> "TinyRecursiveModel | None":
    """The network to begin with. Its depth may be another: shapes do not depend on it.

    Its table is taken as it is if it is of the same puzzles; others begin as the mean of those that
    are known.
    """
    if path is None:
        return None
    import torch

    from trmsolve.arc.adaptation import new_puzzles
    from trmsolve.weights.file import load_model, read_info

    model, wanted = (
        load_model(path, subject.name, torch.float32, torch.device("cpu")),
        recipe.config,
    )
    same = read_info(path).training.get("examples") == subject.facts()["examples"]
    if wanted.puzzle_emb_dim and model.config.puzzle_emb_dim and subject.name == "arc" and not same:
        note(f"{path} knows other tasks: each one here begins as the mean of those")
        model = new_puzzles(model, wanted.num_puzzles)
    if (
        replace(model.config, recursions=wanted.recursions, latent_steps=wanted.latent_steps)
        != wanted
    ):
        raise UsageError(
            f"{path} has other shapes than the recipe: train it with the recipe that made it"
        )
    return model
