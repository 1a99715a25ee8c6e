"""Features of a trajectory as an analysis of MDAnalysis: run over chosen frames, and handed on as a Space."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from infoscope.base.errors import ParameterError, require

from .frame_numbers import CalledRows, MeasuredRows
from .molecular_features import Recipe
from .trajectories import (
    check_enough,
    check_features,
    first_molecule,
    keep_one_conformer,
    recipe_of,
    table_of_runs,
    time_notes,
)
from .trajectory_files import UniverseRun, open_runs

require("MDAnalysis", "md")
from MDAnalysis.analysis.base import AnalysisBase  # noqa: E402

__all__ = ["Features"]


class Features(AnalysisBase):
    """Torsions, distances or positions of atoms, over the frames of their Universe.

    What `infoscope.io.trajectory` reads from files, where a script already has a Universe and its own frames to run
    over: with start, stop and step, or with a list of frames.

    Parameters
    ----------
    atoms : AtomGroup or Universe
        Whose frames are measured.
    features : str or callable
        As for `infoscope.io.trajectory`.
    select : str, optional
        Atoms among these, in the selection language of MDAnalysis.  Default: all that are neither water nor ions.
    time_step : float, optional
        Time between the frames in ps, where the trajectory does not know it.
    time : bool, optional
        False for frames that do not follow each other in time.
    verbose : bool
        Whether MDAnalysis shows how far it has come.

    Attributes
    ----------
    results.space : Space
        One item a frame, with names, periods and times; results name frames and files by it.
    results.table : Table
        The same as a table: ``to_frame()``, ``to_space(scale="standard")``.
    times, frames : ndarray of shape (N,)
        As every analysis of MDAnalysis has them.

    Raises
    ------
    DataError
        If the selection is empty, there are fewer than two frames, or the file stops inside a frame.
    ParameterError
        If features or selection are not understood, or the table would be too large.
    MissingExtraError
        If MDAnalysis is not installed.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import MDAnalysis as mda
    >>> from infoscope.datasets import load_alanine_dipeptide
    >>> from infoscope.io.mdanalysis import Features
    >>> path = load_alanine_dipeptide().write_pdb(pathlib.Path(tempfile.mkdtemp(), "frames.pdb"))
    >>> angles = Features(mda.Universe(path, dt=1.0)).run(start=1000, step=10)
    >>> angles.results.space
    Space(400 items x 2 features, metric='euclidean', time)
    >>> angles.results.space.feature_names
    ('ALA2 phi', 'ALA2 psi')
    """

    def __init__(
        self,
        atoms: Any,
        features: str | Callable[[Any], Any] = "backbone_torsions",
        *,
        select: str | None = None,
        time_step: float | None = None,
        time: bool | None = None,
        verbose: bool = False,
    ):
        check_features(features, time_step, time)
        (run,) = open_runs(atoms, ())
        if not isinstance(run, UniverseRun):
            raise ParameterError("Features takes a Universe or AtomGroup; infoscope.io.trajectory reads the rest")
        self._run = run
        super().__init__(self._run.atoms.universe.trajectory, verbose=verbose)
        self.features, self.select, self.time_step, self.time = features, select, time_step, time
        self._conformers = keep_one_conformer([self._run], select)

    def _prepare(self) -> None:
        run, frames = self._run, self._sliced_trajectory.frames
        check_enough(len(frames), [run])
        if max(frames) == run.n_frames - 1:
            run.check_end()
        self._notes = [*self._conformers, *time_notes([run], self.time_step, self.time)]
        molecule = first_molecule(run, range(int(frames[0]), int(frames[0]) + 1))
        if callable(self.features):
            self._recipe: Recipe | None = None
            self._called = CalledRows(self.features)
            self._group = run.atoms if self.select is None else run.atoms[molecule.select(self.select)]
        else:
            self._recipe = recipe_of(self.features, molecule, self.select, self._notes)
            self._notes += self._recipe.notes
            self._measured = MeasuredRows(self._recipe, len(frames))

    def _single_frame(self) -> None:
        time = float(self._ts.time)
        if self._recipe is None:
            self._called.add(self._group, time, self._run.label, int(self._ts.frame))
        else:
            self._measured.add(self._run.frame_now(self._recipe.atoms, time))

    def _conclude(self) -> None:
        measured: Recipe | tuple[str, ...]
        if self._recipe is None:
            values, measured, times = self._called.finish()
        else:
            measured, (values, times) = self._recipe, self._measured.finish()
        about: dict[str, Any] = dict(superposed=self.features == "positions", time_step=self.time_step, time=self.time)
        held = self.frames.tolist()
        self.results.table = table_of_runs(values, times, measured, [self._run], [held], self._notes, **about)
        self.results.space = self.results.table.to_space()
