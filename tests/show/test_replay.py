"""A replay draws what the live view has drawn, frame by frame, and obeys its keys."""

import os
import pty
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console, RenderableType

from tests.support.arc_tasks import drawn_task
from tests.support.screen import pinned, screen, written
from tests.support.traces import (
    answer_to,
    arc_answer,
    arc_cycle,
    learning,
    maze_cycles,
    recorded,
    sudoku_cycles,
)
from trmsolve.puzzles.registry import get_task
from trmsolve.show.arc_displays import LiveArcDisplay, StepsArcDisplay
from trmsolve.show.displays import LiveDisplay, StepsDisplay
from trmsolve.show.keys import Keys
from trmsolve.show.replay import FASTEST, SLOWEST, Player, ReplayDisplay, play, print_steps
from trmsolve.trace.recording import Recording

SIZES = [(80, 24), (200, 60), (30, 12), (10, 3)]
NO_COLOURS = {"color_system": None}


def drawn(console: Console, frame: RenderableType) -> str:
    """The frame with its colours, as the console writes it."""
    with console.capture() as capture:
        console.print(frame)
    return capture.get()


def watched(display: Any) -> list[str]:
    """What a display will draw in place, frame by frame."""
    frames: list[str] = []
    display._move = lambda drawing: frames.append(drawn(display.console, drawing))
    return frames


@pytest.mark.parametrize("colours", [{}, NO_COLOURS], ids=["colours", "plain"])
@pytest.mark.parametrize(("width", "height"), SIZES)
@pytest.mark.parametrize("kind", ["maze", "sudoku"])
def test_every_frame_is_that_of_the_live_view(
    kind: str, width: int, height: int, colours: dict[str, Any], tmp_path: Path
) -> None:
    cycles = maze_cycles(side=17) if kind == "maze" else sudoku_cycles()
    paint = get_task(kind).paint
    live = LiveDisplay(pinned(width, height, **colours), paint)
    expected = watched(live)
    for cycle in cycles:
        live.cycle(cycle)
    recording = recorded(tmp_path / "run.jsonl", kind, [*cycles], [answer_to(cycles[-1])])
    replay = ReplayDisplay(pinned(width, height, **colours), recording, paint)
    [played] = recording.played
    found = [
        drawn(replay.console, replay.frame(played, place)) for place in range(len(played.frames))
    ]
    assert found == expected and len(found) == len(cycles)


@pytest.mark.parametrize("steps", [None, 400])
@pytest.mark.parametrize(("width", "height"), SIZES)
def test_every_frame_of_a_task_is_that_of_the_live_view(
    width: int, height: int, steps: int | None, tmp_path: Path
) -> None:
    task = drawn_task(tests=2)
    frames = [learning(task, 1), learning(task, 70, "agreed"), arc_cycle(task, 0, 1)]
    live = LiveArcDisplay(pinned(width, height), steps=steps)
    live.clock = iter(range(0, 10**6, 1000)).__next__  # it is always time to draw
    expected = watched(live)
    for frame in frames[:2]:
        live.adapting(frame)
    live.cycle(frames[2])
    recording = recorded(tmp_path / "run.jsonl", "arc", [*frames], [], steps)
    replay = ReplayDisplay(pinned(width, height), recording, None)
    found = [
        drawn(replay.console, replay.frame(recording.played[0], place))
        for place in range(len(frames))
    ]
    assert found == expected and len(found) == 3


def sudoku_recording(tmp_path: Path, answered: bool = True) -> Recording:
    cycles = sudoku_cycles()
    outcomes = [answer_to(cycles[-1])] if answered else []
    return recorded(tmp_path / "run.jsonl", "sudoku", [*cycles], [*outcomes])


def test_the_last_frame_is_the_answer_s_with_the_outcome(tmp_path: Path) -> None:
    recording = sudoku_recording(tmp_path)
    paint = get_task("sudoku").paint
    console = pinned()
    live = LiveDisplay(console, paint)
    cycles = sudoku_cycles()
    for cycle in cycles:
        live.cycle(cycle)
    live.answer(answer_to(cycles[-1]))
    replay = ReplayDisplay(pinned(), recording, paint)
    shown = drawn(replay.console, replay.frame(recording.played[0], len(cycles)))
    assert screen(shown.replace("\n", "\r\n")) == screen(written(console).replace("\n", "\r\n"))
    assert screen(shown)[-2] == "solved  7 cycles  2 views  1.25 s  the rules accept  a remark"


