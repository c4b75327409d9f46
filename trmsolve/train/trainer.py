"""One training step: refill the pool, one improvement cycle of all its puzzles, learn from it.

Connects network, pool, loss, optimizers and moving average of one run. Knows neither data files nor
clocks, and writes nothing: all that a run must carry over a stop goes in and out as tensors.
"""

from typing import Any

import torch
from torch import Tensor

from trmsolve.errors import TrainingError
from trmsolve.model.network import Prediction, State, TinyRecursiveModel
from trmsolve.train.distributed import World
from trmsolve.train.loss import Loss, lattice_loss, lost, trm_loss
from trmsolve.train.optim import EMA, make_optimizers, step_all
from trmsolve.train.plan import depth, lr_factor
from trmsolve.train.pool import Offer, Pool
from trmsolve.train.recipes import Recipe
from trmsolve.train.state import misfit, network_state, restore_network, under


class Trainer:
    """Model, optimizers, pool and average of one run; ``step`` is one improvement cycle of the whole pool.

    In a ``world`` of several processes each has its share of the recipe's batch, and the gradients
    are those of all.
    """

    def __init__(
        self,
        recipe: Recipe,
        device: torch.device,
        dtype: torch.dtype,
        compiled: bool = False,
        world: World = World(),  # noqa: B008 (frozen)
    ) -> None:
        self.recipe, self.device, self.world = recipe, device, world
        self.model = TinyRecursiveModel(recipe.config, dtype).to(device)
        if compiled:
            # One graph each for with and without gradient, for z, y and the first step: more than
            # dynamo's default.
            torch._dynamo.config.recompile_limit = 32
            self.model.L_level.compile(dynamic=False)
        self.table = [
            (name, p) for name, p in self.model.named_parameters() if name.startswith("puzzle_emb.")
        ]
        self.network = world.wrap(self.model, device, sparse=[name for name, _ in self.table])
        self.ema = EMA(self.model, recipe.ema, recipe.ema_warmup)
        self.pool = Pool(self.model, world.share(recipe.batch_size), device, recipe.max_cycles)
        self.optimizers = make_optimizers(
            self.model,
            recipe.optimizer,
            recipe.lr,
            recipe.weight_decay,
            recipe.head_lr,
            recipe.head_weight_decay,
            recipe.table_lr,
            recipe.table_weight_decay,
        )

    def begin_with(self, model: TinyRecursiveModel) -> None:
        """Take over the weights of ``model``, whose shapes must be the recipe's."""
        self.model.load_state_dict(model.state_dict())
        self.ema = EMA(self.model, self.recipe.ema, self.recipe.ema_warmup)

    def step(self, offer: Offer, done: float | None = None) -> Loss:
        """One step at the fraction ``done`` of the run; None is at full rate and depth.

        Raises TrainingError if the loss is not finite, before anything is learned from it.
        """
        factor = 1.0
        if done is not None:
            factor = lr_factor(self.recipe, done)
            self.model.recursions, self.model.latent_steps = depth(self.recipe, done)
        self.pool.refill(offer)
        batch, due = self.pool.batch, self.pool.due()
        state, prediction = self.network(self.pool.state, batch.tokens, batch.puzzle_ids)
        loss = self.loss(prediction, due)
        if any(self.world.highest([not torch.isfinite(loss.total)])):
            raise TrainingError("the loss is no longer finite")
        (loss.total / len(batch.tokens)).backward()
        self._learn(factor)
        self._advance(state, prediction, due)
        return loss

    def loss(self, prediction: Prediction, due: Tensor) -> Loss:
        """What the pool's puzzles say to the prediction; ``due`` (B, S) is what was asked for."""
        batch, recipe, candidates = self.pool.batch, self.recipe, self.model.config.candidates
        if candidates > 1:
            return lattice_loss(
                prediction,
                batch.tokens,
                batch.labels,
                candidates,
                recipe.halt_weight,
                recipe.conflict_weight,
            )
        return trm_loss(
            prediction, due, recipe.loss, recipe.smoothing, recipe.halt_weight, answers=batch.labels
        )

    def _learn(self, factor: float) -> None:
        for _, parameter in self.table:
            if parameter.grad is not None:
                parameter.grad = self.world.sparse_mean(parameter.grad)
        if self.recipe.clip is not None:
            dense = [
                p for name, p in self.model.named_parameters() if not name.startswith("puzzle_emb.")
            ]
            torch.nn.utils.clip_grad_norm_(dense, self.recipe.clip)
        step_all(self.optimizers, factor)
        self.ema.update(self.model)

    def _advance(self, state: State, prediction: Prediction, due: Tensor) -> None:
        halt, recipe, batch = prediction.halt.detach(), self.recipe, self.pool.batch
        self.pool.advance(state, halt[:, 0], recipe.exploration)
        candidates = self.model.config.candidates
        if candidates > 1:
            # A lattice without its solution teaches nothing but that: those found out leave, the
            # others by chance.
            gone = lost(batch.tokens, batch.labels, candidates)
            unlucky = torch.rand(len(gone), device=self.device) < recipe.drop_inconsistent
            self.pool.abandon(gone & ((halt[:, 1] > 0) | unlucky))
            logits = prediction.logits.detach()
            self.pool.deduce(
                logits,
                recipe.guess_prob,
                recipe.temperature,
                recipe.teacher_forcing,
                recipe.elimination_threshold,
            )
        if self.model.config.rewrites:
            self.pool.rewrite(due, prediction.logits.detach(), recipe.teacher_forcing)

    def state(self) -> tuple[dict[str, Tensor], dict[str, Any]]:
        """All that the next steps depend on besides data and chance: tensors, and plain numbers.

        For every process.
        """
        tensors, numbers = network_state(self.model, self.ema, self.optimizers)
        tensors |= {
            f"pool.{name}": self.world.gather(tensor)
            for name, tensor in self.pool.state_dict().items()
        }
        return tensors, numbers

    def restore(self, tensors: dict[str, Tensor], numbers: dict[str, Any]) -> None:
        """Go on where ``state`` was taken. Raises CheckpointError if it is of another recipe."""
        restore_network(self.model, self.ema, self.optimizers, tensors, numbers)
        pool = {name: self.world.part(tensor) for name, tensor in under("pool.", tensors).items()}
        try:
            self.pool.load_state_dict(pool)
        except (RuntimeError, KeyError) as error:
            raise misfit(error) from None
