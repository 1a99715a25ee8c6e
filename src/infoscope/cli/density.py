"""``infoscope density``: where the data is dense, the free energy there, and the states it visits."""

from __future__ import annotations

from typing import Annotated

import typer

from .options import (
    Files,
    Jobs,
    Missing,
    Output,
    Period,
    Plot,
    Quiet,
    Run,
    Scale,
    Start,
    Stop,
    Stride,
    Style,
    Time,
    Weights,
)

METHODS = ("pak", "bmti", "k-star", "knn")


def density(
    context: typer.Context,
    files: Files = None,
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
            metavar="pak|bmti|k-star|knn",
            help="Each item by itself, with a slope (pak) or without (k-star); all differences together (bmti), "
            "smoother, and better from four dimensions on; ten neighbours (knn).",
        ),
    ] = "pak",
    dimension: Annotated[
        float | None, typer.Option(metavar="D", help="Intrinsic dimension. Default: estimated by ABIDE.")
    ] = None,
    neighbors: Annotated[
        str, typer.Option(metavar="N|auto", help="The most neighbours a point may have (all but knn).")
    ] = "auto",
    metric: Annotated[
        str | None, typer.Option(metavar="METRIC", help="euclidean, manhattan, chebyshev, cosine.")
    ] = None,
    scale: Scale = None,
    period: Period = None,
    start: Start = None,
    stop: Stop = None,
    stride: Stride = None,
    weights: Weights = None,
    bias: Annotated[
        str | None,
        typer.Option(
            metavar="COLUMN|FILE", help="Bias potential of the rows, in --units: better than weights from it."
        ),
    ] = None,
    time: Time = None,
    run: Run = None,
    missing: Missing = "raise",
    jobs: Jobs = None,
    output: Output = None,
    plot: Plot = None,
    style: Style = "screen",
    quiet: Quiet = False,
) -> None:
    """Where is the data dense, and which states does it visit?

    The answer is the log density (the free energy) at every item with its error; with --states, the peaks that stand
    out of the error, their populations, and the barriers between them.

    Example: infoscope density COLVAR:phi,psi --bias metad.bias --states --units kJ/mol --plot states.png
    """
    from infoscope.base.checks import check_choice
    from infoscope.base.errors import ParameterError, warn
    from infoscope.statistics.units import energy_unit

    from .deliver import check_targets, deliver, spelled
    from .inputs.one_data_set import DataOptions, read_data
    from .inputs.parsing import check_word
    from .messages import messages

    check_choice(method, "--method", METHODS)
    check_word(missing, "--missing", ("raise", "drop"))
    kt = energy_unit(temperature, units)
    most = _most_neighbors(neighbors)
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
        bias=bias,
        missing=missing,
        rows=slice(start, stop, stride),
    )
    with messages(quiet) as said:
        if bias is not None and units == "kT" and bias.endswith((".bias", ".rbias")):
            warn(f"--bias {bias} is taken in kT; by its name it is PLUMED's, in kJ/mol: add --units kJ/mol")
        data = read_data(asked, "density", quiet=quiet)
        potential = data.gathered.potential
        # whether a peak is real is asked of the noise alone, as DensityPeaks does
        found = _estimator(method, dimension, most, jobs, calibrate=not states).fit(
            data.space, bias=None if potential is None else potential / kt
        )
        result = _states(found, significance, halo) if states else found.result_
        deliver(result.with_units(units, temperature), data, targets, spelled(context.obj), style, said)


def _most_neighbors(text: str) -> int | str:
    from infoscope.base.errors import ParameterError

    if text == "auto":
        return text
    if not text.isdecimal() or int(text) < 4:
        raise ParameterError(f"--neighbors is a number of at least 4, or 'auto', not '{text}'")
    return int(text)


def _estimator(method: str, dimension, n_neighbors, n_jobs, calibrate: bool):
    from infoscope.density import BMTI, KNNDensity, KStarNN, PAk

    if method == "knn":
        return KNNDensity(dimension=dimension, calibrate=calibrate, n_jobs=n_jobs)
    kind = {"pak": PAk, "bmti": BMTI, "k-star": KStarNN}[method]
    return kind(n_neighbors=n_neighbors, dimension=dimension, calibrate=calibrate, n_jobs=n_jobs)


def _states(found, significance: float, halo: bool):
    from infoscope.density import DensityPeaks

    return DensityPeaks(significance, halo=halo).fit(found).result_
