"""Levels: how often every p-value of the library falls below 0.05 and 0.01 where its hypothesis is true.

    python benchmarks/levels.py --minutes 60      null data sets for so long, beginning where the last run ended
    python benchmarks/levels.py --summary         the tables of what there is, nothing drawn

Every null data set has a seed of its own, from the test, what its rows are like, and its number: a run can be stopped
at any time, gone on with, and made again, with any number of processes.  Every cell gets a hundred data sets first,
then the cheapest are finished one after the other.  `level_tests.py` holds the tests; what every data set gave is in
the folder `--into` (one line of JSON for every ten of them), the summary in ``results/levels.json``, the page in
``docs/levels.md``.

The summary counts for itself: a folder that is empty begins where its counts end, at the number ``next`` of a cell,
from which on nothing was drawn.  (Of parallel tasks one may be lost below it; it is neither counted nor drawn.)
`--again TEST` forgets what a test gave before it was mended, in the folder and in the summary.
"""

from __future__ import annotations

import argparse
import itertools
import json
import math
import os
import time
import warnings
import zlib
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from harness import HERE, RESULTS, SCRATCH, Row, busy, machine, thread_environment, versions

NOMINAL = (0.05, 0.01)
SURE = 0.99  # of a binomial bound
CHUNK = 10  # data sets of a task
FEW = 100  # data sets that every cell gets before any is finished
PAGE = HERE.parent / "docs" / "levels.md"
SUMMARY = RESULTS / "levels.json"
Cell = tuple[str, str]  # test, rows


# -------------------------------------------------------------------------------------------------------- the data sets
def cells() -> list[Cell]:
    from level_tests import LEVELS

    return [(one.name, rows.name) for one in LEVELS for rows in one.rows]


def work(cell: Cell, first: int, number: int = CHUNK) -> Row:
    """The p-values of some null data sets."""
    import numpy as np

    from level_tests import LEVELS

    test, name = cell
    one = next(level for level in LEVELS if level.name == test)
    rows = next(rows for rows in one.rows if rows.name == name)
    found: list[Row] = []
    began = time.process_time()  # what others compute meanwhile does not make a test dear
    for replicate in range(first, first + number):
        rng = np.random.default_rng([zlib.crc32(f"{test}: {name}".encode()), rows.size, replicate])
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            try:
                found.append({key: round(float(p), 6) for key, p in one.test(rng, rows).items()})
            except ValueError as error:  # what the library refuses; all else is a fault and ends the run
                found.append({"refused": str(error)[:160]})
    return {"cell": list(cell), "first": first, "seconds": time.process_time() - began, "found": found}


def run(options: argparse.Namespace) -> None:
    """Draw and test until the time is over or all is drawn; every finished task is on disk."""
    from tqdm.auto import tqdm

    options.into.mkdir(parents=True, exist_ok=True)
    lines = options.into / "p_values.jsonl"
    asked = [cell for cell in cells() if not options.tests or cell[0] in options.tests]
    queues = {cell: queue for cell, queue in queues_of(asked, lines, committed()).items() if cell[0] not in options.but}
    stop = time.monotonic() + 60 * options.minutes
    os.environ |= thread_environment(1)  # of the processes to come
    number = sum(max(options.data_sets - queue.number, 0) for queue in queues.values())
    with ProcessPoolExecutor(options.threads) as pool, lines.open("a") as out, tqdm(total=number) as bar:
        waiting: dict[Future[Row], Cell] = {}
        while True:
            while len(waiting) < options.threads + 1 and time.monotonic() < stop:
                cell = next_cell(queues, options.data_sets)
                if cell is None:
                    break
                waiting[pool.submit(work, cell, queues[cell].take())] = cell
            if not waiting:
                return
            for future in wait(waiting, return_when=FIRST_COMPLETED).done:
                cell, record = waiting.pop(future), future.result()
                queues[cell].seconds.append(record["seconds"])
                out.write(json.dumps(record) + "\n")
                out.flush()
                bar.update(CHUNK)


@dataclass
class Queue:
    """What is still to be drawn of a cell.

    Attributes
    ----------
    number : int
        Data sets that are drawn, or on their way.
    free : iterator of int
        First numbers of chunks that nothing was drawn of.
    seconds : list of float
        What chunks took.
    """

    number: int
    free: Iterator[int]
    seconds: list[float] = field(default_factory=list)

    def take(self) -> int:
        self.number += CHUNK
        return next(self.free)


