"""The rules that draw lines, each with its scenes and its parameters."""

from trmsolve.arc.generate import lines
from trmsolve.arc.generate.parameters import AXIS, DIRECTION, marker, no_colour, one_of, paint
from trmsolve.arc.generate.primitive import Primitive
from trmsolve.arc.generate.scenes import cells, shapes

LINES = (
    Primitive("extend", lines.extend, cells.scattered, {"direction": DIRECTION}, smallest=4),
    Primitive(
        "extend-to-wall",
        lines.extend_to_wall,
        cells.cells_and_walls,
        {"direction": DIRECTION, "wall": marker},
        smallest=5,
    ),
    Primitive(
        "draw-lines", lines.draw_lines, cells.seeds_in_own_lines, {"lines": AXIS}, smallest=4
    ),
    Primitive("draw-crosses", lines.draw_crosses, cells.seeds_in_own_lines, smallest=5),
    Primitive("draw-diagonals", lines.draw_diagonals, cells.scattered_of_one_colour, smallest=5),
    Primitive(
        "draw-diagonal",
        lines.draw_diagonal,
        cells.scattered_of_one_colour,
        {"diagonal": one_of("falling", "rising")},
        smallest=5,
    ),
    Primitive(
        "draw-star", lines.draw_star, cells.scattered_of_one_colour, {"colour": paint}, smallest=5
    ),
    Primitive("draw-from-corners", lines.draw_from_corners, shapes.one_rectangle, smallest=5),
    Primitive(
        "connect-equal",
        lines.connect_equal,
        cells.equal_pairs,
        {"colour": no_colour},
        smallest=5,
    ),
    Primitive(
        "connect-in-colour",
        lines.connect_equal,
        cells.equal_pairs,
        {"colour": paint},
        smallest=5,
    ),
    Primitive(
        "bounce",
        lines.bounce,
        cells.one_cell_at_the_bottom,
        {"side": one_of("left", "right")},
        smallest=4,
    ),
    Primitive(
        "draw-grid-lines",
        lines.draw_grid_lines,
        cells.scattered,
        {"spacing": one_of(2, 3, 4), "colour": paint},
        smallest=5,
    ),
    Primitive("draw-checkerboard", lines.draw_checkerboard, shapes.objects, {"colour": paint}),
    Primitive(
        "mark-crossings", lines.mark_crossings, cells.full_lines, {"colour": paint}, smallest=5
    ),
    Primitive(
        "project-to-edge",
        lines.project_to_edge,
        shapes.objects,
        {"direction": DIRECTION, "colour": paint},
        smallest=5,
    ),
)
