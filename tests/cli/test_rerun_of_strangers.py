"""Records that somebody else wrote: what they name is looked at before it is read, and nothing else is read."""

import json
import os
import time

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.mutants import RERUN, Readers, mutate_bytes, mutate_json

FEW, MANY = 24, 600  # mutants


@pytest.fixture
def record(folder, infoscope):
    assert infoscope("compare", "x.npy", "y.npy", "--quiet", "--output", "a.json").code == 0
    return folder / "a.json"


def change(path, edit):
    record = json.loads(path.read_text())
    edit(record)
    path.write_text(json.dumps(record))


def file_called(name, size=0, digest="0" * 32):
    return lambda record: record.update(files=[{"name": str(name), "size": size, "hash": digest}])


@pytest.mark.parametrize(("name", "words"), [("/dev/zero", "a device"), ("pipe", "a pipe"), ("sub", "a folder")])
def test_files_that_are_none(folder, record, infoscope, name, words):
    os.mkfifo(folder / "pipe")
    (folder / "sub").mkdir()
    began = time.monotonic()
    change(record, file_called(name))
    ran = infoscope("rerun", "a.json")
    assert ran.code == 2 and f"{name} is {words}" in ran.err and len(ran.err.splitlines()) == 1
    ran = infoscope("rerun", name)  # the record itself
    assert ran.code == 2 and f"{name} is {words}, not a file" in ran.err
    ran = infoscope("compare", name, "y.npy")
    assert ran.code == 2 and words in ran.err
    assert time.monotonic() - began < 20


def test_a_folder_is_measured_no_further_than_the_record_says(folder, record, infoscope):
    (folder / "store.zarr").mkdir()
    (folder / "store.zarr" / ".zgroup").write_text("{}")
    for number in range(50):
        (folder / "store.zarr" / str(number)).write_bytes(bytes(100))
    change(record, file_called("store.zarr", size=300))
    ran = infoscope("rerun", "a.json")
    assert ran.code == 2 and "it had 300 bytes and has more" in ran.err


def test_a_file_that_the_record_does_not_name_is_not_read(folder, record, infoscope):
    np.save("secret.npy", np.random.default_rng(0).normal(size=(120, 2)))
    for option in (["secret.npy"], ["--labels", "secret.npy"], ["--weights", "secret.npy"]):
        command = ["compare", "x.npy", "y.npy", "--quiet", *option]
        change(record, lambda stored, command=command: stored.update(command=" ".join(["infoscope", *command])))
        ran = infoscope("rerun", "a.json")
        assert ran.code == 2 and "secret.npy is none of the files that a.json names" in ran.err
    change(record, lambda stored: stored.update(command="infoscope compare x.npy y.npy", files=[]))
    assert "x.npy is none of the files" in infoscope("rerun", "a.json").err


def test_options_from_a_file_are_not_read(folder, record, infoscope):
    (folder / "options.toml").write_text('labels = "secret"\n')
    for option in ("--config options.toml", "--config=options.toml"):
        text = f"infoscope compare x.npy y.npy {option}"
        change(record, lambda stored, text=text: stored.update(command=text))
        ran = infoscope("rerun", "a.json")
        assert ran.code == 2 and "options from a file (--config)" in ran.err


def test_a_link_counts_as_the_file_behind_it(folder, record, infoscope):
    (folder / "x.npy").rename(folder / "z.npy")
    (folder / "x.npy").symlink_to("z.npy")
    assert infoscope("rerun", "a.json").code == 0


def test_a_file_that_grows_while_it_is_read(folder, infoscope, monkeypatch):
    """The digest is that of the bytes that were read: those that were there when reading began."""
    import hashlib

    import infoscope.io.readers as readers

    before = (folder / "items.csv").read_bytes()
    opened = readers.open_source

    def grow(path, key, asked=None):
        source = opened(path, key, asked)
        with (folder / "items.csv").open("ab") as file:
            file.write(before.splitlines(keepends=True)[-1])
        return source

    monkeypatch.setattr(readers, "open_source", grow)
    ran = infoscope("compare", "A=items.csv:a,b", "B=items.csv:c", "--quiet", "--output", "grown.json")
    assert ran.code == 0, ran.err
    stored = json.loads((folder / "grown.json").read_text())
    expected = {"name": "items.csv", "size": len(before), "hash": hashlib.blake2b(before, digest_size=16).hexdigest()}
    assert stored["files"] == [expected] and stored["values"]["n_items"] == 120


def test_another_file_that_changes_while_it_is_read(folder, infoscope, monkeypatch):
    import infoscope.io.readers as readers

    opened = readers.open_source

    def replace(path, key, asked=None):
        source = opened(path, key, asked)
        np.save("x.npy", np.ones((120, 2)))
        return source

    monkeypatch.setattr(readers, "open_source", replace)
    ran = infoscope("compare", "x.npy", "y.npy", "--output", "a.json")
    assert ran.code == 2 and "x.npy changed while it was read: copy it" in ran.err and not (folder / "a.json").exists()


