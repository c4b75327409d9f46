"""Writes docs/reliability.md from measurements: ``python -m tests.faults.reliability``."""

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from tests.support.paths import ROOT

MEASURED = Path(__file__).with_name("measured.json")
DOCUMENT = ROOT / "docs" / "reliability.md"

THEMES = {
    "test_inputs": "Malformed input",
    "test_bombs": "Bombs, and paths that are no files",
    "test_streams": "Streams",
    "test_training": "Training",
    "test_weights": "Weights",
    "test_hub": "A hub that lies",
    "test_interrupts": "Interrupts",
    "test_load": "Load",
    "test_honesty": "Honesty",
    "test_supply": "Connections and files",
}
"""The headings by the modules of tests, in the order of the document."""

BEGINNING = """# Reliability

The tests in `tests/faults/` run real faults against the real program, most of them as processes of
their own. This page shows what they measured. A script writes it, and a test compares it with
[the record](../tests/faults/measured.json).

Times are processor time, and memory is the most that was resident at once. Measured with {machine}.

The usual run of the tests makes one trial in a hundred, and `.ci/run` makes more. The following
commands repeat the measurement and write this page. They take hours on one core. `TRMSOLVE_FAULTS`
is the share of the full number of trials.

```sh
export TRMSOLVE_FAULTS=1 TRMSOLVE_FAULTS_RECORD=tests/faults/measured.json
.venv/bin/python -m pytest tests/faults
.venv/bin/python -m tests.faults.reliability
```

Ctrl-C before the program's own first line is Python's: the interpreter starts, reads the settings
of the installation, and looks for the program. Until Python handles signals, the system ends it
without a word. After that Python shows a traceback of its own. `trmsolve/__main__.py` begins with
the guard, and only the list of names in `trmsolve/__init__.py` runs before.

The share of trials differs between the tests: the column says how many were made.

`tests/faults/fuzz.py` looks for new faults, guided by coverage, for as long as it is told.
"""


@dataclass(frozen=True)
class Measurement:
    """The finding of one test."""

    promise: str
    trials: int
    result: str
    """The figures that were measured, if there are any."""
    kept: bool


def read_measurements(path: Path) -> dict[str, Measurement]:
    """The measurements of a file by the names of their tests."""
    record = json.loads(path.read_text(encoding="utf-8"))
    return {name: Measurement(**fields) for name, fields in record["tests"].items()}


def write_measurements(
    path: Path, measurements: dict[str, Measurement], machine: dict[str, str]
) -> None:
    """Write the measurements, and what they were made on."""
    tests = {name: asdict(one) for name, one in sorted(measurements.items())}
    text = json.dumps({"machine": machine, "tests": tests}, indent=1, ensure_ascii=False)
    path.write_text(text + "\n", encoding="utf-8")


def render(path: Path) -> str:
    """The document of a file of measurements."""
    machine = json.loads(path.read_text(encoding="utf-8"))["machine"]
    where = ", ".join(f"{name} {value}" for name, value in machine.items())
    parts = [BEGINNING.format(machine=where)]
    measurements = read_measurements(path)
    for module, title in THEMES.items():
        chosen = [one for name, one in measurements.items() if f"/{module}.py::" in name]
        if chosen:
            parts.append(_table(title, chosen))
    return "\n".join(parts)


def _table(title: str, measurements: list[Measurement]) -> str:
    """One row for each promise, whichever number of tests shows it."""
    lines = [f"## {title}", "", "| Promise | Trials | Result |", "| --- | ---: | --- |"]
    for promise in dict.fromkeys(one.promise for one in measurements):
        same = [one for one in measurements if one.promise == promise]
        number = sum(one.trials for one in same)
        lines.append(f"| {promise} | {number:,} | {_result(same)} |")
    return "\n".join([*lines, ""])


def _result(measurements: list[Measurement]) -> str:
    verdict = "kept" if all(one.kept for one in measurements) else "**broken**"
    details = dict.fromkeys(one.result for one in measurements if one.result)
    return ": ".join([verdict, *(["; ".join(details)] if details else [])])


if __name__ == "__main__":
    DOCUMENT.write_text(render(MEASURED), encoding="utf-8")
