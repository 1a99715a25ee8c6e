"""Data files that other projects test their readers with: each is read rightly, or refused in one sentence.

``tests/public_files.py`` fetches them; a file that is not there is skipped and named.  The right values are those of
other readers (netCDF4, h5py, SciPy, MDTraj, pandas) and of the text itself.
"""

import re
import warnings
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from infoscope.base.errors import DataError, InfoscopeWarning, MissingExtraError, ParameterError
from infoscope.io import read_table, trajectory

pytestmark = pytest.mark.slow
FOLDER = Path(__file__).parents[2] / ".cache" / "public-files"
CELLS = "anndata/tests/data"
NETCDF = "netCDF4/test"
PARQUET = "pyarrow/pyarrow/tests/data/parquet"
GENES = "scanpy/src/scanpy"
COUNTS = "scanpy/tests"
GRIDS = "xarray/xarray/tests/data"
PEPTIDES = "mdtraj/examples"
MOLECULES = "MDAnalysisTests/MDAnalysisTests/data"
ERRORS = (DataError, ParameterError, MissingExtraError)
DIAMONDS = ("carat", "depth", "table", "price", "x", "y", "z")
WRAPPED = {"features": "distances", "select": "all"}


@dataclass
class Right:
    """What a file holds: its shape, some names and values by position, times, identifiers and notes."""

    shape: tuple[int, int]
    values: dict[tuple[int, int], float]
    names: dict[int, str] = field(default_factory=dict)
    nothing: int = 0  # values that are missing
    time: tuple[Any, Any] | None = None  # first and last
    ids: tuple[Any, Any] | None = None  # first and last
    labels: dict[str, tuple[Any, Any]] = field(default_factory=dict)
    period: float | None = None
    note: str = ""
    warning: str = ""


def case(path, expected, *more, **options):
    """A row of the table: files after the first are frames; `expected` is what is right, or a part of the refusal."""
    return pytest.param((path, *more), options, expected, id=path if not more else f"{path}+{more[-1]}")


