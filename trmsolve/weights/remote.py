"""Weights on the Hugging Face Hub: which files of a repository they are, and how large they may be.

The module knows names and sizes of files. How they are fetched is the business of ``hub.transfer``.
"""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import PurePosixPath

from trmsolve.errors import WeightsError
from trmsolve.files import SMALL
from trmsolve.hub.address import Address, Listing, RemoteFile
from trmsolve.hub.transfer import CachedFile, Note, Request, WantedFile, cached_files
from trmsolve.weights.described import read_info
from trmsolve.weights.kind import LONGEST_NAMES, LONGEST_PUZZLES

MAIN_FILE = "model.safetensors"
"""The file that an address without a file stands for."""

SUFFIX = ".safetensors"
PICKLE_SUFFIXES = (".pt", ".pth", ".bin", ".ckpt")

BESIDE = {
    "all_config.yaml": SMALL,
    "config.json": SMALL,
    "identifiers.json": LONGEST_NAMES,
    "test_puzzles.json": LONGEST_PUZZLES,
}
"""Files that describe a pickled checkpoint, and the bytes that each may have.

They are fetched with the checkpoint from the same folder.
"""

MOST_NAMED = 8
"""The most files that a message names."""


def weights_request(
    address: Address,
    *,
    offline: bool = False,
    allow_large: bool = False,
    note: Note | None = None,
) -> Request:
    """A request for a weights file, all of which is checked before its revision is pinned.

    Files over 512 MiB are refused unless ``allow_large``.
    """
    from trmsolve.weights.file import check_whole  # imports torch

    def choose(files: Listing) -> list[WantedFile]:
        return [_main_file(choose_weights(address, files), allow_large)]

    # An address may name a pickle, which only the command ``convert`` fetches.
    is_weights = (address.path or MAIN_FILE).endswith(SUFFIX)
    return Request(
        address,
        choose,
        if_offline=_fetched_by("pull" if is_weights else "convert", address),
        if_gone=f"run 'trmsolve weights pull {address}' to get the current revision",
        offline=offline,
        note=note,
        check=partial(check_whole, allow_large=allow_large),
    )


def checkpoint_request(
    address: Address,
    *,
    offline: bool = False,
    allow_large: bool = False,
    note: Note | None = None,
) -> Request:
    """A request for a pickled checkpoint and the files beside it that describe it.

    Checkpoints over 512 MiB are refused unless ``allow_large``.
    """

    def choose(files: Listing) -> list[WantedFile]:
        name = choose_checkpoint(address, files)
        return [_main_file(name, allow_large), *_files_beside(name, files)]

    other = Address(address.repo, "REVISION", address.path)
    return Request(
        address,
        choose,
        if_offline=_fetched_by("convert", address),
        if_gone=f"give an existing revision, {other}",
        offline=offline,
        note=note,
    )


def cached_weights() -> Iterator[CachedFile]:
    """The weights for this program in the hub's cache, each with its shortest address.

    Raises NetworkError if the environment makes no sense for the hub.
    """
    for cached in cached_files(SUFFIX):
        try:
            read_info(cached.path)
        except (WeightsError, OSError):
            continue
        address = cached.address
        shortest = replace(address, path=None) if address.path == MAIN_FILE else address
        yield replace(cached, address=shortest)


def choose_weights(address: Address, files: Listing) -> str:
    """The file that is named, else ``model.safetensors``, else the only safetensors file.

    Raises WeightsError if there is none, if there are several, and for a pickled checkpoint.
    """
    pickles = _pickles(files)
    to_convert = f"'trmsolve weights convert {address}'"
    if address.path is not None:
        _check_exists(address, address.path, files)
        if address.path in pickles:
            raise WeightsError(f"{address} is a pickled checkpoint: convert it with {to_convert}")
        return address.path
    if MAIN_FILE in files:
        return MAIN_FILE
    found = [name for name in files if name.endswith(SUFFIX)]
    if not found and pickles:
        raise WeightsError(
            f"{_repo(address)} has only a pickled checkpoint: convert it with {to_convert}"
        )
    return _the_only_one(address, found, files, kind="weights")


def choose_checkpoint(address: Address, files: Listing) -> str:
    """The file that is named, else the only pickled checkpoint.

    Raises WeightsError if there is none, or if there are several.
    """
    if address.path is not None:
        _check_exists(address, address.path, files)
        return address.path
    return _the_only_one(address, _pickles(files), files, kind="pickled checkpoint")


def _main_file(name: str, allow_large: bool) -> WantedFile:
    from trmsolve.weights import limits  # imports torch

    max_bytes = None if allow_large else limits.MAX_FILE
    return WantedFile(name, max_bytes, limits.LIFTED)


def _files_beside(name: str, files: Listing) -> list[WantedFile]:
    """The files of a commit that describe the checkpoint of this name."""
    found = []
    for beside, max_bytes in BESIDE.items():
        path = str(PurePosixPath(name).with_name(beside))
        if path in files and path != name:
            found.append(WantedFile(path, max_bytes, "it was not downloaded"))
    return found


def _fetched_by(command: str, address: Address) -> str:
    return f"run 'trmsolve weights {command} {address}' with a network connection"


def _pickles(files: Listing) -> list[str]:
    return [name for name, file in files.items() if _is_pickle(name, file)]


def _is_pickle(name: str, file: RemoteFile) -> bool:
    """Whether the file is a pickled checkpoint, judging by its name.

    A name without a suffix, such as ``step_518071``, is one if the hub stores it as a large file.
    """
    suffix = PurePosixPath(name).suffix
    return suffix in PICKLE_SUFFIXES or (not suffix and file.sha256 is not None)


def _repo(address: Address) -> Address:
    return replace(address, path=None)


def _check_exists(address: Address, path: str, files: Listing) -> None:
    if path not in files:
        raise WeightsError(f"{_repo(address)} has no file {path}: it contains {_some(files)}")


def _the_only_one(address: Address, found: list[str], files: Listing, kind: str) -> str:
    if not found:
        raise WeightsError(f"{_repo(address)} has no {kind}: it contains {_some(files)}")
    if len(found) > 1:
        several = _some(str(replace(address, path=name)) for name in found)
        raise WeightsError(f"{_repo(address)} has several weights files: choose one of {several}")
    return found[0]


def _some(names: Iterable[str]) -> str:
    """The first names, and how many more there are."""
    found = list(names)
    listed = ", ".join(found[:MOST_NAMED]) or "nothing"
    more = len(found) - MOST_NAMED
    return f"{listed} and {more} more" if more > 0 else listed
