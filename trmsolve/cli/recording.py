"""What ``--trace`` and ``--save`` do in the commands that solve: every event is recorded."""

import contextlib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from trmsolve.errors import UsageError
from trmsolve.files import refuse_nowhere

if TYPE_CHECKING:
    from trmsolve.trace.recording import Frame, Outcome, Recorder, Recording

AnyOutcome = TypeVar("AnyOutcome", bound="Outcome")


class Recorders:
    """All that records a run; mostly nothing does."""

    def __init__(self, recorders: "list[Recorder]") -> None:
        self.recorders = recorders

    def __bool__(self) -> bool:
        return bool(self.recorders)

    def begin(self, task: str, weights: str, steps: int | None = None) -> None:
        """Tell that the run begins."""
        for recorder in self.recorders:
            recorder.begin(task, weights, steps)

    def frame(self, frame: "Frame") -> None:
        """Tell of a cycle, or of a step of learning."""
        for recorder in self.recorders:
            recorder.frame(frame)

    def follow(self, outcomes: Iterable[AnyOutcome]) -> Iterator[AnyOutcome]:
        """The outcomes as they come, each told before it is handed on."""
        for outcome in outcomes:
            for recorder in self.recorders:
                recorder.outcome(outcome)
            yield outcome


@contextlib.contextmanager
def recorded(
    trace: Path | None, save: Path | None, files: Iterable[str | Path] | None
) -> Iterator[Recorders]:
    """What records a run with these options, which reads these files.

    Raises UsageError if a file would be replaced that is to be read or its name has an unknown
    ending, OSError if one cannot be written.
    """
    if save is not None:
        check_target(save, files)
    with contextlib.ExitStack() as stack:
        recorders: list[Recorder] = []
        if trace is not None:
            from trmsolve.trace.write import TraceWriter

            refuse_to_replace("--trace", trace, files)
            recorders.append(stack.enter_context(TraceWriter(trace)))
        if save is not None:
            recorders.append(stack.enter_context(saved(save)))
        yield Recorders(recorders)


@contextlib.contextmanager
def saved(path: Path) -> "Iterator[Recording]":
    """A recording that is saved at the end, however the run ends."""
    from trmsolve.show.save import save
    from trmsolve.trace.recording import Recording

    recording = Recording()
    try:
        yield recording
    finally:
        if recording.task:  # the run has begun
            save(recording, path)


def check_target(
    path: Path, files: Iterable[str | Path] | None, endings: Iterable[str] | None = None
) -> None:
    """Report before the work that the file of ``--save`` cannot be written.

    ``endings`` are those of the names that can be saved; by default those of a recording. Raises
    UsageError.
    """
    from trmsolve.show.save import check_ending

    check_ending(path, endings)
    refuse_to_replace("--save", path, files)
    refuse_nowhere("--save", path)


def refuse_to_replace(option: str, path: Path, files: Iterable[str | Path] | None) -> None:
    """Raise UsageError if the path that an option names is one of the files that are read."""
    for file in files or ():
        with contextlib.suppress(OSError, ValueError):  # names of nothing, and what is no name
            if path.samefile(file):
                raise UsageError(f"{option} {path} would replace a file that is read")
