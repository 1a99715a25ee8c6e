"""Names of columns and data sets are drawn as they are written, in every picture."""

import warnings

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

import infoscope
from infoscope.anomalies import DensityAnomaly, compare_many
from infoscope.base import Result
from infoscope.causality import CommunityCausalGraph
from infoscope.density import DensityPeaks, PAk
from infoscope.dimension import BinaryCurve, BinaryID, Gride, TwoNN, scan_alpha
from infoscope.imbalance.selection.feature_selection import select_features_imbalance

NAMES = ("a$_{b$", "c$x$", r"d\frac{1}{2}$", "_e", "$\\undefined", "f^{_$g$")  # no formulas, and some that are
X = np.random.default_rng(0).normal(size=(80, 6))
FRAME = pd.DataFrame(X, columns=list(NAMES))


def results():
    """Results of every class that knows names, from data that are called so."""
    spaces = {name: FRAME[[name, other]] for name, other in zip(NAMES[:3], NAMES[3:], strict=True)}
    one, two, *_ = (infoscope.Space(frame.to_numpy(), name=name) for name, frame in spaces.items())
    far = pd.DataFrame(np.r_[X[40:], X[40:] / 10 + 3], columns=list(NAMES))
    peaks = DensityPeaks(0.5, density=PAk(dimension=3, max_neighbors=20)).fit(FRAME)
    fit = infoscope.DifferentiableImbalance(n_resamples=3, random_state=0).fit(FRAME, X[:, :2])
    bits = [BinaryID(alpha_max=0.9).fit(np.random.default_rng(n).random((90, 40)) < 0.5).result_ for n in (1, 2)]
    yield infoscope.information_imbalance(one, two)
    yield infoscope.imbalance_matrix(spaces)
    yield infoscope.imbalance_scale_curve(one, two, k=(1, 4, 16))
    yield infoscope.compare_imbalances(one, two, X)
    yield fit.result_
    yield select_features_imbalance(FRAME, X[:, :2], max_features=2, random_state=0)
    yield from (TwoNN().fit(FRAME).result_, Gride(max_rank=8).fit(FRAME).result_, peaks.result_, peaks.density_.result_)
    yield from (peaks.scan(), peaks.decision_graph(), DensityAnomaly().fit(FRAME[:40], far).result_)
    yield compare_many({name: X[:40] + n for n, name in enumerate(NAMES[:2])}, X[40:])
    yield BinaryCurve.of([1.0, 2.0], bits, against=NAMES[0])
    yield scan_alpha(np.random.default_rng(1).random((90, 40)) < 0.5, (0.4, 0.8))
    yield infoscope.correlation_time(FRAME)
    yield CommunityCausalGraph(n_epochs=5, random_state=0).fit(FRAME).result_


@pytest.fixture(scope="module")
def every():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", infoscope.base.InfoscopeWarning)
        return list(results())


def texts_of(figure):
    figure.canvas.draw()
    return [text for text in figure.findobj(plt.Text) if text.get_visible() and text.get_text()]


def test_every_picture_draws_names_as_they_are_written(every, tmp_path):
    named = set()
    for result in every:
        for kind in result.pictures():
            try:
                axes = result.plot(kind=kind)
            except (infoscope.base.ParameterError, TypeError):  # of a kind that needs more to be said
                continue
            for text in texts_of(axes.figure):  # would raise at a formula that is none
                known = [name for name in NAMES if name in text.get_text()]
                named.update(known)
                assert not known or not text.get_parse_math(), (type(result).__name__, kind, text.get_text())
            axes.figure.savefig(tmp_path / "a.svg")
            plt.close(axes.figure)
    assert named >= set(NAMES[:4])


def test_letters_of_a_formula_are_in_the_picture(every, tmp_path):
    """In an SVG with text as text, the name stands as it is written."""
    with plt.rc_context({"svg.fonttype": "none"}):
        every[0].plot().figure.savefig(tmp_path / "a.svg")
    assert "a$_{b$" in (tmp_path / "a.svg").read_text()


def test_powers_of_ten_are_still_powers(every):
    scan = next(one for one in every if type(one).__name__ == "ScaleCurve")
    axes = scan.plot()
    powers = [text for text in texts_of(axes.figure) if "mathdefault" in text.get_text()]
    assert all(text.get_parse_math() for text in powers)
    axes.set_xscale("log")
    powers = [text for text in texts_of(axes.figure) if "mathdefault" in text.get_text()]
    assert all(text.get_parse_math() for text in powers)


def test_a_name_that_begins_with_a_line_is_in_the_legend():
    from infoscope.base.plot_style import look_of, set_legend

    axes = plt.subplots()[1]
    axes.plot([1, 2], label="_e")
    axes.plot([1, 2], label="f")
    axes.plot([2, 1])
    set_legend(axes, look_of("screen"))
    assert [text.get_text().strip() for text in axes.get_legend().get_texts()] == ["_e", "f"]


def test_what_the_user_draws_is_left_alone(every):
    axes = plt.subplots()[1]
    own = axes.set_title("$x^2$")
    every[0].plot(axes)
    assert own.get_parse_math() and plt.rcParams["text.parse_math"]
    assert isinstance(every[0], Result)
