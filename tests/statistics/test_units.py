"""Thermal energies against the constants of the SI, and that they have one owner."""

import re
from fractions import Fraction
from pathlib import Path

import pytest

import infoscope
from infoscope.base import ParameterError
from infoscope.statistics.units import ENERGY_UNITS, GAS_CONSTANT, energy_unit

# exact by the definitions of the kelvin and the mole (SI, 2019): Boltzmann's constant in J/K, Avogadro's in 1/mol
EXACT = Fraction("1.380649e-23") * Fraction("6.02214076e23")


def test_the_gas_constant_is_exact():
    assert float(EXACT / 1000) == GAS_CONSTANT


@pytest.mark.parametrize("temperature", [1.0, 273.15, 300, 1000])
def test_kt_in_all_units(temperature):
    kj = EXACT * Fraction(temperature) / 1000
    assert energy_unit(temperature, "kT") == 1
    # a quotient and a product round once each, and so does what they are compared with
    assert energy_unit(temperature, "kJ/mol") == pytest.approx(float(kj), rel=1e-15)
    assert energy_unit(temperature, "kcal/mol") == pytest.approx(float(kj / Fraction("4.184")), rel=1e-15)
    assert ENERGY_UNITS == ("kT", "kJ/mol", "kcal/mol")


@pytest.mark.parametrize(
    ("temperature", "units"), [(0, "kJ/mol"), (-1, "kcal/mol"), (float("nan"), "kJ/mol"), (1, "eV")]
)
def test_no_thermal_energies(temperature, units):
    with pytest.raises(ParameterError, match="temperature" if units != "eV" else "'kT', 'kJ/mol', 'kcal/mol'"):
        energy_unit(temperature, units)


def test_nobody_else_knows_the_gas_constant():
    """Digits of the gas constant stand in one file of the library."""
    digits = re.compile(r"8\.?3144")
    files = [p for p in Path(infoscope.__file__).parent.rglob("*.py") if digits.search(p.read_text("utf-8"))]
    assert [path.name for path in files] == ["units.py"]
