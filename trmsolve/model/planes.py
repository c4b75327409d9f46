"""A network for grids of symbols that treats all symbols alike: one plane of cells for each symbol.

The same weights work on every plane, and planes hear each other only through means over all of
them. A renaming of the symbols, which ARC tasks are taken under, therefore need not be learned. A
puzzle's own embedding tells symbols apart: a vector for the puzzle, and one for each of its
symbols, which begin alike. All else is local and relative, so a grid may have any size, and only
the planes of the symbols that occur are computed.

The equivariance over symbols comes from arXiv 2603.02193; this form of it is new here. Shape
letters as in ``network``; K is the number of planes, and a state is (B, K, rows, columns, D).
"""

from collections.abc import Callable
from functools import cache
from typing import NamedTuple

import torch
from torch import Tensor, nn
from torch.nn import functional

from trmsolve.model.config import TRMConfig
from trmsolve.model.layers import SwiGLU, rms_norm
from trmsolve.model.line_lookups import LookAlongLines, line_lookups
from trmsolve.model.lookups import Lookups, grid_lookups
from trmsolve.model.mixers import PlaneMixer
from trmsolve.model.network import Block, Places, Prediction, State, TinyRecursiveModel

OUTSIDE = 0
"""The symbol of all that lies outside the grid. The other symbols, from 1 on, are alike."""


class PlanesBatch(NamedTuple):
    """A batch of grids for a network of planes."""

    tokens: Tensor
    """(B, rows, columns) symbols."""

    palette: Tensor
    """(B, K) the symbol of each plane."""

    symmetries: Tensor
    """(B,) the symmetry under which each grid is shown."""

    puzzle_ids: Tensor
    """(B,) rows of the table of puzzle embeddings."""


class PlaneEmbedding(nn.Module):
    """The first input of each cell of each plane.

    It tells whether the symbol is in the cell, how far the edges of the grid are, under which
    symmetry the grid is shown, so that directions can be told apart, and the puzzle's embedding.
    """

    def __init__(self, config: TRMConfig) -> None:
        super().__init__()
        assert config.board is not None
        size = config.hidden_size
        side = max(config.board[:2])
        # A symbol is elsewhere or here; the outside is elsewhere or here.
        self.kinds = nn.Parameter(torch.randn(4, size))
        self.symmetries = nn.Parameter(0.1 * torch.randn(config.symmetries, size))
        # Distances to the first row, the last row, the first column and the last column. Cells
        # outside the grid have the last distance in place of those to the last row or column.
        self.edges = nn.Parameter(0.1 * torch.randn(4, side + 1, size))

    def forward(self, batch: PlanesBatch, slots: Tensor | None) -> Tensor:
        """X (B, K, rows, columns, D), given the ``slots`` (B, 1 + V, D) of the puzzle embedding.

        The first slot is the puzzle's vector, the others are those of the symbols.
        """
        palette = batch.palette[:, :, None, None]
        here = batch.tokens[:, None] == palette
        kind = here + 2 * (palette == OUTSIDE)
        x = functional.embedding(kind, self.kinds)
        known = functional.embedding(batch.symmetries, self.symmetries)[:, None]
        if slots is not None:
            index = (1 + batch.palette)[..., None]
            of_symbols = slots.gather(1, index.expand(-1, -1, slots.shape[-1]))
            known = known + slots[:, :1] + of_symbols
        places = self._places(batch.tokens)[:, None]
        return x + known[:, :, None, None] + places

    def _places(self, tokens: Tensor) -> Tensor:
        """(B, rows, columns) -> (B, rows, columns, D): where in its grid each cell is."""
        top, bottom, left, right = self.edges
        inside = tokens != OUTSIDE
        heights = inside.any(2).sum(1)
        widths = inside.any(1).sum(1)
        rows = torch.arange(tokens.shape[1], device=tokens.device)
        columns = torch.arange(tokens.shape[2], device=tokens.device)
        to_bottom = heights[:, None] - 1 - rows
        to_right = widths[:, None] - 1 - columns
        down = top[rows] + functional.embedding(_distance(to_bottom, bottom), bottom)
        along = left[columns] + functional.embedding(_distance(to_right, right), right)
        places: Tensor = down[:, :, None] + along[:, None]
        return places


