"""A callback for the Trainer of transformers: what the layers know, logged while they learn."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from infoscope.base import DataError, DataWarning, InfoscopeError, require, warn
from infoscope.base.checks import check_positive_int
from infoscope.imbalance import information_imbalance

from .extraction import extract
from .sites import OUTPUT
from .store import RepresentationStore

if TYPE_CHECKING:
    import pandas

STEP = "step-"  # and its number: the name of a store
_made: dict[type, type] = {}  # classes with their base


class LayerProfileCallback:
    """Logs during training what every layer tells about the output and about itself at the start, and its dimension.

    A `transformers.TrainerCallback`.  When training starts, every so many steps, and at the end, the texts go through
    the network, which is set to evaluation meanwhile; the vectors of all layers are kept in a store, one a checkpoint,
    and these numbers are logged for every layer: ``layers/NAME/to_output`` (Information Imbalance from the layer to
    what the model returns), ``layers/NAME/to_start`` (to the same layer at the start), ``layers/NAME/dimension``
    (TWO-NN), each with its standard error under the same name with ``_se``.  Weights, gradients, modes and random
    numbers of the training stay as they are.

    Parameters
    ----------
    items : sequence of str, or of pictures
        What goes through the network: the same at all times.
    out : path-like
        Folder of the stores, one a checkpoint.
    every : int
        Steps of the optimiser between two profiles.
    processor : callable, optional
        Tokenizer or image processor; that of the Trainer (``processing_class``) by default.
    k : int
        Neighbours of the imbalances.
    **options
        Of `extract`: ``pool``, ``layers``, ``dtype``, ``token_budget``, ...

    Attributes
    ----------
    rows : list of dict
        One row a layer and profile: what was logged.

    Raises
    ------
    DataError
        When training starts: texts that `extract` refuses, a folder that holds later steps of another run.
    MissingExtraError
        Without transformers.

    Warns
    -----
    DataWarning
        Where a later profile fails, because states are no longer finite or a layer has died: training goes on.

    Notes
    -----
    `attach` logs to all that the Trainer reports to; after ``trainer.add_callback`` numbers are in
    ``trainer.state.log_history`` alone.  Of several processes the first one looks.  Of a model with a head the part
    before the head is looked at, so that "output" is the last hidden state and not the vocabulary.

    The start is the earliest step in `out`: step 0, or where training was taken up again in a folder of its own.  A run
    that goes on in its folder keeps the start that is there.

    Every process must hold all weights.  Where they are sharded (FSDP, ZeRO stage 3) a pass needs all processes, and
    the first one, alone, would wait for the others without end: save checkpoints there, and bring them to
    `compare_checkpoints` afterwards.

    Examples
    --------
    >>> import tempfile
    >>> from infoscope.representations import LayerProfileCallback
    >>> profile = LayerProfileCallback(["one text", "another text"], tempfile.mkdtemp(), every=100)
    >>> profile.rows                                       # profile.attach(trainer); trainer.train()
    []
    """

    def __init__(
        self,
        items: Iterable[Any],
        out: str | PathLike[str],
        *,
        every: int = 500,
        processor: Callable[..., Any] | None = None,
        k: int = 1,
        **options: Any,
    ):
        self.__class__ = _with_base(type(self))
        self.items, self.out, self.every = list(items), Path(out), check_positive_int(every, "every")
        self.processor, self.k, self.options = processor, check_positive_int(k, "k"), options
        self.rows: list[dict[str, Any]] = []
        self._log: Callable[[dict[str, float]], None] | None = None

    def attach(self, trainer: Any) -> LayerProfileCallback:
        """Add it to a Trainer, and log to whatever that reports to."""
        trainer.add_callback(self)
        self._log = trainer.log
        return self

    def checkpoints(self) -> dict[int, Callable[[], RepresentationStore]]:
        """Functions that open the stores by step, as `compare_checkpoints` takes them."""
        found = {int(one.name[len(STEP) :]): one for one in self.out.glob(f"{STEP}*")}
        return {step: partial(RepresentationStore.open, found[step]) for step in sorted(found)}

    def to_frame(self) -> pandas.DataFrame:
        """All that was logged, one row a layer and profile."""
        import pandas as pd

        return pd.DataFrame(self.rows)

    # ----------------------------------------------------------------------------------------- what the Trainer calls
    def on_train_begin(self, args: Any, state: Any, control: Any, **about: Any) -> None:
        if not state.is_world_process_zero:
            return
        later = [step for step in self.checkpoints() if step > state.global_step]
        if later:
            raise DataError(
                f"{self.out} holds step {later[0]}, and this training starts at {state.global_step}: move it away, or "
                "give another folder"
            )
        self.out.mkdir(parents=True, exist_ok=True)
        self._profile(state, control, about)

    def on_step_end(self, args: Any, state: Any, control: Any, **about: Any) -> None:
        if state.global_step % self.every == 0:
            self._try_profile(state, control, about)

    def on_train_end(self, args: Any, state: Any, control: Any, **about: Any) -> None:
        if state.global_step % self.every:
            self._try_profile(state, control, about)

    # ---------------------------------------------------------------------------------------------------------- steps
    def _try_profile(self, state: Any, control: Any, about: dict[str, Any]) -> None:
        if not state.is_world_process_zero:
            return
        try:
            self._profile(state, control, about)
        except InfoscopeError as error:
            warn(f"no layer profile of step {state.global_step}: {error}", DataWarning)

    def _profile(self, state: Any, control: Any, about: dict[str, Any]) -> None:
        """Look at all layers, keep them, and log what they tell."""
        processor = about.get("processing_class") if self.processor is None else self.processor
        if processor is None:
            raise DataError("the Trainer has no processing_class: give processor=, the tokenizer of the texts")
        folder = self.out / f"{STEP}{state.global_step:07d}"
        store = _extract_aside(about["model"], processor, self.items, folder, self.options)
        start = next(iter(self.checkpoints().values()))()
        logs: dict[str, float] = {}
        for layer in store.layers:
            row = _profile_layer(store, start, layer, self.k)
            logs |= {f"layers/{layer}/{name}": value for name, value in row.items()}
            self.rows.append({"step": state.global_step, "layer": layer} | row)
        if self._log is None:
            state.log_history.append({"step": state.global_step, "epoch": state.epoch} | logs)
            return
        due = control.should_log  # a log takes it back, and the loss of this step would not be told
        self._log(logs)
        control.should_log = due


def _with_base(cls: type) -> type:
    """The class with the one that the Trainer knows as a base, which is imported here; made once."""
    base = require("transformers", "representations").TrainerCallback
    if issubclass(cls, base):
        return cls
    if cls not in _made:
        _made[cls] = type(cls.__name__, (cls, base), {"__module__": cls.__module__})
    return _made[cls]


def _extract_aside(
    model: Any, processor: Any, items: list[Any], folder: Path, options: dict[str, Any]
) -> RepresentationStore:
    """The layers of the network before its head; random numbers, modes and gradients stay as they were."""
    import torch

    backbone = getattr(model, "base_model", model)
    modes = [(module, module.training) for module in model.modules()]
    devices = sorted({one.device.index for one in model.parameters() if one.device.type == "cuda"})
    with torch.random.fork_rng(devices=devices):
        try:
            return extract(backbone, processor, items, folder, **options)
        finally:
            for module, mode in modes:
                module.training = mode


def _profile_layer(store: RepresentationStore, start: RepresentationStore, layer: str, k: int) -> dict[str, float]:
    """What a layer tells about the output and about itself at the start, and how many directions it has."""
    from infoscope.dimension import TwoNN  # scikit-learn comes with it

    space = store.space(layer)
    row: dict[str, float] = {}
    others = {"to_output": (store, OUTPUT), "to_start": (start, layer)}
    for name, (model, other) in others.items():
        if other in model.layers:
            found = information_imbalance(space, model.space(other), k=k, exclusion_window=0)
            row |= {name: float(found.a_to_b), f"{name}_se": float(found.a_to_b_se)}
    dimension = TwoNN().fit(space, exclusion_window=0)
    return row | {"dimension": float(dimension.dimension_), "dimension_se": float(dimension.dimension_se_)}
