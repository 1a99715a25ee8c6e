"""The network of a coupling flow: plain arrays outside, layers of zuko inside.

Standard values u (angles in [-pi, pi), the others of mean 0 and variance 1) become base values v, layer by layer; a
layer changes some variables by functions whose parameters come from the others.  Angles enter those as cosine and sine,
and are turned before every layer, so that no point of the circle is special.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any, Literal
from weakref import WeakKeyDictionary

import numpy as np

from infoscope.base.array_types import Floats
from infoscope.base.contents import flags, numbers, whole
from infoscope.base.errors import DataError, require
from infoscope.base.threads import one_torch_thread

BLOCK = 64  # rows that are evaluated together, always so many: a product of fewer may round otherwise
DOMAIN = 5.0  # standard deviations that splines reach; beyond, they are straight lines
LEAST_SLOPE = 1e-3  # of every function; said here, for a library's own default may change and saved flows with it
GOLDEN = math.pi * (3 - math.sqrt(5))  # turns by it never come back to where they were
_modules: WeakKeyDictionary[FlowNetwork, Any] = WeakKeyDictionary()


@dataclass(frozen=True, eq=False)
class FlowNetwork:
    """A coupling flow: its architecture, and its parameters in one vector.

    Attributes
    ----------
    transform : {"affine", "spline"}
        What a layer does to a variable: shift and scale (RealNVP), or a monotonic rational-quadratic spline (NSF, and
        NCSF on a circle).
    periodic : array (d,) of bool
        Which standard variables are angles.
    masks : array (L, d) of bool
        The variables that layer l leaves as they are, and looks at.
    hidden : tuple of int
        Widths inside a layer.
    bins : int
        Of a spline.
    parameters : array (P,)
        Layer by layer; of a layer, matrix (outputs, inputs) and bias of every linear map in their order.
    """

    transform: Literal["affine", "spline"]
    periodic: np.ndarray
    masks: np.ndarray
    hidden: tuple[int, ...]
    bins: int
    parameters: np.ndarray

    _contents = {
        "periodic": flags("D"), "masks": flags("L", "D"), "bins": whole(1, below=2**16),
        "parameters": numbers("P", finite=True),
    }  # fmt: skip

    def _check_contents(self) -> None:
        needed = sum(math.prod(shape) for shapes in parameter_shapes(self) for shape in shapes)
        if len(self.parameters) != needed:
            raise DataError(f"parameters has {len(self.parameters)} numbers, and its layers need {needed}")


def design_network(transform: Literal["affine", "spline"], periodic: Any, n_layers: int, hidden: Any) -> FlowNetwork:
    """A network that is the identity: masks that alternate, every pair of layers another half of the variables.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.sampling.flow_network import design_network
    >>> design_network("affine", np.zeros(3, dtype=bool), 2, (8,)).masks
    array([[ True, False,  True],
           [False,  True, False]])
    """
    periodic = np.asarray(periodic, dtype=bool)
    d = len(periodic)
    masks = np.zeros((n_layers, d), dtype=bool)
    for layer in range(n_layers if d > 1 else 0):
        order = np.arange(d) if layer < 2 else np.random.default_rng(layer // 2).permutation(d)
        masks[layer, order] = np.arange(d) % 2 == layer % 2
    empty = FlowNetwork(transform, periodic, masks, tuple(int(width) for width in hidden), 8, np.empty(0))
    return with_parameters(empty, _identity_parameters(empty, np.random.default_rng(0)))


def with_parameters(network: FlowNetwork, parameters: Floats) -> FlowNetwork:
    """The same architecture with other parameters."""
    made = FlowNetwork(
        network.transform, network.periodic, network.masks, network.hidden, network.bins, parameters.copy()
    )
    made._check_contents()
    return made


def initial_parameters(network: FlowNetwork, seed: int) -> Floats:
    """Random inner layers, and last ones of 0: the flow is the identity until it is trained."""
    return _identity_parameters(network, np.random.default_rng([seed, 0]))


def parameter_shapes(network: FlowNetwork) -> list[list[tuple[int, ...]]]:
    """Shapes of the matrix and bias of every linear map of every layer; only a bias where a layer looks at nothing."""
    per_variable = 2 if network.transform == "affine" else 3 * network.bins - 1
    found: list[list[tuple[int, ...]]] = []
    for mask in network.masks:
        inputs = int(mask.sum() + (mask & network.periodic).sum())  # an angle enters as cosine and sine
        outputs = int((~mask).sum()) * per_variable
        if inputs == 0:
            found.append([(outputs,)])
            continue
        widths = [inputs, *network.hidden, outputs]
        layer: list[tuple[int, ...]] = []
        for before, after in zip(widths[:-1], widths[1:], strict=True):
            layer += [(after, before), (after,)]
        found.append(layer)
    return found


def log_density(network: FlowNetwork, u: Floats) -> Floats:
    """Logarithm of the density of standard values (n, d): (n,)."""
    with _evaluating(network) as (torch, module):
        blocks = [module.log_density(block).numpy() for block in _blocks(torch, u)]
    return np.concatenate([np.empty(0), *blocks])[: len(u)]


def to_base(network: FlowNetwork, u: Floats) -> Floats:
    """Base values of standard ones: (n, d)."""
    with _evaluating(network) as (torch, module):
        blocks = [module.forward(block)[0].numpy() for block in _blocks(torch, u)]
    return np.concatenate([np.empty((0, u.shape[1])), *blocks])[: len(u)]


def from_base(network: FlowNetwork, v: Floats) -> Floats:
    """Standard values of base ones: (n, d)."""
    with _evaluating(network) as (torch, module):
        blocks = [module.inverse(block).numpy() for block in _blocks(torch, v)]
    return np.concatenate([np.empty((0, v.shape[1])), *blocks])[: len(v)]


def base_values(network: FlowNetwork, normals: Floats) -> Floats:
    """Base values from standard normal numbers (n, d): normal ones for a line, uniform ones for a circle."""
    from scipy.special import ndtr

    v = normals * base_deviation(network)
    v[:, network.periodic] = 2 * math.pi * (ndtr(np.ascontiguousarray(normals[:, network.periodic])) - 0.5)
    return v


def base_deviation(network: FlowNetwork) -> float:
    """Standard deviation of base values on a line: with splines the domain [-pi, pi] is that of the angles."""
    return 1.0 if network.transform == "affine" else math.pi / DOMAIN


def make_module(network: FlowNetwork) -> Any:
    """The layers as a module of PyTorch in which zuko transforms; its parameters are given with every call."""
    torch, transforms = require("torch", "sampling"), require("zuko.transforms", "sampling")
    periodic = torch.as_tensor(network.periodic)
    scale, n_line = base_deviation(network), int((~network.periodic).sum())
    shapes = parameter_shapes(network)
    univariate = (
        partial(transforms.MonotonicAffineTransform, slope=LEAST_SLOPE)
        if network.transform == "affine"
        else partial(transforms.MonotonicRQSTransform, bound=math.pi, slope=LEAST_SLOPE)
    )
    sizes = [1, 1] if network.transform == "affine" else [network.bins, network.bins, network.bins - 1]
    masks = [torch.as_tensor(mask) for mask in network.masks]

    def split(vector: Any) -> list[list[Any]]:
        """Views of one vector as the matrices of all layers."""
        flat = [shape for layer in shapes for shape in layer]
        pieces = iter(torch.split(vector, [math.prod(shape) for shape in flat]))
        return [[next(pieces).view(shape) for shape in layer] for layer in shapes]

    def coupling(layer: int, maps: list[Any]) -> Any:
        """Transformation of the other variables, with parameters from those that the mask leaves."""
        circles = periodic[masks[layer]]

        def meta(x: Any) -> Any:
            if len(maps) == 1:
                out = maps[0].expand(len(x), -1)
            else:
                out = torch.cat([x[:, ~circles], torch.cos(x[:, circles]), torch.sin(x[:, circles])], dim=1)
                for place in range(0, len(maps), 2):
                    out = torch.nn.functional.linear(out, maps[place], maps[place + 1])
                    out = torch.nn.functional.silu(out) if place + 2 < len(maps) else out
            parts = torch.split(out.view(len(x), -1, sum(sizes)), sizes, dim=-1)
            if network.transform == "affine":
                parts = [part.squeeze(-1) for part in parts]
            return transforms.DependentTransform(univariate(*parts), 1)

        return transforms.CouplingTransform(meta, masks[layer])

    def turn(u: Any, angle: float) -> Any:
        return torch.where(periodic, torch.remainder(u + (angle + math.pi), 2 * math.pi) - math.pi, u)

    class Module:
        """Functions of a vector of parameters, which a caller may hold fixed."""

        def __init__(self) -> None:
            self.maps: list[list[Any]] = []

        def use(self, vector: Any) -> Module:
            self.maps = split(vector)
            return self

        def forward(self, u: Any) -> tuple[Any, Any]:
            v, total = torch.where(periodic, u, u * scale), 0.0
            for layer, maps in enumerate(self.maps):
                v, change = coupling(layer, maps).call_and_ladj(turn(v, (layer + 1) * GOLDEN))
                total = total + change
            return v, total + n_line * math.log(scale)

        def inverse(self, v: Any) -> Any:
            for layer in reversed(range(len(self.maps))):
                v = turn(coupling(layer, self.maps[layer]).inv(v), -(layer + 1) * GOLDEN)
            return torch.where(periodic, v, v / scale)

        def log_density(self, u: Any) -> Any:
            v, change = self.forward(u)
            line = -0.5 * (v / scale) ** 2 - 0.5 * math.log(2 * math.pi * scale**2)
            base = torch.where(periodic, torch.full_like(v, -math.log(2 * math.pi)), line)
            return base.sum(dim=-1) + change

    return Module()


# --------------------------------------------------------------------------------------------------------------- steps
def _identity_parameters(network: FlowNetwork, rng: np.random.Generator) -> Floats:
    """Uniform numbers within 1 / sqrt(inputs) in inner maps, 0 in the last one of every layer."""
    pieces: list[Floats] = []
    for shapes in parameter_shapes(network):
        for place, shape in enumerate(shapes):
            inner = place < len(shapes) - 2
            bound = shapes[place - place % 2][-1] ** -0.5 if inner else 0.0
            pieces.append(rng.uniform(-bound, bound, math.prod(shape)))
    return np.concatenate(pieces)


@contextmanager
def _evaluating(network: FlowNetwork) -> Iterator[tuple[Any, Any]]:
    """PyTorch without gradients on one thread, and the module with the network's own parameters in float64."""
    torch = require("torch", "sampling")
    with one_torch_thread(), torch.inference_mode():
        module = _modules.get(network)
        if module is None:
            module = make_module(network).use(torch.as_tensor(network.parameters, dtype=torch.float64))
            _modules[network] = module
        yield torch, module


def _blocks(torch: Any, rows: Floats) -> Iterator[Any]:
    """Blocks of rows, the last one filled up."""
    for start in range(0, len(rows), BLOCK):
        block = np.zeros((BLOCK, rows.shape[1]))
        part = rows[start : start + BLOCK]
        block[: len(part)] = part
        yield torch.as_tensor(block)
