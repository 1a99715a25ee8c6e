"""The community causal graph: links found and false, time beside PCMCI and DADApy, growth with the number of variables.

Data: `infoscope.datasets.even_network` (followers of squares, which no linear test sees) and `logistic_network`
(communities of chaotic maps), seeds in the tables.  PCMCI is tigramite 5.2.10.1 with ParCorr, analytic p-values, the
default pc_alpha of 0.2, and links whose p-values, adjusted after Benjamini and Hochberg, are at most 0.1.  DADApy 0.3.4
optimises one target at one lag at a time and compiles it anew: eight are timed, and scaled to all.

INFOSCOPE_TIGRAMITE_PYTHON names the Python of an environment with ``tigramite==5.2.10.1``, INFOSCOPE_PEER_PYTHON that
of one with ``dadapy==0.3.4``, jax, flax and optax; without one that peer is skipped.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import time
from argparse import Namespace
from pathlib import Path
from typing import Any

from harness import Row, bar, fresh, main, publish

PARTS = ("links", "chaos", "speed", "size", "thousand")
FDR = 0.1
SEEDS = range(100, 150)  # of networks
NULL_SEEDS = range(1000, 1200)
ROWS, FEW_ROWS = 2000, 600  # of the even networks; few are enough where there are no chains
EVEN = {
    "16 links, pairs": dict(n_rows=ROWS, n_links=16, shape="pairs"),
    "16 links, chains": dict(n_rows=ROWS, n_links=16, shape="chains"),
    "16 links, stars": dict(n_rows=ROWS, n_links=16, shape="stars"),
    "4 links": dict(n_rows=FEW_ROWS, n_links=4, shape="pairs"),
    "1 link": dict(n_rows=FEW_ROWS, n_links=1, shape="pairs"),
}
SHAPES = ("pairs", "chains", "stars")
SIZES = (20, 40, 80, 160, 320)
PATIENCE = 600.0  # seconds after which PCMCI is stopped


# ------------------------------------------------------------------------------------------------------------ the data
def even_series(seed: int, n_rows: int, n_links: int, shape: str, n_variables: int = 40) -> Any:
    from infoscope.datasets import even_network

    return even_network(n_rows + 1, n_variables, n_links, shape=shape, random_state=seed)


def null_series(seed: int, n_variables: int = 10) -> Any:
    """Autoregressive series of memory 0.9 that do not know of each other."""
    from infoscope.datasets import even_network

    return even_network(FEW_ROWS + 1, n_variables, 0, memory=0.9, random_state=seed)


def maps(n_variables: int, seed: int, n_samples: int = 2002) -> Any:
    from infoscope.datasets import logistic_network

    sizes = (5,) * (n_variables // 5)
    return logistic_network(n_samples, sizes=sizes, parents="random", random_state=seed)


def _graph(series: Any, **options: Any) -> tuple[Any, float, float]:
    import warnings

    from infoscope.causality import CommunityCausalGraph

    warnings.simplefilter("ignore")
    wall, cpu = time.perf_counter(), time.process_time()
    found = CommunityCausalGraph(**options).fit(series).result_
    return found, time.perf_counter() - wall, time.process_time() - cpu


# ------------------------------------------------------------------------------------------------------- the contenders
def networks(kind: str, seeds: list[int], threads: int, folder: str = "") -> Row:
    """Links found, false ones, p-values of sources that tell nothing."""
    import numpy as np

    rows = []
    for seed in seeds:
        net = null_series(seed) if kind == "null" else even_series(seed, **EVEN[kind])
        if folder:
            np.savez(Path(folder, f"{kind}-{seed}.npz"), series=net.series, links=net.links)
        found, _, cpu = _graph(net.series, lags=[1], fdr=FDR, n_jobs=threads)
        told, tested = found.adjacency, np.isfinite(found.rise) & ~net.links
        rows.append(
            dict(
                links=int(net.links.sum()),
                found=int((told & net.links).sum()),
                false=int((told & ~net.links).sum()),
                below5=int((found.p_value[tested] <= 0.05).sum()),
                below1=int((found.p_value[tested] <= 0.01).sum()),
                tested=int(tested.sum()),
                cpu=cpu,
            )
        )
    return {"rows": rows}


def pcmci(path: str, tau_max: int, threads: int) -> Row:
    """PCMCI with ParCorr on the series in a file."""
    import numpy as np
    from tigramite import data_processing
    from tigramite.independence_tests.parcorr import ParCorr
    from tigramite.pcmci import PCMCI

    held = np.load(path)
    start, cpu = time.perf_counter(), time.process_time()
    peer = PCMCI(dataframe=data_processing.DataFrame(held["series"]), cond_ind_test=ParCorr(), verbosity=0)
    found = peer.run_pcmci(tau_min=1, tau_max=tau_max, pc_alpha=0.2)
    q = peer.get_corrected_pvalues(p_matrix=found["p_matrix"], tau_min=1, tau_max=tau_max, fdr_method="fdr_bh")
    told = (q[:, :, 1:] <= FDR).any(2)
    np.fill_diagonal(told, False)
    links = held["links"]
    return {
        "seconds": time.perf_counter() - start,
        "cpu_seconds": time.process_time() - cpu,
        "found": int((told & links).sum()),
        "false": int((told & ~links).sum()),
        "edges": np.argwhere(told).tolist(),
    }


def chaos(n_variables: int, seed: int, fdr: float | None, threads: int, path: str = "") -> Row:
    """The graph of a network of maps, beside the truth."""
    import numpy as np

    from infoscope.causality import community_scores

    net = maps(n_variables, seed)
    if path:
        np.savez(path, series=net.series, links=net.links)
    _graph(net.series[:200, :10], lags=[1], fdr=fdr, exclusion_window=0)  # compiles
    found, wall, cpu = _graph(net.series, lags=[1, 2], fdr=fdr, exclusion_window=0, n_jobs=threads)
    scores = community_scores(net.labels, found.labels, net.edges, found.edges)
    return {
        "seconds": wall,
        "cpu_seconds": cpu,
        "rand_index": scores.rand_index,
        "missing": scores.n_missing,
        "false": scores.n_false,
        "links": found.n_links,
        "edges": len(found.edges),
        "true_edges": len(net.edges),
        "epochs": float(found.n_epochs.mean()),
        "by_itself": int((found.test == 1).sum()),
        "beside_past": int((found.test == 2).sum()),
    }


def speed(threads: int, n_variables: int = 80, n_epochs: int = 100) -> Row:
    """All targets at two lags, a fixed number of epochs; the share of the two matrix products."""
    import numpy as np

    from infoscope.base import one_blas_thread
    from infoscope.imbalance.dii.many_targets import Descent, Lines, fit_many_targets
    from infoscope.neighbors import Items

    net = maps(n_variables, 3)
    x = (net.series - net.series.mean(0)) / net.series.std(0)
    lines = Lines(np.concatenate([x[lag : 2000 + lag].T for lag in (1, 2)]), np.zeros(2 * n_variables))
    items = Items(np.arange(2000), np.zeros(2000, int), np.arange(2000.0))

    def fit(epochs: int) -> None:
        descent = Descent(n_epochs=epochs, tolerance=0.0)
        fit_many_targets(x[:2000], np.zeros(n_variables), lines, items, descent=descent, n_jobs=threads)

    fit(1)
    wall, cpu = time.perf_counter(), time.process_time()
    fit(n_epochs)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    pairs = np.ones((n_variables, 4950), np.float32)
    weights = np.ones((n_variables, n_variables), np.float32)
    with one_blas_thread():
        best = []
        for _ in range(20):
            start = time.perf_counter()
            squared = weights @ pairs
            _ = squared @ pairs.T
            best.append(time.perf_counter() - start)
    fits = 2 * n_variables * n_epochs
    return {"seconds": wall, "cpu_seconds": cpu, "ms": 1e3 * cpu / fits, "share": min(best) * 2 * 20 * n_epochs / cpu}


def dadapy(path: str, threads: int, n_epochs: int = 100, n_fits: int = 8) -> Row:
    """Eight of the optimisations of DADApy's CausalGraph, each with its compilation."""
    import numpy as np
    from dadapy import CausalGraph

    series = np.load(path)["series"].copy()
    graph = CausalGraph(time_series=series, seed=0)
    start, cpu = time.perf_counter(), time.process_time()
    graph.optimize_present_to_future(
        num_samples=2000,
        time_lags=[1],
        target_variables=list(range(n_fits)),
        num_epochs=n_epochs,
        batches_per_epoch=20,
        l1_strength=0.0,
        point_adapt_lambda=True,
        k_init=5,
        k_final=5,
        lambda_factor=0.1,
        optimizer_name="adam",
        learning_rate=1e-2,
        learning_rate_decay="cos",
    )
    return {"seconds": time.perf_counter() - start, "cpu_seconds": time.process_time() - cpu, "fits": n_fits}


