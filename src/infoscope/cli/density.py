"""``infoscope density``: where the data is dense, the free energy there, and the states it visits."""

from __future__ import annotations

from typing import Annotated, Any

from .options import Delivery, Files, Items, Jobs, Layout, Measure, Rows, Window, switch, value, with_groups, word


@with_groups
def density(
    files: Files = None,
    *,
    states: Annotated[
        bool, switch("Significant peaks of the density, their populations and barriers.", "--states")
    ] = False,
    significance: Annotated[
        float, value("Z", "Standard errors by which a peak must stand out (states).", "--z", least=0.0)
    ] = 1.65,
    halo: Annotated[bool, switch("Items below the saddles of their state get none (states).", "--halo")] = False,
    predict: Annotated[
        str | None,
        value("FILE[:COLUMNS]", "New rows, which get a state, a mark of the halo and a probability (states)."),
    ] = None,
    method: Annotated[
        str,
        word(
            "pak|bmti|k-star|knn",
            "Each item by itself, with a slope (pak) or without (k-star); all differences together (bmti), "
            "smoother, and better from four dimensions on; ten neighbours (knn).",
        ),
    ] = "pak",
    dimension: Annotated[float | None, value("D", "Intrinsic dimension. Default: estimated by ABIDE.")] = None,
    max_neighbors: Annotated[
        int | str,
        word(
            "auto",
            "At most so many neighbours of a point (all but knn).",
            metavar="N",
            or_else="a number of at least 4",
            of=int,
            holds=lambda number: number >= 4,
        ),
    ] = "auto",
    measure: Measure,
    layout: Layout,
    rows: Rows,
    items: Annotated[
        Items,
        {"bias": "Bias potential of the rows (metad.rbias), taken out of the density: better than weights from it."},
    ],
    window: Annotated[
        Window,
        {
            "window": "Rows of a run closer in time count as one visit, for the errors; 0: rows are in no order. "
            "Default: auto with times."
        },
    ],
    out: Annotated[
        Delivery,
        {
            "output": "Save: .json (for rerun), .npz (for load, extract), .html (a page), .csv, .parquet (every row; "
            "states: its state; predict: that of every new row)."
        },
    ],
    jobs: Jobs = None,
) -> None:
    """Where is the data dense, and which states does it visit?

    The answer is the log density (the free energy) at every item with its error; with --states, the peaks that stand
    out of the error, their populations, and the barriers between them.

    Example: infoscope density COLVAR:phi,psi --bias metad.rbias --states --units kJ/mol --plot states.png
    """
    from infoscope.base.errors import ParameterError
    from infoscope.density import DensityPeaks

    from .deliver import before_verdict, check_targets, deliver
    from .inputs.data_sets import read_one
    from .inputs.new_rows import read_new
    from .messages import messages
    from .places import state_lines
    from .state_rows import StateOfNewRows, StateOfRows

    if halo and not states:
        raise ParameterError("--halo goes with --states")
    if predict is not None and not states:
        raise ParameterError("--predict asks for states of new rows: it goes with --states")
    if method == "knn" and max_neighbors != "auto":
        raise ParameterError("--max-neighbors does not go with knn, which takes ten neighbours of every item")
    check_targets(out)
    with messages(out.quiet):
        data = read_one(files, items, rows, measure, layout, "density", takes_bias=True)
        new = None if predict is None else read_new(predict, data, items, rows, measure, layout)
        # whether a peak is real is asked of the noise alone, as DensityPeaks does
        estimator = _estimator(method, max_neighbors, dimension=dimension, calibrate=not states, n_jobs=jobs)
        fitted = estimator.fit(data.space, bias=data.gathered.potential, exclusion_window=window.window)
        peaks = DensityPeaks(significance, halo=halo).fit(fitted) if states else None
        energy = data.gathered.energy
        result = (fitted if peaks is None else peaks).result_.with_units(energy.units, energy.temperature)
        table: StateOfRows | StateOfNewRows | None = None if peaks is None else StateOfRows(result)
        where = [] if peaks is None else state_lines(data.space, peaks.centers_)
        text, inputs, read = before_verdict(result, where), data.record(), data.files()
        if new is not None and peaks is not None:
            table = StateOfNewRows.of(peaks, new.space, new.gathered.potential)
            text, inputs, read = f"{text}\n\n{table}", inputs | {"predict": new.record()}, [*read, *new.files()]
        deliver(result, out, inputs, read, text=text, table=table)


def _estimator(method: str, max_neighbors: int | str, **options: Any) -> Any:
    from infoscope.density import BMTI, KNNDensity, KStarNN, PAk

    if method == "knn":
        return KNNDensity(**options)
    return {"pak": PAk, "bmti": BMTI, "k-star": KStarNN}[method](max_neighbors=max_neighbors, **options)
