"""
Can a network learn to keep neighbourhoods?
===========================================

Two coordinates for 64 pixels: a map on which images that lie near each other *are* alike. Principal components
choose the plane of largest variance, which nobody asked for. Here a small network is trained on the question itself:
its loss is the Differentiable Information Imbalance from the map to the pixels, computed from ranks.

The data are the handwritten digits of scikit-learn; the network needs PyTorch, ``pip install "infoscope[torch]"``.
"""

# %%
# The data, and rows that the network never sees
# ----------------------------------------------
# The labels are used for the colours of the picture only.

from importlib.util import find_spec

import numpy as np

if find_spec("torch") is None:
    raise SystemExit('This example needs PyTorch: pip install "infoscope[torch]"')

import torch

from infoscope import DIILoss, information_imbalance
from infoscope.datasets import load_digits

images, digit = load_digits()
pixels = torch.tensor(np.asarray(images) / 16, dtype=torch.float32)
digit = np.asarray(digit)
random = np.random.default_rng(0)
order = random.permutation(len(pixels))
train, held_out = order[:1200], order[1200:]
print(f"{len(train)} images to learn from, {len(held_out)} held out")

# %%
# The loss
# --------
# ``DIILoss(target)`` knows the target; ``loss(embedding, rows)`` is the loss of some of its rows. Each image spreads a
# weight over its neighbours *on the map*, as if it had ``perplexity`` of them, and pays for their ranks *in the
# pixels*. 0 means that all of them are its nearest images, 1 that they are random. No distances of the two spaces are
# compared, so units do not matter, and the map may stretch as it likes.

loss = DIILoss(pixels, bandwidth="perplexity", perplexity=15)

torch.manual_seed(0)
network = torch.nn.Sequential(
    torch.nn.Linear(64, 128), torch.nn.Tanh(), torch.nn.Linear(128, 64), torch.nn.Tanh(), torch.nn.Linear(64, 2)
)


def map_of(rows):
    with torch.no_grad():
        return network(pixels[rows]).numpy()


# %%
# Training
# --------
# An ordinary loop. Ranks are made for each batch, exactly.

before = map_of(held_out)
epochs, batches = 40, 4
optimiser = torch.optim.Adam(network.parameters(), 3e-3, weight_decay=1e-4)
slower = torch.optim.lr_scheduler.CosineAnnealingLR(optimiser, epochs * batches)
history = []
for _ in range(epochs):
    for rows in np.array_split(random.permutation(train), batches):
        optimiser.zero_grad()
        value = loss(network(pixels[rows]), rows)
        value.backward()
        optimiser.step()
        slower.step()
        history.append(value.item())
print(f"loss of the first batch {history[0]:.3f}, of the last {history[-1]:.3f}")

# %%
# On images that the network has never seen
# -----------------------------------------
# Both directions, with five neighbours: does the map tell which images are alike, and do alike images lie near each
# other on the map?

from sklearn.decomposition import PCA

maps = {
    "principal components": PCA(2).fit(pixels[train]).transform(pixels[held_out]),
    "network, untrained": before,
    "network, trained": map_of(held_out),
}
seen = pixels[held_out].numpy()
found = {}
print(f"{'':22} {'map to pixels':>15} {'pixels to map':>15}")
for name, coordinates in maps.items():
    result = information_imbalance(coordinates, seen, k=5, exclusion_window=0)
    found[name] = result
    print(f"{name:22} {result.a_to_b:7.3f} ± {result.a_to_b_se:.3f} {result.b_to_a:7.3f} ± {result.b_to_a_se:.3f}")

# %%
# The network was asked for the first column, and gets what no plane of the pixels can give: a map is allowed to bend.
# That alike images are also near on the map (second column) was not asked for, and is not lost: a plane is good at it
# by nature, since a projection never moves two images apart.

import matplotlib.pyplot as plt

figure, axes = plt.subplots(1, 3, figsize=(11, 4), layout="constrained")
for axis, (name, coordinates) in zip(axes, maps.items(), strict=True):
    colours = axis.scatter(*coordinates.T, c=digit[held_out], s=8, cmap="tab10", vmin=-0.5, vmax=9.5)
    axis.set(title=f"{name}\nmap to pixels: {found[name].a_to_b:.3f}", xticks=[], yticks=[])
figure.colorbar(colours, ax=axes, label="digit", ticks=range(10))
plt.show()

# %%
# Other targets are other questions: ``DIILoss(Space.from_labels(digit))`` for a map that keeps the digits apart,
# ``DIILoss(teacher_features)`` to give a small network the neighbourhoods of a large one, and
# :func:`infoscope.imbalance.dii_loss` with :func:`infoscope.imbalance.batch_ranks` where the target changes with the
# batch, as with augmented images.
