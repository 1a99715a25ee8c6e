import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from infoscope.base import DataError, ParameterError
from infoscope.statistics import adjust_p_values, effective_sample_size

P = [0.04, 0.001, 0.03, 0.5]  # ranks 3, 1, 2, 4


@pytest.mark.parametrize(
    ("method", "expected"),
    [
        # m p / rank from the largest down: 0.5, min(0.5, 0.16 / 3), min(., 0.06), 0.004
        ("bh", [0.16 / 3, 0.004, 0.16 / 3, 0.5]),
        # the same times 1 + 1/2 + 1/3 + 1/4 = 25/12, at most 1
        ("by", [0.16 / 3 * 25 / 12, 0.004 * 25 / 12, 0.16 / 3 * 25 / 12, 1.0]),
        # (m - rank + 1) p from the smallest up: 0.004, 0.09, max(0.09, 0.08), 0.5
        ("holm", [0.09, 0.004, 0.09, 0.5]),
        ("bonferroni", [0.16, 0.004, 0.12, 1.0]),
    ],
)
def test_by_hand(method, expected):
    np.testing.assert_allclose(adjust_p_values(P, method), expected, rtol=1e-14)
    assert adjust_p_values(np.array(P).reshape(2, 2), method).shape == (2, 2)


@pytest.mark.parametrize("method", ["bh", "by", "holm", "bonferroni"])
def test_tests_that_were_not_made_do_not_count(method):
    with_gap = adjust_p_values([0.04, np.nan, 0.001, 0.03, 0.5], method)
    assert np.isnan(with_gap[1])
    np.testing.assert_array_equal(np.delete(with_gap, 1), adjust_p_values(P, method))
    assert adjust_p_values([], method).shape == (0,)
    assert np.isnan(adjust_p_values([[np.nan]], method)).all()


@given(hnp.arrays(float, st.integers(1, 30), elements=st.floats(0, 1)))
def test_orders_and_bounds(p):
    adjusted = {method: adjust_p_values(p, method) for method in ("bh", "by", "holm", "bonferroni")}
    order = np.argsort(p)
    for values in adjusted.values():
        assert (values >= p).all() and (values <= 1).all() and (np.diff(values[order]) >= 0).all()
    slack = 1 + 1e-12
    assert (adjusted["bh"] <= adjusted["by"] * slack).all() and (adjusted["bh"] <= adjusted["holm"] * slack).all()
    assert (adjusted["holm"] <= adjusted["bonferroni"] * slack).all()


def test_false_discovery_rate_under_the_null():
    """All hypotheses true: "bh" rejects anything in 5 % of families (Simes); four standard errors of 2000 are 2 %."""
    p = np.random.default_rng(0).uniform(size=(2000, 20))
    rejected = np.mean([adjust_p_values(row).min() <= 0.05 for row in p])
    assert 0.03 < rejected < 0.07


def test_wrong_p_values():
    with pytest.raises(DataError, match="must lie in \\[0, 1\\], got 1.2"):
        adjust_p_values([0.1, 1.2])
    with pytest.raises(DataError, match="got -0.1"):
        adjust_p_values([-0.1, 0.1])
    with pytest.raises(ParameterError, match="method must be one of 'bh'"):
        adjust_p_values([0.1], "fdr")


# -------------------------------------------------------------------------------------------------------- Kish's number
def test_effective_sample_size():
    assert effective_sample_size([1, 1, 2]) == pytest.approx(16 / 6, rel=1e-15)
    assert effective_sample_size([0, 5, 0]) == 1.0 and effective_sample_size(np.full(7, 1e-300)) == pytest.approx(7)
    g = np.random.default_rng(2024)
    assert effective_sample_size(np.exp(0.8 * g.normal(size=(200, 3))[:, 1])) == pytest.approx(101.1273407836, abs=1e-9)
    with pytest.raises(DataError, match="zero everywhere"):
        effective_sample_size([0, 0])


@given(hnp.arrays(float, st.integers(1, 20), elements=st.floats(1e-3, 1e3)), st.floats(1e-100, 1e100))
def test_effective_sample_size_ignores_the_scale(weight, scale):
    n = effective_sample_size(weight)
    assert 1 - 1e-9 <= n <= len(weight) * (1 + 1e-9)
    assert effective_sample_size(weight * scale) == pytest.approx(n, rel=1e-9)
