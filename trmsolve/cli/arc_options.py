"""Options of ARC that several commands share, each defined once."""

from pathlib import Path
from typing import Annotated

import typer

from trmsolve.cli.complete import complete_weights

Solutions = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="File with the test outputs, if they are not in the task files.",
        show_default="none; eval finds *_solutions.json by itself",
        rich_help_panel="ARC",
    ),
]
Weights = Annotated[
    str | None,
    typer.Option(
        metavar="FILE",
        help="Adapt this trained network alone: arc for the bundled one, a .safetensors file, the "
        "folder of a training run, or hf://user/repo. none: learn from nothing alone.",
        show_default="copies of both kinds",
        autocompletion=complete_weights,
    ),
]
Budget = Annotated[
    float | None,
    typer.Option(
        min=0,
        metavar="SECONDS",
        help="Maximum time to learn a task.",
        show_default="300; 60 with weights on a GPU",
        rich_help_panel="ARC",
    ),
]
Steps = Annotated[
    int | None,
    typer.Option(
        metavar="N",
        min=1,
        help="Learn for exactly this number of steps, without a time limit.",
        show_default=False,
        rich_help_panel="ARC",
    ),
]
