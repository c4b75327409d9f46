"""``trmsolve plot``: the course of training runs as curves."""

import sys
from pathlib import Path
from typing import Annotated, Literal

import typer

from trmsolve.cli.output import say
from trmsolve.cli.recording import check_target
from trmsolve.errors import UsageError
from trmsolve.show.console import make_console
from trmsolve.show.curves import FORMATS, draw
from trmsolve.show.curves import save as save_figure
from trmsolve.show.run_curves import figure_of_runs
from trmsolve.train.metrics_file import NAME, read_log
from trmsolve.train.schedule import Progress
from trmsolve.wording import count, printable_line

MOST_DAMAGED = 5
"""Damaged lines of a file that are named; the others are counted."""


def plot(
    runs: Annotated[
        list[Path],
        typer.Argument(
            metavar="RUN...", help="Folders of training runs, or their metrics.jsonl files."
        ),
    ],
    by: Annotated[
        Literal["minutes", "steps"], typer.Option(help="What the curves are drawn against.")
    ] = "minutes",
    save: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Save the curves as .svg, .png or .html instead of showing them.",
            show_default=False,
        ),
    ] = None,
) -> None:
    """Draw the course of training runs.

    The charts show the exact rate of held-out puzzles, the loss, the mean
    cycles of the puzzles that halted, and the learning rate. Several runs are
    drawn in one picture.

    Examples:
    trmsolve plot runs/sudoku
    trmsolve plot runs/sudoku runs/other --by steps --save curves.svg

    Exit codes:
    0  the curves are drawn or saved
    2  some input or option is invalid
    5  the output cannot be written
    130  interrupted
    141  the reader of the output has left
    """
    if save is not None:
        check_target(save, [*runs, *(run / NAME for run in runs)], FORMATS)
    figure = figure_of_runs({name: _lines(run) for name, run in _named(runs).items()}, by)
    if save is not None:
        save_figure(figure, save)
        return
    console = make_console(sys.stdout)
    height = console.height if console.is_terminal else None
    console.print(draw(figure, console, height), soft_wrap=True)


def _named(runs: list[Path]) -> dict[str, Path]:
    """The runs by the names that the picture has. Raises UsageError if one is given twice."""
    named = {}
    for run in runs:
        name = printable_line(str(run.parent if run.name == NAME else run))
        if name in named:
            raise UsageError(f"{run} is given twice")
        named[name] = run
    return named


def _lines(run: Path) -> list[Progress]:
    """The lines of a run; damaged ones are told and left out."""
    lines, damaged = read_log(run)
    file = run / NAME if run.is_dir() else run
    for number in damaged[:MOST_DAMAGED]:
        say(f"{file}:{number}: this line of the metrics log is damaged and left out")
    if len(damaged) > MOST_DAMAGED:
        say(f"{file}: {count(len(damaged) - MOST_DAMAGED, 'more damaged line')}")
    return lines
