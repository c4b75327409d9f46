"""The rules that fill areas, each with its scenes and its parameters."""

from trmsolve.arc.generate import filling
from trmsolve.arc.generate.parameters import EXTREME, marker, paint, second_paint
from trmsolve.arc.generate.primitive import Primitive
from trmsolve.arc.generate.scenes import cells, rooms, shapes

FILLING = (
    Primitive(
        "fill-enclosed", filling.fill_enclosed, shapes.outlines, {"colour": paint}, smallest=5
    ),
    Primitive(
        "fill-enclosed-by-size",
        filling.fill_enclosed_by_size,
        shapes.outlines,
        {"small": paint, "large": second_paint},
        smallest=8,
    ),
    Primitive("fill-outside", filling.fill_outside, shapes.outlines, {"colour": paint}, smallest=5),
    Primitive(
        "fill-room",
        filling.fill_room,
        rooms.rooms,
        {"which": EXTREME, "colour": paint},
        smallest=6,
    ),
    Primitive("flood", filling.flood, rooms.rooms_with_seeds, {"wall": marker}, smallest=6),
    Primitive("fill-nearest", filling.fill_nearest, cells.scattered, smallest=5),
)
