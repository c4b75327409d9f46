"""How a person or a system ends a long run: it is asked to save and leave, and asked again it leaves at once."""

import contextlib
import signal
from collections.abc import Callable
from contextlib import AbstractContextManager
from queue import SimpleQueue
from threading import Thread
from types import FrameType

from trmsolve.cli.process import INTERRUPTED, TERMINATED

SAVING = "stopping: saving after this step; Ctrl-C again leaves at once, losing only what is not saved yet"
SAVED = "stopping: everything is saved, judging ends; Ctrl-C again leaves at once"


class Stop(AbstractContextManager["Stop"]):
    """Ctrl-C or SIGTERM asks the run to end after its step, with everything saved; a second one ends it at once.

    So does the first one before a step is done, while there is nothing to save. The run asks this
    value before its first step and after each. ``note`` acknowledges the first one at once, from a
    thread of its own: the signal may have interrupted the drawing itself, and a handler that draws
    within it would garble the screen. ``saved`` is set while the run has nothing left to save, so
    that the acknowledgement says so.
    """

    def __init__(self, note: Callable[[str], None]) -> None:
        self.note, self.code, self.times_asked = note, 0, 0
        self.saved = False
        self._texts: SimpleQueue[str | None] = (
            SimpleQueue()
        )  # its put() is safe in a signal handler
        self._speaker = Thread(target=self._speak, name="stop", daemon=True)

    def __enter__(self) -> "Stop":
        self._speaker.start()
        self.before = [
            (number, signal.signal(number, self._heed))
            for number in (signal.SIGINT, signal.SIGTERM)
        ]
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self.before:
            signal.signal(number, handler)
        self._texts.put(None)
        self._speaker.join()  # so that the acknowledgement is not the last thing that is said

    def __call__(self) -> bool:
        self.times_asked += 1
        return self.code != 0

    def _heed(self, number: int, frame: FrameType | None) -> None:
        if self.code or self.times_asked < 2:
            raise KeyboardInterrupt if number == signal.SIGINT else SystemExit(TERMINATED)
        self.code = INTERRUPTED if number == signal.SIGINT else TERMINATED
        self._texts.put(SAVED if self.saved else SAVING)

    def _speak(self) -> None:
        while (text := self._texts.get()) is not None:
            with contextlib.suppress(OSError):  # nobody reads: the run ends all the same
                self.note(text)
