"""bfloat16 against exact arithmetic and against PyTorch."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from infoscope.storage.bfloat16 import bits_from_floats, floats_from_bits

ALL = np.arange(2**16, dtype=np.uint16)
FINITE = np.sort(floats_from_bits(ALL)[np.isfinite(floats_from_bits(ALL))].astype(float))
LIMIT = float(2**128 - 2**119)  # half way between the largest one and what would follow: rounds to infinity


def nearest(value):
    """The nearest of all bfloat16, a tie to the even one, in exact arithmetic."""
    if abs(value) >= LIMIT:
        return np.copysign(np.inf, value)
    place = np.searchsorted(FINITE, value)
    candidates = FINITE[max(0, place - 2) : place + 2]
    distances = [abs(Fraction(float(value)) - Fraction(float(one))) for one in candidates]
    best = [one for one, distance in zip(candidates, distances, strict=True) if distance == min(distances)]
    even = [one for one in best if np.float32(one).view(np.uint32) >> 16 & 1 == 0]
    return best[0] if len(set(best)) == 1 else even[0]


def test_every_bit_pattern_is_itself():
    back = bits_from_floats(floats_from_bits(ALL))
    numbers = ~np.isnan(floats_from_bits(ALL))
    np.testing.assert_array_equal(back[numbers], ALL[numbers])
    np.testing.assert_array_equal(bits_from_floats(floats_from_bits(ALL[numbers]).astype(float)), ALL[numbers])
    assert np.isnan(floats_from_bits(back[~numbers])).all() and (~numbers).sum() == 2 * 127


@pytest.mark.parametrize("dtype", [np.float16, np.float32, np.float64, np.longdouble, ">f4", ">f8"])
def test_the_nearest_is_taken(dtype):
    generator = np.random.default_rng(0)
    values = np.concatenate(
        [generator.normal(size=300), generator.normal(size=300) * 10.0 ** generator.integers(-44, 38, 300)]
    )
    middles = (FINITE[1:] + FINITE[:-1])[
        generator.integers(0, len(FINITE) - 1, 300)
    ] / 2  # ties, and one ulp beside them
    values = np.concatenate([values, middles, np.nextafter(middles, np.inf), np.nextafter(middles, -np.inf)])
    values = np.concatenate(
        [values, [0.0, -0.0, np.inf, -np.inf, LIMIT, np.nextafter(LIMIT, 0), 1e300, -1e300, 5e-324]]
    )
    with np.errstate(over="ignore"):
        values = values.astype(dtype)
    found = floats_from_bits(bits_from_floats(values))
    np.testing.assert_array_equal(found, [nearest(float(value)) for value in values])
    np.testing.assert_array_equal(np.signbit(found), np.signbit(values))


@given(st.floats(width=64, allow_nan=False, allow_infinity=False))
def test_any_double(value):
    assert floats_from_bits(bits_from_floats(np.array([value])))[0] == nearest(value)


def test_not_a_number_stays_not_a_number():
    low = np.array([0x7F800001, 0xFF800001, 0x7FFFFFFF, 0xFFFFFFFF], np.uint32).view(np.float32)  # only low bits say so
    assert np.isnan(floats_from_bits(bits_from_floats(low))).all()


def test_torch_rounds_the_same():
    torch = pytest.importorskip("torch")
    values = np.random.default_rng(1).integers(0, 2**32, 10**5, dtype=np.uint32).view(np.float32)
    values = values[~np.isnan(values)]
    theirs = torch.from_numpy(values).to(torch.bfloat16).view(torch.int16).numpy().view(np.uint16)
    np.testing.assert_array_equal(bits_from_floats(values), theirs)
