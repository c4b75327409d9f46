"""How a run begins and how it goes on: settings and a folder become a ``Run``, with all checks.

``train`` is the whole of it as one call, for Python. ``new_run`` and ``resume_run`` are its parts,
for callers that draw or handle signals themselves, such as the command. Nothing here prints.

Errors name a setting as the command line does: ``--base-puzzles`` is ``base_puzzles`` here, and
``--set`` is ``changes``.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import torch

from trmsolve.device import Placement, choose_compiled, choose_placement
from trmsolve.errors import UsageError
from trmsolve.files import write_atomically
from trmsolve.hub.address import is_address
from trmsolve.model.network import TinyRecursiveModel
from trmsolve.puzzles import get_task
from trmsolve.train.base import Subject
from trmsolve.train.checkpoint import Checkpoint, folder_of_run, load_checkpoint
from trmsolve.train.distributed import World, joined_world
from trmsolve.train.folder import RunFolder
from trmsolve.train.plan import Plan, Progress
from trmsolve.train.puzzle_training import PuzzleSubject
from trmsolve.train.recipes import RECIPES, Recipe, find_recipe, override
from trmsolve.train.run import Run
from trmsolve.train.sources import Sources, check_bands, keep_facts, load_examples, parse_bands
from trmsolve.train.state import reading_state
from trmsolve.weights.catalog import locate
from trmsolve.weights.file import load_model, read_info

Names = str | Path | Sequence[str | Path]
"""The name of one file, folder or data set, or several names."""


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """Settings that may differ each time a run goes on. All have defaults."""

    # Train for so many minutes or steps in all, whichever ends first. A new run needs one of them.
    # A resumed run without either keeps what it had.
    minutes: float | None = None
    steps: int | None = None
    # Minutes between checkpoints, 10 by default; 0 is after every step.
    save_minutes: float | None = None

    # Puzzles with their answers, such as a CSV. For ARC: files, folders or names of public sets.
    # Without it, puzzles are made; ARC needs it. A resumed run finds its data by itself: this says
    # where the same data is now.
    data: Names = ()
    # ARC only: tasks to be measured on. Tasks that share a pair with one are not learned from.
    measured: Names = ()

    # Where to run: auto, cpu, cuda, cuda:N or mps; auto, fp32 or bf16; the number of CPU threads,
    # which holds for the whole process; and whether to compile: on, off, or auto for runs of over 2
    # minutes. A resumed run takes what it had in place of auto.
    device: str = "auto"
    dtype: str = "auto"
    threads: int | None = None
    compile: str = "auto"

    # A file that the final weights are written to as well.
    export: str | Path | None = None
    # Whether to open no connection: weights to start from must be on this machine then.
    offline: bool = False

    @property
    def sources(self) -> Sources:
        """The names of the data."""
        return Sources(_names(self.data), _names(self.measured))

    def in_plan(self) -> dict[str, Any]:
        """The fields of a ``Plan`` that are given here."""
        given: dict[str, Any] = {}
        if self.minutes is not None or self.steps is not None:
            given = {"minutes": self.minutes, "steps": self.steps}
        if self.save_minutes is not None:
            given["save_seconds"] = 60 * self.save_minutes
        return given


@dataclass(frozen=True, kw_only=True)
class TrainOptions(RunOptions):
    """All settings of a new run. Those of this class stay as they are when it is resumed."""

    # sudoku, maze or arc.
    task: str = "sudoku"
    # The folder for weights, checkpoints and metrics.jsonl; runs/TASK by default.
    out: str | Path | None = None

    # How much of each band of the data's rating is drawn: {"0": 1, "1-7": 2}, or as text
    # "0=1,1-7=2". By default as the data has it.
    bands: Mapping[str, float] | str | None = None
    # Learn from only so many puzzles of the data, under all their symmetries.
    base_puzzles: int | None = None
    # Puzzles to judge by, which are not learned from; 128 by default. For ARC: tasks to hold pairs
    # out of; by default a tenth of all, at most 32.
    held_out: int | None = None

    # laptop, fast or paper; muon for Sudoku.
    recipe: str = "laptop"
    # Fields of the recipe to change: {"lr": 0.01}, or as texts ["lr=0.01"].
    changes: Mapping[str, Any] | Sequence[str] = ()
    batch_size: int | None = None
    # Weights of the same shapes to begin with: a file, a name, or hf://user/repo.
    start_from: str | Path | None = None
    # Decides everything that is drawn at random.
    seed: int = 0

    def __post_init__(self) -> None:
        """Raise UsageError for numbers that are too low."""
        for name, lowest in (("base_puzzles", 1), ("held_out", 1), ("seed", 0)):
            value = getattr(self, name)
            if value is not None and value < lowest:
                raise UsageError(f"--{name.replace('_', '-')} must be at least {lowest}")

    @property
    def folder(self) -> Path:
        """The folder of the run."""
        return Path(self.out) if self.out is not None else Path("runs") / self.task

    def chosen_recipe(self) -> Recipe:
        """The recipe with its changes. Raises UsageError for an unknown recipe or field."""
        changes = self.changes
        if isinstance(changes, Mapping):
            changes = [f"{name}={json.dumps(value)}" for name, value in changes.items()]
        changes = list(changes)
        if self.batch_size is not None:
            changes.append(f"batch_size={self.batch_size}")
        return override(find_recipe(self.task, self.recipe), changes)

    def plan(self) -> Plan:
        """The plan of the run. Raises UsageError for a run without an end."""
        given = self.in_plan()
        if self.held_out is not None:
            given["held_out"] = self.held_out
        return Plan(seed=self.seed, **given)

    def shares(self) -> dict[str, float] | None:
        """The share of each band of difficulty; None draws all puzzles alike.

        Raises UsageError for bands that make no sense.
        """
        if self.bands is None:
            return None if self.sources.data else get_task(self.task).training_bands
        shares = parse_bands(self.bands) if isinstance(self.bands, str) else dict(self.bands)
        check_bands(shares)
        return shares


def _names_of(options: type) -> frozenset[str]:
    return frozenset(one.name for one in fields(options))


KEPT = _names_of(TrainOptions) - _names_of(RunOptions)
"""The settings that a resumed run keeps as they were."""


def _ignore(_: object) -> None:
    pass


def _never() -> bool:
    return False


def _go_on(_judged: int, _of: int) -> bool:
    return True


@dataclass(frozen=True, kw_only=True)
class Callbacks:
    """What a run tells its caller and asks of it.

    Of several processes only the first calls them, except for ``stop``, which all of them ask.
    """

    # Hears of each line of the journal.
    report: Callable[[Progress], None] = _ignore
    # Hears what is to be known of the run, one line each.
    note: Callable[[str], None] = _ignore
    # Hears of problems that the run got round, one line each.
    warn: Callable[[str], None] = _ignore
    # Asked before the first step and after each; True saves and ends the run.
    stop: Callable[[], bool] = _never
    # See ``Run.judging``.
    judging: Callable[[int, int], bool] = _go_on


UNCHANGED = RunOptions()
SILENT = Callbacks()
ALONE = World()


@dataclass(frozen=True)
class TrainResult:
    """What a run left."""

    # The file of weights, for ``trmsolve.load``.
    path: Path
    # Steps that the weights were trained for, those before a resume included.
    steps: int
    # The rate of held-out puzzles that the weights answer exactly; None if they were not judged,
    # which is so for a run that was stopped and on all processes but the first.
    held_out: float | None


def train(
    task: str | None = None,
    *,
    resume: str | Path | None = None,
    report: Callable[[Progress], None] = _ignore,
    note: Callable[[str], None] = _ignore,
    stop: Callable[[], bool] = _never,
    **settings: Any,
) -> TrainResult:
    """Train a network, as ``trmsolve train`` does, and return where its weights are.

    A checkpoint and the weights so far are written every ten minutes and at the end. An exception,
    such as KeyboardInterrupt, ends the run at once; the last checkpoint stays. Under ``torchrun``
    the processes share the batch.

    Example:
        >>> import trmsolve
        >>> losses = []
        >>> result = trmsolve.train(
        ...     "sudoku",
        ...     data="puzzles.csv",
        ...     out="runs/small",
        ...     steps=2,
        ...     batch_size=4,
        ...     report=lambda progress: losses.append(progress.loss),
        ... )
        >>> result.steps, result.path.name, len(losses)
        (2, 'sudoku.safetensors', 1)
        >>> solver = trmsolve.load("sudoku", weights=result.path)
        >>> trmsolve.train(resume="runs/small", steps=3).steps
        3

    Args:
        task: sudoku, maze or arc; sudoku by default.
        resume: The folder of a run that is to go on, exactly where it was saved.
        report: Called with each line of the journal.
        note: Called with each message about the run, a line of text.
        stop: Asked before the first step, after each step, and while the network is judged. If it
            returns True, the run saves and ends.
        settings: The fields of ``TrainOptions``; if a run is resumed, those of ``RunOptions``.

    Raises:
        TrmsolveError: Settings that contradict each other (UsageError), data that cannot be read
            (PuzzleError), a run that cannot be resumed (CheckpointError), weights that cannot be
            used (WeightsError), or a loss that is no longer finite (TrainingError).
        OSError: The folder cannot be written to.
    """
    if task is not None:
        settings["task"] = task
    if resume is not None:
        for name in KEPT.intersection(settings):
            raise UsageError(f"{name} cannot change what a resumed run goes on with: leave it out")
    options = TrainOptions(**settings) if resume is None else RunOptions(**settings)
    callbacks = Callbacks(
        report=report,
        note=note,
        warn=note,
        stop=stop,
        judging=lambda judged, of: not stop(),  # noqa: ARG005
    )
    with (
        joined_world(options.device) as world,
        start(options, resume, callbacks, world) as run,
    ):
        path = run.train()
        export_weights(run, options.export, note)
    last = run.journal.lines[-1] if run.journal.lines else None
    return TrainResult(path, run.journal.step, last.held_out_exact if last else None)


def start(
    options: RunOptions,
    resume: str | Path | None = None,
    callbacks: Callbacks = SILENT,
    world: World = ALONE,
) -> AbstractContextManager[Run]:
    """A new run with ``options``, or the run in the folder ``resume``, which goes on."""
    if resume is not None:
        return resume_run(Path(resume), options, callbacks, world)
    if not isinstance(options, TrainOptions):
        raise TypeError("a new run needs TrainOptions")
    return new_run(options, callbacks, world)


@contextmanager
def new_run(
    options: TrainOptions, callbacks: Callbacks = SILENT, world: World = ALONE
) -> Iterator[Run]:
    """A new run, before its first step. Its folder is held for as long as the context lasts.

    Raises UsageError for settings that contradict each other and for a folder that holds a run
    already or is in use by one, PuzzleError for data that cannot be read, WeightsError for weights
    to start from that cannot be used.
    """
    recipe = options.chosen_recipe()
    plan = options.plan()
    _check_sources(options, recipe)
    bands = options.shares()
    out = options.folder
    if out.exists() and not out.is_dir():
        raise UsageError(f"{out}: File exists, and is no folder for a run: name another with --out")
    with _held(out, world) as folder:
        _refuse_used(out)
        settled = _Settled(
            task=options.task,
            out=out,
            recipe=recipe,
            plan=plan,
            held_out_given=options.held_out is not None,
            sources=options.sources,
            bands=bands,
            base_puzzles=options.base_puzzles,
            where=_Where(options.device, options.dtype, options.threads, options.compile),
            start_from=_found_weights(options, callbacks.note if world.first else _ignore),
            described={
                "recipe": options.recipe,
                **options.sources.recorded(options.task),
                "bands": bands,
                "base_puzzles": options.base_puzzles,
                "start_from": _travelling_name(options.start_from),
            },
        )
        _refuse_nowhere(options.export)
        yield _assembled(settled, callbacks, world, folder)


@contextmanager
def resume_run(
    path: Path,
    options: RunOptions = UNCHANGED,
    callbacks: Callbacks = SILENT,
    world: World = ALONE,
) -> Iterator[Run]:
    """The run in the folder ``path``, or the one of the checkpoint ``path``, where it was saved.

    Its folder is held for as long as the context lasts. Raises UsageError for other data than the
    run began with and for a folder that is in use, CheckpointError for a run that cannot be
    resumed.
    """
    # Nothing is made where there is no folder: ``load_checkpoint`` says that there is no run.
    holding = _held(folder_of_run(path), world) if path.is_dir() else nullcontext()
    with holding as folder:
        checkpoint = load_checkpoint(path)
        with reading_state(checkpoint.path):
            settled = _as_recorded(checkpoint, options)
        _refuse_nowhere(options.export)
        yield _assembled(settled, callbacks, world, folder)


def export_weights(run: Run, path: str | Path | None, note: Callable[[str], None]) -> None:
    """Copy the weights of a run to ``path``, if that is given. The first process does it."""
    if path is None or not run.world.first:
        return
    write_atomically(Path(path), run.path.read_bytes())
    if beside := run.subject.beside:
        note(f"{path} is not read without {' and '.join(beside)} beside it: they are in {run.out}")


# From settings to a run


@dataclass(frozen=True)
class _Where:
    """Where to run, as ``RunOptions`` has it."""

    device: str
    dtype: str
    threads: int | None
    compile: str


@dataclass(frozen=True, kw_only=True)
class _Settled:
    """What is settled about a run before its data is read."""

    task: str
    out: Path
    recipe: Recipe
    plan: Plan
    # Whether ``plan.held_out`` was asked for; else it follows from the data.
    held_out_given: bool
    sources: Sources
    bands: dict[str, float] | None
    base_puzzles: int | None
    where: _Where
    # The record of the run so far.
    described: dict[str, Any]
    # The file of weights that a new run begins with.
    start_from: Path | None = None
    # Where a resumed run goes on.
    checkpoint: Checkpoint | None = None


@dataclass(frozen=True)
class _Material:
    """What a run learns from, with the recipe and the plan that fit it."""

    subject: Subject
    recipe: Recipe
    plan: Plan
    # What the record keeps of the reading.
    record: dict[str, Any] = field(default_factory=dict)


def _as_recorded(checkpoint: Checkpoint, options: RunOptions) -> _Settled:
    """What the checkpoint's state says of its run, with what the options change.

    Raises KeyError, TypeError or ValueError for a state of another shape.
    """
    state = checkpoint.state
    task, described = state["task"], state["described"]
    if task not in {known for known, _ in RECIPES} or "recipe" not in described:
        raise ValueError("it does not say of which task or recipe the run is")
    # The same bits come only from the same place.
    recorded = state.get("placement", {})
    where = {}
    for one in fields(_Where):
        asked = getattr(options, one.name)
        where[one.name] = recorded.get(one.name, asked) if asked in ("auto", None) else asked
    return _Settled(
        task=task,
        out=checkpoint.path.parent,
        recipe=Recipe.from_dict(state["recipe"]),
        plan=Plan(**{**state["plan"], **options.in_plan()}),
        held_out_given=True,
        sources=options.sources.or_recorded(described),
        bands=described["bands"],
        base_puzzles=described.get("base_puzzles"),
        where=_Where(**where),
        described=described,
        checkpoint=checkpoint,
    )


def _assembled(
    settled: _Settled, callbacks: Callbacks, world: World, folder: RunFolder | None
) -> Run:
    """Read the data, choose where to run, and make the run."""
    where = settled.where
    checkpoint = settled.checkpoint
    note = callbacks.note if world.first else _ignore
    _check_world(world, settled.recipe)
    placement = choose_placement(world.device(where.device), where.dtype, where.threads)
    if checkpoint and checkpoint.warning and world.first:
        callbacks.warn(checkpoint.warning)
    if folder and folder.warning:
        note(folder.warning)
    material = _material(settled, note)
    subject, plan = material.subject, material.plan
    described = settled.described
    if checkpoint is None:
        described = described | _begun(material, placement, world)
    keep_facts(described, subject.facts(), settled.sources.data)
    note(f"{subject.summary}, recipe {described['recipe']}, on {placement.reason}")
    return Run(
        subject=subject,
        recipe=material.recipe,
        out=settled.out,
        plan=plan,
        placement=placement,
        compiled=choose_compiled(where.compile, placement.device, plan.is_long),
        world=world,
        checkpoint=checkpoint,
        start_from=_initial_network(settled.start_from, material, note),
        described=described,
        folder=folder,
        report=callbacks.report,
        stop=callbacks.stop,
        judging=callbacks.judging,
    )


def _material(settled: _Settled, note: Callable[[str], None]) -> _Material:
    recipe, plan = settled.recipe, settled.plan
    if settled.task != "arc":
        task = get_task(settled.task, recipe.config.vocab_size)
        examples = load_examples(task, settled.sources.data, plan.seed, note)
        subject = PuzzleSubject(task, examples, settled.bands, settled.base_puzzles)
        return _Material(subject, recipe, plan)
    from trmsolve.train.arc_sources import ArcSource

    source = ArcSource.read(settled.sources, note)
    if not settled.held_out_given:
        plan = replace(plan, held_out=source.usual_held_out)
    arc_subject = source.subject(recipe, plan, note)
    return _Material(arc_subject, arc_subject.sized(recipe), plan, source.recorded())


def _begun(material: _Material, placement: Placement, world: World) -> dict[str, Any]:
    """What the record keeps of where and how the run began."""
    return {
        "hardware": placement.reason,
        "processes": world.size,
        "settings": material.recipe.to_dict(),
        **material.record,
    }


def _initial_network(
    path: Path | None, material: _Material, note: Callable[[str], None]
) -> TinyRecursiveModel | None:
    """The network to begin with. It may have another depth: shapes do not depend on that.

    Its table of puzzle embeddings is taken as it is if it is of the same puzzles. Else each new
    puzzle begins as the mean of the known ones.
    """
    if path is None:
        return None
    subject, wanted = material.subject, material.recipe.config
    model = load_model(path, subject.name, torch.float32, torch.device("cpu"))
    same_data = read_info(path).training.get("examples") == subject.facts()["examples"]
    has_table = wanted.puzzle_emb_dim and model.config.puzzle_emb_dim
    if has_table and subject.name == "arc" and not same_data:
        from trmsolve.arc.adaptation import new_puzzles

        note(f"{path} knows other tasks: each one here begins as the mean of those")
        model = new_puzzles(model, wanted.num_puzzles)
    as_deep = replace(model.config, recursions=wanted.recursions, latent_steps=wanted.latent_steps)
    if as_deep != wanted:
        raise UsageError(
            f"{path} has other shapes than the recipe: train it with the recipe that made it"
        )
    return model


def _found_weights(options: TrainOptions, note: Callable[[str], None]) -> Path | None:
    if options.start_from is None:
        return None
    return locate(options.start_from, options.task, offline=options.offline, note=note)


def _travelling_name(weights: str | Path | None) -> str | None:
    """The name for the record of a run, which may travel: without the folders of this machine."""
    if weights is None or is_address(str(weights)):
        return None if weights is None else str(weights)
    return Path(weights).name


def _names(given: Names) -> tuple[str, ...]:
    if isinstance(given, str | Path):
        return (str(given),)
    return tuple(str(name) for name in given)


# Checks before the work begins


def _held(out: Path, world: World) -> AbstractContextManager[RunFolder | None]:
    """Keeps other runs out of the folder. The first process does it for all of them."""
    return RunFolder(out) if world.first else nullcontext()


def _check_sources(options: TrainOptions, recipe: Recipe) -> None:
    """Raise UsageError for settings that the task does not have, and for ARC without tasks."""
    if options.task == "arc":
        _check_arc_sources(options, recipe)
        return
    sources = options.sources
    if len(sources.data) > 1:
        raise UsageError(
            f"--data was given {len(sources.data)} times: "
            f"{options.task} is learned from one file, join them"
        )
    if sources.measured:
        raise UsageError("--measured is for ARC: puzzles are held out with --held-out")


def _check_arc_sources(options: TrainOptions, recipe: Recipe) -> None:
    if not options.sources.data:
        raise UsageError(
            "ARC tasks are not made by this program: give --data, a file or folder of them, or the "
            "name of a public set such as arc1-train, which come with pip install 'trmsolve[arc]'"
        )
    if options.bands is not None:
        raise UsageError("--bands: ARC tasks have no rating")
    if options.base_puzzles is not None:
        raise UsageError(
            "--base-puzzles is for Sudoku and mazes: of ARC tasks name those to learn from"
        )
    if options.batch_size is not None and recipe.config.mixer == "planes":
        raise UsageError(
            "--batch-size: this recipe's batches are measured in cells, --set batch_cells=N"
        )


def _refuse_used(out: Path) -> None:
    """A new run would replace the checkpoints or the weights that are there."""
    if any(out.glob("step-*")):
        raise UsageError(
            f"{out} holds a run already: "
            f"go on with --resume {out}, or name another folder with --out"
        )
    if any(out.glob("*.safetensors")):
        raise UsageError(f"{out} holds weights already: name another folder with --out")


def _refuse_nowhere(export: str | Path | None) -> None:
    if export is None:
        return
    if Path(export).is_dir() or not Path(export).parent.is_dir():
        raise UsageError(f"--export {export}: name a file in a folder that exists")


def _check_world(world: World, recipe: Recipe) -> None:
    if recipe.config.mixer != "planes":
        world.share(recipe.batch_size)
    elif world.size > 1:
        raise UsageError("a network of planes is trained by one process: leave torchrun away")
