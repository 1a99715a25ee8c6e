"""
What does heating a molecule change?
====================================

Two simulations of alanine dipeptide: one at 300 K, where metadynamics pushed the molecule over its barriers, one at
600 K, where it crosses them by itself. Which conformations appear with heat, and which are left? Three things must be
right before this is asked: the frames at 300 K are biased, those at 600 K resemble the frames before them, and the two
torsion angles are periodic.
"""

# %%
# Two fair samples
# ----------------
# A comparison of counts needs rows that count alike, so weights have to go: a frame is kept with a probability
# proportional to its weight (rejection), and what is kept is a sample of the molecule without bias, smaller and honest.
# To compare the biased frames themselves would tell what metadynamics did.
#
# A frame at 600 K in every 10 ps is used. It still resembles the one before (about 17 ps are as good as one independent
# frame), so labels are permuted in blocks of five frames, 50 ps. Frames at 300 K that were kept are 55 ps apart on
# average, six correlation times, and resemble each other little; they get blocks of five as well, because only blocks
# of like length can exchange their labels.

import numpy as np
from matplotlib import pyplot as plt

from infoscope import Space
from infoscope.anomalies import DensityAnomaly
from infoscope.datasets import load_alanine_dipeptide
from infoscope.statistics import correlation_time

TORSIONS, TURN = ["ALA2 phi", "ALA2 psi"], 2 * np.pi
cold, hot = load_alanine_dipeptide("300K metadynamics"), load_alanine_dipeptide("600K")
generator = np.random.default_rng(0)
kept = np.flatnonzero(generator.random(len(cold)) < cold.sample_weight / cold.sample_weight.max())
thinned = np.arange(0, len(hot), 10)
print(f"300 K: {len(kept)} of {len(cold)} frames kept, {np.diff(cold.time[kept]).mean():.0f} ps apart on average")
print(f"600 K: {len(thinned)} of {len(hot)} frames; correlation time "
      f"{correlation_time(hot.torsions[TORSIONS], time=hot.time, period=TURN).value:.0f} ps")  # fmt: skip
reference = Space(cold.torsions[TORSIONS].iloc[kept].reset_index(drop=True), period=TURN, name="300 K")
test = Space(hot.torsions[TORSIONS].iloc[thinned].reset_index(drop=True), period=TURN, name="600 K")

# %%
# Where they differ
# -----------------
# With blocks the control is that of any false flag at all (``fwer``), and the p-value of the whole is exact.

blocks = {"groups_reference": np.arange(len(reference)) // 5, "groups_test": np.arange(len(test)) // 5}
model = DensityAnomaly(n_permutations=1999, random_state=0).fit(reference, test, **blocks)
found = model.result_
print(found)

# %%
# Is it the draw?
# ---------------
# Another rejection, other frames: what is there does not depend on them, how much of it is flagged does.

for seed in range(1, 5):
    draw = np.random.default_rng(seed)
    again = np.flatnonzero(draw.random(len(cold)) < cold.sample_weight / cold.sample_weight.max())
    offset = int(draw.integers(10))
    x = Space(cold.torsions[TORSIONS].iloc[again].reset_index(drop=True), period=TURN)
    y = Space(hot.torsions[TORSIONS].iloc[offset::10].reset_index(drop=True), period=TURN)
    groups = {"groups_reference": np.arange(len(x)) // 5, "groups_test": np.arange(len(y)) // 5}
    other = DensityAnomaly(n_permutations=499, random_state=0).fit(x, y, **groups).result_
    places = ", ".join(f"({r.centre[0]:.1f}, {r.centre[1]:.1f}): {r.signal:.0f} of {r.n_anomalous}"
                       for r in other.regions if r.established)  # fmt: skip
    print(f"draw {seed}: p = {other.global_p_value:.3f}; signal at {places}")

# %%
# On the map
# ----------
# Left, the flagged frames: conformations that appear at 600 K. Middle, the
# score of every place, which is asked of new points (the places need not be frames), and the level above which points
# are flagged. Right, the largest score against
# those of permuted blocks.

axis = np.linspace(-np.pi, np.pi, 60)
grid = np.stack(np.meshgrid(axis, axis, indexing="xy"), axis=-1).reshape(-1, 2)
more = model.score_samples(Space(grid, period=TURN, feature_names=TORSIONS))
fewer = model.score_samples(Space(grid, period=TURN, feature_names=TORSIONS), side="under")
height = np.where(more > fewer, more, -fewer).reshape(60, 60)

figure, (left, middle, right) = plt.subplots(1, 3, figsize=(13.5, 4), layout="constrained", width_ratios=(1.25, 1.1, 1))
found.plot(left)
limit = np.abs(height).max()
image = middle.pcolormesh(axis, axis, height, cmap="RdBu_r", vmin=-limit, vmax=limit, rasterized=True)
levels = [-found.under.threshold, found.over.threshold]
middle.contour(axis, axis, height, levels=levels, colors="black", linewidths=0.8)
figure.colorbar(image, ax=middle, label="score: more at 600 K (red), fewer (blue)")
for ax in (left, middle):
    ax.set(xlim=(-np.pi, np.pi), ylim=(-np.pi, np.pi), xticks=(-3, 0, 3), yticks=(-3, 0, 3), xlabel="phi / rad",
           ylabel="psi / rad")  # fmt: skip
found.plot(right, kind="permutations", side="over")
plt.show()

# %%
# Heat fills the left-handed region (phi near +1), which the molecule at 300 K hardly visits, and the slopes between the
# basins. The basins must lose what these win, and the map shows it in blue; but the loss is a small share of many
# frames, and with a few hundred independent ones it is not beyond doubt at every draw. How many frames are beyond the
# background of each place, and how sure that is, stands in ``found.to_frame()``.
