"""``infoscope compare``: which description of the same items tells about which."""

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
)

EXAMPLE = "infoscope compare --space A=data.csv:0-4 --space B=data.csv:5-9"


@with_groups
def compare(
    files: Annotated[
        Texts, typer.Argument(metavar="FILE[:COLUMNS]", help="Spaces without a name, called by their file.")
    ] = None,
    *,
    space: Annotated[
        Texts,
        value(
            "NAME=FILE[:COLUMNS]",
            "A space. COLUMNS: names, numbers from 0, ranges, patterns (0-9,alcohol,phi*). "
            "The same name again adds a piece (run). Arrays in a file: FILE.h5/KEY. "
            "Trajectories: FRAMES@TOPOLOGY[:FEATURES][:SELECTION].",
        ),
    ] = None,
    labels: Annotated[str | None, value("COLUMN|FILE", "Class labels to compare with.")] = None,
    measure: Annotated[
        Measure,
        {
            "metric": "euclidean, manhattan, chebyshev, cosine, hamming, rmsd (of atoms). NAME=METRIC: of one space.",
            "scale": "standard: columns divided by their standard deviation. NAME=standard: of one space.",
            "period": "Of columns or a space: phi=360deg, 2pi, 'psi*=360'.",
        },
    ],
    k: Annotated[int | None, value("N", "Neighbours per row. Default: 1 (10 with weights).", "-k", "--k")] = None,
    overlap: Annotated[
        bool, switch("The share of neighbours in common, with --labels those of the own label (k: 30).", "--overlap")
    ] = False,
    permutations: Annotated[int, count(0, "Random permutations for p-values.")] = 0,
    layout: Layout,
    rows: Annotated[Rows, {"missing": "Missing values: an error, or rows are left out of all spaces, or columns."}],
    sample_rows: Annotated[int | None, count(1, "Ask only so many rows, drawn at random.")] = None,
    sample_columns: Annotated[int | None, count(1, "Estimate ranks from so many random items.")] = None,
    items: Annotated[Items, {"join": "Pieces: runs of their own, or parts of one run."}],
    window: Annotated[
        Neighbors, {"window": "Rows of a run closer in time are no neighbours. Default: auto with times."}
    ],
    out: Delivery,
    seed: Seed = 0,
    jobs: Jobs = None,
) -> None:
    """Which description of the same items tells about which?

    Rows are items, the same in every space; columns describe them. The answer for a pair is a number in both
    directions: near 0 when neighbours in the first space are neighbours in the second, 1 when the first says nothing
    about the second.

    Example: infoscope compare --space angles=run.csv:phi,psi --space distances=run.csv:'d*' --period 'p*=360deg'
    """
    from .deliver import check_targets, deliver
    from .inputs.data_sets import label_space, neighbor_rule, read_data
    from .inputs.parsing import choose_spaces
    from .messages import messages

    check_targets(out)
    choices = choose_spaces(space or [], files or [])
    _check_number(len(choices), labels)
    if overlap:
        _check_overlap(len(choices) + (labels is not None), sample_columns, permutations)
    named = () if labels is None else (labels,)
    with messages(out.quiet):
        data = read_data(choices, items, rows, measure, layout, labels=named)
        options = {
            "k": k, "n_rows": sample_rows, "n_columns": sample_columns, "n_permutations": permutations,
            "random_state": seed, "n_jobs": jobs, **neighbor_rule(window, data),
        }  # fmt: skip
        target = label_space(data.gathered, named) if named else None
        result = (_share if overlap else _compute)(data.spaces, target, options)
        unit = next(iter(data.spaces.values())).time_unit
        deliver(result, out, data.record(), data.files(), text=_text(result, unit, p_values=permutations > 0))


def _compute(spaces: Any, labels: Any, options: dict[str, Any]) -> Any:
    """Two spaces give a pair, more give all pairs; labels are told about."""
    from infoscope.imbalance import imbalance_matrix, information_imbalance

    every = spaces if labels is None else {**spaces, labels.name: labels}
    if len(every) == 2:
        return information_imbalance(*every.values(), **options)
    return imbalance_matrix(spaces, None if labels is None else every, **options)


def _share(spaces: Any, labels: Any, options: dict[str, Any]) -> Any:
    """Neighbours in common, or of the own label."""
    from infoscope.imbalance import label_overlap, neighborhood_overlap

    told = {name: value for name, value in options.items() if name not in ("n_columns", "n_permutations")}
    told = {name: value for name, value in told.items() if name != "k" or value is not None}
    first, *others = spaces.values()
    return label_overlap(first, labels, **told) if labels is not None else neighborhood_overlap(first, *others, **told)


def _check_overlap(n: int, sample_columns: int | None, permutations: int) -> None:
    from infoscope.base.errors import ParameterError

    if n != 2:
        raise ParameterError(
            f"--overlap is of two spaces, or of one and --labels, and {n} are given: one pair at a time"
        )
    for name, given in (("--sample-columns", sample_columns), ("--permutations", permutations)):
        if given:
            raise ParameterError(f"{name} is for imbalances: leave it out with --overlap")


def _check_number(n_spaces: int, labels: str | None) -> None:
    from infoscope.base.errors import ParameterError

    if n_spaces + (labels is not None) < 2:
        given = {0: "none is", 1: "one is"}[n_spaces]
        raise ParameterError(f"two spaces are needed, or one and --labels, and {given} given. For example: {EXAMPLE}")


# --------------------------------------------------------------------------------------------------------------- words
def _text(result: Any, time_unit: str, *, p_values: bool) -> str:
    """The result, with its p-values if they were asked for, and what its rows are worth, before the verdict."""
    from .deliver import before_verdict

    return before_verdict(result, [*(_p_values(result) if p_values else ()), *_effective(result, time_unit), ""])


def _p_values(result: Any) -> list[str]:
    lines = []
    for row in result.to_frame().to_dict("records"):
        ways = [("name_a", "name_b", "a_to_b")] + ([("name_b", "name_a", "b_to_a")] if "b_to_a" in row else [])
        for source, target, way in ways:
            p = row.get(f"{way}_p_adjusted")
            p = row[f"{way}_p"] if p is None else p
            lines.append(f"  p({row[source]} → {row[target]} tells nothing) = {p:.2g}")
    return lines


def _effective(result: Any, time_unit: str) -> list[str]:
    """What is left of the number of rows where they are weighted or correlated."""
    weighted = result.n_kish is not None and result.n_kish < result.n_items * (1 - 1e-9)
    if result.correlation_time is None and not weighted:
        return []
    from infoscope.base.origin import spell_duration

    parts = [f"{result.n_items} rows"]
    if weighted:
        parts.append(f"worth {result.n_kish:.4g} by their weights")
    if result.correlation_time is not None:
        tau, window = (spell_duration(t, time_unit) for t in (result.correlation_time, result.exclusion_window))
        parts.append(f"correlation time {tau}, window {window}")
        if result.n_independent is not None:
            parts.append(f"about {result.n_independent:.3g} independent rows")
    return ["  " + "; ".join(parts)]
