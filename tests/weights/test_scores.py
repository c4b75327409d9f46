"""Every claimed figure is in a measurement kept beside the weights, made with these weights."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.support.paths import ROOT
from trmsolve.weights.file import fingerprint, read_info

WEIGHTS = ROOT / "weights"
CARDS = [ROOT / "docs" / "results.md", WEIGHTS / "README.md"]
ARC = sorted(WEIGHTS.glob("arc.eval.*.json"))
MEASUREMENTS = sorted(set(WEIGHTS.glob("*.eval.*.json")) - set(ARC))


def read_figures(path: Path) -> dict[str, Any]:
    """What ``eval --json`` wrote into a file."""
    figures: dict[str, Any] = json.loads(path.read_text())
    return figures


def name_with_hash(weights: Path) -> str:
    """The weights as measurements name them."""
    return f"{weights.name}@{fingerprint(weights)[:12]}"


def as_written(rate: float) -> str:
    """A rate as the cards write it."""
    return f"{rate:.1%}".replace("%", " %")


def mean_solved_share(tasks: dict[str, Any]) -> float:
    """The official ARC score: the mean over tasks of the share of tests solved in two attempts."""
    shares = []
    for task in tasks.values():
        solved = [0 < attempt <= 2 for attempt in task["tests"]]
        shares.append(sum(solved) / len(solved))
    return sum(shares) / len(shares)


@pytest.mark.parametrize("path", MEASUREMENTS, ids=lambda path: path.name)
def test_measurements_are_of_the_bundled_weights(path: Path) -> None:
    figures = read_figures(path)
    name, _, _ = path.name.partition(".eval.")
    weights = WEIGHTS / f"{name}.safetensors"
    assert figures["weights"] == name_with_hash(weights)
    recorded = read_info(weights).scores[f"{figures['data']}, {figures['views']} views"]
    assert recorded["exact"] == figures["exact"]
    low, high = figures["exact_ci95"]
    assert low <= figures["exact"] <= high
    assert figures["n"] > 0


@pytest.mark.parametrize("card", CARDS, ids=lambda path: path.parent.name)
def test_claimed_rates_were_measured(card: Path) -> None:
    text = card.read_text(encoding="utf-8")
    assert len(MEASUREMENTS) >= 3
    for path in MEASUREMENTS:
        figures = read_figures(path)
        assert as_written(figures["exact"]) in text
        assert as_written(figures["verified"]) in text
    without_names = text.replace("safetensors@", "").replace("pass@", "")
    assert "@" not in without_names  # no placeholder was left


@pytest.mark.parametrize("path", MEASUREMENTS + ARC, ids=lambda path: path.name)
def test_every_measurement_is_named_in_the_card_of_the_weights(path: Path) -> None:
    assert f"`{path.name}`" in (WEIGHTS / "README.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("path", ARC, ids=lambda path: path.name)
def test_arc_figures_are_of_the_bundled_weights_and_in_both_cards(path: Path) -> None:
    figures = read_figures(path)
    weights = WEIGHTS / "arc.safetensors"
    untrained = path.name.endswith(".untrained.json")
    assert (figures["weights"] == name_with_hash(weights)) != untrained
    assert figures["n"] == len(figures["tasks"]) >= 40
    assert not figures["interrupted"]
    assert figures["pass@2"] == round(mean_solved_share(figures["tasks"]), 4)
    for card in CARDS:
        text = card.read_text(encoding="utf-8")
        for rate in (figures["pass@2"], *figures["pass@2_ci95"]):
            assert as_written(rate) in text
    measured = [scores["weights"] for scores in read_info(weights).scores.values()]
    assert figures["weights"] in measured or untrained


def test_the_rates_of_the_readme_are_among_the_results() -> None:
    results = CARDS[0].read_text(encoding="utf-8")
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    for row in readme.splitlines():
        if "ours" in row:
            for rate in re.findall(r"\d+\.\d %", row):
                assert rate in results
