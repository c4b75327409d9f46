"""The help of every command: it is printed whole, whatever its texts hold."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from tests.support.paths import ROOT
from trmsolve.arc.datasets import DATASETS
from trmsolve.cli import app, complete
from trmsolve.cli.commands import summary
from trmsolve.cli.manual import _every_command as every_command
from trmsolve.cli.manual import _markdown_entry as markdown_entry
from trmsolve.cli.manual import manual, reference
from trmsolve.train.recipes import RECIPES
from trmsolve.weights.card import parameters
from trmsolve.weights.catalog import BUNDLED
from trmsolve.weights.described import bundled_weights, read_info, stored_parameters


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


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("sudoku --vews 3", "there is no option --vews; did you mean --views?\n"),
        ("sudoku --zzz", "there is no option --zzz; see trmsolve sudoku --help\n"),
        ("sudku", "there is no command sudku; did you mean sudoku?"),
        ("weights inf", "there is no command inf; did you mean info?"),
        ("sudoku --format jsn", "--format jsn is not known: use input, line, json; did you"),
        (
            "train --task mase",
            "--task mase is not known: use sudoku, maze, arc; did you mean maze?",
        ),
        ("eval", "--data is missing; see trmsolve eval --help\n"),
        ("sudoku --views 0", "--views: "),
        ("sudoku --seed 9223372036854775808", "--seed 9223372036854775808 is too large"),
    ],
)
def test_wrong_arguments_are_told_in_one_style(words: str, said: str) -> None:
    done = CliRunner().invoke(app, words.split())
    assert (done.exit_code, done.stdout) == (2, "")
    assert done.stderr.startswith(f"trmsolve: {said}")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_the_help_shows_no_type_of_the_program_s_own(path: tuple[str, ...]) -> None:
    done = CliRunner().invoke(app, [*path, "--help"], env={"COLUMNS": "200"})
    for word in ("<bool>", "<int", "<float", "<str", "<list", "<path", "9223372036854775807"):
        assert word not in done.stdout


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_paragraphs_of_the_help_wrap_at_the_width_of_the_screen(path: tuple[str, ...]) -> None:
    help_ = COMMANDS[path].help or ""
    for paragraph in help_.split("\n\n"):
        lines = paragraph.split("\n")
        is_list = lines[0].startswith("\b") or lines[0].endswith(":") or "  " in paragraph
        assert len(lines) == 1 or is_list


def test_the_program_alone_says_how_to_start() -> None:
    done = CliRunner().invoke(app, [])
    assert (done.exit_code, done.stderr) == (2, "")
    assert len(done.stdout.splitlines()) < 10 and "trmsolve solve FILE" in done.stdout


COMPLETED = {
    "trmsolve su": "sudoku",
    "trmsolve sudoku --dtype f": "fp32",
    "trmsolve sudoku --format ": "input line json",
    "trmsolve sudoku --device c": "cpu cuda",
    "trmsolve sudoku --weights su": "sudoku",
    "trmsolve train --task m": "maze",
    "trmsolve train --recipe ": "laptop fast paper muon",
    "trmsolve arc --dataset arc2": "arc2-train arc2-eval",
    "trmsolve generate --task maze --difficulty s": "sparse",
    "trmsolve weights info sud": "sudoku",
    "trmsolve weights in": "info",
}


@pytest.mark.parametrize(("typed", "offered"), COMPLETED.items())
def test_bash_is_offered_the_values(typed: str, offered: str) -> None:
    assert completed("bash", typed) == offered.split()


def test_zsh_and_fish_are_offered_the_same() -> None:
    assert "fp32" in "".join(completed("zsh", "trmsolve sudoku --dtype f"))
    assert completed("fish", "trmsolve sudoku --dtype f") == ["fp32"]


COMPLETING = """
import sys
from trmsolve.cli import app
try:
    app(prog_name="trmsolve")
finally:
    assert "torch" not in sys.modules
"""


def completed(shell: str, typed: str) -> list[str]:
    """The program's answer when a shell asks how a line goes on."""
    asked = {
        "_TRMSOLVE_COMPLETE": f"complete_{shell}",
        "COMP_WORDS": typed,
        "COMP_CWORD": str(len(typed.split(" ")) - 1),
        "_TYPER_COMPLETE_ARGS": typed,
        "_TYPER_COMPLETE_FISH_ACTION": "get-args",
    }
    given = [sys.executable, "-c", COMPLETING]
    environment = {**os.environ, **asked}
    done = subprocess.run(given, env=environment, capture_output=True, text=True, check=False)
    assert done.stderr == ""
    return done.stdout.split()


