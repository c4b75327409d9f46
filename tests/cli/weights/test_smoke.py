"""The smoke score: high for weights that are alive, nothing for those that have learned nothing."""

from dataclasses import replace
from pathlib import Path

import pytest

from trmsolve.cli.weights.smoke import little_tasks, smoke
from trmsolve.model.build import new_model
from trmsolve.weights.file import bundled_weights, read_info, save_weights
from trmsolve.weights.info import WeightsInfo


@pytest.mark.usefixtures("process_as_it_was", "one_thread")
@pytest.mark.parametrize("task", ["sudoku", "maze", "arc"])
def test_the_bundled_weights_answer_what_untrained_ones_do_not(
    task: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = list[int]()
    score = smoke(bundled_weights(task), task, 2, told=told.append, threads=1)
    assert (score.n, score.right) == (2, 2)
    assert told == [1, 2]
    config = replace(read_info(bundled_weights(task)).config, num_puzzles=1)
    untrained = tmp_path / "untrained.safetensors"
    save_weights(untrained, new_model(config).state_dict(), WeightsInfo(config, task))
    monkeypatch.setattr("trmsolve.cli.weights.smoke.VIEWS", 1)  # it would need all of them
    assert smoke(untrained, task, 1, threads=1).right == 0


def test_the_little_tasks_are_always_the_same_and_each_is_another() -> None:
    one, same = list(little_tasks(4)), list(little_tasks(4))
    for task, twin in zip(one, same, strict=True):
        assert task.name == twin.name and (task.tests[0].input == twin.tests[0].input).all()
        assert len(task.demonstrations) == 3 and task.answered
    assert len({task.tests[0].input.tobytes() for task in one}) == 4
