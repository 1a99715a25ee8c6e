"""Pieces of a page.  Every text goes through `text_of`, and every attribute through `tag`: nothing else escapes."""

from __future__ import annotations

import base64
import hashlib
import html
import json
from collections.abc import Iterable, Sequence
from typing import Any

from infoscope.base.printable import printable

SHORT = 24  # letters of a cell that stay on one line


def text_of(text: Any) -> str:
    """Text as a browser shows it letter by letter; what would not be seen is written out."""
    return html.escape(printable(str(text), keep="\n\t"))


def tag(name: str, inside: Iterable[str] | str = "", **attributes: Any) -> str:
    """An element around markup that is there; attributes are text (True: without a value, None: left out).

    Examples
    --------
    >>> from infoscope.report.markup import tag, text_of
    >>> tag("p", text_of("a < b"), class_="note", title='"c"', hidden=True, id=None)
    '<p class="note" title="&quot;c&quot;" hidden>a &lt; b</p>'
    """
    said = ""
    for key, value in attributes.items():
        key = key.rstrip("_").replace("_", "-")
        if value is not None and value is not False:
            said += f" {key}" if value is True else f' {key}="{text_of(value)}"'
    return f"<{name}{said}>{inside if isinstance(inside, str) else ''.join(inside)}</{name}>"


def table_of(
    header: Sequence[str],
    rows: Iterable[Sequence[str]],
    caption: str,
    *,
    row_heads: bool = True,
    groups: int = 0,
    **attributes: Any,
) -> str:
    """A table that scrolls by itself where it is wider than the window, reachable by keyboard.

    The first rows, as many as there are groups of points, select these.
    """
    body = []
    for number, row in enumerate(rows):
        cells = [_cell("td", cell) for cell in row]
        if row_heads and row:
            cells[0] = _cell("th", row[0], scope="row")
        body.append(tag("tr", cells, data_group=number if number < groups else None))
    heads = tag("thead", tag("tr", [_cell("th", name, scope="col") for name in header])) if header else ""
    inside = [tag("caption", text_of(caption)), heads, tag("tbody", body)]
    return tag(
        "div", tag("table", inside, **attributes), class_="wide", tabindex="0", role="region", aria_label=caption
    )


def _cell(name: str, text: str, **attributes: Any) -> str:
    return tag(name, text_of(text), class_="short" if len(text) <= SHORT else None, **attributes)


def data_block(contents: Any, name: str) -> str:
    """Numbers and text for scripts, which a browser neither runs nor shows: JSON in ASCII, without a ``<``."""
    text = json.dumps(contents, ensure_ascii=True, allow_nan=False, separators=(",", ":"))
    text = text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")
    return f'<script type="application/json" id="{text_of(name)}">{text}</script>'


def script_hash(script: str) -> str:
    """A script as the policy of the page names it."""
    return "'sha256-" + base64.b64encode(hashlib.sha256(script.encode()).digest()).decode() + "'"


def policy(scripts: Sequence[str]) -> str:
    """What the page may do: run these scripts, draw; load nothing, send nothing, evaluate nothing."""
    allowed = " ".join(map(script_hash, scripts)) or "'none'"
    rules = ("default-src 'none'", f"script-src {allowed}", "style-src 'unsafe-inline'", "img-src data:")
    return "; ".join((*rules, "base-uri 'none'", "form-action 'none'"))
