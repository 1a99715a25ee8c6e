"""How right shared information is, and whether its verdict is: the forty published tasks, and laws nobody tuned on.

    python benchmarks/information.py [--quick] [--threads N]

Seeds: the published tasks are drawn with seeds 2027 and 2028, the laws with those of `information_laws`.  The plain and
the compressed estimator see the same rows; every error, of every sample, is in the result file.
"""

from __future__ import annotations

import time
import warnings
from argparse import Namespace
from typing import Any

from harness import SCRATCH, Row, bar, main, publish, write_json

TASK_SEEDS = (2027, 2028)  # the rules of the verdict were chosen on other samples
ROWS = 2_000
OVERSHOOT, MEAN_ERROR = 0.06, 0.10
WIDE = 3  # columns up to which the default counts in all of them
FAR = 3.0  # standard errors from which a value is wrong
DEARER = 12.0  # times the number alone, that error and verdict may cost
SHAPES = ((2_000, 1, "canonical"), (50_000, 1, None), (20_000, 3, None), (3_000, 20, None), (3_000, 20, "canonical"))
REPEATS = 5


def one(x: Any, y: Any, truth: float, threads: int) -> Row:
    """What each estimator says of one sample, with its verdict."""
    from infoscope import mutual_information

    found: Row = {"wide": max(x.shape[1], y.shape[1]) > WIDE}
    for name, options in (
        ("plain", {"compress": None}),
        ("compressed", {"compress": "canonical"}),
        ("surrogate", {"compress": "canonical", "surrogate": True, "se": False}),
    ):
        began = time.perf_counter()
        result = mutual_information(x, y, n_jobs=threads, **options)
        found[name] = {
            "value": result.value, "se": result.by_size_se[0] if options.get("se", True) else None,
            "error": result.value - truth, "chosen": result.chosen,
            "limited": result.size_limited, "reliable": result.reliable, "seconds": time.perf_counter() - began,
            "parts": None if result.parts is None else result.parts.tolist(),
            "by_size": None if result.by_size is None else result.by_size.tolist(),
            "k_values": None if result.k_values is None else result.k_values.tolist(),
            "by_k": None if result.by_k is None else result.by_k.tolist(),
        }  # fmt: skip
    return found


def measure(laws: list[Any], seeds: tuple[int, ...], rows: int, threads: int, numbered: bool) -> list[Row]:
    import numpy as np

    table = []
    for number, law in enumerate(laws):
        for seed in seeds:
            generator = np.random.default_rng([number, seed] if numbered else seed)
            x, y = law.draw(rows, generator)
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                table.append({"law": law.name, "seed": seed, "truth": law.truth, **one(x, y, law.truth, threads)})
            print(law.name, seed, *(f"{table[-1][m]['error']:.3f}" for m in ("plain", "compressed")), flush=True)
    return table


def cost(threads: int, quick: bool) -> list[Row]:
    """What error and verdict cost beside the number alone, in turns: the smallest of several times of each."""
    import numpy as np

    from infoscope import mutual_information

    lines = []
    for n, d, compress in SHAPES:
        n = n // 10 if quick else n
        x, y = np.random.default_rng(1).normal(size=(2, n, d))
        y[:, 0] = 0.8 * x[:, 0] + 0.6 * y[:, 0]
        options = {"compress": compress if d > WIDE else None, "n_jobs": threads}
        wall: dict[bool, list[float]] = {False: [], True: []}
        busy: dict[bool, list[float]] = {False: [], True: []}
        for turn in range(REPEATS + 1):  # the first one compiles
            for se in (False, True):
                began = time.perf_counter(), time.process_time()
                mutual_information(x, y, se=se, **options)
                if turn:
                    wall[se].append(time.perf_counter() - began[0])
                    busy[se].append(time.process_time() - began[1])
        lines.append({
            "N": n, "columns": f"{d}+{d}", "compressed": options["compress"] is not None,
            "number alone, s": min(wall[False]), "with error and verdict, s": min(wall[True]),
            "times": min(wall[True]) / min(wall[False]), "times, processor": min(busy[True]) / min(busy[False]),
        })  # fmt: skip
        print(lines[-1], flush=True)
    return lines


def summary(table: list[Row]) -> Row:
    """Mean absolute error and largest overshoot of every estimator, and how often a verdict warns."""
    found: Row = {}
    table = [row | {"default": row["compressed" if row["wide"] else "plain"]} for row in table]
    for name in ("plain", "compressed", "surrogate", "default"):
        errors = [row[name]["error"] for row in table]
        found[name] = {"mean_error": sum(map(abs, errors)) / len(errors), "overshoot": max(errors)}
        if name == "surrogate":
            continue
        wrong = [row for row in table if abs(row[name]["error"]) > FAR * row[name]["se"]]
        right = [row for row in table if row not in wrong]
        found[name] |= {
            "wrong": len(wrong), "warned_of_wrong": sum(row[name]["limited"] for row in wrong),
            "right": len(right), "warned_of_right": sum(row[name]["limited"] for row in right),
            "missed": [f"{row['law']} ({row['seed']})" for row in wrong if not row[name]["limited"]],
        }  # fmt: skip
    return found


