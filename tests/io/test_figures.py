"""Figures for a paper: the size of a column, letters that stay letters, and beside them the numbers that were drawn."""

import math
import re
from dataclasses import replace

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from PIL import Image

from infoscope import imbalance_scale_curve
from infoscope.base import ParameterError
from infoscope.imbalance.results import ImbalanceDifference, ImbalanceMatrix, InformationImbalance, ScaleCurve
from infoscope.io import check_figure_path, save_figure
from infoscope.statistics import adjacency_test, correlation_time

SIZES = {"k": 1, "n_items": 300, "n_rows": 300}
random = np.random.default_rng(0)
PAIR = InformationImbalance(
    a_to_b=0.15, a_to_b_se=0.02, b_to_a=0.55, b_to_a_se=0.04, a_to_b_ranks=random.beta(0.6, 4, 300),
    b_to_a_ranks=random.uniform(size=300), b_to_a_rank_weights=random.uniform(size=300),
    lag_profile={
        "lag_min": [1, 3, 6], "lag_max": [2, 5, math.inf], "chance": [0.01, 0.02, 0.97],
        "a_to_b_share": [0.0, 0.01, 0.99], "a_to_b_mean": [math.nan, 0.7, 0.9],
        "b_to_a_share": [0.0, 0.02, 0.98], "b_to_a_mean": [math.nan, 0.8, 0.95],
    },
    run_values={
        "run": ["first", "second"], "n_rows": [100, 200], "a_to_b": [0.1, 0.2], "a_to_b_se": [0.02, 0.03],
        "b_to_a": [0.6, 0.5], "b_to_a_se": [0.05, 0.04],
    },
    row_weights=np.repeat([1.0, 3.0], 150), exclusion_window=5.0, **SIZES,
)  # fmt: skip
VALUES = np.array([[0.0, 0.1, 0.9], [0.6, 0.0, 0.8], [0.95, 0.2, 0.0]])
MATRIX = ImbalanceMatrix(
    names=("x", "y", "z"), target_names=("x", "y", "z"), values=VALUES, values_se=VALUES / 10 + 0.01,
    p_values=VALUES / 2, p_values_adjusted=VALUES, **SIZES,
)  # fmt: skip
CURVE = ScaleCurve(
    a_to_b=np.array([0.1, 0.15, 0.2]), a_to_b_se=np.array([0.03, 0.02, 0.01]), b_to_a=np.array([0.6, 0.65, 0.7]),
    b_to_a_se=np.array([0.03, 0.02, 0.01]), **(SIZES | {"k": np.array([1, 4, 16])}),
)  # fmt: skip
DIFFERENCE = ImbalanceDifference(
    name_a="shape", name_b="colour", name_target="species", a_to_target=0.4, a_to_target_se=0.02, b_to_target=0.6,
    b_to_target_se=0.03, difference=-0.2, difference_se=0.025, target_floor=0.33, **SIZES,
)  # fmt: skip
KINDS = [
    *((PAIR, {"kind": kind}) for kind in ("plane", "ranks", "lags", "runs", "weights")),
    *((MATRIX, {"kind": kind}) for kind in ("heatmap", "plane")),
    *((CURVE, {}), (DIFFERENCE, {})),
]


def table(path):
    return pd.read_csv(path.with_suffix(".csv"), comment="#")


@pytest.mark.parametrize(("result", "options"), KINDS)
def test_every_plot_is_one_column_wide_and_has_its_numbers(tmp_path, result, options):
    path = save_figure(result, tmp_path / "a.png", **options)
    with Image.open(path) as image:
        width = image.size[0] / 600
    assert abs(width - 3.35) < 0.01  # inches; a pixel of rounding
    assert sorted(file.name for file in tmp_path.iterdir()) == ["a.csv", "a.png"]
    lines = path.with_suffix(".csv").read_text(encoding="utf-8").splitlines()
    assert lines[0].startswith("# infoscope plotted data: ") and len(table(path)) == len(lines) - 2
    assert not plt.get_fignums()


