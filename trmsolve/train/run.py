"""A training run from its first step to its last: the clock, the journal, the checkpoints, the weights it leaves.

Prints nothing: what happens is handed to the caller's ``report``. What is learned, and how, is the
subject's. Knows neither commands nor terminals nor signals: the caller's ``stop`` says when to
leave early.
"""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor

from trmsolve.device import Placement
from trmsolve.errors import CheckpointError, TrainingError
from trmsolve.model.network import TinyRecursiveModel
from trmsolve.train.base import Subject
from trmsolve.train.checkpoint import Checkpoint, save_checkpoint
from trmsolve.train.distributed import World
from trmsolve.train.folder import RunFolder
from trmsolve.train.journal import Journal
from trmsolve.train.plan import Plan, Progress, lr_factor
from trmsolve.train.recipes import Recipe
from trmsolve.train.state import reading_state, restore_rng, rng_state
from trmsolve.weights.file import WeightsInfo, save_weights


class Due(NamedTuple):
    """What is to be done after a step."""

    over: bool  # the plan is fulfilled
    stopped: bool  # ``stop`` said so
    checkpoint: bool
    line: bool

    @property
    def end(self) -> bool:
        """Whether this step was the last."""
        return self.over or self.stopped


class _JudgingEnds(Exception):
    """The caller of the run wants no more judging."""


