"""``infoscope density``: the numbers of the library, from a file to a record that can be run again."""

import json
from pathlib import Path

import numpy as np
import pytest

import infoscope as library
from infoscope.density import BMTI, DensityPeaks, KNNDensity, KStarNN, PAk
from infoscope.neighbors import Space


@pytest.fixture
def torsions(tmp_path, monkeypatch):
    """Two states of two angles, with weights."""
    monkeypatch.chdir(tmp_path)
    g = np.random.default_rng(0)
    x = np.r_[g.normal(0, 0.4, (300, 2)), g.normal(np.pi, 0.4, (300, 2))]
    x, weight = np.mod(x + np.pi, 2 * np.pi) - np.pi, g.uniform(0.5, 1.5, 600)
    np.savetxt("angles.csv", np.c_[x, weight], delimiter=",", header="phi,psi,w", comments="")
    return Space(np.loadtxt("angles.csv", delimiter=",", skiprows=1)[:, :2], period=2 * np.pi, sample_weight=weight)


ANGLES = ["angles.csv:phi,psi", "--period", "2pi", "--weights", "w"]


@pytest.mark.parametrize(
    ("options", "estimator"),
    [
        (["--dimension", "2"], PAk(dimension=2)),
        (["--method", "k-star", "--max-neighbors", "50"], KStarNN(max_neighbors=50)),
        (["--method", "knn", "--dimension", "2"], KNNDensity(dimension=2)),
        (["--method", "bmti", "--dimension", "2", "--max-neighbors", "auto"], BMTI(dimension=2)),
    ],
)
def test_values_of_the_library(torsions, infoscope, options, estimator):
    ran = infoscope(
        "density",
        *ANGLES,
        *options,
        "--units",
        "kJ/mol",
        "--temperature",
        "350",
        "--output",
        "out.json",
        "--output",
        "out.npz",
        "--plot",
        "out.png",
    )
    assert ran.code == 0, ran.err
    table = json.loads(Path("out.json").read_text())["table"]
    fitted = estimator.fit(torsions)
    value, error = fitted.free_energy(350, "kJ/mol")
    # weights go through text with 18 digits
    np.testing.assert_allclose([row["free_energy"] for row in table], value, atol=1e-9)
    np.testing.assert_allclose([row["free_energy_se"] for row in table], error, rtol=1e-9)
    np.testing.assert_allclose(library.load("out.npz").log_density, fitted.log_density_, atol=1e-9)
    again = infoscope("rerun", "out.json")
    assert again.code == 0 and "reproduced" in again.out


def test_states(torsions, infoscope):
    ran = infoscope(
        "density",
        *ANGLES,
        "--dimension",
        "2",
        "--states",
        "--z",
        "3",
        "--output",
        "out.json",
        "--output",
        "out.npz",
        "--plot",
        "out.png",
    )
    assert ran.code == 0, ran.err
    found = DensityPeaks(3, density=PAk(dimension=2, calibrate=False)).fit(torsions)
    table = json.loads(Path("out.json").read_text())["table"]
    assert len(table) == 2 and [row["center"] for row in table] == found.centers_.tolist()
    assert [row["population"] for row in table] == pytest.approx(found.populations_.tolist())
    np.testing.assert_array_equal(library.load("out.npz").labels, found.labels_)
    errors = [row["peak_log_density_se"] for row in table]  # the claimed ones: the noise alone
    assert errors == pytest.approx(found.peak_log_density_se_.tolist())
    assert "2 states" in ran.out


