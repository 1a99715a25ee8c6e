"""Python files that a record names: they run only if whoever runs the record again says so."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

from infoscope.base.errors import DataError

_record: ContextVar[str | None] = ContextVar("record whose code is not trusted", default=None)


@contextmanager
def no_code(record: str) -> Iterator[None]:
    """Refuse to load Python files while a record is run again."""
    token = _record.set(record)
    try:
        yield
    finally:
        _record.reset(token)


def check_code(file: Path) -> None:
    """Raise before a Python file is loaded that was not written by whoever asks."""
    record = _record.get()
    if record is not None:
        raise DataError(f"{record}: its command runs code, {file}. Read that file first; if it may run, add --run-code")
