"""What packages bring is found without importing them, and what is missing is named with its version."""

import sys

import pytest

from infoscope.base import MissingExtraError
from infoscope.datasets.packaged_files import PackagedFile


def test_a_file_is_found_without_importing_its_package(tmp_path, monkeypatch):
    folder = tmp_path / "brings_a_model"
    (folder / "models").mkdir(parents=True)
    (folder / "__init__.py").write_text("raise RuntimeError('imported')")
    (folder / "models" / "small.bin").write_bytes(b"1")
    monkeypatch.syspath_prepend(tmp_path)
    file = PackagedFile("brings_a_model", "models/small.bin", "brings-a-model==1.0")
    assert file.find() == folder / "models" / "small.bin"
    assert file._replace(path="").find() == folder
    assert "brings_a_model" not in sys.modules
    with pytest.raises(MissingExtraError, match=r"holds no large.bin. Install .*\"brings-a-model==1.0\""):
        file._replace(path="large.bin").find()


def test_a_missing_package_is_named_with_its_version():
    with pytest.raises(MissingExtraError) as caught:
        PackagedFile("no_such_package_here", "x.bin", "no-such-package==0.1.2").find()
    assert "no-such-package is not installed" in str(caught.value)
    assert 'pip install --no-deps "no-such-package==0.1.2"' in str(caught.value)
    assert caught.value.name == "no_such_package_here"
