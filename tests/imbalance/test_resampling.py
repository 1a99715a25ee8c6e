"""Weighted rows against rows resampled by their weights: the same answer, with less noise.

A row survives with probability w / max w; the survivors are an unweighted sample of the target.  The mean over many
such resamples is what a weighted estimate must agree with, up to the coarser ranks of fewer rows, O(1/survivors).
"""

import numpy as np
import pytest

from infoscope.datasets import load_alanine_dipeptide
from infoscope.imbalance import information_imbalance
from infoscope.neighbors import Space

REPEATS = 10


def resampled(a, b, weight, seed, **options):
    """Mean values of unweighted comparisons of the survivors, and how many there are."""
    g = np.random.default_rng(seed)
    found, sizes = [], []
    for _ in range(REPEATS):
        kept = np.flatnonzero(g.uniform(size=len(weight)) < weight / weight.max())
        result = information_imbalance(a.take(kept), b.take(kept), **options)
        found.append((result.a_to_b, result.b_to_a))
        sizes.append(len(kept))
    return np.mean(found, 0), np.mean(sizes)


@pytest.mark.parametrize(("rule", "k"), [("thinning", 1), ("mass", 10)])
@pytest.mark.parametrize("hidden", [False, True])
def test_reweighted_gaussian(rule, k, hidden):
    """Normal rows spread by 1.5 along x or y and weighted back; A = x, B = (x, y)."""
    n, spread = 2000, 1.5
    x = np.random.default_rng(3 + hidden).normal(size=(n, 2))
    wide = int(hidden)
    x[:, wide] *= spread
    weight = np.exp(-(1 - spread**-2) / 2 * x[:, wide] ** 2)  # the ratio of the two densities: at most 1
    a, b = Space(x[:, :1]), Space(x)
    weighted = information_imbalance(
        a.replace(sample_weight=weight), b.replace(sample_weight=weight), k=k, neighbor_rule=rule
    )
    expected, survivors = resampled(a, b, weight, seed=5, k=k)
    assert survivors > 1200  # two thirds, about as many as the weights are worth: k means the same in both
    slack = 2 * k / survivors  # of the resolution, which differs a little
    assert weighted.a_to_b == pytest.approx(expected[0], abs=3 * weighted.a_to_b_se + slack)
    assert weighted.b_to_a == pytest.approx(expected[1], abs=3 * weighted.b_to_a_se + slack)


@pytest.mark.parametrize("pair", [("ALA2 phi", "ALA2 psi"), ("ALA2 psi", "ACE1 omega")])
def test_biased_peptide(pair):
    """Metadynamics at 300 K: the weighted frames and the frames resampled by their weights."""
    frames = load_alanine_dipeptide("300K metadynamics")
    a, b = (frames.space("torsions", [name], time=None, sample_weight=None) for name in pair)
    weight = frames.sample_weight
    # window 0 in both: stored frames are 5 ps apart and no neighbours of each other by time
    weighted = information_imbalance(
        a.replace(sample_weight=weight), b.replace(sample_weight=weight), k=1, neighbor_rule="thinning",
        exclusion_window=0,
    )  # fmt: skip
    expected, survivors = resampled(a, b, weight, seed=6, exclusion_window=0)
    assert survivors > 300
    slack = 2 / survivors
    assert weighted.a_to_b == pytest.approx(expected[0], abs=3 * weighted.a_to_b_se + slack)
    assert weighted.b_to_a == pytest.approx(expected[1], abs=3 * weighted.b_to_a_se + slack)


def test_what_heat_does_to_a_peptide():
    """At 600 K the molecule is often left-handed, where psi knows phi; unbiased at 300 K it seldom is.

    The weights must take the biased frames at 300 K away from what the bias made of them (a flat sample, hotter than
    600 K along phi) to a share of left-handed frames that a barrier-free Boltzmann factor allows: the free energy
    difference from 600 K, if it were all energy, would make the share at 300 K its square, up to the number of states.
    """
    hot, cold = load_alanine_dipeptide(), load_alanine_dipeptide("300K metadynamics")

    def share(frames, weights=None):
        return np.average((frames.torsions["ALA2 phi"] > 0).to_numpy(), weights=weights)

    biased, weighted, heated = share(cold), share(cold, cold.sample_weight), share(hot)
    assert weighted < heated < biased
    odds = [p / (1 - p) for p in (weighted, heated)]
    # ln odds = S/k - E/kT: between all energy (the square at half the temperature) and all entropy (the same)
    assert odds[1] ** 2 * 0.3 < odds[0] < odds[1]
