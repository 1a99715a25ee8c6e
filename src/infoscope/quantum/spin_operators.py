"""Operators on spins: sums of Pauli strings whose weights may hang on couplings.

Strings that flip the same spins share one element: with s the bra and s' = s flipped by mask k,

    <s| H |s'> = D_k(s; c) = sum over strings t with mask k of  weight_t (1 or c[coupling_t]) prod_{i in signs_t} s_i,

so a row of H has at most K elements, and D_0 is its diagonal.  For sigma^y the phase -i is part of the weight, and its
site is among the flips and the signs (see `pauli_strings.py`).
"""

from __future__ import annotations

import numbers
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import scipy.sparse as sp

from infoscope.base import DataError, ParameterError

from .configurations import MAX_STATES, check_spins, enumerate_configurations, spins_of
from .pauli_strings import read_pauli_string, spell_pauli_string
from .sparse_matrices import Sector, forecast_bytes, matrices, refuse_large

FREE = 12  # spins of a mask up to which all their patterns are looked at


@dataclass(frozen=True, eq=False)
class SpinOperator:
    """A sum of Pauli strings, grouped by the spins that they flip.

    Made by `pauli_sum`, a family, or observables such as `magnetization`; can be added, and multiplied by numbers.

    Attributes
    ----------
    flips : ndarray of bool, shape (K, n_sites)
        Masks of flipped spins, all different; the first flips none.
    term_flip : ndarray of int, shape (T,)
        Which mask a string has.
    term_signs : ndarray of bool, shape (T, n_sites)
        Spins whose signs enter.
    term_weight : ndarray of float or complex, shape (T,)
        Weights, phases of sigma^y included.
    term_coupling : ndarray of int, shape (T,)
        Number of the coupling that multiplies the string; -1 for none.
    coupling_names : tuple of str
        What they are called.

    Examples
    --------
    >>> from infoscope.quantum import pauli_sum
    >>> bond = pauli_sum({"Z0 Z1": -1.0, "X0": -0.5}, n_sites=2)
    >>> bond.matrix().toarray()[:2]
    array([[-1. , -0.5,  0. ,  0. ],
           [-0.5,  1. ,  0. ,  0. ]])
    """

    flips: np.ndarray
    term_flip: np.ndarray
    term_signs: np.ndarray
    term_weight: np.ndarray
    term_coupling: np.ndarray
    coupling_names: tuple[str, ...] = ()

    # ----------------------------------------------------------------------------------------------------- what it is
    @property
    def n_sites(self) -> int:
        """How many spins."""
        return self.flips.shape[1]

    @property
    def n_couplings(self) -> int:
        """How many couplings it has."""
        return len(self.coupling_names)

    @property
    def n_flips(self) -> int:
        """K: how many elements a row has at most."""
        return len(self.flips)

    @property
    def is_real(self) -> bool:
        """Whether all elements are real."""
        return self.term_weight.dtype.kind != "c"

    @property
    def is_hermitian(self) -> bool:
        """Whether it is its own adjoint, whatever the couplings (real numbers)."""
        odd = (self.flips[self.term_flip] & self.term_signs).sum(1) % 2 == 1
        return bool((np.where(odd, -1, 1) * self.term_weight.conj() == self.term_weight).all())

    def strings(self) -> tuple[tuple[str, float | complex, str | None], ...]:
        """All strings as text, with their weights and the names of their couplings (None: no coupling)."""
        found = []
        rows = zip(self.term_flip, self.term_signs, self.term_weight, self.term_coupling, strict=True)
        for flip, signs, weight, coupling in rows:
            text, own = spell_pauli_string(self.flips[flip], signs)
            number = complex(weight) * own.conjugate()  # |own| = 1
            found.append(
                (
                    text,
                    number.real if not number.imag else number,
                    self.coupling_names[coupling] if coupling >= 0 else None,
                )
            )
        return tuple(found)

    def __repr__(self) -> str:
        names = f" of {', '.join(self.coupling_names)}" if 0 < self.n_couplings <= 4 else ""
        names = f" of {self.n_couplings} couplings" if self.n_couplings > 4 else names
        return f"SpinOperator({len(self.term_flip)} strings{names} on {self.n_sites} sites)"

    # -------------------------------------------------------------------------------------------------- its elements
    def at(self, couplings: Any = None) -> SpinOperator:
        """The operator with numbers in the place of its couplings."""
        factors = self.factors(couplings)
        if factors.ndim == 2:
            raise ParameterError(
                f"couplings has shape {np.shape(couplings)}: give the {self.n_couplings} of one operator"
            )
        return _merge(self.flips[self.term_flip], self.term_signs, factors, np.full(len(factors), -1), ())

    def elements(self, spins: Any, couplings: Any = None) -> np.ndarray:
        """Elements D_k(s) of the rows that belong to configurations.

        Parameters
        ----------
        spins : array, shape (M, n_sites)
            +1 and -1: s, the bra.
        couplings : array, shape (m,) or (M, m)
            Of all rows, or of each.  None where the operator has none.

        Returns
        -------
        ndarray of shape (M, K)
            Column k belongs to s flipped by ``flips[k]``.
        """
        columns = check_spins(spins, self.n_sites).T
        factors = self.factors(couplings, columns.shape[1])
        return self.sum_strings(columns, factors).T

    def sum_strings(self, columns: np.ndarray, factors: np.ndarray) -> np.ndarray:
        """Sums over the strings of each mask, (K, M), at spins (n_sites, M) with factors (T,) or (M, T)."""
        found = np.zeros((self.n_flips, columns.shape[1]), factors.dtype)  # by flips: sums run along memory
        for term, flip in enumerate(self.term_flip):
            if factors.ndim == 1 and factors[term] == 0:
                continue
            signs = _product(columns, np.flatnonzero(self.term_signs[term]))
            found[flip] += factors[..., term] if signs is None else factors[..., term] * signs
        return found

    def connected(self, spins: Any, couplings: Any = None) -> tuple[np.ndarray, np.ndarray]:
        """Configurations that rows lead to, and the elements towards them.

        Parameters
        ----------
        spins : array, shape (M, n_sites)
            +1 and -1: s, the bra.
        couplings : array, shape (m,) or (M, m)
            Of all rows, or of each.  None where the operator has none.

        Returns
        -------
        connected : ndarray of int8, shape (M, K, n_sites)
            s' for every mask; the first is s itself.
        elements : ndarray, shape (M, K)
            <s|H|s'>, zero where a mask leads nowhere from s.
        """
        spins = check_spins(spins, self.n_sites)
        turned = np.where(self.flips, np.int8(-1), np.int8(1))
        return spins[:, None] * turned, self.elements(spins, couplings)

    def matrix(self, couplings: Any = None, states: np.ndarray | None = None, *, project: bool = False) -> sp.csr_array:
        """The sparse matrix between configurations.

        Parameters
        ----------
        couplings : array, shape (m,), optional
            Of one system.
        states : ndarray of int64, optional
            Rising numbers of the configurations that rows and columns stand for; all 2^n_sites by default.
        project : bool
            Whether elements that lead out of `states` are left out, as they may be for the mean of an observable.

        Returns
        -------
        csr_array of float64 or complex128

        Raises
        ------
        ParameterError
            If there are more than 2^20 configurations, or the operator leads out of `states`.

        Notes
        -----
        Work and memory grow as configurations times `n_flips`: 12 bytes an element that is not zero.
        """
        factors = self.factors(couplings)
        if factors.ndim == 2:
            raise ParameterError(
                f"couplings has shape {np.shape(couplings)}: give the {self.n_couplings} of one matrix"
            )
        n_states = 2**self.n_sites if states is None else len(states)
        refuse_large(
            n_states, MAX_STATES, forecast_bytes(n_states, self.n_flips), f"the matrix on {self.n_sites} spins"
        )
        if states is None:
            states = enumerate_configurations(self.n_sites)
        (data,), indices, indptr = matrices(self, [factors], Sector(states, self.n_sites), project=project)
        return sp.csr_array((data, indices, indptr), shape=(n_states, n_states))

    # -------------------------------------------------------------------------------------------------- its symmetries
    def commutes_with_flip(self) -> bool:
        """Whether flipping all spins leaves it as it is, whatever the couplings."""
        return not (self.term_signs.sum(axis=1) % 2).any()

    def commutes_with(self, permutation: Any) -> bool:
        """Whether a permutation of the sites leaves it as it is, whatever the couplings."""
        order = np.asarray(permutation)
        if sorted(order.tolist()) != list(range(self.n_sites)):
            raise ParameterError(f"a permutation names each of the {self.n_sites} sites once, got {order.tolist()}")
        (keys, weights), (moved, moved_weights) = self._sorted_strings(), self._sorted_strings(order)
        return bool((keys == moved).all() and (weights == moved_weights).all())

    def conserves_magnetization(self) -> bool:
        """Whether it leads only to configurations with the same sum of spins, whatever the couplings."""
        for flip in range(1, self.n_flips):
            here = np.flatnonzero(self.flips[flip])
            terms = np.flatnonzero(self.term_flip == flip)
            if len(here) % 2 and len(terms):
                return False
            patterns = _patterns(len(here))
            patterns = patterns[patterns.sum(axis=1) != 0]  # flipping these changes the sum
            away = np.delete(np.arange(self.n_sites), here)
            sums: dict[Any, Any] = {}
            for term in terms:
                signs = self.term_signs[term]
                product = np.where(signs[here], patterns, 1).prod(axis=1)
                key = (int(self.term_coupling[term]), signs[away].tobytes())
                sums[key] = sums.get(key, 0) + self.term_weight[term] * product
            scale = np.abs(self.term_weight).max()
            if any(np.abs(one).max(initial=0) > 1e-12 * scale for one in sums.values()):
                return False
        return True

    def rotated(self, sites: Any) -> SpinOperator:
        """U H U, where U multiplies a configuration by -1 for every spin down among `sites` (Marshall's signs)."""
        odd = self.flips[self.term_flip][:, np.asarray(sites, bool)].sum(axis=1) % 2 == 1
        return replace(self, term_weight=np.where(odd, -self.term_weight, self.term_weight))

    # ------------------------------------------------------------------------------------------------------ arithmetic
    def __add__(self, other: Any) -> SpinOperator:
        if not isinstance(other, SpinOperator):
            return NotImplemented
        if other.n_sites != self.n_sites:
            raise ParameterError(f"operators on {self.n_sites} and {other.n_sites} sites cannot be added")
        names = tuple(dict.fromkeys((*self.coupling_names, *other.coupling_names)))
        moved = np.array([*(names.index(name) for name in other.coupling_names), -1])  # -1 stays
        return _merge(
            np.concatenate([self.flips[self.term_flip], other.flips[other.term_flip]]),
            np.concatenate([self.term_signs, other.term_signs]),
            np.concatenate([self.term_weight, other.term_weight]),
            np.concatenate([self.term_coupling, moved[other.term_coupling]]),
            names,
        )

    def times_coupling(self, name: str) -> SpinOperator:
        """The operator times a coupling of that name; it has none before.

        Examples
        --------
        >>> from infoscope.quantum import Chain, CustomFamily, magnetization, squared_magnetization
        >>> terms = -4.0 * squared_magnetization(4) - 4.0 * magnetization(4, "x").times_coupling("field")
        >>> CustomFamily(Chain(4), terms).coupling_names
        ('field',)
        """
        if self.n_couplings:
            raise ParameterError(f"{self!r} has couplings already: put numbers in their place with `at` first")
        return replace(self, term_coupling=np.zeros_like(self.term_coupling), coupling_names=(str(name),))

    def __mul__(self, number: Any) -> SpinOperator:
        if not isinstance(number, numbers.Number) or isinstance(number, bool):
            return NotImplemented
        return replace(self, term_weight=self.term_weight * number)

    __rmul__ = __mul__

    def __neg__(self) -> SpinOperator:
        return self * -1.0

    def __sub__(self, other: Any) -> SpinOperator:
        return self + (-other) if isinstance(other, SpinOperator) else NotImplemented

    # ----------------------------------------------------------------------------------------------------------- steps
    def _sorted_strings(self, order: Any = slice(None)) -> tuple[np.ndarray, np.ndarray]:
        """Strings as sorted rows of bytes, sites in some order, and their weights: equal for equal operators."""
        sites = np.concatenate([self.flips[self.term_flip][:, order], self.term_signs[:, order]], axis=1)
        couplings = self.term_coupling.astype(np.int64)[:, None].view(np.uint8)
        rows = np.concatenate([np.packbits(sites, axis=1), couplings], axis=1)
        keys = rows.view(np.dtype((np.void, rows.shape[1]))).ravel()
        place = np.argsort(keys, kind="stable")
        return rows[place], self.term_weight[place]

    def factors(self, couplings: Any, n_rows: int | None = None) -> np.ndarray:
        """Weights times couplings, (T,) or (M, T)."""
        given = np.zeros(0) if couplings is None else np.asarray(couplings, np.float64)
        given = given[None] if given.ndim == 0 else given
        if given.ndim > 2 or given.shape[-1] != self.n_couplings or (given.ndim == 2 and len(given) != n_rows):
            rows = "" if n_rows is None else f" or ({n_rows}, {self.n_couplings})"
            raise ParameterError(
                f"couplings has shape {given.shape}, and must have ({self.n_couplings},){rows}: "
                f"{', '.join(self.coupling_names[:8]) or 'this operator has none'}"
            )
        if not np.isfinite(given).all():
            raise DataError(f"couplings holds {given[~np.isfinite(given)][0]}: give finite numbers")
        padded = np.concatenate([given, np.ones((*given.shape[:-1], 1))], axis=-1)  # -1 is the last
        return self.term_weight * padded[..., self.term_coupling]


