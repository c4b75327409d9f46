"""Frames are held for the eye, and keys pause and step."""

import io
import os
import sys
from collections.abc import Iterable, Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from tests.support.paths import ROOT
from tests.support.terminal import RunningIn
from trmsolve.cli.pacing import NoKeyboard, Watched, keyboard


class Shown:
    """A display that only counts."""

    def __init__(self) -> None:
        self.frames: list[tuple[int, int]] = []
        self.pauses = 0
        self.explained: list[str] = []

    def explain(self) -> None:
        self.explained.append("words")

    def go_back(self) -> None:
        self.explained.append("frame")

    def cycle(self, cycle: SimpleNamespace) -> None:
        self.frames.append((cycle.view, cycle.number))

    def pause(self) -> None:
        self.pauses += 1


class Keyboard:
    """Gives keys that were pressed beforehand, then none; a clock goes on while it waits."""

    def __init__(self, *keys: str) -> None:
        self.keys = list(keys)
        self.now = 100.0
        self.waited: list[float | None] = []

    def next(self, seconds: float | None) -> str:
        self.waited.append(seconds)
        if self.keys:
            return self.keys.pop(0)
        assert seconds is not None, "nobody would ever go on"
        self.now += seconds
        return ""


def cycles(view: int, numbers: Iterable[int]) -> Iterator[Any]:
    for number in numbers:
        yield SimpleNamespace(view=view, number=number)


def watch(
    keys: Keyboard, pace: float | None, shown: Shown, seconds_of_a_cycle: float = 0.1
) -> None:
    """Show twelve cycles of a first view and two of a second one."""
    watched = Watched(shown, keys, pace, clock=lambda: keys.now)  # type: ignore[arg-type]
    for cycle in [*cycles(1, range(1, 13)), *cycles(2, range(1, 3))]:
        watched(cycle)
        keys.now += seconds_of_a_cycle


def test_the_first_frames_are_held_less_what_the_next_cycle_took() -> None:
    keys, shown = Keyboard(), Shown()
    watch(keys, None, shown)
    assert keys.waited == pytest.approx([0.3] * 9 + [0.0] * 4)
    assert len(shown.frames) == 14 and shown.pauses == 0


def test_a_pace_holds_every_frame_and_zero_holds_none() -> None:
    keys = Keyboard()
    watch(keys, 1.0, Shown())
    assert keys.waited == pytest.approx([0.9] * 13)
    keys = Keyboard()
    watch(keys, 0.0, Shown())
    assert keys.waited == [0.0] * 13


def test_space_pauses_and_goes_on_and_the_arrow_steps() -> None:
    keys = Keyboard("space", "x", "right", "right", "space")
    shown = Shown()
    watch(keys, None, shown)
    # Before the second frame it is paused; then two steps, and on.
    assert keys.waited[:5] == [pytest.approx(0.3), None, None, None, None]
    assert shown.pauses == 3
    assert len(shown.frames) == 14


def test_keys_change_the_speed_of_all_frames() -> None:
    keys = Keyboard("-")
    watch(keys, None, Shown())
    assert keys.waited[1:] == pytest.approx([0.7] * 13)  # twice 0.4, less a cycle
    keys = Keyboard("+", "=")
    watch(keys, 1.0, Shown())
    assert keys.waited[2:] == pytest.approx([0.15] * 13)


def test_an_explanation_stays_until_the_next_key_and_then_the_frame_is_held_anew() -> None:
    keys, shown = Keyboard("?", "q"), Shown()
    watch(keys, None, shown)
    assert shown.explained == ["words", "frame"] and len(shown.frames) == 14
    assert keys.waited[:3] == pytest.approx([0.3, None, 0.4])


def test_an_explanation_while_it_is_paused_goes_back_to_the_pause() -> None:
    keys, shown = Keyboard("space", "?", "x", "space"), Shown()
    watch(keys, None, shown)
    assert shown.explained == ["words"] and shown.pauses == 2


@pytest.mark.parametrize("keys", [("q",), ("space", "q")])
def test_a_key_ends_as_an_interrupt_does(keys: tuple[str, ...]) -> None:
    with pytest.raises(KeyboardInterrupt):
        watch(Keyboard(*keys), None, Shown())


def test_keys_are_read_from_a_terminal_only(monkeypatch: pytest.MonkeyPatch) -> None:
    for stream in (None, io.StringIO()):
        monkeypatch.setattr(sys, "stdin", stream)
        with keyboard(reads_standard_input=False) as keys:
            assert isinstance(keys, NoKeyboard)


class Terminal(RunningIn):
    """``trmsolve`` in a terminal of its own."""

    module, env = "trmsolve", {**os.environ}


def test_a_run_in_a_terminal_is_paused_and_goes_on() -> None:
    sudoku = ROOT / "examples" / "sudoku" / "extreme.txt"
    terminal = Terminal(80, 24, "sudoku", sudoku, "--pace", "2")
    terminal.wait_for("cycle ")
    terminal.type(" ")
    terminal.wait_for("paused: space goes on")
    terminal.type("?")
    terminal.wait_for("any key goes back")
    terminal.type("x++++++ ")
    code, lines = terminal.end()
    assert code == 0
    assert any(line.startswith("solved  ") for line in lines)
    assert any("the rules accept" in line for line in lines)
    assert not any("? explains" in line or "goes back" in line for line in lines)
    assert not any("paused" in line for line in lines)
