"""Every test that prints a p-value, on data sets where its hypothesis is true.

A test is a function of a generator and a `Rows`; it draws a null data set and gives p-values by name.  A new one is a
function with `@level(...)`: the rows it is for and how low its p-values can go.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import numpy as np

from atlas_situations import autoregressive


class Rows(NamedTuple):
    """What the rows of a null data set are like.

    Attributes
    ----------
    name : str
    size : int
        Rows (of each sample, where there are two).
    blocks : int or None
        Of two correlation times each, of a series; None: independent rows.
    values : int or None
        Of a lattice; None: continuous.
    """

    name: str
    size: int
    blocks: int | None = None
    values: int | None = None

    def draw(self, rng: np.random.Generator, columns: int = 1, size: int | None = None) -> np.ndarray:
        """Columns that know nothing of each other."""
        n = size or self.size
        if self.values is not None:
            return rng.integers(0, self.values, (n, columns)).astype(float)
        if self.blocks is None:
            return rng.normal(size=(n, columns))
        # the correlation time 1 + 2 sum_k rho(k) is about twice the time in which an exponential falls to 1/e
        return autoregressive(rng, n, n / (4 * self.blocks), columns)

    def space(self, x: np.ndarray, **options: Any) -> Any:
        """The rows with the times they were seen at, where they are a series."""
        from infoscope import Space

        return Space(x, time=None if self.blocks is None else np.arange(float(len(x))), **options)


INDEPENDENT = Rows("independent", 60)
LATTICE = Rows("lattice of 3 values", 60, values=3)
SERIES = tuple(Rows(f"series of {b} blocks", 200, blocks=b) for b in (10, 20, 50))
ANY = (INDEPENDENT, LATTICE, *SERIES)
IN_TIME = (INDEPENDENT, *SERIES)

Test = Callable[[np.random.Generator, Rows], Mapping[str, float]]


class Level(NamedTuple):
    """A test, the rows it is tried on, and the smallest p-value it can give (0: any)."""

    name: str
    test: Test
    rows: Sequence[Rows]
    least: float


LEVELS: list[Level] = []


def level(rows: Sequence[Rows], *, permutations: int = 0) -> Callable[[Test], Test]:
    def enter(test: Test) -> Test:
        LEVELS.append(Level(test.__name__, test, rows, 1 / (1 + permutations) if permutations else 0.0))
        return test

    return enter


def seed(rng: np.random.Generator) -> int:
    """For permutations: the same ones for all data sets would not reject independently."""
    return int(rng.integers(2**31))


# ---------------------------------------------------------------------------------------------------------- imbalance
@level(ANY, permutations=99)
def information_imbalance(rng: np.random.Generator, rows: Rows) -> Mapping[str, float]:
    from infoscope import information_imbalance

    x, y = rows.draw(rng, 2), rows.draw(rng, 2)
    found = information_imbalance(rows.space(x), rows.space(y), n_permutations=99, random_state=seed(rng), n_jobs=1)
    return {"x to y": found.a_to_b_p, "y to x": found.b_to_a_p}


@level((INDEPENDENT, *SERIES), permutations=99)
def imbalance_of_labels(rng: np.random.Generator, rows: Rows) -> Mapping[str, float]:
    from infoscope import Space, information_imbalance

    x, y = rows.draw(rng, 2), rows.draw(rng)
    labels = Space((y > 0.5).astype(int), metric="labels")
    found = information_imbalance(rows.space(x), labels, n_permutations=99, random_state=seed(rng), n_jobs=1)
    return {"x to labels": found.a_to_b_p}


@level(ANY)
def imbalance_matrix(rng: np.random.Generator, rows: Rows) -> Mapping[str, float]:
    from infoscope import imbalance_matrix

    x, y = rows.draw(rng, 2), rows.draw(rng, 2)
    found = imbalance_matrix({"x": rows.space(x), "y": rows.space(y)}, n_jobs=1)
    return {"Student's law": found.p_values[0, 1]}


@level(ANY, permutations=19)
def imbalance_matrix_permuted(rng: np.random.Generator, rows: Rows) -> Mapping[str, float]:
    from infoscope import imbalance_matrix

    x, y = rows.draw(rng, 2), rows.draw(rng, 2)
    spaces = {"x": rows.space(x), "y": rows.space(y)}
    found = imbalance_matrix(spaces, n_permutations=19, random_state=seed(rng), n_jobs=1)
    return {"permutations": found.p_values[0, 1]}


@level(IN_TIME)
def compare_imbalances(rng: np.random.Generator, rows: Rows) -> Mapping[str, float]:
    """Two descriptions that know alike, and two that know nothing."""
    from infoscope import compare_imbalances

    z, u, v = (rows.draw(rng) for _ in range(3))
    found = {}
    for name, a, b in (("both tell", z + 0.5 * u, z + 0.5 * v), ("neither tells", u, v)):
        found[name] = compare_imbalances(*(rows.space(some) for some in (a, b, z)), n_jobs=1).p_value
    return found


@level(IN_TIME)
def dii_rise(rng: np.random.Generator, rows: Rows) -> Mapping[str, float]:
    """A column of noise beside one that tells."""
    from infoscope import dii_rise

    x, noise, u = rows.draw(rng), rows.draw(rng), rows.draw(rng)
    found = dii_rise(rows.space(np.column_stack([x, noise])), x + 0.5 * u, n_jobs=1)
    return {"a column of noise": float(found.p_value[1])}


# ---------------------------------------------------------------------------------------------------------- dimension
@level((INDEPENDENT,))
def dimension(rng: np.random.Generator, rows: Rows) -> Mapping[str, float]:
    """The model fits: uniform points on a torus."""
    from infoscope import ABIDE, Gride, Space, TwoNN

    torus = Space(rng.uniform(size=(200, 2)), period=1.0)
    scan = Gride(n_jobs=1).fit(torus).result_.p_values
    one: Any = ABIDE(n_jobs=1).fit(torus).result_.p_value
    return {
        "TWO-NN": TwoNN(n_jobs=1).fit(torus).result_.p_value,
        "Gride, ranks 2 and 4": float(scan[1]),
        "ABIDE": np.nan if one is None else one,
    }


# ---------------------------------------------------------------------------------------------------------- anomalies
@level(ANY, permutations=99)
def anomalies(rng: np.random.Generator, rows: Rows) -> Mapping[str, float]:
    """Of the whole; of the clearest row, adjusted for all; of one row by itself."""
    from infoscope import DensityAnomaly

    a, b = (rows.space(rows.draw(rng, 2)) for _ in range(2))
    found = DensityAnomaly(n_permutations=99, random_state=seed(rng), n_jobs=1).fit(a, b).result_
    side: Any = found.over
    p = {"global": found.global_p_value, "smallest adjusted of an excess": float(np.nanmin(side.adjusted))}
    if rows.blocks is None:  # those of one row are for independent rows, and say so
        p["one row"] = float(side.p_values[rng.integers(len(side.p_values))])
    return p


@level((INDEPENDENT,))
def compare_many(rng: np.random.Generator, rows: Rows) -> Mapping[str, float]:
    from infoscope.anomalies import DensityAnomaly, compare_many

    a, b, test = (rows.draw(rng, 2) for _ in range(3))
    plain = DensityAnomaly(n_permutations=0, random_state=0, n_jobs=1)
    found = compare_many({"a": a, "b": b}, test, mode="any", estimator=plain)
    return {"one row, any reference": float(found.p_values[rng.integers(len(test))])}


# ---------------------------------------------------------------------------------------------------------- causality
@level(SERIES, permutations=19)
def imbalance_gain(rng: np.random.Generator, rows: Rows) -> Mapping[str, float]:
    from infoscope import imbalance_gain

    x, y = rows.space(rows.draw(rng)), rows.space(rows.draw(rng))
    found = imbalance_gain(x, y, lag=2, n_permutations=19, random_state=seed(rng), n_jobs=1)
    return {"a source that drives nothing": found.p_value}


@level(SERIES, permutations=19)
def scan_lags(rng: np.random.Generator, rows: Rows) -> Mapping[str, float]:
    from infoscope import scan_lags

    x, y = rows.space(rows.draw(rng)), rows.space(rows.draw(rng))
    found: Any = scan_lags(x, y, [1, 2, 4], both=False, n_permutations=19, random_state=seed(rng), n_jobs=1)
    return {"one lag": float(found.forward_p[1]), "any lag": found.forward_any_p}


@level(SERIES, permutations=19)
def transfer_entropy(rng: np.random.Generator, rows: Rows) -> Mapping[str, float]:
    from infoscope import transfer_entropy

    x, y = rows.space(rows.draw(rng)), rows.space(rows.draw(rng))
    found: Any = transfer_entropy(x, y, 2, se=False, n_permutations=19, random_state=seed(rng), n_jobs=1)
    return {"k-th neighbours": float(found.forward_p[0])}


@level(SERIES)
def causal_graph(rng: np.random.Generator, rows: Rows) -> Mapping[str, float]:
    from infoscope import CommunityCausalGraph

    found = CommunityCausalGraph(lags=[1], n_epochs=20, n_jobs=1).fit(rows.space(rows.draw(rng, 3))).result_
    return {"a link": float(found.p_value[0, 1])}


@level(SERIES)
def refine_edges(rng: np.random.Generator, rows: Rows) -> Mapping[str, float]:
    """The first drives the third by way of the second alone; a graph with an edge between them is asked."""
    from infoscope import CommunityCausalGraph, refine_edges

    x, noise = rows.draw(rng, 2).T
    between = np.append(noise[0], x[:-1] + noise[1:])
    end = np.append(0.0, between[:-1]) + 0.5 * rng.normal(size=len(x))  # a noise that remembered would tell of x
    series = rows.space(np.column_stack([x, between, end]))
    graph = CommunityCausalGraph(lags=[1], n_epochs=5, n_jobs=1).fit(series).result_
    each = np.arange(3)  # a community of its own
    edges, reduced = np.array([[0, 1], [1, 2], [0, 2]]), np.array([True, True, False])
    asked = replace(graph, labels=each, levels=each, edges=edges, reduced=reduced)
    return {"an edge by way of another": float(refine_edges(asked, series, n_jobs=1).p_value[0])}


@level((INDEPENDENT,), permutations=99)
def interventional_effect(rng: np.random.Generator, rows: Rows) -> Mapping[str, float]:
    from infoscope import interventional_effect

    found = interventional_effect(
        rows.draw(rng), rows.draw(rng), n_bootstrap=0, n_permutations=99, random_state=seed(rng)
    )
    return {"two experiments alike": float(found.p_values[0])}


# ----------------------------------------------------------------------------------------------------------- measures
@level(ANY, permutations=19)
def mutual_information(rng: np.random.Generator, rows: Rows) -> Mapping[str, float]:
    from infoscope import mutual_information

    x, y = rows.space(rows.draw(rng)), rows.space(rows.draw(rng))
    found = mutual_information(x, y, se=False, n_permutations=19, random_state=seed(rng), n_jobs=1)
    return {"of two columns": found.p_value}


@level(IN_TIME, permutations=19)
def mutual_information_of_labels(rng: np.random.Generator, rows: Rows) -> Mapping[str, float]:
    from infoscope import Space, mutual_information

    x, y = rows.space(rows.draw(rng)), Space((rows.draw(rng) > 0.5).astype(int), metric="labels")
    found = mutual_information(x, y, se=False, n_permutations=19, random_state=seed(rng), n_jobs=1)
    return {"of a column and labels": found.p_value}


@level(IN_TIME, permutations=19)
def conditional_mutual_information(rng: np.random.Generator, rows: Rows) -> Mapping[str, float]:
    """Two columns that share a third and nothing else; of series 19 shuffles, made wider, never reach 0.05."""
    from infoscope import conditional_mutual_information

    z = rows.draw(rng)
    x, y = (rows.space(z + rows.draw(rng)) for _ in range(2))
    found = conditional_mutual_information(
        x, y, rows.space(z), se=False, n_permutations=99 if rows.blocks else 19, random_state=seed(rng), n_jobs=1
    )
    return {"given what both share": found.p_value}


@level(IN_TIME, permutations=19)
def total_correlation(rng: np.random.Generator, rows: Rows) -> Mapping[str, float]:
    from infoscope import total_correlation

    columns = {name: rows.space(rows.draw(rng)) for name in "xyz"}
    return {
        "of three columns": total_correlation(
            columns, se=False, n_permutations=19, random_state=seed(rng), n_jobs=1
        ).p_value
    }


@level(IN_TIME, permutations=19)
def pairwise_mutual_information(rng: np.random.Generator, rows: Rows) -> Mapping[str, float]:
    from infoscope import pairwise_mutual_information

    found = pairwise_mutual_information(
        rows.space(rows.draw(rng, 2)), n_permutations=19, random_state=seed(rng), se=False, n_jobs=1
    )
    return {"refined": float(found.p_value[0, 1])}


@level((INDEPENDENT,))  # of series it gives no p-value
def pairwise_screen(rng: np.random.Generator, rows: Rows) -> Mapping[str, float]:
    from infoscope import pairwise_mutual_information

    space = rows.space(rows.draw(rng, 2))
    found = pairwise_mutual_information(
        space, method="copula", n_permutations=0, random_state=seed(rng), se=False, n_jobs=1
    )
    return {} if found.p_value is None else {"copula": float(found.p_value[0, 1])}


@level(ANY)
def stability_index(rng: np.random.Generator, rows: Rows) -> Mapping[str, float]:
    from infoscope import stability_index

    found: Any = stability_index(rows.space(rows.draw(rng)), rows.space(rows.draw(rng)), random_state=0)
    return {"its own law": found.p_value}


@level(IN_TIME, permutations=199)
def stability_index_permuted(rng: np.random.Generator, rows: Rows) -> Mapping[str, float]:
    from infoscope import stability_index

    two = rows.space(rows.draw(rng)), rows.space(rows.draw(rng))
    found: Any = stability_index(*two, n_permutations=199, random_state=seed(rng))
    return {"permutations": found.p_value}


@level(IN_TIME, permutations=199)
def drift_table(rng: np.random.Generator, rows: Rows) -> Mapping[str, float]:
    from infoscope import drift_table

    two = rows.space(rows.draw(rng, 2)), rows.space(rows.draw(rng, 2))
    found = drift_table(*two, n_directions=10, n_permutations=199, random_state=seed(rng), n_jobs=1)
    return {"one column": float(found.p_values[0]), "all columns": float(found.p_values[-1])}


@level(ANY, permutations=199)
def mmd(rng: np.random.Generator, rows: Rows) -> Mapping[str, float]:
    from infoscope import mmd

    two = rows.space(rows.draw(rng, 2)), rows.space(rows.draw(rng, 2))
    return {"two samples": mmd(*two, n_permutations=199, random_state=seed(rng)).p_value}


@level(IN_TIME, permutations=199)
def frechet_distance(rng: np.random.Generator, rows: Rows) -> Mapping[str, float]:
    from infoscope import frechet_distance

    two = rows.space(rows.draw(rng, 2)), rows.space(rows.draw(rng, 2))
    return {"two samples": frechet_distance(*two, n_permutations=199, random_state=seed(rng)).p_value}


@level(IN_TIME, permutations=199)
def sliced_wasserstein(rng: np.random.Generator, rows: Rows) -> Mapping[str, float]:
    from infoscope import sliced_wasserstein

    two = rows.space(rows.draw(rng, 2)), rows.space(rows.draw(rng, 2))
    found = sliced_wasserstein(*two, n_directions=10, n_permutations=199, random_state=seed(rng), n_jobs=1)
    return {"two samples": found.p_value}


@level(IN_TIME, permutations=199)
def cauchy_schwarz(rng: np.random.Generator, rows: Rows) -> Mapping[str, float]:
    from infoscope import cauchy_schwarz

    two = rows.space(rows.draw(rng, 2)), rows.space(rows.draw(rng, 2))
    return {"two samples": cauchy_schwarz(*two, n_permutations=199, random_state=seed(rng)).p_value}


@level(IN_TIME, permutations=19)
def cauchy_schwarz_information(rng: np.random.Generator, rows: Rows) -> Mapping[str, float]:
    from infoscope import cauchy_schwarz_information

    two = rows.space(rows.draw(rng)), rows.space(rows.draw(rng))
    return {"two columns": cauchy_schwarz_information(*two, n_permutations=19, random_state=seed(rng)).p_value}


@level(IN_TIME, permutations=99)
def kl_divergence(rng: np.random.Generator, rows: Rows) -> Mapping[str, float]:
    from infoscope import kl_divergence

    two = rows.space(rows.draw(rng, 2)), rows.space(rows.draw(rng, 2))
    return {"two samples": kl_divergence(*two, n_permutations=99, random_state=seed(rng), n_jobs=1).p_value}


@level((INDEPENDENT,), permutations=19)
def reliability(rng: np.random.Generator, rows: Rows) -> Mapping[str, float]:
    from infoscope import reliability

    def correlation(x: Any, y: Any) -> float:
        return float(-0.5 * np.log1p(-min(np.corrcoef(np.ravel(x), np.ravel(y))[0, 1] ** 2, 0.999)))

    found = reliability(correlation, rows.draw(rng), rows.draw(rng), n_permutations=19, random_state=seed(rng))
    return {"a correlation": found.p_value}


# ---------------------------------------------------------------------------------------------------- representations
@level((INDEPENDENT,), permutations=99)
def compare_layers(rng: np.random.Generator, rows: Rows) -> Mapping[str, float]:
    from infoscope import compare_layers

    found = compare_layers(
        [rows.draw(rng, 4)], [rows.draw(rng, 4)], n_permutations=99, random_state=seed(rng), n_jobs=1
    )
    return {name: float(found.p_values[i, 0, 0]) for i, name in enumerate(found.measures)}


NUISANCES = (
    ("nuisance as wide as the rest", 1.0),
    ("nuisance six times as wide", 6.0),
    ("nuisance three times as wide", 3.0),
)


@level((INDEPENDENT,), permutations=19)
def conditional_imbalance(rng: np.random.Generator, rows: Rows) -> Mapping[str, float]:
    """Layers that share a nuisance and nothing else: one like the rest of a layer, and two that are most of it."""
    from infoscope.representations import conditional_imbalance

    found = {}
    for name, wide in NUISANCES:
        nuisance = wide * rng.normal(size=rows.size)
        a, b = (np.column_stack([nuisance, rows.draw(rng, 2)]) for _ in range(2))
        options: Any = dict(fraction=0.2, metric="euclidean", n_permutations=19, n_jobs=1)
        found[name] = conditional_imbalance(a, b, nuisance, random_state=seed(rng), **options).p_value
    return found


@level((INDEPENDENT,))
def compare_directions(rng: np.random.Generator, rows: Rows) -> Mapping[str, float]:
    """Two models that see the same with noise alike: neither tells more."""
    from infoscope.representations import compare_directions

    z = rows.draw(rng, 2)
    a, b = ([z + 0.5 * rows.draw(rng, 2)] for _ in range(2))
    return {"layers alike": compare_directions(a, b, metric="euclidean", n_jobs=1).p_value}


@level((INDEPENDENT,))
def compare_checkpoints(rng: np.random.Generator, rows: Rows) -> Mapping[str, float]:
    """A checkpoint and a reference that see the same with noise alike."""
    from infoscope.representations import compare_checkpoints

    z = rows.draw(rng, 2)
    a, b = ([z + 0.5 * rows.draw(rng, 2)] for _ in range(2))
    found = compare_checkpoints({"one": a}, b, metric="euclidean", n_jobs=1)
    return {"layers alike": float(found.p_values[0, 0])}


@level((INDEPENDENT,))
def tokens(rng: np.random.Generator, rows: Rows) -> Mapping[str, float]:
    """What the verdicts read: texts beside a control of the same law; more tokens that know nothing, as one does."""
    from infoscope.representations import token_lag_imbalance, token_number_curve
    from infoscope.statistics import item_degrees, student_p_value

    def texts(memory: float) -> Any:
        states = rng.normal(size=(rows.size, 6, 2))
        for t in range(1, 6):
            states[:, t] = memory * states[:, t - 1] + np.sqrt(1 - memory**2) * states[:, t]
        return list(states)

    beside = token_lag_imbalance(texts(0.8), lags=(1,), controls={"alike": texts(0.8)}, n_jobs=1)
    more = token_number_curve(texts(0.0), None, texts(0.0), None, numbers=(1, 3), how=("mean_last_n",), n_jobs=1)

    def judged(gain: Any, se: Any) -> float:
        return float(student_p_value(gain, se, item_degrees(rows.size)))

    return {
        "gain over a control": judged(beside.gain[0, 0, 0], beside.gain_se[0, 0, 0]),
        "asymmetry beside a control": judged(beside.asymmetry_gain[0, 0], beside.asymmetry_gain_se[0, 0]),
        "gain of three": judged(more.gain[0, 0, -1], more.gain_se[0, 0, -1]),
    }


@level((INDEPENDENT,))
def joint_imbalance(rng: np.random.Generator, rows: Rows) -> Mapping[str, float]:
    """Sources that know nothing of a target: what one adds to the other is nothing, and harms nothing."""
    from infoscope.representations import joint_imbalance

    sources, target = [rows.draw(rng, 2) for _ in range(2)], rows.draw(rng, 2)
    found = joint_imbalance(sources, target, metric="euclidean", n_jobs=1)
    return {"what one source adds": float(found.p_values[0])}


# ------------------------------------------------------------------------------------------------------------- clones
@level((INDEPENDENT,))
def order_spectrum(rng: np.random.Generator, rows: Rows) -> Mapping[str, float]:
    """Letters that know nothing of each other, and pairs of which the third knows nothing more."""
    from infoscope import order_spectrum

    letters = rng.integers(3, size=(400, 3))
    alone = order_spectrum(letters, 2, random_state=seed(rng))
    letters[:, 1] = np.where(rng.random(400) < 0.5, letters[:, 0], letters[:, 1])
    return {
        "of pairs": float(alone.p_values[0]),
        "of triples, adjusted": float(order_spectrum(letters, 3, random_state=seed(rng)).p_values[1]),
    }


@level((INDEPENDENT,))
def convergence_of_clones(rng: np.random.Generator, rows: Rows) -> Mapping[str, float]:
    """Chains from data and from noise that are of one law; smallest of three, for Bonferroni."""
    from infoscope.clones.convergence import certify

    draws = rng.normal(size=(1, 40, 3)) + rng.normal(size=(40, 40, 3))
    return {"starts alike": certify(draws, np.arange(40) < 20).start_p}


# ------------------------------------------------------------------------------------------------------------ sampling
@level((INDEPENDENT,))
def check_invariance(rng: np.random.Generator, rows: Rows) -> Mapping[str, float]:
    """Moves that leave a normal law as it is; the smallest p-value of all observables, adjusted."""
    from infoscope.sampling import SubsetVariables, Target, check_invariance

    spring = Target(lambda x: (x**2).sum(1) / 2, lambda x: x, n_coordinates=2)
    variables = SubsetVariables([0], n_coordinates=2)
    return {"a normal law": check_invariance(spring, variables, rows.draw(rng, 2), random_state=seed(rng)).p_value}


# ---------------------------------------------------------------------------------------------------------- statistics
@level((INDEPENDENT, LATTICE))
def order_test(rng: np.random.Generator, rows: Rows) -> Mapping[str, float]:
    from infoscope.neighbors import Space, order_test

    return {"rows in no order": order_test(Space(rows.draw(rng, 2))).p_value}
