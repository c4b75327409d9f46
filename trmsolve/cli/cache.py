"""``trmsolve cache``: the folder for what can be made again."""

import typer

from trmsolve.cache import cache_folder, cached_bytes, cached_files, clear_cache
from trmsolve.cli.help import Command, Group
from trmsolve.cli.streams import put_text
from trmsolve.wording import count, printable_line

app = typer.Typer(
    name="cache",
    cls=Group,
    help="Show or clear the folder for puzzles that training has made.",
    no_args_is_help=True,
    add_completion=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.command(cls=Command)
def show() -> None:
    """Print where the folder is and how much it holds.

    Examples:
    trmsolve cache show

    Exit codes:
    0  it is printed
    5  the output cannot be written
    141  the reader of the output has left
    """
    megabytes = cached_bytes() / 1e6
    files = count(len(cached_files()), "file")
    put_text(f"{printable_line(str(cache_folder()))}: {files}, {megabytes:.1f} MB")


@app.command(cls=Command)
def clear() -> None:
    """Delete what is in the folder. It is made again when it is needed.

    Examples:
    trmsolve cache clear

    Exit codes:
    0  the folder is empty
    5  a file cannot be deleted, or the output cannot be written
    141  the reader of the output has left
    """
    deleted = count(clear_cache(), "file")
    put_text(f"{deleted} deleted from {printable_line(str(cache_folder()))}")
