"""The community causal graph on networks whose links are known."""

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest
from scipy.stats import norm
from scipy.stats import t as student_t

from infoscope.base import CorrelatedRowsWarning, DataError, DataWarning, ParameterError
from infoscope.causality import CommunityCausalGraph, community_scores
from infoscope.causality.graph_results import BESIDE_ITS_PAST, COPIES
from infoscope.datasets import even_network, logistic_network
from infoscope.neighbors import Space

pytestmark = pytest.mark.filterwarnings("ignore::infoscope.base.CorrelatedRowsWarning")
QUICK = dict(n_epochs=40, tolerance=0.1, fdr=0.01)  # so few false links that these seeds have none


@pytest.fixture(scope="module")
def squares():
    """Two followers of squares among six variables."""
    return even_network(1001, 6, 2, random_state=3)


@pytest.fixture(scope="module")
def graph(squares):
    return CommunityCausalGraph(lags=[1], **QUICK).fit(squares.series).result_


def links_of(found):
    return {(row["source"], row["target"]) for row in found.link_rows()}


def test_links_that_no_linear_test_sees(squares, graph):
    assert links_of(graph) == {("column 0", "column 1"), ("column 2", "column 3")}
    for row in graph.link_rows():
        assert row["rise"] > 5 * row["rise_se"] and row["p_adjusted"] < 1e-3 and row["test"] == "left out"
    assert graph.dii[0, 1] < 0.6 and (graph.dii_se[0] < 0.05).all()
    assert graph.edges.tolist() == [[0, 4], [1, 5]] and graph.levels.tolist() == [0, 0, 0, 0, 1, 1]
    np.testing.assert_allclose(graph.weights.max(1), 1)  # the largest of every target
    assert "intervention" in graph.verdict and "2 links" in graph.verdict


def test_communities_of_chaotic_maps():
    network = logistic_network(1502, sizes=(5, 5), parents=[(), (0,)], random_state=6)
    found = CommunityCausalGraph(lags=[1, 2], exclusion_window=0, **QUICK).fit(network.series).result_
    scores = community_scores(network.labels, found.labels, network.edges, found.edges)
    assert scores.rand_index == 1 and scores.n_missing == 0 and scores.n_false == 0
    assert found.edge_p[0] < 1e-3 and found.edge_rise[0] > 4 * found.edge_rise_se[0]


def test_nothing_there_gives_nothing():
    rng = np.random.default_rng(8)
    found = CommunityCausalGraph(lags=[1], exclusion_window=0, **QUICK).fit(rng.normal(size=(600, 5))).result_
    assert found.n_links == 0 and "No links" in found.verdict and len(found.edges) == 0
    assert found.unpredicted == list(found.names)
    assert any("nothing predicts" in note for note in found.notes)
    assert len(found.to_frame()) == 0 and list(found.to_frame().columns)[:2] == ["source", "target"]
    assert "none" in str(found) or "links" in str(found)


def test_what_no_link_could_have_shown():
    """Student's quantile of the level that the first link of twenty pairs needs, in errors of the sharper test."""
    x = np.random.default_rng(8).normal(size=(600, 5))
    estimator = CommunityCausalGraph(lags=[1, 2], exclusion_window=0, n_epochs=40, tolerance=0.1, fdr=0.1)
    found = estimator.fit(x).result_
    looked = np.isfinite(found.detection_limit)
    assert found.n_links == 0 and looked.sum() == np.isfinite(found.rise).sum() > 5
    half = np.median(found.detection_limit[looked])
    assert found.verdict.endswith(
        f"; {looked.sum()} pairs weighed enough to be looked at, and in half of them a rise of the imbalance up to "
        f"{half:.2g} would not show."
    )
    # Degrees lie between 2 and endless, and errors at the other lag are not five times smaller.
    level = 0.1 / (2 * 2 * 20)  # of two tests at two lags of 20 pairs
    sharper = np.fmin(found.rise_se, found.past_rise_se)[looked]
    assert (found.detection_limit[looked] <= student_t.isf(level, 2) * sharper).all()
    assert (found.detection_limit[looked] >= norm.isf(level) * 0.2 * sharper).all()
    strict = CommunityCausalGraph(lags=[1, 2], exclusion_window=0, n_epochs=40, tolerance=0.1, fdr=0.001).fit(x).result_
    assert (strict.detection_limit[looked] > found.detection_limit[looked]).all()


