"""The rules of colours, each with its scenes and its parameters."""

from trmsolve.arc.generate import colours
from trmsolve.arc.generate.parameters import (
    EXTREME,
    RANK,
    colour_map,
    first_colour,
    four_paints,
    paint,
    second_colour,
    second_paint,
    three_paints,
)
from trmsolve.arc.generate.primitive import Primitive
from trmsolve.arc.generate.scenes import cells, shapes

COLOURS = (
    Primitive(
        "recolour",
        colours.recolour,
        cells.anything,
        {"colours": colour_map},
        general=True,
        keeps_scenes=True,
    ),
    Primitive(
        "swap-colours",
        colours.swap_colours,
        cells.anything,
        {"one": first_colour, "other": second_colour},
        general=True,
        keeps_scenes=True,
    ),
    Primitive("invert", colours.invert, cells.noise_of_one_colour),
    Primitive(
        "recolour-object",
        colours.recolour_extreme,
        shapes.objects_of_one_colour,
        {"which": EXTREME, "colour": paint},
        smallest=5,
    ),
    Primitive(
        "recolour-by-rank",
        colours.recolour_by_rank,
        shapes.three_objects,
        {"colours": three_paints},
        smallest=6,
    ),
    Primitive(
        "recolour-by-size",
        colours.recolour_by_size,
        shapes.small_objects,
        {"colours": four_paints},
        smallest=6,
    ),
    Primitive(
        "recolour-by-holes",
        colours.recolour_by_holes,
        shapes.holed_objects,
        {"colours": three_paints},
        smallest=8,
    ),
    Primitive(
        "recolour-at-edge",
        colours.recolour_at_edge,
        shapes.objects_of_one_colour,
        {"colour": paint},
        smallest=6,
    ),
    Primitive(
        "recolour-by-side",
        colours.recolour_by_side,
        shapes.small_objects,
        {"first": paint, "second": second_paint},
        smallest=5,
    ),
    Primitive(
        "recolour-by-form",
        colours.recolour_by_form,
        shapes.bars,
        {"tall": paint, "wide": second_paint},
        smallest=6,
    ),
    Primitive(
        "recolour-shared-shapes",
        colours.recolour_shared_shapes,
        shapes.repeated_shapes,
        {"colour": paint},
        smallest=7,
    ),
    Primitive("keep-colour", colours.keep_colour, shapes.objects, {"rank": RANK}, smallest=5),
    Primitive(
        "recolour-rank",
        colours.recolour_rank,
        cells.anything,
        {"rank": RANK, "colour": paint},
        smallest=4,
    ),
    Primitive(
        "remove-colour",
        colours.remove_colour,
        cells.anything,
        {"colour": first_colour},
        smallest=4,
    ),
    Primitive("unite-colours", colours.unite_colours, shapes.speckled_rectangles, smallest=5),
)
