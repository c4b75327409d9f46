"""The settings of a run, for Python and the command alike, with the checks that need no files.

Errors name a setting as the command line does: ``--base-puzzles`` is ``base_puzzles`` here, and
``--set`` is ``changes``.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from trmsolve.errors import UsageError
from trmsolve.puzzles.base import parse_size
from trmsolve.puzzles.registry import get_task
from trmsolve.train.recipes import Recipe, find_recipe, override
from trmsolve.train.schedule import Schedule
from trmsolve.train.sources import Sources, check_bands, parse_bands
from trmsolve.wording import install_hint

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

    # Where the lines of the metrics log go as well: tensorboard for event files in the folder.
    log_to: str | None = None
    # A file that the final weights are written to as well.
    export: str | Path | None = None
    # Whether to open no connection: weights to start from must be on this machine then.
    offline: bool = False

    @property
    def sources(self) -> Sources:
        """The names of the data."""
        return Sources(_names(self.data), _names(self.measured))

    def in_schedule(self) -> dict[str, Any]:
        """The fields of a ``Schedule`` that are given here."""
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
    # Fields of the recipe to change: {"lr": 0.01}, or as texts: ["lr=0.01"].
    changes: Mapping[str, Any] | Sequence[str] | str = ()
    batch_size: int | None = None
    # For Sudoku: the size of the board to train on, such as 6x6; 9x9 by default.
    size: str | None = None
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
        if self.out is None:
            return Path("runs") / self.task
        return Path(self.out)

    def chosen_recipe(self) -> Recipe:
        """The recipe with its changes. Raises UsageError for an unknown recipe or field."""
        changes = _as_texts(self.changes)
        if self.batch_size is not None:
            changes.append(f"batch_size={self.batch_size}")
        recipe = override(find_recipe(self.task, self.recipe), changes)
        return recipe if self.size is None else _sized(recipe, self.task, self.size)

    def schedule(self) -> Schedule:
        """The schedule of the run. Raises UsageError for a run without an end."""
        given = self.in_schedule()
        if self.held_out is not None:
            given["held_out"] = self.held_out
        return Schedule(seed=self.seed, **given)

    def shares(self) -> dict[str, float] | None:
        """The share of each band of difficulty; None draws all puzzles alike.

        Raises UsageError for bands that make no sense.
        """
        if self.bands is None:
            has_rated_puzzles = not self.sources.data and self.size is None
            return get_task(self.task).training_bands if has_rated_puzzles else None
        shares = parse_bands(self.bands) if isinstance(self.bands, str) else dict(self.bands)
        check_bands(shares)
        return shares

    def check_sources(self, recipe: Recipe) -> None:
        """Raise UsageError for settings that the task does not have, and for ARC without tasks."""
        if self.task == "arc":
            _check_arc(self, recipe)
        else:
            _check_puzzles(self)


def _sized(recipe: Recipe, task: str, size: str) -> Recipe:
    """The recipe for boards of this size. Raises UsageError where there is one size only."""
    rows, columns = parse_size(size)
    if recipe.config.candidates == 1:
        raise UsageError(f"--size {size}: this recipe for {task} has one size: omit --size")
    get_task(task, recipe.config.vocab_size).on_board(rows, columns)
    return replace(recipe, config=recipe.config.on_board(rows))


def _names_of(options: type) -> frozenset[str]:
    return frozenset(one.name for one in fields(options))


KEPT = _names_of(TrainOptions) - _names_of(RunOptions)
"""The settings that a resumed run keeps as they were."""


def _names(given: Names) -> tuple[str, ...]:
    if isinstance(given, str | Path):
        return (str(given),)
    return tuple(str(name) for name in given)


def _as_texts(changes: Mapping[str, Any] | Sequence[str] | str) -> list[str]:
    if isinstance(changes, str):
        return [changes]
    if isinstance(changes, Mapping):
        return [f"{name}={json.dumps(value)}" for name, value in changes.items()]
    return list(changes)


def _check_puzzles(options: TrainOptions) -> None:
    sources = options.sources
    if len(sources.data) > 1:
        raise UsageError(
            f"--data was given {len(sources.data)} times: {options.task} training takes "
            "one file; join the files"
        )
    if sources.measured:
        raise UsageError("--measured is only for ARC: use --held-out for puzzles")


def _check_arc(options: TrainOptions, recipe: Recipe) -> None:
    if not options.sources.data:
        raise UsageError(
            "ARC tasks cannot be generated: give --data a file, a folder, or the name "
            f"of a public data set such as arc1-train (for these {install_hint('arc')})"
        )
    if options.bands is not None:
        raise UsageError("--bands is not for ARC: its tasks have no rating")
    if options.base_puzzles is not None:
        raise UsageError("--base-puzzles is not for ARC: select the tasks with --data")
    if options.batch_size is not None and recipe.config.mixer == "planes":
        raise UsageError(
            "--batch-size: this recipe measures batches in cells; use --set batch_cells=N"
        )
