"""Chosen rows and columns: who asks, and who may be a neighbour, against brute force on whole matrices of distances."""

import warnings

import numpy as np
import pytest
from tests.imbalance.brute import (
    admissible,
    count_variance,
    distances,
    label_distances,
    mean_ranks,
    moved_ranks,
    neighbor_shares,
    neighbor_weights,
    rescaled_ranks,
    sharing_variance,
)

from infoscope.base import CorrelatedRowsWarning, DataError, ParameterError
from infoscope.imbalance import compare_imbalances, imbalance_matrix, imbalance_scale_curve, information_imbalance
from infoscope.io import load, save
from infoscope.neighbors import Space

N = 60
G = np.random.default_rng(11)
A, B = G.integers(0, 7, (N, 2)).astype(float), G.integers(0, 9, (N, 3)).astype(float)  # whole numbers: ties are exact
HALVES = np.sort(G.permutation(N)[: N // 2]), np.sort(G.permutation(N)[N // 2 :])
R, C = HALVES[0], np.setdiff1d(np.arange(N), HALVES[0])
CHOICES = {
    "halves": (R, C),
    "few rows": (R[:7], C),
    "few columns": (R, C[:6]),
    "overlapping": (np.arange(40), np.arange(20, 60)),
    "columns": (None, C),
    "rows": (R, None),
}


def chosen(ok, rows, columns):
    """The pairs that are left of `ok`, and the rows."""
    mask = np.zeros(len(ok), bool)
    mask[np.arange(len(ok)) if columns is None else columns] = True
    return ok & mask[None, :], np.arange(len(ok)) if rows is None else np.asarray(rows)


def by_brute_force(d_a, d_b, k, ok, rows, blocks=None):
    """Value and error, formulas (1), (2) and (5), of some rows, with ranks that move together."""
    c = np.zeros(d_a.shape)
    c[rows] = neighbor_shares(d_a[rows], ok[rows], k)
    u = np.zeros(d_a.shape)
    u[rows] = np.nan_to_num(mean_ranks_of(d_b, ok, c, rows)) / (ok[rows].sum(1) + 1)[:, None]
    omega = c / len(rows)
    value = float((omega * 2 * u).sum())
    eps = np.where(c > 0, omega * (2 * u - value), 0.0)
    i, j = np.nonzero((c > 0) | np.eye(len(c), dtype=bool))  # what an item adds by itself is a pair with itself
    eps[np.diag_indices(len(c))] = moved_ranks(d_b, c, ok, rows, k)
    return value, np.sqrt(sharing_variance(i, j, eps[i, j], blocks))


def least_error_of_labels(d_a, d_b, k, ok, rows):
    omega = np.zeros(d_a.shape)
    omega[rows] = neighbor_shares(d_a[rows], ok[rows], k) / len(rows)
    return np.sqrt(count_variance(omega, d_b))


def mean_ranks_of(d_b, ok, c, rows):
    wanted = np.zeros(c.shape, bool)
    wanted[rows] = c[rows] > 0
    return mean_ranks(d_b, ok, wanted)[rows]


@pytest.mark.parametrize("k", [1, 3])
@pytest.mark.parametrize("choice", CHOICES)
def test_values_and_errors_by_brute_force(choice, k):
    rows, columns = CHOICES[choice]
    ok, asked = chosen(~np.eye(N, dtype=bool), rows, columns)
    result = information_imbalance(A, B, k=k, rows=rows, columns=columns, exclusion_window=0)
    for (d_a, d_b), way in (((distances(A), distances(B)), "a_to_b"), ((distances(B), distances(A)), "b_to_a")):
        value, se = by_brute_force(d_a, d_b, k, ok, asked)
        assert getattr(result, way) == pytest.approx(value, abs=1e-12)
        assert getattr(result, f"{way}_se") == pytest.approx(se, abs=1e-12)
    assert len(result.row_weights) == result.n_rows == len(asked)
    assert result.n_candidates == (None if columns is None else len(columns))


@pytest.mark.parametrize("choice", CHOICES)
def test_curves_and_differences_by_brute_force(choice):
    """Every k of a curve is a comparison of its own; a difference counts pairs of both sources together."""
    rows, columns = CHOICES[choice]
    ok, asked = chosen(~np.eye(N, dtype=bool), rows, columns)
    options = dict(rows=rows, columns=columns, exclusion_window=0)
    curve = imbalance_scale_curve(A, B, k=(1, 2, 5), **options)
    for at, k in enumerate((1, 2, 5)):
        value, se = by_brute_force(distances(A), distances(B), k, ok, asked)
        back, back_se = by_brute_force(distances(B), distances(A), k, ok, asked)
        found = (curve.a_to_b[at], curve.a_to_b_se[at], curve.b_to_a[at], curve.b_to_a_se[at])
        np.testing.assert_allclose(found, (value, se, back, back_se), atol=1e-12)
    most = N if columns is None else len(columns)
    assert imbalance_scale_curve(A, B, **options).k.tolist() == [2**p for p in range(9) if 2**p <= max(most // 4, 1)]
    target = np.column_stack([A[:, :1], B[:, :1]])
    found = compare_imbalances(A, B, target, k=2, **options)
    values = [by_brute_force(distances(one), distances(target), 2, ok, asked) for one in (A, B)]
    np.testing.assert_allclose((found.a_to_target, found.a_to_target_se), values[0], atol=1e-12)
    np.testing.assert_allclose((found.b_to_target, found.b_to_target_se), values[1], atol=1e-12)
    dense = np.zeros((N, N))
    for one, (value, _), sign in zip((A, B), values, (1, -1), strict=True):
        c = np.zeros((N, N))
        c[asked] = neighbor_shares(distances(one)[asked], ok[asked], 2)
        u = np.zeros((N, N))
        u[asked] = np.nan_to_num(mean_ranks_of(distances(target), ok, c, asked)) / (ok[asked].sum(1) + 1)[:, None]
        dense += sign * c / len(asked) * (2 * u - value)
        dense[np.diag_indices(N)] += sign * moved_ranks(distances(target), c, ok, asked, 2)
    i, j = np.nonzero(dense)
    assert found.difference_se == pytest.approx(np.sqrt(sharing_variance(i, j, dense[i, j])), abs=1e-12)
    assert found.n_rows == curve.n_rows == len(asked)


@pytest.mark.parametrize("choice", CHOICES)
@pytest.mark.filterwarnings("ignore:.*of 60 rows repeat")
def test_spaces_of_every_kind(choice):
    """Matrices of distances, labels as targets and as sources, cosine, sampled ranks of few columns."""
    rows, columns = CHOICES[choice]
    ok, asked = chosen(~np.eye(N, dtype=bool), rows, columns)
    options = dict(k=2, rows=rows, columns=columns, exclusion_window=0)
    y = (A[:, 0] > 3) + 2 * (B[:, 0] > 4)
    known = {"A": distances(A), "B": distances(B), "y": label_distances(y)}
    spaces = {"A": Space.from_distances(np.sqrt(known["A"])), "B": Space(B), "y": Space.from_labels(y)}
    table = imbalance_matrix(spaces, **options)
    for i, a in enumerate(spaces):
        for j, b in enumerate(spaces):
            if a != b:
                value, se = by_brute_force(known[a], known[b], 2, ok, asked)
                if b == "y":
                    se = max(se, least_error_of_labels(known[a], known[b], 2, ok, asked))
                assert table.values[i, j] == pytest.approx(value, abs=1e-12)
                assert table.values_se[i, j] == pytest.approx(se, abs=1e-12)
                pair = information_imbalance(spaces[a], spaces[b], **options)
                assert (pair.a_to_b, pair.a_to_b_se) == (table.values[i, j], table.values_se[i, j])
                assert pair.a_to_b_floor == table.floors[i, j] <= value + 1e-12
    n_columns = N if columns is None else len(columns)
    everything = information_imbalance(A, B, n_columns=n_columns, random_state=0, **options)
    assert everything.n_columns is None and everything.a_to_b == pytest.approx(table.values[0, 1], abs=1e-12)


@pytest.mark.parametrize("rule", ["mass", "count", "thinning"])
def test_weights(rule):
    rows, columns = CHOICES["overlapping"]
    w = np.random.default_rng(3).uniform(0.5, 2, N)
    w[[2, 25, 50]] = 0
    ok, _ = chosen(admissible(N, w=w), rows, columns)
    asked = np.setdiff1d(rows, [2, 25])
    c, u = np.zeros((N, N)), rescaled_ranks(distances(B), ok, w)[asked]
    c[asked] = neighbor_weights(distances(A)[asked], ok[asked], w, 6, rule, cap=w[columns].max())
    expected = float(w[asked] @ (2 * (c[asked] * u).sum(1)) / w[asked].sum())
    spaces = Space(A, sample_weight=w), Space(B, sample_weight=w)
    options = dict(rows=rows, columns=columns, exclusion_window=0)
    result = information_imbalance(*spaces, k=6, neighbor_rule=rule, **options)
    assert result.a_to_b == pytest.approx(expected, abs=1e-9)
    assert result.n_kish == pytest.approx(w[asked].sum() ** 2 / (w[asked] ** 2).sum())
    assert any("2 of the rows have weight zero" in note for note in result.notes)
    with pytest.raises(DataError, match="effective rows of 5"):
        information_imbalance(*spaces, rows=[0, 1, 3, 4, 5], columns=columns)


@pytest.mark.filterwarnings("ignore:runs are shorter")
def test_windows_runs_and_blocks():
    time, run = np.tile(np.arange(20.0), 3), np.repeat(["x", "y", "z"], 20)
    rows, columns = np.arange(0, N, 2), np.arange(0, N, 3)
    spaces = Space(A, time=time, run=run), Space(B, time=time, run=run)
    for options in (dict(window=3.0), dict(other_runs=True)):
        ok, asked = chosen(admissible(N, time=time, run=run, **options), rows, columns)
        word = {"exclusion_window": options.get("window", 0), "rows": rows, "columns": columns, "k": 2}
        word |= {"neighbors_from": "other_runs"} if "other_runs" in options else {}
        for kind in ("graph", "blocks"):
            result = information_imbalance(*spaces, standard_error=kind, **word)
            blocks = None
            if kind == "blocks":  # two correlation times long, two rows at least, as for all items
                whole = information_imbalance(*spaces, standard_error=kind, exclusion_window=0)
                assert result.n_blocks == whole.n_blocks
                length = N // whole.n_blocks
                blocks = np.arange(N) // length if length * whole.n_blocks == N else None
            value, se = by_brute_force(distances(A), distances(B), 2, ok, asked, blocks)
            assert result.a_to_b == pytest.approx(value, abs=1e-12)
            if kind == "graph" or blocks is not None:
                assert result.a_to_b_se == pytest.approx(se, abs=1e-12)
            assert result.run_values["n_rows"].tolist() == [10, 10, 10]
            assert result.lag_profile["chance"].sum() == pytest.approx(1)
    with pytest.raises(ParameterError, match=r"item 3 .*may use only 0 items"):
        information_imbalance(*spaces, rows=[3, 30, 50], columns=[1, 2, 4], exclusion_window=4, standard_error="graph")
    dropped = dict(exclusion_window=4, on_starved="drop", standard_error="graph")
    with pytest.warns(UserWarning, match="1 rows were left out"):
        result = information_imbalance(*spaces, rows=[3, 30, 50, 51], columns=[1, 2, 4], **dropped)
    assert result.n_rows == 3


def test_rows_are_numbered_as_they_were_brought_and_may_be_a_mask():
    w = np.where(np.arange(N) % 5 == 0, 0.0, 1.0)
    kept = np.flatnonzero(w)
    weighted = information_imbalance(Space(A, sample_weight=w), Space(B), rows=R, columns=C, exclusion_window=0)
    numbers = [np.searchsorted(kept, np.intersect1d(kept, some)) for some in (R, C)]
    plain = information_imbalance(A[kept], B[kept], rows=numbers[0], columns=numbers[1], exclusion_window=0)
    masks = [np.isin(np.arange(N), some) for some in (R, C)]
    masked = information_imbalance(Space(A, sample_weight=w), B, rows=masks[0], columns=masks[1], exclusion_window=0)
    assert weighted.a_to_b == plain.a_to_b == masked.a_to_b
    mixed = information_imbalance(A, B, rows=R[::-1], columns=C[::-1].tolist(), exclusion_window=0)
    assert mixed.a_to_b == information_imbalance(A, B, rows=R, columns=C, exclusion_window=0).a_to_b


def test_sampled_rows_are_some_of_the_chosen():
    x = np.random.default_rng(1).normal(size=(300, 3))
    rows, columns = np.arange(100), np.arange(100, 300)
    whole = information_imbalance(x[:, :2], x, rows=rows, columns=columns)
    values = [
        information_imbalance(x[:, :2], x, rows=rows, columns=columns, n_rows=30, random_state=s).a_to_b
        for s in range(100)
    ]
    assert np.mean(values) == pytest.approx(whole.a_to_b, abs=4 * np.std(values) / 10)
    ranks = [
        information_imbalance(x[:, :2], x, rows=rows, columns=columns, n_columns=20, random_state=s).a_to_b
        for s in range(100)
    ]
    assert np.mean(ranks) == pytest.approx(whole.a_to_b, abs=4 * np.std(ranks) / 10)


def test_nothing_of_the_other_items_matters():
    """Only chosen rows and columns enter: all others may hold anything."""
    x = np.random.default_rng(2).normal(size=(200, 4))
    rows, columns = np.arange(0, 60), np.arange(60, 140)
    other = x.copy()
    other[140:] = np.random.default_rng(3).normal(size=(60, 4)) * 5
    options = dict(rows=rows, columns=columns, k=2, n_permutations=19, random_state=0)
    first, second = (information_imbalance(data[:, :2], data[:, 1:], **options) for data in (x, other))
    for name in ("a_to_b", "a_to_b_se", "a_to_b_floor", "a_to_b_p", "b_to_a", "b_to_a_p", "n_kish", "n_independent"):
        assert getattr(first, name) == getattr(second, name)
    cut = information_imbalance(x[:140, :2], x[:140, 1:], **options)
    assert (cut.a_to_b, cut.a_to_b_se, cut.a_to_b_p) == (first.a_to_b, first.a_to_b_se, first.a_to_b_p)


def test_errors_of_disjoint_halves_are_honest():
    """(Scatter over new data sets) / (mean reported error); known to 6 % of 150 draws."""
    for private in (0, 3):
        values, errors = [], []
        for seed in range(150):
            x = np.random.default_rng(seed).normal(size=(200, 6))
            result = information_imbalance(
                x[:, :3], x[:, 3 - private : 6 - private], rows=np.arange(100), columns=np.arange(100, 200)
            )
            values.append(result.a_to_b)
            errors.append(result.a_to_b_se)
            if private == 3:
                break
        if private == 3:
            assert values[0] == pytest.approx(2 / 101)  # the same space: k + 1 of candidates + 1
            assert errors[0] == 0
        else:
            assert 0.8 <= np.std(values, ddof=1) / np.mean(errors) <= 1.25
            assert np.mean(values) == pytest.approx(1, abs=4 * np.std(values) / np.sqrt(150))


def test_permutations_shuffle_rows_among_rows():
    """The p-value of halves against all shuffles done by hand, with ranks measured anew, is as large within noise."""
    g = np.random.default_rng(4)
    a = g.normal(size=(60, 2))
    b = a @ [[1.0], [0.3]] + 0.8 * g.normal(size=(60, 1))
    rows, columns = np.arange(25), np.arange(25, 60)
    n = 399
    found = information_imbalance(a, b, rows=rows, columns=columns, n_permutations=n, random_state=0)
    nearest = columns[np.argmin(np.abs(((a[rows, None] - a[None, columns]) ** 2).sum(-1)), axis=1)]

    def value(target):
        away = np.abs(target[rows] - target[columns].T)
        own = np.abs(target[rows, 0] - target[nearest, 0])
        return 2 / (36) * np.mean((away < own[:, None]).sum(1) + 1)

    assert found.a_to_b == pytest.approx(value(b))
    shuffled = []
    for _ in range(2000):
        moved = b.copy()
        moved[rows], moved[columns] = b[g.permutation(rows)], b[g.permutation(columns)]
        shuffled.append(value(moved))
    p = np.mean(np.array(shuffled) <= found.a_to_b + 1e-12)
    assert 0.02 < p < 0.6  # so that the comparison says something
    assert found.a_to_b_p == pytest.approx(p, abs=4 * np.sqrt(p * (1 - p) * (1 / n + 1 / 2000)))


def test_many_rows_are_thinned_for_permutations(monkeypatch):
    monkeypatch.setattr("infoscope.imbalance.permutation.LARGEST_TABLE", 100)
    x = np.random.default_rng(5).normal(size=(400, 2))
    few = dict(rows=np.arange(20), columns=np.arange(20, 400), n_permutations=19, random_state=0)
    result = information_imbalance(x, x[:, :1], **few)
    assert result.a_to_b_p == 0.05
    assert "permutation p-values come from 20 random rows and 80 random columns" in result.notes


def test_results_survive_a_file(tmp_path):
    result = information_imbalance(A, B, rows=R, columns=C, exclusion_window=0)
    table = imbalance_matrix({"A": A, "B": B}, rows=R, columns=C, exclusion_window=0)
    for one in (result, table):
        save(one, tmp_path / "result.npz")
        read = load(tmp_path / "result.npz")
        assert (read.n_rows, read.n_candidates, str(read)) == (len(R), len(C), str(one))
        assert f"{len(R)} rows among {len(C)} of N = {N}" in str(read)
        assert read.provenance == one.provenance
    assert table.pair("A", "B").n_candidates == len(C)
    assert result.provenance.parameters["rows"] == R.tolist()


def test_the_order_of_chosen_rows_is_looked_at():
    walk = np.cumsum(np.random.default_rng(0).normal(size=(2000, 3)), axis=0)
    halves = dict(rows=np.arange(0, 2000, 2), columns=np.arange(1, 2000, 2))
    with pytest.warns(CorrelatedRowsWarning):
        assert information_imbalance(walk, walk[:, :1], **halves).correlated_rows
    far = np.random.default_rng(0).normal(size=(2000, 3))
    far[1::2] = far[::2] + 0.01  # neighbours in the file are alike, chosen ones are not
    with warnings.catch_warnings():
        warnings.simplefilter("error", CorrelatedRowsWarning)
        even = np.arange(0, 2000, 2)
        assert not information_imbalance(far, far[:, :1], rows=even[:500], columns=even[500:]).correlated_rows


def test_few_columns_leave_no_interval():
    x = np.random.default_rng(6).normal(size=(100, 2))
    result = information_imbalance(x, x[:, :1], columns=np.arange(8))
    assert result.n_independent == 8 and result.a_to_b_interval is None
    assert "fewer than 10 independent rows" in result.verdict


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        (dict(rows=[0, 1, 1]), ParameterError, "rows must hold different row numbers"),
        (dict(columns=[0.0, 1.0, 2.0]), ParameterError, "columns must hold different row numbers"),
        (dict(rows=[0, 1, N]), ParameterError, f"rows holds {N}"),
        (dict(columns=np.ones(5, bool)), ParameterError, "columns is a mask of shape"),
        (dict(rows=[0, 1]), DataError, "rows leaves 2 items"),
        (dict(columns=[3]), DataError, "columns leaves 1 items"),
        (dict(rows=R, columns=C, k=len(C) + 1), ParameterError, f"k={len(C) + 1} neighbours asked for"),
        (dict(columns=C, k=len(C)), ParameterError, "may use only 29 items"),
        (dict(rows=R, standard_error="jackknife"), ParameterError, "does not go with chosen"),
    ],
)
def test_what_cannot_be(options, error, message):
    calls = [lambda: information_imbalance(A, B, exclusion_window=0, **options)]
    if "standard_error" not in options:
        calls.append(lambda: imbalance_matrix({"A": A, "B": B}, exclusion_window=0, **options))
    for call in calls:
        with pytest.raises(error, match=message):
            call()


def test_permutations_of_series_are_refused():
    time = np.arange(float(N))
    with pytest.raises(ParameterError, match="would be shifted out of their places"):
        information_imbalance(Space(A, time=time), B, rows=R, n_permutations=19, exclusion_window=0)


def test_a_known_graph_has_no_columns():
    known = Space.from_neighbors(
        np.argsort(distances(A), axis=1)[:, 1:6], np.sort(np.sqrt(distances(A)), axis=1)[:, 1:6]
    )
    with pytest.raises(ParameterError):
        imbalance_matrix({"known": known}, targets={"B": B}, columns=C, exclusion_window=0)
    assert np.isfinite(imbalance_matrix({"known": known}, targets={"B": B}, rows=R, exclusion_window=0).values).all()
