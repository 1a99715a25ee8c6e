"""A bias that grew while rows were sampled: ``--hills``, and what the files offer in place of metad.bias."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from infoscope.base.errors import DataError, ParameterError, warn
from infoscope.cli.messages import hint
from infoscope.cli.options import Items
from infoscope.io.hills import hills_beside, hills_offset
from infoscope.io.weights import column_list
from infoscope.statistics import bias_differences, bias_sentence

from .energies import ThermalEnergy
from .read_space import ReadSpace

if TYPE_CHECKING:
    from infoscope.neighbors import Space

BIAS, REWEIGHTING = ".bias", ".rbias"
QUERIES, NEIGHBORS = 500, 20  # rows that are asked whether the bias of their neighbours differs


def without_growth(
    energies: np.ndarray, items: Items, energy: ThermalEnergy, spaces: Sequence[ReadSpace]
) -> tuple[np.ndarray, str]:
    """The bias less c(t) of its hills, and a sentence that says so; kT decides c(t), so it must be known."""
    files = column_list(items.hills)
    flag, text = ("--bias", items.bias) if items.bias is not None else ("--log-weights", items.log_weights)
    if energy.kT is None:
        raise ParameterError("--hills needs kT: --kT 300K, or --units kJ/mol")
    if any(name.endswith(REWEIGHTING) for name in column_list(text)):
        raise ParameterError(f"{flag} {text} is without c(t) already: leave out --hills")
    timed = next((space for space in spaces if all(table.time is not None for table in space.tables)), None)
    if timed is None:
        raise DataError("--hills needs the times of the rows, and the files have none")
    if len(files) not in (1, len(timed.tables)):
        raise ParameterError(
            f"--hills names {len(files)} files: one for all, or one for each of the {len(timed.tables)}"
        )
    files = files * len(timed.tables) if len(files) == 1 else files
    times = [np.asarray(table.time, float) for table in timed.tables]
    parts = [hills_offset(file, time, kT=energy.kT) for file, time in zip(files, times, strict=True)]
    offset = np.concatenate(parts)
    changed = energies.copy()
    changed[:, 0] -= offset
    names = ", ".join(dict.fromkeys(files))
    return changed, (
        f"{flag} {text} less c(t) of the hills in {names}, which goes from {offset.min():.4g} to {offset.max():.4g}"
    )


def propose_bias(spaces: Sequence[ReadSpace], items: Items) -> None:
    """Say that a file holds metad.rbias, or has its hills beside it, where these are not used."""
    stored = {name: piece for space in spaces for piece in space.choice.pieces for name in piece.stored_columns()}
    asked = [*column_list(items.bias), *column_list(items.log_weights)]
    for name in (name for name in asked if name.endswith(BIAS)):
        better = name.removesuffix(BIAS) + REWEIGHTING
        flag = "--bias" if items.bias is not None else "--log-weights"
        if better in stored:
            warn(
                f"{stored[better]} holds {better}, which is {name} without what it grew by while rows were sampled: if "
                f"the bias was not static, use {flag} {better}"
            )
        elif items.hills is None and name in stored and (beside := hills_beside(stored[name].path)) is not None:
            hint(f"{beside} is there: if {name} grew while rows were sampled, --hills {beside} takes c(t) out of it.")
    found = next((name for name in stored if name.endswith(REWEIGHTING)), None)
    if found is not None and not asked and items.weights is None:
        hint(f"{stored[found]} was sampled under a bias: --bias {found} --units kJ/mol takes it out.")


def warn_of_growth(log_weight: np.ndarray, spaces: Sequence[Space]) -> None:
    """Warn where rows are weighted by a bias that grew while they were sampled, by a few rows and their neighbours."""
    from infoscope.neighbors import nearest

    for space in spaces:
        if space.backend != "numpy" or len(space) <= 2 * NEIGHBORS or space.metric in ("labels", "bits", "hamming"):
            continue
        rows = np.unique(np.linspace(0, len(space) - 1, QUERIES).astype(int))
        graph = nearest(space.replace(sample_weight=None), NEIGHBORS, queries=rows)
        found = bias_differences(log_weight, graph.items.reshape(len(rows), -1), space.time, rows)
        if found.grows:
            warn(bias_sentence(found, f"the bias, seen in {space.name},"))
            return
