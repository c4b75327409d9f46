"""Small files that unpack to large ones, and paths at which there is no usual file."""

import gzip
import os
import shutil
import socket
import struct
import threading
import zlib
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.faults.support.program import finish, is_told
from tests.support.paths import ROOT

Measured = Callable[[int, str], None]
SECONDS = 2.0
MEGABYTES = 500.0


def zeros(unit: bytes) -> bytes:
    """A gigabyte of the unit as gzip, in parts of 16 megabytes."""
    part = gzip.compress(unit * ((16 << 20) // len(unit)), 9, mtime=0)
    return part * 64


def chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))


def png(width: int, height: int, rows: int) -> bytes:
    """A grey image that claims this size and has so many rows of black pixels."""
    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    packer = zlib.compressobj(9)
    data = b"".join(packer.compress(bytes(width + 1)) for _ in range(rows)) + packer.flush()
    parts = [chunk(b"IHDR", head), chunk(b"IDAT", data), chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def text_bomb() -> bytes:
    """An image whose comment unpacks to a hundred megabytes."""
    note = chunk(b"zTXt", b"a\0\0" + zlib.compress(bytes(100 << 20), 9))
    whole = png(30, 30, 30)
    return whole[:33] + note + whole[33:]


BOMBS: dict[str, tuple[str, Callable[[], bytes]]] = {
    "gzip of zeros": ("sudoku", lambda: zeros(b"\0")),
    "gzip of line ends": ("sudoku", lambda: zeros(b"\n")),
    "gzip of one line": ("sudoku", lambda: zeros(b"1")),
    "gzip of rows": ("sudoku", lambda: zeros(b"53..7....\n")),
    "gzip of spaces": ("maze", lambda: zeros(b" ")),
    "gzip of walls": ("maze", lambda: zeros(b"#######\n")),
    "gzip within gzip": ("maze", lambda: gzip.compress(zeros(b"\0"), mtime=0)),
    "gzip of brackets": ("arc", lambda: zeros(b"[")),
    "gzip of a long list": ("arc", lambda: zeros(b"[1,")),
    "an image too large": ("maze", lambda: png(60_000, 60_000, 10)),
    "an image of all its pixels": ("maze", lambda: png(16_000, 16_000, 16_000)),
    "an image with a long comment": ("maze", text_bomb),
    "nested lists": ("arc", lambda: b"[" * 1_000_000),
    "nested objects": ("arc", lambda: b'{"a":' * 200_000),
    "a number of a million digits": ("arc", lambda: b'{"train": ' + b"9" * 1_000_000 + b"}"),
    "a long name": ("arc", lambda: b'{"' + b"a" * 5_000_000 + b'": 1}'),
    "a table of one field": ("sudoku", lambda: b'question,answer\n"' + b"1" * 20_000_000),
    "a table of many columns": ("sudoku", lambda: b"question" + b"," * 2_000_000 + b"\n1"),
    "a table of quotes": ("maze", lambda: b"question,answer\n" + b'"' * 5_000_000),
}


@pytest.mark.promise("A bomb is refused by name with 2, in less than 2 s and 500 MB")
@pytest.mark.parametrize("kind", BOMBS)
def test_bombs(kind: str, tmp_path: Path, measured: Measured) -> None:
    command, make = BOMBS[kind]
    given = tmp_path / "given.txt"
    given.write_bytes(make())
    done = finish(command, given)
    assert is_told(done, 2, str(given)), done
    assert done.seconds < SECONDS and done.megabytes < MEGABYTES, done
    measured(1, "")


YAML = {
    "aliases": "a: &a [x, x]\n"
    + "".join(f"b{i}: &b{i} [*{'a' if i == 0 else f'b{i - 1}'}, *a, *a, *a]\n" for i in range(60)),
    "depth": "{a: " * 100_000,
    "length": "a: 1\n" * 6_000_000,
}


@pytest.mark.promise("Settings beside a checkpoint are bounded")
@pytest.mark.parametrize("kind", YAML)
def test_settings(kind: str, checkpoint: Path, measured: Measured) -> None:
    (checkpoint.parent / "all_config.yaml").write_text(YAML[kind])
    done = finish("weights", "convert", checkpoint, "--out", checkpoint.with_name("out"))
    assert is_told(done, 3, "all_config.yaml"), done
    assert done.seconds < 4 * SECONDS and done.megabytes < MEGABYTES, done
    measured(1, "")


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    """A checkpoint of the public code, which needs settings beside it."""
    import torch

    from tests.support.checkpoints import official_state

    path = tmp_path / "step_1.pt"
    torch.save(official_state(), path)
    return path


def make_fifo(path: Path) -> None:
    """A pipe whose writer says something and leaves."""
    os.mkfifo(path)
    threading.Thread(target=path.write_bytes, args=(b"nothing\n",), daemon=True).start()


def make_socket(path: Path) -> None:
    os.chdir(path.parent)  # names of sockets are short
    try:
        socket.socket(socket.AF_UNIX).bind(path.name)
    finally:
        os.chdir(ROOT)


PATHS: dict[str, Callable[[Path], object]] = {
    "a named pipe": make_fifo,
    "a socket": make_socket,
    "a folder": Path.mkdir,
    "a link to /dev/zero": lambda path: path.symlink_to("/dev/zero"),
    "a link to /dev/urandom": lambda path: path.symlink_to("/dev/urandom"),
    "a link to /dev/null": lambda path: path.symlink_to("/dev/null"),
    "a link to nothing": lambda path: path.symlink_to("absent"),
    "a link to itself": lambda path: path.symlink_to(path.name),
    "nothing": lambda path: None,
}


@pytest.mark.promise(
    "A path at which there is no usual file is refused by name, and in bounded time"
)
@pytest.mark.parametrize("command", ["sudoku", "maze", "arc"])
@pytest.mark.parametrize("kind", PATHS)
def test_paths(kind: str, command: str, tmp_path: Path, measured: Measured) -> None:
    path = tmp_path / "given.txt"
    PATHS[kind](path)
    done = finish(command, path)
    assert is_told(done, 2, str(path)), done
    assert done.seconds < 2 * SECONDS and done.megabytes < MEGABYTES, done
    measured(1, "")


LIKE_OTHERS = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search"]
"""Starts a program without root's right to read everything."""


@pytest.mark.promise("A file that the user may not read is refused by name")
@pytest.mark.parametrize("command", ["sudoku", "maze", "arc"])
def test_unreadable(command: str, tmp_path: Path, measured: Measured) -> None:
    through = [] if os.geteuid() else LIKE_OTHERS
    if through and not shutil.which(through[0]):
        pytest.skip("root reads everything, and there is no setpriv")
    path = tmp_path / "given.txt"
    path.write_text("secret")
    path.chmod(0)
    done = finish(command, path, through=through)
    assert is_told(done, 2, str(path), "ermission denied"), done
    measured(1, "")
