"""States that the tests know entirely: amplitudes in a table, ground states of dense matrices."""

from functools import cached_property

import numpy as np
from tests.quantum import dense

from infoscope.quantum.interfaces import SpinSamples


def all_spins(n_sites):
    numbers = np.arange(2**n_sites)
    return (1 - 2 * ((numbers[:, None] >> np.arange(n_sites)) & 1)).astype(np.int8)


def place(spins):
    return ((np.asarray(spins) < 0) << np.arange(np.shape(spins)[1])).sum(axis=1)


class DenseState:
    """A wave function from a function of couplings (m,) that returns 2^n amplitudes.

    Derivatives are central differences of the amplitudes, of fourth order.  Samples are independent draws, or chains
    that stay where they are with probability `sticky`.
    """

    couplings_ = None

    def __init__(self, family, amplitudes, full_sum=True, sticky=0.0, n_chains=8, step=1e-3):
        self.family, self.amplitudes, self.full_sum = family, amplitudes, full_sum
        self.sticky, self.n_chains, self.step = sticky, n_chains, step
        self._tables = {}

    def table(self, couplings):
        key = tuple(np.round(np.atleast_1d(couplings), 12))
        if key not in self._tables:
            self._tables[key] = np.asarray(self.amplitudes(np.array(key)))
        return self._tables[key]

    def slope(self, couplings):
        c, found = np.atleast_1d(np.asarray(couplings, float)), []
        for unit in np.eye(len(c)):
            at = [self.table(c + k * self.step * unit) for k in (-2, -1, 1, 2)]
            found.append((at[0] - 8 * at[1] + 8 * at[2] - at[3]) / (12 * self.step))
        return np.stack(found, axis=1)

    def log_amplitude(self, spins, couplings):
        psi = self.table(couplings)[place(spins)]
        with np.errstate(divide="ignore"):
            return np.log(psi.astype(complex)) if (psi.imag != 0).any() or (psi.real < 0).any() else np.log(psi.real)

    def coupling_derivatives(self, spins, couplings):
        at = place(spins)
        return self.slope(couplings)[at] / self.table(couplings)[at][:, None]

    def sample(self, couplings, n_samples, random_state=None):
        rng = np.random.default_rng(random_state)
        law = np.abs(self.table(couplings)) ** 2
        n = n_samples // self.n_chains
        at = rng.choice(len(law), size=(self.n_chains, n), p=law / law.sum())
        if self.sticky:
            for t in range(1, n):
                stay = rng.random(self.n_chains) < self.sticky
                at[stay, t] = at[stay, t - 1]
        spins = all_spins(self.family.n_sites)[at]
        logs = self.log_amplitude(spins.reshape(-1, spins.shape[2]), couplings).reshape(at.shape)
        return SpinSamples(spins, logs, acceptance=None, exact=not self.sticky)


class IsingMatrices:
    """H = -J sum sz sz - h sum sx of a periodic chain, dense, with its lowest states of both parities."""

    def __init__(self, n_sites):
        self.n_sites = n_sites

    @cached_property
    def parts(self):
        bonds = [(i, (i + 1) % self.n_sites) for i in range(self.n_sites)]
        bonds_alone = dense.ising(bonds, self.n_sites, 1.0, 0.0)
        return bonds_alone, dense.ising(bonds, self.n_sites, 0.0, 1.0)

    def matrix(self, h, j=1.0):
        return j * self.parts[0] + h * self.parts[1]

    def ground(self, h, j=1.0):
        """The even ground state, positive."""
        vector = np.linalg.eigh(self.matrix(h, j))[1][:, 0]
        vector = vector + vector[::-1]  # flipping all spins reverses the order of the numbers
        vector = np.abs(vector)
        return vector / np.linalg.norm(vector)

    def odd(self, h):
        """The lowest odd state, with one sign throughout each half."""
        values, vectors = np.linalg.eigh(self.matrix(h))
        parity = np.einsum("ij,ij->j", vectors, vectors[::-1])
        pick = np.flatnonzero(parity < -0.5)[0]
        vector = vectors[:, pick]
        return vector * np.sign(vector[0])


def closed_chi(n, h):
    """chi of the periodic chain, a quarter of the sum over momenta of [sin k / (1 - 2 h cos k + h^2)]^2."""
    k = (2 * np.arange(1, n // 2 + 1) - 1) * np.pi / n
    return 0.25 * ((np.sin(k) / (1 - 2 * h * np.cos(k) + h**2)) ** 2).sum()
