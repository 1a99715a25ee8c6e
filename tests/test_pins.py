"""The versions that the Makefile installs, those that users may have, and those that run before a commit agree."""

import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
if not (ROOT / ".pre-commit-config.yaml").exists():
    pytest.skip("these are tests of the source tree", allow_module_level=True)


def pinned(text):
    """What a text pins, as name and version."""
    return {canonicalize_name(name): version for name, version in re.findall(r"([\w.-]+)==([\w.]+)", text)}


PINS = pinned((ROOT / "constraints.txt").read_text())


def test_every_requirement_is_pinned_inside_its_bounds():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    for text in [*project["dependencies"], *sum(project["optional-dependencies"].values(), [])]:
        wanted = Requirement(text)
        if wanted.marker is None or wanted.marker.evaluate({"python_version": "3.11"}):  # that of constraints.txt
            assert wanted.specifier.contains(PINS[canonicalize_name(wanted.name)]), text


def test_commits_are_checked_with_the_same_versions():
    checked = pinned((ROOT / ".pre-commit-config.yaml").read_text())
    assert {"ruff", "codespell"} <= set(checked)
    assert {name: version for name, version in checked.items() if name in PINS and version != PINS[name]} == {}


def test_what_tests_install_is_one_list():
    written = {
        name: set(re.search(r"torch,cluster,[\w,]+", (ROOT / name).read_text(encoding="utf-8"))[0].split(","))
        for name in ("Makefile", "noxfile.py", "CONTRIBUTING.md", "constraints.txt", ".github/workflows/tests.yml")
    }
    lists = {name: extras - {"lint", "docs", "release"} for name, extras in written.items()}
    assert set(map(frozenset, lists.values())) == {frozenset(lists["Makefile"])}, lists
