"""Events that tests wait for instead of a time."""

import threading
from types import ModuleType

import pytest


def saying_it_sets_an_event(
    command: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> threading.Event:
    """An event that is set whenever the command's module has called its ``say``."""
    told = threading.Event()
    say = command.say

    def say_and_set(text: str) -> None:
        say(text)
        told.set()

    monkeypatch.setattr(command, "say", say_and_set)
    return told
