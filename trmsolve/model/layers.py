"""Matrices, norms and embeddings: the parts that all networks share.

Numerics follow the paper's public code. Knows the sizes in the config; nothing of recursion, states
or puzzles. Shape letters as in ``network``.
"""

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional

from trmsolve.model.config import TRMConfig


def trunc_normal(*shape: int, std: float) -> Tensor:
    """Numbers from a normal distribution cut at two sigma; after the cut its deviation is ``std``.

    It is widened before the cut to make up for what the cut takes away, as flax does for LeCun's
    initialisation.
    """
    # 2 * (pdf(-2) + pdf(2)) of the standard normal
    tail = math.sqrt(2 / math.pi) * math.exp(-2.0) * 2
    inside = math.erf(math.sqrt(2.0))
    wide = std / math.sqrt(1 - tail / inside)
    return nn.init.trunc_normal_(torch.empty(shape), std=wide, a=-2 * wide, b=2 * wide)


def rms_norm(h: Tensor, eps: float) -> Tensor:
    """Scale the last dimension to unit mean square, without a learned gain, computed in float32."""
    wide = h.float()
    mean_square = wide.square().mean(-1, keepdim=True)
    return (wide * torch.rsqrt(mean_square + eps)).to(h.dtype)


SLOTS_AT_ONCE = 2048
"""Slots of a small network whose activations fit into a core's own cache, with all that is computed
from them on the way."""


def in_slices(of_slots: Callable[[Tensor], Tensor], h: Tensor) -> Tensor:
    """Apply to all slots what treats each slot alone: (..., D) -> (..., D).

    A CPU computes some slots at a time, with the same result. What lies on the way then stays in
    the core's cache. For all slots of a large batch every operation would fetch fresh memory from
    the system, and norms and gates would take up to twice as long.
    """
    # A graph that is traced has no number of slots yet.
    if h.device.type != "cpu" or torch.compiler.is_compiling():
        return of_slots(h)
    slots = h.reshape(-1, h.shape[-1])
    if len(slots) <= SLOTS_AT_ONCE:
        return of_slots(h)
    slices = [of_slots(part) for part in slots.split(SLOTS_AT_ONCE)]
    return torch.cat(slices).view(h.shape)


class Linear(nn.Module):
    """A matrix kept in float32 and cast to the dtype of the activations at each call."""

    def __init__(self, fan_in: int, fan_out: int, bias: bool = False) -> None:
        super().__init__()
        self.weight = nn.Parameter(trunc_normal(fan_out, fan_in, std=fan_in**-0.5))
        self.bias = nn.Parameter(torch.zeros(fan_out)) if bias else None

    def forward(self, h: Tensor) -> Tensor:
        """(..., fan_in) -> (..., fan_out)."""
        weight = self.weight.to(h.dtype)
        bias = None if self.bias is None else self.bias.to(h.dtype)
        return functional.linear(h, weight, bias)


class Embedding(nn.Module):
    """Learned rows, for tokens or for positions."""

    def __init__(self, rows: int, hidden_size: int) -> None:
        super().__init__()
        self.embedding_weight = nn.Parameter(trunc_normal(rows, hidden_size, std=hidden_size**-0.5))


class PuzzleEmbedding(nn.Module):
    """One learned vector per puzzle id.

    Its gradient is sparse, because a batch touches few rows of a table of a million.
    """

    def __init__(self, num_puzzles: int, dim: int) -> None:
        super().__init__()
        self.weights = nn.Parameter(torch.zeros(num_puzzles, dim))

    def forward(self, puzzle_ids: Tensor) -> Tensor:
        """(B,) -> (B, dim)."""
        return functional.embedding(puzzle_ids, self.weights, sparse=True)


class SwiGLU(nn.Module):
    """The gated layer: down(silu(gate) * up).

    Its normed form, down(sigmoid(gate) * rms(gate * up)), keeps Muon stable at a high rate.
    """

    def __init__(self, dim: int, config: TRMConfig) -> None:
        super().__init__()
        multiple = config.inner_multiple
        wanted = round(config.expansion * dim * 2 / 3)
        inner = math.ceil(wanted / multiple) * multiple
        self.gate_up_proj = Linear(dim, 2 * inner)
        self.down_proj = Linear(inner, dim)
        self.normed = config.normed_swiglu
        self.eps = config.rms_norm_eps

    def forward(self, h: Tensor) -> Tensor:
        """(..., dim) -> (..., dim)."""
        gate, up = self.gate_up_proj(h).chunk(2, dim=-1)
        if self.normed:
            inner = torch.sigmoid(gate) * rms_norm(gate * up, self.eps)
        else:
            inner = functional.silu(gate) * up
        out: Tensor = self.down_proj(inner)
        return out
