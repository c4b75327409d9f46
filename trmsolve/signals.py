"""Signals that end the program: held back while something short is finished, and never lost."""

import contextlib
import signal
import sys
import threading
from collections.abc import Iterator
from functools import partial
from types import FrameType
from typing import NoReturn

REPEATS = hasattr(signal, "setitimer")  # not on Windows

HELD = (signal.SIGINT, signal.SIGTERM, *((signal.SIGALRM,) if REPEATS else ()))
"""The signals whose handlers may raise an exception; the last one is for ``end_by``."""

AGAIN_SECONDS = 1.0
"""How long an exception may take to be handled before it is raised again."""


@contextlib.contextmanager
def signals_held() -> Iterator[None]:
    """Hold Ctrl-C and SIGTERM until the block ends, then deliver each that came.

    This leaves the terminal in a known state. Otherwise an interrupt between hiding the cursor and
    remembering that would leave the cursor hidden. Only the main thread can set handlers; in any
    other thread the block runs as it is.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    arrived: set[int] = set()

    def remember(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 (a handler)
        arrived.add(number)

    handlers = {}
    for number in HELD:
        handler = signal.getsignal(number)
        # Not callable: ignored, the system's own, or one that Python did not install.
        if callable(handler):
            handlers[number] = handler
            signal.signal(number, remember)
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        for late in sorted(arrived):
            signal.raise_signal(late)


def end_by(error: BaseException) -> NoReturn:
    """In a signal's handler: raise the error, and again every second until it is ``heard``.

    The handler may interrupt Python code that is called from C, such as an attribute lookup of
    torch. Some of that code in C swallows every exception, and the signal would be lost.
    """
    if REPEATS:
        signal.signal(signal.SIGALRM, partial(_raise_again, error))
        signal.setitimer(signal.ITIMER_REAL, AGAIN_SECONDS, AGAIN_SECONDS)
    try:
        raise error
    finally:
        del error  # its traceback has this frame: together they would hold all that was under way


def _raise_again(error: BaseException, number: int, frame: FrameType | None) -> None:  # noqa: ARG001
    """The handler of the timer."""
    if _is_being_handled(error):
        return
    try:
        raise error
    finally:
        del error


def heard() -> None:
    """To be called where the error of ``end_by`` has arrived, before anything else."""
    if REPEATS:
        signal.setitimer(signal.ITIMER_REAL, 0)
        # The handler holds the error, and with it all that was under way when it was raised.
        signal.signal(signal.SIGALRM, signal.SIG_DFL)


def interrupt(number: int, frame: FrameType | None) -> NoReturn:  # noqa: ARG001 (a handler)
    """The handler of Ctrl-C, as Python's own but that its exception is not lost."""
    end_by(KeyboardInterrupt())


def _is_being_handled(error: BaseException) -> bool:
    """Whether the code that was interrupted runs because of the error, to clean up for example."""
    handled = sys.exception()
    while handled is not None:
        if handled is error:
            return True
        handled = handled.__context__
    return False
