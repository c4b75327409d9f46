"""Files that survive a kill, a full disk and a power cut: written beside, synced, renamed into place.

And what tells one from another, its hash. Knows bytes and paths; nothing of what is in them.
"""

import contextlib
import errno
import hashlib
import os
import secrets
from collections.abc import Iterator
from pathlib import Path


def write_atomically(path: Path, payload: bytes) -> None:
    """``path`` holds the old file or the new one, whole, whatever happens. Raises OSError naming ``path``."""
    with replacing(path) as temporary:
        temporary.write_bytes(payload)


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A hidden empty file beside ``path``, for others to fill or to replace: what it then is takes the place of it.

    With the user's usual mode, whatever that of a file put there. Raises OSError naming ``path``; after any error
    ``path`` is as it was, and the hidden file gone.
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
    """Of the file as it lies there, in hexadecimal. Raises OSError."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def write_synced(path: Path, payload: bytes) -> None:
    """A new file that is on the disk on return, with the user's usual mode. Raises OSError; may leave a part of it."""
    with path.open("xb") as file:
        file.write(payload)
        file.flush()
        os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Make the names in ``folder`` last, as far as system and file system can. Raises OSError if the disk fails."""
    try:
        handle = os.open(folder, os.O_RDONLY)
    except PermissionError:  # Windows opens no folders; elsewhere one that may be written but not read
        return
    try:
        os.fsync(handle)
    except OSError as error:
        if error.errno not in (errno.EINVAL, errno.ENOTSUP):  # some network file systems sync files alone
            raise
    finally:
        os.close(handle)


def beside(path: Path) -> Path:
    """A free hidden name in the same folder, so that a rename to ``path`` is one step of the file system."""
    return path.with_name(f".{path.name}.{secrets.token_hex(4)}")


@contextlib.contextmanager
def naming(path: Path) -> Iterator[None]:
    """Errors of the system name ``path``: that of a full disk names no file, others a temporary that is gone."""
    try:
        yield
    except OSError as error:
        raise OSError(error.errno, error.strerror or str(error), str(path)) from error
