"""Density peaks against published numbers, a slow reading of the algorithm, and what must always hold."""

import numpy as np
import pytest
from sklearn.metrics import adjusted_rand_score
from sklearn.utils.estimator_checks import parametrize_with_checks

from infoscope.base import ParameterError
from infoscope.density import BMTI, DensityPeaks, KNNDensity, KStarNN, PAk
from infoscope.density.topography import find_basins, merge_peaks
from infoscope.neighbors import Space, nearest


def five_states():
    rng = np.random.default_rng(11)
    middle = np.array([(0, 0), (4, 0), (0, 4), (4, 4), (2, 2)])
    truth = rng.integers(0, 5, 3000)
    width = np.array([0.6, 0.6, 0.6, 0.6, 0.35])
    return middle[truth] + rng.normal(size=(3000, 2)) * width[truth][:, None], truth


@pytest.fixture(scope="module")
def found():
    return DensityPeaks().fit(PAk(dimension=2, max_neighbors=200, calibrate=False).fit(five_states()[0]))


# -------------------------------------------------------------------------------------------------- published numbers
def test_five_states(found):
    """Clusters, sizes, peaks and saddles of DADApy, which prints two digits."""
    x, truth = five_states()
    for Z, sizes in ((0.5, None), (1.65, None), (3.0, None), (5.0, 2), (8.0, 1)):
        cut = found.cut(Z)
        if sizes is None:
            assert sorted(np.bincount(cut.labels)) == [584, 595, 596, 609, 616]
        else:
            assert cut.n_clusters == sizes
    assert adjusted_rand_score(truth, found.labels_) == pytest.approx(0.994, abs=0.0006)
    np.testing.assert_allclose(found.peak_log_density_, [-1.21, -2.12, -2.29, -2.43, -2.43], atol=0.02)
    assert np.linalg.norm(x[found.centers_[0]] - 2) < 0.5
    np.testing.assert_allclose(np.sort(found.saddle_log_density_[0, 1:]), [-5.52, -5.46, -4.82, -4.28], atol=0.02)
    order = np.argsort(found.saddle_log_density_[0, 1:])
    np.testing.assert_allclose(found.saddle_log_density_se_[0, 1:][order], [0.47, 0.51, 0.40, 0.36], atol=0.02)
    assert np.isnan(np.diag(found.saddle_log_density_)).all()


def test_cut_is_a_fit(found):
    density = found.density_
    again = DensityPeaks(Z=5.0).fit(density)
    np.testing.assert_array_equal(again.labels_, found.cut(5.0).labels)
    assert found.result_.n_clusters == 5 and found.Z == 1.65


