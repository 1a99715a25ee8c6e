"""What two descriptions share beyond what a third one tells."""

from __future__ import annotations

from typing import Any

import numpy as np

from infoscope.base import provenance
from infoscope.base.array_types import Ints
from infoscope.base.checks import check_positive_int, check_random_state
from infoscope.neighbors import nearest
from infoscope.statistics import Null, choose_null
from infoscope.statistics.units import information_unit

from .assembly import assemble
from .conditional_counts import check_joinable
from .estimates import CONDITIONAL, Recipe, settle_null
from .information_results import Information
from .joint_sample import JointSample, check_enough, contents_of, joint_sample

LOCAL = 5  # neighbours in Z among which rows are shuffled


def conditional_mutual_information(
    X: Any,
    Y: Any,
    Z: Any,
    *,
    k: int = 3,
    marginals: str | None = "auto",
    se: bool = True,
    n_permutations: int = 0,
    k_permutation: int = LOCAL,
    unit: str = "nats",
    exclusion_window: float | str | None = None,
    neighbors_from: str | None = None,
    random_state: Any = 0,
    n_jobs: int | None = None,
) -> Information:
    """How much do X and Y share beyond what Z tells?

    Parameters
    ----------
    X, Y, Z : array (N, D) or (N,), frame, or Space
        Three descriptions of the same N items.  Columns are compared by their largest difference; a Space of several
        columns has metric="chebyshev".
    k : int
        Neighbours of every item.
    marginals : {"auto", "rank-normal", "standardize"} or None
        As for `mutual_information`.
    se : bool
        Whether the standard error, the curves over rows and neighbours, and the verdict are computed.
    n_permutations : int
        Samples for the p-value of "nothing is shared beyond Z", in which Y moves among neighbours in Z; 0 for none.
    k_permutation : int
        How many neighbours these are.  Y stays almost where it is, so the test is one of what Z cannot see.
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
        NaN, different items, too few rows, weights that differ.
    ParameterError
        Unknown words; spaces that are not compared by their largest difference.

    Notes
    -----
    In the null rows of Y move one by one, and lose what they remember beyond Z: of series of 10 blocks of two
    correlation times 8.2 % were rejected at 5 %.  How much the mean of the items' terms varies, by pairs of rows within
    two correlation times, in the data and in the null, tells how much is lost, and the p-value is that of values which
    vary as much as the data: of series it stays above 1 / (1 + n_permutations), and 99 permutations are few.  Of a
    series of fewer than two visits it is 1.

    References
    ----------
    Frenzel, Pompe, Phys. Rev. Lett. 99, 204101 (2007), Eq. (4).  Mesner, Shalizi, IEEE Trans. Inf. Theory 67, 464
    (2021): repeated values.  Runge, AISTATS 2018 (PMLR 84, 938): local permutations.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope import conditional_mutual_information
    >>> z, a, b = np.random.default_rng(0).normal(size=(3, 2000))
    >>> found = conditional_mutual_information(z + a, z + b, z)  # they share z, and nothing else
    >>> abs(found.value) < 2 * found.value_se
    True
    """
    information_unit(unit)
    generator = check_random_state(random_state)
    sample = joint_sample(
        {"X": X, "Y": Y, "Z": Z},
        marginals=marginals,
        labels="none",
        maximum_norm=True,
        exclusion_window=exclusion_window,
        neighbors_from=neighbors_from,
        n_jobs=n_jobs,
    )
    check_joinable([space for space, constant in zip(sample.spaces, sample.constant, strict=True) if not constant])
    check_enough(len(sample), check_positive_int(k, "k", 1))
    check_positive_int(k_permutation, "k_permutation", 1, len(sample) - 1)
    names = tuple(str(space.name) for space in sample.spaces)
    about: dict[str, Any] = dict(names=names[:2], kind="conditional mutual information", given=names[2])
    parameters = dict(
        k=k, marginals=marginals, se=se, n_permutations=n_permutations, k_permutation=k_permutation, unit=unit,
        exclusion_window=exclusion_window, neighbors_from=neighbors_from,
    )  # fmt: skip
    record = provenance("conditional_mutual_information", parameters, random_state, *contents_of(sample))
    recipe, null = Recipe(CONDITIONAL, k), _local_null(sample, k_permutation)
    if sample.constant[2] and not any(sample.constant[:2]):  # nothing is known beforehand
        recipe = Recipe("auto", k)
        sample = sample.keep((0, 1))
        null = settle_null(sample, "auto")
    return assemble(
        sample, recipe, unit=unit, record=record, se=se, n_permutations=n_permutations, null=null, generator=generator,
        **about,
    )  # fmt: skip


def _local_null(sample: JointSample, k: int) -> Null:
    """Every row moves to the place of one that is near in Z."""

    def near() -> Ints:
        items = nearest(sample.spaces[2], k, n_jobs=sample.n_jobs).items.reshape(len(sample), k)
        return np.hstack([np.arange(len(sample))[:, None], items])

    return choose_null("local", len(sample), words=("local",), auto=("local",), neighbors=near)