TABLES = [
    # ------------------------------------------------------------------------------------------------ text
    case(f"{CELLS}/adata.csv",
         Right((3, 2), {(2, 0): 5, (2, 1): 6}, {0: "c1", 1: "c2"}, note="'unnamed_0' is left out")),
    case(
        f"{CELLS}/adata-comments.tsv",
        Right((3, 2), {(0, 0): 1, (2, 1): 6}, {0: "c1", 1: "c2"}, ids=("r1", "r3")),
        ids="0",
    ),
    case(f"{COUNTS}/_scripts/seurat_hvg.csv",
         Right((765, 4), {(0, 0): 1.88077032191863, (1, 3): 0, (764, 2): -0.203278360969233}, {3: "highly_variable"},
               ids=("HES4", "MT-ND3")), ids="unnamed_0"),
    case(f"{COUNTS}/_scripts/seurat_hvg_v3.csv.gz",
         Right((13714, 4), {(0, 0): 0.00333333333333333, (13713, 3): 0.77745400310433}, {2: "variance.expected"},
               ids=("AL627309.1", "SRSF10.1")), ids="unnamed_0"),
    case(f"{COUNTS}/_scripts/seurat_hvg_v3_batch.csv", "no column is left to compare", labels=["x"]),
    case(f"{COUNTS}/_data/visium_data/1.0.0/spatial/tissue_positions_list.csv",
         Right((4992, 5), {(0, 3): 2546, (4991, 2): 127, (4991, 4): 11539},
               ids=("ACGCCTGACACGCGCT-1", "TTGAAGTGCATCTACA-1")), ids="0"),
    case(f"{COUNTS}/_data/10x_data/1.2.0/filtered_gene_bc_matrices/hg19_chr21/genes.tsv", "both called 'DSCAM'"),
    case(f"{GENES}/datasets/krumsiek11.txt",
         Right((640, 11), {(0, 0): 0.8032, (639, 10): 0.9177, (1, 3): -0.001}, {0: "Gata2", 10: "Gfi1"},
               note="'it' is left out: by its name it says when a row was seen")),
    case(
        f"{GENES}/datasets/toggleswitch.txt",
        Right((200, 2), {(0, 0): 0.8052, (1, 1): 0.7237}, {0: "1", 1: "2"}, warning="row to row, anew in every part"),
    ),
    case(f"{GENES}/sim_models/krumsiek11.txt", "the first line names 11 columns, the first row has 10 fields"),
    case(f"{GENES}/sim_models/toggleswitch_params.txt", "is not numeric: row 0 .* holds 'tmax'"),
    case(f"{MOLECULES}/contacts/2F4K_qlist5_remap.dat",
         Right((307, 3), {(0, 2): 4.245, (306, 1): 561, (306, 2): 4.488}, {0: "0"})),
    case(f"{MOLECULES}/helanal_bending_matrix_AdK_DIMS_H8.dat", "the first line names 1 columns.* has 24 fields"),
    case(f"{MOLECULES}/aux_edr_raw.txt", "line 45 begins with # .* say comment='#'"),
    case(f"{MOLECULES}/aux_edr_raw.txt",
         Right((208, 1), {(1, 0): 1374.8232421875, (44, 0): -1857.519287109375},
               labels={"0": ("Time", "Lamb-non-Protein")}), comment="none", header=False, labels=["0", "2"]),
    case(f"{MOLECULES}/test.xvg", "line 10 ends a data set and another one follows"),
    case(f"{MOLECULES}/bad_num_col.xvg", "line 3 has 2 of 3 fields"),
    case(f"{MOLECULES}/test_highf.xvg", "no column is left to compare"),
    # ------------------------------------------------------------------------------------------------ arrays
    case(f"{MOLECULES}/adk_oplsaa_rama.npy", "the array has shape .10, 212, 2."),
    case(f"{MOLECULES}/legacy_DCD_adk_coords.npy", "the array has shape .2, 3341, 3."),
    case(f"{COUNTS}/_data/10x_data/3.0.0/filtered_feature_bc_matrix.h5", "holds 10 arrays .* say which"),
    # ------------------------------------------------------------------------------------------------ netCDF
    case(f"{NETCDF}/ubyte.nc",
         Right((2, 3), {(0, 0): 0, (1, 0): 255, (0, 1): -128, (1, 1): 127, (0, 2): -127}, {0: "ub", 1: "sb"})),
    case(f"{NETCDF}/20171025_2056.Cloud_Top_Height.nc", "holds 4 variables .*: say which"),
    case(f"{NETCDF}/20171025_2056.Cloud_Top_Height.nc",
         Right((300, 500), {(299, 498): 88.20387268066406, (299, 499): 445.597412109375}, {0: "HT x=-0.0749"}, 57432),
         key="HT", missing="keep"),
    case(f"{NETCDF}/issue671.nc", Right((3164, 82), {(3163, 80): 89.43999481, (3163, 81): 95.93999481}, {}, 209081),
         missing="keep"),
    case(f"{NETCDF}/issue672.nc", Right((3264, 82), {(0, 0): -85.80999756, (3263, 81): 141.61000061}, {}, 12,
                                        note="12 of 267648 .* outside the valid range"),
         key="azi_angle_trip", missing="keep"),
    case(f"{NETCDF}/issue1152.nc", Right((10, 1), {(0, 0): 0, (9, 0): 9}, {0: "v"}, warning="no other column is left")),
    case(f"{NETCDF}/CRM032_test1.nc", "both called 'MSLP rgrid=-2147483647'"),  # nothing was ever written to it
    case(f"{NETCDF}/netcdf_dummy_file.nc", "holds no rows", key="Hdg_1215"),
    case(f"{GRIDS}/example_1.nc",
         Right((1, 50), {(0, 0): 0.5, (0, 1): 0.2, (0, 4): 0.3}, {1: "rh lat=20 lon=-140"},
               time=(820454400 + 12 * 3600,) * 2), key="rh"),  # 12 hours after 1996-01-01
    case(f"{GRIDS}/example_1.nc", "'temp level=1000 lat=20 lon=-160' is NaN", key="temp"),  # netCDF's own fill
    case(f"{GRIDS}/bears.nc", Right((2, 3), {(0, 2): 2.0**-12, (1, 2): 1e10}, {2: "cross j=6.0"}, ids=(10, 20)),
         key="cross"),
    case(f"{GRIDS}/bears.nc", "is not numeric: row 0 .* holds 'ind'", key="bears"),
    # ------------------------------------------------------------------------------------------------ Parquet
    case(f"{PARQUET}/v0.7.1.parquet", "column 'cut' is not numeric: row 0 .* holds 'Ideal'"),
    case(f"{PARQUET}/v0.7.1.all-named-index.parquet",
         Right((10, 7), {(0, 0): 0.22, (9, 3): 336, (9, 6): 2.48}, dict(enumerate(DIAMONDS)),
               labels={"cut": ("Fair", "Very Good"), "clarity": ("VS2", "VVS2"), "color": ("E", "J")}),
         labels=["cut", "clarity", "color"]),
    case(f"{PARQUET}/v0.7.1.some-named-index.parquet",
         Right((10, 7), {(0, 0): 0.22, (9, 6): 2.48}, dict(enumerate(DIAMONDS)), note="'__index_level_1__' is left"),
         labels=["cut", "clarity"]),
    case(f"{PARQUET}/v0.7.1.column-metadata-handling.parquet",
         Right((3, 2), {(0, 0): 1, (2, 1): 0.3}, {0: "a", 1: "b"}, ids=("a", "c"),
               time=(np.datetime64("2016-12-31T23:00"), np.datetime64("2017-01-02T23:00"))), ids="index", time="c"),
    # ------------------------------------------------------------------------------------------------ cells
    case(f"{CELLS}/archives/v0.7.0/adata.h5ad",
         Right((30, 20), {(29, 0): 2, (29, 19): 1, (0, 5): 0}, {19: "gene19"}, ids=("cell0", "cell29"))),
    case(f"{CELLS}/archives/v0.7.8/adata.h5ad",
         Right((30, 20), {(0, 0): 1, (0, 2): 1, (29, 16): 2}, {0: "gene0"}, ids=("cell0", "cell29"))),
    case(f"{CELLS}/archives/v0.7.0/adata.zarr.zip", "holds 79 arrays .*: say which"),
    case(f"{CELLS}/archives/v0.7.8/adata.zarr.zip",
         Right((30, 20), {(0, 0): 0.50784512, (0, 1): 0.93313613, (29, 19): 0.7570439132769409}), key="layers/array"),
    case(f"{CELLS}/archives/v0.11.4/adata.h5ad", "has no X. It holds: no table at all"),
    case(f"{CELLS}/archives/v0.11.4/adata.zarr.zip", "holds cells: pass anndata.read_zarr"),
    # ------------------------------------------------------------------------------------------------ frames as tables
    case(f"{PEPTIDES}/ala2.h5",
         Right((100, 2), {(0, 0): -1.12396661, (99, 0): -1.59127504, (0, 1): 2.73469422, (99, 1): 0.17481584},
               {0: "ALA2 phi", 1: "ALA2 psi"}, time=(2, 200), period=2 * np.pi)),
    case(f"{PEPTIDES}/data/frame0.h5",
         Right((501, 2), {(0, 0): -2.6360776, (500, 1): 2.12943978}, time=(500.00003, 1000.00006), period=2 * np.pi)),
    case(f"{MOLECULES}/Amber/cpptraj_traj.nc", "a molecular trajectory without the names of its atoms"),
    case(f"{MOLECULES}/cu_malformed.h5md", "no reader for '.h5md'"),
]  # fmt: skip

