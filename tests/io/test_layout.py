"""The layout of text tables: what is decided and told, what is asked, and what the options say.

Expected values are written down by hand, or are the array that was written.
"""

import gzip

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from infoscope.base.errors import DataError, DataWarning, ParameterError
from infoscope.io import column_names, read_column, read_pieces, read_table, text_parsers
from infoscope.io.layout import find_layout, read_layout_options
from infoscope.io.number_marks import NUMBER, find_decimal_mark, is_rounded
from infoscope.io.text_lines import table_lines

NAN = float("nan")


@pytest.fixture
def write(tmp_path):
    def write_file(content, name="x.csv", encoding="utf-8"):
        path = tmp_path / name
        path.write_bytes(content if isinstance(content, bytes) else content.encode(encoding))
        return path

    return write_file


def read(path, **options):
    return read_table(path, missing="keep", **options)


def told(table):
    return " ".join(table.notes)


# -------------------------------------------------------------------------------------------------------------- header
def test_names_that_pandas_writes_by_default(tmp_path):
    x = 0.01 * np.random.default_rng(0).normal(size=(200, 20))
    pd.DataFrame(x).to_csv(tmp_path / "x.csv", index=False)
    table = read_table(tmp_path / "x.csv")
    assert len(table) == 200 and np.array_equal(table.values, x)
    assert table.names == tuple(map(str, range(20))) and "the first line is taken as names (0,1,2," in told(table)
    pd.DataFrame(x).to_csv(tmp_path / "indexed.csv")
    table = read_table(tmp_path / "indexed.csv")  # the first column, without a name, counts the rows: no feature
    assert np.array_equal(table.values, x)
    # another file of the kind: a column with a name behind the numbers, as X.assign(label=y) gives it
    pd.DataFrame(x).assign(label=np.arange(200) % 3).to_csv(tmp_path / "labelled.csv", index=False)
    table = read_table(tmp_path / "labelled.csv", labels=["label"])
    assert np.array_equal(table.values, x) and table.labels["label"].tolist() == [row % 3 for row in range(200)]


@pytest.mark.parametrize(
    ("text", "rows"),
    [
        ("1,NA,3\n4,5,6\n7,8,9\n", [[1, NAN, 3], [4, 5, 6], [7, 8, 9]]),
        ("1,,3\n4,5,6\n7,8,9\n", [[1, NAN, 3], [4, 5, 6], [7, 8, 9]]),
        ("1,2,\n3,4,\n", [[1, 2, NAN], [3, 4, NAN]]),
        # others: Fortran's stars, and a file that starts at the origin
        ("1.5 **** 2\n2.5 7 3\n", [[1.5, NAN, 2], [2.5, 7, 3]]),
        ("0,0,0\n0.1,0.2,0.3\n", [[0, 0, 0], [0.1, 0.2, 0.3]]),
        ("0 1\n1 2\n2 3\n", [[0, 1], [1, 2], [2, 3]]),
    ],
)
def test_a_first_row_of_numbers_is_a_row(write, text, rows):
    table = read(write(text, "x.csv" if "," in text else "x.txt"))
    assert np.array_equal(table.values, rows, equal_nan=True)


def test_rows_that_miss_a_value_are_counted(write):
    table = read_table(write("1,NA,3\n4,5,6\n7,8,9\n"), missing="drop")
    assert table.values.tolist() == [[4, 5, 6], [7, 8, 9]] and list(table.rows) == [1, 2]
    assert "'NA' stands for a missing value in 1 field, in row 0 of column '1'" in told(table)
    assert "1 of 3 rows with missing values were left out (the first is row 0)" in told(table)


