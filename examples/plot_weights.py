"""
Biased sampling: rows that do not count the same
================================================

Umbrella sampling, metadynamics, importance sampling, surveys: some items were seen more often than they should, and
each carries a weight that puts this right. ``sample_weight`` carries it through: into the average, into the order of
the items, and into the choice among neighbours.

Here the unbiased answer is known, so we can see what happens when weights are left out, and when they are used
halfway.
"""

# %%
# An answer that is known
# -----------------------
# Three independent Gaussian coordinates x, y, z. A sees x and y, B sees all three. For many independent rows
# Δ(A → B) is exactly 1/3: A knows two of the three coordinates of B.

import numpy as np
from matplotlib import pyplot as plt

from infoscope import Space, effective_sample_size, information_imbalance
from infoscope.datasets import gaussian_columns, gaussian_limit

truth = gaussian_limit(shared=2, private=1)
print(f"truth: {truth:.4f}")
A, B = gaussian_columns(3000, shared=2, private_b=1, random_state=0)
print(information_imbalance(A, B, k=10))

# %%
# Now a simulation that was pushed along z, a coordinate that A does not see: z is twice as wide as it should be.
# The weight of a row is the ratio of the true density to the one that was sampled.

A, B = gaussian_columns(3000, shared=2, private_b=1, private_scale=2.0, random_state=1)
z = B[:, 2]
weight = np.exp(-(z**2) / 2 + z**2 / (2 * 2.0**2))
n_kish = effective_sample_size(weight)
print(f"{len(weight)} rows, worth {n_kish:.0f} by their weights (Kish's number)")

# %%
# Without and with weights
# ------------------------

ignored = information_imbalance(A, B, k=10)
print(ignored)

a = Space(A, sample_weight=weight, name="A")
b = Space(B, sample_weight=weight, name="B")
weighted = information_imbalance(a, b)
print(weighted)

# %%
# Ignoring the weights gives 0.63: A seems to know much less about B than it does. With weights the answer comes
# back to 1/3 within twice its error. The correction is good, not perfect: averaged over many such samples it
# gives 0.343. The default was k = 10 and ``neighbor_rule="mass"``: nearest first, until the neighbours hold the
# weight of 10 effective rows.
#
# How uneven are the weights? Heaviest first, 40 % of the rows carry 70 % of the weight:

weighted.plot(kind="weights")

# %%
# Why the choice among neighbours matters
# ---------------------------------------
# It is tempting to weight the average and the order, and to take the nearest row as it is
# (``neighbor_rule="count"`` with ``k=1``). That is worse than ignoring the weights. The nearest row in A does not
# know z, so it is mostly one that was over-sampled: a row with a large z and a small weight, far away in B. With
# one candidate there is no choice to correct. The library warns when k is below 5. The other two rules:
#
# - ``"count"`` with k = 10: among the ten nearest, each counts by its weight;
# - ``"thinning"``: the expected value when rows survive with a probability proportional to their weight, as if the
#   sample had been unbiased from the start. It allows k = 1, at the price of a longer search.

import warnings

answers = {"no weights, k = 10": ignored}
with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    for rule, k in (("count", 1), ("count", 10), ("mass", 10), ("thinning", 1)):
        answers[f"{rule}, k = {k}"] = information_imbalance(a, b, neighbor_rule=rule, k=k)
for message in caught:
    print(f"{message.category.__name__}: {message.message}")

figure, ax = plt.subplots(figsize=(5.6, 3.2), layout="constrained")
values = [result.a_to_b for result in answers.values()]
errors = [2 * result.a_to_b_se for result in answers.values()]
ax.errorbar(values, range(len(answers)), xerr=errors, fmt="o", capsize=3)
ax.axvline(truth, color="#D55E00", label="truth: 1/3")
ax.axvline(1, color="0.4", linestyle=":", label="says nothing")
ax.set(xlim=(0, 1.1), xlabel="Δ(A → B), bars: two standard errors")
ax.set_yticks(range(len(answers)), answers)
ax.invert_yaxis()
ax.legend(loc="center", bbox_to_anchor=(0.68, 0.42))

# %%
# The choice among neighbours matters where the weight depends on something that A does not see, as here. If the
# weight depends only on what both spaces see, all rules agree.
#
# Too few effective rows
# ----------------------
# If the weights leave fewer than ten effective rows, a handful of rows carries everything. That is an error, not a
# number with a large bar; ``on_low_weight="warn"`` gives the number all the same.

from infoscope.base import DataError

steep = np.exp(4 * z)
try:
    information_imbalance(Space(A, sample_weight=steep), Space(B, sample_weight=steep))
except DataError as error:
    print(f"DataError: {error}")

# sphinx_gallery_thumbnail_number = 2
