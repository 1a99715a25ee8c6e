"""Curves of a training from its history, against the history; what they say and draw."""

from types import SimpleNamespace

import matplotlib.pyplot as plt
import numpy as np
import pytest

from infoscope.base import ParameterError
from infoscope.quantum import Chain, HeisenbergFamily, IsingFamily, TrainingCurves, ground_state, training_curves


def trained(energies, systems=None, couplings=(0.5, 1.5), family=None, variances=None, sampler="auto"):
    """What training leaves, without a training."""
    energies = np.asarray(energies, float)
    n_steps, per_step = energies.shape
    systems = np.tile(np.arange(per_step), (n_steps, 1)) if systems is None else np.array(systems)
    variances = np.full(energies.shape, 0.04) if variances is None else variances
    history = {
        "systems": systems, "energies": energies, "variances": variances, "diag_shift": np.full(n_steps, 0.01),
        "truncated": np.zeros(n_steps, bool),
    }  # fmt: skip
    return SimpleNamespace(
        family=IsingFamily(Chain(4)) if family is None else family, sampler=sampler, training="sampling",
        couplings_=np.array(couplings)[:, None], history_=history, n_samples_=50 * per_step,
    )  # fmt: skip


def test_curves_are_the_history():
    found = training_curves(trained([[-4.0, -6.0], [-4.2, -6.5]]), exact=True)
    np.testing.assert_array_equal(found.energy, [[-4.0, -6.0], [-4.2, -6.5]])
    assert (found.energy_se == 0).all()  # exact sums
    np.testing.assert_allclose(found.v_score, 4 * 0.04 / found.energy**2)
    exact = [ground_state(IsingFamily(Chain(4)), h).energy for h in (0.5, 1.5)]
    np.testing.assert_allclose(found.relative_error, (found.energy - exact) / np.abs(exact))
    assert len(found.to_frame()) == 4 and list(found.to_frame()["step"]) == [0, 0, 1, 1]


def test_systems_that_a_step_leaves_out_have_no_value_there():
    found = training_curves(trained([[-1.0, -2.0], [-3.0, -2.5]], [[0, 2], [1, 2]], (0.5, 1.0, 1.5)))
    np.testing.assert_array_equal(found.energy, [[-1.0, np.nan, -2.0], [np.nan, -3.0, -2.5]])
    np.testing.assert_allclose(found.last_v_score, 4 * 0.04 / np.array([-1.0, -3.0, -2.5]) ** 2)
    assert len(found.to_frame()) == 4 and np.isnan(found.relative_error).all()


def test_rows_of_chains_have_an_error():
    found = training_curves(trained([[-4.0, -6.0]], sampler="metropolis"))
    np.testing.assert_allclose(found.energy_se, np.sqrt(0.04 / 50))  # 50 rows of each system
    assert "independent" in found.notes[0]


def test_constants_of_the_hamiltonian_are_left_out_of_v_scores():
    """Heisenberg terms have none; the V-score is that of the answers."""
    family = HeisenbergFamily(Chain(4), ("J2",))
    found = training_curves(trained([[-2.0, -1.5]], couplings=(0.0, 0.3), family=family))
    np.testing.assert_allclose(found.v_score, 4 * 0.04 / np.array([[-2.0, -1.5]]) ** 2)


@pytest.mark.parametrize(
    ("last", "variance", "words"),
    [
        (-4.2, 1e-4, "good states (below 0.001); energies have settled"),
        (-4.3, 0.1, "0.001 is good; energies still fall"),
    ],
)
def test_the_verdict(last, variance, words):
    energies = np.r_[np.full(19, -4.2), last][:, None]
    found = training_curves(trained(energies, couplings=(0.5,), variances=np.full((20, 1), variance)))
    assert words in found.verdict and found.verdict.startswith("After 20 steps V-scores are ")


@pytest.mark.parametrize(("n_systems", "n_lines"), [(2, 2), (12, 12), (60, 1)])
@pytest.mark.parametrize("kind", ["v_scores", "error", "energy"])
def test_one_curve_a_system_and_a_band_of_many(n_systems, n_lines, kind):
    couplings = np.linspace(0.5, 1.5, n_systems)
    energies = -5 + np.exp(-np.arange(30.0))[:, None] * np.ones(n_systems)
    found = training_curves(trained(energies, couplings=couplings))
    found = TrainingCurves(**{**vars(found), "exact_energy": np.full(n_systems, -5.0)})
    ax = found.plot(kind=kind)
    curves = [line for line in ax.lines if len(line.get_xdata()) == 30]
    assert len(curves) == n_lines and bool(ax.collections) == (n_systems == 60)
    assert ax.get_yscale() == ("linear" if kind == "energy" else "log")
    plt.close(ax.figure)


def test_errors_need_exact_energies_and_a_history_is_needed():
    found = training_curves(trained([[-4.0, -6.0]]))
    with pytest.raises(ParameterError, match="error"):
        found.plot(kind="error")
    state = trained([[-4.0, -6.0]])
    state.history_ = {}
    with pytest.raises(ParameterError, match="no history"):
        training_curves(state)
