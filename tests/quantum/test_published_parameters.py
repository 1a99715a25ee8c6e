"""Random networks of netket-foundation 0.1.1, with what it makes of eight configurations each, read into ours and back.

``published_networks.npz`` holds, for each network, its parameters (``network:level/level/...``), spins, couplings and
log amplitudes (``network|...``), made there from random numbers.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from infoscope.base import DataError, ParameterError
from infoscope.quantum import (
    Chain,
    FoundationQuantumState,
    HeisenbergFamily,
    IsingFamily,
    RandomFieldIsing,
    Square,
    from_published_parameters,
    to_published_parameters,
)
from infoscope.quantum.published_parameters import published_name

pytest.importorskip("jax")

FAMILIES = {
    "chain": IsingFamily(Chain(6)),
    "square": HeisenbergFamily(Square(4), marshall_sign=False),
    "free": IsingFamily(Chain(6)),
    "fields": RandomFieldIsing(Chain(6)),
}


def stored(name):
    with np.load(Path(__file__).with_name("published_networks.npz")) as archive:
        parameters = {key.partition(":")[2]: archive[key] for key in archive.files if key.startswith(f"{name}:")}
        rest = {key.partition("|")[2]: archive[key] for key in archive.files if key.startswith(f"{name}|")}
    return parameters, rest


@pytest.mark.parametrize("name", FAMILIES)
def test_log_amplitudes_are_equal(name, tmp_path):
    parameters, rest = stored(name)
    np.savez(tmp_path / "network.npz", **parameters)
    state = from_published_parameters(tmp_path, FAMILIES[name], rest["couplings"][:2])
    found = state.log_amplitude(rest["spins"], rest["couplings"])
    np.testing.assert_allclose(found.real, rest["logs"].real, atol=1e-6)
    np.testing.assert_allclose(np.exp(1j * found.imag), np.exp(1j * rest["logs"].imag), atol=1e-6)
    back = to_published_parameters(state, tmp_path / "again.npz")
    with np.load(tmp_path / "again.npz") as archive:
        assert set(archive.files) == set(parameters)
        for key, value in parameters.items():
            np.testing.assert_array_equal(archive[key], value)
    assert "encoder" in back and back["output"]["output_layer0"]["bias"].shape == (4,)


def test_files_of_flax(tmp_path):
    msgpack = pytest.importorskip("msgpack")
    parameters, rest = stored("chain")

    def pack(array):
        content = msgpack.packb((array.shape, array.dtype.name, array.tobytes()), use_bin_type=True)
        return msgpack.ExtType(1, content)

    nested = {}
    for key, value in parameters.items():
        *levels, last = key.split("/")
        inner = nested
        for level in levels:
            inner = inner.setdefault(level, {})
        inner[last] = pack(value)
    (tmp_path / "flax_model.msgpack").write_bytes(msgpack.packb({"params": nested}))
    state = from_published_parameters(tmp_path, FAMILIES["chain"], [[0.5], [1.0]])
    np.testing.assert_allclose(state.log_amplitude(rest["spins"], rest["couplings"]), rest["logs"], atol=1e-6)


def test_scales_of_couplings_are_folded_in():
    state = FoundationQuantumState(
        IsingFamily(Chain(6)), d_model=4, n_heads=2, n_layers=1, n_samples=32, n_iter=1, symmetries=None,
        head_norm=True, complex_amplitude=True, random_state=0,
    ).fit([[3.0], [5.0]])  # fmt: skip
    assert state.scaling_.ravel().tolist() == [4.0, 1.0] and state.n_iter_ == 1
    again = from_published_parameters(to_published_parameters(state), state.family, [[3.0], [5.0]])
    assert again.head_norm and again.complex_amplitude and again.scaling_.ravel().tolist() == [0.0, 1.0]
    spins = np.random.default_rng(0).choice([-1, 1], (5, 6))
    np.testing.assert_allclose(again.log_amplitude(spins, 4.4), state.log_amplitude(spins, 4.4), atol=1e-10)


def test_a_flip_is_put_around_a_published_network():
    parameters, rest = stored("chain")
    state = from_published_parameters(parameters, FAMILIES["chain"], [[0.5], [1.0]], symmetries="auto")
    both = state.log_amplitude(rest["spins"], 0.5), state.log_amplitude(-rest["spins"], 0.5)
    np.testing.assert_allclose(*both, rtol=1e-12)


def test_names():
    assert published_name("block2.attention.weights") == "encoder/layers_2/attn/J"
    assert published_name("head.phase.norm.scale") == "output/norm1/scale"
    assert published_name("embedding.kernel") == "embed/kernel"


def test_what_does_not_fit(tmp_path):
    parameters, _ = stored("chain")
    with pytest.raises(DataError, match="does not exist"):
        from_published_parameters(tmp_path / "no", FAMILIES["chain"], [[0.5]])
    with pytest.raises(DataError, match="neither flax_model.msgpack nor"):
        from_published_parameters(tmp_path, FAMILIES["chain"], [[0.5]])
    with pytest.raises(DataError, match="lack patches_and_embed"):
        from_published_parameters(parameters, FAMILIES["fields"], np.ones((1, 6)))
    with pytest.raises(DataError, match="attn/J has shape|embed/kernel has shape"):
        from_published_parameters(parameters, IsingFamily(Chain(8)), [[0.5]])
    with pytest.raises(DataError, match="lack encoder/layers_0/attn/J"):
        from_published_parameters({"a": np.ones(2)}, FAMILIES["chain"], [[0.5]])
    wrong = parameters | {"embed/bias": np.full(4, np.nan)}
    with pytest.raises(DataError, match="not finite"):
        from_published_parameters(wrong, FAMILIES["chain"], [[0.5]])
    separate = FoundationQuantumState(
        FAMILIES["fields"], d_model=4, n_heads=2, n_layers=1, n_samples=64, n_iter=1, random_state=0
    ).fit(np.random.default_rng(0).uniform(size=(4, 6)))
    with pytest.raises(ParameterError, match="shared_embedding=True"):
        to_published_parameters(separate)
