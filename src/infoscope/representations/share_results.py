"""What several representations tell together, and what two share beyond a nuisance."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from infoscope.base import Provenance, Result
from infoscope.base.contents import choices, integers, number, numbers, whole
from infoscope.base.results import say_estimate
from infoscope.statistics import adjust_p_values

from .comparison_results import IMBALANCES

__all__ = ["ConditionalImbalance", "JointImbalance"]

WEIGHTINGS = ("spread", "equal")
LEVEL = 0.05  # of adjusted p-values, in verdicts
BEST_PARTNER = "best partner, chosen on the same items"  # on pictures of the smallest over layers of the other model


def say_p(p: float) -> str:
    """A p-value of a normal law, whose far tail nobody knows."""
    return "p < 1e-6" if p < 1e-6 else f"p = {p:.3g}"


def join_words(names: list[str]) -> str:
    """Names in a sentence."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


@dataclass(frozen=True, kw_only=True, eq=False)
class JointImbalance(Result):
    """What several sources tell about a target together, and what each adds to the others.

    Attributes
    ----------
    names : tuple of str
        The sources.
    name_target : str
        What is told about.
    joint, joint_se : float
        Information Imbalance of all sources together to the target, and its standard error.
    alone, alone_se : array (S,)
        Of each source alone.
    without, without_se : array (S,)
        Of all sources but this one.
    added, added_se : array (S,)
        `without` less `joint`, with the error of the paired difference: above 0 where the source tells what the others
        do not, below 0 where it blurs them.
    p_values, p_values_adjusted : array (S,)
        Two-sided, of "it adds nothing"; adjusted for the number of sources (Holm).
    weighting : str
        How sources were made equal: "spread" or "equal".
    k : int
        Neighbours.
    metric : str
        Of the distances.
    preprocess : tuple of str
        What every layer went through first.
    n_items : int
        Items.
    """

    names: tuple[str, ...]
    name_target: str
    joint: float
    joint_se: float
    alone: np.ndarray = field(repr=False)
    alone_se: np.ndarray = field(repr=False)
    without: np.ndarray = field(repr=False)
    without_se: np.ndarray = field(repr=False)
    added: np.ndarray = field(repr=False)
    added_se: np.ndarray = field(repr=False)
    p_values: np.ndarray = field(repr=False)
    weighting: str = "spread"
    k: int = 1
    metric: str = "cosine"
    preprocess: tuple[str, ...] = ()
    n_items: int = 0
    provenance: Provenance | None = field(default=None, repr=False)
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    _contents = {
        **{
            name: numbers("names")
            for name in ("alone", "alone_se", "without", "without_se", "added", "added_se", "p_values")
        },
        "joint": number(),
        "joint_se": number(0.0),
        "weighting": choices(*WEIGHTINGS),
        "k": whole(1),
        "n_items": whole(),
    }

    _references = ("information_imbalance",)

    @property
    def p_values_adjusted(self) -> np.ndarray:
        """p-values for as many sources (Holm)."""
        return adjust_p_values(self.p_values, "holm")

    def _rows(self) -> list[dict[str, Any]]:
        columns = ("alone", "alone_se", "without", "without_se", "added", "added_se", "p_values", "p_values_adjusted")
        return [
            dict(source=name) | {column: float(getattr(self, column)[s]) for column in columns}
            for s, name in enumerate(self.names)
        ]

    @property
    def _title(self) -> str:
        how = ", ".join([*self.preprocess, self.metric])
        return f"{join_words(list(self.names))} about {self.name_target} (k = {self.k}, N = {self.n_items}, {how})"

    @property
    def _estimates(self) -> list[Any]:
        rows: list[Any] = [("all together", self.joint, self.joint_se)]
        for s, name in enumerate(self.names):
            added = say_estimate(float(self.added[s]), float(self.added_se[s]))
            alone = say_estimate(float(self.alone[s]), float(self.alone_se[s]))
            rows.append((name, f"alone {alone}; adds {added}, {say_p(self.p_values_adjusted[s])}", None))
        return rows

    @property
    def verdict(self) -> str:
        """One sentence: which sources tell what the others do not."""
        sure = self.p_values_adjusted <= LEVEL
        adds = [name for name, ok, value in zip(self.names, sure, self.added, strict=True) if ok and value > 0]
        blurs = [name for name, ok, value in zip(self.names, sure, self.added, strict=True) if ok and value < 0]
        nothing = [name for name, ok in zip(self.names, sure, strict=True) if not ok]
        parts = []
        if adds:
            parts.append(f"{join_words(adds)} {'tell' if len(adds) > 1 else 'tells'} what the others do not")
        if blurs:
            parts.append(f"{join_words(blurs)} only {'blur' if len(blurs) > 1 else 'blurs'} what the others tell")
        if nothing:
            parts.append(f"{join_words(nothing)} {'add' if len(nothing) > 1 else 'adds'} nothing that these items show")
        return f"About {self.name_target}: {'; '.join(parts)}."


