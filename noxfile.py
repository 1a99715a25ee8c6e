"""What is tried in fresh environments: nox -s NAME.  What stands behind -- goes to pytest: nox -s minimum -- tests/io.

'make minimum', 'make newest' and 'make package' call the sessions of these names; 'make test', 'make lint' and
'make docs' need no nox, and their sessions do the same, with any interpreter.
"""

import os
import shutil
import sys
import tarfile
from pathlib import Path

import nox

nox.needs_version = ">=2025.2.9"
nox.options.error_on_missing_interpreters = True  # named, not passed over
nox.options.download_python = "never"
nox.options.sessions = ["lint"]

ROOT = Path(__file__).parent
CACHE = ROOT / ".cache"
PYTHONS = ["3.11", "3.12", "3.13", "3.14"]
EXTRAS = "torch,cluster,files,md,approximate,solvers,representations,sampling,clones,quantum,report,test"
# Not torch, for which uv would load gigabytes of CUDA on Linux: the tests that need it skip.
WHEEL_EXTRAS = os.environ.get("WHEEL_EXTRAS", "cluster files md approximate solvers report test").split()
WHEEL_LIMIT = 4_000_000  # bytes
# Two workers fill two cores; tests that start threads of their own then share them, so BLAS keeps to one.
PARALLEL = ("-n", os.environ.get("TEST_JOBS", "2"), "--dist", "worksteal")
ONE_THREAD = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """Doctests and tests, as 'make test' runs them."""
    session.install("-c", "constraints.txt", "-e", f".[{EXTRAS}]")
    run_tests(session, "python", *(session.posargs or ["--doctest-modules", "src/infoscope", "tests"]))


@nox.session
def lint(session: nox.Session) -> None:
    """Style, spelling, forge files, types, import contracts, the form of docstrings, the recipe."""
    session.install("-c", "constraints.txt", "-e", ".[lint,test,release]")
    session.run("python", "tests/lint.py")
    run_tests(session, "python", "tests/test_docstrings.py", "tests/test_pins.py", "tests/test_registries.py")


@nox.session(venv_backend="none")
def docs(session: nox.Session) -> None:
    """The documentation, in docs/_build/html."""
    session.run("make", "docs", f"PYTHON={sys.executable}", external=True)


@nox.session(venv_backend="uv")
def minimum(session: nox.Session) -> None:
    """The tests of a wheel with the lowest versions that pyproject.toml allows."""
    try_wheel(session, "lowest-direct")


@nox.session(venv_backend="uv")
def newest(session: nox.Session) -> None:
    """The tests of a wheel with the newest versions there are."""
    try_wheel(session, "highest")


@nox.session
def package(session: nox.Session) -> None:
    """What would be uploaded, in dist: built, checked, and each file installed alone and tried far from the sources."""
    session.install("-c", "constraints.txt", "build", "twine", "check-wheel-contents")
    shutil.rmtree(ROOT / "dist", ignore_errors=True)
    session.run("python", "-m", "build", "--outdir", "dist", ".")
    (wheel,), (sdist,) = (ROOT / "dist").glob("*.whl"), (ROOT / "dist").glob("*.tar.gz")
    session.run("twine", "check", "--strict", str(wheel), str(sdist))
    session.run("check-wheel-contents", str(wheel))
    if wheel.stat().st_size > WHEEL_LIMIT:
        session.error(f"{wheel.name} has {wheel.stat().st_size:,} bytes, more than {WHEEL_LIMIT:,}")

    folder = fresh_folder("package")
    show_demo(session, str(wheel), folder / "wheel")
    python = show_demo(session, f"{sdist}[report,md,test]", folder / "sdist")  # with its page, and structures
    with tarfile.open(sdist) as archive:
        archive.extractall(folder, filter="data")
    (unpacked,) = folder.glob("infoscope-*")
    shutil.rmtree(unpacked / "src")  # what is tested is what was installed, as a distribution tests it
    session.env["INFOSCOPE_TESTS_LACK_EXTRAS"] = "yes"
    with session.chdir(unpacked):
        run_tests(session, python, "-W", "default", *(session.posargs or ["tests/imbalance", "tests/cli"]))
    session.log("in dist: " + ", ".join(f"{file.name} ({file.stat().st_size:,} bytes)" for file in (wheel, sdist)))


def run_tests(session: nox.Session, python: str, *arguments: str) -> None:
    """pytest of the tests that are not slow, with compiled code that no other session wrote."""
    where = {"MPLBACKEND": "Agg", "NUMBA_CACHE_DIR": str(fresh_folder(f"numba-{session.name}"))}
    command = (python, "-m", "pytest", "-p", "no:cacheprovider", *PARALLEL, "-m", "not slow", *arguments)
    session.run(*command, env=ONE_THREAD | where, external=python != "python")


def try_wheel(session: nox.Session, resolution: str) -> None:
    """Run the tests on an installed wheel, away from the sources.

    Of a wheel's requirements uv would always take the highest versions: they are resolved from pyproject.toml.
    Warnings of packages in versions that are not pinned fail no test, and tests that need another extra skip.
    """
    folder = fresh_folder(session.name)
    session.run("uv", "build", "-q", "--wheel", "--out-dir", str(folder), ".", external=True)
    extras = [word for extra in WHEEL_EXTRAS for word in ("--extra", extra)]
    session.install("--resolution", resolution, "--only-binary", ":all:", "-r", "pyproject.toml", *extras)
    session.install("--no-deps", *map(str, folder.glob("*.whl")))
    session.run("uv", "pip", "list", "-q", external=True)
    shutil.copytree(ROOT / "tests", folder / "tests")
    shutil.copy(ROOT / "pyproject.toml", folder)
    session.env["INFOSCOPE_TESTS_LACK_EXTRAS"] = "yes"
    with session.chdir(folder):
        run_tests(session, "python", "-W", "default", *session.posargs)


def show_demo(session: nox.Session, file: str, folder: Path) -> str:
    """Install a file alone in a fresh environment, run the demonstration, and return the environment's Python."""
    session.run("python", "-m", "venv", str(folder))
    scripts = folder / ("Scripts" if sys.platform == "win32" else "bin")
    python = str(scripts / "python")
    session.run(python, "-m", "pip", "install", "-qq", "-c", "constraints.txt", file, external=True)
    (folder / "demo").mkdir()
    where = {"MPLBACKEND": "Agg", "NUMBA_CACHE_DIR": str(CACHE / f"numba-{session.name}")}
    with session.chdir(folder / "demo"):
        session.run(str(scripts / "infoscope"), "demo", env=where, external=True)
    return python


def fresh_folder(name: str) -> Path:
    """An empty folder below .cache."""
    folder = CACHE / name
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder
