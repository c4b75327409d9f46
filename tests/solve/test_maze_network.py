"""The maze's network and its loop.

Convolution, questions that are rewritten, boards of many sizes, and training on what is in reach.
"""

import json
from collections.abc import Callable
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from tests.support.mazes import (
    CONV,
    FLOW,
    MAZE,
    VIEWS,
    all_clothes,
    as_keys,
    at,
    by_the_rule,
    grid,
    made,
    place_of,
    steps_from,
)
from trmsolve.bench.flops import count_cycle
from trmsolve.bench.rates import bench_solving, bench_training
from trmsolve.bench.timing import SIDES, Setup
from trmsolve.bench.workloads import make_examples
from trmsolve.device import Placement
from trmsolve.errors import PuzzleError, UsageError
from trmsolve.model.config import TRMConfig
from trmsolve.model.network import Prediction, State, TinyRecursiveModel
from trmsolve.puzzles.maze.cells import GOAL, PATH, START, STEPS
from trmsolve.puzzles.maze.task import BOARD, Maze
from trmsolve.puzzles.registry import get_task
from trmsolve.puzzles.values import Answer, Cycle, Puzzle
from trmsolve.solve.effort import Effort
from trmsolve.solve.evaluate import evaluate
from trmsolve.solve.feedback import Teaching
from trmsolve.solve.refine import Question, Step, refine
from trmsolve.solve.solver import Solver, load
from trmsolve.train.checkpoint import load_checkpoint
from trmsolve.train.data import Examples, Sampler
from trmsolve.train.loss import LossSettings, trm_loss
from trmsolve.train.metrics_file import read_metrics
from trmsolve.train.pool import Batch, Pool
from trmsolve.train.puzzle_training import PuzzleTrainingData
from trmsolve.train.recipes import RECIPES, Recipe
from trmsolve.train.run import Run
from trmsolve.train.schedule import Schedule
from trmsolve.train.trainer import Trainer

pytestmark = pytest.mark.usefixtures("one_thread")

CPU = torch.device("cpu")
HERE = Placement(CPU, torch.float32, "test")
KEEPS = replace(CONV, frozen_tokens=(1, 4))  # walls and the goal
OFFICIAL = TRMConfig(
    vocab_size=6,
    seq_len=900,
    hidden_size=16,
    layers=1,
    recursions=1,
    latent_steps=1,
    num_heads=2,
    inner_multiple=16,
    puzzle_emb_dim=16,
    prefix_len=1,
)
STILL = replace(CONV, feeds_back_answer=False)
SOFTMAX = LossSettings("softmax")


def untrained(config: TRMConfig, seed: int = 0) -> TinyRecursiveModel:
    """With a halting head that tells cells apart."""
    torch.manual_seed(seed)
    model = TinyRecursiveModel(config).eval()
    torch.nn.init.normal_(model.q_head.weight)
    return model


def boards(*shape: int, seed: int = 0) -> Tensor:
    return torch.randint(1, 18, shape, generator=torch.Generator().manual_seed(seed))


@torch.no_grad()
def think(model: TinyRecursiveModel, tokens: Tensor, cycles: int = 1) -> tuple[State, Prediction]:
    """Some cycles from the first state; the question is rewritten if the network does so."""
    state, prediction = model(
        model.initial_state(len(tokens), spatial_shape=tuple(tokens.shape[1:])), tokens
    )
    for _ in range(cycles - 1):
        if model.config.feeds_back_answer:
            tokens = model.rewrite(tokens, prediction.logits)
        state, prediction = model(state, tokens)
    return state, prediction


# The convolution.


def test_parameters_of_the_convolution_have_names_and_shapes_of_their_own() -> None:
    model = TinyRecursiveModel(replace(CONV, layers=2))
    assert {name: tuple(tensor.shape) for name, tensor in model.state_dict().items()} == {
        "H_init": (16,),
        "L_init": (16,),
        "embed_tokens.embedding_weight": (18, 16),
        **{
            f"L_level.layers.{layer}.{name}": shape
            for layer in range(2)
            for name, shape in (
                ("conv.weight", (16, 3, 3)),
                ("conv.o_proj.weight", (16, 16)),
                ("mlp.gate_up_proj.weight", (64, 16)),
                ("mlp.down_proj.weight", (16, 32)),
            )
        },
        "lm_head.weight": (18, 16),
        "q_head.weight": (2, 16),
        "q_head.bias": (2,),
    }


DEPTHS = [(1, 1, 1), (2, 1, 1), (1, 1, 3), (1, 2, 1)]  # layers, recursions, latent steps


@pytest.mark.parametrize("depth", DEPTHS)
@pytest.mark.parametrize("feeds_back_answer", [False, True])
def test_a_cell_is_heard_within_reach_and_nowhere_else(
    depth: tuple[int, int, int], feeds_back_answer: bool
) -> None:
    layers, recursions, latent_steps = depth
    config = replace(
        CONV,
        layers=layers,
        recursions=recursions,
        latent_steps=latent_steps,
        feeds_back_answer=feeds_back_answer,
    )
    model = untrained(config)
    assert model.receptive_field == layers * recursions * (latent_steps + 1)
    tokens = boards(1, 15, 13)
    other = tokens.clone()
    other[0, 7, 6] = tokens[0, 7, 6] % 17 + 1
    (before, said), (after, says) = think(model, tokens), think(model, other)
    moved = (
        torch.stack([(a - b).abs().amax(-1)[0] for a, b in zip(before, after, strict=True)]).amax(0)
        > 0
    )
    moved |= ((said.logits - says.logits).abs().amax(-1) > 0).view(15, 13)
    away = torch.maximum((torch.arange(15) - 7).abs()[:, None], (torch.arange(13) - 6).abs()[None])
    assert not moved[away > model.receptive_field].any()
    assert moved[away <= model.receptive_field].all() or feeds_back_answer or recursions > 1
    assert moved[away == model.receptive_field].any()


def test_reach_is_that_of_the_depth_a_network_is_trained_with() -> None:
    model = TinyRecursiveModel(replace(CONV, layers=2, recursions=6, latent_steps=3))
    assert model.receptive_field == 48
    model.recursions, model.latent_steps = 1, 1
    assert model.receptive_field == 4


