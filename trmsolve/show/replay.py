"""Plays a recording in the terminal with the drawings of the live view.

``Player`` knows where the replay is and what the keys do. ``ReplayDisplay`` draws that place. The
frames are those of ``displays`` and ``arc_displays``. Knows no file and no torch.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from rich.console import Console, Group, RenderableType
from rich.text import Text

from trmsolve.arc.task import ArcAnswer, ArcCycle
from trmsolve.puzzles.values import Answer, Cycle, Line
from trmsolve.show.arc_displays import StepsArcDisplay, answer_panel, cycle_panel, learning_panel
from trmsolve.show.console import ROWS_BELOW, Screen
from trmsolve.show.displays import FIGURES, StepsDisplay, cycle_of, moving_layout, outcome
from trmsolve.show.explained import explanation, key_facts
from trmsolve.show.frame import ONE_SIZE, OtherSizes, PaintGrid, columns, draw, flow
from trmsolve.show.pace import FASTEST, SLOWEST
from trmsolve.trace.recording import Frame, Played, Recording

HELP = (
    "space play",
    "← → step",
    "+ - speed",
    "n p puzzle",
    "q quit",
    "? help",
)
"""The keys, the most important first."""


@dataclass
class Player:
    """Where a replay is: a puzzle, and one of its places, of which the last is the answer."""

    recording: Recording
    seconds: float
    """How long a frame is shown."""
    number: int = 0
    """Which puzzle, from 0."""
    place: int = 0
    """Which frame of the puzzle, from 0."""
    playing: bool = True
    explaining: bool = False
    """Whether the meaning of the figures is shown; the next key ends it."""
    ended: bool = False

    @property
    def played(self) -> Played:
        """The puzzle."""
        return self.recording.played[self.number]

    @property
    def is_last(self) -> bool:
        """Whether no frame of any puzzle follows."""
        is_last_puzzle = self.number == len(self.recording.played) - 1
        return is_last_puzzle and self.place == places(self.played) - 1

    def advance(self) -> None:
        """Go on to the next frame, and from a puzzle's last one to the next puzzle."""
        if self.is_last:
            self.playing = False
        elif self.place < places(self.played) - 1:
            self.place += 1
        else:
            self.number += 1
            self.place = 0

    def press(self, key: str) -> None:
        """Do what a key is for; other keys do nothing. Any key ends an explanation."""
        if self.explaining:
            self.explaining = False
            return
        actions: dict[str, Callable[[], None]] = {
            "space": self._toggle,
            "right": lambda: self._step(1),
            "left": lambda: self._step(-1),
            "home": lambda: self._go(0),
            "end": lambda: self._go(places(self.played) - 1),
            "+": lambda: self._hold(self.seconds / 2),
            "=": lambda: self._hold(self.seconds / 2),  # the key of + without shift
            "-": lambda: self._hold(self.seconds * 2),
            "n": lambda: self._choose(self.number + 1),
            "down": lambda: self._choose(self.number + 1),
            "p": lambda: self._choose(self.number - 1),
            "up": lambda: self._choose(self.number - 1),
            "?": self._explain,
            "q": self._end,
        }
        action = actions.get(key)
        if action is not None:
            action()

    def _toggle(self) -> None:
        """Play or pause; at the very end play the puzzle again."""
        if self.is_last and not self.playing:
            self.place = 0
        self.playing = not self.playing

    def _step(self, by: int) -> None:
        self._go(self.place + by)

    def _go(self, place: int) -> None:
        """Show that place of the puzzle, or the nearest there is, and pause."""
        self.playing = False
        self.place = min(max(place, 0), places(self.played) - 1)

    def _choose(self, number: int) -> None:
        """Show the first frame of that puzzle, if there is one."""
        if 0 <= number < len(self.recording.played):
            self.number = number
            self.place = 0

    def _hold(self, seconds: float) -> None:
        self.seconds = min(max(seconds, FASTEST), SLOWEST)

    def _explain(self) -> None:
        self.explaining = True

    def _end(self) -> None:
        self.ended = True


def places(played: Played) -> int:
    """How many places a puzzle has: its frames, and its answer."""
    return len(played.frames) + (played.answer is not None)


