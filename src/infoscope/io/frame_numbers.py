"""Numbers of frames that come one after another: measured by a recipe, or returned by the user's function."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from infoscope.base.errors import DataError, ParameterError

from .molecular_features import Recipe
from .trajectory_files import Frame

LARGEST_TABLE = 4e9  # bytes
BLOCK_BYTES = 2**25  # of the vectors of one block of frames


class MeasuredRows:
    """Rows that a recipe measures, in blocks: no more than one of them is held as positions.

    Parameters
    ----------
    recipe : Recipe
        What is measured.
    total : int
        How many frames will come.
    done : callable, optional
        Told how many frames were measured, block by block.
    """

    def __init__(self, recipe: Recipe, total: int, *, done: Callable[[int], Any] | None = None):
        check_width(len(recipe.names), "these features", total)
        self.recipe, self.done = recipe, done
        self.values, self.times = np.empty((total, len(recipe.names)), np.float32), np.empty(total)
        self.height = max(1, min(256, BLOCK_BYTES // (24 * max(len(recipe.names), len(recipe.atoms)))))
        self.block: list[Frame] = []
        self.n = 0

    def add(self, frame: Frame) -> None:
        """One more frame: the positions of the atoms of the recipe."""
        self.block.append(frame)
        if len(self.block) == self.height:
            self.measure_block()

    def measure_block(self) -> None:
        """Measure what has come; blocks end where runs do, for these may differ in having a box."""
        block, self.block = self.block, []
        if not block:
            return
        rows = slice(self.n, self.n + len(block))
        points = np.stack([frame.positions for frame in block]).astype(np.float64)
        self.values[rows] = self.recipe.measure(points, _boxes(block))
        self.times[rows] = [frame.time for frame in block]
        self.n += len(block)
        if self.done is not None:
            self.done(len(block))

    def finish(self) -> tuple[np.ndarray, np.ndarray]:
        """Values and times of all frames that came."""
        self.measure_block()
        return self.values[: self.n], self.times[: self.n]


class CalledRows:
    """Rows that the user's function makes of the atoms at each frame.

    Parameters
    ----------
    function : callable
        Takes an AtomGroup; returns numbers, or a dict of numbers by name.
    """

    def __init__(self, function: Callable[[Any], Any]):
        self.function = function
        self.found: list[np.ndarray] = []
        self.times: list[float] = []
        self.names: tuple[str, ...] | None = None

    def add(self, group: Any, time: float, label: str, frame: int) -> None:
        """The atoms as they are now, in a frame of a run."""
        answer, given = _numbers(self.function(group), label, frame)
        if self.found and (len(answer) != len(self.found[0]) or given != self.names):
            raise DataError(
                f"features returned {len(answer)} numbers in frame {frame} of {label} and {len(self.found[0])} in "
                "the first frame" + ("" if given == self.names else ", under other names")
            )
        self.names = given
        self.found.append(answer)
        self.times.append(time)

    def finish(self) -> tuple[np.ndarray, tuple[str, ...], np.ndarray]:
        """Values, names and times of all frames that came."""
        names = tuple(map(str, range(len(self.found[0])))) if self.names is None else self.names
        return np.array(self.found), names, np.array(self.times)


def check_width(n_features: int, what: str, n_frames: int) -> None:
    """Raise where a table would be too large."""
    size = 4 * n_features * n_frames
    if size > LARGEST_TABLE:
        raise ParameterError(
            f"{what} are {n_features} columns, {size / 1e9:.3g} GB for {n_frames} frames: select fewer atoms (select="
            "'name CA', features='ca_distances') or fewer frames (rows=slice(None, None, 10))"
        )


# --------------------------------------------------------------------------------------------------------------- steps
def _boxes(block: list[Frame]) -> np.ndarray | None:
    """Boxes (frames, 6); rows of zeros where some frames have none."""
    if all(frame.box is None for frame in block):
        return None
    return np.stack([np.zeros(6) if frame.box is None else frame.box for frame in block])


def _numbers(answer: Any, label: str, frame: int) -> tuple[np.ndarray, tuple[str, ...] | None]:
    names = tuple(str(name) for name in answer) if isinstance(answer, Mapping) else None
    try:
        values = np.asarray(list(answer.values()) if isinstance(answer, Mapping) else answer, dtype=np.float64)
    except (TypeError, ValueError) as error:
        raise DataError(f"features returned no numbers in frame {frame} of {label}: {answer!r:.60}") from error
    values = np.atleast_1d(values)
    if values.ndim != 1 or not len(values):
        raise DataError(
            f"features returned an array of shape {values.shape} in frame {frame} of {label}; it should return "
            "one number a feature"
        )
    return values, names
