"""What a person sees while ARC tasks are learned and answered: exact text from pinned consoles."""

import io
from collections.abc import Iterator
from dataclasses import replace
from itertools import count as numbers
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from tests.support.screen import ESCAPE, Ascii, pinned, screen, written
from trmsolve.arc.task import AdaptationProgress, ArcAnswer, ArcCycle, ArcTask, Candidate, Pair
from trmsolve.errors import PuzzleError
from trmsolve.puzzles.values import Grid
from trmsolve.show.arc_displays import (
    ArcDisplay,
    LinesArcDisplay,
    LiveArcDisplay,
    ProgressArcDisplay,
    StepsArcDisplay,
    make_arc_display,
)
from trmsolve.show.arc_frame import outcome

RIGHT, WRONG = np.array([[1, 2], [0, 1]], np.int8), np.array([[1, 2], [0, 3]], np.int8)
PAIR = Pair(np.array([[1, 0]], np.int8), RIGHT)
TASK = ArcTask("ab12", (PAIR, PAIR), (Pair(np.array([[5, 0]], np.int8)),), "ab12.json")
KNOWN = replace(TASK, tests=(replace(TASK.tests[0], output=RIGHT),))
UNREADABLE = PuzzleError("row 2 has 3 cells, row 1 has 2", "bad.json")


def adapting(step: int = 12, task: ArcTask = TASK, ended: str = "") -> AdaptationProgress:
    return AdaptationProgress(task, step, 20.0, 50.0, 0.53, ended)


def answering(step: int = 12, task: ArcTask = TASK, **more: Any) -> AdaptationProgress:
    """A network that answers while it learns."""
    moments = []
    for test in range(len(task.tests)):
        moments.append(cycle(step, task=task, grid=WRONG, test=test))
    found = (Candidate(RIGHT, 3, 0.625), Candidate(WRONG, 1, 0.375))
    facts: dict[str, Any] = {"bits": 1234.5, "steps_per_second": 41.26} | more
    return replace(
        adapting(step, task),
        candidates=(found,) * len(task.tests),
        moments=tuple(moments),
        **facts,
    )


def cycle(
    number: int, view: int = 1, task: ArcTask = TASK, grid: Grid = RIGHT, test: int = 0
) -> ArcCycle:
    sure = np.full(grid.shape, 0.75, np.float32)
    return ArcCycle(task, test, number, 16, view, 4, grid, sure, halt=0.5)


def answer(task: ArcTask = TASK, *grids: Grid, ended: str = "budget", **more: Any) -> ArcAnswer:
    found = tuple(Candidate(grid, 3 - i, 0.5) for i, grid in enumerate(grids or (RIGHT, WRONG)))
    last = adapting(120, task, ended) if ended else None
    return ArcAnswer(task, (found,) * len(task.tests), last, 64, 4, 41.2, **more)


def ticking() -> Iterator[float]:
    return (float(second) for second in numbers())


def live(console: Console, pace: float = 0.0) -> LiveArcDisplay:
    return LiveArcDisplay(console, pace, clock=lambda: 0.0)


PANEL = """\
ab12  learning from 2 demonstrations
1  1x2 → 2x2   2  1x2 → 2x2   step           12
1 .  → 1 2     1 .  → 1 2     loss           0.5300
       . 1            . 1     left           30 s      ━━━─────"""


def test_learning_is_one_panel() -> None:
    now = [0.0]
    console = pinned()
    view = LiveArcDisplay(console, clock=lambda: now[0])
    view.adapting(adapting(11))
    now[0] = 1.0
    view.adapting(adapting(12))
    view.adapting(adapting(13))  # too soon
    assert screen(written(console)) == PANEL.split("\n")


def test_steps_that_are_counted_are_not_timed() -> None:
    console = pinned()
    LiveArcDisplay(console, steps=48).adapting(adapting())
    assert screen(written(console))[-1].split()[-4:] == ["left", "36", "steps", "━━──────"]
    view = ProgressArcDisplay(console, 4, steps=48)
    view.adapting(adapting())
    assert screen(written(console))[-1] == f"{'━━':─<30}  0/4 tasks  step 12, 36 steps left"


