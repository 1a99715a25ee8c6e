"""Trajectories: files written by MDAnalysis and MDTraj, features against MDTraj's own and against the data set's."""

import json
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from scipy.spatial.transform import Rotation

pytest.importorskip("MDAnalysis")
md = pytest.importorskip("mdtraj")
import h5py  # noqa: E402
import MDAnalysis as mda  # noqa: E402
from tests.io import peptide  # noqa: E402

from infoscope.base import DataError, DataWarning, MissingExtraError, ParameterError  # noqa: E402
from infoscope.io import trajectory  # noqa: E402
from infoscope.io import trajectory_files as files_module  # noqa: E402
from infoscope.neighbors import superposed_rmsd  # noqa: E402

pytestmark = [
    pytest.mark.filterwarnings("ignore::DeprecationWarning"),  # of MDAnalysis, when the tests write files with it
    pytest.mark.filterwarnings("ignore:.*:UserWarning:MDAnalysis"),
]
MDTRAJ_FILE = Path(__file__).parent / "files" / "dipeptide_mdtraj.h5"
TRICLINIC = [2.4, 2.4, 2.3, 70.0, 80.0, 65.0]  # nm and degrees; half its heights are beyond the size of the molecule


@pytest.fixture(scope="module")
def dipeptide():
    data, rows, positions, labels = peptide.frames()
    return {"data": data, "rows": rows, "positions": positions, "labels": labels}


@pytest.fixture(scope="module")
def saved(dipeptide, tmp_path_factory):
    """The same frames in every format, in a cubic box so wide that nothing is cut."""
    folder = tmp_path_factory.mktemp("trajectories")
    positions, labels = dipeptide["positions"], dipeptide["labels"]
    system = peptide.universe(positions, labels, box=[5, 5, 5, 90, 90, 90])
    system.atoms.write(str(folder / "top.pdb"))
    for name in ("run.xtc", "run.trr", "run.dcd", "run.nc"):
        peptide.write(system, folder / name, dt=2.0)
    return folder


def mdtraj_of(system):
    """The MDTraj trajectory of a Universe in memory."""
    topology, residues = md.Topology(), {}
    chain = topology.add_chain()
    for atom in system.atoms:
        if atom.resindex not in residues:
            residues[atom.resindex] = topology.add_residue(atom.resname, chain, resSeq=atom.resid)
        topology.add_atom(atom.name, md.element.get_by_symbol(atom.element), residues[atom.resindex])
    atoms = list(topology.atoms)
    for bond in system.bonds.to_indices():
        topology.add_bond(*(atoms[i] for i in bond))
    xyz = np.stack([system.atoms.positions / 10 for _ in system.trajectory])
    boxes = [ts.dimensions for ts in system.trajectory]
    if boxes[0] is None:
        return md.Trajectory(xyz, topology, time=[ts.time for ts in system.trajectory])
    boxes = np.array(boxes)
    return md.Trajectory(xyz, topology, [ts.time for ts in system.trajectory], boxes[:, :3] / 10, boxes[:, 3:])


def angle(a, b):
    """Largest difference of angles."""
    return np.abs(np.angle(np.exp(1j * (np.asarray(a, float) - np.asarray(b, float))))).max()


# ------------------------------------------------------------------------------------------------------------ torsions
# what the file keeps: xtc 0.001 nm, which turns a torsion of bonds of 0.13 nm by up to about 0.02; the others float32
@pytest.mark.parametrize(
    ("name", "tolerance"), [("run.xtc", 0.03), ("run.trr", 1e-4), ("run.dcd", 1e-4), ("run.nc", 1e-4)]
)
def test_backbone_torsions_are_those_of_the_simulation(saved, dipeptide, name, tolerance):
    table = trajectory(saved / "top.pdb", saved / name)
    assert table.names == ("ALA2 phi", "ALA2 psi") and table.values.dtype == np.float32
    truth = dipeptide["data"].torsions.to_numpy()[dipeptide["rows"], :2]
    assert angle(table.values, truth) < tolerance
    assert dict(table.units) == dict.fromkeys(table.names, "rad")
    assert dict(table.period) == dict.fromkeys(table.names, 2 * np.pi)
    np.testing.assert_allclose(table.time, 2.0 * np.arange(40), rtol=1e-6)  # times are float32 in the files
    assert table.run is None and table.rows == range(40) and table.to_space().period.tolist() == [2 * np.pi] * 2


