"""Small networks and short measurements, for tests of what measures speed."""

import math
from typing import Any

import pytest
import torch

from trmsolve.bench import profile, rates, timing, workloads
from trmsolve.device import Placement
from trmsolve.model.config import TRMConfig
from trmsolve.train.recipes import RECIPES, Recipe

CPU = Placement(torch.device("cpu"), torch.float32, "")
SETUP = timing.Setup(CPU, compiled=False, seconds=0.1)
LINEAR = TRMConfig(
    vocab_size=11,
    seq_len=81,
    hidden_size=32,
    layers=2,
    recursions=2,
    latent_steps=3,
    mixer="mlp",
    positions="none",
    inner_multiple=16,
    expansion=1.5,
)
LATTICE = TRMConfig(
    vocab_size=2,
    seq_len=729,
    hidden_size=16,
    layers=1,
    recursions=1,
    latent_steps=1,
    mixer="lattice",
    positions="none",
    board=(9, 9, 3, 3),
    candidates=9,
    inner_multiple=16,
    normed_swiglu=True,
    halt_from="mean",
)


def make_small(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have measurements take no time, and a recipe "tiny" for Sudoku."""
    monkeypatch.setitem(timing.SIDES, "cpu", 128)
    monkeypatch.setattr(timing, "WARM_UP", 1)
    monkeypatch.setattr(profile, "PROFILED", 1)
    monkeypatch.setattr(rates, "PROFILE_SHARE", math.inf)
    monkeypatch.setattr(workloads, "EXAMPLES", 16)
    monkeypatch.setitem(RECIPES, ("sudoku", "tiny"), Recipe(LATTICE, batch_size=4))
    monkeypatch.setitem(RECIPES, ("sudoku", "laptop"), Recipe(LATTICE, batch_size=4))


def agrees(figures: dict[str, Any]) -> None:
    """Assert that the figures of one measurement fit together."""
    close = pytest.approx
    assert figures["steps_per_second"] > 0
    assert figures["examples_per_second"] == close(
        figures["steps_per_second"] * figures["batch_size"]
    )
    assert figures["flop_per_second"] == close(
        figures["steps_per_second"] * figures["flop_per_step"]
    )
    assert figures["fraction"] == close(
        figures["flop_per_second"] / figures["matmul_flop_per_second"]
    )
    if figures.get("breakdown"):
        assert sum(figures["breakdown"].values()) == close(1, abs=0.002)
        assert list(figures["breakdown"].values()) == sorted(
            figures["breakdown"].values(), reverse=True
        )
