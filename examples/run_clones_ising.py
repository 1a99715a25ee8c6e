"""
Spins on a square, and copies that know pairs only
==================================================

The Ising model is a law of order 2: its energy is a sum over pairs of neighbours.  A clone of order 2 is the same
system, and a clone of order 1 is not; instruments that know nothing of clones must say so.  Below the critical
temperature 2.269 chains that change one spin at a time never turn the whole square over, and the certificate must say
that.  The page shows what came out, and does not run it.
"""

# %%
# A model of order 2 is trained on one sample of 36 spins.  Chains begin at another sample, and at independent spins.

import time

import numpy as np

from infoscope import BinaryID, DensityAnomaly, information_imbalance
from infoscope.clones import InteractionModel, independent_clone
from infoscope.datasets import ising_square, ising_square_energy

SIDE, N = 6, 400


def energy(tokens):
    """Energy per spin, of all pairs of neighbours on the periodic square."""
    s = (1 - 2.0 * tokens).reshape(-1, SIDE, SIDE)
    return -(s * (np.roll(s, 1, 1) + np.roll(s, 1, 2))).mean((1, 2))


start = time.process_time()
for temperature, most in ((1.8, 500), (2.27, 6000), (3.2, 2000)):
    spins = ising_square(8000 + 2 * N, SIDE, temperature, burn_in=200, random_state=0)
    tokens = (1 - spins) // 2
    model = InteractionModel(2, n_heads=16, positions="full", n_steps=1500)
    clone = model.fit(tokens[2 * N :]).sample(tokens[:N], max_sweeps=most)
    exact = ising_square_energy(SIDE, temperature)
    print(f"T = {temperature}, energy {exact:.3f}: {clone.verdict}")
    for name, rows in {
        "spins": tokens[:N],
        "order 2": clone.tokens,
        "order 1": independent_clone(tokens[:N], random_state=0),
    }.items():
        e = energy(rows)
        said = f"  {name}: energy {e.mean():.3f} ± {e.std() / N**0.5:.3f}"
        if temperature > 3:  # where the law of distances of few bits has a peak
            bits = BinaryID(alpha_max=0.5).fit(rows > 0).result_
            said += f", {bits.d0:.1f} ± {bits.d0_se:.1f} independent bits"
        halves = information_imbalance(rows[:, :18] * 1.0, rows[:, 18:] * 1.0, k=5)
        said += f", imbalance of its halves {halves.a_to_b:.2f} ± {halves.a_to_b_se:.2f}"
        odd = DensityAnomaly().fit(tokens[N : 2 * N] * 1.0, rows * 1.0).result_
        print(f"{said}, rows out of place: {odd.n_flagged if hasattr(odd, 'n_flagged') else odd.verdict}")
print(f"{time.process_time() - start:.0f} seconds of processor time")
