"""``--log-to tensorboard``: event files that hold what the metrics log holds."""

import importlib.util
import struct
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

import pytest

from trmsolve.errors import UsageError
from trmsolve.train import event_log
from trmsolve.train.event_log import check_log, logged
from trmsolve.train.options import TrainOptions
from trmsolve.train.run import Callbacks
from trmsolve.train.schedule import Progress
from trmsolve.train.start import new_run

LINE = Progress(3, 2.5, 0.5, 0.25, 0.5, 4.0, 0.75, 0.001, 8.0, 2.0)
JUDGED = Progress(6, 5.0, 1.0, 0.125, 0.5, 4.0, 0.75, 0.0, 8.0, 2.0, 0.5)

needs_writer = pytest.mark.skipif(
    importlib.util.find_spec("tensorboardX") is None, reason="needs the extra tensorboard"
)


def records(path: Path) -> Iterator[bytes]:
    """The records of an event file: each has its length, a checksum, its bytes, a checksum."""
    content = path.read_bytes()
    at = 0
    while at < len(content):
        (length,) = struct.unpack_from("<Q", content, at)
        yield content[at + 12 : at + 12 + length]
        at += 12 + length + 4


def scalars(path: Path) -> dict[int, dict[str, float]]:
    """The values of an event file by step and name."""
    from tensorboardX.proto.event_pb2 import Event

    found: dict[int, dict[str, float]] = {}
    for record in records(path):
        event = Event.FromString(record)
        for value in event.summary.value:
            found.setdefault(event.step, {})[value.tag] = value.simple_value
    return found


def as_written(line: Progress) -> dict[str, float]:
    """What an event file has of a line."""
    values = {name: value for name, value in asdict(line).items() if value is not None}
    del values["step"]
    return pytest.approx(values, rel=1e-6)


@needs_writer
def test_every_line_can_be_read_back(tmp_path: Path) -> None:
    told: list[Progress] = []
    with logged(Callbacks(report=told.append), tmp_path, None) as callbacks:
        callbacks.report(LINE)
        callbacks.report(JUDGED)
    (path,) = tmp_path.glob("events.out.tfevents.*")
    assert told == [LINE, JUDGED]
    assert scalars(path) == {3: as_written(LINE), 6: as_written(JUDGED)}


@needs_writer
def test_a_resumed_run_has_a_file_of_its_own_and_hides_later_steps(tmp_path: Path) -> None:
    from tensorboardX.proto.event_pb2 import Event, SessionLog

    for resumed_at in (None, 3):
        with logged(Callbacks(), tmp_path, resumed_at) as callbacks:
            callbacks.report(JUDGED)
    _, path = sorted(tmp_path.glob("events.out.tfevents.*"), key=lambda path: path.suffix)
    events = [Event.FromString(record) for record in records(path)]
    starts = [event.step for event in events if event.session_log.status == SessionLog.START]
    assert starts == [4]


def test_a_missing_writer_is_told_before_anything_is_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(event_log, "find_spec", lambda name: None)
    options = TrainOptions(steps=1, out=tmp_path / "run", log_to="tensorboard")
    with pytest.raises(UsageError, match="needs tensorboardX: run pip install"):
        new_run(options).__enter__()
    assert not (tmp_path / "run").exists()
    with pytest.raises(UsageError, match="--log-to wandb is not known"):
        check_log("wandb")
