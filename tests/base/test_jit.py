import sys

import numpy as np

from infoscope.base import kernel


@kernel
def ratio(x, y):
    return x / y


@kernel(inline="always")
def square(x):
    return x * x


def test_kernel_divides_as_numpy_does():
    assert ratio(1.0, 0.0) == np.inf  # numba's default raises ZeroDivisionError


def test_kernel_with_options():
    assert square(3.0) == 9.0
    assert ratio.targetoptions["nogil"] and ratio.__name__ == "ratio"


def test_kernel_works_without_a_folder_for_its_cache():
    scope: dict = {}
    exec("def plus_one(x):\n    return x + 1\n", scope)  # its source is no file, so numba finds no place for a cache
    assert kernel(scope["plus_one"])(1) == 2


def test_importing_the_room_does_not_import_numba():
    import subprocess

    code = "import sys, infoscope.base; sys.exit('numba' in sys.modules or 'pandas' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
