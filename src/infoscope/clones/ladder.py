"""Clones of several orders of the same data, from models trained one after the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.exceptions import NotFittedError

from infoscope.base import DataError, ParameterError, provenance
from infoscope.base.contents import holds
from infoscope.base.documentation import DocumentedEstimator

from .clone_results import CloneResult
from .documents import error_units, mean_and_error
from .interaction_model import InteractionModel
from .ladder_results import LadderLosses
from .token_arrays import check_order


class CloneLadder(DocumentedEstimator, BaseEstimator):
    """Models of rising order, and a clone from each.

    Parameters
    ----------
    orders : sequence of int
        1 is independent tokens.
    model : InteractionModel, optional
        What all of them share; its order does not count.
    greedy : bool
        Whether training of an energy goes on from the order below (True), or begins anew. Losses then fall with the
        order, and higher orders learn what lower ones leave.

    Attributes
    ----------
    models_ : dict of int to InteractionModel
        One an order.
    losses_ : dict of int to float
        Held-out losses, NaN where nothing was held out.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.clones import CloneLadder, InteractionModel
    >>> tokens = np.random.default_rng(0).integers(2, size=(2000, 4))
    >>> tokens[:, 1] = tokens[:, 0]
    >>> ladder = CloneLadder((1, 2), model=InteractionModel(n_heads=2, n_steps=200)).fit(tokens)
    >>> clones = ladder.sample(tokens[:200], n_sweeps=16)
    >>> [bool((clone.tokens[:, 0] == clone.tokens[:, 1]).mean() > 0.9) for clone in clones.values()]
    [False, True]
    """

    _contents = {"models_": holds(dict), "losses_": holds(dict)}

    def __init__(
        self, orders: Sequence[int] = (1, 2, 3, 5), *, model: InteractionModel | None = None, greedy: bool = True
    ):
        self.orders = orders
        self.model = model
        self.greedy = greedy

    def fit(
        self, tokens: Any, y: Any = None, *, sample_weight: Any = None, checkpoint: Any = None, resume: bool = False
    ) -> CloneLadder:
        """Train a model of each order.

        Parameters
        ----------
        tokens : array (n, L) of int
        y : ignored
        sample_weight : array (n,), optional
        checkpoint : path of a folder, optional
            One file an order is kept there.
        resume : bool
            Go on from what is there.

        Returns
        -------
        CloneLadder
        """
        orders = list(self.orders)
        if not orders or len(set(orders)) < len(orders):
            raise ParameterError(f"orders are {orders}: pass different ones, such as (1, 2, 3)")
        for order in orders:
            check_order(order, np.asarray(tokens).shape[-1], "one of orders")
        shared = (self.model or InteractionModel()).get_params()
        if checkpoint is not None:
            Path(checkpoint).mkdir(parents=True, exist_ok=True)
        self.models_: dict[int, InteractionModel] = {}
        for order in sorted(orders):
            file = None if checkpoint is None else Path(checkpoint) / f"order_{order}.npz"
            model = InteractionModel(**(shared | {"order": order}))
            # a folder that was left half-way has no files yet for the orders that were still to come
            below = self.models_[max(self.models_)] if self.greedy and self.models_ else None
            if model.model != "energy":
                below = None
            self.models_[order] = model.fit(
                tokens, sample_weight=sample_weight, below=below, checkpoint=file, resume=resume
            )  # fmt: skip
        self.losses_ = {order: model.best_loss_ for order, model in self.models_.items()}
        return self

    def sample(self, start: Any, **options: Any) -> dict[int, CloneResult]:
        """A clone of each order.

        Parameters
        ----------
        start : array (n, L)
            Real sequences that no model was trained on.
        **options
            As of `InteractionModel.sample`.

        Returns
        -------
        dict of int to CloneResult
        """
        self._check_trained()
        return {order: model.sample(start, **options) for order, model in self.models_.items()}

    def compare(
        self, tokens: Any, *, document: Any = None, clones: Mapping[int, CloneResult] | None = None
    ) -> LadderLosses:
        """How well each order predicts sequences that no model was trained on.

        Parameters
        ----------
        tokens : array (n, L)
        document : array (n,), optional
            Which document each sequence is from; errors are then by documents.
        clones : dict of int to CloneResult, optional
            What `sample` gave, for the table.

        Returns
        -------
        LadderLosses
        """
        self._check_trained()
        tokens = np.asarray(tokens)
        if document is not None and np.shape(document) != (len(tokens),):
            raise DataError(f"document has shape {np.shape(document)}, but there are {len(tokens)} sequences")
        known, note = error_units(document, len(tokens))
        unit = np.arange(len(tokens)) if known is None else known
        weights = (tokens >= 0).sum(axis=1)
        table = np.stack([model.losses(tokens) for model in self.models_.values()])
        found = [mean_and_error(row, weights, unit) for row in table]
        gains = [mean_and_error(row, weights, unit) for row in table[:-1] - table[1:]]
        drawn = [(clones or {}).get(order) for order in self.models_]
        own = [
            (np.nan, np.nan) if clone is None else _own_loss(model, clone.tokens)
            for model, clone in zip(self.models_.values(), drawn, strict=True)
        ]
        return LadderLosses(
            orders=np.array(list(self.models_)),
            loss=np.array([mean for mean, _ in found]),
            loss_se=np.array([error for _, error in found]),
            gain=np.array([np.nan, *(mean for mean, _ in gains)]),
            gain_se=np.array([np.nan, *(error for _, error in gains)]),
            clone_loss=np.array([mean for mean, _ in own]),
            clone_loss_se=np.array([error for _, error in own]),
            converged=np.array([clone is not None and clone.converged for clone in drawn]),
            r_hat=np.array([np.nan if clone is None else _largest(clone.r_hat) for clone in drawn]),
            n_sweeps=np.array([0 if clone is None else clone.n_sweeps for clone in drawn]),
            nearest=np.array([np.nan if clone is None else clone.nearest for clone in drawn]),
            nearest_data=next((clone.nearest_data for clone in drawn if clone is not None), float("nan")),
            notes=(note,) if note else (),
            provenance=provenance("CloneLadder.compare", {"orders": list(self.models_)}, None, tokens),
        )

    def _check_trained(self) -> None:
        if not hasattr(self, "models_"):
            raise NotFittedError("this CloneLadder has not been trained: call fit first")


def _own_loss(model: InteractionModel, tokens: np.ndarray) -> tuple[float, float]:
    """Of a model on sequences drawn from it, each chain one unit."""
    return mean_and_error(model.losses(tokens), (tokens >= 0).sum(axis=1), np.arange(len(tokens)))


def _largest(r_hat: np.ndarray) -> float:
    known = r_hat[~np.isnan(r_hat)]
    return float(known.max()) if len(known) else 1.0
