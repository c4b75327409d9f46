"""What reaches the terminal, as exact text.

Consoles have a fixed size; ``screen`` gives what a terminal would show in the end.
"""

import io
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from tests.support.screen import ESCAPE, Ascii, pinned, screen, written
from trmsolve.errors import PuzzleError
from trmsolve.puzzles.values import Answer, Cycle, Line, Puzzle
from trmsolve.puzzles.written import why_ended
from trmsolve.show.console import STYLES, make_console
from trmsolve.show.displays import (
    BarLine,
    Display,
    LiveDisplay,
    ProgressDisplay,
    QuietDisplay,
    StepsDisplay,
)
from trmsolve.show.frame import is_plain
from trmsolve.wording import count, seconds

PUZZLE = Puzzle(np.array([[1, 0], [0, 1]], np.int8), "pair.txt:1")
OTHER = Puzzle(np.array([[0, 2], [2, 0]], np.int8), "pair.txt:2")
THIRD = Puzzle(np.array([[3, 0], [0, 3]], np.int8), "pair.txt:4")
UNREADABLE = PuzzleError("80 characters, a Sudoku has 81", "pair.txt", 3, 81)


def paint(cycle: Cycle, plain: bool) -> list[Line]:
    """A 2x2 puzzle in a border: the displays know no other."""
    side, rule = ("|", "+----+") if plain else ("│", "├────┤")
    lines: list[Line] = [[(rule, "border")]]
    for row, changed in zip(cycle.grid.tolist(), cycle.changed.tolist(), strict=True):
        cells: Line = []
        for digit, new in zip(row, changed, strict=True):
            cells += [
                (f"{digit}*", "changed")
                if new and plain
                else (f"{digit} ", "changed" if new else "given")
            ]
        lines.append([(side, "border"), *cells, (side, "border")])
    return [*lines, [(rule, "border")]]


def cycle(number: int = 1, puzzle: Puzzle = PUZZLE, view: int = 1, fill: int = 7) -> Cycle:
    grid = np.array([[1, number], [fill, 1]], np.int8)
    return Cycle(
        puzzle=puzzle,
        number=number,
        limit=16,
        view=view,
        views=32,
        grid=grid,
        confidence=np.full((2, 2), 0.875, np.float32),
        changed=np.array([[False, True], [False, False]]),
        faulty=np.zeros((2, 2), np.bool_),
        violations=3,
        halt=0.25,
    )


def answer(
    last: Cycle, verified: bool = True, cycles: int = 2, views: int = 1, took: float = 0.414
) -> Answer:
    reason = "" if verified else "two 5s in row 3"
    return Answer(last.puzzle, last.grid, verified, reason, cycles, views, last.halt, took)


def play(view: Display, cycles: int = 2, **outcome: Any) -> Display:
    last = cycle(1)
    for number in range(1, cycles + 1):
        last = cycle(number)
        view.cycle(last)
    view.answer(answer(last, **outcome))
    return view


# The live view

FRAME_BESIDE = [
    "├────┤   cycle          2/16   ━───────",
    "│1 2 │   view           1/32",
    "│7 1 │   changed        1",
    "├────┤   broken rules   3",
    "         confidence     88%    ━━━━━━━─",
    "         halt           25%    ━━──────",
]
FRAME_UNDER = [
    "├────┤",
    "│1 2 │",
    "│7 1 │",
    "├────┤",
    "cycle 2/16  view 1/32",
    "changed 1  broken rules 3",
    "confidence 88%  halt 25%",
]
SOLVED = "solved  2 cycles  1 view  0.41 s  the rules accept"
KEY = "1 new  ? explains  confidence sure of cells  halt sure of all"
FRAME_BARE = ["1 2", "7 1", *FRAME_UNDER[4:]]


@pytest.mark.parametrize(
    ("width", "height", "frame"),
    [
        (80, 24, FRAME_BESIDE),
        (39, 8, FRAME_BESIDE),
        (30, 20, FRAME_UNDER),
        (30, 9, FRAME_UNDER),
        (30, 8, FRAME_BARE),
        (30, 6, ["cycle 2/16  view 1/32"]),
        (10, 3, ["cycle 2/16"]),
    ],
)
def test_a_moving_frame_fits_the_terminal(width: int, height: int, frame: list[str]) -> None:
    console = pinned(width, height)
    view = LiveDisplay(console, paint)
    view.cycle(cycle(1))
    view.cycle(cycle(2))
    assert screen(written(console)) == frame


