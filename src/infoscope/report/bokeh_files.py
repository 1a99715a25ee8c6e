"""BokehJS, as it stands inside a page: out of the installed package, without a network."""

from __future__ import annotations

from functools import lru_cache
from importlib.resources import files

from infoscope.base.errors import require

# bokeh-gl is left out: it compiles its shaders by evaluating text, which the policy of a page forbids
FILES = ("bokeh.min.js", "bokeh-api.min.js")


def check_bokeh() -> None:
    """Raise where the package is missing."""
    require("bokeh", "report")


@lru_cache(maxsize=1)
def bokeh_scripts() -> tuple[str, ...]:
    """The scripts, in the order in which they run.

    Raises
    ------
    MissingExtraError
        If bokeh is not installed.
    """
    check_bokeh()
    folder = files("bokeh").joinpath("server", "static", "js")
    texts = (folder.joinpath(name).read_text(encoding="utf-8") for name in FILES)
    return tuple(text.replace("</script", r"<\/script").replace("<!--", r"<\!--").strip() for text in texts)
