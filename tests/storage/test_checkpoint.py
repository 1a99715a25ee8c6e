"""States that are kept: what comes back, what is refused, and what of a damaged file is believed."""

import errno
import json
import os
import sys
import time
import tracemalloc
import zipfile

import hypothesis.extra.numpy as arrays_of
import numpy as np
import pytest
from hypothesis import given
from tests.results import X
from tests.same import same

import infoscope
from infoscope.base import DataError, InfoscopeWarning, ParameterError
from infoscope.dimension import TwoNN
from infoscope.neighbors import Space
from infoscope.storage import Checkpoint

OPTIONS = {"k": 3, "alpha": 0.5, "data": X}
NUMBERS = "?bBhHiIlLqQefdgFDG"  # every type of NumPy that holds numbers, by its letter


@pytest.fixture
def path(tmp_path):
    return tmp_path / "run.npz"


def there_and_back(path, state):
    with Checkpoint(path, OPTIONS, resume=True) as checkpoint:
        checkpoint.save(state)
    with Checkpoint(path, OPTIONS, resume=True) as checkpoint:
        return checkpoint.load()


# ------------------------------------------------------------------------------------------------------- what is kept
@pytest.mark.parametrize("letter", [*NUMBERS, ">i2", ">f8", ">c16"])
def test_arrays_of_every_type_come_back_bit_for_bit(path, letter):
    raw = np.random.default_rng(3).integers(0, 256, 240 * np.dtype(letter).itemsize, dtype=np.uint8)
    if letter == "?":
        raw &= 1
    if np.dtype(letter).char in "gG":  # ten bytes are the number, six are not
        raw = np.random.default_rng(3).normal(size=240).astype(letter).view(np.uint8)
    flat = raw.view(letter)  # every bit pattern: NaN with payload, denormal numbers, infinity
    state = {
        "line": flat,
        "table": flat.reshape(12, 20),
        "fortran": np.asfortranarray(flat.reshape(4, 5, 12)),
        "strided": flat[::-3],
        "empty": flat[:0].reshape(0, 7),
        "number": flat[5:6].reshape(()),
    }
    back = there_and_back(path, [state, flat[5]])
    assert same(back[0], state) and back[0]["number"].shape == ()
    np.testing.assert_array_equal(back[1], flat[5])
    assert isinstance(back[1], np.generic) and back[1].dtype == flat[5].dtype
    assert all(array.flags.writeable for array in back[0].values())
    with np.load(path, allow_pickle=False) as content:  # NumPy reads it as well
        assert any(content[name].tobytes() == flat.tobytes() for name in content.files if name != "checkpoint.json")


@given(
    arrays_of.arrays(arrays_of.scalar_dtypes(), arrays_of.array_shapes(min_dims=0, max_dims=4, min_side=0, max_side=4))
)
def test_any_array_comes_back(tmp_path_factory, array):
    assert same(there_and_back(tmp_path_factory.mktemp("a") / "run.npz", [array])[0], array)


@pytest.mark.parametrize(
    "state",
    [
        *(None, True, 0, -(10**40), 5e-324, float("nan"), float("-inf"), complex(float("nan"), -0.0)),
        *("ä\x00\ud800", [], ()),
        {"nested": {"deep": [1, (2.5, None), {3: {"x": np.arange(3)}}]}, "empty": {}, 7: "number as key"},
        np.array([("a", 1.5, [1, 2])], [("näme", "U3"), ("x", "f4"), ("y", "i2", (2,))]),  # a header of version 3
        np.zeros(2, [(f"column number {i}", "f8") for i in range(4000)]),  # a header of version 2
        np.array(["2020-01-01", "NaT"], "M8[D]"),
        np.array([None, "x", (1, np.float32(2))], object),
        infoscope.correlation_time(X),
    ],
    ids=lambda state: str(state)[:30],
)  # fmt: skip
@pytest.mark.filterwarnings("ignore:Stored array in format 2.0")
def test_any_state_comes_back(path, state):
    assert same(there_and_back(path, state), state)


def test_estimators_and_spaces_come_back(path):
    space = Space(X, period=20.0, time=np.arange(80.0))
    fit = TwoNN(n_jobs=1).fit(X)
    back = there_and_back(path, {"fit": fit, "space": space})
    assert same(back["fit"].result_, fit.result_) and same(back["space"].features, space.features)
    assert type(back["fit"]) is TwoNN and same(back["space"].period, space.period)


