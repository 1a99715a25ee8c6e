"""``infoscope drift``: which columns changed between two data sets, by how much, and whether it is noise."""

from __future__ import annotations

from typing import Annotated

import typer

from .options import Delivery, Items, Jobs, Layout, Measure, Rows, Seed, Texts, Window, count, value, with_groups, word

EXAMPLE = "infoscope drift reference.csv test.csv"


@with_groups
def drift(
    reference: Annotated[
        str | None, typer.Argument(metavar="REFERENCE[:COLUMNS]", help="What is known: a file, its columns.")
    ] = None,
    test: Annotated[
        str | None,
        typer.Argument(metavar="TEST[:COLUMNS]", help="What is compared with it. Default: the same columns."),
    ] = None,
    *,
    bins: Annotated[int, count(2, "Quantile bins of a column of numbers; text has one for each word.")] = 10,
    permutations: Annotated[int, count(0, "Label permutations of the joint test.")] = 200,
    adjust: Annotated[
        str, word("bh|by|holm|bonferroni", "How p-values are adjusted for the number of columns. bh: false discovery.")
    ] = "bh",
    alpha: Annotated[float, value("LEVEL", "Adjusted p-value up to which a column drifted.")] = 0.05,
    period: Annotated[Texts, value("[COLUMNS=]VALUE", "Period of columns: phi=360deg, 2pi.")] = None,
    layout: Layout,
    rows: Annotated[Rows, {"start": "First row of both files."}],
    items: Annotated[
        Items, {"time": "When a row was seen, or time between rows: correlated ones go together; none: not known."}
    ],
    window: Annotated[
        Window,
        {
            "window": "Length in time of the blocks of rows that go together; 0: rows are in no order. Default: whole "
            "runs, or twelve correlation times."
        },
    ],
    out: Delivery,
    kind: Annotated[str, word("table|shares|direction|null", "Of the picture.")] = "table",
    column: Annotated[str | None, value("COLUMN", "Of which the picture shows the shares.")] = None,
    seed: Seed = 0,
    jobs: Jobs = None,
) -> None:
    """Which columns changed, and is it noise?

    Every column that both files have is cut into bins (quantiles of REFERENCE, words of text), and the shares of the
    bins are compared: the stability index (PSI) with its error and p-value. All numbers together are compared along
    many directions. P-values are adjusted for their number.

    Example: infoscope drift january.csv june.csv --plot drift.png
    """
    from infoscope.base.errors import ParameterError
    from infoscope.measures import drift_table

    from .deliver import check_targets, deliver
    from .inputs.data_sets import read_two_tables
    from .messages import messages

    if reference is None or test is None:
        raise ParameterError(f"two files are needed. For example: {EXAMPLE}")
    if column is not None and kind != "shares":
        raise ParameterError("--column says whose shares are drawn: it goes with --kind shares")
    check_targets(out)
    with messages(out.quiet):
        both, categories = read_two_tables((reference, test), items, rows, Measure(period=period), layout)
        found = drift_table(
            both[0].sample, both[1].sample, categories=categories, n_bins=bins, missing="bin",
            n_permutations=permutations, adjust=adjust, alpha=alpha, exclusion_window=window.window, random_state=seed,
            n_jobs=jobs,
        )  # fmt: skip
        picture = {"kind": kind} | ({"feature": column} if column is not None else {})
        deliver(
            found, out, {"reference": both[0].record(), "test": both[1].record()}, [*both[0].files(), *both[1].files()],
            **picture,
        )  # fmt: skip
