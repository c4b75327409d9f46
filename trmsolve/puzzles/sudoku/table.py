"""Sudokus in a CSV: its columns, told by their names and their content, and its records.

This module knows one record at a time, and neither the lines around it nor bytes.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from trmsolve.puzzles.reading.table import (
    Column,
    Columns,
    Field,
    choose_columns,
    ends_quoted,
    find_delimiter,
    get_field,
    get_rating,
    has_text,
    split_record,
)
from trmsolve.puzzles.sudoku.board import board_of
from trmsolve.puzzles.sudoku.cells import (
    BLANKS,
    Spans,
    is_line,
    row_cells,
    single,
)
from trmsolve.puzzles.sudoku.drawing import Line, answer_grid, read_puzzle
from trmsolve.puzzles.sudoku.form import LINE
from trmsolve.puzzles.sudoku.sizes import line_cells, line_problem, sized_cells
from trmsolve.puzzles.values import Grid, Puzzle

_QUESTION = re.compile(r"(sudoku|puzzle|question|quiz|clue|problem|given|board|grid)(s|zes)?")
_ANSWER = re.compile(r"answer|solution|solved")


class SudokuCsv(NamedTuple):
    """What is known of a CSV."""

    delimiter: str
    columns: Columns


def find_table(header: str, text: str) -> SudokuCsv | None:
    """Find the columns of a CSV. Returns None if the header and the first record are none."""
    delimiter = find_delimiter(header)
    names = [field.text.lower() for field in _split_fields(header, delimiter)]
    fields = _split_fields(text, delimiter)
    if len(names) != len(fields) and not ends_quoted(text, delimiter):
        return None
    fields += [Field(0, "")] * (len(names) - len(fields))
    if len(names) == 1 and not _QUESTION.fullmatch(names[0]):
        return None
    if len(names) == 1 and len(fields[0].text) == 16:
        return None  # it may be a row of 16 x 16 below its title
    named = len(names) > 1 and any(_QUESTION.search(name) for name in names)
    texts = [field.text for field in fields[: len(names)]]
    holding = _holding(names, texts)
    columns = [_describe(i, names[i], texts[i], holding[i]) for i in range(len(names))]
    if not named and not any(column.holds_puzzle for column in columns):
        return None
    return SudokuCsv(delimiter, choose_columns(columns))


def _holding(names: Sequence[str], texts: Sequence[str]) -> list[bool]:
    """Tell which fields of the first record hold Sudokus.

    Where no column has the name for it, digits alone are one of another size only beside one.
    """
    found = [_find_cells(text) for text in texts]
    if any(found):
        return list(map(bool, found))
    sized = [sized_cells(text) for text in texts]
    if any(map(_QUESTION.search, names)):
        named = [_QUESTION.search(name) or _ANSWER.search(name) for name in names]
        return [bool(name and at) for name, at in zip(named, sized, strict=True)]
    questions = [line_cells(text) for text in texts]
    sizes = set(map(len, questions))
    holding: list[bool] = []
    for text, question, at in zip(texts, questions, sized, strict=True):
        holding.append(bool(question) or (bool(at) and _is_full(text) and len(at) in sizes))
    return holding


def _is_full(text: str) -> bool:
    """Tell whether a field has no blank."""
    return set(BLANKS).isdisjoint(text)


def _describe(index: int, name: str, text: str, holds: bool) -> Column:
    """Describe a column by its name and by its field in the first record."""
    full = _is_full(text)
    return Column(
        index,
        name,
        asks=bool(_QUESTION.search(name)),
        tells=bool(_ANSWER.search(name)),
        holds_question=holds and not full,
        holds_answer=holds and full,
    )


def read_record(name: str, table: SudokuCsv, record: Line) -> Puzzle:
    """Read one record of a CSV. Its form is a line."""
    columns = table.columns
    fields = _split_fields(record.plain, table.delimiter)
    question = _find_column(record, fields, columns.question, "question")
    puzzle = read_puzzle(name, [question], LINE.template)
    puzzle = replace(puzzle, rating=get_rating(fields, columns.rating))
    if columns.answer is None or not has_text(fields, columns.answer):
        return puzzle
    line = _find_column(record, fields, columns.answer, "answer")
    if len(line.at) != len(question.at):
        problem = f"the answer has {len(line.at)} cells, the question {len(question.at)}"
        raise line.error(problem, line.at[0][0])
    answer = answer_grid([question], [line])
    _refuse_other(puzzle, answer, line)
    return replace(puzzle, answer=answer)


def _refuse_other(puzzle: Puzzle, answer: Grid, line: Line) -> None:
    """Raise PuzzleError at the first cell that is blank in an answer or changes a clue."""
    question = puzzle.grid
    wrong = (answer == 0) | ((question > 0) & (answer != question))
    if not wrong.any():
        return
    cell = int(wrong.argmax())
    start, stop = line.at[cell]
    found = line.plain[start:stop]
    value = question.flat[cell]
    clue = puzzle.form.signs[value - 1] if value else "no clue"
    place = board_of(len(question)).name_cell(cell)
    raise line.error(f"the answer has {found!r} in {place}, the question {clue}", start)


def _find_column(record: Line, fields: list[Field], index: int, name: str) -> Line:
    """Find the cells of one column. Raises PuzzleError if they are no Sudoku."""
    field = get_field(fields, index, name, record.number)
    at = _find_cells(field.text) or sized_cells(field.text)
    if not at:
        problem, place = line_problem(field.text)
        raise record.error(f"{name}: {problem}", field.start + place)
    return record._replace(at=[(start + field.start, stop + field.start) for start, stop in at])


def _find_cells(text: str) -> Spans:
    """Find the 81 cells of a field: on one line, or in nine rows."""
    if is_line(text):
        return single(range(81))
    rows = text.split("\n")
    at: list[tuple[int, int]] = []
    begin = 0
    for row in rows:
        at += [(start + begin, stop + begin) for start, stop in row_cells(row)]
        begin += len(row) + 1
    return at if len(at) == 81 and len(rows) == 9 else []


def _split_fields(text: str, delimiter: str) -> list[Field]:
    """Split one record of a CSV.

    Blanks around a field are left out, unless they make it 81 characters long.
    """
    fields = []
    for field in split_record(text, delimiter):
        whole = field.text + field.tail
        if len(whole) == 81:
            fields.append(Field(field.start, whole))
        else:
            blanks = len(whole) - len(whole.lstrip())
            fields.append(Field(field.start + blanks, whole.strip()))
    return fields
