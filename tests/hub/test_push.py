"""Publishing weights: what goes into the repository, what its card says, and who may."""

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml  # type: ignore[import-untyped]
from huggingface_hub import ModelCard, ModelCardData, constants
from safetensors.torch import save

from tests.support.fake_hub import (
    READER,
    WRITER,
    Failure,
    FakeHub,
    FakeRepo,
    fake_hub,
    find,
    no_sockets,
    run_command,
)
from trmsolve.cli.weights.hub import push as command
from trmsolve.errors import NetworkError, TrmsolveError, UsageError
from trmsolve.hub.address import Address
from trmsolve.hub.transfer import push
from trmsolve.model.config import TRMConfig
from trmsolve.model.network import TinyRecursiveModel
from trmsolve.weights import limits
from trmsolve.weights.card import package, results_of
from trmsolve.weights.file import (
    bundled_weights,
    fingerprint,
    load_model,
    read_info,
    record_score,
    save_weights,
)
from trmsolve.weights.info import WeightsInfo

CONFIG = TRMConfig(
    vocab_size=11, seq_len=81, hidden_size=16, num_heads=2, layers=1, recursions=1, latent_steps=1
)
HERE = Address.parse("hf://me/trm")
MEASURED = {
    "sudoku": ("exact", "verified"),
    "maze": ("exact", "verified", "optimal"),
    "arc": ("pass@2", "pass@1"),
}
FILES = {"model.safetensors": b"\0weights\xff", "README.md": b"# a card\n"}


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeHub]:
    with fake_hub(tmp_path, monkeypatch) as running:
        monkeypatch.setenv("HF_TOKEN", WRITER)
        yield running


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """A run's folder with weights for Sudoku."""
    folder = tmp_path / "run"
    folder.mkdir()
    info = WeightsInfo(CONFIG, "sudoku", {"recipe": "laptop", "steps": 3, "settings": {"lr": 0.01}})
    save_weights(folder / "sudoku.safetensors", TinyRecursiveModel(CONFIG).state_dict(), info)
    return folder


def figures(path: Path, **more: Any) -> dict[str, Any]:
    """As ``eval --json`` has them."""
    weights = f"{path.name}@{fingerprint(path)[:12]}"
    rates = {"exact": 0.5, "exact_ci95": [0.2366, 0.7634], "cell": 0.9, "verified": 0.75}
    return {
        "task": "sudoku",
        "data": "some.csv",
        "n": 10,
        **rates,
        "cycles": 16,
        "views": 1,
        "weights": weights,
        **more,
    }


