"""What a person watches on the terminal: the grid cycle by cycle, the outcome of a puzzle, the progress of many.

A command chooses one view, tells it of every cycle, answer and unreadable item, and closes it; all
of it goes to standard error, since standard output belongs to the answers. Knows Rich and the
values that pass between rooms, and what moves and what stays on the screen. Knows no puzzle and no
torch; how one cycle is drawn is ``frame``'s.
"""

import time
from collections import Counter
from collections.abc import Callable

from rich.console import Console
from rich.text import Text

from trmsolve.errors import PuzzleError
from trmsolve.puzzles.values import Answer, Cycle
from trmsolve.show.console import REDRAW_SECONDS, ROWS_BELOW, Screen, Watcher
from trmsolve.show.frame import (
    BAR_WIDTH,
    Paint,
    bar,
    columns,
    draw,
    flow,
    is_plain,
    readable,
    stack,
)
from trmsolve.wording import count, seconds


class StatusLine(Screen):
    """One line that says how far some work has come; it is gone when the work is done, and silent in a file."""

    def status(self, text: str) -> None:
        """Replace the line."""
        if self.console.is_interactive:
            self._move(readable(self.console, text, "note"))


class View(Watcher):
    """Shows nothing but what could not be read: the quiet view, and what the others have in common."""

    def cycle(self, cycle: Cycle) -> None:
        """The model improved a puzzle once more."""

    def answer(self, answer: Answer) -> None:
        """A puzzle is done."""

    def note(self, text: str) -> None:
        """There is something to know of how the input was read."""


class QuietView(View):
    """``--quiet``: errors only."""


class StepsView(View):
    """``--show-steps``: every cycle one below the other, each with its figures; a file gets the same without escapes.

    ``headings`` names the source of each puzzle, for when there are several.
    """

    def __init__(self, console: Console, paint: Paint, headings: bool = False) -> None:
        super().__init__(console)
        self.paint, self.headings = paint, headings

    @property
    def wants_cycles(self) -> bool:
        return True

    @property
    def shows_grids(self) -> bool:
        return self.wants_cycles

    def cycle(self, cycle: Cycle) -> None:
        self._print(draw(self.console, cycle, self.paint, self._heading(cycle), beside=False))
        self.console.line()

    def answer(self, answer: Answer) -> None:
        self._print(outcome(self.console, answer, self._heading(answer)))

    def note(self, text: str) -> None:
        self._tell(text, "note")

    def _heading(self, of: Cycle | Answer) -> str:
        return of.puzzle.source if self.headings else ""


class LiveView(StepsView):
    """For a few puzzles: the grid redrawn in place at every cycle, then its last frame and one line that stay.

    Where nothing can be redrawn (a pipe, a dumb terminal) that line is all. Cycles of several
    puzzles may come mixed: one puzzle at a time is followed.
    """

    def __init__(self, console: Console, paint: Paint, headings: bool = False) -> None:
        super().__init__(console, paint, headings)
        self._seen: dict[int, dict[int, Cycle]] = {}  # by puzzle, by view: the last cycle of each
        self._followed: int | None = None

    @property
    def wants_cycles(self) -> bool:
        return self.console.is_interactive

    def cycle(self, cycle: Cycle) -> None:
        if not self.console.is_interactive:
            return
        key = id(cycle.puzzle)
        self._seen.setdefault(key, {})[cycle.view] = cycle
        self._followed = self._followed or key
        if self._followed == key:
            self._move(
                draw(
                    self.console,
                    cycle,
                    self.paint,
                    self._heading(cycle),
                    self.console.height - ROWS_BELOW,
                )
            )

    def answer(self, answer: Answer) -> None:
        self.clear()
        key = id(answer.puzzle)
        self._followed = None if self._followed == key else self._followed
        cycles = list(self._seen.pop(key, {}).values())
        if cycles:
            # The frame that stays is the one the answer came from, whichever view was drawn last.
            last = next((c for c in reversed(cycles) if (c.grid == answer.grid).all()), cycles[-1])
            self._print(draw(self.console, last, self.paint, self._heading(last)))
        self._print(outcome(self.console, answer, "" if cycles else self._heading(answer)))

    def close(self) -> None:
        self._keep()  # an interrupt leaves the frame where the model was
        super().close()


