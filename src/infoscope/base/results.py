"""What every result of the library can do: print itself with its errors, become a frame or a dictionary, cite."""

from __future__ import annotations

import html
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from .bibliography import bibtex
from .errors import require
from .json_values import plain
from .pictures import page_writer, picture_of, pictures_of
from .plot_style import let_powers_be_formulas, text_as_written
from .provenance import Provenance

if TYPE_CHECKING:
    from os import PathLike
    from pathlib import Path

    import pandas
    import xarray

LEAST_ERROR = 1e-9  # of a value: an error below it is that of rounding, and its digits would fill the line
TABLE_ROWS = 20  # rows of a table shown by str() and in a notebook


def format_estimate(value: float | None, se: float | None = None) -> str:
    """A value with as many digits as its standard error deserves.

    The error keeps two significant digits when they are 10 to 35, one otherwise (0.0041 is 0.004, 0.0123 is 0.012):
    its rounding then never exceeds about 15 %.  The value is cut at the same decimal, and at ten digits at most.

    Parameters
    ----------
    value : float or None
        The estimate; None or NaN prints as "nan".
    se : float, optional
        Its standard error; None prints the value alone.

    Returns
    -------
    str

    Examples
    --------
    >>> from infoscope.base import format_estimate
    >>> print(format_estimate(0.1324, 0.0041), format_estimate(1234.5, 12.3), format_estimate(2.5e-7, 1.2e-8), sep="; ")
    0.132 ± 0.004; 1234 ± 12; (2.50 ± 0.12)e-07
    """
    value = math.nan if value is None else float(value)
    if se is None:
        return f"{value:.4g}"
    se = float(se)
    if not (math.isfinite(value) and math.isfinite(se) and se > 0):
        return f"{value:.4g} ± {abs(se):.2g}" if se == 0 or not math.isfinite(se) else f"{value:.4g} ± {se:.1g}"
    if se < LEAST_ERROR * abs(value):
        return f"{value:.10g} ± {se:.1g}"
    size = math.floor(math.log10(max(abs(value), se)))
    if not -4 <= size < 6:  # a common power of ten
        scale = 10.0**size
        return f"({_rounded(value / scale, se / scale)})e{size:+03d}"
    return _rounded(value, se)


def say_estimate(value: float, se: float) -> str:
    """An estimate for a sentence: as `format_estimate` writes it, and alone where its error is not known.

    Parameters
    ----------
    value : float
        The estimate.
    se : float
        Its standard error, NaN where it is not known.

    Returns
    -------
    str

    Examples
    --------
    >>> from infoscope.base.results import say_estimate
    >>> print(say_estimate(0.1324, 0.0041), say_estimate(0.1324, float("nan")), sep="; ")
    0.132 ± 0.004; 0.1324
    """
    return format_estimate(value, se if math.isfinite(se) else None)


def _rounded(value: float, se: float) -> str:
    exponent = math.floor(math.log10(se))
    leading = se / 10.0**exponent  # in [1, 10)
    decimals = (1 if leading < 3.55 else 0) - exponent
    if leading >= 9.5:  # rounds up to 10: keep two digits, which say the same as one did
        decimals = -exponent
    if decimals >= 0:
        return f"{value:.{decimals}f} ± {se:.{decimals}f}"
    return f"{round(value, decimals):.0f} ± {round(se, decimals):.0f}"


