"""What the demonstration asks: each question computes its numbers and says them in words."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import combinations
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from infoscope.base.results import format_estimate, say_estimate

if TYPE_CHECKING:
    from infoscope.anomalies import Anomalies
    from infoscope.density import Clusters
    from infoscope.imbalance import FeatureWeights, ImbalanceMatrix

STRIDE, K = 12, 5  # frames of the molecule that are used, and neighbours of each
SHOWN = 4
TEMPERATURE = 300.0
RESAMPLES = 30
HOT_STRIDE, TOGETHER, PERMUTATIONS = 10, 5, 999  # 10 ps apart; labels of 5 such frames are permuted together


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
class Map:
    """Free energy of every frame over two torsions, and the states of the molecule."""

    angles: np.ndarray
    energy: np.ndarray
    energy_se: np.ndarray
    states: Clusters
    text: str


@dataclass(frozen=True)
class Heat:
    """What the molecule does more often at 600 K than at 300 K."""

    found: Anomalies
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


def free_energy() -> Map:
    """Which states does the molecule visit, and how high are the barriers between them?"""
    from infoscope.datasets import load_alanine_dipeptide
    from infoscope.density import DensityPeaks, PAk
    from infoscope.neighbors import Space
    from infoscope.statistics.units import energy_unit

    frames = load_alanine_dipeptide("300K metadynamics")
    angles = frames.torsions[["ALA2 phi", "ALA2 psi"]]
    kt = energy_unit(TEMPERATURE, "kJ/mol")
    # Frames 5 ps apart count as independent where the bias drives them (1.0 to 1.1 frames as one): no time is needed.
    density = PAk(dimension=2, max_neighbors=200).fit(
        Space(angles, period=2 * np.pi), bias=np.asarray(frames.bias) / kt
    )
    energy, error = density.free_energy(TEMPERATURE, "kJ/mol")
    states = DensityPeaks(Z=3).fit(density).result_.with_units("kJ/mol", TEMPERATURE)
    rows = states.to_frame()
    lines = [
        f"     state {c}   phi {angles.iloc[row.center, 0]:+.1f}, psi {angles.iloc[row.center, 1]:+.1f}   "
        f"{format_estimate(100 * row.population, 100 * row.population_se):>13} %   "
        f"barrier {'> ' if row.barrier_is_bound else ''}{say_estimate(row.barrier, row.barrier_se)} kJ/mol"
        for c, row in enumerate(rows.itertuples())
    ]
    way = states.to_frame("saddles").nlargest(1, "saddle_log_density").iloc[0]
    first, second = int(way["a"]), int(way["b"])
    there, back = (format_estimate(way[f"barrier_from_{end}"], way[f"barrier_from_{end}_se"]) for end in ("a", "b"))
    text = (
        f"Its free energy: {len(angles)} frames at {TEMPERATURE:.0f} K, from metadynamics; the bias is taken out. "
        "Which states does the\n   molecule visit, how often, and how high is the lowest way out of each?\n\n"
        + "\n".join(lines)
        + f"\n\n   In plain words: {states.n_clusters} states stand out of the error; the lowest pass joins {first} "
        f"and {second}, {there} kJ/mol above\n   the one and {back} above the other."
    )
    return Map(angles.to_numpy(float), energy, error, states, text)


def states_in(found: Map, path: Path) -> Clusters:
    """The states as those of the frames of a file, which is written: so that frames can be taken out of it."""
    from infoscope.base import Origin
    from infoscope.datasets import load_alanine_dipeptide
    from infoscope.io.source_files import source_file

    frames = load_alanine_dipeptide("300K metadynamics")
    file = source_file(frames.write_pdb(path), item="frame")
    return replace(found.states, origin=Origin(np.arange(len(frames)), (file,), time=frames.time))


def left_handed(found: Map) -> int:
    """Which state is the left-handed helix: the largest whose frames turn phi the other way."""
    phi = found.angles[found.states.centers, 0]
    return int(np.argmax(np.where(phi > 0, found.states.populations, 0)))


def heat() -> Heat:
    """Where does the molecule go when it is heated?"""
    from infoscope.anomalies import DensityAnomaly
    from infoscope.datasets import load_alanine_dipeptide
    from infoscope.neighbors import Space

    cold, hot = load_alanine_dipeptide("300K metadynamics"), load_alanine_dipeptide("600K")
    weight = np.asarray(cold.sample_weight)  # metadynamics: every frame has one
    kept = np.flatnonzero(np.random.default_rng(0).random(len(cold)) < weight / weight.max())  # a sample without bias
    frames = (cold.torsions.iloc[kept], hot.torsions.iloc[::HOT_STRIDE])
    x, y = (Space(f[["ALA2 phi", "ALA2 psi"]].reset_index(drop=True), period=2 * np.pi) for f in frames)
    model = DensityAnomaly(n_permutations=PERMUTATIONS, random_state=0)
    found = model.fit(x, y, np.arange(len(x)) // TOGETHER, np.arange(len(y)) // TOGETHER).result_
    lines = [
        f"     phi {phi:+.1f}, psi {psi:+.1f}   {region.n_anomalous} frames, "
        f"{format_estimate(region.background, region.background_se)} expected, "
        f"purity {format_estimate(region.purity, region.purity_se)}"
        for region in found.sides[0].established
        for phi, psi in [region.centre]
    ]
    text = (
        f"Heated: the same molecule at 600 K, {len(y)} frames, against {len(x)} at 300 K, drawn by their weights.\n"
        "   Which conformations appear? Counts of frames, and what 300 K lets expect there:\n\n"
        + "\n".join(lines)
        + f"\n\n   In plain words: heat fills {len(lines)} place{'s' if len(lines) != 1 else ''}; "
        f"that nothing changed, p = {found.global_p_value:.2g} (blocks of {TOGETHER * HOT_STRIDE} ps permuted)."
    )
    return Heat(found, text)


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
        exclusion_window=0, init=path.weights[row][columns], n_resamples=RESAMPLES, random_state=0
    )
    found = fit.fit(Space(table.rename(columns=_short).iloc[:, columns], name="a wine"), y).result_
    equal, _ = dii_value_and_grad(x, y, 1 / table.to_numpy().std(0), k=found.k)
    ends = np.asarray(found.weights_interval)  # there are resamples
    between = [f"({low:.2f} to {high:.2f})" for low, high in ends * found.scale[:, None]]
    lines = [f"     {found.names[a]:<32} {found.standard_weights[a]:.2f}   {between[a]}" for a in found.support]
    open_weighted = format_estimate((found.dii - floor) / (1 - floor), found.dii_se / (1 - floor))
    open_equal = (equal - floor) / (1 - floor)
    text = (
        f"Fewer: the same wines. How few of the {table.shape[1]} measurements suffice, and in which proportion?\n"
        f"   Weights in units of the standard deviation, with 95 % intervals from {RESAMPLES} random halves:\n\n"
        + "\n".join(lines)
        + f"\n\n   In plain words: {len(found.support)} measurements, so weighted, leave {open_weighted} open; all "
        f"{table.shape[1]} with equal weights leave {open_equal:.2f}."
    )
    return Few(found, equal, floor, text)


QUESTIONS: tuple[Callable[[], Pairs | Map | Heat | Wines | Few], ...] = (molecule, free_energy, heat, wines, few)


def _short(name: str) -> str:
    return name.split("_of_diluted")[0].replace("_", " ")


def _apart(found: ImbalanceMatrix, first: int, second: int) -> bool:
    """Whether two values differ by more than three standard errors."""
    values, errors = found.values[:, 0], found.values_se[:, 0]
    return bool(values[second] - values[first] > 3 * np.hypot(errors[first], errors[second]))
