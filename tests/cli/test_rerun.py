"""A saved result, run again: the same numbers, and a plain word when the files or the numbers are others."""

import hashlib
import json
import os
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from infoscope.base import DataError
from infoscope.cli.inputs.choices import FileChoice, SpaceChoice
from infoscope.cli.inputs.data_sets import input_files
from infoscope.cli.inputs.item_columns import owned_columns
from infoscope.cli.options import Items
from infoscope.cli.rerun import compare_records, stored_arguments
from infoscope.io import file_digest

ASK = ("compare", "--space", "A=items.csv:a,b", "--space", "B=items.csv:c", "--weights", "w", "--time", "0.5")


@pytest.fixture
def record(folder, infoscope):
    ran = infoscope(*ASK, "--quiet", "--seed", "3", "--sample-rows", "90", "--output", "a.json", "--plot", "a.png")
    assert ran.code == 0
    return folder / "a.json"


def change(path, edit):
    record = json.loads(path.read_text())
    edit(record)
    path.write_text(json.dumps(record))


def test_the_record_names_its_files(folder, record):
    stored = json.loads(record.read_text())
    contents = (folder / "items.csv").read_bytes()
    expected = hashlib.blake2b(contents, digest_size=16).hexdigest()
    assert stored["files"] == [{"name": "items.csv", "size": len(contents), "hash": expected}]
    assert str(folder) not in record.read_text()  # the working folder is nobody's business
    assert stored["provenance"]["seed"] == 3 and stored["provenance"]["versions"]["numpy"] == np.__version__


def test_saved_arrays_are_told_from_the_record(record, infoscope):
    np.savez("a.npz", x=np.arange(3.0))
    np.savez("b.npz", x=np.arange(3.0))
    for file, way_out in (("a.npz", "infoscope rerun a.json"), ("b.npz", "--output FILE.json")):
        ran = infoscope("rerun", file)
        assert ran.code == 2 and "rerun takes the .json" in ran.err and way_out in ran.err and "codec" not in ran.err


def test_all_files_are_named(folder, infoscope):
    np.save("w.npy", np.ones(120) + np.arange(120) % 2)
    pieces = ("--space", "A=run0.npy", "--space", "A=run1.npy", "--space", "B=target0.npy", "--space", "B=target1.npy")
    assert infoscope("compare", *pieces, "--weights", "w.npy", "-q", "--output", "b.json").code == 0
    names = [file["name"] for file in json.loads((folder / "b.json").read_text())["files"]]
    assert names == ["run0.npy", "run1.npy", "target0.npy", "target1.npy", "w.npy"]
    assert infoscope("rerun", "b.json").code == 0


def test_the_same_numbers_come_out(folder, record, infoscope):
    before = {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.iterdir()}
    ran = infoscope("rerun", "a.json")
    stored = json.loads(record.read_text())
    numbers = [v for v in stored["values"].values() if isinstance(v, (int, float)) and not isinstance(v, bool)]
    numbers += [v for v in stored["provenance"]["parameters"].values() if isinstance(v, (int, float)) and v is not True]
    numbers = [v for v in numbers if v is not False] + [3]  # the seed
    assert ran.code == 0 and f"reproduced: {len(numbers)} numbers agree to the last digit" in ran.out
    assert ran.out.startswith("again: infoscope compare --space A=items.csv:a,b")
    after = {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in folder.iterdir()}
    assert before == after  # what the command once saved is left alone


def test_more_than_two_spaces_and_labels(folder, infoscope):
    options = ("--labels", "group", "--scale", "standard", "-q", "--output", "m.json", "--permutations", "19")
    infoscope("compare", *(f"items.csv:{column}" for column in "abc"), *options)
    ran = infoscope("rerun", "m.json")
    assert ran.code == 0 and "reproduced" in ran.out


def test_the_new_result_can_be_kept(folder, record, infoscope):
    ran = infoscope("rerun", "a.json", "--output", "again.json")
    assert ran.code == 0 and "again.json" in ran.out
    assert json.loads((folder / "again.json").read_text()) == json.loads(record.read_text())
    assert infoscope("rerun", "again.json", "--output", "table.csv").code == 0
    assert (folder / "table.csv").read_text().startswith("name_a,")


def test_numbers_that_differ_are_listed(folder, record, infoscope):
    def edit(stored):
        stored["values"]["a_to_b"] = float(np.nextafter(stored["values"]["a_to_b"], 9))  # the last digit
        stored["values"]["relation"] = "independent"
        stored["provenance"]["versions"]["numpy"] = "0.9"

    then = json.loads(record.read_text())["values"]["a_to_b"]
    change(record, edit)
    ran = infoscope("rerun", "a.json")
    assert ran.code == 1 and ran.err == ""
    assert f"a_to_b: {float(np.nextafter(then, 9))!r} then, {then!r} now" in ran.out
    assert "relation: 'independent' then" in ran.out
    assert f"numpy 0.9 then, {np.__version__} now" in ran.out and "not reproduced: " in ran.out


