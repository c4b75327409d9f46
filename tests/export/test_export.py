"""Exported graphs give what torch gives, for every kind of network and every size of a batch."""

from dataclasses import replace
from pathlib import Path

import pytest
import torch
from typer.testing import CliRunner

from tests.support.graphs import CONFIG, needs_exporter, needs_runtime
from trmsolve.cli import app
from trmsolve.export.check import _is_tied, compare
from trmsolve.export.cycle import cycle_of
from trmsolve.export.graph import write_graph
from trmsolve.export.samples import questions
from trmsolve.model.build import new_model
from trmsolve.model.config import TRMConfig
from trmsolve.solve.feedback import feedback_for
from trmsolve.solve.onnx_network import load_onnx
from trmsolve.weights.file import fingerprint, read_info, save_weights
from trmsolve.weights.graph import read_graph
from trmsolve.weights.info import WeightsInfo

pytestmark = [needs_runtime, needs_exporter, pytest.mark.slow]

ATTENTION = replace(CONFIG, mixer="attention", positions="rope", num_heads=2)
KINDS: dict[str, tuple[str, TRMConfig]] = {
    "paper, attention": ("none", ATTENTION),
    "paper, MLP": ("none", CONFIG),
    "paper, with a table": (
        "arc",
        replace(ATTENTION, puzzle_emb_dim=16, prefix_len=1, num_puzzles=7, positions="learned"),
    ),
    "lattice": (
        "sudoku",
        replace(
            CONFIG, mixer="lattice", vocab_size=2, seq_len=729, board=(9, 9, 3, 3), candidates=9
        ),
    ),
    "convolution": (
        "maze",
        replace(
            CONFIG,
            mixer="conv",
            vocab_size=18,
            seq_len=900,
            board=(30, 30, 1, 1),
            feeds_back_answer=True,
            frozen_tokens=(1, 3),
            recursions=2,
        ),
    ),
    "planes": (
        "arc",
        replace(
            CONFIG,
            mixer="planes",
            seq_len=900,
            board=(30, 30, 1, 1),
            symmetries=8,
            puzzle_emb_dim=6 * 16,
            num_puzzles=3,
            vocab_size=5,
        ),
    ),
}


@pytest.mark.parametrize("kind", KINDS)
def test_a_graph_is_the_network(kind: str, tmp_path: Path) -> None:
    task, config = KINDS[kind]
    torch.manual_seed(0)
    model = new_model(config).eval().requires_grad_(False)
    torch.nn.init.normal_(model.q_head.weight)
    path = tmp_path / "a.onnx"
    write_graph(path, cycle_of(model), WeightsInfo(config, task), "b" * 64)
    about = read_graph(path)
    assert about.info.config == config and about.inputs["tokens"][0] == "batch"
    if kind in ("convolution", "planes"):
        assert about.inputs["tokens"][1:] == ("rows", "columns")
    cycle = cycle_of(model)
    graph = load_onnx(path, None, 1)
    for number in (1, 5):  # a batch of one, and several
        found = compare(cycle, graph, questions(cycle, task, number), 3)
        assert found.same and (found.puzzles, found.cycles) == (number, 3), found
    other = new_model(config).eval()
    assert not compare(cycle_of(other), graph, questions(cycle, task, 2), 2).same


def test_only_values_that_are_equal_up_to_rounding_are_tied() -> None:
    lattice = feedback_for(new_model(KINDS["lattice"][1]))
    tokens = torch.ones(1, 729, dtype=torch.long)
    tokens[0, 9:17] = 0  # one candidate is left in the second cell
    logits = torch.zeros(1, 729, 2)
    logits[0, 18, 1] = 1e-6  # the third cell is tied, the fourth is not
    logits[0, 27, 1] = 0.01
    tied = _is_tied(lattice, logits, tokens).reshape(81, 9)
    assert (tied == tied[:, :1]).all()
    assert tied[:5, 0].tolist() == [True, False, True, False, True]
    plain = feedback_for(new_model(CONFIG))
    logits = torch.tensor([[[3.0, 3.00001, 0.0], [3.0, 3.1, 0.0]]])
    assert _is_tied(plain, logits, tokens).tolist() == [[True, False]]


def test_the_command_writes_a_checked_graph_and_nothing_else(tmp_path: Path) -> None:
    config = KINDS["lattice"][1]
    weights = tmp_path / "w.safetensors"
    save_weights(weights, new_model(config).state_dict(), WeightsInfo(config, "sudoku"))
    out = tmp_path / "m.onnx"
    given = ["export", "sudoku", "--weights", str(weights), "--out", str(out), "--puzzles", "4"]
    done = CliRunner().invoke(app, given)
    assert done.exit_code == 0, done.stderr
    assert "the same grids as torch in 16 cycles of 4 puzzles" in done.stdout
    graph = read_graph(out)
    assert graph.fingerprint == fingerprint(weights) and graph.info == read_info(weights)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["m.onnx", "w.safetensors"]


def test_a_graph_that_differs_is_not_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = KINDS["lattice"][1]
    weights = tmp_path / "w.safetensors"
    save_weights(weights, new_model(config).state_dict(), WeightsInfo(config, "sudoku"))
    monkeypatch.setattr("trmsolve.export.check.CLOSE", -1.0)
    out = tmp_path / "m.onnx"
    given = ["export", "sudoku", "--weights", str(weights), "--out", str(out), "--puzzles", "1"]
    done = CliRunner().invoke(app, given)
    assert done.exit_code == 3 and "is not the same network" in done.stderr
    assert not out.exists()


def test_wrong_names_are_told_before_any_work(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["export", "sudoku", "--out", str(tmp_path / "m.pt")])
    assert done.exit_code == 2 and "ends in .onnx" in done.stderr
    done = CliRunner().invoke(app, ["export", "chess", "--out", str(tmp_path / "m.onnx")])
    assert done.exit_code in (2, 3) and "chess" in done.stderr
