"""Value and gradient of the softmax over neighbours: hand example, brute force, central differences, order of rows."""

import numpy as np
import pytest
from tests.imbalance import brute

from infoscope.base import ParameterError
from infoscope.imbalance.dii import softmax_kernels as kernels
from infoscope.imbalance.dii.softmax import Bandwidth, soft_ranks
from infoscope.imbalance.rank_table import rank_table
from infoscope.neighbors import Admissibility, Space

HAND_A = np.array([(0, 0), (1, 0), (0, 2), (3, 1), (2, 2), (5, 0)], float)
HAND_B = np.array([0, 1, 4, 2, 7, 3.5])[:, None]


def at(x, table, bandwidth, w, **options):
    rule = {name: options.pop(name) for name in ("exclusion_window", "neighbors_from") if name in options}
    return soft_ranks(Space(x, feature_weights=w, **options), table, bandwidth, admissibility=Admissibility(**rule))


@pytest.mark.parametrize(
    ("power", "value", "gradient"),
    [(2, 1.0685807883, (0.19412003, -0.22715701)), (1, 1.0456623014, (0.07529897, -0.09416196))],
)
def test_hand_example(power, value, gradient):
    w = np.array([1, 0.5])
    found = at(HAND_A, rank_table(Space(HAND_B)), Bandwidth("fixed", size=2.0, power=power), w)
    assert found.value == pytest.approx(value, abs=1e-10)
    np.testing.assert_allclose(2 * w * found.slopes, gradient, atol=1e-8)


# ---------------------------------------------------------------------------------------------------------- brute force
def brute_value(x, u, w, bandwidth, allowed, period=None, mass=None):
    """Formulas (12) and (13) as they stand, with full matrices."""
    n = len(x)
    mass = np.ones(n) if mass is None else mass
    delta = x[:, None] - x[None]
    if period is not None:
        p = np.where(period > 0, period, 1.0)
        delta = delta - np.where(period > 0, p * np.rint(delta / p), 0)
    e = ((w * delta) ** 2).sum(-1) ** (bandwidth.power / 2)
    e[~allowed] = np.inf
    near = np.sort(e, 1)
    unit = np.array([(mass[ok] ** 2).sum() / mass[ok].sum() for ok in allowed])
    f = np.empty(n)
    for i in range(n):
        if bandwidth.kind == "fixed":
            lam = bandwidth.size
        elif bandwidth.kind == "gap":
            lam = ((near[:, 1] - near[:, 0]).min() + (near[:, 1] - near[:, 0]).mean()) / 2
        elif bandwidth.kind == "global":
            lam = bandwidth.size * near[:, bandwidth.k - 1].mean()
        elif bandwidth.kind == "point":
            order = np.argsort(e[i])
            total = np.cumsum(mass[order])
            lam = bandwidth.size * e[i][order][np.argmax(total >= bandwidth.k * unit[i] * (1 - 1e-12))]
        else:
            lam = perplexity_scale(e[i], mass, unit[i], bandwidth.size)
        c = mass * np.exp(-(e[i] - e[i].min()) / lam)
        c /= c.sum()
        f[i] = c[allowed[i]] @ u[i][allowed[i]]
    return 2 * (mass / mass.sum()) @ f


def perplexity_scale(e, mass, unit, perplexity):
    """Bisection on log lambda."""
    low, high = -30.0, 30.0
    for _ in range(200):
        lam = np.exp((low + high) / 2)
        c = mass * np.exp(-(e - e.min()) / lam)
        c /= c.sum()
        used = c > 0
        entropy = (
            np.log(mass[np.isfinite(e)].sum() / unit)
            - (c[used] * np.log(c[used] * mass[np.isfinite(e)].sum() / mass[used])).sum()
        )
        low, high = ((low + high) / 2, high) if entropy < np.log(perplexity) else (low, (low + high) / 2)
    return lam


def data(seed=0, n=40, d=4):
    g = np.random.default_rng(seed)
    x = g.normal(size=(n, d))
    y = x[:, :2] * [2, 1] + 0.3 * g.normal(size=(n, 2))
    return x, y, g.uniform(0.3, 1.5, d)


BANDWIDTHS = [
    Bandwidth("point", 1, 0.1), Bandwidth("point", 3, 0.3), Bandwidth("global", 3, 0.2), Bandwidth("gap"),
    Bandwidth("fixed", size=1.3), Bandwidth("perplexity", size=5.0),
]  # fmt: skip
CASES = {
    "plain": {},
    "window": {"exclusion_window": 2},
    "runs": {"run": np.arange(40) % 3, "neighbors_from": "other_runs"},
    "weights": {"sample_weight": np.random.default_rng(4).lognormal(0, 0.6, 40)},
    "periods": {"period": np.array([2.0, 0, 1.5, 0]), "period_check": False},
}


