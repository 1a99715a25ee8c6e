"""Tables written at different strides: rows of the same times, or an error where times do not meet."""

import numpy as np
import pytest

from infoscope.base.errors import DataError
from infoscope.io import Table, match_times, read_table

FINE, COARSE = 0.1 * np.arange(301), np.arange(31.0)


def table(name, time, run=None):
    """Values that tell which row they are."""
    return Table(np.arange(float(len(time)))[:, None], ("x",), source=name, time=time, run=run)


def test_rows_of_the_same_times():
    fine, coarse = match_times([table("COLVAR", FINE), table("run.xtc", COARSE.astype("f4"))])
    assert fine.values[:, 0].tolist() == list(range(0, 301, 10)) and coarse.values[:, 0].tolist() == list(range(31))
    assert fine.notes == ("COLVAR: 31 of 301 rows have the times of the other files; the rest is left out",)
    assert coarse.notes == ()
    # printed to three digits; a trajectory that goes on; three at once
    parts = match_times([table("a", np.round(FINE, 3)), table("b", np.arange(40.0)), table("c", 2 * np.arange(12.0))])
    assert [part.time.tolist() for part in parts] == [(2 * np.arange(12.0)).tolist()] * 3
    long = match_times([table("a", FINE), table("b", np.arange(10.0, 60.0))])
    assert long[1].time.tolist() == list(range(10, 31)) and "21 of 50 rows" in long[1].notes[0]


def test_runs_are_matched_run_by_run():
    fine = table("a", np.r_[FINE, FINE[:101]], np.repeat([0, 1], [301, 101]))
    coarse = table("b", np.r_[COARSE, COARSE[:8]], np.repeat(["u", "v"], [31, 8]))
    first, second = match_times([fine, coarse])
    assert first.values[:, 0].tolist() == [*range(0, 301, 10), *range(301, 372, 10)] and len(second) == 39
    with pytest.raises(DataError, match="holds 1 runs and a 2"):
        match_times([fine, table("b", COARSE)])


def test_times_that_do_not_meet():
    with pytest.raises(DataError, match="run.xtc and COLVAR do not meet: row 1 of run.xtc was seen at 0.95"):
        match_times([table("COLVAR", FINE), table("run.xtc", 0.95 * np.arange(20))])
    with pytest.raises(DataError, match="have no time in common"):
        match_times([table("COLVAR", FINE), table("run.xtc", 100 + COARSE)])
    with pytest.raises(DataError, match="x has no times"):
        match_times([table("COLVAR", FINE), Table(np.ones((3, 1)), ("x",), source="x")])


def test_dates(tmp_path):
    hours = np.arange("2020-01-01T00", "2020-01-03T00", dtype="M8[h]")
    hourly, daily = match_times([table("hourly", hours), table("daily", hours[::12])])
    assert hourly.values[:, 0].tolist() == [0, 12, 24, 36] and len(daily) == 4


def test_times_of_h5md_are_known(tmp_path):
    mda = pytest.importorskip("MDAnalysis")
    pytest.importorskip("h5py")
    from infoscope.io import trajectory

    atoms = mda.Universe.empty(3, trajectory=True)
    atoms.add_TopologyAttr("names", ["A", "B", "C"])
    atoms.add_TopologyAttr("resnames", ["LIG"])
    atoms.add_TopologyAttr("resids", [1])
    positions = np.random.default_rng(0).normal(size=(6, 3, 3)).astype("f4")
    atoms.load_new(positions, order="fac", dt=2.5, dimensions=np.array([50.0, 50, 50, 90, 90, 90], "f4"))
    path = tmp_path / "run.h5md"
    with mda.Writer(str(path), 3, lengthunit="Angstrom", timeunit="ps", velocities=False, forces=False) as writer:
        for _ in atoms.trajectory:
            writer.write(atoms.atoms)
    atoms.trajectory[0]
    atoms.add_TopologyAttr("ids", [1, 2, 3])
    atoms.atoms.write(str(tmp_path / "top.gro"))
    table = trajectory(tmp_path / "top.gro", path, features="distances")
    assert table.time.tolist() == [0, 2.5, 5, 7.5, 10, 12.5] and not any("not in the file" in n for n in table.notes)
    assert trajectory(tmp_path / "top.gro", path, features="distances", time=False).time is None


def test_a_slice_of_a_file_has_its_times(tmp_path):
    path = tmp_path / "COLVAR"
    path.write_text("#! FIELDS time x\n" + "".join(f"{t:.3f} {np.sin(t):.6f}\n" for t in FINE))
    fine, coarse = match_times([read_table(path), read_table(path, rows=slice(None, None, 10))])
    assert np.array_equal(fine.values, coarse.values)
