"""Saves a recording as a picture or a text, as the ending of the file's name says."""

import io
from collections.abc import Callable
from pathlib import Path

from trmsolve.arc.task import ArcAnswer
from trmsolve.errors import UsageError
from trmsolve.files import write_atomically
from trmsolve.puzzles import get_task
from trmsolve.show.arc_displays import StepsArcDisplay
from trmsolve.show.console import make_console
from trmsolve.show.displays import StepsDisplay
from trmsolve.show.pictures import picture_console
from trmsolve.show.replay import ReplayDisplay, places, print_steps
from trmsolve.show.svg import svg_of
from trmsolve.trace.recording import Recording
from trmsolve.wording import printable_line


def check_ending(path: Path) -> None:
    """Raise UsageError if nothing can be saved under such a name."""
    if path.suffix.lower() not in FORMATS:
        endings = ", ".join(FORMATS)
        raise UsageError(f"--save {path}: the name of the file must end in one of {endings}")


def save(recording: Recording, path: Path) -> None:
    """Write the file, whole or not at all. Raises OSError naming it."""
    make = FORMATS[path.suffix.lower()]
    write_atomically(path, make(recording).encode())


def as_text(recording: Recording) -> str:
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


def as_svg(recording: Recording) -> str:
    """The last frame of the last puzzle, with its outcome."""
    console = picture_console()
    if not recording.played:
        return svg_of(console, "no puzzle", "no puzzle")
    played = recording.played[-1]
    paint = None if recording.task == "arc" else get_task(recording.task).paint
    frame = ReplayDisplay(console, recording, paint).frame(played, places(played) - 1)
    return svg_of(console, frame, _title(recording))


def _title(recording: Recording) -> str:
    """A sentence on what the picture shows."""
    played = recording.played[-1]
    answer = played.answer
    name = printable_line(played.subject.source)
    if answer is None:
        state = "not finished"
    elif isinstance(answer, ArcAnswer):
        state = "answered"
    else:
        state = "solved" if answer.verified else "not solved"
    return f"{recording.task} {name}: {state}"


FORMATS: dict[str, Callable[[Recording], str]] = {".txt": as_text, ".svg": as_svg}
"""What makes the content of a file, by the ending of its name."""
