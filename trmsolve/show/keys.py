"""Single keys from a terminal, without a line end behind them.

Knows the terminal's modes and its codes of keys, and nothing of what the keys do.
"""

import contextlib
import os
import select
import termios
import tty
from contextlib import AbstractContextManager
from typing import Any, Self, TextIO

CODES = {
    b" ": "space",
    b"\x1b[C": "right",
    b"\x1bOC": "right",
    b"\x1b[D": "left",
    b"\x1bOD": "left",
    b"\x1b[A": "up",
    b"\x1bOA": "up",
    b"\x1b[B": "down",
    b"\x1bOB": "down",
    b"\x1b[H": "home",
    b"\x1bOH": "home",
    b"\x1b[1~": "home",
    b"\x1b[7~": "home",
    b"\x1b[F": "end",
    b"\x1bOF": "end",
    b"\x1b[4~": "end",
    b"\x1b[8~": "end",
}
"""What terminals send for keys that are no letter. All other keys go by their character."""

ESCAPE = b"\x1b"
LONGEST_CODE = 8

PATIENCE_SECONDS = 0.05
"""How long the rest of a code may take to arrive, for example over a slow line."""


class Keys(AbstractContextManager["Keys"]):
    """The keys of a terminal, which shows none of them. Ctrl-C still interrupts.

    Leaving it gives the terminal its modes back.
    """

    def __init__(self, stream: TextIO) -> None:
        self.handle = stream.fileno()
        self._modes: list[Any] = []

    def __enter__(self) -> Self:
        self._modes = termios.tcgetattr(self.handle)
        tty.setcbreak(self.handle, termios.TCSADRAIN)
        return self

    def __exit__(self, *_: object) -> None:
        with contextlib.suppress(termios.error):  # the terminal is gone
            termios.tcsetattr(self.handle, termios.TCSADRAIN, self._modes)

    def next(self, seconds: float | None) -> str:
        """The name of the next key; "" if none comes in so many seconds. None waits for ever.

        The end of the input, and of the terminal, counts as ``q``.
        """
        if not self._has_more(seconds):
            return ""
        code = self._read()
        if not code:
            return "q"
        if code == ESCAPE:
            code = self._rest(code)
        return CODES.get(code, code.decode("ascii", "replace"))

    def _rest(self, code: bytes) -> bytes:
        """The whole code of a key, of which the first byte is read."""
        while len(code) < LONGEST_CODE and self._has_more(PATIENCE_SECONDS):
            code += self._read()
            if len(code) > 2 and (code[-1:].isalpha() or code[-1:] == b"~"):
                break
        return code

    def _read(self) -> bytes:
        """The next byte; none at the end."""
        try:
            return os.read(self.handle, 1)
        except OSError:  # the terminal is gone
            return b""

    def _has_more(self, seconds: float | None) -> bool:
        return bool(select.select([self.handle], [], [], seconds)[0])
