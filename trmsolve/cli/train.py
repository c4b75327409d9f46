"""``trmsolve train``: train a network, and leave weights that the solving commands load."""

import json
from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from trmsolve.cli import options
from trmsolve.cli.complete import complete_recipe, complete_weights
from trmsolve.cli.streams import put_text
from trmsolve.errors import UsageError

LENGTH = "Duration"
DATA = "Data"
RECIPE = "Recipe"

Out = Annotated[
    Path | None,
    typer.Option(
        metavar="DIR",
        help="Folder for the weights, checkpoints and metrics.jsonl.",
        show_default="runs/TASK",
    ),
]
Resume = Annotated[
    Path | None,
    typer.Option(metavar="DIR", help="Continue the run in this folder from its last checkpoint."),
]
Minutes = Annotated[
    float | None,
    typer.Option(
        metavar="MINUTES",
        min=0.01,
        help="Total training time in minutes, without interruptions.",
        show_default=False,
        rich_help_panel=LENGTH,
    ),
]
Steps = Annotated[
    int | None,
    typer.Option(
        metavar="N",
        min=1,
        help="Total number of training steps.",
        show_default=False,
        rich_help_panel=LENGTH,
    ),
]
SaveMinutes = Annotated[
    float | None,
    typer.Option(
        metavar="MINUTES",
        min=0,
        help="Minutes between checkpoints; 0 saves after every step.",
        show_default="10",
        rich_help_panel=LENGTH,
    ),
]
Data = Annotated[
    list[str] | None,
    typer.Option(
        metavar="FILE",
        help="Training puzzles with answers, such as a CSV file. For ARC: a file, a folder or the "
        "name of a data set; may be repeated.",
        show_default="generated puzzles; required for ARC",
        rich_help_panel=DATA,
    ),
]
Measured = Annotated[
    list[str] | None,
    typer.Option(
        metavar="FILE",
        help="ARC only: evaluation tasks. Training tasks that share a pair with one of them "
        "are excluded.",
        show_default=False,
        rich_help_panel=DATA,
    ),
]
Bands = Annotated[
    str | None,
    typer.Option(
        metavar="0=1,1-7=2,...",
        help="Sampling weight of each rating band of the data.",
        show_default="as in the data",
        rich_help_panel=DATA,
    ),
]
BasePuzzles = Annotated[
    int | None,
    typer.Option(
        metavar="N",
        min=1,
        help="Use only this number of puzzles from the data, with all their symmetries. "
        "The paper uses 1000.",
        show_default="all",
        rich_help_panel=DATA,
    ),
]
HeldOut = Annotated[
    int | None,
    typer.Option(
        metavar="N",
        min=1,
        help="Number of puzzles held out for evaluation. For ARC: tasks with held-out pairs.",
        show_default="128; for ARC a tenth, at most 32",
        rich_help_panel=DATA,
    ),
]
RecipeName = Annotated[
    str,
    typer.Option(
        metavar="NAME",
        help="laptop, fast or paper; also muon for Sudoku.",
        autocompletion=complete_recipe,
        rich_help_panel=RECIPE,
    ),
]
Size = Annotated[
    str | None,
    typer.Option(
        metavar="NxN",
        help="Sudoku only: size of the board that the network is trained on, such as 6x6.",
        show_default="9x9",
        rich_help_panel=RECIPE,
    ),
]
Changes = Annotated[
    list[str] | None,
    typer.Option(
        "--set",
        metavar="FIELD=VALUE",
        help="Change a field of the recipe; may be repeated.",
        rich_help_panel=RECIPE,
    ),
]
PrintRecipe = Annotated[
    bool,
    typer.Option(
        "--print-recipe", help="Print the recipe as JSON and exit.", rich_help_panel=RECIPE
    ),
]
BatchSize = Annotated[
    int | None,
    typer.Option(
        metavar="N",
        min=1,
        help="Number of puzzles in a batch.",
        show_default="from the recipe",
        rich_help_panel=RECIPE,
    ),
]
StartFrom = Annotated[
    str | None,
    typer.Option(
        metavar="FILE",
        help="Initialize from weights of the same shapes: a file, sudoku, maze, arc, or hf://user/repo.",
        show_default=False,
        autocompletion=complete_weights,
        rich_help_panel=RECIPE,
    ),
]
Export = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE", help="Also write the final weights to this file (bf16 safetensors)."
    ),
]
LogTo = Annotated[
    Literal["tensorboard"] | None,
    typer.Option(
        help="Also write the metrics as event files in the folder of the run. Needs the extra "
        "tensorboard.",
        show_default=False,
    ),
]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="Show only problems.")]
Compile = Annotated[
    Literal["auto", "on", "off"],
    typer.Option(
        "--compile",
        help="Whether to compile the network. auto compiles for runs longer than 2 minutes.",
        rich_help_panel=options.RUN,
    ),
]


