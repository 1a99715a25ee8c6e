"""PLUMED files: names, periods, time and bias, restarts; and what is wrong with a file, in one sentence."""

import gzip

import numpy as np
import pytest

from infoscope.base.errors import DataError, DataWarning, ParameterError
from infoscope.io import column_names, read_column, read_table, weights_from_bias
from infoscope.io.readers import READERS

HEADER = "#! FIELDS time phi psi d metad.bias metad.rbias uwall.bias uwall.force2\n"
LIMITS = "#! SET min_phi -pi\n#! SET max_phi pi\n#! SET min_psi 0\n#! SET max_psi 2*pi\n#! SET kerneltype gaussian\n"


def rows(times, shift=0.0):
    """Lines as PLUMED writes them, whose values tell which row they are."""
    return "".join(
        f" {t:.6f} {np.sin(t):.6f} {1 + np.cos(t):.6f} {t + shift:.6f} {2 + t / 10:.6f} {t / 10:.6f} 0.000000 0.000\n"
        for t in times
    )


@pytest.fixture
def write(tmp_path):
    def write_file(text, name="COLVAR"):
        path = tmp_path / name
        if name.endswith(".gz"):
            path.write_bytes(gzip.compress(text.encode()))
        else:
            path.write_text(text)
        return path

    return write_file


@pytest.mark.parametrize(
    "name", ["COLVAR", "COLVAR.0", "run.colvar", "c.dat", "c.txt", "c.csv", "COLVAR.gz", "c.dat.gz", "bck.1.COLVAR"]
)
def test_known_by_its_first_line_whatever_its_name(write, name):
    path = write(HEADER + LIMITS + rows(range(5)), name)
    table = read_table(path)
    assert table.names == ("phi", "psi", "d") and table.values.shape == (5, 3)
    assert table.values[:, 2].tolist() == [0, 1, 2, 3, 4] and table.time.tolist() == [0, 1, 2, 3, 4]
    assert table.period == {"phi": 2 * np.pi, "psi": 2 * np.pi} and table.units is None
    assert [note.removeprefix(f"{path}: ") for note in table.notes] == [
        "'time' is the time of the rows, no feature",
        "columns 'metad.bias', 'metad.rbias', 'uwall.bias', 'uwall.force2' are left out: by their names they say how a "
        "row was sampled",
    ]
    assert column_names(path)[0] == "time" and read_column(path, "metad.bias").tolist() == [2, 2.1, 2.2, 2.3, 2.4]


def test_a_table_of_any_other_kind_is_none(write):
    assert read_table(write("# FIELDS x y\n1 2\n", "t.dat")).names == ("0", "1")
    with pytest.raises(DataError, match="no reader for '.0'.*PLUMED files of any name"):
        read_table(write("1 2\n", "t.0"))
    with pytest.raises(ParameterError, match="holds one table"):
        read_table(write(HEADER + rows(range(3))), key="phi")
    assert ".colvar" not in READERS


@pytest.mark.parametrize(
    ("low", "high", "period"),
    [
        ("-pi", "pi", 2 * np.pi),
        ("-180", "180.0", 360),
        ("-pi/2", "+pi/2", np.pi),
        ("0", "2pi", 2 * np.pi),
        ("-1e0", "1", 2),
    ],
)
def test_periods(write, low, high, period):
    values = "".join(f"{x:.3f}\n" for x in 0.45 * period * np.linspace(0, 1, 20) ** 2)  # enough of a period to be one
    path = write(f"#! FIELDS x\n#! SET min_x {low}\n#! SET max_x {high}\n{values}")
    assert read_table(path).period == {"x": pytest.approx(period, rel=1e-15)}
    space = read_table(path).to_space()
    assert space.period.tolist() == [pytest.approx(period)] and space.feature_names == ("x",)


def test_choosing_a_bias_warns(write):
    path = write(HEADER + rows(range(5)))
    with pytest.warns(DataWarning, match="metad.bias says when or how a row was sampled"):
        table = read_table(path, columns="phi,metad.bias")
    assert table.names == ("phi", "metad.bias")


