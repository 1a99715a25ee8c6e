"""A table of a year with a date, a class, numbers and a few empty cells, as somebody brings it: what is said of it."""

import re

import numpy as np
import pandas as pd
import pytest


@pytest.fixture
def year(tmp_path, monkeypatch):
    """300 days of a slow season: days that follow each other are alike for months."""
    rng = np.random.default_rng(5)
    day = np.arange(300)
    season = 8 * np.sin(2 * np.pi * day / 365)
    table = pd.DataFrame(
        {
            "date": pd.date_range("2024-01-01", periods=300, freq="D").strftime("%Y-%m-%d"),
            "site": rng.choice(["north", "south"], 300),
            "outside": 12 + season + rng.normal(size=300),
            "inside": 20 + 0.2 * season + 0.1 * rng.normal(size=300),
            "power": 200 - 10 * season + 5 * rng.normal(size=300),
            "pressure": 1013 + 0.3 * np.cumsum(rng.normal(size=300)),
        }
    )
    monkeypatch.chdir(tmp_path)
    table.to_csv("year.csv", index=False)
    table[:150].to_csv("before.csv", index=False)
    table[150:].to_csv("after.csv", index=False)
    return table


@pytest.mark.parametrize(
    "command",
    [
        ("compare", "year.csv:2,3", "year.csv:4,5"),
        ("density", "year.csv:2-5", "--states"),
        ("anomalies", "before.csv:2-5", "after.csv:2-5"),
    ],
    ids=lambda command: command[0],
)
def test_durations_of_dates_are_in_days(year, infoscope, command):
    ran = infoscope(*command)
    said = ran.out + ran.err
    assert ran.code == 0 and re.search(r"\d days", said), said
    assert not re.search(r"\de\+0\d", said) and "units of time" not in said, said  # no millions of seconds


def test_two_blocks_are_undecided_by_name(year, infoscope):
    ran = infoscope("anomalies", "before.csv:2-5", "after.csv:2-5")
    assert re.search(r"Undecided: 2 blocks of \d+ days are too few to show a difference at 0\.05\.", ran.out), ran.out


def test_no_independence_is_claimed_of_a_single_season(year, infoscope):
    ran = infoscope("compare", "year.csv:4", "year.csv:5")
    assert "look independent" not in ran.out and "not reliable" in ran.out, ran.out


def test_one_state_has_no_barrier_and_no_error_of_its_population(year, infoscope):
    ran = infoscope("density", "year.csv:2-5", "--states", "--z", "50")
    table = ran.out[ran.out.index("cluster  row") :].splitlines()
    assert table[0].split() == ["cluster", "row", "time", "population", "log", "density", "barrier"]
    row = int(table[1].split()[1])
    assert re.search(r"\s1\s.*\s-$", table[1]) and "nan" not in ran.out and "± 0 " not in ran.out, ran.out
    where = next(line for line in table if " sd)" in line)  # the values of the row that is the centre
    for name, value, away in re.findall(r"(\w+) (\S+) \(([+-]\S+) sd\)", where):
        assert float(value) == pytest.approx(year[name][row], rel=1e-3)
        assert float(away) == pytest.approx((year[name][row] - year[name].mean()) / year[name].std(ddof=0), abs=0.051)
    assert where.count(" sd)") == 3


def test_hints_name_options_that_the_command_has(year, infoscope):
    refused = infoscope("density", "year.csv")
    assert refused.code == 2 and "year.csv:2-5" in refused.err and "--labels" not in refused.err, refused.err
    refused = infoscope("select", "year.csv", "--target", "power")
    assert refused.code == 2 and "--labels site" in refused.err, refused.err


def test_missing_cells_are_counted(year, infoscope):
    year.loc[[5, 17, 90], "inside"] = np.nan
    year.loc[90, "power"] = np.nan
    year.to_csv("year.csv", index=False)
    refused = infoscope("density", "year.csv:2-5")
    assert refused.code == 2
    assert "3 of 300 rows have missing values; the first, row 5 (counted from 0), column 'inside'" in refused.err


def test_a_target_among_its_own_sources_is_named(year, infoscope):
    ran = infoscope("select", "year.csv:2-5", "--target", "year.csv:power", "--window", "0")
    assert "hint: the target power is also among the columns of year: --target power takes it out of them" in ran.out
    assert "is also among" not in infoscope("select", "year.csv:2-5", "--target", "power", "--window", "0").out
    assert "is also among" not in infoscope("select", "year.csv:2,3", "--target", "year.csv:power", "--window", "0").out


def test_the_interval_of_a_weight_is_explained_beside_the_share_of_halves(year, infoscope):
    asked = ("select", "year.csv:2,3,5", "--target", "year.csv:power", "--window", "0")
    ran = infoscope(*asked, "--resamples", "10")
    assert "95 % interval: of the weight that all rows give; positive in: the share of random halves" in ran.out
    assert "positive in" not in infoscope(*asked, "--resamples", "0").out


def test_frames_of_a_molecule_show_themselves_in_one_line():
    from infoscope.datasets import load_alanine_dipeptide

    assert repr(load_alanine_dipeptide("300K metadynamics")) == (
        "MolecularFrames(4800 frames: 7 torsions, 45 distances, 30 positions, time, weights; "
        "alanine dipeptide, 300K metadynamics, 30 ns)"
    )
