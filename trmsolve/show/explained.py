"""What the figures of a live view mean: in a line under the frame, and at length when ? is pressed.

Knows words and the width of the terminal. A puzzle brings what the marks of its drawing mean.
"""

import textwrap
from collections.abc import Iterable

from rich.console import Console
from rich.text import Text

from trmsolve.puzzles.values import Line
from trmsolve.show.frame import Fact, columns, flow, stack

SHORT = {
    "confidence": "sure of cells",
    "halt": "sure of all",
}
"""What the figures are, in a few words, by their labels."""

EXPLAINED = {
    "cycle": "The network has improved its answer so many times in this view.",
    "view": "The puzzle as given is view 1. If the rules refuse its answer, the network begins "
    "again with the puzzle turned or with its symbols exchanged.",
    "confidence": "How sure the network is of the content of a cell, on average.",
    "halt": "How sure the network is that the whole answer is right.",
    "broken rules": "How many rules the grid breaks. The rules are checked without the network.",
}
"""The same at length."""

BACK = "any key goes back"
OPENS = Text.assemble(("? ", "label"), "explains")
LABEL_COLUMNS = 14


def key_facts(marks: Iterable[Line], facts: Iterable[str], has_keys: bool) -> tuple[Text, ...]:
    """The entries of the line under a frame, the most important first.

    Args:
        marks: What the marks of the drawing mean.
        facts: The labels of the figures.
        has_keys: Whether ``?`` can be pressed.
    """
    entries = [Text.assemble(*mark) for mark in marks]
    if has_keys:
        entries.append(OPENS)
    for label in facts:
        if label in SHORT:
            entries.append(Text.assemble((f"{label} ", "label"), SHORT[label]))
    return tuple(entries)


def key_of(facts: Iterable[Fact]) -> tuple[Text, ...]:
    """The entries for figures alone."""
    return key_facts((), [fact.label for fact in facts], has_keys=False)


def explanation(console: Console, marks: Iterable[Line], height: int) -> Text:
    """What all figures mean, in at most so many lines."""
    width = columns(console)
    lines = flow([Text.assemble(*mark) for mark in marks], width)
    for label, words in EXPLAINED.items():
        lines += _paragraph(label, words, width)
    return stack([*lines[: max(height - 1, 0)], Text(BACK, "note")])


def _paragraph(label: str, words: str, width: int) -> list[Text]:
    """A label, and its words beside it; in a narrow terminal below it."""
    first = label.ljust(LABEL_COLUMNS)
    later = " " * LABEL_COLUMNS
    if width < 4 * LABEL_COLUMNS:
        first = f"{label}: "
        later = ""
    wrapped = textwrap.wrap(first + words, max(width, 2 * LABEL_COLUMNS), subsequent_indent=later)
    lines = [Text(line) for line in wrapped]
    lines[0].stylize("label", 0, len(label))
    return lines
