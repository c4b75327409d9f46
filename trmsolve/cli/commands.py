"""The commands by name. The module of each is imported when the command is asked for.

The list of commands is shown without any of them, so that ``trmsolve --help`` answers at once.
"""

from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any, NamedTuple

import typer
from typer.core import TyperCommand

from trmsolve.cli.help import Command
from trmsolve.puzzles.known import known_names, words_of


class Home(NamedTuple):
    """Where a command is, and the line that the list of commands has of it."""

    module: str
    name: str
    summary: str


OTHERS = {
    "solve": Home(
        "trmsolve.cli.solve_file",
        "command",
        "Solve what is in a file: Sudokus, mazes or ARC tasks.",
    ),
    "arc": Home(
        "trmsolve.cli.arc.command",
        "arc",
        "Learn ARC tasks from their demonstrations and watch the model answer.",
    ),
    "train": Home("trmsolve.cli.train", "train", "Train a Tiny Recursive Model."),
    "eval": Home("trmsolve.cli.eval", "eval_command", "Measure exact and verified rates."),
    "compare": Home("trmsolve.cli.compare", "compare", "Compare weights on the same puzzles."),
    "plot": Home("trmsolve.cli.plot", "plot", "Draw the course of training runs."),
    "replay": Home("trmsolve.cli.replay", "replay", "Play a run again that --trace has recorded."),
    "generate": Home(
        "trmsolve.cli.generate",
        "generate",
        "Generate puzzles as CSV with questions, answers and ratings.",
    ),
    "bench": Home("trmsolve.cli.bench.command", "bench", "Measure speed."),
    "export": Home(
        "trmsolve.cli.export",
        "export",
        "Write one improvement cycle as an ONNX graph, and check it against torch.",
    ),
    "cache": Home(
        "trmsolve.cli.cache", "app", "Show or clear the folder for puzzles that training has made."
    ),
    "mcp": Home("trmsolve.cli.mcp", "mcp", "Offer solving to language models as an MCP server."),
    "version": Home(
        "trmsolve.cli.version",
        "version",
        "Print the versions, the machine and the bundled weights, for a bug report.",
    ),
    "weights": Home(
        "trmsolve.cli.weights", "app", "List, inspect, verify, convert, pull and push weights."
    ),
}
"""The commands that are not for one kind of puzzle."""


class Commands(Mapping[str, Any]):
    """The commands by name, each made at its first use.

    It is what Typer's group looks into.
    """

    def __init__(self) -> None:
        self.made: dict[str, Any] = {}

    def __iter__(self) -> Iterator[str]:
        yield from known_names()
        yield from OTHERS

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def __contains__(self, name: object) -> bool:
        return any(name == known for known in self)

    def __getitem__(self, name: str) -> Any:
        if name not in self.made:
            if name not in self:
                raise KeyError(name)
            self.made[name] = _make(name)
        return self.made[name]


def summary(name: str) -> TyperCommand:
    """A command that has only its name and its line in the list of commands."""
    if name in OTHERS:
        return TyperCommand(name, help=OTHERS[name].summary)
    return TyperCommand(name, help=f"Solve {words_of(name).plural} and watch the model think.")


def _make(name: str) -> Any:
    """The command, as Typer makes it of its function."""
    if name in OTHERS:
        home = OTHERS[name]
        made = getattr(import_module(home.module), home.name)
    else:
        from trmsolve.cli.solve import make_command

        made = make_command(words_of(name))
    if isinstance(made, typer.Typer):
        return typer.main.get_command(made)
    alone = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    alone.command(name, cls=Command)(made)
    return typer.main.get_command(alone)
