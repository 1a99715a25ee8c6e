import importlib
import logging

import pytest

from infoscope.base import progress

module = importlib.import_module("infoscope.base.progress")


@pytest.fixture
def clock(monkeypatch):
    """A clock that we turn."""
    now = [100.0]
    monkeypatch.setattr(module.time, "monotonic", lambda: now[0])
    return now


@pytest.fixture
def nobody(monkeypatch, caplog):
    monkeypatch.setattr(module, "_somebody_is_looking", lambda: False)
    caplog.set_level(logging.INFO, "infoscope")
    return caplog


def test_short_work_is_silent(clock, nobody, capsys):
    with progress(10, "neighbours") as bar:
        for _ in range(10):
            clock[0] += 0.1
            bar.update(1)
    assert bar.done == 10
    assert not nobody.messages and capsys.readouterr() == ("", "")


def test_a_log_line_now_and_then_with_a_forecast(clock, nobody):
    with progress(100, "neighbours") as bar:
        for _ in range(100):
            clock[0] += 0.25
            bar.update(1)
            bar.note("float32")
    assert nobody.messages[0] == "neighbours: 8 of 100 rows after 2 s, about 23 s left (float32)"
    assert nobody.messages[-1] == "neighbours: 100 of 100 rows after 25 s (float32)"
    assert len(nobody.messages) == 4  # at 2, 12 and 22 seconds, and at the end


def test_a_bar_where_somebody_is_looking(clock, monkeypatch, capsys):
    monkeypatch.setattr(module, "_somebody_is_looking", lambda: True)
    with progress(100, "neighbours", unit="pairs") as bar:
        clock[0] += 1
        bar.update(10)
        assert capsys.readouterr().err == ""
        clock[0] += 2
        bar.update(10)
        bar.note("halfway")
        bar.update(30)
    assert "neighbours" in capsys.readouterr().err
    assert bar.done == 50


def test_no_bar_where_it_is_not_wanted(clock, monkeypatch, capsys):
    monkeypatch.setattr(module, "_somebody_is_looking", lambda: True)
    monkeypatch.setenv("TQDM_DISABLE", "1")  # what --quiet sets
    with progress(100, "neighbours") as bar:
        clock[0] += 3
        bar.update(10)
        bar.note("halfway")
        bar.update(30)
    assert capsys.readouterr().err == "" and bar.done == 40


def test_an_error_closes_and_passes_through(clock, nobody):
    with pytest.raises(KeyboardInterrupt), progress(10, "x") as bar:
        clock[0] += 3
        bar.update(1)
        raise KeyboardInterrupt
    assert bar.done == 1 and nobody.messages == ["x: 1 of 10 rows after 3 s"]  # and not the same line at the end
    bar.update(1)  # a late thread does no harm
    assert len(nobody.messages) == 1


def test_the_forecast_begins_after_the_first_units(clock, nobody):
    with progress(200, "weights", unit="iterations") as bar:
        clock[0] += 23  # kernels are compiled, ranks are made
        bar.update(1)
        for _ in range(199):
            clock[0] += 0.125
            bar.update(1)
    assert nobody.messages == [
        "weights: 1 of 200 iterations after 23 s",  # not "76 min left"
        "weights: 81 of 200 iterations after 33 s, about 15 s left",
        "weights: 161 of 200 iterations after 43 s, about 5 s left",
        "weights: 200 of 200 iterations after 48 s",
    ]


def test_a_total_that_was_too_small_is_named_no_more(clock, nobody):
    with progress(36, "selection", unit="sets") as bar:
        for _ in range(51):
            clock[0] += 0.25
            bar.update(1)
    assert nobody.messages[0] == "selection: 8 of 36 sets after 2 s, about 7 s left"
    assert nobody.messages[1:] == ["selection: 48 sets after 12 s", "selection: 51 sets after 13 s"]


@pytest.mark.parametrize(("seconds", "text"), [(5, "5 s"), (119, "119 s"), (600, "10 min"), (9000, "2.5 h")])
def test_durations(seconds, text):
    assert module._duration(seconds) == text


def test_who_is_looking(monkeypatch):
    class Stream:
        def isatty(self):
            raise ValueError("closed")

    monkeypatch.delitem(module.sys.modules, "ipykernel", raising=False)
    monkeypatch.setattr(module.sys, "stderr", Stream())
    assert not module._somebody_is_looking()
    monkeypatch.setattr(module.sys, "stderr", None)
    assert not module._somebody_is_looking()
    monkeypatch.setitem(module.sys.modules, "ipykernel", module)
    assert module._somebody_is_looking()
