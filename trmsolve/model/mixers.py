"""How the slots of a puzzle hear of each other: one class for each kind of mixer.

Each class is the first half of a block. It mixes between slots, adds the result to its input and
norms the sum. ``MIXERS`` has the classes by the name that the config gives; what each asks of the
config stands in ``config.MIXER_RULES``. Shape letters:

    B batch, L slots, D hidden size, C cells, K candidates of a cell or planes of a grid
"""

from abc import ABC, abstractmethod
from typing import ClassVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from trmsolve.model.config import TRMConfig, boxes_of
from trmsolve.model.layers import Linear, SwiGLU, rms_norm, trunc_normal


class Rotary(nn.Module):
    """Rotary positions over the whole sequence, prefix included, in the rotate-half convention."""

    def __init__(self, head_dim: int, length: int, theta: float) -> None:
        super().__init__()
        exponents = torch.arange(0, head_dim, 2, dtype=torch.float32) / head_dim
        positions = torch.arange(length, dtype=torch.float32)
        angles = torch.outer(positions, theta**-exponents).repeat(1, 2)[:, None, :]
        # Not in the state dict: both follow from the config.
        self.register_buffer("cos", angles.cos(), persistent=False)
        self.register_buffer("sin", angles.sin(), persistent=False)

    def forward(self, h: Tensor) -> Tensor:
        """(B, L, heads, head size) -> the same, rotated."""
        cos = self.get_buffer("cos").float()
        sin = self.get_buffer("sin").float()
        wide = h.float()
        first, second = wide.chunk(2, dim=-1)
        turned = torch.cat((-second, first), dim=-1)
        return (wide * cos + turned * sin).to(h.dtype)


class Mixer(nn.Module, ABC):
    """The first half of a block: mix between slots, add to the input, norm the sum.

    A subclass says in ``mix`` what a slot hears. ``attribute`` is the name under which the block
    holds the mixer, and so part of the name of its parameters.
    """

    attribute: ClassVar[str]

    def __init__(self, config: TRMConfig) -> None:
        super().__init__()
        self.eps = config.rms_norm_eps

    def forward(self, h: Tensor, rotary: Rotary | None = None) -> Tensor:
        """(B, L, D) -> (B, L, D)."""
        return rms_norm(h + self.mix(h, rotary), self.eps)

    @abstractmethod
    def mix(self, h: Tensor, rotary: Rotary | None = None) -> Tensor:
        """What each slot hears of the others: (B, L, D) -> (B, L, D)."""


class Attention(Mixer):
    """Full attention without a mask: every slot hears every other."""

    attribute = "self_attn"

    def __init__(self, config: TRMConfig) -> None:
        super().__init__(config)
        self.heads = config.num_heads
        self.qkv_proj = Linear(config.hidden_size, 3 * config.hidden_size)
        self.o_proj = Linear(config.hidden_size, config.hidden_size)

    def mix(self, h: Tensor, rotary: Rotary | None = None) -> Tensor:
        """``rotary`` None: the mixer itself does not know where a slot is."""
        # each (B, L, heads, D / heads)
        q, k, v = self.qkv_proj(h).unflatten(-1, (3, self.heads, -1)).unbind(2)
        if rotary is not None:
            q = rotary(q)
            k = rotary(k)
        mixed = functional.scaled_dot_product_attention(
            q.transpose(1, 2), k.transpose(1, 2), v.transpose(1, 2)
        )
        out: Tensor = self.o_proj(mixed.transpose(1, 2).flatten(2))
        return out


class TokenMLP(SwiGLU):
    """The paper's MLP over the slots of one channel. The sum is normed over the slots, too."""

    attribute = "mlp_t"

    def __init__(self, config: TRMConfig) -> None:
        super().__init__(config.length, config)

    def forward(self, h: Tensor, rotary: Rotary | None = None) -> Tensor:  # noqa: ARG002 (as Mixer)
        """(B, L, D) -> (B, L, D)."""
        channels = h.transpose(1, 2)
        mixed = super().forward(channels)
        return rms_norm(channels + mixed, self.eps).transpose(1, 2)


