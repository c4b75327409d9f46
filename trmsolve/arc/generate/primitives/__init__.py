"""The table of all rules that tasks are made of, each with its scenes and its parameters."""

from trmsolve.arc.generate.primitives.colours import COLOURS
from trmsolve.arc.generate.primitives.counting import COUNTING
from trmsolve.arc.generate.primitives.filling import FILLING
from trmsolve.arc.generate.primitives.lines import LINES
from trmsolve.arc.generate.primitives.movement import MOVEMENT
from trmsolve.arc.generate.primitives.objects import OBJECTS
from trmsolve.arc.generate.primitives.panels import PANELS
from trmsolve.arc.generate.primitives.patterns import PATTERNS
from trmsolve.arc.generate.primitives.wholes import WHOLES

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
