"""kT, temperature and units: one meaning in every command; a bias weighs rows, or is taken out of a density."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from infoscope import DifferentiableImbalance, Space, information_imbalance
from infoscope import load as load_result
from infoscope.base.errors import ParameterError
from infoscope.cli.inputs.energies import thermal_energy
from infoscope.cli.options import Items
from infoscope.density import PAk

R = 8.31446261815324e-3  # kJ/mol/K
N = 200


@pytest.mark.parametrize(
    ("said", "kT", "units", "temperature"),
    [
        ({}, None, "kT", 300),
        ({"units": "kT"}, 1, "kT", 300),
        ({"units": "kJ/mol"}, R * 300, "kJ/mol", 300),
        ({"units": "kJ/mol", "temperature": 310}, R * 310, "kJ/mol", 310),
        ({"units": "kcal/mol", "temperature": 310}, R / 4.184 * 310, "kcal/mol", 310),
        ({"kT": "2.5"}, 2.5, "kT", 300),
        ({"kT": "1", "units": "kT"}, 1, "kT", 300),
        ({"kT": "2.5", "units": "kJ/mol"}, 2.5, "kJ/mol", 2.5 / R),
        ({"kT": "0.6", "units": "kcal/mol"}, 0.6, "kcal/mol", 0.6 * 4.184 / R),
        ({"kT": "300K"}, R * 300, "kJ/mol", 300),
        ({"kT": "300K", "units": "kcal/mol"}, R / 4.184 * 300, "kcal/mol", 300),
        ({"kT": "300K", "temperature": 300}, R * 300, "kJ/mol", 300),
        ({"kT": "2.494", "units": "kJ/mol", "temperature": 300}, 2.494, "kJ/mol", 2.494 / R),  # rounded, not another
    ],
)
def test_what_was_said_of_kt(said, kT, units, temperature):
    found = thermal_energy(Items(bias="V", **said))
    assert found.kT == (None if kT is None else pytest.approx(kT, rel=1e-12))
    assert found.units == units and found.temperature == pytest.approx(temperature, rel=1e-12)
    assert bool(found.note) == (said == {"units": "kJ/mol"})  # a temperature that nobody said is said


@pytest.mark.parametrize(
    ("said", "flags"),
    [
        ({"kT": "300K", "units": "kT"}, ("--kT 300K", "--units kT")),
        ({"kT": "2.5", "units": "kT"}, ("--kT 2.5", "--units kT")),
        ({"kT": "300K", "temperature": 310}, ("--kT 300K", "--temperature 310")),
        ({"kT": "300K", "units": "kJ/mol", "temperature": 310}, ("--kT 300K", "--temperature 310")),
        ({"kT": "2.5", "units": "kcal/mol", "temperature": 300}, ("--kT 2.5", "--temperature 300")),
        ({"kT": "2.494", "temperature": 300}, ("--kT 2.494", "--temperature 300", "--units")),
        ({"temperature": 310}, ("--temperature 310", "--units kJ/mol")),
        ({"temperature": 310, "units": "kT"}, ("--temperature 310", "--units kJ/mol")),
        ({"kT": "warm"}, ("--kT", "'warm'")),
        ({"kT": "-1"}, ("--kT", "'-1'")),
        ({"kT": "0K"}, ("--kT", "'0K'")),
        ({"kT": "inf"}, ("--kT", "'inf'")),
    ],
)
def test_contradictions_name_both(said, flags):
    with pytest.raises(ParameterError) as caught:
        thermal_energy(Items(bias="V", **said))
    assert all(flag in str(caught.value) for flag in flags), caught.value


@pytest.mark.parametrize("said", [{"kT": "2.5"}, {"temperature": 310.0}, {"units": "kJ/mol"}])
def test_what_nothing_uses_is_refused(said):
    with pytest.raises(ParameterError, match=f"--{next(iter(said))} needs the bias"):
        thermal_energy(Items(**said))
    if "kT" not in said:  # a density answers with energies
        assert thermal_energy(Items(temperature=310, units="kcal/mol"), in_answer=True).units == "kcal/mol"


@pytest.fixture
def biased(tmp_path, monkeypatch):
    """Three columns, and two biases."""
    monkeypatch.chdir(tmp_path)
    g = np.random.default_rng(0)
    table = pd.DataFrame(g.normal(size=(N, 3)), columns=["x", "y", "z"])
    table["V"] = np.round(0.08 * table["x"] ** 2 + 0.1 * g.normal(size=N), 6)
    table["wall"] = np.round(0.05 * g.normal(size=N) ** 2, 6)
    table.to_csv("biased.csv", index=False)
    return table


def values(ran, path="out.json"):
    assert ran.code == 0, ran.err
    return json.loads(Path(path).read_text())["values"]


SAID = ("--units", "kcal/mol", "--temperature", "310")
KT = R / 4.184 * 310  # the same, by hand


@pytest.mark.parametrize(
    ("bias", "column", "note"),
    [
        (("--bias", "V"), lambda t: t["V"], "--bias V makes weights exp((V) / 0.616033)"),
        (("--log-weights", "V"), lambda t: t["V"], "weights exp((V) / 0.616033)"),
        (("--log-weights", "V,wall"), lambda t: t["V"] + t["wall"], "weights exp((V + wall) / 0.616033)"),
    ],
)
def test_a_bias_weighs_rows(biased, infoscope, bias, column, note):
    weight = np.exp(column(biased) / KT)
    a, b = (Space(biased[[name]], sample_weight=weight) for name in "xy")
    truth = information_imbalance(a, b, exclusion_window=0, random_state=0)
    common = ("--window", "0", *SAID, *bias, "--output", "out.json")
    ran = infoscope("compare", "A=biased.csv:x", "B=biased.csv:y", *common)
    assert values(ran)["a_to_b"] == pytest.approx(truth.a_to_b, rel=1e-10) and f"note: {note}" in ran.out
    bare = information_imbalance(a.replace(sample_weight=None), b.replace(sample_weight=None), k=10, exclusion_window=0)
    assert abs(bare.a_to_b - truth.a_to_b) > 1e-3
    assert infoscope("rerun", "out.json").code == 0
    ran = infoscope("select", "biased.csv:x,z", "--target", "y", *common)
    fit = DifferentiableImbalance(exclusion_window=0).fit(
        Space(biased[["x", "z"]], sample_weight=weight), Space(biased[["y"]], sample_weight=weight)
    )
    assert values(ran)["dii"] == pytest.approx(fit.dii_, rel=1e-8) and f"note: {note}" in ran.out


def test_a_density_takes_the_bias_out(biased, infoscope):
    columns = Space(biased[["x", "y"]])
    common = ("density", "biased.csv:x,y", "--dimension", "2", "--output", "out.json", "--output", "out.npz")
    ran = infoscope(*common, "--bias", "V", *SAID)
    fitted = PAk(dimension=2).fit(columns, bias=biased["V"] / KT)
    assert ran.code == 0 and "makes weights" not in ran.out
    np.testing.assert_allclose(load_result("out.npz").log_density, fitted.log_density_, atol=1e-9)
    energy = [row["free_energy"] for row in json.loads(Path("out.json").read_text())["table"]]
    np.testing.assert_allclose(energy, fitted.free_energy(310, "kcal/mol")[0], atol=1e-9)
    ran = infoscope(*common, "--log-weights", "V", *SAID)
    weighted = PAk(dimension=2).fit(columns.replace(sample_weight=np.exp((biased["V"] - biased["V"].max()) / KT)))
    assert ran.code == 0 and "note: weights exp((V) / 0.616033)" in ran.out
    np.testing.assert_allclose(load_result("out.npz").log_density, weighted.log_density_, atol=1e-9)
    ran = infoscope(*common, "--bias", "V", "--kT", "310K")  # a temperature alone means kJ/mol, there and here
    fitted = PAk(dimension=2).fit(columns, bias=biased["V"] / (R * 310))
    np.testing.assert_allclose(load_result("out.npz").log_density, fitted.log_density_, atol=1e-9)
    assert load_result("out.npz").units == "kJ/mol" and load_result("out.npz").temperature == 310
    ran = infoscope(*common, "--units", "kJ/mol")
    assert ran.code == 0 and "note: the temperature is taken to be 300 K" in ran.out


@pytest.mark.parametrize("bias", ["--bias", "--log-weights", "--weights"])
def test_what_cannot_use_weights_refuses_them(biased, infoscope, bias):
    biased.assign(V=np.abs(biased["V"])).to_csv("biased.csv", index=False)
    biased.assign(V=np.abs(biased["V"]))[1:].to_csv("later.csv", index=False)
    ran = infoscope("anomalies", "biased.csv:x,y", "later.csv", bias, "V")
    assert (
        ran.code == 2 and "has weights that differ" in ran.err and "draw rows in proportion to their weights" in ran.err
    )


def test_a_dimension_is_asked_with_the_weights(biased, infoscope, monkeypatch):
    """Used or refused is for the library to say: the weights get there."""
    seen = []

    def fit(self, space, **options):
        seen.append(space.sample_weight)
        raise ParameterError("seen")

    monkeypatch.setattr("infoscope.dimension.TwoNN.fit", fit)
    ran = infoscope("dimension", "biased.csv:x,y", "--method", "two-nn", "--bias", "V", *SAID)
    assert ran.code == 2 and "note: --bias V makes weights" in ran.out
    ratio = np.log(seen[0]) - biased["V"] / KT
    np.testing.assert_allclose(ratio, ratio.mean(), atol=1e-9)


def test_two_ways_to_weigh(biased, infoscope):
    flags = ("--weights", "--log-weights", "--bias")
    for first in range(3):
        for second in range(first + 1, 3):
            ran = infoscope("density", "biased.csv:x,y", flags[first], "V", flags[second], "wall")
            assert ran.code == 2 and f"{flags[first]} and {flags[second]}: give one of them" in ran.err


def test_a_bias_of_plumed_without_units(biased, infoscope):
    biased.rename(columns={"V": "metad.bias"}).to_csv("colvar.csv", index=False)
    for command in (("density", "colvar.csv:x,y", "--dimension", "2"), ("compare", "A=colvar.csv:x", "B=colvar.csv:y")):
        ran = infoscope(*command, "--bias", "metad.bias")
        assert ran.code == 0 and ran.err.count("by its name it is PLUMED's, in kJ/mol: add --units kJ/mol") == 1
        ran = infoscope(*command, "--bias", "metad.bias", "--kT", "300K")
        assert ran.code == 0 and "PLUMED" not in ran.err
