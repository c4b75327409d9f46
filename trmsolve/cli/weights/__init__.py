"""``trmsolve weights``: list, inspect, verify, convert, pull and push."""

import typer

from trmsolve.cli.weights import convert, hub, inspect

app = typer.Typer(
    name="weights",
    help="List, inspect, verify, convert, pull and push weights.",
    no_args_is_help=True,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

app.command("list")(inspect.list_)
app.command()(inspect.info)
app.command()(inspect.verify)
app.command()(convert.convert)
app.command()(hub.pull)
app.command()(hub.push)
