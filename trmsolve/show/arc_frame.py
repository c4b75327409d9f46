"""ARC on the terminal: grids and figures in the richest form that it holds whole, and outcomes.

Knows Rich, ARC's values and the width of the terminal. How grids become lines is the work of
``arc.paint``, what moves and what stays on the screen that of ``arc_displays``. Knows no torch.
"""

import math
from collections.abc import Sequence
from typing import get_args

from rich.console import Console, Group, RenderableType
from rich.text import Text

from trmsolve.arc.paint import READABLE, Cells, PaintPictures, Picture, flowed, width
from trmsolve.arc.task import (
    ATTEMPTS,
    AdaptationProgress,
    ArcAnswer,
    ArcCycle,
    Candidate,
    confidence,
)
from trmsolve.show.console import ECHO
from trmsolve.show.frame import Fact, columns, flow, is_plain, readable, side_by_side, stack
from trmsolve.wording import count, duration, seconds

ENDED = {
    "budget": "time limit reached",
    "interrupted": "interrupted",
    "steps": "step limit reached",
    "agreed": "the copies agree",
}

EXPECTATIONS = (("often right", 0.6), ("sometimes right", 0.2), ("seldom right", 0.0))
"""What is said of an answer that is right with at least this probability."""

VALUES = len("10.0 min")
"""Columns kept for a figure: the longest fits, so that nothing jumps."""


def adapting_facts(adapting: AdaptationProgress, steps: int | None = None) -> list[Fact]:
    """How far the learning is, by the clock, or of ``steps`` if they are given.

    Copies that vote while they learn also have their speed, the bits of what they know of the task,
    and how likely the attempts are right.
    """
    loss = f"{adapting.loss:.4f}" if math.isfinite(adapting.loss) else "-"
    remaining = Fact("left", Text(left(adapting, steps)), spent(adapting, steps))
    if adapting.candidates and adapting.moments:
        bits = "-" if adapting.bits is None else f"{adapting.bits:.0f}"
        return [
            Fact("step", Text(str(adapting.step))),
            Fact("speed", Text(f"{adapting.steps_per_second or 0:.1f} steps/s")),
            Fact("loss", Text(loss)),
            Fact("bits", Text(bits)),
            _likelihood(adapting),
            remaining,
        ]
    return [Fact("step", Text(str(adapting.step))), Fact("loss", Text(loss)), remaining]


def _likelihood(adapting: AdaptationProgress) -> Fact:
    """How likely the attempts are right, of the test for which that is least.

    Where that is not known: how many copies favour the first answer.
    """
    likely = _least_confidence(adapting.candidates)
    if likely is not None:
        return Fact("likely right", Text(f"{likely:.0%}"), likely)
    votes = min(found[0].votes for found in adapting.candidates)
    copies = adapting.moments[0].views
    return Fact("agreement", Text(f"{votes}/{copies}"), votes / copies)


def _least_confidence(tests: Sequence[Sequence[Candidate]]) -> float | None:
    """The lowest confidence of all tests; None if it is not known."""
    least = 1.0
    for candidates in tests:
        likely = confidence(candidates)
        if likely is None:
            return None
        least = min(least, likely)
    return least


def cycle_facts(cycle: ArcCycle) -> list[Fact]:
    """Which cycle of which view this is, and how sure the network."""
    tests = len(cycle.task.tests)
    facts = [Fact("test", Text(f"{cycle.test + 1}/{tests}"))] if tests > 1 else []
    confidence = float(cycle.confidence.mean()) if cycle.confidence.size else 0.0
    return [
        *facts,
        Fact("view", Text(f"{cycle.view}/{cycle.views}"), cycle.view / cycle.views),
        Fact("cycle", Text(f"{cycle.number}/{cycle.limit}"), cycle.number / cycle.limit),
        Fact("confidence", Text(f"{confidence:.0%}"), confidence),
        Fact("halt", Text(f"{cycle.halt:.0%}"), cycle.halt),
    ]


def ended(adapting: AdaptationProgress) -> str:
    """Why the learning is over, in words."""
    return ENDED.get(adapting.ended, adapting.ended)


def spent(adapting: AdaptationProgress, steps: int | None = None) -> float:
    """The share of the time, or of the steps, that is used up."""
    if steps is None:
        return _share(adapting.seconds, adapting.budget)
    return _share(adapting.step, steps)


def _share(done: float, whole: float) -> float:
    return min(done / whole, 1.0) if whole > 0 else 1.0


