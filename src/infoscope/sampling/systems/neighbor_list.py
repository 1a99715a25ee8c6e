"""Which pairs of points an energy has to look at: a list with a skin, by cells or by all distances."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from infoscope.base import kernel
from infoscope.base.array_types import Floats, Ints


class ParticleTerms(NamedTuple):
    """Points in a periodic box whose first few are a molecule; pairs within it are no pairs of the list."""

    n_dim: int
    n_points: int
    n_molecule: int
    box: float
    cutoff: float
    onset: float  # from where on the energy of a pair is switched off
    skin: float
    kT: float
    molecule: Floats  # constants of the molecule
    starts: Ints  # (N + 1,) of the partners of a point
    partners: Ints  # where their coordinates begin; unsigned
    anchors: Floats  # (D,) where the points were when the list was made
    columns: Floats  # (3, at least N) to write on: coordinates, or differences of pairs
    energies: Floats  # (as many,) to write on
    heads: Ints  # first point of a cell, -1 for none; no cells: empty
    following: Ints  # (N,) the next one in its cell


@kernel(references=False)
def moved_too_far(terms: ParticleTerms, x: Floats) -> bool:
    """Whether two points may have come closer by more than the skin since the list was made (exact: it then holds all).

    Numbers that are none say so as well.
    """
    most, second = 0.0, 0.0
    for i in range(terms.n_points):
        square = 0.0
        for a in range(i * terms.n_dim, (i + 1) * terms.n_dim):
            square += (x[a] - terms.anchors[a]) ** 2
        if square > most:
            most, second = square, most
        elif square > second:
            second = square
    return not np.sqrt(most) + np.sqrt(second) < terms.skin


@kernel(references=False)
def list_pairs(terms: ParticleTerms, marks: Ints, x: Floats) -> None:
    """All pairs within cutoff and skin, each at one of its points: by cells, or by all distances of few points."""
    n_dim, box, reach = terms.n_dim, terms.box, (terms.cutoff + terms.skin) ** 2
    columns, square, n = terms.columns, terms.energies, 0
    for i in range(terms.n_points):
        for c in range(n_dim):
            terms.anchors[i * n_dim + c] = x[i * n_dim + c]
            columns[c, i] = x[i * n_dim + c]
        for c in range(n_dim, 3):
            columns[c, i] = 0.0
    marks[1] += 1
    per_box = 1 / box
    if len(terms.heads) > 0:
        marks[0] = _list_by_cells(terms, reach)
        return
    for i in range(terms.n_points):
        terms.starts[i] = n
        first = max(i + 1, terms.n_molecule if i < terms.n_molecule else 0)
        own, own_1, own_2 = columns[0, i], columns[1, i], columns[2, i]
        for j in range(first, terms.n_points):  # without branches: vector instructions
            a, b, c = own - columns[0, j], own_1 - columns[1, j], own_2 - columns[2, j]
            a, b, c = a - box * np.rint(a * per_box), b - box * np.rint(b * per_box), c - box * np.rint(c * per_box)
            square[j] = a * a + b * b + c * c
        for j in range(first, terms.n_points):
            terms.partners[n] = j * n_dim
            n += square[j] < reach
    terms.starts[terms.n_points] = n
    marks[0] = n


@kernel(references=False)
def _list_by_cells(terms: ParticleTerms, reach: float) -> int:
    """The same pairs, from each cell and the half of those around it that come after it in every direction.

    A side has at least three cells, none shorter than reach.
    """
    n_dim, box, columns, heads = terms.n_dim, terms.box, terms.columns, terms.heads
    side, per_box = round(len(heads) ** (1 / n_dim)), 1 / box
    deep = side if n_dim == 3 else 1
    for cell in range(len(heads)):
        heads[cell] = -1
    for i in range(terms.n_points):
        at = (_cell(columns[2, i], box, side) if n_dim == 3 else 0) * side + _cell(columns[1, i], box, side)
        at = at * side + _cell(columns[0, i], box, side)
        terms.following[i] = heads[at]
        heads[at] = i
    n = 0
    for i in range(terms.n_points):
        terms.starts[i] = n
        p, q = _cell(columns[0, i], box, side), _cell(columns[1, i], box, side)
        r = _cell(columns[2, i], box, side) if n_dim == 3 else 0
        own, own_1, own_2 = columns[0, i], columns[1, i], columns[2, i]
        for dr in range(0, 2 if deep > 1 else 1):
            for dq in range(-1 if dr > 0 else 0, 2):
                for dp in range(-1 if dr > 0 or dq > 0 else 0, 2):
                    j = heads[(((r + dr) % deep) * side + (q + dq) % side) * side + (p + dp) % side]
                    if dr == 0 and dq == 0 and dp == 0:
                        j = terms.following[i]  # in its own cell only those after it
                    while j >= 0:
                        a, b, c = own - columns[0, j], own_1 - columns[1, j], own_2 - columns[2, j]
                        a, b, c = (
                            a - box * np.rint(a * per_box),
                            b - box * np.rint(b * per_box),
                            c - box * np.rint(c * per_box),
                        )
                        terms.partners[n] = j * n_dim
                        n += a * a + b * b + c * c < reach and (i >= terms.n_molecule or j >= terms.n_molecule)
                        j = terms.following[j]
    terms.starts[terms.n_points] = n
    return n


@kernel(inline="always", references=False)
def _cell(value: float, box: float, side: int) -> int:
    share = value / box
    share -= np.floor(share)
    return min(int(share * side), side - 1)
