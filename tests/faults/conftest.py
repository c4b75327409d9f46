"""Keeps what the tests of this folder measure, where TRMSOLVE_FAULTS_RECORD names a file.

A test says by ``@pytest.mark.promise(...)`` what it shows, and by the fixture ``measured`` how
often it tried and what came out.
"""

import os
import platform
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path
from typing import Any

import pytest

from tests.faults.reliability import Measurement, read_measurements, write_measurements

RECORD = os.environ.get("TRMSOLVE_FAULTS_RECORD")
FOUND: dict[str, Measurement] = {}


@pytest.fixture(autouse=True)
def promise(request: pytest.FixtureRequest, record_property: Callable[[str, Any], None]) -> None:
    """Hand the promise on to the process that keeps the results."""
    marker = request.node.get_closest_marker("promise")
    if marker is not None:
        record_property("promise", marker.args[0])


@pytest.fixture
def measured(record_property: Callable[[str, Any], None]) -> Callable[[int, str], None]:
    """Notes the number of trials and the result."""

    def note(trials: int, result: str) -> None:
        record_property("trials", trials)
        record_property("result", result)

    return note


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Keep what a test measured; a test that fails has broken its promise."""
    told = dict(report.user_properties)
    if report.when != "call" or report.skipped or "promise" not in told:
        return
    trials = int(told.get("trials", 1))
    result = str(told.get("result", ""))
    FOUND[report.nodeid] = Measurement(str(told["promise"]), trials, result, report.passed)


def pytest_sessionfinish() -> None:
    """Add the results of this run to those of earlier runs of other tests."""
    if RECORD is None or "PYTEST_XDIST_WORKER" in os.environ or not FOUND:
        return
    path = Path(RECORD)
    kept = read_measurements(path) if path.exists() else {}
    write_measurements(path, kept | FOUND, machine())


def machine() -> dict[str, str]:
    """The versions and the machine that the tests ran on."""
    return {
        "trmsolve": version("trmsolve"),
        "python": platform.python_version(),
        "torch": version("torch"),
        "system": f"{platform.system()} {platform.machine()}",
        "cores": str(len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else "?"),
    }