Workers = Annotated[
    int,
    typer.Option(
        metavar="N",
        min=1,
        max=1024,
        help="Number of processes that share each batch on a CPU, as under torchrun.",
        rich_help_panel=options.RUN,
    ),
]


def train(  # noqa: PLR0913
    context: typer.Context,
    task: options.Task = "sudoku",
    out: Out = None,
    resume: Resume = None,
    minutes: Minutes = None,
    steps: Steps = None,
    save_minutes: SaveMinutes = None,
    data: Data = None,
    measured: Measured = None,
    bands: Bands = None,
    base_puzzles: BasePuzzles = None,
    held_out: HeldOut = None,
    recipe: RecipeName = "laptop",
    changes: Changes = None,
    size: Size = None,
    print_recipe: PrintRecipe = False,
    batch_size: BatchSize = None,
    start_from: StartFrom = None,
    offline: options.Offline = False,
    export: Export = None,
    log_to: LogTo = None,
    quiet: Quiet = False,
    compile_: Compile = "auto",
    device: options.Device = "auto",
    dtype: options.Dtype = "auto",
    workers: Workers = 1,
    threads: options.ThreadsEach = None,
    seed: options.Seed = 0,
) -> None:
    """Train a Tiny Recursive Model.

    The learning rate follows the elapsed time and decays by the end of the run. A checkpoint and
    the current weights are saved every ten minutes, at the end, and on Ctrl-C. A second Ctrl-C
    exits at once. Each folder can be used by only one run at a time.

    Examples:
    trmsolve train --minutes 10 --out runs/sudoku
    trmsolve train --resume runs/sudoku --minutes 20

    Exit codes:
    0  the run is complete
    1  training cannot go on
    2  some input or option is invalid, or the folder is in use
    3  weights or checkpoints are missing, damaged or of another kind
    4  weights from hf:// cannot be downloaded
    5  the folder or the output cannot be written, or a worker process was ended
    130  interrupted, and saved if a step was done
    141  the reader of the output has left
    """
    from trmsolve.cli.training import run_shared
    from trmsolve.train.options import RunOptions, TrainOptions

    each_time: dict[str, Any] = {
        "minutes": minutes,
        "steps": steps,
        "save_minutes": save_minutes,
        "data": data or (),
        "measured": measured or (),
        "device": device,
        "dtype": dtype,
        "threads": threads or (1 if workers > 1 else None),
        "compile": compile_,
        "export": export,
        "log_to": log_to,
        "offline": offline,
    }
    if resume is not None:
        _refuse_changes(context)
        raise typer.Exit(run_shared(workers, RunOptions(**each_time), resume, quiet))
    begun = TrainOptions(
        **each_time,
        task=task,
        out=out,
        bands=bands,
        base_puzzles=base_puzzles,
        held_out=held_out,
        recipe=recipe,
        changes=changes or (),
        size=size,
        batch_size=batch_size,
        start_from=start_from,
        seed=seed,
    )
    if print_recipe:
        put_text(json.dumps(begun.chosen_recipe().to_dict(), indent=2))
        return
    raise typer.Exit(run_shared(workers, begun, None, quiet))


def _refuse_changes(context: typer.Context) -> None:
    """Raise UsageError for options that were given and that a resumed run keeps as they were."""
    from trmsolve.train.options import KEPT

    for option in context.command.params:
        name = option.name or ""
        source = context.get_parameter_source(name)
        given = source is not None and source.name == "COMMANDLINE"
        if given and (name in KEPT or name == "print_recipe"):
            raise UsageError(f"{option.opts[0]} cannot be changed with --resume: omit it")
