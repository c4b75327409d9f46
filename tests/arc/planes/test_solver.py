"""From tasks to two attempts each: in order, and from weights that stay as they are."""

import json
import os
from collections.abc import Iterator
from dataclasses import replace
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from tests.support.arc_tasks import drawn_task
from tests.support.planes import PLANES, network
from trmsolve.arc.adaptation import Budget
from trmsolve.arc.paper.solver import PaperSolver
from trmsolve.arc.planes import solver as planes_solver
from trmsolve.arc.planes.adapt import Adapted, Adapter
from trmsolve.arc.planes.canvas import canvas_of
from trmsolve.arc.planes.predict import Question, predict
from trmsolve.arc.planes.solver import PlanesSolver
from trmsolve.arc.read import read_path
from trmsolve.arc.solver import BUDGET_CPU, load_arc
from trmsolve.arc.submission import read_submission, submission_of, write_submission
from trmsolve.arc.task import ATTEMPTS, AdaptationProgress, ArcAnswer, ArcCycle, ArcTask
from trmsolve.device import Placement
from trmsolve.errors import PuzzleError, UsageError, WeightsError
from trmsolve.model.config import TRMConfig
from trmsolve.model.network import Prediction, TinyRecursiveModel
from trmsolve.weights.file import load_model, read_info, save_weights
from trmsolve.weights.info import WeightsInfo

pytestmark = pytest.mark.usefixtures("one_thread")

CPU = torch.device("cpu")
SMALL = replace(PLANES, latent_steps=1)
A, B, C = (drawn_task(name, n, seed=n, tests=n) for n, name in enumerate("abc", 1))
BAD = PuzzleError("no task", "bad.json")


def saved(path: Path, config: TRMConfig = SMALL, task: str = "arc") -> Path:
    torch.manual_seed(0)
    model = network(config) if config.mixer == "planes" else TinyRecursiveModel(config)
    save_weights(path, model.state_dict(), WeightsInfo(config, task), torch.float32)
    return path


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return saved(tmp_path_factory.mktemp("weights") / "arc.safetensors")


def solver(weights: Path, **how: Any) -> PlanesSolver:
    loaded = load_arc(
        weights=weights, device="cpu", dtype="fp32", **{"steps": 2, "cycles": 2, **how}
    )
    assert isinstance(loaded, PlanesSolver)
    return loaded


def answered(outcomes: Iterator[ArcAnswer | PuzzleError]) -> list[ArcAnswer]:
    found = list(outcomes)
    assert all(isinstance(outcome, ArcAnswer) for outcome in found)
    return [outcome for outcome in found if isinstance(outcome, ArcAnswer)]


def grids(answers: list[ArcAnswer]) -> list[Any]:
    return [
        [[(one.grid.tolist(), one.votes, one.halt) for one in found] for found in answer.candidates]
        for answer in answers
    ]


@pytest.fixture
def copies(monkeypatch: pytest.MonkeyPatch, weights: Path) -> list[TinyRecursiveModel]:
    """Three different copies, as if the learning of every task had kept so many."""
    models = [network(SMALL, seed) for seed in (1, 2, 3)]

    def adapt(self: Adapter) -> Adapted:
        ended = [AdaptationProgress(task, 5, 1.0, 2.0, 0.5, "budget") for task in self.tasks]
        return Adapted(models, [canvas_of(task) for task in self.tasks], ended)

    monkeypatch.setattr(Adapter, "adapt", adapt)
    return models


# --- the order, and how many at once


@pytest.mark.parametrize("batch", [1, 2, 3, 9])
def test_there_is_an_outcome_for_everything_in_its_order(weights: Path, batch: int) -> None:
    items: list[ArcTask | PuzzleError] = [BAD, A, BAD, BAD, B, C, A]
    outcomes = list(solver(weights, batch=batch, steps=1, cycles=1).solve_all(items))
    assert [one if isinstance(one, PuzzleError) else one.task for one in outcomes] == items


def test_nothing_is_asked_and_nothing_answered(weights: Path) -> None:
    assert list(solver(weights).solve_all([])) == []
    assert list(solver(weights).solve_all([BAD])) == [BAD]


