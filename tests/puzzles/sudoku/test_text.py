"""Every text form of a Sudoku, every way it can be wrong, and that reading streams."""

import gzip
import io
import re
import time
import tracemalloc
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from trmsolve.errors import PuzzleError
from trmsolve.puzzles.reading.lines import LIMIT
from trmsolve.puzzles.sudoku.form import LINE, TextForm, write_sudoku
from trmsolve.puzzles.sudoku.text import read_sudokus
from trmsolve.puzzles.values import Grid, Puzzle

QUESTION = "53..7....6..195....98....6.8...6...34..8.3..17...2...6.6....28....419..5....8..79"
ANSWER = "534678912672195348198342567859761423426853791713924856961537284287419635345286179"
OTHER = "..9748...7.........2.1.9.....7...24..64.1.59..98...3.....8.3.2.........6...2759.."
ROWS = [QUESTION[i : i + 9] for i in range(0, 81, 9)]
SHAPE = "a Sudoku is 81 cells on one line or 9 rows of 9"
CELLS = "a cell is a digit 1-9 or a blank (one of . 0 _ * x X - ? or a space); see docs/formats.md"


def grid(cells: str) -> Grid:
    return np.array([int(c) if c in "123456789" else 0 for c in cells], np.int8).reshape(9, 9)


def read(data: str | bytes) -> list[Puzzle | PuzzleError]:
    return list(read_sudokus(io.BytesIO(data.encode() if isinstance(data, str) else data), "f"))


def puzzles(data: str | bytes) -> list[Puzzle]:
    items = read(data)
    assert all(isinstance(item, Puzzle) for item in items), [str(item) for item in items]
    return [item for item in items if isinstance(item, Puzzle)]


def one(data: str | bytes) -> Puzzle:
    (puzzle,) = puzzles(data)
    return puzzle


def errors(data: str | bytes) -> list[str]:
    items = read(data)
    assert all(isinstance(item, PuzzleError) for item in items), items
    return [str(item) for item in items]


def texts(items: list[Puzzle | PuzzleError]) -> list[str]:
    return [item.source if isinstance(item, Puzzle) else str(item) for item in items]


# How people draw Sudokus: each takes 81 characters and gives a text.


def rows_of(cells: str) -> list[str]:
    return [cells[i : i + 9] for i in range(0, 81, 9)]


def boxed(row: str, bar: str = "|", space: str = "", outer: bool = True) -> str:
    parts = [space.join(row[i : i + 3]) for i in (0, 3, 6)]
    inner = f"{space}{bar}{space}".join(parts)
    return f"{bar}{space}{inner}{space}{bar}" if outer else inner


def framed(cells: str, rule: str, bar: str = "|", space: str = "", ends: str = "") -> str:
    lines = [boxed(row, bar, space) for row in rows_of(cells)]
    outer = ends or rule
    return "\n".join([outer, *lines[:3], rule, *lines[3:6], rule, *lines[6:], outer]) + "\n"


def frameless(cells: str, rule: str, space: str) -> str:
    lines = [boxed(row, "|", space, outer=False) for row in rows_of(cells)]
    return "\n".join([*lines[:3], rule, *lines[3:6], rule, *lines[6:]]) + "\n"


FORMS: dict[str, Callable[[str], str]] = {
    "line": lambda c: c + "\n",
    "rows": lambda c: "\n".join(rows_of(c)) + "\n",
    "separated": lambda c: "\n".join(" ".join(row) for row in rows_of(c)) + "\n",
    "indented": lambda c: (
        "\n".join("    " + " ".join(row) + " " for row in rows_of(c.replace(" ", "."))) + "\n"
    ),
    "commas": lambda c: "\n".join(",".join(row) for row in rows_of(c.replace(" ", "0"))) + "\n",
    "tabs": lambda c: "\n".join("\t".join(row) for row in rows_of(c.replace(" ", "0"))) + "\n",
    "sdk": lambda c: "#ARuud\n#LEasy\n" + "\n".join(rows_of(c)) + "\n",
    "sdk section": lambda c: "[Puzzle]\n" + "\n".join(rows_of(c)) + "\n",
    "titled": lambda c: "Grid 01\n" + "\n".join(rows_of(c)) + "\n",
    "ss": lambda c: framed(c, "|---+---+---|", ends="*-----------*"),
    "plus": lambda c: framed(c, "+-------+-------+-------+", space=" "),
    "equals": lambda c: framed(c, "+===+===+===+"),
    "double": lambda c: framed(c, "╬═══╬═══╬═══╬", "║"),
    "light": lambda c: framed(
        c, "├───────┼───────┼───────┤", "│", " ", ends="┌───────┬───────┬───────┐"
    ),
    "hodoku": lambda c: framed(
        c, ":-------+-------+-------:", space=" ", ends=".-------.-------.-------."
    ),
    "inner": lambda c: frameless(c, "------+-------+------", " "),
    "inner tight": lambda c: frameless(c, "---+---+---", ""),
    "blank boxes": lambda c: framed(c, "+---+---+---+", space="").replace("|", "│"),
    "table": lambda c: "\n".join("| " + " | ".join(row) + " |" for row in rows_of(c)) + "\n",
    "narrow table": lambda c: "\n".join("|" + "|".join(row) + "|" for row in rows_of(c)) + "\n",
    "numbered": lambda c: f"12: {c.replace(' ', '.')}\n",
    "commented": lambda c: f"{c.replace(' ', '.')} # 30 clues; easy\n",
    "spread": lambda c: " ".join(c.replace(" ", ".")) + "\n",
    "nine words": lambda c: " ".join(rows_of(c.replace(" ", "."))) + "\n",
}
BLANKS = ".0_*xX- "