class ProgressView(View):
    """For many puzzles: one moving line of counts, problems above it at once, and a summary at the end.

    ``total`` is None when puzzles stream in. The line moves with the model's cycles and not with a
    timer: it stands still only when the work does.
    """

    def __init__(
        self, console: Console, total: int | None, clock: Callable[[], float] = time.perf_counter
    ) -> None:
        super().__init__(console)
        self.total, self.clock, self.begun = total, clock, clock()
        self.counts: Counter[str] = Counter()
        self.remarks: Counter[str] = Counter()
        self._drawn, self._turns, self._closed = float("-inf"), 0, False

    @property
    def wants_cycles(self) -> bool:
        return self.console.is_interactive

    def cycle(self, cycle: Cycle) -> None:
        self._advance()

    def answer(self, answer: Answer) -> None:
        self.counts.update(("done", "solved" if answer.verified else "unverified"))
        self.counts["views"] += answer.views
        if answer.remark:
            self.remarks[answer.remark] += 1
        self._advance()

    def note(self, text: str) -> None:
        self._tell(text, "note")

    def problem(self, error: PuzzleError) -> None:
        super().problem(error)
        self.counts["unreadable"] += 1
        self._advance()

    def clear(self) -> None:
        super().clear()
        self._drawn = float("-inf")

    def close(self) -> None:
        super().close()
        if not self._closed:
            self._print(stack(flow(self._summary(), columns(self.console))))
        self._closed = True

    def _advance(self) -> None:
        if self.console.is_interactive and self.clock() - self._drawn >= REDRAW_SECONDS:
            self._turns += 1
            self._move(self._line())
            self._drawn = self.clock()

    def _line(self) -> Text:
        """One line, whatever the width: the last figures give way first, the bar takes what is left."""
        read, plain = self.counts["done"] + self.counts["unreadable"], is_plain(self.console)
        facts = [
            Text(count(read, "puzzle") if self.total is None else f"{read}/{self.total}"),
            *self._tally(),
        ]
        if self.total is None:
            marks = "|/-\\" if plain else "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
            facts.insert(0, Text(marks[self._turns % len(marks)], "bar"))
        line = flow([*facts, self._rate()], self.console.width)[0]
        room = min(self.console.width - line.cell_len - 2, 30)
        if self.total and room >= BAR_WIDTH:
            return Text.assemble(bar(min(read / self.total, 1), room, plain), "  ", line)
        return line

    def _tally(self) -> list[Text]:
        names = [
            name
            for name in ("solved", "unverified", "unreadable")
            if self.counts[name] or name != "unreadable"
        ]
        return [
            Text(f"{self.counts[name]} {name}", name if self.counts[name] else "") for name in names
        ]

    def _rate(self) -> Text:
        elapsed = self.clock() - self.begun
        return Text(f"{self.counts['done'] / elapsed if elapsed else 0:.1f} puzzles/s")

    def _summary(self) -> list[Text]:
        done = self.counts["done"]
        views = [Text(f"{self.counts['views'] / done:.1f} views on average")] if done else []
        took = Text(seconds(self.clock() - self.begun))
        remarks = [
            Text(f"{number} where {remark}") for remark, number in sorted(self.remarks.items())
        ]
        return [Text(count(done, "puzzle")), *self._tally(), *remarks, *views, took, self._rate()]


def outcome(console: Console, answer: Answer, source: str = "") -> Text:
    """``solved  6 cycles  1 view  0.41 s``, or ``unverified ...`` with the rule that failed."""
    verdict = "solved" if answer.verified else "unverified"
    facts = [Text(verdict, verdict)]
    if answer.views:  # else it was never tried
        facts += [
            Text(count(answer.cycles, "cycle")),
            Text(count(answer.views, "view")),
            Text(seconds(answer.seconds)),
        ]
    facts.append(readable(console, answer.reason))
    facts.append(readable(console, answer.remark))
    return stack(flow([readable(console, source, "heading"), *facts], columns(console)))
