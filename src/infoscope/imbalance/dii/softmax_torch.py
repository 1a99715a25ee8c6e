"""The softmax over neighbours in dense operations of tensors: the twin of `softmax_kernels`, on any device.

Whole rows are needed, as there.  Formulas are written in the relative excess a_ij = (e_ij - min_j e_ij)/lambda_i, which
is all that a softmax knows of distances; sum_j c_ij (u_ij - f_i) = 0, so what is common to a row drops out.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from infoscope.neighbors import on_device

from .softmax_kernels import DOUBTFUL, FAR, LEAST_WEIGHT, NEWTON_STEPS, PERPLEXITY, POINT, TIED

FEW = 0.01  # share of pairs that weigh something up to which they are listed
ENTROPY_ERROR = {"torch.float64": 1e-12, "torch.float32": 1e-5}


class Rows(NamedTuple):
    """What a softmax over whole rows gives; tensors."""

    f: Any  # (b,) mean rescaled rank; NaN in a row of nobody
    entropy: Any  # (b,)
    pull: Any  # (b,) derivative of the value by lambda_i
    lam: Any  # (b,) lambda_i
    c: Any  # (b, m)
    slopes: Any  # (b, m) derivative of the value by e_ij, or None


def softmax_rows(squared, u, mass, unit, rho, k: int, mode: int, size, power: int, gradient: bool) -> Rows:
    """Weights, mean ranks and derivatives of whole rows.

    Parameters
    ----------
    squared : tensor (b, m)
        Squared distances, +inf where not admissible.
    u : tensor (b, m)
        Rescaled ranks in the target; any finite number where not admissible.
    mass : tensor (m,) or None
        Weights of the columns; None where all are one.
    unit, rho : tensor (b,)
        Mass of one effective item; weight of each row in the value.
    k, mode, size, power
        As `softmax_kernels.softmax_rows` takes them; `size` may be a tensor for a fixed bandwidth.
    gradient : bool
        Whether derivatives are wanted.

    Returns
    -------
    Rows
    """
    import torch

    e = squared if power == 2 else squared.sqrt()
    lowest = e.amin(1, keepdim=True)
    alone = lowest == np.inf
    excess = e - torch.where(alone, 0.0, lowest)  # +inf stays where a pair is not admissible
    kth = None
    if mode == POINT:
        kth = _scale_of_rows(squared, k, mass, unit)
        lam = torch.where(kth == np.inf, 1.0, size * (kth if power == 2 else kth.sqrt()))
    elif mode == PERPLEXITY:
        lam = _entropy_scale(excess, mass, unit, size)
    else:
        lam = torch.as_tensor(size, dtype=e.dtype, device=e.device).expand(len(e), 1)
    a = excess / lam
    c = (-a).clamp_(min=-2 * FAR).exp_().masked_fill_(a > FAR, 0.0)  # numbers near zero would be slow
    a = a.masked_fill(squared == np.inf, 0.0)
    c = c if mass is None else c * mass
    z = c.sum(1, keepdim=True)
    c = c / torch.where(alone, 1.0, z)
    f, mean_a = (c * u).sum(1, keepdim=True), (c * a).sum(1, keepdim=True)
    h = c * (u - f)
    moment = (h * a).sum(1, keepdim=True)  # sum_j h_ij e_ij = lambda_i times this
    own = rho[:, None]
    pull = torch.where(alone, 0.0, own * moment / lam)
    entropy = torch.where(alone, np.nan, z.log() + mean_a - unit[:, None].log())
    slopes = None
    if gradient:
        if mode == PERPLEXITY:  # the residual of regressing u on e under c
            apart = a - mean_a
            spread = (c * apart.square()).sum(1, keepdim=True)
            h = h - torch.where(spread > 0, moment / spread, 0.0) * c * apart
        slopes = -own / lam * h
        if mode == POINT:
            slopes = slopes + size * pull * share_of_ties(squared, kth)
    f = torch.where(alone, np.nan, f)
    return Rows(f[:, 0], entropy[:, 0], pull[:, 0], lam[:, 0], c, slopes)


def kth_smallest(squared, k: int):
    """The k-th smallest finite value of every row (b, 1), or its largest finite one if there are fewer."""
    import torch

    values = squared.topk(min(k, squared.shape[1]), dim=1, largest=False).values
    last = torch.where(values == np.inf, -np.inf, values).amax(1, keepdim=True)
    return torch.where(last == -np.inf, np.inf, last)


def share_of_ties(squared, kth):
    """One for the pair at the value given in every row, shared by pairs that are tied there; else zero."""
    near = ((squared - kth).abs() <= TIED * kth) & (kth < np.inf)
    return near.to(squared.dtype) / near.sum(1, keepdim=True).clamp(min=1)


def soften_tile(reduction, state: dict, t) -> None:
    """`SoftRanks.update` for a tile of tensors; the state gets NumPy arrays."""
    import torch

    _sharpen(t)
    device = t.squared.device
    table = reduction.table.take(t.block)
    whole = np.array_equal(t.columns, np.arange(table.values.shape[1]))
    ranks = on_device(table.values if whole else table.values[:, t.columns], device)
    unit, rho, scale = (on_device(v, device) for v in (reduction.unit[t.block], reduction.rho[t.block], table.scale))
    u = ranks.double().mul_(scale[:, None])
    found = softmax_rows(
        t.squared.double(),
        u,
        t.mass,
        unit,
        rho,
        reduction.k,
        reduction.mode,
        reduction.size,
        reduction.power,
        reduction.gradient,
    )
    state |= {name: getattr(found, name).cpu().numpy() for name in ("f", "entropy", "pull")}
    if reduction.gradient:
        by_square = found.slopes
        if reduction.power == 1:
            root = t.squared.double().sqrt()
            by_square = torch.where((root > 0) & (root < np.inf), by_square / (2 * root), 0.0)
        state["slopes"] = _slopes(t, by_square)
    if reduction.pairs:
        i, j = (found.c > LEAST_WEIGHT).nonzero(as_tuple=True)
        c, values = (v[i, j].cpu().numpy() for v in (found.c, u))
        state["pairs"] = (i.cpu().numpy() + t.block.start, t.columns[j.cpu().numpy()], c, values)


# ------------------------------------------------------------------------------------------------------------ bandwidth
def _scale_of_rows(squared, k: int, mass, unit):
    """The squared distance (b, 1) that sets the bandwidth of a row: that of the k-th effective neighbour.

    Where that is zero, k items are duplicates, and the nearest item that is none sets it; +inf if there is none.
    """
    import torch

    if mass is None:
        kth = kth_smallest(squared, k)
    else:
        values, order = squared.sort(dim=1)
        enough = (mass[order] * (values < np.inf)).cumsum(1) < (k * unit * (1 - TIED))[:, None]
        last = (values < np.inf).sum(1, keepdim=True) - 1
        place = torch.minimum(enough.sum(1, keepdim=True), last)
        kth = torch.where(last < 0, np.inf, values.gather(1, place.clamp(min=0)))
    positive = torch.where(squared > 0, squared, np.inf).amin(1, keepdim=True)
    return torch.where(kth <= 0, positive, kth)


def _entropy_scale(excess, mass, unit, wanted: float):
    """The bandwidth (b, 1) at which each row has the entropy wanted: safe Newton on log(1/lambda), rows together.

    The twin of `softmax_kernels._entropy_scale`, step by step; rows that have arrived stay.
    """
    import torch

    finite = excess < np.inf
    excess = excess.masked_fill(~finite, 0.0)
    weight = finite.to(excess.dtype) if mass is None else finite * mass
    spread = excess.amax(1, keepdim=True)
    flat = spread == 0
    spread = torch.where(flat, 1.0, spread)
    low, high, x = (1e-6 / spread).log(), (1e12 / spread).log(), (1.0 / spread).log()
    settled, base = flat, unit[:, None].log() + wanted
    for _ in range(NEWTON_STEPS):
        beta = x.exp()
        w = (beta * excess).neg_().clamp_(min=-2 * FAR).exp_().mul_(weight)  # numbers near zero would be slow
        z = w.sum(1, keepdim=True).clamp(min=torch.finfo(w.dtype).tiny)
        w.mul_(excess)
        m1 = w.sum(1, keepdim=True) / z
        m2 = w.mul_(excess).sum(1, keepdim=True) / z
        missing = beta * m1 + z.log() - base
        settled = settled | (missing.abs() < ENTROPY_ERROR[str(excess.dtype)])
        if bool(settled.all()):
            break
        low, high = torch.where(missing > 0, x, low), torch.where(missing > 0, high, x)
        slope = beta.square() * (m2 - m1.square())
        step = torch.where(slope > 0, x + missing / slope, high + 1)
        step = torch.where((low < step) & (step < high), step, (low + high) / 2)
        x = torch.where(settled, x, step)
    return torch.where(flat, 1.0, (-x).exp())


# ------------------------------------------------------------------------------------------------------------- of tiles
def _sharpen(t) -> None:
    """Measure what the rounding of the tile may have spoilt: pairs far nearer than their distance from the centre."""
    import torch

    if not bool(t.row_band.any()):
        return
    factor = DOUBTFUL[np.dtype(str(t.squared.dtype).removeprefix("torch."))]
    i, j = torch.nonzero(t.squared < factor * (t.row_band[:, None] + t.column_band), as_tuple=True)
    if len(i):
        t.squared[i, j] = t.measure(i, j).to(t.squared.dtype)


def _slopes(t, g) -> np.ndarray:
    """sum_ij G_ij delta_ija^2 for every feature: pair by pair where few weigh something, or by one product (15)."""
    import torch

    source, ruler = t.source, t.source.ruler
    x, y = (side.features[side.index[part]] for side, part in ((source.rows, t.block), (source.columns, t.part)))
    slopes = torch.zeros(x.shape[1], dtype=torch.float64, device=x.device)
    if int(g.count_nonzero()) < FEW * g.numel():
        i, j = g.nonzero(as_tuple=True)
        step = max(1, ruler.chunk // (32 * x.shape[1]))
        for first in range(0, len(i), step):
            p, q = i[first : first + step], j[first : first + step]
            delta = x[p].double() - y[q].double()
            if len(ruler.periodic):
                period = ruler.periods[ruler.periodic]
                delta[:, ruler.periodic] -= (delta[:, ruler.periodic] / period).round_() * period
            slopes += g[p, q] @ delta.square_()
        return slopes.cpu().numpy()
    if len(ruler.periodic):
        for a, period in enumerate(ruler.period_list):
            delta = x[:, a, None].double() - y[:, a].double()
            if period > 0:
                delta -= (delta / period).round_() * period
            slopes[a] = (g * delta.square_()).sum()
        return slopes.cpu().numpy()
    y = y.double()
    centre = y.mean(0)  # far from the origin the terms below would cancel
    x, y = x.double() - centre, y - centre
    product = g.to(t.squared.dtype) @ y.to(t.squared.dtype)
    slopes = g.sum(1) @ x.square() + g.sum(0) @ y.square() - 2 * (x * product).sum(0)
    return slopes.cpu().numpy()
