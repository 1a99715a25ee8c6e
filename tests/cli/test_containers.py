"""From .h5, .zarr, .nc and .h5ad files to results: what the command gives is what arrays passed by hand give."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from infoscope import Space, information_imbalance

N = 150
DATES = np.datetime64("2020-01-01", "ns") + np.arange(N).astype("m8[D]")


@pytest.fixture(scope="module")
def walk():
    """Correlated rows, so that the time of the file decides the number."""
    steps = np.random.default_rng(0).normal(size=(N, 4))
    slow = np.empty((N, 4))
    slow[0] = steps[0]
    for t in range(1, N):
        slow[t] = 0.9 * slow[t - 1] + 0.4 * steps[t]
    return slow


@pytest.fixture
def files(walk, tmp_path, monkeypatch):
    h5py, zarr = pytest.importorskip("h5py"), pytest.importorskip("zarr")
    xarray, anndata = pytest.importorskip("xarray"), pytest.importorskip("anndata")
    monkeypatch.chdir(tmp_path)
    with h5py.File("x.h5", "w") as file:
        file["cv/all"], file["cv/two"], file["cv/time"] = walk, walk[:, :2], 2.0 * np.arange(N)
    group = zarr.open_group("x.zarr", mode="w")
    group["all"], group["two"], group["time"] = walk, walk[:, :2], 2.0 * np.arange(N)
    fields = {"all": (("time", "lat", "lon"), walk.reshape(N, 2, 2)), "two": (("time", "lon"), walk[:, :2])}
    data = xarray.Dataset(fields, coords={"time": DATES, "lat": [45.0, 46.0], "lon": [10.0, 11.0]})
    data.to_netcdf("x.nc", engine="netcdf4")
    kind = pd.Categorical(np.where(walk[:, 0] > 0, "up", "down"))
    obs = pd.DataFrame({"kind": kind}, index=[f"c{i}" for i in range(N)])
    cells = anndata.AnnData(walk, obs=obs, var=pd.DataFrame(index=list("abcd")))
    cells.obsm["X_two"] = walk[:, :2]
    cells.write_h5ad("x.h5ad")
    return tmp_path


def values_of(ran):
    assert ran.code == 0, ran.err
    return json.loads(Path("r.json").read_text())["values"]


@pytest.mark.filterwarnings("ignore:runs are shorter")
@pytest.mark.parametrize(("file", "step"), [("x.h5/cv", 2.0), ("x.zarr", 2.0), ("x.nc", 86400.0)])
def test_the_time_of_the_file_is_used(files, walk, infoscope, file, step):
    spaces = ("--space", f"A={file}/all", "--space", f"B={file}/two")
    found = values_of(infoscope("compare", *spaces, "--output", "r.json"))
    time = step * np.arange(N)
    truth = information_imbalance(Space(walk, time=time), Space(walk[:, :2], time=time), random_state=0)
    # the runs are shorter than 20 correlation times, which both say: what is compared here is the way to the number
    for name in ("a_to_b", "a_to_b_se", "b_to_a", "b_to_a_se", "exclusion_window"):
        assert found[name] == pytest.approx(getattr(truth, name), rel=1e-9), name  # seconds since 1970 are rounded
    naive = information_imbalance(walk, walk[:, :2], exclusion_window=0)
    assert abs(naive.b_to_a - found["b_to_a"]) > 0.01


def test_cells_and_their_labels(files, walk, infoscope):
    found = values_of(
        infoscope(
            "compare", "--space", "A=x.h5ad:c,a", "--space", "B=x.h5ad/X_two", "--window", "0", "--output", "r.json"
        )
    )
    truth = information_imbalance(walk[:, [2, 0]], walk[:, :2], exclusion_window=0, random_state=0)
    assert found["a_to_b"] == truth.a_to_b and found["b_to_a"] == truth.b_to_a
    for labels in ("kind", "x.h5ad:kind"):
        found = values_of(
            infoscope("compare", "--space", "A=x.h5ad/X_two", "--labels", labels, "--window", "0", "--output", "r.json")
        )
        target = Space.from_labels(np.where(walk[:, 0] > 0, "up", "down"))
        truth = information_imbalance(walk[:, :2], target, exclusion_window=0, random_state=0)
        assert found["a_to_b"] == truth.a_to_b


def test_what_is_known_of_the_cells_is_listed(files, infoscope):
    ran = infoscope("compare", "--space", "A=x.h5ad/X_two", "--labels", "cell_type", "--window", "0")
    assert ran.code == 2 and "--labels cell_type: neither a column" in ran.err
    assert ran.err.strip().endswith("Beside the tables are: kind.")


@pytest.mark.filterwarnings("ignore:runs are shorter")
def test_columns_of_a_store_that_is_a_folder(files, walk, infoscope):
    found = values_of(
        infoscope(
            "compare",
            "--space",
            "A=x.zarr/all:0,3",
            "--space",
            "B=x.h5/cv/two:1",
            "--time",
            "x.zarr/time",
            "--output",
            "r.json",
        )
    )
    time = 2.0 * np.arange(N)
    truth = information_imbalance(Space(walk[:, [0, 3]], time=time), Space(walk[:, 1:2], time=time), random_state=0)
    assert found["a_to_b"] == truth.a_to_b and found["exclusion_window"] == truth.exclusion_window
    record = json.loads(Path("r.json").read_text())
    assert [entry["name"] for entry in record["files"]] == ["x.zarr", "x.h5"]
    again = infoscope("rerun", "r.json")
    assert again.code == 0, again.err