@dataclass
class Run:
    """One run in the folder ``out``: fresh, or going on from ``checkpoint``. ``train`` does it.

    ``described`` is kept in the weights and the checkpoint as the record of the run; ``start_from``
    is a network of the same shapes whose weights a fresh run begins with.

    ``judging`` is told how many of the held-out examples are judged and how many there are. If it
    returns False, the judging ends without a figure, and so does the run, as everything is saved by
    then. ``folder`` holds ``out``, if given: it is asked before anything is written, since somebody
    may have deleted the folder.
    """

    subject: Subject
    recipe: Recipe
    out: Path
    plan: Plan
    placement: Placement
    compiled: bool = False
    world: World = field(default_factory=World)
    checkpoint: Checkpoint | None = None
    start_from: TinyRecursiveModel | None = None
    described: dict[str, Any] = field(default_factory=dict)
    report: Callable[[Progress], None] = lambda progress: None
    stop: Callable[[], bool] = lambda: False
    judging: Callable[[int, int], bool] = lambda judged, of: True
    folder: RunFolder | None = None

    def __post_init__(self) -> None:
        self.path = self.out / f"{self.subject.name}.safetensors"
        self.saved: Path | None = (
            self.checkpoint.path if self.checkpoint else None
        )  # the last good checkpoint
        torch.manual_seed(self.plan.seed)  # the same network on every process
        self.learning = self.subject.begin(
            self.recipe, self.plan, self.placement, self.compiled, self.world
        )
        if self.start_from is not None:
            self.learning.begin_with(self.start_from)
        step = self.checkpoint.step if self.checkpoint else 0
        torch.manual_seed(
            self.plan.seed + self.world.rank + step
        )  # from here on each process has its own chance
        seconds = self._restore(self.checkpoint) if self.checkpoint else 0.0
        self._keep_folder()
        self.journal = Journal(self.out, self.world, self.report, step, seconds)
        self.done, self.last_save = 0.0, time.monotonic()

    def train(self) -> Path:
        """Train to the end of the plan, or until ``stop`` says so, and save.

        Returns the path of the weights.

        A run that ends before its first step writes nothing, except that a run which was over
        before has its weights judged if that did not come to its end then. A run that ``stop``
        ended is not judged: whoever stops it wants to leave. Raises TrainingError naming the last
        good checkpoint if loss or weights are no longer finite.
        """
        try:
            due = self._due()
            if due.over and self.world.first:
                self._judge_belatedly()
            while not due.end:
                loss = self.learning.step(self.done)
                self.journal.count(loss, self.learning.halted, self.learning.cycles)
                due = self._due()
                if due.end or due.checkpoint:
                    weights = self.save()
                    if not self._report_saved(weights, judge=due.over or not due.stopped):
                        break
                elif due.line:
                    self._line()
                    self.journal.tell()
        except TrainingError as error:
            kept = (
                f"the last good checkpoint is {self.saved}"
                if self.saved
                else "no checkpoint was written before"
            )
            raise TrainingError(
                f"{error}: stopped after step {self.journal.step}; {kept}"
            ) from None
        return self.path

    def save(self) -> dict[str, Tensor]:
        """Write the averaged weights, a line of the journal and a checkpoint.

        The weights, as their file has them.

        The checkpoint comes last: an interruption at any moment leaves one whose weights and line
        are there too. Only the first process writes; the others return no weights.
        """
        tensors, numbers = self.learning.state()
        self._keep_folder()
        weights = self._publish() if self.world.first else {}
        # The line first, so that a resumed journal has no gap: what was counted since the last line
        # is not kept.
        self._line()
        for name, own in rng_state().items():
            everyone = self.world.gather(own[None].to(self.placement.device))
            tensors |= {f"chance.{rank}.{name}": state for rank, state in enumerate(everyone)}
        state = {
            "task": self.subject.name,
            "recipe": asdict(self.recipe),
            "plan": asdict(self.plan),
            "placement": {
                "device": self.placement.device.type,
                "dtype": self.placement.dtype_name,
                "threads": self.placement.threads,
                "compile": "on" if self.compiled else "off",
            },
            "seconds": self.journal.seconds,
            "trainer": numbers,
            "described": self.described,
        }
        if self.world.first:
            alone = self.folder is None or self.folder.held
            self.saved = save_checkpoint(self.out, self.journal.step, tensors, state, alone)
        return weights

    def _report_saved(self, weights: dict[str, Tensor], judge: bool) -> bool:
        """Judge what was saved, if wanted, and report its line.

        Whether the run goes on, the same for all processes.
        """
        ended = judge and self.world.first and not self._judge(weights)
        self.journal.tell()
        # Neither the next checkpoint nor the next line comes sooner because this took long.
        self.last_save = self.journal.last = time.monotonic()
        return not any(self.world.highest([ended]))

    def _judge(self, weights: dict[str, Tensor]) -> bool:
        """Put the figure into the journal's last line. Whether the caller wants the run to go on.

        Whatever is drawn while judging, and wherever it ends, the chance of the run stays as it
        was.
        """
        wanted = True

        def told(judged: int, of: int) -> None:
            nonlocal wanted
            wanted = self.judging(judged, of)
            if not wanted and judged < of:
                raise _JudgingEnds

        chance = rng_state()
        try:
            self.journal.judged(self.learning.judge(weights, told))
        except _JudgingEnds:
            return False
        finally:
            restore_rng(chance)
        return wanted

    def _judge_belatedly(self) -> None:
        """Of a run that was over before: give its last line the figure that an interruption kept from it."""
        last = self.journal.lines[-1] if self.journal.lines else None
        if last is None or last.step != self.journal.step or last.held_out_exact is not None:
            return
        self._judge(_as_in_file(self.learning.averaged()))
        if self.journal.lines[-1].held_out_exact is not None:
            self.journal.tell()

    def _keep_folder(self) -> None:
        if not self.world.first:
            return
        if self.folder is not None:
            self.folder.hold()
        else:
            self.out.mkdir(parents=True, exist_ok=True)

    def _restore(self, checkpoint: Checkpoint) -> float:
        """Go on from it; the seconds it had taken.

        With more processes than it had, those draw their chance anew.
        """
        if "trainer" not in checkpoint.state:
            raise CheckpointError(
                f"{checkpoint.path} was written by an earlier trmsolve: go on with that one"
            )
        tensors, prefix = checkpoint.tensors, f"chance.{self.world.rank}."
        with reading_state(checkpoint.path):
            self.learning.restore(tensors, checkpoint.state["trainer"])
            if chance := {
                k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)
            }:
                restore_rng(chance)
            return float(checkpoint.state["seconds"])

    def _due(self) -> Due:
        """What is due now.

        The processes agree: what one is told or has waited for is done by all.
        """
        now, plan, journal = time.monotonic(), self.plan, self.journal
        self.done, stopped, checkpoint, line = self.world.highest(
            [
                plan.done(journal.step, journal.seconds),
                self.stop(),
                now - self.last_save >= plan.save_seconds,
                now - journal.last >= plan.log_seconds,
            ]
        )
        return Due(self.done >= 1, stopped > 0, checkpoint > 0, line > 0)

    def _line(self) -> None:
        self.journal.line(self.done, self.recipe.lr * lr_factor(self.recipe, self.done))

    def _publish(self) -> dict[str, Tensor]:
        """Write the averaged weights; return them as the file has them."""
        state = self.learning.averaged()
        training = {
            **self.described,
            "steps": self.journal.step,
            "seconds": round(self.journal.seconds),
            "seed": self.plan.seed,
        }
        for sort in (
            "data",
            "measured",
        ):  # the record travels with the weights: it names files, not their folders
            if kept := training.get(sort):
                training[sort] = (
                    Path(kept).name if isinstance(kept, str) else [Path(one).name for one in kept]
                )
        self.subject.write_beside(self.out)
        info = WeightsInfo(self.recipe.config, self.subject.name, training)
        save_weights(self.path, state, info, torch.bfloat16)
        return _as_in_file(state)


def _as_in_file(weights: dict[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensor.bfloat16() for name, tensor in weights.items()}