def test_the_last_frame_stays_once_with_one_line() -> None:
    console = pinned()
    with LiveDisplay(console, paint) as view:
        play(view)
    assert screen(written(console)) == [*FRAME_BESIDE, SOLVED, ""]


def test_in_a_narrow_terminal_nothing_is_cut_or_doubled() -> None:
    console = pinned(30, 20)
    with LiveDisplay(console, paint, headings=True) as view:
        play(view, verified=False, cycles=2)
    line = ["unverified  2 cycles  1 view", "0.41 s  out of cycles", "two 5s in row 3", ""]
    assert screen(written(console)) == ["pair.txt:1", *FRAME_UNDER, *line]


def test_each_puzzle_leaves_its_frame_under_its_source() -> None:
    console = pinned()
    with LiveDisplay(console, paint, headings=True) as view:
        play(view, cycles=2)
        view.problem(UNREADABLE)
        view.cycle(cycle(2, OTHER))
        view.answer(answer(cycle(2, OTHER), verified=False, cycles=512, views=32, took=31.04))
    assert screen(written(console)) == [
        *["pair.txt:1", *FRAME_BESIDE, SOLVED],
        "pair.txt:3:81: 80 characters, a Sudoku has 81",
        *["pair.txt:2", *FRAME_BESIDE],
        "unverified  512 cycles  32 views  31.0 s  out of cycles  two 5s in row 3",
        "",
    ]


def test_a_name_longer_than_the_terminal_hides_no_grid() -> None:
    console = pinned(60)
    last = cycle(2, replace(PUZZLE, source="folder/" * 20 + "pair.txt:1"))
    view = LiveDisplay(console, paint, headings=True)
    view.cycle(last)
    view.answer(answer(last))
    seen = screen(written(console))
    assert sum("│1 2 │" in line for line in seen) == 1
    assert "pair.txt:1" in "".join(seen)


def test_what_was_never_tried_has_nothing_to_count() -> None:
    console = pinned()
    view = LiveDisplay(console, paint)
    view.answer(
        replace(
            answer(cycle()), verified=False, reason="unsolvable", cycles=0, views=0, seconds=0.0
        )
    )
    assert "".join(screen(written(console))).split() == ["unverified", "unsolvable"]


def test_mixed_puzzles_are_followed_one_at_a_time() -> None:
    console = pinned()
    with LiveDisplay(console, paint, headings=True) as view:
        view.cycle(cycle(2))
        view.cycle(cycle(5, OTHER))
        assert screen(written(console)) == ["pair.txt:1", *FRAME_BESIDE]
        view.answer(answer(cycle(5, OTHER)))
        view.cycle(cycle(9, THIRD))
        assert "9/16" not in written(console)
        view.answer(answer(cycle(2)))
    kept = screen(written(console))
    assert [line for line in kept if line.startswith("pair")] == ["pair.txt:2", "pair.txt:1"]
    assert kept[1].endswith("5/16   ━━──────")
    assert kept[8:] == ["pair.txt:1", *FRAME_BESIDE, SOLVED, ""]


def test_the_frame_that_stays_is_the_one_of_the_answer() -> None:
    console = pinned(30, 20)
    right, wrong = cycle(3, view=1), cycle(4, view=2)
    with LiveDisplay(console, paint) as view:
        view.cycle(right)
        view.cycle(wrong)
        view.answer(answer(right))
    assert screen(written(console))[1:5] == ["│1 3 │", "│7 1 │", "├────┤", "cycle 3/16  view 1/32"]


def keyed(width: int, height: int, has_keys: bool = True) -> tuple[LiveDisplay, Console]:
    """A display with a key, and its console."""
    console = pinned(width, height)
    view = LiveDisplay(console, paint, marks=[[("1", "changed"), (" new", "")]])
    view.has_keys = has_keys
    view.cycle(cycle(2))
    return view, console


