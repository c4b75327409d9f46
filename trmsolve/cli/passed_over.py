"""Tells with ``--verbose`` which lines of the files were passed over."""

import contextlib
import logging
from collections.abc import Iterator

from trmsolve.cli.streams import say
from trmsolve.puzzles.reading.lines import READING

_LOGGER = logging.getLogger(READING)


class _Sayer(logging.Handler):
    """Says each record once: a file may be read twice, once to count its puzzles."""

    def __init__(self) -> None:
        super().__init__()
        self.said: set[str] = set()

    def emit(self, record: logging.LogRecord) -> None:
        """Say a record that is new."""
        text = record.getMessage()
        if text not in self.said:
            self.said.add(text)
            say(text)


def tell_what_is_passed_over(wanted: bool) -> None:
    """Have the readers of puzzles say what they pass over, if it is wanted."""
    _LOGGER.handlers = [_Sayer()] if wanted else []
    _LOGGER.setLevel(logging.INFO if wanted else logging.WARNING)


@contextlib.contextmanager
def untold() -> Iterator[None]:
    """Have the readers say nothing for a while, as where a file is read as puzzles of any kind."""
    _LOGGER.disabled = True
    try:
        yield
    finally:
        _LOGGER.disabled = False
