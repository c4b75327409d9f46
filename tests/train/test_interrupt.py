"""Ctrl-C at any moment: saved files stay, a resumed run is the same, the key is answered."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import IO, Any

import pytest
import torch
from torch import Tensor

from tests.support.paths import ROOT
from tests.support.runs import (
    CPU,
    HALF,
    KINDS,
    PLAIN,
    PLAN,
    STEPS,
    after,
    curve,
    examples,
    going_on,
    kept,
    made,
    run,
)
from tests.support.training import TINY, WHERE, data, files, heed_interrupts, train
from trmsolve.cli.process import SAVED, SAVING
from trmsolve.errors import INTERRUPTED
from trmsolve.model.network import TinyRecursiveModel
from trmsolve.puzzles.registry import get_task
from trmsolve.solve.solver import load
from trmsolve.train import puzzle_training
from trmsolve.train.base import JudgingProgress
from trmsolve.train.checkpoint import load_checkpoint
from trmsolve.train.data import Examples
from trmsolve.train.metrics_file import read_metrics
from trmsolve.train.puzzle_training import HeldOut, PoolTrainer, even_batch
from trmsolve.train.schedule import Progress

__all__ = ["data", "examples"]  # fixtures
pytestmark = pytest.mark.usefixtures("one_thread", "process_as_it_was")

OFTEN = replace(PLAN, save_seconds=0.0)


@pytest.fixture(scope="module")
def undisturbed(examples: Examples, tmp_path_factory: pytest.TempPathFactory) -> Path:
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    out = run(tmp_path_factory.mktemp("undisturbed"), examples).out
    torch.set_num_threads(before)
    return out


def figures(out: Path) -> dict[int, float | None]:
    """The held-out figure of each line of the file, which has one line a step."""
    lines = [json.loads(line) for line in (out / "metrics.jsonl").read_text().splitlines()]
    assert len({line["step"] for line in lines}) == len(lines)
    return {line["step"]: line["held_out_exact"] for line in lines}


def same_as(undisturbed: Path, out: Path) -> None:
    assert kept(out) == kept(undisturbed)
    assert curve(read_metrics(out)) == curve(read_metrics(undisturbed))


# Judging comes when everything is saved


def test_everything_is_saved_before_judging_begins(examples: Examples, tmp_path: Path) -> None:
    seen: list[tuple[int, int]] = []
    told: list[Progress] = []

    def judging(judged: int, of: int) -> bool:
        step = load_checkpoint(tmp_path).step
        assert list(figures(tmp_path).items())[-1] == (step, None) and step == len(told) + 1
        assert load("sudoku", weights=tmp_path).weights
        seen.append((judged, of))
        return True

    run(tmp_path, examples, schedule=replace(OFTEN, steps=2), judging=judging, report=told.append)
    assert seen[0] == (0, 2) and seen[-1] == (2, 2)
    assert (
        [line.held_out_exact for line in told] == list(figures(tmp_path).values()) != [None, None]
    )


def test_a_run_that_is_stopped_is_not_judged_and_one_that_is_over_is(
    examples: Examples, tmp_path: Path
) -> None:
    def never(judged: int, of: int) -> bool:
        raise AssertionError

    told: list[Progress] = []
    run(tmp_path, examples, stop=after(HALF), judging=never, report=told.append)
    assert figures(tmp_path)[HALF] is None and told[-1].step == HALF
    going_on(tmp_path, examples)
    assert figures(tmp_path)[STEPS] is not None


def drawing(judge: Any) -> Any:
    """A judging that draws from chance before every word."""

    def judge_and_draw(self: PoolTrainer, weights: dict[str, Tensor], told: JudgingProgress) -> Any:
        def draw_and_tell(judged: int, of: int) -> None:
            torch.rand(3)
            told(judged, of)

        torch.rand(5)
        return judge(self, weights, draw_and_tell)

    return judge_and_draw


@pytest.fixture(scope="module")
def wholes(examples: Examples, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """For each kind of network, the folder of a run that nothing disturbs."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("wholes")
    outs = {kind: run(folder / kind, examples, recipe).out for kind, recipe in KINDS.items()}
    torch.set_num_threads(before)
    return outs


@pytest.fixture
def judging_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(PoolTrainer, "evaluate_held_out", drawing(PoolTrainer.evaluate_held_out))


