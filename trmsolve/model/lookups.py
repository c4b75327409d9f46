"""Where else in a grid a cell may look, besides its neighbours: at its mirror image, for example.

Grids of ARC are mirrored, repeated, scaled, turned, and compared half with half. Each lookup is the
arithmetic of one such relation along one axis. It leads from every place of a canvas to another
one, or to nowhere. Which of them a puzzle needs is learned. Turning takes two lookups, one after
the other. Shape letters as in ``planes``.
"""

from collections.abc import Callable
from typing import NamedTuple

import torch
from torch import Tensor, nn

from trmsolve.model.config import TRMConfig
from trmsolve.model.layers import Linear

NOWHERE = -1


class GridLookups(NamedTuple):
    """For each grid of a batch, where its rows and its columns look: (B, lookups, side, side) each.

    A 1 stands where a place, the third axis, looks at another one, the fourth.
    """

    rows: Tensor
    columns: Tensor


def _mirrored(place: Tensor, length: Tensor) -> Tensor:
    """The mirror image in the grid."""
    return torch.where(place < length, length - 1 - place, NOWHERE)


def _mirrored_by_turns(place: Tensor, length: Tensor) -> Tensor:
    """Beyond the grid: the grid repeated, every second time mirrored."""
    within = place % length
    image = torch.where(place // length % 2 == 1, length - 1 - within, within)
    return torch.where(place < length, NOWHERE, image)


def _repeated(place: Tensor, length: Tensor) -> Tensor:
    """Beyond the grid: the grid repeated."""
    return torch.where(place < length, NOWHERE, place % length)


def _half_ahead(place: Tensor, length: Tensor) -> Tensor:
    """The same place of the next half; in grids of odd length a line lies between the halves."""
    return place + (length + 1) // 2


def _half_behind(place: Tensor, length: Tensor) -> Tensor:
    return place - (length + 1) // 2


def _third_ahead(place: Tensor, length: Tensor) -> Tensor:
    """The same place of the next third; lines may lie between the thirds."""
    return place + (length + 1) // 3


def _third_behind(place: Tensor, length: Tensor) -> Tensor:
    return place - (length + 1) // 3


def _twice_as_large(place: Tensor, length: Tensor) -> Tensor:  # noqa: ARG001 (as the others)
    """The place that is drawn here if every cell becomes two."""
    return place // 2


def _three_times_as_large(place: Tensor, length: Tensor) -> Tensor:  # noqa: ARG001 (as the others)
    return place // 3


def _large_as_itself(place: Tensor, length: Tensor) -> Tensor:
    """The place that is drawn here if every cell becomes as long as the grid."""
    return torch.where(place // length < length, place // length, NOWHERE)


ALONG_AN_AXIS: tuple[Callable[[Tensor, Tensor], Tensor], ...] = (
    _mirrored,
    _mirrored_by_turns,
    _repeated,
    _half_ahead,
    _half_behind,
    _third_ahead,
    _third_behind,
    _twice_as_large,
    _three_times_as_large,
    _large_as_itself,
)
"""Each leads from places (1, side) in grids of some lengths (B, 1) to places (B, side)."""

LOOKUPS = 2 * len(ALONG_AN_AXIS) + 1
"""Along the rows, along the columns, and with rows and columns exchanged."""


def grid_lookups(inside: Tensor, dtype: torch.dtype) -> GridLookups:
    """The lookups of grids that lie in the upper left corner of a square canvas.

    ``inside`` (B, side, side) says which cells are in the grid.
    """
    heights = inside.any(2).sum(1)
    widths = inside.any(1).sum(1)
    side = inside.shape[1]
    return GridLookups(_along(heights, side, dtype), _along(widths, side, dtype))


def _along(lengths: Tensor, side: int, dtype: torch.dtype) -> Tensor:
    """(B,) -> (B, lookups, side, side)."""
    places = torch.arange(side, device=lengths.device)
    # A grid of no cells has no places to look at; its length only must not divide by zero.
    known = lengths[:, None].clamp(min=1)
    targets = [lookup(places[None], known).expand(len(lengths), -1) for lookup in ALONG_AN_AXIS]
    leads_there = torch.stack(targets, 1)[..., None] == places
    return leads_there.to(dtype)


class Lookups(nn.Module):
    """What each cell sees at the places where it may look; nothing before it has learned to."""

    def __init__(self, config: TRMConfig) -> None:
        super().__init__()
        self.channels = config.lookup_channels
        width = LOOKUPS * self.channels
        self.in_proj = Linear(config.hidden_size, width)
        self.out_proj = Linear(width, config.hidden_size)
        nn.init.zeros_(self.out_proj.weight)

    def forward(self, h: Tensor, lookups: GridLookups) -> Tensor:
        """(B, K, rows, columns, D) -> the same."""
        shown = self.in_proj(h).unflatten(-1, (LOOKUPS, self.channels))
        along = len(ALONG_AN_AXIS)
        of_rows, of_columns, of_exchange = shown.split((along, along, 1), dim=4)
        # Letters: m lookup, r and c the place that looks, s and t where it looks, w channel.
        seen = (
            torch.einsum("bmrs,bkscmw->bkrcmw", lookups.rows, of_rows),
            torch.einsum("bmct,bkrtmw->bkrcmw", lookups.columns, of_columns),
            of_exchange.transpose(2, 3),
        )
        out: Tensor = self.out_proj(torch.cat(seen, dim=4).flatten(4))
        return out
