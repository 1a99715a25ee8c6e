"""The torch backend on a CUDA device: time, memory, and the share of the device's own matrix product.

Data: independent normal numbers of a torch generator with seed 0, made on the device, float32; all columns against
the first half; k = 1, both directions: 4 N n (D_A + D_B) operations for n query rows.  N = 100,000 takes all rows;
N = 1,000,000 takes 20,000 sampled rows.  The yardstick is the best of ``torch.mm(a, b.T, out=c)`` over the shapes
of SHAPES, float32 as PyTorch computes it by default (no TF32), best of five after one call.

Without CUDA it says so, keeps the figures that were measured before, and ends well.
"""

from __future__ import annotations

import json
from argparse import Namespace
from typing import Any

from harness import RESULTS, SCRATCH, Row, best_of, fresh, main, number, publish

SEED = 0
SAMPLED_ROWS = 20_000
SHAPES = ((1_024, 16_384), (4_096, 16_384), (16_384, 16_384))


def device(threads: int) -> Row:
    """The name of the CUDA device, or why there is none."""
    try:
        import torch
    except ImportError:
        return {"name": None, "why": 'PyTorch is not installed here (pip install "infoscope[torch]")'}
    if not torch.cuda.is_available():
        return {"name": None, "why": "PyTorch sees no CUDA device on this machine"}
    return {"name": torch.cuda.get_device_name(), "why": None}


def measured(n: int, d: int, n_rows: int | None, threads: int) -> Row:
    import torch

    from infoscope import information_imbalance

    generator = torch.Generator("cuda").manual_seed(SEED)
    X = torch.randn((n, d), generator=generator, device="cuda")

    def call(rows: int = n, queries: int | None = n_rows) -> Any:
        result = information_imbalance(X[:rows], X[:rows, : d // 2], n_rows=queries, random_state=0, n_jobs=threads)
        torch.cuda.synchronize()
        return result

    call(2_000, None if n_rows is None else 1_000)
    torch.cuda.reset_peak_memory_stats()
    result, timing = best_of(call)
    peak = torch.cuda.max_memory_allocated() / 1e6
    rates = [matmul_rate(torch, rows, columns, d) for rows, columns in SHAPES]
    operations = 4 * n * (n_rows or n) * (d + d // 2)
    return {
        **timing,
        "a_to_b": f"{result.a_to_b:.5f}",
        "b_to_a": f"{result.b_to_a:.5f}",
        "peak": peak,
        "rate": operations / timing["seconds"],
        "matmul": max(rates),
    }


def matmul_rate(torch: Any, rows: int, columns: int, d: int) -> float:
    a, b = (torch.randn((size, d), device="cuda") for size in (rows, columns))
    c = torch.empty((rows, columns), device="cuda")

    def product() -> None:
        torch.mm(a, b.T, out=c)
        torch.cuda.synchronize()

    product()
    _, timing = best_of(product, 5)
    return 2 * rows * columns * d / timing["seconds"]


def run(options: Namespace) -> None:
    found = fresh("device", threads=options.threads)
    if found["name"] is None:
        say_absent(options, found["why"])
        return
    sizes = ((5_000, None), (20_000, 2_000)) if options.quick else ((100_000, None), (1_000_000, SAMPLED_ROWS))
    rows, used = [], {}
    for n, n_rows in sizes:
        for d in (50, 512):
            row = fresh("measured", threads=options.threads, n=n, d=d, n_rows=n_rows)
            used = row["versions"]
            rows.append(
                {
                    "items": n,
                    "rows": n_rows or n,
                    "D": f"{d} and {d // 2}",
                    "seconds": row["seconds"],
                    "best of": row["runs"],
                    "peak on the device, MB": row["peak"],
                    "10^12 operations a second": row["rate"] / 1e12,
                    "matrix product, 10^12 a second": row["matmul"] / 1e12,
                    "share, %": 100 * row["rate"] / row["matmul"],
                    "A to B": row["a_to_b"],
                    "B to A": row["b_to_a"],
                }
            )
    shapes = ", ".join(f"{number(a)} x {number(b)}" for a, b in SHAPES)
    notes = [f"The matrix product is the best of {shapes} (times D), best of five, float32 without TF32."]
    publish("gpu", options, {found["name"]: rows}, notes=notes, used={"this": used})


def say_absent(options: Namespace, why: str) -> None:
    path = (SCRATCH if options.quick else RESULTS) / "gpu.json"
    if path.exists() and any(json.loads(path.read_text())["tables"].values()):
        print(f"== gpu\n{why}; {path.name} keeps the figures of an earlier run.\n")
        return
    publish("gpu", options, {}, notes=[f"Nothing was measured: {why}."])


if __name__ == "__main__":
    main(run, {"device": device, "measured": measured})
