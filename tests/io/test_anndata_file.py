"""AnnData files written by anndata: which table is read, how much of it, and results written back."""

import json
from dataclasses import dataclass

import numpy as np
import pandas as pd
import pytest

from infoscope.base import Result
from infoscope.base.errors import DataError, DataWarning, MissingExtraError, ParameterError
from infoscope.io import column_names, read_column, read_table, split_key, write_to_anndata

anndata = pytest.importorskip("anndata")
sparse = pytest.importorskip("scipy.sparse")
h5py = pytest.importorskip("h5py")
N, D = 30, 8
COUNTS = np.random.default_rng(0).poisson(0.4, size=(N, D)).astype(np.float32)
GENES = [f"g{j}" for j in range(D)]


def cells(x=COUNTS, **options):
    obs = pd.DataFrame(
        {
            "cell_type": pd.Categorical(["B", "T", "NK"] * 10),
            "n_genes": np.arange(N),
            "fraction": np.linspace(0, 1, N, dtype=np.float32),
        },
        index=[f"cell{i}" for i in range(N)],
    )
    adata = anndata.AnnData(x, obs=obs, var=pd.DataFrame(index=GENES), **options)
    adata.obsm["X_pca"] = 2 * COUNTS[:, :3]
    adata.obsm["scores"] = pd.DataFrame({"s": np.arange(N) / 2, "u": 1.0}, index=adata.obs_names)
    adata.layers["counts"] = sparse.csr_matrix(COUNTS + 1)
    return adata


@pytest.fixture
def save(tmp_path):
    def save_cells(adata, name="x.h5ad", **options):
        adata.write_h5ad(tmp_path / name, **options)
        return tmp_path / name

    return save_cells


@pytest.mark.parametrize("kind", [np.asarray, sparse.csr_matrix, sparse.csc_matrix])
def test_x_with_names_and_labels(save, kind):
    path = save(cells(kind(COUNTS)))
    table = read_table(path, labels=["cell_type"])
    assert np.array_equal(table.values, COUNTS) and table.values.dtype == np.float32
    assert table.names == tuple(GENES) and table.ids.tolist()[:2] == ["cell0", "cell1"]
    assert table.labels["cell_type"].tolist() == ["B", "T", "NK"] * 10
    part = read_table(path, columns=["g5", "g0"], rows=slice(3, 29, 5))
    assert np.array_equal(part.values, COUNTS[3:29:5, [5, 0]]) and part.ids.tolist()[1] == "cell8"
    assert column_names(path) == (*GENES, "cell_type", "n_genes", "fraction")
    assert read_column(path, "g3", rows=slice(2, 5)).tolist() == COUNTS[2:5, 3].tolist()


def test_other_tables(save):
    adata = cells()
    adata.raw = adata.copy()
    path = save(adata)
    for key in ("X_pca", "obsm/X_pca"):
        table = read_table(path, key=key)
        assert np.array_equal(table.values, 2 * COUNTS[:, :3]) and table.names == ("X_pca_0", "X_pca_1", "X_pca_2")
    assert np.array_equal(read_table(path, key="counts").values, COUNTS + 1)
    assert np.array_equal(read_table(path, key="raw").values, COUNTS)
    with pytest.warns(DataWarning, match="column 's' grows by the same step from row to row"):
        scores = read_table(path, key="scores", columns="s,u")
    assert scores.names == ("s", "u") and np.array_equal(scores.values[:, 0], np.arange(N) / 2)
    assert split_key(f"{path}/obsm/X_pca") == (path, "obsm/X_pca")
    with pytest.raises(ParameterError, match="holds no table 'X_pcaa'. Did you mean 'X_pca'.*It holds: X, raw/X, obs"):
        read_table(path, key="X_pcaa")
    adata.layers["X_pca"] = COUNTS
    with pytest.raises(ParameterError, match="holds obsm/X_pca and layers/X_pca: say which"):
        read_table(save(adata), key="X_pca")


def test_what_is_known_about_the_cells(save):
    path = save(cells())
    mixed = read_table(path, columns=["g1", "fraction", "n_genes"], rows=slice(1, 4))
    assert np.array_equal(mixed.values[:, 0], COUNTS[1:4, 1]) and mixed.values[:, 2].tolist() == [1, 2, 3]
    np.testing.assert_array_equal(mixed.values[:, 1], np.linspace(0, 1, N, dtype=np.float32)[1:4])
    with pytest.raises(DataError, match="column 'cell_type' is not numeric: row 0 .* holds 'B'.*--labels cell_type"):
        read_table(path, columns="cell_type")
    clash = cells()
    clash.obs["g0"] = 1.0
    assert column_names(save(clash))[-1] == "obs/g0" and read_column(save(clash), "obs/g0").tolist() == [1.0] * N