@pytest.mark.parametrize("source", ["MT19937", "PCG64", "PCG64DXSM", "Philox", "SFC64"])
def test_a_generator_goes_on_where_it_was(path, source):
    def numbers(generator):
        child = generator.spawn(2)[1]  # the seed sequence counts its children
        return generator.normal(size=5), generator.integers(2**30, size=3, dtype=np.uint32), child.random(4)

    generator = np.random.Generator(getattr(np.random, source)(7))
    numbers(generator)  # an odd number of 32 bit integers: half of a 64 bit one is left
    back = there_and_back(path, {"rng": generator})["rng"]
    assert same(numbers(back), numbers(generator)) and same(numbers(back), numbers(generator))


def test_seeds_go_on_and_what_is_shared_stays_shared(path):
    seeds = np.random.SeedSequence([1, 2**70], spawn_key=(3,), pool_size=8)
    seeds.spawn(3)
    generator = np.random.default_rng(seeds)
    x = np.arange(3.0)
    state = {"seeds": seeds, "rng": generator, "walkers": [{"rng": generator, "x": x}, {"rng": generator, "x": x}]}
    back = there_and_back(path, state)
    assert back["walkers"][0]["rng"] is back["rng"] is back["walkers"][1]["rng"]
    assert back["rng"].bit_generator.seed_seq is back["seeds"] and back["walkers"][0]["x"] is back["walkers"][1]["x"]
    assert back["rng"].spawn(1)[0].random() == generator.spawn(1)[0].random()
    assert same(back["seeds"].spawn(1)[0].generate_state(4), seeds.spawn(1)[0].generate_state(4))


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ({"f": len}, r"state\['f'\] is a builtin_function"),
        ({"rng": np.random.RandomState(0)}, r"state\['rng'\] is a RandomState"),  # noqa: NPY002
        (np.array([("a",)], [("x", object)]), "without pickle"),
        ([X, {1, 2}], r"state\[1\] is a set"),
    ],
)
def test_a_state_that_cannot_be_kept_is_named_and_the_old_one_stays(path, state, message):
    with Checkpoint(path, OPTIONS) as checkpoint:
        checkpoint.save(1)
        with pytest.raises(ParameterError, match=message):
            checkpoint.save(state)
        assert checkpoint.load() == 1


# ------------------------------------------------------------------------------------------------------------- policy
def test_a_file_that_is_there_is_not_overwritten_in_silence(path):
    with Checkpoint(path, OPTIONS) as checkpoint:
        assert checkpoint.load() is None
        checkpoint.save({"step": 1})
    with pytest.raises(ParameterError, match="run.npz is there already: go on from it with resume=True, delete it"):
        Checkpoint(path, OPTIONS)
    with Checkpoint(path, OPTIONS, resume=True) as checkpoint:
        assert checkpoint.load() == {"step": 1}
        checkpoint.remove()
        checkpoint.remove()
        assert checkpoint.load() is None
    assert not list(path.parent.iterdir())


def test_other_options_are_refused_and_named(path):
    there_and_back(path, 1)
    before = path.read_bytes()
    for changed, message in [
        ({"k": 4}, "k is 3 there and 4 here. Use the same"),
        ({"data": X[:, ::-1]}, "data is .* there and .* here"),
        ({"beta": 1}, "beta is not given there and 1 here"),
    ]:
        with pytest.raises(ParameterError, match=message):
            Checkpoint(path, OPTIONS | changed, resume=True)
    assert path.read_bytes() == before
    Checkpoint(path, dict(reversed(OPTIONS.items())), resume=True).close()


def test_one_process_at_a_time_and_only_while_open(path):
    with Checkpoint(path, OPTIONS) as checkpoint:
        with pytest.raises(ParameterError, match="is being written by process"):
            Checkpoint(path, OPTIONS, resume=True)
        checkpoint.save(1)
    for use in (lambda: checkpoint.save(2), checkpoint.remove):
        with pytest.raises(ParameterError, match="run.npz was closed: make the Checkpoint again, with resume=True"):
            use()
    assert checkpoint.load() == 1
    with pytest.raises(ParameterError):  # a refusal lets go of the lock
        Checkpoint(path, OPTIONS)
    Checkpoint(path, OPTIONS, resume=True).close()
    with pytest.raises(ParameterError, match="no folder"):
        Checkpoint(path.parent / "no" / "run.npz", OPTIONS)


def test_it_saves_when_it_is_due(path, monkeypatch):
    now = 100.0
    monkeypatch.setattr(time, "monotonic", lambda: now)
    made = []

    def make_state():
        made.append(now)
        return now

    with Checkpoint(path, OPTIONS, every=10.0) as checkpoint:
        for second in (101.0, 109.9, 110.0, 111.0, 119.9, 120.5, 130.4, 131.0):
            now = second
            assert checkpoint.save_when_due(make_state) == (second in (110.0, 120.5, 131.0))
        assert made == [110.0, 120.5, 131.0] and checkpoint.load() == 131.0


