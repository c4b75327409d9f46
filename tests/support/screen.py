"""Consoles of a fixed size, and what a terminal shows after all that was written to it."""

import io
import re
from typing import Any

from rich.console import Console

from trmsolve.show.console import make_console

ESCAPE = re.compile(r"\x1b\[([?\d;]*)([A-Za-z])")


def pinned(
    width: int = 80, height: int = 24, stream: Any = None, terminal: bool = True, **more: Any
) -> Console:
    options: dict[str, Any] = {
        "color_system": "standard",
        "force_terminal": terminal,
        "force_interactive": terminal,
    }
    if not terminal:
        options["color_system"] = None
    environ = {"TERM": "xterm"}
    return make_console(
        stream or io.StringIO(),
        width=width,
        height=height,
        legacy_windows=False,
        _environ=environ,
        **(options | more),
    )


def written(console: Console) -> str:
    file = console.file
    assert isinstance(file, io.StringIO)
    return file.getvalue()


def screen(raw: str) -> list[str]:
    """The lines that a terminal shows in the end, scrolled ones included."""
    lines, row, column = [""], 0, 0
    for part in re.split(r"(\x1b\[[?\d;]*[A-Za-z]|\r|\n)", raw):
        escape = ESCAPE.fullmatch(part)
        if part == "\n":
            row, column = row + 1, 0
            lines += [""] * (row + 1 - len(lines))
        elif part == "\r":
            column = 0
        elif escape and escape[2] == "A":
            row -= int(escape[1])
        elif escape and escape[2] == "K":
            lines[row] = ""
        elif escape:
            assert escape[2] in "mhl", f"unknown escape {part!r}"
        else:
            lines[row] = lines[row][:column].ljust(column) + part + lines[row][column + len(part) :]
            column += len(part)
    return [line.rstrip() for line in lines]


class Ascii(io.TextIOWrapper):
    """A strict ASCII stream: one character too many raises."""

    def __init__(self) -> None:
        super().__init__(io.BytesIO(), encoding="ascii", errors="strict", write_through=True)