def test_links_are_what_exceeds_the_limit_of_a_pair():
    """Of one link alone the rise is above its limit; of pairs that are none it is below."""
    network = even_network(600, 4, 1, random_state=1)
    found = CommunityCausalGraph(lags=[1], **QUICK).fit(network.series).result_
    assert found.n_links == 1
    above = np.fmax(found.rise, found.past_rise) > found.detection_limit
    assert above[found.adjacency].all() and not (found.rise > found.detection_limit)[~found.adjacency].any()
    assert network.links[found.adjacency].all()


def test_threads_row_order_names_and_units_change_nothing(squares, graph):
    import pandas

    n = len(squares.series)
    frame = pandas.DataFrame(squares.series * [1, 100, 1, 1, 1e-3, 1], columns=list("abcdef"))
    shuffle = np.random.default_rng(0).permutation(n)
    space = Space(frame.iloc[shuffle].reset_index(drop=True), time=np.arange(n)[shuffle])
    other = CommunityCausalGraph(lags=[1], n_jobs=2, **QUICK).fit(space)
    assert links_of(other.result_) == {("a", "b"), ("c", "d")}
    np.testing.assert_allclose(other.weights_, graph.weights, atol=5e-3)  # float32, over hundreds of steps
    np.testing.assert_allclose(other.result_.rise, graph.rise, atol=5e-3)
    assert other.feature_names_in_.tolist() == list("abcdef") and other.n_features_in_ == 6
    again = CommunityCausalGraph(lags=[1], n_jobs=1, **QUICK).fit(squares.series).result_
    np.testing.assert_array_equal(again.weights, graph.weights)
    np.testing.assert_array_equal(again.p_value, graph.p_value)


def test_the_array_of_the_user_stays(squares):
    series = squares.series[:300].copy()
    kept = series.copy()
    with pytest.warns(DataWarning, match="alone"):
        CommunityCausalGraph(lags=[1], fdr=None, n_epochs=5).fit(series)
    np.testing.assert_array_equal(series, kept)


def test_a_lag_never_crosses_runs(squares):
    """Runs of 40 rows in another order: rows of different runs do not follow each other."""
    runs = np.array_split(squares.series[:1000], 25)
    order = np.random.default_rng(2).permutation(25)
    options = QUICK | dict(fdr=0.001)
    found = CommunityCausalGraph(lags=[1], exclusion_window=12, **options).fit([runs[i] for i in order]).result_
    assert found.n_samples == 25 * 39
    assert links_of(found) == {("column 0", "column 1"), ("column 2", "column 3")}


def test_a_present_and_its_future(squares):
    now, later = squares.series[:-1], squares.series[1:]
    shuffle = np.random.default_rng(1).permutation(len(now))
    options = QUICK | dict(fdr=1e-4)  # rows that remember each other are no independent items
    found = CommunityCausalGraph(lags=[1], exclusion_window=0, **options).fit(now[shuffle], future=later[shuffle])
    assert links_of(found.result_) == {("column 0", "column 1"), ("column 2", "column 3")}
    with pytest.raises(DataError, match="future has 10 rows"):
        CommunityCausalGraph(lags=[1]).fit(now, future=later[:10])
    with pytest.raises(ParameterError, match="2 lags"):
        CommunityCausalGraph(lags=[1, 2]).fit(now, future=later)


def test_some_targets_only(squares, graph):
    found = CommunityCausalGraph(lags=[1], **QUICK).fit(squares.series, targets=["column 3", 0]).result_
    assert links_of(found) == {("column 2", "column 3")}
    assert np.isnan(found.dii[0, 1]) and np.isfinite(found.dii[0, 3])
    for wrong in (["column 9"], [6], [0, 0], []):
        with pytest.raises(ParameterError, match="targets"):
            CommunityCausalGraph(lags=[1]).fit(squares.series, targets=wrong)


def test_periodic_variables():
    """An angle that follows the square of a driver around a circle: seen at any origin."""
    rng = np.random.default_rng(4)
    x = even_network(1001, 2, 0, random_state=4).series
    angle = np.zeros(len(x))
    for t in range(len(x) - 1):
        angle[t + 1] = (0.3 * angle[t] + 1.5 * (x[t, 0] ** 2 - 1) + 0.2 * rng.normal()) % (2 * np.pi)
    found = []
    for origin in (0.0, 2.0):
        data = np.c_[x, (angle + origin) % (2 * np.pi)]
        series = Space(data, period=[0, 0, 2 * np.pi], feature_names=["x", "z", "angle"], time=np.arange(1001.0))
        found.append(CommunityCausalGraph(lags=[1], exclusion_window=12, **QUICK).fit(series).result_)
    assert links_of(found[0]) == links_of(found[1]) == {("x", "angle")}
    np.testing.assert_allclose(found[0].rise, found[1].rise, atol=0.02)


