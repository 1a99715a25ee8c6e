"""``infoscope select``: which few columns carry the information of a target, and in which proportion."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

from .options import (
    Delivery,
    Files,
    Items,
    Jobs,
    Layout,
    Measure,
    Neighbors,
    Rows,
    Seed,
    Target,
    Texts,
    count,
    value,
    with_groups,
    word,
)

if TYPE_CHECKING:
    from infoscope.imbalance import FeatureWeights
    from infoscope.imbalance.selection.results import SelectionPath

    from .inputs.target import TargetedData

SHOWN = 30  # weights that are printed
SMALL_STEP = 0.1  # of the error of the value: less than this no data can tell


@dataclass(frozen=True)
class Search:
    """What is selected, and how."""

    size: Annotated[
        int | str | None,
        word(
            "auto",
            "How many columns. auto: as few as suffice.",
            metavar="N",
            or_else="a number of columns of at least 1",
            of=int,
            holds=lambda number: number >= 1,
        ),
    ] = None
    method: Annotated[
        str,
        word(
            "weights|forward|backward|exhaustive",
            "Weights of all columns at once; columns added or removed one by one; all sets.",
        ),
    ] = "weights"
    groups: Annotated[Texts, value("[NAME=]COLUMNS", "Columns that share a weight: 'mean*'. May be repeated.")] = None
    k: Annotated[int | None, value("N", "Neighbours per row. Default: one in 100 rows.", "-k", "--k")] = None
    bandwidth: Annotated[str, word("point|global|gap", "How far a row looks: to its own neighbours, or as all do.")] = (
        "point"
    )
    batch_size: Annotated[int | None, value("N", "Fit on random batches of rows, where all pairs are too many.")] = None
    resamples: Annotated[int, count(0, "Random halves of the rows behind the intervals.")] = 0
    validation: Annotated[
        float | str | None,
        word(
            "runs",
            "Judge on rows that had no part in the choice.",
            metavar="SHARE",
            or_else="a share of the rows between 0 and 1",
            holds=lambda share: 0 < share < 1,
        ),
    ] = None

    resume: Annotated[
        str | None, value("FILE", "Keep what the search of sizes found so far; after a kill go on from there.")
    ] = None

    @property
    def of_sizes(self) -> bool:
        """Whether sets of several sizes are looked at."""
        return self.method != "weights" or self.size is not None


@with_groups
def select(
    files: Files = None,
    *,
    target: Target,
    search: Search,
    measure: Annotated[
        Measure,
        {"metric": "Of the target: manhattan, rmsd, ...", "scale": "Of the target. The data are always standardised."},
    ],
    layout: Layout,
    rows: Rows,
    items: Items,
    window: Annotated[
        Neighbors, {"window": "Rows of a run closer in time are no neighbours. Default: auto with times."}
    ],
    out: Delivery,
    seed: Seed = 0,
    jobs: Jobs = None,
) -> None:
    """Which few columns carry the information of a target, and in which proportion?

    Finds weights with which neighbours in the columns are neighbours in the target. Columns that do not help get weight
    0; units do not matter. The picture shows the weights, or with --size what every further column brings.

    Example: infoscope select cells.csv --labels diagnosis --size auto --resamples 50 --plot selection.png
    """
    from infoscope.base.errors import ParameterError

    from .deliver import check_targets, deliver
    from .inputs.data_sets import neighbor_rule
    from .inputs.target import read_with_target
    from .messages import messages

    if search.batch_size is not None and search.of_sizes:
        raise ParameterError("--batch-size fits the weights of all columns: leave out --size and --method")
    if search.resume is not None and not search.of_sizes:
        raise ParameterError("--resume goes with a search of sizes: --size auto, or another --method than weights")
    check_targets(out)
    with messages(out.quiet):
        data = read_with_target(files, target, items, rows, measure, layout, "select")
        options = {"k": search.k, "bandwidth": search.bandwidth, "random_state": seed, "n_jobs": jobs}
        path, result = _answer(data, search, options | neighbor_rule(window, data))
        record = data.record()
        if path is not None:
            record["selection"] = path.to_frame()[["size", "features", "value", "value_se"]].to_dict("records")
        text = _describe(data, path, result, fixed=isinstance(search.size, int), hints=not out.quiet)
        deliver(result, out, record, data.files(), text=text, drawn=path)


# ---------------------------------------------------------------------------------------------------------- selection
def _answer(data: TargetedData, asked: Search, options: dict[str, Any]) -> tuple[SelectionPath | None, FeatureWeights]:
    """The path of sets, where one was walked, and the weights of the columns that were chosen."""
    from infoscope.imbalance import DifferentiableImbalance, dii_backward
    from infoscope.imbalance.dii.objective import columns_of

    from .messages import note

    groups = group_labels(asked.groups or [], data.space.feature_names or ())
    fit = {**options, "n_resamples": asked.resamples}
    if not asked.of_sizes:
        held = {"validation": asked.validation, "batch_size": asked.batch_size, "groups": groups}
        return None, DifferentiableImbalance(**held, **fit).fit(data.space, data.target).result_
    searched = {"groups": groups, "validation": asked.validation, "checkpoint": asked.resume}
    path = _search(data, asked, options | searched)
    size = path.suggested_size if asked.size in (None, "auto") else int(asked.size or 0)
    if size not in path.sizes:  # a penalty leaps over sizes, and leaves out what does not help
        note(f"no penalty leaves {size} features: features were removed one by one, as with --method backward")
        path = dii_backward(data.space, data.target, size, **(options | searched | {"checkpoint": None}))
    if size not in path.sizes:  # more than help: the others have weight zero in a set of that size
        found = int(path.sizes[path.sizes <= size].max())
        note(f"of {size} features only {found} get a weight above 0")
        size = found
    columns = path.columns_of(size)
    row = path.sizes.tolist().index(size)
    kept = None if groups is None else [groups[a] for a in columns]
    estimator = DifferentiableImbalance(groups=kept, init=path.weights[row][columns], **fit)
    return path, estimator.fit(columns_of(data.space, columns), data.target).result_


def _search(data: TargetedData, asked: Search, options: dict[str, Any]) -> SelectionPath:
    from infoscope.imbalance import selection

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
def _describe(
    data: TargetedData, path: SelectionPath | None, result: FeatureWeights, *, fixed: bool, hints: bool
) -> str:
    """Sizes, weights, value and certificate, with a sentence in the end."""
    lines = [] if path is None else _sizes(path)
    lines += [result._title, *_table(result), ""]
    lines.append(f"  DII {result._format(result.dii, result.dii_se)} (0: neighbours are kept, 1: by chance)")
    floor = label_floor(data.target)
    if floor is not None:
        lines.append(f"  with labels it cannot be lower than {floor:.3f}: items of one class are all equally near")
    if result.validation_dii is not None:
        held = result._format(result.validation_dii, result.validation_dii_se)
        lines.append(f"  DII {held} on rows that had no part in the fit")
    lines.append(f"  certificate: {certificate(result)}")
    lines += [f"  {note}" for note in result.notes]
    if path is None:
        size = len(result.support)
        lines.append(f"  size: {size} of {len(result.names)} columns have a weight above 0")
    lines += ["", result.verdict if path is None or fixed else path.verdict]
    if hints and result.standard_weights_se is None:
        lines.append("hint: --resamples 50 gives the weights their intervals, and tests which columns are needed")
    if hints and path is not None and path.validation_value is None and not fixed:
        lines.append("hint: --validation 0.3 compares the sizes on rows that did not choose the columns")
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
    if result.step_decrease is None:
        return f"none, a change of a weight may still lower the value ({slope})"
    if result.step_decrease <= SMALL_STEP * result.dii_se:
        most = f"no step of one weight lowers the value by more than {result.step_decrease:.1e}"
        return f"a minimum to the accuracy of the fit ({slope}, but only over weights too small to matter: {most})"
    changed = f"{result.step_column} at a weight of {result.step_weight:.1g}"
    return f"none, {changed} lowers the value by {result.step_decrease:.1e} ({slope})"


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
        text = f"{mark} {size:>3}  {path._format(float(path.value[row]), float(path.value_se[row])):<15}"
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
            text += f"  {low:>5.2f} to {high:<4.2f}  {result.positive_share[a]:>10.0%}"  # type: ignore[index]
        lines.append(f"{text}  {result.weights[a]:>15.4g}")
    if len(result.support) > SHOWN:
        lines.append(f"  ... and {len(result.support) - SHOWN} more")
    zeros = [name for name, w in zip(result.names, result.weights, strict=True) if w == 0]
    if zeros:
        more = f", ... ({len(zeros)} columns)" if len(zeros) > 8 else ""
        lines.append(f"  {', '.join(zeros[:8])}{more}: 0")
    if intervals:
        lines += [
            "  95 % interval: of the weight that all rows give; positive in: the share of random halves that keep the",
            "  column, which fewer rows do less often. Below 95 % the weight is not to be relied on.",
        ]
    return lines