class ReplayDisplay(Screen):
    """Draws the place of a player, and a line about the replay below it."""

    def __init__(
        self,
        console: Console,
        recording: Recording,
        paint: PaintGrid | None,
        others: OtherSizes = ONE_SIZE,
        marks: Sequence[Line] | None = None,
    ) -> None:
        super().__init__(console)
        self.marks = marks
        """What the marks of the drawing mean, for a key under it; None for no key."""
        self.recording = recording
        self.paint = paint
        """Draws the grids of puzzles; None for ARC."""
        self.others = others
        self.headings = len(recording.played) + len(recording.problems) > 1
        self._last: RenderableType | None = None

    def show(self, player: Player) -> None:
        """Draw the place of the player, or an explanation, in place of the last drawing."""
        if player.explaining:
            self._move(
                explanation(self.console, self.marks or (), self.console.height - ROWS_BELOW)
            )
            return
        self._last = self.frame(player.played, player.place)
        self._move(Group(self._last, self._line(player)))

    def frame(self, played: Played, place: int) -> RenderableType:
        """What the live view has drawn at this place."""
        if place < len(played.frames):
            return self._frame(played.frames[place])
        assert played.answer is not None
        if isinstance(played.answer, ArcAnswer):
            return answer_panel(self.console, played.answer)
        return self._answer(played, played.answer)

    def close(self) -> None:
        """Leave the last frame on the terminal, without the line about the replay."""
        if self._live and self._last is not None:
            self._move(self._last)
        self._keep()
        super().close()

    def _frame(self, frame: Frame) -> RenderableType:
        if isinstance(frame, Cycle):
            assert self.paint is not None
            layout = moving_layout(self.console, self._heading(frame), others=self.others)
            if self.marks is not None:
                layout = layout._replace(key=key_facts(self.marks, FIGURES, has_keys=False))
            return draw(self.console, frame, self.paint, layout)
        if isinstance(frame, ArcCycle):
            return cycle_panel(self.console, frame)
        return learning_panel(self.console, frame, self.recording.steps)

    def _answer(self, played: Played, answer: Answer) -> RenderableType:
        """The frame that the answer came from, and the outcome."""
        assert self.paint is not None
        cycles = [frame for frame in played.frames if isinstance(frame, Cycle)]
        if not cycles:
            return outcome(self.console, answer, self._heading(answer))
        result = outcome(self.console, answer, last=cycles[-1])
        below = ROWS_BELOW + result.plain.count("\n") + 1
        cycle = cycle_of(answer, cycles)
        layout = moving_layout(self.console, self._heading(cycle), below, self.others)
        return Group(draw(self.console, cycle, self.paint, layout), result)

    def _heading(self, of: Cycle | Answer) -> str:
        return of.puzzle.source if self.headings else ""

    def _line(self, player: Player) -> Text:
        """Where the replay is, and the keys as far as there is room for them."""
        facts = [
            Text("playing" if player.playing else "paused", "bar"),
            Text(f"frame {player.place + 1}/{places(player.played)}"),
        ]
        if len(self.recording.played) > 1:
            facts.append(Text(f"puzzle {player.number + 1}/{len(self.recording.played)}"))
        plain = self.console.options.ascii_only
        texts = [text.replace("← →", "arrows") if plain else text for text in HELP]
        facts += [Text(text, "note") for text in texts]
        return flow(facts, columns(self.console))[0]


def play(
    display: ReplayDisplay,
    player: Player,
    next_key: Callable[[float | None], str],
    clock: Callable[[], float] = time.monotonic,
) -> None:
    """Show frames until a key ends it. ``next_key`` waits for a key, so many seconds at most."""
    while not player.ended:
        display.show(player)
        shown = clock()
        moves_on = player.playing and not player.explaining
        key = next_key(player.seconds if moves_on else None)
        while key and moves_on and not _moves(key):  # a change of speed is no new frame
            player.press(key)
            left = player.seconds - (clock() - shown)
            key = next_key(max(left, 0.0))
        if key:
            player.press(key)
        elif moves_on:
            player.advance()


def _moves(key: str) -> bool:
    """Whether the key may change what is seen at once."""
    return key not in ("+", "=", "-")


def print_steps(display: StepsDisplay | StepsArcDisplay, recording: Recording) -> None:
    """Print a recording as ``--show-steps`` prints a run."""
    for problem in recording.problems:
        display.problem(problem)
    for played in recording.played:
        for frame in played.frames:
            _tell(display, frame)
        if isinstance(display, StepsDisplay):
            if isinstance(played.answer, Answer):
                display.answer(played.answer)
        elif isinstance(played.answer, ArcAnswer):
            display.answer(played.answer)
        else:
            _print_last(display, played, recording.steps)


def _print_last(display: StepsArcDisplay, played: Played, steps: int | None) -> None:
    """Print how far a task was whose run ended early."""
    frame = played.frames[-1]
    if isinstance(frame, ArcCycle):
        display.console.print(cycle_panel(display.console, frame))
    elif not isinstance(frame, Cycle):
        display.console.print(learning_panel(display.console, frame, steps))


def _tell(display: StepsDisplay | StepsArcDisplay, frame: Frame) -> None:
    """Hand a cycle on; learning is drawn where something can be redrawn, which is not here."""
    if isinstance(display, StepsDisplay) and isinstance(frame, Cycle):
        display.cycle(frame)
