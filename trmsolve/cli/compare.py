"""``trmsolve compare``: several weights on the same puzzles, with the same effort."""

import json as json_
import sys
from dataclasses import dataclass
from itertools import islice, product
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from trmsolve.cli import options
from trmsolve.cli.complete import complete_weights
from trmsolve.cli.output import put_text, say
from trmsolve.cli.recording import check_target
from trmsolve.cli.source import open_items
from trmsolve.errors import UsageError
from trmsolve.puzzles.files import Notes
from trmsolve.show.console import make_console

if TYPE_CHECKING:
    from trmsolve.puzzles.values import Puzzle
    from trmsolve.solve.compare import Setting
    from trmsolve.solve.solver import Solver

MOST_WEIGHTS = 26
"""Each has a letter in the table."""

MOST = 10_000
"""The highest number of cycles or views that a list may have."""

Weights = Annotated[
    list[str],
    typer.Argument(
        metavar="WEIGHTS...",
        help="Weights to compare: .safetensors files, folders of training runs, sudoku, maze, or "
        "hf://user/repo. Each is compared with the first.",
        autocompletion=complete_weights,
    ),
]
Data = Annotated[
    Path,
    typer.Option(
        metavar="FILE",
        help="A CSV file with questions and answers. - reads standard input.",
    ),
]
Cycles = Annotated[
    str | None,
    typer.Option(
        metavar="N,N,...",
        help="Maximum numbers of improvement cycles for each view, each measured.",
        show_default=options.task_defaults("default_cycles"),
        rich_help_panel=options.TRY,
    ),
]
Views = Annotated[
    str,
    typer.Option(
        metavar="N,N,...",
        help="Maximum numbers of symmetric views to try, each measured.",
        rich_help_panel=options.TRY,
    ),
]
Save = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Also save the curve of accuracy against cycles: .svg, .png or .html.",
        show_default=False,
    ),
]


def compare(  # noqa: PLR0913 (the options of a command)
    weights: Weights,
    data: Data,
    task: options.Task = "sudoku",
    limit: options.Limit = None,
    json: options.JsonObject = False,
    save: Save = None,
    offline: options.Offline = False,
    allow_large: options.AllowLarge = False,
    cycles: Cycles = None,
    views: Views = "1",
    noise: options.UsualNoise = None,
    backend: options.Backend = "auto",
    device: options.Device = "auto",
    dtype: options.Dtype = "auto",
    workers: options.Workers = None,
    threads: options.ThreadsEach = None,
    batch_size: options.BatchSize = None,
    seed: options.Seed = 0,
) -> None:
    """Compare weights on the same puzzles.

    Each is measured as by trmsolve eval, at every number of cycles with every
    number of views. The table has the exact and the verified rate with their
    95 % intervals, also by rating, the mean cycles, and the seconds. Of each
    later weights against the first it counts the puzzles that only one of
    both got right, with McNemar's exact two-sided p. With several numbers of
    cycles or views, a chart shows accuracy against the mean cycles.

    Examples:
    trmsolve compare sudoku runs/sudoku --data puzzles.csv
    trmsolve compare sudoku runs/sudoku --data puzzles.csv --cycles 4,8,16 --save curve.svg

    Exit codes:
    0  the weights are compared
    2  some input or option is invalid
    3  the weights are missing, damaged or made for another task
    4  weights from hf:// cannot be downloaded
    5  the output cannot be written, or a worker process was ended
    130  interrupted
    141  the reader of the output has left
    """
    if task == "arc":
        raise UsageError("compare does not measure ARC tasks: use trmsolve eval --task arc")
    if len(weights) > MOST_WEIGHTS:
        raise UsageError(f"at most {MOST_WEIGHTS} weights can be compared at once")
    efforts = _Efforts(_numbers("--cycles", cycles), _numbers("--views", views) or [1])
    if save is not None:
        from trmsolve.show.curves import FORMATS

        if not efforts.several:
            raise UsageError("--save needs a curve: give several --cycles or --views")
        check_target(save, [data, *weights], FORMATS)
    puzzles = _read(task, data, limit)
    compared = _compare(
        _Compared(task, weights, efforts, puzzles, data.name, workers),
        offline=offline,
        allow_large=allow_large,
        noise=noise,
        backend=backend,
        device=device,
        dtype=dtype,
        threads=threads,
        batch_size=batch_size,
        seed=seed,
    )
    _report(compared, efforts, json, save)


@dataclass(frozen=True)
class _Efforts:
    """The numbers of cycles, none for the usual one, and of views."""

    cycles: list[int]
    views: list[int]

    @property
    def several(self) -> bool:
        """Whether there is a curve."""
        return len(self.cycles) > 1 or len(self.views) > 1

    def settings(self) -> "list[Setting]":
        """Every number of views with every number of cycles."""
        from trmsolve.solve.compare import Setting

        cycles: list[int | None] = [*self.cycles] or [None]
        return [Setting(*pair) for pair in product(self.views, cycles)]


@dataclass(frozen=True)
class _Compared:
    """What is compared, and by how many processes."""

    task: str
    weights: list[str]
    efforts: _Efforts
    puzzles: "list[Puzzle]"
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


def _read(task_name: str, data: Path, limit: int | None) -> "list[Puzzle]":
    """All puzzles, each with its right answer. Raises PuzzleError for the first that has none."""
    from trmsolve.puzzles import get_task
    from trmsolve.solve.evaluate import with_answers

    task = get_task(task_name)
    items = (item for item in open_items(task, [str(data)]) if item is not None)
    noted = Notes(say).follow(islice(items, limit))
    return list(with_answers(task, noted))


def _compare(compared: _Compared, **how: Any) -> dict[str, Any]:
    """Load all weights and measure them; ``how`` is as ``LoadOptions`` takes it."""
    from trmsolve.memory import keep_memory
    from trmsolve.show.displays import ProgressDisplay
    from trmsolve.solve.compare import compare as measure

    keep_memory()
    settings = compared.efforts.settings()
    solvers = [_load(compared, weights, how) for weights in compared.weights]
    _refuse_twins(solvers)
    answers = len(compared.puzzles) * len(solvers) * len(settings)
    with ProgressDisplay(make_console(), answers) as display:
        return measure(solvers, compared.puzzles, settings, compared.data, display.answer)


def _refuse_twins(solvers: "list[Solver]") -> None:
    """Raise UsageError if two files have one name and the same weights."""
    labels = [solver.weights for solver in solvers]
    for label in labels:
        if labels.count(label) > 1:
            raise UsageError(f"{label} is given twice: compare different weights")


def _load(compared: _Compared, weights: str, how: dict[str, Any]) -> "Solver":
    from trmsolve.solve.network import LoadOptions
    from trmsolve.solve.solver import load_solver
    from trmsolve.solve.workers import Crew, share_out

    n = len(compared.puzzles)
    load_options = LoadOptions(weights=weights, note=say, puzzles=n, **how)
    solver = load_solver(compared.task, load_options)
    return share_out(solver, Crew(compared.workers, how["threads"], n))


def _report(compared: dict[str, Any], efforts: _Efforts, json: bool, save: Path | None) -> None:
    """Print the figures, and draw the curve if there is one."""
    from trmsolve.show.comparison import accuracy_figure, table
    from trmsolve.show.curves import draw
    from trmsolve.show.curves import save as save_figure

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
