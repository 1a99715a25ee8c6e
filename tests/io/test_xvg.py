"""GROMACS files: names from legends, units from labels, the time from the x axis."""

import numpy as np
import pytest

from infoscope.base.errors import DataError, ParameterError
from infoscope.io import column_names, read_column, read_table

HEAD = """# This file was created by a test
# gmx energy -f ener.edr
@    title "GROMACS Energies"
@    xaxis  label "Time (ps)"
@    yaxis  label "(kJ/mol)"
@TYPE xy
@ view 0.15, 0.15, 0.75, 0.85
@ s0 legend "Potential"
@ s1 legend "Kinetic En."
"""
ROWS = "    0.000000  -10.5  3.25\n    2.000000  -11.5  3.50\n    4.000000  -12.5  3.75\n"


@pytest.fixture
def write(tmp_path):
    def write_file(text, name="energy.xvg"):
        path = tmp_path / name
        path.write_text(text)
        return path

    return write_file


def test_names_units_and_time(write):
    path = write(HEAD + ROWS)
    table = read_table(path)
    assert table.names == ("Potential", "Kinetic En.") and table.time.tolist() == [0, 2, 4]
    assert table.units == {"Potential": "kJ/mol", "Kinetic En.": "kJ/mol"}
    assert table.values.tolist() == [[-10.5, 3.25], [-11.5, 3.5], [-12.5, 3.75]]
    assert column_names(path) == ("Time", "Potential", "Kinetic En.")
    assert read_table(path, rows=slice(1, None)).time.tolist() == [2, 4]
    assert read_column(path, "Time").tolist() == [0, 2, 4]


def test_without_legends(write):
    one = read_table(write('@ xaxis label "Time (ns)"\n@ yaxis label "RMSD (nm)"\n0 0.1\n1 0.2\n'))
    assert one.names == ("RMSD",) and one.units == {"RMSD": "nm"} and one.time.tolist() == [0, 1]
    table = read_table(write("0 1 2\n1 2 3\n"))  # no labels either: the x axis is the time, where it grows
    assert (
        table.names == ("1", "2") and table.time.tolist() == [0, 1] and "'0' is the time of the rows" in table.notes[0]
    )
    table = read_table(write("1 1 2\n0 2 3\n"))
    assert table.names == ("0", "1", "2") and table.time is None
    several = read_table(write('@ xaxis label "Time (ps)"\n@ yaxis label "(kJ/mol), (K)"\n0 1 2\n1 2 3\n'))
    assert several.names == ("1", "2") and several.units is None  # nothing says which column has which


def test_an_x_axis_that_is_no_time_is_a_column(write):
    rama = write('@ xaxis label "Phi"\n@ yaxis label "Psi"\n@TYPE xy\n-60.5 -45.0 ALA-2\n-70.5 150.0 ALA-2\n')
    with pytest.raises(DataError, match="column '2' is not numeric.*:0-1"):
        read_table(rama)
    table = read_table(rama, columns="0-1")
    assert table.names == ("Phi", "1") and table.time is None


def test_an_ampersand_at_the_end_is_no_second_set(write):
    assert len(read_table(write(HEAD + ROWS + "&\n"))) == 3


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (HEAD + ROWS + "&\n" + ROWS, "line 13 ends a data set and another one follows"),
        (HEAD + ROWS + HEAD + ROWS, "line 13 ends a data set"),
        (HEAD + ROWS + "6.0 -1", "line 13 has 2 of 3 fields: the file looks truncated"),
        (HEAD + ROWS + "0.0 -1 2\n", "the time goes back in row 3"),
        (HEAD, "holds no rows"),
        ("", "holds no rows"),
        ("@TYPE xydy\n0 1 2\n", "'xydy'.*only 'xy' is read"),
        (HEAD + "0 1 2\n1 2 nan\n", "row 1 .*'Kinetic En.' is NaN"),
    ],
)
def test_bad_files(write, text, message):
    with pytest.raises(DataError, match=message):
        read_table(write(text))


def test_a_key_is_refused(write):
    with pytest.raises(ParameterError, match="holds one table"):
        read_table(write(HEAD + ROWS), key="x")


def test_numbers_are_the_nearest_doubles(write):
    text = "".join(f"{x!r} {y!r}\n" for x, y in np.random.default_rng(0).normal(size=(50, 2)).tolist())
    values = read_table(write(text)).values
    assert values.tolist() == [[float(field) for field in line.split()] for line in text.splitlines()]
