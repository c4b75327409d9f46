"""A training run from its first step to its last.

The run has the clock, the metrics log, the checkpoints and the file of weights. The training data
say what is learned and how. The run prints nothing: everything that happens goes to the caller's
``report``. It knows neither commands nor terminals nor signals: the caller's ``stop`` says when to
leave early.
"""

import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from trmsolve.device import Placement
from trmsolve.distributed import ProcessGroup
from trmsolve.errors import CheckpointError, TrainingError
from trmsolve.model.network import TinyRecursiveModel
from trmsolve.train.base import TrainableNetwork, TrainingData
from trmsolve.train.checkpoint import Checkpoint, save_checkpoint
from trmsolve.train.folder import RunFolder
from trmsolve.train.metrics import MetricsLog
from trmsolve.train.recipes import Recipe
from trmsolve.train.schedule import Progress, Schedule, lr_factor
from trmsolve.train.state import (
    gather_rng,
    reading_state,
    restore_own_rng,
    restore_rng,
    rng_state,
)
from trmsolve.weights.file import save_weights
from trmsolve.weights.info import WeightsInfo


def ignore(_: object) -> None:
    """The default of callbacks that are told something."""


def ignore_count(_done: int, _of: int) -> None:
    """The default of callbacks that are told how many are done."""


def never() -> bool:
    """The default of ``stop``: the run goes to its end."""
    return False


def judge_on(_judged: int, _of: int) -> bool:
    """The default of ``judging``: the network is judged to the end."""
    return True


@dataclass(frozen=True, kw_only=True)
class Callbacks:
    """What a run tells its caller and asks of it.

    Of several processes only the first calls them, except for ``stop``, which all of them ask.
    """

    # Hears of each line of the metrics log.
    report: Callable[[Progress], None] = ignore
    # Hears what is to be known of the run, one line each.
    note: Callable[[str], None] = ignore
    # Hears of problems that the run got round, one line each.
    warn: Callable[[str], None] = ignore
    # Hears how many puzzles are made before the first step, and of how many.
    making: Callable[[int, int], None] = ignore_count
    # Asked before the first step and after each; True saves and ends the run.
    stop: Callable[[], bool] = never
    # See ``Run.judging``.
    judging: Callable[[int, int], bool] = judge_on


class _JudgingStopped(Exception):
    """The caller of the run wants no more judging."""


@dataclass(frozen=True)
class _Due:
    """What is to be done after a step. All processes agree on it."""

    # The schedule is at its end.
    over: bool
    # ``stop`` said so.
    stopped: bool
    # It is time for a checkpoint, or for a line of the metrics log.
    checkpoint: bool
    line: bool

    @property
    def end(self) -> bool:
        """Whether this step was the last."""
        return self.over or self.stopped


@dataclass(frozen=True, kw_only=True)
class _Snapshot:
    """What one save writes, so that it can be written again. The tensors may be the network's own.

    Only the first process has what is in it.
    """

    # The averaged weights, in full precision.
    averaged: dict[str, Tensor] = field(default_factory=dict)
    # What a checkpoint has, besides what is known without asking the network.
    tensors: dict[str, Tensor] = field(default_factory=dict)
    numbers: dict[str, Any] = field(default_factory=dict)


