"""English that is on every machine: the docstrings of installed packages, read from their source files."""

from __future__ import annotations

import ast
import re
from collections.abc import Sequence

from infoscope.base import DataError, ParameterError

from .packaged_files import PackagedFile

PACKAGES = ("scipy", "sklearn")  # some 8 MB, there wherever this library is
LEAST = 200  # characters of a text that is kept
_CODE = re.compile(r"^\s*(>>>|\.\.\.).*$", re.MULTILINE)


def docstring_texts(packages: Sequence[str] = PACKAGES) -> list[str]:
    """The docstrings of packages as texts of lower-case letters, spaces and full stops, one text a source file.

    Nothing is imported.  Files of tests are left out, and so are lines of code, markup and digits, and files with fewer
    than 200 characters of text.

    Parameters
    ----------
    packages : sequence of str
        Names of packages as Python would import them.

    Returns
    -------
    list of str
        By package, in the order of the paths of their files.

    Raises
    ------
    MissingExtraError
        A package that is not installed.
    ParameterError
        One name in the place of several, or none.
    DataError
        Packages without docstrings.

    Examples
    --------
    >>> from infoscope.datasets import docstring_texts
    >>> texts = docstring_texts(["sklearn"])
    >>> len(texts) > 100, "".join(sorted(set("".join(texts))))
    (True, ' .abcdefghijklmnopqrstuvwxyz')
    """
    if isinstance(packages, str) or not len(packages):
        raise ParameterError(f'packages is {packages!r}: pass the names of packages as a list, such as ["scipy"]')
    texts = []
    for package in packages:
        root = PackagedFile(package, "", package).find()
        for file in sorted(root.rglob("*.py")):
            if "tests" in file.relative_to(root).parts:
                continue
            nodes = ast.walk(ast.parse(file.read_text(encoding="utf-8")))
            documented = (node for node in nodes if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef))
            said = "\n".join(filter(None, map(ast.get_docstring, documented)))
            text = re.sub(r"[^a-z.]+", " ", _CODE.sub("", said).lower())
            if len(text) > LEAST:
                texts.append(re.sub(r"(\.\s*)+", ". ", text))
    if not texts:
        raise DataError(f"no docstrings of {LEAST} characters in {', '.join(packages)}: name other packages")
    return texts