@pytest.mark.parametrize(
    ("text", "options", "names", "n_rows"),
    [
        ("day,x\n2020-01-01,1.5\n2020-01-02,2.5\n", {"labels": ["day"]}, ("x",), 2),  # one pattern below, another above
        ("2020-01-01,1.5\n2020-01-02,2.5\n", {"labels": ["0"]}, ("1",), 2),
        ("5.1,3.5,setosa\n4.9,3.1,setosa\n6.0,3.1,virginica\n", {"columns": "0-1"}, ("0", "1"), 3),  # it comes again
        ("x,2020,2021\n1,2,3\n", {"header": "yes"}, ("x", "2020", "2021"), 1),
        ("code,x,y,2020\n1,2.5,3,4\n2,3.5,4,5\n", {}, ("code", "x", "y", "2020"), 2),
        ("flag,x\nTrue,1\nNA,2\n", {}, ("flag", "x"), 2),
        ("x\n1\n2\n", {"header": "no", "columns": "0", "na": "x"}, ("0",), 3),
    ],
)
def test_what_the_columns_say_of_the_first_line(write, text, options, names, n_rows):
    table = read(write(text), **options)
    assert table.names == names and len(table) == n_rows


def test_names_of_text_above_text_are_told(write):
    path = write("kind,place\nred,Rome\nblue,Paris\n")
    assert read_column(path, "kind").tolist() == ["red", "blue"]
    assert "the first line is taken as names (kind,place)" in find_layout(path).notes[0]
    assert read_column(write("cat\ndog\ncat\n"), "0").tolist() == ["cat", "dog", "cat"]
    assert find_layout(write("x,y\n1,2\n")).notes == ()  # there is no other reading


def test_a_category_called_like_its_column_is_no_number(write):
    table = read_table(write("x,t,c,k\n1.5,2,a,1.5\n2.5,3,b,2.5\n3.5,4,c,3.5\n4.5,1,a,2.1\n"), columns="x,t,k")
    (note,) = [note for note in table.notes if "first line" in note]
    assert "taken as names (x,t,c,k), though 'c' may be a value of its column" in note and "number" not in note


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("0,1\n1,2\n2,3\n", "holds 0, 1, 2, ..., as pandas names columns, above whole numbers"),
        ("400,402,404\n0.1,0.2,0.3\n0.5,0.2,0.1\n", "has whole numbers, and no number below is whole"),  # wavelengths
        ("country,2019,2020\nFrance,67,68\nItaly,60,59\n", "numbers above numbers and text that does not come again"),
        ("1,2,3o\n4,5,6\n7,8,9\n", "fields that are numbers and others that are not"),
    ],
)
def test_a_first_line_that_nobody_can_know_is_asked_for(write, text, what):
    path = write(text)
    first = text.split("\n")[0]
    with pytest.raises(DataError) as caught:
        read_table(path)
    for part in (f"the first line ({first})", what, "header='yes' (names) or header='no' (a row)"):
        assert part in str(caught.value)
    assert column_names(path, header=True) == tuple(first.split(","))
    assert len(read_column(path, "1", header=False)) == text.count("\n")


def test_names_in_a_comment(write):
    text = '#"Progress (%)","Step","PE","Speed"\n1.0%,10,-5.0,--\n2.0%,20,-4.0,120\n3.0%,30,-,****\n4.0%,40,-3.0,NA\n'
    table = read(write(text), columns="2-3")
    assert table.names == ("PE", "Speed") and column_names(write(text))[1] == "Step"
    expected = [[-5, NAN], [-4, 120], [NAN, NAN], [-3, NAN]]
    assert np.array_equal(table.values, expected, equal_nan=True)
    assert "names are those of the comment above the rows (Progress (%), Step, PE, Speed)" in told(table)
    for word, row, column in (("--", 0, "Speed"), ("****", 2, "Speed"), ("-", 2, "PE"), ("NA", 3, "Speed")):
        assert f"'{word}' stands for a missing value in 1 field, in row {row} of column '{column}'" in told(table)
    assert read_column(write(text), "Progress (%)").tolist() == ["1.0%", "2.0%", "3.0%", "4.0%"]
    # others: units below the names, prose above them, commas between names of a table with white space
    assert column_names(write("# run 7\n# time phi psi\n# ps rad rad\n0 1 2\n", "a.dat")) == ("time", "phi", "psi")
    assert column_names(write("# time, phi, psi\n0 1 2\n", "b.dat")) == ("time", "phi", "psi")
    assert column_names(write("#code,name\n1,a\n2,b\n", "c.csv")) == ("code", "name")


