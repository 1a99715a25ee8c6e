"""Files to compare, and the command line called in this process."""

from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from infoscope.cli import main
from infoscope.io.files_read import _WATCH


@pytest.fixture(autouse=True)
def nothing_stays_watched():
    """A command that a test runs in its own context would go on watching the files of all tests after it."""
    yield
    assert _WATCH.get() is None, "run the command by copy_context().run, or by the fixture infoscope"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A folder with a table, two arrays and a trajectory in two pieces, which is also the current one."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(120, 4))
    table = pd.DataFrame({"a": x[:, 0], "b": x[:, 1], "c": x[:, 0] + 0.1 * x[:, 2], "wide": 500 * x[:, 3]})
    table["phi"] = rng.uniform(-180, 180, 120)
    table["t"] = 0.5 * np.arange(120)
    table["group"] = np.where(x[:, 0] > 0, "high", "low")
    table["part"] = np.repeat(["one", "two"], 60)
    table["w"] = rng.uniform(0.5, 1.5, 120)
    table.to_csv(tmp_path / "items.csv", index=False)
    np.save(tmp_path / "x.npy", x[:, :2].astype(np.float32))
    np.save(tmp_path / "y.npy", x[:, 1:])
    np.savez(tmp_path / "both.npz", x=x[:, :2], y=x[:, 1:])
    for piece, rows in enumerate((slice(0, 70), slice(70, 120))):
        np.save(tmp_path / f"run{piece}.npy", x[rows])
        np.save(tmp_path / f"target{piece}.npy", x[rows, :1] ** 2)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def infoscope(capsys):
    """Run a command given as text; returns exit code, output and errors."""

    def run(*arguments: str) -> SimpleNamespace:
        code = main(list(arguments))
        captured = capsys.readouterr()
        return SimpleNamespace(code=code, out=captured.out, err=captured.err)

    return run
