"""Where weights are: bundled ones, files, folders of runs, the hub's cache, and their names.

The module knows paths and names. What is in the files is known to ``weights.file``, and how they
are fetched to ``hub.transfer``.
"""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from trmsolve.errors import NetworkError, UsageError, WeightsError
from trmsolve.files import read_small, reason
from trmsolve.hub import transfer
from trmsolve.hub.address import Address, is_address
from trmsolve.weights import remote
from trmsolve.weights.described import bundled_weights, read_info
from trmsolve.weights.graph import is_graph
from trmsolve.weights.info import WeightsInfo
from trmsolve.weights.public import PUBLIC, PublicCheckpoint, find_public

BUNDLED = ("sudoku", "maze", "arc", "arc-lines", "sudoku-1k", "sudoku-4x4", "sudoku-16x16")
"""The names of the bundled weights. Those of a kind of puzzle have its name."""

SUMS = "SHA256SUMS"
"""The file of hashes beside the bundled weights, in the form of ``sha256sum``."""


@dataclass(frozen=True)
class LocalWeights:
    """Weights that are on this machine."""

    name: str
    """The name or address that stands for them."""
    where: str
    """``bundled`` or ``cached``."""
    path: Path
    info: WeightsInfo


def resolve(
    named: str | Path | None,
    task: str | None = None,
    *,
    offline: bool = False,
    allow_large: bool = False,
    note: Callable[[str], None] | None = None,
) -> Path:
    """The weights file that a name, a path or an address stands for; without one, that of ``task``.

    A name is tried before a path, even where a file of that name exists: ``./name`` is the path. An
    address, ``hf://user/repo[@revision][/file]``, is fetched if it is not in the cache, and
    ``note`` is told before. It is also told of weights without a checksum. Raises UsageError if
    nothing is named, WeightsError if there are no such weights, NetworkError if they cannot be
    fetched.
    """
    path = _located(named, task, offline, allow_large, note)
    if note is not None and _lacks_checksum(path):
        note(
            f"{path} has no checksum, like weights of other programs and of early versions: "
            "damage to its values may go unnoticed"
        )
    return path


def _located(
    named: str | Path | None,
    task: str | None,
    offline: bool,
    allow_large: bool,
    note: Callable[[str], None] | None,
) -> Path:
    """The file of ``resolve``, of which nothing is known yet."""
    if named is None:
        if task is None:
            raise UsageError(
                "no weights given: give a file, a name from 'trmsolve weights list', "
                "or hf://user/repo"
            )
        return bundled_weights(task)
    if isinstance(named, Path):
        return _file_at(named, task)
    if is_address(named):
        request = remote.weights_request(
            Address.parse(named), offline=offline, allow_large=allow_large, note=note
        )
        return transfer.find(request)
    if named in BUNDLED:
        return bundled_weights(named)
    return _file_named(named, task)


def _lacks_checksum(path: Path) -> bool:
    """Whether weights say what they are but carry no checksum of it."""
    try:
        return read_info(path).checksum is None
    except WeightsError:  # reported when the file is read
        return False


def to_record(named: str | None, task: str) -> Path:
    """The file to store a score in.

    Raises UsageError for what is to stay as it is: graphs, weights in the hub's cache, and those
    with a pinned hash, such as the bundled ones.
    """
    if named is None or not is_address(named):
        path = resolve(named, task)
        if is_graph(path):
            raise UsageError(f"{path} is a graph: scores are stored in weights only")
        if pinned(path) is None:
            return path
    raise UsageError(
        f"{named or 'the bundled file'} must not be changed: copy it and give the copy "
        "with --weights"
    )


def address_of(text: str) -> Address:
    """The address that is written, or that the name of a public checkpoint stands for.

    Raises UsageError if it is neither.
    """
    public = find_public(text)
    if public is not None:
        return Address.parse(public.address)
    if is_address(text):
        return Address.parse(text)
    if text in BUNDLED:
        raise UsageError(f"{text} is bundled: there is nothing to download")
    names = ", ".join(checkpoint.name for checkpoint in PUBLIC)
    raise UsageError(
        f"{text} is neither an address such as hf://user/repo nor a name of public weights: {names}"
    )


def list_local() -> Iterator[LocalWeights]:
    """All weights that are on this machine: the bundled ones, then those in the hub's cache."""
    for name in BUNDLED:
        try:
            path = bundled_weights(name)
        except WeightsError:
            continue
        yield LocalWeights(name, "bundled", path, read_info(path))
    # Where the environment makes no sense for the hub, only its cache is left out.
    found = list[transfer.CachedFile]()
    with contextlib.suppress(NetworkError):
        found = list(remote.cached_weights())
    for cached in found:
        yield LocalWeights(str(cached.address), "cached", cached.path, read_info(cached.path))


def pinned(path: Path) -> tuple[str, str] | None:
    """The sha256 that a file should have, and where that is written; None if it is nowhere.

    Raises WeightsError if the file of hashes beside it cannot be read.
    """
    known = transfer.sha256_known(path)
    if known is not None:
        return known, "the hub"
    sums = path.with_name(SUMS)
    try:
        lines = read_small(sums).decode("utf-8").splitlines()
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise WeightsError(f"{sums} cannot be read: {reason(error)}") from None
    digests = {}
    for line in lines:
        digest, _, name = line.partition(" ")
        digests[name.lstrip(" *")] = digest.lower()
    if path.name not in digests:
        return None
    return digests[path.name], f"{SUMS} beside it"


def public_of(text: str) -> PublicCheckpoint | None:
    """The public checkpoint that a name or an address stands for."""
    by_name = find_public(text)
    if by_name is not None:
        return by_name
    for checkpoint in PUBLIC:
        if checkpoint.address == text:
            return checkpoint
    return None


def _file_named(named: str, task: str | None) -> Path:
    """The file at the path that a user typed, which is neither a bundled name nor an address."""
    public = find_public(named)
    if public is not None:
        raise WeightsError(
            f"{named} is a pickled checkpoint: convert it with 'trmsolve weights "
            f"convert {public.name}'"
        )
    path = _file_at(Path(named), task)
    # A path that may not be looked at is reported when the file is read.
    with contextlib.suppress(OSError, ValueError):
        if not path.exists() and not path.suffix:
            hint = "give hf://user/repo for the hub, or a name from 'trmsolve weights list'"
            raise WeightsError(
                f"no weights at {named}, which is neither a file nor a known name: {hint}"
            )
    return path


def _file_at(path: Path, task: str | None) -> Path:
    """The weights file that ``path`` names: the path itself, or the file in a run's folder.

    Without a task, a folder stands for the only weights file in it. Raises WeightsError if the
    folder has none for ``task``.
    """
    if task is None:
        from trmsolve.puzzles.registry import task_names  # a list of weights needs no puzzle

        names = (*task_names(), "arc")
        found = [name for name in names if (path / f"{name}.safetensors").is_file()]
        if len(found) != 1:
            return path
        task = found[0]
    # A path that may not be looked at is reported when the file is read.
    with contextlib.suppress(OSError, ValueError):
        if path.is_dir():
            inside = path / f"{task}.safetensors"
            if not inside.is_file():
                raise WeightsError(
                    f"the folder {path} contains no {inside.name}: give the folder of a "
                    "training run, or a weights file"
                )
            return inside
    return path
