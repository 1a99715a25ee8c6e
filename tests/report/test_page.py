"""Pages of results: what stands on them, in which order, and that nothing in them runs or is fetched."""

import base64
import hashlib
import json
from dataclasses import dataclass, replace

import numpy as np
import pytest
from tests.report.reader import VOID, read

import infoscope
from infoscope.base import DataError, ParameterError, Result
from infoscope.density import PAk
from infoscope.io import write_result
from infoscope.report import write_page

HOSTILE = (
    "</script><script>alert(1)</script>",
    '"><img src=x onerror="alert(1)">',
    "<b>bold</b> & 'quoted'",
    "left‮thgir‏",
    "two\u2028lines\u2029more",
    "bell\x07 and \x00",
    "$x^2$ {0}",
    "a" * 500,
)
X = np.random.default_rng(0).normal(size=(120, 2))


@dataclass(frozen=True)
class Named(Result):
    """A result of somebody's own, which says whatever it is told."""

    said: str
    value: float = 1.0
    value_se: float = 0.1
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def _title(self):
        return self.said

    @property
    def verdict(self):
        return f"It is {self.said}."

    def _rows(self):
        return [{"name": self.said, self.said: 1.0, "value": self.value, "value_se": self.value_se}] * 2


def test_a_page_from_top_to_bottom(states, tmp_path):
    result = replace(states, warnings=("look out",), notes=("by the way",))
    page = read(result.to_html(tmp_path / "page.html"))
    whole = page.text.partition("To the answer")[2]
    said = (
        *("Where is the data dense", str(result._title), result.verdict, "Warning: look out", "The numbers"),
        *("The picture", "by the way", "How it was computed", "DensityPeaks", result.provenance.input_hash),
        *("Run it again", "What to cite", "@article", "The record", "Download record.json"),
    )
    places = [whole.index(text) for text in said]
    assert places == sorted(places)
    assert f"{result.populations[0]:.2f}" in whole and "±" in whole
    record = json.loads(page.downloads()["record.json"])
    assert record == json.loads(write_result(result, tmp_path / "same.json").read_text("utf-8"))


def test_the_picture_stands_inside_and_its_names_are_its_own(states, tmp_path):
    page = read(write_page([states, states], tmp_path / "page.html"))
    drawings = [said for name, said in page.elements if name == "svg"]
    assert len(drawings) == 2 and all(
        said["role"] == "img" and states.verdict in said["aria-label"] for said in drawings
    )
    names = [said["id"] for _, said in page.elements if "id" in said]
    assert len(names) == len(set(names))
    for _, said in page.elements:
        for value in said.values():
            for used in (value or "").split("url(#")[1:]:
                assert used.split(")")[0] in names
        if (said.get("xlink:href") or "").startswith("#"):
            assert said["xlink:href"][1:] in names


def test_the_same_result_gives_the_same_bytes(states, tmp_path):
    first, second = (write_page(states, tmp_path / name).read_bytes() for name in ("a.html", "b.html"))
    assert first == second


def test_nothing_is_loaded_and_only_named_scripts_run(states, tmp_path):
    page = read(states.to_html(tmp_path / "page.html"))
    rules = dict(rule.strip().split(" ", 1) for rule in page.policy.split(";"))
    assert rules["default-src"] == "'none'" and "unsafe" not in rules["script-src"]
    running = [text for said, text in page.scripts if "type" not in said]
    hashes = {"'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'" for text in running}
    assert running and set(rules["script-src"].split()) == hashes
    for _, said in page.elements:
        assert not any(name.startswith("on") for name in said), said
        for name in ("href", "src", "xlink:href"):
            assert said.get(name, "#").startswith(("#", "data:")), said


@pytest.mark.parametrize("name", HOSTILE, ids=lambda name: ascii(name[:12]))
def test_names_are_text(name, tmp_path):
    """Elements are those of a page with a harmless name, and the name is seen as it is written."""
    plain = read(Named("harmless", warnings=("harmless",), notes=("harmless",)).to_html(tmp_path / "plain.html"))
    page = read(Named(name, warnings=(name,), notes=(name,)).to_html(tmp_path / "page.html"))
    assert [element for element, _ in page.elements] == [element for element, _ in plain.elements]
    assert len(page.scripts) == len(plain.scripts) and not page.open and not set(page.open) & VOID
    seen = "".join(page.seen)
    shown = name.translate({ord(sign): repr(sign)[1:-1] for sign in "‮‏\u2028\u2029\x07\x00"})
    assert seen.count(shown) >= 6 and not set("‮‏\u2028\u2029\x07\x00") & set(seen)
    assert json.loads(page.downloads()["record.json"])["title"] == name


