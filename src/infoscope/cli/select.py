"""``infoscope select``: which few columns carry the information of a target, and in which proportion."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

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
    Seed,
    Start,
    Stop,
    Stride,
    Style,
    Texts,
    Time,
    Weights,
)

if TYPE_CHECKING:
    from infoscope.imbalance import FeatureWeights
    from infoscope.imbalance.selection.results import SelectionPath

    from .inputs.target import TargetedData

METHODS = ("weights", "forward", "backward", "exhaustive")
SHOWN = 30  # weights that are printed


def select(
    context: typer.Context,
    files: Files = None,
    target: Annotated[
        Texts,
        typer.Option(metavar="COLUMNS|FILE[:COLUMNS]", help="What the columns should tell about, for the same rows."),
    ] = None,
    labels: Annotated[str | None, typer.Option(metavar="COLUMN|FILE", help="Classes as the target.")] = None,
    size: Annotated[
        str | None, typer.Option(metavar="N|auto", help="How many columns. auto: as few as suffice.")
    ] = None,
    method: Annotated[
        str,
        typer.Option(
            metavar="weights|forward|backward|exhaustive",
            help="Weights of all columns at once; columns added or removed one by one; all sets.",
        ),
    ] = "weights",
    groups: Annotated[
        Texts, typer.Option(metavar="[NAME=]COLUMNS", help="Columns that share a weight: 'mean*'. May be repeated.")
    ] = None,
    k: Annotated[
        int | None, typer.Option("-k", "--k", metavar="N", help="Neighbours per row. Default: one in 100 rows.")
    ] = None,
    bandwidth: Annotated[
        str, typer.Option(metavar="point|global|gap", help="How far a row looks: to its own neighbours, or as all do.")
    ] = "point",
    batch_size: Annotated[
        int | None, typer.Option(metavar="N", help="Fit on random batches of rows, where all pairs are too many.")
    ] = None,
    resamples: Annotated[
        int, typer.Option(min=0, metavar="N", help="Random halves of the rows behind the intervals.")
    ] = 0,
    validation: Annotated[
        str | None, typer.Option(metavar="SHARE|runs", help="Judge on rows that had no part in the choice.")
    ] = None,
    metric: Annotated[str | None, typer.Option(metavar="METRIC", help="Of the target: manhattan, rmsd, ...")] = None,
    scale: Annotated[
        str | None, typer.Option(metavar="standard|none", help="Of the target. The data are always standardised.")
    ] = None,
    period: Period = None,
    start: Start = None,
    stop: Stop = None,
    stride: Stride = None,
    time: Time = None,
    run: Run = None,
    window: Annotated[
        str | None, typer.Option(metavar="auto|VALUE", help="Rows of a run closer in time are no neighbours.")
    ] = None,
    other_runs: Annotated[bool, typer.Option("--other-runs", help="Neighbours come from other runs only.")] = False,
    weights: Weights = None,
    log_weights: Annotated[
        str | None, typer.Option(metavar="COLUMN[,COLUMN]", help="Bias: weights are exp(sum of columns / kT).")
    ] = None,
    kT: Annotated[
        str | None,
        typer.Option("--kT", metavar="VALUE", help="In the unit of the bias, or 300K for kJ/mol. Default: 1."),
    ] = None,
    join: Annotated[
        str, typer.Option(metavar="runs|one", help="Several files: runs of their own (default), or parts of one.")
    ] = "runs",
    missing: Missing = "raise",
    seed: Seed = 0,
    jobs: Jobs = None,
    output: Output = None,
    plot: Plot = None,
    style: Style = "screen",
    quiet: Quiet = False,
) -> None:
    """Which few columns carry the information of a target, and in which proportion?

    Finds weights with which neighbours in the columns are neighbours in the target. Columns that do not help get weight
    0; units do not matter. The picture shows the weights, or with --size what every further column brings.

    Example: infoscope select cells.csv --labels diagnosis --size auto --resamples 50 --plot selection.png
    """
    from infoscope.base.errors import ParameterError

    from .deliver import check_targets, deliver, spelled
    from .inputs.one_data_set import DataOptions
    from .inputs.parsing import check_word, parse_window
    from .inputs.target import TargetOptions, read_with_target, record_of
    from .messages import messages

    if method not in METHODS:
        raise ParameterError(f"--method is {', '.join(METHODS)}, not '{method}'")
    check_word(missing, "--missing", ("raise", "drop"))
    asked = _Asked(method, _size(size), groups or [], resamples, _validation(validation), seed, batch_size)
    common = {
        "k": k,
        "bandwidth": check_word(bandwidth, "--bandwidth", ("point", "global", "gap")),
        "exclusion_window": parse_window(window),
        "neighbors_from": "other_runs" if other_runs else None,
        "n_jobs": jobs,
    }
    if batch_size is not None and asked.searches:
        raise ParameterError("--batch-size fits the weights of all columns: leave out --size and --method")
    targets = check_targets(output, plot, style)
    options = DataOptions(
        files or [],
        period=period or [],
        time=time,
        run=run,
        weights=weights,
        missing=missing,
        rows=slice(start, stop, stride),
        log_weights=log_weights,
        kT=kT,
        join=join,
    )
    with messages(quiet) as said:
        data = read_with_target(options, TargetOptions(target or [], labels, metric, scale), "select", quiet=quiet)
        if other_runs and "run" not in data.gathered.shared:
            raise ParameterError("--other-runs needs runs: --run COLUMN, or several files")
        path, result = _answer(data, asked, common)
        record = record_of(data)
        if path is not None:
            record["selection"] = path.to_frame()[["size", "features", "value", "value_se"]].to_dict("records")
        text = _told(data, path, result, fixed=isinstance(asked.size, int), hints=not quiet)
        deliver(result, data, targets, spelled(context.obj), style, said, text=text, record=record, drawn=path)


@dataclass(frozen=True)
class _Asked:
    """What is to be selected, as the options say it."""

    method: str
    size: int | str | None
    groups: list[str]
    n_resamples: int
    validation: float | str | None
    seed: int
    batch_size: int | None

    @property
    def searches(self) -> bool:
        return self.method != "weights" or self.size is not None


# ---------------------------------------------------------------------------------------------------------- selection
def _answer(data: TargetedData, asked: _Asked, common: dict[str, Any]) -> tuple[SelectionPath | None, FeatureWeights]:
    """The path of sets, where one was walked, and the weights of the columns that were chosen."""
    from infoscope.imbalance import DifferentiableImbalance
    from infoscope.imbalance.dii.objective import columns_of

    groups = group_labels(asked.groups, data.gathered.spaces[0].names)
    fit = {**common, "n_resamples": asked.n_resamples, "random_state": asked.seed}
    if not asked.searches:
        estimator = DifferentiableImbalance(
            groups=groups, validation=asked.validation, batch_size=asked.batch_size, **fit
        )
        return None, estimator.fit(data.space, data.target).result_
    path = _search(data, asked, {**common, "groups": groups, "validation": asked.validation})
    size = path.suggested_size if asked.size in (None, "auto") else int(asked.size or 0)
    columns = path.columns_of(size)
    row = path.sizes.tolist().index(size)
    kept = None if groups is None else [groups[a] for a in columns]
    estimator = DifferentiableImbalance(groups=kept, init=path.weights[row][columns], **fit)
    return path, estimator.fit(columns_of(data.space, columns), data.target).result_


def _search(data: TargetedData, asked: _Asked, options: dict[str, Any]) -> SelectionPath:
    from infoscope.imbalance import selection

    options["random_state"] = asked.seed
    number = asked.size if isinstance(asked.size, int) else None
    if asked.method == "weights":
        return selection.dii_path(data.space, data.target, **options)
    if asked.method == "exhaustive":
        return selection.dii_exhaustive(data.space, data.target, number or 2, **options)
    search = selection.dii_forward if asked.method == "forward" else selection.dii_backward
    return search(data.space, data.target, number, **options)


def group_labels(texts: list[str], names: tuple[str, ...]) -> list[str] | None:
    """The group of every column; a column in none is one by itself.

    Examples
    --------
    >>> from infoscope.cli.select import group_labels
    >>> group_labels(["angles=p*"], ("phi", "psi", "energy"))
    ['angles', 'angles', 'energy']
    """
    from infoscope.base.errors import ParameterError
    from infoscope.io import parse_columns

    if not texts:
        return None
    labels: dict[int, str] = {}
    for text in texts:
        name, equals, expression = text.partition("=")
        name, expression = (name, expression) if equals and text not in names else (text, text)
        try:
            positions = parse_columns(expression, names)
        except ParameterError as error:
            raise ParameterError(f"--groups {text}: {error}") from error
        twice = next((p for p in positions if p in labels), None)
        if twice is not None:
            raise ParameterError(f"--groups {text}: column {names[twice]} is in the group {labels[twice]} already")
        labels |= dict.fromkeys(positions, name)
    return [labels.get(position, name) for position, name in enumerate(names)]


# --------------------------------------------------------------------------------------------------------------- words
def _told(data: TargetedData, path: SelectionPath | None, result: FeatureWeights, *, fixed: bool, hints: bool) -> str:
    """Sizes, weights, value and certificate, with a sentence in the end."""
    lines = [] if path is None else _sizes(path)
    lines += [result._title, *_table(result), ""]
    lines.append(f"  DII {result._shown(result.dii, result.dii_se)} (0: neighbours are kept, 1: by chance)")
    floor = label_floor(data.target)
    if floor is not None:
        lines.append(f"  with labels it cannot be lower than {floor:.3f}: items of one class are all equally near")
    if result.validation_dii is not None:
        held = result._shown(result.validation_dii, result.validation_dii_se)
        lines.append(f"  DII {held} on rows that had no part in the fit")
    lines.append(f"  certificate: {certificate(result)}")
    lines += [f"  {note}" for note in result.notes]
    if path is None:
        size = len(result.support)
        lines.append(f"  size: {size} of {len(result.names)} columns have a weight above 0")
    lines += ["", result.verdict if path is None or fixed else path.verdict]
    if hints and result.standard_weights_se is None:
        lines.append("hint: --resamples 50 gives the weights their intervals")
    if hints and path is None:
        lines.append("hint: --size auto asks whether fewer columns suffice")
    return "\n".join(lines)


def certificate(result: FeatureWeights) -> str:
    """What the slopes at the weights prove.

    The slope is the derivative of the DII by a squared standardised weight.
    """
    slope = f"largest slope {result.kkt_violation:.1e}"
    if not result.converged:
        return f"none, the iterations ended before a minimum was reached ({slope})"
    if result.kkt_violation <= 1e-5:
        return f"a minimum, no change of a weight lowers the value ({slope})"
    if result.kkt_violation <= 1e-2:
        return f"a minimum to the accuracy of the fit ({slope}: far below what the error of the value can tell)"
    return f"none, a change of a weight may still lower the value ({slope})"


def label_floor(target: Any) -> float | None:
    """The lowest value that labels allow, the sum of the squared shares of the classes; None for other targets."""
    import numpy as np

    if target.metric != "labels":
        return None
    _, classes = np.unique(np.asarray(target.features).reshape(-1), return_inverse=True)
    shares = np.bincount(classes, weights=target.sample_weight)
    return float(((shares / shares.sum()) ** 2).sum())


def _sizes(path: SelectionPath) -> list[str]:
    """The value of every size; the suggested one is marked."""
    from infoscope.base import format_estimate

    lines = [path._title]
    held, held_se = path.validation_value, path.validation_value_se
    for row, size in enumerate(path.sizes):
        mark = "*" if size == path.suggested_size else " "
        text = f"{mark} {size:>3}  {path._shown(float(path.value[row]), float(path.value_se[row])):<15}"
        if held is not None and held_se is not None:
            text += f"  held out {format_estimate(float(held[row]), float(held_se[row])):<15}"
        names = path.chosen(int(size))
        more = f" and {len(names) - 6} more" if len(names) > 6 else ""
        lines.append(f"{text}  {', '.join(names[:6])}{more}")
    lines += [f"  * suggested size, of those above: {path.suggested_size}, {path.rule}", ""]
    return lines


def _table(result: FeatureWeights) -> list[str]:
    """Weights in units of standard deviations and of the columns, the largest first."""
    intervals = result.standard_weights_low is not None and result.standard_weights_high is not None
    width = max(6, *(len(result.names[a]) for a in result.support[:SHOWN]))
    head = f"  {'column':<{width}}  standardised" + ("  95 % interval   positive in" if intervals else "")
    lines = [f"{head}  in its own unit"]
    for a in result.support[:SHOWN]:
        text = f"  {result.names[a]:<{width}}  {result.standard_weights[a]:>12.3f}"
        if intervals:
            low, high = result.standard_weights_low[a], result.standard_weights_high[a]  # type: ignore[index]
            text += f"  {low:.3f} to {high:.3f}  {result.positive_share[a]:>10.0%}"  # type: ignore[index]
        lines.append(f"{text}  {result.weights[a]:>15.4g}")
    if len(result.support) > SHOWN:
        lines.append(f"  ... and {len(result.support) - SHOWN} more")
    zeros = [name for name, w in zip(result.names, result.weights, strict=True) if w == 0]
    if zeros:
        more = f", ... ({len(zeros)} columns)" if len(zeros) > 8 else ""
        lines.append(f"  {', '.join(zeros[:8])}{more}: 0")
    return lines


# ------------------------------------------------------------------------------------------------------------- options
def _size(text: str | None) -> int | str | None:
    from infoscope.base.errors import ParameterError

    if text is None or text == "auto":
        return text
    if not text.isdecimal() or int(text) < 1:
        raise ParameterError(f"--size is 'auto' or a number of columns of at least 1, not '{text}'")
    return int(text)


def _validation(text: str | None) -> float | str | None:
    from infoscope.base.errors import ParameterError

    from .inputs.parsing import as_number

    if text is None or text == "runs":
        return text
    share = as_number(text)
    if share is None or not 0 < share < 1:
        raise ParameterError(f"--validation is 'runs' or a share of the rows between 0 and 1, not '{text}'")
    return share
