"""``infoscope dimension``: the numbers of the library, from a file to a record that can be run again."""

import json
from pathlib import Path

import numpy as np
import pytest

from infoscope.dimension import ABIDE, Decimation, Gride, TwoNN


@pytest.fixture
def plane(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    x = np.random.default_rng(0).normal(size=(400, 2)) @ np.array([[1.0, 0, 2], [0, 1, 1]])
    np.save("plane.npy", x)
    return x


@pytest.mark.parametrize(
    ("options", "estimator"),
    [
        (["--max-rank", "16"], Gride(max_rank=16)),
        (["--method", "two-nn"], TwoNN()),
        (["--method", "abide"], ABIDE()),
        (["--method", "decimation"], Decimation()),
    ],
)
def test_values_of_the_library(plane, infoscope, options, estimator):
    ran = infoscope("dimension", "plane.npy", *options, "--output", "out.json", "--plot", "out.png")
    assert ran.code == 0, ran.err
    table = json.loads(Path("out.json").read_text())["table"]
    expected = np.atleast_1d(estimator.fit(plane).dimension_)
    np.testing.assert_allclose([row["dimension"] for row in table], expected, rtol=1e-12)
    assert "plane.npy: 3 columns" in ran.out and "±" in ran.out and "variables" in ran.out
    again = infoscope("rerun", "out.json")
    assert again.code == 0 and "reproduced" in again.out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ([], "a file is needed"),
        (
            ["plane.npy", "--method", "pca"],
            "--method is 'gride', 'two-nn', 'abide', 'lattice', 'decimation' or 'pointwise', not 'pca'",
        ),
        (["plane.npy", "--method", "abide", "--sample-rows", "50"], "--sample-rows does not go with abide"),
        (["plane.npy", "--method", "decimation", "--sample-rows", "50"], "--sample-rows does not go with decimation"),
        (["plane.npy", "--method", "abide", "--max-rank", "8"], "--max-rank goes with --method gride"),
        (["plane.npy", "--max-rank", "400"], "max_rank=400 is too large"),
        (["plane.npy", "--method", "pointwise", "--sample-rows", "50"], "--sample-rows does not go with pointwise"),
        (["plane.npy", "--smoothing", "5"], "--smoothing goes with --method pointwise, not with gride"),
        (["plane.npy", "--method", "pointwise", "--max-rank", "2"], "k must be at least 3, got 2"),
        (["none.npy"], "there is no file none.npy"),
    ],
)
def test_bad_input(plane, infoscope, arguments, message):
    ran = infoscope("dimension", *arguments)
    assert ran.code == 2 and message in ran.err and "Traceback" not in ran.err


def test_a_column_a_row(plane, infoscope):
    """k = 12: 10 / sum of log(r_12 / r_j), by sorting all distances."""
    options = ["--method", "pointwise", "--max-rank", "12"]
    ran = infoscope("dimension", "plane.npy", *options, "--output", "rows.csv")
    assert ran.code == 0 and "around a typical item" in ran.out, ran.err
    lines = Path("rows.csv").read_text().splitlines()
    names = lines[0].split(",")
    found = np.array([[float(cell) for cell in line.split(",")[names.index("dimension") :]] for line in lines[1:]])
    r = np.sort(np.linalg.norm(plane[:, None] - plane[None], axis=-1), axis=1)[:, 1:13]
    expected = 10 / np.log(r[:, -1:] / r[:, :-1]).sum(1)
    np.testing.assert_allclose(found[:, 0], expected, rtol=1e-9)
    np.testing.assert_allclose(found[:, 1], expected / np.sqrt(10), rtol=1e-9)
    smooth = infoscope("dimension", "plane.npy", *options, "--smoothing", "8", "--output", "out.json")
    assert smooth.code == 0 and "pooled over 8 neighbours" in smooth.out
    again = infoscope("rerun", "out.json")
    assert again.code == 0 and "reproduced" in again.out
