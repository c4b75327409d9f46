"""The table of rules: its names, and that every rule in it was worked out by hand once."""

from functools import partial
from typing import Any

import numpy as np
import pytest

from tests.arc.generate import (
    test_colours,
    test_counting,
    test_filling,
    test_lines,
    test_movement,
    test_objects,
    test_panels,
    test_patterns,
    test_wholes,
)
from trmsolve.arc.generate.primitive import Primitive
from trmsolve.arc.generate.primitives import PRIMITIVES
from trmsolve.arc.generate.setting import Setting, Unfit

KINDS = (
    test_colours,
    test_counting,
    test_filling,
    test_lines,
    test_movement,
    test_objects,
    test_panels,
    test_patterns,
    test_wholes,
)


def name_of(primitive: Primitive) -> str:
    return primitive.name


def plain(rule: Any) -> Any:
    return rule.func if isinstance(rule, partial) else rule


def test_names_are_apart() -> None:
    names = [primitive.name for primitive in PRIMITIVES]
    assert len(set(names)) == len(names) > 100


def test_every_rule_has_an_example_that_was_worked_out_by_hand() -> None:
    shown = {case.rule for kind in KINDS for case in kind.CASES if case.made is not None}
    missing = {primitive.name for primitive in PRIMITIVES if plain(primitive.rule) not in shown}
    assert not missing


@pytest.mark.parametrize("primitive", PRIMITIVES, ids=name_of)
@pytest.mark.parametrize("side", [8, 20])
def test_scenes_have_the_sizes_and_colours_of_their_setting(
    primitive: Primitive, side: int
) -> None:
    largest = side // primitive.growth
    scenes = 0
    for number in range(20):
        setting = Setting.draw(np.random.default_rng(number), primitive.smallest, largest)
        try:
            scene = primitive.draw(setting).scene()
        except Unfit:
            continue
        scenes += 1
        assert scene.dtype == np.int8 and scene.ndim == 2
        assert max(scene.shape) <= side * 3
        assert set(np.unique(scene)) <= {0, setting.marker, *setting.palette}
    assert scenes >= 5


def test_words_among_the_parameters_are_in_the_name() -> None:
    gravity = next(primitive for primitive in PRIMITIVES if primitive.name == "gravity")
    setting = Setting.draw(np.random.default_rng(0), 5, 10)
    names = {gravity.draw(setting).name for _ in range(60)}
    assert names == {"gravity-up", "gravity-down", "gravity-left", "gravity-right"}
