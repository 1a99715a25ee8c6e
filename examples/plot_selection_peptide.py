"""
Which few coordinates keep the shape of a peptide?
==================================================

Alanine dipeptide has ten heavy atoms, hence 45 distances and 7 torsions between them. Its shape is what remains of a
frame when it was superposed on another one: the RMSD. Which few of the 52 coordinates tell which frames have the same
shape, and in which proportion? A chemist would say: the two torsions phi and psi. Nobody tells the computer.
"""

# %%
# Coordinates and target
# ----------------------
# 5000 frames of a simulation at 600 K, of which every tenth is used. Torsions are periodic, distances are not; a
# `Space` knows that of each column. The target has no columns at all, only distances between frames.

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt

from infoscope import DifferentiableImbalance, Space, dii_forward
from infoscope.datasets import load_alanine_dipeptide

STRIDE = 10
frames = load_alanine_dipeptide("600K")
shape = frames.space("rmsd", stride=STRIDE).replace(name="shape")
table = pd.concat([frames.torsions, frames.distances], axis=1).iloc[::STRIDE].reset_index(drop=True)
period = {name: 2 * np.pi for name in frames.torsions}
coordinates = Space(table, period=period, time=shape.time, name="coordinates")
print(coordinates)
print(shape)

# %%
# One by one, with weights
# ------------------------
# A beam of three: of every size the three best sets go on. Coordinates are standardised and get the weights with
# which their neighbours are neighbours in shape.

path = dii_forward(coordinates, shape, 4, n_best=3)
print(path)
_, ax = plt.subplots(figsize=(8, 4), layout="constrained")
path.plot(ax)

# %%
# The first torsion alone leaves 0.4 open, the second takes four fifths of that away. What comes next refines: the
# omega of a bent peptide bond, distances that a bond angle changes. No pair comes near phi and psi (``infoscope demo``
# looks at all 1326 of them). How few suffice is then a question of how fine a shape one wants: the suggested size is
# the smallest that loses nothing the larger sets can measure.

for size in (1, 2, 3):
    print(size, ", ".join(f"{name} {weight:.2f}" for name, weight in path.weights_of(size).items()))

# %%
# In which proportion?
# --------------------
# A weight has an error as well. Resamples of blocks of frames, each as long as the correlation lasts, say how well the
# proportion of the two torsions is known: psi counts two to five times as much as phi, in
# units of their standard deviations. In radians their spreads are taken out of the comparison.

two = list(path.chosen(2))
pair = Space(table[two], period={name: 2 * np.pi for name in two}, time=shape.time, name="phi and psi")
fit = DifferentiableImbalance(n_resamples=50, random_state=0).fit(pair, shape)
print(fit.result_)
phi, psi = fit.weights_
print(f"in radians: {psi / phi:.1f} times as far along phi as along psi is as far in shape")
fit.result_.plot()

# %%
# What the weights mean
# ---------------------
# The frames in the plane of the two torsions; the color is their RMSD from one of them. Along phi one can go farther
# before the color changes than along psi.

reference = 0
away = shape.pair_distances(np.full(len(shape), reference), np.arange(len(shape)))
figure, ax = plt.subplots(figsize=(5.6, 4.4), layout="constrained")
drawn = ax.scatter(table["ALA2 phi"], table["ALA2 psi"], c=away, s=14, cmap="viridis_r")
ax.plot(*table.loc[reference, ["ALA2 phi", "ALA2 psi"]], "*", color="#D55E00", ms=16)
ax.set(xlabel="phi (radians)", ylabel="psi (radians)", xlim=(-np.pi, np.pi), ylim=(-np.pi, np.pi))
figure.colorbar(drawn, label="RMSD from the frame of the star (nm)")
plt.show()
