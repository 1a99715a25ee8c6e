"""Bad input: exit code 2, one sentence on the error stream, never a traceback; and interruptions."""

import os
import signal
import subprocess
import sys
import time

import numpy as np
import pytest

from infoscope.cli import compare as compare_module


def refused(ran, *parts):
    lines = ran.err.strip().splitlines()
    assert ran.code == 2 and len(lines) == 1 and lines[0].startswith("infoscope: error: "), ran.err
    assert all(part in lines[0] for part in parts), lines[0]
    assert "Traceback" not in ran.err + ran.out


@pytest.mark.parametrize(
    ("arguments", "parts"),
    [
        ([], ["two spaces are needed", "none is given", "infoscope compare --space"]),
        (["x.npy"], ["one is given"]),
        (["x.npy", "z.npy"], ["there is no file z.npy", "Did you mean", "x.npy"]),
        (["x.npy", "items.csv"], ["column 'group' is not numeric", "--labels group"]),
        (["x.npy", "items.csv:alpha"], ["no column is called 'alpha'"]),
        (["x.npy:7", "y.npy"], ["column 7 does not exist"]),
        (["both.npz", "y.npy"], ["holds 2 arrays", "both.npz/x"]),
        (["x.npy", "y.npy", "--labels", "colour"], ["--labels colour", "neither a column of the files nor a file"]),
        (["x.npy", "A=items.csv:a", "--labels", "grup"], ["Did you mean 'group'"]),
        (["x.npy", "y.npy", "-k", "0"], ["k"]),
        (["x.npy", "y.npy", "-k", "120"], ["k"]),
        (["x.npy", "y.npy", "-k", "two"], ["-k"]),
        (["x.npy", "y.npy", "--permutations", "3"], ["--permutations must be at least"]),
        (["x.npy", "y.npy", "--metric", "nearness"], ["nearness"]),
        (["x.npy", "y.npy", "--metric", "C=cosine"], ["no space is called 'C'"]),
        (["x.npy", "y.npy", "--scale", "minmax"], ["--scale is 'standard' or 'none', not 'minmax'"]),
        (["x.npy", "y.npy", "--period", "round"], ["a period is a positive number"]),
        (["x.npy", "y.npy", "--period", "phi=360"], ["no space and no chosen column is called 'phi'"]),
        (["A=items.csv:phi", "x.npy", "--period", "phi=2pi"], ["phi", "degrees", "pass --period 360"]),
        (["x.npy", "y.npy", "--window", "wide"], ["--window is"]),
        (["x.npy", "y.npy", "--time", "-1"], ["must be positive"]),
        (["x.npy", "A=items.csv:a", "--time", "group"], ["--time group: neither numbers nor dates"]),
        (["x.npy", "A=items.csv:a", "--weights", "group"], ["--weights group: numbers are needed"]),
        (["x.npy", "A=items.csv:a", "--weights", "b"], ["weight"]),
        (["x.npy", "y.npy", "--weights", "short.npy:0"], ["--weights short.npy", "50 values", "120 items"]),
        (["x.npy", "y.npy", "--weights", "none.npy"], ["zero everywhere"]),
        (["x.npy/a", "y.npy"], ["x.npy holds one table", "only files that hold several arrays"]),
        (["x.npy", "y.npy", "--other-runs"], ["--other-runs needs runs"]),
        (["x.npy", "y.npy", "--start", "200"], ["leaves none"]),
        (["x.npy", "y.npy", "--stop", "2"], ["2"]),
        (["x.npy", "y.npy", "--stride", "0"], ["--stride"]),
        (["x.npy", "y.npy", "--output", "r.xml"], ["not as '.xml'"]),
        (["x.npy", "y.npy", "--output", "no/r.json"], ["no folder no"]),
        (["x.npy", "y.npy", "--plot", "r.bmp"], ["not as '.bmp'"]),
        (["x.npy", "y.npy", "--plot", "no/r.png"], ["no folder no"]),
        (["x.npy", "y.npy", "--spce", "A=x.npy"], ["--spce"]),
        (["x.npy", "short.npy"], ["120 rows", "short.npy", "50"]),
        (["A=run0.npy", "A=y.npy", "x.npy"], ["pieces of A do not fit", "run0.npy and y.npy have different columns"]),
        (["A=x.npy", "A=x.npy", "B=x.npy"], ["x.npy is given twice"]),
        (["x.npy", "y.npy", "--labels", "short.npy:0"], ["--labels short.npy has 50 values", "120 items"]),
        (["x.npy", "nan.npy"], ["nan.npy: row 3", "column '1' is NaN"]),
        (["x.npy", "cut.npy"], ["cut.npy", "truncated"]),
        (["x.npy", "cut.csv"], ["cut.csv", "truncated"]),
        (["x.npy", "empty.csv"], ["empty.csv is empty"]),
        (["x.npy", "table.npy"], ["table.npy is not a .npy file"]),
        (["x.npy", "objects.npy"], ["objects.npy holds Python objects"]),
        (["x.npy", "letter.docx"], ["no reader for '.docx'"]),
        (["x.npy", "."], ["is a folder"]),
    ],
    ids=lambda value: " ".join(value)[:40] if isinstance(value, list) else None,
)
def test_one_sentence(folder, infoscope, arguments, parts):
    y = np.load("y.npy")
    np.save("short.npy", y[:50])
    np.save("none.npy", np.zeros(120))
    y[3, 1] = np.nan
    np.save("nan.npy", y)
    (folder / "cut.npy").write_bytes((folder / "y.npy").read_bytes()[:-40])
    (folder / "cut.csv").write_text("a,b\n1,2\n3")
    (folder / "empty.csv").write_text("")
    (folder / "table.npy").write_text("a,b\n1,2\n")
    (folder / "letter.docx").write_text("Dear all")
    np.save("objects.npy", np.array([{}] * 120), allow_pickle=True)
    before = sorted(folder.iterdir())
    refused(infoscope("compare", *arguments), *parts)
    assert sorted(folder.iterdir()) == before


