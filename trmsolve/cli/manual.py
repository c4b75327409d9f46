"""The man page and the command reference, made from the help of all commands.

``python -m trmsolve.cli.manual`` prints the man page, with ``--markdown`` the reference.
"""

import re
import sys
from collections.abc import Iterator
from typing import Any

import typer

from trmsolve.cli.help import LIST_GAP, long_name

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


REFERENCE_HEAD = """\
# Commands

This page has the help of every command. The program makes it itself:
`python -m trmsolve.cli.manual --markdown`. [The command line](command_line.md) is about what all
commands share.
"""


def manual() -> str:
    """The man page, in the language of troff."""
    sections = [_section(*of) for of in _every_command()]
    return "".join((HEAD, ".SH COMMANDS\n", *sections, TAIL))


def reference() -> str:
    """The command reference, in Markdown."""
    every = _every_command()
    contents = [f"* [`{path}`](#{path.replace(' ', '-')})" for path, _, _ in every]
    sections = [_markdown_section(*of) for of in every]
    return "\n".join((REFERENCE_HEAD, *contents, "", "\n".join(sections)))


def _every_command() -> list[tuple[str, Any, Any]]:
    """What ``_commands`` gives for the whole program."""
    from trmsolve.cli import app

    program = typer.main.get_command(app)
    with program.make_context("trmsolve", ["--help"], resilient_parsing=True) as context:
        return list(_commands(program, context))


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


def _markdown_section(path: str, command: Any, context: Any) -> str:
    lines = [f"## {path}", ""]
    for paragraph in (command.help or "").replace("\b\n", "").split("\n\n"):
        lines += [*_markdown_paragraph(paragraph), ""]
    for param in command.get_params(context):
        if not getattr(param, "hidden", False):
            lines.append(_markdown_entry(param))
    return "\n".join(lines) + "\n"


def _markdown_paragraph(paragraph: str) -> list[str]:
    """A paragraph; a list, as of examples, keeps its lines and has its heading above it."""
    first, *others = paragraph.strip("\n").split("\n")
    if not others:
        return [_unmarked(first)]
    if LIST_GAP in first:
        return ["```", first, *others, "```"]
    return [first if first.endswith(":") else f"{first}:", "", "```", *others, "```"]


def _markdown_entry(param: Any) -> str:
    """An option or argument as an entry of a list."""
    names = ", ".join(sorted(param.opts, key=len)) if long_name(param) else ""
    called = f"{names} {param.metavar or ''}".strip()
    said = [_unmarked(getattr(param, "help", None) or "")]
    default = _default(param)
    if default:
        said.append(f"Default: {_unmarked(default)}.")
    words = " ".join(filter(None, said))
    return f"* `{called}`: {words}" if words else f"* `{called}`"


def _default(param: Any) -> str:
    """The default as the help shows it; "" if it shows none."""
    shown = getattr(param, "show_default", False)
    if isinstance(shown, str):
        return shown
    is_said = shown and param.default is not None and not isinstance(param.default, bool)
    return str(param.default) if is_said and not callable(param.default) else ""


def _unmarked(text: str) -> str:
    """Text of which Markdown takes nothing for a mark."""
    return re.sub(r"([*_<>|])", r"\\\1", text.replace("\\[", "["))


def _plain(text: str) -> str:
    """Text of which troff takes nothing for a command."""
    escaped = text.replace("\\[", "[").replace("\\", "\\e").replace("-", "\\-")
    lines = [f"\\&{line}" if line.startswith((".", "'")) else line for line in escaped.split("\n")]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.stdout.write(reference() if "--markdown" in sys.argv[1:] else manual())