@pytest.mark.usefixtures("judging_draws")
@pytest.mark.parametrize("kind", KINDS)
def test_judging_at_every_save_changes_no_bit(
    kind: str, examples: Examples, wholes: dict[str, Path], tmp_path: Path
) -> None:
    judged = run(tmp_path, examples, KINDS[kind], replace(OFTEN, steps=STEPS))
    same_as(wholes[kind], judged.out)


@pytest.mark.usefixtures("judging_draws")
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("word", [1, 2, 5])
def test_an_interrupted_judging_leaves_no_figure_and_the_run_goes_on_to_the_same_bits(
    kind: str, word: int, examples: Examples, wholes: dict[str, Path], tmp_path: Path
) -> None:
    recipe = KINDS[kind]
    words = iter(range(1000))
    schedule = replace(OFTEN, steps=STEPS)
    told = list[Progress]()

    def judging(judged: int, of: int) -> bool:
        return load_checkpoint(parts).step < HALF or next(words) + 1 < word

    parts = tmp_path / "parts"
    stopped = run(parts, examples, recipe, schedule, judging=judging, report=told.append)
    assert stopped.metrics.step == HALF, "not a step more: all is saved"
    assert [line.step for line in told] == [1, 2, 3, 4] and told[-1].held_out_exact is None
    found = figures(parts)
    assert list(found) == [1, 2, 3, 4] and found.pop(4) is None and None not in found.values()
    going_on(parts, examples, recipe)
    same_as(wholes[kind], parts)


def test_the_last_word_does_not_cost_the_figure(examples: Examples, tmp_path: Path) -> None:
    stopped = run(tmp_path, examples, schedule=OFTEN, judging=lambda judged, of: judged < of)
    assert stopped.metrics.step == 1 and figures(tmp_path)[1] is not None


def test_the_final_figure_is_made_up_for_when_the_run_is_resumed(
    examples: Examples, tmp_path: Path
) -> None:
    whole = run(tmp_path / "whole", examples)
    parts = run(tmp_path / "parts", examples, judging=lambda judged, of: False).out
    assert figures(parts)[STEPS] is None
    told: list[Progress] = []
    going_on(parts, examples, report=told.append)
    assert figures(parts) == figures(whole.out) and figures(parts)[STEPS] is not None
    assert [line.step for line in told] == [STEPS] and told[0].held_out_exact == figures(parts)[
        STEPS
    ]
    same_as(whole.out, parts)
    before = files(parts)
    going_on(parts, examples, report=told.append)
    assert files(parts) == before and len(told) == 1


# The second Ctrl-C


def interrupt(monkeypatch: pytest.MonkeyPatch, call: int) -> Callable[[], bool]:
    """The interrupt comes right before or after one of the file system's steps that matter.

    Returns whether it came.
    """
    calls = iter(range(10_000))
    came: list[bool] = []

    def wrap(owner: Any, name: str) -> None:
        true = getattr(owner, name)

        def interrupted(*arguments: Any, **more: Any) -> Any:
            if came:
                return true(*arguments, **more)
            before, behind = next(calls), next(calls)
            if before == call:
                came.append(True)
                raise KeyboardInterrupt
            result = true(*arguments, **more)
            if behind == call:
                came.append(True)
                raise KeyboardInterrupt
            return result

        monkeypatch.setattr(owner, name, interrupted)

    for owner, name in (
        (os, "fsync"),
        (Path, "replace"),
        (Path, "rename"),
        (Path, "mkdir"),
        (Path, "touch"),
        (Path, "write_bytes"),
        (Path, "open"),
        (shutil, "rmtree"),
        (puzzle_training, "evaluate"),
    ):
        wrap(owner, name)
    return lambda: bool(came)


