"""Every form of a maze in text, every way it can be wrong, and that reading streams."""

import gzip
import io
import os
import time
import tracemalloc
from collections.abc import Callable, Iterator

import numpy as np
import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st

from tests.support.paths import ROOT
from trmsolve.errors import PuzzleError
from trmsolve.puzzles.maze.cells import FLOOR, GOAL, PATH, START, SYMBOLS, WALL, path_length
from trmsolve.puzzles.maze.form import MOST, SHAPE, line_maze, write_maze
from trmsolve.puzzles.maze.labels import label
from trmsolve.puzzles.maze.rules import find_faults
from trmsolve.puzzles.maze.text import LIMIT as LINE
from trmsolve.puzzles.maze.text import read_mazes
from trmsolve.puzzles.reading import lines
from trmsolve.puzzles.reading.lines import LIMIT
from trmsolve.puzzles.values import Grid, Puzzle

SMALL = ["#######", "#S  # #", "# #   #", "#   #G#", "#######"]
OPEN = ["..#..", "S.#.G", ".....", "#.#.."]
OTHER = "or give --start R,C, --goal R,C or --map; see docs/formats.md"
CELLS = f"walls are '#' or blocks, floor is ' ' or '.', the start is S, the goal G or E; {OTHER}"
DOUBLED = "every cell is drawn as two equal characters here"
MANY = "the maximum is 1000 x 1000"
HEADER = "a CSV file must begin with its column names, such as question,answer"
LINED = "these lines are no walls as in '+---+' or '|_|'; draw each wall as a cell, '#'"
FLAT = "on one line a maze is n x n cells, or rows joined by '/'"
TORN = "; an empty line ends a maze: if it was a row of floor, write its cells as '.'"
LOST = "; write floor as '.' where spaces at the ends of lines may be lost"
ASK, TELL = "#S# # #G#", "#S##o##G#"
SMALL_TEXT = "\n".join(SMALL) + "\n"


def grid(rows: list[str]) -> Grid:
    codes = {"#": WALL, " ": FLOOR, ".": FLOOR, "S": START, "G": GOAL, "o": PATH}
    return np.array([[codes[char] for char in row] for row in rows], np.int8)


def read(data: str | bytes) -> list[Puzzle | PuzzleError]:
    return list(read_mazes(io.BytesIO(data.encode() if isinstance(data, str) else data), "f"))


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


def reads_as(text: str, rows: list[str]) -> Puzzle:
    puzzle = one(text)
    assert puzzle.grid.dtype == np.int8 and puzzle.grid.tolist() == grid(rows).tolist()
    return puzzle


# How people draw mazes: each takes a grid and gives a text.


def drawn(symbols: str, size: int = 1, between: str = "") -> Callable[[Grid], str]:
    """Rows of these characters, ``size`` of them a cell."""

    def draw(cells: Grid) -> str:
        return "".join(
            between.join(symbols[cell] * size for cell in row) + "\n" for row in cells.tolist()
        )

    return draw


def lone_ends(symbols: str) -> Callable[[Grid], str]:
    """Two characters a cell, but the ends a letter and a space."""
    faces = [symbols[WALL] * 2, symbols[FLOOR] * 2, "S ", "G ", "oo"]
    return lambda cells: "".join(
        "".join(faces[cell] for cell in row) + "\n" for row in cells.tolist()
    )


def flat(symbols: str, joint: str) -> Callable[[Grid], str]:
    return lambda cells: drawn(symbols)(cells).strip("\n").replace("\n", joint) + "\n"


def indented(draw: Callable[[Grid], str], by: str) -> Callable[[Grid], str]:
    return lambda cells: "".join(by + line for line in draw(cells).splitlines(keepends=True))


DOTTED: dict[str, Callable[[Grid], str]] = {  # floor that no editor strips
    "dots": drawn("#.SGo"),
    "dots, small letters": drawn("#.sgo"),
    "dots, E": drawn("#.SEo"),
    "middle dots": drawn("#·SGo"),
    "underscores": drawn("#_SGo"),
    "no-break spaces": drawn("#\xa0SGo"),
    "digits": drawn("10SG*"),
    "digits apart": drawn("10SG*", between=" "),
    "dots apart": drawn("#.SGo", between=" "),
    "commas": drawn("10SG*", between=","),
    "blocks and shade": drawn("█░SGo"),
    "dark and light shade": drawn("▓▒SGo"),
    "squares": drawn("■□SGo"),
    "emoji": drawn("⬛⬜🟩🟥🟦"),
    "doubled dots": drawn("#.SGo", 2),
    "doubled digits": drawn("10SE*", 2),
    "indented dots": indented(drawn("#.SGo"), "   "),
}
SPACED: dict[str, Callable[[Grid], str]] = {
    "plain": drawn("# SGo"),
    "plain, E": drawn("# seo"),
    "blocks": drawn("█ SGo"),
    "dark shade": drawn("▓ SGo"),
    "shade": drawn("▒ SGo"),
    "light shade": drawn("░ SGo"),
    "squares and spaces": drawn("■ SGo"),
    "crosses": drawn("X sgo"),
    "doubled": drawn("# SGo", 2),
    "doubled blocks": drawn("█ SGo", 2),
}
WALLED: dict[str, Callable[[Grid], str]] = {  # an outer wall tells where they are
    "indented": indented(drawn("# SGo"), "    "),
    "indented, doubled": indented(drawn("█ SGo", 2), " "),
    "apart": drawn("# SGo", between=" "),
    "doubled, lone ends": lone_ends("█ SGo"),
}
FORMS = DOTTED | SPACED | WALLED


def random_maze(seed: int, rows: int, columns: int, density: float, walled: bool) -> Grid:
    rng = np.random.default_rng(seed)
    cells = np.where(rng.random((rows, columns)) < density, WALL, FLOOR).astype(np.int8)
    inner = np.zeros_like(cells, bool)
    inner[1:-1, 1:-1] = True
    if walled:
        cells[~inner] = WALL
    places = rng.choice(
        np.flatnonzero(inner if walled and inner.sum() > 1 else np.ones_like(inner)),
        2,
        replace=False,
    )
    cells.flat[places] = START, GOAL
    return cells


def with_path(cells: Grid, seed: int) -> Grid:
    """A path of a kind: half of the floor but for one cell.

    The room does not ask whether an answer is right.
    """
    rng = np.random.default_rng(seed)
    floor = cells == FLOOR
    floor.flat[floor.argmax()] = False  # what floor is written as has to be seen
    return np.where(floor & (rng.random(cells.shape) < 0.5), PATH, cells).astype(np.int8)


seeds, sides = st.integers(0, 2**32 - 1), st.integers(3, 12)
densities = st.sampled_from([0.0, 0.2, 0.45, 0.8, 1.0])
walled_mazes = st.builds(random_maze, seeds, sides, sides, densities, st.just(True))
open_mazes = st.builds(random_maze, seeds, sides, sides, densities, st.just(False))


