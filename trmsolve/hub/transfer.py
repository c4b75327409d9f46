"""Files on the Hugging Face Hub: found, downloaded and published, by huggingface_hub alone.

The first download of a revision pins the commit that it names; the pin stays until the revision is
pulled again. Offline, no socket is opened. The module does not know what files are for: whoever
asks says which files of a commit are wanted and how large they may be.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from trmsolve.errors import NetworkError, UsageError, WeightsError
from trmsolve.files import sha256
from trmsolve.hub.address import (
    MAIN_REVISION,
    SCHEME,
    Address,
    Listing,
    RemoteFile,
    is_inside,
)
from trmsolve.hub.cache import COMMIT, CachedRepo, blob_sha256, files_with_suffix
from trmsolve.hub.client import bounded_bar, connected, constants, not_the_hub
from trmsolve.wording import size_text

Note = Callable[[str], None]
"""Tells the user something in one line."""

Check = Callable[[Path], object]
"""Raises an error for a file that is not to be used."""


@dataclass(frozen=True)
class WantedFile:
    """A file of a commit that is to be fetched."""

    name: str
    """Its path in the repository."""
    max_bytes: int | None
    """The size from which on it is refused; None if any size will do."""
    if_larger: str
    """Advice for the user about a file that is refused, after the sizes."""


@dataclass(frozen=True)
class Request:
    """A request for files of a repository on the hub."""

    address: Address
    choose: Callable[[Listing], list[WantedFile]]
    """Chooses among the files of a commit; the file that the address stands for comes first.

    Raises WeightsError if the commit does not have what is wanted.
    """
    if_offline: str
    """Advice for the user if the file is not in the cache and no network may be used."""
    if_gone: str
    """Advice for the user if the hub no longer has the commit that the revision is pinned to."""
    offline: bool = False
    note: Note | None = None
    """Called once before a download. Without it no progress is shown either."""
    check: Check | None = None
    """Called with a downloaded file; if it raises an error, the revision is not pinned."""

    @property
    def is_watched(self) -> bool:
        """Whether somebody follows the progress."""
        return self.note is not None


@dataclass(frozen=True)
class Pulled:
    """A downloaded file."""

    path: Path
    repo: str
    commit: str
    previous: str | None
    """The commit that the revision named on this machine before; None if it named none."""


@dataclass(frozen=True)
class CachedFile:
    """A file in the hub's cache, and an address that stands for it on this machine."""

    address: Address
    commit: str
    path: Path


def find(request: Request) -> Path:
    """The file that is asked for: from the cache if it is there, else downloaded.

    The hub is asked only if the cache does not have the file. Raises WeightsError for what the hub
    does not have or does not give out, NetworkError if it cannot be asked, and what the request's
    ``check`` raises.
    """
    kept = _find_cached(request)
    if kept is not None:
        return kept.path
    _require_network(request)
    address = request.address
    pinned = CachedRepo(_cache(), address.repo).commit(address.named)
    return _download(request, pinned or address.named).path


def pull(request: Request) -> Pulled:
    """Ask the hub what the revision names now, download what is new, and pin it.

    Offline, this is what ``find`` finds. The request's ``check`` gets the file, whether it is new
    or not, before anything is pinned. Raises the same errors as ``find``.
    """
    if _is_offline(request):
        kept = _find_cached(request)
        if kept is not None:
            if request.check is not None:
                request.check(kept.path)
            return kept
    _require_network(request)
    return _download(request, request.address.named)


def cached_files(suffix: str) -> list[CachedFile]:
    """The files in the hub's cache whose names end with ``suffix``.

    Their addresses name no revision where the file belongs to the commit that ``main`` is pinned
    to, and else the commit. Raises NetworkError if the environment makes no sense.
    """
    cache = _cache()
    found = []
    for repo, commit, path in files_with_suffix(cache, suffix):
        cached = CachedRepo(cache, repo)
        inside = path.relative_to(cached.path(commit, "")).as_posix()
        revision = None if cached.commit(MAIN_REVISION) == commit else commit
        found.append(CachedFile(Address(repo, revision, inside), commit, path))
    return found


