"""Which columns say when, where or how a row was seen: by name, or because they only count."""

import numpy as np
import pytest

from infoscope.base.column_roles import counts_rows, is_weak, kind_of_name


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("time", "time|Time|TIME|Time (ps)|time [ns]|time_ps|t|t (s)|t/ps|#Time|timestamp|Date|datetime"),
        ("step", "step|Step|#Step|timestep|time_step|n_steps"),
        ("frame", "frame|Frame|#Frame|frames|frame_number|snapshot"),
        ("iteration", "iteration|iter|it|# it|epoch|draw"),
        ("index", "index|Unnamed: 0|unnamed_0|__index_level_0__|row|id|level_1"),
        ("run", "walker|replica|run|traj|chain|walker_id"),
        ("bias", "bias|metad.bias|metad.rbias|opes.nker|uwall.x_bias|r.d_1_cntr|steer.d1_work"),
        ("effort", "Elapsed Time (s)|Progress (%)|Time Remaining|walltime"),
        (
            "feature",
            "phi|T|T (K)|TS|temperature|heat index|stepsize|timely|rate per step|d.bias.x|index of refraction|walk|"
            "time of flight|tau|framework|identity",
        ),
    ],
)
def test_names(kind, names):
    assert {name: kind_of_name(name) for name in names.split("|")} == dict.fromkeys(names.split("|"), kind)


def test_names_that_may_mean_something_else():
    assert [is_weak(name) for name in ("t", "t (ps)", "id", "run", "time", "frame", "walker")] == [True] * 4 + [
        False
    ] * 3


def test_columns_that_count_rows():
    n = np.arange(500)
    for column in (n, n + 1, 0.002 * n, 5000 - 3 * n, (0.1 * n).astype("f4"), np.round(n / 30, 4), n.astype("u2")):
        assert counts_rows(column)
    bent = n.astype(float)
    bent[250] += 0.2
    for column in (np.ones(500), n**2, n % 499, bent, n // 2, np.append(n[:-1], np.nan), n[:9], 1e9 + np.float32(n)):
        assert not counts_rows(column)
