"""``trmsolve weights list``, ``info`` and ``verify``: what they say, and with which exit code."""

import hashlib
import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from huggingface_hub import constants
from safetensors import safe_open
from typer.testing import CliRunner, Result

from tests.support.checkpoints import CONFIG, official_state
from tests.support.graphs import entry, metadata, needs_runtime, node, onnx_file
from tests.support.paths import ROOT
from trmsolve.cli import app
from trmsolve.cli.weights.inspect import headline
from trmsolve.model.network import TinyRecursiveModel
from trmsolve.solve.backend import is_runtime_installed
from trmsolve.weights import limits
from trmsolve.weights.bundled import bundled_file
from trmsolve.weights.catalog import BUNDLED
from trmsolve.weights.file import bundled_weights, fingerprint, read_info, save_weights
from trmsolve.weights.info import WeightsInfo
from trmsolve.weights.public import PUBLIC

GRAPHS = 2
"""How many graphs are bundled."""

ALL = len(BUNDLED) + GRAPHS


@pytest.fixture(autouse=True)
def apart(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, process_as_it_was: None
) -> Iterator[None]:
    """With an empty cache."""
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    yield


def run(*given: str) -> Result:
    return CliRunner().invoke(app, ["weights", *given])


# list


def test_the_list_has_what_is_bundled_with_its_score_and_what_is_public() -> None:
    lines = run("list").stdout.splitlines()
    assert lines[0].split() == ["name", "task", "parameters", "where", "score"]
    assert len(lines) == 1 + len(BUNDLED) + len(PUBLIC)
    assert lines[2].split()[:4] == ["maze", "maze", "60,930", "bundled"]
    assert "99.5% exact" in lines[2]
    assert "pass@2 of 40" in lines[3]
    assert lines[-1].split()[:3] == ["arcprize-arc2", "arc", "public"]
    assert lines[-1].endswith("6.2% pass@2, as published")


def test_the_list_for_scripts_is_an_object_a_line() -> None:
    rows = [json.loads(line) for line in run("list", "--json").stdout.splitlines()]
    assert [row["name"] for row in rows[: len(BUNDLED)]] == [*BUNDLED]
    assert rows[0]["parameters"] == 98_690
    assert Path(rows[0]["path"]) == bundled_weights("sudoku")
    assert {tuple(row) for row in rows} == {
        ("name", "where", "task", "parameters", "score", "path")
    }


def test_what_was_not_measured_is_said_to_be_so() -> None:
    info = WeightsInfo(CONFIG, "arc")
    assert headline(info) == "not measured"
    assert headline(replace(info, scores={"odd": 3})) == "not measured"
    scores = {
        "a.json": {"task": "arc", "pass@2": 0.25, "n": 8},
        "b.json": {"task": "arc", "pass@2": 0.5, "n": 8},
    }
    assert headline(replace(info, scores=scores)) == "25.0% pass@2 of 8, and 1 more"


# info


def test_info_says_all_that_is_on_record() -> None:
    said = run("info", "maze")
    path = bundled_weights("maze")
    assert said.exit_code == 0
    assert said.stdout.startswith(f"{path}\n")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    for line in (
        "task        maze",
        "parameters  60,930",
        f"sha256      {digest}, matches the pinned hash",
        "checksum    stored",
        f"fingerprint {fingerprint(path)[:12]}",
        "mixer = conv",
        'recipe = "laptop"',
        "99.5% exact of 200: maze_dev_test.csv, 1 views",
        "99.5% exact, 100.0% verified of 200: maze",
    ):
        assert line in said.stdout
    facts = json.loads(run("info", str(path), "--json").stdout)
    assert facts["sha256"] == facts["pinned"] == digest
    assert facts["config"]["mixer"] == "conv"
    assert facts["bytes"] == path.stat().st_size
    assert facts["scores"] == read_info(path).scores


def test_info_of_a_file_that_is_not_the_pinned_one_says_so(tmp_path: Path) -> None:
    path = tmp_path / "maze.safetensors"
    shutil.copy(bundled_weights("maze"), path)
    (tmp_path / "SHA256SUMS").write_text(f"{'0' * 64}  maze.safetensors\n")
    assert f", but the pinned hash is {'0' * 64}" in run("info", str(path)).stdout


