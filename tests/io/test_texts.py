"""Texts of files: what stands in them, and what is no text."""

import gzip
import json

import numpy as np
import pytest

from infoscope.base import DataError, ParameterError
from infoscope.io.texts import read_names, read_texts

TEXTS = ["one, two", 'said "three"', "ünï 中", "  spaced ", ""]


@pytest.fixture
def folder(tmp_path):
    rows = [{"text": text, "id": f"m{i}", "n": i} for i, text in enumerate(TEXTS)]
    (tmp_path / "a.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    (tmp_path / "a.txt").write_text("\n".join(TEXTS[:4]) + "\n", encoding="utf-8")
    with gzip.open(tmp_path / "a.txt.gz", "wt", encoding="utf-8") as file:
        file.write("\r\n".join(TEXTS[:3]))
    quoted = "".join('"' + text.replace('"', '""') + f'",m{i}\n' for i, text in enumerate(TEXTS[:4]))
    (tmp_path / "a.csv").write_text("text,id\n" + quoted, encoding="utf-8")
    return tmp_path


def test_texts_are_read_as_they_are(folder):
    assert read_texts(folder / "a.jsonl", "text") == TEXTS
    assert read_texts(folder / "a.txt") == TEXTS[:4]
    assert read_texts(folder / "a.txt.gz") == TEXTS[:3]
    assert [text.strip() for text in read_texts(folder / "a.csv", "text")] == [text.strip() for text in TEXTS[:4]]
    assert read_names(folder / "a.jsonl", "id") == read_names(folder / "a.csv", "id") + ["m4"]
    assert read_names(folder / "a.jsonl", "n") == ["0", "1", "2", "3", "4"]


@pytest.mark.parametrize(
    "text, column, error, said",
    [
        ('{"text": "a"}\n{"words": "b"}\n', "text", DataError, r"line 2: no field 'text' \(there are 'words'\)"),
        ('{"text": "a"}\n{"text": \n', "text", DataError, "line 2: no JSON"),
        ('{"text": "a"}\n["b"]\n', "text", DataError, "line 2: no JSON object"),
        ('{"text": "a"}\n{"text": 3}\n', "text", DataError, "line 2: 'text' is 3, which is no text"),
        ('{"text": "a"}\n{"text": null}\n', "text", DataError, "line 2: 'text' is None, which is no text"),
        ('{"text": "a"}\n', None, ParameterError, r"say which field of .*a.jsonl, as in .*a.jsonl:text"),
        ("", "text", DataError, "is empty"),
    ],
)
def test_what_is_no_text_is_named_with_its_line(tmp_path, text, column, error, said):
    (tmp_path / "a.jsonl").write_text(text)
    with pytest.raises(error, match=said):
        read_texts(tmp_path / "a.jsonl", column)


def test_other_files_are_said(folder):
    with pytest.raises(DataError, match="no such file"):
        read_texts(folder / "none.jsonl", "text")
    with pytest.raises(ParameterError, match="no columns"):
        read_texts(folder / "a.txt", "text")
    with pytest.raises(ParameterError, match="say which column of .*a.csv:text"):
        read_texts(folder / "a.csv")
    (folder / "numbers.csv").write_text("text,id\n1.5,a\n2.5,b\n")
    with pytest.raises(DataError, match="row 1: 'text' is 1.5, which is no text"):
        read_texts(folder / "numbers.csv", "text")
    (folder / "latin.txt").write_bytes("Grüße\n".encode("latin-1"))
    with pytest.raises(DataError, match="latin-1"):
        read_texts(folder / "latin.txt")
    np.save(folder / "a.npy", np.eye(2))
    with pytest.raises((DataError, ParameterError)):
        read_texts(folder / "a.npy", "text")


def test_names_are_single(tmp_path):
    (tmp_path / "a.jsonl").write_text('{"id": 1}\n{"id": "b"}\n{"id": "1"}\n')
    with pytest.raises(DataError, match="'id' is '1' in lines 1 and 3"):
        read_names(tmp_path / "a.jsonl", "id")
    (tmp_path / "b.jsonl").write_text('{"id": 1.5}\n')
    with pytest.raises(DataError, match="line 1: 'id' is 1.5, which is no name"):
        read_names(tmp_path / "b.jsonl", "id")