def test_learning_in_ascii_reads_without_colour() -> None:
    stream = Ascii()
    live(pinned(stream=stream)).adapting(adapting())
    assert screen(stream.buffer.getvalue().decode())[1:] == [  # type: ignore[attr-defined]
        "1  1x2 -> 2x2   2  1x2 -> 2x2   step           12",
        "1 .  -> 1 2     1 .  -> 1 2     loss           0.5300",
        "        . 1             . 1     left           30 s      ###-----",
    ]


def test_figures_stand_below_where_there_is_no_room_beside() -> None:
    console = pinned(width=44)
    live(console).adapting(adapting())
    assert screen(written(console)) == [
        "ab12  learning from 2 demonstrations",
        "1  1x2 → 2x2   2  1x2 → 2x2",
        "1 .  → 1 2     1 .  → 1 2",
        "       . 1            . 1",
        "step 12  loss 0.5300  left 30 s",
    ]


def test_some_demonstrations_are_better_than_none() -> None:
    console = pinned(width=24, height=9)
    live(console).adapting(adapting())
    lines = screen(written(console))
    assert lines[1] == "1  1x2 → 2x2" and "and 1 more" in lines and len(lines) == 7


ANSWERING = """\
ab12  learning from 2 demonstrations
test   answer so far   most votes
1x2    2x2             2x2  3/4     step           12
5 .    1 2             1 2          speed          41.3 steps/s
       . 3             . 1          loss           0.5300
                                    bits           1234
1  1x2 → 2x2   2  1x2 → 2x2         agreement      3/4           ━━━━━━──
1 .  → 1 2     1 .  → 1 2           left           30 s          ━━━─────
       . 1            . 1"""


def test_a_network_that_answers_while_it_learns_shows_what_it_answers() -> None:
    console = pinned()
    live(console).adapting(answering())
    assert screen(written(console)) == ANSWERING.split("\n")


def test_unsure_cells_of_the_answer_so_far_are_marked() -> None:
    console = pinned()
    progress = answering()
    (moment,) = progress.moments
    unsure = np.array([[0.9, 0.4], [0.9, 0.9]], np.float32)
    progress = replace(progress, moments=(replace(moment, confidence=unsure),))
    live(console).adapting(progress)
    assert screen(written(console))[3].startswith("5 .    1 2?            1 2")


def test_every_test_has_its_answer_so_far() -> None:
    console = pinned(width=120)
    live(console).adapting(answering(task=replace(TASK, tests=TASK.tests * 2)))
    lines = screen(written(console))
    assert lines[1].startswith("test 1   answer so far   most votes   test 2   answer so far")


def test_the_agreement_is_that_of_the_test_where_it_is_least() -> None:
    console = pinned()
    progress = answering(task=replace(TASK, tests=TASK.tests * 2))
    first, _ = progress.candidates
    split = (Candidate(RIGHT, 1, 0.25), Candidate(WRONG, 0, 0.2))
    live(console).adapting(replace(progress, candidates=(first, split)))
    (line,) = (line for line in screen(written(console)) if "agreement" in line)
    assert line.split()[-3:] == ["agreement", "1/4", "━━──────"]


def test_how_likely_the_attempts_are_right_takes_the_place_of_agreement() -> None:
    console = pinned()
    progress = answering(task=replace(TASK, tests=TASK.tests * 2))
    sure = (Candidate(RIGHT, 3, 0.5, 0.5), Candidate(WRONG, 1, 0.5, 0.25))
    unsure = (Candidate(RIGHT, 3, 0.5, 0.25), Candidate(WRONG, 1, 0.5, 0.0))
    live(console).adapting(replace(progress, candidates=(sure, unsure)))
    (line,) = (line for line in screen(written(console)) if "likely" in line)
    assert line.split()[-4:] == ["likely", "right", "25%", "━━──────"]
    assert "agreement" not in written(console)


