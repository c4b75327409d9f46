"""Recipes of earlier versions, whose fields had other names."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.support.training import TINY, WHERE, data, train
from trmsolve.errors import UsageError
from trmsolve.train.checkpoint import load_checkpoint, save_checkpoint
from trmsolve.train.recipes import FORMER_NAMES, RECIPES, Recipe, override

__all__ = ["data"]  # a fixture
pytestmark = pytest.mark.usefixtures("one_thread", "process_as_it_was")


def in_former_names(fields: dict[str, Any]) -> dict[str, Any]:
    former = {now: before for before, now in FORMER_NAMES.items()}
    return {former.get(name, name): value for name, value in fields.items()}


@pytest.mark.parametrize("key", RECIPES)
def test_a_printed_recipe_of_an_earlier_version_is_the_same_recipe(key: tuple[str, str]) -> None:
    recipe = RECIPES[key]
    printed = json.dumps(in_former_names(recipe.to_dict()))
    assert set(FORMER_NAMES) <= set(json.loads(printed))
    assert Recipe.from_dict(json.loads(printed)) == recipe


@pytest.mark.parametrize(("before", "now"), FORMER_NAMES.items())
def test_a_field_is_set_by_either_name(before: str, now: str) -> None:
    recipe = RECIPES["sudoku", "laptop"]
    set_before = override(recipe, [f"{before}=0.125"])
    assert set_before == override(recipe, [f"{now}=0.125"])
    assert getattr(set_before, now) == 0.125
    with pytest.raises(UsageError, match=f"{now} must be a number from 0 to 1, not 2"):
        override(recipe, [f"{before}=2"])


def test_the_command_takes_former_names() -> None:
    shown = json.loads(train("--print-recipe", "--set", "reveal=0.5", "--set", "hint=0.25").stdout)
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
    save_checkpoint(out, saved.step, saved.tensors, state)

    assert train("--resume", out, "--steps", 2, "-q").exit_code == 0
    resumed = load_checkpoint(out)
    assert resumed.step == 2
    assert resumed.state["recipe"] == saved.state["recipe"]
