"""Checkpoints: bit for bit, whole or not at all, and the one before where the newest is damaged."""

import errno
import itertools
import json
import mmap
import os
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.support.tensors import same_bits
from trmsolve import files
from trmsolve.errors import CheckpointError
from trmsolve.train import checkpoint
from trmsolve.train.checkpoint import FORMAT, STATE, TENSORS, load_checkpoint, save_checkpoint


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def save(folder: Path, step: int, fill: float | None = None) -> Path:
    return save_checkpoint(
        folder, step, {"a": torch.full((3,), float(step if fill is None else fill))}, {"at": step}
    )


# What goes in comes out


def test_every_kind_of_tensor_comes_back_bit_for_bit(tmp_path: Path) -> None:
    torch.manual_seed(0)
    odd = torch.tensor([0.0, -0.0, float("inf"), float("nan"), 1e-45])
    base = torch.randn(4, 6)
    tensors = {
        **{
            str(kind): torch.randn(3, 5).to(kind)
            for kind in (torch.float64, torch.float32, torch.float16)
        },
        "bf16": torch.randn(7).bfloat16(),
        "odd": odd,
        "nan with a payload": torch.tensor([0x7FC12345], dtype=torch.int32).view(torch.float32),
        **{
            str(kind): torch.arange(-3, 4).to(kind)
            for kind in (torch.int8, torch.int16, torch.int32, torch.int64)
        },
        "bool": torch.tensor([[True, False]]),
        "rng": torch.get_rng_state(),
        "0-d": torch.tensor(3.5),
        "0-d long": torch.tensor(2**62),
        "empty": torch.zeros(0, 3),
        "also empty": torch.zeros(0),
        "transposed": base.T,
        "expanded": torch.tensor([[1.0], [2.0]]).expand(2, 4),
        "whole": base,
        "whole again": base,
        "row": base[1],
        "column": base[:, 2],
        "learned": torch.nn.Parameter(torch.randn(2)),
    }
    saved = {name: tensor.detach().clone() for name, tensor in tensors.items()}
    path = save_checkpoint(tmp_path, 12, tensors, {})
    assert path == tmp_path / "step-00000012" and names(path) == [STATE, TENSORS]
    found = load_checkpoint(tmp_path)
    assert (found.path, found.step, found.warning) == (path, 12, "")
    assert found.tensors.keys() == saved.keys()
    for name, tensor in found.tensors.items():
        assert same_bits(tensor, saved[name]), name
        tensor.fill_(1)  # its own memory, free to be written
    assert same_bits(base, saved["whole"])


