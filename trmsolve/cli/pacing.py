"""How fast frames follow each other where somebody watches, and the keys that pause and step."""

import sys
import time
from collections.abc import Callable
from contextlib import AbstractContextManager, nullcontext
from typing import Protocol

from trmsolve.puzzles.values import Cycle
from trmsolve.show.displays import LiveDisplay

HELD_SECONDS = 0.4
"""How long a frame is shown at least, where nobody said."""

HELD_CYCLES = 10
"""Only so many cycles of a puzzle are held then: a long search shows enough."""


class Keyboard(Protocol):
    """Gives the keys that are pressed; ``show.keys.Keys`` is one."""

    def next(self, seconds: float | None) -> str:
        """The next key; "" if none comes in so many seconds. None waits for ever."""


class NoKeyboard:
    """Stands where no key can be pressed."""

    def next(self, seconds: float | None) -> str:
        """Wait, and give no key."""
        if seconds:
            time.sleep(seconds)
        return ""


def keyboard(reads_standard_input: bool) -> AbstractContextManager[Keyboard]:
    """The keys of the terminal, unless puzzles come from there or there is no terminal."""
    if reads_standard_input or sys.stdin is None or not sys.stdin.isatty():
        return nullcontext(NoKeyboard())
    from trmsolve.show.keys import Keys

    return Keys(sys.stdin)


class Watched:
    """Shows cycles as fast as an eye follows, and pauses and steps as the keys say.

    Args:
        display: What shows them.
        keys: What gives the keys.
        pace: Seconds that every frame is shown at least; None holds the first frames of a puzzle.
        clock: Gives the time in seconds.
    """

    def __init__(
        self,
        display: LiveDisplay,
        keys: Keyboard,
        pace: float | None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.display = display
        self.keys = keys
        self.clock = clock
        self.seconds = HELD_SECONDS if pace is None else pace
        self.holds_all = pace is not None
        self.is_paused = False
        self.shown = 0.0  # when the last frame was drawn

    def __call__(self, cycle: Cycle) -> None:
        """Show the cycle, after what is left of the last frame's time.

        Raises KeyboardInterrupt if a key asks to end.
        """
        is_first_frame = cycle.view == 1 and cycle.number == 1
        if not is_first_frame and not self.is_paused:
            self._hold(cycle)
        self.display.cycle(cycle)
        self.shown = self.clock()
        if self.is_paused:
            self._wait_for_key()

    def _hold(self, cycle: Cycle) -> None:
        """Wait until the last frame has had its time; keys that come are obeyed at once."""
        is_early = cycle.view == 1 and cycle.number <= HELD_CYCLES
        while True:
            if self.is_paused:
                self._wait_for_key()
                return
            seconds = self.seconds if self.holds_all or is_early else 0.0
            left = max(self.shown + seconds - self.clock(), 0.0)
            key = self.keys.next(left)
            if not key:
                return
            self._obey(key)

    def _wait_for_key(self) -> None:
        """Stay at this frame until a key goes on or steps."""
        self.display.pause()
        while True:
            key = self.keys.next(None)
            if key == "right":
                return
            self._obey(key)
            if not self.is_paused:
                return

    def _obey(self, key: str) -> None:
        if key == "space":
            self.is_paused = not self.is_paused
        elif key in ("+", "="):
            self._hold_all(self.seconds / 2)
        elif key == "-":
            self._hold_all(self.seconds * 2)
        elif key == "?":
            self._explain()
        elif key == "q":
            raise KeyboardInterrupt

    def _explain(self) -> None:
        """Show what the figures mean until the next key, and then the frame for its whole time."""
        self.display.explain()
        self.keys.next(None)
        if self.is_paused:
            self.display.pause()
        else:
            self.display.go_back()
        self.shown = self.clock()

    def _hold_all(self, seconds: float) -> None:
        """Show every frame for so long from now on."""
        self.seconds = seconds
        self.holds_all = True
