"""Sequences beside the clone's, changed tokens marked: what an order leaves of a sentence."""

from __future__ import annotations

import html
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from infoscope.base import DataError

ROWS = 5  # shown by default
STYLE = "font-family:monospace;white-space:pre-wrap;margin:0.4em 0"
MARK = "background:#F0E442;color:#000"


def changed_tokens(
    start: Any, clone: Any, *, decode: Callable[[list[int]], str] | None = None, rows: Sequence[int] | None = None
) -> str:
    """HTML of sequences and of their clones, tokens that changed marked.

    Parameters
    ----------
    start : array (n, L) of int
        Where the chains began; -1 is padding, and not shown.
    clone : array (n, L) of int
        Where they ended: ``CloneResult.tokens``.
    decode : function (list of ids) -> str, optional
        Text of tokens, as ``Tokenizer.decode``; their numbers by default.
    rows : sequence of int, optional
        Which sequences; the first five by default.

    Returns
    -------
    str
        One block a sequence, to be shown in a notebook (``IPython.display.HTML``) or written to a file.

    Raises
    ------
    DataError
        Arrays of other shapes, or rows that are not there.

    Examples
    --------
    >>> from infoscope.clones import changed_tokens
    >>> letters = lambda ids: "".join("abc<"[i] for i in ids)
    >>> print(changed_tokens([[0, 1, 2]], [[0, 3, 2]], decode=letters))
    <div style="..."><div>abc</div><div>a<mark style="...">&lt;</mark>c</div></div>
    """
    before, after = np.asarray(start), np.asarray(clone)
    if before.ndim != 2 or before.shape != after.shape or before.dtype.kind not in "iu" or after.dtype.kind not in "iu":
        raise DataError(f"start has shape {before.shape}, and clone {after.shape}: pass two arrays (n, L) of tokens")
    chosen = np.arange(min(ROWS, len(before))) if rows is None else np.atleast_1d(np.asarray(rows))
    if chosen.size and (chosen.dtype.kind not in "iu" or chosen.min() < 0 or chosen.max() >= len(before)):
        raise DataError(f"rows must be numbers from 0 to {len(before) - 1}")
    text = decode or (lambda ids: "".join(f"{i} " for i in ids))
    return "\n".join(_block(before[row], after[row], text) for row in chosen)


# --------------------------------------------------------------------------------------------------------------- steps
def _block(before: np.ndarray, after: np.ndarray, text: Callable[[list[int]], str]) -> str:
    shown = (before >= 0) & (after >= 0)
    before, after = before[shown], after[shown]
    changed = before != after
    parts = []
    # runs of tokens that changed, or did not, are decoded together: a byte alone may be no character
    for piece in np.split(np.arange(len(after)), np.flatnonzero(np.diff(changed)) + 1):
        if not len(piece):
            continue
        said = html.escape(text(after[piece].tolist()))
        parts.append(f'<mark style="{MARK}">{said}</mark>' if changed[piece[0]] else said)
    return f'<div style="{STYLE}"><div>{html.escape(text(before.tolist()))}</div><div>{"".join(parts)}</div></div>'
