"""Rows that are appended: what counts, what comes back, and what a crash at any moment leaves."""

import errno
import os
import struct
import zlib

import numpy as np
import pytest
from tests.storage.disk import Disk, apply, sectors

from infoscope.base import DataError, ParameterError
from infoscope.storage import ArrayStream
from infoscope.storage import stream as stream_file

COLUMNS = {"x": ("f8", (3,)), "energy": "f4", "step": "i8", "accepted": "?"}


def rows(start, stop):
    """Rows of these numbers, always the same."""
    step = np.arange(start, stop)
    x = np.sin(step[:, None] * [0.1, 1.0, 10.0])
    return {"x": x, "energy": x[:, 0].astype("f4"), "step": step, "accepted": step % 3 == 0}


def holds(stream, n_rows):
    """Whether the stream holds the first rows, bit for bit."""
    expected = rows(0, n_rows)
    return len(stream) == n_rows and all(
        stream[name].dtype == values.dtype and stream[name].tobytes() == values.tobytes()
        for name, values in expected.items()
    )


@pytest.fixture
def path(tmp_path):
    return tmp_path / "run.rows"


def written(path, *stops, **options):
    """A file with a commit at each of these numbers of rows."""
    with ArrayStream(path, COLUMNS, **options) as stream:
        for start, stop in zip((0, *stops), stops, strict=False):
            stream.append(rows(start, stop))
            stream.commit()
    return path


# ------------------------------------------------------------------------------------------------------ rows in and out
def test_rows_count_from_the_commit_on(path):
    with ArrayStream(path, COLUMNS) as stream:
        assert len(stream) == 0 and stream["x"].shape == (0, 3)
        stream.append(**rows(0, 5))
        stream.append(rows(5, 6))
        assert len(stream) == 0 and len(ArrayStream(path)) == 0
        stream.commit()
        assert holds(stream, 6) and holds(ArrayStream(path), 6)
        stream.append(rows(6, 6))
        stream.commit()
        stream.append(rows(6, 10))
    assert holds(ArrayStream(path), 10) and holds(stream, 10)  # the end of the block has committed
    assert [item.name for item in path.parent.iterdir()] == ["run.rows"]


def test_rows_are_read_by_name_by_number_and_as_a_frame(path):
    stream = ArrayStream(written(path, 4, 9))
    expected = rows(0, 9)
    np.testing.assert_array_equal(stream[2:7]["x"], expected["x"][2:7])
    np.testing.assert_array_equal(stream[[8, 0]]["energy"], expected["energy"][[8, 0]])
    assert stream[-1]["step"] == 8 and stream[["step", "energy"]].dtype.names == ("step", "energy")
    frame = stream.to_frame(["step", "x"])
    assert list(frame.columns) == ["step", "x.0", "x.1", "x.2"]
    np.testing.assert_array_equal(frame[["x.0", "x.1", "x.2"]], expected["x"])
    assert list(stream.to_frame().columns) == ["x.0", "x.1", "x.2", "energy", "step", "accepted"]
    assert not stream["x"].flags.writeable and isinstance(stream["x"].base.base, np.memmap)
    with pytest.raises(ParameterError, match="has no column 'y': there are x, energy, step, accepted"):
        stream["y"]


def test_numpy_alone_can_read_the_rows(path):
    """The layout that the top of the file describes: everything begins at a multiple of 4096."""
    data = written(path, 7).read_bytes()
    dtype = np.dtype([("x", "f8", (3,)), ("energy", "f4"), ("step", "i8"), ("accepted", "?")], align=True)
    n_rows = struct.unpack_from("<QQI", data, 4096)[1]
    found = np.frombuffer(data, dtype, count=n_rows, offset=3 * 4096)
    for name, values in rows(0, 7).items():
        np.testing.assert_array_equal(found[name], values)
    assert len(data) == 3 * 4096 + 7 * dtype.itemsize
    assert struct.unpack_from("<QQI", data, 4096)[2] == zlib.crc32(data[3 * 4096 :])


