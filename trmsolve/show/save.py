"""Saves a recording as a picture, a page or a text, as the ending of the file's name says."""

import io
from collections.abc import Callable, Iterable, Iterator
from importlib.util import find_spec
from itertools import islice
from pathlib import Path

from rich.console import Console, RenderableType

from trmsolve.arc.task import ArcAnswer
from trmsolve.errors import UsageError
from trmsolve.files import write_atomically
from trmsolve.puzzles.registry import get_task
from trmsolve.show.arc_displays import StepsArcDisplay
from trmsolve.show.console import make_console
from trmsolve.show.displays import StepsDisplay
from trmsolve.show.frame import OtherSizes
from trmsolve.show.pace import SECONDS
from trmsolve.show.page.document import document_of
from trmsolve.show.pictures import picture_console
from trmsolve.show.raster import rasterise
from trmsolve.show.replay import ReplayDisplay, places, print_steps
from trmsolve.show.svg import svg_of
from trmsolve.trace.recording import Played, Recording
from trmsolve.wording import count, install_hint, printable_line

NOTHING = "no puzzle"
"""What is drawn of a recording without any."""

LAST_SECONDS = 3.0
"""How long a moving picture shows the answer at least."""

MOST_FRAMES = 500
"""Frames of a moving picture, which is made in memory. Further ones are left out."""


def check_ending(path: Path, known: Iterable[str] | None = None) -> None:
    """Raise UsageError if nothing can be saved under such a name, or not by this installation.

    ``known`` are the endings that can be; by default those of a recording.
    """
    ending = path.suffix.lower()
    endings = list(FORMATS if known is None else known)
    if ending not in endings:
        listed = ", ".join(endings)
        raise UsageError(f"--save {path}: the name of the file must end in one of {listed}")
    if ending in DRAWN_BY_PILLOW and find_spec("PIL") is None:
        hint = install_hint("image")
        raise UsageError(f"--save {path}: {ending} needs Pillow: {hint}, or save as .svg or .html")


def save(recording: Recording, path: Path, seconds: float = SECONDS) -> None:
    """Write the file, whole or not at all. Raises OSError naming it.

    ``seconds`` is how long each frame is shown by what moves.
    """
    make = FORMATS[path.suffix.lower()]
    made = make(recording, seconds)
    write_atomically(path, made.encode() if isinstance(made, str) else made)


def as_text(recording: Recording, _: float = SECONDS) -> str:
    """Every frame, one below the other, as ``--show-steps`` prints them to a file."""
    stream = io.StringIO()
    console = make_console(stream, force_terminal=False, color_system=None)
    if recording.task == "arc":
        print_steps(StepsArcDisplay(console), recording)
    else:
        headings = len(recording.played) + len(recording.problems) > 1
        paint = get_task(recording.task).paint
        print_steps(StepsDisplay(console, paint, headings), recording)
    return stream.getvalue()


def as_page(recording: Recording, seconds: float = SECONDS) -> str:
    """Every frame on an HTML page that plays them."""
    return document_of(recording, _title(recording), seconds)


def as_svg(recording: Recording, _: float = SECONDS) -> str:
    """The last frame of the last puzzle, with its outcome."""
    console = picture_console()
    return svg_of(console, _last_drawing(recording, console), _title(recording))


def as_png(recording: Recording, _: float = SECONDS) -> bytes:
    """The last frame of the last puzzle, with its outcome."""
    from trmsolve.show.bitmap import png_of

    console = picture_console()
    return png_of(rasterise(console, _last_drawing(recording, console)))


def as_gif(recording: Recording, seconds: float = SECONDS) -> bytes:
    """The frames of all puzzles as a moving picture without end."""
    from trmsolve.show.bitmap import Film

    console = picture_console()
    display = _display(recording, console)
    film = Film()
    for played, place in islice(_moments(recording), MOST_FRAMES):
        is_last = place == places(played) - 1
        shown = max(seconds, LAST_SECONDS) if is_last else seconds
        film.add(rasterise(console, display.frame(played, place)), shown)
    if not recording.played:
        film.add(rasterise(console, NOTHING), seconds)
    return film.gif()


def _moments(recording: Recording) -> Iterator[tuple[Played, int]]:
    """Every puzzle with each of its places."""
    for played in recording.played:
        for place in range(places(played)):
            yield played, place


def _last_drawing(recording: Recording, console: Console) -> RenderableType:
    if not recording.played:
        return NOTHING
    played = recording.played[-1]
    return _display(recording, console).frame(played, places(played) - 1)


def _display(recording: Recording, console: Console) -> ReplayDisplay:
    if recording.task == "arc":
        return ReplayDisplay(console, recording, None)
    task = get_task(recording.task)
    others = OtherSizes(task.paint_large, task.paint_small)
    return ReplayDisplay(console, recording, task.paint, others)


def _title(recording: Recording) -> str:
    """A sentence on what the picture shows."""
    if len(recording.played) == 1:
        return f"{recording.task} {_state(recording.played[0])}"
    return f"{recording.task}: {count(len(recording.played), 'puzzle')}"


def _state(played: Played) -> str:
    """The name of a puzzle and how it ended."""
    answer = played.answer
    name = printable_line(played.subject.source)
    if answer is None:
        state = "not finished"
    elif isinstance(answer, ArcAnswer):
        state = "answered"
    else:
        state = "solved" if answer.verified else "not solved"
    return f"{name}: {state}"


FORMATS: dict[str, Callable[[Recording, float], str | bytes]] = {
    ".txt": as_text,
    ".svg": as_svg,
    ".png": as_png,
    ".gif": as_gif,
    ".html": as_page,
}
"""What makes the content of a file, by the ending of its name."""

DRAWN_BY_PILLOW = (".png", ".gif")