BOX = f"{MOLECULES}/coordinates"
FRAMES = [
    case(f"{BOX}/test.gro", Right((5, 10), {(0, 0): 0.3 * 3**0.5}, {0: "MET1 CA - ARG2 CA"}, time=(0, 4)),
         f"{BOX}/test.xtc", features="distances"),
    case(f"{BOX}/test_topology.pdb", Right((5, 10), {(0, 3): 1.2 * 3**0.5}, time=(0, 4)),
         f"{BOX}/test.trr", features="distances"),
    case(f"{BOX}/test_topology.pdb", Right((5, 10), {(0, 3): 1.2 * 3**0.5}, time=(0, 4)),
         f"{BOX}/test.dcd", features="distances"),
    case(f"{BOX}/test_topology.pdb", Right((5, 10), {(4, 9): 4.8 * 3**0.5, (4, 8): 9.6 * 3**0.5},
                                           note="the time between frames is not in the file"),
         f"{BOX}/test.xyz", features="distances"),  # no box: atom i of frame f is at 2^f (3i, 3i + 1, 3i + 2)
    case(f"{BOX}/test_topology.pdb", "read by pytng, which is not installed", f"{BOX}/test.tng", features="distances"),
    case(f"{BOX}/test.gro", "is empty", f"{MOLECULES}/empty.dcd"),
    case(f"{MOLECULES}/two_water_gro_multiframe.gro", "holds several frames, of which only the first", **WRAPPED),
    case(f"{MOLECULES}/empty_atom.gro", "cannot be read as a topology"),
    case(f"{MOLECULES}/model_then_cryst.pdb", "there are only water and ions"),
    case(f"{MOLECULES}/varying_occ_tmp.pdb",
         Right((3, 1), {(0, 0): (0.02**2 + 2.0**2 + 0.7**2) ** 0.5, (1, 0): (0.12**2 + 2.1**2 + 0.8**2) ** 0.5}),
         **WRAPPED),
    case(f"{MOLECULES}/nmr_neopetrosiamide.pdb",
         Right((24, 54), {(0, 1): -0.99876904, (0, 0): 2.6710215, (23, 53): -2.159884, (23, 52): 1.5981789},
               {0: "PHE1 psi", 1: "PHE2 phi"}, period=2 * np.pi, note="frames are counted as 1 ps")),
    case(f"{MOLECULES}/windows/WIN_nmr_neopetrosiamide.pdb",
         Right((24, 378), {(0, 0): 0.38049042, (23, 1): 0.67194927, (23, 377): 0.38063142}),
         features="ca_distances", time=False),
    case(f"{MOLECULES}/cobrotoxin.pdb",
         Right((3, 122), {(0, 0): 2.4370022, (0, 1): -2.1898737, (2, 121): -1.0132077}, {0: "LEU1 psi"}, time=(0, 100),
               note="18467 atoms of water and ions are left out"), f"{MOLECULES}/cobrotoxin.trr"),
    case(f"{MOLECULES}/cobrotoxin.pdb",
         Right((3, 122), {(0, 0): 2.4393384, (0, 1): -2.1868198, (2, 121): -1.0076439}, time=(0, 100)),
         f"{MOLECULES}/cobrotoxin.xtc"),
    case(f"{MOLECULES}/Amber/ache.prmtop",
         Right((11, 26), {(0, 0): 2.1510324, (0, 1): -1.2670504, (10, 25): -1.9292858}, {0: "ALA1 psi"}),
         f"{MOLECULES}/Amber/ache.mdcrd"),
    case(f"{MOLECULES}/Amber/bala.prmtop",
         Right((30, 4), {}, {0: "VAL1 psi"}, warning="time does not go on at frame 1"),
         f"{MOLECULES}/Amber/bala.ncdf"),  # all frames say 0 ps
    case(f"{MOLECULES}/Amber/bala.prmtop", "the topology has 2661 atoms, the trajectory 84",
         f"{MOLECULES}/Amber/cpptraj_traj.nc"),
    case(f"{PEPTIDES}/1vii_3frames.pdb",
         Right((3, 70), {(0, 0): 2.3196657, (0, 1): -1.1223835, (2, 69): -1.7616826}, {0: "MET41 psi"})),
    case(f"{PEPTIDES}/data/native.pdb",
         Right((501, 2), {(0, 0): -2.6464286, (0, 1): 2.8227546, (500, 0): -0.9250064}, time=(500.00003, 1000.00006)),
         f"{PEPTIDES}/data/frame0.xtc"),
]  # fmt: skip