@dataclass(kw_only=True)
class Run:
    """One run, fresh or resumed. Making it draws or restores the network; ``train`` trains it."""

    # What is learned, and how.
    training_data: TrainingData
    recipe: Recipe
    # The folder for weights, checkpoints and the metrics log.
    out: Path
    schedule: Schedule
    placement: Placement
    # Whether the network is compiled.
    compiled: bool = False
    group: ProcessGroup = field(default_factory=ProcessGroup)
    # Where a resumed run goes on.
    checkpoint: Checkpoint | None = None
    # A network of the same shapes, whose weights a fresh run begins with.
    start_from: TinyRecursiveModel | None = None
    # The record of the run, as JSON. Weights and checkpoints keep it.
    described: dict[str, Any] = field(default_factory=dict)
    # Holds ``out``, if given. All that is written passes through it, since somebody may delete the
    # folder.
    folder: RunFolder | None = None

    # Called with every line of the metrics log.
    report: Callable[[Progress], None] = ignore
    # Asked before the first step and after each. If it returns True, the run saves and ends.
    stop: Callable[[], bool] = never
    # Called with the number of held-out examples judged so far, and the number of all. If it
    # returns False, the judging ends without a figure, and so does the run, as everything is saved
    # by then.
    judging: Callable[[int, int], bool] = judge_on

    # The network in training.
    learning: TrainableNetwork = field(init=False)
    metrics: MetricsLog = field(init=False)
    # The last good checkpoint, if there is one.
    saved: Path | None = field(init=False)
    # The fraction of the run that is over.
    done: float = field(init=False, default=0.0)
    # When the last checkpoint was written, on the monotonic clock.
    last_save: float = field(init=False)

    def __post_init__(self) -> None:
        checkpoint = self.checkpoint
        step = checkpoint.step if checkpoint else 0
        seconds = 0.0
        self.saved = checkpoint.path if checkpoint else None
        torch.manual_seed(self.schedule.seed)  # the same network on every process
        self.learning = self.training_data.begin(
            self.recipe, self.schedule, self.placement, self.compiled, self.group
        )
        if self.start_from is not None:
            self.learning.init_from(self.start_from)
        # From here on each process draws its own random numbers.
        torch.manual_seed(self.schedule.seed + self.group.rank + step)
        if checkpoint:
            seconds = self._restore(checkpoint)
        self.metrics = MetricsLog(self.out, self.group, self.report, step, seconds)
        self._keep(self._write_log)
        self.last_save = time.monotonic()

    @property
    def path(self) -> Path:
        """Where the weights go."""
        return self.out / f"{self.training_data.name}.safetensors"

    def train(self) -> Path:
        """Train to the end of the schedule, or until ``stop`` says so, and save.

        Returns the path of the weights.

        A run that ends before its first step writes nothing. There is one exception: if the run
        was over before, but its weights have no held-out figure, because an interruption kept it
        from them, then they are judged now. A run that ``stop`` ended is not judged, since whoever
        stops it wants to leave. Raises TrainingError naming the last good checkpoint if the loss or
        the weights are no longer finite.
        """
        try:
            self._train()
        except TrainingError as error:
            kept = "no checkpoint was saved before"
            if self.saved:
                kept = f"the last good checkpoint is {self.saved}"
            raise TrainingError(
                f"{error}: stopped after step {self.metrics.step}; {kept}"
            ) from None
        return self.path

    def _train(self) -> None:
        due = self._due()
        if due.over and self.group.first:
            self._judge_belatedly()
        while not due.end:
            loss = self.learning.step(self.done)
            self.metrics.count(loss, self.learning.halted, self.learning.cycles)
            due = self._due()
            if due.end or due.checkpoint:
                snapshot = self.save()
                if not self._report_saved(snapshot, judge=due.over or not due.stopped):
                    break
            elif due.line:
                self._line()
                self._keep(self._write_log)
                self.metrics.tell()

    def save(self) -> _Snapshot:
        """Write the averaged weights, a line of the metrics log and a checkpoint.

        All processes must call it. Only the first one writes. Returns what was written.
        """
        tensors, numbers = self.learning.state()
        # What was counted since the last line is not part of the state. Without this line the log
        # of a resumed run would have a gap.
        self._line()
        tensors |= gather_rng(self.group, self.placement.device)
        if not self.group.first:
            return _Snapshot()
        snapshot = _Snapshot(averaged=self.learning.averaged(), tensors=tensors, numbers=numbers)
        self._keep(partial(self._write, snapshot))
        return snapshot

    def _write(self, snapshot: _Snapshot) -> Iterable[Path]:
        """Write all files of a save, and return them.

        The checkpoint comes last, so that an interruption at any moment leaves one whose weights
        and line are there too.
        """
        self._publish(snapshot.averaged)
        self.metrics.write()
        alone = self.folder is None or self.folder.held
        state = self._plain_state(snapshot.numbers)
        self.saved = save_checkpoint(self.out, self.metrics.step, snapshot.tensors, state, alone)
        return self._files()

    def _write_log(self) -> Iterable[Path]:
        return [self.metrics.write()]

    def _files(self) -> list[Path]:
        """The files that are there after a save."""
        files = [self.path, self.metrics.path]
        return [*files, self.saved] if self.saved else files

    def _keep(self, write: Callable[[], Iterable[Path]]) -> None:
        """Have the first process write files, again if somebody deletes the folder meanwhile."""
        if not self.group.first:
            return
        if self.folder is not None:
            self.folder.keep(write)
        else:
            self.out.mkdir(parents=True, exist_ok=True)
            write()

    def _plain_state(self, numbers: dict[str, Any]) -> dict[str, Any]:
        """What a checkpoint has besides tensors, as JSON; ``numbers`` are of the learning."""
        return {
            "task": self.training_data.name,
            "recipe": asdict(self.recipe),
            "plan": asdict(self.schedule),
            "placement": {
                "device": self.placement.device.type,
                "dtype": self.placement.dtype_name,
                "threads": self.placement.threads,
                "compile": "on" if self.compiled else "off",
            },
            "seconds": self.metrics.seconds,
            "trainer": numbers,
            "described": self.described,
        }

    def _restore(self, checkpoint: Checkpoint) -> float:
        """Go on from the checkpoint. Returns the seconds of training until then."""
        if "trainer" not in checkpoint.state:
            raise CheckpointError(
                f"{checkpoint.path} was written by an earlier version of trmsolve: "
                "resume it with that version"
            )
        with reading_state(checkpoint.path):
            self.learning.restore(checkpoint.tensors, checkpoint.state["trainer"])
            restore_own_rng(self.group, checkpoint.tensors)
            return float(checkpoint.state["seconds"])

    def _report_saved(self, snapshot: _Snapshot, judge: bool) -> bool:
        """Judge what was saved, if wanted, and report its line.

        Judging may take minutes. If somebody deletes the folder meanwhile, all is written again.
        Returns whether the run goes on, the same for all processes.
        """
        ended = judge and self.group.first and not self._judge(_as_in_file(snapshot.averaged))
        if self.folder is not None and not self.folder.has(self._files()):
            self._keep(partial(self._write, snapshot))
        self._keep(self._write_log)
        self.metrics.tell()
        # Neither the next checkpoint nor the next line comes sooner because this took long.
        self.last_save = self.metrics.last = time.monotonic()
        return not any(self.group.highest([ended]))

    def _judge(self, weights: dict[str, Tensor]) -> bool:
        """Put the held-out figure into the last line of the metrics log.

        Returns whether the caller wants the run to go on. Whatever the judging draws, and wherever
        it ends, the run's random numbers stay as they were.
        """
        wanted = True

        def told(judged: int, of: int) -> None:
            nonlocal wanted
            wanted = self.judging(judged, of)
            if not wanted and judged < of:
                raise _JudgingStopped

        random_numbers = rng_state()
        try:
            self.metrics.judged(self.learning.evaluate_held_out(weights, told))
        except _JudgingStopped:
            return False
        finally:
            restore_rng(random_numbers)
        return wanted

    def _judge_belatedly(self) -> None:
        """Give a run that was over before the figure that an interruption kept from it."""
        last = self.metrics.lines[-1] if self.metrics.lines else None
        if last is None or last.step != self.metrics.step or last.held_out_exact is not None:
            return
        self._judge(_as_in_file(self.learning.averaged()))
        if self.metrics.lines[-1].held_out_exact is not None:
            self._keep(self._write_log)
            self.metrics.tell()

    def _due(self) -> _Due:
        """What is due now, the same for all processes: if one is due, it is due for all."""
        now = time.monotonic()
        own = [
            self.schedule.done(self.metrics.step, self.metrics.seconds),
            self.stop(),
            now - self.last_save >= self.schedule.save_seconds,
            now - self.metrics.last >= self.schedule.log_seconds,
        ]
        self.done, stopped, checkpoint, line = self.group.highest(own)
        return _Due(
            over=self.done >= 1,
            stopped=stopped > 0,
            checkpoint=checkpoint > 0,
            line=line > 0,
        )

    def _line(self) -> None:
        factor = lr_factor(self.recipe, self.done)
        self.metrics.line(self.done, self.recipe.lr * factor)

    def _publish(self, averaged: dict[str, Tensor]) -> None:
        """Write the averaged weights."""
        self.training_data.write_side_files(self.out)
        info = WeightsInfo(self.recipe.config, self.training_data.name, self._record())
        save_weights(self.path, averaged, info, torch.bfloat16)

    def _record(self) -> dict[str, Any]:
        """The record of the run that goes into the weights.

        The weights may travel, so that it names the files that were learned from without their
        folders.
        """
        record = {
            **self.described,
            "steps": self.metrics.step,
            "seconds": round(self.metrics.seconds),
            "seed": self.schedule.seed,
        }
        for key in ("data", "measured"):
            if paths := record.get(key):
                record[key] = _file_names(paths)
        return record


def _file_names(paths: str | list[str]) -> str | list[str]:
    if isinstance(paths, str):
        return Path(paths).name
    return [Path(path).name for path in paths]


def _as_in_file(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    bf16 = {}
    for name, tensor in weights.items():
        bf16[name] = tensor.bfloat16()
    return bf16