@pytest.mark.parametrize("wish", ["f2", ">f8", "c16", "u1", "?", "U5", "M8[ns]", ("i2", (2, 3)), ("f8", (1000,))])
def test_columns_of_many_types(path, wish):
    dtype = np.dtype(wish)
    raw = np.random.default_rng(0).integers(0, 2, 20 * dtype.itemsize, dtype=np.uint8)
    values = raw.view(dtype.base).reshape(20, *dtype.shape)
    if dtype.kind == "U":
        values = np.array(["ä", "", "abcde", "b"] * 5, "U5")
    with ArrayStream(path, {"a": wish, "flag": "?"}) as stream:
        stream.append(a=values, flag=np.ones(20, bool))
    back = ArrayStream(path)
    assert back["a"].dtype == dtype.base and back["a"].tobytes() == values.tobytes()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"energy": None}, "has the columns x, energy, step, accepted; given are x, step, accepted"),
        ({"y": [1.0]}, "given are x, energy, step, accepted, y"),
        ({"x": np.zeros((2, 4))}, r"x has rows of shape \(3,\), the values have shape \(2, 4\)"),
        ({"step": np.arange(3)}, "step"),
        ({"step": [0.5, 1.0]}, "step holds <i8, which cannot hold float64"),
        ({"energy": [1e300, 0.0]}, "energy holds <f4, which cannot hold 1e"),
    ],
)
def test_rows_that_do_not_fit_change_nothing(path, change, message):
    with ArrayStream(path, COLUMNS) as stream:
        stream.append(rows(0, 4))
        given = {name: values for name, values in (rows(4, 6) | change).items() if values is not None}
        with pytest.raises(DataError, match=message):
            stream.append(given)
        stream.append(rows(4, 6))
    assert holds(ArrayStream(path), 6)


def test_structured_arrays_and_frames_are_rows_too(path):
    import pandas as pd

    with ArrayStream(path, {"a b": "f8", "step": "i8"}) as stream:
        stream.append(np.array([(1.5, 2)], [("a b", "f8"), ("step", "i8")]))
        stream.append(pd.DataFrame({"step": [3, 4], "a b": [2.5, 3.5]}))
    assert ArrayStream(path)["a b"].tolist() == [1.5, 2.5, 3.5] and ArrayStream(path)["step"].tolist() == [2, 3, 4]


# --------------------------------------------------------------------------------------------------------------- policy
def test_what_was_not_committed_is_cut_off(path):
    stream = ArrayStream(path, COLUMNS)
    stream.append(rows(0, 5))
    stream.commit()
    stream.append(rows(5, 50))
    stream.close()
    size = path.stat().st_size
    with ArrayStream(path, COLUMNS, resume=True) as again:
        assert holds(again, 5) and path.stat().st_size < size
        again.append(rows(5, 8))
    assert holds(ArrayStream(path), 8)


def test_an_error_in_the_block_does_not_commit(path):
    with pytest.raises(KeyError), ArrayStream(path, COLUMNS) as stream:
        stream.append(rows(0, 5))
        stream.commit()
        stream.append(rows(5, 6))
        raise KeyError
    assert holds(ArrayStream(path), 5)


def test_rows_beyond_a_checkpoint_are_cut(path):
    with ArrayStream(path, COLUMNS) as stream:
        stream.append(rows(0, 9))
        stream.commit()
        stream.append(rows(3, 5))
        stream.cut(6)
        assert holds(stream, 6)
        stream.append(rows(6, 7))
    with ArrayStream(path, COLUMNS, resume=True) as stream:
        assert holds(stream, 7)
        with pytest.raises(ParameterError, match="n_rows must be at most 7"):
            stream.cut(8)
        stream.cut(0)
        stream.append(rows(0, 2))
    assert holds(ArrayStream(path), 2)


def test_a_file_that_is_there_is_not_overwritten_in_silence(path):
    before = written(path, 3).read_bytes()
    with pytest.raises(ParameterError, match="run.rows is there already: append to it with resume=True, delete it, or"):
        ArrayStream(path, COLUMNS)
    assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        (COLUMNS | {"x": ("f4", (3,))}, r'other columns: x is \["<f8", \[3\]\] there and \["<f4", \[3\]\] here'),
        (COLUMNS | {"x": ("f8", (2,))}, r'x is \["<f8", \[3\]\] there and \["<f8", \[2\]\] here'),
        (COLUMNS | {"new": "f8"}, r'new is not given there and \["<f8", \[\]\] here'),
        ({"x": ("f8", (3,))}, "energy is .* there and not given here; step is"),
    ],
)
def test_other_columns_are_refused_and_named(path, columns, message):
    before = written(path, 3).read_bytes()
    with pytest.raises(ParameterError, match=message):
        ArrayStream(path, columns, resume=True)
    assert path.read_bytes() == before
    ArrayStream(path, dict(reversed(COLUMNS.items())), resume=True).close()