def test_constants_and_copies_are_said(squares):
    series = np.c_[squares.series, squares.series[:, 0] * 3 + 1e-4 * squares.series[:, 4], np.full(1001, 7.0)]
    with pytest.warns(DataWarning, match="constant"), pytest.warns(DataWarning, match="column 6 of column 0"):
        found = CommunityCausalGraph(lags=[1], **QUICK).fit(series).result_
    assert found.copy_of.tolist() == [0, 1, 2, 3, 4, 5, 0, 7]
    assert found.test[0, 6] == found.test[6, 0] == COPIES and found.labels[0] == found.labels[6]
    told = links_of(found)
    assert ("column 2", "column 3") in told
    assert {("column 0", "column 1"), ("column 6", "column 1")} & told  # whichever of the two carries the weight
    assert not any("column 7" in link for link in told)
    assert "column 7" in " ".join(found.notes) and "between copies" in found.verdict
    with pytest.raises(DataError, match="column 7 is constant"), pytest.warns(DataWarning):
        CommunityCausalGraph(lags=[1]).fit(series, targets=[7])


def test_weights_alone_only_with_a_warning(squares):
    with pytest.warns(DataWarning, match="weight alone"):
        found = CommunityCausalGraph(lags=[1], fdr=None, n_epochs=40).fit(squares.series).result_
    assert ("column 0", "column 1") in links_of(found)
    assert {row["test"] for row in found.link_rows()} == {"weight"}
    assert "nobody knows" in found.verdict and np.isnan(found.rise).all()


def test_one_variable_and_a_threshold_above_all_weights(squares):
    found = CommunityCausalGraph(lags=[1], **QUICK).fit(squares.series[:, :1]).result_
    assert found.labels.tolist() == [0] and found.n_links == 0
    found = CommunityCausalGraph(lags=[1], threshold=0.999, **QUICK).fit(squares.series[:, 4:]).result_
    assert found.n_links == 0 and found.labels.tolist() == [0, 1]


@pytest.mark.parametrize(
    "options, said",
    [
        (dict(lags=[0]), "lags"),
        (dict(lags=[1, 1]), "twice"),
        (dict(lags=[]), "lags"),
        (dict(threshold=1.5), "threshold is 1.5"),
        (dict(fdr=0.0), "fdr is 0.0"),
        (dict(tolerance=-1), "tolerance"),
        (dict(k=99), "k=99"),
        (dict(n_epochs=0), "n_epochs"),
        (dict(batch_size=3), "batch_size"),
        (dict(learning_rate=0), "learning_rate"),
    ],
)
def test_options_that_make_no_sense(squares, options, said):
    with pytest.raises(ParameterError, match=said):
        CommunityCausalGraph(**{"lags": [1], **options}).fit(squares.series)


def test_series_that_are_none(squares):
    series = squares.series.copy()
    series[17, 2] = np.nan
    with pytest.raises(DataError, match=r"column 2"):
        CommunityCausalGraph().fit(series)
    with pytest.raises(DataError, match="longest"):
        CommunityCausalGraph(lags=[2000]).fit(squares.series)
    with pytest.raises(DataError, match="step after row 3"):
        time_ = np.arange(1001.0)
        time_[4:] += 5
        CommunityCausalGraph().fit(Space(squares.series, time=time_))
    with pytest.raises(DataError, match="counts every row once"):
        CommunityCausalGraph().fit(Space(squares.series, sample_weight=np.arange(1.0, 1002)))
    with pytest.raises(DataError, match="constant"):
        CommunityCausalGraph().fit(np.ones((100, 2)))
    with pytest.raises(DataError, match="rows"):
        CommunityCausalGraph().fit(squares.series[:30])


def test_links_return_in_parts_of_the_time(squares):
    found = CommunityCausalGraph(lags=[1], n_subsets=3, **QUICK).fit(squares.series).result_
    assert found.link_frequency.shape == (6, 6)
    assert found.link_frequency[0, 1] == found.link_frequency[2, 3] == 1.0
    assert all(row["frequency"] == 1.0 for row in found.link_rows())


