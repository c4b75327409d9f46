"""What a network under training is to the bit: weights, average and the optimizers' memory, out and in as tensors.

Knows no files, no data and no chance.
"""

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

from trmsolve.errors import CheckpointError, TrainingError
from trmsolve.model import TinyRecursiveModel
from trmsolve.train.checkpoint import optimizer_state, restore_optimizers
from trmsolve.train.optim import EMA


def network_state(
    model: TinyRecursiveModel, ema: EMA, optimizers: list[Optimizer]
) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Tensors named ``model.``, ``ema.`` and ``optimizer.``, and numbers. TrainingError if a weight is not finite."""
    if not all(torch.isfinite(parameter).all() for parameter in model.parameters()):
        raise TrainingError("the weights are no longer finite")
    tensors, numbers = optimizer_state(optimizers, model.named_parameters())
    tensors |= {f"model.{name}": tensor for name, tensor in model.state_dict().items()}
    tensors |= {f"ema.{name}": tensor for name, tensor in ema.shadow.items()}
    return tensors, {"optimizer": numbers, "ema_updates": ema.updates}


def restore_network(
    model: TinyRecursiveModel,
    ema: EMA,
    optimizers: list[Optimizer],
    tensors: dict[str, Tensor],
    numbers: dict[str, Any],
) -> None:
    """Put back what ``network_state`` gave; other names are passed over. Raises CheckpointError for another network."""
    try:
        model.load_state_dict(under("model.", tensors))
        ema.load_shadow(under("ema.", tensors), int(numbers["ema_updates"]))
        restore_optimizers(optimizers, model.named_parameters(), tensors, numbers["optimizer"])
    except (RuntimeError, KeyError) as error:
        raise misfit(error) from None


def under(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Those whose name begins so, without it."""
    return {name.removeprefix(prefix): tensor for name, tensor in tensors.items() if name.startswith(prefix)}


@contextlib.contextmanager
def reading_state(path: Path) -> Iterator[None]:
    """Around code that reads the state of the checkpoint ``path``: CheckpointError where that has another shape."""
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        problem = f"no {error}" if isinstance(error, KeyError) else " ".join(str(error).split())
        hint = "resume with the trmsolve that wrote it, or begin a new run"
        raise CheckpointError(f"{path}: its state is not one that this trmsolve reads ({problem}): {hint}") from None


def misfit(error: Exception) -> CheckpointError:
    """What a checkpoint of another recipe is told as."""
    return CheckpointError(f"the checkpoint does not fit its recipe: {error}")
