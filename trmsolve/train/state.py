"""The state of a run as tensors and plain numbers, to the bit, and how it is put back.

It has three parts: the network with its average (``model.``, ``ema.``), what the optimizers
remember (``optimizer.``), and the random number generators (``chance.<rank>.rng.``). What a
particular kind of training adds, such as the pool of puzzles, is its own. Knows no files.
"""

import contextlib
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.optim import Optimizer

from trmsolve.distributed import ProcessGroup
from trmsolve.errors import CheckpointError, TrainingError
from trmsolve.model.network import TinyRecursiveModel
from trmsolve.train.optim import EMA

Named = Iterable[tuple[str, nn.Parameter]]
"""Parameters by name, as a module's ``named_parameters()`` gives them."""


def network_state(
    model: TinyRecursiveModel, ema: EMA, optimizers: list[Optimizer]
) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """Tensors named ``model.``, ``ema.`` and ``optimizer.``, and numbers.

    Raises TrainingError if a weight is not finite.
    """
    if not all(torch.isfinite(parameter).all() for parameter in model.parameters()):
        raise TrainingError("the weights are no longer finite")
    tensors, numbers = optimizer_state(optimizers, model.named_parameters())
    for name, tensor in model.state_dict().items():
        tensors[f"model.{name}"] = tensor
    for name, tensor in ema.shadow.items():
        tensors[f"ema.{name}"] = tensor
    return tensors, {"optimizer": numbers, "ema_updates": ema.updates}


def restore_network(
    model: TinyRecursiveModel,
    ema: EMA,
    optimizers: list[Optimizer],
    tensors: dict[str, Tensor],
    numbers: dict[str, Any],
) -> None:
    """Put back what ``network_state`` gave. Other names are ignored.

    Raises CheckpointError for another network.
    """
    try:
        model.load_state_dict(under("model.", tensors))
        ema.load_shadow(under("ema.", tensors), int(numbers["ema_updates"]))
        restore_optimizers(optimizers, model.named_parameters(), tensors, numbers["optimizer"])
    except (RuntimeError, KeyError) as error:
        raise recipe_mismatch(error) from None


def under(prefix: str, tensors: dict[str, Tensor]) -> dict[str, Tensor]:
    """The tensors whose names begin with ``prefix``, which is left out of their names."""
    found = {}
    for name, tensor in tensors.items():
        if name.startswith(prefix):
            found[name.removeprefix(prefix)] = tensor
    return found


@contextlib.contextmanager
def reading_state(path: Path) -> Iterator[None]:
    """Surrounds code that reads the state of the checkpoint at ``path``.

    Raises CheckpointError if the state has another shape than that code expects.
    """
    try:
        yield
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        problem = (
            f"missing {error}" if isinstance(error, KeyError) else " ".join(str(error).split())
        )
        advice = "resume it with the version of trmsolve that wrote it, or start a new run"
        raise CheckpointError(
            f"{path}: this version of trmsolve cannot read its state ({problem}): {advice}"
        ) from None


def recipe_mismatch(error: Exception) -> CheckpointError:
    """The error for a checkpoint of another recipe."""
    return CheckpointError(f"the checkpoint does not match its recipe: {error}")


# Optimizers


