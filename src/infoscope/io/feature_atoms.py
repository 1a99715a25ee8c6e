"""Names of features read back: which atoms are behind "ALA2 phi" or "ALA2 CB - NME3 N"."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from infoscope.base.errors import DataError, ParameterError

from .columns import did_you_mean

BACKBONE = ("phi", "psi", "omega")
KINDS = {2: "distance", 3: "angle", 4: "torsion"}  # of atoms joined by " - ", by their number
SIDE_CHAIN = "GDEZH"  # Greek letters of the atoms beyond CB, as names write them
NAMED = re.compile(r"(?P<residue>\S+) (?P<kind>phi|psi|omega|chi[1-5])")
RESIDUE = re.compile(r"(?P<chain>.*:)?(?P<name>.*?)(?P<number>-?\d+)(?P<code>[A-Za-z]?)")


def wanted_names(names: str | Sequence[str]) -> list[str]:
    """One or several names as a list, none of them twice."""
    wanted = [names] if isinstance(names, str) else [str(name) for name in names]
    if not wanted:
        raise ParameterError("no variable is named: give at least one, such as 'ALA2 phi'")
    if twice := next((name for name in wanted if wanted.count(name) > 1), None):
        raise ParameterError(f"'{twice}' is given twice")
    return wanted


class AtomNumbers(Mapping[str, int]):
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
            near = did_you_mean(name, list(self.residues))
            raise DataError(
                f"'{feature}': there is no residue {name} among the atoms ({_few(list(self.residues))}).{near}"
            )
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
def atom_labels(atoms: Any) -> list[str]:
    if hasattr(atoms, "atoms") and hasattr(atoms.atoms, "resindices"):  # of MDAnalysis
        from .atoms import Molecule

        return Molecule(atoms.atoms, positions=None, box=None).labels  # type: ignore[arg-type]
    if isinstance(atoms, str) or not hasattr(atoms, "__iter__"):
        raise ParameterError("atoms is a sequence of names such as 'ALA2 CB', one for each atom in file order")
    labels = [str(atom) for atom in atoms]
    if not labels:
        raise DataError("atoms is empty")
    return labels


def atoms_of(name: str, numbers: AtomNumbers, refusal: str) -> list[str]:
    """The atoms behind a feature: two of a distance, three of an angle, four of a torsion.

    Parameters
    ----------
    name : str
        "ALA2 phi" (psi, omega, chi1 to chi5), or two to four atoms joined by " - ".
    numbers : AtomNumbers
        All atoms.
    refusal : str
        How to begin the error on names that say nothing of single atoms: "PLUMED has no line for".

    Returns
    -------
    list of str
        Labels of the atoms in order.
    """
    if match := NAMED.fullmatch(name):
        return _torsion(match["residue"], match["kind"], name, numbers)
    parts = name.split(" - ")
    if len(parts) in KINDS and all(part in numbers for part in parts):
        if len(set(parts)) < len(parts):
            raise ParameterError(f"'{name}' names an atom twice")
        return parts
    if len(parts) in KINDS and not name.endswith(" torsion"):
        missing = next(part for part in parts if part not in numbers)
        near = did_you_mean(missing, list(numbers))
        raise DataError(f"'{name}': there is no atom '{missing}' ({_few(list(numbers))}).{near}")
    if re.search(r" [xyz]$", name):
        raise ParameterError(
            f"'{name}' is a coordinate of superposed positions. {refusal} it: choose distances or torsions"
        )
    raise ParameterError(
        f"{refusal} '{name}': use 'ALA2 phi' (psi, omega, chi1 to chi5), or two to four atoms joined by ' - '."
        + did_you_mean(name, [f"{residue} {kind}" for residue in numbers.residues for kind in BACKBONE])
    )


def _torsion(residue: str, kind: str, feature: str, numbers: AtomNumbers) -> list[str]:
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


def _few(names: Sequence[str], shown: int = 8) -> str:
    return ", ".join(names) if len(names) <= shown else f"{', '.join(names[: shown - 1])}, ... {names[-1]}"
