"""The law of the scan against complete enumeration, published values and simulation."""

from fractions import Fraction
from itertools import product
from math import comb, log

import numpy as np
import pytest
from scipy import stats

from infoscope.anomalies import scan_critical_value, scan_null_tail, scan_score
from infoscope.anomalies.null import attained_scores, score_table
from infoscope.base import DataError, ParameterError

# K, p: critical values at 1e-2 ... 1e-7 for ranks 20 ... K - 1 (specification, table 7.0)
TABLE = {
    (100, 0.5): (6.1955, 8.7498, 11.1966, 13.5702, 15.9097, 18.2004),
    (500, 0.5): (7.0620, 9.6260, 12.1101, 14.5429, 16.9105, 19.3041),
    (1000, 0.5): (7.2906, 9.8674, 12.3768, 14.8109, 17.2435, 19.6263),
    (500, 0.25): (6.9851, 9.5824, 12.0375, 14.5015, 16.9468, 19.3125),
    (500, 0.75): (6.9526, 9.4629, 11.8675, 14.2643, 16.6455, 18.9870),
    (500, 0.1): (6.8326, 9.4009, 11.8647, 14.3303, 16.6986, 19.1401),
    (500, 0.9): (6.5497, 8.9691, 11.3339, 13.6419, 15.9387, 18.2288),
}


def binomial_tail(k, s, p):
    return sum(comb(k, t) * p**t * (1 - p) ** (k - t) for t in range(s, k + 1))


def chances(K, p, n1, n_tot, forced):
    """Every sequence of labels with its exact probability."""
    for sequence in product((0, 1), repeat=K):
        chance, hits, left = Fraction(1), n1, n_tot
        for k, bit in enumerate(sequence):
            if forced and k == 0:
                q = Fraction(1)
            elif n1 is None:
                q = p
            else:
                q = Fraction(hits, left)
                hits, left = hits - bit, left - 1
            chance *= q if bit else 1 - q
        yield sequence, chance


def by_enumeration(K, k_min, p, n1=None, n_tot=None, forced=False, scan=None):
    """{smallest binomial tail over the scan: probability}, exact; the score is -ln of the key."""
    tails = {(k, s): binomial_tail(k, s, p) for k in range(1, K + 1) for s in range(k + 1)}
    law: dict = {}
    for sequence, chance in chances(K, p, n1, n_tot, forced):
        if not chance:
            continue
        s, smallest = 0, Fraction(1)
        for k, bit in enumerate(sequence, 1):
            s += bit
            if k >= k_min and (scan is None or k in scan):
                smallest = min(smallest, tails[k, s])
        law[smallest] = law.get(smallest, 0) + chance
    return law


@pytest.mark.parametrize(
    ("K", "k_min", "p", "options"),
    [
        (1, 1, Fraction(1, 2), {}),
        (10, 1, Fraction(1, 2), {}),
        (14, 3, Fraction(1, 5), {}),
        (11, 1, Fraction(2, 3), dict(n1=9, n_tot=15)),
        (12, 2, Fraction(1, 3), dict(n1=4, n_tot=12)),
        (9, 1, Fraction(1, 2), dict(n1=20, n_tot=41)),
        (10, 2, Fraction(1, 4), dict(forced=True)),
        (10, 1, Fraction(1, 2), dict(n1=6, n_tot=14, forced=True)),
        (12, 1, Fraction(1, 2), dict(scan=(2, 5, 6, 12))),
        (11, 1, Fraction(1, 3), dict(n1=5, n_tot=16, scan=(1, 7, 11))),
    ],
)
def test_enumeration(K, k_min, p, options):
    """Tails and critical values of all attained scores, to rounding."""
    law = by_enumeration(K, k_min, p, **options)
    given = {("forced_first" if key == "forced" else key): value for key, value in options.items()}
    levels = sorted(law)  # small tail: large score
    exact = np.array([float(sum(law[t] for t in levels if t <= level)) for level in levels])
    u = np.array([-log(level) for level in levels])
    found = scan_null_tail(u, K, k_min, p=float(p), **given)
    np.testing.assert_allclose(found, exact, rtol=1e-12)
    for alpha in (0.3, 0.03):
        beyond = np.array([float(sum(law[t] for t in levels if t < level)) for level in levels])
        expected = min(score for score, tail in zip(u, beyond, strict=True) if tail <= alpha)
        assert scan_critical_value(alpha, K, k_min, p=float(p), **given) == pytest.approx(max(expected, 0), abs=1e-12)


