"""Solving one puzzle, watched from Python: live in a terminal, and live in a notebook.

A notebook draws one picture anew at every cycle, which needs no widgets. Nothing here knows a
puzzle or torch.
"""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import replace
from typing import Any, Protocol

from trmsolve.errors import PuzzleError
from trmsolve.puzzles.values import Answer, Cycle
from trmsolve.show.console import make_console
from trmsolve.show.displays import LiveDisplay
from trmsolve.show.frame import PaintGrid

Solve = Callable[[Callable[[Cycle], None] | None], Iterator[Answer | PuzzleError]]
"""Solves one puzzle, and shows each cycle to what is given; None asks for no cycles."""


class Shows(Protocol):
    """What follows the solving of a puzzle."""

    @property
    def wants_cycles(self) -> bool:
        """Whether single cycles can be shown."""

    def cycle(self, cycle: Cycle) -> None:
        """Show a cycle."""

    def answer(self, answer: Answer) -> None:
        """Show the answer."""


class NotebookDisplay:
    """The picture of a cell's output, which is replaced at every cycle."""

    wants_cycles = True

    def __init__(self) -> None:
        self._handle: Any = None
        self._cycles: list[Cycle] = []

    def cycle(self, cycle: Cycle) -> None:
        """Draw the cycle in place of the one before."""
        self._cycles.append(cycle)
        self._show(cycle)

    def answer(self, answer: Answer) -> None:
        """Draw the frame that the answer came from, with the outcome."""
        self._show(replace(answer, history=tuple(self._cycles)))

    def _show(self, drawn: Cycle | Answer) -> None:
        from IPython.display import display  # there wherever a notebook runs

        if self._handle is None:
            self._handle = display(drawn, display_id=True)
        else:
            self._handle.update(drawn)


def watch(solve: Solve, paint: PaintGrid, pace: float) -> Answer:
    """Show a puzzle while it is solved, each cycle for ``pace`` seconds, and return its answer.

    Raises PuzzleError if the network cannot take the puzzle.
    """
    shows, closing = _display(paint)

    def show(cycle: Cycle) -> None:
        shows.cycle(cycle)
        time.sleep(pace)

    with closing:
        answer = next(solve(show if shows.wants_cycles else None))
        if isinstance(answer, PuzzleError):
            raise answer
        shows.answer(answer)
    return answer


def _display(paint: PaintGrid) -> tuple[Shows, AbstractContextManager[object]]:
    """What shows the cycles here, and what gives the terminal back at the end."""
    console = make_console(sys.stdout)
    if console.is_jupyter:
        return NotebookDisplay(), nullcontext()
    live = LiveDisplay(console, paint)
    return live, live
