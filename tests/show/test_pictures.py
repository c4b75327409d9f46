"""Answers and cycles that are printed, shown by Rich, and drawn in notebooks."""

import io
import sys
from collections.abc import Iterator
from dataclasses import replace
from types import ModuleType
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from rich.console import Console

from trmsolve.puzzles.given import first_puzzle
from trmsolve.puzzles.registry import get_task
from trmsolve.puzzles.values import Answer, Cycle, Puzzle
from trmsolve.puzzles.written import last_cycle
from trmsolve.show import watch as watching

SUDOKU = get_task("sudoku")
MAZE = get_task("maze")
QUESTION = "53..7....6..195....98....6.8...6...34..8.3..17...2...6.6....28....419..5....8..79"
SOLUTION = "534678912672195348198342567859761423426853791713924856961537284287419635345286179"
DRAWN = """\
*---*---*---*
|53.|.7.|...|
|6..|195|...|
|.98|...|.6.|
*---*---*---*
|8..|.6.|..3|
|4..|8.3|..1|
|7..|.2.|..6|
*---*---*---*
|.6.|...|28.|
|...|419|..5|
|...|.8.|.79|
*---*---*---*
"""


def answer_to(text: str, found: str = SOLUTION) -> Answer:
    puzzle = first_puzzle(SUDOKU, text)
    grid = SUDOKU.read_answer(found, puzzle)
    verdict = SUDOKU.verify(puzzle, grid)
    return Answer(
        puzzle, grid, verdict.verified, verdict.reason, 3, 2, halt=0.9, seconds=0.5, task="sudoku"
    )


def cycle_of(answer: Answer, number: int = 1) -> Cycle:
    return replace(last_cycle(answer), number=number, limit=16, views=32)


def shown(value: Any, **pinned: Any) -> str:
    """What a console of somebody else shows."""
    stream = io.StringIO()
    Console(file=stream, width=100, _environ={}, **pinned).print(value)
    return stream.getvalue()


def test_an_answer_prints_as_its_puzzle_was_drawn() -> None:
    text = str(answer_to(DRAWN))
    assert text.splitlines()[0] == "*---*---*---*" and "|534|678|912|" in text
    assert str(answer_to(QUESTION)) == SOLUTION
    of_array = first_puzzle(SUDOKU, first_puzzle(SUDOKU, QUESTION).grid)
    plain = str(replace(answer_to(QUESTION), puzzle=of_array))
    assert plain.splitlines()[1] == "| 5 3 4 | 6 7 8 | 9 1 2 |"


def test_an_unverified_answer_says_so() -> None:
    text = str(answer_to(QUESTION, "1" + SOLUTION[1:]))
    assert text.endswith("\n\nunverified: clue 5 at r1c1 became 1")


def test_an_answer_with_history_says_why_the_run_ended() -> None:
    wrong = answer_to(QUESTION, "1" + SOLUTION[1:])
    cycles = replace(wrong, history=(cycle_of(wrong, 15), cycle_of(wrong, 16)))
    assert str(cycles).endswith("\n\nunverified, out of cycles: clue 5 at r1c1 became 1")
    assert "out of cycles" in shown(cycles) and "out of cycles" not in shown(wrong)
    solved = answer_to(QUESTION)
    assert "the rules accept" in shown(replace(solved, history=(cycle_of(solved, 7),)))


def test_an_answer_of_an_unknown_task_prints_its_grid() -> None:
    text = str(replace(answer_to(QUESTION), task="nobody knows it"))
    assert text.splitlines()[0].split() == list("534678912")
    assert "5" in shown(replace(answer_to(QUESTION), task=""))


@pytest.mark.parametrize(
    "value",
    [
        answer_to(QUESTION),
        answer_to(QUESTION, "1" + SOLUTION[1:]),
        cycle_of(answer_to(QUESTION)),
        first_puzzle(SUDOKU, QUESTION),
    ],
)
def test_reprs_have_one_line(value: Any) -> None:
    assert "\n" not in repr(value) and len(repr(value)) < 120
    assert type(value).__name__ in repr(value)


def test_rich_draws_an_answer_and_its_outcome_in_colour() -> None:
    answer = answer_to(QUESTION)
    plain = shown(answer)
    assert "| 5 3 4 | 6 7 8 | 9 1 2 |" in plain and "solved  3 cycles  2 views  0.50 s" in plain
    coloured = shown(answer, force_terminal=True, color_system="truecolor")
    assert "╭───────┬" in coloured and "\x1b[1m5" in coloured and "\x1b[36m4" in coloured


