"""Training end to end, the trained state as it is asked, files, and bad input."""

from __future__ import annotations

import subprocess
import sys
from copy import copy

import numpy as np
import pytest
from sklearn.exceptions import NotFittedError

import infoscope
from infoscope.base import DataError, InfoscopeWarning, ParameterError
from infoscope.quantum import (
    Chain,
    CustomFamily,
    FoundationQuantumState,
    HeisenbergFamily,
    IsingFamily,
    RandomFieldIsing,
    outside_training,
    spins_of,
)
from infoscope.quantum.training_options import rows_of_a_system, settle_n_samples, systems_in_range, training_systems

pytest.importorskip("jax")

FAMILY = IsingFamily(Chain(6))
COUPLINGS = np.linspace(0.75, 2.0, 4)[:, None]
SMALL = dict(d_model=8, n_heads=2, n_layers=1, n_samples=64, random_state=0)


def make(**changes):
    return FoundationQuantumState(**{"family": FAMILY, **SMALL, "n_iter": 150, **changes})


def exact(n_sites, field):
    """Ground state by the dense matrix: energy and vector."""
    values, vectors = np.linalg.eigh(IsingFamily(Chain(n_sites)).operator.matrix(np.array([field])).toarray())
    return values[0], vectors[:, 0]


@pytest.fixture(scope="module")
def trained():
    return make().fit(COUPLINGS)


def test_training_finds_the_ground_states(trained):
    everything = spins_of(np.arange(64), 6)
    for field in (*COUPLINGS.ravel(), 0.9, 1.3):  # seen and unseen
        energy, vector = exact(6, field)
        psi = np.exp(trained.log_amplitude(everything, field))
        psi /= np.linalg.norm(psi)
        found = psi @ FAMILY.operator.matrix(np.array([field])) @ psi
        assert energy <= found <= energy * (1 - 2e-4)
        assert (psi @ vector) ** 2 > 1 - 1e-3
    assert trained.history_["energies"].shape == (150, 4) and trained.n_iter_ == 150
    energies = trained.history_["energies"][-1]
    assert (energies >= [exact(6, h)[0] for h in COUPLINGS.ravel()]).all()


def test_amplitudes_have_the_symmetry(trained):
    spins = spins_of([5, 11, 40], 6)
    np.testing.assert_allclose(trained.log_amplitude(spins, 1.1), trained.log_amplitude(-spins, 1.1), rtol=1e-12)
    moved = np.roll(spins, 2, axis=1)  # by a whole patch
    np.testing.assert_allclose(trained.log_amplitude(spins, 1.1), trained.log_amplitude(moved, 1.1), rtol=1e-12)


def test_couplings_of_all_rows_or_of_each(trained):
    spins = spins_of([5, 11, 40], 6)
    each = trained.log_amplitude(spins, [[0.8], [1.0], [1.2]])
    np.testing.assert_allclose(
        each, [trained.log_amplitude(s, h)[0] for s, h in zip(spins, (0.8, 1.0, 1.2), strict=True)]
    )


def test_derivatives_by_the_coupling(trained):
    spins = spins_of([5, 11, 40], 6)
    step = 1e-5
    wanted = (trained.log_amplitude(spins, 1 + step) - trained.log_amplitude(spins, 1 - step)) / (2 * step)
    np.testing.assert_allclose(trained.coupling_derivatives(spins, 1.0)[:, 0], wanted, rtol=1e-6)


