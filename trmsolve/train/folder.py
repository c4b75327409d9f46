"""The folder of a training run: one run at a time holds it, and clears what killed runs left there.

The lock is the operating system's own, on the file ``.lock``: it vanishes with the process that
holds it, however that process ends. The text in the file only says who holds it. Knows files,
processes, and the names of the files that a run writes; nothing of what is in them.
"""

import contextlib
import errno
import json
import os
import re
import shutil
import socket
import sys
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from datetime import datetime
from pathlib import Path
from typing import Self

from trmsolve.errors import UsageError
from trmsolve.files import naming
from trmsolve.weights.catalog import BUNDLED

LOCK = ".lock"

TRIES = 100
"""Another run may remove the lock file, or the folder, between two steps of taking the lock."""

TRIES_TO_WRITE = 10
"""How often files are written again where somebody deletes the folder each time."""

DELETED = (FileNotFoundError, FileExistsError)
"""Errors of writing into a folder that somebody deletes meanwhile.

The second one is of ``Path.mkdir``, where the folder was there and is gone a moment later.
"""

IN_USE = (errno.EAGAIN, errno.EWOULDBLOCK, errno.EACCES, errno.EDEADLK)
NO_LOCKS = (errno.ENOLCK, errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.EINVAL)

BESIDE_WEIGHTS = ("identifiers.json", "test_puzzles.json")
"""What the paper's network for ARC has beside its weights (``arc.paper.known``)."""

WRITTEN = ("metrics.jsonl", *BESIDE_WEIGHTS, *(f"{task}.safetensors" for task in BUNDLED))
"""The files of a run, besides its checkpoints."""


def _leftover_names() -> re.Pattern[str]:
    """Temporary names: those that ``files.beside`` gives, and safetensors' ``.tmpXXXXXX``."""
    files = "|".join(re.escape(name) for name in WRITTEN)
    checkpoints = r"step-[0-9]{8,}(?:\.old)?"
    return re.compile(rf"\.(?:{checkpoints}|{files})\.[0-9a-f]{{8}}|\.tmp[0-9A-Za-z]{{6}}")


LEFTOVER = _leftover_names()

if sys.platform == "win32":
    import msvcrt

    LOCKED_BYTE = 1 << 30  # far behind the text, which others must be able to read

    def _lock(handle: int) -> None:
        os.lseek(handle, LOCKED_BYTE, os.SEEK_SET)
        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)

else:
    import fcntl

    def _lock(handle: int) -> None:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)