def test_bias_in_the_units_of_the_energies(tmp_path, monkeypatch, infoscope):
    """A potential in kcal/mol at 310 K is the same as one in kT; weights that the file names are left alone."""
    monkeypatch.chdir(tmp_path)
    g = np.random.default_rng(1)
    x = g.normal(size=(400, 2))
    potential = 0.5 * (x**2).sum(1)  # in kT: the sample is Gaussian where nature is flat
    kt = 8.31446261815324e-3 / 4.184 * 310
    np.savetxt("x.csv", np.c_[x, potential * kt], delimiter=",", header="x,y,metad.bias", comments="")
    options = ("--dimension", "2", "--units", "kcal/mol", "--temperature", "310", "--bias", "metad.bias")
    ran = infoscope("density", "x.csv", *options, "--output", "out.json", "--output", "out.npz")
    assert ran.code == 0 and "2 columns (x, y)" in ran.out, ran.err
    fitted = PAk(dimension=2).fit(x, bias=potential)
    np.testing.assert_allclose(library.load("out.npz").log_density, fitted.log_density_, atol=1e-9)
    again = infoscope("rerun", "out.json")
    assert again.code == 0 and "reproduced" in again.out
    ran = infoscope("density", "x.csv", "--dimension", "2", "--bias", "metad.bias")
    assert ran.code == 0 and "add --units kJ/mol" in ran.err
    np.savetxt("v.txt", potential[::2] * kt)
    ran = infoscope("density", "x.csv:x,y", "--bias", "v.txt")
    assert ran.code == 2 and "200 values" in ran.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "a file is needed"),
        (["angles.csv", "--method", "kde"], "--method"),
        (["angles.csv", "--units", "eV"], "units"),
        (["angles.csv", "--units", "kJ/mol", "--temperature", "-5"], "temperature"),
        (["angles.csv", "--halo"], "--halo goes with --states"),
        (["angles.csv", "--dimension", "0"], "dimension"),
        (["angles.csv", "--max-neighbors", "many"], "'auto' or a number of at least 4, not 'many'"),
        (["angles.csv", "--max-neighbors", "3"], "at least 4"),
        (["angles.csv", "--method", "knn", "--max-neighbors", "30"], "does not go with knn"),
        (["angles.csv:phi,psi", "--weights", "w", "--bias", "w"], "give one of them"),
        (["angles.csv:phi,psi", "--bias", "height"], "--bias height"),
    ],
)
def test_bad_input(torsions, infoscope, arguments, message):
    ran = infoscope("density", *arguments)
    assert ran.code == 2 and message in ran.err and "Traceback" not in ran.err


# --------------------------------------------------------------------------------------------------------- new rows
@pytest.fixture
def two_states(tmp_path, monkeypatch):
    """Data with columns of different widths and one that is no feature; new rows that the library judges too."""
    monkeypatch.chdir(tmp_path)
    g = np.random.default_rng(2)
    x = np.r_[g.normal(size=(300, 2)), g.normal(size=(300, 2)) + 7] * [1.0, 10.0]
    np.savetxt("known.csv", np.c_[x, g.uniform(size=600)], delimiter=",", header="a,b,noise", comments="")
    new = np.r_[g.normal(size=(20, 2)), g.normal(size=(20, 2)) + 7, [[3.4, 3.6]]] * [1.0, 10.0]
    known = Space(np.loadtxt("known.csv", delimiter=",", skiprows=1)[:, :2], scale="standard")
    return known, new


KNOWN = ["known.csv:a,b", "--scale", "standard", "--dimension", "2", "--states", "--z", "3"]


