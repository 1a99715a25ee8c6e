"""`infoscope quantum`: from a TOML file to a result, again, and errors that name what is near."""

import json
from contextvars import copy_context
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

import infoscope
from infoscope.base.errors import DataError, ParameterError
from infoscope.cli.app import app
from infoscope.cli.inputs.quantum_config import NETWORK, read_quantum_config

CONFIG = """
[family]
kind = "ising"
lattice = "chain"
size = 6
coupling = "field"

[network]
exact = true

[ask]
what = "susceptibility"
couplings = {low = 0.6, high = 1.2, number = 7}
exact = true
"""
TRAINED = """
[family]
kind = "ising"
size = 4

[train]
couplings = [0.5, 1.5]

[network]
d_model = 4
n_heads = 2
n_layers = 1
n_samples = 32
n_iter = 12

[ask]
what = "expectation"
couplings = [0.7, 1.0]
"""


@pytest.fixture
def config(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "ising.toml").write_text(CONFIG)
    (tmp_path / "trained.toml").write_text(TRAINED)
    return tmp_path / "ising.toml"


def call(*arguments):
    # in a context of its own: which files were read is forgotten at its end
    done = copy_context().run(CliRunner().invoke, app, list(arguments), obj=list(arguments))
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done


def test_a_file_is_answered_and_answered_again(config):
    shown = call("quantum", "ising.toml", "--output", "i.json", "--output", "i.npz", "--plot", "i.png", "-q").output
    found = infoscope.load("i.npz")
    assert found.verdict in shown and "peak at field" in shown
    assert Path("i.png").stat().st_size > 1000
    assert json.loads(Path("i.json").read_text())["command"].startswith("infoscope quantum ising.toml")
    again = call("rerun", "i.json").output
    assert "reproduced" in again and "not reproduced" not in again


@pytest.mark.skipif(find_spec("jax") is None, reason="trains with jax")
def test_training_goes_on_to_the_same_end_and_another_question_costs_none(config):
    call("quantum", "trained.toml", "--output", "whole.npz", "-q")
    call("quantum", "trained.toml", "--resume", "kept.npz", "--output", "resumed.npz", "-q")
    whole, resumed = infoscope.load("whole.npz"), infoscope.load("resumed.npz")
    np.testing.assert_array_equal(whole.value, resumed.value)
    before = Path("kept.npz").read_bytes()
    text = TRAINED.replace('"expectation"', '"susceptibility"')
    Path("other.toml").write_text(text)
    shown = call("quantum", "other.toml", "--resume", "kept.npz", "-q").output
    assert "susceptibility" in shown and "training: After 12 steps V-scores are" in shown
    assert len(Path("kept.npz").read_bytes()) == len(before)
    # how the training went, without another one
    Path("training.toml").write_text(TRAINED.split("[ask]")[0] + '[ask]\nwhat = "training"\nexact = true\n')
    drawn = ("--output", "t.csv", "--plot", "t.png", "--kind", "error", "-q")
    shown = call("quantum", "training.toml", "--resume", "kept.npz", *drawn).output
    assert "Training of 2 systems of 4 spins, 12 steps" in shown and Path("t.png").stat().st_size > 1000
    table = np.genfromtxt("t.csv", delimiter=",", names=True)
    assert len(table) == 24 and (table["relative_error"] > -1e-9).all()


def test_every_key_of_the_network_is_an_argument():
    from infoscope.quantum import FoundationQuantumState

    given = set(FoundationQuantumState(None).get_params()) - {"family", "couplings", "n_systems", "random_state"}
    assert set(NETWORK) == given | {"exact"}


