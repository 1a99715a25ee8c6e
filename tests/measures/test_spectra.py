"""Entropies of spectra, nuclear norms, spreads and effective features against published values and closed forms."""

import sys
import warnings

import numpy as np
import pytest

from infoscope.base import DataError, DataWarning, ParameterError
from infoscope.measures import (
    diffusion_spectral_entropy,
    diffusion_spectral_information,
    effective_features,
    effective_number,
    manifold_spread,
    matrix_entropy,
    nuclear_norm,
)
from infoscope.neighbors import Space

QUIET = dict(exclusion_window=0)
D = np.random.default_rng(3).standard_normal((200, 3))  # data set D of the specification
WALK = sys.modules["infoscope.measures.diffusion_entropy"]


def replicates(measure, n_seeds, make):
    """(standard deviation of the value, error said) over data sets."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = [measure(make(np.random.default_rng(seed))) for seed in range(n_seeds)]
    return np.std([one.value for one in found], ddof=1), np.sqrt(np.mean([one.value_se**2 for one in found]))


# ----------------------------------------------------------------------------------------------- directions from a mean
def test_published_matrix_entropy_and_nuclear_norms():
    """Nine decimals are given."""
    entropy = matrix_entropy(D, **QUIET)
    assert entropy.value == pytest.approx(1.094935257, abs=1e-8)
    assert entropy.relative == pytest.approx(0.996653022, abs=1e-8)
    assert matrix_entropy(D, unit="bits", **QUIET).value == pytest.approx(1.094935257 / np.log(2), abs=1e-8)
    assert nuclear_norm(D, **QUIET).value == pytest.approx(24.472537254, abs=1e-8)
    surrogate = nuclear_norm(D, method="column-norms", **QUIET)
    assert surrogate.value == pytest.approx(24.494321835, abs=1e-8)
    assert surrogate.per_item == pytest.approx(0.122471609, abs=1e-8)


@pytest.mark.parametrize("shape", [(30, 7), (8, 20)])
def test_both_sides_give_the_singular_values(shape):
    x = np.random.default_rng(0).normal(size=shape)
    r = x - x.mean(0)
    r /= np.linalg.norm(r, axis=1, keepdims=True)
    s = np.linalg.svd(r, compute_uv=False)
    s = s[s > 1e-12]
    p = s**2 / (s**2).sum()
    assert nuclear_norm(x, **QUIET).value == pytest.approx(s.sum(), rel=1e-10)
    assert matrix_entropy(x, **QUIET).value == pytest.approx(-(p * np.log(p)).sum(), rel=1e-10)


def test_the_surrogate_depends_on_the_axes_and_the_norm_does_not():
    """Rank one: in 64 equal columns the surrogate is 8 times the norm; on one axis they are equal."""
    g = np.random.default_rng(0)
    line = g.normal(size=(100, 1))
    spread, turned = line @ np.full((1, 64), 1 / 8), line @ np.eye(1, 64)
    values = {
        m: [nuclear_norm(x, method=m, **QUIET).value for x in (spread, turned)] for m in ("exact", "column-norms")
    }
    assert values["exact"] == pytest.approx([10, 10], rel=1e-9)
    assert values["column-norms"] == pytest.approx([80, 10], rel=1e-9)
    turn = np.linalg.qr(g.normal(size=(3, 3)))[0]
    shift = np.array([1.0, -2.0, 5.0])
    assert nuclear_norm(D @ turn + shift, **QUIET).value == pytest.approx(nuclear_norm(D, **QUIET).value, rel=1e-10)
    assert matrix_entropy(D @ turn, **QUIET).value == pytest.approx(matrix_entropy(D, **QUIET).value, rel=1e-10)
    odd = D * [1, 3, 5]
    assert not np.isclose(
        *(nuclear_norm(x, method="column-norms", **QUIET).value for x in (odd, odd @ turn)), rtol=1e-3
    )


@pytest.mark.parametrize(
    "measure", [matrix_entropy, nuclear_norm, lambda x, **q: nuclear_norm(x, method="column-norms", **q)]
)
def test_errors_of_directions_are_calibrated(measure):
    """60 replicates tell a standard deviation to 9 %, groups left out an error to 18 % each; their mean must agree."""
    truth, said = replicates(
        lambda x: measure(x, **QUIET), 60, lambda g: g.standard_normal((150, 4)) * [1, 1, 2, 3] + [0, 0, 1, 1]
    )
    assert 0.75 < said / truth < 1.35


def test_all_items_one_point_have_no_directions():
    for measure in (matrix_entropy, nuclear_norm):
        with pytest.warns(DataWarning, match="one point"):
            assert measure(np.full((10, 3), 0.1), **QUIET).value == 0


@pytest.mark.parametrize("measure", [matrix_entropy, nuclear_norm])
@pytest.mark.parametrize(
    "data, error, text",
    [
        ([[0.0, np.inf], [1, 2]], DataError, "row 0, column 1"),
        ([[1.0, 1], [-1, -1], [0, 0]], DataError, "row 2 is the mean of all rows"),
        (D[:1], DataError, "at least two"),
        (Space(D % 1, period=1.0), ParameterError, "give cos and sin"),
        (Space(D, metric="manhattan"), ParameterError, "pass the columns"),
    ],
)
def test_bad_directions_are_named(measure, data, error, text):
    with pytest.raises(error, match=text):
        measure(data, **QUIET)


# ----------------------------------------------------------------------------------------------------- diffusion, walks
@pytest.mark.parametrize(
    "t, values", [(1, (4.86068865, 4.89546009, 4.89502204)), (2, (3.38005682, 3.66589252, 3.83182558))]
)
def test_published_diffusion_entropies(t, values):
    """Eight decimals are given, in bits."""
    found = [diffusion_spectral_entropy(D, sigma=1.0, t=t, alpha=alpha, **QUIET).value for alpha in (0, 0.5, 1)]
    np.testing.assert_allclose(found, values, atol=2e-8)


@pytest.mark.parametrize("alpha", [0.0, 0.7])
def test_a_weighted_walk_is_that_of_repeated_rows(alpha):
    """Weight 2 is a row that is there twice: copies share an eigenvector, and add zeros to the spectrum."""
    x = D[:40]
    weight = np.where(np.arange(40) % 3 == 0, 2.0, 1.0)
    twice = np.repeat(x, weight.astype(int), axis=0)
    asked = dict(sigma=1.0, alpha=alpha, **QUIET)
    found = diffusion_spectral_entropy(x, weights=weight, **asked)
    assert found.value == pytest.approx(diffusion_spectral_entropy(twice, **asked).value, rel=1e-9)


@pytest.mark.parametrize("t, alpha", [(1, 0), (2, 0.5)])
def test_products_give_the_walk_that_eigenvalues_give(t, alpha, monkeypatch):
    x = np.random.default_rng(0).normal(size=(400, 3))
    asked = dict(sigma=1.5, t=t, alpha=alpha, random_state=0, **QUIET)
    exact = diffusion_spectral_entropy(x, **asked)
    monkeypatch.setattr(WALK, "EXACT", 150)
    random = diffusion_spectral_entropy(x, **asked)
    assert not random.complete and abs(random.value - exact.value) < max(3 * random.value_se, 0.02 * exact.value)


def test_a_scale_that_is_too_small_is_said():
    with pytest.warns(DataWarning, match="within 2 % of log N"):
        found = diffusion_spectral_entropy(100 * D, sigma=1.0, **QUIET)
    assert found.value == pytest.approx(np.log2(200), rel=0.01) and "alone" in found.verdict


def test_the_automatic_scale_follows_the_units():
    one, large = (diffusion_spectral_entropy(c * D, **QUIET) for c in (1.0, 256.0))
    assert large.value == pytest.approx(one.value, rel=1e-10) and large.sigma == pytest.approx(256 * one.sigma)
    kth = np.sort(np.linalg.norm(D[:, None] - D, axis=-1), axis=1)[:, 10]
    assert one.sigma == pytest.approx(np.sqrt(2) * np.median(kth), rel=1e-12)


def test_a_sweep_falls_with_the_scale():
    found = diffusion_spectral_entropy(D, sigma="sweep", **QUIET)
    assert len(found.sigmas) == len(found.sweep) == len(found.sweep_se) and (np.diff(found.sweep) < 0).all()
    assert found.value == diffusion_spectral_entropy(D, **QUIET).value


def test_errors_of_walks_are_calibrated():
    """60 replicates tell a standard deviation to 9 %, groups left out an error to 18 % each."""
    truth, said = replicates(
        lambda x: diffusion_spectral_entropy(x, sigma=1.0, **QUIET), 60, lambda g: g.standard_normal((120, 3))
    )
    assert 0.75 < said / truth < 1.35


def test_diffusion_information_of_separate_and_of_random_classes():
    g = np.random.default_rng(0)
    label = np.repeat(["a", "b", "c"], 60)
    apart = g.normal(size=(180, 2)) + 8 * np.repeat(np.eye(3)[:, :2], 60, axis=0)
    found = diffusion_spectral_information(apart, label, **QUIET)
    assert found.value > 5 * found.value_se and found.classes.tolist() == ["a", "b", "c"]
    # classes a walker never leaves: random sets of a third of the items see three times the states
    assert found.value == pytest.approx(np.log2(3), abs=0.6)
    nothing = diffusion_spectral_information(apart, g.permutation(label), **QUIET)
    assert abs(nothing.value) < 4 * nothing.value_se
    same = diffusion_spectral_information(apart, label, random_state=0, **QUIET)
    assert same.value == found.value
    binned = diffusion_spectral_information(apart, apart[:, 0], **QUIET)
    assert len(binned.classes) == 10 and "10 bins" in " ".join(binned.notes)


@pytest.mark.parametrize(
    "call, error, text",
    [
        (lambda: diffusion_spectral_entropy(D, sigma=0.0), ParameterError, "sigma is 0"),
        (lambda: diffusion_spectral_entropy(D, sigma="wide"), ParameterError, "sigma is 'wide'"),
        (lambda: diffusion_spectral_entropy(D, t=0), ParameterError, "t is 0"),
        (lambda: diffusion_spectral_entropy(D, alpha=2), ParameterError, "alpha is 2"),
        (lambda: diffusion_spectral_entropy(D, unit="dits"), ParameterError, "unit must be one of"),
        (lambda: diffusion_spectral_entropy(D[:1]), DataError, "at least"),
        (lambda: diffusion_spectral_entropy([[np.nan], [1.0]]), DataError, "NaN in row 0"),
        (lambda: diffusion_spectral_information(D, np.zeros(200, int)), DataError, "at least two classes"),
        (lambda: diffusion_spectral_information(D, np.zeros(3, int)), DataError, "3 entries"),
        (lambda: diffusion_spectral_information(D, D), ParameterError, "several columns"),
        (lambda: diffusion_spectral_information(D, D[:, 0], sigma="sweep"), ParameterError, "'sweep' is for one"),
    ],
)
def test_walks_on_bad_input(call, error, text):
    with pytest.raises(error, match=text):
        call()


def test_one_point_and_a_class_of_one_item():
    found = diffusion_spectral_entropy(np.zeros((30, 2)), sigma=1.0, **QUIET)
    assert found.value == pytest.approx(0, abs=1e-12)
    lonely = diffusion_spectral_information(D[:41], np.r_[np.zeros(20, int), np.ones(20, int), 2], n_subsets=3)
    assert lonely.class_entropy[2] == 0 and np.isfinite(lonely.value)


def test_errors_of_classes_know_of_time():
    time, label = np.arange(400.0), np.arange(400) % 2
    slow = np.cumsum(np.random.default_rng(0).normal(size=(400, 2)), axis=0) / 5
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        blind = diffusion_spectral_information(slow, label, sigma=1.0, n_subsets=20, **QUIET)
        aware = diffusion_spectral_information(Space(slow, time=time), label, sigma=1.0, n_subsets=20)
    assert aware.value == pytest.approx(blind.value, abs=0.3)
    assert aware.class_entropy_se.mean() > 1.5 * blind.class_entropy_se.mean()


# ------------------------------------------------------------------------------------------------------------- spreads
def test_spread_of_views_and_of_classes():
    g = np.random.default_rng(0)
    z = g.normal(size=(12, 4, 6))
    unit = z / np.linalg.norm(z, axis=2, keepdims=True)
    found = manifold_spread(z)
    assert found.global_nuclear == pytest.approx(np.linalg.norm(unit.mean(1), "nuc"), rel=1e-12)
    assert found.local_nuclear == pytest.approx(np.mean([np.linalg.norm(one, "nuc") for one in unit]), rel=1e-12)
    assert found.value == pytest.approx(found.global_nuclear / np.sqrt(12 * 6), rel=1e-12)
    order = g.permutation(48)
    classes = manifold_spread(z.reshape(48, 6)[order], np.repeat(np.arange(12), 4)[order])
    assert classes.global_nuclear == pytest.approx(found.global_nuclear, rel=1e-12)
    turn = np.linalg.qr(g.normal(size=(6, 6)))[0]
    assert manifold_spread(z @ turn).global_nuclear == pytest.approx(found.global_nuclear, rel=1e-10)


def test_errors_of_spreads_are_calibrated():
    """Groups are the draws: 40 of them, 200 replicates (a standard deviation to 5 %)."""
    found = [
        manifold_spread(np.random.default_rng(seed).normal(size=(40, 3, 5)) + [2, 0, 0, 0, 0]) for seed in range(200)
    ]
    for value in ("global_nuclear", "local_nuclear", "value"):
        truth = np.std([getattr(one, value) for one in found], ddof=1)
        said = np.sqrt(np.mean([getattr(one, f"{value}_se") ** 2 for one in found]))
        assert 0.8 < said / truth < 1.25, value


@pytest.mark.parametrize(
    "call, error, text",
    [
        (lambda: manifold_spread(D), ParameterError, "pass labels="),
        (lambda: manifold_spread(np.ones((3, 2, 2)), [0, 1, 2]), ParameterError, "leave labels out"),
        (lambda: manifold_spread(np.zeros((3, 2, 2))), DataError, "row 0 of X is all zeros"),
        (lambda: manifold_spread(D, np.zeros(200, int)), DataError, "1 group"),
        (lambda: manifold_spread(D, [0, 1]), DataError, "2 entries"),
        (lambda: manifold_spread(np.full((3, 2, 2), np.nan)), DataError, "NaN in row 0"),
    ],
)
def test_spreads_of_bad_input(call, error, text):
    with pytest.raises(error, match=text):
        call()


# --------------------------------------------------------------------------------------------------- effective features
def test_effective_features_count_activity():
    a = np.abs(np.random.default_rng(0).normal(size=(500, 6))) * [1, 1, 2, 0, 4, 0.5]
    p = a.mean(0) / a.mean(0).sum()
    p = p[p > 0]
    found = effective_features(-a, n_neurons=3, **QUIET)
    assert found.value == pytest.approx(np.exp(-(p * np.log(p)).sum()), rel=1e-12)
    assert found.superposition == pytest.approx(found.value / 3) and found.shares[3] == 0
    with pytest.raises(DataError, match="no feature of activations is active"):
        effective_features(np.zeros((4, 2)))
    with pytest.raises(DataError, match="NaN in row 1"):
        effective_features([[1.0], [np.nan]])


def test_errors_of_effective_features_are_calibrated():
    """200 replicates tell a standard deviation to 5 %."""
    truth, said = replicates(
        lambda a: effective_features(a, **QUIET), 200, lambda g: g.exponential(size=(100, 4)) * [1, 2, 3, 8]
    )
    assert 0.85 < said / truth < 1.2


def test_effective_numbers_and_entropies_are_one_family():
    x = D - D.mean(0)
    x /= np.linalg.norm(x, axis=1, keepdims=True)
    number = effective_number(x, unbiased=False, order=1, **QUIET).value
    assert matrix_entropy(D, **QUIET).effective_number == pytest.approx(number, rel=1e-10)
    half = effective_number(x, order=0.5, **QUIET).value
    assert nuclear_norm(D, **QUIET).value == pytest.approx(np.sqrt(200 * half), rel=1e-10)


@pytest.mark.parametrize(("values", "n"), [(2, 100), (2, 300), (5, 100)])
def test_the_error_of_a_walk_holds_a_scale_that_ties_make_jump(values, n):
    """The spread of 15 lattices is known to a fifth: with the scale taken as known it was 9 to 36 times the error."""
    found = []
    for seed in range(15):
        rows = np.random.default_rng([values, n, seed]).integers(0, values, (n, 3)) * 0.7 ** np.arange(3)
        found.append(diffusion_spectral_entropy(rows))
    value, error = (np.array([getattr(one, name) for one in found]) for name in ("value", "value_se"))
    assert 0.4 < value.std(ddof=1) / np.sqrt((error**2).mean()) < 1.5
    assert any("sigma='auto' may be" in note for one in found for note in one.notes)


def test_a_scale_without_ties_or_given_has_no_other():
    rows = np.random.default_rng(0).normal(size=(80, 2))
    lattice = np.random.default_rng(0).integers(0, 2, (80, 3)).astype(float)
    assert not diffusion_spectral_entropy(rows).notes
    assert not diffusion_spectral_entropy(lattice, sigma=0.7).notes
