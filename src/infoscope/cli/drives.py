"""``infoscope drives``: what drives what in a series, among all its columns or between two groups of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from .options import Delivery, Items, Jobs, Layout, Measure, Rows, Seed, Texts, Window, count, value, with_groups, word

if TYPE_CHECKING:
    from infoscope.causality import CausalGraph

    from .inputs.data_sets import ReadData

LONGEST = 32  # letters of the names of a community in a table
GRAPHS, SCANS = ("levels", "links", "weights", "losses", "path"), ("lags", "own")  # kinds of pictures


def whole_numbers(text: str) -> list[int]:
    """Whole numbers between commas.

    Examples
    --------
    >>> from infoscope.cli.drives import whole_numbers
    >>> whole_numbers("1,2,10")
    [1, 2, 10]
    """
    return [int(part) for part in text.split(",")]


@dataclass(frozen=True)
class Graph:
    """How a graph of all columns is found."""

    fdr: Annotated[
        float | str | None,
        word(
            "none",
            "Share of the links that may be false; none: links by weight alone. Default: 0.1.",
            metavar="SHARE",
            or_else="a share between 0 and 1",
            holds=lambda share: 0 < share < 1,
        ),
    ] = None
    threshold: Annotated[
        float | None, value("LEVEL", "Share of a target's largest weight from which a column is tested. Default: 0.1.")
    ] = None
    targets: Annotated[Texts, value("COLUMNS", "What drives these only? 'x*'.")] = None
    max_sources: Annotated[
        int | None,
        count(2, "Columns that each target weighs, chosen by ranks. Default: all up to 2000 columns, else 200."),
    ] = None
    epochs: Annotated[int | None, count(1, "Passes over the rows, at most. Default: 100.")] = None
    subsets: Annotated[int | None, count(0, "Parts of the time on which links are sought again.")] = None
    resume: Annotated[
        str | None, value("FILE", "Keep what has been computed so far; after a kill go on from there.")
    ] = None


@dataclass(frozen=True)
class Pair:
    """Two groups of columns, and how the gain between them is judged."""

    source: Annotated[
        Texts, value("COLUMNS|FILE[:COLUMNS]", "With --target: do these tell about the future of the target?")
    ] = None
    target: Annotated[Texts, value("COLUMNS|FILE[:COLUMNS]", "With --source: whose future, and back.")] = None
    condition: Annotated[
        Texts, value("COLUMNS|FILE[:COLUMNS]", "What else is known of the present. Each one a block.")
    ] = None
    permutations: Annotated[int | None, count(0, "Rearranged sources for p-values. Default: 99.")] = None
    null: Annotated[
        str | None, word("auto|shift|block|permute|local", "How sources are rearranged. auto: shifted inside runs.")
    ] = None
    k: Annotated[int | None, value("N", "Neighbours per row. Default: one in 500 rows.", "-k", "--k")] = None


@with_groups
def drives(
    files: Annotated[
        Texts, typer.Argument(metavar="SERIES[:COLUMNS]", help="Rows in time; several files are runs.")
    ] = None,
    *,
    lags: Annotated[
        list[int] | int | None,
        word(
            "",
            "Steps ahead, such as 1,2,5. A lag never crosses runs. Default: 1.",
            metavar="N[,N...]",
            or_else="whole numbers of steps, each once, such as 1,2,5",
            of=whole_numbers,
            holds=lambda lags: min(lags) >= 1 and len(set(lags)) == len(lags),
        ),
    ] = None,
    graph: Graph,
    pair: Pair,
    samples: Annotated[
        int | None, count(3, "Rows used, evenly spaced. Default: at most 2000; 2500 with --source.")
    ] = None,
    measure: Annotated[
        Measure,
        {
            "metric": "Of --source and --target: euclidean, manhattan, chebyshev, cosine.",
            "scale": "standard: columns of --source and --target divided by their standard deviation.",
        },
    ],
    layout: Layout,
    rows: Rows,
    items: Items,
    window: Annotated[
        Window, {"window": "Rows of a run closer in time are no neighbours. Default: auto, two correlation times."}
    ],
    out: Annotated[
        Delivery,
        {"output": "Links: .csv, .parquet. The result: .json (for rerun), .npz (for infoscope.load), .html (a page)."},
    ],
    kind: Annotated[
        str | None,
        word("levels|links|weights|losses|path|lags|own", "Of the picture. Default: levels; lags with --source."),
    ] = None,
    seed: Seed = 0,
    jobs: Jobs = None,
) -> None:
    """What drives what?

    Without --source: which columns help to foretell which others beyond all the rest, tested on rows that had no part
    in finding them; communities of columns that move by themselves, and which drives which. With --source and --target:
    how much the one tells about the future of the other, lag by lag, in both directions.

    Example: infoscope drives run.csv --time t --lags 1,2,5 --plot graph.png --output links.csv
    """
    from .deliver import check_targets, deliver
    from .messages import hint, messages

    check_targets(out)
    steps = lags if isinstance(lags, list) else [lags or 1]
    between = _check_question(pair, graph, kind)
    shared: dict[str, Any] = {
        "n_samples": samples, "exclusion_window": window.window, "random_state": seed, "n_jobs": jobs,
    }  # fmt: skip
    picture = {"kind": kind} if kind else {}
    with messages(out.quiet):
        if between:
            from .inputs.series import read_groups

            groups = [("--source", pair.source or []), ("--target", pair.target or [])]
            groups += [("--condition", [text]) for text in pair.condition or []]
            data = read_groups(files, groups, items, rows, measure, layout)
            deliver(_scan(data, steps, pair, shared), out, data.record(), data.files(), **picture)
            return
        from .inputs.series import read_series

        data = read_series(files, items, rows, measure, layout)
        found = _graph(data, steps, graph, shared)
        if len(steps) == 1:
            hint("only one lag was looked at: where influence takes time, --lags 1,2,5 sees more")
        deliver(found, out, data.record(), data.files(), text=describe(found), **picture)


# --------------------------------------------------------------------------------------------------------------- steps
def _check_question(pair: Pair, graph: Graph, kind: str | None) -> bool:
    """Whether two groups are asked for; options of the other question are refused."""
    from infoscope.base.errors import ParameterError

    between = bool(pair.source or pair.target)
    if between and not (pair.source and pair.target):
        given, missing = ("--source", "--target") if pair.source else ("--target", "--source")
        raise ParameterError(
            f"{given} goes with {missing}: which columns, or which file? For all columns leave out both"
        )
    others = vars(graph) if between else vars(pair)
    for name, said in others.items():
        if said is not None:
            graphs = "is for a graph of all columns: leave out --source and --target"
            goes = graphs if between else "goes with --source and --target"
            raise ParameterError(f"--{name.replace('_', '-')} {goes}")
    if kind is not None and kind not in (SCANS if between else GRAPHS):
        kinds = ", ".join(SCANS if between else GRAPHS)
        raise ParameterError(f"--kind {kind} is no picture of {'two groups' if between else 'a graph'}: {kinds}")
    return between


def _graph(data: ReadData, lags: list[int], asked: Graph, shared: dict[str, Any]) -> CausalGraph:
    from infoscope.base.errors import ParameterError
    from infoscope.causality import CommunityCausalGraph
    from infoscope.io import parse_columns

    given: dict[str, Any] = {
        "threshold": asked.threshold, "n_epochs": asked.epochs, "n_subsets": asked.subsets, "fdr": asked.fdr,
        "n_sources": asked.max_sources,
    }  # fmt: skip
    options = {name: said for name, said in given.items() if said is not None}
    if asked.fdr == "none":
        options["fdr"] = None
    targets, names = None, data.gathered.spaces[0].names
    if asked.targets:
        try:
            targets = list(parse_columns(",".join(asked.targets), names))
        except ParameterError as error:
            raise ParameterError(f"--targets {','.join(asked.targets)}: {error}") from error
    estimator = CommunityCausalGraph(lags, **options, **shared)
    return estimator.fit(data.space, targets=targets, checkpoint=asked.resume).result_


def _scan(data: ReadData, lags: list[int], asked: Pair, shared: dict[str, Any]) -> Any:
    from infoscope.causality import scan_lags

    source, target, *conditions = data.spaces.values()
    given: dict[str, Any] = {
        "n_permutations": asked.permutations, "null": asked.null, "k": asked.k, "condition": conditions or None,
    }  # fmt: skip
    options = {name: said for name, said in given.items() if said is not None}
    return scan_lags(source, target, lags, **options, **shared)


# --------------------------------------------------------------------------------------------------------------- words
def describe(found: CausalGraph) -> str:
    """What a graph prints, and tables of its links and of the edges between communities."""
    from infoscope.base.plot_style import short
    from infoscope.base.results import text_table

    edges = [
        {name: short(cell, LONGEST) if isinstance(cell, str) else cell for name, cell in row.items()}
        for row in found.edge_rows()
    ]
    lines = [str(found)]
    for title, rows in (("links", found.link_rows()), ("edges between communities", edges)):
        if rows:
            lines += ["", title, *(f"  {line}" for line in text_table(rows))]
    return "\n".join(lines)
