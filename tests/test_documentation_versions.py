"""Versions of the documentation side by side: built from their own trees, and each tells of the others."""

import importlib.util
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from tests.report.browser import PATIENCE

ROOT = Path(__file__).resolve().parent.parent
if not (ROOT / "docs" / "versions.py").exists():
    pytest.skip("these are tests of the source tree", allow_module_level=True)
if shutil.which("git") is None:
    pytest.skip("git is not installed", allow_module_level=True)

SPEC = importlib.util.spec_from_file_location("versions", ROOT / "docs" / "versions.py")
versions = importlib.util.module_from_spec(SPEC)
SPEC.loader.exec_module(versions)

# What stands for Sphinx: every page of the tree with the two scripts and what the theme gives them.
BUILDER = """
import pathlib, shutil
built = pathlib.Path("docs/_build/html")
for source in pathlib.Path("docs").rglob("*.txt"):
    page = built / source.relative_to("docs").with_suffix(".html")
    root = "../" * (len(page.relative_to(built).parts) - 1) or "./"
    page.parent.mkdir(parents=True, exist_ok=True)
    scripts = [f'<script src="{root}_static/{one.name}"></script>' for one in pathlib.Path("docs/_static").glob("*.js")]
    page.write_text(f'<!DOCTYPE html><html lang="en" data-content_root="{root}"><head><meta charset="utf-8">'
        f'<title>{source.read_text()}</title>{"".join(sorted(scripts, reverse=True))}</head>'
        f'<body><a class="sidebar-brand" href="{root}index.html">infoscope</a></body></html>', encoding="utf-8")
shutil.copytree("docs/_static", built / "_static")
"""


def git(folder, *words):
    known = ["-c", "user.name=one", "-c", "user.email=one@example.org", "-c", "commit.gpgsign=false"]
    subprocess.run(["git", *known, *words], cwd=folder, check=True, stdout=subprocess.DEVNULL)


@pytest.fixture
def project(tmp_path):
    """Three tags: one from before there was a switcher, then one with it, then one with a page more and one less."""
    root = tmp_path / "a project"
    (root / "docs" / "rooms").mkdir(parents=True)
    (root / "build.py").write_text(BUILDER)
    git(tmp_path, "init", "--quiet", "--initial-branch", "main", root.name)

    def release(tag, *pages):
        for page in (root / "docs").rglob("*.txt"):
            page.unlink()
        for page in pages:
            (root / "docs" / f"{page}.txt").write_text(f"{page} of {tag}")
        git(root, "add", "--all")
        git(root, "commit", "--quiet", "--message", tag)
        git(root, "tag", tag)

    (root / "docs" / "_static").mkdir()
    (root / "docs" / "_static" / "custom.css").write_text("")
    release("v0.9.0", "index", "rooms/density")
    for script in ("versions.js", "switcher.js"):
        shutil.copy(ROOT / "docs" / "_static" / script, root / "docs" / "_static")
    release("v0.9.1", "index", "rooms/density", "rooms/old")
    release("v0.10.0", "index", "rooms/density", "rooms/new")
    git(root, "tag", "other")
    return root


def built(root, *names, command=(sys.executable, "build.py")):
    return versions.build_versions(root, names, root / "docs" / "_build" / "versions", command)


def told(root, name):
    text = (root / "docs" / "_build" / "versions" / name / "_static" / "versions.js").read_text()
    return json.loads(text.removeprefix("window.documentationVersions = ").rstrip(";\n"))


