"""The rules of panels, each with its scenes and its parameters."""

from trmsolve.arc.generate import panels
from trmsolve.arc.generate.parameters import marker, one_of, paint
from trmsolve.arc.generate.primitive import Primitive
from trmsolve.arc.generate.scenes import rooms

PANELS = (
    Primitive(
        "combine-panels",
        panels.combine,
        rooms.two_panels,
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
        rooms.two_panels,
        {"on_top": one_of("first", "second"), "line": marker},
        growth=2,
    ),
    Primitive(
        "odd-panel", panels.odd_panel, rooms.one_odd_panel, {"line": marker}, smallest=2, growth=4
    ),
    Primitive(
        "choose-panel",
        panels.fullest_panel,
        rooms.panels_of_noise,
        {"which": one_of("fullest", "emptiest"), "line": marker},
        smallest=2,
        growth=4,
    ),
    Primitive(
        "remove-lines",
        panels.remove_lines,
        rooms.panels_of_noise,
        {"line": marker},
        smallest=2,
        growth=4,
    ),
)
