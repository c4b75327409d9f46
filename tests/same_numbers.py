"""Whether a change leaves every number as it was: run before it, run after it, compare.

    python tests/same_numbers.py record before
    ... change the code ...
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
EXACT = "--threads 1 --dtype fp32"
SHORT = f"--batch-size 8 --held-out 8 --compile off --steps 50 {EXACT}"
ARC_TASKS = "{arc}/cross.json {arc}/recolour.json {arc}/fill.json"
STEPS = {
    "sudoku.csv": "generate -n 200 --difficulty mixed --seed 7 --out {out}/sudoku.csv",
    "mazes.csv": "generate --task maze -n 100 --seed 7 --out {out}/mazes.csv",
    "sudoku.jsonl": f"sudoku {{out}}/sudoku.csv --json --quiet {EXACT}",
    "mazes.jsonl": f"maze {{out}}/mazes.csv --json --quiet {EXACT}",
    "arc.jsonl": f"arc {ARC_TASKS} --weights arc --steps 30 --json --quiet {EXACT}",
    "train-sudoku": f"train --data {{out}}/sudoku.csv --out {{out}}/train-sudoku {SHORT}",
    "train-maze": f"train --task maze --data {{out}}/mazes.csv --out {{out}}/train-maze {SHORT}",
    "train-arc": (
        f"train --task arc --data {{arc}} --out {{out}}/train-arc --held-out 1 --steps 50 {EXACT}"
    ),
    "help": "--help",
}
"""The commands that are run, by the name of the file or folder that keeps what they give.

``{out}`` is the folder of the recording, ``{arc}`` that of the example ARC tasks.
"""

COMMANDS = ["sudoku", "maze", "arc", "train", "eval", "generate", "bench", "export"]
WEIGHTS_COMMANDS = ["list", "info", "verify", "convert", "pull", "push"]
VARYING = ("seconds", "weights", "source")
"""JSON fields that differ from run to run or name the files that were used."""


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
    """Run every step and keep what it gives in ``folder``, which must not exist."""
    folder = folder.resolve()
    folder.mkdir(parents=True)
    for name, command in STEPS.items():
        print(f"{name} ...", flush=True)
        output = run(shlex.split(command.format(out=folder, arc=ROOT / "examples" / "arc")))
        kept = folder / name
        if not kept.exists():
            kept.write_text(output)
    for command in COMMANDS:
        record_help(folder, [command])
    for command in WEIGHTS_COMMANDS:
        record_help(folder, ["weights", command])


def record_help(folder: Path, words: list[str]) -> None:
    """Keep the help text of the command that ``words`` name."""
    (folder / f"help-{'-'.join(words)}").write_text(run([*words, "--help"]))


def run(arguments: list[str]) -> str:
    """Standard output of the command. An unverified answer (exit code 1) is no failure here."""
    environment = {**os.environ, "COLUMNS": "100", "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "trmsolve", *arguments]
    done = subprocess.run(
        command, capture_output=True, text=True, env=environment, cwd=ROOT, check=False
    )
    if done.returncode not in (0, 1):
        raise SystemExit(f"{shlex.join(command)} ended with {done.returncode}: {done.stderr}")
    return done.stdout


def compare(first: Path, second: Path) -> list[str]:
    """One line for each thing that differs between two recordings."""
    paths = [*first.iterdir(), *second.iterdir()]
    differing = []
    for name in sorted({path.name for path in paths}):
        differing += compare_one(first / name, second / name)
    return differing


def compare_one(one: Path, other: Path) -> list[str]:
    """The differences of a file or folder that should be in both recordings."""
    if not (one.exists() and other.exists()):
        return [f"{one.name}: only in one of the two"]
    if one.suffix == ".jsonl":
        return compare_lines(one, other)
    if one.is_dir():
        return compare_weights(one, other)
    if one.read_bytes() != other.read_bytes():
        return [f"{one.name}: other text"]
    return []


def compare_lines(one: Path, other: Path) -> list[str]:
    """The lines of JSON that differ, apart from the fields that always do."""
    lines = steady_lines(one)
    others = steady_lines(other)
    if len(lines) != len(others):
        return [f"{one.name}: {len(lines)} lines and {len(others)}"]
    differing = []
    for number, (line, other_line) in enumerate(zip(lines, others, strict=True), 1):
        if line != other_line:
            fields = [key for key in line if line[key] != other_line.get(key)]
            differing.append(f"{one.name}, line {number}: other {', '.join(fields)}")
    return differing


def steady_lines(path: Path) -> list[Any]:
    """The values of a file of JSON lines, without what varies from run to run."""
    return [steady(json.loads(line)) for line in path.read_text().splitlines()]


def steady(value: Any) -> Any:
    """The value without what varies from run to run."""
    if isinstance(value, dict):
        return {key: steady(inner) for key, inner in value.items() if key not in VARYING}
    return value


def compare_weights(one: Path, other: Path) -> list[str]:
    """The weights of two training runs that differ in a bit."""
    differing = []
    for path in sorted(one.glob("*.safetensors")):
        if not same_tensors(path, other / path.name):
            differing.append(f"{one.name}/{path.name}: other weights")
    return differing


def same_tensors(one: Path, other: Path) -> bool:
    """Whether two files hold the same tensors under the same names, bit for bit."""
    tensors = load_file(one)
    others = load_file(other)
    if tensors.keys() != others.keys():
        return False
    return all(torch.equal(tensor, others[name]) for name, tensor in tensors.items())


if __name__ == "__main__":
    sys.exit(main())
