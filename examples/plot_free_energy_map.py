"""
A free-energy map, with barriers and their errors
=================================================

Alanine dipeptide has two torsions that matter, phi and psi. Its free energy over them is the first map of every course
on molecular simulation, usually drawn as a histogram. Here the density is estimated at each frame instead: no bins,
an error at every frame, states that stand out of the error, and the barriers between them in kJ/mol.
"""

# %%
# A biased simulation
# -------------------
# 24 ns of well-tempered metadynamics at 300 K, a frame every 5 ps. A bias potential made the molecule cross barriers it
# would hardly ever cross by itself, so the frames are not distributed as in nature. Two ways lead back. Statistical
# weights, exp(bias/kT), are what histograms need. But near one frame the bias is nearly constant: the log density of
# the frames as they are, plus the bias in units of kT, is that without bias, and no frame loses its say.

import numpy as np
import pandas as pd
from matplotlib import pyplot as plt
from scipy.interpolate import RegularGridInterpolator

from infoscope import BMTI, DensityPeaks, KStarNN, PAk, Space
from infoscope.datasets import load_alanine_dipeptide
from infoscope.statistics.units import energy_unit

KT = energy_unit(300, "kJ/mol")
frames = load_alanine_dipeptide("300K metadynamics")
angles = frames.torsions[["ALA2 phi", "ALA2 psi"]].set_axis(["phi", "psi"], axis=1)
torsions = Space(angles, period=2 * np.pi, time=frames.time, name="phi, psi")
bias = frames.bias / KT
density = PAk(dimension=2).fit(torsions, bias=bias)
print(density.result_.with_units("kJ/mol"))

# %%
# States and barriers
# -------------------
# A state is a peak of the density that is higher than its saddles by three times the errors of both. Nobody says how
# many there are. The five are known to chemists: the right-handed helix (0), the polyproline helix (1), the extended
# chain (2), the left-handed helix (3) and a ring closed by a hydrogen bond (4).

states = DensityPeaks(Z=3).fit(density).result_.with_units("kJ/mol")
print(states)
saddles = states.to_frame("saddles")
shown = ["a", "b", "barrier_from_a", "barrier_from_a_se", "barrier_from_b"]
print(saddles[[*shown, "barrier_from_b_se"]].round(1).to_string(index=False))

# %%
# The map: every frame, coloured by its free energy; centres of the states are numbered, crosses mark the saddles
# below 30 kJ/mol.

energy, error = density.free_energy(300, "kJ/mol")


def map_of(ax, colour, label, **options):
    """Frames in the plane of the two torsions."""
    order = np.argsort(-energy)
    phi, psi = angles.to_numpy()[order].T
    dots = ax.scatter(phi, psi, c=colour[order], s=11, lw=0, **options)
    ax.set(xlabel="phi (radians)", ylabel="psi (radians)", aspect="equal")
    ax.set(xlim=(-np.pi, np.pi), ylim=(-np.pi, np.pi))
    ax.figure.colorbar(dots, ax=ax, label=label, shrink=0.8)


figure, ax = plt.subplots(figsize=(6.4, 5), layout="constrained")
map_of(ax, energy, "free energy (kJ/mol)", cmap="viridis", vmax=45)
low = saddles[KT * (density.log_density_.max() - saddles.saddle_log_density) < 30]
ax.plot(*angles.to_numpy()[low["item"]].T, "X", mfc="#D55E00", mec="white", ms=10)
for state, center in enumerate(states.centers):
    place = angles.to_numpy()[center]
    ax.plot(*place, "o", mfc="white", mec="black", ms=13)
    ax.annotate(str(state), place, ha="center", va="center")

# %%
# Who joins whom at which height:

states.plot(kind="dendrogram")

# %%
# Is it right?
# ------------
# Metadynamics has an answer of its own: minus 6/5 of the bias it deposited, on a grid. It is not the whole truth,
# because it is of the same run, but it is made of the hills and not of the frames. We compare where it is below 25
# kJ/mol, after the mean difference is taken out, with PAk, with histograms (bins of 10 degrees) and with other
# densities.

table = frames.free_energy
grid = np.append(table.index, np.pi)
hills = RegularGridInterpolator((grid, grid), np.pad(table.to_numpy(), ((0, 1), (0, 1)), mode="wrap"))(
    np.clip(angles.to_numpy(float), -np.pi, np.pi)
)
seen = hills < 25


def away(values):
    """Difference from the hills where these are low; its mean is nobody's fault."""
    difference = values - hills
    return difference - difference[seen].mean()


