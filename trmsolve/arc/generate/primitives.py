"""The table of all rules that tasks are made of, each with its scenes and its parameters.

A primitive becomes a rule once its parameters are drawn. Words among them go into the rule's name.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from trmsolve.arc.generate import (
    colours,
    counting,
    filling,
    lines,
    movement,
    objects,
    panels,
    patterns,
    scenes,
    wholes,
)
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


# Parameters


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
    names = setting.rng.permutation(list(objects.STAMPS)).tolist()
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


WHOLES = (
    Primitive(
        "mirror", wholes.mirror, scenes.anything, {"axis": AXIS}, general=True, keeps_scenes=True
    ),
    Primitive(
        "turn",
        wholes.turn,
        scenes.anything,
        {"angle": one_of(*wholes.TURNS)},
        general=True,
        keeps_scenes=True,
    ),
    Primitive(
        "transpose",
        wholes.transpose,
        scenes.anything,
        {"diagonal": one_of("main", "other")},
        general=True,
        keeps_scenes=True,
    ),
    Primitive(
        "tile",
        wholes.tile,
        scenes.anything,
        {"down": one_of(1, 2, 3), "across": one_of(2, 3)},
        smallest=2,
        growth=3,
        general=True,
    ),
    Primitive(
        "add-mirror-image",
        wholes.add_mirror_image,
        scenes.anything,
        {"side": DIRECTION},
        growth=2,
        general=True,
    ),
    Primitive(
        "mirror-to-four", wholes.mirror_to_four, scenes.anything, smallest=2, growth=2, general=True
    ),
    Primitive("turn-to-four", wholes.turn_to_four, scenes.square, smallest=2, growth=2),
    Primitive(
        "scale-up",
        wholes.scale_up,
        scenes.anything,
        {"factor": one_of(2, 3)},
        smallest=2,
        growth=3,
        general=True,
    ),
    Primitive(
        "scale-down",
        wholes.scale_down,
        scenes.scaled,
        {"factor": one_of(2, 3)},
        ("factor",),
        smallest=2,
        growth=3,
    ),
    Primitive("scale-by-colours", wholes.scale_by_colours, scenes.noise, smallest=2, growth=4),
    Primitive(
        "stretch",
        wholes.stretch,
        scenes.anything,
        {"axis": AXIS, "factor": one_of(2, 3)},
        smallest=2,
        growth=3,
        general=True,
    ),
    Primitive("tile-by-itself", wholes.tile_by_itself, scenes.small_noise, smallest=2, growth=3),
    Primitive("keep-half", wholes.keep_half, scenes.anything, {"side": DIRECTION}, general=True),
    Primitive("frame", wholes.frame, scenes.anything, {"colour": paint}, general=True),
    Primitive("paint-edge", wholes.paint_edge, scenes.anything, {"colour": paint}, general=True),
    Primitive("peel", wholes.peel, scenes.anything, general=True),
    Primitive(
        "merge-equal-lines",
        wholes.merge_equal_lines,
        scenes.with_repeated_lines,
        smallest=2,
        growth=2,
    ),
    Primitive(
        "space-out", wholes.space_out, scenes.mosaic, {"colour": marker}, smallest=2, growth=2
    ),
    Primitive("reverse-every-second-row", wholes.reverse_every_second_row, scenes.anything),
    Primitive("reverse-rings", wholes.reverse_rings, scenes.rings, smallest=5),
)

MOVEMENT = (
    Primitive("gravity", movement.cells_fall, scenes.noise, {"direction": DIRECTION}, general=True),
    Primitive(
        "object-gravity",
        movement.objects_fall,
        scenes.objects,
        {"direction": DIRECTION},
        smallest=5,
    ),
    Primitive(
        "slide-to-wall",
        movement.slide_to_wall,
        scenes.cells_and_walls,
        {"direction": DIRECTION, "wall": marker},
        smallest=5,
    ),
    Primitive(
        "shift", movement.shift, scenes.objects, {"direction": DIRECTION, "distance": DISTANCE}
    ),
    Primitive(
        "shift-around",
        movement.shift_around,
        scenes.anything,
        {"direction": DIRECTION, "distance": DISTANCE},
        general=True,
    ),
    Primitive("shear-around", movement.shear_around, scenes.anything, {"direction": DIRECTION}),
    Primitive(
        "sort-columns",
        partial(movement.sort_lines, lines="columns"),
        scenes.columns_of_bars,
        {"order": one_of("growing", "shrinking")},
    ),
    Primitive(
        "sort-rows",
        partial(movement.sort_lines, lines="rows"),
        scenes.rows_of_bars,
        {"order": one_of("growing", "shrinking")},
    ),
    Primitive(
        "mirror-objects",
        movement.mirror_objects,
        scenes.objects,
        {"axis": one_of("rows", "columns", "both")},
        smallest=6,
    ),
    Primitive(
        "move-colour",
        movement.move_colour,
        scenes.objects,
        {"direction": DIRECTION, "colour": first_colour},
        smallest=5,
    ),
)

OBJECTS = (
    Primitive(
        "crop-to-content", objects.crop_to_content, scenes.one_object, smallest=5, general=True
    ),
    Primitive(
        "crop-to-object", objects.crop_to_object, scenes.objects, {"which": EXTREME}, smallest=6
    ),
    Primitive(
        "crop-to-unique-colour",
        objects.crop_to_unique_colour,
        scenes.one_unique_colour,
        smallest=7,
    ),
    Primitive("crop-to-odd-shape", objects.crop_to_odd_shape, scenes.one_odd_shape, smallest=7),
    Primitive(
        "crop-to-symmetric", objects.crop_to_symmetric, scenes.one_symmetric_object, smallest=8
    ),
    Primitive(
        "crop-to-frame",
        objects.crop_to_marked,
        scenes.framed_part,
        {"marker": marker},
        smallest=5,
    ),
    Primitive(
        "crop-to-corners",
        objects.crop_to_marked,
        scenes.part_between_corners,
        {"marker": marker},
        smallest=5,
    ),
    Primitive("keep-object", objects.keep_object, scenes.objects, {"which": EXTREME}, smallest=5),
    Primitive(
        "remove-object", objects.remove_object, scenes.objects, {"which": EXTREME}, smallest=5
    ),
    Primitive(
        "remove-single-cells",
        objects.remove_single_cells,
        scenes.objects_and_specks,
        smallest=7,
    ),
    Primitive("outline", objects.outline, scenes.objects, {"colour": paint}, smallest=5),
    Primitive(
        "hollow-out", objects.paint_interior, scenes.rectangles, {"colour": no_colour}, smallest=5
    ),
    Primitive(
        "paint-interior", objects.paint_interior, scenes.rectangles, {"colour": paint}, smallest=5
    ),
    Primitive("paint-rim", objects.paint_rim, scenes.rectangles, {"colour": paint}, smallest=5),
    Primitive(
        "paint-corners",
        objects.paint_corners,
        scenes.small_rectangles,
        {"colour": paint},
        smallest=5,
    ),
    Primitive("fill-boxes", objects.fill_boxes, scenes.objects, {"colour": paint}, smallest=5),
    Primitive("complete-boxes", objects.complete_boxes, scenes.objects, smallest=5),
    Primitive(
        "drop-shadow",
        objects.drop_shadow,
        scenes.objects,
        {"down": STEP, "right": STEP, "colour": paint},
        smallest=5,
    ),
    Primitive("shrink-to-centres", objects.shrink_to_centres, scenes.odd_rectangles, smallest=5),
    Primitive(
        "stamp",
        objects.stamp,
        scenes.scattered_apart,
        {"pattern": one_of(*objects.STAMPS), "colour": paint},
        smallest=5,
    ),
    Primitive(
        "stamp-by-colour",
        objects.stamp_by_colour,
        scenes.scattered_apart,
        {"patterns": patterns_by_colour},
        smallest=6,
    ),
    Primitive(
        "copy-to-markers",
        objects.copy_to_markers,
        scenes.object_and_markers,
        {"marker": marker},
        smallest=8,
    ),
)

COLOURS = (
    Primitive(
        "recolour",
        colours.recolour,
        scenes.anything,
        {"colours": colour_map},
        general=True,
        keeps_scenes=True,
    ),
    Primitive(
        "swap-colours",
        colours.swap_colours,
        scenes.anything,
        {"one": first_colour, "other": second_colour},
        general=True,
        keeps_scenes=True,
    ),
    Primitive("invert", colours.invert, scenes.noise_of_one_colour),
    Primitive(
        "recolour-object",
        colours.recolour_extreme,
        scenes.objects_of_one_colour,
        {"which": EXTREME, "colour": paint},
        smallest=5,
    ),
    Primitive(
        "recolour-by-rank",
        colours.recolour_by_rank,
        scenes.three_objects,
        {"colours": three_paints},
        smallest=6,
    ),
    Primitive(
        "recolour-by-size",
        colours.recolour_by_size,
        scenes.small_objects,
        {"colours": four_paints},
        smallest=6,
    ),
    Primitive(
        "recolour-by-holes",
        colours.recolour_by_holes,
        scenes.holed_objects,
        {"colours": three_paints},
        smallest=8,
    ),
    Primitive(
        "recolour-at-edge",
        colours.recolour_at_edge,
        scenes.objects_of_one_colour,
        {"colour": paint},
        smallest=6,
    ),
    Primitive(
        "recolour-by-side",
        colours.recolour_by_side,
        scenes.small_objects,
        {"first": paint, "second": second_paint},
        smallest=5,
    ),
    Primitive(
        "recolour-by-form",
        colours.recolour_by_form,
        scenes.bars,
        {"tall": paint, "wide": second_paint},
        smallest=6,
    ),
    Primitive(
        "recolour-shared-shapes",
        colours.recolour_shared_shapes,
        scenes.repeated_shapes,
        {"colour": paint},
        smallest=7,
    ),
    Primitive("keep-colour", colours.keep_colour, scenes.objects, {"rank": RANK}, smallest=5),
    Primitive(
        "recolour-rank",
        colours.recolour_rank,
        scenes.anything,
        {"rank": RANK, "colour": paint},
        smallest=4,
    ),
    Primitive(
        "remove-colour",
        colours.remove_colour,
        scenes.anything,
        {"colour": first_colour},
        smallest=4,
    ),
    Primitive("unite-colours", colours.unite_colours, scenes.speckled_rectangles, smallest=5),
)

LINES = (
    Primitive("extend", lines.extend, scenes.scattered, {"direction": DIRECTION}, smallest=4),
    Primitive(
        "extend-to-wall",
        lines.extend_to_wall,
        scenes.cells_and_walls,
        {"direction": DIRECTION, "wall": marker},
        smallest=5,
    ),
    Primitive(
        "draw-lines", lines.draw_lines, scenes.seeds_in_own_lines, {"lines": AXIS}, smallest=4
    ),
    Primitive("draw-crosses", lines.draw_crosses, scenes.seeds_in_own_lines, smallest=5),
    Primitive("draw-diagonals", lines.draw_diagonals, scenes.scattered_of_one_colour, smallest=5),
    Primitive(
        "draw-diagonal",
        lines.draw_diagonal,
        scenes.scattered_of_one_colour,
        {"diagonal": one_of("falling", "rising")},
        smallest=5,
    ),
    Primitive(
        "draw-star", lines.draw_star, scenes.scattered_of_one_colour, {"colour": paint}, smallest=5
    ),
    Primitive("draw-from-corners", lines.draw_from_corners, scenes.one_rectangle, smallest=5),
    Primitive(
        "connect-equal",
        lines.connect_equal,
        scenes.equal_pairs,
        {"colour": no_colour},
        smallest=5,
    ),
    Primitive(
        "connect-in-colour",
        lines.connect_equal,
        scenes.equal_pairs,
        {"colour": paint},
        smallest=5,
    ),
    Primitive(
        "bounce",
        lines.bounce,
        scenes.one_cell_at_the_bottom,
        {"side": one_of("left", "right")},
        smallest=4,
    ),
    Primitive(
        "draw-grid-lines",
        lines.draw_grid_lines,
        scenes.scattered,
        {"spacing": one_of(2, 3, 4), "colour": paint},
        smallest=5,
    ),
    Primitive("draw-checkerboard", lines.draw_checkerboard, scenes.objects, {"colour": paint}),
    Primitive(
        "mark-crossings", lines.mark_crossings, scenes.full_lines, {"colour": paint}, smallest=5
    ),
    Primitive(
        "project-to-edge",
        lines.project_to_edge,
        scenes.objects,
        {"direction": DIRECTION, "colour": paint},
        smallest=5,
    ),
)

FILLING = (
    Primitive(
        "fill-enclosed", filling.fill_enclosed, scenes.outlines, {"colour": paint}, smallest=5
    ),
    Primitive(
        "fill-enclosed-by-size",
        filling.fill_enclosed_by_size,
        scenes.outlines,
        {"small": paint, "large": second_paint},
        smallest=8,
    ),
    Primitive("fill-outside", filling.fill_outside, scenes.outlines, {"colour": paint}, smallest=5),
    Primitive(
        "fill-room",
        filling.fill_room,
        scenes.rooms,
        {"which": EXTREME, "colour": paint},
        smallest=6,
    ),
    Primitive("flood", filling.flood, scenes.rooms_with_seeds, {"wall": marker}, smallest=6),
    Primitive("fill-nearest", filling.fill_nearest, scenes.scattered, smallest=5),
)

PATTERNS = (
    Primitive(
        "complete-symmetry",
        patterns.complete_symmetry,
        scenes.symmetric_with_hole,
        {"symmetry": SYMMETRY, "hole": marker},
        ("symmetry",),
        smallest=4,
    ),
    Primitive(
        "patch-of-symmetry",
        patterns.patch_of_symmetry,
        scenes.symmetric_with_hole,
        {"symmetry": SYMMETRY, "hole": marker},
        ("symmetry",),
        smallest=6,
    ),
    Primitive(
        "reflect", patterns.reflect, scenes.half_empty, {"axis": AXIS}, ("axis",), smallest=5
    ),
    Primitive(
        "complete-tiling",
        patterns.complete_tiling,
        scenes.tiling_with_hole,
        {"hole": marker},
        smallest=6,
    ),
    Primitive(
        "patch-of-tiling",
        patterns.patch_of_tiling,
        scenes.tiling_with_hole,
        {"hole": marker},
        smallest=6,
    ),
    Primitive(
        "continue-tiling",
        patterns.complete_tiling,
        scenes.begun_tiling,
        {"hole": no_colour},
        smallest=6,
    ),
    Primitive(
        "continue-stripes",
        patterns.complete_tiling,
        scenes.begun_stripes,
        {"hole": no_colour},
        smallest=6,
    ),
)

PANELS = (
    Primitive(
        "combine-panels",
        panels.combine,
        scenes.two_panels,
        {
            "operation": one_of("and", "or", "xor", "neither", "only-first"),
            "line": marker,
            "colour": paint,
        },
        growth=2,
    ),
    Primitive(
        "overlay-panels",
        panels.overlay,
        scenes.two_panels,
        {"on_top": one_of("first", "second"), "line": marker},
        growth=2,
    ),
    Primitive(
        "odd-panel", panels.odd_panel, scenes.one_odd_panel, {"line": marker}, smallest=2, growth=4
    ),
    Primitive(
        "choose-panel",
        panels.fullest_panel,
        scenes.panels_of_noise,
        {"which": one_of("fullest", "emptiest"), "line": marker},
        smallest=2,
        growth=4,
    ),
    Primitive(
        "remove-lines",
        panels.remove_lines,
        scenes.panels_of_noise,
        {"line": marker},
        smallest=2,
        growth=4,
    ),
)

COUNTING = (
    Primitive(
        "count-objects",
        counting.count_objects,
        scenes.objects_of_one_colour,
        {"form": one_of("row", "column", "diagonal"), "colour": paint},
        smallest=5,
    ),
    Primitive("show-colour", counting.show_colour, scenes.anything, {"rank": RANK}),
    Primitive("fill-with-commonest", counting.fill_with_commonest, scenes.anything),
    Primitive("list-colours", counting.list_colours, scenes.objects, smallest=5),
    Primitive("draw-histogram", counting.draw_histogram, scenes.scattered, smallest=5),
    Primitive("show-largest-colour", counting.show_largest_colour, scenes.objects, smallest=5),
)

PRIMITIVES = (
    *WHOLES,
    *MOVEMENT,
    *OBJECTS,
    *COLOURS,
    *LINES,
    *FILLING,
    *PATTERNS,
    *PANELS,
    *COUNTING,
)
