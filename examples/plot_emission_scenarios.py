"""
When does the choice of emissions show?
=======================================

Two runs of one climate model share their past until 1999; then one follows the scenario A1B, in which emissions grow,
the other E1, in which they are cut. From when on, and where in North America, are their annual temperatures different?
One run each, a hundred years, and years that resemble their neighbours: this is a question about how honest a test can
be, as much as about the climate.

The fields (240 years, 37 x 49 cells) come with the package *iris-sample-data*
(``pip install --no-deps iris-sample-data``); they are read with *xarray* and *netCDF4*, of the extra ``files``.
"""

# %%
# The fields
# ----------
# Temperatures become anomalies of each cell: differences from its mean over 1970 to 1999, in units of its own standard
# deviation from year to year. Every third cell in both directions is used, because neighbouring ones say nearly the
# same.

import warnings
from importlib.util import find_spec
from pathlib import Path

import numpy as np
from matplotlib import pyplot as plt
from matplotlib.colors import PowerNorm

package = find_spec("iris_sample_data")
if package is None or find_spec("xarray") is None or find_spec("netCDF4") is None:
    raise SystemExit("This example needs the packages iris-sample-data (pip install --no-deps), xarray and netCDF4")

import xarray

from infoscope.anomalies import DensityAnomaly
from infoscope.base import CorrelatedRowsWarning

folder = Path(package.submodule_search_locations[0], "sample_data")
fields, EVERY = {}, 3
for name in ("A1B", "E1"):
    with xarray.open_dataset(folder / f"{name}_north_america.nc") as file:
        air = file["air_temperature"][:, ::EVERY, ::EVERY].load()
    fields[name] = air.values.astype(float)
year = np.array([time.year for time in air["time"].values])
latitude, longitude = air["latitude"].values, air["longitude"].values - 360
apart = np.abs(fields["A1B"] - fields["E1"]).max(axis=(1, 2))
print(f"{len(year)} years, {latitude.size} x {longitude.size} cells; the first year that differs: {year[apart > 0][0]}")

century = slice(*np.searchsorted(year, (1900, 2000)))
past, t = fields["A1B"][century], np.arange(100)
bend = np.polynomial.polynomial.polyfit(t, past.reshape(100, -1), 2)
wiggle = past - np.polynomial.polynomial.polyval(t, bend).T.reshape(past.shape)
spread = wiggle.std(axis=0)
for lag in (1, 2, 3, 5):
    r = (wiggle[lag:] * wiggle[:-lag]).mean(0) / wiggle.var(0)
    print(f"correlation of a cell with itself {lag} years later: {r.mean():.2f} on average, {np.quantile(r, 0.9):.2f} "
          "in one cell of ten")  # fmt: skip

# %%
# Points, and what is permuted
# ----------------------------
# A point is one cell in one year: where it is (in units of 5 degrees of latitude) and how warm it was. Neighbours of a
# point are cells nearby, in any year of the window, that were as warm. If the scenario made no difference, a neighbour
# would come from either run by a coin flip, and many more A1B neighbours mean that so much warmth, there, is A1B's.
#
# The coins are not independent. All cells of a year belong together, and years resemble the next ones. So labels are
# not shuffled point by point: blocks of five years, with all their cells, exchange their labels (two to three times as
# long as anything above correlates), and what is reported is the largest score anywhere against the largest scores of
# such exchanges. A window of thirty years has six blocks a run and 924 arrangements; a single decade would have two
# blocks, six arrangements, and could prove nothing. Whatever both runs share, the warming of a cell as a straight line
# through the thirty years of both, is taken out first, which is the same for both and gives nothing away.

BLOCK, YEARS, SCALE = 5, 30, 5.0
UP, ACROSS = np.meshgrid(latitude, longitude * 1.0, indexing="ij")


