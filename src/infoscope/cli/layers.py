"""``infoscope layers``: what the layers of two models have in common, beyond what chance gives."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .options import Delivery, Jobs, Seed, Texts, count, value, with_groups, word

if TYPE_CHECKING:
    from infoscope.representations import RepresentationStore

EXAMPLE = "infoscope layers small.store large.store --plot layers.png --output layers.csv"


@with_groups
def layers(
    first: Annotated[str | None, typer.Argument(metavar="A", help="A store of layers, or an .npz of them.")] = None,
    second: Annotated[str | None, typer.Argument(metavar="B", help="The other model: the same items.")] = None,
    *,
    measures: Annotated[
        Texts,
        value("NAME", "imbalance, mutual_knn, cka, cka_debiased, rsa; one or more. Default: all but cka and rsa."),
    ] = None,
    k: Annotated[int, value("N", "Neighbours of the imbalances.", "-k", "--k")] = 1,
    mutual: Annotated[int, count(1, "Neighbours that are compared.")] = 10,
    metric: Annotated[str, word("cosine|euclidean", "Of the distances.")] = "cosine",
    pool: Annotated[
        str | None, value("NAME", "Of a store: how tokens were made one vector. Default: its first.")
    ] = None,
    permutations: Annotated[int, count(19, "Shuffles of the items, the same for all pairs.")] = 200,
    level: Annotated[float, value("SHARE", "Probability with which shuffled items exceed a threshold.")] = 0.05,
    out: Annotated[
        Delivery, {"output": "All pairs: .csv, .parquet. The result: .json (for rerun), .npz (for infoscope.load)."}
    ],
    kind: Annotated[str, word("pairs|depth", "Of the picture.")] = "pairs",
    seed: Seed = 0,
    jobs: Jobs = None,
) -> None:
    """What do the layers of two models have in common?

    Every pair of layers by several measures, with errors, beside the same shuffles of the items; the best pair beside
    the best of all shuffled pairs.

    Example: infoscope layers small.store large.store --plot layers.png --output layers.csv
    """
    from infoscope.base.errors import ParameterError
    from infoscope.representations import compare_layers

    from .deliver import check_targets, deliver
    from .messages import messages

    if first is None or second is None:
        raise ParameterError(f"two models are needed. For example: {EXAMPLE}")
    check_targets(out)
    with messages(out.quiet):
        a, b = _read(first, pool), _read(second, pool)
        if a.store is not None and b.store is not None:
            a.store.check_same_items(b.store)
        options: dict[str, Any] = dict(measures=measures) if measures else {}
        found = compare_layers(
            a.layers, b.layers, k=k, k_mutual=mutual, metric=metric, n_permutations=permutations, level=level,
            random_state=seed, n_jobs=jobs, **options,
        )  # fmt: skip
        deliver(found, out, {"a": a.record(), "b": b.record()}, [a.file, b.file], kind=kind)


class _Model:
    """Layers of a store or an archive, and what is recorded of them."""

    def __init__(self, layers: dict[str, Any], file: Path, store: RepresentationStore | None, pool: str | None):
        self.layers, self.file, self.store, self.pool = layers, file, store, pool

    def record(self) -> dict[str, Any]:
        """What was read, for the record of a result."""
        return {"layers": list(self.layers), "pool": self.pool}


def _read(name: str, pool: str | None) -> _Model:
    from infoscope.base.errors import DataError, ParameterError

    path = Path(name)
    if path.is_dir():
        from infoscope.representations import RepresentationStore
        from infoscope.storage.manifest import MANIFEST

        store = RepresentationStore.open(path)
        return _Model(store.arrays(pool=pool), path / MANIFEST, store, pool or store.pools[0])
    if path.suffix.lower() != ".npz":
        raise DataError(f"{name} is no store of layers and no .npz: a model is a folder, or an archive of arrays")
    if pool is not None:
        raise ParameterError(f"--pool is of stores, and {name} is an archive of arrays")
    import numpy as np

    from infoscope.io.files_read import reading

    try:
        with reading(path), np.load(path, allow_pickle=False) as archive:
            return _Model({layer: archive[layer] for layer in archive.files}, path, None, None)
    except (OSError, ValueError) as error:
        raise DataError(f"{name} cannot be read as an archive of arrays: {error}") from error