def test_a_key_stands_under_the_moving_frame_and_not_under_the_last_one() -> None:
    view, console = keyed(80, 24)
    assert screen(written(console)) == [*FRAME_BESIDE, KEY]
    view.pause()
    assert screen(written(console))[-1].startswith("paused")
    assert KEY not in screen(written(console))
    with view:
        view.cycle(cycle(2))
        view.answer(answer(cycle(2)))
    assert screen(written(console)) == [*FRAME_BESIDE, SOLVED, ""]


@pytest.mark.parametrize(
    ("width", "height", "key"),
    [
        (80, 9, [KEY]),
        (80, 8, []),  # the frame has six lines, and two are kept free
        (40, 24, ["1 new  ? explains"]),
    ],
)
def test_a_key_takes_no_room_from_the_frame(width: int, height: int, key: list[str]) -> None:
    _, console = keyed(width, height)
    assert screen(written(console)) == [*FRAME_BESIDE, *key]


def test_the_key_names_no_key_where_none_can_be_pressed() -> None:
    _, console = keyed(80, 24, has_keys=False)
    assert screen(written(console))[-1] == KEY.replace("? explains  ", "")


@pytest.mark.parametrize(("width", "height"), [(80, 24), (40, 20), (200, 60), (30, 6)])
def test_an_explanation_fits_and_the_frame_comes_back(width: int, height: int) -> None:
    view, console = keyed(width, height)
    frame = screen(written(console))
    view.explain()
    lines = screen(written(console))
    assert len(lines) <= height - 1 and max(map(len, lines)) <= width
    assert lines[0] == "1 new" and lines[-1] == "any key goes back"
    if height >= 20:
        words = " ".join("\n".join(lines).split())
        for word in ("cycle", "view", "confidence", "halt", "broken rules"):
            assert word in words
        assert "checked without the network" in words, "nothing is cut"
    view.go_back()
    assert [line for line in screen(written(console)) if line] == frame


NO_CANDIDATES = np.zeros((2, 2, 2), np.bool_)


@pytest.mark.parametrize(
    ("verified", "last", "why"),
    [
        (True, {}, "the rules accept"),
        (False, {"number": 16, "halt": 0.9}, "out of cycles"),
        (False, {"number": 9, "halt": 0.9}, "the network halted"),
        (False, {"number": 9, "halt": 0.2}, "out of cycles"),  # a large maze that stood still
        (False, {"number": 9, "halt": 0.2, "candidates": NO_CANDIDATES}, "the network halted"),
    ],
)
def test_it_is_said_why_no_cycle_follows(verified: bool, last: dict[str, Any], why: str) -> None:
    frame = replace(cycle(2), **last)
    assert why_ended(answer(frame, verified), frame) == why


def test_an_interrupt_leaves_the_frame_and_gives_the_cursor_back() -> None:
    console = pinned()
    with pytest.raises(KeyboardInterrupt), LiveDisplay(console, paint) as view:
        view.cycle(cycle(2))
        assert "\x1b[?25l" in written(console)
        raise KeyboardInterrupt
    assert written(console).endswith("\x1b[?25h")
    assert screen(written(console)) == [*FRAME_BESIDE, ""]


def test_clearing_makes_way_for_others_and_the_next_cycle_draws_again() -> None:
    console = pinned()
    view = LiveDisplay(console, paint)
    view.cycle(cycle(1))
    view.clear()
    assert not "".join(screen(written(console)))
    assert written(console).index("\x1b[?25h") > written(console).index("\x1b[?25l")
    view.cycle(cycle(2))
    assert [line for line in screen(written(console)) if line] == FRAME_BESIDE


@pytest.mark.parametrize(
    "console", [pinned(terminal=False), pinned(force_interactive=False, color_system=None)]
)
def test_where_nothing_can_be_redrawn_one_line_a_puzzle_is_all(console: Console) -> None:
    with LiveDisplay(console, paint, headings=True) as view:
        play(view)
        play(view, cycles=1, verified=False)
    assert written(console) == (
        "pair.txt:1  solved  2 cycles  1 view  0.41 s\n"
        "pair.txt:1  unverified  2 cycles  1 view  0.41 s  two 5s in row 3\n"
    )


