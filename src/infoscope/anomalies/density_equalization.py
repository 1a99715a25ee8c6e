"""Density equalisation: rows of one sample are removed, most anomalous first, until none stands out."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from infoscope.base import ParameterError, kernel
from infoscope.neighbors import as_space

from .multiple_testing import above
from .neighbor_stream import Ordered
from .null import SAME, check_level, score_table
from .scores import TIE, Rule, checked_labels, scan_items

SPARE = 64  # neighbours kept beyond those that a scan needs, in place of those that go; more where it needs many
CHUNK = 128  # rows whose largest score is kept together


class Pruned(NamedTuple):
    """Rows that were removed, in the order in which they went."""

    items: np.ndarray  # (P,)
    step: np.ndarray  # (P,) of int, from 1
    level: np.ndarray  # (P,) largest score at that step: it went because of it


def equalise_density(X, labels, threshold: float, *, k: int, k_min: int = 1, p=None, trim: int = 1, n_jobs=None):
    """Remove rows of the sample labelled 1, most anomalous first, until no row scores above the threshold.

    Parameters
    ----------
    X : array (N, D), frame or Space
        Both samples.
    labels : array (N,) of 0 and 1
        1 for the sample whose excess is removed.
    threshold : float
        Level u*; only rows with a larger score can go.
    k, k_min : int
        The scan looks at ranks k_min ... k.
    p : float, optional
        Share of the sample; that of the labels by default.
    trim : {1, 0}
        Whether the last row (with its ties) of a stretch that meets the other sample is spared.
    n_jobs : int, optional
        Threads.

    Returns
    -------
    Pruned
        ``items``, the ``step`` and the ``level`` at which each went.

    Raises
    ------
    DataError, ParameterError
        Bad labels, ranks or shares.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.anomalies import equalise_density
    >>> g = np.random.default_rng(0)
    >>> x = np.concatenate([g.normal(size=(400, 2)), g.normal(size=(400, 2)), 9 + 0.1 * g.normal(size=(30, 2))])
    >>> labels = np.arange(830) >= 400
    >>> found = equalise_density(x, labels, 14.0, k=40)
    >>> len(found.items), bool(found.items.min() >= 800)  # the clump, and nothing else
    (30, True)
    """
    space, bits = as_space(X), checked_labels(labels)
    if len(bits) != len(space):
        raise ParameterError(f"labels has length {len(bits)}, there are {len(space)} rows")
    share = float(bits.mean()) if p is None else check_level(p, "p")
    if trim not in (0, 1):
        raise ParameterError(f"trim is {trim!r}; it must be 0 or 1")
    if not 0 < share < 1 or not 1 <= k_min <= k <= len(space) - 1:
        raise ParameterError(f"p={share:g} must lie inside (0, 1), and 1 <= k_min={k_min} <= k={k} < {len(space)} rows")
    rule, ordered = Rule(k, k_min, share), Ordered(space, n_jobs)
    scan = scan_items(ordered, bits, rule)
    return equalise(ordered, bits, rule, scan.over, float(threshold), trim=trim)


def equalise(ordered: Ordered, labels, rule: Rule, scores, level: float, *, trim: int) -> Pruned:
    """As `equalise_density`, from scores; `labels` are 1 for the sample whose excess is removed, `rule.p` its share."""
    members = np.flatnonzero((labels == 1) & above(scores, level))
    state = _State(ordered, members, labels, rule, level, trim, scores)
    while state.advance():
        state.refill()
    gone = np.lexsort((members, state.step))
    gone = gone[state.step[gone] > 0]
    return Pruned(members[gone], state.step[gone], state.gone_at[gone])


def nearly_disjoint(ordered: Ordered, labels: np.ndarray, rule: Rule) -> bool:
    """Whether neighbours of the other sample are ten times rarer than in a mixture: equalisation would leave little."""
    some = np.linspace(0, len(labels) - 1, min(len(labels), 2000)).astype(np.int64)
    same = np.zeros(len(some), np.int64)

    def look(places, squared, items):
        same[places] = np.count_nonzero(labels[items] == labels[some[places]][:, None], axis=1)

    ordered.each(look, rule.n_ranks, some)
    p, alike = rule.p, same.mean() / rule.n_ranks
    return bool(1 - alike <= 0.1 * alike * 2 * p * (1 - p) / (p**2 + (1 - p) ** 2))


# --------------------------------------------------------------------------------------------------------------- steps
class _State:
    """Lists of the members that may go, what is gone, and the current score of each."""

    def __init__(self, ordered: Ordered, members, labels, rule: Rule, level: float, trim: int, scores):
        n, m = len(labels), len(members)
        self.ordered, self.members, self.labels, self.rule = ordered, members, labels, rule
        self.level, self.trim = level, trim
        self.number = np.full(n, -1, np.int32)  # of every item among the members
        self.number[members] = np.arange(m)
        self.active = np.ones(m, np.bool_)
        self.current = scores[members].copy()
        self.step = np.zeros(m, np.int64)  # 0: not gone
        self.gone_at = np.zeros(m)
        self.counter = np.zeros(1, np.int64)
        self.touched, self.needs = np.zeros(m, np.bool_), np.zeros(m, np.bool_)
        self.spare = np.full(m, max(SPARE, rule.K // 4), np.int64)
        self.start, self.length = np.zeros(m, np.int64), np.zeros(m, np.int64)
        self.items = np.empty(0, np.int32)  # the item; ~item where the next one is at the same distance
        self._fetch(np.arange(m))

    def advance(self) -> bool:
        """Steps until rows run out of neighbours (True) or nothing is left to do."""
        if not len(self.members):
            return False
        rule = self.rule
        return _equalise(self.items, self.start, self.length, self.members, self.labels, self.number, self.active,
                         self.current, self.step, self.gone_at, self.counter, self.touched, self.needs,
                         self.inverse_start, self.inverse, score_table(rule.K, rule.p), rule.k_min, rule.K,
                         int(rule.includes_self), len(self.labels), self.level, self.trim)  # fmt: skip

    def refill(self) -> None:
        """Longer lists for the rows that have run out, and for those that soon will."""
        left = _left(self.items, self.start, self.length, self.number, self.step)
        complete = self.length >= len(self.labels) - 1
        soon = left < self.rule.n_ranks + 1 + self.spare // 4
        rows = np.flatnonzero(self.active & ~complete & (soon | self.needs))
        self.needs[:] = False
        self.spare[rows] = np.maximum(2 * (self.length[rows] - left[rows]) + 2 * SPARE, 2 * self.spare[rows])
        self._fetch(rows)

    def _fetch(self, rows: np.ndarray) -> None:
        """Ask for the neighbours of some members (again), those of like length together."""
        n = len(self.labels)
        width = np.minimum(self.rule.n_ranks + 1 + self.spare[rows], n - 1)
        width = np.minimum(-(-width // SPARE) * SPARE, n - 1)
        for w in np.unique(width):
            mine = rows[width == w]
            at = len(self.items)
            lists = np.empty((len(mine), int(w)), np.int32)

            def look(places, squared, items, lists=lists):
                same = squared[:, 1:] <= squared[:, :-1] * (1 + TIE)
                lists[places] = items
                lists[places, : same.shape[1]] = np.where(same, ~items[:, :-1], items[:, :-1])

            self.ordered.each(look, int(w), self.members[mine])
            self.items = np.concatenate([self.items, lists.ravel()])
            self.start[mine], self.length[mine] = at + w * np.arange(len(mine)), w
        self._compact()
        self.inverse_start, self.inverse = _inverted(self.items, self.start, self.length, self.number, self.active)

    def _compact(self) -> None:
        """Lists that were replaced are forgotten when they take more room than the others."""
        alive = np.flatnonzero(self.active)
        if len(self.items) <= 2 * self.length[alive].sum():
            return
        parts = [self.items[self.start[i] : self.start[i] + self.length[i]] for i in alive]
        self.length[~self.active] = 0
        self.start[alive] = np.concatenate([[0], np.cumsum(self.length[alive])[:-1]])
        self.items = np.concatenate(parts) if parts else np.empty(0, np.int32)


# ------------------------------------------------------------------------------------------------------------- kernels
@kernel
def _inverted(items, start, length, number, active):
    """For every member, the active members whose list holds it."""
    m = len(start)
    counts = np.zeros(m + 1, np.int64)
    for i in range(m):
        if active[i]:
            for place in range(start[i], start[i] + length[i]):
                item = items[place]
                t = number[item if item >= 0 else ~item]
                if t >= 0:
                    counts[t + 1] += 1
    for t in range(m):
        counts[t + 1] += counts[t]
    inverse, fill = np.empty(counts[m], np.int32), counts[:-1].copy()
    for i in range(m):
        if active[i]:
            for place in range(start[i], start[i] + length[i]):
                item = items[place]
                t = number[item if item >= 0 else ~item]
                if t >= 0:
                    inverse[fill[t]] = i
                    fill[t] += 1
    return counts, inverse


@kernel
def _left(items, start, length, number, step):
    """How many neighbours on each list are still there."""
    left = np.zeros(len(start), np.int64)
    for i in range(len(start)):
        for place in range(start[i], start[i] + length[i]):
            item = items[place]
            t = number[item if item >= 0 else ~item]
            left[i] += t < 0 or step[t] == 0
    return left


@kernel
def _score(i, items, start, length, number, step, labels, table, k_min, K, own, complete):
    """Score of a member among what is left; -1 if its list is too short to tell."""
    best, successes, j = 0.0, 0, 0
    pending = False  # somebody is left of the tie group at hand
    wanted = K - own
    stop = start[i] + length[i] - (0 if complete else 1)  # whether the last one's group goes on is not known
    for place in range(start[i], stop):
        item = items[place]
        tied = item < 0
        item = ~item if tied else item
        t = number[item]
        if t < 0 or step[t] == 0:
            if j == wanted:
                return best  # the group goes on beyond the last rank
            successes += labels[item]
            j += 1
            pending = True
        if pending and not tied:  # the group ends here, whoever is left of it
            k = j + own
            if k >= k_min:
                value = table[k * (k + 1) // 2 + successes + own]
                if value > best * (1 + SAME):
                    best = value
            pending = False
            if j == wanted:
                return best
    return best if complete else -1.0


@kernel
def _stretch(i, items, start, length, number, step, labels, wanted, trim, run):
    """The row and the leading stretch of its own sample among what is left, by whole tie groups; how many they are.

    Where the stretch ends at the other sample, its last group is spared if `trim` is 1, but never the row itself.
    """
    run[0] = i
    n, j, whole, before = 1, 0, 1, 1  # up to the last group that is wholly of the own sample; and the one before it
    met = False
    for place in range(start[i], start[i] + length[i]):
        item = items[place]
        tied = item < 0
        item = ~item if tied else item
        t = number[item]
        if t < 0 or step[t] == 0:
            if j == wanted:
                return whole  # a group that reaches beyond the last rank tells nothing
            met = met or labels[item] == 0
            if not met:
                run[n] = t
                n += 1
            j += 1
        if not tied:
            if met:
                return before if trim == 1 else whole
            if n > whole:
                before, whole = whole, n
            if j == wanted:
                return whole
    return whole


@kernel
def _equalise(items, start, length, members, labels, number, active, current, step, gone_at, counter, touched, needs,
              inverse_start, inverse, table, k_min, K, own, n_items, level, trim):  # fmt: skip
    """Steps of the equalisation; True when some active row needs a longer list before the next one."""
    m = len(members)
    n_chunks = (m + CHUNK - 1) // CHUNK
    chunk_best, dirty = np.zeros(n_chunks), np.ones(n_chunks, np.bool_)
    run = np.empty(K + 2, np.int64)
    leaving, marked = np.empty(m, np.int64), np.zeros(m, np.bool_)
    queue, n_waiting = np.empty(m, np.int64), 0
    low, n_low = np.empty(m, np.int64), 0  # rows that no longer stand out: they may go in this step, and never return
    bar = level * (1 + SAME)
    for i in range(m):
        if touched[i]:
            queue[n_waiting] = i
            n_waiting += 1
        elif active[i] and not current[i] > bar:
            low[n_low] = i
            n_low += 1
    while True:
        short = False
        for w in range(n_waiting):  # scores of the rows that lost neighbours
            i = queue[w]
            if not active[i]:
                touched[i] = False
                continue
            complete = length[i] >= n_items - 1
            value = _score(i, items, start, length, number, step, labels, table, k_min, K, own, complete)
            if value < 0:
                short = needs[i] = True
                continue
            current[i] = value
            touched[i] = False
            dirty[i // CHUNK] = True
            if not value > bar:
                low[n_low] = i
                n_low += 1
        if short:
            return True
        n_waiting = 0
        best = -1.0
        for c in range(n_chunks):
            if dirty[c]:
                chunk_best[c] = -1.0
                for i in range(c * CHUNK, min((c + 1) * CHUNK, m)):
                    if active[i]:
                        chunk_best[c] = max(chunk_best[c], current[i])
                dirty[c] = False
            best = max(best, chunk_best[c])
        if best < 0:
            return False
        counter[0] += 1
        n_leaving = 0
        for c in range(n_chunks):
            if chunk_best[c] < best * (1 - SAME):
                continue
            for i in range(c * CHUNK, min((c + 1) * CHUNK, m)):
                if not active[i] or current[i] < best * (1 - SAME):
                    continue
                n = _stretch(i, items, start, length, number, step, labels, K - own, trim, run)
                for r in range(n):
                    t = run[r]
                    if t >= 0 and not marked[t]:
                        marked[t] = True
                        leaving[n_leaving] = t
                        n_leaving += 1
        for r in range(n_leaving):
            t = leaving[r]
            step[t], gone_at[t] = counter[0], best
            active[t] = False
            dirty[t // CHUNK] = True
        for r in range(n_low):
            active[low[r]] = False
            dirty[low[r] // CHUNK] = True
        n_low = 0
        for r in range(n_leaving):
            t = leaving[r]
            for place in range(inverse_start[t], inverse_start[t + 1]):
                i = inverse[place]
                if active[i] and not touched[i]:
                    touched[i] = True
                    queue[n_waiting] = i
                    n_waiting += 1
