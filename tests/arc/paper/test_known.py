"""Tasks that a network with a table knows: how they are recognised, and the vote of their rows."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from tests.support.checkpoints import CONFIG, official_state
from trmsolve.arc.paper.answering import VariantVote
from trmsolve.arc.paper.known import Known, Recognised
from trmsolve.arc.paper.variants import FIRST_COLOUR, PLAIN, Augmentation, encode
from trmsolve.arc.symmetry import crop
from trmsolve.arc.task import ArcCycle, ArcTask, Pair
from trmsolve.errors import WeightsError
from trmsolve.model.network import Prediction, State, TinyRecursiveModel
from trmsolve.puzzles.values import Grid
from trmsolve.weights.convert import Checkpoint, convert
from trmsolve.weights.file import load_model


def grid_of(*rows: list[int]) -> Grid:
    return np.array(rows, np.int8)


def pairs(*grids: Grid) -> tuple[Pair, ...]:
    return tuple(
        Pair(question, answer) for question, answer in zip(grids[::2], grids[1::2], strict=True)
    )


A, B, C, D = grid_of([1, 2]), grid_of([3], [4]), grid_of([5, 6, 7]), grid_of([8])
ONE = ArcTask("one", pairs(A, B, C, D), pairs(B, A))
TWO = ArcTask("two", pairs(D, C), pairs(A, A))
NAMES = [
    "<blank>",
    "one|||t1|||0213456789",
    "one",
    "two",
    "one|||t6|||0123456798",
    "three|||t0|||0213456789",
]


def beside(folder: Path, names: list[str] = NAMES) -> Known:
    plain = {
        task.name: {
            key: [{"input": pair.input.tolist(), "output": pair.output.tolist()} for pair in part]  # type: ignore[union-attr]
            for key, part in (("train", task.demonstrations), ("test", task.tests))
        }
        for task in (ONE, TWO)
    }
    (folder / "identifiers.json").write_text(json.dumps(names))
    (folder / "test_puzzles.json").write_text(json.dumps(plain))
    known = Known.beside(folder / "step_1")
    assert known is not None
    return known


def test_a_task_is_known_by_its_demonstrations_whatever_its_name(tmp_path: Path) -> None:
    known = beside(tmp_path)
    expected = Recognised(
        "one",
        (1, 2, 4),
        (
            Augmentation(1, (0, 2, 1, 3, 4, 5, 6, 7, 8, 9)),
            PLAIN,
            Augmentation(6, (0, 1, 2, 3, 4, 5, 6, 7, 9, 8)),
        ),
        by_content=True,
    )
    renamed = ArcTask(
        "mine", ONE.demonstrations[::-1], (Pair(C),)
    )  # in another order, asking something else
    assert (
        known.find(ONE) == known.find(renamed) == known.find(replace(ONE, name="two")) == expected
    )


def test_a_name_is_believed_only_where_no_content_speaks_against_it(tmp_path: Path) -> None:
    known = beside(tmp_path)
    assert (
        known.find(replace(TWO, demonstrations=pairs(D, A))) is None
    )  # the name of one, with other demonstrations
    assert known.find(ArcTask("four", pairs(A, A), ())) is None
    three = known.find(ArcTask("three", pairs(A, A), ()))
    assert three is not None and three.rows == (5,) and not three.by_content
    (tmp_path / "test_puzzles.json").unlink()
    bare = Known.beside(tmp_path)
    assert bare is not None
    assert bare.find(ONE) == replace(known.find(ONE), by_content=False)  # type: ignore[type-var]
    assert (
        bare.find(replace(ONE, name="<blank>")) is None
        and bare.find(replace(ONE, name="mine")) is None
    )


def test_where_nothing_is_said_nothing_is_known(tmp_path: Path) -> None:
    assert Known.beside(tmp_path) is None and Known.beside(tmp_path / "step_1") is None


@pytest.mark.parametrize(
    ("file", "text", "told"),
    [
        ("identifiers.json", "[", "identifiers.json is damaged: it is not JSON"),
        ("identifiers.json", "{}", "identifiers.json is not a list of names"),
        ("identifiers.json", "[1]", "identifiers.json is not a list of names"),
        ("test_puzzles.json", "[", "test_puzzles.json"),
        ("test_puzzles.json", '{"one": {"train": [], "test": []}}', "task one: no demonstration"),
    ],
)
def test_a_damaged_file_beside_the_network_is_told(
    tmp_path: Path, file: str, text: str, told: str
) -> None:
    beside(tmp_path)
    (tmp_path / file).write_text(text)
    with pytest.raises(WeightsError, match=told):
        Known.beside(tmp_path)


def test_an_odd_name_is_told_when_it_is_met(tmp_path: Path) -> None:
    known = beside(tmp_path, [*NAMES, "two|||x|||y"])
    assert known.find(ONE) is not None
    with pytest.raises(WeightsError, match=r"'two\|\|\|x\|\|\|y' is not the name of a variant"):
        known.find(TWO)


def test_of_many_variants_some_are_chosen_the_task_as_it_is_first() -> None:
    variants = tuple(Augmentation(symmetry) for symmetry in (3, 5, 0, 1, 2))
    found = Recognised("one", (10, 11, 12, 13, 14), variants, True)
    some = found.some(3)
    assert some.rows[0] == 12 and some.variants[0] == PLAIN and len(set(some.rows)) == 3
    assert all(
        found.variants[found.rows.index(row)] == view
        for row, view in zip(some.rows, some.variants, strict=True)
    )
    assert some == found.some(3) and {found.some(2, seed).rows for seed in range(30)} == {
        (12, row) for row in (10, 11, 13, 14)
    }
    assert sorted(found.some(99).rows) == [10, 11, 12, 13, 14] and found.some(1).rows == (12,)


# Answering it.


class Told(TinyRecursiveModel):
    """A network that has a given canvas for each row of its table, surer with each cycle."""

    def __init__(self, told: list[np.ndarray]) -> None:
        super().__init__(replace(CONFIG, num_puzzles=len(told), layers=1))
        self.told, self.asked = told, list[Tensor]()

    def forward(self, state: Any, tokens: Tensor, ids: Any = None) -> Any:
        self.asked.append(tokens)
        logits = torch.stack(
            [torch.eye(12)[torch.from_numpy(self.told[row].reshape(900)).long()] for row in ids]
        )
        cycle = (
            state.y[:, 0, 0]
            if len(self.asked) > 1 and state.z[0, 0, 0] == 99
            else torch.zeros(len(ids))
        )
        y, z = torch.zeros_like(state.y), torch.full_like(state.z, 99)
        y[:, 0, 0] = cycle + 1
        return State(y, z), Prediction(
            logits * (cycle + 1)[:, None, None], torch.stack([cycle + ids, cycle], 1)
        )


VIEWS = [PLAIN, Augmentation(1, (0, 2, 1, 3, 4, 5, 6, 7, 8, 9)), Augmentation(6), Augmentation(4)]


def telling(grids: list[Grid]) -> Told:
    """Row k says the grid k, as its variant shows it."""
    return Told([encode(view.apply(grid)) for view, grid in zip(VIEWS, grids, strict=True)])


def test_the_variants_of_a_task_vote_and_the_first_that_won_is_shown() -> None:
    model, frames = telling([C, B, D, B]), list[ArcCycle]()
    task = ArcTask("one", ONE.demonstrations, (Pair(A, B), Pair(C)))
    answer = VariantVote(
        model, task, VIEWS, batch_size=3, cycles=4, on_cycle=frames.append, keep_steps=True
    ).answer()
    assert [[(one.grid.tolist(), one.votes) for one in found] for found in answer.candidates] == [
        [(B.tolist(), 2), (D.tolist(), 1), (C.tolist(), 1)]
    ] * 2
    # The halt logits of the last cycle are the cycle's number and the row's.
    surest = [1 / (1 + np.exp(-(3 + row))) for row in range(4)]
    assert [one.halt for one in answer.candidates[0]] == pytest.approx(
        [(surest[1] + surest[3]) / 2, surest[2], surest[0]]
    )
    assert answer.right(0) and answer.right(1) is None and answer.adapting is None
    assert (answer.cycles, answer.views) == (4 * 4 * 2, 4)
    assert len(frames) == answer.cycles and {frame.number for frame in frames} == {1, 2, 3, 4}
    assert [(one.test, one.number, one.view) for one in answer.steps] == [
        (test, number, 2) for test in (0, 1) for number in (1, 2, 3, 4)
    ]
    for frame in frames:
        assert frame.grid.shape == frame.confidence.shape and (frame.limit, frame.views) == (4, 4)
        assert frame.grid.tolist() == [C, B, D, B][frame.view - 1].tolist()
    assert frames[0].confidence[0, 0] < frames[-1].confidence[0, 0] < 1
    # What was asked is each test in the clothes of each variant, in the corner of the canvas.
    assert {tokens.shape[0] for tokens in model.asked} == {3, 2}
    seen = torch.cat([model.asked[0], model.asked[4], model.asked[8]])
    shown = [view.apply(test.input) for view in VIEWS for test in task.tests]
    assert [crop(canvas.reshape(30, 30), FIRST_COLOUR).tolist() for canvas in seen.numpy()] == [
        grid.tolist() for grid in shown
    ]


def test_confidence_is_turned_back_with_the_cells() -> None:
    model = telling([grid_of([1, 2, 3])] * 4)
    frames: list[ArcCycle] = []
    VariantVote(model, TWO, VIEWS, cycles=1, on_cycle=frames.append).answer()
    assert [frame.confidence.shape for frame in frames] == [(1, 3)] * 4


def test_nothing_said_is_an_answer_without_cells() -> None:
    model = Told([np.zeros((30, 30), np.uint8)])
    frames: list[ArcCycle] = []
    answer = VariantVote(model, TWO, [PLAIN], cycles=2, on_cycle=frames.append).answer()
    assert answer.candidates[0][0].grid.shape == frames[0].confidence.shape == (0, 0)
    assert answer.steps == () and answer.right(0) is False


@pytest.mark.parametrize(
    ("after", "views", "cycles"),
    [(0, 1, 2), (1, 1, 3), (2, 1, 3), (3, 1, 4), (4, 1, 5), (5, 2, 6), (99, 4, 16)],
)
def test_a_stop_leaves_an_answer_of_what_is_known(after: int, views: int, cycles: int) -> None:
    """Two tests, one at a time, two cycles a view.

    A view that did not do all its cycles does not vote beside others.
    """
    asked: list[int] = []
    task = ArcTask("one", ONE.demonstrations, (Pair(A), Pair(C)))
    answer = VariantVote(
        telling([C, B, D, B]),
        task,
        VIEWS,
        batch_size=1,
        cycles=2,
        stop=lambda: asked.append(1) or len(asked) > after,
    ).answer()
    assert all(found for found in answer.candidates)
    assert (answer.views, answer.cycles) == (views, cycles)


def test_networks_of_another_form_are_refused() -> None:
    for changes, told in (
        ({"vocab_size": 11}, "has 11 tokens and 900 positions, but ARC needs"),
        ({"seq_len": 81}, "has 12 tokens and 81 positions"),
        ({"puzzle_emb_dim": 0, "prefix_len": 0, "num_puzzles": 1}, "and no table"),
    ):
        model = TinyRecursiveModel(replace(CONFIG, layers=1, **changes))
        with pytest.raises(WeightsError, match=told):
            VariantVote(model, ONE, [PLAIN]).answer()
    with pytest.raises(ValueError, match="1 variants for a table of 50 rows"):
        VariantVote(TinyRecursiveModel(replace(CONFIG, layers=1)), ONE, [PLAIN]).answer()


def test_a_checkpoint_is_asked_about_a_task_that_it_knows(tmp_path: Path) -> None:
    """From files to an answer, with a network that was never trained."""
    torch.save(official_state(), tmp_path / "step_1")
    (tmp_path / "config.json").write_text('{"H_cycles": 1, "L_cycles": 1}')
    found = beside(tmp_path).find(replace(ONE, name="mine"))
    assert found is not None
    some = found.some(2)
    path = tmp_path / "arc.safetensors"
    convert(Checkpoint.open(tmp_path / "step_1"), path)
    model = load_model(path, "arc", torch.float32, torch.device("cpu"), some.rows)
    answer = VariantVote(model, ONE, some.variants, cycles=2).answer()
    assert answer.cycles == 4 and answer.views == 2 and len(answer.attempts(0)) == 2
