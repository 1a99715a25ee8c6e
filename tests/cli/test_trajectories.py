"""Trajectories on the command line: what the command gives is what the library gives on the same frames."""

import json
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("MDAnalysis")

from tests.io import peptide

from infoscope import Space, information_imbalance
from infoscope.cli.inputs.parsing import choose_file, choose_spaces
from infoscope.cli.inputs.trajectories import TrajectoryChoice
from infoscope.io import trajectory
from infoscope.neighbors import superposed_rmsd

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore:.*:UserWarning:MDAnalysis")


@pytest.fixture
def simulation(tmp_path, monkeypatch):
    """A topology and two runs of alanine dipeptide in the current folder."""
    _, _, positions, labels = peptide.frames(120)
    whole = peptide.universe(positions, labels)
    whole.atoms.write(str(tmp_path / "top.pdb"))
    peptide.write(peptide.universe(positions[:70], labels), tmp_path / "one.trr", dt=2.0)
    peptide.write(peptide.universe(positions[70:], labels), tmp_path / "two.trr", dt=2.0)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def values(path):
    return json.loads(Path(path).read_text(encoding="utf-8"))["values"]


def test_pieces_give_the_numbers_of_the_library(simulation, infoscope):
    wanted = {"A": "", "B": ":positions:not name H*"}
    spaces = [f"{name}={run}.trr@top.pdb{what}" for run in ("one", "two") for name, what in wanted.items()]
    flags = [part for space in spaces for part in ("--space", space)]
    ran = infoscope("compare", *flags, "--metric", "B=rmsd", "--window", "6", "--output", "r.json")
    assert ran.code == 0, ran.err
    assert "phi and psi of the backbone" in ran.out and "2 runs" in ran.out and "rmsd" in ran.out
    files = ("top.pdb", "one.trr", "two.trr")
    a, b = trajectory(*files), trajectory(*files, features="positions")
    assert a.run is not None
    b_space = Space.from_distances(superposed_rmsd(b.values.reshape(len(b), -1, 3)), run=b.run, time=b.time)
    truth = information_imbalance(a.to_space(), b_space, exclusion_window=6.0)
    # pieces are superposed on the mean of each, then on that of all: float32 rounds differently, and near ties change
    assert values("r.json")["a_to_b"] == pytest.approx(truth.a_to_b, abs=0.01)
    assert values("r.json")["b_to_a"] == pytest.approx(truth.b_to_a, abs=0.01)


def test_positions_of_pieces_are_superposed_together(simulation, infoscope):
    wanted = {"A": "positions", "B": "distances:all"}
    spaces = [f"{name}={run}.trr@top.pdb:{what}" for run in ("one", "two") for name, what in wanted.items()]
    flags = [part for space in spaces for part in ("--space", space)]
    ran = infoscope("compare", *flags, "--other-runs", "--output", "r.json")
    assert ran.code == 0, ran.err
    files = ("top.pdb", "one.trr", "two.trr")
    a, b = trajectory(*files, features="positions"), trajectory(*files, features="distances")
    truth = information_imbalance(a.to_space(), b.to_space(), neighbors_from="other_runs")
    # two roads to the mean structure end within 1e-7 nm of each other, which can exchange near ties only
    assert values("r.json")["a_to_b"] == pytest.approx(truth.a_to_b, abs=0.01)
    assert values("r.json")["b_to_a"] == pytest.approx(truth.b_to_a, abs=0.01)


def test_a_trajectory_with_the_bias_of_its_colvar(simulation, infoscope):
    """What a simulator has: pieces of frames, and beside each a COLVAR with the bias."""
    rng = np.random.default_rng(0)
    bias, kT = rng.uniform(0, 6, 120), 2.5
    d = rng.normal(size=120)
    for number, (run, part) in enumerate({"one": slice(0, 70), "two": slice(70, 120)}.items()):
        peptide.write(peptide.universe(peptide.frames(120)[2][part], peptide.frames(2)[3]), f"{run}.xtc", dt=2.0)
        lines = [f"{2.0 * t:.3f} {x:.6f} {v:.6f}" for t, (x, v) in enumerate(zip(d[part], bias[part], strict=True))]
        Path(f"COLVAR.{number}").write_text("#! FIELDS time d metad.bias\n" + "\n".join(lines) + "\n")
    spaces = [f"{name}={file}" for number, run in enumerate(("one", "two"))
              for name, file in (("A", f"{run}.xtc@top.pdb"), ("B", f"COLVAR.{number}:d"))]  # fmt: skip
    flags = [part for space in spaces for part in ("--space", space)]
    flags += ["--log-weights", "metad.bias", "--kT", str(kT), "--window", "6", "--output", "r.json"]
    ran = infoscope("compare", *flags)
    assert ran.code == 0, ran.err
    a = trajectory("top.pdb", "one.xtc", "two.xtc")
    shared = {"run": a.run, "time": a.time, "sample_weight": np.exp(np.round(bias, 6) / kT)}
    truth = information_imbalance(a.to_space(**shared), Space(np.round(d, 6)[:, None], **shared), exclusion_window=6.0)
    # rounding of weights to another scale, and of times to the digits of either file
    assert values("r.json")["a_to_b"] == pytest.approx(truth.a_to_b, rel=1e-9)
    assert values("r.json")["b_to_a_se"] == pytest.approx(truth.b_to_a_se, rel=1e-9)


