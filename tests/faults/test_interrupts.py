"""Ctrl-C and SIGTERM at random moments of every command, each in a terminal of its own."""

import os
import random
import re
import signal
import subprocess
import sys
import termios
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.test_hostile_text import Trmsolve
from tests.faults.support.program import ENV, PROGRAM
from tests.faults.support.readers import QUESTION
from tests.faults.support.scale import trials
from tests.support.paths import ROOT
from tests.support.screen import screen
from tests.support.training import TINY, WHERE, heed_interrupts

Measured = Callable[[int, str], None]
SCRIPT = """\
import sys
from trmsolve.__main__ import main
if __name__ == '__main__':
    sys.exit(main())
"""
"""The program as an installation puts it into the folder of programs."""

TOLD = b"trmsolve: interrupted\n"
HIDE, SHOW = "\x1b[?25l", "\x1b[?25h"
LONGEST = 4.0
"""Seconds within which the signal comes: starting takes about one, and the work goes on longer."""

EXAMPLES = ROOT / "examples"
COMMANDS: dict[str, list[object]] = {
    "sudoku": ["sudoku", EXAMPLES / "sudoku" / "extreme.txt", "--pace", "3"],
    "sudoku many": ["sudoku", "many.txt", "--workers", "1"],
    "sudoku workers": ["sudoku", "many.txt", "--workers", "2"],
    "maze": ["maze", EXAMPLES / "maze" / "hard.txt", "--pace", "3"],
    "arc": ["arc", EXAMPLES / "arc" / "fill.json", "--weights", "none", "--threads", "1"],
    "eval": ["eval", "--data", "many.csv", "--workers", "1"],
    "generate": ["generate", "-n", "1000000", "--out", "made.csv"],
    "train": ["train", "--data", "many.csv", "--out", "run", "--steps", "100000", *TINY, *WHERE],
    "bench": ["bench", "--seconds", "60"],
    "weights verify": ["weights", "verify", "--puzzles", "10000"],
}


@pytest.fixture
def folder(tmp_path: Path, data: Path) -> Path:
    (tmp_path / "many.txt").write_text((QUESTION + "\n") * 3000)
    header, *rows = data.read_text().splitlines()
    (tmp_path / "many.csv").write_text("\n".join([header, *rows * 100]) + "\n")
    return tmp_path


@pytest.mark.promise(
    "Ctrl-C or SIGTERM at any moment once the program's first line has run ends a command with 130 "
    "or 143, at most one line about it, the cursor shown, and the terminal's settings as before"
)
@pytest.mark.parametrize("command", COMMANDS)
def test_interrupts(command: str, folder: Path, measured: Measured) -> None:
    number = trials(20)
    draw = random.Random(command)
    begun = 0
    for trial in range(number):
        which = signal.SIGTERM if trial % 4 == 3 else signal.SIGINT
        begun += press(COMMANDS[command], folder, which, draw.uniform(0.05, LONGEST))
    measured(begun, "")


@pytest.mark.promise(
    "Ctrl-C from the program's own first line on ends it with 130, one line and no traceback, also "
    "while Python imports its modules"
)
@pytest.mark.parametrize("how", ["script", "module"])
def test_interrupts_from_the_first_moment(how: str, tmp_path: Path, measured: Measured) -> None:
    script = tmp_path / "trmsolve"
    script.write_text(SCRIPT)
    program = [sys.executable, str(script)] if how == "script" else PROGRAM
    begin = time.monotonic()
    subprocess.run([*program, "--help"], env=ENV, stdout=subprocess.DEVNULL, check=True)
    longest = time.monotonic() - begin
    number = trials(200, least=10)
    draw = random.Random(how)
    heard = sum(pressed_early(program, draw.uniform(0, longest)) for _ in range(number))
    assert heard
    measured(heard, f"{number - heard} more came before that line, or after the end")


def pressed_early(program: list[str], seconds: float) -> bool:
    """Ask for the help, and press Ctrl-C after some seconds; return whether the program heard it.

    Fails if it heard it and ended in another way than promised.
    """
    process = subprocess.Popen(
        [*program, "--help"],
        env=ENV,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        preexec_fn=heed_interrupts,
    )
    time.sleep(seconds)
    process.send_signal(signal.SIGINT)
    told = process.communicate()[1]
    if process.returncode in (0, -signal.SIGINT) and not told:
        return False  # over, or not yet Python
    if process.returncode in (130, -signal.SIGINT) and told == TOLD:  # a shell shows both as 130
        return True
    # Python was starting, and looking for the program: no line of the program had run.
    assert b"KeyboardInterrupt" in told, told
    assert not re.search(rb'File ".*/trmsolve/(?!__init__)\w', told), told
    return False


def press(arguments: list[object], folder: Path, which: signal.Signals, seconds: float) -> bool:
    """Run a command and send a signal after some seconds.

    Returns whether anything of the program had run by then.
    """
    terminal = Trmsolve(100, 30, *arguments, folder=folder)
    before = termios.tcgetattr(terminal.master)
    time.sleep(seconds)
    os.killpg(terminal.process.pid, which)
    code = terminal.process.wait(terminal.patience)
    after = termios.tcgetattr(terminal.master)
    shown = terminal.rest()
    if "KeyboardInterrupt" in shown and ", in main" not in shown:
        return False  # Python was starting, and the program's first line had not run yet
    told = f"after {seconds:.2f} s: {code} {shown[-3000:]!r}"
    usual = {signal.SIGINT: (130, -signal.SIGINT), signal.SIGTERM: (143, -signal.SIGTERM)}[which]
    is_over = code == 0 and "arc" in arguments  # its first Ctrl-C ends learning, and it answers
    assert code in usual or is_over, told
    assert "Traceback" not in shown, told
    assert shown.rfind(SHOW) >= shown.rfind(HIDE), told
    assert after == before, told
    lines = [line for line in screen(shown.replace("\r\n", "\n\r")) if "interrupted" in line]
    assert len(lines) <= 1, told
    return True