def test_state_is_plain_json_and_a_numpy_generator_fits_in(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    rng.integers(7, size=3, dtype=np.uint32)  # leaves half a word over, which is state too
    state = {
        "rng": rng.bit_generator.state,
        "recipe": {"lr": 0.1, "é": None},
        "big": 2**127 + 1,
        "list": [1, [True]],
    }
    assert state["rng"]["has_uint32"] == 1
    save_checkpoint(tmp_path, 3, {}, state)
    found = load_checkpoint(tmp_path)
    assert found.state == state and found.tensors == {}
    again = np.random.default_rng()
    again.bit_generator.state = found.state["rng"]
    assert [again.random() for _ in range(5)] == [rng.random() for _ in range(5)]
    record = json.loads((found.path / STATE).read_text())
    assert (record["format"], record["step"]) == (FORMAT, 3) == (1, 3)


@pytest.mark.parametrize("value", [float("nan"), float("inf"), {1, 2}, torch.zeros(1), Path("x")])
def test_what_is_no_plain_json_is_refused_before_anything_is_written(
    tmp_path: Path, value: object
) -> None:
    with pytest.raises((TypeError, ValueError)):
        save_checkpoint(tmp_path / "run", 1, {}, {"value": value})
    assert not (tmp_path / "run").exists()


def test_one_checkpoint_can_be_named_itself_wherever_it_lies(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = save(tmp_path / "run", 1)
    save(tmp_path / "run", 2)
    assert load_checkpoint(first).step == 1
    moved = shutil.copytree(first, tmp_path / "kept")
    assert load_checkpoint(moved).step == 1
    monkeypatch.chdir(moved)
    assert load_checkpoint(Path()).step == 1


def test_files_have_the_users_usual_mode(tmp_path: Path) -> None:
    path = save(tmp_path, 1)
    mask = os.umask(0)
    os.umask(mask)
    assert path.stat().st_mode & 0o777 == 0o777 & ~mask
    assert all(file.stat().st_mode & 0o777 == 0o666 & ~mask for file in path.iterdir())


# Which are kept


def test_the_newest_two_are_kept(tmp_path: Path) -> None:
    for step in (1, 2, 99_999_999, 100_000_000):
        save(tmp_path, step)
    assert names(tmp_path) == ["step-100000000", "step-99999999"]
    assert load_checkpoint(tmp_path).step == 100_000_000


def test_other_files_of_the_run_are_left_alone(tmp_path: Path) -> None:
    for other in ("sudoku.safetensors", "step-00000001", "metrics.jsonl"):
        (tmp_path / other).write_text("")
    (tmp_path / "step-by-step").mkdir()
    for step in (3, 4, 5):
        save(tmp_path, step)
    assert names(tmp_path) == [
        "metrics.jsonl",
        "step-00000001",
        "step-00000004",
        "step-00000005",
        "step-by-step",
        "sudoku.safetensors",
    ]


def test_a_step_can_be_saved_again(tmp_path: Path) -> None:
    save(tmp_path, 1)
    for fill in (2.0, 7.0, 8.0):
        save(tmp_path, 2, fill)
    assert names(tmp_path) == ["step-00000001", "step-00000002"]
    assert load_checkpoint(tmp_path).tensors["a"].tolist() == [8.0] * 3


def test_after_going_back_what_was_saved_last_is_loaded(tmp_path: Path) -> None:
    for step in (10, 20):
        save(tmp_path, step)
    save(tmp_path, 15)
    assert names(tmp_path) == ["step-00000010", "step-00000015"]


def test_a_damaged_one_does_not_count_among_the_two(tmp_path: Path) -> None:
    save(tmp_path, 10)
    (save(tmp_path, 20) / TENSORS).write_bytes(b"")
    save(tmp_path, 25)
    assert names(tmp_path) == ["step-00000010", "step-00000025"]


def test_what_a_killed_run_left_is_cleared(tmp_path: Path) -> None:
    save(tmp_path, 1)
    left = tmp_path / ".step-00000002.0badcafe"
    left.mkdir()
    (left / TENSORS).write_bytes(b"half")
    assert load_checkpoint(tmp_path).step == 1
    save(tmp_path, 2)
    assert names(tmp_path) == ["step-00000001", "step-00000002"]


def test_a_folder_is_made_and_older_ones_go_only_when_the_new_one_is_there(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = tmp_path / "deep" / "run"
    for step in (1, 2):
        save(run, step)
    seen: list[list[str]] = []
    remove = checkpoint._remove
    monkeypatch.setattr(checkpoint, "_remove", lambda path: (seen.append(names(run)), remove(path)))
    save(run, 3)
    assert seen == [["step-00000001", "step-00000002", "step-00000003"]]


# Damage


def flip(path: Path, at: int) -> None:
    data = bytearray(path.read_bytes())
    data[at] ^= 4
    path.write_bytes(data)


def edit(path: Path, entry: str) -> None:
    """Another number, with nothing wrong about the JSON."""
    text = path.read_text()
    path.write_text(text.replace(f'"{entry}": ', f'"{entry}": 1'))
    assert path.read_text() != text


def truncate(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


DAMAGES: dict[str, tuple[Callable[[Path], Any], str]] = {
    "tensors truncated": (
        lambda p: truncate(p / TENSORS),
        "state.safetensors was changed after it was saved",
    ),
    "tensors empty": (
        lambda p: (p / TENSORS).write_bytes(b""),
        "state.safetensors was changed after it was saved",
    ),
    "a bit of a value": (
        lambda p: flip(p / TENSORS, -1),
        "state.safetensors was changed after it was saved",
    ),
    "a bit of the header": (
        lambda p: flip(p / TENSORS, 9),
        "state.safetensors was changed after it was saved",
    ),
    "tensors missing": (lambda p: (p / TENSORS).unlink(), "state.safetensors: No such file"),
    "tensors a folder": (
        lambda p: ((p / TENSORS).unlink(), (p / TENSORS).mkdir()),
        "state.safetensors: Is a direct",
    ),
    "state missing": (lambda p: (p / STATE).unlink(), "state.json: No such file"),
    "state empty": (lambda p: (p / STATE).write_bytes(b""), "state.json is not JSON"),
    "state truncated": (lambda p: truncate(p / STATE), "state.json is not JSON"),
    "state no text": (lambda p: (p / STATE).write_bytes(b"\xff\xfe\x00"), "state.json is not JSON"),
    "state too deep": (lambda p: (p / STATE).write_text("[" * 100_000), "state.json is not JSON"),
    "state no object": (
        lambda p: (p / STATE).write_text("[1]"),
        "state.json does not belong to a checkpoint",
    ),
    "state of another": (
        lambda p: (p / STATE).write_text('{"format": "x"}'),
        "state.json does not belong to a checkpoint",
    ),
    "state incomplete": (
        lambda p: (p / STATE).write_text('{"format": 1}'),
        "state.json was changed after it was saved",
    ),
    "state changed": (lambda p: edit(p / STATE, "at"), "state.json was changed after it was saved"),
    "step changed": (
        lambda p: edit(p / STATE, "step"),
        "state.json was changed after it was saved",
    ),
    "empty folder": (lambda p: [file.unlink() for file in p.iterdir()], "state.json: No such file"),
}


@pytest.mark.parametrize("kind", DAMAGES)
def test_a_damaged_newest_one_is_told_and_the_one_before_is_used(tmp_path: Path, kind: str) -> None:
    damage, reason = DAMAGES[kind]
    before, newest = save(tmp_path, 1), save(tmp_path, 2)
    damage(newest)
    found = load_checkpoint(tmp_path)
    assert (found.path, found.step, found.state) == (before, 1, {"at": 1})
    assert found.warning.startswith(f"{tmp_path}: step-00000002 is damaged ({reason}")
    assert found.warning.endswith("): continuing from step-00000001 instead")
    with pytest.raises(CheckpointError, match="give the folder of its run"):
        load_checkpoint(newest)
    damage(before)
    with pytest.raises(CheckpointError) as caught:
        load_checkpoint(tmp_path)
    told = str(caught.value)
    assert told.startswith(
        f"no usable checkpoint in {tmp_path}: step-00000002 is damaged ({reason}"
    )
    assert "step-00000001 is damaged" in told and told.endswith(
        "restore it from a backup, or start a new run"
    )
    assert caught.value.exit_code == 3


def test_no_flipped_bit_passes_unnoticed(tmp_path: Path) -> None:
    path = save(tmp_path, 1)
    for name in (TENSORS, STATE):
        data = (path / name).read_bytes()
        for at in range(len(data)):
            (path / name).write_bytes(
                data[:at] + bytes([data[at] ^ (1 << at % 8)]) + data[at + 1 :]
            )
            with pytest.raises(CheckpointError):
                load_checkpoint(path)
        (path / name).write_bytes(data)


@pytest.mark.parametrize("kind", ["absent", "empty", "file", "long"])
def test_where_nothing_is_the_error_says_so(tmp_path: Path, kind: str) -> None:
    place = tmp_path / ("x" * 300 if kind == "long" else kind)
    if kind == "empty":
        place.mkdir()
    if kind == "file":
        place.write_text("")
    with pytest.raises(CheckpointError, match="no checkpoint") as caught:
        load_checkpoint(place)
    assert str(place) in str(caught.value) and caught.value.exit_code == 3


def test_a_later_format_is_refused_not_taken_for_damage(tmp_path: Path) -> None:
    save(tmp_path, 1)
    path = save(tmp_path, 2)
    (path / STATE).write_text('{"format": 2, "what": "else"}')
    with pytest.raises(
        CheckpointError,
        match=r"step-00000002 was written by a later version of trmsolve \(format 2\): upgrade",
    ):
        load_checkpoint(tmp_path)
    save(tmp_path, 3)  # and neither stops a run nor counts as one to go back to
    assert names(tmp_path) == ["step-00000001", "step-00000003"]


# Interrupted and failing writes


@pytest.mark.parametrize(
    "error", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt()]
)
@pytest.mark.parametrize("call", range(8))
@pytest.mark.parametrize("step", [2, 3])
def test_wherever_a_write_stops_the_older_ones_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: int, step: int, error: BaseException
) -> None:
    """Stops at each of two files and three syncs or renames, for a new step and a repeated one."""
    for earlier in (1, 2):
        save(tmp_path, earlier)
    left = call

    def stopping(real: Callable[..., Any]) -> Callable[..., Any]:
        def run(*args: Any, **kwargs: Any) -> Any:
            nonlocal left
            left -= 1
            if left == -1:
                raise error
            return real(*args, **kwargs)

        return run

    monkeypatch.setattr(os, "fsync", stopping(os.fsync))
    monkeypatch.setattr(Path, "rename", stopping(Path.rename))
    stopped = False
    try:
        save(tmp_path, step, 9.0)
    except BaseException as caught:
        assert type(caught) is type(error) or isinstance(caught, OSError)
        if isinstance(caught, OSError):
            assert caught.filename == str(tmp_path / f"step-{step:08d}")
            assert (caught.errno, caught.strerror) == (errno.ENOSPC, "No space left on device")
        stopped = True
    monkeypatch.undo()
    found = load_checkpoint(tmp_path)
    assert not found.warning and found.step in (2, step)
    assert found.tensors["a"].tolist() in ([2.0] * 3, [9.0] * 3)
    assert stopped or found.tensors["a"].tolist() == [9.0] * 3
    assert not [name for name in names(tmp_path) if name.startswith(".")]
    save(tmp_path, 5)
    assert len(names(tmp_path)) == 2 and load_checkpoint(tmp_path).step == 5


def test_all_is_on_the_disk_before_it_gets_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    fsync, rename = os.fsync, Path.rename

    def noted(handle: int) -> None:
        done.append("sync folder" if stat.S_ISDIR(os.fstat(handle).st_mode) else "sync file")
        fsync(handle)

    monkeypatch.setattr(os, "fsync", noted)
    monkeypatch.setattr(
        Path, "rename", lambda path, to: (done.append("rename"), rename(path, to))[1]
    )
    save(tmp_path, 1)
    assert done == ["sync file", "sync file", "sync folder", "rename", "sync folder"]


def test_a_folder_that_may_not_be_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save(tmp_path, 1)

    def denied(path: Path, *args: Any, **kwargs: Any) -> None:
        if not path.exists():
            raise PermissionError(errno.EACCES, "Permission denied", str(path))

    monkeypatch.setattr(Path, "mkdir", denied)
    with pytest.raises(PermissionError) as caught:
        save(tmp_path, 2)
    assert caught.value.filename == str(tmp_path / "step-00000002") and names(tmp_path) == [
        "step-00000001"
    ]


def run_python(code: str, folder: Path) -> str:
    """What a process of its own prints."""
    code = "from tests.train.test_checkpoint import *\nfolder = Path(sys.argv[1])\n" + code
    done = subprocess.run(
        [sys.executable, "-c", code, str(folder)], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_file_that_may_not_grow_leaves_the_older_one(tmp_path: Path) -> None:
    save(tmp_path, 1)
    told = run_python(
        "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, 20_000))\n"
        "try: save_checkpoint(folder, 2, {'a': torch.zeros(100_000)}, {})\n"
        "except OSError as error: print(error.strerror, error.filename, sep=chr(10))",
        tmp_path,
    )
    assert told.splitlines() == ["File too large", str(tmp_path / "step-00000002")]
    assert names(tmp_path) == ["step-00000001"] and load_checkpoint(tmp_path).step == 1


def save_without_end(folder: Path, same_step: bool, times: mmap.mmap) -> None:
    for value in itertools.count(1):
        save_checkpoint(
            folder,
            1 if same_step else value,
            {"a": torch.full((100_000,), value)},
            {"value": value},
        )
        times[0] = min(value, 255)


def kill_savers(folder: Path, same_step: bool) -> None:
    """Forks processes that save on and on, and kills each at another moment.

    Prints how far they came.
    """
    for attempt in range(8):
        times = mmap.mmap(-1, 1)  # shared with the child
        child = os.fork()
        if not child:
            save_without_end(folder, same_step, times)
        while times[0] <= attempt % 3:
            time.sleep(0.001)
        time.sleep(0.0037 * attempt)
        os.kill(child, signal.SIGKILL)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
        found = load_checkpoint(folder)
        assert not found.warning and len(found.tensors["a"]) == 100_000
        assert found.tensors["a"].eq(found.state["value"]).all()
        print(found.state["value"])


@pytest.mark.parametrize("same_step", [False, True])
def test_a_run_killed_while_it_saves_leaves_a_whole_checkpoint(
    tmp_path: Path, same_step: bool
) -> None:
    saved = run_python(f"kill_savers(folder, {same_step})", tmp_path).split()
    assert len(saved) == 8 and max(map(int, saved)) > 1
    save(tmp_path, 10**6)
    assert all(name.startswith("step-") for name in names(tmp_path)) and len(names(tmp_path)) == 2


def test_killed_between_two_renames_the_one_that_stepped_aside_is_found(tmp_path: Path) -> None:
    save(tmp_path, 1)
    path = save(tmp_path, 2)
    path.rename(tmp_path / "step-00000002.old")
    found = load_checkpoint(tmp_path)
    assert found.step == 2 and not found.warning and found.path.name == "step-00000002.old"
    save(tmp_path, 2, 7.0)  # goes on from there
    assert names(tmp_path) == ["step-00000001", "step-00000002"]
    (tmp_path / "step-00000002").rename(tmp_path / "step-00000002.old")
    save(tmp_path, 3)
    assert names(tmp_path) == ["step-00000002.old", "step-00000003"]


# Single files


def test_a_file_is_written_whole_or_not_at_all(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    files.write_atomically(path, b"one")
    files.write_atomically(path, b"two")
    assert path.read_bytes() == b"two" and names(tmp_path) == ["file"]

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space") as caught:
        files.write_atomically(path, b"three")
    assert (
        caught.value.filename == str(path)
        and path.read_bytes() == b"two"
        and names(tmp_path) == ["file"]
    )
    with pytest.raises(FileNotFoundError) as missing:
        files.write_atomically(tmp_path / "absent" / "file", b"")
    assert missing.value.filename == str(tmp_path / "absent" / "file")


def test_a_file_system_that_syncs_no_folders_is_no_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def invalid(_: int) -> None:
        raise OSError(errno.EINVAL, "Invalid argument")

    monkeypatch.setattr(os, "fsync", invalid)
    files.sync_folder(tmp_path)

    def denied(*_: object) -> int:
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(os, "open", denied)
    files.sync_folder(tmp_path)