def test_what_is_completed_exists() -> None:
    assert set(complete.DATASETS) == set(DATASETS)
    assert set(complete.RECIPES) == {name for _, name in RECIPES}


@pytest.mark.parametrize("path", LEAVES, ids=" ".join)
def test_every_command_has_an_example(path: tuple[str, ...]) -> None:
    help_ = COMMANDS[path].help or ""
    _, examples = help_.split("Examples:\n")
    assert examples.startswith(" ".join(("trmsolve", *path)))


def test_the_list_of_commands_says_what_the_commands_say() -> None:
    program = typer.main.get_command(app)
    for name, command in program.commands.items():  # type: ignore[attr-defined]
        first = (command.help or "").split("\n\n")[0]
        assert " ".join(first.split()) == summary(name).help, name


HEAVY = {
    "huggingface_hub",
    "numba",
    "numpy",
    "onnxruntime",
    "rich.live",
    "tomllib",
    "torch",
    "trmsolve.puzzles.base",
    "trmsolve.puzzles.registry",
    "trmsolve.puzzles.values",
    "trmsolve.show.console",
}
"""Modules that take long to import, and those that import them."""

LISTING = """
import sys
from trmsolve.cli import app
from trmsolve.cli.commands import summary
from trmsolve.cli.manual import manual
try:
    app(prog_name="trmsolve", args=["--help"])
finally:
    print(sorted({heavy} & set(sys.modules)), file=sys.stderr)
"""


def test_the_list_of_commands_imports_none_of_them() -> None:
    given = [sys.executable, "-c", LISTING.format(heavy=HEAVY)]
    done = subprocess.run(given, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "sudoku" in done.stdout
    assert done.stderr.strip() == "[]"


def test_the_man_page_is_made_from_the_help() -> None:
    assert (ROOT / "docs" / "trmsolve.1").read_text(encoding="utf-8") == manual()
    assert "trmsolve weights convert" in manual().replace("\\-", "-")


def test_the_command_reference_is_made_from_the_help() -> None:
    page = reference()
    assert (ROOT / "docs" / "commands.md").read_text(encoding="utf-8") == page
    headings = re.findall("^## (.*)$", page, re.MULTILINE)
    assert headings == [path for path, _, _ in every_command()]
    assert "* `--views N`: Maximum number of symmetric views to try" in page
    assert page.count("```") % 2 == 0 and "\\b" not in page


def test_marks_of_markdown_are_shown_and_not_obeyed() -> None:
    option = SimpleNamespace(
        opts=["--some", "-s"],
        metavar="TEXT",
        help="*.csv or <none> or a_b",
        show_default=False,
        default=None,
    )
    assert markdown_entry(option) == r"* `-s, --some TEXT`: \*.csv or \<none\> or a\_b"


IMPORTS = """
import sys
from trmsolve.cli import app
try:
    app(prog_name="trmsolve", args=sys.argv[1:])
finally:
    print(sorted({heavy} & set(sys.modules)), file=sys.stderr)
"""


def imported(*words: str, **environment: str) -> str:
    """The heavy modules that a call of the program has imported."""
    given = [sys.executable, "-c", IMPORTS.format(heavy=HEAVY), *words]
    inherited = {**os.environ, **environment}
    done = subprocess.run(given, env=inherited, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stderr.strip()


@pytest.mark.parametrize("path", COMMANDS, ids=" ".join)
def test_no_help_imports_what_is_slow(path: tuple[str, ...]) -> None:
    assert imported(*path, "--help") == "[]"


@pytest.mark.parametrize("words", ["--version", "cache show", "weights list"])
def test_what_computes_nothing_imports_nothing_slow(words: str, tmp_path: Path) -> None:
    found = imported(*words.split(), HF_HUB_CACHE=str(tmp_path))
    assert found in ("[]", "['huggingface_hub']")


def test_the_headers_count_the_parameters_of_the_networks() -> None:
    for name in BUNDLED:
        path = bundled_weights(name)
        assert stored_parameters(path) == parameters(read_info(path).config)
