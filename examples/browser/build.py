"""Builds the page: fetches onnxruntime-web as the lock file says, and puts all files into dist.

Usage: python examples/browser/build.py

It needs this package and npm. The graphs are checked before they are copied.
"""

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from trmsolve.errors import PuzzleError
from trmsolve.puzzles.registry import get_task
from trmsolve.weights.bundled import bundled_file
from trmsolve.weights.graph import read_graph

HERE = Path(__file__).resolve().parent
EXAMPLES = HERE.parent
DIST = HERE / "dist"
RUNTIME = HERE / "node_modules" / "onnxruntime-web" / "dist"
RUNTIME_FILES = ("ort.wasm.bundle.min.mjs", "ort-wasm-simd-threaded.wasm")
TASKS = ("sudoku", "maze")
TEXT = (".txt", ".ss", ".sdm")
"""The examples that become buttons of the page."""


def build() -> None:
    """Write dist anew."""
    subprocess.run(["npm", "ci", "--no-progress"], cwd=HERE, check=True)
    shutil.rmtree(DIST, ignore_errors=True)
    shutil.copytree(HERE / "page", DIST)
    for name in RUNTIME_FILES:
        shutil.copy(RUNTIME / name, DIST)
    networks = {task: copy_graph(task) for task in TASKS}
    examples = {task: list(examples_of(task)) for task in TASKS}
    content = {"networks": networks, "examples": examples}
    (DIST / "bundled.json").write_text(json.dumps(content, indent=1), encoding="utf-8")


def copy_graph(task: str) -> dict[str, object]:
    """Copy the bundled graph of a task, and return what the page has to know of it."""
    path = bundled_file(f"{task}.onnx")
    assert path is not None
    graph = read_graph(path)
    shutil.copy(path, DIST)
    config = graph.info.config
    return {
        "graph": path.name,
        "weights": f"{task}.safetensors@{graph.fingerprint[:12]}",
        "starts": graph.starts,
        "vocab": config.vocab_size,
        "frozen": config.frozen_tokens,
        "cycles": get_task(task, config.vocab_size).default_cycles,
    }


def examples_of(task: str) -> Iterator[dict[str, str]]:
    """The first puzzle of each example file, with the file's name, as the page reads it."""
    form = get_task(task)
    for path in sorted((EXAMPLES / task).iterdir()):
        if path.suffix not in TEXT:
            continue
        with path.open("rb") as stream:
            puzzle = next(form.read(stream, path.name))
        if isinstance(puzzle, PuzzleError):
            raise puzzle
        yield {"name": path.stem, "text": form.text(puzzle.grid)}


if __name__ == "__main__":
    build()
