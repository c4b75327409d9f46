"""The refine-and-halt loop: improvement cycles on a batch whose rows come and go.

Rows that stop leave the batch, and waiting ones join. A row stops when the caller accepts its
answer, when it is over by the network's word, or at the last cycle. ``feedback`` says how an answer
is read and what is asked next. Knows the network and tokens; no rule of any puzzle, no view, no
terminal.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from trmsolve.model.arrays import Array, namespace, sigmoid, to_numpy
from trmsolve.model.state import State
from trmsolve.solve.chance import Chance
from trmsolve.solve.feedback import CycleResult, KeepQuestion, feedback_for
from trmsolve.solve.guessing import Continuation, Search
from trmsolve.solve.network import Network

Accept = Callable[[Any, NDArray[np.int64]], bool]
"""Asked with a row's key and its decoded tokens (S,): whether that is the answer."""


@dataclass(frozen=True)
class Question:
    """A row to refine."""

    key: Any
    """The caller's, which each step brings back."""

    tokens: NDArray[np.int64]
    """(S,), or a board of them."""

    noise: float = 0.0
    """The standard deviation of the noise on the answer state after each cycle.

    For a lattice network it is the temperature of the guesses.
    """

    seed: int = 0
    """All that is random about the row comes from it, so the rows beside it make no difference."""

    more_cycles: int = 0
    """How many cycles beyond the last one the row may take while its answer still changes."""


@dataclass(frozen=True)
class Step:
    """One improvement cycle of one row."""

    key: Any
    """The question's."""

    number: int
    """Of the cycle, from 1."""

    tokens: NDArray[np.int64]
    """(S,) decoded."""

    confidence: NDArray[np.float32]
    """The probability of each decoded token (S,); for a lattice, of each cell's answer (C,)."""

    halt: float
    """The probability of halting."""

    last: bool
    """Whether the row stops here."""

    seconds: float = 0.0
    """The row's share of the time that the cycle of its batch took."""

    lattice: NDArray[np.int64] | None = None
    """(S,), for a lattice: what the cycle left of the candidates."""


@dataclass
class _Row:
    """One row under way."""

    key: Any
    search: Search
    more_cycles: int = 0
    cycles: int = 0
    answer: NDArray[np.int64] | None = None

    @classmethod
    def begin(cls, question: Question) -> "_Row":
        search = Search(question.noise, Chance(question.seed))
        return cls(question.key, search, question.more_cycles)

    def count_cycle(self, answer: NDArray[np.int64], max_cycles: int) -> bool:
        """Count a cycle that ended with ``answer``. Returns whether the row has no further one."""
        self.cycles += 1
        if self.cycles < max_cycles:
            return False
        has_changed = self.answer is None or not np.array_equal(self.answer, answer)
        self.answer = answer
        return not has_changed or self.cycles >= max_cycles + self.more_cycles


@dataclass
class _Queue:
    """The questions to come. One of them may wait until its board's size is that of the batch."""

    questions: Iterator[Question | None]
    waiting: Question | None = None
    ended: bool = False

    def take(self, room: int, shape: tuple[int, ...] | None) -> list[Question]:
        """The next questions, at most ``room``, with tokens of this shape, or all of any one."""
        taken: list[Question] = []
        while len(taken) < room:
            question = self._look()
            if question is None or shape not in (None, question.tokens.shape):
                break
            shape = question.tokens.shape
            taken.append(question)
            self.waiting = None
        return taken

    def _look(self) -> Question | None:
        """The next question, which stays the next; None if nothing waits."""
        if self.waiting is None:
            try:
                self.waiting = next(self.questions)
            except StopIteration:
                self.ended = True
        return self.waiting


