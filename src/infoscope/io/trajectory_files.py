"""Where the frames of a run come from: files and objects of MDAnalysis, objects and .h5 files of MDTraj."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np

from infoscope.base import SourceFile
from infoscope.base.errors import DataError, MissingExtraError, ParameterError, require
from infoscope.base.origin import FRAME

from .source_files import source_file

READING = 1000  # frames of an array looked at together


@dataclass(frozen=True)
class Frame:
    """Positions (atoms, 3) in nm, the box (edges in nm, angles in degrees) or None, and the time in ps."""

    positions: np.ndarray
    box: np.ndarray | None
    time: float


class Run:
    """One trajectory.

    Attributes
    ----------
    atoms : AtomGroup
        Its atoms.
    label : str
        What messages call it.
    n_frames : int
        All its frames.
    knows_time : bool
        Whether times are in it; else frames are counted.
    source : SourceFile
        Where its frames are, with the file that names their atoms; of an object without a file, only its label.
    """

    atoms: Any
    label: str
    n_frames: int
    knows_time: bool = True
    files: tuple[Path | None, Path | None] = (None, None)  # frames, and names of atoms where these stand elsewhere

    @property
    def source(self) -> SourceFile:
        frames, topology = self.files
        if frames is None:
            return SourceFile(self.label, FRAME)
        return source_file(frames, item=FRAME, topology=None if topology is None else source_file(topology))

    def keep(self, places: np.ndarray) -> None:
        """Leave out the atoms at other places."""
        self.atoms = self.atoms[places]

    def check_end(self) -> None:
        """Raise where the file goes on behind its last whole frame, which is how a truncated one ends."""

    def frames(self, rows: range, places: np.ndarray) -> Iterator[Frame]:
        """Chosen frames in order, with the positions of the atoms at some places only."""
        raise NotImplementedError

    def groups(self, rows: Sequence[int]) -> Iterator[tuple[Any, float]]:
        """Chosen frames in the order given, as the AtomGroup at that moment and the time."""
        raise NotImplementedError


class UniverseRun(Run):
    """Frames that MDAnalysis reads; the frame the user stood at is found again afterwards."""

    def __init__(self, atoms: Any, label: str):
        self.atoms, self.label = atoms.universe.atoms[atoms.ix], label
        trajectory = self.atoms.universe.trajectory
        self.files = _files_of(self.atoms.universe)
        self.n_frames = len(trajectory)
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            _ = trajectory.ts.dt
        guessed = any("no dt information" in str(warning.message) for warning in caught)
        self.knows_time = "time" in trajectory.ts.data or not guessed

    def frames(self, rows: range, places: np.ndarray) -> Iterator[Frame]:
        for _, time in self._steps(rows):
            yield self.frame_now(places, time)

    def frame_now(self, places: np.ndarray, time: float) -> Frame:
        """The frame that the Universe stands at."""
        ts = self.atoms.universe.trajectory.ts
        box = ts.dimensions
        box = None if box is None or not box[:3].any() else box / np.array([10, 10, 10, 1, 1, 1])
        return Frame(ts.positions[self.atoms.ix[places]] / 10, box, time)

    def groups(self, rows: Sequence[int]) -> Iterator[tuple[Any, float]]:
        for _, time in self._steps(rows):
            yield self.atoms, time

    def _steps(self, rows: Sequence[int]) -> Iterator[tuple[Any, float]]:
        trajectory = self.atoms.universe.trajectory
        start = trajectory.ts.frame
        frame = rows[0]
        try:
            # a whole iteration would end silently at a damaged frame, so frames are asked for by number
            for frame in rows:
                with quiet_packages():
                    ts = trajectory.next() if frame == trajectory.ts.frame + 1 else trajectory[frame]
                    time = float(ts.time)
                yield ts, time
        except (OSError, ValueError, EOFError, StopIteration, IndexError) as error:
            raise self._stopped(frame, error) from error
        finally:
            if start < self.n_frames:
                try:
                    trajectory[start]
                except (OSError, ValueError):  # where it stood is not readable either
                    pass

    def check_end(self) -> None:
        trajectory = self.atoms.universe.trajectory
        name, start = getattr(trajectory, "filename", None), trajectory.ts.frame
        if not isinstance(name, str | Path) or not Path(name).is_file():
            return
        try:
            with quiet_packages():
                left = _bytes_left(trajectory, Path(name))
                trajectory[start]
        except (OSError, ValueError) as error:
            raise self._stopped(self.n_frames - 1, error) from error
        if left:
            raise self._stopped(self.n_frames, None)

    def _stopped(self, frame: int, error: BaseException | None) -> DataError:
        why = f" ({str(error).splitlines()[0]})" if error is not None and str(error) else ""
        return DataError(
            f"{self.label} stops inside frame {frame} (counted from 0): it is truncated or damaged{why}. Copy it "
            f"again, or read the {frame} whole frames with rows=slice(0, {frame})."
        )


class ArrayRun(Run):
    """Frames held by an object or an HDF5 file of MDTraj, in nm."""

    def __init__(self, atoms: Any, label: str, coordinates: Any, time: Any, edges: Any, angles: Any):
        self.atoms, self.label, self.n_frames = atoms, label, len(coordinates)
        self.coordinates, self.time, self.edges, self.angles = coordinates, time, edges, angles
        self.knows_time = time is not None

    def frames(self, rows: range, places: np.ndarray) -> Iterator[Frame]:
        for first in range(0, len(rows), READING):
            part = rows[first : first + READING]
            block = slice(part.start, part[-1] + 1, part.step)
            points = np.asarray(self.coordinates[block])[:, places]
            edges = None if self.edges is None else np.asarray(self.edges[block])
            angles = None if self.angles is None else np.asarray(self.angles[block])
            for i, frame in enumerate(part):
                box = None if edges is None or angles is None else np.concatenate([edges[i], angles[i]])
                yield Frame(points[i], box, float(frame if self.time is None else self.time[frame]))

    def groups(self, rows: Sequence[int]) -> Iterator[tuple[Any, float]]:
        parts = [rows] if isinstance(rows, range) else [range(row, row + 1) for row in rows]
        for frame in (frame for part in parts for frame in self.frames(part, np.arange(len(self.atoms)))):
            self.atoms.positions = frame.positions * 10
            box = frame.box
            self.atoms.universe.dimensions = None if box is None else box * np.array([10, 10, 10, 1, 1, 1])
            self.atoms.ts.time = frame.time
            yield self.atoms, frame.time


def open_runs(topology: Any, files: Sequence[Any]) -> list[Run]:
    """The runs of a call of `trajectory`: objects are a run each, files are runs of one topology."""
    require("MDAnalysis", "md")
    if isinstance(topology, list | tuple):
        if files:
            raise ParameterError("a list of trajectories is complete by itself: leave out the files behind it")
        if not topology:
            raise ParameterError("the list of trajectories is empty")
        return [
            open_runs(item, [])[0] if _is_path(item) else _open_object(item, f"run {number}")
            for number, item in enumerate(topology)
        ]
    if not _is_path(topology):
        if all(not _is_path(item) for item in files):
            return [_open_object(item, f"run {number}") for number, item in enumerate([topology, *files])]
        raise ParameterError(
            "give files (the topology, then the frames), or objects alone (Universe, mdtraj.Trajectory)"
        )
    path = _existing(topology)
    pieces = [_existing(item) for item in files]
    if not pieces:
        return [_open_mdtraj_file(path) if is_mdtraj_file(path) else _open_files(path, None)]
    return [_open_mdtraj_file(piece) if is_mdtraj_file(piece) else _open_files(path, piece) for piece in pieces]


def is_mdtraj_file(path: Path) -> bool:
    """Whether a file is a trajectory in MDTraj's HDF5 format.

    Parameters
    ----------
    path : Path
        Of an existing file.

    Returns
    -------
    bool

    Examples
    --------
    >>> from pathlib import Path
    >>> from infoscope.io.trajectory_files import is_mdtraj_file
    >>> is_mdtraj_file(Path("frames.xtc"))
    False
    """
    if path.suffix.lower() not in (".h5", ".hdf5"):
        return False
    h5py = require("h5py", "md")
    try:
        with h5py.File(path) as file:
            conventions = file.attrs.get("conventions", b"")
            return "Pande" in (conventions.decode() if isinstance(conventions, bytes) else str(conventions))
    except OSError as error:
        raise DataError(f"{path} cannot be opened: it is truncated, damaged or no HDF5 file ({error})") from error


@contextmanager
def quiet_packages() -> Iterator[None]:
    """Silence warnings of MDAnalysis about what it guesses and deprecates: what matters here, we say ourselves."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", module="MDAnalysis")
        warnings.filterwarnings("ignore", message=".*no dt information")  # a note says so
        warnings.filterwarnings("ignore", category=DeprecationWarning)
        yield


