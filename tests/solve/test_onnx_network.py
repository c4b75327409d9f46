"""Solving from a graph: the same answers as torch's, no torch imported, and clear refusals."""

import json
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from typer.testing import CliRunner

from tests.support.graphs import entry, metadata, needs_runtime, node, onnx_file
from tests.support.paths import EXAMPLES
from trmsolve.cli import app
from trmsolve.errors import UsageError, WeightsError
from trmsolve.model.state import State
from trmsolve.solve.onnx_network import load_onnx
from trmsolve.solve.solver import load
from trmsolve.weights.bundled import bundled_file
from trmsolve.weights.catalog import pinned
from trmsolve.weights.file import bundled_weights, fingerprint, read_info
from trmsolve.weights.graph import read_graph

TASKS = ("sudoku", "maze")
PROCESS = """
import sys
from trmsolve.cli import app
try:
    app(prog_name="trmsolve", args=sys.argv[1:])
finally:
    loaded = {"torch", "numba", "safetensors.torch", "huggingface_hub"} & set(sys.modules)
    print(sorted(loaded), file=sys.stderr)
"""


@pytest.mark.parametrize("task", TASKS)
def test_the_bundled_graph_is_that_of_the_bundled_weights(task: str) -> None:
    path = bundled_file(f"{task}.onnx")
    assert path is not None and path.stat().st_size < 600_000
    graph = read_graph(path)
    weights = bundled_weights(task)
    assert graph.fingerprint == fingerprint(weights)
    assert graph.info.config == read_info(weights).config
    pin = pinned(path)
    renew = "cd weights && sha256sum *.onnx *.safetensors > SHA256SUMS"
    from trmsolve.files import sha256

    assert pin is not None and sha256(path) == pin[0], renew


@needs_runtime
def test_solving_from_a_graph_imports_no_torch() -> None:
    puzzle = str(EXAMPLES / "sudoku" / "easy.txt")
    done = run_apart("sudoku", puzzle, "--backend", "onnx", "-v")
    assert done.returncode == 0 and "onnxruntime" in done.stderr, done.stderr
    assert done.stderr.splitlines()[-1] == "[]"


@needs_runtime
def test_measuring_a_graph_imports_no_torch(data: Path) -> None:
    done = run_apart("eval", "--data", str(data), "--limit", "2", "--backend", "onnx")
    assert done.returncode == 0 and "2 puzzles" in done.stdout, done.stderr
    assert done.stderr.splitlines()[-1] == "[]"


def run_apart(*given: str) -> "subprocess.CompletedProcess[str]":
    """Run a command; the last line says what it has imported."""
    words = [sys.executable, "-c", PROCESS, *given]
    return subprocess.run(words, capture_output=True, text=True, check=False)


@needs_runtime
@pytest.mark.parametrize(
    ("task", "file", "options"),
    [
        ("sudoku", "extreme.txt", []),
        ("sudoku", "list.sdm", ["--seed", "3"]),
        ("maze", "small.txt", []),
        ("maze", "several.txt", []),
    ],
)
def test_answers_cycles_and_views_are_those_of_torch(
    task: str, file: str, options: list[str], process_as_it_was: None
) -> None:
    path = str(EXAMPLES / task / file)
    common = [task, path, "--json", "--quiet", "--dtype", "fp32", "--threads", "1", *options]
    lines = []
    for backend in ("torch", "onnx"):
        done = CliRunner().invoke(app, [*common, "--backend", backend])
        assert done.exit_code in (0, 1), done.stderr
        lines.append([compared(json.loads(line)) for line in done.stdout.splitlines()])
    assert lines[0] == lines[1] and lines[0]


def compared(fields: dict[str, Any]) -> dict[str, Any]:
    """The parts that must be alike; the last digits of a probability may differ."""
    kept = {key: value for key, value in fields.items() if key != "seconds"}
    return kept | {"halt": round(fields["halt"], 2)}


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ({"backend": "jax"}, "--backend jax is not known: use auto, torch, onnx"),
        ({"backend": "onnx", "dtype": "bf16"}, "--dtype bf16 needs torch"),
        ({"backend": "onnx", "device": "cuda"}, "--device cuda needs torch"),
        ({"backend": "onnx", "compiled": True}, "--compile needs torch"),
        ({"backend": "onnx", "weights": "run"}, "write one with 'trmsolve export sudoku"),
        ({"backend": "onnx", "weights": "hf://a/b/c.onnx"}, "hf://a/b/c.onnx is no graph"),
        ({"backend": "onnx", "threads": 0}, "threads must be at least 1"),
    ],
)
def test_what_a_graph_cannot_do_is_told(options: dict[str, Any], problem: str) -> None:
    with pytest.raises(UsageError, match=problem):
        load("sudoku", **options)


@needs_runtime
def test_a_graph_of_another_task_or_of_nothing_that_runs_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.onnx"
    path.write_bytes(onnx_file())
    with pytest.raises(WeightsError, match="was trained for sudoku, not for maze"):
        load_onnx(path, "maze", 1)
    path.write_bytes(onnx_file(entry(1, node("Add", "nothing"))))
    with pytest.raises(WeightsError, match="is not usable as a graph") as caught:
        load_onnx(path, "sudoku", 1)
    assert "\n" not in str(caught.value)


@needs_runtime
def test_a_graph_that_fails_while_it_runs_ends_in_one_line(tmp_path: Path) -> None:
    path = tmp_path / "a.onnx"
    path.write_bytes(onnx_file(entries=metadata()))
    network = load_onnx(path, None, 1)
    tokens = np.zeros((1, 16), np.int64)
    wrong = np.zeros((1, 3, 3), np.float32)
    with pytest.raises(WeightsError, match="cannot be run") as caught:
        network(State(wrong, wrong), tokens)
    assert "\n" not in str(caught.value)
    with pytest.raises(WeightsError, match="outputs of wrong shapes"):
        network(network.initial_state(1), tokens)  # it hands on what it is given, for halt too


def test_the_runtime_is_part_of_what_tests_install() -> None:
    import tomllib

    from tests.support.paths import ROOT

    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    development = " ".join(extras["optional-dependencies"]["dev"])
    assert "export" in development and find_spec("numpy") is not None
