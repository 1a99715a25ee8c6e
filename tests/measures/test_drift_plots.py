"""Pictures of drift and of distances show the numbers of their results."""

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from infoscope.base import ParameterError
from infoscope.base.plot_style import axes_of, look_of
from infoscope.measures import drift_table, frechet_distance, information_value, mmd, sliced_wasserstein
from infoscope.measures.null_plots import draw_null


@pytest.fixture(scope="module")
def table():
    g = np.random.default_rng(0)
    old = pd.DataFrame({"x": g.normal(size=200), "y": g.normal(size=200), "kind": g.choice(["a", "b"], 200)})
    new = pd.DataFrame({"x": g.normal(size=150) + 1, "y": g.normal(size=150), "kind": g.choice(["a", "b"], 150)})
    return drift_table(old, new, n_permutations=19, random_state=0)


@pytest.fixture(autouse=True)
def close():
    yield
    plt.close("all")


def test_every_kind_is_drawn_in_every_style(table):
    assert set(table.pictures()) == {"table", "shares", "direction", "null"}
    for kind in table.pictures():
        for style in ("screen", "paper"):
            ax = table.plot(kind=kind, style=style)
            ax.figure.canvas.draw()


def test_a_table_shows_its_numbers(table):
    ax = table.plot()
    widths = [patch.get_width() for patch in ax.patches if patch.get_width() > 0]
    expected = [table.features[i].value for i in table.order]
    np.testing.assert_allclose(widths, expected)
    assert [label.get_text() for label in ax.get_yticklabels()] == [table.names[i] for i in table.order]
    levels = [line.get_xdata() for line in ax.lines if line.get_label() == "95 % of nulls below"][0]
    np.testing.assert_allclose(levels, [table.features[i].null_quantile for i in table.order])


def test_shares_show_both_samples_and_the_evidence(table):
    one = table.features[table.names.index("x")]
    ax = table.plot(kind="shares", feature="x")
    heights = np.array([patch.get_height() for patch in ax.patches])
    np.testing.assert_allclose(heights, np.concatenate(one.shares))
    evidence = next(other for other in ax.figure.axes if other is not ax)
    marks = next(line for line in evidence.lines if len(line.get_ydata()) == len(one.bins))
    np.testing.assert_allclose(marks.get_ydata(), one.woe)
    with pytest.raises(ParameterError, match="no feature 'z'"):
        table.plot(kind="shares", feature="z")


def test_distances_are_drawn():
    g = np.random.default_rng(0)
    a, b = g.normal(size=(100, 3)), g.normal(size=(120, 3)) + 0.5
    distance = frechet_distance(a, b, random_state=0)
    ax = distance.plot()
    points = next(line for line in ax.lines if line.get_label() == "parts of the rows, mean")
    np.testing.assert_allclose(points.get_ydata(), distance.part_values)
    end = next(line for line in ax.lines if line.get_label() == "c/N, from halves")
    assert end.get_ydata()[0] == distance.value and "null" not in distance.pictures()
    sliced = sliced_wasserstein(a, b, n_permutations=19, random_state=0)
    assert set(sliced.pictures()) == {"profile", "direction", "null"}
    bars = sliced.plot(kind="direction").patches
    np.testing.assert_allclose(sorted(bar.get_width() for bar in bars), sorted(sliced.top_direction))
    assert "observed, p = 0.05" in mmd(a, b, n_permutations=19, random_state=0).plot().get_legend().texts[2].get_text()
    information_value(a, np.arange(100) % 2 == 0, n_bins=3, random_state=0).plot().figure.canvas.draw()


def test_a_null_without_values_or_without_spread():
    look = look_of("screen")
    with pytest.raises(ParameterError, match="no values under the null"):
        draw_null(axes_of(None, look, 0.7), 1.0, None, look=look, label="x")
    ax = draw_null(axes_of(None, look, 0.7), 0.0, np.zeros(30), look=look, label="x", larger=False)
    assert sum(patch.get_height() for patch in ax.patches) == 30
    assert "p = 1" in ax.get_legend().texts[2].get_text()