def binned(weights, bins=36):
    """Free energy of the bin each frame lies in."""
    edges = np.linspace(-np.pi, np.pi, bins + 1)
    bin_of = (np.digitize(angles[name], edges) - 1 for name in angles)
    place = [np.clip(bin_, 0, bins - 1) for bin_ in bin_of]
    share = np.zeros((bins, bins))
    np.add.at(share, tuple(place), weights)
    with np.errstate(divide="ignore"):  # of empty bins, and no frame lies in one
        return -KT * np.log(share)[tuple(place)]


weighted = torsions.replace(sample_weight=frames.sample_weight)
found = {
    "histogram, weights": binned(frames.sample_weight),
    "histogram, bias": binned(np.ones(len(angles))) - frames.bias,
    "PAk, weights": PAk(dimension=2).fit(weighted),
    "PAk, bias": density,
    "k*-NN, bias": KStarNN(dimension=2).fit(torsions, bias=bias),
    "BMTI, bias": BMTI(dimension=2).fit(density, bias=bias),  # of the same graph
}
rows = {}
for name, one in found.items():
    values, errors = (one, None) if "histogram" in name else one.free_energy()
    difference = away(values)[seen]
    rows[name] = {"rms difference": np.sqrt(np.mean(difference**2))}
    if errors is not None:
        rows[name] |= {
            "factor": one.calibration_,
            "mean error": errors[seen].mean(),
            "spread of difference / error": np.std(difference / errors[seen]),
        }
print(f"{seen.sum()} frames with hills below 25 kJ/mol; kJ/mol")
print(pd.DataFrame(rows).T.round(2).to_string(na_rep=""))

# %%
# Weights do worse than the bias by more than a factor of five: within one neighbourhood the weights differ by orders
# of magnitude, and the few frames at its low edge decide its mass. (A histogram gains from the bias as well.) With the
# bias PAk agrees with the hills to half a kJ/mol. BMTI, which wins in six dimensions, has nothing to add in two.
#
# The errors hold: differences are as large as they say. Each density multiplied the error that follows from counting
# with a factor, which it found on a known density made to look like the data: 1.0 for PAk, which allows a slope in each
# neighbourhood, 1.8 for k*-NN, which does not. The hills had no part in this.
#
# Where do they differ, and is the difference as large as the error claims?

figure, (left, right) = plt.subplots(1, 2, figsize=(10, 4.2), layout="constrained", width_ratios=(1.25, 1))
difference = np.where(seen, away(energy), np.nan)
map_of(left, difference, "PAk - hills (kJ/mol)", cmap="coolwarm", vmin=-2, vmax=2)
pull = difference[seen] / error[seen]
right.hist(pull, bins=np.linspace(-4, 4, 41), density=True, color="#0072B2", alpha=0.7)
x = np.linspace(-4, 4, 200)
normal = np.exp(-(x**2) / 2) / np.sqrt(2 * np.pi)
right.plot(x, normal, color="black", label="normal law")
right.set(xlabel="(PAk - hills) / error of PAk", ylabel="density of frames")
right.legend(frameon=False)

# %%
# Does the run know it?
# ---------------------
# What both have in common, the frames of one run, no comparison of the two can show. Its halves can: a density of each
# half, asked at all frames. If the errors are right, the two differ by their combined errors.

half = frames.time < np.median(frames.time)
values, errors = [], []
for part in (half, ~half):
    rows = np.flatnonzero(part)
    fitted = PAk(dimension=2).fit(torsions.take(rows), bias=bias[rows])
    values.append(-KT * fitted.score_samples(torsions, bias=bias))
    errors.append(KT * np.median(fitted.log_density_se_))
difference = (values[0] - values[1])[seen]
difference -= difference.mean()
print(f"halves: rms difference {np.sqrt(np.mean(difference**2)):.2f} kJ/mol")
print(f"typical errors of the halves, combined: {np.hypot(*errors):.2f} kJ/mol")

# %%
# And depths and barriers, against the hills at the same pairs of frames:

deepest, *others = states.centers
names, lines = [], []
for state, item in enumerate(others, start=1):
    names.append(f"minimum of {state} above that of 0")
    se = np.hypot(error[item], error[deepest])
    lines.append((energy[item] - energy[deepest], se, hills[item] - hills[deepest]))
for a, b, item, barrier, se in saddles[["a", "b", "item", "barrier_from_a", "barrier_from_a_se"]].itertuples(
    index=False
):
    if hills[item] < 30:
        names.append(f"barrier from {a} to {b}")
        lines.append((barrier, se, hills[item] - hills[states.centers[a]]))
print(pd.DataFrame(lines, names, ["PAk", "error", "hills"]).round(1))
plt.show()
