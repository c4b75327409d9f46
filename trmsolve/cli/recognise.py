"""Which kind of puzzle a file holds, judged by its content."""

import errno
import io
import os
import shlex
import sys
from itertools import islice
from pathlib import Path

from trmsolve.arc.read import read_tasks
from trmsolve.arc.task import ArcTask
from trmsolve.cli.passed_over import untold
from trmsolve.errors import UsageError
from trmsolve.files import GZIP, open_file, read_small, reason
from trmsolve.puzzles.registry import get_task, task_names
from trmsolve.puzzles.values import Puzzle

LARGEST = 64 << 20
"""The most bytes of a file whose kind is recognised."""

SOON_READ = 1 << 20
"""The most bytes of a file that is also tried as other kinds than the one that was asked for."""

LOOKED_AT = 20
"""How many items of a file decide what it is."""


def recognise(path: str) -> str:
    """The name of the command for a file. Raises UsageError if none or several may be meant."""
    data = _standard_input() if path == "-" else _content(path)
    path = "stdin" if path == "-" else path
    if any(isinstance(item, ArcTask) for item in read_tasks(io.BytesIO(data), path)):
        return "arc"
    with untold():
        shares = {name: _share(name, data, path) for name in task_names()}
    best = max(shares.values())
    kinds = [name for name, share in shares.items() if share == best]
    if not best:
        raise UsageError(f"{path}: no puzzle is recognised; docs/formats.md shows what is read")
    if len(kinds) > 1:
        raise UsageError(f"{path}: may hold {' or '.join(kinds)}: use the command of one of them")
    return kinds[0]


def another_kind(path: str, kind: str) -> str:
    """What to do with a file of another kind than this; "" if it is of this kind, or of none.

    Large and packed files are not looked into: reading them by all readers would take long.
    """
    if not _is_soon_read(path):
        return ""
    try:
        found = recognise(path)
    except UsageError:
        return ""
    if found == kind:
        return ""
    shown = shlex.quote(path)
    if found == "arc":
        return f"this is an ARC task: use trmsolve arc {shown}"
    return f"this holds {get_task(found).plural}: use trmsolve {found} {shown}"


def _is_soon_read(path: str) -> bool:
    try:
        with open_file(Path(path)) as file:
            is_packed = file.peek(len(GZIP)).startswith(GZIP)
            return not is_packed and os.fstat(file.fileno()).st_size <= SOON_READ
    except (OSError, ValueError):
        return False


def _content(path: str) -> bytes:
    """All bytes of a regular file that is not too large. Raises UsageError for any other."""
    try:
        return read_small(Path(path), LARGEST)
    except (OSError, ValueError) as error:
        if isinstance(error, OSError) and error.errno == errno.EFBIG:
            raise _too_large(path) from None
        raise UsageError(f"{path} cannot be read: {reason(error)}") from None


def _standard_input() -> bytes:
    """All bytes of standard input, which the command of their kind then reads again.

    Raises UsageError if it is closed or has too many bytes.
    """
    if sys.stdin is None:
        raise UsageError("standard input is closed: give a file")
    data = sys.stdin.buffer.read(LARGEST + 1)
    if len(data) > LARGEST:
        raise _too_large("standard input")
    sys.stdin = io.TextIOWrapper(io.BytesIO(data))
    return data


def _too_large(name: str) -> UsageError:
    """The error for a file whose kind is not recognised since it is too large."""
    commands = ", ".join(("arc", *task_names()))
    return UsageError(f"{name} has more than {LARGEST >> 20} MiB: use one of {commands}")


def _share(name: str, data: bytes, path: str) -> float:
    """The share of the first items that are puzzles of a kind."""
    items = list(islice(get_task(name).read(io.BytesIO(data), path), LOOKED_AT))
    readable = sum(isinstance(item, Puzzle) for item in items)
    return readable / len(items)
