"""What ``trmsolve compare`` does: checks what is asked for, measures all weights, and reports."""

import json as json_
import sys
from dataclasses import dataclass
from itertools import islice, product
from pathlib import Path
from typing import Any

from trmsolve.cli.recording import check_target
from trmsolve.cli.source import open_items
from trmsolve.cli.streams import put_text, say
from trmsolve.errors import UsageError
from trmsolve.memory import keep_memory
from trmsolve.puzzles.files import Notes
from trmsolve.puzzles.registry import get_task
from trmsolve.puzzles.values import Puzzle
from trmsolve.show.comparison import accuracy_figure, table
from trmsolve.show.console import make_console
from trmsolve.show.curves import FORMATS, draw
from trmsolve.show.curves import save as save_figure
from trmsolve.show.displays import ProgressDisplay
from trmsolve.solve.compare import Setting
from trmsolve.solve.compare import compare as measure
from trmsolve.solve.evaluate import with_answers
from trmsolve.solve.network import LoadOptions
from trmsolve.solve.solver import Solver, load_solver
from trmsolve.solve.workers import Crew, share_out

MOST_WEIGHTS = 26
"""Each has a letter in the table."""

MOST = 10_000
"""The highest number of cycles or views that a list may have."""


@dataclass(frozen=True)
class Request:
    """The options that say what is compared, by how many processes, and where the figures go."""

    task: str
    weights: list[str]
    data: Path
    limit: int | None
    cycles: str | None
    """Numbers with commas between; None for the usual one."""
    views: str
    """Numbers with commas between."""
    workers: int | None
    json: bool
    save: Path | None


def compare_weights(request: Request, **how: Any) -> None:
    """Compare weights and print the figures; ``how`` is as ``LoadOptions`` takes it.

    Raises UsageError for options that cannot be, PuzzleError for a puzzle without its answer.
    """
    if request.task == "arc":
        raise UsageError("compare does not measure ARC tasks: use trmsolve eval --task arc")
    if len(request.weights) > MOST_WEIGHTS:
        raise UsageError(f"at most {MOST_WEIGHTS} weights can be compared at once")
    efforts = _Efforts(
        _numbers("--cycles", request.cycles), _numbers("--views", request.views) or [1]
    )
    if request.save is not None:
        if not efforts.several:
            raise UsageError("--save needs a curve: give several --cycles or --views")
        check_target(request.save, [request.data, *request.weights], FORMATS)
    puzzles = _read(request.task, request.data, request.limit)
    compared = _Compared(
        request.task, request.weights, efforts, puzzles, request.data.name, request.workers
    )
    _report(_compare(compared, **how), efforts, request.json, request.save)


@dataclass(frozen=True)
class _Efforts:
    """The numbers of cycles, none for the usual one, and of views."""

    cycles: list[int]
    views: list[int]

    @property
    def several(self) -> bool:
        """Whether there is a curve."""
        return len(self.cycles) > 1 or len(self.views) > 1

    def settings(self) -> list[Setting]:
        """Every number of views with every number of cycles."""
        cycles: list[int | None] = [*self.cycles] or [None]
        return [Setting(*pair) for pair in product(self.views, cycles)]


@dataclass(frozen=True)
class _Compared:
    """The weights, puzzles and efforts to compare, and the number of processes."""

    task: str
    weights: list[str]
    efforts: _Efforts
    puzzles: list[Puzzle]
    data: str
    workers: int | None


def _numbers(option: str, text: str | None) -> list[int]:
    """The numbers of a list such as ``4,8,16``, each once; none for no text."""
    if text is None:
        return []
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isascii() and part.isdigit() and len(part) < 9 for part in parts):
        raise UsageError(f"{option} {text}: give whole numbers with commas between, as in 4,8,16")
    numbers = [int(part) for part in parts]
    if not all(1 <= number <= MOST for number in numbers):
        raise UsageError(f"{option} {text}: the numbers must be from 1 to {MOST}")
    return list(dict.fromkeys(numbers))


def _read(task_name: str, data: Path, limit: int | None) -> list[Puzzle]:
    """All puzzles, each with its right answer. Raises PuzzleError for the first that has none."""
    task = get_task(task_name)
    items = (item for item in open_items(task, [str(data)]) if item is not None)
    noted = Notes(say).follow(islice(items, limit))
    return list(with_answers(task, noted))


def _compare(compared: _Compared, **how: Any) -> dict[str, Any]:
    """Load all weights and measure them; ``how`` is as ``LoadOptions`` takes it."""
    keep_memory()
    settings = compared.efforts.settings()
    solvers = [_load(compared, weights, how) for weights in compared.weights]
    _refuse_twins(solvers)
    answers = len(compared.puzzles) * len(solvers) * len(settings)
    with ProgressDisplay(make_console(), answers) as display:
        return measure(solvers, compared.puzzles, settings, compared.data, display.answer)


def _refuse_twins(solvers: list[Solver]) -> None:
    """Raise UsageError if two files have one name and the same weights."""
    labels = [solver.weights for solver in solvers]
    for label in labels:
        if labels.count(label) > 1:
            raise UsageError(f"{label} is given twice: compare different weights")


def _load(compared: _Compared, weights: str, how: dict[str, Any]) -> Solver:
    n = len(compared.puzzles)
    load_options = LoadOptions(weights=weights, note=say, puzzles=n, **how)
    solver = load_solver(compared.task, load_options)
    return share_out(solver, Crew(compared.workers, how["threads"], n))


def _report(compared: dict[str, Any], efforts: _Efforts, json: bool, save: Path | None) -> None:
    """Print the figures, and draw the curve if there is one."""
    put_text(json_.dumps(compared) if json else table(compared))
    if not efforts.several:
        return
    figure = accuracy_figure(compared)
    if save is not None:
        save_figure(figure, save)
    if not json:
        console = make_console(sys.stdout)
        console.print()
        console.print(draw(figure, console, console.height), soft_wrap=True)
