"""An analysis of MDAnalysis: against its own Ramachandran and distances, and against the reader of files."""

import numpy as np
import pytest

pytest.importorskip("MDAnalysis")
import MDAnalysis as mda  # noqa: E402
from MDAnalysis.analysis.dihedrals import Ramachandran  # noqa: E402
from tests.io import peptide  # noqa: E402

from infoscope.base import DataError, ParameterError  # noqa: E402
from infoscope.datasets import load_alanine_dipeptide  # noqa: E402
from infoscope.density import PAk  # noqa: E402
from infoscope.io import trajectory, write_items  # noqa: E402
from infoscope.io.mdanalysis import Features  # noqa: E402
from infoscope.io.saved_records import load, save  # noqa: E402

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:.*:UserWarning:MDAnalysis"),
    pytest.mark.filterwarnings("ignore:Reader has no dt information"),
]


@pytest.fixture
def system():
    _, _, positions, labels = peptide.frames(60)
    return peptide.universe(positions, labels)


@pytest.fixture(scope="module")
def pdb(tmp_path_factory):
    """All frames of the data set."""
    return load_alanine_dipeptide("300K metadynamics").write_pdb(tmp_path_factory.mktemp("frames") / "frames.pdb")


def test_torsions_are_those_of_ramachandran_and_of_the_data(pdb):
    system = mda.Universe(str(pdb))
    ran = Features(system, time_step=5.0).run(start=100, stop=2000, step=7)
    other = Ramachandran(system.select_atoms("resname ALA")).run(start=100, stop=2000, step=7)
    assert ran.results.space.feature_names == ("ALA2 phi", "ALA2 psi")
    turned = np.exp(1j * (ran.results.table.values - np.radians(other.results.angles[:, 0])))
    assert np.abs(np.angle(turned)).max() < 1e-4
    known = load_alanine_dipeptide("300K metadynamics").torsions[["ALA2 phi", "ALA2 psi"]].iloc[100:2000:7]
    assert np.abs(np.angle(np.exp(1j * (ran.results.table.values - known.to_numpy())))).max() < 0.01
    assert ran.frames.tolist() == list(range(100, 2000, 7)) == ran.results.space.origin.row.tolist()
    np.testing.assert_array_equal(ran.results.space.time, 5.0 * ran.frames)
    np.testing.assert_array_equal(ran.results.space.period, [2 * np.pi, 2 * np.pi])


@pytest.mark.parametrize("features", ["backbone_torsions", "torsions", "heavy_atom_distances", "positions"])
@pytest.mark.parametrize("chosen", [{}, {"start": 5, "stop": 50, "step": 3}, {"start": -20}])
def test_the_same_as_the_reader_of_files(system, features, chosen):
    """Names, numbers, times, units, notes: what is measured is decided once."""
    ran = Features(system.atoms, features).run(**chosen)
    expected = trajectory(system, features=features, rows=slice(*(chosen.get(k) for k in ("start", "stop", "step"))))
    table = ran.results.table
    np.testing.assert_array_equal(table.values, expected.values)
    np.testing.assert_array_equal(table.time, expected.time)
    for name in ("names", "units", "period", "notes", "n_source_rows"):
        assert getattr(table, name) == getattr(expected, name), name
    assert list(table.rows) == list(expected.rows)
    np.testing.assert_array_equal(ran.times, expected.time)
    assert len(ran.results.space) == ran.n_frames == len(expected)


def test_frames_one_by_one_and_a_function(system):
    """In the order asked for; a function gets the selected atoms as they stand."""
    chosen = [40, 3, 17]
    group = system.select_atoms("name CA or name CB")
    with pytest.warns(UserWarning, match="time does not go on"):
        ran = Features(group, lambda atoms: {"bond": np.linalg.norm(np.diff(atoms.positions, axis=0))}).run(
            frames=chosen
        )
    truth = [np.linalg.norm(np.diff(group.positions, axis=0)) for frame in chosen if system.trajectory[frame]]
    np.testing.assert_allclose(ran.results.table.values[:, 0], truth)
    assert ran.results.space.feature_names == ("bond",) and ran.results.space.origin.row.tolist() == chosen
    untimed = Features(group, "distances", time=False).run(frames=chosen)
    assert untimed.results.space.time is None and untimed.results.space.feature_names == ("ALA2 CA - ALA2 CB",)
    np.testing.assert_allclose(10 * untimed.results.table.values[:, 0], truth, rtol=1e-5)


def test_a_second_run_begins_anew(system):
    analysis = Features(system, "heavy_atom_distances")
    first = analysis.run(stop=20).results.table
    second = analysis.run(start=20).results.table
    assert (len(first), len(second)) == (20, 40)
    whole = trajectory(system, features="heavy_atom_distances").values
    np.testing.assert_array_equal(np.concatenate([first.values, second.values]), whole)


def test_frames_of_a_state_are_found_again(pdb, tmp_path):
    """From an analysis to a density, to a saved result, to the structures of its densest frame."""
    angles = Features(mda.Universe(str(pdb)), time=False).run(start=7, step=16)
    density = PAk(dimension=2).fit(angles.results.space)
    result = load(save(density.result_, tmp_path / "density.npz"))
    item = int(np.argmax(result.log_density))
    write_items(result.origin, [item], tmp_path / "densest.pdb")
    system = mda.Universe(str(tmp_path / "densest.pdb"))
    frame = int(result.origin.row[item])
    assert (frame - 7) % 16 == 0
    expected = 10 * load_alanine_dipeptide("300K metadynamics").positions.to_numpy(float)[frame].reshape(-1, 3)
    np.testing.assert_allclose(system.atoms.positions, expected, atol=0.00051)


def test_what_does_not_go(system, tmp_path):
    with pytest.raises(ParameterError, match="features is one of"):
        Features(system, "angles")
    with pytest.raises(ParameterError, match="time=False"):
        Features(system, time=False, time_step=1.0)
    with pytest.raises(ParameterError, match="a trajectory is files"):
        Features(np.zeros((3, 3)))
    with pytest.raises(DataError, match="is empty"):
        Features(system.select_atoms("name XX"))
    for chosen in ({"stop": 1}, {"stop": 0}):
        with pytest.raises(DataError, match="frame is not enough"):
            Features(system).run(**chosen)
    with pytest.raises(DataError, match="no phi or psi|no residue"):
        Features(system.select_atoms("resname NME")).run()
    path = peptide.write(system, tmp_path / "run.xtc", dt=2.0)
    system.atoms.write(str(tmp_path / "top.pdb"))
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises((DataError, OSError)):
        Features(mda.Universe(str(tmp_path / "top.pdb"), str(path))).run()
