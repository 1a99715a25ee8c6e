"""Two-point correlations of clones of a Potts model, beside adabmDCA at equal CPU time.

States of a Potts model on a square; both tools learn pairs from the same training states, and both give sequences
drawn from what they learnt: ours by pseudo-likelihood and then Gibbs sampling, adabmDCA by Boltzmann learning, whose
chains of the last step are its sequences.  What counts is the root mean square distance between the connected two-point
correlations of the sequences and those of states that neither tool saw; a sample of the model itself, as large, shows
how small that can be.  CPU seconds are those of the whole process, imports included.

INFOSCOPE_ADABMDCA_PYTHON names the Python of an environment with ``adabmDCA==1.0.0`` and ``torch==2.13.0``.
"""

from __future__ import annotations

import os
import resource
import subprocess
import tempfile
from argparse import Namespace
from pathlib import Path

from harness import Row, bar, fresh, main, publish, thread_environment

SIDE, STATES, TEMPERATURE, N_TRAIN, N_COMPARED, N = 6, 4, 1.2, 10_000, 10_000, 2000
LETTERS = "ACGT"
STEPS = ((50, 0.01), (150, 0.01), (50, 0.05))  # of adabmDCA, with its own learning rate and a larger one
OUR_STEPS, HEADS = (300,), 3


def states(path: str, threads: int) -> Row:
    """Training states, as many to begin with as are drawn, states to compare with, and a sample of the model itself."""
    import numpy as np

    from infoscope.datasets import potts

    drawn = potts(N_TRAIN + N + N_COMPARED + N, SIDE, STATES, TEMPERATURE, random_state=0).astype(int)
    parts = np.split(drawn, np.cumsum([N_TRAIN, N, N_COMPARED]))
    np.savez(path, **dict(zip(("train", "start", "compared", "itself"), parts, strict=True)))
    return {"noise": distance(parts[3], parts[2])}


def distance(tokens, reference):
    """Root mean square difference of connected correlations over all pairs of different sites, and states."""
    import numpy as np

    def correlations(rows):
        hot = np.eye(STATES)[rows].reshape(len(rows), -1)
        centred = hot - hot.mean(axis=0)
        return centred.T @ centred / len(rows)

    apart = np.repeat(np.repeat(~np.eye(SIDE**2, dtype=bool), STATES, axis=0), STATES, axis=1)
    return float(np.sqrt(np.mean((correlations(tokens) - correlations(reference))[apart] ** 2)))


def ours(n_heads: int, n_steps: int, path: str, threads: int) -> Row:
    """Trained and sampled; CPU seconds of the whole process."""
    import time

    import numpy as np

    from infoscope.clones import InteractionModel

    with np.load(path) as known:
        train, start, compared = known["train"], known["start"], known["compared"]
    model = InteractionModel(2, n_heads=n_heads, positions="full", n_steps=n_steps).fit(train)
    clone = model.sample(start, n_jobs=threads)
    return {"distance": distance(clone.tokens, compared), "seconds": time.process_time(), "r_hat": clone.r_hat.max()}


def adabm(n_steps: int, learning_rate: float, peer: str, path: str, threads: int) -> Row:
    """Trained for some steps; its chains are its sequences.  CPU seconds of the whole process."""
    import numpy as np

    with np.load(path) as known:
        train, compared = known["train"], known["compared"]
    with tempfile.TemporaryDirectory() as folder:
        data = Path(folder) / "train.fasta"
        rows = ("".join(LETTERS[token] for token in row) for row in train)
        data.write_text("".join(f">{number}\n{row}\n" for number, row in enumerate(rows)))
        command = [
            peer, "-m", "adabmDCA.cli", "train", "-d", str(data), "-o", folder, "--alphabet", LETTERS,
            "--no_reweighting", "--device", "cpu", "--nchains", str(N), "--target", "0.999", "--no-progress",
            "--nepochs", str(n_steps), "--lr", str(learning_rate), "--sampler", "gibbs",
        ]  # fmt: skip
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run(command, env=thread_environment(threads), stdout=subprocess.DEVNULL, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        lines = (Path(folder) / "chains.fasta").read_text().split()
    tokens = np.array([[LETTERS.index(letter) for letter in line] for line in lines if not line.startswith(">")])
    seconds = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"distance": distance(tokens, compared), "seconds": seconds}


def run(options: Namespace) -> None:
    python = os.environ.get("INFOSCOPE_ADABMDCA_PYTHON")
    mine, peers = [], []
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "states.npz")
        noise = fresh("states", threads=1, path=path)["noise"]
        for n_steps in OUR_STEPS[:1] if options.quick else OUR_STEPS:
            found = fresh("ours", threads=1, n_heads=HEADS, n_steps=n_steps, path=path)
            what = f"infoscope: {n_steps} steps of pseudo-likelihood, then Gibbs sampling (R-hat {found['r_hat']:.3f})"
            mine.append(_row(what, found))
        for n_steps, rate in () if python is None else STEPS[:1] if options.quick else STEPS:
            found = fresh("adabm", threads=1, n_steps=n_steps, learning_rate=rate, peer=python, path=path)
            peers.append(_row(f"adabmDCA 1.0.0: at most {n_steps} steps of Boltzmann learning at rate {rate}", found))
    ratio = None
    if peers:  # where even its shortest run takes longer, that one
        time = mine[-1]["CPU seconds"]
        in_time = [row for row in peers if row["CPU seconds"] <= 1.1 * time] or peers[:1]
        ratio = min(row["distance"] for row in in_time) / mine[-1]["distance"]
    itself = {"what": f"{N:,} other states of the model", "CPU seconds": None, "distance": noise}
    bars = [bar("distance of adabmDCA in as much CPU time, over ours", ratio, 1, at_least=True)]
    notes = [
        f"Potts model of {STATES} states on a square of {SIDE} by {SIDE} at temperature {TEMPERATURE}; "
        f"{N_TRAIN:,} states to learn from, {N:,} drawn by each tool, {N_COMPARED:,} to compare with; {HEADS} heads; "
        "one thread.",
        "adabmDCA: Gibbs sampler, 10 sweeps a step, as many chains as are drawn, no reweighting; "
        "it ends before its steps where the Pearson correlation of pairs reaches 0.999.",
    ]
    publish("clones_potts", options, {"Two-point correlations": [*mine, *peers, itself]}, bars=bars, notes=notes)


def _row(what: str, found: Row) -> Row:
    return {"what": what, "CPU seconds": found["seconds"], "distance": found["distance"]}


if __name__ == "__main__":
    main(run, {"states": states, "ours": ours, "adabm": adabm})
