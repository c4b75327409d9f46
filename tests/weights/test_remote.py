"""Weights on the hub: which files of a repository they are, and which are in the cache."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from huggingface_hub import constants

from tests.support.fake_hub import FakeHub, fake_hub, find, no_sockets, pull
from trmsolve.errors import NetworkError, WeightsError
from trmsolve.hub.address import Address
from trmsolve.hub.transfer import CachedFile
from trmsolve.model.config import TRMConfig
from trmsolve.model.network import TinyRecursiveModel
from trmsolve.weights.file import save_weights
from trmsolve.weights.info import WeightsInfo
from trmsolve.weights.remote import BESIDE, cached_weights

CONFIG = TRMConfig(
    vocab_size=11, seq_len=81, hidden_size=16, num_heads=2, layers=1, recursions=1, latent_steps=1
)
HERE = Address.parse("hf://me/trm")
MAIN = "model.safetensors"


def weights(folder: Path, seed: int = 0) -> bytes:
    torch.manual_seed(seed)
    path = folder / "made.safetensors"
    save_weights(path, TinyRecursiveModel(CONFIG).state_dict(), WeightsInfo(CONFIG, "sudoku"))
    return path.read_bytes()


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeHub]:
    with fake_hub(tmp_path, monkeypatch) as running:
        yield running


@pytest.fixture
def said() -> list[str]:
    return []


# Which file is meant.


def test_the_only_file_is_taken_whatever_its_name(
    hub: FakeHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.repo(
        "me/trm",
        {"a/sudoku.safetensors": b"only", "big.txt": bytes(200_000), "step_1.pt": b"pickle"},
    )
    assert find(HERE).name == "sudoku.safetensors"
    no_sockets(monkeypatch)
    assert find(HERE).read_bytes() == b"only"


def test_several_files_are_listed_with_and_without_a_network(
    hub: FakeHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    hub.repo("me/trm", {"a.safetensors": b"a", "b.safetensors": b"b"})
    several = (
        "several weights files: choose one of hf://me/trm/a.safetensors, hf://me/trm/b.safetensors"
    )
    with pytest.raises(WeightsError, match=several):
        find(HERE)
    assert find(Address("me/trm", None, "b.safetensors")).read_bytes() == b"b"
    no_sockets(monkeypatch)
    with pytest.raises(WeightsError, match=several):
        find(HERE)


def test_what_another_program_has_fetched_is_used(
    hub: FakeHub, monkeypatch: pytest.MonkeyPatch
) -> None:
    from huggingface_hub import hf_hub_download

    hub.repo("me/trm", {"only.safetensors": b"only"})
    fetched = hf_hub_download(
        "me/trm", "only.safetensors", endpoint=hub.endpoint, cache_dir=constants.HF_HUB_CACHE
    )
    no_sockets(monkeypatch)
    assert find(HERE) == Path(fetched)
    with pytest.raises(NetworkError, match="not in the cache"):
        find(Address("me/trm", None, "other.safetensors"), offline=True)


@pytest.mark.parametrize("name", ["a.pt", "a.pth", "a.bin", "a.ckpt", "run/step_518071"])
def test_pickles_are_for_convert(hub: FakeHub, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    pickle = b"\x80\x02" + bytes(200_000)
    hub.repo("me/trm", {name: pickle, "LICENSE": b"small", ".gitattributes": b"small"})
    with pytest.raises(
        WeightsError,
        match="only a pickled checkpoint: convert it with 'trmsolve weights convert hf://me/trm'",
    ):
        find(HERE)
    with pytest.raises(WeightsError, match=f"'trmsolve weights convert hf://me/trm/{name}'"):
        find(Address("me/trm", None, name))
    assert hub.downloads() == []
    assert find(HERE, pickled=True).read_bytes() == pickle
    no_sockets(monkeypatch)
    assert find(HERE, pickled=True).read_bytes() == pickle


def test_what_describes_a_pickle_comes_with_it(hub: FakeHub, said: list[str]) -> None:
    near = {"all_config.yaml": b"arch: {}", "identifiers.json": b"[]"}
    files = {f"run/{name}": payload for name, payload in near.items()}
    hub.repo(
        "me/trm",
        {"run/step_1.pt": b"pickle", "config.json": b"another's", "run/notes.txt": b"no", **files},
    )
    path = find(HERE, pickled=True, note=said.append)
    assert {each.name for each in path.parent.iterdir()} == {"step_1.pt", *near}
    assert len(said) == 1
    assert f"{sum(map(len, near.values())) + 6} bytes" in said[0]
    path.with_name("all_config.yaml").unlink()
    find(HERE, pickled=True)
    assert path.with_name("all_config.yaml").read_bytes() == near["all_config.yaml"]


def test_several_pickles_and_none(hub: FakeHub) -> None:
    hub.repo("me/trm", {"a.pt": b"a", "b.pt": b"b"})
    with pytest.raises(WeightsError, match=r"choose one of hf://me/trm/a\.pt, hf://me/trm/b\.pt"):
        find(HERE, pickled=True)
    hub.repo("me/safe", {MAIN: b"safe"})
    with pytest.raises(
        WeightsError, match=r"has no pickled checkpoint: it contains model\.safetensors"
    ):
        find(Address("me/safe"), pickled=True)


def test_missing_files_and_none_at_all(hub: FakeHub) -> None:
    hub.repo(
        "me/trm",
        {
            MAIN: b"weights",
            **{f"{n}.txt": b"" for n in range(20)},
            "\x1b[2J.txt": b"",
            "../up": b"",
        },
    )
    with pytest.raises(
        WeightsError,
        match=r"hf://me/trm has no file x\.safetensors: it contains model\.safetensors, ",
    ) as told:
        find(Address("me/trm", None, "x.safetensors"))
    assert str(told.value).endswith("and 13 more")
    hub.repo("me/empty", {"README.md": b"nothing yet"})
    with pytest.raises(WeightsError, match=r"hf://me/empty has no weights: it contains README\.md"):
        find(Address("me/empty"))


@pytest.mark.parametrize("name", BESIDE)
def test_what_lies_beside_a_pickle_may_not_be_large(
    hub: FakeHub, said: list[str], name: str
) -> None:
    hub.repo("me/trm", {"step_1.pt": b"pickle", name: b"{}"})
    hub.sizes[name] = BESIDE[name] + 1
    for allow_large in (False, True):
        with pytest.raises(
            WeightsError,
            match=f"{name} of hf://me/trm has .* MiB, more than the .* MiB allowed: it was not",
        ):
            find(HERE, pickled=True, note=said.append, allow_large=allow_large)
    assert hub.downloads() == []
    assert said == []


# What is in the cache, and what offline is told.


def test_cached_lists_what_is_usable(
    hub: FakeHub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert list(cached_weights()) == [], "no cache at all"
    payload = weights(tmp_path)
    commit = hub.repo("me/trm", {MAIN: payload, "sub/other.safetensors": weights(tmp_path, 1)})
    path = find(HERE)
    other = find(Address("me/trm", None, "sub/other.safetensors"))
    hub.repo("me/broken", {MAIN: payload[:-100]})
    hub.repo("me/foreign", {MAIN: b"\x02\0\0\0\0\0\0\0{}"})
    for name in ("me/broken", "me/foreign"):
        find(Address(name))
    old = hub.repo("me/moved", {MAIN: payload})
    find(Address("me/moved"))
    hub.repo("me/moved", {MAIN: b"no weights"})
    pull(Address("me/moved"))
    no_sockets(monkeypatch)
    before, one, another = cached_weights()
    assert before.address == Address("me/moved", old), "an earlier commit is named by itself"
    assert one == CachedFile(HERE, commit, path)
    assert another == CachedFile(Address("me/trm", None, "sub/other.safetensors"), commit, other)


@pytest.mark.parametrize(
    ("path", "pickled", "verb"),
    [
        (None, False, "pull"),
        (None, True, "convert"),
        ("run/step_1", False, "convert"),
        ("a.safetensors", False, "pull"),
    ],
)
def test_offline_names_the_command_that_would_fetch_it(
    hub: FakeHub, path: str | None, pickled: bool, verb: str
) -> None:
    address = Address("me/trm", None, path)
    with pytest.raises(
        NetworkError, match=f"run 'trmsolve weights {verb} {address}' with a network connection"
    ):
        find(address, pickled=pickled, offline=True)
