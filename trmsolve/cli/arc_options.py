"""Options of ARC that several commands share, each defined once."""

from pathlib import Path
from typing import Annotated

import typer

Solutions = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Outputs of the tests, where they are in a file of their own.",
        show_default="none, but eval finds those beside *_challenges.json",
        rich_help_panel="ARC",
    ),
]
Budget = Annotated[
    float | None,
    typer.Option(
        min=0,
        metavar="SECONDS",
        help="How long to learn a task from its demonstrations.",
        show_default="60, on a CPU 300",
        rich_help_panel="ARC",
    ),
]
Steps = Annotated[
    int | None,
    typer.Option(
        min=1,
        help="Learn in exactly so many steps, however long that takes.",
        show_default=False,
        rich_help_panel="ARC",
    ),
]