def test_an_old_file(tmp_path):
    """Frames as records and X as a bare array, as AnnData wrote them before 0.7."""
    with h5py.File(tmp_path / "old.h5ad", "w") as file:
        file["X"] = COUNTS
        file["obs"] = np.array(
            [(f"cell{i}", i % 2, i / 2) for i in range(N)], [("index", "S8"), ("kind", "i1"), ("size", "f8")]
        )
        file["uns/kind_categories"] = np.array([b"B", b"T"])
        file["var"] = np.array([(gene,) for gene in GENES], [("index", "S4")])
        file["obsm"] = np.array([(row,) for row in COUNTS[:, :2].tolist()], [("X_pca", "f4", (2,))])
    table = read_table(tmp_path / "old.h5ad", labels=["kind"])
    assert np.array_equal(table.values, COUNTS) and table.names == tuple(GENES) and table.ids[2] == "cell2"
    assert table.labels["kind"].tolist() == ["B", "T"] * 15
    assert np.array_equal(read_table(tmp_path / "old.h5ad", key="X_pca").values, COUNTS[:, :2])
    assert read_column(tmp_path / "old.h5ad", "size")[3] == 1.5


def test_a_file_without_encodings_of_names(save):
    """As AnnData 0.7 wrote it; its library warns of that, and the reader cannot change it."""
    path = save(cells())
    with h5py.File(path, "r+") as file:
        for name in ("obs/_index", "var/_index"):
            for attribute in ("encoding-type", "encoding-version"):
                del file[name].attrs[attribute]
    table = read_table(path)
    assert np.array_equal(table.values, COUNTS) and table.names == tuple(GENES)


def test_only_what_is_chosen_is_read(save, monkeypatch):
    """The table would be 4.5 GB with its zeros."""
    wide = sparse.random(60_000, 20_000, 1e-6, format="csr", dtype=np.float32, random_state=np.random.default_rng(0))
    path = save(anndata.AnnData(wide))
    part = read_table(path, columns=["19999", "7"], rows=slice(100, 60_000, 1000))
    assert np.array_equal(part.values, wide[100::1000][:, [19999, 7]].toarray())
    with pytest.raises(DataError, match=r"X is sparse, and 20000 columns of 60000 rows need 4.5 GB.*limit is 1"):
        read_table(path)
    monkeypatch.setattr("infoscope.io.anndata_file.DENSE_LIMIT", 100)
    with pytest.raises(DataError, match=r"compare an embedding \(.*y.h5ad/X_pca\), or fewer columns \(.*:NAME,NAME\)"):
        read_table(save(cells(sparse.csr_matrix(COUNTS)), "y.h5ad"))
    assert np.array_equal(read_table(save(cells(), "z.h5ad")).values, COUNTS)  # X is dense there: no zeros to write out


def test_the_parts_of_a_file_stay_in_it(save, monkeypatch):
    """Labels of a file with a large X: X, layers and embeddings are not looked at."""
    path, read = save(cells()), []
    original = h5py.Dataset.__getitem__

    def watched(self, item):
        values = original(self, item)
        read.append((self.name, np.size(values)))
        return values

    monkeypatch.setattr(h5py.Dataset, "__getitem__", watched)
    assert read_column(path, "n_genes").tolist() == list(range(N))
    assert not [name for name, _ in read if name.startswith(("/X", "/layers", "/obsm"))]
    read.clear()
    assert np.array_equal(read_table(path, rows=slice(4, 7)).values, COUNTS[4:7])
    assert [entry for entry in read if entry[0] == "/X"] == [("/X", 3 * D)]
    read.clear()
    assert np.array_equal(read_table(path, key="counts", rows=slice(4, 7)).values, COUNTS[4:7] + 1)
    assert [entry for entry in read if entry[0] == "/layers/counts/data"] == [("/layers/counts/data", 3 * D)]


# ------------------------------------------------------------------------------------------------------ results go back
@dataclass(frozen=True)
class Panel(Result):
    rows: tuple = ()
    table_only: str | None = None

    @property
    def verdict(self):
        return "g2 tells most"

    def _rows(self):
        return [dict(row) for row in self.rows]


ROWS = (
    {"gene": "g2", "tells": 0.1, "tells_se": 0.01, "p": None, "k": 1, "n_rows": 30, "mark": "a/b"},
    {"gene": "g5", "tells": 0.4, "tells_se": 0.02, "p": 0.5, "k": 1, "n_rows": 30, "mark": None},
)


def test_a_result_is_written_and_survives_the_file(save):
    adata = cells()
    assert write_to_anndata(Panel(ROWS), adata) == ("infoscope_tells", "infoscope_tells_se", "infoscope_p")
    again = anndata.read_h5ad(save(adata))
    expected = [np.nan, np.nan, 0.1, np.nan, np.nan, 0.4, np.nan, np.nan]
    np.testing.assert_array_equal(again.var["infoscope_tells"], expected)
    stored = again.uns["infoscope"]
    assert stored["type"] == "Panel" and stored["verdict"] == "g2 tells most"
    assert stored["table"]["gene"].tolist() == ["g2", "g5"] and stored["table"]["mark"].tolist() == ["a/b", ""]
    np.testing.assert_array_equal(stored["table"]["p"], [np.nan, 0.5])
    assert json.loads(stored["record"]) == Panel(ROWS).to_dict()


