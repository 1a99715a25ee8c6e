"""Tables as .csv that a spreadsheet opens without running what is in them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pandas

FORMULA = ("=", "+", "-", "@", "\t", "\r")  # how cells begin that a spreadsheet runs
AS_TEXT = "'"  # in front of a cell: text, whatever follows


def csv_text(frame: pandas.DataFrame) -> str:
    """A table as .csv; text that a spreadsheet would run as a formula gets an apostrophe in front.

    That is text, and are names of columns, that begin with ``=``, ``+``, ``-``, ``@``, a tab or the end of a line, and
    are no numbers.  Numbers stay numbers.

    Parameters
    ----------
    frame : DataFrame
        The table; its index is not written.

    Returns
    -------
    str

    Examples
    --------
    >>> import pandas as pd
    >>> from infoscope.io.spreadsheet_cells import csv_text
    >>> print(csv_text(pd.DataFrame({"name": ["=1+1", "phi"], "value": [-1.5, 2.0]})))
    name,value
    '=1+1,-1.5
    phi,2.0
    <BLANKLINE>
    """
    safe = frame.rename(columns=safe_cell)
    for place, kind in enumerate(frame.dtypes):
        if kind.kind not in "biufcmM":
            safe.isetitem(place, frame.iloc[:, place].map(safe_cell))
    return safe.to_csv(index=False, lineterminator="\n")


def safe_cell(cell: Any) -> Any:
    """A cell that is no formula, and in which no line ends unseen (the writer quotes only "\n").

    Parameters
    ----------
    cell : Any
        Text, or anything else, which stays as it is.

    Returns
    -------
    Any

    Examples
    --------
    >>> from infoscope.io.spreadsheet_cells import safe_cell
    >>> safe_cell("=x.csv"), safe_cell("-1.5"), safe_cell(2)
    ("'=x.csv", '-1.5', 2)
    """
    if not isinstance(cell, str):
        return cell
    text = cell.replace("\r\n", "\n").replace("\r", "\n")
    return AS_TEXT + text if cell.startswith(FORMULA) and not _is_number(cell) else text


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True
