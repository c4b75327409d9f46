"""How much one call of a tool may take: characters, seconds, memory and results.

Knows neither puzzles nor the protocol.
"""

import contextlib
import resource
import time
from collections.abc import Callable
from dataclasses import dataclass

from trmsolve.errors import TrmsolveError

MOST_CHARACTERS = 64 * 1024
"""The longest text of a puzzle.

A maze of 128 x 128 in two characters a cell has 33,000.
"""

MOST_VIEWS = 32
"""The most views that a call may ask for."""

MOST_PUZZLES = 20
"""The most puzzles that a call may have made."""

MOST_CYCLES_TOLD = 64
"""The most cycles that are explained: the last ones."""

LARGEST_SIDE = 128
"""The most rows and columns of a maze that is made: the networks take no larger one."""

BETWEEN_NOTES = 0.1
"""Seconds between two notes on the progress."""

Tell = Callable[[int, str], None]
"""Told how many steps are done, and what the last one was. It may raise to end the work."""


class TimeUp(TrmsolveError):
    """A call took longer than it may."""


@dataclass(frozen=True)
class Bounds:
    """What the person who starts the server allows."""

    seconds: float = 60.0
    """For one call. Loading a network and compiling the search, each once, are not counted."""
    threads: int | None = None
    """CPU threads; None is all cores."""


class Watch:
    """Counts the steps of a call, tells of them now and then, and ends a call that takes too long.

    Raises TimeUp at a step after the time.
    """

    def __init__(self, seconds: float, tell: Tell) -> None:
        self.seconds = seconds
        self.tell = tell
        self.steps = 0
        self.message = ""
        self._began = time.monotonic()
        self._told = -BETWEEN_NOTES

    def step(self) -> None:
        """Count a step."""
        self.steps += 1
        elapsed = time.monotonic() - self._began
        if elapsed > self.seconds:
            raise TimeUp(
                f"stopped after {self.seconds:g} s and {self.steps} steps without a result: ask "
                "for fewer views or a smaller puzzle, or start the server with more --seconds"
            )
        if elapsed - self._told >= BETWEEN_NOTES:
            self._told = elapsed
            self.tell(self.steps, self.message)


def limit_memory(mebibytes: int) -> None:
    """Have the system refuse this process more memory for data than that, where it can.

    An allocation beyond it raises MemoryError. Linux counts all private memory that belongs to no
    file; other systems may count less.
    """
    wanted = mebibytes << 20
    with contextlib.suppress(OSError, ValueError):
        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        if hard != resource.RLIM_INFINITY:
            wanted = min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_DATA, (wanted, hard))
