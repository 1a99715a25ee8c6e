"""The register of pictures: who draws what, with which options, and what is refused."""

import sys
from dataclasses import dataclass
from pathlib import Path
from pkgutil import walk_packages

import pytest
from matplotlib import pyplot
from matplotlib.axes import Axes

import infoscope
from infoscope.base import ParameterError, Result
from infoscope.base.pictures import load_pictures, picture, pictures_of, registered_pictures

REFERENCE = Path(__file__).parents[2] / "docs" / "reference.rst"


@dataclass(frozen=True)
class Line(Result):
    value: float
    value_se: float


@dataclass(frozen=True)
class Dashed(Line):
    pass


DRAWN = []


def note(*what):
    """Axes, as of a picture; what was asked for is kept."""
    DRAWN.append(what)
    return pyplot.figure().add_subplot()


@pytest.fixture(autouse=True)
def nothing_is_left_open():
    yield
    DRAWN.clear()
    pyplot.close("all")


@picture(Line, "first")
def draw_first(found, ax=None, *, style="screen", colour="red"):
    """The first.

    More about it.
    """
    return note("first", ax, style, colour)


@picture(Line, "main", default=True, data=lambda found, **options: {"twice": [2 * found.value]})
def draw_main(found, ax=None, *, style="screen"):
    """The main one."""
    return note("main", ax, style)


@picture(Line, "large", when=lambda found: found.value > 10)
def draw_large(found, ax=None, *, style="screen"):
    """Of large values."""
    return note("large")


def test_the_default_is_drawn_and_kinds_are_chosen():
    line = Line(1.0, 0.1)
    line.plot()
    here = pyplot.figure().add_subplot()
    line.plot(here, kind="first", style="paper", colour="blue")
    assert [("main", None, "screen"), ("first", here, "paper", "blue")] == DRAWN
    assert line.pictures() == {"main": "The main one.", "first": "The first."}


def test_a_picture_that_needs_something_is_offered_where_it_is_there():
    assert isinstance(Line(11.0, 1.0).plot(kind="large"), Axes) and DRAWN == [("large",)]
    with pytest.raises(ParameterError, match="kind must be one of 'main', 'first'"):
        Line(1.0, 1.0).plot(kind="large")
    assert list(pictures_of(Line)) == ["main", "first", "large"]  # what any of them can draw


def test_an_unknown_option_is_named_with_those_that_are_known():
    with pytest.raises(ParameterError, match="'first' of Line has no option 'color'; its options are: style, colour"):
        Line(1.0, 1.0).plot(kind="first", color="red")
    with pytest.raises(ParameterError, match="has no option"):
        Line(1.0, 1.0).plot_data(kind="main", bins=3)


def test_the_numbers_of_a_picture_are_its_own_or_those_of_the_table():
    assert Line(1.5, 0.1).plot_data()["twice"].tolist() == [3.0]
    assert Line(1.5, 0.1).plot_data(kind="first").columns.tolist() == ["value", "value_se"]


def test_a_class_of_the_user_draws_what_its_base_draws():
    Dashed(1.0, 0.1).plot(kind="first")
    assert DRAWN == [("first", None, "screen", "red")]


@pytest.mark.skipif(not REFERENCE.exists(), reason="a test of the source tree")
def test_the_reference_lists_every_picture():
    for module in walk_packages(infoscope.__path__, "infoscope."):
        if module.name.rpartition(".")[2].startswith("plots"):
            load_pictures(module.name)
    listed = REFERENCE.read_text(encoding="utf-8").split()
    drawn = {
        one.draw.__name__
        for kinds in registered_pictures().values()
        for one in kinds.values()
        if hasattr(sys.modules[one.draw.__module__], one.draw.__name__) and one.draw.__module__.startswith("infoscope")
    }
    assert len(drawn) > 40 and drawn <= set(listed)
