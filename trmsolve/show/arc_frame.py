"""ARC as a person sees it: grids and figures in whatever form the terminal holds whole, and what is said of an answer.

Knows Rich, ARC's values and the width there is; how grids become lines is ``arc_paint``'s. Knows no
torch, and not what moves and what stays on the screen: that is ``arc_view``.
"""

import math
from collections.abc import Sequence
from typing import get_args

from rich.console import Console, Group, RenderableType
from rich.text import Text

from trmsolve.arc.paint import READABLE, Cells, Drawing, Paint, flowed, width
from trmsolve.arc.task import ATTEMPTS, AdaptationProgress, ArcAnswer, ArcCycle
from trmsolve.show.frame import Fact, columns, flow, is_plain, readable, side_by_side, stack
from trmsolve.show.training import ECHO
from trmsolve.wording import count, duration, seconds

ENDED = {
    "budget": "the time was up",
    "solved": "all demonstrations solved",
    "interrupted": "interrupted",
    "steps": "the steps were up",
}

VALUES = len("10.0 min")  # room for the longest figure, so that nothing jumps


def adapting_facts(adapting: AdaptationProgress, steps: int | None = None) -> list[Fact]:
    """How far the learning is, by the clock or of so many steps.

    ``solved`` counts demonstrations that were answered while held out.
    """
    number, solved, loss = len(adapting.task.demonstrations), adapting.solved, adapting.loss
    known = Fact("demonstrations", Text("-"))
    if solved is not None:
        known = Fact("demonstrations", Text(f"{solved}/{number}"), solved / number)
    return [
        Fact("step", Text(str(adapting.step))),
        Fact("loss", Text(f"{loss:.4f}" if math.isfinite(loss) else "-")),
        known,
        Fact("left", Text(left(adapting, steps)), spent(adapting, steps)),
    ]


def cycle_facts(cycle: ArcCycle) -> list[Fact]:
    """Where the answering is, and how sure the network."""
    tests, sure = (
        len(cycle.task.tests),
        float(cycle.confidence.mean()) if cycle.confidence.size else 0.0,
    )
    return [
        *([Fact("test", Text(f"{cycle.test + 1}/{tests}"))] if tests > 1 else []),
        Fact("view", Text(f"{cycle.view}/{cycle.views}"), cycle.view / cycle.views),
        Fact("cycle", Text(f"{cycle.number}/{cycle.limit}"), cycle.number / cycle.limit),
        Fact("confidence", Text(f"{sure:.0%}"), sure),
        Fact("halt", Text(f"{cycle.halt:.0%}"), cycle.halt),
    ]


def ended(adapting: AdaptationProgress) -> str:
    """Why it is over, in words."""
    return ENDED.get(adapting.ended, adapting.ended)


def spent(adapting: AdaptationProgress, steps: int | None = None) -> float:
    """The share of the time, or of the steps, that is over."""
    done, whole = (adapting.seconds, adapting.budget) if steps is None else (adapting.step, steps)
    return min(done / whole, 1.0) if whole > 0 else 1.0


def left(adapting: AdaptationProgress, steps: int | None = None) -> str:
    """What is not over yet: ``32 s``, ``120 steps``."""
    if steps is None:
        return duration(max(adapting.budget - adapting.seconds, 0))
    return count(max(steps - adapting.step, 0), "step")


def panel(
    console: Console, heading: Text, facts: Sequence[Fact], paint: Paint, height: int
) -> RenderableType:
    """The richest form that the terminal holds whole.

    All pictures rather than some, then large cells rather than small ones, then figures beside them
    rather than below; figures alone where not one picture fits.
    """
    plain, whole = is_plain(console), console.width - ECHO
    heading.truncate(whole)
    texts = [Text.assemble((f"{fact.label} ", "label"), fact.value) for fact in facts]
    below = flow([text for text in texts if text.cell_len <= whole], whole)
    broad = whole - console.measure(side_by_side(Text(), facts, plain, VALUES)).maximum
    forms: tuple[Cells, ...] = READABLE if plain else get_args(Cells)
    painted = [paint(cells) for cells in forms]
    for number in range(len(painted[0]), 0, -1):
        missing = len(painted[0]) - number
        more: Drawing = [[(f"and {missing} more", "label")]] if missing else []
        for pictures in (every[:number] for every in painted):
            drawing = [*flowed(pictures, broad), *more]
            if width(drawing) <= broad and 1 + max(len(drawing), len(facts)) <= height:
                return Group(heading, side_by_side(as_text(drawing, plain), facts, plain, VALUES))
            drawing = [*flowed(pictures, whole), *more]
            if width(drawing) <= whole and 1 + len(drawing) + len(below) <= height:
                return Group(heading, as_text(drawing, plain), *below)
    return Group(*[heading, *below][: max(height, 1)])


def as_text(drawing: Drawing, plain: bool) -> Text:
    """For Rich; what is plain has no spaces at the end of a line."""
    lines = [Text.assemble(*line) for line in drawing]
    for line in lines:
        if plain:
            line.rstrip()
    return stack(lines)


def outcome(console: Console, answer: ArcAnswer, name: str = "") -> Text:
    """``answered  120 steps  3/3 demonstrations  2 attempts  41.2 s  the time was up``, or ``right``, or ``wrong``."""
    task, adapting = answer.task, answer.adapting
    facts = [readable(console, name, "heading"), verdict(answer)]
    if adapting is not None:
        facts.append(Text(count(adapting.step, "step")))
        if adapting.solved is not None:
            facts.append(Text(f"{adapting.solved}/{len(task.demonstrations)} demonstrations"))
    attempts = sum(len(found[:ATTEMPTS]) for found in answer.candidates)
    facts += [Text(count(attempts, "attempt")), Text(seconds(answer.seconds))]
    facts.append(Text("known to the network" if adapting is None else ended(adapting), "note"))
    return stack(flow(facts, columns(console)))


def verdict(answer: ArcAnswer) -> Text:
    """Right or wrong where the outputs are known; nobody else can tell."""
    tests = range(len(answer.task.tests))
    known = [right for test in tests if (right := answer.right(test)) is not None]
    if not known:
        return Text("answered", "heading")
    if len(known) == 1:
        return Text("right", "solved") if known[0] else Text("wrong", "unverified")
    return Text(
        f"{sum(known)} of {len(known)} tests right", "solved" if all(known) else "unverified"
    )
