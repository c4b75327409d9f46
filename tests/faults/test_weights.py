"""Weights and checkpoints that are edited, forged or hostile."""

import os
import pickle
import random
import zipfile
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.faults.support.forked import ended, start
from tests.faults.support.mutators import damaged
from tests.faults.support.scale import trials
from tests.support.checkpoints import official_state
from tests.weights.test_hostile import (
    CONFIG,
    HEADERS,
    INFO,
    by_hand,
    load,
    loads_as_it_was_or_not_at_all,
)
from trmsolve.errors import WeightsError
from trmsolve.model.network import TinyRecursiveModel
from trmsolve.weights.convert import Checkpoint, convert
from trmsolve.weights.file import read_info, save_weights
from trmsolve.weights.header import read_header

Measured = Callable[[int, str], None]
pytestmark = pytest.mark.slow


@pytest.fixture
def weights(tmp_path: Path) -> Path:
    torch.manual_seed(0)
    path = tmp_path / "w.safetensors"
    save_weights(path, TinyRecursiveModel(CONFIG).state_dict(), INFO)
    return path


@pytest.mark.promise("An edited weights file is refused, or loads as it was before the edit")
def test_edits(weights: Path, measured: Measured) -> None:
    number = trials(20_000)
    content = weights.read_bytes()
    edits = (edit for edit in damaged([content], seed=5) if edit != content)
    loaded = loads_as_it_was_or_not_at_all(weights, load(weights), islice(edits, number))
    assert loaded < number / 100
    measured(number, f"{loaded} loaded, unchanged in all values")


@pytest.mark.promise("A forged header is refused with a WeightsError")
def test_headers(tmp_path: Path, measured: Measured) -> None:
    number = trials(20_000)
    path = tmp_path / "forged.safetensors"

    @settings(max_examples=number, deadline=None, database=None)
    @given(header=HEADERS, data=st.binary(max_size=24))
    def refuse(header: dict[str, Any], data: bytes) -> None:
        with pytest.raises(WeightsError) as caught:
            read_info(by_hand(path, header, data))
        assert str(path) in str(caught.value) and str(caught.value).isprintable()

    refuse()
    measured(number, "")


@pytest.mark.promise("A header with edited bytes is refused, or is read as it was")
def test_edited_headers(weights: Path, measured: Measured) -> None:
    number = trials(20_000)
    content = weights.read_bytes()
    begin = read_header(weights).begin
    before = read_info(weights)
    for head in islice(damaged([content[8:begin]], seed=6), number):
        weights.write_bytes(len(head).to_bytes(8, "little") + head + content[begin:])
        try:
            load(weights)
        except WeightsError:
            continue
        assert read_info(weights) == before
    measured(number, "")


class Canary:
    """Makes a folder when it is unpickled."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def __reduce__(self) -> tuple[Any, ...]:
        return os.mkdir, (str(self.folder),)


def hostile_pickles(canary: Path, seed: int) -> Iterator[bytes]:
    """Pickles that run code when they are loaded, and damaged copies of them."""
    draw = random.Random(seed)
    nested = [Canary(canary), {"a": Canary(canary)}, [Canary(canary)], (Canary(canary), 1)]
    whole = [pickle.dumps(value, protocol) for value in nested for protocol in range(6)]
    yield from whole
    for data in damaged(whole, seed):
        yield draw.choice(whole)[:-1] + data if draw.random() < 0.2 else data


def checkpoint(path: Path, payload: bytes) -> Path:
    """A file as ``torch.save`` lays it out, with this pickle."""
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("archive/data.pkl", payload)
        file.writestr("archive/byteorder", "little")
        file.writestr("archive/version", "3\n")
    return path


@pytest.mark.promise("A hostile pickle is refused with a WeightsError, and no code of it runs")
def test_hostile_pickles(tmp_path: Path, measured: Measured) -> None:
    canary = tmp_path / "canary"
    pickle.loads(pickle.dumps(Canary(canary)))
    canary.rmdir()  # the trap works
    number = trials(5_000, least=100)
    for payload in islice(hostile_pickles(canary, seed=7), number):
        with pytest.raises(WeightsError):
            convert(Checkpoint.open(checkpoint(tmp_path / "step_1", payload)), tmp_path / "out")
        assert not canary.exists()
    measured(number, "")


@pytest.mark.promise("A damaged checkpoint of the public code is refused with a WeightsError")
def test_damaged_checkpoints(tmp_path: Path, measured: Measured) -> None:
    whole = tmp_path / "whole"
    torch.save(official_state(), whole)
    path = tmp_path / "step_1"
    number = trials(2_000)
    refused = 0
    for content in islice(damaged([whole.read_bytes()], seed=8), number):
        path.write_bytes(content)
        try:
            convert(Checkpoint.open(path), tmp_path / "out.safetensors")
        except WeightsError as error:
            assert len(str(error).splitlines()) == 1
            refused += 1
    measured(number, f"{refused} refused; the others are whole where it matters")


@pytest.mark.promise("Several conversions into one file at once leave it whole")
def test_at_once(tmp_path: Path, measured: Measured) -> None:
    path, out = tmp_path / "step_1", tmp_path / "out.safetensors"
    torch.save(official_state(), path)
    command = ["weights", "convert", path, "--out", out, "--task", "arc"]
    processes = [start(tmp_path / f"told-{n}", *command) for n in range(4)]
    codes = [ended(process) for process in processes]
    assert 0 in codes and set(codes) <= {0, 2}, [
        (tmp_path / f"told-{n}").read_text() for n in range(4)
    ]
    assert read_info(out).task == "arc"
    assert {path.name for path in tmp_path.glob(".*")} == set()
    measured(len(codes), "")
