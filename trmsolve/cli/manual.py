"""The man page, made from the help of all commands: ``python -m trmsolve.cli.manual``."""

import sys
from collections.abc import Iterator
from typing import Any

import typer

from trmsolve.cli.help import long_name

HEAD = """\
.TH TRMSOLVE 1
.SH NAME
trmsolve \\- watch a Tiny Recursive Model solve puzzles, cycle by cycle
.SH SYNOPSIS
.B trmsolve
.I COMMAND
[OPTIONS] [ARGUMENTS]
"""

TAIL = """\
.SH ENVIRONMENT
Each option takes its default from the environment variable of its command and name, such as
TRMSOLVE_SUDOKU_VIEWS for the option \\-\\-views of trmsolve sudoku.
.SH FILES
trmsolve.toml in the current folder, else ~/.config/trmsolve/trmsolve.toml, has defaults too.
A table has the name of a command, and its keys are the names of options without dashes.
The environment counts more, and an option on the command line most.
"""


def manual() -> str:
    """The man page, in the language of troff."""
    from trmsolve.cli import app

    parts = [HEAD, ".SH COMMANDS\n"]
    program = typer.main.get_command(app)
    with program.make_context("trmsolve", ["--help"], resilient_parsing=True) as context:
        for path, command, inner in _commands(program, context):
            parts.append(_section(path, command, inner))
    return "".join((*parts, TAIL))


def _commands(command: Any, context: Any) -> Iterator[tuple[str, Any, Any]]:
    """The words that call a command, the command and its context; the groups too."""
    yield context.command_path, command, context
    for name, below in getattr(command, "commands", {}).items():
        inner = type(context)(below, info_name=name, parent=context)
        yield from _commands(below, inner)


def _section(path: str, command: Any, context: Any) -> str:
    lines = [f".SS {_plain(path)}"]
    for paragraph in (command.help or "").split("\n\n"):
        text = _plain(paragraph.replace("\b\n", ""))
        lines += [".PP", text.replace("\n", "\n.br\n")]
    for param in command.get_params(context):
        if getattr(param, "hidden", False):
            continue
        names = ", ".join(sorted(param.opts)) if long_name(param) else ""
        lines += [".TP", _plain(f"{names} {param.metavar or ''}".strip())]
        lines.append(_plain(getattr(param, "help", None) or "\\&"))
    return "\n".join(lines) + "\n"


def _plain(text: str) -> str:
    """Text of which troff takes nothing for a command."""
    escaped = text.replace("\\[", "[").replace("\\", "\\e").replace("-", "\\-")
    lines = [f"\\&{line}" if line.startswith((".", "'")) else line for line in escaped.split("\n")]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.stdout.write(manual())