@pytest.mark.parametrize("command", ["info", "verify"])
def test_what_cannot_be_used_is_told_in_one_line(command: str, tmp_path: Path) -> None:
    torch.save(official_state(), tmp_path / "step_1")
    for named, code, told in (
        (tmp_path / "step_1", 3, f"{tmp_path / 'step_1'} is a pickled checkpoint"),
        (tmp_path / "absent", 3, f"no weights at {tmp_path / 'absent'}"),
        (tmp_path, 3, f"{tmp_path} is not a file"),
        ("nobody", 3, "no weights at nobody, which is neither a file nor a known name"),
        ("hf://odd", 2, "'hf://odd' is not an address of weights on the hub"),
    ):
        said = run(command, str(named), "--offline")
        assert said.exit_code == code
        assert len(said.stderr.splitlines()) == 1
        assert told in said.stderr
    said = run(command, "hf://someone/trm", "--offline")
    assert said.exit_code == 4
    assert "offline" in said.stderr


# verify


def test_what_is_bundled_is_what_is_pinned_and_alive() -> None:
    said = run("verify", "--threads", "1", "--puzzles", "1")
    assert said.exit_code == 0
    lines = said.stdout.splitlines()
    weights = ["sha256", "pinned", "checksum", "tensors", "smoke"]
    graphs = ["sha256", "pinned", "operators", "made", "smoke"]
    names = [line.split()[0] for line in lines if line.startswith(" ")]
    assert names == weights * len(BUNDLED) + graphs * GRAPHS
    assert sum(line == "  pinned      matches SHA256SUMS beside it" for line in lines) == ALL
    assert sum(line == "  checksum    correct" for line in lines) == len(BUNDLED)
    assert max(map(len, lines[1:])) <= 80
    alive = ALL if is_runtime_installed() else len(BUNDLED)
    assert sum("1 of 1" in line for line in lines) == alive
    assert sum("it needs onnxruntime: run pip install" in line for line in lines) == ALL - alive


def test_a_graph_is_checked_and_compared_with_the_weights_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "sudoku.onnx"
    path.write_bytes(onnx_file())
    said = run("verify", str(path), "--puzzles", "0")
    assert said.exit_code == 0
    assert "made from   weights aaaaaaaaaaaa\n" in said.stdout
    shutil.copy(bundled_weights("sudoku"), tmp_path)
    said = run("verify", str(path), "--puzzles", "0")
    assert "weights aaaaaaaaaaaa, not those of sudoku.safetensors beside it\n" in said.stdout
    path.write_bytes(onnx_file(entry(1, node("Loop"))))
    said = run("verify", str(path), "--puzzles", "0")
    assert said.exit_code == 3
    assert "its operator 'Loop' is not allowed" in said.stderr


@needs_runtime
def test_a_graph_that_no_command_solves_from_has_no_smoke_score(tmp_path: Path) -> None:
    path = tmp_path / "a.onnx"
    path.write_bytes(onnx_file(entries=metadata(task="arc")))
    said = run("verify", str(path))
    assert said.exit_code == 0
    assert "smoke       skipped: no command solves arc from a graph" in said.stdout


@needs_runtime
def test_a_graph_answers_on_the_cpu_whatever_is_asked_for_weights() -> None:
    graph = bundled_file("maze.onnx")
    said = run("verify", str(graph), "--dtype", "bf16", "--puzzles", "1", "--threads", "1")
    assert said.exit_code == 0
    assert "1 of 1 easy puzzles verified" in said.stdout


def test_another_file_than_the_pinned_one_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "maze.safetensors"
    shutil.copy(bundled_weights("maze"), path)
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert run("verify", str(path), "--sha256", digest.upper(), "--puzzles", "0").exit_code == 0
    said = run("verify", str(path), "--sha256", "0" * 64)
    assert said.exit_code == 3
    assert f"sha256 is {digest}, but --sha256 says {'0' * 64}" in said.stderr
    (tmp_path / "SHA256SUMS").write_text(f"{'1' * 64}  maze.safetensors\n")
    said = run("verify", str(path))
    assert said.exit_code == 3
    assert f"SHA256SUMS beside it says {'1' * 64}" in said.stderr
    assert "smoke" not in said.stdout
    said = run("verify", "sudoku", "maze", "--sha256", digest)
    assert said.exit_code == 2
    assert "--sha256 needs exactly one file" in said.stderr
    assert run("verify", str(path), "--sha256", "0123").exit_code == 2


