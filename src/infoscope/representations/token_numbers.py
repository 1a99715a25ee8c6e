"""Do several tokens tell more than one?  Imbalances against the number of tokens."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from infoscope.base import Fingerprint, ParameterError, provenance
from infoscope.base.checks import check_choice, check_positive_int

from .layer_pairs import Estimate, paired_curves, tables_of
from .layer_steps import check_steps, describe_step
from .layers import METRICS, Layers
from .repeated_items import SeenItems
from .token_results import TokenNumberCurve
from .tokens import Tokens, check_lengths, join_tokens, read_tokens

WAYS = ("last_n", "mean_last_n", "mean")


def token_number_curve(
    states_a: Any,
    mask_a: Any,
    states_b: Any,
    mask_b: Any,
    *,
    numbers: Sequence[int] = (1, 2, 5, 10, 20),
    how: Sequence[str] = WAYS,
    skip_first: int = 0,
    k: int = 1,
    metric: str = "cosine",
    preprocess: Any = None,
    n_jobs: int | None = None,
) -> TokenNumberCurve:
    """What the last tokens of an item tell about the other form of it, against how many they are.

    Parameters
    ----------
    states_a, states_b : array (N, T, E), list of arrays (T_i, E), or array (N, E)
        States of all tokens: words of a text, patches of a picture.  Or one vector an item, beside which the tokens of
        the other form are counted.
    mask_a, mask_b : array (N, T) or None
        Nonzero where a token is no padding.
    numbers : sequence of int
        Tokens, ascending.
    how : sequence of {"last_n", "mean_last_n", "mean"}
        The last ones put one after the other; their mean; the mean of all.
    skip_first : int
        Tokens that are left out first, as for `pool_tokens`.
    k : int
        Neighbours.
    metric : {"cosine", "euclidean", "hamming"}
        Of the distances.
    preprocess : transformer or sequence of them, optional
        What the vectors go through first, as for `compare_layers`.
    n_jobs : int, optional
        Threads.

    Returns
    -------
    TokenNumberCurve

    Raises
    ------
    DataError
        Items with too few tokens for "last_n"; they are named, never dropped.
    ParameterError
        Numbers that do not ascend; a way that is named twice; one vector an item on both sides, or with a mask;
        options that make no sense.

    Notes
    -----
    Tokens put one after the other are compared place by place; where the other form has another order of words, their
    mean may tell more.  "mean_last_n" takes all tokens of an item that has fewer.

    References
    ----------
    Acevedo et al., arXiv:2505.17101 (2025).

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.representations import token_number_curve
    >>> g = np.random.default_rng(0)
    >>> meaning = g.normal(size=(300, 1, 4))
    >>> a, b = (meaning + 2 * g.normal(size=(300, 8, 4)) for _ in range(2))            # every token knows a little
    >>> found = token_number_curve(a, None, b, None, numbers=(1, 4, 8))
    >>> bool(found.gain[0, 1, 2] > 3 * found.gain_se[0, 1, 2])
    True
    """
    ways = (how,) if isinstance(how, str) else tuple(how)
    for way in ways:
        check_choice(way, "how", WAYS)
    if not ways or len(set(ways)) < len(ways):
        raise ParameterError(f"how is {how!r}: name at least one of {', '.join(WAYS)}, and each once")
    check_choice(metric, "metric", METRICS)
    wanted = [check_positive_int(number, "numbers") for number in numbers]
    if not wanted or sorted(set(wanted)) != wanted:
        raise ParameterError(f"numbers is {numbers!r}: name at least one, ascending")
    steps, digest = check_steps(preprocess), Fingerprint()
    sides = [_read(states, mask, skip_first) for states, mask in ((states_a, mask_a), (states_b, mask_b))]
    counted = [one for one in sides if isinstance(one, Tokens)]
    if not counted:
        raise ParameterError("both forms have one vector an item: give the tokens of one at least")
    if "last_n" in ways:
        for tokens in counted:
            check_lengths(tokens, [-max(wanted)])
    curves = tuple(way for way in ways if way != "mean")
    points = [(way, number) for way in curves for number in wanted] + [("mean", 1)] * ("mean" in ways)
    first, second = (_layers(side, points, what, steps) for side, what in zip(sides, "ab", strict=True))
    found = paired_curves(first, second, k, metric, digest, seen := SeenItems(), n_jobs)
    warnings, notes = seen.look()
    tables = [[one[at * len(wanted) : (at + 1) * len(wanted)] for at in range(len(curves))] for one in found]
    gain = [[[line[0].less(one) for one in line] for line in table] for table in tables]
    done = tuple(describe_step(step) for step in steps)
    parameters = dict(numbers=wanted, how=ways, skip_first=skip_first, k=k, metric=metric, preprocess=done)
    return TokenNumberCurve(
        how=curves,
        n_tokens=np.array(wanted),
        **_shaped("values", tables, len(wanted)),
        **_shaped("gain", gain, len(wanted)),
        **(tables_of("all_tokens", [one[-1] for one in found]) if "mean" in ways else {}),
        k=k,
        metric=metric,
        preprocess=done,
        n_items=found[0][0].n_items,
        warnings=warnings,
        notes=notes,
        provenance=provenance("token_number_curve", parameters, None, input_hash=digest.text),
    )


# --------------------------------------------------------------------------------------------------------------- steps
def _read(states: Any, mask: Any, skip_first: int) -> Tokens | np.ndarray:
    """Tokens of all items, or one vector of each."""
    if getattr(states, "ndim", 0) != 2:
        return read_tokens(states, mask, skip_first)
    if mask is not None:
        raise ParameterError("states of two dimensions are one vector an item, which has no mask: leave it out")
    return np.asarray(states)


def _layers(side: Tokens | np.ndarray, points: list[tuple[str, int]], what: str, steps: tuple[Any, ...]) -> Layers:
    """One layer a point of the curves, pooled when it is needed."""
    names = tuple(f"{way} {number}" for way, number in points)
    given: tuple[Any, ...] = (side,) * len(points)
    if isinstance(side, Tokens):
        given = tuple(partial(join_tokens, side, way, n=number) for way, number in points)
    return Layers(names, given, what, None, steps)


def _shaped(name: str, tables: list[list[list[Estimate]]], number: int) -> dict[str, Any]:
    return {key: array.reshape(2, -1, number) for key, array in tables_of(name, tables).items()}
