"""Lines on standard output and standard error, safe for any terminal. Knows no puzzle."""

import sys
from typing import TextIO

from trmsolve.wording import encodable, printable, printable_line


def put(text: str) -> None:
    """Write a line of results to standard output and flush it.

    Raises OSError if it cannot be written.
    """
    write(sys.stdout, printable_line(text) + "\n")


def put_text(text: str) -> None:
    """Write text of several lines, such as a table, as ``put`` does."""
    write(sys.stdout, f"{text}\n")


def say(text: str) -> None:
    """Write a line for the person to standard error, aside of the answers."""
    write(sys.stderr, printable_line(text) + "\n")


def write(stream: TextIO, text: str) -> None:
    """Write text to a stream, safe for a terminal and in the stream's encoding, and flush it."""
    stream.write(encodable(printable(text), stream.encoding or "utf-8"))
    stream.flush()
