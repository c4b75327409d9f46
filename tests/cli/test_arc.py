"""``trmsolve arc`` and ``trmsolve eval --task arc``, with a solver that knows the rule.

The rule: every colour becomes the next one, of which the second attempt makes one mistake. Run as a
module, this is ``trmsolve`` with that solver, for tests that need a terminal or a process of its
own.
"""

import gzip
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, ClassVar

import numpy as np
import pytest
from typer.testing import CliRunner, Result

from tests.support.paths import ROOT
from tests.support.terminal import RunningIn
from trmsolve import distributed
from trmsolve.arc import solver as arc_solver
from trmsolve.arc.compression.learning import CompressionLearner
from trmsolve.arc.task import AdaptationProgress, ArcAnswer, ArcCycle, ArcTask, Candidate, Pair
from trmsolve.cli import app
from trmsolve.cli.arc.evaluate import drawn
from trmsolve.cli.arc.output import ScreenArcWriter
from trmsolve.cli.output import say
from trmsolve.errors import PuzzleError, WeightsError
from trmsolve.puzzles.values import Grid

TASKS = ROOT / "examples" / "arc"
HARD = "hard"  # no attempt at a task of this name is right
OUTSIDE = "outside"  # a task of this name is beyond the network


class FakeSolver:
    """Learns in ``steps`` steps, calling ``at_step``, and answers in two cycles of four views."""

    weights = "arc.safetensors@0123456789ab"

    def __init__(self, at_step: Callable[[], None] = lambda: None, **how: Any) -> None:
        self.how, self.at_step = how, at_step
        self.budget = 300.0 if how["budget"] is None else how["budget"]
        self.placement = SimpleNamespace(
            reason="cpu (as requested)", device="cpu", dtype_name="fp32", threads=1
        )

    def solve_all(
        self,
        items: Iterable[ArcTask | PuzzleError],
        on_adapting: Callable[[AdaptationProgress], None] | None = None,
        on_cycle: Callable[[ArcCycle], None] | None = None,
        stop: Callable[[], bool] = lambda: False,
    ) -> Iterator[ArcAnswer | PuzzleError]:
        for item in items:
            if stop():
                return
            if isinstance(item, PuzzleError):
                yield item
            elif item.name == OUTSIDE:
                yield PuzzleError("no network could", item.source)
            else:
                yield self.solve(
                    item, on_adapting or (lambda _: None), on_cycle or (lambda _: None), stop
                )

    def solve(
        self,
        task: ArcTask,
        on_adapting: Callable[[AdaptationProgress], None],
        on_cycle: Callable[[ArcCycle], None],
        stop: Callable[[], bool],
    ) -> ArcAnswer:
        ended, step = "", 0
        while not ended:
            step += 1
            self.at_step()
            ended = "interrupted" if stop() else "steps" if step >= (self.how["steps"] or 3) else ""
            adapting = AdaptationProgress(task, step, step / 8, self.budget, 1 / step, ended)
            on_adapting(adapting)
        candidates, steps = [], []
        for test, pair in enumerate(task.tests):
            right, wrong = attempts(pair.input)
            candidates.append(
                (Candidate(wrong if task.name == HARD else right, 3, 0.9), Candidate(wrong, 1, 0.4))
            )
            for cycle in (1, 2):
                grid = wrong if cycle == 1 else right
                steps.append(
                    ArcCycle(
                        task, test, cycle, 2, 1, 4, grid, np.ones(grid.shape, np.float32), cycle / 2
                    )
                )
                on_cycle(steps[-1])
        shown = tuple(steps) if self.how["keep_steps"] else ()
        return ArcAnswer(task, tuple(candidates), adapting, 8, 4, step / 4, shown)


def attempts(question: Grid) -> tuple[Grid, Grid]:
    right = ((question + 1) % 10).astype(np.int8)
    wrong = right.copy()
    wrong[0, 0] = (wrong[0, 0] + 1) % 10
    return right, wrong


def module(load: Callable[..., Any]) -> ModuleType:
    fake = ModuleType("trmsolve.arc.solver")
    vars(fake)["load_arc"] = load
    return fake


Loaded = list[FakeSolver]


@pytest.fixture(autouse=True)
def loaded(monkeypatch: pytest.MonkeyPatch, process_as_it_was: None) -> Loaded:
    """The solvers that were loaded."""
    solvers: Loaded = []

    def load(at_step: Callable[[], None] = lambda: None, **how: Any) -> FakeSolver:
        solvers.append(FakeSolver(at_step, keep_steps=how.pop("keep_steps", False), **how))
        return solvers[-1]

    monkeypatch.setitem(sys.modules, "trmsolve.arc.solver", module(load))
    return solvers


def at_every_step(monkeypatch: pytest.MonkeyPatch, act: Callable[[], None]) -> None:
    load = vars(sys.modules["trmsolve.arc.solver"])["load_arc"]
    monkeypatch.setitem(sys.modules, "trmsolve.arc.solver", module(lambda **how: load(act, **how)))


JSON_FIELDS = [
    "index",
    "source",
    "task",
    "id",
    "answer",
    "votes",
    "confidence",
    "right",
    "verified",
    "reason",
    "cycles",
    "views",
    "adapting",
    "seconds",
    "weights",
]
"""The fields of an answer in their order."""


