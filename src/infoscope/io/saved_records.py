"""Results and estimators kept whole: every field of any class in one file, and back."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from infoscope.base import Origin, Result, plain, versions
from infoscope.base.errors import DataError, ParameterError
from infoscope.storage import atomic_path, check_target
from infoscope.storage.allowed_classes import is_estimator
from infoscope.storage.archive import LONGEST_RECORD, open_archive
from infoscope.storage.fields import Reader, Writer
from infoscope.storage.regular import open_regular

from .source_files import with_digests

FORMAT, FORMAT_VERSION = "infoscope saved result", 1
SUFFIX, RECORD = ".npz", "record"
WAY_OUT = "copy or save it again"


def save(result: Any, path: str | PathLike[str]) -> Path:
    """Keep a result or an estimator whole: all its fields, arrays bit for bit, and where it came from.

    Parameters
    ----------
    result : Result or estimator
        Any result of the library. (A result class of your own works too, if it is a dataclass and is defined when the
        file is loaded.) Or any estimator of the library, fitted or not: its parameters, and what the fit found.
    path : str or path
        A ``.npz`` file: the arrays as NumPy writes them, all else as JSON text in the array ``record``. Nothing in it
        is code, and nothing is pickled. A file that is there already is replaced only when the new one is complete.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    ParameterError
        If ``path`` does not end in .npz, its folder does not exist, ``result`` is neither a result nor an estimator of
        the library, or a field or parameter holds something that is neither a number, text, array, list, tuple, mapping
        nor another result: a function, or a random generator (set a seed in its place).

    See Also
    --------
    load : The way back.
    write_result : The numbers for other programs.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import numpy as np
    >>> import infoscope
    >>> x = np.random.default_rng(0).normal(size=(60, 3))
    >>> result = infoscope.information_imbalance(x, x[:, :2])
    >>> path = infoscope.save(result, pathlib.Path(tempfile.mkdtemp(), "pair.npz"))
    >>> infoscope.load(path).a_to_b == result.a_to_b
    True
    """
    return save_with_history(result, path, {})


def save_with_history(result: Any, path: str | PathLike[str], history: Mapping[str, Any]) -> Path:
    """The same, with the command, the inputs and the files that it was made from beside it."""
    path = check_saved_path(path)
    if not isinstance(result, Result) and not is_estimator(result):
        raise ParameterError(
            f"only results and estimators are saved, not a {type(result).__name__}: use NumPy or pandas for data"
        )
    writer = Writer()
    head = {"format": FORMAT, "format_version": FORMAT_VERSION, "versions": versions(), "history": plain(history)}
    whole = {**head, "result": writer.write(_with_digests(result))}  # or the estimator, which says so itself
    text = json.dumps(whole, allow_nan=False)
    if 4 * len(text) > LONGEST_RECORD - 256:  # what the header takes
        raise ParameterError(f"all but the arrays is text of {len(text):,} letters, too long to be saved")
    arrays: dict[str, Any] = {RECORD: np.array(text), **writer.arrays}
    with atomic_path(path) as temporary:
        np.savez_compressed(temporary, **arrays)
    return path


def load(path: str | PathLike[str]) -> Any:
    """Load a result or an estimator that `save` kept.

    Parameters
    ----------
    path : str or path
        The file.

    Returns
    -------
    Result or estimator
        Of the class it had, with equal fields. A result plots, prints and cites itself as before; an estimator
        transforms and scores as before.

    Raises
    ------
    DataError
        If the file is missing, cut short or damaged, is of another kind, was written by a newer version of the library,
        or holds a class, a field or a parameter that this version does not know.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from infoscope import load, save
    >>> from infoscope.statistics import correlation_time
    >>> found = correlation_time([[0.0], [1.0], [0.5], [2.0], [0.1], [1.5], [0.7], [0.2], [1.1], [0.9]])
    >>> path = save(found, pathlib.Path(tempfile.mkdtemp(), "times.npz"))
    >>> load(path).value == found.value
    True
    """
    return load_with_history(path)[0]


def load_with_history(path: str | PathLike[str]) -> tuple[Any, dict[str, Any]]:
    """The same, and what was saved beside it: ``command``, ``inputs`` and ``files``, as far as they are known."""
    path = Path(path)
    _check_beginning(path)
    with open_archive(path, WAY_OUT, compressed=True) as archive:
        if RECORD not in archive:
            raise DataError(f"{path} holds arrays, but no result saved by infoscope.save")
        whole = archive.read_json_array(RECORD)
        if not isinstance(whole, dict) or whole.get("format") != FORMAT:
            raise DataError(f"{path} holds no result saved by infoscope.save")
        version = whole.get("format_version")
        if not isinstance(version, int) or version < 1:
            raise DataError(f"{path} is damaged: its format version is {version!r:.80}")
        versions_then = whole.get("versions")
        writer = str(versions_then.get("infoscope", "unknown")) if isinstance(versions_then, dict) else "unknown"
        if version > FORMAT_VERSION:
            raise DataError(
                f"{path} has format version {version}, and this infoscope reads versions up to {FORMAT_VERSION}: "
                f"install infoscope {writer:.80} or newer"
            )
        result = Reader(archive, str(path), writer[:80]).read(whole.get("result"))
    if not isinstance(result, Result) and not is_estimator(result):
        raise DataError(f"{path} is damaged: it holds a {type(result).__name__}, not a result or an estimator")
    history = whole.get("history")
    if not isinstance(history, dict | None):
        raise DataError(f"{path} is damaged: its history is {history!r:.80}")
    return result, history or {}


def check_saved_path(path: str | PathLike[str]) -> Path:
    """Raise now what `save` would raise about its path."""
    path = Path(path)
    if path.suffix.lower() != SUFFIX:
        raise ParameterError(
            f"results are saved whole as {SUFFIX}, not as '{path.suffix or path.name}'; "
            "infoscope.io.write_result writes .json, .csv and .parquet"
        )
    return check_target(path)


# --------------------------------------------------------------------------------------------------------------- steps
def _with_digests(result: Any) -> Any:
    """A result that knows where its items came from, with the hashes of these files."""
    origin = getattr(result, "origin", None) if isinstance(result, Result) else None
    return dataclasses.replace(result, origin=with_digests(origin)) if isinstance(origin, Origin) else result


def _check_beginning(path: Path) -> None:
    """Raise where a file is of another kind, by its first bytes."""
    with open_regular(path) as file:
        start = file.read(4)
    if start[:2] != b"PK":
        hint = ": a .json record is for reading and for infoscope rerun" if path.suffix.lower() == ".json" else ""
        raise DataError(f"{path} holds no result saved by infoscope.save{hint}")
