"""How many threads there are, and how to keep BLAS at one while our own threads run."""

from __future__ import annotations

import math
import os
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

from .errors import ParameterError, require

T = TypeVar("T")
CGROUP_ROOT = Path("/sys/fs/cgroup")
CGROUP_OF_SELF = Path("/proc/self/cgroup")


def available_threads(n_jobs: int | None = None) -> int:
    """Number of threads to use.

    Parameters
    ----------
    n_jobs : int, optional
        None or -1: all this process may use, which is the smallest of CPU affinity, the CPU quota of its control group
        (version 1 or 2) and ``SLURM_CPUS_PER_TASK``.  A positive number is taken as it is; -2 leaves one thread free,
        and so on.

    Returns
    -------
    int
        At least 1.

    Raises
    ------
    ParameterError
        If `n_jobs` is 0 or no whole number.

    Examples
    --------
    >>> from infoscope.base import available_threads
    >>> available_threads(3)
    3
    """
    if n_jobs is None:
        return _threads_of_process()
    if isinstance(n_jobs, bool) or not hasattr(n_jobs, "__index__"):
        raise ParameterError(f"n_jobs must be a whole number or None, got {n_jobs!r}")
    n_jobs = int(n_jobs)
    if n_jobs == 0:
        raise ParameterError("n_jobs=0 means no thread at all: use n_jobs=1 for one, n_jobs=None for all there are")
    return n_jobs if n_jobs > 0 else max(1, _threads_of_process() + 1 + n_jobs)


def _threads_of_process() -> int:
    limits: list[float] = [len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1]
    slurm = os.environ.get("SLURM_CPUS_PER_TASK", "")
    if slurm.isdigit() and int(slurm) > 0:
        limits.append(int(slurm))
    limits.append(_cgroup_quota(CGROUP_OF_SELF, CGROUP_ROOT))
    return max(1, math.ceil(min(limits)))


@lru_cache
def _cgroup_quota(of_self: Path, top: Path) -> float:
    """CPUs granted by the control groups of this process: the smallest quota on the way up; infinite without one.

    Read once: small work asks for threads thousands of times.
    """
    try:
        lines = of_self.read_text().splitlines()
    except OSError:
        return math.inf
    quota = math.inf
    for line in lines:
        _, controllers, path = line.split(":", 2) if line.count(":") >= 2 else ("", "none", "")
        if controllers == "":  # version 2: one hierarchy, "max 100000" or "200000 100000"
            for folder in _upwards(top, path):
                quota = min(quota, _ratio(_words(folder / "cpu.max")))
        elif "cpu" in controllers.split(","):
            for root in (top / controllers, top / "cpu"):
                for folder in _upwards(root, path):
                    words = _words(folder / "cpu.cfs_quota_us") + _words(folder / "cpu.cfs_period_us")
                    quota = min(quota, _ratio(words))
    return quota


def _upwards(root: Path, path: str) -> Iterator[Path]:
    folder = root / path.lstrip("/")  # inside a container the path may not exist below the root; the root then counts
    yield folder
    while folder != root and root in folder.parents:
        folder = folder.parent
        yield folder


def _words(path: Path) -> list[str]:
    try:
        return path.read_text().split()
    except OSError:
        return []


def _ratio(words: list[str]) -> float:
    try:
        quota, period = float(words[0]), float(words[1])
    except (IndexError, ValueError):  # no such file, or "max"
        return math.inf
    return quota / period if quota > 0 and period > 0 else math.inf


# ------------------------------------------------------------------------------------------------------ one BLAS thread
# Libraries that may bring a BLAS of their own; when one of them appears, the loaded ones are looked up again.
_BLAS_CARRIERS = ("numpy", "scipy.linalg", "scipy.special", "sklearn", "torch", "faiss", "mkl", "jaxlib", "tensorflow")


class _Held(threading.local):
    """What this thread holds: number of entries, and limits that count for one thread only."""

    def __init__(self) -> None:
        self.entries = 0
        self.before: list[tuple[Any, int]] = []


