"""From files of simulations to results: what the command gives is what arrays passed by hand give."""

import json

import numpy as np
import pandas as pd
import pytest

from infoscope import Space, information_imbalance
from infoscope.cli.inputs.energies import thermal_energy
from infoscope.cli.options import Items

KT = 8.31446261815324e-3 * 300


def trajectory(n, seed):
    """A slow angle, a second one that follows it, a distance, and a bias on the first."""
    rng = np.random.default_rng(seed)
    steps = rng.normal(size=(n, 3))
    slow = np.empty((n, 3))
    slow[0] = steps[0]
    for t in range(1, n):
        slow[t] = 0.8 * slow[t - 1] + 0.6 * steps[t]
    phi = (1.5 * slow[:, 0] + np.pi) % (2 * np.pi) - np.pi
    psi = (0.7 * phi + slow[:, 1] + np.pi) % (2 * np.pi) - np.pi
    return np.round(np.c_[phi, psi, 0.3 + 0.1 * np.sin(phi) + 0.05 * slow[:, 2], 2 * np.cos(phi)], 6)


def write_colvar(path, times, values, shift=0.0):
    limits = "".join(f"#! SET min_{name} -pi\n#! SET max_{name} pi\n" for name in ("phi", "psi"))
    lines = [
        " ".join([f"{t:.6f}", *(f"{x:.6f}" for x in row[:3] + shift), f"{row[3]:.6f}"])
        for t, row in zip(times, values, strict=True)
    ]
    with open(path, "a") as file:
        file.write(f"#! FIELDS time phi psi d metad.bias\n{limits}" + "\n".join(lines) + "\n")


@pytest.fixture
def colvars(tmp_path, monkeypatch):
    """Two runs, the second one interrupted; and what they hold without the interruption."""
    first, second = trajectory(300, 1), trajectory(220, 2)
    write_colvar(tmp_path / "COLVAR.0", 0.2 * np.arange(300), first)
    write_colvar(tmp_path / "COLVAR.1", 0.2 * np.arange(130), second[:130], shift=0.01)  # rows from 100 on do not stand
    second[:100, :3] = np.round(second[:100, :3] + 0.01, 6)
    write_colvar(tmp_path / "COLVAR.1", 0.2 * np.arange(100, 220), second[100:])
    monkeypatch.chdir(tmp_path)
    return np.vstack([first, second]), np.repeat([0, 1], [300, 220]), 0.2 * np.r_[np.arange(300), np.arange(220)]


def numbers(path):
    return json.loads(path.read_text(encoding="utf-8"))["values"]


PIECES = [item for i in (0, 1) for item in ("--space", f"A=COLVAR.{i}:phi,psi", "--space", f"B=COLVAR.{i}:d")]


def test_pieces_bias_periods_and_times_give_the_numbers_of_arrays(colvars, tmp_path, infoscope):
    values, run, time = colvars
    ran = infoscope("compare", *PIECES, "--log-weights", "metad.bias", "--kT", "300K", "--output", "r.json")
    assert ran.code == 0, ran.err
    bias = values[:, 3]
    known = {"time": time, "run": run, "sample_weight": np.exp((bias - bias.max()) / KT)}
    a = Space(values[:, :2], period=2 * np.pi, feature_names=["phi", "psi"], name="A", **known)
    b = Space(values[:, 2:3], feature_names=["d"], name="B", **known)
    truth = information_imbalance(a, b, random_state=0)
    found = numbers(tmp_path / "r.json")
    for name in ("a_to_b", "a_to_b_se", "b_to_a", "b_to_a_se", "n_kish", "exclusion_window", "correlation_time"):
        assert found[name] == pytest.approx(getattr(truth, name), rel=1e-12), name
    assert found["n_items"] == 520 and found["k"] == truth.k == 10 and found["exclusion_window"] > 0
    # the weights and the window each matter: without one of them the number is another
    bare = information_imbalance(a.replace(sample_weight=None), b.replace(sample_weight=None), random_state=0, k=10)
    for other in (bare, information_imbalance(a, b, random_state=0, exclusion_window=0)):
        assert abs(other.a_to_b - found["a_to_b"]) > 1e-4


