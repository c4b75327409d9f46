"""Addresses of weights on the Hugging Face Hub, and which file of a repository is meant by one.

Knows names of repositories, revisions and files; nothing of networks, caches, or what the files
hold.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath

from trmsolve.errors import UsageError, WeightsError
from trmsolve.files import SMALL
from trmsolve.weights.kind import LONGEST_NAMES, LONGEST_PUZZLES

SCHEME = "hf://"
FORM = "hf://user/repo, hf://user/repo@revision or hf://user/repo/FILE"
MAIN_FILE, MAIN_REVISION = "model.safetensors", "main"
PICKLED = (".pt", ".pth", ".bin", ".ckpt")
BESIDE = {
    "all_config.yaml": SMALL,
    "config.json": SMALL,
    "identifiers.json": LONGEST_NAMES,
    "test_puzzles.json": LONGEST_PUZZLES,
}
"""Files that say what a pickled checkpoint is, fetched with it from the same folder, and the bytes each may have."""

NAMED = 8  # files that are named in a message

_NAME = r"[A-Za-z0-9](?:[A-Za-z0-9._-]*[A-Za-z0-9_])?"
_ADDRESS = re.compile(
    rf"{SCHEME}({_NAME}/{_NAME})(?:@(refs/(?:pr|convert)/{_NAME}(?=/|$)|{_NAME}))?(?:/(.+))?"
)
_LONGEST = 96  # characters of a repository's name, as the hub has it
_OTHER_KINDS = ("models", "datasets", "spaces", "kernels", "buckets")


@dataclass(frozen=True)
class Address:
    """``hf://user/repo[@revision][/path/in/repo]``: a model repository, and which state and file of it."""

    repo: str
    revision: str | None = None
    path: str | None = None

    @classmethod
    def parse(cls, text: str) -> "Address":
        """Raises UsageError, saying the form, for anything else."""
        if match := _ADDRESS.fullmatch(text):
            repo, revision, path = match.groups()
            odd = ".." in repo or "--" in repo or repo.endswith(".git") or len(repo) > _LONGEST
            odd = odd or repo.partition("/")[0] in _OTHER_KINDS or ".." in (revision or "")
            if not odd and is_inside(path or MAIN_FILE):
                return cls(repo, revision, path)
        raise UsageError(f"{text[:200]!r} is no address of weights on the hub: write {FORM}")

    def __str__(self) -> str:
        revision, path = (
            f"@{self.revision}" if self.revision else "",
            f"/{self.path}" if self.path else "",
        )
        return f"{SCHEME}{self.repo}{revision}{path}"

    @property
    def named(self) -> str:
        """The revision that is meant."""
        return self.revision or MAIN_REVISION


def is_address(text: str) -> bool:
    """Whether the text means something on the hub, be it well formed or not."""
    return text.startswith(SCHEME)


@dataclass(frozen=True)
class RemoteFile:
    """What the hub says of a file: bytes, its name among the blobs of a cache, its sha256 if it is kept as large."""

    size: int | None
    blob: str | None
    sha256: str | None


Listing = Mapping[str, RemoteFile]
"""The files of a commit by their paths in it."""


def choose_file(address: Address, files: Listing, pickled: bool) -> str:
    """Which file is meant: the one that is named, else ``model.safetensors``, else the only one there is.

    ``pickled`` asks for a pickled checkpoint instead. Raises WeightsError where there is none, or
    more than one.
    """
    repo = Address(address.repo, address.revision)
    pickles = [name for name, file in files.items() if _is_pickle(name, file)]
    if address.path is not None:
        if address.path not in files:
            raise WeightsError(f"{repo} has no file {address.path}: it has {_some(files)}")
        if address.path in pickles and not pickled:
            raise WeightsError(
                f"{address} is a pickled checkpoint: 'trmsolve weights convert {address}' makes it safe"
            )
        return address.path
    wanted = pickles if pickled else [name for name in files if name.endswith(".safetensors")]
    if not pickled and MAIN_FILE in wanted:
        return MAIN_FILE
    if len(wanted) > 1:
        several = _some(str(Address(address.repo, address.revision, name)) for name in wanted)
        raise WeightsError(f"{repo} has several files of weights, choose one of {several}")
    if wanted:
        return wanted[0]
    if pickles:
        hint = f"'trmsolve weights convert {address}' makes weights of it"
        raise WeightsError(f"{repo} has only a pickled checkpoint: {hint}")
    raise WeightsError(
        f"{repo} has no {'pickled checkpoint' if pickled else 'weights'}: it has {_some(files)}"
    )


def files_beside(name: str, files: Listing) -> list[str]:
    """What the commit has of the files that describe the checkpoint of this name."""
    return [
        near
        for each in BESIDE
        if (near := str(PurePosixPath(name).with_name(each))) in files and near != name
    ]


def is_inside(path: str) -> bool:
    """Whether this may be the path of a file in a repository, here and on any system."""
    parts = path.split("/")
    return path.isprintable() and not any(
        part in ("", ".", "..") or "\\" in part or ":" in part for part in parts
    )


def _is_pickle(name: str, file: RemoteFile) -> bool:
    """By its name; what has no suffix, as in ``step_518071``, is a checkpoint if it is kept as large."""
    suffix = PurePosixPath(name).suffix
    return suffix in PICKLED or (not suffix and file.sha256 is not None)


def _some(names: Iterable[str]) -> str:
    found = list(names)
    more = f" and {len(found) - NAMED} more" if len(found) > NAMED else ""
    return (", ".join(found[:NAMED]) or "nothing") + more
