"""Pairs a second of the polymer's kernel, beside a plain loop over the same neighbour list; and a whole path's cost.

The plain loop is what one writes in C (here with numba): for every partner of a point the nearest image, the distance,
a test against the cutoff, then energy and force.  The kernel of infoscope gathers differences, works on them without
branches, and hands the forces out.  Both get the same list, and are timed alone: the best of many single evaluations,
in one thread.  Operations are counted as in the text of the kernel, 59 for a pair within the cutoff: 15 for the nearest
image of three differences, 5 for the square, 3 for its powers, 2 for clipping, 3 + 7 for energy and switch and 1 for
their product, 13 for the slope, 3 for forces and 7 for sums (a division or a rounding counts as one).
"""

from __future__ import annotations

import time
from argparse import Namespace
from collections.abc import Callable
from typing import Any

from harness import Row, bar, fresh, main, publish

SEED = 0
OPERATIONS = 59
STEPS, STEP = 400, 0.0141


# ------------------------------------------------------------------------------------------------- the contenders
def plain_loop() -> Any:
    import numpy as np
    from numba import njit

    @njit(nogil=True, error_model="numpy")
    def pairs(starts: Any, partners: Any, box: float, x: Any, gradient: Any) -> float:
        energy = 0.0
        gradient[:] = 0.0
        c, o = 6.25, 4.0
        for i in range(len(starts) - 1):
            for s in range(starts[i], starts[i + 1]):
                j = partners[s]
                dx, dy, dz = x[i, 0] - x[j, 0], x[i, 1] - x[j, 1], x[i, 2] - x[j, 2]
                dx -= box * np.rint(dx / box)
                dy -= box * np.rint(dy / box)
                dz -= box * np.rint(dz / box)
                r2 = dx * dx + dy * dy + dz * dz
                if r2 < c:
                    inverse = 1.0 / r2
                    sixth = inverse * inverse * inverse
                    pair = 4.0 * sixth * (sixth - 1.0)
                    slope = 24.0 * sixth * (1.0 - 2.0 * sixth) * inverse
                    if r2 > o:
                        switch = (c - r2) * (c - r2) * (c + 2.0 * r2 - 3.0 * o) / ((c - o) * (c - o) * (c - o))
                        change = -12.0 * (c - r2) * (r2 - o) / ((c - o) * (c - o) * (c - o))
                        slope = slope * switch + pair * change
                        pair *= switch
                    energy += pair
                    gradient[i, 0] += slope * dx
                    gradient[i, 1] += slope * dy
                    gradient[i, 2] += slope * dz
                    gradient[j, 0] -= slope * dx
                    gradient[j, 1] -= slope * dy
                    gradient[j, 2] -= slope * dz
        return energy

    return pairs


def least(call: Callable[[], Any], repeats: int) -> float:
    """Seconds of this thread in the fastest of many calls: others use the machine as well."""
    best = float("inf")
    for _ in range(repeats):
        began = time.thread_time()
        call()
        best = min(best, time.thread_time() - began)
    return best


def contender(n_solvent: int, repeats: int, threads: int) -> Row:
    import numpy as np

    from infoscope.sampling.systems import PolymerInSolvent
    from infoscope.sampling.systems.particle_kernels import pair_energy

    system = PolymerInSolvent(n_solvent, n_jobs=1)
    x = system.starts(1, random_state=SEED)
    terms, marks, gradient = system._terms(), np.array([-1, 0]), np.empty(x.shape[1])
    kind = (0,) * system.kind

    def ours() -> float:
        return pair_energy(kind, terms, marks, x[0], gradient)

    def anew() -> float:
        marks[0] = -1
        return pair_energy(kind, terms, marks, x[0], gradient)

    energy = ours()
    points, loop, other = x[0].reshape(-1, 3), plain_loop(), np.empty((system.n_points, 3))
    partners = (terms.partners[: terms.starts[-1]] // 3).astype(np.int32)

    def plain() -> float:
        return loop(terms.starts, partners, system.box, points, other)

    difference = abs(plain() - energy) + np.abs(other.ravel() - gradient).max()
    owners = np.repeat(np.arange(system.n_points), np.diff(terms.starts))
    away = points[owners] - points[partners]
    away -= system.box * np.rint(away / system.box)
    rng, z = np.random.default_rng(SEED), system.variables.values(x)
    p = rng.normal(size=x.shape)

    def path() -> Any:
        return system.drag(
            system.variables, x, z, 0 * z, p, kappa=100.0, n_steps=STEPS, step=STEP, masses=1.0, schedule="linear"
        )

    path()
    return {
        "listed": len(partners),
        "inside": int(((away**2).sum(1) < 6.25).sum()),
        "ours": least(ours, repeats),
        "plain": least(plain, repeats),
        "anew": least(anew, repeats),
        "path": least(path, max(3, repeats // 100)) / STEPS,
        "difference": difference,
    }


# ------------------------------------------------------------------------------------------------- the comparison
def run(options: Namespace) -> None:
    rows, found = [], {}
    for n in (200,) if options.quick else (200, 2000):
        row = found[n] = fresh("contender", n_solvent=n, repeats=200 if options.quick else 2000, threads=1)
        for name, key in (("infoscope", "ours"), ("plain loop over the list", "plain")):
            rows.append(
                {
                    "kernel": name,
                    "points": n + 9,
                    "pairs in the list": row["listed"],
                    "within the cutoff": row["inside"],
                    "microseconds": row[key] * 1e6,
                    "million pairs within a second": row["inside"] / row[key] / 1e6,
                    "GFlop/s": row["inside"] * OPERATIONS / row[key] / 1e9,
                    "times the plain loop": row["plain"] / row[key],
                }
            )
    costs = [
        {
            "points": n + 9,
            "forces, microseconds": row["ours"] * 1e6,
            "forces and a new list, microseconds": row["anew"] * 1e6,
            "a step of a path, lists included, microseconds": row["path"] * 1e6,
        }
        for n, row in found.items()
    ]
    first = found[200]
    bars = [bar("pairs a second beside a plain loop, 209 points", first["plain"] / first["ours"], 0.5, at_least=True)]
    notes = [
        f"Energies and forces of the two differ by {max(row['difference'] for row in found.values()):.0e} at most.",
        f"A path: {STEPS} steps of {STEP} with unit masses, the end-to-end distance held by a spring.",
    ]
    publish("sampling_pairs", options, {"Pairs": rows, "What a gradient costs": costs}, bars=bars, notes=notes)


if __name__ == "__main__":
    main(run, {"contender": contender})