def test_rows_that_are_no_variables_stay_in_uns(save):
    for rows in (({"gene": "g2", "x": 1.0}, {"gene": "other", "x": 2.0}), ({"gene": "g2", "x": 1.0},) * 2, ()):
        adata = cells()
        assert write_to_anndata(Panel(rows), adata, "again") == () and not len(adata.var.columns)
        assert len(anndata.read_h5ad(save(adata)).uns["again"]["table"]) == len(rows)


def test_a_real_result(save):
    from infoscope import information_imbalance

    adata = cells()
    result = information_imbalance(adata.obsm["X_pca"], adata, exclusion_window=0)
    assert write_to_anndata(result, adata, key="pca_and_genes") == ()
    table = anndata.read_h5ad(save(adata)).uns["pca_and_genes"]["table"]
    assert table["a_to_b"].iloc[0] == result.a_to_b


@pytest.mark.parametrize("halo", [False, True])
def test_states_of_cells_have_the_colours_of_their_pictures(save, halo):
    """As scanpy looks for them: ``uns["<column>_colors"]``, in the order of the categories."""
    from infoscope import DensityPeaks, KNNDensity
    from infoscope.base.plot_style import colour_of

    rng = np.random.default_rng(0)
    x = np.concatenate([rng.normal(size=(100, 2)), rng.normal(size=(150, 2)) + 12])
    found = DensityPeaks(Z=2, halo=halo).fit(KNNDensity(20, dimension=2, calibrate=False).fit(x)).result_
    adata = anndata.AnnData(x)
    assert found.n_clusters == 2 and write_to_anndata(found, adata, "peaks") == ()
    again = anndata.read_h5ad(save(adata))
    named = np.where(found.labels < 0, "halo", found.labels.astype(str))
    np.testing.assert_array_equal(again.obs["peaks_state"].astype(str), named)
    colours = dict(zip(again.obs["peaks_state"].cat.categories, again.uns["peaks_state_colors"], strict=True))
    assert (colours["0"], colours["1"]) == (colour_of(0), colour_of(1)) and len(colours) == len(set(named))
    assert all(len(colour) == 7 and colour.startswith("#") for colour in colours.values())
    write_to_anndata(found, other := anndata.AnnData(x[:40]))  # of other cells it says nothing
    assert not len(other.obs.columns)


def test_what_cannot_be_written():
    with pytest.raises(ParameterError, match="an AnnData object is needed, not DataFrame"):
        write_to_anndata(Panel(ROWS), pd.DataFrame())
    with pytest.raises(ParameterError, match="only results can be stored, not dict"):
        write_to_anndata({}, cells())
    with pytest.raises(ParameterError, match="'a/b' cannot be a name"):
        write_to_anndata(Panel(ROWS), cells(), "a/b")


# ----------------------------------------------------------------------------------------------------------- bad files
def test_names_that_are_repeated(save):
    twice = cells()
    twice.obs_names = ["cell0"] * N
    with pytest.warns(DataWarning, match="names of observations are repeated.*obs_names_make_unique"):
        assert read_table(save(twice)).ids is None
    with pytest.warns(UserWarning, match="not unique"):  # of anndata itself
        genes = anndata.AnnData(COUNTS, var=pd.DataFrame(index=["CD4"] * D))
    with pytest.raises(DataError, match=r"several variables are called 'CD4'.*var_names_make_unique\(\)"):
        read_table(save(genes))


def test_damaged_files(save, tmp_path):
    whole = save(cells()).read_bytes()
    for content, message in [
        (b"", "is empty"),
        (b"x,y\n1,2\n", "is not an HDF5 file"),
        (whole[:-5000], "truncated, damaged or being written"),
    ]:
        (tmp_path / "bad.h5ad").write_bytes(content)
        with pytest.raises(DataError, match=message):
            read_table(tmp_path / "bad.h5ad")
    with h5py.File(tmp_path / "other.h5ad", "w") as file:
        file["x"] = COUNTS
    with pytest.raises(DataError, match="without cells.*rename it to .h5"):
        read_table(tmp_path / "other.h5ad")
    with h5py.File(save(cells(sparse.csr_matrix(COUNTS)), "part.h5ad"), "a") as file:
        del file["X/indices"]
    with pytest.raises(DataError, match="part.h5ad.* cannot be read"):
        read_table(tmp_path / "part.h5ad")


def test_missing_values_and_no_x(save):
    gaps = COUNTS.copy()
    gaps[4, 2] = np.nan
    with pytest.raises(DataError, match="row 4 .*column 'g2' is NaN"):
        read_table(save(cells(gaps)))
    with pytest.raises(ParameterError, match="has no X. It holds: obsm/X_pca"):
        read_table(save(anndata.AnnData(obs=pd.DataFrame(index=list(map(str, range(30)))), obsm={"X_pca": COUNTS})))


def test_under_the_name_of_its_container(save, tmp_path):
    path = save(cells())
    assert read_table(path.rename(tmp_path / "x.h5")).names == tuple(GENES)


def test_without_its_package(monkeypatch, save):
    path = save(cells())
    monkeypatch.setitem(__import__("sys").modules, "anndata", None)
    with pytest.raises(MissingExtraError, match=r'pip install "infoscope\[files\]"'):
        read_table(path)
