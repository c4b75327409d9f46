"""What the network is built of: matrices, norms, embeddings, and the ways to mix between tokens.

Numerics follow the paper's public code. Shape letters as in ``model``. Knows the config's sizes;
nothing of recursion, states or puzzles.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from trmsolve.model.config import TRMConfig


def trunc_normal(*shape: int, std: float, generator: torch.Generator | None = None) -> Tensor:
    """A normal cut at two sigma, widened so that the standard deviation after the cut is ``std`` (flax's LeCun)."""
    tail = (
        math.sqrt(2 / math.pi) * math.exp(-2.0) * 2
    )  # 2 * (pdf(-2) + pdf(2)) of the standard normal
    inside = math.erf(math.sqrt(2.0))
    wide = std / math.sqrt(1 - tail / inside)
    return nn.init.trunc_normal_(
        torch.empty(shape), std=wide, a=-2 * wide, b=2 * wide, generator=generator
    )


def rms_norm(h: Tensor, eps: float) -> Tensor:
    """Scale the last dimension to unit mean square, without a learned gain, computed in float32."""
    wide = h.float()
    return (wide * torch.rsqrt(wide.square().mean(-1, keepdim=True) + eps)).to(h.dtype)


class Linear(nn.Module):
    """A matrix kept in float32 and cast to the activations' dtype at each call."""

    def __init__(self, fan_in: int, fan_out: int, bias: bool = False) -> None:
        super().__init__()
        self.weight = nn.Parameter(trunc_normal(fan_out, fan_in, std=fan_in**-0.5))
        self.bias = nn.Parameter(torch.zeros(fan_out)) if bias else None

    def forward(self, h: Tensor) -> Tensor:
        return F.linear(
            h, self.weight.to(h.dtype), None if self.bias is None else self.bias.to(h.dtype)
        )


class Embedding(nn.Module):
    """Learned rows, for tokens or for positions."""

    def __init__(self, rows: int, hidden_size: int) -> None:
        super().__init__()
        self.embedding_weight = nn.Parameter(trunc_normal(rows, hidden_size, std=hidden_size**-0.5))


class PuzzleEmbedding(nn.Module):
    """One learned vector per puzzle id.

    Its gradient is sparse: a batch touches few rows of a table of a million.
    """

    def __init__(self, num_puzzles: int, dim: int) -> None:
        super().__init__()
        self.weights = nn.Parameter(torch.zeros(num_puzzles, dim))

    def forward(self, puzzle_ids: Tensor) -> Tensor:
        return F.embedding(puzzle_ids, self.weights, sparse=True)


class SwiGLU(nn.Module):
    """down(silu(gate) * up); the normed form sigmoid(gate) * rms(gate * up) keeps Muon stable at a high rate."""

    def __init__(self, dim: int, config: TRMConfig) -> None:
        super().__init__()
        multiple = config.inner_multiple
        inner = -(-round(config.expansion * dim * 2 / 3) // multiple) * multiple
        self.gate_up_proj = Linear(dim, 2 * inner)
        self.down_proj = Linear(inner, dim)
        self.normed, self.eps = config.normed_swiglu, config.rms_norm_eps

    def forward(self, h: Tensor) -> Tensor:
        gate, up = self.gate_up_proj(h).chunk(2, dim=-1)
        inner = (
            torch.sigmoid(gate) * rms_norm(gate * up, self.eps)
            if self.normed
            else F.silu(gate) * up
        )
        mixed: Tensor = self.down_proj(inner)
        return mixed
