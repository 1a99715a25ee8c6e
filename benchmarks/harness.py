"""What every benchmark shares: fresh processes, times, peak memory, the machine, tables and result files.

Standard library only: this file also runs in the peer's environment, where infoscope is not installed.

How things are measured
- Each contender runs in a process of its own (`fresh`), with the same number of threads in every thread pool.
- A time is the best of up to three calls after a small warm-up call; a call so long that three would take more than
  a minute is repeated less often, and the table says how many runs there were.
- Peak memory is the high-water mark of the process's resident memory from after the warm-up to the end of the
  calls.  On Linux the mark is reset after the warm-up; elsewhere it is the mark of the whole process, which can
  only be higher.
- CPU seconds are those of the best call, all threads together: at most (threads x seconds) if a contender kept to
  its threads.
"""

from __future__ import annotations

import argparse
import json
import math
import os
import platform
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results"
SCRATCH = HERE / "scratch"  # quick runs write here and never touch what is published
THREADS = 2
PACKAGES = (
    "infoscope", "numpy", "scipy", "numba", "scikit-learn", "threadpoolctl", "torch", "dadapy", "jax",
    "scikit-dimension", "infomeasure", "npeet-plus", "benchmark-mi", "tigramite", "calibrated-similarity",
    "openmm", "openmm-opes", "netket", "netket-foundation",
)  # fmt: skip
_MARK = "benchmark-result: "

Row = dict[str, Any]


# ------------------------------------------------------------------------------------------------- time and memory
def best_of(call: Callable[[], Any], repeats: int = 3, budget: float = 60.0) -> tuple[Any, Row]:
    """What `call` returns, and its best time over at most `repeats` calls that fit into `budget` seconds."""
    times: list[tuple[float, float]] = []
    began = time.perf_counter()
    result: Any = None
    while len(times) < repeats:
        cpu, wall = time.process_time(), time.perf_counter()
        result = call()
        times.append((time.perf_counter() - wall, time.process_time() - cpu))
        if time.perf_counter() - began + min(times)[0] > budget:
            break
    seconds, cpu_seconds = min(times)
    return result, {"seconds": seconds, "runs": len(times), "cpu_seconds": cpu_seconds}


def resident_mb() -> float | None:
    """Resident memory of this process now, in MB (its high-water mark where the system tells no more)."""
    return _proc_status("VmRSS") or _high_water_mb()


def peak_mb() -> float | None:
    """The most resident memory this process has had since `reset_peak`, in MB."""
    return _proc_status("VmHWM") or _high_water_mb()


