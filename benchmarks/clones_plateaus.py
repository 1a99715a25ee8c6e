"""Deep factored attention on a four-body law: pairs are learnt first, then triples, then all four.

The law of Rende et al. (arXiv 2410.19637, figure 2): p = exp(-c sum J_ijkl U(s_i, s_j, s_k, s_l)), over four different
sites of 20, with an alphabet of 10 tokens; J = mean of j_i j_j j_k j_l over 200 patterns j that are 1 with probability
0.8, else 0, and U alike, of patterns u over tokens.  The published text leaves c open.  With 200 patterns u of zeros
and ones U is close to a constant plus what single tokens and pairs tell: one layer comes within 0.5 % of the floor,
and no plateau could be told from the next.  The law that is trained on has 3 patterns u, standardized, plus 0.3; c is
such that a token costs 40 to 60 % of log 10 where the others are known.

One, two and three layers, of orders 2, 3 and 5, are trained by SGD without momentum.  A bound is what the network of
fewer layers reaches in the end; the floor is the loss of the law's own conditionals on the same held-out sequences.
Weights scatter from the first batches on, while nothing but the frequencies of tokens is learnt: a layer departs at the
step from which on it stays further from where it began than in all that time.  Two shorter trainings of three layers,
from other weights, tell whether the order in which layers depart is one of the law or of luck.
"""

from __future__ import annotations

import math
import tempfile
from argparse import Namespace
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from pathlib import Path
from typing import Any

from harness import Row, bar, fresh, main, publish

L, V, PATTERNS = 20, 10, 200
N_TRAIN, N_HELD_OUT, SWEEPS = 25_600, 2_000, 80
LAWS = {"of 3 patterns": (3, 0.6872), "as written": (PATTERNS, 0.5)}  # patterns u, and c
ORDERS = {1: 2, 2: 3, 3: 5}  # of networks, by their layers; three layers hold laws of four tokens
STEPS = {1: 30_000, 2: 100_000, 3: 200_000}
SHORT, SEEDS = 60_000, (1, 2)  # of three layers once more; the others begin from seed 0
LEARNING_RATE, BATCH, KEPT = 0.1, 256, 80
LEARNT = 0.99  # of the loss by frequencies of tokens: below, something else is learnt
FALL = 0.3  # nats per factor of e in steps; set between the scatter of a long pause (0.2) and its end (0.55)


def sequences(law: str, path: str, n_sweeps: int, threads: int) -> Row:
    """Draw sequences by Gibbs sampling from independent tokens, and the loss of the law itself on the held-out ones."""
    import numpy as np
    from numba import njit

    n_patterns, strength = LAWS[law]
    rng = np.random.default_rng(0)
    j = (rng.random((PATTERNS, L)) < 0.8).astype(float)
    u = (rng.random((n_patterns, V)) < 0.8).astype(float)
    if law != "as written":
        u = (u - 0.8) / (u - 0.8).std() + 0.3
    sites = np.einsum("pi,pj,pk,pl->ijkl", j, j, j, j) / PATTERNS
    values = strength * np.einsum("pi,pj,pk,pl->ijkl", u, u, u, u) / n_patterns

    @njit(fastmath=True)
    def conditional(row, site, sites, values):
        logits = np.zeros(V)
        for a in range(L):
            for b in range(a):
                for c in range(b):
                    weight = sites[site, a, b, c] if site not in (a, b, c) else 0.0
                    for v in range(V):
                        logits[v] -= weight * values[row[a], row[b], row[c], v]
        p = np.exp(logits - logits.max())
        return p / p.sum()

    @njit
    def sweep(rows, uniform, sites, values, losses):
        for n in range(len(rows)):
            for site in range(L):
                p = conditional(rows[n], site, sites, values)
                losses[n] -= np.log(p[rows[n, site]]) / L
                if uniform.size:
                    rows[n, site] = min(V - 1, np.searchsorted(np.cumsum(p), uniform[n, site], side="right"))

    rows = rng.integers(V, size=(N_TRAIN + N_HELD_OUT, L))
    for _ in range(n_sweeps):
        sweep(rows, rng.random(rows.shape), sites, values, np.zeros(len(rows)))
    np.save(path, rows)
    losses = np.zeros(N_HELD_OUT)
    sweep(rows[N_TRAIN:], np.empty((0, 0)), sites, values, losses)
    shares = [np.bincount(column, minlength=V) / N_TRAIN for column in rows[:N_TRAIN].T]
    single = np.mean([-np.log(shares[site][rows[N_TRAIN:, site]]) for site in range(L)])
    return {"single": single, "floor": losses.mean(), "floor_se": losses.std(ddof=1) / N_HELD_OUT**0.5}


