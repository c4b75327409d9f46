"""The help of every command: it is printed whole, whatever its texts hold."""

import re
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from trmsolve.cli import app
from trmsolve.cli.commands import summary


def commands(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every command with the words that call it, the groups included."""
    yield path, command
    for name, below in getattr(command, "commands", {}).items():
        yield from commands(below, (*path, name))


COMMANDS = dict(commands(typer.main.get_command(app)))


def squeezed(text: str) -> str:
    """Without spaces, line ends and frames: how the text was broken into lines does not matter."""
    return re.sub(r"[\s│]", "", text)


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
@pytest.mark.parametrize("width", [40, 80, 200])
def test_help_is_printed_with_every_option(path: tuple[str, ...], width: int) -> None:
    done = CliRunner().invoke(app, [*path, "--help"], env={"COLUMNS": str(width)})
    assert done.exit_code == 0 and done.stderr == ""
    for option in COMMANDS[path].params:
        for name in option.opts:
            assert not name.startswith("--") or name in squeezed(done.stdout) or width < 80


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_no_text_of_the_help_is_taken_for_markup(path: tuple[str, ...]) -> None:
    done = CliRunner().invoke(app, [*path, "--help"], env={"COLUMNS": "400"})
    for option in COMMANDS[path].params:
        text = getattr(option, "help", None) or ""
        assert squeezed(text.replace("\\[", "[")) in squeezed(done.stdout), option.name


LEAVES = [path for path, command in COMMANDS.items() if not hasattr(command, "commands")]


@pytest.mark.parametrize("path", LEAVES, ids=" ".join)
def test_every_command_lists_the_exit_codes_of_those_that_write(path: tuple[str, ...]) -> None:
    done = CliRunner().invoke(app, [*path, "--help"], env={"COLUMNS": "120"})
    _, listed = done.stdout.split("Exit codes")
    codes = dict(re.findall(r"^ (\d+)  (.+)$", listed, re.MULTILINE))
    assert list(codes) == sorted(codes, key=int)
    assert codes["0"]
    assert "cannot be written" in codes["5"]
    assert codes["141"].strip() == "the reader of the output has left"


def test_the_metavar_of_convert_is_shown_as_it_is_typed() -> None:
    done = CliRunner().invoke(app, ["weights", "convert", "--help"], env={"COLUMNS": "200"})
    assert "hf://USER/REPO[@REV][/FILE]" in done.stdout


def test_wrong_usage_is_two_lines_of_plain_text() -> None:
    done = CliRunner().invoke(app, ["sudoku", "--vews", "3"])
    assert done.exit_code == 2
    assert done.stderr.startswith("trmsolve sudoku: No such option: --vews")
    assert done.stderr.endswith("\nTry: trmsolve sudoku --help\n")


def test_the_list_of_commands_says_what_the_commands_say() -> None:
    program = typer.main.get_command(app)
    for name, command in program.commands.items():  # type: ignore[attr-defined]
        first = (command.help or "").split("\n\n")[0]
        assert " ".join(first.split()) == summary(name).help, name


LISTING = """
import sys
from trmsolve.cli import app
from trmsolve.cli.commands import summary
try:
    app(prog_name="trmsolve", args=["--help"])
finally:
    print(sorted({"numpy", "torch", "trmsolve.puzzles"} & set(sys.modules)), file=sys.stderr)
"""


def test_the_list_of_commands_imports_none_of_them() -> None:
    given = [sys.executable, "-c", LISTING]
    done = subprocess.run(given, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "sudoku" in done.stdout
    assert done.stderr.strip() == "[]"
