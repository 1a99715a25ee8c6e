"""The law to draw from: a potential written by the user, checked where it enters."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np

from infoscope.base import DataError, InfoscopeWarning, ParameterError, available_threads, do_all, require, warn
from infoscope.base.checks import check_choice, check_matrix, check_positive_int, check_positive_number

from .interfaces import Potential

BACKENDS = ("numpy", "torch")
ANSWERS = ("energy", "gradient")
DIRECTIONS, RELATIVE_ERROR = 10, 1e-4  # of the gradient check
SPACINGS = (1e-3, 1e-4, 1e-5, 1e-6)  # of its differences, in units of the size of the configuration
WORTH_A_THREAD = 2e-3  # seconds of one call of the user's function, below which waiting for the interpreter costs more
PARTS = 4  # a thread
SINGLE_PRECISION_COORDINATES = 1000  # beyond, the rounding of float32 energies is felt in a work


class Target:
    """A potential U(x) as a law exp(-U(x) / kT).

    Parameters
    ----------
    energy : function
        U of configurations (n, D): n numbers; of one configuration (D,) with ``vectorized=False``: one number.
    gradient : function or True, optional
        dU/dx, in the shape of its argument.  True: `energy` returns the pair (U, dU/dx).  With ``backend="torch"`` it
        may be left out: it is then found by automatic differentiation.  A gradient that is only nearly right costs
        acceptance, not exactness.
    n_coordinates : int
        D.
    backend : {"numpy", "torch"}
        What the functions take and return; tensors are float64 on the CPU.
    vectorized : bool
        Whether they take many configurations at a time.  With False they are called one by one: on a pool of threads
        where the first call took longer than 2 ms, as that of another program does, else in the caller's thread.
    kT : float
        In the unit of U.
    n_jobs : int, optional
        Threads for ``vectorized=False``, as everywhere.

    Raises
    ------
    ParameterError
        No gradient and no way to find it, kT that is not positive.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.sampling import Target
    >>> spring = Target(lambda x: (x**2).sum(1), lambda x: 2 * x, n_coordinates=3, kT=2.0)
    >>> spring.energy(np.ones((4, 3)))
    array([1.5, 1.5, 1.5, 1.5])
    """

    def __init__(
        self,
        energy: Callable[..., Any],
        gradient: Callable[..., Any] | bool | None = None,
        *,
        n_coordinates: int,
        backend: str = "numpy",
        vectorized: bool = True,
        kT: float = 1.0,
        n_jobs: int | None = None,
    ) -> None:
        self.n_coordinates = check_positive_int(n_coordinates, "n_coordinates")
        self.backend = check_choice(backend, "backend", BACKENDS)
        if not callable(energy) or not (gradient is None or gradient is True or callable(gradient)):
            raise ParameterError(
                f"energy and gradient are functions of configurations, got {energy!r}, {gradient!r}; gradient may also "
                "be True, where energy returns both"
            )
        if gradient is None and backend == "numpy":
            raise ParameterError(
                "the gradient of an energy in NumPy is not known: pass gradient=, or gradient=True where energy "
                "returns both, or write the energy in PyTorch with backend='torch'"
            )
        if not isinstance(vectorized, bool):
            raise ParameterError(f"vectorized is {vectorized!r}: it is True or False")
        available_threads(n_jobs)  # refuses what is no number of threads
        self.vectorized, self.kT, self.n_jobs = vectorized, check_positive_number(kT, "kT"), n_jobs
        self._energy, self._gradient = energy, gradient
        self._single_precision = False

    def __repr__(self) -> str:
        return f"Target({self.n_coordinates} coordinates, backend={self.backend!r}, kT={self.kT:g})"

    def energy(self, x: np.ndarray) -> np.ndarray:
        """V = U / kT of every row of x (n, D): (n,).

        Raises
        ------
        DataError
            If the function returns anything but one number a configuration.
        """
        return self._every(x, self._energies)[0]

    def energy_and_gradient(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """V (n,) and its gradient (n, D).

        Raises
        ------
        DataError
            If a function returns another shape.
        """
        energy, gradient = self._every(x, self._both)
        return energy, gradient

    # ---- rows at a time, or one by one ----
    def _every(self, x: np.ndarray, function: Callable[[np.ndarray], tuple[Any, ...]]) -> list[np.ndarray]:
        n = len(x)
        shapes: list[tuple[int, ...]] = [(n,), (n, self.n_coordinates)]
        if self.vectorized:
            answers = [_array(answer, what) for answer, what in zip(function(x), ANSWERS, strict=False)]
        else:
            rows = self._one_by_one(x, function)
            answers = [np.array([row[at] for row in rows]) for at in range(len(rows[0]))] if n else [np.zeros(0)]
        if answers[0].dtype == np.float32 and not self._single_precision:
            self._single_precision = True
            if self.n_coordinates > SINGLE_PRECISION_COORDINATES:
                warn(
                    f"energies of {self.n_coordinates} coordinates come as float32: their rounding enters every work; "
                    "return float64",
                    InfoscopeWarning,
                )
        for answer, shape, what in zip(answers, shapes, ANSWERS, strict=False):
            if answer.shape != shape:
                way_out = "one number a configuration" if what == "energy" else "the shape of its argument"
                raise DataError(
                    f"{what} returns shape {answer.shape} for {n} configurations"
                    f"{'' if self.vectorized else ' asked one by one'}: expected {shape}, {way_out}"
                    + (", or pass vectorized=False for a function of one" if self.vectorized else "")
                )
        return [np.asarray(answer, np.float64) / self.kT for answer in answers]

    def _one_by_one(self, x: np.ndarray, function: Callable[[np.ndarray], tuple[Any, ...]]) -> list[Any]:
        """The answers for every row.  Plain Python runs on one thread at a time, whatever their number is."""
        rows: list[Any] = [None] * len(x)

        def some(part: range) -> None:
            for row in part:
                rows[row] = [_array(answer, what) for answer, what in zip(function(x[row]), ANSWERS, strict=False)]

        first = time.perf_counter()
        some(range(min(1, len(x))))
        if time.perf_counter() - first < WORTH_A_THREAD:
            some(range(1, len(x)))
        else:
            n_parts = min(PARTS * available_threads(self.n_jobs), len(x))
            do_all(some, [range(1 + part, len(x), n_parts) for part in range(n_parts)], self.n_jobs)
        return rows

    def _energies(self, x: np.ndarray) -> tuple[Any, ...]:
        if self.backend == "torch":
            torch = require("torch", "sampling")
            with torch.no_grad():
                found = self._energy(torch.tensor(x))
                return (_first(found, self._gradient).numpy(force=True),)
        return (_first(self._energy(x.copy()), self._gradient),)

    def _both(self, x: np.ndarray) -> tuple[Any, ...]:
        if self.backend == "torch":
            return self._both_in_torch(x)
        if self._gradient is True:
            return _pair(self._energy(x.copy()))
        # copies, for functions that work in place
        return self._energy(x.copy()), self._gradient(x.copy())  # type: ignore[operator, misc]

    def _both_in_torch(self, x: np.ndarray) -> tuple[Any, ...]:
        torch = require("torch", "sampling")
        if self._gradient is not None:
            with torch.no_grad():
                found = self._energy(torch.tensor(x))
                both = _pair(found) if self._gradient is True else (found, self._gradient(torch.tensor(x)))  # type: ignore[operator]
                return tuple(part.numpy(force=True) for part in both)
        with torch.enable_grad():
            tensor = torch.tensor(x).requires_grad_(True)
            energy = self._energy(tensor.clone())  # a copy, for functions that work in place
            if not getattr(energy, "requires_grad", False):
                raise DataError(
                    "the energy does not depend on the configurations in a way that PyTorch can follow: compute it "
                    "with tensors only, without detach() or NumPy, or pass gradient="
                )
            (gradient,) = torch.autograd.grad(energy.sum(), tensor)
        return energy.numpy(force=True), gradient.numpy(force=True)


def as_target(potential: Any) -> Potential:
    """Anything that has energies and gradients, as it is; for a bare function, how to make a target of it.

    Parameters
    ----------
    potential : object
        With ``n_coordinates``, ``energy(x)`` and ``energy_and_gradient(x)``.

    Returns
    -------
    Potential

    Raises
    ------
    ParameterError
        If it is none.

    Examples
    --------
    >>> from infoscope.sampling import Target, as_target
    >>> as_target(Target(lambda x: (x**2).sum(1), lambda x: 2 * x, n_coordinates=3))
    Target(3 coordinates, backend='numpy', kT=1)
    """
    missing = [
        name for name in ("n_coordinates", "kT", "energy", "energy_and_gradient") if not hasattr(potential, name)
    ]
    if not missing:
        return potential  # type: ignore[no-any-return]
    way_out = "wrap it: Target(energy, gradient, n_coordinates=...)" if callable(potential) else "see Target"
    raise ParameterError(f"a target needs {', '.join(missing)}, which {type(potential).__name__} has not: {way_out}")


def check_start(target: Potential, x: Any, *, gradient: bool = True) -> np.ndarray:
    """Configurations to start from: of the right shape, of finite energy, at a gradient that is that of the energy.

    Parameters
    ----------
    target : Potential
    x : array (n_chains, D)
        One row a chain.
    gradient : bool
        Whether to compare the gradient with differences of energies (80 energies; warns where they disagree).

    Returns
    -------
    ndarray, shape (n_chains, D)
        A float64 copy.

    Raises
    ------
    DataError
        Wrong shape; positions, energies or gradients that are not finite: which chain, which coordinate.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.sampling import Target
    >>> from infoscope.sampling.targets import check_start
    >>> spring = Target(lambda x: (x**2).sum(1), lambda x: 2 * x, n_coordinates=3)
    >>> check_start(spring, np.ones((2, 3))).shape
    (2, 3)
    """
    start = np.array(check_matrix(x, "x"), np.float64)
    if start.shape[1] != target.n_coordinates:
        raise DataError(
            f"x has {start.shape[1]} columns, and a configuration has {target.n_coordinates} coordinates: pass one "
            "row a chain"
        )
    energy, slope = target.energy_and_gradient(start)
    if not np.isfinite(energy).all():
        chain = int(np.flatnonzero(~np.isfinite(energy))[0])
        raise DataError(f"the energy of the start of chain {chain} is {energy[chain]}: start it somewhere else")
    if not np.isfinite(slope).all():
        chain, index = (int(at[0]) for at in np.nonzero(~np.isfinite(slope)))
        raise DataError(
            f"the gradient at the start of chain {chain} is {slope[chain, index]} for coordinate {index}: start it "
            "somewhere else, or mend the gradient there"
        )
    if gradient:
        off = gradient_error(target, start, slope)
        if off > RELATIVE_ERROR:
            warn(
                f"the gradient is not that of the energy: along random directions they differ by {off:.2g} of the "
                "gradient's size. Samples stay exact; fewer moves are accepted",
                InfoscopeWarning,
            )
    return start


def gradient_error(
    target: Potential, x: np.ndarray, slope: np.ndarray | None = None, *, directions: int = DIRECTIONS
) -> float:
    """Largest difference between slopes along random directions and differences of energies, by the size of a slope.

    Parameters
    ----------
    target : Potential
    x : ndarray, shape (n, D)
        Where; directions go round the rows.
    slope : ndarray, shape (n, D), optional
        Gradients there, where they are known.
    directions : int

    Returns
    -------
    float
        The best of several spacings for each direction, so that neither rounding nor curvature is taken for an error;
        relative to the root mean square of a slope along a random direction.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.sampling import Target
    >>> from infoscope.sampling.targets import gradient_error
    >>> wrong = Target(lambda x: (x**4).sum(1), lambda x: 5 * x**3, n_coordinates=2)
    >>> gradient_error(wrong, np.ones((1, 2))) > 0.1
    True
    """
    rows = np.arange(directions) % len(x)
    slope = target.energy_and_gradient(x[rows])[1] if slope is None else slope[rows]
    along = np.random.default_rng(0).standard_normal((directions, x.shape[1]))
    along /= np.linalg.norm(along, axis=1, keepdims=True)
    said = (along * slope).sum(1)
    size = np.maximum(1.0, np.abs(x[rows]).max(1)) * np.array(SPACINGS)[:, None]  # (spacings, directions)
    steps = size[..., None] * along
    there = (x[rows] + np.stack([steps, -steps])).reshape(-1, x.shape[1])
    with np.errstate(all="ignore"):
        up, down = target.energy(there).reshape(2, len(SPACINGS), directions)
        seen = (up - down) / (2 * size)
        off = np.nanmin(np.where(np.isfinite(seen), np.abs(seen - said), np.inf), axis=0)
    here = target.energy(x[rows])
    # at a minimum there is no slope to compare with, but that of the chord to the widest spacing
    chord = np.abs(up[0] - here) / size[0]
    scale = np.fmax(np.maximum(np.sqrt((slope**2).mean(1)), np.abs(said)), np.where(np.isfinite(chord), chord, 0.0))
    rounding = 1e-13 * np.abs(here) / size[0]  # of the energies at the widest spacing: no error
    return float((np.maximum(off - rounding, 0.0) / np.maximum(scale, np.finfo(float).tiny)).max())


def _first(found: Any, gradient: Any) -> Any:
    return _pair(found)[0] if gradient is True else found


def _pair(found: Any) -> tuple[Any, Any]:
    if isinstance(found, (tuple, list)) and len(found) == 2:
        return found[0], found[1]
    raise DataError(
        f"with gradient=True energy returns the pair (energy, gradient), and this one returned {_kind(found)}: pass "
        "gradient=function where they are two functions"
    )


def _array(answer: Any, what: str) -> np.ndarray:
    if isinstance(answer, tuple):
        raise DataError(f"{what} returns {_kind(answer)}: pass gradient=True where energy returns both")
    try:
        found = np.asarray(answer)
    except ValueError:  # rows of unequal length
        found = np.array(None)
    if found.dtype.kind not in "biuf":
        raise DataError(f"{what} returns {_kind(answer)}, and real numbers are needed: return an array of floats")
    return found


def _kind(found: Any) -> str:
    return (
        f"a {type(found).__name__} of {len(found)}"
        if isinstance(found, (tuple, list))
        else (f"an array of {found.dtype}" if hasattr(found, "dtype") else f"a {type(found).__name__}")
    )
