"""
My rows are a trajectory
========================

Frames of a simulation, hours of a weather station, samples of a Markov chain: rows that follow each other in time are
not independent. The frame most like mine in A is often simply the next frame, and the next frame is near in B as well,
whatever A and B have to do with each other. The naive number then says "time passes slowly", and it looks like
information.

This example simulates a case whose answer is known, and shows what goes wrong and what to do.
"""

# %%
# Two descriptions that share nothing
# -----------------------------------
# Eight independent slow processes, three runs of 3000 frames. Four of the processes make A, four make B, so the
# truth is exactly 1 in both directions: A says nothing about B.

import warnings

import numpy as np
from matplotlib import pyplot as plt

from infoscope import Space, information_imbalance
from infoscope.datasets import ar1, double_well, double_well_sample

runs = ar1(3000, n_columns=8, phi=0.97, n_runs=3, random_state=0)
a_runs, b_runs = [run[:, :4] for run in runs], [run[:, 4:] for run in runs]

with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    first = information_imbalance(np.concatenate(a_runs), np.concatenate(b_runs))
print(first)

# %%
# The number is wrong by far more than its error bar. Since nothing was said about time, the library only warns, and
# changes nothing. The warning is raised, kept in ``result.warnings``, and repeated in the verdict:

for message in caught:
    print(f"{message.category.__name__}: {message.message}")

# %%
# Say when, and in which run
# --------------------------
# A list of arrays is a list of runs. With ``time`` given, ``exclusion_window="auto"`` is the default: the
# correlation time of the slowest column of A and B is estimated, and frames of the same run within two
# correlation times are neither neighbours nor counted in the order.

times = [np.arange(len(run), dtype=float) for run in runs]
A, B = Space(a_runs, time=times, name="A"), Space(b_runs, time=times, name="B")
window = information_imbalance(A, B)
print(window)
print(f"correlation time {window.correlation_time:.0f} frames")
print(f"window           {window.exclusion_window:.0f} frames")
print(f"{window.n_items} frames, about {window.n_independent:.0f} independent ones")

# %%
# The value is 1 within its error, and the error is larger: it now comes from blocks of consecutive frames,
# because 9000 frames hold only some hundred independent ones.
#
# Or leave out the own run altogether: ``neighbors_from="other_runs"``. That needs no estimate of a correlation
# time. If the runs never mixed, the two answers differ, and that in itself is worth knowing.

other = information_imbalance(A, B, neighbors_from="other_runs")
print(other)

# %%
# Where do the neighbours come from?
# ----------------------------------
# Without a window, four neighbours in ten sit within 40 frames, where chance (the black line) would put one in a
# hundred. Those are the ones that make the value low (lower panel).

no_window = information_imbalance(A, B, exclusion_window=0)
no_window.plot(kind="lags", unit="frames")

# %%
# With the window they come from everywhere in proportion to chance, and say nothing at any lag.

window.plot(kind="lags", unit="frames")

# %%
# Do the runs agree?
# ------------------
# Each run has its own value: three experiments for the price of one. If they disagree by much more than their
# errors, the runs did not see the same world, and no formula for the error can know that.

window.plot(kind="runs")

# %%
# Saving more frames makes it worse
# ---------------------------------
# The same three runs, with every frame kept, every second, every fourth, and so on. The naive value depends on
# how often frames were saved, which has nothing to do with A and B. The corrected one does not.

strides = [1, 2, 4, 8, 16]
naive, corrected = [], []
for stride in strides:
    kept = [time[::stride] for time in times]
    a = Space([run[::stride] for run in a_runs], time=kept, name="A")
    b = Space([run[::stride] for run in b_runs], time=kept, name="B")
    naive.append(information_imbalance(a, b, exclusion_window=0))
    corrected.append(information_imbalance(a, b))

figure, ax = plt.subplots(figsize=(5.6, 3.8), layout="constrained")
for results, label, style in (
    (naive, "no window", {"fmt": "s-", "color": "#D55E00"}),
    (corrected, "window: auto", {"fmt": "o-", "color": "#0072B2"}),
):
    values = [result.a_to_b for result in results]
    errors = [result.a_to_b_se for result in results]
    ax.errorbar(strides, values, errors, capsize=3, label=label, **style)
ax.axhline(1, color="0.4", linestyle=":", label="truth: A says nothing about B")
ax.set(xscale="log", xticks=strides, xticklabels=[f"1 of {s}" for s in strides])
ax.set(ylim=(0, 1.2), xlabel="frames saved", ylabel="Δ(A → B)")
ax.minorticks_off()
ax.legend(loc="lower right")

# %%
# When there is something to find
# -------------------------------
# Does the window also remove what is real? A particle hops between two wells along x, and four other coordinates
# follow it. Here independent draws of the same system are available: they are the truth that the trajectory
# should give.

frames = double_well(4000, coupling=1.0, n_followers=4, stride=20, n_runs=3, random_state=1)
times = [0.1 * np.arange(len(run)) for run in frames]
x = Space([run[:, :1] for run in frames], time=times, name="x")
followers = Space([run[:, 1:] for run in frames], time=times, name="followers")
truth = double_well_sample(12000, coupling=1.0, n_followers=4, random_state=2)
answers = {
    "window: auto": information_imbalance(x, followers),
    "other runs": information_imbalance(x, followers, neighbors_from="other_runs"),
    "independent draws": information_imbalance(truth[:, :1], truth[:, 1:]),
}
print(f"{'':18} {'Δ(x → followers)':>16} {'Δ(followers → x)':>16}")
for name, result in answers.items():
    forth = f"{result.a_to_b:.3f} ± {result.a_to_b_se:.3f}"
    back = f"{result.b_to_a:.3f} ± {result.b_to_a_se:.3f}"
    print(f"{name:18} {forth:>16} {back:>16}")

# %%
# It does not. What remains is to have enough data: on runs shorter than about 20 correlation times the estimate
# of that time is itself poor, and the verdict says "not reliable". Here are the first 300 frames of each run:

with warnings.catch_warnings(record=True) as caught:
    warnings.simplefilter("always")
    short = information_imbalance(
        Space([run[:300] for run in a_runs], time=[np.arange(300.0)] * 3, name="A"),
        Space([run[:300] for run in b_runs], time=[np.arange(300.0)] * 3, name="B"),
    )
print(short.verdict)
for message in caught:
    print(f"{message.category.__name__}: {message.message}")

# sphinx_gallery_thumbnail_number = 4
