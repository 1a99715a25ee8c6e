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
            "--method is 'gride', 'two-nn', 'abide', 'lattice' or 'decimation', not 'pca'",
        ),
        (["plane.npy", "--method", "abide", "--sample-rows", "50"], "--sample-rows does not go with abide"),
        (["plane.npy", "--method", "decimation", "--sample-rows", "50"], "--sample-rows does not go with decimation"),
        (["plane.npy", "--method", "abide", "--max-rank", "8"], "--max-rank goes with --method gride"),
        (["plane.npy", "--max-rank", "400"], "max_rank=400 is too large"),
        (["none.npy"], "there is no file none.npy"),
    ],
)
def test_bad_input(plane, infoscope, arguments, message):
    ran = infoscope("dimension", *arguments)
    assert ran.code == 2 and message in ran.err and "Traceback" not in ran.err
