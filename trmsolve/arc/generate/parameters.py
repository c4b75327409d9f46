"""How the parameters of rules are drawn: colours of the setting, directions, and other choices."""

from typing import Any

from trmsolve.arc.generate.objects import STAMPS
from trmsolve.arc.generate.primitive import Draw
from trmsolve.arc.generate.setting import Setting


def one_of(*values: Any) -> Draw:
    """Draws one of the values, all with the same probability."""
    return lambda setting: values[setting.between(0, len(values) - 1)]


def marker(setting: Setting) -> int:
    """The colour of walls, holes and separating lines."""
    return setting.marker


def paint(setting: Setting) -> int:
    """A colour that scenes do not have."""
    return setting.paints[0]


def second_paint(setting: Setting) -> int:
    """Another colour that scenes do not have."""
    return setting.paints[1]


def three_paints(setting: Setting) -> tuple[int, ...]:
    """Three colours that scenes do not have."""
    return setting.paints


def four_paints(setting: Setting) -> tuple[int, ...]:
    """Four colours; the last is the marker's."""
    return (*setting.paints, setting.marker)


def first_colour(setting: Setting) -> int:
    """A colour of the palette."""
    return setting.palette[0]


def second_colour(setting: Setting) -> int:
    """Another colour of the palette."""
    return setting.palette[1]


def colour_map(setting: Setting) -> dict[int, int]:
    """For each colour of the palette another one, no two of them alike."""
    targets = [*setting.palette[1:], setting.palette[0]]
    if setting.chance(0.5):
        targets[0] = setting.paints[0]
    return dict(zip(setting.palette, targets, strict=True))


def patterns_by_colour(setting: Setting) -> dict[int, str]:
    """For each colour of the palette the name of its pattern."""
    names = setting.rng.permutation(list(STAMPS)).tolist()
    return dict(zip(setting.palette, names, strict=False))


def no_colour(_: Setting) -> int:
    """The background."""
    return 0


DIRECTION = one_of("up", "down", "left", "right")
AXIS = one_of("rows", "columns")
EXTREME = one_of("largest", "smallest")
RANK = one_of("commonest", "rarest")
SYMMETRY = one_of("rows", "columns", "both", "diagonal")
STEP = one_of(-1, 1)
DISTANCE = one_of(1, 2)
