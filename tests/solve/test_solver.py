"""Refining, halting, views and order, with small networks and with scripted ones."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor

from trmsolve.device import Placement
from trmsolve.errors import PuzzleError, UsageError
from trmsolve.model.config import TRMConfig
from trmsolve.model.network import Prediction, State, TinyRecursiveModel
from trmsolve.puzzles.base import Diagnosis
from trmsolve.puzzles.registry import get_task
from trmsolve.puzzles.sudoku.search import solutions
from trmsolve.puzzles.values import Answer, Cycle, Puzzle
from trmsolve.solve.effort import Effort
from trmsolve.solve.refine import Question, Step, refine
from trmsolve.solve.solver import Solver
from trmsolve.solve.stream import LOOK_AHEAD, Run

CPU = Placement(torch.device("cpu"), torch.float32, "test")
SUDOKU = get_task("sudoku")
CONFIG = TRMConfig(
    vocab_size=11,
    seq_len=81,
    hidden_size=32,
    recursions=1,
    latent_steps=1,
    mixer="mlp",
    positions="none",
    board=(9, 9, 3, 3),
)


class Scripted(TinyRecursiveModel):
    """Solves every puzzle at the cycle that its number of clues, modulo 7, says."""

    def __init__(self, solve_at: int | None = None, halt_at: int | None = None) -> None:
        super().__init__(CONFIG)
        self.solve_at, self.halt_at = solve_at, halt_at
        self.batches: list[int] = []

    def initial_state(
        self,
        batch: int,
        spatial_shape: tuple[int, ...] | None = None,
    ) -> State:
        zeros = torch.zeros(batch, 81, 32)
        return State(zeros, zeros.clone())

    def forward(
        self, state: State, tokens: Tensor, puzzle_ids: Tensor | None = None
    ) -> tuple[State, Prediction]:
        self.batches.append(len(tokens))
        cycles = state.y[:, 0, 0] + 1
        logits = torch.zeros(len(tokens), 81, 11)
        for row, (question, cycle) in enumerate(zip(tokens, cycles.int().tolist(), strict=True)):
            solve_at = (
                self.solve_at if self.solve_at is not None else int((question > 1).sum()) % 7 + 1
            )
            said = question if cycle < solve_at else solved(question)
            logits[row].scatter_(1, said[:, None], 5.0)
        halts = (
            cycles >= self.halt_at
            if self.halt_at is not None
            else torch.zeros(len(tokens), dtype=torch.bool)
        )
        halt = torch.where(halts, 3.0, -3.0)[:, None].expand(-1, 2)
        return State(state.y + 1, state.z), Prediction(logits, halt)


def solved(tokens: Tensor) -> Tensor:
    answer = next(solutions(SUDOKU.decode(tokens.numpy(), (9, 9))), None)
    return tokens if answer is None else torch.from_numpy(SUDOKU.encode(answer))


def solver(model: TinyRecursiveModel, **effort: Any) -> Solver:
    return Solver(
        SUDOKU,
        model,
        CPU,
        Effort(**{"cycles": 8, "views": 3, "batch_size": 4, "noise": 0.0, **effort}),
        "test",
    )


def some_puzzles(number: int, difficulty: str = "medium") -> list[Puzzle]:
    return [
        replace(p, source=f"f:{i}")
        for i, p in enumerate(islice(SUDOKU.generate(difficulty, 3), number))
    ]


def ask(tokens: list[int]) -> Iterator[Question]:
    return (Question(key, np.full(81, key % 9 + 2)) for key in tokens)


def never(key: int, tokens: NDArray[np.int64]) -> bool:
    return False


def test_rows_leave_when_accepted_and_waiting_ones_take_their_place() -> None:
    model = Scripted(solve_at=99)
    seen: dict[int, int] = {}

    def accept(key: int, tokens: NDArray[np.int64]) -> bool:
        seen[key] = seen.get(key, 0) + 1
        return seen[key] == key % 3 + 1

    steps = list(refine(model, ask(list(range(10))), accept, batch_size=4, max_cycles=16))
    assert {step.key: step.number for step in steps if step.last} == {
        key: key % 3 + 1 for key in range(10)
    }
    assert max(model.batches) == 4 and model.batches[:3] == [4, 4, 4]
    assert sum(model.batches) == sum(key % 3 + 1 for key in range(10))  # no row runs for nothing
    assert [step.number for step in steps if step.key == 2] == [1, 2, 3]


def test_rows_stop_at_the_limit_or_when_the_model_halts() -> None:
    at_limit = list(refine(Scripted(99), ask([0]), never, batch_size=1, max_cycles=5))
    assert [step.last for step in at_limit] == [False] * 4 + [True]
    halting = list(refine(Scripted(99, halt_at=2), ask([0]), never, batch_size=1, max_cycles=5))
    assert len(halting) == 2 and halting[-1].halt > 0.5 > halting[0].halt
    full = list(
        refine(
            Scripted(1, halt_at=2),
            ask([0]),
            lambda *_: True,
            batch_size=1,
            max_cycles=5,
            stop_early=False,
        )
    )
    assert len(full) == 5


def test_a_row_refined_in_a_changing_batch_is_as_if_alone() -> None:
    torch.manual_seed(0)
    model = TinyRecursiveModel(CONFIG)
    rows = np.random.default_rng(0).integers(1, 11, (7, 81))
    counts: dict[int, int] = {}

    def accept(key: int, tokens: NDArray[np.int64]) -> bool:
        counts[key] = counts.get(key, 0) + 1
        return counts[key] > key  # row 0 leaves at once, row 6 stays seven cycles

    def run(keys: list[int], size: int) -> dict[int, list[Step]]:
        counts.clear()
        steps: dict[int, list[Step]] = {}
        for step in refine(
            model, (Question(k, rows[k]) for k in keys), accept, batch_size=size, max_cycles=9
        ):
            steps.setdefault(step.key, []).append(step)
        return steps

    together = run(list(range(7)), 3)
    for key in range(7):
        (alone,) = run([key], 1).values()
        assert len(alone) == len(together[key]) == key + 1
        for a, b in zip(alone, together[key], strict=True):
            np.testing.assert_allclose(a.confidence, b.confidence, rtol=1e-4)


def test_noise_follows_the_row_s_own_seed() -> None:
    torch.manual_seed(0)

    def confidences(
        model: TinyRecursiveModel, seed: int, noise: float, beside: int
    ) -> list[NDArray[np.float32]]:
        questions = [
            Question(key, np.full(81, 3), noise, seed if key == 0 else 99)
            for key in range(beside + 1)
        ]
        steps = refine(model, iter(questions), never, batch_size=4, max_cycles=2)
        return [step.confidence for step in steps if step is not None and step.key == 0]

    fixed = TinyRecursiveModel(CONFIG)
    first, again, other = (
        confidences(fixed, seed, 0.3, beside) for seed, beside in ((1, 0), (1, 3), (2, 0))
    )
    np.testing.assert_allclose(first, again, rtol=1e-4)
    assert not np.allclose(first[-1], other[-1])
    still = confidences(fixed, 1, 0.0, 0)
    assert np.array_equal(still, confidences(fixed, 2, 0.0, 0))
    assert np.array_equal(
        still[0], confidences(fixed, 1, 0.3, 0)[0]
    )  # noise comes after the first cycle


def test_the_first_view_is_never_disturbed() -> None:
    torch.manual_seed(0)
    model, (puzzle,) = TinyRecursiveModel(CONFIG), some_puzzles(1)
    grids: list[list[bytes]] = []
    for noise in (0.0, 5.0):
        frames: list[Cycle] = []
        quiet = Solver(SUDOKU, model, CPU, Effort(4, 2, 1, noise=noise), "test")
        list(quiet.solve_all([puzzle], frames.append))
        grids.append([frame.grid.tobytes() for frame in frames])
    assert grids[0][:4] == grids[1][:4] and grids[0][4:] != grids[1][4:]


def test_confidence_is_the_probability_of_the_decoded_token() -> None:
    step = next(refine(Scripted(99), ask([3]), never, batch_size=1, max_cycles=1))
    assert step.tokens.tolist() == [5] * 81
    np.testing.assert_allclose(step.confidence, np.exp(5) / (np.exp(5) + 10), rtol=1e-5)


def test_answers_come_in_order_whatever_the_cycles() -> None:
    puzzles = some_puzzles(23)
    bad = PuzzleError("broken", "f", 99)
    items = [*puzzles[:5], bad, *puzzles[5:]]
    model = Scripted()
    outcomes = list(solver(model).solve_all(items))
    assert outcomes[5] is bad
    answers = [outcome for outcome in outcomes if isinstance(outcome, Answer)]
    assert [answer.puzzle.source for answer in answers] == [p.source for p in puzzles]
    for answer in answers:
        assert answer.verified and np.array_equal(answer.grid, answer.puzzle.answer)
        assert answer.views == 1 and answer.cycles == int((answer.puzzle.grid > 0).sum()) % 7 + 1
    assert max(model.batches) == 4
    full = [size for size in model.batches if size == 4]
    assert len(full) >= len(model.batches) - 8  # thinner only when nothing waits any more


def test_answers_are_told_at_once_and_given_in_order() -> None:
    puzzles = some_puzzles(12)
    told: list[Answer] = []
    given = [
        o
        for o in solver(Scripted()).solve_all(puzzles, on_answer=told.append)
        if isinstance(o, Answer)
    ]
    assert sorted(map(id, told)) == sorted(map(id, given))
    assert [a.puzzle for a in told] != [a.puzzle for a in given] == puzzles


def test_further_views_are_tried_and_counted() -> None:
    class SecondView(Scripted):
        """Solves only what it has not seen as given."""

        def forward(
            self, state: State, tokens: Tensor, puzzle_ids: Tensor | None = None
        ) -> tuple[State, Prediction]:
            self.solve_at = 99 if np.array_equal(tokens[0].numpy(), given) else 2
            return super().forward(state, tokens, puzzle_ids)

    (puzzle,) = some_puzzles(1)
    given = SUDOKU.encode(puzzle.grid)
    cycles = []
    (answer,) = solver(SecondView()).solve_all([puzzle], cycles.append)
    assert isinstance(answer, Answer) and answer.verified
    assert (answer.views, answer.cycles) == (2, 10)
    assert [(c.view, c.number) for c in cycles] == [(1, n) for n in range(1, 9)] + [(2, 1), (2, 2)]
    assert np.array_equal(cycles[-1].grid, puzzle.answer)  # the view is undone
    assert np.array_equal(cycles[8].grid, puzzle.grid)
    (unsolved,) = solver(SecondView(), views=1).solve_all([puzzle])
    assert isinstance(unsolved, Answer) and not unsolved.verified and unsolved.views == 1


class SolvesViews(Scripted):
    """Solves a puzzle under some views, each at a cycle of its own."""

    def __init__(self, puzzle: Puzzle, cycle_of_view: dict[int, int]) -> None:
        super().__init__(99)
        self.cycle_of_view = cycle_of_view
        given = SUDOKU.encode(puzzle.grid)
        views = islice(SUDOKU.views(puzzle, np.random.default_rng((0, 0))), 32)
        self.number = {view.apply(given).tobytes(): n for n, view in enumerate(views, 1)}
        self.asked: list[set[int]] = []
        """The views of each batch."""

    def forward(
        self, state: State, tokens: Tensor, puzzle_ids: Tensor | None = None
    ) -> tuple[State, Prediction]:
        numbers = [self.number[row.numpy().tobytes()] for row in tokens]
        self.asked.append(set(numbers))
        parts = []
        for row, number in enumerate(numbers):
            self.solve_at = self.cycle_of_view.get(number, 99)
            own = State(state.y[row : row + 1], state.z[row : row + 1])
            parts.append(super().forward(own, tokens[row : row + 1])[1])
        logits = torch.cat([part.logits for part in parts])
        halt = torch.cat([part.halt for part in parts])
        return State(state.y + 1, state.z), Prediction(logits, halt)


@pytest.mark.parametrize(
    "cycle_of_view",
    [
        {2: 3},
        {3: 5, 4: 1},  # the later view is there first
        {4: 8, 3: 8},
        {9: 2},
        {},
    ],
)
def test_views_side_by_side_end_as_one_after_the_other(cycle_of_view: dict[int, int]) -> None:
    (puzzle,) = some_puzzles(1)
    ends = []
    calls = []
    for rows in (1, 32):
        model = SolvesViews(puzzle, cycle_of_view)
        cycles: list[Cycle] = []
        (answer,) = solver(model, views=12, batch_size=rows).solve_all([puzzle], cycles.append)
        assert isinstance(answer, Answer)
        assert len(cycles) == answer.cycles
        shown = [(cycle.view, cycle.number, cycle.grid.tobytes()) for cycle in cycles]
        ends.append((answer.grid.tobytes(), answer.verified, answer.views, answer.cycles, shown))
        calls.append(len(model.asked))
    assert ends[0] == ends[1]
    assert ends[0][2] == min(cycle_of_view, default=12)
    assert calls[1] <= calls[0]
    if answer.views > 2:
        assert calls[1] < calls[0]


def test_ever_more_views_are_tried_side_by_side_until_one_is_verified() -> None:
    (puzzle,) = some_puzzles(1)
    model = SolvesViews(puzzle, {7: 2})
    (answer,) = solver(model, views=32, batch_size=32).solve_all([puzzle])
    assert isinstance(answer, Answer) and answer.views == 7
    assert model.asked == [{1}] * 8 + [{2, 3, 4}] * 8 + [set(range(5, 17))] * 2 + [{5, 6}] * 6


def test_views_are_not_tried_side_by_side_while_puzzles_wait() -> None:
    puzzles = some_puzzles(12)
    model = Scripted(99)
    assert len(list(solver(model, views=2, batch_size=4, cycles=4).solve_all(puzzles))) == 12
    assert max(model.batches) == 4
    assert sum(model.batches) == 12 * 2 * 4, "no view was tried in vain"


def test_large_puzzles_are_tried_one_view_after_the_other() -> None:
    for side, beside in ((9, True), (16, False)):
        puzzle = next(SUDOKU.generate_sized("easy", 3, (side, side)))
        of_any_size = Solver(get_task("sudoku", 2), Scripted(99), CPU, Effort(), "test")
        run = Run(of_any_size, iter([(0, puzzle)]), lambda *_: None)
        questions = run.questions()
        assert next(questions) is not None
        run.under_way[0].tried = 1  # its first view has failed
        assert (next(questions) is not None) == beside


def test_a_network_that_runs_to_its_last_cycle_tries_a_view_again_if_it_lost_the_answer() -> None:
    """Without ``stop_early`` the last cycle counts, in whichever order views are tried."""

    class Forgets(SolvesViews):
        def forward(
            self, state: State, tokens: Tensor, puzzle_ids: Tensor | None = None
        ) -> tuple[State, Prediction]:
            is_late = bool((state.y[:, 0, 0] >= 5).all())
            before = self.cycle_of_view
            self.cycle_of_view = {5: 1} if is_late else {2: 1, 5: 1}
            try:
                return super().forward(state, tokens)
            finally:
                self.cycle_of_view = before

    (puzzle,) = some_puzzles(1)
    for rows in (1, 32):
        model = Forgets(puzzle, {})
        effort = {"views": 8, "batch_size": rows, "stop_early": False}
        (answer,) = solver(model, **effort).solve_all([puzzle])
        assert isinstance(answer, Answer)
        assert (answer.verified, answer.views, answer.cycles) == (True, 5, 40)


def test_an_unverified_answer_is_the_models_own_and_says_why() -> None:
    (puzzle,) = some_puzzles(1)
    (answer,) = solver(Scripted(99)).solve_all([puzzle])
    assert isinstance(answer, Answer) and not answer.verified
    assert np.array_equal(answer.grid, puzzle.grid)  # not a cell was filled by the rules
    assert answer.views == 3 and answer.cycles == 24
    assert "is blank" in answer.reason


def test_the_exact_search_has_no_part_in_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object, **__: object) -> int:
        raise AssertionError("searched")

    torch.manual_seed(0)
    model = TinyRecursiveModel(CONFIG)
    (puzzle,) = some_puzzles(1)
    (before,) = solver(model).solve_all([puzzle])
    monkeypatch.setattr("trmsolve.puzzles.sudoku.search.solutions", broken)
    monkeypatch.setattr("trmsolve.puzzles.sudoku.task.count_solutions", lambda *_, **__: None)
    (after,) = solver(model).solve_all([puzzle])
    assert isinstance(before, Answer) and isinstance(after, Answer)
    assert np.array_equal(before.grid, after.grid)


def test_a_puzzle_without_solution_says_so() -> None:
    (puzzle,) = some_puzzles(1)
    assert puzzle.answer is not None
    row, column = np.argwhere(puzzle.grid == 0)[0]
    for digit in range(1, 10):
        wrong = puzzle.grid.copy()
        wrong[row, column] = digit
        if digit != puzzle.answer[row, column] and not SUDOKU.faults(Puzzle(wrong), wrong)[0].any():
            break
    (answer,) = solver(Scripted(99)).solve_all([Puzzle(wrong)])
    assert isinstance(answer, Answer) and answer.remark == "the puzzle has no solution"
    assert answer.views == 1  # there is nothing to be found under other symmetries


@pytest.mark.parametrize(("views", "searches"), [(1, 0), (3, 1)])
def test_without_remarks_a_puzzle_is_searched_only_for_whether_to_try_on(
    views: int, searches: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    diagnosed: list[Puzzle] = []

    def diagnose(puzzle: Puzzle) -> Diagnosis:
        diagnosed.append(puzzle)
        return Diagnosis(2)

    monkeypatch.setattr(SUDOKU, "diagnose", diagnose)
    puzzles = some_puzzles(1)
    (quiet,) = solver(Scripted(99), views=views, remarks=False).solve_all(puzzles)
    assert isinstance(quiet, Answer)
    assert (quiet.remark, quiet.views) == ("", views)
    assert len(diagnosed) == searches

    (answer,) = solver(Scripted(99), views=views).solve_all(puzzles)
    assert isinstance(answer, Answer)
    assert answer.remark == "the puzzle has more than one solution"
    assert len(diagnosed) == searches + 1


def test_the_stream_is_read_as_needed_and_none_means_wait() -> None:
    puzzles = some_puzzles(6)
    taken: list[int] = []

    def source() -> Iterator[Puzzle | None]:
        for number, puzzle in enumerate(puzzles):
            taken.append(number)
            yield puzzle
            yield None

    outcomes = solver(Scripted(1), batch_size=2).solve_all(source())
    first = next(outcomes)
    assert isinstance(first, Answer) and first.puzzle is puzzles[0]
    assert len(taken) <= 3
    assert [o.puzzle for o in outcomes if isinstance(o, Answer)] == puzzles[1:]


def test_memory_is_bounded_while_an_early_puzzle_is_hard() -> None:
    (puzzle,) = some_puzzles(1)
    taken = 0

    def source() -> Iterator[Puzzle]:
        nonlocal taken
        for _ in range(1000):
            taken += 1
            yield puzzle

    class FirstIsHard(Scripted):
        """The oldest row is never solved, the others at once."""

        def forward(
            self, state: State, tokens: Tensor, puzzle_ids: Tensor | None = None
        ) -> tuple[State, Prediction]:
            new, prediction = super().forward(state, tokens, puzzle_ids)
            prediction.logits[0] = 0
            return new, prediction

    cycles = 2 * LOOK_AHEAD + 50
    first = next(solver(FirstIsHard(1), batch_size=2, views=1, cycles=cycles).solve_all(source()))
    assert isinstance(first, Answer) and first.cycles == cycles
    assert taken == 2 * LOOK_AHEAD


def test_solve_and_refine_take_text() -> None:
    (puzzle,) = some_puzzles(1)
    text = SUDOKU.line(puzzle.grid)
    answer = solver(Scripted(3)).solve(text)
    assert answer.verified and answer.cycles == 3
    frames = list(solver(Scripted(3)).refine(text))
    assert [frame.number for frame in frames] == [1, 2, 3]
    assert frames[-1].violations == 0 and not frames[0].changed.any()
    assert frames[-1].changed.sum() == (puzzle.grid == 0).sum()
    with pytest.raises(PuzzleError, match="text:1"):
        solver(Scripted(3)).solve("12345")


def test_results_do_not_depend_on_the_batch() -> None:
    puzzles = some_puzzles(9)
    torch.manual_seed(0)
    model = TinyRecursiveModel(CONFIG)
    results = [
        [
            o.grid.tobytes()
            for o in solver(model, batch_size=size).solve_all(puzzles)
            if isinstance(o, Answer)
        ]
        for size in (1, 5)
    ]
    assert results[0] == results[1]


def test_evaluate_counts_by_both_protocols() -> None:
    from trmsolve.solve.evaluate import evaluate
    from trmsolve.stats import wilson_interval

    puzzles = [
        replace(p, rating=rating)
        for p, rating in zip(some_puzzles(6), (0, 0, 3, 3, 600, 50), strict=True)
    ]
    figures = evaluate(solver(Scripted(2), views=1, cycles=4), puzzles, "made")
    assert (figures["n"], figures["exact"], figures["verified"], figures["cell"]) == (
        6,
        1.0,
        1.0,
        1.0,
    )
    assert figures["mean_cycles"] == 4.0  # one view: all cycles, as in the paper
    assert list(figures["bands"]) == ["0", "1-7", "32-127", "512+"]
    assert figures["bands"]["1-7"]["n"] == 2
    assert figures["exact_ci95"] == [round(bound, 4) for bound in wilson_interval(6, 6)]
    figures = evaluate(solver(Scripted(2), views=3, cycles=4), puzzles, "made")
    assert figures["mean_cycles"] == 2.0  # several views: the solver stops when verified
    figures = evaluate(solver(Scripted(99), views=1, cycles=4), puzzles, "made")
    assert figures["exact"] == 0.0 and 0 < figures["cell"] < 1
    with pytest.raises(PuzzleError, match="needs puzzles with answers"):
        evaluate(solver(Scripted(2)), [Puzzle(puzzles[0].grid, "f:1")], "made")
    with pytest.raises(PuzzleError, match="broken"):
        evaluate(solver(Scripted(2)), [PuzzleError("broken")], "made")


def test_wilson_interval() -> None:
    from trmsolve.stats import wilson_interval

    low, high = wilson_interval(874, 1000)  # Newcombe 1998, method 3, computed by hand
    assert low == pytest.approx(0.8519, abs=1e-3) and high == pytest.approx(0.8931, abs=1e-3)
    assert wilson_interval(0, 0) == (0.0, 1.0)
    assert wilson_interval(0, 10)[0] == 0.0 and wilson_interval(10, 10)[1] == pytest.approx(1.0)


def test_devices_and_dtypes() -> None:
    from trmsolve.device import choose_placement

    cpu = choose_placement("cpu", "fp32")
    assert (cpu.device.type, cpu.dtype, cpu.dtype_name) == ("cpu", torch.float32, "fp32")
    assert "as requested" in cpu.reason
    assert choose_placement("cpu", "bf16").dtype == torch.bfloat16
    assert choose_placement().reason
    for device, dtype in (("tpu", "auto"), ("cuda:97", "auto"), ("cpu", "fp8"), ("cpu:5", "auto")):
        with pytest.raises(UsageError):
            choose_placement(device, dtype)


def test_bf16_only_where_the_processor_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    from trmsolve import device

    monkeypatch.setattr(device, "platform", SimpleNamespace(machine=lambda: "x86_64"))
    for native, dtype in ((True, torch.bfloat16), (False, torch.float32)):
        monkeypatch.setattr(torch.cpu, "_is_avx512_bf16_supported", lambda native=native: native)
        monkeypatch.setattr(torch.cpu, "_is_amx_tile_supported", lambda: False)
        assert device.choose_placement("cpu").dtype == dtype


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_a_gpu_gives_the_same_answer() -> None:
    from trmsolve.solve.solver import load

    puzzle = SUDOKU.line(some_puzzles(1, "easy")[0].grid)
    answers = [
        load("sudoku", device=device, dtype="fp32").solve(puzzle) for device in ("cpu", "cuda")
    ]
    assert all(answer.verified for answer in answers)
    assert np.array_equal(answers[0].grid, answers[1].grid)


@pytest.mark.parametrize(
    "wrong",
    [{"cycles": 0}, {"views": -3}, {"batch_size": -1}, {"seed": -1}, {"seed": 1.5}, {"views": "3"}],
)
def test_impossible_efforts_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(UsageError, match=next(iter(wrong))):
        Effort(**wrong)


@pytest.mark.parametrize("wrong", [None, 7, b"53..7....", {"puzzle": "1"}])
def test_other_values_are_no_puzzles(wrong: Any) -> None:
    with pytest.raises(TypeError, match="a puzzle must be text, a path, rows, an array"):
        solver(Scripted(1)).solve(wrong)
    with pytest.raises(TypeError, match="a puzzle must be text, a path, rows, an array"):
        list(solver(Scripted(1)).solve_all([wrong or 7]))


def test_text_that_has_no_encoding_is_no_puzzle() -> None:
    with pytest.raises(PuzzleError):
        solver(Scripted(1)).solve("\ud800")


def test_more_errors_than_the_look_ahead_pass_through() -> None:
    errors = [PuzzleError(f"bad {number}") for number in range(LOOK_AHEAD + 10)]
    (puzzle,) = some_puzzles(1)
    outcomes = list(solver(Scripted(1), batch_size=1).solve_all([*errors, puzzle, *errors]))
    assert len(outcomes) == 2 * len(errors) + 1 and outcomes[: len(errors)] == errors


def test_the_data_s_own_answer_must_be_right() -> None:
    from trmsolve.solve.evaluate import evaluate

    (puzzle,) = some_puzzles(1)
    wrong = replace(puzzle, answer=np.roll(puzzle.answer, 1, axis=0))
    with pytest.raises(PuzzleError, match="the answer in the data is wrong"):
        evaluate(solver(Scripted(1)), [wrong], "made")


def test_an_answer_keeps_its_cycles_if_asked() -> None:
    (puzzle,) = some_puzzles(1)
    able = solver(Scripted(3))
    assert able.solve(puzzle).history == ()
    answer = able.solve(puzzle, history=True)
    assert [cycle.number for cycle in answer.history] == [1, 2, 3]
    assert answer.cycles == 3 and answer.task == answer.history[0].task == "sudoku"
    assert np.array_equal(answer.history[-1].grid, answer.grid)


def test_the_solver_takes_what_is_no_puzzle_yet_in_its_place() -> None:
    first, second = some_puzzles(2)
    text = SUDOKU.line(first.grid)
    outcomes = list(solver(Scripted(1)).solve_all([text, "no puzzle", second.grid, second]))
    kinds = [type(outcome) for outcome in outcomes]
    assert kinds == [Answer, PuzzleError, Answer, Answer]
    (alone,) = solver(Scripted(1)).solve_all(text)
    assert isinstance(alone, Answer) and np.array_equal(alone.puzzle.grid, first.grid)


def test_watching_ends_with_the_answer(capsys: pytest.CaptureFixture[str]) -> None:
    (puzzle,) = some_puzzles(1)
    assert solver(Scripted(2)).watch(puzzle, pace=0).verified
    assert capsys.readouterr().out.startswith("solved  2 cycles  1 view")