def allowed_in(options, n=40):
    return brute.admissible(
        n, run=options.get("run"), window=options.get("exclusion_window", 0),
        other_runs=options.get("neighbors_from") == "other_runs",
    ) if set(options) & {"exclusion_window", "run"} else ~np.eye(n, dtype=bool)  # fmt: skip


def ranks_by_hand(y, allowed, mass=None):
    """u of formulas (1) and (7) with full matrices."""
    n = len(y)
    mass = np.ones(n) if mass is None else mass
    distance = ((y[:, None] - y[None]) ** 2).sum(-1)
    u = np.full((n, n), np.nan)
    for i in range(n):
        ok = np.flatnonzero(allowed[i])
        e = (mass[ok] ** 2).sum() / mass[ok].sum()
        for j in ok:
            closer = mass[ok] @ (distance[i, ok] < distance[i, j]) + mass[ok] @ (distance[i, ok] == distance[i, j]) / 2
            u[i, j] = (closer + e / 2) / (mass[ok].sum() + e)
    return u


@pytest.mark.parametrize("power", [1, 2])
@pytest.mark.parametrize("bandwidth", BANDWIDTHS, ids=lambda b: f"{b.kind}-{b.k}")
@pytest.mark.parametrize("case", CASES)
def test_against_brute_force_and_central_differences(case, bandwidth, power):
    options = dict(CASES[case])
    mass = options.get("sample_weight")
    if mass is not None and bandwidth.kind in ("global", "gap"):
        pytest.skip("a common bandwidth is counted in rows")
    bandwidth = Bandwidth(bandwidth.kind, bandwidth.k, bandwidth.size, power)
    x, y, w = data()
    allowed = allowed_in(options)
    rule = {name: options[name] for name in ("exclusion_window", "neighbors_from") if name in options}
    items = {name: options[name] for name in ("run", "sample_weight") if name in options}
    table = rank_table(Space(y, **items), admissibility=Admissibility(**rule))
    u = ranks_by_hand(y, allowed, mass)
    np.testing.assert_allclose(table.rescaled(), u, atol=1e-14)
    found = at(x, table, bandwidth, w, **options)
    period = options.get("period")
    assert found.value == pytest.approx(brute_value(x, u, w, bandwidth, allowed, period, mass), rel=1e-9)
    step = 1e-5
    numeric = [
        (brute_value(x, u, w + step * unit, bandwidth, allowed, period, mass)
         - brute_value(x, u, w - step * unit, bandwidth, allowed, period, mass)) / (2 * step)
        for unit in np.eye(len(w))
    ]  # fmt: skip
    # central differences are right to step^2 times a third derivative, and to 1e-16/step of rounding
    np.testing.assert_allclose(2 * w * found.slopes, numeric, atol=1e-6 * max(1, np.abs(numeric).max()))
    if bandwidth.kind not in ("fixed",):  # scale-free
        assert abs(w @ (w * found.slopes)) < 1e-11


def test_both_ways_to_the_slopes_agree():
    """Many pairs that weigh something go through a matrix product, few are summed one by one."""
    x, y, w = data(n=60)
    table = rank_table(Space(y))
    wide = soft_ranks(Space(x, feature_weights=w), table, Bandwidth("fixed", size=50.0))
    pairwise = soft_ranks(
        Space(x, feature_weights=w, period=np.full(4, 1e6), period_check=False), table, Bandwidth("fixed", size=50.0)
    )
    assert wide.value == pytest.approx(pairwise.value, rel=1e-12)
    np.testing.assert_allclose(wide.slopes, pairwise.slopes, rtol=1e-9)


@pytest.mark.parametrize("kind", ["point", "perplexity"])
def test_order_of_rows_does_not_matter_ties_and_labels_included(kind):
    g = np.random.default_rng(2)
    x, labels = np.rint(2 * g.normal(size=(80, 3))), g.integers(0, 3, 80)  # a grid: many ties and duplicates
    bandwidth = Bandwidth(kind, 2, 0.5 if kind == "point" else 30.0)
    order = g.permutation(80)
    w = np.array([1.0, 0.5, 0.7])
    one = soft_ranks(Space(x, feature_weights=w), rank_table(Space.from_labels(labels)), bandwidth)
    two = soft_ranks(Space(x[order], feature_weights=w), rank_table(Space.from_labels(labels[order])), bandwidth)
    assert one.value == pytest.approx(two.value, abs=1e-13)
    np.testing.assert_allclose(one.slopes, two.slopes, atol=1e-12)


def test_duplicates_do_not_break_it():
    x, y, w = data()
    x = np.concatenate([x, x])
    found = at(x, rank_table(Space(np.concatenate([y, y]))), Bandwidth("point", 1, 0.1), w)
    assert np.isfinite(found.value) and np.isfinite(found.slopes).all()
    # every row's twin is at distance 0 in both, with the smallest rank
    assert found.value == pytest.approx(2 * 1 / 80, abs=1e-3)
    same = at(np.zeros((30, 2)), rank_table(Space(y[:30])), Bandwidth("point", 1, 0.1), w[:2])
    assert same.value == pytest.approx(1, abs=1e-12) and not same.slopes.any()


