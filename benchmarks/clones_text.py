"""Pairs of letters of English: energies of order 2 beside one layer of factored attention, at equal rank and CPU time.

Windows of 12 characters of the docstrings of scipy and scikit-learn.  Both models hold as many parameters: for
each head weights of the distance and two vectors of letters.  The energy is symmetric, and one
pass gives the conditionals of all sites; factored attention needs a pass a site, and is trained with one site of a
sequence at a time, as published, or with all of them.  Steps are as many as fit into the CPU time (torch's, one
thread); each model is trained at two learning rates, of which the better counts.  Losses are of windows of other files.
"""

from __future__ import annotations

import tempfile
import time
from argparse import Namespace
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from harness import Row, bar, fresh, main, publish

LENGTH, HEADS, TRIAL = 12, 16, 40  # steps that tell what a step costs
SECONDS, RATES = (20, 80), (0.01, 0.03)
MODELS: dict[str, dict[str, Any]] = {
    "energy of order 2": {"model": "energy"},
    "factored, one site a step": {"model": "factored", "value_rank": 1, "mask": "single"},
    "factored, all sites a step": {"model": "factored", "value_rank": 1, "mask": "all"},
}


def windows(path: str, threads: int) -> Row:
    """Windows to train with, and of other files to test with."""
    import numpy as np

    from infoscope.clones import token_windows, train_tokenizer
    from infoscope.datasets import docstring_texts

    texts = docstring_texts(["scipy", "sklearn"])
    found = token_windows(texts, train_tokenizer(texts, "characters"), LENGTH)
    train, test = found.split(0.1)
    np.savez(path, train=train.tokens, test=test.tokens[::8], document=test.document[::8])
    return {"n": len(train), "n_test": len(test.tokens[::8]), "n_tokens": found.tokenizer.n_tokens}


def learn(model: str, seconds: float, learning_rate: float, n_tokens: int, path: str, out: str, threads: int) -> Row:
    """Train for so many CPU seconds; losses of the test windows go to a file."""
    import numpy as np

    from infoscope.clones import InteractionModel

    with np.load(path) as known:
        train, test = known["train"], known["test"]

    def trained(n_steps: int) -> tuple[Any, float]:
        before = time.process_time()
        asked = InteractionModel(
            2, n_heads=HEADS, positions="relative", n_steps=n_steps, learning_rate=learning_rate, validation=0.0,
            n_tokens=n_tokens, **MODELS[model],
        )  # fmt: skip
        return asked.fit(train), time.process_time() - before

    trained(2)  # torch wakes
    first = trained(TRIAL)[1]
    each = (trained(3 * TRIAL)[1] - first) / (2 * TRIAL)
    n_steps = max(1, round((seconds - first) / each))
    network, took = trained(n_steps)
    np.save(out, network.losses(test))
    return {"steps": n_steps, "CPU seconds": took, "parameters": len(network.parameters_)}


def run(options: Namespace) -> None:
    import numpy as np

    budgets = (2,) if options.quick else SECONDS
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "windows.npz")
        known = fresh("windows", threads=1, path=path)
        with np.load(path) as read:
            document = read["document"]

        def contender(model: str, seconds: float, rate: float) -> tuple[Row, Any]:
            out = str(Path(folder) / f"{model} {seconds} {rate}.npy")
            found = fresh(
                "learn", threads=1, model=model, seconds=seconds, learning_rate=rate, n_tokens=known["n_tokens"],
                path=path, out=out,
            )  # fmt: skip
            kept = {name: found[name] for name in ("parameters", "steps", "CPU seconds")}
            return {"model": model, **kept, "learning rate": rate}, np.load(out)

        asked = [(model, seconds, rate) for seconds in budgets for model in MODELS for rate in RATES]
        with ThreadPoolExecutor(options.threads) as pool:
            found = dict(zip(asked, pool.map(contender, *zip(*asked, strict=True)), strict=True))
    bars = []
    for seconds in budgets:
        best = {
            model: min((found[model, seconds, rate] for rate in RATES), key=lambda pair: pair[1].mean())
            for model in MODELS
        }
        reference = next(iter(MODELS))
        for model, (row, losses) in best.items():
            mean, error = _by_document(losses, document)
            rows.append({**row, "loss": mean, "error": error})
            if model != reference:
                gain, error = _by_document(losses - best[reference][1], document)
                rows[-1]["over the energy"] = gain
                text = f"{seconds} s: loss of {model}, over that of the energy"
                bars.append(bar(f"{text}, in standard errors", gain / error, -2, at_least=True))
    notes = [
        f"{known['n']:,} windows of {LENGTH} characters out of {known['n_tokens']} to train with, {known['n_test']:,} "
        f"of other files to test with; {HEADS} heads of rank 1; losses in nats a character, all others of the window "
        "given; errors by file."
    ]
    publish("clones_text", options, {"Losses at equal CPU time": rows}, bars=bars, notes=notes)


def _by_document(values: Any, document: Any) -> tuple[float, float]:
    """Mean, and its standard error by documents."""
    import numpy as np

    mean = values.mean()
    sums = np.bincount(document, values - mean)
    sums = sums[np.bincount(document) > 0]
    return float(mean), float(np.sqrt((sums**2).sum() * len(sums) / (len(sums) - 1)) / len(values))


if __name__ == "__main__":
    main(run, {"windows": windows, "learn": learn})
