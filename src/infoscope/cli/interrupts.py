"""Ctrl-C at any moment is one sentence: also while packages are imported, and where one of them drops it."""

from __future__ import annotations

import _thread
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

INTERRUPTED = 130
LATER = 0.05  # seconds


class Interrupts:
    """Whether Ctrl-C was pressed since `catch_interrupts` began."""

    seen = False


@contextmanager
def catch_interrupts() -> Iterator[Interrupts]:
    """Remember Ctrl-C, which still raises `KeyboardInterrupt`; nobody else says anything about it.

    A package whose import is interrupted may print the traceback itself and raise `ImportError` in its place; a
    callback may drop the exception. So whatever ends a command after Ctrl-C is an interruption, and where it was
    dropped it comes once more.
    """
    interrupts = Interrupts()
    if threading.current_thread() is not threading.main_thread() or signal.getsignal(signal.SIGINT) is None:
        yield interrupts  # only the main thread hears of signals
        return

    def remember(number: int, frame: Any) -> None:
        interrupts.seen = True
        raise KeyboardInterrupt

    hooks: tuple[Any, ...] = sys.excepthook, sys.unraisablehook, threading.excepthook
    before = signal.getsignal(signal.SIGINT)
    if before is signal.default_int_handler:
        signal.signal(signal.SIGINT, remember)
    sys.excepthook = _silent(hooks[0], lambda kind, *rest: kind)
    sys.unraisablehook = _silent(hooks[1], lambda dropped: dropped.exc_type, again=True)
    threading.excepthook = _silent(hooks[2], lambda ended: ended.exc_type)
    try:
        yield interrupts
    finally:
        sys.excepthook, sys.unraisablehook, threading.excepthook = hooks
        signal.signal(signal.SIGINT, before)


def end_quietly() -> None:
    """From here on Ctrl-C ends the process at once: the answer is there, and only the interpreter is left to close."""
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.SIG_DFL)


def _silent(hook: Callable[..., Any], kind_of: Callable[..., Any], *, again: bool = False) -> Callable[..., None]:
    def quiet(*given: Any) -> None:
        if kind_of(*given) is not KeyboardInterrupt:
            hook(*given)
        elif again:  # a little later: at once, it would be raised in here
            later = threading.Timer(LATER, _thread.interrupt_main)
            later.daemon = True
            later.start()

    return quiet
