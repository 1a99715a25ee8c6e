"""The loss of an embedding: the value and gradient of the engine, central differences, ties, devices, training."""

import numpy as np
import pytest
from tests.imbalance.dii.test_softmax import BANDWIDTHS, CASES, allowed_in, brute_value, data, ranks_by_hand

from infoscope import DIILoss, Space, batch_ranks, dii_loss, dii_value_and_grad, information_imbalance
from infoscope.base import DataError, ParameterError
from infoscope.imbalance.dii.softmax import Bandwidth, soft_ranks
from infoscope.imbalance.rank_table import rank_table

torch = pytest.importorskip("torch")

DEVICES = ["cpu", pytest.param("cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA"))]


def tensor(x, dtype=torch.float64, device="cpu", grad=True):
    return torch.tensor(np.asarray(x), dtype=dtype, device=device, requires_grad=grad)


def options_of(bandwidth):
    """The arguments of the loss that mean a `Bandwidth`."""
    own = dict(bandwidth=bandwidth.kind, kernel_power=bandwidth.power)
    if bandwidth.kind == "perplexity":
        return dict(own, perplexity=bandwidth.size)
    return dict(own, k=bandwidth.k, lambda_factor=bandwidth.size)


def cases():
    for bandwidth in BANDWIDTHS:
        for power in (1, 2):
            yield Bandwidth(bandwidth.kind, bandwidth.k, bandwidth.size, power)


@pytest.mark.parametrize("device", DEVICES)
@pytest.mark.parametrize("case", [c for c in CASES if c != "periods"])
def test_gradient_in_weights_is_that_of_the_engine(case, device):
    """An embedding x w has the gradient 2 w S in the weights."""
    options = dict(CASES[case])
    rule = {name: options.pop(name) for name in ("exclusion_window", "neighbors_from") if name in options}
    mass = options.get("sample_weight")
    x, y, w = data()
    target = Space(y, **options)
    table, ranks = rank_table(target, **rule), batch_ranks(target, **rule)
    for bandwidth in cases():
        if mass is not None and bandwidth.kind in ("global", "gap"):
            continue  # a common bandwidth is counted in rows
        exact = soft_ranks(Space(x, feature_weights=w, **options), table, bandwidth, **rule)
        weights = tensor(w, device=device)
        value = dii_loss(
            tensor(x, device=device, grad=False) * weights, ranks, sample_weight=mass, **options_of(bandwidth)
        )
        value.backward()
        assert value.device.type == device and value.ndim == 0
        assert value.item() == pytest.approx(exact.value, abs=1e-12)
        np.testing.assert_allclose(weights.grad.cpu(), 2 * w * exact.slopes, rtol=0, atol=1e-9)


@pytest.mark.parametrize("bandwidth", list(cases()), ids=lambda b: f"{b.kind}-{b.k}-{b.power}")
def test_overlap_with_dii_value_and_grad(bandwidth):
    x, y, w = data(5)
    options = options_of(bandwidth)
    value, gradient = dii_value_and_grad(x, y, w, **{"k": 1, **options})
    weights = tensor(w)
    found = dii_loss(tensor(x, grad=False) * weights, batch_ranks(y), **options)
    found.backward()
    assert found.item() == pytest.approx(value, abs=1e-12)
    np.testing.assert_allclose(weights.grad, gradient, rtol=0, atol=1e-9)


@pytest.mark.parametrize("bandwidth", list(cases()), ids=lambda b: f"{b.kind}-{b.k}-{b.power}")
def test_gradient_in_the_embedding_is_that_of_central_differences(bandwidth):
    """Of formulas (12) and (13) written with full matrices."""
    x, y, _ = data(n=25, d=3)
    allowed = allowed_in({}, 25)
    u = ranks_by_hand(y, allowed)
    embedding = tensor(x)
    value = dii_loss(embedding, u, **options_of(bandwidth))
    value.backward()
    assert value.item() == pytest.approx(brute_value(x, u, np.ones(3), bandwidth, allowed), rel=1e-9)
    step = 1e-5
    for row, column in ((0, 0), (7, 2), (24, 1)):
        moved = np.zeros_like(x)
        moved[row, column] = step
        up, down = (brute_value(x + m, u, np.ones(3), bandwidth, allowed) for m in (moved, -moved))
        # central differences are right to step^2 times a third derivative, and to 1e-16/step of rounding
        assert embedding.grad[row, column].item() == pytest.approx((up - down) / (2 * step), abs=1e-6)


@pytest.mark.parametrize("bandwidth", list(cases()), ids=lambda b: f"{b.kind}-{b.k}-{b.power}")
def test_gradcheck(bandwidth):
    x, y, _ = data(3, n=12, d=2)
    if bandwidth.kind == "perplexity":
        bandwidth = Bandwidth("perplexity", 1, 4.0, bandwidth.power)
    ranks = batch_ranks(y)
    assert torch.autograd.gradcheck(
        lambda z: dii_loss(torch.tanh(z), ranks, **options_of(bandwidth)), (tensor(x),), atol=1e-6
    )


