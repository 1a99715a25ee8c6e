"""What registries are told of the package is what pyproject.toml says, in the keys that they ask for."""

import json
import re
import tomllib
from pathlib import Path

import pytest
from packaging.requirements import Requirement

yaml = pytest.importorskip("yaml")
ROOT = Path(__file__).resolve().parent.parent
if not (ROOT / "registries").exists():
    pytest.skip("these are tests of the source tree", allow_module_level=True)
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
PLACEHOLDERS = {"PROJECT-HOME", "DOCUMENTATION", "MAINTAINER", "SECURITY-ADDRESS"}
ASKED = {  # keys without which an entry is refused, and those that it may have beside them
    "mdakit.yaml": (
        "project_name authors maintainers description keywords license project_home documentation_home "
        "documentation_type",
        "install src_install import_name python_requires mdanalysis_requires run_tests test_dependencies project_org "
        "development_status publications community_home changelog",
    ),
    "scverse.yaml": (
        "name description project_home documentation_home install license tags version category contact",
        "tutorials_home publications logo test_command",
    ),
}


def read(name):
    return yaml.safe_load((ROOT / name).read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", ASKED)
def test_an_entry_has_the_keys_that_its_registry_asks_for(name):
    entry, (needed, allowed) = read(f"registries/{name}"), (set(words.split()) for words in ASKED[name])
    assert needed <= set(entry) <= needed | allowed
    assert all(entry.values()) and entry["license"] == PROJECT["license"]
    assert entry.get("python_requires", PROJECT["requires-python"]) == PROJECT["requires-python"]
    assert entry.get("version", PROJECT["version"]) == PROJECT["version"]


def test_the_bound_of_mdanalysis_is_that_of_the_extra():
    (bound,) = [one for one in map(Requirement, PROJECT["optional-dependencies"]["md"]) if one.name == "MDAnalysis"][:1]
    assert read("registries/mdakit.yaml")["mdanalysis_requires"] == str(bound.specifier)


def test_every_placeholder_is_listed_among_what_must_be_filled_in():
    told = (ROOT / "RELEASING.md").read_text(encoding="utf-8")
    files = [*ROOT.glob("registries/*"), *ROOT.glob("recipe/*"), *ROOT.glob("*.md"), ROOT / "CITATION.cff"]
    found = {word for file in files for word in PLACEHOLDERS if word in file.read_text(encoding="utf-8")}
    assert found == PLACEHOLDERS and all(f"`{word}`" in told for word in found)


def test_the_recipe_asks_for_what_the_package_asks_for():
    recipe = read("recipe/recipe.yaml")
    wanted = [one for one in map(Requirement, PROJECT["dependencies"]) if one.marker is None]
    expected = {f"{one.name} {one.specifier}" for one in wanted} | {f"python {PROJECT['requires-python']}"}
    assert {re.sub("^matplotlib-base", "matplotlib", line) for line in recipe["requirements"]["run"]} == expected
    assert recipe["context"]["version"] == PROJECT["version"] and recipe["package"]["name"] == PROJECT["name"]
    assert recipe["about"]["license"] == PROJECT["license"] and recipe["about"]["summary"] == PROJECT["description"]
    (entry,) = recipe["build"]["python"]["entry_points"]
    assert dict([entry.split(" = ")]) == PROJECT["scripts"]


def test_the_recipe_can_be_rendered():
    build = pytest.importorskip("rattler_build", reason="py-rattler-build, of the extra 'release': nox -s lint has it")
    recipe = build.Stage0Recipe.from_file(str(ROOT / "recipe" / "recipe.yaml"))
    (variant,) = recipe.render(build.VariantConfig(), build.RenderConfig())
    package = variant.recipe.package
    assert (str(package.name), str(package.version)) == (PROJECT["name"], PROJECT["version"])
    assert list(map(str, variant.recipe.requirements.run)) == read("recipe/recipe.yaml")["requirements"]["run"]


def test_the_archive_is_told_what_the_citation_says():
    told, citation = json.loads((ROOT / ".zenodo.json").read_text(encoding="utf-8")), read("CITATION.cff")
    assert told["license"] == citation["license"] == PROJECT["license"]
    assert told["keywords"] == citation["keywords"]
    assert [one["name"] for one in told["creators"]] == [one["name"] for one in citation["authors"]]
    cited = [one["identifiers"][0]["value"] for one in citation["references"]]
    assert [one["identifier"] for one in told["related_identifiers"]] == cited
