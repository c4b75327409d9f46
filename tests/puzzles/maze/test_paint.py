"""The maze drawing by its characters and styles, and on terminals of several sizes."""

import io
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from tests.support.screen import pinned, screen, written
from trmsolve.puzzles.maze.cells import FLOOR, GOAL, PATH, START, WALL
from trmsolve.puzzles.maze.paint import cell_kinds, paint_maze, paint_maze_large, paint_maze_small
from trmsolve.puzzles.values import Answer, Cycle, Line, Puzzle
from trmsolve.show.console import FILLS, PAIRS, make_console
from trmsolve.show.displays import LiveDisplay, StepsDisplay
from trmsolve.show.frame import OtherSizes, cycle_facts

QUESTION = """
S.#..#
.##...
....#.
.##.#G
.#...."""
ANSWER = """
S.#.o#
o##o.o
oooo#o
.##.#G
.#...."""
ARROWS = """
..#.^#
.##>>v
.>>^#v
.##.#.
.#..>^"""


def maze(text: str, symbols: str = "#.SGo") -> NDArray[np.int8]:
    return np.array([[symbols.index(symbol) for symbol in row] for row in text.split()], np.int8)


def arrows() -> NDArray[np.int8]:
    return maze(ARROWS.replace("#", "."), ".v<>^")


def cells(*places: tuple[int, int]) -> NDArray[np.bool_]:
    mask = np.zeros((5, 6), np.bool_)
    for place in places:
        mask[place] = True
    return mask


def cycle(
    answer: str | NDArray[np.int8] = QUESTION,
    question: str | NDArray[np.int8] = QUESTION,
    **more: Any,
) -> Cycle:
    asked = maze(question) if isinstance(question, str) else question
    given = maze(answer) if isinstance(answer, str) else answer
    values: dict[str, Any] = {
        "confidence": np.ones(asked.shape, np.float32),
        "changed": np.zeros(asked.shape, np.bool_),
        "faulty": np.zeros(asked.shape, np.bool_),
        "violations": 0,
        "halt": 0.5,
    }
    return Cycle(Puzzle(asked), 3, 16, 1, 16, given, **values | more)


def text(lines: list[Line]) -> str:
    return "\n".join("".join(piece for piece, _ in line) for line in lines)


def kinds(cycle: Cycle) -> Counter[str]:
    return Counter(kind for row in cell_kinds(cycle) for kind in row)


@pytest.fixture
def troubled() -> Cycle:
    """A path through a wall, a lost goal, a loose end, two new cells, a wave half of the way."""
    answer = maze(ANSWER)
    answer[0, 2], answer[3, 5] = PATH, FLOOR
    changed, faulty = cells((0, 4), (1, 5)), cells((0, 0), (0, 2), (0, 4), (3, 5))
    return cycle(answer, changed=changed, faulty=faulty, violations=4, arrows=arrows())


# Two rows in a line


def test_two_rows_share_a_line_in_a_frame_that_tells_where_the_ends_are() -> None:
    assert text(paint_maze(cycle(ANSWER), plain=False)) == (
        "╭S─────╮\n"  # S above and to the left
        "S▀▄█▄▀▀│\n"
        "│▀▄▄▀█▀G\n"  # G to the right and below
        "│ ▀    │\n"
        "╰─────G╯"
    )


def test_every_character_names_what_both_of_its_cells_are() -> None:
    lines = paint_maze(cycle(ANSWER), plain=False)
    assert lines[1][1:-1] == [
        ("▀", "start on path"),
        ("▄", "wall on floor"),
        ("█", "wall on wall"),
        ("▄", "path on floor"),
        ("▀", "path on floor"),
        ("▀", "wall on path"),
    ]
    assert lines[3][1:-1] == [
        (" ", "floor on floor"),
        ("▀", "wall on floor"),
        *[(" ", "floor on floor")] * 4,
    ]