@pytest.mark.parametrize(
    "config", [CONV, replace(CONV, layers=2, feeds_back_answer=False), replace(CONV, recursions=2)]
)
def test_what_stands_elsewhere_is_thought_of_in_the_same_way(config: TRMConfig) -> None:
    """Away from the edges: where a maze lies on its board makes no difference."""
    model, patch = untrained(config), boards(6, 5)
    reach, seen = model.receptive_field, []
    for row, column in ((8, 8), (10, 13)):
        tokens = torch.ones(1, 26, 28, dtype=torch.long)
        tokens[0, row : row + 6, column : column + 5] = patch
        state, prediction = think(model, tokens)
        window = slice(row - reach, row + 6 + reach), slice(column - reach, column + 5 + reach)
        seen.append(
            (*(part[0][window] for part in state), prediction.logits.view(26, 28, 18)[window])
        )
    for here, there in zip(*seen, strict=True):
        torch.testing.assert_close(here, there)


@pytest.mark.parametrize("shape", [(1, 1), (3, 50), (41, 2), (30, 30), (7, 9)])
def test_a_convolution_takes_boards_of_every_size(shape: tuple[int, int]) -> None:
    model = untrained(replace(CONV, recursions=2))
    tokens = boards(3, *shape)
    state, prediction = think(model, tokens, cycles=2)
    assert state.y.shape == state.z.shape == (3, *shape, 16)
    assert prediction.logits.shape == (3, shape[0] * shape[1], 18) and prediction.halt.shape == (
        3,
        2,
    )
    assert all(torch.isfinite(part).all() for part in (*state, *prediction))
    for number in range(3):
        alone = think(model, tokens[number : number + 1], cycles=2)[1]
        torch.testing.assert_close(alone.logits[0], prediction.logits[number], rtol=1e-4, atol=1e-4)


def test_the_state_begins_alike_everywhere_on_boards_of_every_size() -> None:
    fixed = TinyRecursiveModel(CONV)
    assert fixed.initial_state(2).y.shape == (2, 30, 30, 16)
    y, z = fixed.initial_state(2, spatial_shape=(4, 7))
    assert y.shape == z.shape == (2, 4, 7, 16)
    assert torch.equal(y[1, 3, 6], fixed.get_buffer("H_init")) and torch.equal(
        z[0, 0, 0], fixed.get_buffer("L_init")
    )


def test_the_most_reluctant_cell_decides_on_halting() -> None:
    tokens = boards(4, 5, 6)
    model = untrained(CONV)
    state, prediction = think(model, tokens)
    each = model.q_head(state.y.flatten(1, 2))
    assert torch.equal(prediction.halt, each.amin(1)) and prediction.halt.dtype == torch.float32
    for how, expected in (("first", each[:, 0]), ("mean", model.q_head(state.y.mean((1, 2))))):
        other = untrained(replace(CONV, halt_from=how))
        torch.testing.assert_close(think(other, tokens)[1].halt, expected)
    with torch.no_grad():  # one cell in the corner is against it
        slots = torch.zeros(1, 30, 16)
        model.q_head.weight.zero_()
        model.q_head.weight[0, 0], model.q_head.bias[0] = 1.0, 0.5  # type: ignore[index]
        assert model.halt(slots)[0, 0] == 0.5
        slots[0, 29, 0] = -3.0
        assert model.halt(slots)[0, 0] == -2.5


@pytest.mark.parametrize(
    "wrong",
    [
        {"board": None},
        {"board": (30, 29, 1, 1)},
        {"candidates": 9},
        {"feeds_back_answer": 1},
        {"halt_from": "max"},
        {"frozen_tokens": (18,)},
        {"frozen_tokens": (-1,)},
        {"frozen_tokens": (True,)},
        {"puzzle_emb_dim": 16, "prefix_len": 1},
        {
            "mixer": "attention",
            "puzzle_emb_dim": 16,
            "prefix_len": 1,
        },  # feeds_back_answer goes with no prefix
    ],
)
def test_impossible_networks_for_mazes_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        replace(CONV, **wrong)


def test_the_configs_survive_json_and_say_how_tokens_lie() -> None:
    for config in (KEEPS, OFFICIAL):
        assert TRMConfig.from_dict(json.loads(json.dumps(config.to_dict()))) == config
    assert CONV.spatial_shape == (30, 30) and OFFICIAL.spatial_shape == (900,)


# Questions rewritten.


@pytest.mark.parametrize("config", [CONV, KEEPS, replace(KEEPS, layers=2, latent_steps=2)])
def test_two_recursions_are_two_cycles_of_one(config: TRMConfig) -> None:
    """Answers and states: so a network trained with one recursion may think with many."""
    tokens = boards(3, 9, 8)
    both, once = untrained(replace(config, recursions=2)), untrained(config)
    for model in (both, once):
        model.lm_head.weight.data[list(config.frozen_tokens)] = (
            0  # it writes nothing that would then be kept
        )
    assert all(
        torch.equal(a, b)
        for a, b in zip(both.state_dict().values(), once.state_dict().values(), strict=True)
    )
    for cycles in (1, 2):
        state, prediction = think(both, tokens, cycles)
        expected, predicted = think(once, tokens, 2 * cycles)
        assert torch.equal(state.y, expected.y) and torch.equal(state.z, expected.z)
        assert torch.equal(prediction.logits, predicted.logits) and torch.equal(
            prediction.halt, predicted.halt
        )
    assert not torch.equal(
        think(both, tokens)[1].logits,
        think(untrained(replace(STILL, recursions=2)), tokens)[1].logits,
    )


def test_what_is_kept_stays_and_all_else_is_the_likeliest() -> None:
    model, tokens = untrained(KEEPS), boards(2, 5, 6)
    logits = torch.randn(2, 30, 18, generator=torch.Generator().manual_seed(1))
    rewritten, best = model.rewrite(tokens, logits), logits.argmax(-1).view(2, 5, 6)
    kept = (tokens == 1) | (tokens == 4)
    assert rewritten.shape == tokens.shape and kept.any()
    assert torch.equal(rewritten[kept], tokens[kept]) and torch.equal(rewritten[~kept], best[~kept])
    assert torch.equal(untrained(CONV).rewrite(tokens, logits), best)


class Listening(TinyRecursiveModel):
    """Remembers what it was asked."""

    def __init__(self, config: TRMConfig) -> None:
        super().__init__(config)
        self.asked: list[Tensor] = []

    def forward(
        self, state: State, tokens: Tensor, puzzle_ids: Tensor | None = None
    ) -> tuple[State, Prediction]:
        self.asked.append(tokens.clone())
        return super().forward(state, tokens, puzzle_ids)


def never(key: Any, tokens: NDArray[np.int64]) -> bool:
    return False


