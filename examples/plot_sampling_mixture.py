"""
Two modes in twenty dimensions
==============================

A law has two modes, a quarter and three quarters of it, far apart in four coordinates and less far in the other
sixteen.  A chain of local moves hardly ever leaves the mode in which it began, so eight chains in each mode say "half
and half".  The sampler proposes values of the four coordinates, drags the others along, and finds the weights.
"""

import matplotlib.pyplot as plt
import numpy as np

from infoscope.sampling import FlowCVSampler, SubsetVariables, free_energy_profile, local_moves, start_chains
from infoscope.sampling.systems import GaussianMixtureSystem

system = GaussianMixtureSystem.separated(20, n_variables=4, weights=(0.25, 0.75), random_state=0)
starts = np.concatenate([system.starts(8, basin=b, random_state=b) for b in (0, 1)])
variables = SubsetVariables([0, 1, 2, 3], n_coordinates=20)

# %%
# The proposal is a mixture that is learnt in the run, from chains that are half in each mode.  What is printed in the
# end are samples of production, in which nothing is learnt any more.

sampler = FlowCVSampler(system, variables, proposal="gaussian_mixture", n_local=5, random_state=0)
found = sampler.fit(starts, n_adapt=60, n_iter=500).result_
print(found)

# %%
# Local moves alone, of the same chains and as long: none changes its mode.

rngs = np.random.default_rng(1).spawn(len(starts))
alone = local_moves(system, start_chains(system, starts), 10_000, generators=rngs, step_size=0.05).state.x
print((system.component_of(alone) != system.component_of(starts)).sum(), "of 16 chains changed their mode")

# %%
# How the chains jump, how the populations settle, the works of both directions, and the free energy along the first
# variable beside the exact one.

figure, axes = plt.subplots(2, 2, figsize=(11, 8), layout="constrained")
found.plot(axes[0, 0], kind="traces")
found.plot(axes[0, 1], kind="convergence")
found.plot(axes[1, 0], kind="works")


def exact(z):
    """The marginal of the first variable."""
    weights, means, covariances = system.variables_law()
    widths = np.sqrt(covariances[:, 0, 0])
    density = weights / widths * np.exp(-0.5 * ((z[:, None] - means[:, 0]) / widths) ** 2)
    return -np.log(density.sum(1))


free_energy_profile(found, 30).plot(axes[1, 1], exact=exact)
plt.show()
