"""Panels and tiles give the same items, the same squared distances and the same counts, bit for bit."""

import os
import subprocess
import sys

import numpy as np
import pytest
from tests.neighbors import brute

from infoscope.neighbors import (
    Space,
    backend_numpy,
    count_closer,
    count_within,
    kernels,
    nearest,
    panel_kernels,
    panels,
)
from infoscope.neighbors.admissible import UNRESTRICTED

pytestmark = pytest.mark.skipif(panel_kernels.HOST is None, reason="this processor has no vectors that panels use")


@pytest.fixture(autouse=True)
def any_number_of_items(monkeypatch):
    monkeypatch.setattr(panels, "FEWEST_ITEMS", 3)


@pytest.fixture
def both_ways(monkeypatch):
    """Answers of a call by panels and by tiles are compared; returns those, and how many sweeps panels made."""

    def compare(call):
        answers, sweeps = [], []
        sweep = panels._Panels.sweep

        def counted(*given):
            sweeps.append(sweep(*given))
            return sweeps[-1]

        for switched_on in (True, False):
            with monkeypatch.context() as patch:
                patch.setattr(panels, "SWITCHED_ON", switched_on)
                patch.setattr(panels._Panels, "sweep", counted)
                answers.append(call())
        for mine, theirs in zip(*answers, strict=True):
            np.testing.assert_array_equal(mine, theirs)
        return answers[0], sweeps

    return compare


def neighbors_and_counts(space, other, k, ties="all", **options):
    def call():
        graph = nearest(space, k, ties=ties, **options)
        return graph.items, graph.squared, graph.indptr, *count_closer(other, graph, **options)

    return call


KINDS = ("normal", "offset", "outlier", "far outlier", "clusters", "duplicates", "lattice", "huge", "tiny", "mixed")


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(("n", "d", "k"), [(350, 3, 1), (513, 50, 2), (700, 11, 30)])
def test_same_bits_as_tiles(kind, n, d, k, dtype, both_ways):
    x = brute.hard_data(kind, n, d, dtype)
    y = brute.hard_data(kind, n, d + 4, dtype, seed=1)
    _, sweeps = both_ways(neighbors_and_counts(Space(x), Space(y), k))
    if kind in ("normal", "outlier", "half constant"):
        assert sweeps == [True, True]
    both_ways(neighbors_and_counts(Space(x), Space(x), k, ties="index"))


@pytest.mark.parametrize(("most", "collected"), [(0, False), (2**26, True)])
def test_candidates_that_need_too_much_memory_are_kept_in_heaps(most, collected, both_ways, monkeypatch):
    monkeypatch.setattr(panels, "MOST_CANDIDATES", most)
    called = []
    whole = panels._by_candidates
    monkeypatch.setattr(panels, "_by_candidates", lambda *given: called.append(1) or whole(*given))
    x = Space(brute.hard_data("normal", 700, 11, np.float32))
    both_ways(lambda: (nearest(x, 30).items,))
    assert bool(called) is collected


def test_against_brute_force(both_ways):
    x = brute.hard_data("normal", 300, 9, np.float32)
    squared, mask = brute.squared_distances(x), brute.self_excluded(300)
    graph = nearest(x, 4)
    np.testing.assert_array_equal(graph.items.reshape(300, 4), brute.nearest(squared, mask, 4))
    radii = [row[items] for row, items in zip(squared, brute.nearest(squared, mask, 4), strict=True)]
    for mine, theirs in zip(count_closer(x, graph), brute.counts(squared, mask, radii), strict=True):
        np.testing.assert_array_equal(mine, theirs)


@pytest.mark.parametrize("n", [3, 63, 64, 65, 129, 1000])
def test_any_number_of_items(n, both_ways):
    g = np.random.default_rng(n)
    x, y = g.normal(size=(2, n, 5))
    both_ways(neighbors_and_counts(Space(x), Space(y), min(3, n - 1)))


@pytest.mark.parametrize("d", [3, 16, 64, 200, 512])
def test_any_number_of_features(d, both_ways):
    x, y = np.random.default_rng(d).normal(size=(2, 270, d)).astype(np.float32)
    _, sweeps = both_ways(neighbors_and_counts(Space(x), Space(y, metric="cosine"), 3))
    assert sweeps == [True, True]


def test_windows_and_runs(both_ways):
    g = np.random.default_rng(4)
    x, run = np.cumsum(g.normal(size=(2, 640, 12)), axis=1), g.permutation(np.repeat([0, 1, 2], [100, 300, 240]))
    time = g.permutation(640) * 0.1
    plain = [Space(v) for v in x]
    a, b = (Space(v, run=run, time=time) for v in x)
    for rule in ({"exclusion_window": 0.3}, {"exclusion_window": 7.0}, {"neighbors_from": "other_runs"}):
        _, sweeps = both_ways(neighbors_and_counts(a, b, 2, **rule))
        assert sweeps == [True, True]
    both_ways(neighbors_and_counts(*plain, 5, exclusion_window=70.0))


