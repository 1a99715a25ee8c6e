"""Docstrings as texts: what is kept of a source file, and what is not."""

import sys

import pytest

from infoscope.base import DataError, MissingExtraError, ParameterError
from infoscope.datasets import docstring_texts

SAID = "Cats sit on mats, 42 of them.\n\n    >>> forget(this)\n    ... and_this\n\n    Dogs\u00e9 do not...\n"


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A package of which importing anything fails."""
    root = tmp_path / "tests" / "speaking"  # a folder above the package may be called anything
    (root / "tests").mkdir(parents=True)
    monkeypatch.syspath_prepend(str(root.parent))
    for name, text in (("__init__.py", ""), ("b.py", 20 * SAID), ("a.py", "short"), ("tests/test_b.py", 20 * SAID)):
        (root / name).write_text(f'"""{text}"""\nraise ImportError\n# a comment\n', encoding="utf-8")
    return root


def test_text_without_code_digits_and_markup(package):
    assert docstring_texts(["speaking"]) == [(20 * "cats sit on mats of them. dogs do not. ")]
    assert "speaking" not in sys.modules


def test_functions_and_classes_speak_too_and_files_are_in_order(package):
    body = '\ndef f():\n    """Inner words"""\n' + 'class A:\n    """Outer words"""\n'
    (package / "a.py").write_text(f'"""{"x " * 120}"""{body}', encoding="utf-8")
    first, second = docstring_texts(["speaking"])
    assert first.startswith("x x x") and "inner words" in first and "outer words" in first
    assert second.startswith("cats")


def test_errors(package):
    (package / "b.py").unlink()
    with pytest.raises(DataError, match="no docstrings of 200 characters in speaking"):
        docstring_texts(["speaking"])
    with pytest.raises(MissingExtraError, match="no_such_package is not installed"):
        docstring_texts(["no_such_package"])
    for packages in ("scipy", []):
        with pytest.raises(ParameterError, match="as a list"):
            docstring_texts(packages)
