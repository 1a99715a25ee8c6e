"""
Handwritten digits: how many variables, and which states?
=========================================================

1797 handwritten digits of 8 x 8 pixels. An image is a point in 64 dimensions, but nobody can write a random image: how
many numbers does a digit need? And do the images fall into groups by themselves, without being told that there are ten
of them? Labels are used to judge, never to fit.
"""

# %%
# How many degrees of freedom?
# ----------------------------
# The dimension depends on how closely one looks. Between nearest neighbours every wobble of the pen counts: nine. At
# larger distances only what makes a seven a seven is left: five to six. There is no plateau, so there is no one answer
# but this curve; its p-values say at which scales one dimension describes the data at all.

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from sklearn.cluster import HDBSCAN, KMeans
from sklearn.metrics import adjusted_rand_score

from infoscope import ABIDE, DensityPeaks, Gride, PAk
from infoscope.datasets import load_digits

digits, labels = load_digits()
images, labels = np.asarray(digits, float), np.asarray(labels)
digits = images[:, images.std(0) > 0]  # the corners are always white
scales = Gride().fit(digits).result_
print(scales)
scales.plot()

# %%
# A density needs one number, at the scale of the neighbourhoods in which it is constant. That is what ABIDE finds,
# together with these neighbourhoods.

print(ABIDE().fit(digits).result_)

# %%
# Which states?
# -------------
# Peaks of the density in seven dimensions, as far as they are higher than their saddles by 1.65 times the errors of
# both: the default, chosen before looking at a label. Errors are the claimed ones, that is, the noise: their
# calibration adds what smoothing takes from a peak and its saddles alike, which does not make a peak less real.

density = PAk(calibrate=False).fit(digits)
peaks = DensityPeaks().fit(density)
found = peaks.result_
print(found)
table = pd.crosstab(pd.Series(peaks.labels_, name="state"), pd.Series(labels, name="digit"))
print(table)

figure, axes = plt.subplots(1, found.n_clusters, figsize=(9, 1.9), layout="constrained")
for state, ax in enumerate(axes):
    ax.imshow(images[found.centers[state]].reshape(8, 8), cmap="gray_r")
    mostly = table.loc[state][table.loc[state] > 0.2 * table.loc[state].sum()].index
    ax.set(xticks=[], yticks=[], title=f"state {state}")
    ax.set_xlabel(f"{found.populations[state]:.0%}: {', '.join(map(str, mostly))}")

# %%
# The image at each peak, and the digits that make up more than a fifth of its state. Four states are one digit each;
# what remains together is written alike. The order in which states join, and how certain that is:

found.plot(kind="dendrogram")

# %%
# Beside other methods
# --------------------
# The adjusted Rand index is 1 where a grouping is that of the labels, 0 where it is no better than chance. K-means was
# told that there are ten groups. HDBSCAN leaves out what it calls noise, and so does the halo here (items below
# the highest saddle of their state), so each is judged on all images, and on those it keeps.


def judged(name, groups):
    """How many groups, the index on all items, the share kept and the index on these."""
    kept = groups >= 0
    return {
        "method": name,
        "groups": groups.max() + 1,
        "index": adjusted_rand_score(labels, groups),
        "kept": kept.mean(),
        "index of kept": adjusted_rand_score(labels[kept], groups[kept]),
    }


told = KMeans(10, n_init=10, random_state=0).fit_predict(digits)
rows = [judged("K-means, told ten", told)]
for size in (5, 10, 20):
    name = f"HDBSCAN, at least {size}"
    groups = HDBSCAN(min_cluster_size=size, copy=True).fit_predict(digits)
    rows.append(judged(name, groups))
for Z in (0.5, 1.0, 1.65, 2.5):
    rows.append(judged(f"density peaks, Z = {Z}", peaks.cut(Z).labels))
for Z in (1.0, 1.65):
    rows.append(judged(f"the same with halo, Z = {Z}", peaks.cut(Z, halo=True).labels))
comparison = pd.DataFrame(rows).set_index("method").round(2)
print(comparison.to_string())

# %%
# With the significance chosen beforehand, density peaks come close to K-means, which was given the answer to the
# question how many. They find fewer than ten, because some digits are written too much alike for 1797 images to show a
# valley between them. At a lower significance there are twelve states and a better index than that of K-means, but
# without labels nobody could know that this is the one to choose. HDBSCAN depends more on its own parameter; on the
# images that they keep, it and the peaks with halo agree with the labels about equally well.

figure, ax = plt.subplots(figsize=(5.2, 3.6), layout="constrained")
Z = np.linspace(0, 4, 41)
cuts = [peaks.cut(z).labels for z in Z]
ax.step(Z, [c.max() + 1 for c in cuts], where="post", color="#0072B2")
ax.axvline(1.65, color="0.6", ls="--", lw=1)
ax.axhline(10, color="0.6", ls=":", lw=1)
ax.set(xlabel="significance Z", ylabel="states", yscale="log")
ax.set_yticks((2, 5, 10, 20, 30), (2, 5, 10, 20, 30))
ax.minorticks_off()
right = ax.twinx()
right.plot(Z, [adjusted_rand_score(labels, c) for c in cuts], color="#D55E00")
right.set_ylabel("adjusted Rand index", color="#D55E00")
right.set_ylim(0, 1)
ax.yaxis.label.set_color("#0072B2")
plt.show()
