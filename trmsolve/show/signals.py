"""Signals that wait until something short is finished, such as drawing on the terminal."""

import contextlib
import signal
import threading
from collections.abc import Iterator
from types import FrameType

HELD = (signal.SIGINT, signal.SIGTERM)


@contextlib.contextmanager
def signals_held() -> Iterator[None]:
    """Keep Ctrl-C and SIGTERM until the block is left, then deliver each that came.

    The terminal is left in a known state: an interrupt between hiding the cursor and remembering
    that it is hidden would leave it so. Handlers belong to the main thread: in any other the block
    runs as it is.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    arrived: set[int] = set()

    def remember(number: int, frame: FrameType | None) -> None:
        arrived.add(number)

    handlers = {}
    for number in HELD:
        handler = signal.getsignal(number)
        if callable(
            handler
        ):  # neither ignored, nor the system's own, nor one that Python did not install
            handlers[number] = handler
            signal.signal(number, remember)
    try:
        yield
    finally:
        for number, handler in handlers.items():
            signal.signal(number, handler)
        for late in sorted(arrived):
            signal.raise_signal(late)
