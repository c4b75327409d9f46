"""Reads Sudokus in lists and objects: nine lists of nine cells, 81 cells, or strings of them.

Those of other sizes are n lists of n cells, or strings.

This module knows the shapes of lists. It does not know languages, nor which digits may meet.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import chain

from trmsolve.puzzles.reading.literals import Listing, Word, parse
from trmsolve.puzzles.reading.places import Item, Joined, attempt
from trmsolve.puzzles.sudoku.board import USUAL
from trmsolve.puzzles.sudoku.cells import is_cell, is_line, line_runs, row_cells
from trmsolve.puzzles.sudoku.digits import OTHER_SIDES, is_blank, is_word
from trmsolve.puzzles.sudoku.line import SudokuLine, place
from trmsolve.puzzles.sudoku.puzzle import is_answer, place_in_columns, read_beside, read_puzzle
from trmsolve.puzzles.sudoku.signs import Spans, shifted, single
from trmsolve.puzzles.sudoku.sizes import cells_of_rows, field_cells

FindGrid = Callable[[Word | Listing], Spans]


def find_listed(joined: Joined[SudokuLine]) -> list[list[list[SudokuLine]]]:
    """Find the records of a list; each has the lines of every grid that stands in it.

    There are none if a line has a run of 81 cells that is no value of the list.
    """
    listing = parse(joined.text)
    records = list(find_records(listing)) if listing else []
    runs = sum(len(line_runs(line.text)) for line in joined.lines)
    if sum(map(len, records)) < runs:
        return []
    if listing and not records and not any(row_cells(line.text) for line in joined.lines):
        records = list(find_sized_records(listing, joined.text))
    if len(records) == 1 and len(records[0]) == 1:  # answered in the list
        return [[place_in_columns(place(joined, records[0][0], whole=True))]]
    return [[place(joined, at) for at in record] for record in records]


def read_listed(name: str, records: list[list[list[SudokuLine]]]) -> Iterator[Item]:
    """Read the puzzles of a list. One alone is answered in the list, others on lines."""
    if len(records) == 1 and len(records[0]) == 1:
        yield attempt(read_puzzle, name, records[0][0])
        return
    for record in records:
        if len(record) == 2 and is_answer(record[1], record[0]):
            record.reverse()
        yield from read_beside(name, record)


def find_records(listing: Listing, find: FindGrid | None = None) -> Iterator[list[Spans]]:
    """Generate where the cells of Sudokus are, together those that stand beside each other.

    ``find`` finds the cells of one Sudoku, ``find_grid`` or ``find_sized``.
    """
    find = find or find_grid
    whole = find(listing)
    if whole:
        yield [whole]
        return
    if find is find_sized and _is_damaged(listing):
        return
    grids = [find(item) for item in listing.items]
    beside = [grid for grid in grids if grid]
    if beside:
        yield beside
    for item, grid in zip(listing.items, grids, strict=True):
        if isinstance(item, Listing) and not grid:
            yield from find_records(item, find)


def _is_damaged(listing: Listing) -> bool:
    """Tell whether a list may be a damaged one of 16 rows, of which each would be a 4 x 4."""
    strings = [item for item in listing.items if isinstance(item, Word) and item.quoted]
    rows = [word for word in strings if len(word.text) == 16]
    return 15 <= len(strings) <= 17 and len(rows) >= 14


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
    number = len(item.items)
    return _find_rows(item, 81 // number, is_cell) if number in (9, 81) else []


def find_sized(item: Word | Listing) -> Spans:
    """Find the cells of a string or of a list of another size. Returns none if it is no grid."""
    if isinstance(item, Word):
        at = field_cells(item.text) if item.quoted and not _only_zeros_are_blank(item.text) else []
        return shifted(at, item.start)
    side = len(item.items)
    return _find_rows(item, side, is_word) if side in OTHER_SIDES else []


def _only_zeros_are_blank(text: str) -> bool:
    """Tell whether a string could be a number: it has zeros, and no other sign for a blank."""
    return "0" in text and set("._*-").isdisjoint(text)


def _find_rows(listing: Listing, width: int, is_one: Callable[[str], bool]) -> Spans:
    """Find the cells of rows of so many cells. Returns none unless all items are such rows."""
    rows = [_find_row(item, width, is_one) for item in listing.items]
    return list(chain.from_iterable(rows)) if all(rows) else []


def _find_row(item: Word | Listing, width: int, is_one: Callable[[str], bool]) -> Spans:
    """Find the cells of a row: words, each of which ``is_one``, or the characters of a string."""
    items = [item] if isinstance(item, Word) else item.items
    words = [word for word in items if isinstance(word, Word) and is_one(word.text)]
    if len(words) == len(items) == width:
        return [(word.start, word.start + len(word.text)) for word in words]
    is_nine = width == USUAL.side
    if not isinstance(item, Word) or not (is_nine or (item.quoted and len(item.text) == width)):
        return []
    found = cells_of_rows([item.text], width)
    return shifted(found[0], item.start) if found else []