def test_one_that_replaces_another_is_seen_beside_the_past():
    """Two noisy views of one driver: each can do without the other, neither without both."""
    rng = np.random.default_rng(11)
    hidden = even_network(2001, 2, 1, random_state=11).series
    views = hidden[:, :1] + 0.05 * rng.normal(size=(2001, 2))
    found = CommunityCausalGraph(lags=[1], exclusion_window=12).fit(np.c_[views, hidden[:, 1]]).result_
    assert {("column 0", "column 2"), ("column 1", "column 2")} & links_of(found)
    assert found.rise[0, 2] < found.past_rise[0, 2] or found.test[0, 2] != BESIDE_ITS_PAST


# ------------------------------------------------------------------------------------------------------- after a kill
SCRIPT = """
import sys, warnings
import numpy as np
warnings.simplefilter("ignore")
from infoscope.causality import CommunityCausalGraph
from infoscope.datasets import even_network
series = even_network(601, 5, 2, random_state=3).series
CommunityCausalGraph(lags=[1], n_epochs=10).fit(series, checkpoint=sys.argv[1])
"""


def test_a_killed_run_goes_on_to_the_same_graph(tmp_path):
    path = tmp_path / "graph.npz"
    run = subprocess.Popen([sys.executable, "-c", SCRIPT, str(path)], env={**os.environ})
    deadline = time.monotonic() + 240
    while not path.exists() and run.poll() is None and time.monotonic() < deadline:
        time.sleep(0.05)
    run.send_signal(signal.SIGKILL)
    run.wait()
    assert path.exists()
    series = even_network(601, 5, 2, random_state=3).series
    whole = CommunityCausalGraph(lags=[1], n_epochs=10).fit(series).result_
    resumed = CommunityCausalGraph(lags=[1], n_epochs=10).fit(series, checkpoint=path).result_
    for name in ("weights", "rise", "p_value", "adjacency", "losses", "labels"):
        np.testing.assert_array_equal(getattr(whole, name), getattr(resumed, name))
    again = CommunityCausalGraph(lags=[1], n_epochs=10, n_jobs=1).fit(series, checkpoint=path).result_
    np.testing.assert_array_equal(again.weights, whole.weights)
    with pytest.raises(ParameterError):  # another fit
        CommunityCausalGraph(lags=[1], n_epochs=11).fit(series, checkpoint=path)
    with pytest.raises(ParameterError, match="random_state"):
        CommunityCausalGraph(lags=[1], random_state=None).fit(series, checkpoint=tmp_path / "other.npz")


def test_correlated_rows_get_a_window(squares):
    found = CommunityCausalGraph(lags=[1], n_epochs=5, fdr=None)
    with pytest.warns(DataWarning):
        assert found.fit(squares.series).result_.exclusion_window > 2


def test_short_runs_are_said():
    slow = np.cumsum(np.random.default_rng(0).normal(size=(300, 2)), axis=0)
    with pytest.warns(CorrelatedRowsWarning, match="correlation times"):
        try:
            CommunityCausalGraph(lags=[1], n_epochs=2).fit(slow)
        except DataError as error:
            assert "window" in str(error)


def test_frames_and_networkx(graph):
    networkx = pytest.importorskip("networkx")
    whole = graph.to_networkx()
    assert isinstance(whole, networkx.DiGraph) and set(whole.edges) == links_of(graph)
    assert whole.nodes["column 1"]["level"] == 1 and whole.edges["column 0", "column 1"]["rise"] > 0.1
    assert graph.to_frame("variables").shape == (6, 5) and graph.to_frame("edges").shape[0] == 2
    assert graph.to_frame("adjacency").loc["column 0", "column 1"]
    assert graph.to_frame("weights").loc["column 0", "column 1"] == graph.weights[0, 0, 1]
    with pytest.raises(ParameterError, match="table"):
        graph.to_frame("else")


def test_a_dask_array_gives_the_same_graph(squares, graph):
    dask = pytest.importorskip("dask.array")
    series = dask.from_array(squares.series, chunks=(300, 6))
    found = CommunityCausalGraph(lags=[1], **QUICK).fit(series).result_
    np.testing.assert_array_equal(found.weights, graph.weights)
    np.testing.assert_array_equal(found.adjacency, graph.adjacency)


def test_tensors_give_the_same_graph(squares, graph):
    torch = pytest.importorskip("torch")
    found = CommunityCausalGraph(lags=[1], **QUICK).fit(torch.from_numpy(squares.series)).result_
    np.testing.assert_allclose(found.weights, graph.weights, atol=5e-3)
    np.testing.assert_array_equal(found.adjacency, graph.adjacency)


