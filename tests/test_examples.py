"""What the README and the examples promise is run."""

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
from huggingface_hub import constants
from typer.testing import CliRunner, Result

from tests.support.checkpoints import CONFIG, official_state
from tests.support.paths import ROOT
from trmsolve.cli import app

README = (ROOT / "README.md").read_text(encoding="utf-8")
SHELL = [
    line
    for block in re.findall(r"```sh\n(.*?)```", README, re.S)
    for line in block.strip().splitlines()
]
ENV = {**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}


pytestmark = pytest.mark.usefixtures("process_as_it_was", "in_the_checkout")


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
    """Run a line of the README as a user does, in the folder of the checkout."""
    trmsolve = f"{shlex.quote(sys.executable)} -m trmsolve"
    command = re.sub(r"^trmsolve\b", trmsolve, command)
    return subprocess.run(
        command, shell=True, cwd=ROOT, env=ENV, capture_output=True, text=True, check=False
    )


@pytest.fixture
def in_the_checkout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)


def test_the_readme_begins_with_the_two_commands() -> None:
    assert SHELL[0].endswith("trmsolve sudoku examples/sudoku/extreme.txt")
    assert SHELL[1].endswith("-m pytest -n 2")
    assert README.index("```sh") < 200


SOLVING = [
    line
    for line in SHELL
    if re.match(r"trmsolve (sudoku|maze) examples", line) and "--weights" not in line
]


@pytest.mark.parametrize("command", SOLVING)
def test_the_readme_s_solving_commands(command: str) -> None:
    done = run(command)
    assert done.exit_code == 0, done.stderr
    assert done.stdout and "solved" in done.stderr


def test_a_command_of_the_readme_in_a_shell() -> None:
    done = run_in_a_shell(SOLVING[0])
    assert done.returncode == 0, done.stderr
    assert done.stdout == run(SOLVING[0]).stdout and "solved" in done.stderr


def test_the_readme_s_json_command() -> None:
    (command,) = (line for line in SHELL if "--json" in line)
    done = run(command)
    assert (
        done.exit_code == 0
        and done.stdout.count('"verified": true') == len(done.stdout.splitlines()) > 1
    )


@pytest.mark.parametrize(
    "command", [line for line in SHELL if re.match(r"trmsolve weights (list|info|verify)\b", line)]
)
def test_the_readme_s_commands_for_weights(command: str) -> None:
    done = run(re.sub(r"\bverify\b", "verify --puzzles 1", command))
    assert done.exit_code == 0 and "sudoku" in done.stdout, done.stderr


def test_the_readme_s_transcript_of_a_conversion(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """With a checkpoint of the same sizes, saved as the public code does, the text is the same."""
    (text,) = re.findall(r"^```\n(\$ .*?)^```", README, re.S | re.M)
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
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    monkeypatch.chdir(tmp_path)
    commands = re.findall(r"^\$ (.*)", text, re.M)
    assert len(commands) == 3
    for command in commands:
        done = run(command)
        for line in [*done.stderr.splitlines(), *done.stdout.splitlines()[:4]]:
            assert " ".join(line.split()) in transcript
        assert done.exit_code == (3 if "sudoku examples" in command else 0)


@pytest.mark.slow
def test_the_readme_s_training_commands_end_to_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As written but shorter: that leaves weights that load, if not ones that solve."""
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    monkeypatch.chdir(tmp_path)
    commands = SHELL[
        SHELL.index("trmsolve generate -n 200 --difficulty easy --seed 1 --out easy.csv") :
    ]
    commands = [command for command in commands if "arc" not in command]
    assert len(commands) == 8
    short = {
        "-n 200": "-n 20",
        "-n 100": "-n 4",
        "--minutes 60": "--steps 2 --batch-size 4 --held-out 2 --data easy.csv",
        "--seconds 20": "--seconds 1 --batch-size 4 --compile off",
        "--out sudoku.onnx": "--out sudoku.onnx --puzzles 1",
    }
    for command in commands:
        for said, meant in short.items():
            command = command.replace(said, meant)
        done = run(command)
        assert done.exit_code == (1 if "--weights" in command else 0), done.stderr


def test_the_readme_s_python(capsys: pytest.CaptureFixture[str]) -> None:
    first, second = re.findall(r"```python\n(.*?)```", README, re.S)
    exec(compile(first, "README.md", "exec"), {})
    said = capsys.readouterr().out
    assert said.startswith("True ") and "[[5 3 4 6 7 8 9 1 2]" in said
    exec(compile(second.replace("budget=60", "steps=2"), "README.md", "exec"), {})
    assert re.search(r"[01] of 1 (True|False)", capsys.readouterr().out), (
        "steps are those of a copy"
    )


@pytest.mark.parametrize(
    "script", sorted((ROOT / "examples").glob("*.py")), ids=lambda path: path.name
)
def test_example_scripts(script: Path) -> None:
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