@pytest.mark.parametrize("config", [CONV, KEEPS, STILL, replace(KEEPS, recursions=2)])
def test_the_answer_of_each_cycle_is_the_question_of_the_next(config: TRMConfig) -> None:
    torch.manual_seed(0)
    model, question = Listening(config).eval(), boards(6, 9).numpy()
    steps = list(refine(model, iter([Question(0, question)]), never, batch_size=2, max_cycles=5))
    assert len(model.asked) == 5 and np.array_equal(model.asked[0][0], question)
    for asked, step in zip(model.asked[1:], steps, strict=False):
        assert step is not None and step.tokens.shape == (54,)
        assert np.array_equal(
            asked[0], step.tokens.reshape(6, 9) if config.feeds_back_answer else question
        )
    if config.frozen_tokens:
        kept = np.isin(question, config.frozen_tokens)
        assert all(np.array_equal(asked[0].numpy()[kept], question[kept]) for asked in model.asked)


def test_confidence_is_the_network_s_own_also_in_what_is_kept() -> None:
    """A wall stays even where the network would have it gone: then its probability is small."""
    model, tokens = untrained(KEEPS), boards(6, 9)
    (step,) = refine(model, iter([Question(0, tokens.numpy())]), never, batch_size=1, max_cycles=1)
    assert step is not None
    likely = think(model, tokens[None])[1].logits[0].softmax(-1)
    own = likely.gather(1, torch.from_numpy(step.tokens)[:, None])[:, 0]
    assert (own < likely.amax(1)).any()
    np.testing.assert_allclose(step.confidence, own.numpy(), rtol=1e-4)


@pytest.mark.parametrize("config", [KEEPS, STILL])
@pytest.mark.parametrize("batch_size", [1, 3, 20])
def test_boards_of_many_sizes_are_refined_as_if_alone_and_in_their_order(
    config: TRMConfig, batch_size: int
) -> None:
    model, rng = untrained(config), np.random.default_rng(0)
    sizes = [(5, 7), (5, 7), (7, 5), (35, 1), (5, 7), (12, 12), (12, 12), (12, 12), (7, 5), (5, 7)]
    rows = [rng.integers(1, 18, size) for size in sizes]
    counts: dict[int, int] = {}

    def accept(key: int, tokens: NDArray[np.int64]) -> bool:
        counts[key] = counts.get(key, 0) + 1
        return counts[key] > key % 4  # some leave at once, some stay to the end

    def run(keys: list[int], size: int) -> dict[int, list[Step]]:
        counts.clear()
        steps: dict[int, list[Step]] = {}
        for step in refine(
            model, (Question(k, rows[k]) for k in keys), accept, batch_size=size, max_cycles=3
        ):
            assert step is not None
            steps.setdefault(step.key, []).append(step)
        return steps

    together = run(list(range(10)), batch_size)
    assert list(together) == list(range(10))  # the order of their first cycles
    for key in range(10):
        (alone,) = run([key], 1).values()
        assert [step.number for step in together[key]] == list(range(1, min(key % 4 + 1, 3) + 1))
        assert [step.last for step in together[key]] == [False] * (len(alone) - 1) + [True]
        for a, b in zip(alone, together[key], strict=True):
            assert np.array_equal(a.tokens, b.tokens)
            np.testing.assert_allclose(a.confidence, b.confidence, rtol=1e-3)
            assert a.halt == pytest.approx(b.halt, rel=1e-3)


def test_a_size_that_waits_lets_none_that_comes_later_go_before() -> None:
    model = Listening(CONV)
    shapes = [(4, 4), (4, 4), (3, 5), (4, 4), (3, 5)]
    questions = iter([Question(key, np.ones(shape, np.int64)) for key, shape in enumerate(shapes)])
    keys = [
        step.key
        for step in refine(model, questions, never, batch_size=9, max_cycles=1)
        if step is not None
    ]
    assert keys == [0, 1, 2, 3, 4]
    assert [tuple(asked.shape) for asked in model.asked] == [
        (2, 4, 4),
        (1, 3, 5),
        (1, 4, 4),
        (1, 3, 5),
    ]


def test_nothing_waiting_is_passed_on_between_sizes_too() -> None:
    items = [
        Question(0, np.ones((4, 4), np.int64)),
        None,
        Question(1, np.ones((3, 5), np.int64)),
        None,
        None,
    ]
    steps = list(refine(TinyRecursiveModel(CONV), iter(items), never, batch_size=4, max_cycles=2))
    assert [
        None if step is None else (step.key, step.number) for step in steps if step is not None
    ] == [(0, 1), (0, 2), (1, 1), (1, 2)]


def test_noise_on_a_board_follows_the_row_s_own_seed() -> None:
    model = untrained(STILL)

    def confidence(seed: int, noise: float, beside: int) -> NDArray[np.float32]:
        questions = [
            Question(k, np.full((4, 6), 3), noise, seed if k == 0 else 99)
            for k in range(beside + 1)
        ]
        steps = refine(model, iter(questions), never, batch_size=4, max_cycles=2)
        return [step.confidence for step in steps if step is not None and step.key == 0][1]

    np.testing.assert_allclose(confidence(1, 0.3, 0), confidence(1, 0.3, 2), rtol=1e-4)
    assert not np.allclose(confidence(1, 0.3, 0), confidence(2, 0.3, 0))
    assert np.array_equal(confidence(1, 0.0, 0), confidence(2, 0.0, 0))


# The solver, with networks that need not have learned anything.


def advanced(board: NDArray[np.int64]) -> NDArray[np.int64]:
    """The next stage of a search: from the board alone, each cell hearing its four neighbours."""
    after = board.copy()
    rows, columns = board.shape
    for (row, column), token in np.ndenumerate(board):
        around = {d: (row + STEPS[d][0], column + STEPS[d][1]) for d in range(1, 5)}
        inside = {
            d: place
            for d, place in around.items()
            if 0 <= place[0] < rows and 0 <= place[1] < columns
        }
        if token in (2, 3):  # floor and start: reached if the goal or an arrow is beside it
            reached = [d for d, place in inside.items() if board[place] == 4 or board[place] > 5]
            if reached:
                after[row, column] = (5 if token == 2 else 13) + reached[0]
        if token > 9:  # the path goes on where its last cell points
            beyond = inside[(int(token) - 6) % 4 + 1]
            if 5 < board[beyond] < 10:
                after[beyond] += 4
    return after