def run(*arguments: object, text: str | None = None) -> Result:
    return CliRunner().invoke(app, list(map(str, arguments)), input=text)


def task(*tests: list[list[int]], outputs: bool = False) -> dict[str, Any]:
    """A task as JSON."""

    def pair(question: list[list[int]], shown: bool) -> dict[str, Any]:
        grid = np.array(question, np.int8)
        return {"input": question, **({"output": attempts(grid)[0].tolist()} if shown else {})}

    return {
        "train": [pair([[0, 1]], True), pair([[1, 2]], True)],
        "test": [pair(one, outputs) for one in tests],
    }


ONE, TWO = [[5, 0]], [[1], [2]]
BROKEN = {"train": [], "test": [{"input": ONE}, {"input": ONE}]}
FIRST = {"attempt_1": [[6, 1]], "attempt_2": [[7, 1]]}
SECOND = {"attempt_1": [[2], [3]], "attempt_2": [[3], [3]]}
NOTHING = {"attempt_1": [[0]], "attempt_2": [[0]]}


def write(path: Path, value: object) -> Path:
    path.write_text(json.dumps(value))
    return path


# Answers and exit codes


def test_a_piped_task_is_answered_as_kaggle_wants_it() -> None:
    result = run("arc", text=json.dumps(task(ONE, TWO)))
    assert result.exit_code == 0
    assert (
        json.loads(result.stdout) == {"stdin": [FIRST, SECOND]} and result.stdout.count("\n") == 1
    )
    assert result.stderr == ("stdin  answered  3 steps  4 attempts  0.75 s  step limit reached\n")


def test_files_folders_and_standard_input_are_read_in_order(tmp_path: Path) -> None:
    write(tmp_path / "b.json", task(ONE))
    (tmp_path / "folder").mkdir()
    write(tmp_path / "folder" / "a.json", task(ONE))
    with gzip.open(tmp_path / "many.json.gz", "wt") as file:
        json.dump({"x": task(ONE), "y": task(TWO)}, file)
    files = [tmp_path / name for name in ("b.json", "folder", "many.json.gz")]
    result = run("arc", *files, "-", "--format", "line", text=json.dumps(task(ONE)))
    assert [next(iter(json.loads(line))) for line in result.stdout.splitlines()] == [
        "b",
        "a",
        "x",
        "y",
        "stdin",
    ]


def test_json_has_the_agreed_fields_in_input_order(tmp_path: Path) -> None:
    tasks = {
        "ab": task(ONE, TWO, outputs=True),
        "bad": BROKEN,
        HARD: task(ONE, outputs=True),
        "cd": task(ONE),
    }
    source = str(write(tmp_path / "tasks.json", tasks))
    result = run("arc", source, "--json")
    assert result.exit_code == 2
    first, bad, hard, last = (json.loads(line) for line in result.stdout.splitlines())
    assert first == {
        "index": 0,
        "source": source,
        "task": "arc",
        "id": "ab",
        "answer": [FIRST, SECOND],
        "votes": [[3, 1], [3, 1]],
        "confidence": [None, None],
        "right": [True, True],
        "verified": None,
        "reason": "no rule can check an ARC answer",
        "cycles": 8,
        "views": 4,
        "adapting": {
            "steps": 3,
            "seconds": 0.375,
            "ended": "steps",
        },
        "seconds": 0.75,
        "weights": FakeSolver.weights,
    }
    assert list(bad) == ["index", "source", "task", "error"]
    assert (bad["index"], bad["source"], bad["task"]) == (
        1,
        source,
        "arc",
    ) and "no demonstration" in bad["error"]
    assert (hard["right"], last["right"], last["index"]) == ([False], [None], 3)


def test_an_answer_without_a_second_and_without_learning(monkeypatch: pytest.MonkeyPatch) -> None:
    def solve(self: FakeSolver, task: ArcTask, *_: object) -> ArcAnswer:
        return ArcAnswer(task, ((Candidate(np.zeros((0, 0), np.int8), 4, 0.1),),), None, 8, 4, 0.5)

    monkeypatch.setattr(FakeSolver, "solve", solve)
    result = run("arc", "--json", text=json.dumps(task(ONE)))
    said = json.loads(result.stdout)
    assert (said["answer"], said["votes"], said["adapting"]) == ([NOTHING], [[4, 0]], None)
    assert "1 attempt  0.50 s  known to the network" in result.stderr


def test_solutions_judge(tmp_path: Path) -> None:
    path = write(tmp_path / "tasks.json", {"ab": task(ONE), HARD: task(ONE)})
    solutions = write(tmp_path / "solutions.json", {"ab": [[[6, 1]]], HARD: [[[6, 1]]]})
    result = run("arc", path, "--solutions", solutions)
    assert result.exit_code == 0, "a wrong answer is an answer"
    assert [line.split("  ")[:2] for line in result.stderr.splitlines()] == [
        ["ab", "right"],
        [HARD, "wrong"],
    ]


def test_some_ids_are_chosen(tmp_path: Path, loaded: Loaded) -> None:
    path = write(tmp_path / "tasks.json", {"ab12": task(ONE), "cd34": task(TWO), "bad": BROKEN})
    result = run("arc", path, "--id", "cd34")
    assert result.exit_code == 0 and json.loads(result.stdout) == {"cd34": [SECOND]}
    result = run("arc", path, "--id", "ab13")
    assert (result.exit_code, result.stdout, len(loaded)) == (2, "", 1)
    assert result.stderr == "trmsolve: --id ab13: no such task among 3, for example ab12\n"