def test_the_files_are_told(colvars, tmp_path, infoscope):
    ran = infoscope("compare", *PIECES, "--log-weights", "metad.bias", "--kT", "2.494", "--output", "r.json")
    first = ran.out.splitlines()[0]
    assert "COLVAR.0, COLVAR.1 (2 runs): 2 columns (phi, psi)" in first
    assert "periods of the file: all 6.28319" in first and "time of the file: 0 to 59.8" in first
    assert (
        "520 items" in ran.out and "note: COLVAR.1: the run was restarted at time 20 (line 141); 30 earlier" in ran.out
    )
    assert "note: weights exp((metad.bias) / 2.494): 520 rows are worth" in ran.out
    inputs = json.loads((tmp_path / "r.json").read_text())["inputs"]
    assert inputs["items"] == {"log-weights": "metad.bias", "kT": "2.494"} and len(inputs["notes"]) == 3
    assert ran.out.count("note: COLVAR.0, COLVAR.1: 'time' is the time of the rows, no feature") == 1
    assert inputs["known_of_items"] == ["run", "sample_weight", "time"] and inputs["rows"]["left_out"] is None
    assert inputs["spaces"][0]["period"] == [2 * np.pi] * 2


def test_what_is_said_replaces_what_the_file_says(colvars, tmp_path, infoscope):
    values, run, _ = colvars
    np.save("t.npy", np.arange(520.0) % 300)
    ran = infoscope(
        *("compare", *PIECES, "--time", "t.npy", "--period", "phi=none", "--log-weights", "metad.bias", "--kT", "2.5"),
        *("--output", "r.json"),
    )
    assert ran.code == 0 and "of the file" not in ran.out and "periods: psi 6.28319" in ran.out
    known = {"time": np.load("t.npy"), "run": run, "sample_weight": np.exp((values[:, 3] - values[:, 3].max()) / 2.5)}
    a = Space(values[:, :2], period=[0, 2 * np.pi], period_check=False, **known)
    truth = information_imbalance(a, Space(values[:, 2:3], **known), random_state=0)
    assert numbers(tmp_path / "r.json")["a_to_b"] == pytest.approx(truth.a_to_b, rel=1e-12)


def test_parts_of_one_run(tmp_path, monkeypatch, infoscope):
    values, times = trajectory(260, 7), 0.5 * np.arange(260)
    monkeypatch.chdir(tmp_path)
    write_colvar(tmp_path / "C.0", times[:140], values[:140])
    write_colvar(tmp_path / "C.1", times[120:], values[120:], shift=0.02)
    np.save("d.npy", np.r_[values[:140, 2:3], values[120:, 2:3]])
    parts = ("A=C.0:phi,psi", "A=C.1:phi,psi", "B=d.npy")
    bias = ("--log-weights", "metad.bias", "--kT", "2.5")
    ran = infoscope("compare", *parts, *bias, "--join", "one", "--output", "one.json")
    assert ran.code == 0 and "C.0, C.1 (2 parts of one run)" in ran.out and "260 items" in ran.out
    assert "note: C.1 goes on from time 60; 20 rows of the files in front of it" in ran.out and ran.err == ""
    values[120:, :2] = np.round(values[120:, :2] + 0.02, 6)
    known = {"time": times, "sample_weight": np.exp(values[:, 3] / 2.5)}
    a, b = Space(values[:, :2], period=2 * np.pi, **known), Space(values[:, 2:3], **known)
    truth = information_imbalance(a, b, random_state=0)
    assert numbers(tmp_path / "one.json")["a_to_b"] == pytest.approx(truth.a_to_b, rel=1e-12)
    record = json.loads((tmp_path / "one.json").read_text())
    assert record["inputs"]["rows"]["left_out"] == "120-139" and record["inputs"]["items"]["join"] == "one"
    ran = infoscope("compare", *parts, *bias)
    assert ran.code == 0 and "(2 runs)" in ran.out and "280 items" in ran.out
    assert (
        ran.err.count("warning: C.1 begins at time 60, within or right behind C.0") == 1
        and "say --join one. As runs" in ran.err
    )