def test_columns_of_hills_and_restraints(write):
    hills = "#! FIELDS time phi sigma_phi height biasf\n#! SET multivariate false\n"
    path = write(hills + "1 0.1 0.3 1.2 8\n2 0.2 0.3 1.1 8\n", "HILLS")
    assert read_table(path).names == ("phi",)
    assert read_table(write("#! FIELDS time height width r.bias r.x_cntr r.x_work\n1 1 2 3 4 5\n")).names == (
        "height",
        "width",
    )


def test_a_restart_replaces_what_was_written_again(write):
    path = write(HEADER + LIMITS + rows([0, 1, 2, 3, 4, 5]) + HEADER + LIMITS + rows([3, 4, 5, 6, 7], shift=100))
    table = read_table(path)
    assert table.time.tolist() == [0, 1, 2, 3, 4, 5, 6, 7]
    assert table.values[:, 2].tolist() == [0, 1, 2, 103, 104, 105, 106, 107]
    note = table.notes[0]
    assert "restarted at time 3 (line 19)" in note and "3 earlier rows" in note and "COLVAR" in note
    assert path.read_text().splitlines()[18].split()[0] == "3.000000"  # that line indeed
    part = read_table(path, rows=slice(2, 6, 2))
    assert part.time.tolist() == [2, 4] and part.values[:, 2].tolist() == [2, 104] and part.n_source_rows == 8
    assert read_column(path, "d", rows=slice(2, 4)).tolist() == [2, 103]


def test_restarts_nest_and_may_repeat_only_one_row(write):
    path = write(HEADER + rows([0, 1, 2, 3]) + rows([3, 4], shift=10) + HEADER + rows([2, 3, 4], shift=20))
    table = read_table(path)
    assert table.values[:, 2].tolist() == [0, 1, 22, 23, 24] and "restarted" not in table.notes[2]
    assert "1 earlier row from that time on was" in table.notes[0] and "3 earlier rows" in table.notes[1]
    assert read_table(write(HEADER + rows([0, 0, 1]))).time.tolist() == [0, 1]


def test_many_restarts_share_a_sentence(write):
    text = HEADER + "".join(rows([t, t + 1, t + 2]) for t in range(20))
    table = read_table(write(text), columns="phi,psi")
    assert table.time.tolist() == list(range(22)) and len(table.notes) == 3
    assert "2 earlier rows" in table.notes[0] and "and 18 more restarts; 38 earlier rows in all" in table.notes[1]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            HEADER + rows([0, 1]) + "#! FIELDS time phi\n2 0.1\n",
            "changes in line 4, from 'time phi psi .*' to 'time phi'",
        ),
        (HEADER + LIMITS + rows([0]) + "#! SET max_phi 3\n" + rows([1]), "changes in line 8, from '#! SET max_phi pi'"),
        (HEADER + rows([0, 1]) + " 2.0 0.1", "the last line 4 has 2 of 8 fields: .*truncated. Delete that line"),
        (HEADER + rows([0, 1]) + " 2.0 0.1\n" + HEADER + rows([1]), "the line 4 has 2 of 8 fields"),
        (HEADER + rows([5, 6, 7]) + HEADER + rows([0, 1]), "row 3 .* starts again at 0.*another run, not a restart"),
        (HEADER + "1 2 3 4 5 6 7 8 9\n", "names 8 columns, the rows have 9"),
        (HEADER, "holds no rows"),
        ("#! FIELDS\n1 2\n", "names no columns"),
        ("#! FIELDS x\n#! SET min_x -pi\n1\n", "only one of min_x and max_x"),
        ("#! FIELDS x\n#! SET min_x 3\n#! SET max_x 1\n1\n", "from 3 to 1, which is no period"),
        ("#! FIELDS x\n#! SET min_x low\n#! SET max_x 1\n1\n", "SET min_x low'.*multiple of pi"),
        ("#! FIELDS time x\nsoon 1\n2 2\n", "row 0 .* holds 'soon' as its time"),
        ("#! FIELDS time x\n1 one\n2 2\n", "column 'x' is not numeric: row 0"),
        ("#! FIELDS time x\n1 nan\n2 2\n", "row 0 .* column 'x' is NaN.*missing='drop'"),
        ("#! FIELDS time x x\n1 1 2\n", "both called 'x'"),
    ],
)
def test_bad_files(write, text, message):
    with pytest.raises(DataError, match=message):
        read_table(write(text))