def test_there_is_no_second_derivative():
    x, y, _ = data(n=12)
    embedding = tensor(x)
    (slope,) = torch.autograd.grad(dii_loss(embedding, batch_ranks(y)), embedding, create_graph=True)
    with pytest.raises(RuntimeError, match="not implemented|once_differentiable"):
        slope.sum().backward()


# ------------------------------------------------------------------------------------------------------ ties and places
@pytest.mark.parametrize("power", [1, 2])
@pytest.mark.parametrize("kind", ["point", "perplexity", "fixed", "global"])
def test_ties_and_duplicates(kind, power):
    g = np.random.default_rng(0)
    x, labels = np.rint(2 * g.normal(size=(60, 2))), g.integers(0, 3, 60)
    x[20:30] = x[0]
    bandwidth = Bandwidth(kind, 15 if kind == "global" else 3, 20.0 if kind == "perplexity" else 0.5, power)
    target = Space.from_labels(labels)
    for values in (x, np.zeros_like(x)):
        if kind == "global" and not values.any():
            continue
        exact = soft_ranks(Space(values), rank_table(target), bandwidth)
        embedding = tensor(values)
        value = dii_loss(embedding, batch_ranks(target), **options_of(bandwidth))
        value.backward()
        assert value.item() == pytest.approx(exact.value, abs=1e-12)
        assert bool(embedding.grad.isfinite().all())
        # a shift of all rows changes nothing; a stretch changes what 2 sum S says
        np.testing.assert_allclose(embedding.grad.sum(0), 0, atol=1e-12)
        assert (embedding.grad * embedding).sum().item() == pytest.approx(2 * exact.slopes.sum(), abs=1e-9)


def test_a_common_bandwidth_of_duplicates_is_refused():
    with pytest.raises(ParameterError, match="use 'point'"):
        dii_loss(torch.zeros(20, 2), batch_ranks(np.arange(20.0)[:, None]), bandwidth="global")


def test_float32_and_half_precision():
    x, y, _ = data(n=200)
    ranks = batch_ranks(y)
    exact = dii_loss(tensor(x), ranks, k=10)
    single = tensor(x, torch.float32)
    for bandwidth in (dict(k=10), dict(bandwidth="perplexity", perplexity=20.0), dict(k=10, kernel_power=1)):
        one, two = tensor(x), tensor(x, torch.float32)
        exact, fast = (dii_loss(z, ranks, **bandwidth) for z in (one, two))
        assert fast.dtype == torch.float32
        assert fast.item() == pytest.approx(exact.item(), abs=1e-5)  # 1e-7, magnified by 1/lambda
        exact.backward()
        fast.backward()
        np.testing.assert_allclose(two.grad, one.grad, rtol=0, atol=1e-3 * one.grad.abs().max().item())
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert dii_loss(single, ranks, k=10).item() == pytest.approx(dii_loss(tensor(x), ranks, k=10).item(), abs=1e-5)
    halved = single.bfloat16()
    assert dii_loss(halved, ranks, k=10).item() == pytest.approx(dii_loss(halved.float(), ranks, k=10).item(), abs=1e-6)


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore:The .grad attribute of a Tensor that is not a leaf")
def test_under_compile():
    x, y, _ = data(n=50)
    ranks, layer = batch_ranks(y), torch.nn.Linear(4, 2, dtype=torch.float64)

    def loss(z):
        return dii_loss(torch.tanh(layer(z)), ranks, bandwidth="perplexity", perplexity=5.0) * 2

    plain = loss(tensor(x))
    plain.backward()
    expected, layer.weight.grad = layer.weight.grad.clone(), None
    compiled = torch.compile(loss, backend="aot_eager")(tensor(x))
    compiled.backward()
    assert compiled.item() == pytest.approx(plain.item(), rel=1e-14)
    np.testing.assert_allclose(layer.weight.grad, expected, rtol=1e-12)


def test_memory_is_that_of_a_few_matrices():
    """No B x B x d array: 64 times B^2 would be 512 MB."""
    x, y = (torch.randn(1000, d, generator=torch.manual_seed(d)) for d in (64, 3))
    ranks, embedding = batch_ranks(y), x.requires_grad_()
    with torch.profiler.profile(activities=[torch.profiler.ProfilerActivity.CPU], profile_memory=True) as seen:
        dii_loss(embedding, ranks).backward()
    largest = max(event.self_cpu_memory_usage for event in seen.events())
    assert largest <= 2 * 8 * 1000**2


