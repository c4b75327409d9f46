"""``trmsolve solve``: recognises the kind of puzzle in a file and calls its command."""

import typer

from trmsolve.cli.help import Command

command = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


@command.command(
    "solve",
    cls=Command,
    context_settings={"allow_extra_args": True, "ignore_unknown_options": True},
)
def solve(
    context: typer.Context,
    file: str = typer.Argument(
        metavar="FILE", help="A file with Sudokus, mazes or ARC tasks. - reads standard input."
    ),
) -> None:
    """Solve what is in a file: Sudokus, mazes or ARC tasks.

    The kind of puzzle is recognised by the content of the file. All other
    options and files go to the command of that kind: see its --help.

    Examples:
    trmsolve solve puzzle.txt
    trmsolve solve - < puzzle.txt

    Exit codes:
    0  every answer is verified; every ARC task is answered
    1  some answer is not verified
    2  some input or option is invalid, or no puzzle is recognised
    3  the weights are missing, damaged or made for another task
    4  weights from hf:// cannot be downloaded
    5  the output cannot be written
    130  interrupted
    141  the reader of the output has left
    """
    from trmsolve.cli.commands import Commands
    from trmsolve.cli.recognise import recognise

    kind = recognise(file)
    chosen = Commands()[kind]
    with chosen.make_context(kind, [file, *context.args], parent=context.parent) as inner:
        chosen.invoke(inner)
