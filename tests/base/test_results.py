import json
import math
import re
import sys
from dataclasses import dataclass, field, fields, replace
from html.parser import HTMLParser

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.results import one_of_each

import infoscope.base
import infoscope.statistics
from infoscope.base import REFERENCES, Provenance, Result, format_estimate, missing_values, provenance, result_classes


@pytest.mark.parametrize(
    ("value", "se", "text"),
    [
        (0.1324, 0.0041, "0.132 ± 0.004"),
        (0.1324, 0.0123, "0.132 ± 0.012"),
        (0.1324, 0.00355, "0.132 ± 0.004"),
        (0.1324, 0.0356, "0.13 ± 0.04"),
        (0.1324, 0.096, "0.13 ± 0.10"),
        (0.1324, 0.0999, "0.13 ± 0.10"),
        (-1.5, 1, "-1.5 ± 1.0"),
        (12345, 678, "12300 ± 700"),
        (1999.6, 12.3, "2000 ± 12"),
        (0.0, 0.01, "0.000 ± 0.010"),
        (2.5e-7, 1.2e-8, "(2.50 ± 0.12)e-07"),
        (3.2e9, 4e7, "(3.20 ± 0.04)e+09"),
        (1e-9, 0.02, "0.000 ± 0.020"),
        (0.123456789012, 1.6e-15, "0.123456789 ± 2e-15"),  # and not sixteen digits
        (-7.36391382841, 2.2e-7, "-7.36391383 ± 0.00000022"),
        (0.13241, None, "0.1324"),
        (0.13241, 0.0, "0.1324 ± 0"),
        (0.13241, math.nan, "0.1324 ± nan"),
        (0.13241, math.inf, "0.1324 ± inf"),
        (math.nan, 0.1, "nan ± 0.1"),
        (None, None, "nan"),
        (math.inf, None, "inf"),
        (np.float32(0.5), np.float32(0.25), "0.50 ± 0.25"),
    ],
)
def test_format_estimate(value, se, text):
    assert format_estimate(value, se) == text


@given(st.floats(-1e5, 1e5), st.floats(1e-4, 1e5))
@settings(derandomize=True, deadline=None)
def test_formatted_numbers_are_close_to_the_numbers(value, se):
    text = format_estimate(value, se)
    shown = [float(part) for part in text.split(" ± ")]
    assert abs(shown[1] - se) <= 0.15 * se  # one digit from 3.55 on: at most 0.5 in 3.5
    assert abs(shown[0] - value) <= 0.15 * se * (1 + 1e-9) + 1e-9


@dataclass(frozen=True, eq=False)
class Comparison(Result):
    a_to_b: float
    a_to_b_se: float
    k: int
    name_a: str = "<A>"
    ranks: np.ndarray = field(default_factory=lambda: np.zeros(3))
    warnings: tuple = ("a < b",)
    notes: tuple = ("two rows dropped",)
    provenance: Provenance | None = None
    _references = ("information_imbalance",)

    @property
    def verdict(self):
        return f"{self.name_a} contains B."


@dataclass(frozen=True, eq=False)
class Curve(Result):
    k: np.ndarray
    value: np.ndarray

    def _rows(self):
        return [{"k": int(k), "value": v, "value_se": 0.1 * v} for k, v in zip(self.k, self.value, strict=True)]


@pytest.fixture
def comparison():
    return Comparison(np.float64(0.1324), 0.0041, 1, provenance=provenance("f", {"k": 1}, 0, np.eye(2)))


@pytest.fixture
def curve():
    return Curve(np.arange(1, 26), np.linspace(0.5, 1.0, 25))


def test_a_person_can_read_it(comparison):
    assert str(comparison).splitlines() == [
        "Comparison",
        "  a_to_b  0.132 ± 0.004",
        "<A> contains B.",
        "Warning: a < b",
        "Note: two rows dropped",
    ]


def test_html_is_escaped(comparison, curve):
    page = comparison._repr_html_()
    assert "&lt;A&gt; contains B." in page and "a &lt; b" in page and "<A>" not in page
    assert "<th>a_to_b</th><td>0.132 ± 0.004</td>" in page
    assert curve._repr_html_().count("<tr>") == 22  # header, 20 rows, "5 more"


def test_a_table_without_estimates(curve):
    lines = str(curve).splitlines()
    assert lines[1].split() == ["k", "value"] and lines[2].split(maxsplit=1) == ["1", "0.50 ± 0.05"]
    assert lines[-1].strip() == "... 5 more rows"


def test_estimates_can_be_named_and_labelled():
    @dataclass(frozen=True)
    class Labelled(Result):
        x: float = 1.0
        _title = "A and B"
        _estimates = ("x", ("A → B", 0.5, 0.1), ("relation", "equivalent", None))

    assert str(Labelled()).splitlines() == [
        "A and B",
        "  x         1",
        "  A → B     0.50 ± 0.10",
        "  relation  equivalent",
    ]


