"""Optimizers: Muon for matrices with AdamW for the rest, the paper's AdamATan2 and sign-SGD, and the moving average.

Knows parameters and gradients; nothing of puzzles, pools or clocks.
"""

from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from trmsolve.model.network import TinyRecursiveModel


class AdamATan2(Optimizer):
    """Adam with atan2 in place of the division, so that no epsilon is needed (arXiv 2407.05872), decay decoupled."""

    def __init__(
        self,
        params: Iterable[Any],
        lr: float,
        betas: tuple[float, float] = (0.9, 0.95),
        weight_decay: float = 1.0,
    ) -> None:
        super().__init__(params, {"lr": lr, "betas": betas, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """One update of every parameter that has a gradient."""
        for group in self.param_groups:
            (b1, b2), lr = group["betas"], group["lr"]
            for p in group["params"]:
                if p.grad is None:
                    continue
                state = self.state[p]
                if not state:
                    state["step"], state["m"], state["v"] = (
                        0,
                        torch.zeros_like(p),
                        torch.zeros_like(p),
                    )
                state["step"] += 1
                state["m"].lerp_(p.grad, 1 - b1)
                state["v"].lerp_(p.grad.square(), 1 - b2)
                p.mul_(1 - lr * group["weight_decay"])
                denominator = (state["v"] / (1 - b2 ** state["step"])).sqrt()
                p.sub_(torch.atan2(state["m"], denominator), alpha=lr / (1 - b1 ** state["step"]))


class SignSGD(Optimizer):
    """Sign of the gradient, for tables of which a batch touches a few rows: those alone move and decay."""

    def __init__(self, params: Iterable[Any], lr: float, weight_decay: float = 1.0) -> None:
        super().__init__(params, {"lr": lr, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: Callable[[], float] | None = None) -> None:  # type: ignore[override]
        """One update of the touched rows; gradients of the same row have been summed by then."""
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is None:
                    continue
                grad = p.grad.coalesce()
                rows = grad.indices()[0]
                p[rows] = (
                    p[rows] * (1 - group["lr"] * group["weight_decay"])
                    - group["lr"] * grad.values().sign()
                )


def split_parameters(
    model: TinyRecursiveModel,
) -> tuple[list[nn.Parameter], list[nn.Parameter], list[nn.Parameter]]:
    """The matrices of the blocks; embeddings, heads and biases; the table of puzzle embeddings."""
    matrices: list[nn.Parameter] = []
    rest: list[nn.Parameter] = []
    table: list[nn.Parameter] = []
    for name, parameter in model.named_parameters():
        if name.startswith("puzzle_emb."):
            table.append(parameter)
        elif name.startswith("L_level.") and parameter.ndim == 2:
            matrices.append(parameter)
        else:
            rest.append(parameter)
    return matrices, rest, table


def make_optimizers(
    model: TinyRecursiveModel,
    kind: str,
    lr: float,
    weight_decay: float,
    head_lr: float,
    head_weight_decay: float,
    table_lr: float,
    table_weight_decay: float,
) -> list[Optimizer]:
    """The optimizers of a recipe. ``kind`` "muon", "adamw" or "adam_atan2" is for the matrices.

    ``head_*`` is for embeddings, heads and biases (not used by "adam_atan2", which takes all
    together as the paper does), ``table_*`` for the puzzle embeddings. Each group remembers its
    ``base_lr`` for the schedule.
    """
    matrices, rest, table = split_parameters(model)
    optimizers: list[Optimizer] = []
    if kind == "adam_atan2":
        optimizers.append(AdamATan2(matrices + rest, lr=lr, weight_decay=weight_decay))
    else:
        adamw = [{"params": rest, "lr": head_lr, "weight_decay": head_weight_decay}]
        if kind == "muon":
            muon = torch.optim.Muon(
                matrices,
                lr=lr,
                weight_decay=weight_decay,
                momentum=0.95,
                nesterov=True,
                adjust_lr_fn="original",
            )
            optimizers.append(muon)
        else:
            adamw.append({"params": matrices, "lr": lr, "weight_decay": weight_decay})
        optimizers.append(torch.optim.AdamW(adamw, betas=(0.9, 0.95)))
    if table:
        optimizers.append(SignSGD(table, lr=table_lr, weight_decay=table_weight_decay))
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["base_lr"] = group["lr"]
    return optimizers


def step_all(optimizers: Iterable[Optimizer], factor: float) -> None:
    """One step of each at this factor of its rates, after which no gradients are left."""
    for optimizer in optimizers:
        for group in optimizer.param_groups:
            group["lr"] = group["base_lr"] * factor
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)


class EMA:
    """A moving average of the trained parameters; the puzzle table and the fixed starts are taken as they are.

    With ``warmup`` the average forgets the first steps: after n of them the decay is at most (1 +
    n) / (10 + n).
    """

    def __init__(self, model: TinyRecursiveModel, decay: float, warmup: bool = False) -> None:
        self.decay, self.warmup, self.updates = decay, warmup, 0
        self.shadow = {name: p.detach().clone() for name, p in self._averaged(model)}

    @staticmethod
    def _averaged(model: TinyRecursiveModel) -> Iterable[tuple[str, nn.Parameter]]:
        return (
            (name, p) for name, p in model.named_parameters() if not name.startswith("puzzle_emb.")
        )

    @torch.no_grad()
    def update(self, model: TinyRecursiveModel) -> None:
        """Shadow = decay * shadow + (1 - decay) * parameter, beginning with the initial weights."""
        self.updates += 1
        decay = (
            min(self.decay, (1 + self.updates) / (10 + self.updates)) if self.warmup else self.decay
        )
        for name, parameter in self._averaged(model):
            self.shadow[name].lerp_(parameter, 1 - decay)

    def state_dict(self, model: TinyRecursiveModel) -> dict[str, Tensor]:
        """The model's tensors with the averaged ones in place of the raw."""
        return {**model.state_dict(), **self.shadow}

    def load_shadow(self, tensors: dict[str, Tensor], updates: int) -> None:
        """Go on from a kept ``shadow``. Raises KeyError or RuntimeError for another model's."""
        for name, average in self.shadow.items():
            average.copy_(tensors[name])
        self.updates = updates