# -------------------------------------------------------------------------------------------------------- brute force
def slow_peaks(value, error, k, items, Z):
    """The algorithm word by word, with a saddle table of all pairs searched anew before every merge."""
    g, n = value - error, len(value)
    near = [items[i, : k[i]].tolist() for i in range(n)]
    putative = {i for i in range(n) if all(g[i] >= g[j] for j in near[i])}
    seen_by = {c: [i for i in range(n) if c in near[i] and g[i] > g[c]] for c in putative}
    order = sorted(range(n), key=lambda i: (-g[i], i))
    centres = [c for c in order if c in putative and not seen_by[c]]
    label = {c: a for a, c in enumerate(centres)}
    for i in order:
        if i not in label:
            known = [label[j] for j in items[i].tolist() if j in label]
            label[i] = known[0] if known else label[max(seen_by[i], key=lambda j: g[j])]
    saddle = {}
    for i in range(n):
        across = next((j for j in near[i] if label[j] != label[i]), None)
        if i in centres or across is None:
            continue
        mine = [j for j in items[across].tolist() if label[j] == label[i]]
        pair = tuple(sorted((label[i], label[across])))
        if (not mine or mine[0] == i) and (pair not in saddle or g[i] > g[saddle[pair]]):
            saddle[pair] = i
    while True:
        ratio = {
            pair: [(value[centres[c]] - value[p]) / (error[centres[c]] + error[p]) for c in pair]
            for pair, p in saddle.items()
        }
        weak = [pair for pair in saddle if min(ratio[pair]) < Z]
        if not weak:
            return label, centres, saddle
        pair = max(weak, key=lambda q: value[saddle[q]])
        stays, goes = pair if ratio[pair][0] >= ratio[pair][1] else pair[::-1]
        del saddle[pair]
        for (a, b), p in list(saddle.items()):
            if goes in (a, b):
                del saddle[a, b]
                new = tuple(sorted((stays, b if a == goes else a)))
                if new not in saddle or value[p] > value[saddle[new]]:
                    saddle[new] = p
        label = {i: stays if c == goes else c for i, c in label.items()}


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("Z", [0.0, 0.7, 1.65])
def test_against_a_slow_reading(seed, Z):
    rng = np.random.default_rng(seed)
    x = rng.normal(size=(250, 2)) + rng.integers(0, 3, 250)[:, None] * 2.5
    items = nearest(x, 20).items.reshape(250, 20)
    value, error = rng.normal(size=250) - (x[:, 0] % 2.5 - 1.2) ** 2, rng.uniform(0.1, 0.4, 250)
    k = rng.integers(3, 12, 250)
    basins = find_basins(value, error, k, items)
    merged = merge_peaks(basins, value, error, Z)
    label, centres, saddle = slow_peaks(value, error, k, items, Z)
    assert basins.centers.tolist() == centres
    assert merged.survivor[basins.labels].tolist() == [label[i] for i in range(250)]
    assert merged.saddles == saddle


# -------------------------------------------------------------------------------------------------- what always holds
@pytest.mark.parametrize("seeds", [(16, 49, 30), range(60)], ids=["named", "sixty"])
def test_labels_are_valid_in_thirty_dimensions(seeds):
    """The published code gave uninitialised labels for the seeds named."""
    for seed in seeds:
        x = np.random.default_rng(seed).normal(size=(300, 30))
        labels = DensityPeaks(density=PAk(max_neighbors=12, dimension=20, calibrate=False)).fit_predict(x)
        assert sorted(set(labels.tolist())) == list(range(labels.max() + 1))


def share_of_one_state(seeds, **options):
    sets = (np.random.default_rng(s).normal(size=(5000, 2)) for s in seeds)
    return np.mean(
        [
            DensityPeaks(Z=3, density=PAk(dimension=2, **options, calibrate=False)).fit(x).result_.n_clusters == 1
            for x in sets
        ]
    )


@pytest.mark.slow
def test_labels_are_valid_in_two_hundred_sets():
    for seed in range(200):
        x = np.random.default_rng(seed).normal(size=(300, 30))
        labels = DensityPeaks(density=PAk(max_neighbors=12, calibrate=False)).fit_predict(x)
        assert sorted(set(labels.tolist())) == list(range(labels.max() + 1))


def test_one_gaussian_is_one_state():
    """At least 19 of 20 samples; Z = 3."""
    assert share_of_one_state(range(20), max_neighbors=100) >= 0.95


@pytest.mark.slow
def test_one_gaussian_is_one_state_with_as_many_neighbours_as_it_wants():
    assert share_of_one_state(range(60)) >= 0.95


def test_order_of_rows_does_not_matter(found):
    x, _ = five_states()
    order = np.random.default_rng(0).permutation(3000)
    again = DensityPeaks(density=PAk(dimension=2, max_neighbors=200, calibrate=False)).fit(x[order])
    np.testing.assert_array_equal(again.labels_, found.labels_[order])
    np.testing.assert_array_equal(order[again.centers_], found.centers_)