@pytest.mark.parametrize(("width", "height"), SIZES[:3])
def test_what_is_drawn_fits_the_terminal(width: int, height: int, tmp_path: Path) -> None:
    task = drawn_task(tests=2, side=20, demonstrations=5)
    recording = recorded(tmp_path / "a.jsonl", "arc", [learning(task, 1)], [arc_answer(task, None)])
    for one, paint in ((recording, None), (sudoku_recording(tmp_path), get_task("sudoku").paint)):
        player = Player(one, 1.0)
        for place in range(len(one.played[0].frames) + 1):
            player.place = place
            console = pinned(width, height)
            with ReplayDisplay(console, one, paint) as display:
                display.show(player)
            lines = screen(written(console).replace("\n", "\r\n"))
            assert len(lines) <= height
            assert max(map(len, lines)) <= width


class Typist:
    """Presses keys; "" waits until the frame's time is over."""

    def __init__(self, display: ReplayDisplay, player: Player, *keys: str) -> None:
        self.keys = iter((*keys, "q"))
        self.player = player
        self.seen: list[tuple[int, int, bool]] = []
        self.waits: list[float | None] = []
        play(display, player, self.next, clock=lambda: 0.0)

    def next(self, seconds: float | None) -> str:
        self.waits.append(seconds)
        self.seen.append((self.player.number, self.player.place, self.player.playing))
        return next(self.keys)


def two_puzzles(tmp_path: Path) -> Recording:
    first = maze_cycles(side=5, cycles=3, seed=1)
    second = maze_cycles(side=6, cycles=2, seed=2)
    outcomes = [answer_to(first[-1]), answer_to(second[-1])]
    return recorded(tmp_path / "run.jsonl", "maze", [*first, *second], [*outcomes])


@pytest.mark.parametrize(
    ("keys", "end"),
    [
        ([""] * 3, (0, 3, True)),
        ([""] * 4, (1, 0, True)),
        ([""] * 20, (1, 2, False)),
        ([*[""] * 20, "space"], (1, 0, True)),
        (["space"], (0, 0, False)),
        (["space", "space"], (0, 0, True)),
        (["right", "right"], (0, 2, False)),
        (["right", "right", "left"], (0, 1, False)),
        (["left"], (0, 0, False)),
        (["right"] * 9, (0, 3, False)),
        (["end"], (0, 3, False)),
        (["end", "home"], (0, 0, False)),
        (["n"], (1, 0, True)),
        (["n", "n"], (1, 0, True)),
        (["n", "p"], (0, 0, True)),
        (["down", "up", "up"], (0, 0, True)),
        (["x", "?", "\x1b"], (0, 0, True)),
    ],
)
def test_keys(keys: list[str], end: tuple[int, int, bool], tmp_path: Path) -> None:
    recording = two_puzzles(tmp_path)
    display = ReplayDisplay(pinned(), recording, get_task("maze").paint)
    assert Typist(display, Player(recording, 1.0), *keys).seen[-1] == end


def test_speed_has_bounds_and_changes_without_a_new_frame(tmp_path: Path) -> None:
    recording = two_puzzles(tmp_path)
    display = ReplayDisplay(pinned(), recording, get_task("maze").paint)
    drawings = watched(display)
    player = Player(recording, 1.0)
    typist = Typist(display, player, "+", "+", "-")
    assert typist.waits == [1.0, 0.5, 0.25, 0.5] and len(drawings) == 1
    Typist(display, Player(recording, 1.0), *"+" * 20)
    fast, slow = Player(recording, 1.0), Player(recording, 1.0)
    for _ in range(20):
        fast.press("=")
        slow.press("-")
    assert (fast.seconds, slow.seconds) == (FASTEST, SLOWEST)


def test_a_replay_that_is_paused_waits_for_keys(tmp_path: Path) -> None:
    recording = two_puzzles(tmp_path)
    display = ReplayDisplay(pinned(), recording, get_task("maze").paint)
    assert Typist(display, Player(recording, 1.0), "space").waits == [1.0, None]


def test_the_last_frame_stays_without_the_line_of_keys(tmp_path: Path) -> None:
    recording = sudoku_recording(tmp_path)
    console = pinned()
    with ReplayDisplay(console, recording, get_task("sudoku").paint) as display:
        Typist(display, Player(recording, 1.0), "end")
        assert screen(written(console).replace("\n", "\r\n"))[-1] == (
            "paused  frame 5/5  space play  ← → step  + - speed  n p puzzle  q quit  ? help"
        )
    lines = screen(written(console).replace("\n", "\r\n"))
    assert lines[-2:] == ["solved  7 cycles  2 views  1.25 s  the rules accept  a remark", ""]
    assert not any("quit" in line for line in lines)


