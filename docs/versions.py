"""The documentation of several versions side by side, with a switcher on every page.

    make docs-versions                        every tag v1.2.3
    make docs-versions TAGS="v0.2.0 v0.1.0"   these; the first is the one that is opened
    python docs/versions.py v0.2.0 v0.1.0 --build "make docs"

Each version is built from its own tree, by its own `make docs` in its own environment, and put into
docs/_build/versions/VERSION; one that is there, built from the same commit, is kept.  Then every version is told of the
others, in its file _static/versions.js: a script and no JSON, because a browser loads no JSON beside a page that it
opened from a folder.  A version from before there was a switcher can be chosen, and has none.
"""

from __future__ import annotations

import argparse
import html
import json
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
RELEASE = re.compile(r"v\d+\.\d+\.\d+")
FOLDER = re.compile(r"\w[\w.-]*")
PAGES, LIST, COMMIT = Path("docs", "_build", "html"), Path("_static", "versions.js"), "commit.txt"


def build_versions(root: Path, names: Sequence[str], into: Path, command: Sequence[str]) -> Path:
    """Build what is missing, tell every version of the others, and return the page that opens the first."""
    names = list(dict.fromkeys(names)) or releases(root)
    if not names:
        raise SystemExit("there is no tag like v1.2.3: name what is to be built, TAGS='main'")
    commits = {name: commit_of(root, name) for name in names}
    into.mkdir(parents=True, exist_ok=True)
    for name, commit in commits.items():
        built = into / name / COMMIT
        if built.is_file() and built.read_text(encoding="utf-8") == commit:
            print(f"{name} is built already", flush=True)
        else:
            build(root, commit, into / name, command)
    link_versions(into, names)
    return into / "index.html"


def releases(root: Path) -> list[str]:
    """Tags of releases, the newest first."""
    tags = git(root, "tag", "--list", "--sort=-version:refname").split()
    return [tag for tag in tags if RELEASE.fullmatch(tag)]


def commit_of(root: Path, name: str) -> str:
    if not FOLDER.fullmatch(name):
        raise SystemExit(f"{name!r} cannot be the name of a folder: tag the commit, and name the tag")
    try:
        return git(root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}").strip()
    except subprocess.CalledProcessError:
        raise SystemExit(f"there is no tag and no branch {name!r} here: git fetch --tags") from None


def build(root: Path, commit: str, target: Path, command: Sequence[str]) -> None:
    """Build a commit in a tree of its own; what stood at the target stays until the build is complete."""
    print(f"building {target.name}", flush=True)
    with tempfile.TemporaryDirectory(prefix="docs-") as folder:
        tree = Path(folder, "tree")
        git(root, "worktree", "add", "--quiet", "--detach", str(tree), commit)
        try:
            if status := subprocess.run(command, cwd=tree).returncode:
                raise SystemExit(f"{target.name}: '{shlex.join(command)}' ended with {status}")
            if not (tree / PAGES / "index.html").is_file():
                raise SystemExit(f"{target.name}: '{shlex.join(command)}' left no {PAGES / 'index.html'}")
            shutil.rmtree(target, ignore_errors=True)
            shutil.copytree(tree / PAGES, target)
            (target / COMMIT).write_text(commit, encoding="utf-8")
        finally:
            git(root, "worktree", "remove", "--force", str(tree))


def link_versions(into: Path, names: Sequence[str]) -> None:
    """Write the list of each version, and the page that opens the first."""
    pages = {
        name: {page.relative_to(into / name).as_posix() for page in (into / name).rglob("*.html")} for name in names
    }
    for name in names:
        others = [{"name": other, "lacks": sorted(pages[name] - pages[other])} for other in names]
        said = json.dumps({"here": name, "all": others if len(names) > 1 else []}, indent=1)
        path = into / name / LIST
        path.parent.mkdir(exist_ok=True)
        path.write_text(f"window.documentationVersions = {said};\n", encoding="utf-8")
    links = "".join(f'<li><a href="{html.escape(name)}/index.html">{html.escape(name)}</a></li>' for name in names)
    first = html.escape(names[0])
    (into / "index.html").write_text(
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><title>Versions</title>'
        f'<meta http-equiv="refresh" content="0; url={first}/index.html"></head><body><ul>{links}</ul></body></html>\n',
        encoding="utf-8",
    )


def git(root: Path, *words: str) -> str:
    return subprocess.run(["git", *words], cwd=root, check=True, stdout=subprocess.PIPE, text=True).stdout


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("names", nargs="*", metavar="TAG", help="tags or branches, the one to open first")
    parser.add_argument("--build", default="make docs", help=f"what leaves {PAGES} in a tree (default: make docs)")
    options = parser.parse_args()
    page = build_versions(ROOT, options.names, ROOT / "docs" / "_build" / "versions", shlex.split(options.build))
    print(f"documentation: {page.relative_to(ROOT)}")


if __name__ == "__main__":
    sys.exit(main())
