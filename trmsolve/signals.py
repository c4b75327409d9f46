"""Holds signals back until something short is finished, such as drawing on the terminal."""

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType

HELD = (signal.SIGINT, signal.SIGTERM)


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
