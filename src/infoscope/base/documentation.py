"""Where the documentation is, as ``[project.urls]`` of pyproject.toml says, and what links to it."""

from __future__ import annotations

from functools import lru_cache
from importlib.metadata import PackageNotFoundError, metadata

LABEL = "Documentation"
PAGES = "reference/generated"  # as autosummary makes them


@lru_cache(maxsize=1)
def documentation_address() -> str:
    """What stands in front of the pages of the documentation; empty where no address is known.

    Returns
    -------
    str

    Examples
    --------
    >>> from infoscope.base.documentation import documentation_address
    >>> documentation_address().endswith("/")
    False
    """
    try:
        urls = metadata("infoscope").get_all("Project-URL") or []
    except PackageNotFoundError:  # sources that were never installed
        return ""
    return next((url.partition(", ")[2].rstrip("/") for url in urls if url.startswith(f"{LABEL}, ")), "")


class DocumentedEstimator:
    """An estimator whose box in notebooks links to its page here, and not to one of scikit-learn that does not exist.

    scikit-learn asks for the three names below; of a subclass outside of this package it makes no link.
    """

    @property
    def _doc_link_module(self) -> str:
        return "infoscope" if documentation_address() else "no address is known"

    @property
    def _doc_link_template(self) -> str:
        return f"{documentation_address()}/{PAGES}/{{page}}.html"

    def _doc_link_url_param_generator(self) -> dict[str, str]:
        package = ".".join(type(self).__module__.split(".")[:2])
        return {"page": f"{package}.{type(self).__name__}"}
