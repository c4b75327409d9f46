"""The command line: one thin module a command. They connect, and neither compute nor draw.

Each puzzle of the registry has a solving command of its name. A command's module is imported when
the command runs (``cli.commands``), and torch only when it needs it, so that ``--help`` answers at
once.
"""

from typing import Annotated

import typer

from trmsolve.cli.process import Program
from trmsolve.cli.streams import put

app = typer.Typer(
    name="trmsolve",
    help="Watch a Tiny Recursive Model solve your own puzzle, cycle by cycle.",
    cls=Program,
    no_args_is_help=True,
    pretty_exceptions_enable=False,  # an unexpected error shows its plain traceback
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        from trmsolve import __version__

        put(f"trmsolve {__version__}")
        raise typer.Exit


@app.callback()
def root(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    """Watch a Tiny Recursive Model solve your own puzzle, cycle by cycle."""