@dataclass
class _Batch:
    """The rows under way, with their questions (B, S) and state (B, L, D) where the network runs.

    All have boards of one size.
    """

    model: Network
    rows: list[_Row] = field(default_factory=list)
    tokens: Array = field(init=False)
    state: State = field(init=False)

    @property
    def shape(self) -> tuple[int, ...] | None:
        """The shape of a row's tokens; None if there is no row."""
        return tuple(self.tokens.shape[1:]) if self.rows else None

    @property
    def searches(self) -> list[Search]:
        """What is random about each row, and its guesses."""
        return [row.search for row in self.rows]

    def join(self, questions: list[Question]) -> None:
        """Put fresh rows behind the rows under way."""
        if not questions:
            return
        tokens = self.model.place(np.stack([question.tokens for question in questions]))
        state = self.model.initial_state(len(questions), spatial_shape=tuple(tokens.shape[1:]))
        if self.rows:
            xp = namespace(tokens)
            tokens = xp.concatenate((self.tokens, tokens))
            y = xp.concatenate((self.state.y, state.y))
            z = xp.concatenate((self.state.z, state.z))
            state = State(y, z)
        self.rows += [_Row.begin(question) for question in questions]
        self.tokens = tokens
        self.state = state

    def steps(
        self,
        result: CycleResult,
        left: Array | None,
        ends: NDArray[np.bool_],
        max_cycles: int,
        began: float,
    ) -> list[Step]:
        """One step a row; the last of those that end here, and of those at their last cycle.

        ``left`` (B, S) are the candidates of a lattice that the next question has. The cycle
        ``began`` at this time of ``time.monotonic``; its rows share its seconds evenly.
        """
        answers = to_numpy(result.reading.tokens)
        confidence = to_numpy(result.reading.confidence)
        lattices = None if left is None else to_numpy(left)
        seconds = (time.monotonic() - began) / len(self.rows)
        steps = []
        for number, row in enumerate(self.rows):
            ends_here = row.count_cycle(answers[number], max_cycles)
            step = Step(
                key=row.key,
                number=row.cycles,
                tokens=answers[number],
                confidence=confidence[number],
                halt=float(result.halt[number, 0]),
                last=bool(ends[number]) or ends_here,
                seconds=seconds,
                lattice=None if lattices is None else lattices[number],
            )
            steps.append(step)
        return steps

    def go_on(self, following: Continuation, stopped: list[bool]) -> None:
        """Take the next questions of the rows that have not stopped; the others leave."""
        self.tokens = following.tokens
        self.state = following.state
        if not any(stopped):
            return
        kept = [number for number, stops in enumerate(stopped) if not stops]
        index = np.array(kept, np.int64)
        self.rows = [self.rows[number] for number in kept]
        self.tokens = self.tokens[index]
        self.state = State(self.state.y[index], self.state.z[index])


def refine(  # noqa: PLR0913 (the solver's own options)
    model: Network,
    questions: Iterator[Question | None],
    accept: Accept,
    *,
    batch_size: int,
    max_cycles: int,
    stop_early: bool = True,
) -> Iterator[Step | None]:
    """Every improvement cycle of every question, cycle after cycle, ``batch_size`` rows at most.

    ``accept`` is asked once for every row and cycle, before the steps of the cycle are yielded.
    ``questions`` is asked for more only when there is room, so it may be endless and may depend on
    the steps already yielded. None from it means that nothing waits at the moment; it comes back as
    None while no row is under way. A row runs ``max_cycles`` and those that its question adds, and
    with ``stop_early`` off not less. A question whose board has another size than those under way
    waits until they are done.
    """
    feedback = feedback_for(model)
    queue = _Queue(questions)
    batch = _Batch(model)
    while True:
        batch.join(queue.take(batch_size - len(batch.rows), batch.shape))
        if not batch.rows:
            if queue.ended:
                return
            yield None
            continue
        began = time.monotonic()
        with model.without_gradient():
            result = _cycle(feedback, batch, accept)
            following = feedback.next_question(result, batch.searches)
            ends = result.accepted | np.array(following.over)
            left = feedback.open_candidates(following.tokens)
            steps = batch.steps(result, left, ends & stop_early, max_cycles, began)
        yield from steps
        with model.without_gradient():
            batch.go_on(following, [step.last for step in steps])
            batch.state = feedback.shake(batch.state, batch.searches)


def _cycle(feedback: KeepQuestion, batch: _Batch, accept: Accept) -> CycleResult:
    """Improve all rows once, read their answers and show them to the caller."""
    state, prediction = batch.model(batch.state, batch.tokens)
    halt = to_numpy(sigmoid(prediction.halt))
    reading = feedback.read_out(prediction.logits, batch.tokens)
    answers = to_numpy(reading.tokens)
    accepted = [accept(row.key, answer) for row, answer in zip(batch.rows, answers, strict=True)]
    return CycleResult(
        asked=batch.tokens,
        before=batch.state,
        after=state,
        logits=prediction.logits,
        reading=reading,
        halt=halt,
        accepted=np.array(accepted, dtype=bool),
    )
