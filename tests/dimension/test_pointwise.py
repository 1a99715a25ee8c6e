"""The dimension at every item: its formula, its law, and what neighbourhoods that share items are worth."""

import numpy as np
import pytest
from scipy import stats
from tests.statistics.series import autoregressive

import infoscope
from infoscope import Space, pointwise_dimension
from infoscope.base import DataError, InfoscopeWarning, ParameterError
from infoscope.neighbors import nearest


def around(d, radius_of, n, generator):
    """A point at the origin and n others, uniform in the unit ball of d dimensions (`radius_of`: of whole numbers)."""
    x = generator.normal(size=(n, d))
    x *= (radius_of(generator.uniform(size=n)) ** (1 / d) / np.linalg.norm(x, axis=1))[:, None]
    return np.r_[np.zeros((1, d)), x]


def brute(x, k, smoothing=0, weight=None, period=0.0):
    """Dimensions and independent ratios, item by item from the full matrix of distances."""
    away = x[:, None] - x[None]
    if period:
        away -= period * np.rint(away / period)
    r = np.linalg.norm(away, axis=-1)
    np.fill_diagonal(r, np.inf)
    order = np.argsort(r, axis=1, kind="stable")
    w = np.ones(len(x)) if weight is None else weight
    d, ratios = np.empty(len(x)), np.empty(len(x))
    for i in range(len(x)):
        pooled = [i, *order[i, :smoothing]]
        logs = {c: {int(v): np.log(r[c, order[c, k - 1]] / r[c, v]) for v in order[c, : k - 1]} for c in pooled}
        n = sum(w[c] * (k - 1) for c in pooled)
        likely = n / sum(w[c] * t for c in pooled for t in logs[c].values())
        term = {(c, v): w[c] * (1 - likely * t) for c in pooled for v, t in logs[c].items()}
        # terms go together if they are of one neighbour, or of one pair
        variance = 0.0
        for (c, v), one in term.items():
            for (e, u), other in term.items():
                variance += one * other * (v == u or (c == u and v == e))
        most = n**2 / sum(w[c] ** 2 * (k - 1) for c in pooled)
        ratios[i] = k - 1 if not smoothing else min(max(n**2 / variance, k - 1), most)
        d[i] = (ratios[i] - 1) / ratios[i] * likely
    return d, ratios


def test_the_most_likely_value_without_its_bias():
    x = np.random.default_rng(0).normal(size=(60, 3))
    found = pointwise_dimension(x, k=7)
    d, ratios = brute(x, 7)
    np.testing.assert_allclose(found.dimension, d, rtol=1e-12)
    np.testing.assert_allclose(found.dimension_se, d / np.sqrt(5), rtol=1e-12)
    np.testing.assert_allclose(found.n_ratios, ratios)
    r = np.sort(np.linalg.norm(x[:, None] - x[None], axis=-1), axis=1)
    np.testing.assert_allclose(found.distance, r[:, 7], rtol=1e-12)


@pytest.mark.parametrize("weighted", [False, True])
def test_pooled_values_and_what_they_are_worth(weighted):
    g = np.random.default_rng(1)
    x = g.normal(size=(50, 2))
    weight = g.uniform(0.2, 2, 50) if weighted else None
    found = pointwise_dimension(Space(x, sample_weight=weight), k=6, smoothing=5)
    d, ratios = brute(x, 6, 5, None if weight is None else weight / weight.mean())
    np.testing.assert_allclose(found.n_ratios, ratios, rtol=1e-9)
    np.testing.assert_allclose(found.dimension, d, rtol=1e-9)
    np.testing.assert_allclose(found.dimension_se, d / np.sqrt(ratios - 1), rtol=1e-9)


@pytest.mark.parametrize("d", [1, 3, 8])
def test_the_law_of_one_item(d):
    """k - 1 distances in a ball, (r_j / r_k)^d uniform: intervals hold in 95 %, values and variances have no bias."""
    g, k, found = np.random.default_rng(d), 12, []
    for _ in range(400):
        local = pointwise_dimension(around(d, lambda u: u, 30, g), k=k, exclusion_window=0)
        found.append((local.dimension[0], local.dimension_se[0], *local.interval[0]))
    value, error, low, high = np.array(found).T
    # d S has the law Gamma(11): 10 d / value
    assert stats.kstest((k - 2) * d / value, stats.gamma(k - 1).cdf).pvalue > 0.01
    inside = int(np.sum((low < d) & (d < high)))
    assert stats.binomtest(inside, 400, 0.95).pvalue > 0.01
    assert abs(value.mean() - d) < 3 * value.std() / 20
    assert np.sqrt(np.mean(error**2)) == pytest.approx(value.std(), rel=0.2)  # four errors of a spread of such values


