"""A coupling flow as a proposal: it learns what mixtures cannot, in some tens of variables, also periodic ones."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from sklearn.exceptions import NotFittedError

from infoscope.base.array_types import Floats
from infoscope.base.checks import check_choice, check_positive_int, check_random_state
from infoscope.base.contents import holds, number, numbers, whole
from infoscope.base.errors import DataError, ParameterError, require
from infoscope.statistics import as_periods

from .flow_network import (
    FlowNetwork,
    base_values,
    design_network,
    from_base,
    initial_parameters,
    log_density,
    with_parameters,
)
from .learned_proposal import LearnedProposal
from .training import Schedule, TrainingState, mean_loss, start_training, train
from .whitening import Whitening, check_bounds_of_angles, learn_whitening

KINDS = ("auto", "realnvp", "spline", "circular")
LAYERS = {"realnvp": 8, "spline": 6, "circular": 6}
ROWS_PER_VARIABLE = 10
MOST_SPLINES = 32  # variables
NOT_GAUSSIAN = 0.5  # of a standard variable: skewness, or excess of kurtosis
OUTGROWN = 2.0  # standard deviation of new standard values, or its inverse, beyond which the whitening is learnt anew


class FlowProposal(LearnedProposal):
    """A normalizing flow: whitening, then coupling layers between what was visited and independent base values.

    Draws and densities are of averaged parameters, those that held-out values liked best.  Both are computed in
    float64, in blocks of a fixed number of rows on one thread, so that a row's bits are its own.

    Parameters
    ----------
    kind : {"auto", "realnvp", "spline", "circular"}
        Affine layers; rational-quadratic splines; the same with circular ones for periodic variables.  "auto" is
        circular where there is a period, spline where a variable is clearly not Gaussian (up to 32 variables), and
        affine otherwise.
    n_layers : int, optional
        8 affine ones, 6 of splines if not given.
    hidden : tuple of int
        Widths of the network of a layer.
    period : None, float, sequence or mapping
        Periods of the variables, 0 for none.
    bounds : array (m, 2), optional
        Intervals that draws are cut to; the constant of `log_prob` that this costs is left out.
    learning_rate, batch_size, clip : float, int, float
        Of Adam, and the largest length of a gradient.
    max_updates : int
        Most steps of `fit`.
    patience : int
        `fit` ends once so many looks (one in 50 steps) at held-out values found nothing better.
    on_degenerate : {"raise", "drop"}
        What to do with a variable that never changed: an error that names it, or proposing its one value.
    random_state : int
        Of the first parameters and the rows of every step.

    Attributes
    ----------
    kind_ : str
        What "auto" became.
    whitening_ : Whitening
        The fixed affine layer.
    network_ : FlowNetwork
        What draws and densities are of.
    training_ : TrainingState
        Where training goes on from.
    held_out_ : float
        Mean of -ln q over held-out values, in nats and the variables' own units.
    held_out_curve_ : array
        The same at every look.

    Raises
    ------
    DataError
        Fewer than 10 rows a variable; a variable that never changed.
    ParameterError
        Periodic variables with affine or plain spline layers.
    MissingExtraError
        If PyTorch or zuko is not installed.

    References
    ----------
    Dinh, Sohl-Dickstein, Bengio, arXiv 1605.08803 (RealNVP).  Durkan et al., arXiv 1906.04032 (splines).  Rezende et
    al., arXiv 2002.02428 (circular ones).

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.sampling import FlowProposal
    >>> visited = np.random.default_rng(0).normal(size=(200, 2))
    >>> flow = FlowProposal("realnvp", max_updates=50).fit(visited)
    >>> flow.sample(3, np.random.default_rng(1)).shape
    (3, 2)
    """

    _contents = {
        "n_features_in_": whole(1), "whitening_": holds(Whitening), "network_": holds(FlowNetwork),
        "training_": holds(TrainingState), "held_out_": number(), "held_out_curve_": numbers("C"),
    }  # fmt: skip

    def __init__(
        self,
        kind: str = "auto",
        *,
        n_layers: int | None = None,
        hidden: tuple[int, ...] = (64, 64),
        period: Any = None,
        bounds: Any = None,
        learning_rate: float = 1e-3,
        batch_size: int = 512,
        clip: float = 5.0,
        max_updates: int = 2000,
        patience: int = 8,
        on_degenerate: str = "raise",
        random_state: int = 0,
    ):
        self.kind = kind
        self.n_layers = n_layers
        self.hidden = hidden
        self.period = period
        self.bounds = bounds
        self.learning_rate = learning_rate
        self.batch_size = batch_size
        self.clip = clip
        self.max_updates = max_updates
        self.patience = patience
        self.on_degenerate = on_degenerate
        self.random_state = random_state

    def partial_fit(self, X: Any, y: Any = None, *, sample_weight: Any = None, n_updates: int = 200) -> FlowProposal:
        """Go on training with other values, such as a buffer of what chains visited lately.

        The whitening stays, unless the values outgrew it (their standard deviation in it left [1/2, 2]); then a new
        flow is trained.  What draws and densities are of changes only if values that are held out like the new average
        better than the old one.

        Parameters
        ----------
        X : array (N, m)
        y : ignored
        sample_weight : array (N,), optional
        n_updates : int
            Steps.

        Returns
        -------
        self
        """
        if not hasattr(self, "network_"):
            return self.fit(X, sample_weight=sample_weight)
        z, weight = self._read(X, sample_weight, reset=False)
        self._refuse_few(z)
        u = self.whitening_.standardize(z)
        spread = np.sqrt(np.average(u[:, ~self.whitening_.periodic] ** 2, axis=0, weights=weight))
        if not self.whitening_.unchanged(z).all() or ((spread > OUTGROWN) | (spread < 1 / OUTGROWN)).any():
            self._learn(z, weight)
            return self
        before = mean_loss(self.network_, self.network_.parameters, u, weight)
        self._train(u, weight, self.training_, check_positive_int(n_updates, "n_updates"), None, before)
        return self

    # --------------------------------------------------------------------------------------------------------- steps
    def _learn(self, z: Floats, weight: Floats) -> None:
        for module in ("torch", "zuko"):
            require(module, "sampling")
        self._refuse_few(z)
        names = getattr(self, "feature_names_in_", None)
        period = as_periods(self.period, z.shape[1], names)
        check_bounds_of_angles(self.bounds, period)
        self.whitening_ = learn_whitening(z, weight, period, names=names, on_degenerate=self.on_degenerate)
        u = self.whitening_.standardize(z)
        self.kind_ = choose_kind(self.kind, u, self.whitening_.periodic)
        n_layers = LAYERS[self.kind_] if self.n_layers is None else check_positive_int(self.n_layers, "n_layers")
        transform: Literal["affine", "spline"] = "affine" if self.kind_ == "realnvp" else "spline"
        empty = design_network(transform, self.whitening_.periodic, n_layers, self.hidden)
        self.network_ = with_parameters(empty, initial_parameters(empty, self._seed()))
        state = start_training(self.network_.parameters)
        before = mean_loss(self.network_, self.network_.parameters, u, weight)
        self._train(u, weight, state, check_positive_int(self.max_updates, "max_updates"), self.patience, before)

    def _train(
        self, u: Floats, weight: Floats, state: TrainingState, n_updates: int, patience: int | None, before: float
    ) -> None:
        schedule = Schedule(self.learning_rate, self.batch_size, self.clip, n_updates, patience)
        trained = train(self.network_, u, weight, state, schedule, self._seed())
        volume = self.whitening_.log_volume
        self.training_ = trained.state
        if trained.held_out < before:
            self.network_ = with_parameters(self.network_, trained.best)
        self.held_out_ = min(trained.held_out, before) + volume
        self.held_out_curve_ = trained.curve + volume

    def _seed(self) -> int:
        return int(check_random_state(self.random_state).integers(2**31))

    def _refuse_few(self, z: Floats) -> None:
        needed = ROWS_PER_VARIABLE * z.shape[1]
        if len(z) < needed:
            raise DataError(
                f"{len(z)} rows are too few to train a flow in {z.shape[1]} variables, at least {needed} are needed: "
                "pass more, or use GaussianMixtureProposal"
            )

    def _fitted(self) -> tuple[FlowNetwork, Whitening]:
        if not hasattr(self, "network_"):
            raise NotFittedError("this FlowProposal has not seen values yet: call fit first")
        return self.network_, self.whitening_

    def _draw(self, n: int, rng: np.random.Generator) -> Floats:
        network, whitening = self._fitted()
        return self._place(rng.standard_normal((n, len(network.periodic))), network, whitening)

    def _draw_each(self, generators: Sequence[np.random.Generator]) -> Floats:
        network, whitening = self._fitted()
        numbers = [rng.standard_normal((1, len(network.periodic))) for rng in generators]
        return self._place(np.concatenate(numbers), network, whitening)

    def _place(self, normals: Floats, network: FlowNetwork, whitening: Whitening) -> Floats:
        return whitening.restore(from_base(network, base_values(network, normals)))

    def _log_density(self, z: Floats) -> Floats:
        network, whitening = self._fitted()
        density = log_density(network, whitening.standardize(z)) - whitening.log_volume
        return np.where(whitening.unchanged(z), density, -np.inf)


def choose_kind(kind: str, u: Floats, periodic: Any) -> str:
    """The kind of layers for standard values (n, d).

    Raises
    ------
    ParameterError
        An unknown word, or angles with layers that know no circle.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.sampling.flows import choose_kind
    >>> u = np.random.default_rng(0).normal(size=(1000, 1))
    >>> choose_kind("auto", u, np.array([False])), choose_kind("auto", np.sign(u), np.array([False]))
    ('realnvp', 'spline')
    """
    check_choice(kind, "kind", KINDS)
    if periodic.any():
        if kind not in ("auto", "circular"):
            raise ParameterError(f"kind={kind!r} has no periodic variables: use kind='circular' or 'auto'")
        return "circular"
    if kind != "auto":
        return "spline" if kind == "circular" else kind
    skewness, excess = (u**3).mean(axis=0), (u**4).mean(axis=0) - 3
    curved = bool((abs(skewness) > NOT_GAUSSIAN).any() or (abs(excess) > NOT_GAUSSIAN).any())
    return "spline" if curved and u.shape[1] <= MOST_SPLINES else "realnvp"
