"""Overdamped Langevin dynamics on a grid: transfer entropy and interventions without a trajectory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from infoscope.base import DataError, ParameterError, provenance
from infoscope.base.checks import check_positive_int

from .diffusion import Relaxation, symmetric_generator
from .joint_laws import check_times, settle_variables, table_information, unit_factor
from .ornstein_uhlenbeck import check_values
from .results import Intervention, TransferEntropy

DEPTH = 60.0  # kT above the minimum, beyond which cells are left out: their probability is below 1e-26
FEWEST_CELLS = 5  # along an axis
MAX_CELLS = 200_000
TINY = 1e-300


class LangevinGrid:
    """A particle in a potential of one to three coordinates, ``gamma dx = -dU/dx dt + sqrt(2 kT gamma) dB``, on a grid.

    The master equation between neighbouring cells, with rates ``(kT / gamma_a h_a^2) sqrt(p_c' / p_c)`` along axis a,
    obeys detailed balance exactly; its error falls with the square of the spacing.  Refine `shape` until numbers stand
    still.

    Parameters
    ----------
    potential : function or array
        ``U(x)``, ``U(x, y)`` or ``U(x, y, z)`` of arrays of coordinates; or its values at the points of the grid.
    bounds : sequence of (float, float)
        Lowest and highest value of every coordinate; both are points of the grid.  Walls there reflect.
    shape : sequence of int
        Points along every axis.
    kT : float
        Temperature, in units of the potential.
    gamma : float or sequence of float
        Friction of every coordinate.
    names : sequence of str, optional
        Of the coordinates; "x", "y", "z" by default.

    Raises
    ------
    DataError
        A potential that is not finite somewhere or falls apart into basins without a way between them.
    ParameterError
        Bounds, shape or frictions that make no grid.

    References
    ----------
    Del Tatto, Banerjee, Hassanali, Laio (2025), arXiv:2502.19384, for the systems.  Bicout, Szabo (1998),
    J. Chem. Phys. 109, 2325, for the rates.

    Examples
    --------
    >>> from infoscope.causality import LangevinGrid
    >>> well = LangevinGrid(lambda x, y: (x**2 - 1.2 * x * y + y**2) / 1.28, [(-4, 4), (-4, 4)], (25, 25))
    >>> found = well.transfer_entropy([0.5], "x", "y")
    >>> found.forward.round(3), well.timescales(1).round(2)                 # 0.0278 and 1.6 without a grid
    (array([0.028]), array([1.63]))
    """

    def __init__(
        self,
        potential: Callable[..., Any] | Any,
        bounds: Sequence[tuple[float, float]],
        shape: Sequence[int],
        *,
        kT: float = 1.0,
        gamma: Any = 1.0,
        names: Sequence[str] | None = None,
    ) -> None:
        self.axes = _axes(bounds, shape)
        self.shape = tuple(len(axis) for axis in self.axes)
        self.names = tuple("xyz"[: len(self.shape)] if names is None else map(str, names))
        friction = np.broadcast_to(np.asarray(gamma, np.float64), (len(self.shape),))
        if not (np.isfinite(friction) & (friction > 0)).all() or not 0 < kT < np.inf:
            raise ParameterError(f"gamma is {gamma!r} and kT {kT!r}: both are positive")
        if len(set(self.names)) != len(self.shape):
            raise ParameterError(f"names is {names!r}: give {len(self.shape)} different names, one for each coordinate")
        self.kT, self.gamma = float(kT), friction.copy()
        self.energy = _energies(potential, self.axes) / self.kT
        self.kept = self.energy - self.energy.min() <= DEPTH
        weight = np.where(self.kept, np.exp(-(self.energy - self.energy.min())), 0.0)
        self.probabilities = weight / weight.sum()
        spacing = [axis[1] - axis[0] for axis in self.axes]
        hops = [self.kT / g / h**2 for g, h in zip(self.gamma, spacing, strict=True)]
        self._relaxation = Relaxation(symmetric_generator(self.energy, self.kept, hops))

    def __repr__(self) -> str:
        return f"LangevinGrid({' x '.join(map(str, self.shape))}, kT={self.kT:g}, gamma={self.gamma.tolist()})"

    def timescales(self, n: int = 5) -> np.ndarray:
        """Slowest relaxation times, longest first.

        Parameters
        ----------
        n : int
            How many.

        Returns
        -------
        array (n,)

        Examples
        --------
        >>> from infoscope.causality import LangevinGrid
        >>> LangevinGrid(lambda x: x**2 / 2, [(-6, 6)], (241,)).timescales(2).round(2)
        array([1. , 0.5])
        """
        return 1 / self._relaxation.rates(check_positive_int(n, "n", maximum=int(self.kept.sum()) - 1) + 1)[1:]

    # ---- information ----
    def transfer_entropy(
        self, lags: Any, source: Any = 0, target: Any = 1, *, condition: Any = (), unit: str = "nats"
    ) -> TransferEntropy:
        """``I(X(0); Y(lag) | Y(0), Z(0))`` and the same with exchanged roles, summed over the grid.

        Parameters
        ----------
        lags : float or sequence of float
            Units of time.
        source, target : int or str
            Numbers or names of the coordinates.
        condition : int, str or sequence of them
            Coordinates whose present is known as well.
        unit : {"nats", "bits"}

        Returns
        -------
        TransferEntropy

        Raises
        ------
        ParameterError
            No such coordinates, negative lags.
        """
        (x,), (y,), z = self._variables(source, target, condition)
        times, factor = check_times(lags), unit_factor(unit)
        forward, backward = np.zeros((2, len(times)))
        for at, lag in enumerate(times.tolist()):
            forward[at] = self._transfer(x, y, z, lag)
            backward[at] = self._transfer(y, x, z, lag)
        return TransferEntropy(
            source=self.names[x],
            target=self.names[y],
            lags=times,
            forward=forward * factor,
            backward=backward * factor,
            method="grid",
            condition=", ".join(self.names[one] for one in z) or None,
            unit=unit,
            is_reversible=True,
            entropy_production=0.0,
            provenance=self._record("LangevinGrid.transfer_entropy", lags=times, source=x, target=y, condition=z),
        )

    def _transfer(self, x: int, y: int, z: list[int], lag: float) -> float:
        if lag == 0:
            return 0.0
        cells = np.flatnonzero(self.kept)
        root = np.sqrt(self.probabilities.ravel()[cells])
        later = np.zeros((len(cells), self.shape[y]))  # probability of every y(lag) from every cell, times its own
        later[np.arange(len(cells)), np.unravel_index(cells, self.shape)[y]] = root
        later = np.maximum(self._relaxation.after(later, lag) * root[:, None], 0.0)
        joint = np.zeros((*self.shape, self.shape[y]))
        joint.reshape(-1, self.shape[y])[cells] = later
        known = [y, *z]
        hidden = tuple(a for a in range(len(self.shape)) if a not in (x, *known))
        order = [*known, x, *hidden, len(self.shape)]
        joint = joint.transpose(order).sum(tuple(range(len(known) + 1, len(known) + 1 + len(hidden))))
        return table_information(joint.reshape(-1, self.shape[x], self.shape[y]))

    # ---- interventions ----
    def intervention(self, source: Any, target: Any, values: Any, lags: Any) -> Intervention:
        """What a coordinate does to another when it is set to a value: KL[do(a) || do(b)] of the laws of the target.

        Parameters
        ----------
        source, target : int or str
            Numbers or names of the coordinates.
        values : (float, float)
            a and b; the nearest points of the grid are taken.
        lags : float or sequence of float
            Units of time.

        Returns
        -------
        Intervention
            With the divergence of the observed laws (source found at a or b, not set to it) beside it.

        Raises
        ------
        ParameterError
            No such coordinates, values outside the bounds.
        """
        (x,), (y,), _ = self._variables(source, target, ())
        times, (a, b) = check_times(lags), check_values(values)
        places = [self._place(x, value) for value in (a, b)]
        starts = [self._set_to(x, place) for place in places] + [self._found_at(x, place) for place in places]
        laws = np.stack([self._laws_after(np.stack(starts), y, lag) for lag in times.tolist()], axis=1)
        spacing = self.axes[y][1] - self.axes[y][0]
        return Intervention(
            source=self.names[x],
            target=self.names[y],
            values=tuple(float(self.axes[x][place]) for place in places),
            lags=times,
            effect=np.array([_divergence(p, q) for p, q in zip(laws[0], laws[1], strict=True)]),
            observed=np.array([_divergence(p, q) for p, q in zip(laws[2], laws[3], strict=True)]),
            grid=self.axes[y],
            laws=laws[:2] / spacing,
            method="grid",
            provenance=self._record("LangevinGrid.intervention", lags=times, source=x, target=y, values=[a, b]),
        )

    def _set_to(self, x: int, place: int) -> np.ndarray:
        """Law after do(x): the others keep their joint law, and x stands at one place."""
        others = self.probabilities.sum(x)
        law = np.zeros(self.shape)
        np.moveaxis(law, x, 0)[place] = others
        return _on_kept(law, self.kept, f"{self.names[x]} = {self.axes[x][place]:g}")

    def _found_at(self, x: int, place: int) -> np.ndarray:
        law = np.zeros(self.shape)
        np.moveaxis(law, x, 0)[place] = np.moveaxis(self.probabilities, x, 0)[place]
        return _on_kept(law, self.kept, f"{self.names[x]} = {self.axes[x][place]:g}")

    def _laws_after(self, starts: np.ndarray, y: int, lag: float) -> np.ndarray:
        """Laws of coordinate y, from laws of all: the symmetric propagator between square roots of probabilities."""
        cells = np.flatnonzero(self.kept)
        root = np.sqrt(self.probabilities.ravel()[cells])
        moved = self._relaxation.after((starts.reshape(len(starts), -1)[:, cells] / root).T, lag)
        law = np.zeros((len(starts), *self.shape))
        law.reshape(len(starts), -1)[:, cells] = np.maximum(moved.T * root, 0.0)
        law = law.sum(tuple(a + 1 for a in range(len(self.shape)) if a != y))
        return np.asarray(law / law.sum(1, keepdims=True))

    # ---- small steps ----
    def _variables(self, source: Any, target: Any, condition: Any) -> tuple[list[int], list[int], list[int]]:
        more = condition if isinstance(condition, (list, tuple)) else [condition]
        known = [self._number(name) for name in more]
        x, y, z = settle_variables(self._number(source), self._number(target), known, len(self.shape))
        if len(x) > 1 or len(y) > 1:
            raise ParameterError("source and target are one coordinate each")
        return x, y, z

    def _number(self, name: Any) -> Any:
        if isinstance(name, str):
            if name not in self.names:
                raise ParameterError(f"there is no coordinate {name!r}; they are {', '.join(self.names)}")
            return self.names.index(name)
        return name

    def _place(self, x: int, value: float) -> int:
        axis = self.axes[x]
        if not axis[0] <= value <= axis[-1]:
            raise ParameterError(f"{self.names[x]} = {value:g} lies outside the grid, {axis[0]:g} to {axis[-1]:g}")
        return int(np.abs(axis - value).argmin())

    def _record(self, function: str, **parameters: Any) -> Any:
        about = dict(shape=list(self.shape), kT=self.kT, gamma=self.gamma, bounds=[[a[0], a[-1]] for a in self.axes])
        return provenance(function, parameters | about, None, self.energy)


def _axes(bounds: Any, shape: Any) -> tuple[np.ndarray, ...]:
    edges, sizes = np.asarray(bounds, np.float64), np.atleast_1d(np.asarray(shape))
    if edges.ndim != 2 or edges.shape[1] != 2 or not 1 <= len(edges) <= 3 or len(sizes) != len(edges):
        raise ParameterError(
            f"bounds has shape {edges.shape} and shape {len(sizes)} numbers: give (low, high) and a number of points "
            "for each of one to three coordinates"
        )
    if not (np.isfinite(edges).all() and (edges[:, 0] < edges[:, 1]).all()):
        raise ParameterError(f"bounds is {bounds!r}: every low bound lies below its high one")
    counts = [check_positive_int(size, "shape", FEWEST_CELLS) for size in sizes.tolist()]
    if np.prod(counts) > MAX_CELLS:
        raise ParameterError(f"{np.prod(counts):,} cells are more than {MAX_CELLS:,}: take a coarser grid")
    return tuple(np.linspace(low, high, n) for (low, high), n in zip(edges, counts, strict=True))


def _energies(potential: Any, axes: tuple[np.ndarray, ...]) -> np.ndarray:
    shape = tuple(len(axis) for axis in axes)
    given = potential(*np.meshgrid(*axes, indexing="ij")) if callable(potential) else potential
    energy = np.array(np.broadcast_to(np.asarray(given, np.float64), shape) if np.ndim(given) == 0 else given, float)
    if energy.shape != shape:
        raise DataError(f"the potential has shape {energy.shape} on a grid of {shape}: one value for each point")
    bad = np.isnan(energy) | (energy == -np.inf)
    if bad.any():
        at = tuple(float(axis[i]) for axis, i in zip(axes, np.argwhere(bad)[0], strict=True))
        raise DataError(f"the potential is no number at {at}: bounds must lie where it is one")
    if not np.isfinite(energy).any():
        raise DataError("the potential is infinite everywhere")
    return energy


def _on_kept(law: np.ndarray, kept: np.ndarray, what: str) -> np.ndarray:
    law = np.where(kept, law, 0.0)
    if not law.sum() > 0:
        raise ParameterError(f"{what} lies more than {DEPTH:g} kT above the minimum everywhere: no state is there")
    return np.asarray(law / law.sum())


def _divergence(p: np.ndarray, q: np.ndarray) -> float:
    """KL[p || q] in nats of two laws on the same points."""
    there = p > 0
    return max(float((p[there] * np.log(p[there] / np.maximum(q[there], TINY))).sum()), 0.0)
