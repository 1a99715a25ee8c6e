"""Series with known correlation times for the tests of this room."""

import numpy as np
from scipy.signal import lfilter


def autoregressive(phi, length, generator, columns=1):
    """Stationary AR(1) of unit variance; its true correlation time is (1 + phi) / (1 - phi)."""
    noise = generator.normal(size=(length, columns))
    noise[1:] *= np.sqrt(1 - phi**2)
    return lfilter([1], [1, -phi], noise, axis=0)


def oscillating(length, generator, columns=1, radius=0.96, frequency=0.05):
    """AR(2) whose autocorrelation is radius^L cos(2 pi frequency L), nearly: the sum cancels, the envelope does not."""
    coefficients = [1, -2 * radius * np.cos(2 * np.pi * frequency), radius**2]
    return lfilter([1], coefficients, generator.normal(size=(length + 500, columns)), axis=0)[500:]
