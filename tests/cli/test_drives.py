"""``infoscope drives``: the graph and the gains of the library, from files to pictures and a record that runs again."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import infoscope as library
from infoscope import Space, scan_lags
from infoscope.causality import CommunityCausalGraph
from infoscope.datasets import even_network

NAMES = ["wind", "rain", "fog", "snow"]
QUICK = ("--epochs", "10", "--jobs", "1")


@pytest.fixture
def series(tmp_path, monkeypatch):
    """Wind drives rain by its square; fog and snow move by themselves.  As one series, and as two runs."""
    monkeypatch.chdir(tmp_path)
    frame = pd.DataFrame(even_network(400, 4, 1, random_state=0).series, columns=NAMES).round(6)
    frame["t"] = 0.5 * np.arange(400)
    frame["part"] = np.repeat(["one", "two"], 200)
    frame.to_csv("s.csv", index=False)
    (frame := frame.drop(columns="part"))[:150].to_csv("one.csv", index=False)
    frame[150:].assign(t=lambda rows: rows.t + 500).to_csv("two.csv", index=False)
    return frame


def same(found, truth):
    for name in ("weights", "rise", "p_value", "adjacency", "labels", "levels", "edges"):
        np.testing.assert_allclose(getattr(found, name), getattr(truth, name), rtol=1e-9)


def test_the_graph_of_the_library(series, infoscope):
    ran = infoscope(
        "drives", "s.csv:0-3", "--time", "t", "--lags", "1,2", *QUICK,
        "--output", "out.json", "--output", "out.npz", "--output", "links.csv", "--plot", "out.png",
    )  # fmt: skip
    assert ran.code == 0, ran.err
    space = Space(series[NAMES], time=series.t)
    truth = CommunityCausalGraph([1, 2], n_epochs=10, random_state=0, n_jobs=1).fit(space).result_
    found = library.load("out.npz")
    same(found, truth)
    assert found.adjacency[0, 1] and found.names == tuple(NAMES)
    pd.testing.assert_frame_equal(pd.read_csv("links.csv"), truth.to_frame(), check_exact=False, rtol=1e-9)
    assert "each column divided by its standard deviation" in ran.out and "--lags 1,2,5 sees more" not in ran.out
    assert str(truth).splitlines()[0] in ran.out and truth.verdict in ran.out
    assert re.search(r"\nlinks\n  source .*\n  wind +rain +1 ", ran.out)
    assert ("edges between communities" in ran.out) == bool(len(truth.edges))
    assert Path("out.png").stat().st_size > 0
    again = infoscope("rerun", "out.json")
    assert again.code == 0 and "reproduced" in again.out, again.out + again.err


def test_options_of_the_graph(series, infoscope):
    ran = infoscope(
        "drives", "s.csv:0-3", "--targets", "r*", "--threshold", "0.3", "--fdr", "0.2", "--samples", "200",
        "--window", "4", "--time", "t", "--seed", "3", *QUICK, "--output", "out.npz",
    )  # fmt: skip
    assert ran.code == 0 and "only one lag was looked at" in ran.out, ran.err
    options = dict(threshold=0.3, fdr=0.2, n_samples=200, exclusion_window=4, random_state=3, n_epochs=10, n_jobs=1)
    truth = CommunityCausalGraph([1], **options).fit(Space(series[NAMES], time=series.t), targets=["rain"]).result_
    same(library.load("out.npz"), truth)
    ran = infoscope("drives", "s.csv:0-3", "--fdr", "none", *QUICK, "--output", "weights.npz", "-q")
    assert ran.code == 0 and library.load("weights.npz").fdr is None
    assert "nobody knows how many are false" in ran.err and "hint" not in ran.out


def test_files_are_runs_and_no_lag_crosses_them(series, infoscope):
    ran = infoscope("drives", "one.csv:0-3", "two.csv:0-3", "--lags", "3", *QUICK, "--output", "out.npz")
    assert ran.code == 0, ran.err
    found = library.load("out.npz")
    assert found.n_samples == 150 - 3 + 250 - 3
    time = np.r_[series.t[:150], series.t[150:] + 500]
    runs = Space(series[NAMES], time=time, run=np.repeat([0, 1], [150, 250]))
    same(found, CommunityCausalGraph([3], n_epochs=10, random_state=0, n_jobs=1).fit(runs).result_)
    by_column = infoscope(
        "drives", "s.csv:0-3", "--run", "part", "--time", "t", "--lags", "3", *QUICK, "--output", "b.npz"
    )
    assert by_column.code == 0 and library.load("b.npz").n_samples == 2 * (200 - 3)


def test_a_killed_run_goes_on(series, infoscope):
    said = ("drives", "s.csv:0-3", *QUICK, "--resume", "half.npz")
    assert infoscope(*said, "--output", "one.npz", "--output", "one.json").code == 0 and Path("half.npz").exists()
    assert infoscope(*said, "--output", "two.npz").code == 0
    same(library.load("two.npz"), library.load("one.npz"))
    assert infoscope("rerun", "one.json").code == 0


def test_gains_between_two_groups(series, infoscope):
    ran = infoscope(
        "drives", "s.csv", "--source", "wind", "--target", "rain,snow", "--condition", "fog", "--time", "t",
        "--lags", "1,2", "--permutations", "19", "--null", "block", "-k", "4", "--scale", "standard",
        "--output", "out.json", "--output", "out.npz", "--plot", "out.png",
    )  # fmt: skip
    assert ran.code == 0, ran.err
    options = dict(time=series.t, scale="standard")
    groups = [Space(series[columns], **options) for columns in (["wind"], ["rain", "snow"], ["fog"])]
    truth = scan_lags(groups[0], groups[1], [1, 2], condition=groups[2], n_permutations=19, null="block", k=4)
    found = library.load("out.npz")
    for name in ("forward", "backward", "forward_crossfit", "forward_p", "backward_p"):
        np.testing.assert_allclose(getattr(found, name), getattr(truth, name), rtol=1e-9)
    assert (found.source, found.target) == ("wind", "rain,snow") and Path("out.png").stat().st_size > 0
    assert infoscope("rerun", "out.json").code == 0


def test_groups_from_files(series, infoscope):
    by_columns = infoscope("drives", "s.csv", "--source", "wind", "--target", "rain", "--permutations", "0",
                           "--output", "a.npz")  # fmt: skip
    series[["wind"]].to_csv("w.csv", index=False)
    np.save("r.npy", series[["rain"]].to_numpy())
    by_files = infoscope("drives", "--source", "w.csv", "--target", "r.npy", "--permutations", "0", "--output", "b.npz")
    assert by_columns.code == by_files.code == 0, by_columns.err + by_files.err
    np.testing.assert_array_equal(library.load("a.npz").forward, library.load("b.npz").forward)


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ([], "a file is needed. For example: infoscope drives data.csv --lags 1,2,5"),
        (["s.csv", "--lags", ""], "--lags is whole numbers of steps, each once, such as 1,2,5, not ''"),
        (["s.csv", "--lags", "0,1"], "--lags is whole numbers of steps"),
        (["s.csv", "--lags", "2,2"], "each once"),
        (["one.csv", "two.csv", "--lags", "250"], "needs runs of more than 250 rows, and the longest has 250"),
        (["s.csv:0-3", "--targets", "hail"], "--targets hail: no column is called 'hail'"),
        (["s.csv", "--source", "wind", "--target", "hail"], "--target hail: neither a file nor columns"),
        (["s.csv", "--source", "wind,rain", "--target", "r*"], "column rain is in --source and in --target"),
        (["s.csv", "--source", "wind"], "--source goes with --target"),
        (["s.csv", "--target", "wind"], "--target goes with --source"),
        (["--source", "a", "--target", "b"], "there are no data whose column it could be"),
        (["s.csv", "--source", "wind", "--target", "rain", "--fdr", "0.1"], "--fdr is for a graph of all columns"),
        (["s.csv", "--source", "wind", "--target", "rain", "--kind", "levels"], "no picture of two groups: lags, own"),
        (["s.csv:0-3", "--permutations", "19"], "--permutations goes with --source and --target"),
        (["s.csv:0-3", "--kind", "own"], "--kind own is no picture of a graph"),
        (["s.csv:0-3", "--metric", "manhattan"], "without them columns are looked at one by one, standardised"),
        (["s.csv:0-3", "--scale", "standard"], "without them columns are looked at one by one, standardised"),
        (["s.csv:0-3", "--fdr", "2"], "--fdr is 'none' or a share between 0 and 1, not '2'"),
        (["s.csv:0-3", "--threshold", "2"], "threshold is 2.0; it must be a number between 0 and 1"),
        (["s.csv", "--weights", "t", "--source", "wind", "--target", "rain"], "weights"),
        (["s.csv:wind"], "a graph needs at least two columns"),
    ],
)
def test_bad_options(series, infoscope, said, sentence):
    ran = infoscope("drives", *said)
    assert ran.code == 2 and sentence in ran.err, ran.err


def test_rows_that_are_missing_make_gaps(series, infoscope):
    frame = series.copy()
    frame.loc[7, "rain"] = np.nan
    frame.to_csv("gap.csv", index=False)
    ran = infoscope("drives", "gap.csv:0-3")
    assert ran.code == 2 and "rain" in ran.err and "--missing drop" in ran.err
    ran = infoscope("drives", "gap.csv:0-3", "--missing", "drop", "--time", "none")
    assert ran.code == 2 and "without times a lag would count across the gaps" in ran.err
    ran = infoscope("drives", "gap.csv:0-3", "--missing", "drop", "--time", "t")
    assert ran.code == 2 and "the step after row 6 is 1, others are 0.5" in ran.err and "future=" not in ran.err
    ran = infoscope("drives", "gap.csv:0-3", "--missing", "drop-columns", *QUICK)
    assert ran.code == 0 and "3 columns" in ran.out, ran.err
