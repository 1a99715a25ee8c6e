"""Several files as one table: runs, or parts of one run."""

import numpy as np
import pytest

from infoscope.base.errors import DataError, DataWarning, ParameterError
from infoscope.io import Table, read_pieces, read_table
from infoscope.io.runs import continued_rows, warn_of_parts


@pytest.fixture
def write(tmp_path):
    def write_files(**texts):
        for name, text in texts.items():
            (tmp_path / name).write_text(text)
        return [tmp_path / name for name in texts]

    return write_files


def colvar(times, value=0.0, fields="time x y metad.bias", limits="#! SET min_x -pi\n#! SET max_x pi\n"):
    lines = [" ".join([f"{t:.3f}", *[f"{value + t / 100:.6f}"] * (len(fields.split()) - 1)]) for t in times]
    return f"#! FIELDS {fields}\n{limits}" + "".join(line + "\n" for line in lines)


def test_every_file_is_a_run(write):
    table = read_pieces(write(a=colvar(range(5)), b=colvar(range(3), 1.0), c=colvar([7.0], 2.0)))
    assert table.run.tolist() == [0] * 5 + [1] * 3 + [2] and table.names == ("x", "y")
    assert table.time.tolist() == [0, 1, 2, 3, 4, 0, 1, 2, 7] and table.values[5, 0] == 1
    assert table.period == {"x": 2 * np.pi} and table.n_source_rows == 9 and table.rows == range(9)
    space = table.to_space()
    assert space.run.tolist() == table.run.tolist() and space.period.tolist() == [2 * np.pi, 0]


def test_consecutive_parts_of_one_run(write):
    paths = write(a=colvar([0, 1, 2, 3]), b=colvar([2, 3, 4], 1.0), c=colvar([5, 6], 2.0))
    table = read_pieces(paths, join="one")
    assert table.time.tolist() == [0, 1, 2, 3, 4, 5, 6] and table.run is None
    assert np.allclose(table.values[:, 0], [0, 0.01, 1.02, 1.03, 1.04, 2.05, 2.06], rtol=1e-14)
    note = table.notes[-1]
    assert note.startswith(f"{paths[1]} goes on from time 2; 2 rows") and table.rows.tolist() == [0, 1, 4, 5, 6, 7, 8]


def test_parts_that_are_taken_for_runs_warn(write):
    with pytest.warns(DataWarning, match=r"b begins at time 2, within or right behind .*a .*join='one'"):
        read_pieces(write(a=colvar([0, 1, 2, 3]), b=colvar([2, 3, 4])))
    with pytest.warns(DataWarning, match=r"b begins at time 4,"):
        read_pieces(write(a=colvar([0, 1, 2, 3]), b=colvar([4, 5])))


def test_dates_are_times_too():
    days = np.arange("2020-01-01", "2020-01-09", dtype="M8[D]")
    kept, notes = continued_rows(np.r_[days[:5], days[3:]], [5, 5], ["a", "b"])
    assert kept.tolist() == [0, 1, 2, 5, 6, 7, 8, 9] and "b goes on from time 2020-01-04; 2 rows" in notes[0]
    tables = [Table(np.zeros((len(part), 1)), ("x",), source="t", time=part) for part in (days[:5], days[5:])]
    with pytest.warns(DataWarning, match="t begins at time 2020-01-06"):
        warn_of_parts(tables)


def test_parts_in_wrong_order_or_several_runs(write):
    with pytest.raises(DataError, match="b begins at time 0, no later .*join='runs'"):
        read_pieces(write(a=colvar([5, 6]), b=colvar([0, 1])), join="one")
    with pytest.raises(DataError, match="has no times"):
        read_pieces(write(**{"a.csv": "x\n1\n2\n", "b.csv": "x\n3\n4\n"}), join="one")


def test_weights_of_all_pieces_are_on_one_scale(write):
    paths = write(a=colvar(range(40)), b=colvar(range(30), 1.0))
    chosen = {"columns": "x,y", "log_weights": "metad.bias", "kT": 0.5}
    with pytest.warns(DataWarning, match="grow by the same step"):
        table = read_pieces(paths, **chosen)
    bias = np.r_[np.arange(40) / 100, 1 + np.arange(30) / 100]
    assert np.allclose(table.sample_weight, np.exp((bias - bias.max()) / 0.5), rtol=1e-12)
    assert table.labels == {} and "70 rows are worth" in table.notes[-1]
    with pytest.warns(DataWarning, match="grow by the same step"):
        one = read_pieces(paths, **chosen, labels=["metad.bias"], rows=slice(0, 22))
    assert np.allclose(one.labels["metad.bias"], np.r_[bias[:22], bias[40:62]], rtol=1e-12)


def test_missing_values_by_file(write):
    paths = write(**{"a.csv": "x,y\n1,2\n,3\n4,5\n", "b.csv": "x,y\n6,7\n8,\n"})
    table = read_pieces(paths, missing="drop")
    assert table.values.tolist() == [[1, 2], [4, 5], [6, 7]] and table.run.tolist() == [0, 0, 1]
    assert ["1 of 3 rows" in table.notes[0], "1 of 2 rows" in table.notes[1]] == [True, True]


XVG = '@ xaxis label "Time (ps)"\n@ yaxis label "Distance ({})"\n@ s0 legend "d"\n0 1\n1 2\n'


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        (
            {"a": colvar([0, 1]), "b": colvar([2], fields="time x z")},
            "a and .*b have different columns: only .*a has y; o",
        ),
        ({"a.csv": "x,y\n1,2\n", "b.csv": "y,x\n1,2\n"}, r"their order differs, first in column 0 \(x, y\)"),
        ({"a.xvg": XVG.format("nm"), "b.xvg": XVG.format("A")}, "different units: d has nm and A"),
        ({"a": colvar([0, 1]), "b": colvar([2], limits="")}, "different periods: x has 6.28.* and none"),
        (
            {"a": colvar([0], fields="time x", limits=""), "b.csv": "x\n1\n"},
            "b.csv has no time: read pieces of one kind",
        ),
    ],
)
def test_pieces_that_do_not_fit(write, texts, message):
    with pytest.raises(DataError, match=message):
        read_pieces(write(**texts))


def test_bad_arguments(write):
    (path,) = write(a=colvar([0, 1]))
    with pytest.raises(ParameterError, match="at least one file"):
        read_pieces([])
    with pytest.raises(ParameterError, match="a list of at least one file"):
        read_pieces(str(path))
    with pytest.raises(ParameterError, match="join"):
        read_pieces([path], join="two")


def test_one_run_is_not_two(write, tmp_path):
    one, copy, other = write(a=colvar([0, 1, 2]), b=colvar([0, 1, 2]), c=colvar([0, 1, 2], 1.0))
    for join in ("runs", "one"):
        with pytest.raises(DataError, match="b and .*a have the same contents: .*Give every run once"):
            read_pieces([one, copy], join=join)
    with pytest.raises(DataError, match="a is given twice"):
        read_pieces([one, other, one])
    with pytest.raises(DataError, match="have the same contents"):  # by another way to the same file
        read_pieces([one, tmp_path / ".." / tmp_path.name / one.name])
    assert len(read_pieces([one, other])) == 6
    np.savez(tmp_path / "runs.npz", first=np.eye(3), second=np.eye(3))
    assert len(read_table(tmp_path / "runs.npz", key="first")) == 3
