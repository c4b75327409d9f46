"""An exception that a signal raises arrives, whatever the interrupted code does with it."""

import signal
import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="needs interval timers")

PROGRAM = """
import os, signal, time
from trmsolve.signals import end_by, heard, interrupt

class Swallows:
    @property
    def looked_up(self):
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.1)  # here the handler raises

signal.signal(signal.SIGINT, interrupt)
"""


def run(code: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM + code], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_an_interrupt_that_was_swallowed_is_raised_again() -> None:
    told = run("""
try:
    try:
        Swallows().looked_up
    except:  # as code in C does that asks whether there is such an attribute
        print("swallowed")
    time.sleep(30)
    print("never heard")
except KeyboardInterrupt:
    heard()
    print("heard")
time.sleep(2.5)
print("and not again")
""")
    assert told.split("\n") == ["swallowed", "heard", "and not again", ""]


def test_nothing_is_held_that_was_under_way() -> None:
    told = run("""
class Held:
    def __del__(self):
        print("let go")

def work():
    held = Held()
    Swallows().looked_up

try:
    work()
except KeyboardInterrupt:
    heard()
print("after it")
""")
    assert told.split("\n") == ["let go", "after it", ""]


def test_cleaning_up_is_not_interrupted_however_long_it_takes() -> None:
    told = run("""
from contextlib import contextmanager

@contextmanager
def slow():
    try:
        yield
    finally:
        time.sleep(2.5)
        print("cleaned up")

try:
    with slow():
        try:
            Swallows().looked_up
        finally:
            try:
                raise ValueError
            except ValueError:
                time.sleep(1.5)
            print("left")
except KeyboardInterrupt:
    heard()
    print("heard")
""")
    assert told.split("\n") == ["left", "cleaned up", "heard", ""]


def test_an_exit_is_raised_again_too() -> None:
    told = run("""
def terminate(number, frame):
    end_by(SystemExit(0))

signal.signal(signal.SIGINT, terminate)
try:
    Swallows().looked_up
except BaseException:
    print("swallowed")
try:
    time.sleep(30)
finally:
    print("leaving")
""")
    assert told.split("\n") == ["swallowed", "leaving", ""]
