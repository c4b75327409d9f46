"""Where weights are: the bundled ones, files and runs' folders, the hub's cache, and the names they go by.

Knows paths and names; what is in the files is ``weights``', and how they are fetched is ``hub``'s.
"""

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from trmsolve.errors import NetworkError, UsageError, WeightsError
from trmsolve.files import read_small, reason
from trmsolve.hub.address import Address, is_address
from trmsolve.hub.transfer import silent
from trmsolve.puzzles import task_names
from trmsolve.weights.file import WeightsInfo, bundled_weights, check_whole, read_info, weights_at
from trmsolve.weights.public import PUBLIC, PublicCheckpoint, find_public

BUNDLED = ("sudoku", "maze", "arc")
SUMS = "SHA256SUMS"
"""What stands beside the bundled weights, as ``sha256sum`` writes and checks it."""


@dataclass(frozen=True)
class Kept:
    """Weights that are on this machine: what to call them, where they are, what they say of themselves."""

    name: str
    where: str  # bundled, cached
    path: Path
    info: WeightsInfo


def locate(
    named: str | Path | None,
    task: str | None = None,
    *,
    offline: bool = False,
    allow_large: bool = False,
    note: Callable[[str], None] = silent,
) -> Path:
    """The file of weights that is meant: those of ``task`` if nothing is named, else a path, a name or an address.

    An address, ``hf://user/repo[@revision][/file]``, is fetched if it is not in the cache, and
    ``note`` told before. A name goes before a path, whatever lies in the folder where one is;
    ``./name`` is the path. Raises WeightsError if there are none, NetworkError if they cannot be
    fetched.
    """
    if named is None:
        if task is None:
            raise UsageError(
                "name weights: a file, a name of 'trmsolve weights list', or hf://user/repo"
            )
        return bundled_weights(task)
    if isinstance(named, Path):
        return _at(named, task)
    if is_address(named):
        return _fetch(named, offline, allow_large, note)
    if named in BUNDLED:
        return bundled_weights(named)
    if (public := find_public(named)) is not None:
        raise WeightsError(
            f"{named} is a pickled checkpoint: 'trmsolve weights convert {public.name}' makes weights"
        )
    path = _at(Path(named), task)
    with contextlib.suppress(
        OSError, ValueError
    ):  # what may not be looked at is told when it is read
        if not path.exists() and not path.suffix:
            hint = "write hf://user/repo for the hub, or see 'trmsolve weights list'"
            raise WeightsError(f"no weights at {named}, nor is it a name: {hint}")
    return path


def to_record(named: str | None, task: str) -> Path:
    """The file to keep a score in.

    Raises UsageError for what is in the hub's cache, or pinned, as what is bundled.
    """
    if (named is not None and is_address(named)) or pinned(path := locate(named, task)) is not None:
        raise UsageError(
            f"{named or 'what is bundled'} is to stay as it is: keep figures in a copy, with --weights"
        )
    return path


def address_of(text: str) -> Address:
    """The address that is written, or that a name stands for.

    Raises UsageError if it is neither.
    """
    if (public := find_public(text)) is not None:
        return Address.parse(public.address)
    if not is_address(text):
        if text in BUNDLED:
            raise UsageError(f"{text} is bundled: nothing has to be fetched")
        names = ", ".join(one.name for one in PUBLIC)
        raise UsageError(
            f"{text} is no address such as hf://user/repo, and no name of public weights: {names}"
        )
    return Address.parse(text)


def kept() -> Iterator[Kept]:
    """All weights that are at hand without a network: the bundled ones, then those of the hub's cache."""
    from trmsolve.hub.transfer import Cached, cached

    for task in BUNDLED:
        try:
            path = bundled_weights(task)
        except WeightsError:
            continue
        yield Kept(task, "bundled", path, read_info(path))
    found = list[Cached]()
    with contextlib.suppress(
        NetworkError
    ):  # an environment that makes no sense to the hub hides its cache alone
        found = cached()
    for one in found:
        yield Kept(str(one.address), "cached", one.path, read_info(one.path))


def pinned(path: Path) -> tuple[str, str] | None:
    """The sha256 that a file should have, and who says so; None if nobody does.

    Raises WeightsError for odd sums.
    """
    from trmsolve.hub.transfer import sha256_known

    if (known := sha256_known(path)) is not None:
        return known, "the hub"
    sums = path.with_name(SUMS)
    try:
        lines = read_small(sums).decode("utf-8").splitlines()
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise WeightsError(f"{sums} cannot be read: {reason(error)}") from None
    found = {
        name.lstrip(" *"): digest.lower()
        for digest, _, name in (line.partition(" ") for line in lines)
    }
    return (found[path.name], f"{SUMS} beside it") if path.name in found else None


def public_of(text: str) -> PublicCheckpoint | None:
    """The public checkpoint that a name or its address stands for."""
    return find_public(text) or next((one for one in PUBLIC if one.address == text), None)


def _fetch(text: str, offline: bool, allow_large: bool, note: Callable[[str], None]) -> Path:
    from trmsolve.hub.transfer import find

    check = partial(check_whole, allow_large=allow_large)  # before the address stands for it
    return find(address_of(text), offline=offline, allow_large=allow_large, note=note, check=check)


def _at(path: Path, task: str | None) -> Path:
    """As ``weights_at``; of a run's folder whatever it holds if nobody says for which task."""
    if task is None:
        names = (*task_names(), "arc")
        found = [one for one in names if (path / f"{one}.safetensors").is_file()]
        task = found[0] if len(found) == 1 else None
    return path if task is None else weights_at(path, task)
