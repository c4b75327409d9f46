"""Files beside weights and in a run's folder: anything else there gives one line, at once."""

import errno
import json
import os
import signal
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest
import torch
from typer.testing import CliRunner

from tests.support.checkpoints import CONFIG, official_state
from trmsolve.arc.paper.known import Known
from trmsolve.arc.table import LONGEST_NAME, longest_identifiers
from trmsolve.cli import app
from trmsolve.errors import CheckpointError, TrmsolveError, WeightsError
from trmsolve.files import SMALL, open_file, read_small
from trmsolve.hub.cache import LONGEST_LISTING, CachedRepo
from trmsolve.train.checkpoint import (
    LONGEST_STATE,
    STATE,
    TENSORS,
    load_checkpoint,
    save_checkpoint,
)
from trmsolve.train.metrics_file import LONGEST_LINE, LONGEST_LOG, read_metrics
from trmsolve.train.schedule import Progress
from trmsolve.train.state import reading_state, restore_rng
from trmsolve.weights.card import eval_files
from trmsolve.weights.catalog import pinned
from trmsolve.weights.convert import Checkpoint
from trmsolve.weights.file import save_weights
from trmsolve.weights.info import WeightsInfo
from trmsolve.weights.kind import LONGEST_NAMES
from trmsolve.weights.settings_file import MOST_EVENTS

pytestmark = pytest.mark.skipif(os.name == "nt", reason="named pipes and /dev/zero")


@pytest.fixture(autouse=True)
def no_waiting() -> Iterator[None]:
    """A safety net: a read that never ends fails the test instead of stopping the suite."""

    def too_long(*_: object) -> None:
        raise TimeoutError("something waits for what never comes")

    before = signal.signal(signal.SIGALRM, too_long)
    signal.alarm(60)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


def a_pipe(path: Path) -> None:
    os.mkfifo(path)


def a_link_to_zeros(path: Path) -> None:
    path.symlink_to("/dev/zero")


def a_folder(path: Path) -> None:
    path.mkdir()


def a_huge_file(path: Path) -> None:
    """Of zeros that are not on the disk."""
    with path.open("wb") as file:
        file.truncate(1 << 34)


ODD: dict[str, tuple[Callable[[Path], None], str]] = {
    "pipe": (a_pipe, "it is a named pipe, not a file: move or rename it"),
    "zeros": (a_link_to_zeros, "it is a device, not a file: move or rename it"),
    "folder": (a_folder, "Is a directory, not a file: move or rename it"),
    "huge": (a_huge_file, "bytes allowed: replace it with the right file, or move it"),
}
"""What may lie in the place of a file, and what is said of it."""


def put_in_place(kind: str, path: Path) -> str:
    make, told = ODD[kind]
    if path.exists():
        path.unlink()
    make(path)
    return told


# The readers themselves.


