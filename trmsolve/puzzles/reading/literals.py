"""Reads lists and objects as programs write them, with the place of every value in the text.

JSON, Python, numpy, C, JavaScript and MATLAB differ in words and separators, which matter little
where cells are concerned: brackets nest, quotes hold a string, and all else is a word. ``json`` and
``ast`` read two of these languages only, and tell no places.

This module knows brackets, strings and words. It does not know what the values mean.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import NamedTuple

DEEPEST = 12
"""How deeply lists may be nested."""

LINES = 100_000
LIMIT = 1 << 22
"""The most lines and characters of one list."""

_OPEN = ("[", "{", "(")

_TOKEN = re.compile(
    r"""
    (?P<string>"(?:\\.|[^"\\\n])*"|'(?:\\.|[^'\\\n])*')
    |(?P<open>[\[({])
    |(?P<close>[\])}])
    |(?P<separator>[\s,;:=]+)
    |(?P<word>[^\s,;:=\[\](){}"']+|["'])
    """,
    re.VERBOSE,
)
_INTRODUCED = re.compile(r"[=(:]\s*[\[{(]|\b(?:new|return)\b")


class Word(NamedTuple):
    """A value that is no list: a number, a string without its quotes, or a name."""

    text: str

    start: int
    """Where it begins in the whole text, behind the quote if there is one."""

    quoted: bool = False


@dataclass
class Listing:
    """What stands between two brackets."""

    start: int
    items: list["Word | Listing"] = field(default_factory=list)


class Balance:
    """Counts brackets line by line, and tells where a list is over."""

    def __init__(self) -> None:
        self.depth = 0
        self.lines = 0
        self.characters = 0

    def add(self, line: str) -> bool:
        """Count a line. Returns whether the list ends with it, is too long, or nests too deeply."""
        self.lines += 1
        self.characters += len(line) + 1
        for match in _TOKEN.finditer(line):
            self.depth += match.lastgroup == "open"
            self.depth -= match.lastgroup == "close"
            if self.depth > DEEPEST:
                return True
        return self.depth <= 0 or self.lines > LINES or self.characters > LIMIT


def opens(line: str) -> bool:
    """Tell whether a literal begins in this line and goes on in the next one."""
    bare = line.strip()
    if bare[:1] not in _OPEN and bare[-1:] not in _OPEN and not _INTRODUCED.search(bare):
        return False
    return not Balance().add(line)


def parse(text: str) -> Listing | None:
    """Read the values of a text. Returns None if its brackets do not match or nest too deeply."""
    stack = [Listing(0)]
    for match in _TOKEN.finditer(text):
        kind = match.lastgroup
        if kind == "open":
            inner = Listing(match.start())
            stack[-1].items.append(inner)
            stack.append(inner)
        elif kind == "close":
            stack.pop()
        elif kind == "string":
            stack[-1].items.append(Word(match[0][1:-1], match.start() + 1, quoted=True))
        elif kind == "word":
            stack[-1].items.append(Word(match[0], match.start()))
        if not 0 < len(stack) <= DEEPEST:
            return None
    return stack[0] if len(stack) == 1 else None


def listings(listing: Listing) -> Iterator[Listing]:
    """Generate the lists in a list, outer ones first."""
    yield listing
    for item in listing.items:
        if isinstance(item, Listing):
            yield from listings(item)
