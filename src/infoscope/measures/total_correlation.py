"""What several descriptions share all together."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from infoscope.base import DataError, provenance
from infoscope.base.checks import check_positive_int, check_random_state, is_frame
from infoscope.neighbors import Space
from infoscope.statistics.units import information_unit

from .assembly import assemble
from .estimates import Recipe
from .information_results import Information
from .joint_sample import check_enough, contents_of, joint_sample


def total_correlation(
    blocks: Any,
    *,
    k: int = 3,
    marginals: str | None = "auto",
    se: bool = True,
    n_permutations: int = 0,
    null: str = "auto",
    unit: str = "nats",
    exclusion_window: float | str | None = None,
    neighbors_from: str | None = None,
    random_state: Any = 0,
    n_jobs: int | None = None,
) -> Information:
    """How far are several descriptions of the same items from being independent?

    ``sum_b H(X_b) - H(X_1, ..., X_B)``: zero when all are independent, the mutual information for two of them.

    Parameters
    ----------
    blocks : mapping or sequence of (array, frame or Space); frame or array (N, P)
        The descriptions, by name or in order; of a table, every column is one.
    k : int
        Neighbours of every item.
    marginals : {"auto", "rank-normal", "standardize"} or None
        As for `mutual_information`.
    se : bool
        Whether the standard error, the curves over rows and neighbours, and the verdict are computed.
    n_permutations : int
        Shuffled samples for the p-value of "all are independent", in which all but the first block move; 0 for none.
    null : {"auto", "shuffle", "shift", "blocks"}
        How.
    unit : {"nats", "bits"}
        Of the answer.
    exclusion_window, neighbors_from, random_state, n_jobs
        As for `mutual_information`.

    Returns
    -------
    Information

    Raises
    ------
    DataError
        Fewer than two blocks, NaN, different items, too few rows.
    ParameterError
        Unknown words.

    References
    ----------
    Watanabe, IBM J. Res. Dev. 4, 66 (1960).  Kraskov, Stoegbauer, Grassberger, Phys. Rev. E 69, 066138 (2004),
    Eq. (23).

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope import total_correlation
    >>> z, *noise = np.random.default_rng(0).normal(size=(4, 2000))
    >>> found = total_correlation([z + 0.5 * one for one in noise])
    >>> round(found.value, 1)  # the truth is 1.13
    1.1
    """
    information_unit(unit)
    generator = check_random_state(random_state)
    named = named_blocks(blocks)
    sample = joint_sample(
        named,
        marginals=marginals,
        labels="none",
        exclusion_window=exclusion_window,
        neighbors_from=neighbors_from,
        n_jobs=n_jobs,
    )
    check_enough(len(sample), check_positive_int(k, "k", 1))
    parameters = dict(
        k=k, marginals=marginals, se=se, n_permutations=n_permutations, null=null, unit=unit,
        exclusion_window=exclusion_window, neighbors_from=neighbors_from,
    )  # fmt: skip
    record = provenance("total_correlation", parameters, random_state, *contents_of(sample))
    about: dict[str, Any] = dict(names=tuple(str(s.name) for s in sample.spaces), kind="total correlation")
    varying = [a for a, constant in enumerate(sample.constant) if not constant]
    if len(varying) >= 2:  # what never varies is independent of all
        sample = sample.keep(varying)
    return assemble(
        sample, Recipe("auto", k), unit=unit, record=record, se=se, n_permutations=n_permutations, null=null,
        generator=generator, **about,
    )  # fmt: skip


def named_blocks(blocks: Any) -> dict[str, Any]:
    """Blocks by their names; the columns of a table."""
    if isinstance(blocks, Mapping):
        named = {str(name): data for name, data in blocks.items()}
    elif is_frame(blocks):
        named = {str(name): blocks[name] for name in blocks.columns}
    elif isinstance(blocks, Space):
        raise DataError("blocks is one Space: give several, or a table whose columns are the blocks")
    else:
        named = {str(getattr(b, "name", None) or f"block {a}"): b for a, b in enumerate(_columns(blocks))}
    if len(named) < 2:
        raise DataError(f"{len(named)} block is given: what several share needs two at least, each with its own name")
    return named


def _columns(blocks: Any) -> list[Any]:
    if hasattr(blocks, "ndim") and hasattr(blocks, "shape"):
        if blocks.ndim != 2:
            raise DataError(f"blocks has shape {tuple(blocks.shape)}: give a table (rows, columns), or several arrays")
        return [blocks[:, a] for a in range(blocks.shape[1])]
    return list(blocks)
