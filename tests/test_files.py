"""Files that are whole or not there: with the user's mode, synced, replaced when complete."""

import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from trmsolve.files import replacing, write_atomically


def usual_mode() -> int:
    mask = os.umask(0)
    os.umask(mask)
    return 0o666 & ~mask


@pytest.mark.parametrize("mask", [0o022, 0o077, 0o002])
def test_the_mode_is_the_user_s_also_where_another_file_is_put_there(
    tmp_path: Path, mask: int
) -> None:
    path, before = tmp_path / "f", os.umask(mask)
    try:
        with replacing(path) as temporary:
            other = tmp_path / "other"
            other.write_bytes(b"new")
            other.chmod(0o600)
            other.replace(temporary)
    finally:
        os.umask(before)
    assert path.read_bytes() == b"new" and stat.S_IMODE(path.stat().st_mode) == 0o666 & ~mask
    assert list(tmp_path.iterdir()) == [path]


def test_all_is_on_the_disk_before_it_gets_its_name_and_the_name_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    fsync, replace = os.fsync, Path.replace

    def noted(handle: int) -> None:
        done.append("sync folder" if stat.S_ISDIR(os.fstat(handle).st_mode) else "sync file")
        fsync(handle)

    monkeypatch.setattr(os, "fsync", noted)
    monkeypatch.setattr(
        Path, "replace", lambda path, to: (done.append("rename"), replace(path, to))[1]
    )
    write_atomically(tmp_path / "f", b"new")
    assert done == ["sync file", "rename", "sync folder"]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_an_error_leaves_the_old_file_alone(tmp_path: Path, error: type[BaseException]) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"old")
    with pytest.raises(error), replacing(path) as temporary:
        temporary.write_bytes(b"half")
        raise error
    assert path.read_bytes() == b"old" and list(tmp_path.iterdir()) == [path]


def test_errors_name_the_file_that_was_meant(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        write_atomically(tmp_path / "absent" / "f", b"")
    assert caught.value.filename == str(tmp_path / "absent" / "f")


KILLED = """
import os, signal, sys
from pathlib import Path
from trmsolve.files import write_atomically

def kill(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)

places = {"write": (Path, "write_bytes"), "sync": (os, "fsync"), "rename": (Path, "replace")}
setattr(*places[sys.argv[2]], kill)
write_atomically(Path(sys.argv[1]), b"new")
"""


@pytest.mark.parametrize("when", ["write", "sync", "rename"])
@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL")
def test_a_kill_at_any_point_leaves_the_old_file(tmp_path: Path, when: str) -> None:
    path = tmp_path / "f"
    path.write_bytes(b"old")
    ended = subprocess.run([sys.executable, "-c", KILLED, str(path), when], check=False)
    assert ended.returncode == -signal.SIGKILL and path.read_bytes() == b"old"
    write_atomically(path, b"new")  # what the kill left beside it is in nobody's way
    assert path.read_bytes() == b"new" and stat.S_IMODE(path.stat().st_mode) == usual_mode()
