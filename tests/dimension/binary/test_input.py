"""What counts as bits, and what is said of everything else: each row of the list of edge cases."""

import numpy as np
import pandas as pd
import pytest

from infoscope.base import DataError, ParameterError
from infoscope.dimension import (
    BinaryID,
    HammingHistogram,
    binarize,
    hamming_histogram,
    local_dimension,
    pack_bits,
    prefix_curve,
    scan_alpha,
    select_alpha,
)
from infoscope.neighbors import Space, tensors


def coins(n=200, d=60, seed=0):
    return np.random.default_rng(seed).random((n, d)) < 0.5


def forms(x):
    """One set of bits in every form, and what it is called."""
    torch, dask = pytest.importorskip("torch"), pytest.importorskip("dask.array")
    n_bits = {"n_bits": x.shape[1]}
    return [
        (x, {}, "False and True"),
        (x.astype(int), {}, "0 and 1"),
        (2 * x.astype(np.int8) - 1, {}, "-1 and 1"),
        (x * 3.0 + 2, {}, "2 and 5"),
        (x.astype(int).tolist(), {}, "0 and 1"),
        (pd.DataFrame(x.astype(int)), {}, "0 and 1"),
        (np.packbits(x, axis=1), n_bits, "packed bits"),
        (Space.from_bits(np.packbits(x, axis=1), n_bits=x.shape[1]), {}, "packed bits"),
        (pack_bits(x), {}, "packed bits"),
        (Space(x, metric="hamming"), {}, "0 and 1"),
        ([x[:50], x[50:]], {}, "False and True"),
        (torch.tensor(x), {}, "False and True"),
        (torch.tensor(2.0 * x - 1), {}, "-1 and 1"),
        (dask.from_array(x.astype(np.int8), chunks=(70, 25)), {}, "0 and 1"),
        (dask.from_array(x, chunks=(70, 60)), {}, "False and True"),
    ]


@pytest.mark.parametrize("kernels_on_cpu", [True, False])
def test_every_form_of_bits(monkeypatch, kernels_on_cpu):
    monkeypatch.setattr(tensors, "KERNELS_ON_CPU", kernels_on_cpu)  # False: tensors as on a device
    x = coins()
    x[:, 5] = True
    plain = BinaryID().fit(x)
    for data, options, coding in forms(x):
        found = BinaryID().fit(data, **options)
        np.testing.assert_array_equal(found.histogram_.counts, plain.histogram_.counts)
        assert found.result_.coding == coding and found.result_.n_varying == 59
        assert found.result_.d0_se == pytest.approx(plain.result_.d0_se, rel=1e-9)


@pytest.mark.parametrize("kernels_on_cpu", [True, False])
def test_states_in_every_form(monkeypatch, kernels_on_cpu):
    torch, dask = pytest.importorskip("torch"), pytest.importorskip("dask.array")
    monkeypatch.setattr(tensors, "KERNELS_ON_CPU", kernels_on_cpu)
    x = np.random.default_rng(1).integers(0, 5, (150, 40))
    x[:, 3] = 2
    d = (x[:, None] != x).sum(-1)[np.triu_indices(150, 1)]
    for data in (x, x.astype(float), torch.tensor(x), dask.from_array(x, chunks=(60, 40))):
        found = hamming_histogram(data, q=5)
        np.testing.assert_array_equal(found.counts, np.bincount(d, minlength=41))
        assert found.coding == "states 0 to 4" and found.n_varying == 39


@pytest.mark.parametrize("kernels_on_cpu", [True, False])
@pytest.mark.parametrize("rule", ["sign", "median", "two_bit", 0.3, np.linspace(-1, 1, 60)])
def test_rules_in_every_form(monkeypatch, kernels_on_cpu, rule):
    torch, dask = pytest.importorskip("torch"), pytest.importorskip("dask.array")
    monkeypatch.setattr(tensors, "KERNELS_ON_CPU", kernels_on_cpu)
    x = np.random.default_rng(2).normal(size=(120, 60))
    x[0, :3] = 0
    expected = hamming_histogram(binarize(x, rule)).counts
    for data in (x, pd.DataFrame(x), torch.tensor(x), dask.from_array(x, chunks=(50, 20))):
        if isinstance(rule, str) and rule == "median" and hasattr(data, "dask"):
            with pytest.raises(ParameterError, match="pass thresholds"):
                hamming_histogram(data, binarize=rule)
            continue
        np.testing.assert_array_equal(hamming_histogram(data, binarize=rule).counts, expected)


