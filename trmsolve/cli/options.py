"""Options that several commands share, each defined once."""

from collections.abc import Callable
from typing import Annotated, Any

import typer

from trmsolve.cli.output import FORMATS
from trmsolve.puzzles import get_task, task_names

NOISE_HELP = "Chance in every view but the first: freedom of guesses, or noise in the answer."
RUN, TRY = "Where and how it runs", "How hard it tries"

Weights = Annotated[
    str | None,
    typer.Option(
        metavar="FILE",
        help="Weights to use instead of the bundled ones: a .safetensors file, the folder of a "
        "run, or hf://user/repo.",
        show_default=False,
    ),
]
Offline = Annotated[
    bool,
    typer.Option(
        "--offline", help="Open no connection: use what is on this machine.", rich_help_panel=RUN
    ),
]
AllowLarge = Annotated[
    bool,
    typer.Option(
        "--allow-large", help="Take weights over 512 MiB, or of unusual sizes.", rich_help_panel=RUN
    ),
]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda, cuda:N or mps.", rich_help_panel=RUN)]
Dtype = Annotated[str, typer.Option(help="auto, fp32 or bf16.", rich_help_panel=RUN)]
Threads = Annotated[
    int | None,
    typer.Option(
        min=1, max=1024, help="CPU threads.", show_default="all cores", rich_help_panel=RUN
    ),
]
Seed = Annotated[
    int,
    typer.Option(
        min=0,
        max=2**63 - 1,
        metavar="N",
        help="Decides everything that is drawn at random.",
        rich_help_panel=RUN,
    ),
]
Cycles = Annotated[
    int, typer.Option(min=1, help="Improvement cycles a view may take.", rich_help_panel=TRY)
]
Views = Annotated[
    int,
    typer.Option(
        min=1,
        help="Symmetric views to try until one is verified; 1 is the puzzle as given alone.",
        rich_help_panel=TRY,
    ),
]
Noise = Annotated[
    float,
    typer.Option(
        min=0,
        help=NOISE_HELP,
        rich_help_panel=TRY,
    ),
]
BatchSize = Annotated[
    int | None,
    typer.Option(
        min=1, help="Puzzles refined at a time.", show_default="automatic", rich_help_panel=RUN
    ),
]


def usual(attribute: str, look: Callable[[Any], Any] = lambda value: value) -> str:
    """A task's attribute as the default in a help: the first task's, and those that differ from it.

    ``look`` makes of the attribute what is shown.
    """
    tasks = [get_task(name) for name in task_names()]
    first = look(getattr(tasks[0], attribute))
    parts = [str(first)]
    for task in tasks[1:]:
        value = look(getattr(task, attribute))
        if value != first:
            parts.append(f"for {task.plural} {value}")
    return ", ".join(parts)


def complete_task(incomplete: str) -> list[str]:
    """The tasks that begin with what is typed, for the shell."""
    return [name for name in (*task_names(), "arc") if name.startswith(incomplete)]


Task = Annotated[
    str,
    typer.Option(
        help=f"The kind of puzzle: {', '.join(task_names())} or arc.", autocompletion=complete_task
    ),
]

ShowSteps = Annotated[
    bool, typer.Option("--show-steps", help="Print every cycle, one below the other.")
]
Json = Annotated[
    bool, typer.Option("--json", help="One JSON object a puzzle: short for --format json.")
]
Form = Annotated[
    str, typer.Option("--format", help=f"How answers are written: {', '.join(FORMATS)}.")
]
Quiet = Annotated[
    bool, typer.Option("--quiet", "-q", help="Show errors only; answers are still written.")
]
Pace = Annotated[float, typer.Option(min=0, help="Seconds to hold every frame, for watching.")]
Verbose = Annotated[bool, typer.Option("--verbose", "-v", help="Say what runs where, and why.")]
KeepUnverified = Annotated[
    bool,
    typer.Option(
        "--keep-unverified", help="Write grids that the rules refuse to standard output too."
    ),
]