class Wave(TinyRecursiveModel):
    """Searches by the rule, a step a cycle; of one maze alone, if told ``which`` (as tokens)."""

    def __init__(self, which: NDArray[np.int64] | None = None) -> None:
        super().__init__(CONV)
        self.which, self.batches = which, list[int]()

    def forward(
        self, state: State, tokens: Tensor, puzzle_ids: Tensor | None = None
    ) -> tuple[State, Prediction]:
        self.batches.append(len(tokens))
        said = np.stack(
            [advanced(board) if self.knows(board) else board for board in tokens.numpy()]
        )
        return state, sure_of(said.reshape(len(tokens), -1), 18)

    def knows(self, board: NDArray[np.int64]) -> bool:
        if self.which is None or self.which.shape != board.shape:
            return self.which is None
        return all(
            np.array_equal(board == token, self.which == token) for token in (1, 4)
        )  # walls and goal


def sure_of(tokens: NDArray[np.int64], vocab_size: int) -> Prediction:
    logits = 5.0 * torch.nn.functional.one_hot(torch.from_numpy(tokens), vocab_size).float()
    return Prediction(logits, torch.full((len(tokens), 2), -3.0))


class Told(TinyRecursiveModel):
    """Says of each question (900,) what ``answer`` says."""

    def __init__(self, answer: Callable[[NDArray[np.int64]], NDArray[np.int64]]) -> None:
        super().__init__(OFFICIAL)
        self.answer = answer

    def forward(
        self, state: State, tokens: Tensor, puzzle_ids: Tensor | None = None
    ) -> tuple[State, Prediction]:
        return state, sure_of(np.stack([self.answer(question) for question in tokens.numpy()]), 6)


def by_label(question: NDArray[np.int64]) -> NDArray[np.int64]:
    answer: NDArray[np.int64] = MAZE.relabel_after_augmentation(question[None], question[None])[0]
    return answer


def solver(model: TinyRecursiveModel, task: Maze | None = None, **effort: Any) -> Solver:
    task = task or (FLOW if model.config.vocab_size == 18 else MAZE)
    return Solver(
        task,
        model,
        HERE,
        Effort(**{"cycles": 64, "views": 1, "batch_size": 4, "noise": 0.0, **effort}),
        "t",
    )


def mixed_sizes() -> list[Puzzle]:
    sizes = [(3, 3), (3, 8), (8, 3), (6, 6), (6, 6), (3, 8), (9, 5)]
    return [
        replace(made("sparse", n + 1, size)[n], source=f"f:{n}") for n, size in enumerate(sizes)
    ]


def test_mazes_of_many_sizes_are_answered_in_order_by_a_wave_there_and_back() -> None:
    puzzles, model = mixed_sizes(), Wave()
    answers = [a for a in solver(model).solve_all(puzzles) if isinstance(a, Answer)]
    assert [a.puzzle for a in answers] == puzzles
    for answer in answers:
        assert answer.puzzle.rating is not None
        assert answer.verified and answer.valid and answer.optimal and answer.reason == ""
        assert np.array_equal(answer.grid, by_the_rule(answer.puzzle.grid))
        assert (answer.views, answer.cycles) == (1, 2 * answer.puzzle.rating - 1)


def corridor(length: int) -> Puzzle:
    """A path along the first row of 40 x 64 cells, which may take 106 cycles where 64 are usual."""
    path = "S" + " " * (length - 1) + "G"
    return Puzzle(grid(path.ljust(64, "#"), *["#" * 64] * 39), "f:1", length)


def test_a_large_maze_may_take_more_cycles_while_its_answer_changes() -> None:
    long = corridor(45)
    (answer,) = solver(Wave(), more_cycles=True).solve_all([long])
    assert isinstance(answer, Answer) and answer.verified and answer.cycles == 89
    (short_of_time,) = solver(Wave()).solve_all([long])
    assert isinstance(short_of_time, Answer) and not short_of_time.verified
    assert short_of_time.cycles == 64


def test_more_cycles_end_where_the_answer_stands_still_or_the_board_is_small() -> None:
    knows_no_maze = Wave(np.zeros((1, 1), np.int64))
    (stuck,) = solver(knows_no_maze, more_cycles=True).solve_all([corridor(45)])
    assert isinstance(stuck, Answer) and not stuck.verified and stuck.cycles == 65
    too_long = corridor(60)
    frames: list[Cycle] = []
    (cut,) = solver(Wave(), more_cycles=True).solve_all([too_long], frames.append)
    assert isinstance(cut, Answer) and not cut.verified and cut.cycles == 106
    assert {frame.limit for frame in frames} == {106}
    assert MAZE.more_cycles(made("sparse", 1, (30, 30))[0]) == 0


def test_what_has_no_way_is_answered_and_the_network_not_asked() -> None:
    model, closed = Wave(), Puzzle(grid("S #  ", " ## G", "#    "), "f:1")
    (answer,) = solver(model, views=16).solve_all([closed])
    assert isinstance(answer, Answer) and model.batches == []
    assert not answer.verified and answer.reason == "unsolvable: walls keep the start from the goal"
    assert (answer.valid, answer.optimal, answer.cycles, answer.views) == (False, False, 0, 0)
    assert np.array_equal(answer.grid, closed.grid) and answer.puzzle is closed
    told: list[Answer] = []
    puzzles = [mixed_sizes()[3], closed, mixed_sizes()[4], closed]
    answers = list(solver(model).solve_all(puzzles, on_answer=told.append))
    assert [a.puzzle for a in answers if isinstance(a, Answer)] == puzzles and len(told) == 4
    assert [a.verified for a in answers if isinstance(a, Answer)] == [True, False, True, False]


@pytest.mark.parametrize(
    ("model", "shape", "largest"),
    [(Wave, (3, 258), "257 x 257"), (lambda: Told(by_label), (31, 4), "30 x 30")],
    ids=["flow", "padded"],
)
def test_what_is_too_large_is_an_error_in_its_place(
    model: Callable[[], TinyRecursiveModel], shape: tuple[int, int], largest: str
) -> None:
    large = np.ones(shape, np.int8)
    large[0, 0], large[-1, -1] = START, GOAL
    before, after = mixed_sizes()[:2]
    first, error, last = solver(model()).solve_all([before, Puzzle(large, "f:7"), after])
    assert (
        isinstance(first, Answer) and isinstance(last, Answer) and first.verified and last.verified
    )
    assert isinstance(error, PuzzleError)
    size = f"{shape[0]} rows and {shape[1]} columns"
    limit = f"these weights support mazes up to {largest}: give a part of it"
    assert str(error) == f"f:7: too large: {size}; {limit}"


RECTANGLE = grid("S   #  ", "  #   #", "# #    ", "    # G")


