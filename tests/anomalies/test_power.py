"""Verdicts of absence say what could have been found; categories and other ties are looked at whole."""

import numpy as np
import pandas as pd
import pytest
from scipy.stats import chi2_contingency

from infoscope.anomalies import DensityAnomaly
from infoscope.base import DataError, DataWarning

WORDS = np.array(["x", "y", "z"])


def two_shares(n=400, seed=0):
    """One category, shares .5/.3/.2 and .2/.3/.5: nobody would miss it."""
    g = np.random.default_rng(seed)
    a, b = g.choice(3, n, p=[0.5, 0.3, 0.2]), g.choice(3, n, p=[0.2, 0.3, 0.5])
    assert chi2_contingency([np.bincount(a), np.bincount(b)]).pvalue < 1e-15
    return a, b


def test_a_category_is_seen():
    a, b = two_shares()
    found = DensityAnomaly().fit(np.eye(3)[a], np.eye(3)[b]).result_
    longest = max(np.bincount(np.r_[a, b])) - 1  # the others of the most frequent word
    assert found.k == longest and found.n_blind == 0 and any("k grew from 40" in text for text in found.notes)
    assert [side.n_flagged for side in found.sides] == [np.sum(b == 2), np.sum(a == 0)]
    frames = [pd.DataFrame({"c": WORDS[x]}) for x in (a, b)]
    again = DensityAnomaly().fit(*frames).result_
    np.testing.assert_allclose(again.over.p_values, found.over.p_values)
    assert again.space.feature_names == ("c=x", "c=y", "c=z")
    assert "rows with different words in c are 1 apart in it" in again.notes[-2]


def test_ranks_that_end_inside_ties_are_told():
    a, b = two_shares()
    found = DensityAnomaly(20).fit(np.eye(3)[a], np.eye(3)[b]).result_
    assert found.n_blind == 800 and not found.significant
    needed = max(np.bincount(np.r_[a, b])) - 1
    assert found.verdict.startswith("Undecided") and f"k = {needed} would look at them" in found.verdict
    with pytest.warns(DataWarning, match="no longer local"):
        assert DensityAnomaly(needed).fit(np.eye(3)[a], np.eye(3)[b]).result_.n_blind == 0


def test_words_beside_numbers():
    g = np.random.default_rng(1)
    a, b = two_shares()
    first = pd.DataFrame({"c": WORDS[a], "x": g.normal(size=400), "ok": a == 0})
    second = pd.DataFrame({"c": WORDS[b], "x": g.normal(size=400), "ok": b == 0})
    found = DensityAnomaly().fit(first, second)
    assert found.result_.significant
    d = found.result_.space.pair_distances([0, 0], [1, 2])
    x, c, ok = first["x"].to_numpy(), first["c"].to_numpy(), first["ok"].to_numpy()
    expected = [np.sqrt((x[0] - x[j]) ** 2 + (c[0] != c[j]) + (ok[0] != ok[j])) for j in (1, 2)]
    np.testing.assert_allclose(d, expected)
    with pytest.raises(DataError, match="columns of text differ"):
        DensityAnomaly().fit(first, second.drop(columns="c"))
    first.loc[3, "c"] = None
    with pytest.raises(DataError, match="misses words in 1 rows, the first in row 3"):
        DensityAnomaly().fit(first, second)


@pytest.mark.parametrize("control", ["fdr", "fpr", "fdr_by"])
def test_the_smallest_excess_is_found_and_one_less_is_not(control):
    """So many rows of one sample on one far place are flagged, and one row less is not."""
    g = np.random.default_rng(2)
    x, y = g.normal(size=(300, 2)), g.normal(size=(300, 2))
    x[:60] = 50 + np.c_[1 + g.random(60), g.random(60)]  # nearer to that place than anything else: no luck there
    options = dict(control=control, equalise=False, k=30)
    least = DensityAnomaly(**options).fit(x, y).result_.over.smallest_alone
    for extra, seen in ((0, True), (-1, False)):
        z = y.copy()
        z[: least + extra] = 50 + 1e-3 * g.normal(size=(least + extra, 2))
        model = DensityAnomaly(**options).fit(x, z).result_
        assert bool(model.over.flagged[300 : 300 + least + extra].any()) == seen


def test_absence_says_what_would_have_been_found():
    g = np.random.default_rng(3)
    quiet = DensityAnomaly().fit(g.normal(size=(300, 3)), g.normal(size=(300, 3))).result_
    assert quiet.verdict.startswith(
        "No place was found where the samples differ (false discovery rate 0.05). Found would"
    )
    assert f"{quiet.over.smallest_alone} test rows with no reference row among them" in quiet.verdict
    assert f"among {quiet.k} neighbours, where {quiet.over.expected_among:.3g} are expected" in quiet.verdict


def test_too_few_to_decide():
    g = np.random.default_rng(4)
    with pytest.warns(DataWarning, match="cannot reach significance|no longer local"):
        found = DensityAnomaly(k=3, control="fpr", alpha=1e-6).fit(g.normal(size=(8, 2)), g.normal(size=(8, 2))).result_
    assert found.verdict.startswith("Undecided: rows and ranks this few can show no difference")
