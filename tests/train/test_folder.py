"""A run's folder is held by one run at a time, and cleared of what killed ones left."""

import errno
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from torch import Tensor
from typer.testing import CliRunner, Result

from tests.support.training import EASY, TINY, WHERE, data, files, fresh, train
from trmsolve.cli import app
from trmsolve.distributed import ProcessGroup
from trmsolve.errors import UsageError
from trmsolve.train import folder as run_folder
from trmsolve.train.checkpoint import load_checkpoint
from trmsolve.train.folder import LOCK, TRIES_TO_WRITE, RunFolder
from trmsolve.train.metrics_file import read_metrics
from trmsolve.train.run import Run
from trmsolve.train.start import _held

__all__ = ["data"]  # a fixture
pytestmark = pytest.mark.usefixtures("process_as_it_was")

LEFT = [
    ".sudoku.safetensors.0badcafe",
    ".metrics.jsonl.0badcafe",
    ".identifiers.json.0badcafe",
    ".test_puzzles.json.0badcafe",
    ".tmpAb3dE6",
]
FOREIGN = [".mine.safetensors.0badcafe", ".sudoku.safetensors.note", ".tmp", ".hidden", "notes.txt"]


def leave(folder: Path) -> None:
    """What a kill may leave, and what somebody else keeps there."""
    folder.mkdir(exist_ok=True)
    for name in (*LEFT, *FOREIGN):
        (folder / name).write_text("half")
    for name in (".step-00000007.0badcafe", ".step-00000007.old.0badcafe"):
        (folder / name).mkdir()
        (folder / name / "state.json").write_text("half")


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def solved(weights: Path) -> Result:
    return CliRunner().invoke(
        app, ["sudoku", "-", "--weights", str(weights), "--views", "1"], input=EASY
    )