def test_all_releases_are_built_and_the_newest_opens(project):
    page = built(project)
    assert "url=v0.10.0/index.html" in page.read_text()
    for name in ("v0.9.0", "v0.9.1", "v0.10.0"):
        assert f"density of {name}" in (page.parent / name / "rooms" / "density.html").read_text()
        assert told(project, name)["here"] == name
    lacks = {one["name"]: one["lacks"] for one in told(project, "v0.10.0")["all"]}
    assert lacks == {
        "v0.10.0": [],
        "v0.9.1": ["rooms/new.html"],
        "v0.9.0": ["rooms/new.html"],
    }  # by number, not by letter
    worktrees = subprocess.run(["git", "worktree", "list"], cwd=project, check=True, stdout=subprocess.PIPE, text=True)
    assert len(worktrees.stdout.splitlines()) == 1


def test_what_is_built_is_kept_until_its_tag_moves(project, capsys):
    built(project, "v0.9.1", "v0.10.0")
    capsys.readouterr()
    git(project, "tag", "--force", "v0.9.1", "v0.9.0")
    page = built(project, "v0.9.1", "v0.10.0")
    assert capsys.readouterr().out == "building v0.9.1\nv0.10.0 is built already\n"
    assert "density of v0.9.0" in (page.parent / "v0.9.1" / "rooms" / "density.html").read_text()


def test_what_cannot_be_built_is_said(project):
    page = built(project, "v0.9.1")
    git(project, "tag", "--force", "v0.9.1", "v0.9.0")
    for names, command, said in [
        (["v9"], ["true"], "no tag and no branch 'v9'"),
        (["../v9"], ["true"], "cannot be the name of a folder"),
        (["v0.9.1"], [sys.executable, "-c", "raise SystemExit(3)"], "ended with 3"),
        (["v0.9.1"], [sys.executable, "-c", ""], "left no"),
    ]:
        with pytest.raises(SystemExit, match=said):
            built(project, *names, command=command)
    assert "density of v0.9.1" in (page.parent / "v0.9.1" / "rooms" / "density.html").read_text()  # as it was
    git(project, "tag", "--delete", "v0.9.0", "v0.9.1", "v0.10.0")
    with pytest.raises(SystemExit, match="no tag like"):
        built(project)


@pytest.mark.browser
def test_the_switcher_goes_to_the_same_page_or_to_the_first_one_from_a_folder_and_offline(project, started):
    folder = built(project).parent
    page = started.new_context(offline=True).new_page()
    page.set_default_timeout(PATIENCE)
    asked, wrong = [], []
    page.on("request", lambda request: asked.append(request.url))
    page.on("pageerror", lambda error: wrong.append(str(error)))
    page.on("console", lambda line: wrong.append(line.text))
    page.goto((folder / "index.html").as_uri())
    page.wait_for_url("**/v0.10.0/index.html")
    assert page.get_by_label("Version").locator("option").all_inner_texts() == ["v0.10.0", "v0.9.1", "v0.9.0"]

    page.goto((folder / "v0.10.0" / "rooms" / "density.html").as_uri() + "?a=b#part")
    page.get_by_label("Version").select_option("v0.9.1")
    page.wait_for_url("**/v0.9.1/rooms/density.html")
    assert page.title() == "rooms/density of v0.9.1" and page.get_by_label("Version").input_value() == "v0.9.1"
    page.go_back()
    page.wait_for_url("**/v0.10.0/rooms/density.html?a=b#part")
    assert page.get_by_label("Version").input_value() == "v0.10.0"

    page.goto((folder / "v0.10.0" / "rooms" / "new.html").as_uri())
    page.get_by_label("Version").select_option("v0.9.0")
    page.wait_for_url("**/v0.9.0/index.html")
    assert page.get_by_label("Version").count() == 0  # from before there was one

    built(project, "v0.10.0")  # one alone, and one as 'make docs' leaves it
    subprocess.run([sys.executable, "build.py"], cwd=project, check=True)
    for alone in (folder / "v0.10.0", project / "docs" / "_build" / "html"):
        page.goto((alone / "index.html").as_uri())
        assert page.title() == "index of v0.10.0" and page.locator("select").count() == 0
    assert not wrong and all(url.startswith(project.as_uri()) for url in asked), (wrong, asked)