def test_shifted_copies_tell_nothing(squares):
    """6 targets x 6 copies: more than six p-values below 0.05 of 36 have a probability of 0.6 %."""
    found = CommunityCausalGraph(lags=[1], **QUICK).check_level(squares.series, n_targets=6)
    assert found.p_value.shape == (36,) and (found.p_value <= 0.05).sum() <= 6
    assert found.below_5 == (found.p_value <= 0.05).mean() and found.below_1 <= found.below_5
    with pytest.raises(ParameterError, match="n_targets"):
        CommunityCausalGraph(lags=[1]).check_level(squares.series, n_targets=0)


# ------------------------------------------------------------------------------------- data that are not as one thinks
def test_sparse_and_decaying_features():
    """Squared differences that vanish in single precision are none, and point nowhere."""
    rng = np.random.default_rng(0)
    series = np.zeros((500, 3))
    for t in range(1, 500):
        series[t] = series[t - 1] * np.exp(-2.0) + (rng.random(3) < 0.02)
    found = CommunityCausalGraph(n_epochs=20, exclusion_window=5).fit(series).result_
    assert np.isfinite(found.weights).all()
    x = np.exp(-100 * rng.normal(size=(400, 3)) ** 2)
    future = rng.normal(size=(400, 3))
    found = CommunityCausalGraph(n_epochs=20).fit(x, future=future).result_
    assert np.isfinite(found.weights).all()


def test_lags_and_futures_in_any_order():
    rng = np.random.default_rng(1)
    x, one, five = rng.normal(size=(3, 400, 3))
    one[:, 1] = x[:, 0] + 0.2 * rng.normal(size=400)
    five[:, 2] = x[:, 0] + 0.2 * rng.normal(size=400)
    for lags, future in (([1, 5], [one, five]), ([5, 1], [five, one])):
        found = CommunityCausalGraph(lags=lags, **QUICK).fit(x, future=future).result_
        assert {(r["source"], r["target"], r["lag"]) for r in found.link_rows()} == {
            ("column 0", "column 1", 1), ("column 0", "column 2", 5),
        }  # fmt: skip


def test_names_ids_and_order_of_items():
    import pandas

    rng = np.random.default_rng(2)
    x = pandas.DataFrame(rng.normal(size=(400, 3)), columns=list("abc"))
    later = pandas.DataFrame(rng.normal(size=(400, 3)), columns=list("abc"))
    later["b"] = x["a"] + 0.2 * rng.normal(size=400)
    fit = CommunityCausalGraph(**QUICK)
    for future in (later, later[["b", "a", "c"]]):
        assert links_of(fit.fit(x, future=future).result_) == {("a", "b")}
    with pytest.raises(DataError, match="no column 'c'"):
        fit.fit(x, future=later.rename(columns={"c": "d"}))
    order = np.argsort(x["a"].to_numpy())  # halves must not follow what rows were sorted by
    whole, again = fit.fit(x, future=later).result_, fit.fit(x.iloc[order], future=later.iloc[order]).result_
    np.testing.assert_array_equal(whole.p_value, again.p_value)
    with pytest.raises(DataError, match="ids"):
        fit.fit(Space(x, ids=np.arange(400)), future=Space(later.iloc[order], ids=order))
    with pytest.raises(ParameterError, match="n_samples"):
        CommunityCausalGraph(n_samples=100).fit(x, future=later)


def test_a_common_driver_that_is_known_makes_no_links_between_its_followers():
    """Five followers of one driver, which is given too: all links are found, few are false."""
    found, false = 0, 0
    for seed in range(5):
        rng = np.random.default_rng(seed)
        z = np.zeros(602)
        for t in range(601):
            z[t + 1] = 0.8 * z[t] + 0.6 * rng.normal()
        followers = np.r_[np.zeros((1, 5)), np.repeat(z[:-1, None], 5, axis=1)] + 0.5 * rng.normal(size=(602, 5))
        links = CommunityCausalGraph(n_epochs=40).fit(np.c_[z, followers]).result_.adjacency
        found += links[0, 1:].sum()
        false += links.sum() - links[0, 1:].sum()
    assert found == 25 and false / (found + false) <= 0.2


