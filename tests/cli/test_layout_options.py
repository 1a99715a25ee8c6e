"""Text tables on the command line: what is decided is told once, what is open is asked, options are on record."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from infoscope import information_imbalance

COMMANDS = {
    "compare": ["compare", "A=x.csv:0", "B=x.csv:1"],
    "dimension": ["dimension", "x.csv"],
    "density": ["density", "x.csv"],
    "anomalies": ["anomalies", "x.csv", "y.csv"],
    "select": ["select", "x.csv", "--target", "2"],
}


@pytest.fixture
def table(tmp_path, monkeypatch):
    """Two descriptions of 200 items."""
    monkeypatch.chdir(tmp_path)
    g = np.random.default_rng(0)
    x = 0.01 * g.normal(size=(200, 20))
    return x, x[:, :3] + 0.003 * g.normal(size=(200, 3))


def values(path="r.json"):
    return json.loads(Path(path).read_text())["values"]


def test_names_that_pandas_writes_are_no_row(table, infoscope):
    for name, array in zip("xy", table, strict=True):
        pd.DataFrame(array).to_csv(f"{name}.csv", index=False)
    ran = infoscope("compare", "X=x.csv", "Y=y.csv", "--scale", "standard", "--output", "r.json")
    assert ran.code == 0 and "200 items" in ran.out, ran.err
    assert ran.out.count("note: x.csv: the first line is taken as names (0,1,2,3") == 1
    x, y = (array / array.std(axis=0) for array in table)
    truth = information_imbalance(x, y, random_state=0)
    assert values()["a_to_b"] == pytest.approx(truth.a_to_b, rel=1e-12)
    assert values()["b_to_a"] == pytest.approx(truth.b_to_a, rel=1e-12)
    assert values()["a_to_b"] == pytest.approx(0.490, abs=0.001) and values()["b_to_a"] == pytest.approx(0.75, abs=0.01)


def european(path, array, missing=()):
    """Semicolons, decimal commas, a comment, no names, Latin-1."""
    lines = [";".join(repr(value).replace(".", ",") for value in row) for row in array.tolist()]
    for row in missing:
        lines[row] = lines[row].replace(lines[row].split(";")[0], "-999", 1)
    Path(path).write_bytes(("% größe, gewicht\n" + "\n".join(lines) + "\n").encode("latin-1"))


OPTIONS = [
    *("--header", "no", "--decimal", "comma", "--separator", "semicolon", "--encoding", "latin-1", "--comment", "%"),
    *("--na", "-999"),
]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_takes_them_and_they_are_run_again(table, infoscope, command):
    x = np.c_[table[1], table[1][:, 0] ** 2] * 100
    european("x.csv", x, missing=[3, 7])
    european("y.csv", x[1:] + 0.5)
    said = [*COMMANDS[command], *OPTIONS, "--missing", "drop", "--output", "said.json"]
    ran = infoscope(*said)
    assert ran.code == 0, ran.err
    assert "'-999' stands for a missing value in 2 fields, first in row 3 of column '0'" in ran.out
    record = json.loads(Path("said.json").read_text())
    assert record["command"].endswith(" ".join(OPTIONS + ["--missing", "drop", "--output", "said.json"]))
    inputs = record["inputs"].get("reference", record["inputs"])
    assert inputs["layout"]["decimal"] == "comma" and inputs["layout"]["header"] == "no"
    again = infoscope("rerun", "said.json")
    assert again.code == 0 and "reproduced" in again.out, again.err
    # the same numbers without anything to decide give the same result
    np.save("x.npy", np.delete(x, [3, 7], axis=0))
    np.save("y.npy", x[1:] + 0.5)
    plain = [part.replace(".csv", ".npy") for part in COMMANDS[command]]
    assert infoscope(*plain, "--output", "plain.json").code == 0
    same = {name: value for name, value in values("plain.json").items() if isinstance(value, float)}
    found = values("said.json")
    assert same and all(found[name] == pytest.approx(value, rel=1e-9) for name, value in same.items())


def test_a_file_of_options(table, infoscope):
    european("x.csv", table[1])
    Path("options.toml").write_text(
        'files = ["x.csv"]\nheader = "no"\ndecimal = "comma"\nseparator = ";"\nencoding = "latin-1"\ncomment = "%"\n'
        'na = ["-999", "gone"]\noutput = ["r.json"]\n'
    )
    ran = infoscope("dimension", "--config", "options.toml")
    assert ran.code == 0, ran.err
    assert "--separator ';'" in json.loads(Path("r.json").read_text())["command"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("a;b\n1,234;5\n2,345;6\n", "say --decimal point (1,234 is 1234) or --decimal comma (1,234 is 1.234)"),
        ("0,1\n1,2\n2,4\n", "say --header yes (names) or --header no (a row)"),
        ("größe,b\n1,2\n", "looks like latin-1: say --encoding latin-1"),
        ("a;b,c;d\ne;f,g;h\n", "say --separator semicolon or --separator comma"),
        ("c,x\nred,1\n#0f0,2\n", "say --comment # (it is left out) or --comment none"),
    ],
)
def test_questions_are_asked_in_the_words_of_the_command_line(table, infoscope, text, said):
    Path("x.csv").write_bytes(text.encode("latin-1"))
    ran = infoscope("dimension", "x.csv")
    assert ran.code == 2 and ran.err.count("\n") == 1 and said in ran.err


def test_files_that_options_name_have_the_same_layout(table, infoscope):
    x = table[1]
    european("x.csv", x)
    Path("t.csv").write_bytes("\n".join(str(t).replace(".", ",") for t in 0.5 * np.arange(200)).encode())
    Path("kinds.csv").write_text("\n".join("ab"[i % 2] for i in range(200)))
    options = ["--header", "no", "--decimal", "comma", "--separator", ";", "--encoding", "latin-1", "--comment", "%"]
    ran = infoscope("select", "x.csv", "--labels", "kinds.csv", "--time", "t.csv", *options, "--output", "r.json")
    assert ran.code == 0, ran.err
    ran = infoscope("select", "x.csv", "--target", "t.csv", *options, "--window", "0")
    assert ran.code == 0, ran.err


def test_options_that_nothing_uses(table, infoscope):
    np.save("x.npy", table[1])
    ran = infoscope("dimension", "x.npy", "--decimal", "comma")
    assert ran.code == 2 and "--decimal is for text tables" in ran.err
    pd.DataFrame(table[0]).to_csv("x.csv", index=False)
    ran = infoscope("compare", "X=x.csv", "Y=x.npy", "--header", "yes")  # of the files that are tables of text
    assert ran.code == 0 and "taken as names" not in ran.out, ran.err
    for wrong, message in (("--header=maybe", "--header is 'yes' or 'no'"), ("--decimal=dot", "--decimal is 'point', "),
                           ("--separator=ab", "--separator is 'comma'")):  # fmt: skip
        ran = infoscope("dimension", "x.csv", wrong)
        assert ran.code == 2 and message in ran.err


def test_a_folder_of_parquet_parts(table, infoscope):
    pytest.importorskip("pyarrow")
    Path("parts").mkdir()
    for part in range(2):
        pd.DataFrame(table[1][100 * part : 100 * part + 100], columns=list("abc")).to_parquet(f"parts/{part}.pq")
    ran = infoscope("compare", "A=parts:a", "B=parts:b,c", "--output", "r.json")
    assert ran.code == 0 and "200 items" in ran.out, ran.err
    assert infoscope("rerun", "r.json").code == 0


def test_extracted_rows_are_read_as_was_said(table, infoscope):
    european("x.csv", table[1] * 100)
    ran = infoscope("density", "x.csv", *OPTIONS, "--output", "r.npz")
    assert ran.code == 0, ran.err
    ran = infoscope("extract", "r.npz", "--all", "-o", "rows.csv")
    assert ran.code == 0, ran.err
    assert np.allclose(pd.read_csv("rows.csv")[["0", "1", "2"]], table[1] * 100)