@pytest.mark.parametrize("answered", [True, False])
def test_printing_is_that_of_show_steps(tmp_path: Path, answered: bool) -> None:
    recording = sudoku_recording(tmp_path, answered)
    paint = get_task("sudoku").paint
    expected = StepsDisplay(pinned(terminal=False), paint)
    cycles = sudoku_cycles()
    for cycle in cycles:
        expected.cycle(cycle)
    if answered:
        expected.answer(answer_to(cycles[-1]))
    found = StepsDisplay(pinned(terminal=False), paint)
    print_steps(found, recording)
    assert written(found.console) == written(expected.console) != ""


def test_printing_a_task_is_that_of_show_steps(tmp_path: Path) -> None:
    task = drawn_task()
    answer = arc_answer(task, learning(task, 70, "budget"))
    expected = StepsArcDisplay(pinned(terminal=False))
    expected.answer(answer)
    found = StepsArcDisplay(pinned(terminal=False))
    recording = recorded(tmp_path / "run.jsonl", "arc", [learning(task, 1)], [answer])
    print_steps(found, recording)
    assert written(found.console) == written(expected.console) != ""


def test_a_task_that_was_not_answered_is_printed_as_far_as_it_came(tmp_path: Path) -> None:
    task = drawn_task()
    recording = recorded(tmp_path / "run.jsonl", "arc", [learning(task, 1), learning(task, 9)], [])
    display = StepsArcDisplay(pinned(terminal=False))
    print_steps(display, recording)
    assert "learning from 2 demonstrations" in written(display.console)


# Keys of a terminal


@pytest.fixture
def terminal() -> Iterator[tuple[int, Keys]]:
    """The hand that types, and the keys that arrive."""
    hand, slave = pty.openpty()
    with os.fdopen(slave) as stream, Keys(stream) as keys:
        yield hand, keys
    os.close(hand)


def test_keys_have_names(terminal: tuple[int, Keys]) -> None:
    hand, keys = terminal
    os.write(hand, b" q+\x1b[C\x1bOD\x1b[A\x1b[B\x1b[H\x1b[1~\x1b[F\x1bOF\x1b[4~\x1b[5~n\x1b")
    names = [keys.next(5) for _ in range(15)]
    assert names == [
        *["space", "q", "+", "right", "left", "up", "down", "home", "home", "end", "end", "end"],
        *["\x1b[5~", "n", "\x1b"],
    ]
    assert keys.next(0) == ""


def test_the_terminal_gets_its_modes_back() -> None:
    import termios

    hand, slave = pty.openpty()
    before = termios.tcgetattr(slave)
    with os.fdopen(slave) as stream:
        with pytest.raises(KeyboardInterrupt), Keys(stream):
            assert termios.tcgetattr(slave) != before
            raise KeyboardInterrupt
        assert termios.tcgetattr(slave) == before
    os.close(hand)


def test_the_end_of_the_input_ends_the_replay() -> None:
    hand, slave = pty.openpty()
    with os.fdopen(slave) as stream, Keys(stream) as keys:
        os.write(hand, b"\x04")  # Ctrl-D has no meaning of its own while single keys are read
        assert keys.next(5) == "\x04"
        os.close(hand)
        assert keys.next(5) == "q"


def test_a_key_explains_the_figures_and_the_next_one_goes_back(tmp_path: Path) -> None:
    player = Player(sudoku_recording(tmp_path), 1.0)
    task = get_task("sudoku")
    display = ReplayDisplay(pinned(), player.recording, task.paint, marks=task.key(plain=False))
    player.press("?")
    display.show(player)
    lines = screen(written(display.console))
    assert lines[0].startswith("clue  changed") and lines[-1] == "any key goes back"
    player.press("end")
    assert not player.explaining and player.place == 0
    display.show(player)
    assert any(line.startswith("clue  changed") for line in screen(written(display.console)))


def test_a_replay_waits_while_it_explains(tmp_path: Path) -> None:
    player = Player(sudoku_recording(tmp_path), 1.0)
    waited: list[float | None] = []
    keys = iter(["?", "x", "q"])

    def press(seconds: float | None) -> str:
        waited.append(seconds)
        return next(keys)

    play(ReplayDisplay(pinned(), player.recording, get_task("sudoku").paint), player, press)
    assert waited[1] is None and player.place == 0
