"""A trajectory in MDTraj's HDF5 format given as a table: it brings its topology, so its torsions can be the columns."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from infoscope.base.errors import DataError
from infoscope.base.origin import FRAME

from .table import Source, Table, refuse_key


class MdtrajSource(Source):
    """The backbone torsions of a file of MDTraj; frames are read when their numbers are asked for.

    Parameters
    ----------
    path : Path
        The file.
    """

    item = FRAME

    def __init__(self, path: Path):
        from .trajectory_files import open_runs

        self.path = path
        (run,) = open_runs(path, ())
        self.length, self.knows_time = run.n_frames, run.knows_time
        self.held: tuple[slice, Table] | None = None
        try:
            first = self._table(slice(0, 2))
        except DataError as error:
            raise DataError(
                f"{path} is a molecular trajectory, and its columns would be phi and psi of the backbone: {error} "
                f"Choose others: {path}@:positions on the command line, "
                f'infoscope.io.trajectory("{path}", features="positions") in Python.'
            ) from error
        self.names = first.names
        self.units, self.period = first.units or {}, first.period
        self.notes = (
            f"{path} is a molecular trajectory: columns are phi and psi of its backbone (others on the command line: "
            f"{path}@:positions, in Python: infoscope.io.trajectory)",
            *first.notes,
        )

    def n_rows(self) -> int:
        return self.length

    def values(self, columns: Sequence[int], rows: slice) -> np.ndarray:
        return self._table(rows).values[:, list(columns)]

    def column(self, column: int, rows: slice) -> np.ndarray:
        return self._table(rows).values[:, column]

    def time(self, rows: slice) -> np.ndarray | None:
        return self._table(rows).time if self.knows_time else None

    def _table(self, rows: slice) -> Table:
        """The frames that were asked for last are kept: numbers and times are asked for one after the other."""
        from .trajectories import trajectory

        if self.held is None or self.held[0] != rows:
            self.held = rows, trajectory(self.path, rows=rows)
        return self.held[1]


def open_mdtraj(path: Path, key: str | None) -> MdtrajSource:
    """Open a trajectory that MDTraj wrote as HDF5."""
    refuse_key(path, key)
    return MdtrajSource(path)