class Result:
    """Mixin of the frozen result classes.

    A subclass is a dataclass.  It may define

    - ``verdict``: property, one sentence;
    - ``_title``: property or string, the name line (default: the class name);
    - ``_estimates``: property or tuple of ``(label, value, se)`` or of field names (default: every scalar ``x`` that
      has a field ``x_se``);
    - ``_rows()``: list of flat dicts, one per line of a table (default: one row, the scalar fields);
    - ``_references``: keys of `infoscope.base.REFERENCES`.

    Functions that draw it register themselves, see `infoscope.base.pictures`.

    Fields called ``warnings`` and ``notes`` (tuples of str) are printed last; ``provenance`` goes to `to_dict`.
    """

    _references: tuple[str, ...] = ("infoscope",)

    @property
    def verdict(self) -> str:
        """One sentence that says what the numbers mean."""
        return ""

    @property
    def _title(self) -> str:
        return type(self).__name__

    @property
    def _estimates(self) -> Sequence[Any]:
        names = _field_names(self)
        return tuple(name for name in names if f"{name}_se" in names and _is_scalar(getattr(self, name)))

    def _rows(self) -> list[dict[str, Any]]:
        return [_scalar_fields(self)]

    def plot(self, ax: Any = None, *, kind: str | None = None, style: str = "screen", **options: Any) -> Any:
        """Draw it with matplotlib.

        Parameters
        ----------
        ax : matplotlib Axes, optional
            Where to draw; a new figure by default.
        kind : str, optional
            Which picture, where there are several; ``pictures()`` lists them.
        style : {"screen", "paper"}
            Sizes: for the screen, or for one column of a journal.
        **options
            Of this kind of picture, see the reference ("Pictures").

        Returns
        -------
        matplotlib Axes

        Raises
        ------
        ParameterError
            If the result cannot draw this kind, or the kind has no such option.
        """
        drawing = picture_of(self, kind, options)
        with text_as_written(ax):
            axes = drawing.draw(self, ax, style=style, **options)
        let_powers_be_formulas(axes.figure.axes)
        return axes

    def plot_data(self, *, kind: str | None = None, **options: Any) -> pandas.DataFrame:
        """The numbers that ``plot`` draws with these options, and their standard errors, as a pandas frame."""
        import pandas

        data = picture_of(self, kind, options).data
        return self.to_frame() if data is None else pandas.DataFrame(data(self, **options))

    def pictures(self) -> dict[str, str]:
        """What ``plot`` can draw: kinds, the default first, each with one line about it."""
        found = pictures_of(self)
        return {kind: (one.draw.__doc__ or "").strip().partition("\n")[0] for kind, one in found.items()}

    def to_html(self, path: str | PathLike[str]) -> Path:
        """Write a page to show to others: one file that a browser opens without a network.

        Parameters
        ----------
        path : str or path
            A file that ends in ``.html``; one that is there is replaced when the new one is complete.

        Returns
        -------
        Path
            The file.

        See Also
        --------
        infoscope.report.write_page : Several results on one page, and results from files.
        """
        return page_writer()(self, path)

    def to_frame(self) -> pandas.DataFrame:
        """The table of the result as a pandas frame."""
        import pandas

        return pandas.DataFrame(self._rows())

    def to_xarray(self) -> xarray.Dataset:
        """The table of the result as an xarray Dataset along ``row``, with how it was computed as attributes.

        Returns
        -------
        xarray.Dataset
            A variable a column, standard errors as ``*_se``; numbers and text of `to_dict` about the whole result are
            attributes, so that the Dataset, written to netCDF, says what it is.

        Raises
        ------
        MissingExtraError
            If xarray is not installed.
        """
        require("xarray", "files")
        frame = self.to_frame().rename(columns=str).rename_axis("row")
        about = {
            key: value for key, value in self.to_dict().items() if key == "verdict" or key.startswith("provenance.")
        }
        texts = {
            key: str(value) if isinstance(value, bool) else value for key, value in about.items() if value is not None
        }
        dataset: xarray.Dataset = frame.to_xarray().assign_attrs(title=str(self._title), **texts)
        return dataset

    def to_dict(self) -> dict[str, Any]:
        """Flat dictionary of numbers and strings, fit for JSON (a number that is not finite is None).

        Scalar fields come first, then the table (keys ``"0.name"``, ``"1.name"`` ... when it has several rows), the
        verdict, and the provenance under ``"provenance.*"``.  Array fields are left out.
        """
        flat = dict(_scalar_fields(self))
        rows = self._rows()
        for index, row in enumerate(rows):
            flat.update(row if len(rows) == 1 else {f"{index}.{key}": value for key, value in row.items()})
        if self.verdict:
            flat["verdict"] = self.verdict
        for name in ("warnings", "notes"):
            flat.update({name: " ".join(texts)} if (texts := getattr(self, name, ())) else {})
        record = getattr(self, "provenance", None)
        if isinstance(record, Provenance):
            flat.update({f"provenance.{key}": value for key, value in record.to_dict().items()})
        return {key: _flat_value(value) for key, value in flat.items()}

    def cite(self) -> str:
        """BibTeX of the papers behind the numbers, and of this library."""
        return bibtex(*self._references, "infoscope")

    def __str__(self) -> str:
        lines = [str(self._title)]
        estimates = list(labelled_estimates(self))
        width = max((len(label) for label, _ in estimates), default=0)
        lines += [f"  {label:<{width}}  {text}" for label, text in estimates]
        if not estimates:
            lines += [f"  {line}" for line in text_table(self._rows())]
        lines += [self.verdict] if self.verdict else []
        lines += [f"Warning: {text}" for text in getattr(self, "warnings", ())]
        lines += [f"Note: {text}" for text in getattr(self, "notes", ())]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        escape = html.escape
        estimates = list(labelled_estimates(self))
        if estimates:
            body = "".join(f"<tr><th>{escape(label)}</th>{_html_cell(text)}</tr>" for label, text in estimates)
        else:
            body = _html_rows(self._rows())
        parts = [f"<p><strong>{escape(str(self._title))}</strong></p>", f"<table>{body}</table>"]
        parts += [f"<p>{escape(self.verdict)}</p>"] if self.verdict else []
        parts += [f"<p><strong>Warning:</strong> {escape(text)}</p>" for text in getattr(self, "warnings", ())]
        parts += [f"<p>{escape(text)}</p>" for text in getattr(self, "notes", ())]
        return "".join(parts)


