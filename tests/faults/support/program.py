"""The program as a process of its own, with what it wrote and what it took."""

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.support.paths import ROOT
from tests.support.terminal import PATIENCE

PROGRAM = [sys.executable, "-m", "trmsolve"]
LAUNCH = Path(__file__).with_name("launch.py")
ENV = {
    **os.environ,
    "HF_HUB_OFFLINE": "1",
    "OMP_NUM_THREADS": "1",
    "PYTHONPATH": str(ROOT),
}


@dataclass(frozen=True)
class Finished:
    """How a process ended."""

    code: int
    """The exit code, or minus the number of the signal that ended it."""
    out: bytes
    err: str
    seconds: float
    """Processor time, which does not depend on what else the machine does."""
    megabytes: float
    """The most memory that was resident at once."""


@dataclass
class Worst:
    """The longest and the largest of several processes."""

    seconds: float = 0.0
    megabytes: float = 0.0
    number: int = field(default=0)

    def add(self, done: Finished) -> None:
        self.seconds = max(self.seconds, done.seconds)
        self.megabytes = max(self.megabytes, done.megabytes)
        self.number += 1

    def __str__(self) -> str:
        return f"at most {self.seconds:.1f} s and {self.megabytes:.0f} MB"


def finish(
    *arguments: object, stdin: bytes = b"", through: Sequence[str] = (), **options: Any
) -> Finished:
    """Run the program to its end.

    ``through`` is a command that starts the program, such as one that takes rights away.
    ``options`` are those of ``subprocess.Popen``. Fails if the program does not end.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        report, out, err, given = (folder / part for part in ("report", "out", "err", "in"))
        given.write_bytes(stdin)
        with given.open("rb") as source, out.open("wb") as output, err.open("wb") as messages:
            streams = {"stdin": source, "stdout": output, "stderr": messages, "env": ENV}
            command = [*through, sys.executable, "-S", LAUNCH, report, *PROGRAM]
            process = subprocess.Popen(
                [*command, *map(str, arguments)],
                start_new_session=True,
                **(streams | options),
            )
            try:
                process.wait(PATIENCE)
            finally:
                if process.returncode is None:
                    os.killpg(process.pid, signal.SIGKILL)
                    process.wait()
        took = json.loads(report.read_text())
        told = err.read_text(encoding="utf-8", errors="replace")
        return Finished(took["code"], out.read_bytes(), told, took["seconds"], took["megabytes"])


def is_told(done: Finished, code: int, *names: str) -> bool:
    """Whether it ended with this code and a message with these names, and no traceback."""
    clean = "Traceback" not in done.err and all(name in done.err for name in names)
    return done.code == code and clean