def test_a_file_that_is_missing_is_told_rather_than_the_id(tmp_path: Path) -> None:
    result = run("arc", tmp_path / "none.json", "--id", "ab")
    assert (result.exit_code, result.stderr) == (2, f"{tmp_path}/none.json: no such file\n")


def test_a_data_set_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    one = ArcTask(
        "ab",
        (Pair(np.ones((1, 1), np.int8), np.ones((1, 1), np.int8)),),
        (Pair(np.array([[5, 0]], np.int8)),),
    )
    monkeypatch.setattr("trmsolve.arc.datasets.load_dataset", {"arc1-eval": [one]}.__getitem__)
    assert json.loads(run("arc", "--dataset", "arc1-eval").stdout) == {"ab": [FIRST]}


def test_the_same_id_in_two_files_is_told(tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    paths = [write(folder / "ab.json", task(ONE)) for folder in (tmp_path, tmp_path / "other")]
    result = run("arc", *paths)
    assert result.exit_code == 2 and result.stdout.count("\n") == 1
    assert f"{paths[1]}: task ab: appears twice, first in {paths[0]}" in result.stderr


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", "no json", json.dumps({"bad": BROKEN}), '{"train": 1, "test": 2}']
)
@pytest.mark.parametrize("form", [[], ["--json"]])
def test_where_nothing_is_readable_no_model_is_loaded(
    text: str, form: list[str], loaded: Loaded
) -> None:
    result = run("arc", "-", *form, text=text)
    assert (
        result.exit_code == 2
        and not loaded
        and "stdin" in result.stderr
        and "Traceback" not in result.stderr
    )
    errors = [json.loads(line)["error"] for line in result.stdout.splitlines()]
    assert len(errors) == len(form) and all(error in result.stderr for error in errors)


def test_bad_input_is_refused_before_torch_is_imported(tmp_path: Path) -> None:
    code = (
        "import sys\nfrom trmsolve.cli import app\n"
        f"try: app(['arc', {str(tmp_path / 'none.json')!r}], prog_name='trmsolve')\n"
        "finally: print('torch' in sys.modules)"
    )
    result = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=600
    )
    assert (result.returncode, result.stdout) == (2, "False\n") and "no such file" in result.stderr


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--format", "grid"], "--format grid is not known: use input, line, json"),
        (
            ["--submission", "nowhere/sub.json"],
            "--submission nowhere/sub.json: the path must be a file in an existing folder",
        ),
        (["--submission", "."], "--submission .: the path must be a file"),
        (
            ["--save-adapted", "nowhere/x"],
            "--save-adapted nowhere/x: the path must be a file in an existing folder",
        ),
        (["--solutions", "nowhere.json"], "nowhere.json: no such file"),
        (["--dataset", "arc9"], "no data set 'arc9'"),
        (
            ["--save-adapted", "x", TASKS],
            "--save-adapted needs exactly one task: choose it with --id",
        ),
    ],
)
def test_what_cannot_be_done_is_told_before_any_work(
    options: list[str], message: str, loaded: Loaded
) -> None:
    result = run("arc", "-", *options, text=json.dumps(task(ONE)))
    assert (result.exit_code, result.stdout) == (2, "") and not loaded
    assert result.stderr.startswith(f"trmsolve: {message}")


def test_a_task_beyond_the_network_is_an_unreadable_item(tmp_path: Path) -> None:
    path = write(tmp_path / "tasks.json", {OUTSIDE: task(ONE), "ab": task(ONE)})
    result = run("arc", path)
    assert result.exit_code == 2 and json.loads(result.stdout) == {"ab": [FIRST]}
    assert f"{path}: no network could" in result.stderr


def test_options_reach_the_solver(tmp_path: Path, loaded: Loaded) -> None:
    chosen = {
        "budget": 7.5,
        "steps": 9,
        "cycles": 4,
        "views": 6,
        "batch": 3,
        "seed": 11,
        "device": "cpu",
        "dtype": "fp32",
        "threads": 2,
        "weights": "w",
        "save_adapted": tmp_path / "adapted",
    }
    names = {"batch": "batch-size", "save_adapted": "save-adapted"}
    given = [
        word for name, value in chosen.items() for word in (f"--{names.get(name, name)}", value)
    ]
    flags = ("--show-steps", "--offline", "--allow-large")
    assert run("arc", *given, *flags, text=json.dumps(task(ONE))).exit_code == 0
    assert loaded[0].how.pop("note") is say
    assert loaded[0].how == chosen | {"keep_steps": True, "offline": True, "allow_large": True}
    assert run("arc", text=json.dumps(task(ONE))).exit_code == 0
    usual = {
        "cycles": 16,
        "batch": 1,
        "seed": 0,
        "device": "auto",
        "dtype": "auto",
        "keep_steps": False,
    }
    usual |= {"offline": False, "allow_large": False}
    loaded[1].how.pop("note")
    assert loaded[1].how == dict.fromkeys(chosen) | usual


