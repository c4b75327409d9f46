"""Tasks that a network with a table knows: which rows are theirs, and the answer that these rows vote for.

Beside such a network lie ``identifiers.json``, the names of its rows, and, as a rule,
``test_puzzles.json``, the tasks themselves. A task is known by its demonstrations, whatever it is
called. Its name alone is believed only where the files hold no task of that name: one with other
demonstrations is another task.

Knows names, tasks and the network; nothing of how it was trained, of checkpoints, or of terminals.
"""

import json
import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import chain
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from trmsolve.arc.overlap import fingerprint_of
from trmsolve.arc.paper.variants import (
    BLANK,
    FIRST_COLOUR,
    PLAIN,
    SEQ_LEN,
    VOCAB_SIZE,
    Augmentation,
    encode,
    parse_name,
)
from trmsolve.arc.read import read_path
from trmsolve.arc.symmetry import crop
from trmsolve.arc.task import LARGEST, ArcAnswer, ArcCycle, ArcTask
from trmsolve.arc.vote import vote
from trmsolve.errors import PuzzleError, WeightsError
from trmsolve.files import SMALL, read_small, reason
from trmsolve.model.network import Prediction, TinyRecursiveModel
from trmsolve.puzzles.values import Grid
from trmsolve.solve.effort import MAX_CYCLES
from trmsolve.weights.kind import LONGEST_NAMES

IDENTIFIERS, PUZZLES = "identifiers.json", "test_puzzles.json"

LONGEST_NAME = 1280
"""Bytes that the name of a row takes in ``identifiers.json``, at most.

A task's id has up to 100 characters, each of up to 12 bytes as JSON escapes it. The variant and the
quotes follow.
"""


@dataclass(frozen=True)
class Recognised:
    """A task that the network knows under ``name``: the rows of its variants, in the order of the table."""

    name: str
    rows: tuple[int, ...]
    variants: tuple[Augmentation, ...]
    by_content: bool  # by its demonstrations; else there was nothing but its name to tell it by

    def some(self, views: int, seed: int = 0) -> "Recognised":
        """At most so many variants: the task as it is first, if it is among them, and others at random."""
        order = sorted(range(len(self.rows)), key=lambda k: self.variants[k] != PLAIN)
        order[1:] = random.Random(seed).sample(order[1:], max(min(views, len(order)), 1) - 1)
        return replace(
            self,
            rows=tuple(self.rows[k] for k in order),
            variants=tuple(self.variants[k] for k in order),
        )


@dataclass(frozen=True)
class Known:
    """The names of a table's rows, by row; and of the tasks at hand, the names by what they demonstrate."""

    names: Sequence[str]
    contents: dict[str, str] = field(default_factory=dict)  # fingerprint -> name

    @classmethod
    def beside(cls, path: Path, rows: int | None = None) -> "Known | None":
        """What the folder ``path`` says, or the folder of the file ``path``; None if it has no identifiers.json.

        ``rows`` is how many the table has, if that is known. Raises WeightsError for a file that is
        damaged or larger than such a table needs.
        """
        folder = path if path.is_dir() else path.parent
        if not (folder / IDENTIFIERS).is_file():
            return None
        contents: dict[str, str] = {}
        if (puzzles := folder / PUZZLES).is_file():
            for task in read_path(str(puzzles)):
                if isinstance(task, PuzzleError):
                    raise WeightsError(
                        f"{task}; or move {PUZZLES} away: tasks are then known by name alone"
                    )
                contents.setdefault(fingerprint_of(task), task.name)
        return cls(_read_names(folder / IDENTIFIERS, rows), contents)

    def find(self, task: ArcTask) -> Recognised | None:
        """The rows of a task; None if it is new to the network.

        Raises WeightsError for a row with an odd name.
        """
        name = self.contents.get(fingerprint_of(task))
        by_content = name is not None
        if name is None and task.name not in self.contents.values():
            name = task.name
        if name is None or not (rows := self._rows.get(name)):
            return None
        try:
            variants = tuple(parse_name(self.names[row])[1] for row in rows)
        except ValueError as error:
            raise WeightsError(f"{IDENTIFIERS}: {error}") from None
        return Recognised(name, tuple(rows), variants, by_content)

    @cached_property
    def _rows(self) -> dict[str, list[int]]:
        """By the name of the task.

        There may be a million: those of the tasks that are asked for are read closer.
        """
        rows: dict[str, list[int]] = {}
        for row, name in enumerate(self.names):
            if name != BLANK:
                rows.setdefault(name.rsplit("|||", 2)[0], []).append(row)
        return rows


def longest_identifiers(rows: int | None) -> int:
    """Bytes that ``identifiers.json`` may have for a table of so many rows, or for any table."""
    return LONGEST_NAMES if rows is None else min(max(SMALL, rows * LONGEST_NAME), LONGEST_NAMES)


