"""What ``trmsolve eval`` does for grid puzzles: measures weights and prints the figures."""

import json as json_
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice
from pathlib import Path
from typing import Any

from trmsolve.cli.source import count_items, known_items, open_items
from trmsolve.cli.streams import put_text, say
from trmsolve.distributed import join_process_group
from trmsolve.errors import PuzzleError
from trmsolve.memory import keep_memory
from trmsolve.puzzles.base import Task
from trmsolve.puzzles.files import Notes, read_file
from trmsolve.puzzles.registry import get_task
from trmsolve.show.console import make_console
from trmsolve.show.displays import ProgressDisplay, QuietDisplay
from trmsolve.solve.evaluate import evaluate
from trmsolve.solve.network import LoadOptions
from trmsolve.solve.solver import load_solver
from trmsolve.solve.workers import Crew, share_out, start_early
from trmsolve.wording import count

PATIENCE = timedelta(days=30)
"""How long processes under ``torchrun`` wait for the slowest of them."""


@dataclass(frozen=True)
class Measured:
    """What is measured, by how many processes, and where the figures go."""

    task: str
    data: Path
    limit: int | None
    json: bool
    record: bool
    batch_size: int | None
    workers: int | None


def eval_puzzles(measured: Measured, *, device: str, **how: Any) -> None:
    """Measure, alone or as one of the processes that ``torchrun`` has started; the first reports.

    ``how`` is as ``load`` takes it.
    """
    task = get_task(measured.task)
    sources = [str(measured.data)]
    _check_first(task, measured.data)

    keep_memory()
    limit = measured.limit
    with join_process_group(device, PATIENCE) as group:
        path = _file_to_record(how["weights"], measured.task) if measured.record else None
        puzzles = (item for item in open_items(task, sources) if item is not None)
        items = islice(puzzles, limit)
        total = count_items(task, sources) if limit is None else limit
        own = None if total is None else -(-total // group.size)
        load_options = LoadOptions(
            device=group.device(device),
            batch_size=measured.batch_size,
            note=say if group.first else None,
            puzzles=known_items(sources, own),
            **how,
        )
        crew = Crew(measured.workers, how["threads"], own)
        with start_early(measured.task, crew, load_options) as team:
            solver = share_out(load_solver(measured.task, load_options), crew, team)
            console = make_console()
            with ProgressDisplay(console, own) if group.first else QuietDisplay(console) as display:
                noted = Notes(display.note).follow(items)
                figures = evaluate(solver, noted, measured.data.name, display.answer, group=group)
        if not group.first:
            return
        if path is not None:
            from trmsolve.weights.file import record_score  # imports torch

            record_score(path, f"{figures['data']}, {how['views']} views", figures)
        put_text(json_.dumps(figures) if measured.json else _table(figures))


def _check_first(task: Task, data: Path) -> None:
    """Raise the error of a file that cannot be read, before torch is imported.

    Pipes are read only once, and are left alone.
    """
    if str(data) == "-" or (data.exists() and not data.is_file()):
        return
    first = next(read_file(task, str(data)), None)
    if isinstance(first, PuzzleError):
        raise first


def _file_to_record(weights: str | None, task: str) -> Path:
    """The file to store a score in. Raises UsageError for one that is to stay as it is."""
    from trmsolve.weights.catalog import to_record  # imports torch

    return to_record(weights, task)


def _table(figures: dict[str, Any]) -> str:
    """The figures as lines of text."""
    low, high = figures["exact_ci95"]
    lines = [
        f"{count(figures['n'], 'puzzle')} of {figures['data']}, {figures['weights']}, "
        f"{count(figures['cycles'], 'cycle')}, {count(figures['views'], 'view')}, "
        f"{figures['device']} {figures['dtype']}",
        f"exact     {figures['exact']:.1%}  (95 % interval {low:.1%} to {high:.1%})",
        f"cells     {figures['cell']:.1%}",
    ]
    for name in ("valid", "optimal", "verified"):
        if name in figures:
            lines.append(f"{name:10}{figures[name]:.1%}")
    lines.append(
        f"speed     {figures['puzzles_per_second']} puzzles/s, {figures['mean_cycles']} cycles and "
        f"{figures['mean_views']} views on average"
    )
    for name, band in figures["bands"].items():
        lines.append(
            f"  rating {name:8} n {band['n']:5}  exact {band['exact']:6.1%}  "
            f"verified {band['verified']:6.1%}"
        )
    return "\n".join(lines)
