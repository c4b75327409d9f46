"""Finds the rows of the Sudokus of a group of lines, and tells where a group may end.

This module knows lines that stand together, of which none is a puzzle by itself. It does not know
lists, CSV or bytes.
"""

import re
from collections import Counter
from dataclasses import replace

from trmsolve.puzzles.sudoku.board import USUAL, board_of
from trmsolve.puzzles.sudoku.cells import has_label, row_cells, tabled_cells
from trmsolve.puzzles.sudoku.digits import OTHER_SIDES
from trmsolve.puzzles.sudoku.line import SudokuLine
from trmsolve.puzzles.sudoku.problems import (
    candidates_problem,
    cells_between,
    foreign,
    line_problem,
)
from trmsolve.puzzles.sudoku.signs import CELLS, DIGITS, SHAPE, Spans
from trmsolve.puzzles.sudoku.sizes import (
    Frame,
    cells_of_rows,
    frame_of,
    line_cells,
    line_side,
    rows_cells,
)
from trmsolve.wording import count

_SIZE = re.compile(r"\s*\d{1,3}(?:\s*[x\xd7, ]\s*\d{1,3}){0,2}\s*")
_COUNTS = ("123456789", "012345678")
_WORD = re.compile(r"[0-9A-Za-z._*-]+")


def split_group(group: list[SudokuLine]) -> list[list[SudokuLine]]:
    """Split a group into puzzles, each with its whole drawing.

    The nine rows of a puzzle know where their cells are, other lines have none. Raises PuzzleError
    if the group is no puzzle.
    """
    if not any(line.drawn for line in group):
        return []
    group = _leave_out_size([_find_cells(line) for line in _pad(group)])
    group = _leave_out_numbers(group)
    sized = split_sized(group)
    if sized:
        return sized
    _refuse_foreign(group)
    chosen = _choose_rows(group)
    if not chosen:
        return []  # a line between puzzles, for the eye
    _refuse_ragged([group[i] for i in chosen])
    if len(chosen) % 9:
        problem = f"{count(len(chosen), 'row')}; a grid has 9 rows of 9 cells"
        raise group[chosen[0]].error(problem)
    rows = set(chosen)
    group = [line if i in rows else replace(line, at=()) for i, line in enumerate(group)]
    # Puzzles may follow each other without an empty line: of the rules between them, half are a
    # bottom and half a top.
    puzzles: list[list[SudokuLine]] = []
    start = 0
    for above, below in zip(chosen[8::9], chosen[9::9], strict=False):
        stop = above + (below - above) // 2 + 1
        puzzles.append(group[start:stop])
        start = stop
    return [*puzzles, group[start:]]


def _leave_out_size(group: list[SudokuLine]) -> list[SudokuLine]:
    """Make a title of a first line that says the size or the number of what follows, as ``9 9``."""
    first, *rows = [i for i, line in enumerate(group) if line.kind in ("row", "wide")] or [0]
    if not is_size(group[first]):
        return group
    says_size = set(re.findall(r"\d+", group[first].text)) == {str(len(rows))}
    if not says_size and not all(group[i].at for i in rows):
        return group
    title = replace(group[first], kind="title")
    return [*group[:first], title, *group[first + 1 :]]


def is_size(line: SudokuLine) -> bool:
    """Tell whether a line may say a size or a number, and is no row."""
    return bool(_SIZE.fullmatch(line.text)) and not row_cells(line.text)


def _leave_out_numbers(group: list[SudokuLine]) -> list[SudokuLine]:
    """Find the cells of rows that are numbered, with numbered columns above them or not."""
    rows = [i for i, line in enumerate(group) if line.kind == "row"]
    header = group[rows[0]] if len(rows) == 10 else None
    if header:
        if _join(header, header.at or tabled_cells(header.text)) not in _COUNTS:
            return group
        group = [replace(line, kind="title", at=()) if line is header else line for line in group]
        rows = rows[1:]
    tables = {i: tabled_cells(group[i].text) for i in rows}
    if len(rows) != 9 or len(tables) != 9 or not all(tables.values()):
        return group
    numbers = [_join(group[i], at[:1]) for i, at in tables.items()]
    if "".join(numbers) not in _COUNTS:
        return group
    return [
        replace(line, at=tables[i][1:]) if i in tables else line for i, line in enumerate(group)
    ]


def _join(line: SudokuLine, at: Spans) -> str:
    """Join the words of a line at these places."""
    return "".join(line.text[start:stop].strip() for start, stop in at)


