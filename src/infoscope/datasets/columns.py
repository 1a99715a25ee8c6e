"""Independent rows whose Information Imbalance is known."""

from __future__ import annotations

import math

import numpy as np

from infoscope.base.errors import ParameterError

QUADRATURE_NODES = 200


def gaussian_columns(
    n: int,
    shared: int,
    private_a: int = 0,
    private_b: int = 1,
    *,
    private_scale: float = 1.0,
    random_state: int | np.random.Generator | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Two spaces of standard Gaussian columns that share some of them.

    `gaussian_limit` knows what one tells about the other: ``gaussian_limit(shared, private_b, private_scale)`` from A
    to B, ``gaussian_limit(shared, private_a, private_scale)`` from B to A.

    Parameters
    ----------
    n : int
        Number of rows.
    shared : int
        Columns that both have.
    private_a, private_b : int
        Columns that only A has, and only B.
    private_scale : float
        Standard deviation of the private columns.
    random_state : int, Generator or None
        Seed.

    Returns
    -------
    A : ndarray of shape (n, shared + private_a)
        The shared columns first.
    B : ndarray of shape (n, shared + private_b)
        The shared columns first.

    Raises
    ------
    ParameterError
        If a space would have no columns, or a number is negative.

    Examples
    --------
    >>> from infoscope.datasets import gaussian_columns
    >>> A, B = gaussian_columns(100, shared=2, private_b=3, random_state=0)
    >>> A.shape, B.shape, bool((A == B[:, :2]).all())
    ((100, 2), (100, 5), True)
    """
    if min(n, shared, private_a, private_b) < 0 or not (shared + private_a and shared + private_b):
        raise ParameterError("each space needs at least one column, and no number may be negative")
    rng = np.random.default_rng(random_state)
    common = rng.normal(size=(n, shared))
    only_a = private_scale * rng.normal(size=(n, private_a))
    only_b = private_scale * rng.normal(size=(n, private_b))
    return np.hstack([common, only_a]), np.hstack([common, only_b])


def gaussian_limit(shared: int, private: int, private_scale: float = 1.0) -> float:
    """Information Imbalance towards a space of Gaussian columns of which some are shared, for infinitely many rows.

    Neighbours agree in the a shared columns; the b private ones, multiplied by s, are new.  With g standard normal and
    everything independent the limit is ``2 P(chi2_a < sqrt(3) s^2 sqrt(chi2_b) g)``, which is
    ``E[F_a(sqrt(3) s^2 sqrt(chi2_b) |g|)]`` with F_a the distribution function of chi2_a.

    Parameters
    ----------
    shared : int
        Columns a that both spaces have.
    private : int
        Columns b that only the target has.
    private_scale : float
        Standard deviation s of the private columns.

    Returns
    -------
    float
        1 without shared columns, 0 without private ones.

    Examples
    --------
    >>> from infoscope.datasets import gaussian_limit
    >>> round(gaussian_limit(2, 1), 6), round(gaussian_limit(1, 1), 5)
    (0.333333, 0.56027)
    """
    from scipy.stats import chi, chi2, halfnorm

    if min(shared, private) < 0 or not shared + private or private_scale < 0:
        raise ParameterError("shared, private and private_scale must not be negative, and one column is needed")
    if not shared:
        return 1.0
    if not private or not private_scale:
        return 0.0
    # Gauss-Legendre in the angle t, u = sin^2 t: the nodes crowd where the quantile functions are steep
    nodes, weights = np.polynomial.legendre.leggauss(QUADRATURE_NODES)
    angle = math.pi / 4 * (nodes + 1)
    quantile, weights = np.sin(angle) ** 2, math.pi / 4 * weights * np.sin(2 * angle)
    product = np.outer(chi.ppf(quantile, private), halfnorm.ppf(quantile))
    return float(weights @ chi2.cdf(math.sqrt(3) * private_scale**2 * product, shared) @ weights)


def noisy_sine(
    n: int = 1000,
    *,
    frequency: float = 25.0,
    amplitude: float = 5.0,
    noise: float = 0.5,
    random_state: int | np.random.Generator | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """A cause and its wavy effect: x determines y up to noise, y says next to nothing about x.

    Parameters
    ----------
    n : int
        Number of rows.
    frequency, amplitude, noise : float
        y is ``amplitude * sin(frequency * x)`` plus Gaussian noise of that standard deviation; x is uniform in [0, 1).
    random_state : int, Generator or None
        Seed.

    Returns
    -------
    x, y : ndarray of shape (n, 1)

    Examples
    --------
    >>> from infoscope.datasets import noisy_sine
    >>> x, y = noisy_sine(random_state=0)
    >>> x.shape, y.shape
    ((1000, 1), (1000, 1))
    """
    rng = np.random.default_rng(random_state)
    x = rng.uniform(0, 1, (n, 1))
    return x, amplitude * np.sin(frequency * x) + rng.normal(0, noise, (n, 1))