def pairs_are_equal(cells: Grid) -> bool:
    """Whether a drawing may be taken for one of two characters a cell."""
    if cells.shape[1] % 2:
        return False
    one, other = cells[:, ::2], cells[:, 1::2]
    return bool(((one == other) | ((one >= START) & (other == FLOOR))).all())


def shows_which_digit_is_wall(cells: Grid) -> bool:
    """Tell whether a drawing in 0 and 1 has walls, which are 1: no 0 stands all around."""
    return bool((cells == WALL).any() and (border(cells) == WALL).any())


def border(cells: Grid) -> Grid:
    """The outermost cells."""
    ring = np.ones(cells.shape, bool)
    ring[1:-1, 1:-1] = False
    return cells[ring]


def is_ambiguous(cells: Grid) -> bool:
    """Tell whether spaces as floor leave it open where the maze ends.

    That is so with a side of floor alone, with floor in every other column, or with a row of floor
    below what is a closed maze with both ends.
    """
    floor = cells == FLOOR
    if any(side.all() for side in (floor[0], floor[-1], floor[:, 0], floor[:, -1], floor[:, 1::2])):
        return True
    return any(is_whole(cells[:row]) for row in np.flatnonzero(floor.all(1)))


def is_whole(cells: Grid) -> bool:
    """Tell whether cells have both ends between a first and a last row of walls."""
    if START not in cells or GOAL not in cells:
        return False
    drawn = np.flatnonzero((cells != FLOOR).any(0))
    inner = cells[:, drawn[0] : drawn[-1] + 1]
    return bool((inner[0] == WALL).all() and (inner[-1] == WALL).all())


def round_trip(form: str, cells: Grid, seed: int) -> None:
    text = FORMS[form](cells)
    puzzle = one(text)
    assert puzzle.grid.tolist() == cells.tolist()
    assert puzzle.answer is None and puzzle.rating is None and puzzle.source == "f:1"
    assert write_maze(puzzle.grid, puzzle.form) == text
    solved = with_path(cells, seed)
    written = write_maze(solved, puzzle.form)
    assert written == FORMS[form](solved)
    if (cells == WALL).any() or not (
        solved == PATH
    ).any():  # else the marks could be walls, and no path either
        assert one(written).grid.tolist() == cells.tolist()  # a path is read as floor
    path = puzzle.form.marks[PATH]
    assert written.count(path[0]) - text.count(path[0]) == (solved == PATH).sum() * len(path)


def test_a_line_of_spaces_among_mazes_on_one_line_each_is_no_maze() -> None:
    text = f"{' ' * 9}\n{ASK}\n{ASK}\n"
    assert [puzzle.source for puzzle in puzzles(text)] == ["f:2", "f:3"]


def test_an_answer_may_have_shades_where_its_question_has_a_ring_of_zeros() -> None:
    ring = "00000/0S 10/01 10/01 G0/00000"
    (error,) = errors(f"question,answer\n{ring},{ring.replace('1', '▓').replace(' ', '░')}.\n")
    assert "f:2" in error


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(sorted(FORMS)), walled_mazes, seeds)
def test_walled_mazes_in_every_form(form: str, cells: Grid, seed: int) -> None:
    assume("doubled" in form or not pairs_are_equal(cells))
    round_trip(form, cells, seed)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(sorted(DOTTED)), open_mazes, seeds)
def test_open_mazes_in_every_form_that_shows_its_floor(form: str, cells: Grid, seed: int) -> None:
    assume("doubled" in form or not pairs_are_equal(cells))
    assume(WALL in cells or form not in ("blocks and shade", "dark and light shade"))
    assume(shows_which_digit_is_wall(cells) or ("digits" not in form and form != "commas"))
    round_trip(form, cells, seed)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from(sorted(SPACED)), open_mazes, seeds)
@example(form="blocks", cells=random_maze(1654568, 11, 3, 0.8, False), seed=0)
def test_open_mazes_with_spaces(form: str, cells: Grid, seed: int) -> None:
    assume("doubled" in form or not pairs_are_equal(cells))
    assume(not is_ambiguous(cells))
    round_trip(form, cells, seed)


# Forms in particular


@pytest.mark.parametrize("form", FORMS)
def test_every_form(form: str) -> None:
    """The drawings above, one by one and readable."""
    text = FORMS[form](grid(SMALL))
    puzzle = reads_as(text, SMALL)
    assert write_maze(puzzle.grid, puzzle.form) == text


def test_what_an_answer_looks_like() -> None:
    rows = ["#######", "#Sooo #", "# # o #", "#   oG#", "#######"]
    answers = {
        SMALL_TEXT.replace("# #   #", "# #####"): None,
        "#####\n#S.E#\n#####\n": "#####\n#SoE#\n#####\n",
        "  ███████\n  █s   g█\n  ███████\n": "  ███████\n  █sooog█\n  ███████\n",
        "██████████\n██S   G ██\n██████████\n": "██████████\n██S ooG ██\n██████████\n",
        "11111\n1S0G1\n11111\n": "11111\n1S*G1\n11111\n",
        "1 1 1 1 1\n1 S 0 G 1\n1 1 1 1 1\n": "1 1 1 1 1\n1 S * G 1\n1 1 1 1 1\n",
        "⬛⬛⬛⬛⬛\n⬛🟩⬜🟥⬛\n⬛⬛⬛⬛⬛\n": "⬛⬛⬛⬛⬛\n⬛🟩🟦🟥⬛\n⬛⬛⬛⬛⬛\n",
    }
    for text, expected in answers.items():
        puzzle = one(text)
        if expected:
            assert (
                write_maze(np.where(puzzle.grid == FLOOR, PATH, puzzle.grid), puzzle.form)
                == expected
            )
    assert write_maze(grid(rows), one(SMALL_TEXT).form) == "\n".join(rows) + "\n"


@pytest.mark.parametrize("path", ["o", "O", "*", "+", "•"])
def test_a_path_in_the_input_is_floor(path: str) -> None:
    text = f"#####\n#S{path}G#\n#   #\n#####\n"
    puzzle = reads_as(text, ["#####", "#S G#", "#   #", "#####"])
    assert write_maze(puzzle.grid, puzzle.form) == text.replace(path, " ")


def test_dots_that_mark_a_way_through_spaces_stay() -> None:
    text = "#####\n#S..#\n# #G#\n#####\n"
    assert (
        write_maze(grid(["#####", "#Soo#", "# #G#", "#####"]), one(text).form)
        == "#####\n#Soo#\n# #G#\n#####\n"
    )


def test_an_answer_that_changes_the_maze_is_written_as_it_is() -> None:
    puzzle = one("█████\n█S.E█\n█████\n")
    assert write_maze(grid(["#S###", "# G #", "#####"]), puzzle.form) == "█S███\n█.E.█\n█████\n"


def test_a_maze_that_was_not_text_is_written_in_the_usual_characters() -> None:
    rows = ["###", "SoG", "###"]
    assert (
        write_maze(grid(rows)) == write_maze(grid(rows), one(SMALL_TEXT).form) == "###\nSoG\n###\n"
    )