def missing_values(cls: type) -> list[str]:
    """Names of fields ``x_se`` of a result class that have no field (or property) ``x``: should be empty.

    Parameters
    ----------
    cls : type
        A result class.

    Returns
    -------
    list of str
        The names.

    Examples
    --------
    >>> from dataclasses import dataclass
    >>> from infoscope.base import Result
    >>> from infoscope.base.results import missing_values
    >>> @dataclass(frozen=True)
    ... class Length(Result):
    ...     value: float
    ...     value_se: float
    ...     width_se: float
    >>> missing_values(Length)
    ['width_se']
    """
    names = {item.name for item in fields(cls)} if is_dataclass(cls) else set()
    errors = [name for name in names if name.endswith("_se")]
    return sorted(name for name in errors if name[:-3] not in names and not hasattr(cls, name[:-3]))


def result_classes(cls: type = Result) -> list[type]:
    """Every loaded subclass of `Result`, however deep.

    Parameters
    ----------
    cls : type
        Whose subclasses.

    Returns
    -------
    list of type
        Each once.

    Examples
    --------
    >>> from infoscope.base import result_classes
    >>> from infoscope.imbalance import InformationImbalance
    >>> InformationImbalance in result_classes()
    True
    """
    found: list[type] = []
    children: list[type] = cls.__subclasses__()
    for child in children:
        found += [child, *result_classes(child)]
    return list(dict.fromkeys(found))


# --------------------------------------------------------------------------------------------------------------- steps
def _field_names(result: Any) -> tuple[str, ...]:
    return tuple(item.name for item in fields(result)) if is_dataclass(result) else ()


def _is_scalar(value: Any) -> bool:
    return isinstance(value, (bool, int, float, str, np.generic)) or (isinstance(value, np.ndarray) and value.ndim == 0)


def _scalar_fields(result: Any) -> dict[str, Any]:
    values = {name: getattr(result, name) for name in _field_names(result)}
    return {name: value for name, value in values.items() if value is None or _is_scalar(value)}


def _flat_value(value: Any) -> Any:
    value = plain(value)
    return value if value is None or isinstance(value, (bool, int, float, str)) else str(value)


def labelled_estimates(result: Result) -> Iterator[tuple[str, str]]:
    """The numbers that a result is about, each with its label, as text with the error."""
    for item in result._estimates:
        if isinstance(item, str):
            item = (item, getattr(result, item), getattr(result, f"{item}_se", None))
        label, value, se = item
        yield str(label), value if isinstance(value, str) else format_estimate(value, se)


def cells_of(rows: Sequence[Mapping[str, Any]], most: int | None = TABLE_ROWS) -> list[list[str]]:
    """Header and rows (the first of them, or all) as text; ``x`` and ``x_se`` share a cell."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    shown = [name for name in names if not (name.endswith("_se") and name[:-3] in names)]
    table = [shown]
    for row in rows[:most]:
        table.append([_cell(row.get(name), row.get(f"{name}_se")) for name in shown])
    return table


def _cell(value: Any, se: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, (float, np.floating)):
        if math.isnan(value):
            return "-"
        return format_estimate(float(value), None if se is None else float(se))
    return str(value)


def text_table(rows: list[dict[str, Any]]) -> list[str]:
    """Rows as lines of text, a header first; ``x`` and ``x_se`` share a column."""
    table = cells_of(rows)
    widths = [max(len(line[column]) for line in table) for column in range(len(table[0]))]
    lines = ["  ".join(f"{cell:<{width}}" for cell, width in zip(line, widths, strict=True)).rstrip() for line in table]
    return lines + ([f"... {len(rows) - TABLE_ROWS} more rows"] if len(rows) > TABLE_ROWS else [])


def _html_cell(text: str) -> str:
    """A cell; text that is set in columns by spaces keeps them."""
    keep = ' style="white-space: pre; font-family: monospace"' if "  " in text.strip() else ""
    return f"<td{keep}>{html.escape(text)}</td>"


def _html_rows(rows: list[dict[str, Any]]) -> str:
    header, *body = cells_of(rows)
    text = "<tr>" + "".join(f"<th>{html.escape(name)}</th>" for name in header) + "</tr>"
    text += "".join("<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in line) + "</tr>" for line in body)
    more = len(rows) - len(body)
    return text + (f"<tr><td>... {more} more rows</td></tr>" if more else "")
