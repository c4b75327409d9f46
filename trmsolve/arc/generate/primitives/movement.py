"""The rules that move cells and objects, each with its scenes and its parameters."""

from functools import partial

from trmsolve.arc.generate import movement
from trmsolve.arc.generate.parameters import DIRECTION, DISTANCE, first_colour, marker, one_of
from trmsolve.arc.generate.primitive import Primitive
from trmsolve.arc.generate.scenes import cells, shapes

MOVEMENT = (
    Primitive("gravity", movement.cells_fall, cells.noise, {"direction": DIRECTION}, general=True),
    Primitive(
        "object-gravity",
        movement.objects_fall,
        shapes.objects,
        {"direction": DIRECTION},
        smallest=5,
    ),
    Primitive(
        "slide-to-wall",
        movement.slide_to_wall,
        cells.cells_and_walls,
        {"direction": DIRECTION, "wall": marker},
        smallest=5,
    ),
    Primitive(
        "shift", movement.shift, shapes.objects, {"direction": DIRECTION, "distance": DISTANCE}
    ),
    Primitive(
        "shift-around",
        movement.shift_around,
        cells.anything,
        {"direction": DIRECTION, "distance": DISTANCE},
        general=True,
    ),
    Primitive("shear-around", movement.shear_around, cells.anything, {"direction": DIRECTION}),
    Primitive(
        "sort-columns",
        partial(movement.sort_lines, lines="columns"),
        cells.columns_of_bars,
        {"order": one_of("growing", "shrinking")},
    ),
    Primitive(
        "sort-rows",
        partial(movement.sort_lines, lines="rows"),
        cells.rows_of_bars,
        {"order": one_of("growing", "shrinking")},
    ),
    Primitive(
        "mirror-objects",
        movement.mirror_objects,
        shapes.objects,
        {"axis": one_of("rows", "columns", "both")},
        smallest=6,
    ),
    Primitive(
        "move-colour",
        movement.move_colour,
        shapes.objects,
        {"direction": DIRECTION, "colour": first_colour},
        smallest=5,
    ),
)
