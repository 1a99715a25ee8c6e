"""Which orders of English a small transformer learns, and when: what `examples/run_orders_of_text.py` finds, as bars.

The example is run as it is, on one thread.  Intervals are of two standard errors, by file, and by training where there
are five.  The window in which the loss on the clone of order 2 is asked to be flat ends where that loss begins to rise,
so it is chosen by the same curve; a second row asks the same to the end of training.
"""

from __future__ import annotations

import contextlib
import os
import runpy
import sys
import tempfile
import time
from argparse import Namespace
from itertools import pairwise
from pathlib import Path
from typing import Any

from harness import Row, bar, fresh, main, publish

EXAMPLE = Path(__file__).parents[1] / "examples" / "run_orders_of_text.py"
HOUR = 3600.0


def orders(quick: bool, threads: int) -> Row:
    """Run the example; its tables as lists. What it prints goes to the terminal."""
    if quick:
        _shrink()
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stdout(sys.stderr):
        os.chdir(folder)  # where it leaves its picture
        found = runpy.run_path(str(EXAMPLE))
        os.chdir("/")
    seconds = time.perf_counter() - began
    losses, curves, clones = found["losses"], found["curves"], found["clones"]
    pair = list(curves.orders).index(2) if 2 in curves.orders else 0
    return {
        "seconds": seconds,
        "orders": losses.orders.tolist(),
        "loss": losses.loss.tolist(),
        "loss_se": losses.loss_se.tolist(),
        "r_hat": {order: float(clone.r_hat.max()) for order, clone in clones.items()},
        "certified": curves.orders.tolist(),
        "last": [float(curves.loss[0, -1]), float(curves.loss_se[0, -1])],
        "clock": [curves.clock.tolist(), curves.clock_low.tolist(), curves.clock_high.tolist()],
        "until": float(curves.flat_until[pair]),
        "flat": [[float(part[pair, on]) for part in (curves.flat_fall, curves.flat_fall_se)] for on in (0, pair)],
        "later": [[float(part[pair, on]) for part in (curves.later_fall, curves.later_fall_se)] for on in (0, pair)],
    }


def run(options: Namespace) -> None:
    found = fresh("orders", threads=1, quick=options.quick)
    names = [f"order {order}" for order in found["orders"]]
    estimates = [*zip(found["loss"], found["loss_se"], strict=True), tuple(found["last"])]
    low, high = (dict(zip(found["certified"], found["clock"][at], strict=True)) for at in (1, 2))
    clock = dict(zip(found["certified"], found["clock"][0], strict=True))
    rows: list[Row] = []
    for name, (loss, error) in zip([*names, "transformer"], estimates, strict=True):
        order = int(name.split()[1]) if name != "transformer" else 0
        rows.append(
            {"model": name, "loss": loss, "error": error, "learnt at step": clock.get(order), "from": low.get(order),
             "to": high.get(order), "largest R-hat of the clone": found["r_hat"].get(str(order))}
        )  # fmt: skip
    bars = [
        bar(
            f"loss of {before} less that of {after}, in two errors of each", (a - b) / (2 * (da + db)), 1, at_least=True
        )
        for (before, (a, da)), (after, (b, db)) in pairwise(zip([*names, "transformer"], estimates, strict=True))
    ]
    bars.append(bar("largest R-hat of a clone", max(found["r_hat"].values()), 1.05))
    bars += [
        bar(f"step at which order {after} is learnt, over that of order {before}", clock[after] / clock[before], 1,
            at_least=True)
        for before, after in pairwise([order for order in found["certified"] if order])
    ]  # fmt: skip
    until = found["until"]
    for name, (real, own) in (
        (f"after order 2 is learnt, until step {until:g}", found["flat"]),
        ("after order 2 is learnt, to the end", found["later"]),
    ):
        bars.append(bar(f"{name}: change of the loss on its clone, in errors", abs(own[0]) / own[1], 2))
        bars.append(bar(f"{name}: fall of the loss on text, in errors", real[0] / real[1], 3, at_least=True))
    bars.append(bar("all of it, on one core", found["seconds"], HOUR, unit="s"))
    flat, later = ([_with_error(estimate) for estimate in found[name]] for name in ("flat", "later"))
    notes = [
        "Losses in nats a character, errors by file; that of the transformer is of five trainings. "
        f"Until step {until:g} the loss on the clone of pairs falls by {flat[1]}, and that on text by {flat[0]}; to "
        f"the end of training by {later[1]} and {later[0]}: a loss on a clone rises where the transformer comes to "
        "expect what the clone does not hold."
    ]
    publish("clones_orders", options, {"Orders of English": rows}, bars=bars, notes=notes)


# --------------------------------------------------------------------------------------------------------------- steps
def _with_error(estimate: list[float]) -> str:
    return f"{estimate[0]:.3f} ± {estimate[1]:.3f}"


def _shrink() -> None:
    """The example with a few files and steps, to see that it works."""
    from infoscope import clones, datasets

    texts = datasets.docstring_texts(["sklearn"])[:200]
    datasets.docstring_texts = lambda names: texts
    for name, few in (("InteractionModel", 50), ("StudyTransformer", 50)):
        whole: Any = getattr(clones, name)

        def smaller(*given: Any, whole: Any = whole, few: int = few, **options: Any) -> Any:
            return whole(*given, **(options | {"n_steps": few}))

        setattr(clones, name, smaller)


if __name__ == "__main__":
    main(run, {"orders": orders})