@dataclass(frozen=True, kw_only=True, eq=False)
class ConditionalImbalance(Result):
    """What layers of two models tell of each other among items that are alike in a nuisance.

    The first axis of all tables is the direction: a to b, b to a.

    Attributes
    ----------
    names_a, names_b : tuple of str
        Of the layers.
    name_nuisance : str
        What is held fixed.
    values, values_se : array (2, L_A, L_B)
        Information Imbalances among candidates of like nuisance, and their standard errors.
    unconditional, unconditional_se : array (2, L_A, L_B)
        The same among as many candidates drawn at random.
    change, change_se : array (2, L_A, L_B)
        `values` less `unconditional`, with the error of the paired difference: what was due to the nuisance.
    null_mean : array (2, L_A, L_B)
        Mean of `values` with items of b shuffled among those of like nuisance: what the nuisance alone gives.
    p_values : array (2, L_A, L_B)
        Of "they share no more than the nuisance", one pair alone.
    best_a, best_b : array (2,) of int
        The pair of layers that shares most.
    best_p : array (2,)
        Of that pair, beside the best pair of every shuffle.
    p_value : float
        Of both directions and all pairs together: of the best of them, beside the best of every shuffle.
    n_like : int
        Items most alike in the nuisance, with itself, among which items of b were shuffled.
    fraction, n_candidates : float
        Share of the items that may be neighbours, and how many these are on average: more where many are tied.
    k : int
        Neighbours.
    metric : str
        Of the layers.
    preprocess : tuple of str
        What every layer went through first.
    level : float
        Below which a p-value counts.
    n_permutations, n_items : int
        Shuffles, and items.
    """

    names_a: tuple[str, ...]
    names_b: tuple[str, ...]
    name_nuisance: str = "nuisance"
    values: np.ndarray = field(repr=False)
    values_se: np.ndarray = field(repr=False)
    unconditional: np.ndarray = field(repr=False)
    unconditional_se: np.ndarray = field(repr=False)
    change: np.ndarray = field(repr=False)
    change_se: np.ndarray = field(repr=False)
    null_mean: np.ndarray = field(repr=False)
    p_values: np.ndarray = field(repr=False)
    best_a: np.ndarray
    best_b: np.ndarray
    best_p: np.ndarray
    p_value: float
    n_like: int = 0
    fraction: float = 0.25
    n_candidates: float = 0.0
    k: int = 1
    metric: str = "cosine"
    preprocess: tuple[str, ...] = ()
    level: float = 0.05
    n_permutations: int = 0
    n_items: int = 0
    provenance: Provenance | None = field(default=None, repr=False)
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    _contents = {
        **{
            name: numbers(2, "names_a", "names_b")
            for name in ("values", "values_se", "unconditional", "unconditional_se", "change", "change_se",
                         "null_mean", "p_values")
        },
        "best_a": integers(2, below="names_a"),
        "best_b": integers(2, below="names_b"),
        "best_p": numbers(2),
        "p_value": number(0.0),
        "n_like": whole(),
        "fraction": number(0.0),
        "n_candidates": number(0.0),
        "k": whole(1),
        "level": number(0.0),
        "n_permutations": whole(),
        "n_items": whole(),
    }  # fmt: skip

    _references = ("information_imbalance",)

    def _rows(self) -> list[dict[str, Any]]:
        columns = ("values", "values_se", "unconditional", "unconditional_se", "change", "change_se", "null_mean",
                   "p_values")  # fmt: skip
        return [
            dict(direction=way, layer_a=layer_a, layer_b=layer_b)
            | {column.removesuffix("s"): float(getattr(self, column)[w, a, b]) for column in columns}
            for w, way in enumerate(IMBALANCES)
            for a, layer_a in enumerate(self.names_a)
            for b, layer_b in enumerate(self.names_b)
        ]

    @property
    def _title(self) -> str:
        how = ", ".join([*self.preprocess, self.metric])
        return (
            f"Information Imbalance among items of like {self.name_nuisance} ({self.n_candidates:.0f} candidates of "
            f"{self.n_items - 1}, k = {self.k}, {how}, {self.n_permutations} shuffles)"
        )

    @property
    def _estimates(self) -> list[Any]:
        lines = []
        for w, (way, a, b) in enumerate(zip(IMBALANCES, self.best_a, self.best_b, strict=True)):
            value, free = (
                say_estimate(float(table[w, a, b]), float(errors[w, a, b]))
                for table, errors in ((self.values, self.values_se), (self.unconditional, self.unconditional_se))
            )
            text = (
                f"{value}, of random candidates {free}, of the {self.name_nuisance} alone {self.null_mean[w, a, b]:.3f}"
            )
            many = len(self.names_a) * len(self.names_b)
            among = f" as the best of {many}" if many > 1 else ""
            lines.append(
                (f"{way}: {self.names_a[a]}, {self.names_b[b]}", f"{text}; p = {self.best_p[w]:.3g}{among}", None)
            )
        return lines

    @property
    def verdict(self) -> str:
        """One sentence: is there more than the nuisance?"""
        if self.p_value <= self.level:
            return f"What they share is more than {self.name_nuisance}."
        return (
            f"They share no more than {self.name_nuisance} gives by itself: nothing else that these {self.n_items} "
            "items show."
        )
