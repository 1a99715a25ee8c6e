"""Training that is killed twenty times, at moments of chance, ends where an undisturbed run ends, bit for bit."""

from __future__ import annotations

import os
import subprocess
import sys
import time

import numpy as np
import pytest

import infoscope
from infoscope.quantum import Chain, FoundationQuantumState, IsingFamily

pytest.importorskip("jax")

N_ITER, KILLS = 400, 20
SCRIPT = f"""
import sys, numpy as np, infoscope
from infoscope.quantum import Chain, FoundationQuantumState, IsingFamily
state = FoundationQuantumState(
    IsingFamily(Chain(6)), d_model=8, n_heads=2, n_layers=1, n_samples=64, random_state=0, n_iter={N_ITER}, momentum=0.5
)
print("begins", flush=True)
state.fit(np.linspace(0.75, 2.0, 4)[:, None], checkpoint=sys.argv[1], resume=True, checkpoint_every=1e-9)
infoscope.save(state, sys.argv[2])
"""


@pytest.mark.slow
def test_twenty_kills(tmp_path):
    checkpoint, end = tmp_path / "run.npz", tmp_path / "end.npz"
    rng, kills, done = np.random.default_rng(0), 0, 0
    while not end.exists():
        process = subprocess.Popen(
            [sys.executable, "-c", SCRIPT, str(checkpoint), str(end)], stdout=subprocess.PIPE, env=dict(os.environ)
        )
        process.stdout.readline()
        if kills < KILLS:
            before = checkpoint.stat().st_mtime_ns if checkpoint.exists() else 0
            deadline = time.monotonic() + 60
            while process.poll() is None and time.monotonic() < deadline:  # until it has made a step of its own
                if checkpoint.exists() and checkpoint.stat().st_mtime_ns != before:
                    break
                time.sleep(0.005)
            time.sleep(rng.uniform(0, 0.05))
            process.kill()
            kills += 1
        done = process.wait()
        process.stdout.close()
    assert done == 0 and kills == KILLS
    found = infoscope.load(end)
    wanted = FoundationQuantumState(
        IsingFamily(Chain(6)), d_model=8, n_heads=2, n_layers=1, n_samples=64, random_state=0, n_iter=N_ITER,
        momentum=0.5,
    ).fit(np.linspace(0.75, 2.0, 4)[:, None])  # fmt: skip
    np.testing.assert_array_equal(found.parameters_, wanted.parameters_)
    np.testing.assert_array_equal(found.history_["energies"], wanted.history_["energies"])
