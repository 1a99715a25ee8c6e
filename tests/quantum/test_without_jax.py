"""The exact part needs NumPy and SciPy alone."""

import subprocess
import sys


def run(code):
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_importing_it_loads_no_jax():
    heavy = ("jax", "netket", "matplotlib", "torch", "numba")
    assert run(f"import sys, infoscope.quantum; print([m for m in {heavy} if m in sys.modules])") == "[]"


def test_exact_answers_do_without_jax():
    code = (
        "import sys\n"
        "sys.modules['jax'] = sys.modules['netket'] = None\n"  # importing them fails
        "from infoscope.quantum import Chain, IsingFamily, exact_susceptibility, find_orbits, ground_state\n"
        "family = IsingFamily(Chain(6))\n"
        "chi = exact_susceptibility(family, 1.0).chi[0, 0, 0]\n"
        "print(round(ground_state(family, 1.0).energy, 6), round(float(chi), 6))\n"
        "print(len(find_orbits(family.configurations(), 6, Chain(6).translations(), spin_flip=True).representatives))"
    )
    # -2 / sin(pi / 12), 6 * 5 / 32, and necklaces of six beads up to exchange of both colours
    assert run(code).split() == ["-7.727407", "0.9375", "8"]
