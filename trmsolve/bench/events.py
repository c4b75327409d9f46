"""The events on the CPU that torch's profiler saw, with the time that each took itself.

torch's own reader makes a large object of every event: for a step of a hundred thousand events that
takes longer than the step. Here only names and times are read, and torch's rules are followed.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from torch.profiler import DeviceType

HIDDEN = frozenset(
    (
        "[memory]",
        "[OutOfMemory]",
        "aten::_version",
        "aten::is_leaf",
        "aten::output_nr",
        "profiler::_record_function_enter",
        "profiler::_record_function_enter_new",
        "profiler::_record_function_exit",
    )
)
"""Events that only serve the profiler; torch leaves them out too."""


@dataclass(slots=True)
class Event:
    """An operation or a labelled phase that ran once."""

    name: str
    end: int
    """When it ended, in nanoseconds."""
    own: int
    """Nanoseconds that it took itself, without what it called."""
    cpu_parent: "Event | None"
    """The event that called it; torch's events have the same name for it."""
    calls: int = 0
    """How many others it called."""


def cpu_events(profiler: Any) -> list[Event]:
    """The events on the CPU that a ``torch.profiler.profile`` has seen.

    An operation that only calls one of the same name counts once with it.
    """
    events: list[Event] = []
    running: list[Event] = []  # what runs at the moment, the outermost first
    thread = None
    for number, start, minus_end, name in sorted(_spans(profiler)):
        end = -minus_end
        if number != thread:
            thread = number
            running.clear()
        while running and (running[-1].end <= start or running[-1].end < end):
            running.pop()
        cpu_parent = running[-1] if running else None
        event = Event(name, end, end - start, cpu_parent)
        if cpu_parent is not None:
            cpu_parent.own -= event.own
            cpu_parent.calls += 1
        events.append(event)
        running.append(event)
    return _without_repeats(events)


def _spans(profiler: Any) -> Iterator[tuple[int, int, int, str]]:
    """Thread, start, negative end and name of each event: in this order callers come first."""
    for event in profiler.profiler.kineto_results.events():
        name = event.name()
        thread = event.start_thread_id()
        is_async = event.is_async() or event.end_thread_id() != thread
        if event.device_type() == DeviceType.CPU and not is_async and name not in HIDDEN:
            yield thread, event.start_ns(), -event.end_ns(), name


def _without_repeats(events: list[Event]) -> list[Event]:
    """The events without those that are the only one of their name that the same name called."""
    kept = []
    for event in reversed(events):
        cpu_parent = event.cpu_parent
        if cpu_parent is not None and cpu_parent.name == event.name and cpu_parent.calls == 1:
            cpu_parent.own += event.own
        else:
            kept.append(event)
    return kept[::-1]