def _distance(cells: Tensor, rows: Tensor) -> Tensor:
    """Which of the learned ``rows`` is of so many cells; the last one where that is below zero."""
    return cells.where(cells >= 0, len(rows) - 1)


def mlp_residual(h: Tensor, mixed: Tensor, mlp: SwiGLU, eps: float) -> Tensor:
    """All of a block but the mixing itself: (cells, D) each -> (cells, D)."""
    h = rms_norm(h + mixed, eps)
    return rms_norm(h + mlp(h), eps)


@cache
def compiled_mlp_residual() -> Callable[[Tensor, Tensor, SwiGLU, float], Tensor]:
    """``mlp_residual``, compiled once for all grids and all networks of the process."""
    return torch.compile(mlp_residual, dynamic=True)


class PlanesBlock(Block):
    """A block whose work within cells may be ``compiled``.

    Only in the first block cells look elsewhere: that is enough, and costs a fifth more time.
    """

    compiled = False

    def __init__(self, config: TRMConfig, number: int = 0) -> None:
        super().__init__(config, number)
        self.lookups: Lookups | None = None
        if config.lookup_channels and number == 0:
            self.lookups = Lookups(config)
        self.line_lookups: LookAlongLines | None = None
        if config.line_lookup_channels and number == 0:
            self.line_lookups = LookAlongLines(config)

    def forward(self, h: Tensor, places: Places) -> Tensor:
        """(B, K, rows, columns, D) -> the same."""
        mixer = self.mixer
        assert isinstance(mixer, PlaneMixer)
        # The rest of the block does not depend on where a cell is. With all cells in a row it
        # compiles once for all sizes of grids.
        cells = h.reshape(-1, h.shape[-1])
        mixed = mixer.mix(h)
        if self.lookups is not None:
            assert places.lookups is not None
            mixed = mixed + self.lookups(h, places.lookups)
        if self.line_lookups is not None:
            assert places.line_lookups is not None
            mixed = mixed + self.line_lookups(h, places.line_lookups)
        mixed = mixed.reshape(-1, h.shape[-1])
        residual = compiled_mlp_residual() if self.compiled else mlp_residual
        return residual(cells, mixed, self.mlp, self.eps).view(h.shape)


class PlanesModel(TinyRecursiveModel):
    """The network for grids as planes. It is asked about a ``PlanesBatch`` with ``cycle``."""

    block = PlanesBlock

    def add_embedding(self) -> None:
        """Make what embeds a batch of grids."""
        self.embed_planes = PlaneEmbedding(self.config)

    @property
    def logits_per_slot(self) -> int:
        """One: whether a cell is on the plane."""
        return 1

    def embed_batch(self, batch: PlanesBatch) -> Tensor:
        """X (B, K, rows, columns, D) of the grids."""
        slots = None
        if self.puzzle_emb is not None:
            vectors = self.puzzle_emb(batch.puzzle_ids)
            slots = vectors.unflatten(-1, (-1, self.config.hidden_size))
        x: Tensor = self.embed_planes(batch, slots)
        return x.to(self.dtype)

    def places(self, tokens: Tensor) -> Places:
        """Where the cells of grids (B, rows, columns) may look."""
        places = Places()
        if self.config.lookup_channels:
            lookups = grid_lookups(tokens != OUTSIDE, self.dtype)
            places = places._replace(lookups=lookups)
        if self.config.line_lookup_channels:
            along_lines = line_lookups(tokens, OUTSIDE, self.dtype)
            places = places._replace(line_lookups=along_lines)
        return places

    def cycle(self, state: State, batch: PlanesBatch) -> tuple[State, Prediction]:
        """One improvement cycle, as ``forward`` is for tokens.

        The logits (B, rows * columns, K) say of each cell on which plane it is.
        """
        x = self.embed_batch(batch)
        y, z = self.deep_recursion(x, state.y, state.z, batch.tokens)
        planes = self.lm_head(y).squeeze(-1)  # (B, K, rows, columns)
        logits = planes.flatten(2).transpose(1, 2)
        halt = self.halt(y.flatten(1, -2))
        return State(y.detach(), z.detach()), Prediction(logits, halt)