def queues_of(asked: list[Cell], lines: Path, before: list[Row]) -> dict[Cell, Queue]:
    """Where every cell stands, by the counts of the summary and the chunks of the folder that are not among them."""
    begin, counted = begin_of(before)
    done: dict[Cell, set[int]] = defaultdict(set)
    seconds: dict[Cell, list[float]] = defaultdict(list)
    for record in read(lines):
        cell = tuple(record["cell"])
        seconds[cell].append(record["seconds"])
        if record["first"] >= begin[cell]:
            done[cell].add(record["first"])

    def free(cell: Cell) -> Iterator[int]:
        return (first for first in itertools.count(begin[cell], CHUNK) if first not in done[cell])

    return {cell: Queue(counted[cell] + CHUNK * len(done[cell]), free(cell), seconds[cell]) for cell in asked}


def begin_of(before: list[Row]) -> tuple[dict[Cell, int], dict[Cell, int]]:
    """By cell of a summary: the number from which on nothing was drawn, and how many data sets are counted."""
    begin: dict[Cell, int] = defaultdict(int)
    counted: dict[Cell, int] = defaultdict(int)
    for row in before:
        cell = row["test"], row["rows"]
        begin[cell] = row["next"]
        counted[cell] = max(counted[cell], row["data_sets"] + row["refused"])
    return begin, counted


def next_cell(queues: dict[Cell, Queue], data_sets: int) -> Cell | None:
    """Cells with fewer than a hundred data sets first, the cheapest to bring there; then the cheapest to finish."""

    def cost(cell: Cell) -> tuple[bool, float]:
        queue, goal = queues[cell], min(FEW, data_sets)
        enough = queue.number >= goal
        chunk = min(queue.seconds[-3:], default=0.0)  # the first may have compiled; one that is not known goes first
        return enough, chunk * ((data_sets if enough else goal) - queue.number)

    return min((cell for cell in queues if queues[cell].number < data_sets), key=cost, default=None)


def committed() -> list[Row]:
    """The cells of the last summary."""
    return json.loads(SUMMARY.read_text())["cells"] if SUMMARY.exists() else []


def read(lines: Path) -> list[Row]:
    return [json.loads(line) for line in lines.read_text().splitlines()] if lines.exists() else []


def forget(lines: Path, tests: list[str]) -> None:
    """Leave out what some tests gave, in the folder and in the summary."""
    kept = [record for record in read(lines) if record["cell"][0] not in tests]
    if lines.exists():
        lines.write_text("".join(json.dumps(record) + "\n" for record in kept))
    if SUMMARY.exists():
        report = json.loads(SUMMARY.read_text())
        report["cells"] = [row for row in report["cells"] if row["test"] not in tests]
        SUMMARY.write_text(json.dumps(report, indent=1) + "\n")


# ---------------------------------------------------------------------------------------------------------- the summary
def summary(lines: Path, before: list[Row]) -> list[Row]:
    """One row for every test, p-value and kind of rows, in their order: counts of before and of the folder."""
    from level_tests import LEVELS

    begin, _ = begin_of(before)
    end = dict(begin)
    known = {(row["test"], row["rows"], row["p_value"]): row for row in before}
    found: dict[Cell, list[Row]] = defaultdict(list)
    for record in read(lines):
        cell = tuple(record["cell"])
        if record["first"] >= begin.get(cell, 0):  # else it is counted
            found[cell] += record["found"]
            end[cell] = max(end.get(cell, 0), record["first"] + CHUNK)
    table = []
    for one in LEVELS:
        for rows in one.rows:
            some = found[one.name, rows.name]
            keys = [p_value for test, name, p_value in known if (test, name) == (one.name, rows.name)]
            for key in dict.fromkeys([*keys, *(name for row in some for name in row if name != "refused")]):
                counts = shares([row[key] for row in some if key in row])
                counts |= {"refused": sum("refused" in row for row in some)}
                old = known.get((one.name, rows.name, key), {})
                about = {"test": one.name, "p_value": key, "rows": rows.name, "size": rows.size, "least": one.least}
                counts = {name: count + old.get(name, 0) for name, count in counts.items()}
                table.append(about | counts | {"next": end[one.name, rows.name]})
    return table


