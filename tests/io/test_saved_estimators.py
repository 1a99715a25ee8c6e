"""Estimators kept whole: parameters and what the fit found come back bit for bit, for every class of the library."""

import dataclasses
import pkgutil
import subprocess
import sys
from importlib import import_module

import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator
from sklearn.decomposition import PCA
from sklearn.pipeline import make_pipeline
from tests.io.test_saved_records import changed, rewritten, same

import infoscope
from infoscope import DifferentiableImbalance, load, save
from infoscope.base import DataError, ParameterError
from infoscope.dimension import ABIDE, Gride, TwoNN, neighbor_table
from infoscope.neighbors import Space, nearest
from infoscope.quantum import Chain, IsingFamily
from infoscope.storage import allowed_classes

X = np.random.default_rng(0).normal(size=(120, 4))
Y = X * [3.0, 1.0, 0.0, 0.5]
FRAME = pd.DataFrame(X, columns=["a", "b", "c", "d"])
CALLS = ("transform", "inverse_transform", "predict", "score_samples", "get_support", "get_feature_names_out")
NEAR = {"random_state": 0, "n_jobs": 1, "binarize": "sign", "alpha_max": 0.99, "max_updates": 20}  # if it has it
NEAR |= {"orders": (1, 2), "n_steps": 8, "width": 8, "n_heads": 1, "n_kept": 3}  # of sequences
QUANTUM = {"family": IsingFamily(Chain(4)), "d_model": 4, "n_layers": 1, "n_samples": 32, "n_iter": 3}
OF_SEQUENCES = ("CloneLadder", "InteractionModel", "StudyTransformer")


def below(cls):
    return {one for child in cls.__subclasses__() for one in (child, *below(child))}


def every_estimator():
    """Found without the library's help: all modules are imported, then the classes below scikit-learn's base listed."""
    for room in allowed_classes.rooms():
        package = import_module(f"infoscope.{room}")
        for module in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
            try:
                import_module(module.name)
            except (ImportError, infoscope.base.MissingExtraError):  # of an extra that is not installed
                continue
    found = {cls for cls in below(BaseEstimator) if cls.__module__.startswith("infoscope.")}
    found -= {infoscope.sampling.FlowCVSampler}  # its target is a function: its result is saved, and its checkpoint
    return sorted((cls for cls in found if not cls.__subclasses__()), key=lambda cls: cls.__name__)


EVERY = every_estimator()


def same_state(one, other):
    """Equal parameters and attributes, also of the results, spaces and other estimators that it holds."""
    if isinstance(one, dict):
        return type(one) is type(other) and list(one) == list(other) and all(same_state(one[k], other[k]) for k in one)
    if isinstance(one, list):
        return type(one) is type(other) and len(one) == len(other) and all(map(same_state, one, other))
    if isinstance(one, BaseEstimator):
        names = sorted(vars(one))
        known = sorted(vars(other)) == names
    elif dataclasses.is_dataclass(one):
        names, known = [item.name for item in dataclasses.fields(one)], True
    else:
        return same(one, other)
    return (
        known
        and type(one) is type(other)
        and all(same_state(getattr(one, name), getattr(other, name)) for name in names)
    )


def made(cls, **options):
    needed = QUANTUM if cls.__name__ == "FoundationQuantumState" else {}
    known = cls(**needed).get_params()
    options = needed | options
    return cls(**{name: value for name, value in {**NEAR, **options}.items() if name in known})


def target(cls, n=None):
    """What the first n rows are fitted to: groups for those that take groups."""
    return Y[:n, 0] > 0 if cls.__name__ == "RemoveCentroids" else Y[:n]


def items(cls, rows=FRAME):
    """What it is fitted to: whole numbers for the one of lattices, two beads and the first for the one of chains."""
    if cls.__name__ in OF_SEQUENCES:
        return np.tile((np.asarray(rows) > 0).astype(int), (40, 1))  # enough of them for every parameter
    if cls.__name__ == "FoundationQuantumState":
        return np.array([[0.5], [1.5]])  # couplings
    if cls.__name__ == "ChainShapeProposal":
        rows = pd.DataFrame(rows, columns=FRAME.columns)
        return rows.assign(e=rows["a"] * rows["b"], f=rows["c"] * rows["d"])
    return rows.round() if cls.__name__ == "LatticeID" else rows


def test_the_walk_finds_what_is_known():
    assert {ABIDE, DifferentiableImbalance, Gride, TwoNN} <= set(EVERY)


def test_rooms_are_the_packages_of_the_library():
    assert {"base", "dimension", "imbalance", "neighbors", "statistics"} <= set(allowed_classes.rooms())
    assert "__main__" not in allowed_classes.rooms()  # importing that would run it


@pytest.mark.parametrize("cls", EVERY)
def test_every_estimator_is_a_public_name_of_its_room(cls):
    room, name = allowed_classes.name_of(cls).rsplit(".", 1)  # else a fresh process would not find it
    assert name in import_module(room).__all__


