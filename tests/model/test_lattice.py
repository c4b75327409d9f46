"""The lattice of candidates: mixer, symmetries, deduction, loss, search, and solving with it."""

import itertools
from dataclasses import replace
from itertools import islice

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from trmsolve.device import Placement
from trmsolve.model.config import TRMConfig
from trmsolve.model.lattice import (
    CERTAIN,
    Guessing,
    choices,
    deduce,
    gumbel,
    keep_logits,
    lost,
    possible,
    read_out,
)
from trmsolve.model.network import Prediction, State, TinyRecursiveModel
from trmsolve.puzzles.registry import get_task
from trmsolve.puzzles.sudoku.search import solutions
from trmsolve.puzzles.sudoku.symmetry import random_view
from trmsolve.puzzles.values import Answer, Cycle, Puzzle
from trmsolve.solve.chance import Chance
from trmsolve.solve.effort import Effort
from trmsolve.solve.guessing import FIRST_CYCLE, LOOSEST, Search
from trmsolve.solve.refine import Question, refine
from trmsolve.solve.solver import Solver
from trmsolve.train.loss import LossSettings, lattice_loss
from trmsolve.train.pool import Batch
from trmsolve.train.recipes import Recipe
from trmsolve.train.trainer import Trainer

CPU = torch.device("cpu")
TASK = get_task("sudoku", 2)
SMALL = TRMConfig(
    vocab_size=2,
    seq_len=729,
    hidden_size=16,
    layers=1,
    recursions=1,
    latent_steps=2,
    mixer="lattice",
    positions="none",
    board=(9, 9, 3, 3),
    candidates=9,
    inner_multiple=16,
    normed_swiglu=True,
    halt_from="mean",
)
CLUES = "530070000600195000098000060800060003400803001700020006060000280000419005000080079"
PUZZLE = np.array(list(map(int, CLUES)), dtype=np.int8).reshape(9, 9)
SOLUTION = next(solutions(PUZZLE))
SETTINGS = LossSettings(halt_weight=0.1, conflict_weight=0.1)


def logits_for(keep: Tensor) -> Tensor:
    """(B, C, K) keep logits as the network's (B, S, 2)."""
    flat = keep.flatten(1)
    return torch.stack((torch.zeros_like(flat), flat), -1)


def test_grids_survive_the_way_into_candidates_and_back() -> None:
    for grid in (SOLUTION, PUZZLE):
        assert (TASK.decode(TASK.encode(grid), (9, 9)) == grid).all()
    both = TASK.encode(np.stack((SOLUTION, PUZZLE)))
    assert both.shape == (2, 729) and (both[1] == TASK.encode(PUZZLE)).all()
    assert TASK.encode(PUZZLE).sum() == (PUZZLE > 0).sum() + 9 * (PUZZLE == 0).sum()
    assert (TASK.decode(np.zeros(729), (9, 9)) == 0).all()


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=25, deadline=None)
def test_candidates_come_back_from_every_view(seed: int) -> None:
    rng = np.random.default_rng(seed)
    marks = (rng.random(729) < 0.5).astype(np.int64)
    given, view = islice(TASK.views(Puzzle(PUZZLE), np.random.default_rng(seed)), 2)
    seen = TASK.encode(random_view(np.random.default_rng(seed)).apply(PUZZLE))
    assert (view.apply(TASK.encode(PUZZLE)) == seen).all()
    assert (view.undo(seen) == TASK.encode(PUZZLE)).all()
    assert (given.undo(marks) == marks).all() and view.undo(marks).sum() == marks.sum()


