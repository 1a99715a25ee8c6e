"""
At which scale, and with how many items?
========================================

An Information Imbalance belongs to a number of items N and a number of neighbours k. This example shows what changes
with k, what changes with N, and how to ask a large data set without computing everything.
"""

# %%
# A spiral: alike close up, different from afar
# ---------------------------------------------
# Points on a spiral are described in two ways: by the distance *along* the spiral, and by their place in the *plane*.
# Close up, the two agree: who is near along the line is near in the plane. From afar they do not: in the plane, the
# neighbouring arms of the spiral come next, and along the line these are a whole turn away.

import numpy as np
from matplotlib import pyplot as plt

from infoscope import Space, imbalance_scale_curve, information_imbalance
from infoscope.datasets import gaussian_columns

generator = np.random.default_rng(0)
along = np.sqrt(generator.uniform(0.02, 1.0, 3000))
angle = 10 * np.pi * along
plane = np.column_stack([along * np.cos(angle), along * np.sin(angle)])
plane += 0.01 * generator.normal(size=plane.shape)

figure, ax = plt.subplots(figsize=(4.2, 3.6), layout="constrained")
points = ax.scatter(*plane.T, c=along, s=3)
ax.set(aspect="equal", xlabel="x", ylabel="y")
figure.colorbar(points, label="along")

# %%
# ``imbalance_scale_curve`` shows Δ for a whole range of k with one search. The horizontal axis is k/N, the share
# of all items that count as neighbours.

line, disc = Space(along[:, None], name="along"), Space(plane, name="plane")
curve = imbalance_scale_curve(line, disc)
print(curve)
curve.plot()

# %%
# A value at one k is a statement about one scale. The long dashes are the smallest attainable value, (k + 1)/N.
#
# More items, another value
# -------------------------
# With more items the nearest one is nearer, so Δ at fixed k changes with N. Here are two spaces that share four
# Gaussian columns and have two of their own each, for 10,000 items:

A, B = gaussian_columns(10_000, shared=4, private_a=2, private_b=2, random_state=0)
full = information_imbalance(A, B)
print(full)

# %%
# Suppose that this takes too long (here it takes seconds; at a million items it would take hours). There are two
# ways to use less data, and they answer different questions:
#
# - *cut down* both spaces to n items: that gives the value of a smaller data set;
# - ``n_rows=n``: n random items are asked, but all 10,000 may answer: the value at the full N, with the error that
#   sampling adds.

sizes = [250, 500, 1000, 2000]
cut = [information_imbalance(A[:n], B[:n]) for n in sizes]
asked = [information_imbalance(A, B, n_rows=n, random_state=n) for n in sizes]

figure, ax = plt.subplots(figsize=(5.6, 3.8), layout="constrained")
bars = {"fmt": "o", "capsize": 3}
for shift, results, label in (
    (0.97, cut, "data cut down to n items"),
    (1.03, asked, "n_rows = n, all items may answer"),
):
    values = [result.a_to_b for result in results]
    errors = [result.a_to_b_se for result in results]
    ax.errorbar(shift * np.array(sizes), values, errors, label=label, **bars)
low, high = full.a_to_b - full.a_to_b_se, full.a_to_b + full.a_to_b_se
ax.axhspan(low, high, color="0.85", label="all rows, N = 10,000")
ax.set(xscale="log", xticks=sizes, xticklabels=sizes, xlabel="n")
ax.set(ylabel="Δ(A → B), bars: standard error")
ax.minorticks_off()
ax.legend()

# %%
# For even larger N, ``n_columns`` estimates the *places* in B from that many random items; the nearest neighbour
# in A is still found among all. This is unbiased for the full N as well.

print(information_imbalance(A, B, n_rows=2000, n_columns=500, random_state=0))

# %%
# Is the error honest?
# --------------------
# Ask 300 random rows, forty times, and compare the scatter of the answers with the error that each one printed. (The
# rows come from one data set, so the printed error, which is meant for new data as well, may be a little larger.)

answers = [information_imbalance(A, B, n_rows=300, random_state=seed) for seed in range(40)]
values = np.array([answer.a_to_b for answer in answers])
errors = np.array([answer.a_to_b_se for answer in answers])
scatter = values.std(ddof=1)
print(f"scatter of 40 answers: {scatter:.4f}")
print(f"their printed errors:  {errors.mean():.4f} on average")
print(f"their mean:            {values.mean():.4f} ± {scatter / 40**0.5:.4f}")
print(f"all rows:              {full.a_to_b:.4f}")

figure, ax = plt.subplots(figsize=(5.6, 3.6), layout="constrained")
ax.errorbar(range(40), values, errors, label="300 random rows", **bars)
ax.axhline(full.a_to_b, color="black", label="all rows")
ax.set(xlabel="sample", ylabel="Δ(A → B), bars: standard error", ylim=(0.1, 0.36))
ax.legend(ncols=2, loc="upper left")
inside = np.mean(np.abs(values - full.a_to_b) <= errors)
print(f"{inside:.0%} of the bars reach the value of all rows (68 % are expected)")

# sphinx_gallery_thumbnail_number = 2
