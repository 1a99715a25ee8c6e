"""The demonstration runs offline, tells its story, and leaves a picture, a page and the frames of its molecule."""

import shlex
import socket
import sys
from contextlib import redirect_stdout
from importlib.util import find_spec
from io import StringIO
from pathlib import Path

import numpy as np
import pytest

from infoscope.cli import demo
from infoscope.cli.demo import FRAMES, PAGE, PICTURE, STATES, TABLE, _as_called, _write_states
from infoscope.cli.demo_questions import free_energy


def test_demo(tmp_path, monkeypatch, infoscope):
    def offline(*arguments, **options):
        raise OSError("the network is not to be used")

    monkeypatch.setattr(socket.socket, "connect", offline)
    monkeypatch.chdir(tmp_path)
    ran = infoscope("demo")
    assert ran.code == 0 and "warning" not in ran.err and "error" not in ran.err  # progress, where it takes long
    left = {PICTURE, TABLE, FRAMES, STATES} | ({PAGE} if find_spec("bokeh") else set())
    assert {item.name for item in tmp_path.iterdir()} == {str(file) for file in left}
    assert (tmp_path / "infoscope-demo.png").read_bytes().startswith(b"\x89PNG")
    for part in (
        "1. A molecule: alanine dipeptide, 417 frames",
        "The best of all 1326 pairs",
        "ALA2 phi and ALA2 psi stand for the shape, far ahead of every other pair",
        "2. Its free energy: 4800 frames at 300 K",
        "5 states stand out of the error",
        "3. Heated: the same molecule at 600 K, 500 frames",
        "phi +1.0, psi +0.4   37 frames",
        "4. A table: 178 wines, 13 chemical measurements",
        "flavanoids says most of any single measurement",
        "5. Fewer: the same wines",
        "95 % intervals from 30 random halves",
        "picture: infoscope-demo.png",
        "page: infoscope-demo.html" if find_spec("bokeh") else 'page: pip install "infoscope[report]"',
        "infoscope extract infoscope-demo.npz --state 3 -o state.pdb",
        "infoscope anomalies REFERENCE.csv:0-4 DATA.csv",
    ):
        assert part in ran.out, part
    assert ran.out.count("In plain words") == 5 and ran.out.count("±") >= 10
    next_ones = [shlex.split(line) for line in ran.out.splitlines() if line.startswith("  ") and str(TABLE) in line]
    assert [command[1] for command in next_ones] == ["compare", "shares", "density", "select"]
    for _, *command in next_ones:  # as printed, on the file that is there
        answer = infoscope(*command)
        assert answer.code == 0 and (tmp_path / command[-1]).exists(), answer.err


@pytest.fixture(scope="module")
def found():
    return free_energy()


def phi_of(path):
    """The torsion C-N-CA-C of every model of a PDB file, read by the columns of its lines."""
    atoms = {"ACE C": [], "ALA N": [], "ALA CA": [], "ALA C": []}
    for line in path.read_text().splitlines():
        name = f"{line[17:20].strip()} {line[12:16].strip()}"
        if line.startswith("ATOM") and name in atoms:
            atoms[name].append([float(line[start : start + 8]) for start in (30, 38, 46)])
    a, b, c, d = (np.array(places) for places in atoms.values())
    along = (c - b) / np.linalg.norm(c - b, axis=1, keepdims=True)
    first, last = (v - (v * along).sum(1, keepdims=True) * along for v in (a - b, d - c))
    return np.arctan2((np.cross(first, last) * along).sum(1), (first * last).sum(1))


def assert_left_handed(path, found):
    """The structures are those of the state that holds the frames with positive phi and helical psi."""
    known = np.asarray(found.angles)
    left = (known[:, 0] > 0.3) & (known[:, 0] < 1.8) & (known[:, 1] > -0.5) & (known[:, 1] < 1.5)
    state = np.bincount(np.asarray(found.states.labels)[left]).argmax()
    phi, expected = phi_of(path), known[found.states.labels == state, 0]
    assert len(phi) == len(expected)
    assert np.abs(phi - expected).max() < 0.01  # thousandths of an angstrom
    assert (phi > 0).mean() > 0.99  # it ends where the barrier is, which is not quite at 0


