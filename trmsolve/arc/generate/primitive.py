"""A family of rules, and one rule of it: a primitive becomes a rule once its parameters are drawn.

Words among the parameters go into the rule's name.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from trmsolve.arc.generate.setting import Setting
from trmsolve.puzzles.values import Grid

Draw = Callable[[Setting], Any]
"""Draws the value of a parameter for a task."""


@dataclass(frozen=True)
class Rule:
    """A rule with its parameters, and the scenes that suit it."""

    name: str

    apply: Callable[[Grid], Grid]
    """From an input to its output. Raises Unfit if the answer is not clear."""

    scene: Callable[[], Grid]
    """Draws an input. Raises Unfit if that fails."""


@dataclass(frozen=True)
class Primitive:
    """A family of rules that differ in their parameters."""

    name: str

    rule: Callable[..., Grid]
    """The output for an input, given the parameters."""

    scene: Callable[..., Grid]
    """Draws an input from a setting."""

    parameters: Mapping[str, Draw] = field(default_factory=dict)

    for_scene: tuple[str, ...] = ()
    """The parameters that the scene is given as well."""

    smallest: int = 3
    """The smallest side of its scenes."""

    growth: int = 1
    """How many times as long as a scene's side its grids can be."""

    general: bool = False
    """Whether it makes sense for any grid, so that it can follow any other rule."""

    keeps_scenes: bool = False
    """Whether it makes of most scenes one of their kind, so that it can come before other rules."""

    def draw(self, setting: Setting) -> Rule:
        """Draw the parameters."""
        values = {name: draw(setting) for name, draw in self.parameters.items()}
        words = [value for value in values.values() if isinstance(value, str)]
        shared = {name: values[name] for name in self.for_scene}
        return Rule(
            "-".join([self.name, *words]),
            partial(self.rule, **values),
            partial(self.scene, setting, **shared),
        )
