"""Recipes of earlier versions, whose fields had other names."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.training import TINY, WHERE, data, train
from trmsolve.errors import UsageError
from trmsolve.model.config import FORMER_CONFIG_NAMES
from trmsolve.train.checkpoint import load_checkpoint, save_checkpoint
from trmsolve.train.recipes import FORMER_NAMES, RECIPES, Recipe, override

__all__ = ["data"]  # a fixture
pytestmark = pytest.mark.usefixtures("one_thread", "process_as_it_was")


def in_former_names(fields: dict[str, Any]) -> dict[str, Any]:
    """A recipe, or the config of a network, as an earlier version wrote it."""
    former = {now: before for before, now in {**FORMER_NAMES, **FORMER_CONFIG_NAMES}.items()}
    renamed = {former.get(name, name): value for name, value in fields.items()}
    if "config" in renamed:
        renamed["config"] = in_former_names(renamed["config"])
    return renamed


@pytest.mark.parametrize("key", RECIPES)
def test_a_printed_recipe_of_an_earlier_version_is_the_same_recipe(key: tuple[str, str]) -> None:
    recipe = RECIPES[key]
    printed = json.dumps(in_former_names(recipe.to_dict()))
    assert set(FORMER_NAMES) <= set(json.loads(printed))
    assert set(FORMER_CONFIG_NAMES) <= set(json.loads(printed)["config"])
    assert Recipe.from_dict(json.loads(printed)) == recipe


@pytest.mark.parametrize(("before", "now"), FORMER_NAMES.items())
def test_a_field_is_set_by_either_name(before: str, now: str) -> None:
    recipe = RECIPES["sudoku", "laptop"]
    set_before = override(recipe, [f"{before}=0.125"])
    assert set_before == override(recipe, [f"{now}=0.125"])
    assert getattr(set_before, now) == 0.125
    with pytest.raises(UsageError, match=f"{now} must be a number from 0 to 1, not 2"):
        override(recipe, [f"{before}=2"])


@pytest.mark.parametrize(
    ("before", "now", "value"),
    [("rewrites", "feeds_back_answer", False), ("kept", "frozen_tokens", (1,))],
)
def test_a_field_of_the_network_is_set_by_either_name(before: str, now: str, value: object) -> None:
    recipe = RECIPES["maze", "laptop"]
    text = json.dumps(value)
    set_before = override(recipe, [f"config.{before}={text}"])
    assert set_before == override(recipe, [f"{before}={text}"])
    assert set_before == override(recipe, [f"{now}={text}"])
    assert getattr(set_before.config, now) == value != getattr(recipe.config, now)


def test_the_command_takes_former_names() -> None:
    changes = ("reveal=0.5", "hint=0.25", "kept=[1]")
    printed = train("--print-recipe", *(word for change in changes for word in ("--set", change)))
    shown = json.loads(printed.stdout)
    assert shown["config"]["frozen_tokens"] == [1]
    assert not set(FORMER_CONFIG_NAMES) & set(shown["config"])
    assert shown["reveal_prob"] == 0.5
    assert shown["teacher_forcing"] == 0.25
    assert not set(FORMER_NAMES) & set(shown)


def test_the_command_resumes_a_run_of_an_earlier_version(data: Path, tmp_path: Path) -> None:
    out = tmp_path / "run"
    arguments = ["--data", data, "--out", out, *TINY, *WHERE, "--set", "reveal_prob=0.5"]
    assert train(*arguments, "--steps", 1, "-q").exit_code == 0
    saved = load_checkpoint(out)
    state = {**saved.state, "recipe": in_former_names(saved.state["recipe"])}
    assert state["recipe"]["reveal"] == 0.5
    assert state["recipe"]["config"]["rewrites"] is False
    save_checkpoint(out, saved.step, saved.tensors, state)

    assert train("--resume", out, "--steps", 2, "-q").exit_code == 0
    resumed = load_checkpoint(out)
    assert resumed.step == 2
    assert resumed.state["recipe"] == saved.state["recipe"]
