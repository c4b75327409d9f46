"""Sudokus of other sizes than 9 x 9: every form, what is wrong where, and what is none."""

import io
import time

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.read_variants import SIZED_FORMS, make_sized, sized_text
from trmsolve.errors import PuzzleError
from trmsolve.puzzles.sudoku.board import SIDES, SYMBOLS, board_of
from trmsolve.puzzles.sudoku.form import LINE, TextForm, write_sudoku
from trmsolve.puzzles.sudoku.text import read_sudokus
from trmsolve.puzzles.values import Grid, Puzzle

OTHERS = [side for side in SIDES if side != 9]
SMALL = "1..42.3.3.1.4..2"
QUESTION = "53..7....6..195....98....6.8...6...34..8.3..17...2...6.6....28....419..5....8..79"
ROWS = [QUESTION[i : i + 9] for i in range(0, 81, 9)]
FOUR = "1...3.....4...2."
ANSWER = "1234341221434321"


def read(text: str) -> list[Puzzle | PuzzleError]:
    return list(read_sudokus(io.BytesIO(text.encode()), "f"))


def one(text: str) -> Puzzle:
    (item,) = read(text)
    assert isinstance(item, Puzzle), str(item)
    return item


def error(text: str) -> str:
    (item,) = read(text)
    assert isinstance(item, PuzzleError), item
    return str(item)


def cells_of(grid: Grid) -> str:
    return "".join(SYMBOLS[value] for value in grid.ravel().tolist())


# Every form


@pytest.mark.parametrize("side", OTHERS)
@pytest.mark.parametrize("form", SIZED_FORMS)
def test_every_form_is_read_and_written_back(form: str, side: int) -> None:
    rng = np.random.default_rng(side)
    solution, question = make_sized(rng, side)
    for blank in SIZED_FORMS[form].blanks:
        text = sized_text(form, question, blank)
        puzzle = one(text)
        assert np.array_equal(puzzle.grid, question) and puzzle.grid.dtype == np.int8
        assert write_sudoku(puzzle.grid, puzzle.form) == text
        answered = write_sudoku(solution, puzzle.form)
        assert answered == sized_text(form, solution, blank)


@settings(max_examples=300, deadline=None)
@example(16, "numbers or spaces in boxes", 159)  # a row of it has nine digits
@given(st.sampled_from(OTHERS), st.sampled_from(sorted(SIZED_FORMS)), st.integers(0, 2**32 - 1))
def test_what_is_read_is_written(side: int, form: str, seed: int) -> None:
    rng = np.random.default_rng(seed)
    solution, question = make_sized(rng, side)
    blanks = SIZED_FORMS[form].blanks
    text = sized_text(form, question, blanks[rng.integers(len(blanks))])
    puzzle = one(text)
    assert np.array_equal(puzzle.grid, question)
    assert write_sudoku(puzzle.grid, puzzle.form) == text
    hints = np.where(rng.random(solution.shape) < 0.5, solution, question)
    if not (hints == 0).any() or not (hints > 9).any():
        return
    again = one(write_sudoku(hints, puzzle.form))
    assert np.array_equal(again.grid, hints)


@pytest.mark.parametrize("side", SIDES)
def test_a_grid_without_a_form_is_one_line(side: int) -> None:
    _, question = make_sized(np.random.default_rng(0), side)
    for form in (None, LINE, TextForm()):
        assert write_sudoku(question, form) == cells_of(question) + "\n"


@pytest.mark.parametrize("change", ["shorter", "longer", "lost", "twice"])
def test_the_rows_of_a_damaged_list_are_no_puzzles(change: str) -> None:
    rows = ["." * 16] * 16
    rows[3] = "G..............."
    rows[4] = ".4..1..........."
    assert one(f"{rows}".replace("'", '"')).grid.shape == (16, 16)
    changed = {
        "shorter": [rows[7][1:]],
        "longer": [rows[7] + "."],
        "lost": [],
        "twice": [rows[7]] * 2,
    }
    rows[7:8] = changed[change]
    assert not any(isinstance(item, Puzzle) for item in read(f"{rows}".replace("'", '"')))


def test_a_delimiter_that_shifts_cells_is_refused() -> None:
    rows = ["1,,,4", ",,1,", ",3,,", "4,,,2"]
    assert one("\n".join(rows)).grid.shape == (4, 4)
    assert one("\n".join(row + "," for row in rows)).grid.shape == (4, 4)
    rows[2] = ",,3,,"
    assert all(isinstance(item, PuzzleError) for item in read("\n".join(rows)))


