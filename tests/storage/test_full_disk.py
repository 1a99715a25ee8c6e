"""The system itself refuses to write more: the error names the file, and what was there stays.

A process may limit the size of its own files, which is as good as a full disk, and needs none.
"""

import subprocess
import sys

import numpy as np
import pytest

from infoscope.storage import ArrayStore, ArrayStream, Checkpoint

pytest.importorskip("resource")

WRITER = """
import resource, sys
import numpy as np
from pathlib import Path
from infoscope.storage import ArrayStore, ArrayStream, Checkpoint

def attempt(write, *arguments):
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, resource.RLIM_INFINITY))
    try:
        write(*arguments)
        print("written")
    except OSError as error:
        print(Path(error.filename).name)
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY,) * 2)

folder = Path(sys.argv[1])
large = np.arange(50_000.0)
with Checkpoint(folder / "run.npz", {}) as checkpoint:
    checkpoint.save(large[:10])
    attempt(checkpoint.save, large)
with ArrayStream(folder / "run.rows", {"x": "f8"}) as stream:
    stream.append(x=large[:10])
    attempt(stream.append, {"x": large})
    stream.append(x=large[10:20])
table = large.reshape(500, 100)
with ArrayStore(folder / "store", 500, {"x": ("f8", (100,))}) as store:
    store.write("x", np.arange(10), table[:10])
    attempt(store.write, "x", np.arange(10, 500), table[10:])
    store.write("x", np.arange(10, 20), table[10:20])
attempt(ArrayStore, folder / "other", 500, {"x": ("f8", (100,))})
"""


def test_what_was_there_stays(tmp_path):
    done = subprocess.run([sys.executable, "-c", WRITER, tmp_path], capture_output=True, text=True)
    assert done.stdout.split() == ["run.npz", "run.rows", "x.npy", "x.npy"], done.stderr
    with Checkpoint(tmp_path / "run.npz", {}, resume=True) as checkpoint:
        assert np.array_equal(checkpoint.load(), np.arange(10.0))
    assert np.array_equal(ArrayStream(tmp_path / "run.rows")["x"], np.arange(20.0))
    store = ArrayStore(tmp_path / "store")
    assert store.missing("x").tolist() == list(range(20, 500))
    assert np.array_equal(store.read("x", slice(0, 20)), np.arange(2000.0).reshape(20, 100))
    with ArrayStore(tmp_path / "other", 500, {"x": ("f8", (100,))}, resume=True) as store:  # half made: it is made now
        assert len(store.missing()) == 500