def test_doubled_or_not() -> None:
    reads_as("######\n##S ##\n##G ##\n######\n", ["###", "#S#", "#G#", "###"])
    reads_as("SS##..\n....##\nGG....\n", ["S#.", "..#", "G.."])
    reads_as("S ##..##....\n....##..####\nG ..........\n", ["S#.#..", "..#.##", "G....."])
    reads_as(
        "S.....\n......\n....G.\n", ["S.....", "......", "....G."]
    )  # nothing says that it is doubled
    reads_as("S.##\n..##\nG...\n", ["S.##", "..##", "G..."])


def test_spaces_between_cells_or_floor() -> None:
    reads_as("# # # # #\n# S   G #\n# # # # #\n", ["#####", "#S G#", "#####"])
    reads_as(
        "# S # #\n#   # #\n# G   #\n", ["# S # #", "#   # #", "# G   #"]
    )  # no outer wall says so
    reads_as("  1 1 1\n  S 0 G\n  1 1 1  \n", ["###", "S G", "###"])
    reads_as("#,#,#,\n#,S,G,\n#,#,#,\n", ["###", "#SG", "###"])
    reads_as("#,#,#\nS, ,G\n#,#,#\n", ["###", "S G", "###"])


def test_half_blocks() -> None:
    tall = ["#####", "#   #", "#S  #", "#   #", "# #G#", "#   #", "#####"]
    text = "  █▀▀▀█\n  █S  █\n  █ ▀G█\n  ▀▀▀▀▀\n"
    puzzle = reads_as(text, tall)
    assert write_maze(puzzle.grid, puzzle.form) == text
    answer = grid(["#####", "#   #", "#Soo#", "#  o#", "# #G#", "#   #", "#####"])
    assert write_maze(answer, puzzle.form) == (
        "  █████\n  █   █\n  █Soo█\n  █  o█\n  █ █G█\n  █   █\n  █████\n"
    )
    reads_as("▄▄▄▄▄\n█S G█\n▀▀▀▀▀\n", ["#####", "#S G#", "#   #", "#####"])
    reads_as("█S▀▀█\n█   █\n█▄▄G█\n", ["####" + "#", "#S  #", "#   #", "#   #", "#  G#", "#####"])
    reads_as("█▀S▀█\n█   █\n▀▀G▀▀\n", ["#####", "# S #", "#   #", "#   #", "##G##"])
    reads_as("S▄ \n ▀ \n  G\n", ["S  ", " # ", " # ", "   ", "  G", "   "])


@settings(max_examples=150, deadline=None)
@given(seeds, st.integers(3, 6), st.integers(4, 12), st.sampled_from([0.0, 0.2, 0.45]))
def test_half_blocks_whose_ends_open_both_halves(
    seed: int, rows: int, columns: int, density: float
) -> None:
    cells = random_maze(seed, 2 * rows, columns, density, True)
    cells[cells >= START] = FLOOR
    cells[3, 1], cells[2, 1], cells[2, -2] = FLOOR, START, GOAL
    cells[3, -2] = FLOOR
    chars = {(WALL, WALL): "█", (WALL, FLOOR): "▀", (FLOOR, WALL): "▄", (FLOOR, FLOOR): " "}
    pairs = [
        zip(*halves, strict=True)
        for halves in zip(cells[::2].tolist(), cells[1::2].tolist(), strict=True)
    ]
    text = "".join(
        "".join(chars.get(pair, SYMBOLS[pair[0]]) for pair in row) + "\n" for row in pairs
    )
    assume("▀" in text or "▄" in text)
    puzzle = one(text)
    assert puzzle.grid.tolist() == cells.tolist() and write_maze(cells, puzzle.form) == text
    solved = with_path(cells, seed)
    assume((solved == PATH).any())
    again = one(write_maze(solved, puzzle.form))
    assert (
        again.grid.tolist() == cells.tolist()
        and again.form.marks[PATH] == "o"
        and not again.form.halves
    )


def test_shades() -> None:
    assert one("█████\n█S░G█\n█████\n").form.marks[:2] == ("█", "░")
    assert one("▓▓▓▓▓\n▓S G▓\n█████\n").form.marks[:2] == ("▓", " ")  # two kinds of wall
    assert errors("█████\n█S G█\n█ ░ █\n█████\n") == [
        "f:3:3: '░' beside darker walls is ambiguous; draw walls as '█' and floor as ' '"
    ]


# Mazes on a line


@settings(max_examples=100, deadline=None)
@given(open_mazes, seeds, st.sampled_from(["# SGo", "#.sEo", "10SG*", "█ SGo"]))
def test_a_maze_on_a_line(cells: Grid, seed: int, symbols: str) -> None:
    assume(shows_which_digit_is_wall(cells) or "0" not in symbols)
    text = flat(symbols, "" if len(cells) == cells.shape[1] else "/")(cells)
    puzzle = one(text)
    assert puzzle.grid.tolist() == cells.tolist() and write_maze(puzzle.grid, puzzle.form) == text
    solved = with_path(cells, seed)
    written = write_maze(solved, puzzle.form)
    assert written == text.translate({}) or np.count_nonzero(solved == PATH) == written.count(
        symbols[PATH]
    )
    if (cells == WALL).any():
        assert one(line_maze(solved) + "\n").grid.tolist() == cells.tolist()


def test_line_maze() -> None:
    assert line_maze(grid(["#S#", " o ", "#G#"])) == "#S# o #G#"
    assert line_maze(grid(SMALL)) == "/".join(SMALL)
    assert one(line_maze(grid(SMALL))).grid.tolist() == grid(SMALL).tolist()


def test_mazes_line_by_line() -> None:
    lines = [
        "#S# # #G#",
        "S# # # #G",
        "#S# ? #G#",
        "#S#/# #/#G#/###",
        "#S# # #G",
        "#S# # #G/",
        "S       G",
    ]
    assert texts(read("\n".join(lines))) == [
        "f:1",
        "f:2",
        f"f:3:5: wrong character '?'; {CELLS}",
        "f:4",
        f"f:5: one row of 8 characters; {FLAT}",
        "f:6:10: ragged maze: row 2 has 0 characters, most have 8",
        "f:7",
    ]
    assert texts(read(f"a title\n{lines[0]}\n\n{lines[1]}\n")) == ["f:2", "f:4"]
    reads_as(
        "S..#....G\n" + "." * 9 + "\n" + "." * 9 + "\n", ["S..#....G", "." * 9, "." * 9]
    )  # a drawing


# Files


def test_several_mazes() -> None:
    text = "\n".join(form(grid(SMALL)) for form in FORMS.values())
    found = puzzles(text)
    assert len(found) == len(FORMS) and all(p.grid.tolist() == grid(SMALL).tolist() for p in found)
    assert [p.source for p in found] == [f"f:{1 + 6 * i}" for i in range(len(FORMS))]
    assert "\n".join(write_maze(p.grid, p.form) for p in found) == text


