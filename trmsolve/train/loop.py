"""A training run from its first step to its last: the clock, the journal, the checkpoints, the weights it leaves.

Prints nothing: what happens is handed to the caller's ``report``. What is learned, and how, is the subject's. Knows
neither commands nor terminals nor signals: the caller's ``stop`` says when to leave early.
"""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import torch

from trmsolve.device import Placement
from trmsolve.errors import CheckpointError, TrainingError
from trmsolve.model import TinyRecursiveModel
from trmsolve.train.checkpoint import Checkpoint, restore_rng, rng_state, save_checkpoint
from trmsolve.train.distributed import World
from trmsolve.train.journal import Journal
from trmsolve.train.keeping import reading_state
from trmsolve.train.plan import Plan
from trmsolve.train.progress import Progress
from trmsolve.train.recipes import Recipe
from trmsolve.train.schedule import lr_factor
from trmsolve.train.subject import Subject
from trmsolve.weights import WeightsInfo, save_weights


class Due(NamedTuple):
    """What is to be done after a step."""

    end: bool
    checkpoint: bool
    line: bool


@dataclass
class Run:
    """One run in the folder ``out``: fresh, or going on from ``checkpoint``. ``train`` does it.

    ``described`` is kept in the weights and the checkpoint as the record of the run; ``start_from`` is a network of the
    same shapes whose weights a fresh run begins with.
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

    def __post_init__(self) -> None:
        self.path = self.out / f"{self.subject.name}.safetensors"
        self.saved: Path | None = self.checkpoint.path if self.checkpoint else None  # the last good checkpoint
        torch.manual_seed(self.plan.seed)  # the same network on every process
        self.learning = self.subject.begin(self.recipe, self.plan, self.placement, self.compiled, self.world)
        if self.start_from is not None:
            self.learning.begin_with(self.start_from)
        step = self.checkpoint.step if self.checkpoint else 0
        torch.manual_seed(self.plan.seed + self.world.rank + step)  # from here on each process has its own chance
        seconds = self._restore(self.checkpoint) if self.checkpoint else 0.0
        if self.world.first:
            self.out.mkdir(parents=True, exist_ok=True)
        self.journal = Journal(self.out, self.world, self.report, step, seconds)
        self.done, self.last_save = 0.0, time.monotonic()

    def train(self) -> Path:
        """Train to the end of the plan, or until ``stop`` says so, and save. Returns the path of the weights.

        A run that ends before its first step writes nothing. Raises TrainingError naming the last good checkpoint if
        loss or weights are no longer finite.
        """
        try:
            due = self._due()
            while not due.end:
                loss = self.learning.step(self.done)
                self.journal.count(loss, self.learning.halted, self.learning.cycles)
                due = self._due()
                if due.end or due.checkpoint:
                    self.save()
                elif due.line:
                    self._line()
        except TrainingError as error:
            kept = f"the last good checkpoint is {self.saved}" if self.saved else "no checkpoint was written before"
            raise TrainingError(f"{error}: stopped after step {self.journal.step}; {kept}") from None
        return self.path

    def save(self) -> None:
        """Write the averaged weights, judge them, write a line of the journal and a checkpoint."""
        tensors, numbers = self.learning.state()
        held_out = self._publish() if self.world.first else None
        # The line first, so that a resumed journal has no gap: what was counted since the last line is not kept.
        self._line(held_out)
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
            self.saved = save_checkpoint(self.out, self.journal.step, tensors, state)
        self.last_save = time.monotonic()

    def _restore(self, checkpoint: Checkpoint) -> float:
        """Go on from it; the seconds it had taken. With more processes than it had, those draw their chance anew."""
        if "trainer" not in checkpoint.state:
            raise CheckpointError(f"{checkpoint.path} was written by an earlier trmsolve: go on with that one")
        tensors, prefix = checkpoint.tensors, f"chance.{self.world.rank}."
        with reading_state(checkpoint.path):
            self.learning.restore(tensors, checkpoint.state["trainer"])
            if chance := {k.removeprefix(prefix): v for k, v in tensors.items() if k.startswith(prefix)}:
                restore_rng(chance)
            return float(checkpoint.state["seconds"])

    def _due(self) -> Due:
        """What is due now. The processes agree: what one is told or has waited for is done by all."""
        now, plan, journal = time.monotonic(), self.plan, self.journal
        self.done, stopped, checkpoint, line = self.world.highest([
            plan.done(journal.step, journal.seconds),
            self.stop(),
            now - self.last_save >= plan.save_seconds,
            now - journal.last >= plan.log_seconds,
        ])  # fmt: skip
        return Due(self.done >= 1 or stopped > 0, checkpoint > 0, line > 0)

    def _line(self, held_out: float | None = None) -> None:
        self.journal.line(self.done, self.recipe.lr * lr_factor(self.recipe, self.done), held_out)

    def _publish(self) -> float | None:
        """Write the averaged weights; how much of what is held out the file answers exactly."""
        state = self.learning.averaged()
        training = {
            **self.described, "steps": self.journal.step, "seconds": round(self.journal.seconds), "seed": self.plan.seed
        }  # fmt: skip
        for sort in ("data", "measured"):  # the record travels with the weights: it names files, not their folders
            if kept := training.get(sort):
                training[sort] = Path(kept).name if isinstance(kept, str) else [Path(one).name for one in kept]
        self.subject.write_beside(self.out)
        info = WeightsInfo(self.recipe.config, self.subject.name, training)
        save_weights(self.path, state, info, torch.bfloat16)
        return self.learning.judge({name: tensor.bfloat16() for name, tensor in state.items()})
