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

from tests.support.checkpoints import CONFIG, official_state
from tests.support.paths import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
SHELL = [
    line
    for block in re.findall(r"```sh\n(.*?)```", README, re.S)
    for line in block.strip().splitlines()
]
ENV = {**os.environ, "HF_HUB_OFFLINE": "1", "OMP_NUM_THREADS": "1"}


def run(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    trmsolve = f"{shlex.quote(sys.executable)} -m trmsolve"
    command = re.sub(r"^trmsolve\b", trmsolve, command)
    return subprocess.run(
        command, shell=True, cwd=folder, env=ENV, capture_output=True, text=True, check=False
    )


def test_the_readme_begins_with_the_two_commands() -> None:
    assert SHELL[0].endswith("trmsolve sudoku examples/sudoku/extreme.txt") and SHELL[1].endswith(
        "pytest"
    )
    assert README.index("```sh") < 200


@pytest.mark.parametrize(
    "command",
    [
        line
        for line in SHELL
        if re.match(r"trmsolve (sudoku|maze) examples", line) and "--weights" not in line
    ],
)
def test_the_readme_s_solving_commands(command: str) -> None:
    done = run(command, ROOT)
    assert done.returncode == 0, done.stderr
    assert done.stdout and "solved" in done.stderr


def test_the_readme_s_json_command() -> None:
    (command,) = (line for line in SHELL if "--json" in line)
    done = run(command, ROOT)
    assert (
        done.returncode == 0
        and done.stdout.count('"verified": true') == len(done.stdout.splitlines()) > 1
    )


@pytest.mark.parametrize(
    "command", [line for line in SHELL if re.match(r"trmsolve weights (list|info|verify)\b", line)]
)
def test_the_readme_s_commands_for_weights(command: str) -> None:
    done = run(command, ROOT)
    assert done.returncode == 0 and "sudoku" in done.stdout, done.stderr


def test_the_readme_s_transcript_of_a_conversion(tmp_path: Path) -> None:
    """With another checkpoint of the same sizes, saved as the public code saves it: the same is said of it."""
    (text,) = re.findall(r"^```\n(\$ .*?)^```", README, re.S | re.M)
    transcript, shape = (
        " ".join(text.split()),
        replace(CONFIG, vocab_size=11, seq_len=81, latent_steps=6),
    )
    shape = replace(
        shape, hidden_size=512, puzzle_emb_dim=512, num_puzzles=1, mixer="mlp", positions="none"
    )
    torch.save(official_state(shape), tmp_path / "step_32550")
    (tmp_path / "all_config.yaml").write_text("arch: {H_cycles: 3, L_cycles: 6}\n")
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    commands = re.findall(r"^\$ (.*)", text, re.M)
    assert len(commands) == 3
    for command in commands:
        done = run(command, tmp_path)
        for line in [*done.stderr.splitlines(), *done.stdout.splitlines()[:4]]:
            assert " ".join(line.split()) in transcript
        assert done.returncode == (3 if "sudoku examples" in command else 0)


def test_the_readme_s_training_commands_end_to_end(tmp_path: Path) -> None:
    """As written but for the hour: a minute's fraction leaves weights that load, if not ones that solve."""
    (tmp_path / "examples").symlink_to(ROOT / "examples")
    commands = SHELL[
        SHELL.index("trmsolve generate -n 200 --difficulty easy --seed 1 --out easy.csv") :
    ]
    commands = [command for command in commands if "arc" not in command]
    assert len(commands) == 7
    short = {
        "-n 200": "-n 20",
        "-n 100": "-n 4",
        "--minutes 60": "--steps 2 --batch-size 4 --held-out 2 --data easy.csv",
        "--seconds 20": "--seconds 1 --batch-size 4 --compile off",
    }
    for command in commands:
        for said, meant in short.items():
            command = command.replace(said, meant)
        done = run(command, tmp_path)
        assert done.returncode == (1 if "--weights" in command else 0), done.stderr


def test_the_readme_s_python(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(ROOT)
    first, second = re.findall(r"```python\n(.*?)```", README, re.S)
    exec(compile(first, "README.md", "exec"), {})
    said = capsys.readouterr().out
    assert said.startswith("True ") and "[[5 3 4 6 7 8 9 1 2]" in said
    exec(compile(second.replace("budget=60", "steps=2"), "README.md", "exec"), {})
    assert re.search(r"\d of 8 (True|False)", capsys.readouterr().out)


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
    done = run(f"trmsolve {task} {' '.join(files)} --json", ROOT)
    assert done.returncode == 0, done.stdout


def test_an_unseen_arc_task_is_learned_and_answered() -> None:
    """As a user on a laptop would."""
    (command,) = (line.split("#")[0] for line in SHELL if line.startswith("trmsolve arc examples"))
    done = run(f"{command} --json", ROOT)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["right"] == [True, True]


@pytest.mark.parametrize(
    "path", sorted((ROOT / "examples" / "arc").iterdir()), ids=lambda path: path.stem
)
def test_every_arc_example_gets_two_attempts(path: Path) -> None:
    done = run(f"trmsolve arc {path} --steps 2 --json", ROOT)
    assert done.returncode == 0, done.stderr
    assert all(
        attempts.keys() == {"attempt_1", "attempt_2"}
        for attempts in json.loads(done.stdout)["answer"]
    )
