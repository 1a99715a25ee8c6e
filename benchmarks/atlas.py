"""Calibration atlas: how far estimates spread beside the errors they claim, and how often their intervals hold.

    python benchmarks/atlas.py --minutes 60      replicates for so long, beginning where the last run ended
    python benchmarks/atlas.py --summary         the table and the picture of what there is, nothing drawn

Every replicate of a situation and size is a data set with a seed of its own, so that a run can be stopped at any time,
gone on with, and made again.  `atlas_situations.py` draws, `atlas_estimators.py` estimates; what every data set gave is
in the folder `--into` (one line of JSON for every ten data sets and estimator), the summary in ``results/atlas.json``,
the page in ``docs/atlas.md``.  A folder belongs to one state of the library: begin a new one when estimators change.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import time
import warnings
import zlib
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from pathlib import Path
from typing import Any

from harness import HERE, RESULTS, SCRATCH, Row, busy, machine, thread_environment, versions

HALF_WIDTH = 1.959963984540054  # of a normal interval of 95 %, in errors
CHUNK = 10  # replicates of a task
FIRST_KIND = 20  # correlation times, or ten items of the rarer class a side, from which the stricter bars hold
COVERAGE, WEAK_COVERAGE, RATIO, WARNED = 0.90, 0.85, (0.8, 1.25), 0.05
CHANCE, CHANCE_OF_LEVEL = 0.05, 0.005  # of a cell that is as it should be to be listed all the same
PAGE = HERE.parent / "docs" / "atlas.md"
PICTURE = HERE.parent / "docs" / "_static" / "atlas.png"
COLUMNS = ("situation", "size", "quantity", "replicates", "independent", "kind", "ratio", "coverage", "rejects_5",
           "rejects_1", "warned", "no_error", "refused", "value", "truth")  # fmt: skip


# ------------------------------------------------------------------------------------------------------ the replicates
def tasks(sizes: set[int] | None, replicates: int) -> Iterator[tuple[str, int, str, int]]:
    """(situation, size, estimator, first replicate), the first replicates of all before the next."""
    from atlas_estimators import ESTIMATORS
    from atlas_situations import SITUATIONS

    every = sorted({size for s in SITUATIONS for size in s.sizes})
    for first in range(0, replicates, CHUNK):
        for size in every:
            for situation in SITUATIONS:
                if size not in situation.sizes or (sizes and size not in sizes):
                    continue
                for estimator in ESTIMATORS:
                    yield situation.name, size, estimator.__name__, first


def work(task: tuple[str, int, str, int]) -> Row:
    """What one estimator gives for ten data sets."""
    import numpy as np

    from atlas_estimators import ESTIMATORS
    from atlas_situations import SITUATIONS

    name, size, estimator_name, first = task
    situation = next(s for s in SITUATIONS if s.name == name)
    estimator = next(e for e in ESTIMATORS if e.__name__ == estimator_name)
    found: list[Row] = []
    began = time.perf_counter()
    for replicate in range(first, first + CHUNK):
        rng = np.random.default_rng([zlib.crc32(name.encode()), size, replicate])
        drawn = situation.draw(rng, size)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                found += [as_row(one, drawn.independent) for one in estimator(drawn)]
            except ValueError as error:  # what the library refuses; all else is a fault and ends the run
                found.append({"quantity": estimator_name, "refused": str(error)[:160]})
    return {"task": list(task), "seconds": time.perf_counter() - began, "found": found}


def as_row(found: Any, independent: float) -> Row:
    """A number as it is kept: many of one data set by their mean squared pull and the share that was covered."""
    import numpy as np

    row: Row = {"quantity": found.quantity, "independent": independent, "warned": found.warned}
    if found.p is not None:
        row["p"] = float(found.p)
    if found.truth is not None and np.ndim(found.value):
        pull = (np.asarray(found.value) - found.truth) / np.where(found.error > 0, found.error, np.nan)
        known = np.isfinite(pull)
        if known.any():
            row["pull2"], row["covered"] = (
                float((pull[known] ** 2).mean()),
                float((abs(pull[known]) <= HALF_WIDTH).mean()),
            )
        return row
    row["value"], row["error"] = float(found.value), float(found.error)
    row["truth"] = None if found.truth is None else float(found.truth)
    row["interval"] = found.interval
    return row


def run(options: argparse.Namespace) -> None:
    """Draw and estimate until the time is over; every finished task is on disk."""
    from tqdm.auto import tqdm

    options.into.mkdir(parents=True, exist_ok=True)
    lines = options.into / "replicates.jsonl"
    done = {tuple(json.loads(line)["task"]) for line in lines.read_text().splitlines()} if lines.exists() else set()
    left = [task for task in tasks(set(options.sizes or ()) or None, options.replicates) if task not in done]
    stop = time.monotonic() + 60 * options.minutes
    os.environ |= thread_environment(1)  # of the processes to come
    with ProcessPoolExecutor(options.threads) as pool, lines.open("a") as out, tqdm(total=len(left)) as bar:
        waiting: set[Future[Row]] = set()
        remaining = iter(left)
        while True:
            while len(waiting) < 2 * options.threads and time.monotonic() < stop:
                task = next(remaining, None)
                if task is None:
                    break
                waiting.add(pool.submit(work, task))
            if not waiting:
                return
            finished, waiting = wait(waiting, return_when=FIRST_COMPLETED)
            for future in finished:
                out.write(json.dumps(future.result()) + "\n")
                out.flush()
                bar.update()


# --------------------------------------------------------------------------------------------------------- the summary
def cells(lines: Path) -> list[Row]:
    """One row for every situation, size and quantity."""
    found: dict[tuple[str, int, str], list[Row]] = defaultdict(list)
    refused: dict[tuple[str, int, str], int] = defaultdict(int)
    for line in lines.read_text().splitlines():
        record = json.loads(line)
        situation, size, estimator, _ = record["task"]
        for row in record["found"]:
            if "refused" in row:
                refused[situation, size, estimator] += 1
            else:
                found[situation, size, row["quantity"]].append({**row, "estimator": estimator})
    rows = [summary(*key, some, refused) for key, some in found.items()]
    told = {(row["situation"], row["size"], row.pop("estimator")) for row in rows}
    for key, number in refused.items():  # nothing but refusals
        if key not in told:
            rows.append({"situation": key[0], "size": key[1], "quantity": key[2], "replicates": 0, "refused": number})
    return [{name: row.get(name) for name in COLUMNS} for row in rows]


def summary(situation: str, size: int, quantity: str, rows: list[Row], refused: dict[Any, int]) -> Row:
    import numpy as np

    first = rows[0]
    row: Row = {
        "situation": situation,
        "size": size,
        "quantity": quantity,
        "replicates": len(rows),
        "independent": first["independent"],
        "kind": "first" if first["independent"] >= FIRST_KIND else "other",
        "warned": float(np.mean([r["warned"] for r in rows])),
        "estimator": first["estimator"],
        "refused": refused.get((situation, size, first["estimator"]), 0),
    }
    p = np.array([r["p"] for r in rows if r.get("p") is not None and math.isfinite(r["p"])])
    if len(p):
        row |= {"rejects_5": float((p <= 0.05).mean()), "rejects_1": float((p <= 0.01).mean())}
    pulls = [r for r in rows if "pull2" in r]
    if pulls:
        ratio = float(np.sqrt(np.mean([r["pull2"] for r in pulls])))
        return row | {"ratio": ratio, "coverage": float(np.mean([r["covered"] for r in pulls]))}
    known = [r for r in rows if math.isfinite(r.get("value", math.nan))]
    sure = [r for r in known if math.isfinite(r["error"]) and r["error"] > 0]
    row["no_error"] = (len(known) - len(sure)) / max(len(known), 1)
    if len(sure) < 3:
        return row
    value, error = (np.array([r[name] for r in sure]) for name in ("value", "error"))
    given = sure[0]["truth"]
    mean = float(value.mean())
    truth = mean if given is None else given
    bounds = [
        r["interval"] or (r["value"] - HALF_WIDTH * r["error"], r["value"] + HALF_WIDTH * r["error"]) for r in sure
    ]
    low, high = np.array(bounds).T
    ratio = float(value.std(ddof=1) / np.sqrt((error**2).mean()))
    covered = float(((low <= truth) & (truth <= high)).mean())
    return row | {"ratio": ratio, "coverage": covered, "value": mean, "truth": truth}


def falls_short(row: Row) -> str:
    """Why a cell does not keep its bars, beyond what chance does to so many data sets; empty where it does."""
    from scipy.stats import binom, chi2

    n, reasons = row["replicates"], []
    strict = row["kind"] == "first"
    least = COVERAGE if strict else WEAK_COVERAGE
    asked = row["coverage"] is not None and (strict or row["warned"] < 0.5)
    if asked and binom.cdf(round(row["coverage"] * n), n, least) < CHANCE:
        reasons.append(f"coverage {row['coverage']:.2f}")
    if strict and row["ratio"] is not None and n > 1:
        low, high = (row["ratio"] * math.sqrt((n - 1) / chi2.ppf(q, n - 1)) for q in (1 - CHANCE, CHANCE))
        if high < RATIO[0] or low > RATIO[1]:
            reasons.append(f"spread/claimed {row['ratio']:.2f}")
    if strict and row["warned"] is not None and binom.sf(round(row["warned"] * n) - 1, n, WARNED) < CHANCE:
        reasons.append(f"{100 * row['warned']:.0f} % warn")
    for level, name in ((0.05, "rejects_5"), (0.01, "rejects_1")):
        if row[name] is not None and binom.sf(round(row[name] * n) - 1, n, level) < CHANCE_OF_LEVEL:
            reasons.append(f"rejects {100 * row[name]:.0f} % at {100 * level:.0f} %")
    return ", ".join(reasons)


def picture(rows: list[Row], path: Path) -> None:
    """Coverage and spread over claimed error, situations and sizes by quantities."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt
    import numpy as np
    from matplotlib.colors import BoundaryNorm, ListedColormap

    from atlas_situations import SITUATIONS

    rows = [row for row in rows if row["coverage"] is not None]
    order = {s.name: i for i, s in enumerate(SITUATIONS)}
    lines = sorted({(row["situation"], row["size"]) for row in rows}, key=lambda line: (order[line[0]], line[1]))
    quantities = list(dict.fromkeys(row["quantity"] for row in rows))
    fig, axes = plt.subplots(1, 2, figsize=(15, 0.17 * len(lines) + 3.5), sharey=True, layout="constrained")
    looks = (
        ("coverage", "share of 95 % intervals that hold", [0, 0.6, 0.75, 0.85, 0.9, 1.0],
         ["#67001f", "#b2182b", "#ef8a62", "#fddbc7", "#92c5de"]),
        ("ratio", "spread / claimed error", [0, 0.5, 0.8, 1.25, 1.6, 2.5, 100],
         ["#2166ac", "#b3cde3", "#92c5de", "#fddbc7", "#ef8a62", "#b2182b"]),
    )  # fmt: skip
    for ax, (name, title, edges, colours) in zip(axes, looks, strict=True):
        table = np.full((len(lines), len(quantities)), np.nan)
        for row in rows:
            if row[name] is not None:
                table[lines.index((row["situation"], row["size"])), quantities.index(row["quantity"])] = row[name]
        shown = ax.imshow(table, aspect="auto", cmap=ListedColormap(colours), norm=BoundaryNorm(edges, len(colours)))
        bar = fig.colorbar(shown, ax=ax, location="top", shrink=0.8, spacing="uniform")
        bar.set_label(title)
        bar.set_ticks(edges, labels=[f"{edge:g}" for edge in edges])
        ax.set_xticks(range(len(quantities)), quantities, rotation=90, fontsize=7)
        ax.set_facecolor("0.93")
    labels = [f"{name}, N = {size:,}" for name, size in lines]
    axes[0].set_yticks(range(len(lines)), labels, fontsize=6)
    fig.savefig(path, dpi=130)
    plt.close(fig)


