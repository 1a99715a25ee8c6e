"""The results of overlaps: shares of neighbours in common, or with the item's own label, beside chance."""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np

from infoscope.base.contents import integers, numbers, whole
from infoscope.base.rounding import exceeds

from .verdicts import Measured, is_known


@dataclass(frozen=True, kw_only=True, eq=False)
class Overlap(Measured):
    """A share of neighbours, with its error and with what chance would give.

    Attributes
    ----------
    name_a, name_b : str
        Names of the two descriptions.
    k : int
        Neighbours per row; of rows that ask for different numbers, the largest.
    overlap, overlap_se : float
        The share, and its standard error.
    chance : float
        The share if the second description knew nothing of the first.
    rows, row_weights : array or None
        One share a row that asked, whose mean with these weights is `overlap`.
    """

    name_a: str = "A"
    name_b: str = "B"
    k: int
    overlap: float
    overlap_se: float
    chance: float
    rows: np.ndarray | None = field(default=None, repr=False)
    row_weights: np.ndarray | None = field(default=None, repr=False)

    _references = ("neighbor_overlap",)

    _contents = {"k": whole(1), "rows": numbers("R"), "row_weights": numbers("R")}

    @property
    def overlap_interval(self) -> tuple[float, float] | None:
        """The 95 % interval, or None where it is withheld."""
        return self._interval(self.overlap, self.overlap_se)

    @property
    def excess(self) -> float:
        """``(overlap - chance)/(1 - chance)``: 0 by chance, 1 at most."""
        return (self.overlap - self.chance) / (1 - self.chance) if exceeds(1.0, self.chance) else 0.0

    @property
    def told_from_chance(self) -> bool:
        """Whether the share differs from chance by more than ``error_factor`` standard errors."""
        return exceeds(abs(self.overlap - self.chance), self._error, 1.0)

    @property
    def _error(self) -> float:
        return self.error_factor * self.overlap_se if is_known(self.overlap_se) else math.inf

    @property
    def _unseen(self) -> str:
        """What could not have been seen, in words."""
        return f"an excess of less than {self._error:.2g} would not show in {self.n_rows} rows"

    def _numbers(self) -> dict[str, Any]:
        names = ("name_a", "name_b", "k", "overlap", "overlap_se", "chance")
        return {name: getattr(self, name) for name in names}

    def _rows(self) -> list[dict[str, Any]]:
        low, high = self.overlap_interval or (None, None)
        return [self._numbers() | {"overlap_low": low, "overlap_high": high} | self._context()]


@dataclass(frozen=True, kw_only=True, eq=False)
class NeighborhoodOverlap(Overlap):
    """How many of the nearest neighbours two descriptions of the same items have in common.

    Attributes
    ----------
    name_a, name_b, k, overlap, overlap_se, chance, rows, row_weights
        As in `Overlap`: the share of the k nearest in the first description that are among those in the second.
    ceiling : float
        The largest share there can be: 1, less where neighbours are tied or weighted and so are there in part.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope import neighborhood_overlap
    >>> x = np.random.default_rng(0).normal(size=(300, 3))
    >>> neighborhood_overlap(x, x[:, :2], k=10).told_from_chance
    True
    """

    ceiling: float = 1.0

    @property
    def verdict(self) -> str:
        """One sentence: how many neighbours are the same, and how many would be by chance."""
        a, b, shown = self.name_a, self.name_b, self._format(self.overlap, self.overlap_se)
        least = "" if not exceeds(1.0, self.ceiling) else f" (of {self.ceiling:.2g} that ties and weights leave)"
        if not self.told_from_chance:
            nothing = f"{a} and {b} share no more of their {self.k} nearest neighbours than chance"
            return self._qualified(f"{nothing}: {shown} beside {self.chance:.2g}; {self._unseen}")
        way = "more" if self.overlap > self.chance else "fewer"
        return self._qualified(
            f"{a} and {b} share {shown}{least} of their {self.k} nearest neighbours, {way} than the {self.chance:.2g} "
            "of chance"
        )

    @property
    def _title(self) -> str:
        return f"Overlap of {self.k} neighbours in {self.name_a} and {self.name_b} ({self._size})"

    @property
    def _estimates(self) -> list[tuple[str, str, None]]:
        lines = [("overlap", self._format(self.overlap, self.overlap_se), None), ("chance", f"{self.chance:.3g}", None)]
        return lines + ([("at most", f"{self.ceiling:.3g}", None)] if exceeds(1.0, self.ceiling) else [])

    def _numbers(self) -> dict[str, Any]:
        return super()._numbers() | {"ceiling": self.ceiling}