def network(layers: int, n_steps: int, seed: int, path: str, threads: int) -> Row:
    """One training: held-out losses at the steps that were kept, and how far each layer has moved."""
    import numpy as np

    from infoscope.clones import InteractionModel

    rows = np.load(path)
    train, held_out = rows[:N_TRAIN], rows[N_TRAIN:]
    model = InteractionModel(
        ORDERS[layers], model="factored", n_heads=1, positions="full", optimizer="sgd", learning_rate=LEARNING_RATE,
        batch_size=BATCH, mask="single", n_steps=n_steps, validation=0.0, n_kept=KEPT,
        random_state=seed,
    ).fit(train)  # fmt: skip
    at = np.arange(N_HELD_OUT)
    losses = []
    for ask in model.checkpoints_.values():
        of_sites = [-ask(held_out, np.full(N_HELD_OUT, site))[at, held_out[:, site]] for site in range(L)]
        losses.append(float(np.mean(of_sites)))
    moved = model.weight_motion()
    return {
        "steps": moved.steps.tolist(), "losses": losses, "motion": moved.motion.tolist(),
        "half_step": moved.half_step.tolist(),
    }  # fmt: skip


def monotone(losses: list[float]) -> Any:
    """The losses without the scatter of stochastic steps: their fit that never rises."""
    from sklearn.isotonic import isotonic_regression

    return isotonic_regression(losses, increasing=False)


def departures(training: Row, single: float) -> list[int | None]:
    """By layer, the first step from which on it stays further away than while only single tokens were learnt."""
    import numpy as np

    motion = np.array(training["motion"])
    only_single = monotone(training["losses"]) > LEARNT * single
    beyond = motion > motion[only_single].max(axis=0)
    left = [int(np.flatnonzero(~layer)[-1]) + 1 for layer in beyond.T]
    return [training["steps"][index] if index < len(motion) else None for index in left]


def pauses(steps: list[int], losses: list[float], single: float) -> list[tuple[int, float]]:
    """Last step, and median loss, of what lies between two falls; and the end.

    Losses of stochastic steps scatter, so falls are sought in their monotone fit: steps, even on a logarithmic axis, at
    which the loss falls faster than on both sides, by `FALL` nats per factor of e.  What comes before anything beyond
    the frequencies of single tokens is learnt does not count.
    """
    import numpy as np
    from scipy.signal import find_peaks

    at, fit = np.log1p(steps), monotone(losses)
    rate = -np.gradient(fit, at)
    falls = find_peaks(rate, prominence=FALL)[0]
    falls = falls[fit[falls] < LEARNT * single]
    between = [(steps[right - 1], float(np.median(losses[left:right]))) for left, right in pairwise(falls)]
    return [*between, (steps[-1], losses[-1])]


