"""Windows end at shares of the pairs, and bits at deviations from a mean, that are met by equality."""

import numpy as np
import pytest

from infoscope.dimension import HammingHistogram, binarize
from infoscope.dimension.binary.window import window_of


@pytest.mark.parametrize("parts", [3, 6, 7, 9, 11, 13])
def test_a_share_of_the_pairs_is_met_by_equality(parts):
    """Of so many distances, equally frequent, each part of the window holds whole ones."""
    whole = HammingHistogram(counts=np.full(parts, 6), n_bits=parts)
    law = HammingHistogram(counts=np.full(parts, 0.1), n_bits=parts)
    for h in (whole, law):
        for wanted in range(1, parts + 1):
            assert window_of(h, 0.0, wanted / parts).r[-1] == wanted - 1
            assert window_of(h, 0.0, 1 - (parts - wanted) / parts).r[-1] == wanted - 1
            if wanted > 1:
                assert window_of(h, (wanted - 1) / parts, 1.0).r[0] == wanted - 2


@pytest.mark.parametrize("unit", [1.0, 0.1, 3.0, 1 / 3, 0.7])
@pytest.mark.parametrize("origin", [0.0, 0.1, 5.3])
def test_two_values_in_equal_numbers_lie_one_deviation_from_their_mean(unit, origin):
    """Neither is more than a deviation away, and neither less: both have the bits of -1 and 1."""
    signs = np.random.default_rng(0).permutation(np.repeat([-1.0, 1.0], 45)).reshape(30, 3)
    np.testing.assert_array_equal(binarize(signs * unit + origin, "two_bit"), binarize(signs, "two_bit"))


@pytest.mark.parametrize("unit", [1.0, 0.1, 3.0, 1 / 3, 0.7])
def test_the_middle_of_symmetric_values_is_their_mean(unit):
    levels = np.random.default_rng(1).permutation(np.repeat([1, 2, 3], 40)).reshape(30, 4)
    np.testing.assert_array_equal(binarize(levels * unit, "two_bit"), binarize(levels.astype(float), "two_bit"))