def test_options_and_metadata(path):
    written(path, 3, options={"seed": 0, "T": np.inf}, metadata={"x": "nm"})
    stream = ArrayStream(path)
    assert stream.options == {"seed": 0, "T": "inf"} and stream.metadata == {"x": "nm"}
    for columns in (COLUMNS, None):
        with pytest.raises(ParameterError, match="other options: seed is 0 there and 1 here. Use the same"):
            ArrayStream(path, columns, options={"seed": 1, "T": np.inf}, resume=True)
    assert holds(ArrayStream(path, options={"seed": 0, "T": np.inf}), 3)
    with ArrayStream(path, COLUMNS, options={"seed": 0, "T": np.inf}, metadata="other", resume=True) as stream:
        assert stream.metadata == {"x": "nm"}  # that of the making
    with pytest.raises(ParameterError, match="metadata is not JSON"):
        ArrayStream(path.with_name("b"), COLUMNS, metadata={"x": np.arange(3)})
    with pytest.raises(ParameterError, match="x cannot be bfloat16 in a stream"):
        ArrayStream(path.with_name("b"), {"x": "bfloat16"})
    assert [item.name for item in path.parent.iterdir()] == ["run.rows"]


def test_one_writer_at_a_time_and_only_while_open(path):
    stream = ArrayStream(path, COLUMNS)
    with pytest.raises(ParameterError, match=f"run.rows is being written by process {os.getpid()}"):
        ArrayStream(path, COLUMNS, resume=True)
    reader = ArrayStream(path)
    stream.close()
    stream.close()
    for use in (lambda: stream.append(rows(0, 1)), stream.commit, lambda: stream.cut(0)):
        with pytest.raises(ParameterError, match="run.rows was closed: open it again, with resume=True"):
            use()
    with pytest.raises(ParameterError, match="opened for reading: name its columns to write"):
        reader.append(rows(0, 1))
    with pytest.raises(ParameterError):
        ArrayStream(path, COLUMNS)
    ArrayStream(path, COLUMNS, resume=True).close()  # a refusal lets go of the lock
    with pytest.raises(ParameterError, match="no folder"):
        ArrayStream(path.parent / "no" / "a", COLUMNS)
    with pytest.raises(DataError, match="none.rows: no such file"):
        ArrayStream(path.with_name("none.rows"))


