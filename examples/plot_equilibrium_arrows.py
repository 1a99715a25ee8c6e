"""
Arrows in equilibrium
=====================

In equilibrium every motion is as frequent as its reverse: a film of it could run backwards, and nobody would notice.
Can one variable then drive another? Information flows one way all the same. Three systems whose laws are known
exactly show what it follows, and an experiment says what that means.
"""

# %%
# Three states
# ------------
# A chain that jumps between three states, as often forth as back. X is the state, Y says only whether it is the third.
# Y knows nothing that X does not know, so it can tell X nothing; X tells Y how likely the third state is next.

import numpy as np
from matplotlib import pyplot as plt

from infoscope import (
    LangevinGrid,
    imbalance_gain,
    markov_transfer_entropy,
    ou_intervention,
    ou_transfer_entropy,
    scan_lags,
    transfer_entropy,
)
from infoscope.datasets import langevin_wells, markov_chain, ornstein_uhlenbeck

P = [[0, 0.5, 0.5], [0.5, 0.4, 0.1], [0.5, 0.1, 0.4]]
exact = markov_transfer_entropy(P, source=[0, 1, 2], target=[0, 0, 1], lags=[1, 2, 3])
print(exact)

# %%
# From a run of 2,500 steps, by counting, and by the gain of prediction. The gain measures distances: a little noise
# tells tied states apart.

(state,) = markov_chain(2500, P, random_state=0)
print(transfer_entropy(state, state == 2, [1, 2, 3], method="discrete"))

g = np.random.default_rng(0)
x, y = (values + 0.01 * g.normal(size=2500) for values in (state, state == 2))
gains = scan_lags(x, y, [1, 2, 3], k=25, n_permutations=0)
print(gains)

# %%
# Two coordinates in one well
# ---------------------------
# A particle in a Gaussian well, whose two coordinates have correlation 0.6. Where it is found does not depend on
# friction; how it moves does. Friction of y in units of that of x says how much slower y is. Lines are exact; dots are
# gains from 2,000 walkers, each looked at once, and once more after one relaxation time of the faster coordinate.

well = [[1, 0.6], [0.6, 1]]
ratios = np.geomspace(0.05, 20, 15)
told, moved = np.zeros((2, 2, len(ratios)))
for at, ratio in enumerate(ratios):
    times = np.geomspace(0.02, 3, 25) * min(1, ratio)
    flow = ou_transfer_entropy(well, [1, ratio], 1.0, times, source=0, target=1)
    told[:, at] = flow.forward.max(), flow.backward.max()
    for way, (a, b) in enumerate(((0, 1), (1, 0))):
        effect = ou_intervention(well, [1, ratio], 1.0, times, a, b, values=(0, 2))
        moved[way, at] = effect.effect.max()


def gain(now, later, a, b):
    """Gain of the present of b by that of a, in many walkers."""
    x, y, future = now[:, a], now[:, b], later[:, b]
    return imbalance_gain(x, y, future=future, k=25, n_permutations=0)


measured = {}
for ratio in (0.1, 1.0, 10.0):
    how = {"gamma": [1, ratio], "time_step": min(1, ratio)}
    walkers = ornstein_uhlenbeck(2, well, **how, n_runs=2000, random_state=1)
    now, later = np.array(walkers).transpose(1, 0, 2)
    measured[ratio] = [gain(now, later, a, b) for a, b in ((0, 1), (1, 0))]

fig, axes = plt.subplots(1, 3, figsize=(10.5, 3.3), layout="constrained")
for way, (label, colour) in enumerate((("x → y", "#0072B2"), ("y → x", "#D55E00"))):
    axes[0].plot(ratios, told[way], color=colour, label=label)
    axes[1].errorbar(
        list(measured),
        [found[way].crossfit for found in measured.values()],
        [found[way].crossfit_se for found in measured.values()],
        fmt="o-", color=colour, capsize=3,
    )  # fmt: skip
    axes[2].plot(ratios, moved[way], color=colour)
titles = ("transfer entropy (nats)", "imbalance gain", "effect of setting 0 or 2 (nats)")
for ax, title in zip(axes, titles, strict=True):
    ax.set(xscale="log", xlabel="friction of y / friction of x", title=title)
axes[0].legend(frameon=False)
plt.show()

# %%
# Where both are equally slow, as much flows forth as back. With unequal friction the slow one tells the fast one, and
# the flow back all but vanishes, though force and counterforce are the same. It is the ratio of relaxation times that
# shows, not a driver. And yet the third panel says the same as the first: set the slow coordinate, and the fast one
# follows for long; set the fast one, and it has forgotten before the slow one moves. What the arrow says is true of
# experiments that last as long as the lag.

# %%
# Three wells
# -----------
# Now with equal friction, and a landscape in which the coordinates differ: wells at (0, 0), (5, 5) and (12, 0).

centres = [(0, 0), (5, 5), (12, 0)]


def energy(x, y):
    return -np.log(sum(np.exp(-((x - a) ** 2 + (y - b) ** 2) / 2) for a, b in centres))


grid = LangevinGrid(energy, bounds=[(-3.5, 15.5), (-3.5, 8.5)], shape=(39, 25))
times = np.geomspace(30, 8000, 12)
flow = grid.transfer_entropy(times)
on_y = grid.intervention("x", "y", (0, 12), times)
on_x = grid.intervention("y", "x", (0, 5), times)

steps = {"stride": 40_000, "time_step": 0.01}
walkers = langevin_wells(2, centres, **steps, n_runs=1000, random_state=2)
now, later = np.array(walkers).transpose(1, 0, 2)
for (a, b), way in (((0, 1), "x → y"), ((1, 0), "y → x")):
    found = gain(now, later, a, b)
    print(f"gain {way} after 400: {found.crossfit:.3f} ± {found.crossfit_se:.3f}")

fig, axes = plt.subplots(1, 2, figsize=(10, 3.6), layout="constrained")
flow.plot(axes[0])
on_y.plot(axes[1], other=on_x)
plt.show()

# %%
# At equal friction it is the shape of the landscape. x tells on which side the particle stands, and so whether it can
# reach the well at y = 5 soon; of a particle at y = 0 the coordinate y does not tell the side. The experiment agrees:
# x set to 0 or to 12 makes a difference to y for thousands of units of time, y set to 0 or to 5 hardly any to x after
# a hundred. So here the arrow at long lags *is* an effect. What is merely found (dashed) would have misled: y at 5
# goes with x near 5, which says nothing about what y does to x.
#
# In none of the three systems was there a driver in the sense of a force without a counterforce. An arrow of
# information says who is slow, and how the landscape is shaped, and an experiment says what follows when one
# coordinate is set.