@pytest.mark.parametrize("number", range(16))
def test_rectangles_are_solved_in_every_view_and_shown_as_they_were_given(number: int) -> None:
    """The network knows one view; cycles, arrows and the answer are in the puzzle's own frame."""
    assert len(as_keys(all_clothes(RECTANGLE))) == 16
    view = VIEWS[number]
    frames: list[Cycle] = []
    able = solver(Wave(FLOW.encode(view.apply(RECTANGLE))), views=16, cycles=17)
    (answer,) = able.solve_all([Puzzle(RECTANGLE)], frames.append)
    assert (
        isinstance(answer, Answer)
        and answer.verified
        and MAZE.verify(Puzzle(RECTANGLE), answer.grid).optimal
    )
    shown = [frame for frame in frames if frame.view == answer.views]
    assert (
        len(shown) == 17
        and answer.cycles == 17 * answer.views
        and (answer.views > 1) == (number > 0)
    )
    steps = steps_from(RECTANGLE, place_of(RECTANGLE, START if view.swapped else GOAL))
    for frame in frames:
        assert (
            frame.arrows is not None
            and frame.arrows.shape == frame.grid.shape == frame.changed.shape == (4, 7)
        )
        assert frame.confidence.shape == frame.faulty.shape == (4, 7)
        arrows = {place: int(arrow) for place, arrow in np.ndenumerate(frame.arrows) if arrow}
        reached = {place for place, n in steps.items() if 0 < n <= frame.number}
        assert arrows.keys() == (reached if frame.view == answer.views else set())
        for (row, column), arrow in arrows.items():
            assert steps[row + STEPS[arrow][0], column + STEPS[arrow][1]] == steps[row, column] - 1
    assert np.array_equal(shown[-1].grid, answer.grid) and shown[-1].violations == 0
    assert np.array_equal(shown[-1].changed, (answer.grid == PATH) & (shown[-2].grid != PATH))
    assert [int((frame.grid == PATH).sum()) for frame in shown] == [0] * 9 + list(range(1, 9))


def test_padded_mazes_are_solved_in_turned_views_too() -> None:
    given_ = MAZE.encode(RECTANGLE)
    model = Told(
        lambda question: question if np.array_equal(question, given_) else by_label(question)
    )
    frames: list[Cycle] = []
    (answer,) = solver(model, views=2, cycles=3).solve_all([Puzzle(RECTANGLE)], frames.append)
    assert (
        isinstance(answer, Answer) and answer.verified and (answer.views, answer.cycles) == (2, 4)
    )
    assert answer.grid.shape == (4, 7) and MAZE.verify(Puzzle(RECTANGLE), answer.grid).optimal
    assert all(frame.arrows is None and frame.confidence.shape == (4, 7) for frame in frames)


def detour(question: NDArray[np.int64]) -> NDArray[np.int64]:
    """Around the middle of an empty maze."""
    answer = question.reshape(BOARD).copy()
    answer[0, 1:5] = answer[1:3, 4] = answer[2, 1:4] = answer[2, 0] = 5
    answer[answer == 4], answer[3, 0] = 2, 4
    return answer.ravel()


EMPTY = grid("S    ", "     ", "     ", "G    ")


def test_measurements_tell_valid_answers_from_shortest_ones() -> None:
    puzzles = [replace(p, rating=None) for p in mixed_sizes()]
    figures = evaluate(solver(Wave(), cycles=40), puzzles, "made")
    assert (
        figures["n"],
        figures["exact"],
        figures["valid"],
        figures["optimal"],
        figures["verified"],
    ) == (
        7,
        1,
        1,
        1,
        1,
    )
    asked = [Puzzle(EMPTY, answer=by_the_rule(EMPTY))]
    strict, relaxed = (
        evaluate(solver(Told(detour), task, cycles=2), asked, "made")
        for task in (MAZE, MAZE.accepting_any_valid())
    )
    rates = ("exact", "valid", "optimal", "verified")
    assert [strict[rate] for rate in rates] == [0, 1, 0, 0] and [
        relaxed[rate] for rate in rates
    ] == [0, 1, 0, 1]
    nothing = evaluate(solver(Told(lambda question: question), cycles=2), asked, "made")
    assert [nothing[rate] for rate in rates] == [0, 0, 0, 0] and nothing["cell"] == 0.9
    closed = Puzzle(grid("S#G"), answer=grid("S#G"))
    with pytest.raises(PuzzleError, match="the answer in the data is wrong"):
        evaluate(solver(Wave()), [closed], "made")


def test_of_unverified_answers_a_valid_one_is_shown() -> None:
    """A ring beside a shortest path breaks as few rules as a detour does, but is no answer."""
    ring, around = (
        grid("S ooo", "o o o", "o ooo", "G    "),
        MAZE.decode(detour(MAZE.encode(EMPTY)), (4, 5)),
    )
    said = {
        MAZE.encode(view.apply(EMPTY)).tobytes(): MAZE.encode(view.apply(around)) for view in VIEWS
    }
    said[MAZE.encode(EMPTY).tobytes()] = MAZE.encode(ring)
    model = Told(lambda question: said[question.tobytes()])
    assert MAZE.faults(Puzzle(EMPTY), ring)[1] == MAZE.faults(Puzzle(EMPTY), around)[1] == 1
    (answer,) = solver(model, views=16, cycles=2).solve_all([Puzzle(EMPTY)])
    assert isinstance(answer, Answer) and not answer.verified and answer.views == 16
    assert (answer.valid, answer.optimal) == (True, False)
    assert answer.reason == "the path takes 11 steps, 3 are enough"
    (content,) = solver(model, MAZE.accepting_any_valid(), views=16, cycles=2).solve_all(
        [Puzzle(EMPTY)]
    )
    assert isinstance(content, Answer) and content.verified and 1 < content.views < 16


# Training on what is due.


@pytest.fixture(scope="module")
def examples() -> Examples:
    """Small ones, laid on the board."""
    sizes = [(6, 6), (8, 8), (7, 6), (6, 8)]
    return Examples.collect(
        FLOW, [p for n, size in enumerate(sizes) for p in made("sparse", 3, size, seed=n)]
    )


