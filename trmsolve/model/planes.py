"""A grid of symbols as one plane of cells for each symbol, so that no symbol is another to the network by itself.

What is learned of red is known of blue: the same weights work on every plane, and planes hear each
other only through the mean over all of them. A renaming of the symbols, which ARC tasks are taken
under, need not be learned. What tells symbols apart is the puzzle's own embedding, a vector for the
puzzle and one for each of its symbols, which begin alike. Local and relative, so that a grid may
have any size and only the planes of the symbols that occur are computed.

Source of the equivariance over symbols: arXiv 2603.02193; this form of it is our own. Shape letters
as in ``model``, K planes: a state is (B, K, rows, columns, D). Knows the config's sizes; nothing of
recursion and of what symbols mean.
"""

from typing import NamedTuple

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from trmsolve.model.config import TRMConfig
from trmsolve.model.layers import Linear, trunc_normal

OUTSIDE = 0
"""The symbol of what lies outside the grid; the others, from 1 on, are alike."""


class PlaneMixer(nn.Module):
    """Each cell of each plane hears its neighbourhood, its row, its column, its plane, and all planes at its place."""

    def __init__(self, config: TRMConfig) -> None:
        super().__init__()
        size = config.hidden_size
        # A matrix like all others, so that it is optimized as they are: to each channel from 3 x 3
        # cells of all.
        self.conv = nn.Parameter(trunc_normal(size, 9 * size, std=(9 * size) ** -0.5))
        self.o_proj = nn.ModuleList(Linear(size, size) for _ in range(5))

    def forward(self, h: Tensor) -> Tensor:
        size = h.shape[-1]
        kernel = self.conv.to(h.dtype).view(size, 3, 3, size).movedim(-1, 1)
        near = (
            F.conv2d(h.flatten(0, 1).movedim(-1, 1), kernel, padding=1)
            .movedim(1, -1)
            .reshape(h.shape)
        )
        row, column, place = (
            h.mean(3, keepdim=True),
            h.mean(2, keepdim=True),
            h.mean(1, keepdim=True),
        )
        plane, board = row.mean(2, keepdim=True), place.mean((2, 3), keepdim=True)
        heard = (row, column, plane, board, place)
        lines, columns, planes, boards, places = (
            out(part) for out, part in zip(self.o_proj, heard, strict=True)
        )
        # Small sums first: only the last is as large as h.
        out: Tensor = near + ((lines + columns) + (planes + boards) + places)
        return out


class PlaneEmbedding(nn.Module):
    """What a cell of a plane begins with: whether the symbol is there, how far the grid's edges are, what is known.

    Known is the symmetry under which the grid is shown, so that a direction can be told, and the
    puzzle's own embedding, its ``slots``.
    """

    def __init__(self, config: TRMConfig) -> None:
        super().__init__()
        assert config.board is not None
        size, side = config.hidden_size, max(config.board[:2])
        self.kinds = nn.Parameter(
            torch.randn(4, size)
        )  # elsewhere or here, of a symbol or of what is outside
        self.symmetries = nn.Parameter(0.1 * torch.randn(config.symmetries, size))
        # Rows and columns from the grid's first cell and to its last one; outside it the latter is
        # the last of them.
        self.edges = nn.Parameter(0.1 * torch.randn(4, side + 1, size))

    def forward(
        self, tokens: Tensor, palette: Tensor, symmetries: Tensor, slots: Tensor | None
    ) -> Tensor:
        """Symbols ``tokens`` (B, rows, columns) and the planes' ``palette`` (B, K) -> (B, K, rows, columns, D).

        ``symmetries`` (B,), ``slots`` (B, 1 + V, D): the vector of the puzzle, then of each symbol.
        """
        here = tokens[:, None] == palette[:, :, None, None]
        x = F.embedding(here + 2 * (palette == OUTSIDE)[:, :, None, None], self.kinds)
        known = F.embedding(symmetries, self.symmetries)[:, None]
        if slots is not None:
            index = (1 + palette)[..., None].expand(-1, -1, slots.shape[-1])
            known = known + slots[:, :1] + slots.gather(1, index)
        return x + known[:, :, None, None] + self._places(tokens)[:, None]

    def _places(self, tokens: Tensor) -> Tensor:
        """(B, rows, columns, D) of where a cell is."""
        top, bottom, left, right = self.edges
        inside, last = tokens != OUTSIDE, len(top) - 1
        heights, widths = inside.any(2).sum(1), inside.any(1).sum(1)
        rows, columns = (torch.arange(side, device=tokens.device) for side in tokens.shape[1:])
        to_bottom, to_right = heights[:, None] - 1 - rows, widths[:, None] - 1 - columns
        down = top[rows] + F.embedding(to_bottom.where(to_bottom >= 0, last), bottom)
        along = left[columns] + F.embedding(to_right.where(to_right >= 0, last), right)
        places: Tensor = down[:, :, None] + along[:, None]
        return places


class Scene(NamedTuple):
    """Grids for a network of planes: ``tokens`` (B, rows, columns) symbols, ``palette`` (B, K) the symbols that count.

    ``symmetries`` (B,) are those under which the grids are shown, ``puzzle_ids`` (B,) the rows of
    their own embedding.
    """

    tokens: Tensor
    palette: Tensor
    symmetries: Tensor
    puzzle_ids: Tensor
