"""``metrics.jsonl``: what a run says of itself, a line from time to time, over stops and resumptions.

One line a step at most: the figure of a judgement, which comes after its line, is put into that
line. Counts between two lines; knows neither network nor schedule.
"""

import json
import os
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from pathlib import Path
from typing import BinaryIO

import torch
from torch import Tensor

from trmsolve.errors import CheckpointError
from trmsolve.files import check_length, naming, open_file, reason, write_atomically
from trmsolve.train.distributed import World
from trmsolve.train.loss import Loss
from trmsolve.train.plan import Progress

LONGEST_LINE = 1 << 16
LONGEST_JOURNAL = 64 << 20
"""Bytes of a line, and of the whole file.

A line has about 300 bytes, one every 30 seconds where nobody says.
"""


def read_journal(folder: Path) -> list[Progress]:
    """The lines of a run so far; what is not a whole line is passed over.

    Raises CheckpointError for what is no file, may not be read or is larger than
    ``LONGEST_JOURNAL``.
    """
    path = folder / "metrics.jsonl"
    try:
        with open_file(path) as file:
            check_length(path, os.fstat(file.fileno()).st_size, LONGEST_JOURNAL)
            return list(_whole_lines(file))
    except FileNotFoundError:
        return []
    except OSError as error:
        raise CheckpointError(f"{path} cannot be read: {reason(error)}") from None


def _whole_lines(file: BinaryIO) -> Iterator[Progress]:
    """Each line that says how far a run was.

    A line that is too long is read in parts, which are passed over.
    """
    while line := file.readline(LONGEST_LINE):
        try:
            progress = Progress(**json.loads(line))
        except (ValueError, TypeError, RecursionError):
            continue
        numbers = asdict(progress)
        if numbers["held_out_exact"] is None:
            del numbers["held_out_exact"]
        if all(type(number) in (int, float) for number in numbers.values()):
            yield progress


class Journal:
    """Begins at a step and a time already spent; lines of later steps, written before a crash, are dropped."""

    def __init__(
        self,
        folder: Path,
        world: World,
        report: Callable[[Progress], None],
        step: int = 0,
        seconds: float = 0.0,
    ) -> None:
        self.path, self.world, self.report = folder / "metrics.jsonl", world, report
        self.step = self.step_at_last = step
        self.began = time.monotonic() - seconds
        self.last = time.monotonic()
        self.sums: Tensor | None = None
        self.rows = 0  # that this process had since the last line, each once a step
        self.lines = (
            [line for line in read_journal(folder) if line.step <= step and step]
            if world.first
            else []
        )
        if world.first:
            self._write_all()

    @property
    def seconds(self) -> float:
        """Of training, those before a stop included."""
        return time.monotonic() - self.began

    def count(self, loss: Loss, halted: Tensor, cycles: Tensor) -> None:
        """One step more; ``halted`` (B,) bool, ``cycles`` (B,).

        Sums stay on the device: reading them makes it wait.
        """
        self.step += 1
        self.rows += len(halted)
        sums = torch.stack(
            [
                loss.total.detach().double() / len(halted),
                (loss.right_tokens / loss.labelled.clamp(min=1)).double().mean(),
                halted.double().sum(),
                (halted * cycles).double().sum(),
                (loss.right & halted).double().sum(),
            ]
        )
        self.sums = sums if self.sums is None else self.sums + sums

    def line(self, done: float, lr: float) -> None:
        """Write what was counted since the last line. ``tell`` reports it."""
        steps, took = max(self.step - self.step_at_last, 1), max(time.monotonic() - self.last, 1e-9)
        sums = torch.zeros(5, dtype=torch.float64) if self.sums is None else self.sums
        loss, accuracy, halted, cycles, solved = self.world.mean(sums).tolist()
        progress = Progress(
            step=self.step,
            seconds=round(self.seconds, 3),
            done=round(min(done, 1.0), 6),
            loss=loss / steps,
            token_accuracy=accuracy / steps,
            mean_cycles=cycles / max(halted, 1e-9),
            solved=solved / max(halted, 1e-9),
            lr=lr,
            examples_per_second=self.rows * self.world.size / took,
            puzzles_per_second=halted * self.world.size / took,
        )
        if self.world.first:
            self.lines.append(progress)
            self._write_last()
        self.sums, self.rows, self.last, self.step_at_last = None, 0, time.monotonic(), self.step

    def judged(self, held_out_exact: float | None) -> None:
        """Put the figure of a judgement into the last line; None changes nothing.

        For the process that writes.
        """
        if held_out_exact is None:
            return
        self.lines[-1] = replace(self.lines[-1], held_out_exact=held_out_exact)
        self._write_all()

    def tell(self) -> None:
        """Report the last line, from the first process alone."""
        if self.world.first:
            self.report(self.lines[-1])

    def _write_last(self) -> None:
        if not self.path.exists():  # somebody deleted it, or the whole folder
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._write_all()
            return
        with naming(self.path), self.path.open("a", encoding="utf-8") as file:
            file.write(_json_line(self.lines[-1]))

    def _write_all(self) -> None:
        write_atomically(self.path, "".join(map(_json_line, self.lines)).encode())


def _json_line(progress: Progress) -> str:
    return json.dumps(asdict(progress)) + "\n"