def test_weights_that_are_none_are_exit_code_3(monkeypatch: pytest.MonkeyPatch) -> None:
    def load(**how: object) -> None:
        raise WeightsError("no weights at w")

    monkeypatch.setitem(sys.modules, "trmsolve.arc.solver", module(load))
    result = run("arc", "--submission", "sub.json", text=json.dumps(task(ONE)))
    assert (result.exit_code, result.stderr) == (3, "trmsolve: no weights at w\n") and not Path(
        "sub.json"
    ).exists()


# What is shown


def test_steps_are_shown_without_a_terminal() -> None:
    result = run("arc", "--show-steps", text=json.dumps(task(ONE)))
    assert result.exit_code == 0 and "\x1b" not in result.stderr
    assert "test 1, view 1 of 4\ncycle 1/2   cycle 2/2\n" in result.stderr
    assert (
        "\ntest   attempt 1           attempt 2\n1x2    1x2  3 of 4 votes   1x2  1 of 4 votes\n"
        in result.stderr
    )
    assert "\n5 .    6 1                 7 1\n\nanswered  3 steps" in result.stderr
    assert json.loads(result.stdout) == {"stdin": [FIRST]}


def test_quiet_and_verbose() -> None:
    assert run("arc", "-q", text=json.dumps(task(ONE))).stderr == ""
    said = f"weights {FakeSolver.weights}, 300 s per task, running on cpu (as requested)\n"
    assert run("arc", "-q", "-v", text=json.dumps(task(ONE))).stderr == said


def test_many_tasks_end_with_a_summary(tmp_path: Path) -> None:
    path = write(tmp_path / "many.json", {f"t{i}": task(ONE, outputs=True) for i in range(12)})
    result = run("arc", path)
    assert result.exit_code == 0 and len(result.stderr.splitlines()) == 13
    assert result.stderr.splitlines()[-1].startswith("12 tasks  12 of 12 tests right  ")


def test_what_the_screen_is_too_narrow_for_is_written() -> None:
    writer = ScreenArcWriter("", 3)

    def answer(columns: int) -> ArcAnswer:
        asked = ArcTask("ab", (), (Pair(np.ones((1, 1), np.int8)),))
        return ArcAnswer(
            asked, ((Candidate(np.ones((1, columns), np.int8), 1, 1.0),),), None, 1, 1, 1.0
        )

    assert writer.value(answer(3)) is None and writer.value(PuzzleError("bad")) is None
    assert writer.value(answer(4)) == {"ab": [{"attempt_1": [[1] * 4], "attempt_2": [[1] * 4]}]}


# Submissions


def test_a_submission_has_every_id(tmp_path: Path) -> None:
    path = write(tmp_path / "tasks.json", {"ab": task(ONE, TWO), "bad": BROKEN, OUTSIDE: task(ONE)})
    result = run("arc", path, "--submission", tmp_path / "sub.json")
    assert result.exit_code == 2
    submission = json.loads((tmp_path / "sub.json").read_text())
    assert submission == {"ab": [FIRST, SECOND], "bad": [NOTHING, NOTHING], OUTSIDE: [NOTHING]}
    assert result.stderr.endswith(f"1 of 3 tasks answered in {tmp_path}/sub.json\n")


def interrupt(number: int = signal.SIGINT) -> None:
    os.kill(os.getpid(), number)


def interrupting(monkeypatch: pytest.MonkeyPatch, *steps: int, number: int = signal.SIGINT) -> None:
    """Send it to ourselves at these steps, counted over all tasks."""
    done = iter(range(1, 10**6))
    at_every_step(monkeypatch, lambda: interrupt(number) if next(done) in steps else None)


SOONER = "learning stopped, answering now; press Ctrl-C again to exit at once\n"


def test_the_first_interrupt_ends_the_learning_and_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    interrupting(monkeypatch, 5)
    result = run("arc", "--steps", 100, text=json.dumps(task(ONE)))
    assert result.exit_code == 0, "every task is answered"
    assert json.loads(result.stdout) == {"stdin": [FIRST]}
    assert (
        result.stderr.count(SOONER) == 1
        and result.stderr.count("Ctrl-C") == 1
        and "answered  5 steps" in result.stderr
        and "interrupted\n" in result.stderr
    )


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_tasks_that_were_not_begun_are_missing_answers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int, code: int
) -> None:
    interrupting(monkeypatch, 5, number=number)
    path = write(tmp_path / "tasks.json", {"ab": task(ONE), "cd": task(ONE), "ef": task(ONE)})
    result = run("arc", path, "--submission", tmp_path / "sub.json")
    assert result.exit_code == code and result.stderr.count(SOONER) == 1
    assert [next(iter(json.loads(line))) for line in result.stdout.splitlines()] == ["ab", "cd"]
    submission = json.loads((tmp_path / "sub.json").read_text())
    assert submission == {"ab": [FIRST], "cd": [FIRST], "ef": [NOTHING]}


def test_the_second_interrupt_leaves_with_what_there_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "tasks.json", {"ab": task(ONE)})
    interrupting(monkeypatch, 5)
    monkeypatch.setitem(globals(), "attempts", lambda question: interrupt())  # while it answers
    result = run("arc", path, "--steps", 100, "--submission", tmp_path / "sub.json")
    assert (result.exit_code, result.stdout) == (130, "") and result.stderr.endswith(
        "trmsolve: interrupted\n"
    )
    assert json.loads((tmp_path / "sub.json").read_text()) == {"ab": [NOTHING]}


