"""
Which columns drifted, and is it noise?
=======================================

Two tables of the same columns: last month and this one, training data and new data, one laboratory and another. The
usual answers are a number per column (the population stability index, PSI) that is judged by a rule of thumb, or a
classifier. Here are the same questions with errors and p-values, beside the answers of scikit-learn.

The data come with scikit-learn; nothing is downloaded.
"""

# %%
# Two samples of one law, and the rule of thumb
# ---------------------------------------------
# 569 tumours were measured, 30 numbers each. Cut them at random into 120 and 449: nothing differs but chance. The rule
# of thumb says that a PSI below 0.1 is no drift, and one above 0.25 a large one.

import warnings

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_selection import mutual_info_classif
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import cross_val_predict

from infoscope.base import DataWarning
from infoscope.datasets import load_breast_cancer, load_wine
from infoscope.measures import drift_table, information_value, stability_index

warnings.simplefilter("ignore", DataWarning)  # notes tell of empty bins
cells, diagnosis = load_breast_cancer()
order = np.random.default_rng(0).permutation(len(cells))
few, many = cells.iloc[order[:120]], cells.iloc[order[120:]]
nothing = drift_table(few, many, random_state=0, exclusion_window=0)
values = np.array([one.value for one in nothing.features])
print(nothing.verdict)
print(f"{(values > 0.1).sum()} of 30 columns are above 0.1")

# %%
# Nearly half of the columns are above the first threshold, and none of them drifted: ten bins of 120 rows are that
# far apart by chance. The law of the index where nothing changed depends on the rows and the bins alone, and the table
# shows what 95 % of such values stay below.

nothing.plot()

# %%
# What the rule of thumb does with the number of rows: the share of columns above 0.1 in random halves of growing size,
# and the share with a p-value below 0.05, as it should be.

sizes, above, alarms = (20, 40, 80, 160, 280), [], []
for n in sizes:
    found = []
    for seed in range(3):
        rows = np.random.default_rng(seed).permutation(len(cells))
        first, second = cells.iloc[rows[:n]], cells.iloc[rows[n : 2 * n]]
        table = stability_index(first, second, n_permutations=99, random_state=seed)
        found += table.features
    above.append(np.mean([one.value > 0.1 for one in found]))
    alarms.append(np.mean([one.p_value <= 0.05 for one in found]))
figure, ax = plt.subplots(figsize=(5.6, 3.6), layout="constrained")
ax.plot(sizes, above, "o-", color="#D55E00", label="PSI above 0.1")
ax.plot(sizes, alarms, "s-", color="#0072B2", label="p-value at most 0.05")
ax.axhline(0.05, color="0.45", ls=":")
ax.set(xlabel="rows of each sample", ylabel="share of columns where nothing changed")
ax.set_ylim(0, 1)
_ = ax.legend()

# %%
# A drift that is there
# ---------------------
# The wines of two vines, as if one were last year's and the other this year's harvest. All 13 columns are asked one by
# one, and then together, along many directions.

wine, cultivar = load_wine()
names = np.unique(cultivar)
first, second = (wine[cultivar == name] for name in names[:2])
changed = drift_table(first, second, random_state=0, exclusion_window=0)
print(changed)

# %%
# The joint test names the direction of the largest difference: all columns in standard deviations of the first sample.

changed.plot(kind="direction")

# %%
# What happened to one column: shares of the bins, and the weight of evidence of each with its error.

changed.plot(kind="shares", feature="proline")

# %%
# What scikit-learn answers
# -------------------------
# A classifier that tries to tell the samples apart says *whether* they differ: the area under its curve is 0.5 where
# they do not. It has no p-value unless it is trained hundreds of times, and its importances divide what several
# columns know among them. ``mutual_info_classif`` says how much a column tells of the sample, without an error, and
# differently at each call without a seed.

both = pd.concat([first, second])
label = np.r_[np.zeros(len(first)), np.ones(len(second))]
forest = RandomForestClassifier(100, random_state=0)
guess = cross_val_predict(forest, both, label, cv=5, method="predict_proba")[:, 1]
print(f"area under the curve: {roc_auc_score(label, guess):.3f}")
columns = ["corrected", "corrected_se", "p_adjusted"]
table = changed.to_frame().set_index("feature")[columns]
shared = mutual_info_classif(both, label, random_state=0)
table["mutual_info_classif"] = pd.Series(shared, wine.columns)
table["forest"] = pd.Series(forest.fit(both, label).feature_importances_, wine.columns)
print(table.round(3).to_string())

# %%
# All agree on the first columns. Where they differ, the error says whether that means anything.
#
# The information value
# ---------------------
# For two classes the same number is called information value: which measurement tells a malignant tumour from a benign
# one? (Folklore calls everything above 0.5 "suspicious"; here it is the rule.)

options = dict(n_bins=5, random_state=0, exclusion_window=0)
ranked = information_value(cells, diagnosis, **options)
print(ranked.verdict)
ranked.plot()