def test_the_second_interrupt_at_any_moment_of_saving_leaves_what_was_saved(
    examples: Examples, undisturbed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Either the checkpoint before or the new one is whole, and so are the weights."""
    begun = tmp_path / "begun"
    run(begun, examples, schedule=replace(PLAN, save_seconds=0.0), stop=after(HALF))
    weights = {load("sudoku", weights=out).weights for out in (begun,)}
    steps: set[int] = set()
    left: set[tuple[str, ...]] = set()
    for call in range(10_000):
        out = tmp_path / f"{call}"
        shutil.copytree(begun, out)
        going = made(out, examples, schedule=OFTEN, checkpoint=load_checkpoint(out), stop=after(2))
        with monkeypatch.context() as patch:
            came = interrupt(patch, call)
            with suppress(KeyboardInterrupt):
                going.train()
        if not came():
            break
        found = load_checkpoint(out)
        assert not found.warning and found.step in (HALF, HALF + 1, HALF + 2)
        steps.add(found.step)
        weights.add(load("sudoku", weights=out).weights)
        assert [line.step for line in read_metrics(out)][: found.step] == list(
            range(1, found.step + 1)
        )
        # One of those that left the same files goes on.
        state = (
            str(found.step),
            *sorted(re.sub(r"\.[0-9a-f]{8}$", "", path.name) for path in out.iterdir()),
        )
        if state not in left:
            left.add(state)
            going_on(out, examples)
            same_as(undisturbed, out)
            assert list(figures(out)) == list(range(1, STEPS + 1))
        shutil.rmtree(out)
    assert call > 40 and steps == {HALF, HALF + 1, HALF + 2} and len(weights) == 3


def test_the_second_interrupt_while_it_judges_costs_the_figure_alone(
    examples: Examples, undisturbed: Path, tmp_path: Path
) -> None:
    def judging(judged: int, of: int) -> bool:
        if load_checkpoint(tmp_path).step == HALF:
            raise KeyboardInterrupt
        return True

    with pytest.raises(KeyboardInterrupt):
        run(tmp_path, examples, schedule=OFTEN, judging=judging)
    assert load_checkpoint(tmp_path).step == HALF and figures(tmp_path)[HALF] is None
    going_on(tmp_path, examples)
    same_as(undisturbed, tmp_path)


# What is judged tells how far it is


def test_puzzles_are_judged_in_even_batches_and_may_be_stopped_between_cycles(
    examples: Examples, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Enough(Exception):
        pass

    monkeypatch.setattr(puzzle_training, "default_batch_size", lambda device, config: 5)
    model = TinyRecursiveModel(PLAIN.config)
    heard: list[tuple[int, int]] = []
    task = get_task("sudoku")
    held_out = HeldOut(task, examples, CPU, cycles=3)
    rate = held_out.exact_rate(model, lambda *word: heard.append(word))
    assert [judged for judged, _ in dict.fromkeys(heard)] == [0, *range(1, 13)] and heard[-1] == (
        12,
        12,
    )
    assert heard.count((4, 12)) == 4 * 2 + 1, (
        "4 rows in 2 cycles of the second batch, and the answer before"
    )
    assert rate == held_out.exact_rate(model)
    states: list[int] = []

    def enough(judged: int, of: int) -> None:
        states.append(judged)
        if len(states) == 3:
            raise Enough

    with pytest.raises(Enough):
        held_out.exact_rate(model, enough)
    assert states == [0, 0, 0] and torch.is_grad_enabled() and not torch.is_inference_mode_enabled()
    assert [even_batch(total, 64) for total in (1, 64, 65, 128, 129, 300)] == [
        1,
        64,
        33,
        64,
        43,
        60,
    ]


# The command


JUDGED_SLOWLY = """
import signal, sys, threading
signal.signal(signal.SIGINT, signal.default_int_handler)
from trmsolve.show import training
from trmsolve.train.puzzle_training import HeldOut

training.COUNT_SECONDS = 0.0

def patient(self, model, told):
    while True:  # until it is told to end
        told(1, 2)

def stuck(self, model, told):
    told(0, 2)
    told(1, 2)
    while True:
        threading.Event().wait(0.01)

HeldOut.exact_rate = {"patient": patient, "stuck": stuck}[sys.argv.pop(1)]
from trmsolve.__main__ import main
main()
"""


def judging(kind: str, *arguments: object) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", JUDGED_SLOWLY, kind, "train", *map(str, arguments)]
    return subprocess.Popen(
        command,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        preexec_fn=heed_interrupts,
    )


def read_until(stream: IO[str] | None, text: str) -> list[str]:
    assert stream is not None
    lines: list[str] = []
    while text not in (lines[-1] if lines else ""):
        line = stream.readline()
        assert line, lines
        lines.append(line)
    return lines


def test_one_interrupt_while_it_judges_leaves_with_everything_saved(
    data: Path, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    process = judging(
        "patient", "--data", data, "--out", out, *TINY, *WHERE, "--steps", 3, "--save-minutes", 0
    )
    read_until(process.stderr, "evaluating 1/2 held-out puzzles")
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=120)
    assert process.returncode == INTERRUPTED and f"{SAVED}\n" in told
    assert (
        "evaluation stopped after 1 of 2 held-out puzzles: this step has no held-out score\n"
        in told
    )
    assert (
        f"stopped after step 1: continue with trmsolve train --resume {out}\n" in told
        and "Traceback" not in told
    )
    assert figures(out) == {1: None} and not (out / ".lock").exists()
    assert train("--resume", out, "-q").exit_code == 0
    found = figures(out)
    assert list(found) == [1, 2, 3] and found[3] is not None


def test_the_second_interrupt_leaves_a_judging_that_hears_nothing(
    data: Path, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    process = judging(
        "stuck", "--data", data, "--out", out, *TINY, *WHERE, "--steps", 3, "--save-minutes", 0
    )
    read_until(process.stderr, "evaluating 1/2 held-out puzzles")
    process.send_signal(signal.SIGINT)
    read_until(process.stderr, SAVED)
    process.send_signal(signal.SIGINT)
    _, told = process.communicate(timeout=120)
    assert (
        process.returncode == INTERRUPTED
        and told.endswith("trmsolve: interrupted\n")
        and "Traceback" not in told
    )
    assert load_checkpoint(out).step == 1 and figures(out) == {1: None}
    assert load("sudoku", weights=out).weights
    assert train("--resume", out, "-q").exit_code == 0 and list(figures(out)) == [1, 2, 3]


SLOW_STEP = """
import signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)
from trmsolve.train.trainer import Trainer

