"""Results of the room: what they hold, how numbers become words, and what is said when they cannot be trusted."""

import json
import math
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from infoscope.base import ParameterError, missing_values
from infoscope.imbalance.results import ImbalanceDifference, ImbalanceMatrix, InformationImbalance, ScaleCurve


def pair(a_to_b, b_to_a, se=0.01, **more):
    both = se if isinstance(se, tuple) else (se, se)
    sizes = {"k": 1, "n_items": 500, "n_rows": 500}
    return InformationImbalance(a_to_b=a_to_b, a_to_b_se=both[0], b_to_a=b_to_a, b_to_a_se=both[1], **(sizes | more))


def matrix(values, names=("x", "y", "z"), targets=None, se=0.01, **more):
    values = np.asarray(values, dtype=float)
    return ImbalanceMatrix(
        names=names, target_names=targets or names, values=values, values_se=np.full(values.shape, se),
        **({"k": 1, "n_items": 200, "n_rows": 200} | more),
    )  # fmt: skip


SQUARE = [[0.0, 0.1, 0.2], [0.6, 0.0, 0.3], [0.9, 1.0, 0.0]]


def curve(a_to_b, b_to_a, k=(1, 4, 16), **more):
    k = np.asarray(k)
    floor = (k + 1) / 200
    lifted = [floor + np.asarray(values) * (1 - floor) for values in (a_to_b, b_to_a)]
    se = np.full(len(k), 0.01)
    return ScaleCurve(
        k=k, a_to_b=lifted[0], a_to_b_se=se, b_to_a=lifted[1], b_to_a_se=se, n_items=200, n_rows=200, **more
    )  # fmt: skip


def difference(a, b, se=0.02, **more):
    return ImbalanceDifference(
        name_a="shape", name_b="colour", name_target="species", a_to_target=a, a_to_target_se=0.02, b_to_target=b,
        b_to_target_se=0.02, difference=a - b, difference_se=se, k=1, n_items=150, n_rows=150, **more,
    )  # fmt: skip


# ------------------------------------------------------------------------------------------------------------ relations
@pytest.mark.parametrize(
    ("a_to_b", "b_to_a", "se", "relation"),
    [
        (0.02, 0.03, 0.01, "equivalent"),
        (0.20, 0.10, 0.01, "equivalent"),  # 0.2 still predicts
        (0.05, 0.56, 0.01, "a contains b"),
        (0.56, 0.05, 0.01, "b contains a"),
        (0.05, 1.00, 0.01, "a contains b"),
        (0.99, 1.01, 0.01, "independent"),
        (0.98, 0.98, 0.01, "independent"),  # exactly two standard errors below 1
        (1.30, 1.20, 0.01, "independent"),  # above 1 is noise
        (0.97, 0.99, 0.01, "partly shared"),  # three standard errors below 1
        (0.40, 0.60, 0.01, "partly shared"),
        (0.50, 1.00, 0.01, "partly shared"),
        (0.19, 0.22, 0.03, "partly shared"),  # A predicts, but does not differ from B
        (0.60, 0.70, 0.25, "independent"),  # the errors reach 1
        (0.60, 0.70, 0.0, "partly shared"),
        (math.nan, 0.5, 0.01, "unknown"),
    ],
)
def test_relation_uses_value_and_error(a_to_b, b_to_a, se, relation):
    result = pair(a_to_b, b_to_a, se)
    assert result.relation == relation
    swapped = {"a contains b": "b contains a", "b contains a": "a contains b"}.get(relation, relation)
    assert pair(b_to_a, a_to_b, se).relation == swapped


@pytest.mark.parametrize(
    ("result", "words"),
    [
        (pair(0.05, 0.56), "A contains B: neighbours in A predict neighbours in B, not the reverse."),
        (pair(0.56, 0.05), "B contains A: neighbours in B predict neighbours in A, not the reverse."),
        (pair(0.05, 0.35), "A contains B: neighbours in A predict neighbours in B, better than the reverse."),
        (pair(0.02, 0.03), "A and B are equivalent: each predicts the neighbours of the other."),
        (
            pair(1.0, 0.99),  # two errors of 0.01: what could have been told
            "A and B look independent: neither tells anything about the other (within error); "
            "a Δ above 0.98 would not show.",
        ),
        (
            pair(1.0, 0.99, (0.01, 0.03)),
            "A and B look independent: neither tells anything about the other (within error); "
            "a Δ above 0.98 (A → B) or 0.94 (B → A) would not show.",
        ),
        (pair(0.4, 0.6), "A and B share part of their information: A tells more about B than B about A."),
        (pair(0.6, 0.4), "A and B share part of their information: B tells more about A than A about B."),
        (
            pair(0.5, 0.5),
            "A and B share part of their information: each tells something about the other, equally much within error.",
        ),
        (
            pair(0.9, 0.9),
            "A and B share part of their information: each tells a little about the other, equally much within error.",
        ),
        (
            pair(0.5, 1.0),
            "A and B share part of their information: A tells something about B, B nothing about A (within error).",
        ),
        (pair(math.nan, 0.5), "The relation of A and B is unknown: a direction has no value."),
    ],
)
def test_verdict_sentences(result, words):
    assert result.verdict == words