# ------------------------------------------------------------------------------------------------------------ the steps
def _is_path(item: Any) -> bool:
    return isinstance(item, str | Path) or hasattr(item, "__fspath__")


def _existing(item: Any) -> Path:
    path = Path(item)
    if not path.exists():
        from .columns import nearest_names

        near = nearest_names(path.name, [p.name for p in path.parent.iterdir()]) if path.parent.is_dir() else []
        hint = f". Did you mean {' or '.join(str(path.with_name(name)) for name in near)}?" if near else ""
        raise DataError(f"there is no file {path}{hint}")
    if path.is_file() and not path.stat().st_size:
        raise DataError(f"{path} is empty")
    return path


def _open_files(topology: Path, piece: Path | None) -> Run:
    mda = require("MDAnalysis", "md")
    frames = piece or topology
    label = str(frames)
    if frames.suffix.lower() == ".tng" and find_spec("pytng") is None:
        raise MissingExtraError(
            f"{label}: frames of a .tng file are read by pytng, which is not installed. Install it (pip install pytng) "
            "or convert the file (gmx trjconv -f FILE.tng -o FILE.xtc).",
            name="pytng",
        )
    if frames.suffix.lower() == ".gro":
        _check_one_frame(frames)
    try:
        with quiet_packages():
            system = mda.Universe(str(topology))
            atoms = len(system.atoms)
    except Exception as error:  # readers of dozens of formats raise what they like
        raise DataError(f"{topology} cannot be read as a topology: {_first_line(error)}") from error
    try:
        with quiet_packages():
            if piece is not None:
                system.load_new(str(piece))
            return UniverseRun(system.atoms, label)
    except Exception as error:
        if "number of atoms" in str(error) or "n_atoms" in str(error):
            numbers = [word.strip("().,") for word in str(error).replace("\n", " ").split()]
            others = [word for word in numbers if word.isdecimal() and word != str(atoms)]
            count = f"{others[-1]} atoms" if others else "another number"
            raise DataError(
                f"{topology} and {label} do not match: the topology has {atoms} atoms, the trajectory {count}. Use the "
                "topology of exactly these atoms (one without water for a trajectory without water)."
            ) from error
        if piece is None and "trajectory" not in str(error).lower():
            raise DataError(f"{topology} holds no frames: {_first_line(error)}") from error
        raise DataError(
            f"{label} cannot be opened: it is truncated, damaged, or of another format than its name says "
            f"({_first_line(error)})"
        ) from error