@pytest.mark.parametrize("cls", EVERY)
def test_every_estimator_comes_back(cls, tmp_path):
    fitted = made(cls).fit(items(cls), target(cls))
    back = load(save(fitted, tmp_path / "a.npz"))
    assert same_state(fitted, back)
    for name in (name for name in CALLS if hasattr(fitted, name)):
        given = {"inverse_transform": lambda: (fitted.transform(FRAME),), "transform": lambda: (FRAME,)}
        given |= {"predict": given["transform"], "score_samples": lambda: (items(cls),)}
        arguments = given.get(name, tuple)()
        assert same(np.asarray(getattr(fitted, name)(*arguments)), np.asarray(getattr(back, name)(*arguments))), name
    if cls.__name__ == "FoundationQuantumState":
        assert str(fitted.score(items(cls), random_state=0)) == str(back.score(items(cls), random_state=0))
    elif hasattr(fitted, "score"):
        rows = items(cls) if cls.__name__ in OF_SEQUENCES else FRAME
        assert same(fitted.score(rows, Y), back.score(rows, Y))
    again = back.fit(items(cls), target(cls))  # what was loaded can be fitted, and finds the same
    for name in ("dimension_", "weights_", "labels_"):
        if hasattr(fitted, name):
            assert same(getattr(again, name), getattr(fitted, name))


@pytest.mark.parametrize("cls", EVERY)
def test_unfitted_comes_back_unfitted(cls, tmp_path):
    before = made(cls)
    back = load(save(before, tmp_path / "a.npz"))
    assert same_state(before, back) and not [name for name in vars(back) if name.endswith("_")]


def test_parameters_that_are_arrays_and_all_that_a_fit_can_hold(tmp_path):
    fit = DifferentiableImbalance(
        5, init=np.array([1.0, 0.1, 0.1, 0.3]), groups=["x", "x", "y", "z"], period={"a": 50.0}, n_resamples=3,
        validation=0.3, max_iter=np.int64(20), random_state=1,
    ).fit(FRAME, Y)  # fmt: skip
    back = load(save(fit, tmp_path / "a.npz"))
    assert same_state(fit, back) and type(back.max_iter) is np.int64
    assert back.validation_dii_ == fit.validation_dii_ and same(back.weights_interval_, fit.weights_interval_)
    assert str(back.result_) == str(fit.result_) and back.result_.plot() is not None
    with pytest.raises(ValueError, match="same order"):  # of scikit-learn: the names are known as before
        back.transform(FRAME[["b", "a", "c", "d"]])


def test_the_form_of_the_output_is_kept(tmp_path):
    fit = made(DifferentiableImbalance).fit(FRAME, Y).set_output(transform="pandas")
    pd.testing.assert_frame_equal(load(save(fit, tmp_path / "a.npz")).transform(FRAME), fit.transform(FRAME))


def test_a_fresh_process_finds_the_class(tmp_path):
    fits = {"d": TwoNN().fit(X), "w": made(DifferentiableImbalance).fit(X, Y)}
    for name, fit in fits.items():
        save(fit, tmp_path / f"{name}.npz")
    code = (
        "import sys; from infoscope import load; assert 'infoscope.dimension' not in sys.modules;"
        "print(load(sys.argv[1]).dimension_.hex(), load(sys.argv[2]).dii_.hex())"
    )
    paths = [str(tmp_path / "d.npz"), str(tmp_path / "w.npz")]
    out = subprocess.run([sys.executable, "-c", code, *paths], capture_output=True, text=True, check=True).stdout
    assert out.split() == [float(fits["d"].dimension_).hex(), float(fits["w"].dii_).hex()]


class Mine(TwoNN):
    def __init__(self, method="ml", *, fraction=0.9, n_rows=None, thin="auto", random_state=0, n_jobs=None, near=None):
        super().__init__(method, fraction=fraction, n_rows=n_rows, thin=thin, random_state=random_state, n_jobs=n_jobs)
        self.near = near


def test_a_class_of_your_own_and_an_estimator_inside_another(tmp_path):
    mine = Mine(near=Gride(max_rank=4).fit(X)).fit(X)
    back = load(save(mine, tmp_path / "a.npz"))
    assert type(back) is Mine and same(back.result_, mine.result_) and same_state(back.near, mine.near)


def test_spaces_and_neighbours_that_an_estimator_holds(tmp_path):
    space = Space(FRAME, period={"a": 30.0}, scale="standard", time=np.arange(120.0), run=["x", "y"] * 60, name="A")
    fit = TwoNN().fit(space)
    fit.space_, fit.table_, fit.graph_ = space, neighbor_table(space, 3), nearest(space, 2)
    save(fit, tmp_path / "a.npz")
    back = load(tmp_path / "a.npz")
    for item in dataclasses.fields(Space):
        assert same(getattr(back.space_, item.name), getattr(space, item.name)), item.name
    again = TwoNN().fit(back.space_).result_
    assert again.dimension == fit.dimension_ and not back.space_.features.flags.writeable
    assert same(nearest(back.table_.space, 2).squared, fit.graph_.squared)
    assert same(back.graph_.take([3, 1]).distances, fit.graph_.take([3, 1]).distances)
    with np.load(tmp_path / "a.npz") as content:  # the space is held twice, its features are written once
        assert sum(content[name].shape == X.shape for name in content.files) == 1


