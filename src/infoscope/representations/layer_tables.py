"""What is kept of the layers of a model, so that pairs and shuffles only look up: neighbours, ranks, matrices."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from infoscope.base import Fingerprint, ParameterError, progress
from infoscope.imbalance.neighbor_rules import choose_neighbors
from infoscope.imbalance.rank_table import rank_table
from infoscope.imbalance.shared_neighbors import NeighborLists
from infoscope.neighbors import RowCodes, Space, to_numpy

from .layer_steps import tied_groups
from .layers import Layer, Layers
from .near_alignment import BLOCKS, NearKernels, near_kernels
from .nuclear_norms import ROTATIONS, coordinates_of
from .repeated_items import SeenItems
from .trace_forms import FORMS, unit_form

LIMIT_BYTES = 2**33  # of the tables of both models, that are made without being asked for


class LayerTables(NamedTuple):
    """Of L layers and N items.

    Attributes
    ----------
    nearest : NeighborLists
        The k nearest, for imbalances.
    mutual : NeighborLists
        Those that are compared.
    ranks : array (N, N, L), unsigned
        Twice the rank of every item about every other; of no size where no imbalance is asked for.
    forms : dict of array (L, N, N), float32
        One matrix a layer for every measure that is a sum over pairs.
    coordinates : dict of list of array (N, r)
        Those of every layer for every measure that is a nuclear norm.
    near : list of NearKernels
        Of all items, and without each block of them, for CKNNA.
    first : Space or None
        The items.
    n_items : int
        How many.
    codes : RowCodes or None
        By which items that are equal in all layers are known; None where they are not at hand.
    on_grid : bool
        Whether all layers have few values, as bits, so that equal items may well be chance.
    """

    nearest: NeighborLists | None
    mutual: NeighborLists | None
    ranks: np.ndarray
    forms: dict[str, np.ndarray]
    coordinates: dict[str, list[np.ndarray]]
    near: list[NearKernels]
    first: Space | None
    n_items: int
    codes: RowCodes | None = None
    on_grid: bool = False


def table_layers(
    layers: Layers,
    measures: tuple[str, ...],
    *,
    k: int,
    k_mutual: int,
    metric: str,
    items: Space | None,
    digest: Fingerprint,
    n_models: int = 2,
    n_jobs: int | None = None,
) -> LayerTables:
    """Look at every layer once, and drop it.

    Parameters
    ----------
    layers : Layers
        Of one model.
    measures : tuple of str
        What is asked for, of those of `compare_layers`.
    k, k_mutual : int
        Neighbours of imbalances, and of mutual neighbours.
    metric : str
        Of the distances.
    items : Space, optional
        What the items must be those of.
    digest : Fingerprint
        Takes in the layers.
    n_models : int
        Models of this size that are kept, for the limit of memory.
    n_jobs : int, optional
        Threads.

    Raises
    ------
    ParameterError
        If the tables would exceed the limit.
    """
    sums = [one for one in measures if one in FORMS]
    rotations = [one for one in measures if one in ROTATIONS]
    coordinates: dict[str, list[np.ndarray]] = {one: [] for one in rotations}
    near: list[list[NearKernels]] = []
    nearest, mutual, forms, ranks, first, n = [], [], {}, np.empty(0, np.uint16), items, 0
    seen, tied = SeenItems(), tied_groups(layers.steps)
    n_groups = 1 if tied is None else int(tied.max()) + 1
    with progress(len(layers.names), f"layers of {layers.what}", "layers") as bar:
        for at, (name, layer) in enumerate(zip(layers.names, layers.one_by_one(metric, items), strict=True)):
            space, n, known = layer.space, len(layer.space), f"{layers.what}, {name}"
            if at == 0:
                first = space if items is None else items
                _check_sizes(n, k, k_mutual, measures)
                square = n * n * ((2 if 2 * n < 2**16 else 4) * ("imbalance" in measures) + 4 * len(sums))
                square += 16 * (BLOCKS + 1) * n * k_mutual * ("cknna" in measures)
                _check_memory(n, len(layers.names) * n_models, square)
                forms = {one: np.empty((len(layers.names), n, n), np.float32) for one in sums}
            digest.update(space.features)
            seen.add(space)
            if "imbalance" in measures:
                nearest.append(choose_neighbors(space, k, None, None, None, n_jobs=n_jobs))
                table = rank_table(space, n_jobs=n_jobs).values
                if at == 0:
                    ranks = np.empty((n, n, len(layers.names)), table.dtype)
                ranks[:, :, at] = table
            if "mutual_knn" in measures:
                mutual.append(choose_neighbors(space, k_mutual, None, None, None, n_jobs=n_jobs))
            if "cknna" in measures:
                near.append(near_kernels(space, k_mutual, known, n_jobs))
            for one in sums:
                forms[one][at] = unit_form(_vectors(layer, one, known), one, known, metric)
            if rotations:
                vectors = _vectors(layer, rotations[0], known)
                thin = 8 * n * min(n, vectors.shape[1]) * len(rotations)  # as if all layers were as wide as this one
                _check_memory(n, len(layers.names) * n_models, square + thin)
                for one, found in coordinates_of(vectors, layer.dtype, rotations, known, n_groups).items():
                    coordinates[one].append(found)
            bar.update(1)
    return LayerTables(
        NeighborLists.of(nearest) if nearest else None,
        NeighborLists.of(mutual) if mutual else None,
        ranks,
        forms,
        coordinates,
        [NearKernels.of(group) for group in zip(*near, strict=True)],
        first,
        n,
        seen.codes,
        seen.on_grid,
    )


def _vectors(layer: Layer, measure: str, name: str) -> np.ndarray:
    if layer.vectors is not None:
        return layer.vectors
    if layer.space.metric == "bits":
        return signs_of(layer.space)
    if measure != "rsa":
        raise ParameterError(
            f"{name} is a space of directions: {measure} asks for vectors with their lengths, give arrays"
        )
    return np.asarray(to_numpy(layer.space.features), np.float64)


def signs_of(space: Space) -> np.ndarray:
    """Packed bits as +1 and -1, array (N, bits)."""
    words = np.ascontiguousarray(space.features).view(np.uint8)
    return 2.0 * np.unpackbits(words, axis=1, count=space.n_bits) - 1


def _check_sizes(n: int, k: int, k_mutual: int, measures: tuple[str, ...]) -> None:
    for name, number, measure in (("k", k, "imbalance"), ("k_mutual", k_mutual, "mutual_knn"),
                                   ("k_mutual", k_mutual, "cknna")):  # fmt: skip
        if measure in measures and number > n - 2:
            raise ParameterError(f"{name}={number} neighbours of {n} items: give at most {n - 2}")


def _check_memory(n: int, n_layers: int, size_of_one: int) -> None:
    size = n_layers * size_of_one
    if size > LIMIT_BYTES:
        raise ParameterError(
            f"{n_layers} layers of {n:,} items would take {size / 1e9:.1f} GB, more than {LIMIT_BYTES / 1e9:.1f} GB: "
            "compare fewer items, fewer layers or fewer measures at a time; imbalance_matrix keeps no such tables"
        )