def run(options: Namespace) -> None:
    scale = 100 if options.quick else 1
    with tempfile.TemporaryDirectory() as folder, ThreadPoolExecutor(options.threads) as pool:
        paths = {law: str(Path(folder) / f"law {number}.npy") for number, law in enumerate(LAWS)}

        def draw(law: str) -> Row:
            return fresh("sequences", threads=1, law=law, path=paths[law], n_sweeps=2 if options.quick else SWEEPS)

        def learn(law: str, layers: int, seed: int) -> Row:
            n_steps = (SHORT if seed in SEEDS else STEPS[layers]) // scale
            return fresh("network", threads=1, layers=layers, n_steps=n_steps, seed=seed, path=paths[law])

        drawn = dict(zip(LAWS, pool.map(draw, LAWS), strict=True))
        plain, written = LAWS
        asked = [(plain, 3, 0), (plain, 2, 0), (plain, 1, 0), (written, 1, 0), *((plain, 3, seed) for seed in SEEDS)]
        found = dict(zip(asked, pool.map(learn, *zip(*asked, strict=True)), strict=True))
    losses: list[Row] = []
    for (law, layers, seed), training in sorted(found.items(), key=lambda one: (*one[0][:2], one[1]["steps"][-1])):
        losses.append(
            {
                "law": law, "conditionals": f"of {layers} layer{'s' * (layers > 1)}", "seed": seed,
                "steps": training["steps"][-1], "loss": training["losses"][-1],
            }
        )  # fmt: skip
    for law, row in drawn.items():
        losses.append({"law": law, "conditionals": "frequencies of tokens at each site", "loss": row["single"]})
        losses.append({"law": law, "conditionals": "its own", "loss": row["floor"]})
    single = drawn[plain]["single"]
    bounds = [found[plain, 1, 0]["losses"][-1], found[plain, 2, 0]["losses"][-1], drawn[plain]["floor"]]
    deep = {seed: found[plain, 3, seed] for seed in (0, *SEEDS)}
    flat = pauses(deep[0]["steps"], deep[0]["losses"], single)
    names = ("one layer", "two layers", "the law itself")
    known = dict(zip(names, zip(flat, bounds, strict=False), strict=False))
    found_at: list[Row] = [{"until step": step, "median loss": loss} for step, loss in flat]
    motion: list[Row] = []
    in_order = 0
    for seed, training in deep.items():
        left = departures(training, single)
        first, middle, last = (math.inf if step is None else step for step in left)
        in_order += last < middle < first < math.inf
        motion += [
            {
                "seed": seed, "layer": number, "departs at step": "never" if step is None else step,
                "half of its own way at step": half,
            }
            for number, (step, half) in enumerate(zip(left, training["half_step"], strict=True), 1)
        ]  # fmt: skip
    bars: list[dict[str, Any]] = [
        bar("falls behind which three layers pause, or end", len(flat), 3, at_least=True),
        *(
            bar(
                f"distance of pause {number} from what {name} reaches, %",
                abs(known[name][0][1] / known[name][1] - 1) * 100 if name in known else None,
                2,
            )
            for number, name in enumerate(names, 1)
        ),
        bar(
            f"trainings out of {len(deep)} in which layers depart last, middle, first",
            in_order,
            len(deep),
            at_least=True,
        ),
    ]
    share = {law: row["floor"] / math.log(V) for law, row in drawn.items()}
    notes = [
        f"{N_TRAIN:,} sequences of {L} tokens out of {V}, {N_HELD_OUT:,} others to measure losses with (nats a token, "
        f"one site hidden), after {SWEEPS} sweeps of Gibbs sampling from independent tokens; one head, factors of full "
        f"rank, batches of {BATCH}, one site a sequence, SGD whose rate rises to {LEARNING_RATE} over 3 % of the steps "
        "and then falls to 0 along a cosine, gradients no longer than 1.",
        f"A pause lies between two falls of the monotone fit of the losses by {FALL} nats per factor of e or more; "
        "a layer departs where the mean square distance of its weights from where they began stays for good above the "
        f"largest until the loss was {1 - LEARNT:.0%} below that by frequencies of tokens.",
        "; ".join(
            f"law {law}: c = {LAWS[law][1]}, a token costs {value:.0%} of log {V} where the others are known"
            for law, value in share.items()
        )
        + ".",
    ]
    tables = {"Held-out losses": losses, "Where three layers pause": found_at, "Layers move": motion}
    publish("clones_plateaus", options, tables, bars=bars, notes=notes)


if __name__ == "__main__":
    main(run, {"sequences": sequences, "network": network})
