"""Weights on the Hugging Face Hub: found, downloaded and published, through huggingface_hub and by no other module.

What a revision names is settled by its first download and stays so until it is pulled again. Offline no socket is
opened. Knows the hub's errors and tells them in this program's words; nothing of what weights hold.
"""

import contextlib
import sys
import warnings
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from trmsolve import __version__
from trmsolve.errors import NetworkError, TrmsolveError, UsageError, WeightsError
from trmsolve.files import sha256
from trmsolve.hub_address import (
    MAIN_FILE,
    MAIN_REVISION,
    SCHEME,
    Address,
    Listing,
    RemoteFile,
    choose_file,
    files_beside,
    is_address,
    is_inside,
)
from trmsolve.hub_cache import COMMIT, CachedRepo, blob_sha256, tensor_files

if TYPE_CHECKING:
    from huggingface_hub import HfApi

__all__ = [
    "Address",
    "Cached",
    "Pulled",
    "cached",
    "find",
    "front_matter",
    "is_address",
    "pull",
    "push",
    "sha256_known",
    "silent",
    "size_text",
]

Note = Callable[[str], None]


def silent(_: str) -> None:
    """Says nothing."""


@dataclass(frozen=True)
class Pulled:
    """A downloaded file; ``previous`` is the commit that the revision named here before, None if it named none."""

    path: Path
    repo: str
    commit: str
    previous: str | None


@dataclass(frozen=True)
class Cached:
    """A file with weights in the hub's cache, and the shortest address that stands for it here."""

    address: Address
    commit: str
    path: Path


def find(
    address: Address, *, offline: bool = False, allow_large: bool = False, pickled: bool = False, note: Note = silent
) -> Path:
    """The file of this address, from the cache without asking the hub if it is there, and else downloaded.

    A revision is pinned by its first download. ``note`` is told once, before a download; files of over 512 MiB are
    refused unless ``allow_large``; ``pickled`` asks for a pickled checkpoint, with what lies beside it to describe it.
    Raises WeightsError for what the hub does not have or give, NetworkError if it cannot be asked.
    """
    if (kept := _kept(address, pickled)) is not None:
        return kept.path
    _need_network(address, offline)
    pinned = CachedRepo(_cache(), address.repo).commit(address.named)
    return _download(address, pinned or address.named, allow_large, pickled, note).path


def pull(
    address: Address, *, offline: bool = False, allow_large: bool = False, pickled: bool = False, note: Note = silent
) -> Pulled:
    """Ask the hub what the revision names now, pin that, and download what is new; offline, what ``find`` finds.

    Raises as ``find`` does.
    """
    if _is_offline(offline) and (kept := _kept(address, pickled)) is not None:
        return kept
    _need_network(address, offline)
    return _download(address, address.named, allow_large, pickled, note)


def cached() -> list[Cached]:
    """The safetensors files in the hub's cache that say of themselves that they are weights for this program."""
    usable = []
    for repo, commit, path in tensor_files(_cache()):
        from trmsolve.weights import read_info  # brings torch, which an empty cache does without

        with contextlib.suppress(WeightsError, OSError):
            read_info(path)
            inside = path.relative_to(CachedRepo(_cache(), repo).path(commit, "")).as_posix()
            pinned = CachedRepo(_cache(), repo).commit(MAIN_REVISION) == commit
            address = Address(repo, None if pinned else commit, None if inside == MAIN_FILE else inside)
            usable.append(Cached(address, commit, path))
    return usable


def sha256_known(path: Path) -> str | None:
    """The sha256 that the hub gave for a file inside its cache; None for small files, and for files elsewhere."""
    inside = path.parent.resolve().is_relative_to(_cache().resolve())
    return blob_sha256(path) if inside else None


def push(
    files: Mapping[str, bytes],
    address: Address,
    *,
    private: bool = False,
    message: str = "Weights of a Tiny Recursive Model",
    offline: bool = False,
) -> str:
    """Publish the files in one commit, in a repository that is made if there is none; its url.

    Raises UsageError if nobody is logged in or they may not write there, and if it is to be private and is not;
    NetworkError if the hub cannot be asked.
    """
    if address.revision or address.path:
        raise UsageError(f"{address}: files are pushed to a repository as a whole, {SCHEME}{address.repo}")
    if _is_offline(offline):
        raise NetworkError(f"offline nothing is pushed to {address}: --dry-run shows what would be")
    from huggingface_hub import CommitOperationAdd, get_token

    with _client(address, silent, writing=True) as api:
        if get_token() is None:
            raise UsageError(f"log in with 'hf auth login', or set HF_TOKEN, to push to {address}")
        api.create_repo(address.repo, private=private or None, exist_ok=True)
        if private and not api.model_info(address.repo).private:
            raise UsageError(f"{address} exists and is public, nothing is pushed: leave out --private or name another")
        additions = [CommitOperationAdd(name, payload) for name, payload in files.items()]
        api.create_commit(address.repo, additions, commit_message=message)
        return f"{api.endpoint}/{address.repo}"


