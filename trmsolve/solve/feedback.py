"""What a cycle's answer does to the next question: one class for each kind of network.

The paper's network is asked the same question in every cycle. A network that rewrites its question
is asked about its own last answer. A lattice network is asked about the candidates that its last
cycle left. All that differs between them, in solving and in training, stands here; the config
decides once. Solving takes arrays of torch or of numpy; only training imports torch. Knows the
network and arrays; no rule of any puzzle. Shape letters as in ``model.network`` and
``model.lattice``.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, NamedTuple

import numpy as np
from numpy.typing import NDArray

from trmsolve.model import lattice
from trmsolve.model.arrays import Array, floats, like, namespace, picked, same_dtype, softmax
from trmsolve.model.rewriting import rewritten
from trmsolve.model.state import State
from trmsolve.solve.guessing import FIRST_CYCLE, Continuation, Deduction, Search, advance

HALT_PROBABILITY = 0.5


class Reading(NamedTuple):
    """What the network's logits say."""

    tokens: Array
    """(B, S), the answer."""

    confidence: Array
    """The probability of each token (B, S); for a lattice, of each cell's answer (B, C)."""


@dataclass(frozen=True)
class CycleResult:
    """One improvement cycle of a batch."""

    asked: Array
    """(B, S), or a board of tokens: the question."""

    before: State
    """The state that it was asked in."""

    after: State
    """The state that the cycle ended with."""

    logits: Array
    """(B, S, V), what the network said."""

    reading: Reading
    """The same as tokens."""

    halt: NDArray[np.float32]
    """(B, 2), the probabilities of both halting logits."""

    accepted: NDArray[np.bool_]
    """(B,), whether the caller takes the answer."""

    @property
    def halts(self) -> NDArray[np.bool_]:
        """(B, 2), which of ``halt`` the network says yes to."""
        return self.halt > HALT_PROBABILITY


class TrajectoryBatch(NamedTuple):
    """How the answers of puzzles come about, step by step of a search."""

    stages: Array
    """(B, K, S), the targets in their order."""

    available_from: Array
    """(B, K, S), the step of the search from which on each target can be known."""


@dataclass(frozen=True)
class Taught:
    """One cycle of training, all without gradient."""

    tokens: Array
    """(B, S), or a board of tokens: the question."""

    labels: Array
    """(B, S), the answer."""

    targets: Array
    """(B, S), what the cycle was to answer."""

    logits: Array
    """(B, S, V), what it answered."""

    halt: Array
    """(B, 2), the halting logits."""

    cycles: Array
    """(B,), how many cycles each row has had, with this one."""


@dataclass(frozen=True)
class Teaching:
    """How training leads from one question to the next; the recipe has the same fields."""

    teacher_forcing: float = 0.0
    """The probability that the next question follows the truth and not the network's answer."""

    guess_prob: float = 0.0
    """The probability of a guess in a cycle that is certain of nothing."""

    temperature: float = 1.0
    """How freely guesses are drawn."""

    elimination_threshold: float = lattice.CERTAIN
    """Candidates less probable than this are ruled out, in a first cycle a tenth of it."""

    drop_inconsistent: float = 0.0
    """The probability that a lattice without its solution leaves the pool, each cycle."""


class KeepQuestion:
    """The question stays what it was, as in the paper.

    Also the base of the other kinds, which override what they do otherwise.
    """

    verb: ClassVar[str] = "keep"
    """A word for what happens to the question, by which profiles name it."""

    def __init__(self, model: Any) -> None:
        self.model = model

    # In solving.

    def read_out(self, logits: Array, asked: Array) -> Reading:  # noqa: ARG002 (for the others)
        """The answer to ``asked``: the likeliest tokens."""
        probabilities = softmax(floats(logits))
        confidence = namespace(logits).amax(probabilities, -1)
        return Reading(probabilities.argmax(-1), confidence)

    def next_question(self, result: CycleResult, rows: Sequence[Search]) -> Continuation:  # noqa: ARG002
        """How the batch goes on after a cycle. A row is over when the network would halt."""
        over = result.halts[:, 0].tolist()
        return Continuation(result.asked, result.after, over)

    def open_candidates(self, tokens: Array) -> Array | None:  # noqa: ARG002 (for the others)
        """Of the next question: the candidates (B, S) that are left, if tokens are a lattice."""
        return None

    def shake(self, state: State, rows: Sequence[Search]) -> State:
        """Add noise to the answer state of rows that have noise, each from its own generator.

        It shakes a row out of a wrong conclusion (arXiv 2605.19943).
        """
        if not any(row.noise for row in rows):
            return state
        shape = tuple(state.y.shape[1:])
        drawn = [np.float32(row.noise) * row.chance.normal(shape) for row in rows]
        noise = like(state.y, np.stack(drawn))
        return State(state.y + same_dtype(noise, state.y), state.z)

    # In training.

    @property
    def search_steps(self) -> int:
        """How many steps of its search a puzzle gets further in a cycle."""
        return 0

    def targets(self, labels: Array, trajectory: TrajectoryBatch | None, steps: Array) -> Array:  # noqa: ARG002
        """(B, S), what the coming cycle is to answer: the answer ``labels`` (B, S) itself.

        ``steps`` (B,) is how far the search of each puzzle has come.
        """
        return labels

    def hopeless(self, taught: Taught, how: Teaching) -> Array | None:  # noqa: ARG002
        """(B,) bool, the rows from which nothing more is to be learned; None if there are none."""
        return None

    def next_training_question(self, taught: Taught, how: Teaching) -> Array:  # noqa: ARG002
        """The question of the next cycle of training, in the shape of the last one."""
        return taught.tokens


