"""
Does a chain tell its solvent what to do, or the solvent the chain?
===================================================================

A chain of nine beads swims in a solvent of points. Its two ends come together and part, and solvent points lie between
them or do not. Which of the two tells about the other later? Local dynamics gives runs, and runs are asked by two
measures of information, the Imbalance Gain and the transfer entropy. Both see what happens by itself. An experiment
sees more: hold the ends together or apart, and watch the solvent between them; or hold the solvent, and watch the
ends. The page shows what came out, and does not run it: it takes minutes on one core.
"""

# %%
# Runs
# ----
# The double well of the ends is made shallow, so that local dynamics passes it: steps of Newton's equations, with new
# velocities after every ten. A row is forty steps, 0.4 units of time.

import numpy as np
from matplotlib import pyplot as plt

from infoscope.causality import interventional_effect, scan_lags, transfer_entropy
from infoscope.sampling import local_moves, start_chains
from infoscope.sampling.systems import PolymerInSolvent

polymer = PolymerInSolvent(k=0.5, n_jobs=1)
N_BEADS, N_RUNS, N_ROWS, ROW, STEP = 9, 16, 1200, 40, 0.01
LAGS = [1, 2, 4, 8, 16, 24]


def between(x):
    """Solvent points within 1.3 of the middle between the ends, counted smoothly."""
    points = x.reshape(len(x), -1, 3)
    away = points[:, N_BEADS:] - (points[:, :1] + points[:, N_BEADS - 1 : N_BEADS]) / 2
    away -= polymer.box * np.rint(away / polymer.box)
    return (1 / (1 + ((away**2).sum(-1) / 1.3**2) ** 6)).sum(1)


def extension(x):
    return polymer.variables.values(x)[:, 0]


