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

TASK_SEEDS = (2027, 2028)  # the rules of the verdict were chosen on samples of 0, 1, 2023 and 2024
ROWS = 2_000
OVERSHOOT, MEAN_ERROR = 0.06, 0.10
WIDE = 3  # columns up to which the default counts in all of them
FAR = 3.0  # standard errors from which a value is wrong


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
            "value": result.value, "se": result.value_se if options.get("se", True) else None,
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
    write_json(SCRATCH / "information_samples.json", {"tasks": tasks, "laws": laws})
    report(tasks, laws, rows, options)


def report(tasks: list[Row], laws: list[Row], rows: int, options: Namespace) -> None:
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
    plain, small = new["plain"], new["compressed"]
    passed = small["mean_error"] < plain["mean_error"] and small["overshoot"] <= OVERSHOOT
    publish(
        "information",
        options,
        {
            "Errors and verdicts": [*overview(ours, "published"), *overview(new, "new")],
            f"The forty published tasks, N = {rows:,}, values in nats": shown(tasks),
            f"Laws fixed before the first run on them, N = {rows:,}, values in nats": shown(laws),
        },
        bars=bars,
        notes=[
            "How this came about: the estimators were fixed before the first full run (published tasks with seeds "
            "2023 and 2024: mean |error| 0.094, overshoot 0.063, that of one swiss roll with either estimator), "
            "and did not change after it; the verdict's rules did, on samples of the published tasks with these "
            "and two other seeds, so its figures here are of new samples (2027, 2028) of tasks that were known. "
            "The new laws were fixed in a commit before the first run on them and nothing of the values was "
            "chosen on them; the first verdicts on them had been seen before the last change of the verdict's "
            "rules, which used none of them.",
            f"Would compression be the default above three columns by its errors on the new laws? "
            f"{'Yes' if passed else 'No'}: mean |error| {small['mean_error']:.3f} against {plain['mean_error']:.3f}, "
            f"largest overshoot {small['overshoot']:.3f} (at most {OVERSHOOT}).",
            *(f"{where}, {name}, wrong and not called limited: {'; '.join(found[name]['missed']) or 'none'}."
              for where, found in (("Published tasks", ours), ("New laws", new)) for name in ("default", "plain")),
        ],
    )  # fmt: skip


if __name__ == "__main__":
    main(run, {})
