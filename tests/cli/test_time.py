"""Times on the command line: what files say, what is said instead, and rows that are in no order."""

import json

import numpy as np
import pandas as pd
import pytest

from infoscope import Space, TwoNN, information_imbalance
from infoscope.anomalies import DensityAnomaly
from infoscope.density import PAk
from infoscope.dimension import ABIDE, BinaryID, Gride


def record(path):
    return json.loads(path.read_text(encoding="utf-8"))


@pytest.fixture
def models(tmp_path, monkeypatch):
    """Thirty models whose order means nothing, though neighbours in the file are alike, and whose file has times."""
    rng = np.random.default_rng(2)
    x = np.cumsum(rng.normal(size=(30, 3)), axis=0)
    frame = pd.DataFrame(x, columns=["a", "b", "c"])
    frame.insert(0, "frame", np.arange(1, 31))
    frame.to_csv(tmp_path / "models.csv", index=False)
    monkeypatch.chdir(tmp_path)
    return pd.read_csv("models.csv")[["a", "b", "c"]].to_numpy()


def test_counters_make_nothing_equivalent(tmp_path, monkeypatch, infoscope):
    monkeypatch.chdir(tmp_path)
    g = np.random.default_rng(0)
    x, y = (g.normal(size=(500, 2)) for _ in range(2))
    for name, values in (("x.dat", x), ("y.dat", y)):
        np.savetxt(name, np.c_[np.arange(1, 501), values], header="Frame phi psi", fmt=["%d", "%.9g", "%.9g"])
    ran = infoscope("compare", "x.dat", "y.dat", "--output", "r.json")
    assert ran.code == 0 and ran.out.count("note: x.dat, y.dat: 'Frame' is the time of the rows, no feature") == 1
    found = record(tmp_path / "r.json")["values"]
    assert found["a_to_b"] == pytest.approx(0.98, abs=0.01) and found["b_to_a"] == pytest.approx(1.05, abs=0.011)
    ran = infoscope("compare", "x.dat", "y.dat", "--time", "none", "--output", "r.json")
    found, truth = record(tmp_path / "r.json")["values"], information_imbalance(x, y)
    assert found["a_to_b"] == pytest.approx(truth.a_to_b, abs=1e-12) and found["exclusion_window"] == 0
    assert "column 'Frame' is left out" in ran.out and "time of the file" not in ran.out
    again = infoscope("rerun", "r.json")
    assert again.code == 0 and "--time none" in again.out and "reproduced" in again.out
    infoscope("dimension", "x.dat", "--method", "two-nn", "--output", "d.json")
    assert record(tmp_path / "d.json")["values"]["dimension"] == pytest.approx(1.90, abs=0.01)
    # the counter that was chosen is used, aloud
    ran = infoscope("dimension", "x.dat:0-2", "--method", "two-nn")
    assert "warning: x.dat: Frame says when or how a row was sampled" in ran.err


def test_models_are_no_trajectory(models, tmp_path, infoscope):
    refused = infoscope("dimension", "models.csv", "--method", "two-nn")
    assert refused.code == 2 and "thinned to one in" in refused.err and "--window 0" in refused.err, refused.err
    assert "which leaves" in refused.err and "of 30" in refused.err
    for method, estimator in (("two-nn", TwoNN(random_state=0)), ("gride", Gride(random_state=0)), ("abide", ABIDE())):
        truth = estimator.fit(models, exclusion_window=0).result_
        for options in (["--window", "0"], ["--time", "none", "--window", "0"]):
            ran = infoscope("dimension", "models.csv", "--method", method, *options, "--output", "d.json")
            assert ran.code == 0 and "than chance" not in ran.err, ran.err
            found = pd.DataFrame(record(tmp_path / "d.json")["table"])["dimension"]
            assert np.allclose(found, truth.dimension, rtol=1e-12)
    with pytest.warns(
        match="alike far more often than chance"
    ):  # the order is looked at where nothing is said about it
        loud = TwoNN().fit(models).result_
    assert loud.dimension == TwoNN(thin=None).fit(models).dimension_
    again = infoscope("rerun", "d.json")
    assert again.code == 0 and "--window 0" in again.out


