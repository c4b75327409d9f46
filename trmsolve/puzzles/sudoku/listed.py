"""Finds Sudokus in lists and objects: nine lists of nine cells, 81 cells, or strings of them.

This module knows the shapes of lists. It does not know languages, lines or which digits may meet.
"""

from collections.abc import Iterator
from itertools import chain

from trmsolve.puzzles.reading.literals import Listing, Word
from trmsolve.puzzles.sudoku.cells import Spans, is_cell, is_line, row_cells, single


def find_records(listing: Listing) -> Iterator[list[Spans]]:
    """Generate where the cells of Sudokus are, together those that stand beside each other."""
    whole = _find_grid(listing)
    if whole:
        yield [whole]
        return
    grids = [_find_grid(item) for item in listing.items]
    beside = [grid for grid in grids if grid]
    if beside:
        yield beside
    for item, grid in zip(listing.items, grids, strict=True):
        if isinstance(item, Listing) and not grid:
            yield from find_records(item)


def _find_grid(item: Word | Listing) -> Spans:
    """Find the 81 cells of a string or of a list. Returns none if it is no grid."""
    if isinstance(item, Word):
        return _shift(single(range(81)), item.start) if is_line(item.text) else []
    parts = [_find_cells(inner) for inner in item.items]
    sizes = {len(part) for part in parts}
    if (len(parts), sizes) not in ((9, {9}), (81, {1})):
        return []
    return list(chain.from_iterable(parts))


def _find_cells(item: Word | Listing) -> Spans:
    """Find the cells of one row, or the one cell that a word is."""
    if isinstance(item, Word):
        if is_cell(item.text):
            return [(item.start, item.start + len(item.text))]
        return _shift(row_cells(item.text), item.start)
    words = [inner for inner in item.items if isinstance(inner, Word) and is_cell(inner.text)]
    if len(words) != len(item.items):
        return []
    return [(word.start, word.start + len(word.text)) for word in words]


def _shift(at: Spans, by: int) -> Spans:
    return [(start + by, stop + by) for start, stop in at]