@pytest.mark.parametrize(("kind", "k", "smoothing"), [("uniform", 20, 0), ("uniform", 10, 20), ("normal", 10, 10)])
def test_intervals_hold_in_samples(kind, k, smoothing):
    """One item of each of 200 data sets: on a torus any, of a normal law the one nearest to the middle."""
    g, inside = np.random.default_rng(k + smoothing), 0
    for _ in range(200):
        if kind == "uniform":
            data, at = Space(g.uniform(size=(400, 2)), period=1.0), 0
        else:
            data = g.normal(size=(400, 2))
            at = int(np.argmin((data**2).sum(1)))
        low, high = pointwise_dimension(data, k=k, smoothing=smoothing, exclusion_window=0).interval[at]
        inside += low < 2 < high
    # the law is exact without smoothing (99 % of counts are 182 to 197); pooled, the variance is itself estimated
    assert inside >= (182 if not smoothing else 176), inside


def test_smoothing_narrows_errors_as_it_narrows_the_spread():
    """On a torus of two dimensions: spread over claimed, where counting all ratios as independent is 1.2 to 1.5 off."""
    claimed, values, naive = [], [], []
    for seed in range(40):
        x = np.random.default_rng(seed).uniform(size=(300, 2))
        found = pointwise_dimension(Space(x, period=1.0), k=10, smoothing=15, exclusion_window=0)
        claimed.append(np.mean(found.dimension_se**2))
        values.append(found.dimension)
        naive.append(np.mean(found.dimension**2 / (16 * 9 - 1)))
    spread = np.std(np.concatenate(values))
    assert 0.8 < spread / np.sqrt(np.mean(claimed)) < 1.15
    assert spread / np.sqrt(np.mean(naive)) > 1.15


def test_places_of_different_dimension_are_told_apart():
    g = np.random.default_rng(3)
    line = np.c_[g.uniform(0, 30, 400), np.zeros((400, 2))]
    solid = g.uniform(40, 45, size=(400, 3))
    found = pointwise_dimension(np.r_[line, solid], smoothing=20)
    assert np.median(found.dimension[:400]) == pytest.approx(1, abs=0.1)
    assert np.median(found.dimension[400:]) == pytest.approx(2.8, abs=0.3)  # a cube of 400 has faces everywhere
    assert found.p_value < 1e-6 and "differs from place to place" in found.verdict
    assert (found.dimension[:400] < 1.7).all() and (found.dimension[400:] > 1.5).all()


def test_one_dimension_everywhere_is_called_so():
    """p-values of uniform data on a torus are uniform: Bartlett's test of sums that have Gamma laws."""
    p = []
    for seed in range(100):
        x = np.random.default_rng(seed).uniform(size=(400, 2))
        p.append(pointwise_dimension(Space(x, period=1.0), k=8, exclusion_window=0).p_value)
    assert stats.kstest(p, "uniform").pvalue > 0.01
    assert "no more than chance" in pointwise_dimension(Space(x, period=1.0), k=8).verdict


def test_order_of_rows_and_units_change_nothing():
    g = np.random.default_rng(4)
    x, order = g.normal(size=(200, 3)), g.permutation(200)
    one = pointwise_dimension(x, k=9, smoothing=6)
    two = pointwise_dimension(1e-9 * x[order], k=9, smoothing=6)
    np.testing.assert_allclose(two.dimension, one.dimension[order], rtol=1e-9)
    sites = np.stack(np.meshgrid(*[np.arange(7.0)] * 2), -1).reshape(-1, 2) + [0, 0.0]
    order = g.permutation(49)
    tied = pointwise_dimension(sites, k=9, smoothing=5), pointwise_dimension(sites[order], k=9, smoothing=5)
    np.testing.assert_allclose(tied[1].dimension, tied[0].dimension[order], rtol=1e-9)


