"""Thermal energies: the gas constant, kT at a temperature, a temperature from kT; nats and bits.

Nobody else decides them.
"""

from __future__ import annotations

import numpy as np

from infoscope.base import ParameterError
from infoscope.base.checks import check_choice

# 1.380649e-23 J/K times 6.02214076e23 /mol: exact, as both constants are since the SI of 2019; a calorie is 4.184 J.
GAS_CONSTANT = 8.31446261815324e-3  # kJ/(mol K)
MOLAR_UNITS = {"kJ/mol": GAS_CONSTANT, "kcal/mol": GAS_CONSTANT / 4.184}  # of the gas constant, per kelvin
ENERGY_UNITS = ("kT", *MOLAR_UNITS)
INFORMATION_UNITS = {"nats": 1.0, "bits": float(np.log(2))}  # in nats


def energy_unit(temperature: float, units: str) -> float:
    """kT in the units asked for.

    Parameters
    ----------
    temperature : float
        In kelvin; of no use for ``units="kT"``.
    units : {"kT", "kJ/mol", "kcal/mol"}
        Of the answer.

    Returns
    -------
    float

    Raises
    ------
    ParameterError
        Unknown units, a temperature that is not positive.

    Examples
    --------
    >>> from infoscope.statistics.units import energy_unit
    >>> round(energy_unit(300, "kJ/mol"), 4), energy_unit(300, "kT")
    (2.4943, 1.0)
    """
    check_choice(units, "units", ENERGY_UNITS)
    if units == "kT":
        return 1.0
    if not 0 < float(temperature) < np.inf:
        raise ParameterError(f"temperature is {temperature!r}; it is in kelvin and must be positive")
    return MOLAR_UNITS[units] * float(temperature)


def information_unit(unit: str) -> float:
    """What nats are divided by.

    Parameters
    ----------
    unit : {"nats", "bits"}
        Of the answer.

    Returns
    -------
    float

    Raises
    ------
    ParameterError
        An unknown unit.

    Examples
    --------
    >>> from infoscope.statistics.units import information_unit
    >>> information_unit("nats"), round(information_unit("bits"), 4)
    (1.0, 0.6931)
    """
    return INFORMATION_UNITS[check_choice(unit, "unit", tuple(INFORMATION_UNITS))]