def test_verdict_uses_the_names():
    assert pair(0.05, 0.56, name_a="all atoms", name_b="angle").verdict.startswith("all atoms contains angle: ")


def test_verdict_names_what_the_errors_leave_open():
    assert pair(0.19, 0.56, 0.02).verdict.endswith("; the errors also allow 'A and B share part of their information'.")
    assert "the errors also allow 'A contains B'" in pair(0.21, 0.56, 0.02).verdict
    assert "also allow" not in pair(0.05, 0.56, 0.01).verdict
    noisy = pair(0.75, 0.95, 0.2)
    assert noisy.relation == "independent"
    assert noisy.verdict.startswith("Undecided whether") and "too large to exclude it" in noisy.verdict
    assert "too large" not in pair(0.97, 0.95, 0.05).verdict


def test_a_missing_standard_error_is_said():
    assert pair(0.05, 0.56, math.nan).verdict.endswith("; but a standard error is missing.")
    assert pair(0.05, 0.56, math.nan).a_to_b_interval is None


def test_labels_are_judged_above_their_floor():
    perfect = pair(0.36, 1.0, a_to_b_floor=0.34, b_to_a_floor=0.34)
    assert perfect.a_to_b_normalized == pytest.approx(0.02 / 0.66)
    assert perfect.relation == "a contains b"
    assert pair(0.36, 1.0).relation == "partly shared"
    # the error is scaled as well: 1 - 0.978 is 2.2 se of the raw value and of the normalised one
    assert pair(0.978, 1.0, a_to_b_floor=0.34).relation == "partly shared"
    assert pair(0.981, 1.0, a_to_b_floor=0.34).relation == "independent"
    assert pair(1.0, 1.0, a_to_b_floor=1.0, b_to_a_floor=1.0).relation == "independent"


def test_a_permutation_test_can_only_take_away():
    assert pair(0.9, 0.9, a_to_b_p=0.3, b_to_a_p=0.2).relation == "independent"
    assert pair(0.9, 0.9, a_to_b_p=0.01, b_to_a_p=0.01).relation == "partly shared"
    assert pair(0.99, 0.99, a_to_b_p=0.001, b_to_a_p=0.001).relation == "independent"
    odd = pair(0.5, 0.9, a_to_b_p=0.3, b_to_a_p=0.001)  # the lower value is not significant
    assert odd.verdict.endswith("B tells a little about A, A nothing about B (within error).")
    assert pair(0.15, 0.05, b_to_a_p=0.2).relation == "partly shared"  # A does not contain what tells more than A


def test_few_blocks_widen_the_errors():
    assert pair(0.5, 0.5).error_factor == 2.0
    half = stats.t.isf(0.025, 3.5)  # half of 7 degrees
    assert pair(0.5, 0.5, n_blocks=8).error_factor == pytest.approx(half, rel=1e-9)
    assert pair(0.5, 0.5, n_blocks=400).error_factor == 2.0
    assert pair(0.978, 0.978).relation == "partly shared"
    assert pair(0.978, 0.978, n_blocks=8).relation == "independent"
    low, high = pair(0.5, 0.5, n_blocks=8).a_to_b_interval
    assert high - low == pytest.approx(0.02 * half)


# ---------------------------------------------------------------------------------------------------------- reliability
@pytest.mark.parametrize(
    ("more", "said", "interval"),
    [
        ({"n_correlation_times": 50.0}, False, True),
        ({"n_correlation_times": 15.0}, True, True),
        ({"n_correlation_times": 7.0}, True, False),
        ({"n_correlation_times": 7.0, "neighbors_from": "other_runs"}, False, True),
        ({"n_correlation_times": 30.0, "correlation_time_resolved": False}, True, False),
        ({"n_independent": 8.0}, False, False),
        ({"n_independent": 80.0}, False, True),
    ],
)
def test_short_series(more, said, interval):
    result = pair(0.05, 0.56, **more)
    assert ("fewer than 20 correlation times: not reliable" in result.verdict) is said
    assert (result.a_to_b_interval is not None) is interval
    assert (result.b_to_a_interval is not None) is interval
    assert result.a_to_b == 0.05  # the value is returned in any case
    (row,) = result._rows()
    assert (row["a_to_b_low"] is not None) is interval
    assert ("±" in str(result)) is interval
    assert ("not reliable" in result.verdict) is (said or not interval)


