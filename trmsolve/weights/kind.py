"""The kind of a file, judged by its first bytes.

A file that holds no weights is refused with a message that says what it is instead. The module
knows how files begin. It does not know what follows.
"""

import struct
from pathlib import Path

from trmsolve.errors import WeightsError

LONGEST_HEADER = 1 << 20
"""The most bytes that the header of a safetensors file may have.

The header of a Tiny Recursive Model has a hundredth of it.
"""

LONGEST_NAMES = 128 << 20
"""The most bytes of ``identifiers.json``; the largest public one names a million rows in 40 MB."""

LONGEST_PUZZLES = 1 << 26
"""The most bytes of ``test_puzzles.json``; public ones have a few million."""

HEAD_BYTES = 512
"""How much of a file is read to recognise it."""

OTHER_KINDS = (
    (
        b"version https://git-lfs",
        "is a git-lfs pointer, not the weights: download them with 'git lfs pull'",
    ),
    (b"\x1f\x8b", "is compressed with gzip: unpack it first"),
    (b"GGUF", "is a GGUF file for language models, not weights"),
    (b"\x93NUMPY", "is a numpy array, not weights"),
    (b"\x89HDF\r\n\x1a\n", "is an HDF5 file, not weights"),
)
"""First bytes, and what a file is that begins with them."""

_WEB_PAGES = (b"<!doctype", b"<html", b"<head", b"<!--", b"<?xml")
_BYTE_ORDER_MARK = b"\xef\xbb\xbf"
_ZIP = b"PK\x03\x04"
_PICKLES = tuple(bytes((0x80, protocol)) for protocol in range(2, 6))
_TAR = b"ustar"
_TAR_AT = 257
_NAME_IN_ZIP = 30
"""The position of the name of the first entry in a zip."""


def check_kind(path: Path) -> None:
    """Raise WeightsError, saying what it is, for a file that is no weights in any format."""
    _check_kind(path, read_head(path))


def check_safetensors(path: Path) -> None:
    """As ``check_kind``, and refuse checkpoints, which ``trmsolve weights convert`` is for."""
    head = read_head(path)
    _check_kind(path, head)
    if begins_as_safetensors(head):
        return
    if path.suffix.lower() == ".onnx":
        raise WeightsError(
            f"{path} is an ONNX graph, not safetensors: only solving, 'weights info' and "
            "'weights verify' take it"
        )
    if head.startswith(_PICKLES):
        raise WeightsError(
            f"{path} is a pickled checkpoint in an old format: save it again with a "
            "newer version of torch"
        )
    if head.startswith(_ZIP):
        raise WeightsError(
            f"{path} is a pickled checkpoint, not safetensors: "
            f"convert it first: trmsolve weights convert {path}"
        )
    if head.startswith(_TAR, _TAR_AT):
        raise WeightsError(
            f"{path} is a tar archive, not safetensors: unpack it, or save it again "
            "with a newer version of torch"
        )


def read_head(path: Path) -> bytes:
    """The first 512 bytes of a file, or all of them if it has fewer.

    Raises WeightsError if there is no file, or none that can be read.
    """
    try:
        if not path.exists():
            raise WeightsError(f"no weights at {path}")
        # Opening a pipe or a device may wait for ever, and some devices have no end.
        if not path.is_file():
            raise WeightsError(f"{path} is not a file: give the weights file itself")
        with path.open("rb") as file:
            return file.read(HEAD_BYTES)
    except OSError as error:
        raise WeightsError(f"{path} cannot be read: {error.strerror or error}") from None
    except ValueError:  # the name holds a NUL, which no file's name does
        raise WeightsError(f"no weights at {path}") from None


def begins_as_safetensors(head: bytes) -> bool:
    """Whether a file with these first bytes can be a safetensors file.

    The first eight bytes are a length, which may look like the beginning of a pickle or of gzip.
    """
    if len(head) <= 8 or head[8:9] != b"{":
        return False
    (length,) = struct.unpack("<Q", head[:8])
    return bool(length <= LONGEST_HEADER)


def is_zip(head: bytes) -> bool:
    """Whether a file with these first bytes is a zip, as checkpoints of torch are since 2020."""
    return head.startswith(_ZIP)


def is_numpy_archive(head: bytes) -> bool:
    """Whether a file with these first bytes is a zip of numpy arrays."""
    if not head.startswith(_ZIP) or len(head) < _NAME_IN_ZIP:
        return False
    (length,) = struct.unpack("<H", head[26:28])
    return head[_NAME_IN_ZIP : _NAME_IN_ZIP + length].endswith(b".npy")


def _check_kind(path: Path, head: bytes) -> None:
    if not head:
        raise WeightsError(f"{path} is empty")
    if begins_as_safetensors(head):
        return
    for beginning, kind in OTHER_KINDS:
        if head.startswith(beginning):
            raise WeightsError(f"{path} {kind}")
    if head.removeprefix(_BYTE_ORDER_MARK).lstrip().lower().startswith(_WEB_PAGES):
        raise WeightsError(f"{path} is a web page, not weights")
    if head.lstrip().startswith(b"{") and b"\0" not in head:
        raise WeightsError(f"{path} is JSON text, not weights")
    if is_numpy_archive(head):
        raise WeightsError(f"{path} is a numpy archive, not weights")
