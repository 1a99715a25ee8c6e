"""How far the weights of each part of a network move while it trains, and which part moves first."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from infoscope.base import ParameterError, Provenance, Result
from infoscope.base.contents import integers, numbers
from infoscope.base.rounding import exceeds, order_of


@dataclass(frozen=True, kw_only=True, eq=False)
class WeightMotion(Result):
    """Mean squared distance of the weights of each part of a network from where its training began.

    T steps, B parts.  They are numbers of one training, which sampling has no part in: no standard errors.

    Attributes
    ----------
    steps : array (T,)
    blocks : tuple of str
        Names of the parts, from the input to the output.
    motion : array (T, B)
        Sum over the matrices W of a part of ``||W(t) - W(0)||^2 / (entries of W)``.
    half_step : array (B,)
        First step at which half of the last motion is behind.

    References
    ----------
    Rende, Gerace, Laio & Goldt, arXiv 2410.19637 (2024), Sec. 3.
    """

    steps: np.ndarray = field(repr=False)
    blocks: tuple[str, ...]
    motion: np.ndarray = field(repr=False)
    half_step: np.ndarray
    provenance: Provenance | None = field(default=None, repr=False)
    warnings: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    _references = ("infoscope", "data_clones")
    _contents = {"steps": integers("T"), "motion": numbers("T", "blocks"), "half_step": integers("blocks")}

    @classmethod
    def of(
        cls,
        states: Mapping[int, Mapping[str, np.ndarray]],
        blocks: Sequence[str],
        block_of: Callable[[str], str],
        *,
        provenance: Provenance | None = None,
    ) -> WeightMotion:
        """From the parameters at several steps.

        Parameters
        ----------
        states : mapping of step to mapping of name to array
            The lowest step is where training began; only matrices count, biases and gains of norms do not.
        blocks : sequence of str
        block_of : function (name) -> str
            The part that a matrix belongs to, one of `blocks`.
        provenance : Provenance, optional

        Returns
        -------
        WeightMotion

        Raises
        ------
        ParameterError
            Fewer than two steps.

        Examples
        --------
        >>> import numpy as np
        >>> from infoscope.clones import WeightMotion
        >>> states = {0: {"a": np.zeros((2, 2))}, 5: {"a": np.eye(2)}, 9: {"a": np.eye(2)}}
        >>> found = WeightMotion.of(states, ["only"], lambda name: "only")
        >>> found.motion[:, 0].tolist(), found.half_step.tolist()
        ([0.0, 0.5, 0.5], [5])
        """
        steps = sorted(states)
        if len(steps) < 2:
            raise ParameterError("states must hold two steps at least: where training began, and a later one")
        begun = states[steps[0]]
        motion = np.zeros((len(steps), len(blocks)))
        for name in (name for name, values in begun.items() if values.ndim == 2):
            gone = [np.mean((states[step][name].astype(np.float64) - begun[name]) ** 2) for step in steps]
            motion[:, blocks.index(block_of(name))] += gone
        half = (~exceeds(motion[-1] / 2, motion)).argmax(axis=0)
        return cls(
            steps=np.array(steps), blocks=tuple(blocks), motion=motion, half_step=np.array(steps)[half],
            provenance=provenance,
        )  # fmt: skip

    @property
    def _title(self) -> str:
        return f"Motion of weights ({len(self.blocks)} parts, {len(self.steps)} steps)"

    @property
    def verdict(self) -> str:
        """One sentence."""
        last = self.motion[-1]
        if not exceeds(float(last.max()), 0.0):
            return "no weights have moved"
        furthest = int(order_of(-last)[0])
        along = ", ".join(f"{self.blocks[at]} (step {self.half_step[at]})" for at in order_of(self.half_step))
        return (
            f"{self.blocks[furthest]} moved furthest, by {last[furthest]:.3g} a weight at step {self.steps[-1]}; "
            f"half of their way is behind in the order {along}"
        )

    def _rows(self) -> list[dict[str, Any]]:
        return [
            {"step": int(step), **dict(zip(self.blocks, map(float, row), strict=True))}
            for step, row in zip(self.steps, self.motion, strict=True)
        ]
