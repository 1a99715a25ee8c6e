"""Trajectories on the command line: ``FRAMES@TOPOLOGY[:FEATURES][:SELECTION]``, and spaces that compare by RMSD."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from infoscope.base.errors import ParameterError
from infoscope.io.columns import did_you_mean

from .choices import FileChoice

if TYPE_CHECKING:
    from infoscope.io import Table
    from infoscope.neighbors import Space

FEATURES = ("backbone_torsions", "torsions", "heavy_atom_distances", "ca_distances", "distances", "positions")
DISTANCES_UP_TO = 60  # atoms; a bare selection of more means positions, because distances grow with the square
FRAMES = (".xtc", ".trr", ".dcd", ".nc", ".ncdf", ".h5", ".xyz", ".pdb", ".gro", ".mdcrd", ".lammpsdump", ".tng")


@dataclass(frozen=True)
class TrajectoryChoice(FileChoice):
    """Frames, the topology that names their atoms, what is measured, and in which atoms.

    The columns of a trajectory are made, not stored: they cannot serve as --time, --run and the like.
    """

    topology: Path | None = None
    features: str | None = None
    select: str | None = None

    def __str__(self) -> str:
        return f"{self.path}@{self.topology or ''}"

    def stored_columns(self) -> tuple[str, ...]:
        return ()

    def beside(self) -> tuple[str, ...]:
        return ()


def choose_trajectory(text: str) -> TrajectoryChoice | None:
    """Read ``FRAMES@TOPOLOGY[:FEATURES][:SELECTION]``; None where this is something else.

    Parameters
    ----------
    text : str
        Behind ``@`` the topology, or nothing where the frames' file has it (MDTraj's .h5).

    Returns
    -------
    TrajectoryChoice or None

    Examples
    --------
    >>> from infoscope.cli.inputs.trajectories import choose_trajectory
    >>> choice = choose_trajectory("run.xtc@top.pdb:positions:name CA")
    >>> choice.features, choice.select
    ('positions', 'name CA')
    >>> choose_trajectory("run.xtc@top.pdb:resid 2:9").select
    'resid 2:9'
    """
    for at in (match.start() for match in re.finditer("@", text)):
        path, rest = Path(text[:at]), text[at + 1 :]
        if not path.is_file() and path.suffix.lower() not in FRAMES:
            continue
        drive = rest[:2] if re.match(r"[A-Za-z]:[\\/]", rest) else ""
        topology, _, asked = rest[len(drive) :].partition(":")
        features, _, select = asked.partition(":")
        if features.strip() not in FEATURES:  # the colon belongs to the selection
            features, select = "", asked
        named = Path(drive + topology) if drive + topology else None
        return TrajectoryChoice(path, None, asked or None, named, features.strip() or None, select.strip() or None)
    return None


def read_frames(pieces: Sequence[FileChoice], rows: slice, *, known_time: bool = True) -> list[Table]:
    """Tables of the pieces of a space, one a run; positions of all pieces are superposed together.

    `known_time` is False where the times of the files are not used.
    """
    from infoscope.io.molecular_features import superpose

    wanted = [piece for piece in pieces if isinstance(piece, TrajectoryChoice)]
    other = next((piece for piece in pieces if not isinstance(piece, TrajectoryChoice)), None)
    if other is not None:
        raise ParameterError(f"{wanted[0]} is a trajectory and {other} is none: the pieces of a space are of one kind")
    for piece in wanted[1:]:
        if (piece.features, piece.select) != (wanted[0].features, wanted[0].select):
            raise ParameterError(
                f"the pieces {wanted[0]} and {piece} ask for different things (:{wanted[0].columns or ''} and "
                f":{piece.columns or ''}): write the same behind each topology"
            )
    time = None if known_time else False
    read = [_read(piece, rows, time) for piece in wanted]
    tables = [table for table, _ in read]
    tables[0] = dataclasses.replace(tables[0], notes=(*filter(None, [read[0][1]]), *tables[0].notes))  # told once
    positions = tables[0].names[0].endswith(" x") and wanted[0].features in ("positions", None)
    if len(tables) > 1 and positions and len({table.names for table in tables}) == 1:
        values = superpose(np.concatenate([table.values for table in tables]))
        ends = np.cumsum([len(table) for table in tables])
        parts = np.split(values, ends[:-1])
        tables = [dataclasses.replace(table, values=part) for table, part in zip(tables, parts, strict=True)]
    return tables


def rmsd_space(values: np.ndarray, names: Sequence[str], name: str, shared: Mapping[str, Any]) -> Space:
    """A space that compares positions by their RMSD after superposing every pair (``--metric NAME=rmsd``)."""
    from infoscope.neighbors import Space, superposed_rmsd

    axes = [column.rpartition(" ")[2] for column in names]
    named = axes == ["x", "y", "z"] * (len(axes) // 3)
    if not named and (len(axes) % 3 or not all(column.isdecimal() for column in names)):
        raise ParameterError(
            f"--metric {name}=rmsd needs x, y and z of every atom, which the columns of {name} are not: "
            f"--space {name}=FRAMES@TOPOLOGY:positions"
        )
    return Space.from_distances(superposed_rmsd(values.reshape(len(values), -1, 3)), name=name, **shared)


# ------------------------------------------------------------------------------------------------------------- steps
def _read(piece: TrajectoryChoice, rows: slice, time: bool | None) -> tuple[Table, str]:
    """The table, and what was decided where nothing was asked for."""
    from infoscope.io import trajectory

    files = (piece.path,) if piece.topology is None else (piece.topology, piece.path)
    if piece.features is not None:
        return trajectory(*files, select=piece.select, features=piece.features, rows=rows, time=time), ""
    if piece.select is None:
        told = f"{piece}: phi and psi of the backbone (or, behind it, :{', :'.join(FEATURES[1:])})"
        return trajectory(*files, rows=rows, time=time), told
    number = _count(files, piece.select)
    if number <= DISTANCES_UP_TO:
        told = f"{piece}: all distances among the {number} atoms of '{piece.select}'"
        return trajectory(*files, select=piece.select, features="distances", rows=rows, time=time), told
    told = (
        f"{piece}: positions of the {number} atoms of '{piece.select}', each frame superposed on the mean structure "
        f"(distances, the default up to {DISTANCES_UP_TO} atoms: {piece}:distances:{piece.select})"
    )
    return trajectory(*files, select=piece.select, features="positions", rows=rows, time=time), told


def _count(files: Sequence[Path], select: str) -> int:
    """Number of selected atoms."""
    from infoscope.io.atoms import Molecule
    from infoscope.io.trajectory_files import open_runs

    (run,) = open_runs(files[0], files[1:])
    try:
        return len(Molecule(run.atoms, np.empty((0, 3)), None).select(select))
    except ParameterError as error:  # perhaps it was meant as a feature
        near, features = did_you_mean(select, FEATURES), f" Features are {', '.join(FEATURES)}."
        raise ParameterError(f"{error}{near or features}") from error
