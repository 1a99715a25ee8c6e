"""Networks of variables whose links are known: chaotic maps in communities, and noisy followers of squares."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from infoscope.base import kernel
from infoscope.base.checks import check_choice
from infoscope.base.errors import ParameterError

INSIDE, BETWEEN = 0.16, 0.12  # shares of a member that come from inside its community, and from a parent
HAS_PARENT = 0.7  # probability that a community of a random network is driven
BURN_IN = 500


class Network(NamedTuple):
    """A series, and which variable drives which.

    Attributes
    ----------
    series : array (n_samples, D)
    links : array (D, D) of bool
        Whether the variable of the row drives that of the column, without intermediaries.
    labels : array (D,) of int
        Community of every variable.
    edges : array (E, 2) of int
        Which community drives which.
    """

    series: np.ndarray
    links: np.ndarray
    labels: np.ndarray
    edges: np.ndarray


def logistic_network(
    n_samples: int = 6000,
    sizes: Sequence[int] = (5, 5, 5),
    parents: Sequence[Sequence[int]] | str = "chain",
    *,
    random_state: int | np.random.Generator | None = None,
) -> Network:
    """Communities of coupled logistic maps: rings inside, and driven member by member by other communities.

    ``x_i' = (1 - sum_j M_ij) f_i(x_i) + sum_j M_ij f_j(x_j)`` with ``f_i(x) = r_i x (1 - x)``, r between 3.85 and 3.98.

    Parameters
    ----------
    n_samples : int
        Rows, after 500 that are discarded.
    sizes : sequence of int
        Variables of every community.
    parents : sequence of sequences of int, "chain" or "random"
        Which communities drive each; "chain": the one before; "random": one of those before, with probability 0.7.
    random_state : int, Generator or None
        Seed.

    Returns
    -------
    Network

    Examples
    --------
    >>> from infoscope.datasets import logistic_network
    >>> network = logistic_network(100, sizes=(3, 2), random_state=0)
    >>> network.series.shape, network.labels, network.edges.tolist()
    ((100, 5), array([0, 0, 0, 1, 1]), [[0, 1]])
    """
    rng = np.random.default_rng(random_state)
    if n_samples < 1 or not len(sizes) or min(sizes) < 1:
        raise ParameterError("n_samples and all sizes must be at least 1")
    n = sum(sizes)
    r = rng.uniform(3.85, 3.98, n)
    state = rng.uniform(0.2, 0.8, n)
    if isinstance(parents, str):
        chain = check_choice(parents, "parents", ("chain", "random")) == "chain"
        parents = [
            () if g == 0 else (g - 1,) if chain else tuple(rng.integers(0, g, int(rng.random() < HAS_PARENT)).tolist())
            for g in range(len(sizes))
        ]
    if len(parents) != len(sizes) or any(not 0 <= p < len(sizes) or p == g for g, ps in enumerate(parents) for p in ps):
        raise ParameterError(f"parents is {parents!r}: give the numbers of other communities for each of {len(sizes)}")
    first = np.cumsum([0, *sizes])
    mixing = np.zeros((n, n))
    for g, size in enumerate(sizes):
        for a in range(size):
            if size > 1:
                mixing[first[g] + a, first[g] + (a - 1) % size] += INSIDE
            for p in parents[g]:
                mixing[first[g] + a, first[p] + a % sizes[p]] += BETWEEN
    series = np.empty((n_samples, n))
    _logistic(state, r, mixing, BURN_IN, series)
    edges = np.array(sorted((p, g) for g, ps in enumerate(parents) for p in ps), dtype=np.int64).reshape(-1, 2)
    return Network(series, mixing.T > 0, np.repeat(np.arange(len(sizes)), sizes), edges)


def even_network(
    n_samples: int = 2000,
    n_variables: int = 40,
    n_links: int = 16,
    *,
    shape: str = "pairs",
    memory: float = 0.7,
    follower: tuple[float, float, float] = (0.5, 0.6, 0.4),
    random_state: int | np.random.Generator | None = None,
) -> Network:
    """Noisy series some of which follow the square of another: links that no linear test can see.

    Drivers, and variables without links, are autoregressive: ``x' = phi x + sqrt(1 - phi^2) noise``.  A follower is
    ``y' = a y + b (x^2 - 1) + c noise``; where it drives another in turn, it is scaled to mean 0, variance 1.

    Parameters
    ----------
    n_samples : int
        Rows, after 500 that are discarded.
    n_variables : int
        Columns.
    n_links : int
        Followers.
    shape : {"pairs", "chains", "stars"}
        One follower a driver; chains of four variables; three followers a driver.
    memory : float
        phi.
    follower : (float, float, float)
        a, b, c.
    random_state : int, Generator or None
        Seed.

    Returns
    -------
    Network
        Every variable is a community of its own.

    Examples
    --------
    >>> from infoscope.datasets import even_network
    >>> network = even_network(100, 6, 2, random_state=0)
    >>> network.series.shape, network.edges.tolist()
    ((100, 6), [[0, 1], [2, 3]])
    """
    from scipy.signal import lfilter

    rng = np.random.default_rng(random_state)
    check_choice(shape, "shape", ("pairs", "chains", "stars"))
    group = {"pairs": 2, "chains": 4, "stars": 4}[shape]
    edges: list[tuple[int, int]] = []
    variable = 0
    while len(edges) < n_links:
        for follower_at in range(variable + 1, variable + group):
            if len(edges) < n_links:
                edges.append((follower_at - 1 if shape == "chains" else variable, follower_at))
        variable = edges[-1][1] + 1
    if n_samples < 1 or n_links < 0 or variable > n_variables or n_variables < 1:
        raise ParameterError(f"{n_links} links in {shape} need {variable} variables, and n_variables is {n_variables}")
    if not -1 < memory < 1 or not -1 < follower[0] < 1:
        raise ParameterError(f"memory is {memory} and a {follower[0]}: both must lie between -1 and 1")
    a, b, c = follower
    noise = rng.normal(size=(BURN_IN + n_samples, n_variables))
    series = lfilter([np.sqrt(1 - memory**2)], [1.0, -memory], noise, axis=0)
    followers = {target for _, target in edges}
    for source, target in edges:
        x = series[:, source]
        if source in followers:
            x = (x - x.mean()) / x.std()
        push = c * noise[:, target]
        push[1:] += b * (x[:-1] ** 2 - 1)
        series[:, target] = lfilter([1.0], [1.0, -a], push)
    links = np.zeros((n_variables, n_variables), bool)
    for source, target in edges:
        links[source, target] = True
    return Network(
        series[BURN_IN:].copy(), links, np.arange(n_variables), np.array(edges, dtype=np.int64).reshape(-1, 2)
    )


@kernel
def _logistic(state, r, mixing, burn_in, series):
    n = len(state)
    mapped, stays = np.empty(n), 1 - mixing.sum(1)
    for t in range(-burn_in, len(series)):
        for i in range(n):
            mapped[i] = r[i] * state[i] * (1 - state[i])
        for i in range(n):
            x = stays[i] * mapped[i]
            for j in range(n):
                x += mixing[i, j] * mapped[j]
            state[i] = x
        if t >= 0:
            series[t] = state