def test_the_handlers_are_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    before = signal.getsignal(signal.SIGINT)
    interrupting(monkeypatch, 5)
    run("arc", "--steps", 100, text=json.dumps(task(ONE)))
    assert signal.getsignal(signal.SIGINT) is before


# Without weights


@pytest.fixture
def real_solver(monkeypatch: pytest.MonkeyPatch, loaded: Loaded, one_thread: None) -> None:
    """The package's own solver instead of the one that knows the rule."""
    monkeypatch.setitem(sys.modules, "trmsolve.arc.solver", arc_solver)


@pytest.mark.usefixtures("real_solver")
def test_without_weights_a_task_is_learned_from_nothing(tmp_path: Path) -> None:
    path = write(tmp_path / "tasks.json", {"ab": task(ONE, TWO, outputs=True), "cd": task(ONE)})
    result = run("arc", path, "--steps", 5, "--json")
    assert result.exit_code == 0
    first, second = (json.loads(line) for line in result.stdout.splitlines())
    assert list(first) == JSON_FIELDS
    assert (first["index"], first["source"], first["id"]) == (0, str(path), "ab")
    assert first["weights"] == "none: every task is learned from nothing"
    assert (first["cycles"], first["views"], first["verified"]) == (5, 1, None)
    seconds = first["adapting"].pop("seconds")
    assert 0 < seconds <= first["seconds"]
    assert first["adapting"] == {
        "steps": 5,
        "ended": "steps",
    }
    assert len(first["answer"]) == len(first["votes"]) == len(first["right"]) == 2
    for answer, votes in zip(first["answer"], first["votes"], strict=True):
        assert list(answer) == ["attempt_1", "attempt_2"]
        assert votes == [1, 0], "the only copy favours its first attempt"
    assert all(0 < confidence < 1 for confidence in first["confidence"])
    assert all(type(right) is bool for right in first["right"])
    assert (second["right"], second["adapting"]["steps"]) == ([None], 5)
    assert "ab  " in result.stderr and "5 steps" in result.stderr
    assert "step limit reached" in result.stderr


@pytest.mark.usefixtures("real_solver")
def test_the_same_steps_give_the_same_line_again() -> None:
    lines = []
    for threads in (1, 2):
        result = run("arc", "--steps", 3, "--threads", threads, text=json.dumps(task(ONE)))
        assert result.exit_code == 0
        lines.append(result.stdout)
    assert lines[0] == lines[1]


@pytest.mark.usefixtures("real_solver")
def test_steps_of_learning_from_nothing_are_shown() -> None:
    result = run("arc", "--steps", 5, "--show-steps", text=json.dumps(task(ONE)))
    assert result.exit_code == 0 and "\x1b" not in result.stderr
    assert "demonstrations\n" in result.stderr
    assert "test 1, view 1 of 1\n" in result.stderr and "cycle 5/5" in result.stderr
    assert "answered  5 steps" in result.stderr
    assert list(json.loads(result.stdout)) == ["stdin"]


@pytest.mark.usefixtures("real_solver")
def test_a_submission_without_weights_has_every_id(tmp_path: Path) -> None:
    path = write(tmp_path / "tasks.json", {"ab": task(ONE, TWO), "bad": BROKEN})
    result = run("arc", path, "--steps", 2, "--submission", tmp_path / "sub.json")
    assert result.exit_code == 2, "one item is unreadable"
    submission = json.loads((tmp_path / "sub.json").read_text())
    assert submission == json.loads(result.stdout) | {"bad": [NOTHING, NOTHING]}
    assert len(submission["ab"]) == 2
    for answer in submission["ab"]:
        assert all(np.array(attempt).ndim == 2 for attempt in answer.values())


@pytest.mark.usefixtures("real_solver")
def test_verbose_says_that_there_are_no_weights() -> None:
    result = run("arc", "--steps", 1, "-q", "-v", text=json.dumps(task(ONE)))
    assert result.stderr.startswith("weights none: every task is learned from nothing, 300 s per")