def pauli_sum(
    terms: Mapping[str, Any] | Sequence[tuple[Any, ...]], n_sites: int, *, coupling_names: Sequence[str] | None = None
) -> SpinOperator:
    """An operator from Pauli strings.

    Parameters
    ----------
    terms : mapping of str to number, or sequence of (str, number) and (str, number, str)
        Strings like ``"Z0 Z1"`` (``""`` is the identity), their weights, and the names of the couplings that multiply
        them.  Strings that come twice count twice.
    n_sites : int
        How many spins.
    coupling_names : sequence of str, optional
        The order of the couplings; that in which they come by default.

    Returns
    -------
    SpinOperator

    Raises
    ------
    ParameterError
        For text that is no Pauli string, a site that does not exist, a weight that is no finite number, or a coupling
        that enters no term.

    Examples
    --------
    >>> from infoscope.quantum import pauli_sum
    >>> terms = [("Z0 Z1", -1.0), ("X0", -1.0, "field"), ("X1", -1.0, "field")]
    >>> pauli_sum(terms, n_sites=2)
    SpinOperator(3 strings of field on 2 sites)
    """
    rows = [_read_term(one, n_sites) for one in (terms.items() if isinstance(terms, Mapping) else terms)]
    found = list(dict.fromkeys(name for *_, name in rows if name is not None))
    names = found if coupling_names is None else [str(name) for name in coupling_names]
    if len(set(names)) < len(names):
        raise ParameterError(f"coupling_names holds a name twice: {', '.join(names)}")
    if missing := [name for name in found if name not in names]:
        raise ParameterError(f"the terms have the coupling {missing[0]!r}, which coupling_names leaves out")
    place: dict[str | None, int] = {name: at for at, name in enumerate(names)}
    place[None] = -1
    operator = _merge(
        np.array([flips for flips, *_ in rows], bool).reshape(-1, n_sites),
        np.array([signs for _, signs, *_ in rows], bool).reshape(-1, n_sites),
        np.array([weight for *_, weight, _ in rows], complex),
        np.array([place[name] for *_, name in rows], np.int64),
        tuple(names),
    )
    check_couplings_enter(operator)
    return operator


