"""The moving line of counts that stands for many items, and the summary that follows it.

The line moves with the work and not with a timer: it stands still only when the work does. Knows
when to draw; what the line says is up to its subclasses.
"""

from abc import abstractmethod
from collections import Counter
from collections.abc import Callable

from rich.console import Console
from rich.text import Text

from trmsolve.errors import PuzzleError
from trmsolve.show.console import REDRAW_SECONDS, Watcher
from trmsolve.show.frame import columns, flow, stack


class ProgressLine(Watcher):
    """The base of the displays of many items."""

    def __init__(self, console: Console, clock: Callable[[], float]) -> None:
        super().__init__(console)
        self.clock = clock
        self.begun = clock()
        self.counts: Counter[str] = Counter()
        self._drawn = float("-inf")  # when the line was drawn last
        self._turns = 0  # how often the line was drawn
        self._closed = False

    @property
    def wants_cycles(self) -> bool:
        """Whether the line can be redrawn."""
        return self.console.is_interactive

    def problem(self, error: PuzzleError) -> None:
        """Print the error, and count it."""
        super().problem(error)
        self.counts["unreadable"] += 1
        self._advance()

    def clear(self) -> None:
        """Remove the line; the next event draws it again."""
        super().clear()
        self._drawn = float("-inf")

    def close(self) -> None:
        """Print the summary, once."""
        super().close()
        if not self._closed:
            self._print(stack(flow(self._summary(), columns(self.console))))
        self._closed = True

    def _advance(self) -> None:
        """Redraw the line, if it was not drawn just now."""
        if not self.console.is_interactive:
            return
        if self.clock() - self._drawn >= REDRAW_SECONDS:
            self._turns += 1
            self._move(self._line())
            self._drawn = self.clock()

    @abstractmethod
    def _line(self) -> Text:
        """Return the line as it is now."""

    @abstractmethod
    def _summary(self) -> list[Text]:
        """Return the facts of the summary."""