def test_repeated_and_weightless_items():
    x = np.random.default_rng(5).normal(size=(80, 2))
    with pytest.warns(InfoscopeWarning, match="2 of 82 items of X repeat another one"):
        doubled = pointwise_dimension(np.r_[x, x[:2]], k=8)
    plain = pointwise_dimension(x, k=8)
    np.testing.assert_array_equal(doubled.dimension, np.r_[plain.dimension, plain.dimension[:2]])
    assert doubled.n_duplicates == 2 and doubled.n_items == 82
    weight = np.ones(80)
    weight[10:20] = 0
    part = pointwise_dimension(Space(x, sample_weight=weight), k=8)
    assert np.isnan(part.dimension[10:20]).all()
    kept = np.delete(np.arange(80), np.s_[10:20])
    np.testing.assert_array_equal(part.dimension[kept], pointwise_dimension(x[kept], k=8).dimension)


def test_frames_have_their_neighbours_among_those_of_their_own_thinning():
    """A slow series: successive frames are neighbours, along a curve of one dimension."""
    x = autoregressive(0.99, 6000, np.random.default_rng(6), 4)
    found = pointwise_dimension(x, k=6, time=np.arange(6000.0))
    assert found.thinned > 20 and any("own thinning" in note for note in found.notes)
    first = pointwise_dimension(x[:: found.thinned], k=6, exclusion_window=0)
    np.testing.assert_array_equal(found.dimension[:: found.thinned], first.dimension)
    every = pointwise_dimension(x, k=6, time=np.arange(6000.0), exclusion_window=0)
    assert np.median(every.dimension) < 2.8 < 3 < np.median(found.dimension)
    apart = pointwise_dimension(x[:200], time=np.arange(200.0), exclusion_window=3.0, k=5)
    assert apart.thinned == 3
    with pytest.raises(DataError, match="which leaves 2 of 60: too few"):
        pointwise_dimension(x[:60], time=np.arange(60.0), exclusion_window=25.0)


def test_graphs_share_their_search():
    x = np.random.default_rng(7).normal(size=(100, 2))
    graph = nearest(Space(x), 20)
    np.testing.assert_allclose(
        pointwise_dimension(graph, k=10, smoothing=12).dimension,
        pointwise_dimension(x, k=10, smoothing=12).dimension,
        rtol=1e-12,
    )
    with pytest.raises(ParameterError, match="holds 20 neighbours of row 0, 30 are needed"):
        pointwise_dimension(graph, k=30)
    with pytest.raises(ParameterError, match="time go with data"):
        pointwise_dimension(graph, time=np.arange(100))


def test_bad_input_and_lattices():
    x = np.random.default_rng(8).normal(size=(30, 2))
    with pytest.raises(ParameterError, match="k must be at least 3, got 2"):
        pointwise_dimension(x, k=2)
    with pytest.raises(ParameterError, match="smoothing must be at least 0, got -1"):
        pointwise_dimension(x, smoothing=-1)
    with pytest.raises(DataError, match="NaN"):
        pointwise_dimension(np.where(x > 1, np.nan, x))
    few = pointwise_dimension(x, k=50)
    assert few.k == 29 and any("29 are used" in note for note in few.notes)
    corners = np.stack(np.meshgrid([0.0, 1], [0.0, 1], [0.0, 1]), -1).reshape(-1, 3)
    flat = pointwise_dimension(corners, k=3)
    assert np.isnan(flat.dimension).all() and "No item has a dimension" in flat.verdict
    assert any("8 items have all their 3 neighbours at one distance" in note for note in flat.notes)


def test_it_prints_draws_and_is_cited():
    g = np.random.default_rng(9)
    found = pointwise_dimension(Space(g.normal(size=(150, 2)), feature_names=["a", "b"]), k=10)
    assert "around a typical item" in str(found) and "smallest (item" in str(found)
    assert "Levina" in found.cite()
    frame = found.to_frame()
    assert list(frame.columns) == ["dimension", "dimension_se", "n_ratios", "distance"] and len(frame) == 150
    assert set(found.pictures()) == {"spread", "map"}
    heights = sum(bar.get_height() for bar in found.plot().patches)
    assert heights == 150
    assert found.plot(kind="map").get_xlabel() == "a"
    line = pointwise_dimension(g.normal(size=(50, 1)), k=5)
    assert line.plot(kind="map").get_ylabel() == "intrinsic dimension"
    away = np.abs(g.normal(size=(40, 40)))
    matrix = Space((away + away.T) * (1 - np.eye(40)), metric="precomputed")
    assert set(pointwise_dimension(matrix, k=5).pictures()) == {"spread"}
    assert infoscope.pointwise_dimension is pointwise_dimension
