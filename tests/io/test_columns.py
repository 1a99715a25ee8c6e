"""Choosing columns by names, globs, numbers and ranges."""

import pytest

from infoscope.base.errors import ParameterError
from infoscope.io import parse_columns

NAMES = ["time", "phi", "psi", "chi1", "chi2", "d(1,2)"]


@pytest.mark.parametrize(
    ("expression", "positions"),
    [
        ("phi", [1]),
        ("0-2", [0, 1, 2]),
        ("4-", [4, 5]),
        ("3,0", [3, 0]),
        ("chi*,phi", [3, 4, 1]),
        ("p?i", [1, 2]),
        ("!time", [1, 2, 3, 4, 5]),
        ("*,!chi*", [0, 1, 2, 5]),
        ("d(1,2),phi", [5, 1]),
        ("0-1,phi, 1", [0, 1]),
    ],
)
def test_expressions(expression, positions):
    assert parse_columns(expression, NAMES) == positions


def test_a_name_wins_over_a_number():
    assert parse_columns("1", ["2", "1", "0"]) == [1]
    assert parse_columns("1-3", ["1", "2", "3"]) == [0, 1, 2]
    assert parse_columns("CA-CB", ["CA-CB", "x"]) == [0]


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("PHi2", "Did you mean 'phi'"),
        ("phi,omega", "no column is called 'omega'.*time, phi, psi"),
        ("6", "column 6 does not exist: there are 6 columns"),
        ("2-9", "column 9 does not exist"),
        ("3-1", "runs backwards"),
        ("", "no column is chosen"),
        ("phi,!phi", "no column is left"),
    ],
)
def test_what_matches_nothing_is_named(expression, message):
    with pytest.raises(ParameterError, match=message):
        parse_columns(expression, NAMES)
