"""What the demonstration asks: each question computes its numbers and says them in words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from infoscope.base.results import format_estimate

if TYPE_CHECKING:
    from infoscope.imbalance import FeatureWeights, ImbalanceMatrix, InformationImbalance

STRIDE, K = 12, 5  # frames of the molecule that are used, and neighbours of each
SHOWN = 4
RESAMPLES = 30


@dataclass(frozen=True)
class Pairs:
    """Every pair of coordinates of a molecule against its shape."""

    names: tuple[str, ...]
    to_shape: np.ndarray
    to_shape_se: np.ndarray
    from_shape: np.ndarray
    from_shape_se: np.ndarray
    text: str

    def best(self, n: int) -> np.ndarray:
        """Numbers of the pairs that tell most about the shape."""
        return np.argsort(self.to_shape)[:n]


@dataclass(frozen=True)
class Trap:
    """The same question to the same rows, asked twice; the truth is 1."""

    naive: InformationImbalance
    honest: InformationImbalance
    text: str


@dataclass(frozen=True)
class Wines:
    """What each measurement tells about the cultivar, floor removed."""

    names: tuple[str, ...]
    values: np.ndarray
    values_se: np.ndarray
    text: str


@dataclass(frozen=True)
class Few:
    """The few measurements that are needed, in which proportion, and how steady that is."""

    weights: FeatureWeights
    equal: float
    floor: float
    text: str


def molecule() -> Pairs:
    """Which two of 52 coordinates of a peptide keep its shape?"""
    import pandas as pd

    from infoscope.datasets import load_alanine_dipeptide
    from infoscope.imbalance import imbalance_matrix
    from infoscope.neighbors import Space

    frames = load_alanine_dipeptide()
    table = pd.concat([frames.torsions, frames.distances], axis=1).iloc[::STRIDE].reset_index(drop=True)
    turn = {name: 2 * np.pi for name in frames.torsions}
    pairs = {
        f"{a} and {b}": Space(
            table[[a, b]], period={name: turn[name] for name in (a, b) if name in turn} or None, scale="standard"
        )
        for a, b in combinations(table.columns, 2)
    }
    # Frames this far apart are nearly independent (the correlation time of phi is 17 ps): no window is needed.
    shape = {"shape": frames.space("rmsd", stride=STRIDE, time=None)}
    forth = imbalance_matrix(pairs, shape, k=K, exclusion_window=0)
    back = imbalance_matrix(shape, pairs, k=K, exclusion_window=0)
    found = (forth.values[:, 0], forth.values_se[:, 0], back.values[0], back.values_se[0])
    best = np.argsort(found[0])[:SHOWN]
    lines = [f"     {forth.names[p]:<32} {format_estimate(found[0][p], found[1][p])}" for p in best]
    gap = "far ahead of" if _apart(forth, best[0], best[1]) else "just ahead of"
    text = (
        f"A molecule: alanine dipeptide, {len(table)} frames of a simulation at 600 K. Which two of its\n"
        f"   {table.shape[1]} torsions and distances keep its whole shape (the RMSD after superposition)?\n"
        f"   The best of all {len(pairs)} pairs, Δ(pair → shape):\n\n" + "\n".join(lines) + "\n\n"
        f"   In plain words: {forth.names[best[0]]} stand for the shape, {gap} every other pair."
    )
    return Pairs(tuple(forth.names), *found, text)


def trajectory() -> Trap:
    """What do nine coordinates tell about a tenth that they have nothing to do with?"""
    from infoscope.datasets import double_well
    from infoscope.imbalance import information_imbalance
    from infoscope.neighbors import Space

    n_runs, n_frames = 4, 1000
    runs = double_well(n_frames, n_runs=n_runs, random_state=0)
    time = [np.arange(n_frames) * 0.025] * n_runs
    a = Space([run[:, 1:] for run in runs], name="followers")
    b = Space([run[:, :1] for run in runs], name="x")
    naive = information_imbalance(a, b, exclusion_window=0)
    honest = information_imbalance(
        Space([run[:, 1:] for run in runs], time=time, name="followers"),
        Space([run[:, :1] for run in runs], time=time, name="x"),
    )
    text = (
        f"A trap: {n_runs} trajectories of a particle in a double well and nine coordinates that move on their own.\n"
        f"   Do the nine tell where the particle is? The truth is no: Δ = 1.\n\n"
        f"     asked naively    {format_estimate(naive.a_to_b, naive.a_to_b_se)}   "
        "(the nearest frame is the next one in time, and near in everything)\n"
        f"     asked honestly   {format_estimate(honest.a_to_b, honest.a_to_b_se)}   "
        f"(time was given: {_how(honest)})\n\n"
        "   In plain words: neighbours in time look like knowledge; say when and in which run a frame was seen."
    )
    return Trap(naive, honest, text)


def wines() -> Wines:
    """Which measurement of a wine tells what it was made from?"""
    from infoscope.datasets import load_wine
    from infoscope.imbalance import imbalance_matrix
    from infoscope.neighbors import Space

    table, cultivar = load_wine()
    columns = {_short(name): [name] for name in table.columns}
    columns[f"all {len(columns)} together"] = list(table.columns)
    spaces = {name: Space(table[chosen], scale="standard") for name, chosen in columns.items()}
    # Window 0: the file is sorted by cultivar, and its rows follow each other in no other sense.
    found = imbalance_matrix(spaces, {"cultivar": Space.from_labels(cultivar)}, k=K, exclusion_window=0)
    floors = np.asarray(found.floors)[:, 0]
    values, errors = (found.values[:, 0] - floors) / (1 - floors), found.values_se[:, 0] / (1 - floors)
    order = np.argsort(values)
    best, alone = order[0], order[1]
    names = list(columns)
    text = (
        f"A table: {len(table)} wines, {table.shape[1]} chemical measurements. Which tells the cultivar, Δ (0: surely, "
        "1: not at all)?\n\n"
        + "\n".join(f"     {names[p]:<32} {format_estimate(values[p], errors[p])}" for p in order[:SHOWN])
        + f"\n\n   In plain words: {names[alone]} says most of any single measurement; {names[best]} leave little open."
    )
    return Wines(tuple(names), values, errors, text)


def few() -> Few:
    """How few measurements of a wine suffice, and in which proportion?"""
    from infoscope.datasets import load_wine
    from infoscope.imbalance import DifferentiableImbalance, dii_path, dii_value_and_grad
    from infoscope.neighbors import Space

    table, cultivar = load_wine()
    x = Space(table.rename(columns=_short), name="a wine")
    y = Space.from_labels(cultivar, name="cultivar")
    shares = np.unique(cultivar, return_counts=True)[1] / len(table)
    floor = float((shares**2).sum())
    path = dii_path(x, y, exclusion_window=0)
    columns, row = path.columns_of(path.suggested_size), path.sizes.tolist().index(path.suggested_size)
    fit = DifferentiableImbalance(
        exclusion_window=0, init=path.weights[row][columns], n_bootstrap=RESAMPLES, random_state=0
    )
    found = fit.fit(Space(table.rename(columns=_short).iloc[:, columns], name="a wine"), y).result_
    equal, _ = dii_value_and_grad(x, y, 1 / table.to_numpy().std(0), k=found.k)
    ends = found.weights_interval
    assert ends is not None  # there are resamples
    between = [f"({low:.2f} to {high:.2f})" for low, high in ends * found.scale[:, None]]
    lines = [f"     {found.names[a]:<32} {found.standard_weights[a]:.2f}   {between[a]}" for a in found.support]
    open_weighted = format_estimate((found.dii - floor) / (1 - floor), found.dii_se / (1 - floor))
    open_equal = (equal - floor) / (1 - floor)
    text = (
        f"Fewer: the same wines. How few of the {table.shape[1]} measurements suffice, and in which proportion?\n"
        f"   Weights in units of the standard deviation, with 95 % intervals from {RESAMPLES} resamples:\n\n"
        + "\n".join(lines)
        + f"\n\n   In plain words: {len(found.support)} measurements, so weighted, leave {open_weighted} open; all "
        f"{table.shape[1]} with equal weights leave {open_equal:.2f}."
    )
    return Few(found, equal, floor, text)


QUESTIONS: tuple[Callable[[], Pairs | Trap | Wines | Few], ...] = (molecule, trajectory, wines, few)


def _short(name: str) -> str:
    return name.split("_of_diluted")[0].replace("_", " ")


def _apart(found: ImbalanceMatrix, first: int, second: int) -> bool:
    """Whether two values differ by more than three standard errors."""
    values, errors = found.values[:, 0], found.values_se[:, 0]
    return bool(values[second] - values[first] > 3 * np.hypot(errors[first], errors[second]))


def _how(honest: InformationImbalance) -> str:
    if honest.neighbors_from == "other_runs":
        return "neighbours come from other runs"
    return f"frames within {honest.exclusion_window:.3g} time units are no neighbours"