@dataclass(frozen=True, kw_only=True, eq=False)
class LabelOverlap(Overlap):
    """How many of the nearest neighbours carry the item's own label.

    Attributes
    ----------
    name_a, name_b, k, overlap, overlap_se, chance, rows, row_weights
        As in `Overlap`: the share of the k nearest that carry the label of the item that asks.
    class_fraction : float or None
        Share of its class that every item took as neighbours, in the place of one k for all.
    balanced, balanced_se : float
        The mean over classes, each counted alike, and its standard error.
    balanced_chance : float
        The same by chance.
    class_names : tuple of str
        The classes that ask.
    class_sizes, class_k : array of int
        Their items, and the neighbours that each of these took.
    class_overlap, class_overlap_se, class_chance : array
        Share, standard error and chance of each class.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope import label_overlap
    >>> g = np.random.default_rng(0)
    >>> x, y = g.normal(size=(200, 2)), np.repeat(["a", "b"], 100)
    >>> x[:100] += 5
    >>> found = label_overlap(x, y, k=10)
    >>> found.class_names, bool(found.balanced > 0.99)
    (('a', 'b'), True)
    """

    class_fraction: float | None = None
    balanced: float
    balanced_se: float
    balanced_chance: float
    class_names: tuple[str, ...]
    class_sizes: np.ndarray
    class_k: np.ndarray
    class_overlap: np.ndarray
    class_overlap_se: np.ndarray
    class_chance: np.ndarray

    _contents = {
        "class_sizes": integers("class_names"),
        "class_k": integers("class_names", low=1),
        "class_overlap": numbers("class_names"),
        "class_overlap_se": numbers("class_names"),
        "class_chance": numbers("class_names"),
    }

    @property
    def balanced_interval(self) -> tuple[float, float] | None:
        """The 95 % interval of `balanced`, or None where it is withheld."""
        return self._interval(self.balanced, self.balanced_se)

    @property
    def verdict(self) -> str:
        """One sentence: how many neighbours carry the own label, and how many would by chance."""
        a, b, shown = self.name_a, self.name_b, self._format(self.overlap, self.overlap_se)
        if not self.told_from_chance:
            nothing = f"Neighbours in {a} carry the item's own {b} no more often than chance"
            return self._qualified(f"{nothing}: {shown} beside {self.chance:.2g}; {self._unseen}")
        less = "" if self.overlap > self.chance else "only "
        worst = int(np.argmin(self.class_overlap - self.class_chance))
        clauses = []
        if not exceeds(self.class_overlap[worst], self.class_chance[worst] + self._error_of(worst), 1.0):
            clauses.append(f"of {self.class_names[worst]} no more than chance")
        sentence = (
            f"{less}{shown} of the neighbours in {a} carry the item's own {b}, where chance gives {self.chance:.2g}"
        )
        return self._qualified(sentence[0].upper() + sentence[1:], *clauses)

    def _error_of(self, place: int) -> float:
        return self.error_factor * float(self.class_overlap_se[place])

    @property
    def _title(self) -> str:
        number = (
            f"{self.k} neighbours"
            if self.class_fraction is None
            else f"neighbours, {self.class_fraction:g} of a class,"
        )
        return f"{number} in {self.name_a} with the item's own {self.name_b} ({self._size})"

    @property
    def _estimates(self) -> list[tuple[str, str, None]]:
        lines = [("overlap", self._format(self.overlap, self.overlap_se), None), ("chance", f"{self.chance:.3g}", None)]
        both = self._format(self.balanced, self.balanced_se)
        lines.append(("classes alike", f"{both}; chance {self.balanced_chance:.3g}", None))
        table = zip(self.class_names, self.class_sizes, self.class_overlap, self.class_overlap_se, self.class_chance,
                    strict=True)  # fmt: skip
        return lines + [
            (f"{name} ({size})", f"{self._format(float(value), float(se))}; chance {chance:.3g}", None)
            for name, size, value, se, chance in table
        ]

    def _numbers(self) -> dict[str, Any]:
        own = ("class_fraction", "balanced", "balanced_se", "balanced_chance")
        return super()._numbers() | {name: getattr(self, name) for name in own}

    def _rows(self) -> list[dict[str, Any]]:
        """One row a class, after that of all of them."""
        known = {item.name for item in fields(Overlap)} & {"overlap", "overlap_se", "chance", "k"}
        every = {"label": "all", "n_label": self.n_rows} | super()._rows()[0]
        rows = [every]
        for place, name in enumerate(self.class_names):
            own = {"label": name, "n_label": int(self.class_sizes[place]), "k": int(self.class_k[place])}
            own |= {part: float(getattr(self, f"class_{part}")[place]) for part in sorted(known - {"k"})}
            rows.append(own)
        return rows