def _check_one_frame(path: Path) -> None:
    """Refuse a .gro file of several frames, of which its reader would take the first and say nothing."""
    with path.open(encoding="utf-8", errors="replace") as file:
        atoms = [next(file, "") for _ in range(2)][1].strip()
        if atoms.isdecimal() and any(line.strip() for line in islice(file, int(atoms) + 1, None)):
            raise DataError(
                f"{path} holds several frames, of which only the first can be read from a .gro file. Convert it "
                f"(gmx trjconv -f {path.name} -o {path.stem}.xtc) and give it as the topology of the frames."
            )


def _files_of(universe: Any) -> tuple[Path | None, Path | None]:
    """The file of the frames of a Universe, and that of its topology where it is another one; None for arrays."""
    names = [getattr(holder, "filename", None) for holder in (universe.trajectory, universe)]
    paths = [Path(name) if isinstance(name, str | Path) and Path(name).is_file() else None for name in names]
    if None in paths:  # joined from several files, or changed in memory: frames cannot be found again by their number
        return None, None
    return paths[0], None if paths[0] == paths[1] else paths[1]


def _open_object(item: Any, label: str) -> Run:
    if hasattr(item, "universe") and hasattr(item, "atoms"):  # Universe and AtomGroup have both
        if not len(item.atoms):
            raise DataError(f"the AtomGroup of {label} is empty: select atoms that are there")
        try:
            return UniverseRun(item.atoms, label)
        except AttributeError as error:
            raise DataError(f"the Universe of {label} has no trajectory: load one with load_new") from error
    if all(hasattr(item, name) for name in ("xyz", "topology", "unitcell_lengths")):
        atoms = _atoms_of(_mdtraj_topology(item.topology))
        return ArrayRun(atoms, label, item.xyz, item.time, item.unitcell_lengths, item.unitcell_angles)
    raise ParameterError(
        f"{label} is a {type(item).__name__}; a trajectory is files (topology, then frames), an MDAnalysis Universe or "
        "AtomGroup, or an mdtraj.Trajectory"
    )


