"""Calibration atlas: how far estimates spread beside the errors they claim, and how often their intervals hold.

    python benchmarks/atlas.py --minutes 60      replicates for so long, beginning where the last run ended
    python benchmarks/atlas.py --summary         the table and the picture of what there is, nothing drawn

Every replicate of a situation and size is a data set with a seed of its own, so that a run can be stopped at any time,
gone on with, and made again.  `atlas_situations.py` draws, `atlas_estimators.py` estimates; what every data set gave is
in the folder `--into` (one line of JSON for every ten data sets and estimator), the summary in ``results/atlas.json``,
the page in ``docs/atlas.md``.

The summary counts for itself: a folder that is empty begins where its counts end, at the number ``next`` of a cell.
What both hold is joined (`joined`); where truth is the mean of all data sets, intervals of a run are held against the
mean of all that is known then.  ``drawn`` says on which days.  `--again ESTIMATOR` forgets what an
estimator gave before it was mended, in the situations asked for.
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
from collections.abc import Iterator, Mapping, Sequence
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
SUMMARY = RESULTS / "atlas.json"
PICTURE = HERE.parent / "docs" / "_static" / "atlas.png"
COLUMNS = ("situation", "size", "quantity", "estimator", "replicates", "independent", "kind", "ratio", "coverage",
           "rejects_5", "rejects_1", "warned", "no_error", "refused", "value", "truth", "next", "drawn")  # fmt: skip
SHARES = ("ratio", "coverage", "rejects_5", "rejects_1", "warned", "no_error", "value")  # means over data sets
Cell = tuple[str, int, str]  # situation, size, estimator


# ------------------------------------------------------------------------------------------------------ the replicates
def tasks(options: argparse.Namespace, begin: Mapping[Cell, int]) -> Iterator[tuple[str, int, str, int]]:
    """(situation, size, estimator, first replicate), the first replicates of all before the next."""
    from atlas_estimators import ESTIMATORS
    from atlas_situations import SITUATIONS

    every = sorted({size for s in SITUATIONS for size in s.sizes})
    for first in range(0, options.replicates, CHUNK):
        for size in every:
            for situation in SITUATIONS:
                if size not in situation.sizes:
                    continue
                for estimator in ESTIMATORS:
                    cell = situation.name, size, estimator.__name__
                    if is_asked(cell, options) and first >= begin.get(cell, 0):
                        yield *cell, first


def is_asked(cell: Cell, options: argparse.Namespace) -> bool:
    """Whether a cell is among those that the options choose."""
    chosen = zip(cell, (options.situations, options.sizes, options.estimators), strict=True)
    return all(not some or one in some for one, some in chosen)


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
    left = [task for task in tasks(options, begin_of(committed())) if task not in done]
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
def committed() -> list[Row]:
    """The cells of the last summary."""
    return json.loads(SUMMARY.read_text())["cells"] if SUMMARY.exists() else []


def begin_of(before: Sequence[Row]) -> dict[Cell, int]:
    """By situation, size and estimator of a summary: the number from which on nothing was drawn."""
    return {(row["situation"], row["size"], row["estimator"]): row["next"] for row in before}


def forget(lines: Path, estimators: list[str], options: argparse.Namespace) -> None:
    """Leave out what some estimators gave in the situations and sizes asked for, in the folder and in the summary."""
    chosen = argparse.Namespace(situations=options.situations, sizes=options.sizes, estimators=estimators)
    if lines.exists():
        kept = [line for line in lines.read_text().splitlines() if not is_asked(json.loads(line)["task"][:3], chosen)]
        lines.write_text("".join(f"{line}\n" for line in kept))
    if SUMMARY.exists():
        report = json.loads(SUMMARY.read_text())
        report["cells"] = [
            row for row in report["cells"] if not is_asked((row["situation"], row["size"], row["estimator"]), chosen)
        ]
        SUMMARY.write_text(json.dumps(report, indent=1) + "\n")


def cells(lines: Path, before: Sequence[Row] = (), drawn: str = "") -> list[Row]:
    """One row for every situation, size and quantity: what is known from before, and what a folder has beyond it."""
    begin, end = begin_of(before), begin_of(before)
    found: dict[tuple[str, int, str], list[Row]] = defaultdict(list)
    refused: dict[Cell, int] = defaultdict(int)
    for line in lines.read_text().splitlines() if lines.exists() else ():
        record = json.loads(line)
        situation, size, estimator, first = record["task"]
        cell = situation, size, estimator
        if first < begin.get(cell, 0):
            continue  # it is counted
        end[cell] = max(end.get(cell, 0), first + CHUNK)
        for row in record["found"]:
            if "refused" in row:
                refused[cell] += 1
            else:
                found[situation, size, row["quantity"]].append({**row, "estimator": estimator})
    known = {(row["situation"], row["size"], row["quantity"]): row for row in before}
    rows = [summary(*key, some, refused, known.get(key, {})) for key, some in found.items()]
    told = {(row["situation"], row["size"], row["estimator"]) for row in rows}
    for (situation, size, estimator), number in refused.items():  # nothing but refusals
        if (situation, size, estimator) not in told:
            row = {"situation": situation, "size": size, "quantity": estimator, "estimator": estimator}
            rows.append(row | {"replicates": 0, "refused": number})
    table = dict(known)
    for row in rows:
        key = row["situation"], row["size"], row["quantity"]
        row["drawn"] = drawn
        table[key] = joined(known[key], row) if key in known else row
    for row in table.values():
        row["next"] = end[row["situation"], row["size"], row["estimator"]]
    return [{name: row.get(name) for name in COLUMNS} for row in table.values()]


def joined(old: Row, new: Row) -> Row:
    """A cell of two runs: shares by numbers of data sets, and the mean of the squares of spread over claimed error."""
    n, m = old["replicates"], new["replicates"]
    row = {**new, "replicates": n + m, "refused": old["refused"] + new["refused"]}
    for name in SHARES:
        parts = [(one.get(name), weight) for one, weight in ((old, n), (new, m)) if one.get(name) is not None]
        total, power = sum(weight for _, weight in parts), 2 if name == "ratio" else 1
        mean = sum(weight * value**power for value, weight in parts) / total if total else None
        row[name] = mean if mean is None else mean ** (1 / power)
    for name in ("independent", "kind"):
        row[name] = new.get(name) if new.get(name) is not None else old[name]
    row["truth"] = row["value"] if new.get("truth_is_mean") else new.get("truth", old["truth"])
    row["drawn"] = ", ".join(dict.fromkeys([*old["drawn"].split(", "), new["drawn"]]))
    return row


def summary(situation: str, size: int, quantity: str, rows: list[Row], refused: Mapping[Cell, int], old: Row) -> Row:
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
    n_old = old["replicates"] if old.get("value") is not None else 0
    of_all = (n_old * (old.get("value") or 0.0) + len(sure) * mean) / (n_old + len(sure))
    truth = of_all if given is None else given
    bounds = [
        r["interval"] or (r["value"] - HALF_WIDTH * r["error"], r["value"] + HALF_WIDTH * r["error"]) for r in sure
    ]
    low, high = np.array(bounds).T
    ratio = float(value.std(ddof=1) / np.sqrt((error**2).mean()))
    covered = float(((low <= truth) & (truth <= high)).mean())
    return row | {"ratio": ratio, "coverage": covered, "value": mean, "truth": truth, "truth_is_mean": given is None}


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
    size = 0.17 * len(quantities) + 3, 0.3 * len(lines) + 8  # room for every name
    fig, axes = plt.subplots(2, 1, figsize=size, layout="constrained")
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
        bar = fig.colorbar(shown, ax=ax, location="top", shrink=0.5, aspect=40, spacing="uniform")
        bar.set_label(title)
        bar.set_ticks(edges, labels=[f"{edge:g}" for edge in edges])
        ax.set_xticks(range(len(quantities)), quantities, rotation=90, fontsize=7)
        ax.set_yticks(range(len(lines)), [f"{name}, N = {size:,}" for name, size in lines], fontsize=6)
        ax.set_facecolor("0.93")
    fig.savefig(path, dpi=100)
    plt.close(fig)


def publish(rows: list[Row], about: Row) -> None:
    """The summary, the page and its picture."""
    report = {"name": "atlas", "command": "python benchmarks/atlas.py --minutes 60", **about, "cells": rows}
    SUMMARY.write_text(json.dumps(report, indent=1) + "\n")
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
        "| quantity | situation | N | data sets | why | drawn |",
        "| --- | --- | ---: | ---: | --- | --- |",
    ]
    for row in sorted(with_error, key=lambda row: (row["quantity"], row["situation"], row["size"])):
        why = falls_short(row)
        if why:
            cell = row["quantity"], row["situation"], f"{row['size']:,}", row["replicates"], why, row["drawn"]
            text.append(f"| {' | '.join(map(str, cell))} |")
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
    parser.add_argument("--situations", nargs="+", help="these alone")
    parser.add_argument("--estimators", nargs="+", help="these alone")
    parser.add_argument("--again", nargs="+", default=[], help="estimators whose earlier results are forgotten")
    parser.add_argument("--threads", type=int, default=2, help="processes")
    parser.add_argument("--summary", action="store_true", help="publish what there is")
    options = parser.parse_args()
    if options.again:
        forget(options.into / "replicates.jsonl", options.again, options)
    if not options.summary:
        run(options)
        return
    about: Row = {
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
        "machine": machine(options.threads, busy(0.1)),
        "versions": versions(),
    }
    publish(cells(options.into / "replicates.jsonl", committed(), about["date"]), about)


if __name__ == "__main__":
    main()