def test_numbers_keep_their_columns() -> None:
    row = " .  .  . 10 |  .  .  2  .  .  ."
    text = "\n".join([row, *[" .  .  .  . |  .  .  .  .  .  ."] * 9]).replace(" | ", "  ") + "\n"
    puzzle = one(text)
    assert puzzle.grid[0, 3] == 10
    drawn = write_sudoku(np.full((10, 10), 7, np.int8), puzzle.form).splitlines()
    assert drawn == [text.splitlines()[1].replace(".", "7")] * 10


def test_zero_is_a_digit_beside_another_sign_for_a_blank() -> None:
    rows = ["." * 16] * 16
    rows[3] = "0..F............"
    puzzle = one("\n".join(rows) + "\n")
    assert puzzle.grid[3, 0] == 1 and puzzle.grid[3, 3] == 16
    answer = np.full((16, 16), 1, np.int8)
    answer[0, 0] = 16
    assert write_sudoku(answer, puzzle.form).splitlines()[0] == "F" + "0" * 15
    rows[3] = "9..F............"
    assert one("\n".join(rows) + "\n").grid[3, 3] == 15


def test_lines_are_puzzles_by_themselves() -> None:
    found = read(f"{SMALL}\n{FOUR}\n\n{SMALL}\n")
    assert [item.source for item in found] == ["f:1", "f:2", "f:4"]
    assert all(isinstance(item, Puzzle) for item in found)
    clash = "11" + SMALL[2:]
    first, second = read(f"{clash}\n{SMALL}\n")
    assert str(first).startswith("f:1:2: two 1s in row 1: r1c1 (line 1, column 1) and r1c2")
    assert isinstance(second, Puzzle)


def test_81_characters_in_a_line_of_100_are_no_puzzle() -> None:
    line = (
        "___A2_____16______A_4_37___________6_3_____65__________5____8_________________4_________5"
    )
    line = (line + "___6_9____3").replace("65_", "_5_")
    assert one(f"{line}\n").grid.shape == (10, 10)
    other = f"1_________________A{QUESTION.replace('.', '_')}"
    assert [item.grid.shape for item in read(other) if isinstance(item, Puzzle)] == [(9, 9)]


def test_sixteen_lines_of_sixteen_are_one_or_sixteen_by_their_digits() -> None:
    found = read(f"{SMALL}\n" * 16)
    assert [item.grid.shape for item in found if isinstance(item, Puzzle)] == [(4, 4)] * 16
    rows = ["." * 16] * 16
    rows[5] = "1...5..........."
    assert one("\n".join(rows)).grid.shape == (16, 16)


def test_bands_may_stand_apart_and_the_size_above() -> None:
    assert one("1.3.\n3...\n\n....\n....\n").grid.shape == (4, 4)
    assert one("4 4\n1 0 3 0\n3 0 0 0\n0 0 0 0\n0 0 0 0\n").source == "f:2"


@pytest.mark.parametrize("title", ["Puzzle", "grid", "No 7"])
def test_a_title_above_sixteen_rows_is_no_header(title: str) -> None:
    rows = ["....1...........", "8" + "." * 15, *["." * 16] * 14]
    assert one("\n".join([title, *rows])).grid.shape == (16, 16)


def test_the_column_of_ids_is_no_question_where_the_first_puzzle_is_damaged() -> None:
    for number in ("1000300000400020", "12345612-1234-1234-1234-123412341234"):
        found = read(f"id,puzzle\n{number},{QUESTION[:80]}\n{number},{QUESTION}\n")
        assert [isinstance(item, Puzzle) for item in found] == [False, True]


def test_rules_are_rows_where_one_is_missing() -> None:
    assert cells_of(one("1--3\n----\n2---\n---4\n").grid) == "1..3....2......4"
    assert cells_of(
        one("+--+--+\n|1 | 3|\n|  |  |\n+--+--+\n|2 |  |\n|  | 4|\n+--+--+\n").grid
    ) == ("1..3....2......4")


@pytest.mark.parametrize("last", ["  ", "4 ", "5 "])
@pytest.mark.parametrize("first", "36")
def test_rows_without_a_clue_count_although_the_others_would_be_a_smaller_board(
    first: str, last: str
) -> None:
    """Four of six rows have clues, all where a frame of two times two cells has its cells."""
    text = f"""\
+-------+-------+
|       |     {first} |
|     1 |       |
+-------+-------+
|       |       |
|       |       |
+-------+-------+
| 3     | 1     |
|       |     {last}|
+-------+-------+
"""
    puzzle = one(text)
    end = last.strip() or "0"
    rows = [f"00000{first}", "001000", "000000", "000000", "300100", f"00000{end}"]
    assert cells_of(puzzle.grid).replace(".", "0") == "".join(rows)
    assert write_sudoku(puzzle.grid, puzzle.form) == text


