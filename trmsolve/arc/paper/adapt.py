"""Learning an unseen ARC task with a network of the paper's form, which has a row of its table for every variant.

The task gets rows of its own, each beginning as the mean of those that the network knows (arXiv
2511.02886), and all weights are trained on its demonstrations in all these variants, in the way the
network itself was trained. That takes a GPU to be quick: such a network computes 900 cells of each
grid. The given network is not changed.

Knows training, variants and a clock; nothing of files and terminals.
"""

import time
from collections.abc import Callable, Sequence
from itertools import count

import numpy as np
import torch

from trmsolve.arc.adaptation import new_puzzles
from trmsolve.arc.paper.examples import Example, OfficialExamples, OfficialSampler
from trmsolve.arc.paper.variants import Augmentation, draw_variants
from trmsolve.arc.task import Adapting, ArcTask
from trmsolve.device import Placement
from trmsolve.model.network import TinyRecursiveModel
from trmsolve.train.recipes import Recipe, find_recipe
from trmsolve.train.trainer import Trainer

VARIANTS = 64
"""So many, the task as it is among them: more than are learned within a budget have no use."""

ROWS_CPU, ROWS_GPU = 8, 128
SETTINGS = {
    "ema": 0.97,
    "ema_warmup": True,
    "final_lr": 1.0,
    "warmup": 0.0,
    "clip": 1.0,
    "exploration": 0.0,
}
"""What is other than in the paper's training."""


def examples_of(task: ArcTask, seed: int) -> OfficialExamples:
    """The task's demonstrations in all its variants; nothing is held out."""
    views = draw_variants(task, VARIANTS - 1, np.random.default_rng(seed))
    learned = tuple(
        Example(0, pair.input, pair.output)
        for pair in task.demonstrations
        if pair.output is not None
    )
    return OfficialExamples(  # without a blank row
        (task,),
        learned,
        (),
        np.array([0, len(views)]),
        np.array([view.symmetry for view in views], np.uint8),
        np.array([view.colours for view in views], np.uint8),
    )


def adapt_table(
    model: TinyRecursiveModel,
    task: ArcTask,
    placement: Placement,
    seconds: float,
    steps: int | None,
    seed: int,
    report: Callable[[Adapting], None],
    stop: Callable[[], bool],
) -> tuple[TinyRecursiveModel, Sequence[Augmentation], Adapting]:
    """Learn within the budget: the network whose table has a row for each of the variants, and how it ended.

    ``model`` has some rows of the table, of which the mean is taken. At least one step is made.
    """
    begun, examples = time.monotonic(), examples_of(task, seed)
    start = new_puzzles(model, examples.num_puzzles)
    config = start.config
    paper = find_recipe("arc", "paper").to_dict() | {"config": config.to_dict()} | SETTINGS
    rows = ROWS_CPU if placement.device.type == "cpu" else ROWS_GPU
    recipe = Recipe.from_dict(paper | {"batch_size": rows})
    trainer = Trainer(recipe, placement.device, placement.dtype)
    trainer.begin_with(start)
    torch.manual_seed(seed)
    sampler, ended, loss = (
        OfficialSampler(examples, placement.device, rows=rows, seed=seed),
        "",
        float("nan"),
    )
    for step in count():
        spent = time.monotonic() - begun
        if step and stop():
            ended = "interrupted"
        elif step and (step >= steps if steps is not None else spent >= seconds):
            ended = "budget" if steps is None else "steps"
        adapting = Adapting(task, step, spent, seconds, loss, None, ended)
        if step:
            report(adapting)
        if ended:
            break
        loss = float(trainer.step(sampler).tokens.detach()) / rows
    learned = TinyRecursiveModel(config, placement.dtype)
    learned.load_state_dict(trainer.ema.state_dict(trainer.model))
    return (
        learned.to(placement.device).eval(),
        [examples.variant(row) for row in range(examples.num_puzzles)],
        adapting,
    )