def test_a_second_run_in_the_folder_is_refused_and_changes_nothing(
    data: Path, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    assert fresh(data, out, "--steps", 1, "-q").exit_code == 0
    with RunFolder(out):
        leave(out)  # of the run that is alive
        before = files(out)
        since = json.loads((out / LOCK).read_text())["since"]
        told = (
            f"trmsolve: {out} is in use by another trmsolve train "
            f"(process {os.getpid()} on {socket.gethostname()}, "
            f"since {datetime.fromisoformat(since):%H:%M}): "
            "choose another folder with --out, or stop that run first\n"
        )
        checkpoint = out / "step-00000001"
        for result in (
            fresh(data, out, "--steps", 1),
            train("--resume", out, "--steps", 2),
            train("--resume", checkpoint, "--steps", 2),
        ):
            assert (result.exit_code, result.stderr) == (2, told)
        assert files(out) == before
        assert solved(out).exit_code in (0, 1), "solving goes on"
    assert train("--resume", out, "--steps", 2, "-q").exit_code == 0
    assert not (out / LOCK).exists() and load_checkpoint(out).step == 2


def test_a_folder_in_use_from_its_first_moment(data: Path, tmp_path: Path) -> None:
    """Before anything is saved there."""
    out = tmp_path / "run"
    with RunFolder(out):
        assert names(out) == {LOCK}
        assert "is in use by another trmsolve train" in fresh(data, out, "--steps", 1).stderr
        assert names(out) == {LOCK}
    assert not out.exists(), "nothing came of it"


HOLDS = """
import sys
from pathlib import Path
from trmsolve.train.folder import RunFolder

with RunFolder(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL")
def test_the_lock_of_the_dead_vanishes_and_what_they_left_is_cleared(
    data: Path, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    process = subprocess.Popen(
        [sys.executable, "-c", HOLDS, str(out)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None and process.stdout.readline() == "held\n"
    refused = fresh(data, out, "--steps", 1)
    assert refused.exit_code == 2 and f"(process {process.pid} on " in refused.stderr
    process.kill()
    process.communicate()
    assert process.returncode == -signal.SIGKILL and names(out) == {LOCK}, (
        "a leftover lock is no run"
    )
    leave(out)
    result = fresh(data, out, "--steps", 1)
    assert result.exit_code == 0, result.stderr
    assert names(out) == {*FOREIGN, "metrics.jsonl", "step-00000001", "sudoku.safetensors"}


def test_a_folder_that_is_deleted_while_it_trains_is_made_again(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And held again: after the third step it is gone, with lines, weights and lock."""
    out, gone = tmp_path / "deep" / "run", tmp_path / "gone"
    write, held = run_folder.RunFolder.hold, []

    def hold(self: RunFolder) -> None:
        if load_step(out) == 3 and not gone.exists():
            out.rename(gone)
        write(self)
        held.append((out / LOCK).exists())
        with pytest.raises(UsageError, match="is in use"):
            write(RunFolder(out))

    monkeypatch.setattr(run_folder.RunFolder, "hold", hold)
    result = fresh(data, out, "--steps", 5, "--save-minutes", 0)
    assert result.exit_code == 0, result.stderr
    assert gone.exists() and all(held)
    assert [line.step for line in read_metrics(out)] == [1, 2, 3, 4, 5]
    assert names(out) == {"metrics.jsonl", "step-00000004", "step-00000005", "sudoku.safetensors"}


def test_a_folder_that_is_deleted_while_the_network_is_judged_is_made_again(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, gone = tmp_path / "run", tmp_path / "gone"
    judge = Run._judge

    def delete_and_judge(run: Run, weights: dict[str, Tensor]) -> bool:
        out.rename(gone)
        return judge(run, weights)

    monkeypatch.setattr(Run, "_judge", delete_and_judge)
    result = fresh(data, out, "--steps", 2)
    assert result.exit_code == 0, result.stderr
    assert names(out) == {"metrics.jsonl", "step-00000002", "sudoku.safetensors"}
    assert read_metrics(out)[-1].held_out_exact is not None
    assert solved(out / "sudoku.safetensors").exit_code in (0, 1)


def test_what_is_deleted_each_time_it_is_written_ends_the_run(tmp_path: Path) -> None:
    written = []

    def write() -> list[Path]:
        written.append(tmp_path / "run")
        shutil.rmtree(tmp_path / "run")
        return []

    with pytest.raises(UsageError, match="repeatedly created and deleted by another program"):
        RunFolder(tmp_path / "run").keep(write)
    assert len(written) == TRIES_TO_WRITE


def test_a_file_that_is_missing_for_another_reason_is_named(tmp_path: Path) -> None:
    def write() -> list[Path]:
        (tmp_path / "absent" / "file").write_text("")
        return []

    with RunFolder(tmp_path) as folder, pytest.raises(FileNotFoundError) as raised:
        folder.keep(write)
    assert raised.value.filename == str(tmp_path / "absent" / "file")


@pytest.mark.parametrize("lost", ["lock", "file"])
def test_what_was_lost_meanwhile_is_written_again(lost: str, tmp_path: Path) -> None:
    file, times = tmp_path / "file", []

    def write() -> list[Path]:
        file.write_text("")
        times.append(file)
        if len(times) == 1:
            (tmp_path / LOCK if lost == "lock" else file).unlink()
        return [file]

    with RunFolder(tmp_path) as folder:
        folder.keep(write)
        assert file.exists() and (tmp_path / LOCK).exists()
    assert len(times) == 2


def load_step(out: Path) -> int:
    return max((int(path.name[5:]) for path in out.glob("step-*")), default=0)


def test_somebody_else_s_lock_is_not_removed(tmp_path: Path) -> None:
    """The folder was deleted, and another run began in one of the same name."""
    out = tmp_path / "run"
    with RunFolder(out) as first:
        out.rename(tmp_path / "gone")
        with RunFolder(out):
            assert names(out) == {LOCK}
            with pytest.raises(UsageError, match="is in use by another"):
                first.hold()
            first._release()
            assert names(out) == {LOCK}


def test_an_owner_of_another_day_or_without_a_text(tmp_path: Path) -> None:
    with RunFolder(tmp_path):
        since = datetime.now().astimezone() - timedelta(days=2)
        (tmp_path / LOCK).write_text(
            json.dumps({"pid": 7, "host": "a\x1b[2Jb", "since": since.isoformat()})
        )
        with pytest.raises(
            UsageError, match=rf"\(process 7 on a\?\?2Jb, since {since:%Y-%m-%d %H:%M}\)"
        ):
            RunFolder(tmp_path).hold()
        for text in ("", "[]", '{"pid": 3}', '{"pid": "x", "host": 1, "since": 2}'):
            (tmp_path / LOCK).write_text(text)
            with pytest.raises(UsageError, match="another trmsolve train: choose another folder"):
                RunFolder(tmp_path).hold()


def test_without_locks_it_trains_and_says_so(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then nobody knows whether temporaries are of the living."""

    def lock(handle: int) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr(run_folder, "_lock", lock)
    leave(tmp_path)
    before = names(tmp_path)
    result = fresh(data, tmp_path, "--steps", 2, "--save-minutes", 0)
    assert result.exit_code == 0
    assert (
        f"the file system of {tmp_path} does not support locks: do not start another trmsolve train"
        in result.stderr
    )
    assert before <= names(tmp_path) and LOCK not in names(tmp_path)


def test_a_folder_that_may_not_be_written_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> int:
        raise PermissionError(errno.EACCES, "Permission denied", "x")

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(PermissionError) as raised:
        RunFolder(tmp_path).hold()
    assert raised.value.filename == str(tmp_path)


def test_of_several_processes_the_first_holds_the_folder(tmp_path: Path) -> None:
    with _held(tmp_path, ProcessGroup(1, 2, 1)) as second:
        assert second is None and not names(tmp_path)
        with _held(tmp_path, ProcessGroup(0, 2, 0)) as first:
            assert first is not None and names(tmp_path) == {LOCK}
    assert not names(tmp_path)


def test_a_refused_run_leaves_no_folders(data: Path, tmp_path: Path) -> None:
    out = tmp_path / "some" / "run"
    result = train(
        "--data", data, "--out", out, *TINY, *WHERE, "--steps", 1, "--set", "vocab_size=12"
    )
    assert result.exit_code == 2 and not (tmp_path / "some").exists()