# ------------------------------------------------------------------------------------------------------ the comparisons
def run(options: Namespace) -> None:
    peers = {name: _python(variable) for name, variable in PEERS.items()}
    with tempfile.TemporaryDirectory() as folder:
        for part in options.only:
            {"links": links, "chaos": chaotic, "speed": fast, "size": growth, "thousand": thousand}[part](
                options, peers, folder
            )


PEERS = {"tigramite": "INFOSCOPE_TIGRAMITE_PYTHON", "dadapy": "INFOSCOPE_PEER_PYTHON"}


def _python(variable: str) -> str | None:
    named = os.environ.get(variable, "")
    return shutil.which(named) if named else None


def _skipped(peers: dict[str, Any], *names: str) -> list[str]:
    return [f"{name} was skipped: no Python of it was named ({PEERS[name]})." for name in names if peers[name] is None]


def links(options: Namespace, peers: dict[str, Any], folder: str) -> None:
    """Power and false links on networks of followers of squares, and where there are no links at all."""
    import math

    seeds = list(SEEDS)[:3] if options.quick else list(SEEDS)
    table, bars, used = [], [], {}
    whole = {"16 links": [0, 0, 0.0, 0], "4 links": [0, 0, 0.0, 0], "1 link": [0, 0, 0.0, 0]}
    for kind in EVEN:
        chosen = seeds if not kind.startswith("16") else seeds[SHAPES.index(kind.split(", ")[1]) :: len(SHAPES)]
        answer = fresh("networks", threads=options.threads, kind=kind, seeds=chosen, folder=folder)
        used["infoscope"] = answer["versions"]
        rows = answer["rows"]
        rates = [row["false"] / max(row["false"] + row["found"], 1) for row in rows]
        table.append(_links_line(f"infoscope, {kind}", chosen, rows, rates))
        one = whole[kind.split(",")[0]]
        one[0] += sum(row["found"] for row in rows)
        one[1] += sum(row["links"] for row in rows)
        one[2] += sum(rates)
        one[3] += len(rows)
        if peers["tigramite"] is not None and kind.startswith("16"):
            theirs = [
                fresh("pcmci", python=peers["tigramite"], limit=600.0, threads=options.threads, tau_max=1,
                      path=str(Path(folder, f"{kind}-{seed}.npz")))
                for seed in chosen[:1]
            ]  # fmt: skip
            if not any("failed" in row for row in theirs):
                used["tigramite"] = theirs[0]["versions"]
                for row, ours in zip(theirs, rows, strict=False):
                    row["links"], row["cpu"] = ours["links"], row["cpu_seconds"]
                rates = [row["false"] / max(row["false"] + row["found"], 1) for row in theirs]
                table.append(_links_line(f"PCMCI (ParCorr), {kind}", chosen[:1], theirs, rates))
    for kind, (found, there, rates, n) in whole.items():
        bars.append(bar(f"{kind}: share of links found, {n} networks", found / there, 0.95, at_least=True))
        limit = FDR + 2 * math.sqrt(FDR * (1 - FDR) / n)
        bars.append(bar(f"{kind}: mean share of false links", rates / n, limit))
    null = list(NULL_SEEDS)[:10] if options.quick else list(NULL_SEEDS)
    rows = fresh("networks", threads=options.threads, kind="null", seeds=null)["rows"]
    any_link = sum(row["false"] > 0 for row in rows) / len(rows)
    tested = sum(row["tested"] for row in rows)
    table.append(_links_line("infoscope, no links, memory 0.9, 10 variables", null, rows, []))
    bars.append(bar("no links: networks with any link", any_link, FDR + 2 * math.sqrt(FDR * (1 - FDR) / len(rows))))
    for level, name in ((0.05, "below5"), (0.01, "below1")):
        share = sum(row[name] for row in rows) / max(tested, 1)
        limit = level + 2.58 * math.sqrt(level * (1 - level) / max(tested, 1))
        bars.append(bar(f"no links: share of {tested} tested p-values at most {level:g}", share, limit))
    notes = [
        f"40 variables at lag 1, false discovery rate {FDR:g}; 16 links with {ROWS:,} rows, the others with "
        f"{FEW_ROWS:,}.  p-values are twice the smaller of two tests, so that "
        "fewer than 5 % lie below 0.05 by design.",
        *_skipped(peers, "tigramite"),
    ]
    publish(
        "causal_graph",
        options,
        part="links",
        tables={"Links found and false": table},
        bars=bars,
        notes=notes,
        used=used,
    )


