"""Says that kernels are compiled, where that takes longer than somebody waits in patience."""

from __future__ import annotations

import functools
import logging
import threading
import time
from typing import Any

PATIENCE = 2.0  # seconds of compilation before it is spoken of
logger = logging.getLogger("infoscope")


class CompilationWatch:
    """Adds up the time for which kernels are compiled, and says so once, in a log line, when it exceeds `patience`.

    Compiled kernels are kept on disk: the next process loads them, and this stays silent.

    Parameters
    ----------
    patience : float
        Seconds.

    Examples
    --------
    >>> watch = CompilationWatch(patience=60.0)
    >>> watch.begin(), watch.end()
    (None, None)
    >>> watch.seconds < 60, watch.spoken
    (True, False)
    """

    def __init__(self, patience: float = PATIENCE):
        self.patience, self.seconds, self.spoken = patience, 0.0, False
        self._depth, self._since = 0, 0.0  # a kernel is compiled within the one that calls it
        self._timer: threading.Timer | None = None
        self._lock = threading.Lock()

    def begin(self) -> None:
        """A kernel begins to be compiled."""
        with self._lock:
            self._depth += 1
            if self._depth > 1:
                return
            self._since = time.monotonic()
            if not self.spoken:
                self._timer = threading.Timer(max(self.patience - self.seconds, 0.0), self._speak)
                self._timer.daemon = True
                self._timer.start()

    def end(self) -> None:
        """It is compiled."""
        with self._lock:
            self._depth -= 1
            if self._depth > 0:
                return
            self.seconds += time.monotonic() - self._since
            if self._timer is not None:
                self._timer.cancel()
                self._timer = None

    def _speak(self) -> None:
        with self._lock:
            if self.spoken:
                return
            self.spoken = True
        logger.info("compiling, the first time only")


@functools.cache
def watch_compilation() -> CompilationWatch:
    """The watch over numba in this process, set up at the first call."""
    from numba.core import event

    watch = CompilationWatch()

    class Listener(event.Listener):
        def on_start(self, event: Any) -> None:
            watch.begin()

        def on_end(self, event: Any) -> None:
            watch.end()

    event.register("numba:compile", Listener())
    return watch
