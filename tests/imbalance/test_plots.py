"""Pictures of the room: what is drawn equals what the results hold, and the axes say what is better."""

import math
from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.axes import Axes

from infoscope.base import ParameterError
from infoscope.imbalance import plots_pairs as maps
from infoscope.imbalance.results import ImbalanceDifference, ImbalanceMatrix, InformationImbalance, ScaleCurve

WORDS = "0 = A predicts B, 1 = A says nothing about B"
STYLES = ("screen", "paper")


def pair(**changes):
    random = np.random.default_rng(0)
    ranks = random.beta(0.6, 4, 300)
    lag_profile = {
        "lag_min": [1, 3, 6, 11],
        "lag_max": [2, 5, 10, math.inf],
        "chance": [0.01, 0.02, 0.07, 0.9],
        "a_to_b_share": [0.0, 0.01, 0.1, 0.89],
        "a_to_b_mean": [math.nan, 0.7, 0.9, 1.0],
        "b_to_a_share": [0.0, 0.02, 0.08, 0.9],
        "b_to_a_mean": [math.nan, 0.8, 0.95, 1.02],
    }
    run_values = {
        "run": ["first", "second"],
        "n_rows": [100, 200],
        "a_to_b": [0.1, 0.2],
        "a_to_b_se": [0.02, 0.03],
        "b_to_a": [0.6, 0.5],
        "b_to_a_se": [0.05, 0.04],
    }
    return replace(
        InformationImbalance(
            a_to_b=0.15, a_to_b_se=0.02, b_to_a=0.55, b_to_a_se=0.04, k=1, n_items=300, n_rows=300,
            a_to_b_ranks=ranks, b_to_a_ranks=random.uniform(size=300), lag_profile=lag_profile, run_values=run_values,
            row_weights=np.repeat([1.0, 3.0], 150), exclusion_window=5.0,
        ),
        **changes,
    )  # fmt: skip


def matrix(names=("x", "y", "z"), targets=None, **changes):
    targets = targets or names
    values = np.linspace(0.1, 1.0, len(names) * len(targets)).reshape(len(names), len(targets))
    return ImbalanceMatrix(
        names=names, target_names=targets, values=values, values_se=np.full(values.shape, 0.02), k=1, n_items=200,
        n_rows=200, **changes,
    )  # fmt: skip


CURVE = ScaleCurve(
    k=np.array([1, 4, 16]), a_to_b=np.array([0.1, 0.15, 0.2]), a_to_b_se=np.array([0.03, 0.02, 0.01]),
    b_to_a=np.array([0.6, 0.65, 0.7]), b_to_a_se=np.array([0.03, 0.02, 0.01]), n_items=200, n_rows=200,
)  # fmt: skip
DIFFERENCE = ImbalanceDifference(
    name_a="shape", name_b="colour", name_target="species", a_to_target=0.4, a_to_target_se=0.02, b_to_target=0.6,
    b_to_target_se=0.03, difference=-0.2, difference_se=0.025, k=1, n_items=150, n_rows=150, target_floor=0.33,
)  # fmt: skip


def crosses(ax):
    """Centre and half widths of every point with error bars."""
    found = []
    for container in ax.containers:
        if type(container).__name__ != "ErrorbarContainer":
            continue
        line, _, bars = container.lines
        lengths = [np.ptp(np.asarray(bar.get_segments()), axis=1).max(axis=1) / 2 for bar in bars]
        found.append((*np.asarray(line.get_xydata()).T, *lengths))
    return found


def texts(ax):
    return [text.get_text() for text in ax.texts]


def legend(ax):
    return [text.get_text() for text in ax.get_legend().get_texts()]


# --------------------------------------------------------------------------------------------------------------- plane
@pytest.mark.parametrize("style", STYLES)
def test_plane_of_one_result(style):
    ax = pair().plot(style=style)
    assert ax.get_xlabel() == f"Δ(A → B):\n{WORDS}"
    assert ax.get_ylabel() == "Δ(B → A):\n0 = B predicts A, 1 = B says nothing about A"
    (cross,) = crosses(ax)
    assert np.ravel(cross) == pytest.approx([0.15, 0.55, 0.02, 0.04])
    assert set(texts(ax)) == {"equivalent", "A contains B", "B contains A", "independent", "partly shared"}
    diagonal = [line for line in ax.lines if len(line.get_xdata()) == 2 and np.array_equal(*line.get_data())]
    assert diagonal
    assert ax.get_xlim() == ax.get_ylim()


def test_plane_uses_the_names_and_shortens_them():
    ax = pair(name_a="all the backbone dihedral angles", name_b="x").plot()
    assert ax.get_xlabel() == "Δ(all the backbone … → x):\n0 = predicts, 1 = says nothing"
    assert "all the b… contains x" in texts(ax)


