"""Pages of results: how large they are, how long they take to make, and when a browser shows their picture.

States of a density in four columns, with a file, a frame and a time for every item, as a trajectory has them.  A page
is made in a process that has loaded the result and made a page before.  The browser is started beforehand, offline and
without a window; "picture" is from the address to the painted picture that can be explored, "frames" from Enter on a
state in the table to the list of its frames.  Needs the extras report and test, and Chromium or Chrome.
"""

from __future__ import annotations

import sys
import tempfile
import time
from argparse import Namespace
from dataclasses import replace
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import numpy as np
from tests.report.browser import browser, opened

from harness import Row, bar, best_of, main, publish
from infoscope import DensityPeaks, KNNDensity
from infoscope.base import Origin, SourceFile
from infoscope.report import write_page

MOST_MB = {5_000: 2.5, 100_000: 5.0}
REPEATS = 3


def states_of(n: int) -> Any:
    """Four clouds in four columns, as states of a trajectory."""
    rng = np.random.default_rng(0)
    places = np.array([[0.0, 0, 0, 0], [6, 0, 0, 0], [0, 6, 0, 0], [6, 6, 0, 0]])
    x = rng.normal(size=(n, 4)) + places[rng.choice(4, n, p=[0.5, 0.3, 0.15, 0.05])]
    found = DensityPeaks(3.0, density=KNNDensity(30, dimension=4, calibrate=False)).fit(x).result_
    files = (SourceFile("part0.xtc", "frame"), SourceFile("part1.xtc", "frame"))
    half = np.arange(n) % (n // 2)
    origin = Origin(10 * half, files, np.arange(n) // (n // 2), time=20.0 * half)
    return replace(found, origin=origin, item_weight=rng.dirichlet(np.full(n, 5.0)))


def look(started: Any, path: Path) -> tuple[float, float]:
    """Seconds to the picture, and from Enter on a state to its frames."""
    clock = time.perf_counter()
    with opened(started, path) as page:
        shown = time.perf_counter() - clock
        page.locator("tr[data-group='3'] button").focus()
        clock = time.perf_counter()
        page.keyboard.press("Enter")
        page.locator(".selection table").first.wait_for()
        return shown, time.perf_counter() - clock


def run(options: Namespace) -> None:
    rows: list[Row] = []
    with tempfile.TemporaryDirectory() as folder, browser() as started:
        for n in (2_000,) if options.quick else MOST_MB:
            found, path = states_of(n), Path(folder, "page.html")
            write_page(found, path)
            made = best_of(lambda found=found, path=path: write_page(found, path), REPEATS)[1]
            looks = [look(started, path) for _ in range(REPEATS)]
            rows.append(
                {
                    "points": n,
                    "MB": path.stat().st_size / 1e6,
                    "made in s": made["seconds"],
                    "of the processor": made["cpu_seconds"],
                    "picture in s": min(one[0] for one in looks),
                    "frames in s": min(one[1] for one in looks),
                }
            )
    bars = [
        bar(f"page of {row['points']:,} points", row["MB"], MOST_MB.get(row["points"], 2.5), unit="MB") for row in rows
    ]
    bars += [
        bar("made, beyond loading, the larger", rows[-1]["made in s"], 3, unit="s"),
        bar("first picture, the larger", rows[-1]["picture in s"], 3, unit="s"),
        bar("Enter on a state shows its frames, the smaller", rows[0]["frames in s"], 1, unit="s"),
    ]
    publish("pages", options, {f"Best of {REPEATS}": rows}, bars=bars)


if __name__ == "__main__":
    main(run, {})