def test_rich_draws_a_cycle_with_its_figures() -> None:
    text = shown(cycle_of(answer_to(QUESTION), 4))
    assert "4/16" in text and "confidence" in text and "| 5 3 4 |" in text
    assert "53" in str(cycle_of(answer_to(QUESTION))).replace(" ", "")


def test_an_answer_with_history_shows_the_frame_it_came_from() -> None:
    answer = answer_to(QUESTION)
    frame = cycle_of(answer, 7)
    assert "7/16" in shown(replace(answer, history=(cycle_of(answer, 6), frame)))


@pytest.mark.parametrize("kind", ["answer", "cycle"])
def test_html_is_the_drawing_and_carries_no_markup_of_a_stranger(kind: str) -> None:
    puzzle = replace(first_puzzle(SUDOKU, QUESTION), source="<script>alert(1)</script>")
    answer = replace(answer_to(QUESTION), puzzle=puzzle, verified=False, reason="<b>&bad</b>")
    value = answer if kind == "answer" else cycle_of(answer)
    html = value._repr_html_()
    root = ElementTree.fromstring(html)
    assert root.tag.endswith("svg")
    texts = "".join(element.text or "" for element in root.iter())
    assert "5" in texts and "╭" in texts
    assert {element.tag.rpartition("}")[2] for element in root.iter()} <= {
        "svg",
        "title",
        "rect",
        "g",
        "text",
    }
    assert kind == "cycle" or "<b>&bad</b>" in texts


def test_mazes_are_drawn_too() -> None:
    puzzle = first_puzzle(MAZE, ["#####", "#S G#", "#####"])
    grid = MAZE.read_answer("#####\n#SoG#\n#####", puzzle)
    answer = Answer(puzzle, grid, True, "", 1, 1, halt=0.9, seconds=0.1, task="maze")
    assert str(answer) == "#####\n#SoG#\n#####"
    assert "#SoG#" in shown(answer) and ElementTree.fromstring(answer._repr_html_()) is not None


def solving(answer: Answer) -> watching.Solve:
    """Solves as a solver does, in two cycles."""

    def solve(on_cycle: Any) -> Iterator[Answer]:
        for number in (1, 2):
            if on_cycle is not None:
                on_cycle(cycle_of(answer, number))
        yield answer

    return solve


def test_watching_in_a_pipe_prints_the_outcome(capsys: pytest.CaptureFixture[str]) -> None:
    answer = answer_to(QUESTION)
    assert watching.watch(solving(answer), SUDOKU.paint, pace=0) is answer
    assert capsys.readouterr().out == "solved  3 cycles  2 views  0.50 s\n"


def test_watching_in_a_terminal_draws_each_cycle(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = io.StringIO()
    monkeypatch.setattr(stream, "isatty", lambda: True)
    monkeypatch.setattr(sys, "stdout", stream)
    monkeypatch.setenv("TERM", "xterm-256color")
    watching.watch(solving(answer_to(QUESTION)), SUDOKU.paint, pace=0)
    assert "1/16" in stream.getvalue() and "2/16" in stream.getvalue()
    assert "solved" in stream.getvalue()


class FakeHandle:
    """What IPython gives for a picture that is replaced."""

    def __init__(self, seen: list[Any]) -> None:
        self.seen = seen

    def update(self, value: Any) -> None:
        self.seen.append(value)


def test_watching_in_a_notebook_replaces_one_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []

    def display(value: Any, display_id: bool) -> FakeHandle:
        assert display_id
        seen.append(value)
        return FakeHandle(seen)

    module = ModuleType("IPython.display")
    vars(module)["display"] = display
    monkeypatch.setitem(sys.modules, "IPython.display", module)
    monkeypatch.setitem(sys.modules, "IPython", ModuleType("IPython"))
    monkeypatch.setattr(
        watching, "make_console", lambda stream: Console(file=stream, force_jupyter=True)
    )
    watching.watch(solving(answer_to(QUESTION)), SUDOKU.paint, pace=0)
    first, second, last = seen
    assert (first.number, second.number) == (1, 2)
    assert isinstance(last, Answer) and last.history == (first, second)
    assert np.array_equal(last.grid, second.grid)
    assert isinstance(first.puzzle, Puzzle)
