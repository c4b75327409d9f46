"""The choice of torch or onnxruntime, which needs neither of them."""

import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

from tests.cli.test_cli import EASY, run
from tests.solve.test_onnx_network import run_apart
from tests.support.graphs import needs_runtime
from tests.support.paths import EXAMPLES
from trmsolve.cli.source import known_items
from trmsolve.errors import UsageError
from trmsolve.solve import backend
from trmsolve.solve.any_size import own_network
from trmsolve.solve.backend import chooses_onnx, has_native_bf16, usable_cores
from trmsolve.solve.network import LoadOptions
from trmsolve.solve.onnx_network import OnnxNetwork
from trmsolve.solve.solver import load, load_solver

BF16 = "processor : 0\nmodel name : x\nflags\t\t: fpu avx2 avx512f avx512_bf16\n\n"
NO_BF16 = "processor : 0\nmodel name : avx512_bf16\nflags\t\t: fpu avx2 avx512f\n\n"


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder that stands for a machine: two cores, bf16 in hardware, no GPU."""
    (tmp_path / "cpuinfo").write_text(BF16)
    monkeypatch.setattr(backend, "CPU_INFO", tmp_path / "cpuinfo")
    monkeypatch.setattr(backend, "NVIDIA_DRIVER", tmp_path / "driver")
    monkeypatch.setattr(backend.platform, "machine", lambda: "x86_64")
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    return tmp_path


@needs_runtime
def test_auto_takes_the_graph_and_what_needs_torch_takes_torch(machine: Path) -> None:
    assert chooses_onnx("sudoku", LoadOptions())
    assert chooses_onnx("maze", LoadOptions(weights="maze", dtype="fp32", device="cpu"))
    for options in (
        LoadOptions(backend="torch"),
        LoadOptions(dtype="bf16"),
        LoadOptions(device="cuda"),
        LoadOptions(compiled=True),
        LoadOptions(weights="run"),
    ):
        assert not chooses_onnx("sudoku", options)
    (machine / "driver").touch()
    assert not chooses_onnx("sudoku", LoadOptions())
    assert chooses_onnx("sudoku", LoadOptions(backend="onnx"))
    assert isinstance(own_network(load("sudoku", backend="onnx", threads=1).model), OnnxNetwork)


@needs_runtime
@pytest.mark.usefixtures("machine")
@pytest.mark.parametrize(
    ("task", "puzzles", "onnx"),
    [
        ("sudoku", 1, True),
        ("sudoku", 128, True),
        ("sudoku", 129, False),
        ("maze", 32, True),
        ("maze", 33, False),
    ],
)
def test_auto_takes_torch_for_more_than_a_batch_for_each_core(
    task: str, puzzles: int, onnx: bool
) -> None:
    assert chooses_onnx(task, LoadOptions(puzzles=puzzles)) == onnx
    assert chooses_onnx(task, LoadOptions(puzzles=puzzles, backend="onnx"))
    assert chooses_onnx(task, LoadOptions(puzzles=puzzles, dtype="fp32")), "bf16 is its advantage"


@needs_runtime
@pytest.mark.usefixtures("machine")
def test_auto_takes_torch_for_a_large_board() -> None:
    assert chooses_onnx("maze", LoadOptions(largest=63 * 64))
    large = LoadOptions(largest=64 * 64)
    assert not chooses_onnx("maze", large)
    assert not chooses_onnx("maze", replace(large, dtype="fp32"))
    assert chooses_onnx("maze", replace(large, backend="onnx"))


@needs_runtime
def test_many_stay_with_the_graph_where_torch_has_no_advantage(
    machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    many = LoadOptions(puzzles=1000)
    assert not chooses_onnx("sudoku", many)
    (machine / "cpuinfo").write_text(NO_BF16)
    assert chooses_onnx("sudoku", many)
    (machine / "cpuinfo").unlink()
    assert chooses_onnx("sudoku", many), "other systems than Linux have no such file"
    (machine / "cpuinfo").write_text(BF16)
    monkeypatch.setattr(
        backend, "find_spec", lambda name: None if name == "torch" else sys.modules[__name__]
    )
    assert chooses_onnx("sudoku", many), "torch is not installed"


def test_without_onnxruntime_auto_takes_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(backend, "find_spec", lambda _: None)
    assert not chooses_onnx("sudoku", LoadOptions())
    with pytest.raises(UsageError, match=r"pip install '.\[onnx\]'"):
        load("sudoku", backend="onnx")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells")
def test_linux_says_of_bf16_what_torch_says() -> None:
    supported = torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported()
    assert has_native_bf16() == bool(supported)


def test_other_processors_have_no_such_flags(
    machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert has_native_bf16()
    monkeypatch.setattr(backend.platform, "machine", lambda: "aarch64")
    assert not has_native_bf16()


def test_the_number_of_cores_may_be_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert usable_cores() == 3
    monkeypatch.setenv("OMP_NUM_THREADS", "0")
    assert usable_cores() >= 1


# Which of them a command takes


@pytest.fixture
def chosen(machine: Path, monkeypatch: pytest.MonkeyPatch) -> list[LoadOptions]:
    """The options with which the commands load a solver, which is then the graph's."""
    seen: list[LoadOptions] = []

    def load_graph(name: str, options: LoadOptions) -> Any:
        seen.append(options)
        return load_solver(name, LoadOptions(backend="onnx", threads=1, views=1))

    monkeypatch.setattr("trmsolve.solve.solver.load_solver", load_graph)
    monkeypatch.setattr("trmsolve.cli.evaluating.load_solver", load_graph)
    return seen