@given(st.integers(0, 2**32 - 1))
@settings(max_examples=10, deadline=None)
def test_the_network_sees_no_difference_between_symmetric_puzzles(seed: int) -> None:
    """What it says of a puzzle in other clothes is what it says of the puzzle, in those clothes."""
    torch.manual_seed(0)
    model = TinyRecursiveModel(replace(SMALL, layers=2)).eval()
    tokens = torch.from_numpy(TASK.encode(PUZZLE))[None]
    draws = np.random.default_rng(seed).random((1, TASK.symmetry_draws))
    # Not transposed: rows and columns have matrices of their own, which only training makes alike.
    draws[0, 0] = 0
    seen = torch.from_numpy(TASK.symmetries(draws)[0])
    state, plain = model(model.initial_state(1), tokens)
    other_state, other = model(model.initial_state(1), tokens.gather(1, seen))
    torch.testing.assert_close(other.logits[0], plain.logits[0, seen[0]], atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(other.halt, plain.halt, atol=1e-4, rtol=1e-4)
    torch.testing.assert_close(other_state.z[0], state.z[0, seen[0]], atol=1e-4, rtol=1e-4)


def test_a_candidate_hears_its_rivals_at_once_and_nobody_else() -> None:
    model = TinyRecursiveModel(SMALL)
    mixer = model.L_level.layers[0].pool
    h = torch.randn(1, 729, 16, requires_grad=True)
    mixer.mix(h)[0, 9 * (9 * 4 + 4) + 2].sum().backward()  # digit 3 in the middle of the board
    assert h.grad is not None
    heard = h.grad[0].abs().sum(-1).reshape(9, 9, 9) > 0
    expected = np.zeros((9, 9, 9), dtype=bool)
    expected[4, :, 2] = expected[:, 4, 2] = expected[3:6, 3:6, 2] = expected[4, 4, :] = True
    assert (heard.numpy() == expected).all()


def test_the_answer_is_the_best_candidate_left_in_each_cell() -> None:
    tokens = torch.from_numpy(TASK.encode(PUZZLE))[None]
    keep = torch.randn(1, 81, 9)
    answer, confidence = read_out(logits_for(keep), tokens, 9)
    grid = TASK.decode(answer[0].numpy(), (9, 9))
    assert ((grid == PUZZLE) | (PUZZLE == 0)).all() and (
        grid > 0
    ).all()  # a clue has one candidate: it stays
    open_cells = torch.from_numpy(PUZZLE.reshape(-1) == 0)
    assert (
        torch.from_numpy(grid.reshape(-1) - 1)[open_cells] == keep[0].argmax(-1)[open_cells]
    ).all()
    assert (confidence[0][~open_cells] == 1).all() and (confidence[0][open_cells] < 1).all()


@given(st.integers(0, 2**32 - 1), st.booleans(), st.floats(-8, 8))
@settings(max_examples=40, deadline=None)
def test_a_cycle_rules_out_or_guesses_and_never_empties_a_cell(
    seed: int, guesses: bool, bias: float
) -> None:
    generator = torch.Generator().manual_seed(seed)
    tokens = torch.from_numpy(TASK.encode(np.stack((PUZZLE, SOLUTION))))
    keep = bias + 2 * torch.randn(2, 81, 9, generator=generator)
    noise = gumbel(torch.rand(2, 729, generator=generator))
    guessing = Guessing(torch.tensor([guesses, guesses]), noise)
    after, guess = deduce(logits_for(keep), tokens, 9, guessing)
    before, left = possible(tokens, 9), possible(after, 9)
    assert (left <= before).all() and left.any(-1).all() and torch.equal(after[1], tokens[1])
    certain = before & (torch.sigmoid(keep) < CERTAIN) & (before.sum(-1, keepdim=True) > 1)
    certain &= ~torch.nn.functional.one_hot(choices(keep, before).argmax(-1), 9).bool()
    gone = before & ~left
    if certain[0].any():
        assert torch.equal(gone[0], certain[0])
    elif guesses:
        cells = gone[0].any(-1)
        assert cells.sum() == 1 and left[0][cells].sum() == 1
        assert int(guess[0]) == 9 * int(cells.nonzero()) + int(left[0][cells].nonzero()[0, 1])
    else:
        assert not gone.any()
    assert (int(guess[0]) >= 0) == (guesses and not bool(certain[0].any())) and int(guess[1]) == -1


def test_guesses_are_drawn_by_their_probability() -> None:
    """One open cell with two candidates of probability 0.8 and 0.2, drawn at temperature 1."""
    tokens = torch.from_numpy(TASK.encode(SOLUTION)).repeat(4000, 1)
    cell, digit = 40, int(SOLUTION[4, 4]) - 1
    other = (digit + 1) % 9
    tokens[:, 9 * cell + other] = 1
    keep = torch.zeros(4000, 81, 9)
    keep[:, cell, digit], keep[:, cell, other] = float(np.log(0.8)) + 2, float(np.log(0.2)) + 2
    noise = gumbel(torch.rand(4000, 729, generator=torch.Generator().manual_seed(1)))
    everywhere = torch.ones(4000, dtype=torch.bool)
    after = possible(deduce(logits_for(keep), tokens, 9, Guessing(everywhere, noise))[0], 9)
    assert after[:, cell].sum(-1).eq(1).all()
    assert after[:, cell, digit].float().mean() == pytest.approx(0.8, abs=0.03)
    greedy = possible(deduce(logits_for(keep), tokens, 9, Guessing(everywhere, 0.0))[0], 9)
    assert greedy[:, cell, digit].all()


def test_a_lattice_is_lost_when_its_solution_is_ruled_out() -> None:
    labels = torch.from_numpy(TASK.encode(SOLUTION))[None]
    tokens = torch.from_numpy(TASK.encode(PUZZLE))[None]
    assert not lost(tokens, labels, 9).any() and not lost(labels, labels, 9).any()
    tokens[0, 9 * 40 + int(SOLUTION[4, 4]) - 1] = 0
    assert lost(tokens, labels, 9).all()


def test_the_loss_wants_the_truth_and_leaves_lost_rows_alone() -> None:
    labels = torch.from_numpy(TASK.encode(SOLUTION)).repeat(2, 1)
    tokens = torch.from_numpy(TASK.encode(PUZZLE)).repeat(2, 1)
    tokens[1, 9 * 40 : 9 * 41] = 1
    tokens[1, 9 * 40 + int(SOLUTION[4, 4]) - 1] = 0  # the second row is lost
    truth = possible(labels, 9).float()
    halt = torch.zeros(2, 2, requires_grad=True)

    def of(keep: Tensor) -> float:
        prediction = Prediction(logits_for(keep), halt)
        return lattice_loss(prediction, tokens, labels, 9, SETTINGS).tokens.item()

    assert of(20 * (2 * truth - 1)) < 1e-3 < of(torch.zeros(2, 81, 9)) < of(20 * (1 - 2 * truth))
    keep = torch.zeros(2, 81, 9, requires_grad=True)
    loss = lattice_loss(Prediction(logits_for(keep), halt), tokens, labels, 9, SETTINGS)
    loss.total.backward()
    assert keep.grad is not None and torch.isfinite(keep.grad).all() and torch.isfinite(loss.total)
    assert keep.grad[0].abs().sum() > 0 and keep.grad[1].abs().sum() == 0
    open_cells = torch.from_numpy(PUZZLE.reshape(-1) == 0)
    assert keep.grad[0][~open_cells].abs().sum() == 0  # nothing to learn from a clue
    assert (
        halt.grad is not None and halt.grad[0, 1] > 0 > halt.grad[1, 1]
    )  # the second says: this one is lost
    # By hand: half a bit of doubt everywhere. Of 9 candidates one has weight 4, eight have 0.5: 8
    # ln 2 / 9; ln 9 for which of them it is.
    assert loss.tokens.item() == pytest.approx(8 * np.log(2) / 9 + np.log(9), rel=1e-4)
    assert loss.labelled.tolist() == [81, 81] and not loss.right.any()


@pytest.mark.slow
def test_a_puzzle_is_learned_by_heart_and_known_again_in_other_clothes() -> None:
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    views = [random_view(rng) for _ in range(8)]
    tokens = torch.from_numpy(TASK.encode(np.stack([view.apply(PUZZLE) for view in views])))
    labels = torch.from_numpy(TASK.encode(np.stack([view.apply(SOLUTION) for view in views])))
    recipe = Recipe(replace(SMALL, layers=2), batch_size=4, lr=0.01, head_lr=1e-2, weight_decay=0.0)
    trainer = Trainer(recipe, CPU, torch.float32)
    solver = Solver(TASK, trainer.model, Placement(CPU, torch.float32, ""), Effort(8, 1, 4))
    for step in range(1, 801):
        trainer.step(lambda rows: Batch(tokens[rows], labels[rows], torch.zeros_like(rows)))
        if step % 50 == 0:
            trainer.model.eval()
            answers = list(
                solver.solve_all([Puzzle(view.apply(PUZZLE)) for view in views[4:]])
            )  # never trained on
            trainer.model.train()
            if all(isinstance(answer, Answer) and answer.verified for answer in answers):
                return
    raise AssertionError("not learned in 800 steps")


@pytest.mark.parametrize(("certain", "left"), [(0.0, "all"), (1.0, "one of each cell")])
def test_the_recipe_says_how_certain_training_must_be(certain: float, left: str) -> None:
    torch.manual_seed(0)
    asked = torch.from_numpy(TASK.encode(np.stack([PUZZLE] * 2)))
    labels = torch.from_numpy(TASK.encode(np.stack([SOLUTION] * 2)))
    recipe = Recipe(SMALL, batch_size=2, elimination_threshold=certain, guess_prob=0.0, warmup=0.0)
    trainer = Trainer(recipe, CPU, torch.float32)
    for _ in range(2):  # the first cycle rules out less
        trainer.step(lambda rows: Batch(asked[rows], labels[rows], torch.zeros_like(rows)))
    open_ = possible(trainer.pool.batch.tokens, 9)
    assert torch.equal(open_, possible(asked, 9)) if left == "all" else (open_.sum(-1) == 1).all()


def test_rows_leave_when_their_lattice_is_lost() -> None:
    torch.manual_seed(0)
    model = TinyRecursiveModel(SMALL)
    with torch.no_grad():
        assert model.q_head.bias is not None
        model.q_head.bias.copy_(torch.tensor([-5.0, 5.0]))  # says at once that the solution is lost
    given = iter([Question("a", TASK.encode(PUZZLE)), Question("b", TASK.encode(SOLUTION))])
    steps = [
        step for step in refine(model, given, lambda *_: False, batch_size=2, max_cycles=5) if step
    ]
    assert [(step.key, step.number, step.last) for step in steps] == [
        ("a", 1, True),
        ("b", 1, True),
    ]
    given = iter([Question("a", TASK.encode(PUZZLE))])
    whole = [
        s
        for s in refine(
            model, given, lambda *_: False, batch_size=2, max_cycles=5, stop_early=False
        )
        if s
    ]
    assert len(whole) == 5


class Scripted(TinyRecursiveModel):
    """Certain of nothing; says that the solution is lost exactly when it is."""

    def __init__(self, solution: np.ndarray) -> None:
        super().__init__(SMALL)
        self.labels = torch.from_numpy(TASK.encode(solution))[None]

    def forward(
        self, state: State, tokens: Tensor, puzzle_ids: Tensor | None = None
    ) -> tuple[State, Prediction]:
        gone = lost(tokens, self.labels.expand_as(tokens), 9)
        halt = torch.stack((torch.full((len(tokens),), -5.0), torch.where(gone, 5.0, -5.0)), -1)
        return state, Prediction(logits_for(torch.zeros(len(tokens), 81, 9)), halt)


def test_a_guess_that_lost_the_solution_is_taken_back_and_ruled_out() -> None:
    open_cells = SOLUTION.copy()
    open_cells[0, :5] = 0
    task, model = TASK, Scripted(SOLUTION)
    rows = iter([Question("a", task.encode(open_cells), noise=1.0, seed=3)])

    def accept(key: str, tokens: np.ndarray) -> bool:
        return bool((task.decode(tokens, (9, 9)) == SOLUTION).all())

    steps = [s for s in refine(model, rows, accept, batch_size=1, max_cycles=400) if s is not None]
    assert steps[-1].last and accept("a", steps[-1].tokens)
    left = [int(step.lattice.sum()) for step in steps if step.lattice is not None]
    assert any(after > before for before, after in itertools.pairwise(left)), (
        "never took a guess back"
    )
    truth = task.encode(SOLUTION) == 1
    assert all(step.lattice[truth].all() for step in steps[-1:] if step.lattice is not None)


def test_a_row_that_says_it_is_done_when_it_is_not_goes_on_if_it_may_guess() -> None:
    torch.manual_seed(0)
    model = TinyRecursiveModel(SMALL)
    with torch.no_grad():
        assert model.q_head.bias is not None
        model.q_head.bias.copy_(torch.tensor([5.0, -5.0]))  # always says that it is done
    for noise, cycles in ((0.0, 1), (0.5, 6)):
        given = iter([Question("a", TASK.encode(PUZZLE), noise)])
        steps = [
            step
            for step in refine(model, given, lambda *_: False, batch_size=1, max_cycles=6)
            if step
        ]
        assert len(steps) == cycles


def test_searches_differ_in_how_certain_they_must_be() -> None:
    bounds = [Search(0.5, Chance(seed)).certain for seed in range(50)]
    assert min(bounds) < 0.01 < 0.05 < max(bounds) <= LOOSEST
    assert Search(0.0, Chance(0)).certain == CERTAIN


def test_a_search_must_be_most_certain_in_its_first_cycle() -> None:
    search = Search(0.0, Chance(0))
    thresholds = [search.next_threshold() for _ in range(3)]
    assert thresholds == [CERTAIN * FIRST_CYCLE, CERTAIN, CERTAIN] and FIRST_CYCLE < 1


def test_a_row_s_lattice_shrinks_and_does_not_depend_on_its_neighbours() -> None:
    torch.manual_seed(1)
    model = TinyRecursiveModel(SMALL).eval()

    def run(noise: float, batch_size: int) -> dict[str, list[np.ndarray]]:
        rows = iter(
            [
                Question(k, TASK.encode(PUZZLE), noise, seed)
                for k, seed in (("a", 1), ("b", 2), ("c", 1))
            ]
        )
        seen: dict[str, list[np.ndarray]] = {"a": [], "b": [], "c": []}
        for step in refine(
            model, rows, lambda *_: False, batch_size=batch_size, max_cycles=6, stop_early=False
        ):
            if step is not None:
                assert step.lattice is not None
                seen[step.key].append(step.lattice)
        return seen

    alone, together = run(1.0, 1), run(1.0, 3)
    for key in alone:
        assert (np.stack(alone[key]) == np.stack(together[key])).all()
        assert (
            np.diff(np.stack(alone[key]), axis=0) <= 0
        ).all()  # an untrained network never says that it is lost
    assert (alone["a"][-1] == alone["c"][-1]).all() and (alone["a"][-1] != alone["b"][-1]).any()


def test_the_solver_shows_candidates_disappear_in_the_puzzle_s_own_frame() -> None:
    torch.manual_seed(2)
    solver = Solver(
        TASK, TinyRecursiveModel(SMALL).eval(), Placement(CPU, torch.float32, ""), Effort(4, 3, 1)
    )
    cycles: list[Cycle] = []
    (answer,) = solver.solve_all([Puzzle(PUZZLE)], cycles.append)
    assert isinstance(answer, Answer) and len(cycles) == answer.cycles
    clues = PUZZLE > 0
    for before, cycle in zip([None, *cycles], cycles, strict=False):
        assert cycle.candidates is not None and cycle.candidates.shape == (9, 9, 9)
        assert (cycle.candidates[clues].sum(-1) == 1).all() and (
            cycle.candidates[clues].argmax(-1) + 1 == PUZZLE[clues]
        ).all()
        assert (
            cycle.candidates.any(-1).all() and not cycle.faulty[cycle.candidates.sum(-1) > 1].any()
        )
        if before is not None and before.view == cycle.view:
            assert before.candidates is not None and (cycle.candidates <= before.candidates).all()
            assert ((cycle.candidates != before.candidates).any(-1) == cycle.changed).all()
    assert (answer.grid > 0).all()


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"candidates": 1}, "does not go with"),
        ({"mixer": "conv"}, "does not go with"),
        ({"vocab_size": 3}, "has 2 tokens"),
        ({"seq_len": 81}, "does not tile"),
        ({"halt_from": "last"}, "halt_from must be"),
        ({"update_noise": -1}, "update_noise must be"),
        ({"inner_multiple": 0}, "inner_multiple must be"),
    ],
)
def test_configs_that_contradict_themselves_are_refused(
    change: dict[str, object], problem: str
) -> None:
    with pytest.raises(ValueError, match=problem):
        replace(SMALL, **change)


def test_keep_logits_are_the_odds_of_keeping() -> None:
    logits = torch.randn(2, 729, 2)
    torch.testing.assert_close(
        torch.sigmoid(keep_logits(logits, 9)).flatten(1), logits.softmax(-1)[..., 1]
    )