# ------------------------------------------------------------------------------------------------------------ decimals
@pytest.mark.parametrize(
    ("name", "text", "rows", "note"),
    [
        ("a.csv", "preis;einwohner\n1,5;950\n2,5;1.234\n3,5;12.500\n", [[1.5, 950], [2.5, 1234], [3.5, 12500]],
         "points stand between groups of three digits (1.234 is 1234)"),
        ("a.csv", "a;b\n1;2\n1,5;3\n", [[1, 2], [1.5, 3]], "decimal commas, as in column 'a' (1,5)"),
        ("a.tsv", "a\tb\n1,5\t2\n2,25\t3\n", [[1.5, 2], [2.25, 3]], "decimal commas"),
        ("a.csv", "a;b\n0,123;5\n", [[0.123, 5]], "decimal commas"),  # no group begins with 0
        ("a.csv", "a;b\n1.234,5;5\n", [[1234.5, 5]], "decimal commas"),
        ("a.csv", "a;b\n1,234.5;5\n1,234;5\n", [[1234.5, 5], [1234, 5]], ""),
        ("a.csv", "a;b\n1,234,567;5\n", [[1234567, 5]], ""),
        ("a.csv", 'a,b\n"1,5",2\n"2,5",3\n', [[1.5, 2], [2.5, 3]], "decimal commas"),
        ("a.txt", "1,5 2,5\n2,5 3,5\n", [[1.5, 2.5], [2.5, 3.5]], "separated by white space, not by a comma"),
        # others: blanks and apostrophes between groups, an exponent, three decimals as %.3f prints them
        ("a.csv", "a;b\n1 234,5;1\n12 500,25;2\n", [[1234.5, 1], [12500.25, 2]], "decimal commas"),
        ("a.csv", "a;b\n1'234.5;1\n12'500.25;2\n", [[1234.5, 1], [12500.25, 2]], ""),
        ("a.csv", "a;b\n1,5e3;-2\n", [[1500, -2]], "decimal commas"),
        ("a.csv", "a;b\n1.234;5.678\n2.345;6.789\n", [[1.234, 5.678], [2.345, 6.789]], ""),
        ("a.csv", "a,b\n950,1.234\n1,12.500\n", [[950, 1.234], [1, 12.5]], ""),
    ],
)  # fmt: skip
def test_decimal_marks(write, name, text, rows, note):
    table = read_table(write(text, name))
    assert table.values.tolist() == rows and note in told(table)
    assert bool(table.notes) == bool(note)


@pytest.mark.parametrize("mark", [".", ","])
@pytest.mark.parametrize("separator", [";", "\t", " "])
def test_numbers_are_the_nearest_doubles_whatever_the_decimal_mark(write, mark, separator):
    """All digits are written, so what is read is what was written, bit for bit."""
    x = np.random.default_rng(0).normal(size=(500, 3)) * 100
    lines = [separator.join(repr(value).replace(".", mark) for value in row) for row in x.tolist()]
    table = read_table(write("\n".join(lines) + "\n", "a.txt" if separator == " " else "a.csv"))
    np.testing.assert_array_equal(table.values, x)


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("a;b\n1,234;5\n", ["column 'a' holds 1,234, which is 1.234 or 1234", "'point' (1,234 is 1234)"]),
        ("a;b\n950;1\n1.234;2\n", ["column 'a' holds 1.234, which is 1.234 or 1234", "'comma' (1.234 is 1234)"]),
        ("a;b\n1,5;1.5\n", ["column 'b' has decimal points (1.5) and column 'a' decimal commas (1,5)"]),
    ],
)
def test_decimals_that_nobody_can_know_are_asked_for(write, text, parts):
    with pytest.raises(DataError) as caught:
        read_table(write(text))
    assert all(part in str(caught.value) for part in [*parts, "decimal='point'", "decimal='comma'"])


