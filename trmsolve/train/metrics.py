"""``metrics.jsonl``: the figures of a run, a line from time to time, over stops and resumptions.

A step has at most one line. The held-out figure is measured after its line was written, and is put
into that line then. Knows neither network nor schedule.
"""

import json
import os
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import torch
from torch import Tensor

from trmsolve.distributed import ProcessGroup
from trmsolve.files import naming, write_atomically
from trmsolve.train.loss import Loss
from trmsolve.train.metrics_file import NAME, read_metrics
from trmsolve.train.schedule import Progress

SUMS = 5
"""Numbers that are summed between two lines, see ``MetricsLog.count``."""


class MetricsLog:
    """Counts steps and keeps their lines. The first process writes; all of them count.

    The log of a resumed run begins at its step and with the seconds already spent. Lines of later
    steps, which were written before a crash, are dropped.

    Attributes:
        step: The steps of training so far.
        last: When the last line was written, on the monotonic clock.
        lines: All lines so far, on the first process.
    """

    def __init__(
        self,
        folder: Path,
        group: ProcessGroup,
        report: Callable[[Progress], None],
        step: int = 0,
        seconds: float = 0.0,
    ) -> None:
        self.path = folder / NAME
        self.group = group
        self.report = report
        self.step = step
        self.began = time.monotonic() - seconds
        self.last = time.monotonic()
        self.lines: list[Progress] = []
        # How many of the lines the file has as they are. 0 if it must be written anew.
        self._in_file = 0
        # Since the last line: the step there, the sums, and the rows of this process, each counted
        # once a step.
        self._step_at_last = step
        self._sums: Tensor | None = None
        self._rows = 0
        if group.first:
            past = read_metrics(folder)
            if step:
                self.lines = [line for line in past if line.step <= step]

    @property
    def seconds(self) -> float:
        """Seconds of training, those before a stop included."""
        return time.monotonic() - self.began

    def count(self, loss: Loss, halted: Tensor, cycles: Tensor) -> None:
        """Count one step more; ``halted`` (B,) is bool, ``cycles`` (B,) int.

        Sums stay on the device: reading them would make the host wait for it.
        """
        self.step += 1
        self._rows += len(halted)
        right_rate = loss.right_tokens / loss.labelled.clamp(min=1)
        sums = torch.stack(
            [
                loss.total.detach().double() / len(halted),
                right_rate.double().mean(),
                halted.double().sum(),
                (halted * cycles).double().sum(),
                (loss.right & halted).double().sum(),
            ]
        )
        self._sums = sums if self._sums is None else self._sums + sums

    def line(self, done: float, lr: float) -> None:
        """Make a line of what was counted since the last one. Every process must call it.

        ``write`` writes the line, and ``tell`` reports it.
        """
        progress = self._counted(done, lr)
        if self.group.first:
            self.lines.append(progress)
        self._sums = None
        self._rows = 0
        self._step_at_last = self.step
        self.last = time.monotonic()

    def judged(self, held_out_exact: float | None) -> None:
        """Put the held-out figure into the last line; None changes nothing.

        For the first process alone.
        """
        if held_out_exact is None:
            return
        self.lines[-1] = replace(self.lines[-1], held_out_exact=held_out_exact)
        self._in_file = 0

    def tell(self) -> None:
        """Report the last line, if this is the first process."""
        if self.group.first:
            self.report(self.lines[-1])

    def _counted(self, done: float, lr: float) -> Progress:
        steps = max(self.step - self._step_at_last, 1)
        seconds = max(time.monotonic() - self.last, 1e-9)
        sums = self._sums
        if sums is None:
            sums = torch.zeros(SUMS, dtype=torch.float64)
        loss, accuracy, halted, cycles, solved = self.group.mean(sums).tolist()
        return Progress(
            step=self.step,
            seconds=round(self.seconds, 3),
            done=round(min(done, 1.0), 6),
            loss=loss / steps,
            token_accuracy=accuracy / steps,
            mean_cycles=cycles / max(halted, 1e-9),
            solved=solved / max(halted, 1e-9),
            lr=lr,
            examples_per_second=self._rows * self.group.size / seconds,
            puzzles_per_second=halted * self.group.size / seconds,
        )

    def write(self) -> Path:
        """Write the lines that the file does not have yet, and return its path.

        For the first process alone. Writes all lines if somebody deleted the file. Raises OSError.
        """
        try:
            if self._in_file:
                self._append(self.lines[self._in_file :])
        except FileNotFoundError:
            self._in_file = 0
        if not self._in_file:
            write_atomically(self.path, _json_lines(self.lines).encode())
        self._in_file = len(self.lines)
        return self.path

    def _append(self, lines: list[Progress]) -> None:
        with naming(self.path), self.path.open("r+", encoding="utf-8") as file:
            file.seek(0, os.SEEK_END)
            file.write(_json_lines(lines))


def _json_lines(lines: list[Progress]) -> str:
    return "".join(json.dumps(asdict(line)) + "\n" for line in lines)
