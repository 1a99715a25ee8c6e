"""Clones and hidden layers elsewhere: how many bits are free, which layers tell of which, where a clone differs."""

import numpy as np
import pytest

from infoscope import BinaryID, DensityAnomaly, Space, imbalance_matrix, information_imbalance
from infoscope.clones import InteractionModel, StudyTransformer, WeightMotion, markov_clone

torch = pytest.importorskip("torch")


def chain(n, seed, length=20, flip=0.3):
    """Bits, each the one before or, three times in ten, the other one."""
    rng = np.random.default_rng(seed)
    steps = np.c_[rng.integers(2, size=n), rng.random((n, length - 1)) < flip]
    return np.cumsum(steps, axis=1) % 2


def parity(n, seed):
    """Four bits, nine times in ten of even sum: any three are independent; two more that are."""
    rng = np.random.default_rng(seed)
    tokens = rng.integers(2, size=(n, 6))
    tokens[:, 3] = (tokens[:, :3].sum(axis=1) + (rng.random(n) < 0.1)) % 2
    return tokens


def test_pairs_hold_all_free_bits_of_a_chain_and_tokens_alone_do_not():
    data, new = chain(4000, 0), chain(800, 1)
    dimension, error = {}, {}
    for order in (1, 2):
        clone = InteractionModel(order, n_heads=4, n_steps=300).fit(data).sample(new)
        assert clone.converged
        found = BinaryID().fit(clone.tokens).result_
        dimension[order], error[order] = found.d0, found.d0_se
    found = BinaryID().fit(new).result_
    assert abs(dimension[2] - found.d0) < 3 * np.hypot(error[2], found.d0_se)
    assert abs(dimension[1] - 20) < 3 * error[1]  # independent fair bits: all of them are free
    assert dimension[1] - found.d0 > 5 * np.hypot(error[1], found.d0_se)


def test_tokens_of_any_alphabet_are_a_space():
    tokens = np.random.default_rng(0).integers(4, size=(500, 12))
    space = Space(tokens, metric="hamming")
    assert space.pair_distances([0], [1]) == pytest.approx((tokens[0] != tokens[1]).sum())
    found = BinaryID(q=4).fit(markov_clone(tokens, random_state=0)).result_
    assert found.d0 == pytest.approx(12, abs=4 * found.d0_se)


def test_an_anomaly_is_where_the_clone_lacks_an_order():
    data, new = parity(4000, 0), parity(1000, 1)
    sides = {}
    for order in (3, 4):
        clone = InteractionModel(order, n_heads=4, n_steps=400).fit(data).sample(new, max_sweeps=400)
        found = DensityAnomaly(metric="hamming", random_state=0).fit(parity(1000, 2), clone.tokens).result_
        flagged = found.to_frame("rows")
        sides[order] = clone.tokens[flagged.loc[flagged.side == "over", "row"]]
    odd = sides[3][:, :4].sum(axis=1) % 2
    assert len(odd) > 100  # of 500 that should be 100
    assert odd.mean() > 0.9
    assert len(sides[4]) < 20


@pytest.fixture(scope="module")
def study():
    return StudyTransformer(n_layers=2, n_heads=2, width=16, n_steps=200, n_kept=4).fit(chain(1500, 0, 24))