@pytest.mark.parametrize(
    ("text", "line"),
    [
        (f"\n\n  \n{SMALL_TEXT}\n\n", 4),
        (f"Maze #3 (hard):\n{SMALL_TEXT}", 2),
        (f"# my maze\n{SMALL_TEXT}", 2),
        (f"// one\n; two\n{SMALL_TEXT}After it\n", 3),
        (f"5 7\n{SMALL_TEXT}", 2),
        (f"10 10\n{SMALL_TEXT}", 2),
        (f"{' ' * 6}\nMaze 1\n{SMALL_TEXT}10 10\n", 3),
        (f"-----\n{SMALL_TEXT}=====\n", 2),
        (f"Look:\n```text\n{SMALL_TEXT}```\nNice\n", 3),
        (f"~~~\n\n{SMALL_TEXT}~~~\n", 3),
        (SMALL_TEXT.replace("\n", "   \n"), 1),
        (f"{' ' * 7}\n{SMALL_TEXT}{' ' * 7}\n", 2),
    ],
)
def test_what_stands_around_a_maze(text: str, line: int) -> None:
    assert reads_as(text, SMALL).source == f"f:{line}"


def test_titles_go_with_the_answer_and_fences_do_not() -> None:
    found = puzzles(f"A collection\n\nfirst\n1 of 2\n{SMALL_TEXT}second\n```\n{SMALL_TEXT}```\n")
    assert [write_maze(p.grid, p.form) for p in found] == [
        f"first\n1 of 2\n{SMALL_TEXT}",
        SMALL_TEXT,
    ]


def test_a_line_of_spaces_separates_or_is_floor() -> None:
    for spaces in ("", "  ", " " * 7, " " * 30):
        assert texts(read(f"{SMALL_TEXT}{spaces}\n{SMALL_TEXT}")) == ["f:1", "f:7"]
    reads_as("    \nS##G\n    \n  ##\n    \n", ["    ", "S##G", "    ", "  ##", "    "])
    assert texts(read("S # G\n# # #\n  # #\n   \n# # #\nS # G\n  # #\n")) == ["f:1", "f:5"]


def test_stripped_spaces_are_floor_where_no_outer_wall_says_else() -> None:
    text = "S  #\n ##\n #\n    #\n#  G\n"
    puzzle = reads_as(text, ["S  # ", " ##  ", " #   ", "    #", "#  G "])
    assert write_maze(puzzle.grid, puzzle.form) == text
    answer = write_maze(grid(["S  # ", " ##  ", " #ooo", "    #", "#  G "]), puzzle.form)
    assert answer == "S  #\n ##\n #ooo\n    #\n#  G\n"


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("codec", ["utf-8", "utf-8-sig", "utf-16"])
@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_line_ends_encodings_and_gzip(end: str, codec: str, pack: Callable[[bytes], bytes]) -> None:
    text = (
        f"{SMALL_TEXT}\n{FORMS['blocks'](grid(OPEN))}\n{SMALL_TEXT}\nquestion,rating\n#S# # #G#,\n"
    )
    text = text.replace("\n", end)
    found = puzzles(pack(text.encode(codec)))
    assert [p.source for p in found] == ["f:1", "f:7", "f:12", "f:19"]
    written = [write_maze(p.grid, p.form) for p in found]
    if end == "\r\n" and os.linesep == "\n":
        assert end.join(written[:3]) in text and written[3] == "#S# # #G#\r\n"
    else:
        assert written[0] == SMALL_TEXT


# CSV

Q, A = "S   #  G ", "Sooo#ooG "


def test_csv_columns_are_found_by_content() -> None:
    for header, line in [
        ("source,question,answer,rating", "ours,{q},{a},7"),
        ("question,answer,rating", "{q},{a},7"),
        ("maze;solution;rating", "{q};{a};7"),
        ("rating\tanswer\tquestion", "7\t{a}\t{q}"),
        ("id,Maze,Solution,Rating", '1,"{q}","{a}","7"'),
        ("one,two,rating", "{q},{a},7"),
        ("answer,question,rating", "{a},{q},7"),
        ('"id","text, with commas","one","two","rating"', '9,"a, ""b""",{q},{a},7'),
    ]:
        puzzle = one(f"{header}\n{line.format(q=Q, a=A)}\n")
        assert puzzle.grid.tolist() == grid(["S  ", " # ", " G "]).tolist()
        assert (
            puzzle.answer is not None
            and puzzle.answer.tolist() == grid(["Soo", "o#o", "oG "]).tolist()
        )
        assert (puzzle.rating, puzzle.source) == (7, "f:2")
        assert write_maze(puzzle.answer, puzzle.form) == A + "\n"


def test_csv_of_the_public_data() -> None:
    cells = random_maze(1, 30, 30, 0.4, False)
    solved = with_path(cells, 2)
    (puzzle,) = puzzles(
        f"source,question,answer,rating\nours,{line_maze(cells)},{line_maze(solved)},110\n"
    )
    assert puzzle.grid.tolist() == cells.tolist() and puzzle.rating == 110
    assert puzzle.answer is not None and puzzle.answer.tolist() == solved.tolist()


def test_csv_shapes() -> None:
    rows = "\n".join(SMALL)
    text = (
        "id,question,answer,rating\n"
        f"1,{line_maze(grid(SMALL))},,\n"
        f'2,"{rows}",,hard\n'
        f'3,"\n{rows}\n","{rows.replace("S  ", "Soo")}",5\n'
        "\n"
        f"4, {Q.replace(' ', '.')} ,\n"
        f"5,{Q}\n"
    )
    found = puzzles(text)
    assert [p.source for p in found] == ["f:2", "f:3", "f:8", "f:20", "f:21"]
    assert [p.grid.shape for p in found] == [(5, 7), (5, 7), (5, 7), (3, 3), (3, 3)]
    assert [p.rating for p in found] == [None, None, 5, None, None]
    assert write_maze(found[1].grid, found[1].form) == SMALL_TEXT
    assert write_maze(grid(["Soo", " # ", " G "]), found[3].form) == "Soo.#..G.\n"


def test_a_csv_of_one_column_and_titles_with_commas() -> None:
    assert texts(read('maze\n"###\n#S#\n#G#"\n"#S# # #G#"\n#S# # #G#\n')) == ["f:2", "f:5", "f:6"]
    assert texts(read("maze\n#S# # #G#\n#S# # #G#\n")) == ["f:2", "f:3"]
    reads_as("Maze, easy\n1,1,1\n1,S,1\n1,G,1\n", ["###", "#S#", "#G#"])
    reads_as("Mazes, made by me\n###\n#S#\n#G#\n", ["###", "#S#", "#G#"])
    reads_as('A maze\n"quoted" from a book\n###\n#S#\n#G#\n', ["###", "#S#", "#G#"])


