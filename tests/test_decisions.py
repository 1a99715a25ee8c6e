"""One decision, one owner: the same input through every subpackage that takes the decision, and the answers compared.

The table "Who decides what" of docs/architecture.md lists them.
"""

import warnings

import numpy as np
import pytest

import infoscope
from infoscope import (
    ABIDE,
    BMTI,
    BinaryID,
    DensityAnomaly,
    DensityPeaks,
    DifferentiableImbalance,
    Gride,
    KNNDensity,
    KStarNN,
    PAk,
    Space,
    TwoNN,
    cauchy_schwarz,
    cauchy_schwarz_information,
    compare_checkpoints,
    compare_imbalances,
    compare_layers,
    density_curvature,
    diffusion_spectral_entropy,
    dii_forward,
    dii_path,
    dii_value_and_grad,
    drift_table,
    effective_number,
    frechet_distance,
    imbalance_matrix,
    information_imbalance,
    kl_divergence,
    matrix_entropy,
    mmd,
    mutual_information,
    nuclear_norm,
    pairwise_mutual_information,
    reliability,
    select_features_imbalance,
    sliced_wasserstein,
    stability_index,
)
from infoscope.base import CorrelatedRowsWarning, DataError
from infoscope.causality import imbalance_gain, sample_times, transfer_entropy
from infoscope.neighbors.correlation import series_correlation

QUIET = dict(exclusion_window=0)


def walk(n=400, d=3, rho=0.95, seed=0):
    """A series with the correlation time (1 + rho)/(1 - rho) rows."""
    g = np.random.default_rng(seed)
    x = np.empty((n, d))
    x[0] = g.normal(size=d)
    for t in range(1, n):
        x[t] = rho * x[t - 1] + np.sqrt(1 - rho**2) * g.normal(size=d)
    return x


# --------------------------------------------------------------------------------------------------- what a target is
def everybody(x, target):
    """The value of the first column alone, at weight one, towards the target, from whoever takes one."""
    one = x[:, :1] / x[:, 0].std()
    fit = DifferentiableImbalance(5, n_jobs=1, **QUIET).fit(one, target)
    return {
        "fit": fit.dii_,
        "forward": dii_forward(one, target, 1, k=5, **QUIET).value[0],
        "path": dii_path(one, target, k=5, **QUIET).value[0],
        "value": dii_value_and_grad(one, target, [1.0], k=5)[0],
    }


@pytest.mark.parametrize("kind", ["integers", "text", "booleans", "floats", "distances"])
def test_a_target_is_the_same_for_everyone(kind):
    g = np.random.default_rng(0)
    x = g.normal(size=(120, 2))
    code = np.digitize(x[:, 0], [-0.5, 0.5])
    away = np.abs(x[:, :1] - x[:, 0])
    target, meant = {
        "integers": (code, Space.from_labels(code)),
        "text": (np.array(["a", "b", "c"])[code], Space.from_labels(code)),
        "booleans": (code > 0, Space.from_labels(code > 0)),
        "floats": (code.astype(float), Space(code[:, None].astype(float))),
        "distances": (away, Space.from_distances(away)),
    }[kind]
    found, expected = everybody(x, target), everybody(x, meant)
    np.testing.assert_allclose(list(found.values()), list(expected.values()), rtol=1e-12)
    np.testing.assert_allclose(list(found.values()), found["value"], rtol=1e-6)  # at one weight, all are one number
    plain = information_imbalance(x[:, :1], meant, k=5, **QUIET)
    selected = select_features_imbalance(x[:, :1], target, k=5, **QUIET).value[0]
    compared = compare_imbalances(x[:, :1], x[:, 1:], target, k=5, **QUIET).a_to_target
    np.testing.assert_allclose([selected, compared], plain.a_to_b, rtol=1e-12)


def test_features_can_be_meant():
    x = np.random.default_rng(0).normal(size=(80, 2))
    code = np.digitize(x[:, 0], [-0.5, 0.5])
    sizes = dii_forward(x, code, 1, k=5, target_kind="features", **QUIET).value
    assert sizes == dii_forward(x, Space(code[:, None].astype(float)), 1, k=5, **QUIET).value
    fit = DifferentiableImbalance(5, target="features", **QUIET).fit(x, code)
    assert fit.dii_ == DifferentiableImbalance(5, **QUIET).fit(x, code.astype(float)).dii_


