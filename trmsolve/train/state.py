"""What a network under training is to the bit: weights, average and the optimizers' memory, out and in as tensors.

Knows no files, no data and no chance.
"""

import contextlib
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from trmsolve.errors import CheckpointError, TrainingError
from trmsolve.model.network import TinyRecursiveModel
from trmsolve.train.checkpoint import _reason
from trmsolve.train.optim import EMA


def network_state(
    model: TinyRecursiveModel, ema: EMA, optimizers: list[Optimizer]
) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Tensors named ``model.``, ``ema.`` and ``optimizer.``, and numbers.

    TrainingError if a weight is not finite.
    """
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
    """Put back what ``network_state`` gave; other names are passed over.

    Raises CheckpointError for another network.
    """
    try:
        model.load_state_dict(under("model.", tensors))
        ema.load_shadow(under("ema.", tensors), int(numbers["ema_updates"]))
        restore_optimizers(optimizers, model.named_parameters(), tensors, numbers["optimizer"])
    except (RuntimeError, KeyError) as error:
        raise misfit(error) from None


def under(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """Those whose name begins so, without it."""
    return {
        name.removeprefix(prefix): tensor
        for name, tensor in tensors.items()
        if name.startswith(prefix)
    }


@contextlib.contextmanager
def reading_state(path: Path) -> Iterator[None]:
    """Around code that reads the state of the checkpoint ``path``: CheckpointError where that has another shape."""
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        problem = f"no {error}" if isinstance(error, KeyError) else " ".join(str(error).split())
        hint = "resume with the trmsolve that wrote it, or begin a new run"
        raise CheckpointError(
            f"{path}: its state is not one that this trmsolve reads ({problem}): {hint}"
        ) from None


def misfit(error: Exception) -> CheckpointError:
    """What a checkpoint of another recipe is told as."""
    return CheckpointError(f"the checkpoint does not fit its recipe: {error}")


def _own_chance(device: torch.device) -> Any:
    """In it nothing that is drawn is taken from the run's chance."""
    return torch.random.fork_rng(devices=[device] if device.type == "cuda" else [])


Named = Iterable[tuple[str, nn.Parameter]]  # as a module's named_parameters() gives them


def optimizer_state(
    optimizers: list[Optimizer], named: Named
) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """What the optimizers remember of each parameter, as tensors (not copied) and as numbers for the JSON.

    Keys are ``optimizer.0.<parameter>.exp_avg``. The settings of their groups are not in it: those
    are the recipe's.
    """
    names: dict[Tensor, str] = {parameter: name for name, parameter in named}
    tensors: dict[str, Tensor] = {}
    numbers: dict[str, Any] = {}
    for index, optimizer in enumerate(optimizers):
        for parameter, fields in optimizer.state.items():
            for field, value in fields.items():
                key = f"optimizer.{index}.{names[parameter]}.{field}"
                if isinstance(value, Tensor):
                    tensors[key] = value
                else:
                    numbers[key] = value
    return tensors, numbers


def restore_optimizers(
    optimizers: list[Optimizer], named: Named, tensors: dict[str, Tensor], numbers: dict[str, Any]
) -> None:
    """Put back what ``optimizer_state`` gave, copied; other keys are passed over.

    Raises CheckpointError, with the optimizers as they were, if a key or a shape is of no parameter
    they have.
    """
    names = dict(named)
    groups = [{p: group for group in o.param_groups for p in group["params"]} for o in optimizers]
    restored: list[dict[Tensor, dict[str, Any]]] = [{} for _ in optimizers]
    for key, value in {**tensors, **numbers}.items():
        if not key.startswith("optimizer."):
            continue
        index, _, rest = key.removeprefix("optimizer.").partition(".")
        name, _, field = rest.rpartition(".")
        parameter = names.get(name)
        place = int(index) if re.fullmatch("[0-9]{1,3}", index) else len(optimizers)
        if parameter is None or place >= len(optimizers) or parameter not in groups[place]:
            raise CheckpointError(
                f"the checkpoint is of another network or recipe: nothing here has {key}"
            )
        if isinstance(value, Tensor):
            if value.shape not in (parameter.shape, ()):
                raise CheckpointError(
                    f"the checkpoint is of another network: {key} has shape {tuple(value.shape)}"
                )
            # Torch counts steps on the CPU, unless the update itself runs where the parameter is.
            group = groups[place][parameter]
            on_cpu = field == "step" and not (group.get("capturable") or group.get("fused"))
            value = value.to("cpu" if on_cpu else parameter.device, copy=True)
        restored[place].setdefault(parameter, {})[field] = value
    for optimizer, states in zip(optimizers, restored, strict=True):
        optimizer.state.clear()
        optimizer.state.update(states)


def rng_state() -> dict[str, Tensor]:
    """The state of torch's random number generators in use, uint8 each: ``rng.cpu``, ``rng.cuda.0``, ``rng.mps``."""
    states = {"rng.cpu": torch.get_rng_state()}
    if torch.cuda.is_initialized():
        states |= {
            f"rng.cuda.{index}": state for index, state in enumerate(torch.cuda.get_rng_state_all())
        }
    if torch.backends.mps.is_available():
        states["rng.mps"] = torch.mps.get_rng_state()
    return states


def restore_rng(tensors: dict[str, Tensor]) -> None:
    """Put back what ``rng_state`` gave, of the devices that are here; other keys are passed over.

    Raises CheckpointError for what is no such state.
    """
    try:
        torch.set_rng_state(tensors["rng.cpu"])
        for index in range(torch.cuda.device_count()):
            if (state := tensors.get(f"rng.cuda.{index}")) is not None:
                torch.cuda.set_rng_state(state, index)
        if "rng.mps" in tensors and torch.backends.mps.is_available():
            torch.mps.set_rng_state(tensors["rng.mps"])
    except (KeyError, TypeError, RuntimeError) as error:
        raise CheckpointError(
            f"the checkpoint has no state of the random numbers: {_reason(error)}"
        ) from None
