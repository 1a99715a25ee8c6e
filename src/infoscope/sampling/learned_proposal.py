"""What all proposals that learn from visited values share: their checks, their draws, and intervals they keep to."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Self

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import validate_data

from infoscope.base.array_types import Floats
from infoscope.base.checks import check_matrix, check_sample_weight
from infoscope.base.documentation import DocumentedEstimator
from infoscope.base.errors import DataError, ParameterError

from .mixture_law import as_numbers

MOST_ROUNDS = 1000  # of draws for a row whose draws fall outside the intervals


class LearnedProposal(DocumentedEstimator, BaseEstimator):
    """A proposal that is fitted: `fit`, `partial_fit`, `sample`, `draw_each`, `log_prob`.

    A class below says how it learns (`_learn`, `_learn_more`), how a row is drawn (`_draw`) and what its density is
    (`_log_density`).  `bounds`, where it has
    them, cut the law to intervals: draws outside are drawn again, and the constant that is lost is one for all values,
    so it cancels in the acceptance of an independence proposal.
    """

    bounds: Any = None
    most_rows: int | None = None  # that a sampler trains it with at a time

    @property
    def n_variables(self) -> int:
        """m."""
        if not hasattr(self, "n_features_in_"):
            raise NotFittedError(f"this {type(self).__name__} has not seen values yet: call fit first")
        return int(self.n_features_in_)

    def fit(self, X: Any, y: Any = None, *, sample_weight: Any = None) -> Self:
        """Learn the law of visited values.

        Parameters
        ----------
        X : array (N, m)
            Values of the variables.
        y : ignored
        sample_weight : array (N,), optional
            How much every row counts.

        Returns
        -------
        self

        Raises
        ------
        DataError
            If a variable never changes, or is a linear function of others.
        """
        self._learn(*self._read(X, sample_weight))
        return self

    def partial_fit(self, X: Any, y: Any = None, *, sample_weight: Any = None) -> Self:
        """Go on from what was learnt with other values; a proposal without a better way learns anew.

        Parameters
        ----------
        X : array (N, m)
        y : ignored
        sample_weight : array (N,), optional

        Returns
        -------
        self
        """
        if not hasattr(self, "n_features_in_"):
            return self.fit(X, sample_weight=sample_weight)
        self._learn_more(*self._read(X, sample_weight, reset=False))
        return self

    def sample(self, n: int, rng: np.random.Generator) -> Floats:
        """Independent draws.

        Parameters
        ----------
        n : int
        rng : Generator

        Returns
        -------
        array (n, m)
        """
        z = self._draw(n, rng)
        for _ in range(MOST_ROUNDS):
            outside = np.flatnonzero(~self._inside(z))
            if not len(outside):
                return z
            z[outside] = self._draw(len(outside), rng)
        raise self._nothing_inside()

    def draw_each(self, generators: Sequence[np.random.Generator]) -> Floats:
        """One draw a generator; row i depends on generator i alone, and is what ``sample(1, generator)`` gives.

        Parameters
        ----------
        generators : sequence of Generator

        Returns
        -------
        array (n, m)
        """
        z = self._draw_each(generators)
        for _ in range(MOST_ROUNDS):
            outside = np.flatnonzero(~self._inside(z))
            if not len(outside):
                return z
            z[outside] = self._draw_each([generators[int(row)] for row in outside])
        raise self._nothing_inside()

    def log_prob(self, z: Any) -> Floats:
        """Logarithm of the density.

        Parameters
        ----------
        z : array (n, m)

        Returns
        -------
        array (n,)
            -inf outside `bounds`, where the constant of the cut is left out.

        Raises
        ------
        DataError
            If there are not m columns.
        """
        z = np.ascontiguousarray(z, dtype=np.float64)
        if z.ndim != 2 or z.shape[1] != self.n_variables:
            raise DataError(f"z has shape {z.shape}: one row a chain and {self.n_variables} columns are needed")
        return np.where(self._inside(z), self._log_density(z), -np.inf)

    def score_samples(self, X: Any) -> Floats:
        """`log_prob` under the name that scikit-learn has for it.

        Parameters
        ----------
        X : array (n, m)

        Returns
        -------
        array (n,)
        """
        self.n_variables  # noqa: B018 - says that nothing was fitted
        return self.log_prob(self._read(X, reset=False)[0])

    # ------------------------------------------------------------------------------------------------ for those below
    def _learn(self, z: Floats, weight: Floats) -> None:
        raise NotImplementedError

    def _learn_more(self, z: Floats, weight: Floats) -> None:
        self._learn(z, weight)

    def _draw(self, n: int, rng: np.random.Generator) -> Floats:
        raise NotImplementedError

    def _draw_each(self, generators: Sequence[np.random.Generator]) -> Floats:
        return np.concatenate([self._draw(1, rng) for rng in generators])

    def _log_density(self, z: Floats) -> Floats:
        raise NotImplementedError

    def _read(self, X: Any, sample_weight: Any = None, *, reset: bool = True) -> tuple[Floats, Floats]:
        """Values as float64 and their weights, those of weight 0 left out."""
        least = 2 if reset else 1
        z = validate_data(self, X, dtype=np.float64, ensure_all_finite=False, ensure_min_samples=least, reset=reset)
        z = check_matrix(z, "X", column_names=getattr(self, "feature_names_in_", None))
        weights = np.ones(len(z)) if sample_weight is None else check_sample_weight(sample_weight, len(z))
        kept = weights > 0
        if reset and self.bounds is not None and not (inside := self._inside(z)).all():
            row = int(np.flatnonzero(~inside)[0])
            raise DataError(f"row {row} of X is outside `bounds`: {z[row]}")
        return (z, weights) if kept.all() else (z[kept], weights[kept])

    def _inside(self, z: Floats) -> Any:
        """Which rows the intervals let through."""
        if self.bounds is None:
            return np.ones(len(z), dtype=bool)
        bounds = as_numbers(self.bounds, "bounds")
        if bounds.shape != (z.shape[1], 2) or not (bounds[:, 0] < bounds[:, 1]).all():
            raise ParameterError(
                f"bounds has shape {bounds.shape}: it must be one pair of lower < upper for each of the {z.shape[1]} "
                "variables (infinite where there is none)"
            )
        return ((z >= bounds[:, 0]) & (z <= bounds[:, 1])).all(axis=1)

    def _nothing_inside(self) -> DataError:
        return DataError(
            f"{MOST_ROUNDS} draws in a row were outside `bounds`: the law that was learnt is elsewhere; widen them"
        )