def front_matter(name: str, fields: Mapping[str, Any], results: list[dict[str, Any]]) -> str:
    """The header of a model card, as YAML; ``results`` are the fields of ``EvalResult``, for the model index."""
    from huggingface_hub import EvalResult, ModelCardData

    measured = [EvalResult(**result) for result in results]
    return str(ModelCardData(model_name=name if measured else None, eval_results=measured or None, **fields).to_yaml())


def size_text(size: int) -> str:
    """A number of bytes for people to read."""
    kib = size / 1024
    return f"{size} bytes" if size < 1024 else f"{kib:.0f} KiB" if kib < 1024 else f"{kib / 1024:.1f} MiB"


def _kept(address: Address, pickled: bool) -> Pulled | None:
    """What the cache has for this address. Raises WeightsError if it is known that the commit has no such file."""
    repo = CachedRepo(_cache(), address.repo)
    if (commit := repo.commit(address.named)) is None:
        return None
    files = repo.listing(commit)
    try:
        name = choose_file(address, repo.on_disk(commit) if files is None else files, pickled)
    except WeightsError:
        if files is None:  # another program fetched it, and perhaps a part only
            return None
        raise
    wanted = [name, *(files_beside(name, files or {}) if pickled else [])]
    if not all(repo.path(commit, each).is_file() for each in wanted):
        return None
    return Pulled(repo.path(commit, name), address.repo, commit, commit)


def _download(address: Address, revision: str, allow_large: bool, pickled: bool, note: Note) -> Pulled:
    """The commit is settled first, and all is fetched at that; it is pinned when all has come."""
    from trmsolve.bounds import MAX_FILE

    repo = CachedRepo(_cache(), address.repo)
    commit, files = _ask(address, revision, note)
    name = choose_file(address, files, pickled)
    wanted = {each: files[each] for each in [name, *(files_beside(name, files) if pickled else [])]}
    for each, file in wanted.items():
        if file.size is None:
            raise WeightsError(f"the hub does not say how large {each} of {address} is: it is not fetched")
        if file.size > MAX_FILE and not allow_large:
            allowed = f"more than the {size_text(MAX_FILE)} allowed: --allow-large takes it"
            raise WeightsError(f"{each} of {address} has {size_text(file.size)}, {allowed}")
    if missing := [file.size or 0 for each, file in wanted.items() if not repo.has(commit, each, file)]:
        where = f"{address.repo}, {address.named} (commit {commit[:12]}), {size_text(sum(missing))}"
        note(f"downloading {name} of {where}, to {repo.folder}")
    for each, file in wanted.items():
        _fetch(address, commit, each, file, note)
    previous = repo.commit(address.named) if address.named != commit else None
    repo.keep_listing(commit, files)
    repo.pin(address.named, commit)
    return Pulled(repo.path(commit, name), address.repo, commit, previous)


def _ask(address: Address, revision: str, note: Note) -> tuple[str, Listing]:
    """The commit that the hub's revision names now, and the files in it."""
    from huggingface_hub import constants, errors

    with _client(address, note) as api:
        timeout = constants.HF_HUB_ETAG_TIMEOUT
        try:
            info = api.model_info(address.repo, revision=revision, files_metadata=True, timeout=timeout)
        except errors.RevisionNotFoundError:
            pin = f", as {address.named} was here: 'trmsolve weights pull {address}' asks what it is now"
            pin = pin if revision != address.named else ""
            raise WeightsError(f"{SCHEME}{address.repo} has no revision {revision}{pin}") from None
        except errors.HfHubHTTPError:
            raise
        except (ValueError, TypeError, KeyError, AttributeError):  # what wants a login to a café's network answers so
            info = None
        if info is None or not COMMIT.fullmatch(info.sha or ""):
            raise NetworkError(f"what answers at {api.endpoint} is not the hub: check the network, or HF_ENDPOINT")
    files = {}
    for entry in info.siblings or []:
        if is_inside(entry.rfilename):
            sha256 = entry.lfs.sha256 if entry.lfs else None
            files[entry.rfilename] = RemoteFile(entry.size, sha256 or entry.blob_id, sha256)
    return str(info.sha), files


