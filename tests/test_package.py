"""The package as a whole: public names, lazy rooms, errors of every estimate."""

import ast
import pathlib
import subprocess
import sys

import infoscope
from infoscope.base.results import missing_values, result_classes

SOURCE = pathlib.Path(infoscope.__file__).parent
HEAVY = ("numpy", "scipy", "numba", "pandas", "sklearn", "matplotlib", "torch", "dask", "typer")


def test_every_public_name_exists():
    assert len(infoscope.__all__) > 15
    for name in infoscope.__all__:
        assert getattr(infoscope, name) is not None


def test_the_typed_stub_lists_the_same_names():
    tree = ast.parse((SOURCE / "__init__.pyi").read_text())
    imported = {alias.asname for node in tree.body if isinstance(node, ast.ImportFrom) for alias in node.names}
    rooms = {path.name for path in SOURCE.iterdir() if (path / "__init__.py").exists()}
    assert imported == (set(infoscope.__all__) - {"__version__"}) | rooms


def test_importing_the_package_loads_nothing_heavy():
    code = f"import sys, infoscope; print([m for m in {HEAVY} if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_sampling_loads_its_extras_only_where_they_are_used():
    code = (
        "import sys, numpy as np, infoscope.sampling\n"
        "x = np.random.default_rng(0).normal(size=(50, 2))\n"
        "infoscope.sampling.DefensiveProposal().fit(x).sample(3, np.random.default_rng(1))\n"
        "print([m for m in ('torch', 'zuko', 'openmm') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_exact_tools_of_clones_need_no_torch():
    code = (
        "import sys, numpy as np, infoscope.clones as clones\n"
        "clones.order_spectrum(np.random.default_rng(0).integers(2, size=(50, 3)), 2)\n"
        "clones.stationary_law(clones.gibbs_kernel(np.zeros((4, 2, 2)), 2, 2))\n"
        "print([m for m in ('torch', 'tokenizers', 'transformers') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_a_comparison_loads_no_optional_or_slow_package():
    code = (
        "import sys, numpy as np\n"
        "from infoscope import information_imbalance\n"
        "x = np.random.default_rng(0).normal(size=(50, 3))\n"
        "print(information_imbalance(x, x[:, :1]))\n"
        "slow = ('pandas', 'sklearn', 'matplotlib', 'torch', 'dask', 'faiss', 'typer', 'scipy.stats')\n"
        "print([m for m in slow if m in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.strip().splitlines()[-1] == "[]"


def test_every_standard_error_stands_beside_its_estimate():
    for name in infoscope.__all__:
        getattr(infoscope, name)  # loads all result classes
    classes = result_classes()
    names = {found.__name__ for found in classes}
    assert {"InformationImbalance", "ImbalanceMatrix", "ScaleCurve", "ImbalanceDifference"} <= names
    for found in classes:
        assert missing_values(found) == []


def test_an_unknown_name_is_an_attribute_error():
    try:
        infoscope.no_such_thing  # noqa: B018
    except AttributeError as error:
        assert "no_such_thing" in str(error)
    else:
        raise AssertionError("an unknown name must raise AttributeError")


def test_imports_are_relative_inside_a_subpackage_and_absolute_between_them():
    for path in SOURCE.rglob("*.py"):
        package = path.relative_to(SOURCE.parent).parts[:-1]
        if len(package) < 2:
            continue
        own = ".".join(package)
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and node.level == 0 and node.module is not None:
                inside = node.module == own or node.module.startswith(own + ".")
                assert not inside, f"{path}:{node.lineno} names its own subpackage: from .{node.module[len(own) + 1 :]}"
