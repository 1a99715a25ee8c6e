"""The best pair of layers chosen on some items and judged on the others: a choice that cannot flatter itself."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from infoscope.base import ParameterError
from infoscope.base.checks import check_choice, check_random_state

from .comparison_results import LayerComparison
from .layer_comparison import MEASURES, compare_layers
from .layer_steps import check_steps, steps_of_rows
from .layers import FEWEST, Layers, check_stores, read_layers


class SplitChoice(NamedTuple):
    """What `choose_layers` returns.

    Attributes
    ----------
    layer_a, layer_b : str
        The pair that is best on the items that chose.
    judged : LayerComparison
        This pair alone, on the other items: its values, errors and p-values owe nothing to the choice.
    chosen_on : LayerComparison
        All pairs, on the items that chose.
    items : array of int
        The items that judged.
    """

    layer_a: str
    layer_b: str
    judged: LayerComparison
    chosen_on: LayerComparison
    items: np.ndarray


def choose_layers(
    a: Any, b: Any, *, measure: str = "cka_debiased", share: float = 0.5, random_state: Any = None, **options: Any
) -> SplitChoice:
    """Choose the pair of layers with most in common on a random part of the items, and judge it on the rest.

    Parameters
    ----------
    a, b
        Layers of the two models, as for `compare_layers`, as arrays.
    measure : str
        Which measure chooses; of "imbalance" the direction from a to b.
    share : float
        Of the items that choose.
    random_state : int, Generator or None
        Of the parts and the shuffles.
    **options
        Of `compare_layers`.

    Returns
    -------
    SplitChoice

    Raises
    ------
    ParameterError
        A share that leaves fewer than four items to either part.
    DataError, ParameterError
        As `compare_layers`.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.representations import choose_layers
    >>> g = np.random.default_rng(0)
    >>> hidden = g.normal(size=(200, 3))
    >>> a = {"early": g.normal(size=(200, 8)), "late": hidden @ g.normal(size=(3, 8))}
    >>> found = choose_layers(a, {"top": hidden}, random_state=0)
    >>> found.layer_a, found.layer_b, found.judged.n_items
    ('late', 'top', 100)
    """
    check_choice(measure, "measure", MEASURES)
    generator = check_random_state(random_state)
    steps = check_steps(options.pop("preprocess", None))
    models = [read_layers(a, "a"), read_layers(b, "b")]
    check_stores(*models)
    n = models[0].n_items
    order = generator.permutation(n)
    first, second = (np.sort(part) for part in np.split(order, [round(share * n)]))
    if min(len(first), len(second)) < FEWEST:
        raise ParameterError(f"share is {share}: of {n} items, {FEWEST} at least must choose, and as many judge")
    options["measures"] = tuple(dict.fromkeys((measure, *options.get("measures", (measure,)))))
    chosen_on = _compare(models, first, steps, generator, options)
    m = chosen_on.measures.index("a_to_b" if measure == "imbalance" else measure)
    names = chosen_on.names_a[chosen_on.best_a[m]], chosen_on.names_b[chosen_on.best_b[m]]
    alone = [model.take_layers([name]) for name, model in zip(names, models, strict=True)]
    return SplitChoice(*names, _compare(alone, second, steps, generator, options), chosen_on, second)


def _compare(models: list[Layers], rows: np.ndarray, steps: Any, generator: Any, options: Any) -> LayerComparison:
    """Some of the items of all layers; transformers see no others."""
    parts = [model.take(rows) for model in models]
    return compare_layers(*parts, preprocess=steps_of_rows(steps, rows), random_state=generator, **options)