def left(adapting: AdaptationProgress, steps: int | None = None) -> str:
    """The time or the steps that are left: ``32 s``, ``120 steps``."""
    if steps is None:
        return duration(max(adapting.budget - adapting.seconds, 0))
    return count(max(steps - adapting.step, 0), "step")


def panel(
    console: Console, heading: Text, facts: Sequence[Fact], paint: PaintPictures, height: int
) -> RenderableType:
    """The richest form that the terminal holds whole.

    All pictures are better than some, large cells better than small ones, and figures beside the
    pictures better than below them. Figures stand alone where not one picture fits.
    """
    heading.truncate(console.width - ECHO)
    layout = _Panel(console, heading, facts, height)
    forms: tuple[Cells, ...] = READABLE if layout.plain else get_args(Cells)
    painted = [paint(cells) for cells in forms]
    total = len(painted[0])
    for number in range(total, 0, -1):
        for pictures in painted:
            found = layout.try_pictures(pictures[:number], total - number)
            if found is not None:
                return found
    return layout.without_pictures()


class _Panel:
    """A heading, figures and room for pictures, in a terminal of ``height`` free lines."""

    def __init__(self, console: Console, heading: Text, facts: Sequence[Fact], height: int) -> None:
        self.heading = heading
        self.facts = facts
        self.height = height
        self.plain = is_plain(console)
        self.whole = console.width - ECHO
        texts = [Text.assemble((f"{fact.label} ", "label"), fact.value) for fact in facts]
        self.below = flow([text for text in texts if text.cell_len <= self.whole], self.whole)
        figures = side_by_side(Text(), facts, self.plain, VALUES)
        self.beside_figures = self.whole - console.measure(figures).maximum

    def try_pictures(self, pictures: list[Picture], missing: int) -> RenderableType | None:
        """The pictures with the figures beside or below them; None where they do not fit."""
        more: Picture = [[(f"and {missing} more", "label")]] if missing else []
        drawing = [*flowed(pictures, self.beside_figures), *more]
        lines = max(len(drawing), len(self.facts))
        if width(drawing) <= self.beside_figures and 1 + lines <= self.height:
            picture = as_text(drawing, self.plain)
            return Group(self.heading, side_by_side(picture, self.facts, self.plain, VALUES))
        drawing = [*flowed(pictures, self.whole), *more]
        lines = len(drawing) + len(self.below)
        if width(drawing) <= self.whole and 1 + lines <= self.height:
            return Group(self.heading, as_text(drawing, self.plain), *self.below)
        return None

    def without_pictures(self) -> RenderableType:
        """Heading and figures, as many lines as there are."""
        return Group(*[self.heading, *self.below][: max(self.height, 1)])


def as_text(drawing: Picture, plain: bool) -> Text:
    """The drawing for Rich; a plain one has no spaces at the end of a line."""
    lines = [Text.assemble(*line) for line in drawing]
    for line in lines:
        if plain:
            line.rstrip()
    return stack(lines)


def outcome(console: Console, answer: ArcAnswer, name: str = "") -> Text:
    """One line about an answer.

    ``answered  120 steps  2 attempts  41.2 s  time limit reached``, or
    ``right`` or ``wrong`` instead of ``answered``.
    """
    adapting = answer.adapting
    facts = [readable(console, name, "heading"), verdict(answer)]
    if adapting is not None:
        facts.append(Text(count(adapting.step, "step")))
    attempts = sum(len(found[:ATTEMPTS]) for found in answer.candidates)
    facts.append(Text(count(attempts, "attempt")))
    facts.append(Text(seconds(answer.seconds)))
    facts.append(Text("known to the network" if adapting is None else ended(adapting), "note"))
    facts += _expectation(answer)
    return stack(flow(facts, columns(console)))


def _expectation(answer: ArcAnswer) -> list[Text]:
    """How often such answers are right, where nobody can tell and it was measured."""
    likely = _least_confidence(answer.candidates)
    if answer.known_results() or likely is None:
        return []
    words = [word for word, share in EXPECTATIONS if likely >= share]
    return [Text(words[0], "note")]


def verdict(answer: ArcAnswer) -> Text:
    """Right or wrong where outputs are known, and of how many tests; else nobody can tell."""
    known = answer.known_results()
    if not known:
        return Text("answered", "heading")
    tests = len(answer.task.tests)
    if len(known) < tests:
        style = "solved" if all(known) else "unverified"
        return Text(f"{sum(known)} of {count(len(known), 'known test')} right", style)
    if tests == 1:
        return Text("right", "solved") if known[0] else Text("wrong", "unverified")
    style = "solved" if all(known) else "unverified"
    return Text(f"{sum(known)} of {len(known)} tests right", style)
