"""What the bounds of saved classes must not refuse: real fits of every unusual kind of data come back whole."""

import warnings

import numpy as np
import pytest
from tests.io.test_saved_estimators import same_state

import infoscope
from infoscope import BMTI, BinaryID, DensityPeaks, KNNDensity, PAk, Space, TwoNN, nearest
from infoscope.anomalies import DensityAnomaly
from infoscope.base import InfoscopeWarning
from infoscope.dimension import ABIDE, Gride, hamming_histogram
from infoscope.io import load, save

G = np.random.default_rng(3)
X = np.cumsum(G.normal(size=(160, 2)), axis=0)
TWICE = np.r_[X[:120], X[:40]]  # items that repeat
WEIGHT = np.where(np.arange(160) % 9 == 0, 0.0, G.uniform(0.5, 1.5, 160))
ANGLES = G.uniform(-np.pi, np.pi, (160, 2))
RUN = np.repeat(["one", "two"], 80)
BITS = G.random((80, 130)) < 0.5
QUICK = {"dimension": 2, "max_neighbors": 30, "calibrate": False}


def fits():
    series = Space(X, time=np.arange(160.0), run=RUN)
    yield "float32", PAk(**QUICK).fit(X.astype(np.float32))
    yield "repeats", PAk(**QUICK).fit(TWICE)
    yield "weights, some zero", PAk(**QUICK).fit(X, sample_weight=WEIGHT)
    yield "weights of a space", KNNDensity(dimension=2, calibrate=False).fit(Space(X, sample_weight=WEIGHT))
    yield "angles", BMTI(**QUICK).fit(Space(ANGLES, period=2 * np.pi))
    yield "a series", PAk(**QUICK).fit(series)
    yield "a bias", BMTI(**QUICK).fit(X, bias=X[:, 0] / 10)
    yield "a graph", PAk(**QUICK).fit(nearest(Space(X), 40))
    yield "distances", PAk(**QUICK).fit(Space.from_distances(np.linalg.norm(X[:, None] - X, axis=2)))
    yield "cosine", TwoNN().fit(Space(G.normal(size=(80, 3)), metric="cosine"))
    yield "from another density", BMTI(calibrate=False).fit(PAk(**QUICK).fit(X))
    yield "without errors", BMTI(error=None, **QUICK).fit(X)
    yield "peaks", DensityPeaks(0.0, density=PAk(**QUICK)).fit(X)
    yield "halo", DensityPeaks(0.5, density=PAk(**QUICK), halo=True).fit(TWICE)
    yield "peaks with weights", DensityPeaks(density=PAk(**QUICK)).fit(X, sample_weight=WEIGHT)
    yield "some rows", TwoNN(n_rows=50).fit(X)
    yield "repeats in a dimension", ABIDE().fit(TWICE)
    yield "ranks", Gride(max_rank=8, n_rows=100).fit(2 * ANGLES + 1)
    yield "bits", BinaryID(alpha_max=0.9).fit(BITS)
    yield "bits of a word and more", BinaryID(alpha_max=0.9).partial_fit(BITS[:40]).partial_fit(BITS[40:])
    yield "states", BinaryID(q=3, alpha_max=0.9).fit(G.integers(0, 3, (80, 60)))
    yield "two bits a number", BinaryID(binarize="two_bit", alpha_max=0.9).fit(G.normal(size=(80, 30)))
    yield "a histogram", BinaryID(alpha_max=0.9).fit_histogram(hamming_histogram(BITS))
    yield "jackknife", BinaryID(error="jackknife", alpha_max=0.9).fit(BITS)
    yield "anomalies, halves", DensityAnomaly(cross_fit=True).fit(X[:80], np.r_[X[80:], X[80:] / 10])
    yield "anomalies, blocks", DensityAnomaly(n_permutations=19).fit(Space(X[:80], run=RUN[40:120]),
                                                                    Space(X[80:], run=RUN[40:120]))  # fmt: skip
    yield "anomalies, one side", DensityAnomaly(side="over", self_rank="include", prior=0.4).fit(X[:80], X[80:])
    yield "weights of columns", infoscope.DifferentiableImbalance(alpha=5.0).fit(X, X[:, :1])


def test_fits_of_all_kinds_come_back(tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", InfoscopeWarning)
        found = 0
        for name, fit in fits():
            back = load(save(fit, tmp_path / "a.npz"))
            assert same_state(fit, back), name
            for item in vars(back):
                if item.endswith("_") and isinstance(getattr(back, item), infoscope.base.Result):
                    assert str(getattr(back, item)) == str(getattr(fit, item))
            found += 1
    assert found == 28


@pytest.mark.parametrize("space", [
    Space(X, sample_weight=WEIGHT, time=np.arange(160.0), run=RUN, ids=np.arange(160).astype(str)),
    Space.from_labels(["cat", "dog", "cat", "eel"]), Space.from_bits(np.packbits(BITS, axis=1), n_bits=130),
    Space(ANGLES * [1, 2], period=[2 * np.pi, 0.0], period_check=False, scale="standard"),
    Space(X[:, :1].astype(np.float32)), Space(nearest(Space(2 * ANGLES + 1), 6), metric="neighbors"),
    Space(G.integers(0, 3, (30, 4)), metric="hamming"), Space(X, ids=list(range(160)), feature_names=["a", "b"]),
], ids=["all", "labels", "bits", "angles", "one column", "a graph", "hamming", "ids"])  # fmt: skip
def test_spaces_of_all_kinds_come_back(space, tmp_path):
    fit = TwoNN()
    fit.fit(2 * ANGLES + 1)
    fit.space_ = space
    back = load(save(fit, tmp_path / "a.npz")).space_
    assert same_state(space, back)
    assert np.array_equal(nearest(back, 2).items, nearest(space, 2).items)