def test_a_bare_selection(simulation, infoscope, monkeypatch):
    ran = infoscope("compare", "A=one.trr@top.pdb:name C O", "B=one.trr@top.pdb", "--stride", "2", "--window", "0")
    assert ran.code == 0 and "all distances among the 5 atoms of 'name C O'" in ran.out and "35 items" in ran.out
    assert "spread very differently" not in ran.out  # all in nm
    monkeypatch.setattr("infoscope.cli.inputs.trajectories.DISTANCES_UP_TO", 4)
    ran = infoscope("compare", "A=one.trr@top.pdb:name C O", "B=one.trr@top.pdb", "--window", "0")
    assert "positions of the 5 atoms" in ran.out and "15 columns" in ran.out


def test_a_file_with_its_own_topology(infoscope, monkeypatch):
    monkeypatch.chdir(Path(__file__).parents[1] / "io" / "files")
    ran = infoscope("compare", "A=dipeptide_mdtraj.h5@:torsions", "B=dipeptide_mdtraj.h5@:positions", "--window", "0")
    assert ran.code == 0 and "ACE1 omega" in ran.out and "12 items" in ran.out
    ran = infoscope("compare", "A=dipeptide_mdtraj.h5", "B=dipeptide_mdtraj.h5@:positions", "--window", "0")
    assert ran.code == 0 and "2 columns (ALA2 phi, ALA2 psi)" in ran.out and "is a molecular trajectory" in ran.out


def test_the_same_command_again(simulation, infoscope):
    spaces = ["A=one.trr@top.pdb", "B=one.trr@top.pdb:positions"]
    assert infoscope("compare", *spaces, "--window", "0", "--output", "r.json").code == 0
    hashes = json.dumps(json.loads(Path("r.json").read_text(encoding="utf-8")))
    assert "top.pdb" in hashes and "one.trr" in hashes
    ran = infoscope("rerun", "r.json")
    assert ran.code == 0, ran.err


@pytest.mark.parametrize(
    ("text", "path", "topology", "features", "select"),
    [
        ("a.xtc@t.pdb", "a.xtc", "t.pdb", None, None),
        ("a.xtc@t.pdb:ca_distances", "a.xtc", "t.pdb", "ca_distances", None),
        ("a.xtc@t.pdb:positions:name CA", "a.xtc", "t.pdb", "positions", "name CA"),
        ("a.xtc@t.pdb:resid 1:20 and name CA", "a.xtc", "t.pdb", None, "resid 1:20 and name CA"),
        ("a.h5@", "a.h5", None, None, None),
        (r"a.xtc@C:\runs\t.pdb:torsions", "a.xtc", r"C:\runs\t.pdb", "torsions", None),
        ("me@home/a.xtc@t.pdb", "me@home/a.xtc", "t.pdb", None, None),
    ],
)
def test_what_a_text_means(text, path, topology, features, select):
    choice = choose_file(text)
    assert isinstance(choice, TrajectoryChoice)
    assert (choice.path, choice.topology) == (Path(path), None if topology is None else Path(topology))
    assert (choice.features, choice.select) == (features, select)
    assert choose_spaces([f"B={text}"], [])[0].pieces == (choice,)


def test_other_files_may_have_an_at(tmp_path):
    path = tmp_path / "x@y.csv"
    path.write_text("a,b\n1,2\n")
    assert not isinstance(choose_file(f"{path}:a"), TrajectoryChoice) and choose_file(f"{path}:a").columns == "a"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (
            ["--space", "A=one.trr@top.pdb", "--space", "A=top.csv", "B=one.trr@top.pdb"],
            "is a trajectory and top.csv is none",
        ),
        (
            ["--space", "A=one.trr@top.pdb", "--space", "A=two.trr@top.pdb:positions", "B=one.trr@top.pdb"],
            "ask for different things",
        ),
        (["A=one.trr@top.pdb", "B=one.trr@top.pdb:resname XYZ"], "'resname XYZ' has no atoms"),
        (["A=one.trr@nope.pdb", "B=one.trr@top.pdb"], "there is no file nope.pdb"),
        (["A=one.trr", "B=one.trr@top.pdb"], "one.trr@top.pdb:backbone_torsions on the command line"),
        (["A=one.trr@top.pdb:torsion", "B=one.trr@top.pdb"], "Did you mean 'torsions'"),
        (["A=one.trr@top.pdb:atoms", "B=one.trr@top.pdb"], "Features are backbone_torsions, torsions"),
        (["A=nope.trr@top.pdb", "B=one.trr@top.pdb"], "there is no file nope.trr"),
        (["A=one.trr@top.pdb", "B=one.trr@top.pdb", "--metric", "B=rmsd"], "needs x, y and z of every atom"),
        (["A=one.trr@top.pdb", "B=one.trr@top.pdb:positions", "--run", "x"], "neither a column of the files"),
    ],
)
def test_what_cannot_be_read(simulation, infoscope, arguments, message):
    (simulation / "top.csv").write_text("a\n1\n2\n")
    ran = infoscope("compare", *arguments)
    assert ran.code != 0 and message in ran.err.replace("\n", " ")


def test_a_truncated_file_is_read_up_to_a_frame(simulation, infoscope):
    whole = (simulation / "one.trr").read_bytes()
    (simulation / "cut.trr").write_bytes(whole[: int(0.6 * len(whole)) - 50])  # inside a frame
    ran = infoscope("compare", "A=cut.trr@top.pdb", "B=cut.trr@top.pdb:positions", "--window", "0")
    assert ran.code == 2 and "cut.trr stops inside frame" in ran.err
    option = ran.err.strip().rstrip(".").split("with ")[-1].split()  # --stop N, as the error says
    ran = infoscope("compare", "A=cut.trr@top.pdb", "B=cut.trr@top.pdb:positions", "--window", "0", *option)
    assert ran.code == 0 and f"{option[1]} items" in ran.out, ran.err