def shares(p: list[float]) -> Row:
    """How many p-values there are, and how many are at most each level."""
    known = [one for one in p if math.isfinite(one)]
    row: Row = {"data_sets": len(p), "without": len(p) - len(known)}
    for nominal in NOMINAL:
        row[f"rejects_{100 * nominal:.0f}"] = sum(one <= nominal + 1e-9 for one in known)
    return row


def judge(row: Row, nominal: float) -> str:
    """ "too often", "clearly less" or "", by the binomial bounds of 99 %."""
    from scipy.stats import binom

    n, rejected = row["data_sets"], row[f"rejects_{100 * nominal:.0f}"]
    if rejected > binom.ppf(SURE, n, nominal):
        return "too often"
    return "clearly less" if binom.cdf(rejected, n, nominal) < 1 - SURE else ""


def share(row: Row, nominal: float) -> str:
    """In per cent, marked where it is too large (bold) or clearly smaller (italic)."""
    if row["least"] > nominal:
        return "-"  # no shuffle could
    said = f"{100 * row[f'rejects_{100 * nominal:.0f}'] / row['data_sets']:.1f}"
    return {"too often": f"**{said}**", "clearly less": f"*{said}*"}.get(judge(row, nominal), said)


def as_text(table: list[Row], about: Row) -> str:
    """A line a p-value, a column a kind of rows; then what rejects too often."""
    kinds = list(dict.fromkeys(row["rows"] for row in table))
    lines = [f"| p-value | {' | '.join(kinds)} |", f"| --- |{' ---: |' * len(kinds)}"]
    for test, name in dict.fromkeys((row["test"], row["p_value"]) for row in table):
        line = []
        for kind in kinds:
            row = next((r for r in table if (r["test"], r["p_value"], r["rows"]) == (test, name, kind)), None)
            known = row is not None and row["data_sets"] > row["without"]
            line.append(f"{' / '.join(share(row, x) for x in NOMINAL)} ({row['data_sets']})" if known and row else "")
        lines.append(f"| `{test}`, {name} | {' | '.join(line)} |")
    bad = [(row, x) for row in table for x in NOMINAL if judge(row, x) == "too often"]
    number = sum(row["least"] <= x for row in table for x in NOMINAL)
    said = f"Above the bound: {len(bad)} of {number} shares, where chance alone would put {number / 100:.1f}."
    lines += ["", said, ""]
    lines += [f"- `{r['test']}`, {r['p_value']}, {r['rows']}: {share(r, x)} % at {100 * x:.0f} %" for r, x in bad]
    m = about["machine"]
    used = ", ".join(f"{name} {version}" for name, version in about["versions"].items())
    return "\n".join([*lines, "", f"*{m['cpu']}, {m['cores']} cores; {about['date']}; {used}.*"])


def publish(table: list[Row], about: Row) -> None:
    """The summary and the page."""
    report = {"name": "levels", "command": "python benchmarks/levels.py --minutes 240", **about, "cells": table}
    SUMMARY.write_text(json.dumps(report, indent=1) + "\n")
    page = PAGE.read_text()
    begin, end = "<!-- results levels -->", "<!-- end -->"
    head, rest = page.split(begin)
    PAGE.write_text(head + begin + "\n\n" + as_text(table, about) + "\n\n" + end + rest.split(end, 1)[1])


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--into", type=Path, default=SCRATCH / "levels", help="folder of what every data set gave")
    parser.add_argument("--minutes", type=float, default=60.0, help="time after which nothing new is begun")
    parser.add_argument("--data-sets", type=int, default=2000, help="of every test and kind of rows, at most")
    parser.add_argument("--tests", nargs="+", help="these alone")
    parser.add_argument("--but", nargs="+", default=[], help="all but these")
    parser.add_argument("--again", nargs="+", default=[], help="tests whose earlier results are forgotten")
    parser.add_argument("--threads", type=int, default=2, help="processes")
    parser.add_argument("--summary", action="store_true", help="publish what there is")
    options = parser.parse_args()
    if options.again:
        forget(options.into / "p_values.jsonl", options.again)
    if not options.summary:
        run(options)
        return
    about: dict[str, Any] = {
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
        "machine": machine(options.threads, busy(0.1)),
        "versions": versions(),
    }
    publish(summary(options.into / "p_values.jsonl", committed()), about)


if __name__ == "__main__":
    main()