# --------------------------------------------------------------------------------------------------- what weights mean
OTHER = np.random.default_rng(8).normal(size=(70, 3)) * 1.2
WIDE = np.random.default_rng(9).normal(size=(3, 60))
DRAWN = dict(metric="euclidean", random_state=0, n_permutations=19)


def layer_of(s):
    """Another layer of the same items, with their weights."""
    return Space(s.features[:, :1], sample_weight=s.sample_weight)


ZERO = {
    "effective_number": lambda s: effective_number(s, kernel="gaussian", sigma=1.0, exclusion_window=0).value,
    "matrix_entropy": lambda s: matrix_entropy(s, exclusion_window=0).value,
    "diffusion_spectral_entropy": lambda s: diffusion_spectral_entropy(s, exclusion_window=0).value,
    "density_curvature": lambda s: density_curvature(s, at=np.zeros((1, 3)), exclusion_window=0).log_density,
    "imbalance": lambda s: information_imbalance(s, Space(s.features[:, :1])).a_to_b,
    "fit": lambda s: DifferentiableImbalance(5).fit(s, s.features[:, :1]).dii_,
    "forward": lambda s: dii_forward(s, s.features[:, :1], 1, k=5).value[0],
    "TwoNN": lambda s: TwoNN().fit(s).dimension_,
    "Gride": lambda s: Gride(4).fit(s).dimension_,
    "ABIDE": lambda s: ABIDE(max_neighbors=20).fit(s).dimension_,
    "KNNDensity": lambda s: KNNDensity(5, dimension=3, calibrate=False).fit(s).log_density_[-40:],
    "KStarNN": lambda s: KStarNN(dimension=3, calibrate=False).fit(s).log_density_[-40:],
    "PAk": lambda s: PAk(dimension=3, calibrate=False).fit(s).log_density_[-40:],
    "DensityPeaks": lambda s: DensityPeaks().fit(s).result_.peak_log_density,
    "DensityAnomaly": lambda s: DensityAnomaly(random_state=0).fit(s, s.features[-40:] + 0.1).result_.over.scores[-40:],
    "BinaryID": lambda s: (
        BinaryID(binarize="sign").fit(Space(s.features @ WIDE, sample_weight=s.sample_weight)).dimension_
    ),
    "stability_index": lambda s: stability_index(s, Space(OTHER), n_permutations=0, n_bins=3).values,
    "sliced_wasserstein": lambda s: sliced_wasserstein(s, OTHER, random_state=0).corrected,
    "frechet_distance": lambda s: frechet_distance(s, OTHER, random_state=0).value,
    "mmd": lambda s: mmd(s, OTHER).value,
    "cauchy_schwarz": lambda s: cauchy_schwarz(s, OTHER).value,
    "kl_divergence": lambda s: kl_divergence(s, OTHER, random_state=0).value_se,
    "compare_layers": lambda s: compare_layers(
        [s], [layer_of(s)], measures=["imbalance", "cka", "mutual_knn"], **DRAWN
    ).values.ravel(),
    "compare_checkpoints": lambda s: compare_checkpoints([[s], [layer_of(s)]], metric="euclidean").to_reference[0],
}
REFUSED = ("DensityAnomaly", "BinaryID", "kl_divergence", "compare_layers", "compare_checkpoints")


@pytest.mark.parametrize("who", ZERO)
def test_rows_of_weight_zero_are_no_rows(who):
    x = np.random.default_rng(1).normal(size=(140, 3))
    weight = np.where(np.arange(140) < 40, 0.0, 1.0)
    without = ZERO[who](Space(x[40:]))
    np.testing.assert_allclose(ZERO[who](Space(x, sample_weight=weight)), without, rtol=1e-12)
    np.testing.assert_allclose(ZERO[who](Space(x[40:], sample_weight=np.full(100, 3.7))), without, rtol=1e-12)


@pytest.mark.parametrize("who", [name for name in ZERO if name not in REFUSED])
def test_positive_weights_are_used(who):
    x = np.random.default_rng(1).normal(size=(140, 3))
    weight = np.random.default_rng(2).uniform(0.2, 1, 140)
    assert (np.asarray(ZERO[who](Space(x, sample_weight=weight))) != ZERO[who](Space(x))).any()


