"""What is told of layers over depth: the set of best ones, which model tells more, richness and dimension."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from infoscope.base import Provenance, Result
from infoscope.base.checks import check_choice
from infoscope.base.contents import choices, flags, integers, number, numbers, whole
from infoscope.base.results import say_estimate

from .comparison_results import IMBALANCES
from .share_results import LEVEL, join_words, say_p

__all__ = ["DirectionComparison", "LayerProfile", "SemanticLayers"]

MEASURES = ("two_nn", "gride", "signs", "effective_number")
WORDS = {
    "two_nn": "intrinsic dimension",
    "gride": "dimension at the middle scale",
    "signs": "dimension of the signs",
    "effective_number": "effective number",
}


@dataclass(frozen=True, kw_only=True, eq=False)
class SemanticLayers(Result):
    """The layers that cannot be told from the best one.

    Attributes
    ----------
    names_a, names_b : tuple of str
        Layers of a, and the layer of b beside each.
    values, values_se : array (L,)
        What is smallest in the best layer, and its standard error.
    a_to_b, a_to_b_se, b_to_a, b_to_a_se : array (L,)
        Information Imbalances in both directions.
    behind, behind_se : array (L,)
        Value less that of the layer it falls behind most clearly, with the error of the paired difference.
    margin : array (L,)
        What a best layer would fall behind that layer by chance.
    chosen : array (L,) of bool
        The set: layers that fall behind none by more than the margin.
    share_best : array (L,)
        Share of the drawn samples in which the layer is the best.
    direction : str
        "both" (mean of both imbalances), "a_to_b" or "b_to_a".
    level : float
        Probability that the set misses the best layer.
    k : int
        Neighbours.
    metric : str
        Of the distances.
    preprocess : tuple of str
        What every layer went through first.
    n_items : int
        Items that judged.
    n_chose : int
        Other items, that chose the layer of b beside each; 0 where both models have the same layers.
    """

    names_a: tuple[str, ...]
    names_b: tuple[str, ...]
    values: np.ndarray = field(repr=False)
    values_se: np.ndarray = field(repr=False)
    a_to_b: np.ndarray = field(repr=False)
    a_to_b_se: np.ndarray = field(repr=False)
    b_to_a: np.ndarray = field(repr=False)
    b_to_a_se: np.ndarray = field(repr=False)
    behind: np.ndarray = field(repr=False)
    behind_se: np.ndarray = field(repr=False)
    margin: np.ndarray = field(repr=False)
    chosen: np.ndarray
    share_best: np.ndarray = field(repr=False)
    direction: str = "both"
    level: float = 0.05
    k: int = 1
    metric: str = "cosine"
    preprocess: tuple[str, ...] = ()
    n_items: int = 0
    n_chose: int = 0
    provenance: Provenance | None = field(default=None, repr=False)
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    _contents = {
        **{
            name: numbers("names_a")
            for name in ("values", "values_se", "a_to_b", "a_to_b_se", "b_to_a", "b_to_a_se", "behind", "behind_se",
                         "margin", "share_best")
        },
        "chosen": flags("names_a"),
        "level": number(0.0),
        "k": whole(1),
        "n_items": whole(),
        "n_chose": whole(),
    }  # fmt: skip

    _references = ("information_imbalance",)

    @property
    def layers_a(self) -> tuple[str, ...]:
        """Names of the set, in a."""
        return tuple(name for name, ok in zip(self.names_a, self.chosen, strict=True) if ok)

    @property
    def layers_b(self) -> tuple[str, ...]:
        """Names of those beside them in b."""
        return tuple(name for name, ok in zip(self.names_b, self.chosen, strict=True) if ok)

    def _rows(self) -> list[dict[str, Any]]:
        columns = ("values", "values_se", "a_to_b", "a_to_b_se", "b_to_a", "b_to_a_se", "behind", "behind_se",
                   "margin", "share_best")  # fmt: skip
        return [
            dict(layer_a=a, layer_b=b, chosen=bool(self.chosen[i]))
            | {_singular(column): float(getattr(self, column)[i]) for column in columns}
            for i, (a, b) in enumerate(zip(self.names_a, self.names_b, strict=True))
        ]

    @property
    def _title(self) -> str:
        how = ", ".join([*self.preprocess, self.metric])
        what = "mean imbalance of both directions" if self.direction == "both" else self.direction
        return f"{what[0].upper()}{what[1:]} over {len(self.names_a)} layers (k = {self.k}, N = {self.n_items}, {how})"

    @property
    def _estimates(self) -> list[Any]:
        lines = []
        for i in np.flatnonzero(self.chosen):
            told = say_estimate(float(self.values[i]), float(self.values_se[i]))
            beside = "" if self.names_a[i] == self.names_b[i] else f", {self.names_b[i]}"
            lines.append((f"{self.names_a[i]}{beside}", f"{told}; best in {100 * self.share_best[i]:.0f} %", None))
        return lines

    @property
    def verdict(self) -> str:
        """One sentence: the set, and with which confidence it holds the best layer."""
        number, sure = int(self.chosen.sum()), 100 * (1 - self.level)
        if number == len(self.chosen):
            return f"No layer can be told from the best of the {number}: these items show no depth that tells most."
        names = join_words(list(self.layers_a))
        if number == 1:
            return f"{names} is the best of {len(self.chosen)} layers (with {sure:g} % confidence)."
        return f"The best of {len(self.chosen)} layers is among {names} (with {sure:g} % confidence)."


@dataclass(frozen=True, kw_only=True, eq=False)
class DirectionComparison(Result):
    """Which of two models tells more about the other, in some of their layers.

    Attributes
    ----------
    layers_a, layers_b : tuple of str
        The layers.
    pairs : str
        "all" pairs of them, or "same": one of a beside one of b.
    a_to_b, a_to_b_se, b_to_a, b_to_a_se : float
        Means of the Information Imbalances over these pairs, and their standard errors.
    difference, difference_se : float
        a_to_b less b_to_a, with the error of the paired difference: below 0 where a tells more about b.
    p_value : float
        Two-sided, of "both tell as much".
    k : int
        Neighbours.
    metric : str
        Of the distances.
    preprocess : tuple of str
        What every layer went through first.
    n_items : int
        Items.
    """

    layers_a: tuple[str, ...]
    layers_b: tuple[str, ...]
    pairs: str = "all"
    a_to_b: float
    a_to_b_se: float
    b_to_a: float
    b_to_a_se: float
    difference: float
    difference_se: float
    p_value: float
    k: int = 1
    metric: str = "cosine"
    preprocess: tuple[str, ...] = ()
    n_items: int = 0
    provenance: Provenance | None = field(default=None, repr=False)
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    _contents = {"k": whole(1), "n_items": whole()}

    _references = ("information_imbalance",)

    @property
    def _title(self) -> str:
        how = ", ".join([*self.preprocess, self.metric])
        return (
            f"{len(self.layers_a)} layers of a and {len(self.layers_b)} of b, {self.pairs} pairs (k = {self.k}, "
            f"N = {self.n_items}, {how})"
        )

    @property
    def verdict(self) -> str:
        """One sentence: who tells more, and how sure that is."""
        sure = f"({say_p(self.p_value)})"
        if self.p_value > LEVEL:
            return f"Neither is seen to tell more about the other {sure}."
        more, less = ("a", "b") if self.difference < 0 else ("b", "a")
        return f"{more} tells more about {less} than {less} about {more} {sure}."


@dataclass(frozen=True, kw_only=True, eq=False)
class LayerProfile(Result):
    """How rich each layer of a model is.

    What was not asked for is None.

    Attributes
    ----------
    names : tuple of str
        Of the layers.
    widths : array (L,) of int
        Features of each.
    two_nn, two_nn_se, two_nn_distance : array (L,) or None
        Intrinsic dimension from two neighbours, its standard error, and the mean distance of these: the scale.
    gride_ranks : array (S, 2) or None
        Ranks of the neighbours at each scale.
    gride, gride_se, gride_distance : array (L, S) or None
        Dimension by scale, errors, and scales.
    signs, signs_se : array (L,) or None
        Binary Intrinsic Dimension of the signs.
    effective_number, effective_number_se : array (L,) or None
        How many equally different items the items are worth, by their cosines: order 2, without the bias of the number
        of items.
    imbalance, imbalance_se : array (2, L) or None
        Of the comparison: to the other model, and from it.
    partners : str
        Of the imbalance: "given" where one layer stood beside each, "best" where it is the smallest over all layers of
        the other model, chosen on the same items.
    metric : str
        Of the distances.
    preprocess : tuple of str
        What every layer went through first.
    n_items : int
        Items.
    """

    names: tuple[str, ...]
    widths: np.ndarray = field(repr=False)
    two_nn: np.ndarray | None = field(default=None, repr=False)
    two_nn_se: np.ndarray | None = field(default=None, repr=False)
    two_nn_distance: np.ndarray | None = field(default=None, repr=False)
    gride_ranks: np.ndarray | None = field(default=None, repr=False)
    gride: np.ndarray | None = field(default=None, repr=False)
    gride_se: np.ndarray | None = field(default=None, repr=False)
    gride_distance: np.ndarray | None = field(default=None, repr=False)
    signs: np.ndarray | None = field(default=None, repr=False)
    signs_se: np.ndarray | None = field(default=None, repr=False)
    effective_number: np.ndarray | None = field(default=None, repr=False)
    effective_number_se: np.ndarray | None = field(default=None, repr=False)
    imbalance: np.ndarray | None = field(default=None, repr=False)
    imbalance_se: np.ndarray | None = field(default=None, repr=False)
    partners: str = "given"
    metric: str = "euclidean"
    preprocess: tuple[str, ...] = ()
    n_items: int = 0
    provenance: Provenance | None = field(default=None, repr=False)
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    _contents = {
        "widths": integers("names"),
        **{
            name: numbers("names") | None
            for one in ("two_nn", "signs", "effective_number")
            for name in (one, f"{one}_se")
        },
        "two_nn_distance": numbers("names") | None,
        "gride_ranks": integers("S", 2) | None,
        **{name: numbers("names", "S") | None for name in ("gride", "gride_se", "gride_distance")},
        "imbalance": numbers(2, "names") | None,
        "imbalance_se": numbers(2, "names") | None,
        "partners": choices("given", "best"),
        "n_items": whole(),
    }

    @property
    def _references(self) -> tuple[str, ...]:  # type: ignore[override]
        keys = dict(two_nn="two_nn", gride="gride", signs="bid", effective_number="vendi")
        return tuple(key for name, key in keys.items() if getattr(self, name) is not None)

    def curve(self, measure: str) -> tuple[np.ndarray, np.ndarray]:
        """Values and errors over depth; of "gride" those of the scale nearest to the middle one.

        Raises
        ------
        ParameterError
            If the measure was not asked for.
        """
        check_choice(measure, "measure", tuple(one for one in MEASURES if getattr(self, one) is not None))
        values, errors = getattr(self, measure), getattr(self, f"{measure}_se")
        if measure == "gride":
            middle = values.shape[1] // 2
            return values[:, middle], errors[:, middle]
        return values, errors

    def _rows(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = []
        for i, name in enumerate(self.names):
            row: dict[str, Any] = dict(layer=name, width=int(self.widths[i]))
            for column in ("two_nn", "two_nn_se", "two_nn_distance", "signs", "signs_se", "effective_number",
                           "effective_number_se"):  # fmt: skip
                values = getattr(self, column)
                row |= {} if values is None else {column: float(values[i])}
            if self.gride is not None and self.gride_se is not None and self.gride_ranks is not None:
                for s, (_, rank) in enumerate(self.gride_ranks):
                    row |= {f"gride_{rank}": float(self.gride[i, s]), f"gride_{rank}_se": float(self.gride_se[i, s])}
            if self.imbalance is not None and self.imbalance_se is not None:
                for w, way in enumerate(IMBALANCES):
                    row |= {way: float(self.imbalance[w, i]), f"{way}_se": float(self.imbalance_se[w, i])}
            rows.append(row)
        return rows

    @property
    def _title(self) -> str:
        how = ", ".join([*self.preprocess, self.metric])
        return f"Profile of {len(self.names)} layers (N = {self.n_items}, {how})"

    @property
    def _estimates(self) -> list[Any]:
        lines: list[Any] = []
        for measure in MEASURES:
            if getattr(self, measure) is None:
                continue
            values, errors = self.curve(measure)
            for word, at in (("most", int(np.argmax(values))), ("least", int(np.argmin(values)))):
                what = f"{WORDS[measure]}: {word} in {self.names[at]}"
                lines.append((what, say_estimate(float(values[at]), float(errors[at])), None))
        return lines

    @property
    def verdict(self) -> str:
        """One sentence: where the dimension is largest."""
        measure = next(one for one in MEASURES if getattr(self, one) is not None)
        values, errors = self.curve(measure)
        top = int(np.argmax(values))
        gap = values[top] - values
        near = [
            name for name, one, se in zip(self.names, gap, np.hypot(errors, errors[top]), strict=True) if one <= 2 * se
        ]
        return f"{WORDS[measure][0].upper()}{WORDS[measure][1:]} is largest in {join_words(near)} (within two errors)."


def _singular(column: str) -> str:
    return column.replace("values", "value")
