"""The command line: one thin module a command. They connect, and neither compute nor draw.

Each puzzle of the registry has a solving command of its name. A command's module is imported when
the command runs (``cli.commands``), and torch only when it needs it, so that ``--help`` answers at
once.
"""

import os
from typing import Annotated, Literal

import typer

from trmsolve.cli.process import Program
from trmsolve.cli.streams import put, put_text
from trmsolve.errors import UsageError

app = typer.Typer(
    name="trmsolve",
    help="Watch a Tiny Recursive Model solve your own puzzle, cycle by cycle.",
    cls=Program,
    invoke_without_command=True,
    pretty_exceptions_enable=False,  # an unexpected error shows its plain traceback
    context_settings={"help_option_names": ["-h", "--help"]},
)


START = """\
trmsolve lets you watch a Tiny Recursive Model solve puzzles, cycle by cycle.

Try one of these:
  trmsolve generate -n 1 | trmsolve sudoku        make a Sudoku and solve it
  trmsolve generate --task maze | trmsolve maze   make ten mazes and solve them
  trmsolve solve FILE                             solve what is in a file

trmsolve --help lists all commands, and trmsolve COMMAND --help explains one."""
"""What ``trmsolve`` alone prints."""


def _version(wanted: bool) -> None:
    if wanted:
        from trmsolve import __version__

        put(f"trmsolve {__version__}")
        raise typer.Exit


def _color(when: str) -> str:
    """Tell Rich, which looks into the environment, when to write colours."""
    if when == "never":
        os.environ["NO_COLOR"] = "1"
        os.environ.pop("FORCE_COLOR", None)
    elif when == "always":
        os.environ["FORCE_COLOR"] = "1"
        os.environ.pop("NO_COLOR", None)
    return when


@app.callback()
def root(
    context: typer.Context,
    version: Annotated[  # noqa: ARG001 (its callback does it)
        bool,
        typer.Option(
            "--version", callback=_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
    color: Annotated[  # noqa: ARG001 (its callback does it)
        Literal["auto", "always", "never"],
        typer.Option(
            callback=_color, help="When to write colours. auto writes them to a terminal only."
        ),
    ] = "auto",
) -> None:
    """Watch a Tiny Recursive Model solve your own puzzle, cycle by cycle."""
    if context.invoked_subcommand is None:
        put_text(START)
        raise typer.Exit(UsageError.exit_code)