_held = _Held()
_lock = threading.RLock()
_process: dict[str, Any] = {"entries": 0, "before": [], "libraries": None, "carriers": None}


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """Hold BLAS at one thread.  Nested and concurrent uses are counted: the first sets the limit, the last restores it.

    Most builds of BLAS have one limit for the whole process.  An OpenBLAS built on OpenMP has one per calling thread,
    so worker threads that call BLAS should enter as well (a few microseconds when the limit is set already).

    Yields
    ------
    None
        Nothing; the limit holds inside the block.

    Examples
    --------
    >>> from infoscope.base import one_blas_thread
    >>> with one_blas_thread():
    ...     pass
    """
    with _lock:
        libraries = _blas_libraries()
        if _process["entries"] == 0:
            _process["before"] += _hold_at_one(library for library in libraries if not _per_thread(library))
        _process["entries"] += 1
    if _held.entries == 0:
        _held.before = _hold_at_one(library for library in libraries if _per_thread(library))
    _held.entries += 1
    try:
        yield
    finally:
        _held.entries -= 1
        if _held.entries == 0:
            _restore(_held.before)
        with _lock:
            _process["entries"] -= 1
            if _process["entries"] == 0:
                _restore(_process["before"])


def _blas_libraries() -> list[Any]:
    carriers = tuple(name in sys.modules for name in _BLAS_CARRIERS)
    if _process["libraries"] is None or carriers != _process["carriers"]:
        from threadpoolctl import ThreadpoolController

        found = ThreadpoolController().select(user_api="blas").lib_controllers
        _process.update(libraries=found, carriers=carriers)
    return _process["libraries"]


def _per_thread(library: Any) -> bool:
    return library.internal_api == "openblas" and getattr(library, "threading_layer", "") == "openmp"


def _hold_at_one(libraries: Iterable[Any]) -> list[tuple[Any, int]]:
    before = [(library, library.num_threads) for library in libraries]
    several = [(library, number) for library, number in before if number is not None and number > 1]
    for library, _ in several:
        _set_threads(library, 1)
    return several


def _restore(before: list[tuple[Any, int]]) -> None:
    while before:
        _set_threads(*before.pop())


def _set_threads(library: Any, number: int) -> None:
    # From version 3.8 on, threadpoolctl lets only the thread that set a limit first change it, and silently ignores all
    # others; here the first thread in and the last one out differ, so nobody is left in control.
    let_go = getattr(library, "clear_controlling_thread", None)
    if let_go is not None:
        let_go(force=True)
    library.set_num_threads(number)
    if let_go is not None:
        let_go(force=True)


def _count_again_after_fork() -> None:
    """Of all threads that hold the limit, a forked child has at most the one that forked."""
    global _lock
    _lock = threading.RLock()
    _process["entries"] = _held.entries


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_count_again_after_fork)


@contextmanager
def one_torch_thread() -> Iterator[None]:
    """Hold PyTorch at one thread of this thread's work, where bits may not depend on how many there are.

    Yields
    ------
    None
        Nothing; the limit holds inside the block, and what it was comes back after it.

    Raises
    ------
    MissingExtraError
        If PyTorch is not installed.

    Examples
    --------
    >>> import torch
    >>> from infoscope.base.threads import one_torch_thread
    >>> with one_torch_thread():
    ...     print(torch.get_num_threads())
    1
    """
    torch = require("torch", "torch")
    before = torch.get_num_threads()
    if before > 1:
        torch.set_num_threads(1)
    try:
        yield
    finally:
        if before > 1:
            torch.set_num_threads(before)


def do_all(work: Callable[[T], object], parts: Sequence[T], n_jobs: int | None = None) -> None:
    """Do some work for every part, on as many threads as there are; one part alone starts none.

    A pool of threads takes longer to start than a thousand rows take to be looked at.

    Parameters
    ----------
    work : function (part)
        Releases the interpreter's lock while it computes.
    parts : sequence
    n_jobs : int, optional
        As in `available_threads`.

    Examples
    --------
    >>> from infoscope.base.threads import do_all
    >>> done = []
    >>> do_all(done.append, [1])
    >>> done
    [1]
    """
    threads = min(available_threads(n_jobs), len(parts))
    if threads <= 1:
        for part in parts:
            work(part)
        return
    with ThreadPoolExecutor(threads) as pool:
        list(pool.map(work, parts))
