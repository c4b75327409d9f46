"""How the cells of a grid hear of each other: attention, pooling, convolution."""

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from trmsolve.model.config import TRMConfig
from trmsolve.model.layers import Linear, trunc_normal


class Rotary(nn.Module):
    """Rotary positions over the whole sequence, prefix included, in the rotate-half convention."""

    def __init__(self, head_dim: int, length: int, theta: float) -> None:
        super().__init__()
        frequencies = theta ** -(torch.arange(0, head_dim, 2, dtype=torch.float32) / head_dim)
        angles = torch.outer(torch.arange(length, dtype=torch.float32), frequencies).repeat(1, 2)[
            :, None, :
        ]
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
        q, k, v = (
            self.qkv_proj(h).unflatten(-1, (3, self.heads, -1)).unbind(2)
        )  # each (B, L, heads, D / heads)
        if rotary is not None:
            q, k = rotary(q), rotary(k)
        mixed = F.scaled_dot_product_attention(
            q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2)
        )
        out: Tensor = self.o_proj(mixed.transpose(1, 2).flatten(2))
        return out


class Pool(nn.Module):
    """Each cell hears the averages of its row, its column, its box and the board.

    The layout of the board is built in, what the groups mean is learned. Equal under every exchange
    of rows, columns, bands and stacks, so those need not be learned.
    """

    def __init__(self, config: TRMConfig) -> None:
        super().__init__()
        assert config.board is not None
        self.rows, self.columns, self.box_rows, self.box_columns = config.board
        self.value_proj = Linear(config.hidden_size, 4 * config.hidden_size)
        self.o_proj = nn.ModuleList(
            Linear(config.hidden_size, config.hidden_size) for _ in range(4)
        )

    def forward(self, h: Tensor) -> Tensor:
        bands, stacks = self.rows // self.box_rows, self.columns // self.box_columns
        values = F.silu(self.value_proj(h)).unflatten(
            1, (bands, self.box_rows, stacks, self.box_columns)
        )
        row, column, box, board = values.chunk(4, dim=-1)
        heard = [
            out(group.mean(axes, keepdim=True))
            for out, group, axes in zip(
                self.o_proj,
                (row, column, box, board),
                ((3, 4), (1, 2), (2, 4), (1, 2, 3, 4)),
                strict=True,
            )
        ]
        out: Tensor = (heard[0] + heard[1] + heard[2] + heard[3]).flatten(1, 4)
        return out


class LatticePool(nn.Module):
    """Each candidate, a digit in a cell, hears the averages of those it competes with.

    They are the same digit in its row, its column, its box, the crossings of row and column with
    the box, and the other digits of its cell. Equal under every symmetry of the board and every
    renaming of digits. Averages of averages, since the crossings are on the way to the rest and
    strided means over the whole are many times slower.
    """

    def __init__(self, config: TRMConfig) -> None:
        super().__init__()
        assert config.board is not None
        rows, columns, box_rows, box_columns = config.board
        self.shape = (
            rows // box_rows,
            box_rows,
            columns // box_columns,
            box_columns,
            config.candidates,
        )
        self.o_proj = nn.ModuleList(
            Linear(config.hidden_size, config.hidden_size) for _ in range(6)
        )

    def forward(self, h: Tensor) -> Tensor:
        candidates = h.unflatten(
            1, self.shape
        )  # (B, bands, rows in a band, stacks, columns in a stack, candidates, D)
        across, down = candidates.mean(4, keepdim=True), candidates.mean(2, keepdim=True)
        groups = (
            across,
            across.mean(3, keepdim=True),
            across.mean(2, keepdim=True),
            down,
            down.mean(1, keepdim=True),
            candidates.mean(5, keepdim=True),
        )
        crossing, row, box, crossed, column, cell = (
            out(g) for out, g in zip(self.o_proj, groups, strict=True)
        )
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
        heard = F.conv2d(
            channels_first, self.weight[:, None].to(h.dtype), padding=1, groups=len(self.weight)
        )
        out: Tensor = self.o_proj(heard.movedim(1, -1))
        return out
