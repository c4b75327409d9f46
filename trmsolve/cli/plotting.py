"""What ``trmsolve plot`` does: reads the logs of runs, and draws or saves their curves."""

import sys
from pathlib import Path
from typing import Literal

from trmsolve.cli.recording import check_target
from trmsolve.cli.streams import say
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


def plot_runs(runs: list[Path], by: Literal["minutes", "steps"], save: Path | None) -> None:
    """Draw the runs on the terminal, or save their curves in the file ``save``.

    Raises UsageError for a run that cannot be read or is given twice.
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