def _read_names(path: Path, rows: int | None) -> list[str]:
    try:
        names = json.loads(read_small(path, longest_identifiers(rows)))
    except OSError as error:
        raise WeightsError(f"{path} cannot be read: {reason(error)}") from None
    except (ValueError, RecursionError):
        raise WeightsError(f"{path} is damaged: it is no JSON") from None
    if not isinstance(names, list) or not all(isinstance(name, str) for name in names):
        raise WeightsError(f"{path} is no list of names, one for each row of the table")
    return names


def improve(
    model: TinyRecursiveModel,
    canvases: Sequence[NDArray[np.uint8]],
    rows: Sequence[int],
    cycles: int,
) -> Iterator[Prediction]:
    """The prediction of each cycle for these canvases (30, 30), each with its row of the table; none halts early."""
    device = model.get_buffer("H_init").device
    tokens = torch.from_numpy(np.stack(canvases).reshape(-1, SEQ_LEN)).long().to(device)
    ids, state = torch.tensor(rows, device=device), model.initial_state(len(tokens))
    for _ in range(cycles):
        with torch.inference_mode():
            state, prediction = model(state, tokens, ids)
        yield prediction


def decode(prediction: Prediction) -> tuple[NDArray[np.uint8], NDArray[np.float32], list[float]]:
    """The tokens (B, 30, 30), the probability of each, and the halt probabilities (B,)."""
    canvas = (-1, LARGEST, LARGEST)
    tokens = prediction.logits.argmax(-1).to(torch.uint8).cpu().numpy().reshape(canvas)
    sure = prediction.logits.float().softmax(-1).amax(-1).cpu().numpy().reshape(canvas)
    return tokens, sure, prediction.halt[:, 0].sigmoid().tolist()


def answer_known(
    model: TinyRecursiveModel,
    task: ArcTask,
    variants: Sequence[Augmentation],
    *,
    batch_size: int = 32,
    cycles: int = MAX_CYCLES,
    on_cycle: Callable[[ArcCycle], None] | None = None,
    keep_steps: bool = False,
    stop: Callable[[], bool] = lambda: False,
) -> ArcAnswer:
    """What all variants together answer; row k of the model's table is that of ``variants[k]``, and there is no other.

    Every test is asked under every variant, for all ``cycles``, as the paper's evaluation does it.
    ``stop`` is asked once a cycle: once true, what is known is voted on, at least one cycle of one
    variant for each test. Raises WeightsError if the network is not of this form.
    """
    _check(model, variants)
    started, spent = time.monotonic(), 0
    asked = [(test, view) for view in range(len(variants)) for test in range(len(task.tests))]
    said: list[list[tuple[Grid, float]]] = [[] for _ in task.tests]
    films: dict[tuple[int, bytes], tuple[ArcCycle, ...]] = {}  # of the first view with each grid
    for first in range(0, len(asked), batch_size):
        part = asked[first : first + batch_size]
        canvases = [encode(variants[view].apply(task.tests[test].input)) for test, view in part]
        shots: list[list[ArcCycle]] = [[] for _ in part]
        number, stopped = 0, False
        for number, prediction in enumerate(
            improve(model, canvases, [view for _, view in part], cycles), 1
        ):
            spent += len(part)
            stopped = stop()
            if not (on_cycle or keep_steps or stopped or number == cycles):
                continue
            for (test, view), film, tokens, sure, halt in zip(
                part, shots, *decode(prediction), strict=True
            ):
                said_by, seen = variants[view], crop(tokens, FIRST_COLOUR)
                confidence = said_by.undo_cells(sure[: seen.shape[0], : seen.shape[1]])
                grid = said_by.undo(seen)
                film.append(
                    ArcCycle(
                        task, test, number, cycles, view + 1, len(variants), grid, confidence, halt
                    )
                )
                if on_cycle:
                    on_cycle(film[-1])
            if stopped:
                break
        if number < cycles and all(said):
            break  # variants that have not thought to their end count only where there are no others
        for (test, _), film in zip(part, shots, strict=True):
            said[test].append((film[-1].grid, film[-1].halt))
            if keep_steps:
                films.setdefault((test, _key(film[-1].grid)), tuple(film))
        if stopped and all(said):
            break
    candidates = tuple(tuple(vote(predictions)) for predictions in said)
    steps = chain(
        *(films.get((test, _key(found[0].grid)), ()) for test, found in enumerate(candidates))
    )
    views = max(map(len, said))
    return ArcAnswer(task, candidates, None, spent, views, time.monotonic() - started, tuple(steps))


def _check(model: TinyRecursiveModel, variants: Sequence[Augmentation]) -> None:
    config = model.config
    if (config.vocab_size, config.seq_len) != (VOCAB_SIZE, SEQ_LEN) or not config.puzzle_emb_dim:
        raise WeightsError(
            f"the network has {config.vocab_size} tokens on {config.seq_len} places"
            f"{'' if config.puzzle_emb_dim else ' and no table'}: one that knows tasks has a table, {VOCAB_SIZE} and "
            f"{SEQ_LEN}"
        )
    if config.num_puzzles != len(variants):
        raise ValueError(f"{len(variants)} variants for a table of {config.num_puzzles} rows")


def _key(grid: Grid) -> bytes:
    return bytes(grid.shape) + grid.tobytes()
