"""How a run begins and how it goes on: settings and a folder become a ``Run``, with all checks.

``train`` is the whole of it as one call, for Python. ``new_run`` and ``resume_run`` are its parts,
for callers that draw or handle signals themselves, such as the command. Nothing here prints.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, field, fields, replace
from importlib import import_module
from pathlib import Path
from typing import Any

from trmsolve.device import Placement, choose_compiled, choose_placement
from trmsolve.distributed import ALONE, ProcessGroup, join_process_group
from trmsolve.errors import UsageError
from trmsolve.files import refuse_nowhere, write_atomically
from trmsolve.puzzles.base import Task
from trmsolve.puzzles.registry import get_task
from trmsolve.train.base import TaskSource, TrainingData
from trmsolve.train.checkpoint import Checkpoint, folder_of_run, load_checkpoint
from trmsolve.train.event_log import check_log, logged
from trmsolve.train.folder import RunFolder
from trmsolve.train.made import Making, Note
from trmsolve.train.options import KEPT, RunOptions, TrainOptions
from trmsolve.train.puzzle_training import PuzzleTrainingData
from trmsolve.train.recipes import RECIPES, Recipe
from trmsolve.train.run import Callbacks, Run, ignore, ignore_count, never
from trmsolve.train.schedule import Progress, Schedule
from trmsolve.train.sources import OTHER_SOURCES, Sources, keep_facts, load_examples
from trmsolve.train.start_from import found_weights, network_to_begin_with, travelling_name
from trmsolve.train.state import reading_state

UNCHANGED = RunOptions()
SILENT = Callbacks()


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
    report: Callable[[Progress], None] = ignore,
    note: Callable[[str], None] = ignore,
    stop: Callable[[], bool] = never,
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
        ...     changes={"hidden_size": 16, "max_cycles": 2},
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
        report: Called with each line of the metrics log.
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
            raise UsageError(f"{name} cannot be changed when a run is resumed: omit it")
    options = TrainOptions(**settings) if resume is None else RunOptions(**settings)
    callbacks = Callbacks(
        report=report,
        note=note,
        warn=note,
        stop=stop,
        judging=lambda judged, of: not stop(),  # noqa: ARG005
    )
    with (
        join_process_group(options.device) as group,
        start(options, resume, callbacks, group) as run,
    ):
        path = run.train()
        export_weights(run, options.export, note)
    last = run.metrics.lines[-1] if run.metrics.lines else None
    held_out = last.held_out_exact if last else None
    return TrainResult(path, run.metrics.step, held_out)


def start(
    options: RunOptions,
    resume: str | Path | None = None,
    callbacks: Callbacks = SILENT,
    group: ProcessGroup = ALONE,
) -> AbstractContextManager[Run]:
    """A new run with ``options``, or the run in the folder ``resume``, which goes on."""
    if resume is not None:
        return resume_run(Path(resume), options, callbacks, group)
    if not isinstance(options, TrainOptions):
        raise TypeError("a new run needs TrainOptions")
    return new_run(options, callbacks, group)


@contextmanager
def new_run(
    options: TrainOptions, callbacks: Callbacks = SILENT, group: ProcessGroup = ALONE
) -> Iterator[Run]:
    """A new run, before its first step. Its folder is held for as long as the context lasts.

    Raises UsageError for settings that contradict each other and for a folder that holds a run
    already or is in use by one, PuzzleError for data that cannot be read, WeightsError for weights
    to start from that cannot be used.
    """
    check_log(options.log_to)
    recipe = options.chosen_recipe()
    schedule = options.schedule()
    options.check_sources(recipe)
    bands = options.shares()
    out = options.folder
    if out.exists() and not out.is_dir():
        raise UsageError(f"{out}: File exists and is not a folder: choose a folder with --out")
    with _held(out, group) as folder:
        _refuse_used(out)
        settled = _Settled(
            task=options.task,
            out=out,
            recipe=recipe,
            schedule=schedule,
            held_out_given=options.held_out is not None,
            sources=options.sources,
            bands=bands,
            base_puzzles=options.base_puzzles,
            where=_Where(options.device, options.dtype, options.threads, options.compile),
            start_from=found_weights(options, callbacks.note if group.first else ignore),
            described={
                "recipe": options.recipe,
                **options.sources.recorded(options.task),
                "bands": bands,
                "base_puzzles": options.base_puzzles,
                "start_from": travelling_name(options.start_from),
            },
        )
        refuse_nowhere("--export", options.export)
        with _logged(options, callbacks, settled, group) as told:
            yield _assembled(settled, told, group, folder)


@contextmanager
def resume_run(
    path: Path,
    options: RunOptions = UNCHANGED,
    callbacks: Callbacks = SILENT,
    group: ProcessGroup = ALONE,
) -> Iterator[Run]:
    """The run in the folder ``path``, or the one of the checkpoint ``path``, where it was saved.

    Its folder is held for as long as the context lasts. Raises UsageError for other data than the
    run began with and for a folder that is in use, CheckpointError for a run that cannot be
    resumed.
    """
    check_log(options.log_to)
    # Nothing is made where there is no folder: ``load_checkpoint`` says that there is no run.
    holding = _held(folder_of_run(path), group) if path.is_dir() else nullcontext()
    with holding as folder:
        checkpoint = load_checkpoint(path)
        with reading_state(checkpoint.path):
            settled = _as_recorded(checkpoint, options)
        refuse_nowhere("--export", options.export)
        with _logged(options, callbacks, settled, group) as told:
            yield _assembled(settled, told, group, folder)


def export_weights(run: Run, path: str | Path | None, note: Callable[[str], None]) -> None:
    """Copy the weights of a run to ``path``, if that is given. The first process does it."""
    if path is None or not run.group.first:
        return
    write_atomically(Path(path), run.path.read_bytes())
    if beside := run.training_data.beside:
        note(f"{path} needs {' and '.join(beside)} beside it: copy them from {run.out}")


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
    schedule: Schedule
    # Whether ``schedule.held_out`` was asked for; else it follows from the data.
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
    """What a run learns from, with the recipe and the schedule that fit it."""

    training_data: TrainingData
    recipe: Recipe
    schedule: Schedule
    # What the record keeps of the reading.
    record: dict[str, Any] = field(default_factory=dict)


def _as_recorded(checkpoint: Checkpoint, options: RunOptions) -> _Settled:
    """What the checkpoint's state says of its run, with what the options change.

    Raises KeyError, TypeError or ValueError for a state of another shape.
    """
    state = checkpoint.state
    task = state["task"]
    described = state["described"]
    if task not in {known for known, _ in RECIPES} or "recipe" not in described:
        raise ValueError("it does not record the task or the recipe of the run")
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
        schedule=Schedule(**{**state["plan"], **options.in_schedule()}),
        held_out_given=True,
        sources=options.sources.or_recorded(described),
        bands=described["bands"],
        base_puzzles=described.get("base_puzzles"),
        where=_Where(**where),
        described=described,
        checkpoint=checkpoint,
    )


def _logged(
    options: RunOptions, callbacks: Callbacks, settled: _Settled, group: ProcessGroup
) -> AbstractContextManager[Callbacks]:
    """The callbacks, with another log beside the metrics log if the options ask for one."""
    if options.log_to is None or not group.first:
        return nullcontext(callbacks)
    checkpoint = settled.checkpoint
    return logged(callbacks, settled.out, checkpoint.step if checkpoint else None)


def _assembled(
    settled: _Settled, callbacks: Callbacks, group: ProcessGroup, folder: RunFolder | None
) -> Run:
    """Read the data, choose where to run, and make the run."""
    where = settled.where
    checkpoint = settled.checkpoint
    note = callbacks.note if group.first else ignore
    _check_group(group, settled.recipe)
    placement = choose_placement(group.device(where.device), where.dtype, where.threads)
    if checkpoint and checkpoint.warning and group.first:
        callbacks.warn(checkpoint.warning)
    if folder and folder.warning:
        note(folder.warning)
    material = _material(settled, note, callbacks.making if group.first else ignore_count)
    training_data = material.training_data
    schedule = material.schedule
    described = settled.described
    if checkpoint is None:
        described = described | _begun(material, placement, group)
    keep_facts(described, training_data.facts(), settled.sources.data)
    note(f"{training_data.summary}, recipe {described['recipe']}, on {placement.reason}")
    first_network = None
    if settled.start_from is not None:
        config = material.recipe.config
        first_network = network_to_begin_with(settled.start_from, training_data, config, note)
    return Run(
        training_data=training_data,
        recipe=material.recipe,
        out=settled.out,
        schedule=schedule,
        placement=placement,
        compiled=choose_compiled(where.compile, placement.device, schedule.is_long),
        group=group,
        checkpoint=checkpoint,
        start_from=first_network,
        described=described,
        folder=folder,
        report=callbacks.report,
        stop=callbacks.stop,
        judging=callbacks.judging,
    )


def _material(settled: _Settled, note: Note, making: Making) -> _Material:
    recipe = settled.recipe
    schedule = settled.schedule
    if settled.task not in OTHER_SOURCES:
        task = task_of_recipe(settled.task, recipe)
        examples = load_examples(task, settled.sources.data, schedule.seed, note, making)
        training_data = PuzzleTrainingData(
            task, examples, settled.bands, settled.base_puzzles, note
        )
        return _Material(training_data, recipe, schedule)
    source: TaskSource = import_module(OTHER_SOURCES[settled.task]).read_source(
        settled.sources, note
    )
    if not settled.held_out_given:
        schedule = replace(schedule, held_out=source.default_held_out)
    sized_data = source.training_data(recipe, schedule, note)
    return _Material(sized_data, sized_data.sized(recipe), schedule, source.recorded())


def _begun(material: _Material, placement: Placement, group: ProcessGroup) -> dict[str, Any]:
    """What the record keeps of where and how the run began."""
    return {
        "hardware": placement.reason,
        "processes": group.size,
        "settings": material.recipe.to_dict(),
        **material.record,
    }


def task_of_recipe(name: str, recipe: Recipe) -> Task:
    """The task with the tokens and the board of the recipe's network."""
    config = recipe.config
    task = get_task(name, config.vocab_size)
    if config.candidates > 1 and config.board is not None and config.seq_len != task.seq_len:
        return task.on_board(*config.board[:2])
    return task


# Checks before the work begins


def _held(out: Path, group: ProcessGroup) -> AbstractContextManager[RunFolder | None]:
    """Keeps other runs out of the folder. The first process does it for all of them."""
    return RunFolder(out) if group.first else nullcontext()


def _refuse_used(out: Path) -> None:
    """A new run would replace the checkpoints or the weights that are there."""
    if any(out.glob("step-*")):
        raise UsageError(
            f"{out} already contains a run: continue it with --resume {out}, or choose "
            "another folder with --out"
        )
    if any(out.glob("*.safetensors")):
        raise UsageError(f"{out} already contains weights: choose another folder with --out")


def _check_group(group: ProcessGroup, recipe: Recipe) -> None:
    if recipe.config.mixer != "planes":
        group.share(recipe.batch_size)
    elif group.size > 1:
        raise UsageError(
            "a planes network can only be trained by one process: run without torchrun"
        )
