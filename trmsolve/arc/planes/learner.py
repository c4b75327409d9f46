"""Learning from episodes: batches of grids of one size, a step of the optimizers after each cycle.

The grids of ARC have many sizes, so that there is no pool whose rows are replaced one by one.
Instead a batch is taken, improved for a few cycles as in the paper's pseudocode, and left. Networks
are trained on many tasks in this way, and adapted to one.

Knows the network, loss and optimizers; nothing of tasks, files, clocks or votes.
"""

import numpy as np
import torch

from trmsolve.arc.planes.batches import Episode
from trmsolve.errors import TrainingError
from trmsolve.model.network import State, TinyRecursiveModel
from trmsolve.model.planes import PlanesBlock, PlanesModel
from trmsolve.train.loss import Loss, LossSettings, trm_loss
from trmsolve.train.optim import EMA, make_optimizers, step_all
from trmsolve.train.recipes import Recipe

LONGEST = 8
"""Cycles of an episode, at most."""


def draw_cycles(rng: np.random.Generator, go_on: float, least: int = 1) -> int:
    """How many cycles an episode lasts: ``least``, and again one more with probability ``go_on``.

    Episodes of several cycles teach the network to go on from its own answer.
    """
    return int(min(least - 1 + rng.geometric(1 - go_on), LONGEST))


def compile_blocks(model: TinyRecursiveModel) -> None:
    """Have torch compile what is most of a block's work besides its convolution.

    It is compiled once for grids of all sizes.
    """
    for block in model.L_level.layers:
        assert isinstance(block, PlanesBlock)
        block.compiled = True


class Learner:
    """A network that learns: its optimizers, its averaged weights, and the episode under way."""

    def __init__(self, model: TinyRecursiveModel, recipe: Recipe) -> None:
        assert isinstance(model, PlanesModel)
        self.model = model
        self.recipe = recipe
        self.ema = EMA(model, recipe.ema, recipe.ema_warmup)
        self.optimizers = make_optimizers(model, recipe)
        self.dense = [
            p for name, p in model.named_parameters() if not name.startswith("puzzle_emb.")
        ]
        self.state: State | None = None

    def begin(self, episode: Episode) -> None:
        """Take up an episode from the start."""
        tokens, palette = episode.batch.tokens, episode.batch.palette
        self.episode = episode
        self.state = self.model.initial_state(
            len(tokens), spatial_shape=(palette.shape[1], *tokens.shape[1:])
        )

    def step(self, factor: float = 1.0) -> Loss:
        """One cycle of the episode, and one step of the optimizers at ``factor`` of their rates.

        Raises:
            TrainingError: If the loss is not finite, before anything is learned from it.
        """
        assert self.state is not None
        recipe = self.recipe
        self.state, prediction = self.model.cycle(self.state, self.episode.batch)
        settings = LossSettings(recipe.loss, recipe.smoothing, recipe.halt_weight)
        loss = trm_loss(prediction, self.episode.labels, settings)
        if not torch.isfinite(loss.total):
            raise TrainingError("the loss is no longer finite")
        (loss.total / len(self.episode.labels)).backward()
        if recipe.clip is not None:
            torch.nn.utils.clip_grad_norm_(self.dense, recipe.clip)
        step_all(self.optimizers, factor)
        self.ema.update(self.model)
        return loss