def test_decimals_that_are_said(write):
    path = write("a;b\n1,234;5\n")
    for comma in ("comma", ","):
        assert read_table(path, decimal=comma).values.tolist() == [[1.234, 5]]
    for point in ("point", "."):
        assert read_table(path, decimal=point).values.tolist() == [[1234, 5]]
    with pytest.raises(DataError, match="column 'b' is not numeric: row 0 .* holds '1.5'"):
        read_table(write("a;b\n1,5;1.5\n"), decimal="comma")


def test_a_column_with_both_marks_is_no_column_of_numbers(write):
    with pytest.raises(DataError, match=r"column 'a' is not numeric: row 1 .* holds '1,5'"):
        read_table(write("a;b\n1.5;2\n1,5;3\n2.5;3\n"))


@given(st.integers(-(10**9), 10**9), st.integers(0, 3), st.sampled_from(".,"))
def test_numbers_in_groups(whole, decimals, mark):
    """Python's own groups, with the signs exchanged: both patterns know them, and no other sign of decimals fits."""
    text = f"{whole / 10**decimals:,.{decimals}f}"
    if mark == ",":
        text = text.translate(str.maketrans(".,", ",."))
    assert NUMBER[mark].fullmatch(text)


def test_one_decimal_mark_for_a_file_whatever_the_order_of_its_columns():
    columns = {"price": ["1,5", "2,5"], "people": ["950", "1.234"], "kind": ["v1.5", "a,b"], "gap": ["", "NA"]}
    for names in (list(columns), list(columns)[::-1]):
        assert find_decimal_mark({name: columns[name] for name in names}, ";", "x").sign == ","


def test_a_comma_far_down_is_found(write):
    """In a file of which only parts are looked at first: the column is numbers or an error, never half of them."""
    rows = [f"{i};{i}" for i in range(150_000)]
    rows[70_001] = "1,5;2"
    with pytest.raises(DataError, match=r"'a' is not numeric: row 70001 .* holds '1,5'"):
        read_table(write("a;b\n" + "\n".join(rows)))
    table = read_table(write("a;b\n" + "\n".join(rows)), decimal="comma")
    assert table.values[70_001].tolist() == [1.5, 2] and table.values[-1].tolist() == [149_999, 149_999]


# ------------------------------------------------------------------------------------- separators, lines and comments
@pytest.mark.parametrize(
    ("name", "text", "values"),
    [
        ("a.csv", 'code,comment,x\n1,"hello\nworld",2\n2,"ok",3\n', [[1, 2], [2, 3]]),
        ("a.csv", 'code;comment;x\n1;"a, b";2\n2;"c, d";3\n', [[1, 2], [2, 3]]),
        ("a.csv", "code|comment|x\n1|a|2\n2|b|3\n", [[1, 2], [2, 3]]),
        ("a.csv", '"code\n(number)",comment,x\n1,a,2\n2,b,3\n', [[1, 2], [2, 3]]),  # names over two lines
        ("a.csv", 'code,comment,x\r\n1,"a ""b"" \r\nc",2\r\n2,5" wide,3\r\n', [[1, 2], [2, 3]]),
        ("a.txt", "code comment x\n1 a 2\n2 b 3\n", [[1, 2], [2, 3]]),
    ],
)
def test_fields_and_quotes(write, name, text, values):
    path = write(text, name)
    names = column_names(path)
    assert read_table(path, columns=[0, 2]).values.tolist() == values
    expected = pd.read_csv(path, sep={";": ";", "|": "|", " ": " "}.get(text[4:5], ","))["comment"].tolist()
    assert read_column(path, names[1]).tolist() == expected


def test_separators_that_are_said_or_asked_for(write):
    path = write("a;b,c;d\ne;f,g;h\n")
    with pytest.raises(
        DataError, match="by a semicolon .3 columns. or by a comma .2 columns.: say separator='semicolon'"
    ):
        column_names(path)
    assert column_names(path, separator="semicolon", header="no") == ("0", "1", "2")
    assert column_names(path, separator=",", header="yes") == ("a;b", "c;d")
    assert read_table(write("a b\n1 2\n")).values.tolist() == [[1, 2]]
    assert read_table(write("x~y\n1~2\n"), separator="~").values.tolist() == [[1, 2]]
    assert read_table(write("x\ty\n1\t2\n"), separator="tab").values.tolist() == [[1, 2]]


