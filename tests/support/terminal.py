"""A terminal of its own for a command under test, read as it is written."""

import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios
import threading
import time
from pathlib import Path
from typing import ClassVar

from tests.show.test_views import screen
from tests.support.paths import ROOT


class Terminal:
    """``slave`` is the end that a program writes to, as long as it is open."""

    def __init__(self, columns: int = 80, lines: int = 24) -> None:
        self.master, self.slave = pty.openpty()
        fcntl.ioctl(self.slave, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        self.parts: list[bytes] = []
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self) -> None:
        try:
            while part := os.read(self.master, 65536):
                self.parts.append(part)
        except OSError:  # nobody holds the other end any more
            return

    @property
    def raw(self) -> str:
        """All that was written so far."""
        return b"".join(self.parts).decode(errors="replace")

    def text(self) -> str:
        """All that was written, when nobody else holds the other end."""
        os.close(self.slave)
        return self.rest()

    def rest(self) -> str:
        """All that was written, when nobody holds the other end."""
        self.reader.join(10)
        os.close(self.master)
        return self.raw


class RunningIn(Terminal):
    """A module that runs in a terminal with these arguments; ``patience`` is how many seconds it may take."""

    module: ClassVar[str]
    env: ClassVar[dict[str, str]]
    patience: ClassVar[float]

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

    def wait_for(self, text: str) -> None:
        """Until it has been written."""
        end = time.monotonic() + self.patience
        while text not in self.raw:
            assert time.monotonic() < end, self.raw
            time.sleep(0.02)

    def end(self) -> tuple[int, list[str]]:
        """The exit code, and all lines that the terminal then holds."""
        code = self.process.wait(timeout=self.patience)
        return code, screen(self.rest().replace("\r\n", "\n\r"))