def test_plane_of_a_matrix_labels_all_pairs():
    source = matrix()
    ax = source.plot(kind="plane")
    drawn = crosses(ax)
    assert len(drawn) == 3
    for (x, y, x_se, y_se), one in zip(drawn, source.pairs(), strict=True):
        assert np.ravel([x, y, x_se, y_se]) == pytest.approx([one.a_to_b, one.b_to_a, one.a_to_b_se, one.b_to_a_se])
    assert {"x | y", "x | z", "y | z"} <= set(texts(ax))
    assert "points: A | B" in ax.get_title(loc="left")


def test_plane_of_many_pairs_is_numbered():
    names = tuple(f"space {i}" for i in range(6))
    ax = matrix(names).plot(kind="plane")
    assert len(crosses(ax)) == 15
    assert {str(number) for number in range(1, 16)} <= set(texts(ax))
    (key,) = ax.figure.legends
    assert key.get_texts()[0].get_text() == "1  space 0 | space 1"
    mine = plt.subplots()[1]
    matrix(names).plot(mine, kind="plane")
    assert not mine.figure.legends  # a figure that is not ours gets no legend of its own
    assert len(legend(mine)) == 15


def test_plane_labels_do_not_overlap():
    results = [pair(a_to_b=0.5 + 0.01 * i, b_to_a=0.5) for i in range(5)]
    ax = maps.plot_plane(results, labels=[f"result {i}" for i in range(5)])
    ax.figure.draw_without_rendering()
    boxes = [super(type(t), t).get_window_extent() for t in ax.texts if t.get_text().startswith("result")]
    assert len(boxes) == 5
    assert not any(a.overlaps(b) for i, a in enumerate(boxes) for b in boxes[i + 1 :])


def test_plane_removes_the_floors_of_labels():
    labelled = pair(a_to_b=0.4, a_to_b_floor=0.34, b_to_a_floor=0.34)
    ax = labelled.plot()
    assert "(floor removed)" in ax.get_xlabel()
    (cross,) = crosses(ax)
    expected = [labelled.a_to_b_normalized, labelled.b_to_a_normalized, 0.02 / 0.66, 0.04 / 0.66]
    assert np.ravel(cross) == pytest.approx(expected)
    (cross,) = crosses(labelled.plot(normalized=False))
    assert np.ravel(cross)[:2] == pytest.approx([0.4, 0.55])


def test_plane_withholds_unreliable_errors():
    ax = pair(n_correlation_times=6.0).plot()
    (cross,) = crosses(ax)
    assert len(cross) == 2  # a point without bars
    assert "too short" in ax.get_title(loc="left")
    line = next(line for line in ax.lines if line.get_marker() == "o")
    assert line.get_markerfacecolor() == "white"


def test_plane_shows_values_above_one():
    ax = pair(a_to_b=1.2, b_to_a=1.1).plot()
    assert ax.get_xlim()[1] > 1.22


def test_plane_needs_something_to_draw():
    with pytest.raises(ParameterError, match="no pair"):
        maps.plot_plane([])
    with pytest.raises(ParameterError, match="no pair"):
        matrix(("x", "y"), ("s", "t")).plot(kind="plane")
    with pytest.raises(ParameterError, match="2 labels for 1 pair"):
        maps.plot_plane([pair()], labels=["a", "b"])
    with pytest.raises(ParameterError, match="style must be one of"):
        pair().plot(style="poster")
    maps.plot_plane([pair(), pair(a_to_b=math.nan)])  # what has no value is left out


# ------------------------------------------------------------------------------------------------------------ heat map
@pytest.mark.parametrize("style", STYLES)
def test_heatmap_shows_values_and_errors(style):
    source = matrix()
    ax = source.plot(style=style)
    shown = ax.images[0].get_array()
    own = np.eye(3, dtype=bool)
    assert np.array_equal(np.ma.getmaskarray(shown), own)
    assert np.array_equal(shown[~own].data, source.values[~own])
    assert len(ax.texts) == 6
    assert "0.325\n± 0.020" in texts(ax)
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("B: the space that is predicted", "A: the space that predicts")
    assert [label.get_text() for label in ax.get_yticklabels()] == ["x", "y", "z"]
    assert ax.images[0].colorbar.ax.get_ylabel() == "Δ(A → B): 0 = A predicts B,\n1 = A says nothing about B"


def test_heatmap_without_errors_and_with_tests():
    p = np.full((3, 3), 0.01)
    p[0, 2] = 0.4
    ax = matrix(p_values=p).plot(errors=False)
    assert "0.325\nn.s." in texts(ax) and "0.662" in texts(ax)
    assert not any("±" in text for text in texts(matrix(n_correlation_times=4.0).plot()))


