"""
A network's layers, as bits
===========================

A small network learns to read handwritten digits. Each of its three layers has 256 units; for every image a unit is on
or off, so a layer describes an image by 256 bits. How many independent bits is that, and where does the network throw
away what it does not need?
"""

# %%
# Layers as bits
# --------------
# A unit is on where its input is positive: the rule "sign". The images themselves become bits at the median of each
# pixel.

import numpy as np
from matplotlib import pyplot as plt
from sklearn.neural_network import MLPClassifier

from infoscope import BinaryCurve, BinaryID, scan_alpha
from infoscope.datasets import load_digits
from infoscope.dimension import binarization_report

digits, labels = load_digits()
pixels, labels = np.asarray(digits, float) / 16, np.asarray(labels)
network = MLPClassifier((256, 256, 256), max_iter=60, random_state=0)
network.fit(pixels, labels)


def inputs_of_units(network, x):
    """What every unit of every hidden layer receives, layer by layer."""
    found = []
    for weights, biases in zip(network.coefs_[:-1], network.intercepts_[:-1], strict=True):
        found.append(x @ weights + biases)
        x = np.maximum(found[-1], 0)
    return found


layers = inputs_of_units(network, pixels)
untrained = MLPClassifier((256, 256, 256), max_iter=1, random_state=0)
untrained.partial_fit(pixels[:10], labels[:10], classes=np.arange(10))
before = inputs_of_units(untrained, pixels)

# %%
# Layer by layer
# --------------
# The 1797 images are compared in every layer, in the nearest tenth of pairs, which are mostly images of one digit.


def curve_of(layers):
    fits = [BinaryID(alpha_max=0.1, binarize="sign").fit(x).result_ for x in layers]
    return BinaryCurve.of([1, 2, 3], fits, against="layer")


trained, random = curve_of(layers), curve_of(before)
print(trained)

ax = trained.plot(quantity="d0", label="trained")
random.plot(ax, quantity="d0", label="at its first step", color="#D55E00")
ax.set_xticks([1, 2, 3])
ax.legend(frameon=False)
plt.show()

# %%
# A layer of 256 bits holds what some tens of independent ones would. Of random weights every layer keeps as much as the
# first. Training leaves the first layer as it is, and narrows the second and third by a third, many times the error:
# that is where the network stops telling apart what it need not.
#
# Does the rule matter?
# ---------------------
# Thresholds at zero are natural for these units. For the pixels nothing is natural: three rules, how much the number
# moves with their thresholds, and how well the law fits (a misfit of 1 is noise; above 10 the number is a summary, and
# no more).

report = binarization_report(pixels, ("median", "two_bit", 0.5), alpha_max=0.1)
print(report)
report.plot()
plt.show()

# %%
# Does the window matter?
# -----------------------
# Ten digits are ten groups: near pairs are of one digit, far pairs of two, and one law need not describe both. The
# misfit says up to which window it does: less than a tenth of the pairs in the first layer, four tenths in the third.

figure, axes = plt.subplots(1, 2, figsize=(10.5, 3.4), layout="constrained")
for ax, layer in zip(axes, (0, 2), strict=True):
    scan_alpha(layers[layer], np.arange(0.02, 0.5, 0.04), binarize="sign").plot(ax)
    ax.set_title(f"layer {layer + 1}")
plt.show()