def _links_line(name: str, seeds: list[int], rows: list[Row], rates: list[float]) -> Row:
    there = sum(row["links"] for row in rows)
    return {
        "contender, networks": name,
        "seeds": f"{seeds[0]} to {seeds[-1]}, {len(seeds)}",
        "links": there,
        "found": sum(row["found"] for row in rows),
        "false": sum(row["false"] for row in rows),
        "networks with a false link": sum(row["false"] > 0 for row in rows),
        "mean share of false links": sum(rates) / len(rates) if rates else None,
        "CPU seconds a network": sum(row["cpu"] for row in rows) / len(rows),
    }


def chaotic(options: Namespace, peers: dict[str, Any], folder: str) -> None:
    """A network of chaotic maps: time beside PCMCI, and what comes out."""
    d = 20 if options.quick else 100
    path = str(Path(folder, "maps.npz"))
    ours = fresh("chaos", threads=options.threads, n_variables=d, seed=3, fdr=FDR, path=path)
    plain = fresh("chaos", threads=options.threads, n_variables=d, seed=3, fdr=None)
    table = [_chaos_line("infoscope, links tested", ours), _chaos_line("infoscope, weights above 0.1 alone", plain)]
    used, bars = {"infoscope": ours["versions"]}, []
    for what, row in (("tested", ours), ("weights alone", plain)):
        bars.append(bar(f"{what}: adjusted Rand index", row["rand_index"], 1.0, at_least=True))
        bars.append(bar(f"{what}: pairs missing and false", row["missing"] + row["false"], 0))
    if peers["tigramite"] is not None:
        theirs = fresh(
            "pcmci", python=peers["tigramite"], limit=PATIENCE, threads=options.threads, path=path, tau_max=2
        )
        if "failed" in theirs:
            table.append(_chaos_line("PCMCI (ParCorr)", {"seconds": theirs["failed"]}))
            theirs["seconds"] = PATIENCE  # and more
        else:
            used["tigramite"] = theirs["versions"]
            scores = _scores(d, 3, theirs["edges"])
            table.append(_chaos_line("PCMCI (ParCorr)", theirs | scores))
        bars.append(bar("times faster than PCMCI, tested", theirs["seconds"] / ours["seconds"], 3, at_least=True))
        bars.append(
            bar("times faster than PCMCI, weights alone", theirs["seconds"] / plain["seconds"], 5, at_least=True)
        )
    notes = ["2,000 rows at lags 1 and 2; PCMCI takes the same series and lags.", *_skipped(peers, "tigramite")]
    tables = {f"{d} variables in {d // 5} communities": table}
    publish("causal_graph", options, part="chaos", tables=tables, bars=bars, notes=notes, used=used)


