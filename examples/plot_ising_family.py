"""
An Ising ring through its transition, with one network
======================================================

Twelve spins on a ring in a transverse field.  One network takes the field beside the spins and was trained at eight
fields at once.  What does it say at fields between them: of the energy, of where the ground state changes, and of how
many bits the spins hold?
"""

# %%
# The training takes half a minute of one core, so the trained network lies beside this page:
#
# .. code-block:: python
#
#    state = FoundationQuantumState(
#        IsingFamily(Chain(12)), couplings=(0.75, 2.0), n_systems=8, n_samples=512,
#        n_iter=300, diag_shift=(1e-2, 1e-6), d_model=12, n_heads=4, n_layers=2,
#        patch_size=2, random_state=0,
#    ).fit()
#    infoscope.save(state, "ising_ring_of_12.npz")

import warnings
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

import infoscope
from infoscope import BinaryID, Space
from infoscope.quantum import spin_space, transverse_ising_chain_exact

state = infoscope.load(Path("data") / "ising_ring_of_12.npz")
fields = np.linspace(0.75, 2.0, 21)
exact = transverse_ising_chain_exact(12, fields)

energy = state.expect("energy", fields)  # 12 sites: sums over all configurations
print(f"energies err by {np.max(np.abs(energy.value / exact.energy - 1)):.1e} at most")

# %%
# The fidelity susceptibility needs no order parameter: it says how fast the ground state turns.  Its error holds what
# the network itself does wrong, from the residuals of the state; the crosses are corrected by them.

turning = state.fidelity_susceptibility(fields, random_state=0)
print(turning)
print(f"the closed form has its largest value {exact.chi.max():.2f} at {fields[exact.chi.argmax()]:.2f}")

# %%
# Samples along the field are bits.  A ground state holds a configuration and its mirror image alike; with all of them
# turned so that most spins are up, one fit a field says how many independent bits there are.  Below the transition
# hardly a spin differs, and the fit refuses to call that a law of independent bits: there is no number.

samples = spin_space(state, fields[::2], n_samples=2000, random_state=0)
bits = []
for run in range(len(fields[::2])):
    down = np.asarray(samples.take(np.flatnonzero(samples.run == run)).features)
    turned = np.where(down.mean(axis=1, keepdims=True) > 0.5, 1 - down, down)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # what is said of every fit is in its verdict
        bits.append(BinaryID(alpha_max=0.5, on_fail="warn").fit(Space(turned, metric="hamming")).result_)
print(bits[-1])

# %%
# All on one page, exact curves in black.

figure, axes = plt.subplots(1, 3, figsize=(14, 4.2), layout="constrained")
energy.plot(axes[0], exact=exact.energy, per_spin=True)
turning.plot(axes[1], exact=exact.chi)
axes[2].errorbar(fields[::2], [one.d0 for one in bits], yerr=[one.d0_se for one in bits], fmt="o")
axes[2].set_xlim(axes[1].get_xlim())
axes[2].set_xlabel("field")
axes[2].set_ylabel("independent bits of 12 spins")
plt.show()
