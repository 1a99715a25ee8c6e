"""From the parameters of an estimator to the network of a family: patches, attention, amplitudes, symmetries."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Any

import numpy as np

from infoscope.base import ParameterError
from infoscope.base.checks import check_choice, check_positive_int

from .ground_symmetries import are_invariant, flip_sign, missing_symmetry
from .symmetries import SymmetryGroup, join_groups, leave_out_equal, make_group, settle_symmetries

SMALL = 16  # sites up to which the small network is the default
PROBES = 256  # configurations that are asked whether amplitudes may have one sign


@dataclass(frozen=True)
class SettledNetwork:
    """What training couplings decide, once: it belongs to the parameters, and is kept with them.

    Attributes
    ----------
    symmetries : dict of str to int
        Names and signs.
    attention : {"rolled", "free"}
    complex_amplitude : bool
    """

    symmetries: dict[str, int]
    attention: str
    complex_amplitude: bool


@dataclass(frozen=True, eq=False)
class NetworkChoice:
    """The shape of the network, and the symmetries around it.

    Attributes
    ----------
    options : mapping
        Arguments of `NetworkShape`.
    operator : SpinOperator
        The Hamiltonian beside Marshall's signs, where the family has them.
    group : SymmetryGroup
        Over which the network is summed.
    all_symmetries : SymmetryGroup
        Those of the wave function: the group, and what the network has by itself.
    moves : ndarray of int (T, n_sites)
        Translations by whole patches under which the network is invariant by itself; the identity for none.
    """

    options: Mapping[str, Any]
    operator: Any
    group: SymmetryGroup
    all_symmetries: SymmetryGroup
    moves: np.ndarray


def settle_network(estimator: Any, couplings: np.ndarray) -> SettledNetwork:
    """Symmetries, attention and amplitudes that were left open, for training couplings (R, m)."""
    family = estimator.family
    positive = _may_be_positive(family, _beside_signs(family), couplings)
    patches = choose_patches(family.lattice, estimator.patch_size)
    check_choice(estimator.attention, "attention", ("auto", "rolled", "free"))
    rolled = _may_roll(family, patches, estimator.attention, couplings, positive)
    symmetries = settle_symmetries(estimator.symmetries, family)
    if is_auto(estimator.symmetries) and symmetries:
        sign = flip_sign(family, couplings, positive=positive)
        symmetries = {} if sign is None else {"spin_flip": sign}
    complex_amplitude = _settle_complex(estimator.complex_amplitude, positive)
    return SettledNetwork(symmetries, "rolled" if rolled else "free", complex_amplitude)


def choose_network(estimator: Any, settled: SettledNetwork) -> NetworkChoice:
    """The network of an estimator: what it says, what was settled, and defaults; made once for each.

    Raises
    ------
    ParameterError
        Sizes that do not fit each other; a Hamiltonian that lacks a settled symmetry.
    """
    shared = bool(estimator.shared_embedding), bool(estimator.head_norm)
    sizes = _sizes(estimator)
    given = estimator.patch_size
    patch_size = tuple(given) if isinstance(given, (tuple, list)) else given
    named = tuple(settled.symmetries.items())
    return _network(estimator.family, patch_size, sizes, shared, named, settled.attention, settled.complex_amplitude)


@lru_cache(maxsize=32)
def _network(
    family: Any, patch_size: Any, sizes: tuple[int, int, int], shared: tuple[bool, bool],
    symmetries: tuple[tuple[str, int], ...], attention: str, complex_amplitude: bool,
) -> NetworkChoice:  # fmt: skip
    patches = choose_patches(family.lattice, patch_size)
    grid, moves = _rolled_grid(family, patches, attention)
    options = {
        "patches": tuple(map(tuple, patches.tolist())),
        "n_couplings": family.n_couplings,
        "per_site": bool(family.per_site),
        **dict(zip(("d_model", "n_heads", "n_layers"), sizes, strict=True)),
        "grid": grid,
        "complex_amplitude": complex_amplitude,
        "shared_embedding": shared[0],
        "head_norm": shared[1],
    }
    group = make_group(settle_symmetries(dict(symmetries), family), family.lattice, family.n_sites)
    alone, joined = leave_out_equal(group, moves), join_groups(group, moves)
    return NetworkChoice(MappingProxyType(options), _beside_signs(family), alone, joined, moves)


@lru_cache(maxsize=256)
def missing_in_member(
    family: Any, system: tuple[float, ...], choice: NetworkChoice, sign: int | None, looks_at_moves: bool
) -> str:
    """What the ground state of one system lacks of the symmetries of a network; nothing, as far as is known."""
    positive = _may_be_positive(family, choice.operator, np.array([system]))
    permutations = choice.moves if looks_at_moves else None
    return missing_symmetry(family, np.array(system), positive=positive, sign=sign, permutations=permutations)


def is_auto(asked: Any) -> bool:
    """Whether a choice was left to the library."""
    return isinstance(asked, str) and asked == "auto"


def _sizes(estimator: Any) -> tuple[int, int, int]:
    """d_model, n_heads, n_layers."""
    small = estimator.family.n_sites <= SMALL
    d_model = _auto(estimator.d_model, 16 if small else 72, "d_model")
    n_heads = _auto(estimator.n_heads, 4 if small else 12, "n_heads")
    n_layers = _auto(estimator.n_layers, 2 if small else 4, "n_layers")
    if d_model % n_heads:
        raise ParameterError(f"d_model is {d_model} and n_heads {n_heads}: the first must be a multiple of the second")
    if estimator.family.per_site and d_model % 2:
        raise ParameterError(f"d_model is {d_model}: with one coupling a site it must be even, half for the spins")
    return d_model, n_heads, n_layers


def _beside_signs(family: Any) -> Any:
    """The Hamiltonian beside Marshall's signs."""
    sites = getattr(family, "marshall_sites", None)
    return family.operator if sites is None else family.operator.rotated(sites)


