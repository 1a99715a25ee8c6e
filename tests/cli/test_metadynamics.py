"""A bias that grows while rows are sampled: refused or loud, with the way out; c(t) from the hills."""

import json
import warnings

import numpy as np
import pytest
from tests.io import metadynamics
from tests.io.metadynamics import KT

import infoscope as library
from infoscope import PAk, Space
from infoscope.base import DataError, InfoscopeWarning
from infoscope.statistics import bias_differences

RUN = metadynamics.run(seed=0, n_steps=16_000, height=2.0)  # two variables, 1600 frames, 319 hills
FRAMES, HILLS, POTENTIAL = RUN
ENERGIES = ("--units", "kJ/mol", "--temperature", "300", "--dimension", "2", "-q")


@pytest.fixture
def files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    metadynamics.write_colvar("both.dat", FRAMES)
    metadynamics.write_colvar("COLVAR", FRAMES, rbias=False)
    metadynamics.write_hills("HILLS", HILLS)
    return tmp_path


def errors(log_density):
    """How far a log density is from that of the potential, up to a constant, in kT."""
    away = log_density + POTENTIAL / KT
    return away - np.median(away)


def test_the_bias_of_neighbours():
    """metad.bias is no function of the variables, metad.rbias is; by a search of its own."""
    x = FRAMES[:, 1:3]
    away = np.abs(x[:, None] - x[None, ::1]) % (2 * np.pi)
    squares = (np.minimum(away, 2 * np.pi - away) ** 2).sum(axis=2)
    np.fill_diagonal(squares, np.inf)
    items = np.argsort(squares, axis=1)[:, :30]
    bias, rbias = (bias_differences(FRAMES[:, c] / KT, items, FRAMES[:, 0]) for c in (3, 4))
    nearest = items[:, 0]
    assert np.median(np.abs(FRAMES[:, 3] - FRAMES[nearest, 3])) / KT > 1  # what a plain look says as well
    assert bias.differs and bias.grows and bias.growth > 0.9
    assert not rbias.differs and not rbias.grows and abs(rbias.growth) < 0.1


def test_densities_refuse_a_bias_that_grows():
    space = Space(FRAMES[:, 1:3], period=2 * np.pi, time=FRAMES[:, 0])
    with pytest.raises(DataError, match=r"bias of neighbours differs by 1\.\d+ kT.*Use metad\.rbias"):
        PAk(dimension=2).fit(space, bias=FRAMES[:, 3] / KT)
    found = PAk(dimension=2).fit(space, bias=FRAMES[:, 4] / KT)
    assert found.result_.warnings == () and errors(found.log_density_).std() < 0.5
    # another bias that is no function of the features: it acts on a column that is not among them
    g = np.random.default_rng(0)
    hidden = 6 * g.uniform(size=len(space))
    with pytest.warns(InfoscopeWarning, match="no function of the features"):
        told = PAk(dimension=2).fit(space, bias=hidden)
    assert any("Add the coordinate it acts on" in text for text in told.result_.warnings)


def test_a_static_bias_of_a_molecule_passes():
    """The data that come with the package: frames under a static bias, two angles."""
    from infoscope.datasets import load_alanine_dipeptide

    frames = load_alanine_dipeptide("300K metadynamics")
    angles = Space(frames.torsions[["ALA2 phi", "ALA2 psi"]], period=2 * np.pi, time=frames.time)
    with warnings.catch_warnings():
        warnings.simplefilter("error", InfoscopeWarning)
        found = PAk(dimension=2, calibrate=False).fit(angles, bias=np.asarray(frames.bias) / KT)
    assert not any("bias of neighbours" in text for text in found.result_.warnings)


def test_the_command_refuses_and_names_rbias(files, infoscope):
    ran = infoscope("density", "COLVAR", "--bias", "metad.bias", *ENERGIES)
    assert ran.code == 2 and "metad.rbias" in ran.err and "--hills FILE" in ran.err
    assert "hills_offset" not in ran.err and len(ran.err.strip().splitlines()) == 1
    ran = infoscope("density", "both.dat", "--bias", "metad.bias", *ENERGIES)
    assert ran.code == 2 and "both.dat holds metad.rbias" in ran.err and "use --bias metad.rbias" in ran.err


def test_c_of_t_from_the_hills(files, infoscope):
    """The answer is that of metad.rbias, to the digits that files print; and it can be run again."""
    options = ("--bias", "metad.bias", "--hills", "HILLS", *ENERGIES)
    ran = infoscope("density", "COLVAR", *options, "--output", "h.npz", "--output", "h.json")
    assert ran.code == 0 and "--bias metad.bias less c(t) of the hills in HILLS, which goes from 0 to" in ran.out, (
        ran.err
    )
    ran = infoscope("density", "both.dat", "--bias", "metad.rbias", *ENERGIES, "--output", "r.npz")
    assert ran.code == 0, ran.err
    with_hills, with_rbias = (library.load(name).log_density for name in ("h.npz", "r.npz"))
    assert np.abs(with_hills - with_rbias).max() < 0.01
    assert errors(with_hills).std() < 0.5
    assert [file["name"] for file in json.loads((files / "h.json").read_text())["files"]] == ["COLVAR", "HILLS"]
    assert "reproduced" in infoscope("rerun", "h.json").out


def test_weights_from_a_bias_that_grows_are_loud(files, infoscope):
    pair = ("A=COLVAR:phi", "B=COLVAR:phi,psi", "--units", "kJ/mol", "--temperature", "300")
    ran = infoscope("compare", *pair, "--bias", "metad.bias")
    assert "hint: HILLS is there" in ran.out and "it grew while rows were sampled" in " ".join(ran.err.split())
    ran = infoscope("compare", *pair, "--bias", "metad.bias", "--hills", "HILLS")
    assert ran.code == 0 and "it grew while" not in ran.err and "less c(t)" in ran.out


def test_rbias_is_proposed(files, infoscope):
    """Where nothing was said of the bias, and the file knows it."""
    ran = infoscope("dimension", "both.dat")
    assert "hint: both.dat was sampled under a bias: --bias metad.rbias --units kJ/mol takes it out." in ran.out
    assert "under a bias" not in infoscope("dimension", "COLVAR").out
    for command in ("density", "compare"):
        assert "metad.rbias" in infoscope(command, "--help").out


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--hills", "HILLS"), "--hills needs the bias"),
        (("--bias", "metad.bias", "--hills", "HILLS"), "--hills needs kT"),
        (("--bias", "metad.rbias", "--hills", "HILLS", "--kT", "300K"), "without c(t) already"),
        (("--bias", "metad.bias", "--hills", "HILL", "--kT", "300K"), "there is no file HILL"),
        (("--bias", "metad.bias", "--hills", "HILLS,HILLS", "--kT", "300K"), "one for all, or one for each of the 1"),
    ],
)
def test_hills_that_do_not_go(files, infoscope, options, said):
    ran = infoscope("density", "both.dat", *options, "-q")
    assert ran.code == 2 and said in ran.err and len([line for line in ran.err.splitlines() if "error" in line]) == 1
