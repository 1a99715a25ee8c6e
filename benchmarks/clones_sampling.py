"""Sweeps of an order-3 model per second of CPU time: Gibbs with cached order sums, and what it stands beside.

One thread, one process, in turns:

- ours: the star energy, 64 heads an order, Gibbs with cached order sums;
- Gibbs on the two-layer factored network (order 3 as well), a masked pass per site, in plain PyTorch;
- the published scheme on it: Metropolis-Hastings whose score needs a masked pass for every site at every proposal.

The peers are timed on fewer chains and sites, for a whole sweep would take minutes; their cost is proportional to both.
The floor counts multiplications and additions of the matrix product and of the order sums at the rate of the machine's
own matrix product, and exponentials at the rate of NumPy's.
"""

from __future__ import annotations

import time
from argparse import Namespace

from harness import Row, bar, fresh, main, publish

V, L, HEADS, N_CHAINS, RANK, PEER_CHAINS = 256, 32, 64, 512, 64, 64


def energy(rng):
    """Random; most draws change their token, which is the slow case."""
    import numpy as np

    from infoscope.clones.energy import StarEnergy

    positions = rng.normal(size=(2, HEADS, L, L)) / np.sqrt(L)
    positions[..., range(L), range(L)] = 0
    legs, centres = rng.normal(size=(2, 2, HEADS, V))
    return StarEnergy(rng.normal(size=(L, V)), legs, centres / np.sqrt(HEADS), positions)


def seconds(work):
    start = time.process_time()
    work()
    return time.process_time() - start


def floor():
    """Seconds of a sweep of all chains: flops at the rate of a matrix product, exponentials at that of NumPy."""
    import numpy as np

    from infoscope.clones.gibbs import CHAINS

    n_orders, columns = 2, 2 * 2 * HEADS
    a, b = np.ones((CHAINS, columns), np.float32), np.ones((columns, V), np.float32)
    out = np.empty((CHAINS, V), np.float32)
    rate = 2 * out.size * columns / min(seconds(lambda: np.matmul(a, b, out=out)) for _ in range(300))
    exponential = min(seconds(lambda: np.exp(out - 256, out=out)) for _ in range(300)) / out.size
    flops = N_CHAINS * L * 2 * (2 * HEADS * V * n_orders + 5 * HEADS * L * n_orders)
    return flops / rate + N_CHAINS * L * V * exponential, flops, rate, exponential


def factored_sweep(network, parameters, tokens, n_sites):
    """Plain Gibbs: a masked pass for every site; seconds of all L sites."""
    import torch

    def work():
        with torch.inference_mode():
            for site in range(n_sites):
                logits = network.logits(parameters, tokens, torch.full((len(tokens),), site))
                tokens[:, site] = torch.distributions.Categorical(logits=logits).sample()

    return seconds(work) * L / n_sites


def published_sweep(network, parameters, tokens, n_sites):
    """Score of the proposed sequence from L masked passes, at every proposal; seconds of all L sites."""
    import torch

    def score(s):
        own = [network.logits(parameters, s, torch.full((len(s),), i))[torch.arange(len(s)), s[:, i]] for i in range(L)]
        return -torch.stack(own).sum(dim=0)

    def work():
        with torch.inference_mode():
            before = score(tokens)
            for site in range(n_sites):
                log_p = torch.log_softmax(network.logits(parameters, tokens, torch.full((len(tokens),), site)), dim=1)
                proposed = tokens.clone()
                proposed[:, site] = torch.distributions.Categorical(logits=log_p).sample()
                after = score(proposed)
                rows = torch.arange(len(tokens))
                ratio = before - after + log_p[rows, tokens[:, site]] - log_p[rows, proposed[:, site]]
                taken = torch.rand(len(tokens)).log() < ratio
                tokens[taken], before[taken] = proposed[taken], after[taken]

    # the score of the start, L passes of its own, is part of no proposal
    return seconds(work) * L / (n_sites + 1)


def contenders(turns: int, threads: int) -> Row:
    """Median CPU seconds of a sweep of all chains."""
    import numpy as np
    import torch

    from infoscope.clones.factored import FactoredNetwork
    from infoscope.clones.gibbs import GibbsSampler
    from infoscope.clones.networks import split

    torch.set_num_threads(1)
    rng = np.random.default_rng(0)
    ours = GibbsSampler(energy(rng), rng.integers(V, size=(N_CHAINS, L)), random_state=0, n_jobs=1)
    ours.sweep()  # compiles
    tokens = torch.as_tensor(rng.integers(V, size=(PEER_CHAINS, L)))
    peers = {}
    for heads in (1, 4):
        network = FactoredNetwork(2, L, V, heads, RANK, True)
        peers[heads] = network, split(network, torch.tensor(network.initial(rng), dtype=torch.float32))
        factored_sweep(*peers[heads], tokens, 1)
    scale = N_CHAINS / PEER_CHAINS
    rows = []
    for _ in range(turns):
        row = [seconds(lambda: ours.sweep(3)) / 3]
        for peer in peers.values():
            row += [factored_sweep(*peer, tokens, 4) * scale, published_sweep(*peer, tokens, 1) * scale]
        least, flops, rate, exponential = floor()
        rows.append([*row, least, rate, exponential])
    names = ("ours", "gibbs_1", "published_1", "gibbs_4", "published_4", "floor", "rate", "exponential")
    found = dict(zip(names, np.median(np.array(rows), axis=0).tolist(), strict=True))
    return {**found, "flops": flops}


def run(options: Namespace) -> None:
    found = fresh("contenders", turns=1 if options.quick else 7, threads=1)
    names = {
        "ours": "infoscope: star energy, Gibbs with cached order sums",
        "gibbs_1": "Gibbs, factored network of two layers, 1 head",
        "gibbs_4": "the same, 4 heads",
        "published_1": "published Metropolis scheme, 1 head",
        "published_4": "the same, 4 heads",
        "floor": "floor: flops and exponentials of ours",
    }
    rows = [
        {"what": text, "CPU seconds a sweep": found[name], "times ours": found[name] / found["ours"]}
        for name, text in names.items()
    ]
    bars = [
        bar("published scheme, 1 head, over ours", found["published_1"] / found["ours"], 200, at_least=True),
        bar("Gibbs on the factored network, 1 head, over ours", found["gibbs_1"] / found["ours"], 8, at_least=True),
        bar("share of the floor that is reached", found["floor"] / found["ours"], 0.3, at_least=True),
    ]
    notes = [
        f"Order 3, {N_CHAINS} chains, {L} sites, {V} tokens, {HEADS} heads an order; peers of rank {RANK}; one thread.",
        f"The floor is {found['flops'] / 1e9:.2f} Gflop at {found['rate'] / 1e9:.0f} Gflop/s and "
        f"{N_CHAINS * L * V / 1e6:.1f} million exponentials at {found['exponential'] * 1e9:.2f} ns.",
    ]
    publish("clones_sampling", options, {"A sweep of all chains": rows}, bars=bars, notes=notes)


if __name__ == "__main__":
    main(run, {"contenders": contenders})
