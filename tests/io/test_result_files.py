"""The writer: complete files or none."""

import json
import math
from dataclasses import dataclass

import pytest

from infoscope.base import Result
from infoscope.base.errors import DataError, MissingExtraError, ParameterError
from infoscope.base.provenance import Provenance, provenance
from infoscope.io import check_result_path, file_digest, load, read_record, write_result


@dataclass(frozen=True)
class Length(Result):
    value: float
    value_se: float
    provenance: Provenance
    warnings: tuple[str, ...] = ()

    @property
    def verdict(self) -> str:
        return "It is long."


@pytest.fixture
def result():
    return Length(1.5, math.nan, provenance("length", {"k": 1}, 3), ("short",))


def test_json_holds_the_whole_record(tmp_path, result):
    path = write_result(result, tmp_path / "a.json", command="infoscope compare", inputs={"files": ("é.csv",)})
    record = json.loads(path.read_text(encoding="utf-8"))
    assert record["values"]["value"] == 1.5 and record["values"]["value_se"] is None
    assert record["table"][0]["value"] == 1.5 and record["verdict"] == "It is long."
    assert record["command"] == "infoscope compare" and record["inputs"] == {"files": ["é.csv"]}
    assert record["provenance"]["parameters"] == {"k": 1} and record["provenance"]["seed"] == 3
    assert set(record["provenance"]) == {"function", "parameters", "seed", "input_hash", "versions"}
    assert record["warnings"] == ["short"] and "@" in record["cite"] and record["type"] == "Length"


def test_npz_holds_the_object(tmp_path, result):
    path = write_result(result, tmp_path / "a.npz")
    assert load(path).provenance == result.provenance and load(path).value == 1.5


def test_csv(tmp_path, result):
    assert write_result(result, tmp_path / "a.csv").read_text().splitlines()[0].startswith("value,")


def test_parquet(tmp_path, result):
    pytest.importorskip("pyarrow")
    import pandas as pd

    assert pd.read_parquet(write_result(result, tmp_path / "a.parquet"))["value"][0] == 1.5


def test_parquet_without_its_package(monkeypatch, tmp_path):
    monkeypatch.setitem(__import__("sys").modules, "pyarrow", None)
    with pytest.raises(MissingExtraError, match="files"):
        check_result_path(tmp_path / "a.parquet")


@pytest.mark.parametrize(
    ("name", "message"), [("a.xml", "not as '.xml'"), ("a", "not as 'a'"), ("no/a.json", "no folder")]
)
def test_where_results_cannot_go(tmp_path, name, message):
    with pytest.raises(ParameterError, match=message):
        check_result_path(tmp_path / name)


def test_an_interrupted_write_leaves_the_old_file(monkeypatch, tmp_path, result):
    path = write_result(result, tmp_path / "a.json")
    before = path.read_text()

    def stop(*args, **options):
        raise KeyboardInterrupt

    monkeypatch.setattr(json, "dumps", stop)
    with pytest.raises(KeyboardInterrupt):
        write_result(result, path)
    assert path.read_text() == before and [item.name for item in tmp_path.iterdir()] == ["a.json"]


def test_records_are_read_back(tmp_path, result):
    (tmp_path / "data.csv").write_text("1,2\n")
    path = write_result(result, tmp_path / "a.json", files=[tmp_path / "data.csv"])
    record = read_record(path)
    assert record["values"]["value"] == 1.5 and record["format_version"] == 2
    assert record["files"] == [file_digest(tmp_path / "data.csv")] and record["files"][0]["size"] == 4
    assert read_record(write_result(result, path))["files"] == []
    with pytest.raises(DataError, match="cut short"):
        path.write_text(path.read_text()[:-20])
        read_record(path)