def test_numbers_of_the_table_count_too(folder, record, infoscope):
    change(record, lambda stored: stored["table"][0].update(b_to_a_se=1.0))
    ran = infoscope("rerun", "a.json")
    assert ran.code == 1 and "table.b_to_a_se: 1.0 then" in ran.out and "versions: the same then and now" in ran.out


def test_other_versions_are_named_even_when_all_agrees(folder, record, infoscope):
    change(record, lambda stored: stored["provenance"]["versions"].update(scipy="0.1"))
    ran = infoscope("rerun", "a.json")
    assert ran.code == 0 and "versions: scipy 0.1 then" in ran.out


def test_files_that_changed(folder, record, infoscope):
    text = (folder / "items.csv").read_text()
    (folder / "items.csv").write_text(text.replace("0", "1", 1))
    ran = infoscope("rerun", "a.json")
    assert ran.code == 2 and "items.csv is not the file" in ran.err and "same size, other contents" in ran.err
    (folder / "items.csv").write_text(text + "1\n")
    assert "bytes and has" in infoscope("rerun", "a.json").err
    (folder / "items.csv").unlink()
    ran = infoscope("rerun", "a.json")
    assert ran.code == 2 and "items.csv is not here: name the folder that it is in with --folder" in ran.err


def test_files_elsewhere(folder, record, infoscope):
    (folder / "data").mkdir()
    (folder / "items.csv").rename(folder / "data" / "items.csv")
    ran = infoscope("rerun", "a.json", "--folder", "data", "--output", "new.json")
    assert ran.code == 0 and (folder / "new.json").exists() and os.getcwd() == str(folder)
    assert "no such folder" in infoscope("rerun", "a.json", "--folder", "nowhere").err
    (folder / "empty").mkdir()
    assert "is not in empty" in infoscope("rerun", "a.json", "--folder", "empty").err


def test_files_with_a_full_path_that_moved(folder, infoscope):
    infoscope("compare", f"A={folder}/x.npy", f"{folder}/y.npy", "-q", "--output", "a.json")
    infoscope("compare", "--space", f"A={folder}/x.npy", f"{folder}/y.npy", "-q", "--output", "a.json")
    (folder / "data").mkdir()
    for name in ("x.npy", "y.npy"):
        (folder / name).rename(folder / "data" / name)
    assert infoscope("rerun", "a.json").code == 2
    ran = infoscope("rerun", "a.json", "--folder", "data")
    assert ran.code == 0 and "--space A=x.npy y.npy" in ran.out


@pytest.mark.parametrize(
    "command",
    [
        *("rm -rf items.csv", "infoscope", "infoscope rerun a.json", "infoscope demo", "sh -c 'infoscope compare'", ""),
        *(
            "infoscope; compare",
            "/bin/infoscope compare x.npy y.npy",
            "infoscope compare 'x.npy",
            "infoscope --version",
        ),
    ],
)
def test_only_own_commands_are_run(folder, record, infoscope, command):
    change(record, lambda stored: stored.update(command=command))
    ran = infoscope("rerun", "a.json")
    assert ran.code == 2 and "a.json" in ran.err and (folder / "items.csv").exists()


def test_no_shell_reads_the_command(folder, record, infoscope):
    change(record, lambda stored: stored.update(command="infoscope compare x.npy y.npy; touch danger", files=[]))
    ran = infoscope("rerun", "a.json")
    assert ran.code == 2 and not (folder / "danger").exists()
    change(record, lambda stored: stored.update(command="infoscope compare --help"))
    assert infoscope("rerun", "a.json").code == 2


def test_a_result_made_in_python(folder, infoscope):
    from infoscope import information_imbalance
    from infoscope.io import write_result

    x = np.random.default_rng(0).normal(size=(50, 2))
    write_result(information_imbalance(x, x), "python.json")
    ran = infoscope("rerun", "python.json")
    assert ran.code == 2 and "was made by information_imbalance in Python" in ran.err


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "cut short"),
        ("[1]", "no record of a result"),
        ('{"format": "infoscope result", "format_version": 99}', "format version 99"),
    ],
)
def test_files_that_are_no_records(folder, infoscope, text, message):
    (folder / "bad.json").write_text(text)
    ran = infoscope("rerun", "bad.json")
    assert ran.code == 2 and message in ran.err
    assert "no such file" in infoscope("rerun", "none.json").err