@pytest.mark.parametrize("who", REFUSED)
def test_positive_weights_are_refused_where_nobody_knows_what_to_do_with_them(who):
    x = np.random.default_rng(1).normal(size=(140, 3))
    with pytest.raises(DataError, match="has weights that differ.*draw rows in proportion"):
        ZERO[who](Space(x, sample_weight=np.random.default_rng(2).uniform(0.2, 1, 140)))


def test_a_weighted_dimension_is_that_of_where_the_weight_lies():
    g = np.random.default_rng(3)
    line = np.c_[g.uniform(size=600), np.zeros((600, 2))] + [5, 0, 0]
    cube = g.uniform(size=(600, 3))
    data = np.concatenate([line, cube])
    on_cube = np.where(np.arange(1200) < 600, 0.001, 1.0)
    for estimator in (TwoNN(), Gride(2)):
        pure = np.ravel(estimator.fit(cube).dimension_)[0]
        mixed = np.ravel(estimator.fit(Space(data, sample_weight=on_cube)).dimension_)[0]
        assert mixed == pytest.approx(pure, rel=0.02)  # the harmonic mean moves by 0.001 of its terms, times three


# ------------------------------------------------------------------------------------- what time and runs ask of anyone
@pytest.mark.filterwarnings("ignore:runs are shorter than 20 correlation times")
def test_the_correlation_time_is_one_answer():
    x, time = walk(), 0.5 * np.arange(400)
    tau = series_correlation(Space(x, time=time)).tau.value
    imbalance = information_imbalance(Space(x, time=time), Space(x[:, :1]))
    assert imbalance.correlation_time == tau
    series = Space(x, time=time)
    gain = imbalance_gain(series, Space(x[:, :1], time=time), lag=1, n_permutations=0)
    assert gain.exclusion_window == series_correlation(series.take(sample_times(series, 1))).window
    thinned = TwoNN().fit(Space(x, time=time)).result_.thinned
    assert thinned == int(np.ceil(tau / 0.5 / 2)) == series_correlation(Space(x, time=time)).thinning
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = DensityAnomaly(control="fwer", n_permutations=19, random_state=0).fit(
            Space(x[:200], time=time[:200]), Space(x[200:], time=time[200:])
        )
    halves = [series_correlation(Space(part, time=time[:200])).tau.value for part in (x[:200], x[200:])]
    n_rows = 2 * max(halves) / 0.5
    assert found.result_.n_blocks == pytest.approx(2 * 200 / n_rows, abs=2)


@pytest.mark.parametrize("form", ["float32", "torch", "dask", "distances", "cosine"])
def test_every_form_of_data_tells_its_correlation_time(form):
    x = walk(600)
    time = np.arange(600.0)
    plain = series_correlation(Space(x, time=time)).tau.value
    if form == "distances":
        space = Space.from_distances(np.linalg.norm(x[:, None] - x, axis=-1), time=time)
    elif form == "cosine":
        space = Space(x, metric="cosine", time=time)
    elif form == "torch":
        space = Space(pytest.importorskip("torch").tensor(x), time=time)
    elif form == "dask":
        space = Space(pytest.importorskip("dask.array").from_array(x, chunks=(100, 3)), time=time)
    else:
        space = Space(x.astype(np.float32), time=time)
    found = series_correlation(space).tau.value
    if form in ("float32", "torch", "dask"):
        assert found == pytest.approx(plain, rel=1e-3)  # the same columns, to rounding
    else:
        assert 0.4 < found / 39 < 2  # other functions of the same state; 600 rows tell (1 + rho)/(1 - rho) so well


@pytest.mark.filterwarnings("ignore:runs are shorter than 20 correlation times")
def test_runs_alone_say_that_rows_follow_each_other():
    x, run = walk(600), np.repeat(np.arange(3), 200)
    alone, timed = Space(x, run=run), Space(x, run=run, time=np.tile(np.arange(200.0), 3))
    assert series_correlation(alone).tau.value == series_correlation(timed).tau.value
    assert TwoNN().fit(alone).dimension_ == TwoNN().fit(timed).dimension_ and TwoNN().fit(alone).result_.thinned > 5
    first, second = (information_imbalance(s, Space(x[:, :1])) for s in (alone, timed))
    assert first.a_to_b == second.a_to_b and first.exclusion_window == second.exclusion_window > 10
    dense = [PAk(dimension=3, calibrate=False).fit(s) for s in (alone, timed)]
    np.testing.assert_allclose(dense[0].log_density_se_, dense[1].log_density_se_)


