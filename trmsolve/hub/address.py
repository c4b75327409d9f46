"""Addresses on the Hugging Face Hub, and what the hub says about the files of a commit.

The module knows the names of repositories, revisions and files. It does not know networks, caches
or the contents of files.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from trmsolve.errors import UsageError

SCHEME = "hf://"
FORM = "hf://user/repo, hf://user/repo@revision or hf://user/repo/FILE"
MAIN_REVISION = "main"

_NAME = r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9_])?"
_REPO = f"{_NAME}/{_NAME}"
_REVISION = rf"refs/(?:pr|convert)/{_NAME}(?=/|$)|{_NAME}"
_ADDRESS = re.compile(rf"{SCHEME}({_REPO})(?:@({_REVISION}))?(?:/(.+))?")

_LONGEST_REPO = 96
"""The longest name of a repository in characters, by the rules of the hub."""

_LONGEST_PART = 255
"""The longest name of a file or folder in bytes, by the rules of common file systems."""

_LONGEST_PATH = 1024
"""The most characters of a path in a repository."""

_OTHER_KINDS = ("models", "datasets", "spaces", "kernels", "buckets")
"""First parts of paths on the hub that are not the name of a user."""


@dataclass(frozen=True)
class Address:
    """A model repository, and optionally a revision and a file: ``hf://user/repo[@revision][/path]``."""

    repo: str
    revision: str | None = None
    path: str | None = None

    @classmethod
    def parse(cls, text: str) -> "Address":
        """Read an address. Raises UsageError, which shows the form, for any other text."""
        match = _ADDRESS.fullmatch(text)
        if match is not None:
            repo, revision, path = match.groups()
            is_allowed_path = path is None or is_inside(path)
            if _is_allowed_repo(repo) and ".." not in (revision or "") and is_allowed_path:
                return cls(repo, revision, path)
        raise UsageError(f"{text[:200]!r} is not an address of weights on the hub: use {FORM}")

    def __str__(self) -> str:
        revision = f"@{self.revision}" if self.revision else ""
        path = f"/{self.path}" if self.path else ""
        return f"{SCHEME}{self.repo}{revision}{path}"

    @property
    def named(self) -> str:
        """The revision, which is ``main`` where the address names none."""
        return self.revision or MAIN_REVISION


def is_address(text: str) -> bool:
    """Whether the text is meant as an address on the hub, be it well formed or not."""
    return text.startswith(SCHEME)


@dataclass(frozen=True)
class RemoteFile:
    """The hub's statement about a file of a commit."""

    size: int | None
    """Bytes."""
    blob: str | None
    """The name of the file among the blobs of a cache."""
    sha256: str | None
    """The hash, which the hub gives for large files only."""


Listing = Mapping[str, RemoteFile]
"""The files of a commit by their paths in it."""


def is_inside(path: str) -> bool:
    """Whether this may be the path of a file in a repository, here and on any system."""
    if not path.isprintable() or len(path) > _LONGEST_PATH:
        return False
    return all(_is_allowed_part(part) for part in path.split("/"))


def _is_allowed_part(part: str) -> bool:
    if part in ("", ".", "..") or len(part.encode()) > _LONGEST_PART:
        return False
    return "\\" not in part and ":" not in part


def _is_allowed_repo(repo: str) -> bool:
    """Whether the hub would accept the name, which has the form ``user/repo``."""
    has_forbidden_text = ".." in repo or "--" in repo or repo.endswith(".git")
    user = repo.partition("/")[0]
    return not has_forbidden_text and len(repo) <= _LONGEST_REPO and user not in _OTHER_KINDS
