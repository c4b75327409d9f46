"""Small runs, and what is compared of them."""

import json
from collections.abc import Callable
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
import torch

from trmsolve.device import Placement
from trmsolve.model.config import TRMConfig
from trmsolve.puzzles.registry import get_task
from trmsolve.solve.solver import load
from trmsolve.train.checkpoint import load_checkpoint
from trmsolve.train.data import Examples
from trmsolve.train.puzzle_training import PuzzleTrainingData
from trmsolve.train.recipes import Recipe
from trmsolve.train.run import Run
from trmsolve.train.schedule import Progress, Schedule

CPU = Placement(torch.device("cpu"), torch.float32, "")
DIGITS = TRMConfig(
    vocab_size=11,
    seq_len=81,
    hidden_size=16,
    layers=1,
    recursions=2,
    latent_steps=1,
    mixer="mlp",
    positions="none",
    board=(9, 9, 3, 3),
    inner_multiple=16,
)
LATTICE = replace(
    DIGITS,
    vocab_size=2,
    seq_len=729,
    hidden_size=8,
    mixer="lattice",
    candidates=9,
    halt_from="mean",
)
PAPER = replace(DIGITS, mixer="mlp", board=None, puzzle_emb_dim=16, prefix_len=1)
PLAIN = Recipe(DIGITS, batch_size=6, max_cycles=3, exploration=0.5, reveal_prob=0.5)
KINDS = {
    "plain": PLAIN,
    "noisy": replace(PLAIN, config=replace(DIGITS, update_noise=0.2)),
    "lattice": replace(PLAIN, config=LATTICE, guess_prob=0.9),
    "derived": replace(PLAIN, config=LATTICE, derivations=5),
    "paper": replace(PLAIN, config=PAPER, optimizer="adam_atan2", loss="stablemax", clip=None),
}
STEPS, HALF = 8, 4
PLAN = Schedule(steps=STEPS, seed=5, held_out=2, log_seconds=0.0)


@pytest.fixture(scope="module")
def examples() -> Examples:
    return Examples.collect(get_task("sudoku"), islice(get_task("sudoku").generate("easy", 5), 12))


def after(steps: int) -> Callable[[], bool]:
    """A ``stop`` that says so once so many steps are done."""
    asked = iter(range(1000))
    return lambda: next(asked) >= steps


def training_data(examples: Examples, recipe: Recipe = PLAIN) -> PuzzleTrainingData:
    return PuzzleTrainingData(get_task("sudoku", recipe.config.vocab_size), examples)


def made(
    out: Path, examples: Examples, recipe: Recipe = PLAIN, schedule: Schedule = PLAN, **more: Any
) -> Run:
    return Run(
        training_data=training_data(examples, recipe),
        recipe=recipe,
        out=out,
        schedule=schedule,
        placement=CPU,
        **more,
    )


def run(
    out: Path, examples: Examples, recipe: Recipe = PLAIN, schedule: Schedule = PLAN, **more: Any
) -> Run:
    trained = made(out, examples, recipe, schedule, **more)
    trained.train()
    return trained


def going_on(
    out: Path, examples: Examples, recipe: Recipe = PLAIN, schedule: Schedule = PLAN, **more: Any
) -> Run:
    torch.manual_seed(0)  # whatever chance another process begins with
    torch.rand(3)
    return run(out, examples, recipe, schedule, checkpoint=load_checkpoint(out), **more)


def kept(out: Path, step: int = STEPS) -> tuple[bytes, bytes, dict[str, Any]]:
    """What a run left, to the bit: the tensors, the weights, and the record without its times."""
    folder = out / f"step-{step:08d}"
    state = json.loads((folder / "state.json").read_text())["state"]
    state.pop("seconds"), state["plan"].pop("save_seconds")
    return (
        (folder / "state.safetensors").read_bytes(),
        load("sudoku", weights=out).weights.encode(),
        state,
    )


def curve(lines: list[Progress]) -> list[tuple[Any, ...]]:
    return [
        (p.step, p.done, p.loss, p.token_accuracy, p.mean_cycles, p.solved, p.lr) for p in lines
    ]