def split_sized(group: list[SudokuLine]) -> list[list[SudokuLine]]:
    """Split a group into Sudokus of other sizes than 9 x 9. Returns none if they are none.

    Raises PuzzleError if their size is certain, but not their cells.
    """
    rows = [line for line in group if line.kind in ("row", "wide")]
    if not rows or all(line.at for line in rows) or _has_numbers(rows):
        return []
    lines = [replace(line, at=line_cells(line.text)) for line in rows]
    if all(line.at for line in lines) and not _is_square(rows):
        return [[line] for line in lines]
    sized = _find_square(group, rows)
    if not sized:
        _refuse_other_size(rows)
    return sized


def _has_numbers(rows: list[SudokuLine]) -> bool:
    """Tell whether ten rows may be nine with numbers at the left, below a header of numbers."""
    at = [tabled_cells(line.text) for line in rows]
    if len(rows) != 10 or not all(at):
        return False
    firsts = [_join(row, cells[:1]) for row, cells in zip(rows, at, strict=True)]
    return _join(rows[0], at[0][1:]) in _COUNTS or "".join(firsts[1:]) in _COUNTS


def _is_square(rows: list[SudokuLine]) -> bool:
    """Tell whether 16 lines of 16 characters are one Sudoku: they have digits that no small has."""
    text = "".join([line.text for line in rows])
    return len(rows) == 16 and bool(set(text.upper()) & set("56789ABCDEFG"))


def _find_square(group: list[SudokuLine], rows: list[SudokuLine]) -> list[list[SudokuLine]]:
    """Find the one Sudoku of a group: its rows are as many as each has cells.

    Rows without a clue may look like rules. A size that needs all of them is likelier than one that
    leaves some out: clues of a large board may stand where a smaller one has its cells.
    """
    for keeps_all in (True, False):
        for side in OTHER_SIDES:
            like = rows
            if keeps_all or len(rows) < side:
                like = _with_rules(group, rows, side)
            found = rows_cells([line.text for line in like], side) if len(like) == side else []
            if found:
                at = {line.number: cells for line, cells in zip(like, found, strict=True)}
                return [[replace(line, at=at.get(line.number, ())) for line in group]]
    return []


def _with_rules(group: list[SudokuLine], rows: list[SudokuLine], side: int) -> list[SudokuLine]:
    """Add to rows those rules that may be rows without a clue."""
    model = rows[0].text
    like = [line for line in group if line.kind == "rule" and rows_cells([model, line.text], side)]
    return sorted(rows + like, key=lambda line: line.number)


def _refuse_other_size(rows: list[SudokuLine]) -> None:
    """Raise PuzzleError if the rows are a Sudoku of another size that cannot be read."""
    if len(rows) == 1 and line_side(rows[0].text.strip()):
        raise rows[0].error(*line_problem(rows[0].text))
    wide = [line for line in rows if line.kind == "wide"]
    if len(rows) in OTHER_SIDES:
        words = [_WORD.findall(line.text) for line in rows]
        if all(len(rows) in (len(row), len("".join(row))) for row in words):
            size = f"{len(rows)} x {len(rows)}"
            raise rows[0].error(f"a Sudoku of {size} whose rows have different shapes")
    if wide:
        raise wide[0].error(*line_problem(wide[0].text))


def _refuse_foreign(group: list[SudokuLine]) -> None:
    """Raise PuzzleError for lines that cannot be part of a drawing."""
    for line in group:
        if line.at or not line.drawn:
            continue
        problem = candidates_problem(line.text)
        if line.kind == "row":
            problem = problem or foreign(line.text)
        if problem:
            raise line.error(*problem)


def _find_cells(line: SudokuLine) -> SudokuLine:
    """Add to a drawn line where its cells are, if it has nine."""
    if not line.drawn:
        return line
    return replace(line, at=row_cells(line.text))


def _choose_rows(group: list[SudokuLine]) -> list[int]:
    """Choose the lines that are rows.

    ``---------`` is a row among rows of its shape, if one is missing and ``-`` is their blank.
    """
    sure = [i for i, line in enumerate(group) if line.kind == "row"]
    maybe = [i for i, line in enumerate(group) if line.kind == "rule" and line.at]
    if not sure:
        looks = Counter(group[i].text for i in maybe)
        return [i for i in maybe if looks[group[i].text] % 9 == 0]
    if len(sure) % 9 == 0:
        return sure
    shapes = {group[i].template for i in sure}
    words = {word for i in sure for word in group[i].words}
    blanks = words - set(DIGITS) or CELLS | {" "}
    like = [i for i in maybe if group[i].template in shapes and group[i].words[0] in blanks]
    return sorted(sure + like)