def test_comments(write):
    table = read_table(write("# psi phi\n0 1\n  # a remark\n1 2 # another\n\t#\n", "a.dat"))
    assert table.values.tolist() == [[0, 1], [1, 2]]
    table = read_table(write("# three words here\n# psi phi\nr1 0 1\nr2 1 2\n", "a.dat"), ids="0")  # rows have names
    assert table.names == ("psi", "phi") and list(table.ids) == ["r1", "r2"]
    assert read_table(write("a,b\n1,2\n  # a remark\n3,4\n")).values.tolist() == [[1, 2], [3, 4]]
    table = read_table(write("a,b\n1,2\n#3,4\n5,6\n"))
    assert table.values.tolist() == [[1, 2], [5, 6]] and "1 line with # in front of a row left out" in told(table)
    assert read_table(write("% made by hand\nx,y\n1,2\n"), comment="%").values.tolist() == [[1, 2]]
    assert read_table(write("x,note\n1,a # b\n2,c\n"), labels=["note"]).labels["note"].tolist() == ["a # b", "c"]
    with pytest.raises(DataError, match="comment='%'"):
        read_table(write("% made by hand\nx,y\n1,2\n", "a.dat"))


def test_rows_that_begin_with_the_sign_of_comments(write):
    assert read_column(write("colour,x\n#f00,1\n#0f0,2\n"), "colour").tolist() == ["#f00", "#0f0"]  # all of them do
    mixed = write("colour,x\nred,1\n#0f0,2\n")
    with pytest.raises(DataError, match="line 3 begins with #.*comment='#' .it is left out. or comment='none'"):
        read_table(mixed)
    assert read_column(mixed, "colour", comment="none").tolist() == ["red", "#0f0"]
    assert read_column(mixed, "colour", comment="#").tolist() == ["red"]


def test_a_plumed_file_with_blanks(write):
    text = "\n #! FIELDS time phi\n #! SET min_phi -pi\n #! SET max_phi pi\n 0 1\n  # a remark\n 1 2\n"
    table = read_table(write(text, "COLVAR"))
    assert table.values.tolist() == [[1], [2]] and table.time.tolist() == [0, 1] and table.period == {"phi": 2 * np.pi}


def test_lines_of_a_table():
    def texts(text):
        return [(line.text, line.number, line.last) for line in table_lines(text.splitlines(keepends=True))]

    assert texts('a,"b\nc"\r\nd\n') == [('a,"b\nc"', 1, 2), ("d", 3, 3)]
    assert texts('5" pipe\n"x ""y"""\n') == [('5" pipe', 1, 1), ('"x ""y"""', 2, 2)]
    assert texts('a,"b\nc\nd\n') == [('a,"b', 1, 1), ("c", 2, 2), ("d", 3, 3)]  # never closed


# ------------------------------------------------------------------------------------------------------------ encoding
@pytest.mark.parametrize("encoding", ["latin-1", "cp1252", "utf-16-le", "utf-16-be"])
def test_encodings_that_are_named_and_said(write, encoding):
    text = "größe,art\n1,süß\n2,é\n" if encoding != "cp1252" else "größe,art\n1,5 €\n2,é\n"
    path = write(text, encoding=encoding)
    with pytest.raises(DataError, match=f"the file looks like {encoding}: say encoding='{encoding}'"):
        read_table(path)
    table = read_table(path, encoding=encoding, labels=["art"])
    assert table.names == ("größe",) and table.labels["art"].tolist() == [
        text.split(",")[i].split("\n")[0] for i in (2, 3)
    ]


def test_encodings_that_the_file_says(write):
    for encoding in ("utf-16", "utf-32", "utf-8-sig"):
        table = read_table(write("größe,x\n1,2\n", encoding=encoding))
        assert table.names == ("größe", "x") and table.values.tolist() == [[1, 2]]
        assert bool(table.notes) == (encoding != "utf-8-sig")