# ------------------------------------------------------------------------------- who says that rows look correlated
LOOKS = {
    "effective_number": lambda x: effective_number(x),
    "matrix_entropy": lambda x: matrix_entropy(x),
    "nuclear_norm": lambda x: nuclear_norm(x),
    "diffusion_spectral_entropy": lambda x: diffusion_spectral_entropy(x),
    "density_curvature": lambda x: density_curvature(x, at=x[:2]),
    "information_imbalance": lambda x: information_imbalance(x, x[:, :2]),
    "imbalance_matrix": lambda x: imbalance_matrix({"a": x, "b": x[:, :2]}),
    "imbalance_gain": lambda x: imbalance_gain(x, x[:, :2], future=x[:, 1:], n_permutations=0),
    "compare_imbalances": lambda x: compare_imbalances(x, x[:, :2], x[:, 1:]),
    "compare_layers": lambda x: compare_layers([x], [x[:, :2], x[:, 1:]], n_permutations=19, random_state=0),
    "compare_checkpoints": lambda x: compare_checkpoints([[x], [x[:, 1:]], [x[:, :2]]]),
    "DifferentiableImbalance": lambda x: DifferentiableImbalance(5).fit(x, x[:, :2]).result_,
    "dii_forward": lambda x: dii_forward(x, x[:, :2], 2, k=5),
    "TwoNN": lambda x: TwoNN().fit(x).result_,
    "Gride": lambda x: Gride(16).fit(x).result_,
    "ABIDE": lambda x: ABIDE(max_neighbors=40).fit(x).result_,
    "KNNDensity": lambda x: KNNDensity(10, dimension=3).fit(x).result_,
    "KStarNN": lambda x: KStarNN().fit(x).result_,
    "PAk": lambda x: PAk().fit(x).result_,
    "BMTI": lambda x: BMTI(dimension=3).fit(x).result_,
    "DensityPeaks": lambda x: DensityPeaks().fit(x).result_,
    "DensityAnomaly": lambda x: DensityAnomaly(random_state=0).fit(x[:300], x[300:]).result_,
    "stability_index": lambda x: stability_index(x[:300], x[300:], random_state=0),
    "drift_table": lambda x: drift_table(x[:300], x[300:], n_permutations=19, random_state=0),
    "sliced_wasserstein": lambda x: sliced_wasserstein(x[:300], x[300:], random_state=0),
    "frechet_distance": lambda x: frechet_distance(x[:300], x[300:], random_state=0),
    "mmd": lambda x: mmd(x[:300], x[300:]),
    "cauchy_schwarz": lambda x: cauchy_schwarz(x[:300], x[300:]),
    "kl_divergence": lambda x: kl_divergence(x[:300], x[300:], random_state=0),
}
TWO_SAMPLES = ("DensityAnomaly", *list(LOOKS)[-7:])  # both are looked at


def heard(call):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        result = call()
    return result, [str(one.message) for one in caught if issubclass(one.category, CorrelatedRowsWarning)]


@pytest.mark.parametrize("who", LOOKS)
def test_everyone_says_once_that_rows_look_correlated(who):
    x = walk(600)
    result, loud = heard(lambda: LOOKS[who](x))
    samples = 2 if who in TWO_SAMPLES else 1
    assert 1 <= len(loud) <= samples and len(set(loud)) == len(loud)
    assert all("far more often than chance" in text for text in loud)
    assert all(text in result.warnings for text in loud)


@pytest.mark.parametrize("who", LOOKS)
def test_rows_in_random_order_are_silent(who):
    x = np.random.default_rng(5).permutation(walk(600))
    assert heard(lambda: LOOKS[who](x))[1] == []


def test_what_was_said_about_time_or_silence_is_heard():
    x = walk(600)
    for call in (
        lambda: information_imbalance(x, x[:, :2], exclusion_window=0),
        lambda: TwoNN(thin=None).fit(x),
        lambda: TwoNN().fit(Space(x, time=np.arange(600))),
        lambda: PAk(dimension=3).fit(Space(x, time=np.arange(600))),
    ):
        assert not any("far more often" in text for text in heard(call)[1])