@pytest.mark.parametrize("faulty", [False, True])
def test_a_wall_is_always_ink_and_bare_floor_never(faulty: bool) -> None:
    rng = np.random.default_rng(1)
    question, answer = rng.integers(0, 4, (30, 30), np.int8), rng.integers(0, 5, (30, 30), np.int8)
    directions, blamed = rng.integers(0, 5, (30, 30), np.int8), rng.random((30, 30)) < 0.1 * faulty
    drawn = cycle(
        answer,
        question,
        arrows=directions,
        faulty=blamed,
        confidence=rng.random((30, 30), np.float32),
    )
    for line in paint_maze(drawn, plain=False)[1:-1]:
        for glyph, style in line[1:-1]:
            ink, paper = style.split(" on ")
            assert style in PAIRS and glyph in "▀▄█ "
            assert paper != "wall" or (ink == "wall" and glyph == "█")
            assert ink != "floor" or (paper == "floor" and glyph == " ")


@pytest.mark.parametrize("rows", [3, 4, 7, 30])
@pytest.mark.parametrize("plain", [True, False])
def test_the_size_is_that_of_the_maze_and_a_frame(rows: int, plain: bool) -> None:
    question = np.full((rows, 9), WALL, np.int8)
    drawn = text(paint_maze(cycle(question, question), plain)).split("\n")
    assert len(drawn) == 2 + (rows if plain else (rows + 1) // 2)
    assert {len(line) for line in drawn} == {11}


def test_the_smallest_maze() -> None:
    assert (
        text(paint_maze(cycle(*["S## o## ooG"] * 2), plain=False)) == "╭S──╮\nS▀██│\n│▀▀▀G\n╰──G╯"
    )


def test_a_maze_without_ends_is_drawn_too() -> None:
    assert text(paint_maze(cycle(*["#.# ###"] * 2), plain=False)) == "╭───╮\n│█▄█│\n╰───╯"


# What a cell is


def test_every_cell_is_counted_once(troubled: Cycle) -> None:
    pairs = [
        style.split(" on ")
        for line in paint_maze(troubled, plain=False)
        for _, style in line
        if style != "border"
    ]
    named = Counter(kind for pair in pairs for kind in pair)
    assert named - Counter({"floor": 6}) == kinds(
        troubled
    )  # a row of nothing stands under the fifth


def test_the_worst_news_of_a_cell_wins(troubled: Cycle) -> None:
    drawn = cell_kinds(troubled)
    assert drawn[0][2] == "overwritten" and drawn[3][5] == "overwritten"  # a wall, and the goal
    assert drawn[0][4] == "conflict"  # changed as well
    assert drawn[1][5] == "changed"
    assert drawn[1][3] == "path"


def test_ends_stay_what_they_are_although_they_are_faulty_without_a_path(troubled: Cycle) -> None:
    everywhere = np.ones((5, 6), np.bool_)
    drawn = kinds(cycle(faulty=everywhere, changed=everywhere))
    assert drawn["start"] == drawn["goal"] == 1
    assert drawn["wall"] == (maze(QUESTION) == WALL).sum()


@pytest.mark.parametrize("content", [WALL, START, GOAL])
def test_floor_may_become_path_and_nothing_else(content: int) -> None:
    answer = maze(QUESTION)
    answer[1, 0] = content
    assert cell_kinds(cycle(answer))[1][0] == "overwritten"
    answer[1, 0] = PATH
    assert cell_kinds(cycle(answer))[1][0] == "path"


@pytest.mark.parametrize(
    ("confidence", "kind"),
    [(0.2, "unsure"), (0.69, "unsure"), (0.71, "likely"), (0.94, "likely"), (0.96, "path")],
)
def test_a_path_is_drawn_as_sure_as_the_model_is(confidence: float, kind: str) -> None:
    sureness = np.full((5, 6), confidence, np.float32)
    assert set(kinds(cycle(ANSWER, confidence=sureness))) == {
        "wall",
        "floor",
        "start",
        "goal",
        kind,
    }


def test_what_was_marked_and_is_no_longer_is_bare_floor() -> None:
    assert cell_kinds(cycle(changed=cells((1, 0))))[1][0] == "floor"


# The wave


def flooded(rows: int, columns: int, reached: NDArray[np.bool_]) -> list[list[str]]:
    question = np.full((rows, columns), FLOOR, np.int8)
    return cell_kinds(cycle(question, question, arrows=reached.astype(np.int8)))


def test_without_arrows_floor_is_bare() -> None:
    assert set(kinds(cycle(ANSWER))) == {"wall", "floor", "start", "goal", "path"}


def test_the_wave_glows_where_it_is_about_to_spread() -> None:
    assert flooded(1, 9, np.arange(9)[None] < 7) == [["wave"] * 4 + ["front"] * 3 + ["floor"] * 2]
    assert flooded(1, 9, np.ones((1, 9), np.bool_)) == [["wave"] * 9]  # it has been everywhere


def test_the_glow_goes_through_no_wall() -> None:
    question = np.array([[FLOOR, WALL, FLOOR, FLOOR]], np.int8)
    drawn = cell_kinds(cycle(question, question, arrows=np.array([[0, 0, 1, 1]], np.int8)))
    assert drawn == [["floor", "wall", "wave", "wave"]]


def test_the_wave_tints_bare_floor_only() -> None:
    everywhere = np.ones((5, 6), np.int8)
    assert set(kinds(cycle(ANSWER, arrows=everywhere))) == {"wall", "wave", "start", "goal", "path"}


# In ASCII


def test_plain_drawing_reads_without_colour(troubled: Cycle) -> None:
    assert text(paint_maze(troubled, plain=True)) == (
        "+------+\n|S ? !#|\n|o##o.*|\n|oooo#o|\n| ## #?|\n| #  ..|\n+------+"
    )


def test_plain_path_and_wave_have_one_look_each() -> None:
    sureness = np.linspace(0, 1, 30, dtype=np.float32).reshape(5, 6)
    lines = paint_maze(cycle(ANSWER, confidence=sureness, arrows=arrows()), plain=True)
    assert Counter(style for line in lines for piece, style in line if piece in "o.") == {
        "path": 9,
        "wave": 3,
    }


# The figures beside it


def figures(cycle: Cycle, plain: bool = False) -> dict[str, Any]:
    return {fact.label: fact.value for fact in cycle_facts(cycle, paint_maze(cycle, plain), plain)}


def test_figures_count_the_cells_and_show_how_they_look(troubled: Cycle) -> None:
    facts = figures(troubled)
    plain = {label: value.plain for label, value in facts.items()}
    assert plain == {
        "cycle": "3/16",
        "view": "1/16",
        "reached": "10 ▄",
        "marked": "11 ▄",
        "changed": "2",
        "broken rules": "4",
        "confidence": "100%",
        "halt": "50%",
        "clues changed": "2",
    }
    styles = {label: span.style for label, value in facts.items() for span in value.spans}
    assert styles == {
        "reached": "wave on floor",
        "marked": "path on floor",
        "changed": "changed",
        "broken rules": "conflict",
        "clues changed": "overwritten",
    }


def test_figures_in_ascii_have_the_marks_of_their_cells(troubled: Cycle) -> None:
    plain = {label: value.plain for label, value in figures(troubled, plain=True).items()}
    assert plain["reached"] == "10 ." and plain["marked"] == "11 o" and plain["changed"] == "2 *"
    assert plain["broken rules"] == "4 !" and plain["clues changed"] == "2 ?"


def test_a_model_without_arrows_has_no_figures_of_them() -> None:
    assert not {"reached", "marked"} & set(figures(cycle(ANSWER)))


# On the terminal


def large(rows: int, columns: int) -> Cycle:
    """A maze of floor, all reached and nearly all marked: the widest figures there can be."""
    question = np.full((rows, columns), FLOOR, np.int8)
    question[0, 0], question[-1, -1] = START, GOAL
    everywhere, answer = np.ones(question.shape, np.bool_), np.full(question.shape, PATH, np.int8)
    return cycle(
        answer,
        question,
        changed=everywhere,
        violations=rows * columns,
        arrows=everywhere.astype(np.int8),
    )


def shown(
    cycle: Cycle,
    width: int = 80,
    height: int = 24,
    view: Callable[..., Any] = LiveDisplay,
    **more: Any,
) -> list[str]:
    console = pinned(width, height, **more)
    view(console, paint_maze, headings=bool(cycle.puzzle.source)).cycle(cycle)
    return screen(written(console))


def test_a_30x30_maze_stands_in_its_frame_with_the_figures_beside() -> None:
    kept = shown(large(30, 30))
    assert (
        len(kept) == 17 and kept[0] == "╭S" + "─" * 29 + "╮" and kept[16] == "╰" + "─" * 29 + "G╯"
    )
    assert kept[6].endswith("│   reached        900 ▄")
    assert max(map(len, kept)) <= 80


def test_a_40x40_maze_fills_24_lines_and_gives_its_frame_for_a_heading() -> None:
    kept = shown(large(40, 40))
    assert len(kept) == 22 and kept[0].startswith("╭S──") and max(map(len, kept)) == 76
    named = replace(large(40, 40), puzzle=replace(large(40, 40).puzzle, source="maze.txt:1"))
    kept = shown(named)
    assert len(kept) == 21 and kept[0] == "maze.txt:1" and not kept[1].startswith("╭")
    assert kept[8].endswith("▀   reached        1600 ▄")


@pytest.mark.parametrize(
    ("rows", "columns", "width"), [(60, 30, 80), (20, 100, 80), (128, 128, 40)]
)
def test_of_a_larger_one_the_figures_stay(rows: int, columns: int, width: int) -> None:
    kept = shown(large(rows, columns), width)
    assert len(kept) == 1 and kept[0].startswith("cycle 3/16  view 1/16")


def test_without_colour_a_maze_as_high_as_the_terminal_is_its_figures() -> None:
    assert len(shown(large(30, 30), no_color=True)) == 1
    kept = shown(large(30, 30), height=34, no_color=True)
    assert len(kept) == 32 and kept[1].startswith("|?" + "*" * 29)


def test_every_step_stands_below_the_one_before(troubled: Cycle) -> None:
    assert shown(troubled, 60, 6, StepsDisplay)[:7] == [
        "╭S─────╮",
        "S▀▄▄▄▀▀│",
        "│▀▄▄▀█▀G",
        "│ ▀  ▀▀│",
        "╰─────G╯",
        "cycle 3/16  view 1/16  reached 10 ▄  marked 11 ▄  changed 2",
        "broken rules 4  confidence 100%  halt 50%  clues changed 2",
    ]


@pytest.mark.parametrize("colours", ["standard", "256", "truecolor"])
def test_every_terminal_gets_its_own_palette(troubled: Cycle, colours: str) -> None:
    console = pinned(color_system=colours)
    LiveDisplay(console, paint_maze).cycle(troubled)
    assert "38;" not in written(console) and "48;" not in written(console)
    assert "\x1b[32;43m▀" in written(console)  # the start above the path


def test_pairs_are_named_colours_and_nothing_else() -> None:
    console = make_console(io.StringIO())
    for name in PAIRS:
        style = console.get_style(name)
        assert not (
            style.dim or style.bold or style.reverse
        )  # some terminals mix, brighten or swap unlike others
        assert style.color and style.bgcolor and (style.color.number or 0) < 16
    assert not {"white", "black", "bright_white", "bright_black"} & set(FILLS.values())


def test_what_must_be_seen_has_no_bright_colour_and_differs_from_what_is_around_it() -> None:
    must = {
        kind: FILLS[kind] for kind in ("path", "likely", "changed", "conflict", "start", "goal")
    }
    assert not any("bright" in colour for colour in must.values())
    assert not set(must.values()) & {FILLS[kind] for kind in ("floor", "wall", "wave", "front")}
    assert (
        len({FILLS[kind] for kind in ("path", "likely", "unsure", "changed", "conflict", "wave")})
        == 6
    )
    assert len({FILLS[kind] for kind in ("path", "start", "goal", "changed", "wave")}) == 5


def test_the_large_drawing_has_letters_and_arrows() -> None:
    flooded = cycle(ANSWER, arrows=arrows())
    lines = paint_maze_large(flooded)
    assert text(lines).split("\n") == [
        "╭────────────╮",
        "│S   ██    ██│",
        "│  ████  →   │",
        "│        ██  │",
        "│  ████  ██G │",
        "│  ██    → ↑ │",
        "╰────────────╯",
    ]
    assert [style for _, style in lines[1]] == [
        "border",
        "wall on start",
        "floor on floor",
        "wall on wall",
        "floor on floor",
        "path on path",
        "wall on wall",
        "border",
    ]
    assert {style for line in lines for _, style in line} <= PAIRS.keys() | {"border"}
    still = paint_maze_large(cycle(ANSWER))
    assert "→" not in text(still)


def test_the_small_drawing_has_eight_cells_in_a_character() -> None:
    """Its dots are walls, and its colour is that of the worst news among its cells."""
    lines = paint_maze_small(cycle(ANSWER, arrows=arrows()))
    shown = [[ord(character) - 0x2800 for character, _ in line] for line in lines]
    kinds_of = np.array(cell_kinds(cycle(ANSWER)))
    walls = np.zeros((8, 6), bool)
    walls[:5] = kinds_of == "wall"
    bits = np.array([[1, 8], [2, 16], [4, 32], [64, 128]])
    assert (lines[0][0][0], lines[0][2][0]) == ("S", "G"), "the ends are letters"
    for row, column in product(range(2), range(3)):
        if (row, column) not in ((0, 0), (0, 2)):
            block = walls[4 * row : 4 * row + 4, 2 * column : 2 * column + 2]
            assert shown[row][column] == (bits * block).sum()
    papers = [[style.removeprefix("wall on ") for _, style in line] for line in lines]
    assert papers == [["start", "path", "goal"], ["floor", "floor", "front"]]
    assert {style for line in lines for _, style in line} <= PAIRS.keys()


OTHERS = OtherSizes(paint_maze_large, paint_maze_small)


@pytest.mark.parametrize(
    ("width", "height", "first"),
    [
        (80, 24, "╭────────────╮"),  # in large, with figures beside it
        (80, 8, "╭S─────╮"),  # the large drawing has seven lines, and the cursor needs two
        (200, 7, "▀▄█▄▀▀"),  # without the border, figures in a line under it
        (200, 5, None),  # in small: two lines of three characters
    ],
)
def test_the_largest_drawing_that_fits_is_chosen(
    width: int, height: int, first: str | None
) -> None:
    console = pinned(width, height)
    with LiveDisplay(console, paint_maze, others=OTHERS) as view:
        view.cycle(cycle(ANSWER))
        top = screen(written(console))[0]
    if first is None:
        assert top[0] == "S" and top[1] > chr(0x2800) and top[2] == "G"
    else:
        assert top.startswith(first)


def test_the_frame_that_stays_is_as_large_as_the_moving_one() -> None:
    for height, first in ((24, "╭────────────╮"), (8, "╭S─────╮")):
        console = pinned(80, height)
        with LiveDisplay(console, paint_maze, others=OTHERS) as view:
            frame = cycle(ANSWER)
            view.cycle(frame)
            view.answer(Answer(frame.puzzle, frame.grid, True, "", 3, 1, 0.5, 0.1))
        assert screen(written(console))[0].startswith(first)


def test_a_file_gets_the_usual_drawing() -> None:
    console = pinned(terminal=False)
    with StepsDisplay(console, paint_maze, others=OTHERS) as view:
        view.cycle(cycle(ANSWER))
    assert written(console).startswith("+------+")
