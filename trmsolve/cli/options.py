"""Options that several commands share, each defined once."""

from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from trmsolve.cli.complete import complete_device, complete_task, complete_weights
from trmsolve.cli.wrong_usage import unknown
from trmsolve.errors import UsageError
from trmsolve.puzzles.known import known_names, known_puzzles

NOISE_HELP = "Randomness in every view after the first: of the guesses, or as noise in the answer."
RUN = "Hardware"
TRY = "Effort"

SEEDS = 2**63
"""Seeds are smaller than this: torch takes no larger ones."""


def _check_seed(seed: int) -> int:
    """Refuse a seed that torch does not take."""
    if seed >= SEEDS:
        raise UsageError(f"--seed {seed} is too large: use less than 2**63")
    return seed


Weights = Annotated[
    str | None,
    typer.Option(
        metavar="FILE",
        help="Use these weights instead of the bundled ones: a .safetensors file, the folder of a "
        "training run, or hf://user/repo.",
        show_default=False,
        autocompletion=complete_weights,
    ),
]
Offline = Annotated[
    bool,
    typer.Option("--offline", help="Use local files only; never connect to the network."),
]
AllowLarge = Annotated[
    bool,
    typer.Option(
        "--allow-large", help="Accept weights over 512 MiB and networks of unusual dimensions."
    ),
]
Backend = Annotated[
    Literal["auto", "torch", "onnx"],
    typer.Option(
        help="What runs the network. onnx is onnxruntime, which starts faster. auto "
        "takes onnx if it can, but torch for many puzzles on a CPU with bf16 in hardware.",
        rich_help_panel=RUN,
    ),
]
Device = Annotated[
    str,
    typer.Option(
        metavar="auto|cpu|cuda|cuda:N|mps",
        help="Where the network runs.",
        autocompletion=complete_device,
        rich_help_panel=RUN,
    ),
]
Dtype = Annotated[
    Literal["auto", "fp32", "bf16"],
    typer.Option(help="Number format of the network.", rich_help_panel=RUN),
]
Threads = Annotated[
    int | None,
    typer.Option(
        metavar="N",
        min=1,
        max=1024,
        help="Number of CPU threads.",
        show_default="all cores",
        rich_help_panel=RUN,
    ),
]
ThreadsEach = Annotated[
    int | None,
    typer.Option(
        metavar="N",
        min=1,
        max=1024,
        help="Number of CPU threads of each process.",
        show_default="1 if there are several workers, else all cores",
        rich_help_panel=RUN,
    ),
]
Workers = Annotated[
    int | None,
    typer.Option(
        metavar="N",
        min=1,
        max=1024,
        help="Number of processes that share the work on a CPU, if there are many puzzles.",
        show_default="one for each core; 1 with --threads",
        rich_help_panel=RUN,
    ),
]
Seed = Annotated[
    int,
    typer.Option(
        min=0,
        metavar="N",
        help="Seed of all random choices.",
        callback=_check_seed,
    ),
]
Cycles = Annotated[
    int,
    typer.Option(
        metavar="N",
        min=1,
        help="Maximum number of improvement cycles for each view.",
        rich_help_panel=TRY,
    ),
]
Views = Annotated[
    int,
    typer.Option(
        metavar="N",
        min=1,
        help="Maximum number of symmetric views to try; 1 tries only the puzzle as given.",
        rich_help_panel=TRY,
    ),
]
Noise = Annotated[
    float,
    typer.Option(
        metavar="X",
        min=0,
        help=NOISE_HELP,
        rich_help_panel=TRY,
    ),
]
BatchSize = Annotated[
    int | None,
    typer.Option(
        metavar="N",
        min=1,
        help="Number of puzzles solved at the same time.",
        show_default="automatic",
        rich_help_panel=RUN,
    ),
]


READ = "Reading"

