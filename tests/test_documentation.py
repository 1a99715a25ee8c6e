"""What the documentation prints is what its commands and its Python print, to the last digit shown."""

import contextlib
import doctest
import io
import os
import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from infoscope.datasets import load_breast_cancer, load_digits, load_wine

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
PAGES = sorted(
    page.relative_to(ROOT) for page in [*ROOT.glob("README.md"), *DOCS.glob("**/*.md")] if "_build" not in page.parts
)
BLOCK = re.compile(r"^```(console|python|text)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
FILE = re.compile(
    r"^```(?:python|toml)\n# ([\w-]+\.(?:py|toml))\n(.*?)^```$", re.DOTALL | re.MULTILINE
)  # begins with its name
ANYTHING = re.compile(r"\\\[\\\.\\\.\\\.\\\]|^ *\\\.\\\.\\\.$|\\\.\\\.\\\.$", re.MULTILINE)  # [...], or ... at an end
PROGRESS = re.compile(  # lines of slow machines
    r"^(?:[^\n]*: [\d,]+(?: of [\d,]+)? [^\n]* after [^\n]*|compiling, the first time only)\n", re.MULTILINE
)
NOT_HERE = (
    "pbmc.h5ad",
    "older.json",
    "make ",
    "pip install",
    "benchmarks/",
    "from_pretrained",
    "packaged_model",
    *(() if find_spec("mlflow") else ("mlflow",)),
)  # of other packages, other versions, CI


def _write_gaps(folder):
    lines = (folder / "COLVAR.0").read_text().splitlines() + (folder / "COLVAR.1").read_text().splitlines()
    rows = [number for number, line in enumerate(lines) if not line.startswith("#")]
    cells = lines[rows[199]].split()
    lines[rows[199]] = " ".join([*cells[:2], "nan", *cells[3:]])
    (folder / "gaps.dat").write_text("\n".join(lines) + "\n")


def _change_cells(folder):
    text = (folder / "cells.csv").read_text()
    (folder / "cells.csv").write_text(text[:-2] + ("1" if text[-2] == "0" else "0") + "\n")


# Files that a page takes as given, and what it says that happened before a command.
GIVEN = {
    "cells.csv": lambda file: (
        load_breast_cancer()[0].assign(diagnosis=load_breast_cancer()[1]).to_csv(file, index=False)
    ),
    "wine.csv": lambda file: load_wine()[0].assign(cultivar=load_wine()[1]).to_csv(file, index=False),
    "digits.npy": lambda file: np.save(file, load_digits()[0].to_numpy()),
}
BEFORE = {"distance=gaps.dat:d": _write_gaps, "cells.csv is not the file that": _change_cells}


def blocks_of(page):
    """(language, text, the text block that shows what it prints, or nothing) of a page."""
    found = [(match[1], match[2], match.end(), match.start()) for match in BLOCK.finditer(page.read_text("utf-8"))]
    for number, (language, text, end, _) in enumerate(found):
        if language == "text":
            continue
        shown = ""
        if number + 1 < len(found) and found[number + 1][0] == "text":
            between = page.read_text("utf-8")[end : found[number + 1][3]]
            shown = found[number + 1][1] if not between.strip() else ""
        yield language, text, shown


def steps_of(text, shown):
    """(command, expected output) of a console block."""
    for part in re.split(r"^\$ ", text, flags=re.MULTILINE)[1:]:
        lines = part.splitlines(keepends=True)
        number = 1
        while lines[number - 1].rstrip().endswith("\\") or "".join(lines[:number]).count('"') % 2:
            number += 1
        yield "".join(lines[:number]).strip(), "".join(lines[number:]).strip() or shown


def assert_shows(printed, expected, what):
    def lines(text):
        return "\n".join(line.rstrip() for line in text.strip().splitlines())

    pattern = ANYTHING.sub(".*", re.escape(lines(expected)).replace("\\ ", " ").replace("\\\n", "\n"))
    assert re.search(pattern, lines(printed), re.DOTALL), f"{what}\nprints\n{printed}\nthe page says\n{expected}"


def run_command(command, folder):
    here = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = os.environ | {"PATH": here, "COLUMNS": "400", "PYTHONUNBUFFERED": "1", "PYTHONWARNINGS": "ignore"}
    done = subprocess.run(
        ["sh", "-c", command], cwd=folder, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    return PROGRESS.sub("", done.stdout.decode())


@pytest.mark.skipif(sys.platform == "win32", reason="the pages are written for a POSIX shell")
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("page", PAGES, ids=str)
def test_a_page_prints_what_it_says(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    names, checked = {}, 0
    for file, text in FILE.findall((ROOT / page).read_text("utf-8")):
        Path(file).write_text(text, "utf-8")
    for language, text, shown in blocks_of(ROOT / page):
        if any(word in text for word in NOT_HERE):
            continue
        if language == "python":
            checked += _check_python(text, shown, names, page)
            continue
        for command, expected in steps_of(text, shown):
            for word, happen in BEFORE.items():
                if word in command + expected:
                    happen(tmp_path)
            for file, write in GIVEN.items():
                if file in command and command.startswith("infoscope") and not Path(file).exists():
                    write(file)
            if expected or not command.startswith("infoscope"):
                printed = run_command(command, tmp_path)
                assert_shows(printed, expected, command)
                checked += bool(expected)
    if not checked:
        pytest.skip("shows no output")


@pytest.mark.skipif(not DOCS.exists(), reason="a test of the source tree")
def test_the_rules_of_snakemake_name_commands_that_run(tmp_path):
    """Rule by rule in their order, wildcards and files put in as Snakemake would."""
    page = (DOCS / "integrations.md").read_text("utf-8")
    (block,) = re.findall(r"^```python\n# Snakefile\n(.*?)^```$", page, re.DOTALL | re.MULTILINE)
    load_breast_cancer()[0].to_csv(tmp_path / "cells.csv", index=False)
    values = SimpleNamespace(k=5)
    for rule in re.split(r"^rule ", block, flags=re.MULTILINE)[2:]:
        lines = (re.search(rf"{what}:(.*)", rule)[1] for what in ("input", "output"))
        inputs, outputs = (re.findall(r'"([^"]*)"', line) for line in lines)
        command = "".join(re.findall(r'"(.*)"', rule.partition("shell:")[2]))
        outputs = [file.format(k=values.k) for file in outputs]
        given = {"input": " ".join(file.format(k=values.k) for file in inputs), "wildcards": values}
        written = type("Outputs", (list,), {"__str__": lambda files: " ".join(files)})(outputs)
        printed = run_command(command.format(output=written, **given), tmp_path)
        assert all((tmp_path / file).exists() for file in outputs), printed


ASKED_OF_DATA = [page for page in PAGES if page.parent.name == "rooms" and page.name != "files.md"]  # that asks nothing


@pytest.mark.parametrize("page", ASKED_OF_DATA, ids=str)
def test_a_page_of_a_question_shows_a_picture(page):
    text = (ROOT / page).read_text("utf-8")
    if not text.splitlines()[0].endswith("?"):
        pytest.skip("asks no question")
    assert ".. plot::" in text or re.search(r"!\[.*\]\(|```\{(figure|image)\}", text), "no picture"


def _check_python(text, shown, names, page):
    if ">>>" in text:
        test = doctest.DocTestParser().get_doctest(text, names, str(page), str(page), 0)
        flags = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE | doctest.DONT_ACCEPT_BLANKLINE
        report = io.StringIO()
        result = doctest.DocTestRunner(optionflags=flags).run(test, out=report.write, clear_globs=False)
        names.update(test.globs)
        assert not result.failed, report.getvalue()
        return 1
    if shown or re.search(r"\.to_netcdf\(|\.write\(|open\(", text):
        with contextlib.redirect_stdout(io.StringIO()) as out:
            exec(compile(text, str(page), "exec"), names)
        assert_shows(out.getvalue(), shown, text)
    return bool(shown)
