"""PyTorch tensors as features of a Space: checks, statistics of columns, and measured distances."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from infoscope.base import DataError, choose_device
from infoscope.base.array_types import Array, ArrayLike, Floats, Ints
from infoscope.statistics.angles import circular_deviation

from . import kernels
from .backend_numpy import METRIC_CODES
from .interfaces import Measured, SpaceLike
from .space_checks import LARGEST, checked_weights

if TYPE_CHECKING:
    from torch import Tensor
    from torch import device as Device

S = TypeVar("S")
KERNELS_ON_CPU = True  # tests set it to False, to try the code for GPUs without one
CPU_CHUNK, GPU_CHUNK = 2**20, 2**28  # bytes of differences looked at together


def has_kernels(device: Device) -> bool:
    """Whether the kernels for NumPy arrays read what is on this device."""
    return KERNELS_ON_CPU and device.type == "cpu"


def as_array(tensor: Tensor) -> np.ndarray:
    """A tensor in main memory as the read-only array it is, without a copy."""
    array = tensor.numpy()
    array.flags.writeable = False
    return array


def as_arrays(space: S) -> S:
    """A space of tensors in main memory as the space of arrays that it also is; anything else passes through.

    The kernels for NumPy are several times faster there than operations of tensors, and nothing is copied.
    """
    features: Array = getattr(space, "features", None)
    if getattr(space, "backend", None) != "torch" or not has_kernels(features.device):
        return space
    twin = copy.copy(space)
    object.__setattr__(twin, "features", as_array(features))
    return twin


def on_device(array: Array, device: Device) -> Tensor:
    """An array on a device; a tensor passes through."""
    import torch

    return array if isinstance(array, torch.Tensor) else torch.tensor(np.asarray(array), device=device)


# ---------------------------------------------------------------------------------------------------- what a Space asks
def checked_tensor(values: Tensor, name: str, metric: str, feature_weights: ArrayLike | None = None) -> Tensor:
    """A tensor (N, D) of finite float32 or float64 numbers on its own device.

    Parameters
    ----------
    values : torch.Tensor
        float32 and float64 are kept, half precisions become float32, integers and booleans float64.
    name : str
        What errors call it.
    metric : str
        With "cosine", rows are weighted and normalised in float64, and rounded to the type that they came in.
    feature_weights : array (D,), optional
        Weights of the directions that the cosine metric compares.

    Returns
    -------
    torch.Tensor

    Raises
    ------
    DataError
        If it is not two-dimensional, empty, not real, or not finite, if the device has no float64, or if rows are zero
        with the cosine metric.
    """
    import torch

    if values.layout != torch.strided:
        raise DataError(f"{name} is a sparse tensor: pass {name}.to_dense()")
    if values.is_complex():
        raise DataError(f"{name} holds complex numbers: pass real and imaginary part as two columns")
    choose_device(None, values, name=name)
    if values.ndim != 2:
        raise DataError(f"{name} has shape {tuple(values.shape)}; it needs two dimensions (items, features)")
    if 0 in values.shape:
        raise DataError(f"{name} is empty, shape {tuple(values.shape)}")
    values = values.detach()
    if values.dtype not in (torch.float32, torch.float64):
        values = values.to(torch.float32 if values.is_floating_point() else torch.float64)
    if not largest_of(values) <= LARGEST:
        row, column = torch.nonzero(~(values.abs().double() <= LARGEST))[0].tolist()
        value = float(values[row, column])
        what = "NaN" if np.isnan(value) else f"an infinite number ({value})" if np.isinf(value) else f"{value:.1e}"
        way_out = "its square overflows, divide by a constant" if np.isfinite(value) else "remove or fill this row"
        raise DataError(f"{name} holds {what} in row {row}, column {column}: {way_out}")
    return _unit_vectors(values, feature_weights, name) if metric == "cosine" else values.contiguous()


def largest_of(values: Tensor) -> float:
    """Largest magnitude, NaN if any entry is; makes no second tensor of this size."""
    low, high = values.aminmax()
    return float(high.maximum(-low))


def _unit_vectors(values: Tensor, weights: ArrayLike | None, name: str) -> Tensor:
    """The directions that the cosine metric compares; the twin of `directions.directions`."""
    dtype, values = values.dtype, values.double()
    if weights is not None:
        values = values * on_device(checked_weights(weights, values.shape[1]), values.device)
    largest = values.abs().amax(1)
    if not bool(largest.all()):
        row = int((largest == 0).int().argmax())
        raise DataError(
            f"row {row} of {name} is all zeros: its direction, which the cosine metric compares, does not "
            "exist; drop the row or use another metric"
        )
    values = values / largest[:, None]  # so that no square overflows
    norms = np.sqrt(_sum_of_lanes(values.square(), squared=False).cpu().numpy())  # torch may round roots otherwise
    return (values / on_device(norms, values.device)[:, None]).to(dtype)


def column_statistics(features: Tensor, period: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Extremes (2, D) and standard deviation (D,) of every column, found on the tensor's device.

    The deviation of a periodic column is the circular one, sqrt(-2 ln R) P / 2 pi with the resultant R.
    """
    import torch

    deviations = np.array([float(features[:, a].double().std(correction=0)) for a in range(features.shape[1])])
    for a in np.flatnonzero(period):
        angle = features[:, a].double() * (2 * np.pi / period[a])
        deviations[a] = circular_deviation(float(torch.hypot(angle.cos().mean(), angle.sin().mean())), period[a])
    return torch.stack([features.amin(0), features.amax(0)]).cpu().numpy(), deviations


