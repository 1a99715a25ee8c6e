"""``infoscope anomalies``: where two data sets differ, how sure that is, and which rows make the difference."""

from __future__ import annotations

from typing import Annotated

import typer

from .options import Delivery, Items, Jobs, Layout, Measure, Rows, Seed, Window, count, value, with_groups, word

EXAMPLE = "infoscope anomalies reference.csv test.csv"


@with_groups
def anomalies(
    reference: Annotated[
        str | None, typer.Argument(metavar="REFERENCE[:COLUMNS]", help="What is known: a file, its columns.")
    ] = None,
    test: Annotated[
        str | None,
        typer.Argument(metavar="TEST[:COLUMNS]", help="What is compared with it. Default: the same columns."),
    ] = None,
    *,
    k: Annotated[
        int | str,
        word(
            "auto",
            "Neighbours of a row. auto: a twentieth, at most 500.",
            "-k",
            "--k",
            metavar="N",
            or_else="a number of neighbours",
            of=int,
            holds=lambda number: number >= 1,
        ),
    ] = "auto",
    control: Annotated[
        str,
        word(
            "auto|fdr|fdr_by|fwer|fpr",
            "What --alpha bounds: the share of false flags (fdr, fdr_by under any dependence), the chance of any "
            "(fwer), the rate per row (fpr). auto: fwer with runs or times, else fdr.",
        ),
    ] = "auto",
    alpha: Annotated[float, value("LEVEL", "Level of the control.")] = 0.05,
    side: Annotated[str, word("both|over|under", "More rows in TEST, fewer, or both.")] = "both",
    permutations: Annotated[
        int | None, count(0, "Label permutations, for a p-value of it all. Default: 999 for fwer.")
    ] = None,
    clustering: Annotated[str, word("components|peaks|hdbscan", "How flagged rows make regions.")] = "components",
    measure: Annotated[Measure, {"scale": "standard: columns divided by their standard deviation in REFERENCE."}],
    layout: Layout,
    rows: Annotated[Rows, {"start": "First row of both files."}],
    items: Annotated[
        Items, {"time": "When a row was seen, or time between rows: correlated ones go together; none: not known."}
    ],
    window: Annotated[
        Window,
        {
            "window": "Length in time of the blocks of rows that go together; 0: rows are in no order. Default: whole "
            "runs, or two correlation times."
        },
    ],
    out: Annotated[
        Delivery,
        {"output": "Flagged rows: .csv, .parquet. The result: .json (for rerun), .npz (for load), .html (a page)."},
    ],
    kind: Annotated[
        str, word("scores|pairs|scan|regions|p_values|histogram|permutations", "Of the picture.")
    ] = "scores",
    seed: Seed = 0,
    jobs: Jobs = None,
) -> None:
    """What changed between two data sets?

    Around every row the labels REFERENCE and TEST of its neighbours are coin flips where nothing changed. Rows that
    stand out of their exact law are flagged, and joined to regions with the number of rows beyond what is expected.

    Example: infoscope anomalies simulated.csv measured.csv --scale standard --output flagged.csv --plot regions.png
    """
    from infoscope.anomalies import DensityAnomaly
    from infoscope.base.errors import ParameterError

    from .deliver import check_targets, deliver
    from .flagged_rows import FlaggedRows
    from .inputs.data_sets import read_two
    from .messages import messages
    from .places import region_lines

    if reference is None or test is None:
        raise ParameterError(f"two files are needed. For example: {EXAMPLE}")
    check_targets(out)
    estimator = DensityAnomaly(
        k, control=control, alpha=alpha, side=side, n_permutations=permutations, clustering=clustering,
        random_state=seed, n_jobs=jobs,
    )  # fmt: skip
    with messages(out.quiet):
        both = read_two((reference, test), items, rows, measure, layout)
        found = estimator.fit(both[0].sample, both[1].sample, exclusion_window=window.window).result_
        deliver(
            found, out, {"reference": both[0].record(), "test": both[1].record()}, [*both[0].files(), *both[1].files()],
            text="\n".join([str(found), *region_lines(found)]), table=FlaggedRows(found), kind=kind,
        )  # fmt: skip
