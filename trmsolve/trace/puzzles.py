"""Grid puzzles in a trace: puzzles, cycles and answers as JSON objects, and back."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trmsolve.puzzles.values import Answer, Cycle, Puzzle
from trmsolve.trace.arrays import bits_of, flags_of, probabilities_of, rows_of, shares_of
from trmsolve.trace.fields import Fields

MOST_VALUES = 128
"""Most candidates of a cell that are read."""


@dataclass(frozen=True, eq=False)
class TracedCycle(Cycle):
    """A cycle as it was written. The confidence of its cells is rounded; its mean is exact."""

    exact_mean: float = 0.0

    @property
    def mean_confidence(self) -> float:
        """The confidence averaged over the cells, as it was before rounding."""
        return self.exact_mean


def puzzle_fields(puzzle: Puzzle) -> dict[str, Any]:
    """The puzzle for JSON."""
    fields: dict[str, Any] = {"source": puzzle.source, "grid": rows_of(puzzle.grid)}
    if puzzle.extra is not None:
        fields["extra"] = puzzle.extra.tolist()
    return fields


def read_puzzle(fields: Fields) -> Puzzle:
    """The puzzle. Raises ValueError."""
    grid = fields.grid("grid")
    if not grid.size:
        raise ValueError('"grid" is empty')
    extra = None
    if "extra" in fields.values:
        extra = _clues(fields.value("extra"))
    return Puzzle(grid, fields.text("source"), extra=extra)


def _clues(values: Any) -> NDArray[np.int8]:
    """Clues that are no cells, of any shape."""
    try:
        return np.array(values, np.int8)
    except (TypeError, OverflowError) as error:
        raise ValueError(f'"extra" must be small whole numbers: {error}') from None


def cycle_fields(cycle: Cycle) -> dict[str, Any]:
    """The cycle for JSON, without its puzzle."""
    fields: dict[str, Any] = {
        "view": cycle.view,
        "views": cycle.views,
        "cycle": cycle.number,
        "limit": cycle.limit,
        "halt": cycle.halt,
        "mean": cycle.mean_confidence,
        "broken": cycle.violations,
        "grid": rows_of(cycle.grid),
        "confidence": shares_of(cycle.confidence),
        "changed": bits_of(cycle.changed),
        "faulty": bits_of(cycle.faulty),
    }
    if cycle.candidates is not None:
        fields["values"] = cycle.candidates.shape[-1]
        fields["candidates"] = bits_of(cycle.candidates)
    if cycle.arrows is not None:
        fields["arrows"] = rows_of(cycle.arrows)
    return fields


def read_cycle(fields: Fields, puzzle: Puzzle) -> TracedCycle:
    """The cycle of the puzzle. Raises ValueError."""
    shape = puzzle.grid.shape
    limit = fields.count("limit", 1)
    views = fields.count("views", 1)
    grid = fields.grid("grid", shape)
    candidates = None
    if "candidates" in fields.values:
        values = fields.count("values", 1, MOST_VALUES)
        candidates = flags_of(fields.value("candidates"), (*shape, values))
    arrows = fields.grid("arrows", shape) if "arrows" in fields.values else None
    return TracedCycle(
        puzzle=puzzle,
        number=fields.count("cycle", 1, limit),
        limit=limit,
        view=fields.count("view", 1, views),
        views=views,
        grid=grid,
        confidence=probabilities_of(fields.value("confidence"), shape),
        changed=flags_of(fields.value("changed"), shape),
        faulty=flags_of(fields.value("faulty"), shape),
        violations=fields.count("broken"),
        halt=fields.number("halt", 1),
        candidates=candidates,
        arrows=arrows,
        exact_mean=fields.number("mean", 1.001),
    )


def answer_fields(answer: Answer) -> dict[str, Any]:
    """The answer for JSON, without its puzzle."""
    return {
        "grid": rows_of(answer.grid),
        "verified": answer.verified,
        "reason": answer.reason,
        "cycles": answer.cycles,
        "views": answer.views,
        "halt": answer.halt,
        "seconds": answer.seconds,
        "valid": answer.valid,
        "optimal": answer.optimal,
        "remark": answer.remark,
    }


def read_answer(fields: Fields, puzzle: Puzzle) -> Answer:
    """The answer to the puzzle. Raises ValueError."""
    return Answer(
        puzzle=puzzle,
        grid=fields.grid("grid", puzzle.grid.shape),
        verified=fields.flag("verified"),
        reason=fields.text("reason"),
        cycles=fields.count("cycles"),
        views=fields.count("views"),
        halt=fields.number("halt", 1),
        seconds=fields.number("seconds"),
        valid=fields.optional_flag("valid"),
        optimal=fields.optional_flag("optimal"),
        remark=fields.text("remark"),
    )