def points(first, first_years, second, second_years):
    """Two samples of (cell, year) points without their common line, and the block of every point."""
    one, two = (fields[name][np.isin(year, ys)] / spread for name, ys in ((first, first_years), (second, second_years)))
    both, t = (one + two) / 2, np.arange(len(one))[:, None, None] - (len(one) - 1) / 2
    line = both.mean(axis=0) + t * (t * both).sum(axis=0) / (t * t).sum()
    place = [np.broadcast_to(at, one.shape) for at in (ACROSS * np.cos(np.deg2rad(UP)) / SCALE, UP / SCALE)]
    block = np.repeat(np.arange(len(one)) // BLOCK, UP.size)
    return *(np.stack([*place, part - line], axis=-1).reshape(-1, 3) for part in (one, two)), block


def compare(x, y, block, permutations=399):
    """E1 (or what takes its place) as the reference; blocks of years exchange their labels."""
    model = DensityAnomaly(200, n_permutations=permutations, equalise=False, random_state=0)
    return model.fit(x, y, groups_reference=block, groups_test=block).result_


def naive(x, y):
    """How many points would be flagged if every point were a coin of its own."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", CorrelatedRowsWarning)  # it is right
        found = DensityAnomaly(200, equalise=False).fit(x, y).result_
    return found.over.n_flagged + found.under.n_flagged


# %%
# Where nothing differs
# ---------------------
# First the test of the test: alternate five-year blocks of the past, which differ by nothing but the weather. Points as
# coins of their own "find" hundreds of differences; blocks find none.

for start in (1860, 1900, 1940):
    ys = np.arange(start, start + 2 * YEARS).reshape(-1, BLOCK)
    x, y, block = points("A1B", ys[0::2].ravel(), "A1B", ys[1::2].ravel())
    found = compare(x, y, block)
    print(f"{start} to {start + 2 * YEARS - 1}, odd against even blocks: p = {found.global_p_value:.3f}; "
          f"point by point {naive(x, y)} of {2 * len(x)} would be flagged")  # fmt: skip

# %%
# Decade by decade
# ----------------
# A window of thirty years, moved by a decade. Eight p-values need a correction (Holm's, which holds for overlapping
# windows as well).

from infoscope.statistics import adjust_p_values

starts, results = range(2000, 2080, 10), []
for start in starts:
    ys = np.arange(start, start + YEARS)
    results.append(compare(*points("E1", ys, "A1B", ys)))
p = np.array([found.global_p_value for found in results])
corrected = adjust_p_values(p, "holm")
print("\nyears          p      corrected   A1B warmer      E1 cooler (points flagged)")
for start, found, one, all_ in zip(starts, results, p, corrected, strict=True):
    print(f"{start}-{start + YEARS - 1}    {one:.4f}   {all_:.3f}     {found.over.n_flagged:>6}         "
          f"{found.under.n_flagged:>6}")  # fmt: skip

# %%
# Where
# -----
# The share of A1B's years in which a cell was flagged: warmer than E1 is there. A flagged point scores higher than the
# *largest* scores of all but 5 % of the exchanges, so that the chance of any false one is 5 % in a window; a white cell
# is not known to differ, which does not say that it does not.

shown = [i for i in range(len(p)) if corrected[i] <= 0.05]
shown = [shown[0], shown[len(shown) // 2], shown[-1]] if len(shown) > 2 else [0, 3, 7]
figure, axes = plt.subplots(1, 4, figsize=(13, 3.6), layout="constrained", width_ratios=(1.1, 1, 1, 1))
first = axes[0]
first.plot(starts, p, "o-", color="#B2182B", label="one window")
first.plot(starts, corrected, "s--", color="0.5", ms=4, label="corrected for eight")
first.axhline(0.05, color="black", lw=0.8)
first.set(yscale="log", xlabel="first of thirty years", ylabel="p-value, blocks of five years", ylim=(2e-3, 1.1))
first.legend(frameon=False, fontsize=8)
for ax, i in zip(axes[1:], shown, strict=True):
    flagged = results[i].over.flagged[results[i].n_reference :].reshape(YEARS, *UP.shape).mean(axis=0)
    image = ax.pcolormesh(longitude, latitude, flagged, cmap="Reds", norm=PowerNorm(0.5, 0, 1), shading="nearest")
    ax.set(title=f"{starts[i]}-{starts[i] + YEARS - 1}", xlabel="longitude / degrees east")
axes[1].set_ylabel("latitude / degrees north")
figure.colorbar(image, ax=axes[1:], label="share of A1B's years flagged")
plt.show()

# %%
# What this can tell, and what not
# --------------------------------
# The window from 2010 to 2039 is the first that differs; the two runs are hardly told apart while they share most of
# their warming. What was tested is whether these two *runs* differ by more than blocks of five years of the same run
# do. Slower wiggles of the model, of decades, would look like a scenario: one run each cannot tell them from it, an
# ensemble could. And the straight line that both runs share was taken out of every window: where they differ in it
# alone, warming faster or slower, the difference of thirty years is what is seen, not that of a year.
