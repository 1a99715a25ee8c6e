"""A page of every result class of the library."""

import pytest
from tests.report.reader import read
from tests.results import one_of_each

from infoscope.density import DecisionGraph
from infoscope.report import write_page


@pytest.fixture(scope="module")
def every():
    return one_of_each()


def test_every_class_has_a_page(every, tmp_path):
    for cls, result in every.items():
        page = read(write_page(result, tmp_path / "page.html"))
        assert not page.open, cls
        assert "\\n" not in page.text, cls  # white space of drawings is layout, no sign to be written out
        assert all("± 0.000000000" not in seen for seen in page.seen), cls
        assert " ".join(result.verdict.split()) in page.text and "How it was computed" in page.text, cls
        assert bool(page.attributes("svg", "aria-label")) == bool(result.pictures()), cls


def test_a_result_of_points_alone_has_no_table_of_one_empty_cell(every, tmp_path):
    page = read(write_page(every[DecisionGraph], tmp_path / "page.html"))
    assert "The picture" in page.text and "The numbers" not in page.text


def test_all_of_them_on_one_page(every, tmp_path):
    page = read(write_page(list(every.values()), tmp_path / "page.html"))
    assert len(page.headings("article")) == len(every)
    names = [said["id"] for _, said in page.elements if "id" in said]
    assert len(names) == len(set(names))
