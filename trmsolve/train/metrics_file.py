"""Reads ``metrics.jsonl``, the figures of a run. Imports no torch."""

import json
import os
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import BinaryIO

from trmsolve.errors import CheckpointError, UsageError
from trmsolve.files import check_length, open_file, reason
from trmsolve.train.schedule import Progress

NAME = "metrics.jsonl"
"""The name of the file in the folder of a run."""

LONGEST_LINE = 1 << 16
LONGEST_LOG = 64 << 20
"""Most bytes of a line, and of the whole file.

A line has about 300 bytes, and by default there is one every 30 seconds.
"""


def read_metrics(folder: Path) -> list[Progress]:
    """The lines of a run so far, without those that are not whole.

    Raises CheckpointError for a path that is no file, may not be read or has more than
    ``LONGEST_LOG`` bytes.
    """
    path = folder / NAME
    try:
        return [line for _, line in _lines(path) if line is not None]
    except FileNotFoundError:
        return []
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read: {reason(error)}") from None


def read_log(path: Path) -> tuple[list[Progress], list[int]]:
    """The lines of a run's folder or of its log itself, and the numbers of the damaged lines.

    Raises UsageError for what cannot be read, and for a file without any such line.
    """
    file = path / NAME if path.is_dir() else path
    whole = []
    damaged = []
    try:
        for number, line in _lines(file):
            if line is None:
                damaged.append(number)
            else:
                whole.append(line)
    except OSError as error:
        raise UsageError(f"{file} cannot be read: {reason(error)}") from None
    if not whole:
        raise UsageError(f"{file} has no line of a metrics log: give the folder of a run")
    return whole, damaged


def _lines(path: Path) -> Iterator[tuple[int, Progress | None]]:
    """Each line of the file with its number from 1; None in place of a damaged one.

    Raises OSError.
    """
    with open_file(path) as file:
        check_length(path, os.fstat(file.fileno()).st_size, LONGEST_LOG)
        for number, line in enumerate(_bounded_lines(file), start=1):
            yield number, _progress(line)


def _bounded_lines(file: BinaryIO) -> Iterator[bytes]:
    """Each line; of one that is too long only the beginning, which says nothing."""
    while line := file.readline(LONGEST_LINE):
        yield line
        while len(line) == LONGEST_LINE and not line.endswith(b"\n"):
            line = file.readline(LONGEST_LINE)


def _progress(line: bytes) -> Progress | None:
    """What a line says; None for one that is damaged."""
    try:
        progress = Progress(**json.loads(line))
    except (ValueError, TypeError, RecursionError):
        return None
    numbers = asdict(progress)
    if numbers["held_out_exact"] is None:
        del numbers["held_out_exact"]
    is_numeric = all(type(number) in (int, float) for number in numbers.values())
    return progress if is_numeric else None
