"""exp(-t) of many numbers, in loops that become vector instructions: NumPy's calls a function for every number."""

import numpy as np

from .jit import kernel

LOG2E, LOG2_HIGH, LOG2_LOW = 1.4426950408889634, 0.6931471803691238, 1.9082149292705877e-10
LOG2E_SINGLE = np.float32(LOG2E)
LOG2_HIGH_SINGLE, LOG2_LOW_SINGLE = np.float32(0.693359375), np.float32(-2.12194440e-4)
ONE, HALF, THIRD, FOURTH, FIFTH, SIXTH, SEVENTH = (np.float32(1 / f) for f in (1, 2, 6, 24, 120, 720, 5040))


@kernel(inner=True)
def decay(x, n, shift, rate, far, out):
    """exp(-rate (x - shift)) of n numbers x >= shift, at least exp(-far), to the last bit or two of `out`'s precision.

    `far` is at most 708 (87 in single precision), from which on no power of two is a normal number.
    """
    if out.itemsize == 4:
        decay_single(x, n, shift, rate, far, out)
    else:
        decay_double(x, n, shift, rate, far, out)


@kernel(inner=True)
def decay_double(x, n, shift, rate, far, out):
    """exp(-t) = 2^-k exp(k log 2 - t), k the integer next to t/log 2; the rest, at most 0.35, is a series of 12 terms.

    Powers of two are written as their exponents.
    """
    exponents = out.view(np.int64)
    for p in range(n):
        t = (x[p] - shift) * rate
        t = t if t < far else far  # NaN is far: it must point nowhere
        halvings = np.int32(t * LOG2E + 0.5)
        k = np.float64(halvings)
        r = (k * LOG2_HIGH - t) + k * LOG2_LOW
        s = r * (1.0 / 479001600) + 1.0 / 39916800
        s = s * r + 1.0 / 3628800
        s = s * r + 1.0 / 362880
        s = s * r + 1.0 / 40320
        s = s * r + 1.0 / 5040
        s = s * r + 1.0 / 720
        s = s * r + 1.0 / 120
        s = s * r + 1.0 / 24
        s = s * r + 1.0 / 6
        s = s * r + 0.5
        s = s * r + 1.0
        exponents[p] = (np.int64(1023) - np.int64(halvings)) << np.int64(52)
        out[p] *= s * r + 1.0


@kernel(inner=True)
def decay_single(x, n, shift, rate, far, out):
    """The same in single precision, with a series of 7 terms."""
    exponents = out.view(np.int32)
    for p in range(n):
        t = (x[p] - shift) * rate
        t = t if t < far else far
        halvings = np.int32(t * LOG2E_SINGLE + HALF)
        k = np.float32(halvings)
        r = (k * LOG2_HIGH_SINGLE - t) + k * LOG2_LOW_SINGLE
        s = r * SEVENTH + SIXTH
        s = s * r + FIFTH
        s = s * r + FOURTH
        s = s * r + THIRD
        s = s * r + HALF
        s = s * r + ONE
        exponents[p] = (np.int32(127) - halvings) << np.int32(23)
        out[p] *= s * r + ONE
