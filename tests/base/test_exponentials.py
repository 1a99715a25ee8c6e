"""exp(-t) in vector loops beside NumPy's, in both precisions, at and behind the end of the range."""

import numpy as np
import pytest

from infoscope.base import kernel
from infoscope.base.exponentials import decay


@kernel
def decayed(x, shift, rate, far, out):
    decay(x, len(x), shift, rate, far, out)


@pytest.mark.parametrize(("kind", "far"), [(np.float64, 40), (np.float64, 708), (np.float32, 40), (np.float32, 87)])
def test_beside_numpy(kind, far):
    x = np.concatenate([np.linspace(0, far, 100_001), np.geomspace(1e-30, far, 1001)]).astype(kind)
    out = np.empty_like(x)
    decayed(x, kind(0), kind(1), kind(far), out)
    exact = np.exp(-x.astype(np.float64))
    # the series ends below half a unit in the last place; the rest is the rounding of x log2(e) and of 7 or 12 terms
    np.testing.assert_allclose(out, exact, rtol=3 * np.finfo(kind).eps)
    assert out[0] == 1


@pytest.mark.parametrize("kind", [np.float64, np.float32])
def test_what_is_far_or_unknown_is_as_little_as_can_be(kind):
    x = np.array([41, 1e30, np.inf, np.nan], kind)
    out = np.empty_like(x)
    decayed(x, kind(1), kind(2), kind(40), out)
    np.testing.assert_allclose(out, np.exp(-40), rtol=3 * np.finfo(kind).eps)
