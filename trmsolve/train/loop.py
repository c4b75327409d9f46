"""A training run from its first step to its last: the clock, the journal, the checkpoints, the weights it leaves.

Connects recipe, examples and trainer. Prints nothing: what happens is handed to the caller's ``report``. Knows neither
commands nor terminals nor signals: the caller's ``stop`` says when to leave early.
"""

import math
import time
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import torch

from trmsolve.device import Placement
from trmsolve.effort import MAX_CYCLES, Effort
from trmsolve.errors import CheckpointError, PuzzleError, TrainingError, UsageError
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
    """How long a run is, and how often it writes. By ``minutes`` or ``steps``, whichever ends first.

    Where steps alone say how long, the same plan and seed give the same network to the bit, stopped in between or not.
    """

    minutes: float | None = None
    steps: int | None = None
    seed: int = 0
    held_out: int = 128  # examples that are never trained on, to judge by
    log_seconds: float = 30.0
    save_seconds: float = 600.0  # between checkpoints, each with the weights renewed and judged; 0 is after every step

    def __post_init__(self) -> None:
        """Raise UsageError for a run without an end."""
        if self.minutes is None and self.steps is None:
            raise UsageError("say how long the run is: --minutes M or --steps N")
        if self.minutes is not None and not 0 < self.minutes < math.inf:
            raise UsageError(f"a run cannot last {self.minutes} minutes")

    def done(self, step: int, seconds: float) -> float:
        """The fraction of the run that is over."""
        by_clock = seconds / (60 * self.minutes) if self.minutes else 0.0
        return max(by_clock, step / self.steps if self.steps else 0.0)


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
        _check_config(self.recipe, self.task)
        self.path = self.out / f"{self.task.name}.safetensors"
        self.saved: Path | None = self.checkpoint.path if self.checkpoint else None  # the last good checkpoint
        seed, rank, device = self.plan.seed, self.world.rank, self.placement.device
        torch.manual_seed(seed)  # the same network on every process
        learned, self.kept = self.examples.split(self.task, self.plan.held_out)
        _check_answers(self.task, self.kept)
        self.trainer = Trainer(self.recipe, device, self.placement.dtype, self.compiled, self.world)
        # What is judged has the precision of the file. Its batch has another size, so it is compiled by itself.
        self.judge = TinyRecursiveModel(self.recipe.config, self.placement.dtype).to(device).eval()
        if self.compiled:
            self.judge.L_level.compile(dynamic=False)
        rows = self.world.share(self.recipe.batch_size)
        self.sampler = Sampler(
            self.task, learned, device, rows=rows, first_row=rank * rows, seed=seed, reveal=self.recipe.reveal,
            stages=self.recipe.config.rewrites, shares=self.shares,
        )  # fmt: skip
        if self.start_from is not None:
            self.trainer.begin_with(self.start_from)
        step = self.checkpoint.step if self.checkpoint else 0
        torch.manual_seed(seed + rank + step)  # from here on each process has its own chance
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
                loss = self.trainer.step(self.sampler, self.done)
                self.journal.count(loss, self.trainer.pool.halted, self.trainer.pool.cycles)
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
        tensors, numbers = self.trainer.state()
        held_out = self._publish() if self.world.first else None
        # The line first, so that a resumed journal has no gap: what was counted since the last line is not kept.
        self._line(held_out)
        tensors |= {"visits": self.world.gather(torch.from_numpy(self.sampler.visits.copy()).to(self.placement.device))}
        for name, own in rng_state().items():
            everyone = self.world.gather(own[None].to(self.placement.device))
            tensors |= {f"chance.{rank}.{name}": state for rank, state in enumerate(everyone)}
        state = {
            "task": self.task.name,
            "recipe": asdict(self.recipe),
            "plan": asdict(self.plan),
            "placement": {
                "device": self.placement.device.type,
                "dtype": self.placement.dtype_name,
                "threads": self.placement.threads,
                "compile": "on" if self.compiled else "off",
            },
            "shares": self.shares,
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
        self.trainer.restore(tensors, checkpoint.state["trainer"])
        self.sampler.visits[:] = self.world.part(tensors["visits"]).numpy()
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
        lr = self.recipe.lr * lr_factor(self.recipe, self.done)
        self.journal.line(self.done, lr, self.recipe.batch_size, held_out)

    def _publish(self) -> float:
        """Write the averaged weights; the exact rate of the file on the held-out examples, one view of 16 cycles."""
        state = self.trainer.ema.state_dict(self.trainer.model)
        training = {
            **self.described, "steps": self.journal.step, "seconds": round(self.journal.seconds), "seed": self.plan.seed
        }  # fmt: skip
        if training.get("data"):  # the record travels with the weights: it names the file, not the folders it was in
            training["data"] = Path(training["data"]).name
        save_weights(self.path, state, WeightsInfo(self.recipe.config, self.task.name, training), torch.bfloat16)
        self.judge.load_state_dict({name: tensor.bfloat16() for name, tensor in state.items()})
        return exact_rate(self.judge, self.task, self.kept, self.placement, min(self.recipe.max_cycles, MAX_CYCLES))


def exact_rate(model: TinyRecursiveModel, task: Task, examples: Examples, placement: Placement, cycles: int) -> float:
    """The fraction of examples answered exactly after ``cycles`` improvement cycles in one view."""
    effort = Effort(cycles, views=1, batch_size=min(len(examples), 512))
    pairs = zip(examples.questions, examples.answers, strict=True)
    puzzles = [Puzzle(question, f"held out:{number}", answer=answer) for number, (question, answer) in enumerate(pairs)]
    return float(evaluate(Solver(task, model, placement, effort), puzzles, "held out")["exact"])


def _check_config(recipe: Recipe, task: Task) -> None:
    config = recipe.config
    has, needs = (
        (config.vocab_size, config.seq_len, config.candidates),
        (task.vocab_size, task.seq_len, task.candidates),
    )
    if has != needs:
        raise UsageError(
            f"the recipe's network has {has[0]} tokens on {has[1]} places and {has[2]} candidates a cell: {task.name} "
            f"has {needs[0]}, {needs[1]} and {needs[2]}"
        )
    if recipe.reveal and task.ruled:
        raise UsageError(f"reveal={recipe.reveal} gives cells of answers away: no {task.name} holds any, set it to 0")


def _check_answers(task: Task, examples: Examples) -> None:
    """A wrong answer is told before the run and not at its first checkpoint."""
    for question, answer in zip(examples.questions, examples.answers, strict=True):
        if not (verdict := task.verify(question, answer)).verified:
            grid = "".join(map(str, question.flatten().tolist()))
            raise PuzzleError(f"the data's own answer to {grid} is wrong: {verdict.reason}")