def test_tasks_are_taken_when_they_are_due_and_not_before(weights: Path) -> None:
    taken = list[str]()

    def stream() -> Iterator[ArcTask]:
        for task in (A, B, C):
            taken.append(task.name)
            yield task

    for batch, expected in ((1, ["a"]), (2, ["a", "b"])):
        taken.clear()
        next(solver(weights, batch=batch).solve_all(stream()))
        assert taken == expected


def test_tasks_that_are_learned_together_say_so(weights: Path) -> None:
    seen = list[AdaptationProgress]()
    answers = answered(solver(weights, batch=2, steps=3).solve_all([A, B, C], seen.append))
    assert [one.task.name for one in seen] == ["a", "b"] * 4 + ["c"] * 4
    assert [one.step for one in seen] == [1, 1, 2, 2, 3, 3, 3, 3, 1, 2, 3, 3]
    assert [answer.adapting for answer in answers] == [seen[6], seen[7], seen[11]]


# --- what an answer holds


@pytest.mark.parametrize("views", [1, 3, 8, None])
def test_every_test_has_two_attempts_and_every_view_of_every_copy_a_vote(
    weights: Path, copies: list[TinyRecursiveModel], views: int | None
) -> None:
    for answer in answered(solver(weights, views=views).solve_all([A, C])):
        assert answer.views == 3 * (views or 8)
        assert len(answer.candidates) == len(answer.task.tests)
        for test, found in enumerate(answer.candidates):
            assert found and len(answer.attempts(test)) == ATTEMPTS
            votes = [one.votes for one in found]
            empty = answer.views - sum(votes)
            assert votes == sorted(votes, reverse=True) and 0 <= empty < answer.views
            assert all(0 <= one.halt <= 1 for one in found)
        assert answer.steps == ()


