"""The Sudoku drawing, character by character and style by style."""

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from trmsolve.puzzles.sudoku.paint import cell_styles, dots, paint_sudoku, paint_sudoku_large
from trmsolve.puzzles.values import Cycle, Line, Puzzle
from trmsolve.show.frame import cycle_facts

QUESTION = "530070000600195000098000060800060003400803001700020006060000280000419005000080079"
ANSWER = "534678912672195348198342567859761423426853791713924856961537284287419635345286179"


def grid(text: str) -> NDArray[np.int8]:
    return np.array([int(digit) for digit in text], np.int8).reshape(9, 9)


def cells(*places: tuple[int, int]) -> NDArray[np.bool_]:
    mask = np.zeros((9, 9), np.bool_)
    for place in places:
        mask[place] = True
    return mask


def cycle(
    answer: NDArray[np.int8],
    changed: NDArray[np.bool_] | None = None,
    faulty: NDArray[np.bool_] | None = None,
    confidence: NDArray[np.float32] | None = None,
) -> Cycle:
    none, sure = cells(), np.ones((9, 9), np.float32)
    return Cycle(
        puzzle=Puzzle(grid(QUESTION)),
        number=1,
        limit=16,
        view=1,
        views=1,
        grid=answer,
        confidence=sure if confidence is None else confidence,
        changed=none if changed is None else changed,
        faulty=none if faulty is None else faulty,
        violations=0,
        halt=0.5,
    )


def text(lines: list[Line]) -> str:
    return "\n".join("".join(piece for piece, _ in line) for line in lines)


@pytest.fixture
def troubled() -> Cycle:
    """A clue overwritten (5 -> 7), a conflict in the same box, two changed cells, a blank."""
    answer = grid(ANSWER)
    answer[0, 0] = answer[0, 2] = 7
    answer[8, 0] = 0
    return cycle(answer, cells((0, 0), (0, 2), (4, 4), (4, 7)), cells((0, 0), (0, 2), (0, 4)))


def test_plain_drawing_reads_without_colour(troubled: Cycle) -> None:
    assert text(paint_sudoku(troubled, plain=True)) == (
        "+-------+-------+-------+\n"
        "| 7?3 7!| 6 7!8 | 9 1 2 |\n"
        "| 6 7 2 | 1 9 5 | 3 4 8 |\n"
        "| 1 9 8 | 3 4 2 | 5 6 7 |\n"
        "+-------+-------+-------+\n"
        "| 8 5 9 | 7 6 1 | 4 2 3 |\n"
        "| 4 2 6 | 8 5*3 | 7 9*1 |\n"
        "| 7 1 3 | 9 2 4 | 8 5 6 |\n"
        "+-------+-------+-------+\n"
        "| 9 6 1 | 5 3 7 | 2 8 4 |\n"
        "| 2 8 7 | 4 1 9 | 6 3 5 |\n"
        "| . 4 5 | 2 8 6 | 1 7 9 |\n"
        "+-------+-------+-------+"
    )


def test_drawing_in_light_box_lines_keeps_the_mark_of_an_overwritten_clue(troubled: Cycle) -> None:
    assert text(paint_sudoku(troubled, plain=False)) == (
        "╭───────┬───────┬───────╮\n"
        "│ 7?3 7 │ 6 7 8 │ 9 1 2 │\n"
        "│ 6 7 2 │ 1 9 5 │ 3 4 8 │\n"
        "│ 1 9 8 │ 3 4 2 │ 5 6 7 │\n"
        "├───────┼───────┼───────┤\n"
        "│ 8 5 9 │ 7 6 1 │ 4 2 3 │\n"
        "│ 4 2 6 │ 8 5 3 │ 7 9 1 │\n"
        "│ 7 1 3 │ 9 2 4 │ 8 5 6 │\n"
        "├───────┼───────┼───────┤\n"
        "│ 9 6 1 │ 5 3 7 │ 2 8 4 │\n"
        "│ 2 8 7 │ 4 1 9 │ 6 3 5 │\n"
        "│ · 4 5 │ 2 8 6 │ 1 7 9 │\n"
        "╰───────┴───────┴───────╯"
    )


@pytest.mark.parametrize("plain", [True, False])
def test_never_wider_than_25_columns_or_higher_than_13_lines(plain: bool) -> None:
    everything = np.ones((9, 9), np.bool_)
    drawn = text(paint_sudoku(cycle(9 - grid(ANSWER), everything, everything), plain)).split("\n")
    assert len(drawn) == 13
    assert {len(line) for line in drawn} == {25}