def optimizer_state(
    optimizers: list[Optimizer], named: Named
) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """What the optimizers remember of each parameter, as tensors (not copied) and as numbers.

    Keys are such as ``optimizer.0.<parameter>.exp_avg``. The settings of the optimizers' groups are
    left out: they follow from the recipe.
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
    """Put back copies of what ``optimizer_state`` gave. Other keys are ignored.

    Raises CheckpointError if a key or a shape is of no parameter that the optimizers have. The
    optimizers are then as they were.
    """
    parameters = dict(named)
    restored: list[dict[Tensor, dict[str, Any]]] = [{} for _ in optimizers]
    for key, value in {**tensors, **numbers}.items():
        if not key.startswith("optimizer."):
            continue
        index, parameter, field = _place(key, parameters, optimizers)
        if isinstance(value, Tensor):
            value = _fitted(key, value, parameter, _group(optimizers[index], parameter))
        restored[index].setdefault(parameter, {})[field] = value
    for optimizer, states in zip(optimizers, restored, strict=True):
        optimizer.state.clear()
        optimizer.state.update(states)


def _place(
    key: str, parameters: dict[str, nn.Parameter], optimizers: list[Optimizer]
) -> tuple[int, nn.Parameter, str]:
    """Where the value of ``key`` belongs: index of the optimizer, parameter, and field."""
    digits, _, rest = key.removeprefix("optimizer.").partition(".")
    name, _, field = rest.rpartition(".")
    parameter = parameters.get(name)
    index = int(digits) if re.fullmatch("[0-9]{1,3}", digits) else len(optimizers)
    unknown = parameter is None or index >= len(optimizers)
    if parameter is None or unknown or _group(optimizers[index], parameter) is None:
        raise CheckpointError(
            f"the checkpoint belongs to another network or recipe: there is no parameter for {key}"
        )
    return index, parameter, field


def _group(optimizer: Optimizer, parameter: nn.Parameter) -> dict[str, Any] | None:
    """The optimizer's group that has the parameter; None if it has no such parameter."""
    for group in optimizer.param_groups:
        if any(parameter is one for one in group["params"]):
            found: dict[str, Any] = group
            return found
    return None


def _fitted(
    key: str, value: Tensor, parameter: nn.Parameter, group: dict[str, Any] | None
) -> Tensor:
    """A copy of ``value`` on the device where the optimizer wants it."""
    if value.shape not in (parameter.shape, ()):
        raise CheckpointError(
            f"the checkpoint belongs to another network: {key} has shape {tuple(value.shape)}"
        )
    # Torch counts steps on the CPU, unless the update itself runs where the parameter is.
    updates_there = group is not None and (group.get("capturable") or group.get("fused"))
    on_cpu = key.endswith(".step") and not updates_there
    return value.to("cpu" if on_cpu else parameter.device, copy=True)


# Random numbers


def rng_state() -> dict[str, Tensor]:
    """The state of torch's random number generators in use, uint8 each.

    Names are ``rng.cpu``, ``rng.cuda.0`` and so on, ``rng.mps``.
    """
    states = {"rng.cpu": torch.get_rng_state()}
    if torch.cuda.is_initialized():
        for index, state in enumerate(torch.cuda.get_rng_state_all()):
            states[f"rng.cuda.{index}"] = state
    if torch.backends.mps.is_available():
        states["rng.mps"] = torch.mps.get_rng_state()
    return states


def restore_rng(tensors: dict[str, Tensor]) -> None:
    """Put back what ``rng_state`` gave, for the devices that are here. Other keys are ignored.

    Raises CheckpointError for tensors that are no such state.
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
            f"the checkpoint has no valid state of the random number generators: {error}"
        ) from None


def gather_rng(group: ProcessGroup, device: torch.device) -> dict[str, Tensor]:
    """``rng_state`` of all processes, named ``chance.<rank>.rng.``. Every process must call it.

    ``device`` is where the processes can exchange tensors.
    """
    tensors = {}
    for name, own in rng_state().items():
        for rank, state in enumerate(group.gather(own[None].to(device))):
            tensors[f"chance.{rank}.{name}"] = state
    return tensors


def restore_own_rng(group: ProcessGroup, tensors: dict[str, Tensor]) -> None:
    """Put back this process's part of what ``gather_rng`` gave.

    A process that was not there then keeps the random numbers it has.
    """
    own = under(f"chance.{group.rank}.", tensors)
    if own:
        restore_rng(own)


def forked_rng(device: torch.device) -> Any:
    """A context in which random draws leave the run's random numbers as they are."""
    devices = [device] if device.type == "cuda" else []
    return torch.random.fork_rng(devices=devices)