def _scores(d: int, seed: int, told: list[list[int]]) -> Row:
    import numpy as np

    from infoscope.causality import communities, community_scores

    net = maps(d, seed)
    adjacency = np.zeros((d, d), bool)
    adjacency[tuple(np.array(told).T)] = True
    found = communities(adjacency)
    scores = community_scores(net.labels, found.labels, net.edges, found.edges)
    return {
        "rand_index": scores.rand_index, "missing": scores.n_missing, "false": scores.n_false, "links": len(told),
        "edges": len(found.edges), "true_edges": len(net.edges),
    }  # fmt: skip


def _chaos_line(name: str, row: Row) -> Row:
    return {
        "contender": name,
        "seconds": row["seconds"],
        "CPU seconds": row.get("cpu_seconds"),
        "Rand index": row.get("rand_index"),
        "pairs missing": row.get("missing"),
        "pairs false": row.get("false"),
        "links": row.get("links"),
        "edges, true ones": f"{row['edges']}, {row['true_edges']}" if "edges" in row else None,
        "epochs": row.get("epochs"),
    }


def fast(options: Namespace, peers: dict[str, Any], folder: str) -> None:
    """The same number of epochs on all targets, beside DADApy."""
    n_epochs = 5 if options.quick else 100
    ours = fresh("speed", threads=options.threads, n_epochs=n_epochs)
    one = fresh("speed", threads=1, n_epochs=max(n_epochs // 10, 1))
    used = {"infoscope": ours["versions"]}
    table = [
        {"contender": f"infoscope, {options.threads} threads", "seconds": ours["seconds"], "CPU": ours["cpu_seconds"],
         "ms a target, lag and epoch": ours["ms"], "share of products": ours["share"]},
        {"contender": f"infoscope, one thread, {max(n_epochs // 10, 1)} epochs", "seconds": one["seconds"],
         "CPU": one["cpu_seconds"], "ms a target, lag and epoch": one["ms"], "share of products": one["share"]},
    ]  # fmt: skip
    bars = [bar("ms of one thread a target, lag and epoch", one["ms"], 3.0, unit="ms")]
    if peers["dadapy"] is not None:
        import numpy as np

        path = str(Path(folder, "eighty.npz"))
        net = maps(80, 3, 6000)
        np.savez(path, series=net.series)
        theirs = fresh(
            "dadapy", python=peers["dadapy"], limit=1200.0, threads=options.threads, path=path, n_epochs=n_epochs
        )
        if "failed" in theirs:
            table.append(dict.fromkeys(table[0]) | {"contender": "DADApy", "seconds": theirs["failed"]})
        else:
            used["DADApy"] = theirs["versions"]
            scale = 160 / theirs["fits"]
            table.append(
                dict.fromkeys(table[0])
                | {"contender": f"DADApy, {theirs['fits']} fits, scaled to 160", "seconds": scale * theirs["seconds"],
                 "CPU": scale * theirs["cpu_seconds"],
                 "ms a target, lag and epoch": 1e3 * theirs["cpu_seconds"] / theirs["fits"] / n_epochs}
            )  # fmt: skip
            ratio = scale * theirs["seconds"] / ours["seconds"]
            bars.append(bar("times faster than DADApy", ratio, 60, at_least=True))
    notes = [f"80 variables, lags 1 and 2, 2,000 rows, batches of 100, {n_epochs} epochs.", *_skipped(peers, "dadapy")]
    publish(
        "causal_graph",
        options,
        part="speed",
        tables={"Weights of all targets": table},
        bars=bars,
        notes=notes,
        used=used,
    )


def growth(options: Namespace, peers: dict[str, Any], folder: str) -> None:
    """How time grows with the number of variables."""
    import math

    sizes = SIZES[:2] if options.quick else SIZES
    rows = {d: fresh("chaos", threads=options.threads, n_variables=d, seed=3, fdr=FDR) for d in sizes}
    used = {"infoscope": rows[sizes[0]]["versions"]}
    table = [_chaos_line(f"{d} variables", row) | {"CPU seconds a target": row["cpu_seconds"] / d}
             for d, row in rows.items()]  # fmt: skip
    first, last = sizes[-2], sizes[-1]
    exponent = math.log(rows[last]["cpu_seconds"] / rows[first]["cpu_seconds"]) / math.log(last / first)
    notes = [f"CPU time grows like the power {exponent:.2f} of the number of variables from {first} to {last}."]
    if peers["tigramite"] is not None:
        for d in sizes[:2]:
            path = str(Path(folder, f"maps{d}.npz"))
            fresh("chaos", threads=options.threads, n_variables=d, seed=3, fdr=None, path=path)
            theirs = fresh(
                "pcmci", python=peers["tigramite"], limit=900.0, threads=options.threads, path=path, tau_max=2
            )
            if "failed" not in theirs:
                used["tigramite"] = theirs["versions"]
                row = _chaos_line(f"PCMCI (ParCorr), {d} variables", theirs | _scores(d, 3, theirs["edges"]))
                table.append(row | {"CPU seconds a target": theirs["cpu_seconds"] / d})
    notes += _skipped(peers, "tigramite")
    publish(
        "causal_graph",
        options,
        part="size",
        tables={"Links tested, communities of five maps": table},
        notes=notes,
        used=used,
    )


def thousand(options: Namespace, peers: dict[str, Any], folder: str) -> None:
    """A thousand variables with error control."""
    d = 100 if options.quick else 1000
    row = fresh("chaos", threads=options.threads, n_variables=d, seed=3, fdr=FDR)
    bars = [
        bar("minutes", row["seconds"] / 60, 45, unit="min"),
        bar("adjusted Rand index", row["rand_index"], 0.95, at_least=True),
    ]
    table = {f"{d} variables, lags 1 and 2": [_chaos_line("infoscope, links tested", row)]}
    publish("causal_graph", options, part="thousand", tables=table, bars=bars, used={"infoscope": row["versions"]})


if __name__ == "__main__":
    main(run, {"networks": networks, "pcmci": pcmci, "chaos": chaos, "speed": speed, "dadapy": dadapy}, PARTS)