def test_files_cut_inside(write):
    with pytest.warns(DataWarning, match="the last line has no end"):
        assert len(read_table(write((HEADER + rows(range(4)))[:-1]))) == 4
    path = write(HEADER + rows(range(2000)), "COLVAR.gz")
    path.write_bytes(path.read_bytes()[:-500])
    with pytest.raises(DataError, match="compressed data are truncated"):
        read_table(path)
    path = write("")
    path.write_bytes(HEADER.encode() + b"1 2 3 4 5 6 7 \xff\n")
    with pytest.raises(DataError, match="COLVAR cannot be read: byte .* is not UTF-8"):
        read_table(path)
    path.write_bytes(b"\xef\xbb\xbf" + (HEADER + rows(range(3))).encode())  # an editor's mark in front
    assert read_table(path).time.tolist() == [0, 1, 2]


# ------------------------------------------------------------------------------------------- weights and missing values
def test_weights_from_the_bias(write):
    path = write(HEADER + rows(range(60)))
    bias, walls = 2 + np.arange(60) / 10, np.zeros(60)  # as in rows()
    table = read_table(path, columns="phi,psi", log_weights="metad.bias,uwall.bias", kT=2.494)
    truth = np.exp((bias + walls) / 2.494)
    assert np.allclose(table.sample_weight, truth / truth.max(), rtol=1e-13)
    assert "metad.bias" not in table.names and table.labels == {}
    n_kish = truth.sum() ** 2 / (truth**2).sum()
    assert f"60 rows are worth {n_kish:.4g}" in table.notes[-1] and "/ 2.494" in table.notes[-1]
    assert np.allclose(table.to_space().sample_weight, table.sample_weight)
    with pytest.warns(DataWarning, match=r"leave 19\.\d effective rows of 60"):
        plain = read_table(path, columns="phi,psi", log_weights=["metad.bias"])
    assert (
        np.allclose(plain.sample_weight, np.exp(bias - bias.max()), rtol=1e-13)
        and "for an energy, give kT" in plain.notes[-1]
    )
    with pytest.warns(DataWarning, match=r"leave 1\.\d effective rows of 60"):
        read_table(path, columns="phi,psi", log_weights="metad.bias", kT=0.05)


def test_weights_from_bias_alone():
    assert weights_from_bias([-np.inf, 1.0, 3.0], 2).tolist() == [0, np.exp(-1), 1]
    assert weights_from_bias(np.array([1e5, 1e5 + 1.0])).tolist() == [np.exp(-1), 1]  # no overflow
    assert weights_from_bias([[1, 2], [0, 0]], kT=3).tolist() == [1, np.exp(-1)]
    for bias, kT, message in [
        ([np.nan, 1], 1, "row 0"),
        ([0, np.inf], 1, "row 1"),
        ([-np.inf] * 2, 1, "-inf in every row"),
        ([], 1, "shape"),
        (np.zeros((2, 2, 2)), 1, "shape"),
        ([0, 1], 0, "kT must be"),
        ([0, 1], np.nan, "kT must be"),
        ([0, 1], "300K", "kT must be"),
    ]:
        with pytest.raises((DataError, ParameterError), match=message):
            weights_from_bias(bias, kT)


def test_bad_weights_name_the_file(write):
    path = write("#! FIELDS time x b t\n1 1 nan a\n2 2 nan b\n")
    with pytest.raises(DataError, match="COLVAR, b: the bias of row 0 .* is nan"):
        read_table(path, log_weights="b", columns="x")
    with pytest.raises(DataError, match="column 't' holds no numbers"):
        read_table(path, log_weights="t", columns="x")
    with pytest.raises(ParameterError, match="no column is called 'bias'"):
        read_table(path, log_weights="bias")
    with pytest.raises(ParameterError, match="kT needs the bias"):
        read_table(path, columns="x", kT=2.5)


