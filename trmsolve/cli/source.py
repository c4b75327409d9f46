"""The source of puzzles: files, and standard input as it arrives."""

import io
import os
import queue
import re
import stat
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from trmsolve.errors import PuzzleError, UsageError
from trmsolve.puzzles.base import Task
from trmsolve.puzzles.files import Item, read_file

_PATH = re.compile(r"[/\\]|\.[a-zA-Z]\w*$")
"""What only names of files have: a folder, or an extension."""

POLL_SECONDS = 0.02
COUNTED = 2**20
"""Bytes that are read twice, once to count: less than half a second's work."""
MANY = 1_000_000
"""Stands for the number of items in a file that is too large to count them."""


def open_items(task: Task, files: list[str] | None) -> Iterator[Item | None]:
    """Every puzzle of the files in order, unreadable ones as their errors.

    ``-`` or no file is standard input. An item None means that standard input has nothing more at
    the moment. Raises UsageError if there is nothing to read.
    """
    if not files:
        if sys.stdin is None or sys.stdin.isatty():
            raise UsageError(
                f"no input: give a {task.name} file or pipe one in; see trmsolve {task.name} --help"
            )
        files = ["-"]
    return _all_items(task, files)


def _all_items(task: Task, files: list[str]) -> Iterator[Item | None]:
    for name in files:
        if name == "-":
            yield from _standard_input(task)
        elif _is_file(name):
            yield from _of_one_kind(task, name)
        elif task.is_puzzle(name):
            yield from task.read(io.BytesIO(name.encode()), "argument")
        else:
            yield PuzzleError(f"no such file{_how_to_pipe(task, name)}", name)


def _of_one_kind(task: Task, name: str) -> Iterator[Item]:
    """The puzzles of a file; one error if it begins with none, and is of another kind."""
    items = read_file(task, name)
    first = next(items, None)
    if first is None:
        return
    if isinstance(first, PuzzleError):
        from trmsolve.cli.recognise import another_kind

        problem = another_kind(name, task.name)
        if problem:
            yield PuzzleError(problem, name)
            return
    yield first
    yield from items


def _how_to_pipe(task: Task, name: str) -> str:
    """What to do with an argument that may be meant as a puzzle; "" for what can only be a path."""
    if _PATH.search(name):
        return ""
    return f"; to solve a puzzle that is no file, pipe it: echo PUZZLE | trmsolve {task.name} -"


def _is_file(name: str) -> bool:
    """Whether something is at this path; opening it says what is wrong with it."""
    try:
        return Path(name).exists()
    except OSError:  # such as a name that is too long
        return False


def count_items(task: Task, files: list[str] | None) -> int | None:
    """How many items the files hold; None if counting takes long or a file is read only once."""
    names = files or ["-"]
    total = 0
    for name in names:
        size = _size(name)
        if size is None:
            return None
        total += size
    if total > COUNTED:
        return None
    return sum(_count(_of_one_kind(task, name)) for name in names)


def known_items(files: list[str] | None, number: int | None, arrived: int = 0) -> int:
    """How many items there are at least: the ``number``, or what is known without it.

    Large files are not counted, and hold many. Of a pipe it is known only what has ``arrived``: it
    may bring one item more or a million, and waiting for more would delay the first answer.
    """
    if number is not None:
        return number
    sizes = [_size(name) for name in files or ["-"]]
    if any(size is not None and size > COUNTED for size in sizes):
        return MANY
    return arrived


def _size(name: str) -> int | None:
    """The bytes of a regular file; None for anything else."""
    if not _is_file(name) or not Path(name).is_file():
        return None
    return Path(name).stat().st_size


def _count(items: Iterator[Item]) -> int:
    return sum(1 for _ in items)


def _standard_input(task: Task) -> Iterator[Item | None]:
    if sys.stdin is None:
        raise UsageError("standard input is closed: give a file")
    stream = sys.stdin.buffer
    if not _may_wait(stream):
        yield from task.read(stream, "stdin")
        return
    # A pipe may wait for our answer before it says more. It is therefore read beside the work and
    # never waited for. It is unbuffered: a thread that waits inside a buffer would hold its lock
    # when the program ends.
    stream = open(stream.fileno(), "rb", buffering=0, closefd=False)  # noqa: SIM115
    arrived: queue.Queue[Item | BaseException | None] = queue.Queue(maxsize=4096)

    def read() -> None:
        try:
            for item in task.read(stream, "stdin"):
                arrived.put(item)
            arrived.put(None)
        except BaseException as error:  # handed over, to be raised where the work is
            arrived.put(error)

    threading.Thread(target=read, daemon=True).start()
    while True:
        try:
            item = arrived.get(timeout=POLL_SECONDS)
        except queue.Empty:
            yield None
            continue
        if item is None:
            return
        if isinstance(item, BaseException) and not isinstance(item, PuzzleError):
            raise item
        yield item


def _may_wait(stream: BinaryIO) -> bool:
    """Whether reading may block: true of pipes and terminals, not of files."""
    try:
        return not stat.S_ISREG(os.fstat(stream.fileno()).st_mode)
    except io.UnsupportedOperation:
        return False
