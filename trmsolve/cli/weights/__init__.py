"""``trmsolve weights``: list, inspect, verify, convert, pull and push."""

import typer

from trmsolve.cli.help import Command, Group
from trmsolve.cli.weights import convert, hub, inspect, verify

app = typer.Typer(
    name="weights",
    cls=Group,
    help="List, inspect, verify, convert, pull and push weights.",
    no_args_is_help=True,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

app.command("list", cls=Command)(inspect.list_)
app.command(cls=Command)(inspect.info)
app.command(cls=Command)(verify.verify)
app.command(cls=Command)(convert.convert)
app.command(cls=Command)(hub.pull)
app.command(cls=Command)(hub.push)
