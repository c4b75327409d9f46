"""Optimizers and the moving average.

Muon for matrices with AdamW for the rest, the paper's AdamATan2, and sign-SGD for the table of
puzzle embeddings. Knows parameters and gradients; nothing of puzzles, pools or clocks.
"""

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from trmsolve.model.network import TinyRecursiveModel
from trmsolve.train.recipes import Recipe


class AdamATan2(Optimizer):
    """Adam with decoupled decay, and atan2 in place of the division (arXiv 2407.05872).

    It therefore needs no epsilon.
    """

    def __init__(
        self,
        params: Iterable[Any],
        lr: float,
        betas: tuple[float, float] = (0.9, 0.95),
        weight_decay: float = 1.0,
    ) -> None:
        super().__init__(params, {"lr": lr, "betas": betas, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]  # noqa: ARG002
        """One update of every parameter that has a gradient."""
        for group in self.param_groups:
            for parameter in group["params"]:
                if parameter.grad is not None:
                    self._update(parameter, parameter.grad, group)

    def _update(self, parameter: Tensor, gradient: Tensor, group: dict[str, Any]) -> None:
        lr = group["lr"]
        b1, b2 = group["betas"]
        state = self.state[parameter]
        if not state:
            state["step"] = 0
            state["m"] = torch.zeros_like(parameter)
            state["v"] = torch.zeros_like(parameter)
        state["step"] += 1
        state["m"].lerp_(gradient, 1 - b1)
        state["v"].lerp_(gradient.square(), 1 - b2)
        parameter.mul_(1 - lr * group["weight_decay"])
        denominator = (state["v"] / (1 - b2 ** state["step"])).sqrt()
        direction = torch.atan2(state["m"], denominator)
        parameter.sub_(direction, alpha=lr / (1 - b1 ** state["step"]))


class SignSGD(Optimizer):
    """The sign of the gradient, for tables of which a batch touches few rows.

    Only the touched rows move and decay.
    """

    def __init__(self, params: Iterable[Any], lr: float, weight_decay: float = 1.0) -> None:
        super().__init__(params, {"lr": lr, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]  # noqa: ARG002
        """One update of the touched rows, after adding up the gradients of each."""
        for group in self.param_groups:
            lr = group["lr"]
            for table in group["params"]:
                if table.grad is None:
                    continue
                gradient = table.grad.coalesce()
                rows = gradient.indices()[0]
                decayed = table[rows] * (1 - lr * group["weight_decay"])
                table[rows] = decayed - lr * gradient.values().sign()


def split_parameters(
    model: TinyRecursiveModel,
) -> tuple[list[nn.Parameter], list[nn.Parameter], list[nn.Parameter]]:
    """The matrices of the blocks; embeddings, heads and biases; the table of puzzle embeddings."""
    matrices: list[nn.Parameter] = []
    rest: list[nn.Parameter] = []
    for name, parameter in model.network_parameters():
        is_matrix = name.startswith("L_level.") and parameter.ndim == 2
        if is_matrix:
            matrices.append(parameter)
        else:
            rest.append(parameter)
    table = [parameter for _, parameter in model.table_parameters()]
    return matrices, rest, table


def make_optimizers(model: TinyRecursiveModel, recipe: Recipe) -> list[Optimizer]:
    """The optimizers of a recipe.

    ``recipe.optimizer`` is for the matrices of the blocks. Embeddings, heads and biases have AdamW
    with the rates ``head_*``; "adam_atan2" takes all of them together, as the paper does. The table
    of puzzle embeddings has sign-SGD with ``table_*``. Each group remembers its ``base_lr`` for the
    schedule.
    """
    matrices, rest, table = split_parameters(model)
    lr = recipe.lr
    decay = recipe.weight_decay
    optimizers: list[Optimizer] = []
    if recipe.optimizer == "adam_atan2":
        optimizers.append(AdamATan2(matrices + rest, lr=lr, weight_decay=decay))
    else:
        groups: list[dict[str, Any]] = [
            {"params": rest, "lr": recipe.head_lr, "weight_decay": recipe.head_weight_decay}
        ]
        if recipe.optimizer == "muon":
            optimizers.append(_muon(matrices, lr, decay))
        else:
            groups.append({"params": matrices, "lr": lr, "weight_decay": decay})
        optimizers.append(torch.optim.AdamW(groups, betas=(0.9, 0.95)))
    if table:
        table_decay = recipe.table_weight_decay
        optimizers.append(SignSGD(table, lr=recipe.table_lr, weight_decay=table_decay))
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["base_lr"] = group["lr"]
    return optimizers


def _muon(matrices: list[nn.Parameter], lr: float, weight_decay: float) -> Optimizer:
    return torch.optim.Muon(
        matrices,
        lr=lr,
        weight_decay=weight_decay,
        momentum=0.95,
        nesterov=True,
        adjust_lr_fn="original",
    )


def step_all(optimizers: Iterable[Optimizer], factor: float) -> None:
    """One step of each at this factor of its rates, after which no gradients are left."""
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["lr"] = group["base_lr"] * factor
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)


class EMA:
    """A moving average of the trained parameters.

    The table of puzzles and the fixed starts are not averaged. With ``warmup`` the average forgets
    the first steps: after n of them the decay is at most (1 + n) / (10 + n).
    """

    def __init__(self, model: TinyRecursiveModel, decay: float, warmup: bool = False) -> None:
        self.decay = decay
        self.warmup = warmup
        self.updates = 0
        self.shadow: dict[str, Tensor] = {}
        for name, parameter in model.network_parameters():
            self.shadow[name] = parameter.detach().clone()

    @torch.no_grad()
    def update(self, model: TinyRecursiveModel) -> None:
        """Shadow = decay * shadow + (1 - decay) * parameter, beginning with the initial weights."""
        self.updates += 1
        decay = self.decay
        if self.warmup:
            decay = min(decay, (1 + self.updates) / (10 + self.updates))
        for name, parameter in model.network_parameters():
            self.shadow[name].lerp_(parameter, 1 - decay)

    def state_dict(self, model: TinyRecursiveModel) -> dict[str, Tensor]:
        """The model's tensors with the averaged ones in place of the raw."""
        return {**model.state_dict(), **self.shadow}

    def load_shadow(self, tensors: dict[str, Tensor], updates: int) -> None:
        """Go on from a kept ``shadow``. Raises KeyError or RuntimeError for another model's."""
        for name, average in self.shadow.items():
            average.copy_(tensors[name])
        self.updates = updates
