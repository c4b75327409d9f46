"""The network's weights: which there are, how they begin, and one long vector that holds them all.

They do not depend on the size of the task. An optimizer step over hundreds of small tensors costs
as much as the network itself, so that parameters are views of one vector.
"""

from collections.abc import Mapping, Sequence
from functools import cache

import torch
from torch import Tensor

from trmsolve.arc.compression.directions import tied_pairs
from trmsolve.arc.compression.lines import LOOKS
from trmsolve.arc.compression.operations import tied_groups
from trmsolve.arc.compression.ranks import SCANNED, TIED_RANKS, channels

LAYERS = 4

LATENT = 4
"""Channels of the latents."""

# Channels inside the parts of a layer, as in arXiv 2512.06104.
UP = 16
DOWN = 8
SOFTMAX = 2
HIDDEN = 16

IN_AND_OUT = 2
"""An example has two grids."""

Weights = dict[str, Tensor]
"""Weights by name: ``part`` or ``part rank``; those of layers have the layer as first axis.

Where several copies of the network learn together, the copies come before all other axes.
"""


def new_weights(seed: int) -> Weights:
    """Random weights; the same seed gives the same ones everywhere."""
    generator = torch.Generator().manual_seed(seed)
    weights = {}
    for name, (shape, scale) in _shapes().items():
        weights[name] = scale * torch.randn(shape, generator=generator)
    # Inputs and outputs are alike at first.
    weights["colours"][1] = weights["colours"][0]
    return weights


def stacked(copies: Sequence[Weights]) -> Weights:
    """The weights of several copies in one, (copies, ...) each."""
    first = copies[0]
    return {name: torch.stack([weights[name] for weights in copies]) for name in first}


def _shapes() -> dict[str, tuple[tuple[int, ...], float]]:
    """The shape of each weight, and the scale that it begins with."""
    shapes: dict[str, tuple[tuple[int, ...], float]] = {}
    for rank in TIED_RANKS:
        width = channels(rank)
        shapes[f"latents {rank}"] = (width, LATENT), LATENT**-0.5
        shapes[f"latents bias {rank}"] = (width, 1), LATENT**-0.5
        inside = {"up": (UP, UP), "down": (DOWN, DOWN), "hidden": (HIDDEN, HIDDEN)}
        inside["softmax"] = (SOFTMAX, SOFTMAX * (max(tied_groups(rank)) + 1))
        if rank in SCANNED:
            inside["lines"] = (LOOKS, LOOKS)
            shapes[f"lines bias {rank}"] = (LAYERS, LOOKS, 1), LOOKS**-0.5
        for part, (into, out_of) in inside.items():
            shapes[f"{part} in {rank}"] = (LAYERS, into, width), width**-0.5
            shapes[f"{part} out {rank}"] = (LAYERS, width, out_of), out_of**-0.5
        if "d" in rank:
            _, matrices = tied_pairs(rank)
            shapes[f"directions {rank}"] = (LAYERS, matrices, width, width), width**-0.5
    cells = channels("xyec")
    lines = channels("xe")
    shapes["colours"] = (IN_AND_OUT, cells), cells**-0.5
    shapes["colours bias"] = (IN_AND_OUT, 1), cells**-0.5
    shapes["extent"] = (IN_AND_OUT, lines), lines**-0.5
    shapes["extent bias"] = (IN_AND_OUT, 1), lines**-0.5
    return shapes


@cache
def softmax_columns(rank: str) -> Tensor:
    """The columns of ``softmax out`` for each channel of each group of ``softmax_over_axes``."""
    columns = []
    for number in tied_groups(rank):
        columns += [SOFTMAX * number + channel for channel in range(SOFTMAX)]
    return torch.tensor(columns)


class ParameterVector:
    """All parameters as views of one vector, with one vector of gradients.

    Attributes:
        values: The vector. It is what an optimizer changes.
        views: The parameters by name. Gradients of a loss are added up in ``values.grad``.
    """

    def __init__(self, initial: Mapping[str, Tensor]) -> None:
        """Copy the initial values."""
        size = sum(tensor.numel() for tensor in initial.values())
        self.values = torch.empty(size)
        gradients = torch.zeros(size)
        self.views: Weights = {}
        begin = 0
        for name, tensor in initial.items():
            end = begin + tensor.numel()
            view = self.values[begin:end].view(tensor.shape)
            view.copy_(tensor)
            view = view.detach().requires_grad_()
            view.grad = gradients[begin:end].view(tensor.shape)
            self.views[name] = view
            begin = end
        self.values.requires_grad_()
        self.values.grad = gradients

    def clear_gradients(self) -> None:
        """Set all gradients to zero, in place."""
        assert self.values.grad is not None
        self.values.grad.zero_()
