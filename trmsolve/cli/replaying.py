"""One run of ``trmsolve replay``: reads a recording, and plays, prints or saves it."""

import sys
from pathlib import Path

from trmsolve.cli.recording import check_target
from trmsolve.cli.streams import say
from trmsolve.puzzles.registry import get_task
from trmsolve.show.arc_displays import StepsArcDisplay
from trmsolve.show.console import make_console
from trmsolve.show.displays import StepsDisplay
from trmsolve.show.frame import OtherSizes, is_plain
from trmsolve.show.replay import Player, ReplayDisplay, play, print_steps
from trmsolve.show.save import save as save_recording
from trmsolve.trace.read import read_trace
from trmsolve.trace.recording import Recording


def play_again(file: str, show_steps: bool, save: Path | None, pace: float) -> None:
    """Play a recording; without a terminal or with ``show_steps``, print every frame.

    With ``save``, that file is written and nothing is shown. ``pace`` is in seconds a frame. Raises
    UsageError for a file that is no recording.
    """
    if save is not None:
        check_target(save, [file])
    recording = read_trace(file)
    if recording.cut_at is not None:
        say(f"{file}:{recording.cut_at}: the trace ends here; its run was ended early")
    if save is not None:
        save_recording(recording, save, pace)
    elif not recording.played or show_steps or not _has_terminal():
        _print(recording)
    else:
        _play(recording, pace)


def _has_terminal() -> bool:
    """Whether frames can be redrawn and keys can be read."""
    has_keys = sys.stdin is not None and sys.stdin.isatty()
    return has_keys and make_console(sys.stdout).is_interactive


def _print(recording: Recording) -> None:
    console = make_console(sys.stdout, force_interactive=False)
    if recording.task == "arc":
        arc_display = StepsArcDisplay(console)
        with arc_display:
            print_steps(arc_display, recording)
        return
    headings = len(recording.played) + len(recording.problems) > 1
    display = StepsDisplay(console, get_task(recording.task).paint, headings)
    with display:
        print_steps(display, recording)


def _play(recording: Recording, pace: float) -> None:
    from trmsolve.show.keys import Keys

    console = make_console(sys.stdout)
    if recording.task == "arc":
        display = ReplayDisplay(console, recording, None)
    else:
        task = get_task(recording.task)
        others = OtherSizes(task.paint_large, task.paint_small)
        marks = task.key(is_plain(console))
        display = ReplayDisplay(console, recording, task.paint, others, marks)
    for problem in recording.problems:
        say(str(problem))
    with display, Keys(sys.stdin) as keys:
        play(display, Player(recording, pace), keys.next)