def _pad(group: list[SudokuLine]) -> list[SudokuLine]:
    """Restore the blanks at the ends of rows that an editor has stripped, where that is certain."""
    drawn = [line for line in group if line.drawn]
    text = "".join(line.text for line in drawn)
    if len(drawn) != 9:
        return group
    tabs = [line.text.count("\t") for line in drawn]
    stripped = not any(line.text.endswith("\t") for line in drawn)
    widths = [len(line.text) for line in drawn]
    if stripped and max(tabs) == 8 and min(tabs) > 0:
        ends = ["\t" * (8 - number) for number in tabs]
    elif max(widths) == 9 and " " in text and not text.strip(DIGITS + " "):
        ends = [" " * (9 - width) for width in widths]
    else:
        return group
    missing = {line.number: end for line, end in zip(drawn, ends, strict=True)}
    return [line.padded(missing.get(line.number, "")) for line in group]


def _refuse_ragged(rows: list[SudokuLine]) -> None:
    """Raise PuzzleError unless every row has nine cells.

    Where blanks are spaces, the cells have to stand in columns.
    """
    for nth, row in enumerate(rows, 1):
        if row.at:
            continue
        at = cells_between(row.text, 0, len(row.text), spaces=len(row.text) < 9)
        found = count(len(at), "cell")
        problem = f"{found}; {SHAPE}"
        if len(rows) > 1:
            problem = f"ragged grid: row {nth} has {found}, every row needs 9"
        raise row.error(problem, [*at, len(row.text)][min(len(at), 9)])
    _refuse_uneven(rows)
    labels = [has_label(row.text) for row in rows]
    if any(labels) and not all(labels):
        row = rows[labels.index(not labels[0])]
        raise row.error("ragged grid: some rows have a label and others have none")
    if not any(" " in row.words for row in rows):
        return
    for nth, row in enumerate(rows, 1):
        if row.at != rows[0].at:
            problem = f"ragged grid: row {nth} is not in line with row 1; write blanks as '.'"
            raise row.error(problem)


def _refuse_uneven(rows: list[SudokuLine]) -> None:
    """Raise PuzzleError if a row has empty cells, and more or fewer delimiters than others.

    A delimiter may end each row, but one too many shifts the cells of its row.
    """
    for delimiter in ",;\t":
        counts = [row.text.count(delimiter) for row in rows]
        most = Counter(counts).most_common(1)[0][0]
        for nth, (row, found) in enumerate(zip(rows, counts, strict=True), 1):
            if found != most and "" in row.words:
                problem = f"row {nth} has {found} {delimiter!r}, most have {most}"
                raise row.error(f"ragged grid: {problem}")


def side_of(group: list[SudokuLine]) -> int:
    """The number of rows that the Sudoku of a group has."""
    first = next((line.text for line in group if line.kind in ("row", "wide")), "")
    sides = [side for side in (USUAL.side, *OTHER_SIDES) if any(cells_of_rows([first], side))]
    return sides[0] if sides else USUAL.side


def has_other_frame(frames: set[Frame], line: SudokuLine) -> bool:
    """Tell whether a line has another frame than one of these, and so belongs to another puzzle.

    Rows of nine cells and of a larger board do. But a row of a larger board may have nine digits
    too, and spaces for its blanks.
    """
    frame = frame_of(line.text)
    return bool(frames) and (not frame or frames != {frame})


def split_bands(group: list[SudokuLine]) -> list[list[SudokuLine]]:
    """Split a group at its empty lines into those parts that have something drawn."""
    bands: list[list[SudokuLine]] = [[]]
    for line in group:
        if line.kind == "blank":
            bands.append([])
        else:
            bands[-1].append(line)
    return [band for band in bands if any(line.drawn for line in band)]


def awaits_bands(group: list[SudokuLine]) -> bool:
    """Tell whether a grid may go on after an empty line: in bands of boxes, or row by row."""
    bands = split_bands(group)
    if bands and is_size(bands[0][0]):
        bands[0] = bands[0][1:]
    side = side_of([line for band in bands for line in band])
    rows = [_rows_of(band, side) for band in bands]
    heights = set(map(len, rows))
    may_be_bands = heights == {board_of(side).box_rows} or (heights == {1} and side == USUAL.side)
    found = cells_of_rows([row.text for band in rows for row in band], side)
    return may_be_bands and 0 < len(found) < side and all(found)


def _rows_of(band: list[SudokuLine], side: int) -> list[SudokuLine]:
    """The rows of a band. Those of blanks may look like rules, if with them it has 1 or 3."""
    rows = [line for line in band if line.kind in ("row", "wide")]
    if side == USUAL.side and all(row_cells(row.text) for row in rows):
        like = [line for line in band if line.drawn and row_cells(line.text)]
        return like if len(like) in (1, 3) else rows
    return rows