def test_pdf_and_svg_keep_lines_and_letters(tmp_path):
    pdf = save_figure(CURVE, tmp_path / "a.pdf").read_bytes()
    box = re.search(rb"/MediaBox \[ 0 0 ([\d.]+)", pdf)
    assert float(box[1]) == pytest.approx(3.35 * 72) and b"/Type3" not in pdf and b"/Subtype /Image" not in pdf
    svg = save_figure(CURVE, tmp_path / "b.svg").read_text()
    assert "<text" in svg and "smallest attainable" in svg and "<image" not in svg


# --------------------------------------------------------------------- the table against what matplotlib holds
def test_numbers_of_the_plane(tmp_path):
    rows = table(save_figure(MATRIX, tmp_path / "a.png", kind="plane"))
    drawn = []
    for bars in MATRIX.plot(kind="plane", style="paper").containers:
        (x,), (y,) = bars[0].get_data()
        width, height = (np.ptp(line.get_segments()[0], axis=0)[axis] / 2 for axis, line in enumerate(bars[2]))
        drawn.append((x, width, y, height))
    np.testing.assert_allclose(rows[["a_to_b", "a_to_b_se", "b_to_a", "b_to_a_se"]], drawn, rtol=1e-12)  # rounding
    assert rows[["name_a", "name_b"]].values.tolist() == [["x", "y"], ["x", "z"], ["y", "z"]]
    lifted = replace(MATRIX, floors=0.1)
    drawn = [bars[0].get_xdata()[0] for bars in lifted.plot(kind="plane").containers]
    np.testing.assert_allclose(lifted.plot_data(kind="plane")["a_to_b"], drawn, rtol=1e-12)
    np.testing.assert_allclose(drawn, (VALUES[[0, 0, 1], [1, 2, 2]] - 0.1) / 0.9, rtol=1e-12)
    plain = lifted.plot_data(kind="plane", normalized=False)
    assert plain["a_to_b"].tolist() == [0.1, 0.9, 0.8] and not plain["floor_removed"].any()


def test_numbers_of_the_ranks():
    rows, ax = PAIR.plot_data(kind="ranks", bins=8), PAIR.plot(kind="ranks", bins=8)
    steps = [patch.get_data() for patch in ax.patches if patch.get_fill() is False or not patch.get_fill()]
    np.testing.assert_array_equal(steps[0].values, rows["a_to_b_density"])
    np.testing.assert_array_equal(steps[1].values, rows["b_to_a_density"])
    np.testing.assert_array_equal(steps[0].edges, [*rows["rank_low"], 1.0])
    weights = PAIR.b_to_a_rank_weights  # by hand: share of the weight in a bin, over its width
    share = weights[PAIR.b_to_a_ranks < 1 / 8].sum() / weights.sum()
    assert rows["b_to_a_density"][0] == pytest.approx(8 * share, rel=1e-12)


def test_numbers_of_lags_runs_and_weights():
    rows = PAIR.plot_data(kind="lags")
    upper = PAIR.plot(kind="lags")
    heights = [bar.get_height() for bar in upper.containers[0]]
    assert rows["a_to_b_share"].tolist() == heights and rows["chance"].tolist() == [0.01, 0.02, 0.97]
    assert (rows["exclusion_window"] == 5.0).all()
    runs = PAIR.plot_data(kind="runs")
    first = PAIR.plot(kind="runs").containers[0]
    assert runs["a_to_b"].tolist() == [*first[0].get_ydata(), 0.15] and runs["run"].tolist()[-1] == "all runs"
    assert runs["b_to_a_se"].tolist() == [0.05, 0.04, 0.04]
    weights, line = PAIR.plot_data(kind="weights"), PAIR.plot(kind="weights").lines[0]
    np.testing.assert_array_equal(weights, line.get_xydata())
    assert weights["share_of_weight"][150] == pytest.approx(0.75)


def test_numbers_of_the_heat_map(tmp_path):
    rows = table(save_figure(MATRIX, tmp_path / "a.png", order="clustered"))
    shown = MATRIX.plot(order="clustered").images[0].get_array()
    assert rows["a_to_b"].tolist() == shown.compressed().tolist()
    assert rows["a_to_b_p_adjusted"].tolist() == rows["a_to_b"].tolist()
    assert {(row.name_a, row.name_b): row.a_to_b for row in rows.itertuples()}["z", "y"] == 0.2


