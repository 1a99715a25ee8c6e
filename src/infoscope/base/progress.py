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
        Number of units of work.
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
        self.total, self.label, self.unit, self.delay = int(total), label, unit, delay
        self.done = 0
        self.text = ""
        self._started = time.monotonic()
        self._next_look = self._started + delay
        self._bar: Any = None
        self._logged = False
        self._lock = threading.Lock()

    def update(self, n: int = 1) -> None:
        """Count `n` more units as done."""
        with self._lock:
            self.done += n
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
            elif self._logged:
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
                self._bar.start_t -= time.monotonic() - self._started  # the rate counts from the true start
            self._bar.update(self.done)
            self._bar.set_postfix_str(self.text)
        else:
            self._log()
            self._logged = True
            self._next_look = time.monotonic() + LOG_EVERY

    def _log(self) -> None:
        elapsed = time.monotonic() - self._started
        line = f"{self.label}: {self.done} of {self.total} {self.unit} after {_duration(elapsed)}"
        if 0 < self.done < self.total:
            line += f", about {_duration(elapsed * (self.total - self.done) / self.done)} left"
        logger.info(line + (f" ({self.text})" if self.text else ""))


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