def test_a_strange_byte_behind_the_part_that_is_looked_at(write):
    text = b"x,kind\n" + b"1,a\n" * 100_000
    path = write(text + b"2,s\xfc\xdf\n")
    with pytest.raises(DataError, match=r"byte 400010 \(line 100002\) is not UTF-8; the file looks like latin-1"):
        read_table(path, labels=["kind"])
    assert read_column(path, "kind", encoding="latin-1")[-1] == "süß"


# ---------------------------------------------------------------------------------------------- missing values, numbers
def test_words_that_stand_for_nothing_only_do_so_among_numbers(write):
    path = write("land,x\nDE,1\nNA,NA\nNone,3\n,nan\nZA,-\n")
    assert read_column(path, "land").tolist()[:3] == ["DE", "NA", "None"]
    table = read_table(path, labels=["land"], missing="drop")
    assert table.labels["land"].tolist() == ["DE", "None"]
    assert read_table(path, columns="x", missing="drop").values.tolist() == [[1], [3]]
    with pytest.raises(DataError, match=r"row 1 .counted from 0., column 'x' is 'NA' .a missing value."):
        read_table(path, columns="x")
    # another: a column that looks like numbers for long, and is text in the end
    rows = [*map(str, range(30_000)), "NA", "x1"]
    column = read_column(write("id\n" + "\n".join(rows)), "id")
    assert column.tolist() == rows


def test_words_and_numbers_that_are_said_to_stand_for_nothing(write, tmp_path):
    path = write("x,y,kind\n-999,1,a\n2,-999.0,unknown\n3,gone,c\n")
    table = read_table(path, na=[-999, "gone", "unknown"], labels=["kind"], missing="keep")
    assert np.array_equal(table.values, [[NAN, 1], [2, NAN], [3, NAN]], equal_nan=True)
    assert pd.isna(table.labels["kind"]).tolist() == [False, True, False] and "'gone' stands for a missing" in told(
        table
    )
    np.save(tmp_path / "x.npy", np.array([[1, -999], [-999, 2], [3, 4]], np.float32))
    assert read_table(tmp_path / "x.npy", na=-999, missing="drop").values.tolist() == [[3, 4]]
    np.save(tmp_path / "n.npy", np.array([[1, -999], [3, 4]]))
    assert read_table(tmp_path / "n.npy", na="-999", missing="drop").values.tolist() == [[3, 4]]
    assert read_column(path, "x", na=-999)[1:].tolist() == [2, 3]


def test_whole_numbers_that_float64_does_not_hold(write):
    path = write("code,x\n9007199254740993,1\n9007199254740992,2\n,3\n")
    assert read_column(path, "code").tolist()[:2] == [9007199254740993, 9007199254740992]
    with pytest.warns(
        DataWarning, match="'code' holds whole numbers beyond 2.*53.*9007199254740993 becomes 9007199254740992"
    ):
        read_table(path, missing="drop")
    assert read_table(path, columns="x").values.tolist() == [[1], [2], [3]]
    # others: beyond 64 bits, and with groups of digits
    long = write("code,x\n123456789012345678901234567890,1\n123456789012345678901234567891,2\n")
    assert len(set(read_column(long, "code").tolist())) == 2
    with pytest.warns(DataWarning, match="beyond 2"):
        read_table(long)
    assert read_table(write("code;x\n9.007.199.254.740.992;1,5\n")).values.tolist() == [[9007199254740992, 1.5]]
    assert is_rounded("-9007199254740993") and not is_rounded("9007199254740994") and not is_rounded("0.5")


# ------------------------------------------------------------------------------------------------------------- options
@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"header": "maybe"}, "header is 'yes' or 'no', not 'maybe'"),
        ({"decimal": "dot"}, "decimal is 'point' or 'comma', not 'dot'"),
        ({"separator": "ab"}, "separator='ab' is none"),
        ({"separator": "comma", "decimal": "comma"}, "are the same sign"),
        ({"encoding": "klingon"}, "no encoding that Python knows"),
        ({"comment": "abc"}, "comment is the sign"),
    ],
)
def test_options_that_mean_nothing(write, options, message):
    with pytest.raises(ParameterError, match=message):
        read_table(write("x,y\n1,2\n"), **options)


