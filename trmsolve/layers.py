"""What the network is built of: matrices, norms, embeddings, and the ways to mix between tokens.

Numerics follow the paper's public code. Shape letters as in ``model``. Knows the config's sizes; nothing of recursion,
states or puzzles.
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from trmsolve.config import TRMConfig


def trunc_normal(*shape: int, std: float, generator: torch.Generator | None = None) -> Tensor:
    """A normal cut at two sigma, widened so that the standard deviation after the cut is ``std`` (flax's LeCun)."""
    tail = math.sqrt(2 / math.pi) * math.exp(-2.0) * 2  # 2 * (pdf(-2) + pdf(2)) of the standard normal
    inside = math.erf(math.sqrt(2.0))
    wide = std / math.sqrt(1 - tail / inside)
    return nn.init.trunc_normal_(torch.empty(shape), std=wide, a=-2 * wide, b=2 * wide, generator=generator)


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
        return F.linear(h, self.weight.to(h.dtype), None if self.bias is None else self.bias.to(h.dtype))


class Embedding(nn.Module):
    """Learned rows, for tokens or for positions."""

    def __init__(self, rows: int, hidden_size: int) -> None:
        super().__init__()
        self.embedding_weight = nn.Parameter(trunc_normal(rows, hidden_size, std=hidden_size**-0.5))


class PuzzleEmbedding(nn.Module):
    """One learned vector per puzzle id. Its gradient is sparse: a batch touches few rows of a table of a million."""

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
        inner = torch.sigmoid(gate) * rms_norm(gate * up, self.eps) if self.normed else F.silu(gate) * up
        mixed: Tensor = self.down_proj(inner)
        return mixed


class Rotary(nn.Module):
    """Rotary positions over the whole sequence, prefix included, in the rotate-half convention."""

    def __init__(self, head_dim: int, length: int, theta: float) -> None:
        super().__init__()
        frequencies = theta ** -(torch.arange(0, head_dim, 2, dtype=torch.float32) / head_dim)
        angles = torch.outer(torch.arange(length, dtype=torch.float32), frequencies).repeat(1, 2)[:, None, :]
        # Kept out of the state dict: they follow from the config.
        self.register_buffer("cos", angles.cos(), persistent=False)
        self.register_buffer("sin", angles.sin(), persistent=False)

    def forward(self, h: Tensor) -> Tensor:
        cos, sin = self.get_buffer("cos").float(), self.get_buffer("sin").float()
        first, second = h.float().chunk(2, dim=-1)
        return (h.float() * cos + torch.cat((-second, first), dim=-1) * sin).to(h.dtype)


class Attention(nn.Module):
    """Full attention without a mask: every slot sees every other."""

    def __init__(self, config: TRMConfig) -> None:
        super().__init__()
        self.heads = config.num_heads
        self.qkv_proj = Linear(config.hidden_size, 3 * config.hidden_size)
        self.o_proj = Linear(config.hidden_size, config.hidden_size)

    def forward(self, h: Tensor, rotary: Rotary | None) -> Tensor:
        q, k, v = self.qkv_proj(h).unflatten(-1, (3, self.heads, -1)).unbind(2)  # each (B, L, heads, D / heads)
        if rotary is not None:
            q, k = rotary(q), rotary(k)
        mixed = F.scaled_dot_product_attention(q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2))
        out: Tensor = self.o_proj(mixed.transpose(1, 2).flatten(2))
        return out


class Pool(nn.Module):
    """Each cell hears the averages of its row, its column, its box and the board.

    The layout of the board is built in, what the groups mean is learned. Equal under every exchange of rows, columns,
    bands and stacks, so those need not be learned.
    """

    def __init__(self, config: TRMConfig) -> None:
        super().__init__()
        assert config.board is not None
        self.rows, self.columns, self.box_rows, self.box_columns = config.board
        self.value_proj = Linear(config.hidden_size, 4 * config.hidden_size)
        self.o_proj = nn.ModuleList(Linear(config.hidden_size, config.hidden_size) for _ in range(4))

    def forward(self, h: Tensor) -> Tensor:
        bands, stacks = self.rows // self.box_rows, self.columns // self.box_columns
        values = F.silu(self.value_proj(h)).unflatten(1, (bands, self.box_rows, stacks, self.box_columns))
        row, column, box, board = values.chunk(4, dim=-1)
        heard = [
            out(group.mean(axes, keepdim=True))
            for out, group, axes in zip(
                self.o_proj, (row, column, box, board), ((3, 4), (1, 2), (2, 4), (1, 2, 3, 4)), strict=True
            )
        ]
        out: Tensor = (heard[0] + heard[1] + heard[2] + heard[3]).flatten(1, 4)
        return out


class LatticePool(nn.Module):
    """Each candidate, a digit in a cell, hears the averages of those it competes with.

    They are the same digit in its row, its column, its box, the crossings of row and column with the box, and the other
    digits of its cell. Equal under every symmetry of the board and every renaming of digits. Averages of averages,
    since the crossings are on the way to the rest and strided means over the whole are many times slower.
    """

    def __init__(self, config: TRMConfig) -> None:
        super().__init__()
        assert config.board is not None
        rows, columns, box_rows, box_columns = config.board
        self.shape = (rows // box_rows, box_rows, columns // box_columns, box_columns, config.candidates)
        self.o_proj = nn.ModuleList(Linear(config.hidden_size, config.hidden_size) for _ in range(6))

    def forward(self, h: Tensor) -> Tensor:
        candidates = h.unflatten(1, self.shape)  # (B, bands, rows in a band, stacks, columns in a stack, candidates, D)
        across, down = candidates.mean(4, keepdim=True), candidates.mean(2, keepdim=True)
        groups = (
            across, across.mean(3, keepdim=True), across.mean(2, keepdim=True), down, down.mean(1, keepdim=True),
            candidates.mean(5, keepdim=True),
        )  # fmt: skip
        crossing, row, box, crossed, column, cell = (out(g) for out, g in zip(self.o_proj, groups, strict=True))
        # Small sums first: only the last is as large as h.
        out: Tensor = ((crossing + row + box) + ((crossed + column) + cell)).flatten(1, 5)
        return out


class Convolution(nn.Module):
    """Each cell hears itself and its eight neighbours, every channel through a kernel of its own; outside is nothing.

    What it learns in one place holds in every other, and on boards of every size.
    """

    def __init__(self, config: TRMConfig) -> None:
        super().__init__()
        self.weight = nn.Parameter(trunc_normal(config.hidden_size, 3, 3, std=1 / 3))
        self.o_proj = Linear(config.hidden_size, config.hidden_size)

    def forward(self, h: Tensor) -> Tensor:
        channels_first = h.movedim(-1, 1)  # (B, D, rows, columns), in memory as it was
        heard = F.conv2d(channels_first, self.weight[:, None].to(h.dtype), padding=1, groups=len(self.weight))
        out: Tensor = self.o_proj(heard.movedim(1, -1))
        return out
