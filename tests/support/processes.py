"""Finds the tests that start processes, by what they and their helpers refer to; awaits ends."""

import os
import time
from collections.abc import Iterator
from types import CodeType, FunctionType
from typing import Any

import pytest

STARTERS = {"subprocess", "fork", "mp_spawn", "torchrun"}
"""Names of modules and functions that start a process."""


def starts_a_process(item: pytest.Function) -> bool:
    """Whether the test, its fixtures or the helpers that they call refer to ``STARTERS``."""
    fixtures = item._fixtureinfo.name2fixturedefs.values()
    todo: list[Any] = [item.function, *(definitions[-1].func for definitions in fixtures)]
    seen: set[int] = set()
    while todo:
        value = todo.pop()
        if id(value) in seen:
            continue
        seen.add(id(value))
        for function in functions_of(value):
            names = names_of(function.__code__)
            if names & STARTERS:
                return True
            todo += [function.__globals__[name] for name in names & function.__globals__.keys()]
    return False


def functions_of(value: Any) -> Iterator[FunctionType]:
    """A function of the tests itself, or the methods of a class of the tests and of its bases."""
    value = getattr(value, "__wrapped__", value)
    if not str(getattr(value, "__module__", "")).startswith("tests."):
        return
    if isinstance(value, FunctionType):
        yield value
    elif isinstance(value, type):
        for base in value.__mro__:
            if base.__module__.startswith("tests."):
                yield from (
                    member for member in vars(base).values() if isinstance(member, FunctionType)
                )


def names_of(code: CodeType) -> set[str]:
    """The names that a function and the functions within it refer to."""
    names = set(code.co_names)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            names |= names_of(constant)
    return names


def group_ends(leader: int, within: float = 30.0) -> bool:
    """Whether all processes of a group are gone within so many seconds."""
    end = time.monotonic() + within
    while time.monotonic() < end:
        try:
            os.killpg(leader, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False
