"""What the README, the documents and the examples promise is run."""

import json
import os
import re
import shlex
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
import torch
import typer
from huggingface_hub import constants
from typer.testing import CliRunner, Result

from tests.support.checkpoints import CONFIG, official_state
from tests.support.paths import ROOT
from trmsolve.cli import app

DOCUMENTS = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
TEXTS = {path.name: path.read_text(encoding="utf-8") for path in DOCUMENTS}


def shell_lines(text: str) -> list[str]:
    """The lines of the text's blocks of shell commands; a continued one is one line."""
    blocks = re.findall(r"```sh\n(.*?)```", text, re.S)
    lines = "".join(blocks).replace("\\\n", " ").splitlines()
    return [line for line in lines if line]


README = TEXTS["README.md"]
SHELL = shell_lines(README)
SOLVED = r"trmsolve (solve|sudoku|maze) examples"
SOLVING = {
    line.split("#")[0].strip(): None
    for text in TEXTS.values()
    for line in shell_lines(text)
    if re.match(SOLVED, line) and not re.search(r"--weights|&|>|\$|\|", line)
}
"""Every command that solves an example, once."""

ENV = {**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}


pytestmark = pytest.mark.usefixtures("process_as_it_was", "beside_the_examples")


def run(command: str) -> Result:
    """Run a line of the README in this process, and do for it what a shell does."""
    words = shlex.split(command, comments=True)
    text = None
    if "<" in words:
        at = words.index("<")
        text = Path(words[at + 1]).read_text(encoding="utf-8")
        del words[at : at + 2]
    assert words[0] == "trmsolve"
    arguments: list[str] = []
    for word in words[1:]:
        arguments += sorted(map(str, Path().glob(word))) if "*" in word else [word]
    return CliRunner().invoke(app, arguments, input=text)


def run_in_a_shell(command: str) -> subprocess.CompletedProcess[str]:
    """Run a line of the README as a user does."""
    trmsolve = f"{shlex.quote(sys.executable)} -m trmsolve"
    command = re.sub(r"^trmsolve\b", trmsolve, command)
    return subprocess.run(command, shell=True, env=ENV, capture_output=True, text=True, check=False)


