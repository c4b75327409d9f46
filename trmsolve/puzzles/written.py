"""Answers and cycles as text: what ``print`` shows of them.

Knows the registry of puzzles, and neither the terminal nor a colour.
"""

import numpy as np

from trmsolve.errors import UsageError
from trmsolve.puzzles.base import Task
from trmsolve.puzzles.paint import paint_grid
from trmsolve.puzzles.registry import get_task
from trmsolve.puzzles.values import Answer, Cycle, Line

HALTS = 0.5
"""A network stops by itself where it finds it more probable than this that its answer is right."""


def write_answer(answer: Answer) -> str:
    """The answer as its puzzle was drawn, or in the plain drawing if it was not read from text.

    A second paragraph says which rule fails if it is not verified, so that it cannot be mistaken.
    It also says why the run ended, if the answer has its cycles.
    """
    task = task_of(answer)
    if task is None or answer.puzzle.form is None:
        drawing = _plain(last_cycle(answer))
    else:
        drawing = task.write(answer.grid, answer.puzzle.form).rstrip("\n")
    if answer.verified:
        return drawing
    ended = f", {why_ended(answer, answer.history[-1])}" if answer.history else ""
    return f"{drawing}\n\nunverified{ended}: {answer.reason}"


def write_cycle(cycle: Cycle) -> str:
    """The grid of the cycle in the plain drawing, with marks for what changed or breaks a rule."""
    return _plain(cycle)


def why_ended(answer: Answer, last: Cycle) -> str:
    """Why no cycle followed the ``last`` one of the last view."""
    if answer.verified:
        return "the rules accept"
    keeps_no_candidates = last.candidates is None
    would_go_on = last.halt <= HALTS
    # A large maze is given up before its limit when its answer no longer changes.
    if last.number == last.limit or (would_go_on and keeps_no_candidates):
        return "out of cycles"
    return "the network halted"


def last_cycle(answer: Answer) -> Cycle:
    """A cycle that ends in the answer, to draw it by, with every cell as sure as can be."""
    shape = answer.grid.shape
    task = task_of(answer)
    faulty = np.zeros(shape, bool)
    violations = 0 if answer.verified else 1
    if task is not None:
        faulty, violations = task.faults(answer.puzzle, answer.grid)
    cycles = max(answer.cycles, 1)
    views = max(answer.views, 1)
    return Cycle(
        puzzle=answer.puzzle,
        number=cycles,
        limit=cycles,
        view=views,
        views=views,
        grid=answer.grid,
        confidence=np.ones(shape, np.float32),
        changed=np.zeros(shape, bool),
        faulty=faulty,
        violations=violations,
        halt=answer.halt,
        task=answer.task,
    )


def task_of(drawn: Answer | Cycle) -> Task | None:
    """The kind of puzzle, if it is known here."""
    try:
        return get_task(drawn.task)
    except UsageError:  # not registered, or none
        return None


def paint(cycle: Cycle, plain: bool) -> list[Line]:
    """The lines of the cycle's drawing, of any kind of puzzle."""
    task = task_of(cycle)
    return paint_grid(cycle, Task.symbols, plain) if task is None else task.paint(cycle, plain)


def _plain(cycle: Cycle) -> str:
    lines = ["".join(text for text, _ in line).rstrip() for line in paint(cycle, plain=True)]
    return "\n".join(lines)
