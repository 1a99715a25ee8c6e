"""Selected variables as variables of an OpenMM simulation: the way from an answer to a sampler."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from infoscope.base.errors import ParameterError

from .atoms import SOLVENT
from .feature_atoms import AtomNumbers, atom_labels, atoms_of, wanted_names

if TYPE_CHECKING:
    from infoscope.sampling import MolecularVariables


def openmm_variables(names: str | Sequence[str], topology: Any) -> MolecularVariables:
    """Variables by their names, for an `OpenMMTarget`.

    Parameters
    ----------
    names : str or sequence of str
        Features as `trajectory` names them and `DifferentiableImbalance` selects them, read as `plumed_snippet` reads
        them: ``"ALA2 phi"`` (psi, omega, chi1 to chi5), or two to four atoms joined by " - ", a distance, an angle, a
        torsion.
    topology : openmm.app.Topology, or what `plumed_snippet` takes as atoms
        All atoms of the System in its order; whatever has a ``topology`` (Simulation, Modeller, PDBFile) will do.

    Returns
    -------
    MolecularVariables
        With the names given, in their order.

    Raises
    ------
    ParameterError
        If a name is none of these (a coordinate of a superposed position, say), is given twice, or there is none.
    DataError
        If the topology has no such residue or atom; names that are near are said.

    Examples
    --------
    >>> from infoscope.io import openmm_variables
    >>> atoms = ["ACE1 CH3", "ACE1 C", "ACE1 O", "ALA2 N", "ALA2 CA", "ALA2 CB", "ALA2 C", "ALA2 O", "NME3 N", "NME3 C"]
    >>> openmm_variables(["ALA2 phi", "ALA2 CB - NME3 N"], atoms).parts
    (TorsionVariable(1, 3, 4, 6, name='ALA2 phi'), DistanceVariable(5, 8, name='ALA2 CB - NME3 N'))
    """
    from infoscope.sampling import AngleVariable, DistanceVariable, MolecularVariables, TorsionVariable

    kinds = {kind.n_atoms: kind for kind in (DistanceVariable, AngleVariable, TorsionVariable)}
    numbers = AtomNumbers(_labels(topology))
    parts = []
    for name in wanted_names(names):
        atoms = atoms_of(name, numbers, "no torsion, angle or distance is called")
        parts.append(kinds[len(atoms)](*(numbers[atom] - 1 for atom in atoms), name=name))
    return MolecularVariables(parts)


# --------------------------------------------------------------------------------------------------------------- steps
def _labels(topology: Any) -> list[str]:
    """Atoms as 'ALA2 CB', with their chain where residues of two chains have one name."""
    topology = getattr(topology, "topology", topology)
    if not callable(getattr(topology, "atoms", None)):
        return atom_labels(topology)
    if topology.getNumAtoms() == 0:
        raise ParameterError("the topology has no atoms")
    residues = list(topology.residues())
    plain = [f"{residue.name}{residue.id}{residue.insertionCode.strip()}" for residue in residues]
    solute = [name for residue, name in zip(residues, plain, strict=True) if residue.name.upper() not in SOLVENT]
    if len(set(solute)) < len(solute):
        plain = [f"{residue.chain.id}:{name}" for residue, name in zip(residues, plain, strict=True)]
    called = dict(zip(residues, plain, strict=True))
    return [f"{called[atom.residue]} {atom.name}" for atom in topology.atoms()]