@pytest.mark.parametrize(("files", "options", "expected"), TABLES)
def test_table_is_read_rightly_or_refused_in_one_sentence(files, options, expected):
    compare(read_table, files, options, expected)


@pytest.mark.parametrize(("files", "options", "expected"), FRAMES)
def test_frames_are_read_rightly_or_refused_in_one_sentence(files, options, expected):
    pytest.importorskip("MDAnalysis")
    compare(trajectory, files, options, expected)


def test_alternate_locations_are_those_of_the_highest_occupancy(tmp_path):
    pytest.importorskip("MDAnalysis")
    (path,) = present([f"{MOLECULES}/4E43.pdb"])
    text, moved = path.read_text(), tmp_path / "moved.pdb"
    moved.write_text(text.replace("11.463  30.008", "11.464  30.008"))  # two frames are needed, and no copies
    places = {}
    for line in text.splitlines():
        if line.startswith("ATOM") and line[12:16].strip() == "CA":
            atom, occupancy = (line[21], int(line[22:26])), float(line[54:60])
            if occupancy > places.get(atom, (0,))[0]:
                places[atom] = (occupancy, np.array([float(line[s : s + 8]) for s in (30, 38, 46)]))
    some = [places["A", number][1] for number in (34, 46, 50, 64, 84)]  # each in two places
    table = trajectory(path, path, moved, features="ca_distances", select="segid A and resid 34 46 50 64 84")
    right = [np.linalg.norm(a - b) / 10 for number, a in enumerate(some) for b in some[number + 1 :]]
    np.testing.assert_allclose(table.values[0], right, atol=1e-5)