def test_halo(found):
    cut = found.cut(1.65, halo=True)
    highest = np.nanmax(found.saddle_log_density_, axis=1)
    expected = found.density_.log_density_ < highest[found.labels_]
    np.testing.assert_array_equal(cut.labels == -1, expected)
    assert cut.n_halo == expected.sum() > 0
    np.testing.assert_array_equal(cut.labels[~expected], found.labels_[~expected])


@pytest.mark.filterwarnings("ignore:.*repeat another one")
def test_repeats_and_weights():
    x, _ = five_states()
    weight = np.where(x[:, 0] > 2, 2.0, 1.0)
    weight[:100] = 0
    some = DensityPeaks(density=KStarNN(dimension=2, calibrate=False)).fit(
        Space(np.r_[x, x[200:300]], sample_weight=np.r_[weight, weight[200:300]])
    )
    np.testing.assert_array_equal(some.labels_[3000:], some.labels_[200:300])
    assert some.labels_.min() == 0 and len(some.labels_) == 3100
    share = np.bincount(some.labels_, np.r_[weight, weight[200:300]])
    np.testing.assert_allclose(some.populations_, share / share.sum(), rtol=1e-12)


def test_a_periodic_state_is_one():
    """A state across the border of the period, and another in the middle."""
    g = np.random.default_rng(1)
    x = np.mod(np.r_[g.normal(0, 0.4, (400, 2)), g.normal(np.pi, 0.4, (400, 2))], 2 * np.pi)
    labels = DensityPeaks(Z=3, density=PAk(dimension=2, calibrate=False)).fit_predict(Space(x, period=2 * np.pi))
    assert adjusted_rand_score(np.repeat([0, 1], 400), labels) > 0.99


def test_states_that_do_not_touch():
    x = np.random.default_rng(2).normal(size=(300, 2))
    found = DensityPeaks(3, density=PAk(dimension=2, calibrate=False)).fit(np.r_[x, x + 1000])
    assert np.isnan(found.saddle_log_density_).all() and found.result_.n_clusters == 2
    np.testing.assert_array_equal(found.labels_, np.repeat([0, 1], 300))
    assert len(found.result_.to_frame("saddles")) == 0 and found.cut(50).n_clusters == 2


def test_a_graph_and_a_fitted_density_are_shared():
    x, _ = five_states()
    graph = nearest(x, 100)
    one = DensityPeaks(density=PAk(dimension=2, calibrate=False)).fit(graph)
    two = DensityPeaks(density=PAk(dimension=2, calibrate=False)).fit(x)
    np.testing.assert_array_equal(one.labels_, two.labels_)
    assert DensityPeaks().fit(two.density_).density_ is two.density_


# ---------------------------------------------------------------------------------------------------------- the result
def test_result_reads_well(found):
    from matplotlib import pyplot as plt

    result = found.result_
    assert "5 states" in result.verdict and "cluster" in str(result) and "One state" in found.cut(8).verdict
    peaks, saddles = result.to_frame(), result.to_frame("saddles")
    assert len(peaks) == 5 and peaks["population"].sum() == pytest.approx(1)
    row = saddles.set_index(["a", "b"]).loc[(0, 1)]
    barrier = found.peak_log_density_[0] - found.saddle_log_density_[0, 1]
    if row["is_bound"]:  # 7 deviations apart, 1200 items
        barrier -= 1.645 * np.hypot(found.peak_log_density_se_[0], found.saddle_log_density_se_[0, 1])
    assert row["barrier_from_a"] == pytest.approx(barrier)
    other = result.with_units("kJ/mol", 300).to_frame()
    np.testing.assert_allclose(other["barrier"], 2.4943 * peaks["barrier"], rtol=1e-4)
    assert found.density_.log_density_[int(row["item"])] == row["saddle_log_density"]
    assert len(found.cut(8).to_frame("saddles")) == 0 and len(found.cut(5.0).merges) == result.n_peaks - 2
    for kind in ("clusters", "dendrogram", "saddles", "mds", "sizes"):
        for one in (result, found.cut(8.0), found.cut(0.0)):
            ax = one.plot(kind=kind)
            assert ax.get_xlabel() and ax.get_ylabel()
            plt.close("all")