def _open_mdtraj_file(path: Path) -> Run:
    h5py = require("h5py", "md")
    file = h5py.File(path)
    if "coordinates" not in file or "topology" not in file:
        raise DataError(f"{path} is a file of MDTraj without {'topology' if 'coordinates' in file else 'coordinates'}")
    try:
        described = json.loads(file["topology"][0])
        atoms = _atoms_of(described)
    except (ValueError, KeyError, TypeError) as error:
        raise DataError(f"{path}: the topology inside cannot be read ({_first_line(error)})") from error
    if len(atoms) != file["coordinates"].shape[1]:
        raise DataError(
            f"{path} does not match itself: its topology has {len(atoms)} atoms, its frames "
            f"{file['coordinates'].shape[1]}"
        )
    time, edges, angles = (file.get(name) for name in ("time", "cell_lengths", "cell_angles"))
    run = ArrayRun(atoms, str(path), file["coordinates"], None if time is None else time[:], edges, angles)
    run.files = (path, None)
    return run


def _mdtraj_topology(topology: Any) -> dict[str, Any]:
    """The topology of an mdtraj object, in the words of MDTraj's files."""
    chains = [
        {
            "residues": [
                {
                    "name": residue.name,
                    "resSeq": residue.resSeq,
                    "segmentID": residue.segment_id,
                    "atoms": [
                        {"index": a.index, "name": a.name, "element": a.element.symbol if a.element is not None else ""}
                        for a in residue.atoms
                    ],
                }
                for residue in chain.residues
            ]
        }
        for chain in topology.chains
    ]
    return {"chains": chains, "bonds": [(bond[0].index, bond[1].index) for bond in topology.bonds]}


def _atoms_of(described: dict[str, Any]) -> Any:
    """Atoms of MDAnalysis with the names, residues and bonds of a topology of MDTraj."""
    mda = require("MDAnalysis", "md")
    residues = [(c, residue) for c, chain in enumerate(described["chains"]) for residue in chain["residues"]]
    listed = [(r, atom) for r, (_, residue) in enumerate(residues) for atom in residue["atoms"]]
    listed.sort(key=lambda item: item[1]["index"])
    n = len(listed)
    system = mda.Universe.empty(
        n,
        n_residues=len(residues),
        n_segments=len(described["chains"]),
        atom_resindex=[r for r, _ in listed],
        residue_segindex=[c for c, _ in residues],
        trajectory=True,
    )
    elements = [str(atom.get("element") or "") for _, atom in listed]
    elements = ["" if element == "VS" else element for element in elements]  # a virtual site
    system.add_TopologyAttr("names", [atom["name"] for _, atom in listed])
    system.add_TopologyAttr("elements", elements)
    types = [element or atom["name"] for element, (_, atom) in zip(elements, listed, strict=True)]
    system.add_TopologyAttr("types", types)
    with quiet_packages():
        system.guess_TopologyAttrs(to_guess=["masses"])
    system.add_TopologyAttr("resnames", [residue["name"] for _, residue in residues])
    system.add_TopologyAttr("resids", [residue["resSeq"] for _, residue in residues])
    system.add_TopologyAttr("segids", [_chain_name(c) for c in range(len(described["chains"]))])
    if described.get("bonds"):
        system.add_TopologyAttr("bonds", [tuple(int(atom) for atom in bond[:2]) for bond in described["bonds"]])
    return system.atoms


def _chain_name(number: int) -> str:
    return chr(ord("A") + number) if number < 26 else str(number)


def _bytes_left(trajectory: Any, path: Path) -> int:
    """Bytes of a file behind its last whole frame; 0 for formats that complain by themselves."""
    size, n = path.stat().st_size, len(trajectory)
    xdr: Any = getattr(trajectory, "_xdr", None)
    dcd: Any = getattr(trajectory, "_file", None)
    if hasattr(xdr, "_bytes_tell"):  # .xtc and .trr
        trajectory[n - 1]
        return size - int(xdr._bytes_tell())
    if hasattr(dcd, "_firstframesize"):
        return size - int(dcd._header_size + dcd._firstframesize + (n - 1) * dcd._framesize)
    if path.suffix.lower() == ".xyz":
        with path.open("rb") as file:
            lines = sum(1 for line in file if line.strip())
        # a title may be blank, so whole files have n * (atoms + 1) to n * (atoms + 2) lines that are not
        return max(0, lines - n * (trajectory.n_atoms + 2))
    return 0


def _first_line(error: BaseException) -> str:
    return str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