def test_correlated_rows_are_said():
    verdict = pair(0.05, 0.56, correlated_rows=True).verdict
    assert verdict.endswith("neighbouring rows look correlated and no time was given: Δ is probably too low.")
    assert verdict.count(".") == 1  # still one sentence


# --------------------------------------------------------------------------------------------------------- the contract
RESULTS = {
    "pair": pair(0.05, 0.56, a_to_b_rows=np.zeros(5), warnings=("careful",), notes=("2 rows have no weight",)),
    "short": pair(math.nan, 0.56, math.nan, n_correlation_times=5.0),
    "matrix": matrix(SQUARE, p_values=np.full((3, 3), 0.01), p_values_adjusted=np.full((3, 3), 0.03), adjust="by"),
    "curve": curve([0.05, 0.05, 0.05], [0.5, 0.5, 0.5]),
    "difference": difference(0.2, 0.5),
}


@pytest.mark.parametrize("name", RESULTS)
def test_dictionaries_are_json(name):
    result = RESULTS[name]
    flat = result.to_dict()
    back = json.loads(json.dumps(flat, allow_nan=False))
    assert back == flat
    assert back["verdict"] == result.verdict
    assert back["n_items"] == result.n_items
    assert all(not isinstance(value, (list, dict)) for value in back.values())


@pytest.mark.parametrize("name", RESULTS)
def test_every_result_prints_and_cites(name):
    result = RESULTS[name]
    assert result.verdict in str(result)
    assert result.verdict.endswith(".") and "\n" not in result.verdict
    assert "<table>" in result._repr_html_()
    assert "glielmo" in result.cite().lower()
    assert len(result.to_frame()) == len(result._rows())


@pytest.mark.parametrize("cls", [InformationImbalance, ImbalanceMatrix, ScaleCurve, ImbalanceDifference])
def test_every_error_has_its_value(cls):
    assert missing_values(cls) == []


def test_flat_values_of_a_pair():
    flat = pair(0.05, 0.56, a_to_b_p=0.001, a_to_b_floor=0.004, n_kish=320.0, n_effective=250.0).to_dict()
    assert (flat["a_to_b"], flat["a_to_b_se"], flat["b_to_a"], flat["b_to_a_se"]) == (0.05, 0.01, 0.56, 0.01)
    assert (flat["a_to_b_low"], flat["a_to_b_high"]) == pytest.approx((0.03, 0.07))
    assert (flat["a_to_b_p"], flat["b_to_a_p"]) == (0.001, None)
    assert (flat["n_kish"], flat["n_effective"], flat["relation"]) == (320.0, 250.0, "a contains b")


def test_text_of_a_pair():
    lines = str(RESULTS["pair"]).splitlines()
    assert lines[0] == "Information Imbalance of A and B (k = 1, N = 500)"
    assert lines[1].split() == ["Δ(A", "→", "B)", "0.050", "±", "0.010"]
    assert "Warning: careful" in lines and "Note: 2 rows have no weight" in lines


def test_unknown_kinds_are_named():
    with pytest.raises(ParameterError, match="plane.*ranks.*lags"):
        pair(0.1, 0.2).plot(kind="pie")
    with pytest.raises(ParameterError, match="heatmap"):
        matrix(SQUARE).plot(kind="pie")


# -------------------------------------------------------------------------------------------------------------- matrix
def test_matrix_ranks_its_spaces():
    verdict = matrix(SQUARE).verdict
    assert verdict == "x tells most about the others: mean Δ 0.150 ± 0.010, the next is y with 0.450 ± 0.010."


def test_matrix_does_not_rank_within_error():
    verdict = matrix([[0, 0.30, 0.30], [0.31, 0, 0.31], [0.9, 0.9, 0]]).verdict
    assert verdict.startswith("x and y tell most about the others and cannot be told apart (within error)")
    assert "0.300 ± 0.010 and 0.310 ± 0.010" in verdict


def test_matrix_of_nothing():
    nothing = matrix(np.full((3, 3), 0.99)).verdict
    assert nothing == "No space tells anything about the others (within error); a mean Δ above 0.98 would not show."


