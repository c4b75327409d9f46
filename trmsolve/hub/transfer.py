"""Weights on the Hugging Face Hub: found, downloaded and published, through huggingface_hub and by no other way.

What a revision names is settled by its first download and stays so until it is pulled again.
Offline no socket is opened. Knows nothing of what weights hold, nor how the hub's errors are told,
which is ``hub_client``'s.
"""

import contextlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from trmsolve.errors import NetworkError, UsageError, WeightsError
from trmsolve.files import sha256
from trmsolve.hub.address import (
    BESIDE,
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
from trmsolve.hub.cache import COMMIT, CachedRepo, blob_sha256, tensor_files
from trmsolve.hub.client import connected, constants, not_the_hub, understood

__all__ = [
    "Address",
    "Cached",
    "Pulled",
    "cached",
    "check_goal",
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
Check = Callable[[Path], object]


def silent(_: str) -> None:
    """Says nothing."""


def unchecked(_: Path) -> None:
    """Takes any file."""


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
    address: Address,
    *,
    offline: bool = False,
    allow_large: bool = False,
    pickled: bool = False,
    note: Note = silent,
    check: Check = unchecked,
) -> Path:
    """The file of this address, from the cache without asking the hub if it is there, and else downloaded.

    A revision is pinned by its first download. ``note`` is told once, before a download; files of
    over 512 MiB are refused unless ``allow_large``; ``pickled`` asks for a pickled checkpoint, with
    what lies beside it to describe it. ``check`` gets a file that was downloaded, and what it
    raises leaves the revision as it was. Raises WeightsError for what the hub does not have or
    give, NetworkError if it cannot be asked.
    """
    if (kept := _kept(address, pickled)) is not None:
        return kept.path
    _need_network(address, offline, pickled)
    pinned = CachedRepo(_cache(), address.repo).commit(address.named)
    return _download(address, pinned or address.named, allow_large, pickled, note, check).path


def pull(
    address: Address,
    *,
    offline: bool = False,
    allow_large: bool = False,
    pickled: bool = False,
    note: Note = silent,
    check: Check = unchecked,
) -> Pulled:
    """Ask the hub what the revision names now, download what is new, and pin it; offline, what ``find`` finds.

    ``check`` gets the file, be it new or not, before anything is pinned. Raises what it raises, and
    as ``find`` does.
    """
    if _is_offline(offline) and (kept := _kept(address, pickled)) is not None:
        check(kept.path)
        return kept
    _need_network(address, offline, pickled)
    return _download(address, address.named, allow_large, pickled, note, check)


def cached() -> list[Cached]:
    """The safetensors files in the hub's cache that say of themselves that they are weights for this program."""
    usable = []
    for repo, commit, path in tensor_files(_cache()):
        from trmsolve.weights.file import (
            read_info,
        )  # brings torch, which an empty cache does without

        with contextlib.suppress(WeightsError, OSError):
            read_info(path)
            inside = path.relative_to(CachedRepo(_cache(), repo).path(commit, "")).as_posix()
            pinned = CachedRepo(_cache(), repo).commit(MAIN_REVISION) == commit
            address = Address(
                repo, None if pinned else commit, None if inside == MAIN_FILE else inside
            )
            usable.append(Cached(address, commit, path))
    return usable


def sha256_known(path: Path) -> str | None:
    """The sha256 that the hub gave for a file inside its cache; None for small files, and for files elsewhere."""
    known = blob_sha256(path)
    return known if known and path.parent.resolve().is_relative_to(_cache().resolve()) else None


def check_goal(address: Address) -> None:
    """Raise UsageError for an address that names more than a repository: nothing can be pushed there."""
    if address.revision or address.path:
        raise UsageError(
            f"{address}: files are pushed to a repository as a whole, {SCHEME}{address.repo}"
        )


def push(
    files: Mapping[str, bytes],
    address: Address,
    *,
    private: bool = False,
    message: str = "Weights of a Tiny Recursive Model",
    offline: bool = False,
) -> str:
    """Publish the files in one commit, in a repository that is made if there is none; its url.

    Raises UsageError if nobody is logged in or they may not write there, and if it is to be private
    and is not; NetworkError if the hub cannot be asked.
    """
    check_goal(address)
    if _is_offline(offline):
        raise NetworkError(f"offline nothing is pushed to {address}: --dry-run shows what would be")
    with connected(address, writing=True) as api:
        from huggingface_hub import CommitOperationAdd, get_token

        if get_token() is None:
            raise UsageError(f"log in with 'hf auth login', or set HF_TOKEN, to push to {address}")
        api.create_repo(address.repo, private=private or None, exist_ok=True)
        if private and not api.model_info(address.repo).private:
            raise UsageError(
                f"{address} exists and is public, nothing is pushed: leave out --private or name another"
            )
        additions = [CommitOperationAdd(name, payload) for name, payload in files.items()]
        api.create_commit(address.repo, additions, commit_message=message)
        return f"{api.endpoint}/{address.repo}"


def front_matter(name: str, fields: Mapping[str, Any], results: list[dict[str, Any]]) -> str:
    """The header of a model card, as YAML; ``results`` are the fields of ``EvalResult``, for the model index."""
    with understood():
        from huggingface_hub.repocard_data import EvalResult, ModelCardData

    measured = [EvalResult(**result) for result in results]
    return str(
        ModelCardData(
            model_name=name if measured else None, eval_results=measured or None, **fields
        ).to_yaml()
    )


def size_text(size: int) -> str:
    """A number of bytes for people to read."""
    kib = size / 1024
    return (
        f"{size} bytes"
        if size < 1024
        else f"{kib:.0f} KiB"
        if kib < 1024
        else f"{kib / 1024:.1f} MiB"
    )


def _kept(address: Address, pickled: bool) -> Pulled | None:
    """What the cache has for this address.

    Raises WeightsError if it is known that the commit has no such file.
    """
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


def _download(
    address: Address, revision: str, allow_large: bool, pickled: bool, note: Note, check: Check
) -> Pulled:
    """The commit is settled first, and all is fetched at that; it is pinned when all has come and is checked."""
    from trmsolve.weights.limits import MAX_FILE

    repo = CachedRepo(_cache(), address.repo)
    commit, files = _ask(address, revision, pickled, note)
    name = choose_file(address, files, pickled)
    wanted = {each: files[each] for each in [name, *(files_beside(name, files) if pickled else [])]}
    for each, file in wanted.items():
        if file.size is None:
            raise WeightsError(
                f"the hub does not say how large {each} of {address} is: it is not fetched"
            )
        if each == name and file.size > MAX_FILE and not allow_large:
            allowed = f"more than the {size_text(MAX_FILE)} allowed: --allow-large takes it"
            raise WeightsError(f"{each} of {address} has {size_text(file.size)}, {allowed}")
        if each != name and file.size > (limit := BESIDE[PurePosixPath(each).name]):
            allowed = (
                f"more than the {size_text(limit)} that such a file may have: nothing is fetched"
            )
            raise WeightsError(f"{each} of {address} has {size_text(file.size)}, {allowed}")
    if missing := [
        file.size or 0 for each, file in wanted.items() if not repo.has(commit, each, file)
    ]:
        where = f"{address.repo}, {address.named} (commit {commit[:12]}), {size_text(sum(missing))}"
        note(f"downloading {name} of {where}, to {repo.folder}")
    for each, file in wanted.items():
        _fetch(address, commit, each, file, note)
    check(repo.path(commit, name))
    previous = repo.commit(address.named) if address.named != commit else None
    repo.keep_listing(commit, files)
    repo.pin(address.named, commit)
    return Pulled(repo.path(commit, name), address.repo, commit, previous)


def _ask(address: Address, revision: str, pickled: bool, note: Note) -> tuple[str, Listing]:
    """The commit that the hub's revision names now, and the files in it."""
    with connected(address, watched=note is not silent) as api:
        from huggingface_hub import errors

        timeout = constants().HF_HUB_ETAG_TIMEOUT
        try:
            info = api.model_info(
                address.repo, revision=revision, files_metadata=True, timeout=timeout
            )
        except errors.RevisionNotFoundError:
            gone = f"{SCHEME}{address.repo} has no revision {revision}"
            if revision != address.named:
                again = f"'trmsolve weights pull {address}' asks what it is now"
                again = (
                    f"name one that it has, {Address(address.repo, 'REVISION', address.path)}"
                    if pickled
                    else again
                )
                gone += f", as {address.named} was here: {again}"
            raise WeightsError(gone) from None
        except errors.HfHubHTTPError:
            raise
        except (
            ValueError,
            TypeError,
            KeyError,
            AttributeError,
        ):  # what wants a login to a café's network answers so
            info = None
        if info is None or not COMMIT.fullmatch(info.sha or ""):
            raise not_the_hub(api.endpoint)
    files = {}
    for entry in info.siblings or []:
        if is_inside(entry.rfilename):
            sha256 = entry.lfs.sha256 if entry.lfs else None
            files[entry.rfilename] = RemoteFile(entry.size, sha256 or entry.blob_id, sha256)
    return str(info.sha), files


def _fetch(address: Address, commit: str, name: str, file: RemoteFile, note: Note) -> None:
    """Bring one file into the cache, as it is on the hub: a copy that is damaged is fetched anew."""
    for again in (False, True):
        with connected(address, watched=note is not silent) as api:
            fetched = api.hf_hub_download(
                address.repo, name, revision=commit, cache_dir=_cache(), force_download=again
            )
        path = Path(fetched)
        if path.stat().st_size == file.size and file.sha256 in (None, sha256(path)):
            return
    path.unlink()
    raise WeightsError(
        f"{name} of {address} came with another size or sha256 than the hub gives: it is not kept"
    )


def _cache() -> Path:
    return Path(constants().HF_HUB_CACHE)


def _is_offline(asked: bool) -> bool:
    return asked or bool(constants().HF_HUB_OFFLINE)


def _need_network(address: Address, offline: bool, pickled: bool) -> None:
    if _is_offline(offline):
        pickled = pickled or not (address.path or MAIN_FILE).endswith(
            ".safetensors"
        )  # pull would refuse it
        hint = f"'trmsolve weights {'convert' if pickled else 'pull'} {address}' fetches it with a network"
        raise NetworkError(f"{address} is not in the cache, and offline nothing is fetched: {hint}")
