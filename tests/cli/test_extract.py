"""``infoscope extract``: structures and rows of states, regions and tables, as MDAnalysis and pandas read the files."""

import warnings

import MDAnalysis as mda
import numpy as np
import pandas as pd
import pytest
from tests.io.peptide import frames, universe, write

LENGTHS = (90, 70, 100)


@pytest.fixture(scope="module")
def pieces(tmp_path_factory):
    """Three pieces of a trajectory, and the density of their torsions from frame 20 on, every third."""
    folder = tmp_path_factory.mktemp("pieces")
    _, _, positions, labels = frames(sum(LENGTHS))
    rng = np.random.default_rng(0)
    positions = positions + rng.uniform(-3, 3, (len(positions), 1, 3))  # no two frames at one place
    first = 0
    for number, length in enumerate(LENGTHS):
        part = universe(positions[first : first + length], labels, dt=2.0)
        write(part, folder / f"part{number}.xtc")
        first += length
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what MDAnalysis fills in
        part.atoms.write(folder / "top.pdb")
    return folder


def stored(folder, name, top="top.pdb"):
    """Frames of a file as MDAnalysis reads them (N, atoms, 3) in angstrom, and their times."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        system = mda.Universe(str(folder / top), str(folder / name))
        read = [(ts.positions.copy(), ts.time) for ts in system.trajectory]
    return np.array([positions for positions, _ in read]), np.array([time for _, time in read])


@pytest.fixture
def density(pieces, monkeypatch, infoscope):
    """The states, saved; rows of the pieces that were read."""
    monkeypatch.chdir(pieces)
    if not (pieces / "s.npz").exists():
        files = [f"part{number}.xtc@top.pdb" for number in range(3)]
        options = ("--states", "--start", "20", "--stride", "3", "--dimension", "2", "--z", "1")
        ran = infoscope("density", *files, *options, "--output", "s.npz", "--output", "s.csv", "-q")
        assert ran.code == 0, ran.err
    return pd.read_csv("s.csv")


@pytest.mark.parametrize("suffix", [".pdb", ".xtc", ".dcd"])
def test_structures_of_a_state(pieces, density, infoscope, suffix):
    """Frame numbers and times are those of MDAnalysis, coordinates to 0.001 angstrom."""
    expected = [(f"part{p}.xtc", frame) for p, length in enumerate(LENGTHS) for frame in range(20, length, 3)]
    assert list(zip(density["file"], density["frame"], strict=True)) == expected
    truth = {f"part{p}.xtc": stored(pieces, f"part{p}.xtc") for p in range(3)}
    assert density["time"].tolist() == [truth[file][1][frame] for file, frame in expected]
    mine = density[density["state"] == 0]
    assert len(mine) > 0 and mine["file"].nunique() == 3
    ran = infoscope("extract", "s.npz", "--state", "0", "--all", "-o", f"state{suffix}", "-o", "state.csv")
    assert ran.code == 0, ran.err
    found, times = stored(pieces, f"state{suffix}")
    wanted = np.array([truth[file][0][frame] for file, frame in zip(mine["file"], mine["frame"], strict=True)])
    assert found.shape == wanted.shape and np.abs(found - wanted).max() < 1e-3
    table = pd.read_csv("state.csv")
    assert table["frame"].tolist() == mine["frame"].tolist() and set(table["state"]) == {0}
    if suffix == ".xtc":
        assert times.tolist() == mine["time"].tolist()


def test_centres_samples_and_tables_of_items(pieces, density, infoscope):
    truth = {f"part{p}.xtc": stored(pieces, f"part{p}.xtc")[0] for p in range(3)}
    ran = infoscope("extract", "s.npz", "--state", "0", "--center", "-o", "center.pdb")
    centre = density.loc[density["log_density"][density["state"] == 0].idxmax()]
    assert f"frame {centre['frame']} of {centre['file']}, time {centre['time']:g}" in ran.out
    np.testing.assert_allclose(stored(pieces, "center.pdb")[0][0], truth[centre["file"]][centre["frame"]], atol=1e-3)
    ran = infoscope("extract", "s.npz", "--state", "0", "--sample", "4", "--select", "name CA CB", "-o", "four.dcd")
    assert ran.code == 0 and "state 0: 4 of" in ran.out
    density.iloc[[50, 3]].to_csv("mine.csv", index=False)  # as from a spreadsheet, in another order
    assert infoscope("extract", "s.npz", "--items", "mine.csv", "-o", "mine.xtc").code == 0
    wanted = [truth[row.file][row.frame] for row in density.iloc[[50, 3]].itertuples()]
    np.testing.assert_allclose(stored(pieces, "mine.xtc")[0], wanted, atol=1e-3)
    density.iloc[[50]].assign(frame=1).to_csv("other.csv", index=False)
    ran = infoscope("extract", "s.npz", "--items", "other.csv", "-o", "mine.xtc")
    assert ran.code == 2 and f"frame 1 of {density['file'][50]} is no item of the result" in ran.err


def test_files_that_moved_or_changed(pieces, density, infoscope, tmp_path, monkeypatch):
    for path in (*pieces.glob("part?.xtc"), pieces / "top.pdb", pieces / "s.npz"):
        (tmp_path / path.name).write_bytes(path.read_bytes())
    away = tmp_path / "away"
    away.mkdir()
    monkeypatch.chdir(away)
    asked = ("extract", "../s.npz", "--state", "0", "--center", "-o", "c.pdb")
    ran = infoscope(*asked)
    assert ran.code == 2 and "is not here: name the folder that it is in with --folder" in ran.err
    assert infoscope(*asked, "--folder", "..").code == 0
    damaged = bytearray((tmp_path / "top.pdb").read_bytes())
    damaged[-30] ^= 1
    (tmp_path / "top.pdb").write_bytes(damaged)
    ran = infoscope(*asked, "--folder", "..")
    assert ran.code == 2 and "top.pdb is not the file that the result was made from: same size" in ran.err
    with open(tmp_path / "part0.xtc", "ab") as file:
        file.write(b"more")
    ran = infoscope("extract", "../s.npz", "--all", "-o", "c.pdb", "--folder", "..")
    assert ran.code == 2 and "it had " in ran.err and ran.err.count("\n") == 1


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ((), "say which: --state N (there"),
        (("--state", "9"), "--state 9: there"),
        (("--flagged",), "goes with a result of anomalies"),
        (("--state", "0", "--items", "s.csv"), "exclude each other"),
        (("--state", "0", "--select", "name XX"), "has no atoms"),
        (("--state", "0", "--center", "--all"), "exclude each other"),
    ],
)
def test_what_is_refused(density, infoscope, options, said):
    ran = infoscope("extract", "s.npz", *options, "-o", "no.pdb")
    assert ran.code == 2 and said in ran.err and len(ran.err.strip().splitlines()) == 1
    ran = infoscope("extract", "s.npz", "--state", "0", "-o", "no.xyzzy")
    assert ran.code == 2 and "structures are written as .pdb" in ran.err


# --------------------------------------------------------------------------------------------------------------- tables
@pytest.fixture
def tables(tmp_path, monkeypatch):
    """Two tables with text among their columns, the second with a group of rows elsewhere; and a COLVAR."""
    monkeypatch.chdir(tmp_path)
    g = np.random.default_rng(0)
    for name, n in (("r.csv", 500), ("t.csv", 520)):
        x = g.normal(size=(n, 2))
        x[500:] = 7 + 0.1 * g.normal(size=(n - 500, 2))
        frame = pd.DataFrame({"x": x[:, 0], "row": [f"=r{i}" for i in range(n)], "y": x[:, 1]})
        frame.to_csv(name, index=False)
    time = np.r_[np.arange(150), np.arange(100, 200)]
    with open("COLVAR", "w") as file:
        file.write("#! FIELDS time x y metad.bias\n")
        np.savetxt(file, np.c_[time, g.normal(size=(250, 3))])
    return tmp_path


def test_rows_of_a_region(tables, infoscope):
    ran = infoscope("anomalies", "r.csv:x,y", "t.csv", "--start", "30", "--output", "a.npz", "-q")
    assert ran.code == 0 and "over 0" in ran.out, ran.err
    ran = infoscope("extract", "a.npz", "--region", "over 0", "-o", "over.csv", "-o", "over.npz")
    assert ran.code == 0, ran.err
    found, whole = (pd.read_csv(name, float_precision="round_trip") for name in ("over.csv", "t.csv"))
    assert set(found["file"]) == {"t.csv"} and set(found["row"]) <= set(range(500, 520)) and len(found) > 12
    same = whole.iloc[found["row"]].reset_index(drop=True)
    np.testing.assert_array_equal(found[["x", "y"]], same[["x", "y"]])
    assert found["row (data)"].tolist() == ("'" + same["row"]).tolist()  # a spreadsheet would run =r501
    arrays = np.load("over.npz")
    np.testing.assert_array_equal(arrays["values"], same[["x", "y"]])
    assert arrays["names"].tolist() == ["x", "y"] and arrays["row"].tolist() == found["row"].tolist()
    ran = infoscope("extract", "a.npz", "--region", "over 0", "--center", "-o", "one.csv")
    middle = same[["x", "y"]].mean().to_numpy()
    nearest = np.square(same[["x", "y"]] - middle).sum(axis=1).idxmin()
    assert pd.read_csv("one.csv")["row"].tolist() == [found["row"][nearest]]
    ran = infoscope("extract", "a.npz", "--region", "over 7", "-o", "one.csv")
    assert ran.code == 2 and "there are over 0" in ran.err
    ran = infoscope("extract", "a.npz", "--flagged", "-o", "one.pdb")
    assert ran.code == 2 and "holds rows of numbers and no structures" in ran.err


def test_rows_behind_a_restart(tables, infoscope):
    """Another input of the kind: rows of a PLUMED file after those that a restart replaced, all its columns."""
    assert infoscope("density", "COLVAR", "--output", "d.npz", "-q").code == 0
    assert infoscope("extract", "d.npz", "--all", "-o", "all.csv").code == 0
    found, whole = pd.read_csv("all.csv"), np.loadtxt("COLVAR")
    kept = np.r_[np.arange(100), np.arange(150, 250)]
    assert found["row"].tolist() == kept.tolist() and list(found) == ["file", "row", "time", "x", "y", "metad.bias"]
    np.testing.assert_allclose(found[["time", "x", "y", "metad.bias"]], whole[kept])


def test_results_without_items_or_files(tables, infoscope):
    import infoscope as library

    x = np.random.default_rng(0).normal(size=(60, 2))
    library.save(library.information_imbalance(x, x[:, :1], exclusion_window=0), "i.npz")
    ran = infoscope("extract", "i.npz", "--all", "-o", "a.csv")
    assert ran.code == 2 and "InformationImbalance, which is about all items at once" in ran.err
    fitted = library.PAk(dimension=2).fit(x)
    library.save(fitted.result_, "m.npz")
    ran = infoscope("extract", "m.npz", "--all", "-o", "a.csv")
    assert ran.code == 2 and "was made from arrays in memory" in ran.err
    library.save(fitted, "e.npz")
    ran = infoscope("extract", "e.npz", "--all", "-o", "a.csv")
    assert ran.code == 2 and "save its result_" in ran.err


def test_a_file_that_changed_before_the_result_was_saved(tables):
    """There is no hash of it, so it is refused, and the reason is said when the result is saved."""
    import infoscope as library
    from infoscope.base import InfoscopeWarning
    from infoscope.io import read_table, write_items

    fitted = library.PAk(dimension=2).fit(read_table("r.csv", columns="x,y").to_space())
    with open("r.csv", "a") as file:
        file.write("0,0,0\n")
    with pytest.warns(InfoscopeWarning, match=r"r\.csv changed after it was read"):
        library.save(fitted.result_, "r.npz")
    with pytest.raises(library.base.DataError, match="no hash"):
        write_items(library.load("r.npz").origin, [0], "a.csv")


@pytest.mark.parametrize("given", ["=x.csv", "./=x.csv", "@x.csv"])
def test_items_of_a_file_whose_name_begins_like_a_formula(tmp_path, monkeypatch, infoscope, given):
    """Tables write such a name with an apostrophe in front, and read it back; so are tables of such a name."""
    monkeypatch.chdir(tmp_path)
    rows = np.random.default_rng(5).normal(size=(60, 2))
    np.savetxt(given, rows, delimiter=",", header="phi,psi", comments="")
    asked = ("density", f"{given}:0,1", "--states", "--z", "1", "--output", "s.npz", "--output", "s.csv", "-q")
    ran = infoscope(*asked)
    assert ran.code == 0, ran.err
    listed = pd.read_csv("s.csv")
    file = given.removeprefix("./")
    assert (listed["file"] == f"'{file}").all()
    chosen = [3, 17, 41]
    for name in ("mine.csv", "=mine.csv"):
        listed.iloc[chosen].to_csv(name, index=False)
        ran = infoscope("extract", "s.npz", "--items", name, "-o", "rows.csv")
        assert ran.code == 0, ran.err
        np.testing.assert_allclose(pd.read_csv("rows.csv")[["phi", "psi"]], rows[chosen])
    listed.iloc[chosen].assign(file=file).to_csv("mine.csv", index=False)  # as its user would write it
    assert infoscope("extract", "s.npz", "--items", "mine.csv", "-o", "rows.csv").code == 0
    listed.iloc[chosen].assign(file="'=other.csv").to_csv("mine.csv", index=False)
    ran = infoscope("extract", "s.npz", "--items", "mine.csv", "-o", "rows.csv")
    assert ran.code == 2 and "of '=other.csv is no item" in ran.err
