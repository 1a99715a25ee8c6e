"""``infoscope layers``: what the layers of two models have in common, beyond what chance gives."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from .layer_sources import Extraction, extract_layers, read_layers
from .options import Delivery, Jobs, Seed, Texts, count, value, with_groups, word

EXAMPLE = (
    "infoscope layers small.store large.store, or infoscope layers MODEL --texts en.jsonl:text --against it.jsonl:text"
)


@with_groups
def layers(
    first: Annotated[
        str | None,
        typer.Argument(metavar="A", help="A store of layers, an .npz of them, or a model: a folder, .gguf, .onnx."),
    ] = None,
    second: Annotated[str | None, typer.Argument(metavar="B", help="The other model: the same items.")] = None,
    *,
    run_on: Extraction,
    measures: Annotated[
        Texts,
        value(
            "NAME",
            "imbalance, mutual_knn, cka, cka_debiased, rsa, procrustes, cca, svcca, cknna; one or more. "
            "Default: imbalance, cka_debiased, mutual_knn.",
        ),
    ] = None,
    k: Annotated[int, value("N", "Neighbours of the imbalances.", "-k", "--k")] = 1,
    mutual: Annotated[int, count(1, "Neighbours that are compared.")] = 10,
    metric: Annotated[str, word("cosine|euclidean|hamming", "Of the distances.")] = "cosine",
    preprocess: Annotated[
        Texts, value("NAME", "What every layer goes through first, in this order: clip, center, signs (with hamming).")
    ] = None,
    pool: Annotated[
        str | None,
        value("NAME", "How tokens are made one vector: mean, last, first, last_n, ... Default: mean; a store's first."),
    ] = None,
    permutations: Annotated[int, count(19, "Shuffles of the items, the same for all pairs.")] = 200,
    level: Annotated[float, value("SHARE", "Probability with which shuffled items exceed a threshold.")] = 0.05,
    out: Annotated[
        Delivery,
        {"output": "All pairs: .csv, .parquet. The result: .json (for rerun), .npz (for load), .html (a page)."},
    ],
    kind: Annotated[str, word("pairs|depth", "Of the picture.")] = "pairs",
    seed: Seed = 0,
    jobs: Jobs = None,
) -> None:
    """What do the layers of two models have in common?

    Every pair of layers by several measures, with errors, beside the same shuffles of the items; the best pair beside
    the best of all shuffled pairs. Of models, their layers are made first, and kept: called again, the command goes on.

    Example: infoscope layers small.store large.store --plot layers.png --output layers.csv
    """
    from infoscope.base.errors import ParameterError
    from infoscope.representations import compare_layers

    from .deliver import check_targets, deliver
    from .messages import messages

    if first is None or (second is None and not run_on.needs_models):
        raise ParameterError(f"two models are needed, or one and two sets of items. For example: {EXAMPLE}")
    check_targets(out)
    with messages(out.quiet):
        if run_on.needs_models:
            a, b = extract_layers(first, second, run_on, pool, run_on.folder(out))
        else:
            a, b = read_layers(first, pool), read_layers(second or "", pool)
        if a.store is not None and b.store is not None:
            a.store.check_same_items(b.store)
        options: dict[str, Any] = dict(measures=measures) if measures else {}
        options |= dict(preprocess=choose_transformers(preprocess)) if preprocess else {}
        found = compare_layers(
            a.layers, b.layers, k=k, k_mutual=mutual, metric=metric, n_permutations=permutations, level=level,
            random_state=seed, n_jobs=jobs, **options,
        )  # fmt: skip
        files = list(dict.fromkeys([*a.files, *b.files]))
        deliver(found, out, {"a": a.record(), "b": b.record()}, files, kind=kind)


def choose_transformers(names: list[str]) -> list[Any]:
    """Transformers of ``--preprocess``, with the options they have by themselves."""
    from infoscope.base.checks import check_choice
    from infoscope.representations import Center, ClipRows, SignBits

    known: dict[str, Any] = {"clip": ClipRows, "center": Center, "signs": SignBits}
    return [known[check_choice(name, "preprocess", tuple(known))]() for name in names]