@needs_runtime
@pytest.mark.parametrize(
    ("lines", "arguments", "puzzles"),
    [(1, [], 1), (129, [], 129), (129, ["--quiet"], 129)],
)
def test_a_solving_command_says_how_many_there_are(
    lines: int,
    arguments: list[str],
    puzzles: int,
    chosen: list[LoadOptions],
    tmp_path: Path,
) -> None:
    file = tmp_path / "some.sdm"
    file.write_text(f"{EASY}\n" * lines)
    run("sudoku", str(file), "--workers", "1", *arguments)
    (options,) = chosen
    assert options.puzzles == puzzles


@needs_runtime
def test_a_solving_command_says_how_large_they_are(
    chosen: list[LoadOptions], tmp_path: Path
) -> None:
    file = tmp_path / "one.txt"
    file.write_text("S" + " " * 62 + "G\n" + 63 * (" " * 64 + "\n"))
    run("maze", str(file), "--workers", "1")
    assert [options.largest for options in chosen] == [64 * 64]


@needs_runtime
def test_a_pipe_holds_what_has_arrived_and_a_large_file_very_many(
    chosen: list[LoadOptions], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trmsolve.cli.source.COUNTED", 100)
    run("sudoku", "-", "--workers", "1", text=f"{EASY}\n" * 20)
    file = tmp_path / "some.sdm"
    file.write_text(f"{EASY}\n" * 20)
    run("sudoku", str(file), "--workers", "1")
    few, many = (options.puzzles for options in chosen)
    assert few == 9 and many > 100_000


def test_a_name_too_long_for_a_file_holds_nothing_known() -> None:
    assert known_items(["5" * 300, "absent.sdm"], None, arrived=9) == 9


@needs_runtime
def test_a_measurement_says_how_many_there_are(chosen: list[LoadOptions], data: Path) -> None:
    run("eval", "--data", str(data), "--workers", "1")
    run("eval", "--data", str(data), "--workers", "1", "--limit", "2")
    assert [options.puzzles for options in chosen] == [12, 2]


@needs_runtime
def test_few_puzzles_import_no_torch() -> None:
    done = run_apart("sudoku", str(EXAMPLES / "sudoku" / "easy.txt"), "-v")
    assert done.returncode == 0 and "onnxruntime" in done.stderr, done.stderr
    assert done.stderr.splitlines()[-1] == "[]"