def test_options_of_files_that_have_no_layout(tmp_path, write):
    np.save(tmp_path / "x.npy", np.eye(3))
    with pytest.raises(ParameterError, match="x.npy: header= is for text tables"):
        read_table(tmp_path / "x.npy", header="no")
    with pytest.raises(ParameterError, match="decimal= is for text tables"):
        read_table(write("#! FIELDS time x\n0 1\n", "COLVAR"), decimal="comma")


def test_pieces_and_compressed_files(write, tmp_path):
    for number in range(2):
        with gzip.open(tmp_path / f"{number}.dat.gz", "wt") as file:
            file.write("1,5;2\n2,5;-999\n")
    table = read_pieces(
        [tmp_path / "0.dat.gz", tmp_path / "1.dat.gz"],
        decimal="comma",
        separator=";",
        header="no",
        na=-999,
        missing="drop",
    )
    assert table.values.tolist() == [[1.5, 2], [1.5, 2]] and table.run.tolist() == [0, 1]


def test_options_as_people_write_them():
    asked = read_layout_options(header=False, decimal="comma", separator="\\t", comment="none", na=[-999, " x "])
    assert (asked.header, asked.decimal, asked.separator, asked.comment) == (False, ",", "\t", "")
    assert asked.na == ("-999", "x") and asked.given_options() == ["header", "decimal", "separator", "comment"]


# ------------------------------------------------------------------------------------------------------- two parsers
@given(
    arrays(
        np.float64, st.tuples(st.integers(1, 5), st.integers(2, 4)), elements=st.floats(width=64, allow_infinity=False)
    ),
    st.sampled_from(";,\t"),
    st.booleans(),
)
def test_both_parsers_read_the_numbers_that_were_written(tmp_path_factory, x, separator, labelled):
    path = tmp_path_factory.mktemp("x") / "x.csv"
    frame = pd.DataFrame(x, columns=[f"c{i}" for i in range(x.shape[1])])
    if labelled:
        frame["kind"] = "a b"
    frame.to_csv(path, sep=separator, index=False, na_rep="nan")
    size = text_parsers.ARROW_FROM
    for smallest in (0, 2**40):
        text_parsers.ARROW_FROM = smallest
        try:
            table = read_table(path, missing="keep", labels=["kind"] if labelled else ())
        finally:
            text_parsers.ARROW_FROM = size
        assert np.array_equal(table.values, x, equal_nan=True)
        assert not labelled or set(table.labels["kind"]) == {"a b"}


@pytest.mark.parametrize(
    "text",
    [
        "x,y\n1,2\n3,4,5\n6,7\n",
        "x,y\n1,2\n3\n6,7\n",
        "x,y\n1,\n\n3,4\n",
        "x,kind\n1,NA\n2,\n3, b\n",
        'x,kind\n1,"a\nb"\n2,"c""d"\n',
        "x,y\n1,2\n1.5,x\n",
        "code,x\n9007199254740993,1\n,2\n",
        "x,y\n1,--\n2,3\n",
        "x,y\nTrue,1\nFalse,2\n",
        "x,y\n1,2\n# no row\n3,4\n",
        "x,y\r\n1,2\r\n3,4\r\n",
        "x;y\n1.234,5;2\n3,5;4\n",
    ],
)
def test_both_parsers_agree(write, monkeypatch, text):
    pytest.importorskip("pyarrow")
    path = write(text)
    found = []
    for smallest in (0, 2**40):
        monkeypatch.setattr(text_parsers, "ARROW_FROM", smallest)
        try:
            columns = [read_column(path, name) for name in column_names(path)]
            found.append(pd.DataFrame(dict(enumerate(columns))))
        except DataError as error:
            found.append(str(error))
    if isinstance(found[0], str):
        assert found[0] == found[1]
    else:
        pd.testing.assert_frame_equal(*found)