@pytest.mark.parametrize("kind", ODD)
def test_only_regular_files_of_bounded_length_are_read(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "f"
    told = put_in_place(kind, path)
    with pytest.raises(OSError) as caught:
        read_small(path)
    assert caught.value.filename == str(path)
    assert told in str(caught.value.strerror)


def test_the_limit_is_a_byte_less_than_too_much(tmp_path: Path) -> None:
    path = tmp_path / "f"
    for limit in (0, 10, SMALL):
        path.write_bytes(b"x" * limit)
        assert read_small(path, limit) == b"x" * limit
        path.write_bytes(b"x" * (limit + 1))
        with pytest.raises(
            OSError, match=f"it has more than the {limit:,} bytes allowed"
        ) as caught:
            read_small(path, limit)
        assert caught.value.errno == errno.EFBIG


def test_a_file_that_does_not_say_how_large_it_is(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"x" * 100)
    real = os.fstat

    def empty(handle: int) -> os.stat_result:
        values = list(real(handle))
        values[6] = 0
        return os.stat_result(values)

    monkeypatch.setattr(os, "fstat", empty)
    with pytest.raises(OSError, match="more than the 99 bytes"):
        read_small(path, 99)


def test_links_to_files_are_followed_and_what_is_not_there_is_told(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"content")
    (tmp_path / "link").symlink_to(tmp_path / "f")
    (tmp_path / "dangling").symlink_to(tmp_path / "nothing")
    assert read_small(tmp_path / "link") == b"content"
    for name in ("absent", "dangling"):
        with pytest.raises(FileNotFoundError):
            read_small(tmp_path / name)


def test_nothing_stays_open_after_a_refusal(tmp_path: Path) -> None:
    a_pipe(tmp_path / "pipe")
    handle = os.open(tmp_path, os.O_RDONLY)
    os.close(handle)
    for _ in range(3):
        with pytest.raises(OSError):
            open_file(tmp_path / "pipe")
    again = os.open(tmp_path, os.O_RDONLY)
    os.close(again)
    assert again == handle


# Everyone who reads such a file.


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("public") / "step_1"
    torch.save(official_state(), path)
    return path


@pytest.fixture
def folder(tmp_path: Path, checkpoint: Path) -> Path:
    """With a checkpoint of the public code, the weights of the same network, and a run."""
    (tmp_path / "step_1").write_bytes(checkpoint.read_bytes())
    save_weights(
        tmp_path / "arc.safetensors", official_state(prefix=""), WeightsInfo(CONFIG, "arc")
    )
    save_checkpoint(tmp_path, 1, {"a": torch.zeros(3)}, {"at": 1})
    return tmp_path


Read = Callable[[Path], object]
READERS: dict[str, tuple[str, Read, type[TrmsolveError]]] = {
    "settings": ("config.json", lambda folder: Checkpoint.open(folder / "step_1"), WeightsError),
    "settings in yaml": (
        "all_config.yaml",
        lambda folder: Checkpoint.open(folder / "step_1"),
        WeightsError,
    ),
    "sums": ("SHA256SUMS", lambda folder: pinned(folder / "arc.safetensors"), WeightsError),
    "figures": (
        "eval.sudoku.json",
        lambda folder: eval_files(folder / "arc.safetensors"),
        WeightsError,
    ),
    "figures of these": (
        "arc.eval.1.json",
        lambda folder: eval_files(folder / "arc.safetensors"),
        WeightsError,
    ),
    "state": (f"step-00000001/{STATE}", load_checkpoint, CheckpointError),
    "metrics": ("metrics.jsonl", read_metrics, CheckpointError),
}
"""For each reader its file, how it is called on the folder, and the error that it raises."""


@pytest.mark.parametrize("kind", ODD)
@pytest.mark.parametrize("reader", READERS)
def test_what_is_no_such_file_is_told_in_a_line(folder: Path, reader: str, kind: str) -> None:
    name, read, expected = READERS[reader]
    told = put_in_place(kind, folder / name)
    with pytest.raises(expected) as caught:
        read(folder)
    said = str(caught.value)
    assert told in said
    assert Path(name).name in said
    assert "\n" not in said
    assert "Errno" not in said
    assert caught.value.exit_code == 3


@pytest.mark.parametrize("reader", READERS)
def test_a_file_that_may_not_be_read_is_told(
    folder: Path, reader: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    name, read, expected = READERS[reader]
    path = folder / name
    path.write_bytes(b"{}")
    real = os.open

    def denied(opened: Any, *given: Any, **named: Any) -> int:
        if str(opened) == str(path):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return real(opened, *given, **named)

    monkeypatch.setattr(os, "open", denied)  # what root would be allowed all the same
    with pytest.raises(expected, match=r"Permission denied") as caught:
        read(folder)
    assert path.name in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("reader", "limit"),
    [
        ("settings", SMALL),
        ("settings in yaml", SMALL),
        ("sums", SMALL),
        ("figures", SMALL),
        ("state", LONGEST_STATE),
        ("metrics", LONGEST_LOG),
    ],
)
def test_each_has_its_limit(folder: Path, reader: str, limit: int) -> None:
    name, read, expected = READERS[reader]
    with (folder / name).open("wb") as file:
        file.truncate(limit + 1)
    with pytest.raises(expected, match=f"it has more than the {limit:,} bytes allowed"):
        read(folder)


@pytest.mark.parametrize("kind", ODD)
def test_tensors_of_a_run_that_are_no_file(folder: Path, kind: str) -> None:
    told = put_in_place(kind, folder / "step-00000001" / TENSORS)
    with pytest.raises(
        CheckpointError, match="was changed after it was saved" if kind == "huge" else told
    ):
        load_checkpoint(folder)


def test_names_of_rows_may_be_as_long_as_the_table_needs(folder: Path) -> None:
    names = folder / "identifiers.json"
    assert longest_identifiers(3) == SMALL
    assert longest_identifiers(10_000) == 10_000 * LONGEST_NAME
    assert longest_identifiers(1 << 22) == longest_identifiers(None) == LONGEST_NAMES
    for rows, limit in ((50, SMALL), (2000, 2000 * LONGEST_NAME), (None, LONGEST_NAMES)):
        with names.open("wb") as file:
            file.truncate(limit + 1)
        with pytest.raises(WeightsError, match=f"it has more than the {limit:,} bytes allowed"):
            Known.beside(folder, rows)
    longest = "\N{GRINNING FACE}" * 100 + "|||t7|||0123456789"
    names.write_text(json.dumps([longest] * 2000))
    known = Known.beside(folder, 2000)
    assert known is not None
    assert len(known.names) == 2000
    for kind in ("pipe", "zeros", "folder"):  # as if there were none
        names.unlink()
        put_in_place(kind, names)
        assert Known.beside(folder) is None
        names.rmdir() if kind == "folder" else names.unlink()
        names.touch()


def test_what_is_odd_in_the_hub_s_cache_is_asked_for_anew(tmp_path: Path) -> None:
    commit = "a" * 40
    for number, kind in enumerate(ODD):
        repo = CachedRepo(tmp_path, f"user/repo-{number}")
        (repo.folder / "refs").mkdir(parents=True)
        (repo.folder / "trmsolve").mkdir()
        put_in_place(kind, repo.folder / "refs" / "main")
        put_in_place(kind, repo.folder / "trmsolve" / f"{commit}.json")
        assert repo.commit("main") is None
        assert repo.listing(commit) is None
    repo = CachedRepo(tmp_path, "user/other")
    repo.keep_listing(commit, {})
    assert repo.listing(commit) == {}
    (repo.folder / "trmsolve" / f"{commit}.json").write_bytes(b"{}" + b" " * (LONGEST_LISTING - 1))
    assert repo.listing(commit) is None


def test_settings_in_yaml_take_neither_long_nor_much_memory(folder: Path) -> None:
    doubled = "".join(
        f"k{k}: &k{k} {{<<: [*k{k - 1}, *k{k - 1}], a{k}: 1}}\n" for k in range(1, 40)
    )
    for text, told in (
        ("k0: &k0 {a: 1}\n" + doubled, "it repeats a part of itself"),
        ("arch: [" + "1," * (MOST_EVENTS + 1) + "]", "it has too many values"),
        ("arch: " + "[" * 3000, "it has too many values, or is nested too deeply"),
        ("arch: " + "1:1" * 100_000, "a value in it has more than 10000 characters"),
    ):
        (folder / "all_config.yaml").write_text(text)
        with pytest.raises(WeightsError, match=told) as caught:
            Checkpoint.open(folder / "step_1")
        assert "\n" not in str(caught.value)


# Runs.


LINE = Progress(1, 1.0, 0.5, 1.0, 0.5, 1.0, 0.5, 0.1, 2.0, 3.0)


def test_a_metrics_log_is_read_line_by_line_and_odd_lines_are_passed_over(tmp_path: Path) -> None:
    good = json.dumps(asdict(LINE)).encode()
    odd = (
        b"\xff\xfe",
        b"[" * 50_000,
        b"[1]",
        b"{}",
        b"x" * (3 * LONGEST_LINE),
        good[:-9],
        b"",
        good.replace(b'"step": 1', b'"step": "1"'),
        good.replace(b'"step": 1', b'"step": null'),
    )
    (tmp_path / "metrics.jsonl").write_bytes(b"\n".join([*odd, good, *odd, good]))
    assert read_metrics(tmp_path) == [LINE, LINE]
    assert read_metrics(tmp_path / "absent") == []


def test_a_state_of_another_shape_is_a_checkpoint_error(tmp_path: Path) -> None:
    for state in ([1], "text", None, 3):
        save_checkpoint(tmp_path, 1, {"a": torch.zeros(3)}, state)  # type: ignore[arg-type]
        with pytest.raises(CheckpointError, match=r"state\.json does not belong to a checkpoint"):
            load_checkpoint(tmp_path)
    told = r"run: this version .* cannot read its state \(missing 'task'\): resume it with"
    with pytest.raises(CheckpointError, match=told), reading_state(Path("run")):
        {}["task"]  # type: ignore[index]
    for tensors in (
        {},
        {"rng.cpu": torch.zeros(3)},
        {"rng.cpu": torch.zeros(3, dtype=torch.uint8)},
    ):
        with pytest.raises(CheckpointError, match="has no valid state of the random number"):
            restore_rng(tensors)


@pytest.mark.usefixtures("process_as_it_was")
@pytest.mark.parametrize(
    "state",
    [
        {},
        {"task": "chess", "described": {}, "recipe": {}, "plan": {}},
        {"task": "sudoku", "described": [], "recipe": [], "plan": []},
        {
            "task": "sudoku",
            "described": {"recipe": "quick"},
            "recipe": {"config": {"new": 1}},
            "plan": {"steps": 1},
        },
    ],
)
def test_a_run_of_another_version_is_told_in_a_line(tmp_path: Path, state: dict[str, Any]) -> None:
    path = save_checkpoint(tmp_path, 1, {"a": torch.zeros(3)}, state)
    done = CliRunner().invoke(app, ["train", "--resume", str(tmp_path), "--steps", "2", "-q"])
    assert done.exit_code == 3, done.output
    assert done.stderr.startswith(
        f"trmsolve: {path}: this version of trmsolve cannot read its state ("
    )
    assert done.stderr.count("\n") == 1


# Commands.


@pytest.mark.usefixtures("process_as_it_was")
@pytest.mark.parametrize(
    ("command", "name"),
    [
        (["weights", "convert", "step_1", "--task", "arc"], "config.json"),
        (["weights", "info", "arc.safetensors"], "SHA256SUMS"),
        (["weights", "verify", "arc.safetensors", "--puzzles", "0"], "SHA256SUMS"),
        (["weights", "push", "arc.safetensors", "hf://user/repo", "--dry-run"], "eval.1.json"),
        (["train", "--resume", "."], f"step-00000001/{STATE}"),
    ],
)
def test_commands_leave_with_code_3(
    folder: Path, monkeypatch: pytest.MonkeyPatch, command: list[str], name: str
) -> None:
    monkeypatch.chdir(folder)
    a_pipe_in_place = put_in_place("pipe", folder / name)
    done = CliRunner().invoke(app, command)
    assert done.exit_code == 3
    assert "Traceback" not in done.stderr
    *_, last = done.stderr.splitlines()
    assert last.startswith("trmsolve: ")
    assert a_pipe_in_place in last


def test_convert_brings_no_names_that_no_table_needs(folder: Path) -> None:
    with (folder / "identifiers.json").open("wb") as file:
        file.truncate(SMALL + 1)
    out = folder / "out" / "arc.safetensors"
    out.parent.mkdir()
    done = CliRunner().invoke(
        app, ["weights", "convert", str(folder / "step_1"), "--out", str(out)]
    )
    assert done.exit_code == 3
    assert "identifiers.json cannot be read: it has more than the 1,048,576" in done.stderr
    assert not (out.parent / "identifiers.json").exists()
