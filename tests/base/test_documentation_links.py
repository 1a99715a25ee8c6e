"""The boxes of scikit-learn link to the pages of the reference, and nowhere while there is no address."""

import re
from email.message import Message
from importlib import import_module
from pathlib import Path

import pytest
from sklearn.base import BaseEstimator
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from infoscope.base import documentation
from infoscope.density import PAk
from infoscope.imbalance import DifferentiableImbalance

ROOT = Path(__file__).resolve().parents[2]
REFERENCE = ROOT / "docs" / "reference.rst"
ADDRESS = "https://docs.example/en/stable"


@pytest.fixture
def address(monkeypatch):
    """As if [project.urls] had one."""
    said = Message()
    said["Project-URL"] = "Homepage, https://example"
    said["Project-URL"] = f"Documentation, {ADDRESS}/"
    monkeypatch.setattr(documentation, "metadata", lambda name: said)
    documentation.documentation_address.cache_clear()
    yield
    documentation.documentation_address.cache_clear()


def estimators():
    """Every public class of the subpackages that is an estimator, with the name of its page."""
    found, module = {}, ""
    for line in REFERENCE.read_text(encoding="utf-8").splitlines() if REFERENCE.exists() else []:
        if start := re.match(r"\.\. currentmodule:: (\S+)", line):
            module = start[1]
        elif re.match(r"   [A-Z]\w+$", line) and module.count(".") == 1:
            thing = getattr(import_module(module), line.strip())
            if isinstance(thing, type) and issubclass(thing, BaseEstimator):
                found[f"{module}.{line.strip()}"] = thing
    return found


def test_every_estimator_links_to_the_page_that_the_reference_makes(address):
    every = estimators()
    if not every:
        pytest.skip("the documentation is not here")
    assert len(every) > 15
    for page, cls in every.items():
        made = object.__new__(cls)  # some need packages that are not here to be made whole
        assert made._get_doc_link() == f"{ADDRESS}/reference/generated/{page}.html"


def test_the_box_in_a_notebook_holds_the_link(address):
    for shown in (PAk(), make_pipeline(StandardScaler(), DifferentiableImbalance())):
        links = re.findall(r'href="(https?://[^"#]*)', shown._repr_html_())
        ours = [link for link in links if "infoscope" in link]
        assert ours and all(link.startswith(f"{ADDRESS}/reference/generated/infoscope.") for link in ours), links


def test_without_an_address_there_is_no_link(monkeypatch):
    monkeypatch.setattr(documentation, "metadata", lambda name: Message())
    documentation.documentation_address.cache_clear()
    try:
        assert PAk()._get_doc_link() == "" and "infoscope" not in "".join(
            re.findall(r'href="([^"]*)', PAk()._repr_html_())
        )
    finally:
        documentation.documentation_address.cache_clear()


def test_classes_of_users_link_nowhere(address):
    assert type("Mine", (PAk,), {"__module__": "mine"})()._get_doc_link() == ""
