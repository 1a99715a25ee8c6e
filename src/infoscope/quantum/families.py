"""Families of Hamiltonians: one operator on the spins of a lattice, with couplings that change."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, ClassVar

import numpy as np

from infoscope.base import DataError, ParameterError
from infoscope.base.checks import check_choice, check_positive_int

from .configurations import MAX_STATES, check_magnetization, count_configurations, enumerate_configurations
from .lattices import Chain, Graph, Lattice, Square, check_made_anew, sublattice
from .spin_operators import SpinOperator, check_couplings_enter, pauli_sum

PRODUCTS = ("X{0} X{1}", "Y{0} Y{1}", "Z{0} Z{1}")


class SpinFamily(ABC):
    """What all families share.

    A family names its couplings (``coupling_names``), and says for every value of them which operator acts on the
    spins of its ``lattice``.  Couplings of one system are m numbers; those of several are rows of m.

    Examples
    --------
    >>> from infoscope.quantum import Chain, IsingFamily
    >>> family = IsingFamily(Chain(3), coupling=("field", "interaction"))
    >>> family.n_couplings, family.n_states, family.as_system({"interaction": 1.0, "field": 0.5})
    (2, 8, array([0.5, 1. ]))
    """

    lattice: Lattice
    magnetization: int | None = None
    per_site: bool = False

    def _check_contents(self) -> None:
        check_made_anew(self)

    # ----------------------------------------------------------------------------------------------------- what it is
    @property
    def n_sites(self) -> int:
        """How many spins."""
        return self.lattice.n_sites

    @property
    def coupling_names(self) -> tuple[str, ...]:
        """What the couplings are called, in their order."""
        return self.operator.coupling_names

    @property
    def n_couplings(self) -> int:
        """m, how many couplings there are."""
        return len(self.coupling_names)

    @cached_property
    @abstractmethod
    def operator(self) -> SpinOperator:
        """The Hamiltonian, its couplings open."""

    @property
    def is_real(self) -> bool:
        """Whether all elements of the Hamiltonian are real."""
        return self.operator.is_real

    @property
    def n_states(self) -> int:
        """How many configurations there are, of the magnetisation that the family has."""
        return count_configurations(self.n_sites, self.magnetization)

    def configurations(self, *, max_states: int = MAX_STATES) -> np.ndarray:
        """All of them as rising whole numbers (see `enumerate_configurations`)."""
        return enumerate_configurations(self.n_sites, self.magnetization, max_states=max_states)

    def holds(self, spins: np.ndarray) -> np.ndarray:
        """Which configurations (..., n_sites) have the magnetisation of the family; amplitudes of others are zero."""
        if self.magnetization is None:
            return np.ones(spins.shape[:-1], bool)
        return spins.sum(axis=-1, dtype=np.int64) == self.magnetization

    @property
    def marshall_sites(self) -> np.ndarray | None:
        """Sites (bool) whose spins down each turn the sign of an amplitude (Marshall's rule); None without it."""
        return None

    # ----------------------------------------------------------------------------------------------------- symmetries
    @cached_property
    def conserves_magnetization(self) -> bool:
        """Whether the Hamiltonian keeps the sum of the spins, whatever the couplings."""
        return self.operator.conserves_magnetization()

    def spin_flip_commutes(self) -> bool:
        """Whether flipping all spins leaves the Hamiltonian as it is, and the magnetisation of the family too."""
        return not self.magnetization and self.operator.commutes_with_flip()

    def commutes_with(self, permutation: Any) -> bool:
        """Whether a permutation of sites leaves the Hamiltonian as it is, the couplings of sites not permuted."""
        return self.operator.commutes_with(permutation)

    # ------------------------------------------------------------------------------------------------------ couplings
    def as_system(self, couplings: Any) -> np.ndarray:
        """Couplings of one system, checked.

        Parameters
        ----------
        couplings : array (m,), number, or mapping of names to numbers
            A number will do where there is one coupling.

        Returns
        -------
        ndarray of float64, shape (m,)

        Raises
        ------
        DataError
            If their number is wrong, or one is not finite.
        """
        systems = self.as_systems(couplings)
        if len(systems) != 1:
            raise DataError(
                f"couplings has shape {np.shape(couplings)}, which are {len(systems)} systems: give the "
                f"{self.n_couplings} of one ({self._spell_names()})"
            )
        return systems[0]

    def as_systems(self, couplings: Any) -> np.ndarray:
        """Couplings of one system or of several, checked, a row each.

        Parameters
        ----------
        couplings : array (m,) or (R, m), number, or mapping of names to numbers or arrays (R,)
            Where there is one coupling, a plain vector of R numbers will do.

        Returns
        -------
        ndarray of float64, shape (R, m)

        Raises
        ------
        DataError
            If their number is wrong, or one is not finite.

        Examples
        --------
        >>> from infoscope.quantum import Chain, IsingFamily
        >>> IsingFamily(Chain(4)).as_systems([0.5, 1.5])
        array([[0.5],
               [1.5]])
        """
        if isinstance(couplings, Mapping):
            couplings = self._by_name(couplings)
        try:
            array = np.asarray(couplings, np.float64)
        except (TypeError, ValueError):
            raise DataError(f"couplings is {couplings!r}: give numbers, {self._spell_names()}") from None
        m = self.n_couplings
        rows = array.reshape(-1, 1) if m == 1 and array.ndim < 2 else np.atleast_2d(array)
        if rows.ndim != 2 or rows.shape[1] != m or not len(rows):
            raise DataError(
                f"couplings has shape {array.shape}, and must have ({m},) or (systems, {m}): {self._spell_names()}"
            )
        if not np.isfinite(rows).all():
            row, column = np.argwhere(~np.isfinite(rows))[0]
            raise DataError(
                f"couplings holds {rows[row, column]} in row {row}, column {column} ({self.coupling_names[column]}): "
                "give finite numbers"
            )
        return rows

    # ---------------------------------------------------------------------------------------------------------- steps
    def _by_name(self, couplings: Mapping[str, Any]) -> np.ndarray:
        if set(couplings) != set(self.coupling_names):
            raise DataError(f"couplings names {', '.join(map(repr, couplings))}: give {self._spell_names()}")
        return np.stack(np.broadcast_arrays(*(couplings[name] for name in self.coupling_names)), axis=-1)

    def _spell_names(self) -> str:
        names = self.coupling_names
        return ", ".join(names) if len(names) <= 6 else f"{names[0]}, {names[1]}, ..., {names[-1]}"

    def _check(self) -> None:
        """Raise where the pieces of the family do not fit each other."""
        operator = self.operator
        check_couplings_enter(operator)
        if not operator.n_couplings:
            raise ParameterError("the family has no coupling: name one that changes")
        if not operator.is_hermitian:
            raise ParameterError("the Hamiltonian is not its own adjoint: give Pauli strings real weights")
        if self.magnetization is not None and not self.conserves_magnetization:
            raise ParameterError(
                f"magnetization is {self.magnetization}, but the Hamiltonian changes the sum of the spins: take None"
            )


@dataclass(frozen=True)
class IsingFamily(SpinFamily):
    """Ising spins in a transverse field, H = -J sum_<ij> sigma^z_i sigma^z_j - h sum_i sigma^x_i.

    Parameters
    ----------
    lattice : Chain, Square or Graph
        Its bonds of order 1 are <ij>.
    coupling : {"field", "interaction"} or both as a tuple
        What changes: h, J, or the two.
    interaction : float, optional
        J where it does not change, 1 by default.
    field : float, optional
        h where it does not change, 1 by default.

    Raises
    ------
    ParameterError
        For another word, or a number for what changes.

    Examples
    --------
    >>> from infoscope.quantum import Chain, IsingFamily
    >>> family = IsingFamily(Chain(12))
    >>> family.coupling_names, family.spin_flip_commutes(), family.conserves_magnetization
    (('field',), True, False)
    """

    lattice: Lattice
    coupling: str | tuple[str, ...] = "field"
    interaction: float | None = None
    field: float | None = None
    _contents: ClassVar[dict[str, Any]] = {}

    def __post_init__(self) -> None:
        _check_lattice(self.lattice)
        given = [self.coupling] if isinstance(self.coupling, str) else list(self.coupling)
        names = tuple(check_choice(one, "coupling", ("field", "interaction")) for one in given)
        if len(set(names)) < len(names):
            raise ParameterError(f"coupling names {names[0]!r} twice")
        object.__setattr__(self, "coupling", names if len(names) > 1 else names[0] if names else ())
        _fix(self, names, ("interaction", "field"))
        self._check()

    @cached_property
    def operator(self) -> SpinOperator:
        """The Hamiltonian, its couplings open."""
        names = (self.coupling,) if isinstance(self.coupling, str) else self.coupling
        terms = [
            *_weighted([f"Z{i} Z{j}" for i, j in self.lattice.bonds()], -1.0, "interaction", self.interaction),
            *_weighted([f"X{site}" for site in range(self.n_sites)], -1.0, "field", self.field),
        ]
        return pauli_sum(terms, self.n_sites, coupling_names=names)


@dataclass(frozen=True)
class RandomFieldIsing(SpinFamily):
    """Ising spins with a transverse field of its own on every site, H = -J sum sigma^z sigma^z - sum_i h_i sigma^x_i.

    The fields h0, h1, ... are the couplings, one for each site: a system is a sample of the disorder.

    Parameters
    ----------
    lattice : Chain, Square or Graph
        Its bonds of order 1 are <ij>.
    interaction : float
        J.

    Examples
    --------
    >>> from infoscope.quantum import Chain, RandomFieldIsing
    >>> RandomFieldIsing(Chain(3)).coupling_names
    ('h0', 'h1', 'h2')
    """

    lattice: Lattice
    interaction: float = 1.0
    per_site = True  # no field: it is always so
    _contents: ClassVar[dict[str, Any]] = {}

    def __post_init__(self) -> None:
        _check_lattice(self.lattice)
        object.__setattr__(self, "interaction", _check_number(self.interaction, "interaction"))
        self._check()

    @cached_property
    def operator(self) -> SpinOperator:
        """The Hamiltonian, its couplings open."""
        terms: list[Any] = [(f"Z{i} Z{j}", -self.interaction) for i, j in self.lattice.bonds()]
        terms += [(f"X{site}", -1.0, f"h{site}") for site in range(self.n_sites)]
        return pauli_sum(terms, self.n_sites)


@dataclass(frozen=True)
class HeisenbergFamily(SpinFamily):
    """Heisenberg spins of one half, H = sum_r J_r sum_<ij>_r S_i . S_j, with S = sigma / 2.

    Parameters
    ----------
    lattice : Chain, Square or Graph
        Its bonds of order 1, 2 and 3 are those of J1, J2 and J3.
    couplings : sequence of "J1", "J2", "J3"
        What changes.
    fixed : mapping of those names to numbers, optional
        What does not change; J1 = 1 by default where J1 is no coupling.
    magnetization : int or None
        Sum of the spins, each +1 or -1, that configurations have; None lets it be any.
    marshall_sign : bool, optional
        Whether amplitudes are described beside Marshall's signs: -1 for every spin down of one of two sublattices that
        bonds of order 1 join.  By default where there are such sublattices.  The Hamiltonian and all observables stay
        as they are; a network learns what is left (``marshall_sites``, `SpinOperator.rotated`).

    Raises
    ------
    ParameterError
        For a magnetisation that so many spins cannot have, bonds that the lattice does not have, or Marshall's signs
        where bonds of order 1 join more than two sublattices.

    Examples
    --------
    >>> from infoscope.quantum import HeisenbergFamily, Square
    >>> family = HeisenbergFamily(Square(4), couplings=("J2",))
    >>> family.n_states, family.conserves_magnetization
    (12870, True)
    """

    lattice: Lattice
    couplings: tuple[str, ...] = ("J2",)
    fixed: Mapping[str, float] | None = None
    magnetization: int | None = 0
    marshall_sign: bool | None = None
    _contents: ClassVar[dict[str, Any]] = {}

    def __post_init__(self) -> None:
        _check_lattice(self.lattice)
        given = (self.couplings,) if isinstance(self.couplings, str) else tuple(self.couplings)
        names = tuple(check_choice(one, "couplings", ("J1", "J2", "J3")) for one in given)
        fixed = {} if self.fixed is None else dict(self.fixed)
        for name in fixed:
            check_choice(name, "fixed", ("J1", "J2", "J3"))
            if name in names:
                raise ParameterError(f"{name} is among the couplings, so it has no fixed value: leave it out of fixed")
        if "J1" not in (*names, *fixed):
            fixed["J1"] = 1.0
        fixed = {name: _check_number(value, f"fixed[{name!r}]") for name, value in sorted(fixed.items())}
        object.__setattr__(self, "couplings", names)
        object.__setattr__(self, "fixed", fixed)
        object.__setattr__(self, "magnetization", check_magnetization(self.magnetization, self.n_sites))
        object.__setattr__(self, "marshall_sign", self._settle_marshall())
        self._check()

    def __hash__(self) -> int:
        return hash((self.lattice, self.couplings, self.magnetization, self.marshall_sign))

    @cached_property
    def operator(self) -> SpinOperator:
        """The Hamiltonian, its couplings open."""
        fixed = self.fixed or {}
        terms: list[Any] = []
        for name in sorted({*self.couplings, *fixed}):
            strings = [one.format(i, j) for i, j in self.lattice.bonds(int(name[1])) for one in PRODUCTS]
            terms += _weighted(strings, 0.25, name, fixed.get(name))
        return pauli_sum(terms, self.n_sites, coupling_names=self.couplings)

    @cached_property
    def marshall_sites(self) -> np.ndarray | None:
        """Sites (bool) whose spins down each turn the sign of an amplitude; None without Marshall's signs."""
        return sublattice(self.lattice) if self.marshall_sign else None

    def _settle_marshall(self) -> bool:
        if self.marshall_sign is False:
            return False
        if self.marshall_sign not in (None, True):
            raise ParameterError(f"marshall_sign must be True, False or None, got {self.marshall_sign!r}")
        two = sublattice(self.lattice) is not None
        if self.marshall_sign and not two:
            raise ParameterError(
                f"bonds of order 1 of {self.lattice} join more than two sublattices: take marshall_sign=False"
            )
        return two


@dataclass(frozen=True)
class CustomFamily(SpinFamily):
    """Any sum of Pauli strings with named couplings.

    Parameters
    ----------
    lattice : Chain, Square, Graph or int
        Where the spins are; a number of spins will do.
    terms : sequence of (str, number) and (str, number, str), or SpinOperator
        Strings like ``"Z0 Z1"``, their weights, and the names of the couplings that multiply them.  A string that comes
        twice counts twice.
    names : sequence of str, optional
        The order of the couplings; that in which they come by default.
    magnetization : int, optional
        Sum of the spins, each +1 or -1, where the Hamiltonian keeps it and configurations shall have one.
    per_site : bool
        Whether coupling i belongs to site i: disorder.

    Raises
    ------
    ParameterError
        For a site that does not exist, a coupling that enters no term, a Hamiltonian that is not its own adjoint or
        does not keep the magnetisation.

    Examples
    --------
    >>> from infoscope.quantum import CustomFamily
    >>> family = CustomFamily(2, [("Z0 Z1", -1.0), ("X0", -1.0, "h"), ("X1", -1.0, "h")])
    >>> family.coupling_names
    ('h',)
    """

    lattice: Lattice
    terms: tuple[Any, ...]
    names: tuple[str, ...] | None = None
    magnetization: int | None = None
    per_site: bool = False
    _contents: ClassVar[dict[str, Any]] = {}

    def __post_init__(self) -> None:
        if isinstance(self.lattice, (int, np.integer)):
            object.__setattr__(self, "lattice", Graph(check_positive_int(self.lattice, "lattice")))
        _check_lattice(self.lattice)
        given = self.terms.strings() if isinstance(self.terms, SpinOperator) else self.terms
        if isinstance(given, Mapping) or not isinstance(given, Iterable):
            raise ParameterError("terms must be a sequence of (text, number) and (text, number, coupling)")
        if isinstance(self.terms, SpinOperator):
            _check_sites(self.terms, self.lattice)
            object.__setattr__(self, "names", self.names or self.terms.coupling_names)
        object.__setattr__(self, "terms", tuple(tuple(one) if isinstance(one, (tuple, list)) else one for one in given))
        if isinstance(self.names, str):
            object.__setattr__(self, "names", (self.names,))
        object.__setattr__(self, "names", tuple(self.operator.coupling_names))
        object.__setattr__(self, "magnetization", check_magnetization(self.magnetization, self.n_sites))
        object.__setattr__(self, "per_site", bool(self.per_site))
        self._check()
        if self.per_site and self.n_couplings != self.n_sites:
            raise ParameterError(
                f"per_site needs one coupling for each of {self.n_sites} sites, and there are {self.n_couplings}"
            )

    @cached_property
    def operator(self) -> SpinOperator:
        """The Hamiltonian, its couplings open."""
        return pauli_sum(self.terms, self.n_sites, coupling_names=self.names)


# --------------------------------------------------------------------------------------------------------------- steps
def _check_lattice(lattice: Any) -> None:
    if not isinstance(lattice, (Chain, Square, Graph)):
        raise ParameterError(f"lattice must be a Chain, Square or Graph, got {lattice!r}")


def _check_sites(operator: SpinOperator, lattice: Lattice) -> None:
    if operator.n_sites != lattice.n_sites:
        raise ParameterError(f"the operator acts on {operator.n_sites} sites, and the lattice has {lattice.n_sites}")


def _check_number(value: Any, name: str) -> float:
    number = isinstance(value, (int, float, np.integer, np.floating)) and not isinstance(value, bool)
    if not number or not np.isfinite(value):
        raise ParameterError(f"{name} must be a finite number, got {value!r}")
    return float(value)


def _fix(family: Any, changing: Sequence[str], fields: Sequence[str]) -> None:
    """Settle the numbers of what does not change."""
    for name in fields:
        value = getattr(family, name)
        if name in changing:
            if value is not None:
                raise ParameterError(f"{name} changes, so it has no fixed value: leave {name}={value!r} out")
        else:
            object.__setattr__(family, name, _check_number(1.0 if value is None else value, name))


def _weighted(strings: Iterable[str], sign: float, name: str, value: float | None) -> list[tuple[Any, ...]]:
    """Terms with a number where there is one, else with the coupling of that name."""
    return [(text, sign, name) if value is None else (text, sign * value) for text in strings]
