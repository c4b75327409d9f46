"""Weights by their names: where they are found, their hashes, and what a name stands for."""

import hashlib
import socket
from dataclasses import replace
from pathlib import Path
from typing import Any, NoReturn

import pytest
from huggingface_hub import constants

from tests.support.checkpoints import CONFIG
from trmsolve.errors import NetworkError, UsageError, WeightsError
from trmsolve.hub.address import Address
from trmsolve.model.network import TinyRecursiveModel
from trmsolve.puzzles.registry import task_names
from trmsolve.weights import catalog, remote
from trmsolve.weights.catalog import (
    BUNDLED,
    SUMS,
    address_of,
    list_local,
    pinned,
    public_of,
    resolve,
    to_record,
)
from trmsolve.weights.file import bundled_weights, save_weights
from trmsolve.weights.info import WeightsInfo
from trmsolve.weights.public import PUBLIC, find_public

SMALL = replace(CONFIG, hidden_size=16, num_heads=2, puzzle_emb_dim=16, num_puzzles=1)


@pytest.fixture(autouse=True)
def no_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty cache, and a machine without any way out."""

    def refuse(*_: Any, **__: Any) -> NoReturn:
        raise AssertionError("a socket was opened")

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket, "getaddrinfo", refuse)


def weights(path: Path, task: str = "arc") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    save_weights(path, TinyRecursiveModel(SMALL).state_dict(), WeightsInfo(SMALL, task))
    return path


def test_a_name_goes_before_a_path_and_nothing_named_is_what_is_bundled(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert resolve(None, "maze") == bundled_weights("maze") == resolve("maze")
    assert resolve("maze", "sudoku") == bundled_weights(
        "maze"
    )  # that it is another task's is told when it is read
    weights(tmp_path / "maze")
    assert resolve("maze") == bundled_weights("maze")
    assert resolve("./maze") == Path("maze")
    with pytest.raises(UsageError, match="no weights given"):
        resolve(None)


def test_a_run_s_folder_stands_for_what_is_in_it(tmp_path: Path) -> None:
    inside = weights(tmp_path / "run" / "arc.safetensors")
    for named in (str(tmp_path / "run"), tmp_path / "run"):
        assert resolve(named) == resolve(named, "arc") == inside
    with pytest.raises(WeightsError, match=r"contains no sudoku\.safetensors"):
        resolve(tmp_path / "run", "sudoku")
    weights(tmp_path / "run" / "maze.safetensors")
    assert (
        resolve(tmp_path / "run") == tmp_path / "run"
    )  # which of them is not said: it is refused when it is read


def test_what_is_no_name_is_told_with_where_names_are() -> None:
    with pytest.raises(
        WeightsError,
        match="no weights at sudku, which is neither a file nor a known name: give hf://user/repo",
    ):
        resolve("sudku")
    assert resolve("sudku.safetensors") == Path(
        "sudku.safetensors"
    )  # told when it is read, as a file


@pytest.mark.parametrize("named", ["hf://someone/trm-sudoku", "hf://someone/trm-sudoku@v1"])
def test_offline_what_is_not_there_is_told_and_no_socket_opened(named: str) -> None:
    with pytest.raises(NetworkError, match="offline"):
        resolve(named, offline=True)


def test_the_environment_may_say_offline_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(NetworkError, match="offline"):
        resolve("hf://someone/trm-sudoku")


def test_names_of_public_checkpoints_stand_for_addresses() -> None:
    names = [one.name for one in PUBLIC]
    assert len(set(names)) == len(names)
    assert not set(names) & {*BUNDLED}
    for one in PUBLIC:
        address = address_of(one.name.upper())
        assert (address.repo, address.revision, address.path) == (one.repo, one.revision, one.file)
        assert Address.parse(one.address) == address
        assert public_of(one.address) == public_of(one.name) == one
        assert one.task in {*task_names(), "arc"}
        assert one.sha256 is None or len(bytes.fromhex(one.sha256)) == 32
        assert one.revision is None or len(bytes.fromhex(one.revision)) == 20
    assert find_public("nobody") is None
    assert public_of("hf://someone/else") is None
    with pytest.raises(UsageError, match="maze is bundled"):
        address_of("maze")
    with pytest.raises(
        UsageError,
        match=r"nobody is neither an address such as hf://user/repo nor a name .*alphaxiv-maze",
    ):
        address_of("nobody")


def test_scores_are_recorded_in_files_of_one_s_own(tmp_path: Path) -> None:
    path = weights(tmp_path / "arc.safetensors")
    assert to_record(str(path), "arc") == path
    for named in (None, "arc", "hf://someone/trm-sudoku"):
        with pytest.raises(
            UsageError, match="must not be changed: copy it and give the copy with --weights"
        ):
            to_record(named, "arc")


def test_what_is_published_as_a_pickle_is_for_the_converter() -> None:
    with pytest.raises(
        WeightsError,
        match="is a pickled checkpoint: convert it with 'trmsolve weights convert alphaxiv",
    ):
        resolve("Alphaxiv-Maze")


def test_sums_beside_a_file_pin_it(tmp_path: Path) -> None:
    path = weights(tmp_path / "arc.safetensors")
    assert pinned(path) is None
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    (tmp_path / SUMS).write_text(f"{'0' * 64}  other\n{digest.upper()} *arc.safetensors\n")
    assert pinned(path) == (digest, f"{SUMS} beside it")
    (tmp_path / SUMS).write_text(f"{digest}  another.safetensors\n")
    assert pinned(path) is None
    (tmp_path / SUMS).write_bytes(b"\xff\xfe")
    with pytest.raises(WeightsError, match="SHA256SUMS cannot be read"):
        pinned(path)


def test_the_bundled_weights_are_pinned_and_as_pinned() -> None:
    for task in BUNDLED:
        path = bundled_weights(task)
        pin = pinned(path)
        renew = f"cd weights && sha256sum *.onnx *.safetensors > {SUMS}"
        assert pin is not None, renew
        assert hashlib.sha256(path.read_bytes()).hexdigest() == pin[0], renew


def test_what_is_kept_is_the_bundled_then_the_cached(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = list(list_local())
    assert [(one.name, one.where, one.info.task) for one in found] == [
        (name, "bundled", name.partition("-")[0]) for name in BUNDLED
    ]

    def unusable() -> NoReturn:
        raise NetworkError("HF_ENDPOINT is not usable")

    with monkeypatch.context() as patch:
        patch.setattr(remote, "cached_weights", unusable)
        assert len(list(list_local())) == len(BUNDLED)
    monkeypatch.setattr(
        catalog, "bundled_weights", lambda task: (_ for _ in ()).throw(WeightsError("none"))
    )
    assert list(list_local()) == []
