"""
Wide and deep networks look alike by chance
===========================================

Two networks that were never trained look at items that have nothing to do with each other. What do their layers have in
common? Nothing. Yet a similarity of layers says more the wider they are, and the best pair of layers says more the more
layers there are to choose from. Beside shuffled items both are gone.
"""

# %%
# Networks that share nothing
# ---------------------------
# ``simulated_layers(kind="random")`` makes layers of random weights, each network with items of its own: the answer is
# known to be 0. First, single layers of growing width, 100 items, twenty pairs of networks each.

import numpy as np
from matplotlib import pyplot as plt

from infoscope import compare_layers
from infoscope.datasets import simulated_layers

WIDTHS, N_ITEMS, N_PAIRS = (16, 32, 64, 128, 256, 512, 1024), 100, 20
options = dict(measures=("cka", "cka_debiased"), n_permutations=99)


def compare(widths, seed):
    layers = simulated_layers(N_ITEMS, "random", widths_a=widths, widths_b=widths, random_state=seed)
    return compare_layers(layers.a, layers.b, random_state=seed, **options)


SEEDS = range(N_PAIRS)
by_width = {width: [compare((width,), seed) for seed in SEEDS] for width in WIDTHS}
print("width  raw CKA  calibrated  debiased")
for width, found in by_width.items():
    raw = np.mean([one.table("cka")[0, 0] for one in found])
    calibrated = np.mean([one.table("cka", "calibrated")[0, 0] for one in found])
    debiased = np.mean([one.table("cka_debiased")[0, 0] for one in found])
    print(f"{width:5d}  {raw:7.2f}  {calibrated:10.3f}  {debiased:+8.3f}")

# %%
# The raw value grows with the width, nearly as that of plain noise does, D/(D + N), the width over width plus items:
# 0.85 at a width of 1024. What shuffled items reach rises alike, so the calibrated value stays where it belongs. The
# debiased value is 0 on average by itself.
#
# The best of many layers
# -----------------------
# Now networks of growing depth, 32 wide. All layers of one stand beside all of the other, and the best pair is looked
# at, as one does who asks "which layer is most alike?". Even a measure that is 0 on average has a largest value.

DEPTHS = (1, 2, 4, 8, 16, 24)
by_depth = {depth: [compare((32,) * depth, seed) for seed in SEEDS] for depth in DEPTHS}
print("layers  best debiased CKA  calibrated  some pair has p < 0.05  the best has")
for depth, found in by_depth.items():
    best = np.mean([one.table("cka_debiased").max() for one in found])
    calibrated = np.mean([one.best_calibrated[1] for one in found])
    pairs = np.mean([one.table("cka_debiased", "p_values").min() <= 0.05 for one in found])
    judged = np.mean([one.best_p[1] <= 0.05 for one in found])
    print(f"{depth:6d}  {best:17.3f}  {calibrated:10.3f}  {pairs:22.0%}  {judged:12.0%}")

# %%
# With 24 layers there are 576 pairs, and some pair looks significant by itself far more often than once in twenty.
# Judged beside *the best pair of every shuffle*, the best pair is no more than chance gives.

fig, (left, right) = plt.subplots(1, 2, figsize=(8, 3.4), layout="constrained")


def draw(ax, at, values, label):
    values = np.array(values)
    ax.errorbar(at, values.mean(1), values.std(1), marker="o", capsize=3, label=label)


of_width, of_depth = by_width.values(), by_depth.values()
raw = [[one.table("cka")[0, 0] for one in found] for found in of_width]
draw(left, WIDTHS, raw, "raw CKA")
calibrated = [[one.table("cka", "calibrated")[0, 0] for one in found] for found in of_width]
draw(left, WIDTHS, calibrated, "calibrated")
width = np.array(WIDTHS)
left.plot(width, width / (width + N_ITEMS), color="grey", linestyle=":", label="noise: D/(D + N)")
left.set(xscale="log", xlabel="width of the layers", ylabel="similarity of one pair", ylim=(-0.05, 1))
left.set_xticks(WIDTHS, WIDTHS)
left.minorticks_off()
best = [[one.table("cka_debiased").max() for one in found] for found in of_depth]
draw(right, DEPTHS, best, "debiased CKA")
draw(right, DEPTHS, [[one.best_calibrated[1] for one in found] for found in of_depth], "calibrated")
right.set(xlabel="layers of each network", ylabel="similarity of the best pair")
right.set_xticks(DEPTHS, DEPTHS)
for ax in (left, right):
    ax.axhline(0, color="grey", linewidth=0.8)
    ax.legend(frameon=False)
plt.show()
