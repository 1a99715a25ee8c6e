"""Operators and graphs of NetKet: what they say as sums of Pauli strings and lattices, and back.

NetKet writes configurations as +1 (up) and -1 (down), site 0 first, as we do.  What it holds is read from its objects;
NetKet itself is imported only to make some.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

import numpy as np

from infoscope.base import DataError, ParameterError

from .lattices import Chain, Graph, Lattice, Square
from .spin_operators import SpinOperator, pauli_sum

MOST_SITES = 6  # of one local matrix: it has 4^6 strings
NEGLIGIBLE = 1e-14  # of the largest entry of a local matrix: what rounding leaves of strings that are not there
SINGLE = {
    "I": np.eye(2, dtype=complex),
    "X": np.array([[0, 1], [1, 0]], complex),
    "Y": np.array([[0, -1j], [1j, 0]]),
    "Z": np.diag([1.0 + 0j, -1.0]),
}


def from_netket(operator: Any) -> SpinOperator:
    """The sum of Pauli strings that an operator of NetKet is.

    Parameters
    ----------
    operator : netket.operator.LocalOperator, PauliStrings, Ising or other operator that has a local form
        On spins of a half.  NetKet's ``Heisenberg`` is in Pauli matrices (4 S . S) and, on a bipartite graph, with
        Marshall's signs unless ``sign_rule`` says otherwise; what it is, is kept.

    Returns
    -------
    SpinOperator
        Without couplings: `SpinOperator.times_coupling` gives it one.

    Raises
    ------
    DataError
        For other spins, another order of states, or an operator whose matrices cannot be read.

    Examples
    --------
    >>> import numpy as np
    >>> from types import SimpleNamespace
    >>> from infoscope.quantum import from_netket
    >>> hilbert = SimpleNamespace(size=2, local_states=[1, -1])
    >>> bond = SimpleNamespace(hilbert=hilbert, operators=[np.diag([1, -1, -1, 1])], acting_on=[(0, 1)], constant=0.5)
    >>> from_netket(bond).strings()                        # of a LocalOperator, these are read
    (('', 0.5, None), ('Z0 Z1', 1.0, None))
    """
    n_sites = _check_hilbert(operator)
    if hasattr(operator, "weights") and hasattr(operator, "operators"):  # PauliStrings
        texts = [_factors(str(text)) for text in np.asarray(operator.operators)]
        return pauli_sum(list(zip(texts, np.asarray(operator.weights).tolist(), strict=True)), n_sites)
    if not hasattr(operator, "acting_on") and hasattr(operator, "to_local_operator"):
        operator = operator.to_local_operator()
    if not hasattr(operator, "acting_on") or not hasattr(operator, "operators"):
        raise DataError(
            f"a {type(operator).__name__} has neither Pauli strings nor local matrices: write it as a LocalOperator or "
            "PauliStrings of NetKet"
        )
    terms: list[tuple[str, complex]] = [("", complex(operator.constant))]
    for matrix, sites in zip(operator.operators, operator.acting_on, strict=True):
        dense = matrix.todense() if hasattr(matrix, "todense") else matrix
        terms += _strings_of(np.asarray(dense), [int(site) for site in sites])
    return pauli_sum(terms, n_sites)


def netket_magnetization(operator: Any) -> int | None:
    """The sum of the spins that the Hilbert space of an operator of NetKet has fixed (twice its ``total_sz``), or None.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> from infoscope.quantum.netket_operators import netket_magnetization
    >>> netket_magnetization(SimpleNamespace(hilbert=SimpleNamespace(_total_sz=1.0)))
    2
    """
    total = getattr(operator.hilbert, "_total_sz", None)
    return None if total is None else int(round(2 * float(total)))


def lattice_from_netket(graph: Any) -> Lattice:
    """The lattice that a graph of NetKet is: a chain or a square where its edges are those of one, else a graph.

    Parameters
    ----------
    graph : netket.graph.AbstractGraph
        Its edges are the bonds of order 1.

    Returns
    -------
    Chain, Square or Graph
        Sites keep their numbers.

    Examples
    --------
    >>> from types import SimpleNamespace
    >>> from infoscope.quantum import lattice_from_netket
    >>> lattice_from_netket(SimpleNamespace(n_nodes=3, edges=lambda: [(0, 1), (2, 1)]))
    Chain(n_sites=3, periodic=False)
    """
    n_sites = int(graph.n_nodes)
    edges = [(int(a), int(b)) for a, b in graph.edges()]
    wanted = sorted(tuple(sorted(edge)) for edge in edges)
    for candidate in _candidates(n_sites, getattr(graph, "extent", None)):
        if [tuple(pair) for pair in candidate.bonds().tolist()] == wanted:
            return candidate
    return Graph(n_sites, tuple(edges))


def to_netket(operator: SpinOperator, couplings: Any = None, hilbert: Any = None) -> Any:
    """An operator as ``netket.operator.PauliStrings``.

    Parameters
    ----------
    operator : SpinOperator
        What is written.
    couplings : array (m,), optional
        Of one system; None where the operator has no couplings.
    hilbert : netket.hilbert.Spin, optional
        Spins of a half by default.

    Returns
    -------
    netket.operator.PauliStrings

    Raises
    ------
    MissingExtraError
        If NetKet is not installed.

    Examples
    --------
    >>> from infoscope.quantum import Chain, IsingFamily, to_netket
    >>> to_netket(IsingFamily(Chain(4)).operator, [1.0]).hilbert.size            # doctest: +SKIP
    4
    """
    netket = _require_netket()
    fixed = operator.at(couplings)
    space = netket.hilbert.Spin(0.5, operator.n_sites) if hilbert is None else hilbert
    rows = fixed.strings() or (("", 0.0, None),)
    return netket.operator.PauliStrings(
        space, [_letters(text, operator.n_sites) for text, *_ in rows], [weight for _, weight, _ in rows]
    )


# --------------------------------------------------------------------------------------------------------------- steps
def _require_netket() -> Any:
    from infoscope.base import MissingExtraError

    try:
        import netket
    except ModuleNotFoundError as error:
        raise MissingExtraError(
            "netket is not installed. Install it with: pip install netket", name="netket"
        ) from error
    return netket


def _check_hilbert(operator: Any) -> int:
    hilbert = getattr(operator, "hilbert", None)
    states = [float(one) for one in getattr(hilbert, "local_states", ())]
    if states == [-1.0, 1.0]:
        raise DataError("the Hilbert space has inverted_ordering=True, where down comes first: make it without")
    if states != [1.0, -1.0]:
        raise DataError(f"the operator acts on {hilbert}: only spins of a half (netket.hilbert.Spin(1/2, N)) are read")
    return int(hilbert.size)  # type: ignore[union-attr]


def _strings_of(matrix: np.ndarray, sites: Sequence[int]) -> list[tuple[str, complex]]:
    """The strings of a matrix on some sites, the first of which is the most significant: tr(P M) / 2^k each."""
    k = len(sites)
    if k > MOST_SITES:
        raise DataError(f"a local matrix acts on {k} sites: at most {MOST_SITES} are read; write it as PauliStrings")
    if matrix.shape != (2**k, 2**k):
        raise ParameterError(f"a local matrix on {k} sites has shape {matrix.shape}")
    tensor, least = matrix.reshape((2,) * (2 * k)), NEGLIGIBLE * np.abs(matrix).max(initial=0.0)
    found = []
    for letters in itertools.product("IXYZ", repeat=k):
        value = tensor
        for letter in letters:  # P_ba M_ab, over the first bra and the first ket that are left
            value = np.tensordot(SINGLE[letter].T, value, axes=([0, 1], [0, value.ndim // 2]))
        if abs(value) > least * 2**k:
            text = " ".join(f"{letter}{site}" for letter, site in zip(letters, sites, strict=True) if letter != "I")
            weight = complex(value) / 2**k
            found.append((text, weight.real if abs(weight.imag) <= least else weight))
    return found


def _factors(letters: str) -> str:
    """ "ZIX" as "Z0 X2"."""
    return " ".join(f"{letter}{site}" for site, letter in enumerate(letters) if letter != "I")


def _letters(text: str, n_sites: int) -> str:
    """ "Z0 X2" as "ZIX"."""
    found = ["I"] * n_sites
    for factor in text.split():
        found[int(factor[1:])] = factor[0]
    return "".join(found)


def _candidates(n_sites: int, extent: Any) -> list[Lattice]:
    found: list[Lattice] = []
    if n_sites >= 2:
        found += [Chain(n_sites, periodic) for periodic in (True, False)]
    if extent is not None and len(extent) == 2 and int(np.prod(extent)) == n_sites:
        found += [Square(int(extent[0]), int(extent[1]), periodic) for periodic in (True, False)]
    return found
