"""Sweeps of an order-3 model per second of CPU time: Gibbs with cached order sums, and what it stands beside.

One thread, one run, the three side by side in turns:

- ours: the star energy, 64 heads an order, Gibbs with cached order sums;
- Gibbs on the two-layer factored network (order 3 as well), one masked pass per site, in plain PyTorch;
- the published scheme on it: Metropolis-Hastings whose score needs a masked pass for every site at every proposal.

The peers are timed on fewer chains or sites where a whole sweep would take minutes; their cost is proportional to both.
The floor counts multiplications and additions of the matrix product and of the order sums at the rate of the machine's
own matrix product, and exponentials at the rate of NumPy's.

    python benchmarks/clones_sampling.py
"""

import argparse
import os
import time

os.environ.setdefault("OMP_NUM_THREADS", "1")
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

import numpy as np
import torch

from infoscope.clones.energy import StarEnergy
from infoscope.clones.factored import FactoredNetwork
from infoscope.clones.gibbs import CHAINS, GibbsSampler
from infoscope.clones.networks import split

V, L, HEADS, N_CHAINS, RANK, FACTORED_HEADS = 256, 32, 64, 512, 64, 4


def energy(rng):
    """Random, of the size of one that was trained: about half of all draws change their token."""
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
    n_orders, columns = 2, 2 * 2 * HEADS
    a, b = np.ones((CHAINS, columns), np.float32), np.ones((columns, V), np.float32)
    out = np.empty((CHAINS, V), np.float32)
    rate = 2 * out.size * columns / min(seconds(lambda: np.matmul(a, b, out=out)) for _ in range(300))
    exponential = min(seconds(lambda: np.exp(out - 256, out=out)) for _ in range(300)) / out.size
    flops = N_CHAINS * L * 2 * (2 * HEADS * V * n_orders + 5 * HEADS * L * n_orders)
    return flops / rate + N_CHAINS * L * V * exponential, flops, rate, exponential


def factored_sweep(network, parameters, tokens, n_sites):
    """Plain Gibbs: a masked pass for every site; seconds of all L sites."""

    def work():
        with torch.inference_mode():
            for site in range(n_sites):
                logits = network.logits(parameters, tokens, torch.full((len(tokens),), site))
                tokens[:, site] = torch.distributions.Categorical(logits=logits).sample()

    return seconds(work) * L / n_sites


def published_sweep(network, parameters, tokens, n_sites):
    """Score of the proposed sequence from L masked passes, at every proposal; seconds of all L sites."""

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


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--turns", type=int, default=3)
    parser.add_argument("--peer-chains", type=int, default=64, help="chains of the peers")
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    rng = np.random.default_rng(0)
    ours = GibbsSampler(energy(rng), rng.integers(V, size=(N_CHAINS, L)), random_state=0, n_jobs=1)
    ours.sweep()  # compiles
    network = FactoredNetwork(2, L, V, FACTORED_HEADS, RANK, True)
    parameters = split(network, torch.tensor(network.initial(rng), dtype=torch.float32))
    tokens = torch.as_tensor(rng.integers(V, size=(arguments.peer_chains, L)))
    factored_sweep(network, parameters, tokens, 1)
    scale = N_CHAINS / arguments.peer_chains
    rows = []
    for _ in range(arguments.turns):
        least, flops, rate, exponential = floor()
        rows.append((
            seconds(lambda: ours.sweep(3)) / 3,
            factored_sweep(network, parameters, tokens, 4) * scale,
            published_sweep(network, parameters, tokens, 1) * scale,
            least,
        ))  # fmt: skip
    mine, factored, published, least = np.median(np.array(rows), axis=0)
    print(f"{N_CHAINS} chains, L={L}, V={V}, {HEADS} heads an order, order 3; one thread, CPU seconds a sweep")
    print(f"ours                                     {mine:8.4f}")
    print(f"Gibbs, two-layer factored network        {factored:8.3f}   {factored / mine:7.1f} x ours")
    print(f"published scheme, the same network       {published:8.2f}   {published / mine:7.0f} x ours")
    print(
        f"floor                                    {least:8.4f}   {flops / 1e9:.2f} Gflop at {rate / 1e9:.0f} Gflop/s, "
        f"{N_CHAINS * L * V / 1e6:.1f} M exponentials at {exponential * 1e9:.2f} ns; reached {least / mine:.0%}"
    )


if __name__ == "__main__":
    main()