@pytest.mark.parametrize("precision", [np.float64, np.float32])
@pytest.mark.parametrize("case", ["plain", "window", "weights"])
@pytest.mark.parametrize(("d", "size"), [(2, 0.1), (30, 0.3)], ids=["few near items", "most items near"])
def test_rows_in_both_ways_against_brute_force(d, size, case, precision):
    """Rows of which few or most pairs weigh something, longer than two lanes and no multiple of them."""
    n, bandwidth = 150, Bandwidth("point", 3, size)
    x, y, w = data(n=n, d=d)
    mass = np.random.default_rng(4).lognormal(0, 0.6, n) if case == "weights" else None
    window = 2 if case == "window" else 0
    allowed = brute.admissible(n, window=window) if window else ~np.eye(n, dtype=bool)
    rule = Admissibility(exclusion_window=window)
    table = rank_table(Space(y, sample_weight=mass), admissibility=rule)
    u = ranks_by_hand(y, allowed, mass)
    space = Space(x, feature_weights=w, sample_weight=mass)
    found = soft_ranks(space, table, bandwidth, admissibility=rule, precision=precision)
    # single precision: 24 bits of d^2, and sums over a row in lanes; the bounds are what the method promises
    value_error, slope_error = (1e-12, 1e-6) if precision == np.float64 else (1e-6, 1e-5)
    assert found.value == pytest.approx(brute_value(x, u, w, bandwidth, allowed, mass=mass), rel=value_error)
    step, some = 1e-5, np.eye(d)[:2]
    numeric = [
        (brute_value(x, u, w + step * unit, bandwidth, allowed, mass=mass)
         - brute_value(x, u, w - step * unit, bandwidth, allowed, mass=mass)) / (2 * step)
        for unit in some
    ]  # fmt: skip
    np.testing.assert_allclose(2 * (w * found.slopes)[:2], numeric, atol=slope_error * max(1, np.abs(numeric).max()))


@pytest.mark.parametrize("gradient", [False, True])
@pytest.mark.parametrize("kind", [np.float64, np.float32])
def test_items_that_may_not_be_used_get_exactly_nothing(kind, gradient):
    m = 200
    squared = np.random.default_rng(0).uniform(10, 12, (3, m)).astype(kind)  # all near
    out = np.zeros((3, m), bool)
    out[:, ::7] = True
    squared[out] = np.inf
    squared[1, 5], out[1, 5] = np.nan, True
    ranks = np.random.default_rng(1).integers(1, 2 * m, (3, m)).astype(np.uint16)
    buffers = [np.empty(2), *(np.empty(m + 1, kind) for _ in range(3)), np.empty(m + 1, np.int64)]
    f = np.empty(3)
    used = kernels.softmax_rows(
        squared, ranks, np.full(3, 1 / (2 * m)), np.arange(m), np.ones(m), False, np.ones(3), np.ones(3), 1,
        kernels.POINT, 0.1, 2, gradient, f, np.empty(3), np.empty(3), *buffers,
    )  # fmt: skip
    assert used == (~out).sum() and not squared[out].any() and squared[~out].all()
    if not gradient:
        np.testing.assert_allclose(squared.sum(1), 1, rtol=1e-6 if kind == np.float32 else 1e-12)


def test_float32_tiles():
    x, y, w = data(n=300)
    table = rank_table(Space(y))
    exact = soft_ranks(Space(x, feature_weights=w), table, Bandwidth(k=5))
    fast = soft_ranks(Space(x, feature_weights=w), table, Bandwidth(k=5), precision=np.float32)
    assert fast.value == pytest.approx(exact.value, abs=1e-5)
    np.testing.assert_allclose(fast.slopes, exact.slopes, atol=1e-3 * np.abs(exact.slopes).max())


def test_pairs_add_up_to_the_value():
    x, y, w = data(n=100)
    table = rank_table(Space(y))
    found = soft_ranks(Space(x, feature_weights=w), table, Bandwidth(k=4), pairs=True)
    row, item, c, u = found.pairs
    assert found.slopes is None and (row != item).all()
    # pairs below 1e-6 are left out, at most N of them in a row
    np.testing.assert_allclose(np.bincount(row, 2 * c * u, 100), found.rows, atol=1e-4)
    assert found.rows.mean() == pytest.approx(found.value)


def test_a_table_over_its_limit_says_what_to_do():
    with pytest.raises(ParameterError, match="0.0 GB.*batch_size=.*fewer rows"):
        rank_table(Space(np.random.default_rng(0).normal(size=(100, 1))), limit_bytes=1000)


@pytest.mark.parametrize(
    "options", [{"kind": "wide"}, {"power": 3}, {"size": 0.0}, {"kind": "perplexity", "size": 0.5}]
)
def test_bad_bandwidths(options):
    with pytest.raises(ParameterError):
        Bandwidth(**options)
