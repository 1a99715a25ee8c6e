"""The demonstration runs offline, tells its story, and leaves a picture."""

import socket

import numpy as np
import pytest


def test_demo(tmp_path, monkeypatch, infoscope):
    def offline(*arguments, **options):
        raise OSError("the network is not to be used")

    monkeypatch.setattr(socket.socket, "connect", offline)
    monkeypatch.chdir(tmp_path)
    ran = infoscope("demo")
    assert ran.code == 0 and ran.err == ""
    assert [item.name for item in tmp_path.iterdir()] == ["infoscope-demo.png"]
    assert (tmp_path / "infoscope-demo.png").read_bytes().startswith(b"\x89PNG")
    for part in (
        "1. A molecule: alanine dipeptide, 417 frames",
        "The best of all 1326 pairs",
        "ALA2 phi and ALA2 psi stand for the shape, far ahead of every other pair",
        "2. A trap: 4 trajectories",
        "neighbours come from other runs",
        "3. A table: 178 wines, 13 chemical measurements",
        "flavanoids says most of any single measurement",
        "picture: infoscope-demo.png",
        "infoscope compare --space A=mydata.csv:0-4",
    ):
        assert part in ran.out, part
    assert ran.out.count("In plain words") == 3 and ran.out.count("±") >= 10


def test_the_trap_springs_and_is_avoided():
    from infoscope.cli.demo_questions import trajectory

    found = trajectory()
    # The followers are independent of x: the truth is 1.
    assert found.naive.a_to_b < 0.5 and 20 * found.naive.a_to_b_se < 1 - found.naive.a_to_b
    assert abs(found.honest.a_to_b - 1) < 2 * found.honest.a_to_b_se < 0.2


def test_the_wines_by_counting():
    """For labels without ties: Delta = sum p_c^2 + (N - 1)/N (1 - share of neighbours with the own label)."""
    from infoscope.cli.demo_questions import K, wines
    from infoscope.datasets import load_wine

    table, cultivar = load_wine()
    found, n = wines(), len(table)
    x = table.to_numpy() / table.to_numpy().std(0)
    square = ((x[:, None] - x[None]) ** 2).sum(-1)
    np.fill_diagonal(square, np.inf)
    share = np.mean(cultivar[np.argsort(square, 1)[:, :K]] == cultivar[:, None])
    floor = (np.unique(cultivar, return_counts=True)[1] ** 2).sum() / n**2
    expected = (n - 1) / n * (1 - share) / (1 - floor)
    assert found.values[found.names.index("all 13 together")] == pytest.approx(expected, abs=1e-12)