def test_one_wild_row_makes_no_copies_and_a_trend_neither():
    rng = np.random.default_rng(3)
    x = rng.normal(size=(400, 3))
    x[1:, 1] = x[:-1, 0] + 0.3 * rng.normal(size=399)
    x[100] = -9999
    assert CommunityCausalGraph(exclusion_window=0, **QUICK).fit(x).result_.copy_of.tolist() == [0, 1, 2]
    trend = np.linspace(0, 200, 400)[:, None] + rng.normal(size=(400, 3))
    found = CommunityCausalGraph(exclusion_window=20, n_epochs=5).fit(trend).result_
    assert found.copy_of.tolist() == [0, 1, 2]
    angle = rng.uniform(0, 6, 300)
    turned = np.c_[angle, (angle + 1.5) % 6, -angle % 6, rng.normal(size=300)]
    with pytest.warns(DataWarning, match="copies"):
        found = CommunityCausalGraph(n_epochs=5, exclusion_window=0).fit(Space(turned, period=[6, 6, 6, 0])).result_
    assert found.copy_of.tolist() == [0, 0, 0, 3]


def test_a_checkpoint_knows_times_and_windows(squares, tmp_path):
    path, series = tmp_path / "graph.npz", squares.series[:300]
    fit = CommunityCausalGraph(n_epochs=5, exclusion_window=20)
    fit.fit(Space(series, time=np.arange(300.0)), checkpoint=path)
    with pytest.raises(ParameterError):
        fit.fit(Space(series, time=10.0 * np.arange(300)), checkpoint=path)


def test_variables_that_were_not_asked_are_not_called_free(squares):
    found = CommunityCausalGraph(lags=[1], **QUICK).fit(squares.series, targets=[1, 3]).result_
    assert "0 of which nothing here drives" in found.verdict


def test_parts_that_are_too_short_are_said_before_the_fit(squares):
    with pytest.raises(DataError, match="n_subsets"):
        CommunityCausalGraph(n_subsets=2).fit(squares.series[:60])


def test_weights_towards_what_nothing_predicts_are_no_links():
    with pytest.warns(DataWarning, match="alone"):
        found = CommunityCausalGraph(fdr=None, exclusion_window=0).fit(np.random.default_rng(0).normal(size=(400, 4)))
    assert found.result_.n_links == 0


@pytest.mark.slow
def test_every_target_weighs_the_sources_that_matter():
    """Two pairs among thirty variables, eight sources a target; parts of the time and copies choose their own."""
    network = even_network(801, 30, 2, random_state=4)
    graph = CommunityCausalGraph(lags=[1], n_sources=8, n_subsets=2, **QUICK)
    found = graph.fit(network.series).result_
    np.testing.assert_array_equal(found.adjacency, network.links)
    assert ((found.weights[0] > 0).sum(0) <= 8).all() and (found.weights[0].diagonal() > 0).all()
    assert (found.link_frequency[network.links] >= 0.5).all()  # half of the rows, at a level of 0.01
    assert any("8 of 30 sources" in note for note in found.notes)
    assert graph.check_level(network.series, n_targets=2).p_value.shape == (60,)
    with pytest.raises(ParameterError, match="n_sources"):
        CommunityCausalGraph(n_sources=1).fit(network.series)


def test_a_future_that_stands_still_is_refused():
    rng = np.random.default_rng(0)
    now, later = rng.normal(size=(2, 200, 3))
    later[:, 1] = 0.5
    with pytest.raises(DataError, match="column 1 is constant at lag 1"):
        CommunityCausalGraph().fit(now, future=later)
    found = CommunityCausalGraph(**QUICK).fit(now, future=later, targets=[0, 2]).result_
    assert np.isnan(found.dii[0, 1]) and np.isfinite(found.dii[0, [0, 2]]).all()


def test_weights_beside_those_of_shifted_copies(squares):
    """Ten pairs: with fewer links than 1/fdr the ratio rule can find none."""
    network = even_network(1001, 20, 10, random_state=1)
    with pytest.warns(DataWarning, match="test='rise'"):
        found = CommunityCausalGraph(test="shadows", fdr=0.2).fit(network.series).result_
    assert found.adjacency[network.links].all() and "roughly" in found.verdict
    assert (found.adjacency & ~network.links).sum() <= 5  # 2.5 expected among 12.5 at this rate
    assert {row["test"] for row in found.link_rows()} == {"shadows"}
    with pytest.warns(DataWarning, match="test='rise'"):
        few = CommunityCausalGraph(test="shadows", n_epochs=20).fit(squares.series).result_
    assert few.n_links == 0
    with pytest.raises(ParameterError, match="test"):
        CommunityCausalGraph(test="other").fit(squares.series)