def test_no_order_in_every_command(models, tmp_path, infoscope):
    space = Space(models, time=np.arange(1, 31))
    ran = infoscope("density", "models.csv", "--dimension", "3", "--window", "0", "--output", "d.json")
    truth = PAk(dimension=3, calibrate=True).fit(models, exclusion_window=0).result_
    table = pd.DataFrame(record(tmp_path / "d.json")["table"])
    assert ran.code == 0 and "trajectory" not in ran.err and "than chance" not in ran.err, ran.err
    assert np.allclose(table["log_density_se"], truth.log_density_se, rtol=1e-9)
    correlated = PAk(dimension=3).fit(space, exclusion_window=8.0).result_
    assert correlated.inefficiency > 1 and truth.inefficiency == 1
    assert np.allclose(correlated.log_density, truth.log_density, rtol=1e-12)
    np.savetxt("more.csv", models + 0.5, header="a,b,c", comments="", delimiter=",")
    ran = infoscope("anomalies", "models.csv", "more.csv", "--window", "0", "--output", "f.json")
    truth = DensityAnomaly(random_state=0).fit(models, models + 0.5, exclusion_window=0).result_
    found = record(tmp_path / "f.json")["values"]
    assert ran.code == 0 and truth.n_blocks == 0 and found["n_blocks"] == 0 and "than chance" not in ran.err, ran.err
    bits = (np.random.default_rng(0).random((300, 40)) < 0.5).astype(int)
    pd.DataFrame(bits).rename(columns=lambda c: f"s{c}").assign(step=np.arange(300)).to_csv("bits.csv", index=False)
    ran = infoscope("dimension", "bits.csv", "--binary", "--window", "0", "--output", "b.json")
    truth = BinaryID(block_length=1, alpha_max=0.4, random_state=0).fit(bits).result_
    assert ran.code == 0 and record(tmp_path / "b.json")["values"]["d0_se"] == pytest.approx(truth.d0_se, rel=1e-9)
    for command in ("compare", "select", "dimension", "density", "anomalies", "drives"):
        text = " ".join(infoscope(command, "--help").out.split())
        assert "--window" in text and "--date-format" in text and "none: not known" in text


def test_a_window_in_python(models):
    from infoscope.base import ParameterError

    space = Space(models, time=0.5 * np.arange(30))
    kept = TwoNN().fit(space, exclusion_window=1.0).result_
    assert kept.thinned == 2
    parts = [TwoNN().fit(Space(models[first::2]), exclusion_window=0).dimension_ for first in (0, 1)]
    assert kept.dimension == pytest.approx(np.mean(parts), rel=1e-12)
    for wrong in (-1, "soon", True, np.inf):
        for estimator in (TwoNN(), PAk()):
            with pytest.raises(ParameterError, match="exclusion_window is"):
                estimator.fit(space, exclusion_window=wrong)
    with pytest.raises(ParameterError, match="thin=2 and exclusion_window"):
        TwoNN(thin=2).fit(space, exclusion_window=0)
    with pytest.raises(ParameterError, match="block_length and exclusion_window"):
        DensityAnomaly(block_length=2).fit(space, space, exclusion_window=1)


def test_a_column_that_is_called_none(tmp_path, monkeypatch, infoscope):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(1)
    frame = pd.DataFrame(rng.normal(size=(50, 2)), columns=["x", "y"]).assign(none=0.5 * np.arange(50))
    frame.to_csv("n.csv", index=False)
    ran = infoscope("compare", "A=n.csv:x", "B=n.csv:y", "--time", "none", "--output", "r.json")
    assert ran.code == 0 and record(tmp_path / "r.json")["inputs"]["known_of_items"] == []
    assert "note: --time none: no time is used; the column called none is asked for by its number, n.csv:2" in ran.out
    ran = infoscope("compare", "A=n.csv:x", "B=n.csv:y", "--time", "n.csv:2", "--output", "s.json")
    assert ran.code == 0 and record(tmp_path / "s.json")["inputs"]["known_of_items"] == ["time"]


