"""Sudokus in a CSV: the columns that hold them, and answers beside questions.

This module knows one record at a time, and neither the lines around it nor bytes.
"""

import re
from collections.abc import Sequence

from trmsolve.puzzles.reading.fields import Field
from trmsolve.puzzles.reading.lines import TextLines
from trmsolve.puzzles.reading.table import Holdings, Record, Table, Words, find_columns
from trmsolve.puzzles.sudoku.board import board_of
from trmsolve.puzzles.sudoku.cells import COMMENT
from trmsolve.puzzles.sudoku.form import LINE
from trmsolve.puzzles.sudoku.line import SudokuLine, cells_of, place
from trmsolve.puzzles.sudoku.problems import line_problem
from trmsolve.puzzles.sudoku.puzzle import answer_grid, read_puzzle
from trmsolve.puzzles.sudoku.signs import BLANKS, Spans, shifted
from trmsolve.puzzles.sudoku.sizes import field_cells, line_cells
from trmsolve.puzzles.values import Grid, Puzzle

_WORDS = Words(
    re.compile(r"(sudoku|puzzle|question|quiz|clue|problem|given|board|grid)(s|zes)?"),
    re.compile(r"(answer|solution|solved)s?"),
)

Lines = Sequence[SudokuLine]


class SudokuTable(Table[SudokuLine, Lines]):
    """Reads Sudokus from the records of a CSV. The form of each is a line."""

    beside = re.compile(rf"\s*|{COMMENT.pattern}")

    def read_question(self, record: Record[SudokuLine], field: Field) -> tuple[Puzzle, Lines]:
        """Read the Sudoku of a field."""
        question = _find_cells(record, field, "question")
        return read_puzzle(self.source.name, question, LINE.template), question

    def read_answer(
        self, record: Record[SudokuLine], field: Field, puzzle: Puzzle, question: Lines
    ) -> Grid:
        """Read an answer. Raises PuzzleError at its first cell that is blank or changes a clue."""
        lines = _find_cells(record, field, "answer")
        cells = cells_of(lines)
        if len(cells) != puzzle.grid.size:
            problem = f"the answer has {len(cells)} cells, the question {puzzle.grid.size}"
            raise lines[0].error(problem, cells[0][1])
        answer = answer_grid(question, lines)
        wrong = (answer == 0) | ((puzzle.grid > 0) & (answer != puzzle.grid))
        if wrong.any():
            cell = int(wrong.argmax())
            line, start, stop = cells[cell]
            value = puzzle.grid.flat[cell]
            clue = puzzle.form.signs[value - 1] if value else "no clue"
            where = board_of(len(answer)).name_cell(cell)
            found = line.text[start:stop]
            raise line.error(f"the answer has {found!r} in {where}, the question {clue}", start)
        return answer


def find_table(header: str, text: str, source: TextLines) -> SudokuTable | None:
    """Find the columns of a CSV. Returns None if the header and the first record are none."""
    found = find_columns(header, text, _WORDS, _find_holdings)
    return SudokuTable(source, *found) if found else None


def _find_holdings(names: Sequence[str], fields: Sequence[Field]) -> Holdings:
    """Tell which fields of the first record hold Sudokus, with blanks or without.

    Where no column has the name for it, digits alone are one of another size only beside one.
    """
    texts = [_bare(field)[0] for field in fields]
    found = [field_cells(text) for text in texts]
    holding = [len(at) == 81 for at in found]
    if len(names) == 1 and len(texts[0]) == 16:
        holding = [False]  # it may be a row of 16 x 16 below its title
    elif not any(holding) and any(map(_WORDS.question.search, names)):
        named = [_WORDS.question.search(name) or _WORDS.answer.search(name) for name in names]
        holding = [bool(name and at) for name, at in zip(named, found, strict=True)]
    elif not any(holding):
        holding = _beside_open_lines(texts, found)
    full = [set(BLANKS).isdisjoint(text) for text in texts]
    return [
        (holds and not is_full, holds and is_full)
        for holds, is_full in zip(holding, full, strict=True)
    ]


def _beside_open_lines(texts: Sequence[str], found: Sequence[Spans]) -> list[bool]:
    """Tell which fields are lines of another size, or full ones of a size that such a line has."""
    lines = [line_cells(text) for text in texts]
    sizes = set(map(len, lines))
    holding: list[bool] = []
    for text, line, at in zip(texts, lines, found, strict=True):
        answers = bool(at) and set(BLANKS).isdisjoint(text) and len(at) in sizes
        holding.append(bool(line) or answers)
    return holding


def _find_cells(record: Record[SudokuLine], field: Field, name: str) -> list[SudokuLine]:
    """Find the cells of one field. Raises PuzzleError if they are no Sudoku."""
    text, start = _bare(field)
    at = field_cells(text)
    if not at:
        problem, index = line_problem(text)
        raise record.lines.error(f"{name}: {problem}", start + index)
    return place(record.lines, shifted(at, start))


def _bare(field: Field) -> tuple[str, int]:
    """The text of a field without blanks around it, unless they make it 81 characters long.

    Returns also where it begins.
    """
    whole = field.whole
    if len(whole) == 81:
        return whole, field.start
    return whole.strip(), field.start + len(whole) - len(whole.lstrip())
