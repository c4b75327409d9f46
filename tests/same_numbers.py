"""Whether a change leaves every number as it was: run before it, run after it, compare.

    python tests/same_numbers.py record before
    ... refactor ...
    python tests/same_numbers.py record after
    python tests/same_numbers.py compare before after

Recorded are answers of all three solving commands, the weights of short training runs of all three
tasks, and the help of all commands. Everything runs on one thread in fp32, where the same program
gives the same bits. Seconds are left out. It takes about five minutes of one core.
"""

import argparse
import json
import os
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file

ROOT = Path(__file__).parents[1]
WHERE = "--threads 1 --dtype fp32"
SMALL = "--batch-size 8 --held-out 8 --compile off --steps 50"
STEPS = {
    "sudoku.csv": "generate -n 200 --difficulty mixed --seed 7 --out {out}/sudoku.csv",
    "mazes.csv": "generate --task maze -n 100 --seed 7 --out {out}/mazes.csv",
    "sudoku.jsonl": f"sudoku {{out}}/sudoku.csv --json --quiet {WHERE}",
    "mazes.jsonl": f"maze {{out}}/mazes.csv --json --quiet {WHERE}",
    "arc.jsonl": f"arc {{arc}}/cross.json {{arc}}/recolour.json {{arc}}/fill.json --steps 30 --json --quiet {WHERE}",
    "train-sudoku": f"train --data {{out}}/sudoku.csv --out {{out}}/train-sudoku {SMALL} {WHERE}",
    "train-maze": f"train --task maze --data {{out}}/mazes.csv --out {{out}}/train-maze {SMALL} {WHERE}",
    "train-arc": f"train --task arc --data {{arc}} --out {{out}}/train-arc --held-out 1 --steps 50 {WHERE}",
    "help": "--help",
}
COMMANDS = ["sudoku", "maze", "arc", "train", "eval", "generate", "bench"]
WEIGHTS_COMMANDS = ["list", "info", "verify", "convert", "pull", "push"]
VARYING = ("seconds", "weights")
"""JSON fields that differ from run to run or name the file that was used."""


def main() -> int:
    """Record into a folder, or compare two; the exit code is 1 if anything differs."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=("record", "compare"))
    parser.add_argument("folders", nargs="+", type=Path)
    options = parser.parse_args()
    if options.what == "record":
        for folder in options.folders:
            record(folder)
        return 0
    first, second = options.folders
    differing = compare(first, second)
    for line in differing:
        print(line)
    print(f"{len(differing)} differences" if differing else "the same numbers and the same help")
    return 1 if differing else 0


def record(folder: Path) -> None:
    """Run every step and keep what it writes in ``folder``, which must not exist."""
    folder = folder.resolve()
    folder.mkdir(parents=True)
    for name, command in STEPS.items():
        print(f"{name} ...", flush=True)
        output = run(shlex.split(command.format(out=folder, arc=ROOT / "examples" / "arc")))
        if not (folder / name).exists():
            (folder / name).write_text(output)
    for words in [[name] for name in COMMANDS] + [["weights", name] for name in WEIGHTS_COMMANDS]:
        (folder / f"help-{'-'.join(words)}").write_text(run([*words, "--help"]))


def run(arguments: list[str]) -> str:
    """Standard output of the command. An unverified answer is no failure here."""
    environment = {**os.environ, "COLUMNS": "100", "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "trmsolve", *arguments]
    done = subprocess.run(
        command, capture_output=True, text=True, env=environment, cwd=ROOT, check=False
    )
    if done.returncode not in (0, 1):
        raise SystemExit(f"{shlex.join(command)} ended with {done.returncode}: {done.stderr}")
    return done.stdout


def compare(first: Path, second: Path) -> list[str]:
    """One line for each thing that differs."""
    names = sorted({path.name for folder in (first, second) for path in folder.iterdir()})
    differing = []
    for name in names:
        one, other = first / name, second / name
        if not (one.exists() and other.exists()):
            differing.append(f"{name}: only in one of the two")
        elif name.endswith(".jsonl"):
            differing += compare_lines(one, other)
        elif one.is_dir():
            differing += compare_weights(one, other)
        elif one.read_bytes() != other.read_bytes():
            differing.append(f"{name}: other text")
    return differing


def compare_lines(one: Path, other: Path) -> list[str]:
    """JSON lines without their seconds."""
    lines, others = (
        [steady(json.loads(line)) for line in path.read_text().splitlines()]
        for path in (one, other)
    )
    if len(lines) != len(others):
        return [f"{one.name}: {len(lines)} lines and {len(others)}"]
    pairs = zip(lines, others, strict=True)
    return [
        f"{one.name}, line {number}: {a} and {b}"
        for number, (a, b) in enumerate(pairs, 1)
        if a != b
    ]


def steady(value: Any) -> Any:
    """The value without what varies from run to run."""
    if isinstance(value, dict):
        return {key: steady(inner) for key, inner in value.items() if key not in VARYING}
    return value


def compare_weights(one: Path, other: Path) -> list[str]:
    """The tensors of the weights that a run left, bit for bit."""
    differing = []
    for path in sorted(one.glob("*.safetensors")):
        tensors, others = load_file(path), load_file(other / path.name)
        same = tensors.keys() == others.keys() and all(
            torch.equal(tensors[key], others[key]) for key in tensors
        )
        if not same:
            differing.append(f"{one.name}/{path.name}: other weights")
    return differing


if __name__ == "__main__":
    sys.exit(main())