def test_one_puzzle_needs_no_heading() -> None:
    console = pinned(terminal=False)
    play(LiveDisplay(console, paint))
    assert written(console) == "solved  2 cycles  1 view  0.41 s\n"


# Every step, progress, quiet


def test_steps_in_a_file_are_plain_text_without_escapes() -> None:
    console = pinned(width=20, terminal=False)
    with StepsDisplay(console, paint, headings=True) as view:
        play(view)
    assert written(console) == (
        "pair.txt:1\n+----+\n|1 1*|\n|7 1 |\n+----+\n"
        "cycle 1/16  view 1/32  changed 1 *  broken rules 3  confidence 88%  halt 25%\n\n"
        "pair.txt:1\n+----+\n|1 2*|\n|7 1 |\n+----+\n"
        "cycle 2/16  view 1/32  changed 1 *  broken rules 3  confidence 88%  halt 25%\n\n"
        f"pair.txt:1  {SOLVED}\n"
    )


def test_steps_on_a_terminal_only_add_lines() -> None:
    console = pinned(30, 6)
    with StepsDisplay(console, paint) as view:
        play(view)
    assert "\x1b[?25" not in written(console)
    kept = screen(written(console))
    assert kept[8:] == [
        *FRAME_UNDER,
        "",
        "solved  2 cycles  1 view",
        "0.41 s  the rules accept",
        "",
    ]


class Clock:
    """Stands still until told to move."""

    now = 100.0

    def __call__(self) -> float:
        return self.now


def progress(console: Console, total: int | None = 10) -> tuple[ProgressDisplay, Clock]:
    clock = Clock()
    return ProgressDisplay(console, total, clock), clock


def test_progress_is_one_line_that_moves() -> None:
    console = pinned()
    view, clock = progress(console)
    for verified in (True, True, True, False):
        clock.now += 0.5
        view.answer(answer(cycle(2), verified))
    clock.now += 0.5
    view.problem(UNREADABLE)
    assert screen(written(console)) == [
        "pair.txt:3:81: 80 characters, a Sudoku has 81",
        "━━━━━━━━━━───────────  5/10  3 solved  1 unverified  1 unreadable  1.6 puzzles/s",
    ]


@pytest.mark.parametrize("width", [80, 40, 20, 8])
def test_progress_never_fills_more_than_a_line(width: int) -> None:
    console = pinned(width)
    view, clock = progress(console, total=100_000)
    for _ in range(3):
        clock.now += 1
        view.answer(answer(cycle(2)))
    (line,) = screen(written(console))
    assert line and len(line) <= width


def test_progress_without_a_total_turns_and_counts() -> None:
    console = pinned()
    view, clock = progress(console, total=None)
    view.cycle(cycle(1))
    first = screen(written(console))
    clock.now += 1
    view.answer(answer(cycle(2)))
    assert first == ["⠙  0 puzzles  0 solved  0 unverified  0.0 puzzles/s"]
    assert screen(written(console)) == ["⠹  1 puzzle  1 solved  0 unverified  1.0 puzzles/s"]


def test_progress_draws_no_faster_than_an_eye() -> None:
    console = pinned()
    view, clock = progress(console)
    view.cycle(cycle(1))
    before = written(console)
    clock.now += 0.05
    view.cycle(cycle(2))
    assert written(console) == before
    clock.now += 0.06
    view.cycle(cycle(3))
    assert written(console) != before


@pytest.mark.parametrize("terminal", [True, False])
def test_the_summary_replaces_the_bar_and_stands_alone_in_a_file(terminal: bool) -> None:
    console = pinned(100, terminal=terminal)
    view, clock = progress(console)
    with view:
        view.answer(answer(cycle(2), views=1))
        view.problem(UNREADABLE)
        view.answer(answer(cycle(2), views=2))
        view.answer(answer(cycle(2), verified=False, views=32))
        clock.now += 41.2
        view.cycle(cycle(1))
    assert [line for line in screen(written(console)) if line] == [
        "pair.txt:3:81: 80 characters, a Sudoku has 81",
        "3 puzzles  2 solved  1 unverified  1 unreadable  11.7 views on average  41.2 s  "
        "0.1 puzzles/s",
    ]
    assert ("\x1b" in written(console)) is terminal


