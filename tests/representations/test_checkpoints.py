"""Checkpoints beside a reference: values of single pairs, planted changes, what training leaves alone."""

import numpy as np
import pytest
from matplotlib import pyplot as plt

from infoscope import Space, information_imbalance
from infoscope.base import DataError, ParameterError
from infoscope.representations import RepresentationStore, compare_checkpoints
from infoscope.statistics import adjust_p_values

N = 160


@pytest.fixture(scope="module")
def steps():
    """Three checkpoints of two layers: the first layer stays, the second loses half of its features step by step."""
    g = np.random.default_rng(0)
    still, full = g.normal(size=(2, N, 8))
    return {f"step {share}": {"low": still, "top": full * ([1] * 4 + [1 - share] * 4)} for share in (0, 0.6, 1)}


@pytest.fixture(scope="module")
def found(steps):
    return compare_checkpoints(steps, "first", k=2)


def test_values_are_those_of_single_pairs(steps, found):
    first = steps["step 0"]
    for c, model in enumerate(steps.values()):
        for at, layer in enumerate(("low", "top")):
            one = information_imbalance(Space(model[layer], metric="cosine"), Space(first[layer], metric="cosine"), k=2)
            for name, other in (("to_reference", "a_to_b"), ("from_reference", "b_to_a"), ("asymmetry", "asymmetry")):
                assert getattr(found, name)[c, at] == getattr(one, other)
                assert getattr(found, f"{name}_se")[c, at] == getattr(one, f"{other}_se")
    assert found.checkpoints == ("step 0", "step 0.6", "step 1") and found.layers == ("low", "top")
    assert found.reference == "step 0" and found.n_items == N and len(found.to_frame()) == 6


def test_what_did_not_change_is_exactly_nothing_apart(found):
    assert found.changed.tolist() == [[False, False], [False, True], [False, True]]
    for name in ("to_reference_normalized", "from_reference_normalized", "asymmetry", "asymmetry_se"):
        assert (getattr(found, name)[~found.changed] == 0).all()
    assert np.isnan(found.p_values[0]).all() and np.isnan(found.p_values_adjusted[0]).all()  # beside itself: no test
    assert (found.p_values[1:][~found.changed[1:]] == 1).all()


def test_features_that_go_are_information_lost(found):
    assert (np.diff(found.to_reference[:, 1]) > 0.03).all()  # it tells less and less about what it was
    assert found.lost.tolist() == [[False, False], [False, False], [False, True]] and not found.gained.any()
    assert found.verdict.startswith("2 of 4 layers have other neighbours")
    assert "step 0 tells more about 1 layer than the reverse, after correction for 4 tests" in found.verdict
    adjusted = adjust_p_values(found.p_values[1:].ravel(), "holm").reshape(2, 2)  # without the reference
    np.testing.assert_array_equal(found.p_values_adjusted[1:], adjusted)
    np.testing.assert_allclose(adjusted[1, 1], 4 * found.p_values[2, 1])  # the least of four


def test_the_other_way_round_information_is_gained(steps):
    found = compare_checkpoints({"tuned": steps["step 0"]}, steps["step 1"])
    assert found.gained.tolist() == [[False, True]] and not found.lost.any()
    assert found.verdict.startswith("1 of 2 layers have other neighbours than those of the reference; top more about")


def test_rotations_and_scales_are_no_change():
    g = np.random.default_rng(1)
    x = g.integers(-8, 8, (N, 4)).astype(float) + g.normal(size=(N, 4)).round(2)
    found = compare_checkpoints([[x], [-4 * x[:, ::-1]]], "first")
    assert not found.changed.any() and found.verdict.startswith("No layer differs from that of checkpoint 0")


def test_noise_of_many_layers_is_no_asymmetry():
    """Layers that differ by noise alike on both sides: of 60 sets 3 alarm at 5 %, and more than 8 once in 300 times."""
    alarms = 0
    for seed in range(60):
        g = np.random.default_rng(seed)
        layers = g.normal(size=(2, 60, 6))
        ones, others = (list(layers + 0.3 * g.normal(size=layers.shape)) for _ in range(2))
        one = compare_checkpoints({"a": ones}, others)
        alarms += bool((one.lost | one.gained).any())
    assert alarms <= 8


def test_stores_functions_and_arrays_are_loaded_one_at_a_time(steps, found, tmp_path):
    at_once = []

    def load(name, layer):
        def now():
            at_once.append((name, layer))
            return steps[name][layer]

        return now

    lazy = {name: {layer: load(name, layer) for layer in model} for name, model in steps.items()}
    again = compare_checkpoints(lazy, "first", k=2)
    stores = {
        name: RepresentationStore.from_arrays(tmp_path / name, model, dtype="float64") for name, model in steps.items()
    }
    opened = {name: (lambda name=name: RepresentationStore.open(tmp_path / name)) for name in stores}
    stacked = [np.array(list(model.values())) for model in steps.values()]
    for other in (again, compare_checkpoints(stores, "first", k=2), compare_checkpoints(opened, "step 0", k=2),
                  compare_checkpoints(stacked, "first", k=2)):  # fmt: skip
        for name in ("to_reference", "to_reference_se", "from_reference", "asymmetry_se", "p_values_adjusted"):
            np.testing.assert_array_equal(getattr(other, name), getattr(found, name))
    assert at_once[:4] == [("step 0", "low"), ("step 0", "low"), ("step 0", "top"), ("step 0", "top")]
    ids = [f"text {i}" for i in range(N)]
    other = RepresentationStore.from_arrays(tmp_path / "other", steps["step 0"], ids=ids)
    with pytest.raises(DataError, match="text 0"):
        compare_checkpoints({"a": other}, stores["step 0"])