def test_rules_by_hand():
    x = np.array([[-2.0, 0.0], [0.0, 1.0], [4.0, 2.0]])
    assert binarize(x).tolist() == [[False, False], [False, True], [True, True]]
    assert binarize(x, "median").tolist() == [[False, False], [False, False], [True, True]]
    assert binarize(x, [3.0, 0.5]).tolist() == [[False, False], [False, True], [True, True]]
    mean, width = x.mean(), x.std()
    values = np.array([[mean - 2 * width, mean - width / 2, mean, mean + 2 * width]])
    shifted = values - values.mean()  # its own mean and deviation decide
    edges = [-shifted.std(), 0, shifted.std()]
    expected = [[bool(k & 2), bool(k & 1)] for k in np.searchsorted(edges, shifted[0])]
    assert binarize(shifted, "two_bit").reshape(4, 2).tolist() == expected


def test_packed_bits_are_a_space():
    x = coins()
    space = pack_bits(pd.DataFrame(x.astype(int)), name="coins")
    assert space.metric == "bits" and space.n_bits == 60 and space.name == "coins"
    d = (x[0] != x).sum(1)
    assert space.pair_distances([0] * 199, range(1, 200)).tolist() == d[1:].tolist()


def bad():
    x = coins().astype(float)
    missing, infinite, many = x.copy(), x.copy(), x.copy()
    missing[3, 4], infinite[7, 8], many[0, 0] = np.nan, np.inf, 0.5
    whole = x.astype(int)
    whole[0, 0] = 3
    return {
        "NaN": (missing, {}, "X holds NaN in row 3, column 4: bits have no missing values"),
        "infinite": (infinite, {}, "X holds an infinite number in row 7, column 8"),
        "three values": (many, {}, r"more than two values \(0, 0.5, 1\): say how numbers become bits, binarize='sign'"),
        "integers": (whole, {}, "more than two values .*states need q=4"),
        "bytes": (np.packbits(coins(), axis=1), {}, "more than two values .*packed bytes need n_bits="),
        "reals": (np.random.default_rng(0).normal(size=(50, 5)), {}, r"more than two values \(.*, \.\.\.\)"),
        "one dimension": (x[0], {}, "one-dimensional|has shape"),
        "three dimensions": (x.reshape(200, 6, 10), {}, "flatten all but the first"),
        "empty": (x[:0], {}, "empty"),
        "no column": (x[:, :0], {}, "empty"),
        "one item": (x[:1], {}, "there are 1 items: a distance needs two"),
        "text": (np.array([["a", "b"], ["c", "d"]]), {}, "has dtype"),
        "negative state": (whole - 1, {"q": 4}, "holds -1 in row .*; with q=4, states are 0 to 3"),
        "too large a state": (whole, {"q": 3}, "holds 3 in row 0, column 0; with q=3, states are 0 to 2"),
        "broken state": (many, {"q": 3}, "holds 0.5 in row 0, column 0; states are whole numbers"),
        "NaN with a rule": (missing, {"binarize": "sign"}, "NaN in row 3, column 4"),
    }


@pytest.mark.parametrize("name", bad())
def test_bad_data(name):
    data, options, message = bad()[name]
    with pytest.raises(DataError, match=message):
        BinaryID(**options).fit(data)


@pytest.mark.parametrize("name", ["NaN", "infinite", "three values", "integers", "broken state", "too large a state"])
@pytest.mark.parametrize("kind", ["torch", "dask"])
def test_bad_data_elsewhere(monkeypatch, name, kind):
    torch, dask = pytest.importorskip("torch"), pytest.importorskip("dask.array")
    monkeypatch.setattr(tensors, "KERNELS_ON_CPU", False)
    data, options, message = bad()[name]
    if "infinite" in name or "NaN" in name:
        message = "holds NaN or an infinite number in row [37], column [48]"
    message = message.split(" in row ")[0] if "state" in name else message
    data = torch.tensor(data) if kind == "torch" else dask.from_array(data, chunks=(60, 60))
    with pytest.raises(DataError, match=message):
        BinaryID(**options).fit(data)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"alpha_max": 0.0}, "0 <= alpha_min < alpha_max <= 1"),
        ({"alpha_max": 1.1}, "alpha_max=1.1"),
        ({"alpha_min": 0.5, "alpha_max": 0.4}, "alpha_min=0.5"),
        ({"alpha_max": "all"}, "must be a share between 0 and 1, or 'auto'"),
        ({"support": "all"}, "support must be one of 'lattice', 'observed'"),
        ({"error": "none"}, "error must be one of"),
        ({"on_fail": "ignore"}, "on_fail must be one of"),
        ({"q": 1}, "q must be at least 2"),
        ({"q": 3, "binarize": "sign"}, "leave out binarize"),
        ({"binarize": "mean"}, "it must be 'sign', 'median', 'two_bit', a threshold"),
        ({"binarize": [0.1, 0.2]}, "one for each of the 60 columns"),
        ({"binarize": np.nan}, "one finite threshold"),
        ({"block_length": 0}, "block_length must be at least 1"),
        ({"block_length": 100}, "leaves 2 blocks, too few"),
        ({"n_rows": 1}, "n_rows must be at least 2"),
        ({"n_groups": 2, "error": "jackknife"}, "n_groups must be at least 3"),
    ],
)
def test_bad_parameters(options, message):
    with pytest.raises(ParameterError, match=message):
        BinaryID(**options).fit(coins())