def test_a_time_step_goes_on_over_the_parts(folder, infoscope):
    pieces = [item for i in (0, 1) for item in (f"A=run{i}.npy", f"B=target{i}.npy")]
    ran = infoscope("compare", *pieces, "--time", "0.5", "--join", "one", "--window", "3", "--output", "r.json")
    a, b = (np.concatenate([np.load(f"{name}{i}.npy") for i in (0, 1)]) for name in ("run", "target"))
    time = 0.5 * np.arange(120)
    truth = information_imbalance(Space(a, time=time), Space(b, time=time), exclusion_window=3, random_state=0)
    assert ran.code == 0 and numbers(folder / "r.json")["a_to_b"] == pytest.approx(truth.a_to_b, rel=1e-12)
    for options, parts in [
        (["--join", "one"], "--join one needs times"),
        (["--join", "two"], "--join is 'runs' or 'one', not 'two'"),
        (["--join", "one", "--run", "items.csv:part"], "leave out --run"),
    ]:
        ran = infoscope("compare", *pieces, *options)
        assert ran.code == 2 and parts in ran.err
    ran = infoscope("compare", "x.npy", "y.npy", "--time", "1", "--join", "one")
    assert ran.code == 2 and "needs a space in several parts" in ran.err


def test_one_space_that_knows_the_times_is_enough(colvars, tmp_path, infoscope):
    values, *_ = colvars
    np.save("d.npy", values[:300, 2:3])
    ran = infoscope("compare", "A=COLVAR.0:phi,psi", "B=d.npy", "--output", "r.json")
    assert ran.code == 0 and ran.out.count("time of the file") == 1
    a = Space(values[:300, :2], period=2 * np.pi, time=0.2 * np.arange(300))
    truth = information_imbalance(a, Space(values[:300, 2:3], time=0.2 * np.arange(300)), random_state=0)
    assert numbers(tmp_path / "r.json")["a_to_b"] == pytest.approx(truth.a_to_b, rel=1e-12)
    assert "--window" not in ran.err and truth.exclusion_window > 0


def test_rows_with_missing_values_go_from_all_spaces(folder, infoscope):
    rng = np.random.default_rng(3)
    x, y, w = rng.normal(size=(60, 2)), rng.normal(size=(60, 1)), rng.uniform(0.5, 1.5, 60)
    x[[3, 10], [0, 1]] = np.nan
    y[[10, 20]] = np.nan
    w[30] = np.nan
    kind = np.where(np.arange(60) % 2, "odd", "even").astype(object)
    kind[40] = ""
    np.save("x.npy", x)
    np.save("w.npy", w)
    lines = [f"{'' if np.isnan(v) else repr(float(v))},{name}" for v, name in zip(y[:, 0], kind, strict=True)]
    (folder / "y.csv").write_text("y,kind\n" + "\n".join(lines) + "\n")
    refused = infoscope("compare", "x.npy", "B=y.csv:y")
    assert refused.code == 2 and "row 3 " in refused.err and "--missing drop" in refused.err
    pieces = ("A=x.npy", "B=y.csv:y", "--weights", "w.npy", "--labels", "kind", "--window", "0")
    ran = infoscope("compare", *pieces, "--missing", "drop", "--output", "r.csv", "--output", "r.json")
    assert ran.code == 0 and "55 items" in ran.out and ran.out.count("note: ") == 1
    assert "note: 5 of 60 rows with missing values were left out of all spaces (the first is row 3 of x.npy)" in ran.out
    kept = np.setdiff1d(np.arange(60), [3, 10, 20, 30, 40])
    a, b = (Space(values[kept], sample_weight=w[kept]) for values in (x, y))
    truth = information_imbalance(a, b, exclusion_window=0)
    record = json.loads((folder / "r.json").read_text())
    pair = next(row for row in record["table"] if (row["name_a"], row["name_b"]) == ("A", "B"))
    assert pair["a_to_b"] == pytest.approx(truth.a_to_b, rel=1e-12)
    assert record["inputs"]["rows"]["left_out"] == "3,10,20,30,40"


