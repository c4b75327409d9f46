"""Every command takes weights from the hub, and public checkpoints by their short names."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner, Result

from tests.support.checkpoints import CONFIG, official_state
from tests.support.fake_hub import FakeHub, fake_hub, no_sockets
from trmsolve import load
from trmsolve.cli import app
from trmsolve.errors import NetworkError
from trmsolve.puzzles.registry import get_task
from trmsolve.weights import limits, public
from trmsolve.weights.file import bundled_weights, fingerprint, read_info
from trmsolve.weights.public import PUBLIC, PublicCheckpoint

PUZZLE = "530070000600195000098000060800060003400803001700020006060000280000419005000080079"
SUDOKU = replace(CONFIG, vocab_size=11, seq_len=81, latent_steps=6, num_puzzles=1)
HERE = "hf://me/trm"
BUNDLED = fingerprint(bundled_weights("sudoku"))


@pytest.fixture
def hub(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, process_as_it_was: None, one_thread: None
) -> Iterator[FakeHub]:
    with fake_hub(tmp_path, monkeypatch) as running:
        running.repo("me/trm", {"model.safetensors": bundled_weights("sudoku").read_bytes()})
        yield running


def run(*given: str, text: str | None = None) -> Result:
    return CliRunner().invoke(app, list(given), input=text)


def test_a_puzzle_is_solved_with_weights_of_the_hub_and_the_next_time_without_it(
    hub: FakeHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = run("sudoku", "-", "--json", "--weights", HERE, text=PUZZLE)
    answer = json.loads(done.stdout)
    assert done.exit_code == 0
    assert answer["verified"]
    assert answer["weights"] == f"model.safetensors@{BUNDLED[:12]}"
    assert done.stderr.startswith("downloading model.safetensors of me/trm, main (commit ")
    no_sockets(monkeypatch)
    again = run("sudoku", "-", "--json", "--weights", HERE, "--quiet", text=PUZZLE)
    assert again.exit_code == 0
    assert again.stderr == ""
    assert json.loads(again.stdout)["answer"] == answer["answer"]
    assert load("sudoku", weights=HERE).solve(PUZZLE).verified


def test_offline_nothing_is_fetched_by_any_command(
    hub: FakeHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    no_sockets(monkeypatch)
    data = tmp_path / "data.csv"
    data.write_text(f"question,answer\n{PUZZLE},{PUZZLE.replace('0', '1')}\n")
    (tmp_path / "task.json").write_text(
        '{"train": [{"input": [[1]], "output": [[2]]}], "test": [{"input": [[1]]}]}'
    )
    (tmp_path / "maze.txt").write_text("S G\n###\n   \n")
    for command in (
        ("sudoku", "-"),
        ("maze", str(tmp_path / "maze.txt")),
        ("arc", str(tmp_path / "task.json")),
        ("eval", "--data", str(data)),
        ("bench",),
    ):
        done = run(*command, "--weights", HERE, "--offline", text=PUZZLE)
        assert done.exit_code == 4 and done.stdout == "", command
        (line,) = done.stderr.splitlines()
        assert line.startswith("trmsolve: ")
        assert "offline" in line
        assert "trmsolve weights pull hf://me/trm" in line
    with pytest.raises(NetworkError):
        load("sudoku", weights=HERE, offline=True)


def test_weights_of_another_task_stay_that(hub: FakeHub) -> None:
    done = run("maze", "-", "--weights", HERE, text="S G\n###\n   \n")
    assert done.exit_code == 3
    assert "was trained for sudoku, not for maze" in done.stderr


def test_what_is_in_the_cache_is_listed_and_pinned_by_the_hub(
    hub: FakeHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert HERE not in run("weights", "list").stdout
    said = run("weights", "verify", HERE, "--puzzles", "0")
    assert said.exit_code == 0
    assert "matches the hub" in said.stdout
    no_sockets(monkeypatch)
    assert f"\n{HERE}" in run("weights", "list").stdout
    facts = json.loads(run("weights", "info", HERE, "--json").stdout)
    assert facts["pinned"] == facts["sha256"]
    assert facts["fingerprint"] == BUNDLED


def test_scores_are_not_written_into_the_cache(hub: FakeHub, tmp_path: Path) -> None:
    data = tmp_path / "data.csv"
    data.write_text(f"question,answer\n{PUZZLE},{PUZZLE.replace('0', '1')}\n")
    done = run("eval", "--data", str(data), "--weights", HERE, "--record")
    assert done.exit_code == 2
    assert "must not be changed" in done.stderr
    assert hub.downloads() == []


def test_what_is_damaged_never_comes_to_stand_for_its_address(hub: FakeHub) -> None:
    whole = bundled_weights("sudoku").read_bytes()
    damaged = bytearray(whole)
    damaged[-100] ^= 1
    hub.repo("me/trm", {"model.safetensors": bytes(damaged)})
    refused = run("sudoku", "-", "--weights", HERE, text=PUZZLE)
    assert refused.exit_code == 3
    assert "checksum" in refused.stderr
    hub.repo("me/trm", {"model.safetensors": whole})
    assert run("sudoku", "-", "--weights", HERE, "--quiet", text=PUZZLE).exit_code == 0


def test_large_weights_are_fetched_only_if_that_is_wanted(
    hub: FakeHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MAX_FILE", 1000)
    command = ("sudoku", "-", "--weights", HERE, "--quiet")
    refused = run(*command, text=PUZZLE)
    assert refused.exit_code == 3
    assert "use --allow-large to accept it" in refused.stderr
    assert hub.downloads() == []
    taken = run(*command, "--allow-large", text=PUZZLE)
    assert taken.exit_code == 0 and taken.stderr == "", "quiet is quiet, about a download too"


def test_training_may_begin_with_weights_of_the_hub(hub: FakeHub, tmp_path: Path) -> None:
    data = tmp_path / "data.csv"
    out = tmp_path / "run"
    task = get_task("sudoku")
    made = [
        (one.grid, one.answer)
        for one in islice(task.generate("easy", 1), 3)
        if one.answer is not None
    ]
    rows = [f"{task.line(question)},{task.line(answer)},0" for question, answer in made]
    data.write_text("\n".join(["question,answer,rating", *rows]))
    command = (
        "train",
        "--data",
        str(data),
        "--out",
        str(out),
        "--start-from",
        HERE,
        "--steps",
        "1",
    )
    refused = run(*command, "--offline")
    assert refused.exit_code == 4
    assert "offline" in refused.stderr
    begun = run(*command, "--batch-size", "2", "--held-out", "1", "--threads", "1", "-q")
    assert begun.exit_code == 0, begun.stderr
    assert read_info(out / "sudoku.safetensors").training["start_from"] == HERE


def checkpoint(tmp_path: Path) -> bytes:
    torch.save(official_state(SUDOKU), tmp_path / "saved")
    return (tmp_path / "saved").read_bytes()


def test_a_published_checkpoint_is_fetched_and_converted(
    hub: FakeHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    one = next(one for one in PUBLIC if one.name == "alphaxiv-sudoku")
    hub.repo(
        one.repo,
        {one.file: checkpoint(tmp_path), "all_config.yaml": b"arch: {H_cycles: 2, L_cycles: 1}"},
    )
    refused = run("weights", "pull", one.name)
    assert refused.exit_code == 3
    assert f"trmsolve weights convert {one.address}" in refused.stderr
    assert hub.downloads() == []
    done = run("weights", "convert", one.name, "--task", "sudoku")
    assert done.exit_code == 0
    assert done.stdout.strip() == f"{one.file}.safetensors"
    assert [line.split()[0] for line in done.stderr.splitlines()] == [
        "downloading",
        one.file,
        "sudoku,",
        "assumed",
    ]
    info = read_info(Path(f"{one.file}.safetensors"))
    assert info.config == replace(SUDOKU, recursions=2, latent_steps=1)
    again = run("weights", "convert", one.address, "--offline", "--out", "other.safetensors")
    assert again.exit_code == 0
    assert "downloading" not in again.stderr


def test_a_published_checkpoint_that_is_not_the_known_one_is_not_opened(
    hub: FakeHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    payload = checkpoint(tmp_path)
    commit = hub.repo("someone/trm", {"step_1": payload})
    for sha256, code in ((hashlib.sha256(payload).hexdigest(), 0), ("0" * 64, 3)):
        one = PublicCheckpoint(
            "known", "sudoku", "someone/trm", "step_1", "MIT", "", commit, sha256
        )
        monkeypatch.setattr(public, "PUBLIC", (one,))
        done = run("weights", "convert", "known", "--out", f"{code}.safetensors")
        assert done.exit_code == code
        assert Path(f"{code}.safetensors").exists() == (code == 0)
    assert "is not the published file of known" in done.stderr
    assert "pickle" not in done.stderr