@pytest.mark.parametrize("bonds", [True, False])
def test_all_torsions_with_bonds_and_with_guessed_ones(dipeptide, bonds):
    table = trajectory(peptide.universe(dipeptide["positions"], dipeptide["labels"], bonds=bonds), features="torsions")
    assert set(table.names) == {"ACE1 omega", "ALA2 phi", "ALA2 psi", "ALA2 omega"}
    assert (not bonds) == any("guessed" in note for note in table.notes)
    truth = dipeptide["data"].torsions.iloc[dipeptide["rows"]]
    assert angle(table.values, truth[list(table.names)].to_numpy()) < 1e-4


def side_chains():
    """MET-LEU-PRO-THR-ILE at random places, except that peptide bonds have their length; THR in Amber's order."""
    atoms = {
        "MET1": "N CA CB CG SD CE C O", "LEU2": "N CA CB CG CD1 CD2 C O", "PRO3": "N CD CG CB CA C O",
        "THR4": "N CA CB CG2 OG1 C O", "ILE5": "N CA C O CB CG1 CG2 CD1",
    }  # fmt: skip
    inner = {
        "MET1": "CB-CG CG-SD SD-CE", "LEU2": "CB-CG CG-CD1 CG-CD2", "PRO3": "CB-CG CG-CD CD-N", "THR4": "CB-CG2 CB-OG1",
        "ILE5": "CB-CG1 CB-CG2 CG1-CD1",
    }  # fmt: skip
    labels = [f"{residue} {atom}" for residue, names in atoms.items() for atom in names.split()]
    bonds = [tuple(f"{r} {a}" for a in b.split("-")) for r in atoms for b in f"N-CA CA-CB CA-C C-O {inner[r]}".split()]
    bonds += [(f"{a} C", f"{b} N") for a, b in zip(atoms, list(atoms)[1:], strict=False)]
    x = np.random.default_rng(0).normal(size=(30, len(labels), 3)) * 0.2
    x[0] += np.array([int(label[3]) for label in labels])[:, None] * 3.0
    for a, b in bonds[-4:]:
        x[0, labels.index(b)] = x[0, labels.index(a)] + [0.133, 0, 0]
    return peptide.universe(x, labels, bonds=bonds)


def test_side_chain_torsions_and_their_signs_agree_with_mdtraj():
    system = side_chains()
    other = mdtraj_of(system)
    table = trajectory(system, features="torsions")
    wanted = {"phi": md.compute_phi, "psi": md.compute_psi, "omega": md.compute_omega}
    wanted |= {"chi1": md.compute_chi1, "chi2": md.compute_chi2, "chi3": md.compute_chi3}
    seen = set()
    for kind, compute in wanted.items():
        atoms, values = compute(other, periodic=False)
        for four, column in zip(atoms, values.T, strict=True):
            residue = other.topology.atom(four[1]).residue
            name = f"{residue.name}{residue.resSeq} {kind}"
            if residue.name == "PRO" and kind.startswith("chi"):
                assert name not in table.names  # in a ring
                continue
            seen.add(name)
            assert angle(table.values[:, table.names.index(name)], column) < 1e-4, name  # mdtraj computes in float32
    assert seen | {"ILE5 CA-C torsion"} == set(table.names)  # the end of the chain has no psi
    assert {"PRO3 phi", "THR4 chi1", "ILE5 chi2", "MET1 chi3"} <= seen
    assert any("3 bonds in rings" in note or "4 bonds in rings" in note for note in table.notes)
    only = trajectory(system, select="resid 2 and backbone")
    assert only.names == ("LEU2 phi", "LEU2 psi")  # the neighbours' atoms need not be selected


