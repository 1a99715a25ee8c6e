"""Pictures for a paper: the figure, and beside it the numbers that it shows."""

from __future__ import annotations

from os import PathLike
from pathlib import Path
from typing import Any

from infoscope.base import Result
from infoscope.base.errors import ParameterError
from infoscope.storage import atomic_path, check_target

from .spreadsheet_cells import csv_text

PICTURES = (".pdf", ".svg", ".eps", ".png")
MARK = "# infoscope plotted data: "  # how a table that may be replaced begins
DOTS_PER_INCH = {"paper": 600, "screen": 200}  # of .png; the others are drawn as lines and letters
TYPE: Any = {"pdf.fonttype": 42, "ps.fonttype": 42, "svg.fonttype": "none"}  # text stays text that an editor can change


def save_figure(result: Result, path: str | PathLike[str], *, style: str = "paper", **options: Any) -> Path:
    """Save the picture of a result, and beside it the numbers it shows as a table.

    Parameters
    ----------
    result : Result
        Any result that draws itself.
    path : str or path
        ``.pdf``, ``.svg`` and ``.eps`` keep lines and letters, ``.png`` has 600 dots per inch (200 with "screen"). The
        numbers go to a file of the same name that ends in ``.csv``: one comment line, then a header with standard
        errors in columns ``*_se``, with all digits.
    style : {"paper", "screen"}
        "paper": one journal column wide (3.35 inches, 85 mm), small type, thin lines; the file has exactly this size.
    **options
        For ``result.plot``: ``kind="ranks"`` and so on.

    Returns
    -------
    Path
        The picture.

    Raises
    ------
    ParameterError
        If the suffix is none of these, the folder does not exist, or the table would replace a file that is not such a
        table (your data may have that name).
    TypeError
        If the result has no picture.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import numpy as np
    >>> import infoscope
    >>> from infoscope.io import save_figure
    >>> x = np.random.default_rng(0).normal(size=(60, 3))
    >>> curve = infoscope.imbalance_scale_curve(x, x[:, :2])
    >>> path = save_figure(curve, pathlib.Path(tempfile.mkdtemp(), "curve.pdf"))
    >>> sorted(file.name for file in path.parent.iterdir())
    ['curve.csv', 'curve.pdf']
    """
    import matplotlib
    from matplotlib import pyplot

    path = check_figure_path(path)
    table = result.plot_data(**options)
    text = csv_text(table)
    title = " ".join(str(result._title).split())
    with matplotlib.rc_context(TYPE), pyplot.ioff():  # no window opens
        figure = result.plot(style=style, **options).figure
        try:
            # both are written before one of them takes its place
            with atomic_path(path.with_suffix(".csv")) as numbers, atomic_path(path) as temporary:
                numbers.write_bytes(f"{MARK}{title}\n{text}".encode())
                kind, size = path.suffix[1:].lower(), None if style == "paper" else "tight"
                figure.savefig(temporary, format=kind, dpi=DOTS_PER_INCH[style], bbox_inches=size)
        finally:
            pyplot.close(figure)
    return path


def check_figure_path(path: str | PathLike[str]) -> Path:
    """Raise now what `save_figure` would raise about its path after the work is done.

    Parameters
    ----------
    path : path-like
        Where the figure shall go.

    Returns
    -------
    Path
        The path.

    Examples
    --------
    >>> from infoscope.io import check_figure_path
    >>> check_figure_path("figure.pdf").name
    'figure.pdf'
    """
    path = check_target(path, PICTURES, "figures are saved")
    beside = path.with_suffix(".csv")
    if beside.exists() and not _is_ours(beside):
        raise ParameterError(
            f"{beside} exists and holds something else than plotted data, which would go there: "
            f"give the figure another name than {path.name}"
        )
    return path


def _is_ours(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(MARK)) == MARK.encode()