true, steps = Trainer.step, iter(range(100))

def step(self, *arguments):
    if next(steps) == 2:
        print("the third step", file=sys.stderr, flush=True)
        sys.stdin.readline()
    return true(self, *arguments)

Trainer.step = step
from trmsolve.__main__ import main
main()
"""


def test_the_key_is_acknowledged_within_the_step(data: Path, tmp_path: Path) -> None:
    """The step goes on only when the acknowledgement was read."""
    out = tmp_path / "run"
    command = [
        sys.executable,
        "-c",
        SLOW_STEP,
        "train",
        "--data",
        data,
        "--out",
        out,
        *TINY,
        *WHERE,
        "--steps",
        9,
    ]
    process = subprocess.Popen(
        [*map(str, command)],
        stdin=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=heed_interrupts,
    )
    read_until(process.stderr, "the third step")
    process.send_signal(signal.SIGINT)
    assert read_until(process.stderr, "stopping") == [f"{SAVING}\n"]
    _, told = process.communicate("\n", timeout=120)
    assert (
        process.returncode == INTERRUPTED
        and f"stopped after step 3: continue with trmsolve train --resume {out}" in told
    )
    assert load_checkpoint(out).step == 3 and figures(out) == {3: None}


def test_several_processes_leave_together_when_the_first_stops_judging(
    data: Path, tmp_path: Path
) -> None:
    out, script = tmp_path / "run", tmp_path / "judged_slowly.py"
    script.write_text(JUDGED_SLOWLY)
    command = [
        sys.executable,
        "-m",
        "torch.distributed.run",
        "--standalone",
        "--nproc-per-node",
        "2",
        script,
        "patient",
        "train",
        "--data",
        data,
        "--out",
        out,
        *TINY,
        *WHERE,
        "--steps",
        9,
        "--save-minutes",
        0,
    ]
    process = subprocess.Popen(
        [*map(str, command)],
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "OMP_NUM_THREADS": "1", "PYTHONPATH": str(ROOT)},
    )
    read_until(process.stderr, "evaluating 1/2 held-out puzzles")
    process.send_signal(signal.SIGTERM)
    _, told = process.communicate(timeout=120)
    assert "stopped after step 1: continue with" in told and "forcefully exiting" not in told, told
    assert figures(out) == {1: None} and load_checkpoint(out).step == 1
    assert train("--resume", out, "--steps", 2, "-q").exit_code == 0 and list(figures(out)) == [
        1,
        2,
    ]
