"""
Which two numbers follow a protein as it opens?
===============================================

Adenylate kinase opens and closes: two of its three domains, LID and NMP, fold over the CORE. People who study it
describe the motion by two angles, chosen by hand. Do these angles know where on its way the whole protein is? Would two
distances, chosen by a search, know as much?

The trajectories come from the package MDAnalysisTests (``pip install "infoscope[md]" MDAnalysisTests``): two by dynamic
importance sampling (DIMS), one by targeted molecular dynamics (TMD). All three are *driven* from the closed to the open
structure. How often a structure appears says how fast it was driven through, not how probable it is: no free energy can
be read from such paths, but which coordinates follow the motion can.
"""

# %%
# Three runs, three descriptions
# ------------------------------
# The frames are read with `infoscope.io.trajectory`, one run a file. The whole structure is compared by the RMSD of its
# 214 alpha carbons after superposing every pair of frames.

import warnings
from importlib.util import find_spec

import numpy as np
from matplotlib import pyplot as plt

from infoscope import Space, imbalance_matrix, information_imbalance
from infoscope.io import trajectory
from infoscope.neighbors import superposed_rmsd

if find_spec("MDAnalysis") is None or find_spec("MDAnalysisTests") is None:
    raise SystemExit('This example needs: pip install "infoscope[md]" MDAnalysisTests')

import MDAnalysis
from MDAnalysisTests.datafiles import DCD, DCD2, DCD_NAMD_GBIS, PSF, PSF_NAMD_GBIS

warnings.filterwarnings("ignore", module="MDAnalysis")
RUNS = ("DIMS 1", "DIMS 2", "TMD")


def carbons(every=1):
    systems = [
        MDAnalysis.Universe(PSF, DCD),
        MDAnalysis.Universe(PSF, DCD2),
        MDAnalysis.Universe(PSF_NAMD_GBIS, DCD_NAMD_GBIS),
    ]
    return [system.select_atoms("name CA")[::every] for system in systems]


positions = trajectory(carbons(), features="positions")
conformations = positions.values.reshape(len(positions), -1, 3)
rmsd = superposed_rmsd(conformations)
structure = Space.from_distances(rmsd, run=positions.run, name="structure")
print(f"{len(positions)} frames, up to {rmsd.max():.2f} nm apart")

# %%
# The angles are those between the centres of groups of residues: how far NMP and LID are bent away from the CORE.
# Any function of the atoms can be a feature.


def domain_angles(atoms):
    def centre(first, last):
        chosen = (atoms.resids >= first) & (atoms.resids <= last)
        return atoms.positions[chosen].mean(axis=0)

    def angle(a, b, c):
        u, v = a - b, c - b
        return np.arccos(u @ v / np.linalg.norm(u) / np.linalg.norm(v))

    hinge = centre(115, 125)
    return {
        "NMP-CORE": angle(centre(35, 55), centre(90, 100), hinge),
        "LID-CORE": angle(centre(179, 185), hinge, centre(125, 153)),
    }


table = trajectory(carbons(), features=domain_angles)
angles = table.to_space(name="two angles", time=None)
print(table.to_frame().groupby(table.run).agg(["min", "max"]).round(2))

# %%
# The naive answer, and the honest one
# ------------------------------------
# The neighbour of a frame is most often the frame before or after it, in every description: within one driven run,
# everything predicts everything. Neighbours from the *other* runs can only be found by what the protein looks like.

naive = information_imbalance(angles, structure, exclusion_window=0)
honest = information_imbalance(angles, structure, neighbors_from="other_runs")
print(f"all frames: {naive.a_to_b:.3f}    other runs: {honest.a_to_b:.3f}")

# %%
# The best of thousands of distances
# ----------------------------------
# Every third alpha carbon gives 2556 distances. The search takes the best one, then the best to stand beside it, and
# looks at the two DIMS runs only. The TMD run, made by another method, is the examiner: it has no say in the choice.

distances = trajectory(carbons(every=3), features="ca_distances")
dims = np.flatnonzero(distances.run < 2)
target = {"structure": structure.take(dims)}


def search(beside=()):
    """The imbalance of every distance, together with those already chosen, in the DIMS runs."""
    candidates = {
        name: Space(distances.values[dims][:, [*beside, c]], run=distances.run[dims])
        for c, name in enumerate(distances.names)
        if c not in beside
    }
    found = imbalance_matrix(candidates, target, neighbors_from="other_runs")
    values = dict(zip(candidates, np.ravel(found.values), strict=True))
    return values, distances.names.index(min(values, key=values.get))


single, first = search()
pairs, second = search(beside=(first,))
print(f"best distance:   {distances.names[first]}, {min(single.values()):.3f}")
print(f"the median one:  {np.median(list(single.values())):.3f}")
print(f"best beside it:  {distances.names[second]}, {min(pairs.values()):.3f}")

# %%
# The examination
# ---------------
# For each frame of a run, the neighbour is looked up in the other two runs. The column TMD is the one nothing was
# fitted to.

one = Space(distances.values[:, [first]], run=distances.run, name="best distance")
two = Space(distances.values[:, [first, second]], run=distances.run, name="two distances")
results = {s.name: information_imbalance(s, structure, neighbors_from="other_runs") for s in (angles, one, two)}
within = {s.name: information_imbalance(s, structure, exclusion_window=0).a_to_b for s in (angles, one, two)}
for name, result in results.items():
    by_run = ", ".join(f"{run} {ranks:.3f}" for run, ranks in zip(RUNS, result.run_values["a_to_b"], strict=True))
    print(f"{name:14} all frames {within[name]:.3f}, other runs {result.a_to_b:.3f} ({by_run})")

# %%
# The best single distance looked nearly as good as the two angles and fails: among 2556 candidates one follows two
# runs by luck, and in the third it means something else. Two distances pass, and tell more about the structure than
# the two angles do, in the run of the examiner too. What is chosen by search must be examined on data that had no part
# in it.
#
# The picture
# -----------
# Left: the three paths in the plane of the angles; colour is the RMSD to the first frame. Right: what each description
# knows about the structure; 0 is everything, 1 nothing.

figure, (left, right) = plt.subplots(1, 2, figsize=(9.5, 4), layout="constrained")
for number, marker in enumerate("o^s"):
    rows = table.run == number
    drawn = left.scatter(
        *np.degrees(table.values[rows].T), c=rmsd[0, rows], vmin=0, vmax=rmsd[0].max(), marker=marker, s=18
    )
    left.scatter([], [], c="0.4", marker=marker, s=18, label=RUNS[number])
figure.colorbar(drawn, ax=left, label="RMSD to the first frame (nm)")
left.set(xlabel="angle NMP-CORE (degrees)", ylabel="angle LID-CORE (degrees)")
left.legend()
place = np.arange(len(results))
right.bar(place - 0.2, list(within.values()), 0.4, color="0.75", label="naive: all frames")
right.bar(place + 0.2, [r.a_to_b for r in results.values()], 0.4, color="#0072B2", label="honest: other runs")
right.plot(place + 0.2, [r.run_values["a_to_b"][2] for r in results.values()], "k_", ms=22, label="TMD run alone")
right.set(xticks=place, xticklabels=list(results), ylabel="Δ(description → structure)")
right.legend(loc="upper right", fontsize="small")
right.set_ylim(0, 0.8)
plt.show()