def test_a_missing_bias_or_label_goes_too(folder, infoscope):
    rng = np.random.default_rng(5)
    x, bias = rng.normal(size=(60, 3)), 0.3 * rng.normal(size=60)
    bias[7] = np.nan
    table = pd.DataFrame(x, columns=["a", "b", "c"]).assign(bias=bias, kind=np.where(x[:, 0] > 0, "u", "v"))
    table.loc[9, "kind"] = ""
    table.to_csv(folder / "t.csv", index=False)
    spaces = ("A=t.csv:a,b", "B=t.csv:c", "--log-weights", "bias", "--labels", "kind", "--window", "0")
    assert infoscope("compare", *spaces).code == 2
    ran = infoscope("compare", *spaces, "--missing", "drop", "--output", "r.json")
    assert ran.code == 0 and "note: 2 of 60 rows with missing values" in ran.out, ran.err
    kept = np.setdiff1d(np.arange(60), [7, 9])
    w = np.exp(bias[kept])
    truth = information_imbalance(
        Space(x[kept, :2], sample_weight=w), Space(x[kept, 2:], sample_weight=w), exclusion_window=0
    )
    table = json.loads((folder / "r.json").read_text())["table"]
    pair = next(row for row in table if (row["name_a"], row["name_b"]) == ("A", "B"))
    assert pair["a_to_b"] == pytest.approx(truth.a_to_b, rel=1e-12)


def test_missing_rows_of_a_piece_keep_the_runs(folder, infoscope):
    x = np.random.default_rng(4).normal(size=(80, 3))
    x[50, 0] = np.nan
    np.save("p0.npy", x[:45, :2])
    np.save("p1.npy", x[45:, :2])
    np.save("y.npy", x[:, 2:])
    ran = infoscope(
        *("compare", "A=p0.npy", "A=p1.npy", "B=y.npy", "--missing", "drop", "--time", "0.5", "--window", "2"),
        *("--output", "r.json"),
    )
    assert ran.code == 0, ran.err
    kept = np.delete(np.arange(80), 50)
    run, time = np.repeat([0, 1], [45, 35])[kept], 0.5 * np.r_[np.arange(45), np.arange(35)][kept]
    a, b = Space(x[kept, :2], run=run, time=time), Space(x[kept, 2:], run=run, time=time)
    truth = information_imbalance(a, b, exclusion_window=2, random_state=0)
    assert numbers(folder / "r.json")["a_to_b"] == pytest.approx(truth.a_to_b, rel=1e-12)


def test_a_gromacs_file_beside_a_plumed_file(colvars, tmp_path, infoscope):
    values, *_ = colvars
    head = '@ xaxis label "Time (ps)"\n@ yaxis label "Distance (nm)"\n@ s0 legend "d"\n'

    def xvg(times):
        (tmp_path / "d.xvg").write_text(
            head + "".join(f"{t:.3f} {d:.6f}\n" for t, d in zip(times, values[:300, 2], strict=True))
        )

    xvg(0.2 * np.arange(300))
    assert infoscope("compare", "A=COLVAR.0:phi,psi", "B=d.xvg").code == 0
    xvg(0.2 * np.arange(300) + (np.arange(300) > 200))
    ran = infoscope("compare", "A=COLVAR.0:phi,psi", "B=d.xvg")
    assert ran.code == 2 and "A and B disagree in their time, first in row 201 of COLVAR.0: 40.2 and 41.2" in ran.err
    assert infoscope("compare", "A=COLVAR.0:phi,psi", "B=d.xvg", "--time", "0.2").code == 0


