"""One training step: refill the pool, improve all its puzzles by one cycle, learn from it.

Connects the network, pool, loss, optimizers and moving average of one run. Knows neither data files
nor clocks, and writes nothing: all that a run must carry over a stop goes in and out as tensors.
"""

from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Any

import torch
from torch import Tensor

from trmsolve.distributed import ProcessGroup
from trmsolve.errors import TrainingError
from trmsolve.model.build import new_model
from trmsolve.model.network import Prediction, State, TinyRecursiveModel
from trmsolve.solve.feedback import LatticeQuestion, Teaching
from trmsolve.train.loss import Loss, LossSettings, lattice_loss, trm_loss
from trmsolve.train.optim import EMA, make_optimizers, step_all
from trmsolve.train.pool import Pool, SampleFn
from trmsolve.train.recipes import Recipe
from trmsolve.train.schedule import depth, lr_factor
from trmsolve.train.state import network_state, recipe_mismatch, restore_network, under

Phase = Callable[[str], AbstractContextManager[object]]
"""Entered around each part of a step, by the name of the part."""


def unwatched(name: str) -> AbstractContextManager[object]:  # noqa: ARG001 (a Phase)
    """The phase of a run that nobody profiles: nothing."""
    return nullcontext()


class Trainer:
    """Model, optimizers, pool and average of one run.

    ``step`` is one improvement cycle of the whole pool. In a ``group`` of several processes each
    has its share of the recipe's batch, and the gradients are those of all. A profiler may set
    ``phase`` to be told in which part of a step time is spent.
    """

    def __init__(
        self,
        recipe: Recipe,
        device: torch.device,
        dtype: torch.dtype,
        compiled: bool = False,
        group: ProcessGroup = ProcessGroup(),  # noqa: B008 (frozen)
    ) -> None:
        self.recipe = recipe
        self.device = device
        self.group = group
        self.phase: Phase = unwatched
        self.model = new_model(recipe.config, dtype).to(device)
        if compiled:
            # One graph each for with and without gradient, for z, y and the first step: more than
            # dynamo's default.
            torch._dynamo.config.recompile_limit = 32
            self.model.L_level.compile(dynamic=False)
        table = [name for name, _ in self.model.table_parameters()]
        self.network = group.wrap(self.model, device, sparse=table)
        self.ema = EMA(self.model, recipe.ema, recipe.ema_warmup)
        self.pool = Pool(self.model, group.share(recipe.batch_size), device, recipe.max_cycles)
        self.optimizers = make_optimizers(self.model, recipe)
        self.teaching = Teaching(
            teacher_forcing=recipe.teacher_forcing,
            guess_prob=recipe.guess_prob,
            temperature=recipe.temperature,
            elimination_threshold=recipe.elimination_threshold,
            drop_inconsistent=recipe.drop_inconsistent,
        )

    def init_from(self, model: TinyRecursiveModel) -> None:
        """Take over the weights of ``model``, whose shapes must be the recipe's."""
        self.model.load_state_dict(model.state_dict())
        self.ema = EMA(self.model, self.recipe.ema, self.recipe.ema_warmup)

    def step(self, offer: SampleFn, done: float | None = None) -> Loss:
        """One step at the fraction ``done`` of the run; None is at full rate and depth.

        Raises TrainingError if the loss is not finite, before anything is learned from it.
        """
        factor = 1.0
        if done is not None:
            factor = lr_factor(self.recipe, done)
            self.model.recursions, self.model.latent_steps = depth(self.recipe, done)
        with self.phase("pool refill"):
            self.pool.refill(offer)
        batch = self.pool.batch
        targets = self.pool.current_targets()
        state, prediction = self.network(self.pool.state, batch.tokens, batch.puzzle_ids)
        with self.phase("loss"):
            loss = self.loss(prediction, targets)
        if any(self.group.highest([not torch.isfinite(loss.total)])):
            raise TrainingError("the loss is no longer finite")
        (loss.total / len(batch.tokens)).backward()
        self._learn(factor)
        self._advance(state, prediction, targets)
        return loss

    def loss(self, prediction: Prediction, targets: Tensor) -> Loss:
        """The loss of the prediction, which was to be ``targets`` (B, S)."""
        recipe = self.recipe
        batch = self.pool.batch
        settings = LossSettings(
            recipe.loss, recipe.smoothing, recipe.halt_weight, recipe.conflict_weight
        )
        feedback = self.pool.feedback
        if isinstance(feedback, LatticeQuestion):
            return lattice_loss(
                prediction, batch.tokens, batch.labels, feedback.candidates(batch.tokens), settings
            )
        return trm_loss(prediction, targets, settings, answers=batch.labels)

    def _learn(self, factor: float) -> None:
        """One step of the optimizers at this factor of their rates."""
        for _, parameter in self.model.table_parameters():
            if parameter.grad is not None:
                parameter.grad = self.group.sparse_mean(parameter.grad)
        if self.recipe.clip is not None:
            dense = [parameter for _, parameter in self.model.network_parameters()]
            torch.nn.utils.clip_grad_norm_(dense, self.recipe.clip)
        step_all(self.optimizers, factor)
        with self.phase("ema update"):
            self.ema.update(self.model)

    def _advance(self, state: State, prediction: Prediction, targets: Tensor) -> None:
        """Let rows halt, and put the questions of the next cycle."""
        halt = prediction.halt.detach()[:, 0]
        with self.phase("pool advance"):
            self.pool.advance(state, halt, self.recipe.exploration)
        with self.phase(f"pool {self.pool.feedback.verb}"):
            self.pool.ask_next(prediction, targets, self.teaching)

    def state(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """All that the next steps depend on besides data and chance: tensors, and plain numbers.

        The tensors have the rows of every process.
        """
        tensors, numbers = network_state(self.model, self.ema, self.optimizers)
        for name, tensor in self.pool.state_dict().items():
            tensors[f"pool.{name}"] = self.group.gather(tensor)
        return tensors, numbers

    def restore(self, tensors: dict[str, Tensor], numbers: dict[str, Any]) -> None:
        """Go on where ``state`` was taken. Raises CheckpointError if it is of another recipe."""
        restore_network(self.model, self.ema, self.optimizers, tensors, numbers)
        pool = {name: self.group.part(tensor) for name, tensor in under("pool.", tensors).items()}
        try:
            self.pool.load_state_dict(pool)
        except (RuntimeError, KeyError) as error:
            raise recipe_mismatch(error) from None