def test_scan_is_many_cuts(found):
    scan = found.scan()
    assert scan.n_clusters.tolist() == [found.cut(Z).n_clusters for Z in scan.Z]
    n, first, last = max(scan.stretches(), key=lambda one: one[2] - one[1] if one[0] > 1 else 0)
    assert n == 5 and first <= 0.5 and last >= 3 and "5 clusters over the longest stretch" in scan.verdict
    assert list(scan.to_frame()) == ["Z", "n_clusters"] and scan.plot().get_ylabel() == "clusters"
    assert "One cluster at every Z" in found.scan([20, 30]).verdict
    with pytest.raises(ParameterError, match="Z is -1"):
        found.scan([-1, 2])


def test_decision_graph_by_all_distances(found):
    """Also of a density with so few neighbours that most peaks have no denser one in the table."""
    x, _ = five_states()
    for one in (found, DensityPeaks(density=KNNDensity(4, dimension=2, calibrate=False)).fit(x[:400])):
        graph = one.decision_graph()
        points = x[: len(graph.separation)]
        lower = one.density_.log_density_ - one.density_.log_density_se_
        order = np.argsort(-lower, kind="stable")
        for place in range(1, len(order), 7):
            near = np.linalg.norm(points[order[:place]] - points[order[place]], axis=1).min()
            assert graph.separation[order[place]] == pytest.approx(near, rel=1e-12)
        top = np.linalg.norm(points - points[order[0]], axis=1).max()
        assert graph.separation[order[0]] == pytest.approx(max(top, np.max(graph.separation[order[1:]])), rel=1e-12)
    assert "5 of the 5 significant peaks" in found.decision_graph().verdict
    assert found.decision_graph().plot(style="paper").get_yscale() == "log"


def test_clusters_in_a_plane_keep_distances():
    from infoscope.density.plots_peaks import scaled_clusters

    x = np.random.default_rng(3).normal(size=(6, 2))
    far = np.linalg.norm(x[:, None] - x, axis=-1)
    place = scaled_clusters(far)
    np.testing.assert_allclose(np.linalg.norm(place[:, None] - place, axis=-1), far, atol=1e-9)
    assert scaled_clusters(np.zeros((1, 1))).tolist() == [[0.0, 0.0]]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: DensityPeaks(Z=-1).fit(np.eye(9)), "Z is -1"),
        (lambda: DensityPeaks(Z="high").fit(np.eye(9)), "Z is 'high'"),
        (lambda: DensityPeaks(density="PAk").fit(np.eye(9)), "density is 'PAk'"),
        (lambda: DensityPeaks(density=BMTI(dimension=2, error=None)).fit(five_states()[0][:99]), "has no errors"),
    ],
)
def test_bad_input(call, message):
    with pytest.raises(ParameterError, match=message):
        call()


@pytest.mark.filterwarnings("ignore:.*repeat another one")
@parametrize_with_checks([DensityPeaks(density=KNNDensity(k=3, dimension=2, calibrate=False))])
def test_scikit_learn(estimator, check):
    state = np.random.get_state(legacy=True)  # noqa: NPY002  (some checks draw from it themselves)
    check(estimator)
    np.random.set_state(state)  # noqa: NPY002


def test_the_columns_drawn_are_those_in_which_centres_stand_out():
    g = np.random.default_rng(4)
    x = 0.3 * g.normal(size=(600, 5))
    x[:300, [1, 3]] += 3.0
    found = DensityPeaks().fit(x).result_
    ax = found.plot()
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("column 1", "column 3") and ax.get_title().startswith(
        "2 of 5 columns"
    )
    assert found.plot(x=0).get_ylabel() == "column 1" and not found.plot(x=0).get_title()