starts = np.concatenate([polymer.starts(N_RUNS // 2, basin=b, random_state=b) for b in (0, 1)])
state, generators = start_chains(polymer, starts), np.random.default_rng(0).spawn(N_RUNS)
dynamics = dict(generators=generators, step_size=STEP, kind="hmc", n_leapfrog=10)
rows, copies, accepted = [], [], []
for row in range(-100, N_ROWS):  # the first hundred forget where the runs began
    moved = local_moves(polymer, state, ROW // 10, **dynamics)
    state = moved.state
    accepted.append(moved.acceptance.mean())
    if row >= 0:
        rows.append((extension(state.x), between(state.x)))
    if row >= 0 and row % 100 == 0:
        copies.append(state.x)
lengths, counts = (list(column) for column in np.array(rows).transpose(1, 2, 0))
equilibrium = np.concatenate(copies)
d, c = np.concatenate(lengths), np.concatenate(counts)
print(f"{N_RUNS} runs of {N_ROWS} rows; {np.mean(accepted):.3f} of the moves accepted")
print(f"extension {d.mean():.2f} (spread {d.std():.2f}), solvent between {c.mean():.2f} ({c.std():.2f})")
print(f"correlation {np.corrcoef(d, c)[0, 1]:.2f}")

# %%
# Who tells about whom?
# ---------------------

asked = dict(n_samples=2000, n_permutations=39, random_state=0, n_jobs=1)
gains = scan_lags(lengths, counts, LAGS, **asked)
flows = transfer_entropy(lengths, counts, LAGS, **asked)
for name, found in (("Imbalance Gain", gains), ("transfer entropy", flows)):
    print(f"{name}: extension to solvent, and solvent to extension")
    for at, lag in enumerate(LAGS):
        there = f"{found.forward[at]:.3f} ± {found.forward_se[at]:.3f} (p = {found.forward_p[at]:.3f})"
        back = f"{found.backward[at]:.3f} ± {found.backward_se[at]:.3f} (p = {found.backward_p[at]:.3f})"
        print(f"  {lag:2d} rows later  {there}  {back}")
    print(found.verdict)

# %%
# An experiment
# -------------
# Configurations in equilibrium, each twice: a spring pulls the ends to 3.5 in one copy and to 5.75 in the other, and
# holds them there while all else moves.


def hold_ends(goal, seed, kappa=200.0):
    """Pull the ends to a distance in 100 steps, hold them, and count the solvent between them after every row."""
    variables, rng, x = polymer.variables, np.random.default_rng(seed), equilibrium
    z, held = variables.values(x), dict(kappa=kappa, step=STEP, masses=1.0, schedule="linear")
    x, _ = polymer.drag(variables, x, z, goal - z, rng.standard_normal(x.shape), n_steps=100, **held)
    seen, still = [], np.zeros_like(z)
    for _ in range(max(LAGS)):
        for _ in range(ROW // 10):
            momenta = rng.standard_normal(x.shape)
            x, _ = polymer.drag(variables, x, still + goal, still, momenta, n_steps=10, **held)
        seen.append(between(x))
    return np.array(seen).T


def follow(watch, goals, source, target):
    """What copies held at two values show later, and how far the laws of the two are apart."""
    watched = [watch(goal, seed) for seed, goal in enumerate(goals)]
    for goal, seen in zip(goals, watched, strict=True):
        error = seen[:, -1].std() / np.sqrt(len(seen))
        print(f"do({source} = {goal}): {target} {seen[:, -1].mean():.2f} ± {error:.2f} at the end")
    shown = [lag - 1 for lag in LAGS]
    effect = interventional_effect(
        *(seen[:, shown] for seen in watched), lags=LAGS, source=source, target=target, values=goals, random_state=0
    )
    for lag, size, se, p in zip(LAGS, effect.effect, effect.effect_se, effect.p_values, strict=True):
        print(f"  {lag:2d} rows later  divergence {size:.2f} ± {se:.2f} nats (p = {p:.3f})")
    return effect


on_solvent = follow(hold_ends, (3.5, 5.75), "extension", "solvent between")

# %%
# The experiment the other way round
# ----------------------------------
# Solvent is held between the ends, few points in one copy and many in the other, and the ends are watched. A spring of
# the count would pull at the ends as well, so half of it is left out: the solvent follows the ends and feels the
# spring, the ends feel their own forces alone. The equation of the chain stays what it is, that of the solvent is
# replaced.


def solvent_pull(x, goal, kappa):
    """The force of kappa (count - goal)^2 / 2 on the points of the solvent, and none on the beads."""
    points = x.reshape(len(x), -1, 3)
    away = points[:, N_BEADS:] - (points[:, :1] + points[:, N_BEADS - 1 : N_BEADS]) / 2
    away -= polymer.box * np.rint(away / polymer.box)
    square = (away**2).sum(-1) / 1.3**2
    count = (1 / (1 + square**6)).sum(1)
    slope = -12 * square**5 / (1 + square**6) ** 2 / 1.3**2  # of the count, times `away`
    force = np.zeros_like(points)
    force[:, N_BEADS:] = (-kappa * (count - goal))[:, None, None] * slope[..., None] * away
    return force.reshape(x.shape)


def hold_solvent(goal, seed, kappa=20.0):
    """Push solvent between the ends or away in 100 steps, hold it, and measure the ends after every row."""
    rng, x, seen = np.random.default_rng(seed), equilibrium.copy(), []
    before = between(x)
    force = solvent_pull(x, before, kappa) - polymer.energy_and_gradient(x)[1]
    for step in range(100 + max(LAGS) * ROW):
        if step % 10 == 0:
            momenta = rng.standard_normal(x.shape)
        momenta += STEP / 2 * force
        x = x + STEP * momenta
        wanted = before + (goal - before) * min((step + 1) / 100, 1.0)
        force = solvent_pull(x, wanted, kappa) - polymer.energy_and_gradient(x)[1]
        momenta += STEP / 2 * force
        if step >= 100 and (step - 99) % ROW == 0:
            seen.append(extension(x))
    print(f"held at {goal}: solvent between {between(x).mean():.2f} (spread {between(x).std():.2f})")
    return np.array(seen).T


on_ends = follow(hold_solvent, (2.5, 5.5), "solvent between", "extension")

# %%
# The pictures
# ------------

figure, axes = plt.subplots(1, 3, figsize=(12.5, 3.8), layout="constrained")
lag = np.array(LAGS) * ROW * STEP
for ax, found, label in ((axes[0], gains, "Imbalance Gain"), (axes[1], flows, "transfer entropy (nats)")):
    for there, se, name in (
        (found.forward, found.forward_se, "extension to solvent between"),
        (found.backward, found.backward_se, "solvent between to extension"),
    ):
        ax.errorbar(lag, there, se, marker="o", ms=3, label=name)
    ax.set(xscale="log", xlabel="lag (units of time)", ylabel=label)
    ax.axhline(0, color="0.7", lw=0.8, zorder=0)
axes[0].set_ylim(top=0.045)
axes[0].legend(frameon=False, fontsize=8)
for at, (effect, name) in enumerate(
    ((on_solvent, "of the solvent, ends held"), (on_ends, "of the ends, solvent held"))
):
    axes[2].errorbar(lag, effect.effect, effect.effect_se, color=f"C{at}", marker="o", ms=3, label=name)
    axes[2].plot(lag, effect.null_high, ":", color=f"C{at}", lw=1, label="95 % of exchanged copies")
top = 1.6 * float(np.max(on_solvent.effect + on_solvent.effect_se))  # the legend stands above the curves
axes[2].set(xscale="log", xlabel="time after the intervention", ylabel="divergence (nats)", ylim=(0, top))
axes[2].legend(frameon=False, fontsize=8, loc="upper right")
figure.savefig("polymer_causes.png", dpi=100)

# %%
# What came out
# -------------
# .. code-block:: text
#
#    16 runs of 1200 rows; 0.945 of the moves accepted
#    extension 4.16 (spread 0.86), solvent between 3.97 (1.18)
#    correlation -0.01
#    Imbalance Gain: extension to solvent, and solvent to extension
#       1 rows later  0.013 ± 0.008 (p = 0.025)  0.023 ± 0.012 (p = 0.200)
#       2 rows later  0.010 ± 0.007 (p = 0.075)  0.016 ± 0.012 (p = 0.025)
#       4 rows later  0.007 ± 0.008 (p = 0.225)  0.000 ± 0.013 (p = 0.925)
#       8 rows later  0.022 ± 0.009 (p = 0.450)  0.010 ± 0.011 (p = 0.500)
#      16 rows later  0.017 ± 0.010 (p = 0.225)  0.013 ± 0.012 (p = 0.250)
#      24 rows later  0.009 ± 0.010 (p = 0.675)  0.008 ± 0.016 (p = 0.400)
#    Neither source nor target is seen to tell about the other's future at these lags.
#    transfer entropy: extension to solvent, and solvent to extension
#       1 rows later  0.009 ± 0.017 (p = 0.150)  -0.001 ± 0.008 (p = 0.375)
#       2 rows later  0.008 ± 0.012 (p = 0.175)  -0.012 ± 0.007 (p = 0.900)
#       4 rows later  -0.011 ± 0.013 (p = 0.800)  0.003 ± 0.008 (p = 0.375)
#       8 rows later  0.000 ± 0.009 (p = 0.450)  0.015 ± 0.012 (p = 0.150)
#      16 rows later  -0.002 ± 0.013 (p = 0.500)  -0.010 ± 0.010 (p = 0.800)
#      24 rows later  -0.003 ± 0.013 (p = 0.500)  0.008 ± 0.010 (p = 0.200)
#    No transfer of information is seen between source and target at these lags.
#    do(extension = 3.5): solvent between 3.90 ± 0.09 at the end
#    do(extension = 5.75): solvent between 3.75 ± 0.08 at the end
#       1 rows later  divergence 0.08 ± 0.05 nats (p = 0.025)
#       2 rows later  divergence 0.11 ± 0.05 nats (p = 0.005)
#       4 rows later  divergence 0.12 ± 0.05 nats (p = 0.005)
#       8 rows later  divergence 0.07 ± 0.04 nats (p = 0.020)
#      16 rows later  divergence 0.14 ± 0.06 nats (p = 0.005)
#      24 rows later  divergence 0.05 ± 0.06 nats (p = 0.105)
#    held at 2.5: solvent between 2.59 (spread 0.24)
#    held at 5.5: solvent between 5.39 (spread 0.25)
#    do(solvent between = 2.5): extension 4.18 ± 0.06 at the end
#    do(solvent between = 5.5): extension 4.22 ± 0.06 at the end
#       1 rows later  divergence 0.00 ± 0.01 nats (p = 0.975)
#       2 rows later  divergence 0.00 ± 0.01 nats (p = 0.980)
#       4 rows later  divergence 0.01 ± 0.01 nats (p = 0.970)
#       8 rows later  divergence 0.00 ± 0.01 nats (p = 0.985)
#      16 rows later  divergence 0.02 ± 0.02 nats (p = 0.195)
#      24 rows later  divergence 0.02 ± 0.02 nats (p = 0.320)
#
# .. image:: polymer_causes.png
#    :alt: Gains and transfer entropies near zero; the solvent differs by 0.1 nats where ends are held, the ends do not
#
# Left to itself neither says anything: the extension and the number of points between the ends are hardly correlated,
# and neither measure sees that one tells about the other beyond itself, at lags from 0.4 to 10 units of time. Two
# gains in twelve, one each way, have the smallest p-value that 39 shifted series can give, 0.025; of 24 tests chance
# makes two such ones or more once in eight times.
#
# The experiments see what the runs do not. With the ends held apart there are fewer points between them, and the laws
# differ by 0.1 nats at five of six lags (p = 0.03 and less), because the ends stay where fluctuations take them only
# for a moment. With few or many points held between the ends, 2.6 or 5.4 where 4.0 ± 1.2 are usual, the ends do what
# they do anyway: no divergence above 0.02 nats, all p-values above 0.19. So the chain moves its solvent, a little, and
# the solvent between the ends does not move the chain, as far as 192 copies tell. That no information was seen in the
# runs says how little of what happens by itself that is, not that there is no cause.