def test_rows_with_missing_values(write):
    path = write("x,y,kind,b\n1,2,u,0\n,3,u,0\n4,,v,1\n5,6,,1\n7,8,v,\n9,10,v,1\n", "t.csv")
    with pytest.raises(DataError, match="row 1 .*column 'x' is NaN"):
        read_table(path, columns="x,y")
    table = read_table(path, columns="x,y", missing="drop")
    assert table.values.tolist() == [[1, 2], [5, 6], [7, 8], [9, 10]] and table.rows.tolist() == [0, 3, 4, 5]
    assert "2 of 6 rows with missing values were left out (the first is row 1)" in table.notes[0]
    labelled = read_table(path, columns="x,y", labels=["kind"], missing="drop")
    assert labelled.labels["kind"].tolist() == ["u", "v", "v"] and labelled.rows.tolist() == [0, 4, 5]
    weighted = read_table(path, columns="x,y", log_weights="b", missing="drop", rows=slice(2, None))
    assert weighted.rows.tolist() == [3, 5] and weighted.sample_weight.tolist() == [1, 1]
    kept = read_table(path, columns="x,y", missing="keep")
    assert np.isnan(kept.values).sum() == 2 and kept.notes == ()
    with pytest.raises(ParameterError, match="missing"):
        read_table(path, missing="ignore")
    with pytest.raises(DataError, match="every one of the 1 rows"):
        read_table(path, columns="x", rows=slice(1, 2), missing="drop")
    with pytest.raises(DataError, match="is inf"):
        read_table(write("x\n1\ninf\n", "i.csv"), missing="drop")


# -------------------------------------------------------------------------------------- times with too few digits, runs
def test_times_with_too_few_digits_are_no_restarts(write):
    true = 0.005 * np.arange(400)
    lines = "".join(f" {t:.2f} {np.sin(t):.6f} {np.cos(3 * t):.6f}\n" for t in true)
    table = read_table(write("#! FIELDS time x y\n" + lines))
    assert len(table) == 400 and np.abs(table.time - true).max() <= 0.01
    assert np.allclose(np.diff(table.time), 0.005, rtol=1e-2)
    assert "restart" not in " ".join(table.notes) and "too few digits" in table.notes[0]
    assert "even steps of 0.005" in table.notes[0]
    # a restart that is one all the same: the file begins anew
    begun = 2 * ("#! FIELDS time x y\n" + "".join(lines.splitlines(keepends=True)[:200]))
    with pytest.raises(DataError, match="another run, not a restart"):
        read_table(write(begun))
    head, rest = lines.splitlines(keepends=True)[:201], lines.splitlines(keepends=True)[200:]
    table = read_table(write("#! FIELDS time x y\n" + "".join(head) + "#! FIELDS time x y\n" + "".join(rest)))
    assert len(table) == 400 and "restarted at time 1" in table.notes[0]
    # a time that never goes on is none
    table = read_table(write(HEADER + rows([0, 0, 0, 0])))
    assert table.time is None and "'time' is the same in all rows; it is not used" in table.notes[0]


def test_walkers_in_one_file(write):
    rng = np.random.default_rng(0)
    x = rng.normal(size=(3, 40))
    interleaved = "".join(f"{t} {w} {x[w, t]:.9f} {t + w:.1f}\n" for t in range(40) for w in range(3))
    path = write("#! FIELDS time walker x metad.bias\n" + interleaved)
    table = read_table(path)
    assert table.time is None and "same times for each 'walker': run='walker'" in table.notes[0] and len(table) == 120
    split = read_table(path, run="walker")
    assert split.names == ("x",) and split.run.tolist() == list(range(3)) * 40
    assert split.time.tolist() == np.repeat(np.arange(40), 3).tolist()
    space = split.to_space()
    for w in range(3):
        assert np.allclose(space.features[space.run == w, 0], x[w], atol=1e-9)
    # one walker behind the other, each with a restart
    stacked = "".join(f"{t} {w} {x[w, t]:.9f} 0\n" for w in range(3) for t in [*range(20), *range(15, 40)])
    path = write("#! FIELDS time walker x metad.bias\n" + stacked)
    with pytest.raises(DataError, match="another run, not a restart.*run='COLUMN'"):
        read_table(path)
    split = read_table(path, run="walker")
    assert len(split) == 120 and split.time.tolist() == 3 * list(range(40))
    assert np.allclose(split.values[:, 0], x.ravel(), atol=1e-9)
    assert read_column(path, "x", run="walker").tolist() == split.values[:, 0].tolist()