def test_a_full_answer_is_no_puzzle_and_neither_is_an_empty_board() -> None:
    assert error("\n".join(["1234", "3412", "2143", "4321"])) == (
        "f:1:1: a Sudoku of 4 x 4 without a blank"
    )
    assert error("....\n" * 4) == "f:1:1: a Sudoku of 4 x 4 without a clue"
    assert error("." * 256) == "f:1:1: a Sudoku of 16 x 16 without a clue"


# Tables and lists


@pytest.mark.parametrize(
    "text",
    [
        f"puzzle,solution\n{FOUR},{ANSWER}\n",
        f"puzzle,solution\n{FOUR.replace('.', '0')},{ANSWER}\n",
        f"a,b,c\n7,{FOUR},{ANSWER}\n",
        'id;puzzle;solution\n1;"1...\n3...\n..4.\n..2.";"1234\n3412\n2143\n4321"\n',
        f'{{"puzzle": "{FOUR}", "solution": "{ANSWER}"}}\n',
        f'{{"solution": "{ANSWER}", "puzzle": "{FOUR}"}}\n',
        "[[[1,0,0,0],[3,0,0,0],[0,0,4,0],[0,0,2,0]],[[1,2,3,4],[3,4,1,2],[2,1,4,3],[4,3,2,1]]]\n",
    ],
)
def test_a_question_and_its_answer(text: str) -> None:
    puzzle = one(text)
    assert cells_of(puzzle.grid) == FOUR
    assert puzzle.answer is not None and cells_of(puzzle.answer) == ANSWER
    assert write_sudoku(puzzle.answer, puzzle.form) == ANSWER + "\n"


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (f"puzzle,solution\n{FOUR},{ANSWER[:-1]}.\n", "f:2:33: the answer has '.' in r4c4, the q"),
        (f"puzzle,solution\n{FOUR},{ANSWER[:-1]}\n", "f:2:33: answer: 15 cells; "),
        (
            f"puzzle,solution\n{FOUR},3{ANSWER[1:]}\n",
            "f:2:18: the answer has '3' in r1c1, the quest",
        ),
        (
            f"puzzle,solution\n{FOUR[:-1]}5,{ANSWER}\n",
            "f:2:16: question: '5' in a Sudoku of 4 x 4",
        ),
        (
            f"puzzle,solution\n{FOUR},{'1' * 36}\n",
            "f:2:18: the answer has 36 cells, the question 16",
        ),
    ],
)
def test_wrong_records(text: str, problem: str) -> None:
    assert error(text).startswith(problem)


def test_a_matrix_of_numbers_is_answered_in_numbers() -> None:
    rows = [[0] * 16 for _ in range(16)]
    rows[2][3] = 7
    puzzle = one(f"{rows}\n")
    assert str([[16] * 16] * 16) + "\n" == write_sudoku(np.full((16, 16), 16, np.int8), puzzle.form)


# Errors and their places


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("1..4\n..5.\n.3..\n4..2\n", "f:2:3: '5' in a Sudoku of 4 x 4; its digits are 1234"),
        (
            "1..4\n.1..\n.3..\n4..2\n",
            "f:2:2: two 1s in box 1: r1c1 (line 1, column 1) and r2c2 (line 2, column 2)",
        ),
        (
            "1..4\n.-..\n.3..\n4..2\n",
            "f:2:2: blanks written as '.' and as '-'; write all alike",
        ),
        (
            "12 . . . . . . . . . . .\n" + ". . . . . 13 . . . . . .\n" * 11,
            "f:2:11: '13' in a Sudoku of 12 x 12; its digits are 123456789ABC",
        ),
        ("." * 625, "f:1:1: a Sudoku of 25 x 25; sizes are 4, 6, 8, 9, 10, 12 and 16"),
        (
            f"12: {SMALL * 4}",
            "f:1:5: a Sudoku of 8 x 8 beside other text; write it on a line of its own",
        ),
        (
            "1000400003000001",
            "f:1:1: 16 digits; a Sudoku of 4 x 4 on one line has '.' for each blank",
        ),
    ],
)
def test_errors(text: str, message: str) -> None:
    assert error(text) == message


# Texts that are no puzzle of another size


@pytest.mark.parametrize(
    "text",
    [
        "\n".join(ROWS[:8]),
        "\n".join(row[:8] for row in ROWS),
        "\n".join([*ROWS, ROWS[0]]),
        "\n".join(["." + row for row in ROWS]),
        QUESTION[:80],
        QUESTION[:64] + " words",
        f"words {QUESTION[:64]}",
        "1" + "0" * 99,
        "1000400003000001",
        "550e8400-e29b-41d4-a716-446655440000",
        "2024.01.12-12.30",
        # Nine rows with numbers, two of which are wrong, below a header of numbers.
        ". 1 2 3 4 5 6 7 8 9\n" + "\n".join(f"{i or 1} {' '.join(ROWS[i])}" for i in range(9)),
        "0123456789\n" * 10,
    ],
)
def test_damaged_and_other_things_stay_refused(text: str) -> None:
    for item in read(text):
        assert isinstance(item, PuzzleError) or item.grid.shape == (9, 9)