def test_dates_that_are_not_understood_are_asked_for(tmp_path, monkeypatch, infoscope):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(1)
    days = pd.date_range("2020-02-01", periods=11)
    frame = pd.DataFrame({"day": days.strftime("%d/%m/%Y"), "x": rng.normal(size=11), "y": rng.normal(size=11)})
    frame.to_csv("w.csv", index=False)
    spaces = ("A=w.csv:x", "B=w.csv:y")
    refused = infoscope("compare", *spaces, "--time", "day")
    assert refused.code == 2 and "read in 2 ways" in refused.err and "--date-format day-first" in refused.err
    ran = infoscope("compare", *spaces, "--time", "day", "--date-format", "day-first", "--window", "86400")
    assert ran.code == 0 and "window 1 day;" in ran.out
    months = infoscope("compare", *spaces, "--time", "day", "--date-format", "%m/%d/%Y", "--window", "86400")
    assert months.code == 0  # the second of every month
    frame.rename(columns={"day": "date"}).to_csv("w.csv", index=False)
    ran = infoscope("compare", *spaces, "--date-format", "day-first", "--window", "0", "--output", "r.json")
    assert "time of the file: 2020-02-01 to 2020-02-11" in ran.out
    assert "dates read as day, month, year" in ran.out
    again = infoscope("rerun", "r.json")
    assert again.code == 0 and "--date-format day-first" in again.out


def test_files_whose_times_differ_say_the_way_out(tmp_path, monkeypatch, infoscope):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(1)
    for name, first in (("a", 0), ("b", 5)):
        frame = pd.DataFrame(rng.normal(size=(40, 2)), columns=["x", "y"]).assign(time=first + np.arange(40))
        frame.to_csv(f"{name}.csv", index=False)
    refused = infoscope("compare", "a.csv", "b.csv")
    assert refused.code == 2 and "disagree in their time, first in row 0 of a.csv: 0.0 and 5.0" in refused.err
    assert "--time none" in refused.err and infoscope("compare", "a.csv", "b.csv", "--time", "none").code == 0


def test_a_stride_of_its_own_is_matched_by_time(tmp_path, monkeypatch, infoscope):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(3)
    t = 0.2 * np.arange(601)
    x, y = rng.normal(size=601), rng.normal(size=601)
    bias = 0.3 * rng.normal(size=601)
    lines = "".join(f"{a:.3f} {b:.9f} {c:.9f}\n" for a, b, c in zip(t, x, bias, strict=True))
    (tmp_path / "COLVAR").write_text("#! FIELDS time x metad.rbias\n" + lines)
    (tmp_path / "y.xvg").write_text(
        '@ xaxis label "Time (ps)"\n@ s0 legend "y"\n'
        + "".join(f"{a:.3f} {b:.9f}\n" for a, b in zip(t[::5], y[::5], strict=True))
    )
    options = ("--log-weights", "metad.rbias", "--kT", "1", "--window", "0")
    ran = infoscope("compare", "A=COLVAR", "B=y.xvg", *options, "--output", "r.json")
    assert ran.code == 0, ran.err
    assert "note: COLVAR: 121 of 601 rows have the times of the other files; the rest is left out" in ran.out
    weights, time = np.exp(bias[::5]), t[::5]
    a, b = (Space(v[::5, None].round(9), sample_weight=weights, time=time) for v in (x, y))
    truth = information_imbalance(a, b, exclusion_window=0, random_state=0)
    found = record(tmp_path / "r.json")["values"]
    assert found["n_items"] == 121 and found["a_to_b"] == pytest.approx(truth.a_to_b, rel=1e-9)
    (tmp_path / "y.xvg").write_text(
        '@ xaxis label "Time (ps)"\n@ s0 legend "y"\n' + "".join(f"{0.3 * i:.3f} {y[i]:.9f}\n" for i in range(200))
    )
    ran = infoscope("compare", "A=COLVAR", "B=y.xvg")
    assert ran.code == 2 and "do not meet: row 1 of y.xvg was seen at 0.3" in ran.err


