"""What kT is: ``--kT``, ``--temperature`` and ``--units``, the same in every command.  Nobody else decides it."""

from __future__ import annotations

import math
from typing import NamedTuple

from infoscope.base.errors import ParameterError, warn
from infoscope.cli.options import Items
from infoscope.statistics.units import MOLAR_UNITS, energy_unit

from .parsing import as_number

ROOM = 300.0  # kelvin, where nothing is said
DIGITS = 1e-3  # relative difference of numbers that people write for the same kT: 2.494 and 2.4943
PLUMED_ENERGIES = (".bias", ".rbias")  # how names of columns end that hold energies in kJ/mol
KELVINS = range(200, 1001)  # whole numbers that are more likely kelvin than kJ/mol


class ThermalEnergy(NamedTuple):
    """kT in the unit of the energies in the files (None: nothing was said, they are in kT), and their unit.

    Attributes
    ----------
    kT : float or None
    units : str
        Of answers that are energies.
    temperature : float
        In kelvin; of no use for ``units="kT"``.
    note : str
        What was assumed.
    """

    kT: float | None = None
    units: str = "kT"
    temperature: float = ROOM
    note: str = ""


def thermal_energy(items: Items, *, in_answer: bool = False) -> ThermalEnergy:
    """Decide kT from what was said of it; what contradicts itself, or what nothing uses, is refused.

    Parameters
    ----------
    items : Items
        The options.
    in_answer : bool
        Whether the answer holds energies, so that a unit has a meaning without any in the files.

    Examples
    --------
    >>> from infoscope.cli.inputs.energies import thermal_energy
    >>> from infoscope.cli.options import Items
    >>> thermal_energy(Items(bias="V", temperature=310, units="kcal/mol"))
    ThermalEnergy(kT=0.616, units='kcal/mol', temperature=310.0, note='')
    """
    said = {flag: value for flag, value in items.given_flags().items() if flag in ("--kT", "--temperature", "--units")}
    in_files = items.bias is not None or items.log_weights is not None
    unused = said.keys() - ({"--units", "--temperature"} if in_answer else set())
    if unused and not in_files:
        raise ParameterError(f"{min(unused)} needs the bias: --log-weights COLUMN, or --bias COLUMN")
    units, temperature = items.units, items.temperature
    if items.kT is not None:
        return _kT_of_text(items.kT, units, temperature)
    if units in (None, "kT"):
        if temperature is not None:
            raise ParameterError(
                f"--temperature {temperature:g} is for energies in --units kJ/mol or kcal/mol, not in kT"
            )
        if units is None and items.bias is not None and items.bias.endswith(PLUMED_ENERGIES):
            warn(f"--bias {items.bias} is taken in kT; by its name it is PLUMED's, in kJ/mol: add --units kJ/mol")
        return ThermalEnergy(None if units is None else 1.0)
    note = "" if temperature is not None else f"the temperature is taken to be {ROOM:g} K (--temperature says another)"
    temperature = ROOM if temperature is None else float(temperature)
    return ThermalEnergy(energy_unit(temperature, units), units, temperature, note)


def _kT_of_text(text: str, units: str | None, temperature: float | None) -> ThermalEnergy:
    """--kT, and whether the other options say the same."""
    in_kelvin = text.strip().endswith("K")
    number = as_number(text.strip().removesuffix("K"))
    if number is None or not 0 < number < math.inf:
        raise ParameterError(f"--kT is a number in the unit of the bias, or a temperature such as 300K, not '{text}'")
    if units == "kT" and (in_kelvin or number != 1):
        raise ParameterError(f"--units kT and --kT {text} contradict each other: energies in kT have kT = 1")
    units = units or ("kJ/mol" if in_kelvin else "kT")
    if units == "kT" and temperature is not None:
        raise ParameterError(f"--kT {text} and --temperature {temperature:g}: say in which --units, kJ/mol or kcal/mol")
    if not in_kelvin and number in KELVINS:
        warn(f"--kT {text} is taken in the unit of the bias; the temperature is written --kT {text}K")
    kelvin = number if in_kelvin else number / MOLAR_UNITS[units] if units != "kT" else ROOM
    if temperature is not None and abs(kelvin - temperature) > DIGITS * kelvin:
        raise ParameterError(
            f"--kT {text} and --temperature {temperature:g} contradict each other: kT is that of {kelvin:.4g} K"
        )
    return ThermalEnergy(energy_unit(number, units) if in_kelvin else number, units, kelvin)
