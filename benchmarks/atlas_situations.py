"""Situations of the calibration atlas: data sets whose true values are known, drawn anew for every replicate.

A situation is a name, the sizes it is drawn at, and a function of a generator and a size.  What it gives is a `Drawn`:
the data, what its rows carry (time, runs, weights), and the truths in closed form.  A quantity without one is compared
with the mean of its replicates.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import numpy as np

SIZES = (10, 30, 100, 300, 1000)
MANY = (10_000,)  # of five situations: errors that fall with the root of the items leave a bias bare
NOISE = 0.5  # of the second description


class Drawn(NamedTuple):
    """One data set.

    Attributes
    ----------
    x, y : array (N, D)
        Items, and a second description of them.
    options : mapping
        What a `Space` of them carries.
    truth : mapping of name to number or array (N,)
        Values in closed form: "dimension", "entropy", "information", "log density", "populations", "barrier".
    independent : float
        Independent items, or correlation times (1 + 2 sum_k rho(k), as the library counts them) of a series; of
        classes the items in the rarest.
    labels : array (N,) or None
        A class of every item.
    bits : bool
        Whether `x` are bits.
    """

    x: np.ndarray
    y: np.ndarray
    options: Mapping[str, Any]
    truth: Mapping[str, Any]
    independent: float
    labels: np.ndarray | None = None
    bits: bool = False


class Situation(NamedTuple):
    """What the rows are like."""

    name: str
    draw: Callable[[np.random.Generator, int], Drawn]
    sizes: tuple[int, ...] = SIZES


def autoregressive(rng: np.random.Generator, n: int, memory: float, columns: int) -> np.ndarray:
    """Standard normal series whose correlation falls to 1/e in `memory` steps: correlation time of twice as many."""
    from scipy.signal import lfilter

    rho = np.exp(-1 / memory)
    steps = rng.normal(size=(n, columns)) * np.sqrt(1 - rho**2)
    steps[0] = rng.normal(size=columns)
    return lfilter([1.0], [1.0, -rho], steps, axis=0)


def normal_truths(x: np.ndarray, spread: float = 1.0) -> dict[str, Any]:
    """Of independent normal columns."""
    d = x.shape[1]
    one = 0.5 * np.log(2 * np.pi * spread**2)
    return {
        "dimension": float(d),
        "entropy": d * (one + 0.5),
        "log density": -d * one - 0.5 * (x**2).sum(1) / spread**2,
    }


def _independent(d: int) -> Callable[[np.random.Generator, int], Drawn]:
    def draw(rng: np.random.Generator, n: int) -> Drawn:
        x = rng.normal(size=(n, d))
        some = x[:, : max(1, d // 2)]
        y = some + NOISE * rng.normal(size=some.shape)
        information = some.shape[1] * 0.5 * np.log(1 + 1 / NOISE**2)
        return Drawn(x, y, {}, {**normal_truths(x), "information": information}, n)

    return draw


def _series(n_times: float) -> Callable[[np.random.Generator, int], Drawn]:
    def draw(rng: np.random.Generator, n: int) -> Drawn:
        x, noise = (autoregressive(rng, n, n / (2 * n_times), 2) for _ in range(2))
        truth = {**normal_truths(x), "information": np.log(1 + 1 / NOISE**2)}
        return Drawn(x, x + NOISE * noise, {"time": np.arange(float(n))}, truth, n_times)

    return draw


def _runs(rng: np.random.Generator, n: int) -> Drawn:
    """Ten trajectories of five correlation times each."""
    length = n // 10
    parts = [[autoregressive(rng, length, length / 10, 2) for _ in range(10)] for _ in range(2)]
    x, noise = (np.vstack(some) for some in parts)
    carried = {"time": np.tile(np.arange(float(length)), 10), "run": np.repeat(np.arange(10), length)}
    return Drawn(x, x + NOISE * noise, carried, normal_truths(x), 50)


def _lattice(values: int) -> Callable[[np.random.Generator, int], Drawn]:
    def draw(rng: np.random.Generator, n: int) -> Drawn:
        x = rng.integers(0, values, (n, 3)).astype(float)
        some = np.where(rng.random(n) < 0.3, rng.integers(0, values, n), x[:, 0])
        return Drawn(x, some[:, None].astype(float), {}, {}, n)

    return draw


def _weights(spread: float) -> Callable[[np.random.Generator, int], Drawn]:
    def draw(rng: np.random.Generator, n: int) -> Drawn:
        x = rng.normal(size=(n, 2))
        y = x[:, :1] + NOISE * rng.normal(size=(n, 1))
        weight = np.exp(spread * rng.normal(size=n))  # of items that have nothing to do with it
        effective = n * np.exp(-(spread**2))  # Kish
        return Drawn(x, y, {"sample_weight": weight}, normal_truths(x), effective)

    return draw


def _rare_class(share: float) -> Callable[[np.random.Generator, int], Drawn]:
    def draw(rng: np.random.Generator, n: int) -> Drawn:
        members = max(1, round(share * n))
        labels = np.arange(n) < members
        x = rng.normal(size=(n, 3))
        x[labels, 0] += 2
        return Drawn(x, x[:, 1:], {}, {}, members, labels=labels.astype(int))

    return draw


def _clusters(apart: float) -> Callable[[np.random.Generator, int], Drawn]:
    def draw(rng: np.random.Generator, n: int) -> Drawn:
        members = rng.random(n) < 0.5
        x = rng.normal(size=(n, 2))
        x[:, 0] += apart * members
        y = x[:, :1] + NOISE * rng.normal(size=(n, 1))
        log_density = np.logaddexp(*(-0.5 * ((x - [c, 0]) ** 2).sum(1) for c in (0, apart))) - np.log(4 * np.pi)
        truth: dict[str, Any] = {"dimension": 2.0, "log density": log_density}
        if apart >= 4:  # nearer ones have no two peaks to tell apart
            truth["populations"] = 0.5
            truth["barrier"] = apart**2 / 8 - np.log(2) + np.log1p(np.exp(-(apart**2) / 2))
        return Drawn(x, y, {}, truth, n / 2, labels=members.astype(int))

    return draw


def _double_well(rng: np.random.Generator, n: int) -> Drawn:
    """A walk in 2.5 (x^2 - 1)^2 every 0.1: some two hundred frames between crossings."""
    x, step, kept = rng.choice([-1.0, 1.0]), 0.01, np.empty(n)
    shocks = np.sqrt(2 * step) * rng.normal(size=(n, 10))
    for i in range(n):
        for shock in shocks[i]:
            x += -10 * x * (x * x - 1) * step + shock
        kept[i] = x
    some = kept[:, None]
    return Drawn(some, some, {"time": np.arange(float(n))}, {"populations": 0.5, "barrier": 2.5}, n / 200)


def _bits(rng: np.random.Generator, n: int) -> Drawn:
    x = rng.random((n, 40)) < 0.5
    return Drawn(x, x, {}, {"bits": 40.0}, n, bits=True)


def _flips(rng: np.random.Generator, n: int) -> Drawn:
    """Bits that flip with probability 0.08 a step."""
    flips = rng.random((n, 40)) < 0.08
    flips[0] = rng.random(40) < 0.5
    x = (np.cumsum(flips, axis=0) % 2).astype(bool)
    return Drawn(x, x, {"time": np.arange(float(n))}, {}, n / 11.5, bits=True)  # 1 + 2 sum_t (1 - 2 p)^t


def _ising_ring(memory: float) -> Callable[[np.random.Generator, int], Drawn]:
    """Spins of a ring of 8 in a transverse field of 0.9: independent draws, or four chains that stay where they are."""

    def draw(rng: np.random.Generator, n: int) -> Drawn:
        from infoscope.quantum import Chain, ExactQuantumState, IsingFamily, transverse_ising_chain_exact

        spins = ExactQuantumState(IsingFamily(Chain(8))).sample(0.9, n, random_state=rng).spins[0]
        if memory:
            chains = spins[: n - n % 4].reshape(4, -1, 8)
            for step in range(1, chains.shape[1]):
                stays = rng.random(4) < np.exp(-1 / memory)
                chains[stays, step] = chains[stays, step - 1]
            spins = chains.reshape(-1, 8)
        truth = {"chi": float(transverse_ising_chain_exact(8, np.array([0.9])).chi[0])}
        options = {"run": np.repeat(range(4), len(spins) // 4)} if memory else {}
        return Drawn(spins < 0, spins < 0, options, truth, n / (2 * memory) if memory else n, bits=True)

    return draw


SITUATIONS: tuple[Situation, ...] = (
    *(
        Situation(f"independent, {d} column{'s' * (d > 1)}", _independent(d), SIZES + MANY * (d in (2, 5)))
        for d in (1, 2, 5, 10, 20)
    ),
    *(Situation(f"series of {t:g} correlation times", _series(t), (100, 300, 1000)) for t in (2.5, 10, 25, 50)),
    *(Situation(f"series of {t} correlation times", _series(t), (300, 1000, *MANY * (t == 200))) for t in (100, 200)),
    Situation("ten runs of five correlation times", _runs, (300, 1000)),
    *(Situation(f"lattice of {m} values", _lattice(m), SIZES + MANY * (m == 20)) for m in (2, 5, 20, 50)),
    *(Situation(f"log-normal weights, {s:g}", _weights(s), (30, 100, 300, 1000)) for s in (0.5, 1.0)),
    *(Situation(f"class of {100 * p:g} %", _rare_class(p), (30, 100, 300, 1000)) for p in (0.02, 0.1, 0.5)),
    *(Situation(f"two clusters {s} sd apart", _clusters(s), (100, 300, 1000, *MANY * (s == 4))) for s in (2, 4, 6, 10)),
    Situation("double well", _double_well, (1000, 3000)),
    Situation("bits", _bits, (30, 100, 300, 1000)),
    Situation("bits that flip", _flips, (100, 300, 1000)),
    Situation("spins of an Ising ring", _ising_ring(0), (100, 300, 1000)),
    Situation("chains of an Ising ring", _ising_ring(5), (1000, 3000)),
)