def test_walkers_are_told_apart(tmp_path, monkeypatch, infoscope):
    monkeypatch.chdir(tmp_path)
    x = np.random.default_rng(4).normal(size=(3, 60, 2)).round(6)
    lines = [f"{t} {w} {x[w, t, 0]:.6f} {x[w, t, 1]:.6f}\n" for t in range(60) for w in range(3)]
    (tmp_path / "COLVAR").write_text("#! FIELDS time walker x y\n" + "".join(lines))
    told = infoscope("compare", "A=COLVAR:x", "B=COLVAR:y", "--time", "none")
    assert told.code == 0
    ran = infoscope("compare", "A=COLVAR:x", "B=COLVAR:y", "--run", "walker", "--window", "3", "--output", "r.json")
    assert ran.code == 0, ran.err
    flat = x.transpose(1, 0, 2).reshape(-1, 2)
    known = {"run": np.tile([0, 1, 2], 60), "time": np.repeat(np.arange(60), 3)}
    a, b = (Space(flat[:, [i]], **known) for i in (0, 1))
    truth = information_imbalance(a, b, exclusion_window=3, random_state=0)
    assert record(tmp_path / "r.json")["values"]["a_to_b"] == pytest.approx(truth.a_to_b, rel=1e-12)
    told = infoscope("compare", "A=COLVAR:x", "B=COLVAR:y")
    assert "holds the same times for each 'walker': --run walker tells these runs apart" in told.out
    assert infoscope("rerun", "r.json").code == 0


def test_rows_that_are_there_twice(tmp_path, monkeypatch, infoscope):
    monkeypatch.chdir(tmp_path)
    x = np.random.default_rng(5).normal(size=(400, 4)).round(6)
    frame = pd.DataFrame(x, columns=list("abcd"))
    frame.to_csv("once.csv", index=False)
    frame.to_csv("copy.csv", index=False)
    pd.concat([frame, frame]).to_csv("twice.csv", index=False)
    pd.concat([frame, frame[:40]]).to_csv("some.csv", index=False)
    ran = infoscope("compare", "A=once.csv:a,b", "A=copy.csv:a,b", "B=once.csv:c,d", "B=copy.csv:c,d")
    assert ran.code == 2 and "copy.csv and once.csv have the same contents" in ran.err
    ran = infoscope("dimension", "once.csv", "once.csv")
    assert ran.code == 2 and "once.csv is given twice" in ran.err
    ran = infoscope("compare", "A=twice.csv:a,b", "B=twice.csv:c,d", "--window", "0", "--output", "r.json")
    assert ran.code == 0 and "warning: 400 of 800 rows repeat another one in both spaces: a file" in ran.err
    assert any(text.startswith("400 of 800 rows") for text in record(tmp_path / "r.json")["warnings"])
    ran = infoscope("compare", "A=some.csv:a,b", "B=some.csv:c,d", "C=some.csv:a", "--window", "0")
    assert "warning: 40 of 440 rows repeat another one in every space" in ran.err
    ran = infoscope("select", "twice.csv:a,b,c", "--target", "d", "--window", "0")
    assert "400 of 800 rows repeat another one" in ran.err, ran.err
    for command in (["dimension", "twice.csv"], ["density", "twice.csv", "--dimension", "4", "--method", "k-star"]):
        ran = infoscope(*command, "--window", "0")
        assert ran.code == 0 and "400 of 800" in ran.err, ran.err
    ran = infoscope("anomalies", "once.csv", "twice.csv", "--window", "0")
    assert "400 of 800 rows repeat another one of the test sample" in ran.err