@pytest.mark.parametrize(("K", "p"), TABLE)
def test_published_critical_values(K, p):
    found = [scan_critical_value(10.0**-a, K - 1, 20, p=p) for a in range(2, 8)]
    np.testing.assert_allclose(found, TABLE[K, p], atol=6e-5)  # four printed digits


def test_first_rank_of_one():
    found = [scan_critical_value(10.0**-a, 499, 1, p=0.5) for a in range(2, 8)]
    np.testing.assert_allclose(found, (7.1555, 9.6953, 12.1173, 14.5429, 16.9105, 19.3041), atol=6e-5)


def test_published_tails():
    """Figures of the specification, to the digits it prints; one label: P(score >= -ln p) = p."""
    assert scan_null_tail(7, 499, 20, p=0.5) == pytest.approx(1.038316e-2, rel=5e-7)
    for n, level in ((1999, 4.3e-6), (9999, 8.2e-6), (99_999, 9.8e-6)):  # independent labels are conservative
        n1, p = n // 2, (n // 2) / n
        u = scan_critical_value(1e-5, 500, 20, p=p)
        tail = scan_null_tail(u * (1 + 1e-11), 500, 20, p=p, n1=n1, n_tot=n)
        assert tail == pytest.approx(level, abs=0.051e-6)
        if n == 1999:
            assert u == pytest.approx(14.561, abs=6e-4)
            assert scan_critical_value(1e-5, 500, 20, p=p, n1=n1, n_tot=n) == pytest.approx(13.712, abs=6e-4)
    for p, level in ((0.5, 1.46e-5), (0.25, 1.89e-5), (0.1, 2.64e-5), (0.9, 1.08e-5)):  # the point itself counted
        u = scan_critical_value(1e-5, 499, 20, p=p)
        tail = scan_null_tail(u * (1 + 1e-11), 499, 20, p=p, forced_first=True)
        assert tail == pytest.approx(level, abs=0.0051e-5)
    for p in (0.01, 0.3, 0.5, 0.99):
        assert scan_null_tail(-log(p), 1, p=p) == pytest.approx(p, rel=1e-15)


def exact_tail(u, K, k_min, p, n1=None, n_tot=None):
    """The walk in rational numbers; the boundary by exact comparison of binomial tails with exp(-u)."""
    level = Fraction(float(np.exp(-u)))
    mass, absorbed = [Fraction(1)], Fraction(0)
    for k in range(1, K + 1):
        after = [Fraction(0)] * (len(mass) + 1)
        for s, m in enumerate(mass):
            q = p if n1 is None else max(Fraction(n1 - s, n_tot - k + 1), Fraction(0))
            after[s] += m * (1 - q)
            after[s + 1] += m * q
        if k >= k_min:
            for s in range(len(after)):
                if after[s] and binomial_tail(k, s, p) <= level:
                    absorbed += after[s]
                    after[s] = Fraction(0)
        mass = after
    return float(absorbed)


@pytest.mark.parametrize("drawn", [{}, dict(n1=90, n_tot=130)])
def test_rational_walk(drawn):
    """Tails to 1e-10 and better, down to where the score ends (60 successes, 1e-18 and 1e-29)."""
    for u in (2.0005, 7.0005, 15.0005, 40.0005):  # between attained scores
        exact = exact_tail(u, 60, 5, Fraction(1, 2), **drawn)
        assert scan_null_tail(u, 60, 5, p=0.5, **drawn) == pytest.approx(exact, rel=1e-12)


def test_small_tails_keep_their_digits():
    """Only the all-success path reaches phi(K, K): its tail is p^K, whatever its size."""
    for K, p in ((300, 0.1), (500, 0.3), (900, 0.5)):
        assert scan_null_tail(-K * log(p), K, p=p) == pytest.approx(p**K, rel=1e-11)
    K, n1, n_tot = 180, 220, 4000
    exact = np.exp(sum(log(n1 - j) - log(n_tot - j) for j in range(K)))
    assert 1e-300 < exact < 1e-200
    assert scan_null_tail(-K * log(0.05), K, p=0.05, n1=n1, n_tot=n_tot) == pytest.approx(exact, rel=1e-9)