@pytest.mark.parametrize(
    ("family", "what", "n_couplings"),
    [
        ('kind = "random_fields"\nsize = 5', "realisations", 5),
        ('kind = "heisenberg"\nlattice = "square"\nsize = [2, 4]\ncouplings = ["J1", "J2"]', "plane", 2),
        ('kind = "pauli"\nsize = 2\nterms = [["Z0 Z1", -1.0], ["X0", -1.0, "h"], ["X1", -1.0, "h"]]', "line", 1),
    ],
)
def test_families_and_sets_of_couplings(tmp_path, family, what, n_couplings):
    file = tmp_path / "a.toml"
    file.write_text(
        f"[family]\n{family}\n[network]\nexact = true\n[ask]\nwhat = 'expectation'\n"
        "couplings = {low = 0.5, high = 1.5, number = 3, random_state = 1}\n"
    )
    asked = read_quantum_config(str(file))
    assert asked.family.n_couplings == n_couplings
    expected = {
        "realisations": np.random.default_rng(1).uniform(0.5, 1.5, (3, 5)),
        "plane": np.stack(np.meshgrid([0.5, 1, 1.5], [0.5, 1, 1.5], indexing="ij"), -1).reshape(-1, 2),
        "line": np.array([[0.5], [1.0], [1.5]]),
    }[what]
    np.testing.assert_array_equal(asked.couplings, expected)


def test_an_observable_with_options(config):
    config.write_text(
        CONFIG.replace(
            'what = "susceptibility"', 'what = "expectation"\nobservable = "magnetization"\noptions = {axis = "x"}'
        )
    )
    found = call("quantum", "ising.toml", "--output", "i.npz", "--plot", "i.png", "--kind", "error", "-q")
    assert found.exit_code == 0
    assert (np.diff(infoscope.load("i.npz").value) > 0).all()


@pytest.mark.parametrize(
    ("old", "new", "error", "message"),
    [
        ('kind = "ising"', 'kind = "isin"', ParameterError, "kind"),
        ('kind = "ising"', 'knd = "ising"', ParameterError, r"\[family\] has no key 'knd'. Did you mean 'kind'\?"),
        ("size = 6", "bonds = 3", ParameterError, r"needs size = 12"),
        ("size = 6", "size = [2, 3]", ParameterError, "does not fit a chain"),
        ('coupling = "field"', "fixed = {J1 = 1}", ParameterError, "kind ising has no use for 'fixed'"),
        ("exact = true\n\n[ask]", "n_iter = 5\n\n[ask]", ParameterError, r"\[train\] needs couplings"),
        ("exact = true\n\n[ask]", "exact = true\nn_iter = 5\n\n[ask]", ParameterError, "no use for 'n_iter'"),
        ('what = "susceptibility"', 'what = "chi"', ParameterError, r"what of \[ask\]"),
        ('what = "susceptibility"', 'what = "training"', ParameterError, "trains nothing"),
        ('what = "susceptibility"', 'observable = "energy"', ParameterError, "leave it out"),
        ('what = "susceptibility"', 'what = "expectation"\nobservable = "m"', ParameterError, "observable"),
        ("number = 7", "nummer = 7", ParameterError, r"no 'nummer'. Did you mean 'number'\?"),
        (", number = 7", "", ParameterError, "need number"),
        ("{low = 0.6, high = 1.2, number = 7}", "[[1.0, 2.0]]", DataError, r"\[ask\]: couplings has shape"),
        ("low = 0.6", "low = [0.6, 1.0]", ParameterError, "low and high"),
        ("[ask]", "[asked]", ParameterError, r"there is no table \[asked\]. Did you mean 'ask'\?"),
        ("exact = true\n\n[ask]", "random_state = 3\n\n[ask]", ParameterError, "--seed"),
        ("[family]", "family = ", DataError, "is no TOML"),
    ],
)
def test_what_is_wrong_in_a_file_is_named(config, old, new, error, message):
    config.write_text(CONFIG.replace(old, new, 1))
    with pytest.raises(error, match=message):
        read_quantum_config("ising.toml")


def test_a_training_is_asked_at_no_other_couplings(config):
    config.write_text(TRAINED.replace('"expectation"', '"training"'))
    with pytest.raises(ParameterError, match=r"about the couplings of \[train\]: leave couplings out"):
        read_quantum_config("ising.toml")


def test_nothing_to_resume_where_nothing_is_trained(config):
    with pytest.raises(ParameterError, match="for training"):
        call("quantum", "ising.toml", "--resume", "a.npz", "-q")
