"""Ctrl-C at any moment is one sentence: also while packages are imported, and where one of them drops it."""

from __future__ import annotations

import _thread
import os
import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
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
    dropped it comes once more. While a kernel is compiled it waits: an exception between two lines in which llvmlite
    hands over what it owns makes it free that twice, a crash in one of some hundred interruptions of a first run.
    """
    interrupts = Interrupts()
    if threading.current_thread() is not threading.main_thread() or signal.getsignal(signal.SIGINT) is None:
        yield interrupts  # only the main thread hears of signals
        return

    def remember(number: int, frame: Any) -> None:
        interrupts.seen = True
        if _compiling():
            _interrupt_later()
        else:
            raise KeyboardInterrupt

    hooks: tuple[Any, ...] = sys.excepthook, sys.unraisablehook, threading.excepthook
    before = signal.getsignal(signal.SIGINT)
    if before is signal.default_int_handler:
        signal.signal(signal.SIGINT, remember)
    sys.excepthook = _silent(hooks[0], lambda kind, *rest: kind)
    sys.unraisablehook = _silent(hooks[1], lambda dropped: dropped.exc_type, again=interrupts)
    threading.excepthook = _silent(hooks[2], lambda ended: ended.exc_type)
    try:
        yield interrupts
    finally:
        sys.excepthook, sys.unraisablehook, threading.excepthook = hooks
        signal.signal(signal.SIGINT, before)


def end_quietly(*, interrupted: bool) -> None:
    """From here on Ctrl-C ends the process at once: the answer is there, and only the interpreter is left to close.

    After an interruption it is not closed: other packages may count what they own as well, and files are closed, as
    all are opened by blocks that the exception has left.
    """
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    if interrupted:
        for stream in (sys.stdout, sys.stderr):
            with suppress(OSError, ValueError, AttributeError):  # closed, or there is none
                stream.flush()
        os._exit(INTERRUPTED)


def _silent(
    hook: Callable[..., Any], kind_of: Callable[..., Any], *, again: Interrupts | None = None
) -> Callable[..., None]:
    """Says nothing of Ctrl-C; where that was dropped (`again`) it comes once more, and what it left undone is quiet."""

    def quiet(*given: Any) -> None:
        if kind_of(*given) is not KeyboardInterrupt:
            if again is None or not again.seen:
                hook(*given)
        elif again is not None:  # a little later: at once, it would be raised in here
            _interrupt_later()

    return quiet


def _compiling() -> bool:
    """Whether this thread compiles a kernel, or loads one that is kept."""
    lock = getattr(sys.modules.get("numba.core.compiler_lock"), "global_compiler_lock", None)
    return lock is not None and lock.is_locked()


def _interrupt_later() -> None:
    """By a bare thread: those of `threading` take locks, which the thread that hears of the signal may hold.

    A true signal, where there are such: `interrupt_main` alone does not end a call that waits.
    """

    def interrupt() -> None:
        time.sleep(LATER)
        main = threading.main_thread().ident
        if hasattr(signal, "pthread_kill") and main is not None:
            signal.pthread_kill(main, signal.SIGINT)
        else:
            _thread.interrupt_main()

    _thread.start_new_thread(interrupt, ())
