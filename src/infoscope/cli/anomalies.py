"""``infoscope anomalies``: where two data sets differ, how sure that is, and which rows make the difference."""

from __future__ import annotations

from typing import Annotated, Any, cast

import typer

from .options import Jobs, Missing, Period, Plot, Quiet, Stop, Stride, Style, Texts

TABLES = (".csv", ".parquet")  # of flagged rows; other files hold the result
EXAMPLE = "infoscope anomalies reference.csv test.csv"


def anomalies(
    context: typer.Context,
    reference: Annotated[
        str | None, typer.Argument(metavar="REFERENCE[:COLUMNS]", help="What is known: a file, its columns.")
    ] = None,
    test: Annotated[
        str | None,
        typer.Argument(metavar="TEST[:COLUMNS]", help="What is compared with it. Default: the same columns."),
    ] = None,
    # what is asked
    k: Annotated[
        str, typer.Option("-k", "--k", metavar="N|auto", help="Neighbours of a row. auto: a twentieth, at most 500.")
    ] = "auto",
    control: Annotated[
        str,
        typer.Option(
            metavar="auto|fdr|fdr_by|fwer|fpr",
            help="What --alpha bounds: the share of false flags (fdr, fdr_by under any dependence), the chance of any "
            "(fwer), the rate per row (fpr). auto: fwer with runs or times, else fdr.",
        ),
    ] = "auto",
    alpha: Annotated[float, typer.Option(metavar="LEVEL", help="Level of the control.")] = 0.05,
    side: Annotated[str, typer.Option(metavar="both|over|under", help="More rows in TEST, fewer, or both.")] = "both",
    permutations: Annotated[
        int | None,
        typer.Option(min=0, metavar="N", help="Label permutations, for a p-value of it all. Default: 999 for fwer."),
    ] = None,
    clustering: Annotated[
        str, typer.Option(metavar="components|peaks|hdbscan", help="How flagged rows make regions.")
    ] = "components",
    # how distances are measured
    metric: Annotated[
        str | None, typer.Option(metavar="METRIC", help="euclidean, manhattan, chebyshev, cosine.")
    ] = None,
    scale: Annotated[
        str | None,
        typer.Option(metavar="standard|none", help="Divide columns by their standard deviation in REFERENCE."),
    ] = None,
    period: Period = None,
    # which rows, and what is known of them
    start: Annotated[int | None, typer.Option(min=0, metavar="N", help="First row of both files.")] = None,
    stop: Stop = None,
    stride: Stride = None,
    time: Annotated[
        str | None, typer.Option(metavar="COLUMN|STEP", help="When a row was seen: correlated rows go together.")
    ] = None,
    run: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="Which run (trajectory, batch, subject) a row is of.")
    ] = None,
    ids: Annotated[str | None, typer.Option(metavar="COLUMN", help="Names of the rows.")] = None,
    missing: Missing = "raise",
    # what comes out
    output: Annotated[
        Texts,
        typer.Option(metavar="FILE", help="Flagged rows: .csv, .parquet. The result: .json (for rerun), .npz (whole)."),
    ] = None,
    plot: Plot = None,
    kind: Annotated[
        str, typer.Option(metavar="scores|pairs|scan|regions|p_values|histogram|permutations", help="Of the picture.")
    ] = "scores",
    style: Style = "screen",
    quiet: Quiet = False,
    # how it is computed
    seed: Annotated[int, typer.Option(min=0, metavar="N", help="Of permutations.")] = 0,
    jobs: Jobs = None,
) -> None:
    """What changed between two data sets?

    Around every row the labels REFERENCE and TEST of its neighbours are coin flips where nothing changed. Rows that
    stand out of their exact law are flagged, and joined to regions with the number of rows beyond what is expected.

    Example: infoscope anomalies simulated.csv measured.csv --scale standard --output flagged.csv --plot regions.png
    """
    from infoscope.anomalies import Anomalies, DensityAnomaly
    from infoscope.base.checks import check_choice
    from infoscope.base.errors import ParameterError
    from infoscope.base.pictures import pictures_of
    from infoscope.io import write_result

    from .deliver import check_targets, deliver, save_picture, spelled
    from .flagged_rows import FlaggedRows, flagged_rows, places
    from .inputs.item_columns import ItemOptions
    from .inputs.parsing import check_word
    from .inputs.two_data_sets import Measure, read_both
    from .messages import messages

    if reference is None or test is None:
        raise ParameterError(f"two files are needed. For example: {EXAMPLE}")
    check_word(missing, "--missing", ("raise", "drop"))
    outputs, picture = check_targets(output, plot, style)
    if picture is not None:
        check_choice(kind, "--kind", tuple(pictures_of(Anomalies)))
    items = ItemOptions(time=time, run=run, ids=ids)
    estimator = DensityAnomaly(
        k if k == "auto" else _number(k), control=control, alpha=alpha, side=side, n_permutations=permutations,
        clustering=clustering, random_state=seed, n_jobs=jobs,
    )  # fmt: skip
    with messages(quiet) as said:
        how = Measure(metric, scale, period or [])
        first, second = read_both((reference, test), items, slice(start, stop, stride), missing, how, quiet=quiet)
        found = estimator.fit(first.space, second.space).result_
        record = {"reference": first.record(), "test": second.record()}
        whole = [path for path in outputs if path.suffix.lower() not in TABLES]
        text = "\n".join([str(found), *places(found)])
        both, command = first.with_files_of(second), spelled(context.obj)
        deliver(found, both, (whole, None), command, style, said, text=text, record=record)
        for path in outputs:
            if path not in whole:
                rows = flagged_rows(found, first.gathered, second.gathered)
                write_result(cast(Any, FlaggedRows(rows)), path)
                typer.echo(f"{len(rows)} flagged rows: {path}")
        if picture is not None:
            save_picture(found, picture, style=style, kind=kind)
            typer.echo(f"picture: {picture}")


def _number(text: str) -> int:
    from infoscope.base.errors import ParameterError

    if not text.isdecimal() or int(text) < 1:
        raise ParameterError(f"-k is a number of neighbours, or 'auto', not '{text}'")
    return int(text)