def check_couplings_enter(operator: SpinOperator) -> None:
    """Raise for a coupling on which the operator does not depend."""
    for at, name in enumerate(operator.coupling_names):
        if not (operator.term_coupling == at).any():
            raise ParameterError(
                f"the coupling {name!r} enters no term: leave it out, or give terms that it multiplies"
            )


# --------------------------------------------------------------------------------------------------------------- steps
def _read_term(term: Any, n_sites: int) -> tuple[np.ndarray, np.ndarray, complex, str | None]:
    text, weight, *name = term if isinstance(term, (tuple, list)) and len(term) in (2, 3) else (term, None)
    if not isinstance(weight, numbers.Complex) or isinstance(weight, bool) or not np.isfinite(complex(weight)):
        raise ParameterError(f"the term {term!r} must be (text, finite number) or (text, finite number, coupling)")
    if name and not (name[0] is None or isinstance(name[0], str)):
        raise ParameterError(f"the coupling of the term {term!r} must be a name (text) or None")
    flips, signs, own = read_pauli_string(text, n_sites)
    return flips, signs, own * complex(weight), name[0] if name else None


def _merge(flips: Any, signs: Any, weights: Any, couplings: Any, names: tuple[str, ...]) -> SpinOperator:
    """The operator of rows of strings: those alike are added, those that vanish left out."""
    n_sites = flips.shape[1]
    masks = {np.zeros(n_sites, bool).tobytes(): 0}
    sums: dict[Any, complex] = {}
    for flip, sign, weight, coupling in zip(flips, signs, weights.tolist(), couplings.tolist(), strict=True):
        mask = masks.setdefault(flip.tobytes(), len(masks))
        key = (mask, sign.tobytes(), coupling)
        sums[key] = sums.get(key, 0) + weight
    kept = [(key, value) for key, value in sums.items() if value != 0]
    used = sorted({0, *(mask for (mask, *_), _ in kept)})
    place = {mask: at for at, mask in enumerate(used)}
    all_masks = _rows_of(masks, n_sites)
    values = np.array([value for _, value in kept], complex)
    return SpinOperator(
        flips=all_masks[used],
        term_flip=np.array([place[mask] for (mask, *_), _ in kept], np.int64),
        term_signs=_rows_of([sign for (_, sign, _), _ in kept], n_sites),
        term_weight=values if values.imag.any() else values.real.copy(),
        term_coupling=np.array([coupling for (*_, coupling), _ in kept], np.int64),
        coupling_names=names,
    )


def _rows_of(pieces: Iterable[bytes], n_sites: int) -> np.ndarray:
    """Rows of flags from the bytes of each."""
    joined = b"".join(pieces)
    return np.frombuffer(joined, bool).reshape(-1, n_sites) if joined else np.zeros((0, n_sites), bool)


def _product(columns: np.ndarray, sites: np.ndarray) -> np.ndarray | None:
    """Products of the spins at some sites; None for none."""
    if not len(sites):
        return None
    product = columns[sites[0]]
    for site in sites[1:]:
        product = product * columns[site]
    return product


def _patterns(n: int) -> np.ndarray:
    """All configurations of a few spins, some of many."""
    if n <= FREE:
        return spins_of(np.arange(2**n), n).astype(np.int64)
    return 2 * np.random.default_rng(0).integers(0, 2, (2**FREE, n)) - 1
