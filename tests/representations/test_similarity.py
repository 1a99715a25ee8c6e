"""Similarities of two layers against brute force: whole Gram matrices, loops over quadruples, other factorisations."""

import numpy as np
import pytest
import scipy.linalg
import scipy.stats

from infoscope.base import DataError, ParameterError
from infoscope.neighbors import Space
from infoscope.representations import canonical_correlations, cknna, compare_layers, linear_cka, procrustes_distance
from infoscope.representations.linear_similarity import unbiased_hsic

EXACT = dict(rel=0, abs=1e-9)  # both sides are float64 sums of at most 10^5 terms


def pair(n=40, d=(6, 9), shared=3, seed=0):
    g = np.random.default_rng(seed)
    z = g.normal(size=(n, shared))
    return tuple(np.hstack([z, g.normal(size=(n, width - shared))]) @ g.normal(size=(width, width)) + 3 for width in d)


def centred_gram(x):
    h = np.eye(len(x)) - 1 / len(x)
    return h @ x @ x.T @ h


def hsic_u(K, L):
    """The unbiased estimate as a mean over quadruples of different items, with eq. (5) of Song et al. written out."""
    n = len(K)
    K, L = K - np.diag(np.diag(K)), L - np.diag(np.diag(L))
    one = np.ones(n)
    return (
        np.trace(K @ L) + one @ K @ one * (one @ L @ one) / ((n - 1) * (n - 2)) - 2 / (n - 2) * (one @ K @ L @ one)
    ) / (n * (n - 3))


def hsic_by_quadruples(K, L):
    """E over distinct i, j, q, r of K_ij (L_ij + L_qr - 2 L_iq): the definition that has no bias."""
    n, total, count = len(K), 0.0, 0
    for i in range(n):
        for j in range(n):
            for q in range(n):
                for r in range(n):
                    if len({i, j, q, r}) == 4:
                        total += K[i, j] * (L[i, j] + L[q, r] - 2 * L[i, q])
                        count += 1
    return total / count


@pytest.mark.parametrize("d", [(6, 9), (6, 70), (80, 90), (1, 1)])
def test_cka(d):
    x, y = pair(d=d, shared=1 if min(d) == 1 else 3)
    K, L = centred_gram(x), centred_gram(y)
    expected = (K * L).sum() / np.sqrt((K * K).sum() * (L * L).sum())
    assert linear_cka(x, y, debiased=False) == pytest.approx(expected, **EXACT)
    expected = hsic_u(K, L) / np.sqrt(hsic_u(K, K) * hsic_u(L, L))
    assert linear_cka(x, y) == pytest.approx(expected, **EXACT)
    raw = x @ x.T, y @ y.T  # centring or not is the same to an estimate without bias
    assert hsic_u(*raw) == pytest.approx(hsic_u(K, L), rel=1e-6)


def test_compare_layers_says_the_same():
    """Whose matrices are in single precision."""
    x, y = pair(d=(6, 70))
    found = compare_layers([x], [y], measures=["cka", "cka_debiased"], n_permutations=19, random_state=0)
    assert found.table("cka")[0, 0] == pytest.approx(linear_cka(x, y, debiased=False), abs=1e-6)
    assert found.table("cka_debiased")[0, 0] == pytest.approx(linear_cka(x, y), abs=1e-6)


def test_unbiased_hsic_is_the_mean_over_quadruples():
    x, y = pair(n=8, d=(3, 4))
    x, y = x - x.mean(0), y - y.mean(0)
    expected = hsic_by_quadruples(x @ x.T, y @ y.T)
    assert unbiased_hsic(x, y) == pytest.approx(expected, rel=1e-9)


def test_what_cka_does_not_see():
    x, _ = pair(n=60)
    q = scipy.stats.ortho_group.rvs(6, random_state=0)
    for debiased in (True, False):
        assert linear_cka(x, 7 * x @ q + 2, debiased=debiased) == pytest.approx(1, **EXACT)


def test_debiased_cka_of_wide_independent_layers():
    """Spec 7.2: N = 100, D = 1000: plain about D/(D + N) = 0.909, debiased within 0.05 of 0."""
    for seed in range(5):
        x, y = np.random.default_rng(seed).normal(size=(2, 100, 1000))
        assert linear_cka(x, y, debiased=False) == pytest.approx(1000 / 1100, abs=0.005)
        assert abs(linear_cka(x, y)) < 0.05


def by_regression(x, y):
    """Canonical correlations as the roots of the eigenvalues of the product of two regressions (pseudo-inverses)."""
    x, y = x - x.mean(0), y - y.mean(0)
    product = np.linalg.pinv(x, 1e-10) @ y @ np.linalg.pinv(y, 1e-10) @ x
    values = np.sort(np.linalg.eigvals(product).real)[::-1]
    rank = min(np.linalg.matrix_rank(x, tol=1e-8), np.linalg.matrix_rank(y, tol=1e-8))
    return np.sqrt(np.clip(values[:rank], 0, 1))