# --------------------------------------------------------------------------------------------------------------- steps
def present(files):
    """The paths of files; a test whose files are not there is skipped, and names them."""
    paths = [FOLDER / name for name in files]
    missing = [name for name, path in zip(files, paths, strict=True) if not path.exists()]
    if missing:
        pytest.skip(f"not there: {', '.join(missing)} (tests/public_files.py fetches it)")
    return paths


def compare(read, files, options, expected):
    paths = present(files)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        if isinstance(expected, str):
            with pytest.raises(ERRORS, match=expected) as refusal:
                read(*paths, **options)
            text = str(refusal.value)
            assert not re.search(r"Traceback|File \"|Error:|\n", text), text
            return
        table = read(*paths, **options)
    assert all(issubclass(one.category, InfoscopeWarning) for one in caught), [str(one.message) for one in caught]
    said = " ".join(str(one.message) for one in caught)
    assert re.search(expected.warning, said) if expected.warning else not said, said
    assert table.values.shape == expected.shape
    assert int(np.isnan(table.values).sum()) == expected.nothing
    for where, value in expected.values.items():
        assert table.values[where] == pytest.approx(value, rel=1e-5, abs=1e-5), where
    assert {position: table.names[position] for position in expected.names} == expected.names
    if expected.time is not None:
        first, last = (np.asarray(value) for value in expected.time)
        if first.dtype.kind == "M":
            assert (table.time[0], table.time[-1]) == (first, last)
        else:
            np.testing.assert_allclose(table.time[[0, -1]], [first, last], rtol=1e-6)
    if expected.ids is not None:
        assert (table.ids[0], table.ids[-1]) == expected.ids
    for name, ends in expected.labels.items():
        assert (table.labels[name][0], table.labels[name][-1]) == ends
    if expected.period is not None:
        assert set(table.period.values()) == {expected.period}
    assert re.search(expected.note, " ".join(table.notes)), table.notes
