"""Grids as bytes and as a digest, to tell which are equal."""

import hashlib

import numpy as np

from trmsolve.puzzles.values import Grid


def grid_bytes(grid: Grid) -> bytes:
    """Bytes that equal grids of equal shape share, and no others: the shape, and then the cells."""
    return bytes(grid.shape) + grid.astype(np.int8).tobytes()


def content_hash(*grids: Grid) -> str:
    """A digest that the same grids in the same order share, and no others.

    The integer type of the cells does not matter.
    """
    digest = hashlib.sha256()
    for grid in grids:
        digest.update(grid_bytes(grid))
    return digest.hexdigest()
