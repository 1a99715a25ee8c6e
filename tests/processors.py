"""Run the fast tests as other processors would, one line a setting; fail if any of them fails.

OpenBLAS has kernels for every generation of processors, and numba compiles for the one it runs on: sums are rounded
differently on each, and no result may hang on that.  ``make test-processors`` calls this file; what stands behind it
goes to pytest: ``python tests/processors.py -n 2 tests/imbalance``.

Not every combination is run.  Every kernel that this processor can run has its turn, and the two values of the others
(numba for this processor or for any, one thread or two) are dealt out so that all four pairs of them occur.
"""

import os
import platform
import re
import shutil
import subprocess
import sys
import time
from itertools import cycle, islice
from pathlib import Path
from typing import NamedTuple

# OpenBLAS answers to many more names; those of one generation of processors have the same kernels.
CORE_TYPES = {
    "x86_64": ("Haswell", "Zen", "SkylakeX", "Cooperlake", "SapphireRapids", "Sandybridge", "Nehalem", "Prescott"),
    "aarch64": ("ARMV8", "CORTEXA57", "THUNDERX2T99", "NEOVERSEN1", "NEOVERSEV1", "NEOVERSEN2", "A64FX", "VORTEX"),
}
SAME_MACHINE = {"AMD64": "x86_64", "arm64": "aarch64"}
# Products and factorisations in both precisions: a kernel with instructions that this processor lacks dies here.
PROBE = """
import numpy as np, scipy.linalg, threadpoolctl
for kind in (np.float32, np.float64):
    a = np.random.default_rng(0).normal(size=(300, 300)).astype(kind)
    a @ a.T, np.linalg.svd(a), scipy.linalg.solve(a, a[0])
print(*sorted({x["architecture"] for x in threadpoolctl.threadpool_info() if x["internal_api"] == "openblas"}))
"""
ROOT = Path(__file__).resolve().parent.parent


class Setting(NamedTuple):
    """One run: the name that OpenBLAS is given ("" leaves the choice to it), and what it reports then."""

    core_type: str
    kernels: str
    generic: bool
    threads: int

    def __str__(self) -> str:
        compiled = "any processor" if self.generic else "this processor"
        return f"OpenBLAS {self.kernels:<12} numba for {compiled:<14}  threads {self.threads}"

    def environment(self, cache: Path) -> dict[str, str]:
        """The variables that make it so; infoscope's own pool of threads obeys the one of SLURM."""
        threads = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "SLURM_CPUS_PER_TASK")
        own = dict.fromkeys(threads, str(self.threads)) | {"OPENBLAS_CORETYPE": self.core_type, "MPLBACKEND": "Agg"}
        if self.generic:
            own["NUMBA_CPU_NAME"] = "generic"
        return os.environ | own | {"NUMBA_CACHE_DIR": str(cache / ("numba-generic" if self.generic else "numba-host"))}


def main(pytest_arguments: list[str]) -> int:
    cache = ROOT / ".cache" / "processors"
    shutil.rmtree(cache, ignore_errors=True)  # numba notices changes of a kernel's own file only
    cache.mkdir(parents=True)
    failed = False
    for number, setting in enumerate(settings(), start=1):
        log = cache / f"{number}.log"
        began = time.perf_counter()
        command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-m", "not slow", *pytest_arguments]
        with log.open("w") as out:
            code = subprocess.run(command, cwd=ROOT, env=setting.environment(cache), stdout=out, stderr=out).returncode
        lines = log.read_text(errors="replace").splitlines()
        counts = re.findall(r"\d+ (?:passed|failed|errors?|skipped)", lines[-1] if lines else "")
        outcome = ", ".join(counts) or f"pytest ended with code {code}"
        print(f"{setting}  {outcome}  {time.perf_counter() - began:.0f} s", flush=True)
        if code:
            failed = True
            failures = [line for line in lines if line.startswith(("FAILED", "ERROR"))]
            print(*failures, f"all of it: {log.relative_to(ROOT)}", sep="\n    ", flush=True)
    return int(failed)


def settings() -> list[Setting]:
    """At least four, so that both values of numba and of the threads meet; every kind of kernels once."""
    kinds = list(kernels().items())
    dealt = islice(cycle(kinds), max(4, len(kinds)))
    return [Setting(name, found, i // 2 % 2 == 1, 1 + i % 2) for i, (found, name) in enumerate(dealt)]


def kernels() -> dict[str, str]:
    """The different kernels of OpenBLAS that run here, each with a name that asks for it; what it takes itself first.

    Where OPENBLAS_CORETYPE is set already it stays as it is: some processors need it.
    """
    given = os.environ.get("OPENBLAS_CORETYPE", "")
    machine = SAME_MACHINE.get(platform.machine(), platform.machine())
    found: dict[str, str] = {}
    for name in (given,) if given else ("", *CORE_TYPES.get(machine, ())):
        done = subprocess.run(
            [sys.executable, "-c", PROBE], env=os.environ | {"OPENBLAS_CORETYPE": name}, capture_output=True, text=True
        )
        if done.returncode == 0:
            found.setdefault(done.stdout.strip() or "not used", name)
        elif name == given:
            raise SystemExit(f"NumPy and SciPy do not run here:\n{done.stderr}")
    return found


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