def test_hidden_layers_are_those_of_the_network(study):
    tokens = chain(300, 1, 24)
    layers = study.hidden_layers(tokens, sites=None)
    assert list(layers) == ["embedding", "block 1", "block 2"]
    state = study.states_[200]
    np.testing.assert_allclose(
        layers["embedding"], state["tokens.weight"][tokens] + state["sites.weight"], rtol=1e-6, atol=1e-7
    )
    # what stands behind the last block gives the logits: norm and read-out by hand
    last = layers["block 2"].astype(np.float64)
    centred = (last - last.mean(-1, keepdims=True)) / np.sqrt(last.var(-1, keepdims=True) + 1e-5)
    normed = centred * state["layers.norm.weight"] + state["layers.norm.bias"]
    logits = normed @ state["out.weight"].T + state["out.bias"]
    network = study._rebuild(torch, state)
    with torch.no_grad():
        expected = study._logits(torch, network, torch.as_tensor(tokens)).numpy()
    np.testing.assert_allclose(logits, expected, atol=1e-4)
    np.testing.assert_array_equal(study.hidden_layers(tokens, sites=-1)["block 1"], layers["block 1"][:, 23])
    np.testing.assert_allclose(study.hidden_layers(tokens)["block 2"], layers["block 2"].mean(axis=1), atol=1e-6)


def test_padding_is_in_no_mean(study):
    tokens = chain(40, 1, 24)
    tokens[:, 5:] = -1
    whole = study.hidden_layers(tokens, 0, sites=None)
    np.testing.assert_allclose(study.hidden_layers(tokens, 0)["block 1"], whole["block 1"][:, :5].mean(1), atol=1e-6)


def test_layers_are_compared_on_data_and_on_clones(study):
    for tokens in (chain(200, 3, 24), markov_clone(chain(1500, 0, 24), 200, random_state=0)):
        layers = study.hidden_layers(tokens)
        matrix = imbalance_matrix(layers)
        pair = information_imbalance(layers["block 1"], layers["block 2"])
        assert matrix.names == ("embedding", "block 1", "block 2")
        assert matrix.values[1, 2] == pytest.approx(pair.a_to_b)
        assert 0 < pair.a_to_b < 0.5  # the stream is carried on
    with pytest.raises(ValueError, match="were: 0, "):
        study.hidden_layers(tokens, 7)
    with pytest.raises(ValueError, match="from 0 to 23"):
        study.hidden_layers(tokens, sites=24)
    with pytest.raises(ValueError, match="6 sites"):
        study.hidden_layers(tokens[:, :6])


def test_weights_move_from_where_they_began(study):
    moved = study.weight_motion().to_frame().set_index("step")
    begun, ended = study.states_[0], study.states_[200]
    expected = 0.0
    for name in ("self_attn.in_proj_weight", "self_attn.out_proj.weight", "linear1.weight", "linear2.weight"):
        gone = ended[f"layers.layers.1.{name}"].astype(float) - begun[f"layers.layers.1.{name}"]
        expected += np.linalg.norm(gone) ** 2 / gone.size
    assert moved.loc[200, "block 2"] == pytest.approx(expected, rel=1e-12)
    gone = ended["out.weight"].astype(float) - begun["out.weight"]
    assert moved.loc[200, "read-out"] == pytest.approx(np.linalg.norm(gone) ** 2 / gone.size, rel=1e-12)
    assert (moved.loc[0] == 0).all()
    assert (moved.loc[200] > 0).all()


def test_the_block_that_is_half_way_first_is_named_first():
    ways = {"early": [0.0, 0.5, 0.9, 1.0], "late": [0.0, 0.1, 0.7, 1.0]}  # motions are their squares
    states = {
        step: {name: np.full((2, 3), way[at]) for name, way in ways.items()} | {"bias": np.full(3, 9.0 * at)}
        for at, step in enumerate((0, 3, 10, 40))
    }
    found = WeightMotion.of(states, ["late", "early"], str)
    np.testing.assert_allclose(found.motion, np.array([ways["late"], ways["early"]]).T ** 2, rtol=1e-14)
    assert found.half_step.tolist() == [40, 10]  # 0.7^2 is just below a half, 0.9^2 above
    assert found.verdict.endswith("in the order early (step 10), late (step 40)")
    assert WeightMotion.of({0: states[0], 3: states[0]}, ["late", "early"], str).verdict == "no weights have moved"
    with pytest.raises(ValueError, match="two steps at least"):
        WeightMotion.of({0: states[0]}, ["late", "early"], str)