@pytest.mark.parametrize(
    ("chances", "said"),
    [
        ((0.5, 0.1), "often right"),
        ((0.5, 0.0), "sometimes right"),
        ((0.1, 0.0), "seldom right"),
        ((None, None), ""),
    ],
)
def test_an_answer_that_nobody_can_check_says_how_often_such_are_right(
    chances: tuple[float | None, float | None], said: str
) -> None:
    found = (Candidate(RIGHT, 3, 0.5, chances[0]), Candidate(WRONG, 1, 0.5, chances[1]))
    line = outcome(pinned(), replace(answer(), candidates=(found,))).plain
    assert line.startswith("answered")
    assert ("right" in line) == bool(said)
    assert line.endswith(said)


def test_of_an_answer_that_is_known_to_be_right_nothing_is_expected() -> None:
    known = replace(TASK, tests=(replace(TASK.tests[0], output=RIGHT),))
    found = (Candidate(RIGHT, 3, 0.5, 0.9),)
    line = outcome(pinned(), replace(answer(), task=known, candidates=(found,))).plain
    assert line.startswith("right")
    assert "often" not in line


def test_what_is_not_measured_yet_is_a_dash_or_nothing() -> None:
    console = pinned()
    unknown = answering(steps_per_second=None, bits=0.2)
    live(console).adapting(replace(unknown, loss=float("nan")))
    facts = [line[36:].split() for line in screen(written(console))[3:6]]
    assert facts == [["speed", "0.0", "steps/s"], ["loss", "-"], ["bits", "0"]]


def test_a_network_that_pays_no_bits_has_a_dash() -> None:
    console = pinned()
    live(console).adapting(answering(bits=None))
    assert screen(written(console))[5][36:].split() == ["bits", "-"]


def test_answers_so_far_in_ascii() -> None:
    stream = Ascii()
    live(pinned(stream=stream)).adapting(answering())
    text = stream.buffer.getvalue().decode()  # type: ignore[attr-defined]
    lines = screen(text)
    assert lines[3] == "5 .    1 2             1 2          speed          41.3 steps/s"
    assert lines[6].endswith("agreement      3/4           ######--")


def test_answers_so_far_come_before_the_demonstrations() -> None:
    console = pinned(width=44, height=9)
    live(console).adapting(answering())
    assert screen(written(console)) == [
        "ab12  learning from 2 demonstrations",
        "test   answer so far   most votes",
        "1x2    2x2             2x2  3/4",
        "▀▀     ▀▀              ▀▀",
        "and 2 more",
        "step 12  speed 41.3 steps/s  loss 0.5300",
        "bits 1234  agreement 3/4  left 30 s",
    ]


def test_a_network_that_learned_from_nothing_counts_no_demonstrations() -> None:
    console = pinned()
    last = answering(120, ended="budget")
    view = live(console)
    view.adapting(last)
    assert screen(written(console))[0] == "ab12  learned from 2 demonstrations: time limit reached"
    view.answer(replace(answer(), adapting=last))
    assert "answered  120 steps  2 attempts  41.2 s  time limit reached" in screen(written(console))


def large(rows: int = 30, columns: int = 30, pairs: int = 2) -> ArcTask:
    pair = Pair(np.ones((rows, columns), np.int8), np.ones((rows, columns), np.int8))
    return ArcTask("large", (pair,) * pairs, (Pair(pair.input),))


def test_the_largest_grids_fit_in_a_usual_terminal_as_half_blocks() -> None:
    console = pinned()
    live(console).adapting(adapting(task=large()))
    lines = screen(written(console))
    assert len(lines) <= 22 and max(map(len, lines)) <= 78
    assert lines[2].startswith("▀" * 30) and "and 1 more" in lines


