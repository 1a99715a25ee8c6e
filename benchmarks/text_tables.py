"""How long a text table takes to read, beside ``pandas.read_csv`` alone, which decides nothing about its layout.

200,000 rows of 50 normal numbers (``default_rng(0)``), written as pandas writes them (every digit), with six decimals,
with decimal commas, with one of a hundred missing, with a column of text, and between blanks; pandas is told
separator and decimals, infoscope finds them.  pandas reads with its default precision, whose last digit may be off by
one; infoscope gives the nearest double, which pandas calls ``float_precision="round_trip"``.
"""

from __future__ import annotations

import tempfile
from argparse import Namespace
from pathlib import Path
from typing import Any

from harness import Row, bar, best_of, fresh, main, peak_mb, publish, reset_peak, resident_mb

ROWS, COLUMNS = 200_000, 50
KINDS: dict[str, dict[str, Any]] = {
    "every digit": {},
    "six decimals": {"float_format": "%.6f"},
    "decimal commas": {"sep": ";", "decimal": ","},
    "1 % missing": {},
    "a column of text": {},
    "white space": {"sep": " "},
}


def write(path: Path, kind: str, rows: int) -> None:
    import numpy as np
    import pandas as pd

    rng = np.random.default_rng(0)
    values = rng.normal(size=(rows, COLUMNS))
    if kind == "1 % missing":
        values[rng.random(values.shape) < 0.01] = np.nan
    frame = pd.DataFrame(values, columns=[f"c{column}" for column in range(COLUMNS)])
    if kind == "a column of text":
        frame["kind"] = rng.choice(["red", "green", "blue"], rows)
    frame.to_csv(path, index=False, **KINDS[kind])


def with_pandas(path: str, kind: str, threads: int, exact: bool = False) -> Row:  # noqa: ARG001  (set outside)
    import pandas as pd

    options = {name: value for name, value in KINDS[kind].items() if name != "float_format"}
    options |= {"float_precision": "round_trip"} if exact else {}
    pd.read_csv(path, nrows=100, **options)
    return measured(lambda: pd.read_csv(path, **options))


def with_infoscope(path: str, kind: str, threads: int) -> Row:  # noqa: ARG001  (set outside)
    from infoscope.io import read_table

    small = Path(path).with_name("small.csv")
    small.write_text("x,y\n1,2\n")
    read_table(small)
    labels = ["kind"] if kind == "a column of text" else []
    return measured(lambda: read_table(path, labels=labels, missing="keep"))


def measured(call: Any) -> Row:
    before = resident_mb()
    reset_peak()
    _, row = best_of(call)
    peak = peak_mb()
    return row | {"memory_mb": None if peak is None or before is None else peak - before}


def run(options: Namespace) -> None:
    rows = 5_000 if options.quick else ROWS
    table: list[Row] = []
    used: dict[str, dict[str, str]] = {}
    bars: list[Row] = []
    with tempfile.TemporaryDirectory() as folder:
        for kind in KINDS:
            path = Path(folder, "table.txt" if kind == "white space" else "table.csv")
            write(path, kind, rows)
            common = {"threads": options.threads, "path": str(path), "kind": kind}
            plain, exact = fresh("pandas", **common), fresh("pandas", exact=True, **common)
            ours = fresh("infoscope", **common)
            used["this"] = ours["versions"]
            table.append(
                {
                    "table": kind,
                    "MB": path.stat().st_size / 1e6,
                    "pandas s": plain["seconds"],
                    "pandas, exact s": exact["seconds"],
                    "infoscope s": ours["seconds"],
                    "infoscope / pandas": ours["seconds"] / plain["seconds"],
                    "pandas MB": plain["memory_mb"],
                    "infoscope MB": ours["memory_mb"],
                }
            )
            if kind in ("every digit", "six decimals"):
                times = ours["seconds"] / plain["seconds"]
                memory = ours["memory_mb"] / plain["memory_mb"] if plain["memory_mb"] else None
                bars.append(bar(f"time beside pandas.read_csv, {kind}", times, 1.3))
                bars.append(bar(f"memory beside pandas.read_csv, {kind}", memory, 2))
            path.unlink()
    notes = ["Large tables with one separator are parsed by Arrow where it is installed, all others by pandas."]
    publish("text_tables", options, {f"{rows:,} rows of {COLUMNS} columns": table}, bars=bars, notes=notes, used=used)


if __name__ == "__main__":
    main(run, {"pandas": with_pandas, "infoscope": with_infoscope})
