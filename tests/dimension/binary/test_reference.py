"""Published fits of the two-dimensional Ising model (L = 30), reproduced from states drawn anew.

(temperature, r_max, d0 at alpha_max 0.1, d0 at 0.4) of fits to 5000 states over observed distances, 1e6 random steps.
Both their states and ours fluctuate: where the tolerance of a few per cent is smaller than three standard errors of the
difference, the errors decide.
"""

import warnings

import numpy as np
import pytest

from infoscope.datasets import ising_chain, ising_square
from infoscope.dimension import BinaryID, Gride, scan_alpha

PUBLISHED = [
    (1.5, 13.26, 13.13),
    (2.0, 61.33, 58.64),
    (2.2, 95.34, 82.14),
    (2.27, 104.45, 84.12),
    (2.30, 106.54, 82.88),
    (2.35, 109.41, 91.46),
    (2.5, 200.60, 235.31),
    (3.0, 522.49, 536.48),
    (4.0, 726.73, 735.65),
]


def agree(temperature, expected, n):
    curve = scan_alpha(ising_square(n, 30, temperature, random_state=5), (0.1, 0.4), support="observed")
    tolerance = 0.015 if temperature >= 2.5 else 0.03
    for d0, se, theirs in zip(curve.d0, curve.d0_se, expected, strict=True):
        both = se * np.sqrt(1 + n / 5000)  # theirs, from 5000 states
        print(temperature, round(float(d0), 2), theirs, round((d0 - theirs) / both, 1))
        assert abs(d0 - theirs) < max(tolerance * theirs, 3 * both)


@pytest.mark.parametrize("temperature", [2.27, 3.0])
def test_two_temperatures(temperature):
    expected = next(row[1:] for row in PUBLISHED if row[0] == temperature)
    agree(temperature, expected, 1500)


@pytest.mark.slow
@pytest.mark.parametrize("row", PUBLISHED, ids=lambda row: str(row[0]))
def test_all_temperatures(row):
    agree(row[0], row[1:], 5000)


@pytest.mark.slow
@pytest.mark.parametrize(("n_spins", "low", "high"), [(300, 0.777, 0.804), (20_000, 0.800, 0.806)])
def test_extensive_chains(n_spins, low, high):
    """Per spin at alpha 0.2 and 1, as measured elsewhere on 1500 chains at K = 0.5; the limit is 0.80502."""
    curve = scan_alpha(ising_chain(1500, n_spins, 0.5, random_state=6), (0.2, 1.0))
    for per_bit, se, theirs in zip(curve.per_bit, curve.per_bit_se, (low, high), strict=True):
        assert per_bit == pytest.approx(theirs, abs=max(3 * np.sqrt(2) * se, 0.002))


@pytest.mark.slow
@pytest.mark.parametrize(("side", "temperature", "per_bit"), [(30, 1.9, 0.055), (60, 1.9, 0.053), (30, 3.0, 0.59)])
def test_extensive_squares_beside_gride(side, temperature, per_bit):
    """The published comparison: per spin 0.055 to 0.59 at L = 30, 0.05 to 0.056 at T = 1.9 whatever the size (read from
    a figure: known to some 0.02); estimators for continuous data see 0.05 at most 0.12 of the spins."""
    states = ising_square(2000, side, temperature, random_state=1)
    found = BinaryID().fit(states).result_
    assert found.d0 / side**2 == pytest.approx(per_bit, abs=0.02 if temperature == 3.0 else 0.005)
    if side == 30:
        upward = states * np.where(states.sum(axis=1, keepdims=True) < 0, -1, 1)  # as published, M > 0
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # states repeat each other at low temperature
            continuous = Gride(64).fit(upward.astype(float)).result_
        largest = float(np.nanmax(continuous.dimension)) / side**2
        assert largest < (0.15 if temperature == 3.0 else 0.08)
