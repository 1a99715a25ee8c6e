"""A model of sequences whose tokens interact up to a given order: trained on data, and asked for clones of them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from sklearn.base import BaseEstimator
from sklearn.exceptions import NotFittedError

from infoscope.base import check_choice, check_positive_int, fingerprint, format_estimate, provenance
from infoscope.base.checks import check_positive_number, check_sample_weight
from infoscope.base.contents import holds, integers, number, numbers, whole
from infoscope.base.documentation import DocumentedEstimator
from infoscope.base.errors import DataError, DataWarning, ParameterError, warn
from infoscope.storage import Checkpoint

from .clone_results import CloneResult
from .clone_sampling import FEWEST_CHAINS, SAMPLERS, draw_clone
from .documents import mean_and_error
from .energy import StarEnergy
from .factored import FactoredNetwork, layers_of_order
from .logistic import log_softmax
from .networks import EnergyNetwork, Network, split
from .sequences import PADDING, check_sequences
from .stationarity import places_differ
from .token_arrays import check_order
from .training import Rows, Schedule, logarithmic_steps, mean_loss, start_training, train
from .weight_motion import WeightMotion

MODELS = ("energy", "factored")
FEW_TOKENS = 10  # a parameter, below which the held-out gain is quoted
MOST_FULL = 16  # sites up to which pairs of sites have room for weights of their own
MOST_EXAMPLES = 20_000  # sequences of the data that are kept, for clones to be compared with
BLOCKS = 50  # of rows, some of which are held out


class InteractionModel(DocumentedEstimator, BaseEstimator):
    """The law of sequences with interactions of up to `order` tokens, trained by pseudo-likelihood.

    ``model="energy"`` is one law of exact maximal order, for any order: its conditionals are compatible, all L of them
    come from one pass, and Gibbs sampling draws from it without bias.  ``model="factored"`` is deep factored attention,
    of orders 2, 3, 5, 9, ...: each site has its own conditional, which together are no law.

    Parameters
    ----------
    order : int
        Largest number of tokens that interact; 1 is independent tokens.
    model : {"energy", "factored"}
    n_heads : int
        Of every order (energy) or layer (factored).
    value_rank : int, optional
        Of the V of a factored head; 64, or the alphabet if that is smaller.
    positions : {"auto", "relative", "full"}
        Whether weights depend on the distance of two sites alone (text, cut anywhere) or on both (aligned sequences,
        lattices).  "auto" is full for up to 16 sites, and beyond where tokens or pairs of tokens differ from place to
        place (`relative_` says what it took).
    norm : {None, "layer"}
        Layer normalisation of a factored model, as published: the order is then NOT bounded.
    optimizer : {"adamw", "sgd"}
    learning_rate, weight_decay, clip : float
        Largest rate; decay; largest length of a gradient.
    n_steps, batch_size : int
        A batch of all rows, with their weights, where there are no more than that.
    mask : {"all", "single"}
        Sites of a sequence that a step of a factored model looks at: all of them, one pass each, or one at random.
        Energies always see all.
    validation : float or array (m, L)
        Share of the rows that is held out, in blocks of neighbouring rows; or the sequences themselves.  0 for none,
        and no word on what an order gains from few data.
    patience : int
        Training ends after so many looks (one every 40th of the steps) at held-out rows without a better one.
    n_tokens : int, optional
        Size of the alphabet, one more than the largest id by default.
    n_kept : int
        Steps that are kept for `checkpoints_` and `weight_motion`, evenly on a logarithmic axis, the start and the end
        among them; none by default.
    random_state : int

    Attributes
    ----------
    parameters_ : array (P,)
        Those that held-out rows liked best.
    curve_ : array (C, 3)
        Step, training loss, held-out loss, in nats a token.
    n_tokens_, length_ : int
    relative_ : bool
        Whether weights depend on the distance of sites alone.
    frequencies_ : array (L, V)
        Of tokens at every site; of all sites together with relative positions.
    examples_ : array (m, L)
        Some of the sequences it was trained on, for clones to be compared with.
    best_loss_ : float
        Smallest loss of held-out rows, in nats a token; NaN where nothing was held out.
    n_steps_ : int
        Steps taken.
    checkpoints_ : dict of int to function (tokens, sites) -> log-probabilities
        The model as it was after each step that was kept, as `learning_curves` takes it.
    kept_steps_, kept_ : array (K,), array (K, P)
        These steps, and the parameters after them.
    rate_factor_ : float
        1; or 1/2, where losses that were not finite halved the learning rate.

    References
    ----------
    Rende, Gerace, Laio & Goldt, arXiv 2410.19637 (2024).

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope.clones import InteractionModel
    >>> tokens = np.random.default_rng(0).integers(2, size=(1000, 4))
    >>> tokens[:, 3] = (tokens[:, 0] + tokens[:, 1] + tokens[:, 2]) % 2  # four tokens at once, any three independent
    >>> losses = [InteractionModel(order, n_steps=300, n_heads=4).fit(tokens).loss(tokens) for order in (3, 4)]
    >>> [bool(loss > 0.6) for loss in losses]
    [True, False]
    """

    parameters_: np.ndarray
    _contents = {
        "parameters_": numbers("P"), "curve_": numbers("C", 3), "n_tokens_": whole(2), "length_": whole(2),
        "relative_": holds(bool), "frequencies_": numbers("F", "n_tokens_"),
        "examples_": integers("E", "length_", low=-1, below="n_tokens_"),
        "best_loss_": number(), "n_steps_": whole(), "rate_factor_": number(low=0), "kept_steps_": integers("K"),
        "kept_": numbers("K", "P"),
    }  # fmt: skip

    def __init__(
        self,
        order: int = 2,
        *,
        model: str = "energy",
        n_heads: int = 32,
        value_rank: int | None = None,
        positions: str = "auto",
        norm: str | None = None,
        optimizer: str = "adamw",
        learning_rate: float = 0.03,
        weight_decay: float = 0.0,
        clip: float = 1.0,
        n_steps: int = 2000,
        batch_size: int = 256,
        mask: str = "all",
        validation: Any = 0.1,
        patience: int = 10,
        n_tokens: int | None = None,
        n_kept: int = 0,
        random_state: int = 0,
    ):
        self.order = order
        self.model = model
        self.n_heads = n_heads
        self.value_rank = value_rank
        self.positions = positions
        self.norm = norm
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.weight_decay = weight_decay
        self.clip = clip
        self.n_steps = n_steps
        self.batch_size = batch_size
        self.mask = mask
        self.validation = validation
        self.patience = patience
        self.n_tokens = n_tokens
        self.n_kept = n_kept
        self.random_state = random_state

    def fit(
        self,
        tokens: Any,
        y: Any = None,
        *,
        sample_weight: Any = None,
        below: InteractionModel | None = None,
        checkpoint: Any = None,
        resume: bool = False,
    ) -> InteractionModel:
        """Train on sequences.

        Parameters
        ----------
        tokens : array (n, L) of int
            Ids from 0; -1 is padding, which counts for nothing.
        y : ignored
        sample_weight : array (n,), optional
            Weights of sequences.
        below : InteractionModel, optional
            A trained energy of lower order, with as many heads: training goes on from it.
        checkpoint : path, optional
            A file that keeps the state of training every minute.
        resume : bool
            Go on from it, to the same end as an uninterrupted training, bit for bit.

        Returns
        -------
        InteractionModel

        Raises
        ------
        DataError, ParameterError
            Tokens out of range, one site, fewer than two sequences, an order above the length or, of a factored model,
            one that it cannot have.
        RuntimeError
            Losses that are not finite, with half the learning rate as well.
        """
        tokens, n_tokens = check_sequences(tokens, self.n_tokens, min_sequences=2)
        schedule = self._schedule()
        self.relative_ = self._choose_relative(tokens)
        network = self._network(tokens.shape[1], n_tokens)
        if self.norm is not None:
            warn("norm='layer' divides by a function of the sequence: the order of interactions is not bounded")
        rows, held_out = _held_out(Rows(tokens, _weights(sample_weight, len(tokens))), self.validation, n_tokens)
        self.n_tokens_, self.length_ = n_tokens, tokens.shape[1]
        self.frequencies_ = _frequencies(rows, n_tokens, self.relative_)
        self.examples_ = rows.tokens[:: -(-len(rows.tokens) // MOST_EXAMPLES)].copy()
        start = np.asarray(network.initial(np.random.default_rng(self.random_state)), np.float32)
        split(network, start)["bias"][:] = _log_frequencies(self.frequencies_)
        if below is not None:
            start = self._continued(network, start, below)
        options = {**self.get_params(), "tokens": fingerprint(rows.tokens, rows.weights), "n_tokens": n_tokens}
        options["below"] = None if below is None else fingerprint(below.parameters_)
        options["validation"] = None if held_out is None else fingerprint(held_out.tokens)
        state = start_training(start)
        arguments = (network, rows, held_out)
        label = f"order {self.order}"
        if checkpoint is None:
            state = train(*arguments, state, schedule, self.random_state, label=label)
        else:
            with Checkpoint(checkpoint, options, resume=resume) as file:
                state = file.load() or state
                state = train(
                    *arguments, state, schedule, self.random_state, after_each=file.save_when_due, label=label
                )  # fmt: skip
                file.save(state)
        self.parameters_, self.curve_ = state.best, state.curve
        self.best_loss_ = float("nan") if held_out is None else float(state.best_loss)
        self.n_steps_, self.rate_factor_ = state.n_steps, state.rate_factor
        self.kept_steps_, self.kept_ = state.kept_steps, state.kept
        self._warn_of_few(rows, held_out, below)
        return self

    def energy(self) -> StarEnergy:
        """The trained energy; a `ParameterError` for factored models, which have none."""
        network = self._fitted()
        if not isinstance(network, EnergyNetwork):
            raise ParameterError("model='factored' has conditionals, and no energy: use model='energy'")
        return network.energy(split(network, self.parameters_))

    def conditional_logits(self, tokens: Any) -> np.ndarray:
        """Logits of every site given all others.

        Parameters
        ----------
        tokens : array (n, L)

        Returns
        -------
        array (n, L, V)
        """
        return self._logits(tokens)

    def masked_log_proba(self, tokens: Any, sites: Any) -> np.ndarray:
        """Log-probabilities of every token at one masked site a sequence, given all other sites.

        Parameters
        ----------
        tokens : array (n, L)
        sites : int or array (n,)

        Returns
        -------
        array (n, V)

        Raises
        ------
        DataError
            Tokens that the model does not know, sites that are not there, or not one for each sequence.
        """
        return self._masked_log_proba(tokens, sites)

    @property
    def checkpoints_(self) -> dict[int, Callable[[np.ndarray, np.ndarray], np.ndarray]]:
        """The model as it was after each step that was kept."""
        return {
            int(step): partial(self._masked_log_proba, parameters=kept)
            for step, kept in zip(*self._check_kept(), strict=True)
        }

    def weight_motion(self) -> WeightMotion:
        """How far the weights of every part have moved from where training began, at each step that was kept.

        Returns
        -------
        WeightMotion
            Of "order 2", "order 3", ...; of a factored model "layer 1" to "layer n", whose A and V are counted.

        Raises
        ------
        ParameterError
            Nothing was kept, or there is no part but the bias: order 1.

        Examples
        --------
        >>> import numpy as np
        >>> from infoscope.clones import InteractionModel
        >>> tokens = np.random.default_rng(0).integers(2, size=(500, 6))
        >>> model = InteractionModel(5, model="factored", n_heads=1, optimizer="sgd", n_steps=100, n_kept=4).fit(tokens)
        >>> moved = model.weight_motion()
        >>> moved.blocks, moved.steps.tolist(), moved.motion[0].tolist()
        (('layer 1', 'layer 2', 'layer 3'), [0, 1, 10, 100], [0.0, 0.0, 0.0])
        """
        network = self._fitted()
        steps, kept = self._check_kept()
        states = {int(step): network.parts(split(network, vector)) for step, vector in zip(steps, kept, strict=True)}
        names = list(states[0])
        if not names:
            raise ParameterError("independent tokens have no weights but their frequencies: pass an order of 2 or more")
        return WeightMotion.of(
            {
                step: {f"{name}: {n}": matrix for name in names for n, matrix in enumerate(parts[name])}
                for step, parts in states.items()
            },
            names, lambda matrix: matrix.split(":")[0],
            provenance=provenance("InteractionModel.weight_motion", self.get_params(), self.random_state, self.curve_),
        )  # fmt: skip

    def losses(self, tokens: Any) -> np.ndarray:
        """Negative log-likelihood of tokens given the others, mean over the sites of every sequence, in nats.

        Parameters
        ----------
        tokens : array (n, L)

        Returns
        -------
        array (n,)
        """
        network, tokens = self._fitted(), self._read(tokens)
        return mean_loss(network, self.parameters_, Rows(tokens, np.ones(len(tokens))))[0]

    def loss(self, tokens: Any) -> float:
        """Mean of `losses` over all tokens that are no padding."""
        losses, read = self.losses(tokens), self._read(tokens)
        return float(np.average(losses, weights=(read >= 0).sum(axis=1)))

    def score(self, tokens: Any, y: Any = None) -> float:
        """Mean log-likelihood of a token given the others, in nats: minus `loss`."""
        return -self.loss(tokens)

    def sample(
        self,
        start: Any,
        *,
        n_sweeps: int | str = "auto",
        sampler: str = "gibbs",
        temperature: float = 1.0,
        max_sweeps: int = 1000,
        random_state: int = 0,
        n_jobs: int | None = None,
        device: Any = None,
    ) -> CloneResult:
        """A clone of data: sequences drawn from this model, with a certificate.

        Half of the chains begin at the sequences given, half at independent tokens; statistics that still tell the two
        apart, or chain from chain, are found out.

        Parameters
        ----------
        start : array (n, L)
            Real sequences, better ones that the model was not trained on; as many are drawn.
        n_sweeps : int or "auto"
            Sweeps over all sites; "auto" goes on until the certificate is fulfilled, or `max_sweeps`.
        sampler : {"gibbs", "tempered", "mh_pl", "mh_paper"}
            Gibbs draws from the law of an energy model without bias, and so does "tempered", with replicas at ten
            temperatures that exchange their sequences: ten times the cost, for chains that barriers hold. The others
            are Metropolis-Hastings schemes of conditionals, which draw from other laws.
        temperature : float
            Logits are divided by it.
        max_sweeps : int
        random_state : int
        n_jobs : int, optional
            Threads; draws do not depend on them.
        device : str or torch.device, optional
            Where Gibbs sampling of an energy runs in PyTorch, as "cuda"; by default compiled kernels on processors,
            which are faster there. The random numbers are the same; rounding decides one draw in some 10^6.

        Returns
        -------
        CloneResult
        """
        network, tokens = self._fitted(), self._read(start)
        check_choice(sampler, "sampler", SAMPLERS)
        temperature = check_positive_number(temperature, "temperature")
        if len(tokens) < FEWEST_CHAINS:
            raise DataError(
                f"start holds {len(tokens)} sequences: pass at least {FEWEST_CHAINS}, two for each start of the chains"
            )
        energy = self.energy() if isinstance(network, EnergyNetwork) else None
        return draw_clone(
            tokens, energy, self._logits, self.frequencies_, self.examples_,
            order=self.order if self.norm is None else 0, sampler=sampler, temperature=temperature, n_sweeps=n_sweeps,
            max_sweeps=check_positive_int(max_sweeps, "max_sweeps"), random_state=random_state, n_jobs=n_jobs,
            device=device,
        )  # fmt: skip

    # ---- steps ----
    def _choose_relative(self, tokens: np.ndarray) -> bool:
        choice = check_choice(self.positions, "positions", ("auto", "relative", "full"))
        if choice == "auto":
            return tokens.shape[1] > MOST_FULL and not places_differ(tokens)
        return choice == "relative"

    def _network(self, length: int, n_tokens: int) -> Network:
        check_choice(self.model, "model", MODELS)
        n_heads = check_positive_int(self.n_heads, "n_heads")
        order = check_order(self.order, length)
        if self.model == "energy":
            if self.norm is not None:
                raise ParameterError("norm is of factored models: an energy stands without")
            return EnergyNetwork(order, length, n_tokens, n_heads, self.relative_)
        if self.norm is not None:
            check_choice(self.norm, "norm", ("layer",))
        rank = min(64, n_tokens) if self.value_rank is None else check_positive_int(self.value_rank, "value_rank")
        return FactoredNetwork(
            layers_of_order(order), length, n_tokens, n_heads, rank, self.relative_, self.norm
        )  # fmt: skip

    def _continued(self, network: Network, start: np.ndarray, below: InteractionModel) -> np.ndarray:
        other, same = below._fitted(), ("length", "n_tokens", "n_heads", "relative")
        if (
            isinstance(network, EnergyNetwork)
            and isinstance(other, EnergyNetwork)
            and other.order <= network.order
            and all(getattr(network, name) == getattr(other, name) for name in same)
        ):
            return network.continue_from(start, other, below.parameters_)
        raise ParameterError(
            f"below has order {below.order}, {below.n_heads} heads, {below.length_} sites, {below.n_tokens_} tokens: "
            "pass an energy of no higher order, trained on sequences of this kind with as many heads"
        )

    def _schedule(self) -> Schedule:
        check_choice(self.optimizer, "optimizer", ("adamw", "sgd"))
        check_choice(self.mask, "mask", ("all", "single"))
        n_steps = check_positive_int(self.n_steps, "n_steps")
        n_kept = check_positive_int(self.n_kept, "n_kept", minimum=0)
        return Schedule(
            n_steps=n_steps,
            batch_size=check_positive_int(self.batch_size, "batch_size"),
            learning_rate=check_positive_number(self.learning_rate, "learning_rate"),
            optimizer=self.optimizer,
            weight_decay=check_positive_number(self.weight_decay, "weight_decay", zero=True),
            clip=check_positive_number(self.clip, "clip"),
            patience=check_positive_int(self.patience, "patience"),
            every_site=self.model == "energy" or self.mask == "all",
            kept=logarithmic_steps(n_steps, n_kept) if n_kept else (),
        )

    def _fitted(self) -> Network:
        if not hasattr(self, "parameters_"):
            raise NotFittedError("this InteractionModel has not been trained: call fit first")
        return self._network(self.length_, self.n_tokens_)

    def _read(self, tokens: Any) -> np.ndarray:
        return check_sequences(tokens, self.n_tokens_, length=self.length_)[0]

    def _check_kept(self) -> tuple[np.ndarray, np.ndarray]:
        self._fitted()
        if not len(self.kept_steps_):
            raise ParameterError("no steps were kept: pass n_kept, as n_kept=24, before fit")
        return self.kept_steps_, self.kept_

    def _masked_log_proba(self, tokens: Any, sites: Any, parameters: np.ndarray | None = None) -> np.ndarray:
        self._fitted()
        tokens, asked = self._read(tokens), np.asarray(sites)
        which = asked.dtype.kind in "iu" and asked.shape in ((), (len(tokens),))
        if not which or (asked < 0).any() or (asked >= self.length_).any():
            raise DataError(f"sites must be whole numbers from 0 to {self.length_ - 1}, one for all or one a sequence")
        return log_softmax(self._logits(tokens, np.broadcast_to(asked, len(tokens)), parameters).astype(np.float64))

    def _logits(self, tokens: Any, sites: np.ndarray | None = None, parameters: np.ndarray | None = None) -> np.ndarray:
        import torch

        from infoscope.base.threads import one_torch_thread

        network, rows = self._fitted(), self._read(tokens)
        with one_torch_thread(), torch.inference_mode():
            views = split(network, torch.as_tensor(self.parameters_ if parameters is None else parameters))
            which = None if sites is None else torch.tensor(np.asarray(sites, np.int64))
            if sites is not None:
                rows[np.arange(len(rows)), sites] = PADDING  # masked: what stands there cannot even change rounding
            found = [
                network.logits(
                    views, torch.as_tensor(rows[at : at + 256].astype(np.int64)),
                    None if which is None else which[at : at + 256],
                ).numpy()
                for at in range(0, len(rows), 256)
            ]  # fmt: skip
        return np.concatenate(found)

    def _warn_of_few(self, rows: Rows, held_out: Rows | None, below: InteractionModel | None) -> None:
        """Say so where there are few tokens a parameter, each of them a target, and what held-out rows gained."""
        n_seen = int((rows.tokens >= 0).sum())
        if held_out is None or n_seen >= FEW_TOKENS * len(self.parameters_):
            return
        own, n_tokens = mean_loss(self._fitted(), self.parameters_, held_out)
        reference = "independent tokens" if below is None else f"order {below.order}"
        if below is None:
            log_p = log_softmax(_log_frequencies(self.frequencies_).astype(np.float64))
            log_p = np.broadcast_to(log_p, (self.length_, self.n_tokens_))[
                np.arange(self.length_), np.maximum(held_out.tokens, 0)
            ]
            other = -np.where(held_out.tokens >= 0, log_p, 0.0).sum(axis=1) / np.maximum(n_tokens, 1)
        else:
            other = mean_loss(below._fitted(), below.parameters_, held_out)[0]
        gain = format_estimate(*mean_and_error(other - own, n_tokens, np.arange(len(own))))
        warn(
            f"{n_seen} tokens for {len(self.parameters_)} parameters: held-out sequences gained {gain} nats a token "
            f"over {reference}; take fewer heads, a lower order or more data if that is less than you need",
            DataWarning,
        )


# --------------------------------------------------------------------------------------------------------------- steps
def _weights(sample_weight: Any, n: int) -> np.ndarray:
    if sample_weight is None:
        return np.ones(n)
    weights = check_sample_weight(sample_weight, n)
    return weights * (n / weights.sum())


def _held_out(rows: Rows, validation: Any, n_tokens: int) -> tuple[Rows, Rows | None]:
    """Blocks of neighbouring rows, evenly over all, are held out: neighbours come from one document."""
    if not np.isscalar(validation):
        other = check_sequences(validation, n_tokens, length=rows.tokens.shape[1])[0]
        return rows, Rows(other, np.ones(len(other)))
    share = check_positive_number(validation, "validation", zero=True)
    if share >= 1:
        raise ParameterError(f"validation is {share}: pass a share below 1, or the sequences themselves")
    n = len(rows.tokens)
    n_blocks = min(BLOCKS, n)
    block = np.arange(n) * n_blocks // n
    chosen = np.unique((np.arange(round(share * n_blocks)) + 0.5) / max(1, round(share * n_blocks)) * n_blocks)
    away = np.isin(block, chosen.astype(int))
    if not away.any() or away.sum() > n - 2:
        return rows, None
    return Rows(rows.tokens[~away], rows.weights[~away]), Rows(rows.tokens[away], rows.weights[away])


def _frequencies(rows: Rows, n_tokens: int, together: bool) -> np.ndarray:
    """(L, V), or (1, V)."""
    length = rows.tokens.shape[1]
    site = np.zeros(length, int) if together else np.arange(length)
    counts = np.zeros((1 if together else length, n_tokens + 1))
    np.add.at(counts, (np.broadcast_to(site, rows.tokens.shape), rows.tokens), rows.weights[:, None])
    counts = counts[:, :-1]  # the last is where -1 went
    total = counts.sum(axis=1, keepdims=True)
    return np.where(total > 0, counts / np.where(total > 0, total, 1), 1 / n_tokens)


def _log_frequencies(frequencies: np.ndarray) -> np.ndarray:
    """Logits to begin with; tokens that were never seen get a tenth of the rarest one's share."""
    least = frequencies[frequencies > 0].min() / 10
    return np.log(np.maximum(frequencies, least)).astype(np.float32)