def test_disagreeing_files(folder, infoscope):
    text = (folder / "items.csv").read_text().replace("one", "uno")
    (folder / "other.csv").write_text(text)
    refused(infoscope("compare", "A=items.csv:a", "B=other.csv:b", "--run", "part"), "disagree, first in row 0")


def test_files_of_the_system(folder, infoscope, monkeypatch):
    def refuse(*arguments, **options):
        raise PermissionError(13, "Permission denied", "x.npy")

    monkeypatch.setattr("numpy.load", refuse)
    refused(infoscope("compare", "x.npy", "y.npy"), "x.npy: Permission denied")


def test_memory(folder, infoscope, monkeypatch):
    def refuse(*arguments, **options):
        raise MemoryError

    monkeypatch.setattr(compare_module, "_compute", refuse)
    refused(infoscope("compare", "x.npy", "y.npy"), "not enough memory")


def test_a_missing_package(folder, infoscope, monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    refused(infoscope("compare", "x.npy", "y.npy", "--output", "r.parquet"), 'pip install "infoscope[files]"')


def test_errors_of_ours_keep_their_traceback(folder, infoscope, monkeypatch):
    def fail(*arguments, **options):
        raise RuntimeError("a mistake in the program")

    monkeypatch.setattr(compare_module, "_compute", fail)
    with pytest.raises(RuntimeError):
        infoscope("compare", "x.npy", "y.npy")


def test_an_interruption_is_one_word(folder, infoscope, monkeypatch):
    def stop(*arguments, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(compare_module, "_compute", stop)
    ran = infoscope("compare", "x.npy", "y.npy", "--output", "r.json", "--plot", "r.png")
    assert ran.code == 130 and ran.err.strip() == "infoscope: interrupted"
    assert not (folder / "r.json").exists() and not (folder / "r.png").exists()


@pytest.mark.skipif(os.name == "nt", reason="Ctrl-C of another process needs a console there")
def test_ctrl_c_while_it_computes(folder):
    rng = np.random.default_rng(0)
    for name in ("big_a", "big_b"):
        np.save(f"{name}.npy", rng.normal(size=(150_000, 60)).astype(np.float32))
    before = sorted(folder.iterdir())
    # A job in the background ignores Ctrl-C from its birth, and so would its children.
    call = (
        "import signal, sys; signal.signal(signal.SIGINT, signal.default_int_handler); "
        "from infoscope.cli import main; sys.exit(main())"
    )
    arguments = ["compare", "big_a.npy", "big_b.npy", "--output", "r.json", "--plot", "r.png"]
    process = subprocess.Popen(
        [sys.executable, "-u", "-c", call, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        while "150000 items" not in process.stdout.readline():
            assert process.poll() is None, process.stderr.read()
        time.sleep(1.5)
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    finally:
        process.kill()
    assert process.returncode == 130 and "Traceback" not in errors
    assert errors.strip().splitlines()[-1] == "infoscope: interrupted"
    assert sorted(folder.iterdir()) == before


def test_a_column_of_one_of_two_files_is_said_to_lack_in_the_other(infoscope, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rows = np.random.default_rng(5).normal(size=(60, 4))
    np.savetxt("both.csv", rows, delimiter=",", header="x,y,w,lw", comments="")
    np.savetxt("cut.csv", rows[:, :3] + 0.1, delimiter=",", header="x,y,w", comments="")
    for command, *files in (("drift", "both.csv:x,y", "cut.csv"), ("anomalies", "cut.csv:x,y", "both.csv:x,y"),
                            ("dimension", "both.csv:x,y", "cut.csv:x,y")):  # fmt: skip
        ran = infoscope(command, *files, "--window", "0", "--log-weights", "lw")
        assert ran.code == 2 and "--log-weights lw: cut.csv has no column 'lw', but both.csv has one" in ran.err
        assert "Did you mean" not in ran.err
