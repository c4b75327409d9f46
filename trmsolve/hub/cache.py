"""The cache of the Hugging Face Hub on this machine, as its documentation lays it out; never a network.

``models--user--repo/refs/main`` holds the commit that ``main`` named when it was last asked,
``snapshots/COMMIT/`` the files, as links to ``blobs/``. Beside them this program keeps what each
commit holds, ``trmsolve/COMMIT.json``, so that without a network a name means what it means with
one.
"""

import contextlib
import json
import re
from dataclasses import asdict
from pathlib import Path

from trmsolve.files import read_small, write_atomically
from trmsolve.hub.address import Listing, RemoteFile

COMMIT, SHA256 = re.compile("[0-9a-f]{40}"), re.compile("[0-9a-f]{64}")

LONGEST_LISTING = 16 << 20
"""Bytes of what is kept of a commit, at most: about 200 for each of its files."""


class CachedRepo:
    """What the cache in the folder ``cache`` has of a model repository."""

    def __init__(self, cache: Path, repo: str) -> None:
        self.folder = cache / f"models--{repo.replace('/', '--')}"

    def commit(self, revision: str) -> str | None:
        """What the revision names here; a commit names itself."""
        if COMMIT.fullmatch(revision):
            return revision
        with contextlib.suppress(OSError, ValueError):
            commit = read_small(self.folder / "refs" / revision).decode("utf-8").strip()
            if COMMIT.fullmatch(commit):
                return commit
        return None

    def pin(self, revision: str, commit: str) -> None:
        """From now on the revision names this commit. Raises OSError."""
        if self.commit(revision) != commit:
            _write(self.folder / "refs" / revision, commit)

    def path(self, commit: str, name: str) -> Path:
        """Where a file of the commit is, or would be."""
        return self.folder / "snapshots" / commit / name

    def has(self, commit: str, name: str, file: RemoteFile) -> bool:
        """Whether nothing need be downloaded for a file, as it came with this commit or with another."""
        return self.path(commit, name).is_file() or bool(
            file.blob and (self.folder / "blobs" / file.blob).is_file()
        )

    def listing(self, commit: str) -> Listing | None:
        """All files of the commit, as the hub once said; None if this program has not asked it."""
        with contextlib.suppress(OSError, ValueError, TypeError, AttributeError, RecursionError):
            stored = json.loads(read_small(self._record(commit), LONGEST_LISTING))
            return {name: RemoteFile(**fields) for name, fields in stored.items()}
        return None

    def keep_listing(self, commit: str, files: Listing) -> None:
        """Remember what the hub says. Raises OSError."""
        if self.listing(commit) != files:
            _write(
                self._record(commit),
                json.dumps({name: asdict(file) for name, file in files.items()}),
            )

    def on_disk(self, commit: str) -> Listing:
        """Those files of the commit that are here."""
        folder = self.folder / "snapshots" / commit
        here = (path for path in folder.rglob("*") if path.is_file())
        return {
            path.relative_to(folder).as_posix(): RemoteFile(None, None, blob_sha256(path))
            for path in here
        }

    def _record(self, commit: str) -> Path:
        return self.folder / "trmsolve" / f"{commit}.json"


def blob_sha256(path: Path) -> str | None:
    """The sha256 under which a large file of the cache is kept; None for what is kept under another name."""
    with contextlib.suppress(OSError):
        blob = (
            path.parent / path.readlink() if path.is_symlink() else path
        )  # one step: a blob may be a link as well
        if blob.parent.name == "blobs" and SHA256.fullmatch(blob.name):
            return blob.name
    return None


def tensor_files(cache: Path) -> list[tuple[str, str, Path]]:
    """Repository, commit and path of all safetensors files in the cache."""
    paths = sorted(cache.glob("models--*--*/snapshots/*/**/*.safetensors"))
    parts = [(path.relative_to(cache).parts, path) for path in paths]
    return [("/".join(inside[0].split("--")[1:3]), inside[2], path) for inside, path in parts]


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, text.encode())
