"""Small molecular simulations that come with this package."""

from __future__ import annotations

from dataclasses import dataclass
from importlib.resources import files
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from infoscope.base.checks import check_choice
from infoscope.storage import check_target, write_text

if TYPE_CHECKING:
    import pandas

    from infoscope.neighbors import Space

ENSEMBLES = {"600K": "alanine_dipeptide_600K.npz", "300K metadynamics": "alanine_dipeptide_300K_metadynamics.npz"}
DESCRIPTIONS = ("torsions", "distances", "positions")


@dataclass(frozen=True, eq=False)
class MolecularFrames:
    """Frames of a molecular simulation, described in three ways.

    Attributes
    ----------
    torsions : DataFrame of shape (N, 7)
        Torsion angles in radians, from -pi to pi.
    distances : DataFrame of shape (N, 45)
        Distances among the heavy atoms in nm.
    positions : DataFrame of shape (N, 30)
        x, y and z of the heavy atoms in nm, each frame superposed on the mean structure.
    time : ndarray of shape (N,)
        In ps.
    sample_weight : ndarray of shape (N,) or None
        Statistical weight of each frame in the ensemble without bias; None where there was no bias.
    bias : ndarray of shape (N,) or None
        Bias potential of each frame in kJ/mol, from which the weights were made.
    description : str
        What was simulated.
    free_energy : DataFrame of shape (72, 72) or None
        The estimate of metadynamics itself, from the hills: in kJ/mol, its minimum 0, rows phi and columns psi in
        radians.
    """

    torsions: pandas.DataFrame
    distances: pandas.DataFrame
    positions: pandas.DataFrame
    time: np.ndarray
    sample_weight: np.ndarray | None
    bias: np.ndarray | None
    description: str
    free_energy: pandas.DataFrame | None = None

    def __len__(self) -> int:
        return len(self.time)

    def __repr__(self) -> str:
        tables = ", ".join(f"{getattr(self, name).shape[1]} {name}" for name in DESCRIPTIONS)
        weights = "" if self.sample_weight is None else ", weights"
        return f"{type(self).__name__}({len(self)} frames: {tables}, time{weights}; {self.description})"

    def space(self, description: str = "torsions", columns: Any = None, *, stride: int = 1, **options: Any) -> Space:
        """One description of the frames as a `Space`, with periods, time and weights.

        Parameters
        ----------
        description : {"torsions", "distances", "positions", "rmsd"}
            "rmsd" measures the root-mean-square deviation of the heavy atoms after superposition of each pair of
            frames, in nm; it needs N^2 numbers, so take a stride.
        columns : sequence of str, optional
            Some of the columns, by name.
        stride : int
            Every so many frames.
        **options
            As for `Space`; one that is given replaces what is known here.

        Returns
        -------
        Space

        Examples
        --------
        >>> from infoscope.datasets import load_alanine_dipeptide
        >>> load_alanine_dipeptide().space("torsions", ["ALA2 phi", "ALA2 psi"], stride=10, name="phi, psi")
        Space(phi, psi: 500 items x 2 features, metric='euclidean', time)
        """
        from infoscope.neighbors import Space, superposed_rmsd

        check_choice(description, "description", (*DESCRIPTIONS, "rmsd"))
        weight = None if self.sample_weight is None else self.sample_weight[::stride]
        shared: dict[str, Any] = {"name": description, "time": self.time[::stride], "sample_weight": weight}
        if description == "rmsd":
            atoms = self.positions.to_numpy()[::stride].reshape(-1, self.positions.shape[1] // 3, 3)
            return Space.from_distances(superposed_rmsd(atoms), **(shared | options))
        frame = getattr(self, description)
        frame = frame if columns is None else frame[list(columns)]
        shared["period"] = 2 * np.pi if description == "torsions" else None
        return Space(frame.iloc[::stride].reset_index(drop=True), **(shared | options))

    def write_pdb(self, path: str | PathLike[str]) -> Path:
        """Write the heavy atoms of all frames as models of a PDB file, which viewers and trajectory readers open.

        Parameters
        ----------
        path : str or path
            A file that ends in ``.pdb``; one that is there is replaced when the new one is complete.

        Returns
        -------
        Path

        Raises
        ------
        ParameterError
            If the path does not end in .pdb or its folder does not exist.

        Notes
        -----
        Coordinates are in angstrom, rounded to thousandths as the format wants; it has no place for times.

        Examples
        --------
        >>> import pathlib, tempfile
        >>> from infoscope.datasets import load_alanine_dipeptide
        >>> path = load_alanine_dipeptide().write_pdb(pathlib.Path(tempfile.mkdtemp(), "frames.pdb"))
        >>> print(*path.read_text().splitlines()[:3], sep="\\n")
        MODEL        1
        ATOM      1  CH3 ACE A   1      -1.469  -2.649   1.194  1.00  0.00           C
        ATOM      2  C   ACE A   1      -0.589  -1.788   0.286  1.00  0.00           C
        """
        path = check_target(path, (".pdb",), "structures are written")
        head = [_pdb_atom(number, name) for number, name in enumerate(self.positions.columns[::3], start=1)]
        element = [f"{name.split()[1][0]:>12}\n" for name in self.positions.columns[::3]]
        atoms = 10 * self.positions.to_numpy(np.float64).reshape(len(self), -1, 3)  # nm to angstrom
        parts = []
        for model, frame in enumerate(atoms.tolist(), start=1):
            parts.append(f"MODEL     {model:4}\n")
            parts += [
                f"{start}{x:8.3f}{y:8.3f}{z:8.3f}  1.00  0.00{end}"
                for start, (x, y, z), end in zip(head, frame, element, strict=True)
            ]
            parts.append("ENDMDL\n")
        return write_text(path, "".join([*parts, "END\n"]))


def load_alanine_dipeptide(ensemble: str = "600K") -> MolecularFrames:
    """Frames of alanine dipeptide (ACE-ALA-NME) in implicit water, simulated for this package.

    Parameters
    ----------
    ensemble : {"600K", "300K metadynamics"}
        Unbiased at 600 K, or at 300 K with well-tempered metadynamics on phi and psi; the latter has weights.

    Returns
    -------
    MolecularFrames

    Notes
    -----
    Force field amber14 (ff14SB) with OBC2 solvent, by OpenMM; ``examples/data/alanine_dipeptide.py`` is the exact
    recipe, and the README beside the data says what was kept.

    Examples
    --------
    >>> from infoscope.datasets import load_alanine_dipeptide
    >>> hot = load_alanine_dipeptide()
    >>> hot.torsions.shape, hot.distances.shape, hot.positions.shape
    ((5000, 7), (5000, 45), (5000, 30))
    """
    import pandas as pd

    check_choice(ensemble, "ensemble", tuple(ENSEMBLES))
    with (files("infoscope.datasets") / "data" / ENSEMBLES[ensemble]).open("rb") as file, np.load(file) as stored:
        arrays = dict(stored)
    arrays["distances"] = stored_distances(arrays["positions"], arrays.pop("distance_steps"))
    frames = {
        name: pd.DataFrame(arrays[name], columns=[str(column) for column in arrays[f"{name[:-1]}_names"]])
        for name in DESCRIPTIONS
    }
    log_weight, hills = arrays.get("log_weight"), None
    if "free_energy" in arrays:
        phi, psi = (pd.Index(arrays[f"grid_{name}"].astype(np.float64), name=name) for name in ("phi", "psi"))
        hills = pd.DataFrame(arrays["free_energy"].astype(np.float64), index=phi, columns=psi)
    return MolecularFrames(
        **frames,
        time=arrays["time"].astype(np.float64),
        sample_weight=None if log_weight is None else np.exp(log_weight.astype(np.float64)),
        bias=arrays.get("bias"),
        description=f"alanine dipeptide, {ensemble}, {arrays['time'][-1] / 1000:.3g} ns",
        free_energy=hills,
    )


def stored_distances(positions: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """Distances among atoms as they were measured, from positions and the little that these do not know.

    Positions were superposed and rounded to float32 after the distances were measured, so distances of the positions
    differ from these by some steps from one float32 to the next.

    Parameters
    ----------
    positions : array (N, 3 A) of float32
        x, y and z of A atoms.
    steps : array (N, A (A - 1) / 2) of int8
        From the distances of the positions to the measured ones, atoms in pairs (0, 1), (0, 2), ...

    Returns
    -------
    array (N, A (A - 1) / 2) of float32
    """
    points = positions.astype(np.float64).reshape(len(positions), -1, 3)
    first, second = np.triu_indices(points.shape[1], 1)
    x, y, z = np.moveaxis(points[:, first] - points[:, second], -1, 0)
    lengths = np.sqrt(x * x + y * y + z * z).astype(np.float32)
    return (lengths.view(np.int32) + steps).view(np.float32)


def _pdb_atom(number: int, column: str) -> str:
    """The beginning of a line of a PDB file, up to the coordinates, of an atom such as "ALA2 CA x"."""
    residue, atom, _ = column.split()
    return f"ATOM  {number:5}  {atom:<3} {residue[:3]} A{residue[3:]:>4}    "
