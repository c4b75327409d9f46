"""The rules that complete patterns, each with its scenes and its parameters."""

from trmsolve.arc.generate import patterns
from trmsolve.arc.generate.parameters import AXIS, SYMMETRY, marker, no_colour
from trmsolve.arc.generate.primitive import Primitive
from trmsolve.arc.generate.scenes import repeated

PATTERNS = (
    Primitive(
        "complete-symmetry",
        patterns.complete_symmetry,
        repeated.symmetric_with_hole,
        {"symmetry": SYMMETRY, "hole": marker},
        ("symmetry",),
        smallest=4,
    ),
    Primitive(
        "patch-of-symmetry",
        patterns.patch_of_symmetry,
        repeated.symmetric_with_hole,
        {"symmetry": SYMMETRY, "hole": marker},
        ("symmetry",),
        smallest=6,
    ),
    Primitive(
        "reflect", patterns.reflect, repeated.half_empty, {"axis": AXIS}, ("axis",), smallest=5
    ),
    Primitive(
        "complete-tiling",
        patterns.complete_tiling,
        repeated.tiling_with_hole,
        {"hole": marker},
        smallest=6,
    ),
    Primitive(
        "patch-of-tiling",
        patterns.patch_of_tiling,
        repeated.tiling_with_hole,
        {"hole": marker},
        smallest=6,
    ),
    Primitive(
        "continue-tiling",
        patterns.complete_tiling,
        repeated.begun_tiling,
        {"hole": no_colour},
        smallest=6,
    ),
    Primitive(
        "continue-stripes",
        patterns.complete_tiling,
        repeated.begun_stripes,
        {"hole": no_colour},
        smallest=6,
    ),
)