@pytest.mark.parametrize("blank", BLANKS)
@pytest.mark.parametrize("form", FORMS)
def test_every_form_with_every_blank(form: str, blank: str) -> None:
    text = FORMS[form](QUESTION.replace(".", blank))
    puzzle = one(text)
    assert np.array_equal(puzzle.grid, grid(QUESTION))
    assert puzzle.grid.dtype == np.int8
    assert puzzle.answer is None and puzzle.rating is None
    assert write_sudoku(puzzle.grid, puzzle.form) == text
    answer = write_sudoku(grid(ANSWER), puzzle.form)
    assert np.array_equal(one(answer).grid, grid(ANSWER))


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize(
    "cells", ["." * 81, ANSWER, QUESTION[:36] + "." * 9 + QUESTION[45:], "." * 80 + "1"]
)
def test_empty_full_and_rows_without_clues(form: str, cells: str) -> None:
    for blank in BLANKS:
        assert np.array_equal(one(FORMS[form](cells.replace(".", blank))).grid, grid(cells))


def permuted(seed: int, clues: float) -> str:
    """A valid solution by permuting a base pattern, with a share of its cells as clues."""
    rng = np.random.default_rng(seed)
    lines = [3 * band + row for band in rng.permutation(3) for row in rng.permutation(3)]
    columns = [3 * band + column for band in rng.permutation(3) for column in rng.permutation(3)]
    digits = rng.permutation(9) + 1
    solution = np.array([[digits[(3 * (r % 3) + r // 3 + c) % 9] for c in columns] for r in lines])
    return "".join(map(str, np.where(rng.random((9, 9)) < clues, solution, 0).ravel())).replace(
        "0", "."
    )


grids = st.builds(permuted, st.integers(0, 2**32 - 1), st.sampled_from([0.0, 0.05, 0.3, 0.8, 1.0]))
drawings = st.sampled_from(sorted(FORMS))


@settings(max_examples=150, deadline=None)
@given(drawings, st.sampled_from(BLANKS), grids, grids)
def test_what_is_read_is_written_and_read_again(
    form: str, blank: str, cells: str, answer: str
) -> None:
    text = FORMS[form](cells.replace(".", blank))
    puzzle = one(text)
    assert np.array_equal(puzzle.grid, grid(cells))
    assert write_sudoku(puzzle.grid, puzzle.form) == text
    assert np.array_equal(one(write_sudoku(grid(answer), puzzle.form)).grid, grid(answer))


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(drawings, st.sampled_from(".0x"), grids), min_size=1, max_size=6))
def test_mixed_forms_in_one_file_keep_order_lines_and_drawing(
    parts: list[tuple[str, str, str]],
) -> None:
    drawn = [
        FORMS[form](cells.replace(".", blank))
        for form, blank, cells in parts
        if form != "sdk section"
    ]
    text = "\n".join(drawn)
    found = puzzles(text) if drawn else []
    assert [p.grid.tolist() for p in found] == [
        grid(c).tolist() for f, _, c in parts if f != "sdk section"
    ]
    starts = [1 + sum(part.count("\n") + 1 for part in drawn[:i]) for i in range(len(drawn))]
    heads = [{"#": 2, "G": 1}.get(part[0], 0) for part in drawn]
    assert [p.source for p in found] == [
        f"f:{start + head}" for start, head in zip(starts, heads, strict=True)
    ]


# Files of several puzzles


def test_groups_are_written_back_with_the_empty_lines_between_them() -> None:
    text = "\n".join([FORMS["ss"](QUESTION), FORMS["rows"](OTHER), FORMS["plus"](QUESTION)])
    assert "".join(write_sudoku(p.grid, p.form) for p in puzzles(text)) == text


@pytest.mark.parametrize("form", ["rows", "ss", "plus", "titled", "sdk"])
def test_groups_without_an_empty_line_between_them(form: str) -> None:
    text = FORMS[form](QUESTION) + FORMS[form](OTHER) + FORMS[form](QUESTION)
    found = puzzles(text)
    assert [p.grid.tolist() for p in found] == [
        grid(c).tolist() for c in (QUESTION, OTHER, QUESTION)
    ]
    assert "".join(write_sudoku(p.grid, p.form) for p in found) == text


def test_sdm() -> None:
    found = puzzles(f"# a collection\n{QUESTION}\n\n// more\n{OTHER}   \n{QUESTION}\n")
    assert [p.source for p in found] == ["f:2", "f:5", "f:6"]
    assert found[0].form == LINE


def test_sdk_takes_the_puzzle_and_not_the_state() -> None:
    rows = "\n".join(ROWS)
    found = puzzles(
        f"[Puzzle]\n{rows}\n\n[State]\n{ANSWER}\n{rows}\n[Comment]\nhello\n[Puzzle]\n{OTHER}\n"
    )
    assert [p.source for p in found] == ["f:2", "f:26"]


def test_a_title_may_stand_apart_and_a_comment_may_be_latin1() -> None:
    puzzle = one(
        "Nº 1, hard\n\n# José\n".encode("latin-1").replace(b"N\xba", b"No")
        + "\n".join(ROWS).encode()
    )
    assert puzzle.source == "f:4"


@pytest.mark.parametrize("head", ["12: ", "12) ", "3. ", "7,", "7;", "  42 ", "1\t"])
@pytest.mark.parametrize("tail", ["", "  ", " easy", ",1.2", ";x", "# 30", "\t30"])
def test_index_and_comment_around_a_line(head: str, tail: str) -> None:
    text = f"{head}{QUESTION}{tail}\n"
    puzzle = one(text)
    assert np.array_equal(puzzle.grid, grid(QUESTION))
    assert write_sudoku(puzzle.grid, puzzle.form) == text


def test_a_hash_among_digits_is_a_blank_and_elsewhere_a_comment() -> None:
    hashes = QUESTION.replace(".", "#")
    rows = [hashes[i : i + 9] for i in range(0, 81, 9)]
    framed = [f"{row[:3]} | {row[3:6]} | {row[6:]}" for row in rows]
    for text in (hashes, "\n".join(rows), "\n".join(framed)):
        assert np.array_equal(one(text).grid, grid(QUESTION))
    assert np.array_equal(one(f"{QUESTION}  # 30 clues").grid, grid(QUESTION))
    assert errors("#########\n#S  #  G#\n#########")


def test_stripped_blanks_are_given_back_where_that_is_beyond_doubt() -> None:
    text = "\n".join(row.replace(".", " ").rstrip() for row in ROWS)
    assert np.array_equal(one(text).grid, grid(QUESTION))


def test_stripped_tabs_are_given_back_to_rows_alone() -> None:
    rows = ["\t".join(row).replace(".", "").rstrip("\t") for row in ROWS]
    text = "\n".join(["A title", *rows]) + "\n"
    puzzle = one(text)
    assert np.array_equal(puzzle.grid, grid(QUESTION))
    assert write_sudoku(puzzle.grid, puzzle.form).startswith("A title\n5\t3\t\t\t7\t\t\t\t\n")


@pytest.mark.parametrize("delimiter", ["\t", ",", ";"])
@pytest.mark.parametrize("slip", ["one too few", "one too many"])
def test_a_delimiter_that_shifts_cells_is_refused(delimiter: str, slip: str) -> None:
    rows = [delimiter.join(row).replace(".", "") for row in ROWS]
    assert np.array_equal(one("\n".join(rows)).grid, grid(QUESTION))
    assert np.array_equal(one("\n".join(row + delimiter for row in rows)).grid, grid(QUESTION))
    if slip == "one too few":
        rows[5] = rows[5].replace(delimiter * 2, delimiter, 1)
    else:
        rows[5] = rows[5].replace(delimiter, delimiter * 2, 1)
    assert all(error.startswith("f:6") for error in errors("\n".join(rows)))


@pytest.mark.parametrize("delimiter", ["\t", ",", ";"])
def test_a_delimiter_too_many_on_a_line_of_fields_is_refused(delimiter: str) -> None:
    line = delimiter.join(QUESTION).replace(".", "")
    assert np.array_equal(one(line).grid, grid(QUESTION))
    # A blank in front for the 9 at the end: as many cells, each in the place of the next.
    assert errors(delimiter + line.removesuffix("9"))


def test_a_short_row_of_digits_is_not_padded() -> None:
    rows = rows_of(ANSWER)
    assert errors("\n".join([*rows[:4], rows[4][:8], *rows[5:]])) == [
        "f:5:9: ragged grid: row 5 has 8 cells, every row needs 9"
    ]


@pytest.mark.parametrize("odd", ["\t", ",", "+", "\xa0", "─"])
def test_a_separator_is_no_cell_of_a_row_whose_blanks_are_spaces(odd: str) -> None:
    """Each of these once crashed the reader or, the tab, became a clue."""
    solid = ANSWER.replace("4", " ")
    rows = rows_of(solid)
    rows[0] = rows[0].replace(" ", odd, 1)
    for item in read("\n".join(rows) + "\n"):
        assert isinstance(item, PuzzleError) or not item.grid[0, 2]


def test_rows_of_spaces_have_to_stand_in_columns() -> None:
    rows = [" ".join(row).replace(".", " ") for row in ROWS]
    assert errors("\n".join([*rows[:8], "3 4 5 2 8"]))[0] == (
        "f:9: ragged grid: row 9 is not in line with row 1; write blanks as '.'"
    )


def test_dashes_are_rules_or_rows_by_count() -> None:
    rules = "\n".join(
        ["---------", *ROWS[:3], "---------", *ROWS[3:6], "---------", *ROWS[6:], "---------"]
    )
    assert np.array_equal(one(rules).grid, grid(QUESTION))
    dashed = [row.replace(".", "-") for row in ROWS]
    assert np.array_equal(
        one("\n".join([*dashed[:8], "-" * 9])).grid, grid(QUESTION[:72] + "." * 9)
    )
    assert errors("\n".join([*ROWS[:8], "-" * 9])) == ["f:1: 8 rows; a grid has 9 rows of 9 cells"]
    assert puzzles(f"=====\n\n{QUESTION}\n---------\n{OTHER}\n")[1].source == "f:5"


# Several puzzles on a line

SEPARATORS = [",", ";", ":", "\t", " ", ", ", " | ", '","']
FULL_OTHER = ANSWER[9:18] + ANSWER[:9] + ANSWER[18:]  # a solution, and not that of QUESTION


def cells_of(puzzle: Puzzle) -> str:
    return "".join(map(str, puzzle.grid.ravel().tolist())).replace("0", ".")


@pytest.mark.parametrize("separator", SEPARATORS)
@pytest.mark.parametrize("blank", ".0_*xX-")
def test_a_line_of_question_and_answer(blank: str, separator: str) -> None:
    puzzle = one(f"{QUESTION.replace('.', blank)}{separator}{ANSWER}\n")
    assert puzzle.source == "f:1"
    assert np.array_equal(puzzle.grid, grid(QUESTION))
    assert puzzle.answer is not None and np.array_equal(puzzle.answer, grid(ANSWER))
    assert write_sudoku(puzzle.answer, puzzle.form) == ANSWER + "\n"
    assert write_sudoku(puzzle.grid, puzzle.form) == QUESTION.replace(".", blank) + "\n"


@pytest.mark.parametrize("separator", [",", ";", ":", "\t"])
def test_a_question_whose_blanks_are_spaces_and_its_answer(separator: str) -> None:
    spaced = QUESTION.replace(".", " ")
    puzzle = one(f"{spaced}{separator}{ANSWER}\n")
    assert puzzle.answer is not None and np.array_equal(puzzle.grid, grid(QUESTION))
    both = puzzles(f"{spaced}{separator}{OTHER.replace('.', ' ')}\n")
    assert [cells_of(puzzle) for puzzle in both] == [QUESTION, OTHER]


def test_spaces_for_blanks_and_between_puzzles_are_refused() -> None:
    spaced = QUESTION.replace(".", " ")
    for text in (f"{spaced} {ANSWER}", f"12 {spaced} {ANSWER}", f"{ANSWER} {spaced}"):
        (message,) = errors(text)
        assert message.endswith(
            "digits and spaces beside a puzzle; if they are a puzzle too, write blanks as '.'"
        )


@pytest.mark.parametrize("head", ["1,", "1234567,", "12: ", '"', "1.2 ", "easy;"])
@pytest.mark.parametrize("tail", ["", ",7", " # 30 clues", '"', ",1.2,hard"])
def test_fields_around_a_question_and_its_answer(head: str, tail: str) -> None:
    puzzle = one(f"{head}{QUESTION},{ANSWER}{tail}\n")
    assert np.array_equal(puzzle.grid, grid(QUESTION)) and puzzle.answer is not None
    assert write_sudoku(puzzle.answer, puzzle.form) == ANSWER + "\n"


def test_two_puzzles_on_a_line_are_two() -> None:
    for second in (OTHER, FULL_OTHER):
        found = puzzles(f"# two a line\n1,{QUESTION} {second}\n")
        assert [cells_of(puzzle) for puzzle in found] == [QUESTION, second]
        assert [puzzle.source for puzzle in found] == ["f:2:3", "f:2:85"]
        assert [puzzle.answer for puzzle in found] == [None, None]
        assert [write_sudoku(puzzle.grid, puzzle.form) for puzzle in found] == [
            f"{QUESTION}\n",
            f"{second}\n",
        ]


def test_more_than_two_puzzles_on_a_line_are_never_paired() -> None:
    found = puzzles(f"{QUESTION},{ANSWER},{OTHER}\n{QUESTION}\n")
    assert [cells_of(puzzle) for puzzle in found] == [QUESTION, ANSWER, OTHER, QUESTION]
    assert [puzzle.source for puzzle in found] == ["f:1:1", "f:1:83", "f:1:165", "f:2"]
    assert all(puzzle.answer is None for puzzle in found)


def test_one_bad_puzzle_of_a_line_does_not_hide_the_other() -> None:
    clash = "55" + QUESTION[2:]
    assert texts(read(f"{OTHER} {clash}")) == [
        "f:1:1",
        "f:1:84: two 5s in row 1: r1c1 (line 1, column 83) and r1c2 (line 1, column 84)",
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f"{QUESTION[:80]},{ANSWER}", f"f:1:81: 80 cells beside a puzzle; {SHAPE}"),
        (f"{QUESTION}1,{ANSWER}", f"f:1:82: 82 cells beside a puzzle; {SHAPE}"),
        (f"{QUESTION},{ANSWER[:80]}", f"f:1:163: 80 cells beside a puzzle; {SHAPE}"),
        (f"12345678,{QUESTION}", "f:1:1: 8 digits before the puzzle; a row number has at most 7"),
        (
            f" 0000012345 {QUESTION},{ANSWER}",
            "f:1:2: 10 digits before the puzzle; a row number has at most 7",
        ),
        (f"7 {QUESTION[:80]}", f"f:1:83: 80 cells; {SHAPE}"),  # 81 cells, if the number were one
        (f"{ANSWER[:80]},7", f"f:1:81: 80 cells; {SHAPE}"),
    ],
)
def test_a_damaged_puzzle_is_neither_a_number_nor_a_comment(text: str, message: str) -> None:
    assert errors(text) == [message]


def test_a_commented_puzzle_and_a_long_rule_are_none() -> None:
    rule = f"+{'-' * 81}+"
    assert texts(read(f"# {OTHER}\n// {OTHER},{ANSWER}\n{rule}\n{QUESTION}\n{rule}\n")) == ["f:4"]


outsides = st.text(alphabet=" ,;:|\"'#/\tabeé(){}[]=12345", max_size=12)
questions = grids.filter(lambda cells: bool(cells.strip(".")))  # cells without a clue can be a rule


@settings(max_examples=150, deadline=None)
@given(
    st.lists(questions, min_size=1, max_size=2),
    st.sampled_from(".0_*xX-"),
    st.booleans(),
    outsides,
    outsides,
)
def test_no_run_of_81_cells_vanishes_and_nothing_else_is_read(
    runs: list[str], blank: str, solve: bool, head: str, tail: str
) -> None:
    """Whatever stands around one or two runs: just these are read, unless the line is refused."""
    if solve and len(runs) == 2:
        runs[0] = "".join(cell if place % 3 else "." for place, cell in enumerate(runs[1]))
    assume(not head.lstrip().startswith(("#", "//")))
    assume(not head[-1:].isdigit() and not tail[:1].isdigit())
    for separator in SEPARATORS:
        items = read(head + separator.join(run.replace(".", blank) for run in runs) + tail)
        found = [item for item in items if isinstance(item, Puzzle)]
        if re.match(r"\s*[0-9]{8}", head):  # no row number: the whole line is refused
            assert not found and len(items) == 1
            continue
        assert len(found) == len(items)
        question, answer = grid(runs[0]), grid(runs[-1])
        keeps = bool((answer == question)[question > 0].all())
        if len(runs) == 2 and answer.all() and keeps:
            assert [cells_of(puzzle) for puzzle in found] == runs[:1]
            assert found[0].answer is not None and np.array_equal(found[0].answer, answer)
        else:
            assert [cells_of(puzzle) for puzzle in found] == runs
            assert all(puzzle.answer is None for puzzle in found)


# Bytes


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_line_ends_encodings_and_gzip(end: str, codec: str, pack: Callable[[bytes], bytes]) -> None:
    text = f"{QUESTION}\n{FORMS['light'](OTHER)}\n{FORMS['rows'](QUESTION)}".replace("\n", end)
    found = puzzles(pack(text.encode(codec)))
    assert [p.grid.tolist() for p in found] == [
        grid(c).tolist() for c in (QUESTION, OTHER, QUESTION)
    ]
    assert [p.source for p in found] == ["f:1", "f:2", "f:16"]


def test_gzip_members_and_padding() -> None:
    assert len(puzzles(gzip.compress(f"{QUESTION}\n".encode()) * 3 + b"\0" * 10)) == 3


def test_damaged_gzip() -> None:
    packed = gzip.compress(f"{QUESTION}\n{ANSWER}\n".encode())
    assert texts(read(packed[:-4])) == [
        "f:1",
        "f:2",
        "f: the gzip data ends too early; create or download the file again",
    ]
    assert errors(packed[:12] + b"\xff" * 20) == [
        "f: damaged gzip data; create or download the file again"
    ]


# CSV


def table(*lines: str) -> list[Puzzle]:
    return puzzles("\n".join(lines) + "\n")


@pytest.mark.parametrize(
    ("header", "line"),
    [
        ("source,question,answer,rating", "kaggle,{q},{a},7"),
        ("quizzes,solutions,rating", "{q},{a},7"),
        ("puzzle;solution;rating", "{q};{a};7"),
        ("rating\tanswer\tquestion", "7\t{a}\t{q}"),
        ("id,Puzzle,Solution,Rating", '1,"{q}","{a}","7"'),
        ("a,b,rating", " {a} , {q} ,7"),
        ("row_id,question_text,rating,answer_text", "x1,{q},7,{a}"),
        ("solution,puzzle,rating", "{q},{a},7"),  # content decides before names
        ('"id","text, with commas","one","two","rating"', '9,"a, ""b""",{q},{a},7'),
    ],
)
def test_csv_columns_are_found_by_content(header: str, line: str) -> None:
    (puzzle,) = table(header, line.format(q=QUESTION, a=ANSWER))
    assert np.array_equal(puzzle.grid, grid(QUESTION))
    assert puzzle.answer is not None and np.array_equal(puzzle.answer, grid(ANSWER))
    assert (puzzle.rating, puzzle.source) == (7, "f:2")
    assert write_sudoku(puzzle.answer, puzzle.form) == ANSWER + "\n"


def test_csv_blanks_and_unreadable_ratings() -> None:
    found = table(
        "puzzle,rating",
        QUESTION.replace(".", "0") + ",3",
        OTHER.replace(".", "0") + ",hard",
        "",
        "# x",
    )
    assert [p.rating for p in found] == [3, None]
    assert found[0].form == TextForm(LINE.template, "0")
    assert found[0].answer is None


def test_csv_of_one_column_and_names_between_equals() -> None:
    assert np.array_equal(table("puzzle", QUESTION)[0].grid, grid(QUESTION))
    (puzzle,) = table("solution,puzzle", f"{ANSWER},{ANSWER}")
    assert puzzle.answer is not None
    (puzzle, following) = table("solution,puzzle", f"{ANSWER},{ANSWER}", f"{ANSWER},{QUESTION}")
    assert np.array_equal(following.grid, grid(QUESTION))


def test_csv_rows_that_are_wrong() -> None:
    clash = "55" + QUESTION[2:]
    lines = [
        "id,question,answer",
        f"1,{QUESTION[:-1]},{ANSWER}",
        f"2,{QUESTION},{ANSWER[:-1]}",
        f"3,{QUESTION},{ANSWER[:80]}8",
        f"4,{clash},{ANSWER}",
        "5",
        f"6,{QUESTION},{ANSWER[:80]}.",
        f'7,"{QUESTION[:9]}@{QUESTION[10:]}",{ANSWER}',
        f"8,{QUESTION},{ANSWER}",
    ]
    assert texts(read("\n".join(lines))) == [
        f"f:2:83: question: 80 cells; {SHAPE}",
        f"f:3:165: answer: 80 cells; {SHAPE}",
        "f:4:165: the answer has '8' in r9c9, the question 9",
        "f:5:4: two 5s in row 1: r1c1 (line 5, column 3) and r1c2 (line 5, column 4)",
        "f:6: 1 column; the question is expected in column 2",
        "f:7:165: the answer has '.' in r9c9, the question 9",
        f"f:8:13: question: wrong character '@'; {CELLS}",
        "f:9",
    ]


def test_prose_with_commas_is_no_csv() -> None:
    assert len(puzzles("Puzzle, hard\n" + "\n".join(ROWS))) == 1
    assert texts(read(f"no puzzle\n{QUESTION}\n")) == ["f:2"]


# What is wrong, where, and what to do


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", f"f: empty: no Sudoku in it; {SHAPE}"),
        (" \n\n  \r\n", f"f: empty: no Sudoku in it; {SHAPE}"),
        ("# only\n// comments\n", f"f: empty: no Sudoku in it; {SHAPE}"),
        ("hello world", f"f:1:1: no Sudoku follows 'hello world'; {SHAPE}"),
        ("id,puzzle\n", f"f:1:1: no Sudoku follows 'id,puzzle'; {SHAPE}"),
        (QUESTION[:80], f"f:1:81: 80 cells; {SHAPE}"),
        (QUESTION + "1", f"f:1:82: 82 cells; {SHAPE}"),
        ("12: " + QUESTION[:80] + " x", f"f:1:85: 80 cells; {SHAPE}"),
        (QUESTION.replace(".", " ") + " ", f"f:1:82: 82 cells; {SHAPE}"),
        ("53..7", f"f:1:6: 5 cells; {SHAPE}"),
        (QUESTION[:40] + "A" + QUESTION[41:], f"f:1:41: wrong character 'A'; {CELLS}"),
        (QUESTION[:40] + "\u200b" + QUESTION[41:], f"f:1:82: 80 cells; {SHAPE}"),
        (QUESTION[:40] + "\x07" + QUESTION[41:], f"f:1:41: wrong character U+0007; {CELLS}"),
        ("\n".join([*ROWS[:3], "8...6..@3", *ROWS[4:]]), f"f:4:8: wrong character '@'; {CELLS}"),
        ("\n".join(ROWS[:8]), "f:1: 8 rows; a grid has 9 rows of 9 cells"),
        ("\n".join([*ROWS, ROWS[0]]), "f:1: 10 rows; a grid has 9 rows of 9 cells"),
        (ROWS[0], "f:1: 1 row; a grid has 9 rows of 9 cells"),
        (
            "\n".join([*ROWS[:2], ROWS[2][:8], *ROWS[3:]]),
            "f:3:9: ragged grid: row 3 has 8 cells, every row needs 9",
        ),
        (
            "\n".join([*ROWS[:2], ROWS[2] + "1", *ROWS[3:]]),
            "f:3:10: ragged grid: row 3 has 10 cells, every row needs 9",
        ),
    ],
)
def test_errors(text: str, message: str) -> None:
    assert errors(text) == [message]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({2: "5"}, "two 5s in row 1: r1c1 (line 1, column 1) and r1c3 (line 1, column 3)"),
        ({72: "5"}, "two 5s in column 1: r1c1 (line 1, column 1) and r9c1 (line 1, column 73)"),
        (
            {20: "."} | {10: "5"},
            "two 5s in row 2: r2c2 (line 1, column 11) and r2c6 (line 1, column 15)",
        ),
        ({11: "3"}, "two 3s in box 1: r1c2 (line 1, column 2) and r2c3 (line 1, column 12)"),
    ],
)
def test_clashing_clues_name_both_cells(changes: dict[int, str], message: str) -> None:
    cells = "".join(changes.get(i, char) for i, char in enumerate(QUESTION))
    (error,) = read(cells)
    assert isinstance(error, PuzzleError) and error.problem == message
    assert error.source == "f" and error.line == 1 and f"column {error.column})" in message


