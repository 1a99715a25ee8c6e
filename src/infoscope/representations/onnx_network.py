"""A network in an ONNX file: values of its graph become outputs, and are listened to."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from fnmatch import fnmatchcase
from os import PathLike
from pathlib import Path
from types import TracebackType
from typing import Any

import numpy as np

from infoscope.base import DataError, ParameterError, available_threads, require, warn

from .items import PICTURES
from .sites import EMBEDDING, FEWEST_BLOCKS, OUTPUT, refuse_unmatched
from .states import Hear, States, patch_tokens

# the number of a block in the name of a value: /encoder/layer.0/attention/..., /model/layers.11/...
NUMBERED = re.compile(r"^(?P<stem>.*?(?:^|[/._])(?:layers?|blocks?|h)[./_])(?P<number>\d+)(?P<rest>[/._].*)$")
NO_STATES = ("Constant", "Shape", "ConstantOfShape")
TYPES = {"tensor(float)": np.float32, "tensor(float16)": np.float16, "tensor(double)": np.float64,
         "tensor(int64)": np.int64, "tensor(int32)": np.int32}  # fmt: skip
CHUNK = 2**22  # bytes of a file that are digested at once


class OnnxModel:
    """The graph of an ONNX file.

    Parameters
    ----------
    path : path-like
        The file.

    Attributes
    ----------
    path : Path
        The file.
    files : list of Path
        It, and those that hold its parameters.
    values : list of str
        Names of all values of the graph, in the order in which they are computed.
    inputs : dict of str to list
        Names of what the graph takes, with their shapes: numbers, or names of those that are free.
    outputs : list of str
        Names of what it returns.

    Raises
    ------
    DataError
        If the file is no ONNX graph.
    MissingExtraError
        Without `onnx`.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import onnx
    >>> from infoscope.representations import OnnxModel
    >>> x, y = (onnx.helper.make_tensor_value_info(name, onnx.TensorProto.FLOAT, [1, 3, 8]) for name in "xy")
    >>> names = ["x", "/layer.0/Relu_output_0", "/layer.1/Relu_output_0", "y"]
    >>> nodes = [onnx.helper.make_node("Relu", [a], [b]) for a, b in zip(names[:-1], names[1:])]
    >>> path = pathlib.Path(tempfile.mkdtemp(), "tiny.onnx")
    >>> onnx.save(onnx.helper.make_model(onnx.helper.make_graph(nodes, "tiny", [x], [y])), str(path))
    >>> OnnxModel(path).blocks()
    {'layer.0': '/layer.0/Relu_output_0', 'layer.1': '/layer.1/Relu_output_0'}
    """

    def __init__(self, path: str | PathLike[str]):
        onnx = require("onnx", "representations")
        self.path = Path(path)
        try:
            self.proto = onnx.load(str(self.path), load_external_data=False)
            graph = self.proto.graph
        except (OSError, ValueError, require("google.protobuf.message", "representations").Error) as error:
            raise DataError(f"{self.path} cannot be read as ONNX: {error}") from error
        if not graph.node:
            raise DataError(f"{self.path} holds no graph of ONNX")
        self.files = [self.path, *_beside(self.path, graph)]
        stored = {one.name for one in graph.initializer}
        self.inputs = {one.name: _shape(one) for one in graph.input if one.name not in stored}
        self.outputs = [one.name for one in graph.output]
        self.values = [name for node in graph.node for name in node.output if name and node.op_type not in NO_STATES]

    def blocks(self) -> dict[str, str]:
        """Names of the blocks, with that of the value in which each ends.

        Raises
        ------
        ParameterError
            If no values have names with the numbers of blocks.
        """
        made: dict[str, dict[int, list[tuple[str, str]]]] = {}
        leaving = self._leaving()
        for value in self.values:
            found = NUMBERED.match(value)
            if found and value in leaving:
                at = made.setdefault(found["stem"], {}).setdefault(int(found["number"]), [])
                at.append((found["rest"], value))
        stem = max(made, key=lambda stem: len(made[stem]), default="")
        numbers = sorted(made.get(stem, ()))
        if len(numbers) < FEWEST_BLOCKS:
            some = ", ".join(self.values[:6])
            raise ParameterError(
                f"{self.path.name} has no values with the names of blocks, as in /layer.0/: name values, "
                f"layers=['*Add_1_output_0']; there are {some}, ..."
            )
        shared = set.intersection(*({rest for rest, _ in made[stem][number]} for number in numbers))
        ends = {number: [value for rest, value in made[stem][number] if rest in shared] for number in numbers}
        if not shared:
            raise ParameterError(f"{self.path.name}: no value of {stem}{numbers[0]} is in all blocks: name values")
        return {f"{spell_value(stem)}{number}": ends[number][-1] for number in numbers}

    def embedding(self, blocks: dict[str, str]) -> str | None:
        """The value that enters the first block."""
        first = NUMBERED.match(next(iter(blocks.values())))
        if first is None:
            return None
        inside = f"{first['stem']}{first['number']}"
        known = set(self.values)
        for node in self.proto.graph.node:
            if any(_inside(name, inside) for name in node.output):
                for name in node.input:
                    if name in known and not _inside(name, inside):
                        return name
        return None

    def choose(self, layers: str | Sequence[str]) -> dict[str, str]:
        """Names of layers with those of their values, as `extract` takes `layers`."""
        if layers != "all":
            patterns = [layers] if isinstance(layers, str) else list(layers)
            for pattern in patterns:
                refuse_unmatched(pattern, self.values, "value of the graph")
            chosen = [one for one in self.values if any(fnmatchcase(one, pattern) for pattern in patterns)]
            return {spell_value(one): one for one in chosen}
        blocks = self.blocks()
        entering = self.embedding(blocks)
        return ({} if entering is None else {EMBEDDING: entering}) | blocks

    def session(self, values: Sequence[str]) -> Any:
        """A session of onnxruntime on the CPU that returns these values."""
        onnx, runtime = require("onnx", "representations"), require("onnxruntime", "representations")
        proto = onnx.ModelProto()
        proto.CopyFrom(self.proto)
        for name in values:
            if name not in self.outputs:
                proto.graph.output.append(onnx.ValueInfoProto(name=name))
        options = runtime.SessionOptions()
        options.intra_op_num_threads = available_threads()
        options.log_severity_level = 3
        options.add_session_config_entry(
            "session.model_external_initializers_file_folder_path", str(self.path.resolve().parent)
        )
        try:
            return runtime.InferenceSession(proto.SerializeToString(), options, providers=["CPUExecutionProvider"])
        except _runtime_errors() as error:
            raise DataError(f"{self.path} cannot be run by onnxruntime: {error}") from error

    def patch(self) -> tuple[int, int] | None:
        """Rows and columns of a patch of a picture: of the first convolution without overlap."""
        for node in self.proto.graph.node:
            if node.op_type == "Conv":
                given = {one.name: tuple(one.ints) for one in node.attribute}
                step, size = given.get("strides", ()), given.get("kernel_shape", ())
                if len(step) == 2 and step == size and min(step) > 1:
                    return int(step[0]), int(step[1])
        return None

    def _leaving(self) -> set[str]:
        """Values that are read outside the block that makes them, or returned."""
        found = set(self.outputs)
        for node in self.proto.graph.node:
            here = {_block(name) for name in node.output}
            found.update(name for name in node.input if _block(name) not in here)
        return found


class OnnxNetwork:
    """An ONNX graph that is run on batches; its parameters are those of `TorchNetwork`."""

    tensors = "np"

    def __init__(self, model: OnnxModel, kind: str, layers: str | Sequence[str] = "all", *, device: Any = None):
        if device is not None and str(device) != "cpu":
            raise ParameterError(f"device is {device!r}, and ONNX graphs are run on the CPU: leave it out")
        self.model, self.kind = model, kind
        self.sites = model.choose(layers)
        self.returned = model.outputs[0] if layers == "all" and model.outputs[0] not in self.sites.values() else None
        wanted = [*self.sites.values(), *([self.returned] if self.returned else [])]
        self.session = model.session(wanted)
        self.wanted = dict(zip([*self.sites, *([OUTPUT] if self.returned else [])], wanted, strict=True))
        self.types = {one.name: one.type for one in self.session.get_inputs()}
        self._told = False
        self.patch = model.patch() if kind == PICTURES else None

    def __enter__(self) -> OnnxNetwork:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        pass

    def fingerprint(self) -> str:
        """A digest of the file, and of those that hold its parameters."""
        digest = hashlib.blake2b(digest_size=16)
        for path in self.model.files:
            with path.open("rb") as file:
                while part := file.read(CHUNK):
                    digest.update(part)
        return digest.hexdigest()

    def limit(self) -> int | None:
        """Tokens that the graph takes, where it says so."""
        shape = self.model.inputs.get("input_ids", [])
        return shape[1] if len(shape) > 1 and isinstance(shape[1], int) else None

    def run(self, made: dict[str, Any], hear: Hear) -> list[str]:
        """Run a batch; `hear` gets the states of every layer.  The layers in their order."""
        made = {name: np.asarray(one) for name, one in made.items()}
        given = self._given(made)
        count = len(next(iter(given.values())))
        fixed = self._fixed_batch()
        parts = [self._call(given, start, fixed or count) for start in range(0, count, fixed or count)]
        found = {name: np.concatenate([part[name] for part in parts])[:count] for name in self.wanted}
        width = next(iter(found.values())).shape[-1]
        if OUTPUT in found and (found[OUTPUT].ndim != 3 or found[OUTPUT].shape[-1] != width):
            self._leave_output(found.pop(OUTPUT).shape)
        mask = self._mask(made)
        picture = next((x.shape[-2:] for x in given.values() if x.ndim == 4), None)
        for name, x in found.items():
            if x.ndim == 4:
                x = x.reshape(*x.shape[:2], -1).transpose(0, 2, 1)
                before = None
            else:
                before = None if picture is None else patch_tokens(x.shape, picture, self.patch)
            hear(name, States(x if x.dtype == np.float64 else x.astype(np.float32), mask, before))
        return list(found)

    # ------------------------------------------------------------------------------------------------------------ steps
    def _leave_output(self, shape: tuple[int, ...]) -> None:
        """Say once that what the graph returns are no states: a map, scores of classes or words."""
        if not self._told:
            self._told = True
            sizes = " x ".join(str(size) for size in shape[1:])
            warn(
                f"{self.model.path.name} returns {self.returned}, {sizes} numbers an item, and no states of tokens: "
                "there is no layer 'output'"
            )

    def _given(self, made: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        """What the graph takes, from what the processor made."""
        if self.kind == PICTURES and len(self.types) == 1 and "pixel_values" in made:
            made = {next(iter(self.types)): made["pixel_values"]}  # whatever the graph calls it
        if "input_ids" in made:
            ids = made["input_ids"]
            made = {
                "attention_mask": np.ones_like(ids),
                "token_type_ids": np.zeros_like(ids),
                "position_ids": np.broadcast_to(np.arange(ids.shape[1]), ids.shape),
            } | made
        lacking = [name for name in self.types if name not in made]
        if lacking:
            raise ParameterError(
                f"{self.model.path.name} takes {lacking[0]!r}, which the processor does not make (it makes "
                f"{', '.join(made)}): pass a processor that does"
            )
        return {name: made[name].astype(TYPES.get(kind, made[name].dtype)) for name, kind in self.types.items()}

    def _fixed_batch(self) -> int | None:
        shape = next(iter(self.model.inputs.values()))
        return shape[0] if shape and isinstance(shape[0], int) and shape[0] > 0 else None

    def _call(self, given: dict[str, np.ndarray], start: int, size: int) -> dict[str, np.ndarray]:
        """Values of some rows; where the graph takes no fewer, the last row is repeated."""
        rows = np.minimum(np.arange(start, start + size), len(next(iter(given.values()))) - 1)
        part = {name: self._as_long(name, x[rows]) for name, x in given.items()}
        try:
            values = self.session.run(list(self.wanted.values()), part)
        except _runtime_errors() as error:
            raise DataError(f"{self.model.path.name} cannot be run: {error}") from error
        return dict(zip(self.wanted, values, strict=True))

    def _as_long(self, name: str, x: np.ndarray) -> np.ndarray:
        """Texts with zeros behind them where the graph takes so many tokens and no fewer."""
        shape = self.model.inputs.get(name, [])
        if x.ndim == 2 and len(shape) == 2 and isinstance(shape[1], int) and x.shape[1] < shape[1]:
            return np.pad(x, ((0, 0), (0, shape[1] - x.shape[1])))
        return x

    def _mask(self, made: dict[str, np.ndarray]) -> np.ndarray | None:
        mask = made.get("attention_mask")
        if mask is None:
            return None
        if "attention_mask" not in self.types and not mask.all():
            raise DataError(
                f"{self.model.path.name} takes no attention_mask, so that padding would change its states: pass "
                "token_budget=1, for one text a batch"
            )
        return self._as_long("input_ids", mask)


def _runtime_errors() -> tuple[type[Exception], ...]:
    """What onnxruntime raises: it has a class for every kind, and no common one."""
    found = vars(require("onnxruntime.capi.onnxruntime_pybind11_state", "representations")).values()
    own = tuple(one for one in found if isinstance(one, type) and issubclass(one, Exception))
    return (*own, RuntimeError, ValueError)


def spell_value(value: str) -> str:
    """A value as a layer is called: with dots, as modules have them.

    Examples
    --------
    >>> from infoscope.representations.onnx_network import spell_value
    >>> spell_value("/encoder/layer.0/Add_1_output_0")
    'encoder.layer.0.Add_1_output_0'
    """
    return re.sub(r"[^\w.+-]", ".", value.strip("/"))


def _shape(value: Any) -> list[int | str]:
    dimensions = value.type.tensor_type.shape.dim
    return [one.dim_value if one.HasField("dim_value") else one.dim_param for one in dimensions]


def _block(value: str) -> str:
    found = NUMBERED.match(value)
    return f"{found['stem']}{found['number']}" if found else ""


def _inside(value: str, block: str) -> bool:
    return _block(value) == block


def _beside(path: Path, graph: Any) -> list[Path]:
    """Files that hold parameters of the graph."""
    entries = (entry for one in graph.initializer for entry in one.external_data)
    names = sorted({entry.value for entry in entries if entry.key == "location"})
    for name in names:
        if not (path.parent / name).is_file():
            raise DataError(f"{path} has its parameters in {name}, which is not beside it: copy it there")
    return [path.parent / name for name in names]