class RewriteQuestion(KeepQuestion):
    """Each answer is the next question, but for the tokens that the config keeps.

    In training a cycle is to answer what can be known by then.
    """

    verb = "rewrite"

    def read_out(self, logits: Array, asked: Array) -> Reading:
        """The likeliest tokens, and the kept ones.

        The confidence in a kept token is the network's own, which may be low.
        """
        probabilities = softmax(floats(logits))
        answer = rewritten(asked, logits, self.model.config.frozen_tokens)
        tokens = answer.reshape(len(answer), -1)
        return Reading(tokens, picked(probabilities, tokens))

    def next_question(self, result: CycleResult, rows: Sequence[Search]) -> Continuation:  # noqa: ARG002
        """Ask about the answer."""
        tokens = result.reading.tokens.reshape(result.asked.shape)
        over = result.halts[:, 0].tolist()
        return Continuation(tokens, result.after, over)

    @property
    def search_steps(self) -> int:
        """As many as cells are heard away, since a search goes one cell a step."""
        cells: int = self.model.receptive_field
        return cells

    def targets(self, labels: Array, trajectory: TrajectoryBatch | None, steps: Array) -> Array:
        """What is within reach in the coming cycle; the answer where no trajectory is known.

        A block hears one cell away, so after as many steps of the search as there are blocks
        nothing more can be known.
        """
        if trajectory is None:
            return labels
        known_by = (steps + self.model.receptive_field)[:, None, None]
        last = (trajectory.available_from <= known_by).sum(1, keepdim=True) - 1
        return trajectory.stages.gather(1, last)[:, 0]

    def next_training_question(self, taught: Taught, how: Teaching) -> Array:
        """Ask about the answer or, by ``how.teacher_forcing``, about what was right."""
        import torch

        targets = taught.targets
        told = torch.rand(len(targets), 1, device=targets.device) < how.teacher_forcing
        answered = self.model.rewrite(taught.tokens, taught.logits).flatten(1)
        asked = torch.where(told, targets, answered)
        return asked.view_as(taught.tokens)


class LatticeQuestion(KeepQuestion):
    """The next question is what the cycle left of the candidates.

    Noise is the temperature of guesses here, and does not touch the state.
    """

    verb = "deduce"

    def candidates(self, tokens: Array) -> int:
        """K, how many candidates a cell has on the board of these tokens (B, S)."""
        candidates: int = self.model.config.candidates_of(tokens.shape[1])
        return candidates

    def read_out(self, logits: Array, asked: Array) -> Reading:
        """The best candidate of each cell among those that are left."""
        tokens, confidence = lattice.read_out(logits, asked, self.candidates(asked))
        return Reading(tokens, confidence)

    def next_question(self, result: CycleResult, rows: Sequence[Search]) -> Continuation:
        """Rule out, guess or backtrack. Rows are over when their search is."""
        deduction = Deduction(
            tokens=result.asked,
            before=result.before,
            after=result.after,
            logits=result.logits,
            candidates=self.candidates(result.asked),
            lost=result.halts[:, 1],
            wrong=result.halts[:, 0] & ~result.accepted,
        )
        return advance(rows, deduction)

    def open_candidates(self, tokens: Array) -> Array | None:
        """The next question itself."""
        return tokens

    def shake(self, state: State, rows: Sequence[Search]) -> State:  # noqa: ARG002
        """The state as it is."""
        return state

    def hopeless(self, taught: Taught, how: Teaching) -> Array | None:
        """Rows whose lattice has lost its solution: those that say so, and some others by chance.

        Such a lattice teaches only that it is lost.
        """
        import torch

        gone = lattice.lost(taught.tokens, taught.labels, self.candidates(taught.tokens))
        says_so = taught.halt[:, 1] > 0
        unlucky = torch.rand(len(gone), device=gone.device) < how.drop_inconsistent
        return gone & (says_so | unlucky)

    def next_training_question(self, taught: Taught, how: Teaching) -> Array:
        """Ask about what is left.

        A row where nothing is certain guesses with probability ``how.guess_prob``. With probability
        ``how.teacher_forcing`` it is told which candidates are true, and guesses among them.
        """
        import torch

        tokens = taught.tokens
        device = tokens.device
        uniform = torch.rand(tokens.shape, device=device)
        noise = how.temperature * lattice.gumbel(uniform)
        guesses = torch.rand(len(tokens), device=device) < how.guess_prob
        told = torch.rand(len(tokens), device=device) < how.teacher_forcing
        shown = told[:, None] & (taught.labels == 1)
        # The first cycle is as strict as when solving.
        strictness = torch.where(taught.cycles == 1, FIRST_CYCLE, 1.0)
        threshold = how.elimination_threshold * strictness[:, None, None]
        guessing = lattice.Guessing(guesses, noise + 1e6 * shown, threshold)
        left, _ = lattice.deduce(taught.logits, tokens, self.candidates(tokens), guessing)
        return left


def feedback_for(model: Any) -> KeepQuestion:
    """What the answers of this network do to its questions."""
    if model.config.candidates > 1:
        return LatticeQuestion(model)
    if model.config.feeds_back_answer:
        return RewriteQuestion(model)
    return KeepQuestion(model)