# -------------------------------------------------------------------------------------------------------------- batches
def test_rows_without_partners_do_not_count():
    x, y, _ = data(n=30)
    run = np.repeat([0, 1], [29, 1])
    target = Space(y, run=run, time=np.arange(30.0))
    with pytest.raises(DataError, match="no row of the batch has an admissible partner"):
        batch_ranks(target.take(range(10)), exclusion_window=50.0)
    ranks = batch_ranks(y)
    ranks[5] = np.nan
    value = dii_loss(tensor(x), ranks, k=3)
    others = np.delete(np.arange(30), 5)
    own = rank_table(Space(y), queries=others)
    exact = soft_ranks(Space(x), own, Bandwidth(k=3), queries=others)
    assert value.item() == pytest.approx(exact.value, abs=1e-12)


@pytest.mark.parametrize("kind", ["array", "tensor", "labels", "weights"])
def test_batches_of_a_target(kind):
    x, y, _ = data(n=80)
    target = {
        "array": y, "tensor": torch.tensor(y), "labels": Space.from_labels(np.rint(y[:, 0])),
        "weights": Space(y, sample_weight=np.linspace(1, 2, 80)),
    }[kind]  # fmt: skip
    loss, rows = DIILoss(target, k=4), np.random.default_rng(0).permutation(80)[:30]
    part = {
        "labels": Space.from_labels(np.rint(y[rows, 0])),
        "weights": Space(y[rows], sample_weight=np.linspace(1, 2, 80)[rows]),
    }.get(kind, Space(y[rows]))
    weight = part.sample_weight
    exact = soft_ranks(Space(x[rows], sample_weight=weight), rank_table(part), Bandwidth(k=4))
    for index in (rows, torch.tensor(rows)):
        assert loss(tensor(x[rows]), index).item() == pytest.approx(exact.value, abs=1e-12)
    whole = soft_ranks(Space(x, sample_weight=loss.target.sample_weight), rank_table(loss.target), Bandwidth(k=4))
    for _ in range(2):  # the ranks of all rows are made once
        assert loss(tensor(x)).item() == pytest.approx(whole.value, abs=1e-12)


def test_a_network_learns_what_the_target_knows():
    g = np.random.default_rng(0)
    z = g.normal(size=(400, 8))
    target, train, test = z[:, :2] * [1, 0.7], np.arange(250), np.arange(250, 400)
    torch.manual_seed(0)
    network = torch.nn.Linear(8, 2, dtype=torch.float64)
    loss, x = DIILoss(target, k=10), tensor(z, grad=False)

    def of_test():
        with torch.no_grad():
            return information_imbalance(network(x[test]).numpy(), target[test], exclusion_window=0).a_to_b

    before, step = of_test(), torch.optim.Adam(network.parameters(), 0.05)
    for _ in range(60):
        step.zero_grad()
        loss(network(x[train]), train).backward()
        step.step()
    assert before > 0.4 and of_test() < 0.1
    # a linear map with the right answer: the weights of the six columns that say nothing fade
    with torch.no_grad():
        size = network.weight.norm(dim=0)
    assert size[2:].max() < 0.15 * size[0]


# ------------------------------------------------------------------------------------------------------------ bad input
BAD = [
    (dict(k=0), "1 to 19"), (dict(k=20), "1 to 19"), (dict(k=2.5), "1 to 19"),
    (dict(bandwidth="perplexity"), "needs perplexity="), (dict(bandwidth="perplexity", perplexity=19), "19 neighbours"),
    (dict(perplexity=5.0), "goes with bandwidth='perplexity'"), (dict(lambda_factor=-1.0), "positive"),
    (dict(kernel_power=3), "1 or 2"), (dict(bandwidth="wide"), "bandwidth"),
]  # fmt: skip


@pytest.mark.parametrize(("options", "message"), BAD)
def test_bad_parameters(options, message):
    y = np.random.default_rng(0).normal(size=(20, 2))
    with pytest.raises(ParameterError, match=message):
        dii_loss(torch.tensor(y), batch_ranks(y), **options)
    with pytest.raises(ParameterError, match=message):
        DIILoss(y, **options)


def test_bad_data():
    y = np.random.default_rng(0).normal(size=(20, 2))
    ranks, x = batch_ranks(y), torch.tensor(y)
    with pytest.raises(DataError, match="ndarray, not a tensor"):
        dii_loss(y, ranks)
    with pytest.raises(DataError, match=r"\(20, 20\), the embedding has 19 rows"):
        dii_loss(x[1:], ranks)
    with pytest.raises(DataError, match="two dimensions"):
        dii_loss(x[:, 0], ranks)
    with pytest.raises(DataError, match="floating point"):
        dii_loss(torch.ones(20, 2, dtype=torch.int64), ranks)
    with pytest.raises(DataError, match="sample_weight needs 20"):
        dii_loss(x, ranks, sample_weight=np.ones(19))
    with pytest.raises(DataError, match="at least 3"):
        batch_ranks(y[:2])
    x[3, 1] = torch.nan
    with pytest.raises(DataError, match="nan in row 3, column 1.*learning rate"):
        dii_loss(x, ranks)
