"""Test-time training of a network in the paper's form, with a row of its table for each variant.

An unseen task gets rows of its own, each beginning as the mean of those that the network knows
(arXiv 2511.02886). All weights are trained on the task's demonstrations in all these variants, in
the way the network itself was trained. That takes a GPU to be quick: such a network computes 900
cells of each grid. The given network is not changed.

Knows training, variants and a clock; nothing of files and terminals.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import count

import numpy as np
import torch

from trmsolve.arc.adaptation import Budget
from trmsolve.arc.paper.examples import Example, PaperExamples, PaperSampler
from trmsolve.arc.paper.variants import Augmentation, draw_variants
from trmsolve.arc.task import AdaptationProgress, ArcTask, ignore, never
from trmsolve.device import Placement
from trmsolve.model.build import new_puzzles
from trmsolve.model.config import TRMConfig
from trmsolve.model.network import TinyRecursiveModel
from trmsolve.train.recipes import Recipe, find_recipe
from trmsolve.train.trainer import Trainer

VARIANTS = 64
"""Variants of a task, itself among them: more than are learned within a budget have no use."""

ROWS_CPU, ROWS_GPU = 8, 128
"""Examples in a batch."""

SETTINGS = {
    "ema": 0.97,
    "ema_warmup": True,
    "final_lr": 1.0,
    "warmup": 0.0,
    "clip": 1.0,
    "exploration": 0.0,
}
"""What differs from the paper's training."""


@dataclass(frozen=True, eq=False)
class Learned:
    """A network that has learned a task."""

    model: TinyRecursiveModel

    variants: Sequence[Augmentation]
    """The variants of the task; row k of the network's table is that of variant k."""

    ended: AdaptationProgress


def examples_of(task: ArcTask, seed: int) -> PaperExamples:
    """The task's demonstrations in all its variants; nothing is held out, and no row is blank."""
    views = draw_variants(task, VARIANTS - 1, np.random.default_rng(seed))
    learned: list[Example] = []
    for pair in task.demonstrations:
        if pair.output is not None:
            learned.append(Example(0, pair.input, pair.output))
    return PaperExamples(
        tasks=(task,),
        learned=tuple(learned),
        held_out=(),
        first=np.array([0, len(views)]),
        symmetries=np.array([view.symmetry for view in views], np.uint8),
        colours=np.array([view.colours for view in views], np.uint8),
    )


@dataclass(eq=False)
class PaperAdapter:
    """Learns one task within a budget; at least one step is made."""

    model: TinyRecursiveModel
    """Some rows of its table are enough: their mean is taken."""

    task: ArcTask
    placement: Placement
    budget: Budget
    seed: int = 0

    report: Callable[[AdaptationProgress], None] = ignore
    """Told of every step."""

    stop: Callable[[], bool] = never
    """Asked after every step; once true, the learning ends."""

    def adapt(self) -> Learned:
        """Learn, and return the network with a row of its table for each variant."""
        begun = time.monotonic()
        examples = examples_of(self.task, self.seed)
        start = new_puzzles(self.model, examples.num_puzzles)
        rows = ROWS_CPU if self.placement.device.type == "cpu" else ROWS_GPU
        trainer = Trainer(_recipe(start.config, rows), self.placement.device, self.placement.dtype)
        trainer.init_from(start)
        torch.manual_seed(self.seed)
        sampler = PaperSampler(examples, self.placement.device, rows=rows, seed=self.seed)
        loss = float("nan")
        for step in count():
            progress = self._progress(step, time.monotonic() - begun, loss)
            if step:
                self.report(progress)
            if progress.ended:
                break
            loss = float(trainer.step(sampler).tokens.detach()) / rows
        model = self._averaged(trainer, start.config)
        variants = [examples.variant(row) for row in range(examples.num_puzzles)]
        return Learned(model, variants, progress)

    def _progress(self, step: int, seconds: float, loss: float) -> AdaptationProgress:
        """How far the learning is, and whether it is over."""
        ended = ""
        if step and self.stop():
            ended = "interrupted"
        elif step and self.budget.steps is None and seconds >= self.budget.seconds:
            ended = "budget"
        elif step and self.budget.steps is not None and step >= self.budget.steps:
            ended = "steps"
        return AdaptationProgress(
            task=self.task,
            step=step,
            seconds=seconds,
            budget=self.budget.seconds,
            loss=loss,
            ended=ended,
        )

    def _averaged(self, trainer: Trainer, config: TRMConfig) -> TinyRecursiveModel:
        """The network with its averaged weights, ready to answer."""
        learned = TinyRecursiveModel(config, self.placement.dtype)
        learned.load_state_dict(trainer.ema.state_dict(trainer.model))
        return learned.to(self.placement.device).eval()


def _recipe(config: TRMConfig, rows: int) -> Recipe:
    """The paper's, with ``SETTINGS``, for this network and so many examples a batch."""
    paper = find_recipe("arc", "paper").to_dict()
    return Recipe.from_dict(paper | {"config": config.to_dict()} | SETTINGS | {"batch_size": rows})