def test_table_of_scores():
    """phi(k, s) against SciPy where it is accurate; exact at s = k; finite where the tail itself underflows."""
    for K, p in ((60, 0.5), (500, 0.1), (500, 0.9), (1100, 0.5)):
        table = score_table(K, p)
        for k in (1, 2, K // 3, K):
            s = np.arange(k + 1)
            found = table[k * (k + 1) // 2 + s]
            expected = -stats.binom.logsf(s - 1, k, p)
            fine = expected < 600  # beyond, SciPy's own tail underflows
            np.testing.assert_allclose(found[fine], np.maximum(expected[fine], 0), rtol=2e-11, atol=2e-13)
            assert found[k] == -k * np.log(p)
            assert np.isfinite(found).all() and (np.diff(found) >= 0).all()


@pytest.mark.parametrize(
    ("K", "k_min", "p", "options"),
    [
        (200, 1, 0.2, {}),
        (300, 20, 0.25, dict(forced_first=True)),
        (199, 1, 49 / 199, dict(n1=49, n_tot=199)),
        (150, 1, 0.25, dict(n1=999, n_tot=3999)),
    ],
)
def test_simulation(K, k_min, p, options):
    """100,000 sequences: the share beyond each level within 4 standard errors of the exact tail."""
    generator, m = np.random.default_rng(0), 100_000
    table = score_table(K, p)
    n1, n_tot = options.get("n1", 0), options.get("n_tot", 0)
    successes, best = np.zeros(m, np.int64), np.zeros(m)
    for k in range(1, K + 1):
        q = (n1 - successes) / (n_tot - k + 1) if n_tot else p
        successes += 1 if options.get("forced_first") and k == 1 else generator.random(m) < q
        if k >= k_min:
            best = np.maximum(best, table[k * (k + 1) // 2 + successes])
    for u in (3, 5, 7):
        exact = scan_null_tail(u, K, k_min, p=p, **options)
        assert np.mean(best >= u) == pytest.approx(exact, abs=4 * np.sqrt(exact / m))


def test_many_drawn_labels_are_independent():
    few = scan_null_tail(12.0, 100, p=0.3, n1=300_000, n_tot=1_000_000)
    assert few == pytest.approx(scan_null_tail(12.0, 100, p=0.3), rel=2e-3)


def test_shapes_and_order():
    u = np.linspace(0, 40, 300).reshape(3, 100)
    tails = scan_null_tail(u, 50, p=0.4)
    assert tails.shape == u.shape and tails[0, 0] == 1 and (np.diff(tails.ravel()) <= 0).all()
    assert scan_null_tail(1e9, 50, p=0.4) == 0
    one_by_one = [scan_null_tail(float(level), 50, p=0.4) for level in u.ravel()[::37]]
    np.testing.assert_array_equal(one_by_one, tails.ravel()[::37])  # threads change nothing


def test_attained_scores_are_different():
    values = attained_scores(9, 0.5, np.arange(10) > 0)
    exact = {binomial_tail(k, s, Fraction(1, 2)) for k in range(1, 10) for s in range(k + 1)}
    assert len(values) == len(exact)  # P[Bin(2j + 1) > j] = 1/2 for all j, once


def test_scan_score():
    labels = [1, 0, 1, 1, 1, 0, 1]
    scores = [-log(float(binomial_tail(k, sum(labels[:k]), Fraction(2, 5)))) for k in range(1, 8)]
    assert scan_score(labels, 0.4) == (pytest.approx(max(scores)), int(np.argmax(scores)) + 1)
    assert scan_score(labels, 0.4, k_min=6) == (pytest.approx(max(scores[5:])), int(np.argmax(scores[5:])) + 6)


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda: scan_null_tail(1.0, 10, p=0.0), "p is 0.0"),
        (lambda: scan_null_tail(1.0, 10, p="half"), "p is 'half'"),
        (lambda: scan_null_tail(1.0, 10, 11, p=0.5), "k_min=11"),
        (lambda: scan_null_tail(1.0, 0, p=0.5), "K"),
        (lambda: scan_null_tail(1.0, 10, p=0.5, n1=5), "go together"),
        (lambda: scan_null_tail(1.0, 10, p=0.5, n1=5, n_tot=9), "n_tot=9"),
        (lambda: scan_null_tail(1.0, 10, p=0.5, n1=15, n_tot=12), "n1=15"),
        (lambda: scan_null_tail(np.nan, 10, p=0.5), "NaN"),
        (lambda: scan_null_tail(1.0, 10, p=0.5, scan=[0, 3]), "scan"),
        (lambda: scan_critical_value(0.0, 10, p=0.5), "alpha"),
        (lambda: scan_critical_value(1.0, 10, p=0.5), "alpha"),
        (lambda: scan_score([], 0.5), "labels_in_order"),
        (lambda: scan_score([0, 2], 0.5), "labels_in_order"),
        (lambda: scan_score([0, 1], 0.5, k_min=3), "k_min=3"),
    ],
)
def test_bad_input(call, text):
    with pytest.raises((DataError, ParameterError), match=text):
        call()
