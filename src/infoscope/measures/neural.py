"""A small trained critic: one more estimator of shared information, for `reliability` to judge."""

from __future__ import annotations

from typing import Any

import numpy as np

from infoscope.base import DataError, choose_device, require
from infoscope.base.array_types import Floats
from infoscope.base.checks import check_choice, check_matrix, check_positive_int, check_same_length

BOUNDS = ("smile", "infonce")
CRITICS = ("separable", "concatenated")
CLIP = 5.0  # of scores in the SMILE bound
TESTED = 10  # one row in so many is held out
JUDGED = 256  # rows whose scores are looked at together
FEWEST = 40
HIDDEN, EMBEDDING = 64, 64


def neural_information(
    X: Any,
    Y: Any,
    *,
    bound: str = "smile",
    critic: str = "separable",
    n_epochs: int = 50,
    batch: int = 128,
    learning_rate: float = 5e-4,
    device: Any = None,
    random_state: int = 0,
) -> float:
    """Shared information by a critic that is trained to tell pairs from shuffled pairs; in nats.

    A tenth of the rows is held out; the epoch at which their bound, smoothed, is largest gives the answer, which is the
    bound of the other rows at that epoch.  It may be far off without a sign: give the function to `reliability`.

    Parameters
    ----------
    X, Y : array (N, D)
        Columns; they are standardized.
    bound : {"smile", "infonce"}
        SMILE, with scores clipped at 5 in its denominator; or InfoNCE, which cannot exceed the logarithm of the batch.
    critic : {"separable", "concatenated"}
        Inner products of two networks, or one network of both.
    n_epochs, batch : int
        Passes over the rows, and rows a step.
    learning_rate : float
        Of Adam.
    device : None, str or torch.device
        Where to train; None follows the data.
    random_state : int
        Of the weights, the held-out rows and the batches.

    Returns
    -------
    float

    Raises
    ------
    DataError
        Different numbers of rows, NaN, fewer than 40 rows.
    ParameterError
        Unknown words.
    MissingExtraError
        If PyTorch is not installed.

    References
    ----------
    Song, Ermon, ICLR 2020 (SMILE).  van den Oord, Li, Vinyals, arXiv 1807.03748 (InfoNCE).  arXiv 2506.00330: the epoch
    of the largest held-out bound.

    Examples
    --------
    >>> import numpy as np
    >>> from infoscope import neural_information
    >>> x, noise = np.random.default_rng(0).normal(size=(2, 1000, 1))
    >>> 0.3 < neural_information(x, 0.8 * x + 0.6 * noise, n_epochs=20) < 0.7  # the truth is 0.511
    True
    """
    torch = require("torch", "torch")
    check_choice(bound, "bound", BOUNDS)
    check_choice(critic, "critic", CRITICS)
    for value, name in ((n_epochs, "n_epochs"), (batch, "batch")):
        check_positive_int(value, name, 1 if name == "n_epochs" else 8)
    place = choose_device(device, X, Y, float64=False)
    columns = [_standardized(data, name) for data, name in ((X, "X"), (Y, "Y"))]
    n = check_same_length({"X": columns[0], "Y": columns[1]})
    if n < FEWEST:
        raise DataError(f"{n} rows are too few to train a critic: at least {FEWEST} are needed")
    order = np.random.default_rng(random_state).permutation(n)
    held, kept = order[: n // TESTED], order[n // TESTED :]
    with torch.random.fork_rng(devices=[place] if place.type == "cuda" else []):
        torch.manual_seed(random_state)
        x, y = (torch.as_tensor(data, dtype=torch.float32, device=place) for data in columns)
        model = _critic(torch, critic, x.shape[1], y.shape[1]).to(place)
        optimiser = torch.optim.Adam(model.parameters(), lr=learning_rate)
        curves: list[tuple[float, float]] = []
        for _ in range(n_epochs):
            _train(torch, model, optimiser, bound, x, y, kept[torch.randperm(len(kept)).numpy()], batch)
            curves.append(
                (_value(torch, model, bound, x, y, held, batch), _value(torch, model, bound, x, y, kept, batch))
            )
    tested, trained = np.array(curves).T
    return float(trained[int(np.argmax(_smooth(tested)))])


# --------------------------------------------------------------------------------------------------------------- steps
def _standardized(data: Any, name: str) -> Floats:
    array = data.detach().cpu().numpy() if hasattr(data, "detach") else np.asarray(data)
    columns = check_matrix(array[:, None] if array.ndim == 1 else array, name).astype(np.float64)
    deviation = columns.std(0)
    return np.asarray((columns - columns.mean(0)) / np.where(deviation > 0, deviation, 1.0))


def _critic(torch: Any, kind: str, dx: int, dy: int) -> Any:
    """A module that gives the scores S_ij of every x_i with every y_j."""

    def network(inputs: int, outputs: int) -> Any:
        layers = torch.nn
        return layers.Sequential(
            layers.Linear(inputs, HIDDEN), layers.ReLU(), layers.Linear(HIDDEN, HIDDEN), layers.ReLU(),
            layers.Linear(HIDDEN, outputs),
        )  # fmt: skip

    class Separable(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.g, self.h = network(dx, EMBEDDING), network(dy, EMBEDDING)

        def forward(self, x: Any, y: Any) -> Any:
            return self.g(x) @ self.h(y).T

    class Concatenated(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.f = network(dx + dy, 1)

        def forward(self, x: Any, y: Any) -> Any:
            pairs = torch.cat([x[:, None].expand(-1, len(y), -1), y[None].expand(len(x), -1, -1)], dim=-1)
            return self.f(pairs)[..., 0]

    return Separable() if kind == "separable" else Concatenated()


def _train(torch: Any, model: Any, optimiser: Any, bound: str, x: Any, y: Any, rows: Any, batch: int) -> None:
    for start in range(0, len(rows) - batch // 2, batch):
        some = torch.as_tensor(rows[start : start + batch], device=x.device)
        scores = model(x[some], y[some])
        if bound == "infonce":
            gain = (scores.diagonal() - torch.logsumexp(scores, 1)).mean()
        else:  # the Jensen-Shannon bound has the gradient, SMILE the value (Song and Ermon 2020)
            apart = ~torch.eye(len(some), dtype=torch.bool, device=x.device)
            soft = torch.nn.functional.softplus
            gain = -soft(-scores.diagonal()).mean() - soft(scores[apart]).mean()
        optimiser.zero_grad()
        (-gain).backward()
        optimiser.step()


def _value(torch: Any, model: Any, bound: str, x: Any, y: Any, rows: Any, batch: int) -> float:
    """The bound, averaged over pieces of the rows."""
    size = batch if bound == "infonce" else JUDGED
    found = []
    with torch.no_grad():
        for piece in np.array_split(rows, -(-len(rows) // size)):
            some = torch.as_tensor(piece, device=x.device)
            scores = model(x[some], y[some])
            m = len(piece)
            if bound == "infonce":
                value = np.log(m) + (scores.diagonal() - torch.logsumexp(scores, 1)).mean()
            else:
                apart = scores.clamp(-CLIP, CLIP).masked_fill(
                    torch.eye(m, dtype=torch.bool, device=x.device), -torch.inf
                )
                value = scores.diagonal().mean() - (torch.logsumexp(apart.flatten(), 0) - np.log(m * (m - 1)))
            found.append(m * float(value))
    return sum(found) / len(rows)


def _smooth(values: Floats) -> Floats:
    from scipy.ndimage import gaussian_filter1d, median_filter

    return np.asarray(gaussian_filter1d(median_filter(values, 5, mode="nearest"), 1.0, mode="nearest"))
