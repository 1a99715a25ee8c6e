"""The Differentiable Information Imbalance as a loss of a representation: train a network to keep neighbourhoods.

The loss of a batch is formula (13): softly weighted neighbours in the embedding, exact ranks in the target.  Only
distances between the rows of the batch enter, so its gradient goes through them to whatever made the embedding.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

from infoscope.base import DataError, ParameterError, choose_device, require
from infoscope.imbalance.rank_table import rank_table
from infoscope.neighbors import Admissibility, Space, is_integer_column, on_device, target_space

from .softmax import BANDWIDTHS, Bandwidth
from .softmax_kernels import FIXED, PERPLEXITY, POINT

LEAST_K, K_SHARE = 3, 20  # neighbours by default: one in twenty of a batch; few would give a noisy gradient
KINDS = {"point": POINT, "perplexity": PERPLEXITY}


class DIILoss:
    """Loss of an embedding that should keep the neighbourhoods of a target.

    Parameters
    ----------
    target : Space, array, tensor, frame, labels, or matrix of distances
        What every row is near to, of all rows of the data; see `target_kind`.
    k : int, optional
        Neighbours that set the "point" and "global" bandwidth; one in twenty rows of a batch by default.
    bandwidth : {"point", "global", "gap", "fixed", "perplexity"}
        How far a row looks; the gradient flows through it.
    lambda_factor : float
        Bandwidth as a share of the distance of the k-th neighbour; for "fixed" the bandwidth itself.
    perplexity : float, optional
        Effective number of neighbours, for ``bandwidth="perplexity"``.
    kernel_power : {1, 2}
        Distances or squared distances in the exponent.
    exclusion_window, neighbors_from : optional
        Rows of one run within this time, or of the same run at all, are no neighbours.
    target_kind : {"auto", "features", "labels", "distances"}
        What `target` is, where it is no Space; "auto" as for `DifferentiableImbalance`.

    Raises
    ------
    ParameterError
        A bandwidth that does not fit.

    See Also
    --------
    dii_loss : the same from ranks, where the target changes with the batch.

    References
    ----------
    Wild, Wodaczek, Del Tatto, Cheng, Laio, Nature Communications 16, 270 (2025).

    Examples
    --------
    >>> import torch
    >>> from infoscope.imbalance.dii.loss import DIILoss
    >>> x = torch.randn(300, 10, generator=torch.manual_seed(0))
    >>> network, loss = torch.nn.Linear(10, 2), DIILoss(x[:, :2])
    >>> rows = torch.arange(100)
    >>> loss(network(x[rows]), rows).backward()
    >>> network.weight.grad.shape
    torch.Size([2, 10])
    """

    def __init__(
        self,
        target,
        *,
        k: int | None = None,
        bandwidth: str = "point",
        lambda_factor: float = 0.1,
        perplexity: float | None = None,
        kernel_power: int = 2,
        exclusion_window: float = 0.0,
        neighbors_from: str = "any",
        target_kind: str = "auto",
    ):
        self.target = target_space(target, target_kind, name="target", option="target_kind")[0]
        self.admissibility = Admissibility(exclusion_window, neighbors_from)
        self.options: dict[str, Any] = dict(
            k=k, bandwidth=bandwidth, lambda_factor=lambda_factor, perplexity=perplexity, kernel_power=kernel_power
        )
        _bandwidth(len(self.target), **self.options)  # so that an error comes here, not in the first step
        self._all: Any = None  # ranks of all rows, for training without batches

    def __call__(self, embedding, index=None):
        """Loss of the embedding (B, d) of some rows of the target.

        Parameters
        ----------
        embedding : tensor (B, d)
            float32 or float64 on any device.
        index : array or tensor of int (B,), optional
            Which rows of the target they are; all of them, in order, by default.

        Returns
        -------
        tensor
            A scalar: 0 when all neighbours are kept, 1 for an embedding that knows nothing.
        """
        if index is None:
            if self._all is None:
                self._all = batch_ranks(self.target, **self.admissibility.options)
            ranks, weight = self._all, self.target.sample_weight
        else:
            index = np.asarray(index.cpu() if hasattr(index, "cpu") else index)
            part = self.target.take(index)
            ranks, weight = batch_ranks(part, **self.admissibility.options), part.sample_weight
        return dii_loss(embedding, ranks, sample_weight=weight, **self.options)


def dii_loss(
    embedding,
    target_ranks,
    *,
    k: int | None = None,
    bandwidth: str = "point",
    lambda_factor: float = 0.1,
    perplexity: float | None = None,
    kernel_power: int = 2,
    sample_weight=None,
):
    """Differentiable Information Imbalance of an embedding to ranks in a target, with its gradient.

    Memory is a few numbers for each of the B x B pairs; the gradient is the exact one, its second derivative does not
    exist.  Rows without any admissible partner in the batch do not count.  Inside `torch.compile` it runs as it is.

    Parameters
    ----------
    embedding : tensor (B, d)
        float32 or float64 (half precision becomes float32), on any device.
    target_ranks : tensor or array (B, B)
        Rescaled ranks r/(M + 1), as `batch_ranks` makes them; NaN where a pair is not admissible.
    k, bandwidth, lambda_factor, perplexity, kernel_power : optional
        As for `DIILoss`.
    sample_weight : array or tensor (B,), optional
        Weights of the rows, as neighbours and in the mean; give them to `batch_ranks` too.

    Returns
    -------
    tensor
        A scalar, of the embedding's type and device.

    Raises
    ------
    DataError
        Shapes that do not fit; an embedding that is not finite.
    ParameterError
        A bandwidth that does not fit.

    References
    ----------
    Wild, Wodaczek, Del Tatto, Cheng, Laio, Nature Communications 16, 270 (2025).

    Examples
    --------
    >>> import torch
    >>> from infoscope.imbalance.dii.loss import batch_ranks, dii_loss
    >>> x = torch.randn(200, 2, generator=torch.manual_seed(0), dtype=torch.float64)
    >>> bool(dii_loss(x, batch_ranks(x)) < 0.05)
    True
    """
    torch = require("torch", "torch")
    if not isinstance(embedding, torch.Tensor):
        raise DataError(
            f"the embedding is a {type(embedding).__name__}, not a tensor of torch: only through a tensor "
            "can a gradient flow; infoscope.information_imbalance compares arrays"
        )
    loss = _loss
    if torch.compiler.is_compiling():  # its steps depend on the numbers
        loss = torch.compiler.disable(_loss)
    return loss(embedding, target_ranks, sample_weight, k, bandwidth, lambda_factor, perplexity, kernel_power)


def batch_ranks(target, *, exclusion_window: float = 0.0, neighbors_from: str = "any", device=None):
    """Rescaled ranks of all pairs of a batch in its target, ties included.

    Parameters
    ----------
    target : array, tensor, frame or Space
        The B rows of the batch; `space.take(rows)` of a Space.  Whole numbers in one column are refused: whether they
        are labels is seen in all rows, not in a batch (`DIILoss` decides it once).
    exclusion_window, neighbors_from : optional
        As for `DIILoss`.
    device : optional
        Where the ranks shall be; with the target by default.

    Returns
    -------
    tensor (B, B)
        float64; NaN where a pair is not admissible.

    Raises
    ------
    DataError
        If no row has an admissible partner.
    ParameterError
        If there is no such device.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.imbalance.dii.loss import batch_ranks
    >>> batch_ranks(np.array([[0.0], [1.0], [3.0], [2.0]]))[0]
    tensor([   nan, 0.2500, 0.7500, 0.5000], dtype=torch.float64)
    """
    torch = require("torch", "torch")
    space = _batch_space(target)
    device = choose_device(device, space.features)
    if len(space) < 3:
        raise DataError(f"a batch of {len(space)}: ranks need at least 3 rows")
    table = rank_table(space, admissibility=Admissibility(exclusion_window, neighbors_from))
    if not table.values.any():
        raise DataError(
            "no row of the batch has an admissible partner: draw batches of more runs, or longer ones, "
            "than the exclusion window leaves out"
        )
    return torch.as_tensor(table.rescaled(), device=device)


# --------------------------------------------------------------------------------------------------------------- checks
def _batch_space(target) -> Space:
    if isinstance(target, Space) or not is_integer_column(target):
        return target_space(target, name="target")[0]
    raise ParameterError(
        "a batch does not show whether whole numbers are labels or sizes: pass rows of a Space, "
        "Space.from_labels(all_targets).take(rows), or numbers with a decimal point"
    )


def _bandwidth(n: int, k, bandwidth, lambda_factor, perplexity, kernel_power) -> Bandwidth:
    """What was asked for, for a batch of n rows."""
    if bandwidth == "perplexity":
        if perplexity is None:
            raise ParameterError("bandwidth='perplexity' needs perplexity=, the effective number of neighbours")
        if perplexity >= n - 1:
            raise ParameterError(f"perplexity is {perplexity:g}; a batch of {n} rows has {n - 1} neighbours")
        return Bandwidth(bandwidth, 1, float(perplexity), kernel_power)
    if perplexity is not None:
        raise ParameterError(
            f"perplexity goes with bandwidth='perplexity', not with {bandwidth!r}; the others are "
            f"{', '.join(BANDWIDTHS[:-1])}"
        )
    k = min(max(LEAST_K, n // K_SHARE), n - 1) if k is None else k
    if not isinstance(k, (int, np.integer)) or not 1 <= k < n:
        raise ParameterError(f"k is {k!r}; a batch of {n} rows has 1 to {n - 1} neighbours")
    return Bandwidth(bandwidth, int(k), lambda_factor, kernel_power)


def _checked(embedding, ranks, weight):
    """Embedding, ranks and weights as floating tensors in one place."""
    import torch

    if embedding.ndim != 2 or 0 in embedding.shape:
        raise DataError(f"the embedding has shape {tuple(embedding.shape)}; it needs two dimensions (rows, features)")
    if not embedding.is_floating_point():
        raise DataError(f"the embedding is of type {embedding.dtype}: gradients need floating point numbers")
    if embedding.dtype not in (torch.float32, torch.float64):
        embedding = embedding.float()
    n = len(embedding)
    ranks = on_device(ranks, embedding.device).to(embedding)
    if ranks.shape != (n, n):
        raise DataError(
            f"target_ranks has shape {tuple(ranks.shape)}, the embedding has {n} rows: ranks of the same "
            f"batch are ({n}, {n})"
        )
    finite = embedding.detach().isfinite()
    if not bool(finite.all()):
        row, column = (~finite).nonzero()[0].tolist()
        raise DataError(
            f"the embedding holds {float(embedding[row, column])} in row {row}, column {column}: the "
            "training diverged (a smaller learning rate, clipped gradients) or its input is not finite"
        )
    if weight is not None:
        weight = on_device(weight, embedding.device).to(embedding)
        if weight.shape != (n,) or not bool((weight >= 0).all()) or not bool(weight.any()):
            raise DataError(f"sample_weight needs {n} numbers >= 0, not all zero; its shape is {tuple(weight.shape)}")
    return embedding, ranks, weight


# ------------------------------------------------------------------------------------------------------ value and slope
def _loss(embedding, ranks, weight, *options):
    import torch

    embedding, ranks, weight = _checked(embedding, ranks, weight)
    settings = _bandwidth(len(embedding), *options)
    with torch.autocast(embedding.device.type, enabled=False):
        # differences, not products: close rows keep their digits, forward and backward
        distance = torch.cdist(embedding, embedding, compute_mode="donot_use_mm_for_euclid_dist")
        return _imbalance()(distance, ranks, weight, settings)


@lru_cache(maxsize=1)
def _imbalance():
    """DII of a matrix of distances as an operation that knows its own derivative."""
    import torch

    class Imbalance(torch.autograd.Function):
        @staticmethod
        def forward(ctx, distance, ranks, weight, settings):
            value, slopes = _value_and_slopes(distance, ranks, weight, settings, ctx.needs_input_grad[0])
            ctx.slopes = slopes
            return value

        @staticmethod
        @torch.autograd.function.once_differentiable
        def backward(ctx, of_value):
            return ctx.slopes * of_value, None, None, None

    return Imbalance.apply


def _value_and_slopes(distance, ranks, weight, settings: Bandwidth, gradient: bool):
    """DII, and its derivative by every distance (B, B)."""
    import torch

    from .softmax_torch import softmax_rows

    allowed = ranks.isfinite()
    if weight is not None:
        allowed = allowed & (weight > 0)
    squared = distance.square().masked_fill(~allowed, np.inf)
    mass = allowed.to(distance.dtype) * (1.0 if weight is None else weight)
    total = mass.sum(1)
    counts = total > 0  # rows of nobody are left out
    unit = torch.where(counts, mass.square().sum(1) / torch.where(counts, total, 1.0), 1.0)
    own = counts.to(distance.dtype) * (1.0 if weight is None else weight)
    rho = 2 * own / own.sum()
    mode, size, by_distance = KINDS.get(settings.kind, FIXED), settings.size, None
    if mode == PERPLEXITY:
        size = float(np.log(size))
    elif settings.kind in ("global", "gap"):
        size, by_distance = _common(squared, counts, settings)
    found = softmax_rows(
        squared, ranks.masked_fill(~allowed, 0.0), weight, unit, rho, settings.k, mode, size, settings.power, gradient
    )
    value = (rho * torch.where(counts, found.f, 0.0)).sum()
    if not gradient:
        return value, None
    slopes = found.slopes
    if by_distance is not None:  # the common bandwidth moves with all rows
        slopes = slopes + found.pull.sum() * by_distance
    return value, slopes if settings.power == 1 else slopes * 2 * distance


def _common(squared, counts, settings: Bandwidth):
    """The bandwidth that all rows share, and its derivative by every e_ij."""
    import torch

    from .softmax_torch import kth_smallest, share_of_ties

    n = counts.sum().to(squared.dtype)  # a number divided by an integer would be float32
    depths = (settings.k,) if settings.kind == "global" else (1, 2)
    kth = [kth_smallest(squared, depth) for depth in depths]
    e = [torch.where(counts[:, None], u if settings.power == 2 else u.sqrt(), 0.0) for u in kth]
    at = [share_of_ties(squared, u) for u in kth]
    if settings.kind == "global":
        lam, slopes = settings.size * e[0].sum() / n, settings.size / n * at[0]
    else:
        gap = e[1] - e[0]
        least = torch.where(counts[:, None], gap, np.inf).amin()
        smallest = ((gap == least) & counts[:, None]).to(squared.dtype)
        lam = (least + gap.sum() / n) / 2
        slopes = (at[1] - at[0]) * (0.5 / n + 0.5 * smallest / smallest.sum())
    if not bool(lam > 0):
        raise ParameterError(
            f"bandwidth={settings.kind!r} is zero, because neighbours are duplicates: use 'point' or 'perplexity'"
        )
    return lam, slopes