# ------------------------------------------------------------------------------------------ distances, boxes, positions
def cut_by_the_box(dipeptide, box=TRICLINIC):
    """The molecule turned, moved and cut: every atom at a random image."""
    rng = np.random.default_rng(1)
    x = dipeptide["positions"].astype(float)
    turns = Rotation.random(len(x), random_state=2).as_matrix()
    moved = np.einsum("nxy,nay->nax", turns, x) + rng.normal(size=(len(x), 1, 3)) * 3
    edges = mda.lib.mdamath.triclinic_vectors(np.array(box) * [10, 10, 10, 1, 1, 1], dtype=float) / 10
    images = moved + rng.integers(-1, 2, size=(*moved.shape[:2], 3)) @ edges
    return peptide.universe(images, dipeptide["labels"], box=box)


def test_distances_agree_with_mdtraj_with_and_without_a_box(dipeptide):
    pairs = np.array([(i, j) for i in range(10) for j in range(i + 1, 10)])
    for system in (peptide.universe(dipeptide["positions"], dipeptide["labels"]), cut_by_the_box(dipeptide)):
        table = trajectory(system, features="heavy_atom_distances")
        want = md.compute_distances(mdtraj_of(system), pairs, opt=False)
        np.testing.assert_allclose(table.values, want, atol=2e-6)  # float32 positions up to 10 nm from the origin
        assert table.names == tuple(dipeptide["data"].distances.columns)
        assert set(table.units.values()) == {"nm"} and not table.period
    truth = dipeptide["data"].distances.to_numpy()[dipeptide["rows"]]
    np.testing.assert_allclose(table.values, truth, atol=2e-6)


def test_torsions_through_the_box(dipeptide):
    table = trajectory(cut_by_the_box(dipeptide))
    truth = dipeptide["data"].torsions.to_numpy()[dipeptide["rows"], :2]
    assert angle(table.values, truth) < 1e-4  # positions up to 10 nm away are float32: 1e-6 nm


@pytest.mark.parametrize("box", [TRICLINIC, [1.0, 0.8, 0.9, 90.0, 90.0, 90.0]])
def test_positions_are_made_whole_and_superposed(dipeptide, box):
    table = trajectory(cut_by_the_box(dipeptide, box), features="positions")
    assert table.names == tuple(dipeptide["data"].positions.columns)
    x = table.values.reshape(len(table), -1, 3).astype(float)
    truth = dipeptide["positions"].astype(float)
    assert superposed_rmsd(np.concatenate([x, truth])).diagonal(len(x)).max() < 1e-5  # the same molecules, not mirrored
    mean = x.mean(0)
    assert np.abs(mean.mean(0)).max() < 1e-6
    for frame in x:  # each as near to the mean as SciPy can turn it; float32 rows
        turn, best = Rotation.align_vectors(mean, frame)
        assert np.linalg.norm(frame - mean) <= best + 1e-5
    space = table.to_space()
    i, j = np.triu_indices(len(x), 1)
    bound = space.pair_distances(i, j) / np.sqrt(10)
    assert (superposed_rmsd(x)[i, j] <= bound + 1e-6).all()


def test_choices_of_atoms(dipeptide):
    system = peptide.universe(dipeptide["positions"], dipeptide["labels"])
    assert trajectory(system, select="name C O", features="distances").values.shape == (40, 10)
    assert trajectory(system, select="name CA CB C", features="positions").values.shape[1] == 15
    chain = side_chains()
    assert trajectory(chain, features="ca_distances").names[0] == "MET1 CA - LEU2 CA"
    group = system.select_atoms("resid 2")
    assert trajectory(group, features="heavy_atom_distances").values.shape == (40, 10)


