"""
Does a chain tell its solvent what to do, or the solvent the chain?
===================================================================

A chain of nine beads in a solvent is compact or extended. Its extension and the number of solvent points that touch it
go together. Which one tells about the other later? Local dynamics gives runs, and the runs are asked by two measures
that look for information: the Imbalance Gain and the transfer entropy. Both look at what happened by itself. An
experiment can do more: hold the chain short or long and watch the solvent; hold the solvent at a bead, or away from it,
and watch the chain. The page shows what came out, and does not run it: it takes some minutes on one core.
"""

# %%
# Runs
# ----
# Sixteen runs, half of them from each basin: twenty steps of Newton's equations, then new velocities, and so on. Local
# moves do not leave their basin, which is why the sampler needs others ({doc}`/rooms/sampling`); here that is welcome.

import time

import numpy as np
from matplotlib import pyplot as plt

from infoscope.causality import interventional_effect, scan_lags, transfer_entropy
from infoscope.sampling import local_moves, start_chains
from infoscope.sampling.systems import DistanceVariables, PolymerInSolvent

began = time.process_time()
polymer = PolymerInSolvent(n_jobs=1)
N_BEADS, N_SOLVENT, N_RUNS, N_ROWS = 9, 200, 16, 2500
REACH = 1.5  # of a contact


def contacts(x):
    """Solvent points that touch a bead: a smooth count of bead-solvent pairs within 1.5."""
    points = x.reshape(len(x), -1, 3)
    way = points[:, :N_BEADS, None] - points[:, None, N_BEADS:]
    way -= polymer.box * np.rint(way / polymer.box)
    return (1 / (1 + ((way**2).sum(-1) / REACH**2) ** 6)).sum((1, 2))


def extension(x):
    return polymer.variables.values(x)[:, 0]