@pytest.mark.parametrize("task", [MAZE, FLOW], ids=["padded", "flow"])
def test_turned_training_puzzles_have_the_rule_s_answer(task: Maze, examples: Examples) -> None:
    batch = Sampler(task, examples, CPU, rows=24, seed=1, stages=True)(torch.arange(24))
    assert batch.tokens.shape == (
        (24, 900) if task is MAZE else (24, 30, 30)
    ) and batch.labels.shape == (24, 900)
    for tokens, labels in zip(batch.tokens.numpy(), batch.labels.numpy(), strict=True):
        question, answer = task.decode(tokens.ravel(), BOARD), task.decode(labels, BOARD)
        assert np.array_equal(answer, by_the_rule(question))
    questions = task.encode(examples.questions).reshape(-1, 900)
    assert (
        len(np.unique(np.concatenate((batch.tokens.flatten(1).numpy(), questions)), axis=0))
        > len(questions) + 12
    )
    if task is MAZE:
        assert batch.stages is None and batch.available_from is None
    else:
        trajectory = FLOW.trajectory(batch.tokens.flatten(1).numpy())
        assert batch.stages is not None and batch.available_from is not None
        assert np.array_equal(batch.stages, trajectory.stages) and np.array_equal(
            batch.available_from, trajectory.available_from
        )
        assert np.array_equal(batch.labels, at(trajectory, 1 << 20))
    assert Sampler(task, examples, CPU, rows=2)(torch.arange(2)).stages is None  # nobody asked


def test_both_forms_of_the_task_draw_the_same_mazes(examples: Examples) -> None:
    padded, flow = (
        Sampler(task, examples, CPU, rows=8, seed=3)(torch.arange(8)) for task in (MAZE, FLOW)
    )
    assert torch.equal(padded.tokens, flow.tokens.flatten(1))


def pool_of(
    examples: Examples, config: TRMConfig = CONV, rows: int = 6
) -> tuple[Pool, Sampler, NDArray[np.int64]]:
    """A pool filled, its source, and its questions."""
    pool = Pool(untrained(config), rows, CPU, max_cycles=30)
    sampler = Sampler(FLOW, examples, CPU, rows=rows, seed=2, stages=True)
    pool.refill(sampler)
    return pool, sampler, pool.batch.tokens.flatten(1).numpy().copy()


def rewrite(pool: Pool, targets: Tensor, logits: Tensor, teacher_forcing: float) -> None:
    """The next question of all rows after a cycle that answered with ``logits``."""
    prediction = Prediction(logits, torch.zeros(len(logits), 2))
    pool.ask_next(prediction, targets, Teaching(teacher_forcing=teacher_forcing))


@pytest.mark.parametrize("config", [CONV, KEEPS, replace(CONV, layers=2, latent_steps=3)])
def test_what_is_due_is_what_is_within_reach(config: TRMConfig, examples: Examples) -> None:
    pool, _, questions = pool_of(examples, config)
    trajectory = FLOW.trajectory(questions)
    reach = pool.model.receptive_field
    for cycle in range(1, 12):
        due = pool.current_targets()
        assert np.array_equal(due, at(trajectory, cycle * reach))
        rewrite(pool, due, torch.zeros(6, 900, 18), teacher_forcing=1.0)
        assert np.array_equal(pool.batch.tokens.flatten(1), due) and pool.batch.tokens.shape == (
            6,
            30,
            30,
        )
        assert pool.steps.tolist() == [cycle * reach] * 6
    pool.model.recursions = 3  # deeper from now on
    assert np.array_equal(pool.current_targets(), at(trajectory, 11 * reach + 3 * reach))


def test_the_next_question_is_the_answer_unless_a_hint_is_given(examples: Examples) -> None:
    for config in (CONV, KEEPS):
        pool, _, questions = pool_of(examples, config)
        logits = torch.randn(6, 900, 18)
        expected = pool.model.rewrite(pool.batch.tokens, logits)
        rewrite(pool, pool.current_targets(), logits, teacher_forcing=0.0)
        assert torch.equal(pool.batch.tokens, expected)
        kept = np.isin(questions, config.frozen_tokens)
        assert np.array_equal(pool.batch.tokens.flatten(1).numpy()[kept], questions[kept])
    torch.manual_seed(0)
    pool, _, _ = pool_of(examples, rows=60)
    due, logits = pool.current_targets(), torch.randn(60, 900, 18)
    rewrite(pool, due, logits, teacher_forcing=0.7)
    told = (pool.batch.tokens.flatten(1) == due).all(1)
    assert 0.5 < told.float().mean() < 0.9
    assert torch.equal(pool.batch.tokens.flatten(1)[~told], logits.argmax(-1)[~told])


def test_fresh_puzzles_begin_their_search_anew_and_the_others_go_on(examples: Examples) -> None:
    pool, sampler, questions = pool_of(examples)
    rewrite(pool, pool.current_targets(), torch.zeros(6, 900, 18), teacher_forcing=1.0)
    pool.advance(pool.state, torch.tensor([1.0, -1, -1, 1, -1, -1]))
    pool.refill(sampler)
    assert pool.steps.tolist() == [0, 2, 2, 0, 2, 2] and pool.cycles.tolist() == [0, 1, 1, 0, 1, 1]
    fresh = questions.copy()
    fresh[[0, 3]] = pool.batch.tokens.flatten(1).numpy()[[0, 3]]
    assert not np.array_equal(fresh, questions)
    trajectory, due = FLOW.trajectory(fresh), pool.current_targets()
    for row, steps in enumerate(pool.steps.tolist()):
        assert np.array_equal(due[row], at(trajectory, steps + 2)[row])


def test_without_stages_the_answer_itself_is_due(examples: Examples) -> None:
    pool = Pool(untrained(OFFICIAL), 4, CPU)
    pool.refill(Sampler(MAZE, examples, CPU, rows=4))
    assert pool.current_targets() is pool.batch.labels


def test_a_pool_s_state_comes_back_with_its_stages(examples: Examples) -> None:
    pool, sampler, _ = pool_of(examples)
    rewrite(pool, pool.current_targets(), torch.randn(6, 900, 18), teacher_forcing=0.5)
    pool.advance(
        State(torch.randn_like(pool.state.y), pool.state.z), torch.tensor([1.0, -1, -1, 1, -1, -1])
    )
    kept = {name: tensor.clone() for name, tensor in pool.state_dict().items()}
    assert {"stages", "since", "steps"} <= kept.keys() and all(
        len(tensor) == 6 for tensor in kept.values()
    )
    other = Pool(pool.model, 6, CPU, max_cycles=30)
    other.load_state_dict(kept)
    assert other.state_dict().keys() == kept.keys()
    assert all(torch.equal(tensor, kept[name]) for name, tensor in other.state_dict().items())
    assert torch.equal(other.current_targets(), pool.current_targets())
    before = {name: tensor.clone() for name, tensor in kept.items()}
    rewrite(other, other.current_targets(), torch.randn(6, 900, 18), teacher_forcing=1.0)
    other.refill(sampler)
    assert not torch.equal(other.state_dict()["stages"], kept["stages"])
    assert all(
        torch.equal(tensor, before[name]) for name, tensor in kept.items()
    )  # what is loaded is its own
    assert all(torch.equal(tensor, before[name]) for name, tensor in pool.state_dict().items())
    assert "stages" not in Pool(pool.model, 6, CPU).state_dict()