def header(card: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(card.split("---\n")[1])
    return found


# What is sent, and who may send it.


def test_all_files_go_into_one_commit_of_a_new_repository(
    hub: FakeHub, capfd: pytest.CaptureFixture[str]
) -> None:
    assert push(FILES, HERE, message="a first one") == f"{hub.endpoint}/me/trm"
    repo = hub.repos["me/trm"]
    assert list(repo.commits.values()) == [FILES]
    assert not repo.private
    assert capfd.readouterr() == ("", "")
    push({"README.md": b"# another\n"}, HERE)
    assert repo.commits[repo.refs["main"]] == {**FILES, "README.md": b"# another\n"}, (
        "the others stay"
    )
    push({"README.md": b"# another\n"}, HERE)


def test_what_is_pushed_is_found(hub: FakeHub, made: Path) -> None:
    path = made / "sudoku.safetensors"
    push(package(path, "me/trm"), HERE)
    assert find(HERE).read_bytes() == path.read_bytes()
    load_model(find(HERE), "sudoku", torch.float32, torch.device("cpu"))


def test_private_means_private(hub: FakeHub) -> None:
    push(FILES, HERE, private=True)
    assert hub.repos["me/trm"].private
    push(FILES | {"more.txt": b"more"}, HERE, private=True)
    hub.repos["me/open"] = FakeRepo()
    with pytest.raises(
        UsageError, match="hf://me/open already exists and is public, nothing was pushed"
    ):
        push(FILES, Address("me/open"), private=True)
    assert hub.repos["me/open"].commits == {}


@pytest.mark.parametrize("exists", [False, True])
@pytest.mark.parametrize(
    ("token", "told"),
    [(READER, "you have no write access to"), ("hf_made_up", "you have no write access to")],
)
def test_whoever_may_not_write(
    hub: FakeHub, monkeypatch: pytest.MonkeyPatch, token: str, told: str, exists: bool
) -> None:
    monkeypatch.setenv("HF_TOKEN", token)
    if exists:
        hub.repo("me/trm", {"README.md": b"theirs"})
    with pytest.raises(UsageError, match=told) as raised:
        push(FILES, HERE)
    assert token not in str(raised.value)
    assert "\n" not in str(raised.value)


def test_without_a_token_nothing_is_asked(hub: FakeHub, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("HF_TOKEN")
    no_sockets(monkeypatch)
    with pytest.raises(
        UsageError, match="log in with 'hf auth login', or set HF_TOKEN, to push to hf://me/trm"
    ):
        push(FILES, HERE)


def test_the_token_of_a_login_is_used(
    hub: FakeHub, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.delenv("HF_TOKEN")
    (tmp_path / "token").write_text(WRITER)
    push(FILES, HERE)
    assert hub.repos["me/trm"].commits


@pytest.mark.parametrize("variable", [False, True])
def test_offline_nothing_is_pushed(
    hub: FakeHub, monkeypatch: pytest.MonkeyPatch, variable: bool
) -> None:
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", variable)
    no_sockets(monkeypatch)
    with pytest.raises(NetworkError, match=r"cannot push to .* offline"):
        push(FILES, HERE, offline=not variable)


@pytest.mark.parametrize(
    ("address", "error", "told"),
    [
        (Address("me/trm", "v1"), UsageError, "without a revision or file, hf://me/trm"),
        (Address("me/trm", None, "x"), UsageError, "without a revision or file"),
        (HERE, NetworkError, "error 503"),
    ],
)
def test_what_cannot_be_pushed(
    hub: FakeHub, address: Address, error: type[TrmsolveError], told: str
) -> None:
    hub.fails = Failure(503)
    with pytest.raises(error, match=told):
        push(FILES, address)


def test_what_answers_a_push_and_is_not_the_hub(hub: FakeHub) -> None:
    hub.page = b"<html>log in to the cafe</html>"
    with pytest.raises(NetworkError, match="is not the hub: check the network"):
        push(FILES, HERE)


# What the card says.


@pytest.mark.parametrize("task", ["sudoku", "maze", "arc"])
def test_the_card_of_the_bundled_weights(task: str) -> None:
    path = bundled_weights(task)
    files = package(path, f"me/{task}-trm")
    assert files["model.safetensors"] == path.read_bytes()
    config = json.loads(files["config.json"])
    assert config.pop("task") == task
    assert TRMConfig.from_dict(config) == read_info(path).config
    card = files["README.md"].decode()
    assert f"--weights hf://me/{task}-trm" in card
    assert "A Tiny Recursive Model is" in card
    assert ("classic solver" in card) == (task != "arc")
    scores = read_info(path).scores.values()
    metrics = MEASURED[task]
    expected = []
    for score in scores:
        expected += [(metric, score[metric], score["n"]) for metric in metrics]
    expected.sort()
    about = ModelCard(card).data
    assert isinstance(about, ModelCardData)
    assert about.eval_results is not None
    told = [
        (
            result.metric_type,
            result.metric_value,
            int(str(result.metric_name).split("n = ")[1].split(",")[0]),
        )
        for result in about.eval_results
    ]
    assert sorted(told) == expected, "all that was measured, and nothing else"
    first = metrics[0]
    for score in scores:
        low, high = score[f"{first}_ci95"]
        assert f"| {first} | {score[first]:.1%} | {low:.1%} to {high:.1%} |" in card
        assert score["data"] in card
    assert f"* steps: {read_info(path).training['steps']}\n" in card


def test_figures_of_other_weights_stay_out(made: Path) -> None:
    path = made / "sudoku.safetensors"
    before = figures(path, weights="sudoku.safetensors@000000000000", exact=1.0)
    record_score(path, "before", before)
    record_score(path, "now", figures(path))
    mine = figures(path, data="more.csv", n=20)
    other = figures(path, weights="untrained.safetensors@000000000000")
    (made / "sudoku.eval.more.json").write_text(json.dumps(mine))
    (made / "eval.again.json").write_text(json.dumps(figures(path)))
    (made / "sudoku.eval.other.json").write_text(json.dumps(other))
    (made / "maze.eval.other.json").write_text(json.dumps(other))
    files = package(path, "me/trm")
    assert set(files) == {
        "model.safetensors",
        "config.json",
        "README.md",
        "eval.more.json",
        "eval.again.json",
    }
    assert json.loads(files["eval.more.json"]) == mine
    (model,) = header(files["README.md"].decode())["model-index"]
    assert model["name"] == "trm"
    told = []
    for result in model["results"]:
        data = result["dataset"]["name"]
        told += [(data, each["type"], each["value"], each["name"]) for each in result["metrics"]]
    exact = "95 % interval 23.7% to 76.3%, 16 cycles, 1 view"
    assert told == [
        ("some.csv", "exact", 0.5, f"exact (n = 10, {exact})"),
        ("some.csv", "verified", 0.75, "verified (n = 10, 16 cycles, 1 view)"),
        ("more.csv", "exact", 0.5, f"exact (n = 20, {exact})"),
        ("more.csv", "verified", 0.75, "verified (n = 20, 16 cycles, 1 view)"),
    ]


def test_what_was_not_measured_is_said_not_to_be(made: Path) -> None:
    card = package(made / "sudoku.safetensors", "me/trm")["README.md"].decode()
    assert "## Measured\n\nnot measured\n" in card
    assert "model-index" not in header(card)
    assert "* steps: 3" in card
    assert '{"lr": 0.01}' in card


ODD: list[Any] = [
    0.5,
    "half",
    None,
    {},
    [],
    {"n": "10"},
    {"n": 0},
    {"n": True},
    {"exact": "1"},
    {"exact": True},
    {"exact": 2},
    {"exact_ci95": [0.1]},
    {"exact_ci95": "ab"},
]


@pytest.mark.parametrize("odd", ODD, ids=str)
def test_odd_records_make_no_claims(made: Path, odd: Any) -> None:
    path = made / "sudoku.safetensors"
    info = read_info(path)
    score = {**figures(path), **odd} if isinstance(odd, dict) and odd else odd
    markup = {"note": "a | b\n# c <script>\n---\nlicense: x", "list": [1], "none": None}
    odd_info = replace(info, scores={"odd": score}, training=markup)
    state = load_model(path, None, torch.float32, torch.device("cpu")).state_dict()
    save_weights(path, state, odd_info)
    card = package(path, "me/trm")["README.md"].decode()
    assert set(header(card)) <= {"library_name", "tags", "model-index"}
    assert "\n# c" not in card
    assert "<script>" not in card.replace("\\<script\\>", "")
    (index,) = header(card).get("model-index", [{"results": []}])
    for result in index["results"]:
        assert all(0 <= metric["value"] <= 1 for metric in result["metrics"])
    if not isinstance(odd, dict) or "n" in odd or not odd:
        assert "not measured" in card


def test_no_number_is_no_rate(made: Path) -> None:
    path = made / "sudoku.safetensors"
    (told,) = results_of([figures(path, exact=float("nan"))], path)
    assert told.metric == "verified"


def test_a_file_of_figures_that_is_none(made: Path) -> None:
    (made / "sudoku.eval.broken.json").write_text('{"task"')
    with pytest.raises(
        TrmsolveError,
        match=r"sudoku\.eval\.broken\.json is not a file of scores, move it to another folder",
    ):
        package(made / "sudoku.safetensors", "me/trm")


# The command.


def run(*arguments: str) -> tuple[int, str, str]:
    return run_command(command, *arguments)


@pytest.mark.usefixtures("process_as_it_was")
def test_a_dry_run_lists_the_files_and_asks_nobody(
    hub: FakeHub, made: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    no_sockets(monkeypatch)
    monkeypatch.delenv("HF_TOKEN")
    code, out, err = run(str(made), "hf://me/trm", "--dry-run")
    files = package(made / "sudoku.safetensors", "me/trm")
    listed, _, card = out.partition("\n\n")
    sizes = {name: int(size.replace(",", "")) for size, name in map(str.split, listed.splitlines())}
    assert (code, err) == (0, "")
    assert sizes == {name: len(payload) for name, payload in files.items()}
    assert card.rstrip("\n") == files["README.md"].decode().rstrip("\n")


@pytest.mark.usefixtures("process_as_it_was")
def test_push_prints_the_url(hub: FakeHub, made: Path) -> None:
    expected = (0, f"{hub.endpoint}/me/trm\n", "")
    assert run(str(made), "hf://me/trm", "-m", "mine") == expected
    assert run(str(made / "sudoku.safetensors"), "hf://me/trm") == expected, "unchanged"
    assert set(hub.repos["me/trm"].commits[hub.repos["me/trm"].refs["main"]]) == {
        "model.safetensors",
        "config.json",
        "README.md",
    }


@pytest.mark.usefixtures("process_as_it_was")
def test_only_whole_weights_are_pushed(hub: FakeHub, made: Path, tmp_path: Path) -> None:
    whole = made / "sudoku.safetensors"
    part = save(
        {"lm_head.weight": torch.zeros(11, 16)}, WeightsInfo(CONFIG, "sudoku").to_metadata()
    )
    (tmp_path / "part.safetensors").write_bytes(part)
    code, out, err = run(str(tmp_path / "part.safetensors"), "hf://me/trm", "--dry-run")
    assert (code, out) == (3, "")
    assert "has no tensor" in err
    assert run(str(tmp_path / "missing"), "hf://me/trm")[0] == 3
    (tmp_path / "empty").mkdir()
    code, _, err = run(str(tmp_path / "empty"), "hf://me/trm")
    assert code == 3
    assert "contains none of model.safetensors, sudoku.safetensors" in err
    (made / "model.safetensors").write_bytes(whole.read_bytes())
    code, _, err = run(str(made), "hf://me/trm")
    assert code == 2
    assert "model.safetensors and sudoku.safetensors: give the file to push" in err
    assert run(str(whole), "me/trm")[0] == 2
    assert hub.requests == []


@pytest.mark.usefixtures("process_as_it_was")
@pytest.mark.parametrize("address", ["hf://me/new@v1", "hf://me/new/model.safetensors"])
@pytest.mark.parametrize("dry", [["--dry-run"], []])
def test_a_dry_run_refuses_the_addresses_that_a_push_does(
    hub: FakeHub, made: Path, address: str, dry: list[str]
) -> None:
    code, out, err = run(str(made), address, *dry)
    assert (code, out) == (2, "")
    assert "push needs a repository without a revision or file, hf://me/new" in err


@pytest.mark.usefixtures("process_as_it_was")
def test_push_takes_what_is_large_only_if_told(
    hub: FakeHub, made: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limits, "MAX_FILE", 1024)
    code, out, err = run(str(made), "hf://me/trm")
    assert (code, out) == (3, "")
    assert "use --allow-large to accept it" in err
    assert hub.requests == []
    assert run(str(made), "hf://me/trm", "--allow-large") == (0, f"{hub.endpoint}/me/trm\n", "")