def test_water_is_left_out_and_chains_are_told_apart():
    labels = ["ALA1 N", "ALA1 CA", "ALA1 C"]
    x = np.random.default_rng(3).normal(size=(5, 9, 3))
    one = peptide.universe(x[:, :3], labels, bonds=[])
    system = mda.Merge(one.atoms, one.atoms, one.atoms)
    system.load_new(x.astype(np.float32), order="fac")
    system.segments.segids = ["A", "B", "W"]
    system.residues[2].resname = "SOL"
    table = trajectory(system, features="ca_distances")
    assert table.names == ("A:ALA1 CA - B:ALA1 CA",) and "3 atoms of water and ions" in table.notes[0]
    assert trajectory(system, select="all", features="distances").values.shape[1] == 36


# ----------------------------------------------------------------------------------------------------- runs and objects
def test_files_are_runs(saved):
    table = trajectory(saved / "top.pdb", saved / "run.trr", saved / "run.nc", rows=slice(4, None, 6))
    assert np.bincount(table.run).tolist() == [6, 6]
    assert angle(table.values[:6], table.values[6:]) < 1e-5  # float32 nm in one file, float32 angstrom in the other
    np.testing.assert_allclose(table.time, np.tile(2.0 * np.arange(4, 40, 6), 2))
    assert table.n_source_rows == 80 and len(table.to_space().run_names) == 2
    whole = trajectory(saved / "top.pdb", saved / "run.trr")
    assert np.array_equal(whole.values[4::6], table.values[:6])


def test_objects_of_mdtraj_and_mdanalysis(dipeptide):
    system = cut_by_the_box(dipeptide)
    system.trajectory[7]
    first = trajectory(system, features="heavy_atom_distances")
    assert system.trajectory.ts.frame == 7  # the user stands where he stood
    for features in ("heavy_atom_distances", "torsions", "positions"):
        mine, other = (trajectory(data, features=features) for data in (system, mdtraj_of(system)))
        assert mine.names == other.names and np.array_equal(mine.time, other.time)
        np.testing.assert_allclose(mine.values, other.values, atol=5e-6)  # units are changed in float32
    runs = trajectory([system, system], features="heavy_atom_distances")
    assert runs.run.tolist() == [0] * 40 + [1] * 40 and np.array_equal(runs.values[40:], first.values)
    assert len(trajectory(mdtraj_of(system), mdtraj_of(system)[:5], rows=slice(None, None, 2))) == 23


def test_a_residue_of_another_name_is_told(dipeptide):
    one = peptide.universe(dipeptide["positions"], dipeptide["labels"])
    two = peptide.universe(
        dipeptide["positions"], [label.replace("ALA", "DAL") for label in dipeptide["labels"]], bonds=False
    )
    table = trajectory([one, two])
    assert table.names == ("ALA2 phi", "ALA2 psi") and "(ALA2 N in run 0, DAL2 N in run 1)" in table.notes[0]


def test_a_file_of_mdtraj(saved):
    path = MDTRAJ_FILE
    with h5py.File(path) as file:
        x, names = file["coordinates"][:], json.loads(file["topology"][0])
        time = file["time"][:]
    assert len(names["bonds"]) == 9
    labels = [f"{r['name']}{r['resSeq']} {a['name']}" for r in names["chains"][0]["residues"] for a in r["atoms"]]
    for features in ("torsions", "heavy_atom_distances"):
        table = trajectory(path, features=features)
        want = trajectory(peptide.universe(x, labels), features=features)
        assert table.names == want.names and np.array_equal(table.time, time)
        np.testing.assert_allclose(table.values, want.values, atol=5e-6)
    runs = trajectory(saved / "top.pdb", path, saved / "run.xtc", features="heavy_atom_distances")
    assert np.bincount(runs.run).tolist() == [12, 40]


