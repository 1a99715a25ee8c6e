"""
What does each layer of a network know?
=======================================

A small network learns to read handwritten digits. How many nats does each of its layers hold about the digit, of the
2.3 there are to know? And which layer has the digits as neighbours? The first question is answered by mutual
information, the second by the Information Imbalance.
"""

# %%
# A network, and its layers on digits that it never saw
# -----------------------------------------------------
# Layers are looked at on the half of the digits that was not used for training: on the others a layer may know the
# digit because it remembers the picture.

import numpy as np
from matplotlib import pyplot as plt
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split
from sklearn.neural_network import MLPClassifier

from infoscope import Space, information_imbalance, mutual_information

pixels, digit = load_digits(return_X_y=True)
seen, new, digit_seen, digit_new = train_test_split(pixels / 16, digit, test_size=0.5, random_state=0, stratify=digit)
network = MLPClassifier((32, 16, 8), "tanh", max_iter=2000, random_state=0)
network.fit(seen, digit_seen)
print(f"{network.score(new, digit_new):.1%} of {len(new)} new digits are read rightly")

layers = {"pixels": new}
values = new
for number, (weights, offset) in enumerate(zip(network.coefs_[:-1], network.intercepts_[:-1], strict=True), 1):
    values = np.tanh(values @ weights + offset)
    layers[f"layer {number}"] = values

# %%
# Nats about the digit, and neighbours
# ------------------------------------
# Neighbours answer both questions. Mutual information counts how crowded the surroundings of a digit are with others:
# a number of nats, at most the entropy of the digits. The imbalance asks where the neighbours of a layer stand in the
# order of another description, the digit or the pixels: 0 if those who are near here are nearest there, 1 if it says
# nothing.

entropy = np.log(10)
labels = Space.from_labels(digit_new, name="digit")
nats, to_digit, to_pixels = {}, {}, {}
for name, layer in layers.items():
    layer = layer[:, layer.std(axis=0) > 0]  # the margins of the pictures are white
    nats[name] = mutual_information(layer, labels, marginals=None, exclusion_window=0)
    to_digit[name] = information_imbalance(layer, labels, exclusion_window=0)
    if name != "pixels":
        to_pixels[name] = information_imbalance(layer, new, exclusion_window=0)

print(f"{'':>8} {'columns':>8} {'nats':>13} {'to the digit':>16} {'to the pixels':>16}")
for name, layer in layers.items():
    line = f"{name:>8} {layer.shape[1]:8d}   {nats[name].value:.2f} ± {nats[name].value_se:.2f}"
    for imbalance in (to_digit[name], to_pixels.get(name)):
        if imbalance is not None:
            line += f"    {imbalance.a_to_b:.3f} ± {imbalance.a_to_b_se:.3f}"
    print(line)

# %%
# What the network does
# ---------------------
# A layer is a function of the one before and cannot know more, and none does: nats fall and imbalances rise from layer
# to layer, on digits that were not used for training. What training bought is not in these numbers: eight columns hold
# nearly all that 64 pixels said about the digit, while the picture itself is being forgotten. Ten digits of equal
# shares have many ties, so the imbalance to the digit cannot be below 0.1 (dotted).

fig, (left, right) = plt.subplots(1, 2, figsize=(8, 3.4), layout="constrained")
places = np.arange(len(layers))
left.errorbar(
    places,
    [found.value for found in nats.values()],
    [2 * found.value_se for found in nats.values()],
    fmt="o-",
    capsize=3,
)
left.axhline(entropy, color="grey", linestyle=":", label="all there is to know")
left.set(ylabel="information about the digit (nats)", ylim=(1.9, 2.35))
left.legend(frameon=False, loc="lower left")
for found, label in ((to_digit, "to the digit"), (to_pixels, "to the pixels")):
    right.errorbar(
        [list(layers).index(name) for name in found],
        [imbalance.a_to_b for imbalance in found.values()],
        [2 * imbalance.a_to_b_se for imbalance in found.values()],
        fmt="o-",
        capsize=3,
        label=label,
    )
right.axhline(0.1, color="grey", linestyle=":")
right.set(ylabel="information imbalance", ylim=(0, None))
right.legend(frameon=False)
for ax in (left, right):
    ax.set_xticks(places, layers)
plt.show()