@pytest.mark.parametrize("width", [10, 40, 63, 80, 200])
@pytest.mark.parametrize("height", [3, 8, 24])
@pytest.mark.parametrize("plain", [False, True])
@pytest.mark.parametrize("size", [(1, 1), (30, 30), (3, 30)])
def test_a_panel_never_outgrows_the_terminal(
    width: int, height: int, plain: bool, size: tuple[int, int]
) -> None:
    task = large(*size, pairs=4)
    events = (
        adapting(task=task),
        answering(task=task),
        cycle(3, task=task, grid=np.ones(size, np.int8)),
    )
    for event in events:
        console = pinned(width, height, no_color=plain)
        view = live(console)
        view.adapting(event) if isinstance(event, AdaptationProgress) else view.cycle(event)
        lines = screen(written(console))
        assert len(lines) <= max(height - 2, 1) and max(map(len, lines)) <= width - 2
        assert len(lines) > 1 or height == 3


def test_a_terminal_without_lines_to_spare_shows_figures_alone() -> None:
    console = pinned(height=6)
    live(console).adapting(adapting(task=large()))
    assert screen(written(console)) == [
        "large  learning from 2 demonstrations",
        "step 12  loss 0.5300  left 30 s",
    ]


def test_the_panel_moves_no_faster_than_an_eye_and_costs_a_tenth_of_the_time() -> None:
    now = [0.0]
    console = pinned()
    view = LiveArcDisplay(console, clock=lambda: now[0])
    drawn = []
    view._move = lambda drawing: (drawn.append(now[0]), now.__setitem__(0, now[0] + 0.5))  # type: ignore[assignment]
    for _ in range(100):
        view.adapting(adapting())
        now[0] += 0.1
    assert len(drawn) == 3 and np.diff(drawn).min() >= 5.0
    view.adapting(adapting(ended="budget"))
    assert len(drawn) == 4  # how it ends is not left out


def test_answering_is_redrawn_at_every_cycle_of_one_view() -> None:
    console = pinned()
    view = live(console)
    view.adapting(adapting(ended="budget"))
    assert screen(written(console))[0] == "ab12  learned from 2 demonstrations: time limit reached"
    for number in (1, 2, 3):
        for one in (1, 2, 3, 4):
            view.cycle(cycle(number, one, grid=RIGHT if one == 1 else WRONG))
    assert screen(written(console))[:5] == [
        "ab12  answering",
        "test   answer so far   view           1/4       ━━──────",
        "1x2    2x2             cycle          3/16      ━━──────",
        "5 .    1 2             confidence     75%       ━━━━━━──",
        "       . 1             halt           50%       ━━━━────",
    ]


@pytest.mark.parametrize(
    ("number", "one", "drawn"),
    [
        (4, 1, True),  # the same view
        (3, 2, False),  # others beside it
        (4, 2, False),
        (5, 2, True),  # cycle 4 of view 1 never came: it is over
        (1, 5, True),  # the next views begin
    ],
)
def test_the_eye_follows_a_view_until_it_is_over(number: int, one: int, drawn: bool) -> None:
    console = pinned()
    view = live(console)
    view.cycle(cycle(2))
    view.cycle(cycle(3))
    before = len(written(console))
    view.cycle(cycle(number, one))
    assert (len(written(console)) > before) is drawn


def test_one_of_several_tasks_is_followed() -> None:
    console = pinned()
    view = live(console)
    other = replace(TASK, name="cd34")
    view.adapting(adapting())
    view.adapting(adapting(task=other))
    view.cycle(cycle(1, task=other))
    assert "cd34" not in written(console)
    view.answer(answer())
    view.cycle(cycle(1, task=other))
    assert "cd34  answering" in screen(written(console))


STAYS = """\
ab12
test   attempt 1           attempt 2
1x2    2x2  3 of 5 votes   2x2  2 of 5 votes
5 .    1 2                 1 2
       . 1                 . 3

answered  120 steps  2 attempts  41.2 s  time limit reached
"""


