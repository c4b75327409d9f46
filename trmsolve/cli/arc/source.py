"""Where ARC tasks come from: files, folders, standard input, data sets; and which are meant."""

import sys
from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from itertools import chain
from pathlib import Path

from trmsolve.arc.options import DEMONSTRATIONS
from trmsolve.arc.read import ArcTaskError, add_solutions, distinct, read_path, read_tasks
from trmsolve.arc.task import ArcTask, Item
from trmsolve.cli.recognise import another_kind
from trmsolve.errors import PuzzleError, UsageError

SHOWN = 3
"""Ids that are named in a message."""


def read_items(
    files: list[str] | None,
    dataset: str | None = None,
    ids: list[str] | None = None,
    solutions: Path | None = None,
    demonstrations: int = DEMONSTRATIONS,
) -> list[Item]:
    """Every task of the data set and of the files in order, unreadable ones as their errors.

    ``-`` is standard input. Without files it is read too, unless it is a terminal. A list of pairs
    has so many ``demonstrations``.

    Raises:
        UsageError: If there is nothing to read, or no task has one of the ids.
        PuzzleError: If the solutions cannot be read.
    """
    if not files and dataset is None:
        if sys.stdin is None or sys.stdin.isatty():
            raise UsageError(
                "no input: give a file with ARC tasks or pipe one in; see trmsolve arc --help"
            )
        files = ["-"]
    read = [_file(name, demonstrations) for name in files or []]
    items = list(distinct(chain(_dataset(dataset), *read)))
    if ids:
        items = _chosen(items, ids)
    if solutions is not None:
        items = list(add_solutions(items, str(solutions)))
    return items


def _file(name: str, demonstrations: int) -> Iterator[Item]:
    if name != "-":
        items = list(read_path(name, demonstrations=demonstrations))
        problem = ""
        if items and not any(isinstance(item, ArcTask) for item in items):
            problem = another_kind(name, "arc")
        yield from [PuzzleError(problem, name)] if problem else items
    elif sys.stdin is None:
        raise UsageError("standard input is closed: give a file")
    else:
        yield from read_tasks(sys.stdin.buffer, "stdin", demonstrations)


def _dataset(name: str | None) -> Iterator[Item]:
    if name is not None:
        from trmsolve.arc.datasets import load_dataset

        yield from load_dataset(name)


def _chosen(items: list[Item], ids: list[str]) -> list[Item]:
    """The tasks of these ids, and the errors that kept other tasks from being read."""
    known = tests_by_id(items)
    missing = [name for name in ids if name not in known]
    if missing and all(_id(item) for item in items):
        near = get_close_matches(missing[0], known, SHOWN) or sorted(known)[:SHOWN]
        raise UsageError(
            f"--id {missing[0]}: no such task among {len(known)}, for example {', '.join(near)}"
        )
    return [item for item in items if _id(item) in (None, *ids)]


def _id(item: Item) -> str | None:
    """The id of a task; None for an error that came before any task."""
    if isinstance(item, ArcTask):
        return item.name
    return item.task if isinstance(item, ArcTaskError) else None


def tests_by_id(items: Iterable[Item]) -> dict[str, int]:
    """How many tests each task has, whether it is readable or not."""
    numbers: dict[str, int] = {}
    for item in items:
        if isinstance(item, ArcTask):
            numbers[item.name] = len(item.tests)
        elif isinstance(item, ArcTaskError):
            numbers.setdefault(item.task, item.tests)
    return numbers
