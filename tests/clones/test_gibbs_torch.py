"""The Gibbs sampler in PyTorch: the draws of the compiled one, and the law that is enumerated."""

import numpy as np
import pytest
from tests.clones.energies import law_of, random_energy, reach, total_variation

from infoscope.base import ParameterError
from infoscope.clones import InteractionModel
from infoscope.clones.gibbs import CHAINS, GibbsSampler

torch = pytest.importorskip("torch")

from infoscope.clones.gibbs_torch import TorchGibbsSampler  # noqa: E402
from infoscope.clones.tempering import TemperedSampler  # noqa: E402

DEVICES = [
    "cpu",
    pytest.param("cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")),
]


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("order", (1, 2, 3, 5))
def test_draws_are_those_of_the_kernels(order, device):
    energy = random_energy(6, 19, 3, order, seed=order)
    start = np.random.default_rng(0).integers(19, size=(CHAINS + 30, 6))
    start[3, 4:] = -1  # padding
    compiled = GibbsSampler(energy, start, random_state=1)
    ours = TorchGibbsSampler(energy, start, random_state=1, device=device)
    for chains in (compiled, ours):
        chains.sweep(2)
        chains.sweep()
    assert (ours.tokens[3, 4:] == -1).all()
    assert (ours.tokens != start).mean() > 0.5
    # Of 1,700 draws one differs where rounding of 1e-6 decides: less than one run in 100, and then few tokens.
    assert (ours.tokens != compiled.tokens).mean() < 0.01


@pytest.mark.parametrize("device", DEVICES)
def test_draws_follow_the_law(device):
    energy = random_energy(5, 2, 3, 4, seed=4)
    p, _ = law_of(energy)
    n = 8000
    chains = TorchGibbsSampler(energy, np.zeros((n, 5), dtype=int), random_state=1, device=device)
    chains.sweep(20)
    assert total_variation(chains.tokens, p, 2) < reach(len(p), n)


def test_a_draw_never_takes_what_is_impossible():
    bias = np.array([[0.0, -200.0, 0.0, -200.0]] * 3)  # weights of exp(-200) are 0 in float32
    free = random_energy(3, 4, 1, 1)
    energy = type(free)(bias, free.legs, free.centres, free.positions)
    chains = TorchGibbsSampler(energy, np.ones((4000, 3), dtype=int), random_state=0, device="cpu")
    chains.sweep()
    counts = np.bincount(chains.tokens.ravel(), minlength=4)
    assert counts[1] == counts[3] == 0
    assert abs(counts[0] - 6000) < 4 * np.sqrt(3000)  # four standard deviations of a binomial


def test_replicas_run_on_a_device_too():
    energy = random_energy(5, 2, 3, 3)
    start = np.zeros((200, 5), dtype=int)
    ends = []
    for device in (None, "cpu"):
        chains = TemperedSampler(energy, start, n_replicas=3, random_state=1, device=device)
        chains.sweep(3)
        ends.append(chains.tokens)
    assert (ends[0] != ends[1]).mean() < 0.01
    assert (ends[0] != start).mean() > 0.2


def test_a_model_samples_on_a_device():
    tokens = np.random.default_rng(0).integers(3, size=(300, 5))
    model = InteractionModel(2, n_heads=2, n_steps=20, random_state=0).fit(tokens)
    here, there = (model.sample(tokens[:64], n_sweeps=12, device=device) for device in (None, "cpu"))
    assert (here.tokens != there.tokens).mean() < 0.01
    with pytest.raises(ParameterError, match="device is of Gibbs sampling of an energy"):
        model.sample(tokens[:64], n_sweeps=12, sampler="mh_pl", device="cpu")
    with pytest.raises(ParameterError, match="there is no device 'nowhere'"):
        model.sample(tokens[:64], n_sweeps=12, device="nowhere")