Start = Annotated[
    str | None,
    typer.Option(
        metavar="R,C",
        help="Row and column of the start, counting from 1.",
        show_default=False,
        rich_help_panel=READ,
    ),
]
Goal = Annotated[
    str | None,
    typer.Option(
        metavar="R,C",
        help="Row and column of the goal, counting from 1.",
        show_default=False,
        rich_help_panel=READ,
    ),
]
Signs = Annotated[
    str | None,
    typer.Option(
        "--map",
        metavar="SIGNS",
        help="What signs of the file stand for, as in '%=#,P=S,.=G': # is wall, a space is floor, "
        "S the start, G the goal, o a path.",
        show_default=False,
        rich_help_panel=READ,
    ),
]


KINDS = "|".join((*known_names(), "arc"))
"""The kinds of puzzles, as the help lists them."""


def task_defaults(attribute: str, look: Callable[[Any], Any] = lambda value: value) -> str:
    """An attribute of the puzzles' words as a default in a help text: ``16; 64 for mazes``.

    The first puzzle's value comes first, then those of other puzzles that differ from it.
    ``look`` makes of the attribute what is shown.
    """
    usual, *others = known_puzzles()
    first = look(getattr(usual, attribute))
    parts = [str(first)]
    for words in others:
        value = look(getattr(words, attribute))
        if value != first:
            parts.append(f"{value} for {words.plural}")
    return "; ".join(parts)


Limit = Annotated[
    int | None,
    typer.Option(metavar="N", min=1, help="Measure only the first N puzzles.", show_default=False),
]
UsualNoise = Annotated[
    float | None,
    typer.Option(
        metavar="X",
        min=0,
        help=NOISE_HELP,
        show_default=task_defaults("default_noise"),
        rich_help_panel=TRY,
    ),
]


def check_task(name: str | None) -> str | None:
    """Refuse a task that is not registered; other packages may bring some at any time."""
    from trmsolve.puzzles.registry import task_names

    known = (*task_names(), "arc")
    if name is not None and name not in known:
        raise UsageError(unknown("--task", name, known))
    return name


Task = Annotated[
    str,
    typer.Option(
        metavar=KINDS,
        help="The kind of puzzle.",
        callback=check_task,
        autocompletion=complete_task,
    ),
]

ShowSteps = Annotated[
    bool, typer.Option("--show-steps", help="Print every cycle, one below another.")
]
Json = Annotated[
    bool, typer.Option("--json", help="Print one JSON object per puzzle; same as --format json.")
]
JsonObject = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]
Form = Annotated[
    Literal["input", "line", "json"],
    typer.Option("--format", help="Output format of answers. input is that of the puzzle."),
]
Out = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Write the answers to this file, which appears when all are there.",
        show_default="standard output",
    ),
]
Quiet = Annotated[
    bool,
    typer.Option(
        "--quiet", "-q", help="Show only errors on the screen; answers are still written."
    ),
]
PaceOfLearned = Annotated[
    float,
    typer.Option(metavar="SECONDS", min=0, help="Pause after each cycle in seconds, for watching."),
]
Pace = Annotated[
    float | None,
    typer.Option(
        metavar="SECONDS",
        min=0,
        help="Pause after each cycle in seconds, for watching; 0 is full speed.",
        show_default="0.4 for the first 10 cycles of a puzzle in a terminal",
    ),
]
Trace = Annotated[
    Path | None,
    typer.Option(
        "--trace",
        metavar="FILE",
        help="Also record every cycle in this file, for trmsolve replay; packed if its name ends "
        "in .gz.",
        show_default=False,
    ),
]
Save = Annotated[
    Path | None,
    typer.Option(
        "--save",
        metavar="FILE",
        help="Also save what was seen, by the ending of the name: .html, .gif and .txt have every "
        "frame, .svg and .png the last one.",
        show_default=False,
    ),
]
Verbose = Annotated[
    bool,
    typer.Option(
        "--verbose",
        "-v",
        help="Print the chosen weights, device and number format, with reasons, and the lines of "
        "the input that were passed over.",
    ),
]
KeepUnverified = Annotated[
    bool,
    typer.Option(
        "--keep-unverified", help="Also write answers that the rules reject to standard output."
    ),
]
