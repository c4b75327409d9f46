"""The folder for what can be made again, such as puzzles to train on.

It is ``trmsolve`` in ``$XDG_CACHE_HOME``, usually ``~/.cache``. Nothing is lost if it is cleared.
The module knows files and their sizes; not what is in them.
"""

import contextlib
import os
from pathlib import Path

MOST_BYTES = 500_000_000
"""The folder is kept below this size: the files that were used longest ago go first."""


def cache_folder() -> Path:
    """Where the folder is, or would be."""
    home = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")  # noqa: PTH111
    return Path(home) / "trmsolve"


def cached_files() -> list[Path]:
    """All files of the folder, those that were used longest ago first."""
    folder = cache_folder()
    if not folder.is_dir():
        return []
    files = [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]
    return sorted(files, key=_last_use)


def cached_bytes() -> int:
    """The size of all files of the folder together."""
    return sum(_size(path) for path in cached_files())


def clear_cache() -> int:
    """Delete all files of the folder, and return how many there were.

    Raises OSError naming a file that cannot be deleted.
    """
    files = cached_files()
    for path in files:
        path.unlink(missing_ok=True)
    return len(files)


def trim_cache(most: int = MOST_BYTES) -> None:
    """Delete files until the folder has at most so many bytes. Files that cannot go stay."""
    files = cached_files()
    total = sum(_size(path) for path in files)
    for path in files:
        if total <= most:
            return
        total -= _size(path)
        with contextlib.suppress(OSError):
            path.unlink()


def _size(path: Path) -> int:
    """In bytes; 0 for a file that another process has deleted."""
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _last_use(path: Path) -> float:
    try:
        return path.stat().st_mtime
    except OSError:
        return 0.0
