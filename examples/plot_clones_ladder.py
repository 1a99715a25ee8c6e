"""
Pairs first, triples next, quadruples last
==========================================

Six spins interact in pairs, in triples and in quadruples.  What each order tells of a spin, given the others, is known
exactly.  An energy is trained for each order, a clone is drawn from each, and a small transformer that learns the spins
is tested on the clones while it trains: does it learn low orders first?
"""

from itertools import combinations

import numpy as np
from matplotlib import pyplot as plt

from infoscope import exact_order_losses, order_spectrum
from infoscope.clones import (
    CloneLadder,
    InteractionModel,
    StudyTransformer,
    enumerate_states,
    law_of_energy,
    learning_curves,
)

states, rng = enumerate_states(6, 2), np.random.default_rng(1)
spins, log_p = 1 - 2 * states, 0.0
for order in (1, 2, 3, 4):
    for sites in combinations(range(6), order):
        log_p = log_p + 0.35 * rng.normal() / order**0.5 * spins[:, sites].prod(1)
law = law_of_energy(-log_p)


def draw(n, seed):
    """Independent sequences of that law."""
    return states[np.random.default_rng(seed).choice(64, n, p=law)]


# %%
# What the law allows
# -------------------
# The smallest loss of each order, by one convex fit a spin.  Order 4 is the floor.

exact = exact_order_losses(law, 6, 2, max_order=4)
print(exact)

# %%
# The same from 4,000 sequences, with errors, knowing nothing of the law.

spectrum = order_spectrum(draw(4000, 0), max_order=4)
print(spectrum)

# %%
# An energy of each order
# -----------------------
# It is trained to predict each spin from the others, and no clone of it can hold more than its order.

model = InteractionModel(n_heads=4, n_steps=800)
ladder = CloneLadder((1, 2, 3, 4), model=model).fit(draw(20_000, 1))
for order, trained in ladder.models_.items():
    reached = (law * trained.losses(states)).sum()
    print(f"order {order}: loss {reached:.4f}, the least is {exact.losses[order - 1]:.4f}")

# %%
# Clones, half of whose chains began at data and half at independent spins.  The last column is the highest order
# that `order_spectrum` finds in them: a clone of order 3 holds pairs and triples, and no quadruples.

clones = ladder.sample(draw(2500, 2))
for order, clone in clones.items():
    found = order_spectrum(clone.tokens, max_order=4)
    worst = clone.r_hat.max()
    print(f"{order}: {clone.n_sweeps} sweeps, R-hat {worst:.3f}, order {found.highest_order}")

# %%
# A transformer, tested while it learns
# -------------------------------------

study = StudyTransformer(n_layers=2, n_heads=2, width=32, n_steps=500, n_kept=12)
study.fit(draw(20_000, 3))
some = {order: clone.tokens[:1000] for order, clone in clones.items()}
curves = learning_curves(study.checkpoints_, some, draw(1000, 4))
print(curves)

# %%
# Up to about twenty steps all losses fall alike: what is learnt then are single spins and pairs.  From there on the
# losses on real spins and on the clones of order 3 and 4 fall far below the others, while those on the clones of order
# 1 and 2 rise: the transformer expects triples that these do not hold.

figure, axes = plt.subplots(1, 3, figsize=(13, 4), layout="constrained")
exact.plot(axes[0])
spectrum.plot(axes[1])
curves.plot(axes[2])
plt.show()
