"""``infoscope dimension``: how many degrees of freedom the data have, and at which scale."""

from __future__ import annotations

from typing import Annotated, Any

from .binary import Binary
from .options import Delivery, Files, Items, Jobs, Layout, Measure, Rows, Seed, Window, count, with_groups, word

NEIGHBORS = 20  # of every row (pointwise)


@with_groups
def dimension(
    files: Files = None,
    *,
    method: Annotated[
        str,
        word(
            "gride|two-nn|abide|lattice|decimation|pointwise",
            "By scale; from the two nearest neighbours; at the scale where the density is constant; of whole numbers, "
            "by scale, from how many items lie within two radii; of all points, halves of them, quarters, ...; around "
            "every row, a column of the table.",
        ),
    ] = "gride",
    bits: Binary,
    max_rank: Annotated[int | None, count(2, "Farthest neighbour (gride; pointwise: 20).")] = None,
    smoothing: Annotated[int | None, count(1, "Nearest neighbours that a row is pooled with (pointwise).")] = None,
    sample_rows: Annotated[int | None, count(8, "Ask only so many random rows (gride, two-nn, --binary).")] = None,
    measure: Annotated[Measure, {"metric": "euclidean, manhattan, chebyshev, cosine, hamming."}],
    layout: Layout,
    rows: Rows,
    items: Annotated[
        Items, {"time": "When a row was seen, or time between rows: correlated ones are thinned; none: not known."}
    ],
    window: Annotated[
        Window,
        {
            "window": "Rows of a run closer in time are not used together; 0: rows are in no order, and all are used. "
            "Default: half a correlation time."
        },
    ],
    out: Delivery,
    seed: Seed = 0,
    jobs: Jobs = None,
) -> None:
    """How many degrees of freedom do the data have?

    The answer is the number of variables that locally describe where an item can be, with its error. It depends on the
    scale: noise counts among the nearest neighbours, the shape of the whole among the farthest.

    Of bits (spins, signs of activations, genotypes) distances are whole numbers, which asks for a law of its own:
    --binary.

    Example: infoscope dimension run.csv:'d*' --time 0.5 --plot dimension.png

    Example: infoscope dimension run.csv --method pointwise --smoothing 20 --output rows.csv

    Example: infoscope dimension activations.npy --binary --binarize sign --plot bits.png
    """
    from infoscope.base.errors import ParameterError

    from .deliver import check_targets, deliver
    from .inputs.data_sets import read_one
    from .messages import messages

    bits.check(method, max_rank, measure)
    if method == "abide" and sample_rows is not None:
        raise ParameterError("--sample-rows does not go with abide, which compares every row with its neighbours")
    if method == "pointwise" and sample_rows is not None:
        raise ParameterError("--sample-rows does not go with pointwise, which asks every row")
    if method != "pointwise" and smoothing is not None:
        raise ParameterError(f"--smoothing goes with --method pointwise, not with {method}")
    if method == "lattice" and sample_rows is not None:
        raise ParameterError("--sample-rows does not go with lattice, which counts around every row")
    if method == "decimation" and sample_rows is not None:
        raise ParameterError("--sample-rows does not go with decimation, which takes fewer and fewer rows by itself")
    if method not in ("gride", "pointwise") and max_rank is not None:
        raise ParameterError(f"--max-rank goes with --method gride and pointwise, not with {method}")
    check_targets(out)
    with messages(out.quiet):
        data = read_one(files, items, rows, Measure(["hamming"]) if bits.binary else measure, layout, "dimension")
        drawn: dict[str, Any] = {"random_state": seed, "n_jobs": jobs}
        if bits.binary:
            result = bits.estimate(data.space, sample_rows, window.window, **drawn)
        elif method == "pointwise":
            from infoscope.dimension import pointwise_dimension

            shape: dict[str, Any] = dict(k=max_rank or NEIGHBORS, smoothing=smoothing or 0, n_jobs=jobs)
            result = pointwise_dimension(data.space, exclusion_window=window.window, **shape)
        else:
            result = _estimate(data.space, method, max_rank, window.window, n_rows=sample_rows, **drawn)
        deliver(result, out, data.record(), data.files())


def _estimate(space: Any, method: str, max_rank: int | None, window: float | str | None, **drawn: Any) -> Any:
    from infoscope.dimension import ABIDE, Decimation, Gride, LatticeID, TwoNN

    if method == "lattice":
        return LatticeID(n_jobs=drawn["n_jobs"]).fit(space, exclusion_window=window).result_
    if method == "decimation":
        return (
            Decimation(random_state=drawn["random_state"], n_jobs=drawn["n_jobs"])
            .fit(space, exclusion_window=window)
            .result_
        )
    if method == "abide":
        return ABIDE(n_jobs=drawn["n_jobs"]).fit(space, exclusion_window=window).result_
    estimator = TwoNN(**drawn) if method == "two-nn" else Gride(max_rank, **drawn)
    return estimator.fit(space, exclusion_window=window).result_
