"""Sudokus in a CSV: its columns, told by their names and their content, and its records.

This module knows one record at a time, and neither the lines around it nor bytes.
"""

import re
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
from trmsolve.puzzles.sudoku.board import USUAL
from trmsolve.puzzles.sudoku.cells import (
    DIGITS,
    Spans,
    is_line,
    row_cells,
    single,
)
from trmsolve.puzzles.sudoku.drawing import Line, grid_of, read_puzzle
from trmsolve.puzzles.sudoku.form import LINE
from trmsolve.puzzles.sudoku.sizes import line_problem
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
    columns = [_describe(i, names[i], fields[i].text) for i in range(len(names))]
    named = len(names) > 1 and any(column.asks for column in columns)
    if not named and not any(column.holds_puzzle for column in columns):
        return None
    return SudokuCsv(delimiter, choose_columns(columns))


def _describe(index: int, name: str, text: str) -> Column:
    """Describe a column by its name and by its field in the first record."""
    cells = bool(_find_cells(text))
    full = not text.strip(DIGITS + "\n")
    return Column(
        index,
        name,
        asks=bool(_QUESTION.search(name)),
        tells=bool(_ANSWER.search(name)),
        holds_question=cells and not full,
        holds_answer=cells and full,
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
    answer = grid_of(line.cells)
    _refuse_other(puzzle.grid, answer, line)
    return replace(puzzle, answer=answer)


def _refuse_other(question: Grid, answer: Grid, line: Line) -> None:
    """Raise PuzzleError at the first cell that is blank in an answer or changes a clue."""
    wrong = (answer == 0) | ((question > 0) & (answer != question))
    if not wrong.any():
        return
    cell = int(wrong.argmax())
    clue = question.flat[cell] or "no clue"
    found = line.cells[cell]
    problem = f"the answer has {found!r} in {USUAL.name_cell(cell)}, the question {clue}"
    raise line.error(problem, line.at[cell][0])


def _find_column(record: Line, fields: list[Field], index: int, name: str) -> Line:
    """Find the 81 cells of one column. Raises PuzzleError if they are not 81 cells."""
    field = get_field(fields, index, name, record.number)
    at = _find_cells(field.text)
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