def test_to_dict_is_flat_and_fit_for_json(comparison, curve):
    values = comparison.to_dict()
    assert json.loads(json.dumps(values, allow_nan=False)) == values
    assert values["a_to_b"] == 0.1324 and type(values["a_to_b"]) is float
    assert values["verdict"] == "<A> contains B." and values["warnings"] == "a < b"
    assert values["provenance.parameters.k"] == 1 and values["provenance.seed"] == 0
    assert "ranks" not in values
    assert curve.to_dict()["24.value"] == 1.0 and "value" not in curve.to_dict()
    assert Comparison(math.nan, 1.0, 1).to_dict()["a_to_b"] is None


def test_to_frame(comparison, curve):
    assert list(curve.to_frame().columns) == ["k", "value", "value_se"] and len(curve.to_frame()) == 25
    assert comparison.to_frame()["a_to_b"].tolist() == [0.1324]


def test_cite(comparison):
    assert comparison.cite() == REFERENCES["information_imbalance"] + "\n\n" + REFERENCES["infoscope"]


def test_without_a_picture(curve):
    with pytest.raises(TypeError, match="Curve has no picture"):
        curve.plot()


def test_every_standard_error_has_its_value():
    @dataclass(frozen=True)
    class Wrong(Result):
        size_se: float = 0.0

    assert missing_values(Wrong) == ["size_se"]
    classes = [cls for cls in result_classes() if cls.__module__.startswith("infoscope.")]
    assert infoscope.statistics.CorrelationTime in classes
    for cls in classes:
        assert missing_values(cls) == [], cls


# ------------------------------------------------------------------------------------------- every class of the library
@pytest.fixture(scope="module")
def every():
    return one_of_each()


def test_there_is_a_result_of_every_class(every):
    pytest.importorskip("torch", reason="some are of networks that learn")
    ours = [cls for cls in result_classes() if cls.__module__.startswith("infoscope.")]
    classes = {cls for cls in ours if hasattr(sys.modules[cls.__module__], cls.__name__) and not cls.__subclasses__()}
    assert classes == set(every)


class Page(HTMLParser):
    """Tags that are opened and closed in order, in the places where HTML allows them, and the text between."""

    inside = {"tr": "table", "td": "tr", "th": "tr", "table": "", "p": "", "strong": "p"}

    def __init__(self, page):
        super().__init__()
        self.open, self.text = [""], []
        self.feed(page)
        self.close()
        assert self.open == [""]

    def handle_starttag(self, tag, attributes):
        assert self.open[-1] == self.inside[tag], tag
        assert [name for name, _ in attributes] in ([], ["style"])
        self.open.append(tag)

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, text):
        self.text.append(text)


def test_every_result_is_valid_html(every):
    for result in every.values():
        text = " ".join(" ".join(Page(result._repr_html_()).text).split())
        assert " ".join(result.verdict.split()) in text and str(result._title).split()[0] in text
        assert all(" ".join(note.split()) in text for note in getattr(result, "notes", ()))


def test_names_from_files_cannot_write_html(every):
    evil = "<img src=x onerror='alert(1)'>&amp;\"</td>"
    for result in every.values():
        changes = {}
        for item in fields(result):
            value = getattr(result, item.name)
            if item.name.startswith("name_") or item.name == "message":
                changes[item.name] = evil
            elif item.name in ("names", "target_names", "column_names", "warnings", "notes"):
                changes[item.name] = tuple(f"{evil}{index}" for index in range(len(value or "abc")))
        page = replace(result, **changes)._repr_html_()
        assert changes and "<img" not in page
        assert evil[:20] in "".join(Page(page).text)


def test_tables_in_cells_keep_their_columns(every):
    page = next(result for cls, result in every.items() if cls.__name__ == "ImbalanceMatrix")._repr_html_()
    assert page.count("white-space: pre") == 4  # the names of the targets and three rows


def test_every_result_can_be_cited(every):
    for result in every.values():
        entries = re.findall(r"^@(\w+)\{(\w+),", result.cite(), re.MULTILINE)
        assert ("software", "infoscope") in entries and len(set(entries)) == len(entries)
        for entry in result.cite().split("\n\n"):
            depth = 0
            for place, sign in enumerate(entry):
                depth += {"{": 1, "}": -1}.get(sign, 0)
                assert depth > 0 or place < entry.index("{") or place == len(entry) - 1, entry
            assert depth == 0 and entry.endswith("}") and "title" in entry and "year" in entry
    assert "glielmo2022ranking" in next(iter(every.values())).cite()


def test_tables_become_xarray_that_says_how_it_was_computed(tmp_path):
    xarray = pytest.importorskip("xarray")
    x = np.random.default_rng(0).normal(size=(60, 3))
    curve = infoscope.imbalance_scale_curve(x, x[:, :2], k=(1, 4))
    found = curve.to_xarray()
    assert (
        dict(found.sizes) == {"row": 2} and found["a_to_b_se"].values.tolist() == curve.to_frame()["a_to_b_se"].tolist()
    )
    pytest.importorskip("netCDF4")
    found.to_netcdf(tmp_path / "curve.nc")
    with xarray.open_dataset(tmp_path / "curve.nc") as back:
        assert back.attrs["verdict"] == curve.verdict
        assert back.attrs["provenance.input_hash"] == curve.provenance.input_hash
        np.testing.assert_array_equal(back["a_to_b"], found["a_to_b"])
