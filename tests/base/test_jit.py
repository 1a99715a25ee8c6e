import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import infoscope
from infoscope.base import kernel

DOOR = "from infoscope.base import kernel\n"


@kernel
def ratio(x, y):
    return x / y


@kernel(inline="always")
def square(x):
    return x * x


@kernel(inner=True)
def power(x, n):
    total = x
    while n > 1:
        total *= x
        n -= 1
    return total


@kernel
def polynomial(x, n):
    return square(x) + power(x, 3) + power(x, n)


def test_kernel_divides_as_numpy_does():
    assert ratio(1.0, 0.0) == np.inf  # numba's default raises ZeroDivisionError


def test_kernel_with_options():
    assert polynomial(3.0, 2) == 9.0 + 27.0 + 9.0
    assert ratio.targetoptions["nogil"] and ratio.__name__ == "ratio"


def test_constants_make_no_further_version_of_an_inner_kernel():
    polynomial(3.0, 2)
    assert len(power.overloads) == 1


@pytest.mark.parametrize(("inner", "given"), [(square, (3.0,)), (power, (3.0, 2))])
def test_an_inner_kernel_refuses_python(inner, given):
    for _ in range(2):
        with pytest.raises(TypeError, match="only other kernels call it"):
            inner(*given)
        polynomial(3.0, 2)  # compiled, it refuses as well


def test_kernel_works_without_a_folder_for_its_cache():
    scope: dict = {}
    exec("def plus_one(x):\n    return x + 1\n", scope)  # its source is no file, so numba finds no place for a cache
    assert kernel(scope["plus_one"])(1) == 2


def test_kept_code_is_forgotten_when_the_file_of_a_callee_changes(tmp_path):
    """A kernel that calls one of another file, which calls one of a third: each in a process of its own."""
    (tmp_path / "first.py").write_text(f"{DOOR}import second\n@kernel\ndef f(x):\n    return second.g(x) + later(x)\n"
                                       "@kernel\ndef later(x):\n    return 0 * x\n")  # fmt: skip
    (tmp_path / "second.py").write_text(f"{DOOR}from third import h\n@kernel\ndef g(x):\n    return h(x)\n")
    (tmp_path / "third.py").write_text(f"{DOOR}@kernel\ndef h(x):\n    return x + 1\n")
    code = "import first; print(first.f(1), sum(first.f.stats.cache_hits.values()))"
    run = [sys.executable, "-c", code]
    room = str(Path(infoscope.__file__).parents[1])
    env = {**os.environ, "NUMBA_CACHE_DIR": str(tmp_path / "kept"), "PYTHONPATH": f"{tmp_path}{os.pathsep}{room}"}

    def answer():
        return subprocess.run(run, env=env, cwd=tmp_path, capture_output=True, text=True, check=True).stdout.split()

    assert [answer(), answer()] == [["2", "0"], ["2", "1"]]  # compiled, then from the disk
    (tmp_path / "third.py").write_text(f"{DOOR}@kernel\ndef h(x):\n    return x + 10\n")
    assert [answer(), answer()] == [["11", "0"], ["11", "1"]]


def test_compiled_code_is_kept_in_the_folder_of_the_user_not_beside_the_source(tmp_path):
    (tmp_path / "installed").mkdir()
    (tmp_path / "installed" / "one.py").write_text(f"{DOOR}@kernel\ndef f(x):\n    return x + 1\n")
    room = str(Path(infoscope.__file__).parents[1])
    home = str(tmp_path / "home")
    own = {"HOME": home, "XDG_CACHE_HOME": home, "LOCALAPPDATA": home, "PYTHONDONTWRITEBYTECODE": "1"}
    env = {**os.environ, **own, "PYTHONPATH": f"{tmp_path / 'installed'}{os.pathsep}{room}"}
    env.pop("NUMBA_CACHE_DIR", None)
    code = "import one; print(one.f(1), sum(one.f.stats.cache_hits.values()))"

    def answer():
        done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, check=True)
        return done.stdout.split()

    assert [answer(), answer()] == [["2", "0"], ["2", "1"]]  # compiled, then from the disk
    assert [file.name for file in (tmp_path / "installed").iterdir()] == ["one.py"]
    assert len(list((tmp_path / "home").glob("**/one.f-*.nbc"))) == 1


def test_importing_the_room_does_not_import_numba():
    code = "import sys, infoscope.base; sys.exit('numba' in sys.modules or 'pandas' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
