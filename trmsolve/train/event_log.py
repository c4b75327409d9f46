"""Event files, which TensorBoard shows; tensorboardX writes them, the extra ``tensorboard``."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

from trmsolve.errors import UsageError
from trmsolve.train.run import Callbacks
from trmsolve.train.schedule import Progress
from trmsolve.wording import install_hint

if TYPE_CHECKING:
    from tensorboardX import SummaryWriter

TENSORBOARD = "tensorboard"

FLUSH_SECONDS = 10
"""Seconds until a line is in the file."""


def check_log(log_to: str | None) -> None:
    """Raise UsageError for another log than TensorBoard's, and where its writer is missing."""
    if log_to is None:
        return
    if log_to != TENSORBOARD:
        raise UsageError(f"--log-to {log_to} is not known: use {TENSORBOARD}")
    if find_spec("tensorboardX") is None:
        raise UsageError(f"--log-to {log_to} needs tensorboardX: {install_hint('tensorboard')}")


@contextmanager
def logged(callbacks: Callbacks, folder: Path, resumed_at: int | None) -> Iterator[Callbacks]:
    """The callbacks, whose ``report`` writes each line into an event file in ``folder`` as well.

    ``resumed_at`` is the step where a resumed run goes on; TensorBoard then hides what an earlier
    file has of later steps. A thread of the writer flushes the lines.
    """
    from tensorboardX import SummaryWriter

    purge = None if resumed_at is None else resumed_at + 1
    # Names have the time in seconds. The step keeps two files of one second apart.
    suffix = f".{resumed_at or 0}"
    with SummaryWriter(
        str(folder), purge_step=purge, filename_suffix=suffix, flush_secs=FLUSH_SECONDS
    ) as writer:
        yield replace(callbacks, report=_reporting(writer, callbacks.report))


def _reporting(
    writer: "SummaryWriter", report: Callable[[Progress], None]
) -> Callable[[Progress], None]:
    def write(progress: Progress) -> None:
        report(progress)
        for name, value in asdict(progress).items():
            if name != "step" and value is not None:
                writer.add_scalar(name, value, progress.step)

    return write
