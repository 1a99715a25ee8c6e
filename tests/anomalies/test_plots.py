"""Pictures of anomalies: what stands in them is what the result says."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from scipy.stats import hypergeom

from infoscope.anomalies import DensityAnomaly, compare_many, power_curve
from infoscope.anomalies.null import score_table
from infoscope.anomalies.plots import _band, _own
from infoscope.anomalies.result import Anomalies
from infoscope.base import ParameterError
from infoscope.base.pictures import pictures_of


@pytest.fixture(scope="module")
def found():
    g = np.random.default_rng(0)
    x, y = g.normal(size=(500, 3)), g.normal(size=(400, 3))
    y[:50] = [2, 0, 0] + 0.1 * g.normal(size=(50, 3))
    x[:50] = [0, -2, 0] + 0.1 * g.normal(size=(50, 3))
    return DensityAnomaly(45, n_permutations=19, random_state=0).fit(x, y).result_


@pytest.fixture(autouse=True)
def close():
    yield
    plt.close("all")


@pytest.mark.parametrize("style", ["screen", "paper"])
@pytest.mark.parametrize("kind", pictures_of(Anomalies))
def test_each_kind_draws_and_has_its_numbers(found, kind, style):
    ax = found.plot(kind=kind, style=style)
    ax.figure.canvas.draw()
    below = [axis.get_xlabel() for axis in ax.figure.axes]
    assert any(below) and any(axis.get_ylabel() or axis.get_yticklabels() for axis in ax.figure.axes)
    assert len(found.plot_data(kind=kind))
    if kind != "pairs":
        own = plt.subplots()[1]
        assert found.plot(own, kind=kind, style=style) is own


def test_dots_are_the_flagged_points(found):
    ax = found.plot(x=0, y=2)
    everything, *sides = ax.collections
    assert len(everything.get_offsets()) == 900
    for dots, one in zip(sides, found.sides, strict=True):
        x = np.asarray(found.coordinates)[one.flagged][:, [0, 2]]
        assert sorted(map(tuple, dots.get_offsets().data)) == sorted(map(tuple, x))
        np.testing.assert_allclose(np.sort(dots.get_array()), np.sort(one.scores[one.flagged]))


def test_scan_of_the_highest_score(found):
    path = found.plot_data(kind="scan", side="over")
    best = float(_own(found, found.over, found.over.scores).max())
    assert path.scores[path.looked].max() == pytest.approx(best, rel=1e-12)
    # the band is made of quantiles of the number of test points among k of the 899 others, 399 of which are left
    item = found.n_reference + int(np.argmax(found.over.scores[found.n_reference :]))
    k = np.arange(1, 46)
    high = _band(found, found.over, item, k)[2]
    s = hypergeom(899, 399, 20).ppf(0.95)
    assert high[19] == score_table(45, found.probability)[20 * 21 // 2 + int(s)]


def test_expected_histogram_sums_to_the_points(found):
    """Where labels carry no information all points fall somewhere: the bars of the law hold as many as there are."""
    ax = found.plot(kind="histogram", side="over")
    steps = next(line for line in ax.lines if "no information" in line.get_label())
    assert steps.get_ydata()[:-1].sum() == pytest.approx(400, rel=1e-6)


def test_purities_are_those_of_the_regions(found):
    ax = found.plot(kind="regions")
    regions = [region for one in found.sides for region in one.established]
    assert [bar.get_width() for bar in ax.patches] == pytest.approx([region.purity for region in regions])
    assert [label.get_text() for label in ax.get_yticklabels()] == [region.name for region in regions]


def test_pictures_of_the_other_results(found):
    x = np.asarray(found.coordinates)
    power = power_curve(x[:200], x[500:530], (5, 20), n_trials=2, random_state=0)
    many = compare_many({"a": x[:250], "b": x[250:500]}, x[500:])
    for result in (power, many):
        ax = result.plot()
        assert ax.get_xlabel() and ax.get_ylabel() and ax.get_legend() is not None
    one = DensityAnomaly(20).fit(x[:500, :1], x[500:, :1]).result_
    assert one.plot().get_xlabel() == "column 0"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"kind": "pie"}, "kind"),
        ({"style": "wall"}, "style"),
        ({"x": "mass"}, "mass"),
        ({"y": 7}, "no column 7"),
        ({"kind": "scan", "side": "left"}, "left"),
        ({"kind": "scan", "item": 10**6}, "item"),
    ],
)
def test_bad_options(found, options, message):
    with pytest.raises(ParameterError, match=message):
        found.plot(**options)


def test_no_permutations_no_picture():
    g = np.random.default_rng(0)
    plain = DensityAnomaly().fit(g.normal(size=(60, 2)), g.normal(size=(60, 2))).result_
    with pytest.raises(ParameterError, match="n_permutations"):
        plain.plot(kind="permutations")
    assert plain.plot(kind="regions") is not None  # nothing to show, and no error


def test_the_columns_drawn_are_those_in_which_regions_stand_out():
    g = np.random.default_rng(3)
    reference, test = g.normal(size=(400, 6)), g.normal(size=(400, 6))
    test[:60, [2, 5]] = [4.0, -4.0] + 0.3 * g.normal(size=(60, 2))
    found = DensityAnomaly().fit(reference, test).result_
    ax = found.plot()
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("column 2", "column 5") and ax.get_title().startswith(
        "2 of 6 columns"
    )
    label = next(text for text in ax.texts if text.get_text() == str(found.over.established[0].number))
    np.testing.assert_allclose(label.xy, found.over.established[0].centre[[2, 5]])  # at the centre that is printed
    asked = found.plot(x=0, y=1)
    assert asked.get_xlabel() == "column 0" and not asked.get_title()
