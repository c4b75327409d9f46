"""``trmsolve replay``: plays a run again that ``--trace`` has recorded."""

from typing import Annotated

import typer

from trmsolve.cli import options
from trmsolve.show.pace import FASTEST, SECONDS, SLOWEST


def replay(
    file: Annotated[str, typer.Argument(metavar="FILE", help="A trace, as --trace writes it.")],
    show_steps: options.ShowSteps = False,
    save: options.Save = None,
    pace: Annotated[
        float,
        typer.Option(
            metavar="SECONDS",
            min=FASTEST,
            max=SLOWEST,
            help="How long each frame is shown, in seconds.",
        ),
    ] = SECONDS,
) -> None:
    """Play a run again that --trace has recorded.

    Keys in a terminal: space plays and pauses, the arrows left and right step,
    home and end go to the first and the last frame, + and - change the speed,
    n and p choose another puzzle, ? explains the figures, q ends. Without a terminal, or with
    --show-steps, every frame is printed. With --save, the file is written and
    nothing is shown.

    Examples:
    trmsolve replay run.jsonl
    trmsolve replay run.jsonl --save run.html
    trmsolve replay run.jsonl --save run.gif --pace 0.5

    Exit codes:
    0  the run was shown or saved
    2  the file cannot be read, or is no trace or a damaged one
    5  the output cannot be written
    130  interrupted
    141  the reader of the output has left
    """
    from trmsolve.cli.replaying import play_again

    play_again(file, show_steps, save, pace)