def test_the_attempts_stay() -> None:
    console = pinned()
    with live(console) as view:
        view.adapting(adapting())
        view.cycle(cycle(1))
        view.answer(answer())
    assert screen(written(console)) == STAYS.split("\n")


def test_an_interrupt_leaves_the_panel() -> None:
    console = pinned()
    with pytest.raises(KeyboardInterrupt), live(console) as view:
        view.adapting(adapting())
        raise KeyboardInterrupt
    assert screen(written(console))[:4] == PANEL.split("\n")


def test_a_note_stays_above_the_panel() -> None:
    console = pinned()
    view = live(console)
    view.adapting(adapting())
    view.note("answering")
    assert screen(written(console)) == ["answering", *PANEL.split("\n")]


@pytest.mark.parametrize(
    ("task", "grids", "word"),
    [
        (TASK, (RIGHT,), "answered  "),
        (KNOWN, (WRONG, RIGHT), "right  "),
        (KNOWN, (WRONG,), "wrong  "),
        (replace(KNOWN, tests=KNOWN.tests * 2), (RIGHT,), "2 of 2 tests right  "),
        (
            replace(KNOWN, tests=(*KNOWN.tests, Pair(RIGHT, WRONG))),
            (RIGHT,),
            "1 of 2 tests right  ",
        ),
    ],
)
def test_the_outcome_claims_no_more_than_is_known(
    task: ArcTask, grids: tuple[Grid, ...], word: str
) -> None:
    assert outcome(pinned(), answer(task, *grids)).plain.startswith(word)


@pytest.mark.parametrize(
    ("ended", "words"),
    [
        ("budget", "time limit reached"),
        ("interrupted", "interrupted"),
        ("steps", "step limit reached"),
    ],
)
def test_the_outcome_says_why_the_learning_ended(ended: str, words: str) -> None:
    assert outcome(pinned(width=120), answer(ended=ended)).plain.endswith(f"41.2 s  {words}")


def test_the_outcome_of_a_task_that_needed_no_learning() -> None:
    assert (
        outcome(pinned(), answer(ended="")).plain
        == "answered  2 attempts  41.2 s  known to the network"
    )


def test_steps_are_the_demonstrations_then_every_cycle_in_a_file_too() -> None:
    console = pinned(terminal=False)
    steps = (cycle(1, 3, grid=np.zeros((0, 0), np.int8)), cycle(2, 3, grid=WRONG), cycle(3, 3))
    with StepsArcDisplay(console) as view:
        assert view.shows_grids
        view.adapting(adapting())
        view.answer(answer(steps=steps))
    assert (
        written(console)
        == """\
ab12
demonstrations
1  1x2 -> 2x2   2  1x2 -> 2x2
1 .  -> 1 2     1 .  -> 1 2
        . 1             . 1

test 1, view 3 of 4
cycle 1/16   cycle 2/16   cycle 3/16
sure -       sure 75%     sure 75%
halt 50%     halt 50%     halt 50%
(empty)      1 2          1 2
             . 3          . 1

"""
        + STAYS.removeprefix("ab12\n")
    )


def test_a_pipe_gets_a_line_a_task_and_no_escapes() -> None:
    console = pinned(terminal=False)
    with make_arc_display(console, 1) as view:
        assert not view.wants_cycles and not view.shows_grids
        view.adapting(adapting())
        view.cycle(cycle(1))
        view.answer(answer())
        view.problem(UNREADABLE)
    assert written(console) == (
        "ab12  answered  120 steps  2 attempts  41.2 s  time limit reached\n"
        "bad.json: row 2 has 3 cells, row 1 has 2\n"
    )


def test_quiet_is_problems_alone() -> None:
    console = pinned()
    with make_arc_display(console, 1, quiet=True) as view:
        view.adapting(adapting())
        view.cycle(cycle(1))
        view.note("heard")
        view.answer(answer())
        assert written(console) == ""
        view.problem(UNREADABLE)
    assert "bad.json: row 2" in written(console)