# -------------------------------------------------------------------------------------------------- which rows are held
def test_held_out_rows_are_those_that_were_named_whatever_is_left_out():
    g = np.random.default_rng(0)
    x = g.normal(size=(90, 3))
    y = x[:, :1] + 0.1 * g.normal(size=(90, 1))
    weight = np.where(np.arange(90) % 9 == 0, 0.0, 1.0)
    held = np.arange(30, 60)
    left = np.flatnonzero(weight)
    inside = np.flatnonzero(np.isin(left, held))
    for fit in (
        lambda a, b, rows: DifferentiableImbalance(5, validation=rows, **QUIET).fit(a, b).validation_dii_,
        lambda a, b, rows: dii_forward(a, b, 1, k=5, n_best=1, validation=rows, **QUIET).validation_value[0],
        lambda a, b, rows: select_features_imbalance(
            a, b, k=5, max_features=1, validation=rows, **QUIET
        ).validation_value[0],
    ):
        given = fit(Space(x, sample_weight=weight), y, held)
        assert given == pytest.approx(fit(x[left], y[left], inside), rel=1e-9)
        mask = np.isin(np.arange(90), held)
        assert given == fit(Space(x, sample_weight=weight), y, mask)


def test_a_held_out_value_is_one_number():
    """One column, weight one: a fit and a search judge it alike on the same rows."""
    g = np.random.default_rng(0)
    x = g.normal(size=(100, 1))
    y = x + 0.3 * g.normal(size=(100, 1))
    for validation in (np.arange(0, 100, 4), "runs"):
        fit = DifferentiableImbalance(5, validation=validation, **QUIET).fit(x, y)
        search = dii_forward(x, y, 1, k=5, validation=validation, **QUIET)
        assert fit.validation_dii_ == pytest.approx(search.validation_value[0], rel=1e-6)
        assert fit.validation_dii_se_ == pytest.approx(search.validation_value_se[0], rel=1e-3)


def test_the_package_lists_what_is_tested_here():
    assert {name for name in LOOKS if name[0].isupper()} <= set(infoscope.__all__)


# ------------------------------------------------------------------------------------- whether rows are the same items
@pytest.mark.parametrize("what", ["days", "order of a frame", "runs"])
def test_other_items_are_refused_by_whoever_takes_two_descriptions(what):
    import pandas as pd

    x = np.random.default_rng(0).normal(size=(60, 2))
    days, names = np.datetime64("2000-01-01") + np.arange(60), np.repeat(["one", "two"], 30)
    one, other = {
        "days": lambda: (Space(x, time=days), Space(x, time=days + 10)),
        "order of a frame": lambda: (pd.DataFrame(x), pd.DataFrame(x).sample(frac=1, random_state=0)),
        "runs": lambda: (Space(x, run=names), Space(x, run=np.repeat(["three", "four"], 30))),
    }[what]()
    for call in (
        lambda: information_imbalance(one, other),
        lambda: imbalance_matrix({"one": one, "other": other}),
        lambda: imbalance_gain(one, other, future=x[::-1]),
        lambda: compare_imbalances(one, one, other),
        lambda: select_features_imbalance(one, other),
        lambda: DifferentiableImbalance(5).fit(one, other),
        lambda: dii_value_and_grad(one, other, [1.0, 1.0], k=5),
        lambda: dii_forward(one, other, 1, k=5),
    ):
        with pytest.raises(DataError, match="different times|same ids in another order|different run"):
            call()


# ----------------------------------------------------------------------------------------------- what is shared decides
@pytest.mark.filterwarnings("ignore:runs are shorter than 20 correlation times")
def test_shared_information_asks_the_same_owners():
    x, time = walk(), 0.5 * np.arange(400)
    code = np.digitize(x[:, 0], [-0.5, 0.5])
    by_kind = [mutual_information(x[:, 1:], y, se=False, **QUIET) for y in (code, np.array(["a", "b", "c"])[code])]
    assert by_kind[0].value == by_kind[1].value and by_kind[0].estimator == "labels"
    series = Space(x, time=time)
    shared, imbalance = mutual_information(series, x[:, :1], se=False), information_imbalance(series, Space(x[:, :1]))
    assert shared.correlation_time == imbalance.correlation_time
    assert shared.exclusion_window == imbalance.exclusion_window
    weight = np.where(np.arange(400) < 100, 0.0, 1.0)
    without = mutual_information(Space(x[100:]), x[100:, :1], se=False, **QUIET).value
    assert mutual_information(Space(x, sample_weight=weight), x[:, :1], se=False, **QUIET).value == without
    with pytest.raises(DataError, match="has weights that differ.*draw rows in proportion"):
        mutual_information(Space(x, sample_weight=np.linspace(1, 2, 400)), x[:, :1])


