"""The picture of a result as a drawing inside the page: lines and letters, the same bytes at every time."""

from __future__ import annotations

import io
import re
import warnings
from typing import Any
from xml.etree import ElementTree

from infoscope.base import Result
from infoscope.base.errors import ParameterError
from infoscope.base.printable import printable

SVG, LINK = "http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"
# names of parts follow from their contents and not from chance; letters stay letters
FIXED: Any = {"svg.hashsalt": "infoscope", "svg.fonttype": "none", "figure.dpi": 100}
UNDATED: Any = {"Date": None, "Creator": None, "Format": None, "Type": None}
DOTS_PER_INCH = 144  # of clouds of points, which are drawn as dots inside
NOT_XML = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff]")
REFERENCE = re.compile(r"url\(#([^)]*)\)")


def drawing_of(result: Result, prefix: str, *, kind: str | None = None, label: str) -> str:
    """A picture of a result as ``<svg>``; a ParameterError or TypeError of the picture where it cannot be drawn.

    Parameters
    ----------
    result : Result
        What is drawn.
    prefix : str
        In front of all names in the drawing, so that two of a page never mean each other.
    kind : str, optional
        Which picture.
    label : str
        What is to be seen, for those who do not see it.

    Returns
    -------
    str
    """
    import matplotlib
    from matplotlib import pyplot

    with matplotlib.rc_context(FIXED), pyplot.ioff(), warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Glyph .* missing from")  # the browser has other fonts
        before = set(pyplot.get_fignums())
        try:
            figure = result.plot(kind=kind).figure
            written = io.StringIO()
            figure.savefig(written, format="svg", dpi=DOTS_PER_INCH, bbox_inches="tight", metadata=UNDATED)
        finally:
            for number in set(pyplot.get_fignums()) - before:
                pyplot.close(number)
    return _inline(NOT_XML.sub(lambda found: repr(found[0])[1:-1], written.getvalue()), prefix, label)


def try_drawing(result: Result, prefix: str, *, label: str) -> tuple[str, str]:
    """The drawing, or why there is none, in a sentence."""
    try:
        return drawing_of(result, prefix, label=label), ""
    except TypeError as error:
        if result.pictures():
            raise
        return "", f"{error}."
    except ParameterError as error:
        return "", f"There is no picture: {error}."


def _inline(text: str, prefix: str, label: str) -> str:
    """A drawing that can stand in a page: nothing but shapes, names of its own, and a label."""
    ElementTree.register_namespace("", SVG)
    ElementTree.register_namespace("xlink", LINK)
    root = ElementTree.fromstring(text)
    for parent in list(root.iter()):
        for child in list(parent):
            if child.tag in (f"{{{SVG}}}metadata", f"{{{SVG}}}style"):
                parent.remove(child)
    used = {name for element in root.iter() for name in _references(element)}
    for element in root.iter():
        name = element.attrib.pop("id", None)
        if name in used:
            element.set("id", f"{prefix}-{name}")
        for key, value in list(element.attrib.items()):
            if key == f"{{{LINK}}}href" and value.startswith("#"):
                element.set(key, f"#{prefix}-{value[1:]}")
            elif "url(#" in value:
                element.set(key, REFERENCE.sub(lambda found: f"url(#{prefix}-{found[1]})", value))
        # a text of several parts (10 to a power) begins with white space, which is layout and no letter to be shown
        if element.tag in (f"{{{SVG}}}text", f"{{{SVG}}}tspan") and element.text and element.text.strip():
            element.text = printable(element.text)
    root.attrib.pop("width", None)
    root.attrib.pop("height", None)
    width = float(root.get("viewBox", "0 0 400 300").split()[2])
    root.set("style", f"max-width:{width / 72 * 1.25:.2f}in;stroke-linejoin:round;stroke-linecap:butt")
    root.set("role", "img")
    root.set("aria-label", printable(label))
    return ElementTree.tostring(root, encoding="unicode")


def _references(element: ElementTree.Element) -> list[str]:
    found = [name for value in element.attrib.values() for name in REFERENCE.findall(value)]
    link = element.get(f"{{{LINK}}}href", "")
    return [*found, link[1:]] if link.startswith("#") else found