def test_each_of_several_is_looked_at(tmp_path: Path) -> None:
    (tmp_path / "cut.safetensors").write_bytes(bundled_weights("maze").read_bytes()[:-1])
    said = run(
        "verify",
        str(tmp_path / "cut.safetensors"),
        "hf://someone/trm",
        "maze",
        "--puzzles",
        "0",
        "--offline",
    )
    assert said.exit_code == 4
    assert len(said.stderr.splitlines()) == 2
    assert "checksum    correct" in said.stdout


def test_names_mean_what_is_bundled_whatever_lies_around(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for task in BUNDLED:
        (tmp_path / task).mkdir()
    said = run("verify", "--puzzles", "0")
    assert said.exit_code == 0
    assert said.stdout.count("matches SHA256SUMS beside it") == ALL


@pytest.mark.parametrize("task", ["kenken", ""])
def test_weights_for_what_there_are_no_puzzles_of_have_no_smoke_score(
    task: str, tmp_path: Path
) -> None:
    save_weights(
        tmp_path / "w.safetensors", official_state(prefix=""), WeightsInfo(CONFIG, task), None
    )
    said = run("verify", str(tmp_path / "w.safetensors"))
    assert said.exit_code == 0
    assert "smoke       skipped: there are no puzzles for" in said.stdout


@pytest.mark.parametrize(
    "scores",
    [
        {"a": {"exact": 10**400, "n": 1}},
        {"a": {"exact": 12345, "n": "\x1b[2J"}},
        {"\x1b[2J\nb": {"exact": 0.5, "n": 8}},
    ],
)
def test_a_record_may_say_anything_and_draws_nothing(
    scores: dict[str, Any], tmp_path: Path
) -> None:
    path = tmp_path / "w.safetensors"
    save_weights(
        path,
        official_state(prefix=""),
        WeightsInfo(CONFIG, "arc", {"\x1b[31m": "\x1b"}, scores),
        None,
    )
    said = run("info", str(path))
    assert said.exit_code == 0
    assert "\x1b" not in said.stdout
    assert "12345" not in said.stdout


def test_large_weights_are_verified_and_used_only_if_that_is_wanted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    puzzle = tmp_path / "maze.txt"
    maze = bundled_weights("maze")
    puzzle.write_text("S G\n   \n   \n")
    monkeypatch.setattr(limits, "MAX_FILE", 1000)
    commands = [
        ["weights", "verify", str(maze), "--puzzles", "2"],
        ["maze", str(puzzle), "--weights", str(maze)],
        [
            "arc",
            str(ROOT / "examples/arc/cross.json"),
            "--steps",
            "1",
            "--cycles",
            "1",
            "--views",
            "1",
        ],
    ]
    for command in commands:
        refused = CliRunner().invoke(app, command)
        assert refused.exit_code == 3
        assert "more than the 0 MiB allowed: use --allow-large to accept it" in refused.stderr
        taken = CliRunner().invoke(app, [*command, "--allow-large"])
        assert taken.exit_code == 0, (command, taken.stderr)


def test_a_flipped_bit_is_found_by_the_checksum_inside(tmp_path: Path) -> None:
    path = tmp_path / "maze.safetensors"
    data = bytearray(bundled_weights("maze").read_bytes())
    data[-100] ^= 1
    path.write_bytes(data)
    said = run("verify", str(path))
    assert said.exit_code == 3
    assert "checksum" in said.stderr
    assert len(said.stderr.splitlines()) == 1


def test_weights_that_answer_nothing_are_whole_but_not_well(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("trmsolve.cli.weights.smoke.VIEWS", 1)  # it would need all of them
    path = tmp_path / "maze.safetensors"
    info = read_info(bundled_weights("maze"))
    save_weights(
        path, TinyRecursiveModel(info.config).state_dict(), WeightsInfo(info.config, "maze")
    )
    said = run("verify", str(path), "--puzzles", "1", "--threads", "1")
    assert said.exit_code == 1
    assert "pinned      no" in said.stdout
    assert "0 of 1 easy puzzles verified" in said.stdout


def test_networks_of_the_paper_s_form_have_no_smoke_score_for_arc(tmp_path: Path) -> None:
    path = tmp_path / "arc.safetensors"
    save_weights(path, official_state(prefix=""), WeightsInfo(CONFIG, "arc"), None)
    said = run("verify", str(path))
    assert said.exit_code == 0
    assert "smoke       skipped: a network as in the paper" in said.stdout
    with safe_open(path, framework="pt") as file:
        assert "trmsolve.checksum" in file.metadata()