def test_what_killed_saves_left_is_cleared_away(path):
    (path.parent / ".run.0123abcd.part.npz").write_bytes(b"half")
    (path.parent / ".other.0123abcd.part.npz").write_bytes(b"half")
    Checkpoint(path, OPTIONS).close()
    assert [item.name for item in path.parent.iterdir()] == [".other.0123abcd.part.npz"]


def test_another_version_of_the_library_is_said(path, monkeypatch):
    there_and_back(path, 1)
    rewrite(path, lambda record: record["versions"].update(infoscope="0.0.1"))
    with pytest.warns(InfoscopeWarning, match="written by infoscope 0.0.1, and the rest is computed by"):
        checkpoint = Checkpoint(path, OPTIONS, resume=True)
    assert checkpoint.load() == 1
    checkpoint.close()


def test_a_full_disk_leaves_the_old_state(path, monkeypatch):
    real = np.savez

    def savez(file, **arrays):
        real(file, **arrays)
        raise OSError(errno.ENOSPC, "No space left on device")

    with Checkpoint(path, OPTIONS) as checkpoint:
        checkpoint.save({"x": X})
        before = path.read_bytes()
        monkeypatch.setattr(np, "savez", savez)
        with pytest.raises(OSError, match=r"No space left on device: '.*run\.npz'"):
            checkpoint.save({"x": X + 1})
        assert path.read_bytes() == before
        monkeypatch.undo()
        checkpoint.save({"x": X + 2})  # when there is space again
        assert same(checkpoint.load()["x"], X + 2)
    assert [item.name for item in path.parent.iterdir()] == ["run.npz"]


# ------------------------------------------------------------------------------------------------------ damaged files
def rewrite(path, change):
    """The same archive with a changed record."""
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    record = json.loads(members["checkpoint.json"])
    change(record)
    members["checkpoint.json"] = json.dumps(record).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)


def outcome(checkpoint):
    """What loading gives: the state, or the one error that is allowed."""
    try:
        return checkpoint.load()
    except DataError as error:
        assert "run.npz" in str(error) and "\n" not in str(error)
        return "refused"


SMALL = {"x": np.arange(5.0), "step": 17, "name": "ä", "rng": np.array([1, 2], np.uint8)}


@pytest.fixture
def kept(path):
    with Checkpoint(path, {"k": 1}) as checkpoint:
        checkpoint.save(SMALL)
        yield checkpoint


@pytest.fixture
def small(kept):
    kept.close()
    return kept.path


def test_a_file_cut_anywhere_is_refused(kept):
    assert same(outcome(kept), SMALL)
    for length in reversed(range(kept.path.stat().st_size)):
        os.truncate(kept.path, length)
        assert outcome(kept) == "refused", length
    with pytest.raises(DataError):
        Checkpoint(kept.path.rename(kept.path.with_name("other.npz")), {"k": 1}, resume=True)


def test_a_byte_changed_anywhere_is_refused_or_does_not_matter(kept):
    with zipfile.ZipFile(kept.path) as archive:
        members = [archive.read(name) for name in archive.namelist()]
    whole = kept.path.read_bytes()
    content = {whole.index(data) + place for data in members for place in range(len(data))}
    flips = np.random.default_rng(0).integers(1, 256, len(whole)).tolist()
    with open(kept.path, "r+b") as file:
        for place, flip in enumerate(flips):
            file.seek(place)
            file.write(bytes([whole[place] ^ flip]))
            file.flush()
            found = outcome(kept)
            assert found == "refused" or (place not in content and same(found, SMALL)), place
            file.seek(place)
            file.write(whole[place : place + 1])
    assert same(outcome(kept), SMALL)


def test_parts_written_and_parts_not(kept):
    """Blocks that the disk has not written are zeros, or what the file was before."""
    old = kept.path.read_bytes()
    kept.save({**SMALL, "x": np.arange(5.0) + 1})
    new = kept.path.read_bytes()
    assert len(new) == len(old)
    for start in range(0, len(new), 64):
        for other in (old, bytes(len(new))):
            kept.path.write_bytes(new[:start] + other[start : start + 64] + new[start + 64 :])
            found = outcome(kept)
            assert found == "refused" or same(found, {**SMALL, "x": np.arange(5.0) + 1}), start


