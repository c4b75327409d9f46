"""A training run from its first step to its last: the clock, the journal, the checkpoints, the weights it leaves.

Connects recipe, examples and trainer. Prints nothing: what happens is handed to the caller's ``report``. Knows neither
commands nor terminals nor signals: the caller's ``stop`` says when to leave early.
"""

import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch

from trmsolve.device import Placement
from trmsolve.effort import Effort
from trmsolve.errors import TrainingError
from trmsolve.evaluate import evaluate
from trmsolve.model import TinyRecursiveModel
from trmsolve.puzzles.base import Puzzle, Task
from trmsolve.solver import Solver
from trmsolve.train.checkpoint import Checkpoint, restore_rng, rng_state, save_checkpoint
from trmsolve.train.data import Examples, Sampler
from trmsolve.train.distributed import World
from trmsolve.train.journal import Journal
from trmsolve.train.progress import Progress
from trmsolve.train.recipes import Recipe
from trmsolve.train.schedule import lr_factor
from trmsolve.train.trainer import Trainer
from trmsolve.weights import WeightsInfo, save_weights


@dataclass(frozen=True)
class Plan:
    """How long a run is, and how often it writes. By ``minutes`` or ``steps``, whichever ends first."""

    minutes: float | None = None
    steps: int | None = None
    seed: int = 0
    held_out: int = 128  # examples that are never trained on, to judge by
    log_seconds: float = 30.0
    save_seconds: float = 600.0  # between checkpoints, each with the weights renewed and judged

    def done(self, step: int, seconds: float) -> float:
        """The fraction of the run that is over."""
        by_clock = seconds / (60 * self.minutes) if self.minutes else 0.0
        return max(by_clock, step / self.steps if self.steps else 0.0)