def test_csv_records_that_are_wrong() -> None:
    lines = [
        "id,question,answer",
        f"1,{Q[:-1]},{A}",
        f"2,{Q},{A[:-2]}",
        f"3,{Q},Sooo ooG ",
        f"4,{Q},Sooo#o G#",
        "5",
        f"6,{Q.replace('G', ' ')},{A}",
        f"7,{Q.replace(' ', 'S', 1)},{A}",
        f'8,"{Q[:4]}?{Q[5:]}",{A}',
        f"9,{Q},S  /o#o/oG /   ",
        f'10,"S  \n ? \n G ",{A}',
        f'11,{Q},"Soo\no#o\no##"',
        f"11,{Q},{Q}",
        f"12,{Q},{A}",
        '13,"S',
    ]
    assert texts(read("\n".join(lines))) == [
        f"f:2: question: one row of 8 characters; {FLAT}",
        f"f:3: answer: one row of 7 characters; {FLAT}",
        "f:4:17: the answer has ' ' in row 2, column 2 of the maze, the question '#'",
        "f:5:21: the answer has '#' in row 3, column 3 of the maze, the question ' '",
        "f:6: 1 column; the question is expected in column 2",
        f"f:7: question: no goal: mark it with G or E, {OTHER}",
        f"f:8:4: question: two starts: line 8, column 3 and line 8, column 4; {OTHER[3:]}",
        f"f:9:8: question: wrong character '?'; {CELLS}",
        "f:10: the answer has 4 x 3 cells, the question 3 x 3",
        f"f:12:2: question: wrong character '?'; {CELLS}",
        f"f:14: answer: no goal: mark it with G or E, {OTHER}",
        "f:17:14: the answer shows no path; mark its cells with 'o'",
        "f:18",
        "f:19: a quote in this record is never closed",
    ]


def test_a_csv_may_begin_with_a_bad_record() -> None:
    lines = ["source,question,answer,rating", "1,2", f"3,{Q},{A},4", f'5,"{Q}']
    assert texts(read("\n".join(lines))) == [
        f"f:2:3: question: wrong character '2'; {CELLS}",
        "f:3",
        "f:4: a quote in this record is never closed",
    ]


# Which character is the wall

NO_WALL = "draw walls as '#'"
ROOM = ["#######", "#S    #", "# ### #", "#   #G#", "#######"]
TAKEN_1 = "f: reading 1 as wall and 0 as floor; if it is the other way round, write walls as '#'"
TAKEN_0 = (
    "f: reading 0 as wall and 1 as floor, because 0 is on the whole border; "
    "if it is the other way round, write walls as '#'"
)


def in_characters(rows: list[str], wall: str, floor: str = " ") -> str:
    return "".join(row.replace(" ", floor).replace("#", wall) + "\n" for row in rows)


@pytest.mark.parametrize(
    ("wall", "floor"), [("0", " "), ("0", "."), ("0", "1"), ("o", " "), ("o", "."), ("o", "0")]
)
@pytest.mark.parametrize("ends", ["inside", "in the ring"])
def test_a_character_that_stands_all_around_is_the_wall(wall: str, floor: str, ends: str) -> None:
    rows = ROOM if ends == "inside" else ["#S#####", "#     #", "# ### #", "#   # G", "#######"]
    for draw in (
        drawn(f"{wall}{floor}SG*"),
        drawn(f"{wall}{floor}SG*", 2),
        indented(drawn(f"{wall}{floor}SG*"), "  "),
    ):
        text = draw(grid(rows))
        puzzle = reads_as(text, rows)
        assert write_maze(puzzle.grid, puzzle.form) == text
        answer = label(puzzle.grid[None])[0]
        written = write_maze(answer, puzzle.form)
        assert written == draw(answer)
        reads_as(written, rows)
    reads_as(flat(f"{wall}{floor}SG*", "/")(grid(rows)), rows)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "000 0\n0S 00\n00 00\n0  G0\n00000\n",
            "f:1:1: no wall was recognised, with ' ' and '0' read as floor",
        ),
        (
            "ooo oo\no S  o\no o oo\no  G o\noooooo\n",
            "f:1:1: no wall was recognised, with ' ' read as floor and 'o' read as a path",
        ),
        ("S00\n000\n00G\n", "f:1:2: no wall was recognised, with '0' read as floor"),
        ("00000\n0S0G0\n00000\n", "f:1:1: no wall was recognised, with '0' read as floor"),
        ("ooooo\noSoGo\nooooo\n", "f:1:1: no wall was recognised, with 'o' read as a path"),
        (
            ".....\n.S  .\n. . .\n.  G.\n.....\n",
            "f:1:1: no wall was recognised, with ' ' and '.' read as floor",
        ),
        (
            "🟦🟦🟦\n🟦🟩⬜\n🟦🟥⬜\n",
            "f:1:1: no wall was recognised, with '⬜' read as floor and '🟦' read as a path",
        ),
        ("S0 /0 0/ 0G\n", "f:1:2: no wall was recognised, with ' ' and '0' read as floor"),
    ],
)
def test_a_reading_without_a_wall_is_refused(text: str, message: str) -> None:
    assert errors(text) == [f"{message}; {NO_WALL}"]


@pytest.mark.parametrize("floor", [".", " ", "⬜", "·", "_", "□"])
def test_an_open_field_is_a_maze(floor: str) -> None:
    cells = grid(["S...", "....", "...G"])
    ends = "🟩🟥🟦" if floor == "⬜" else "SGo"
    draw = drawn(f"#{floor}{ends}")
    puzzle = one(draw(cells))
    assert puzzle.grid.tolist() == cells.tolist() and not puzzle.note
    answer = label(cells[None])[0]
    assert write_maze(answer, puzzle.form) == draw(answer)
    assert one(draw(answer)).grid.tolist() == cells.tolist()  # a whole path in it is one


def test_digits_are_walls_and_floor_with_a_note() -> None:
    assert reads_as("S01\n101\n0G1\n001\n", ["S #", "# #", " G#", "  #"]).note == TAKEN_1
    ringed = reads_as(in_characters(ROOM, "1", "0"), ROOM)
    assert ringed.note == ""
    assert reads_as(in_characters(ROOM, "0", "1"), ROOM).note == TAKEN_0
    for plain in (
        in_characters(ROOM, "1"),
        in_characters(ROOM, "0"),
        in_characters(ROOM, "o"),
        SMALL_TEXT,
    ):
        assert one(plain).note == ""
    # A ring of 0 that leaves an end no way out is floor.
    assert reads_as("S000\n0110\n0010\n000G\n", ["S   ", " ## ", "  # ", "   G"]).note == TAKEN_1


def test_the_note_of_a_csv_in_digits() -> None:
    found = puzzles("question,answer\nS10010G00,\n1S1001G11,1S1*01G11\n")
    assert [puzzle.note for puzzle in found] == [TAKEN_1, TAKEN_1]


