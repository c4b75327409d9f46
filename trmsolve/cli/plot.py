"""``trmsolve plot``: the course of training runs as curves."""

from pathlib import Path
from typing import Annotated, Literal

import typer


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
    from trmsolve.cli.plotting import plot_runs

    plot_runs(runs, by, save)