def test_clash_in_a_frame_names_lines_and_columns_of_the_file() -> None:
    text = "# head\n" + framed("55" + QUESTION[2:], "+-------+-------+-------+", space=" ")
    assert errors(text) == [
        "f:3:5: two 5s in row 1: r1c1 (line 3, column 3) and r1c2 (line 3, column 5)"
    ]


@pytest.mark.parametrize(
    "row",
    ["{1245} 3 67 | 28 . 9 | 1 2 3", "| 1245 3 67 | 28 4 9 | 1 2 35 |", "|" + "123456789|" * 9],
)
def test_candidate_lists_are_refused(row: str) -> None:
    (message,) = errors("\n".join([row] * 9))
    assert message.endswith(
        "these are candidate lists (pencil marks); "
        "give only the placed digits, and '.' for every open cell"
    )
    column = row.index("1") + 1 - row.startswith("{")
    assert message.startswith(f"f:1:{column}: ")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (
            b"\x89PNG\r\n\x1a\n\0\0",
            "f: not text: this is a PNG image; save the puzzles as UTF-8 text",
        ),
        (
            b"PK\x03\x04....",
            "f: not text: this is a zip archive or a spreadsheet; save the puzzles as UTF-8 text",
        ),
        (b"%PDF-1.7", "f: not text: this is a PDF document; save the puzzles as UTF-8 text"),
        (
            b"53\0" + QUESTION.encode(),
            "f:1: not text: a binary file, or UTF-16 without a byte order mark; "
            "save the puzzles as UTF-8 text",
        ),
    ],
)
def test_binary_files(data: bytes, message: str) -> None:
    assert errors(data) == [message]