def test_every_cell_is_one_piece_with_its_style(troubled: Cycle) -> None:
    drawn = Counter(
        style for line in paint_sudoku(troubled, plain=False) for _, style in line if style
    )
    drawn.pop("border")
    assert drawn == Counter(style for row in cell_styles(troubled) for style in row)
    assert sum(drawn.values()) == 81


def test_styles_of_an_ordinary_answer() -> None:
    confidence = np.full((9, 9), 0.9, np.float32)
    confidence[0, :] = 0.4  # the clues of that row stay clues
    styles = cell_styles(cycle(grid(ANSWER), changed=cells((1, 1)), confidence=confidence))
    assert styles[0] == [
        "given",
        "given",
        "unsure",
        "unsure",
        "given",
        "unsure",
        "unsure",
        "unsure",
        "unsure",
    ]
    assert styles[1][:3] == ["given", "changed", "answer"]


def test_the_worst_news_of_a_cell_wins() -> None:
    answer = grid(ANSWER)
    answer[0, 0] = 0  # a clue wiped out, also faulty, changed and blank
    everywhere = np.ones((9, 9), np.bool_)
    assert cell_styles(cycle(answer, everywhere, everywhere))[0][:3] == [
        "overwritten",
        "conflict",
        "conflict",
    ]
    assert cell_styles(cycle(answer, everywhere))[0][:3] == ["overwritten", "changed", "changed"]


def test_no_clue_is_overwritten_where_all_are_kept() -> None:
    styles = {style for row in cell_styles(cycle(grid(ANSWER))) for style in row}
    assert styles == {"given", "answer"}


def test_a_reversed_digit_does_not_colour_the_gap_behind_it(troubled: Cycle) -> None:
    row = paint_sudoku(troubled, plain=False)[1]
    assert ("7", "conflict") in row
    assert ("7?", "overwritten") in row


# A lattice: what is still possible


def lattice(
    changed: NDArray[np.bool_] | None = None, faulty: NDArray[np.bool_] | None = None
) -> Cycle:
    """The cells of the second row have 9, 8, 7 ... 1 candidates left, one of the third none.

    All others have their digit.
    """
    possible = np.eye(9, dtype=np.bool_)[grid(ANSWER) - 1]
    for column in range(9):
        possible[1, column] = np.arange(9) < 9 - column
    possible[2, 0] = False
    answer = grid(ANSWER)
    answer[1] = 1
    blank = Puzzle(np.zeros((9, 9), np.int8))
    return replace(cycle(answer, changed, faulty), puzzle=blank, candidates=possible, violations=9)


def rows(lines: list[Line], *numbers: int) -> list[str]:
    drawn = text(lines).split("\n")
    return [drawn[number] for number in numbers]


def test_an_open_cell_is_drawn_as_its_candidates_in_the_same_columns() -> None:
    assert rows(paint_sudoku(lattice(), plain=False), 1, 2, 3) == [
        "│ 5 3 4 │ 6 7 8 │ 9 1 2 │",
        "│ ⠿⠇⠿⠃⠟⠃│ ⠛⠃⠛⠁⠋⠁│ ⠉⠁⠉ 1 │",
        "│ x 9 8 │ 3 4 2 │ 5 6 7 │",
    ]


def test_open_cells_in_ascii_gain_ink_and_never_show_a_number() -> None:
    assert rows(paint_sudoku(lattice(changed=cells((1, 5))), plain=True), 1, 2, 3) == [
        "| 5 3 4 | 6 7 8 | 9 1 2 |",
        "| . . . | . . :*| : = 1 |",
        "| x!9 8 | 3 4 2 | 5 6 7 |",
    ]


@pytest.mark.parametrize("plain", [True, False])
def test_a_lattice_keeps_the_size_and_one_piece_a_cell(plain: bool) -> None:
    lines = paint_sudoku(lattice(changed=cells((1, 0), (1, 8))), plain)
    assert {len(line) for line in text(lines).split("\n")} == {25}
    styles = [style for line in lines for _, style in line if style and style != "border"]
    assert len(styles) == 81 and set(styles) == {"open", "changed", "conflict", "answer"}