def test_a_file_that_changes_after_it_was_read(folder, infoscope, monkeypatch):
    """A simulation goes on while the numbers are computed: the record holds what was read."""
    import infoscope.cli.deliver as deliver

    before, write = (folder / "items.csv").read_bytes(), deliver.write_result

    def late(*given, **options):
        (folder / "items.csv").write_bytes(before + b"more")
        return write(*given, **options)

    monkeypatch.setattr(deliver, "write_result", late)
    infoscope("compare", "A=items.csv:a,b", "B=items.csv:c", "--quiet", "--output", "late.json")
    assert json.loads((folder / "late.json").read_text())["files"][0]["size"] == len(before)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[" * 100_000, "no JSON record"),
        ('{"a":' * 50_000, "no JSON record"),
        ('{"format": "infoscope result", "format_version": true}', "format version is True"),
        ('{"format": "infoscope result", "format_version": -3}', "format version is -3"),
        ('{"format": "infoscope result", "format_version": 1e400}', "format version is inf"),
        ('{"format": "infoscope result", "format_version": NaN}', "NaN is no number"),
        ('{"format": "infoscope result", "format_version": 99, "provenance": [1]}', "use a newer version"),
        ('{"format": "infoscope result", "format_version": 2, "provenance": [1]}', "provenance is [1]"),
        ('{"format": "infoscope result", "format_version": 2, "values": 3}', "values is 3"),
        ('{"format": "infoscope result", "format_version": 2, "table": {"a": 1}}', "table is {'a': 1}"),
        ('{"format": "infoscope result", "format_version": 2, "files": [3]}', "files is [3]"),
        ('{"format": "infoscope result", "format_version": 2, "files": [{"name": "", "size": 1}]}', "without a name"),
        ('{"format": "infoscope result", "format_version": 2, "command": "infoscope compare"}', "error"),
        ("\ud800", "no JSON record"),
    ],
    ids=range(14),
)
def test_records_that_are_malformed(folder, infoscope, text, message):
    (folder / "bad.json").write_bytes(text.encode(errors="surrogatepass"))
    ran = infoscope("rerun", "bad.json")
    assert ran.code == 2 and message in ran.err and len(ran.err.splitlines()) == 1


def test_a_record_of_a_gigabyte_is_not_read(folder, infoscope):
    with (folder / "large.json").open("wb") as file:
        file.truncate(2**30)  # a hole: it takes no room on the disk
    ran = infoscope("rerun", "large.json")
    assert ran.code == 2 and "it has 1,073,741,824 bytes" in ran.err


def test_signs_that_move_the_cursor_are_not_printed(folder, record, infoscope):
    change(record, lambda stored: stored["values"].update({"\x1b[2J": 1}))
    change(record, lambda stored: stored.update(command=stored["command"] + " --seed '\x1b[31m'"))
    assert "\x1b" not in infoscope("rerun", "a.json").out


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inside: st.lists(inside, max_size=3) | st.dictionaries(st.text(max_size=4), inside, max_size=3),
    max_leaves=8,
)
NAMES = ("command", "files", "values", "table", "provenance", "verdict", "format_version", "type")


@settings(max_examples=80, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(parts=st.dictionaries(st.sampled_from(NAMES), JSON, min_size=1))
def test_records_that_nobody_wrote(folder, infoscope, parts):
    parts = {"format": "infoscope result", "format_version": 2, **parts}
    (folder / "made.json").write_text(json.dumps(parts))
    ran = infoscope("rerun", "made.json")
    assert ran.code == 2 and len(ran.err.splitlines()) == 1 and ran.err.startswith("infoscope: error: ")


def check_mutants(folder, first, n):
    wrong, ends = [], []
    whole = (folder / "a.json").read_bytes()
    with Readers(RERUN, folder) as readers:
        assert readers.ask("a.json") == "read"
        for number in range(first, first + n):
            random = np.random.default_rng([2, number])
            if random.random() < 0.3:
                changed = mutate_bytes(whole, random)
            else:
                changed = json.dumps(mutate_json(json.loads(whole), random)).encode()
            (folder / "mutant.json").write_bytes(changed)
            answer = readers.ask("mutant.json")
            ends.append(answer.partition(":")[0])
            if answer != "read" and not answer.startswith("refused: "):
                wrong.append(f"mutant {number}: {answer}")
    assert not wrong, f"{len(wrong)} of {n}\n" + "\n".join(wrong[:5])
    assert ends.count("refused") > n / 8 and ends.count("read") > n / 8


def test_mutated_records(folder, record):
    check_mutants(folder, 0, FEW)


@pytest.mark.slow
def test_many_mutated_records(folder, record):
    check_mutants(folder, FEW, MANY)