def test_heatmap_names_the_floors_of_labels():
    ax = matrix(("x", "y"), ("s", "kind"), floors=np.array([[0.01, 0.34]])).plot()
    assert [label.get_text() for label in ax.get_xticklabels()] == ["s", "kind (≥ 0.34)"]


def test_heatmap_can_be_clustered():
    values = np.full((4, 4), 0.9)
    values[np.ix_([0, 2], [0, 2])] = values[np.ix_([1, 3], [1, 3])] = 0.1
    source = replace(matrix(("a", "b", "c", "d")), values=values)
    names = [label.get_text() for label in source.plot(order="clustered").get_yticklabels()]
    assert {frozenset(names[:2]), frozenset(names[2:])} == {frozenset("ac"), frozenset("bd")}
    ax = matrix(("x", "y", "z"), ("s", "t")).plot(order="clustered")
    assert ax.images[0].get_array().shape == (3, 2)
    matrix(("x",), ("s", "t")).plot(order="clustered")
    with pytest.raises(ParameterError, match="order must be one of"):
        source.plot(order="random")


def test_heatmap_leaves_out_numbers_that_do_not_fit():
    names = tuple(f"s{i}" for i in range(60))
    assert texts(matrix(names).plot(style="paper")) == []


# --------------------------------------------------------------------------------------------------------- other kinds
@pytest.mark.parametrize("style", STYLES)
def test_scale_curve(style):
    ax = CURVE.plot(style=style)
    forth, back, floor = ax.lines[:3]
    assert np.array_equal(forth.get_xdata(), CURVE.k / 200)
    assert np.array_equal(forth.get_ydata(), CURVE.a_to_b)
    assert np.array_equal(back.get_ydata(), CURVE.b_to_a)
    assert np.array_equal(floor.get_ydata(), (CURVE.k + 1) / 200)
    assert len(ax.collections) == 2  # the bands
    band = ax.collections[0].get_paths()[0].vertices
    assert (band[:, 1].min(), band[:, 1].max()) == pytest.approx((0.07, 0.21))
    assert "k/N" in ax.get_xlabel() and "0 = predicts, 1 = says nothing" in ax.get_ylabel()
    assert legend(ax) == ["Δ(A → B)", "Δ(B → A)", "smallest attainable", "says nothing"]
    assert ax.get_xscale() == "log"
    assert not replace(CURVE, n_correlation_times=3.0).plot().collections


@pytest.mark.parametrize("style", STYLES)
def test_rank_histogram(style):
    result = pair()
    ax = result.plot(kind="ranks", style=style, bins=10)
    assert ax.get_xlabel() == "rescaled rank: 0 = nearest, 1 = farthest"
    drawn = [patch.get_data() for patch in ax.patches]
    assert len(drawn) == 4  # a filling and an outline each
    heights, edges, _ = drawn[0]
    assert np.array_equal(heights, np.histogram(result.a_to_b_ranks, np.linspace(0, 1, 11), density=True)[0])
    assert np.sum(heights * np.diff(edges)) == pytest.approx(1)
    assert legend(ax) == ["neighbours in A, ranked in B", "neighbours in B, ranked in A", "independence"]


def test_rank_histogram_weights_and_scale():
    spike = np.full(300, 0.01)
    ax = pair(a_to_b_ranks=spike).plot(kind="ranks")
    assert ax.get_yscale() == "log"
    assert pair(a_to_b_ranks=spike).plot(kind="ranks", log=False).get_yscale() == "linear"
    two = pair(a_to_b_ranks=np.array([0.1, 0.9]), a_to_b_rank_weights=np.array([3.0, 1.0]), b_to_a_ranks=None)
    heights = two.plot(kind="ranks", bins=2).patches[0].get_data()[0]
    assert heights == pytest.approx([1.5, 0.5])
    with pytest.raises(ParameterError, match="no ranks"):
        pair(a_to_b_ranks=None, b_to_a_ranks=None).plot(kind="ranks")


@pytest.mark.parametrize("style", STYLES)
def test_lag_profile(style):
    result = pair()
    ax = result.plot(kind="lags", style=style, unit="ps")
    lower = next(other for other in ax.figure.axes if other.get_label() == "mean value")
    bars = [bar.get_height() for container in ax.containers for bar in container]
    assert bars == result.lag_profile["a_to_b_share"] + result.lag_profile["b_to_a_share"]
    assert list(ax.lines[0].get_ydata()) == result.lag_profile["chance"]
    assert np.array_equal(lower.lines[0].get_ydata(), result.lag_profile["a_to_b_mean"], equal_nan=True)
    assert lower.get_xlabel() == "lag in time (ps)"
    assert [label.get_text() for label in lower.get_xticklabels()] == ["1–2", "3–5", "6–10", "other runs"]
    assert texts(lower) == ["excluded: lag ≤ 5"]
    assert lower.lines[-1].get_xdata()[0] == 1.5  # right of the second bin, whose end is the window
    assert legend(ax) == ["chance", "Δ(A → B)", "Δ(B → A)"]
    assert texts(next(iter(pair(exclusion_window=0.0).plot(kind="lags").figure.axes[1:]))) == []
    with pytest.raises(ParameterError, match="time="):
        pair(lag_profile=None).plot(kind="lags")


