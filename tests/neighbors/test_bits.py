"""All pairs of packed bits against plain comparison of every pair, on every kind of array."""

import numpy as np
import pytest

from infoscope.base import ParameterError
from infoscope.neighbors import Space, distance_histogram
from infoscope.neighbors.bits import PackedBits, frozen, pack_segments, pair_blocks, set_bits, whole_table

ENDS = np.array([3, 70, 130])


def bits(n=150, d=130, seed=0):
    return np.random.default_rng(seed).random((n, d)) < 0.4


def packed(x, ends=ENDS):
    words, word_ends = pack_segments(x, ends)
    return PackedBits(words, word_ends, np.asarray(ends))


def twins(x):
    """The same rows as words, as signs of a tensor and as chunks."""
    torch, dask = pytest.importorskip("torch"), pytest.importorskip("dask")
    from infoscope.neighbors.bits_dask import DaskBits
    from infoscope.neighbors.bits_torch import TorchBits

    one = packed(x)
    heights = np.array([40, 1, len(x) - 41])
    parts = [dask.delayed(part) for part in np.split(one.words, np.cumsum(heights)[:-1])]
    signs = torch.tensor(np.where(x, 1, -1), dtype=torch.int8)
    return [one, TorchBits(signs, ENDS, ENDS), DaskBits(parts, heights, one.ends, ENDS)]


def distances(x, y):
    """(segment, N, M)."""
    return np.array([(x[:, None, :end] != y[None, :, :end]).sum(-1) for end in ENDS])


def counted(d, n_bins=131):
    return np.bincount(d.ravel(), minlength=n_bins)


def test_words_hold_the_bits():
    x = bits()
    words, ends = pack_segments(x, ENDS)
    assert ends.tolist() == [1, 3, 4] and set_bits(words) == x.sum()
    assert not words.flags.writeable


def test_counts_of_one_set():
    x, above = bits(), np.triu_indices(150, 1)
    expected = [counted(d[above]) for d in distances(x, x)]
    for one in twins(x):
        found = one.count()
        np.testing.assert_array_equal(found.inside[:, 0], expected)
        np.testing.assert_array_equal(found.ordered[:, 0], 2 * np.array(expected))


def test_counts_between_two_sets():
    x, y = bits(), bits(60, seed=1)
    expected = [counted(d) for d in distances(x, y)]
    for one, other in zip(twins(x), twins(y), strict=True):
        np.testing.assert_array_equal(one.count(other).ordered[:, 0], expected)


def test_counts_by_group():
    x, group = bits(), np.random.default_rng(2).integers(0, 4, 150)
    d = distances(x, x)
    for one in twins(x):
        found = one.count(groups=group, n_groups=4)
        for p in range(3):
            for g in range(4):
                rows = counted(d[p][group == g])
                rows[0] -= (group == g).sum()  # self
                np.testing.assert_array_equal(found.ordered[p, g], rows)
                own = d[p][np.ix_(group == g, group == g)]
                np.testing.assert_array_equal(found.inside[p, g], counted(own[np.triu_indices(len(own), 1)]))


def looked_up(d, first, table):
    out = np.zeros((*d.shape[1:], len(d), table.shape[2]))
    for p in range(len(d)):
        place = d[p] - first[p]
        known = (place >= 0) & (place < table.shape[1])
        out[:, :, p] = np.where(known[..., None], table[p][np.clip(place, 0, table.shape[1] - 1)], 0)
    return out


def test_sums_over_partners():
    x, y = bits(), bits(60, seed=1)
    first, table = np.array([0, 20, 40]), np.random.default_rng(3).normal(size=(3, 15, 2))
    all_pairs, between = looked_up(distances(x, x), first, table), looked_up(distances(x, y), first, table)
    all_pairs[np.arange(150), np.arange(150)] = 0
    for one, other in zip(twins(x), twins(y), strict=True):
        np.testing.assert_allclose(one.sums(first, table)[0], all_pairs.sum(1), atol=1e-12)
        rows, columns = one.sums(first, table, other)
        np.testing.assert_allclose(rows, between.sum(1), atol=1e-12)
        np.testing.assert_allclose(columns, between.sum(0), atol=1e-12)


