"""Every figure that is claimed is in a file beside the weights, measured with these weights."""

import json
from pathlib import Path

import pytest

from tests.support.paths import ROOT
from trmsolve.weights.file import fingerprint, read_info

WEIGHTS = ROOT / "weights"
MEASUREMENTS = sorted(
    path for path in WEIGHTS.glob("*.eval.*.json") if not path.name.startswith("arc.")
)
ARC = sorted(WEIGHTS.glob("arc.eval.*.json"))


@pytest.mark.parametrize("path", MEASUREMENTS, ids=lambda path: path.name)
def test_measurements_are_of_the_bundled_weights(path: Path) -> None:
    figures = json.loads(path.read_text())
    weights = WEIGHTS / f"{figures['task']}.safetensors"
    assert figures["weights"] == f"{weights.name}@{fingerprint(weights)[:12]}"
    assert (
        read_info(weights).scores[f"{figures['data']}, {figures['views']} views"]["exact"]
        == figures["exact"]
    )
    low, high = figures["exact_ci95"]
    assert low <= figures["exact"] <= high
    assert figures["n"] > 0


@pytest.mark.parametrize(
    "card", [ROOT / "README.md", WEIGHTS / "README.md"], ids=lambda path: path.parent.name
)
def test_claimed_rates_were_measured(card: Path) -> None:
    text = card.read_text(encoding="utf-8")
    measured = [json.loads(path.read_text()) for path in MEASUREMENTS]
    assert len(measured) >= 3
    for figures in measured:
        assert f"{figures['exact']:.1%}".replace("%", " %") in text
        assert f"{figures['verified']:.1%}".replace("%", " %") in text
    assert "@" not in text.replace("safetensors@", "").replace(
        "pass@", ""
    )  # no placeholder was left


@pytest.mark.parametrize("path", ARC, ids=lambda path: path.name)
def test_arc_s_figures_are_of_the_bundled_weights_and_in_both_cards(path: Path) -> None:
    figures = json.loads(path.read_text())
    weights = WEIGHTS / "arc.safetensors"
    bundled = f"{weights.name}@{fingerprint(weights)[:12]}"
    assert (figures["weights"] == bundled) != path.name.endswith(".untrained.json")
    assert figures["n"] == len(figures["tasks"]) >= 40
    assert not figures["interrupted"]
    right = [
        sum(0 < first <= 2 for first in task["tests"]) / len(task["tests"])
        for task in figures["tasks"].values()
    ]
    assert figures["pass@2"] == round(sum(right) / len(right), 4)
    low, high = figures["pass@2_ci95"]
    for card in (ROOT / "README.md", WEIGHTS / "README.md"):
        text = card.read_text(encoding="utf-8")
        for rate in (figures["pass@2"], low, high):
            assert f"{rate:.1%}".replace("%", " %") in text
    assert any(
        figures["weights"] == measured["weights"] for measured in read_info(weights).scores.values()
    ) or path.name.endswith(".untrained.json")
