"""Text that a stranger wrote, for a terminal or a page: nothing in it moves a cursor, turns the line round or hides."""

from __future__ import annotations

import unicodedata

JOINERS = "\u200c\u200d"  # within letters of some scripts, and within emoji


def printable(text: str, keep: str = "") -> str:
    """Text in which signs that are not seen (control, direction, ends of lines) are written out.

    Parameters
    ----------
    text : str
        Any text.
    keep : str
        Signs that stay as they are, ``"\\n"`` for text of several lines.

    Returns
    -------
    str

    Examples
    --------
    >>> from infoscope.base.printable import printable
    >>> print(printable("phi" + chr(0x202E) + "psi"), printable("beta" + chr(7)))
    phi\\u202epsi beta\\x07
    """
    return "".join(sign if _is_seen(sign) or sign in keep else repr(sign)[1:-1] for sign in text)


def _is_seen(sign: str) -> bool:
    return sign.isprintable() or sign in JOINERS or unicodedata.category(sign) == "Zs"