@pytest.mark.parametrize(
    ("options", "parts"),
    [
        (["--kT", "2.5"], ["--kT needs the bias: --log-weights COLUMN"]),
        (["--log-weights", "metad.bias", "--kT", "warm"], ["--kT is a number", "300K", "not 'warm'"]),
        (["--log-weights", "metad.bias", "--kT", "-1"], ["--kT is a number"]),
        (["--log-weights", "metad.bias", "--weights", "d"], ["--weights and --log-weights: give one"]),
        (["--log-weights", "metad.bia"], ["--log-weights metad.bia: neither a column", "Did you mean 'metad.bias'"]),
        (["--log-weights", "nan.npy"], ["--log-weights nan.npy: the bias of row 0", "--missing drop"]),
        (["--log-weights", "spike.npy"], ["the weights leave 5.0 effective items", "reweight less, sample more"]),
        (["--missing", "ignore"], ["--missing is 'raise', 'drop' or 'drop-columns', not 'ignore'"]),
        (["--period", "phi=360deg"], ["phi", "radians", "pass --period 2pi"]),
    ],
)
def test_bad_options(colvars, infoscope, options, parts):
    np.save("nan.npy", np.full(520, np.nan))
    np.save("spike.npy", np.where(np.arange(520) % 104, 0.0, 20.0))  # five rows
    ran = infoscope("compare", *PIECES, *options)
    line = ran.err.strip().splitlines()[-1]
    assert ran.code == 2 and line.startswith("infoscope: error: ") and all(part in line for part in parts), ran.err


def test_few_effective_rows_warn(colvars, infoscope):
    np.save("spikes.npy", np.where(np.arange(520) % 40, 0.0, 20.0))  # thirteen rows
    ran = infoscope("compare", *PIECES, "--log-weights", "spikes.npy", "--kT", "1")
    assert ran.code == 0 and ran.err.count("effective rows") == 1
    assert "warning: the weights exp(spikes.npy) leave 13.0 effective rows of 520" in ran.err


def test_a_bias_is_no_weight(colvars, infoscope):
    ran = infoscope("compare", *PIECES, "--weights", "metad.bias")
    assert "is an energy and no weight. Was --log-weights metad.bias --kT 300K meant?" in ran.err
    ran = infoscope("compare", *PIECES, "--log-weights", "metad.bias")
    assert "for an energy, give kT as well" in ran.out.replace("--kT", "kT")
    ran = infoscope("compare", *PIECES, "--log-weights", "metad.bias", "--kT", "300")
    assert ran.code == 0 and "the temperature is written --kT 300K" in ran.err
    assert "temperature" not in infoscope("compare", *PIECES, "--log-weights", "metad.bias", "--kT", "300K").err


def test_lines_that_a_restart_replaced_are_named_where_numbers_differ(colvars, infoscope):
    np.save("raw.npy", np.zeros((250, 1)) + np.arange(250)[:, None])  # one row for every line of the file
    ran = infoscope("compare", "A=COLVAR.1:phi", "B=raw.npy")
    assert ran.code == 2 and "has 220 rows" in ran.err and "30 earlier rows" in ran.err


def test_numbered_files_keep_their_numbers(colvars, infoscope):
    with open("COLVAR.0") as file:
        lines = file.readlines()
    with open("COLVAR.2", "w") as file:
        file.writelines(lines)
    ran = infoscope("compare", "COLVAR.0:phi,psi", "COLVAR.2:d")
    assert ran.code == 0 and ran.out.startswith("COLVAR.0  COLVAR.0: 2 columns") and "COLVAR.2" in ran.out


def kT_of(**said):
    return thermal_energy(Items(bias="V", **said)).kT


def test_temperatures():
    assert kT_of() is None and kT_of(kT="2.5") == 2.5
    assert kT_of(kT="300K") == kT_of(kT="300 K") == pytest.approx(2.4943, abs=1e-4)  # kJ/mol, as tables give it