def test_comparing_records():
    then = {"values": {"x": 1, "y": None, "ok": True}, "table": [{"x": 1, "z": 0.5}], "provenance": {"seed": 3}}
    now = {"values": {"x": 1.0, "ok": True}, "table": [{"x": 1, "z": 0.5}], "provenance": {"seed": 3}}
    compared = compare_records(then, now)
    assert compared.differing == {"y": (None, "(nothing)")}
    assert (compared.n_entries, compared.n_numbers) == (5, 3)
    with pytest.raises(DataError, match="only 'infoscope compare ...' .* is run again"):
        stored_arguments({"command": "infoscope demo"}, "a.json", ["compare", "select"])


def test_the_digest_of_a_folder(folder):
    (folder / "store" / "sub").mkdir(parents=True)
    (folder / "store" / "one").write_bytes(b"1")
    (folder / "store" / "sub" / "two").write_bytes(b"22")
    first = file_digest("store")
    assert first["name"] == "store" and first["size"] == 3
    (folder / "store" / "one").rename(folder / "store" / "three")
    assert file_digest("store")["hash"] != first["hash"]
    with pytest.raises(FileNotFoundError):
        file_digest("nothing")


def test_pictures_for_a_paper(folder, infoscope):
    pandas = pytest.importorskip("pandas")
    ran = infoscope("compare", "x.npy", "y.npy", "--plot", "fig.pdf", "--style", "paper", "-q", "--output", "a.json")
    assert ran.code == 0 and "picture: fig.pdf (its numbers: fig.csv)" in ran.out
    stored = json.loads((folder / "a.json").read_text())["values"]
    drawn = pandas.read_csv("fig.csv", comment="#", float_precision="round_trip")
    assert drawn["a_to_b"][0] == stored["a_to_b"] and drawn["b_to_a_se"][0] == stored["b_to_a_se"]
    before = (folder / "fig.pdf").stat().st_mtime_ns
    assert infoscope("rerun", "a.json").code == 0 and (folder / "fig.pdf").stat().st_mtime_ns == before
    ran = infoscope("compare", "x.npy", "y.npy", "--plot", "items.pdf", "--style", "paper")
    assert ran.code == 2 and "items.csv exists" in ran.err and "items" not in ran.out
    assert "--style" in infoscope("compare", "x.npy", "y.npy", "--plot", "a.pdf", "--style", "poster").err
    assert infoscope("compare", "x.npy", "y.npy", "--plot", "b.png").code == 0 and not (folder / "b.csv").exists()


def test_a_quiet_command_leaves_the_environment_alone(folder, infoscope, monkeypatch):
    monkeypatch.delenv("TQDM_DISABLE", raising=False)
    assert infoscope("compare", "x.npy", "y.npy", "--quiet", "--output", "a.json").code == 0
    assert infoscope("rerun", "a.json").code == 0 and "TQDM_DISABLE" not in os.environ


def test_every_file_of_a_piece_counts(folder):
    @dataclass(frozen=True)
    class Frames(FileChoice):
        topology: Path | None = None

    (folder / "top.pdb").write_text("")
    pieces = (Frames(Path("x.npy"), topology=Path("top.pdb")), Frames(Path("y.npy"), topology=Path("top.pdb")))
    spaces = [SimpleNamespace(choice=SpaceChoice("A", pieces))]
    found = input_files(spaces, owned_columns(Items(time="0.5", run="part"), "items.csv:group"))
    assert [str(path) for path in found] == ["x.npy", "top.pdb", "y.npy", "items.csv"]


def test_only_files_that_were_read_are_on_record(folder, infoscope):
    (folder / "group").mkdir()  # a folder, files and a step that happen to be called like what was asked for
    for name in ("w", "300K", "one", "0.5"):
        (folder / name).write_text("not read")
    spaces = ("--space", "A=items.csv:a,b", "--space", "B=items.csv:c", "-q", "--output", "a.json")
    ran = infoscope("compare", *spaces, "--labels", "group", "--log-weights", "w", "--kT", "300K", "--time", "0.5")
    assert ran.code == 0, ran.err
    assert [file["name"] for file in json.loads((folder / "a.json").read_text())["files"]] == ["items.csv"]


def test_several_files_of_one_option(folder, infoscope):
    np.save("metad.npy", np.linspace(0, 1, 120))
    np.save("walls.npy", np.linspace(1, 0, 120) ** 2)
    ran = infoscope("compare", "x.npy", "y.npy", "--log-weights", "metad.npy,walls.npy", "-q", "--output", "a.json")
    assert ran.code == 0, ran.err
    names = [file["name"] for file in json.loads((folder / "a.json").read_text())["files"]]
    assert names == ["x.npy", "y.npy", "metad.npy", "walls.npy"]
    assert infoscope("rerun", "a.json").code == 0
    np.save("walls.npy", np.linspace(1, 0.1, 120) ** 2)
    ran = infoscope("rerun", "a.json")
    assert ran.code == 2 and "walls.npy is not the file that the result was made from" in ran.err
