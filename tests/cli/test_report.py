"""``infoscope report`` and ``--output page.html``: a page by a command, and what it hands over."""

import errno
import os

import pytest
from tests.report.reader import read

pytest.importorskip("bokeh", reason="bokeh is not installed (extra report)")

COMPARE = ("compare", "--space", "A=items.csv:a,b", "--space", "B=items.csv:c", "-q")


def test_every_answer_can_be_a_page(folder, infoscope):
    ran = infoscope(*COMPARE, "--output", "pair.npz", "--output", "pair.html")
    assert ran.code == 0 and "page: pair.html" in ran.out, ran.err
    page = read(folder / "pair.html")
    assert "infoscope compare --space A=items.csv:a,b" in page.text and "items.csv" in page.text
    ran = infoscope("report", "pair.npz", "-o", "later.html")
    assert ran.code == 0 and "page: later.html" in ran.out, ran.err
    assert read(folder / "later.html").downloads() == page.downloads()  # the command is kept in the .npz


def test_the_record_of_a_page_can_be_run_again(folder, infoscope):
    assert infoscope(*COMPARE, "--output", "pair.html").code == 0
    page = read(folder / "pair.html")
    assert "infoscope rerun record.json" in page.text
    (folder / "record.json").write_bytes(page.downloads()["record.json"])
    ran = infoscope("rerun", "record.json", "--output", "again.html")
    assert ran.code == 0 and "reproduced" in ran.out and (folder / "again.html").exists(), ran.err


def test_several_results_and_a_record(folder, infoscope):
    assert infoscope(*COMPARE, "--output", "pair.npz", "--output", "pair.json").code == 0
    ran = infoscope("report", "pair.npz", "pair.json", "-o", "both.html")
    assert ran.code == 0 and "no picture" in ran.out
    page = read(folder / "both.html")
    assert page.headings("article") == ["result-1", "result-2"] and "infoscope rerun pair.json" in page.text


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("report", "pair.npz"), "Missing option '--output'"),
        (("report", "-o", "page.html"), "Missing argument"),
        (("report", "pair.npz", "-o", "page.pdf"), "pages are written as .html"),
        (("report", "pair.npz", "-o", "nowhere/page.html"), "there is no folder nowhere"),
        (("report", "nothing.npz", "-o", "page.html"), "nothing.npz"),
        (("report", "items.csv", "-o", "page.html"), "items.csv is no result"),
        ((*COMPARE, "--output", "nowhere/page.html"), "there is no folder nowhere"),
    ],
    ids=str,
)
def test_bad_input_is_one_sentence(folder, infoscope, arguments, said):
    ran = infoscope(*arguments)
    assert ran.code == 2 and said in ran.err and ran.err.count("\n") == 1, ran.err


def test_a_full_disk_leaves_the_old_page(folder, infoscope, monkeypatch):
    assert infoscope(*COMPARE, "--output", "pair.npz", "--output", "pair.html").code == 0
    before = (folder / "pair.html").read_bytes()

    def full(self, data):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr("pathlib.Path.write_bytes", full)
    ran = infoscope("report", "pair.npz", "-o", "pair.html")
    assert ran.code == 2 and "pair.html" in ran.err and os.strerror(errno.ENOSPC) in ran.err
    assert (folder / "pair.html").read_bytes() == before and not list(folder.glob(".*.part*"))