def test_a_function_measures_frames(dipeptide):
    system = peptide.universe(dipeptide["positions"], dipeptide["labels"])
    gyration = [atoms.radius_of_gyration() for _ in system.trajectory for atoms in [system.atoms]]
    named = trajectory(system, features=lambda atoms: {"Rg": atoms.radius_of_gyration(), "n": len(atoms)})
    assert named.names == ("Rg", "n") and named.values.dtype == np.float64 and named.units is None
    np.testing.assert_allclose(named.values[:, 0], gyration, rtol=1e-12)
    plain = trajectory(mdtraj_of(system), select="name CA", features=lambda atoms: atoms.positions[0])
    assert plain.names == ("0", "1", "2")
    np.testing.assert_allclose(plain.values, dipeptide["positions"][:, 4] * 10, rtol=1e-5)
    with pytest.raises(DataError, match="frame 3 of run 0 and 1 in the first"):
        trajectory(system, features=lambda atoms: [1.0] * (1 + (system.trajectory.frame == 3)))
    with pytest.raises(DataError, match="no numbers in frame 0"):
        trajectory(system, features=lambda atoms: "far")
    with pytest.raises(DataError, match=r"shape \(10, 3\).*one number a feature"):
        trajectory(system, features=lambda atoms: atoms.positions)
    with pytest.raises(DataError, match="row 0 .*'Rg' is NaN"):
        trajectory(system, features=lambda atoms: {"Rg": np.nan})


def test_time_that_a_file_does_not_know(saved, dipeptide, tmp_path):
    system = peptide.universe(dipeptide["positions"][:6], dipeptide["labels"])
    path = peptide.write(system, tmp_path / "frames.xyz")
    table = trajectory(saved / "top.pdb", path)
    assert table.time.tolist() == list(range(6)) and "time_step" in table.notes[-1]
    table = trajectory(saved / "top.pdb", path, time_step=0.5, rows=slice(1, None, 2))
    assert table.time.tolist() == [0.5, 1.5, 2.5] and not any("time" in note for note in table.notes)


def test_frames_inside_the_topology_file(dipeptide, tmp_path):
    system = peptide.universe(dipeptide["positions"][:6], dipeptide["labels"])
    table = trajectory(peptide.write(system, tmp_path / "models.pdb", multiframe=True))
    truth = dipeptide["data"].torsions.to_numpy()[dipeptide["rows"][:6], :2]
    assert table.names == ("ALA2 phi", "ALA2 psi") and angle(table.values, truth) < 0.03  # .pdb keeps 0.0001 nm
    (tmp_path / "no_frames.pdb").write_text("REMARK nothing here\n")
    with pytest.raises(DataError, match="no_frames.pdb cannot be read as a topology|holds no frames"):
        trajectory(tmp_path / "no_frames.pdb")
    with pytest.raises(DataError, match="Universe of run 0 has no trajectory"):
        trajectory(mda.Universe.empty(3))


def test_repeated_times_are_noticed(dipeptide):
    system = peptide.universe(dipeptide["positions"], dipeptide["labels"])
    other = mdtraj_of(system)
    other.time[20:] -= 10
    with pytest.warns(DataWarning, match=r"run 0: time does not go on at frame 20 of those read \(38 to 30 ps\)"):
        trajectory(other)


def test_frames_are_not_kept(saved, monkeypatch):
    """Only the atoms that are measured leave the reader, and one frame after another."""
    seen = []
    read = files_module.UniverseRun.frames

    def spy(self, rows, places):
        for frame in read(self, rows, places):
            seen.append(frame.positions.shape)
            yield frame

    monkeypatch.setattr(files_module.UniverseRun, "frames", spy)
    trajectory(saved / "top.pdb", saved / "run.trr", rows=slice(None, None, 4))
    assert seen == [(10, 3)] + [(5, 3)] * 10  # the first frame tells the topology; phi and psi have five atoms