def test_the_command_of_the_demonstration_fetches_the_left_handed_frames(found, tmp_path, monkeypatch, infoscope):
    """As printed; torsions of the structures are those of the data, and turn the other way."""
    pytest.importorskip("MDAnalysis", reason="MDAnalysis is not installed (extra md)")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(demo, "_as_called", lambda commands: commands)
    with redirect_stdout(StringIO()) as out:
        _write_states(found)
    (command,) = (line for line in out.getvalue().splitlines() if line.startswith("  infoscope extract"))
    assert infoscope(*shlex.split(command)[1:]).code == 0
    assert_left_handed(Path("state.pdb"), found)


@pytest.mark.parametrize(("missing", "extra"), [("bokeh", "report"), ("MDAnalysis", "md")])
def test_what_is_not_installed_is_named(found, tmp_path, monkeypatch, capsys, missing, extra):
    """The demonstration of the core alone says what brings page and structures, and the command for afterwards."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(demo, "find_spec", lambda name: None if name == missing else find_spec(name))
    _write_states(found)
    said = capsys.readouterr().out
    assert f'pip install "infoscope[{extra}]", then' in said and said.count("pip install") >= 1
    assert STATES.exists() and FRAMES.exists() and (missing != "bokeh" or not PAGE.exists())


@pytest.mark.skipif(sys.platform == "win32", reason="the program has another name there")
def test_the_next_commands_name_the_program_that_runs(tmp_path, monkeypatch):
    """Where the shell finds no infoscope, as after 'make demo': relative to the current folder where it is below."""
    (tmp_path / "bin").mkdir()
    for program in ("infoscope", "python"):
        (tmp_path / "bin" / program).write_text("#!/bin/sh\n")
        (tmp_path / "bin" / program).chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "bin" / "python"))
    monkeypatch.setenv("PATH", str(tmp_path / "nothing"))
    asked = "  infoscope compare a b\n  infoscope shares a infoscope-demo.csv"
    monkeypatch.chdir(tmp_path)
    here = str(Path("bin", "infoscope"))
    assert _as_called(asked) == f"  {here} compare a b\n  {here} shares a infoscope-demo.csv"
    monkeypatch.chdir(tmp_path.parent.parent)
    assert _as_called(asked).split()[0].endswith(here)
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    assert _as_called(asked) == asked


def test_the_map_against_the_hills(found):
    """Depths and the lowest way out of each state against the surface that metadynamics made of its own hills."""
    from scipy.interpolate import RegularGridInterpolator

    from infoscope.datasets import load_alanine_dipeptide

    table = load_alanine_dipeptide("300K metadynamics").free_energy
    grid = np.append(table.index, np.pi)
    closed = np.pad(table.to_numpy(), ((0, 1), (0, 1)), mode="wrap")
    hills = RegularGridInterpolator((grid, grid), closed)(np.clip(found.angles, -np.pi, np.pi))
    low = hills < 25  # kJ/mol; higher up the hills themselves are rough
    away = (found.energy - hills)[low]
    away -= away.mean()
    assert np.sqrt(np.mean(away**2)) < 0.6
    # errors as large as claimed: the spread of thousands of correlated differences, within a quarter
    assert 0.75 < np.std(away / found.energy_se[low]) < 1.25
    # known basins: both helices, the polyproline helix, the extended chain, the closed ring
    places = np.array([(-1.3, -0.35), (-1.2, 2.6), (-2.6, 2.75), (1.0, 0.5), (1.0, -3.1)])
    apart = found.angles[found.states.centers][:, None] - places
    apart = np.abs(apart - 2 * np.pi * np.round(apart / (2 * np.pi))).max(-1)
    assert apart.shape == (5, 5) and sorted(apart.argmin(1)) == [0, 1, 2, 3, 4] and apart.min(1).max() < 0.35
    for _, way in found.states.to_frame("saddles").iterrows():
        item = int(way["item"])
        if hills[item] < 30:
            for end in ("a", "b"):
                by_hills = hills[item] - hills[found.states.centers[int(way[end])]]
                # a centre is the best of many frames, and so somewhat too good: three errors
                error, found_here = way[f"barrier_from_{end}_se"], way[f"barrier_from_{end}"]
                if way["is_bound"]:  # a lower bound has no error of its own; those of measured ones are 0.6 kJ/mol
                    assert found_here < by_hills + 3 * 0.6
                else:
                    assert abs(found_here - by_hills) < 3 * error


def test_heat_by_counting():
    """The left-handed region holds a larger share of the frames at 600 K than by weights at 300 K."""
    from infoscope.cli.demo_questions import heat
    from infoscope.datasets import load_alanine_dipeptide

    found = heat().found
    cold, hot = load_alanine_dipeptide("300K metadynamics"), load_alanine_dipeptide("600K")
    left = [(frames.torsions["ALA2 phi"] > 0) & (frames.torsions["ALA2 phi"] < 2.2) for frames in (cold, hot)]
    at_300, at_600 = np.average(left[0], weights=cold.sample_weight), left[1].mean()
    assert at_600 > 3 * at_300
    region = max(found.over.established, key=lambda region: region.signal)
    assert 0.5 < region.centre[0] < 1.5
    # all frames of the stretch, less what weights expect of 500; counts of 500 frames and of 50-ps blocks: a third
    assert region.signal == pytest.approx(500 * (at_600 - at_300), rel=0.35)


def test_the_wines_by_counting():
    """For labels without ties: Delta = sum p_c^2 + (N - 1)/N (1 - share of neighbours with the own label)."""
    from infoscope.cli.demo_questions import K, wines
    from infoscope.datasets import load_wine

    table, cultivar = load_wine()
    found, n = wines(), len(table)
    x = table.to_numpy() / table.to_numpy().std(0)
    square = ((x[:, None] - x[None]) ** 2).sum(-1)
    np.fill_diagonal(square, np.inf)
    share = np.mean(cultivar[np.argsort(square, 1)[:, :K]] == cultivar[:, None])
    floor = (np.unique(cultivar, return_counts=True)[1] ** 2).sum() / n**2
    expected = (n - 1) / n * (1 - share) / (1 - floor)
    assert found.values[found.names.index("all 13 together")] == pytest.approx(expected, abs=1e-12)


def test_few_wines_by_the_formula():
    """The values at equal and at fitted weights from formulas (12) and (13), without a tile; intervals hold the fit."""
    from infoscope.cli.demo_questions import few
    from infoscope.datasets import load_wine

    table, cultivar = load_wine()
    x, found = table.to_numpy() / table.to_numpy().std(0), few()
    names = [name.split("_of_diluted")[0].replace("_", " ") for name in table.columns]
    fitted = np.zeros(len(names))
    fitted[[names.index(name) for name in found.weights.names]] = found.weights.standard_weights
    same = cultivar[:, None] == cultivar
    in_class = same.sum(1)[:, None]  # items of a class share a place: half of their own class, or the rest's middle
    n = len(x)
    rank = np.where(same, in_class / 2, (n - 1 + in_class) / 2)

    def value(weights):
        square = (((x[:, None] - x) * weights) ** 2).sum(-1)
        np.fill_diagonal(square, np.inf)
        c = np.exp(-(square - square.min(1)[:, None]) / (0.1 * np.sort(square, 1)[:, found.weights.k - 1])[:, None])
        return 2 / n * ((c * rank).sum(1) / c.sum(1)).mean()

    assert found.equal == pytest.approx(value(np.ones(len(names))), rel=1e-9)
    assert found.weights.dii == pytest.approx(value(fitted), rel=1e-9) and found.weights.dii < found.equal
    assert found.floor == pytest.approx((np.unique(cultivar, return_counts=True)[1] ** 2).sum() / n**2)
    low, high = found.weights.standard_weights_low, found.weights.standard_weights_high
    assert ((low <= fitted[fitted > 0]) & (fitted[fitted > 0] <= high)).all() and (low > 0).any()