def test_a_window_that_is_not_symmetric(both_ways, monkeypatch):
    """Rounding may put one item into the window of another and not the other way round; both rows are then right."""
    x, y = np.random.default_rng(7).normal(size=(2, 400, 8))
    pairs = panels.admissible_pairs

    def skewed(*given):
        found = pairs(*given)
        return found._replace(stop=np.minimum(found.stop + 9, 400))

    monkeypatch.setattr(panels, "admissible_pairs", skewed)
    monkeypatch.setattr("infoscope.neighbors.reductions.admissible_pairs", skewed)
    _, sweeps = both_ways(neighbors_and_counts(Space(x), Space(y), 3, ties="index"))
    assert sweeps == [True, True]


@pytest.mark.parametrize("n_jobs", [1, 2, 3, 7])
def test_threads_and_parts(n_jobs, both_ways, monkeypatch):
    monkeypatch.setattr(panels, "FEW_PAIRS", 0)
    monkeypatch.setattr(panels, "PART", (1, 2))
    x, y = np.random.default_rng(5).normal(size=(2, 1500, 8))
    both_ways(neighbors_and_counts(Space(x), Space(y), 2, n_jobs=n_jobs))


def test_every_pair_of_panels_comes_once_and_no_two_threads_share_a_block():
    for n_panels, workers in ((1, 1), (5, 1), (5, 2), (40, 3), (3, 4)):
        seen = np.zeros((n_panels, n_panels), int)
        for tasks in panels._rounds(n_panels, workers):
            used = [id(block) for pair in tasks for block in {id(b): b for b in pair}.values()]
            assert len(used) == len(set(used))
            for rows, columns in tasks:
                for p, p_stop, q, q_stop in panels._parts(rows, columns):
                    seen[p:p_stop, q:q_stop] += 1
        upper = np.triu_indices(n_panels)
        assert (seen[upper] == 1).all()


def test_little_room(both_ways, monkeypatch):
    """What is written down is looked at whenever there is no more room."""
    monkeypatch.setattr(panels, "ROOM", 2 * 2 * panels.ROWS * panels.COLUMNS)
    x, y = np.random.default_rng(6).normal(size=(2, 490, 12))
    _, sweeps = both_ways(neighbors_and_counts(Space(x), Space(y), 2, ties="index"))
    assert sweeps == [True, True]


# --------------------------------------------------------------------------------------------------------------- bounds
def sweep_of(space):
    return panels._Panels.of(space, None, None, UNRESTRICTED)


@pytest.mark.parametrize("kind", ["normal", "offset", "outlier", "clusters", "duplicates", "tiny", "mixed"])
@pytest.mark.parametrize("d", [3, 50, 300])
def test_measured_distances_lie_in_the_band(kind, d):
    x = brute.hard_data(kind, 200, d, np.float64)
    space = Space(x)
    p = sweep_of(space)
    tile, squared = np.empty(panels.ROWS * panels.COLUMNS, np.float32), np.full((200, 200), np.nan)
    limits, masks = np.full(len(p.norms), np.finfo(np.float32).max), np.empty(panels.ROWS, np.int64)
    room = panels._Room()
    rows, columns, lower = room.pairs
    found, _ = panel_kernels.find_near(
        p.packed, p.norms, limits.astype(np.float32), p.inner, (0, p.n_panels, 0, p.n_panels), 0, tile, masks,
        rows, columns, lower,
    )  # fmt: skip
    assert found == 200 * 199 // 2  # every pair is within such limits
    i, j, low = rows[:found], columns[:found], lower[:found].astype(float)
    squared = brute.squared_distances(x)[p.items[i], p.items[j]]
    high = low + 2 * (p.bands[i].astype(float) + p.bands[j])
    assert (low <= squared).all() and (squared <= high).all()
    if kind != "tiny":  # there the smallest normal number is the band
        assert ((high - low) <= 8 * backend_numpy.error_band(d, np.float32) * ((x - x.mean(0)) ** 2).sum(1).max()).all()


def test_radii_at_the_edge_of_the_band_are_measured(monkeypatch):
    """Radii one unit inside and outside the bounds of a pair: inside it is measured, outside it is not."""
    x = brute.hard_data("normal", 130, 12, np.float32)
    space, measured = Space(x), []
    decide = kernels.decide_pairs

    def watched(rows, columns, *given):
        measured.extend(zip(rows.tolist(), columns.tolist(), strict=True))
        return decide(rows, columns, *given)

    monkeypatch.setattr(kernels, "decide_pairs", watched)
    p = sweep_of(space)
    truth = brute.squared_distances(x)
    i, j = 5, 70
    exact, band = float(truth[i, j]), 2 * float(p.bands[i] + p.bands.max())
    for radius, doubtful in ((exact, True), (exact + 0.9 * band, None), (exact + 1.5 * band, False),
                             (exact - 1.5 * band, False)):  # fmt: skip
        measured.clear()
        squared = np.full(130, radius)
        closer, tied = count_within(space, np.arange(131), squared)
        mask = brute.self_excluded(130)
        expected = brute.counts(truth, mask, [[radius]] * 130)
        np.testing.assert_array_equal(closer, expected[0])
        np.testing.assert_array_equal(tied, expected[1])
        if doubtful is not None:
            assert ((i, j) in measured) == doubtful


