"""Old names: that they work, warn, and go in time."""

import importlib
import inspect
import pickle
import pkgutil
import subprocess
import sys
import tomllib
import warnings
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from packaging.version import Version
from sklearn.base import BaseEstimator, clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

import infoscope
from infoscope.base import DeprecatedNameWarning, InfoscopeWarning, ParameterError, deprecated, deprecated_names
from infoscope.base.deprecation import DEPRECATIONS, Deprecation

VERSIONS = dict(since="0.1", remove="99")


@deprecated(**VERSIONS, instead="nearest")
def closest(x, *, k=1):
    """The k smallest."""
    return sorted(x)[:k]


@deprecated("n", **VERSIONS, instead="k")
@deprecated("data", **VERSIONS, instead="x")
def nearest(x, k=1):
    return sorted(x)[:k]


@deprecated(**VERSIONS, instead="Estimator")
class OldEstimator:
    def __init__(self, k=1):
        self.k = k


@deprecated("n_neighbors", **VERSIONS, instead="max_neighbors")
@deprecated("units", **VERSIONS, instead="unit")
class Estimator(BaseEstimator):
    def __init__(self, max_neighbors=5, *, unit="kT"):
        self.max_neighbors = max_neighbors
        self.unit = unit

    def fit(self, X, y=None):
        self.n_ = len(X)
        return self

    def score(self, X, y=None):
        return -abs(self.max_neighbors - 3)


class Child(Estimator):
    pass


