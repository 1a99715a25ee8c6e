"""A proposal mixed with a little of a broad law: its density is bounded from below, so that no chain gets stuck."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.exceptions import NotFittedError

from infoscope.base.array_types import Floats
from infoscope.base.contents import holds, whole
from infoscope.base.errors import ParameterError
from infoscope.statistics import as_periods

from .interfaces import draw_each
from .learned_proposal import LearnedProposal
from .mixtures import GaussianMixtureProposal
from .whitening import learn_whitening


class DefensiveProposal(LearnedProposal):
    """q = (1 - share) q_0 + share q_broad, with a Gaussian of twice the covariance of what was visited.

    Where q_0 is far too small, an independence proposal keeps a chain for ever: its acceptance has q_0 of the present
    value in the numerator.  The broad part bounds it.

    Parameters
    ----------
    proposal : Proposal, optional
        q_0, with a normalized density; a `GaussianMixtureProposal` if not given.  One with a `fit` of its own is copied
        and fitted; its `bounds` cut the whole mixture.
    share : float
        Of the broad law, between 0 and 1.
    widening : float
        Its covariance over that of the values; periodic variables are uniform in it.

    Attributes
    ----------
    proposal_ : Proposal
        q_0, fitted.
    broad_ : GaussianMixtureProposal
        One component.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.sampling import DefensiveProposal
    >>> visited = np.random.default_rng(0).normal(size=(500, 2))
    >>> proposal = DefensiveProposal().fit(visited)
    >>> bool(proposal.log_prob([[6.0, 6.0]])[0] > proposal.proposal_.log_prob([[6.0, 6.0]])[0])
    True
    """

    _contents = {"n_features_in_": whole(1), "proposal_": holds(object), "broad_": holds(GaussianMixtureProposal)}

    @property
    def most_rows(self) -> int | None:  # type: ignore[override]
        """Of the proposal."""
        return getattr(self.proposal, "most_rows", None) if self.proposal is not None else 5000

    def __init__(self, proposal: Any = None, *, share: float = 0.05, widening: float = 2.0):
        self.proposal = proposal
        self.share = share
        self.widening = widening

    # --------------------------------------------------------------------------------------------------------- steps
    def _learn(self, z: Floats, weight: Floats) -> None:
        self._fit_parts(GaussianMixtureProposal() if self.proposal is None else copy.deepcopy(self.proposal), z, weight)

    def _learn_more(self, z: Floats, weight: Floats) -> None:
        self._fit_parts(self.proposal_, z, weight, "partial_fit")

    def _fit_parts(self, inner: Any, z: Floats, weight: Floats, how: str = "fit") -> None:
        if not 0 < self.share < 1 or not self.widening > 0:
            raise ParameterError(
                f"share is {self.share!r} and widening {self.widening!r}: give 0 < share < 1 and widening > 0"
            )
        names = getattr(self, "feature_names_in_", None)
        period = as_periods(getattr(inner, "period", None), z.shape[1], names)
        whitening = learn_whitening(z, weight, period, names=names)
        if hasattr(inner, how):
            getattr(inner, how)(z, sample_weight=weight)
        angle = period > 0
        covariance = np.zeros((len(period), len(period)))
        covariance[np.ix_(~angle, ~angle)] = self.widening * (whitening.factor @ whitening.factor.T)
        covariance[angle, angle] = np.inf
        self.proposal_ = inner
        self.broad_ = GaussianMixtureProposal(whitening.mean[None], covariance[None], np.ones(1), period=period)

    def _parts(self) -> tuple[Any, GaussianMixtureProposal]:
        if not hasattr(self, "proposal_"):
            raise NotFittedError("this DefensiveProposal has not seen values yet: call fit first")
        return self.proposal_, self.broad_

    def _draw(self, n: int, rng: np.random.Generator) -> Floats:
        inner, broad = self._parts()
        wide = rng.random(n) < self.share
        draw = inner._draw if isinstance(inner, LearnedProposal) else inner.sample  # the whole is cut, not its parts
        z = np.empty((n, self.n_variables))
        for part, rows in ((draw, np.flatnonzero(~wide)), (broad._draw, np.flatnonzero(wide))):
            if len(rows):
                z[rows] = part(len(rows), rng)
        return z

    def _draw_each(self, generators: Sequence[np.random.Generator]) -> Floats:
        inner, broad = self._parts()
        wide = np.array([rng.random() < self.share for rng in generators], dtype=bool)
        uncut = isinstance(inner, LearnedProposal)
        draw = inner._draw_each if uncut else lambda some: draw_each(inner, some)
        z = np.empty((len(wide), self.n_variables))
        for part, rows in ((draw, np.flatnonzero(~wide)), (broad._draw_each, np.flatnonzero(wide))):
            if len(rows):
                z[rows] = part([generators[int(row)] for row in rows])
        return z

    def _log_density(self, z: Floats) -> Floats:
        inner, broad = self._parts()
        density = inner._log_density if isinstance(inner, LearnedProposal) else inner.log_prob
        return np.logaddexp(np.log1p(-self.share) + density(z), np.log(self.share) + broad._log_density(z))

    def _inside(self, z: Floats) -> Any:
        inner = getattr(self, "proposal_", self.proposal)
        return inner._inside(z) if isinstance(inner, LearnedProposal) else super()._inside(z)