def test_a_summary_of_nothing() -> None:
    console = pinned(terminal=False)
    view, _ = progress(console, total=0)
    view.close()
    view.close()
    assert written(console) == "0 puzzles  0 solved  0 unverified  0.00 s  0.0 puzzles/s\n"


def test_a_note_stays_above_what_moves() -> None:
    counted = progress(pinned())[0]
    live = LiveDisplay(pinned(), paint)
    steps = StepsDisplay(pinned(terminal=False), paint)
    for view in (counted, live, steps):
        with view:
            view.cycle(cycle(1))
            view.note("pair.txt: taking 1 for [walls]")
            view.cycle(cycle(2))
            view.answer(answer(cycle(2)))
        shown = screen(written(view.console))
        assert shown.count("pair.txt: taking 1 for [walls]") == 1
        assert any("solved" in line for line in shown)
    quiet = QuietDisplay(pinned())
    quiet.note("pair.txt: taking 1 for [walls]")
    assert written(quiet.console) == ""


def test_quiet_says_nothing_but_errors_and_breaks_none_of_them() -> None:
    console = pinned(width=20)
    with QuietDisplay(console) as view:
        play(view)
        view.problem(UNREADABLE)
    assert screen(written(console)) == ["pair.txt:3:81: 80 characters, a Sudoku has 81", ""]


# Terminals that can do less


def test_an_ascii_stream_gets_ascii_only() -> None:
    stream = Ascii()
    console = pinned(stream=stream)
    named = replace(cycle(2), puzzle=replace(PUZZLE, source="rätsel.txt:1"))
    views: list[Display] = [
        LiveDisplay(console, paint, True),
        StepsDisplay(console, paint, True),
        progress(console, 5)[0],
    ]
    for view in [*views, progress(console, None)[0]]:
        with view:
            view.cycle(named)
            view.problem(PuzzleError("kein Rätsel", "rätsel.txt", 1))
            view.answer(replace(answer(named, verified=False), reason="zwei Fünfen"))
    drawn = ESCAPE.sub("", stream.buffer.getvalue().decode("ascii"))  # type: ignore[attr-defined]
    assert r"r\xe4tsel.txt:1" in drawn and r"F\xfcnfen" in drawn  # names and reasons
    assert "|1 2*|" in drawn and "/  0 puzzles" in drawn and "-" * 30 + "  0/5" in drawn


@pytest.mark.parametrize(
    ("environ", "encoding", "plain"),
    [
        ({"TERM": "xterm"}, "utf-8", False),
        ({"TERM": "xterm", "NO_COLOR": "1"}, "utf-8", True),
        ({"TERM": "dumb"}, "utf-8", True),
        ({"TERM": "xterm"}, "ascii", True),
        ({"TERM": "xterm"}, "latin-1", True),
    ],
)
def test_when_drawings_are_plain(environ: dict[str, str], encoding: str, plain: bool) -> None:
    class Terminal(io.TextIOWrapper):
        def isatty(self) -> bool:
            return True

    console = make_console(Terminal(io.BytesIO(), encoding=encoding), _environ=environ)
    assert is_plain(console) is plain
    assert console.is_interactive is (environ["TERM"] != "dumb")


def test_no_color_marks_instead_of_colouring() -> None:
    console = pinned(no_color=True)
    with LiveDisplay(console, paint) as view:
        play(view)
    kept = screen(written(console))
    assert kept[:3] == [
        "+----+   cycle          2/16   #-------",
        "|1 2*|   view           1/32",
        "|7 1 |   changed        1 *",
    ]
    codes = {
        code
        for codes, kind in ESCAPE.findall(written(console))
        if kind == "m"
        for code in codes.split(";")
    }
    assert codes <= {"", "0", "1", "2", "4", "7"}  # no colour among the attributes