def test_an_outlier_spoils_one_panel():
    x = brute.hard_data("normal", 1000, 10, np.float64)
    x[500] *= 1e6
    p = sweep_of(Space(x))
    wide = np.flatnonzero(p.spreads > 1e3 * np.median(p.spreads))
    np.testing.assert_array_equal(wide, [p.place[500] // panels.COLUMNS])


def test_panels_that_measure_in_vain_are_given_up(both_ways):
    """A tight cluster: its panels go to tiles in float64, the others stay; where all are clusters tiles do it all."""
    g = np.random.default_rng(8)
    x, y = g.normal(size=(2, 2000, 20))
    x[:100] = 1 + 1e-7 * x[:100]
    y[:100] = 1 + 1e-7 * y[:100]
    given_up = []
    original = panels._Panels.lost_items.fget

    def lost(self):
        given_up.append(len(original(self)))
        return original(self)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(panels._Panels, "lost_items", property(lost))
        _, sweeps = both_ways(neighbors_and_counts(Space(x), Space(y), 3))
    assert sweeps == [True, True] and max(given_up) > 0
    clusters = g.normal(size=(4, 20))[g.integers(0, 4, 1500)] + 1e-6 * y[:1500]
    _, sweeps = both_ways(neighbors_and_counts(Space(clusters), Space(y[:1500]), 3))
    assert sweeps[0] is False


# ----------------------------------------------------------------------------------------------------- where they apply
def test_where_panels_do_not_apply():
    x = np.random.default_rng(9).normal(size=(300, 9))
    assert panels.apply_to(Space(x))
    for space in (
        Space(x[:, :2]),
        Space(x, metric="manhattan"),
        Space(x, period=10.0, period_check=False),
        Space(x, sample_weight=np.linspace(1, 2, 300)),
        Space(np.zeros((300, panels.MOST_FEATURES + 1))),
    ):
        assert not panels.apply_to(space)
    assert sweep_of(Space(x * 1e20)) is None  # squares that single precision does not hold
    space = Space(x)
    assert panels.nearest_by_panels(space, 1, np.arange(10), None, UNRESTRICTED, None) is None
    assert panels.nearest_by_panels(space, 1, None, np.arange(100), UNRESTRICTED, None) is None
    assert panels.nearest_by_panels(space, panels.MOST_NEIGHBORS + 1, None, None, UNRESTRICTED, None) is None


def test_radii_of_different_number(both_ways):
    g = np.random.default_rng(10)
    space = Space(g.normal(size=(400, 10)))
    lengths = g.integers(2, 6, 400)
    lengths[7] = 0
    squared = g.random(lengths.sum()) * 40
    squared[::17] = 0
    _, sweeps = both_ways(lambda: count_within(space, np.concatenate([[0], np.cumsum(lengths)]), squared))
    assert sweeps == [True]


ELSEWHERE = """
import hashlib, numpy as np
from infoscope.neighbors import Space, count_closer, nearest, panels, panel_kernels
x, y = np.random.default_rng(0).normal(size=(2, 1200, 12)).astype(np.float32)
graph = nearest(Space(x), 2, ties="all")
found = graph.items, graph.squared, *count_closer(Space(y), graph)
bits = hashlib.sha256(b"".join(array.tobytes() for array in found)).hexdigest()
print(panel_kernels.HOST and tuple(panel_kernels.HOST), bits)
"""
PROCESSORS = {
    "skylake-avx512": "+avx,+avx2,+fma,+avx512f,+avx512bw,+avx512dq,+avx512vl,+avx512cd,+popcnt,+bmi,+sse4.2",
    "haswell": "+avx,+avx2,+fma,+popcnt,+bmi,+sse4.2",
    "generic": "",
}


@pytest.mark.slow
def test_kernels_of_other_processors(tmp_path):
    """The same bits with vectors of sixteen, of eight and none, and from a folder of kernels that all of them share."""
    answers = {}
    for _ in range(2):  # the second time from the cache
        for name, features in PROCESSORS.items():
            if not set(features.replace("+", "").split(",")) <= _features_of_host():
                continue
            environment = os.environ | {"NUMBA_CPU_NAME": name, "NUMBA_CPU_FEATURES": features}
            environment["NUMBA_CACHE_DIR"] = str(tmp_path)
            done = subprocess.run([sys.executable, "-c", ELSEWHERE], env=environment, capture_output=True, text=True)
            assert done.returncode == 0, done.stderr
            shape, bits = done.stdout.strip().rsplit(" ", 1)
            answers.setdefault(name, set()).add((shape, bits))
    assert all(len(found) == 1 for found in answers.values())
    shapes = {name: next(iter(found))[0] for name, found in answers.items()}
    assert shapes["generic"] == "None"
    assert len({next(iter(found))[1] for found in answers.values()}) == 1
    assert len(set(shapes.values())) == len(shapes)


def _features_of_host():
    import llvmlite.binding

    return {name for name, there in llvmlite.binding.get_host_cpu_features().items() if there} | {""}
