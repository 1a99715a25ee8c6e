"""Every layer's numbers are those of the estimators, and right where they are known."""

import numpy as np
import pytest
from matplotlib import pyplot

from infoscope import BinaryID, Gride, TwoNN, effective_number
from infoscope.base import DataError, ParameterError
from infoscope.representations import Center, SignBits, compare_layers, layer_profile, semantic_layers

DIMENSIONS = (2, 6, 4)
# signs of points of few dimensions do not follow the law of bits
pytestmark = pytest.mark.filterwarnings("ignore::infoscope.base.errors.DataWarning")


@pytest.fixture(scope="module")
def layers():
    g = np.random.default_rng(0)
    planes = [np.linalg.qr(g.normal(size=(24, d)))[0] for d in DIMENSIONS]
    return {f"block {i}": g.normal(size=(500, plane.shape[1])) @ plane.T for i, plane in enumerate(planes)}


@pytest.fixture(scope="module")
def found(layers):
    against = compare_layers(layers, {"top": layers["block 2"]}, measures="imbalance", n_permutations=19)
    return layer_profile(layers, comparison=against, max_rank=16)


def test_known_dimensions(found):
    """Normal points on planes of 2, 6 and 4 dimensions: within 4 errors, and 10 % for the curvature of the density."""
    for i, d in enumerate(DIMENSIONS):
        assert abs(found.two_nn[i] - d) < 4 * found.two_nn_se[i] + 0.1 * d
        assert abs(found.gride[i, 1] - d) < 4 * found.gride_se[i, 1] + 0.1 * d
        assert found.effective_number[i] == pytest.approx(d, rel=0.05)  # directions of d dimensions
    assert found.verdict == "Intrinsic dimension is largest in block 1 (within two errors)."


def test_numbers_are_those_of_the_estimators(layers, found):
    for i, x in enumerate(layers.values()):
        two, scan = TwoNN().fit(x, exclusion_window=0).result_, Gride(16).fit(x, exclusion_window=0).result_
        bits, number = BinaryID(binarize="sign").fit(x), effective_number(x, order=2)
        assert (found.two_nn[i], found.two_nn_se[i]) == pytest.approx((two.dimension, two.dimension_se), rel=1e-9)
        assert found.two_nn_distance[i] == pytest.approx(two.distance, rel=1e-9)
        np.testing.assert_allclose(found.gride[i], scan.dimension, rtol=1e-9)
        np.testing.assert_allclose(found.gride_se[i], scan.dimension_se, rtol=1e-9)
        assert (found.signs[i], found.signs_se[i]) == pytest.approx((bits.dimension_, bits.dimension_se_), rel=1e-9)
        assert found.effective_number[i] == pytest.approx(number.value, rel=1e-9)
        assert found.effective_number_se[i] == pytest.approx(number.value_se, rel=1e-9)


def test_the_comparison_stands_on_the_same_axis(layers, found):
    assert found.imbalance.shape == (2, 3) and found.imbalance[0, 2] == pytest.approx(2 / 500)
    curve = semantic_layers(layers, list(layers.values()), random_state=0)
    again = layer_profile(layers, measures="effective_number", comparison=curve)
    np.testing.assert_array_equal(again.imbalance[0], curve.a_to_b)
    assert again.two_nn is None and list(again.pictures()) == ["richness", "depth"]
    assert len(found.to_frame()) == 3 and {"gride_2", "a_to_b_se", "signs"} <= set(found.to_frame().columns)
    panels = found.plot(kind="depth").figure.axes
    assert len(panels) == 5 and panels[0].get_ylabel() == "imbalance"
    pairs = compare_layers(layers, list(layers.values()), measures="imbalance", n_permutations=19, random_state=0)
    best = layer_profile(layers, measures="effective_number", comparison=pairs)
    assert best.plot(kind="depth").get_title() == "best partner, chosen on the same items"
    for one in (found, again):  # one layer stood beside each
        assert one.plot(kind="depth").get_title() == ""
    assert [text.get_text() for text in panels[-1].get_xticklabels()] == list(layers)
    with pytest.raises(ParameterError, match="figure of its own"):
        found.plot(pyplot.figure().add_subplot(), kind="depth")


def test_complaints_have_the_name_of_the_layer(found):
    assert found.warnings[0].startswith("block 0, signs: the law does not describe the histogram")


def test_what_makes_no_sense_is_said(layers):
    for change, said in (
        (dict(measures="size"), "measures"),
        (dict(measures=()), "name at least one"),
        (dict(comparison=3), "comparison is int"),
        (dict(comparison=compare_layers([layers["block 0"]], [layers["block 1"]], n_permutations=19)), "other layers"),
        (dict(metric="hamming"), "metric"),
        (dict(layers=[np.random.default_rng(0).normal(size=(4, 3))], measures="gride"), "layer 0, gride"),
        (dict(preprocess=[Center(), SignBits()]), "say metric='hamming'"),
    ):
        given = dict(layers=layers) | change
        with pytest.raises((DataError, ParameterError), match=said):
            layer_profile(given.pop("layers"), **given)
