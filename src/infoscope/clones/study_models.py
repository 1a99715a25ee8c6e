"""A small transformer to study: what it had learnt at each of many steps is kept, and asked by `learning_curves`."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.exceptions import NotFittedError

from infoscope.base import DataError, ParameterError, check_choice, check_positive_int, fingerprint, provenance
from infoscope.base.checks import check_positive_number
from infoscope.base.contents import holds, numbers, whole
from infoscope.base.documentation import DocumentedEstimator
from infoscope.base.errors import require
from infoscope.base.progress import progress
from infoscope.base.threads import one_torch_thread
from infoscope.storage import Checkpoint

from .sequences import check_sequences
from .training import logarithmic_steps
from .weight_motion import WeightMotion

KINDS = ("encoder", "decoder")
BETAS = (0.9, 0.95)
WEIGHT_DECAY = 0.1
CLIP = 1.0
WARM_UP = 0.05
MOMENTS = ("exp_avg", "exp_avg_sq")  # what torch calls those of AdamW
BATCH = 256  # sequences that the network sees together, where it is watched
UNTRAINED = "this StudyTransformer has not been trained: call fit first"


class StudyTransformer(DocumentedEstimator, BaseEstimator):
    """Pre-LN transformer with positions learnt: an encoder that fills in masked tokens, or a decoder.

    Parameters
    ----------
    kind : {"encoder", "decoder"}
    n_layers, n_heads, width : int
        The feed-forward part is four times as wide.
    mask_fraction : float
        Sites of a sequence that are masked together while an encoder trains; it is asked about one at a time.
    n_steps, batch_size : int
    learning_rate : float
        Of AdamW; it rises over the first twentieth, and falls to 0 along a cosine.
    n_kept : int
        Steps that are kept, evenly on a logarithmic axis, the start and the end among them.
    random_state : int

    Attributes
    ----------
    checkpoints_ : dict of int to function (tokens, sites) -> log-probabilities
        The model as it was after each of these steps.
    curve_ : array (n_steps,)
        Training loss.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.clones import StudyTransformer
    >>> tokens = np.repeat(np.random.default_rng(0).integers(2, size=(500, 1)), 6, axis=1)
    >>> model = StudyTransformer(n_layers=1, n_heads=2, width=16, n_steps=150, batch_size=64).fit(tokens)
    >>> last = model.checkpoints_[150](tokens[:20], np.zeros(20, int))
    >>> bool((last.argmax(axis=1) == tokens[:20, 0]).all())
    True
    """

    _contents = {"states_": holds(dict), "curve_": numbers("T"), "n_tokens_": whole(2), "length_": whole(1)}

    def __init__(
        self,
        kind: str = "encoder",
        *,
        n_layers: int = 4,
        n_heads: int = 4,
        width: int = 128,
        mask_fraction: float = 0.15,
        n_steps: int = 2000,
        batch_size: int = 128,
        learning_rate: float = 1e-3,
        n_kept: int = 24,
        random_state: int = 0,
    ):
        self.kind = kind
        self.n_layers = n_layers
        self.n_heads = n_heads
        self.width = width
        self.mask_fraction = mask_fraction
        self.n_steps = n_steps
        self.batch_size = batch_size
        self.learning_rate = learning_rate
        self.n_kept = n_kept
        self.random_state = random_state

    def fit(
        self, tokens: Any, y: Any = None, *, n_tokens: int | None = None, checkpoint: Any = None, resume: bool = False
    ) -> StudyTransformer:
        """Train, and keep what was learnt on the way.

        Parameters
        ----------
        tokens : array (n, L) of int
            -1 is padding.
        y : ignored
        n_tokens : int, optional
            Size of the alphabet.
        checkpoint : path, optional
            A file that keeps the state of training every minute.
        resume : bool
            Go on from it, to the same end as an uninterrupted training, bit for bit.

        Returns
        -------
        StudyTransformer

        Raises
        ------
        DataError, ParameterError
            Tokens out of range, fewer than two sequences, a share of masked sites that is none.
        RuntimeError
            A loss that is not finite.
        """
        torch = require("torch", "clones")
        check_choice(self.kind, "kind", KINDS)
        for name in ("n_layers", "n_heads", "width", "n_steps", "batch_size", "n_kept"):
            check_positive_int(getattr(self, name), name)
        check_positive_number(self.learning_rate, "learning_rate")
        if check_positive_number(self.mask_fraction, "mask_fraction") > 1:
            raise ParameterError(f"mask_fraction is {self.mask_fraction}: pass a share of sites, such as 0.15")
        read, self.n_tokens_ = check_sequences(tokens, n_tokens, min_sequences=2)
        self.length_ = read.shape[1]
        if checkpoint is None:
            return self._train(torch, read, None)
        options = {**self.get_params(), "tokens": fingerprint(read), "n_tokens": self.n_tokens_}
        with Checkpoint(checkpoint, options, resume=resume) as file:
            return self._train(torch, read, file)

    @property
    def checkpoints_(self) -> dict[int, Callable[[np.ndarray, np.ndarray], np.ndarray]]:
        """The model as it was after each step that was kept."""
        if not hasattr(self, "states_"):
            raise NotFittedError(UNTRAINED)
        return {step: self._make_conditional(state) for step, state in self.states_.items()}

    def hidden_layers(
        self, tokens: Any, step: int | None = None, *, sites: str | int | None = "mean"
    ) -> dict[str, np.ndarray]:
        """What the stream of the network holds behind every block, with nothing masked.

        Parameters
        ----------
        tokens : array (n, L) of int
            -1 is padding.
        step : int, optional
            One of the steps that were kept; the last by default.
        sites : "mean", int or None
            The mean over sites that are no padding; one site (-1 is the last); or None, all of them.

        Returns
        -------
        dict of str to array (n, width), or (n, L, width)
            "embedding", "block 1", ...: what `information_imbalance` and `imbalance_matrix` take.

        Raises
        ------
        DataError, ParameterError
            Sequences of another kind, a step that was not kept, a site that there is not.

        Examples
        --------
        >>> import numpy as np
        >>> from infoscope.clones import StudyTransformer
        >>> tokens = np.random.default_rng(0).integers(2, size=(50, 6))
        >>> model = StudyTransformer(n_layers=2, n_heads=2, width=16, n_steps=2).fit(tokens)
        >>> {name: layer.shape for name, layer in model.hidden_layers(tokens).items()}
        {'embedding': (50, 16), 'block 1': (50, 16), 'block 2': (50, 16)}
        """
        steps = sorted(self.checkpoints_)
        step = steps[-1] if step is None else step
        if step not in self.states_:
            raise ParameterError(f"step {step} was not kept; these were: {', '.join(map(str, steps))}")
        one_site = isinstance(sites, int | np.integer) and not isinstance(sites, bool)
        if not (sites is None or sites == "mean" or one_site and -self.length_ <= int(sites) < self.length_):
            raise ParameterError(f'sites is {sites!r}: pass "mean", None, or a site from 0 to {self.length_ - 1}')
        read = check_sequences(tokens, self.n_tokens_, length=self.length_)[0].astype(np.int64)
        layers = self._watch(self.states_[step], read)
        if sites is None:
            return layers
        if one_site:
            return {name: layer[:, int(sites)] for name, layer in layers.items()}
        seen = (read >= 0)[:, :, None]
        return {name: (layer * seen).sum(axis=1) / seen.sum(axis=1) for name, layer in layers.items()}

    def weight_motion(self) -> WeightMotion:
        """How far the weights of every block have moved from where training began, at each step that was kept.

        Returns
        -------
        WeightMotion
            Of "embedding", "block 1", ..., "read-out".

        Examples
        --------
        >>> import numpy as np
        >>> from infoscope.clones import StudyTransformer
        >>> tokens = np.random.default_rng(0).integers(2, size=(50, 6))
        >>> moved = StudyTransformer(n_layers=1, n_heads=2, width=16, n_steps=2, n_kept=3).fit(tokens).weight_motion()
        >>> moved.blocks, moved.steps.tolist(), moved.motion[0].tolist()
        (('embedding', 'block 1', 'read-out'), [0, 1, 2], [0.0, 0.0, 0.0])
        """
        if not hasattr(self, "states_"):
            raise NotFittedError(UNTRAINED)
        names = ["embedding", *(f"block {number}" for number in range(1, self.n_layers + 1)), "read-out"]
        return WeightMotion.of(
            self.states_, names, _block_of,
            provenance=provenance("StudyTransformer.weight_motion", self.get_params(), self.random_state, self.curve_),
        )  # fmt: skip

    # ---- steps ----
    def _train(self, torch: Any, rows: np.ndarray, file: Checkpoint | None) -> StudyTransformer:
        kept = logarithmic_steps(self.n_steps, self.n_kept)
        self.states_: dict[int, dict[str, np.ndarray]] = {}
        losses = np.empty(self.n_steps)
        with one_torch_thread():
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(self.random_state)
                network = self._network(torch)
            optimizer = torch.optim.AdamW(
                network.parameters(), lr=self.learning_rate, betas=BETAS, weight_decay=WEIGHT_DECAY
            )
            begun = None if file is None else file.load()
            first = 0 if begun is None else self._take_up(torch, network, optimizer, begun, losses)
            with progress(self.n_steps, f"training of the {self.kind}", "steps") as bar:
                bar.update(first)
                for step in range(first, self.n_steps + 1):
                    if step in kept:
                        self.states_[step] = _arrays(network.state_dict())
                    if file is not None:
                        file.save_when_due(partial(self._state, network, optimizer, losses[:step]))
                    if step == self.n_steps:
                        break
                    losses[step] = self._step(torch, network, optimizer, rows, step)
                    if not math.isfinite(losses[step]):
                        raise RuntimeError(
                            f"the loss is {losses[step]} at step {step}: take a smaller learning_rate than "
                            f"{self.learning_rate:g}"
                        )
                    bar.update(1)
            if file is not None:
                file.save(self._state(network, optimizer, losses))
        self.curve_ = losses
        return self

    def _state(self, network: Any, optimizer: Any, losses: np.ndarray) -> dict[str, Any]:
        """All that a training needs to go on: parameters, what Adam keeps of gradients, losses, steps that are kept."""
        moments = {
            name: {part: optimizer.state[p][part] for part in MOMENTS} if losses.size else {}
            for name, p in network.named_parameters()
        }
        return {
            "network": _arrays(network.state_dict()),
            "moments": {name: _arrays(parts) for name, parts in moments.items()},
            "losses": losses.copy(),
            "kept_steps": list(self.states_),
            "kept": list(self.states_.values()),
        }

    def _take_up(self, torch: Any, network: Any, optimizer: Any, begun: dict[str, Any], losses: np.ndarray) -> int:
        """Set everything to where the training was left; how many steps that was."""
        network.load_state_dict({name: torch.tensor(values) for name, values in begun["network"].items()})
        n_steps = len(begun["losses"])
        losses[:n_steps] = begun["losses"]
        self.states_ = dict(zip(begun["kept_steps"], begun["kept"], strict=True))
        for name, parameter in network.named_parameters():
            parts = {part: torch.tensor(values) for part, values in begun["moments"][name].items()}
            if parts:
                optimizer.state[parameter] = {"step": torch.tensor(float(n_steps)), **parts}
        return n_steps

    def _network(self, torch: Any) -> Any:
        if self.width % self.n_heads:
            raise DataError(f"width {self.width} is no multiple of {self.n_heads} heads")
        nn = torch.nn
        layer = nn.TransformerEncoderLayer(
            self.width, self.n_heads, 4 * self.width, dropout=0.0, activation="gelu", batch_first=True, norm_first=True
        )
        network = nn.ModuleDict(
            {
                "tokens": nn.Embedding(self.n_tokens_ + 1, self.width),  # the last one is the mask, and padding
                "sites": nn.Embedding(self.length_, self.width),
                "layers": nn.TransformerEncoder(layer, self.n_layers, nn.LayerNorm(self.width), False),
                "out": nn.Linear(self.width, self.n_tokens_),
            }
        )
        for name in ("tokens", "sites"):
            nn.init.normal_(network[name].weight, std=0.02)
        return network

    def _logits(self, torch: Any, network: Any, tokens: Any) -> Any:
        """(n, L, V): of an encoder at every site; of a decoder, of the token at every site given those before it."""
        hidden = torch.where(tokens < 0, self.n_tokens_, tokens)
        causal = None
        if self.kind == "decoder":
            start = torch.full_like(hidden[:, :1], self.n_tokens_)
            hidden = torch.cat([start, hidden[:, :-1]], dim=1)
            causal = torch.triu(torch.full((self.length_, self.length_), -math.inf), 1)
        x = network["tokens"](hidden) + network["sites"].weight
        return network["out"](network["layers"](x, mask=causal, is_causal=causal is not None))

    def _step(self, torch: Any, network: Any, optimizer: Any, rows: np.ndarray, step: int) -> float:
        rng = np.random.default_rng([self.random_state, step])
        batch = rows[rng.integers(len(rows), size=self.batch_size)].astype(np.int64)
        wanted = batch.copy()
        if self.kind == "encoder":
            masked = rng.random(batch.shape) < self.mask_fraction
            masked[np.arange(len(batch)), rng.integers(batch.shape[1], size=len(batch))] = True
            wanted[~masked] = -1
            batch[masked] = -1
        logits = self._logits(torch, network, torch.as_tensor(batch))
        loss = torch.nn.functional.cross_entropy(
            logits.flatten(0, 1), torch.as_tensor(wanted).flatten(), ignore_index=-1
        )
        warm = max(1, round(WARM_UP * self.n_steps))
        share = min(1.0, (step + 1) / warm) * 0.5 * (1 + math.cos(math.pi * step / self.n_steps))
        for group in optimizer.param_groups:
            group["lr"] = self.learning_rate * share
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(network.parameters(), CLIP)
        optimizer.step()
        return float(loss.detach())

    def _rebuild(self, torch: Any, state: dict[str, np.ndarray]) -> Any:
        network = self._network(torch)
        network.load_state_dict({name: torch.tensor(values) for name, values in state.items()})
        return network

    def _watch(self, state: dict[str, np.ndarray], rows: np.ndarray) -> dict[str, np.ndarray]:
        """(n, L, width) before the first block and behind each, caught by hooks."""
        torch = require("torch", "clones")
        network = self._rebuild(torch, state)
        blocks = list(network["layers"].layers)
        caught: dict[str, list[np.ndarray]] = {"embedding": []}
        blocks[0].register_forward_pre_hook(lambda _, given: caught["embedding"].append(given[0].numpy().copy()))
        for number, block in enumerate(blocks, 1):
            parts = caught[f"block {number}"] = []
            block.register_forward_hook(lambda _, given, made, parts=parts: parts.append(made.numpy().copy()))
        with one_torch_thread(), torch.no_grad():
            for first in range(0, len(rows), BATCH):
                self._logits(torch, network, torch.as_tensor(rows[first : first + BATCH]))
        return {name: np.concatenate(parts) for name, parts in caught.items()}

    def _make_conditional(self, state: dict[str, np.ndarray]) -> Callable[[np.ndarray, np.ndarray], np.ndarray]:
        torch = require("torch", "clones")
        network: list[Any] = []

        def ask(tokens: np.ndarray, sites: np.ndarray) -> np.ndarray:
            """Log-probabilities of one site a sequence."""
            if not network:  # made when it is asked, so that a long list of steps costs nothing
                network.append(self._rebuild(torch, state))
            read = np.array(tokens, np.int64)
            at = np.arange(len(read))
            if self.kind == "encoder":
                read[at, sites] = -1
            with one_torch_thread(), torch.no_grad():
                logits = self._logits(torch, network[0], torch.as_tensor(read))[at, torch.as_tensor(sites)]
                return np.asarray(torch.log_softmax(logits, dim=-1).numpy())

        return ask


def _arrays(tensors: Mapping[str, Any]) -> dict[str, np.ndarray]:
    return {name: values.detach().numpy().copy() for name, values in tensors.items()}


def _block_of(name: str) -> str:
    """Of a matrix, by its name in the network."""
    if name.startswith("layers.layers."):
        return f"block {int(name.split('.')[2]) + 1}"
    return "embedding" if name.startswith(("tokens.", "sites.")) else "read-out"