def test_copies_are_asked_with_the_row_and_canvas_of_their_task(
    weights: Path, copies: list[TinyRecursiveModel], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def noted(model: TinyRecursiveModel, question: Question, **how: Any) -> Any:
        asked.append(
            (
                copies.index(model),
                question.canvas,
                question.pair,
                question.puzzle,
                how["cycles"],
                list(how["symmetries"]),
            )
        )
        return predict(model, question, **how)

    monkeypatch.setattr(planes_solver, "predict", noted)
    answered(solver(weights, batch=2, views=2).solve_all([B, A]))
    expected = [
        (copy, canvas_of(task), test, row, 2, [0, 1])
        for row, task in enumerate((B, A))
        for test in task.tests
        for copy in range(3)
    ]
    assert asked == expected


def test_cycles_are_those_of_all_views_of_all_copies(
    weights: Path, copies: list[TinyRecursiveModel]
) -> None:
    for copy in copies:
        torch.nn.init.zeros_(copy.q_head.weight)
    (answer,) = answered(
        solver(weights, cycles=5, views=3).solve_all([B])
    )  # nobody halts, at a bias of -5
    assert answer.cycles == 2 * 3 * 3 * 5
    for copy in copies:
        torch.nn.init.constant_(copy.q_head.bias, 1.0)  # type: ignore[arg-type]
    (answer,) = answered(solver(weights, cycles=5, views=3).solve_all([B]))
    assert answer.cycles == 2 * 3 * 3


def test_one_view_of_the_last_copy_is_shown_cycle_after_cycle(
    weights: Path, copies: list[TinyRecursiveModel]
) -> None:
    torch.nn.init.zeros_(copies[-1].q_head.weight)
    seen = list[ArcCycle]()
    list(solver(weights, cycles=3, views=2).solve_all([B], on_cycle=seen.append))
    assert [(one.test, one.number) for one in seen] == [
        (0, 1),
        (0, 2),
        (0, 3),
        (1, 1),
        (1, 2),
        (1, 3),
    ]
    assert {(one.task, one.limit, one.view, one.views) for one in seen} == {(B, 3, 1, 2)}
    for test in (0, 1):
        frames = predict(
            copies[-1], Question(B.tests[test], canvas_of(B)), cycles=3, symmetries=[0, 1]
        )
        shown = seen[3 * test + 2]
        assert np.array_equal(shown.grid, frames[0].grid) and shown.halt == frames[0].halt
        assert shown.confidence.shape == shown.grid.shape


@pytest.mark.parametrize("which", [0, 2])
def test_steps_are_those_of_the_first_view_that_found_the_first_attempt(
    weights: Path, copies: list[TinyRecursiveModel], which: int
) -> None:
    """Whichever copy it is: here one that repeats its input, beside two that say nothing."""
    for number, copy in enumerate(copies):
        copy.lm_head.weight.zero_()
        copy.cycle = repeats(copy) if number == which else copy.cycle  # type: ignore[method-assign]
    answer, *_ = answered(solver(weights, cycles=3, keep_steps=True).solve_all([C]))
    for test, cycles in groupby(answer.steps, key=lambda one: one.test):
        shown = list(cycles)
        assert [one.number for one in shown] == [1, 2, 3] and {
            (one.view, one.views) for one in shown
        } == {(2, 8)}
        assert np.array_equal(shown[-1].grid, answer.attempts(test)[0])
        assert np.array_equal(shown[-1].grid, C.tests[test].input)
        for one in shown:
            assert one.grid.shape == one.confidence.shape and one.confidence.dtype == np.float32
    assert [test for test, _ in groupby(one.test for one in answer.steps)] == [0, 1, 2]


def repeats(model: TinyRecursiveModel) -> Any:
    """The input from the second view on; the first view says something else."""

    def cycle(state: Any, batch: Any) -> Any:
        logits = 9.0 * (batch.tokens.flatten(1)[:, :, None] == batch.palette[:, None])
        logits[batch.symmetries == 0] = 0
        return state, Prediction(logits, torch.full((len(logits), 2), -1.0))

    return cycle


# --- being stopped


@pytest.mark.parametrize("batch", [1, 2])
def test_a_stop_answers_what_is_under_way_and_begins_nothing(weights: Path, batch: int) -> None:
    stopped, taken = [False], list[str]()

    def stream() -> Iterator[ArcTask]:
        for task in (A, B, C):
            taken.append(task.name)
            yield task

    def learning(adapting: AdaptationProgress) -> None:
        stopped[0] = True

    outcomes = list(
        solver(weights, batch=batch, steps=150).solve_all(
            stream(), learning, None, lambda: stopped[0]
        )
    )
    assert (
        taken
        == [task.name for task in (A, B)[:batch]]
        == [one.task.name for one in answered(iter(outcomes))]
    )
    for answer in answered(iter(outcomes)):
        assert answer.adapting is not None and answer.adapting.ended == "interrupted"
        assert all(len(answer.attempts(test)) == 2 for test in range(len(answer.task.tests)))
    assert list(solver(weights).solve_all([A, BAD], stop=lambda: True)) == []


# --- the same again


def test_the_same_seed_and_steps_give_the_same_answers(weights: Path) -> None:
    first, again = (
        grids(answered(solver(weights, steps=6, seed=5).solve_all([A, B]))) for _ in "12"
    )
    other = grids(answered(solver(weights, steps=6, seed=6).solve_all([A, B])))
    alone = grids(answered(solver(weights, steps=6, seed=5).solve_all([B])))
    assert first == again != other
    assert first[1:] == alone  # whatever came before


def test_the_weights_and_the_network_stay_as_they_are(weights: Path) -> None:
    before, loaded = weights.read_bytes(), solver(weights, steps=4)
    tensors = {name: tensor.clone() for name, tensor in loaded.model.state_dict().items()}
    list(loaded.solve_all([A, B]))
    assert weights.read_bytes() == before
    assert all(
        torch.equal(tensor, tensors[name]) for name, tensor in loaded.model.state_dict().items()
    )


# --- what is kept


def test_what_was_adapted_is_kept_and_loads_again(
    weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    adapted = list[Adapted]()
    adapt = Adapter.adapt

    def noted(self: Adapter) -> Adapted:
        adapted.append(adapt(self))
        return adapted[-1]

    monkeypatch.setattr(Adapter, "adapt", noted)
    before, path = weights.read_bytes(), tmp_path / "kept.safetensors"
    kept = solver(weights, save_adapted=path, seed=4)
    list(kept.solve_all([A]))
    assert weights.read_bytes() == before
    info = read_info(path)
    assert info.task == "arc" and info.config == replace(SMALL, num_puzzles=1)
    assert info.training == {"adapted_from": kept.weights, "tasks": ["a"], "seed": 4}
    again, last = load_model(path, "arc", torch.float32, CPU), adapted[0].models[-1].state_dict()
    assert all(torch.equal(tensor, last[name]) for name, tensor in again.state_dict().items())
    assert [
        frame.halt for frame in predict(again, Question(A.tests[0], canvas_of(A)), cycles=2)
    ] == [
        frame.halt
        for frame in predict(adapted[0].models[-1], Question(A.tests[0], canvas_of(A)), cycles=2)
    ]
    answered(solver(path).solve_all([A]))


def test_what_is_loaded_says_what_it_is(weights: Path) -> None:
    loaded = solver(weights, budget=7.5, steps=None)
    assert loaded.budget == 7.5 and loaded.options.budget == Budget(7.5) and not loaded.compiled
    assert loaded.weights.startswith("arc.safetensors@") and len(loaded.weights.split("@")[1]) == 12
    assert loaded.placement.reason == "cpu (as requested, 1 threads), fp32 (as requested)"
    assert loaded.model.dtype == torch.float32 and len(loaded.symmetries) == 8
    assert solver(weights, steps=None).budget == BUDGET_CPU
    assert solver(weights.parent).weights == loaded.weights  # a run's folder


def test_bf16_answers_too(weights: Path) -> None:
    narrow = load_arc(weights=weights, device="cpu", dtype="bf16", steps=2, cycles=1)
    assert isinstance(narrow, PlanesSolver) and narrow.model.dtype == torch.bfloat16
    assert len(answered(narrow.solve_all([A]))) == 1


def test_compiling_is_for_budgets_that_are_worth_it(
    weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        planes_solver, "choose_compiled", lambda wanted, device, worthwhile: worthwhile
    )
    made = [
        solver(weights, budget=budget, steps=steps).compiled
        for budget, steps in ((5, None), (300, 5), (5, 9000))
    ]
    assert made == [False, False, True] and solver(weights, budget=300, steps=None).compiled


# --- what cannot be done


@pytest.mark.parametrize(
    ("how", "message"),
    [
        ({"budget": 0}, "budget must be above 0, not 0"),
        ({"budget": -1.0}, "budget must be above 0, not -1.0"),
        ({"budget": float("nan")}, "budget must be above 0, not nan"),
        ({"budget": float("inf")}, "budget must be above 0, not inf"),
        ({"steps": 0}, "steps must be above 0, not 0"),
        ({"views": 9}, "views must be from 1 to 8, the symmetries of the square, not 9"),
        ({"views": 0}, "views must be an integer of at least 1, not 0"),
        ({"cycles": 0}, "cycles must be an integer of at least 1, not 0"),
        ({"batch": 0}, "batch_size must be an integer of at least 1, not 0"),
        ({"seed": -1}, "seed must be an integer of at least 0, not -1"),
        (
            {"batch": 2, "save_adapted": Path("x")},
            "save_adapted saves one network: adapt one task at a time",
        ),
        ({"device": "abacus"}, "--device abacus is not known"),
    ],
)
def test_options_that_make_no_sense_are_refused(
    weights: Path, how: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        load_arc(**{"weights": weights, "device": "cpu", "dtype": "fp32", **how})


def test_the_weights_are_not_replaced_by_what_is_kept(weights: Path, tmp_path: Path) -> None:
    linked = tmp_path / "linked.safetensors"
    linked.symlink_to(weights)
    for path in (weights, linked, weights.parent / ".." / weights.parent.name / weights.name):
        with pytest.raises(UsageError, match="would replace the weights"):
            load_arc(weights=weights, device="cpu", save_adapted=path)


OTHER_SYMBOLS = replace(SMALL, vocab_size=6, puzzle_emb_dim=7 * 16)
SMALL_BOARD = replace(SMALL, board=(10, 10, 1, 1), seq_len=100)
FLAT = TRMConfig(
    vocab_size=11, seq_len=81, hidden_size=16, num_heads=2, layers=1, recursions=1, latent_steps=1
)


@pytest.mark.parametrize(
    ("config", "task", "message"),
    [
        (SMALL, "maze", "was trained for maze, not for arc"),
        (FLAT, "sudoku", "was trained for sudoku, not for arc"),
        (OTHER_SYMBOLS, "arc", "does not fit ARC"),
        (SMALL_BOARD, "arc", "does not fit ARC"),
        (replace(SMALL, symmetries=4), "arc", "does not fit ARC"),
    ],
)
def test_weights_for_something_else_are_refused(
    tmp_path: Path, config: TRMConfig, task: str, message: str
) -> None:
    path = saved(tmp_path / "odd.safetensors", config, task)
    with pytest.raises(WeightsError, match=message):
        load_arc(weights=path, device="cpu")


def test_weights_that_are_missing_or_damaged_are_told(weights: Path, tmp_path: Path) -> None:
    (tmp_path / "cut.safetensors").write_bytes(weights.read_bytes()[:-100])
    (tmp_path / "folder").mkdir()
    for name, message in (
        ("nowhere", "no weights at"),
        ("cut.safetensors", "is not usable as weights"),
        ("folder", "contains no arc.safetensors"),
    ):
        with pytest.raises(WeightsError, match=message):
            load_arc(weights=tmp_path / name, device="cpu")


def test_weights_in_the_papers_form_have_a_solver_of_their_own(tmp_path: Path) -> None:
    config = TRMConfig(
        vocab_size=12,
        seq_len=900,
        hidden_size=16,
        num_heads=2,
        layers=1,
        recursions=1,
        latent_steps=1,
        puzzle_emb_dim=16,
        prefix_len=1,
        num_puzzles=3,
    )
    path = saved(tmp_path / "arc.safetensors", config)
    assert isinstance(load_arc(weights=path, device="cpu", steps=1), PaperSolver)
    refused: tuple[dict[str, Any], ...] = ({"batch": 2}, {"save_adapted": tmp_path / "kept"})
    for how in refused:
        with pytest.raises(
            UsageError, match="is a network as in the paper: it takes one task at a time and cannot"
        ):
            load_arc(weights=path, device="cpu", **how)


# --- the public sets


SETS = ("arc-agi_evaluation", "arc-agi_evaluation2")


@pytest.mark.skipif(
    "TRMSOLVE_ARC_DATA" not in os.environ,
    reason="TRMSOLVE_ARC_DATA names no folder of the public sets",
)
@pytest.mark.parametrize(("name", "number"), [(SETS[0], 400), (SETS[1], 120)])
def test_every_task_of_the_public_sets_is_read_learned_answered_and_submitted(
    tmp_path: Path, name: str, number: int
) -> None:
    """Two steps of a network that knows nothing: what is asked is that nothing on the way fails."""
    folder = Path(os.environ["TRMSOLVE_ARC_DATA"])
    challenges, solutions = (folder / f"{name}_{kind}.json" for kind in ("challenges", "solutions"))
    items = list(read_path(str(challenges), str(solutions)))
    tasks = [item for item in items if isinstance(item, ArcTask)]
    assert len(tasks) == len(items) == len(json.loads(challenges.read_bytes())) == number
    tiny = replace(
        PLANES,
        hidden_size=8,
        latent_steps=1,
        inner_multiple=8,
        puzzle_emb_dim=12 * 8,
        num_puzzles=1,
    )
    placement = Placement(CPU, torch.float32, "")
    answers, outgrown = list[ArcAnswer](), list[str]()
    quick = PlanesSolver(network(tiny), placement, Budget(60.0, 2), cycles=1)
    for outcome in quick.solve_all(tasks):
        assert isinstance(outcome, ArcAnswer)
        answers.append(outcome)
        task, canvas, with_answers = (
            outcome.task,
            canvas_of(outcome.task),
            canvas_of(outcome.task, answers=True),
        )
        assert outcome.adapting is not None and (outcome.adapting.step, outcome.adapting.ended) == (
            2,
            "steps",
        )
        assert np.isfinite(outcome.adapting.loss)
        assert [len(outcome.attempts(test)) for test in range(len(task.tests))] == [2] * len(
            task.tests
        )
        assert all(
            max(grid.shape) <= canvas.side
            for test in range(len(task.tests))
            for grid in outcome.attempts(test)
        )
        if with_answers.side > canvas.side or set(with_answers.palette) > set(canvas.palette):
            outgrown.append(task.name)
    path = tmp_path / "submission.json"
    write_submission(path, answers)
    kept = read_submission(str(path))
    assert {name: len(tests) for name, tests in kept.items()} == {
        task.name: len(task.tests) for task in tasks
    }
    assert kept.keys() == submission_of(answers).keys()
    # Answers that no canvas guessed from the demonstrations holds: these tasks cannot be solved so.
    assert len(outgrown) <= number // 50, outgrown
