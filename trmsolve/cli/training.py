"""One run of ``trmsolve train``: trains, shows it, and says how it ended."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from trmsolve.cli.process import Stop, told_in_a_line
from trmsolve.distributed import start_process_group
from trmsolve.errors import UsageError
from trmsolve.show.console import make_console
from trmsolve.show.training import TrainingDisplay, make_training_display
from trmsolve.train.options import RunOptions

if TYPE_CHECKING:
    from trmsolve.train.run import Run


def run_shared(workers: int, settings: RunOptions, resume: Path | None, quiet: bool) -> int:
    """Train with so many processes, of which this one shows the run; return the exit code."""
    if workers > 1 and settings.device not in ("auto", "cpu"):
        raise UsageError(f"--workers {workers} needs a CPU: use --device cpu")
    if workers > 1:
        settings = replace(settings, device="cpu")
    with start_process_group(workers, _run_beside, settings, resume):
        return _run(settings, resume, quiet)


def _run_beside(settings: RunOptions, resume: Path | None) -> None:
    """Train in a process beside the first one, which alone is told what is wrong."""
    with told_in_a_line():
        _run(settings, resume, quiet=True)


def _run(settings: RunOptions, resume: Path | None, quiet: bool) -> int:
    """Train to the end or until a signal, show it, and return the exit code."""
    # Only here, since these import torch.
    from trmsolve.distributed import join_process_group
    from trmsolve.memory import keep_memory
    from trmsolve.train.checkpoint import folder_of_run
    from trmsolve.train.metrics_file import read_metrics
    from trmsolve.train.run import Callbacks
    from trmsolve.train.start import export_weights, start

    past = read_metrics(folder_of_run(resume)) if resume and resume.is_dir() else []
    with (
        join_process_group(settings.device) as group,
        make_training_display(make_console(), quiet or not group.first, past) as display,
    ):
        stop = Stop(display.note)
        callbacks = Callbacks(
            report=display.progress,
            note=display.note,
            warn=partial(display.note, problem=True),
            making=display.making,
            stop=stop,
            judging=_judging(display, stop),
        )
        with start(settings, resume, callbacks, group) as run:
            keep_memory()
            with stop:
                run.train()
            export_weights(run, settings.export, display.note)
            _say_how_it_ended(run, stop, display)
    return stop.code


def _say_how_it_ended(run: "Run", stop: Stop, display: TrainingDisplay) -> None:
    """Below the panel, where the next command is typed."""
    step = run.metrics.step
    if stop.code:
        display.note(f"stopped after step {step}: continue with trmsolve train --resume {run.out}")
    elif run.checkpoint and step == run.checkpoint.step:
        display.note(
            f"this run already ended after step {step}: to continue it, increase "
            "--minutes or --steps"
        )
    display.note(f"weights in {run.path}")


def _judging(display: TrainingDisplay, stop: Stop) -> Callable[[int, int], bool]:
    """Show how far the judging is, and end it when the run is to stop: everything is saved then."""

    def judging(judged: int, of: int) -> bool:
        stop.saved = judged < of
        if stop.saved and not stop.code:
            display.judging(judged, of)
        wanted = not stop.code  # read once: the signal may come at any moment
        if stop.saved and not wanted:
            display.note(
                f"evaluation stopped after {judged} of {of} held-out puzzles: this step "
                "has no held-out score"
            )
        return wanted

    return judging