def test_samples_follow_the_law(trained):
    psi = np.exp(2 * trained.log_amplitude(spins_of(np.arange(64), 6), 1.0))
    found = trained.sample(1.0, 20_000, random_state=1)
    assert found.exact and found.spins.shape == (1, 20_000, 6) and found.acceptance is None
    counted = np.bincount(((1 - found.spins[0]) // 2) @ (1 << np.arange(6)), minlength=64)
    expected = 20_000 * psi / psi.sum()
    # chi-square of 63 degrees of freedom: mean 63, standard deviation 11; 63 + 5 x 11
    assert ((counted - expected) ** 2 / expected).sum() < 118
    np.testing.assert_allclose(found.log_amplitudes[0, :5], trained.log_amplitude(found.spins[0, :5], 1.0))


def test_chunks_change_nothing(trained):
    spins = spins_of(np.arange(40), 6)
    other = make(chunk_size=7)
    vars(other).update({name: value for name, value in vars(trained).items() if name.endswith("_")})
    np.testing.assert_allclose(other.log_amplitude(spins, 1.0), trained.log_amplitude(spins, 1.0), rtol=1e-12)


def test_saved_and_read_again(trained, tmp_path):
    path = tmp_path / "state.npz"
    infoscope.save(trained, path)
    again = infoscope.load(path)
    assert again.family == FAMILY
    np.testing.assert_array_equal(again.parameters_, trained.parameters_)
    spins = spins_of([3, 9], 6)
    np.testing.assert_array_equal(again.log_amplitude(spins, 0.9), trained.log_amplitude(spins, 0.9))


def test_equal_couplings_are_one_system():
    couplings, weights = training_systems(make(), [[1.0], [0.5], [1.0], [2.0]], None, 0)
    assert couplings.ravel().tolist() == [0.5, 1.0, 2.0] and weights.tolist() == [0.25, 0.5, 0.25]
    couplings, weights = training_systems(make(), [[1.0], [0.5], [2.0]], [1, 0, 3], 0)
    assert couplings.ravel().tolist() == [1.0, 2.0] and weights.tolist() == [0.25, 0.75]


def test_fine_tuning_keeps_the_scale_and_lowers_the_energy(trained):
    energy, _ = exact(6, 0.9)
    tuned = copy(trained).partial_fit([[0.9]], n_iter=25)
    np.testing.assert_array_equal(tuned.scaling_, trained.scaling_)
    errors = (tuned.history_["energies"][:, 0] - energy) / abs(energy)
    assert errors[-1] < 0.5 * errors[0] and errors[-1] > -1e-12
    before = tuned.parameters_.copy()
    head = tuned.partial_fit([[0.9]], n_iter=2, parts="head")
    changed = head.parameters_ != before
    names = head.named_parameters()
    assert changed.any() and not changed[: names["embedding.kernel"].size].any()


def test_fine_tuning_takes_a_third_of_the_steps(trained):
    """A field between trained ones, against the dense matrix: exact sums (64 rows are all orbits), so no noise."""
    energy, _ = exact(6, 0.9)
    tuned = copy(trained).partial_fit([[0.9]], n_iter=50).history_["energies"][-1, 0]
    scratch = make().fit([[0.9]]).history_["energies"][-1, 0]
    assert -1e-12 < tuned - energy <= scratch - energy < 1e-5 * abs(energy)


def test_fine_tuning_where_the_amplitudes_could_be_real():
    """At J2 = 0 alone they would be: the network goes on as it was trained."""
    network = {"d_model": 4, "n_heads": 2, "n_layers": 1, "n_samples": 32, "n_iter": 1, "random_state": 0}
    state = FoundationQuantumState(HeisenbergFamily(Chain(4)), **network).fit([[0.0], [0.4]])
    assert len(state.named_parameters()["head.phase.bias"]) == 4
    before = state.parameters_
    state.partial_fit([[0.0]], n_iter=1)
    assert len(state.parameters_) == len(before) and (state.parameters_ != before).any()


def test_the_same_seed_gives_the_same_numbers():
    first, second = (make(n_iter=5).fit(COUPLINGS).parameters_ for _ in range(2))
    np.testing.assert_array_equal(first, second)
    assert (make(n_iter=5, random_state=1).fit(COUPLINGS).parameters_ != first).any()


@pytest.mark.parametrize("stop", [1, 4])
def test_a_stopped_run_goes_on_to_the_same_end(tmp_path, stop, monkeypatch):
    from infoscope.quantum.fitting import TrainingRun

    path = tmp_path / "run.npz"
    wanted = make(n_iter=8, active=True, systems_per_step=4).fit(COUPLINGS)
    step = TrainingRun._step

    def interrupted(self, state):
        if state.done == stop:
            raise KeyboardInterrupt
        step(self, state)

    with monkeypatch.context() as patch:
        patch.setattr(TrainingRun, "_step", interrupted)
        with pytest.raises(KeyboardInterrupt, match=f"stopped after {stop} of 8 steps"):
            make(n_iter=8, active=True, systems_per_step=4).fit(COUPLINGS, checkpoint=path)
    found = make(n_iter=8, active=True, systems_per_step=4).fit(COUPLINGS, checkpoint=path, resume=True)
    np.testing.assert_array_equal(found.parameters_, wanted.parameters_)
    for name, value in wanted.history_.items():
        np.testing.assert_array_equal(found.history_[name], value)


@pytest.mark.parametrize(
    ("changes", "couplings", "names"),
    [
        ({"family": IsingFamily(Chain(8))}, COUPLINGS, "lattice"),
        ({"dtype": "float32"}, COUPLINGS, "dtype"),
        ({"learning_rate": 0.1}, COUPLINGS, "schedule"),
        ({}, COUPLINGS + 0.1, "couplings"),
    ],
)
def test_a_checkpoint_of_something_else_is_refused(tmp_path, changes, couplings, names):
    path = tmp_path / "run.npz"
    make(n_iter=1).fit(COUPLINGS, checkpoint=path)
    other = make(n_iter=1)
    other.set_params(**changes)
    with pytest.raises(ParameterError, match=names):
        other.fit(couplings, checkpoint=path, resume=True)


@pytest.mark.parametrize(
    ("n_systems", "n_chains", "wanted"),
    [(8, None, 512), (6, None, 516), (6, 10, 540), (100, None, 1600)],  # at least 16 rows for each of 100
)
def test_rows_that_share_out(n_systems, n_chains, wanted):
    assert settle_n_samples(make(n_samples="auto"), n_systems, n_chains) == wanted


def test_all_defaults_train_any_number_of_systems():
    found = make(n_samples="auto", n_iter=1).fit(np.linspace(0.5, 2, 6))
    assert found.history_["energies"].shape == (1, 6)


def test_where_all_is_enumerated_answers_are_sums(trained):
    found = trained.expect("energy", 1.0)
    assert found.method == "full_sum" and found.value_se[0] == 0
    assert trained.expect("energy", 1.0, method="sampling", n_samples=64).method == "independent"
    assert not make(sampler="metropolis").full_sum and not make(family=IsingFamily(Chain(18))).full_sum


def test_any_number_of_samples_is_shared_out():
    """500 rows are 7 systems of 64 or more by default: 72 each, and the state says that it took 504."""
    with pytest.warns(InfoscopeWarning, match="500 and a step looks at 7 systems: it takes 504 rows, 72 of each"):
        found = FoundationQuantumState(
            IsingFamily(Chain(10)), couplings=(0.75, 2.0), **{**SMALL, "n_samples": 500}, n_iter=1
        ).fit()
    assert found.n_samples_ == 504 and len(found.couplings_) == 7
    assert make(n_iter=1, sampler="metropolis").fit(COUPLINGS).n_samples_ == 64


def test_few_rows_are_told():
    with pytest.warns(InfoscopeWarning, match="8 rows a system are few"):
        assert rows_of_a_system(32, 4) == 8


@pytest.mark.filterwarnings("ignore:8 rows a system are few")
@pytest.mark.parametrize(
    ("changes", "error", "text"),
    [
        ({"patch_size": 4}, ParameterError, "patches of 4 sites do not fill a chain of 6"),
        ({"n_samples": 4}, ParameterError, "1 row each, and nothing to be centred by"),
        ({"d_model": 9}, ParameterError, "d_model is 9 and n_heads 2"),
        ({"attention": "full"}, ParameterError, "attention must be one of"),
        ({"complex_amplitude": "no"}, ParameterError, "complex_amplitude is 'no'"),
        ({"symmetries": "parity"}, ParameterError, "symmetries names 'parity'"),
        ({"sampler": "gibbs"}, ParameterError, "sampler must be one of"),
        ({"sampler": "metropolis", "training": "full_sum"}, ParameterError, "sums over all configurations"),
        ({"training": "full_sum"}, ParameterError, 'training="full_sum" would cost'),
        ({"dtype": "float16"}, ParameterError, "dtype must be one of"),
        ({"n_iter": 0}, ParameterError, "n_iter must be at least 1"),
        ({"learning_rate": -1}, ParameterError, "learning_rate is -1"),
        ({"diag_shift": (1, 2, 3)}, ParameterError, "diag_shift is"),
        ({"momentum": 1.0}, ParameterError, "momentum is 1.0"),
        ({"systems_per_step": 5}, ParameterError, "systems_per_step must be at most 4"),
        ({"family": "ising"}, ParameterError, "family is 'ising'"),
        ({"chunk_size": 0}, ParameterError, "chunk_size must be at least 1"),
    ],
)
def test_bad_parameters(changes, error, text):
    state = make(n_iter=1, n_samples=32).set_params(**changes)
    with pytest.raises(error, match=text):
        state.fit(COUPLINGS)


@pytest.mark.parametrize(
    ("couplings", "text"),
    [
        ([[1.0, 2.0]], "couplings has shape"),
        ([[1.0], [np.nan]], "couplings holds nan in row 1"),
        ([[np.inf], [1.0]], "couplings holds inf in row 0"),
    ],
)
def test_bad_couplings(couplings, text):
    with pytest.raises(DataError, match=text):
        make().fit(couplings)


def test_bad_ranges_and_magnetisations():
    with pytest.raises(ParameterError, match="couplings are missing"):
        make().fit()
    with pytest.raises(ParameterError, match=r"give \(low, high\)"):
        make(couplings=(2.0, 1.0)).fit()
    with pytest.raises(ParameterError, match=r"3 rows of values: those go to fit\(couplings\)"):
        FoundationQuantumState(RandomFieldIsing(Chain(6)), couplings=np.ones((3, 6))).fit()
    with pytest.raises(ParameterError, match="odd ones only"):
        HeisenbergFamily(Chain(5), magnetization=0)
    with pytest.raises(ParameterError, match="resume=True needs checkpoint="):
        make().fit(COUPLINGS, resume=True)
    with pytest.raises(ParameterError, match=r"must end in \.npz"):
        make().fit(COUPLINGS, checkpoint="here")


def test_before_training_and_bad_rows(trained):
    with pytest.raises(NotFittedError, match="call fit first"):
        make().log_amplitude(np.ones((1, 6)), 1.0)
    with pytest.raises(DataError, match="spins has shape"):
        trained.log_amplitude(np.ones((1, 5)), 1.0)
    with pytest.raises(DataError, match="2 rows for 3 configurations"):
        trained.log_amplitude(np.ones((3, 6)), [[1.0], [2.0]])


def test_a_local_energy_that_is_not_finite_is_named():
    with pytest.raises(DataError, match=r"local energy of row \d+ is not finite \(couplings 0\.75; spins \["):
        make(n_iter=30, learning_rate=1e6).fit(COUPLINGS)


def test_systems_from_ranges():
    assert systems_in_range(FAMILY, (0.5, 1.5), 3, 0).ravel().tolist() == [0.5, 1.0, 1.5]
    both = IsingFamily(Chain(6), coupling=("field", "interaction"))
    found = systems_in_range(both, {"interaction": (1.0, 2.0), "field": (0.5, 0.6)}, 4, 0)
    np.testing.assert_allclose(found, [[0.5, 1.0], [0.55, 1.5], [0.575, 1.25], [0.525, 1.75]])  # Sobol
    fixed = systems_in_range(both, {"interaction": (1.0, 1.0), "field": (0.5, 0.7)}, 3, 0)
    np.testing.assert_allclose(fixed, [[0.5, 1.0], [0.6, 1.0], [0.7, 1.0]])  # one coupling varies
    fields = systems_in_range(RandomFieldIsing(Chain(6)), (0, 1), 4, 0)
    assert fields.shape == (4, 6) and len(np.unique(fields)) == 24
    default = training_systems(make(couplings=(0.5, 1.5), n_samples=512), None, None, 0)[0]
    assert len(default) == 8  # 64 rows each


@pytest.mark.parametrize(("m", "n_systems"), [(2, 8), (2, 11), (2, 32), (3, 16), (4, 33)])
def test_no_coupling_of_a_range_lies_outside_what_is_trained_on(m, n_systems):
    family = CustomFamily(m + 1, [(f"Z{i} Z{i + 1}", 1.0, f"c{i}") for i in range(m)])
    bounds = np.array([[i - 1.0, i + 0.5] for i in range(m)])
    trained = systems_in_range(family, bounds if m != 2 else {f"c{i}": bounds[i] for i in range(m)}, n_systems, 0)
    assert len(np.unique(trained, axis=0)) == n_systems
    asked = np.random.default_rng(0).uniform(*bounds.T, (50, m))
    asked = np.concatenate([asked, bounds.T, [bounds[:, 0] - 0.01]])
    assert outside_training(trained, asked).tolist() == [False] * 52 + [True]


def test_the_library_and_its_exact_part_load_no_jax():
    code = "import sys, infoscope.quantum; infoscope.FoundationQuantumState; sys.exit('jax' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_without_jax_the_error_names_the_extra(monkeypatch):
    monkeypatch.setitem(sys.modules, "jax", None)
    with pytest.raises(ImportError, match=r"infoscope\[quantum\]"):
        make().fit(COUPLINGS)