@pytest.mark.parametrize(("step", "window", "end"), [(0.01, 0.05, 1.5), (10.0, 50.0, 1.5), (1.0, 4.0, 0.5 + 2 / 3)])
def test_window_is_marked_in_any_unit(step, window, end):
    result = pair(exclusion_window=window)
    profile = result.lag_profile
    scaled = {name: step * np.asarray(profile[name]) for name in ("lag_min", "lag_max")}
    ax = replace(result, lag_profile=profile | scaled).plot(kind="lags")
    assert ax.lines[-1].get_xdata()[0] == pytest.approx(end)


def test_window_before_the_first_bin_is_named():
    profile = {name: values[2:] for name, values in pair().lag_profile.items()}  # nothing is left inside the window
    lower = pair(lag_profile=profile).plot(kind="lags").figure.axes[1]
    lower.figure.draw_without_rendering()
    (note,) = lower.texts
    box = note.get_window_extent()
    assert note.get_text() == "excluded: lag ≤ 5" and box.x0 > lower.bbox.x0 and box.x1 < lower.bbox.x1


def test_lag_profile_without_a_grid():
    figure = plt.figure()
    ax = pair().plot(figure.add_axes((0.1, 0.1, 0.8, 0.8)), kind="lags")
    upper, lower = (axes.get_position() for axes in figure.axes)
    assert ax is figure.axes[0]
    assert upper.y0 > lower.y1 and lower.y0 == pytest.approx(0.1)


@pytest.mark.parametrize("style", STYLES)
def test_runs(style):
    ax = pair().plot(kind="runs", style=style)
    forth, back = crosses(ax)
    assert np.array_equal(forth[1], [0.1, 0.2]) and np.array_equal(back[1], [0.6, 0.5])
    assert forth[2] == pytest.approx([0.02, 0.03]) and back[2] == pytest.approx([0.05, 0.04])
    assert [label.get_text() for label in ax.get_xticklabels()] == ["first", "second"]
    assert {line.get_ydata()[0] for line in ax.lines if len(line.get_ydata()) == 2} >= {0.15, 0.55}
    with pytest.raises(ParameterError, match="run="):
        pair(run_values=None).plot(kind="runs")


@pytest.mark.parametrize("style", STYLES)
def test_weights(style):
    ax = pair().plot(kind="weights", style=style)
    x, y = ax.lines[0].get_data()
    assert len(x) == 301 and y[-1] == pytest.approx(1.0)
    assert y[150] == pytest.approx(0.75)  # the heavier half
    assert "effective rows: 240 of 300" in legend(ax)  # 600^2 / 1500
    assert ax.lines[2].get_xdata()[0] == pytest.approx(0.8)
    with pytest.raises(ParameterError, match="weigh the same"):
        pair(row_weights=None).plot(kind="weights")


@pytest.mark.parametrize("style", STYLES)
def test_difference(style):
    ax = DIFFERENCE.plot(style=style)
    first, second = crosses(ax)
    assert np.ravel(first) == pytest.approx([0.4, 1, 0.02]) and np.ravel(second) == pytest.approx([0.6, 0, 0.03])
    assert "0 = predicts species, 1 = says nothing" in ax.get_xlabel()
    assert ax.get_title(loc="left") == "shape - colour: -0.200 ± 0.025"
    assert any(line.get_xdata()[0] == 0.33 for line in ax.lines)


# -------------------------------------------------------------------------------------------------------------- figures
@pytest.mark.parametrize("kind", ["plane", "ranks", "lags", "runs", "weights"])
def test_axes_are_used_and_returned(kind):
    figure, (left, right) = plt.subplots(1, 2, layout="constrained")
    ax = pair().plot(right, kind=kind)
    assert isinstance(ax, Axes) and ax is right
    assert not left.has_data()
    assert len(plt.get_fignums()) == 1


@pytest.mark.parametrize("result", [pair(), matrix(), CURVE, DIFFERENCE])
def test_paper_figures_fit_a_column(result, tmp_path):
    before = dict(plt.rcParams)
    ax = result.plot(style="paper")
    assert ax.figure.get_figwidth() == 3.35
    ax.figure.savefig(tmp_path / "figure.pdf")
    sizes = [text.get_fontsize() for text in ax.findobj(plt.Text) if text.get_text()]
    assert max(sizes) <= 7.0
    assert dict(plt.rcParams) == before