def sha256_known(path: Path) -> str | None:
    """The sha256 that the hub gave for a file in its cache; None for small and for other files."""
    known = blob_sha256(path)
    is_in_cache = path.parent.resolve().is_relative_to(_cache().resolve()) if known else False
    return known if is_in_cache else None


def check_goal(address: Address) -> None:
    """Raise UsageError for an address of more than a repository, which nothing is pushed to."""
    if address.revision or address.path:
        raise UsageError(
            f"{address}: push needs a repository without a revision or file, {SCHEME}{address.repo}"
        )


def push(
    files: Mapping[str, bytes],
    address: Address,
    *,
    private: bool = False,
    message: str = "Weights of a Tiny Recursive Model",
    offline: bool = False,
) -> str:
    """Publish the files in one commit and return the repository's URL.

    A repository that does not exist is made. Raises UsageError if the user is not logged in or may
    not write there, and if ``private`` is asked for and the repository is public; NetworkError if
    the hub cannot be asked.
    """
    check_goal(address)
    if offline or constants().HF_HUB_OFFLINE:
        raise NetworkError(
            f"cannot push to {address} offline: --dry-run shows what would be pushed"
        )
    with connected(address, writing=True) as api:
        from huggingface_hub import CommitOperationAdd, get_token

        if get_token() is None:
            raise UsageError(f"log in with 'hf auth login', or set HF_TOKEN, to push to {address}")
        api.create_repo(address.repo, private=private or None, exist_ok=True)
        if private and not api.model_info(address.repo).private:
            raise UsageError(
                f"{address} already exists and is public, nothing was pushed: omit "
                "--private or choose another repository"
            )
        additions = [CommitOperationAdd(name, payload) for name, payload in files.items()]
        api.create_commit(address.repo, additions, commit_message=message)
        return f"{api.endpoint}/{address.repo}"


def _find_cached(request: Request) -> Pulled | None:
    """Find the files of a request in the cache; None if it does not have all of them.

    Raises WeightsError if the commit is known not to have what is wanted.
    """
    address = request.address
    repo = CachedRepo(_cache(), address.repo)
    commit = repo.commit(address.named)
    if commit is None:
        return None
    files = repo.listing(commit)
    try:
        wanted = request.choose(repo.on_disk(commit) if files is None else files)
    except WeightsError:
        if files is None:  # another program fetched the commit, and perhaps only a part of it
            return None
        raise
    paths = [repo.path(commit, file.name) for file in wanted]
    if not all(path.is_file() for path in paths):
        return None
    return Pulled(paths[0], address.repo, commit, previous=commit)


def _download(request: Request, revision: str) -> Pulled:
    """Fetch all wanted files of the commit that the revision names now.

    The commit is determined first and everything is fetched from it. The revision is pinned only
    after all files have come and the check has passed.
    """
    address = request.address
    repo = CachedRepo(_cache(), address.repo)
    commit, files = _ask(request, revision)
    wanted = request.choose(files)
    for file in wanted:
        _check_size(address, file, files[file.name])
    _announce(request, repo, commit, {file.name: files[file.name] for file in wanted})
    for file in wanted:
        _fetch(request, commit, file.name, files[file.name])
    path = repo.path(commit, wanted[0].name)
    if request.check is not None:
        request.check(path)
    previous = repo.commit(address.named) if address.named != commit else None
    repo.keep_listing(commit, files)
    repo.pin(address.named, commit)
    return Pulled(path, address.repo, commit, previous)


