"""``infoscope dimension --binary``: the numbers of the library, from files of bits, states and numbers."""

import json
from pathlib import Path

import numpy as np
import pytest

from infoscope.datasets import ising_chain, latent_text
from infoscope.dimension import BinaryID, prefix_curve, scan_alpha


def drawn(x):
    return BinaryID(n_rows=200, random_state=3).fit(x).result_


@pytest.fixture
def files(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    data = {
        "spins": ising_chain(300, 120, 0.5, random_state=0),
        "text": latent_text(300, 10, random_state=0)[0],
        "acts": rng.normal(size=(300, 80)),
        "states": rng.integers(0, 4, (300, 60)),
        "packed": np.packbits(rng.integers(0, 2, (300, 100)), axis=1),
    }
    for name, values in data.items():
        np.save(f"{name}.npy", values)
    return data


@pytest.mark.parametrize(
    ("name", "options", "call"),
    [
        ("spins", [], lambda x: BinaryID().fit(x).result_),
        ("spins", ["--alpha-max", "auto"], lambda x: BinaryID(alpha_max="auto").fit(x).result_),
        ("spins", ["--alpha-max", "scan"], lambda x: scan_alpha(x)),
        ("text", ["--prefix", "160"], lambda x: prefix_curve(x, [160, 320])),
        ("text", ["--prefix", "100,300"], lambda x: prefix_curve(x, [100, 300])),
        ("acts", ["--binarize", "sign"], lambda x: BinaryID(binarize="sign").fit(x).result_),
        ("acts", ["--binarize", "0.25"], lambda x: BinaryID(binarize=0.25).fit(x).result_),
        ("states", ["--states", "4"], lambda x: BinaryID(q=4).fit(x).result_),
        ("packed", ["--bits", "100"], lambda x: BinaryID().fit(x, n_bits=100).result_),
        ("spins", ["--sample-rows", "200", "--seed", "3"], drawn),
    ],
)  # fmt: skip
def test_values_of_the_library(files, infoscope, name, options, call):
    ran = infoscope("dimension", f"{name}.npy", "--binary", *options, "--output", "out.json", "--plot", "out.png")
    assert ran.code == 0, ran.err
    table = json.loads(Path("out.json").read_text())["table"]
    expected = call(files[name])
    np.testing.assert_array_equal([row["d0"] for row in table], np.atleast_1d(expected.d0))
    np.testing.assert_array_equal([row["d0_se"] for row in table], np.atleast_1d(expected.d0_se))
    assert "±" in ran.out and Path("out.png").stat().st_size > 5000
    again = infoscope("rerun", "out.json")
    assert again.code == 0 and "reproduced" in again.out


def test_items_with_a_time_are_compared_in_blocks(files, infoscope):
    slow = np.repeat(files["spins"][:30], 10, 0) * np.where(np.random.default_rng(1).random((300, 120)) < 0.1, -1, 1)
    np.save("slow.npy", slow)
    ran = infoscope("dimension", "slow.npy", "--binary", "--time", "0.5", "--output", "slow.json")
    assert ran.code == 0, ran.err
    assert json.loads(Path("slow.json").read_text())["values"]["error"] == "blocks"
    np.save("packed.npy", np.packbits(slow > 0, axis=1))
    ran = infoscope("dimension", "packed.npy", "--binary", "--bits", "120", "--time", "0.5", "--output", "packed.json")
    assert ran.code == 0, ran.err
    values = [json.loads(Path(name).read_text())["values"] for name in ("slow.json", "packed.json")]
    assert values[0]["d0"] == values[1]["d0"] and values[0]["d0_se"] == values[1]["d0_se"]


def test_bits_have_no_weights(files, infoscope):
    np.save("w.npy", np.arange(1.0, 301))
    for bits in (["spins.npy"], ["packed.npy", "--bits", "100"]):
        ran = infoscope("dimension", *bits, "--binary", "--weights", "w.npy")
        assert ran.code == 2 and "has weights that differ" in ran.err


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["acts.npy", "--binary"], "acts holds more than two values"),
        (["packed.npy", "--binary"], "packed bytes need --bits"),
        (["acts.npy", "--binarize", "sign"], "--binarize goes with --binary"),
        (["acts.npy", "--prefix", "10"], "--prefix goes with --binary"),
        (
            ["acts.npy", "--binary", "--binarize", "mean"],
            "--binarize is 'sign', 'median', 'two_bit' or a threshold, not 'mean'",
        ),
        (["spins.npy", "--binary", "--metric", "cosine"], "--metric does not go with --binary"),
        (["spins.npy", "--binary", "--method", "abide"], "--method does not go with --binary"),
        (["spins.npy", "--binary", "--alpha-max", "wide"], "--alpha-max is 'auto', 'scan' or a share, not 'wide'"),
        (["spins.npy", "--binary", "--alpha-max", "1.5"], "--alpha-max"),
        (["spins.npy", "--binary", "--prefix", "ten"], "--prefix is a number of columns"),
        (["spins.npy", "--binary", "--prefix", "10,200"], "at most 120 columns"),
        (["spins.npy", "--binary", "--prefix", "10", "--alpha-max", "scan"], "two pictures"),
        (["spins.npy", "--binary", "--prefix", "10", "--alpha-max", "auto"], "equal windows"),
        (["spins.npy", "--binary", "--prefix", "10", "--sample-rows", "50"], "--sample-rows goes with one number"),
        (["states.npy", "--binary", "--states", "4", "--binarize", "sign"], "leave out --binarize"),
        (["states.npy", "--binary", "--states", "3"], "holds 3 in row"),
        (["acts.npy", "--binary", "--bits", "10"], "packed bytes, but they are not all whole numbers"),
    ],
)
def test_bad_input(files, infoscope, arguments, message):
    ran = infoscope("dimension", *arguments)
    assert ran.code == 2 and message in ran.err and "Traceback" not in ran.err
