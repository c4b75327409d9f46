"""The cache of the Hugging Face Hub on this machine, in the layout that the hub documents.

``models--user--repo/refs/main`` holds the commit that ``main`` named when the hub was last asked.
``snapshots/COMMIT/`` holds the files, as links to ``blobs/``. Beside them this program keeps the
list of files of each commit in ``trmsolve/COMMIT.json``, so that an address means the same without
a network as with one. The module never uses a network.
"""

import contextlib
import json
import re
from dataclasses import asdict
from pathlib import Path

from trmsolve.files import read_small, write_atomically
from trmsolve.hub.address import Listing, RemoteFile

COMMIT = re.compile("[0-9a-f]{40}")
SHA256 = re.compile("[0-9a-f]{64}")

LONGEST_LISTING = 16 << 20
"""The most bytes that the list of files of a commit may have; each file takes about 200."""


class CachedRepo:
    """A model repository in the cache that lies in the folder ``cache``."""

    def __init__(self, cache: Path, repo: str) -> None:
        self.folder = cache / f"models--{repo.replace('/', '--')}"

    def commit(self, revision: str) -> str | None:
        """The commit that the revision names here, or None. A commit names itself."""
        if COMMIT.fullmatch(revision):
            return revision
        with contextlib.suppress(OSError, ValueError):
            commit = read_small(self.folder / "refs" / revision).decode("utf-8").strip()
            if COMMIT.fullmatch(commit):
                return commit
        return None

    def pin(self, revision: str, commit: str) -> None:
        """Make the revision name this commit from now on. Raises OSError."""
        if self.commit(revision) != commit:
            _write(self.folder / "refs" / revision, commit)

    def path(self, commit: str, name: str) -> Path:
        """Where a file of the commit is, or would be."""
        return self.folder / "snapshots" / commit / name

    def has(self, commit: str, name: str, file: RemoteFile) -> bool:
        """Whether a file need not be downloaded, since this commit or another one brought it."""
        if self.path(commit, name).is_file():
            return True
        return bool(file.blob) and (self.folder / "blobs" / str(file.blob)).is_file()

    def listing(self, commit: str) -> Listing | None:
        """All files of the commit as the hub listed them; None if the hub was never asked."""
        with contextlib.suppress(OSError, ValueError, TypeError, AttributeError, RecursionError):
            stored = json.loads(read_small(self._listing_path(commit), LONGEST_LISTING))
            return {name: RemoteFile(**fields) for name, fields in stored.items()}
        return None

    def keep_listing(self, commit: str, files: Listing) -> None:
        """Store the hub's list of the files of a commit. Raises OSError."""
        if self.listing(commit) == files:
            return
        fields = {name: asdict(file) for name, file in files.items()}
        _write(self._listing_path(commit), json.dumps(fields))

    def on_disk(self, commit: str) -> Listing:
        """The files of the commit that are in the cache."""
        folder = self.folder / "snapshots" / commit
        found = {}
        for path in folder.rglob("*"):
            if path.is_file():
                name = path.relative_to(folder).as_posix()
                found[name] = RemoteFile(size=None, blob=None, sha256=blob_sha256(path))
        return found

    def _listing_path(self, commit: str) -> Path:
        return self.folder / "trmsolve" / f"{commit}.json"


def blob_sha256(path: Path) -> str | None:
    """The sha256 that names a large file of the cache; None for files under other names."""
    with contextlib.suppress(OSError):
        # Only one link is followed, since a blob may be a link as well.
        blob = path.parent / path.readlink() if path.is_symlink() else path
        if blob.parent.name == "blobs" and SHA256.fullmatch(blob.name):
            return blob.name
    return None


def files_with_suffix(cache: Path, suffix: str) -> list[tuple[str, str, Path]]:
    """The repository, commit and path of each file in the cache whose name ends with ``suffix``."""
    found = []
    for path in sorted(cache.glob(f"models--*--*/snapshots/*/**/*{suffix}")):
        folder, _, commit, *_ = path.relative_to(cache).parts
        repo = "/".join(folder.split("--")[1:3])
        found.append((repo, commit, path))
    return found


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, text.encode())