@pytest.mark.parametrize(
    ("digits", "drawn"),
    [
        ((1, 2, 3, 4, 5, 6, 7, 8, 9), "⠿⠇"),
        ((1, 9), "⠁⠄"),
        ((3, 6), " ⠃"),
        ((2, 4, 6, 8), "⠪⠂"),
        ((7, 8), "⠤ "),
    ],
)
def test_dots_stand_where_the_digits_of_a_keypad_do(digits: tuple[int, ...], drawn: str) -> None:
    assert dots([digit in digits for digit in range(1, 10)]) == drawn


def test_a_cell_that_claims_no_digit_breaks_no_rule() -> None:
    everywhere = np.ones((9, 9), np.bool_)
    styles = cell_styles(lattice(faulty=everywhere))
    assert styles[1] == ["open"] * 8 + ["conflict"]
    assert styles[2][0] == "conflict"  # nothing is possible here
    assert cell_styles(lattice(faulty=cells(), changed=everywhere))[1][0] == "changed"


def test_an_overwritten_clue_is_shown_as_a_digit_whatever_is_still_possible() -> None:
    answer = grid(ANSWER)
    answer[0, 0] = 7
    wiped = replace(cycle(answer), candidates=np.ones((9, 9, 9), np.bool_), violations=4)
    assert rows(paint_sudoku(wiped, plain=False), 1) == ["│ 7?⠿⠇⠿⠇│ ⠿⠇⠿⠇⠿⠇│ ⠿⠇⠿⠇⠿⠇│"]
    assert rows(paint_sudoku(wiped, plain=True), 1) == ["| 7?. . | . . . | . . . |"]


@pytest.mark.parametrize("plain", [True, False])
def test_an_answer_that_breaks_no_rule_is_seen_as_digits(plain: bool) -> None:
    done = replace(cycle(grid(ANSWER)), candidates=np.ones((9, 9, 9), np.bool_), violations=0)
    assert paint_sudoku(done, plain) == paint_sudoku(replace(done, candidates=None), plain)


def test_candidates_of_undecided_cells_are_counted_beside_the_grid() -> None:
    lines: list[Line] = []
    facts = {fact.label: fact.value for fact in cycle_facts(lattice(), lines, plain=False)}
    assert facts["candidates"].plain == str(9 + 8 + 7 + 6 + 5 + 4 + 3 + 2)
    assert facts["candidates"].spans[0].style == "open"
    decided = replace(lattice(), candidates=np.eye(9, dtype=np.bool_)[grid(ANSWER) - 1])
    assert {f.label: f.value.plain for f in cycle_facts(decided, lines, plain=True)}[
        "candidates"
    ] == "0"
    assert "candidates" not in {
        fact.label for fact in cycle_facts(cycle(grid(ANSWER)), lines, plain=False)
    }


def test_the_large_drawing_has_pencil_marks(troubled: Cycle) -> None:
    """Open cells have their digits at their places, decided ones a digit in the middle."""
    candidates = np.zeros((9, 9, 9), np.bool_)
    for row, column in np.argwhere(troubled.grid > 0):
        candidates[row, column, troubled.grid[row, column] - 1] = True
    candidates[0, 1] = [False, True, True, False, True, False, False, False, True]
    candidates[4, 4] = True
    candidates[8, 8] = False
    lines = paint_sudoku_large(replace(troubled, candidates=candidates, violations=1))
    rows = text(lines).split("\n")
    assert {len(row) for row in rows} == {73} and len(rows) == 37
    assert rows[:4] == [
        "┏━━━━━━━┯━━━━━━━┯━━━━━━━┳━━━━━━━┯━━━━━━━┯━━━━━━━┳━━━━━━━┯━━━━━━━┯━━━━━━━┓",
        "┃       │   2 3 │       ┃       │       │       ┃       │       │       ┃",
        "┃   7   │   5   │   7   ┃   6   │   7   │   8   ┃   9   │   1   │   2   ┃",
        "┃       │     9 │       ┃       │       │       ┃       │       │       ┃",
    ]
    assert [row[33:40] for row in rows[17:20]] == [" 1 2 3 ", " 4 5 6 ", " 7 8 9 "]
    assert rows[34][-5] == "x"
    assert rows[12].startswith("┣━━━━━━━┿") and rows[4].startswith("┠───────┼")
    assert rows[36].startswith("┗━━━━━━━┷") and rows[36].endswith("━━━━━━━┛")
    styles = Counter(style for piece, style in lines[2] if piece.strip())
    assert styles["overwritten"] == 1 and styles["open"] == 1 and styles["border"] == 10
