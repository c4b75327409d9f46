"""What a file is, told from its first bytes, so that one that holds no weights is called by what it holds instead.

Knows beginnings of files; nothing of what is further inside.
"""

import struct
from pathlib import Path

from trmsolve.errors import WeightsError

PAGES = (b"<!doctype", b"<html", b"<head", b"<!--", b"<?xml")

NO_WEIGHTS = (
    (
        b"version https://git-lfs",
        "is a git-lfs pointer, not the weights: fetch them with 'git lfs pull'",
    ),
    (b"\x1f\x8b", "is compressed with gzip: unpack it first"),
    (b"GGUF", "is a GGUF file, for language models of other programs, not weights"),
    (b"\x93NUMPY", "is a numpy array, not weights"),
    (b"\x89HDF\r\n\x1a\n", "is an HDF5 file, not weights"),
)
"""First bytes, and what a file is that begins with them."""

LONGEST_HEADER = 1 << 20
"""Bytes of a safetensors header that are read at most; one of a Tiny Recursive Model has a hundredth of it."""

LONGEST_NAMES = 128 << 20
"""Bytes of ``identifiers.json``, at most; the largest public one names a million rows in 40 MB."""

LONGEST_PUZZLES = 1 << 26
"""Bytes of ``test_puzzles.json``, at most; public ones have a few million."""

_ZIP = b"PK\x03\x04"
_PICKLES = tuple(bytes((0x80, protocol)) for protocol in range(2, 6))
_TAR = (b"ustar", 257)
_NAME_IN_ZIP = 30


def check_kind(path: Path) -> None:
    """Raise WeightsError for what cannot be weights in any format, naming what it is instead."""
    _check_kind(path, read_head(path))


def check_safetensors(path: Path) -> None:
    """As ``check_kind``, and for checkpoints that ``trmsolve weights convert`` is for."""
    head = read_head(path)
    _check_kind(path, head)
    if begins_as_safetensors(head):
        return
    text, place = _TAR
    if head.startswith(_PICKLES):
        raise WeightsError(
            f"{path} is a pickled checkpoint of an old kind: save it anew with a later torch"
        )
    if head.startswith(_ZIP):
        raise WeightsError(
            f"{path} is a pickled checkpoint, not safetensors: convert it first: trmsolve weights convert {path}"
        )
    if head.startswith(text, place):
        raise WeightsError(
            f"{path} is a tar archive, not safetensors: unpack it, or save it anew with a later torch"
        )


def _check_kind(path: Path, head: bytes) -> None:
    if not head:
        raise WeightsError(f"{path} is empty")
    if begins_as_safetensors(head):
        return
    for beginning, kind in NO_WEIGHTS:
        if head.startswith(beginning):
            raise WeightsError(f"{path} {kind}")
    if head.removeprefix(b"\xef\xbb\xbf").lstrip().lower().startswith(PAGES):
        raise WeightsError(f"{path} is a web page, not weights")
    if head.lstrip().startswith(b"{") and b"\0" not in head:
        raise WeightsError(f"{path} is JSON text, not weights")
    if is_numpy_archive(head):
        raise WeightsError(f"{path} is a numpy archive, not weights")


def read_head(path: Path) -> bytes:
    """The first 512 bytes of a file, or all.

    Raises WeightsError if there is none, or none that may be read.
    """
    try:
        if not path.exists():
            raise WeightsError(f"no weights at {path}")
        if (
            not path.is_file()
        ):  # a folder, a pipe, a device: opening some would wait for ever, others never end
            raise WeightsError(f"{path} is not a file: name the file with the weights itself")
        with path.open("rb") as file:
            return file.read(512)
    except OSError as error:
        raise WeightsError(f"{path} cannot be read: {error.strerror or error}") from None
    except ValueError:  # a NUL, which no file has in its name
        raise WeightsError(f"no weights at {path}") from None


def begins_as_safetensors(head: bytes) -> bool:
    """Whether it can be a safetensors file.

    It may begin as pickles or gzip do: what comes first is a length.
    """
    return (
        len(head) > 8 and head[8:9] == b"{" and struct.unpack("<Q", head[:8])[0] <= LONGEST_HEADER
    )


def is_numpy_archive(head: bytes) -> bool:
    """Whether it is a zip, as checkpoints are, but one of arrays."""
    if not head.startswith(_ZIP) or len(head) < _NAME_IN_ZIP:
        return False
    (length,) = struct.unpack("<H", head[26:28])
    return head[_NAME_IN_ZIP : _NAME_IN_ZIP + length].endswith(b".npy")
