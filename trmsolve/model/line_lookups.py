"""A cell sees the nearest shape along its row and its column, and the cell that would fall onto it.

The place where a cell looks depends on what lies on its line, and not on arithmetic alone as in
``lookups``. Rays that end at a shape and cells that fall onto each other need that. A cell is
marked if its symbol is not the background, which is the most frequent symbol of its grid. Shape
letters as in ``planes``.
"""

from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from trmsolve.model.config import TRMConfig
from trmsolve.model.layers import Linear
from trmsolve.model.lookups import NOWHERE

WAYS = 4
"""Along a line: to the nearest marked cell before and behind, and packed to its start and end."""


class LineLookups(NamedTuple):
    """For each grid of a batch, where each cell looks along its lines.

    A 1 stands where the place of the fourth axis looks at the place of the fifth.
    """

    vertical: Tensor
    """(B, ways, columns, rows, rows)."""

    horizontal: Tensor
    """(B, ways, rows, columns, columns)."""


def line_lookups(tokens: Tensor, outside: int, dtype: torch.dtype) -> LineLookups:
    """The lookups of grids (B, rows, columns) whose other cells are ``outside``."""
    inside = tokens != outside
    marked = inside & (tokens != _background(tokens, outside)[:, None, None])
    vertical = _along(marked.transpose(1, 2), inside.transpose(1, 2), dtype)
    return LineLookups(vertical, _along(marked, inside, dtype))


def _background(tokens: Tensor, outside: int) -> Tensor:
    """(B,), the most frequent symbol of each grid, the lowest of those that are equally many."""
    symbols = int(tokens.max()) + 1
    counts = functional.one_hot(tokens.flatten(1), symbols).sum(1)
    if outside < symbols:
        counts[:, outside] = -1
    return counts.argmax(1)


def _along(marked: Tensor, inside: Tensor, dtype: torch.dtype) -> Tensor:
    """(B, lines, places) -> (B, ways, lines, places, places)."""
    places = torch.arange(marked.shape[2], device=marked.device)
    last = len(places) - 1
    before = _nearest_before(marked)
    mirrored = _nearest_before(marked.flip(2)).flip(2)
    behind = torch.where(mirrored == NOWHERE, NOWHERE, last - mirrored)
    targets = torch.stack((before, behind, _packed(~marked, inside), _packed(marked, inside)), 1)
    return (targets[..., None] == places).to(dtype)


def _nearest_before(marked: Tensor) -> Tensor:
    """(B, lines, places): the last marked place before each place."""
    places = torch.arange(marked.shape[2], device=marked.device)
    up_to_here = torch.where(marked, places, NOWHERE).cummax(2).values
    return functional.pad(up_to_here[:, :, :-1], (1, 0), value=NOWHERE)


def _packed(last: Tensor, inside: Tensor) -> Tensor:
    """(B, lines, places): the place whose cell comes here if the ``last`` cells go to the end.

    The order is otherwise kept. Nothing comes to places outside the grid.
    """
    rank = torch.where(inside, last.long(), 2)
    order = rank.argsort(dim=2, stable=True)
    return torch.where(inside, order, NOWHERE)


class LookAlongLines(nn.Module):
    """Each cell sees cells of its row and its column; nothing before it has learned to."""

    def __init__(self, config: TRMConfig) -> None:
        super().__init__()
        self.channels = config.line_lookup_channels
        width = 2 * WAYS * self.channels
        self.in_proj = Linear(config.hidden_size, width)
        self.out_proj = Linear(width, config.hidden_size)
        nn.init.zeros_(self.out_proj.weight)

    def forward(self, h: Tensor, lookups: LineLookups) -> Tensor:
        """(B, K, rows, columns, D) -> the same."""
        shown = self.in_proj(h).unflatten(-1, (2 * WAYS, self.channels))
        of_columns, of_rows = shown.split(WAYS, dim=4)
        # Letters: m way, r and c the cell that looks, s and t where it looks, w channel.
        seen = (
            torch.einsum("bmcrs,bkscmw->bkrcmw", lookups.vertical, of_columns),
            torch.einsum("bmrct,bkrtmw->bkrcmw", lookups.horizontal, of_rows),
        )
        out: Tensor = self.out_proj(torch.cat(seen, dim=4).flatten(4))
        return out