def test_only_the_whole_answer_is_right(examples: Examples) -> None:
    """What was due is learned from, and no reason to halt."""
    pool, _, _ = pool_of(examples)
    due, labels = pool.current_targets(), pool.batch.labels
    assert not torch.equal(due, labels)
    sure = Prediction(20.0 * torch.nn.functional.one_hot(due, 18), torch.zeros(6, 2))
    loss = trm_loss(sure, due, SOFTMAX, answers=labels)
    assert loss.tokens < 1e-3 and loss.right_tokens.tolist() == [900] * 6
    assert loss.right.tolist() == (due == labels).all(1).tolist() and not loss.right.all()
    halting = replace_halt(sure, 5.0)
    assert (
        trm_loss(halting, due, SOFTMAX, answers=labels).halt
        > trm_loss(sure, due, SOFTMAX, answers=labels).halt
    )
    over = Prediction(20.0 * torch.nn.functional.one_hot(labels, 18), torch.zeros(6, 2))
    assert trm_loss(over, due, SOFTMAX, answers=labels).right.all()
    assert (
        trm_loss(over, due, SOFTMAX, answers=labels).right_tokens.tolist()
        == (due == labels).sum(1).tolist()
    )


def replace_halt(prediction: Prediction, logit: float) -> Prediction:
    return prediction._replace(halt=torch.full_like(prediction.halt, logit))


FLOWING = Recipe(
    CONV,
    batch_size=6,
    max_cycles=12,
    exploration=0.5,
    teacher_forcing=0.5,
    curriculum=((0.5, 1, 1),),
)


def test_a_trainer_s_questions_follow_the_search_where_all_is_told(examples: Examples) -> None:
    trainer = Trainer(
        replace(FLOWING, teacher_forcing=1.0, config=replace(CONV, recursions=2)),
        CPU,
        torch.float32,
    )
    sampler = Sampler(FLOW, examples, CPU, rows=6, seed=2, stages=True)
    trainer.step(sampler, 0.0)  # by the curriculum with one recursion
    questions = trainer.pool.batch.stages
    assert questions is not None
    trajectory = FLOW.trajectory(questions[:, 0].numpy())
    due = trainer.pool.current_targets()
    knows = trainer.loss(
        Prediction(20.0 * torch.nn.functional.one_hot(due, 18), torch.zeros(6, 2)), due
    )
    assert (
        knows.right_tokens.tolist() == [900] * 6 and not knows.right.all()
    )  # halting waits for the answer itself
    assert np.array_equal(trainer.pool.batch.tokens.flatten(1), at(trajectory, 2))
    trainer.step(sampler, 0.9)
    assert np.array_equal(trainer.pool.batch.tokens.flatten(1), at(trajectory, 2 + 4))


KINDS = {
    "flow": FLOWING,
    "keeping": replace(FLOWING, config=replace(KEEPS, recursions=2), curriculum=()),
    "official": Recipe(
        OFFICIAL,
        batch_size=2,
        max_cycles=3,
        exploration=0.5,
        optimizer="adam_atan2",
        loss="stablemax",
        lr=1e-3,
        clip=None,
    ),
}
PLAN = Schedule(steps=6, seed=5, held_out=2, log_seconds=0.0)


def left_by(out: Path) -> tuple[bytes, str, list[tuple[Any, ...]]]:
    """What a run leaves, to the bit: last checkpoint, weights, and metrics without times."""
    curve = [
        (p.step, p.done, p.loss, p.token_accuracy, p.mean_cycles, p.solved)
        for p in read_metrics(out)
    ]
    return (
        (out / f"step-{PLAN.steps:08d}" / "state.safetensors").read_bytes(),
        load("maze", weights=out).weights,
        curve,
    )


@pytest.mark.parametrize("kind", KINDS)
def test_a_stopped_run_goes_on_to_the_same_bits(
    kind: str, examples: Examples, tmp_path: Path
) -> None:
    recipe, asked = KINDS[kind], iter(range(100))
    halting = TinyRecursiveModel(recipe.config)
    assert halting.q_head.bias is not None
    halting.q_head.bias.data[0] = 1.0  # exploration alone keeps rows

    def run(out: Path, **more: Any) -> Path:
        task = get_task("maze", recipe.config.vocab_size)
        Run(
            training_data=PuzzleTrainingData(task, examples),
            recipe=recipe,
            out=out,
            schedule=PLAN,
            placement=HERE,
            **more,
        ).train()
        return out

    whole = run(tmp_path / "whole", start_from=halting)
    parts = run(tmp_path / "parts", start_from=halting, stop=lambda: next(asked) >= 3)
    assert [line.step for line in read_metrics(parts)] == [1, 2, 3]
    torch.manual_seed(0)  # whatever chance another process begins with
    run(parts, checkpoint=load_checkpoint(parts))
    assert left_by(parts) == left_by(whole)
    tensors = load_checkpoint(whole).tensors
    assert ("pool.stages" in tensors) == (kind != "official") and tensors["visits"].max() > 2
    assert len(set(tensors["pool.cycles"].tolist())) > 1 or kind == "official"
    loaded = load("maze", weights=whole)
    assert loaded.model.config == recipe.config and loaded.task is get_task(
        "maze", recipe.config.vocab_size
    )


def test_learning_lowers_the_loss_of_mazes_on_the_board(examples: Examples) -> None:
    torch.manual_seed(0)
    trainer = Trainer(
        replace(FLOWING, lr=0.02, teacher_forcing=0.7, max_cycles=4), CPU, torch.float32
    )
    sampler = Sampler(FLOW, examples, CPU, rows=6, stages=True)
    losses = [float(trainer.step(sampler).tokens.detach()) / 6 for _ in range(40)]
    assert sum(losses[-5:]) < 0.25 * sum(losses[:5])