@pytest.fixture
def beside_the_examples(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run in a folder of its own, so that nothing is written into the checkout."""
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)


def test_the_readme_begins_with_the_two_commands() -> None:
    assert SHELL[0].endswith("trmsolve sudoku examples/sudoku/extreme.txt")
    assert SHELL[1].endswith("-m pytest -n 2")
    assert README.index("```sh") < 200


@pytest.mark.parametrize("command", SOLVING)
def test_the_solving_commands_of_the_documents(command: str) -> None:
    if "--backend onnx" in command:
        pytest.importorskip("onnxruntime")
    done = run(command)
    assert done.exit_code == 0, done.stderr
    assert done.stdout and "solved" in done.stderr


def test_a_command_of_the_readme_in_a_shell() -> None:
    command = next(line for line in SHELL if line.startswith("trmsolve sudoku examples"))
    done = run_in_a_shell(command)
    assert done.returncode == 0, done.stderr
    assert done.stdout == run(command).stdout and "solved" in done.stderr


def test_the_readme_s_json_command() -> None:
    (command,) = (line for line in SHELL if "--json" in line)
    done = run(command)
    assert (
        done.exit_code == 0
        and done.stdout.count('"verified": true') == len(done.stdout.splitlines()) > 1
    )


@pytest.mark.parametrize(
    "command",
    [
        line
        for line in shell_lines(TEXTS["weights.md"])
        if re.match(r"trmsolve weights (list|info|verify)\b", line)
    ],
)
def test_the_commands_for_weights(command: str) -> None:
    done = run(re.sub(r"\bverify\b", "verify --puzzles 1", command))
    assert done.exit_code == 0 and "sudoku" in done.stdout, done.stderr


def test_the_transcript_of_a_conversion(tmp_path: Path) -> None:
    """With a checkpoint of the same sizes, saved as the public code does, the text is the same."""
    (text,) = re.findall(r"^```\n(\$ .*?)^```", TEXTS["weights.md"], re.S | re.M)
    transcript = " ".join(text.split())
    shape = replace(
        CONFIG,
        vocab_size=11,
        seq_len=81,
        latent_steps=6,
        hidden_size=512,
        puzzle_emb_dim=512,
        num_puzzles=1,
        mixer="mlp",
        positions="none",
    )
    torch.save(official_state(shape), tmp_path / "step_32550")
    (tmp_path / "all_config.yaml").write_text("arch: {H_cycles: 3, L_cycles: 6}\n")
    commands = re.findall(r"^\$ (.*)", text, re.M)
    assert len(commands) == 3
    for command in commands:
        done = run(command)
        for line in [*done.stderr.splitlines(), *done.stdout.splitlines()[:4]]:
            assert " ".join(line.split()) in transcript
        assert done.exit_code == (3 if "sudoku examples" in command else 0)


SHORTER = {
    "-n 200": "-n 20",
    "-n 100": "-n 4",
    "--minutes 60": "--steps 2 --batch-size 4 --held-out 2 --data easy.csv",
    "puzzles.csv": "easy.csv",
    "--seconds 20": "--seconds 1 --batch-size 4 --compile off",
    "--out sudoku.onnx": "--out sudoku.onnx --puzzles 1",
}
"""Parts of commands, and what is run in place of them."""


@pytest.mark.slow
def test_the_commands_for_measuring_and_training_end_to_end() -> None:
    """As written but shorter: that leaves weights that load, if not ones that solve."""
    measuring = []
    for line in shell_lines(TEXTS["measuring.md"]):
        if "arc" not in line and not line.startswith("trmsolve compare"):
            measuring.append(line)
    training = shell_lines(TEXTS["training.md"])[:3]
    exporting = [line for line in shell_lines(TEXTS["onnx.md"]) if "export sudoku" in line]
    assert (len(measuring), len(training), len(exporting)) == (5, 3, 1)
    for command in [*measuring, *training, *exporting]:
        for said, meant in SHORTER.items():
            command = command.replace(said, meant)
        done = run(command)
        fails = command.startswith("trmsolve sudoku") and "--weights" in command
        assert done.exit_code == int(fails), done.stderr


@pytest.mark.parametrize("name", sorted(TEXTS.keys() - {"adding_a_puzzle.md"}))
def test_every_command_of_the_documents_is_understood(name: str) -> None:
    """Its names, options and values exist; nothing is run."""
    program = typer.main.get_command(app)
    for line in shell_lines(TEXTS[name]):
        if not line.startswith("trmsolve ") or re.search(r"[|<>&]|-completion", line):
            continue
        words = shlex.split(line, comments=True)[1:]
        command, names = program, []
        while hasattr(command, "commands") and words and not words[0].startswith("-"):
            names.append(words.pop(0))
            command = command.get_command(command.make_context("", [names[-1]]), names[-1])
        command.make_context(" ".join(names), words)


def test_the_readme_s_python(capsys: pytest.CaptureFixture[str]) -> None:
    (shown,) = re.findall(r"```python\n(.*?)```", README, re.S)
    first, *others, of_arc = re.findall(r"```python\n(.*?)```", TEXTS["python.md"], re.S)
    assert shown == first
    exec(compile(first, "README.md", "exec"), {})
    said = capsys.readouterr().out
    assert said.startswith("True ") and "[[5 3 4 6 7 8 9 1 2]" in said
    for block in others:
        exec(compile(block, "python.md", "exec"), {})
    said = capsys.readouterr().out
    assert "#SoG#" in said and "several.txt:1 (" in said and " steps\n2 1.0 1.0 (" in said
    exec(compile(of_arc.replace("budget=60", "steps=2"), "python.md", "exec"), {})
    assert re.search(r"[01] of 1 (True|False)", capsys.readouterr().out), (
        "steps are those of a copy"
    )


def test_the_example_of_watching() -> None:
    """The other script, make_gallery.py, is run by tests/test_gallery.py."""
    assert {path.name for path in (ROOT / "examples").glob("*.py")} == {
        *("make_gallery.py", "watch.py"),
    }
    script = ROOT / "examples" / "watch.py"
    done = subprocess.run(
        [sys.executable, script], env=ENV, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    assert "0 rules broken" in done.stdout


@pytest.mark.parametrize(("task", "least"), [("sudoku", 4), ("maze", 7)])
def test_every_example_puzzle_is_solved(task: str, least: int) -> None:
    files = sorted(str(path) for path in (ROOT / "examples" / task).iterdir())
    assert len(files) >= least
    done = run(f"trmsolve {task} {' '.join(files)} --json")
    assert done.exit_code == 0, done.stdout


def test_an_unseen_arc_task_is_learned_and_answered() -> None:
    """As a user on a laptop would."""
    (command,) = (line.split("#")[0] for line in SHELL if line.startswith("trmsolve arc examples"))
    done = run_in_a_shell(f"{command} --json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["right"] == [True]


@pytest.mark.parametrize(
    "path", sorted((ROOT / "examples" / "arc").iterdir()), ids=lambda path: path.stem
)
def test_every_arc_example_gets_two_attempts(path: Path) -> None:
    done = run(f"trmsolve arc {path} --steps 2 --json")
    assert done.exit_code == 0, done.stderr
    assert all(
        attempts.keys() == {"attempt_1", "attempt_2"}
        for attempts in json.loads(done.stdout)["answer"]
    )
