"""BMTI: the density that differences along the edges of the neighbourhood graph add up to."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from sklearn.base import clone
from sklearn.utils.validation import check_is_fitted

from infoscope.base import DataError, ParameterError, deprecated, one_blas_thread
from infoscope.base.checks import check_choice
from infoscope.base.contents import holds, integers, number, numbers, whole
from infoscope.neighbors import Space

from . import edge_kernels as kernels
from .edges import Edges, cloud_of, coordinates_of, edges_of, in_blocks, n_members, neighborhood_graph
from .estimators import KStarNN, PAk, PointDensity
from .lsdi import lsdi_weights
from .solve import SOLVERS, Solution, System, constants, normal_equations, solve
from .standard_errors import claimed_errors
from .unique_points import mass_within

WEIGHTS = ("uncorrelated", "identity", "lsdi")
PRIORS = ("k*-NN", "PAk")
GRADIENTS = ("mean-shift", "interior")
ERRORS = ("lsdi", "uncorrelated", None)
FEWEST_NEIGHBORS = 3  # k* - 1 are members; one has no spread


@deprecated("n_neighbors", since="0.1", remove="0.2", instead="max_neighbors")
class BMTI(KStarNN):
    """Log density by binless multidimensional integration.

    The mean shift of every neighbourhood gives the gradient of the log density, two gradients the difference along the
    edge between them, and all differences together, each with its variance, the log density by least squares on the
    neighbourhood graph.  It is smoother than any estimate at one point, and better in several dimensions (in one, k*-NN
    and PAk are as good).  It minimises ``sum_ij w_ij [log rho_j - log rho_i - (g_i + g_j).(x_j - x_i)/2]^2`` over
    edges, with gradients ``g_i = (d + 2)/R_i^2 mean_j (x_j - x_i)`` of neighbourhoods of radius R_i.

    Differences leave one constant free in every connected part of the graph: it is that of k*-NN, and its error is part
    of the error of every item.

    With statistical weights w, mean shifts are weighted means, which are the gradients of the reweighted density;
    their covariance sums w^2; k* and the overlap of neighbourhoods are those of plain counts.  Items that repeat
    another one count at its point, as in every density here.

    Parameters
    ----------
    alpha : float
        Share of the differences in the least squares, above 0 to 1; the rest is that of `prior` at every point.
    weights : {"uncorrelated", "identity", "lsdi"}
        Of the differences: inverse variances over the mean number of edges (the differences of one neighbourhood are
        not independent), all equal, or the least-squares diagonal inverse of the full covariance.
    prior : {"k*-NN", "PAk"}
        What `alpha` below 1 mixes in.
    gradient : {"mean-shift", "interior"}
        The ball of a mean shift ends at its last member, or at the next neighbour: the first is slightly too steep, and
        better where smoothing flattens, the second exact for a linear density.
    dimension : float, optional
        Intrinsic dimension; that of `ABIDE` by default.
    k_star_alpha : float
        Level of the test that ends a neighbourhood.
    k_star_correction : {None, "points", "tests", "bonferroni"}
        Whether that is the level of one test or of many, as `correction` of `KStarNN`.
    max_neighbors : int or "auto"
        As for `KStarNN`.
    weight_cap : float or None
        No weight is larger than this times their median; edges between points that nearly coincide would take the
        solution over, and make it slow.
    solver : {"auto", "lu", "cg", "amg"}
        Sparse factors, which "auto" takes in one dimension, on planes of up to 10,000 points and for up to 1000 points;
        or conjugate gradients, with algebraic multigrid as an option (extra ``solvers``) that "auto" changes to, where
        it is installed, when 500 iterations were not enough.
    tol : float
        Relative residual that the solution has to reach.
    error : {"lsdi", "uncorrelated", None}
        Weights whose inverse normal equations are the claimed covariance; None leaves errors out, which saves most of
        the time: they are NaN then.
    calibrate : bool
        Multiply the claimed errors with the ratio of true to claimed errors on a known density that looks like the
        data (see `infoscope.density.calibration`), which is `calibration_`.
    random_state : int
        Of the random signs behind "lsdi" and the errors.
    n_jobs : int, optional
        Threads.

    Attributes
    ----------
    log_density_, log_density_se_, k_star_, dimension_
        As for `KNNDensity`.
    gradient_ : array (N, D)
        Gradient of the log density at every item (of the biased one, if there is a bias potential); NaN where the
        weight is zero.
    component_ : array (N,) of int
        Connected part of the graph that an item is in, the largest first; -1 where the weight is zero.
    n_components_ : int
        How many there are.
    residual_, n_iterations_, solver_
        How the equations were solved, and how well.
    calibration_ : float
        What the claimed errors were multiplied with.
    result_ : LogDensity
        All of it, with pictures.

    References
    ----------
    Carli, Rodriguez, Laio, Glielmo, Density estimation via binless multidimensional integration, arXiv:2407.08094.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.datasets import double_well_6d
    >>> from infoscope.density import BMTI, KStarNN
    >>> x, truth = double_well_6d(2000, random_state=0)
    >>> def error(found):
    ...     away = found.log_density_ - truth
    ...     return float(np.abs(away - away.mean()).mean())
    >>> points = KStarNN(dimension=6).fit(x)
    >>> error(BMTI().fit(points)) < 0.9 * error(points)                # the neighbours of a fitted density are used
    True
    """

    method = "BMTI"
    _contents = {
        "component_": integers("sample_.point_of_item", low=-1, below="n_components_"),
        "n_components_": whole(1),
        "residual_": number(),
        "n_iterations_": whole(),
        "_scale": numbers("sample_.weight"),
        "_component_of_point": integers("sample_.weight", below="n_components_"),
        "_source": holds(PointDensity) | None,
    }

    def _check_contents(self) -> None:
        super()._check_contents()
        plain = self._plain
        if not isinstance(plain, tuple) or [np.shape(part) for part in plain] != [self._values.shape] * 2:
            raise DataError("_plain of BMTI must be two arrays with a number for every point")

    def __init__(
        self,
        alpha=1.0,
        *,
        weights="uncorrelated",
        prior="k*-NN",
        gradient="mean-shift",
        dimension=None,
        k_star_alpha=1e-6,
        k_star_correction=None,
        max_neighbors="auto",
        weight_cap=100.0,
        solver="auto",
        tol=1e-8,
        error="lsdi",
        calibrate=True,
        random_state=0,
        n_jobs=None,
    ):
        self.alpha = alpha
        self.weights = weights
        self.prior = prior
        self.gradient = gradient
        self.dimension = dimension
        self.k_star_alpha = k_star_alpha
        self.k_star_correction = k_star_correction
        self.max_neighbors = max_neighbors
        self.weight_cap = weight_cap
        self.solver = solver
        self.tol = tol
        self.error = error
        self.calibrate = calibrate
        self.random_state = random_state
        self.n_jobs = n_jobs

    def fit(self, X, y=None, *, sample_weight=None, bias=None, exclusion_window=None):
        """Estimate the log density at every item.

        Parameters
        ----------
        X : array (N, D), frame, Space, NeighborGraph or fitted density
            The items; a graph that `nearest` made of the items, or a density fitted on them, shares its neighbours, and
            a density also its neighbourhoods.
        y : ignored
            For scikit-learn's pipelines.
        sample_weight, bias : array (N,), optional
            As for `KStarNN`.
        exclusion_window : float or "auto", optional
            As for `KStarNN`; that of a fitted density is kept.

        Returns
        -------
        self

        Raises
        ------
        DataError, ParameterError
            As for `KStarNN`; a metric or a graph without features.
        """
        self._check()
        self._source = None
        if not isinstance(X, PointDensity):
            return super().fit(X, sample_weight=sample_weight, bias=bias, exclusion_window=exclusion_window)
        check_is_fitted(X)
        if sample_weight is not None:
            raise ParameterError("a fitted density has its weights already")
        for name in ("n_features_in_", "feature_names_in_"):
            if hasattr(X, name):
                setattr(self, name, getattr(X, name))
        if exclusion_window is not None:
            raise ParameterError("a fitted density has its window already: give exclusion_window to its fit")
        self.sample_, self.space_, self._offered, self._window = X.sample_, X.space_, X._offered, X._window
        self.dimension_ = X.dimension_ if self.dimension is None else float(self.dimension)
        self._k = X._k
        if int(self._k.min()) < FEWEST_NEIGHBORS:
            raise ParameterError(
                f"BMTI needs at least {FEWEST_NEIGHBORS} neighbours of every point, the density used {self._k.min()}"
            )
        self._source = clone(X)  # how its neighbourhoods came about, for the calibration
        if "max_neighbors" in X.get_params():
            self._source.set_params(max_neighbors=X.sample_.table.distances.shape[1])
        if bias is None and X._bias is not None:
            bias = X._bias.potential[X.sample_.point_of_item]
        return self._estimate(bias)

    # ---- steps ----
    @property
    def _level(self) -> tuple[float, str | None]:
        return self.k_star_alpha, self.k_star_correction

    def _check(self) -> None:
        check_choice(self.weights, "weights", WEIGHTS)
        check_choice(self.prior, "prior", PRIORS)
        check_choice(self.gradient, "gradient", GRADIENTS)
        check_choice(self.solver, "solver", SOLVERS)
        if self.error is not None:
            check_choice(self.error, "error", tuple(name for name in ERRORS if name is not None))
        for name, most in (("alpha", 1.0), ("tol", 1.0), ("weight_cap", np.inf)):
            value = getattr(self, name)
            if value is None and name == "weight_cap":
                continue
            if isinstance(value, str) or not np.isscalar(value) or not 0 < float(value) <= most:  # type: ignore[arg-type]
                raise ParameterError(f"{name} is {value!r}; it must be above 0" + f" and at most {most:g}" * (most < 2))

    def _densities(self, log_distances, items, k, new: bool = False):
        sample, d = self.sample_, self.dimension_
        points, points_se, _ = super()._densities(log_distances, items, k)
        prior, prior_se, unsettled = points, points_se, 0
        if self.prior == "PAk" and self.alpha < 1:
            prior, prior_se, unsettled = PAk._densities(self, log_distances, items, k)  # type: ignore[arg-type]
        by_lsdi = "lsdi" in (self.weights, self.error)
        edges = edges_of(sample, k, d, interior=self.gradient == "interior", keep=by_lsdi, n_jobs=self.n_jobs)
        weight = {name: self._weights(edges, k, name) for name in {self.weights, self.error or self.weights}}
        options = dict(alpha=self.alpha, prior=prior, prior_se=prior_se, n_jobs=self.n_jobs)
        system = normal_equations(edges.graph, weight[self.weights], edges.difference, **options)
        with one_blas_thread():  # vectors of this length gain nothing from more
            solution = solve(system, d, solver=self.solver, tol=self.tol, start=points)
        values, constant_se = solution.values, 0.0
        if system.free:
            mass, square = mass_within(sample, items, k)
            shift, shift_se = constants(system, sample, items, k, mass, square, points - values)
            values, constant_se = values + shift[system.component], shift_se[system.component]
        errors = np.full(len(values), np.nan)
        if self.error is not None:
            trusted = weight[self.error]
            if self.error != self.weights:
                system = normal_equations(edges.graph, trusted, edges.difference, **options)
            claimed = claimed_errors(
                system,
                edges.graph,
                trusted,
                d,
                alpha=self.alpha,
                prior_se=prior_se,
                solver=self.solver,
                random_state=int(self.random_state),
                n_jobs=self.n_jobs,
            )
            errors = np.hypot(claimed, constant_se)
        self._gradient, self._scale = edges.gradient, edges.scale  # the rest is made again where new points ask
        self._plain = values, errors  # before a bias potential is removed and correlated rows widen errors
        self._remember(system, solution)
        return values, errors, unsettled

    def _weights(self, edges: Edges, k, name: str) -> np.ndarray:
        if name == "identity":
            return np.ones(len(edges.variance))
        if name == "lsdi":
            weight = lsdi_weights(edges, random_state=int(self.random_state), n_jobs=self.n_jobs)
        else:
            members = np.sqrt(np.diff(edges.graph.indptr) + 1.0)  # the point itself, and its neighbours
            weight = 1 / (edges.variance * members[edges.graph.source] * members[edges.graph.target])
        if self.weight_cap is not None:
            np.minimum(weight, self.weight_cap * float(np.median(weight)), out=weight)
        return weight

    def _densities_of_new(self, new: Space, log_distances, items, k):
        """The neighbours of a new point, each with its difference to it, give its value; no item changes."""
        y = coordinates_of(new)[0]
        n = n_members(log_distances, k)
        last = k - 1 if self.gradient == "interior" else n - 1
        scale = (self.dimension_ + 2) * np.exp(-2 * log_distances[np.arange(len(k)), last])
        value, error, gradient = np.empty(len(k)), np.empty(len(k)), np.empty(y.shape)
        in_blocks(
            kernels.at_new_points,
            len(k),
            self.n_jobs,
            y,
            items,
            n,
            scale,
            cloud_of(self.sample_),
            neighborhood_graph(self.sample_.table.items, n_members(self.sample_.table.distances, self._k)),
            self._scale,
            self._gradient,
            *self._plain,
            self.weights == "identity",
            value,
            error,
            gradient,
        )
        return value, error

    def _remember(self, system: System, solution: Solution) -> None:
        self.n_components_ = system.n_components
        self.residual_, self.n_iterations_, self.solver_ = solution.residual, solution.n_iterations, solution.solver
        self._component_of_point = system.component

    def _spread(self, space, unsettled: int) -> None:
        super()._spread(space, unsettled)
        point = self.sample_.point_of_item
        inside = point >= 0
        self.component_ = np.where(inside, self._component_of_point[point], -1)
        self.result_ = replace(
            self.result_,
            component=self.component_,
            n_components=self.n_components_,
            residual=self.residual_,
            n_iterations=self.n_iterations_,
            solver=self.solver_,
            notes=(*self.result_.notes, *self._more_notes()),
        )

    def _more_notes(self) -> list[str]:
        notes = []
        if self.n_components_ > 1:
            size = np.bincount(self._component_of_point)
            shown = ", ".join(map(str, size[:5])) + (", ..." if len(size) > 5 else "")
            how = "the constant of each is that of k*-NN" if self.alpha == 1 else "the prior alone joins them"
            notes.append(f"the neighbour graph has {self.n_components_} separate parts of {shown} points; {how}")
        if self.error is None:
            notes.append("errors were not asked for")
        if self.prior == "PAk" and self.alpha == 1:
            notes.append("with alpha=1 the prior does not enter")
        return notes
