"""Writers that are killed twenty times at random moments, and end where they would have ended without.

The writers are processes of their own, which import this file: nothing but NumPy and ``infoscope.storage`` at its top.
"""

import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from infoscope.storage import ArrayStore, ArrayStream, Checkpoint

OPTIONS = {"seed": 11}


# -------------------------------------------------------------------------------------------------------------- writers
def walk(path, n_steps, report=lambda step: None):
    """A random walk that grows, saved at every step."""
    with Checkpoint(path, OPTIONS, resume=True, every=0.0) as checkpoint:
        state = checkpoint.load() or {"x": np.zeros((0, 50)), "step": 0, "rng": np.random.default_rng(11)}
        while state["step"] < n_steps:
            step = state["rng"].normal(size=(1, 50)) + state["rng"].integers(3, dtype=np.uint32)
            state = {**state, "x": np.concatenate([state["x"], step]), "step": state["step"] + 1}
            checkpoint.save_when_due(lambda state=state: state)
            report(state["step"])
    return state


def sample(path, n_steps, report=lambda step: None):
    """A sampler: samples go to a stream, its state to a checkpoint, after every batch of ten."""
    columns = {"x": ("f8", (7,)), "step": "i4"}
    with (
        Checkpoint(path.with_suffix(".npz"), OPTIONS, resume=True) as checkpoint,
        ArrayStream(path, columns, options=OPTIONS, resume=True) as stream,
    ):
        state = checkpoint.load() or {"x": np.zeros(7), "step": 0, "rng": np.random.default_rng(11)}
        stream.cut(10 * state["step"])  # what was sampled after the state was saved is sampled again
        while state["step"] < n_steps:
            x = state["x"] + np.cumsum(state["rng"].normal(size=(10, 7)), axis=0)
            state = {**state, "x": x[-1], "step": state["step"] + 1}
            stream.append(x=x, step=np.full(10, state["step"], "i4"))
            stream.commit()
            checkpoint.save(state)
            report(state["step"])


def fill(path, n_batches, report=lambda step: None):
    """Batches of rows of three arrays, in a random order."""
    with ArrayStore(path, 4000, LAYERS, options=OPTIONS, resume=True) as store:
        missing = np.random.default_rng(len(store.missing())).permutation(store.missing())
        for start in range(0, min(len(missing), 20 * n_batches), 20):
            batch = missing[start : start + 20]
            for name in LAYERS:
                store.write(name, batch, layer(name, batch))
            store.commit()
            report(len(store) - len(store.missing()))


LAYERS = {"small": ("f4", (3,)), "wide": ("f8", (300,)), "half": ("bfloat16", (64,))}  # rows below and above a sector


def layer(name, rows):
    """What a network would say of these rows: wide numbers, exact in every type."""
    shape = LAYERS[name][1]
    return ((rows[:, None] * 31 + np.arange(shape[0]) * 17) % 251 - 125).astype(np.float64)


def main(kind, path, stop):
    print("start", flush=True)
    WRITERS[kind](Path(path), int(stop), lambda step: print(step, flush=True))


WRITERS = {"walk": walk, "sample": sample, "fill": fill}


# ---------------------------------------------------------------------------------------------------------------- kills
def kill_at_random_moments(kind, path, n_kills=20):
    """Start the writer and kill it somewhere after the last step that it reports as saved; yields that step, or 0."""
    generator = np.random.default_rng(5)
    code = "import sys; sys.path.insert(0, sys.argv[1]); import test_kills; test_kills.main(*sys.argv[2:])"
    for _ in range(n_kills):
        arguments = [sys.executable, "-c", code, str(Path(__file__).parent), kind, str(path), str(10**9)]
        writer = subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True)
        lines = [writer.stdout.readline() for _ in range(generator.integers(1, 6))]  # the first when all is imported
        time.sleep(generator.uniform(0, 0.02))
        writer.kill()
        lines += writer.communicate()[0].splitlines(keepends=True)
        assert lines[0] == "start\n"
        yield max((int(line) for line in lines[1:] if line.endswith("\n")), default=0)


def test_a_checkpoint(tmp_path):
    path, uninterrupted = tmp_path / "walk.npz", np.random.default_rng(11)
    steps, last = [], 0  # of a walk without files; what is known to be saved
    for reported in kill_at_random_moments("walk", path):
        with Checkpoint(path, OPTIONS, resume=True) as checkpoint:
            state = checkpoint.load() or {"step": 0, "x": np.zeros((0, 50))}
        assert state["step"] - max(last, reported) in (0, 1)  # one may be saved, and not yet reported
        last = state["step"]
        while len(steps) < last:
            steps.append(uninterrupted.normal(size=50) + uninterrupted.integers(3, dtype=np.uint32))
        assert state["x"].tobytes() == np.reshape(steps, (-1, 50)).tobytes()
    assert last > 20
    end = walk(path, last + 10)
    without = walk(tmp_path / "b.npz", last + 10)
    assert end["x"].tobytes() == without["x"].tobytes() and end["rng"].random() == without["rng"].random()
    assert {item.name for item in tmp_path.iterdir()} == {"walk.npz", "b.npz"}  # halves are cleared away


def test_a_stream(tmp_path):
    path, x, uninterrupted = tmp_path / "run.rows", np.zeros((1, 7)), np.random.default_rng(11)
    last = 0
    for reported in kill_at_random_moments("sample", path):
        rows = ArrayStream(path)[:] if path.exists() else np.zeros(0, [("x", "f8", 7), ("step", "i4")])
        n_batches, rest = divmod(len(rows), 10)
        assert rest == 0 and n_batches - max(last - 1, reported) in (0, 1, 2)
        assert n_batches >= reported
        last = n_batches
        while len(x) < len(rows) + 1:
            x = np.concatenate([x, x[-1] + np.cumsum(uninterrupted.normal(size=(10, 7)), axis=0)])
        assert rows["x"].tobytes() == x[1 : len(rows) + 1].tobytes()
        assert np.array_equal(rows["step"], np.arange(10, len(rows) + 10) // 10)
    assert last > 20
    for one in (path, tmp_path / "b.rows"):
        sample(one, last + 10)
    rows, without = ArrayStream(path), ArrayStream(tmp_path / "b.rows")
    assert len(rows) == 10 * last + 100 and rows[:].tobytes() == without[:].tobytes()


def test_a_store(tmp_path):
    path, last = tmp_path / "layers", 0
    for reported in kill_at_random_moments("fill", path):
        store = ArrayStore(path) if (path / "manifest.json").exists() else None
        complete = 4000 - len(store.missing()) if store else 0
        assert max(last, reported) <= complete <= max(last, reported) + 20  # a batch may be there, and not reported
        last = complete
        for name in LAYERS if store else ():  # of some arrays more may be there
            rows = np.setdiff1d(np.arange(4000), store.missing(name))
            assert np.array_equal(store.read(name, rows), layer(name, rows))
    assert last > 400
    for one in (path, tmp_path / "b"):
        with ArrayStore(one, 4000, LAYERS, options=OPTIONS, resume=True) as store:
            for name in LAYERS:
                rows = store.missing(name)
                store.write(name, rows, layer(name, rows))
    assert len(list(path.iterdir())) == 7
    for name in LAYERS:
        assert ArrayStore(path).digest(name) == ArrayStore(tmp_path / "b").digest(name)
        assert (path / f"{name}.npy").read_bytes() == (tmp_path / "b" / f"{name}.npy").read_bytes()


def test_the_writers_import_nothing_slow():
    code = (
        "import sys, infoscope.storage; print([m for m in ('numba', 'pandas', 'scipy', 'torch') if m in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "[]\n"
