"""Sparse Hamiltonians and their lowest two levels, beside NetKet's operators and ``lanczos_ed``.

Three systems: the transverse-field Ising ring of 16 spins at its transition (all 65,536 configurations), the 4 x 4
J1-J2 square at J2 = 0.5 in the sector of zero magnetisation (12,870), and the ring of 18 (262,144).  Both build the
same matrix and find the same levels.  ``lanczos_ed`` gives the lowest two eigenvalues of one search; ours are found in
both parities apart, a second search makes sure that no copy of a level was missed, and the degeneracy and the gap come
with them.  Contenders take turns, each time in a process of its own, and the least of the turns counts: seconds of the
processor, since other programs may run.  The first call of NetKet compiles, and is shown apart.

INFOSCOPE_NETKET_PYTHON names the Python of an environment with ``netket==3.23.0``; without it NetKet is skipped.
"""

from __future__ import annotations

import os
import shutil
import time
from argparse import Namespace
from collections.abc import Callable
from typing import Any

from harness import Row, bar, best_of, fresh, main, peak_mb, publish, reset_peak, resident_mb

SYSTEMS = {
    "Ising ring, 16 spins": ("ising", 16),
    "J1-J2 square, 4 x 4": ("square", 4),
    "Ising ring, 18 spins": ("ising", 18),
}
TURNS = 3
AGREEMENT = 1e-9


# ------------------------------------------------------------------------------------------------- the contenders
def ours(kind: str, size: int) -> tuple[Callable[[], Any], Callable[[], Any]]:
    """The matrix, and the lowest two levels from nothing."""
    from infoscope.quantum import Chain, HeisenbergFamily, IsingFamily, Square, exact_spectrum

    family: Any
    if kind == "ising":
        family, couplings = IsingFamily(Chain(size)), [1.0]
    else:
        family, couplings = HeisenbergFamily(Square(size), couplings=("J2",)), [0.5]

    def matrix() -> Any:
        return family.operator.matrix(couplings, family.configurations())

    return matrix, lambda: exact_spectrum(family, couplings, k=2).energies[0]


def netket(kind: str, size: int) -> tuple[Callable[[], Any], Callable[[], Any]]:
    """The same of NetKet, whose Heisenberg operator is in Pauli matrices."""
    import netket as nk

    if kind == "ising":
        space = nk.hilbert.Spin(0.5, size)
        operator = nk.operator.Ising(space, nk.graph.Chain(size), h=1.0, J=-1.0)
    else:
        graph = nk.graph.Square(size, max_neighbor_order=2)
        space = nk.hilbert.Spin(0.5, size**2, total_sz=0)
        operator = nk.operator.Heisenberg(space, graph, J=[0.25, 0.125], sign_rule=[False, False])
    return operator.to_sparse, lambda: nk.exact.lanczos_ed(operator, k=2)


def contender(name: str, kind: str, size: int, threads: int) -> Row:
    import numpy as np

    matrix, levels = {"infoscope": ours, "NetKet": netket}[name](kind, size)
    began = time.process_time()
    nonzero = int(matrix().nnz)
    first = time.process_time() - began
    start = resident_mb()
    reset_peak()
    _, built = best_of(matrix)
    values, solved = best_of(levels)
    peak = peak_mb()
    return {
        "nonzero": nonzero,
        "first": first,
        "matrix": built["cpu_seconds"],
        "levels": solved["cpu_seconds"],
        "energies": np.sort(np.asarray(values, float)).tolist(),
        "peak": None if peak is None or start is None else peak - start,
    }


# ------------------------------------------------------------------------------------------------- the comparison
def run(options: Namespace) -> None:
    python = shutil.which(os.environ.get("INFOSCOPE_NETKET_PYTHON", ""))
    names = ["infoscope", *(["NetKet"] if python else [])]
    systems = {"Ising ring, 10 spins": ("ising", 10)} if options.quick else SYSTEMS
    tables, bars, used, apart = [], [], {}, 0.0
    for title, (kind, size) in systems.items():
        turns: dict[str, list[Row]] = {name: [] for name in names}
        for _ in range(1 if options.quick else TURNS):
            for name in names:
                where = {"python": python} if name == "NetKet" else {}
                row = fresh("contender", threads=options.threads, name=name, kind=kind, size=size, **where)
                turns[name].append(row)
                used[name] = row["versions"]
        best = {name: _least(rows) for name, rows in turns.items()}
        tables += [_line(title, name, row, best["infoscope"]) for name, row in best.items()]
        if "NetKet" in best:
            theirs, mine = best["NetKet"], best["infoscope"]
            apart = max(apart, *(abs(a - b) for a, b in zip(theirs["energies"], mine["energies"], strict=True)))
            ratio = theirs["matrix"] / mine["matrix"]
            bars.append(bar(f"building the matrix beside NetKet, {title}", ratio, 1, at_least=True, unit="times"))
    if apart > AGREEMENT:
        raise SystemExit(f"quantum_exact.py: the levels differ by {apart:.3g}")
    notes = [f"The levels of the two differ by {apart:.0e} at most."] if python else []
    notes += [] if python else ["NetKet was skipped: INFOSCOPE_NETKET_PYTHON names no Python that exists."]
    publish("quantum_exact", options, {"Exact diagonalisation": tables}, bars=bars, notes=notes, used=used)


def _least(rows: list[Row]) -> Row:
    numbers = ("first", "matrix", "levels")
    return rows[0] | {name: min(row[name] for row in rows) for name in numbers}


def _line(title: str, name: str, row: Row, mine: Row) -> Row:
    return {
        "system": title,
        "contender": name,
        "elements": row["nonzero"],
        "first matrix, CPU s": row["first"],
        "matrix, CPU s": row["matrix"],
        "lowest two levels, CPU s": row["levels"],
        "matrix, times infoscope": row["matrix"] / mine["matrix"],
        "levels, times infoscope": row["levels"] / mine["levels"],
        "peak above start, MB": row["peak"],
    }


if __name__ == "__main__":
    main(run, {"contender": contender})