@pytest.mark.parametrize("name", HOSTILE, ids=lambda name: ascii(name[:12]))
@pytest.mark.filterwarnings("ignore:Glyph")
def test_names_of_columns_are_text_in_the_picture(name, tmp_path):
    pair = infoscope.information_imbalance(infoscope.Space(X, name=name), infoscope.Space(X[:, :1], name="psi"))
    plain = read(infoscope.information_imbalance(X, X[:, :1]).to_html(tmp_path / "plain.html"))
    page = read(pair.to_html(tmp_path / "page.html"))
    assert {element for element, _ in page.elements} == {element for element, _ in plain.elements}
    assert len(page.scripts) == len(plain.scripts)
    assert sum("onerror" in said for _, said in page.elements) == 0


def test_a_record_has_the_numbers_and_says_what_it_lacks(states, tmp_path):
    page = read(write_page(write_result(states, tmp_path / "states.json"), tmp_path / "page.html"))
    assert states.verdict in page.text and str(states._title) in page.text and "holds the numbers" in page.text
    assert not page.attributes("svg", "role") and "DensityPeaks" in page.text


def test_a_result_without_a_picture_says_so(tmp_path):
    page = read(
        infoscope.statistics.adjacency_test(np.arange(40), np.roll(np.arange(40), 1), 40).to_html(tmp_path / "p.html")
    )
    assert "OrderTest has no picture." in page.text
    distances = np.linalg.norm(X[:, None] - X[None], axis=2)
    found = PAk(dimension=2).fit(infoscope.Space(distances, metric="precomputed")).result_
    assert "There is no picture: there are no coordinates to draw" in read(found.to_html(tmp_path / "q.html")).text


def test_several_results_stand_side_by_side(states, tmp_path):
    pairs = {name: infoscope.information_imbalance(X[rows], X[rows, :1]) for name, rows in
             {"300 K": slice(0, 60), "600 K": slice(60, 120)}.items()}  # fmt: skip
    page = read(write_page(pairs | {"states": states}, tmp_path / "page.html"))
    assert page.headings("article") == ["result-1", "result-2", "result-3"]
    links = page.attributes("a", "href")
    assert links[1:4] == ["#result-1", "#result-2", "#result-3"]
    beside = page.text[page.text.index("InformationImbalance: 2 results") : page.text.index("Which data")]
    for name, pair in pairs.items():
        assert f"{name} {infoscope.base.format_estimate(pair.a_to_b, pair.a_to_b_se)}" in beside


def test_numbers_that_are_none(tmp_path):
    found = Named("odd", value=float("nan"), value_se=float("inf"), warnings=("only one point",))
    assert "nan" in read(found.to_html(tmp_path / "page.html")).text
    one = replace(found, value=float("inf"), value_se=float("nan"))
    assert "inf" in read(one.to_html(tmp_path / "page.html")).text


@pytest.mark.parametrize(
    ("given", "path", "error", "message"),
    [
        ("states.npz", "page.txt", ParameterError, "pages are written as .html, not as '.txt'"),
        ("states.npz", "nowhere/page.html", ParameterError, "there is no folder nowhere"),
        ("states.csv", "page.html", ParameterError, "states.csv is no result"),
        ("missing.npz", "page.html", DataError, "missing.npz"),
        ("cut.npz", "page.html", DataError, "cut.npz"),
        ("newer.json", "page.html", DataError, "newer.json has format version 99"),
        ("wrong.json", "page.html", DataError, "wrong.json is damaged: verdict is 3"),
        ("fit.npz", "page.html", DataError, "fit.npz holds an estimator: save its result_"),
        ([], "page.html", ParameterError, "a page needs a result"),
        (3, "page.html", TypeError, "int"),
        ([3], "page.html", ParameterError, "not a int"),
    ],
    ids=str,
)
def test_what_cannot_be_a_page_is_said(states, tmp_path, monkeypatch, given, path, error, message):
    monkeypatch.chdir(tmp_path)
    infoscope.save(states, "states.npz")
    infoscope.save(PAk(dimension=2).fit(X), "fit.npz")
    whole = (tmp_path / "states.npz").read_bytes()
    (tmp_path / "cut.npz").write_bytes(whole[: len(whole) // 2])
    record = json.loads(write_result(states, "states.json").read_text("utf-8"))
    (tmp_path / "newer.json").write_text(json.dumps(record | {"format_version": 99}))
    (tmp_path / "wrong.json").write_text(json.dumps(record | {"verdict": 3}))
    with pytest.raises(error) as caught:
        write_page(given, path)
    assert message in str(caught.value)
    assert not (tmp_path / "page.html").exists()
