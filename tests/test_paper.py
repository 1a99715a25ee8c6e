"""paper.md has the form that the Journal of Open Source Software asks for, and what it says and cites is there."""

import re
from pathlib import Path

import pytest

from infoscope.base import REFERENCES

ROOT = Path(__file__).resolve().parent.parent
if not (ROOT / "paper.md").exists():
    pytest.skip("these are tests of the source tree", allow_module_level=True)

PAPER, BIBLIOGRAPHY = ((ROOT / name).read_text("utf-8") for name in ("paper.md", "paper.bib"))
_, HEAD, BODY = PAPER.split("---\n", 2)
ENTRIES = {re.match(r"@\w+\{([^,]+),", entry)[1]: entry.strip() for entry in re.split(r"\n\n(?=@)", BIBLIOGRAPHY)}


def test_the_head_has_what_is_asked():
    yaml = pytest.importorskip("yaml")
    said = yaml.safe_load(HEAD)
    assert set(said) == {"title", "tags", "authors", "affiliations", "date", "bibliography"}
    known = {one["index"] for one in said["affiliations"]}
    assert said["authors"] and all(one["name"] and one["affiliation"] in known for one in said["authors"])
    assert "Python" in said["tags"] and (ROOT / said["bibliography"]).exists()
    assert re.fullmatch(r"\d{1,2} [A-Z][a-z]+ \d{4}", str(said["date"]))


def test_the_sections_and_the_length():
    sections = re.findall(r"^# (.+)$", BODY, re.MULTILINE)
    assert sections[:3] == ["Summary", "Statement of need", "State of the field"] and sections[-1] == "References"
    assert 250 <= len(BODY.split()) <= 1750


def test_what_is_cited_is_in_the_bibliography_and_the_other_way_round():
    cited = set(re.findall(r"@([a-z]+\d{4}\w*)", BODY))
    assert cited == set(ENTRIES)
    assert list(ENTRIES) == sorted(ENTRIES)
    ours = {re.match(r"@\w+\{([^,]+),", entry)[1]: entry for entry in REFERENCES.values()}
    for key, entry in ENTRIES.items():
        assert entry.count("{") == entry.count("}") and all(word in entry for word in ("author", "title", "year")), key
        assert entry == ours.get(key, entry), f"{key}: result.cite() says something else"


def test_pictures_and_measured_numbers_are_there():
    for picture in re.findall(r"!\[[^]]*\]\(([^)]+)\)", BODY):
        assert (ROOT / picture).exists()
    bars = (ROOT / "docs" / "benchmarks.md").read_text("utf-8")
    assert "a 57th of the time and a 20th of the memory" in BODY
    assert re.search(r"DADApy's call for two data sets, k = 1 \|[^|]*\| 57\.\d times", bars)
    assert re.search(r"its call for two data sets \|[^|]*\| 20\.\d times", bars)