def test_forced_colours_in_a_pipe_do_not_animate() -> None:
    console = make_console(io.StringIO(), _environ={"FORCE_COLOR": "1", "TERM": "xterm"}, width=80)
    with LiveDisplay(console, paint) as live:
        play(live)
    assert written(console) == "\x1b[1;32msolved\x1b[0m  2 cycles  1 view  0.41 s\n"
    with progress(console)[0] as counted:
        play(counted)
    assert not [kind for _, kind in ESCAPE.findall(written(console)) if kind != "m"]


def test_control_characters_of_a_file_do_not_reach_the_terminal() -> None:
    console = pinned(terminal=False)
    QuietDisplay(console).problem(PuzzleError("bad \x1b[2J row [red]", "a\udce9\n.txt", 1))
    assert written(console) == "a\\udce9\\n.txt:1: bad \\x1b[2J row [red]\n"


# What the figures say


def test_overwritten_clues_are_counted_beside_the_drawing() -> None:
    def wrong(cycle: Cycle, plain: bool) -> list[Line]:
        return [[("5?", "overwritten"), ("6?", "overwritten"), ("7!", "conflict")]]

    console = pinned(width=20, terminal=False)
    StepsDisplay(console, wrong).cycle(cycle(2))
    assert written(console).endswith(
        "broken rules 3 !  confidence 88%  halt 25%  clues changed 2 ?\n\n"
    )


def test_a_count_has_the_style_of_its_cells() -> None:
    console = pinned()
    LiveDisplay(console, paint).cycle(cycle(2))
    assert "\x1b[1;35m2 \x1b[0m" in written(console)  # the changed cell
    assert "\x1b[1;35m1\x1b[0m" in written(console)  # how many there are
    assert "\x1b[7;31m3\x1b[0m" in written(console)  # broken rules
    LiveDisplay(console, paint).cycle(replace(cycle(2), violations=0))
    assert "\x1b[7;31m0" not in written(console)  # nothing to point at


def test_colours_are_named_ones_that_read_on_dark_and_on_light() -> None:
    assert not {"white", "black", "yellow"} & {
        word for style in STYLES.values() for word in style.split()
    }
    assert not any("#" in style or "rgb" in style for style in STYLES.values())


@pytest.mark.parametrize(("number", "text"), [(0, "0 cycles"), (1, "1 cycle"), (2, "2 cycles")])
def test_plural(number: int, text: str) -> None:
    assert count(number, "cycle") == text


@pytest.mark.parametrize(
    ("value", "text"), [(0.414, "0.41 s"), (3.1, "3.10 s"), (41.24, "41.2 s"), (123.0, "123.0 s")]
)
def test_seconds(value: float, text: str) -> None:
    assert seconds(value) == text


def test_a_bar_says_how_much_time_is_left_and_goes_away() -> None:
    console, clock = pinned(60), Clock()
    with BarLine(console, clock=clock) as bar:
        bar.share(0.0, "0 of 8 made")
        assert screen(written(console))[-1] == "─" * 30 + "  0 of 8 made"
        clock.now += 3
        bar.share(0.25, "2 of 8 made")
        assert screen(written(console))[-1] == "━" * 8 + "─" * 22 + "  2 of 8 made  9 s left"
        clock.now += 0.01
        bar.share(0.5, "4 of 8 made")
        assert "4 of 8" not in written(console), "it was drawn just now"
        bar.clear()
        bar.share(1.0, "8 of 8 made")
        assert "━" * 30 + "  8 of 8 made" in screen(written(console))
    assert not any(screen(written(console)))


def test_a_narrow_terminal_has_no_bar_but_the_words() -> None:
    console = pinned(22)
    with BarLine(console, clock=Clock()) as bar:
        bar.share(0.0, "0 of 8 made")
        assert screen(written(console))[-1] == "0 of 8 made"


@pytest.mark.parametrize(("terminal", "shown"), [(False, True), (True, False)])
def test_no_bar_is_drawn_in_a_file_or_where_none_is_wanted(terminal: bool, shown: bool) -> None:
    console = pinned(terminal=terminal)
    with BarLine(console, shown) as bar:
        bar.share(0.5, "4 of 8 made")
    assert written(console) == ""
