"""Ctrl-C at awkward moments: one line, exit code 130, and the terminal as it was."""

import atexit
import io
import signal
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import pytest
from rich.live import Live
from rich.text import Text

from trmsolve.cli.process import prepare_streams
from trmsolve.show.console import Screen, make_console
from trmsolve.show.displays import ProgressDisplay
from trmsolve.signals import signals_held

HIDE, SHOW = "\x1b[?25l", "\x1b[?25h"


class Terminal(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        return True


@pytest.fixture(autouse=True)
def ctrl_c_raises() -> Any:
    """As for a program in the foreground of a shell, wherever these tests run."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_a_signal_waits_for_the_end_of_the_block() -> None:
    done = []
    with pytest.raises(KeyboardInterrupt), signals_held():
        signal.raise_signal(signal.SIGINT)
        signal.raise_signal(signal.SIGINT)
        done.append("finished")
    assert done == ["finished"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler


def test_a_signal_that_is_ignored_stays_ignored() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with signals_held():
        signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is signal.SIG_IGN


def test_blocks_within_blocks_deliver_once_at_the_outer_end() -> None:
    done = []
    with pytest.raises(KeyboardInterrupt), signals_held():
        with signals_held():
            signal.raise_signal(signal.SIGINT)
        done.append("outer goes on")
    assert done == ["outer goes on"]


def interrupted(method: Callable[[Live], None]) -> Callable[[Live], None]:
    """The method with Ctrl-C pressed before and after what it does."""

    def run(live: Live, *args: Any, **kwargs: Any) -> None:
        signal.raise_signal(signal.SIGINT)
        method(live, *args, **kwargs)
        signal.raise_signal(signal.SIGINT)

    return run


@pytest.mark.parametrize("moment", ["start", "update", "stop"])
def test_the_cursor_is_shown_again_whenever_the_key_is_pressed(
    moment: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    stream = Terminal()
    console = make_console(stream, force_terminal=True, width=80, height=24)
    monkeypatch.setattr(Live, moment, interrupted(getattr(Live, moment)))
    with pytest.raises(KeyboardInterrupt), Screen(console) as screen:
        screen._move(Text("something that moves"))
        screen.clear()
    written = stream.getvalue()
    assert HIDE in written
    assert written.rfind(SHOW) > written.rfind(HIDE)


def test_a_view_that_is_interrupted_while_it_leaves_is_closed_at_exit(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    registered: list[Callable[[], None]] = []
    monkeypatch.setattr(atexit, "register", registered.append)
    view = ProgressDisplay(make_console(Terminal(), force_terminal=True, width=80), 3)
    with view:
        pass
    assert registered == [view.close]


PRESSED_AT_IMPORT = """
import os, signal, sys

class Key:
    def find_spec(self, name, path=None, target=None):
        if name == {name!r}:
            os.kill(os.getpid(), signal.SIGINT)
        return None

signal.signal(signal.SIGINT, signal.default_int_handler)
sys.meta_path.insert(0, Key())
sys.argv = ["trmsolve", *{arguments!r}]
from trmsolve.__main__ import main
main()
"""


@pytest.mark.parametrize(
    "name", ["typer", "rich", "trmsolve.cli.solving", "numpy", "torch", "trmsolve.solve.solver"]
)
def test_ctrl_c_while_modules_are_imported(name: str) -> None:
    arguments = ["sudoku", "examples/sudoku/easy.txt", "--backend", "torch"]
    program = PRESSED_AT_IMPORT.format(name=name, arguments=arguments)
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert done.stderr == "trmsolve: interrupted\n"
    assert done.stdout == ""
    assert done.returncode in (130, -signal.SIGINT)  # a shell shows both as 130


def test_a_program_in_the_background_does_not_hear_ctrl_c() -> None:
    program = PRESSED_AT_IMPORT.format(name="typer", arguments=["--version"])
    program = program.replace("signal.default_int_handler", "signal.SIG_IGN")
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("trmsolve ")


class Reluctant(io.RawIOBase):
    """A raw stream that takes ten bytes at a time, as a terminal does that a signal interrupts."""

    def __init__(self) -> None:
        self.taken = b""

    def writable(self) -> bool:
        return True

    def write(self, data: Any) -> int:
        part = bytes(data[:10])
        self.taken += part
        return len(part)


def test_a_stream_without_a_buffer_loses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = Reluctant()
    unbuffered = io.TextIOWrapper(raw, encoding="utf-8", write_through=True)  # type: ignore[arg-type]
    monkeypatch.setattr(sys, "stderr", unbuffered)
    monkeypatch.setattr(sys, "__stderr__", unbuffered)
    prepare_streams()
    print("a line of more than ten bytes", file=sys.stderr)
    assert raw.taken == b"a line of more than ten bytes\n"


def test_a_stream_with_a_buffer_stays_as_it_is() -> None:
    before = sys.stdout, sys.stderr
    prepare_streams()
    assert (sys.stdout, sys.stderr) == before