def test_files_of_another_kind(path):
    def plain_text():
        path.write_text("not a checkpoint")

    def arrays():
        np.savez(path, x=X)

    def result():
        infoscope.save(infoscope.correlation_time(X), path)

    def other_json():
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr("checkpoint.json", "[1, 2]")

    for write in (plain_text, arrays, result, other_json):
        write()
        before = path.read_bytes()
        with pytest.raises(DataError, match="run.npz is no checkpoint: name another file|cut short or damaged"):
            Checkpoint(path, OPTIONS, resume=True)
        assert path.read_bytes() == before


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda record: record.update(format_version=2), "has format version 2, and this infoscope reads"),
        (lambda record: record.update(format_version="x"), "damaged"),
        (lambda record: record.pop("versions"), "damaged"),
        (lambda record: record.pop("options"), "damaged"),
    ],
)  # fmt: skip
def test_records_that_are_wrong(small, change, message):
    rewrite(small, change)
    with pytest.raises(DataError, match=message):
        Checkpoint(small, {"k": 1}, resume=True)


@pytest.mark.parametrize(
    ("state", "message"),
    [
        ({"is": "array", "array": "a99"}, "damaged"),
        ({"is": "spell"}, "unknown kind"),
        ({"is": "random", "number": 5}, "damaged"),
        ({"is": "result", "class": "os.system", "fields": {}}, "no such result class"),
        ({"is": "random", "number": 0, "parts": {"is": "mapping", "pairs": [["name", "system"]]}}, "damaged"),
        ({"is": "random", "number": 0, "parts": {"is": "mapping", "pairs": [["bit_generator", 3]]}}, "damaged"),
    ],
)
def test_states_that_are_wrong(small, state, message):
    rewrite(small, lambda record: record.update(state=state))
    with Checkpoint(small, {"k": 1}, resume=True) as checkpoint, pytest.raises(DataError, match=message):
        checkpoint.load()


def replaced_member(path, name, data, **options):
    with zipfile.ZipFile(path) as archive:
        members = {item: archive.read(item) for item in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for item, old in members.items():
            if item == name:
                archive.writestr(item, data, **options)
            else:
                archive.writestr(item, old)


def header(shape, dtype):
    return f"{{'descr': {dtype!r}, 'fortran_order': False, 'shape': {shape}, }}\n".encode()


@pytest.mark.parametrize(
    ("shape", "dtype"),
    [
        *(((10**13,), "<f8"), ((4,), "<f8"), ((6,), "<f8"), ((5,), "<f4")),
        *(((-1, -5), "<f8"), ((5,), "|O"), ((2**63, 2**63), "<f8")),
    ],
)
def test_an_array_that_is_not_what_it_says_is_refused_unread(small, shape, dtype):
    """The checksum is right: somebody made this on purpose."""
    text = header(shape, dtype)
    replaced_member(small, "a0.npy", b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + bytes(40))
    tracemalloc.start()
    with Checkpoint(small, {"k": 1}, resume=True) as checkpoint, pytest.raises(DataError, match="cut short or damaged"):
        checkpoint.load()
    assert tracemalloc.get_traced_memory()[1] < 2**22
    tracemalloc.stop()


def test_a_bomb_is_not_opened(small):
    text = header((2**24,), "<f8")
    bomb = b"\x93NUMPY\x01\x00" + len(text).to_bytes(2, "little") + text + bytes(2**27)
    replaced_member(small, "a0.npy", bomb, compress_type=zipfile.ZIP_DEFLATED, compresslevel=1)
    del bomb
    assert small.stat().st_size < 2**20
    tracemalloc.start()
    with pytest.raises(DataError, match="sizes do not add up"):
        Checkpoint(small, {"k": 1}, resume=True)
    assert tracemalloc.get_traced_memory()[1] < 2**22
    tracemalloc.stop()


def test_members_that_overlap_are_not_read(small):
    """Many entries that share the same bytes would make much memory of a small file."""
    whole = small.read_bytes()
    end = whole.rindex(b"PK\x05\x06")
    start = whole.index(b"PK\x01\x02")
    first = whole[start : whole.index(b"PK\x01\x02", start + 4)]
    entries = b"".join(first.replace(b"a0.npy", b"b%d.npy" % n) for n in range(9)) + whole[start:end]
    count = (whole.count(b"PK\x01\x02") + 9).to_bytes(2, "little")
    new_end = (
        whole[end : end + 8] + count * 2 + len(entries).to_bytes(4, "little") + start.to_bytes(4, "little") + bytes(2)
    )
    small.write_bytes(whole[:start] + entries + new_end)
    with zipfile.ZipFile(small) as archive:
        assert len(archive.namelist()) == 12
    with pytest.raises(DataError, match="sizes do not add up"):
        Checkpoint(small, {"k": 1}, resume=True)


def test_nothing_of_pickle_is_used(path, monkeypatch):
    for name in ("pickle", "_pickle"):
        for function in ("dumps", "loads", "dump", "load"):
            monkeypatch.setattr(sys.modules[name], function, None)
    assert same(there_and_back(path, SMALL), SMALL)
