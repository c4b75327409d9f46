"""The command line: one thin module a command. They connect, and neither compute nor draw.

Each puzzle of the registry has a solving command of its name. Nothing here imports torch before a
command needs it, so that ``--help`` and shell completion answer at once.
"""

from typing import Annotated

import typer

from trmsolve import __version__
from trmsolve.cli.arc.command import arc
from trmsolve.cli.bench import bench
from trmsolve.cli.eval import eval_command
from trmsolve.cli.export import export
from trmsolve.cli.generate import generate
from trmsolve.cli.output import put
from trmsolve.cli.process import Program
from trmsolve.cli.solve import make_command
from trmsolve.cli.train import train
from trmsolve.cli.weights import app as weights_app
from trmsolve.puzzles import get_task, task_names

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


for _name in task_names():
    app.command(_name)(make_command(get_task(_name)))
app.command()(arc)
app.command()(train)
app.command("eval")(eval_command)
app.command()(generate)
app.command()(bench)
app.command()(export)
app.add_typer(weights_app)
