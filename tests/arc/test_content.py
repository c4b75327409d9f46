"""Grids are told apart by shape and colours, and by nothing else."""

import hashlib

import numpy as np

from trmsolve.arc.content import content_hash


def test_grids_are_told_apart_by_shape_and_colours() -> None:
    row = np.arange(6, dtype=np.int8)
    assert content_hash(row.reshape(2, 3)) == content_hash(row.reshape(2, 3).astype(np.int64))
    shapes = [row.reshape(1, 6), row.reshape(2, 3), row.reshape(3, 2), row.reshape(2, 3)[::-1]]
    assert len({content_hash(grid) for grid in shapes}) == 4
    plain = hashlib.sha256(b"\x02\x03\x00\x01\x02\x03\x04\x05").hexdigest()
    assert content_hash(row.reshape(2, 3)) == plain


def test_the_order_of_several_grids_counts() -> None:
    one, two = np.zeros((1, 2), np.int8), np.ones((2, 1), np.int8)
    assert len({content_hash(one, two), content_hash(two, one), content_hash(one)}) == 3
