"""The rules of objects, each with its scenes and its parameters."""

from trmsolve.arc.generate import objects
from trmsolve.arc.generate.parameters import (
    EXTREME,
    STEP,
    marker,
    no_colour,
    one_of,
    paint,
    patterns_by_colour,
)
from trmsolve.arc.generate.primitive import Primitive
from trmsolve.arc.generate.scenes import cells, shapes

OBJECTS = (
    Primitive(
        "crop-to-content", objects.crop_to_content, shapes.one_object, smallest=5, general=True
    ),
    Primitive(
        "crop-to-object", objects.crop_to_object, shapes.objects, {"which": EXTREME}, smallest=6
    ),
    Primitive(
        "crop-to-unique-colour",
        objects.crop_to_unique_colour,
        shapes.one_unique_colour,
        smallest=7,
    ),
    Primitive("crop-to-odd-shape", objects.crop_to_odd_shape, shapes.one_odd_shape, smallest=7),
    Primitive(
        "crop-to-symmetric", objects.crop_to_symmetric, shapes.one_symmetric_object, smallest=8
    ),
    Primitive(
        "crop-to-frame",
        objects.crop_to_marked,
        cells.framed_part,
        {"marker": marker},
        smallest=5,
    ),
    Primitive(
        "crop-to-corners",
        objects.crop_to_marked,
        cells.part_between_corners,
        {"marker": marker},
        smallest=5,
    ),
    Primitive("keep-object", objects.keep_object, shapes.objects, {"which": EXTREME}, smallest=5),
    Primitive(
        "remove-object", objects.remove_object, shapes.objects, {"which": EXTREME}, smallest=5
    ),
    Primitive(
        "remove-single-cells",
        objects.remove_single_cells,
        shapes.objects_and_specks,
        smallest=7,
    ),
    Primitive("outline", objects.outline, shapes.objects, {"colour": paint}, smallest=5),
    Primitive(
        "hollow-out", objects.paint_interior, shapes.rectangles, {"colour": no_colour}, smallest=5
    ),
    Primitive(
        "paint-interior", objects.paint_interior, shapes.rectangles, {"colour": paint}, smallest=5
    ),
    Primitive("paint-rim", objects.paint_rim, shapes.rectangles, {"colour": paint}, smallest=5),
    Primitive(
        "paint-corners",
        objects.paint_corners,
        shapes.small_rectangles,
        {"colour": paint},
        smallest=5,
    ),
    Primitive("fill-boxes", objects.fill_boxes, shapes.objects, {"colour": paint}, smallest=5),
    Primitive("complete-boxes", objects.complete_boxes, shapes.objects, smallest=5),
    Primitive(
        "drop-shadow",
        objects.drop_shadow,
        shapes.objects,
        {"down": STEP, "right": STEP, "colour": paint},
        smallest=5,
    ),
    Primitive("shrink-to-centres", objects.shrink_to_centres, shapes.odd_rectangles, smallest=5),
    Primitive(
        "stamp",
        objects.stamp,
        cells.scattered_apart,
        {"pattern": one_of(*objects.STAMPS), "colour": paint},
        smallest=5,
    ),
    Primitive(
        "stamp-by-colour",
        objects.stamp_by_colour,
        cells.scattered_apart,
        {"patterns": patterns_by_colour},
        smallest=6,
    ),
    Primitive(
        "copy-to-markers",
        objects.copy_to_markers,
        shapes.object_and_markers,
        {"marker": marker},
        smallest=8,
    ),
)
