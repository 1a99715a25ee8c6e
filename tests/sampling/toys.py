"""Small systems whose law is known, with exact draws and observables of known mean."""

import numpy as np

from infoscope.sampling import SubsetVariables, Target


class Tunnel:
    """z in two Gaussian wells `length` apart, y around a cosine of z (arXiv:2405.18160)."""

    def __init__(self, length=6.0, sigma=None, weight=0.3):
        self.sigma = np.linspace(0.7, 2.0, 6) if sigma is None else sigma
        self.length, self.weight = length, weight
        n = 1 + len(self.sigma)
        self.target = Target(self._both, True, n_coordinates=n)
        self.variables = SubsetVariables([0], n_coordinates=n)

    def _mean(self, z):
        return self.length / 2 * np.cos(np.pi * z / self.length)

    def _both(self, x):
        z, u = x[:, 0], (x[:, 1:] - self._mean(x[:, :1])) / self.sigma
        logs = np.stack([np.log(self.weight) - z**2 / 2, np.log(1 - self.weight) - (z - self.length) ** 2 / 2])
        top = logs.max(0)
        parts = np.exp(logs - top)
        gradient = np.empty_like(x)
        gradient[:, 1:] = u / self.sigma
        slope = np.pi / 2 * np.sin(np.pi * z / self.length)  # minus dm/dz
        gradient[:, 0] = (parts[0] * z + parts[1] * (z - self.length)) / parts.sum(0) + slope * gradient[:, 1:].sum(1)
        return -top - np.log(parts.sum(0)) + 0.5 * (u**2).sum(1), gradient

    def draw(self, n, rng):
        z = rng.normal(size=n) + np.where(rng.random(n) < self.weight, 0.0, self.length)
        return np.column_stack([z, self._mean(z)[:, None] + self.sigma * rng.normal(size=(n, len(self.sigma)))])

    def observables(self, x):
        """Each with mean 0 in equilibrium: the share of a well, z and its square, standardised y and their squares."""
        z, u = x[:, 0], (x[:, 1:] - self._mean(x[:, :1])) / self.sigma
        share, middle = self.weight, self.length / 2
        from scipy.stats import norm

        left = share * norm.cdf(middle) + (1 - share) * norm.cdf(-middle)
        mean, square = (1 - share) * self.length, 1 + (1 - share) * self.length**2
        return np.column_stack(
            [(z < middle) - left, z - mean, z**2 - square, u, u**2 - 1, u[:, :1] * (z - mean)[:, None]]
        )


class Funnel:
    """z in two wells, y around 1.5 z with a width that grows with z: nothing here is symmetric."""

    def __init__(self):
        self.target = Target(self._both, True, n_coordinates=3)
        self.variables = SubsetVariables([0], n_coordinates=3)

    @staticmethod
    def _shape(z):
        return 1.5 * z, np.exp(0.4 * z)

    def _both(self, x):
        z = x[:, 0]
        mean, sigma = self._shape(z)
        u = (x[:, 1:] - mean[:, None]) / sigma[:, None]
        gradient = np.empty_like(x)
        gradient[:, 1:] = u / sigma[:, None]
        wells = np.stack([np.log(0.4) - (z + 1) ** 2 / 0.5, np.log(0.6) - (z - 1) ** 2 / 0.5])
        top = wells.max(0)
        parts = np.exp(wells - top)
        gradient[:, 0] = 4 * (parts[0] * (z + 1) + parts[1] * (z - 1)) / parts.sum(0) + 0.8
        gradient[:, 0] -= (u / sigma[:, None] * 1.5 + 0.4 * u**2).sum(1)
        return -top - np.log(parts.sum(0)) + 0.8 * z + 0.5 * (u**2).sum(1), gradient  # 2 ln sigma = 0.8 z

    def draw(self, n, rng):
        z = 0.5 * rng.normal(size=n) + np.where(rng.random(n) < 0.4, -1.0, 1.0)
        mean, sigma = self._shape(z)
        return np.column_stack([z, mean[:, None] + sigma[:, None] * rng.normal(size=(n, 2))])

    def observables(self, x):
        z = x[:, 0]
        mean, sigma = self._shape(z)
        u = (x[:, 1:] - mean[:, None]) / sigma[:, None]
        return np.column_stack([z - 0.2, z**2 - 1.25, u, u**2 - 1, u * (z - 0.2)[:, None]])


class Mixture:
    """Gaussians on one variable: the proposal of the tests."""

    n_variables = 1

    def __init__(self, means, sigmas, weights=None):
        self.means, self.sigmas = np.array(means, float), np.array(sigmas, float)
        self.weights = np.full(len(means), 1 / len(means)) if weights is None else np.array(weights)
        self.edges = np.cumsum(self.weights)[:-1]

    def sample(self, n, rng):
        which = np.searchsorted(self.edges, rng.random(n))
        return (self.means[which] + self.sigmas[which] * rng.standard_normal(n))[:, None]

    def log_prob(self, z):
        u = (z - self.means) / self.sigmas
        return np.log((self.weights / self.sigmas * np.exp(-(u**2) / 2)).sum(1))


def drift(observables):
    """Means in units of their errors: rows are independent draws."""
    return observables.mean(0) / (observables.std(0) / np.sqrt(len(observables)))
