"""ONNX graphs from strangers: what is read of them, and what is refused in one line."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.support.graphs import CONFIG, entry, metadata, node, onnx_file
from trmsolve.cli import app
from trmsolve.errors import WeightsError
from trmsolve.weights import graph as graphs
from trmsolve.weights.graph import read_graph


def written(path: Path, content: bytes) -> Path:
    path.write_bytes(content)
    return path


def test_a_graph_says_what_it_is(tmp_path: Path) -> None:
    graph = read_graph(written(tmp_path / "a.onnx", onnx_file()))
    assert graph.info.config == CONFIG and graph.info.task == "sudoku"
    assert graph.opset == 20 and graph.fingerprint == "a" * 64
    assert graph.inputs["y"] == ("batch", 16, 16) and graph.inputs["tokens"] == ("batch", 16)
    assert set(graph.outputs) == {"logits", "halt", "y_next", "z_next"}
    assert graph.starts == ([0.0] * 16, [1.0] * 16)


EXTERNAL = entry(8, "w") + entry(13, entry(1, "location") + entry(2, "/etc/passwd"))
REFUSED = {
    "empty": (b"", "is empty"),
    "text": (b"not a graph at all", "unknown type|truncated|no ONNX file|number stands"),
    "nothing of ours": (onnx_file(entries={}), "was not made by 'trmsolve export'"),
    "no config": (onnx_file(entries=metadata(config=None)), "was not made by"),
    "bad config": (onnx_file(entries=metadata(config="[1]")), "is not an object"),
    "unknown entry": (onnx_file(entries={**metadata(), "trmsolve.new": ""}), "unknown"),
    "fingerprint": (onnx_file(entries=metadata(fingerprint="abc")), "fingerprint is not valid"),
    "starts": (onnx_file(entries=metadata(starts="[[1],[2]]")), "not 16 numbers"),
    "infinite start": (
        onnx_file(entries=metadata(starts=json.dumps([[1e300] * 16] * 2))),
        "numbers up to",
    ),
    "nan": (onnx_file(entries=metadata(starts="[[NaN],[2]]")), "NaN is not an allowed number"),
    "data elsewhere": (onnx_file(entry(5, EXTERNAL)), "data is in another file"),
    "data elsewhere in a node": (
        onnx_file(entry(1, node("Constant", more=entry(5, entry(5, EXTERNAL))))),
        "data is in another file",
    ),
    "loop": (onnx_file(entry(1, node("Loop", "y"))), "'Loop' is not allowed"),
    "branch": (
        onnx_file(entry(1, node("Identity", "y", more=entry(5, entry(6, b""))))),
        "a graph or tensors within",
    ),
    "extension": (
        onnx_file(entry(1, node("Add", "y", more=entry(7, "evil")))),
        "needs the extension 'evil'",
    ),
    "extension of the file": (onnx_file(opset=entry(1, "evil") + entry(2, 1)), "extension 'evil'"),
    "functions": (onnx_file(more=entry(25, b"")), "has functions"),
    "sparse": (onnx_file(entry(15, b"")), "sparse tensors"),
    "two graphs": (onnx_file(more=entry(7, b"")), "two graphs"),
    "twice": (onnx_file(more=entry(14, entry(1, "trmsolve.task") + entry(2, "x"))), "twice"),
    "numbers for messages": (onnx_file(more=entry(14, 3)), "a number stands where"),
    "group": (onnx_file(more=b"\x0b"), "unknown type 3"),
    "endless number": (onnx_file(more=b"\xff" * 20), "number in it is too long"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_a_graph_may_not_have_is_refused(name: str, tmp_path: Path) -> None:
    content, problem = REFUSED[name]
    path = written(tmp_path / "a.onnx", content)
    with pytest.raises(WeightsError, match=problem) as caught:
        read_graph(path)
    assert str(path) in str(caught.value) and "\n" not in str(caught.value)


def test_every_truncation_is_refused(tmp_path: Path) -> None:
    content = onnx_file()
    for length in range(1, len(content), 7):
        with pytest.raises(WeightsError):
            graphs.parse_graph(tmp_path / "a.onnx", content[:length])


def test_no_flipped_byte_ends_in_anything_but_a_graph_or_one_line(tmp_path: Path) -> None:
    content = bytearray(onnx_file())
    for position in range(0, len(content), 3):
        flipped = bytearray(content)
        flipped[position] ^= 0xFF
        try:
            graphs.parse_graph(tmp_path / "a.onnx", bytes(flipped))
        except WeightsError as error:
            assert "\n" not in str(error)


def test_a_large_file_and_many_nodes_are_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = written(tmp_path / "a.onnx", onnx_file())
    monkeypatch.setattr(graphs, "MAX_GRAPH", 100)
    with pytest.raises(WeightsError, match="--allow-large"):
        read_graph(path)
    monkeypatch.setattr(graphs, "MOST_NODES", 3)
    with pytest.raises(WeightsError, match="more than the 3 nodes"):
        read_graph(path, allow_large=True)


def test_a_network_of_unusual_dimensions_is_refused(tmp_path: Path) -> None:
    config = json.dumps({**CONFIG.to_dict(), "recursions": 200})
    path = written(tmp_path / "a.onnx", onnx_file(entries=metadata(config=config)))
    with pytest.raises(WeightsError, match="recursions is 200, more than the 32 allowed"):
        read_graph(path)
    assert read_graph(path, allow_large=True).info.config.recursions == 200


def test_what_is_no_file_is_said(tmp_path: Path) -> None:
    for path, problem in ((tmp_path / "no.onnx", "no weights at"), (tmp_path, "is not a file")):
        with pytest.raises(WeightsError, match=problem):
            read_graph(path)


def test_info_reads_a_graph(tmp_path: Path) -> None:
    path = written(tmp_path / "a.onnx", onnx_file())
    done = CliRunner().invoke(app, ["weights", "info", str(path)])
    assert done.exit_code == 0, done.stderr
    assert "opset       20" in done.stdout and "y (batch, 16, 16)" in done.stdout
    facts = json.loads(CliRunner().invoke(app, ["weights", "info", str(path), "--json"]).stdout)
    assert facts["graph"]["inputs"]["tokens"] == ["batch", 16]
    assert facts["fingerprint"] == "a" * 64 and facts["task"] == "sudoku"


def test_what_needs_weights_says_that_a_graph_is_none(tmp_path: Path) -> None:
    path = written(tmp_path / "a.onnx", onnx_file())
    done = CliRunner().invoke(app, ["weights", "push", str(path), "hf://someone/trm", "--dry-run"])
    assert done.exit_code == 3 and "is an ONNX graph, not safetensors" in done.stderr
