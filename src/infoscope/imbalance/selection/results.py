"""What a selection of features found: one row a size, the size that suffices, and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from infoscope.base import ParameterError, format_estimate
from infoscope.base.contents import numbers, whole
from infoscope.base.rounding import exceeds, first_lowest
from infoscope.imbalance.verdicts import Measured

NAMED = 6  # features of a set that a sentence names
WORSE = 0.02  # a value higher by this share is as good as the lowest, whatever the error


@dataclass(frozen=True, kw_only=True, eq=False)
class SelectionPath(Measured):
    """The best set of features found of every size.

    Features are columns, or groups of columns where groups were given.

    Attributes
    ----------
    method : str
        "forward", "backward", "exhaustive" or "l1".
    measure : str
        "DII" (weights were optimised) or "Δ" (all weights one).
    name, name_target : str
        The space selected from, and the target.
    names : tuple of str
        The features there were to choose from.
    columns : tuple of tuple of int
        Columns of the data that belong to each of them.
    sets : tuple of tuple of int
        Chosen features of every size, as numbers in `names`, the smallest size first.
    standard_weights : array (S, F)
        Weights of the features in units of standard deviations, the largest of a row 1.
    weights : array (S, D)
        Weights of all columns of the data in their own units.
    value, value_se : array (S,)
        What was minimised, at the weights of the row, on all items, and its standard error.
    to_target, to_target_se, from_target, from_target_se : array (S,) or None
        Both directions, where `value` is their mean.
    validation_value, validation_value_se : array (S,) or None
        On rows that the search did not see; the error over folds when there are several.
    fold_names, fold_values : tuple of str, array (S, folds)
        The same fold by fold.
    excess, excess_se : array (S,)
        Value (on held-out rows if there are any) above the lowest of all sizes, and the standard error of this
        difference, which knows that both come from the same items.
    suggested_size : int
        Number of features that suffice.
    rule : str
        Why.
    alphas, alpha_weights, alpha_value : array (A,), (A, F), (A,), or None
        Penalties, standardised weights and DII along a regularisation path, before weights were fitted again.
    k : int
        Neighbours.
    bandwidth : str
        How far rows look; empty for the plain imbalance.
    n_evaluated : int
        Evaluations of sets.

    Notes
    -----
    The suggested size is the smallest whose value is within one standard error of the difference of the lowest, or
    within 2 % of it.  The second part is needed because sets that contain each other fluctuate together: their
    difference has so small an error that a feature that adds nothing of substance would still count.
    """

    method: str
    measure: str
    name: str
    name_target: str
    names: tuple[str, ...]
    columns: tuple[tuple[int, ...], ...]
    sets: tuple[tuple[int, ...], ...]
    standard_weights: np.ndarray
    weights: np.ndarray
    value: np.ndarray
    value_se: np.ndarray
    to_target: np.ndarray | None = None
    to_target_se: np.ndarray | None = None
    from_target: np.ndarray | None = None
    from_target_se: np.ndarray | None = None
    validation_value: np.ndarray | None = None
    validation_value_se: np.ndarray | None = None
    fold_names: tuple[str, ...] = ()
    fold_values: np.ndarray | None = None
    excess: np.ndarray
    excess_se: np.ndarray
    suggested_size: int
    rule: str
    alphas: np.ndarray | None = None
    alpha_weights: np.ndarray | None = None
    alpha_value: np.ndarray | None = None
    k: int
    bandwidth: str = ""
    n_evaluated: int = 0

    _contents = {
        "k": whole(1),
        "standard_weights": numbers("sets", "D"),
        "weights": numbers("sets", "D"),
        "value": numbers("sets"),
        "value_se": numbers("sets"),
        "to_target": numbers("sets"),
        "to_target_se": numbers("sets"),
        "from_target": numbers("sets"),
        "from_target_se": numbers("sets"),
        "validation_value": numbers("sets"),
        "validation_value_se": numbers("sets"),
        "excess": numbers("sets"),
        "excess_se": numbers("sets"),
        "fold_values": numbers("sets", "fold_names"),
        "alphas": numbers("A"),
        "alpha_weights": numbers("A", "names"),
        "alpha_value": numbers("A"),
        "suggested_size": whole(1),
        "n_evaluated": whole(),
    }

    @property
    def sizes(self) -> np.ndarray:
        """Number of features of every row."""
        return np.array([len(units) for units in self.sets])

    @property
    def suggested(self) -> tuple[str, ...]:
        """Names of the features of the suggested size."""
        return self.chosen(self.suggested_size)

    def chosen(self, size: int) -> tuple[str, ...]:
        """Names of the features of a size."""
        return tuple(self.names[u] for u in self.sets[self._row(size)])

    def columns_of(self, size: int) -> np.ndarray:
        """Numbers of the columns of the data that belong to the features of a size."""
        return np.sort(np.concatenate([self.columns[u] for u in self.sets[self._row(size)]]))

    def weights_of(self, size: int) -> dict[str, float]:
        """Weights, in units of standard deviations, of the features of a size by name."""
        row = self._row(size)
        return {self.names[u]: float(self.standard_weights[row, u]) for u in self.sets[row]}

    def _row(self, size: int) -> int:
        places = np.flatnonzero(self.sizes == size)
        if not len(places):
            raise ParameterError(
                f"no set of {size} features was found; there are sets of {', '.join(map(str, self.sizes))}"
            )
        return int(places[0])

    @property
    def verdict(self) -> str:
        """One sentence: how many features suffice, which, and what they leave open."""
        row, n = self._row(self.suggested_size), self.suggested_size
        value, se = self.validation_value, self.validation_value_se
        held = value is not None and se is not None
        if value is None or se is None:
            value, se = self.value, self.value_se
        shown = f"{self.measure} {self._format(float(value[row]), float(se[row]))}"
        where = " on held-out rows" if held else ""
        if not exceeds(1.0, float(value[row]) + 2 * float(se[row])):
            return self._qualified(
                f"No set of up to {self.sizes[-1]} features of {self.name} tells anything about "
                f"{self.name_target} (within error): {shown}{where}"
            )
        names = list(self.suggested[:NAMED]) + ([f"{n - NAMED} more"] if n > NAMED else [])
        told = ", ".join(names[:-1]) + (" and " if len(names) > 1 else "") + names[-1]
        verb = "keeps" if n == 1 else "keep"
        return self._qualified(
            f"{told} ({n} of {len(self.names)} features) {verb} what {self.name} can tell about "
            f"{self.name_target}: {shown}{where}, {self.rule}"
        )

    @property
    def _title(self) -> str:
        return (
            f"Features of {self.name} for {self.name_target}: {self.method} selection by {self.measure}, "
            f"k = {self.k}, N = {self.n_items}"
        )

    @property
    def _estimates(self) -> Sequence[Any]:
        return ()  # the table is the answer

    def _rows(self) -> list[dict[str, Any]]:
        rows = []
        for i, units in enumerate(self.sets):
            row: dict[str, Any] = {"size": len(units), "features": ", ".join(self.names[u] for u in units)}
            row["weights"] = ", ".join(f"{self.standard_weights[i, u]:.3g}" for u in units)
            for name in ("value", "to_target", "from_target", "validation_value", "excess"):
                values, errors = getattr(self, name), getattr(self, f"{name}_se")
                if values is not None:
                    row |= {name: float(values[i]), f"{name}_se": float(errors[i])}
            rows.append(row | {"suggested": len(units) == self.suggested_size})
        return rows

    def cite(self) -> str:
        """BibTeX of the papers behind the numbers, and of this library."""
        from infoscope.base.bibliography import bibtex

        more = ("differentiable_imbalance",) if self.measure == "DII" else ()
        return bibtex("information_imbalance", *more, "infoscope")


NO_PATH = "the selection has no regularisation path: dii_path makes one"


def suggest(sizes: np.ndarray, values: np.ndarray, excess_se: np.ndarray) -> tuple[int, str]:
    """The smallest size that is as good as the best, and the rule in words.

    Parameters
    ----------
    sizes : array (S,)
        Ascending.
    values, excess_se : array (S,)
        Values, and the standard errors of their differences from the lowest.

    Returns
    -------
    int, str

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.imbalance.selection.results import suggest
    >>> suggest(np.array([1, 2, 3]), np.array([0.6, 0.302, 0.3]), np.array([0.02, 0.001, 0.0]))
    (2, 'the smallest number within 2 % of the lowest value (3 features)')
    """
    lowest_value = float(np.nanmin(values))
    excess, best = values - lowest_value, sizes[first_lowest(values)]
    lowest = f"of the lowest value ({best} feature{'s' if best > 1 else ''})"
    allowed = lowest_value + np.maximum(np.nan_to_num(excess_se), WORSE * lowest_value)
    place = int(np.argmax(~exceeds(values, allowed) & ~np.isnan(values)))
    if sizes[place] == best and not place:
        return int(best), "the lowest value of all sizes"
    if sizes[place] == best:
        return int(best), "the lowest value, which no smaller number comes near"
    if not exceeds(values[place], lowest_value + excess_se[place]):
        error = format_estimate(float(excess[place]), float(excess_se[place]))
        return int(sizes[place]), f"the smallest number within one standard error {lowest}, which is {error} lower"
    return int(sizes[place]), f"the smallest number within {WORSE:.0%} {lowest}".replace("%", " %")