def test_matrix_with_targets_removes_their_floors():
    values = [[0.4, 0.3], [0.6, 0.9]]
    result = matrix(values, ("x", "y"), ("kind", "place"), floors=np.array([0.34, 0.25]))
    mean = np.mean([(0.4 - 0.34) / 0.66, (0.3 - 0.25) / 0.75])
    assert f"x tells most about kind and place: mean Δ, floor removed, {mean:.3f}" in result.verdict
    assert len(result.to_frame()) == 4
    with pytest.raises(ParameterError, match="'x'.*both directions|both directions.*'x'"):
        result.pair("x", "kind")
    assert result.pairs() == []


def test_matrix_one_space_one_target():
    result = matrix([[0.3]], ("x",), ("y",))
    assert result.verdict == "x tells most about y: mean Δ 0.300 ± 0.010."


def test_matrix_pairs_hold_both_directions():
    p = np.arange(9.0).reshape(3, 3) / 10
    result = matrix(SQUARE, p_values=p / 10, p_values_adjusted=p, n_correlation_times=12.0)
    one = result.pair("x", "y")
    assert (one.a_to_b, one.b_to_a, one.a_to_b_p, one.b_to_a_p) == (0.1, 0.6, 0.1, 0.3)
    assert one.too_short and one.n_items == 200  # knows where it comes from
    assert [(r.name_a, r.name_b) for r in result.pairs()] == [("x", "y"), ("x", "z"), ("y", "z")]
    frame = result.to_frame()
    assert len(frame) == 6  # no space with itself
    row = frame[(frame.name_a == "y") & (frame.name_b == "x")].iloc[0]
    assert (row.a_to_b, row.a_to_b_se, row.a_to_b_p_adjusted) == (0.6, 0.01, 0.3)


def test_matrix_ignores_its_diagonal_and_missing_values():
    values = np.array(SQUARE)
    other = values.copy()
    np.fill_diagonal(other, np.nan)
    assert matrix(values).verdict == matrix(other).verdict
    other[0, 1] = np.nan
    assert matrix(other).pair("x", "y").relation == "unknown"
    json.dumps(matrix(other).to_dict(), allow_nan=False)


def test_matrix_prints_a_grid_or_a_list():
    assert "0.100 ± 0.010" in str(matrix(SQUARE)).splitlines()[2]
    names = tuple(f"s{i}" for i in range(10))
    big = matrix(np.linspace(0.1, 1, 100).reshape(10, 10), names)
    assert str(big).splitlines()[0] == "Information Imbalance Δ(the lowest of 90 pairs), k = 1, N = 200"
    assert str(big).splitlines()[1].split() == ["Δ(s0", "→", "s1)", "0.109", "±", "0.010"]


# --------------------------------------------------------------------------------------------------- curve, difference
def test_curve_verdicts():
    same = curve([0.05] * 3, [0.5] * 3).verdict
    assert same == "A contains B at every scale from k = 1 to k = 16 (0.08 of all items)."
    changing = curve([0.05, 0.3, 0.6], [0.5, 0.5, 0.6]).verdict
    assert changing.startswith("A contains B at k = 1, but A and B share part of their information at k = 16")
    between = curve([0.05, 0.4, 0.05], [0.5, 0.5, 0.5]).verdict
    assert between.endswith("but not at k = 4.")


def test_curve_knows_the_floor_of_each_k():
    result = curve([0.05] * 3, [0.5] * 3)
    assert result.floors()[0] == pytest.approx([2 / 200, 5 / 200, 17 / 200])
    assert result.at(2).a_to_b_normalized == pytest.approx(0.05)
    own = replace(result, a_to_b_floor=np.full(3, 0.02))
    assert own.at(2).a_to_b_floor == 0.02
    frame = result.to_frame()
    assert list(frame.k) == [1, 4, 16]
    assert np.array_equal(frame.a_to_b, result.a_to_b)


@pytest.mark.parametrize(
    ("result", "words"),
    [
        (difference(0.2, 0.5), "shape tells more about species than colour: Δ is lower by 0.300 ± 0.020."),
        (difference(0.5, 0.2), "colour tells more about species than shape: Δ is lower by 0.300 ± 0.020."),
        (
            difference(0.5, 0.52),
            "shape and colour tell equally much about species (within error): Δ differs by -0.020 ± 0.020.",
        ),
        (
            difference(0.99, 1.02),
            "Neither shape nor colour tells anything about species (within error); a Δ above 0.96 would not show.",
        ),
    ],
)
def test_difference_verdicts(result, words):
    assert result.verdict == words


def test_difference_needs_its_error_and_its_test():
    assert "equally much" in difference(0.2, 0.5, p_value=0.2).verdict
    assert "equally much" in difference(0.2, 0.5, se=math.nan).verdict
    assert difference(0.2, 0.5).difference_interval == pytest.approx((-0.34, -0.26))
    assert difference(0.2, 0.5, n_correlation_times=4.0).difference_interval is None
