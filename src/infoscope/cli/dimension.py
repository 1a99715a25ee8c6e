"""``infoscope dimension``: how many degrees of freedom the data have, and at which scale."""

from __future__ import annotations

from typing import Annotated

import typer

from .options import Files, Jobs, Missing, Output, Period, Plot, Quiet, Run, Scale, Seed, Start, Stop, Stride, Style

METHODS = ("gride", "two-nn", "abide")


def dimension(
    context: typer.Context,
    files: Files = None,
    method: Annotated[
        str,
        typer.Option(
            metavar="gride|two-nn|abide",
            help="By scale; from the two nearest neighbours; at the scale where the density is constant.",
        ),
    ] = "gride",
    binary: Annotated[
        bool, typer.Option("--binary", help="The data are bits: how many independent ones are as far apart?")
    ] = False,
    binarize: Annotated[
        str | None, typer.Option(metavar="sign|median|two_bit|NUMBER", help="How numbers become bits (with --binary).")
    ] = None,
    states: Annotated[
        int | None, typer.Option(min=3, metavar="Q", help="Columns hold states 0 to Q - 1, not bits (with --binary).")
    ] = None,
    bits: Annotated[
        int | None, typer.Option(min=1, metavar="N", help="Columns are packed bytes with so many bits (with --binary).")
    ] = None,
    alpha_max: Annotated[
        str,
        typer.Option(metavar="SHARE|auto|scan", help="Pairs to fit: the nearest share; scan: several (with --binary)."),
    ] = "0.4",
    prefix: Annotated[
        str | None,
        typer.Option(metavar="N[,N...]", help="The first N columns, then more: N, 2N, ... or a list (with --binary)."),
    ] = None,
    max_rank: Annotated[int | None, typer.Option(min=2, metavar="N", help="Farthest neighbour (gride).")] = None,
    metric: Annotated[
        str | None, typer.Option(metavar="METRIC", help="euclidean, manhattan, chebyshev, cosine, hamming.")
    ] = None,
    scale: Scale = None,
    period: Period = None,
    start: Start = None,
    stop: Stop = None,
    stride: Stride = None,
    sample_rows: Annotated[
        int | None, typer.Option(min=8, metavar="N", help="Ask only so many random rows (gride, two-nn, --binary).")
    ] = None,
    time: Annotated[
        str | None, typer.Option(metavar="COLUMN|FILE|STEP", help="When a row was seen: correlated rows are thinned.")
    ] = None,
    run: Run = None,
    missing: Missing = "raise",
    seed: Seed = 0,
    jobs: Jobs = None,
    output: Output = None,
    plot: Plot = None,
    style: Style = "screen",
    quiet: Quiet = False,
) -> None:
    """How many degrees of freedom do the data have?

    The answer is the number of variables that locally describe where an item can be, with its error. It depends on the
    scale: noise counts among the nearest neighbours, the shape of the whole among the farthest.

    Of bits (spins, signs of activations, genotypes) distances are whole numbers, which asks for a law of its own:
    --binary.

    Example: infoscope dimension run.csv:'d*' --time 0.5 --plot dimension.png

    Example: infoscope dimension activations.npy --binary --binarize sign --plot bits.png
    """
    from infoscope.base.errors import ParameterError

    from .binary import BinaryOptions
    from .deliver import check_targets, deliver, spelled
    from .inputs.one_data_set import DataOptions, read_data
    from .inputs.parsing import check_word
    from .messages import messages

    asked_bits = BinaryOptions(binarize, states, bits, alpha_max, prefix)
    if binary:
        asked_bits.check(method, max_rank, metric, scale, period)
        metric = "hamming"
    elif given := asked_bits.given():
        raise ParameterError(f"{given} goes with --binary")
    if method not in METHODS:
        raise ParameterError(f"--method is {', '.join(METHODS)}, not '{method}'")
    if method == "abide" and sample_rows is not None:
        raise ParameterError("--sample-rows does not go with abide, which compares every row with its neighbours")
    if method != "gride" and max_rank is not None:
        raise ParameterError(f"--max-rank goes with --method gride, not with {method}")
    check_word(missing, "--missing", ("raise", "drop"))
    targets = check_targets(output, plot, style)
    asked = DataOptions(
        files or [], metric, scale, period or [], time, run, missing=missing, rows=slice(start, stop, stride)
    )
    with messages(quiet) as said:
        data = read_data(asked, "dimension", quiet=quiet)
        if binary:
            result = asked_bits.estimate(data.space, sample_rows, seed, jobs)
        else:
            result = _estimate(data.space, method, max_rank, sample_rows, seed, jobs)
        deliver(result, data, targets, spelled(context.obj), style, said)


def _estimate(space, method: str, max_rank, n_rows, seed: int, n_jobs):
    from infoscope.dimension import ABIDE, Gride, TwoNN

    if method == "abide":
        return ABIDE(n_jobs=n_jobs).fit(space).result_
    if method == "two-nn":
        return TwoNN(n_rows=n_rows, random_state=seed, n_jobs=n_jobs).fit(space).result_
    return Gride(max_rank, n_rows=n_rows, random_state=seed, n_jobs=n_jobs).fit(space).result_
