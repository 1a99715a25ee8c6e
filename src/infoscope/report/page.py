"""A page of one result or several: put together, checked and written in one piece."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from importlib.resources import files as resources
from os import PathLike
from pathlib import Path
from typing import Any

from infoscope.base import Result
from infoscope.base.errors import ParameterError
from infoscope.base.pictures import register_page_writer
from infoscope.storage import check_target, write_text

from .answers import Answer, answer_of
from .bokeh_files import bokeh_scripts, check_bokeh
from .markup import policy, tag, text_of
from .sections import article_of, contents_of

SUFFIX = ".html"


@register_page_writer
def write_page(
    results: Result | str | PathLike[str] | Sequence[Any] | Mapping[str, Any],
    path: str | PathLike[str],
    *,
    command: str | None = None,
    inputs: Any = None,
    files: Sequence[str | PathLike[str]] = (),
    saved_as: str = "",
) -> Path:
    """Write a page to show to others: one file that a browser opens without a network.

    From top to bottom: the question and the verdict, warnings, the numbers with their errors, the picture, notes, how
    it was computed, the command that runs it again, what to cite, and the record to download.

    Parameters
    ----------
    results : Result, path, or several of them
        Results; ``.npz`` files, which hold them whole; ``.json`` records, which hold the numbers and so have no
        picture.  Of several, the page has a list of contents, and results of one class stand side by side in a table.
        A mapping names them: ``{"300 K": cold, "600 K": hot}``.
    path : str or path
        A file that ends in ``.html``; one that is there is replaced when the new one is complete.
    command, inputs, files
        Of one result: what it was made by and from, as `infoscope.io.write_result` takes them.
    saved_as : str
        Of one result: the ``.npz`` file that holds it, for the commands that the page proposes.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    ParameterError
        If the path does not end in .html or its folder does not exist, or something else than results is given.
    DataError
        If a file is missing, damaged, of another kind, or written by a newer version of the library.
    MissingExtraError
        If bokeh, whose scripts draw in the page, is not installed (extra ``report``).

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import numpy as np
    >>> import infoscope
    >>> from infoscope.report import write_page
    >>> x = np.random.default_rng(0).normal(size=(60, 3))
    >>> pair = infoscope.information_imbalance(x, x[:, :2])
    >>> page = write_page({"first try": pair, "second": pair}, pathlib.Path(tempfile.mkdtemp(), "page.html"))
    >>> "first try" in page.read_text(encoding="utf-8")
    True
    """
    path = check_page_path(path)
    if isinstance(results, Mapping):
        answers = [answer_of(given, name=str(name)) for name, given in results.items()]
    elif isinstance(results, Result | str | PathLike):
        answers = [answer_of(results, command=command, inputs=inputs, files=files, saved_as=saved_as)]
    else:
        answers = [answer_of(given) for given in results]
    if not answers:
        raise ParameterError("a page needs a result: none was given")
    return write_text(path, page_text(answers))


def check_page_path(path: str | PathLike[str]) -> Path:
    """Raise now what `write_page` would raise about its path after the work is done.

    Parameters
    ----------
    path : str or path
        Where the page is to go.

    Returns
    -------
    Path

    Examples
    --------
    >>> from infoscope.report import check_page_path
    >>> check_page_path("page.html").name
    'page.html'
    """
    path = check_target(path, (SUFFIX,), "pages are written")
    check_bokeh()
    return path


def page_text(answers: Sequence[Answer]) -> str:
    """The page; the same text for the same results."""
    alone = len(answers) == 1
    title = answers[0].title if alone else f"{len(answers)} results"
    articles = [article_of(answer, number, alone=alone) for number, answer in enumerate(answers, start=1)]
    scripts = [asset("page.js")]
    if any('class="interactive' in article for article in articles):
        scripts += [*bokeh_scripts(), asset("explorer.js"), asset("charts.js")]
    head = [
        '<meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{policy(scripts)}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<meta name="referrer" content="no-referrer">',
        tag("title", text_of(title)),
        f"<style>{asset('page.css')}</style>",
    ]
    top = [] if alone else [tag("h1", text_of(title)), contents_of(answers)]
    body = [
        tag("a", "To the answer", href="#answer", class_="skip"),
        tag("main", [*top, *articles], id="answer"),
        tag("p", "", id="said", role="status", class_="status"),
        *(f"<script>{script}</script>" for script in scripts),
    ]
    return f'<!DOCTYPE html>\n<html lang="en">\n{tag("head", head)}\n{tag("body", body)}\n</html>\n'


def asset(name: str) -> str:
    """A file beside this one, as it stands inside the page."""
    return resources("infoscope.report").joinpath("assets", name).read_text(encoding="utf-8")