def choose_patches(lattice: Any, patch_size: Any) -> np.ndarray:
    """Sites of each patch; by default 2 (2 x 2 on a square), and 1 where that does not fit."""
    if isinstance(patch_size, str):
        check_choice(patch_size, "patch_size", ("auto",))
        try:
            return np.asarray(lattice.patches(2))
        except ParameterError:
            return np.asarray(lattice.patches(1))
    size = tuple(patch_size) if isinstance(patch_size, (tuple, list)) else check_positive_int(patch_size, "patch_size")
    return np.asarray(lattice.patches(size))


def _may_roll(family: Any, patches: np.ndarray, attention: str, couplings: np.ndarray, positive: bool) -> bool:
    """Whether attention weights are rolled: ground states are invariant under translations by patches, or disorder
    moves with the spins."""
    if attention == "free":
        return False
    _, moves = _patch_lattice(family.lattice, patches)
    if attention == "rolled":
        return True
    if len(moves) < 2:
        return False
    if family.per_site:
        return True
    commutes = all(family.commutes_with(one) for one in moves)
    return commutes and are_invariant(family, couplings, moves, positive=positive)


def _rolled_grid(family: Any, patches: np.ndarray, attention: str) -> tuple[tuple[int, ...], np.ndarray]:
    """The periodic lattice of patches and its translations where attention is rolled; else nothing and the identity."""
    identity = np.arange(family.n_sites)[None]
    if attention == "free":
        return (), identity
    grid, moves = _patch_lattice(family.lattice, patches)
    if len(moves) < 2:
        raise ParameterError('attention="rolled" needs a periodic chain or square of patches: take "auto" or "free"')
    if family.per_site:
        return grid, identity  # the network is invariant when spins and couplings move together
    if not all(family.commutes_with(one) for one in moves):
        raise ParameterError(
            'attention="rolled" makes the amplitude invariant under translations, and the Hamiltonian is not: take '
            '"auto" or "free"'
        )
    return grid, moves


def _patch_lattice(lattice: Any, patches: np.ndarray) -> tuple[tuple[int, ...], np.ndarray]:
    """Numbers of patches along each side and translations by whole patches; of lattices without any: nothing."""
    identity = np.arange(lattice.n_sites)[None]
    if not getattr(lattice, "periodic", False):
        return (), identity
    positions = np.rint(np.asarray(lattice.positions)).astype(int)
    steps = np.ptp(positions[patches[0]], axis=0) + 1
    grid = tuple(int(one) for one in (np.ptp(positions, axis=0) + 1) // steps)
    step = int(steps[0]) if len(steps) == 1 else tuple(int(one) for one in steps)
    return grid, np.asarray(lattice.translations(step))


def _settle_complex(asked: Any, positive: bool) -> bool:
    """Whether amplitudes are complex; "auto": unless ground states may be positive."""
    if asked is True or asked is False:
        return bool(asked)
    if not (isinstance(asked, str) and asked == "auto"):
        raise ParameterError(f'complex_amplitude is {asked!r}: give "auto", True or False')
    return not positive


def _may_be_positive(family: Any, operator: Any, couplings: np.ndarray) -> bool:
    """Whether the Hamiltonian lets ground states be positive: no element between two configurations is."""
    if not operator.is_real:
        return False
    spins = _probes(family)
    extremes = np.unique(np.concatenate([couplings.min(axis=0)[None], couplings.max(axis=0)[None], couplings]), axis=0)
    step = max(1, len(extremes) // 16)
    return not any((operator.elements(spins, one)[:, 1:] > 0).any() for one in extremes[::step])


def _probes(family: Any) -> np.ndarray:
    rng = np.random.default_rng(0)
    n = family.n_sites
    if family.magnetization is None:
        return rng.choice(np.array([-1, 1], np.int8), (PROBES, n))
    one = np.where(np.arange(n) < (n + family.magnetization) // 2, 1, -1).astype(np.int8)
    return np.stack([rng.permutation(one) for _ in range(PROBES)])


def _auto(value: Any, default: int, name: str) -> int:
    return default if isinstance(value, str) and value == "auto" else check_positive_int(value, name)
