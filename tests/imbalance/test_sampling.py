"""Sampled rows and sampled columns: unbiased at the full number of items, with honest errors."""

import numpy as np
import pytest

from infoscope.base import ParameterError
from infoscope.imbalance import compare_imbalances, imbalance_matrix, imbalance_scale_curve, information_imbalance
from infoscope.neighbors import Space

N = 500
X = np.random.default_rng(1).normal(size=(N, 3))
A, B = X[:, :2], X


@pytest.fixture(scope="module")
def exact():
    return information_imbalance(A, B, k=2)


def repeated(n, **options):
    return np.array([information_imbalance(A, B, k=2, random_state=seed, **options).a_to_b for seed in range(n)])


def test_sampled_rows_are_unbiased_with_the_known_variance(exact):
    values = repeated(300, n_rows=60)
    expected = np.sqrt((1 - 60 / N) * exact.a_to_b_rows.var(ddof=1) / 60)
    assert values.mean() == pytest.approx(exact.a_to_b, abs=3.5 * expected / np.sqrt(300))
    assert values.std(ddof=1) == pytest.approx(expected, rel=0.2)  # known to 4 %


def test_sampled_columns_are_unbiased_at_the_full_number_of_items(exact):
    for n_columns in (5, 40):
        values = repeated(100, n_columns=n_columns)
        assert values.mean() == pytest.approx(exact.a_to_b, abs=3.5 * values.std(ddof=1) / 10)
        bound = np.sqrt(1 / (N * n_columns))
        assert values.std(ddof=1) < 1.2 * bound
    # the subset a user would take instead answers another question: at its own number of items
    subsets = [np.random.default_rng(seed).choice(N, 40, replace=False) for seed in range(40)]
    assert np.mean([information_imbalance(A[r], B[r], k=2).b_to_a for r in subsets]) > exact.b_to_a + 0.05


def test_sampled_rows_and_columns(exact):
    values = repeated(200, n_rows=60, n_columns=40)
    assert values.mean() == pytest.approx(exact.a_to_b, abs=3.5 * values.std(ddof=1) / np.sqrt(200))


def test_sampled_columns_with_ties_windows_and_runs():
    """The estimate of every single rank is unbiased, ties and forbidden columns included."""
    g = np.random.default_rng(2)
    a, b, run = g.integers(0, 4, (60, 2)).astype(float), g.integers(0, 4, (60, 2)).astype(float), np.repeat([0, 1], 30)
    spaces, options = (Space(a, run=run), Space(b, run=run)), {"exclusion_window": 3, "k": 2, "standard_error": "graph"}
    exact = information_imbalance(*spaces, **options)
    values = np.array(
        [information_imbalance(*spaces, n_columns=30, random_state=s, **options).a_to_b_rows for s in range(200)]
    )
    scatter = values.std(0, ddof=1) / np.sqrt(200)
    distance = (values.mean(0) - exact.a_to_b_rows) / np.where(scatter > 0, scatter, 1)
    assert np.abs(distance).max() < 5 and distance.std() < 1.5  # 60 numbers of standard deviation one


@pytest.mark.parametrize("options", [{"n_rows": 60}, {"n_columns": 20}, {"n_rows": 60, "n_columns": 20}])
def test_errors_are_honest(options):
    """(Scatter over new data sets) / (mean reported error); known to 9 %."""
    values, errors = [], []
    for seed in range(60):
        x = np.random.default_rng(seed).normal(size=(300, 3))
        result = information_imbalance(x[:, :2], x, random_state=seed, exclusion_window=0, **options)
        values.append(result.a_to_b)
        errors.append(result.a_to_b_se)
    assert 0.7 <= np.std(values, ddof=1) / np.mean(errors) <= 1.3


def test_same_seed_same_answer():
    options = {"n_rows": 50, "n_columns": 20}
    first, again, other = (information_imbalance(A, B, random_state=seed, **options) for seed in (3, 3, 4))
    assert (first.a_to_b, first.b_to_a, first.a_to_b_se) == (again.a_to_b, again.b_to_a, again.a_to_b_se)
    assert first.a_to_b != other.a_to_b
    generator = information_imbalance(A, B, random_state=np.random.default_rng(3), **options)
    assert generator.a_to_b == first.a_to_b
    threads = information_imbalance(A, B, random_state=3, n_jobs=1, **options)
    assert threads.a_to_b == first.a_to_b


def test_what_the_result_says(exact):
    result = information_imbalance(A, B, k=2, n_rows=50, n_columns=30, random_state=0)
    assert (result.n_items, result.n_rows, result.n_columns) == (N, 50, 30)
    assert len(result.a_to_b_rows) == len(result.row_weights) == 50
    assert result.a_to_b_floor == pytest.approx(3 / N)
    everything = information_imbalance(A, B, k=2, n_rows=N, n_columns=N + 7, random_state=0)
    assert (everything.a_to_b, everything.n_rows, everything.n_columns) == (exact.a_to_b, N, None)


def test_ranks_among_labels_are_exact_whatever_the_columns():
    y = Space.from_labels(np.random.default_rng(5).integers(0, 3, N))
    assert information_imbalance(A, y, n_columns=10, random_state=0).a_to_b == information_imbalance(A, y).a_to_b


def test_other_functions_sample_alike():
    single = information_imbalance(A, B, k=2, n_rows=50, random_state=6)
    curve = imbalance_scale_curve(A, B, k=(2, 3), n_rows=50, random_state=6)
    matrix = imbalance_matrix({"A": A, "B": B}, k=2, n_rows=50, random_state=6)
    difference = compare_imbalances(A, B[:, :1], B, k=2, n_rows=50, random_state=6)
    assert curve.a_to_b[0] == matrix.values[0, 1] == difference.a_to_target == single.a_to_b
    assert curve.n_rows == matrix.n_rows == difference.n_rows == 50


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"n_rows": 2}, "n_rows"),
        ({"n_rows": 0}, "n_rows"),
        ({"n_rows": 10.0}, "n_rows"),
        ({"n_columns": 1}, "n_columns"),
        ({"n_columns": -5}, "n_columns"),
        ({"n_columns": "many"}, "n_columns"),
        ({"random_state": "seed"}, "random_state"),
    ],
)
def test_wrong_numbers(options, message):
    for call in (lambda: information_imbalance(A, B, **options), lambda: imbalance_matrix({"A": A, "B": B}, **options)):
        with pytest.raises(ParameterError, match=message):
            call()


def test_sampled_columns_do_not_go_with_weights():
    w = np.random.default_rng(7).uniform(1, 2, N)
    spaces = [Space(x, sample_weight=w) for x in (A, B)]
    for call in (
        lambda: information_imbalance(*spaces, n_columns=20),
        lambda: imbalance_matrix({"a": spaces[0], "b": spaces[1]}, n_columns=20),
    ):
        with pytest.raises(ParameterError, match="does not go with sample weights"):
            call()


def test_sampled_rows_with_weights_agree_in_the_mean():
    w = np.exp(0.5 * X[:, 0])
    spaces = [Space(x, sample_weight=w) for x in (A, B)]
    exact = information_imbalance(*spaces).a_to_b
    values = [information_imbalance(*spaces, n_rows=100, random_state=s).a_to_b for s in range(60)]
    assert np.mean(values) == pytest.approx(exact, abs=4 * np.std(values) / np.sqrt(60))