def test_an_answer_of_a_csv_has_the_characters_of_its_question() -> None:
    field, around = "S....G/....../......", "SooooG/oooooo/oooooo"
    (puzzle,) = puzzles(f"question,answer\n{field},{around}\n")
    assert puzzle.answer is not None and (puzzle.answer == PATH).sum() == 16
    ring_of_path = "SooG/o..o/oooo"
    (puzzle,) = puzzles(f"question,answer\nS..G/..../....,{ring_of_path}\n")
    assert (
        puzzle.answer is not None
        and puzzle.answer.tolist() == grid(ring_of_path.split("/")).tolist()
    )
    solved = grid(["#####", "#SoG#", "#####"]).tolist()
    for question, answer in [
        ("ooooo/oS Go/ooooo", "ooooo/oS*Go/ooooo"),
        ("00000/0S G0/00000", "00000/0S*G0/00000"),
        ("00000/0S1G0/00000", "00000/0SoG0/00000"),
        ("11111/1S0G1/11111", "11111/1SoG1/11111"),
    ]:
        (puzzle,) = puzzles(f"question,answer\n{question},{answer}\n")
        assert puzzle.answer is not None and puzzle.answer.tolist() == solved


def is_path_in_open_field(walls: Grid) -> bool:
    """Whether these walls, drawn as a path, lead from the start to the goal."""
    field = np.where(walls == WALL, FLOOR, walls)
    path = np.where(walls == WALL, PATH, walls)
    return not find_faults(field, path).any()


def test_a_first_row_of_letters_and_digits_is_no_title() -> None:
    (item,) = read("X0XX\nXXXG\nXXXX\nXXSX\n")
    assert isinstance(item, PuzzleError)
    assert item.line == 1


@pytest.mark.parametrize("first", ["  WW", "WW..", " WoW", "W  W"])
def test_a_first_row_with_the_only_walls_is_no_title(first: str) -> None:
    text = f"{first}\n    \nG   \n  S \n"
    for item in read(text):
        assert isinstance(item, PuzzleError) or item.grid.shape == (4, 4)


def test_a_damaged_row_of_letters_is_no_title() -> None:
    rows = ["XXXXX", "XS GX", "X   X", "XXXXX"]
    (error,) = errors("\n".join([",".join(row) for row in rows[:-1]] + ["X,XX,X,X"]))
    assert error.startswith("f:1:2: ',' separates only some cells")
    (error,) = errors("\n".join(["X,X,XX,X"] + [",".join(row) for row in rows[1:]]))
    assert error.startswith("f:1:2: ',' separates only some cells")


def test_a_short_word_above_walls_is_a_title() -> None:
    (item,) = read("Seed 3\n######\n#S  G#\n######\n")
    assert not isinstance(item, PuzzleError)
    assert item.form.head == "Seed 3\n"


def test_a_word_as_wide_as_the_maze_is_a_title() -> None:
    (item,) = read("MAZES\n#####\n#S G#\n#####\n")
    assert not isinstance(item, PuzzleError)
    assert item.grid.shape == (3, 5)
    assert item.form.head == "MAZES\n"


@settings(max_examples=125, deadline=None)
@example("X", "0", random_maze(28221, 4, 4, 0.8, False))
@example("W", " ", random_maze(1883, 4, 4, 0.2, False))
@given(
    st.sampled_from(["#", "█", "X", "0", "1", "o", ".", "%", "W", "+", "*"]),
    st.sampled_from([" ", ".", "_", "0", "1"]),
    st.one_of(walled_mazes, open_mazes),
)
def test_an_answer_goes_over_nothing_but_floor(wall: str, floor: str, cells: Grid) -> None:
    """A maze is refused, or its answer changes floor alone, or a note tells what is floor."""
    assume(wall != floor and WALL in cells and FLOOR in cells)
    assume(floor != "1" or wall in "01#█X")  # 1 beside dots or a drawn path is a wall
    assume(floor != " " or not is_ambiguous(cells))
    assume(wall != "o" or not is_path_in_open_field(cells))
    text = drawn(f"{wall}{floor}SGo")(cells)
    for item in read(text):
        if isinstance(item, PuzzleError) or item.note:
            continue
        assert wall not in item.form.marks[FLOOR] + item.form.marks[PATH]
        all_path = np.where(item.grid == FLOOR, PATH, item.grid).astype(np.int8)
        titles = item.form.head.count("\n")
        written = write_maze(all_path, item.form).splitlines()[titles:]
        first = int(item.source.removeprefix("f:")) - 1
        for asked, said in zip(text.splitlines()[first:], written, strict=False):
            assert {mark for mark, now in zip(asked, said, strict=True) if mark != now} <= {floor}


# Errors