starts = np.concatenate([polymer.starts(N_RUNS // 2, basin=b, random_state=b) for b in (0, 1)])
state, generators = start_chains(polymer, starts), np.random.default_rng(0).spawn(N_RUNS)
rows, copies, accepted = [], [], []
for row in range(N_ROWS):
    moved = local_moves(polymer, state, 1, generators=generators, step_size=0.015, kind="hmc", n_leapfrog=20)
    state = moved.state
    rows.append((extension(state.x), contacts(state.x)))
    accepted.append(moved.acceptance.mean())
    if row % 125 == 0:
        copies.append(state.x)
lengths, counts = (list(column) for column in np.array(rows).transpose(1, 2, 0))
print(f"accepted {np.mean(accepted):.2f}; a row is {20 * 0.015:.2f} units of time")
for b, basin in enumerate(("compact", "extended")):
    mine = slice(b * N_RUNS // 2, (b + 1) * N_RUNS // 2)
    d, c = np.concatenate(lengths[mine]), np.concatenate(counts[mine])
    print(f"{basin}: extension {d.mean():.2f}, contacts {c.mean():.1f}, correlation {np.corrcoef(d, c)[0, 1]:.2f}")

# %%
# Who tells about whom?
# ---------------------

LAGS = [1, 2, 4, 8, 16, 32]
gains = scan_lags(lengths, counts, LAGS, n_samples=2000, n_permutations=39, random_state=0, n_jobs=1)
print(gains)
flows = transfer_entropy(
    lengths, counts, LAGS, n_samples=2000, n_permutations=39, se=True, random_state=0, n_jobs=1
)
print(flows)

# %%
# Experiments
# -----------
# The same configurations in equilibrium, twice. First the chain: a spring pulls its ends to 3.5 in one copy, to 5.75 in
# the other, and holds them there while the rest moves; the contacts are counted.

HELD = dict(n_steps=20, step=0.015, masses=1.0, schedule="linear")
N_LAGS = 32
equilibrium = np.concatenate(copies[2:])[:256]


def watch(x, variables, goal, what, seed, kappa):
    """Pull variables to a value in 100 steps, hold them, and look at a quantity after every twenty steps."""
    rng, z = np.random.default_rng(seed), variables.values(x)
    goal = np.broadcast_to(goal, z.shape)
    push = dict(kappa=kappa, momenta=rng.normal(size=x.shape))
    x, _ = polymer.drag(variables, x, z, goal - z, **push, **HELD | {"n_steps": 100})
    seen = []
    for _ in range(N_LAGS):
        still = dict(kappa=kappa, momenta=rng.normal(size=x.shape))
        x, _ = polymer.drag(variables, x, goal, np.zeros_like(z), **still, **HELD)
        seen.append(what(x))
    return np.array(seen).T, variables.values(x)


def effect(variables, goals, what, source, target, kappa):
    samples, held = zip(*(watch(equilibrium, variables, g, what, seed, kappa) for seed, g in enumerate(goals)), strict=True)
    means = ", ".join(f"{one.mean():.2f} in {two[:, -8:].mean():.2f}" for one, two in zip(held, samples, strict=True))
    print(f"do({source}) held at (mean), {target} then: {means}")
    shown = [0, 1, 3, 7, 15, 31]
    return interventional_effect(
        *(one[:, shown] for one in samples), lags=LAGS, source=source, target=target, values=goals, random_state=0
    ), samples


ends = polymer.variables
on_solvent, contact_laws = effect(ends, (3.5, 5.75), contacts, "extension", "contacts", 200.0)
print(on_solvent)

# %%
# Then the solvent. Its points are alike, so they are numbered anew in every configuration: the twelve nearest to the
# chain's two ends come first. They are held at 1.1 from their end, or pushed away to 2.2, and the chain is watched.

N_HELD = 6  # at each end


def nearest_first(x):
    """The same configurations, with the solvent points that are nearest to either end in the first places."""
    out = x.copy()
    for i, points in enumerate(x.reshape(len(x), -1, 3)):
        solvent, order = points[N_BEADS:], []
        for end in (points[0], points[N_BEADS - 1]):
            way = solvent - end
            way -= polymer.box * np.rint(way / polymer.box)
            order += [s for s in np.argsort((way**2).sum(1)) if s not in order][:N_HELD]
        rest = [s for s in range(N_SOLVENT) if s not in order]
        out[i] = np.concatenate([points[:N_BEADS], solvent[order + rest]]).ravel()
    return out


equilibrium = nearest_first(equilibrium)
pairs = [(0, N_BEADS + s) for s in range(N_HELD)] + [(N_BEADS - 1, N_BEADS + N_HELD + s) for s in range(N_HELD)]
shell = DistanceVariables(pairs, n_dim=3, box=polymer.box)
on_chain, chain_laws = effect(shell, (1.1, 2.2), extension, "solvent at the ends", "extension", 100.0)
print(on_chain)
print(f"{time.process_time() - began:.0f} s of processor time")

# %%
# The pictures
# ------------

figure, axes = plt.subplots(1, 3, figsize=(12, 3.8), layout="constrained")
lag = np.array(LAGS) * 20 * 0.015
for ax, found, label in ((axes[0], gains, "Imbalance Gain"), (axes[1], flows, "transfer entropy (nats)")):
    for there, se, name in (
        (found.forward, found.forward_se, "extension to contacts"),
        (found.backward, found.backward_se, "contacts to extension"),
    ):
        ax.errorbar(lag, there, se, marker="o", ms=3, label=name)
    ax.set(xscale="log", xlabel="lag (units of time)", ylabel=label)
    ax.axhline(0, color="0.7", lw=0.8)
axes[0].legend(frameon=False)
for found, name in ((on_solvent, "contacts, chain held"), (on_chain, "extension, solvent held")):
    axes[2].errorbar(lag, found.effect, found.effect_se, marker="o", ms=3, label=name)
    axes[2].plot(lag, found.null_high, ":", color=axes[2].lines[-1].get_color(), lw=1)
axes[2].set(xscale="log", yscale="log", xlabel="time after the intervention", ylabel="divergence of the laws (nats)")
axes[2].legend(frameon=False)
figure.savefig("polymer_causes.png", dpi=100)
