"""``infoscope density``: where the data is dense, the free energy there, and the states it visits."""

from __future__ import annotations

from typing import Annotated

import typer

Texts = list[str] | None
METHODS = ("pak", "k-star", "knn")


def density(
    context: typer.Context,
    files: Annotated[
        Texts, typer.Argument(metavar="FILE[:COLUMNS]...", help="The data; several files are runs of one trajectory.")
    ] = None,
    states: Annotated[
        bool, typer.Option("--states", help="Significant peaks of the density, their populations and barriers.")
    ] = False,
    temperature: Annotated[float, typer.Option(metavar="KELVIN", help="For free energies.")] = 300.0,
    units: Annotated[str, typer.Option(metavar="kJ/mol|kcal/mol|kT", help="Of free energies and barriers.")] = "kT",
    significance: Annotated[
        float,
        typer.Option("--z", min=0.0, metavar="Z", help="Standard errors by which a peak must stand out (states)."),
    ] = 1.65,
    halo: Annotated[
        bool, typer.Option("--halo", help="Items below the saddles of their state get none (states).")
    ] = False,
    method: Annotated[
        str,
        typer.Option(
            metavar="pak|k-star|knn",
            help="As many neighbours as the density allows, with or without a slope; ten neighbours.",
        ),
    ] = "pak",
    dimension: Annotated[
        float | None, typer.Option(metavar="D", help="Intrinsic dimension. Default: estimated by ABIDE.")
    ] = None,
    neighbors: Annotated[
        int, typer.Option(min=4, metavar="N", help="The most neighbours a point may have (pak, k-star).")
    ] = 100,
    metric: Annotated[
        str | None, typer.Option(metavar="METRIC", help="euclidean, manhattan, chebyshev, cosine.")
    ] = None,
    scale: Annotated[
        str | None, typer.Option(metavar="standard|none", help="Divide columns by their standard deviation.")
    ] = None,
    period: Annotated[
        Texts, typer.Option(metavar="[COLUMNS=]VALUE", help="Period of columns: phi=360deg, 2pi.")
    ] = None,
    start: Annotated[int | None, typer.Option(min=0, metavar="N", help="First row.")] = None,
    stop: Annotated[int | None, typer.Option(min=0, metavar="N", help="Row to stop before.")] = None,
    stride: Annotated[int | None, typer.Option(min=1, metavar="N", help="Use every n-th row.")] = None,
    weights: Annotated[str | None, typer.Option(metavar="COLUMN|FILE", help="Statistical weights of the rows.")] = None,
    time: Annotated[str | None, typer.Option(metavar="COLUMN|FILE|STEP", help="When a row was seen.")] = None,
    run: Annotated[str | None, typer.Option(metavar="COLUMN|FILE", help="Which run a row is of.")] = None,
    missing: Annotated[str, typer.Option(metavar="raise|drop", help="Rows with missing values.")] = "raise",
    jobs: Annotated[int | None, typer.Option(metavar="N", help="Threads. Default: all it may use.")] = None,
    output: Annotated[Texts, typer.Option(metavar="FILE", help="Save: .json, .npz (whole), .csv, .parquet.")] = None,
    plot: Annotated[str | None, typer.Option(metavar="FILE", help="Save a picture: .png, .svg, .pdf.")] = None,
    style: Annotated[str, typer.Option(metavar="screen|paper", help="Of the picture.")] = "screen",
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No hints and no progress.")] = False,
) -> None:
    """Where is the data dense, and which states does it visit?

    The answer is the log density (the free energy) at every item with its error; with --states, the peaks that stand
    out of the error, their populations, and the barriers between them.

    Example: infoscope density torsions.csv:phi,psi --period 2pi --states --units kJ/mol --plot states.png
    """
    from infoscope.base.checks import check_choice
    from infoscope.base.errors import ParameterError
    from infoscope.cli.one_space import DataOptions, check_targets, deliver, read_data, spelled
    from infoscope.cli.options import check_word
    from infoscope.cli.show import messages
    from infoscope.density.results import energy_unit

    check_choice(method, "--method", METHODS)
    check_word(missing, "--missing", ("raise", "drop"))
    energy_unit(temperature, units)
    if halo and not states:
        raise ParameterError("--halo goes with --states")
    targets = check_targets(output, plot, style)
    asked = DataOptions(
        files or [],
        metric,
        scale,
        period or [],
        time,
        run,
        weights=weights,
        missing=missing,
        rows=slice(start, stop, stride),
    )
    with messages(quiet) as said:
        data = read_data(asked, "density", quiet=quiet)
        found = _estimator(method, dimension, neighbors, jobs).fit(data.space)
        result = _states(found, significance, halo) if states else found.result_
        deliver(result.with_units(units, temperature), data, targets, spelled(context.obj), style, said)


def _estimator(method: str, dimension, n_neighbors: int, n_jobs):
    from infoscope.density import KNNDensity, KStarNN, PAk

    if method == "knn":
        return KNNDensity(dimension=dimension, n_jobs=n_jobs)
    kind = PAk if method == "pak" else KStarNN
    return kind(n_neighbors=n_neighbors, dimension=dimension, n_jobs=n_jobs)


def _states(found, significance: float, halo: bool):
    from infoscope.density import DensityPeaks

    return DensityPeaks(significance, halo=halo).fit(found).result_