def test_numbers_of_the_curve_and_of_a_difference():
    rows, ax = CURVE.plot_data(), CURVE.plot()
    np.testing.assert_array_equal(rows[["share", "b_to_a"]], ax.lines[1].get_xydata())
    np.testing.assert_array_equal(rows["a_to_b_floor"], ax.lines[2].get_ydata())
    assert rows["a_to_b_se"].tolist() == [0.03, 0.02, 0.01]
    rows = DIFFERENCE.plot_data()
    drawn = [bars[0].get_xdata()[0] for bars in DIFFERENCE.plot().containers]
    assert rows["value"].tolist() == [*drawn, -0.2] and rows["value_se"].tolist() == [0.02, 0.03, 0.025]


@pytest.mark.parametrize(("result", "options"), KINDS)
def test_errors_that_are_not_drawn_are_missing(result, options):
    if options.get("kind") == "runs":
        return  # each run has its own error
    short = replace(result, n_independent=5.0)
    assert short.interval_withheld
    columns = [name for name in short.plot_data(**options) if name.endswith("_se")]
    assert short.plot_data(**options)[columns].isna().all(axis=None)


def test_digits_are_whole(tmp_path):
    x = np.random.default_rng(0).normal(size=(60, 3))
    curve = imbalance_scale_curve(x, x[:, :2])
    rows = pd.read_csv(
        save_figure(curve, tmp_path / "a.svg").with_suffix(".csv"), comment="#", float_precision="round_trip"
    )
    np.testing.assert_array_equal(rows["a_to_b_se"], curve.a_to_b_se)


# --------------------------------------------------------------------------------------------------- bad input
def test_data_are_not_overwritten(tmp_path):
    (tmp_path / "cells.csv").write_text("a,b\n1,2\n")
    with pytest.raises(ParameterError, match=r"cells.csv exists and holds something else .* than cells.pdf"):
        save_figure(CURVE, tmp_path / "cells.pdf")
    assert [file.name for file in tmp_path.iterdir()] == ["cells.csv"]
    save_figure(CURVE, tmp_path / "a.pdf")
    save_figure(DIFFERENCE, tmp_path / "a.pdf")  # what we wrote may be replaced
    assert len(table(tmp_path / "a.pdf")) == 3


@pytest.mark.parametrize(
    ("name", "message"), [("a.jpg", "not as '.jpg'"), ("a", "not as 'a'"), ("no/a.pdf", "no folder")]
)
def test_where_figures_cannot_go(tmp_path, name, message):
    with pytest.raises(ParameterError, match=message):
        check_figure_path(tmp_path / name)


def test_other_results_are_drawn_too(tmp_path):
    found = correlation_time(np.random.default_rng(0).normal(size=(50, 3)))
    path = save_figure(found, tmp_path / "times.png")
    with Image.open(path) as image:
        assert image.size[0] == 2010
    heights = [bar.get_height() for bar in found.plot().patches]
    np.testing.assert_allclose(table(path)["correlation_time"], heights, rtol=1e-12)  # read back by another parser


def test_what_cannot_be_drawn(tmp_path):
    with pytest.raises(TypeError, match="OrderTest has no picture"):
        save_figure(adjacency_test(np.arange(80), np.roll(np.arange(80), 1), 80), tmp_path / "a.pdf")
    with pytest.raises(ParameterError, match="style"):
        save_figure(CURVE, tmp_path / "a.pdf", style="poster")
    bare = InformationImbalance(a_to_b=0.1, a_to_b_se=0.1, b_to_a=0.1, b_to_a_se=0.1, **SIZES)
    for kind in ("ranks", "lags", "runs", "weights"):
        with pytest.raises(ParameterError):
            save_figure(bare, tmp_path / "a.pdf", kind=kind)
    with pytest.raises(ParameterError, match="kind"):
        save_figure(bare, tmp_path / "a.pdf", kind="pie")
    assert not list(tmp_path.iterdir()) and not plt.get_fignums()
