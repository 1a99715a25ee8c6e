"""A mixture of Gaussians as a proposal, with von Mises laws for periodic variables: it needs no network."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from sklearn.exceptions import NotFittedError

from infoscope.base.array_types import Floats
from infoscope.base.checks import check_positive_int, check_random_state
from infoscope.base.contents import number, numbers, whole
from infoscope.base.errors import ParameterError
from infoscope.statistics import as_periods

from .learned_proposal import LearnedProposal
from .mixture_fit import Mixture, choose_mixture, fit_mixture
from .mixture_law import MixtureLaw, as_numbers, component_log_densities, draw_numbers, make_law, place_numbers
from .whitening import check_bounds_of_angles, learn_whitening


class GaussianMixtureProposal(LearnedProposal):
    """A mixture that is given, or fitted by expectation and maximisation.

    In a component, variables without a period have a Gaussian with full covariance; a periodic one has a von Mises law
    of its own, independent of the others.

    Parameters
    ----------
    means : array (K, m), optional
        Given together with `covariances`: the law until `fit` is called, which then starts there.
    covariances : array (K, m, m), optional
        A periodic variable has no covariance with others; its variance v says kappa = (P / 2 pi)^2 / v (infinite:
        uniform).
    weights : array (K,), optional
        Equal ones if not given.
    n_components : int or "bic"
        How many components `fit` makes; "bic" takes the number with the smallest BIC.
    max_components : int
        The largest number that "bic" tries.
    period : None, float, sequence or mapping
        Periods of the variables, 0 for none.
    bounds : array (m, 2), optional
        Intervals that the law is cut to; the constant of `log_prob` that this costs is left out.
    random_state : int
        Of the points that `fit` starts from.

    Attributes
    ----------
    means_, covariances_, weights_ : array
        As the parameters.
    bic_ : float
        In nats; rows count with their weights, as if they were independent.

    Raises
    ------
    DataError
        If a variable never changes, with its name.
    ParameterError
        Shapes that do not fit.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.sampling import GaussianMixtureProposal
    >>> rng = np.random.default_rng(0)
    >>> visited = np.concatenate([rng.normal(0, 1, (300, 1)), rng.normal(10, 2, (700, 1))])
    >>> proposal = GaussianMixtureProposal().fit(visited)
    >>> np.sort(proposal.weights_.round(2))
    array([0.3, 0.7])
    >>> proposal.sample(5, rng).shape
    (5, 1)
    """

    most_rows = 5000  # more cost time, and change little
    _contents = {
        "n_features_in_": whole(1), "means_": numbers("K", "n_features_in_", finite=True),
        "covariances_": numbers("K", "n_features_in_", "n_features_in_"), "weights_": numbers("K", low=0),
        "bic_": number(),
    }  # fmt: skip

    def __init__(
        self,
        means: Any = None,
        covariances: Any = None,
        weights: Any = None,
        *,
        n_components: int | str = "bic",
        max_components: int = 10,
        period: Any = None,
        bounds: Any = None,
        random_state: int = 0,
    ):
        self.means = means
        self.covariances = covariances
        self.weights = weights
        self.n_components = n_components
        self.max_components = max_components
        self.period = period
        self.bounds = bounds
        self.random_state = random_state

    @property
    def n_variables(self) -> int:
        """m."""
        if self.means is not None:
            means = as_numbers(self.means, "means")
            if means.ndim != 2:
                raise ParameterError(f"means has shape {means.shape}: one row a component is needed")
            return means.shape[1]
        return super().n_variables

    # --------------------------------------------------------------------------------------------------------- steps
    def _learn(self, z: Floats, weight: Floats) -> None:
        period = self._checked_periods(z, weight)
        seed = int(check_random_state(self.random_state).integers(2**31))
        if self.means is not None:
            start = make_law(self.means, self.covariances, self.weights, period)
            found = fit_mixture(z, weight, period, len(start.means), seed, start=start)
        elif self.n_components == "bic":
            largest = check_positive_int(self.max_components, "max_components")
            found = choose_mixture(z, weight, period, largest, seed)
        else:
            n_components = check_positive_int(self.n_components, "n_components", maximum=len(z))
            found = fit_mixture(z, weight, period, n_components, seed)
        self._keep(found)

    def _learn_more(self, z: Floats, weight: Floats) -> None:
        """A number of components that was chosen is chosen again, one that was given starts from what was learnt."""
        if not hasattr(self, "means_") or (self.n_components == "bic" and self.means is None):
            return self._learn(z, weight)
        period = self._checked_periods(z, weight)
        return self._keep(fit_mixture(z, weight, period, len(self.means_), 0, start=self._law()))

    def _checked_periods(self, z: Floats, weight: Floats) -> Floats:
        names = getattr(self, "feature_names_in_", None)
        period = as_periods(self.period, z.shape[1], names)
        check_bounds_of_angles(self.bounds, period)
        learn_whitening(z, weight, period, names=names)  # says which variable has no density
        return period

    def _keep(self, mixture: Mixture) -> None:
        self.means_, self.covariances_, self.weights_, self.bic_ = mixture

    def _law(self) -> MixtureLaw:
        if hasattr(self, "means_"):
            names = getattr(self, "feature_names_in_", None)
            return make_law(
                self.means_, self.covariances_, self.weights_, as_periods(self.period, self.n_variables, names)
            )
        if self.means is None:
            raise NotFittedError("this GaussianMixtureProposal has no means yet: give them, or call fit first")
        return make_law(self.means, self.covariances, self.weights, self.period)

    def _draw(self, n: int, rng: np.random.Generator) -> Floats:
        law = self._law()
        return place_numbers(law, *draw_numbers(law, n, rng))

    def _draw_each(self, generators: Sequence[np.random.Generator]) -> Floats:
        law = self._law()
        drawn = [draw_numbers(law, 1, rng) for rng in generators]
        component, standard = (np.concatenate(parts) for parts in zip(*drawn, strict=True))
        return place_numbers(law, component, standard)

    def _log_density(self, z: Floats) -> Floats:
        return np.logaddexp.reduce(component_log_densities(self._law(), z), axis=0)
