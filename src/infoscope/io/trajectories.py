"""Molecular trajectories: frames are read one by one, and only what is measured in them is kept (extra ``md``)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from infoscope.base import Origin
from infoscope.base.errors import DataError, ParameterError, warn
from infoscope.base.progress import progress

from . import molecular_features
from .atoms import Molecule, one_conformer
from .digests import refuse_copies
from .files_read import reads_files
from .frame_numbers import CalledRows, MeasuredRows, check_width
from .molecular_features import Recipe
from .table import Table, check_finite, check_names
from .trajectory_files import Run, open_runs

FEATURES = ("backbone_torsions", "torsions", "heavy_atom_distances", "ca_distances", "distances", "positions")


@reads_files(None)
def trajectory(
    topology: Any,
    *files: Any,
    select: str | None = None,
    features: str | Callable[[Any], Any] = "backbone_torsions",
    rows: slice | None = None,
    time_step: float | None = None,
    time: bool | None = None,
) -> Table:
    """Read a molecular trajectory as a table of torsions, distances or positions.

    Parameters
    ----------
    topology : path, MDAnalysis Universe or AtomGroup, mdtraj.Trajectory, or list of such objects
        The file that names the atoms (.pdb, .gro, .tpr, .psf, .prmtop, ...), or objects that hold frames already, one
        a run.  A file that holds names and frames (.pdb, MDTraj's .h5) needs no `files`.
    *files : path
        The frames (.xtc, .trr, .dcd, .nc of AMBER, .h5 of MDTraj, ...).  Every file is a run: 0, 1, ...
    select : str, optional
        Atoms, in the selection language of MDAnalysis, such as "resid 2-20".  Default: all that are neither water nor
        ions.
    features : str or callable
        What is measured in every frame.

        - "backbone_torsions": phi and psi of every residue of the selection;
        - "torsions": one for each bond between selected heavy atoms that can turn (omega and chi too; no rings);
        - "heavy_atom_distances": all distances among the selected heavy atoms;
        - "ca_distances": all distances among the selected alpha carbons;
        - "distances": all distances among the selected atoms, hydrogens too;
        - "positions": x, y, z of the selected atoms (the heavy ones, without `select`), each frame superposed on the
          mean structure of all frames;
        - a function that gets the selected atoms (AtomGroup of MDAnalysis, positions in angstrom) at each frame, and
          returns numbers, or a dict of numbers by name.
    rows : slice, optional
        Frames to read of every run, such as ``slice(1000, None, 10)``.
    time_step : float, optional
        Time between the frames of a file in ps, for files that do not know it (.xyz, multi-model .pdb) or wrongly.
    time : bool, optional
        False for frames that do not follow each other in time (models of an NMR structure, docked poses): their times
        are not used.

    Returns
    -------
    Table
        One row a frame, float32 (float64 for a function): torsions in radians with period 2 pi, lengths in nm; ``time``
        in ps, ``run`` where there are several.  Names carry the residue: "ALA2 phi", "ALA2 CB - NME3 N", "ALA2 CA x";
        omega is that of the residue before its bond.

    Raises
    ------
    DataError
        If a file is missing, truncated (the frame is named; nothing before it is used silently) or does not match the
        topology, the selection is empty, runs have different atoms, or there are fewer than two frames.
    ParameterError
        If features, selection or rows are not understood, or the table would be too large.
    MissingExtraError
        If MDAnalysis is not installed.

    Notes
    -----
    Where frames have a periodic box, molecules are whole: distances inside one are those of the molecule, however long
    it is, distances between two those of their nearest images.  A molecule is what bonds join; without bonds in the
    topology, what is near enough in the first frame, the atoms of a residue, and neighbours along a chain of alpha
    carbons or coarse-grained backbone beads.  A function gets positions as they are in the file.

    Of alternate locations one is read: that of the highest occupancy, then the first, the same in neighbouring
    residues.

    The Euclidean distance of two rows of "positions", divided by the square root of the number of atoms, is their RMSD
    after superposing both on the mean structure.  It is an upper bound of the RMSD after superposing one on the other
    (`infoscope.neighbors.superposed_rmsd`), close to it where the molecule has a stable core, and much larger where it
    is floppy.

    Examples
    --------
    >>> import numpy as np
    >>> import MDAnalysis as mda
    >>> system = mda.Universe.empty(3, trajectory=True)
    >>> system.add_TopologyAttr("names", ["O", "H1", "H2"])
    >>> system.add_TopologyAttr("resnames", ["LIG"])
    >>> system.add_TopologyAttr("resids", [1])
    >>> frames = [[[0, 0, 0], [1, 0, 0], [0, 1, 0]], [[0, 0, 0], [2, 0, 0], [0, 1, 0]]]
    >>> _ = system.load_new(np.array(frames, "float32"), order="fac")
    >>> from infoscope.io import trajectory
    >>> table = trajectory(system, features="distances")
    >>> table.names, table.values[:, 0].round(3).tolist()
    (('LIG1 O - LIG1 H1', 'LIG1 O - LIG1 H2', 'LIG1 H1 - LIG1 H2'), [0.1, 0.2])
    """
    check_features(features, time_step, time)
    refuse_copies([(Path(file), None) for file in files if isinstance(file, str | PathLike)])
    runs = open_runs(topology, files)
    conformers = keep_one_conformer(runs, select)
    held = [_held(run, rows) for run in runs]
    check_enough(sum(len(part) for part in held), runs)
    molecules = [first_molecule(run, part) for run, part in zip(runs, held, strict=True)]
    notes = [*_check_atoms(runs, molecules), *conformers, *time_notes(runs, time_step, time)]
    measured: Recipe | tuple[str, ...]
    if callable(features):
        values, measured, times = _call(features, runs, held, molecules, select)
    else:
        measured = recipe_of(features, molecules[0], select, notes)
        values, times = _measure(measured, runs, held)
        notes += measured.notes
    about: dict[str, Any] = dict(superposed=features == "positions", time_step=time_step, time=time)
    return table_of_runs(values, times, measured, runs, held, notes, **about)


def check_features(features: Any, time_step: float | None, time: bool | None) -> None:
    """Raise where it is not understood what is to be measured."""
    if not callable(features) and features not in FEATURES:
        raise ParameterError(f"features is one of {', '.join(FEATURES)}, or a function, not {features!r}")
    if time_step is not None and not (np.isfinite(time_step) and time_step > 0):
        raise ParameterError(f"time_step is a time above 0 in ps, not {time_step!r}")
    if time is False and time_step is not None:
        raise ParameterError("time=False says that there is no time, and time_step gives one: leave out one of them")


def table_of_runs(
    values: np.ndarray,
    times: np.ndarray,
    measured: Recipe | tuple[str, ...],
    runs: Sequence[Run],
    held: Sequence[Sequence[int]],
    notes: Sequence[str],
    *,
    superposed: bool,
    time_step: float | None,
    time: bool | None,
) -> Table:
    """The table of what was measured in frames of some runs, once it is checked.

    Parameters
    ----------
    values : array (N, D)
        One row a frame.
    times : array (N,)
        As the files have them.
    measured : Recipe or tuple of str
        What the columns are; of a function of the user's own their names.
    runs : sequence of Run
        Where the frames are from.
    held : sequence of sequences of int
        The numbers of the frames of each.
    notes : sequence of str
        What was decided so far.
    superposed : bool
        Whether rows are positions, which are put on their mean structure.
    time_step, time
        As for `trajectory`.

    Returns
    -------
    Table
    """
    source, several = _labels(runs), len(held) > 1
    names, known = (measured.names, measured.about_columns()) if isinstance(measured, Recipe) else (measured, {})
    frames = range(len(values)) if several else held[0] if isinstance(held[0], range) else np.asarray(held[0])
    check_names(names, source)
    check_finite(values, names, frames, source)
    if superposed:
        molecular_features.superpose(values)
    if time_step is not None:
        times = np.concatenate([np.asarray(part) for part in held]) * float(time_step)
    run_codes = np.repeat(np.arange(len(runs)), [len(part) for part in held])
    if time is not False:
        _warn_times(times, run_codes, runs)
    origin = Origin.joined([Origin(np.array(part), (run.source,)) for run, part in zip(runs, held, strict=True)])
    return Table(
        values, names, source=source, rows=frames, n_source_rows=sum(run.n_frames for run in runs),
        time=None if time is False else times, run=run_codes if several else None, notes=tuple(notes),
        origin=origin.replace_known(time=None if time is False else times), **known,
    )  # fmt: skip


# -------------------------------------------------------------------------------------------------------- what is there
def _held(run: Run, rows: slice | None) -> range:
    rows = slice(None) if rows is None else rows
    if rows.step is not None and rows.step < 1:
        raise ParameterError(f"the stride is {rows.step}: it must be at least 1")
    if rows.stop is None or not 0 <= rows.stop <= run.n_frames:  # frames up to one that is named are safe by themselves
        run.check_end()
    held = range(run.n_frames)[rows]
    if not held:
        raise DataError(f"{run.label} has {run.n_frames} frames; rows={rows.start}:{rows.stop}:{rows.step} leaves none")
    return held


def check_enough(n_frames: int, runs: Sequence[Run]) -> None:
    """Raise where there is nothing to compare."""
    if n_frames < 2:
        raise DataError(f"{_labels(runs)}: {n_frames} frame is not enough, two are needed to compare frames")


def first_molecule(run: Run, held: range) -> Molecule:
    """The atoms of a run, as they are in the first frame that is held."""
    first = next(run.frames(held[:1], np.arange(len(run.atoms))))
    return Molecule(run.atoms, first.positions, first.box)


def keep_one_conformer(runs: Sequence[Run], select: str | None) -> list[str]:
    """Leave atoms of other alternate locations out of all runs; what is said of it."""
    told: list[str] = []
    for run in runs:
        kept, note = one_conformer(run.atoms, select)
        if note:
            run.keep(kept)
            told.append(note)
    return list(dict.fromkeys(told))


def _check_atoms(runs: Sequence[Run], molecules: Sequence[Molecule]) -> list[str]:
    """Raise if runs have different atoms; a residue of another name with the same atoms is told."""
    first, notes = molecules[0], []
    for run, other in zip(runs[1:], molecules[1:], strict=True):
        if len(other.names) != len(first.names):
            raise DataError(
                f"the runs have different atoms: {runs[0].label} has {len(first.names)}, {run.label} has "
                f"{len(other.names)}. Select the same atoms in each (AtomGroups), or read them one by one."
            )
        if run.atoms.universe is runs[0].atoms.universe or other.labels == first.labels:
            continue
        place = next(p for p, (a, b) in enumerate(zip(first.labels, other.labels, strict=True)) if a != b)
        what = f"{first.labels[place]} in {runs[0].label}, {other.labels[place]} in {run.label}"
        if other.places != first.places:
            raise DataError(f"the runs have different atoms: atom {place} (counted from 0) is {what}")
        notes.append(f"residues have other names in {run.label} ({what}); the names are those of {runs[0].label}")
    return notes


def recipe_of(features: str, molecule: Molecule, select: str | None, notes: list[str]) -> Recipe:
    """What is measured in every frame; what was decided on the way is added to the notes."""
    if select is None and molecule.small_residues:
        named = ", ".join(f"{count} residues {name}" for name, count in molecule.small_residues.items())
        notes.append(
            f"{named} of one to three atoms stay in: solvent of a name that is not known here? "
            f"select='not resname {' '.join(molecule.small_residues)}' leaves them out"
        )
    if select is None and molecule.solvent.any():
        notes.append(f"{int(molecule.solvent.sum())} atoms of water and ions are left out (select='all' keeps them)")
    if features == "backbone_torsions":
        return molecular_features.backbone_torsions(molecule, select)
    if features == "torsions":
        return molecular_features.torsions(molecule, select)
    chosen = molecule.select(select)
    wanted = molecule.alpha_carbons if features == "ca_distances" else molecule.heavy
    if features in ("ca_distances", "heavy_atom_distances") or (features == "positions" and select is None):
        chosen = chosen[wanted[chosen]]
        if not len(chosen):
            kind = "alpha carbon (an atom CA)" if features == "ca_distances" else "heavy atom"
            raise DataError(f"no {kind} is among the selected atoms. There are {molecule.summary()}.")
    if features != "positions":
        check_width(len(chosen) * (len(chosen) - 1) // 2, f"all distances among {len(chosen)} atoms", 2)
        return molecular_features.distances(molecule, chosen)
    return molecular_features.positions(molecule, chosen)


# ------------------------------------------------------------------------------------------------------ frame by frame
def _measure(recipe: Recipe, runs: Sequence[Run], held: Sequence[range]) -> tuple[np.ndarray, np.ndarray]:
    """The features of all frames, block by block."""
    total = sum(len(part) for part in held)
    with progress(total, "reading frames", "frames") as bar:
        rows = MeasuredRows(recipe, total, done=bar.update)
        for run, part in zip(runs, held, strict=True):
            for frame in run.frames(part, recipe.atoms):
                rows.add(frame)
            rows.measure_block()
    return rows.finish()


def _call(
    function: Callable[[Any], Any],
    runs: Sequence[Run],
    held: Sequence[range],
    molecules: Sequence[Molecule],
    select: str | None,
) -> tuple[np.ndarray, tuple[str, ...], np.ndarray]:
    """The numbers that the user's function makes of each frame."""
    rows = CalledRows(function)
    for run, part, molecule in zip(runs, held, molecules, strict=True):
        group = run.atoms if select is None else run.atoms[molecule.select(select)]
        for frame, (_, time) in zip(part, run.groups(part), strict=True):
            rows.add(group, time, run.label, frame)
    return rows.finish()


# ----------------------------------------------------------------------------------------------------------------- time
def time_notes(runs: Sequence[Run], time_step: float | None, time: bool | None) -> Iterator[str]:
    """What is said of times that are nowhere."""
    if time is not False and time_step is None and not all(run.knows_time for run in runs):
        yield "the time between frames is not in the file; frames are counted as 1 ps (time_step=... sets it)"


def _warn_times(times: np.ndarray, run: np.ndarray, runs: Sequence[Run]) -> None:
    back = np.flatnonzero((np.diff(times) <= 0) & (np.diff(run) == 0))
    if len(back):
        first = int(back[0])
        where, frame = runs[run[first]].label, first + 1 - int(np.searchsorted(run, run[first]))
        warn(
            f"{where}: time does not go on at frame {frame} of those read ({times[first]:g} to "
            f"{times[first + 1]:g} ps), as where a restart was written twice. Leave out the repeated frames (gmx "
            "trjcat), or read the parts as runs."
        )


def _labels(runs: Sequence[Run]) -> str:
    labels = list(dict.fromkeys(run.label for run in runs))
    return ", ".join(labels) if len(labels) <= 3 else f"{labels[0]}, ... ({len(labels)} runs)"
