"""
Which description of a wine tells most?
=======================================

178 wines were analysed in a laboratory: 13 numbers each. The numbers fall into groups, so every wine is described in
several ways at once. Does one group tell what the others say? Which one knows the vine the wine was made from?

The data come with scikit-learn; nothing is downloaded.
"""

# %%
# Four descriptions of the same wines
# -----------------------------------
# The columns have different units (the alcohol is in per cent, the proline in mg/l), so each is divided by its
# standard deviation: ``scale="standard"``.

from infoscope import Space, compare_imbalances, imbalance_matrix, information_imbalance
from infoscope.datasets import load_wine

wine, cultivar = load_wine()
groups = {
    "everything": list(wine.columns),
    "basics": [*wine.columns[:5], "proline"],
    "phenols": list(wine.columns[5:9]),
    "colour": list(wine.columns[9:12]),
}
spaces = {}
for name, columns in groups.items():
    spaces[name] = Space(wine[columns], scale="standard", name=name)
    print(f"{name}: {', '.join(columns)}")

# %%
# One pair, and a warning
# -----------------------
# Is the wine that is most alike in its phenols also alike in its colour?

import warnings

with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    first = information_imbalance(spaces["phenols"], spaces["colour"])
for message in caught:
    print(f"{message.category.__name__}: {message.message}")

# %%
# The library noticed that neighbouring *rows* are alike, as the frames of a film are, and asks what the order of
# the rows means. It cannot know; we can. The file is sorted by cultivar: first all wines of one vine, then the
# next. The wines are separate bottles all the same, none is "too close in time" to be compared with another. That
# is what ``exclusion_window=0`` says, and then the warning is gone. (If the rows were a time series, the right
# answer would be to pass ``time``; see :ref:`sphx_glr_auto_examples_plot_correlated_trajectory.py`.)

result = information_imbalance(spaces["phenols"], spaces["colour"], exclusion_window=0)
print(result)

# %%
# Half way between 0 and 1 in both directions: phenols and colour share a part, and each has its own. With 178 wines
# the errors are large, and they are printed with every number.
#
# Behind the mean stands a distribution: where in the order of one space do the neighbours of the other come? A flat
# line at 1 would be chance.

result.plot(kind="ranks", bins=10)

# %%
# All pairs at once
# -----------------
# Row predicts column. The neighbours in each space are looked for once.

matrix = imbalance_matrix(spaces, exclusion_window=0)
print(matrix)

# %%
# Of course *everything* tells most: it contains the columns of the others. But it does not tell all: its nearest
# wines are a compromise between 13 columns. In the plane every pair is one point. Far to the left, A predicts B;
# on the diagonal, each tells as much as the other.

matrix.plot(kind="plane")

# %%
# A label as target
# -----------------
# The cultivar is a label: equal or not. A label has many ties, so no description can reach 0. The smallest
# attainable value, the floor, is the chance that two random wines have the same label; here it is 0.34. It is
# kept in the result and written into the heat map.

vine = Space.from_labels(cultivar, name="cultivar")
matrix = imbalance_matrix(spaces, {**spaces, "cultivar": vine}, exclusion_window=0)
matrix.plot()

# %%
# With the floor removed, 0 is the best attainable value and 1 is nothing. For a label the number has a simple
# meaning, and one can be turned into the other exactly: how often does the nearest wine come from the same vine?

n = len(vine)
print(f"{'':10}  {'Δ':>13}  floor  without floor  same vine")
columns = matrix.values[:, -1], matrix.values_se[:, -1], matrix.floors[:, -1]
for name, value, se, floor in zip(spaces, *columns, strict=True):
    without, same = (value - floor) / (1 - floor), 1 - (value - floor) * n / (n - 1)
    print(f"{name:10}  {value:.3f} ± {se:.3f}  {floor:.3f}  {without:13.3f}  {same:9.0%}")

# %%
# Is the difference real?
# -----------------------
# Colour seems to know the vine better than the phenols do. Both values come from the same bottles, so their
# errors are correlated, and comparing two error bars by eye is not a test. ``compare_imbalances`` gives the error
# of the difference itself.

difference = compare_imbalances(spaces["phenols"], spaces["colour"], vine, exclusion_window=0)
print(difference)
difference.plot()

# %%
# Units matter
# ------------
# What if we had not scaled the columns? Then proline, whose numbers are the largest, decides almost alone which
# wines are neighbours, and the description loses what it knew.

raw = Space(wine, name="raw columns")
print(wine.std().nlargest(3).round(1).to_string())
print(compare_imbalances(spaces["everything"], raw, vine, exclusion_window=0))

# sphinx_gallery_thumbnail_number = 2