class LatticePool(Mixer):
    """Each candidate, a digit in a cell, hears the averages of those that it competes with.

    They are the same digit in its row, its column, its box, the crossings of row and column with
    the box, and the other digits of its cell. The mixer is equal under every symmetry of the board
    and every renaming of digits, and takes boards of every size.
    """

    attribute = "pool"

    def __init__(self, config: TRMConfig) -> None:
        super().__init__(config)
        self.config = config
        size = config.hidden_size
        self.o_proj = nn.ModuleList(Linear(size, size) for _ in range(6))

    def mix(self, h: Tensor, rotary: Rotary | None = None) -> Tensor:  # noqa: ARG002 (as Mixer)
        """(B, C * K, D) -> (B, C * K, D)."""
        # (B, bands, rows in a band, stacks, columns in a stack, candidates, D)
        candidates = h.unflatten(1, self.layout(h.shape[1]))
        # Averages of averages: the crossings are on the way to the rest, and means with a stride
        # over the whole tensor are many times slower.
        across = candidates.mean(4, keepdim=True)
        down = candidates.mean(2, keepdim=True)
        groups = (
            across,
            across.mean(3, keepdim=True),
            across.mean(2, keepdim=True),
            down,
            down.mean(1, keepdim=True),
            candidates.mean(5, keepdim=True),
        )
        projected = [out(group) for out, group in zip(self.o_proj, groups, strict=True)]
        crossing, row, box, crossed, column, cell = projected
        # Small sums first: only the last is as large as h.
        heard: Tensor = (crossing + row + box) + ((crossed + column) + cell)
        return heard.flatten(1, 5)

    def layout(self, tokens: int) -> tuple[int, int, int, int, int]:
        """The axes of a board with so many tokens; the parameters are the same on every board."""
        assert self.config.board is not None
        rows, columns, box_rows, box_columns = self.config.board
        candidates = self.config.candidates_of(tokens)
        if tokens != self.config.seq_len:
            rows = columns = candidates
            box_rows, box_columns = boxes_of(candidates)
        return rows // box_rows, box_rows, columns // box_columns, box_columns, candidates


class Convolution(Mixer):
    """Each cell hears itself and its eight neighbours, each channel through a kernel of its own.

    Outside the board is nothing. What the mixer learns in one place holds in every other, and on
    boards of every size.
    """

    attribute = "conv"

    def __init__(self, config: TRMConfig) -> None:
        super().__init__(config)
        self.weight = nn.Parameter(trunc_normal(config.hidden_size, 3, 3, std=1 / 3))
        self.o_proj = Linear(config.hidden_size, config.hidden_size)

    def mix(self, h: Tensor, rotary: Rotary | None = None) -> Tensor:  # noqa: ARG002 (as Mixer)
        """(B, rows, columns, D) -> (B, rows, columns, D)."""
        out: Tensor = self.o_proj(self.hear(h))
        return out

    def hear(self, h: Tensor) -> Tensor:
        """Each channel through its kernel: (B, rows, columns, D) -> (B, rows, columns, D)."""
        channels_first = h.movedim(-1, 1)  # (B, D, rows, columns), in memory as it was
        kernels = self.weight[:, None].to(h.dtype)
        heard = functional.conv2d(channels_first, kernels, padding=1, groups=len(self.weight))
        return heard.movedim(1, -1)


class PlaneMixer(Mixer):
    """Each cell of each plane hears its neighbours, and means over many cells.

    They are the means over its row, its column, its plane, all planes, and its own place on all
    planes.
    """

    attribute = "planes"

    def __init__(self, config: TRMConfig) -> None:
        super().__init__(config)
        size = config.hidden_size
        # To each channel from 3 x 3 cells of all channels. A matrix, so that it is optimized as
        # all other matrices are.
        self.conv = nn.Parameter(trunc_normal(size, 9 * size, std=(9 * size) ** -0.5))
        self.o_proj = nn.ModuleList(Linear(size, size) for _ in range(5))

    def mix(self, h: Tensor, rotary: Rotary | None = None) -> Tensor:  # noqa: ARG002 (as Mixer)
        """(B, K, rows, columns, D) -> (B, K, rows, columns, D)."""
        near = self._neighbours(h)
        row = h.mean(3, keepdim=True)
        column = h.mean(2, keepdim=True)
        place = h.mean(1, keepdim=True)
        plane = row.mean(2, keepdim=True)
        everything = place.mean((2, 3), keepdim=True)
        groups = (row, column, plane, everything, place)
        projected = [out(group) for out, group in zip(self.o_proj, groups, strict=True)]
        rows, columns, planes, all_planes, places = projected
        # Small sums first: only the last is as large as h.
        heard: Tensor = (rows + columns) + (planes + all_planes) + places
        return near + heard

    def _neighbours(self, h: Tensor) -> Tensor:
        size = h.shape[-1]
        kernel = self.conv.to(h.dtype).view(size, 3, 3, size).movedim(-1, 1)
        channels_first = h.flatten(0, 1).movedim(-1, 1)
        near = functional.conv2d(channels_first, kernel, padding=1)
        return near.movedim(1, -1).reshape(h.shape)


MIXERS: dict[str, type[Mixer] | type[TokenMLP]] = {
    "attention": Attention,
    "mlp": TokenMLP,
    "lattice": LatticePool,
    "conv": Convolution,
    "planes": PlaneMixer,
}
"""The mixers by the name that the config gives."""
