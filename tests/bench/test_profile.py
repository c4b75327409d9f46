"""Where the time of a step goes, by operation."""

import pytest
import torch

from tests.support.bench import LATTICE, SETUP, make_small
from trmsolve.bench import profile
from trmsolve.bench.profile import profile_operations
from trmsolve.bench.rates import profile_solving, profile_training
from trmsolve.bench.timing import Figures, Setup
from trmsolve.device import Placement
from trmsolve.model.network import TinyRecursiveModel
from trmsolve.train.recipes import Recipe


@pytest.fixture(autouse=True)
def small_things(monkeypatch: pytest.MonkeyPatch) -> None:
    make_small(monkeypatch)


def adds_up(figures: Figures) -> None:
    shares = [row["share"] for row in figures["operations"]]
    assert shares == sorted(shares, reverse=True) and len(shares) <= profile.ROWS
    total = sum(shares) + figures["other_operations_share"] + figures["outside_share"]
    assert total == pytest.approx(1)
    for row in figures["operations"]:
        seconds = row["share"] * figures["seconds_per_step"]
        assert row["self_seconds_per_step"] == pytest.approx(seconds, rel=0.2)
        assert row["calls_per_step"] > 0


def test_operations_are_counted_and_the_largest_comes_first() -> None:
    a = torch.randn(300, 300)

    def step() -> None:
        for _ in range(3):
            torch.mm(a, a)
        a.relu()

    figures = profile_operations(step, torch.device("cpu"), 10)
    calls = {row["name"]: row["calls_per_step"] for row in figures["operations"]}
    assert calls["aten::mm"] == 3 and calls["aten::relu"] == 1
    assert figures["operations"][0]["name"] == "aten::mm"
    adds_up(figures)


def test_operations_beyond_the_table_are_summed_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(profile, "ROWS", 3)
    model = TinyRecursiveModel(LATTICE).eval()
    figures = profile_solving("sudoku", model, SETUP, 2)
    assert figures is not None
    assert len(figures["operations"]) == 3 and figures["other_operations"] > 3
    adds_up(figures)


def test_training_is_profiled_with_its_optimizer() -> None:
    figures = profile_training("sudoku", Recipe(LATTICE, batch_size=2), SETUP)
    assert figures is not None and (figures["mode"], figures["batch_size"]) == ("train", 2)
    adds_up(figures)


def test_no_further_step_begins_when_the_time_is_over(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(profile, "PROFILED", 3)
    assert profile_operations(lambda: torch.ones(3).sum(), torch.device("cpu"), 0)["steps"] == 1
    assert profile_operations(lambda: torch.ones(3).sum(), torch.device("cpu"), 60)["steps"] == 3


def test_a_device_that_torch_cannot_profile_has_no_figures() -> None:
    setup = Setup(Placement(torch.device("mps"), torch.float32, ""), False, 1)
    assert profile_solving("sudoku", TinyRecursiveModel(LATTICE), setup, 1) is None
    assert profile_training("sudoku", Recipe(LATTICE, batch_size=2), setup) is None
