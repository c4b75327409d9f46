"""Networks in the paper's form: a known task is answered by its rows, another in new ones."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from tests.support.checkpoints import CONFIG, official_state
from trmsolve.arc.paper.adapt import examples_of
from trmsolve.arc.paper.solver import PaperSolver
from trmsolve.arc.paper.variants import PLAIN, Augmentation, draw_variants
from trmsolve.arc.solver import load_arc
from trmsolve.arc.task import AdaptationProgress, ArcAnswer, ArcTask, Pair
from trmsolve.errors import UsageError, WeightsError
from trmsolve.model.network import TinyRecursiveModel
from trmsolve.weights.convert import Checkpoint, convert
from trmsolve.weights.file import save_weights
from trmsolve.weights.info import WeightsInfo


def task(name: str, colour: int) -> ArcTask:
    """Two cells, of which the second becomes the colour."""
    grids = [np.array([[first, 0]], np.int8) for first in (1, 2, 3)]
    pairs = [Pair(grid, np.array([[grid[0, 0], colour]], np.int8)) for grid in grids]
    return ArcTask(name, tuple(pairs[:2]), (pairs[2],))


KNOWN, NEW = task("known", 5), task("new", 7)


@pytest.fixture(autouse=True)
def small(monkeypatch: pytest.MonkeyPatch) -> None:
    """900 cells of each grid are many for a test."""
    torch.set_num_threads(1)
    monkeypatch.setattr("trmsolve.arc.paper.adapt.VARIANTS", 4)
    monkeypatch.setattr("trmsolve.arc.paper.adapt.ROWS_CPU", 1)


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """As the public code leaves it, with the names of its rows and the tasks beside it."""
    folder = tmp_path_factory.mktemp("public")
    views = draw_variants(KNOWN, CONFIG.num_puzzles - 2, np.random.default_rng(0))
    (folder / "identifiers.json").write_text(
        json.dumps(["<blank>", *(view.name("known") for view in views)])
    )
    pairs = [
        {"input": p.input.tolist(), "output": p.output.tolist()}
        for p in KNOWN.demonstrations
        if p.output is not None
    ]
    asked = [{"input": test.input.tolist()} for test in KNOWN.tests]
    (folder / "test_puzzles.json").write_text(
        json.dumps({"known": {"train": pairs, "test": asked}})
    )
    (folder / "config.json").write_text('{"H_cycles": 1, "L_cycles": 1}')
    torch.save(official_state(), folder / "step_1")
    convert(Checkpoint.open(folder / "step_1"), folder / "step_1.safetensors")
    return folder / "step_1.safetensors"


def answer(
    path: Path, asked: ArcTask, told: list[AdaptationProgress] | None = None, steps: int = 1
) -> ArcAnswer:
    solver = load_arc(weights=path, steps=steps, cycles=1, views=3)
    assert isinstance(solver, PaperSolver)
    (found,) = solver.solve_all([asked], None if told is None else told.append)
    assert isinstance(found, ArcAnswer)
    return found


def test_a_known_task_is_answered_without_learning_by_its_rows(checkpoint: Path) -> None:
    found = answer(checkpoint, KNOWN)
    assert found.adapting is None and found.views == 3 and len(found.attempts(0)) == 2
    renamed = answer(checkpoint, replace(KNOWN, name="of another name"))
    assert renamed.adapting is None and np.array_equal(renamed.attempts(0)[0], found.attempts(0)[0])


@pytest.mark.slow
def test_another_task_is_learned_first_and_says_how(checkpoint: Path) -> None:
    before, told = checkpoint.read_bytes(), list[AdaptationProgress]()
    found = answer(checkpoint, NEW, told, steps=3)
    assert checkpoint.read_bytes() == before
    assert (
        [one.step for one in told] == [1, 2, 3]
        and told[-1] == found.adapting
        and told[-1].ended == "steps"
    )
    assert np.isfinite([one.loss for one in told]).all() and found.views > 3
    assert (
        answer(checkpoint, replace(NEW, name="known"), steps=1).adapting is not None
    )  # a name alone is not enough


@pytest.mark.slow
def test_a_stop_answers_with_what_is_learned_and_begins_nothing(checkpoint: Path) -> None:
    told = list[AdaptationProgress]()
    solver = load_arc(weights=checkpoint, steps=50, cycles=1, views=2)
    found = list(solver.solve_all([NEW, NEW], told.append, stop=lambda: len(told) >= 2))
    assert len(found) == 1 and isinstance(found[0], ArcAnswer)
    assert found[0].adapting is not None and found[0].adapting.ended == "interrupted"


def test_damage_is_found_though_rows_are_read_alone(checkpoint: Path, tmp_path: Path) -> None:
    data = bytearray(checkpoint.read_bytes())
    data[-100] ^= 1
    (tmp_path / "arc.safetensors").write_bytes(data)
    with pytest.raises(WeightsError, match="does not match its checksum"):
        load_arc(weights=tmp_path / "arc.safetensors")


def test_large_networks_of_this_form_are_taken_if_that_is_wanted(tmp_path: Path) -> None:
    config, path = replace(CONFIG, layers=17), tmp_path / "arc.safetensors"
    save_weights(path, official_state(config, ""), WeightsInfo(config, "arc"), None)
    with pytest.raises(
        WeightsError, match="layers is 17, more than the 16 allowed: use --allow-large to accept it"
    ):
        load_arc(weights=path)
    solver = load_arc(weights=path, allow_large=True)
    assert (
        isinstance(solver, PaperSolver) and solver.network([0], torch.float32).config.layers == 17
    )


def test_a_pickle_is_for_the_converter_alone(checkpoint: Path) -> None:
    with pytest.raises(
        WeightsError, match=r"step_1 is a pickled checkpoint.*trmsolve weights convert"
    ):
        load_arc(weights=checkpoint.with_suffix(""))


def test_what_does_not_go_with_this_form_is_refused(checkpoint: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="one task at a time"):
        load_arc(weights=checkpoint, batch=2)
    with pytest.raises(UsageError, match="cannot be saved after adaptation"):
        load_arc(weights=checkpoint, save_adapted=tmp_path / "kept.safetensors")
    maze = replace(CONFIG, vocab_size=6)
    save_weights(tmp_path / "m.safetensors", official_state(maze, ""), WeightsInfo(maze, "maze"))
    with pytest.raises(WeightsError, match="was trained for maze"):
        load_arc(weights=tmp_path / "m.safetensors")
    save_weights(
        tmp_path / "no.safetensors",
        TinyRecursiveModel(CONFIG).state_dict(),
        WeightsInfo(CONFIG, "sudoku"),
    )
    with pytest.raises(WeightsError, match="was trained for sudoku"):
        load_arc(weights=tmp_path / "no.safetensors")


def test_a_new_task_has_a_row_for_the_task_as_it_is_and_for_each_variant() -> None:
    examples = examples_of(NEW, seed=0)
    assert len(examples.learned) == 2 and not examples.held_out
    assert 2 < examples.num_puzzles <= 4
    views = [examples.variant(row) for row in range(examples.num_puzzles)]
    assert (
        views[0] == PLAIN and len(set(views)) == len(views) and isinstance(views[1], Augmentation)
    )