@pytest.fixture
def interrupted_learning(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C comes during the second step of every task."""
    step = CompressionLearner.step

    def interrupted_step(self: CompressionLearner) -> None:
        step(self)
        if self.status.step == 2:
            interrupt()

    monkeypatch.setattr(CompressionLearner, "step", interrupted_step)


@pytest.mark.usefixtures("real_solver", "interrupted_learning")
@pytest.mark.parametrize(("tasks", "code"), [(1, 0), (2, 130)])
def test_an_interrupt_answers_with_what_is_learned_from_nothing(
    tasks: int, code: int, tmp_path: Path
) -> None:
    path = write(tmp_path / "tasks.json", {f"t{number}": task(ONE) for number in range(tasks)})
    result = run("arc", path, "--steps", 1000, "--json")
    assert result.exit_code == code
    assert result.stderr.count("Ctrl-C") == result.stderr.count(SOONER) == 1
    (said,) = map(json.loads, result.stdout.splitlines())
    assert (said["adapting"]["steps"], said["adapting"]["ended"]) == (2, "interrupted")
    assert said["answer"][0]["attempt_1"]


@pytest.mark.usefixtures("real_solver", "interrupted_learning")
def test_copies_that_share_a_core_vote() -> None:
    result = run(
        "arc", "--threads", 1, "--weights", "none", "--json", text=json.dumps(task(ONE, TWO))
    )
    assert result.exit_code == 0, result.stderr
    said = json.loads(result.stdout)
    assert (said["views"], said["cycles"], said["adapting"]["steps"]) == (8, 2, 2)
    assert all(0 <= sum(votes) <= 8 for votes in said["votes"])


@pytest.mark.usefixtures("real_solver")
@pytest.mark.parametrize(
    ("option", "value", "code"), [("--steps", 0, 2), ("--budget", 0, 2), ("--weights", "nobody", 3)]
)
def test_impossible_options_are_told(option: str, value: object, code: int) -> None:
    result = run("arc", option, value, text=json.dumps(task(ONE)))
    assert (result.exit_code, result.stdout) == (code, "")
    assert "Traceback" not in result.stderr


# Measuring


@pytest.fixture
def challenges(tmp_path: Path) -> Path:
    """Two tasks without outputs, and their solutions beside them."""
    write(tmp_path / "set_solutions.json", {"ab": [[[6, 1]], [[2], [3]]], HARD: [[[6, 1]]]})
    return write(tmp_path / "set_challenges.json", {"ab": task(ONE, TWO), HARD: task(ONE)})


def measure(*arguments: object) -> Result:
    return run("eval", "--task", "arc", *arguments)


def test_measuring_gives_the_agreed_record(challenges: Path, loaded: Loaded) -> None:
    result = measure(
        "--data", challenges, "--json", "--steps", 4, "--budget", 60, "--seed", 5, "--batch-size", 2
    )
    assert result.exit_code == 0 and loaded[0].how["batch"] == 2 and loaded[0].how["seed"] == 5
    record = json.loads(result.stdout)
    speed, interval = record.pop("seconds_per_task"), record.pop("pass@2_ci95")
    assert speed >= 0 and interval == pytest.approx([0.0945, 0.9055], abs=1e-4)
    adapting = {"steps": 4, "seconds": 0.5, "ended": "steps"}
    took = {"adapting": adapting, "seconds": 1.0}
    assert record == {
        "task": "arc",
        "data": "set_challenges.json",
        "limit": None,
        "sample": None,
        "seed": 5,
        "interrupted": False,
        "planned": 2,
        "n": 2,
        "tests": 3,
        "pass@1": 0.5,
        "pass@2": 0.5,
        "test_pass@1": 0.6667,
        "test_pass@2": 0.6667,
        "solved": 1,
        "mean_steps": 4.0,
        "mean_cycles": 8.0,
        "mean_views": 4.0,
        "budget": 60.0,
        "steps": 4,
        "cycles": 16,
        "views": None,
        "batch": 2,
        "device": "cpu",
        "dtype": "fp32",
        "threads": 1,
        "weights": FakeSolver.weights,
        "tasks": {
            "ab": {"pass@1": 1.0, "pass@2": 1.0, "tests": [1, 1], "votes": [[3, 1]] * 2, **took},
            HARD: {"pass@1": 0.0, "pass@2": 0.0, "tests": [0], "votes": [[3, 1]], **took},
        },
    }
    assert list(record)[-1] == "tasks"


def test_a_measurement_goes_on_after_the_answers_that_are_kept(
    challenges: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, loaded: Loaded
) -> None:
    kept = tmp_path / "kept.json"
    command = ("--data", challenges, "--steps", 4, "--keep", kept, "--json")
    whole = json.loads(measure("--data", challenges, "--steps", 4, "--json").stdout)
    steps: list[int] = []

    def interrupted_in_the_second_task() -> None:
        steps.append(len(steps))
        if len(steps) == 6:
            raise KeyboardInterrupt

    at_every_step(monkeypatch, interrupted_in_the_second_task)
    first = measure(*command)
    assert first.exit_code == 130
    assert json.loads(first.stdout)["n"] == 1
    second = measure(*command)
    assert second.exit_code == 0
    assert "kept.json has the answers to 1 task" in second.stderr
    assert len(steps) == 6 + 4, "only the second task is asked again"
    figures = json.loads(second.stdout)
    for one in (figures, whole):
        del one["seconds_per_task"]
    assert figures == whole
    again = measure(*command)
    assert len(steps) == 10, "nothing is left to ask"
    assert json.loads(again.stdout)["n"] == 2


def test_what_is_kept_is_of_one_measurement(challenges: Path, tmp_path: Path) -> None:
    kept = tmp_path / "kept.json"
    assert measure("--data", challenges, "--steps", 4, "--keep", kept).exit_code == 0
    other = measure("--data", challenges, "--steps", 5, "--keep", kept)
    assert other.exit_code == 2
    assert "was begun with steps 4, not 5: choose another file" in other.stderr
    submission = measure("--data", challenges, "--submission", kept, "--keep", kept)
    assert submission.exit_code == 2
    assert "--keep cannot be combined with --submission" in submission.stderr
    puzzles = run("eval", "--data", challenges, "--keep", kept)
    assert puzzles.exit_code == 2
    assert "--keep needs --task arc" in puzzles.stderr


@pytest.mark.parametrize(("rank", "said"), [(0, "start it without torchrun\n"), (1, "")])
def test_measuring_is_for_one_process(
    challenges: Path, monkeypatch: pytest.MonkeyPatch, rank: int, said: str
) -> None:
    monkeypatch.setenv("WORLD_SIZE", "2")
    monkeypatch.setenv("LOCAL_RANK", str(rank))
    monkeypatch.setattr(distributed, "SPOKEN", 0.0)
    result = measure("--data", challenges)
    assert result.exit_code == 2
    assert result.stderr.endswith(said)
    assert bool(result.stderr) == bool(said)
    assert result.stdout == ""


def test_measuring_prints_a_table(challenges: Path) -> None:
    lines = measure("--data", challenges, "--budget", 60).stdout.splitlines()
    what = f"{FakeSolver.weights}, 60 s of adaptation per task, cpu fp32"
    assert lines[:4] == [
        f"2 tasks of set_challenges.json, {what}",
        "pass@1          50.0%",
        "pass@2          50.0%  (95 % interval 9.4% to 90.5%)",
        "tests           2 of 3 right in two attempts",
    ]
    assert lines[4].startswith("speed           ") and lines[4].endswith(" s per task")
    assert lines[5:] == [
        "  ab  attempt 1, attempt 1  3 steps  0.75 s",
        "  hard  wrong  3 steps  0.75 s",
    ]


def test_a_sample_is_drawn_as_documented_whatever_the_order(tmp_path: Path) -> None:
    names = [f"t{i:02}" for i in range(20)]
    expected = np.random.default_rng(7).permutation(names)[:3].tolist()
    for order in (names, names[::-1]):
        path = write(tmp_path / "set.json", {name: task(ONE, outputs=True) for name in order})
        record = json.loads(measure("--data", path, "--sample", 3, "--seed", 7, "--json").stdout)
        assert list(record["tasks"]) == expected and (
            record["sample"],
            record["n"],
            record["seed"],
        ) == (3, 3, 7)
    assert (
        "a sample of 3 tasks (seed 7) of set.json"
        in measure("--data", path, "--sample", 3, "--seed", 7).stdout
    )


def test_the_draw_stays_what_it_was() -> None:
    """A measurement that was stated beforehand must be repeatable later."""
    tasks = [ArcTask(f"t{i:02}", (), ()) for i in range(20)]
    assert [task.name for task in drawn(tasks, 5, 0)] == ["t04", "t19", "t06", "t02", "t13"]


def test_the_first_tasks_alone(challenges: Path) -> None:
    assert list(
        json.loads(measure("--data", challenges, "--limit", 1, "--json").stdout)["tasks"]
    ) == ["ab"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--sample", 3], "--sample 3: the data has only 2 tasks"),
        (
            ["--sample", 1, "--limit", 1],
            "--limit and --sample cannot be combined: omit one of them",
        ),
        (["--noise", 0.5], "--noise does not apply to ARC tasks: omit it"),
        (["--compile"], "--compile does not apply to ARC tasks: omit it"),
        (
            ["--submission", "x.json", "--budget", 3],
            "--budget cannot be combined with --submission",
        ),
        (["--submission", "x.json", "--batch-size", 3], "--batch-size cannot be combined with"),
        (["--submission", "x.json", "--record"], "--record cannot be combined with"),
        (["--submission", "x.json"], "x.json: no such file"),
    ],
)
def test_measuring_refuses_what_makes_no_sense(
    options: list[object], message: str, challenges: Path, loaded: Loaded
) -> None:
    result = measure("--data", challenges, *options)
    assert (result.exit_code, result.stdout) == (2, "") and not loaded
    assert result.stderr.startswith(f"trmsolve: {message}")


@pytest.mark.parametrize(
    "option", ["--solutions", "--submission", "--sample", "--budget", "--steps"]
)
def test_other_tasks_refuse_the_options_of_arc(option: str, challenges: Path) -> None:
    result = run("eval", "--task", "maze", "--data", challenges, option, 1)
    assert (result.exit_code, result.stderr) == (
        2,
        f"trmsolve: {option} needs --task arc: omit it\n",
    )


@pytest.mark.parametrize(
    ("tasks", "message"),
    [
        ({"ab": task(ONE)}, "task ab has a test without an output: give --solutions FILE"),
        ({"ab": task(ONE, outputs=True), "bad": BROKEN}, "task bad: no demonstration"),
        ({}, "no task in it"),
    ],
)
def test_a_measurement_leaves_nothing_out(
    tasks: object, message: str, tmp_path: Path, loaded: Loaded
) -> None:
    result = measure("--data", write(tmp_path / "set.json", tasks))
    assert (result.exit_code, result.stdout) == (2, "") and not loaded and message in result.stderr


def test_a_task_beyond_the_network_ends_the_measurement(tmp_path: Path) -> None:
    result = measure("--data", write(tmp_path / "set.json", {OUTSIDE: task(ONE, outputs=True)}))
    assert (result.exit_code, result.stdout) == (2, "") and "no network could" in result.stderr


def test_an_interrupted_measurement_says_that_it_is_none(
    challenges: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    interrupting(monkeypatch, 5)
    kept: list[Any] = []
    monkeypatch.setattr("trmsolve.weights.file.record_score", lambda *score: kept.append(score))
    result = measure("--data", challenges, "--json", "--record", "--weights", "w.safetensors")
    assert result.exit_code == 130 and not kept
    record = json.loads(result.stdout)
    assert (record["interrupted"], record["planned"], record["n"], list(record["tasks"])) == (
        True,
        2,
        1,
        ["ab"],
    )
    assert result.stderr.endswith(
        "trmsolve: interrupted after 1 of 2 tasks: these scores do not measure the whole data set\n"
    )


def test_figures_are_kept_in_the_weights(challenges: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept: list[tuple[Path, str, dict[str, Any]]] = []
    monkeypatch.setattr("trmsolve.weights.file.record_score", lambda *score: kept.append(score))
    measure(
        "--data",
        challenges,
        "--record",
        "--weights",
        "w.safetensors",
        "--budget",
        60,
        "--sample",
        2,
    )
    path, name, figures = kept[0]
    assert (path, name) == (
        Path("w.safetensors"),
        "set_challenges.json, sample 2, seed 0, 60 s a task",
    )
    assert figures["pass@2"] == 0.5 and "tasks" not in figures


def test_a_submission_is_scored_without_a_model(
    challenges: Path, tmp_path: Path, loaded: Loaded
) -> None:
    assert run("arc", challenges, "--submission", tmp_path / "sub.json").exit_code == 0
    loaded.clear()
    result = measure("--data", challenges, "--submission", tmp_path / "sub.json", "--json")
    record = json.loads(result.stdout)
    assert result.exit_code == 0 and not loaded
    assert (record["submission"], record["pass@1"], record["pass@2"], record["missing"]) == (
        "sub.json",
        0.5,
        0.5,
        [],
    )
    assert record["tasks"]["ab"]["tests"] == [1, 1] and record["tasks"][HARD]["tests"] == [0]


def test_a_submission_of_other_tasks_is_told(challenges: Path, tmp_path: Path) -> None:
    more = {f"x{i}": [NOTHING] for i in range(6)}
    submission = write(tmp_path / "sub.json", {"ab": [NOTHING, SECOND], **more})
    lines = measure("--data", challenges, "--submission", submission).stdout.splitlines()
    assert lines == [
        "2 tasks of set_challenges.json, sub.json",
        "pass@1          25.0%",
        "pass@2          25.0%  (95 % interval 2.7% to 80.2%)",
        "tests           1 of 3 right in two attempts",
        "missing         1 task: hard",
        "unknown         6 tasks: x0, x1, x2, x3, x4, ...",
        "  ab  wrong, attempt 1",
        "  hard  wrong",
    ]


def test_a_sample_of_a_submission(challenges: Path, tmp_path: Path) -> None:
    submission = write(tmp_path / "sub.json", {"ab": [FIRST, SECOND], HARD: [NOTHING]})
    record = json.loads(
        measure("--data", challenges, "--submission", submission, "--limit", 1, "--json").stdout
    )
    assert (record["pass@2"], record["n"], record["unknown"]) == (1.0, 1, [])


# In a terminal


class Terminal(RunningIn):
    """``trmsolve`` with the fake solver in a terminal of its own."""

    module = "tests.cli.test_arc"
    env: ClassVar = {**os.environ, "TERM": "xterm-256color"}
    patience = 600


def test_a_terminal_shows_the_attempts_once_in_colour(tmp_path: Path) -> None:
    terminal = Terminal(80, 24, "arc", write(tmp_path / "ab.json", task(ONE)))
    code, lines = terminal.end()
    assert code == 0 and lines == [
        "ab",
        "test   attempt 1           attempt 2",
        "1x2    1x2  3 of 4 votes   1x2  1 of 4 votes",
        "5 .    6 1                 7 1",
        "",
        "answered  3 steps  2 attempts  0.75 s  step limit reached",
        "",
    ]
    assert "48;5;" in terminal.raw and "learning from 2 demonstrations" in terminal.raw
    assert terminal.raw.rindex("\x1b[?25h") > terminal.raw.rindex("\x1b[?25l"), "the cursor is back"


def test_json_is_written_though_the_attempts_were_watched(tmp_path: Path) -> None:
    _, lines = Terminal(
        400, 24, "arc", "--json", write(tmp_path / "ab.json", task(ONE)), NO_COLOR="1"
    ).end()
    assert any(line.startswith('{"index": 0') for line in lines)


def test_ctrl_c_in_a_terminal_answers_and_leaves_it_as_it_was(tmp_path: Path) -> None:
    terminal = Terminal(80, 24, "arc", write(tmp_path / "ab.json", task(ONE)), "--steps", 10**6)
    terminal.wait_for("loss")
    terminal.process.send_signal(signal.SIGINT)
    code, lines = terminal.end()
    assert (
        code == 0 and "learning stopped, answering now; press Ctrl-C again to exit at once" in lines
    )
    assert lines[-2].startswith("answered  ") and lines[-2].endswith("interrupted")
    assert terminal.raw.rindex("\x1b[?25h") > terminal.raw.rindex("\x1b[?25l")


if __name__ == "__main__":
    from trmsolve.__main__ import main

    sys.modules["trmsolve.arc.solver"] = module(
        lambda **how: FakeSolver(lambda: time.sleep(0.05), **how)
    )
    sys.argv[0] = "trmsolve"
    main()
