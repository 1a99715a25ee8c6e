"""What a fresh process waits for: the import, the first answer, the help of the command line.

Every figure is the best of five fresh processes.  "Beyond numpy, scipy and numba" is counted inside the process:
those three are imported first, then the clock starts, then infoscope is imported and computes the Information
Imbalance of 1,000 rows of 5 columns against the first 2 (``default_rng(0)``).  The kernel cache is warm: a process
that is not counted ran before.  The last line shows what a cache that is empty costs, once after every
installation.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from argparse import Namespace
from pathlib import Path

from harness import Row, bar, main, publish, thread_environment

FIRST_ANSWER = """
import time
import numpy, scipy, numba
imported = time.perf_counter()
from infoscope import information_imbalance
X = numpy.random.default_rng(0).normal(size=(1000, 5))
ready = time.perf_counter()
information_imbalance(X, X[:, :2])
print(ready - imported, time.perf_counter() - imported)
"""
HELP = "import sys; sys.argv = ['infoscope', '--help']; from infoscope.cli import main; main()"


def wall(command: list[str], environment: dict[str, str]) -> float:
    started = time.perf_counter()
    subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - started


def first_answer(environment: dict[str, str]) -> tuple[float, float]:
    """Seconds beyond numpy, scipy and numba: (infoscope imported, answer there)."""
    command = [sys.executable, "-c", FIRST_ANSWER]
    done = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    imported, answered = done.stdout.split()
    return float(imported), float(answered)


def help_command() -> tuple[str, list[str]]:
    """The installed command if it is there, else the same function from the source tree."""
    script = Path(sys.executable).with_name("infoscope.exe" if os.name == "nt" else "infoscope")
    if script.exists():
        return "infoscope --help", [str(script), "--help"]
    return "infoscope --help (run from the source tree)", [sys.executable, "-c", HELP]


def run(options: Namespace) -> None:
    repeats = 2 if options.quick else 5
    environment = thread_environment(options.threads)
    first_answer(environment)  # fills the kernel cache

    answers = [first_answer(environment) for _ in range(repeats)]
    name, command = help_command()
    helps = [wall(command, environment) for _ in range(repeats)]
    bare = min(wall([sys.executable, "-c", "pass"], environment) for _ in range(repeats))
    imports = [wall([sys.executable, "-c", "import infoscope"], environment) - bare for _ in range(repeats)]
    libraries = [wall([sys.executable, "-c", "import numpy, scipy, numba"], environment) - bare for _ in range(repeats)]

    rows: list[Row] = [
        {"what": "import numpy, scipy, numba, for comparison", "seconds": min(libraries)},
        {"what": "import infoscope, alone (its subpackages load when used)", "seconds": min(imports)},
        {"what": "the function imported, beyond numpy, scipy and numba", "seconds": min(answers)[0]},
        {"what": "1,000 rows answered, beyond numpy, scipy and numba", "seconds": min(a[1] for a in answers)},
        {"what": f"{name}, the whole command", "seconds": min(helps)},
    ]
    if not options.quick:
        with tempfile.TemporaryDirectory() as empty:
            compiled = first_answer({**environment, "NUMBA_CACHE_DIR": empty})[1]
        rows.append({"what": "1,000 rows answered with an empty kernel cache (one process)", "seconds": compiled})
    bars = [
        bar("1,000 rows answered, beyond numpy, scipy and numba", min(a[1] for a in answers), 1, unit="s"),
        bar("infoscope --help", min(helps), 0.5, unit="s"),
    ]
    publish("start_up", options, {f"Best of {repeats} fresh processes": rows}, bars=bars)


if __name__ == "__main__":
    main(run, {})