@pytest.mark.parametrize(
    "title", ["fe0e8400-e29b-41d4-a716-446655440000", "BEAD_FACE_", "AB" * 32, "A,B,C"]
)
def test_names_above_a_puzzle_stay_names(title: str) -> None:
    text = f"{title}\n" + "\n".join(ROWS) + "\n"
    assert one(text).source == "f:2"


def with_one_damage(rows: list[str], kind: int, place: int) -> str:
    """Rows of 9 x 9 with a row or a column too few or too many."""
    if kind == 0:
        rows = rows[:place] + rows[place + 1 :]
    elif kind == 1:
        rows = [*rows[:place], rows[place], *rows[place:]]
    elif kind == 2:
        rows = [row[:place] + row[place + 1 :] for row in rows]
    else:
        rows = [row[:place] + "." + row[place:] for row in rows]
    return "\n".join(rows) + "\n"


@settings(max_examples=200, deadline=None)
@example(3, 1, "\t", "0", 0)  # a digit and a dot are no label of the row
@given(
    st.integers(0, 3),
    st.integers(0, 8),
    st.sampled_from(["", " ", ",", "\t"]),
    st.sampled_from(".0_*-"),
    st.integers(0, 2**32 - 1),
)
def test_a_damaged_9_x_9_is_never_another_size(
    kind: int, place: int, between: str, blank: str, seed: int
) -> None:
    _, question = make_sized(np.random.default_rng(seed), 9)
    cells = cells_of(question).replace(".", blank)
    rows = [cells[i : i + 9] for i in range(0, 81, 9)]
    damaged = with_one_damage(rows, kind, place)
    for item in read("\n".join(between.join(line) for line in damaged.split("\n"))):
        assert isinstance(item, PuzzleError)
    for length in (64, 80, 82, 100):
        line = (cells + cells)[:length]
        for text in (f"7: {line}", f"{line} easy", line.replace(blank, "0")):
            for item in read(text):
                assert isinstance(item, PuzzleError), text


@settings(max_examples=200, deadline=None)
@given(st.sampled_from([16, 36, 64, 100, 144, 256]), st.data())
def test_digits_alone_are_no_puzzle(length: int, data: st.DataObject) -> None:
    text = data.draw(st.text("0123456789", min_size=length, max_size=length))
    for item in read(f"{text}\n"):
        assert isinstance(item, PuzzleError)


pieces = st.one_of(
    st.sampled_from([SMALL, FOUR, ANSWER, *ROWS, QUESTION, "1..4", "....", "4 4", "", "----"]),
    st.sampled_from(["puzzle,solution", f"{FOUR},{ANSWER}", "[[1,0,0,0],", "Grid", "# x"]),
    st.text("1234.-0 |,AG\n", max_size=24),
    st.text("0123456789.ABCDEFG", min_size=16, max_size=16),
)


@settings(max_examples=300, deadline=None)
@given(st.lists(pieces, max_size=20))
def test_random_pieces(parts: list[str]) -> None:
    """Nothing raises, and whatever is read has clues that keep the rules and is written again."""
    for item in read("\n".join(parts)):
        if isinstance(item, PuzzleError):
            assert item.problem and (item.column is None or item.column >= 1)
            continue
        side = len(item.grid)
        assert item.grid.shape == (side, side) and item.grid.max() <= side
        for house in item.grid.ravel()[board_of(side).houses]:
            clues = house[house > 0]
            assert len(set(clues.tolist())) == len(clues)
        again = one(write_sudoku(item.grid, item.form))
        assert np.array_equal(again.grid, item.grid)


def test_a_long_group_takes_no_longer_for_each_row() -> None:
    wide = "| 16 13  4  9 |  8    10    | 11 15    12 | 14  2     3 |\n"
    nine = "|          15 |  4  9       |        2 11 |  3        8 |\n"
    read(wide + nine)  # what is made at first use
    few = min(seconds_to_read((wide + nine) * 60) for _ in range(3))
    many = min(seconds_to_read((wide + nine) * 480) for _ in range(3))
    assert many < 20 * few  # 8 times as long; 64 times if each row looked at all before it


def seconds_to_read(text: str) -> float:
    begun = time.process_time()
    read(text)
    return time.process_time() - begun