@pytest.mark.slow
def test_a_handful_of_mazes_is_learned_by_heart() -> None:
    """On a board of their own size: one of 30 x 30 would take ten times as long.

    The rows begin at all stages of a search. Where all begin with their question, each step knows
    but one stage, and the network forgets the others.
    """
    torch.manual_seed(0)
    puzzles = list(islice(FLOW.generate_sized("sparse", 7, (8, 8), 4, 14), 6))
    large = FLOW.encode(np.stack([FLOW.pad_to_board(puzzle.grid) for puzzle in puzzles])).reshape(
        -1, 900
    )
    trajectory = FLOW.trajectory(large)

    def on_board(parts: NDArray[Any]) -> Tensor:
        return torch.from_numpy(
            parts.reshape(*parts.shape[:-1], *BOARD)[..., :8, :8].copy()
        ).flatten(-2)

    tokens, labels = (
        on_board(large).unflatten(1, (8, 8)),
        on_board(FLOW.relabel_after_augmentation(large, large)),
    )
    stages, available_from = on_board(trajectory.stages), on_board(trajectory.available_from)
    config = replace(KEEPS, seq_len=64, board=(8, 8, 1, 1), layers=2)
    recipe = Recipe(
        config,
        batch_size=12,
        max_cycles=8,
        weight_decay=0.0,
        head_lr=3e-3,
        ema=0.9,
        halt_weight=0.1,
    )
    trainer, steps = Trainer(recipe, CPU, torch.float32), 400
    for step in range(steps):
        trainer.step(
            lambda rows: Batch(
                tokens[rows % 6],
                labels[rows % 6],
                torch.zeros_like(rows),
                stages[rows % 6],
                available_from[rows % 6],
            ),
            step / steps,
        )
        if step == 0:
            trainer.pool.cycles.copy_(torch.arange(12) % 8)
    model = TinyRecursiveModel(config).eval()
    model.load_state_dict(trainer.ema.state_dict(trainer.model))
    for answer in solver(model, cycles=16).solve_all(puzzles):
        assert (
            isinstance(answer, Answer)
            and answer.verified
            and np.array_equal(answer.grid, by_the_rule(answer.puzzle.grid))
        )
        assert answer.puzzle.rating is not None
        assert (
            answer.cycles >= (2 * answer.puzzle.rating - 1) / model.receptive_field
        )  # nothing is known before it is within reach


@pytest.mark.slow
def test_the_paper_s_network_trains_and_answers_mazes_of_every_size_on_its_board(
    examples: Examples,
) -> None:
    torch.manual_seed(0)
    assert (
        RECIPES["maze", "paper"].config.spatial_shape == (900,)
        and RECIPES["maze", "paper"].config.vocab_size == 6
    )
    recipe = replace(RECIPES["maze", "paper"], config=OFFICIAL, batch_size=3)
    trainer = Trainer(recipe, CPU, torch.float32)
    before = {name: tensor.clone() for name, tensor in trainer.model.state_dict().items()}
    loss = trainer.step(Sampler(MAZE, examples, CPU, rows=3))
    assert torch.isfinite(loss.total) and loss.labelled.tolist() == [900] * 3
    moved = {
        name
        for name, tensor in trainer.model.state_dict().items()
        if not torch.equal(tensor, before[name])
    }
    assert moved == before.keys() - {"H_init", "L_init"}
    model = trainer.model.eval()
    frames: list[Cycle] = []
    puzzles = [*mixed_sizes(), *made("hard", 1, BOARD)]
    answers = list(solver(model, cycles=2, views=2, noise=0.5).solve_all(puzzles, frames.append))
    assert len(frames) == 4 * len(puzzles)
    for answer, puzzle in zip(answers, puzzles, strict=True):
        assert (
            isinstance(answer, Answer)
            and answer.grid.shape == puzzle.grid.shape
            and answer.puzzle is puzzle
        )
        assert not answer.verified and answer.reason and answer.valid is False


def test_the_recipes_for_mazes_fit_their_task() -> None:
    for (task, _), recipe in RECIPES.items():
        if task == "maze":
            puzzle_task = get_task("maze", recipe.config.vocab_size)
            assert (puzzle_task.vocab_size, puzzle_task.seq_len, puzzle_task.candidates) == (
                recipe.config.vocab_size,
                recipe.config.seq_len,
                recipe.config.candidates,
            )
            assert (
                recipe.config.feeds_back_answer == (puzzle_task is get_task("maze", 18))
                and recipe.reveal_prob == 0
            )


# The speed measurement.


@pytest.mark.parametrize("task", [MAZE, FLOW], ids=["padded", "flow"])
def test_speed_is_measured_on_hard_mazes_of_the_board(task: Maze) -> None:
    examples = make_examples(task)
    assert examples.questions.shape == (256, *BOARD) and (examples.ratings >= 109).all()
    assert all(
        MAZE.verify(Puzzle(pair[0]), pair[1]).verified
        for pair in zip(examples.questions[:20], examples.answers[:20], strict=True)
    )


def test_a_cycle_of_a_convolution_counts_as_by_hand() -> None:
    config = replace(CONV, layers=2, recursions=3, latent_steps=2)
    block = (
        9 * 16 + 16 * 16 + 16 * 64 + 32 * 16
    )  # its kernels, what follows them, and the gated layer
    blocks, reads, halts = (
        3 * 3 * 2 * block,
        3 * 16 * 18,
        16 * 2,
    )  # each recursion reads its answer out
    assert count_cycle(config) == 2 * 900 * (blocks + reads + halts)


def test_training_and_solving_mazes_can_be_timed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SIDES, "cpu", 64)
    monkeypatch.setattr("trmsolve.bench.workloads.EXAMPLES", 4)
    recipe = replace(FLOWING, batch_size=2)
    figures = bench_training("maze", recipe, Setup(HERE, False, 0.05))
    assert figures["steps"] >= 1 and figures["flop_per_step"] > 2 * count_cycle(recipe.config)
    figures = bench_solving("maze", untrained(recipe.config), Setup(HERE, False, 0.05), 2)
    assert figures["batch_size"] == 2 and figures["flop_per_step"] == 2 * count_cycle(recipe.config)


def test_a_maze_too_large_to_train_on_is_named() -> None:
    large = np.full((31, 4), 1, np.int8)
    large[0, :2] = START, GOAL
    with pytest.raises(
        PuzzleError, match=r"^mazes\.txt:7: too large: 31 rows and 4 columns; .* 30 x 30"
    ):
        Examples.collect(MAZE, [Puzzle(large, "mazes.txt:7", answer=large)] * 2)


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"reveal_prob": 0.3}, r"reveal_prob=0\.3 reveals cells of answers, which maze puzzles"),
        ({"derivations": 9}, r"derivations=9: no maze puzzles can be derived from others"),
    ],
    ids=str,
)
def test_what_only_other_puzzles_allow_is_refused(
    examples: Examples, tmp_path: Path, change: dict[str, Any], problem: str
) -> None:
    recipe = replace(RECIPES["maze", "laptop"], config=CONV, batch_size=2, **change)
    with pytest.raises(UsageError, match=problem):
        Run(
            training_data=PuzzleTrainingData(FLOW, examples),
            recipe=recipe,
            out=tmp_path,
            schedule=Schedule(steps=1, held_out=2),
            placement=HERE,
        )