def test_sums_over_blocks():
    x, block = bits(), np.random.default_rng(4).permutation(np.arange(150) // 7)
    first, table = np.array([0, 20, 40]), np.random.default_rng(3).normal(size=(3, 15, 2))
    pairs = looked_up(distances(x, x), first, table)
    pairs[np.arange(150), np.arange(150)] = 0
    n = block.max() + 1
    between = np.array([[pairs[np.ix_(block == a, block == b)].sum((0, 1)) for b in range(n)] for a in range(n)])
    totals = packed(x).block_sums(first, table, block)
    own = between[np.arange(n), np.arange(n)]
    np.testing.assert_allclose(totals, between.sum(1) - own / 2, atol=1e-10)  # a pair of one block is counted twice
    for other in twins(x)[1:]:
        with pytest.raises(ParameterError, match="error='jackknife'"):
            other.block_sums(first, table, block)


@pytest.mark.parametrize("n_jobs", [1, 2, 5])
def test_threads_change_no_bit(n_jobs):
    x = bits(700, 130)
    first, table = np.array([0, 20, 40]), np.random.default_rng(3).normal(size=(3, 15, 2))
    one = packed(x)
    np.testing.assert_array_equal(one.count(n_jobs=n_jobs).inside, one.count(n_jobs=1).inside)
    np.testing.assert_array_equal(one.sums(first, table, n_jobs=n_jobs)[0], one.sums(first, table, n_jobs=1)[0])


def test_whole_tables_are_exact_to_the_last_digits():
    table = np.random.default_rng(5).normal(size=(1, 100, 2)) * [1.0, 1e6]
    whole, unit = whole_table(table, 10**5)
    # 62 bits for the sum of 10^5 entries leave 45 for one
    np.testing.assert_allclose(whole * unit, table, atol=0, rtol=1e-10)
    assert whole_table(np.zeros((1, 2, 1)), 10)[0].tolist() == [[[0], [0]]]


def test_blocks_cover_all_pairs():
    for n, m, same in ((1000, 1000, True), (10, 700, False), (64, 64, True)):
        seen = np.zeros((n, m), int)
        for (a, b), (c, d) in pair_blocks(n, m, same, 2):
            seen[a:b, c:d] += 1
        assert seen.max() == 1 and (seen[np.triu_indices(n)] == 1).all() if same else (seen == 1).all()


def test_rows_that_repeat_and_bits_that_vary():
    x = bits()
    x[[5, 90]], x[:, 7] = x[2], True
    for one in twins(x):
        expected = np.delete(np.arange(150), [5, 90])
        np.testing.assert_array_equal(one.different_rows(), expected)
        np.testing.assert_array_equal(one.take(expected).count().inside, packed(x[expected]).count().inside)
        varying = one.varying_columns().sum() if hasattr(one, "varying_columns") else set_bits(one.varying_bits())
        assert varying == 129


def test_the_verb_counts_the_same_with_a_rule_and_without():
    x = bits(80, 50)
    space = Space.from_bits(np.packbits(x, axis=1), n_bits=50)
    slow = distance_histogram(Space(x, metric="hamming"))
    np.testing.assert_array_equal(distance_histogram(space), slow)
    runs = space.replace(run=np.arange(80) // 20)
    apart = distance_histogram(Space(x, metric="hamming", run=np.arange(80) // 20), neighbors_from="other_runs")
    np.testing.assert_array_equal(distance_histogram(runs, neighbors_from="other_runs"), apart)
    with pytest.raises(ParameterError, match="measured alike"):
        distance_histogram(space, Space.from_bits(np.packbits(x, axis=1), n_bits=49))


def test_one_hot_words_halve_the_distance():
    states = np.random.default_rng(6).integers(0, 3, (40, 30))
    hot = (states[:, :, None] == np.arange(3)).reshape(40, -1)
    words, ends = pack_segments(hot)
    found = PackedBits(frozen(words), ends, np.array([30]), shift=1).count().inside[0, 0]
    d = (states[:, None] != states).sum(-1)[np.triu_indices(40, 1)]
    np.testing.assert_array_equal(found, np.bincount(d, minlength=31))
