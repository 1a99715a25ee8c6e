"""Ctrl-C at any moment, and a disk that is full: one sentence, the right exit code, and the old file stays."""

import errno
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

CODE = "import sys; from infoscope.cli import main; sys.exit(main())"
ASK = ("compare", "x.npy", "y.npy", "--quiet")

# Ctrl-C arrives when a module is about to be imported, as a signal does: in the main thread, wherever that is.
DURING_IMPORT = """
import importlib.abc, os, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell lets what runs in the background ignore it
MODULE = sys.argv.pop(1)
class Press(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path, target=None):
        if name == MODULE:
            sys.meta_path.remove(self)
            os.kill(os.getpid(), signal.SIGINT)
        return None
press = Press()
from infoscope.cli import main
sys.meta_path.insert(0, press)
sys.exit(main())
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals of Unix")
@pytest.mark.parametrize(
    "module", ["infoscope.cli.app", "typer", "numpy", "numpy.random", "numba", "infoscope.neighbors"]
)
def test_while_packages_are_imported(folder, module):
    ran = subprocess.run(
        [sys.executable, "-c", DURING_IMPORT, module, *ASK], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 130, (module, ran.stderr)
    assert ran.stderr == "infoscope: interrupted\n", module


# a package that turns Ctrl-C into another error, and a callback that drops it
SWALLOWED = """
import os, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler)
import infoscope.cli.app as app
def raises_another(*given, **options):
    try:
        os.kill(os.getpid(), signal.SIGINT)
    except KeyboardInterrupt:
        sys.excepthook(*sys.exc_info())
        raise ImportError("numpy.core.multiarray failed to import")
class Dropped:
    def __del__(self):
        os.kill(os.getpid(), signal.SIGINT)
def drops(*given, **options):
    one = Dropped()
    del one
    for _ in range(10**8):
        pass
app.expand = {"another": raises_another, "dropped": drops}[sys.argv.pop(1)]
from infoscope.cli import main
sys.exit(main())
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals of Unix")
@pytest.mark.parametrize("way", ["another", "dropped"])
def test_where_a_package_does_not_let_it_through(folder, way):
    ran = subprocess.run([sys.executable, "-c", SWALLOWED, way, *ASK], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr) == (130, "infoscope: interrupted\n")


COMPILING = """
import os, signal, sys, time
signal.signal(signal.SIGINT, signal.default_int_handler)
import infoscope.cli.app as app
from numba.core.compiler_lock import global_compiler_lock
def compiles(*given, **options):
    with global_compiler_lock:
        os.kill(os.getpid(), signal.SIGINT)
        time.sleep(0.3)
        print("compiled", flush=True)
    time.sleep(60)
app.expand = compiles
from infoscope.cli import main
sys.exit(main())
"""


@pytest.mark.skipif(sys.platform == "win32", reason="signals of Unix")
def test_a_kernel_that_is_compiled_is_finished_first(folder):
    """Where llvmlite hands over what it owns an exception makes it free that twice, and the process crashes."""
    ran = subprocess.run(
        [sys.executable, "-c", COMPILING, *ASK], capture_output=True, text=True, check=False, timeout=50
    )
    assert (ran.returncode, ran.stdout, ran.stderr) == (130, "compiled\n", "infoscope: interrupted\n")


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="signals of Unix")
def test_at_random_moments(folder):
    random = np.random.default_rng(0)
    began = time.monotonic()
    subprocess.run([sys.executable, "-c", CODE, *ASK, "--output", "a.json"], check=True, capture_output=True)
    takes, before = time.monotonic() - began, (folder / "a.json").read_bytes()
    for _ in range(40):
        process = subprocess.Popen(
            [sys.executable, "-c", f"import signal; signal.signal(signal.SIGINT, signal.SIG_IGN)\n{STARTED}", *ASK,
             "--output", "a.json"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        )  # fmt: skip
        assert process.stdout.readline() == "started\n"
        time.sleep(random.random() * takes)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=120)
        assert (process.returncode, said) in ((130, "infoscope: interrupted\n"), (0, ""), (-signal.SIGINT, "")), said
        assert (folder / "a.json").read_bytes() == before
        assert not list(folder.glob(".*.part*"))


STARTED = """
import signal, sys
import infoscope.cli
signal.signal(signal.SIGINT, signal.default_int_handler)
print("started", flush=True)
sys.exit(infoscope.cli.main())
"""


