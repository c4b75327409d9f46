"""Files that survive a kill, a full disk and a power cut.

They are written under another name in the same folder, synced, and renamed into place. Also here
are the hash of a file, and reading that neither waits for ever nor fills the memory, whatever lies
at a path. The module knows bytes and paths. It does not know what is in the files.
"""

import contextlib
import errno
import hashlib
import os
import secrets
import stat
from collections.abc import Iterator
from io import BufferedReader
from pathlib import Path

from trmsolve.errors import UsageError

GZIP = b"\x1f\x8b"
"""The first bytes of what gzip has packed."""

SMALL = 1 << 20
"""Most bytes of a file that describes another one. Such files have a few kilobytes."""

_KINDS = {
    stat.S_IFIFO: "a named pipe",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
    stat.S_IFSOCK: "a socket",
}


def open_file(path: Path) -> BufferedReader:
    """Open a regular file, or a link to one, for reading.

    Nothing else is opened: a named pipe would make the reader wait, and a device may have no end.
    Raises OSError naming ``path``, whose ``strerror`` says what is there and what to do.
    """
    flags = os.O_RDONLY
    for name in ("O_NONBLOCK", "O_NOCTTY", "O_BINARY"):  # no system has all of them
        flags |= getattr(os, name, 0)
    handle = os.open(path, flags)
    try:
        _check_regular(path, os.fstat(handle).st_mode)
    except BaseException:
        os.close(handle)
        raise
    return os.fdopen(handle, "rb")


def _check_regular(path: Path, mode: int) -> None:
    if stat.S_ISDIR(mode):
        raise OSError(errno.EISDIR, "Is a directory, not a file: move or rename it", str(path))
    if not stat.S_ISREG(mode):
        kind = _KINDS.get(stat.S_IFMT(mode), "something else")
        raise OSError(errno.EINVAL, f"it is {kind}, not a file: move or rename it", str(path))


def read_small(path: Path, limit: int = SMALL) -> bytes:
    """The content of a regular file of at most ``limit`` bytes.

    Raises OSError naming ``path``, as ``open_file`` does, and for a larger file.
    """
    with open_file(path) as file:
        check_length(path, os.fstat(file.fileno()).st_size, limit)
        # The file may have grown, and files of /proc do not say how large they are.
        content = file.read(limit + 1)
    check_length(path, len(content), limit)
    return content


def check_length(path: Path, length: int, limit: int) -> None:
    """Raise OSError naming ``path`` if its ``length`` in bytes is over the limit."""
    if length > limit:
        problem = (
            f"it has more than the {limit:,} bytes allowed: replace it with the right "
            "file, or move it"
        )
        raise OSError(errno.EFBIG, problem, str(path))


def reason(error: OSError | ValueError) -> str:
    """Why a file could not be read, in one line that does not name it."""
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    return " ".join(str(error).split())


def refuse_nowhere(option: str, path: str | Path | None) -> None:
    """Report a file that cannot be written before the work, not after it.

    Raises:
        UsageError: If the path that an option names is a folder, or in none.
    """
    if path is None:
        return
    if Path(path).is_dir() or not Path(path).parent.is_dir():
        raise UsageError(f"{option} {path}: the path must be a file in an existing folder")


def write_atomically(path: Path, payload: bytes) -> None:
    """Write a file so that ``path`` holds the old one or the new one, whole, whatever happens.

    Raises OSError naming ``path``.
    """
    with replacing(path) as temporary:
        temporary.write_bytes(payload)


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A hidden empty file beside ``path``, to be filled or replaced, which then becomes ``path``.

    It gets the user's usual mode, even if another file is put in its place. Raises OSError naming
    ``path``. After any error ``path`` is as it was, and the hidden file is gone.
    """
    temporary = beside(path)
    with naming(path):
        try:
            temporary.touch(exist_ok=False)
            mode = temporary.stat().st_mode
            yield temporary
            temporary.chmod(mode)
            with temporary.open("rb+") as file:
                os.fsync(file.fileno())
            temporary.replace(path)
            sync_folder(path.parent)
        except BaseException:
            temporary.unlink(missing_ok=True)
            raise


def sha256(path: Path) -> str:
    """The sha256 of a file in hexadecimal. Raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_synced(path: Path, payload: bytes) -> None:
    """Write a new file that is on the disk on return, with the user's usual mode.

    Raises OSError, and may leave a part of the file then.
    """
    with path.open("xb") as file:
        file.write(payload)
        file.flush()
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Make the names in ``folder`` last, as far as system and file system can.

    Raises OSError if the disk fails.
    """
    try:
        handle = os.open(folder, os.O_RDONLY)
    except PermissionError:
        # Windows opens no folders. Elsewhere a folder may be writable but not readable.
        return
    try:
        os.fsync(handle)
    except OSError as error:
        # Some network file systems sync files only.
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):
            raise
    finally:
        os.close(handle)


def beside(path: Path) -> Path:
    """A free hidden name in the same folder.

    From there, a rename to ``path`` is one step of the file system.
    """
    token = secrets.token_hex(4)
    return path.with_name(f".{path.name}.{token}")


@contextlib.contextmanager
def naming(path: Path) -> Iterator[None]:
    """Errors of the system raised in this context name ``path``.

    By themselves, that of a full disk names no file, and others name a temporary that is gone.
    """
    try:
        yield
    except OSError as error:
        raise OSError(error.errno, error.strerror or str(error), str(path)) from error