def test_bad_calls():
    x = coins()
    for call, message in (
        (lambda: BinaryID().fit(x, other=x[:, :50]), "X has 60 bits, Y has 50"),
        (lambda: BinaryID().fit(pack_bits(x), n_bits=60), "packed bits already"),
        (lambda: BinaryID().fit(np.packbits(x, axis=1), n_bits=65), "hold 64 bits"),
        (lambda: BinaryID().fit_histogram(x), "takes a HammingHistogram"),
        (lambda: hamming_histogram(x, x, n_groups=4), "leave out n_groups, or Y"),
        (lambda: hamming_histogram(x, n_groups=1), "n_groups must be at least 2"),
        (lambda: prefix_curve(x, [10, 10]), "boundaries must rise"),
        (lambda: prefix_curve(x, [10, 61]), "at most 60 columns"),
        (lambda: prefix_curve(x, [0.5]), "numbers of columns"),
        (lambda: HammingHistogram(counts=np.zeros(5), n_bits=4), "is there no pair"),
        (lambda: HammingHistogram(counts=np.ones(5), n_bits=3), "pairs at distance 4, but there are only 3 bits"),
        (lambda: HammingHistogram(counts=np.ones((5, 2)), n_bits=3), "one number for each distance"),
        (lambda: BinaryID(n_rows=100).fit(x).partial_fit(x), "leave out n_rows"),
    ):
        with pytest.raises((DataError, ParameterError), match=message):
            call()


# ------------------------------------------------------------------------------------------ never a number from nothing
@pytest.mark.parametrize(
    ("data", "options", "message"),
    [
        (coins(2), {}, "only 1 different distances .*too few or too much alike"),
        (coins(3), {}, "and 4 are needed to judge"),
        (np.repeat(np.eye(4), 20, 0), {"alpha_max": 0.5}, "only 1 different distances"),
        (np.r_[coins(2), np.zeros((60, 60), bool)], {}, "too few or too much alike"),
        (np.r_[coins(40), np.zeros((160, 60), bool)], {}, "smallest distance alone holds .*raise alpha_max"),
        (coins(), {"alpha_max": 1e-4}, "raise alpha_max, or use more items"),
    ],
)
def test_windows_with_too_few_distances(data, options, message):
    with pytest.raises(DataError, match=message):
        BinaryID(**options).fit(data)
    with pytest.warns(UserWarning, match=message.split(" .*")[0]):
        found = BinaryID(on_fail="warn", **options).fit(data)
    assert np.isnan(found.dimension_) and np.isnan(found.dimension_se_) and "No number" in str(found.result_)
    with pytest.raises(DataError):
        scan_alpha(data, (options.get("alpha_max", 0.4),))


def test_a_law_without_a_peak_gives_no_number():
    """Two peaks far apart in one window: the best line would be flat, its d0 below zero."""
    far = np.repeat(np.array([[0], [1]]), 100, 0).repeat(400, 1) ^ (np.random.default_rng(0).random((200, 400)) < 0.03)
    with pytest.raises(DataError, match="no law with a peak fits .*has a valley .*set alpha_max below 0.5"):
        BinaryID(alpha_max=0.9).fit(far)
    assert np.isnan(scan_alpha(far, (0.4, 0.9)).d0).tolist() == [False, True]


@pytest.mark.parametrize("value", [0, 1, 7])
def test_no_variability(value):
    x = np.full((30, 20), value)
    with pytest.warns(UserWarning, match="no variability: all items are alike"):
        found = BinaryID().fit(x)
    assert found.dimension_ == 0 and np.isnan(found.dimension_se_) and "nothing to count" in found.result_.verdict
    assert found.result_.plot() is not None
    with pytest.raises(DataError, match="no growth"):
        local_dimension(x)
    assert 0 < select_alpha(x) <= 1


def test_few_pairs_are_said():
    with pytest.warns(UserWarning, match="the window holds only .* pairs"):
        BinaryID().fit(coins(30))


def test_weights_that_differ_are_refused():
    space = Space(coins(), metric="hamming", sample_weight=np.arange(200) + 1.0)
    with pytest.raises(DataError, match="counts every item once: draw rows in proportion"):
        BinaryID().fit(space)


def test_inputs_stay_as_they_are():
    x = coins()
    before = x.copy()
    BinaryID().fit(x)
    binarize(x.astype(float))
    np.testing.assert_array_equal(x, before)
