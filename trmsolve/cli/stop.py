"""How a person or a system ends a long run: it is asked to save and leave, and asked again it leaves at once."""

import signal
from collections.abc import Callable
from contextlib import AbstractContextManager
from types import FrameType

from trmsolve.cli.guard import INTERRUPTED, TERMINATED


class Stop(AbstractContextManager["Stop"]):
    """Ctrl-C or SIGTERM asks the run to end after its step, with everything saved; a second one ends it at once.

    So does the first one before a step is done, while there is nothing to save. The run asks this value before its
    first step and after each.
    """

    def __init__(self, note: Callable[[str], None]) -> None:
        self.note, self.code, self.times_asked = note, 0, 0

    def __enter__(self) -> "Stop":
        self.before = [(number, signal.signal(number, self._heed)) for number in (signal.SIGINT, signal.SIGTERM)]
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self.before:
            signal.signal(number, handler)

    def __call__(self) -> bool:
        self.times_asked += 1
        if self.code:
            self.note("saving: Ctrl-C once more leaves at once")
        return self.code != 0

    def _heed(self, number: int, frame: FrameType | None) -> None:
        if self.code or self.times_asked < 2:
            raise KeyboardInterrupt if number == signal.SIGINT else SystemExit(TERMINATED)
        self.code = INTERRUPTED if number == signal.SIGINT else TERMINATED