def test_a_byte_that_is_not_utf8_hurts_its_line_only() -> None:
    data = f"{QUESTION}\n{QUESTION[:9]}".encode() + b"\xe9" + f"{QUESTION[10:]}\n{OTHER}\n".encode()
    assert texts(read(data)) == [
        "f:1",
        "f:2:10: not text: byte 0xE9 is not UTF-8; save the puzzles as UTF-8 text",
        "f:3",
    ]


def test_reading_goes_on_after_every_error() -> None:
    bad = "\n".join(ROWS[:8])
    text = (
        f"{QUESTION[:80]}\n{OTHER}\n\n{bad}\n\n{FORMS['ss'](QUESTION)}\n"
        f"53..5\n{OTHER}\n{QUESTION}9\n{OTHER}\n"
    )
    assert [t.split(":")[:2] for t in texts(read(text))] == [
        ["f", str(n)] for n in (1, 2, 4, 13, 27, 28, 29, 30)
    ]


# Streaming


class Pipe(io.RawIOBase):
    """Gives what its generator makes and counts how much of it was taken."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self.chunks, self.rest, self.taken = chunks, b"", 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: bytearray) -> int:  # type: ignore[override]
        self.rest = self.rest or next(self.chunks, b"")
        size = min(len(buffer), len(self.rest))
        buffer[:size], self.rest = self.rest[:size], self.rest[size:]
        self.taken += size
        return size


def test_a_line_is_handed_on_before_the_next_is_awaited() -> None:
    def feed() -> Iterator[bytes]:
        for end in (b"\n", b"\r\n"):
            yield QUESTION.encode() + end
        yield QUESTION[:80].encode() + b"\n"
        yield "\n".join(ROWS).encode()
        yield b"\n\n"
        raise AssertionError("read ahead")

    items = read_sudokus(io.BufferedReader(Pipe(feed())), "pipe")
    assert texts([next(items) for _ in range(4)]) == [
        "pipe:1",
        "pipe:2",
        f"pipe:3:81: 80 cells; {SHAPE}",
        "pipe:4",
    ]
    with pytest.raises(AssertionError, match="read ahead"):
        next(items)


def test_single_bytes_and_streams_that_only_read() -> None:
    class OnlyRead:
        def __init__(self, data: bytes) -> None:
            self.data = io.BytesIO(data)

        def read(self, size: int = -1) -> bytes:
            return self.data.read(min(size, 1))

    text = f"{QUESTION}\r\n{FORMS['light'](OTHER)}"
    for data in (text.encode("utf-8-sig"), text.encode("utf-16"), gzip.compress(text.encode())):
        assert [p.source for p in read_sudokus(OnlyRead(data), "f")] == ["f:1", "f:2"]  # type: ignore[arg-type, union-attr]


@pytest.mark.parametrize("pack", [False, True])
@pytest.mark.slow
def test_memory_stays_constant(pack: bool) -> None:
    block = (QUESTION + "\n").encode() * 1500
    chunks = (gzip.compress(block) if pack else block for _ in range(10))
    tracemalloc.start()
    assert sum(1 for _ in read_sudokus(io.BufferedReader(Pipe(chunks)), "f")) == 15000
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 700_000 < 15_000 * 82  # half of what was read, and no more for ten times as much


@pytest.mark.parametrize("unit", [b".", b". ", b"\n.", b"hello\n", b"1,", b"---------\n", b"# x\n"])
def test_a_puzzle_without_end_is_refused_early(unit: bytes) -> None:
    pipe = Pipe(unit * 10000 for _ in range(200))
    first = next(read_sudokus(io.BufferedReader(pipe), "f"))
    assert isinstance(first, PuzzleError) and SHAPE in first.problem
    assert pipe.taken < 6 * LIMIT


def test_after_a_refused_line_or_group_reading_goes_on() -> None:
    assert texts(read("." * 500_000 + f"\n{QUESTION}\n")) == [
        f"f:1: a line longer than 65536 characters; {SHAPE}",
        "f:2",
    ]
    assert texts(read("\n".join(ROWS * 200) + f"\n\n{FORMS['rows'](QUESTION)}")) == [
        f"f:1: no empty line in 1000 lines or 65536 characters; {SHAPE}",
        "f:1802",
    ]


def test_a_gzip_bomb_is_never_unpacked_at_once() -> None:
    bomb = gzip.compress(b"." * (100 << 20))
    tracemalloc.start()
    first = next(read_sudokus(io.BytesIO(bomb), "f"))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert isinstance(first, PuzzleError) and peak < 1 << 20


def test_ten_thousand_lines_take_a_moment() -> None:
    data = (QUESTION + "\n").encode() * 10_000
    start = time.process_time()
    assert sum(1 for _ in read_sudokus(io.BytesIO(data), "f")) == 10_000
    assert time.process_time() - start < 5  # a fifth of a second on an idle core


@pytest.mark.parametrize(
    "junk",
    [
        " ",
        "1",
        "1 ",
        "{ ",
        "x",
        "\t",
        '"',
        "-",
        "|",
        "a1",
        "[",
        "# ",
        ".,",
        "\udcff",
        "é",
        "(",
        "a(",
        ": ",
        "[ ",
        "<",
        "> ",
    ],
)
def test_long_lines_of_junk_take_no_time(junk: str) -> None:
    line = (junk * LIMIT)[: LIMIT - 1]
    start = time.process_time()
    read(f"puzzle,solution\n{line}\n{line}?\n".encode("utf-8", "surrogateescape"))
    read(f"{line}\n\n{line}?\n".encode("utf-8", "surrogateescape"))
    assert time.process_time() - start < 5


# Nothing that can be in a file raises


def sane(items: list[Puzzle | PuzzleError]) -> None:
    assert items
    for item in items:
        if isinstance(item, Puzzle):
            assert item.grid.shape == (9, 9) and item.grid.min() >= 0 and item.grid.max() <= 9
            assert item.form.template.count("\0") == 81
            again = write_sudoku(item.grid, item.form)
            assert [p.grid.tolist() for p in puzzles(again)] == [item.grid.tolist()]
        else:
            assert item.source == "f" and item.problem
            assert item.line is None or item.line >= 1
            assert item.column is None or item.column >= 1


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=400))
def test_random_bytes(data: bytes) -> None:
    sane(read(data))
    sane(read(gzip.compress(data)))
    read(b"\x1f\x8b" + data)


@settings(max_examples=125, deadline=None)
@given(st.text(alphabet="123456789.0_*x- |+=\n\r\t,;:#/{}[]\"'ab│─é\udcff", max_size=400))
def test_random_text(text: str) -> None:
    sane(read(text.encode("utf-8", "surrogateescape")))


pieces = st.one_of(
    st.sampled_from(
        [
            *ROWS,
            QUESTION,
            ANSWER,
            "-" * 9,
            " " * 9,
            "",
            "",
            "+---+---+---+",
            "puzzle,solution",
            "Grid 1",
        ]
    ),
    st.sampled_from(
        [
            f"{QUESTION},{ANSWER}",
            "[Puzzle]",
            "[State]",
            "# x",
            "| 1 3|  5|7  |",
            "12 3 4 5 6 7 8 9 1",
        ]
    ),
    drawings.map(lambda form: FORMS[form](QUESTION)),
    st.text(alphabet="123456789. -|", max_size=20),
)


@example(["+---+---+---+", "", "+---+---+---+"])
@settings(max_examples=150, deadline=None)
@given(st.lists(pieces, max_size=25))
def test_random_pieces(parts: list[str]) -> None:
    sane(read("\n".join(parts)))


@settings(max_examples=120, deadline=None)
@given(
    drawings, st.integers(0, 400), st.sampled_from(["", "5", ".", " ", "\n", "?", "-", "|", "\n\n"])
)
def test_one_slip_in_a_good_file(form: str, where: int, slip: str) -> None:
    text = FORMS[form](QUESTION)
    where %= len(text)
    sane(read(text[:where] + slip + text[where + 1 :]))


class Endless:
    """A stream that repeats a chunk for ever and counts what was read of it."""

    def __init__(self, chunk: bytes) -> None:
        self.chunk, self.served = chunk, 0

    def read(self, size: int = -1) -> bytes:
        self.served += len(self.chunk)
        return self.chunk


@pytest.mark.parametrize(
    "chunk", [b"1" * LIMIT, b"\n" * LIMIT, b"# comment\n" * 6000, b"1" * 70 + b"\n\n" * 3000]
)
@pytest.mark.slow
def test_a_stream_without_an_end_is_not_read_to_its_end(chunk: bytes) -> None:
    stream = Endless(chunk)
    items = read_sudokus(stream, "f")  # type: ignore[arg-type]
    if chunk[0:1] == b"1" and b"\n" in chunk:  # bad lines are told one by one, as they come
        assert all(isinstance(next(items), PuzzleError) for _ in range(5))
        return
    last = list(items)[-1]
    assert isinstance(last, PuzzleError) and "reading stopped" in str(last)
    assert stream.served < 70 * 2**20


fragments = st.one_of(
    st.sampled_from(
        ["[", "{", "]", "}", "(", "```", "> ", "<pre>", '"', "'", "board = [", "9", "9 9"]
    ),
    st.sampled_from(
        ["", "# x", "puzzle,solution", "[Puzzle]", "[code]", ",,,,,,,,", "1,2,3,4,5,6,7,8,9"]
    ),
    st.sampled_from(
        ["Golden Nugget", "ER=9.0/1.2/1.2", "4.3E+78", "12:", "---------", '{"a": 1, "b": [']
    ),
    st.text(alphabet="123. ,|\"'[]{}#>", max_size=14),
)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(fragments, max_size=6),
    fragments,
    questions,
    fragments,
    st.lists(fragments, max_size=6),
)
def test_a_file_with_one_run_of_81_cells_yields_no_other_puzzle(
    above: list[str], head: str, cells: str, tail: str, below: list[str]
) -> None:
    assume(not head[-1:].isdigit() and not head.endswith((".", "-")))
    assume(not tail[:1].isdigit() and not tail.startswith((".", "-")))
    for item in read("\n".join([*above, head + cells + tail, *below])):
        assert isinstance(item, PuzzleError) or cells_of(item) == cells


@pytest.mark.parametrize(
    ("beside", "is_read"), [("1e11", True), ("9E+58", True), ("5.3E+80", False), ("1e111", True)]
)
def test_only_a_number_of_a_sudoku_s_size_is_taken_for_a_rounded_one(
    beside: str, is_read: bool
) -> None:
    """Beside a puzzle it may be the answer, which a spreadsheet has spoilt; 1e11 is a rating."""
    (item,) = read(f"{QUESTION}:{beside}\n")
    assert isinstance(item, Puzzle) == is_read
    if isinstance(item, PuzzleError):
        assert f"a spreadsheet has rounded the puzzle to '{beside}'" in item.problem
