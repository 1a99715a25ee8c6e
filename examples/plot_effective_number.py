"""
How many different items is a sample worth?
===========================================

Ten thousand rows may hold ten thousand different things, or ten things a thousand
times. The effective number counts what is different, given how alike any two rows are.

One version of it grows with the number of rows and never arrives; another one does. The
result says which.
"""

# %%
# A law whose answer is known
# ---------------------------
# Normal data in eight dimensions, and a Gaussian kernel: two rows are alike when they
# are closer than its scale. For order 2 the exact answer is (1 + 4/σ²)⁴.

import warnings

import numpy as np

from infoscope import effective_number

sigma = 1.5
x = np.random.default_rng(0).normal(size=(1600, 8))
found = effective_number(x, kernel="gaussian", sigma=sigma)
print(found)
print(f"exact: {(1 + 4 / sigma**2) ** 4:.1f}")

# %%
# How does it change with the number of rows? Order 1, the usual choice, grows by a
# quarter whenever the rows are doubled: it tells how many rows there are as much as
# what they are. Order 2 is flat.

found.plot(kind="curve")

# %%
# Who asks for order 1 is told.

with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    first = effective_number(x, kernel="gaussian", sigma=sigma, order=1)
print(caught[0].message)
print(first.verdict)

# %%
# All orders come from one spectrum. Small ones count what is rare, large ones what is
# frequent; the diamond is the value from pairs, which has no bias from few rows.

found.plot(kind="orders")

# %%
# Handwritten digits
# ------------------
# 1797 small pictures of ten digits. How many different ones are there? That depends on
# what counts as alike. The file is a table of separate pictures, in no order that means
# anything: ``exclusion_window=0`` says so.

from infoscope.datasets import load_digits

pixels, digit = load_digits()
pixels, digit = np.asarray(pixels, float), np.asarray(digit)
options = dict(kernel="gaussian", sigma=15.0, exclusion_window=0)
whole = effective_number(pixels, **options)
print(whole)

# %%
# And inside each digit? Each group has about 180 pictures; order 2 may be compared
# between groups of different sizes, because it does not hang on the number of pictures.

found = [effective_number(pixels[digit == name], **options) for name in range(10)]
for name, one in enumerate(found):
    print(f"{name}: {one.value:5.1f} ± {one.value_se:.1f}")

# %%
# A picture of the ten numbers with their errors.

import matplotlib.pyplot as plt

values, errors = [one.value for one in found], [one.value_se for one in found]
fig, ax = plt.subplots(figsize=(5.6, 4), layout="constrained")
ax.errorbar(range(10), values, yerr=errors, fmt="o", capsize=3)
ax.axhline(whole.value, ls="--", color="0.45", label="all digits together")
ax.set(xticks=range(10), xlabel="digit", ylabel="effective number, order 2")
ax.legend()

# %%
# Eight times eight pixels, but how many directions? The numerical rank (order 0), the
# effective rank (order 1) and the participation ratio (order 2) of the covariance come
# from the same function.

options["kernel"] = "covariance"
del options["sigma"]
for order in (0, 1, 2):
    print(effective_number(pixels, order=order, **options))
