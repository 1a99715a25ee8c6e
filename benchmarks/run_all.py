"""Run every benchmark, one after the other, and put what was measured into docs/benchmarks.md.

    python benchmarks/run_all.py             all of them, one to three hours on two cores, most of it peers
    python benchmarks/run_all.py --quick     small sizes: to see that they work; nothing is published
    python benchmarks/run_all.py --publish   only write the page again from benchmarks/results

INFOSCOPE_PEER_PYTHON names the Python of an environment with ``dadapy==0.3.4`` and ``numpy<2``,
INFOSCOPE_SKDIM_PYTHON that of one with ``scikit-dimension==0.5.0``, INFOSCOPE_TIGRAMITE_PYTHON that of one with
``tigramite==5.2.10.1``, INFOSCOPE_MEASURES_PYTHON and INFOSCOPE_BMI_PYTHON
those that `measures.py` and `sample_distances.py` name, INFOSCOPE_MODELS_PYTHON that of `layers.py`,
INFOSCOPE_NETKET_PYTHON that of `quantum_exact.py` and `quantum_training.py`, INFOSCOPE_ADABMDCA_PYTHON that of
`clones_potts.py`; without them these comparisons are skipped, and the reports say so.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
from pathlib import Path

from harness import HERE, RESULTS, THREADS, as_markdown

BENCHMARKS = (
    "imbalance_vs_dadapy",
    "imbalance_large",
    "imbalance_scaling",
    "measures",
    "dii",
    "dimension",
    "binary_dimension",
    "density",
    "effective_number",
    "anomalies",
    "causality_gain",
    "causal_graph",
    "layers",
    "clones_sampling",
    "clones_potts",
    "clones_text",
    "clones_orders",
    "clones_plateaus",
    "information",
    "sample_distances",
    "sampling_mixture20",
    "sampling_pairs",
    "sampling_solvents",
    "sampling_tunnel",
    "quantum_exact",
    "quantum_training",
    "text_tables",
    "pages",
    "start_up",
    "gpu",
)
PAGE = HERE.parent / "docs" / "benchmarks.md"


def with_tables(page: str, results: Path = RESULTS) -> str:
    """The page with everything between ``<!-- results NAME -->`` and ``<!-- end -->`` replaced by what was measured."""

    def block(match: re.Match[str]) -> str:
        path = results / f"{match['name']}.json"
        body = as_markdown(json.loads(path.read_text())) if path.exists() else "Not measured yet."
        return f"<!-- results {match['name']} -->\n\n{body}\n\n<!-- end -->"

    return re.sub(r"<!-- results (?P<name>\w+) -->.*?<!-- end -->", block, page, flags=re.DOTALL)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="small sizes; nothing is published")
    parser.add_argument("--publish", action="store_true", help="run nothing, only write the page from the results")
    parser.add_argument("--threads", type=int, default=THREADS, help="threads of every contender (default: 2)")
    options = parser.parse_args()

    failed = []
    for name in () if options.publish else BENCHMARKS:
        command = [sys.executable, str(HERE / f"{name}.py"), "--threads", str(options.threads)]
        if subprocess.run(command + ["--quick"] * options.quick).returncode:
            failed.append(name)
    if not options.quick and PAGE.exists():
        PAGE.write_text(with_tables(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    if failed:
        print(f"did not finish: {', '.join(failed)}", file=sys.stderr)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
