"""Every name of docs/reference.rst has a docstring in numpydoc's form."""

import dataclasses
import importlib
import re
from pathlib import Path

import pytest

REFERENCE = Path(__file__).resolve().parent.parent / "docs" / "reference.rst"
if not REFERENCE.exists():
    pytest.skip("the documentation is not here", allow_module_level=True)
from numpydoc.validate import ERROR_MSGS, validate  # noqa: E402  (needs Sphinx)

from infoscope.base import MissingExtraError  # noqa: E402

NOT_ASKED = {
    "ES01": "where one sentence says all, it stands alone",
    "PR03": "parameters are grouped by what they are for",
    "PR04": "names that another function describes need no type: 'As for `nearest`.'",
    "PR07": "as PR04: several names share one description",
    "PR08": "a description may begin with a symbol of the field, such as d",
    "RT02": "a returned value may have a name",
    "RT03": "the name of a result class says what is returned",
    "RT04": "as PR08",
    "SA01": "related functions stand together in the reference",
    "SA03": "as PR08",
    "SS02": "as PR08",
    "SS03": "the summary of a comparison is the question it answers",
    "SS05": "the summary of a measure is a noun: what is returned",
}
ASKED = set(ERROR_MSGS) - set(NOT_ASKED)
MADE_BY_FUNCTIONS = {"PR01", "EX01"}  # of what nobody makes by hand, the attributes are documented
PICTURES = {"PR01", "EX01", "RT01"}  # drawn by Result.plot, which documents what all of them share
EXCEPTIONS = {
    "dii_forward": {"PR01", "PR02"},  # describes the options of all searches one by one
    "result_classes": {"PR02"},  # numpydoc takes a parameter called cls for that of a method
    "missing_values": {"PR02"},
}


def names():
    """The names in the lists of the reference."""
    found, module = [], ""
    for line in REFERENCE.read_text(encoding="utf-8").splitlines():
        if start := re.match(r"\.\. currentmodule:: (\S+)", line):
            module = start[1]
        elif re.match(r"   \w+$", line):
            found.append(f"{module}.{line.strip()}")
    return found


def is_made_by_functions(thing):
    """Whether it is a class of results, errors or other things that functions return, or that is there to inherit."""
    plain = {"Progress", "Reduction", "Result", "WaveFunction"}
    return isinstance(thing, type) and (
        dataclasses.is_dataclass(thing)
        or issubclass(thing, (tuple, Exception))
        or thing.__name__ in plain
        or getattr(thing, "_is_protocol", False)
    )


def thing_of(name):
    """What a name stands for; a class of a package that is not installed is not asked."""
    module, short = name.rsplit(".", 1)
    try:
        return getattr(importlib.import_module(module), short)
    except MissingExtraError as missing:
        pytest.skip(str(missing))


@pytest.mark.parametrize("name", names())
def test_a_public_name_has_a_docstring_in_numpydocs_form(name):
    thing = thing_of(name)
    if not callable(thing):  # a constant, documented by a comment
        return
    asked = ASKED - EXCEPTIONS.get(name.rsplit(".", 1)[1], set())
    if is_made_by_functions(thing):
        asked -= MADE_BY_FUNCTIONS
    if ".plots" in name:
        asked -= PICTURES
    assert [f"{code}: {text}" for code, text in validate(name)["errors"] if code in asked] == []


BARS = re.compile(r"(?<![\w|`])\|[^\s|][^|]*\|(?!\|)")  # reStructuredText puts another text in place of |this|


@pytest.mark.parametrize("name", names())
def test_bars_of_absolute_values_stand_in_code(name):
    text = thing_of(name).__doc__ or ""
    prose = re.sub(r"``.*?``|:math:`.*?`|^ *(?:>>>|\.\.\.)[^\n]*$", "", text, flags=re.DOTALL | re.MULTILINE)
    assert BARS.findall(prose) == []


ROOMS = sorted({name.split(".")[1] for name in names()} - {"cli", "report"})


@pytest.mark.parametrize("room", ROOMS)
def test_the_reference_leaves_out_no_public_name(room):
    listed = {name.rsplit(".", 1)[1] for name in names() if name.split(".")[1] == room}
    assert set(importlib.import_module(f"infoscope.{room}").__all__) - listed == set()


def test_the_reference_is_read():
    assert len(names()) > 150
