"""Selected variables as PLUMED input: the way from an answer back to the next simulation."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from infoscope.base.checks import check_choice, check_positive_int
from infoscope.base.errors import DataError, ParameterError

ACTIONS = {2: ("DISTANCE", "d"), 3: ("ANGLE", "a"), 4: ("TORSION", "t")}  # by the number of atoms; how labels begin
SIDE_CHAIN = "GDEZH"  # Greek letters of the atoms beyond CB, as names write them
NAMED = re.compile(r"(?P<residue>\S+) (?P<kind>phi|psi|omega|chi[1-5])")
RESIDUE = re.compile(r"(?P<chain>.*:)?(?P<name>.*?)(?P<number>-?\d+)(?P<code>[A-Za-z]?)")


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
    wanted = [names] if isinstance(names, str) else [str(name) for name in names]
    if not wanted:
        raise ParameterError("no variable is named: give at least one, such as 'ALA2 phi'")
    if twice := next((name for name in wanted if wanted.count(name) > 1), None):
        raise ParameterError(f"'{twice}' is given twice")
    check_choice(length_unit, "length_unit", ("nm", "A"))
    if not file or re.search(r"[\s#{}]", file):
        raise ParameterError(f"PLUMED cannot print to a file called {file!r}: use a name without spaces")
    labels = _labels(atoms)
    numbers = _Numbers(labels)
    variables = {name: _atoms_of(name, numbers) for name in wanted}
    called = _called(variables)
    lines = ["UNITS LENGTH=A"] if length_unit == "A" else []
    for name, chosen in variables.items():
        ends = ",".join(str(numbers[atom]) for atom in chosen)
        lines += [f"# {name}", f"{called[name]}: {ACTIONS[len(chosen)][0]} ATOMS={ends}"]
    stride = check_positive_int(stride, "stride")
    return "\n".join([*lines, f"PRINT ARG={','.join(called.values())} FILE={file} STRIDE={stride}"]) + "\n"


class _Numbers(Mapping[str, int]):
    """Number of each atom, from 1, and the atoms of each residue in the order of the file."""

    def __init__(self, labels: Sequence[str]) -> None:
        self.labels = labels
        self.numbers: dict[str, int] = {}
        self.residues: dict[str, dict[str, str]] = {}
        self.twice: set[str] = set()
        for number, label in enumerate(labels, start=1):
            residue, _, atom = label.rpartition(" ")
            if not residue or residue != residue.strip() or not atom:
                raise DataError(f"atom {number} is called {label!r}, and not like 'ALA2 CB' (residue, number, name)")
            if label in self.numbers:
                self.twice.add(label)
            self.numbers[label] = number
            self.residues.setdefault(residue, {})[atom] = label

    def __getitem__(self, label: str) -> int:
        if label in self.twice:
            raise DataError(f"'{label}' stands twice among the atoms: put the chain before the residue, as in A:ALA2")
        return self.numbers[label]

    def __len__(self) -> int:
        return len(self.numbers)

    def __iter__(self) -> Any:
        return iter(self.numbers)

    def residue(self, name: str, feature: str) -> dict[str, str]:
        if name not in self.residues:
            raise DataError(f"'{feature}': there is no residue {name} among the atoms ({_few(list(self.residues))})")
        return self.residues[name]

    def next_to(self, name: str, step: int, feature: str) -> dict[str, str]:
        """The residue before (-1) or after (1) along the chain."""
        order = list(self.residues)
        place = order.index(name) + step
        other = order[place] if 0 <= place < len(order) else None
        if other is None or not _follow(name, other, step):
            where = "before" if step < 0 else "after"
            raise DataError(f"'{feature}' needs the residue {where} {name}, and it is not among the atoms")
        return self.residues[other]


# --------------------------------------------------------------------------------------------------------------- steps
def _labels(atoms: Any) -> list[str]:
    if hasattr(atoms, "atoms") and hasattr(atoms.atoms, "resindices"):  # of MDAnalysis
        from .atoms import Molecule

        return Molecule(atoms.atoms, positions=None, box=None).labels  # type: ignore[arg-type]
    if isinstance(atoms, str) or not hasattr(atoms, "__iter__"):
        raise ParameterError("atoms is a sequence of names such as 'ALA2 CB', one for each atom in file order")
    labels = [str(atom) for atom in atoms]
    if not labels:
        raise DataError("atoms is empty")
    return labels


def _atoms_of(name: str, numbers: _Numbers) -> list[str]:
    """The atoms behind a feature."""
    if match := NAMED.fullmatch(name):
        return _torsion(match["residue"], match["kind"], name, numbers)
    parts = name.split(" - ")
    if len(parts) in ACTIONS and all(part in numbers for part in parts):
        if len(set(parts)) < len(parts):
            raise ParameterError(f"'{name}' names an atom twice")
        return parts
    if len(parts) in ACTIONS and not name.endswith(" torsion"):
        missing = next(part for part in parts if part not in numbers)
        raise DataError(f"'{name}': there is no atom '{missing}' ({_few(list(numbers))})")
    if re.search(r" [xyz]$", name):
        raise ParameterError(
            f"'{name}' is a coordinate of superposed positions, and PLUMED has no line for it: "
            "choose distances or torsions"
        )
    raise ParameterError(
        f"PLUMED has no line for '{name}': use 'ALA2 phi' (psi, omega, chi1 to chi5), or two to four "
        "atoms joined by ' - '"
    )


def _torsion(residue: str, kind: str, feature: str, numbers: _Numbers) -> list[str]:
    here = numbers.residue(residue, feature)
    if kind == "phi":
        before = numbers.next_to(residue, -1, feature)
        found = [before.get("C"), here.get("N"), here.get("CA"), here.get("C")]
    elif kind == "psi":
        after = numbers.next_to(residue, 1, feature)
        found = [here.get("N"), here.get("CA"), here.get("C"), after.get("N")]
    elif kind == "omega":
        after = numbers.next_to(residue, 1, feature)
        found = [_alpha(here, "C"), here.get("C"), after.get("N"), _alpha(after, "N")]
    else:
        chain = [here.get("N"), here.get("CA"), here.get("CB"), *(_branch(here, letter) for letter in SIDE_CHAIN)]
        first = int(kind[3:]) - 1
        found = chain[first : first + 4]
    if None in found:
        raise DataError(f"'{feature}' needs atoms that are not there: {residue} has {_few(list(here))}")
    return [atom for atom in found if atom is not None]


def _alpha(residue: Mapping[str, str], bonded: str) -> str | None:
    """CA, or the methyl carbon of a cap (CH3, CAY, C, ...): the first carbon that is not the bonded atom itself."""
    carbons = [name for name in residue if name.startswith("C") and name != bonded]
    return residue.get("CA") or residue.get("CH3") or (residue[carbons[0]] if carbons else None)


def _branch(residue: Mapping[str, str], letter: str) -> str | None:
    """The heavy atom at a Greek letter with the lowest number."""
    heavy = [name for name in residue if name[1:2] == letter and name[0] in "CNOS"]
    first = min(heavy, key=lambda name: int(name[2:]) if name[2:].isdecimal() else 0, default=None)
    return None if first is None else residue[first]


def _follow(name: str, other: str, step: int) -> bool:
    """Whether two residues are neighbours along a chain by their labels; those without a number are believed."""
    here, there = RESIDUE.fullmatch(name), RESIDUE.fullmatch(other)
    if here is None or there is None:
        return True
    gap = int(there["number"]) - int(here["number"])
    inserted = gap == 0 and here["code"] != there["code"]  # 52 and 52A
    return here["chain"] == there["chain"] and (gap == step or inserted)


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


def _few(names: Sequence[str], shown: int = 8) -> str:
    return ", ".join(names) if len(names) <= shown else f"{', '.join(names[: shown - 1])}, ... {names[-1]}"
