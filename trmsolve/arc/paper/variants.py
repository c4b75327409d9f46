"""The paper's form of ARC: grids as tokens on a canvas, and the named variants of a task.

Every grid stands on a canvas of 30 x 30 tokens, with a border of EOS below it and to its right. A
variant is the task under one symmetry and one permutation of colours. Each has a name,
``<task>|||t<symmetry>|||<ten digits>``, and to its name belongs a row of the network's table.

Knows grids, tasks and names; nothing of files, networks or votes.
"""

import hashlib
import re
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trmsolve.arc.symmetry import SYMMETRIES, dihedral, undo_dihedral
from trmsolve.arc.task import COLOURS, LARGEST, ArcTask, Pair
from trmsolve.puzzles.values import Grid

PAD, EOS, FIRST_COLOUR = 0, 1, 2
"""Tokens; colour c is token FIRST_COLOUR + c."""

VOCAB_SIZE, SEQ_LEN = FIRST_COLOUR + COLOURS, LARGEST * LARGEST

BLANK = "<blank>"
"""The name of row 0, which belongs to no task."""

AUGMENTATIONS = 1000
"""Variants of a task beside itself, at most."""

TRIES = 5
"""Where a task has fewer variants, drawing ends after so many times as many tries."""


@dataclass(frozen=True)
class Augmentation:
    """One variant of a task: colour c becomes ``colours[c]``, and then the grid is turned."""

    symmetry: int = 0
    colours: tuple[int, ...] = tuple(range(COLOURS))
    _to: Grid = field(init=False, repr=False, compare=False)
    _back: Grid = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Check it.

        Raises:
            ValueError: If it is no symmetry and permutation of colours: it could not be undone.
        """
        if not 0 <= self.symmetry < len(SYMMETRIES) or sorted(self.colours) != list(range(COLOURS)):
            raise ValueError(
                f"not a symmetry and a permutation of colours: {self.symmetry}, {self.colours}"
            )
        object.__setattr__(self, "_to", np.array(self.colours, np.int8))
        object.__setattr__(self, "_back", np.argsort(self.colours).astype(np.int8))

    def apply(self, grid: Grid) -> Grid:
        """The grid as this variant shows it."""
        return dihedral(self._to[grid], self.symmetry)

    def undo(self, grid: Grid) -> Grid:
        """``undo(apply(g)) == g``."""
        coloured: Grid = self._back[self.undo_cells(grid)]
        return coloured

    def undo_cells(self, cells: NDArray[Any]) -> NDArray[Any]:
        """As ``undo``, for values of the cells that are no colours, such as confidence."""
        return undo_dihedral(cells, self.symmetry)

    def name(self, task: str) -> str:
        """The name of this variant of the task of that name; the task itself keeps its name."""
        if self == PLAIN:
            return task
        colours = "".join(map(str, self.colours))
        return f"{task}|||t{self.symmetry}|||{colours}"


PLAIN = Augmentation()
"""The task as it is."""

_NAME = re.compile(r"(.*)\|\|\|t([0-7])\|\|\|([0-9]{10})", re.DOTALL | re.ASCII)


def parse_name(name: str) -> tuple[str, Augmentation]:
    """The task and the variant that a name stands for.

    Raises:
        ValueError: If the name has an end that stands for no variant.
    """
    if "|||" not in name:
        return name, PLAIN
    match = _NAME.fullmatch(name)
    if not match:
        raise ValueError(
            f"{name!r} is not the name of a variant: it must end in |||t<0 to 7>|||<ten digits>"
        )
    return match[1], Augmentation(int(match[2]), tuple(map(int, match[3])))


def encode(grid: Grid, row: int = 0, column: int = 0) -> NDArray[np.uint8]:
    """The canvas (30, 30) of tokens with the grid's first cell at that place.

    EOS stands directly below and directly to the right of the grid, where that is on the canvas;
    their corner is PAD.

    Raises:
        ValueError: If the grid does not fit.
    """
    canvas = np.full((LARGEST, LARGEST), PAD, np.uint8)
    rows, columns = grid.shape
    bottom = row + rows
    end = column + columns
    canvas[row:bottom, column:end] = grid + FIRST_COLOUR
    canvas[bottom : bottom + 1, column:end] = EOS
    canvas[row:bottom, end : end + 1] = EOS
    return canvas


def highest_offset(*grids: Grid) -> tuple[int, int]:
    """The last (row, column) from which all of the grids fit on the canvas."""
    rows = max(grid.shape[0] for grid in grids)
    columns = max(grid.shape[1] for grid in grids)
    return LARGEST - rows, LARGEST - columns


def draw_variants(task: ArcTask, number: int, rng: np.random.Generator) -> list[Augmentation]:
    """The task itself, and then up to ``number`` variants.

    No two of them show the same pairs, tests included.
    """
    pairs = (*task.demonstrations, *task.tests)
    turned = [_Turned(pairs, symmetry) for symmetry in range(len(SYMMETRIES))]
    variants = [PLAIN]
    seen = {turned[0].digest(PLAIN.colours)}
    for _ in range(TRIES * number):
        if len(variants) > number:
            break
        symmetry = int(rng.integers(len(SYMMETRIES)))
        colours = (0, *(1 + rng.permutation(COLOURS - 1)).tolist())  # the background stays
        digest = turned[symmetry].digest(colours)
        if digest not in seen:
            seen.add(digest)
            variants.append(Augmentation(symmetry, colours))
    return variants


class _Turned:
    """The pairs of a task under one symmetry.

    All cells stand in one array, so that one look-up recolours them all: hundreds of variants are
    drawn of each task.
    """

    def __init__(self, pairs: tuple[Pair, ...], symmetry: int) -> None:
        self.shapes: list[bytes] = []  # of each pair's grids
        self.ends: list[int] = []  # where each pair's cells end
        cells: list[NDArray[Any]] = []
        end = 0
        for pair in pairs:
            shape = b""
            for grid in _grids(pair):
                turned = dihedral(grid, symmetry)
                shape += bytes(turned.shape)
                cells.append(turned.ravel())
                end += turned.size
            self.shapes.append(shape)
            self.ends.append(end)
        self.cells = np.concatenate(cells)

    def digest(self, colours: tuple[int, ...]) -> bytes:
        """A digest of all pairs in these colours, whatever their order."""
        cells = np.array(colours, np.uint8)[self.cells].tobytes()
        start = 0
        digests = []
        for shape, end in zip(self.shapes, self.ends, strict=True):
            digests.append(hashlib.sha256(shape + cells[start:end]).digest())
            start = end
        return hashlib.sha256(b"".join(sorted(digests))).digest()


def _grids(pair: Pair) -> list[Grid]:
    return [pair.input] if pair.output is None else [pair.input, pair.output]