def _check_size(address: Address, wanted: WantedFile, file: RemoteFile) -> None:
    """Raise WeightsError for a file that is too large, or whose size the hub does not say."""
    if file.size is None:
        raise WeightsError(
            f"the hub does not report the size of {wanted.name} of {address}: it was not downloaded"
        )
    if wanted.max_bytes is not None and file.size > wanted.max_bytes:
        raise WeightsError(
            f"{wanted.name} of {address} has {size_text(file.size)}, "
            f"more than the {size_text(wanted.max_bytes)} allowed: {wanted.if_larger}"
        )


def _announce(request: Request, repo: CachedRepo, commit: str, files: Listing) -> None:
    """Tell the user about the download that follows, if there is one; the main file comes first."""
    missing = [file for name, file in files.items() if not repo.has(commit, name, file)]
    if not missing or request.note is None:
        return
    address = request.address
    size = sum(file.size or 0 for file in missing)
    request.note(
        f"downloading {next(iter(files))} of {address.repo}, {address.named} "
        f"(commit {commit[:12]}), {size_text(size)}, to {repo.folder}"
    )


def _ask(request: Request, revision: str) -> tuple[str, Listing]:
    """The commit that the revision names on the hub now, and the files in it."""
    address = request.address
    with connected(address, watched=request.is_watched) as api:
        from huggingface_hub import errors

        timeout = constants().HF_HUB_ETAG_TIMEOUT
        try:
            info = api.model_info(
                address.repo, revision=revision, files_metadata=True, timeout=timeout
            )
        except errors.RevisionNotFoundError:
            raise _no_revision(request, revision) from None
        except errors.HfHubHTTPError:
            raise
        except (ValueError, TypeError, KeyError, AttributeError):
            # The login page of a public network answers in a form that the library cannot read.
            info = None
        if info is None or not _is_commit(info.sha):
            raise not_the_hub(api.endpoint)
    return str(info.sha), _listing(info.siblings or [])


def _is_commit(name: object) -> bool:
    return isinstance(name, str) and COMMIT.fullmatch(name) is not None


def _listing(entries: Iterable[Any]) -> Listing:
    """The files that the hub lists, without those whose names or sizes cannot be."""
    files = {}
    for entry in entries:
        is_named = isinstance(entry.rfilename, str) and is_inside(entry.rfilename)
        if is_named and isinstance(entry.size, int | None):
            known = entry.lfs.sha256 if entry.lfs else None
            files[entry.rfilename] = RemoteFile(entry.size, known or entry.blob_id, known)
    return files


def _no_revision(request: Request, revision: str) -> WeightsError:
    """The error for a revision, or a pinned commit, that the hub does not have."""
    address = request.address
    problem = f"{SCHEME}{address.repo} has no revision {revision}"
    if revision != address.named:
        problem += f", which {address.named} pointed to before: {request.if_gone}"
    return WeightsError(problem)


def _fetch(request: Request, commit: str, name: str, file: RemoteFile) -> None:
    """Bring one file into the cache, as it is on the hub. A damaged copy is fetched again."""
    address = request.address
    other = WeightsError(
        f"{name} of {address} does not have the size or sha256 that the hub reports: "
        "the download was discarded"
    )
    for force in (False, True):
        with connected(address, watched=request.is_watched) as api:
            fetched = api.hf_hub_download(
                address.repo,
                name,
                revision=commit,
                cache_dir=_cache(),
                force_download=force,
                tqdm_class=bounded_bar(file.size or 0, other),
            )
        path = Path(fetched)
        if path.stat().st_size == file.size and file.sha256 in (None, sha256(path)):
            return
    path.unlink()
    raise other


def _cache() -> Path:
    return Path(constants().HF_HUB_CACHE)


def _is_offline(request: Request) -> bool:
    return request.offline or bool(constants().HF_HUB_OFFLINE)


def _require_network(request: Request) -> None:
    """Raise NetworkError if no network may be used."""
    if _is_offline(request):
        raise NetworkError(
            f"{request.address} is not in the cache and cannot be downloaded offline: "
            f"{request.if_offline}"
        )