# ------------------------------------------------------------------------------------------------------------ bad input
@pytest.mark.parametrize(
    ("name", "keep", "stops"),
    [("run.xtc", 0.51, None), ("run.xtc", 0.999, 39), ("run.trr", 0.51, None), ("run.trr", 0.99, 39),
     ("run.dcd", 0.51, None), ("run.dcd", 0.999, 39)],
)  # fmt: skip
def test_truncated_trajectories_name_the_frame(saved, tmp_path, name, keep, stops):
    content = (saved / name).read_bytes()
    path = tmp_path / name
    path.write_bytes(content[: int(keep * len(content))])
    with pytest.raises(DataError, match=f"stops inside frame {stops or '(19|20|21)'}.*Copy it") as raised:
        trajectory(saved / "top.pdb", path)
    whole = int(str(raised.value).split("inside frame ")[1].split()[0])
    table = trajectory(saved / "top.pdb", path, rows=slice(0, whole))  # the way out
    assert len(table) == whole
    assert np.array_equal(table.values, trajectory(saved / "top.pdb", saved / name, rows=slice(0, whole)).values)


# the reader of MDAnalysis that could not open its file complains once more when it is thrown away
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_truncated_text_and_netcdf(saved, dipeptide, tmp_path):
    system = peptide.universe(dipeptide["positions"], dipeptide["labels"])
    for name, message in (
        ("a.xyz", "stops inside frame 38"),
        ("a.pdb", "stops inside frame 39"),
        ("a.nc", "truncated, damaged"),
    ):
        path = peptide.write(system, tmp_path / name, **({"multiframe": True} if name == "a.pdb" else {}))
        content = path.read_bytes()
        cut = {"a.xyz": 0.973, "a.pdb": 0.99, "a.nc": 0.9}[name]
        path.write_bytes(content[: int(cut * len(content))])
        with pytest.raises(DataError, match=message):
            trajectory(saved / "top.pdb", path)


def test_topology_and_trajectory_that_do_not_match(saved, dipeptide, tmp_path):
    few = peptide.universe(dipeptide["positions"], dipeptide["labels"]).atoms[:7]
    few.write(str(tmp_path / "few.pdb"))
    for name in ("run.xtc", "run.trr", "run.dcd", "run.nc"):
        with pytest.raises(DataError, match=f"{name} do not match: the topology has 7 atoms, the trajectory 10 atoms"):
            trajectory(tmp_path / "few.pdb", saved / name)
    other = peptide.universe(
        dipeptide["positions"], [label.replace("CB", "CX") for label in dipeptide["labels"]], bonds=[]
    )
    whole = peptide.universe(dipeptide["positions"], dipeptide["labels"])
    with pytest.raises(DataError, match="atom 5 .* is ALA2 CB in run 0, ALA2 CX in run 1"):
        trajectory([whole, other])
    with pytest.raises(DataError, match="different atoms: run 0 has 10, run 1 has 7"):
        trajectory([whole, few])


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"select": "resname GLY"}, DataError, "'resname GLY' has no atoms.*ACE1, ALA2, NME3"),
        ({"select": "name ("}, ParameterError, "is no selection"),
        ({"select": "resname ACE"}, DataError, "no residue has a phi or psi"),
        ({"select": "name O", "features": "torsions"}, DataError, "no bond between selected heavy atoms can turn"),
        ({"select": "name CB", "features": "distances"}, DataError, "need two atoms, and 1 is chosen"),
        ({"select": "name CB", "features": "positions"}, DataError, "at least three atoms, and 1 are chosen"),
        ({"select": "name CB", "features": "ca_distances"}, DataError, "no alpha carbon"),
        ({"features": "angles"}, ParameterError, "features is one of backbone_torsions.*not 'angles'"),
        ({"rows": slice(38, 39)}, DataError, "1 frame is not enough"),
        ({"rows": slice(50, None)}, DataError, "has 40 frames; rows=50:None:None leaves none"),
        ({"rows": slice(None, None, -1)}, ParameterError, "stride is -1"),
        ({"time_step": 0}, ParameterError, "time_step"),
    ],
)
def test_bad_choices(saved, change, error, message):
    with pytest.raises(error, match=message):
        trajectory(saved / "top.pdb", saved / "run.trr", **change)


