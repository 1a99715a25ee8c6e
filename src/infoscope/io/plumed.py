"""Selected variables as PLUMED input: the way from an answer back to the next simulation."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from infoscope.base.checks import check_choice, check_positive_int
from infoscope.base.errors import ParameterError

from .feature_atoms import NAMED, AtomNumbers, atom_labels, atoms_of, wanted_names

ACTIONS = {2: ("DISTANCE", "d"), 3: ("ANGLE", "a"), 4: ("TORSION", "t")}  # by the number of atoms; how labels begin


def plumed_snippet(
    names: str | Sequence[str], *, atoms: Any, length_unit: str = "nm", file: str = "COLVAR", stride: int = 500
) -> str:
    """Write variables as PLUMED input: one line each, and one that prints them all.

    Parameters
    ----------
    names : str or sequence of str
        Features as `trajectory` names them: ``"ALA2 phi"`` (also psi, omega, chi1 to chi5), ``"ALA2 CB - NME3 N"``. Two
        atoms joined by " - " are a distance, three an angle, four a torsion.
    atoms : sequence of str, or MDAnalysis Universe or AtomGroup
        All atoms of the simulation in the order of its files, as "RESNAMEresid NAME": ``"ACE1 HH31"``, ``"ACE1 CH3"``,
        and so on. PLUMED numbers them from 1. An AtomGroup must hold them all: with part of them, numbers are wrong.
    length_unit : {"nm", "A"}
        Unit of PLUMED's distances: its own is nm; "A" writes a line ``UNITS LENGTH=A``. Angles are in radians.
    file : str
        Where PLUMED is to print.
    stride : int
        Print every so many steps.

    Returns
    -------
    str
        PLUMED input. A label is the kind where it is the only one (``phi``), else with its residue (``phi_ALA2``);
        distances are ``d1``, ``d2``, ... in the order given.

    Raises
    ------
    ParameterError
        If a name is not one of these (positions have no counterpart: they are superposed here and not there), is given
        twice, or ``names`` is empty.
    DataError
        If an atom is missing or stands twice among ``atoms``, or a neighbour along the chain is missing.

    Notes
    -----
    Omega is called by the residue before its bond, as `trajectory` does. A side chain's torsion takes the branch with
    the lowest number (CG1 of valine). Neighbours along the chain are the residues before and after in the file, if
    their numbers follow each other.

    Examples
    --------
    >>> from infoscope.io import plumed_snippet
    >>> atoms = ["ACE1 CH3", "ACE1 C", "ACE1 O", "ALA2 N", "ALA2 CA", "ALA2 CB", "ALA2 C", "ALA2 O", "NME3 N", "NME3 C"]
    >>> print(plumed_snippet(["ALA2 phi", "ALA2 psi", "ALA2 CB - NME3 N"], atoms=atoms))
    # ALA2 phi
    phi: TORSION ATOMS=2,4,5,7
    # ALA2 psi
    psi: TORSION ATOMS=4,5,7,9
    # ALA2 CB - NME3 N
    d1: DISTANCE ATOMS=6,9
    PRINT ARG=phi,psi,d1 FILE=COLVAR STRIDE=500
    <BLANKLINE>
    """
    wanted = wanted_names(names)
    check_choice(length_unit, "length_unit", ("nm", "A"))
    if not file or re.search(r"[\s#{}]", file):
        raise ParameterError(f"PLUMED cannot print to a file called {file!r}: use a name without spaces")
    numbers = AtomNumbers(atom_labels(atoms))
    variables = {name: atoms_of(name, numbers, "PLUMED has no line for") for name in wanted}
    called = _called(variables)
    lines = ["UNITS LENGTH=A"] if length_unit == "A" else []
    for name, chosen in variables.items():
        ends = ",".join(str(numbers[atom]) for atom in chosen)
        lines += [f"# {name}", f"{called[name]}: {ACTIONS[len(chosen)][0]} ATOMS={ends}"]
    stride = check_positive_int(stride, "stride")
    return "\n".join([*lines, f"PRINT ARG={','.join(called.values())} FILE={file} STRIDE={stride}"]) + "\n"


# --------------------------------------------------------------------------------------------------------------- steps
def _called(variables: Mapping[str, Sequence[str]]) -> dict[str, str]:
    """A label for each variable: letters, digits and underscores."""
    kinds = {name: match["kind"] for name in variables if (match := NAMED.fullmatch(name))}
    counted: dict[str, int] = {}
    called: dict[str, str] = {}
    for name, chosen in variables.items():
        if name in kinds:
            alone = list(kinds.values()).count(kinds[name]) == 1
            label = kinds[name] if alone else f"{kinds[name]}_{name.split()[0]}"
        else:
            start = ACTIONS[len(chosen)][1]
            counted[start] = counted.get(start, 0) + 1
            label = f"{start}{counted[start]}"
        label = re.sub(r"\W", "_", label, flags=re.ASCII)
        while label in called.values():  # A:B1 and A_B1
            label += "_"
        called[name] = label
    return called
