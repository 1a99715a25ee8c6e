"""
Which few measurements tell benign from malignant?
==================================================

569 breast tumours, 30 measurements each. A pathologist who could take only a few of them should take which? Four usual
answers of scikit-learn are put beside the one of this library: mutual information with the diagnosis, the LASSO, the
importances of a random forest, and recursive elimination (RFE). All get the same two thirds of the tumours, all give
five measurements, and all are judged on the other third in two ways that none of them was fitted to: by the
Information Imbalance, and by a classifier that asks the nearest neighbours.

The data come with scikit-learn; nothing is downloaded.
"""

# %%
# The tumours
# -----------

import numpy as np
from matplotlib import pyplot as plt
from sklearn.ensemble import RandomForestClassifier
from sklearn.feature_selection import RFE, mutual_info_classif
from sklearn.linear_model import LogisticRegression
from sklearn.neighbors import KNeighborsClassifier

from infoscope import DifferentiableImbalance, Space, dii_forward, information_imbalance
from infoscope.datasets import load_breast_cancer

table, diagnosis = load_breast_cancer()
shuffled = np.random.default_rng(0).permutation(len(table))
choosing, judging = np.sort(shuffled[:380]), np.sort(shuffled[380:])
train, test = table.iloc[choosing], table.iloc[judging]
classes = Space.from_labels(diagnosis[choosing], name="diagnosis")
SIZE, K = 5, 5

# %%
# All weights at once
# -------------------
# Neighbours by the weighted measurements should have the same diagnosis. The rows are patients in no order, which is
# what ``exclusion_window=0`` says. Fits to random halves show how far each weight can be trusted.

fit = DifferentiableImbalance(exclusion_window=0, n_resamples=20, random_state=0)
fit.fit(Space(train, name="tumours"), classes)
print(fit.result_)
fit.result_.plot(n_largest=15)

# %%
# Many of these measurements say nearly the same (radius, perimeter and area of one nucleus), so that one can stand for
# another, and the intervals of such weights are wide. The certificate says how close the fit is to a minimum: the
# largest slope by which a change of a squared weight could still lower the value.

print(f"largest slope {fit.kkt_violation_:.1e}; {fit.get_support().sum()} of {table.shape[1]} weights are positive")

# %%
# One by one
# ----------
# What does each further measurement bring?

path = dii_forward(Space(train, name="tumours"), classes, 6, n_best=3, exclusion_window=0)
print(path)
_, ax = plt.subplots(figsize=(8, 4), layout="constrained")
path.plot(ax)

# %%
# The others
# ----------
# All on standardised columns, none tuned beyond what gives five measurements.

mean, spread = train.mean(), train.std(ddof=0)
x = ((train - mean) / spread).to_numpy()
y = diagnosis[choosing]


def lasso(size):
    """The five columns that last longest when the penalty grows."""
    for strength in np.geomspace(0.005, 1, 40):
        model = LogisticRegression(C=strength, l1_ratio=1.0, solver="saga", max_iter=2000, tol=1e-3).fit(x, y)
        used = np.flatnonzero(model.coef_[0])
        if len(used) >= size:
            return used[np.argsort(-np.abs(model.coef_[0][used]))][:size]
    raise RuntimeError("no penalty leaves so many")


def largest(scores):
    return np.argsort(-scores, kind="stable")[:SIZE]


forest = RandomForestClassifier(300, random_state=0, n_jobs=2).fit(x, y)
eliminated = RFE(LogisticRegression(max_iter=1000), n_features_to_select=SIZE).fit(x, y)
ours = path.columns_of(SIZE)
weighted = path.standard_weights[path.sizes.tolist().index(SIZE)]
chosen = {
    "DII, weighted": (ours, weighted[ours]),
    "DII, equal weights": (ours, np.ones(SIZE)),
    "mutual information": (largest(mutual_info_classif(x, y, random_state=0)), np.ones(SIZE)),
    "LASSO": (lasso(SIZE), np.ones(SIZE)),
    "random forest": (largest(forest.feature_importances_), np.ones(SIZE)),
    "RFE": (np.flatnonzero(eliminated.support_), np.ones(SIZE)),
    "all 30": (np.arange(table.shape[1]), np.ones(table.shape[1])),
}

# %%
# Judged on tumours that nobody saw
# ---------------------------------
# The imbalance asks of every held-out tumour whether its neighbours among the held-out ones share its diagnosis; its
# floor is removed, so that 0 is perfect and 1 is chance. The classifier asks the neighbours among the other tumours.

z = ((test - mean) / spread).to_numpy()
truth = Space.from_labels(diagnosis[judging], name="diagnosis")
judged = {}
for name, (columns, weights) in chosen.items():
    found = information_imbalance(Space(z[:, columns] * weights, name=name), truth, k=K, exclusion_window=0)
    classifier = KNeighborsClassifier(K).fit(x[:, columns] * weights, y)
    right = classifier.score(z[:, columns] * weights, diagnosis[judging])
    floor = found.a_to_b_floor
    judged[name] = (found.a_to_b_normalized, found.a_to_b_se / (1 - floor), right)
    print(
        f"{name:<20} Δ {judged[name][0]:.3f} ± {judged[name][1]:.3f}   {right:.1%} right   "
        f"{', '.join(table.columns[columns][:SIZE]) if len(columns) == SIZE else ''}"
    )

# %%
# With 189 tumours, all differences are within the errors: five measurements do as well as thirty, and here no way to
# choose them is better than another. What the weights add is in the first two lines: the same five columns, once in the
# proportion that was found and once as they are. What sets the ways apart is the target: mutual information, LASSO,
# forest and RFE predict one label or number, while neighbourhoods may be those of anything, as in
# :ref:`sphx_glr_auto_examples_plot_selection_peptide.py`.

names = list(judged)
values, errors, right = (np.array([judged[name][i] for name in names]) for i in range(3))
figure, (left, middle) = plt.subplots(1, 2, figsize=(10, 3.8), sharey=True, layout="constrained")
colors = ["#D55E00" if name.startswith("DII") else "#999999" if name.startswith("all") else "#0072B2" for name in names]
left.barh(names, values, xerr=errors, color=colors, error_kw={"capsize": 3, "elinewidth": 1})
left.set(xlabel="Δ(five measurements → diagnosis): lower is better")
left.invert_yaxis()
share_se = np.sqrt(right * (1 - right) / len(judging))
middle.errorbar(right, names, xerr=share_se, fmt="none", ecolor="black", capsize=3, elinewidth=1)
middle.scatter(right, names, c=colors, s=50, zorder=3)
middle.set(xlabel=f"told right by {K} neighbours,\nshare of {len(judging)} tumours ± standard error")
plt.show()

# sphinx_gallery_thumbnail_number = 3