@pytest.fixture
def silent():
    """No old name may be used."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", DeprecatedNameWarning)
        yield


# --------------------------------------------------------------------------------------------- functions and arguments
def test_the_warning_is_one_that_users_see():
    assert issubclass(DeprecatedNameWarning, InfoscopeWarning) and issubclass(DeprecatedNameWarning, FutureWarning)
    code = (
        "import warnings\n"
        "from infoscope.base import deprecated\n"
        "@deprecated(since='0.1', remove='99', instead='g')\n"
        "def f(): pass\n"
        "f()"
    )
    module = f"import types; exec(compile({code!r}, 'theirs.py', 'exec'), vars(types.ModuleType('theirs')))"
    done = subprocess.run([sys.executable, "-c", module], capture_output=True, text=True, check=True)
    sentence = "theirs.py:5: DeprecatedNameWarning: f is deprecated since infoscope 0.1 and goes in 99: use g"
    assert sentence in done.stderr  # at the user's line, in an imported module, without any option of Python


def test_an_old_function():
    with pytest.warns(
        DeprecatedNameWarning, match="^closest is deprecated since infoscope 0.1 .* 99: use nearest$"
    ) as w:
        assert closest([3, 1, 2], k=2) == [1, 2]
    assert len(w) == 1 and w[0].filename == __file__
    assert closest.__doc__ == "The k smallest." and pickle.loads(pickle.dumps(closest)) is closest


def test_old_arguments(silent):
    assert nearest([2, 1], k=2) == nearest([2, 1], 2) == [1, 2]
    assert list(inspect.signature(nearest).parameters) == ["x", "k"]
    with pytest.warns(DeprecatedNameWarning, match=r"^nearest\(n=\) is deprecated .*: use k$"):
        assert nearest([2, 1], n=2) == [1, 2]
    with pytest.warns(DeprecatedNameWarning) as w:
        assert nearest(data=[2, 1], n=2) == [1, 2]
    assert len(w) == 2
    with pytest.raises(TypeError, match="unexpected keyword argument 'm'"):
        nearest([1], m=2)


@pytest.mark.parametrize(
    ("args", "options"), [(([1], 2), dict(n=2)), (([1],), dict(k=2, n=2)), (([1],), dict(data=[1]))]
)
def test_both_names_are_an_error(args, options):
    with pytest.raises(ParameterError, match="(n|data) is the old name of (k|x), and both are given"):
        nearest(*args, **options)


# -------------------------------------------------------------------------------------------------------------- classes
def test_an_old_class(silent):
    with pytest.warns(DeprecatedNameWarning, match="^OldEstimator is .*: use Estimator$"):
        old = OldEstimator(k=3)
    assert type(old) is OldEstimator and old.k == 3
    assert pickle.loads(pickle.dumps(old)).k == 3  # whoever has one already is not warned again


@pytest.mark.parametrize("kind", [Estimator, Child])
def test_the_constructor_of_an_estimator(kind, silent):
    with pytest.warns(DeprecatedNameWarning, match=r"^Estimator\(n_neighbors=\) is .*: use max_neighbors$") as w:
        old = kind(n_neighbors=7)
    assert len(w) == 1 and w[0].filename == __file__
    assert old.get_params() == {"max_neighbors": 7, "unit": "kT"} and not hasattr(old, "n_neighbors")
    assert list(inspect.signature(kind).parameters) == ["max_neighbors", "unit"]
    assert clone(old).get_params() == old.get_params() == pickle.loads(pickle.dumps(old.fit([1]))).get_params()
    assert repr(old) == f"{kind.__name__}(max_neighbors=7)"
    for call in (lambda: kind(3, n_neighbors=3), lambda: kind(max_neighbors=3, n_neighbors=3)):
        with pytest.raises(ParameterError, match="n_neighbors is the old name of max_neighbors"):
            call()


def test_set_params_and_searches(silent):
    with pytest.warns(DeprecatedNameWarning, match="n_neighbors"):
        assert Estimator().set_params(n_neighbors=4, unit="kJ/mol").get_params() == {
            "max_neighbors": 4,
            "unit": "kJ/mol",
        }
    with pytest.raises(ParameterError, match="both are given"):
        Estimator().set_params(n_neighbors=4, max_neighbors=4)
    with pytest.raises(ValueError, match="Invalid parameter 'neighbors'"):
        Estimator().set_params(neighbors=4)
    with pytest.warns(DeprecatedNameWarning):
        assert make_pipeline(Estimator()).set_params(estimator__n_neighbors=2)[0].max_neighbors == 2
    with pytest.warns(DeprecatedNameWarning):
        found = GridSearchCV(Estimator(), {"n_neighbors": [1, 3, 9]}, cv=2).fit(np.zeros((6, 1)))
    assert found.best_estimator_.max_neighbors == 3


# -------------------------------------------------------------------------------------------------------------- modules
@pytest.fixture
def package(monkeypatch):
    """A package whose file `before` became `after`, and whose function `f` became `g` in there."""
    home, after = ModuleType("their_package"), ModuleType("their_package.after")
    home.__path__, after.g = [], lambda: "result"
    after.g.__module__ = after.__name__
    for module in (home, after):
        monkeypatch.setitem(sys.modules, module.__name__, module)
    monkeypatch.delitem(sys.modules, "their_package.before", raising=False)
    home.after = after
    names = {"before": "their_package.after", "f": "their_package.after:g"}
    home.__getattr__ = deprecated_names(home.__name__, names, **VERSIONS)
    yield home
    sys.modules.pop("their_package.before", None)


def test_names_that_moved(package):
    with pytest.warns(DeprecatedNameWarning, match="^their_package.f is .*: use their_package.after.g$"):
        assert package.f is package.after.g
    with pytest.warns(DeprecatedNameWarning, match="^their_package.before is .*: use their_package.after$"):
        assert package.before is package.after
    with pytest.raises(AttributeError, match="module 'their_package' has no attribute 'nothing'"):
        package.nothing  # noqa: B018
    assert not hasattr(package, "nothing") and "their_package.f" not in sys.modules


@pytest.mark.parametrize(
    "line",
    [
        "from their_package import before; found = before.g",
        "from their_package.before import g as found",
        "import their_package.before; found = their_package.before.g",
        "import their_package.before as before; found = before.g",
        "import importlib; found = importlib.import_module('their_package.before').g",
    ],
)
def test_every_way_to_import_a_module_that_moved(package, line):
    space = {"__name__": "theirs"}
    with pytest.warns(DeprecatedNameWarning, match="their_package.before is .*: use their_package.after") as w:
        exec(compile(line, "theirs.py", "exec"), space)
    assert space["found"] is package.after.g
    assert {str(one.filename) for one in w} == {"theirs.py"}


def test_what_was_pickled_under_an_old_name(package):
    """Protocol 0 of a reference: the old module, the old name."""
    with pytest.warns(DeprecatedNameWarning):
        assert pickle.loads(b"ctheir_package.before\ng\n.") is package.after.g


def test_looking_at_all_modules_does_not_warn(package, silent):
    for module in list(sys.modules.values()):
        inspect.getmodule(module)
        getattr(module, "__warningregistry__", None)
    with pytest.raises(AttributeError, match="their_package.after"):
        sys.modules["their_package.before"].nothing  # noqa: B018


# --------------------------------------------------------------------------------------------------------- in due time
def overdue(version, entries):
    """Names that a version must not have any more; a development version counts as the release that it becomes."""
    return [entry.old for entry in entries if Version(Version(version).base_version) >= Version(entry.remove)]


def test_when_a_name_is_overdue():
    entry = Deprecation("f", "g", since="0.1", remove="0.2")
    assert overdue("0.1.9", [entry]) == overdue("0.1.0.dev0", [entry]) == []
    assert overdue("0.2.0.dev0", [entry]) == overdue("0.2", [entry]) == overdue("1.0rc1", [entry]) == ["f"]


def test_all_are_registered():
    assert Deprecation("Estimator(n_neighbors=)", "max_neighbors", "0.1", "99") in DEPRECATIONS
    assert Deprecation("closest", "nearest", "0.1", "99") in DEPRECATIONS


def test_no_old_name_stays_longer_than_one_release():
    state = np.random.get_state()  # noqa: NPY002  (jax draws from it when it is first imported)
    for module in pkgutil.walk_packages(infoscope.__path__, "infoscope."):
        try:
            importlib.import_module(module.name)
        except ImportError as missing:  # what a package of an extra brings
            assert missing.name and not missing.name.startswith("infoscope"), module.name
    np.random.set_state(state)  # noqa: NPY002
    version = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text())["project"]["version"]
    assert overdue(version, DEPRECATIONS) == []
    assert all(Version(entry.since) < Version(entry.remove) for entry in DEPRECATIONS)
