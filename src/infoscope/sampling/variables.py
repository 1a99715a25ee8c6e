"""Collective variables: some coordinates, linear maps of them, any differentiable functions."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from infoscope.base import DataError, ParameterError, require
from infoscope.base.checks import check_choice, check_matrix, check_positive_int
from infoscope.statistics import as_periods, check_period

from .interfaces import CollectiveVariables
from .targets import BACKENDS, gradient_error

WRONG_SLOPE = 0.01  # of a slope's size; single precision and kinks stay below


class SubsetVariables:
    """Some of the coordinates themselves.

    Parameters
    ----------
    indices : sequence of int
        Which coordinates, each once.
    n_coordinates : int
        D.
    names : sequence of str, optional
        "x3" for coordinate 3 by default.
    period : float, sequence or mapping by name, optional
        0 or None for a variable without period.

    Raises
    ------
    ParameterError
        An index that is no coordinate or comes twice, names or periods of another number.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.sampling import SubsetVariables
    >>> first = SubsetVariables([0, 2], n_coordinates=3)
    >>> first.names, first.values(np.array([[1.0, 2.0, 3.0]]))
    (('x0', 'x2'), array([[1., 3.]]))
    """

    def __init__(
        self, indices: Sequence[int], *, n_coordinates: int, names: Sequence[str] | None = None, period: Any = 0.0
    ) -> None:
        self.n_coordinates = check_positive_int(n_coordinates, "n_coordinates")
        self.indices = np.array(
            [check_positive_int(at, "indices", 0, self.n_coordinates - 1) for at in np.atleast_1d(indices)], np.int64
        )
        if not len(self.indices) or len(np.unique(self.indices)) != len(self.indices):
            raise ParameterError(f"indices is {indices!r}: name at least one coordinate, and none twice")
        self.names = _settle_names(names, [f"x{at}" for at in self.indices.tolist()])
        self.period = as_periods(period, len(self.names), self.names)

    def __repr__(self) -> str:
        return f"SubsetVariables({', '.join(self.names)})"

    def values(self, x: np.ndarray) -> np.ndarray:
        """Their values at the rows of x (n, D): (n, m)."""
        return np.asarray(x)[:, self.indices]

    def pull_back(self, x: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """The gradient (n, D) of sum_i weights_i xi_i."""
        found = np.zeros((len(x), self.n_coordinates))
        found[:, self.indices] = weights
        return found

    def jacobian(self, x: np.ndarray) -> np.ndarray:
        """All gradients, (n, m, D)."""
        found = np.zeros((len(x), len(self.indices), self.n_coordinates))
        found[:, np.arange(len(self.indices)), self.indices] = 1.0
        return found


class LinearVariables:
    """Linear maps xi = A x of the coordinates: wavelet coefficients, normal modes, centres.

    Parameters
    ----------
    matrix : array (m, D)
        Linearly independent rows.
    names : sequence of str, optional
        "z0", "z1", ... by default.
    period : float, sequence or mapping by name, optional
        0 or None for a variable without period.

    Raises
    ------
    DataError
        Rows that depend on each other.
    ParameterError
        Names or periods of another number.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.sampling import LinearVariables
    >>> centre = LinearVariables([[0.5, 0.5]], names=["centre"])
    >>> centre.values(np.array([[1.0, 2.0]]))
    array([[1.5]])
    """

    def __init__(self, matrix: Any, *, names: Sequence[str] | None = None, period: Any = 0.0) -> None:
        self.matrix = np.array(check_matrix(matrix, "matrix"), np.float64)
        m, self.n_coordinates = self.matrix.shape
        rank = int(np.linalg.matrix_rank(self.matrix))
        if rank < m:
            raise DataError(f"the {m} rows of matrix span {rank} dimensions only: leave out those that others give")
        self.names = _settle_names(names, [f"z{at}" for at in range(m)])
        self.period = as_periods(period, m, self.names)

    def __repr__(self) -> str:
        return f"LinearVariables({', '.join(self.names)})"

    def values(self, x: np.ndarray) -> np.ndarray:
        """Their values at the rows of x (n, D): (n, m)."""
        return np.einsum("nd,md->nm", x, self.matrix)

    def pull_back(self, x: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """The gradient (n, D) of sum_i weights_i xi_i."""
        return np.einsum("nm,md->nd", weights, self.matrix)

    def jacobian(self, x: np.ndarray) -> np.ndarray:
        """All gradients, (n, m, D)."""
        return np.broadcast_to(self.matrix, (len(x), *self.matrix.shape))


class FunctionVariables:
    """Any differentiable functions of a configuration.

    Parameters
    ----------
    function : function
        Of configurations (n, D), one row a configuration: values (n, m).
    jacobian : function, optional
        Of configurations: all gradients (n, m, D).  With ``backend="torch"`` it may be left out: automatic
        differentiation finds it.
    names : sequence of str, optional
        "z0", "z1", ... by default, as many as `n_variables`.
    n_variables : int, optional
        m; the number of names by default, else 1.
    period : float, sequence or mapping by name, optional
        0 or None for a variable without period.
    backend : {"numpy", "torch"}
        What the functions take and return; tensors are float64 on the CPU.

    Raises
    ------
    ParameterError
        No jacobian in NumPy, names or periods of another number.
    DataError
        From the methods: a function that returns another shape.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.sampling import FunctionVariables
    >>> radius = FunctionVariables(
    ...     lambda x: np.sqrt((x**2).sum(1, keepdims=True)),
    ...     lambda x: (x / np.sqrt((x**2).sum(1, keepdims=True)))[:, None, :],
    ...     names=["radius"],
    ... )
    >>> radius.values(np.array([[3.0, 4.0]])), radius.pull_back(np.array([[3.0, 4.0]]), np.array([[5.0]]))
    (array([[5.]]), array([[3., 4.]]))
    """

    def __init__(
        self,
        function: Callable[..., Any],
        jacobian: Callable[..., Any] | None = None,
        *,
        names: Sequence[str] | None = None,
        n_variables: int | None = None,
        period: Any = 0.0,
        backend: str = "numpy",
    ) -> None:
        self.backend = check_choice(backend, "backend", BACKENDS)
        if jacobian is None and backend == "numpy":
            raise ParameterError(
                "the gradients of a function in NumPy are not known: pass jacobian=, or write it in PyTorch with "
                "backend='torch'"
            )
        m = (
            (1 if names is None else len(names))
            if n_variables is None
            else check_positive_int(n_variables, "n_variables")
        )
        self.names = _settle_names(names, [f"z{at}" for at in range(m)])
        self.period = as_periods(period, m, self.names)
        self._function, self._jacobian = function, jacobian

    def __repr__(self) -> str:
        return f"FunctionVariables({', '.join(self.names)})"

    def values(self, x: np.ndarray) -> np.ndarray:
        """Their values at the rows of x (n, D): (n, m)."""
        if self.backend == "torch":
            torch = require("torch", "sampling")
            with torch.no_grad():
                found = self._function(torch.as_tensor(x)).numpy(force=True)
        else:
            found = self._function(x)
        return self._checked(found, (len(x), len(self.names)), "function")

    def pull_back(self, x: np.ndarray, weights: np.ndarray) -> np.ndarray:
        """The gradient (n, D) of sum_i weights_i xi_i."""
        if self._jacobian is not None:
            return np.einsum("nm,nmd->nd", weights, self.jacobian(x))
        torch = require("torch", "sampling")
        with torch.enable_grad():
            tensor = torch.as_tensor(x).clone().requires_grad_(True)
            total = (self._function(tensor) * torch.as_tensor(weights)).sum()
            (found,) = torch.autograd.grad(total, tensor)
        return np.asarray(found.numpy(force=True), np.float64)

    def jacobian(self, x: np.ndarray) -> np.ndarray:
        """All gradients, (n, m, D)."""
        shape = (len(x), len(self.names), x.shape[1])
        if self._jacobian is None:
            rows = [self.pull_back(x, np.broadcast_to(unit, shape[:2]).copy()) for unit in np.eye(shape[1])]
            return np.stack(rows, axis=1)
        if self.backend == "torch":
            torch = require("torch", "sampling")
            with torch.no_grad():
                return self._checked(self._jacobian(torch.as_tensor(x)).numpy(force=True), shape, "jacobian")
        return self._checked(self._jacobian(x), shape, "jacobian")

    def _checked(self, found: Any, shape: tuple[int, ...], what: str) -> np.ndarray:
        array = np.asarray(found, np.float64)
        if array.shape != shape:
            raise DataError(
                f"{what} of {', '.join(self.names)} returns shape {array.shape} for {shape[0]} configurations: "
                f"expected {shape}"
            )
        return array


def check_variables(variables: CollectiveVariables, x: np.ndarray) -> np.ndarray:
    """Values of the variables where chains start: of the right shape, finite, and of periods and gradients that fit.

    Parameters
    ----------
    variables : CollectiveVariables
    x : ndarray, shape (n, D)

    Returns
    -------
    ndarray, shape (n, m)

    Raises
    ------
    ParameterError
        What is no collection of variables.
    DataError
        Another shape; values that are not finite: which chain, which variable; degrees declared as radians; gradients
        that are not those of a variable.

    Warns
    -----
    DataWarning
        Of values that look like an angle whose period was not declared.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.sampling import SubsetVariables
    >>> from infoscope.sampling.variables import check_variables
    >>> check_variables(SubsetVariables([0], n_coordinates=2), np.ones((3, 2))).shape
    (3, 1)
    """
    values = variable_values(variables, x)
    if not isinstance(variables, (SubsetVariables, LinearVariables)):
        _check_slopes(variables, x)
    return values


def variable_values(variables: CollectiveVariables, x: np.ndarray) -> np.ndarray:
    """As `check_variables`, without a look at the gradients."""
    missing = [name for name in ("names", "period", "values", "pull_back", "jacobian") if not hasattr(variables, name)]
    if missing:
        way_out = "wrap it: FunctionVariables(function, jacobian)" if callable(variables) else "see SubsetVariables"
        raise ParameterError(
            f"variables is a {type(variables).__name__} without {', '.join(missing)}: {way_out}"
            if variables is not None
            else "variables is None: name some, as in SubsetVariables([0], n_coordinates=...)"
        )
    values = np.asarray(variables.values(x), np.float64)
    if values.shape != (len(x), len(variables.names)):
        raise DataError(
            f"the variables return shape {values.shape} for {len(x)} configurations: expected "
            f"({len(x)}, {len(variables.names)})"
        )
    if not np.isfinite(values).all():
        chain, at = (int(index[0]) for index in np.nonzero(~np.isfinite(values)))
        raise DataError(
            f"variable {variables.names[at]!r} is {values[chain, at]} at the start of chain {chain}: start it "
            "somewhere else"
        )
    for at, name in enumerate(variables.names):
        check_period(values[:, at], float(variables.period[at]), name)
    return values


def _check_slopes(variables: CollectiveVariables, x: np.ndarray) -> None:
    """Refuse gradients that differences of the values contradict: constraints would be held along a wrong direction."""
    errors = [gradient_error(OneSlope(variables, at), x) for at in range(len(variables.names))]  # type: ignore[arg-type]
    worst = int(np.argmax(errors))
    if errors[worst] > WRONG_SLOPE:
        raise DataError(
            f"the jacobian of variable {variables.names[worst]!r} is not that of its values: along random directions "
            f"they differ by {errors[worst]:.2g} of a slope's size at the starts; mend it, or leave it to automatic "
            "differentiation with backend='torch'"
        )


class OneSlope:
    """One variable as an energy, for the check of gradients; of a periodic one the sine, in its own unit.

    Parameters
    ----------
    variables : CollectiveVariables
    at : int
        Which one.
    """

    kT = 1.0

    def __init__(self, variables: CollectiveVariables, at: int) -> None:
        self.variables, self.n_coordinates, period = variables, 0, float(variables.period[at])
        self.turn = 2 * np.pi / period if period > 0 else 0.0
        self.at, self.unit = at, np.arange(len(variables.names)) == at

    def energy(self, x: np.ndarray) -> np.ndarray:
        """Of every row."""
        xi = np.asarray(self.variables.values(x), np.float64)[:, self.at]
        return np.sin(self.turn * xi + 0.5) / self.turn if self.turn else xi

    def energy_and_gradient(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Of every row."""
        xi = np.asarray(self.variables.values(x), np.float64)[:, self.at]
        weights = (np.cos(self.turn * xi + 0.5) if self.turn else np.ones(len(x)))[:, None] * self.unit
        return self.energy(x), self.variables.pull_back(x, weights)


def short_way(difference: np.ndarray, period: np.ndarray) -> np.ndarray:
    """Differences of variables on their last axis, the short way round where periodic."""
    if not (period > 0).any():
        return difference
    length = np.where(period > 0, period, 1.0)
    return np.where(period > 0, difference - length * np.rint(difference / length), difference)


def _settle_names(names: Sequence[str] | None, default: list[str]) -> tuple[str, ...]:
    settled = tuple(default) if names is None else tuple(map(str, names))
    if len(settled) != len(default) or len(set(settled)) != len(settled):
        raise ParameterError(f"names is {names!r}: give {len(default)} different names, one a variable")
    return settled