def test_fine_tuning_one_layer_of_a_network_leaves_those_before_it_alone():
    """Five layers learn to copy; then the fourth alone learns another task: what lies before it stays, bit by bit."""
    torch = pytest.importorskip("torch")
    torch.manual_seed(0)
    x = torch.randn(N, 6)
    network = torch.nn.ModuleList(torch.nn.Linear(6, 6) for _ in range(5))

    def layers_of(inputs):
        states = []
        for block in network:
            inputs = torch.tanh(block(inputs))
            states.append(inputs)
        return states

    def train(parameters, target, steps):
        optimiser = torch.optim.Adam(parameters, lr=0.02)
        for _ in range(steps):
            optimiser.zero_grad()
            ((layers_of(x)[-1] - target) ** 2).mean().backward()
            optimiser.step()

    train(network.parameters(), 0.5 * torch.tanh(x), 20)
    base = [one.detach() for one in layers_of(x)]
    checkpoints = {}
    for step in (3, 30):
        train(network[3].parameters(), 0.9 * torch.sign(x[:, :1]).expand(N, 6), step)
        checkpoints[step] = [one.detach() for one in layers_of(x)]
    found = compare_checkpoints(checkpoints, base)
    assert found.changed.tolist() == [[False] * 3 + [True] * 2] * 2
    assert (found.to_reference_normalized[:, :3] == 0).all()
    assert (found.to_reference[1, 3:] > found.to_reference[0, 3:]).all()
    assert found.p_values[:, :3].min() == 1 and (found.asymmetry_se[:, 3:] > 0).all()


def test_pictures_show_the_numbers(found):
    ax = found.plot()
    np.testing.assert_array_equal(ax.images[0].get_array(), found.to_reference_normalized.T)
    assert [text.get_text() for text in ax.get_xticklabels()] == list(found.checkpoints)
    signs = found.plot(kind="map", what="asymmetry")
    np.testing.assert_array_equal(signs.images[0].get_array(), found.asymmetry.T)
    for over, n in (("layers", 3), ("checkpoints", 2)):
        lines = found.plot(kind="curve", over=over).containers
        assert len(lines) == 2 * n
    np.testing.assert_allclose(lines[2].lines[0].get_ydata(), found.to_reference_normalized[:, 1])
    plt.close("all")


@pytest.mark.parametrize(
    ("call", "error", "said"),
    [
        (lambda s: compare_checkpoints([]), ParameterError, "no checkpoints"),
        (lambda s: compare_checkpoints("folder"), ParameterError, "checkpoints is str"),
        (lambda s: compare_checkpoints({1: s["step 0"], "1": s["step 1"]}), ParameterError, "names 1 and '1', spelt"),
        (lambda s: compare_checkpoints({"a": {1: s["step 0"]["low"], "1": s["step 0"]["top"]}}, s["step 0"]),
         ParameterError, "checkpoint a has the names 1 and '1'"),
        (lambda s: compare_checkpoints(5), ParameterError, "checkpoints is int"),
        (lambda s: compare_checkpoints([s["step 0"]]), ParameterError, "nothing to be compared with"),
        (lambda s: compare_checkpoints(s, "step 9"), ParameterError, "'last', 'first', one of step 0"),
        (lambda s: compare_checkpoints({"a": {"low": s["step 0"]["low"]}}, s["step 0"]), DataError, "different layers"),
        (lambda s: compare_checkpoints([np.zeros((1, N, 3))], s["step 0"]), DataError, "checkpoint 0 and reference"),
        (
            lambda s: compare_checkpoints({"a": {"low": np.zeros((N, 2)), "top": s["step 0"]["top"]}}, s["step 0"]),
            DataError, "checkpoint a, low",
        ),
        (
            lambda s: compare_checkpoints({"a": {n: x[:50] for n, x in s["step 0"].items()}}, s["step 0"]),
            DataError, "checkpoint a, low has 50 items",
        ),
        (lambda s: compare_checkpoints(s, metric="l1"), ParameterError, "metric"),
        (lambda s: compare_checkpoints(s, adjust="no"), ParameterError, "adjust"),
        (lambda s: compare_checkpoints(s, level=0), ParameterError, "level"),
        (lambda s: compare_checkpoints(s, k=0), ParameterError, "k"),
    ],
)  # fmt: skip
def test_what_makes_no_sense_is_said(steps, call, error, said):
    with pytest.raises(error, match=said):
        call(steps)