def squared_of_pairs(space: SpaceLike, i: np.ndarray, j: np.ndarray) -> np.ndarray:
    """Exact squared distances of the pairs (i, j), measured where the tensor is."""
    x = space.features
    if has_kernels(x.device):
        return as_arrays(space).squared_distances(i, j)
    return Ruler(space, x.device).pairs(x, on_device(i, x.device), x, on_device(j, x.device)).cpu().numpy()


# ---------------------------------------------------------------------------------------------------------------- truth
class Ruler:
    """Measures pairs with the operations of `kernels._pair` in its order, hence with its bits."""

    def __init__(self, space: Measured, device: Device) -> None:
        self.metric = METRIC_CODES[space.metric]
        self.weights = on_device(space.feature_weights, device)
        self.weight_list = space.feature_weights.tolist()
        self.periods = on_device(space.period, device)
        self.period_list = space.period.tolist()
        self.periodic = on_device(np.flatnonzero(space.period), device)
        self.chunk = CPU_CHUNK if device.type == "cpu" else GPU_CHUNK

    def pairs(self, x: Tensor, i: Tensor, y: Tensor, j: Tensor) -> Tensor:
        """Squared distances of the pairs x[i], y[j] of rows."""
        import torch

        out = torch.empty(len(i), dtype=torch.float64, device=x.device)
        step = max(1, self.chunk // (32 * x.shape[1] + 64))
        for first in range(0, len(i), step):
            part = slice(first, first + step)
            out[part] = self._from_terms(self._terms(x[i[part]].double(), y[j[part]].double()))
        return out

    def _terms(self, x: Tensor, y: Tensor) -> Tensor:
        """What each feature adds, (P, D); overwrites x."""
        if self.metric == kernels.HAMMING:
            return (x != y).double().mul_(self.weights)
        delta = x.sub_(y)
        if len(self.periodic):
            turning, period = delta[:, self.periodic], self.periods[self.periodic]
            delta[:, self.periodic] = turning - (turning / period).round_().mul_(period)
        delta.mul_(self.weights)
        return delta.square_() if self.metric == kernels.EUCLIDEAN else delta.abs_()

    def _from_terms(self, terms: Tensor) -> Tensor:
        if self.metric == kernels.CHEBYSHEV:
            return terms.amax(1).square_()
        return _sum_of_lanes(terms, squared=self.metric != kernels.EUCLIDEAN)

    def block(self, x: Tensor, y: Tensor, out: Tensor) -> None:
        """All pairs of two blocks of rows, feature by feature: out[i, j] = squared distance of x[i] and y[j]."""
        import torch

        d, height = x.shape[1], x.shape[0]
        step = max(1, self.chunk // (8 * height * min(d + 1, 10)))
        x = x.double().T.contiguous()
        for first in range(0, len(y), step):
            columns = y[first : first + step].double().T.contiguous()
            terms = [columns.new_empty(height, columns.shape[1]) for _ in range(min(d, 9))]
            for a in range(d):
                lane, term = terms[a % 8], terms[min(a, 8)]  # the first eight terms are the lanes
                self._term(a, x[a][:, None], columns[a], term)
                if a >= 8 and self.metric == kernels.CHEBYSHEV:
                    torch.maximum(lane, term, out=lane)
                elif a >= 8:
                    lane.add_(term)
            out[:, first : first + step] = self._joined(terms[:8])

    def _term(self, a: int, x: Tensor, y: Tensor, out: Tensor) -> None:
        import torch

        if self.metric == kernels.HAMMING:
            out.copy_(x != y).mul_(self.weight_list[a])
            return
        torch.sub(x, y, out=out)
        if self.period_list[a] > 0:
            period = self.periods[a]  # a tensor: by a number, CUDA would not divide exactly
            out.sub_((out / period).round_().mul_(period))
        out.mul_(self.weight_list[a])
        if self.metric == kernels.EUCLIDEAN:
            out.square_()
        else:
            out.abs_()

    def _joined(self, lanes: list[Tensor]) -> Tensor:
        import torch

        while len(lanes) > 1:  # ((0+1)+(2+3)) + ((4+5)+(6+7)); missing lanes are zero
            pairs = [lanes[p : p + 2] for p in range(0, len(lanes), 2)]
            if self.metric == kernels.CHEBYSHEV:
                lanes = [torch.maximum(*pair) if len(pair) == 2 else pair[0] for pair in pairs]
            else:
                lanes = [pair[0].add_(pair[1]) if len(pair) == 2 else pair[0] for pair in pairs]
        return lanes[0] if self.metric == kernels.EUCLIDEAN else lanes[0].square_()


def _sum_of_lanes(terms: Tensor, squared: bool) -> Tensor:
    """Row sums (P,) of (P, D) terms in eight interleaved lanes, in the order of `kernels._pair`."""
    d = terms.shape[1]
    lanes = terms.new_zeros(len(terms), 8)
    for a in range(0, d, 8):
        lanes[:, : min(8, d - a)] += terms[:, a : a + 8]
    for _ in range(3):
        lanes = lanes[:, 0::2] + lanes[:, 1::2]
    return lanes[:, 0].square() if squared else lanes[:, 0]


# ------------------------------------------------------------------------------------------- rows of different lengths
def rectangle(
    indptr: Ints, width: int, low: Floats, high: Floats, empty: float, device: Device
) -> tuple[np.ndarray, Tensor, Tensor]:
    """Radii of every row side by side: where they are given; lower and upper ones (b, width), `empty` elsewhere."""
    given = np.arange(width) < np.diff(indptr)[:, None]
    rectangles = np.full((2, *given.shape), empty)
    rectangles[0][given], rectangles[1][given] = low, high
    return given, on_device(rectangles[0], device), on_device(rectangles[1], device)


def search_rows(values: Tensor, row: Tensor, x: Tensor, right: bool) -> Tensor:
    """For each x, how many of the sorted values of its row are smaller (or, from the right, not larger)."""
    import torch

    low, high = torch.zeros_like(row), torch.full_like(row, values.shape[1])
    for _ in range(values.shape[1].bit_length()):
        middle = (low + high) // 2
        value = values[row, middle.clamp(max=values.shape[1] - 1)]
        beyond = ((value <= x) if right else (value < x)) & (low < high)
        low, high = torch.where(beyond, middle + 1, low), torch.where(beyond, high, middle)
    return low


def merge_smallest(best: Tensor, items: Tensor, beyond: Tensor, i: Tensor, squared: Tensor, item: Tensor) -> int:
    """Put pairs (row, squared, item), in order of rows, into the k smallest of their rows; returns how many stay."""
    import torch

    k = best.shape[1]
    touched, place = torch.unique_consecutive(i, return_inverse=True)
    n = len(touched)
    own = torch.arange(n, device=i.device)
    row = torch.cat([own.repeat_interleave(k), place])
    values, names = torch.cat([best[touched].view(-1), squared]), torch.cat([items[touched].view(-1), item])
    order = names.argsort(stable=True)  # by row, then squared distance, then item
    order = order[values[order].argsort(stable=True)]
    order = order[row[order].argsort(stable=True)]
    begin = torch.searchsorted(row[order], own)
    chosen = order[begin[:, None] + torch.arange(k, device=i.device)]
    best[touched], items[touched] = values[chosen], names[chosen]
    beyond[touched] = torch.minimum(beyond[touched], values[order[begin + k]])
    return int((chosen >= n * k).sum())
