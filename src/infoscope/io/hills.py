"""The time-dependent part of a metadynamics bias: c(t), from the hills that PLUMED wrote (HILLS)."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import Any

import numpy as np

from infoscope.base.array_types import ArrayLike
from infoscope.base.errors import DataError, ParameterError
from infoscope.base.progress import progress

from .colvar import open_colvar
from .files_read import reads_files
from .weights import checked_kT

CUTOFF = 6.25  # of half the squared distance in widths: PLUMED's hills end there
PER_WIDTH = 5  # cells in the smallest width of a hill, as PLUMED's own grid has
MARGIN = 3.0  # widths beyond the outermost hills, where a variable is not periodic and no limits are given
MOST_CELLS = 5_000_000
LARGEST_EXPONENT = 300.0  # sums are shifted before exponentials overflow


@dataclass(frozen=True, eq=False)
class Hills:
    """The hills of a run.

    Attributes
    ----------
    time : array (H,)
    centers, widths : array (H, D)
    heights : array (H,)
        Of the bias, in its unit (PLUMED's file holds them times factor / (factor - 1)).
    factor : float
        Bias factor; infinite where hills do not shrink.
    names : tuple of str
        Of the D variables.
    period : array (D,)
        Of each variable; 0 for none.
    stretched : bool
        Whether hills are stretched so that they end at zero.
    source : str
    """

    time: np.ndarray
    centers: np.ndarray
    widths: np.ndarray
    heights: np.ndarray
    factor: float
    names: tuple[str, ...]
    period: np.ndarray
    stretched: bool
    source: str


def hills_offset(
    hills: str | PathLike[str], time: ArrayLike, *, kT: float, limits: Mapping[str, tuple[float, float]] | None = None
) -> np.ndarray:
    r"""What the bias of a metadynamics run grew by, c(t), from its HILLS file: ``metad.rbias = metad.bias - c(t)``.

    .. math:: c(t) = k_BT \log \frac{\int e^{\gamma V(s, t) / (\gamma - 1) k_BT} ds}
                                    {\int e^{V(s, t) / (\gamma - 1) k_BT} ds}

    Parameters
    ----------
    hills : str or path
        The file that METAD wrote.
    time : array (N,)
        When rows were seen, in the unit of the file. The hills before each count.
    kT : float
        In the unit of the heights: 2.494 kJ/mol at 300 K.
    limits : mapping of str to (float, float), optional
        From where to where variables without a period are integrated: PLUMED's GRID_MIN and GRID_MAX. Default: three
        widths beyond the outermost hills.

    Returns
    -------
    array (N,)
        c(t), in the unit of the heights.

    Raises
    ------
    DataError
        If the file holds no hills, or hills of a kind that is not known here (of changing shape, triangular).
    ParameterError
        If `kT` is no positive number, limits name no variable, or the grid would be too large.

    References
    ----------
    Tiwary, Parrinello, J. Phys. Chem. B 119, 736 (2015), eq. 12.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> from infoscope.io import hills_offset
    >>> path = pathlib.Path(tempfile.mkdtemp(), "HILLS")
    >>> head = "#! FIELDS time phi sigma_phi height biasf\n#! SET min_phi -pi\n#! SET max_phi pi\n"
    >>> _ = path.write_text(head + "1 0.0 0.3 1.2 10\n2 0.1 0.3 1.1 10\n")
    >>> hills_offset(path, [1.0, 1.5, 2.5], kT=2.494).round(3)
    array([0.   , 0.151, 0.335])
    """
    kT = checked_kT(kT)
    read = read_hills(hills)
    times = np.asarray(time, float)
    if times.ndim != 1:
        raise ParameterError(f"time has shape {times.shape}: one time a row is needed")
    steps = offsets_after_hills(read, kT, limits or {})
    within = 1e-6 * np.median(np.diff(read.time)) if len(read.time) > 1 else 0.0  # times are rounded in both files
    return np.concatenate([[0.0], steps])[np.searchsorted(read.time, times - within, side="left")]


def hills_beside(path: str | PathLike[str]) -> Path | None:
    """The HILLS file beside a COLVAR: of the same ending where there are several walkers; None if there is none."""
    path = Path(path)
    names = [path.name.replace("COLVAR", "HILLS"), "HILLS" + path.name.removeprefix(path.name.split(".")[0]), "HILLS"]
    for name in dict.fromkeys(names):
        beside = path.with_name(name)
        if beside != path and beside.is_file():
            return beside
    return None


@reads_files()
def read_hills(path: str | PathLike[str]) -> Hills:
    """Read a HILLS file; rows that a restart wrote again stand once."""
    path = Path(path)
    if not path.is_file():
        raise DataError(f"there is no file {path}: hills are in the file HILLS that METAD writes")
    source = open_colvar(path, None)
    names = source.names
    variables = [name for name in names if f"sigma_{name}" in names]
    if not variables or "height" not in names or "time" not in names:
        crossed = next((name for name in names if re.fullmatch(r"sigma_.+_.+", name)), None)
        what = f"hills whose shape changes ({crossed})" if crossed else "no hills"
        raise DataError(f"{path} holds {what}: c(t) is computed from the HILLS file of METAD with fixed widths")
    said = source.header.settings
    if said.get("multivariate", "false") != "false":
        raise DataError(f"{path} holds hills whose shape changes (multivariate): let PLUMED compute rbias (CALC_RCT)")
    shape = said.get("kerneltype", "gaussian").lower()
    if shape not in ("gaussian", "stretched-gaussian"):
        raise DataError(f"{path} holds hills of kernel type {shape}: let PLUMED compute rbias (CALC_RCT)")
    every = slice(None)

    def columns(chosen: Sequence[str]) -> np.ndarray:
        return source.values([names.index(name) for name in chosen], every).astype(float)

    if not source.n_rows():
        raise DataError(f"{path} holds no hills")
    factors = columns(["biasf"])[:, 0] if "biasf" in names else np.ones(source.n_rows())
    if np.ptp(factors) > 0:
        raise DataError(f"{path}: the bias factor changes from {factors.min():g} to {factors.max():g}")
    factor = float(factors[0]) if factors[0] > 1 else np.inf
    heights = columns(["height"])[:, 0]
    heights = heights * (factor - 1) / factor if np.isfinite(factor) else heights
    period = np.array([source.period.get(name, 0.0) for name in variables])
    widths = columns([f"sigma_{name}" for name in variables])
    if not (widths > 0).all():
        raise DataError(f"{path}: row {int(np.argmin(widths.min(axis=1)))} holds a hill without a width")
    time = columns(["time"])[:, 0]
    order = np.argsort(time, kind="stable")  # walkers that share one file
    stretched = shape == "stretched-gaussian"
    centers = columns(variables)
    return Hills(
        time[order],
        centers[order],
        widths[order],
        heights[order],
        factor,
        tuple(variables),
        period,
        stretched,
        str(path),
    )


def offsets_after_hills(hills: Hills, kT: float, limits: Mapping[str, tuple[float, float]]) -> np.ndarray:
    """c after every hill, from sums over a grid of which a hill changes only the cells it reaches."""
    axes = _axes(hills, limits)
    shape = tuple(len(axis) for axis in axes)
    if np.prod(shape, dtype=float) > MOST_CELLS:
        raise ParameterError(
            f"{hills.source}: c(t) takes a grid of {' x '.join(map(str, shape))} cells, more than {MOST_CELLS:,}: let "
            "PLUMED compute rbias (CALC_RCT)"
        )
    above, below = _exponents(hills.factor, kT)
    bias = np.zeros(shape)
    cells = _cell_sizes(hills, axes)
    upper = lower = float(cells.sum())
    shift = 0.0  # of exponents, so that none overflows
    out = np.empty(len(hills.heights))
    with progress(len(out), "hills", "hills") as bar:
        for h, height in enumerate(hills.heights):
            block, squares = _reached(hills, h, axes)
            before = bias[block]
            after = before + height * _shape_of(squares, hills.stretched)
            size = cells[block]
            upper += float((size * (np.exp(above * after - shift) - np.exp(above * before - shift))).sum())
            lower += float((size * (np.exp(below * after) - np.exp(below * before))).sum())
            bias[block] = after
            highest = above * float(after.max()) - shift
            if highest > LARGEST_EXPONENT:
                shift += highest
                upper = float((cells * np.exp(above * bias - shift)).sum())
            out[h] = kT * (np.log(upper) + shift - np.log(lower))
            bar.update(1)
    return out


# --------------------------------------------------------------------------------------------------------------- steps
def _exponents(factor: float, kT: float) -> tuple[float, float]:
    """What the bias is multiplied with in both integrals."""
    return (1 / kT, 0.0) if np.isinf(factor) else (factor / ((factor - 1) * kT), 1 / ((factor - 1) * kT))


def _axes(hills: Hills, limits: Mapping[str, tuple[float, float]]) -> list[np.ndarray]:
    unknown = [name for name in limits if name not in hills.names]
    if unknown:
        raise ParameterError(f"limits name {unknown[0]}, and the hills are in {', '.join(hills.names)}")
    axes = []
    for d, name in enumerate(hills.names):
        width, period = hills.widths[:, d].min(), hills.period[d]
        if period:
            n = int(np.ceil(PER_WIDTH * period / width))
            axes.append(period * np.arange(n) / n)
            continue
        reach = MARGIN * hills.widths[:, d].max()
        low, high = limits.get(name, (hills.centers[:, d].min() - reach, hills.centers[:, d].max() + reach))
        if not low < high:
            raise ParameterError(f"limits of {name} are {low:g} and {high:g}: the second must be larger")
        axes.append(np.linspace(low, high, int(np.ceil(PER_WIDTH * (high - low) / width)) + 1))
    return axes


def _cell_sizes(hills: Hills, axes: Sequence[np.ndarray]) -> np.ndarray:
    """How much of the integral each cell is: half as much at both ends of a variable without a period."""
    sizes = np.ones(tuple(len(axis) for axis in axes))
    for d in np.flatnonzero(hills.period == 0).tolist():
        ends = np.moveaxis(sizes, d, 0)
        ends[[0, -1]] *= 0.5
    return sizes


def _reached(hills: Hills, h: int, axes: Sequence[np.ndarray]) -> tuple[Any, np.ndarray]:
    """Cells that a hill reaches, and half the squared distance to them in widths."""
    chosen, halves = [], []
    for d, axis in enumerate(axes):
        away = axis - hills.centers[h, d]
        if hills.period[d]:
            away = away - hills.period[d] * np.rint(away / hills.period[d])
        half = 0.5 * np.square(away / hills.widths[h, d])
        near = np.flatnonzero(half < CUTOFF)
        chosen.append(near)
        halves.append(half[near])
    squares = halves[0]
    for half in halves[1:]:
        squares = squares[..., None] + half
    return np.ix_(*chosen), squares


def _shape_of(squares: np.ndarray, stretched: bool) -> np.ndarray:
    end = np.exp(-CUTOFF)
    plain = np.exp(-squares)
    return np.where(squares < CUTOFF, (plain - end) / (1 - end) if stretched else plain, 0.0)