def changed(row: int, text: str) -> str:
    return "\n".join([*SMALL[:row], text, *SMALL[row + 1 :]]) + "\n"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", f"f: empty: no maze in it; {SHAPE}"),
        ("\n \n\t\n", f"f: empty: no maze in it; {SHAPE}"),
        ("hello world\n# a comment\n```\n```\n", f"f: empty: no maze in it; {SHAPE}"),
        (SMALL_TEXT.replace("S", " "), f"f:1: no start: mark it with S, {OTHER}"),
        (f"A title\n{SMALL_TEXT}".replace("G", " "), f"f:2: no goal: mark it with G or E, {OTHER}"),
        (
            changed(2, "# #S  #"),
            f"f:3:4: two starts: line 2, column 2 and line 3, column 4; {OTHER[3:]}",
        ),
        (
            changed(1, "#S s# #"),
            f"f:2:4: two starts: line 2, column 2 and line 2, column 4; {OTHER[3:]}",
        ),
        (changed(2, "# # x #"), f"f:3:5: wrong character 'x'; {CELLS}"),
        (changed(2, "# # 2 #"), f"f:3:5: wrong character '2'; {CELLS}"),
        (changed(2, "# # 0 #"), f"f:3:5: wrong character '0'; {CELLS}"),
        (changed(2, "# #\x07  #"), f"f:3:4: wrong character U+0007; {CELLS}"),
        (changed(2, "#\t#   #"), "f:3:2: tabs have no fixed width; use spaces"),
        ("#####\n#SxG#\n#####\n", f"f:2:3: wrong character 'x'; {CELLS}"),
        (f"{ASK},{TELL}\n", f"f:1:10: ',' after a maze on a line; {HEADER}"),
        ("┌───┐\n│S G│\n└───┘\n", f"f:1:1: '┌': {LINED}"),
        ("   +--+\n   |SG|\n   +--+\n", f"f:1:4: '+': {LINED}"),
        (" _____\n|S   G|\n", f"f:2:1: '|': {LINED}"),
        (
            "1,1,1\nS,0G0\n1,1,1\n",
            "f:1:2: ',' separates only some cells; put it between all cells or none",
        ),
        (
            "1\t1\t1\nS\t0G\n1\t1\t1\n",
            "f:1:2: '\\t' separates only some cells; put it between all cells or none",
        ),
        ("1,1,1\nS0G\n1,1,1\n", f"f:1:2: wrong character ','; {CELLS}"),
        ("####\n#SG#\n", "f:1: 2 x 4 cells; the minimum is 3 x 3"),
        ("##\nS#\nG#\n##\n", "f:1: 4 x 2 cells; the minimum is 3 x 3"),
        ("#S G#\n", f"f:1: one row of 5 characters; {FLAT}"),
        ("SG##\n", f"f:1: one row of 4 characters; {FLAT}"),
        (changed(2, "# #  #"), f"f:3:7: ragged maze: row 3 has 6 characters, most have 7{LOST}"),
        (changed(1, "#S  #"), f"f:2:6: ragged maze: row 2 has 5 characters, most have 7{LOST}"),
        (changed(0, "######"), f"f:1:7: ragged maze: row 1 has 6 characters, most have 7{LOST}"),
        (changed(2, "# #    #"), "f:3:8: ragged maze: row 3 has 8 characters, most have 7"),
        (changed(4, "########"), "f:5:8: ragged maze: row 5 has 8 characters, most have 7"),
        (
            "  #####\n  #S  #\n # # G#\n  #   #\n  #####\n",
            "f:3:2: ragged maze: row 3 begins before the others",
        ),
        ("..#..\nS.#.G\n....\n#.#..\n", "f:3:5: ragged maze: row 3 has 4 characters, most have 5"),
        (
            "..#..\nS.#.G\n......\n#.#..\n",
            "f:3:6: ragged maze: row 3 has 6 characters, most have 5",
        ),
        ("  ..#\n  S.G\n ....\n  #.#\n", "f:3:2: ragged maze: row 3 begins before the others"),
        ("  ..#\n  S.G\n   ..\n  #.#\n", "f:3:3: ragged maze: row 3 begins after the others"),
        ("S .  \n# #\n  #.G\n", f"f:2:4: ragged maze: row 2 has 3 characters, most have 5{LOST}"),
        ("##########\n##SS  GG##\n##   #  ##\n##########\n", f"f:3:5: {DOUBLED}, but not ' #'"),
        ("\n".join(["#" * 1001, "#SG" + "#" * 998, "#" * 1001]), f"f:1: 3 x 1001 cells; {MANY}"),
        (
            "#S#\n" + "#" * 3001,
            "f:2: a row of 3001 characters; the maximum is 1000 x 1000 cells",
        ),
        (
            "#S#\n" * 1001,
            "f:1: no empty line in 1000 rows; the maximum is 1000 x 1000 cells",
        ),
        ("#" * (1 << 22) + "##\n", f"f:1: a line longer than {1 << 22} characters; {SHAPE}"),
    ],
)
def test_errors(text: str, message: str) -> None:
    assert errors(text) == [message]


def test_an_empty_line_that_may_have_been_floor_is_named() -> None:
    assert errors("S.....\n..####\n......\n\n####..\n......\n.....G\n") == [
        f"f:1: no goal: mark it with G or E, {OTHER}{TORN}",
        f"f:5: no start: mark it with S, {OTHER}{TORN}",
    ]
    assert errors("S     \n  ##  \n\n  ##  \n     G\n") == [
        f"f:{line}: 2 x 6 cells; the minimum is 3 x 3{TORN}" for line in (1, 4)
    ]
    assert errors(f"{SMALL_TEXT}\n{SMALL_TEXT}\n".replace("S", " ")) == [
        f"f:{line}: no start: mark it with S, {OTHER}" for line in (1, 7)
    ]


def test_binary_files_and_bytes_that_are_not_utf8() -> None:
    assert errors(b"%PDF-1.7") == [
        "f: not text: this is a PDF document; save the puzzles as UTF-8 text"
    ]
    assert errors(b"###\n#\0#\n")[0].startswith("f:2: not text: a binary file")
    assert texts(
        read(SMALL_TEXT.encode().replace(b"#   #G", b"#  \xe9#G") + b"\n" + SMALL_TEXT.encode())
    ) == [
        "f:4:4: not text: byte 0xE9 is not UTF-8; save the puzzles as UTF-8 text",
        "f:7",
    ]
    packed = gzip.compress(f"{SMALL_TEXT}\n{SMALL_TEXT}".encode())
    assert (
        texts(read(packed[:-4]))[-1]
        == "f: the gzip data ends too early; create or download the file again"
    )


@settings(max_examples=100, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(sorted(FORMS)), st.sampled_from(["", "S", "?", "\t"])),
        max_size=8,
    )
)
def test_a_bad_maze_does_not_hurt_its_neighbours(parts: list[tuple[str, str]]) -> None:
    drawings = [
        FORMS[form](grid(SMALL))
        + ("" if not slip else slip * 7 + "\n" if slip == "S" else f"#{slip}#\n")
        for form, slip in parts
    ]
    items = read("\n".join(drawings)) if parts else []
    assert [isinstance(item, Puzzle) for item in items] == [not slip for _, slip in parts]
    for item, part, line in zip(items, parts, range(1, 1000, 1), strict=False):
        assert isinstance(item, PuzzleError) or item.grid.tolist() == grid(SMALL).tolist(), (
            part,
            line,
        )


# Streaming and bounds


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


def test_a_maze_is_handed_on_once_the_line_after_it_was_read() -> None:
    def feed() -> Iterator[bytes]:
        yield SMALL_TEXT.encode() + b"\n"
        yield b"Title\r\n" + SMALL_TEXT.replace("\n", "\r\n").encode() + b"\r\n\r\n"
        yield f"{ASK}\n".encode() * 2
        yield b"\nquestion,rating\n"
        yield f"{ASK},1\n".encode()
        raise AssertionError("read ahead")

    items = read_mazes(io.BufferedReader(Pipe(feed())), "pipe")
    assert texts([next(items) for _ in range(5)]) == [
        "pipe:1",
        "pipe:8",
        "pipe:15",
        "pipe:16",
        "pipe:19",
    ]
    with pytest.raises(AssertionError, match="read ahead"):
        next(items)


def test_single_bytes_and_streams_that_only_read() -> None:
    class OnlyRead:
        def __init__(self, data: bytes) -> None:
            self.data = io.BytesIO(data)

        def read(self, size: int = -1) -> bytes:
            return self.data.read(min(size, 1))

    text = f"{SMALL_TEXT}\r\n{FORMS['blocks'](grid(SMALL))}"
    for data in (text.encode("utf-8-sig"), text.encode("utf-16"), gzip.compress(text.encode())):
        found = list(read_mazes(OnlyRead(data), "f"))  # type: ignore[arg-type]
        assert texts(found) == ["f:1", "f:7"]


@pytest.mark.parametrize("pack", [False, True])
@pytest.mark.slow
def test_memory_stays_constant(pack: bool) -> None:
    block = f"{SMALL_TEXT}\n".encode() * 600
    chunks = (gzip.compress(block) if pack else block for _ in range(5))
    tracemalloc.start()
    assert sum(1 for _ in read_mazes(io.BufferedReader(Pipe(chunks)), "f")) == 3000
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 1_500_000


