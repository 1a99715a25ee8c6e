import importlib
import logging

import pytest

from infoscope.base import kernel
from infoscope.base.compilation import CompilationWatch, watch_compilation

module = importlib.import_module("infoscope.base.compilation")


class Timer:
    """A timer that goes off when it is told to."""

    made: list["Timer"] = []

    def __init__(self, seconds, function):
        self.seconds, self.function, self.running = seconds, function, False
        Timer.made.append(self)

    def start(self):
        self.running = True

    def cancel(self):
        self.running = False


@pytest.fixture
def timers(monkeypatch):
    Timer.made = []
    monkeypatch.setattr(module.threading, "Timer", Timer)
    now = [50.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    return Timer.made, now


def test_only_the_outermost_kernel_counts(timers):
    made, now = timers
    watch = CompilationWatch(patience=2.0)
    watch.begin()
    now[0] += 0.5
    watch.begin()  # a kernel that the first one calls
    now[0] += 0.25
    watch.end()
    now[0] += 0.25
    watch.end()
    assert watch.seconds == 1.0 and len(made) == 1 and not made[0].running
    watch.begin()
    assert made[1].seconds == 1.0 and made[1].running  # what is left of the patience


def test_it_is_said_once(timers, caplog):
    made, now = timers
    caplog.set_level(logging.INFO, "infoscope")
    watch = CompilationWatch(patience=2.0)
    watch.begin()
    made[0].function()
    watch.end()
    watch.begin()
    watch.end()
    assert caplog.messages == ["compiling, the first time only"] and len(made) == 1


def test_numba_tells_the_watch():
    before = watch_compilation().seconds

    kernel(eval("lambda x: x + 1"))(1.5)  # not in a file, so in no cache
    assert watch_compilation().seconds > before