# ------------------------------------------------------------------------------------------ how many shifts there are
def p_values_of_a_short_series(n, number=199):
    """Everybody's p-value of the clearest of all links, x and a copy of it, where rows can only be shifted."""
    x = walk(n, 2, 0.9)
    a, b = (Space(x[:, [column]], time=np.arange(n), name=name) for column, name in ((0, "a"), (1, "b")))
    copy, drawn = Space(x[:, [0]], time=np.arange(n), name="copy"), dict(n_permutations=number)
    both = information_imbalance(a, copy, **drawn)
    table = Space(np.column_stack([x[:, 0], x[:, 0]]), time=np.arange(n), feature_names=["a", "copy"])
    transfer = transfer_entropy(a, np.roll(x[:, [0]], 1), 1, method="gaussian", **drawn)
    found = {
        "mutual information": mutual_information(a, copy, se=False, **drawn).p_value,
        "pairs by neighbours": pairwise_mutual_information(table, method="ksg", se=False, **drawn).p_value[0, 1],
        "pairs by a copula": pairwise_mutual_information(table, method="copula", se=False, **drawn).p_value[0, 1],
        "quadratic": cauchy_schwarz_information(a, copy, **drawn).p_value,
        "any estimator": reliability(lambda u, v: abs(np.corrcoef(u.features.T, v.features.T)[0, 1]), a, copy,
                                     **drawn).p_value,
        "imbalance": both.a_to_b_p,
        "matrix of imbalances": imbalance_matrix({"a": a, "copy": copy}, **drawn).p_values[0, 1],
        "gain": imbalance_gain(a, b, future=a, **drawn).p_value,
        "transfer entropy": transfer.forward_p[0],
    }  # fmt: skip
    return found


@pytest.mark.filterwarnings("ignore::infoscope.base.errors.InfoscopeWarning")
def test_a_p_value_counts_the_shifts_that_say_something_new():
    """200 rows that remember about 19 have a handful of shifts: nobody's p-value is below a tenth or so.

    A window W of 2 tau, in whole rows, at either end leaves (200 - 2 W)/tau shifts, one number where the columns are
    the same.  (A lag costs a row, a second column may remember longer, and both columns of a table are shifted, at
    times alike.)
    """
    found = p_values_of_a_short_series(200)
    tau = series_correlation(Space(walk(200, 2, 0.9)[:, [0]], time=np.arange(200))).tau.value
    there_are = (200 - 2 * np.ceil(2 * tau)) / tau
    assert 2 < there_are < 20
    same = [p for who, p in found.items() if who not in ("gain", "transfer entropy", "pairs by a copula")]
    assert same == pytest.approx([1 / (1 + there_are)] * len(same), rel=1e-9)
    assert all(1 / 20 < p < 0.5 for p in found.values())


def test_a_long_series_has_more_shifts_than_are_drawn():
    assert set(p_values_of_a_short_series(1500, 19).values()) == {1 / 20}  # shifts alike: 19 in about 1400, seldom


WRONG_TOKENS = {
    "not whole numbers": np.full((40, 3), 0.5),
    "one sequence a row": np.zeros(40, int),
    "1 site": np.zeros((40, 1), int),
    "ids of tokens start at 0": np.full((40, 3), -2),
    "row 0, site 0 holds token 9, but there are 2 tokens": np.full((40, 3), 9),
}


@pytest.mark.parametrize("text", WRONG_TOKENS)
def test_what_tokens_are_is_decided_once(text):
    """Whoever takes tokens refuses the same ones, in the same words."""
    from infoscope import clones

    pytest.importorskip("torch")
    askers = {
        "spectrum": lambda s: clones.order_spectrum(s, 2, n_tokens=2),
        "index": lambda s: clones.compatibility_index(lambda t, i: np.zeros((len(t), 2)), s, n_tokens=2),
        "logits": lambda s: clones.factored_logits(s, [np.eye(3)], [np.eye(2)], 0),
        "model": lambda s: clones.InteractionModel(1, n_tokens=2).fit(s),
        "transformer": lambda s: clones.StudyTransformer().fit(s, n_tokens=2),
    }
    for ask in askers.values():
        with pytest.raises(infoscope.base.DataError, match=text):
            ask(WRONG_TOKENS[text])