def test_many_tasks_are_a_line_and_a_summary() -> None:
    console = pinned(width=120)
    seconds = ticking()
    with ProgressArcDisplay(console, 3, clock=lambda: next(seconds)) as view:
        view.problem(UNREADABLE)
        view.answer(answer(KNOWN))
        view.adapting(adapting())
        moving = screen(written(console))[-1]
        view.answer(answer(KNOWN, WRONG))
    assert moving.startswith("━") and "2/3 tasks  1 of 1 tests right  1 unreadable" in moving
    assert screen(written(console))[-2].startswith("2 tasks  1 of 2 tests right  1 unreadable  ")


def test_what_is_under_way_is_said_and_moves_the_bar() -> None:
    now = [0.0]
    console = pinned(width=120)
    view = ProgressArcDisplay(console, 2, clock=lambda: now[0])
    shown = []
    for step, spent in ((1, 0.0), (2, 25.0), (3, 50.0)):
        now[0] += 1
        view.adapting(replace(adapting(step), seconds=spent))
        shown.append(screen(written(console))[-1])
    assert [line.count("━") for line in shown] == [0, 8, 15]
    assert shown[1].endswith("0/2 tasks  step 2, 25 s left")


def test_many_tasks_without_a_terminal_are_a_line_each() -> None:
    console = pinned(terminal=False)
    now = [0.0]
    with ProgressArcDisplay(console, 2, clock=lambda: now[0]) as view:
        for _ in range(2):
            view.adapting(adapting())
            now[0] += 30
            view.answer(answer())
    lines = written(console).splitlines()
    assert [line.split()[0] for line in lines[:2]] == ["ab12", "ab12"]
    assert lines[2:] == ["2 tasks  30 s a task  1.0 min"]


@pytest.mark.parametrize("width", [12, 30, 80])
def test_the_progress_line_is_one_line(width: int) -> None:
    console = pinned(width=width)
    view = ProgressArcDisplay(console, 400)
    view.adapting(adapting())
    assert len(lines := screen(written(console))) == 1 and len(lines[0]) <= max(
        width, len("0/400 tasks")
    )


@pytest.mark.parametrize(
    ("number", "options", "kind"),
    [
        (8, {}, LiveArcDisplay),
        (9, {}, ProgressArcDisplay),
        (400, {"show_steps": True}, StepsArcDisplay),
        (1, {"quiet": True, "show_steps": True}, ArcDisplay),
    ],
)
def test_the_view_that_suits(number: int, options: dict[str, bool], kind: type[ArcDisplay]) -> None:
    assert type(make_arc_display(pinned(), number, **options)) is kind  # type: ignore[arg-type]


def test_names_of_files_do_not_reach_the_terminal_as_controls() -> None:
    console = pinned()
    evil = replace(TASK, name="\x1b[31mred")
    view = live(console)
    view.adapting(adapting(task=evil))
    view.answer(answer(evil))
    LinesArcDisplay(console).answer(answer(evil))
    assert ESCAPE.sub("", written(console)).count(
        "\\x1b[31mred"
    ) == 4 and "\x1b[31mred" not in written(console)


def test_no_colour_is_ascii_throughout() -> None:
    console = pinned(no_color=True)
    view = live(console)
    view.adapting(adapting())
    view.cycle(cycle(1))
    view.answer(answer())
    assert written(console).isascii() and "48;" not in written(console)


def test_a_frame_is_held_as_long_as_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    held: list[float] = []
    monkeypatch.setattr("trmsolve.show.arc_displays.time.sleep", held.append)
    view = live(pinned(), pace=0.25)
    view.cycle(cycle(1))
    view.cycle(cycle(1, view=2))  # is not drawn
    assert held == [0.25]


def test_a_closed_pipe_ends_the_view_and_nothing_else() -> None:
    class Gone(io.StringIO):
        def write(self, text: str) -> int:
            raise BrokenPipeError

    view = LiveArcDisplay(pinned(stream=Gone()))
    view.answer(answer())
    view.answer(answer())
