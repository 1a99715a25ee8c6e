"""Progress of long work: a bar where somebody is looking, a log line now and then where nobody is."""

from __future__ import annotations

import logging
import os
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

LOG_EVERY = 10.0  # seconds between two log lines
logger = logging.getLogger("infoscope")


@contextmanager
def progress(total: int, label: str, unit: str = "rows", delay: float = 2.0) -> Iterator[Progress]:
    """Show how far a long loop is.

    On a terminal or in a notebook this is a tqdm bar.  Elsewhere it is a line of the logger ``"infoscope"`` (level
    INFO) about every ten seconds, with a forecast.  Work that is done before `delay` shows nothing.

    Parameters
    ----------
    total : int
        Number of units of work; where it turns out to be more, none is named any more.
    label : str
        What is being done.
    unit : str
        What is counted.
    delay : float
        Seconds before anything is shown.

    Yields
    ------
    Progress
        With ``update(n)`` and ``note(text)``; both may be called from any thread.

    Examples
    --------
    >>> from infoscope.base import progress
    >>> with progress(3, "neighbours") as bar:
    ...     for _ in range(3):
    ...         bar.update(1)
    >>> bar.done
    3
    """
    meter = Progress(total, label, unit, delay)
    try:
        yield meter
    finally:
        meter.close()


class Progress:
    """What `progress` yields."""

    def __init__(self, total: int, label: str, unit: str = "rows", delay: float = 2.0):
        self.total: int | None = int(total)
        self.label, self.unit, self.delay = label, unit, delay
        self.done = 0
        self.text = ""
        self._started = time.monotonic()
        self._first: tuple[float, int] | None = None  # when the first units were done, and how many
        self._next_look = self._started + delay
        self._bar: Any = None
        self._logged = -1  # units of the last log line
        self._lock = threading.Lock()

    def update(self, n: int = 1) -> None:
        """Count `n` more units as done."""
        with self._lock:
            self.done += n
            if self._first is None:
                self._first = (time.monotonic(), self.done)
            if self.total is not None and self.done > self.total:  # it was a guess, and there was more to do
                self.total = None
                if self._bar is not None:
                    self._bar.total = None
            if self._bar is not None:
                self._bar.update(n)
            elif time.monotonic() >= self._next_look:
                self._show()

    def note(self, text: str) -> None:
        """Text shown beside the bar or in the next log line."""
        with self._lock:
            self.text = text
            if self._bar is not None:
                self._bar.set_postfix_str(text)

    def close(self) -> None:
        """Close the bar; a log that was begun gets its last line."""
        with self._lock:
            if self._bar is not None:
                self._bar.close()
                self._bar = None
            elif -1 < self._logged < self.done:
                self._log()
            self._next_look = float("inf")

    def _show(self) -> None:
        if _somebody_is_looking():
            from tqdm.auto import tqdm

            options: dict[str, Any] = {"unit": f" {self.unit}", "unit_scale": True, "leave": False}
            # asked for here, because tqdm looks at the environment only once, when it is imported
            options["disable"] = os.environ.get("TQDM_DISABLE", "") not in ("", "0")
            self._bar = tqdm(total=self.total, desc=self.label, **options)
            if not self._bar.disable:
                self._bar.start_t -= time.monotonic() - self._started  # the time counts from the true start
            self._bar.update(self.done)
            self._bar.set_postfix_str(self.text)
        else:
            self._log()
            self._next_look = time.monotonic() + LOG_EVERY

    def _log(self) -> None:
        now = time.monotonic()
        known = "" if self.total is None else f" of {self.total}"
        line = f"{self.label}: {self.done}{known} {self.unit} after {_duration(now - self._started)}"
        if (left := self._time_left(now)) is not None:
            line += f", about {_duration(left)} left"
        logger.info(line + (f" ({self.text})" if self.text else ""))
        self._logged = self.done

    def _time_left(self, now: float) -> float | None:
        """Seconds, from the rate since the first units were done: these wait for kernels to compile and data to load.

        None before anything was measured, and where nothing is left.
        """
        if self.total is None or self._first is None or not self._first[1] < self.done < self.total:
            return None
        since, begun = self._first
        return (now - since) * (self.total - self.done) / (self.done - begun)


def _somebody_is_looking() -> bool:
    if "ipykernel" in sys.modules:
        return True
    try:
        return sys.stderr is not None and sys.stderr.isatty()
    except ValueError:  # closed
        return False


def _duration(seconds: float) -> str:
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
