"""docs/reliability.md shows what was measured, and nothing else."""

import ast
from pathlib import Path

import pytest

from tests.faults.reliability import (
    DOCUMENT,
    MEASURED,
    THEMES,
    Measurement,
    read_measurements,
    render,
    write_measurements,
)

HERE = Path(__file__).parent


def test_the_document_is_written_from_the_record() -> None:
    assert DOCUMENT.read_text(encoding="utf-8") == render(MEASURED)


def test_every_promise_is_one_of_the_tests() -> None:
    promises = {one.promise for one in read_measurements(MEASURED).values()}
    assert promises <= {promise for path in HERE.glob("test_*.py") for promise in marks(path)}


def marks(path: Path) -> set[str]:
    """The promises of a module."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.promise":
            found.add(ast.literal_eval(node.args[0]))
    return found


def test_every_module_with_promises_has_a_heading() -> None:
    modules = {path.stem for path in HERE.glob("test_*.py") if marks(path)}
    assert modules == THEMES.keys()


@pytest.mark.parametrize("kept", [True, False])
def test_trials_of_one_promise_are_added_and_a_broken_one_is_told(
    kept: bool, tmp_path: Path
) -> None:
    path = tmp_path / "measured.json"
    measurements = {
        "tests/faults/test_load.py::a": Measurement("It holds", 1200, "fast", True),
        "tests/faults/test_load.py::b": Measurement("It holds", 34, "", kept),
    }
    write_measurements(path, measurements, {"python": "3"})
    assert read_measurements(path) == measurements
    verdict = "kept" if kept else "**broken**"
    assert f"| It holds | 1,234 | {verdict}: fast |" in render(path)
