"""Changed tokens in HTML: what is marked, what is escaped, what is left out."""

import html
import re

import numpy as np
import pytest

from infoscope.base import DataError
from infoscope.clones import changed_tokens


def letters(ids):
    return "".join(chr(97 + i) for i in ids)


def lines(text):
    """(before, after with [] around what is marked) of every block."""
    text = re.sub(r"<mark[^>]*>(.*?)</mark>", r"[\1]", text)
    return [re.findall(r"<div>(.*?)</div>", block) for block in text.split("\n")]


def test_runs_of_changed_tokens_are_marked_together():
    start = np.array([[0, 1, 2, 3, 4], [0, 0, 0, 0, 0]])
    clone = np.array([[0, 5, 6, 3, 7], [0, 0, 0, 0, 0]])
    assert lines(changed_tokens(start, clone, decode=letters)) == [["abcde", "a[fg]d[h]"], ["aaaaa", "aaaaa"]]


def test_padding_is_not_shown():
    assert lines(changed_tokens([[1, 2, -1]], [[3, 2, -1]], decode=letters)) == [["bc", "[d]c"]]


def test_text_is_escaped_and_numbers_stand_without_a_decoder():
    found = changed_tokens([[0, 1]], [[0, 2]], decode=lambda ids: "<b>&" * len(ids))
    assert "<b>" not in found and html.unescape(found).count("<b>&") == 4
    assert lines(changed_tokens([[10, 11]], [[10, 12]])) == [["10 11 ", "10 [12 ]"]]


def test_rows_are_chosen():
    start = np.arange(20).reshape(10, 2)
    assert len(lines(changed_tokens(start, start))) == 5
    assert lines(changed_tokens(start, start, rows=[9, 0])) == [["18 19 "] * 2, ["0 1 "] * 2]


@pytest.mark.parametrize(
    ("start", "clone", "rows", "text"),
    [
        ([[0, 1]], [[0, 1, 2]], None, "two arrays"),
        ([0, 1], [0, 1], None, "two arrays"),
        ([[0.0, 1.0]], [[0, 1]], None, "two arrays"),
        ([[0, 1]], [[0, 1]], [1], "from 0 to 0"),
        ([[0, 1]], [[0, 1]], [-1], "from 0 to 0"),
    ],
)
def test_what_cannot_be_shown(start, clone, rows, text):
    with pytest.raises(DataError, match=text):
        changed_tokens(start, clone, rows=rows)
