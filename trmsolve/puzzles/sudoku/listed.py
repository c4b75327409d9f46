"""Finds Sudokus in lists and objects: nine lists of nine cells, 81 cells, or strings of them.

Those of other sizes are n lists of n cells, or strings.

This module knows the shapes of lists. It does not know languages, lines or which digits may meet.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import chain

from trmsolve.puzzles.reading.literals import Listing, Word
from trmsolve.puzzles.sudoku.cells import is_cell, is_line, row_cells
from trmsolve.puzzles.sudoku.digits import OTHER_SIDES, is_blank, is_word
from trmsolve.puzzles.sudoku.signs import Spans, shifted, single
from trmsolve.puzzles.sudoku.sizes import field_cells, rows_cells

FindGrid = Callable[[Word | Listing], Spans]


def find_records(listing: Listing, find: FindGrid | None = None) -> Iterator[list[Spans]]:
    """Generate where the cells of Sudokus are, together those that stand beside each other.

    ``find`` finds the cells of one Sudoku, ``find_grid`` or ``find_sized``.
    """
    find = find or find_grid
    whole = find(listing)
    if whole:
        yield [whole]
        return
    grids = [find(item) for item in listing.items]
    beside = [grid for grid in grids if grid]
    if beside:
        yield beside
    for item, grid in zip(listing.items, grids, strict=True):
        if isinstance(item, Listing) and not grid:
            yield from find_records(item, find)


def find_sized_records(listing: Listing, text: str) -> Iterator[list[Spans]]:
    """Generate where the cells of Sudokus of other sizes are in the text of a list.

    A full grid is none, unless it is the answer to the one beside it: it could be any matrix.
    """
    for record in find_records(listing, find_sized):
        words = [[text[start:stop] for start, stop in at] for at in record]
        open_ones = [i for i, cells in enumerate(words) if any(map(is_blank, cells))]
        if len(record) == 2 and len(open_ones) == 1:
            question = words[open_ones[0]]
            answer = words[1 - open_ones[0]]
            if len(question) == len(answer) and _keeps(question, answer):
                yield record
                continue
        if open_ones:
            yield [record[i] for i in open_ones]


def _keeps(question: Sequence[str], answer: Sequence[str]) -> bool:
    """Tell whether an answer has the clues of a question."""
    pairs = zip(question, answer, strict=True)
    return all(is_blank(clue) or clue == digit for clue, digit in pairs)


def find_grid(item: Word | Listing) -> Spans:
    """Find the 81 cells of a string or of a list. Returns none if it is no grid."""
    if isinstance(item, Word):
        return shifted(single(range(81)), item.start) if is_line(item.text) else []
    parts = [_find_cells(inner) for inner in item.items]
    sizes = {len(part) for part in parts}
    if (len(parts), sizes) not in ((9, {9}), (81, {1})):
        return []
    return list(chain.from_iterable(parts))


def find_sized(item: Word | Listing) -> Spans:
    """Find the cells of a string or of a list of another size. Returns none if it is no grid."""
    if isinstance(item, Word):
        at = field_cells(item.text) if item.quoted and not _only_zeros_are_blank(item.text) else []
        return shifted(at, item.start)
    side = len(item.items)
    if side not in OTHER_SIDES:
        return []
    parts = [_find_row(inner, side) for inner in item.items]
    return list(chain.from_iterable(parts)) if all(parts) else []


def _only_zeros_are_blank(text: str) -> bool:
    """Tell whether a string could be a number: it has zeros, and no other sign for a blank."""
    return "0" in text and set("._*-").isdisjoint(text)


def _find_row(item: Word | Listing, side: int) -> Spans:
    """Find the cells of one row of another size: a string of characters, or a list of words."""
    if isinstance(item, Word):
        found = rows_cells([item.text], side) if len(item.text) == side and item.quoted else []
        return shifted(found[0], item.start) if found else []
    words = [inner for inner in item.items if isinstance(inner, Word) and is_word(inner.text)]
    if len(words) != side or len(item.items) != side:
        return []
    return [(word.start, word.start + len(word.text)) for word in words]


def _find_cells(item: Word | Listing) -> Spans:
    """Find the cells of one row, or the one cell that a word is."""
    if isinstance(item, Word):
        if is_cell(item.text):
            return [(item.start, item.start + len(item.text))]
        return shifted(row_cells(item.text), item.start)
    words = [inner for inner in item.items if isinstance(inner, Word) and is_cell(inner.text)]
    if len(words) != len(item.items):
        return []
    return [(word.start, word.start + len(word.text)) for word in words]
