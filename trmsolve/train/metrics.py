"""``metrics.jsonl``: the figures of a run, a line from time to time, over stops and resumptions.

A step has at most one line. The held-out figure is measured after its line was written, and is put
into that line then. Knows neither network nor schedule.
"""

import json
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
    """Counts steps and writes their lines. The first process writes; all of them count.

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
        # Since the last line: the step there, the sums, and the rows of this process, each counted
        # once a step.
        self._step_at_last = step
        self._sums: Tensor | None = None
        self._rows = 0
        if group.first:
            past = read_metrics(folder)
            if step:
                self.lines = [line for line in past if line.step <= step]
            self._write_all()

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
        """Write what was counted since the last line. Every process must call it.

        ``tell`` reports the line.
        """
        progress = self._counted(done, lr)
        if self.group.first:
            self.lines.append(progress)
            self._write_last()
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
        self._write_all()

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

    def _write_last(self) -> None:
        if not self.path.exists():  # somebody deleted it, or the whole folder
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._write_all()
            return
        with naming(self.path), self.path.open("a", encoding="utf-8") as file:
            file.write(_json_line(self.lines[-1]))

    def _write_all(self) -> None:
        text = "".join(_json_line(line) for line in self.lines)
        write_atomically(self.path, text.encode())


def _json_line(progress: Progress) -> str:
    return json.dumps(asdict(progress)) + "\n"
