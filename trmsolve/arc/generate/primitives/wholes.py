"""The rules of whole grids, each with its scenes and its parameters."""

from trmsolve.arc.generate import wholes
from trmsolve.arc.generate.parameters import AXIS, DIRECTION, marker, one_of, paint
from trmsolve.arc.generate.primitive import Primitive
from trmsolve.arc.generate.scenes import cells, repeated

WHOLES = (
    Primitive(
        "mirror", wholes.mirror, cells.anything, {"axis": AXIS}, general=True, keeps_scenes=True
    ),
    Primitive(
        "turn",
        wholes.turn,
        cells.anything,
        {"angle": one_of(*wholes.TURNS)},
        general=True,
        keeps_scenes=True,
    ),
    Primitive(
        "transpose",
        wholes.transpose,
        cells.anything,
        {"diagonal": one_of("main", "other")},
        general=True,
        keeps_scenes=True,
    ),
    Primitive(
        "tile",
        wholes.tile,
        cells.anything,
        {"down": one_of(1, 2, 3), "across": one_of(2, 3)},
        smallest=2,
        growth=3,
        general=True,
    ),
    Primitive(
        "add-mirror-image",
        wholes.add_mirror_image,
        cells.anything,
        {"side": DIRECTION},
        growth=2,
        general=True,
    ),
    Primitive(
        "mirror-to-four", wholes.mirror_to_four, cells.anything, smallest=2, growth=2, general=True
    ),
    Primitive("turn-to-four", wholes.turn_to_four, cells.square, smallest=2, growth=2),
    Primitive(
        "scale-up",
        wholes.scale_up,
        cells.anything,
        {"factor": one_of(2, 3)},
        smallest=2,
        growth=3,
        general=True,
    ),
    Primitive(
        "scale-down",
        wholes.scale_down,
        repeated.scaled,
        {"factor": one_of(2, 3)},
        ("factor",),
        smallest=2,
        growth=3,
    ),
    Primitive("scale-by-colours", wholes.scale_by_colours, cells.noise, smallest=2, growth=4),
    Primitive(
        "stretch",
        wholes.stretch,
        cells.anything,
        {"axis": AXIS, "factor": one_of(2, 3)},
        smallest=2,
        growth=3,
        general=True,
    ),
    Primitive("tile-by-itself", wholes.tile_by_itself, cells.small_noise, smallest=2, growth=3),
    Primitive("keep-half", wholes.keep_half, cells.anything, {"side": DIRECTION}, general=True),
    Primitive("frame", wholes.frame, cells.anything, {"colour": paint}, general=True),
    Primitive("paint-edge", wholes.paint_edge, cells.anything, {"colour": paint}, general=True),
    Primitive("peel", wholes.peel, cells.anything, general=True),
    Primitive(
        "merge-equal-lines",
        wholes.merge_equal_lines,
        repeated.with_repeated_lines,
        smallest=2,
        growth=2,
    ),
    Primitive(
        "space-out", wholes.space_out, cells.mosaic, {"colour": marker}, smallest=2, growth=2
    ),
    Primitive("reverse-every-second-row", wholes.reverse_every_second_row, cells.anything),
    Primitive("reverse-rings", wholes.reverse_rings, repeated.rings, smallest=5),
)