@dataclass
class Run:
    """One run in the folder ``out``: fresh, or going on from ``checkpoint``. ``train`` does it.

    ``described`` is kept in the weights and the checkpoint as the record of the run; ``start_from`` is a network of the
    same shapes whose weights a fresh run begins with.
    """

    task: Task
    recipe: Recipe
    examples: Examples
    out: Path
    plan: Plan
    placement: Placement
    compiled: bool = False
    world: World = field(default_factory=World)
    checkpoint: Checkpoint | None = None
    start_from: TinyRecursiveModel | None = None
    shares: dict[str, float] | None = None
    described: dict[str, Any] = field(default_factory=dict)
    report: Callable[[Progress], None] = lambda progress: None
    stop: Callable[[], bool] = lambda: False

    def __post_init__(self) -> None:
        if self.plan.minutes is None and self.plan.steps is None:
            raise ValueError("a run needs minutes or steps")
        if self.world.first:
            self.out.mkdir(parents=True, exist_ok=True)
        self.path = self.out / f"{self.task.name}.safetensors"
        seed, rank, device = self.plan.seed, self.world.rank, self.placement.device
        torch.manual_seed(seed)  # the same network on every process
        learned, self.kept = self.examples.split(self.task, self.plan.held_out)
        self.trainer = Trainer(self.recipe, device, self.placement.dtype, self.compiled, self.world)
        # Never compiled, since its batches have other sizes, and judged in the precision the file has.
        self.judge = TinyRecursiveModel(self.recipe.config, self.placement.dtype).to(device).eval()
        rows = self.world.share(self.recipe.batch_size)
        self.sampler = Sampler(
            self.task, learned, device, rows=rows, first_row=rank * rows, seed=seed, reveal=self.recipe.reveal,
            shares=self.shares,
        )  # fmt: skip
        if self.start_from is not None:
            self.trainer.begin_with(self.start_from)
        torch.manual_seed(seed + rank)  # from here on each process has its own chance
        step, seconds = self._restore(self.checkpoint) if self.checkpoint else (0, 0.0)
        self.saved: Path | None = self.checkpoint.path if self.checkpoint else None
        self.journal = Journal(self.out, self.world, self.report, step, seconds)

    def train(self) -> Path:
        """Train to the end of the plan, or until ``stop`` says so, and save. Returns the path of the weights.

        Raises TrainingError naming the last good checkpoint if loss or weights are no longer finite.
        """
        last_save = time.monotonic()
        try:
            while not (ending := self._ending()):
                loss = self.trainer.step(self.sampler, self._done)
                self.journal.count(loss, self.trainer.pool.halted, self.trainer.pool.cycles)
                if self._due(last_save, self.plan.save_seconds):
                    self.save()
                    last_save = time.monotonic()
                elif self._due(self.journal.last, self.plan.log_seconds):
                    self._line()
            if ending == "over" or self.journal.step > self.journal.step_at_last:
                self.save()
        except TrainingError as error:
            kept = f"the last good checkpoint is {self.saved}" if self.saved else "no checkpoint was written before"
            raise TrainingError(f"{error}: stopped at step {self.journal.step}; {kept}") from None
        return self.path

    def save(self) -> None:
        """Write the averaged weights, judge them, write a line of the journal and a checkpoint."""
        tensors, numbers = self.trainer.state()
        held_out = self._publish() if self.world.first else None
        self._line(held_out)
        # After the line, so that a resumed journal has no gap: what was counted since the last line is not kept.
        tensors |= {"visits": self.world.gather(torch.from_numpy(self.sampler.visits.copy()).to(self.placement.device))}
        chance = rng_state()
        for name, own in chance.items():
            everyone = self.world.gather(own[None].to(self.placement.device))
            tensors |= {f"chance.{rank}.{name}": state for rank, state in enumerate(everyone)}
        state = {
            "task": self.task.name,
            "recipe": asdict(self.recipe),
            "plan": asdict(self.plan),
            "shares": self.shares,
            "seconds": self.journal.seconds,
            "optimizer": numbers,
            "described": self.described,
        }
        if self.world.first:
            self.saved = save_checkpoint(self.out, self.journal.step, tensors, state)

    def _restore(self, checkpoint: Checkpoint) -> tuple[int, float]:
        self.trainer.restore(checkpoint.tensors, checkpoint.state["optimizer"])
        self.sampler.visits[:] = self.world.part(checkpoint.tensors["visits"]).numpy()
        prefix = f"chance.{self.world.rank}."
        restore_rng({k.removeprefix(prefix): v for k, v in checkpoint.tensors.items() if k.startswith(prefix)})
        return checkpoint.step, float(checkpoint.state["seconds"])

    def _ending(self) -> str:
        """Why the run ends here, if it does. The processes agree, whoever was told to stop."""
        self._done = self.plan.done(self.journal.step, self.journal.seconds)
        agreed = torch.tensor([self._done, float(self.stop())], device=self.placement.device, dtype=torch.float64)
        self._done, stopped = self.world.highest(agreed).tolist()
        return "over" if self._done >= 1 else "stopped" if stopped else ""

    def _due(self, since: float, every: float) -> bool:
        """Whether it is time; the first process's clock decides for all."""
        late = float(self.world.first and time.monotonic() - since > every)
        if self.world.size > 1:
            late = self.world.highest(torch.tensor(late, device=self.placement.device)).item()
        return bool(late)

    def _line(self, held_out: float | None = None) -> None:
        lr = self.recipe.lr * lr_factor(self.recipe, self._done)
        self.journal.line(self._done, lr, self.recipe.batch_size, held_out)

    def _publish(self) -> float:
        """Write the averaged weights; the exact rate of the file on the held-out examples, one view, all cycles."""
        state = self.trainer.ema.state_dict(self.trainer.model)
        training = {
            **self.described, "steps": self.journal.step, "seconds": round(self.journal.seconds), "seed": self.plan.seed
        }  # fmt: skip
        save_weights(self.path, state, WeightsInfo(self.recipe.config, self.task.name, training), torch.bfloat16)
        self.judge.load_state_dict({name: tensor.bfloat16() for name, tensor in state.items()})
        return exact_rate(self.judge, self.task, self.kept, self.placement, self.recipe.max_cycles)


def exact_rate(model: TinyRecursiveModel, task: Task, examples: Examples, placement: Placement, cycles: int) -> float:
    """The fraction of examples answered exactly after ``cycles`` improvement cycles in one view."""
    effort = Effort(cycles, views=1, batch_size=min(len(examples), 512))
    pairs = zip(examples.questions, examples.answers, strict=True)
    puzzles = [Puzzle(question, f"held out:{number}", answer=answer) for number, (question, answer) in enumerate(pairs)]
    return float(evaluate(Solver(task, model, placement, effort), puzzles, "held out")["exact"])