def test_cca_on_the_numerical_rank():
    x, y = pair(n=80)
    np.testing.assert_allclose(canonical_correlations(x, y), by_regression(x, y), atol=1e-9)
    low = x[:, :3] @ np.random.default_rng(1).normal(size=(3, 6))  # rank 3 of 6
    found = canonical_correlations(low, y)
    assert len(found) == 3
    np.testing.assert_allclose(found, by_regression(low, y), atol=1e-9)
    q, _ = np.linalg.qr(low - low.mean(0))  # what the QR factorisation would say: three directions of rounding
    p, _ = np.linalg.qr(y - y.mean(0))
    assert len(np.linalg.svd(q.T @ p, compute_uv=False)) == 6
    np.testing.assert_allclose(
        canonical_correlations(x, x @ np.random.default_rng(2).normal(size=(6, 6))), 1, atol=1e-9
    )


def test_rank_follows_the_type():
    x, y = pair(n=80)
    low = (x[:, :3] @ np.random.default_rng(1).normal(size=(3, 6))).astype(np.float32)
    assert len(canonical_correlations(low, y)) == 3  # the rest is rounding of float32
    assert len(canonical_correlations(low.astype(float), y)) == 6  # which float64 cannot know


def test_svcca_keeps_the_leading_directions():
    g = np.random.default_rng(3)
    x, y = g.normal(size=(200, 5)) * [9, 7, 5, 0.01, 0.01], g.normal(size=(200, 4))
    u, s, _ = np.linalg.svd(x - x.mean(0), full_matrices=False)
    assert (s**2)[:3].sum() / (s**2).sum() > 0.99 > (s**2)[:2].sum() / (s**2).sum()
    np.testing.assert_allclose(canonical_correlations(x, y, keep=0.99), by_regression(u[:, :3], y), atol=1e-9)
    np.testing.assert_allclose(canonical_correlations(x, y, keep=1.0), canonical_correlations(x, y), atol=1e-12)


@pytest.mark.parametrize("d", [(6, 9), (6, 70), (60, 50)])
def test_procrustes(d):
    x, y = (z - z.mean(0) for z in pair(d=d))
    nuclear = np.trace(scipy.linalg.sqrtm(x.T @ y @ y.T @ x).real) if d[0] < 40 else np.linalg.norm(x.T @ y, "nuc")
    expected = np.arccos(nuclear / np.linalg.norm(x) / np.linalg.norm(y))
    assert procrustes_distance(x, y) == pytest.approx(expected, abs=1e-9 if d[0] >= 40 else 1e-6)
    best = (
        max(  # no rotation does better
            np.sum(x @ scipy.stats.ortho_group.rvs(x.shape[1], random_state=s) * y[:, : x.shape[1]]) for s in range(20)
        )
        if d == (6, 9)
        else 0
    )
    assert best <= nuclear + 1e-9


def test_cknna():
    x, y = pair(n=50)
    grams, masks = [], []
    for z in (x, y):
        u = z / np.linalg.norm(z, axis=1)[:, None]
        gram = u @ u.T
        order = np.argsort(-(gram - 9 * np.eye(50)), axis=1)[:, :6]
        mask = np.zeros((50, 50))
        np.put_along_axis(mask, order, 1, 1)
        grams.append(gram)
        masks.append(mask)

    def h(P, Q):
        P, Q, n = P - np.diag(np.diag(P)), Q - np.diag(np.diag(Q)), 50
        whole = P.sum() * Q.sum() / ((n - 1) * (n - 2))
        return ((P * Q.T).sum() + whole - 2 / (n - 2) * (P @ Q).sum()) / (n * (n - 3))

    (K, L), (a, b) = grams, masks
    expected = h(a * b * K, a * b * L) / np.sqrt(h(a * K, a * K) * h(b * L, b * L))
    assert cknna(Space(x, metric="cosine", name="x"), Space(y, metric="cosine", name="y"), 6) == pytest.approx(
        expected, **EXACT
    )
    with pytest.raises(ParameterError, match="metric='cosine'"):
        cknna(Space(x, name="x"), Space(y, name="y"))


X = np.random.default_rng(0).normal(size=(20, 3))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: linear_cka(X, X[:10]), DataError, "layers of 20 and 10 items"),
        (lambda: linear_cka(X[:3], X[:3]), DataError, "3 items: at least 4"),
        (lambda: linear_cka(X, np.ones((20, 2))), DataError, "layer 1 is dead: all 20 items have the same vector"),
        (lambda: linear_cka(np.eye(20), X), DataError, "pairs of items are alike in layer 0: debiased CKA has nothing"),
        (lambda: compare_layers([X], [np.eye(20)], measures="cka_debiased"), DataError, "are alike in b, layer 0: cka"),
        (lambda: compare_layers([X], [np.eye(20)], measures="rsa"), DataError, "are alike in b, layer 0: rsa has"),
        (lambda: linear_cka(X, np.where(X > 1, np.nan, X)), DataError, "layer 1 holds nan in item"),
        (lambda: linear_cka(X[:, 0], X), DataError, r"layer 0 has shape \(20,\)"),
        (lambda: canonical_correlations(np.eye(20), X), ParameterError, "layer 0 has rank 19 of 20 items"),
        (lambda: canonical_correlations(X, X, keep=0), ParameterError, "keep is 0"),
        (lambda: cknna(Space(X, name="a"), Space(X[:9], name="b")), DataError, "a has 20 rows, b has 9"),
    ],
)
def test_what_cannot_be(call, error, message):
    with pytest.raises(error, match=message):
        call()