def shown(table: list[Row]) -> list[Row]:
    """One line a sample."""
    lines = []
    for row in table:
        line: Row = {"law": row["law"], "seed": row["seed"], "truth": row["truth"]}
        for name in ("plain", "compressed", "surrogate"):
            line[name] = row[name]["value"]
            if name != "surrogate":
                line[f"{name}: error/se"] = row[name]["error"] / row[name]["se"]
                line[f"{name}: limited"] = row[name]["limited"]
        lines.append(line)
    return lines


def overview(found: Row, where: str) -> list[Row]:
    return [
        {"laws": where, "estimator": name, "mean |error|": part["mean_error"], "overshoot": part["overshoot"],
         "wrong by > 3 se": part.get("wrong"), "of these 'limited'": part.get("warned_of_wrong"),
         "others": part.get("right"), "of those 'limited'": part.get("warned_of_right")}
        for name, part in found.items()
    ]  # fmt: skip


def run(options: Namespace) -> None:
    from information_laws import SEEDS, new_laws
    from published_tasks import published_tasks

    rows, few = (500, 4) if options.quick else (ROWS, None)
    seeds = TASK_SEEDS[:1] if options.quick else TASK_SEEDS
    tasks = measure(published_tasks()[:few], seeds, rows, options.threads, numbered=False)
    laws = measure(new_laws()[:few], SEEDS[:1] if options.quick else SEEDS, rows, options.threads, numbered=True)
    times = cost(options.threads, options.quick)
    write_json(SCRATCH / "information_samples.json", {"tasks": tasks, "laws": laws, "times": times})
    report(tasks, laws, times, rows, options)


def report(tasks: list[Row], laws: list[Row], times: list[Row], rows: int, options: Namespace) -> None:
    """Bars and tables."""
    ours, new = summary(tasks), summary(laws)
    bars = [
        bar("published tasks, compressed: mean |error|", ours["compressed"]["mean_error"], MEAN_ERROR, unit="nats"),
        bar("published tasks, compressed: overshoot", ours["compressed"]["overshoot"], OVERSHOOT, unit="nats"),
    ]
    for where, found in (("published tasks", ours), ("new laws", new)):
        for name in ("default", "plain", "compressed"):
            part = found[name]
            bars += [
                bar(f"{where}, {name}: 'sample-size limited' said of values wrong by more than three errors",
                    part["warned_of_wrong"] / max(part["wrong"], 1), 0.9, at_least=True),
                bar(f"{where}, {name}: 'sample-size limited' said of the others",
                    part["warned_of_right"] / max(part["right"], 1), 0.1),
            ]  # fmt: skip
    for line in times:
        what = f"{line['columns']} columns, N = {line['N']:,}" + (", compressed" if line["compressed"] else "")
        bars.append(bar(f"error and verdict, times the number alone: {what}", line["times"], DEARER))
    plain, small = new["plain"], new["compressed"]
    passed = small["mean_error"] < plain["mean_error"] and small["overshoot"] <= OVERSHOOT
    publish(
        "information",
        options,
        {
            "Errors and verdicts": [*overview(ours, "published"), *overview(new, "new")],
            "What error and verdict cost": times,
            f"The forty published tasks, N = {rows:,}, values in nats": shown(tasks),
            f"Laws fixed before the first run on them, N = {rows:,}, values in nats": shown(laws),
        },
        bars=bars,
        notes=[
            "How this came about: the estimators were fixed before the first full run (published tasks with seeds "
            "2023 and 2024: mean |error| 0.094, overshoot 0.063, that of one swiss roll with either estimator), "
            "and did not change after it. The new laws were fixed in a commit before the first run on them, and "
            "nothing of the values was chosen on them. The verdict was: its first rules, chosen on the published "
            "tasks, found 20 of 26 wrong values of the default (3 of 54 others) and 17 of 22 of the new laws (6 of "
            "44). Why it missed the others was then looked at, on both lists, with other seeds (11 to 13); the rules "
            "that came of it (what directions miss, lower bounds from a closer look, the curve over k followed to its "
            "end, the Gaussian copula that confirms) have their constants from every second law of both lists, on "
            "which they find 25 of 28 (2 of 62), and find 33 of 36 (3 of 51) on the other half. One constant, that a "
            "bound must be three errors above zero, came after a run with the seeds shown here, from samples of "
            "independent normal columns, of which every fourth had been called limited.",
            f"Would compression be the default above three columns by its errors on the new laws? "
            f"{'Yes' if passed else 'No'}: mean |error| {small['mean_error']:.3f} against {plain['mean_error']:.3f}, "
            f"largest overshoot {small['overshoot']:.3f} (at most {OVERSHOOT}).",
            *(f"{where}, {name}, wrong and not called limited: {'; '.join(found[name]['missed']) or 'none'}."
              for where, found in (("Published tasks", ours), ("New laws", new)) for name in ("default", "plain")),
        ],
    )  # fmt: skip


if __name__ == "__main__":
    main(run, {})
