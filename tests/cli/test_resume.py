"""``infoscope select --resume``: killed anywhere, called again, the same result to the last bit."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

CALL = "import sys; from infoscope.cli import main; sys.exit(main())"
COLUMNS = "abcdef"


@pytest.fixture
def table(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    x = np.random.default_rng(0).normal(size=(250, len(COLUMNS)))
    frame = pd.DataFrame(x, columns=list(COLUMNS))
    frame["u"], frame["v"] = 2 * x[:, 0] + 0.3 * x[:, 2], x[:, 1] + 0.2 * x[:, 3]
    frame.to_csv("items.csv", index=False)


def numbers(file):
    """All that a result file says, but for the command that wrote it."""
    record = json.loads(Path(file).read_text())
    return {name: value for name, value in record.items() if name != "command"}


def kill_after(arguments, n_saves):
    """Run a command in a process of its own, and kill it once it has saved its state so often."""
    file = Path(arguments[arguments.index("--resume") + 1])
    process = subprocess.Popen(
        [sys.executable, "-c", CALL, *arguments], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    )
    seen = set() if not file.exists() else {file.stat().st_mtime_ns}  # every save replaces the file
    n_saves += len(seen)
    while len(seen) < n_saves and process.poll() is None:
        if file.exists():
            seen.add(file.stat().st_mtime_ns)
        time.sleep(1e-4)
    assert process.poll() is None, process.stderr.read()  # it did not end before
    process.send_signal(signal.SIGKILL)
    process.communicate()
    assert process.returncode == -signal.SIGKILL


@pytest.mark.skipif(os.name == "nt", reason="there is no SIGKILL")
@pytest.mark.parametrize(
    ("options", "kills"),
    [
        (["--method", "forward", "--validation", "0.3"], (1, 3)),
        pytest.param(["--method", "backward", "--size", "2"], (1, 3, 2), marks=pytest.mark.slow),
        pytest.param(
            ["--method", "exhaustive", "--size", "3", "--validation", "0.5"], (1, 2, 3), marks=pytest.mark.slow
        ),
        pytest.param(["--size", "auto"], (1, 3, 2), marks=pytest.mark.slow),
    ],
    ids=["forward", "backward", "exhaustive", "l1"],
)
def test_killed_and_called_again(table, infoscope, options, kills):
    common = [
        "select",
        f"items.csv:{','.join(COLUMNS)}",
        "--target",
        "u,v",
        "--window",
        "0",
        "--jobs",
        "2",
        "-q",
        *options,
    ]
    assert infoscope(*common, "--output", "whole.json", "--output", "whole.csv").code == 0
    resumed = [*common, "--resume", "search.npz", "--output", "out.json", "--output", "out.csv"]
    for n_saves in kills:
        kill_after(resumed, n_saves)
        assert not Path("out.json").exists()
    before = Path("search.npz").stat().st_mtime_ns
    ran = infoscope(*resumed)
    assert ran.code == 0, ran.err
    assert Path("search.npz").stat().st_mtime_ns > before  # it had not been at its end
    assert numbers("out.json") == numbers("whole.json")
    assert Path("out.csv").read_bytes() == Path("whole.csv").read_bytes()
    kept = Path("search.npz").read_bytes()
    ran = infoscope("rerun", "out.json")  # needs no file of the search, and leaves it alone
    assert ran.code == 0 and "reproduced" in ran.out and Path("search.npz").read_bytes() == kept


def test_other_options_are_named(table, infoscope):
    common = ["select", "items.csv:a,b,c", "--target", "u", "--window", "0", "-q", "--resume", "search.npz"]
    assert infoscope(*common, "--method", "forward", "--size", "2").code == 0
    for options, message in [
        (["--method", "forward", "--size", "3"], "--size is 2 there and 3 here"),
        (["--method", "forward", "--size", "2", "--bandwidth", "gap"], 'bandwidth is "point" there and "gap" here'),
        (["--method", "backward", "--size", "2"], "function is"),
        (["--method", "forward", "--size", "2", "--stride", "2"], "data is"),
        (["--method", "forward", "--size", "2", "--validation", "0.3"], "validation is null there and 0.3 here"),
    ]:
        ran = infoscope(*common, *options)
        assert ran.code == 2 and "search.npz belongs to other options" in ran.err and message in ran.err, ran.err
        assert len(ran.err.strip().splitlines()) == 1


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--resume", "search.npz"], "--resume goes with a search of sizes"),
        (["--resume", "items.csv", "--size", "auto"], "items.csv is no checkpoint: name another file"),
        (["--resume", "no/search.npz", "--size", "auto"], "no/search.npz"),
    ],
)
def test_bad_input(table, infoscope, options, message):
    ran = infoscope("select", "items.csv:a,b,c", "--target", "u", "--window", "0", *options)
    assert ran.code == 2 and message in ran.err and "Traceback" not in ran.err, ran.err
    assert not Path("no").exists() and Path("items.csv").read_text().startswith("a,b")
