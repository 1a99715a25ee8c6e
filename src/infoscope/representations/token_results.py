"""What tokens tell of each other beside controls, and what more of them tell."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from infoscope.base import Provenance, Result
from infoscope.base.contents import integers, numbers, whole
from infoscope.base.results import say_estimate
from infoscope.statistics import adjust_p_values, item_degrees, student_p_value

from .comparison_results import IMBALANCES
from .share_results import LEVEL, join_words

__all__ = ["ControlledTokens", "TokenNumberCurve"]


@dataclass(frozen=True, kw_only=True, eq=False)
class ControlledTokens(Result):
    """What tokens tell about others, and what the same places of controls tell.

    Attributes
    ----------
    names_a, names_b : tuple of str
        Tokens or windows of them, and those beside them.
    conditions : tuple of str
        "given", then the controls.
    values, values_se : array (2, C, L)
        Information Imbalances, a to b and b to a, of every condition, and their standard errors.
    asymmetry, asymmetry_se : array (C, L)
        a_to_b less b_to_a, with the error of the paired difference: below 0 where a tells more.
    gain, gain_se : array (2, C - 1, L)
        Values of a control less those given, paired by item: above 0 where what is given tells more than the control.
    asymmetry_gain, asymmetry_gain_se : array (C - 1, L)
        Asymmetry given less that of the control: below 0 where a tells more than the control explains.
    k : int
        Neighbours.
    metric : str
        Of the distances.
    preprocess : tuple of str
        What every layer went through first.
    n_items : int
        Items.
    """

    names_a: tuple[str, ...]
    names_b: tuple[str, ...]
    conditions: tuple[str, ...]
    controls: tuple[str, ...]
    values: np.ndarray = field(repr=False)
    values_se: np.ndarray = field(repr=False)
    asymmetry: np.ndarray = field(repr=False)
    asymmetry_se: np.ndarray = field(repr=False)
    gain: np.ndarray = field(repr=False)
    gain_se: np.ndarray = field(repr=False)
    asymmetry_gain: np.ndarray = field(repr=False)
    asymmetry_gain_se: np.ndarray = field(repr=False)
    k: int = 1
    metric: str = "cosine"
    preprocess: tuple[str, ...] = ()
    n_items: int = 0
    provenance: Provenance | None = field(default=None, repr=False)
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    _contents = {
        **{name: numbers(2, "conditions", "names_a") for name in ("values", "values_se")},
        **{name: numbers("conditions", "names_a") for name in ("asymmetry", "asymmetry_se")},
        **{name: numbers(2, "controls", "names_a") for name in ("gain", "gain_se")},
        **{name: numbers("controls", "names_a") for name in ("asymmetry_gain", "asymmetry_gain_se")},
        "k": whole(1),
        "n_items": whole(),
    }

    _references = ("information_imbalance",)

    def _rows(self) -> list[dict[str, Any]]:
        rows = []
        for c, condition in enumerate(self.conditions):
            for i, (a, b) in enumerate(zip(self.names_a, self.names_b, strict=True)):
                row: dict[str, Any] = dict(condition=condition, a=a, b=b)
                for w, way in enumerate(IMBALANCES):
                    row |= {way: float(self.values[w, c, i]), f"{way}_se": float(self.values_se[w, c, i])}
                row |= dict(asymmetry=float(self.asymmetry[c, i]), asymmetry_se=float(self.asymmetry_se[c, i]))
                rows.append(row)
        return rows

    @property
    def _title(self) -> str:
        how = ", ".join([*self.preprocess, self.metric])
        return f"Tokens beside {join_words(list(self.controls))} (k = {self.k}, N = {self.n_items}, {how})"

    @property
    def _estimates(self) -> list[Any]:
        lines = []
        for i, (a, b) in enumerate(zip(self.names_a, self.names_b, strict=True)):
            for c, condition in enumerate(self.conditions):
                told = [say_estimate(float(self.values[w, c, i]), float(self.values_se[w, c, i])) for w in (0, 1)]
                skew = say_estimate(float(self.asymmetry[c, i]), float(self.asymmetry_se[c, i]))
                label = f"{a}, {b}: {condition}"
                lines.append((label, f"{told[0]}, back {told[1]}; asymmetry {skew}", None))
        return lines

    @property
    def verdict(self) -> str:
        """One sentence: is there more than in the controls, and is it directed?

        Of a place the largest p-value of all controls counts; those of all places are corrected by Holm.
        """
        degrees = item_degrees(self.n_items)
        less = np.where(self.gain[0] > 0, student_p_value(self.gain[0], self.gain_se[0], degrees), 1.0)
        skew = student_p_value(self.asymmetry_gain, self.asymmetry_gain_se, degrees)
        told, skewed = (
            [name for name, p in zip(self.names_a, adjust_p_values(one.max(0), "holm"), strict=True) if p <= LEVEL]
            for one in (less, skew)
        )
        first = f"{join_words(told)} tell{'s' if len(told) == 1 else ''} more than in every control" if told else (
            "Nowhere is more told than in every control"
        )  # fmt: skip
        second = f"more directed or less than in every control at {join_words(skewed)}" if skewed else (
            "the asymmetry is nowhere told from that of the controls"
        )  # fmt: skip
        return f"{first[0].upper()}{first[1:]}; {second} (each {_sure(len(self.names_a), 'places')})."


@dataclass(frozen=True, kw_only=True, eq=False)
class TokenNumberCurve(Result):
    """What more tokens of an item tell.

    Attributes
    ----------
    how : tuple of str
        How tokens became one vector: "last_n", "mean_last_n".
    n_tokens : array (n,) of int
        Tokens.
    values, values_se : array (2, H, n)
        Information Imbalances, a to b and b to a, and their standard errors.
    gain, gain_se : array (2, H, n)
        Value of the fewest tokens less that of so many, paired by item: above 0 where more tokens tell more.
    all_tokens, all_tokens_se : array (2,) or None
        Of the mean over all tokens.
    k : int
        Neighbours.
    metric : str
        Of the distances.
    preprocess : tuple of str
        What every layer went through first.
    n_items : int
        Items.
    """

    how: tuple[str, ...]
    n_tokens: np.ndarray
    values: np.ndarray = field(repr=False)
    values_se: np.ndarray = field(repr=False)
    gain: np.ndarray = field(repr=False)
    gain_se: np.ndarray = field(repr=False)
    all_tokens: np.ndarray | None = field(default=None, repr=False)
    all_tokens_se: np.ndarray | None = field(default=None, repr=False)
    k: int = 1
    metric: str = "cosine"
    preprocess: tuple[str, ...] = ()
    n_items: int = 0
    provenance: Provenance | None = field(default=None, repr=False)
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    _contents = {
        "n_tokens": integers("T", low=1),
        **{name: numbers(2, "how", "T") for name in ("values", "values_se", "gain", "gain_se")},
        "all_tokens": numbers(2) | None,
        "all_tokens_se": numbers(2) | None,
        "k": whole(1),
        "n_items": whole(),
    }

    _references = ("information_imbalance",)

    def _rows(self) -> list[dict[str, Any]]:
        rows: list[dict[str, Any]] = []
        for h, how in enumerate(self.how):
            for i, number in enumerate(self.n_tokens):
                row: dict[str, Any] = dict(how=how, tokens=int(number))
                for w, way in enumerate(IMBALANCES):
                    row |= {way: float(self.values[w, h, i]), f"{way}_se": float(self.values_se[w, h, i])}
                    row |= {f"{way}_gain": float(self.gain[w, h, i]), f"{way}_gain_se": float(self.gain_se[w, h, i])}
                rows.append(row)
        if self.all_tokens is not None and self.all_tokens_se is not None:
            row = dict(how="mean", tokens="all")
            for w, way in enumerate(IMBALANCES):
                row |= {way: float(self.all_tokens[w]), f"{way}_se": float(self.all_tokens_se[w])}
            rows.append(row)
        return rows

    @property
    def _title(self) -> str:
        how = ", ".join([*self.preprocess, self.metric])
        return f"Imbalance by the number of tokens (k = {self.k}, N = {self.n_items}, {how})"

    @property
    def _estimates(self) -> list[Any]:
        lines: list[Any] = []
        for row in self._rows():
            told = [say_estimate(row[way], row[f"{way}_se"]) for way in IMBALANCES]
            lines.append((f"{row['how']}, {row['tokens']}", f"{told[0]}, back {told[1]}", None))
        return lines

    @property
    def verdict(self) -> str:
        """One sentence: do more tokens tell more?  p-values of all ways to join tokens are corrected by Holm."""
        gains = self.gain[0, :, -1]
        p_values = adjust_p_values(student_p_value(gains, self.gain_se[0, :, -1], item_degrees(self.n_items)), "holm")
        parts = []
        for how, gain, p in zip(self.how, gains, p_values, strict=True):
            word = "no more" if p > LEVEL else "more" if gain > 0 else "less"
            parts.append(f"{self.n_tokens[-1]} tokens tell {word} than {self.n_tokens[0]} by {how}")
        return f"{'; '.join(parts)} ({_sure(len(parts), 'tests')})." if parts else ""


def _sure(number: int, of: str) -> str:
    """At which level a sentence holds, after Holm's correction."""
    return f"at {100 * LEVEL:g} %{f', corrected for {number} {of}' if number > 1 else ''}"