# ------------------------------------------------------------------------------------------------------ what goes wrong
def test_a_full_disk_keeps_what_was_there(path, monkeypatch):
    real = stream_file.write_at

    def write_half(file, place, data):
        real(file, place, data[: len(data) // 2])
        raise OSError(errno.ENOSPC, "No space left on device")

    with ArrayStream(path, COLUMNS) as stream:
        stream.append(rows(0, 5))
        stream.commit()
        stream.append(rows(5, 7))
        monkeypatch.setattr(stream_file, "write_at", write_half)
        with pytest.raises(OSError, match=r"No space left on device: '.*run\.rows'"):
            stream.append(rows(7, 60))
        assert holds(ArrayStream(path), 5)
        monkeypatch.undo()  # there is space again
        stream.append(rows(7, 9))
    assert holds(ArrayStream(path), 9)


@pytest.mark.parametrize("step", [0, 1])
def test_an_error_in_the_commit_closes_the_stream(path, monkeypatch, step):
    """After a failed flush nobody knows what is on the disk."""
    stream = ArrayStream(path, COLUMNS)
    stream.append(rows(0, 5))
    stream.commit()
    stream.append(rows(5, 9))
    calls = iter([None] * step + [OSError(errno.EIO, "Input/output error")])

    def flush(descriptor):
        if error := next(calls):
            raise error

    monkeypatch.setattr(stream_file, "flush", flush)
    with pytest.raises(OSError, match="Input/output"):
        stream.commit()
    monkeypatch.undo()
    with pytest.raises(ParameterError, match="was closed"):
        stream.append(rows(5, 9))
    with ArrayStream(path, COLUMNS, resume=True) as again:
        assert holds(again, 5 + 4 * step)  # the rows were flushed, and the first copy written


def outcome(path, **options):
    """How many rows are there, all of them right; -1 for the one error that is allowed."""
    try:
        stream = ArrayStream(path, **options)
    except DataError as error:
        assert "run.rows" in str(error) and "\n" not in str(error)
        return -1
    assert holds(stream, len(stream))
    return len(stream)


def test_a_file_cut_anywhere_is_refused(path):
    written(path, 3, 8)
    for length in reversed(range(path.stat().st_size)):
        if length > 12000 or length % 4096 in (*range(24), 4000) or length < 1200:  # the rest is padding
            os.truncate(path, length)
            assert outcome(path) == -1, length


def test_a_byte_changed_anywhere_is_refused_or_does_not_matter(path):
    whole = written(path, 3, 8).read_bytes()
    stream = ArrayStream(path, COLUMNS, resume=True)
    stream.append(rows(0, 2))  # not committed: may be anything
    stream.close()
    n_committed, generator = len(whole), np.random.default_rng(0)
    places = [place for place in range(path.stat().st_size) if place % 4096 < 1200 or place % 4096 > 4080]
    seen = set()
    with open(path, "r+b") as file:
        for place, flip in zip(places, generator.integers(1, 256, len(places)).tolist(), strict=True):
            file.seek(place)
            old = file.read(1)
            file.seek(place)
            file.write(bytes([old[0] ^ flip]))
            file.flush()
            found = outcome(path)
            assert found == 8 or (found == -1 and not 4096 <= place < 3 * 4096 and place < n_committed), place
            assert found == -1 or not 3 * 4096 <= place < n_committed, place
            seen.add(found)
            file.seek(place)
            file.write(old)
    assert seen == {8, -1} and outcome(path) == 8


def test_without_verify_rows_are_not_read(path):
    written(path, 8)
    with open(path, "r+b") as file:
        file.seek(-1, os.SEEK_END)
        file.write(b"\xff")
    with pytest.raises(DataError, match="run.rows is damaged .the checksum of its rows is wrong.: copy it again"):
        ArrayStream(path)
    assert len(ArrayStream(path, verify=False)) == 8


def test_files_of_another_kind(path):
    for contents in (b"", b"text", bytes(20000), b"\x93NUMPY\x01\x00" + bytes(100), stream_file.MAGIC):
        path.write_bytes(contents)
        for columns in (COLUMNS, None):
            with pytest.raises(DataError, match="run.rows is no stream of rows: name another file"):
                ArrayStream(path, columns, resume=True)
        assert path.read_bytes() == contents


def test_newer_files_name_the_version_to_install(path):
    data = bytearray(written(path, 3).read_bytes())
    length = struct.unpack_from("<16sII", data)[1]
    text = bytes(data[24 : 24 + length]).replace(b'"format_version": 1', b'"format_version": 2')
    data[:24] = struct.pack("<16sII", stream_file.MAGIC, length, zlib.crc32(text))
    data[24 : 24 + length] = text
    path.write_bytes(data)
    with pytest.raises(
        DataError, match="has format version 2, and this infoscope reads versions up to 1: install info"
    ):
        ArrayStream(path)


def test_the_disk_that_loses_its_power():
    contents = bytearray(b"abcdef")
    apply(contents, "write", 8, b"xy")
    apply(contents, "truncate", 9, b"")
    assert contents == b"abcdef\0\0x"
    assert [len(data) for *_, data in sectors("write", 500, bytes(1030))] == [12, 512, 506]


def test_a_loss_of_power_at_any_moment(path, monkeypatch):
    """Of what was not flushed any part may be there: the rows are those of the last commit, or of the next."""
    written(path, 2)
    disk = Disk(monkeypatch, stream_file, path)
    counts = [(0, 2, 2)]  # entries of the log before a commit, rows before it, rows after it
    with ArrayStream(path, COLUMNS, resume=True) as stream:
        for stop in (12, 13, 40, "cut", 21):
            old = len(stream)
            if stop != "cut":
                stream.append(rows(old, stop))
            counts.append((len(disk.log), old, 9 if stop == "cut" else stop))
            stream.cut(9) if stop == "cut" else stream.commit()
            counts.append((len(disk.log), len(stream), len(stream)))
    monkeypatch.undo()
    assert len(disk.log) > 25
    seen = set()
    for number, (n_begun, contents) in enumerate(disk.crashes(np.random.default_rng(0), 12)):
        _, old, new = [one for one in counts if one[0] <= n_begun][-1]
        path.write_bytes(contents[path])
        found = outcome(path)
        assert found in (old, new), (n_begun, found)
        seen.add(found)
        if number % 7 == 0:  # and it goes on from there
            with ArrayStream(path, COLUMNS, resume=True) as stream:
                stream.append(rows(found, found + 1))
            assert outcome(path) == found + 1
    assert seen == {2, 12, 13, 40, 9, 21}
