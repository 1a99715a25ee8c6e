"""
Ising model: a phase transition seen by counting bits
=====================================================

Ten thousand spins that are up or down. Hot, each does what it likes: ten thousand independent bits. Cold, nearly all
agree. In between, at the critical temperature 2.269, clusters of every size appear. How many *independent* bits would
be as far apart as these states are? Nobody tells the method about temperature, magnetisation or the lattice; it sees
rows of zeros and ones.
"""

# %%
# States from hot to cold
# -----------------------
# Cluster updates draw 600 states at each temperature, five sweeps apart (this takes most of the time of this page).

import numpy as np
from matplotlib import pyplot as plt

from infoscope import BinaryCurve, BinaryID
from infoscope.datasets import CRITICAL_TEMPERATURE, ising_square

temperatures = (1.8, 2.0, 2.1, 2.2, 2.25, 2.3, 2.35, 2.4, 2.6, 3.0)
states = {T: ising_square(600, 100, T, burn_in=200, sweeps=5, random_state=1) for T in temperatures}

figure, axes = plt.subplots(1, 3, figsize=(8, 2.9), layout="constrained")
for ax, T in zip(axes, (2.0, 2.3, 3.0), strict=True):
    ax.imshow(states[T][-1].reshape(100, 100), cmap="gray", vmin=-1, vmax=1)
    ax.set(title=f"T = {T}", xticks=[], yticks=[])

# %%
# The dimension against temperature
# ---------------------------------
# All pairs of states at one temperature are compared: in how many spins do they differ? Small distances follow the law
# of d independent bits, with d a straight line in the distance; its value at distance zero is the binary intrinsic
# dimension. The window is the nearest tenth of all pairs, at every temperature, because only equal windows compare.
# Successive states are not quite independent, so errors compare blocks of five.

estimator = BinaryID(alpha_max=0.1, block_length=5)
results = [estimator.fit(states[T]).result_ for T in temperatures]
curve = BinaryCurve.of(temperatures, results, against="temperature")
print(curve)

ax = curve.plot(quantity="d0", mark=CRITICAL_TEMPERATURE, label="100 x 100 spins")
ax.set_yscale("log")
ax.set_ylim(200, 10_000)
plt.show()

# %%
# From the hot side the number falls by a factor of ten and more, to a minimum just above the critical temperature:
# there the clusters are as large as the sample, and fewest independent bits remain. Below it rises again before it
# falls. The order of one sign is one bit; what is left are small clusters of flipped spins, which are independent
# of one another, and become fewer as it gets colder. In smaller samples the minimum lies farther above, and is
# shallower:

small = []
for T in temperatures:
    spins = ising_square(600, 50, T, burn_in=200, sweeps=5, random_state=2)
    small.append(estimator.fit(spins).result_)
smaller = BinaryCurve.of(temperatures, small, against="temperature")
ax = curve.plot(mark=CRITICAL_TEMPERATURE, label="100 x 100")
smaller.plot(ax, label="50 x 50", color="#D55E00")
ax.set(xlim=(1.75, 2.45), ylim=(0, 0.25))
ax.legend(frameon=False)
plt.show()

# %%
# Is the number to be believed?
# -----------------------------
# Each fit tells how far it is from its histogram, in units of what noise alone would make. Cold, the histogram has two
# peaks, for states of equal and of opposite sign, and the law, which has one, describes the nearer. At the transition
# there is one broad peak that no law of independent bits follows all the way; the dotted line says how it would go on.

figure, axes = plt.subplots(1, 3, figsize=(11, 3.2), layout="constrained")
for ax, T in zip(axes, (2.0, 2.3, 3.0), strict=True):
    found = results[temperatures.index(T)]
    found.plot(ax)
    ax.set_title(f"T = {T}: misfit {found.kl_ratio:.1f} times its noise", fontsize=9)
plt.show()

# %%
# Hence the advice to look at several windows. At 3.0 the number hardly depends on them. At 2.3 it does, by a quarter:
# there the dimension is a number for one scale of distances, which belongs with it.

from infoscope import scan_alpha

figure, axes = plt.subplots(1, 2, figsize=(10.5, 3.4), layout="constrained")
for ax, T in zip(axes, (2.3, 3.0), strict=True):
    scan_alpha(states[T], np.arange(0.1, 0.95, 0.1)).plot(ax)
    ax.set_title(f"T = {T}")
plt.show()