# ----------------------------------------------------------------------------------------------------------- full disks
@pytest.mark.skipif(not Path("/dev/full").exists(), reason="a device of Linux")
def test_what_is_printed_does_not_fit(folder):
    with open("/dev/full", "w") as full:
        ran = subprocess.run(
            [sys.executable, "-c", CODE, *ASK], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
        assert ran.returncode == 2
        assert ran.stderr == "infoscope: error: what is printed cannot be written: No space left on device\n"
        ran = subprocess.run([sys.executable, "-c", CODE, "nothing"], stderr=full, check=False)
        assert ran.returncode == 2
        ran = subprocess.run(
            [sys.executable, "-c", CODE, "--help"], stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
        assert ran.returncode == 2 and len(ran.stderr.splitlines()) == 1


SMALL_DISK = """
import resource, sys
from infoscope.cli import main
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv.pop(1)), resource.RLIM_INFINITY))
sys.exit(main())
"""


LEFT_OPEN = pytest.mark.skipif(
    np.lib.NumpyVersion(np.__version__) < "2.0.0", reason="NumPy 1 leaves the file open, and its collector complains"
)


@pytest.mark.skipif(sys.platform == "win32", reason="limits of Unix")
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("a.json", ["--output", "a.json"]),
        pytest.param("a.csv", ["--output", "a.csv"], marks=pytest.mark.slow),
        pytest.param("a.npz", ["--output", "a.npz"], marks=LEFT_OPEN),
        ("a.png", ["--plot", "a.png"]),
        pytest.param("a.svg", ["--plot", "a.svg"], marks=pytest.mark.slow),
        pytest.param("a.pdf", ["--plot", "a.pdf"], marks=pytest.mark.slow),
    ],
)
def test_a_file_that_does_not_fit(folder, name, options):
    """The system refuses every byte after the first few: the error names the file, and what was there stays."""
    (folder / name).write_text("old")
    environment = {**os.environ, "MPLBACKEND": "Agg"}
    arguments = [sys.executable, "-c", SMALL_DISK, "100", *ASK, *options]
    ran = subprocess.run(arguments, capture_output=True, text=True, check=False, env=environment)
    sentence = ran.stderr.splitlines()[-1]
    assert ran.returncode == 2 and "Traceback" not in ran.stderr, ran.stderr
    assert sentence.startswith(f"infoscope: error: {folder / name}: "), ran.stderr
    assert (folder / name).read_text() == "old" and not list(folder.glob(".*.part*"))


@pytest.mark.parametrize("call", range(1, 7))
def test_a_disk_that_is_full_at_some_moment(folder, infoscope, monkeypatch, call):
    """Every write, flush and rename of a result fails in turn."""
    import infoscope.storage.atomic as atomic

    (folder / "a.json").write_text("old")
    made, n = [], {"calls": 0}

    def failing(real):
        def write(*given, **options):
            n["calls"] += 1
            if n["calls"] == call:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return real(*given, **options)

        return write

    for owner, name in ((atomic.os, "replace"), (atomic.os, "fsync"), (Path, "write_text"), (atomic.os, "chmod")):
        monkeypatch.setattr(owner, name, failing(getattr(owner, name)))
    ran = infoscope(*ASK, "--output", "a.json")
    monkeypatch.undo()
    made = (folder / "a.json").read_text()
    if ran.code == 0:
        assert json.loads(made)["type"] == "InformationImbalance"
    else:
        assert ran.code == 2 and f"{folder / 'a.json'}: No space left on device" in ran.err
        assert made == "old"
    assert not list(folder.glob(".*.part*"))
    assert ran.code == (2 if call <= 2 else ran.code)  # the first calls are those that write and flush


def test_compiled_code_that_cannot_be_kept(folder, tmp_path_factory):
    """Where the folder of numba is full, kernels are compiled and used, and it is said."""
    code = (
        "import numba.core.caching as c, errno\n"
        "def full(*given): raise OSError(errno.ENOSPC, 'No space left on device')\n"
        "c.IndexDataCacheFile.save = full\n"
        "from infoscope.base import kernel\n"
        "import warnings; warnings.simplefilter('always')\n"
        "from infoscope.clones.gibbs_kernels import shift\n"
        "import numpy as np\n"
        "logits = np.arange(8.0, dtype=np.float32).reshape(2, 4)\n"
        "shift(logits, np.zeros(4, np.float32), np.zeros(16, np.float32)); print(logits.max())"
    )
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path_factory.mktemp("numba"))}
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False, env=environment)
    assert ran.returncode == 0 and ran.stdout.strip() == "0.0", ran.stderr
    assert "No space left on device; kernels are compiled anew the next time" in ran.stderr