def publish(rows: list[Row], options: argparse.Namespace, about: Row) -> None:
    """The summary, the page and its picture."""
    report = {"name": "atlas", "command": "python benchmarks/atlas.py --minutes 60", **about, "cells": rows}
    (RESULTS / "atlas.json").write_text(json.dumps(report, indent=1) + "\n")
    picture(rows, PICTURE)
    page = PAGE.read_text()
    begin, end = "<!-- results atlas -->", "<!-- end -->"
    head, rest = page.split(begin)
    PAGE.write_text(head + begin + "\n\n" + as_text(rows, about) + "\n\n" + end + rest.split(end, 1)[1])


def as_text(rows: list[Row], about: Row) -> str:
    """Shares of cells that keep their bars by quantity, and every cell that does not."""
    with_error = [row for row in rows if row["coverage"] is not None or row["rejects_5"] is not None]
    text = [
        "| quantity | cells of the first kind | keep their bars | other cells | keep theirs |",
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    for quantity in dict.fromkeys(row["quantity"] for row in with_error):
        numbers = []
        for kind in ("first", "other"):
            some = [row for row in with_error if row["quantity"] == quantity and row["kind"] == kind]
            numbers += [str(len(some)), str(sum(not falls_short(row) for row in some))]
        text.append(f"| {quantity} | {' | '.join(numbers)} |")
    text += [
        "",
        "Cells that fall short:",
        "",
        "| quantity | situation | N | data sets | why |",
        "| --- | --- | ---: | ---: | --- |",
    ]
    for row in sorted(with_error, key=lambda row: (row["quantity"], row["situation"], row["size"])):
        why = falls_short(row)
        if why:
            text.append(f"| {row['quantity']} | {row['situation']} | {row['size']:,} | {row['replicates']} | {why} |")
    m = about["machine"]
    used = ", ".join(f"{name} {version}" for name, version in about["versions"].items())
    text += ["", f"*{m['cpu']}, {m['cores']} cores; {about['date']}; {used}.*"]
    return "\n".join(text)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--into", type=Path, default=SCRATCH / "atlas", help="folder of what every data set gave")
    parser.add_argument("--minutes", type=float, default=60.0, help="time after which nothing new is begun")
    parser.add_argument("--replicates", type=int, default=200, help="data sets a cell, at most")
    parser.add_argument("--sizes", type=int, nargs="+", help="these alone")
    parser.add_argument("--threads", type=int, default=2, help="processes")
    parser.add_argument("--summary", action="store_true", help="publish what there is")
    options = parser.parse_args()
    if not options.summary:
        run(options)
        return
    about = {
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
        "machine": machine(options.threads, busy(0.1)),
        "versions": versions(),
    }
    publish(cells(options.into / "replicates.jsonl"), options, about)


if __name__ == "__main__":
    main()