UNITS = [
    b"#",
    b" ",
    b"# ",
    b"\n.",
    b"hello world ",
    b"hello\n",
    b"#\n",
    b"   \n  \n",
    b"1,",
    b'"',
    b"S/",
    b"\xff",
    b"# x\n",
]


@pytest.mark.parametrize("unit", UNITS)
@pytest.mark.parametrize("head", [b"", b"question,answer\nS,G\n", b'question,answer\n"'])
def test_a_file_without_an_end(head: bytes, unit: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """It ends in errors, in little memory and in a time that grows as the file does."""
    # It gives up eight times as soon as it does for a user.
    monkeypatch.setattr(lines, "GIVE_UP", lines.GIVE_UP // 8)
    pipe = Pipe(iter([*[head][: len(head)], *[unit * (LIMIT // len(unit))] * 1100]))
    traced = b"\n" not in unit  # costs time with every line
    start, items = time.process_time(), []
    if traced:
        tracemalloc.start()
    for item in read_mazes(io.BufferedReader(pipe), "f"):
        items.append(item)
        if len(items) == 10:
            break
    peak = tracemalloc.get_traced_memory()[1] if traced else 0
    tracemalloc.stop()
    assert items and all(isinstance(item, PuzzleError) for item in items)
    assert peak < 100 << 20 and time.process_time() - start < 60


def test_the_largest_maze() -> None:
    cells = random_maze(3, MOST, MOST, 0.4, False)
    assert one(drawn("#.SGo", 2)(cells)).grid.tolist() == cells.tolist()
    (puzzle,) = puzzles(f"question,answer\n{line_maze(cells)},{line_maze(with_path(cells, 1))}\n")
    assert puzzle.grid.tolist() == cells.tolist()


def test_a_thousand_mazes_take_a_moment() -> None:
    cells = random_maze(4, 30, 30, 0.4, False)
    drawing, line = (
        drawn("# SGo")(cells) + "\n",
        f"{line_maze(cells)},{line_maze(with_path(cells, 5))}\n",
    )
    start = time.process_time()
    assert len(puzzles(drawing * 1000)) == 1000
    assert len(puzzles("question,answer\n" + line * 1000)) == 1000
    assert time.process_time() - start < 20  # about two seconds on an idle core


# Nothing that can be in a file raises


def sane(data: str | bytes) -> None:
    items = read(data)
    assert items
    for item in items:
        if isinstance(item, Puzzle):
            assert min(item.grid.shape) >= 3 and item.grid.min() >= 0 and item.grid.max() <= GOAL
            assert (item.grid == START).sum() == (item.grid == GOAL).sum() == 1
            again = read(write_maze(item.grid, item.form))
            if not any(
                char in data for char in (b"oO*+" if isinstance(data, bytes) else "oO*+")
            ):  # wiped out
                assert [p.grid.tolist() for p in again if isinstance(p, Puzzle)] == [
                    item.grid.tolist()
                ]
        else:
            assert item.source == "f" and item.problem
            assert item.line is None or item.line >= 1
            assert item.column is None or item.column >= 1


@pytest.mark.parametrize(
    "junk",
    [
        "#",
        " ",
        "S",
        "S#",
        "1",
        "1 ",
        "~~~ ",
        "- ",
        '"',
        '""',
        ",",
        "/",
        "x",
        "\t",
        "a1",
        "\udcff",
        "█",
        "▀",
        "(",
        "a(",
        ": ",
        "[ ",
        "<",
        "> ",
    ],
)
@pytest.mark.slow
def test_long_lines_of_junk_take_no_time(junk: str) -> None:
    line = (junk * LINE)[: LINE - 2]
    start = time.process_time()
    read(f"question,answer\n{line}\n{line}?\n".encode("utf-8", "surrogateescape"))
    read(f"{line}\n\n{line}?\n{line[:2000]}~\n".encode("utf-8", "surrogateescape"))
    assert time.process_time() - start < 20


@settings(max_examples=100, deadline=None)
@given(st.binary(max_size=400))
def test_random_bytes(data: bytes) -> None:
    sane(data)
    sane(gzip.compress(data))
    read(b"\x1f\x8b" + data)
    read(b"\x89PNG\r\n\x1a\n" + data)


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="##  ..SG\n\nsEeo01*+█▀▄░▒■,;\t/\"'ab-|─\r\xa0⬛\udcff", max_size=300))
def test_random_text(text: str) -> None:
    sane(text.encode("utf-8", "surrogateescape"))


pieces = st.one_of(
    st.sampled_from(
        [
            *SMALL,
            *OPEN,
            ASK,
            "",
            "",
            " " * 5,
            "```",
            "A title",
            "5 7",
            "question,answer",
            "#S#",
            " G ",
            "# #",
        ]
    ),
    st.sampled_from(
        [
            f"{Q},{A}",
            f'"{Q}",{A}',
            '"#S#',
            '# #"',
            "1,0,S",
            "G,0,1",
            "▀▄█",
            "█S▀",
            "▄G ",
            "##  SS",
            "GG##  ",
        ]
    ),
    st.sampled_from(sorted(FORMS)).map(lambda form: FORMS[form](grid(SMALL))),
    st.text(alphabet="# .SGo", max_size=12),
)


@settings(max_examples=150, deadline=None)
@given(st.lists(pieces, max_size=20))
def test_random_pieces(parts: list[str]) -> None:
    sane("\n".join(parts))


@settings(max_examples=100, deadline=None)
@given(
    st.sampled_from(sorted(FORMS)),
    st.integers(0, 400),
    st.sampled_from(["", "#", " ", ".", "S", "\n", "?", "\n\n"]),
)
def test_one_slip_in_a_good_file(form: str, where: int, slip: str) -> None:
    text = FORMS[form](grid(SMALL))
    where %= len(text)
    sane(text[:where] + slip + text[where + 1 :])


# The examples


@pytest.mark.parametrize(
    ("file", "shapes"),
    [
        ("small.txt", [(11, 11)]),
        ("open.txt", [(15, 15)]),
        ("several.txt", [(9, 17), (8, 12), (13, 13)]),
        ("blocks.txt", [(15, 21)]),
        ("wide.txt", [(11, 15)]),
        ("hard.txt", [(30, 30)]),
        ("maze.csv", [(30, 30)] * 3),
    ],
)
def test_examples(file: str, shapes: list[tuple[int, int]]) -> None:
    data = (ROOT / "examples" / "maze" / file).read_bytes()
    found = puzzles(data)
    assert [p.grid.shape for p in found] == shapes
    steps = [path_length(label(p.grid[None])[0]) for p in found]
    assert min(steps) > 10 and (file != "hard.txt" or steps[0] > 100)
    if file == "maze.csv":
        assert [p.rating for p in found] == steps
    else:
        assert "\n".join(write_maze(p.grid, p.form) for p in found) == data.decode()