def test_bad_files_and_objects(saved, tmp_path, monkeypatch):
    with pytest.raises(DataError, match="no file .*run.xtx. Did you mean .*run.xtc"):
        trajectory(saved / "top.pdb", saved / "run.xtx")
    (tmp_path / "empty.xtc").touch()
    with pytest.raises(DataError, match="empty.xtc is empty"):
        trajectory(saved / "top.pdb", tmp_path / "empty.xtc")
    (tmp_path / "notes.md").write_text("nothing\n")
    with pytest.raises(DataError, match="notes.md cannot be opened"):
        trajectory(saved / "top.pdb", tmp_path / "notes.md")
    with pytest.raises(DataError, match="notes.md cannot be read as a topology"):
        trajectory(tmp_path / "notes.md", saved / "run.xtc")
    with pytest.raises(ParameterError, match="run 0 is a ndarray; a trajectory is files"):
        trajectory(np.zeros((3, 3)))
    with pytest.raises(ParameterError, match="list of trajectories is empty"):
        trajectory([])
    with pytest.raises(ParameterError, match="objects alone"):
        trajectory(np.zeros(3), saved / "run.xtc")
    with pytest.raises(DataError, match="1 frame is not enough"):
        trajectory(saved / "top.pdb")
    path = tmp_path / "cut.h5"
    path.write_bytes(MDTRAJ_FILE.read_bytes()[:5000])
    with pytest.raises(DataError, match="cut.h5 cannot be opened: it is truncated"):
        trajectory(path)
    monkeypatch.setattr("infoscope.io.frame_numbers.LARGEST_TABLE", 300)
    with pytest.raises(ParameterError, match="45 columns.*select fewer atoms"):
        trajectory(saved / "top.pdb", saved / "run.trr", features="heavy_atom_distances")
    monkeypatch.setitem(__import__("sys").modules, "MDAnalysis", None)
    with pytest.raises(MissingExtraError, match=r"infoscope\[md\]"):
        trajectory(saved / "top.pdb", saved / "run.xtc")


def test_a_gro_file_of_several_frames_is_refused(tmp_path):
    """MDAnalysis reads the first of them, and says nothing."""
    atoms = [f"    1LIG  {name:>5}{number:5d}   0.100   0.200   0.{number}00" for number, name in enumerate("ABC", 1)]
    frame = "\n".join(["made by hand", "    3", *atoms, "   2.00000   2.00000   2.00000", ""])
    paths = [tmp_path / name for name in ("one.gro", "two.gro", "other.gro")]
    for path, text in zip(paths, (frame, 2 * frame, frame.replace("0.300", "0.500") + "\n"), strict=True):
        path.write_text(text)
    one, two, other = paths
    table = trajectory(one, one, other, features="distances", select="all")
    assert table.values[:, 1].tolist() == pytest.approx([0.2, 0.4])
    with pytest.raises(DataError, match="two.gro holds several frames, of which only the first can be read"):
        trajectory(one, one, two, features="distances", select="all")


def test_frames_whose_reader_is_not_installed(tmp_path):
    if find_spec("pytng") is not None:
        pytest.skip("pytng is installed")
    (tmp_path / "top.pdb").write_text("ATOM      1  N   ALA A   1       0.000   0.000   0.000\n")
    (tmp_path / "x.tng").write_bytes(b"GENERAL INFO")
    with pytest.raises(MissingExtraError, match="are read by pytng, which is not installed.*gmx trjconv"):
        trajectory(tmp_path / "top.pdb", tmp_path / "x.tng")