def _fetch(address: Address, commit: str, name: str, file: RemoteFile, note: Note) -> None:
    """Bring one file into the cache, as it is on the hub: a copy that is damaged is fetched anew."""
    for again in (False, True):
        with _client(address, note) as api:
            fetched = api.hf_hub_download(
                address.repo, name, revision=commit, cache_dir=_cache(), force_download=again
            )  # fmt: skip
        path = Path(fetched)
        if path.stat().st_size == file.size and file.sha256 in (None, sha256(path)):
            return
    path.unlink()
    raise WeightsError(f"{name} of {address} came with another size or sha256 than the hub gives: it is not kept")


def _cache() -> Path:
    from huggingface_hub import constants

    return Path(constants.HF_HUB_CACHE)


def _is_offline(asked: bool) -> bool:
    from huggingface_hub import constants

    return asked or constants.HF_HUB_OFFLINE


def _need_network(address: Address, offline: bool) -> None:
    if _is_offline(offline):
        hint = f"'trmsolve weights pull {address}' fetches it with a network"
        raise NetworkError(f"{address} is not in the cache, and offline nothing is fetched: {hint}")


@contextlib.contextmanager
def _client(address: Address, note: Note, writing: bool = False) -> Iterator["HfApi"]:
    """The hub, quiet unless somebody watches; its errors are told in this program's words."""
    from huggingface_hub import HfApi, constants, errors
    from huggingface_hub.utils import logging
    from huggingface_hub.utils.tqdm import disable_progress_bars, enable_progress_bars

    constants.HF_HUB_DISABLE_TELEMETRY = True
    watched = sys.stderr is not None and sys.stderr.isatty() and (writing or note is not silent)
    if constants.HF_HUB_DISABLE_PROGRESS_BARS is None:  # else the user's environment has decided
        (enable_progress_bars if watched else disable_progress_bars)()
    logging.set_verbosity(30 if watched else 50)  # warnings, or nothing: what is wrong is told by the exceptions
    with warnings.catch_warnings():
        if not watched:
            warnings.simplefilter("ignore")
        try:
            yield HfApi(endpoint=constants.ENDPOINT, library_name="trmsolve", library_version=__version__)
        except TrmsolveError:
            raise
        except Exception as error:
            # The library raises what its client raises, which is httpx or its successor: known by a common ancestor.
            network = (errors.HfHubHTTPError.__bases__[0], errors.EntryNotFoundError, OSError, RuntimeError)
            told = _worded(error, address, constants.ENDPOINT, writing) if isinstance(error, network) else None
            raise told or error from None


def _worded(error: BaseException, address: Address, endpoint: str, writing: bool) -> TrmsolveError | None:
    """The error for the user; None for one that is not of the network, such as a full disk."""
    from huggingface_hub import errors

    page, login = f"{endpoint}/{address.repo}", "log in with 'hf auth login'"
    status = error.response.status_code if isinstance(error, errors.HfHubHTTPError) else None
    if isinstance(error, errors.LocalEntryNotFoundError) and error.__cause__ is not None:
        return _worded(error.__cause__, address, endpoint, writing)  # why it had to be looked for locally
    if isinstance(error, errors.GatedRepoError):
        return WeightsError(f"{address} is gated: accept its terms on {page}, then {login}")
    if writing and (status in (401, 403) or isinstance(error, errors.RepositoryNotFoundError)):
        return UsageError(f"you may not write to {address}: {login} as somebody who may, with a token that may write")
    if isinstance(error, errors.RepositoryNotFoundError):
        return WeightsError(f"there is no {page}, or it is private: check the name, or {login}")
    if status == 401:
        return WeightsError(f"the hub does not accept your token: {login} anew, or unset HF_TOKEN")
    if isinstance(error, errors.DisabledRepoError) or status == 403:
        return WeightsError(f"the hub does not give out {address}: see {page}")
    if status is not None:
        return NetworkError(f"{endpoint} answers with error {status}: try again later")
    if isinstance(error, OSError) and error.errno is not None:
        return None
    if "Timeout" in type(error).__name__:
        return NetworkError(f"{endpoint} does not answer in time: check the network, or try again later")
    return NetworkError(
        f"{endpoint} cannot be reached, or broke off: check the network; --offline takes what is cached"
    )