def test_new_rows_get_the_states_of_the_library(two_states, infoscope):
    """Columns by name in another order, with one that nobody asked for; the scale is that of the data."""
    pandas = pytest.importorskip("pandas")
    known, new = two_states
    np.savetxt("new.csv", np.c_[new[:, 1], np.arange(41) % 7, new[:, 0]], delimiter=",", header="b,x,a", comments="")
    ran = infoscope("density", *KNOWN, "--predict", "new.csv", "--output", "out.csv", "--output", "out.json")
    assert ran.code == 0, ran.err
    peaks = DensityPeaks(3, density=PAk(dimension=2, calibrate=False)).fit(known)
    asked = Space(np.loadtxt("new.csv", delimiter=",", skiprows=1)[:, [2, 0]], feature_weights=known.feature_weights)
    probability = peaks.predict_proba(asked)
    table = pandas.read_csv("out.csv")
    assert table["state"].tolist() == probability.argmax(1).tolist()
    np.testing.assert_allclose(table["probability"], probability.max(1), atol=1e-12)
    strict = DensityPeaks(3, halo=True, density=PAk(dimension=2, calibrate=False)).fit(known)
    assert table["halo"].tolist() == (strict.predict(asked) < 0).tolist()
    assert table["row"].tolist() == list(range(41)) and set(table["file"]) == {"new.csv"}
    assert len(set(table["state"][:20])) == len(set(table["state"][20:40])) == 1  # the truth: two clusters
    assert table["state"][0] != table["state"][20]
    assert "41 new rows: " in ran.out and "row 40 of new.csv" in ran.out  # the one in the middle is least sure
    assert [one["name"] for one in json.loads(Path("out.json").read_text())["files"]] == ["known.csv", "new.csv"]


def test_rows_of_the_data_keep_their_states(two_states, infoscope):
    pandas = pytest.importorskip("pandas")
    ran = infoscope("density", *KNOWN, "--output", "own.csv")
    ran = infoscope("density", *KNOWN, "--predict", "known.csv", "--output", "new.csv")
    assert ran.code == 0, ran.err
    own, new = (pandas.read_csv(name) for name in ("own.csv", "new.csv"))
    assert own["state"].tolist() == new["state"].tolist() and (new["probability"] == 1).all()


def test_new_rows_with_a_bias_need_theirs(two_states, infoscope):
    known, new = two_states
    g = np.random.default_rng(0)
    np.savetxt("known.csv", np.c_[known.features, g.uniform(size=600)], delimiter=",", header="a,b,v", comments="")
    np.savetxt("new.csv", np.c_[new, np.zeros(41)], delimiter=",", header="a,b,v", comments="")
    options = ["known.csv:a,b", "--dimension", "2", "--states", "--bias", "v"]
    ran = infoscope("density", *options, "--predict", "new.csv")
    assert ran.code == 0 and "41 new rows" in ran.out, ran.err
    np.savetxt("new.csv", new, delimiter=",", header="a,b", comments="")
    ran = infoscope("density", *options, "--predict", "new.csv")
    assert ran.code == 2 and "v" in ran.err


@pytest.mark.parametrize(
    ("header", "arguments", "said"),
    [
        ("a,c", [], "'b'"),  # a column is missing
        ("a [nm],b", [], "'a'"),  # another unit in the header is another column
        ("a,b", [":a"], "different columns"),
    ],
)
def test_new_rows_of_other_columns_are_refused(two_states, infoscope, header, arguments, said):
    _, new = two_states
    np.savetxt("new.csv", new, delimiter=",", header=header, comments="")
    ran = infoscope("density", *KNOWN, "--predict", "".join(["new.csv", *arguments]))
    assert ran.code == 2 and said in ran.err, ran.err


def test_new_rows_in_other_units_are_refused(two_states, infoscope):
    """GROMACS writes units into .xvg files."""
    known, new = two_states
    for name, values, unit in (("known.xvg", known.features, "nm"), ("new.xvg", new, "A")):
        rows = "\n".join(" ".join(f"{v:.6f}" for v in (i, *row)) for i, row in enumerate(values))
        names = '@ s0 legend "a"\n@ s1 legend "b"\n'
        Path(name).write_text(f'@ xaxis label "Time (ps)"\n@ yaxis label "Distance ({unit})"\n{names}{rows}\n')
    ran = infoscope("density", "known.xvg", "--dimension", "2", "--states", "--window", "0", "--predict", "new.xvg")
    assert ran.code == 2 and "units" in ran.err, ran.out + ran.err


def test_new_rows_go_with_states(two_states, infoscope):
    ran = infoscope("density", "known.csv", "--predict", "known.csv")
    assert ran.code == 2 and "goes with --states" in ran.err
