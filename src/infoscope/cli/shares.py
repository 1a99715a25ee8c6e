"""``infoscope shares``: how much descriptions of the same items share, with an error and a verdict."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from .options import (
    Delivery,
    Items,
    Jobs,
    Layout,
    Measure,
    Neighbors,
    Rows,
    Seed,
    Texts,
    count,
    switch,
    value,
    with_groups,
    word,
)

EXAMPLE = "infoscope shares data.csv:0-4 data.csv:5-9"


@with_groups
def shares(
    files: Annotated[
        Texts, typer.Argument(metavar="[NAME=]FILE[:COLUMNS]", help="Descriptions of the same rows, two or more.")
    ] = None,
    *,
    labels: Annotated[str | None, value("COLUMN|FILE", "Class labels, in place of the last description.")] = None,
    columns: Annotated[
        str, word("together|pairs", "pairs: every two columns of one description, as a matrix.")
    ] = "together",
    k: Annotated[int, count(1, "Neighbours per row.")] = 3,
    estimator: Annotated[
        str, word("auto|ksg1|ksg2|mixed|labels|copula", "auto: labels, mixed where values repeat, else ksg1.")
    ] = "auto",
    marginals: Annotated[
        str,
        word(
            "auto|rank-normal|standardize|none",
            "What is done to columns first. auto: rank-normal, unless --metric, --scale or --period are given.",
        ),
    ] = "auto",
    compress: Annotated[
        str,
        word(
            "auto|none|canonical",
            "canonical: count along a few directions that were found on other rows. auto: beyond three columns.",
        ),
    ] = "auto",
    permutations: Annotated[int | None, count(0, "Shuffled samples for p-values. Default: 0; 199 for pairs.")] = None,
    small_labels: Annotated[str, word("raise|drop", "Labels of no more than k rows: an error, or left out.")] = "raise",
    refine: Annotated[int, count(1, "Pairs to count by neighbours; a Gaussian copula chooses them.")] = 1000,
    fast: Annotated[bool, switch("The number alone: no error, no verdict.", "--fast")] = False,
    unit: Annotated[str, word("nats|bits", "Of the answer.")] = "nats",
    measure: Measure,
    layout: Layout,
    rows: Rows,
    items: Items,
    window: Annotated[
        Neighbors, {"window": "Rows of a run closer in time are no neighbours. Default: auto with times."}
    ],
    out: Delivery,
    kind: Annotated[
        str | None, word("size|k|null|components|matrix", "Of the picture. Default: size, or matrix for pairs.")
    ] = None,
    seed: Seed = 0,
    jobs: Jobs = None,
) -> None:
    """How much do they share, and is it to be believed?

    Two descriptions of the same rows, or one and --labels, share so many nats; several share what keeps them from being
    independent. The answer has a standard error, and says whether more rows would change it.

    Example: infoscope shares wine.csv:0-5 wine.csv:6-12 --permutations 199 --plot shares.png --output shares.json
    """
    from infoscope.base.errors import ParameterError
    from infoscope.measures.joint_sample import plain_space

    from .deliver import check_targets, deliver
    from .inputs.data_sets import label_space, neighbor_rule, read_data
    from .inputs.parsing import choose_spaces
    from .messages import messages

    check_targets(out)
    choices = choose_spaces([], files or [])
    _check_number(len(choices), labels, columns)
    named = () if labels is None else (labels,)
    if kind == "matrix" and columns != "pairs":
        raise ParameterError("--kind matrix goes with --columns pairs")
    with messages(out.quiet):
        by_rank = marginals in ("auto", "rank-normal") and not any((measure.metric, measure.scale, measure.period))
        data = read_data(choices, items, rows, measure, layout, labels=named, by_rank=by_rank)
        spaces = dict(data.spaces)
        if by_rank and columns == "together":
            spaces = {name: plain_space(space) for name, space in spaces.items()}
        if compress == "auto":
            compress = "canonical" if by_rank and _is_wide(spaces, labels, k) else "none"
        if named:
            known = label_space(data.gathered, named)
            spaces[str(known.name)] = known
        shared = {
            "k": k, "se": not fast, "unit": unit, "random_state": seed, "n_jobs": jobs, **neighbor_rule(window, data),
        }  # fmt: skip
        pair = {
            "estimator": estimator, "marginals": _marginals(marginals, by_rank),
            "compress": None if compress == "none" or estimator not in ("auto", "ksg1") else compress,
            "small_labels": small_labels,
        }  # fmt: skip
        result = _compute(spaces, columns, permutations, refine, shared, pair)
        picture = {"kind": kind} if kind else {}
        deliver(result, out, data.record(), data.files(), **picture)


def _marginals(asked: str, by_rank: bool) -> str | None:
    """As the library takes them.  Of normal scores, which plain columns are by now, normal scores are the same, and
    what is said of ties knows that they were taken."""
    if by_rank:
        return "rank-normal"
    return None if asked == "none" else asked


def _is_wide(spaces: dict[str, Any], labels: str | None, k: int) -> bool:
    """Whether two descriptions have so many columns that the library would compress them."""
    from infoscope.measures.compression import is_worth_compressing

    if labels is not None or len(spaces) != 2 or any(space.metric == "labels" for space in spaces.values()):
        return False
    return is_worth_compressing(list(spaces.values()), k)


def _compute(
    spaces: dict[str, Any], columns: str, permutations: int | None, refine: int, shared: dict[str, Any], pair: Any
) -> Any:
    from infoscope.measures import mutual_information, pairwise_mutual_information, total_correlation

    if columns == "pairs":
        (space,) = spaces.values()
        method = "ksg" if space.period.any() else "screen-then-ksg"
        return pairwise_mutual_information(space, method=method, n_refine=refine, n_permutations=permutations, **shared)
    shared = shared | {"n_permutations": permutations or 0}
    if len(spaces) == 2:
        first, second = spaces.values()
        return mutual_information(first, second, **shared, **pair)
    _refuse_for_several(pair)
    return total_correlation(spaces, marginals=pair["marginals"], **shared)


def _refuse_for_several(pair: dict[str, Any]) -> None:
    from infoscope.base.errors import ParameterError

    if pair["estimator"] not in ("auto", "ksg1") or pair["compress"] is not None:
        raise ParameterError("--estimator and --compress are for two descriptions, and there are more")


def _check_number(n_spaces: int, labels: str | None, columns: str) -> None:
    from infoscope.base.errors import ParameterError

    if columns == "pairs":
        if n_spaces != 1 or labels is not None:
            raise ParameterError(
                "--columns pairs takes one description and no labels. For example: infoscope shares data.csv --columns "
                "pairs"
            )
    elif n_spaces + (labels is not None) < 2:
        given = {0: "none is", 1: "one is"}[n_spaces]
        raise ParameterError(
            f"two descriptions are needed, or one and --labels, and {given} given. For example: {EXAMPLE}"
        )
    elif labels is not None and n_spaces > 1:
        raise ParameterError("--labels goes with one description: labels are not counted together with several")