def reset_peak() -> None:
    """Start the high-water mark afresh.  Linux only; elsewhere the mark of the whole process stays."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        pass


def _proc_status(field: str) -> float | None:
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return None
    # "kB" there means 1024 bytes; we print MB of 10^6 bytes
    found = [line.split()[1] for line in lines if line.startswith(field + ":")]
    return int(found[0]) * 1024 / 1e6 if found else None


def _high_water_mb() -> float | None:
    try:
        import resource
    except ImportError:  # Windows
        return None
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6


# ------------------------------------------------------------------------------------------------- fresh processes
def fresh(
    job: str, *, python: str = sys.executable, threads: int = THREADS, limit: float | None = None, **arguments: Any
) -> Row:
    """Run one job of the calling benchmark in a process of its own and return what it returned.

    A job with a `limit` in seconds is stopped there; if it is, or dies, the row holds ``failed``, the reason, alone.
    """
    script = str(Path(sys.modules["__main__"].__file__ or "").resolve())
    command = [python, script, "--job", job, "--arguments", json.dumps(arguments | {"threads": threads})]
    try:
        done = subprocess.run(
            command, env=thread_environment(threads), stdout=subprocess.PIPE, text=True, timeout=limit
        )
    except subprocess.TimeoutExpired:
        return {"failed": f"stopped after {limit:,.0f} s"}
    if limit is not None and done.returncode:  # a contender may die where its memory ends
        return {"failed": f"died, exit status {done.returncode}"}
    marked = [line for line in done.stdout.splitlines() if line.startswith(_MARK)]
    if done.returncode or not marked:
        raise SystemExit(f"{Path(script).name}: the job {job} {arguments} failed (exit status {done.returncode})")
    return json.loads(marked[-1].removeprefix(_MARK))


def limit_memory(gigabytes: float) -> None:
    """Let allocations beyond fail with a MemoryError, before the machine does.  Where the system can."""
    try:
        import resource
    except ImportError:  # Windows
        return
    resource.setrlimit(resource.RLIMIT_AS, (int(gigabytes * 1e9), resource.RLIM_INFINITY))


def thread_environment(threads: int) -> dict[str, str]:
    """The environment with every thread pool we know of set to `threads`."""
    pools = ("OMP", "OPENBLAS", "MKL", "NUMBA")
    limits = {f"{pool}_NUM_THREADS": str(threads) for pool in pools}
    return {**os.environ, **limits, "VECLIB_MAXIMUM_THREADS": str(threads)}


def main(
    run: Callable[[argparse.Namespace], None],
    jobs: Mapping[str, Callable[..., Row]],
    parts: Sequence[str] = (),
    trees: bool = False,
) -> None:
    """The command line every benchmark has; with ``--job`` (used by `fresh`) it is one contender.

    A benchmark of several `parts` gets ``options.only``, those to run; one that compares `trees` gets
    ``options.before``.
    """
    parser = argparse.ArgumentParser(description=(sys.modules["__main__"].__doc__ or "").strip().splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="small sizes, to see that it works; nothing is published")
    parser.add_argument("--threads", type=int, default=THREADS, help="threads of every contender (default: 2)")
    if parts:
        parser.add_argument("--only", nargs="+", choices=parts, default=list(parts), help="some of the parts")
    if trees:
        parser.add_argument("--before", help="the src folder of an older tree: measures what became of it, alone")
    parser.add_argument("--job", choices=[*jobs], help=argparse.SUPPRESS)
    parser.add_argument("--arguments", default="{}", help=argparse.SUPPRESS)
    options = parser.parse_args()
    options.busy_before = None if options.job else busy()
    if options.job:
        answer = jobs[options.job](**json.loads(options.arguments))
        print(_MARK + json.dumps(answer | {"versions": versions()}), flush=True)
    else:
        run(options)


# ------------------------------------------------------------------------------------------------- the machine
def machine(threads: int, busy_before: float | None) -> Row:
    """The machine in words that help to judge a time, and nothing that names it."""
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return {
        "cpu": _cpu_model(),
        "cores": usable,
        "threads": threads,
        "memory_gb": _memory_gb(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "busy_before_percent": None if busy_before is None else round(100 * busy_before),
    }


def busy(seconds: float = 1.0) -> float | None:
    """The share of all cores that other programs use now (while we sleep); None where the system does not tell."""

    def ticks() -> tuple[int, int]:
        fields = [int(word) for word in Path("/proc/stat").read_text().split("\n", 1)[0].split()[1:9]]
        return sum(fields), fields[3] + fields[4]  # all, idle and waiting for a disk

    try:
        before = ticks()
        time.sleep(seconds)
        after = ticks()
    except (OSError, ValueError, IndexError):
        return None
    return 1 - (after[1] - before[1]) / max(after[0] - before[0], 1)


def _cpu_model() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _memory_gb() -> float | None:
    try:
        return round(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1e9, 1)
    except (AttributeError, ValueError, OSError):
        return None


def versions() -> dict[str, str]:
    """Versions of the packages that matter, as installed here, and of the BLAS in use if numpy is loaded."""
    found = {}
    for package in PACKAGES:
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            if package in sys.modules:  # run from the source tree
                found[package] = str(getattr(sys.modules[package], "__version__", "unknown"))
    if "numpy" in sys.modules and "threadpoolctl" in found:
        import threadpoolctl

        for pool in threadpoolctl.threadpool_info():
            if pool["user_api"] == "blas" and "numpy" in pool["filepath"]:
                found["blas"] = " ".join(str(pool.get(key, "")) for key in ("internal_api", "version", "architecture"))
    return found


# ------------------------------------------------------------------------------------------------- results
def bar(text: str, value: float | None, limit: float, *, at_least: bool = False, unit: str = "") -> Row:
    """A promise and what was measured.  `value` None: it could not be measured in this run."""
    value = value if value is not None and math.isfinite(value) else None
    met = None if value is None else bool(value >= limit if at_least else value <= limit)
    wanted = f"{'at least' if at_least else 'at most'} {number(limit)} {unit}".strip()
    return {"what": text, "wanted": wanted, "measured": value, "unit": unit, "met": met}


def publish(
    name: str,
    options: argparse.Namespace,
    tables: Mapping[str, Sequence[Row]],
    *,
    part: str = "",
    bars: Sequence[Row] = (),
    notes: Sequence[str] = (),
    used: Mapping[str, Mapping[str, str]] | None = None,
) -> None:
    """Print the tables and write ``results/<name>[_<part>].json`` (quick runs: into ``scratch``)."""
    quick = options.quick
    only = f" --only {part}" if part else ""
    if getattr(options, "before", None):
        only = " --before OLD/src"
    command = f"python benchmarks/{name}.py{only} --threads {options.threads}" + " --quick" * quick
    name = f"{name}_{part}" if part else name
    report = {
        "name": name,
        "date": datetime.now(UTC).date().isoformat(),
        "command": command,
        "machine": machine(options.threads, options.busy_before),
        "versions": dict(used or {"this": versions()}),
        "tables": {title: _with_all_columns(rows) for title, rows in tables.items()},
        "bars": [] if quick else list(bars),
        "notes": [*notes, "A quick run: small sizes, no bars."] if quick else list(notes),
    }
    write_json((SCRATCH if quick else RESULTS) / f"{name}.json", report)
    print(as_text(report), flush=True)


def _with_all_columns(rows: Sequence[Row]) -> list[Row]:
    """Rows that say the same; "-" where a row has nothing to say in a column."""
    columns = dict.fromkeys(column for row in rows for column in row)
    return [{column: row.get(column, "-") for column in columns} for row in rows]


def write_json(path: Path, content: Any) -> None:
    """Write all of it or nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, temporary = tempfile.mkstemp(dir=path.parent, suffix=".part")
    try:
        with os.fdopen(handle, "w") as file:
            json.dump(content, file, indent=1, allow_nan=False)
            file.write("\n")
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, 0o644)  # mkstemp keeps its files private
        os.replace(temporary, path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


# ------------------------------------------------------------------------------------------------- tables
def number(value: Any) -> str:
    """Three digits of a number, and what else may stand in a table."""
    if value is None:
        return "not measured"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return f"{value:,}"
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
    return str(value)


def machine_line(report: Row) -> str:
    m = report["machine"]
    line = f"{m['cpu']}, {m['cores']} cores, {m['threads']} threads used"
    line += f", {number(m['memory_gb'])} GB of memory" if m["memory_gb"] else ""
    line += f", {m['system']}, Python {m['python']}; {report['date']}; {report['command']}"
    busy_before = m["busy_before_percent"]
    return line if busy_before is None else f"{line}; other programs used {busy_before} % of the cores just before"


def versions_lines(report: Row) -> list[str]:
    return [
        ("" if who == "this" else f"{who}: ") + ", ".join(f"{package} {version}" for package, version in used.items())
        for who, used in report["versions"].items()
    ]


def bar_rows(report: Row) -> list[Row]:
    def measured(b: Row) -> str | None:
        return None if b["measured"] is None else f"{number(b['measured'])} {b['unit']}".strip()

    return [{"bar": b["what"], "wanted": b["wanted"], "measured": measured(b), "met": b["met"]} for b in report["bars"]]


def as_text(report: Row) -> str:
    """The report for a terminal."""
    parts = [f"== {report['name']}", machine_line(report), *versions_lines(report)]
    for title, rows in [*report["tables"].items(), ("Bars", bar_rows(report))]:
        if not rows:
            continue
        cells = [list(rows[0]), *([number(value) for value in row.values()] for row in rows)]
        widths = [max(len(line[column]) for line in cells) for column in range(len(cells[0]))]
        parts += ["", title]
        for line in cells:
            parts.append("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())
    return "\n".join([*parts, *(("", *report["notes"]) if report["notes"] else ())]) + "\n"


def as_markdown(report: Row) -> str:
    """The report for `docs/benchmarks.md`: the same numbers."""
    parts = []
    for title, rows in [*report["tables"].items(), ("Bars", bar_rows(report))]:
        if rows:
            parts += [f"**{title}**", _markdown_table(rows)]
    parts += ["\n".join(f"- {note}" for note in report["notes"])] if report["notes"] else []
    parts += [f"*{machine_line(report)}. {'; '.join(versions_lines(report))}.*"]
    return "\n\n".join(parts)


def _markdown_table(rows: Sequence[Row]) -> str:
    lines = ["| " + " | ".join(rows[0]) + " |", "|" + " --- |" * len(rows[0])]
    lines += ["| " + " | ".join(number(value) for value in row.values()) + " |" for row in rows]
    return "\n".join(lines)
