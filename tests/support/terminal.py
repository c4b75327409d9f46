"""A terminal of its own for a command under test, read as it is written."""

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios
import threading
from pathlib import Path
from typing import ClassVar

from tests.support.paths import ROOT
from tests.support.screen import screen

PATIENCE = 600
"""Seconds after which a test gives up, on however busy a machine."""


class Terminal:
    """A pseudo-terminal; a program writes to ``slave``, and all that arrives is kept."""

    def __init__(self, columns: int = 80, lines: int = 24) -> None:
        self.master, self.slave = pty.openpty()
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        self.parts: list[bytes] = []
        self.ended = False
        self.changed = threading.Condition()
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self) -> None:
        while part := self._next_part():
            with self.changed:
                self.parts.append(part)
                self.changed.notify_all()
        with self.changed:
            self.ended = True
            self.changed.notify_all()

    def _next_part(self) -> bytes:
        try:
            return os.read(self.master, 65536)
        except OSError:  # nobody holds the other end any more
            return b""

    @property
    def raw(self) -> str:
        """All that was written so far."""
        return b"".join(self.parts).decode(errors="replace")

    def wait_for(self, text: str) -> None:
        """Wait until the text has been written; fail if the program ends without it."""
        with self.changed:
            self.changed.wait_for(lambda: self.ended or text in self.raw, PATIENCE)
        assert text in self.raw, self.raw

    def type(self, keys: str) -> None:
        """Press these keys."""
        os.write(self.master, keys.encode())

    def text(self) -> str:
        """All that was written, when nobody else holds the other end."""
        os.close(self.slave)
        return self.rest()

    def rest(self) -> str:
        """All that was written, when nobody holds the other end."""
        self.reader.join(PATIENCE)
        os.close(self.master)
        return self.raw


class RunningIn(Terminal):
    """A Python module that runs in a terminal with these arguments."""

    module: ClassVar[str]
    env: ClassVar[dict[str, str]]
    patience: ClassVar[float] = PATIENCE

    def __init__(
        self, columns: int, lines: int, *arguments: object, folder: Path = ROOT, **environment: str
    ) -> None:
        super().__init__(columns, lines)
        env = {
            name: value
            for name, value in self.env.items()
            if name not in ("COLUMNS", "LINES", "NO_COLOR")
        }
        self.process = subprocess.Popen(
            [sys.executable, "-m", self.module, *map(str, arguments)],
            stdin=self.slave,
            stdout=self.slave,
            stderr=self.slave,
            cwd=folder,
            start_new_session=True,
            env=env | environment | {"PYTHONPATH": str(ROOT)},
        )
        os.close(self.slave)

    def end(self) -> tuple[int, list[str]]:
        """The exit code, and all lines that the terminal then holds."""
        code = self.process.wait(timeout=self.patience)
        return code, screen(self.rest().replace("\r\n", "\n\r"))
