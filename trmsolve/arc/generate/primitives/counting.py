"""The rules that count, each with its scenes and its parameters."""

from trmsolve.arc.generate import counting
from trmsolve.arc.generate.parameters import RANK, one_of, paint
from trmsolve.arc.generate.primitive import Primitive
from trmsolve.arc.generate.scenes import cells, shapes

COUNTING = (
    Primitive(
        "count-objects",
        counting.count_objects,
        shapes.objects_of_one_colour,
        {"form": one_of("row", "column", "diagonal"), "colour": paint},
        smallest=5,
    ),
    Primitive("show-colour", counting.show_colour, cells.anything, {"rank": RANK}),
    Primitive("fill-with-commonest", counting.fill_with_commonest, cells.anything),
    Primitive("list-colours", counting.list_colours, shapes.objects, smallest=5),
    Primitive("draw-histogram", counting.draw_histogram, cells.scattered, smallest=5),
    Primitive("show-largest-colour", counting.show_largest_colour, shapes.objects, smallest=5),
)