class RunFolder(AbstractContextManager["RunFolder"]):
    """Holds a run's folder for as long as the context lasts, and makes the folder if it is absent.

    On entry, what killed runs left half-written is removed. On exit, the lock file is removed, and
    so are the folders that were made here and are still empty. Raises UsageError if another run
    holds the folder, and OSError naming the folder if nothing can be written there.

    Attributes:
        path: The folder.
        warning: Says that the file system has no locks; empty if it has. Without locks nothing is
            removed on entry, since another run may be writing there.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.warning = ""
        self._lock_file = path / LOCK
        self._handle: int | None = None
        self._made: list[Path] = []  # innermost first

    @property
    def held(self) -> bool:
        """Whether no other run can be writing there; False where the file system has no locks."""
        return self._handle is not None

    def __enter__(self) -> Self:
        self.hold()
        if self.held:
            with contextlib.suppress(*DELETED):
                remove_leftovers(self.path)
        return self

    def __exit__(self, *_: object) -> None:
        self._release()
        for folder in self._made:
            with contextlib.suppress(OSError):  # not empty, as a rule
                folder.rmdir()

    def hold(self) -> None:
        """Make sure that the folder exists and is held.

        Somebody may have deleted it since the last time.
        """
        if self._handle is not None and self._is_at_its_place(self._handle):
            return
        self._release()
        with naming(self.path):
            for _ in range(TRIES):
                self._make_folder()
                if self.warning or self._try():
                    return
        raise self._never_stays()

    def keep(self, write: Callable[[], Iterable[Path]]) -> None:
        """Hold the folder and call ``write``, which returns the files that are there afterwards.

        Somebody may delete the folder meanwhile. It is then made again, and ``write`` is called
        again. Raises what ``write`` raises, and UsageError if the folder never stays.
        """
        for tries_left in reversed(range(TRIES_TO_WRITE)):
            try:
                self.hold()
                files = write()
            except DELETED:
                if not tries_left:
                    raise
                continue
            if self.has(files):
                return
        raise self._never_stays()

    def has(self, files: Iterable[Path]) -> bool:
        """Whether the folder is still the one that is held, and has these files."""
        is_same = self._handle is None or self._is_at_its_place(self._handle)
        return is_same and all(path.exists() for path in files)

    def _never_stays(self) -> UsageError:
        return UsageError(
            f"{self.path} is repeatedly created and deleted by another program: choose "
            "another folder"
        )

    def _make_folder(self) -> None:
        missing = [folder for folder in (self.path, *self.path.parents) if not folder.exists()]
        self.path.mkdir(parents=True, exist_ok=True)
        self._made += missing

    def _try(self) -> bool:
        """Take the lock.

        Returns False if the file was removed meanwhile: the lock is then on a file that nobody else
        sees. Returns False with a ``warning`` if there are no locks.
        """
        try:
            handle = os.open(self._lock_file, os.O_RDWR | os.O_CREAT, 0o666)
        except FileNotFoundError:
            return False
        try:
            _lock(handle)
        except OSError as error:
            owner = _owner(handle)
            os.close(handle)
            self._refused(error, owner)
            return False
        if not self._is_at_its_place(handle):
            os.close(handle)
            return False
        self._handle = handle
        _write_owner(handle)
        return True

    def _refused(self, error: OSError, owner: str) -> None:
        """Raise the error of a lock that was not given, or note that there are no locks."""
        if error.errno in IN_USE:
            raise UsageError(
                f"{self.path} is in use by another trmsolve train{owner}: choose "
                "another folder with --out, or stop that run first"
            ) from None
        if error.errno not in NO_LOCKS:
            raise error
        self.warning = (
            f"the file system of {self.path} does not support locks: do not start "
            "another trmsolve train in this folder"
        )
        self._lock_file.unlink(missing_ok=True)

    def _is_at_its_place(self, handle: int) -> bool:
        with contextlib.suppress(OSError):
            return os.path.samestat(os.fstat(handle), self._lock_file.stat())
        return False

    def _release(self) -> None:
        handle = self._handle
        self._handle = None
        if handle is None:
            return
        # Removed while it is held: later, it could be another run's. Windows removes no open file.
        if self._is_at_its_place(handle):
            with contextlib.suppress(OSError):
                self._lock_file.unlink()
        os.close(handle)
        if sys.platform == "win32":
            with contextlib.suppress(OSError):
                self._lock_file.unlink()


def remove_leftovers(folder: Path) -> None:
    """Remove the temporaries that killed runs left.

    Only for the holder of the folder: the temporaries of a living run look the same.
    """
    for path in folder.iterdir():
        if not LEFTOVER.fullmatch(path.name):
            continue
        with contextlib.suppress(OSError):
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink()


def _write_owner(handle: int) -> None:
    since = datetime.now().astimezone().isoformat()
    owner = {"pid": os.getpid(), "host": socket.gethostname(), "since": since}
    with contextlib.suppress(OSError):  # the lock holds without the text too
        os.ftruncate(handle, 0)
        os.write(handle, json.dumps(owner).encode() + b"\n")


def _owner(handle: int) -> str:
    """`` (process 1234 on HOST, since 12:03)`` as the lock file has it; empty if it has none."""
    try:
        os.lseek(handle, 0, os.SEEK_SET)
        owner = json.loads(os.read(handle, 4096))
        pid = int(owner["pid"])
        host = re.sub(r"[^\w.-]", "?", str(owner["host"]))
        since = datetime.fromisoformat(owner["since"]).astimezone()
    except (OSError, ValueError, TypeError, KeyError):
        return ""
    is_today = since.date() == datetime.now().date()
    time = since.strftime("%H:%M" if is_today else "%Y-%m-%d %H:%M")
    return f" (process {pid} on {host}, since {time})"