@pytest.mark.parametrize("name", ["infoscope.neighbors.Unheard", "infoscope.neighbors.nearest", "pathlib.Path"])
def test_parts_of_unknown_classes(name, tmp_path):
    fit = TwoNN().fit(X)
    fit.graph_ = nearest(Space(X), 2)
    path = save(fit, tmp_path / "a.npz")
    with pytest.raises(DataError, match="no such class here"):
        load(rewritten(path, changed("result", "fitted", "graph_", "class", to=name)))
    save(fit, path)
    with pytest.raises(DataError, match="NeighborGraph has no field 'tomorrow'"):
        load(rewritten(path, changed("result", "fitted", "graph_", "fields", "tomorrow", to=1)))


@pytest.mark.parametrize(
    ("estimator", "message"),
    [
        (TwoNN(random_state=np.random.default_rng(0)), "parameter random_state of TwoNN is a Generator.*set a seed"),
        (TwoNN(random_state=np.random.RandomState(0)), "parameter random_state of TwoNN is a RandomState.*set a seed"),
        (DifferentiableImbalance(groups=len), "parameter groups of DifferentiableImbalance is a builtin_function"),
        (DifferentiableImbalance(period={"a": [np.sin]}), r"parameter period .*\['a'\]\[0\] is a ufunc"),
        (DifferentiableImbalance(init=pd.Series([1.0])), "parameter init of DifferentiableImbalance is a Series"),
        (Mine(near=PCA()), "parameter near of Mine is a PCA, which is no estimator of infoscope"),
        (make_pipeline(PCA(), TwoNN()), "this is a Pipeline, which is no estimator of infoscope"),
    ],
)
def test_what_cannot_be_saved_is_named(estimator, message, tmp_path):
    with pytest.raises(ParameterError, match=message):
        save(estimator, tmp_path / "a.npz")
    assert not list(tmp_path.iterdir())


def test_an_attribute_that_cannot_be_saved_is_named(tmp_path):
    fit = TwoNN().fit(X)
    fit.graph_ = open
    with pytest.raises(ParameterError, match="graph_ of TwoNN is a builtin_function"):
        save(fit, tmp_path / "a.npz")


def test_requests_for_metadata_are_not_lost_in_silence(tmp_path):
    import sklearn

    with sklearn.config_context(enable_metadata_routing=True):
        fit = TwoNN().set_fit_request(time=True)
    with pytest.raises(ParameterError, match="set them again after loading"):
        save(fit, tmp_path / "a.npz")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (changed("format_version", to=9), "format version 9, and this infoscope reads versions up to 1: install infos"),
        (changed("result", "class", to="infoscope.dimension.Unheard"), "no such estimator here"),
        (changed("result", "class", to="sklearn.decomposition._pca.PCA"), "no such estimator here"),
        (changed("result", "class", to="infoscope.dimension.Dimension"), "no such estimator here"),
        (changed("result", "class", to="os.system"), "no such estimator here"),
        (changed("result", "is", to="result"), "damaged"),
        (changed("result", "parameters", "tomorrow", to=1), "has no parameter 'tomorrow'"),
        (changed("result", "parameters", to=3), "damaged"),
        (changed("result", "fitted", "fit", to=3), "damaged: 'fit' is no fitted attribute"),
        (changed("result", "fitted", "__class__", to=3), "damaged: '__class__'"),
        (changed("result", "fitted", "method", to=3), "damaged: 'method'"),
        (changed("result", "fitted", "result_", "fields", to={}), "needs a field"),
        (changed("result", "fitted", "result_", to={"is": "spell"}), "unknown kind 'spell'"),
        (lambda record: record["result"].pop("fitted"), "damaged"),
    ],
)
def test_records_that_are_wrong(change, message, tmp_path):
    path = rewritten(save(TwoNN().fit(X), tmp_path / "a.npz"), change)
    with pytest.raises(DataError, match=message) as error:
        load(path)
    assert "a.npz" in str(error.value)


def test_a_parameter_that_came_later_has_its_default(tmp_path):
    path = rewritten(
        save(TwoNN("fit", n_jobs=1), tmp_path / "a.npz"), lambda record: record["result"]["parameters"].pop("n_jobs")
    )
    assert load(path).get_params() == TwoNN("fit").get_params()


def test_a_damaged_file(tmp_path):
    path = save(TwoNN().fit(X), tmp_path / "a.npz")
    path.write_bytes(path.read_bytes()[:-30])
    with pytest.raises(DataError, match="cut short or damaged"):
        load(path)
